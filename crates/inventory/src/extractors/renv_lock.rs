//! `renv.lock` of R's renv.

use crate::Kind;
use crate::dependency_graph::{DependencyGraph, Id};
use crate::identity::{from_git, from_path};
use crate::lock_file::{LockFile, Reading, alone};
use model::{Meta, Package, Purl, Scope};
use std::collections::HashMap;

/// The member.
pub(super) static RENV_LOCK: LockFile = LockFile {
    meta: &META,
    kind: Kind::Declared,
    wants: |_, name| name == "renv.lock",
    read,
    combine: alone,
};

static META: Meta = Meta {
    name: "renv-lock",
    title: "R packages of an renv lock file",
    finds: &["renv.lock"],
    needs: &[],
    references: &["https://rstudio.github.io/renv/articles/lockfile.html"],
};

fn read(reading: &mut Reading<'_>) {
    let document = reading.json();
    if !document.get("Packages").exists() {
        return reading.problem("not an renv lock file: it has no `Packages`");
    }
    let mut graph = DependencyGraph::default();
    let mut ids: HashMap<&str, Id> = HashMap::new();
    let mut wants = Vec::new();
    for (key, entry) in document.get("Packages").entries() {
        let name = entry.get("Package").text().unwrap_or(key);
        let version = entry.get("Version").str();
        if version.is_empty() {
            reading.bad_entry(entry.line, format!("the package `{key}` has no version"));
            continue;
        }
        let source = entry.get("Source").str();
        let ecosystem = if source == "Bioconductor" {
            "Bioconductor"
        } else {
            "CRAN"
        };
        let kind = if source == "Bioconductor" {
            "bioconductor"
        } else {
            "cran"
        };
        let mut package = Package::new(
            reading.found_by,
            Purl::new(kind, "", name, version),
            ecosystem,
            name,
            version,
        );
        let remote = |field: &str| entry.get(field).str();
        match source {
            "GitHub" | "GitLab" | "Bitbucket" => {
                let host = entry.get("RemoteHost").text().unwrap_or("api.github.com");
                let url = format!(
                    "https://{}/{}/{}",
                    host.trim_start_matches("api.").trim_end_matches("/api/v3"),
                    remote("RemoteUsername"),
                    remote("RemoteRepo")
                );
                from_git(&mut package, &url, remote("RemoteSha"));
            }
            "Git" => from_git(&mut package, remote("RemoteUrl"), remote("RemoteSha")),
            "Local" | "Cellar" => from_path(&mut package, remote("RemoteUrl")),
            _ => {}
        }
        let id = graph.add(reading.at(package, entry.line));
        ids.insert(key, id);
        wants.push((id, entry.get("Requirements")));
    }
    for (from, requirements) in wants {
        for name in requirements.texts() {
            if let Some(&to) = ids.get(name) {
                graph.want(from, to, Scope::Runtime);
            }
        }
    }
    reading.list_graph(graph);
}
