//! `paket.lock` of Paket.

use crate::Kind;
use crate::dependency_graph::{DependencyGraph, Id};
use crate::identity::{from_git, nuget, other};
use crate::lock_file::{LockFile, Reading, alone};
use model::{Meta, Scope};
use std::collections::HashMap;

/// The member.
pub(super) static PAKET_LOCK: LockFile = LockFile {
    meta: &META,
    kind: Kind::Declared,
    wants: |_, name| name == "paket.lock",
    read,
    combine: alone,
};

static META: Meta = Meta {
    name: "paket-lock",
    title: "NuGet packages of a Paket lock file",
    finds: &["paket.lock"],
    needs: &[],
    references: &["https://fsprojects.github.io/Paket/lock-file.html"],
};

fn read(reading: &mut Reading<'_>) {
    let mut graph = DependencyGraph::default();
    let (mut section, mut remote, mut group) = ("", "", "Main");
    let mut ids: HashMap<(String, String), Id> = HashMap::new();
    let mut wants: Vec<(Id, String, &str)> = Vec::new();
    let mut current = None;
    for (number, line) in reading.lines() {
        let text = line.trim();
        if text.is_empty() {
            continue;
        }
        match line.len() - line.trim_start().len() {
            0 => {
                if let Some(name) = text.strip_prefix("GROUP ") {
                    group = name;
                    section = "";
                } else {
                    section = text;
                }
                current = None;
            }
            2 => remote = text.strip_prefix("remote: ").unwrap_or(remote),
            4 => {
                let Some((name, version)) = split(text) else {
                    if !text.starts_with("specs:") {
                        reading.bad_entry(number, format!("`{text}` is no name and version"));
                    }
                    continue;
                };
                let mut package = match section {
                    "NUGET" => nuget(reading.found_by, name, version),
                    "GITHUB" | "GIT" | "HTTP" => {
                        let mut package = other(reading.found_by, "generic", name, "");
                        from_git(&mut package, remote, if section == "HTTP" { "" } else { version });
                        package
                    }
                    _ => continue,
                };
                let development = !group.eq_ignore_ascii_case("main")
                    && crate::python_requirements::is_development_group(group)
                    || group.eq_ignore_ascii_case("build");
                package.scope = Some(if development {
                    Scope::Development
                } else {
                    Scope::Runtime
                });
                let id = graph.add(reading.at(package, number));
                ids.insert((group.to_owned(), name.to_ascii_lowercase()), id);
                current = Some(id);
            }
            6 => wants
                .extend(current.map(|id| (id, group.to_owned(), split(text).map_or(text, |(name, _)| name)))),
            _ => {}
        }
    }
    for (from, group, name) in wants {
        let name = name.split(' ').next().unwrap_or(name);
        if let Some(&to) = ids.get(&(group, name.to_ascii_lowercase())) {
            graph.want(from, to, Scope::Runtime);
        }
    }
    reading.list_graph(graph);
}

/// Name and what stands first in the parentheses of `Name (1.0) - restriction: …`.
fn split(text: &str) -> Option<(&str, &str)> {
    let (name, rest) = text.split_once(" (")?;
    let (version, _) = rest.split_once(')')?;
    Some((name.trim(), version.trim()))
}
