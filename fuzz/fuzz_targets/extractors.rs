//! Any bytes, read by a package extractor. The first line is the path of the file, which decides how members read it;
//! `HULLWARD_FUZZ_MEMBER=name` pins one member, otherwise every member that wants such a path reads it.
#![no_main]

use inventory::{Extracted, Extractor, File, Found, extractors::ALL};
use libfuzzer_sys::fuzz_target;
use model::{Entry, EntryKind, MemoryContent};
use std::sync::LazyLock;

static MEMBERS: LazyLock<Vec<&'static dyn Extractor>> = LazyLock::new(|| {
    let pinned = std::env::var("HULLWARD_FUZZ_MEMBER").unwrap_or_default();
    let members: Vec<_> =
        ALL.iter().copied().filter(|extractor| pinned.is_empty() || extractor.meta().name == pinned).collect();
    assert!(!members.is_empty(), "no extractor is called `{pinned}`");
    members
});

fuzz_target!(|data: &[u8]| {
    let Some(end) = data.iter().position(|byte| *byte == b'\n') else { return };
    let path = model::path::normalise(&model::path::from_bytes(&data[..end]));
    let bytes = &data[end + 1..];
    let entry = Entry { path: &path, kind: EntryKind::File, size: bytes.len() as u64, mode: 0o755, link: None };
    for extractor in MEMBERS.iter().filter(|extractor| extractor.wants(&entry)) {
        let archives = artifact::archives::Limited::default();
        let mut content = MemoryContent(bytes);
        let mut extracted = Extracted::default();
        extractor.extract(&mut File { entry, content: &mut content, archives: &archives }, &mut extracted);
        let mut found = vec![Found { extractor: extractor.meta().name.to_owned(), path: path.clone(), extracted }];
        extractor.combine(&mut found);
    }
});
