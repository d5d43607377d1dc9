//! npm's `package-lock.json` and `npm-shrinkwrap.json`, versions 1 to 3.

use crate::dependency_graph::{DependencyGraph, Id, LEFT_OUT, Manifest, NestedFolders, join_manifests};
use crate::documents::{Node, Value};
use crate::identity::{from_path, npm, npm_resolved, split_npm};
use crate::lock_file::{LockFile, Reading};
use crate::{Kind, license};
use model::{Meta, Package, Scope};
use std::collections::HashMap;

/// The member.
pub(super) static NPM_PACKAGE_LOCK: LockFile = LockFile {
    meta: &META,
    kind: Kind::Declared,
    wants: |_, name| matches!(name, "package-lock.json" | "npm-shrinkwrap.json" | "package.json"),
    read,
    combine: join_manifests,
};

static META: Meta = Meta {
    name: "npm-package-lock",
    title: "npm packages of a lock file, versions 1 to 3",
    finds: &[
        "package-lock.json",
        "npm-shrinkwrap.json",
        "package.json (what the project wants, for version 1)",
    ],
    needs: &[],
    references: &["https://docs.npmjs.com/cli/v11/configuring-npm/package-lock-json"],
};

fn read(reading: &mut Reading<'_>) {
    if reading.file_name() == "package.json" {
        return read_manifest(reading);
    }
    // In versions 2 and 3 the fields of a package stand three keys deep; the largest ones are of no use here.
    let document = reading.json_without(|depth, key| {
        depth == 2
            && matches!(
                key,
                "integrity" | "engines" | "funding" | "bin" | "os" | "cpu" | "peerDependenciesMeta"
            )
    });
    if document.get("packages").entries().is_empty() {
        if document.get("dependencies").exists() {
            read_tree(reading, &document);
        } else if !document.get("lockfileVersion").exists() && !document.get("packages").exists() {
            reading.problem("not an npm lock file: it has neither `packages` nor `dependencies`");
        }
    } else {
        read_packages(reading, &document);
    }
}

/// What the project wants, by name.
fn read_manifest(reading: &mut Reading<'_>) {
    let document = reading.json();
    let (name, version) = (document.get("name").str(), document.get("version").str());
    let mut manifest = Manifest::new(reading.out, name, version);
    for (key, scope) in WANTED {
        for (name, _) in document.get(key).entries() {
            manifest.wants(&**name, scope);
        }
    }
}

/// The maps of a project that name what it wants.
const WANTED: [(&str, Scope); 3] = [
    ("dependencies", Scope::Runtime),
    ("optionalDependencies", Scope::Optional),
    ("devDependencies", Scope::Development),
];

fn scope(entry: &Node<'_>) -> Scope {
    if entry.get("dev").is_true() {
        Scope::Development
    } else if entry.get("optional").is_true() || entry.get("devOptional").is_true() {
        Scope::Optional
    } else {
        Scope::Runtime
    }
}

fn licenses(entry: &Node<'_>) -> Vec<String> {
    let field = entry.get("license");
    let text = field.text().unwrap_or_else(|| field.get("type").str());
    license::expressions(text)
}

