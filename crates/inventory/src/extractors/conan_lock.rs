//! `conan.lock` of Conan 1 and 2, and `conanfile.txt`.

use crate::Kind;
use crate::dependency_graph::{DependencyGraph, Id};
use crate::documents::Node;
use crate::identity::with_requirement;
use crate::lock_file::{Listing, LockFile, Reading, alone};
use model::{Meta, Package, Purl, Relation, Scope};
use std::collections::HashMap;

/// The member.
pub(super) static CONAN_LOCK: LockFile = LockFile {
    meta: &META,
    kind: Kind::Declared,
    wants: |_, name| matches!(name, "conan.lock" | "conanfile.txt"),
    read,
    combine: alone,
};

static META: Meta = Meta {
    name: "conan-lock",
    title: "C and C++ packages of Conan, versions 1 and 2",
    finds: &["conan.lock", "conanfile.txt"],
    needs: &[],
    references: &["https://docs.conan.io/2/tutorial/versioning/lockfiles.html"],
};

/// Lists of version 2 and sections of `conanfile.txt`.
const LISTS: [(&str, Scope); 5] = [
    ("requires", Scope::Runtime),
    ("build_requires", Scope::Development),
    ("tool_requires", Scope::Development),
    ("test_requires", Scope::Development),
    ("python_requires", Scope::Development),
];

fn read(reading: &mut Reading<'_>) {
    if reading.file_name() == "conanfile.txt" {
        return read_conanfile(reading);
    }
    let document = reading.json();
    let nodes = document.get("graph_lock").get("nodes");
    if nodes.exists() {
        return read_graph(reading, nodes);
    }
    if !document.get("requires").exists() && !document.get("version").exists() {
        return reading.problem("not a Conan lock file: it has neither `graph_lock` nor `requires`");
    }
    let mut packages = Listing::default();
    for (list, scope) in LISTS {
        for item in document.get(list).items() {
            // In some versions an item is a pair of the reference and what is known of it.
            let reference = item.text().or_else(|| item.items().first().and_then(Node::text));
            match reference.and_then(|reference| package(reading.found_by, reference)) {
                Some(mut package) => {
                    package.scope = Some(scope);
                    packages.push(reading.at(package, item.line));
                }
                None => reading.bad_entry(item.line, format!("`{}` in `{list}` is no reference", item.str())),
            }
        }
    }
    reading.list(packages);
}

fn read_graph(reading: &mut Reading<'_>, nodes: &Node<'_>) {
    let mut graph = DependencyGraph::scoped();
    let mut ids: HashMap<&str, Id> = HashMap::new();
    for (key, entry) in nodes.entries() {
        let reference = entry.get("ref").str();
        // The consumer has the path of its recipe, and no reference if it has no name.
        let consumer = entry.get("path").exists();
        let id = match package(reading.found_by, reference) {
            Some(mut package) if consumer => {
                package.ecosystem.clear();
                graph.add_root(reading.at(package, entry.line))
            }
            Some(package) => graph.add(reading.at(package, entry.line)),
            None if consumer || key == "0" => graph.add_project(""),
            None => {
                reading.bad_entry(entry.line, format!("the node `{key}` has no reference"));
                continue;
            }
        };
        ids.insert(key, id);
    }
    for (key, entry) in nodes.entries() {
        for (list, scope) in LISTS {
            for wanted in entry.get(list).texts() {
                if let (Some(&from), Some(&to)) = (ids.get(&**key), ids.get(wanted)) {
                    graph.want(from, to, scope);
                }
            }
        }
    }
    reading.list_graph(graph);
}

fn read_conanfile(reading: &mut Reading<'_>) {
    let mut packages = Listing::default();
    let mut section = None;
    for (number, line) in reading.lines() {
        let line = line.split('#').next().unwrap_or(line).trim();
        if let Some(name) = line.strip_prefix('[').and_then(|name| name.strip_suffix(']')) {
            section = LISTS.iter().find(|(list, _)| *list == name);
        } else if let (Some((_, scope)), false) = (section, line.is_empty()) {
            match package(reading.found_by, line) {
                Some(mut package) => {
                    package.scope = Some(*scope);
                    package.relation = Some(Relation::Direct);
                    packages.push(reading.at(package, number));
                }
                None => reading.bad_entry(number, format!("`{line}` is no reference")),
            }
        }
    }
    reading.list(packages);
}

/// A package from `name/version[@user/channel][#revision[%time]][:package]`.
fn package(found_by: &str, reference: &str) -> Option<Package> {
    let (reference, revision) = reference.split_once('#').unwrap_or((reference, ""));
    let revision = revision.split(['%', ':']).next().unwrap_or(revision);
    let (reference, place) = reference.split_once('@').unwrap_or((reference, ""));
    let (user, channel) = place.split_once('/').unwrap_or((place, ""));
    let (name, version) = reference.split_once('/')?;
    if name.is_empty() || version.is_empty() || version.contains('/') {
        return None;
    }
    let range = version.starts_with('[');
    let purl = Purl::new("conan", "", name, if range { "" } else { version })
        .with_qualifier("user", user)
        .with_qualifier("channel", channel)
        .with_qualifier("rrev", revision);
    let mut package = Package::new(
        found_by,
        purl,
        "ConanCenter",
        name,
        if range { "" } else { version },
    );
    if range {
        with_requirement(&mut package, version.trim_matches(['[', ']']));
    }
    Some(package)
}
