//! Archives inside files: zip, tar, zlib, gzip and zstd behind caps that hold for everything below one top-level file.
//!
//! Zip archives are read by their central directory, as Java and Python read them: prefixes (self-extracting archives,
//! executable jars), zip64 and data descriptors make no difference.

use crate::content::Spooled;
use crate::decompress::{MAX_ZSTD_WINDOW_LOG, capped};
use crate::deflate::{self, Block, ReadAhead, Step};
use crate::error::ArtifactError;
use crate::files;
use crate::gunzip::Gunzip;
use crate::options::Limits;
use crate::tar::{Stream, TarReader};
use model::{Archives, Content, EntryKind, MemoryContent, ReadSeek, ZipMember, ZipVisitor};
use std::io::{self, Read, SeekFrom, Write};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

const END_SIGNATURE: &[u8; 4] = b"PK\x05\x06";
const END_BYTES: usize = 22;
const ZIP64_LOCATOR_SIGNATURE: &[u8; 4] = b"PK\x06\x07";
const ZIP64_LOCATOR_BYTES: usize = 20;
const ZIP64_END_SIGNATURE: &[u8; 4] = b"PK\x06\x06";
const ENTRY_SIGNATURE: &[u8; 4] = b"PK\x01\x02";
const ENTRY_BYTES: usize = 46;
const LOCAL_SIGNATURE: &[u8; 4] = b"PK\x03\x04";
const LOCAL_BYTES: usize = 30;
/// A comment behind the end record is at most this long.
const MAX_COMMENT: usize = 65_535;
/// Bytes of the central directory read at once; one record is at most 46 bytes and three times 65,535.
const DIRECTORY_CHUNK: usize = 256 * 1024;
/// Bytes that are inflated or read at once.
const BLOCK_BYTES: usize = 64 * 1024;
/// Messages about single members that are told one by one.
const MAX_LISTED: usize = 5;

/// The only implementation of [`Archives`]: limited in bytes, members, ratio and depth.
///
/// The caps hold for all that is inflated below one top-level file. Make one for each such file; when one is used again, the
/// count starts anew with each archive that is opened while no other is.
#[derive(Debug, Default)]
pub struct Limited {
    limits: Limits,
    depth: AtomicUsize,
    /// Bytes of the top-level archive.
    top: AtomicU64,
    bytes: AtomicU64,
    members: AtomicU64,
    spare: Mutex<Vec<Inflater>>,
}

impl Limited {
    /// With caps of one's own.
    #[must_use]
    pub fn new(limits: &Limits) -> Self {
        Self {
            limits: limits.clone(),
            ..Self::default()
        }
    }

    fn enter(&self, size: u64) -> Result<Entered<'_>, String> {
        let depth = self.depth.fetch_add(1, Ordering::Relaxed);
        let entered = Entered(self);
        if depth == 0 {
            self.top.store(size, Ordering::Relaxed);
            self.bytes.store(0, Ordering::Relaxed);
            self.members.store(0, Ordering::Relaxed);
        }
        if depth >= self.limits.max_archive_depth {
            return Err(format!(
                "archives are nested more than {} deep, and those below were not read",
                self.limits.max_archive_depth
            ));
        }
        Ok(entered)
    }

    /// Counts inflated bytes.
    fn charge(&self, count: usize) -> Result<(), String> {
        let bytes = self.bytes.fetch_add(count as u64, Ordering::Relaxed) + count as u64;
        let limits = &self.limits;
        if bytes > limits.max_archive_bytes {
            return Err(format!(
                "more than the limit of {} bytes come out of the archive",
                limits.max_archive_bytes
            ));
        }
        let top = self.top.load(Ordering::Relaxed);
        if bytes > limits.ratio_free_bytes && bytes / limits.max_ratio.max(1) > top {
            return Err(format!(
                "{bytes} bytes came out of an archive of {top}, more than the limit of {} times: a decompression bomb",
                limits.max_ratio
            ));
        }
        Ok(())
    }
}

