//! Any bytes, read by a package extractor. `HULLWARD_FUZZ_MEMBER=name` pins one member; otherwise the first byte chooses.
#![no_main]

use inventory::{Extracted, Extractor, File, Found, extractors::ALL};
use libfuzzer_sys::fuzz_target;
use model::{Entry, EntryKind, MemoryContent};
use std::sync::LazyLock;

static PINNED: LazyLock<Option<&'static dyn Extractor>> = LazyLock::new(|| {
    let name = std::env::var("HULLWARD_FUZZ_MEMBER").ok()?;
    let found = ALL.iter().copied().find(|extractor| extractor.meta().name == name);
    Some(found.unwrap_or_else(|| panic!("no extractor is called `{name}`")))
});

/// Names that decide how members read a file; the second byte chooses.
const PATHS: [&str; 12] = [
    "var/lib/dpkg/status",
    "var/lib/dpkg/info/a.list",
    "usr/share/doc/a/copyright",
    "var/lib/rpm/Packages",
    "etc/os-release",
    "app/package.json",
    "app/go.sum",
    "app/pyproject.toml",
    "usr/bin/redis-server",
    "usr/lib/libpython3.11.so.1.0",
    "app/x.jar",
    "a.spdx.json",
];

fuzz_target!(|data: &[u8]| {
    let (extractor, data) = match *PINNED {
        Some(extractor) => (extractor, data),
        None => {
            let Some((first, rest)) = data.split_first() else { return };
            (ALL[usize::from(*first) % ALL.len()], rest)
        }
    };
    let Some((path, bytes)) = data.split_first() else { return };
    let path = PATHS[usize::from(*path) % PATHS.len()];
    let entry = Entry { path, kind: EntryKind::File, size: bytes.len() as u64, mode: 0o755, link: None };
    let archives = artifact::archives::Limited::default();
    let mut content = MemoryContent(bytes);
    let mut extracted = Extracted::default();
    extractor.extract(&mut File { entry, content: &mut content, archives: &archives }, &mut extracted);
    let mut found = vec![Found { extractor: extractor.meta().name.to_owned(), path: path.to_owned(), extracted }];
    extractor.combine(&mut found);
});
