//! Vulnerability knowledge: feeds, version schemes, the database file, matching.
//!
//! [`build::build`] makes one file from the feeds, [`Database::open`] reads it, [`match_packages`] says which advisories
//! apply to which packages and why. [`update`] brings a local copy of the feeds up to date over a [`update::Fetch`].

pub mod build;
mod cvss;
mod database;
mod descriptions;
pub mod ecosystem;
pub mod feeds;
mod matching;
pub mod names;
mod ranges;
mod records;
pub mod schemes;
mod sorter;
mod store;
mod streams;
mod text;
pub mod update;

pub use build::{BuildError, BuildOptions, BuildSummary, FeedFiles, Progress, build};
pub use database::{Database, DatabaseError, DatabaseStatus, PairVisitor};
pub use ecosystem::{Distribution, distribution};
pub use matching::{MatchOptions, Matches, match_packages};
pub use records::{Contents, Cycle};
