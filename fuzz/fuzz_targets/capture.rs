//! Any bytes as a capture that is played.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sensor::capture::Replay;
use std::io::Cursor;

fuzz_target!(|data: &[u8]| {
    let Ok(mut replay) = Replay::open(Cursor::new(data)) else {
        return;
    };
    while let Ok(Some(event)) = replay.event() {
        assert!(event.ancestors().len() <= sensor::state::ANCESTORS);
    }
});
