//! Gzip over raw inflate: several members in one stream, and checksums faster than the inflater's own.

use flate2::{Decompress, FlushDecompress, Status};
use std::io::{self, BufRead, Read};

const HAS_CHECKSUM: u8 = 2;
const HAS_EXTRA: u8 = 4;
const HAS_NAME: u8 = 8;
const HAS_COMMENT: u8 = 16;
const RESERVED: u8 = 0xe0;

/// Reads a gzip stream.
pub(crate) struct Gunzip<R> {
    input: R,
    state: Decompress,
    checksum: crc32fast::Hasher,
    size: u32,
    place: Place,
}

enum Place {
    /// Before a member's header; true before the first.
    Header(bool),
    Body,
    Trailer,
    End,
}

impl<R: BufRead> Gunzip<R> {
    pub(crate) fn new(input: R) -> Self {
        Self {
            input,
            state: Decompress::new(false),
            checksum: crc32fast::Hasher::new(),
            size: 0,
            place: Place::Header(true),
        }
    }

    fn byte(&mut self) -> io::Result<u8> {
        let mut byte = [0];
        self.input.read_exact(&mut byte)?;
        Ok(byte[0])
    }

    fn read_header(&mut self) -> io::Result<()> {
        let mut head = [0; 10];
        self.input.read_exact(&mut head)?;
        let flags = head[3];
        if !head.starts_with(&[0x1f, 0x8b, 8]) || flags & RESERVED != 0 {
            return Err(invalid("what follows is no gzip member"));
        }
        if flags & HAS_EXTRA != 0 {
            let length = u16::from_le_bytes([self.byte()?, self.byte()?]);
            for _ in 0..length {
                self.byte()?;
            }
        }
        for text in [HAS_NAME, HAS_COMMENT] {
            if flags & text != 0 {
                while self.byte()? != 0 {}
            }
        }
        if flags & HAS_CHECKSUM != 0 {
            self.byte()?;
            self.byte()?;
        }
        self.state.reset(false);
        self.checksum.reset();
        self.size = 0;
        Ok(())
    }

    fn read_trailer(&mut self) -> io::Result<()> {
        let mut trailer = [0; 8];
        self.input.read_exact(&mut trailer)?;
        let mut expected = [0; 8];
        let checksum = self.checksum.clone().finalize();
        expected[..4].copy_from_slice(&checksum.to_le_bytes());
        expected[4..].copy_from_slice(&self.size.to_le_bytes());
        if trailer == expected {
            Ok(())
        } else {
            Err(invalid("its checksum is wrong"))
        }
    }

    /// Inflates some of a member's body; 0 when only the place changed.
    fn read_body(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let input = self.input.fill_buf()?;
        let at_end = input.is_empty();
        let (read, written) = (self.state.total_in(), self.state.total_out());
        let status = self
            .state
            .decompress(input, buffer, FlushDecompress::None)
            .map_err(|error| invalid(error.to_string()))?;
        let read = (self.state.total_in() - read) as usize;
        let written = (self.state.total_out() - written) as usize;
        self.input.consume(read);
        if let Some(bytes) = buffer.get(..written) {
            self.checksum.update(bytes);
        }
        self.size = self.size.wrapping_add(written as u32);
        if status == Status::StreamEnd {
            self.place = Place::Trailer;
        } else if at_end && written == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(written)
    }
}

fn invalid(message: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message.into())
}

impl<R: BufRead> Read for Gunzip<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            match self.place {
                Place::Header(first) => {
                    if !first && self.input.fill_buf()?.is_empty() {
                        self.place = Place::End;
                    } else {
                        self.read_header()?;
                        self.place = Place::Body;
                    }
                }
                Place::Body => {
                    let count = self.read_body(buffer)?;
                    if count > 0 {
                        return Ok(count);
                    }
                }
                Place::Trailer => {
                    self.read_trailer()?;
                    self.place = Place::Header(false);
                }
                Place::End => return Ok(0),
            }
        }
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

    fn gunzip(bytes: &[u8]) -> io::Result<Vec<u8>> {
        let mut content = Vec::new();
        // A small buffer puts the seams everywhere.
        let input = io::BufReader::with_capacity(7, bytes);
        Gunzip::new(input).read_to_end(&mut content)?;
        Ok(content)
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
        let trailing = [&plain[..], b"garbage that is no member"].concat();
        assert!(gunzip(&trailing).is_err());
    }
}
