//! The package extractors: which packages a target's files prove.
//!
//! One member of the family reads one kind of file. It sees one file at a time, in the layer that holds it, so that layers
//! are read in one streaming pass and cached apart; what needs several files (a package list and its ownership lists, a
//! `go.mod` and its `go.sum`) is put together afterwards by [`Extractor::combine`], once the layers are merged.

mod assembly;
mod assignments;
mod classifiers;
mod control;
mod dependency_graph;
mod documents;
mod ecosystems;
mod erlang;
pub mod extractors;
mod gradle;
mod headers;
mod identity;
mod intake;
pub mod license;
mod lines;
mod lock_file;
mod maven;
mod msbuild;
mod object_file;
mod ownership;
mod package_files;
mod page_set;
mod php;
mod program_reader;
mod python_lock;
mod python_requirements;
mod reading;
mod relations;
mod rpm;
pub mod sbom;
mod sqlite;

use model::{Archives, Content, Entry, Meta, OsRelease, Package, Problem};
use serde::{Deserialize, Serialize};

/// One file as an extractor gets it.
pub struct File<'a> {
    /// Name, size, mode.
    pub entry: Entry<'a>,
    /// The bytes.
    pub content: &'a mut dyn Content,
    /// Opens archives in those bytes; caps apply.
    pub archives: &'a dyn Archives,
}

/// What one extractor found in one file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Extracted {
    /// Packages, with locations whose `layer` is `None`; `scan` fills the layer in.
    pub packages: Vec<Package>,
    /// Identity of the operating system, if this file tells it.
    pub os: Option<OsRelease>,
    /// Which files belong to which OS package.
    pub owned: Vec<Owned>,
    /// What [`Extractor::combine`] needs later.
    pub notes: Vec<Note>,
    /// What could not be read. A file that is there but unusable gives a problem, never silence.
    pub problems: Vec<Problem>,
}

impl Extracted {
    /// True when nothing was found and nothing went wrong.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Records a problem with the file.
    pub fn problem(&mut self, path: &str, message: impl Into<String>) {
        self.problems.push(Problem::file(path, message));
    }
}

/// Files of one OS package.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owned {
    /// Name of the OS package.
    pub package: String,
    /// Normalised paths, only of files (not folders). `scan` keeps those that some extractor would read.
    pub paths: Vec<String>,
}

/// Something one file tells that only makes sense together with another.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// What it is, private to the extractor.
    pub kind: String,
    /// Key.
    pub key: String,
    /// Value.
    pub value: String,
}

/// What one extractor found in one file, after the layers were merged: only files that survive are here.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Found {
    /// Name of the extractor.
    pub extractor: String,
    /// Path of the file.
    pub path: String,
    /// What was found.
    pub extracted: Extracted,
}

/// Where a kind of file counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A package manager's record of what is installed, or an installed thing itself: read in every target.
    Installed,
    /// A lock file or manifest that says what shall be installed: read in every target, except inside the folders of
    /// installed packages (`node_modules`, `site-packages`, gem folders, …), where it speaks of somebody else's build.
    Declared,
    /// What only says something of a source tree, as a manifest without a lock file does: in an image, what is installed
    /// counts. Read in source trees and when it is the target itself, outside the folders of installed packages.
    Source,
}

impl Kind {
    /// True when files below the folders of installed packages are not of this kind, since they speak of somebody else's
    /// build.
    #[must_use]
    pub fn is_of_builds(self) -> bool {
        self != Self::Installed
    }
}

/// A member of the family.
pub trait Extractor: Sync {
    /// Description.
    fn meta(&self) -> &'static Meta;

    /// Where such files count.
    fn kind(&self) -> Kind;

    /// True when the file may be one of this extractor's. Called for every regular file: compare strings, size and mode only.
    fn wants(&self, entry: &Entry<'_>) -> bool;

    /// True when the file's name, and not only what it is, makes this extractor want it. A link whose name matters is read
    /// although its target, under another name, interests nobody.
    fn names(&self, entry: &Entry<'_>) -> bool {
        self.wants(entry)
    }

    /// Second look, with the first bytes (up to 64) of a file that [`Self::wants`] liked; saves holding large files of
    /// other kinds.
    fn accepts(&self, entry: &Entry<'_>, head: &[u8]) -> bool {
        let _ = (entry, head);
        true
    }

    /// Reads one file. Never panics, never trusts a size or count, and turns what is wrong into problems.
    fn extract(&self, file: &mut File<'_>, out: &mut Extracted);

    /// Puts together what several files tell. `found` holds this extractor's own results only, sorted by path.
    fn combine(&self, found: &mut Vec<Found>) {
        let _ = found;
    }
}

/// Folders of installed packages; files below them are only read as [`Kind::Installed`].
#[must_use]
pub fn inside_installed_package(path: &str) -> bool {
    const FOLDERS: [&str; 9] = [
        "node_modules",
        "site-packages",
        "dist-packages",
        "bower_components",
        "gems",
        "vendor",
        ".cargo",
        "pkg/mod",
        "__pycache__",
    ];
    FOLDERS.iter().any(|folder| {
        path.match_indices(folder).any(|(at, _)| {
            (at == 0 || path.as_bytes()[at - 1] == b'/')
                && path.as_bytes().get(at + folder.len()) == Some(&b'/')
        })
    })
}

#[cfg(test)]
mod tests {
    use super::inside_installed_package;

    #[test]
    fn installed_folders_are_whole_components() {
        for inside in [
            "app/node_modules/x/yarn.lock",
            "usr/lib/python3/site-packages/p/poetry.lock",
            "root/go/pkg/mod/a/go.mod",
        ] {
            assert!(inside_installed_package(inside), "{inside}");
        }
        for outside in [
            "app/package-lock.json",
            "srv/my-node_modules/yarn.lock",
            "node_modules",
            "a/gemsx/Gemfile.lock",
        ] {
            assert!(!inside_installed_package(outside), "{outside}");
        }
    }
}
