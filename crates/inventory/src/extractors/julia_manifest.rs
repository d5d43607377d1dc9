//! `Manifest.toml` of Julia, both forms.

use crate::Kind;
use crate::dependency_graph::{ByName, DependencyGraph, Id, Manifest, join_manifests};
use crate::documents::Node;
use crate::identity::{from_git, from_path};
use crate::lock_file::{LockFile, Reading};
use model::{Meta, Package, Purl, Scope};

/// The member.
pub(super) static JULIA_MANIFEST: LockFile = LockFile {
    meta: &META,
    kind: Kind::Declared,
    wants: |_, name| {
        matches!(
            name,
            "Manifest.toml" | "JuliaManifest.toml" | "Project.toml" | "JuliaProject.toml"
        ) || (name.starts_with("Manifest-v") && name.ends_with(".toml"))
    },
    read,
    combine: join_manifests,
};

static META: Meta = Meta {
    name: "julia-manifest",
    title: "Julia packages of an environment",
    finds: &[
        "Manifest.toml",
        "JuliaManifest.toml",
        "Manifest-v*.toml",
        "Project.toml (what the project wants)",
    ],
    needs: &[],
    references: &["https://pkgdocs.julialang.org/v1/toml-files/"],
};

fn read(reading: &mut Reading<'_>) {
    let document = reading.toml();
    if reading.file_name().ends_with("Project.toml") {
        let (name, version) = (document.get("name").str(), document.get("version").str());
        let mut manifest = Manifest::new(reading.out, name, version);
        for (key, scope) in [
            ("deps", Scope::Runtime),
            ("weakdeps", Scope::Optional),
            ("extras", Scope::Development),
        ] {
            for (_, uuid) in document.get(key).entries() {
                manifest.wants(uuid.str(), scope);
            }
        }
        return;
    }
    let julia = document.get("julia_version").str();
    // Since Julia 1.6.2 all stands under `deps`; before, at the top.
    let newer = document.get("manifest_format").exists();
    let entries = if newer {
        document.get("deps").entries()
    } else {
        document.entries()
    };
    let mut graph = DependencyGraph::default();
    let mut by_name: ByName<&str, (&str, Id)> = ByName::default();
    let mut wants: Vec<(Id, &Node<'_>)> = Vec::new();
    for (name, list) in entries {
        for entry in list.items() {
            let uuid = entry.get("uuid").str();
            if uuid.is_empty() {
                reading.bad_entry(entry.line, format!("the package `{name}` has no uuid"));
                continue;
            }
            // The standard library's packages have Julia's own version.
            let own = entry.get("version").text();
            let version = own.unwrap_or(if entry.get("git-tree-sha1").exists() {
                ""
            } else {
                julia
            });
            let purl = Purl::new("julia", "", name, version).with_qualifier("uuid", uuid);
            let mut package = Package::new(reading.found_by, purl, "Julia", &**name, version);
            if let Some(repository) = entry.get("repo-url").text() {
                from_git(&mut package, repository, "");
                package.add_fact("git-reference", entry.get("repo-rev").str());
            } else if let Some(path) = entry.get("path").text() {
                from_path(&mut package, path);
            } else if !entry.get("git-tree-sha1").exists() {
                package.add_fact("standard-library", "true");
            }
            let id = graph.add(reading.at(package, entry.line));
            by_name.add(name, (uuid, id));
            wants.push((id, entry.get("deps")));
        }
    }
    for (from, deps) in wants {
        let named = deps.texts().into_iter().map(|name| (name, ""));
        let exact = deps.entries().iter().map(|(name, uuid)| (&**name, uuid.str()));
        for (name, uuid) in named.chain(exact) {
            for &(have, to) in by_name.all(name) {
                if uuid.is_empty() || uuid == have {
                    graph.want(from, to, Scope::Runtime);
                }
            }
        }
    }
    if by_name.is_empty() && !newer {
        return;
    }
    let requests = by_name.iter().map(|(_, (uuid, id))| (*uuid, *id));
    reading.suspend(graph, requests);
}
