//! `packages.lock.json` of NuGet.

use crate::Kind;
use crate::dependency_graph::{DependencyGraph, Id};
use crate::identity::{from_path, nuget};
use crate::lock_file::{LockFile, Reading, alone};
use model::{Meta, Scope};
use std::collections::HashMap;

/// The member.
pub(super) static NUGET_PACKAGES_LOCK: LockFile = LockFile {
    meta: &META,
    kind: Kind::Declared,
    wants: |_, name| {
        name == "packages.lock.json" || (name.starts_with("packages.") && name.ends_with(".lock.json"))
    },
    read,
    combine: alone,
};

static META: Meta = Meta {
    name: "nuget-packages-lock",
    title: "NuGet packages of a lock file",
    finds: &["packages.lock.json", "packages.*.lock.json"],
    needs: &[],
    references: &[
        "https://learn.microsoft.com/nuget/consume-packages/package-references-in-project-files#locking-dependencies",
    ],
};

fn read(reading: &mut Reading<'_>) {
    let document = reading.json();
    if !document.get("dependencies").exists() {
        return reading.problem("not a NuGet lock file: it has no `dependencies`");
    }
    let mut graph = DependencyGraph::default();
    let project = graph.add_project("");
    for (_, framework) in document.get("dependencies").entries() {
        // Names are resolved within a framework, whatever their letter case.
        let mut ids: HashMap<String, Id> = HashMap::new();
        let mut wants = Vec::new();
        for (name, entry) in framework.entries() {
            let kind = entry.get("type").str();
            let version = entry.get("resolved").str();
            let mut package = nuget(reading.found_by, name, version);
            if kind == "Project" {
                from_path(&mut package, name);
            } else if version.is_empty() {
                reading.bad_entry(
                    entry.line,
                    format!("the package `{name}` has no resolved version"),
                );
                continue;
            }
            let id = graph.add(reading.at(package, entry.line));
            if matches!(kind, "Direct" | "Project") {
                graph.want(project, id, Scope::Runtime);
            }
            ids.insert(name.to_ascii_lowercase(), id);
            wants.push((id, entry.get("dependencies")));
        }
        for (from, dependencies) in wants {
            for (name, _) in dependencies.entries() {
                if let Some(&to) = ids.get(&name.to_ascii_lowercase()) {
                    graph.want(from, to, Scope::Runtime);
                }
            }
        }
    }
    reading.list_graph(graph);
}
