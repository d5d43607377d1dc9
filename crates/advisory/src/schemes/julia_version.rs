//! Julia: semantic versions whose builds count.

use super::{
    Scheme, VersionError,
    semver_version::{Semver, compare_identifiers, identifiers, split_numbers},
};
use crate::text;
use model::Meta;
use std::cmp::Ordering;

/// The member.
pub(super) static JULIA_VERSION: JuliaVersion = JuliaVersion;

pub(super) struct JuliaVersion;

static META: Meta = Meta {
    name: "julia-version",
    title: "Versions of Julia packages, as `VersionNumber` orders them",
    finds: &[
        "semantic versioning's order, but builds count: no build comes before any build (`1.2.3 < 1.2.3+0`)",
        "a pre-release may follow without hyphen (`1.0rc1`); a lone hyphen is lower than every pre-release",
        "a leading `v` and missing parts (zero) as in Julia",
    ],
    needs: &[],
    references: &[
        "https://docs.julialang.org/en/v1/manual/strings/#man-version-number-literals",
        "https://docs.julialang.org/en/v1/base/base/#Base.VersionNumber",
    ],
};

impl Scheme for JuliaVersion {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn compare(&self, left: &str, right: &str) -> Result<Ordering, VersionError> {
        let (left, right) = (parse(left)?, parse(right)?);
        Ok(text::compare_padded(left.version.numbers, right.version.numbers)
            .then_with(|| right.lowest.cmp(&left.lowest))
            .then_with(|| left.version.precedence(&right.version))
            .then_with(|| {
                compare_identifiers(
                    left.version.build_identifiers(),
                    right.version.build_identifiers(),
                )
            }))
    }
}

struct Julia<'a> {
    version: Semver<'a>,
    /// A lone hyphen follows the numbers.
    lowest: bool,
}

fn parse(version: &str) -> Result<Julia<'_>, VersionError> {
    split(version).map_err(|reason| VersionError::new(META.name, version, reason))
}

fn split(version: &str) -> Result<Julia<'_>, &'static str> {
    let (numbers, rest) = split_numbers(version.strip_prefix('v').unwrap_or(version))?;
    if numbers.split('.').count() > 3 {
        return Err("it has more than three numbers");
    }
    let (pre, build) = match rest.split_once('+') {
        Some((pre, build)) => (pre, identifiers(build)?),
        None => (rest, ""),
    };
    let lowest = pre == "-";
    let pre = if pre.is_empty() || lowest {
        ""
    } else if let Some(pre) = pre.strip_prefix('-') {
        identifiers(pre)?
    } else if pre.starts_with(|first: char| first.is_ascii_alphabetic()) {
        identifiers(pre)?
    } else {
        return Err("something other than a pre-release or a build follows the numbers");
    };
    Ok(Julia {
        version: Semver {
            numbers,
            word: "",
            pre,
            build,
        },
        lowest,
    })
}
