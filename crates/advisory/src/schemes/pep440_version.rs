//! Python's order of versions, PEP 440.

use super::{Scheme, VersionError};
use crate::text;
use model::Meta;
use std::cmp::Ordering;

/// The member.
pub(super) static PEP440_VERSION: Pep440Version = Pep440Version;

pub(super) struct Pep440Version;

static META: Meta = Meta {
    name: "pep440-version",
    title: "Versions of Python packages, PEP 440",
    finds: &[
        "`1.0.dev1 < 1.0a1.dev1 < 1.0a1 < 1.0rc1 < 1.0 < 1.0+local < 1.0.post1`, an epoch `1!` before all else",
        "every spelling that PEP 440 normalises: `v`, upper case, `alpha`, `c`, `preview`, `rev`, `-1` for a post-release, separators",
        "what PEP 440 does not know (the legacy versions of old tools) is refused, as by current tools",
    ],
    needs: &[],
    references: &["https://packaging.python.org/en/latest/specifications/version-specifiers/"],
};

impl Scheme for Pep440Version {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn compare(&self, left: &str, right: &str) -> Result<Ordering, VersionError> {
        let (left, right) = (parse(left)?, parse(right)?);
        Ok(text::compare_numbers(left.epoch, right.epoch)
            .then_with(|| text::compare_padded(left.release, right.release))
            .then_with(|| left.pre_key().cmp(&right.pre_key()))
            .then_with(|| left.post.map(Number).cmp(&right.post.map(Number)))
            // A development release comes before the same without; `None` is lower in Rust.
            .then_with(|| match (left.dev, right.dev) {
                (None, None) => Ordering::Equal,
                (None, Some(_)) => Ordering::Greater,
                (Some(_), None) => Ordering::Less,
                (Some(left), Some(right)) => text::compare_numbers(left, right),
            })
            .then_with(|| compare_locals(left.local, right.local)))
    }
}

#[derive(Default)]
struct Version<'a> {
    epoch: &'a str,
    release: &'a str,
    pre: Option<(Stage, &'a str)>,
    post: Option<&'a str>,
    dev: Option<&'a str>,
    local: &'a str,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    /// A development release of a release: before all its pre-releases.
    Development,
    Alpha,
    Beta,
    Candidate,
    Release,
}

#[derive(Clone, Copy)]
struct Number<'a>(&'a str);

impl Ord for Number<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        text::compare_numbers(self.0, other.0)
    }
}

impl PartialOrd for Number<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Number<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Number<'_> {}

impl<'a> Version<'a> {
    fn pre_key(&self) -> (Stage, Number<'a>) {
        match self.pre {
            Some((stage, number)) => (stage, Number(number)),
            None if self.post.is_none() && self.dev.is_some() => (Stage::Development, Number("")),
            None => (Stage::Release, Number("")),
        }
    }
}

const SEPARATORS: [char; 3] = ['.', '-', '_'];

fn parse(version: &str) -> Result<Version<'_>, VersionError> {
    split(version).map_err(|reason| VersionError::new(META.name, version, reason))
}

fn split(version: &str) -> Result<Version<'_>, &'static str> {
    let trimmed = version.trim();
    let rest = trimmed.strip_prefix(['v', 'V']).unwrap_or(trimmed);
    let mut parsed = Version::default();
    let rest = match rest.split_once('!') {
        Some((epoch, rest)) if text::is_number(epoch) => {
            parsed.epoch = epoch;
            rest
        }
        Some(_) => return Err("its epoch is not a number"),
        None => rest,
    };
    let (release, mut rest) = split_release(rest).ok_or("it does not begin with a number")?;
    parsed.release = release;
    if let Some((stage, number, after)) = stage(rest) {
        parsed.pre = Some((stage, number));
        rest = after;
    }
    if let Some((number, after)) = post(rest) {
        parsed.post = Some(number);
        rest = after;
    }
    if let Some((number, after)) = named(rest, &["dev"]) {
        parsed.dev = Some(number);
        rest = after;
    }
    if let Some(local) = rest.strip_prefix('+') {
        if local
            .split(SEPARATORS)
            .any(|part| part.is_empty() || !part.bytes().all(|byte| byte.is_ascii_alphanumeric()))
        {
            return Err(
                "a part of its local version is empty, or holds other characters than letters and digits",
            );
        }
        parsed.local = local;
        rest = "";
    }
    if rest.is_empty() {
        Ok(parsed)
    } else {
        Err("it is not of the form of PEP 440")
    }
}

/// Dotted numbers; a dot that no number follows belongs to what comes after.
fn split_release(text: &str) -> Option<(&str, &str)> {
    let (first, mut rest) = text::split_digits(text);
    if first.is_empty() {
        return None;
    }
    while let Some(after) = rest.strip_prefix('.') {
        let (digits, after) = text::split_digits(after);
        if digits.is_empty() {
            break;
        }
        rest = after;
    }
    text.split_at_checked(text.len() - rest.len())
}

fn stage(text: &str) -> Option<(Stage, &str, &str)> {
    // The longer spelling of each first letter comes first.
    const NAMES: [(&str, Stage); 8] = [
        ("alpha", Stage::Alpha),
        ("a", Stage::Alpha),
        ("beta", Stage::Beta),
        ("b", Stage::Beta),
        ("preview", Stage::Candidate),
        ("pre", Stage::Candidate),
        ("c", Stage::Candidate),
        ("rc", Stage::Candidate),
    ];
    NAMES
        .iter()
        .find_map(|(name, stage)| named(text, &[name]).map(|(number, rest)| (*stage, number, rest)))
}

fn post(text: &str) -> Option<(&str, &str)> {
    if let Some(after) = text.strip_prefix('-') {
        let (digits, rest) = text::split_digits(after);
        if !digits.is_empty() {
            return Some((digits, rest));
        }
    }
    named(text, &["post", "rev", "r"])
}

/// `[._-]name[._-]number`, of which all but the name may be missing; gives the number (empty for none) and the rest.
fn named<'a>(text: &'a str, names: &[&str]) -> Option<(&'a str, &'a str)> {
    let body = text.strip_prefix(SEPARATORS).unwrap_or(text);
    let rest = names
        .iter()
        .find_map(|name| text::strip_prefix_ignoring_case(body, name))?;
    Some(text::split_digits(rest.strip_prefix(SEPARATORS).unwrap_or(rest)))
}

fn compare_locals(left: &str, right: &str) -> Ordering {
    let (mut left, mut right) = (left.split(SEPARATORS), right.split(SEPARATORS));
    loop {
        // No local version is one empty part, which is lower than every other.
        let order = match (left.next(), right.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(a), Some(b)) => match (text::is_number(a), text::is_number(b)) {
                (true, true) => text::compare_numbers(a, b),
                (true, false) => Ordering::Greater,
                (false, true) => Ordering::Less,
                (false, false) => text::compare_ignoring_case(a, b),
            },
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}
