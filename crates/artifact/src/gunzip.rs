//! Gzip: members one after the other, their headers and checksums.

use crate::deflate::{Block, Inflater, ReadAhead, Step, invalid};
use std::io::{self, Read};

const HAS_CHECKSUM: u8 = 2;
const HAS_EXTRA: u8 = 4;
const HAS_NAME: u8 = 8;
const HAS_COMMENT: u8 = 16;
const RESERVED: u8 = 0xe0;
/// Bytes in a block of the plain reader.
const BLOCK_BYTES: usize = 64 * 1024;

/// Reads a gzip stream, block by block or as a plain reader, but not both.
pub(crate) struct Gunzip<R> {
    reader: R,
    input: ReadAhead,
    inflater: Inflater,
    checksum: crc32fast::Hasher,
    size: u32,
    place: Place,
    /// What the plain reader hands out, and what went wrong behind it.
    block: Block,
    failure: Option<io::Error>,
}

#[derive(Clone, Copy)]
enum Place {
    /// Before a member's header; true before the first.
    Header(bool),
    Body,
    Trailer,
    End,
}

impl<R: Read> Gunzip<R> {
    pub(crate) fn new(reader: R) -> Self {
        Self {
            reader,
            input: ReadAhead::default(),
            inflater: Inflater::new(),
            checksum: crc32fast::Hasher::new(),
            size: 0,
            place: Place::Header(true),
            block: Block::default(),
            failure: None,
        }
    }

    /// The next byte of a header or trailer; headers may have a checksum.
    fn byte(&mut self) -> io::Result<u8> {
        if self.input.at_hand().is_empty() {
            self.input.read_on(&mut self.reader)?;
        }
        let Some(&byte) = self.input.at_hand().first() else {
            return Err(io::ErrorKind::UnexpectedEof.into());
        };
        self.input.consume(1);
        if matches!(self.place, Place::Header(_)) {
            self.checksum.update(&[byte]);
        }
        Ok(byte)
    }

    fn array<const BYTES: usize>(&mut self) -> io::Result<[u8; BYTES]> {
        let mut bytes = [0; BYTES];
        for byte in &mut bytes {
            *byte = self.byte()?;
        }
        Ok(bytes)
    }

    fn read_header(&mut self) -> io::Result<()> {
        self.checksum.reset();
        let head = self.array::<10>()?;
        let flags = head[3];
        if !head.starts_with(&[0x1f, 0x8b, 8]) || flags & RESERVED != 0 {
            return Err(invalid("what follows is no gzip member"));
        }
        if flags & HAS_EXTRA != 0 {
            for _ in 0..u16::from_le_bytes(self.array()?) {
                self.byte()?;
            }
        }
        for text in [HAS_NAME, HAS_COMMENT] {
            if flags & text != 0 {
                while self.byte()? != 0 {}
            }
        }
        if flags & HAS_CHECKSUM != 0 {
            let checksum = self.checksum.clone().finalize() & 0xffff;
            if u32::from(u16::from_le_bytes(self.array()?)) != checksum {
                return Err(invalid("its header's checksum is wrong"));
            }
        }
        self.checksum.reset();
        self.size = 0;
        Ok(())
    }

    fn read_trailer(&mut self) -> io::Result<()> {
        let checksum = u32::from_le_bytes(self.array()?);
        let size = u32::from_le_bytes(self.array()?);
        if checksum == self.checksum.clone().finalize() && size == self.size {
            Ok(())
        } else {
            Err(invalid("its checksum is wrong"))
        }
    }

