//! `gradle/verification-metadata.xml`, Gradle's list of artifacts it may use, with their checksums.

use crate::Kind;
use crate::identity::maven;
use crate::lock_file::{Listing, LockFile, Reading, alone};
use model::Meta;

/// The member.
pub(super) static GRADLE_VERIFICATION_METADATA: LockFile = LockFile {
    meta: &META,
    kind: Kind::Declared,
    wants: |_, name| name == "verification-metadata.xml",
    read,
    combine: alone,
};

static META: Meta = Meta {
    name: "gradle-verification-metadata",
    title: "Maven artifacts that Gradle verifies",
    finds: &["verification-metadata.xml"],
    needs: &[],
    references: &["https://docs.gradle.org/current/userguide/dependency_verification.html"],
};

fn read(reading: &mut Reading<'_>) {
    let document = reading.xml();
    let mut packages = Listing::default();
    for component in document
        .child("verification-metadata")
        .child("components")
        .all("component")
    {
        let [group, name, version] = ["group", "name", "version"].map(|key| component.attribute(key));
        if group.is_empty() || name.is_empty() || version.is_empty() {
            reading.bad_entry(
                component.line,
                format!("the component `{group}:{name}` lacks group, name or version"),
            );
            continue;
        }
        packages.push(reading.at(maven(reading.found_by, group, name, version), component.line));
    }
    reading.list(packages);
}
