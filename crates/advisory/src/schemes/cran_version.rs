//! CRAN and Bioconductor, the packages of R.

use super::{Scheme, VersionError};
use crate::text;
use model::Meta;
use std::cmp::Ordering;

/// The member.
pub(super) static CRAN_VERSION: CranVersion = CranVersion;

pub(super) struct CranVersion;

static META: Meta = Meta {
    name: "cran-version",
    title: "Versions of R packages, as `package_version` orders them",
    finds: &[
        "numbers separated by `.` or `-`, which mean the same; the longer is greater when it begins with the other (`0.1.0 < 0.1.0.0`)",
    ],
    needs: &[],
    references: &["https://stat.ethz.ch/R-manual/R-devel/library/base/html/numeric_version.html"],
};

impl Scheme for CranVersion {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn compare(&self, left: &str, right: &str) -> Result<Ordering, VersionError> {
        check(left)?;
        check(right)?;
        Ok(text::compare_sequences(
            left.split(SEPARATORS),
            right.split(SEPARATORS),
        ))
    }
}

const SEPARATORS: [char; 2] = ['.', '-'];

fn check(version: &str) -> Result<(), VersionError> {
    if version.split(SEPARATORS).all(text::is_number) {
        Ok(())
    } else {
        Err(VersionError::new(
            META.name,
            version,
            "it is not a sequence of numbers separated by `.` or `-`",
        ))
    }
}
