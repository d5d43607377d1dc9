//! `deno.lock`, versions 2 to 5: npm and JSR packages, and modules by address.

use crate::Kind;
use crate::dependency_graph::{DependencyGraph, Id};
use crate::documents::{Node, Value};
use crate::identity::{from_url, npm, other, slashed, split_npm};
use crate::lock_file::{LockFile, Reading, alone};
use model::{Meta, Package, Scope};
use std::collections::HashMap;

/// The member.
pub(super) static DENO_LOCK: LockFile = LockFile {
    meta: &META,
    kind: Kind::Declared,
    wants: |_, name| name == "deno.lock",
    read,
    combine: alone,
};

static META: Meta = Meta {
    name: "deno-lock",
    title: "npm, JSR and deno.land packages of a Deno lock file",
    finds: &["deno.lock"],
    needs: &[],
    references: &["https://docs.deno.com/runtime/fundamentals/modules/"],
};

fn read(reading: &mut Reading<'_>) {
    let document = reading.json();
    // Version 3 has all under `packages`, version 2 has the npm packages under `npm.packages`.
    let packages = document.get("packages");
    let (top, npm_packages) = if packages.exists() {
        (packages, packages.get("npm"))
    } else if document.get("npm").get("packages").exists() {
        (&document, document.get("npm").get("packages"))
    } else {
        (&document, document.get("npm"))
    };
    if !document.get("version").exists() {
        reading.problem("not a Deno lock file: it has no `version`");
    }
    let mut graph = DependencyGraph::default();
    let mut ids: HashMap<String, Id> = HashMap::new();
    let mut names: HashMap<String, Id> = HashMap::new();
    let mut wants: Vec<(Id, &str, &Node<'_>)> = Vec::new();
    for (registry, entries) in [("npm", npm_packages), ("jsr", top.get("jsr"))] {
        for (key, entry) in entries.entries() {
            // `name@1.0.0_peer@2.0.0`
            let Some((name, version)) = split_npm(key) else {
                reading.bad_entry(
                    entry.line,
                    format!("the entry `{key}` names no package and version"),
                );
                continue;
            };
            let version = version.split_once('_').map_or(version, |(version, _)| version);
            let package = if registry == "npm" {
                npm(reading.found_by, name, version)
            } else {
                jsr(reading, name, version)
            };
            let id = graph.add(reading.at(package, entry.line));
            ids.insert(format!("{registry}:{key}"), id);
            ids.entry(format!("{registry}:{name}@{version}")).or_insert(id);
            names.insert(format!("{registry}:{name}"), id);
            wants.push((id, registry, entry.get("dependencies")));
        }
    }
    // `npm:name@range` and the version that answers it.
    let mut specifiers = HashMap::new();
    for map in [top.get("specifiers"), document.get("npm").get("specifiers")] {
        for (asked, answer) in map.entries() {
            let registry = asked.split_once(':').map_or("npm", |(registry, _)| registry);
            let name = split_npm(asked.split_once(':').map_or(asked, |(_, rest)| rest))
                .map_or(&**asked, |(name, _)| name);
            let answer = answer.str();
            let key = if answer.starts_with("npm:") || answer.starts_with("jsr:") {
                answer.to_owned()
            } else if split_npm(answer).is_some() && !answer.starts_with(|first: char| first.is_ascii_digit())
            {
                format!("{registry}:{answer}")
            } else {
                let name = name
                    .strip_prefix("npm:")
                    .or(name.strip_prefix("jsr:"))
                    .unwrap_or(name);
                format!("{registry}:{name}@{answer}")
            };
            specifiers.insert(&**asked, key);
        }
    }
    let find = |asked: &str, registry: &str| {
        let full = if asked.contains(':') {
            asked.to_owned()
        } else {
            format!("{registry}:{asked}")
        };
        let by_request = specifiers.get(full.as_str()).or_else(|| specifiers.get(asked));
        by_request
            .and_then(|key| ids.get(key))
            .or_else(|| ids.get(&full))
            // A name alone stands for its only version.
            .or_else(|| names.get(&full))
            .copied()
    };
    let mut edges = Vec::new();
    for (from, registry, dependencies) in wants {
        match &dependencies.value {
            // Version 3: names with the keys that answer them.
            Value::Map(entries) => {
                for (_, key) in entries {
                    edges.extend(
                        ids.get(&format!("{registry}:{}", key.str()))
                            .map(|to| (from, *to)),
                    );
                }
            }
            _ => {
                for asked in dependencies.texts() {
                    edges.extend(find(asked, registry).map(|to| (from, to)));
                }
            }
        }
    }
    let workspace = document.get("workspace");
    let members = workspace
        .get("members")
        .entries()
        .iter()
        .map(|(_, member)| member);
    let project = graph.add_project("");
    for part in [workspace].into_iter().chain(members) {
        let lists = [
            part.get("dependencies"),
            part.get("packageJson").get("dependencies"),
        ];
        for asked in lists.into_iter().flat_map(Node::texts) {
            edges.extend(find(asked, "npm").map(|to| (project, to)));
        }
    }
    for (from, to) in edges {
        graph.want(from, to, Scope::Runtime);
    }
    for (url, entry) in document.get("remote").entries() {
        if let Some(package) = deno_land(reading, url) {
            graph.add(reading.at(package, entry.line));
        }
    }
    reading.list_graph(graph);
}

pub(super) fn jsr(reading: &Reading<'_>, name: &str, version: &str) -> Package {
    let purl = slashed("jsr", name, version);
    Package::new(reading.found_by, purl, "", name, version)
}

/// The package that a module's address belongs to: `https://deno.land/std@0.224.0/…` and `https://deno.land/x/oak@v12.0.0/…`
/// name one, addresses elsewhere stand for themselves.
fn deno_land(reading: &Reading<'_>, url: &str) -> Option<Package> {
    let Some(path) = url.strip_prefix("https://deno.land/") else {
        let place = url.split_once("://").map_or(url, |(_, place)| place);
        let purl = slashed("generic", place, "");
        let mut package = Package::new(reading.found_by, purl, "", place, "");
        from_url(&mut package, url);
        return Some(package);
    };
    let (folder, path) = path.strip_prefix("x/").map_or(("", path), |path| ("x/", path));
    let full = path.split('/').next()?;
    let (name, version) = full.split_once('@').unwrap_or((full, ""));
    let mut package = other(reading.found_by, "generic", name, version);
    from_url(&mut package, &format!("https://deno.land/{folder}{full}"));
    Some(package)
}
