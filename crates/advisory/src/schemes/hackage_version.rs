//! Hackage, the packages of Haskell.

use super::{Scheme, VersionError};
use crate::text;
use model::Meta;
use std::cmp::Ordering;

/// The member.
pub(super) static HACKAGE_VERSION: HackageVersion = HackageVersion;

pub(super) struct HackageVersion;

static META: Meta = Meta {
    name: "hackage-version",
    title: "Versions of Haskell packages, and of GHC",
    finds: &[
        "dotted numbers, the longer is greater when it begins with the other (`1.0 < 1.0.0`)",
        "a number with a leading zero is no version, as in Cabal",
    ],
    needs: &[],
    references: &[
        "https://pvp.haskell.org/",
        "https://hackage.haskell.org/package/Cabal-syntax/docs/Distribution-Version.html",
    ],
};

impl Scheme for HackageVersion {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn compare(&self, left: &str, right: &str) -> Result<Ordering, VersionError> {
        check(left)?;
        check(right)?;
        Ok(text::compare_sequences(left.split('.'), right.split('.')))
    }
}

fn check(version: &str) -> Result<(), VersionError> {
    let reason = if !version.split('.').all(text::is_number) {
        "it is not a sequence of numbers"
    } else if version
        .split('.')
        .any(|number| number.len() > 1 && number.starts_with('0'))
    {
        "a number begins with a zero"
    } else {
        return Ok(());
    };
    Err(VersionError::new(META.name, version, reason))
}
