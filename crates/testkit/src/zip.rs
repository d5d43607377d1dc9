//! A small writer of zip archives, for jars, wars and eggs in tests.

use flate2::Compression;
use flate2::write::DeflateEncoder;
use std::io::Write;

/// How a member is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// As it is.
    Stored,
    /// Compressed by deflate.
    Deflated,
}

/// An archive being written.
#[derive(Clone, Debug, Default)]
pub struct Zip {
    bytes: Vec<u8>,
    central: Vec<u8>,
    count: u16,
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
    ///
    /// # Panics
    /// When name or content have sizes that plain zip cannot hold.
    #[must_use]
    pub fn member(mut self, name: &str, content: &[u8], method: Method) -> Self {
        let packed = match method {
            Method::Stored => content.to_vec(),
            Method::Deflated => {
                let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
                encoder.write_all(content).unwrap();
                encoder.finish().unwrap()
            }
        };
        let offset = u32::try_from(self.bytes.len()).unwrap();
        let mut checksum = flate2::Crc::new();
        checksum.update(content);
        let mut common = Vec::new();
        for half in [20, 0, if method == Method::Stored { 0_u16 } else { 8 }, 0, 0x21] {
            common.extend(half.to_le_bytes());
        }
        for word in [
            checksum.sum(),
            u32::try_from(packed.len()).unwrap(),
            u32::try_from(content.len()).unwrap(),
        ] {
            common.extend(word.to_le_bytes());
        }
        common.extend(u16::try_from(name.len()).unwrap().to_le_bytes());
        common.extend([0, 0]);

        self.bytes.extend(b"PK\x03\x04");
        self.bytes.extend(&common);
        self.bytes.extend(name.as_bytes());
        self.bytes.extend(&packed);

        self.central.extend(b"PK\x01\x02");
        self.central.extend(20_u16.to_le_bytes());
        self.central.extend(&common);
        self.central.extend([0; 10]);
        self.central.extend(offset.to_le_bytes());
        self.central.extend(name.as_bytes());
        self.count += 1;
        self
    }

    /// The whole archive.
    ///
    /// # Panics
    /// When it is larger than plain zip can be.
    #[must_use]
    pub fn build(mut self) -> Vec<u8> {
        let start = u32::try_from(self.bytes.len()).unwrap();
        let size = u32::try_from(self.central.len()).unwrap();
        self.bytes.append(&mut self.central);
        self.bytes.extend(b"PK\x05\x06");
        self.bytes.extend([0; 4]);
        self.bytes.extend(self.count.to_le_bytes());
        self.bytes.extend(self.count.to_le_bytes());
        self.bytes.extend(size.to_le_bytes());
        self.bytes.extend(start.to_le_bytes());
        self.bytes.extend([0; 2]);
        self.bytes
    }
}