/// An archive that is being visited.
struct Entered<'a>(&'a Limited);

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        self.0.depth.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Archives for Limited {
    fn zip(&self, archive: &mut dyn Content, visitor: &mut dyn ZipVisitor) -> Result<(), String> {
        let size = archive.size();
        let _entered = self.enter(size)?;
        let mut reader = archive.reader().map_err(|error| error.to_string())?;
        let mut inflater = self
            .spare
            .lock()
            .ok()
            .and_then(|mut spare| spare.pop())
            .unwrap_or_default();
        let mut refused = Refused::default();
        let result = walk(&mut *reader, size, &mut |reader, record| {
            let members = self.members.fetch_add(1, Ordering::Relaxed) + 1;
            if members > self.limits.max_archive_members {
                return Err(format!(
                    "the archive has more members than the limit of {}",
                    self.limits.max_archive_members
                ));
            }
            let name = record.name();
            let member = ZipMember {
                name: &name,
                size: record.size,
            };
            if name.is_empty() || record.is_folder() || !visitor.wants(&member) {
                return Ok(());
            }
            self.take_member(reader, record, &member, &mut inflater, visitor, &mut refused)
        });
        if let Ok(mut spare) = self.spare.lock() {
            spare.push(inflater);
        }
        result.and_then(|()| refused.result())
    }

    fn zlib(&self, compressed: &[u8], limit: usize) -> Result<Vec<u8>, String> {
        whole(deflate::zlib(compressed, limit), limit, "zlib")
    }

    fn gzip(&self, compressed: &[u8], limit: usize) -> Result<Vec<u8>, String> {
        inflate_whole(Gunzip::new(compressed), limit, "gzip")
    }

    fn zstd(&self, compressed: &[u8], limit: usize) -> Result<Vec<u8>, String> {
        let decoder = zstd::stream::read::Decoder::with_buffer(compressed).and_then(|mut decoder| {
            decoder.window_log_max(MAX_ZSTD_WINDOW_LOG)?;
            Ok(decoder)
        });
        match decoder {
            Ok(decoder) => inflate_whole(decoder, limit, "zstd"),
            Err(error) => Err(format!("the zstd stream could not be opened: {error}")),
        }
    }

    fn tar_member(&self, archive: &[u8], name: &str, limit: usize) -> Result<Option<Vec<u8>>, String> {
        let limits = Limits {
            max_layer_bytes: self.limits.max_archive_bytes,
            ..self.limits.clone()
        };
        let told = |error: io::Error| format!("the tar could not be read: {error}");
        let (_, stream) = capped(archive, &limits).map_err(told)?;
        let stream = Stream(io::BufReader::with_capacity(BLOCK_BYTES, stream));
        let mut tar = TarReader::new(stream, limits.max_name_bytes);
        let mut members = 0;
        while tar
            .advance()
            .map_err(|error| format!("the tar is damaged: {error}"))?
        {
            members += 1;
            if members > limits.max_archive_members {
                return Err(format!(
                    "the archive has more members than the limit of {}",
                    limits.max_archive_members
                ));
            }
            let entry = tar.entry();
            if entry.kind != EntryKind::File || entry.path != name {
                continue;
            }
            if entry.size > limit as u64 {
                return Err(format!(
                    "`{name}` has {} bytes, more than the limit of {limit}",
                    entry.size
                ));
            }
            let mut bytes = Vec::new();
            let mut buffer = [0; 16 * 1024];
            loop {
                let count = tar
                    .read_content(&mut buffer)
                    .map_err(|error| format!("the tar is damaged: {error}"))?;
                if count == 0 {
                    return Ok(Some(bytes));
                }
                bytes.extend_from_slice(buffer.get(..count).unwrap_or_default());
            }
        }
        Ok(None)
    }
}

