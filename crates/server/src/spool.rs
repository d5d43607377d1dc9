//! What could not be delivered waits on disk: a folder of segments with a cap, of which the oldest go first when it is full.
//!
//! A record is the length of its body, the number of alerts in it, a CRC-32 of all that follows, and the body. A record that is
//! torn (the program was killed, the disk was full) ends its segment. What was delivered is noted in `cursor`, so that a restart
//! goes on where the last run stopped; after a crash the last delivery may be repeated.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// The spool cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SpoolError {
    /// The folder cannot be made, listed or written.
    #[error("spool {path}: {reason}")]
    Io {
        /// The folder or file.
        path: PathBuf,
        /// What the system says.
        reason: io::Error,
    },
    /// Another process has it.
    #[error("spool {path} is in use by another process; give each destination and process its own folder")]
    Taken {
        /// The folder.
        path: PathBuf,
    },
}

const HEAD: usize = 12;
/// Longest body, whatever a damaged segment says.
const MAX_BODY: u32 = 64 * 1024 * 1024;
/// A segment is closed when it is this long, or an eighth of the cap if that is less.
const SEGMENT: u64 = 1024 * 1024;

/// Messages in order on disk.
pub(crate) struct Spool {
    folder: PathBuf,
    cap: u64,
    segments: VecDeque<Segment>,
    /// The last segment, open for appending.
    tail: Option<File>,
    /// Where the first segment is read on.
    offset: u64,
    /// The number of the next segment, which no file has.
    next: u64,
    /// Held as long as the spool is open.
    _lock: File,
    open: fn(&Path) -> io::Result<File>,
}

struct Segment {
    number: u64,
    bytes: u64,
    /// Alerts in it that were not delivered yet.
    alerts: u64,
}

/// A message that waits.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Waiting {
    pub(crate) body: Vec<u8>,
    pub(crate) alerts: u64,
}

impl Spool {
    /// Opens a folder, making it if need be, with what an earlier run left there. `cap` is in bytes.
    pub(crate) fn open(folder: &Path, cap: u64) -> Result<Self, SpoolError> {
        Self::open_with(folder, cap, |path| {
            OpenOptions::new().append(true).create_new(true).open(path)
        })
    }

