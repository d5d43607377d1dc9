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

/// Longer ones before those that they begin with.
const OPERATORS: [&str; 8] = ["^", "~>", "~", ">=", "<=", ">", "<", "="];

fn read_set(set: &str, verdict: &mut Verdict<'_>) -> Result<(), &'static str> {
    let mut words = set.split_whitespace();
    if let (Some(from), Some("-"), Some(to), None) = (words.next(), words.next(), words.next(), words.next())
    {
        verdict.hyphen(Partial::parse(from)?, Partial::parse(to)?);
        return Ok(());
    }
    // Not by words: blanks may stand inside a comparator.
    let mut rest = set;
    while !rest.is_empty() {
        let (mut operator, after) = OPERATORS
            .iter()
            .find_map(|operator| rest.strip_prefix(operator).map(|after| (*operator, after)))
            .unwrap_or(("", rest));
        let after = after.trim_start();
        if after.starts_with('=') {
            // Blanks between the signs of an operator go.
            operator = match operator {
                "<" => "<=",
                ">" => ">=",
                other => other,
            };
        }
        // A `v` or `=` may stand apart from its version.
        let (word, after) = text::split_run(after.trim_start_matches(['v', '=', ' ']), |byte| {
            !byte.is_ascii_whitespace()
        });
        rest = after.trim_start();
        if word.is_empty() {
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
            _ => verdict.tilde(partial),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::npm_satisfies;

    /// Ranges with versions inside and outside.
    const RANGES: &[(&str, &[&str], &[&str])] = &[
        (
            "^1.2.3",
            &["1.2.3", "1.9.9", "1.2.4+build"],
            &["1.2.2", "2.0.0", "2.0.0-rc.1", "1.3.0-beta"],
        ),
        ("^0.2.3", &["0.2.3", "0.2.9"], &["0.3.0", "0.2.2"]),
        ("^0.0.3", &["0.0.3"], &["0.0.4", "0.0.2"]),
        (
            "^1.2.3-beta.2",
            &["1.2.3-beta.2", "1.2.3-beta.4", "1.2.3", "1.8.1"],
            &["1.2.3-beta.1", "1.2.4-beta.2", "2.0.0-0"],
        ),
        ("^0.0.3-beta", &["0.0.3-pr.2", "0.0.3"], &["0.0.3-alpha", "0.0.4"]),
        ("^1.2.x", &["1.2.0", "1.9.0"], &["1.1.9", "2.0.0"]),
        ("^0.0.x", &["0.0.0", "0.0.9"], &["0.1.0"]),
        ("^0.0", &["0.0.9"], &["0.1.0"]),
        ("^0.x", &["0.0.0", "0.9.9"], &["1.0.0"]),
        ("^1.x", &["1.0.0", "1.9.9"], &["0.9.9", "2.0.0"]),
        ("~1.2.3", &["1.2.3", "1.2.9"], &["1.3.0", "1.2.2"]),
        ("~1.2", &["1.2.0", "1.2.9"], &["1.3.0"]),
        ("~1", &["1.0.0", "1.9.9"], &["2.0.0"]),
        ("~0.2.3", &["0.2.3"], &["0.3.0"]),
        (
            "~1.2.3-beta.2",
            &["1.2.3-beta.4", "1.2.9"],
            &["1.2.4-beta.2", "1.3.0"],
        ),
        ("~> 1.2.3", &["1.2.9"], &["1.3.0"]),
        ("1.2.3 - 2.3.4", &["1.2.3", "2.3.4"], &["1.2.2", "2.3.5"]),
        ("1.2 - 2.3.4", &["1.2.0"], &["1.1.9"]),
        ("1.2.3 - 2.3", &["2.3.9"], &["2.4.0"]),
        ("1.2.3 - 2", &["2.9.9"], &["3.0.0", "3.0.0-rc.1"]),
        ("*", &["0.0.0", "9.9.9"], &["1.0.0-alpha"]),
        ("", &["1.0.0"], &["1.0.0-alpha"]),
        ("1.x", &["1.0.0", "1.9.9"], &["2.0.0", "0.9.9"]),
        ("1.2.X", &["1.2.0"], &["1.3.0"]),
        ("1.2.*", &["1.2.9"], &["1.3.0"]),
        ("1", &["1.5.0"], &["2.0.0"]),
        ("=1.2.3", &["1.2.3", "1.2.3+build"], &["1.2.4", "1.2.3-rc.1"]),
        ("v1.2.3", &["1.2.3"], &["1.2.4"]),
        (
            ">=1.2.7 <1.3.0",
            &["1.2.7", "1.2.99"],
            &["1.2.6", "1.3.0", "1.1.0"],
        ),
        (">= 1.2.7  < 1.3.0", &["1.2.8"], &["1.3.0"]),
        (
            "1.2.7 || >=1.2.9 <2.0.0",
            &["1.2.7", "1.2.9", "1.4.6"],
            &["1.2.8", "2.0.0"],
        ),
        (">1.2", &["1.3.0"], &["1.2.9"]),
        (">1", &["2.0.0"], &["1.9.9"]),
        (">=1.x", &["1.0.0"], &["0.9.9"]),
        ("<2", &["1.9.9"], &["2.0.0", "2.0.0-rc.1"]),
        ("<=2", &["2.9.9"], &["3.0.0"]),
        ("<=1.2", &["1.2.9"], &["1.3.0"]),
        ("<*", &[], &["0.0.0"]),
        ("< =1.2", &["1.2.9"], &["1.3.0"]),
        (
            ">1.2.3-alpha.3",
            &["1.2.3-alpha.7", "3.4.5"],
            &["3.4.5-alpha.9", "1.2.3-alpha.1"],
        ),
        (
            "<1.2.3-beta || >=2.0.0-rc.1",
            &["1.2.3-alpha", "2.0.0-rc.2", "1.0.0"],
            &["1.2.3", "2.1.0-rc.2"],
        ),
    ];

    #[test]
    fn ranges_hold_what_they_say() {
        for (range, inside, outside) in RANGES {
            for version in *inside {
                assert_eq!(npm_satisfies(version, range), Ok(true), "{version} in {range}");
            }
            for version in *outside {
                assert_eq!(npm_satisfies(version, range), Ok(false), "{version} in {range}");
            }
        }
    }

    #[test]
    fn wrong_ranges_and_versions_are_refused() {
        for range in [
            "latest",
            ">",
            "^",
            "1.2.3.4",
            "1.0.0 || foo",
            "=>1",
            "git+https://example.org/a.git",
            "01.0.0",
            "9007199254740993.0.0",
            "1.0.0-",
            "file:../a",
            "npm:a@1",
        ] {
            assert!(npm_satisfies("1.0.0", range).is_err(), "{range}");
        }
        for version in ["1.0", "latest", "1.0.0-01", "1.0.0.0", "", "x.0.0"] {
            assert!(npm_satisfies(version, "*").is_err(), "{version}");
        }
    }
}