    /// Decodes into a block until it is full or the member ends.
    fn read_body(&mut self, block: &mut Block) -> io::Result<Step> {
        loop {
            let before = block.end;
            let step = self.inflater.step(&mut self.input, block);
            let new = block.bytes.get(before..block.end).unwrap_or_default();
            self.checksum.update(new);
            self.size = self.size.wrapping_add(new.len() as u32);
            match step? {
                Step::NeedsInput => {
                    if !self.input.read_on(&mut self.reader)? {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                }
                step => return Ok(step),
            }
        }
    }

    /// Fills a block with the next `count` bytes or a few more, or fewer at the end. On an error the block holds what came
    /// before it.
    pub(crate) fn fill(&mut self, block: &mut Block, count: usize) -> io::Result<()> {
        self.inflater.begin(block, count);
        let result = self.fill_begun(block);
        self.inflater.finish(block);
        result
    }

    fn fill_begun(&mut self, block: &mut Block) -> io::Result<()> {
        loop {
            match self.place {
                Place::Header(first) => {
                    if !first && self.input.at_hand().is_empty() && !self.input.read_on(&mut self.reader)? {
                        self.place = Place::End;
                    } else {
                        self.read_header()?;
                        self.inflater.reset(block);
                        self.place = Place::Body;
                    }
                }
                Place::Body => match self.read_body(block)? {
                    Step::Ended => self.place = Place::Trailer,
                    _ => return Ok(()),
                },
                Place::Trailer => {
                    self.read_trailer()?;
                    self.place = Place::Header(false);
                }
                Place::End => return Ok(()),
            }
        }
    }
}

impl<R: Read> Read for Gunzip<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.block.is_empty() {
            if let Some(failure) = self.failure.take() {
                return Err(failure);
            }
            let mut block = std::mem::take(&mut self.block);
            self.failure = self.fill(&mut block, BLOCK_BYTES).err();
            self.block = block;
            if self.block.is_empty()
                && let Some(failure) = self.failure.take()
            {
                return Err(failure);
            }
        }
        let count = self.block.as_slice().len().min(buffer.len());
        let part = self.block.as_slice().get(..count).unwrap_or_default();
        buffer[..count].copy_from_slice(part);
        self.block.consume(count);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, GzBuilder};
    use std::io::Write;

    fn member(builder: GzBuilder, content: &[u8]) -> Vec<u8> {
        let mut encoder = builder.write(Vec::new(), Compression::new(6));
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    /// Seven bytes at a time, which puts the seams everywhere.
    struct Seven<'a>(&'a [u8]);

    impl Read for Seven<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = buffer.len().min(7);
            self.0.read(&mut buffer[..count])
        }
    }

    fn gunzip(bytes: &[u8]) -> io::Result<Vec<u8>> {
        let mut content = Vec::new();
        let result = Gunzip::new(Seven(bytes)).read_to_end(&mut content).map(|_| ());
        // In blocks it is the same.
        let (mut gunzip, mut block, mut blocks) = (Gunzip::new(bytes), Block::default(), Vec::new());
        let in_blocks = loop {
            let filled = gunzip.fill(&mut block, 1000);
            blocks.extend_from_slice(block.as_slice());
            match filled {
                Ok(()) if block.as_slice().len() >= 1000 => {}
                result => break result,
            }
        };
        assert!(blocks == content);
        assert_eq!(
            in_blocks.as_ref().map_err(io::Error::kind),
            result.as_ref().map_err(io::Error::kind)
        );
        result.map(|()| content)
    }

    #[test]
    fn members_headers_and_damage() {
        let text = b"some text, some text, some text".repeat(1000);
        let plain = member(GzBuilder::new(), &text);
        assert_eq!(gunzip(&plain).unwrap(), text);
        let full = GzBuilder::new()
            .filename("name")
            .comment("comment")
            .extra(vec![1; 40]);
        let two = [member(full, &text), member(GzBuilder::new(), b""), plain.clone()].concat();
        assert_eq!(gunzip(&two).unwrap(), text.repeat(2));
        for length in 0..plain.len() {
            assert!(gunzip(&plain[..length]).is_err(), "{length}");
        }
        for at in [0, 1, 2, 3, plain.len() - 8, plain.len() - 1] {
            let mut damaged = plain.clone();
            damaged[at] ^= 0xe0;
            assert!(gunzip(&damaged).is_err(), "{at}");
        }
        // A header with a checksum of its own.
        let mut head = vec![0x1f, 0x8b, 8, HAS_CHECKSUM, 0, 0, 0, 0, 0, 255];
        let checksum = crc32fast::hash(&head) as u16;
        head.extend(checksum.to_le_bytes());
        head.extend(&plain[10..]);
        assert_eq!(gunzip(&head).unwrap(), text);
        head[10] ^= 1;
        let error = gunzip(&head).unwrap_err().to_string();
        assert!(error.contains("header's checksum"), "{error}");
        let trailing = [&plain[..], b"garbage that is no member"].concat();
        assert!(gunzip(&trailing).is_err());
    }
}
