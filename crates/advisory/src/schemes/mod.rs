//! The registry of version schemes, in alphabetical order, and which ecosystem uses which.

use model::Meta;
use std::cmp::Ordering;

/// A member of the family: one ecosystem's order of versions, exact.
pub trait Scheme: Sync {
    /// Description.
    fn meta(&self) -> &'static Meta;

    /// Order of two versions.
    ///
    /// # Errors
    /// When one of them is no version of this scheme; the finding then is `undetermined`, never silently absent.
    fn compare(&self, left: &str, right: &str) -> Result<Ordering, VersionError>;
}

/// A text that is no version of a scheme.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{version}` is not a version that `{scheme}` can order: {reason}")]
pub struct VersionError {
    /// Name of the scheme.
    pub scheme: &'static str,
    /// The text, cut at 200 characters.
    pub version: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl VersionError {
    /// An error about a version; long texts are cut.
    #[must_use]
    pub fn new(scheme: &'static str, version: &str, reason: &'static str) -> Self {
        Self {
            scheme,
            version: version.chars().take(200).collect(),
            reason,
        }
    }
}

/// Every version scheme.
pub static ALL: &[&dyn Scheme] = &[];

/// OSV's ecosystems (without release) and the scheme that orders their versions.
pub static ECOSYSTEMS: &[(&str, &dyn Scheme)] = &[];

/// The scheme of an OSV ecosystem, with or without its release: `npm`, `Debian:12`.
#[must_use]
pub fn for_ecosystem(ecosystem: &str) -> Option<&'static dyn Scheme> {
    let name = ecosystem.split(':').next().unwrap_or_default();
    ECOSYSTEMS
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, scheme)| *scheme)
}
