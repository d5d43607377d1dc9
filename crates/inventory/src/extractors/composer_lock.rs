//! `composer.lock` of Composer.

use crate::dependency_graph::{DependencyGraph, Id, Manifest, join_manifests};
use crate::identity::{composer, from_git, from_path};
use crate::lock_file::{LockFile, Reading};
use crate::{Kind, license};
use model::{Meta, Scope};
use std::collections::HashMap;

/// The member.
pub(super) static COMPOSER_LOCK: LockFile = LockFile {
    meta: &META,
    kind: Kind::Declared,
    wants: |_, name| matches!(name, "composer.lock" | "composer.json"),
    read,
    combine: join_manifests,
};

static META: Meta = Meta {
    name: "composer-lock",
    title: "PHP packages of a Composer lock file",
    finds: &["composer.lock", "composer.json (what the project wants)"],
    needs: &[],
    references: &["https://getcomposer.org/doc/01-basic-usage.md"],
};

fn read(reading: &mut Reading<'_>) {
    let document = reading.json();
    if reading.file_name() == "composer.json" {
        let (name, version) = (document.get("name").str(), document.get("version").str());
        let mut manifest = Manifest::new(reading.out, name, version);
        for (key, scope) in [("require", Scope::Runtime), ("require-dev", Scope::Development)] {
            for (name, _) in document.get(key).entries() {
                manifest.wants(name.to_ascii_lowercase(), scope);
            }
        }
        return;
    }
    if !document.get("packages").exists() && !document.get("packages-dev").exists() {
        return reading.problem("not a Composer lock file: it has neither `packages` nor `packages-dev`");
    }
    let mut graph = DependencyGraph::default();
    let mut ids: HashMap<String, Id> = HashMap::new();
    let mut wants = Vec::new();
    for (list, scope) in [("packages", Scope::Runtime), ("packages-dev", Scope::Development)] {
        for entry in document.get(list).items() {
            let Some((name, version)) = reading.name_and_version(entry) else {
                continue;
            };
            let mut package = composer(reading.found_by, name, version);
            let source = entry.get("source");
            if entry.get("dist").get("type").str() == "path" {
                from_path(&mut package, entry.get("dist").get("url").str());
            } else if version.starts_with("dev-") || version.ends_with("-dev") {
                from_git(
                    &mut package,
                    source.get("url").str(),
                    source.get("reference").str(),
                );
            }
            // Several licences are a choice, each of which may be an expression.
            let choice: Vec<String> = entry
                .get("license")
                .texts()
                .into_iter()
                .map(|text| {
                    if text.contains(' ') {
                        format!("({text})")
                    } else {
                        text.to_owned()
                    }
                })
                .collect();
            let choice = choice.join(" OR ");
            package.licenses = license::expressions(&choice);
            package.scope = Some(scope);
            let id = graph.add(reading.at(package, entry.line));
            ids.insert(name.to_ascii_lowercase(), id);
            wants.push((id, entry.get("require")));
        }
    }
    for (from, required) in wants {
        for (name, _) in required.entries() {
            if let Some(&to) = ids.get(&name.to_ascii_lowercase()) {
                graph.want(from, to, Scope::Runtime);
            }
        }
    }
    reading.suspend(graph, ids.iter().map(|(name, id)| (name.as_str(), *id)));
}
