//! Small zip archives for tests: a writer for jars, wars and eggs, well-formed and not.

use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};
use std::io::Write;

/// A zip archive that grows.
#[derive(Clone, Debug, Default)]
pub struct Zip {
    bytes: Vec<u8>,
    directory: Vec<u8>,
    count: u64,
}

/// How a member is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// As it is.
    Stored,
    /// Compressed by deflate.
    Deflated,
}

/// How an unusual member is written.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Stored instead of deflated.
    pub stored: bool,
    /// With sizes and checksum behind the content, as streaming writers do.
    pub data_descriptor: bool,
    /// Marked as encrypted.
    pub encrypted: bool,
    /// With a checksum that is wrong.
    pub wrong_checksum: bool,
    /// With its sizes and offset in a zip64 field.
    pub zip64: bool,
}

impl Zip {
    /// An empty archive.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with one more deflated member.
    #[must_use]
    pub fn file(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        self.member(name, content.as_ref(), Method::Deflated)
    }

    /// The same with one more member as it is, as nested archives usually are.
    #[must_use]
    pub fn stored(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        self.member(name, content.as_ref(), Method::Stored)
    }

    /// The same with one more member.
    #[must_use]
    pub fn member(self, name: &str, content: &[u8], method: Method) -> Self {
        let options = Options {
            stored: method == Method::Stored,
            ..Options::default()
        };
        self.special(name, content, options)
    }

    /// The same with one more member that is unusual in some way.
    ///
    /// # Panics
    /// When the archive gets larger than this writer is for.
    #[must_use]
    pub fn special(mut self, name: &str, content: &[u8], options: Options) -> Self {
        let offset = u32::try_from(self.bytes.len()).unwrap();
        let stored = if options.stored {
            content.to_vec()
        } else {
            let mut encoder = DeflateEncoder::new(Vec::new(), Compression::new(6));
            encoder.write_all(content).unwrap();
            encoder.finish().unwrap()
        };
        let mut crc = Crc::new();
        crc.update(content);
        let crc = if options.wrong_checksum {
            !crc.sum()
        } else {
            crc.sum()
        };
        let flags = u16::from(options.encrypted) | u16::from(options.data_descriptor) << 3 | 1 << 11;
        let method: u16 = if options.stored { 0 } else { 8 };
        let sizes = (stored.len() as u32, content.len() as u32);
        let local_sizes = if options.data_descriptor { (0, 0) } else { sizes };
        let local_crc = if options.data_descriptor { 0 } else { crc };
        let common = |crc: u32, (compressed, size): (u32, u32)| {
            let mut head = Vec::new();
            head.extend_from_slice(&20_u16.to_le_bytes());
            head.extend_from_slice(&flags.to_le_bytes());
            head.extend_from_slice(&method.to_le_bytes());
            head.extend_from_slice(&[0; 4]);
            head.extend_from_slice(&crc.to_le_bytes());
            head.extend_from_slice(&compressed.to_le_bytes());
            head.extend_from_slice(&size.to_le_bytes());
            head.extend_from_slice(&(name.len() as u16).to_le_bytes());
            head
        };
        self.bytes.extend_from_slice(b"PK\x03\x04");
        self.bytes.extend(common(local_crc, local_sizes));
        self.bytes.extend_from_slice(&0_u16.to_le_bytes());
        self.bytes.extend_from_slice(name.as_bytes());
        self.bytes.extend_from_slice(&stored);
        if options.data_descriptor {
            self.bytes.extend_from_slice(b"PK\x07\x08");
            self.bytes.extend_from_slice(&crc.to_le_bytes());
            self.bytes.extend_from_slice(&sizes.0.to_le_bytes());
            self.bytes.extend_from_slice(&sizes.1.to_le_bytes());
        }
        let mut extra = Vec::new();
        let mut shown = (sizes, offset);
        if options.zip64 {
            extra.extend_from_slice(&1_u16.to_le_bytes());
            extra.extend_from_slice(&24_u16.to_le_bytes());
            for value in [sizes.1, sizes.0, offset] {
                extra.extend_from_slice(&u64::from(value).to_le_bytes());
            }
            shown = ((u32::MAX, u32::MAX), u32::MAX);
        }
        self.directory.extend_from_slice(b"PK\x01\x02\x14\x00");
        self.directory.extend(common(crc, shown.0));
        self.directory
            .extend_from_slice(&(extra.len() as u16).to_le_bytes());
        self.directory.extend_from_slice(&[0; 10]);
        self.directory.extend_from_slice(&shown.1.to_le_bytes());
        self.directory.extend_from_slice(name.as_bytes());
        self.directory.extend_from_slice(&extra);
        self.count += 1;
        self
    }

    /// The archive.
    #[must_use]
    pub fn build(self) -> Vec<u8> {
        self.ending(b"", false)
    }

    /// The archive with a comment, and with a zip64 end record if wanted.
    ///
    /// # Panics
    /// When the archive is larger than this writer is for.
    #[must_use]
    pub fn ending(&self, comment: &[u8], zip64: bool) -> Vec<u8> {
        let mut bytes = self.bytes.clone();
        let start = bytes.len() as u64;
        bytes.extend_from_slice(&self.directory);
        let mut fields = (
            self.count as u16,
            self.directory.len() as u32,
            u32::try_from(start).unwrap(),
        );
        if zip64 {
            let end = bytes.len() as u64;
            bytes.extend_from_slice(b"PK\x06\x06");
            bytes.extend_from_slice(&44_u64.to_le_bytes());
            bytes.extend_from_slice(&[45, 0, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
            for value in [self.count, self.count, self.directory.len() as u64, start] {
                bytes.extend_from_slice(&value.to_le_bytes());
            }
            bytes.extend_from_slice(b"PK\x06\x07\0\0\0\0");
            bytes.extend_from_slice(&end.to_le_bytes());
            bytes.extend_from_slice(&1_u32.to_le_bytes());
            fields = (u16::MAX, u32::MAX, u32::MAX);
        }
        bytes.extend_from_slice(b"PK\x05\x06\0\0\0\0");
        bytes.extend_from_slice(&fields.0.to_le_bytes());
        bytes.extend_from_slice(&fields.0.to_le_bytes());
        bytes.extend_from_slice(&fields.1.to_le_bytes());
        bytes.extend_from_slice(&fields.2.to_le_bytes());
        bytes.extend_from_slice(&(comment.len() as u16).to_le_bytes());
        bytes.extend_from_slice(comment);
        bytes
    }
}
