//! Whether a version is affected: OSV's evaluation of ranges and enumerated versions.

use crate::schemes::{Scheme, VersionError};
use model::{Event, Range, RangeKind};
use std::cmp::Ordering;

/// How versions are compared: an ecosystem's scheme, and what to do to both sides before.
#[derive(Clone, Copy)]
pub(crate) struct Comparison<'a> {
    pub scheme: &'a dyn Scheme,
    /// The version comes from a source rpm's file name, which has no epoch: ignore an epoch that only one side has.
    pub loose_epoch: bool,
}

impl Comparison<'_> {
    pub(crate) fn compare(self, left: &str, right: &str) -> Result<Ordering, VersionError> {
        if self.loose_epoch {
            let (left_epoch, left_rest) = epoch(left);
            let (right_epoch, right_rest) = epoch(right);
            if left_epoch.is_none() || right_epoch.is_none() {
                return self.scheme.compare(left_rest, right_rest);
            }
        }
        self.scheme.compare(left, right)
    }
}

/// Splits `1:2.3` into epoch and rest.
fn epoch(version: &str) -> (Option<&str>, &str) {
    match version.split_once(':') {
        Some((epoch, rest)) if !epoch.is_empty() && epoch.bytes().all(|byte| byte.is_ascii_digit()) => {
            (Some(epoch), rest)
        }
        _ => (None, version),
    }
}

/// What an entry says of a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Not affected. The version that fixed it, when a range covers the version's line and has ended.
    Clear(Option<String>),
    /// Affected.
    Affected(Why),
    /// Cannot be told.
    Undetermined(String),
}

/// Why a version is affected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Why {
    /// The range's part that holds the version, e.g. `>= 0, < 1.2.3`.
    pub range: String,
    /// The comparison that decided, e.g. `1.2.2 < 1.2.3`.
    pub comparison: String,
    /// The fix that ends this part, if there is one.
    pub fixed: Option<String>,
}

/// The version that an event names.
pub(crate) fn version_of(event: &Event) -> &str {
    match event {
        Event::Introduced(version)
        | Event::Fixed(version)
        | Event::LastAffected(version)
        | Event::Limit(version) => version,
    }
}

/// Judges a version by the ranges and the enumerated versions of one entry.
pub(crate) fn evaluate(
    ranges: &[Range],
    versions: &[String],
    version: &str,
    comparison: Comparison<'_>,
) -> Verdict {
    let mut undetermined = None;
    let mut fixed = None;
    for range in ranges {
        match within(range, version, comparison) {
            Ok(Verdict::Clear(by)) => fixed = fixed.or(by),
            Ok(affected) => return affected,
            Err(error) => {
                undetermined.get_or_insert(error);
            }
        }
    }
    for listed in versions {
        if listed == version || comparison.compare(version, listed) == Ok(Ordering::Equal) {
            return Verdict::Affected(Why {
                range: format!("= {listed}"),
                comparison: format!("{version} = {listed}"),
                fixed: None,
            });
        }
    }
    match undetermined {
        Some(error) => Verdict::Undetermined(error.to_string()),
        None => Verdict::Clear(fixed),
    }
}

/// OSV's evaluation of one range, in one pass: of the events that lie at or before the version, the greatest decides; of
/// equal ones the later in the list.
fn within(range: &Range, version: &str, comparison: Comparison<'_>) -> Result<Verdict, VersionError> {
    if range.kind == RangeKind::Git {
        return Ok(Verdict::Clear(None));
    }
    // `0` stands before every version, whatever the scheme makes of the text.
    let compare = |left: &str, right: &str| match (left, right) {
        ("0", "0") => Ok(Ordering::Equal),
        (_, "0") => Ok(Ordering::Greater),
        ("0", _) => Ok(Ordering::Less),
        _ => comparison.compare(left, right),
    };
    let mut last: Option<&Event> = None;
    let mut next: Option<&Event> = None;
    let mut limited = None;
    for event in &range.events {
        let bound = version_of(event);
        let order = if bound == "0" && matches!(event, Event::Introduced(_)) {
            Ordering::Greater
        } else if bound == "*" && matches!(event, Event::Limit(_)) {
            Ordering::Less
        } else {
            comparison.compare(version, bound)?
        };
        let passed = match event {
            Event::Limit(_) => {
                limited = Some(limited.unwrap_or(false) || order == Ordering::Less);
                continue;
            }
            Event::Introduced(_) | Event::Fixed(_) => order != Ordering::Less,
            Event::LastAffected(_) => order == Ordering::Greater,
        };
        if passed {
            let later = match last {
                None => true,
                Some(have) => compare(bound, version_of(have))? != Ordering::Less,
            };
            if later {
                last = Some(event);
            }
        } else if !matches!(event, Event::Introduced(_)) {
            let earlier = match next {
                None => true,
                Some(have) => compare(bound, version_of(have))? == Ordering::Less,
            };
            if earlier {
                next = Some(event);
            }
        }
    }
    let introduced = match last {
        Some(Event::Introduced(introduced)) if limited != Some(false) => introduced,
        Some(Event::Fixed(fixed)) => return Ok(Verdict::Clear(Some(fixed.clone()))),
        _ => return Ok(Verdict::Clear(None)),
    };
    let (upper, compared, fixed) = match next {
        Some(Event::Fixed(fixed)) => (
            format!(", < {fixed}"),
            format!("{version} < {fixed}"),
            Some(fixed.clone()),
        ),
        Some(Event::LastAffected(affected)) => (
            format!(", <= {affected}"),
            format!("{version} <= {affected}"),
            None,
        ),
        _ => (String::new(), format!("{version} >= {introduced}"), None),
    };
    Ok(Verdict::Affected(Why {
        range: format!(">= {introduced}{upper}"),
        comparison: compared,
        fixed,
    }))
}

/// A range as the value of a fact: `introduced=0;fixed=1.2`.
pub(crate) fn to_fact(range: &Range) -> String {
    let mut text = String::new();
    for event in &range.events {
        let name = match event {
            Event::Introduced(_) => "introduced",
            Event::Fixed(_) => "fixed",
            Event::LastAffected(_) => "last_affected",
            Event::Limit(_) => "limit",
        };
        if !text.is_empty() {
            text.push(';');
        }
        text.push_str(name);
        text.push('=');
        text.push_str(version_of(event));
    }
    text
}

/// The inverse of [`to_fact`].
pub(crate) fn from_fact(text: &str) -> Range {
    let events = text
        .split(';')
        .filter_map(|part| part.split_once('='))
        .filter_map(|(name, version)| {
            let version = version.to_owned();
            match name {
                "introduced" => Some(Event::Introduced(version)),
                "fixed" => Some(Event::Fixed(version)),
                "last_affected" => Some(Event::LastAffected(version)),
                "limit" => Some(Event::Limit(version)),
                _ => None,
            }
        })
        .collect();
    Range {
        kind: RangeKind::Ecosystem,
        events,
    }
}

#[cfg(test)]
mod tests;
