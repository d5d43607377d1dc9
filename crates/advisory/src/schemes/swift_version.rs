//! Swift packages, named by their repositories.

use super::{Scheme, VersionError, semver_version};
use model::Meta;
use std::cmp::Ordering;

/// The member.
pub(super) static SWIFT_VERSION: SwiftVersion = SwiftVersion;

pub(super) struct SwiftVersion;

static META: Meta = Meta {
    name: "swift-version",
    title: "Versions of Swift packages, which are tags of their repositories",
    finds: &[
        "semantic versioning's order; a tag may begin with `v`",
        "missing parts are zero",
    ],
    needs: &[],
    references: &["https://docs.swift.org/package-manager/PackageDescription/PackageDescription.html"],
};

impl Scheme for SwiftVersion {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn compare(&self, left: &str, right: &str) -> Result<Ordering, VersionError> {
        semver_version::compare(META.name, TOLERANCE, left, right)
    }
}

const TOLERANCE: semver_version::Tolerance = semver_version::Tolerance {
    prefix: true,
    most: 3,
};
