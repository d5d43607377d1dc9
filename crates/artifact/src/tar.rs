//! A streaming tar reader for hostile input: v7, ustar, pax, GNU and star headers, sparse files, names of any bytes.
//!
//! It follows what container runtimes do where dialects differ: global pax records change no entry, links and folders have no
//! content whatever their size field says, and the archive ends at its first two zero blocks.

use crate::decompress::read_full;
use model::{Entry, EntryKind};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};

const BLOCK: usize = 512;
/// Bytes of one pax record block or GNU long name; the same cap as Go's `archive/tar`.
const MAX_EXTENDED_BYTES: u64 = 1 << 20;
/// Data runs of one sparse file.
const MAX_SPARSE_RUNS: usize = 1 << 16;
/// Extended headers in a row before one entry.
const MAX_EXTENDED_HEADERS: usize = 64;

/// What a tar is read from: buffered, and able to skip content without handing it out.
pub trait TarInput: BufRead {
    /// Skips up to `count` bytes; fewer only at the end of the input.
    ///
    /// # Errors
    /// Those of the underlying reader.
    fn skip(&mut self, count: u64) -> io::Result<u64>;
}

/// A stream: skipping is reading.
pub struct Stream<R>(pub R);

impl<R: Read> Read for Stream<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl<R: BufRead> BufRead for Stream<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.0.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.0.consume(amount);
    }
}

impl<R: BufRead> TarInput for Stream<R> {
    fn skip(&mut self, count: u64) -> io::Result<u64> {
        let mut left = count;
        while left > 0 {
            let available = match self.0.fill_buf() {
                Ok(bytes) => bytes.len(),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if available == 0 {
                break;
            }
            let step = usize::try_from(left).unwrap_or(usize::MAX).min(available);
            self.0.consume(step);
            left -= step as u64;
        }
        Ok(count - left)
    }
}

/// A file on the disk: skipping is seeking.
pub struct Seekable {
    reader: BufReader<File>,
    position: u64,
    end: u64,
}

impl Seekable {
    /// From the file's start.
    ///
    /// # Errors
    /// When the file's size cannot be told.
    pub fn new(file: File) -> io::Result<Self> {
        let end = file.metadata()?.len();
        Ok(Self {
            reader: BufReader::with_capacity(8 * 1024, file),
            position: 0,
            end,
        })
    }
}

impl Read for Seekable {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        self.position += count as u64;
        Ok(count)
    }
}

impl BufRead for Seekable {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.reader.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.position += amount as u64;
        self.reader.consume(amount);
    }
}

impl TarInput for Seekable {
    fn skip(&mut self, count: u64) -> io::Result<u64> {
        let count = count.min(self.end.saturating_sub(self.position));
        match i64::try_from(count) {
            Ok(distance) => self.reader.seek_relative(distance)?,
            Err(_) => return Err(io::ErrorKind::InvalidInput.into()),
        }
        self.position += count;
        Ok(count)
    }
}

/// Why a tar archive cannot be read on.
#[derive(Debug, thiserror::Error)]
pub enum TarError {
    /// The input ends inside a header or a file.
    #[error("the tar archive breaks off at byte {at}")]
    Truncated {
        /// Offset in the uncompressed archive.
        at: u64,
    },
    /// A header is no header.
    #[error("the tar header at byte {at} is damaged: {why}")]
    Header {
        /// Offset in the uncompressed archive.
        at: u64,
        /// In which way.
        why: &'static str,
    },
    /// The input failed.
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// Reads a tar archive entry by entry, with buffers that are used again.
pub struct TarReader<R> {
    input: R,
    /// Bytes consumed so far.
    position: u64,
    /// Stored bytes of the current entry that are still to come, and its padding.
    stored: u64,
    padding: u64,
    block: [u8; BLOCK],
    max_name_bytes: usize,
    path: String,
    link: String,
    kind: EntryKind,
    size: u64,
    mode: u32,
    offset: u64,
    stored_size: u64,
    sparse: Option<Sparse>,
    raw: Vec<u8>,
    pending: Pending,
    ended: bool,
    escaping: u64,
    overlong: u64,
}

/// What extended headers say of the next entry.
#[derive(Default)]
struct Pending {
    path: Option<Vec<u8>>,
    pax_path: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    pax_link: Option<Vec<u8>>,
    size: Option<u64>,
    sparse_name: Option<Vec<u8>>,
    sparse_size: Option<u64>,
    sparse_major: Option<u64>,
    sparse_runs: Vec<(u64, u64)>,
    sparse_offset: Option<u64>,
    is_sparse: bool,
}

impl Pending {
    fn clear(&mut self) {
        // Most entries have no extended header: do not touch the memory for nothing.
        let runs = std::mem::take(&mut self.sparse_runs);
        *self = Self::default();
        if runs.capacity() <= 1024 {
            self.sparse_runs = runs;
            self.sparse_runs.clear();
        }
    }
}

/// Where the data of a sparse file lies.
struct Sparse {
    runs: Vec<(u64, u64)>,
    next: usize,
    position: u64,
}

impl<R: TarInput> TarReader<R> {
    /// Starts at the beginning of an archive. Entries with longer names than `max_name_bytes` are left out and counted.
    pub fn new(input: R, max_name_bytes: usize) -> Self {
        Self {
            input,
            position: 0,
            stored: 0,
            padding: 0,
            block: [0; BLOCK],
            max_name_bytes,
            path: String::new(),
            link: String::new(),
            kind: EntryKind::File,
            size: 0,
            mode: 0,
            offset: 0,
            stored_size: 0,
            sparse: None,
            raw: Vec::new(),
            pending: Pending::default(),
            ended: false,
            escaping: 0,
            overlong: 0,
        }
    }

