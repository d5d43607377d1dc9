//! Folders on this machine: source trees and unpacked root file systems.

use crate::content::OnDisk;
use crate::decompress::read_full;
use crate::entries::EntryList;
use crate::error::ArtifactError;
use crate::files::{self, Root};
use crate::image::{LayerVisitor, Walked};
use crate::options::{Limits, OpenOptions};
use ignore::overrides::{Override, OverrideBuilder};
use ignore::{DirEntry, WalkBuilder, WalkState};
use model::{Entry, EntryKind, Problem};
use std::collections::HashSet;
use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Problems of one thread that are listed one by one.
const MAX_LISTED: u64 = 100;
/// Folders of version control: their content is not the project's.
const VERSION_CONTROL: [&str; 4] = [".git", ".hg", ".svn", ".jj"];
/// File systems that hold no files of the machine's own.
const PSEUDO_FILE_SYSTEMS: [&str; 26] = [
    "autofs",
    "binfmt_misc",
    "bpf",
    "cgroup",
    "cgroup2",
    "cifs",
    "configfs",
    "debugfs",
    "devpts",
    "devtmpfs",
    "efivarfs",
    "fusectl",
    "hugetlbfs",
    "mqueue",
    "nfs",
    "nfs4",
    "nsfs",
    "overlay",
    "proc",
    "pstore",
    "ramfs",
    "securityfs",
    "smb3",
    "squashfs",
    "sysfs",
    "tracefs",
];

/// A folder whose files can be walked.
pub struct FolderTree {
    /// The folder as the user named it.
    pub name: String,
    root: Arc<Root>,
    /// Name of the only file of the folder that is walked.
    only: Option<OsString>,
    rootfs: bool,
    gitignore: bool,
    exclude: Override,
    /// Absolute paths that are not entered.
    skip: HashSet<PathBuf>,
    limits: Limits,
}

impl FolderTree {
    /// Opens a folder. A root file system has no ignore files, and of the running machine's own root the other file systems
    /// (`/proc`, `/sys`, network shares) are left out.
    pub(crate) fn open(path: &Path, rootfs: bool, options: &OpenOptions) -> Result<Self, ArtifactError> {
        let root = Root::new(path)?;
        let mut exclude = OverrideBuilder::new(path);
        for glob in &options.exclude {
            // Overrides list what is taken; with a `!` they list what is left out.
            exclude.add(&format!("!{glob}")).map_err(|error| {
                ArtifactError::invalid(format!("exclude pattern `{glob}`"), error.to_string())
            })?;
        }
        let exclude = exclude
            .build()
            .map_err(|error| ArtifactError::invalid("the exclude patterns", error.to_string()))?;
        let is_machine_root = path.canonicalize().is_ok_and(|path| path == Path::new("/"));
        let skip = if is_machine_root {
            other_file_systems(path)
        } else {
            HashSet::new()
        };
        Ok(Self {
            name: path.display().to_string(),
            root: Arc::new(root),
            only: None,
            rootfs,
            gitignore: options.gitignore && !rootfs,
            exclude,
            skip,
            limits: options.limits.clone(),
        })
    }

    /// Opens one file as a source tree that holds nothing else. What it is called at the end of links counts.
    pub(crate) fn open_file(path: &Path, options: &OpenOptions) -> Result<Self, ArtifactError> {
        let failed = |error| ArtifactError::io(files::named(path), error);
        let real = path.canonicalize().map_err(failed)?;
        let (Some(folder), Some(name)) = (real.parent(), real.file_name()) else {
            return Err(failed(io::ErrorKind::NotFound.into()));
        };
        Ok(Self {
            name: path.display().to_string(),
            only: Some(name.to_owned()),
            ..Self::open(folder, false, options)?
        })
    }

    /// True for a root file system, false for a source tree.
    #[must_use]
    pub fn is_rootfs(&self) -> bool {
        self.rootfs
    }