    fn open_with(folder: &Path, cap: u64, open: fn(&Path) -> io::Result<File>) -> Result<Self, SpoolError> {
        let fail = |path: &Path| {
            let path = path.to_owned();
            move |reason| SpoolError::Io { path, reason }
        };
        fs::create_dir_all(folder).map_err(fail(folder))?;
        let lock_path = folder.join("lock");
        let lock = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(&lock_path)
            .map_err(fail(&lock_path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => {
                return Err(SpoolError::Taken {
                    path: folder.to_owned(),
                });
            }
            Err(fs::TryLockError::Error(reason)) => return Err(fail(&lock_path)(reason)),
        }
        let mut numbers: Vec<u64> = fs::read_dir(folder)
            .map_err(fail(folder))?
            .filter_map(|entry| {
                let name = entry.ok()?.file_name().into_string().ok()?;
                let digits = name.strip_suffix(".spool")?;
                (digits.len() == 16).then(|| digits.parse().ok()).flatten()
            })
            .collect();
        numbers.sort_unstable();
        let mut spool = Self {
            folder: folder.to_owned(),
            cap: cap.max(4096),
            segments: VecDeque::new(),
            tail: None,
            offset: 0,
            next: 1,
            _lock: lock,
            open,
        };
        let (cursor_number, cursor_offset) = spool.cursor().unwrap_or((0, 0));
        spool.next = numbers.last().copied().unwrap_or(0).max(cursor_number) + 1;
        for number in numbers {
            let path = spool.path(number);
            if number < cursor_number {
                // Delivered; the program was stopped before it could be removed.
                let _ = fs::remove_file(&path);
                continue;
            }
            let start = if number == cursor_number { cursor_offset } else { 0 };
            let Ok((bytes, alerts)) = measure(&path, start) else {
                continue;
            };
            if bytes <= start {
                let _ = fs::remove_file(&path);
                continue;
            }
            if spool.segments.is_empty() {
                spool.offset = start;
            }
            spool.segments.push_back(Segment {
                number,
                bytes,
                alerts,
            });
        }
        Ok(spool)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.segments.is_empty()
    }

    /// Bytes on disk.
    pub(crate) fn bytes(&self) -> u64 {
        self.segments.iter().map(|segment| segment.bytes).sum()
    }

    /// Alerts that wait.
    pub(crate) fn alerts(&self) -> u64 {
        self.segments.iter().map(|segment| segment.alerts).sum()
    }

    /// Appends a message. Gives how many alerts of older messages had to go for it.
    ///
    /// # Errors
    /// When it cannot be written, as on a full disk, or is larger than the cap: then it is not in the spool.
    pub(crate) fn push(&mut self, body: &[u8], alerts: u64) -> io::Result<u64> {
        let length = u32::try_from(body.len())
            .ok()
            .filter(|length| *length <= MAX_BODY)
            .ok_or_else(|| io::Error::other("the message is too large for the spool"))?;
        let size = (HEAD + body.len()) as u64;
        if size > self.cap {
            return Err(io::Error::other("the message is larger than the spool may be"));
        }
        let mut dropped = 0;
        while self.bytes() + size > self.cap {
            dropped += self.drop_first();
        }
        let mut record = Vec::with_capacity(HEAD + body.len());
        record.extend_from_slice(&length.to_le_bytes());
        record.extend_from_slice(&u32::try_from(alerts).unwrap_or(u32::MAX).to_le_bytes());
        let mut sum = crc32fast::Hasher::new();
        sum.update(&record);
        sum.update(body);
        record.extend_from_slice(&sum.finalize().to_le_bytes());
        record.extend_from_slice(body);
        self.append(&record, alerts)?;
        Ok(dropped)
    }

    fn append(&mut self, record: &[u8], alerts: u64) -> io::Result<()> {
        let full = SEGMENT.min(self.cap / 8);
        if self.segments.back().is_none_or(|last| last.bytes >= full) {
            self.tail = None;
        }
        let mut tail = match self.tail.take() {
            Some(tail) => tail,
            None => {
                let number = self.next;
                self.next += 1;
                let file = (self.open)(&self.path(number))?;
                self.segments.push_back(Segment {
                    number,
                    bytes: 0,
                    alerts: 0,
                });
                file
            }
        };
        let Some(last) = self.segments.back_mut() else {
            return Err(io::Error::other("the spool has no segment"));
        };
        if let Err(error) = tail.write_all(record) {
            // Half a record would end the segment for the reader; a new one follows in any case.
            let _ = tail.set_len(last.bytes);
            if last.bytes == 0 {
                let number = last.number;
                self.segments.pop_back();
                let _ = fs::remove_file(self.path(number));
            }
            return Err(error);
        }
        last.bytes += record.len() as u64;
        last.alerts += alerts;
        self.tail = Some(tail);
        Ok(())
    }

    /// The message that waits longest. What is damaged is dropped; `lost` grows by the alerts that were in it.
    pub(crate) fn first(&mut self, lost: &mut u64) -> Option<Waiting> {
        loop {
            let number = self.segments.front()?.number;
            match record_at(&self.path(number), self.offset) {
                Ok(Some(waiting)) => return Some(waiting),
                // A damaged or missing record: nothing after it in this segment can be found.
                Ok(None) | Err(_) => *lost += self.drop_first(),
            }
        }
    }

    /// The first message was delivered, or never will be.
    pub(crate) fn remove_first(&mut self, waiting: &Waiting) {
        let Some(first) = self.segments.front_mut() else {
            return;
        };
        self.offset += (HEAD + waiting.body.len()) as u64;
        first.alerts = first.alerts.saturating_sub(waiting.alerts);
        let (number, is_over) = (first.number, self.offset >= first.bytes);
        if is_over {
            self.drop_first();
        } else {
            self.note(number, self.offset);
        }
    }

    /// Removes the first segment; gives how many alerts were still in it.
    fn drop_first(&mut self) -> u64 {
        let Some(first) = self.segments.pop_front() else {
            return 0;
        };
        if self.segments.is_empty() {
            self.tail = None;
        }
        self.offset = 0;
        // First the note, so that a segment that was delivered is never read again.
        self.note(first.number + 1, 0);
        let _ = fs::remove_file(self.path(first.number));
        first.alerts
    }

    fn path(&self, number: u64) -> PathBuf {
        self.folder.join(format!("{number:016}.spool"))
    }

    fn note(&self, number: u64, offset: u64) {
        // On a full disk the note may fail; then a restart repeats some deliveries.
        let temporary = self.folder.join("cursor.new");
        let written = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .open(&temporary)
            .and_then(|mut file| writeln!(file, "{number} {offset}"));
        if written.is_ok() {
            let _ = fs::rename(&temporary, self.folder.join("cursor"));
        }
    }

    fn cursor(&self) -> Option<(u64, u64)> {
        let mut text = String::new();
        open_for_reading(&self.folder.join("cursor"))
            .ok()?
            .take(64)
            .read_to_string(&mut text)
            .ok()?;
        let (number, offset) = text.trim().split_once(' ')?;
        Some((number.parse().ok()?, offset.parse().ok()?))
    }
}

#[allow(
    clippy::disallowed_methods,
    reason = "the spool's own files, with a cap on each record"
)]
fn open_for_reading(path: &Path) -> io::Result<File> {
    File::open(path)
}

