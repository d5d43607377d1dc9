//! Events that arrive as JSON: any document is taken by any source, and every field of every event is asked.
#![no_main]

use libfuzzer_sys::fuzz_target;
use model::event::{Argument, ArgumentRule, EventView, FIELDS};
use sensor::json::{Intake, Surroundings, files, sources};

fuzz_target!(|data: &[u8]| {
    let Some((choice, document)) = data.split_first() else { return };
    let source = sources::ALL[usize::from(*choice) % sources::ALL.len()];
    let mut intake = Intake::new(source, Surroundings::default());
    let mut events = 0;
    files::read(document, "input", &mut intake, 1, &mut |event| {
        let Ok(event) = event else { return };
        events += 1;
        // Many tiny events would only repeat each other.
        if events > 20 {
            return;
        }
        for (field, info) in FIELDS.iter().filter(|(_, info)| info.sources.contains(&source.name())) {
            let argument = match info.argument {
                ArgumentRule::None => Argument::None,
                ArgumentRule::OptionalIndex | ArgumentRule::RequiredIndex | ArgumentRule::OptionalAny => Argument::Index(1),
                _ => Argument::Key("/requestObject/0".into()),
            };
            let _ = event.value(*field, &argument);
            let _ = event.value(*field, &Argument::None);
        }
    });
});