    /// Walks the folder with `threads` threads, each with a visitor of its own. Each result has index 0; together they hold
    /// every entry once. Links are listed and never followed.
    pub fn walk<V: LayerVisitor>(&self, threads: usize, make: &(dyn Fn() -> V + Sync)) -> Vec<Walked<V>> {
        let mut builder = WalkBuilder::new(match &self.only {
            Some(name) => self.root.path().join(name),
            None => self.root.path().to_owned(),
        });
        builder
            .standard_filters(false)
            .hidden(false)
            .parents(self.gitignore)
            .ignore(self.gitignore)
            .git_ignore(self.gitignore)
            .git_exclude(self.gitignore)
            .require_git(false)
            .follow_links(false)
            .overrides(self.exclude.clone())
            .threads(threads.max(1));
        let skip = self.skip.clone();
        let rootfs = self.rootfs;
        builder.filter_entry(move |entry| {
            let is_folder = entry.file_type().is_some_and(|kind| kind.is_dir());
            !is_folder || (!skip.contains(entry.path()) && (rootfs || !is_version_control(entry)))
        });
        let done = Mutex::new(Vec::new());
        let count = AtomicU64::new(0);
        builder.build_parallel().run(|| {
            let mut worker = Worker {
                tree: self,
                count: &count,
                done: &done,
                listed: 0,
                walked: Some(Walked {
                    index: 0,
                    visitor: make(),
                    entries: EntryList::default(),
                    problems: Vec::new(),
                    complete: true,
                }),
            };
            Box::new(move |found| worker.take(found))
        });
        done.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_version_control(entry: &DirEntry) -> bool {
    entry.depth() > 0
        && entry
            .file_name()
            .to_str()
            .is_some_and(|name| VERSION_CONTROL.contains(&name))
}

/// One thread's part of the walk; hands its result over when the walk drops it.
struct Worker<'a, V> {
    tree: &'a FolderTree,
    count: &'a AtomicU64,
    done: &'a Mutex<Vec<Walked<V>>>,
    listed: u64,
    walked: Option<Walked<V>>,
}

impl<V> Drop for Worker<'_, V> {
    fn drop(&mut self) {
        if let Some(mut walked) = self.walked.take() {
            if self.listed > MAX_LISTED {
                let more = self.listed - MAX_LISTED;
                walked.problems.push(Problem::general(format!(
                    "{more} more files or folders could not be read"
                )));
            }
            self.done
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(walked);
        }
    }
}

impl<V: LayerVisitor> Worker<'_, V> {
    fn take(&mut self, found: Result<DirEntry, ignore::Error>) -> WalkState {
        let found = match found {
            Ok(found) => found,
            Err(error) => {
                self.problem(Problem::general(error.to_string()));
                return WalkState::Continue;
            }
        };
        if let Some(error) = found.error() {
            self.problem(Problem::general(format!(
                "an ignore file could not be read: {error}"
            )));
        }
        if found.depth() == 0 && self.tree.only.is_none() {
            return WalkState::Continue;
        }
        if self.count.fetch_add(1, Ordering::Relaxed) >= self.tree.limits.max_entries {
            let message = format!(
                "the folder has more entries than the limit of {}",
                self.tree.limits.max_entries
            );
            self.problem(Problem::general(message));
            return WalkState::Quit;
        }
        self.visit(&found);
        WalkState::Continue
    }

    fn visit(&mut self, found: &DirEntry) {
        let relative = found
            .path()
            .strip_prefix(self.tree.root.path())
            .unwrap_or(found.path());
        let path = model::path::from_bytes(relative.as_os_str().as_bytes());
        let metadata = match found.metadata() {
            Ok(metadata) => metadata,
            Err(error) => {
                self.problem(Problem::file(path, format!("it could not be looked at: {error}")));
                return;
            }
        };
        let file_type = metadata.file_type();
        let mut link = None;
        let kind = if file_type.is_file() {
            EntryKind::File
        } else if file_type.is_dir() {
            EntryKind::Folder
        } else if file_type.is_symlink() {
            match std::fs::read_link(found.path()) {
                Ok(target) => {
                    link = Some(model::path::from_bytes(target.as_os_str().as_bytes()).into_owned());
                }
                Err(error) => {
                    self.problem(Problem::file(
                        path,
                        format!("the link could not be read: {error}"),
                    ));
                    return;
                }
            }
            EntryKind::Symlink
        } else {
            EntryKind::Special
        };
        let entry = Entry {
            path: &path,
            kind,
            size: if kind == EntryKind::File {
                metadata.len()
            } else {
                0
            },
            mode: metadata.permissions().mode() & 0o7777,
            link: link.as_deref(),
        };
        let Some(walked) = &mut self.walked else {
            return;
        };
        walked.entries.push(&entry);
        if !walked.visitor.wants(&entry) || kind != EntryKind::File {
            return;
        }
        if entry.size > self.tree.limits.max_file_bytes {
            let message = format!(
                "the file has {} bytes, more than the limit of {}, and was not read",
                entry.size, self.tree.limits.max_file_bytes
            );
            self.problem(Problem::file(path, message));
            return;
        }
        let mut head = [0; 64];
        match self.head(relative, &mut head) {
            Ok(count) => {
                if walked_accepts(&mut self.walked, &entry, head.get(..count).unwrap_or_default()) {
                    let content = OnDisk::new(Arc::clone(&self.tree.root), relative.to_owned(), entry.size);
                    if let Some(walked) = &mut self.walked {
                        walked.visitor.file(&entry, Box::new(content));
                    }
                }
            }
            Err(error) => self.problem(Problem::file(path, format!("it could not be read: {error}"))),
        }
    }

    fn head(&self, relative: &Path, head: &mut [u8]) -> io::Result<usize> {
        let mut file = self.tree.root.open(relative)?;
        read_full(&mut file, head).map_err(|(_, error)| error)
    }

    fn problem(&mut self, problem: Problem) {
        self.listed += 1;
        if let Some(walked) = &mut self.walked {
            walked.complete = false;
            if self.listed <= MAX_LISTED {
                walked.problems.push(problem);
            }
        }
    }
}