    /// The entry that [`TarReader::advance`] went to.
    #[must_use]
    pub fn entry(&self) -> Entry<'_> {
        Entry {
            path: &self.path,
            kind: self.kind,
            size: self.size,
            mode: self.mode,
            link: matches!(self.kind, EntryKind::Symlink | EntryKind::Hardlink).then_some(&self.link),
        }
    }

    /// Where the current entry's stored content begins in the archive.
    #[must_use]
    pub fn content_offset(&self) -> u64 {
        self.offset
    }

    /// Stored bytes of the current entry: less than its size for a sparse file.
    #[must_use]
    pub fn stored_size(&self) -> u64 {
        self.stored_size
    }

    /// True when the current entry is a sparse file.
    #[must_use]
    pub fn is_sparse(&self) -> bool {
        self.sparse.is_some()
    }

    /// Number of names so far that climbed out of the root.
    #[must_use]
    pub fn escaping(&self) -> u64 {
        self.escaping
    }

    /// Number of entries left out so far because their names were too long.
    #[must_use]
    pub fn overlong(&self) -> u64 {
        self.overlong
    }

    /// Goes to the next entry, past what was not read of the current one. False at the archive's end.
    ///
    /// # Errors
    /// When the archive is damaged or breaks off; nothing more can be read then.
    pub fn advance(&mut self) -> Result<bool, TarError> {
        if self.ended {
            return Ok(false);
        }
        let mut extended = 0;
        loop {
            self.skip_exactly(self.stored + self.padding)?;
            self.stored = 0;
            self.padding = 0;
            self.sparse = None;
            let at = self.position;
            if !self.read_block()? || self.is_end()? {
                self.ended = true;
                return Ok(false);
            }
            let damaged = |why| TarError::Header { at, why };
            if !checksum_matches(&self.block) {
                return Err(damaged("its checksum is wrong"));
            }
            let size = number(&self.block[124..136]).ok_or(damaged("its size is no number"))?;
            match self.block[156] {
                b'x' | b'X' => {
                    self.read_extended(size, at)?;
                    let records = std::mem::take(&mut self.raw);
                    let parsed = parse_pax(&records, &mut self.pending);
                    self.raw = records;
                    parsed.map_err(damaged)?;
                }
                b'g' => self.read_extended(size, at)?,
                b'L' => {
                    self.read_extended(size, at)?;
                    self.pending.path = Some(until_nul(&self.raw).to_vec());
                }
                b'K' => {
                    self.read_extended(size, at)?;
                    self.pending.link = Some(until_nul(&self.raw).to_vec());
                }
                // Volume labels and continued files of multi-volume archives name no file of their own.
                b'V' | b'M' | b'N' => {
                    self.content_follows(size, at)?;
                    self.pending.clear();
                }
                flag => {
                    let whole = self.read_entry(flag, size, at)?;
                    self.pending.clear();
                    if whole {
                        return Ok(true);
                    }
                    continue;
                }
            }
            extended += 1;
            if extended > MAX_EXTENDED_HEADERS {
                return Err(damaged("too many extended headers in a row"));
            }
        }
    }

