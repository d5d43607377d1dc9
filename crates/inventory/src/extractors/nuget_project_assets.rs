//! `obj/project.assets.json`, what NuGet's restore resolved.

use crate::Kind;
use crate::dependency_graph::{DependencyGraph, Id};
use crate::identity::{from_path, nuget};
use crate::lock_file::{LockFile, Reading, alone};
use model::{Meta, Scope};
use std::collections::HashMap;

/// The member.
pub(super) static NUGET_PROJECT_ASSETS: LockFile = LockFile {
    meta: &META,
    kind: Kind::Declared,
    wants: |_, name| name == "project.assets.json",
    read,
    combine: alone,
};

static META: Meta = Meta {
    name: "nuget-project-assets",
    title: "NuGet packages that a restore resolved",
    finds: &["project.assets.json"],
    needs: &[],
    references: &["https://learn.microsoft.com/nuget/concepts/package-installation-process"],
};

fn read(reading: &mut Reading<'_>) {
    // Lists of files are the bulk of it: targets > framework > package > field.
    let document = reading.json_without(|depth, key| {
        (depth == 3
            && matches!(
                key,
                "compile" | "runtime" | "build" | "resource" | "contentFiles" | "runtimeTargets"
            ))
            || (depth == 2 && key == "files")
    });
    if !document.get("targets").exists() {
        return reading.problem("not the assets of a NuGet restore: it has no `targets`");
    }
    let mut graph = DependencyGraph::default();
    let restore = document.get("project").get("restore");
    let own = restore.get("projectName").str();
    let root = if own.is_empty() {
        graph.add_project("")
    } else {
        let mut package = nuget(
            reading.found_by,
            own,
            document.get("project").get("version").str(),
        );
        from_path(&mut package, ".");
        graph.add_root(reading.at(package, 0))
    };
    let frameworks = document.get("project").get("frameworks");
    for (target, entries) in document.get("targets").entries() {
        let mut ids: HashMap<String, Id> = HashMap::new();
        let mut wants = Vec::new();
        for (key, entry) in entries.entries() {
            let Some((name, version)) = key.split_once('/') else {
                reading.bad_entry(entry.line, format!("`{key}` is not name and version"));
                continue;
            };
            let mut package = nuget(reading.found_by, name, version);
            if entry.get("type").str() == "project" {
                from_path(&mut package, name);
            }
            let id = graph.add(reading.at(package, entry.line));
            ids.insert(name.to_ascii_lowercase(), id);
            wants.push((id, entry.get("dependencies")));
        }
        // A target is `net8.0` or, for one runtime, `net8.0/linux-x64`; older ones are written in full.
        let short = target.split('/').next().unwrap_or(target);
        let direct = match frameworks.get(short) {
            known if known.exists() => vec![known],
            _ => frameworks
                .entries()
                .iter()
                .map(|(_, framework)| framework)
                .collect(),
        };
        for (name, _) in direct
            .into_iter()
            .flat_map(|framework| framework.get("dependencies").entries())
        {
            if let Some(&to) = ids.get(&name.to_ascii_lowercase()) {
                graph.want(root, to, Scope::Runtime);
            }
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
