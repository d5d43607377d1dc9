//! `nimble.lock` of Nim.

use crate::Kind;
use crate::dependency_graph::{DependencyGraph, Id};
use crate::identity::other;
use crate::lock_file::{LockFile, Reading, alone};
use model::{Meta, Scope};
use std::collections::HashMap;

/// The member.
pub(super) static NIMBLE_LOCK: LockFile = LockFile {
    meta: &META,
    kind: Kind::Declared,
    wants: |_, name| name == "nimble.lock",
    read,
    combine: alone,
};

static META: Meta = Meta {
    name: "nimble-lock",
    title: "Nim packages of a Nimble lock file",
    finds: &["nimble.lock"],
    needs: &[],
    references: &["https://nim-lang.github.io/nimble/"],
};

fn read(reading: &mut Reading<'_>) {
    let document = reading.json();
    if !document.get("packages").exists() {
        return reading.problem("not a Nimble lock file: it has no `packages`");
    }
    let mut graph = DependencyGraph::default();
    let mut ids: HashMap<&str, Id> = HashMap::new();
    let mut wants = Vec::new();
    for (name, entry) in document.get("packages").entries() {
        let version = entry.get("version").str();
        let commit = entry.get("vcsRevision").str();
        if version.is_empty() && commit.is_empty() {
            reading.bad_entry(
                entry.line,
                format!("the package `{name}` has neither version nor revision"),
            );
            continue;
        }
        let mut package = other(reading.found_by, "nimble", name, version);
        package.add_fact("url", entry.get("url").str());
        package.add_fact("git-commit", commit);
        let id = graph.add(reading.at(package, entry.line));
        ids.insert(name, id);
        wants.push((id, entry.get("dependencies")));
    }
    for (from, dependencies) in wants {
        for name in dependencies.texts() {
            if let Some(&to) = ids.get(name) {
                graph.want(from, to, Scope::Runtime);
            }
        }
    }
    reading.list_graph(graph);
}
