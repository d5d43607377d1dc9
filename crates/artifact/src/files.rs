//! The only raw file access of the program: every error names its path, every read has a cap, links are not followed where
//! a target's own files are read.

use crate::error::ArtifactError;
use rustix::fs::{CWD, Mode, OFlags, ResolveFlags};
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Opens a file of the user's own (a database, a certificate) for reading.
///
/// # Errors
/// Names the path.
pub fn open(path: &Path) -> Result<File, ArtifactError> {
    let file = File::open(path).map_err(|error| ArtifactError::io(named(path), error))?;
    let metadata = file
        .metadata()
        .map_err(|error| ArtifactError::io(named(path), error))?;
    if metadata.is_dir() {
        return Err(ArtifactError::invalid(named(path), "it is a folder, not a file"));
    }
    Ok(file)
}

/// The bytes of a file, at most `limit`.
///
/// # Errors
/// Names the path; a larger file is refused.
pub fn read(path: &Path, limit: u64) -> Result<Vec<u8>, ArtifactError> {
    let file = open(path)?;
    let mut bytes = Vec::new();
    file.take(limit.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(|error| ArtifactError::io(named(path), error))?;
    if bytes.len() as u64 > limit {
        return Err(ArtifactError::TooLarge {
            what: named(path),
            limit,
            unit: "bytes",
        });
    }
    Ok(bytes)
}

/// Writes a file so that readers see the old or the new content, never a part: a temporary file beside it, then a rename.
///
/// # Errors
/// Names the path.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> Result<(), ArtifactError> {
    let error = |source| ArtifactError::Write {
        what: named(path),
        source,
    };
    let mut file = beside(path).map_err(error)?;
    file.write_all(bytes).map_err(error)?;
    file.persist(path).map_err(|failed| error(failed.error))?;
    Ok(())
}

/// Tells whether [`write_atomic`] can write a file, and leaves nothing behind.
///
/// # Errors
/// Names the path.
pub fn check_writable(path: &Path) -> Result<(), ArtifactError> {
    let checked = if path.is_dir() {
        Err(io::ErrorKind::IsADirectory.into())
    } else {
        beside(path).map(drop)
    };
    checked.map_err(|source| ArtifactError::Write {
        what: named(path),
        source,
    })
}

/// A temporary file in the folder of another, gone when dropped.
fn beside(path: &Path) -> io::Result<tempfile::NamedTempFile> {
    tempfile::NamedTempFile::new_in(match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    })
}

/// Creates a folder and its parents.
///
/// # Errors
/// Names the path.
pub fn create_dir_all(path: &Path) -> Result<(), ArtifactError> {
    fs::create_dir_all(path).map_err(|source| ArtifactError::Write {
        what: named(path),
        source,
    })
}

/// Cuts a file at `at` bytes (0 makes a new one, with its folders) and writes all of `body` after that, durably. What arrived
/// before an error stays.
///
/// # Errors
/// Names the path.
pub fn write_from(path: &Path, at: u64, body: &mut dyn Read) -> Result<(), ArtifactError> {
    let error = |source| ArtifactError::Write {
        what: named(path),
        source,
    };
    if let Some(folder) = path.parent() {
        create_dir_all(folder)?;
    }
    let mut file = fs::OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
        .map_err(error)?;
    file.set_len(at).map_err(error)?;
    file.seek(SeekFrom::End(0)).map_err(error)?;
    let copied = io::copy(body, &mut file);
    file.sync_all().map_err(error)?;
    copied.map(|_| ()).map_err(error)
}

/// Puts a file in another's place at once, with the folder that holds it.
///
/// # Errors
/// Names the path.
pub fn rename(from: &Path, to: &Path) -> Result<(), ArtifactError> {
    if let Some(folder) = to.parent() {
        create_dir_all(folder)?;
    }
    fs::rename(from, to).map_err(|source| ArtifactError::Write {
        what: named(to),
        source,
    })
}

/// Removes a file.
///
/// # Errors
/// Names the path.
pub fn remove(path: &Path) -> Result<(), ArtifactError> {
    fs::remove_file(path).map_err(|error| ArtifactError::io(named(path), error))
}

/// Size of a file in bytes; `None` if it is not there.
///
/// # Errors
/// Names the path.
pub fn size(path: &Path) -> Result<Option<u64>, ArtifactError> {
    match fs::metadata(path) {
        Ok(metadata) => Ok(Some(metadata.len())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(ArtifactError::io(named(path), error)),
    }
}

/// Notes that a file was used at `time`. A file that is gone, or may not be touched, is no error: it is only a memory.
pub fn touch(path: &Path, time: SystemTime) {
    if let Ok(file) = fs::OpenOptions::new().append(true).open(path) {
        let _ = file.set_modified(time);
    }
}

/// A file that [`list`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its path.
    pub path: PathBuf,
    /// Its size in bytes.
    pub bytes: u64,
    /// When it was last written or touched.
    pub used: SystemTime,
}