/// Versions 2 and 3: a flat map from the folder of each package.
fn read_packages(reading: &mut Reading<'_>, document: &Node<'_>) {
    let packages = document.get("packages").entries();
    let mut graph = DependencyGraph::default();
    let mut places: HashMap<&str, Id> = HashMap::new();
    let mut links: Vec<(&str, &str)> = Vec::new();
    for (path, entry) in packages {
        if entry.get("link").is_true() {
            links.push((path, entry.get("resolved").str()));
        }
    }
    let link_names: HashMap<&str, &str> = links
        .iter()
        .map(|(path, target)| (*target, name_in(path)))
        .collect();
    for (path, entry) in packages {
        if entry.get("link").is_true() {
            continue;
        }
        if !matches!(entry.value, Value::Map(_)) {
            reading.bad_entry(
                entry.line,
                format!("the entry of `{path}` is {}, not a map", entry.kind()),
            );
            continue;
        }
        let version = entry.get("version").str();
        let own = !path.contains("node_modules/");
        let name = entry.get("name").text().unwrap_or_else(|| match &**path {
            "" => document.get("name").str(),
            path if own => link_names.get(path).copied().unwrap_or_default(),
            path => name_in(path),
        });
        let id = if name.is_empty() {
            if !own {
                reading.bad_entry(entry.line, format!("the entry `{path}` has no name"));
                continue;
            }
            graph.add_project("")
        } else {
            let mut package = reading.at(npm(reading.found_by, name, version), entry.line);
            package.licenses = licenses(entry);
            if own {
                from_path(&mut package, if path.is_empty() { "." } else { path });
                graph.add_root(package)
            } else {
                npm_resolved(&mut package, entry.get("resolved").str());
                if version.is_empty() && package.fact("url").is_none() {
                    reading.bad_entry(entry.line, format!("the entry of `{path}` has no version"));
                }
                package.scope = Some(scope(entry));
                graph.add(package)
            }
        };
        if id != LEFT_OUT {
            places.insert(path, id);
        }
    }
    for (path, target) in links {
        if let Some(&id) = places.get(target) {
            places.insert(path, id);
        }
    }
    // Node's own way: the nearest `node_modules` folder upwards that has the package.
    let mut folders = NestedFolders::default();
    for (path, id) in &places {
        if let Some((folder, name)) = path.rsplit_once("node_modules/") {
            folders.add(folder.trim_end_matches('/'), name, *id);
        }
    }
    for (path, entry) in packages {
        let Some(&from) = places.get(&**path).filter(|_| !entry.get("link").is_true()) else {
            continue;
        };
        let seen = folders.seen_from(path);
        for (key, scope) in WANTED.into_iter().chain([("peerDependencies", Scope::Runtime)]) {
            for (name, _) in entry.get(key).entries() {
                if let Some(to) = seen.iter().find_map(|folder| folder.get(&**name)) {
                    graph.want(from, *to, scope);
                }
            }
        }
    }
    reading.list_graph(graph);
}

/// `@scope/name` of `a/node_modules/@scope/name`.
fn name_in(path: &str) -> &str {
    path.rsplit_once("node_modules/").map_or(path, |(_, name)| name)
}

/// One `dependencies` map of version 1 and the map around it.
#[derive(Default)]
struct Level<'n> {
    above: Option<usize>,
    names: HashMap<&'n str, Id>,
}

/// Version 1: maps inside maps.
fn read_tree<'n>(reading: &mut Reading<'_>, document: &'n Node<'_>) {
    let mut graph = DependencyGraph::default();
    let mut levels = vec![Level::default()];
    let mut wants: Vec<(Id, usize, &'n Node<'_>)> = Vec::new();
    let mut open = vec![(document.get("dependencies"), 0)];
    while let Some((map, level)) = open.pop() {
        for (name, entry) in map.entries() {
            let Some(package) = tree_package(reading, name, entry) else {
                continue;
            };
            let id = graph.add(package);
            levels[level].names.insert(name, id);
            // What a package requires is sought in its own map first.
            let nested = entry.get("dependencies");
            let mut start = level;
            if nested.exists() {
                start = levels.len();
                levels.push(Level {
                    above: Some(level),
                    names: HashMap::new(),
                });
                open.push((nested, start));
            }
            wants.push((id, start, entry));
        }
    }
    for (from, start, entry) in wants {
        for (name, _) in entry.get("requires").entries() {
            let mut at = Some(start);
            while let Some(level) = at.and_then(|at| levels.get(at)) {
                if let Some(&to) = level.names.get(&**name) {
                    graph.want(from, to, Scope::Runtime);
                    break;
                }
                at = level.above;
            }
        }
    }
    let requests: Vec<(&str, Id)> = levels
        .first()
        .map(|top| top.names.iter().map(|(name, id)| (*name, *id)).collect())
        .unwrap_or_default();
    reading.suspend(graph, requests.into_iter());
}

fn tree_package(reading: &mut Reading<'_>, name: &str, entry: &Node<'_>) -> Option<Package> {
    if !matches!(entry.value, Value::Map(_)) {
        reading.bad_entry(
            entry.line,
            format!("the entry of `{name}` is {}, not a map", entry.kind()),
        );
        return None;
    }
    let version = entry.get("version").str();
    if version.is_empty() {
        reading.bad_entry(entry.line, format!("the entry of `{name}` has no version"));
        return None;
    }
    let alias = version.strip_prefix("npm:").and_then(split_npm);
    let (name, version) = alias.unwrap_or((name, version));
    let is_version = version.starts_with(|first: char| first.is_ascii_digit());
    let mut package = npm(reading.found_by, name, if is_version { version } else { "" });
    npm_resolved(
        &mut package,
        if is_version {
            entry.get("resolved").str()
        } else {
            version
        },
    );
    package.scope = Some(scope(entry));
    Some(reading.at(package, entry.line))
}
