//! `build.sbt.lock`, written by sbt's dependency-lock plugin.

use crate::Kind;
use crate::identity::maven;
use crate::lock_file::{Listing, LockFile, Reading, alone};
use model::{Meta, Scope};

/// The member.
pub(super) static SBT_LOCK: LockFile = LockFile {
    meta: &META,
    kind: Kind::Declared,
    wants: |_, name| name.ends_with(".sbt.lock"),
    read,
    combine: alone,
};

static META: Meta = Meta {
    name: "sbt-lock",
    title: "Maven artifacts of an sbt lock file",
    finds: &["*.sbt.lock"],
    needs: &[],
    references: &["https://stringbean.github.io/sbt-dependency-lock/file-formats/index.html"],
};

fn read(reading: &mut Reading<'_>) {
    let document = reading.json();
    if !document.get("dependencies").exists() {
        return reading.problem("not an sbt lock file: it has no `dependencies`");
    }
    let mut packages = Listing::default();
    for entry in document.get("dependencies").items() {
        let [group, artifact, version] = ["org", "name", "version"].map(|key| entry.get(key).str());
        if group.is_empty() || artifact.is_empty() || version.is_empty() {
            reading.bad_entry(
                entry.line,
                format!("the dependency `{group}:{artifact}` lacks org, name or version"),
            );
            continue;
        }
        let mut package = maven(reading.found_by, group, artifact, version);
        let configurations = entry.get("configurations").texts();
        if !configurations.is_empty() {
            let test = configurations.iter().all(|name| name.starts_with("test"));
            package.scope = Some(if test { Scope::Development } else { Scope::Runtime });
        }
        packages.push(reading.at(package, entry.line));
    }
    reading.list(packages);
}
