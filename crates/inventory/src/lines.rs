//! Text files line by line, streamed: neither a file's size nor a line's length decides how much memory is used.

use model::{Content, ContentError, ReadSeek};
use std::io::{BufRead, BufReader};

/// Longest line that is kept, in bytes; the rest of a longer one is skipped.
const LONGEST: usize = 64 << 10;
/// Longest line that is skipped; a file with a longer one is no text, and is not read on.
const REFUSED: usize = 64 << 20;

/// Reads lines of at most 64 KiB.
pub(crate) struct Lines<'a> {
    reader: BufReader<Box<dyn ReadSeek + 'a>>,
    line: Vec<u8>,
}

impl<'a> Lines<'a> {
    /// From the start of `content`.
    ///
    /// # Errors
    /// When the content cannot be opened.
    pub(crate) fn new(content: &'a mut dyn Content) -> Result<Self, ContentError> {
        Ok(Self {
            reader: BufReader::with_capacity(64 << 10, content.reader()?),
            line: Vec::new(),
        })
    }

    /// The next line without its end (`\n` or `\r\n`), `None` at the end of the file.
    ///
    /// # Errors
    /// When reading fails, or a line is longer than 64 MiB.
    pub(crate) fn next(&mut self) -> std::io::Result<Option<&[u8]>> {
        self.line.clear();
        let mut any = false;
        let mut length = 0;
        loop {
            let buffer = self.reader.fill_buf()?;
            if buffer.is_empty() {
                if !any {
                    return Ok(None);
                }
                break;
            }
            any = true;
            let end = memchr::memchr(b'\n', buffer);
            let part = buffer.get(..end.unwrap_or(buffer.len())).unwrap_or_default();
            let room = LONGEST - self.line.len();
            self.line.extend_from_slice(part.get(..room).unwrap_or(part));
            let used = part.len() + usize::from(end.is_some());
            self.reader.consume(used);
            length += used;
            if length > REFUSED {
                let message = format!("a line is longer than the limit of {} MiB", REFUSED >> 20);
                return Err(std::io::Error::other(message));
            }
            if end.is_some() {
                break;
            }
        }
        if self.line.last() == Some(&b'\r') {
            self.line.pop();
        }
        Ok(Some(&self.line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::MemoryContent;

    #[test]
    fn ends_and_long_lines() {
        let mut bytes = b"a\r\n\nb\n".to_vec();
        bytes.extend(vec![b'x'; 200_000]);
        bytes.extend(b"\nlast");
        let mut content = MemoryContent(bytes);
        let mut lines = Lines::new(&mut content).expect("memory");
        let mut all = Vec::new();
        while let Some(line) = lines.next().expect("memory") {
            all.push(line.len());
        }
        assert_eq!(all, [1, 0, 1, LONGEST, 4]);
    }

    #[test]
    fn a_line_without_end_ends_the_reading() {
        let mut content = MemoryContent([b"a\n".to_vec(), vec![0; REFUSED + 1]].concat());
        let mut lines = Lines::new(&mut content).expect("memory");
        assert_eq!(lines.next().expect("memory"), Some(&b"a"[..]));
        assert!(
            lines
                .next()
                .expect_err("too long")
                .to_string()
                .contains("longer than the limit of 64 MiB")
        );
    }
}