impl Limited {
    /// Inflates a wanted member and hands it over. Only what concerns the whole archive is an error.
    fn take_member(
        &self,
        reader: &mut dyn ReadSeek,
        record: &Record,
        member: &ZipMember<'_>,
        inflater: &mut Inflater,
        visitor: &mut dyn ZipVisitor,
        refused: &mut Refused,
    ) -> Result<(), String> {
        if record.size > self.limits.max_member_bytes {
            refused.add(
                member.name,
                &format!(
                    "it has {} bytes, more than the limit of {}",
                    record.size, self.limits.max_member_bytes
                ),
            );
            return Ok(());
        }
        let mut source = match MemberReader::open(reader, record, inflater) {
            Ok(source) => source,
            Err(message) => {
                refused.add(member.name, &message);
                return Ok(());
            }
        };
        let memory = usize::try_from(self.limits.memory_file_bytes).unwrap_or(usize::MAX);
        let room = usize::try_from(record.size).unwrap_or(memory).min(memory);
        let mut bytes = Vec::with_capacity(room);
        let mut spool = None;
        let mut total = 0_u64;
        let mut buffer = [0; 16 * 1024];
        loop {
            let count = match source.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) => {
                    refused.add(member.name, &error.to_string());
                    return Ok(());
                }
            };
            self.charge(count)?;
            total += count as u64;
            if total > self.limits.max_member_bytes {
                let message = format!(
                    "it has more bytes than the limit of {}",
                    self.limits.max_member_bytes
                );
                refused.add(member.name, &message);
                return Ok(());
            }
            let part = buffer.get(..count).unwrap_or_default();
            let written = match &mut spool {
                None if bytes.len() + count <= memory => {
                    bytes.extend_from_slice(part);
                    Ok(())
                }
                None => files::spool().and_then(|mut file| {
                    file.write_all(&bytes)?;
                    file.write_all(part)?;
                    spool = Some(file);
                    Ok(())
                }),
                Some(file) => file.write_all(part),
            };
            if let Err(error) = written {
                refused.add(
                    member.name,
                    &format!("its temporary file could not be written: {error}"),
                );
                return Ok(());
            }
        }
        if let Err(message) = source.verify() {
            // Class loaders read such members all the same: they are shown, and the damage is told.
            refused.add(member.name, &message);
        }
        match spool {
            Some(file) => visitor.file(member, &mut Spooled::new(file, total)),
            None => visitor.file(member, &mut MemoryContent(bytes)),
        }
        Ok(())
    }
}

/// What is wrong with single members.
#[derive(Default)]
struct Refused {
    messages: Vec<String>,
    count: usize,
}

impl Refused {
    fn add(&mut self, name: &str, message: &str) {
        self.count += 1;
        if self.messages.len() < MAX_LISTED {
            let name = model::path::printable(name);
            self.messages.push(format!("member `{name}`: {message}"));
        }
    }

    fn result(self) -> Result<(), String> {
        if self.count == 0 {
            return Ok(());
        }
        let mut text = self.messages.join("; ");
        if self.count > self.messages.len() {
            text.push_str(&format!("; and {} more", self.count - self.messages.len()));
        }
        Err(text)
    }
}

fn inflate_whole(reader: impl Read, limit: usize, format: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let read = reader.take(limit as u64 + 1).read_to_end(&mut bytes);
    whole(read.map(|_| bytes), limit, format)
}

/// A stream's content unless it is damaged or longer than `limit`.
fn whole(inflated: io::Result<Vec<u8>>, limit: usize, format: &str) -> Result<Vec<u8>, String> {
    let bytes = inflated.map_err(|error| format!("the {format} stream is damaged: {error}"))?;
    if bytes.len() > limit {
        return Err(format!(
            "the {format} stream holds more than the limit of {limit} bytes"
        ));
    }
    Ok(bytes)
}

/// Caps for [`for_each_zip_member`].
#[derive(Clone, Debug)]
pub struct ZipLimits {
    /// Members of the archive.
    pub max_members: u64,
    /// Inflated bytes of one member.
    pub max_member_bytes: u64,
    /// Inflated bytes of all members.
    pub max_total_bytes: u64,
}

impl Default for ZipLimits {
    fn default() -> Self {
        Self {
            max_members: 4_000_000,
            max_member_bytes: 256 << 20,
            max_total_bytes: 256 << 30,
        }
    }
}

/// Streams over the members of a zip file in the order of its central directory: archives of hundreds of thousands of
/// advisories are read in constant memory. A member that the caller does not read to its end is not inflated further.
///
/// # Errors
/// When the archive cannot be read, is damaged or hits a cap; what was visited before stays valid.
pub fn for_each_zip_member(
    path: &Path,
    limits: &ZipLimits,
    visit: &mut dyn FnMut(&str, &mut dyn Read),
) -> Result<(), ArtifactError> {
    let mut file = files::open(path)?;
    for_each_member_of(&mut file, limits, visit)
        .map_err(|why| ArtifactError::invalid(files::named(path), why))
}