/// The regular files of a folder and of its folders down to `depth` levels, sorted by path. Links are not followed; what
/// cannot be read, or goes away meanwhile, is not there.
#[must_use]
pub fn list(folder: &Path, depth: usize) -> Vec<Listed> {
    listed(folder, depth, fs::DirEntry::metadata)
}

/// As [`list`], with what links lead to: for folders that the user names and only reads.
#[must_use]
pub fn list_through_links(folder: &Path, depth: usize) -> Vec<Listed> {
    listed(folder, depth, |entry| fs::metadata(entry.path()))
}

fn listed(
    folder: &Path,
    depth: usize,
    metadata: impl Fn(&fs::DirEntry) -> io::Result<fs::Metadata>,
) -> Vec<Listed> {
    let mut listed = Vec::new();
    let mut folders = vec![(folder.to_owned(), depth)];
    while let Some((folder, depth)) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else {
            continue;
        };
        for entry in entries.flatten() {
            let Ok(metadata) = metadata(&entry) else {
                continue;
            };
            if metadata.is_dir() {
                if depth > 1 {
                    folders.push((entry.path(), depth - 1));
                }
            } else if metadata.is_file() {
                listed.push(Listed {
                    path: entry.path(),
                    bytes: metadata.len(),
                    used: metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH),
                });
            }
        }
    }
    listed.sort_by(|a, b| a.path.cmp(&b.path));
    listed
}

/// An unlinked temporary file: it goes away with the process, whatever happens.
pub(crate) fn spool() -> io::Result<File> {
    tempfile::tempfile_in(std::env::temp_dir())
}

/// How a path is named in messages.
pub(crate) fn named(path: &Path) -> String {
    format!("`{}`", path.display())
}

/// A folder whose files are opened without ever leaving it.
pub(crate) struct Root {
    path: PathBuf,
    folder: OwnedFd,
}

impl Root {
    /// Opens the folder; the user named it, so that links up to here are followed.
    pub(crate) fn new(path: &Path) -> Result<Self, ArtifactError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let folder = rustix::fs::openat(CWD, path, flags, Mode::empty())
            .map_err(|error| ArtifactError::io(named(path), error.into()))?;
        Ok(Self {
            path: path.to_owned(),
            folder,
        })
    }

    /// The folder's path as given.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Opens a regular file below the folder. No component may be a link, pipes do not block, and what is no regular file is
    /// refused.
    pub(crate) fn open(&self, relative: &Path) -> io::Result<File> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
        let confined = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        let opened = match rustix::fs::openat2(&self.folder, relative, flags, Mode::empty(), confined) {
            // Kernels before 5.6, and sandboxes that do not know the call: component by component.
            Err(rustix::io::Errno::NOSYS | rustix::io::Errno::PERM) => {
                open_by_component(&self.folder, relative, flags)
            }
            other => other,
        };
        let file = File::from(opened?);
        if file.metadata()?.is_file() {
            Ok(file)
        } else {
            Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "it is not a regular file",
            ))
        }
    }
}

fn open_by_component(folder: &OwnedFd, relative: &Path, flags: OFlags) -> rustix::io::Result<OwnedFd> {
    let mut components = relative.components().peekable();
    let mut current: Option<OwnedFd> = None;
    while let Some(component) = components.next() {
        let std::path::Component::Normal(name) = component else {
            return Err(rustix::io::Errno::XDEV);
        };
        let flags = if components.peek().is_some() {
            OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC
        } else {
            flags
        };
        let base = current.as_ref().unwrap_or(folder);
        current = Some(rustix::fs::openat(base, name, flags, Mode::empty())?);
    }
    current.ok_or(rustix::io::Errno::NOENT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn links_and_pipes_are_never_opened() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("d")).unwrap();
        fs::write(folder.path().join("d/f"), b"x").unwrap();
        symlink("/etc/passwd", folder.path().join("leaf")).unwrap();
        symlink("/etc", folder.path().join("parent")).unwrap();
        symlink("d", folder.path().join("inside")).unwrap();
        let root = Root::new(folder.path()).unwrap();
        assert!(root.open(Path::new("d/f")).is_ok());
        for path in [
            "leaf",
            "parent/passwd",
            "inside/f",
            "d",
            "../x",
            "/etc/passwd",
            "absent",
        ] {
            assert!(root.open(Path::new(path)).is_err(), "{path}");
            let flags = OFlags::RDONLY | OFlags::NOFOLLOW;
            let opened = open_by_component(&root.folder, Path::new(path), flags);
            assert!(path == "d" || opened.is_err(), "{path}");
        }
    }

    #[test]
    fn reading_is_capped_and_writing_is_atomic() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b");
        create_dir_all(path.parent().unwrap()).unwrap();
        write_atomic(&path, b"12345").unwrap();
        assert_eq!(read(&path, 5).unwrap(), b"12345");
        let error = read(&path, 4).unwrap_err();
        assert!(
            error.to_string().contains("larger than the limit of 4 bytes"),
            "{error}"
        );
        assert!(read(folder.path(), 9).unwrap_err().to_string().contains("folder"));
        assert!(open(&folder.path().join("none")).unwrap_err().is_not_found());
    }
}
