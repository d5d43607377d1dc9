//! What these tests share: running one extractor over one file in memory.

use inventory::{Extracted, Extractor, File};
use model::{Archives, Entry, EntryKind, MemoryContent};

/// A file of these bytes at `path`.
pub(crate) fn entry<'a>(path: &'a str, bytes: &[u8], mode: u32) -> Entry<'a> {
    Entry {
        path,
        kind: EntryKind::File,
        size: bytes.len() as u64,
        mode,
        link: None,
    }
}

/// What an extractor makes of a file, whether it wants it or not.
pub(crate) fn extract(
    extractor: &dyn Extractor,
    entry: Entry<'_>,
    bytes: &[u8],
    archives: &dyn Archives,
) -> Extracted {
    let mut extracted = Extracted::default();
    let mut file = File {
        entry,
        content: &mut MemoryContent(bytes),
        archives,
    };
    extractor.extract(&mut file, &mut extracted);
    extracted
}
