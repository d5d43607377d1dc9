//! rpm's order of versions: `[epoch:]version[-release]`, that of Red Hat, SUSE and their kin.

use super::{Scheme, VersionError};
use crate::text::{self, Release};
use model::Meta;
use std::cmp::Ordering;

/// The member.
pub(super) static RPM_VERSION: RpmVersion = RpmVersion;

pub(super) struct RpmVersion;

static META: Meta = Meta {
    name: "rpm-version",
    title: "Versions of rpm packages, as rpm 4.15 and later order them",
    finds: &[
        "the epoch (zero when missing), then the version, then the release after the last hyphen; no release comes before any",
        "runs of digits and runs of letters are compared in turn, digits are newer than letters, what separates them does not count",
        "`~` comes before everything, even before the end; `^` comes after the end and before everything else",
    ],
    needs: &[],
    references: &[
        "https://rpm-software-management.github.io/rpm/man/rpm-version.7",
        "https://rpm-software-management.github.io/rpm/manual/dependencies.html",
    ],
};

impl Scheme for RpmVersion {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn compare(&self, left: &str, right: &str) -> Result<Ordering, VersionError> {
        let (left, right) = (parse(left)?, parse(right)?);
        Ok(text::compare_numbers(left.epoch, right.epoch)
            .then_with(|| compare_part(left.version, right.version))
            .then_with(|| match (left.release, right.release) {
                (Some(left), Some(right)) => compare_part(left, right),
                (left, right) => left.is_some().cmp(&right.is_some()),
            }))
    }
}

fn parse(version: &str) -> Result<Release<'_>, VersionError> {
    Release::parse(version).map_err(|reason| VersionError::new(META.name, version, reason))
}

fn counts(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'~' | b'^')
}

fn compare_part(mut left: &str, mut right: &str) -> Ordering {
    if left == right {
        return Ordering::Equal;
    }
    loop {
        left = text::split_run(left, |byte| !counts(byte)).1;
        right = text::split_run(right, |byte| !counts(byte)).1;
        let (a, b) = (left.as_bytes().first(), right.as_bytes().first());
        match (a, b) {
            (Some(b'~'), Some(b'~')) | (Some(b'^'), Some(b'^')) => {
                left = left.get(1..).unwrap_or_default();
                right = right.get(1..).unwrap_or_default();
            }
            (Some(b'~'), _) => return Ordering::Less,
            (_, Some(b'~')) => return Ordering::Greater,
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(b'^'), Some(_)) => return Ordering::Less,
            (Some(_), Some(b'^')) => return Ordering::Greater,
            (Some(a), Some(b)) => {
                let order = match (a.is_ascii_digit(), b.is_ascii_digit()) {
                    (true, false) => return Ordering::Greater,
                    (false, true) => return Ordering::Less,
                    (true, true) => {
                        let (a, after_a) = text::split_digits(left);
                        let (b, after_b) = text::split_digits(right);
                        (left, right) = (after_a, after_b);
                        text::compare_numbers(a, b)
                    }
                    (false, false) => {
                        let (a, after_a) = text::split_letters(left);
                        let (b, after_b) = text::split_letters(right);
                        (left, right) = (after_a, after_b);
                        a.cmp(b)
                    }
                };
                if order != Ordering::Equal {
                    return order;
                }
            }
        }
    }
}
