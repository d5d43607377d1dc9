//! The order for programs and ecosystems that have none of their own: numbers, words for pre-releases, words for patches.

use super::{Scheme, VersionError};
use crate::text;
use model::Meta;
use std::cmp::Ordering;

/// The member.
pub(super) static GENERIC_VERSION: GenericVersion = GenericVersion;

pub(super) struct GenericVersion;

static META: Meta = Meta {
    name: "generic-version",
    title: "Versions of programs that follow no scheme of a package manager",
    finds: &[
        "runs of digits and runs of letters are compared in turn, what separates them does not count; a `v` in front goes",
        "`dev < alpha < beta < milestone < pre < rc < (end) < other letters < numbers`, without regard to case: `1.1.1 < 1.1.1a`, `9.6 < 9.6p1`, `6.6-rc1 < 6.6`",
        "`a` and `b` with a digit right behind them are alpha and beta; zeros before letters or the end do not count (`1 = 1.0`)",
    ],
    needs: &[],
    references: &[],
};

impl Scheme for GenericVersion {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn compare(&self, left: &str, right: &str) -> Result<Ordering, VersionError> {
        let (mut left, mut right) = (tokens(left)?, tokens(right)?);
        loop {
            let (a, b) = (left.next(), right.next());
            let order = match (a, b) {
                (Token::End, Token::End) => return Ok(Ordering::Equal),
                (Token::Number(a), Token::Number(b)) => text::compare_numbers(a, b),
                (Token::Word(a, word), Token::Word(b, other)) => a.cmp(&b).then_with(|| {
                    if a == PATCH {
                        text::compare_ignoring_case(word, other)
                    } else {
                        Ordering::Equal
                    }
                }),
                (a, b) => a.rank().cmp(&b.rank()),
            };
            if order != Ordering::Equal {
                return Ok(order);
            }
        }
    }
}

#[derive(Clone, Copy)]
enum Token<'a> {
    Word(u8, &'a str),
    End,
    Number(&'a str),
}

const END: u8 = 10;
const PATCH: u8 = 11;
const NUMBER: u8 = 12;

impl Token<'_> {
    fn rank(self) -> u8 {
        match self {
            Self::Word(rank, _) => rank,
            Self::End => END,
            Self::Number(_) => NUMBER,
        }
    }
}

fn word(word: &str, digit_follows: bool) -> u8 {
    const NAMES: [(&str, u8); 12] = [
        ("dev", 0),
        ("snapshot", 0),
        ("nightly", 0),
        ("canary", 0),
        ("alpha", 1),
        ("beta", 2),
        ("milestone", 3),
        ("pre", 4),
        ("preview", 4),
        ("rc", 5),
        ("cr", 5),
        ("candidate", 5),
    ];
    match word {
        "a" | "A" if digit_follows => 1,
        "b" | "B" if digit_follows => 2,
        _ => NAMES
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(word))
            .map_or(PATCH, |(_, rank)| *rank),
    }
}

/// The text that is still to be read, and whether the zeros in front of it are known to count.
struct Tokens<'a>(&'a str, bool);

fn tokens(version: &str) -> Result<Tokens<'_>, VersionError> {
    let fail = |reason| VersionError::new(META.name, version, reason);
    if let Some(reason) = text::unprintable(version) {
        return Err(fail(reason));
    }
    if !version.bytes().any(|byte| byte.is_ascii_digit()) {
        return Err(fail("it holds no digit"));
    }
    let body = version
        .strip_prefix(['v', 'V'])
        .filter(|body| body.starts_with(|first: char| first.is_ascii_digit()))
        .unwrap_or(version);
    Ok(Tokens(body, false))
}

fn skip_separators(text: &str) -> &str {
    text::split_run(text, |byte| !byte.is_ascii_alphanumeric()).1
}

impl<'a> Tokens<'a> {
    fn next(&mut self) -> Token<'a> {
        self.0 = skip_separators(self.0);
        let (digits, after) = text::split_digits(self.0);
        if !digits.is_empty() {
            // The rest of a run of zeros was looked through when its first zero was met, so this stays linear.
            if !text::is_zero(digits) || self.1 {
                self.1 = text::is_zero(digits);
                self.0 = after;
                return Token::Number(digits);
            }
            let behind = skip_zeros(after);
            if behind.starts_with(|next: char| next.is_ascii_digit()) {
                self.1 = true;
                self.0 = after;
                return Token::Number(digits);
            }
            self.0 = behind;
        }
        self.1 = false;
        let (letters, after) = text::split_letters(self.0);
        if letters.is_empty() {
            return Token::End;
        }
        self.0 = after;
        let digit_follows = after.starts_with(|next: char| next.is_ascii_digit());
        Token::Word(word(letters, digit_follows), letters)
    }
}

/// What follows separators and numbers that are zero.
fn skip_zeros(mut text: &str) -> &str {
    loop {
        text = skip_separators(text);
        match text::split_digits(text) {
            ("", _) => return text,
            (digits, after) if text::is_zero(digits) => text = after,
            _ => return text,
        }
    }
}
