//! `maven_install.json`, the lock file of Bazel's rules_jvm_external, both of its forms.

use crate::Kind;
use crate::dependency_graph::{DependencyGraph, Id};
use crate::identity::maven;
use crate::lock_file::{LockFile, Reading, alone};
use model::{Meta, Scope};
use std::collections::HashMap;

/// The member.
pub(super) static BAZEL_MAVEN_INSTALL: LockFile = LockFile {
    meta: &META,
    kind: Kind::Declared,
    wants: |_, name| name.ends_with("maven_install.json"),
    read,
    combine: alone,
};

static META: Meta = Meta {
    name: "bazel-maven-install",
    title: "Maven artifacts of Bazel's rules_jvm_external",
    finds: &["*maven_install.json"],
    needs: &[],
    references: &["https://github.com/bazel-contrib/rules_jvm_external"],
};

fn read(reading: &mut Reading<'_>) {
    let document = reading.json();
    let mut graph = DependencyGraph::default();
    let mut ids: HashMap<String, Id> = HashMap::new();
    let mut wants = Vec::new();
    let tree = document.get("dependency_tree");
    if tree.exists() {
        for entry in tree.get("dependencies").items() {
            let coordinates = entry.get("coord").str();
            let Some((group, artifact, version)) = split(coordinates) else {
                reading.bad_entry(
                    entry.line,
                    format!("`{coordinates}` is not group, artifact and version"),
                );
                continue;
            };
            let id = graph.add(reading.at(maven(reading.found_by, group, artifact, version), entry.line));
            ids.insert(coordinates.to_owned(), id);
            for wanted in entry.get("directDependencies").texts() {
                wants.push((id, wanted));
            }
        }
    } else if document.get("artifacts").exists() {
        for (name, entry) in document.get("artifacts").entries() {
            let version = entry.get("version").str();
            let mut parts = name.split(':');
            let (Some(group), Some(artifact), false) = (parts.next(), parts.next(), version.is_empty())
            else {
                reading.bad_entry(
                    entry.line,
                    format!("the artifact `{name}` lacks group, name or version"),
                );
                continue;
            };
            let id = graph.add(reading.at(maven(reading.found_by, group, artifact, version), entry.line));
            ids.insert(name.to_string(), id);
        }
        for (name, list) in document.get("dependencies").entries() {
            if let Some(&from) = ids.get(&**name) {
                for wanted in list.texts() {
                    wants.push((from, wanted));
                }
            }
        }
    } else {
        return reading.problem(
            "not a lock file of rules_jvm_external: it has neither `artifacts` nor `dependency_tree`",
        );
    }
    for (from, wanted) in wants {
        if let Some(&to) = ids.get(wanted) {
            graph.want(from, to, Scope::Runtime);
        }
    }
    reading.list_graph(graph);
}

/// Group, artifact and version of `g:a:v`, `g:a:type:v` and `g:a:type:classifier:v`.
fn split(coordinates: &str) -> Option<(&str, &str, &str)> {
    let (rest, version) = coordinates.rsplit_once(':')?;
    let mut parts = rest.split(':');
    let (group, artifact) = (parts.next()?, parts.next()?);
    (!group.is_empty() && !artifact.is_empty() && !version.is_empty()).then_some((group, artifact, version))
}
