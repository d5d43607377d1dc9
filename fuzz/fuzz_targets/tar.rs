//! Any bytes as a tar stream: every entry, a piece of its content, and the same through the walk of a layer, compressed or
//! not, whose entry list must tell what was seen.
#![no_main]

use artifact::tar::{Stream, TarReader};
use artifact::{LayerVisitor, Limits, walk_tar_archive};
use libfuzzer_sys::fuzz_target;
use model::{Content, Entry};

struct Counting {
    entries: usize,
}

impl LayerVisitor for Counting {
    fn wants(&mut self, entry: &Entry<'_>) -> bool {
        assert!(!entry.path.starts_with('/') && !entry.path.split('/').any(|part| part == ".."), "{:?}", entry.path);
        self.entries += 1;
        true
    }

    fn file(&mut self, entry: &Entry<'_>, mut content: Box<dyn Content>) {
        let bytes = content.bytes(1 << 20);
        assert!(bytes.is_err() || bytes.is_ok_and(|bytes| bytes.len() as u64 == entry.size), "{:?}", entry.path);
    }
}

fuzz_target!(|data: &[u8]| {
    let mut reader = TarReader::new(Stream(data), 4096);
    let mut buffer = [0; 700];
    while let Ok(true) = reader.advance() {
        let _ = reader.entry();
        if reader.read_content(&mut buffer).is_err() {
            break;
        }
    }
    let limits = Limits {
        max_layer_bytes: 8 << 20,
        max_file_bytes: 1 << 20,
        ratio_free_bytes: 1 << 20,
        memory_file_bytes: 1 << 20,
        ..Limits::default()
    };
    let walked = walk_tar_archive(data, &limits, Counting { entries: 0 });
    assert_eq!(walked.entries.iter().count(), walked.entries.len());
    assert!(walked.complete || !walked.problems.is_empty(), "what is not whole has a problem");
});
