//! `manifest.toml` of Gleam.

use crate::Kind;
use crate::dependency_graph::{DependencyGraph, Id};
use crate::identity::{from_git, from_path, hex};
use crate::lock_file::{LockFile, Reading, alone};
use model::{Meta, Scope};
use std::collections::HashMap;

/// The member.
pub(super) static GLEAM_MANIFEST: LockFile = LockFile {
    meta: &META,
    kind: Kind::Declared,
    wants: |_, name| name == "manifest.toml",
    read,
    combine: alone,
};

static META: Meta = Meta {
    name: "gleam-manifest",
    title: "Hex packages of a Gleam manifest",
    finds: &["manifest.toml"],
    needs: &[],
    references: &["https://gleam.run/writing-gleam/gleam-toml/"],
};

fn read(reading: &mut Reading<'_>) {
    // Other programs have files of this name; Gleam's says so in its first lines or has packages with their build tools.
    if !reading.text.contains("build_tools")
        && !reading.text.contains("Gleam")
        && !reading.text.contains("gleam")
    {
        return;
    }
    let document = reading.toml();
    let mut graph = DependencyGraph::default();
    let mut ids: HashMap<&str, Id> = HashMap::new();
    for entry in document.get("packages").items() {
        let Some((name, version)) = reading.name_and_version(entry) else {
            continue;
        };
        let mut package = hex(reading.found_by, name, version);
        match entry.get("source").str() {
            "git" => from_git(&mut package, entry.get("repo").str(), entry.get("commit").str()),
            "local" => from_path(&mut package, entry.get("path").str()),
            _ => {}
        }
        ids.insert(name, graph.add(reading.at(package, entry.line)));
    }
    let project = graph.add_project("");
    for (name, _) in document.get("requirements").entries() {
        if let Some(&to) = ids.get(&**name) {
            graph.want(project, to, Scope::Runtime);
        }
    }
    for entry in document.get("packages").items() {
        for name in entry.get("requirements").texts() {
            if let (Some(&from), Some(&to)) = (ids.get(entry.get("name").str()), ids.get(name)) {
                graph.want(from, to, Scope::Runtime);
            }
        }
    }
    reading.list_graph(graph);
}
