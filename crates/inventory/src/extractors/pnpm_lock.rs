//! `pnpm-lock.yaml`, lock file versions 5, 6 and 9.

use crate::Kind;
use crate::dependency_graph::{DependencyGraph, Id};
use crate::documents::{Node, Value};
use crate::identity::{from_git, from_path, npm, npm_resolved, split_npm};
use crate::lock_file::{LockFile, Reading, alone};
use model::{Meta, Package, Scope};
use std::collections::HashMap;

/// The member.
pub(super) static PNPM_LOCK: LockFile = LockFile {
    meta: &META,
    kind: Kind::Declared,
    wants: |_, name| name == "pnpm-lock.yaml",
    read,
    combine: alone,
};

static META: Meta = Meta {
    name: "pnpm-lock",
    title: "npm packages of a pnpm lock file, versions 5, 6 and 9",
    finds: &["pnpm-lock.yaml"],
    needs: &[],
    references: &["https://github.com/pnpm/spec/tree/master/lockfile"],
};

const WANTED: [(&str, Scope); 3] = [
    ("dependencies", Scope::Runtime),
    ("optionalDependencies", Scope::Optional),
    ("devDependencies", Scope::Development),
];

fn read(reading: &mut Reading<'_>) {
    // Since version 11 pnpm keeps its own tools in a document before the project's.
    for document in reading.yaml_documents() {
        if document.get("lockfileVersion").exists() || document.get("packages").exists() {
            read_document(reading, &document);
        } else {
            reading.problem("not a pnpm lock file: it has no `lockfileVersion`");
        }
    }
}

fn read_document(reading: &mut Reading<'_>, document: &Node<'_>) {
    let version = document.get("lockfileVersion").str();
    let slashes = version.starts_with(['1', '2', '3', '4', '5']) && !version.starts_with("10");
    let mut graph = DependencyGraph::scoped();
    let mut ids: HashMap<&str, Id> = HashMap::new();
    for (key, entry) in document.get("packages").entries() {
        match package(reading, key, entry, slashes) {
            Some(package) => {
                ids.insert(key, graph.add(reading.at(package, entry.line)));
            }
            None => reading.bad_entry(
                entry.line,
                format!("the entry `{key}` names no package and version"),
            ),
        }
    }
    // Version 9 keeps what each package wants apart, under keys that also name the peers.
    let snapshots = document.get("snapshots").entries();
    for (key, _) in snapshots {
        if let Some(&id) = ids.get(without_peers(key)) {
            ids.insert(key, id);
        }
    }
    for (key, entry) in document.get("packages").entries().iter().chain(snapshots) {
        if let Some(&from) = ids.get(&**key) {
            want_all(&mut graph, &ids, from, entry);
        }
    }
    let importers = document.get("importers").entries();
    for (folder, importer) in importers {
        let project = graph.add_project(if folder == "." { "" } else { folder });
        want_all(&mut graph, &ids, project, importer);
    }
    if importers.is_empty() {
        let project = graph.add_project("");
        want_all(&mut graph, &ids, project, document);
    }
    reading.list_graph(graph);
}

fn want_all(graph: &mut DependencyGraph, ids: &HashMap<&str, Id>, from: Id, entry: &Node<'_>) {
    for (key, scope) in WANTED {
        for (name, value) in entry.get(key).entries() {
            let reference = value.text().unwrap_or_else(|| value.get("version").str());
            let found = [
                format!("/{name}@{reference}"),
                format!("/{name}/{reference}"),
                format!("{name}@{reference}"),
                format!("/{reference}"),
            ]
            .iter()
            .map(String::as_str)
            .chain([reference])
            .find_map(|key| ids.get(key).copied());
            if let Some(to) = found {
                graph.want(from, to, scope);
            }
        }
    }
}

/// A key without the peers that follow in parentheses.
fn without_peers(key: &str) -> &str {
    key.split_once('(').map_or(key, |(key, _)| key)
}

/// Name and version, or whatever stands in the version's place, of a key.
fn parse_key(key: &str, slashes: bool) -> Option<(&str, &str)> {
    let key = without_peers(key);
    if slashes {
        // `/@scope/name/1.0.0_peer@2.0.0`, where the peers' slashes are written `+`.
        let (name, version) = key.strip_prefix('/')?.rsplit_once('/')?;
        Some((
            name,
            version.split_once('_').map_or(version, |(version, _)| version),
        ))
    } else {
        split_npm(key.strip_prefix('/').unwrap_or(key))
    }
}

fn package(reading: &Reading<'_>, key: &str, entry: &Node<'_>, slashes: bool) -> Option<Package> {
    if !matches!(entry.value, Value::Map(_)) {
        return None;
    }
    let parsed = parse_key(key, slashes);
    let (name, place) = match (entry.get("name").text(), parsed) {
        (Some(name), parsed) => (name, parsed.map_or(key, |(_, place)| place)),
        (None, parsed) => parsed?,
    };
    let is_version = place.starts_with(|first: char| first.is_ascii_digit());
    let version = entry
        .get("version")
        .text()
        .unwrap_or(if is_version { place } else { "" });
    let mut package = npm(reading.found_by, name, version);
    let resolution = entry.get("resolution");
    if let Some(repository) = resolution.get("repo").text() {
        from_git(&mut package, repository, resolution.get("commit").str());
    } else if let Some(folder) = resolution.get("directory").text() {
        from_path(&mut package, folder);
    } else if let Some(tarball) = resolution.get("tarball").text() {
        npm_resolved(&mut package, tarball);
    } else if !is_version && entry.get("version").text().is_none() {
        npm_resolved(&mut package, place);
    }
    if entry.get("dev").is_true() {
        package.scope = Some(Scope::Development);
    } else if entry.get("optional").is_true() {
        package.scope = Some(Scope::Optional);
    } else if entry.get("dev").exists() {
        package.scope = Some(Scope::Runtime);
    }
    Some(package)
}
