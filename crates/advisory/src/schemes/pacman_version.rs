//! pacman's order of versions: `[epoch:]version[-release]`, that of Arch Linux.

use super::{Scheme, VersionError};
use crate::text::{self, Release};
use model::Meta;
use std::cmp::Ordering;

/// The member.
pub(super) static PACMAN_VERSION: PacmanVersion = PacmanVersion;

pub(super) struct PacmanVersion;

static META: Meta = Meta {
    name: "pacman-version",
    title: "Versions of Arch Linux packages, as vercmp orders them",
    finds: &[
        "the epoch (zero when missing), then the version, then the release, which does not count when one side has none (`1.5 = 1.5-1`)",
        "unlike in rpm, letters at the end make a pre-release (`1.0a < 1.0`), and more separators make a newer version (`1..0 > 1.0`)",
    ],
    needs: &[],
    references: &["https://man.archlinux.org/man/vercmp.8"],
};

impl Scheme for PacmanVersion {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn compare(&self, left: &str, right: &str) -> Result<Ordering, VersionError> {
        let (left, right) = (parse(left)?, parse(right)?);
        Ok(text::compare_numbers(left.epoch, right.epoch)
            .then_with(|| compare_part(left.version, right.version))
            .then_with(|| match (left.release, right.release) {
                (Some(left), Some(right)) => compare_part(left, right),
                _ => Ordering::Equal,
            }))
    }
}

fn parse(version: &str) -> Result<Release<'_>, VersionError> {
    let fail = |reason| VersionError::new(META.name, version, reason);
    let release = Release::parse(version).map_err(fail)?;
    if version.is_ascii() {
        Ok(release)
    } else {
        Err(fail("it holds characters outside ASCII"))
    }
}

fn compare_part(mut left: &str, mut right: &str) -> Ordering {
    if left == right {
        return Ordering::Equal;
    }
    loop {
        let (left_separators, a) = text::split_run(left, |byte| !byte.is_ascii_alphanumeric());
        let (right_separators, b) = text::split_run(right, |byte| !byte.is_ascii_alphanumeric());
        if a.is_empty() || b.is_empty() {
            return compare_rests(a, b);
        }
        let order = left_separators.len().cmp(&right_separators.len());
        if order != Ordering::Equal {
            return order;
        }
        let digits = (
            a.starts_with(|first: char| first.is_ascii_digit()),
            b.starts_with(|first: char| first.is_ascii_digit()),
        );
        let order = match digits {
            (true, false) => Ordering::Greater,
            (false, true) => Ordering::Less,
            (true, true) => {
                let ((x, after_x), (y, after_y)) = (text::split_digits(a), text::split_digits(b));
                (left, right) = (after_x, after_y);
                text::compare_numbers(x, y)
            }
            (false, false) => {
                let ((x, after_x), (y, after_y)) = (text::split_letters(a), text::split_letters(b));
                (left, right) = (after_x, after_y);
                x.cmp(y)
            }
        };
        if order != Ordering::Equal {
            return order;
        }
        if left.is_empty() || right.is_empty() {
            return compare_rests(left, right);
        }
    }
}

/// One of them has ended: letters that remain are older than the end, everything else is newer.
fn compare_rests(left: &str, right: &str) -> Ordering {
    let letters = |text: &str| text.starts_with(|first: char| first.is_ascii_alphabetic());
    match (left.is_empty(), right.is_empty()) {
        (true, true) => Ordering::Equal,
        (true, false) if letters(right) => Ordering::Greater,
        (true, false) => Ordering::Less,
        (false, _) if letters(left) => Ordering::Less,
        (false, _) => Ordering::Greater,
    }
}
