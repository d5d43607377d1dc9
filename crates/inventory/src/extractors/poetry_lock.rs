//! `poetry.lock` of Poetry 1 and 2.

use crate::Kind;
use crate::dependency_graph::join_manifests;
use crate::documents::Node;
use crate::identity::{from_git, from_path, from_url};
use crate::lock_file::LockFile;
use crate::python_lock::PythonLock;
use model::{Meta, Package, Scope};

/// The member.
pub(super) static POETRY_LOCK: LockFile = LockFile {
    meta: &META,
    kind: Kind::Declared,
    wants: |_, name| matches!(name, "poetry.lock" | "pyproject.toml"),
    read: |reading| FORMAT.read(reading),
    combine: join_manifests,
};

static META: Meta = Meta {
    name: "poetry-lock",
    title: "Python packages of a Poetry lock file",
    finds: &["poetry.lock", "pyproject.toml (what the project wants)"],
    needs: &[],
    references: &["https://python-poetry.org/docs/basic-usage/"],
};

static FORMAT: PythonLock = PythonLock {
    tool: "Poetry",
    marker: "markers",
    describe: |package, entry| {
        set_source(package, entry.get("source"));
        package.scope = scope(entry);
    },
    wanted: |dependencies| {
        let entries = dependencies.entries().iter();
        entries
            .map(|(name, value)| {
                let optional = value.get("optional").is_true();
                (&**name, if optional { Scope::Optional } else { Scope::Runtime })
            })
            .collect()
    },
};

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
