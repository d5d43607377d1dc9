//! Composer: versions normalised as its parser does, then in the order of PHP's `version_compare`.

use super::{Scheme, VersionError};
use crate::text;
use model::Meta;
use std::cmp::Ordering;

/// The member.
pub(super) static COMPOSER_VERSION: ComposerVersion = ComposerVersion;

pub(super) struct ComposerVersion;

static META: Meta = Meta {
    name: "composer-version",
    title: "Versions of PHP packages, as Composer orders them",
    finds: &[
        "normalised first: a leading `v` and a build after `+` go, four numbers are filled up with zeros, `-stable` goes",
        "then PHP's order: `(other words) < dev < alpha = a < beta = b < RC = rc < (none) < (number) < pl = p = patch`",
        "numeric branches (`2.x-dev`) have 9999999 for what is open; named branches (`dev-main`) come before every version, in the order of their names",
        "tolerated beyond Composer: further words and numbers behind, in PHP's order (`1.5.1.post2`)",
        "dates (`2024-01-31`) are sequences of numbers without filling up",
    ],
    needs: &[],
    references: &[
        "https://getcomposer.org/doc/articles/versions.md",
        "https://www.php.net/manual/en/function.version-compare.php",
    ],
};

impl Scheme for ComposerVersion {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn compare(&self, left: &str, right: &str) -> Result<Ordering, VersionError> {
        let (left, right) = (parse(left)?, parse(right)?);
        Ok(match (left, right) {
            (Version::Branch(left), Version::Branch(right)) => left.cmp(right),
            (Version::Branch(_), Version::Tokens(_)) => Ordering::Less,
            (Version::Tokens(_), Version::Branch(_)) => Ordering::Greater,
            (Version::Tokens(left), Version::Tokens(right)) => compare_tokens(left, right),
        })
    }
}

enum Version<'a> {
    Branch(&'a str),
    Tokens(Tokens<'a>),
}

/// The tokens of a normalised version.
#[derive(Clone, Copy)]
struct Tokens<'a> {
    /// Dotted numbers in front.
    numbers: &'a str,
    /// How many more numbers follow, and what they are.
    padding: usize,
    filling: &'static str,
    /// What follows the numbers.
    tail: &'a str,
}

impl<'a> Tokens<'a> {
    fn next(&mut self) -> Token<'a> {
        if !self.numbers.is_empty() {
            let (number, rest) = self.numbers.split_once('.').unwrap_or((self.numbers, ""));
            self.numbers = rest;
            return Token::Number(number);
        }
        if self.padding > 0 {
            self.padding -= 1;
            return Token::Number(self.filling);
        }
        self.tail = text::split_run(self.tail, |byte| !byte.is_ascii_alphanumeric()).1;
        let whole = self.tail;
        let (digits, rest) = text::split_digits(whole);
        if !digits.is_empty() {
            self.tail = rest;
            return Token::Number(digits);
        }
        let (letters, rest) = text::split_letters(whole);
        self.tail = rest;
        // As Composer reads it, nothing that follows `stable` counts, and `dev` may follow another word at once.
        if letters.is_empty() || letters.eq_ignore_ascii_case("stable") {
            self.tail = "";
            return Token::End;
        }
        let before = letters.len().saturating_sub("dev".len());
        if before > 0
            && letters
                .get(before..)
                .is_some_and(|end| end.eq_ignore_ascii_case("dev"))
        {
            self.tail = whole.get(before..).unwrap_or_default();
        }
        Token::Word(word(letters))
    }
}

#[derive(Clone, Copy)]
enum Token<'a> {
    Number(&'a str),
    /// Place of a word.
    Word(i8),
    End,
}

impl Token<'_> {
    /// Place of the kind: the end stands between `RC` and `p`, numbers just after the end.
    fn rank(self) -> i8 {
        match self {
            Self::Word(place) => place,
            Self::End => 8,
            Self::Number(_) => 9,
        }
    }
}

fn word(word: &str) -> i8 {
    const NAMES: [(&str, i8); 8] = [
        ("dev", 0),
        ("alpha", 2),
        ("a", 2),
        ("beta", 4),
        ("b", 4),
        ("rc", 6),
        ("pl", 10),
        ("p", 10),
    ];
    // PHP looks at how a word begins: `patch` is `p`.
    NAMES
        .iter()
        .find(|(name, _)| text::strip_prefix_ignoring_case(word, name).is_some())
        .map_or(-1, |(_, place)| *place)
}

const OPEN: &str = "9999999";

fn parse(version: &str) -> Result<Version<'_>, VersionError> {
    split(version).map_err(|reason| VersionError::new(META.name, version, reason))
}

fn split(version: &str) -> Result<Version<'_>, &'static str> {
    let version = version.trim();
    if let Some(reason) = text::unprintable(version) {
        return Err(reason);
    }
    if let Some(name) = text::strip_prefix_ignoring_case(version, "dev-") {
        return Ok(Version::Branch(name));
    }
    if matches!(version, "master" | "trunk" | "default") {
        return Ok(Version::Branch(version));
    }
    let body = version.split_once('+').map_or(version, |(body, _build)| body);
    let body = body.strip_prefix(['v', 'V']).unwrap_or(body);
    let (first, mut rest) = text::split_digits(body);
    if first.is_empty() {
        return Err("it does not begin with a number");
    }
    if !body
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b':' | b'*'))
    {
        return Err("it holds characters that Composer does not know");
    }
    let is_date = (6..=14).contains(&first.len())
        || first.len() == 4
            && rest
                .strip_prefix(['-', ':'])
                .is_some_and(|rest| rest.starts_with(|next: char| next.is_ascii_digit()));
    if is_date {
        return Ok(Version::Tokens(Tokens {
            numbers: "",
            padding: 0,
            filling: "0",
            tail: body,
        }));
    }
    let mut count = 1;
    while count < 4
        && let Some(after) = rest.strip_prefix('.')
        && let (digits, after) = text::split_digits(after)
        && !digits.is_empty()
    {
        rest = after;
        count += 1;
    }
    let numbers = body.get(..body.len() - rest.len()).unwrap_or_default();
    let mut filling = "0";
    while let Some(after) = [".x", ".X", ".*"].iter().find_map(|open| rest.strip_prefix(open)) {
        rest = after;
        filling = OPEN;
    }
    if filling == OPEN && !matches!(rest, "-dev" | ".dev" | "dev") {
        return Err("`x` stands for a number outside a branch");
    }
    Ok(Version::Tokens(Tokens {
        numbers,
        padding: 4 - count,
        filling,
        tail: rest,
    }))
}

fn compare_tokens(mut left: Tokens<'_>, mut right: Tokens<'_>) -> Ordering {
    loop {
        let order = match (left.next(), right.next()) {
            (Token::End, Token::End) => return Ordering::Equal,
            (Token::Number(a), Token::Number(b)) => text::compare_numbers(a, b),
            (a, b) => a.rank().cmp(&b.rank()),
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}
