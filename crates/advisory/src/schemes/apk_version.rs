//! Alpine's order of versions: numbers, a letter, suffixes, a commit, a revision.

use super::{Scheme, VersionError};
use crate::text;
use model::Meta;
use std::cmp::Ordering;

/// The member.
pub(super) static APK_VERSION: ApkVersion = ApkVersion;

pub(super) struct ApkVersion;

static META: Meta = Meta {
    name: "apk-version",
    title: "Versions of Alpine packages, as apk-tools 3 orders them",
    finds: &[
        "the first number, further numbers (as texts when one begins with zero), one letter, suffixes, `~` and a commit, `-r` and a revision",
        "`_alpha`, `_beta`, `_pre` and `_rc` come before the plain version, `_cvs`, `_svn`, `_git`, `_hg` and `_p` after it",
        "a number may follow the letter (`6.0.2p1`), as in apk-tools 2 and in packages of Alpine up to 3.20",
        "a text that is no version from some point on is lower than every version that agrees with it up to there, as in apk; one that does not begin with a digit is refused",
    ],
    needs: &[],
    references: &[
        "https://gitlab.alpinelinux.org/alpine/apk-tools/-/blob/master/doc/apk-package.5.scd",
        "https://wiki.alpinelinux.org/wiki/Package_policies",
    ],
};

impl Scheme for ApkVersion {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn compare(&self, left: &str, right: &str) -> Result<Ordering, VersionError> {
        let (mut left, mut right) = (parse(left)?, parse(right)?);
        loop {
            let (a, b) = (left.token, right.token);
            let order = match (a, b) {
                (Token::Number(a), Token::Number(b)) if a.starts_with('0') || b.starts_with('0') => a.cmp(b),
                (Token::First(a), Token::First(b))
                | (Token::Number(a), Token::Number(b))
                | (Token::SuffixNumber(a), Token::SuffixNumber(b))
                | (Token::Revision(a), Token::Revision(b)) => text::compare_numbers(a, b),
                (Token::Commit(a), Token::Commit(b)) => a.cmp(b),
                (Token::Letter(a), Token::Letter(b)) => a.cmp(&b),
                (Token::Suffix(a), Token::Suffix(b)) => a.cmp(&b),
                _ => return Ok(a.rank().cmp(&b.rank())),
            };
            if order != Ordering::Equal {
                return Ok(order);
            }
            left.advance();
            right.advance();
        }
    }
}

#[derive(Clone, Copy)]
enum Token<'a> {
    First(&'a str),
    Number(&'a str),
    Letter(u8),
    /// Place in the order of suffixes; below zero is a pre-release.
    Suffix(i8),
    SuffixNumber(&'a str),
    Commit(&'a str),
    Revision(&'a str),
    End,
    /// The rest cannot be read.
    Invalid,
}

impl Token<'_> {
    /// Place of the kind where two versions differ in what follows.
    fn rank(self) -> u8 {
        match self {
            Self::Suffix(..0) => 0,
            Self::Invalid => 1,
            Self::End => 2,
            Self::Revision(_) => 3,
            Self::Commit(_) => 4,
            Self::SuffixNumber(_) => 5,
            Self::Suffix(_) => 6,
            Self::Letter(_) => 7,
            Self::Number(_) => 8,
            Self::First(_) => 9,
        }
    }
}

/// A version that is being read.
struct Reader<'a> {
    token: Token<'a>,
    rest: &'a str,
}

fn parse(version: &str) -> Result<Reader<'_>, VersionError> {
    let fail = |reason| VersionError::new(META.name, version, reason);
    if let Some(reason) = text::unprintable(version) {
        return Err(fail(reason));
    }
    match text::split_digits(version) {
        ("", _) => Err(fail("it does not begin with a digit")),
        (digits, rest) => Ok(Reader {
            token: Token::First(digits),
            rest,
        }),
    }
}

impl<'a> Reader<'a> {
    fn advance(&mut self) {
        self.token = self.next().unwrap_or(Token::Invalid);
    }

    /// The next token; `None` when none may stand here.
    fn next(&mut self) -> Option<Token<'a>> {
        let Some(first) = self.rest.bytes().next() else {
            return Some(Token::End);
        };
        let in_numbers = matches!(self.token, Token::First(_) | Token::Number(_));
        match first {
            b'a'..=b'z' if in_numbers => {
                self.skip(1);
                Some(Token::Letter(first))
            }
            b'.' if in_numbers => {
                self.skip(1);
                self.digits().map(Token::Number)
            }
            b'0'..=b'9' if matches!(self.token, Token::Suffix(_)) => self.digits().map(Token::SuffixNumber),
            b'0'..=b'9' if matches!(self.token, Token::Letter(_)) => self.digits().map(Token::Number),
            b'_' if in_numbers
                || matches!(
                    self.token,
                    Token::Letter(_) | Token::Suffix(_) | Token::SuffixNumber(_)
                ) =>
            {
                self.skip(1);
                let (name, rest) = text::split_run(self.rest, |byte| byte.is_ascii_lowercase());
                self.rest = rest;
                suffix(name).map(Token::Suffix)
            }
            b'~' if !matches!(
                self.token,
                Token::Commit(_) | Token::Revision(_) | Token::End | Token::Invalid
            ) =>
            {
                self.skip(1);
                let (commit, rest) = text::split_run(self.rest, |byte| byte.is_ascii_hexdigit());
                self.rest = rest;
                (!commit.is_empty()).then_some(Token::Commit(commit))
            }
            b'-' if !matches!(self.token, Token::Revision(_) | Token::End | Token::Invalid) => {
                self.rest = self.rest.strip_prefix("-r")?;
                self.digits().map(Token::Revision)
            }
            _ => None,
        }
    }

    fn skip(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or_default();
    }

    fn digits(&mut self) -> Option<&'a str> {
        let (digits, rest) = text::split_digits(self.rest);
        self.rest = rest;
        (!digits.is_empty()).then_some(digits)
    }
}

fn suffix(name: &str) -> Option<i8> {
    Some(match name {
        "alpha" => -4,
        "beta" => -3,
        "pre" => -2,
        "rc" => -1,
        "cvs" => 1,
        "svn" => 2,
        "git" => 3,
        "hg" => 4,
        "p" => 5,
        _ => return None,
    })
}
