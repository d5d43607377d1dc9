//! `gradle.lockfile` and the other lock files of Gradle.

use crate::Kind;
use crate::gradle;
use crate::identity::maven;
use crate::lock_file::{Listing, LockFile, Reading, alone};
use model::{Meta, Scope};

/// The member.
pub(super) static GRADLE_LOCKFILE: LockFile = LockFile {
    meta: &META,
    kind: Kind::Declared,
    wants: |path, name| {
        name.ends_with("gradle.lockfile")
            || (name.ends_with(".lockfile") && format!("/{path}").contains("/gradle/dependency-locks/"))
    },
    read,
    combine: alone,
};

static META: Meta = Meta {
    name: "gradle-lockfile",
    title: "Maven artifacts of Gradle's lock files",
    finds: &[
        "gradle.lockfile",
        "buildscript-gradle.lockfile",
        "gradle/dependency-locks/*.lockfile",
    ],
    needs: &[],
    references: &["https://docs.gradle.org/current/userguide/dependency_locking.html"],
};

fn read(reading: &mut Reading<'_>) {
    let buildscript = reading.file_name().starts_with("buildscript");
    let mut packages = Listing::default();
    for (number, line) in reading.lines() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') || line.starts_with("empty=") {
            continue;
        }
        let (coordinates, configurations) = line.split_once('=').unwrap_or((line, ""));
        let mut parts = coordinates.split(':');
        let (Some(group), Some(artifact), Some(version), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            reading.bad_entry(number, format!("`{line}` is not group, artifact and version"));
            continue;
        };
        let mut package = maven(reading.found_by, group, artifact, version);
        if !configurations.is_empty() {
            let development = buildscript || configurations.split(',').all(gradle::serves_development);
            package.scope = Some(if development {
                Scope::Development
            } else {
                Scope::Runtime
            });
        }
        packages.push(reading.at(package, number));
    }
    reading.list(packages);
}
