//! Small zip archives for tests: a writer for jars, wars and eggs, and a reader without the caps that the product's has.
#![allow(clippy::disallowed_types, reason = "tests inflate what they made themselves")]

use flate2::Compression;
use flate2::read::{DeflateDecoder, GzDecoder, ZlibDecoder};
use flate2::write::DeflateEncoder;
use model::{Archives, Content, MemoryContent, ZipMember, ZipVisitor, path};
use std::io::{Read, Write};

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

/// Opens whatever tests made, so that the families can be tested without the crate that opens what others made.
#[derive(Clone, Copy, Debug, Default)]
pub struct Opener;

impl Archives for Opener {
    fn zip(&self, archive: &mut dyn Content, visitor: &mut dyn ZipVisitor) -> Result<(), String> {
        let bytes = archive
            .bytes(64 << 20)
            .map_err(|error| error.to_string())?
            .into_owned();
        let end = bytes
            .windows(4)
            .rposition(|window| window == b"PK\x05\x06")
            .ok_or("it is no zip archive")?;
        let half = |at: usize| {
            let pair = bytes.get(at..at + 2).ok_or("the zip archive is cut short")?;
            Ok::<usize, String>(usize::from(u16::from_le_bytes([pair[0], pair[1]])))
        };
        let word = |at: usize| Ok::<usize, String>(half(at)? | half(at + 2)? << 16);
        let mut at = end
            .checked_sub(word(end + 12)?)
            .ok_or("the zip archive is cut short")?;
        // Scripts may stand before an archive.
        let shift = at
            .checked_sub(word(end + 16)?)
            .ok_or("the zip archive is cut short")?;
        for _ in 0..half(end + 10)? {
            let raw = bytes
                .get(at + 46..at + 46 + half(at + 28)?)
                .ok_or("the zip archive is cut short")?;
            let name = path::normalise(&path::from_bytes(raw));
            let member = ZipMember {
                name: &name,
                size: word(at + 24)? as u64,
            };
            if visitor.wants(&member) {
                let local = word(at + 42)? + shift;
                let start = local + 30 + half(local + 26)? + half(local + 28)?;
                let packed = bytes
                    .get(start..start + word(at + 20)?)
                    .ok_or("the zip archive is cut short")?;
                let content = match half(at + 10)? {
                    0 => packed.to_vec(),
                    _ => inflate(DeflateDecoder::new(packed), usize::MAX)?,
                };
                visitor.file(&member, &mut MemoryContent(content));
            }
            at += 46 + half(at + 28)? + half(at + 30)? + half(at + 32)?;
        }
        Ok(())
    }

    fn zlib(&self, compressed: &[u8], limit: usize) -> Result<Vec<u8>, String> {
        inflate(ZlibDecoder::new(compressed), limit)
    }

    fn gzip(&self, compressed: &[u8], limit: usize) -> Result<Vec<u8>, String> {
        inflate(GzDecoder::new(compressed), limit)
    }
}

fn inflate(mut reader: impl Read, limit: usize) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    reader
        .read_to_end(&mut bytes)
        .map_err(|error| error.to_string())?;
    if bytes.len() > limit {
        return Err(format!("it has more than {limit} bytes"));
    }
    Ok(bytes)
}