/// As [`for_each_zip_member`], over any reader.
///
/// # Errors
/// A message that says what is wrong with the archive.
pub fn for_each_member_of(
    reader: &mut dyn ReadSeek,
    limits: &ZipLimits,
    visit: &mut dyn FnMut(&str, &mut dyn Read),
) -> Result<(), String> {
    let size = reader.seek(SeekFrom::End(0)).map_err(|error| error.to_string())?;
    let mut inflater = Inflater::default();
    let mut refused = Refused::default();
    let mut members = 0;
    let mut total = 0;
    walk(reader, size, &mut |reader, record| {
        members += 1;
        if members > limits.max_members {
            return Err(format!(
                "the archive has more members than the limit of {}",
                limits.max_members
            ));
        }
        if record.is_folder() {
            return Ok(());
        }
        let name = record.name();
        match MemberReader::open(reader, record, &mut inflater) {
            Ok(source) => {
                let mut capped = CappedMember {
                    source,
                    left: limits.max_member_bytes,
                    count: 0,
                    failed: None,
                };
                visit(&name, &mut capped);
                total += capped.count;
                if let Some(message) = capped.failed {
                    refused.add(&name, &message);
                }
            }
            Err(message) => refused.add(&name, &message),
        }
        if total > limits.max_total_bytes {
            return Err(format!(
                "more than the limit of {} bytes come out of the archive",
                limits.max_total_bytes
            ));
        }
        Ok(())
    })?;
    refused.result()
}

/// A member that is read no further than a cap, and whose damage is remembered.
struct CappedMember<'a> {
    source: MemberReader<'a>,
    left: u64,
    count: u64,
    failed: Option<String>,
}

impl Read for CappedMember<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let outcome = self.source.read(buffer).and_then(|count| {
            self.count += count as u64;
            self.left = self
                .left
                .checked_sub(count as u64)
                .ok_or_else(|| io::Error::other("it has more bytes than the limit"))?;
            if count == 0 && !buffer.is_empty() {
                self.source.verify().map_err(io::Error::other)?;
            }
            Ok(count)
        });
        if let Err(error) = &outcome {
            self.failed = Some(error.to_string());
        }
        outcome
    }
}

/// One record of the central directory.
struct Record {
    raw_name: Vec<u8>,
    flags: u16,
    method: u16,
    crc: u32,
    compressed: u64,
    size: u64,
    /// Where the local header is, in the file.
    offset: u64,
}

impl Record {
    fn name(&self) -> String {
        model::path::normalise(&model::path::from_bytes(&self.raw_name))
    }

