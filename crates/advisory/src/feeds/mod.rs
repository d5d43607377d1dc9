//! The registry of feeds, in alphabetical order, and what a feed's documents turn into.

mod end_of_life_feed;
mod epss_feed;
mod kev_feed;
mod osv_feed;

use crate::records::Cycle;
use model::{Advisory, KnownExploited, Meta, Problem};

/// Something that a feed's document says.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    /// One advisory.
    Advisory(Box<Advisory>),
    /// A flaw that is known to be exploited: its CVE, and the catalogue's entry.
    KnownExploited(String, KnownExploited),
    /// The EPSS probability and percentile (0 to 1) of a CVE.
    Score(String, f64, f64),
    /// A release cycle of a product: the product's name on endoflife.date, and the cycle.
    Cycle(String, Cycle),
}

/// Where a feed puts what it reads.
pub trait Sink {
    /// One thing that was read.
    fn item(&mut self, item: Item);

    /// A record or line that could not be read; the rest goes on.
    fn problem(&mut self, problem: Problem);
}

/// A member of the family: reads the documents of one feed.
pub trait Feed: Sync {
    /// Description.
    fn meta(&self) -> &'static Meta;

    /// True when a document at this path, seen from the mirror's root, is this feed's. Members of archives follow the
    /// archive's path after `!/`, as in `npm/all.zip!/GHSA-….json`.
    fn wants(&self, path: &str) -> bool;

    /// Reads one document (inflated). What is malformed becomes a problem.
    fn read(&self, path: &str, bytes: &[u8], sink: &mut dyn Sink);
}

/// Every feed. The order is alphabetical; their paths do not overlap.
pub static ALL: &[&dyn Feed] = &[
    &end_of_life_feed::END_OF_LIFE_FEED,
    &epss_feed::EPSS_FEED,
    &kev_feed::KEV_FEED,
    &osv_feed::OSV_FEED,
];

/// What the builder of the database wants of a file of a mirror or folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Nothing.
    No,
    /// The document itself (inflated when its name ends in `.gz`).
    Document,
    /// The members of this zip archive, each as a document of the path `<archive>!/<member>`.
    Archive,
}

/// What is wanted of the file at `path` (with `/`, from the root of the mirror or folder).
#[must_use]
pub fn wanted(path: &str) -> Wanted {
    if path.ends_with("/all.zip") {
        Wanted::Archive
    } else if ALL
        .iter()
        .any(|feed| feed.wants(path.strip_suffix(".gz").unwrap_or(path)))
    {
        Wanted::Document
    } else {
        Wanted::No
    }
}

/// Last component of a path.
fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// A short, printable form of an id or value of a feed for messages.
fn shown(text: &str) -> String {
    text.chars().take(100).flat_map(char::escape_default).collect()
}