    /// Reads from the current entry's content, holes of sparse files as zeros. 0 at its end.
    ///
    /// # Errors
    /// When the archive breaks off.
    pub fn read_content(&mut self, buffer: &mut [u8]) -> Result<usize, TarError> {
        let mut want = buffer.len();
        if let Some(sparse) = &mut self.sparse {
            let left = self.size - sparse.position;
            want = usize::try_from(left).unwrap_or(usize::MAX).min(want);
            let run = loop {
                match sparse.runs.get(sparse.next) {
                    Some(&(offset, length)) if sparse.position >= offset + length => sparse.next += 1,
                    other => break other.copied(),
                }
            };
            let (until, in_data) = match run {
                None => (self.size, false),
                Some((offset, _)) if sparse.position < offset => (offset, false),
                Some((offset, length)) => (offset + length, true),
            };
            let room = usize::try_from(until - sparse.position).unwrap_or(usize::MAX);
            want = want.min(room);
            sparse.position += want as u64;
            if !in_data {
                buffer[..want].fill(0);
                return Ok(want);
            }
        } else {
            want = usize::try_from(self.stored).unwrap_or(usize::MAX).min(want);
        }
        // A sparse read must fill its part, because the position was moved already.
        let done = read_full(&mut self.input, &mut buffer[..want]).map_err(|(_, error)| error)?;
        if done < want {
            return Err(TarError::Truncated {
                at: self.position + done as u64,
            });
        }
        self.position += want as u64;
        self.stored -= want as u64;
        Ok(want)
    }

