//! Debian's order of versions: `[epoch:]upstream[-revision]`, also that of Ubuntu and opam.

use super::{Scheme, VersionError};
use crate::text;
use model::Meta;
use std::cmp::Ordering;

/// The member.
pub(super) static DPKG_VERSION: DpkgVersion = DpkgVersion;

pub(super) struct DpkgVersion;

static META: Meta = Meta {
    name: "dpkg-version",
    title: "Versions of Debian packages, as dpkg orders them",
    finds: &[
        "the epoch (zero when missing), then the upstream version, then the revision after the last hyphen",
        "`~` comes before everything, even before the end; letters come before other characters; digits are compared as numbers",
        "what dpkg only warns of (a version that begins with a letter, unusual characters) is ordered, what it refuses is refused",
    ],
    needs: &[],
    references: &[
        "https://www.debian.org/doc/debian-policy/ch-controlfields.html#version",
        "https://manpages.debian.org/bookworm/dpkg-dev/deb-version.7.en.html",
    ],
};

impl Scheme for DpkgVersion {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn compare(&self, left: &str, right: &str) -> Result<Ordering, VersionError> {
        let (left, right) = (parse(left)?, parse(right)?);
        Ok(text::compare_numbers(left.epoch, right.epoch)
            .then_with(|| compare_part(left.upstream.as_bytes(), right.upstream.as_bytes()))
            .then_with(|| compare_part(left.revision.as_bytes(), right.revision.as_bytes())))
    }
}

struct Version<'a> {
    epoch: &'a str,
    upstream: &'a str,
    revision: &'a str,
}

fn parse(version: &str) -> Result<Version<'_>, VersionError> {
    split(version).map_err(|reason| VersionError::new(META.name, version, reason))
}

fn split(version: &str) -> Result<Version<'_>, &'static str> {
    if let Some(reason) = text::unprintable(version) {
        return Err(reason);
    }
    if !version.is_ascii() {
        return Err("it holds characters outside ASCII");
    }
    let (epoch, rest) = match version.split_once(':') {
        Some((epoch, rest)) if text::is_number(epoch) => (epoch, rest),
        Some(_) => return Err("its epoch is not a number"),
        None => ("", version),
    };
    if text::compare_numbers(epoch, "2147483647") == Ordering::Greater {
        return Err("its epoch is too large");
    }
    if rest.is_empty() {
        return Err("nothing follows its epoch");
    }
    let (upstream, revision) = match rest.rsplit_once('-') {
        Some((_, "")) => return Err("its revision is empty"),
        Some(("", _)) => return Err("it has a revision alone"),
        Some(parts) => parts,
        None => (rest, ""),
    };
    Ok(Version {
        epoch,
        upstream,
        revision,
    })
}

/// Weight of a byte that is no digit; `None` is the end of the text.
fn weight(byte: Option<u8>) -> i32 {
    match byte {
        None => 0,
        Some(b'~') => -1,
        Some(byte) if byte.is_ascii_digit() => 0,
        Some(byte) if byte.is_ascii_alphabetic() => i32::from(byte),
        Some(byte) => i32::from(byte) + 256,
    }
}

fn take_number<'a>(text: &mut &'a [u8]) -> &'a [u8] {
    let zeros = text.iter().take_while(|byte| **byte == b'0').count();
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let number = text.get(zeros..digits).unwrap_or_default();
    *text = text.get(digits..).unwrap_or_default();
    number
}

fn compare_part(mut left: &[u8], mut right: &[u8]) -> Ordering {
    loop {
        while left.first().is_some_and(|byte| !byte.is_ascii_digit())
            || right.first().is_some_and(|byte| !byte.is_ascii_digit())
        {
            match weight(left.first().copied()).cmp(&weight(right.first().copied())) {
                Ordering::Equal => {}
                unequal => return unequal,
            }
            // Equal weights: both are the same character, so neither side is at its end or at a digit.
            left = left.get(1..).unwrap_or_default();
            right = right.get(1..).unwrap_or_default();
        }
        let (a, b) = (take_number(&mut left), take_number(&mut right));
        match a.len().cmp(&b.len()).then_with(|| a.cmp(b)) {
            Ordering::Equal if left.is_empty() && right.is_empty() => return Ordering::Equal,
            Ordering::Equal => {}
            unequal => return unequal,
        }
    }
}
