//! Any text as the name of an image and as a target.
#![no_main]

use artifact::TargetSpec;
use artifact::reference::Reference;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let _ = TargetSpec::parse(text);
    if let Ok(reference) = Reference::parse(text) {
        assert!(!reference.repository().contains(".."), "{text:?}");
        assert!(!reference.registry().contains('/'), "{text:?}");
    }
});
