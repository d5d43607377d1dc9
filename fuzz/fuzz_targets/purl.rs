//! Any text as a package URL: what parses is written in a form that parses to the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use model::Purl;

fuzz_target!(|text: &str| {
    if let Ok(purl) = text.parse::<Purl>() {
        let canonical = purl.to_string();
        let again: Purl = canonical.parse().expect("its own form");
        assert_eq!(again.to_string(), canonical);
    }
});
