//! Any bytes, recognised as a document or not: what is none is refused.
#![no_main]

use libfuzzer_sys::fuzz_target;
use model::MemoryContent;

fuzz_target!(|data: &[u8]| {
    let recognised = inventory::sbom::recognise(data);
    let archives = artifact::archives::Limited::default();
    let read = inventory::sbom::read("document", &mut MemoryContent(data), &archives);
    if recognised.is_none() && !data.starts_with(b"\x1f\x8b") {
        assert!(read.is_err());
    }
});
