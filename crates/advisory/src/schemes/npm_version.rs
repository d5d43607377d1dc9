//! npm: strict semantic versions, and the ranges that packages ask for.

use super::{Scheme, VersionError, semver_version};
use crate::text;
use model::Meta;
use std::cmp::Ordering;

/// The member.
pub(super) static NPM_VERSION: NpmVersion = NpmVersion;

pub(super) struct NpmVersion;

static META: Meta = Meta {
    name: "npm-version",
    title: "Versions of npm packages, as node-semver orders them",
    finds: &[
        "semantic versioning's order; a leading `v` is tolerated, missing parts are zero",
        "ranges for the inventory: `^`, `~`, `||`, hyphens, `x`, `<`, `<=`, `>`, `>=`, `=`; a pre-release satisfies a range only if a \
         bound of the range is a pre-release of the same release",
    ],
    needs: &[],
    references: &["https://github.com/npm/node-semver#ranges"],
};

const TOLERANCE: semver_version::Tolerance = semver_version::Tolerance {
    prefix: true,
    most: 3,
};

impl Scheme for NpmVersion {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn compare(&self, left: &str, right: &str) -> Result<Ordering, VersionError> {
        semver_version::compare(META.name, TOLERANCE, left, right)
    }
}

/// Whether a version satisfies an npm range such as `^1.2.3 || 2.x`, by the rules of node-semver without
/// `includePrerelease`.
///
/// # Errors
/// When the version is none, or the range cannot be read.
pub fn npm_satisfies(version: &str, range: &str) -> Result<bool, VersionError> {
    let parsed = Release::parse(version).map_err(|reason| VersionError::new(META.name, version, reason))?;
    satisfies(&parsed, range).map_err(|reason| VersionError::new(META.name, range, reason))
}

/// Largest number that node-semver accepts, JavaScript's largest exact integer.
const LARGEST: u64 = 9_007_199_254_740_991;

/// A full version; numbers as integers, as ranges count up from them.
#[derive(Clone, Copy, Debug)]
struct Release<'a> {
    numbers: [u64; 3],
    pre: &'a str,
}

impl<'a> Release<'a> {
    fn parse(version: &'a str) -> Result<Self, &'static str> {
        match Partial::parse(version.trim())? {
            Partial {
                numbers: [Some(major), Some(minor), Some(patch)],
                pre,
            } => Ok(Self {
                numbers: [major, minor, patch],
                pre,
            }),
            _ => Err("it has fewer than three numbers"),
        }
    }

    fn precedence(&self, other: &Self) -> Ordering {
        self.numbers
            .cmp(&other.numbers)
            .then_with(|| match (self.pre, other.pre) {
                ("", "") => Ordering::Equal,
                ("", _) => Ordering::Greater,
                (_, "") => Ordering::Less,
                (left, right) => semver_version::compare_identifiers(left.split('.'), right.split('.')),
            })
    }
}

/// A version of which numbers may be missing or `x`: everything after the first that is open is open too.
#[derive(Clone, Copy, Debug)]
struct Partial<'a> {
    numbers: [Option<u64>; 3],
    pre: &'a str,
}

