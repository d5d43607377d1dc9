//! What the database file holds, in postcard's compact form. Changing any of it needs a new [`FORMAT`].

use model::{Advisory, Affected, Fact, Range, Rating, Reference};
use serde::{Deserialize, Serialize};
use std::fmt::Write;

/// Format version of the file; a file with another one is refused.
pub(crate) const FORMAT: u32 = 2;

/// One affected entry of an advisory, in the list of its package.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// Number of the advisory in this file.
    pub advisory: u32,
    /// Ranges, none of them of commits.
    pub ranges: Vec<Range>,
    /// Versions that are affected and that no range covers.
    pub versions: Vec<String>,
    /// Ratings for this package.
    pub ratings: Vec<Rating>,
    /// What else the feed tells.
    pub facts: Vec<Fact>,
}

/// The entries of one package in one release, kept as bytes so that other releases are skipped without decoding.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Group<'a> {
    /// The part of the ecosystem after its first colon (`12`, `enterprise_linux:9::appstream`), or empty.
    pub release: &'a str,
    /// Number of entries.
    pub count: u32,
    /// The entries, one after the other.
    pub entries: &'a [u8],
}

/// What a finding needs of an advisory.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Header {
    pub id: String,
    pub aliases: Vec<String>,
    pub upstream: Vec<String>,
    pub summary: String,
    pub ratings: Vec<Rating>,
    pub published: String,
    pub modified: String,
    pub withdrawn: String,
    /// The first links, see [`LINKS`].
    pub references: Vec<String>,
    pub weaknesses: Vec<String>,
}

/// The rest of an advisory, for `explain` and for the descriptions of findings.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Details {
    pub details: String,
    pub references: Vec<Reference>,
    /// At most [`SHOWN_AFFECTED`].
    pub affected: Vec<Affected>,
}

/// Links of an advisory that a finding shows.
pub(crate) const LINKS: usize = 8;
/// Affected entries of an advisory that `explain` shows.
pub(crate) const SHOWN_AFFECTED: usize = 50;

impl Header {
    /// The header of a whole record.
    pub(crate) fn of(advisory: &Advisory) -> Self {
        Self {
            id: advisory.id.clone(),
            aliases: advisory.aliases.clone(),
            upstream: advisory.upstream.clone(),
            summary: advisory.summary.clone(),
            ratings: advisory.ratings.clone(),
            published: advisory.published.clone(),
            modified: advisory.modified.clone(),
            withdrawn: advisory.withdrawn.clone(),
            references: advisory
                .references
                .iter()
                .take(LINKS)
                .map(|reference| reference.url.clone())
                .collect(),
            weaknesses: advisory.weaknesses.clone(),
        }
    }

    /// The whole record again.
    pub(crate) fn into_advisory(self, details: Details) -> Advisory {
        Advisory {
            id: self.id,
            aliases: self.aliases,
            upstream: self.upstream,
            summary: self.summary,
            details: details.details,
            ratings: self.ratings,
            published: self.published,
            modified: self.modified,
            withdrawn: self.withdrawn,
            references: details.references,
            weaknesses: self.weaknesses,
            affected: details.affected,
        }
    }
}

/// A release cycle of a product and its support.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cycle {
    /// Name of the cycle (`12`, `3.18`).
    pub cycle: String,
    /// Code name, empty if none (`Bookworm`).
    pub codename: String,
    /// ISO date when support ends; empty when only yes or no is known.
    pub date: String,
    /// True when the data says that support has ended, without a date.
    pub ended: bool,
    /// ISO date when extended support ends.
    pub extended: Option<String>,
}

/// What a database file holds, for `db status`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contents {
    /// RFC 3339 time when it was built.
    pub built: String,
    /// RFC 3339 time of the newest record.
    pub newest: String,
    /// Advisory records, withdrawn ones included.
    pub advisories: u64,
    /// Withdrawn records.
    pub withdrawn: u64,
    /// Entries of known exploited vulnerabilities.
    pub known_exploited: u64,
    /// EPSS scores.
    pub scores: u64,
    /// Products with end-of-life data.
    pub products: u64,
    /// For each ecosystem (without release), the affected entries, sorted by name.
    pub ecosystems: Vec<(String, u64)>,
    /// Documents or records that could not be read when it was built.
    pub problems: u64,
}

/// Key of a package: ecosystem without release, NUL, normalised name.
pub(crate) fn package_key(ecosystem: &str, name: &str, key: &mut String) {
    key.clear();
    // Writing to a string cannot fail.
    let _ = write!(key, "{ecosystem}\0{name}");
}
