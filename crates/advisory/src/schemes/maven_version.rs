//! Maven's order of versions, `ComparableVersion` of Maven 3.9.

use super::{Scheme, VersionError};
use crate::text;
use model::Meta;
use smallvec::SmallVec;
use std::cmp::Ordering;

/// The member.
pub(super) static MAVEN_VERSION: MavenVersion = MavenVersion;

pub(super) struct MavenVersion;

static META: Meta = Meta {
    name: "maven-version",
    title: "Versions of Maven artifacts, as `ComparableVersion` of Maven 3.9 orders them",
    finds: &[
        "`alpha < beta < milestone < rc = cr < snapshot < (none) = ga = final = release < sp < other words < numbers`, without regard to case",
        "`.` separates, `-` and a change between digits and letters open a list; zeros and empty words at the end of a list do not count",
        "`a1`, `b1` and `m1` mean alpha, beta and milestone when a digit follows at once",
    ],
    needs: &[],
    references: &[
        "https://maven.apache.org/pom.html#version-order-specification",
        "https://maven.apache.org/ref/3.9.11/maven-artifact/apidocs/org/apache/maven/artifact/versioning/ComparableVersion.html",
    ],
};

impl Scheme for MavenVersion {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn compare(&self, left: &str, right: &str) -> Result<Ordering, VersionError> {
        Ok(compare_lists(&parse(left)?, &parse(right)?))
    }
}

/// A version is a list whose last element may be a list again, and so on: it is kept flat, a `List` item says that the rest is
/// inside one more list.
type Items<'a> = SmallVec<[Item<'a>; 16]>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Item<'a> {
    Number(&'a str),
    Word(Qualifier, &'a str),
    List,
}

/// Known qualifiers in their order; unknown ones come last and are then compared as texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Qualifier {
    Alpha,
    Beta,
    Milestone,
    Candidate,
    Snapshot,
    Release,
    ServicePack,
    Unknown,
}

impl<'a> Item<'a> {
    fn word(word: &'a str, digit_follows: bool) -> Self {
        const NAMES: [(&str, Qualifier); 11] = [
            ("alpha", Qualifier::Alpha),
            ("beta", Qualifier::Beta),
            ("milestone", Qualifier::Milestone),
            ("rc", Qualifier::Candidate),
            ("cr", Qualifier::Candidate),
            ("snapshot", Qualifier::Snapshot),
            ("", Qualifier::Release),
            ("ga", Qualifier::Release),
            ("final", Qualifier::Release),
            ("release", Qualifier::Release),
            ("sp", Qualifier::ServicePack),
        ];
        let short = match word {
            "a" | "A" => Some(Qualifier::Alpha),
            "b" | "B" => Some(Qualifier::Beta),
            "m" | "M" => Some(Qualifier::Milestone),
            _ => None,
        };
        let qualifier = short.filter(|_| digit_follows).or_else(|| {
            NAMES
                .iter()
                .find(|(name, _)| name.eq_ignore_ascii_case(word))
                .map(|(_, qualifier)| *qualifier)
        });
        Self::Word(qualifier.unwrap_or(Qualifier::Unknown), word)
    }

    /// Order against nothing at all; of `List` the items that follow decide.
    fn compare_to_nothing(self) -> Ordering {
        match self {
            Self::Number(digits) if text::is_zero(digits) => Ordering::Equal,
            Self::Number(_) => Ordering::Greater,
            Self::Word(qualifier, _) => qualifier.cmp(&Qualifier::Release),
            Self::List => Ordering::Equal,
        }
    }
}

fn parse(version: &str) -> Result<Items<'_>, VersionError> {
    let fail = |reason| VersionError::new(META.name, version, reason);
    if let Some(reason) = text::unprintable(version) {
        return Err(fail(reason));
    }
    if !version.is_ascii() {
        return Err(fail("it holds characters outside ASCII"));
    }
    let mut items = Items::new();
    let mut rest = version;
    // Where the innermost list begins.
    let mut list = 0;
    while !rest.is_empty() {
        let (run, after) = if rest.starts_with(|first: char| first.is_ascii_digit()) {
            text::split_digits(rest)
        } else {
            text::split_run(rest, |byte| {
                !byte.is_ascii_digit() && byte != b'.' && byte != b'-'
            })
        };
        let is_number = text::is_number(run);
        let next = after.as_bytes().first().copied();
        let at_end = next.is_none();
        let digit_follows = next.is_some_and(|byte| byte.is_ascii_digit());
        if run.is_empty() {
            items.push(Item::Number("0"));
        } else if is_number {
            items.push(Item::Number(run));
        } else {
            // A word before a digit or at the end opens a list, so that `.x` is the same as `-x`.
            if (digit_follows || at_end) && items.len() > list {
                items.push(Item::List);
                list = items.len();
            }
            items.push(Item::word(run, digit_follows));
        }
        rest = match next {
            Some(b'.') => after.get(1..).unwrap_or_default(),
            Some(b'-') => {
                items.push(Item::List);
                list = items.len();
                after.get(1..).unwrap_or_default()
            }
            Some(_) => {
                items.push(Item::List);
                list = items.len();
                after
            }
            None => after,
        };
    }
    normalize(&mut items);
    Ok(items)
}

/// Removes what does not count: in each list, from the innermost on, the zeros, empty words and empty lists at its end.
fn normalize(items: &mut Items<'_>) {
    let mut kept = Items::new();
    // From the end: `trimming` while nothing that counts was seen in the present list.
    let mut trimming = true;
    for item in items.iter().rev() {
        match item {
            // The list that just ended is dropped when nothing of it is left; else it stays, and does not keep what is before it.
            Item::List => {
                if !kept.is_empty() {
                    kept.push(*item);
                }
                trimming = true;
            }
            item if trimming && item.compare_to_nothing() == Ordering::Equal => {}
            item => {
                kept.push(*item);
                trimming = false;
            }
        }
    }
    kept.reverse();
    *items = kept;
}

fn compare_lists(left: &[Item<'_>], right: &[Item<'_>]) -> Ordering {
    let (mut left, mut right) = (left.iter(), right.iter());
    loop {
        let order = match (left.next(), right.next()) {
            (None, None) => return Ordering::Equal,
            (Some(item), None) => match item {
                // What is left of a list is compared with nothing, item by item.
                Item::List => return compare_to_nothing(left),
                item => item.compare_to_nothing(),
            },
            (None, Some(item)) => match item {
                Item::List => return compare_to_nothing(right).reverse(),
                item => item.compare_to_nothing().reverse(),
            },
            (Some(a), Some(b)) => match (a, b) {
                (Item::Number(a), Item::Number(b)) => text::compare_numbers(a, b),
                (Item::Number(_), _) | (Item::List, Item::Word(..)) => return Ordering::Greater,
                (_, Item::Number(_)) | (Item::Word(..), Item::List) => return Ordering::Less,
                (Item::Word(a, word), Item::Word(b, other)) => a.cmp(b).then_with(|| {
                    if *a == Qualifier::Unknown {
                        text::compare_ignoring_case(word, other)
                    } else {
                        Ordering::Equal
                    }
                }),
                (Item::List, Item::List) => Ordering::Equal,
            },
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

fn compare_to_nothing<'a>(items: impl Iterator<Item = &'a Item<'a>>) -> Ordering {
    items
        .map(|item| item.compare_to_nothing())
        .find(|order| *order != Ordering::Equal)
        .unwrap_or(Ordering::Equal)
}
