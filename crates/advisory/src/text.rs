//! Reading versions: runs of digits and letters, and numbers of any length.

use std::cmp::Ordering;

/// Order of two runs of decimal digits as numbers of any length; an empty run is zero.
pub(crate) fn compare_numbers(left: &str, right: &str) -> Ordering {
    let left = left.trim_start_matches('0');
    let right = right.trim_start_matches('0');
    left.len().cmp(&right.len()).then_with(|| left.cmp(right))
}

/// True for a run of zeros, and for the empty run.
pub(crate) fn is_zero(digits: &str) -> bool {
    digits.bytes().all(|byte| byte == b'0')
}

/// True for a run of at least one decimal digit.
pub(crate) fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Splits where the first byte stands that does not belong.
pub(crate) fn split_run(text: &str, belongs: impl Fn(u8) -> bool) -> (&str, &str) {
    let end = text.bytes().position(|byte| !belongs(byte)).unwrap_or(text.len());
    // Runs are of ASCII bytes, so that `end` is a boundary of characters; the fallback is never taken.
    text.split_at_checked(end).unwrap_or((text, ""))
}

/// The digits in front, and the rest.
pub(crate) fn split_digits(text: &str) -> (&str, &str) {
    split_run(text, |byte| byte.is_ascii_digit())
}

/// The ASCII letters in front, and the rest.
pub(crate) fn split_letters(text: &str) -> (&str, &str) {
    split_run(text, |byte| byte.is_ascii_alphabetic())
}

/// Order without regard to the case of ASCII letters.
pub(crate) fn compare_ignoring_case(left: &str, right: &str) -> Ordering {
    left.bytes()
        .map(|byte| byte.to_ascii_lowercase())
        .cmp(right.bytes().map(|byte| byte.to_ascii_lowercase()))
}

/// Removes a prefix without regard to the case of ASCII letters.
pub(crate) fn strip_prefix_ignoring_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (head, rest) = text.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then_some(rest)
}

/// Order of two dotted sequences of numbers in which a missing number is zero (`1 = 1.0`).
pub(crate) fn compare_padded(left: &str, right: &str) -> Ordering {
    let mut left = left.split('.');
    let mut right = right.split('.');
    loop {
        match (left.next(), right.next()) {
            (None, None) => return Ordering::Equal,
            (a, b) => match compare_numbers(a.unwrap_or("0"), b.unwrap_or("0")) {
                Ordering::Equal => {}
                unequal => return unequal,
            },
        }
    }
}

/// Order of two sequences of numbers in which the longer one is greater when it begins with the other (`1 < 1.0`).
pub(crate) fn compare_sequences<'a>(
    left: impl IntoIterator<Item = &'a str>,
    right: impl IntoIterator<Item = &'a str>,
) -> Ordering {
    let mut left = left.into_iter();
    let mut right = right.into_iter();
    loop {
        match (left.next(), right.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(a), Some(b)) => match compare_numbers(a, b) {
                Ordering::Equal => {}
                unequal => return unequal,
            },
        }
    }
}

/// Why a text cannot be a version of any scheme, if so: it is empty, or holds white space or control characters.
pub(crate) fn unprintable(text: &str) -> Option<&'static str> {
    if text.is_empty() {
        Some("it is empty")
    } else if text
        .chars()
        .any(|character| character.is_whitespace() || character.is_control())
    {
        Some("it holds white space or control characters")
    } else {
        None
    }
}

/// A version of the form `[epoch:]version[-release]`, in which the last hyphen begins the release.
pub(crate) struct Release<'a> {
    /// Digits; empty when missing.
    pub(crate) epoch: &'a str,
    /// Never empty.
    pub(crate) version: &'a str,
    pub(crate) release: Option<&'a str>,
}

impl<'a> Release<'a> {
    /// Takes a version apart, or says why it is none.
    pub(crate) fn parse(text: &'a str) -> Result<Self, &'static str> {
        if let Some(reason) = unprintable(text) {
            return Err(reason);
        }
        let (digits, after) = split_digits(text);
        let (epoch, rest) = match after.strip_prefix(':') {
            Some(rest) => (digits, rest),
            None => ("", text),
        };
        let (version, release) = match rest.rsplit_once('-') {
            Some((version, release)) => (version, Some(release)),
            None => (rest, None),
        };
        if version.is_empty() {
            return Err("it has no version");
        }
        Ok(Self {
            epoch,
            version,
            release,
        })
    }
}