    /// Appends what is at hand of the current entry's content: at least one byte, and 0 at its end.
    ///
    /// # Errors
    /// When the archive breaks off.
    pub fn append_content(&mut self, bytes: &mut Vec<u8>) -> Result<usize, TarError> {
        if self.sparse.is_some() {
            let mut part = [0; 4096];
            let count = self.read_content(&mut part)?;
            bytes.extend_from_slice(part.get(..count).unwrap_or_default());
            return Ok(count);
        }
        if self.stored == 0 {
            return Ok(0);
        }
        let available = loop {
            match self.input.fill_buf() {
                Ok(available) => break available.len(),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        };
        if available == 0 {
            return Err(TarError::Truncated { at: self.position });
        }
        let count = usize::try_from(self.stored).unwrap_or(usize::MAX).min(available);
        bytes.extend_from_slice(self.input.fill_buf()?.get(..count).unwrap_or_default());
        self.input.consume(count);
        self.position += count as u64;
        self.stored -= count as u64;
        Ok(count)
    }

    /// A block into `self.block`; false at a clean end of the input.
    fn read_block(&mut self) -> Result<bool, TarError> {
        let available = self.input.fill_buf()?;
        if let Some(whole) = available.get(..BLOCK) {
            self.block.copy_from_slice(whole);
            self.input.consume(BLOCK);
            self.position += BLOCK as u64;
            return Ok(true);
        }
        match read_full(&mut self.input, &mut self.block).map_err(|(_, error)| error)? {
            0 => Ok(false),
            BLOCK => {
                self.position += BLOCK as u64;
                Ok(true)
            }
            done => Err(TarError::Truncated {
                at: self.position + done as u64,
            }),
        }
    }

    /// True when the block just read begins the end-of-archive mark.
    fn is_end(&mut self) -> Result<bool, TarError> {
        if self.block[0] != 0 || self.block.iter().any(|&byte| byte != 0) {
            return Ok(false);
        }
        let at = self.position;
        if !self.read_block()? || self.block.iter().all(|&byte| byte == 0) {
            Ok(true)
        } else {
            Err(TarError::Header {
                at,
                why: "an entry follows a single zero block",
            })
        }
    }

    fn skip_exactly(&mut self, count: u64) -> Result<(), TarError> {
        if count == 0 {
            return Ok(());
        }
        let skipped = self.input.skip(count)?;
        self.position += skipped;
        // The last file's padding is left out by some writers.
        if skipped < self.stored {
            return Err(TarError::Truncated { at: self.position });
        }
        Ok(())
    }

    /// Notes that `size` bytes and their padding follow.
    fn content_follows(&mut self, size: u64, at: u64) -> Result<(), TarError> {
        if size > i64::MAX as u64 - at {
            return Err(TarError::Header {
                at,
                why: "its size is beyond any file",
            });
        }
        self.stored = size;
        self.padding = size.wrapping_neg() % BLOCK as u64;
        Ok(())
    }

    /// The content of an extended header into `self.raw`.
    fn read_extended(&mut self, size: u64, at: u64) -> Result<(), TarError> {
        if size > MAX_EXTENDED_BYTES {
            return Err(TarError::Header {
                at,
                why: "its extended header is larger than 1 MiB",
            });
        }
        self.content_follows(size, at)?;
        let mut raw = std::mem::take(&mut self.raw);
        raw.clear();
        raw.resize(usize::try_from(size).unwrap_or_default(), 0);
        let read = self.read_content(&mut raw);
        self.raw = raw;
        read.map(|_| ())
    }

    /// Takes an entry's own header. False when it is left out because of its name.
    fn read_entry(&mut self, flag: u8, size: u64, at: u64) -> Result<bool, TarError> {
        let damaged = |why| TarError::Header { at, why };
        self.mode = number(&self.block[100..108]).map_or(0, |mode| (mode & 0o7777) as u32);
        let size = self.pending.size.unwrap_or(size);
        let named = self.take_names();
        self.kind = match flag {
            0 if self.raw.last() == Some(&b'/') => EntryKind::Folder,
            0 | b'0' | b'7' | b'S' => EntryKind::File,
            b'1' => EntryKind::Hardlink,
            b'2' => EntryKind::Symlink,
            b'5' | b'D' => EntryKind::Folder,
            _ => EntryKind::Special,
        };
        let stored = if matches!(flag, b'1'..=b'6') { 0 } else { size };
        self.content_follows(stored, at)?;
        if flag == b'S' {
            self.old_sparse(at)?;
        } else if self.pending.is_sparse && self.kind == EntryKind::File {
            self.pax_sparse(at)?;
        } else {
            self.size = if self.kind == EntryKind::File { stored } else { 0 };
        }
        self.offset = self.position;
        self.stored_size = self.stored;
        if let Some(sparse) = &self.sparse {
            let mut end = 0_u64;
            let mut data = 0_u64;
            for &(offset, length) in &sparse.runs {
                let next = offset
                    .checked_add(length)
                    .ok_or(damaged("its sparse map overflows"))?;
                if offset < end || next > self.size {
                    return Err(damaged("its sparse map is out of order or beyond the file"));
                }
                end = next;
                data += length;
            }
            if data > self.stored {
                return Err(damaged("its sparse map has more data than is stored"));
            }
        }
        if !named {
            self.overlong += 1;
        }
        Ok(named)
    }

    /// Path and link target of the entry, from the best source. False when one is too long. The raw name stays in `self.raw`.
    fn take_names(&mut self) -> bool {
        self.raw.clear();
        let pending = &mut self.pending;
        if let Some(name) = pending
            .sparse_name
            .take()
            .or_else(|| pending.pax_path.take())
            .or_else(|| pending.path.take())
        {
            self.raw = name;
        } else {
            let ustar = &self.block[257..263] == b"ustar\0";
            if ustar && self.block[345] != 0 {
                let star = &self.block[508..512] == b"tar\0";
                let prefix = &self.block[345..if star { 476 } else { 500 }];
                self.raw.extend_from_slice(until_nul(prefix));
                self.raw.push(b'/');
            }
            self.raw.extend_from_slice(until_nul(&self.block[..100]));
        }
        self.link.clear();
        if matches!(self.block[156], b'1' | b'2') {
            let long = pending.pax_link.take().or_else(|| pending.link.take());
            let link = long.as_deref().unwrap_or(until_nul(&self.block[157..257]));
            if link.len() > self.max_name_bytes {
                return false;
            }
            self.link.push_str(&model::path::from_bytes(link));
        }
        if self.raw.len() > self.max_name_bytes {
            return false;
        }
        if normalise_into(&self.raw, &mut self.path) {
            self.escaping += 1;
        }
        true
    }

    /// The map of an old GNU sparse header and its extensions.
    fn old_sparse(&mut self, at: u64) -> Result<(), TarError> {
        let damaged = |why| TarError::Header { at, why };
        let size = number(&self.block[483..495]).ok_or(damaged("its sparse size is no number"))?;
        let mut runs = Vec::new();
        let mut more = self.block[482] != 0;
        push_runs(&self.block[386..482], &mut runs).map_err(damaged)?;
        while more {
            if !self.read_block()? {
                return Err(TarError::Truncated { at: self.position });
            }
            push_runs(&self.block[..504], &mut runs).map_err(damaged)?;
            more = self.block[504] != 0;
        }
        self.set_sparse(runs, size);
        Ok(())
    }

    /// The map of a pax sparse file: in the records (0.0, 0.1) or before the data (1.0).
    fn pax_sparse(&mut self, at: u64) -> Result<(), TarError> {
        let damaged = |why| TarError::Header { at, why };
        let size = self.pending.sparse_size.unwrap_or(self.stored);
        let mut runs = std::mem::take(&mut self.pending.sparse_runs);
        if self.pending.sparse_major == Some(1) {
            runs.clear();
            let mut line = Vec::new();
            let mut read = 0_u64;
            let mut next = |this: &mut Self| -> Result<u64, TarError> {
                line.clear();
                loop {
                    let mut byte = [0];
                    if this.stored == 0 || this.read_content(&mut byte)? == 0 {
                        return Err(damaged("its sparse map breaks off"));
                    }
                    read += 1;
                    match byte[0] {
                        b'\n' => break,
                        digit if line.len() < 20 => line.push(digit),
                        _ => return Err(damaged("its sparse map holds no number")),
                    }
                }
                decimal(&line).ok_or(damaged("its sparse map holds no number"))
            };
            let count = next(self)?;
            if count > MAX_SPARSE_RUNS as u64 {
                return Err(damaged("its sparse map has too many parts"));
            }
            for _ in 0..count {
                let offset = next(self)?;
                let length = next(self)?;
                runs.push((offset, length));
            }
            let fill = (read.wrapping_neg() % BLOCK as u64).min(self.stored);
            self.stored -= fill;
            let skipped = self.input.skip(fill)?;
            self.position += skipped;
            if skipped < fill {
                return Err(TarError::Truncated { at: self.position });
            }
        }
        self.set_sparse(runs, size);
        Ok(())
    }

    fn set_sparse(&mut self, mut runs: Vec<(u64, u64)>, size: u64) {
        runs.retain(|&(_, length)| length > 0);
        self.size = size;
        self.sparse = Some(Sparse {
            runs,
            next: 0,
            position: 0,
        });
    }
}

/// Pairs of offset and length of an old GNU sparse header, until the first empty one.
fn push_runs(fields: &[u8], runs: &mut Vec<(u64, u64)>) -> Result<(), &'static str> {
    for pair in fields.chunks_exact(24) {
        if pair[0] == 0 {
            break;
        }
        let (offset, length) = pair.split_at(12);
        let offset = number(offset).ok_or("its sparse map holds no number")?;
        let length = number(length).ok_or("its sparse map holds no number")?;
        if runs.len() >= MAX_SPARSE_RUNS {
            return Err("its sparse map has too many parts");
        }
        runs.push((offset, length));
    }
    Ok(())
}

