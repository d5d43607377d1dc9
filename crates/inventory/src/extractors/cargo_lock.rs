//! `Cargo.lock` of Cargo, versions 1 to 4.

use crate::Kind;
use crate::dependency_graph::{ByName, DependencyGraph, Id, Manifest, join_manifests};
use crate::documents::Node;
use crate::identity::{cargo, from_git, from_path};
use crate::lock_file::{LockFile, Reading};
use model::{Meta, Package, Relation, Scope};

/// The member.
pub(super) static CARGO_LOCK: LockFile = LockFile {
    meta: &META,
    kind: Kind::Declared,
    wants: |_, name| matches!(name, "Cargo.lock" | "Cargo.toml"),
    read,
    combine: join_manifests,
};

static META: Meta = Meta {
    name: "cargo-lock",
    title: "Rust crates of a Cargo lock file",
    finds: &[
        "Cargo.lock",
        "Cargo.toml (what only development and building want)",
    ],
    needs: &[],
    references: &["https://doc.rust-lang.org/cargo/guide/cargo-toml-vs-cargo-lock.html"],
};

fn read(reading: &mut Reading<'_>) {
    let document = reading.toml();
    if reading.file_name() == "Cargo.toml" {
        return read_manifest(reading, &document);
    }
    if !document.get("package").exists()
        && !document.get("version").exists()
        && !document.get("root").exists()
    {
        return reading.problem("not a Cargo lock file: it has neither `package` nor `version`");
    }
    let mut graph = DependencyGraph::default();
    // Name -> version, source and package.
    let mut ids: ByName<&str, (&str, &str, Id)> = ByName::default();
    let mut wants = Vec::new();
    let root = document.get("root");
    let entries = document
        .get("package")
        .items()
        .iter()
        .chain(root.exists().then_some(root));
    for entry in entries {
        let Some((name, version)) = reading.name_and_version(entry) else {
            continue;
        };
        let source = entry.get("source").str();
        let mut package = cargo(reading.found_by, name, version);
        set_source(&mut package, source);
        let id = graph.add(reading.at(package, entry.line));
        ids.add(name, (version, source, id));
        wants.push((id, entry.get("dependencies")));
    }
    for (from, dependencies) in wants {
        for wanted in dependencies.texts() {
            // `name`, `name version` or `name version (source)`: only as much as is needed to tell apart.
            let mut parts = wanted.splitn(3, ' ');
            let name = parts.next().unwrap_or_default();
            let version = parts.next().unwrap_or_default();
            let source = parts.next().map(|source| source.trim_matches(['(', ')']));
            for &(have, from_source, to) in ids.all(name) {
                let same = (version.is_empty() || version == have)
                    && source.is_none_or(|source| same_source(source, from_source));
                if same {
                    graph.want(from, to, Scope::Runtime);
                }
            }
        }
    }
    let requests = ids.iter().map(|(name, (_, _, id))| (*name, *id));
    reading.suspend(graph, requests);
}

/// A package's source and that of a dependency on it; the latter leaves out a git repository's commit.
fn same_source(asked: &str, have: &str) -> bool {
    asked.split('#').next() == have.split('#').next()
}

fn set_source(package: &mut Package, source: &str) {
    if source.is_empty() {
        from_path(package, "");
        package.relation = Some(Relation::Root);
    } else if let Some(repository) = source.strip_prefix("git+") {
        let (url, commit) = repository.split_once('#').unwrap_or((repository, ""));
        from_git(package, url.split('?').next().unwrap_or(url), commit);
    } else if !source.ends_with("github.com/rust-lang/crates.io-index")
        && !source.contains("://index.crates.io")
    {
        package.ecosystem.clear();
        let registry = source.split_once('+').map_or(source, |(_, url)| url);
        package.add_fact("registry", registry);
        package.purl = package.purl.clone().with_qualifier("repository_url", registry);
    }
}

fn read_manifest(reading: &mut Reading<'_>, document: &Node<'_>) {
    let project = document.get("package");
    let mut manifest = Manifest::new(
        reading.out,
        project.get("name").str(),
        project.get("version").str(),
    );
    let targets = document.get("target").entries().iter().map(|(_, target)| target);
    for part in [document].into_iter().chain(targets) {
        for (key, scope) in [
            ("dependencies", Scope::Runtime),
            ("build-dependencies", Scope::Development),
            ("dev-dependencies", Scope::Development),
        ] {
            for (name, value) in part.get(key).entries() {
                let scope = if value.get("optional").is_true() && scope == Scope::Runtime {
                    Scope::Optional
                } else {
                    scope
                };
                manifest.wants(value.get("package").text().unwrap_or(name), scope);
            }
        }
    }
}