impl<'a> Partial<'a> {
    fn parse(text: &'a str) -> Result<Self, &'static str> {
        let mut rest = text.trim_start_matches(['v', '=', ' ']);
        let mut numbers = [None; 3];
        let mut open = false;
        let mut count = 0;
        for number in &mut numbers {
            count += 1;
            if let Some(after) = rest.strip_prefix(['x', 'X', '*']) {
                rest = after;
                open = true;
            } else {
                let (digits, after) = text::split_digits(rest);
                if digits.is_empty() {
                    return Err("a number is missing");
                }
                if digits.len() > 1 && digits.starts_with('0') {
                    return Err("a number begins with a zero");
                }
                let value = digits
                    .parse::<u64>()
                    .ok()
                    .filter(|value| *value <= LARGEST)
                    .ok_or("a number is too large")?;
                rest = after;
                if !open {
                    *number = Some(value);
                }
            }
            match rest.strip_prefix('.') {
                Some(after) if count < 3 => rest = after,
                _ => break,
            }
        }
        let mut pre = "";
        if count == 3 {
            let (before, build) = match rest.split_once('+') {
                Some((before, build)) => (before, Some(build)),
                None => (rest, None),
            };
            if let Some(build) = build {
                semver_version::identifiers(build)?;
            }
            if let Some(identifiers) = before.strip_prefix('-') {
                pre = semver_version::identifiers(identifiers)?;
                if pre
                    .split('.')
                    .any(|part| part.len() > 1 && part.starts_with('0') && text::is_number(part))
                {
                    return Err("a number of its pre-release begins with a zero");
                }
                rest = "";
            } else {
                rest = before;
            }
        }
        if rest.is_empty() {
            Ok(Self { numbers, pre })
        } else {
            Err("something other than a pre-release or a build follows the numbers")
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Equal,
}

/// What the comparators of one set, which must all hold, say of a version.
struct Verdict<'v> {
    version: &'v Release<'v>,
    holds: bool,
    /// A bound is a pre-release of the version's own release.
    same_release: bool,
}

impl Verdict<'_> {
    fn bound(&mut self, operator: Operator, numbers: [u64; 3], pre: &str) {
        let order = self.version.precedence(&Release { numbers, pre });
        self.holds &= match operator {
            Operator::Less => order == Ordering::Less,
            Operator::LessOrEqual => order != Ordering::Greater,
            Operator::Greater => order == Ordering::Greater,
            Operator::GreaterOrEqual => order != Ordering::Less,
            Operator::Equal => order == Ordering::Equal,
        };
        self.same_release |= !pre.is_empty() && numbers == self.version.numbers;
    }

    fn at_least(&mut self, numbers: [u64; 3], pre: &str) {
        self.bound(Operator::GreaterOrEqual, numbers, pre);
    }

    /// Below a release and all its pre-releases.
    fn below(&mut self, numbers: [u64; 3]) {
        self.bound(Operator::Less, numbers, "0");
    }

    fn caret(&mut self, partial: Partial<'_>) {
        match partial.numbers {
            [None, ..] => {}
            [Some(major), None, _] => self.between([major, 0, 0], "", [major + 1, 0, 0]),
            [Some(0), Some(minor), None] => self.between([0, minor, 0], "", [0, minor + 1, 0]),
            [Some(major), Some(minor), None] => self.between([major, minor, 0], "", [major + 1, 0, 0]),
            [Some(major), Some(minor), Some(patch)] => {
                let end = match (major, minor) {
                    (0, 0) => [0, 0, patch + 1],
                    (0, _) => [0, minor + 1, 0],
                    _ => [major + 1, 0, 0],
                };
                self.between([major, minor, patch], partial.pre, end);
            }
        }
    }

    fn tilde(&mut self, partial: Partial<'_>) {
        match partial.numbers {
            [None, ..] => {}
            [Some(major), None, _] => self.between([major, 0, 0], "", [major + 1, 0, 0]),
            [Some(major), Some(minor), patch] => {
                let pre = if patch.is_some() { partial.pre } else { "" };
                self.between([major, minor, patch.unwrap_or(0)], pre, [major, minor + 1, 0]);
            }
        }
    }

    fn between(&mut self, from: [u64; 3], pre: &str, end: [u64; 3]) {
        self.at_least(from, pre);
        self.below(end);
    }

    /// A version, whole or open, behind an operator.
    fn plain(&mut self, operator: Operator, partial: Partial<'_>) {
        use Operator::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual};
        match (partial.numbers, operator) {
            ([Some(major), Some(minor), Some(patch)], _) => {
                self.bound(operator, [major, minor, patch], partial.pre);
            }
            // Nothing is above or below everything.
            ([None, ..], Less | Greater) => self.holds = false,
            ([None, ..], _) => {}
            ([Some(major), None, _], Equal) => self.between([major, 0, 0], "", [major + 1, 0, 0]),
            ([Some(major), None, _], Less) => self.below([major, 0, 0]),
            ([Some(major), None, _], LessOrEqual) => self.below([major + 1, 0, 0]),
            ([Some(major), None, _], Greater) => self.at_least([major + 1, 0, 0], ""),
            ([Some(major), None, _], GreaterOrEqual) => self.at_least([major, 0, 0], ""),
            ([Some(major), Some(minor), None], Equal) => {
                self.between([major, minor, 0], "", [major, minor + 1, 0]);
            }
            ([Some(major), Some(minor), None], Less) => self.below([major, minor, 0]),
            ([Some(major), Some(minor), None], LessOrEqual) => self.below([major, minor + 1, 0]),
            ([Some(major), Some(minor), None], Greater) => self.at_least([major, minor + 1, 0], ""),
            ([Some(major), Some(minor), None], GreaterOrEqual) => self.at_least([major, minor, 0], ""),
        }
    }

    /// `from - to`, both ends included, open ends widely.
    fn hyphen(&mut self, from: Partial<'_>, to: Partial<'_>) {
        self.plain(Operator::GreaterOrEqual, from);
        self.plain(Operator::LessOrEqual, to);
    }
}

fn satisfies(version: &Release<'_>, range: &str) -> Result<bool, &'static str> {
    let mut any = false;
    // All sets are read, so that a range that is wrong somewhere is wrong for every version.
    for set in range.split("||") {
        let mut verdict = Verdict {
            version,
            holds: true,
            same_release: false,
        };
        read_set(set.trim(), &mut verdict)?;
        any |= verdict.holds && (version.pre.is_empty() || verdict.same_release);
    }
    Ok(any)
}

fn read_set(set: &str, verdict: &mut Verdict<'_>) -> Result<(), &'static str> {
    let mut words = set.split_whitespace();
    if let (Some(from), Some("-"), Some(to), None) = (words.next(), words.next(), words.next(), words.next())
    {
        verdict.hyphen(Partial::parse(from)?, Partial::parse(to)?);
        return Ok(());
    }
    let mut rest = set;
    while !rest.is_empty() {
        let (operator, after) =
            text::split_run(rest, |byte| matches!(byte, b'^' | b'~' | b'<' | b'>' | b'='));
        let (word, after) = {
            let after = after.trim_start();
            // A `v` or `=` may stand apart from its version.
            let skipped = after.trim_start_matches(['v', '=', ' ']);
            text::split_run(skipped, |byte| !byte.is_ascii_whitespace())
        };
        rest = after.trim_start();
        if word.is_empty() {
            // A lone comparison, as in node-semver, asks for nothing.
            if matches!(operator, "<" | ">" | "<=" | ">=" | "=" | "^" | "~" | "~>") {
                return Err("an operator stands alone");
            }
            return Err("a version is missing");
        }
        let partial = Partial::parse(word)?;
        match operator {
            "" | "=" => verdict.plain(Operator::Equal, partial),
            "<" => verdict.plain(Operator::Less, partial),
            "<=" => verdict.plain(Operator::LessOrEqual, partial),
            ">" => verdict.plain(Operator::Greater, partial),
            ">=" => verdict.plain(Operator::GreaterOrEqual, partial),
            "^" => verdict.caret(partial),
            "~" | "~>" => verdict.tilde(partial),
            _ => return Err("it has an operator that does not exist"),
        }
    }
    Ok(())
}
