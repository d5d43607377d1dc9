//! What all readers of lock files and manifests share: the extractor around a reading function, and its problems.

use crate::dependency_graph::{DependencyGraph, Id, cut, merged};
use crate::documents::{self, Element, Node, Parsed};
use crate::intake::PACKAGES;
use crate::{Extracted, Extractor, File, Found, Kind};
use model::{Entry, EntryKind, Location, Meta, Package};
use std::borrow::Cow;
use std::sync::{Mutex, PoisonError};

/// Largest lock file that is read, in bytes: a hundred thousand packages have some 40 MiB.
const LIMIT: u64 = 128 << 20;

/// Files of more bytes than this are read one at a time, so that memory does not grow with the number of threads.
const LARGE: usize = 4 << 20;

/// Held while a large file is read.
static ONE_LARGE_FILE: Mutex<()> = Mutex::new(());

/// Most entries of one file that are complained of one by one.
const MOST_PROBLEMS: usize = 20;

/// Longest message of a problem, in bytes: names in it come from the file.
const LONGEST_MESSAGE: usize = 500;

/// An extractor of lock files: which files it wants, and the functions that read and join them.
pub(crate) struct LockFile {
    pub(crate) meta: &'static Meta,
    pub(crate) kind: Kind,
    /// Gets the path and the file name.
    pub(crate) wants: fn(path: &str, name: &str) -> bool,
    pub(crate) read: fn(&mut Reading<'_>),
    /// Joins several files; [`alone`] where there is nothing to join.
    pub(crate) combine: fn(&mut Vec<Found>),
}

/// For [`LockFile::combine`]: each file stands alone.
pub(crate) fn alone(_: &mut Vec<Found>) {}

impl Extractor for LockFile {
    fn meta(&self) -> &'static Meta {
        self.meta
    }

    fn kind(&self) -> Kind {
        self.kind
    }

    fn wants(&self, entry: &Entry<'_>) -> bool {
        entry.kind == EntryKind::File && (self.wants)(entry.path, entry.file_name())
    }

    fn extract(&self, file: &mut File<'_>, out: &mut Extracted) {
        let path = file.entry.path;
        let _turn = (file.content.size() > LARGE as u64)
            .then(|| ONE_LARGE_FILE.lock().unwrap_or_else(PoisonError::into_inner));
        let bytes = match file.content.bytes(LIMIT) {
            Ok(bytes) => bytes,
            Err(error) => return out.problem(path, format!("not read by `{}`: {error}", self.meta.name)),
        };
        let text = documents::decode(&bytes);
        let mut reading = Reading {
            path,
            text: &text,
            found_by: self.meta.name,
            out,
            problems: 0,
        };
        (self.read)(&mut reading);
        if let Some(more) = reading
            .problems
            .checked_sub(MOST_PROBLEMS)
            .filter(|more| *more > 0)
        {
            out.problem(path, format!("{more} more entries could not be read"));
        }
    }

    fn combine(&self, found: &mut Vec<Found>) {
        (self.combine)(found);
    }
}

/// One file while it is read.
pub(crate) struct Reading<'r> {
    /// Path of the file.
    pub(crate) path: &'r str,
    /// Its text.
    pub(crate) text: &'r str,
    /// Name of the extractor, for the packages.
    pub(crate) found_by: &'static str,
    /// The result.
    pub(crate) out: &'r mut Extracted,
    problems: usize,
}

