//! `Podfile.lock` of CocoaPods.

use crate::Kind;
use crate::dependency_graph::{DependencyGraph, Id};
use crate::identity::{from_git, from_path};
use crate::lock_file::{LockFile, Reading, alone};
use model::{Meta, Package, Purl, Scope};
use std::collections::HashMap;

/// The member.
pub(super) static PODFILE_LOCK: LockFile = LockFile {
    meta: &META,
    kind: Kind::Declared,
    wants: |_, name| name == "Podfile.lock",
    read,
    combine: alone,
};

static META: Meta = Meta {
    name: "podfile-lock",
    title: "CocoaPods of a lock file",
    finds: &["Podfile.lock"],
    needs: &[],
    references: &["https://guides.cocoapods.org/using/using-cocoapods.html"],
};

fn read(reading: &mut Reading<'_>) {
    let document = reading.yaml();
    if !document.get("PODS").exists() && !document.get("COCOAPODS").exists() {
        return reading.problem("not a CocoaPods lock file: it has neither `PODS` nor `COCOAPODS`");
    }
    let (external, checkout) = (document.get("EXTERNAL SOURCES"), document.get("CHECKOUT OPTIONS"));
    // These may be long, so they are not searched one by one.
    let sources: HashMap<&str, _> = external
        .entries()
        .iter()
        .map(|(name, node)| (&**name, node))
        .collect();
    let commits: HashMap<&str, _> = checkout
        .entries()
        .iter()
        .map(|(name, node)| (&**name, node))
        .collect();
    let mut graph = DependencyGraph::default();
    let mut ids: HashMap<&str, Id> = HashMap::new();
    let mut wants = Vec::new();
    for item in document.get("PODS").items() {
        // `Name (1.0)`, or a map from that to what it wants.
        let (text, wanted) = match item.entries() {
            [(key, wanted), ..] => (&**key, Some(wanted)),
            [] => (item.str(), None),
        };
        let Some((name, version)) = split(text).filter(|(_, version)| !version.is_empty()) else {
            reading.bad_entry(item.line, format!("`{text}` is no name and version"));
            continue;
        };
        let (pod, subspec) = name.split_once('/').unwrap_or((name, ""));
        let purl = Purl::new("cocoapods", "", pod, version).with_subpath(subspec);
        let mut package = Package::new(reading.found_by, purl, "", name, version);
        if let Some(source) = sources.get(pod) {
            let commit = commits
                .get(pod)
                .map_or("", |options| options.get(":commit").str());
            if let Some(git) = source.get(":git").text() {
                from_git(&mut package, git, commit);
            } else if let Some(path) = source
                .get(":path")
                .text()
                .or_else(|| source.get(":podspec").text())
            {
                from_path(&mut package, path);
            }
        }
        let id = graph.add(reading.at(package, item.line));
        ids.insert(name, id);
        wants.extend(wanted.map(|wanted| (id, wanted)));
    }
    for (from, wanted) in wants {
        for text in wanted.texts() {
            let name = split(text).map_or(text, |(name, _)| name);
            if let Some(&to) = ids.get(name) {
                graph.want(from, to, Scope::Runtime);
            }
        }
    }
    let project = graph.add_project("");
    for text in document.get("DEPENDENCIES").texts() {
        let name = split(text).map_or(text, |(name, _)| name);
        if let Some(&to) = ids.get(name) {
            graph.want(project, to, Scope::Runtime);
        }
    }
    reading.list_graph(graph);
}

/// Name and what stands in the parentheses.
fn split(text: &str) -> Option<(&str, &str)> {
    let (name, rest) = text.split_once(" (")?;
    Some((name, rest.trim_end_matches(')').trim_start_matches("= ")))
}
