//! Pub, the packages of Dart and Flutter: semantic versions whose builds count.

use super::{
    Scheme, VersionError,
    semver_version::{Semver, TOLERANT, compare_identifiers},
};
use model::Meta;
use std::cmp::Ordering;

/// The member.
pub(super) static PUB_VERSION: PubVersion = PubVersion;

pub(super) struct PubVersion;

static META: Meta = Meta {
    name: "pub-version",
    title: "Versions of Dart packages",
    finds: &[
        "semantic versioning's order, but builds count: a version comes before the same version with a build, builds are compared like pre-releases",
        "tolerated beyond pub: a leading `v`, missing parts (zero), leading zeros",
    ],
    needs: &[],
    references: &["https://pub.dev/documentation/pub_semver/latest/pub_semver/Version-class.html"],
};

impl Scheme for PubVersion {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn compare(&self, left: &str, right: &str) -> Result<Ordering, VersionError> {
        let parse = |version| {
            Semver::parse(version, TOLERANT).map_err(|reason| VersionError::new(META.name, version, reason))
        };
        let (left, right) = (parse(left)?, parse(right)?);
        Ok(left
            .precedence(&right)
            .then_with(|| compare_identifiers(left.build_identifiers(), right.build_identifiers())))
    }
}
