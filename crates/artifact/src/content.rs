//! How a file's content is held between the walk and its reader: in memory, spooled, or still on the disk.

use crate::files;
use model::{Content, ContentError, ReadSeek};
use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::sync::Arc;

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
