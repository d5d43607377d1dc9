//! Identity of an operating system.

use serde::{Deserialize, Serialize};

/// What an image says its operating system is; the fields of os-release, or what older release files tell.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OsRelease {
    /// Lower-case identity (`debian`, `alpine`, `rhel`, `ol`, `amzn`, `opensuse-leap`, …), as os-release's `ID`.
    pub id: String,
    /// `VERSION_ID` (`12`, `3.18.9`, `9.4`), empty for rolling releases.
    pub version: String,
    /// Identities that this one derives from, nearest first (`ID_LIKE`).
    pub id_like: Vec<String>,
    /// Name for people (`PRETTY_NAME`).
    pub pretty_name: String,
    /// `VERSION_CODENAME` (`bookworm`), empty if not told.
    pub codename: String,
    /// Short facts: `variant`, `cpe`, `esm` (Ubuntu Pro is enabled), `content-sets`, `repository` (Alpine edge) …
    pub facts: Vec<crate::Fact>,
}

impl OsRelease {
    /// Value of a fact, if the release files told it.
    #[must_use]
    pub fn fact(&self, key: &str) -> Option<&str> {
        self.facts
            .iter()
            .find(|fact| fact.key == key)
            .map(|fact| fact.value.as_str())
    }

    /// Major version: `9` of `9.4`.
    #[must_use]
    pub fn major(&self) -> &str {
        self.version.split('.').next().unwrap_or_default()
    }
}

/// Support state of a release, from end-of-life data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndOfLife {
    /// Product of endoflife.date (`debian`, `nodejs`).
    pub product: String,
    /// Release cycle (`11`).
    pub cycle: String,
    /// ISO date when support ended or ends; empty when the data gives only yes or no.
    pub date: String,
    /// True when support had ended at the time of the scan.
    pub ended: bool,
    /// ISO date when paid or long-term support ends, if there is any.
    pub extended: Option<String>,
}
