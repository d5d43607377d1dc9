//! Conan: any number of dotted items, with a pre-release and a build.

use super::{Scheme, VersionError};
use crate::text;
use model::Meta;
use std::cmp::Ordering;

/// The member.
pub(super) static CONAN_VERSION: ConanVersion = ConanVersion;

pub(super) struct ConanVersion;

static META: Meta = Meta {
    name: "conan-version",
    title: "Versions of C and C++ packages, as Conan 2 orders them",
    finds: &[
        "any number of dotted items, numbers or words (`1.1.1w`, `cci.20230101`); trailing zeros do not count",
        "numbers are compared as numbers, an item that is a word makes both be compared as texts",
        "a pre-release after `-` comes before its release, a build after `+` comes after it",
    ],
    needs: &[],
    references: &["https://docs.conan.io/2/tutorial/versioning/version_ranges.html"],
};

impl Scheme for ConanVersion {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn compare(&self, left: &str, right: &str) -> Result<Ordering, VersionError> {
        let (left, right) = (parse(left)?, parse(right)?);
        Ok(compare_items(left.items, right.items)
            .then_with(|| match (left.pre, right.pre) {
                (None, None) => Ordering::Equal,
                (None, Some(_)) => Ordering::Greater,
                (Some(_), None) => Ordering::Less,
                (Some(left), Some(right)) => compare_items(left, right),
            })
            .then_with(|| match (left.build, right.build) {
                (None, None) => Ordering::Equal,
                (None, Some(_)) => Ordering::Less,
                (Some(_), None) => Ordering::Greater,
                (Some(left), Some(right)) => compare_items(left, right),
            }))
    }
}

struct Version<'a> {
    items: &'a str,
    pre: Option<&'a str>,
    build: Option<&'a str>,
}

fn parse(version: &str) -> Result<Version<'_>, VersionError> {
    let fail = |reason| VersionError::new(META.name, version, reason);
    if let Some(reason) = text::unprintable(version) {
        return Err(fail(reason));
    }
    let (rest, build) = match version.rsplit_once('+') {
        Some((rest, build)) => (rest, Some(build)),
        None => (version, None),
    };
    let (items, pre) = match rest.split_once('-') {
        Some((items, pre)) => (items, Some(pre)),
        None => (rest, None),
    };
    let parts = [Some(items), pre, build];
    if parts
        .iter()
        .flatten()
        .any(|part| part.split('.').any(str::is_empty))
    {
        return Err(fail("a part of it is empty"));
    }
    Ok(Version { items, pre, build })
}

/// Without the zeros at the end; nothing is left of `0.0`.
fn significant(items: &str) -> &str {
    let mut kept = items;
    loop {
        let (head, last) = kept.rsplit_once('.').unwrap_or(("", kept));
        if kept.is_empty() || !text::is_number(last) || !text::is_zero(last) {
            return kept;
        }
        kept = head;
    }
}

fn compare_items(left: &str, right: &str) -> Ordering {
    let items = |text| {
        significant(text)
            .split('.')
            .filter(|item| !item.is_empty())
            .map(Item)
    };
    items(left).cmp(items(right))
}

struct Item<'a>(&'a str);

/// As Conan writes it before it compares texts: a number without leading zeros.
fn written(item: &str) -> &str {
    if text::is_number(item) {
        let digits = item.trim_start_matches('0');
        if digits.is_empty() { "0" } else { digits }
    } else {
        item
    }
}

impl Ord for Item<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        if text::is_number(self.0) && text::is_number(other.0) {
            return text::compare_numbers(self.0, other.0);
        }
        written(self.0).cmp(written(other.0))
    }
}

impl PartialOrd for Item<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Item<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Item<'_> {}
