//! Semantic versioning 2.0.0, and the parts of it that other schemes share.

use super::{Scheme, VersionError};
use crate::text;
use model::Meta;
use std::cmp::Ordering;

/// The member.
pub(super) static SEMVER_VERSION: SemverVersion = SemverVersion;

pub(super) struct SemverVersion;

static META: Meta = Meta {
    name: "semver-version",
    title: "Semantic versioning 2.0.0",
    finds: &[
        "a pre-release comes before its release, its identifiers are compared one by one, numbers before words",
        "build metadata does not count",
        "tolerated beyond the specification: a leading `v`, missing parts (zero), more than three numbers, leading zeros",
    ],
    needs: &[],
    references: &["https://semver.org/spec/v2.0.0.html"],
};

impl Scheme for SemverVersion {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn compare(&self, left: &str, right: &str) -> Result<Ordering, VersionError> {
        compare(META.name, TOLERANT, left, right)
    }
}

/// What a member accepts beyond the specification.
#[derive(Clone, Copy)]
pub(super) struct Tolerance {
    /// A leading `v` or `V`.
    pub(super) prefix: bool,
    /// The most numbers that may stand before the pre-release.
    pub(super) most: usize,
}

/// Everything that occurs in ecosystems that speak of semantic versioning.
pub(super) const TOLERANT: Tolerance = Tolerance {
    prefix: true,
    most: usize::MAX,
};

/// A version in its parts, as slices of the text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Semver<'a> {
    /// Dotted numbers.
    pub(super) numbers: &'a str,
    /// A first identifier of the pre-release that stands without separator before the others (`rc` of Go's `1.21rc2`).
    pub(super) word: &'a str,
    /// Dotted identifiers of the pre-release; empty for a release.
    pub(super) pre: &'a str,
    /// Dotted identifiers of the build; empty when there is none.
    pub(super) build: &'a str,
}

impl<'a> Semver<'a> {
    /// Takes a text apart.
    pub(super) fn parse(version: &'a str, tolerance: Tolerance) -> Result<Self, &'static str> {
        let body = if tolerance.prefix {
            version.strip_prefix(['v', 'V']).unwrap_or(version)
        } else {
            version
        };
        let (numbers, rest) = split_numbers(body)?;
        if numbers.split('.').count() > tolerance.most {
            return Err("it has too many numbers");
        }
        let (pre, build) = match rest.as_bytes().first() {
            None => ("", ""),
            Some(b'-') => match rest.split_once('+') {
                Some((pre, build)) => (identifiers(&pre[1..])?, identifiers(build)?),
                None => (identifiers(&rest[1..])?, ""),
            },
            Some(b'+') => ("", identifiers(&rest[1..])?),
            Some(_) => return Err("something other than `-` or `+` follows the numbers"),
        };
        Ok(Self {
            numbers,
            word: "",
            pre,
            build,
        })
    }

    /// True when it is not a release.
    pub(super) fn is_pre_release(&self) -> bool {
        !(self.word.is_empty() && self.pre.is_empty())
    }

    /// Order by precedence: numbers, then pre-releases; builds do not count.
    pub(super) fn precedence(&self, other: &Self) -> Ordering {
        text::compare_padded(self.numbers, other.numbers).then_with(|| {
            match (self.is_pre_release(), other.is_pre_release()) {
                (false, false) => Ordering::Equal,
                (false, true) => Ordering::Greater,
                (true, false) => Ordering::Less,
                (true, true) => compare_identifiers(self.identifiers(), other.identifiers()),
            }
        })
    }

    /// Identifiers of the build.
    pub(super) fn build_identifiers(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.build.split('.').filter(|part| !part.is_empty())
    }

    fn identifiers(&self) -> impl Iterator<Item = &'a str> {
        let word = Some(self.word).filter(|word| !word.is_empty());
        word.into_iter()
            .chain(self.pre.split('.').filter(|part| !part.is_empty()))
    }
}

/// Takes the dotted numbers in front.
pub(super) fn split_numbers(version: &str) -> Result<(&str, &str), &'static str> {
    let mut rest = version;
    loop {
        let (digits, after) = text::split_digits(rest);
        if digits.is_empty() {
            return Err(if version.is_empty() {
                "it is empty"
            } else {
                "a number is missing"
            });
        }
        match after.strip_prefix('.') {
            // `1.2.x` is refused here, `1.2.` too.
            Some(next) => rest = next,
            None => {
                let end = version.len() - after.len();
                return Ok((&version[..end], after));
            }
        }
    }
}

/// Checks dotted identifiers of letters, digits and hyphens.
pub(super) fn identifiers(dotted: &str) -> Result<&str, &'static str> {
    if dotted.split('.').any(str::is_empty) {
        return Err("an identifier is empty");
    }
    if dotted
        .bytes()
        .any(|byte| !(byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.'))
    {
        return Err("an identifier holds a character other than letters, digits and hyphens");
    }
    Ok(dotted)
}

/// Order of lists of identifiers: numbers before words, a list before its extension.
pub(super) fn compare_identifiers<'a>(
    left: impl Iterator<Item = &'a str>,
    right: impl Iterator<Item = &'a str>,
) -> Ordering {
    left.map(Identifier).cmp(right.map(Identifier))
}

#[derive(PartialEq, Eq)]
struct Identifier<'a>(&'a str);

impl Ord for Identifier<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        match (text::is_number(self.0), text::is_number(other.0)) {
            (true, true) => text::compare_numbers(self.0, other.0),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            (false, false) => self.0.cmp(other.0),
        }
    }
}

impl PartialOrd for Identifier<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Compares two texts for a member whose order is semantic versioning's own.
pub(super) fn compare(
    scheme: &'static str,
    tolerance: Tolerance,
    left: &str,
    right: &str,
) -> Result<Ordering, VersionError> {
    let parse = |version| {
        Semver::parse(version, tolerance).map_err(|reason| VersionError::new(scheme, version, reason))
    };
    Ok(parse(left)?.precedence(&parse(right)?))
}
