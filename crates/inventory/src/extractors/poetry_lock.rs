//! `poetry.lock` of Poetry 1 and 2.

use crate::Kind;
use crate::dependency_graph::{ByName, DependencyGraph, Id, join_manifests};
use crate::documents::Node;
use crate::identity::{from_git, from_path, from_url, normal_python_name, pypi};
use crate::lock_file::{LockFile, Reading};
use crate::python_requirements::read_pyproject;
use model::{Meta, Package, Scope};

/// The member.
pub(super) static POETRY_LOCK: LockFile = LockFile {
    meta: &META,
    kind: Kind::Declared,
    wants: |_, name| matches!(name, "poetry.lock" | "pyproject.toml"),
    read,
    combine: join_manifests,
};

static META: Meta = Meta {
    name: "poetry-lock",
    title: "Python packages of a Poetry lock file",
    finds: &["poetry.lock", "pyproject.toml (what the project wants)"],
    needs: &[],
    references: &["https://python-poetry.org/docs/basic-usage/"],
};

fn read(reading: &mut Reading<'_>) {
    if reading.file_name() == "pyproject.toml" {
        return read_pyproject(reading);
    }
    let document = reading.toml();
    if !document.get("package").exists() && !document.get("metadata").exists() {
        return reading.problem("not a Poetry lock file: it has neither `package` nor `metadata`");
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
        set_source(&mut package, entry.get("source"));
        package.scope = scope(entry);
        package.add_fact("marker", entry.get("markers").str());
        let id = graph.add(reading.at(package, entry.line));
        ids.add(normal_python_name(name), id);
        wants.push((id, entry.get("dependencies")));
    }
    for (from, dependencies) in wants {
        for (name, value) in dependencies.entries() {
            let scope = if value.get("optional").is_true() {
                Scope::Optional
            } else {
                Scope::Runtime
            };
            for &to in ids.all(&normal_python_name(name)) {
                graph.want(from, to, scope);
            }
        }
    }
    let requests = ids.iter().map(|(name, id)| (name.as_str(), *id));
    graph.suspend(requests, reading.out);
}

/// Scope by Poetry 2's groups or by the category that versions before 1.5 wrote; those between tell nothing.
fn scope(entry: &Node<'_>) -> Option<Scope> {
    let groups = entry.get("groups").texts();
    let main = if groups.is_empty() {
        entry.get("category").text()? == "main"
    } else {
        groups.contains(&"main")
    };
    Some(match main {
        true if entry.get("optional").is_true() => Scope::Optional,
        true => Scope::Runtime,
        false => Scope::Development,
    })
}

fn set_source(package: &mut Package, source: &Node<'_>) {
    let url = source.get("url").str();
    match source.get("type").str() {
        "git" => {
            let resolved = source.get("resolved_reference").text();
            from_git(
                package,
                url,
                resolved.unwrap_or_else(|| source.get("reference").str()),
            );
        }
        "url" => from_url(package, url),
        "directory" | "file" => from_path(package, url),
        // `legacy` is another index, often a mirror.
        _ => {}
    }
}
