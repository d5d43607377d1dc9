//! What is known of one flaw, in the terms of OSV, whatever feed it came from.

use serde::{Deserialize, Serialize};

/// One advisory record.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Advisory {
    /// Identity in its feed (`GHSA-…`, `DSA-…`, `CVE-…`).
    pub id: String,
    /// Other names of the same flaw.
    pub aliases: Vec<String>,
    /// The flaws that a distribution's record answers (OSV `upstream`, and CVEs in `related` where a feed keeps them there).
    pub upstream: Vec<String>,
    /// One line.
    pub summary: String,
    /// Text, possibly Markdown, cut at the feed reader's cap.
    pub details: String,
    /// Ratings of the record as a whole.
    pub ratings: Vec<Rating>,
    /// RFC 3339 times; empty if not told.
    pub published: String,
    /// Last change.
    pub modified: String,
    /// Set when the record was withdrawn: it then never gives a finding.
    pub withdrawn: String,
    /// Links.
    pub references: Vec<Reference>,
    /// CWE identities (`CWE-79`).
    pub weaknesses: Vec<String>,
    /// What it affects.
    pub affected: Vec<Affected>,
}

/// A rating as its author gave it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rating {
    /// `cvss-v4`, `cvss-v3`, `cvss-v2`, `ubuntu`, or `word` for a vendor's own word.
    pub kind: String,
    /// Vector or word.
    pub value: String,
    /// Who rated: the record's `database_specific` or the feed's name; empty when unknown.
    pub source: String,
}

/// A link of an advisory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reference {
    /// OSV's type in lower case (`advisory`, `fix`, `web`, …).
    pub kind: String,
    /// Address.
    pub url: String,
}

/// One package that an advisory affects.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Affected {
    /// Ecosystem with its release, as the feed writes it (`Debian:11`, `npm`).
    pub ecosystem: String,
    /// Name as the feed writes it.
    pub name: String,
    /// Ranges of versions.
    pub ranges: Vec<Range>,
    /// Versions that are affected one by one.
    pub versions: Vec<String>,
    /// Ratings for this package.
    pub ratings: Vec<Rating>,
    /// What else the feed tells: `arch`, `module`, `stream`, symbols of Go (`symbol`), …
    pub facts: Vec<crate::Fact>,
}

/// Which comparison a range needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RangeKind {
    /// Semantic versioning 2.0.0.
    Semver,
    /// The ecosystem's own order.
    Ecosystem,
    /// Commits; not comparable without the repository.
    Git,
}

/// A range: events in the feed's order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Range {
    /// Comparison.
    pub kind: RangeKind,
    /// Events.
    pub events: Vec<Event>,
}

/// One bound of a range.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// Affected from this version on (`0` for the very first).
    Introduced(String),
    /// Not affected any more from this version on.
    Fixed(String),
    /// Affected up to and including this version.
    LastAffected(String),
    /// Versions from here on are not spoken of.
    Limit(String),
}
