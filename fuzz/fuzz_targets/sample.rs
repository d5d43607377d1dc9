//! Any text as examples of rules.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &str| {
    if let Ok(samples) = sensor::sample::parse(data) {
        let _ = sensor::sample::events(&samples);
    }
});
