//! Any bytes as a zip archive, by both readers, archives inside archives included.
#![no_main]

use artifact::archives::{Limited, ZipLimits, for_each_member_of};
use libfuzzer_sys::fuzz_target;
use model::{Archives, Content, MemoryContent, ZipMember, ZipVisitor};
use std::io::{Cursor, Read};

struct Nested<'a> {
    archives: &'a Limited,
}

impl ZipVisitor for Nested<'_> {
    fn wants(&mut self, _member: &ZipMember<'_>) -> bool {
        true
    }

    fn file(&mut self, _member: &ZipMember<'_>, content: &mut dyn Content) {
        let mut head = [0; 4];
        let is_zip = content.reader().is_ok_and(|mut reader| reader.read_exact(&mut head).is_ok()) && &head == b"PK\x03\x04";
        if is_zip {
            let _ = self.archives.zip(content, &mut Nested { archives: self.archives });
        } else {
            let _ = content.bytes(1 << 20);
        }
    }
}

fuzz_target!(|data: &[u8]| {
    let limits = artifact::Limits {
        max_archive_bytes: 8 << 20,
        max_member_bytes: 4 << 20,
        max_archive_members: 2_000,
        ..artifact::Limits::default()
    };
    let archives = Limited::new(&limits);
    let _ = archives.zip(&mut MemoryContent(data), &mut Nested { archives: &archives });
    let limits = ZipLimits { max_members: 2_000, max_member_bytes: 4 << 20, max_total_bytes: 8 << 20 };
    let _ = for_each_member_of(&mut Cursor::new(data), &limits, &mut |_, reader| {
        let _ = std::io::copy(reader, &mut std::io::sink());
    });
});
