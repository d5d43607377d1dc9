//! How a file's content is held between the walk and its reader: in memory, spooled, or still on the disk.

use crate::files;
use model::{Content, ContentError, MemoryContent, ReadSeek};
use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How many bytes contents may take in memory at once; clones share the count.
#[derive(Clone, Debug)]
pub struct HeldBytes {
    most: u64,
    used: Arc<AtomicU64>,
}

impl HeldBytes {
    /// Room for so many bytes.
    #[must_use]
    pub fn new(most: u64) -> Self {
        Self {
            most,
            used: Arc::default(),
        }
    }

    /// Takes room for a content; `None` when there is too little.
    pub(crate) fn take(&self, bytes: u64) -> Option<HeldRoom> {
        let fits = |used: u64| used.checked_add(bytes).filter(|&used| used <= self.most);
        let taken = self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits);
        taken.ok().map(|_| HeldRoom {
            used: Arc::clone(&self.used),
            bytes,
        })
    }
}

/// Room that a content takes, given back when it is dropped.
pub(crate) struct HeldRoom {
    used: Arc<AtomicU64>,
    bytes: u64,
}

impl Drop for HeldRoom {
    fn drop(&mut self) {
        self.used.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// A larger file that is held in memory.
pub(crate) struct Held {
    // Dropped before the room is given back.
    content: MemoryContent,
    _room: HeldRoom,
}

impl Held {
    pub(crate) fn new(bytes: Vec<u8>, room: HeldRoom) -> Self {
        Self {
            content: MemoryContent(bytes),
            _room: room,
        }
    }
}

impl Content for Held {
    fn size(&self) -> u64 {
        self.content.size()
    }

    fn bytes(&mut self, limit: u64) -> Result<Cow<'_, [u8]>, ContentError> {
        self.content.bytes(limit)
    }

    fn reader(&mut self) -> Result<Box<dyn ReadSeek + '_>, ContentError> {
        self.content.reader()
    }
}

/// A file that was too large for memory, in an unlinked temporary file.
pub(crate) struct Spooled {
    file: File,
    size: u64,
}

impl Spooled {
    pub(crate) fn new(file: File, size: u64) -> Self {
        Self { file, size }
    }
}

impl Content for Spooled {
    fn size(&self) -> u64 {
        self.size
    }

    fn bytes(&mut self, limit: u64) -> Result<Cow<'_, [u8]>, ContentError> {
        let mut reader = checked(self.size, limit).map(|()| &self.file)?;
        reader.seek(SeekFrom::Start(0))?;
        read_exactly(&mut reader, self.size).map(Cow::Owned)
    }

    fn reader(&mut self) -> Result<Box<dyn ReadSeek + '_>, ContentError> {
        let mut reader = &self.file;
        reader.seek(SeekFrom::Start(0))?;
        Ok(Box::new(reader))
    }
}

/// A file of a folder target, opened when it is read.
pub(crate) struct OnDisk {
    root: Arc<files::Root>,
    path: PathBuf,
    size: u64,
}

impl OnDisk {
    /// `path` is relative to the root. `size` is what the walk saw.
    pub(crate) fn new(root: Arc<files::Root>, path: PathBuf, size: u64) -> Self {
        Self { root, path, size }
    }

    /// Opens the file without following links and checks that it is the one that was seen.
    fn open(&self) -> Result<File, ContentError> {
        let file = self.root.open(&self.path)?;
        let size = file.metadata()?.len();
        if size == self.size {
            Ok(file)
        } else {
            let message = format!(
                "the file had {} bytes and has {size} now: it changed while it was scanned",
                self.size
            );
            Err(ContentError::Io(io::Error::other(message)))
        }
    }
}

impl Content for OnDisk {
    fn size(&self) -> u64 {
        self.size
    }

    fn bytes(&mut self, limit: u64) -> Result<Cow<'_, [u8]>, ContentError> {
        checked(self.size, limit)?;
        read_exactly(&mut self.open()?, self.size).map(Cow::Owned)
    }

    fn reader(&mut self) -> Result<Box<dyn ReadSeek + '_>, ContentError> {
        Ok(Box::new(self.open()?))
    }
}

fn checked(size: u64, limit: u64) -> Result<(), ContentError> {
    if size > limit {
        Err(ContentError::TooLarge { size, limit })
    } else {
        Ok(())
    }
}

/// Reads `size` bytes; the size is known to be true, so that the room may be taken at once.
fn read_exactly(reader: &mut impl Read, size: u64) -> Result<Vec<u8>, ContentError> {
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
    reader.take(size).read_to_end(&mut bytes)?;
    if bytes.len() as u64 == size {
        Ok(bytes)
    } else {
        Err(ContentError::Io(io::ErrorKind::UnexpectedEof.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_shared_and_given_back() {
        let all = HeldBytes::new(10);
        let first = all.take(6).map(|room| Held::new(vec![1; 6], room));
        let clone = all.clone();
        assert!(clone.take(5).is_none() && clone.take(u64::MAX).is_none());
        let second = clone.take(4);
        assert!(second.is_some() && all.take(1).is_none());
        drop(first);
        assert!(all.take(7).is_none() && all.take(6).is_some());
    }
}
