//! The read-only view of a target's files that families get, and the archives inside those files.

use serde::{Deserialize, Serialize};
use std::io::{self, Cursor, Read, Seek};

/// What a file-system entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum EntryKind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link.
    Symlink,
    /// A hard link to another entry's file.
    Hardlink,
    /// A device, pipe or socket.
    Special,
}

/// One entry of a layer or folder, as extractors see it before anything is read.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// Normalised path (see [`crate::path`]), without a leading slash.
    pub path: &'a str,
    /// What it is.
    pub kind: EntryKind,
    /// Size in bytes of a regular file, 0 for others.
    pub size: u64,
    /// Permission bits (`0o755`).
    pub mode: u32,
    /// Target of a link, as the archive gives it.
    pub link: Option<&'a str>,
}

impl Entry<'_> {
    /// The last component of the path.
    #[must_use]
    pub fn file_name(&self) -> &str {
        crate::path::file_name(self.path)
    }

    /// True for a regular file that somebody may execute.
    #[must_use]
    pub fn is_executable(&self) -> bool {
        self.kind == EntryKind::File && self.mode & 0o111 != 0
    }
}

/// Reading and seeking at once, as a trait object needs it.
pub trait ReadSeek: Read + Seek {}
impl<T: Read + Seek> ReadSeek for T {}

/// Why a file's content could not be had.
#[derive(Debug, thiserror::Error)]
pub enum ContentError {
    /// The file is larger than the reader is ready to hold.
    #[error("the file has {size} bytes, more than the {limit} that are read of such a file")]
    TooLarge {
        /// Size in bytes.
        size: u64,
        /// Limit in bytes.
        limit: u64,
    },
    /// Reading failed.
    #[error("could not read the file")]
    Io(#[from] io::Error),
}

/// A regular file's content. It may be read any number of times; how it is held (memory, a spooled file, the disk) is the
/// implementer's business.
pub trait Content: Send {
    /// Size in bytes.
    fn size(&self) -> u64;

    /// The whole content, refused when it is larger than `limit` bytes.
    ///
    /// # Errors
    /// [`ContentError::TooLarge`] over the limit, [`ContentError::Io`] when reading fails.
    fn bytes(&mut self, limit: u64) -> Result<std::borrow::Cow<'_, [u8]>, ContentError>;

    /// A reader at the content's start, for random access or for streaming. Not buffered for tiny reads.
    ///
    /// # Errors
    /// [`ContentError::Io`] when the content cannot be opened.
    fn reader(&mut self) -> Result<Box<dyn ReadSeek + '_>, ContentError>;
}

/// Content in memory, for tests and for parts of other files.
#[derive(Clone, Debug, Default)]
pub struct MemoryContent<T: AsRef<[u8]> = Vec<u8>>(pub T);

impl<T: AsRef<[u8]> + Send> Content for MemoryContent<T> {
    fn size(&self) -> u64 {
        self.0.as_ref().len() as u64
    }

    fn bytes(&mut self, limit: u64) -> Result<std::borrow::Cow<'_, [u8]>, ContentError> {
        let size = self.size();
        if size > limit {
            Err(ContentError::TooLarge { size, limit })
        } else {
            Ok(self.0.as_ref().into())
        }
    }

    fn reader(&mut self) -> Result<Box<dyn ReadSeek + '_>, ContentError> {
        Ok(Box::new(Cursor::new(self.0.as_ref())))
    }
}

/// One file of a zip archive before it is inflated.
#[derive(Clone, Copy, Debug)]
pub struct ZipMember<'a> {
    /// Name as the archive gives it, normalised like a path (absolute and `..` names cannot escape).
    pub name: &'a str,
    /// Size that the archive claims after inflating, in bytes.
    pub size: u64,
}

/// Receives the members of a zip archive, in the order of its central directory.
pub trait ZipVisitor {
    /// True when the member's content is wanted; the others are skipped without inflating.
    fn wants(&mut self, member: &ZipMember<'_>) -> bool;

    /// A wanted member's content. `content` is capped by the implementer.
    fn file(&mut self, member: &ZipMember<'_>, content: &mut dyn Content);
}

/// Opens archives inside files. Implemented by `artifact` alone, whose caps on size, ratio and count apply to all that is
/// inflated below one top-level file.
pub trait Archives: Sync {
    /// Visits the members of a zip archive (jar, war, wheel, egg …).
    ///
    /// # Errors
    /// A message that says what is wrong with the archive or which cap was hit; what was visited before stays valid.
    fn zip(&self, archive: &mut dyn Content, visitor: &mut dyn ZipVisitor) -> Result<(), String>;

    /// Inflates a zlib stream, at most `limit` bytes.
    ///
    /// # Errors
    /// A message that says what is wrong with the stream or that it is larger than `limit`.
    fn zlib(&self, compressed: &[u8], limit: usize) -> Result<Vec<u8>, String>;

    /// Inflates a gzip stream, at most `limit` bytes.
    ///
    /// # Errors
    /// A message that says what is wrong with the stream or that it is larger than `limit`.
    fn gzip(&self, compressed: &[u8], limit: usize) -> Result<Vec<u8>, String>;

    /// Inflates a zstd stream, at most `limit` bytes.
    ///
    /// # Errors
    /// A message that says what is wrong with the stream, that it is larger than `limit`, or that this implementer has no
    /// zstd.
    fn zstd(&self, compressed: &[u8], limit: usize) -> Result<Vec<u8>, String> {
        let _ = (compressed, limit);
        Err("zstd streams inside files are not inflated".to_owned())
    }

    /// The content of the first regular file of this name (`./name` is the same) in a tar, which may be compressed with
    /// gzip, xz, zstd or bzip2; `None` when there is none. At most `limit` bytes.
    ///
    /// # Errors
    /// A message that says what is wrong with the archive, which cap was hit, or that this implementer reads no tars.
    fn tar_member(&self, archive: &[u8], name: &str, limit: usize) -> Result<Option<Vec<u8>>, String> {
        let _ = (archive, name, limit);
        Err("tar archives inside files are not opened".to_owned())
    }
}
