//! Go: module versions (semantic versions, pseudo-versions) and releases of Go itself.

use super::semver_version::{Semver, Tolerance, split_numbers};
use super::{Scheme, VersionError};
use crate::text;
use model::Meta;
use std::cmp::Ordering;

/// The member.
pub(super) static GO_VERSION: GoVersion = GoVersion;

pub(super) struct GoVersion;

static META: Meta = Meta {
    name: "go-version",
    title: "Versions of Go modules and of Go itself",
    finds: &[
        "semantic versioning's order with or without `v`; `+incompatible` does not count; pseudo-versions are pre-releases and need nothing special",
        "releases of Go in its own writing: `go1.21rc2` is `1.21.0-rc.2`; what follows a blank (`X:` experiments) or, after `go`, a hyphen (a vendor's suffix) does not count",
        "`(devel)` is no version",
    ],
    needs: &[],
    references: &[
        "https://go.dev/ref/mod#versions",
        "https://go.dev/ref/mod#pseudo-versions",
        "https://pkg.go.dev/go/version",
    ],
};

const TOLERANCE: Tolerance = Tolerance {
    prefix: true,
    most: 3,
};

impl Scheme for GoVersion {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn compare(&self, left: &str, right: &str) -> Result<Ordering, VersionError> {
        Ok(parse(left)?.precedence(&parse(right)?))
    }
}

fn parse(version: &str) -> Result<Semver<'_>, VersionError> {
    let fail = |reason| VersionError::new(META.name, version, reason);
    let (body, is_toolchain) = match version.strip_prefix("go") {
        Some(body) => (body, true),
        None => (version, false),
    };
    let body = match body.split_once(' ') {
        Some((body, _experiments)) => body,
        None => body,
    };
    let body = match body.split_once('-') {
        Some((body, _vendor)) if is_toolchain => body,
        _ => body,
    };
    if let Ok((numbers, rest)) = split_numbers(body)
        && let (word @ ("rc" | "beta"), number) = text::split_letters(rest)
    {
        return if text::is_number(number) && numbers.split('.').count() <= 3 {
            Ok(Semver {
                numbers,
                word,
                pre: number,
                build: "",
            })
        } else {
            Err(fail("a number is missing after `rc` or `beta`"))
        };
    }
    Semver::parse(body, TOLERANCE).map_err(fail)
}

#[cfg(test)]
mod tests {
    use super::{GO_VERSION, Scheme};
    use std::cmp::Ordering;

    /// Texts with blanks, which the fixture file cannot hold.
    #[test]
    fn experiments_and_vendors_do_not_count() {
        for (left, right, order) in [
            ("go1.20.3 X:nocoverageredesign", "1.20.3", Ordering::Equal),
            ("go1.22rc1 X:boringcrypto", "1.22.0-rc.1", Ordering::Equal),
            ("go1.19.4-fips X:boringcrypto", "1.19.5", Ordering::Less),
        ] {
            assert_eq!(GO_VERSION.compare(left, right), Ok(order), "{left} {right}");
        }
        assert!(GO_VERSION.check("devel go1.22-abc Thu").is_err());
    }
}
