//! FreeBSD's order of versions: `version[_revision][,epoch]`.

use super::{Scheme, VersionError};
use crate::text;
use model::Meta;
use std::cmp::Ordering;

/// The member.
pub(super) static FREEBSD_VERSION: FreebsdVersion = FreebsdVersion;

pub(super) struct FreebsdVersion;

static META: Meta = Meta {
    name: "freebsd-version",
    title: "Versions of FreeBSD packages, as pkg orders them",
    finds: &[
        "the epoch after `,`, then the version, then the revision after `_`; each is zero when missing",
        "components of a number, a letter and a patch number, separated by dots; missing components are zero (`1 = 1.0`)",
        "`pl`, `alpha`, `beta`, `pre` and `rc` begin a component of their own, which comes before one that begins with a number",
    ],
    needs: &[],
    references: &["https://docs.freebsd.org/en/books/porters-handbook/makefiles/#makefile-naming"],
};

impl Scheme for FreebsdVersion {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn compare(&self, left: &str, right: &str) -> Result<Ordering, VersionError> {
        let (left, right) = (parse(left)?, parse(right)?);
        Ok(text::compare_numbers(left.epoch, right.epoch)
            .then_with(|| compare_components(left.version, right.version))
            .then_with(|| text::compare_numbers(left.revision, right.revision)))
    }
}

struct Version<'a> {
    version: &'a str,
    revision: &'a str,
    epoch: &'a str,
}

fn parse(version: &str) -> Result<Version<'_>, VersionError> {
    split(version).map_err(|reason| VersionError::new(META.name, version, reason))
}

fn split(version: &str) -> Result<Version<'_>, &'static str> {
    if version.is_empty() {
        return Err("it is empty");
    }
    let (rest, epoch) = match version.rsplit_once(',') {
        Some((_, epoch)) if !text::is_number(epoch) => return Err("its epoch is not a number"),
        Some(parts) => parts,
        None => (version, ""),
    };
    let (rest, revision) = match rest.rsplit_once('_') {
        Some((_, revision)) if !text::is_number(revision) => return Err("its revision is not a number"),
        Some(parts) => parts,
        None => (rest, ""),
    };
    if !rest.starts_with(|first: char| first.is_ascii_alphanumeric()) {
        return Err("it does not begin with a digit or a letter");
    }
    if !rest
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'+'))
    {
        return Err("it holds characters other than letters, digits, dots and `+`");
    }
    Ok(Version {
        version: rest,
        revision,
        epoch,
    })
}

/// A number, a letter and a patch number; what is missing has its own place.
#[derive(Clone, Copy)]
struct Component<'a> {
    /// `None` comes before zero: the component begins with a letter.
    number: Option<&'a str>,
    /// 0 for none, then `a` = 1 and so on; `pl` is 0 too.
    letter: u8,
    /// `None` comes before zero: no number follows the letter.
    patch: Option<&'a str>,
}

const ZERO: Component<'static> = Component {
    number: Some("0"),
    letter: 0,
    patch: Some("0"),
};

impl Component<'_> {
    fn order(&self, other: &Self) -> Ordering {
        compare_optional(self.number, other.number)
            .then_with(|| self.letter.cmp(&other.letter))
            .then_with(|| compare_optional(self.patch, other.patch))
    }
}

fn compare_optional(left: Option<&str>, right: Option<&str>) -> Ordering {
    match (left, right) {
        (Some(left), Some(right)) => text::compare_numbers(left, right),
        (left, right) => left.is_some().cmp(&right.is_some()),
    }
}

fn take_component<'a>(rest: &mut &'a str) -> Component<'a> {
    const STAGES: [(&str, u8); 5] = [("pl", 0), ("alpha", 1), ("beta", 2), ("pre", 16), ("rc", 18)];
    let (digits, after) = text::split_digits(rest);
    let (letters, after_letters) = text::split_letters(after);
    let stage = STAGES
        .iter()
        .find(|(name, _)| letters.len() > 1 && letters.eq_ignore_ascii_case(name));
    let mut component = Component {
        number: (!digits.is_empty()).then_some(digits),
        ..ZERO
    };
    let mut next = after;
    // After a number these words begin a component of their own, as if a dot stood before them.
    let begins_next = stage.is_some() && !digits.is_empty();
    if let Some(first) = letters.bytes().next().filter(|_| !begins_next) {
        component.letter = stage.map_or(first.to_ascii_lowercase() - b'a' + 1, |(_, value)| *value);
        let (patch, after_patch) = text::split_digits(after_letters);
        component.patch = (!patch.is_empty()).then_some(patch);
        next = after_patch;
    }
    *rest = next.trim_start_matches('.');
    component
}

fn compare_components(mut left: &str, mut right: &str) -> Ordering {
    while !(left.is_empty() && right.is_empty()) {
        let is_open = |text: &str| !text.is_empty() && !text.starts_with('+');
        let (a_open, b_open) = (is_open(left), is_open(right));
        if !a_open && !b_open {
            left = left.get(1..).unwrap_or_default();
            right = right.get(1..).unwrap_or_default();
            continue;
        }
        let a = if a_open { take_component(&mut left) } else { ZERO };
        let b = if b_open { take_component(&mut right) } else { ZERO };
        let order = a.order(&b);
        if order != Ordering::Equal {
            return order;
        }
    }
    Ordering::Equal
}
