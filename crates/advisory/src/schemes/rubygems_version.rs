//! RubyGems: segments of digits and letters, in which letters mean a pre-release.

use super::{Scheme, VersionError};
use crate::text;
use model::Meta;
use std::cmp::Ordering;

/// The member.
pub(super) static RUBYGEMS_VERSION: RubygemsVersion = RubygemsVersion;

pub(super) struct RubygemsVersion;

static META: Meta = Meta {
    name: "rubygems-version",
    title: "Versions of Ruby gems, as `Gem::Version` orders them",
    finds: &[
        "segments are runs of digits and runs of letters, letters come before numbers, a hyphen means `.pre.`",
        "trailing zeros do not count, neither at the end nor before the first letters (`1 = 1.0`, `1.0.a2 = 1.a.2`)",
    ],
    needs: &[],
    references: &["https://docs.ruby-lang.org/en/master/Gem/Version.html"],
};

impl Scheme for RubygemsVersion {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn compare(&self, left: &str, right: &str) -> Result<Ordering, VersionError> {
        let (mut left, mut right) = (segments(left)?, segments(right)?);
        loop {
            let order = match (left.next(), right.next()) {
                (None, None) => return Ok(Ordering::Equal),
                (a, b) => {
                    let (a, b) = (a.unwrap_or("0"), b.unwrap_or("0"));
                    match (text::is_number(a), text::is_number(b)) {
                        (true, true) => text::compare_numbers(a, b),
                        (true, false) => Ordering::Greater,
                        (false, true) => Ordering::Less,
                        (false, false) => a.cmp(b),
                    }
                }
            };
            if order != Ordering::Equal {
                return Ok(order);
            }
        }
    }
}

/// The segments that count.
struct Segments<'a> {
    release: &'a str,
    pre: &'a str,
}

fn segments(version: &str) -> Result<Segments<'_>, VersionError> {
    check(version).map_err(|reason| VersionError::new(META.name, version, reason))?;
    let (release, pre) = text::split_run(version, |byte| byte.is_ascii_digit() || byte == b'.');
    Ok(Segments {
        release: trim_zeros(release),
        pre: trim_zeros(pre),
    })
}

fn check(version: &str) -> Result<(), &'static str> {
    let (main, rest) = text::split_run(version, |byte| byte != b'-');
    let mut parts = main.split('.');
    if !parts.next().is_some_and(text::is_number) {
        return Err("it does not begin with a number");
    }
    if !parts.all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric())) {
        return Err("a part of it is empty, or holds other characters than letters and digits");
    }
    if let Some(pre) = rest.strip_prefix('-') {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        if !pre
            .split('.')
            .all(|part| !part.is_empty() && part.bytes().all(allowed))
        {
            return Err(
                "a part of its pre-release is empty, or holds other characters than letters, digits and hyphens",
            );
        }
    }
    Ok(())
}

/// Takes segments that are zero from the end.
fn trim_zeros(mut text: &str) -> &str {
    loop {
        let body = text.trim_end_matches('.');
        let kept = body.trim_end_matches(|last: char| last.is_ascii_digit());
        let digits = body.get(kept.len()..).unwrap_or_default();
        if digits.is_empty() || !text::is_zero(digits) {
            return body;
        }
        text = kept;
    }
}

impl<'a> Iterator for Segments<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        if !self.release.is_empty() {
            let (segment, rest) = text::split_digits(self.release);
            self.release = rest.trim_start_matches('.');
            return Some(segment);
        }
        let text = self.pre.trim_start_matches('.');
        if let Some(rest) = text.strip_prefix('-') {
            self.pre = rest;
            return Some("pre");
        }
        let (segment, rest) = match text::split_digits(text) {
            ("", _) => text::split_letters(text),
            digits => digits,
        };
        self.pre = rest;
        (!segment.is_empty()).then_some(segment)
    }
}
