//! `stack.yaml.lock` of Haskell's Stack.

use crate::Kind;
use crate::identity::{from_git, from_url, hackage};
use crate::lock_file::{Listing, LockFile, Reading, alone};
use model::Meta;

/// The member.
pub(super) static STACK_LOCK: LockFile = LockFile {
    meta: &META,
    kind: Kind::Declared,
    wants: |_, name| name.ends_with("stack.yaml.lock"),
    read,
    combine: alone,
};

static META: Meta = Meta {
    name: "stack-lock",
    title: "Haskell packages of a Stack lock file",
    finds: &["stack.yaml.lock"],
    needs: &[],
    references: &["https://docs.haskellstack.org/en/stable/topics/lock_files/"],
};

fn read(reading: &mut Reading<'_>) {
    let document = reading.yaml();
    if !document.get("packages").exists() && !document.get("snapshots").exists() {
        return reading.problem("not a Stack lock file: it has neither `packages` nor `snapshots`");
    }
    let mut packages = Listing::default();
    for item in document.get("packages").items() {
        let entry = item.get("completed");
        let package = if let Some(text) = entry.get("hackage").text() {
            // `name-1.0@sha256:…,size`
            let full = text.split('@').next().unwrap_or(text);
            full.rsplit_once('-')
                .map(|(name, version)| hackage(reading.found_by, name, version))
        } else if let Some(name) = entry.get("name").text() {
            let mut package = hackage(reading.found_by, name, entry.get("version").str());
            if let Some(repository) = entry.get("git").text() {
                from_git(&mut package, repository, entry.get("commit").str());
            } else if let Some(url) = entry.get("url").text() {
                from_url(&mut package, url);
            }
            Some(package)
        } else {
            None
        };
        match package {
            Some(package) => packages.push(reading.at(package, item.line)),
            None => reading.bad_entry(
                item.line,
                "a package is neither of Hackage nor of a named archive or repository",
            ),
        }
    }
    reading.list(packages);
}
