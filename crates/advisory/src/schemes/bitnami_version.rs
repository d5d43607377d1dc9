//! Bitnami: semantic versions whose numeric pre-release is a revision of the package.

use super::{
    Scheme, VersionError,
    semver_version::{Semver, TOLERANT},
};
use crate::text;
use model::Meta;
use std::cmp::Ordering;

/// The member.
pub(super) static BITNAMI_VERSION: BitnamiVersion = BitnamiVersion;

pub(super) struct BitnamiVersion;

static META: Meta = Meta {
    name: "bitnami-version",
    title: "Versions of Bitnami packages",
    finds: &[
        "semantic versioning's order, but for revisions",
        "a pre-release of digits alone is a revision of the package and comes after the release (`1.2.3 < 1.2.3-1 < 1.2.3-2`)",
    ],
    needs: &[],
    references: &[
        "https://github.com/bitnami/go-version",
        "https://github.com/bitnami/vulndb",
    ],
};

impl Scheme for BitnamiVersion {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn compare(&self, left: &str, right: &str) -> Result<Ordering, VersionError> {
        let parse = |version| {
            Semver::parse(version, TOLERANT).map_err(|reason| VersionError::new(META.name, version, reason))
        };
        let (left, right) = (parse(left)?, parse(right)?);
        let ((left, left_revision), (right, right_revision)) = (split_revision(left), split_revision(right));
        Ok(left
            .precedence(&right)
            .then_with(|| text::compare_numbers(left_revision, right_revision)))
    }
}

/// Takes the revision off; without one it is zero.
fn split_revision(version: Semver<'_>) -> (Semver<'_>, &str) {
    if text::is_number(version.pre) {
        (Semver { pre: "", ..version }, version.pre)
    } else {
        (version, "")
    }
}
