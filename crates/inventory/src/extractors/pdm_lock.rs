//! `pdm.lock` of PDM.

use crate::Kind;
use crate::dependency_graph::join_manifests;
use crate::documents::Node;
use crate::identity::{from_git, from_path, from_url};
use crate::lock_file::LockFile;
use crate::python_lock::PythonLock;
use crate::python_requirements::{Requirement, is_development_group};
use model::{Meta, Package, Scope};

/// The member.
pub(super) static PDM_LOCK: LockFile = LockFile {
    meta: &META,
    kind: Kind::Declared,
    wants: |_, name| matches!(name, "pdm.lock" | "pyproject.toml"),
    read: |reading| FORMAT.read(reading),
    combine: join_manifests,
};

static META: Meta = Meta {
    name: "pdm-lock",
    title: "Python packages of a PDM lock file",
    finds: &["pdm.lock", "pyproject.toml (what the project wants)"],
    needs: &[],
    references: &["https://pdm-project.org/en/latest/usage/lockfile/"],
};

static FORMAT: PythonLock = PythonLock {
    tool: "PDM",
    marker: "marker",
    describe,
    wanted: |dependencies| {
        let requirements = dependencies.texts().into_iter().filter_map(Requirement::parse);
        requirements.map(|wanted| (wanted.name, Scope::Runtime)).collect()
    },
};

fn describe(package: &mut Package, entry: &Node<'_>) {
    if let Some(repository) = entry.get("git").text() {
        let revision = entry.get("revision").text();
        from_git(
            package,
            repository,
            revision.unwrap_or_else(|| entry.get("ref").str()),
        );
    } else if let Some(url) = entry.get("url").text() {
        from_url(package, url);
    } else if let Some(path) = entry.get("path").text() {
        from_path(package, path);
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
}