impl<'r> Reading<'r> {
    /// Name of the file.
    pub(crate) fn file_name(&self) -> &'r str {
        model::path::file_name(self.path)
    }

    /// Reads JSON; what is wrong with it becomes a problem.
    pub(crate) fn json(&mut self) -> Node<'r> {
        self.json_without(|_, _| false)
    }

    /// Reads JSON without the values that `skip` names.
    pub(crate) fn json_without(&mut self, skip: documents::Skip) -> Node<'r> {
        let parsed = documents::json(self.text, skip);
        self.checked(parsed)
    }

    /// Reads TOML.
    pub(crate) fn toml(&mut self) -> Node<'r> {
        let parsed = documents::toml(self.text);
        self.checked(parsed)
    }

    /// Reads the first document of a YAML stream.
    pub(crate) fn yaml(&mut self) -> Node<'r> {
        self.yaml_documents().into_iter().next().unwrap_or_default()
    }

    /// Reads all documents of a YAML stream.
    pub(crate) fn yaml_documents(&mut self) -> Vec<Node<'r>> {
        let parsed = documents::yaml(self.text);
        self.checked(parsed)
    }

    /// Reads XML; the result holds the document's element.
    pub(crate) fn xml(&mut self) -> Element {
        let parsed = documents::xml(self.text);
        self.checked(parsed)
    }

    fn checked<T>(&mut self, parsed: Parsed<T>) -> T {
        if let Some(error) = parsed.error {
            self.problem(error);
        }
        parsed.document
    }

    /// The lines with their numbers from 1, without line ends.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (u32, &'r str)> + use<'r> {
        (1..).zip(self.text.lines())
    }

    /// Records that the file as a whole is wrong.
    pub(crate) fn problem(&mut self, message: impl Into<String>) {
        let message = message.into();
        self.out.problem(self.path, cut(&message, LONGEST_MESSAGE));
    }

    /// Records that one entry is wrong; after the first few they are only counted.
    pub(crate) fn bad_entry(&mut self, line: u32, message: impl Into<Cow<'static, str>>) {
        self.problems += 1;
        if self.problems <= MOST_PROBLEMS {
            let place = if line == 0 {
                String::new()
            } else {
                format!("line {line}: ")
            };
            let message = message.into();
            self.problem(format!("{place}{}", cut(&message, LONGEST_MESSAGE)));
        }
    }

    /// Name and version of an entry that must have both under these keys; otherwise it is recorded as wrong.
    pub(crate) fn name_and_version<'n>(&mut self, entry: &'n Node<'_>) -> Option<(&'n str, &'n str)> {
        let (name, version) = (entry.get("name").str(), entry.get("version").str());
        if name.is_empty() || version.is_empty() {
            self.no_name_or_version(entry.line, name);
            return None;
        }
        Some((name, version))
    }

    /// Records that an entry has no name or no version.
    pub(crate) fn no_name_or_version(&mut self, line: u32, name: &str) {
        self.bad_entry(line, format!("the package `{name}` has no name or no version"));
    }

    /// A package found at a line of this file (0 when unknown).
    pub(crate) fn at(&self, mut package: Package, line: u32) -> Package {
        // Made to measure: most packages have one place, and there may be many packages.
        package.locations.reserve_exact(1);
        package.locations.push(if line == 0 {
            Location::file(self.path)
        } else {
            Location::line(self.path, line)
        });
        package
    }

    /// Puts packages out, those of the same purl merged.
    pub(crate) fn list(&mut self, listing: Listing) {
        self.left_out(listing.packages.len(), listing.left_out);
        self.out.packages.extend(merged(listing.packages));
    }

    /// Puts the packages of a graph out.
    pub(crate) fn list_graph(&mut self, graph: DependencyGraph) {
        self.left_out(graph.packages(), graph.left_out());
        self.out.packages.extend(graph.finish());
    }

    /// Puts the packages of a graph out, and keeps the graph and the keys by which a manifest asks for packages until
    /// [`crate::dependency_graph::join_manifests`] knows what the project wants.
    pub(crate) fn suspend<'k>(
        &mut self,
        graph: DependencyGraph,
        requests: impl Iterator<Item = (&'k str, Id)>,
    ) {
        self.left_out(graph.packages(), graph.left_out());
        graph.suspend(requests, self.out);
    }

    /// Says how many packages are too many.
    fn left_out(&mut self, kept: usize, left_out: usize) {
        if left_out > 0 {
            self.problem(format!(
                "it lists {} packages; the first {kept} are kept, which is the most of one file",
                kept + left_out
            ));
        }
    }
}

/// Packages of a file, up to the most that is kept of one; the rest is counted.
#[derive(Default)]
pub(crate) struct Listing {
    packages: Vec<Package>,
    left_out: usize,
}

impl Listing {
    /// Adds a package.
    pub(crate) fn push(&mut self, package: Package) {
        if self.packages.len() < PACKAGES {
            self.packages.push(package);
        } else {
            self.left_out += 1;
        }
    }

    /// The package that was added last.
    pub(crate) fn last_mut(&mut self) -> Option<&mut Package> {
        self.packages.last_mut()
    }
}

impl Extend<Package> for Listing {
    fn extend<I: IntoIterator<Item = Package>>(&mut self, packages: I) {
        packages.into_iter().for_each(|package| self.push(package));
    }
}

impl FromIterator<Package> for Listing {
    fn from_iter<I: IntoIterator<Item = Package>>(packages: I) -> Self {
        let mut listing = Self::default();
        listing.extend(packages);
        listing
    }
}

impl<'l> IntoIterator for &'l mut Listing {
    type Item = &'l mut Package;
    type IntoIter = std::slice::IterMut<'l, Package>;

    fn into_iter(self) -> Self::IntoIter {
        self.packages.iter_mut()
    }
}
