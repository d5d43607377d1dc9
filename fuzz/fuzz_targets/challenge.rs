//! Any text as the `WWW-Authenticate` header of a registry.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let _ = artifact::fuzzing::challenges(text);
});