fn checksum_matches(block: &[u8; BLOCK]) -> bool {
    let Some(expected) = number(&block[148..156]) else {
        return false;
    };
    let field: u64 = block[148..156].iter().map(|&byte| u64::from(byte)).sum();
    let sum: u32 = block.iter().map(|&byte| u32::from(byte)).sum();
    if u64::from(sum) - field + 8 * 32 == expected {
        return true;
    }
    // Some old writers summed signed bytes.
    let signed: i64 = block
        .iter()
        .enumerate()
        .map(|(index, &byte)| {
            if (148..156).contains(&index) {
                32
            } else {
                i64::from(byte as i8)
            }
        })
        .sum();
    i64::try_from(expected) == Ok(signed)
}

/// A numeric field: octal text between blanks, or base 256 behind a high bit. Empty is 0; negative is no number.
fn number(field: &[u8]) -> Option<u64> {
    let (&first, rest) = field.split_first()?;
    if first & 0x80 != 0 {
        if first & 0x40 != 0 {
            return None;
        }
        let mut value = u64::from(first & 0x3f);
        for &byte in rest {
            if value >> 56 != 0 {
                return None;
            }
            value = value << 8 | u64::from(byte);
        }
        return Some(value);
    }
    let mut value = 0_u64;
    let mut ended = false;
    let mut begun = false;
    for &byte in field {
        match byte {
            b'0'..=b'7' if !ended => {
                begun = true;
                if value >> 61 != 0 {
                    return None;
                }
                value = value << 3 | u64::from(byte - b'0');
            }
            b' ' | 0 => ended = begun,
            // After a NUL anything may stand.
            _ if ended => break,
            _ => return None,
        }
    }
    Some(value)
}