    fn is_folder(&self) -> bool {
        self.raw_name.last() == Some(&b'/')
    }
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    bytes
        .get(at..at + 2)
        .and_then(|part| part.try_into().ok())
        .map_or(0, u16::from_le_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes
        .get(at..at + 4)
        .and_then(|part| part.try_into().ok())
        .map_or(0, u32::from_le_bytes)
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes
        .get(at..at + 8)
        .and_then(|part| part.try_into().ok())
        .map_or(0, u64::from_le_bytes)
}

fn read_at(reader: &mut dyn ReadSeek, offset: u64, buffer: &mut [u8]) -> Result<(), String> {
    reader
        .seek(SeekFrom::Start(offset))
        .and_then(|_| reader.read_exact(buffer))
        .map_err(|error| format!("the archive cannot be read at byte {offset}: {error}"))
}

/// Where the central directory is.
struct Directory {
    start: u64,
    size: u64,
    /// Bytes in front of the archive proper, which its offsets do not count.
    shift: u64,
}

fn find_directory(reader: &mut dyn ReadSeek, size: u64) -> Result<Directory, String> {
    let window = size.min((END_BYTES + MAX_COMMENT + ZIP64_LOCATOR_BYTES) as u64);
    let base = size - window;
    let mut tail = vec![0; usize::try_from(window).unwrap_or_default()];
    read_at(reader, base, &mut tail)?;
    // The last end record whose comment fits into the file.
    let end = memchr::memmem::rfind_iter(&tail, END_SIGNATURE)
        .find(|&at| at + END_BYTES + usize::from(u16_at(&tail, at + 20)) <= tail.len())
        .filter(|&at| at + END_BYTES <= tail.len())
        .ok_or("it is no zip archive, or breaks off: there is no end of a central directory")?;
    let record = tail.get(end..).unwrap_or_default();
    let mut entries = u64::from(u16_at(record, 10));
    let mut directory_size = u64::from(u32_at(record, 12));
    let mut offset = u64::from(u32_at(record, 16));
    let mut directory_end = base + end as u64;
    let locator = end
        .checked_sub(ZIP64_LOCATOR_BYTES)
        .and_then(|at| tail.get(at..end))
        .filter(|locator| locator.starts_with(ZIP64_LOCATOR_SIGNATURE));
    let wants_zip64 = entries == 0xffff || directory_size == 0xffff_ffff || offset == 0xffff_ffff;
    if let (Some(locator), true) = (locator, wants_zip64) {
        let named = u64_at(locator, 8);
        // With a prefix the record is not where the locator says but right before it.
        let before = (base + end as u64).saturating_sub((ZIP64_LOCATOR_BYTES + 56) as u64);
        let mut end64 = [0; 56];
        let mut at = named;
        if read_at(reader, at, &mut end64).is_err() || !end64.starts_with(ZIP64_END_SIGNATURE) {
            at = before;
            read_at(reader, at, &mut end64)?;
        }
        if !end64.starts_with(ZIP64_END_SIGNATURE) {
            return Err("its zip64 end record is not where it should be".to_owned());
        }
        entries = u64_at(&end64, 32);
        directory_size = u64_at(&end64, 40);
        offset = u64_at(&end64, 48);
        directory_end = at;
    }
    if entries == 0 && directory_size == 0 {
        return Ok(Directory {
            start: 0,
            size: 0,
            shift: 0,
        });
    }
    let start = directory_end
        .checked_sub(directory_size)
        .ok_or("its central directory is larger than the file")?;
    let shift = start
        .checked_sub(offset)
        .ok_or("its central directory is not where it should be")?;
    Ok(Directory {
        start,
        size: directory_size,
        shift,
    })
}

/// Walks the central directory in constant memory.
fn walk(
    reader: &mut dyn ReadSeek,
    size: u64,
    visit: &mut dyn FnMut(&mut dyn ReadSeek, &Record) -> Result<(), String>,
) -> Result<(), String> {
    let directory = find_directory(reader, size)?;
    let mut position = directory.start;
    let end = directory.start.saturating_add(directory.size).min(size);
    let mut chunk: Vec<u8> = Vec::new();
    let mut used = 0;
    let mut record = Record {
        raw_name: Vec::new(),
        flags: 0,
        method: 0,
        crc: 0,
        compressed: 0,
        size: 0,
        offset: 0,
    };
    loop {
        let mut rest = chunk.get(used..).unwrap_or_default();
        let mut parsed = parse_record(rest, &directory, &mut record)?;
        if parsed.is_none() && position < end {
            let kept = rest.len();
            chunk.drain(..used);
            used = 0;
            let more = usize::try_from(end - position)
                .unwrap_or(usize::MAX)
                .min(DIRECTORY_CHUNK);
            chunk.resize(kept + more, 0);
            read_at(reader, position, chunk.get_mut(kept..).unwrap_or_default())?;
            position += more as u64;
            rest = chunk.get(used..).unwrap_or_default();
            parsed = parse_record(rest, &directory, &mut record)?;
        }
        match parsed {
            Some(length) => used += length,
            None if rest.is_empty() => return Ok(()),
            None => return Err("its central directory breaks off".to_owned()),
        }
        visit(reader, &record)?;
    }
}

/// Parses one record; its length, or `None` when the bytes end before it.
fn parse_record(bytes: &[u8], directory: &Directory, record: &mut Record) -> Result<Option<usize>, String> {
    let Some(head) = bytes.get(..ENTRY_BYTES) else {
        return Ok(None);
    };
    if !head.starts_with(ENTRY_SIGNATURE) {
        return Err("its central directory is damaged".to_owned());
    }
    let name_length = usize::from(u16_at(head, 28));
    let extra_length = usize::from(u16_at(head, 30));
    let comment_length = usize::from(u16_at(head, 32));
    let length = ENTRY_BYTES + name_length + extra_length + comment_length;
    let Some(whole) = bytes.get(..length) else {
        return Ok(None);
    };
    let (name, rest) = whole.get(ENTRY_BYTES..).unwrap_or_default().split_at(name_length);
    record.raw_name.clear();
    record.raw_name.extend_from_slice(name);
    record.flags = u16_at(head, 8);
    record.method = u16_at(head, 10);
    record.crc = u32_at(head, 16);
    record.compressed = u64::from(u32_at(head, 20));
    record.size = u64::from(u32_at(head, 24));
    let mut offset = u64::from(u32_at(head, 42));
    let mut extra = rest.get(..extra_length).unwrap_or_default();
    while extra.len() >= 4 {
        let (kind, length) = (u16_at(extra, 0), usize::from(u16_at(extra, 2)));
        let Some(mut field) = extra.get(4..4 + length) else {
            break;
        };
        extra = extra.get(4 + length..).unwrap_or_default();
        if kind != 1 {
            continue;
        }
        // Zip64: only what does not fit above is here, in this order.
        for value in [&mut record.size, &mut record.compressed, &mut offset] {
            if *value == 0xffff_ffff && field.len() >= 8 {
                *value = u64_at(field, 0);
                field = field.get(8..).unwrap_or_default();
            }
        }
    }
    record.offset = offset.saturating_add(directory.shift);
    Ok(Some(length))
}

/// Inflates; its buffers serve one member after the other.
struct Inflater {
    state: deflate::Inflater,
    input: ReadAhead,
    block: Block,
}

impl Default for Inflater {
    fn default() -> Self {
        Self {
            state: deflate::Inflater::new(),
            input: ReadAhead::default(),
            block: Block::default(),
        }
    }
}

impl std::fmt::Debug for Inflater {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Inflater")
    }
}

