//! `Pipfile.lock` of pipenv.

use crate::Kind;
use crate::documents::Value;
use crate::identity::{from_git, from_path, from_url, pypi, with_requirement};
use crate::lock_file::{Listing, LockFile, Reading, alone};
use model::{Meta, Scope};

/// The member.
pub(super) static PIPENV_LOCK: LockFile = LockFile {
    meta: &META,
    kind: Kind::Declared,
    wants: |_, name| name == "Pipfile.lock",
    read,
    combine: alone,
};

static META: Meta = Meta {
    name: "pipenv-lock",
    title: "Python packages of a pipenv lock file",
    finds: &["Pipfile.lock"],
    needs: &[],
    references: &["https://pipenv.pypa.io/en/latest/pipfile.html"],
};

fn read(reading: &mut Reading<'_>) {
    let document = reading.json();
    if !document.get("default").exists() && !document.get("_meta").exists() {
        return reading.problem("not a pipenv lock file: it has neither `_meta` nor `default`");
    }
    let mut packages = Listing::default();
    for (category, entries) in document
        .entries()
        .iter()
        .filter(|(category, _)| category != "_meta")
    {
        let scope = match &**category {
            "default" => Scope::Runtime,
            "develop" => Scope::Development,
            _ => Scope::Optional,
        };
        for (name, entry) in entries.entries() {
            if !matches!(entry.value, Value::Map(_)) {
                reading.bad_entry(
                    entry.line,
                    format!("the entry of `{name}` is {}, not a map", entry.kind()),
                );
                continue;
            }
            let asked = entry.get("version").str();
            let version = asked.trim_start_matches('=').trim();
            let pinned = asked.starts_with('=') && !version.contains('*');
            let mut package = pypi(reading.found_by, name, if pinned { version } else { "" });
            if let Some(repository) = entry.get("git").text() {
                from_git(&mut package, repository, entry.get("ref").str());
            } else if let Some(path) = entry.get("path").text() {
                from_path(&mut package, path);
            } else if let Some(file) = entry.get("file").text() {
                from_url(&mut package, file);
            } else if !pinned {
                if asked.is_empty() {
                    reading.bad_entry(entry.line, format!("the entry of `{name}` has no version"));
                }
                with_requirement(&mut package, asked);
            }
            package.add_fact("marker", entry.get("markers").str());
            package.scope = Some(scope);
            packages.push(reading.at(package, entry.line));
        }
    }
    reading.list(packages);
}
