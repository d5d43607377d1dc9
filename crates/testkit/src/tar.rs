//! Writes tar archives, well-formed ones and others.

use std::io::Write;

/// A tar archive that grows.
#[derive(Clone, Debug, Default)]
pub struct Tar {
    bytes: Vec<u8>,
}

/// How a name that does not fit into its field is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LongNames {
    /// Pax records.
    Pax,
    /// GNU `L` and `K` entries.
    Gnu,
}

/// A header block before its checksum is made.
#[derive(Clone, Debug)]
pub struct Header {
    block: [u8; 512],
}

impl Header {
    /// A ustar header.
    ///
    /// # Panics
    /// When a name is longer than its field.
    #[must_use]
    pub fn new(flag: u8, name: &[u8], link: &[u8], size: u64, mode: u32) -> Self {
        let mut header = Self { block: [0; 512] };
        header
            .field(0, 100, name)
            .field(100, 8, format!("{mode:07o}\0").as_bytes())
            .field(108, 8, b"0000000\0")
            .field(116, 8, b"0000000\0")
            .field(136, 12, b"00000000000\0")
            .field(156, 1, &[flag])
            .field(157, 100, link)
            .field(257, 8, b"ustar\x0000");
        header.size(size);
        header
    }

    /// Overwrites a field.
    ///
    /// # Panics
    /// When the bytes do not fit.
    pub fn field(&mut self, at: usize, room: usize, bytes: &[u8]) -> &mut Self {
        assert!(bytes.len() <= room, "{} bytes for a field of {room}", bytes.len());
        self.block[at..at + room].fill(0);
        self.block[at..at + bytes.len()].copy_from_slice(bytes);
        self
    }

    /// The size field: octal, or base 256 where that is too small.
    pub fn size(&mut self, size: u64) -> &mut Self {
        if size < 1 << 33 {
            self.field(124, 12, format!("{size:011o}\0").as_bytes())
        } else {
            let mut wide = [0; 12];
            wide[0] = 0x80;
            wide[4..].copy_from_slice(&size.to_be_bytes());
            self.field(124, 12, &wide)
        }
    }

    /// The block with its checksum.
    #[must_use]
    pub fn block(&self) -> [u8; 512] {
        let mut block = self.block;
        block[148..156].fill(b' ');
        let sum: u32 = block.iter().map(|&byte| u32::from(byte)).sum();
        block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        block
    }
}

impl Tar {
    /// Appends a header and its content, padded.
    pub fn entry(&mut self, header: &Header, content: &[u8]) -> &mut Self {
        self.bytes.extend_from_slice(&header.block());
        self.raw(content)
    }

    /// Appends bytes as they are, padded to a block.
    pub fn raw(&mut self, bytes: &[u8]) -> &mut Self {
        self.bytes.extend_from_slice(bytes);
        self.bytes.resize(self.bytes.len().next_multiple_of(512), 0);
        self
    }

    /// Appends an entry; long names as pax records or GNU entries.
    pub fn add(
        &mut self,
        flag: u8,
        name: &[u8],
        link: &[u8],
        content: &[u8],
        mode: u32,
        long: LongNames,
    ) -> &mut Self {
        if name.len() > 100 || link.len() > 100 {
            match long {
                LongNames::Pax => {
                    let mut records = Vec::new();
                    for (key, value) in [("path", name), ("linkpath", link)] {
                        if value.len() > 100 {
                            pax_record(&mut records, key, value);
                        }
                    }
                    self.pax(&records);
                }
                LongNames::Gnu => {
                    for (flag, value) in [(b'L', name), (b'K', link)] {
                        if value.len() > 100 {
                            let mut long = value.to_vec();
                            long.push(0);
                            let header = Header::new(flag, b"././@LongLink", b"", long.len() as u64, 0);
                            self.entry(&header, &long);
                        }
                    }
                }
            }
        }
        let cut = |text: &[u8]| text[..text.len().min(100)].to_vec();
        let header = Header::new(flag, &cut(name), &cut(link), content.len() as u64, mode);
        self.entry(&header, content)
    }

    /// Appends a pax header for the next entry.
    pub fn pax(&mut self, records: &[u8]) -> &mut Self {
        let header = Header::new(b'x', b"pax", b"", records.len() as u64, 0o644);
        self.entry(&header, records)
    }

    /// Appends a regular file.
    pub fn file(&mut self, name: &str, content: &[u8]) -> &mut Self {
        self.add(b'0', name.as_bytes(), b"", content, 0o644, LongNames::Pax)
    }

    /// The archive with its end mark.
    #[must_use]
    pub fn finish(&self) -> Vec<u8> {
        let mut bytes = self.bytes.clone();
        bytes.write_all(&[0; 1024]).unwrap();
        bytes
    }

    /// The archive without an end mark.
    #[must_use]
    pub fn unfinished(&self) -> Vec<u8> {
        self.bytes.clone()
    }
}

/// Appends a pax record, `length key=value` and a line feed.
pub fn pax_record(records: &mut Vec<u8>, key: &str, value: &[u8]) {
    let rest = key.len() + value.len() + 3;
    let mut length = rest;
    loop {
        let next = rest + length.to_string().len();
        if next == length {
            break;
        }
        length = next;
    }
    write!(records, "{length} {key}=").unwrap();
    records.extend_from_slice(value);
    records.push(b'\n');
}
