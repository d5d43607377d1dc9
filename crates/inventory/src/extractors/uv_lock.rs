//! `uv.lock` of uv.

use crate::Kind;
use crate::dependency_graph::{ByName, DependencyGraph, Id};
use crate::documents::Node;
use crate::identity::{from_git, from_path, from_url, pypi};
use crate::lock_file::{LockFile, Reading, alone};
use model::{Meta, Scope};

/// The member.
pub(super) static UV_LOCK: LockFile = LockFile {
    meta: &META,
    kind: Kind::Declared,
    wants: |_, name| name == "uv.lock",
    read,
    combine: alone,
};

static META: Meta = Meta {
    name: "uv-lock",
    title: "Python packages of a uv lock file",
    finds: &["uv.lock"],
    needs: &[],
    references: &["https://docs.astral.sh/uv/concepts/projects/layout/"],
};

fn read(reading: &mut Reading<'_>) {
    let document = reading.toml();
    if !document.get("package").exists() && !document.get("version").exists() {
        return reading.problem("not a uv lock file: it has neither `package` nor `version`");
    }
    let mut graph = DependencyGraph::scoped();
    let mut ids: ByName<&str, (&str, Id)> = ByName::default();
    let mut wants: Vec<(Id, &Node<'_>)> = Vec::new();
    for entry in document.get("package").items() {
        let (name, version) = (entry.get("name").str(), entry.get("version").str());
        let source = entry.get("source");
        let own = source
            .get("virtual")
            .text()
            .or_else(|| source.get("editable").text());
        let local = source
            .get("directory")
            .text()
            .or_else(|| source.get("path").text());
        if name.is_empty() || (version.is_empty() && own.is_none() && local.is_none()) {
            reading.no_name_or_version(entry.line, name);
            continue;
        }
        let mut package = pypi(reading.found_by, name, version);
        if let Some(git) = source.get("git").text() {
            let (url, commit) = git.split_once('#').unwrap_or((git, ""));
            from_git(
                &mut package,
                url.split_once('?').map_or(url, |(url, _)| url),
                commit,
            );
        } else if let Some(url) = source.get("url").text() {
            from_url(&mut package, url);
        } else if let Some(path) = own.or(local) {
            from_path(&mut package, path);
        }
        let package = reading.at(package, entry.line);
        let id = if own.is_some() {
            graph.add_root(package)
        } else {
            graph.add(package)
        };
        ids.add(name, (version, id));
        wants.push((id, entry));
    }
    for (from, entry) in wants {
        let mut lists = vec![(entry.get("dependencies"), Scope::Runtime)];
        for (key, scope) in [
            ("optional-dependencies", Scope::Optional),
            ("dev-dependencies", Scope::Development),
        ] {
            lists.extend(entry.get(key).entries().iter().map(|(_, list)| (list, scope)));
        }
        for (list, scope) in lists {
            for wanted in list.items() {
                let version = wanted.get("version").str();
                for &(have, to) in ids.all(wanted.get("name").str()) {
                    if version.is_empty() || version == have {
                        graph.want(from, to, scope);
                    }
                }
            }
        }
    }
    reading.list_graph(graph);
}
