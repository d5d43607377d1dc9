//! Any bytes as records of the kernel side: through the state, to the answers for all fields.
#![no_main]

use libfuzzer_sys::fuzz_target;
use model::event::{Argument, EventView, FIELDS};
use sensor::wire::Record;
use sensor::{State, StateOptions};

fuzz_target!(|data: &[u8]| {
    let mut state = State::new(StateOptions {
        capacity: 64,
        ..StateOptions::default()
    });
    let mut rest = data;
    while let Ok(record) = Record::parse(rest) {
        if let Some(event) = state.apply(&record) {
            for (field, _) in FIELDS {
                for argument in [Argument::None, Argument::Index(1), Argument::Key("flags".into())] {
                    let _ = event.value(*field, &argument);
                }
            }
        }
        rest = rest.get(record.header.size as usize..).unwrap_or_default();
    }
    assert!(state.statistics().processes <= 64);
});
