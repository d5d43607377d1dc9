//! `Gopkg.lock` of dep, which Go's modules replaced.

use crate::Kind;
use crate::identity::golang;
use crate::lock_file::{Listing, LockFile, Reading, alone};
use model::{Meta, Relation};
use std::collections::HashSet;

/// The member.
pub(super) static GOPKG_LOCK: LockFile = LockFile {
    meta: &META,
    kind: Kind::Declared,
    wants: |_, name| name == "Gopkg.lock",
    read,
    combine: alone,
};

static META: Meta = Meta {
    name: "gopkg-lock",
    title: "Go packages of a dep lock file",
    finds: &["Gopkg.lock"],
    needs: &[],
    references: &["https://golang.github.io/dep/docs/Gopkg.lock.html"],
};

fn read(reading: &mut Reading<'_>) {
    let document = reading.toml();
    // Packages that the project itself imports; a module's own packages lie below its name.
    let mut inputs = HashSet::new();
    for input in document.get("solve-meta").get("input-imports").texts() {
        let ends = input
            .match_indices('/')
            .map(|(at, _)| at)
            .take(32)
            .chain([input.len()]);
        inputs.extend(ends.map(|end| &input[..end]));
    }
    let mut packages = Listing::default();
    for entry in document.get("projects").items() {
        let name = entry.get("name").str();
        if name.is_empty() {
            reading.bad_entry(entry.line, "a project has no name");
            continue;
        }
        let mut package = golang(reading.found_by, name, entry.get("version").str());
        package.add_fact("git-commit", entry.get("revision").str());
        if !inputs.is_empty() {
            package.relation = Some(if inputs.contains(name) {
                Relation::Direct
            } else {
                Relation::Transitive
            });
        }
        packages.push(reading.at(package, entry.line));
    }
    reading.list(packages);
}
