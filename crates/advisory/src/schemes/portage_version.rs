//! Portage's order of versions: numbers, a letter, suffixes, a revision, that of Gentoo.

use super::{Scheme, VersionError};
use crate::text;
use model::Meta;
use std::cmp::Ordering;

/// The member.
pub(super) static PORTAGE_VERSION: PortageVersion = PortageVersion;

pub(super) struct PortageVersion;

static META: Meta = Meta {
    name: "portage-version",
    title: "Versions of Gentoo packages, as the Package Manager Specification orders them",
    finds: &[
        "numbers after the first are compared as fractions when one of them begins with zero (`1.05 < 1.5`)",
        "a letter, then the suffixes `_alpha < _beta < _pre < _rc < none < _p`, then the revision `-r`",
    ],
    needs: &[],
    references: &["https://projects.gentoo.org/pms/latest/pms.html"],
};

impl Scheme for PortageVersion {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn compare(&self, left: &str, right: &str) -> Result<Ordering, VersionError> {
        let (left, right) = (parse(left)?, parse(right)?);
        Ok(compare_dotted(left.numbers, right.numbers)
            .then_with(|| left.letter.cmp(&right.letter))
            .then_with(|| compare_suffixes(left.suffixes, right.suffixes))
            .then_with(|| text::compare_numbers(left.revision, right.revision)))
    }
}

struct Version<'a> {
    numbers: &'a str,
    letter: Option<u8>,
    /// `_alpha1_p2` with its first underscore.
    suffixes: &'a str,
    revision: &'a str,
}

fn parse(version: &str) -> Result<Version<'_>, VersionError> {
    split(version).map_err(|reason| VersionError::new(META.name, version, reason))
}

fn split(version: &str) -> Result<Version<'_>, &'static str> {
    let (numbers, rest) = super::semver_version::split_numbers(version)?;
    let (letter, rest) = match rest.as_bytes().first() {
        Some(letter @ b'a'..=b'z') => (Some(*letter), rest.get(1..).unwrap_or_default()),
        _ => (None, rest),
    };
    let (suffixes, revision) = match rest.split_once("-r") {
        Some((_, revision)) if !text::is_number(revision) => return Err("its revision is not a number"),
        Some(parts) => parts,
        None => (rest, ""),
    };
    if !suffixes.is_empty() {
        let Some(names) = suffixes.strip_prefix('_') else {
            return Err("something other than a letter, a suffix or a revision follows the numbers");
        };
        if names.split('_').any(|suffix| self::suffix(suffix).is_none()) {
            return Err("it has a suffix that does not exist");
        }
    }
    Ok(Version {
        numbers,
        letter,
        suffixes,
        revision,
    })
}

/// Place and number of a suffix.
fn suffix(text: &str) -> Option<(i8, &str)> {
    let (name, number) = text::split_letters(text);
    let place = match name {
        "alpha" => -4,
        "beta" => -3,
        "pre" => -2,
        "rc" => -1,
        "p" => 1,
        _ => return None,
    };
    (number.is_empty() || text::is_number(number)).then_some((place, number))
}

fn compare_dotted(left: &str, right: &str) -> Ordering {
    let (mut left, mut right) = (left.split('.'), right.split('.'));
    let first = text::compare_numbers(left.next().unwrap_or_default(), right.next().unwrap_or_default());
    if first != Ordering::Equal {
        return first;
    }
    loop {
        let order = match (left.next(), right.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(a), Some(b)) if a.starts_with('0') || b.starts_with('0') => {
                a.trim_end_matches('0').cmp(b.trim_end_matches('0'))
            }
            (Some(a), Some(b)) => text::compare_numbers(a, b),
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

fn compare_suffixes(left: &str, right: &str) -> Ordering {
    let (mut left, mut right) = (left.split('_').skip(1), right.split('_').skip(1));
    loop {
        let (a, b) = (left.next(), right.next());
        if a.is_none() && b.is_none() {
            return Ordering::Equal;
        }
        // No suffix stands between the pre-releases and the patches.
        let (a, b) = (
            a.and_then(suffix).unwrap_or((0, "")),
            b.and_then(suffix).unwrap_or((0, "")),
        );
        let order = a.0.cmp(&b.0).then_with(|| text::compare_numbers(a.1, b.1));
        if order != Ordering::Equal {
            return order;
        }
    }
}
