//! `pdm.lock` of PDM.

use crate::Kind;
use crate::dependency_graph::{ByName, DependencyGraph, Id, join_manifests};
use crate::identity::{from_git, from_path, from_url, normal_python_name, pypi};
use crate::lock_file::{LockFile, Reading};
use crate::python_requirements::{Requirement, is_development_group, read_pyproject};
use model::{Meta, Scope};

/// The member.
pub(super) static PDM_LOCK: LockFile = LockFile {
    meta: &META,
    kind: Kind::Declared,
    wants: |_, name| matches!(name, "pdm.lock" | "pyproject.toml"),
    read,
    combine: join_manifests,
};

static META: Meta = Meta {
    name: "pdm-lock",
    title: "Python packages of a PDM lock file",
    finds: &["pdm.lock", "pyproject.toml (what the project wants)"],
    needs: &[],
    references: &["https://pdm-project.org/en/latest/usage/lockfile/"],
};

fn read(reading: &mut Reading<'_>) {
    if reading.file_name() == "pyproject.toml" {
        return read_pyproject(reading);
    }
    let document = reading.toml();
    if !document.get("package").exists() && !document.get("metadata").exists() {
        return reading.problem("not a PDM lock file: it has neither `package` nor `metadata`");
    }
    let mut graph = DependencyGraph::scoped();
    let mut ids: ByName<String, Id> = ByName::default();
    let mut wants = Vec::new();
    for entry in document.get("package").items() {
        let (name, version) = (entry.get("name").str(), entry.get("version").str());
        if name.is_empty() || version.is_empty() {
            reading.bad_entry(
                entry.line,
                format!("the package `{name}` has no name or no version"),
            );
            continue;
        }
        let mut package = pypi(reading.found_by, name, version);
        if let Some(repository) = entry.get("git").text() {
            let revision = entry.get("revision").text();
            from_git(
                &mut package,
                repository,
                revision.unwrap_or_else(|| entry.get("ref").str()),
            );
        } else if let Some(url) = entry.get("url").text() {
            from_url(&mut package, url);
        } else if let Some(path) = entry.get("path").text() {
            from_path(&mut package, path);
        }
        let groups = entry.get("groups").texts();
        if groups.contains(&"default") {
            package.scope = Some(Scope::Runtime);
        } else if !groups.is_empty() {
            let development = groups.iter().all(|group| is_development_group(group));
            package.scope = Some(if development {
                Scope::Development
            } else {
                Scope::Optional
            });
        }
        package.add_fact("marker", entry.get("marker").str());
        let id = graph.add(reading.at(package, entry.line));
        ids.add(normal_python_name(name), id);
        wants.push((id, entry.get("dependencies")));
    }
    for (from, dependencies) in wants {
        for wanted in dependencies.texts().into_iter().filter_map(Requirement::parse) {
            for &to in ids.all(&normal_python_name(wanted.name)) {
                graph.want(from, to, Scope::Runtime);
            }
        }
    }
    let requests = ids.iter().map(|(name, id)| (name.as_str(), *id));
    graph.suspend(requests, reading.out);
}