fn walked_accepts<V: LayerVisitor>(walked: &mut Option<Walked<V>>, entry: &Entry<'_>, head: &[u8]) -> bool {
    walked
        .as_mut()
        .is_some_and(|walked| walked.visitor.accepts(entry, head))
}

/// Mount points below the machine's root that hold no files of its own, under the root's name as given.
fn other_file_systems(root: &Path) -> HashSet<PathBuf> {
    let mut skip: HashSet<PathBuf> = ["proc", "sys", "dev"]
        .iter()
        .map(|name| root.join(name))
        .collect();
    let mounts = files::read(Path::new("/proc/self/mounts"), 4 << 20).unwrap_or_default();
    for line in String::from_utf8_lossy(&mounts).lines() {
        let mut fields = line.split(' ').skip(1);
        let (Some(place), Some(kind)) = (fields.next(), fields.next()) else {
            continue;
        };
        let pseudo = PSEUDO_FILE_SYSTEMS.contains(&kind) || kind.starts_with("fuse.");
        if pseudo && place != "/" {
            // Blanks and other odd bytes of a path are written in octal.
            let place = place.replace("\\040", " ");
            skip.insert(root.join(place.trim_start_matches('/')));
        }
    }
    skip
}

/// True when a folder looks like an unpacked root file system.
pub(crate) fn looks_like_rootfs(path: &Path) -> bool {
    let has = |relative: &str| path.join(relative).symlink_metadata().is_ok();
    has("etc/os-release")
        || has("lib/apk/db")
        || has("var/lib/dpkg")
        || (has("bin") && has("usr") && has("etc"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_the_machine_itself_only_its_own_files_are_read() {
        let skip = other_file_systems(Path::new("/"));
        for path in ["/proc", "/sys", "/dev"] {
            assert!(skip.contains(Path::new(path)), "{path}");
        }
        assert!(!skip.contains(Path::new("/")));
        let tree = FolderTree::open(Path::new("/"), true, &OpenOptions::default()).unwrap();
        assert!(tree.skip.contains(Path::new("/proc")));
        let folder = tempfile::tempdir().unwrap();
        let tree = FolderTree::open(folder.path(), true, &OpenOptions::default()).unwrap();
        assert!(
            tree.skip.is_empty(),
            "elsewhere `proc` is a folder like any other"
        );
    }
}