fn decimal(text: &[u8]) -> Option<u64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

fn until_nul(bytes: &[u8]) -> &[u8] {
    match memchr::memchr(0, bytes) {
        Some(end) => &bytes[..end],
        None => bytes,
    }
}

/// Parses pax records, `length key=value` each with a line feed.
fn parse_pax(mut records: &[u8], pending: &mut Pending) -> Result<(), &'static str> {
    while !records.is_empty() {
        let blank = memchr::memchr(b' ', records).ok_or("a pax record has no length")?;
        let length = decimal(&records[..blank])
            .and_then(|length| usize::try_from(length).ok())
            .filter(|&length| length > blank + 1 && length <= records.len())
            .ok_or("a pax record's length is wrong")?;
        let (record, rest) = records.split_at(length);
        records = rest;
        let Some((b'\n', record)) = record[blank + 1..].split_last() else {
            return Err("a pax record does not end with a line feed");
        };
        let equals = memchr::memchr(b'=', record).ok_or("a pax record has no value")?;
        let (key, value) = (&record[..equals], &record[equals + 1..]);
        let text = || (!value.is_empty()).then(|| until_nul(value).to_vec());
        let count = || decimal(value).ok_or("a pax record holds no number");
        match key {
            b"path" => pending.pax_path = text(),
            b"linkpath" => pending.pax_link = text(),
            b"size" => pending.size = if value.is_empty() { None } else { Some(count()?) },
            b"GNU.sparse.name" => pending.sparse_name = text(),
            b"GNU.sparse.major" => {
                pending.sparse_major = Some(count()?);
                pending.is_sparse = true;
            }
            b"GNU.sparse.size" | b"GNU.sparse.realsize" => {
                pending.sparse_size = Some(count()?);
                pending.is_sparse = true;
            }
            b"GNU.sparse.numblocks" => pending.is_sparse = true,
            b"GNU.sparse.offset" => pending.sparse_offset = Some(count()?),
            b"GNU.sparse.numbytes" => {
                let offset = pending
                    .sparse_offset
                    .take()
                    .ok_or("a sparse part has no offset")?;
                push_run(pending, offset, count()?)?;
            }
            b"GNU.sparse.map" => {
                pending.sparse_runs.clear();
                let mut numbers = value.split(|&byte| byte == b',').filter(|text| !text.is_empty());
                while let Some(offset) = numbers.next() {
                    let offset = decimal(offset).ok_or("a sparse map holds no number")?;
                    let length = numbers
                        .next()
                        .and_then(decimal)
                        .ok_or("a sparse map holds no number")?;
                    push_run(pending, offset, length)?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn push_run(pending: &mut Pending, offset: u64, length: u64) -> Result<(), &'static str> {
    if pending.sparse_runs.len() >= MAX_SPARSE_RUNS {
        return Err("a sparse map has too many parts");
    }
    pending.is_sparse = true;
    pending.sparse_runs.push((offset, length));
    Ok(())
}

/// [`model::path::normalise`] of [`model::path::from_bytes`] into a buffer that is used again. True when the name climbs out
/// of its root.
fn normalise_into(name: &[u8], path: &mut String) -> bool {
    path.clear();
    let Ok(text) = std::str::from_utf8(name) else {
        let text = model::path::from_bytes(name);
        path.push_str(&model::path::normalise(&text));
        return model::path::escapes(&text);
    };
    let mut depth = 0_usize;
    let mut escapes = false;
    let mut rest = text;
    loop {
        let (part, after) = match memchr::memchr(b'/', rest.as_bytes()) {
            Some(slash) => (&rest[..slash], Some(&rest[slash + 1..])),
            None => (rest, None),
        };
        match part {
            "" | "." => {}
            ".." => {
                escapes |= depth == 0;
                depth = depth.saturating_sub(1);
                path.truncate(path.rfind('/').unwrap_or(0));
            }
            other => {
                if !path.is_empty() {
                    path.push('/');
                }
                path.push_str(other);
                depth += 1;
            }
        }
        match after {
            Some(after) => rest = after,
            None => return escapes,
        }
    }
}

#[cfg(test)]
mod tests;
