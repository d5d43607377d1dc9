//! Any bytes as an SBOM document given as a target.
#![no_main]

use libfuzzer_sys::fuzz_target;
use model::MemoryContent;

fuzz_target!(|data: &[u8]| {
    let archives = artifact::archives::Limited::default();
    let _ = inventory::sbom::read("document", &mut MemoryContent(data), &archives);
});