/// One member's content, inflated as it is read.
struct MemberReader<'a> {
    source: &'a mut dyn ReadSeek,
    inflater: &'a mut Inflater,
    /// Compressed bytes not read yet.
    left: u64,
    deflated: bool,
    done: bool,
    crc: crc32fast::Hasher,
    expected_crc: u32,
}

impl<'a> MemberReader<'a> {
    fn open(
        source: &'a mut dyn ReadSeek,
        record: &Record,
        inflater: &'a mut Inflater,
    ) -> Result<Self, String> {
        if record.flags & 1 != 0 {
            return Err("it is encrypted and was not read".to_owned());
        }
        let deflated = match record.method {
            0 => false,
            8 => true,
            other => return Err(format!("it is compressed by method {other}, which is not read")),
        };
        let mut local = [0; LOCAL_BYTES];
        read_at(source, record.offset, &mut local)?;
        if !local.starts_with(LOCAL_SIGNATURE) {
            return Err("its local header is not where it should be".to_owned());
        }
        let skip = i64::from(u16_at(&local, 26)) + i64::from(u16_at(&local, 28));
        source
            .seek(SeekFrom::Current(skip))
            .map_err(|error| error.to_string())?;
        inflater.input.clear();
        inflater.block.clear();
        inflater.state.reset(&inflater.block);
        Ok(Self {
            source,
            inflater,
            left: record.compressed,
            deflated,
            done: false,
            crc: crc32fast::Hasher::new(),
            expected_crc: record.crc,
        })
    }

    /// Compares the checksum, after everything was read.
    fn verify(&self) -> Result<(), String> {
        if self.crc.clone().finalize() == self.expected_crc {
            Ok(())
        } else {
            Err("its checksum is wrong".to_owned())
        }
    }

    fn read_inflated(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.inflater.block.is_empty() && !self.done {
            self.inflate_block()?;
        }
        let part = self.inflater.block.as_slice();
        let count = part.len().min(buffer.len());
        buffer[..count].copy_from_slice(&part[..count]);
        self.inflater.block.consume(count);
        Ok(count)
    }

    fn inflate_block(&mut self) -> io::Result<()> {
        let Inflater { state, input, block } = &mut *self.inflater;
        state.begin(block, BLOCK_BYTES);
        loop {
            let step = state.step(input, block);
            match step
                .map_err(|damage| io::Error::other(format!("its deflate stream is damaged: {damage}")))?
            {
                Step::NeedsInput => {
                    let mut source = Read::take(&mut *self.source, self.left);
                    if !input.read_on(&mut source)? {
                        return Err(io::Error::other("its deflate stream breaks off"));
                    }
                    self.left = source.limit();
                }
                Step::BlockFull => break,
                Step::Ended => {
                    self.done = true;
                    break;
                }
            }
        }
        state.finish(block);
        Ok(())
    }

    fn read_stored(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let room = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        if room == 0 {
            return Ok(0);
        }
        let count = self.source.read(buffer.get_mut(..room).unwrap_or_default())?;
        if count == 0 {
            return Err(io::Error::other("the archive breaks off inside it"));
        }
        self.left -= count as u64;
        Ok(count)
    }
}

impl Read for MemberReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = if self.deflated {
            self.read_inflated(buffer)?
        } else {
            self.read_stored(buffer)?
        };
        self.crc.update(buffer.get(..count).unwrap_or_default());
        Ok(count)
    }
}
