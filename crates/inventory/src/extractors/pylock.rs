//! `pylock.toml`, the lock file that Python's tools share (PEP 751).

use crate::Kind;
use crate::dependency_graph::{ByName, DependencyGraph, Id};
use crate::identity::{from_git, from_path, from_url, normal_python_name, pypi};
use crate::lock_file::{LockFile, Reading, alone};
use model::{Meta, Scope};

/// The member.
pub(super) static PYLOCK: LockFile = LockFile {
    meta: &META,
    kind: Kind::Declared,
    wants: |_, name| name == "pylock.toml" || (name.starts_with("pylock.") && name.ends_with(".toml")),
    read,
    combine: alone,
};

static META: Meta = Meta {
    name: "pylock",
    title: "Python packages of a PEP 751 lock file",
    finds: &["pylock.toml", "pylock.*.toml"],
    needs: &[],
    references: &["https://packaging.python.org/en/latest/specifications/pylock-toml/"],
};

fn read(reading: &mut Reading<'_>) {
    let document = reading.toml();
    if !document.get("packages").exists() && !document.get("lock-version").exists() {
        return reading.problem("not a Python lock file: it has neither `packages` nor `lock-version`");
    }
    let mut graph = DependencyGraph::default();
    let mut ids: ByName<String, (String, Id)> = ByName::default();
    let mut wants = Vec::new();
    for entry in document.get("packages").items() {
        let (name, version) = (entry.get("name").str(), entry.get("version").str());
        if name.is_empty() {
            reading.bad_entry(entry.line, "a package has no name");
            continue;
        }
        let mut package = pypi(reading.found_by, name, version);
        let (vcs, archive) = (entry.get("vcs"), entry.get("archive"));
        let folder = entry.get("directory").get("path").text();
        if vcs.exists() {
            let place = vcs.get("url").text().unwrap_or_else(|| vcs.get("path").str());
            from_git(&mut package, place, vcs.get("commit-id").str());
        } else if let Some(url) = archive.get("url").text() {
            from_url(&mut package, url);
        } else if let Some(path) = folder.or_else(|| archive.get("path").text()) {
            from_path(&mut package, path);
        } else if version.is_empty() {
            reading.bad_entry(entry.line, format!("the package `{name}` has no version"));
        }
        package.add_fact("marker", entry.get("marker").str());
        let id = graph.add(reading.at(package, entry.line));
        ids.add(normal_python_name(name), (version.to_owned(), id));
        wants.push((id, entry.get("dependencies")));
    }
    for (from, dependencies) in wants {
        for wanted in dependencies.items() {
            let version = wanted.get("version").str();
            for (have, to) in ids.all(&normal_python_name(wanted.get("name").str())) {
                if version.is_empty() || version == have {
                    graph.want(from, *to, Scope::Runtime);
                }
            }
        }
    }
    reading.list_graph(graph);
}