/// How long the usable part of a segment is, and how many alerts it has from an offset on.
fn measure(path: &Path, start: u64) -> io::Result<(u64, u64)> {
    let mut alerts = 0;
    let mut offset = start;
    while let Some(waiting) = record_at(path, offset)? {
        alerts += waiting.alerts;
        offset += (HEAD + waiting.body.len()) as u64;
    }
    Ok((offset, alerts))
}

/// The record at an offset; `None` at the end and for what is damaged.
fn record_at(path: &Path, offset: u64) -> io::Result<Option<Waiting>> {
    let mut file = open_for_reading(path)?;
    file.seek(SeekFrom::Start(offset))?;
    let mut head = [0; HEAD];
    if file.read_exact(&mut head).is_err() {
        return Ok(None);
    }
    let word = |at: usize| {
        let mut bytes = [0; 4];
        bytes.copy_from_slice(head.get(at..at + 4).unwrap_or(&[0; 4]));
        u32::from_le_bytes(bytes)
    };
    let (length, alerts, expected) = (word(0), word(4), word(8));
    if length > MAX_BODY {
        return Ok(None);
    }
    let mut body = Vec::new();
    file.take(u64::from(length)).read_to_end(&mut body)?;
    let mut sum = crc32fast::Hasher::new();
    sum.update(head.get(..8).unwrap_or_default());
    sum.update(&body);
    if body.len() as u64 != u64::from(length) || sum.finalize() != expected {
        return Ok(None);
    }
    Ok(Some(Waiting {
        body,
        alerts: u64::from(alerts),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drain(spool: &mut Spool) -> Vec<String> {
        let mut lost = 0;
        let mut all = Vec::new();
        while let Some(waiting) = spool.first(&mut lost) {
            all.push(String::from_utf8(waiting.body.clone()).expect("UTF-8"));
            spool.remove_first(&waiting);
        }
        all
    }

    fn segments(folder: &Path) -> Vec<PathBuf> {
        let mut paths: Vec<PathBuf> = fs::read_dir(folder)
            .expect("folder")
            .map(|entry| entry.expect("entry").path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "spool"))
            .collect();
        paths.sort();
        paths
    }

    #[test]
    fn order_is_kept_over_restarts() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("deep/spool");
        let mut spool = Spool::open(&path, 1 << 20).expect("spool");
        for index in 0..10 {
            assert_eq!(
                spool
                    .push(format!("message {index}").as_bytes(), 2)
                    .expect("written"),
                0
            );
        }
        let mut lost = 0;
        for _ in 0..3 {
            let waiting = spool.first(&mut lost).expect("waiting");
            spool.remove_first(&waiting);
        }
        assert_eq!(spool.alerts(), 14);
        assert!(matches!(
            Spool::open(&path, 1 << 20),
            Err(SpoolError::Taken { .. })
        ));
        drop(spool);
        let mut spool = Spool::open(&path, 1 << 20).expect("spool");
        assert_eq!(spool.alerts(), 14);
        spool.push(b"message 10", 1).expect("written");
        let expected: Vec<String> = (3..=10).map(|index| format!("message {index}")).collect();
        assert_eq!(drain(&mut spool), expected);
        assert!(spool.is_empty() && spool.bytes() == 0);
        drop(spool);
        let mut spool = Spool::open(&path, 1 << 20).expect("spool");
        assert!(spool.is_empty());
        spool.push(b"again", 1).expect("written");
        drop(spool);
        let mut spool = Spool::open(&path, 1 << 20).expect("spool");
        assert_eq!(drain(&mut spool), ["again"]);
        assert_eq!(lost, 0);
    }

    #[test]
    fn the_oldest_go_when_it_is_full() {
        let folder = tempfile::tempdir().expect("folder");
        let mut spool = Spool::open(folder.path(), 16 * 1024).expect("spool");
        let mut dropped = 0;
        for index in 0..100 {
            dropped += spool
                .push(format!("{index:1000}").as_bytes(), 3)
                .expect("written");
            assert!(spool.bytes() <= 16 * 1024);
        }
        let left = drain(&mut spool);
        assert_eq!(dropped + left.len() as u64 * 3, 300);
        assert_eq!(
            left.last().map(|text| text.trim().to_owned()),
            Some("99".to_owned())
        );
        assert!(left.len() >= 12, "{}", left.len());
        assert!(spool.push(&vec![0; 17 * 1024], 1).is_err());
    }

    #[test]
    fn torn_and_damaged_records_end_a_segment_only() {
        let folder = tempfile::tempdir().expect("folder");
        let mut spool = Spool::open(folder.path(), 1 << 20).expect("spool");
        for index in 0..4 {
            spool
                .push(format!("first {index}").as_bytes(), 1)
                .expect("written");
        }
        drop(spool);
        // Torn at the end, as by a kill.
        let first = segments(folder.path()).remove(0);
        let length = fs::metadata(&first).expect("segment").len();
        OpenOptions::new()
            .write(true)
            .open(&first)
            .and_then(|file| file.set_len(length - 3))
            .expect("cut");
        let mut spool = Spool::open(folder.path(), 1 << 20).expect("spool");
        assert_eq!(spool.alerts(), 3);
        // A new segment is begun after a restart, so the torn one is not written on.
        spool.push(b"second 0", 1).expect("written");
        assert_eq!(segments(folder.path()).len(), 2);
        assert_eq!(drain(&mut spool), ["first 0", "first 1", "first 2", "second 0"]);
        // Damaged while it is open.
        for index in 0..3 {
            spool
                .push(format!("third {index}").as_bytes(), 5)
                .expect("written");
        }
        let third = segments(folder.path()).remove(0);
        let mut file = OpenOptions::new().write(true).open(third).expect("segment");
        file.seek(SeekFrom::Start((HEAD + 7) as u64 + 2)).expect("inside");
        file.write_all(&[0xff; 4]).expect("damaged");
        let mut lost = 0;
        let waiting = spool.first(&mut lost).expect("the first is whole");
        spool.remove_first(&waiting);
        assert_eq!(spool.first(&mut lost), None);
        assert_eq!(lost, 10);
        assert!(spool.is_empty());
    }

    #[test]
    fn a_full_disk_is_an_error_and_no_end() {
        let folder = tempfile::tempdir().expect("folder");
        let full = |_: &Path| OpenOptions::new().append(true).open("/dev/full");
        let mut spool = Spool::open_with(folder.path(), 1 << 20, full).expect("spool");
        let error = spool.push(b"message", 1).expect_err("no space");
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        assert!(spool.is_empty() && spool.alerts() == 0);
        spool.open = |path| OpenOptions::new().append(true).create_new(true).open(path);
        spool.push(b"message", 1).expect("there is space again");
        assert_eq!(drain(&mut spool), ["message"]);
    }
}
