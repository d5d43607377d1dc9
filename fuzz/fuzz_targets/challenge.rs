//! Any text as the `WWW-Authenticate` header of a registry.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    artifact::fuzzing::challenges(text);
});
