//! The few files of a running host that the sensor reads: bounded, never blocking on pipes, never leaving a given root.
//!
//! These belong to the kernel and to container runtimes, not to a target of a scan, so `artifact` has no part in them.

use rustix::fs::{AtFlags, FileType, Mode, OFlags, ResolveFlags, Stat};
use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::OwnedFd;
use std::path::Path;

const FLAGS: OFlags = OFlags::RDONLY
    .union(OFlags::CLOEXEC)
    .union(OFlags::NONBLOCK)
    .union(OFlags::NOCTTY);

/// Reads a file from its start, at most `limit` bytes.
pub(crate) fn read(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    read_open(rustix::fs::open(path, FLAGS, Mode::empty())?, limit)
}

/// What a link says.
pub(crate) fn read_link(path: &Path) -> io::Result<Vec<u8>> {
    Ok(rustix::fs::readlink(path, Vec::new())?.into_bytes())
}

/// Reads a regular file below `root` as a process sees it that has `root` as its root folder: links lead nowhere else.
pub(crate) fn read_below(root: &Path, relative: &str, limit: u64) -> io::Result<Vec<u8>> {
    let folder = open_folder(root)?;
    let file = rustix::fs::openat2(
        &folder,
        relative,
        FLAGS,
        Mode::empty(),
        ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS,
    )?;
    let facts = rustix::fs::fstat(&file)?;
    if FileType::from_raw_mode(facts.st_mode) != FileType::RegularFile {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
    }
    read_open(file, limit)
}

/// When a file below `root` last changed and its size; `None` when it cannot be asked.
pub(crate) fn stamp_below(root: &Path, relative: &str) -> Option<(i64, i64, i64)> {
    let folder = open_folder(root).ok()?;
    let facts: Stat = rustix::fs::statat(&folder, relative, AtFlags::SYMLINK_NOFOLLOW).ok()?;
    Some((
        facts.st_mtime,
        i64::try_from(facts.st_mtime_nsec).unwrap_or(0),
        facts.st_size,
    ))
}

/// The names in a folder, at most `limit`.
pub(crate) fn names(folder: &Path, limit: usize) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder)?.take(limit) {
        if let Ok(name) = entry?.file_name().into_string() {
            names.push(name);
        }
    }
    Ok(names)
}

fn open_folder(path: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok(rustix::fs::open(path, flags, Mode::empty())?)
}

fn read_open(file: OwnedFd, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::from(file).take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(clippy::disallowed_methods, reason = "the test makes what is read")]
    fn links_do_not_leave_the_root() {
        let outside = tempfile::tempdir().unwrap();
        std::fs::write(outside.path().join("passwd"), "outside").unwrap();
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("etc")).unwrap();
        std::os::unix::fs::symlink(outside.path().join("passwd"), root.path().join("etc/passwd")).unwrap();
        assert!(read_below(root.path(), "etc/passwd", 100).is_err());
        std::fs::write(root.path().join("etc/group"), "inside").unwrap();
        assert_eq!(read_below(root.path(), "etc/group", 4).unwrap(), b"insi");
        assert!(read_below(root.path(), "etc", 4).is_err());
    }
}
