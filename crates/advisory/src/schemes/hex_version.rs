//! Hex, the packages of Erlang and Elixir.

use super::{Scheme, VersionError, semver_version};
use model::Meta;
use std::cmp::Ordering;

/// The member.
pub(super) static HEX_VERSION: HexVersion = HexVersion;

pub(super) struct HexVersion;

static META: Meta = Meta {
    name: "hex-version",
    title: "Versions of Hex packages, as Elixir's `Version` orders them",
    finds: &[
        "semantic versioning's order without a `v` in front",
        "tolerated beyond Elixir: missing parts (zero), as advisories write bounds",
    ],
    needs: &[],
    references: &["https://hexdocs.pm/elixir/Version.html"],
};

impl Scheme for HexVersion {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn compare(&self, left: &str, right: &str) -> Result<Ordering, VersionError> {
        semver_version::compare(META.name, TOLERANCE, left, right)
    }
}

const TOLERANCE: semver_version::Tolerance = semver_version::Tolerance {
    prefix: false,
    most: 3,
};
