//! Any text as a condition and as an output format: read or an error, and written as it is read.
#![no_main]

use detect::filter::{parse, parse_operand_prefix};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(condition) = parse(text) {
        let written = condition.to_string();
        let again = parse(&written).unwrap_or_else(|error| panic!("{written:?}: {error}"));
        assert_eq!(again.to_string(), written);
        let _ = condition.pretty();
    }
    if let Some((operand, length)) = parse_operand_prefix(text) {
        assert!(length <= text.len());
        let _ = operand.to_string();
    }
});
