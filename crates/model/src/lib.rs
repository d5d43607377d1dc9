//! What every crate of Hullward talks about: packages, layers, advisories and findings; pure data and functions.
//!
//! Nothing here does I/O, and nothing here is a wire format: `report` owns what is printed. The types derive serde's
//! traits only for the local layer cache and the advisory database, which carry a format version of their own.

mod advisory;
mod content;
mod digest;
pub mod event;
mod finding;
mod layer;
mod meta;
mod os;
mod package;
pub mod path;
mod problem;
mod purl;
mod report;
mod severity;

pub use advisory::{Advisory, Affected, Event, Range, RangeKind, Rating, Reference};
pub use content::{
    Archives, Content, ContentError, Entry, EntryKind, MemoryContent, ReadSeek, ZipMember, ZipVisitor,
};
pub use digest::{Digest, DigestAlgorithm, ParseDigestError};
pub use finding::{Evidence, Finding, FindingKind, KnownExploited, Status};
pub use layer::{Layer, LayerIndex};
pub use meta::{Meta, Need, is_kebab_case};
pub use os::{EndOfLife, OsRelease};
pub use package::{Fact, Location, Package, Relation, Scope, SourcePackage};
pub use problem::Problem;
pub use purl::{ParsePurlError, Purl};
pub use report::{Report, Summary, Target, TargetKind};
pub use severity::Severity;
