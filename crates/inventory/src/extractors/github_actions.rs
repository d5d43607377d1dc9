//! Workflows of GitHub Actions and composite actions: the actions and images that they use.

use crate::Kind;
use crate::documents::Node;
use crate::identity::other;
use crate::lock_file::{Listing, LockFile, Reading, alone};
use model::Purl;
use model::{Meta, Package, Relation, path};

/// The member.
pub(super) static GITHUB_ACTIONS: LockFile = LockFile {
    meta: &META,
    kind: Kind::Declared,
    wants,
    read,
    combine: alone,
};

static META: Meta = Meta {
    name: "github-actions",
    title: "Actions that workflows and composite actions use",
    finds: &[
        ".github/workflows/*.yml",
        ".github/workflows/*.yaml",
        "action.yml",
        "action.yaml",
    ],
    needs: &[],
    references: &["https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax"],
};

fn wants(path: &str, name: &str) -> bool {
    matches!(name, "action.yml" | "action.yaml")
        || ((name.ends_with(".yml") || name.ends_with(".yaml"))
            && format!("/{}", path::parent(path)).ends_with("/.github/workflows"))
}

fn read(reading: &mut Reading<'_>) {
    let document = reading.yaml();
    let mut uses: Vec<&Node<'_>> = Vec::new();
    for (_, job) in document.get("jobs").entries() {
        uses.push(job.get("uses"));
        uses.extend(job.get("steps").items().iter().map(|step| step.get("uses")));
    }
    uses.extend(
        document
            .get("runs")
            .get("steps")
            .items()
            .iter()
            .map(|step| step.get("uses")),
    );
    let lines: Vec<&str> = if uses.is_empty() {
        Vec::new()
    } else {
        reading.text.lines().collect()
    };
    let mut packages = Listing::default();
    for node in uses {
        let Some(text) = node.text() else {
            continue;
        };
        // What a folder of the same repository does is read where it lies.
        if text.starts_with("./") || text.contains("${{") {
            continue;
        }
        let line = usize::try_from(node.line)
            .ok()
            .and_then(|line| lines.get(line.checked_sub(1)?));
        let comment = line
            .and_then(|line| line.split_once(" #"))
            .map_or("", |(_, comment)| comment.trim());
        match package(reading.found_by, text, comment) {
            Some(mut package) => {
                package.relation = Some(Relation::Direct);
                packages.push(reading.at(package, node.line));
            }
            None => reading.bad_entry(node.line, format!("`{text}` names no action and reference")),
        }
    }
    reading.list(packages);
}

/// A package from `owner/name[/path]@reference`, or an image from `docker://image:tag`. A commit's version is taken from the
/// comment beside it, where people and tools keep it.
fn package(found_by: &str, text: &str, comment: &str) -> Option<Package> {
    if let Some(image) = text.strip_prefix("docker://") {
        let (name, version) = match image.split_once('@') {
            Some((name, digest)) => (name, digest),
            None => image
                .rsplit_once(':')
                .filter(|(_, tag)| !tag.contains('/'))
                .unwrap_or((image, "")),
        };
        let mut package = other(found_by, "docker", name, version);
        package.purl = crate::identity::slashed("docker", name, version);
        return Some(package);
    }
    let (action, reference) = text.rsplit_once('@')?;
    let mut parts = action.splitn(3, '/');
    let (owner, name) = (parts.next()?, parts.next()?);
    let subpath = parts.next().unwrap_or_default();
    if owner.is_empty() || name.is_empty() || reference.is_empty() {
        return None;
    }
    let is_commit = reference.len() >= 40 && reference.bytes().all(|byte| byte.is_ascii_hexdigit());
    let noted = comment
        .split_whitespace()
        .map(|word| word.strip_prefix("tag=").unwrap_or(word))
        .find(|word| {
            word.trim_start_matches('v')
                .starts_with(|first: char| first.is_ascii_digit())
        });
    let version = if is_commit {
        noted.unwrap_or(reference)
    } else {
        reference
    };
    let purl = Purl::new("github", owner, name, version).with_subpath(subpath);
    let mut package = Package::new(
        found_by,
        purl,
        "GitHub Actions",
        format!("{owner}/{name}"),
        version,
    );
    if is_commit {
        package.add_fact("git-commit", reference);
    }
    Some(package)
}
