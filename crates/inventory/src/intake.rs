//! What one file may bring in: caps on packages, text and problems, so that a hostile database cannot fill the memory.

use crate::{Extracted, Found, Note, Owned};
use model::{Location, Package};
use std::collections::HashMap;

/// Most packages of one file. A full mirror of Debian has some 70,000, the largest lock files some 30,000.
pub(crate) const PACKAGES: usize = 100_000;
/// Most bytes of names, versions, licences and owned paths of one file. A desktop with 5,000 packages has about 8 MiB.
const TEXT: usize = 96 << 20;
/// Most problems of one file; more of the same tell nobody more.
const PROBLEMS: usize = 50;

/// Passes results of one file on to an [`Extracted`] until a cap is reached; the first that is too many gives a problem.
pub(crate) struct Intake<'a> {
    path: &'a str,
    out: &'a mut Extracted,
    packages: usize,
    text: usize,
    problems: usize,
    full: bool,
}

impl<'a> Intake<'a> {
    /// For the file at `path`.
    pub(crate) fn new(path: &'a str, out: &'a mut Extracted) -> Self {
        Self {
            path,
            out,
            packages: PACKAGES,
            text: TEXT,
            problems: PROBLEMS,
            full: false,
        }
    }

    /// Path of the file.
    pub(crate) fn path(&self) -> &'a str {
        self.path
    }

    /// True when nothing more is taken: the reader may stop.
    pub(crate) fn is_full(&self) -> bool {
        self.full
    }

    /// Takes a package.
    pub(crate) fn package(&mut self, package: Package) {
        let licenses: usize = package.licenses.iter().map(String::len).sum();
        let facts: usize = package.facts.iter().map(|fact| fact.value.len()).sum();
        // Name and version stand in the purl and often in the source again.
        let size = 4 * (package.name.len() + package.version.len()) + licenses + facts;
        if self.charge(size) {
            if self.packages == 0 {
                self.stop(format!(
                    "it has more than {PACKAGES} packages; the rest was not read"
                ));
                return;
            }
            self.packages -= 1;
            self.out.packages.push(package);
        }
    }

    /// Takes the files of an OS package; nothing if there are none.
    pub(crate) fn owned(&mut self, package: &str, paths: Vec<String>) {
        let size: usize = paths.iter().map(|path| path.len() + size_of::<String>()).sum();
        if !paths.is_empty() && self.charge(size + package.len()) {
            self.out.owned.push(Owned {
                package: package.to_owned(),
                paths,
            });
        }
    }

    /// Takes what `combine` needs later.
    pub(crate) fn note(&mut self, kind: &str, key: &str, value: impl Into<String>) {
        let value = value.into();
        if self.charge(kind.len() + key.len() + value.len() + size_of::<Note>()) {
            self.out.notes.push(Note {
                kind: kind.to_owned(),
                key: key.to_owned(),
                value,
            });
        }
    }

    /// Takes a problem with the file.
    pub(crate) fn problem(&mut self, message: impl Into<String>) {
        match self.problems {
            0 => {}
            1 => {
                self.problems = 0;
                self.out
                    .problem(self.path, "it has more problems, which are not listed");
            }
            _ => {
                self.problems -= 1;
                self.out.problem(self.path, message);
            }
        }
    }

    fn charge(&mut self, size: usize) -> bool {
        if self.full {
            return false;
        }
        match self.text.checked_sub(size) {
            Some(left) => {
                self.text = left;
                true
            }
            None => {
                self.stop(format!(
                    "its names, licences and file lists exceed {TEXT} bytes; the rest was not read"
                ));
                false
            }
        }
    }

    fn stop(&mut self, message: String) {
        self.full = true;
        self.out.problem(self.path, message);
    }
}

/// Keeps a package that several databases of one package manager list once, in the first of them, with all locations.
/// Databases are copied when distributions move them or change their form, and both copies then stay.
pub(crate) fn merge_repeats(found: &mut [Found]) {
    if found
        .iter()
        .filter(|file| !file.extracted.packages.is_empty())
        .count()
        < 2
    {
        return;
    }
    let mut first: HashMap<String, usize> = HashMap::new();
    let mut more: HashMap<String, Vec<Location>> = HashMap::new();
    for (index, file) in found.iter_mut().enumerate() {
        file.extracted.packages.retain_mut(|package| {
            let purl = package.purl.to_string();
            let keeper = *first.entry(purl.clone()).or_insert(index);
            if keeper != index {
                more.entry(purl).or_default().append(&mut package.locations);
            }
            keeper == index
        });
    }
    for package in found.iter_mut().flat_map(|file| &mut file.extracted.packages) {
        if let Some(locations) = more.get(&package.purl.to_string()) {
            package.locations.extend(locations.iter().cloned());
        }
    }
}

/// Cuts a text of a target for use inside a message.
pub(crate) fn excerpt(text: &str) -> String {
    text.chars().take(80).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::Purl;

    #[test]
    fn stops_at_its_caps_and_says_so_once() {
        let mut out = Extracted::default();
        let mut intake = Intake::new("x", &mut out);
        let long = "v".repeat(1 << 20);
        for _ in 0..40 {
            let purl = Purl::new("deb", "", "n", "");
            intake.package(Package::new("t", purl, "", "n", long.as_str()));
        }
        assert!(intake.is_full());
        assert_eq!(out.packages.len(), 23);
        assert_eq!(out.problems.len(), 1);

        let mut out = Extracted::default();
        let mut intake = Intake::new("x", &mut out);
        for _ in 0..200 {
            intake.problem("p");
        }
        assert_eq!(out.problems.len(), PROBLEMS);
    }
}
