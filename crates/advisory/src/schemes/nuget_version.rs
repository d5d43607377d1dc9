//! NuGet: semantic versions with a fourth number, without regard to case.

use super::semver_version::{Semver, Tolerance};
use super::{Scheme, VersionError};
use crate::text;
use model::Meta;
use std::cmp::Ordering;

/// The member.
pub(super) static NUGET_VERSION: NugetVersion = NugetVersion;

pub(super) struct NugetVersion;

static META: Meta = Meta {
    name: "nuget-version",
    title: "Versions of .NET packages, as NuGet orders them",
    finds: &[
        "up to four numbers, missing ones are zero, leading zeros do not count",
        "labels of a pre-release are compared without regard to case; a label counts as a number when it fits in 32 bits, as in NuGet",
        "metadata after `+` does not count",
    ],
    needs: &[],
    references: &["https://learn.microsoft.com/en-us/nuget/concepts/package-versioning"],
};

const TOLERANCE: Tolerance = Tolerance {
    prefix: false,
    most: 4,
};

impl Scheme for NugetVersion {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn compare(&self, left: &str, right: &str) -> Result<Ordering, VersionError> {
        let parse = |version| {
            Semver::parse(version, TOLERANCE).map_err(|reason| VersionError::new(META.name, version, reason))
        };
        let (left, right) = (parse(left)?, parse(right)?);
        Ok(
            text::compare_padded(left.numbers, right.numbers).then_with(|| match (left.pre, right.pre) {
                ("", "") => Ordering::Equal,
                ("", _) => Ordering::Greater,
                (_, "") => Ordering::Less,
                (left, right) => left.split('.').map(Label).cmp(right.split('.').map(Label)),
            }),
        )
    }
}

struct Label<'a>(&'a str);

impl Ord for Label<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.0.parse::<i32>(), other.0.parse::<i32>()) {
            (Ok(left), Ok(right)) => left.cmp(&right),
            (Ok(_), Err(_)) => Ordering::Less,
            (Err(_), Ok(_)) => Ordering::Greater,
            (Err(_), Err(_)) => text::compare_ignoring_case(self.0, other.0),
        }
    }
}

impl PartialOrd for Label<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Label<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Label<'_> {}
