//! What was found, and why.

use crate::{Location, Severity};
use serde::{Deserialize, Serialize};

/// What kind of thing a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum FindingKind {
    /// A known flaw of a package.
    Vulnerability,
    /// A credential.
    Secret,
    /// A setting that weakens.
    Misconfig,
    /// A weakness in source code.
    Code,
    /// Malicious software or package.
    Malware,
    /// A licence outside what is allowed.
    License,
    /// A release that its makers no longer support.
    Eol,
}

impl FindingKind {
    /// Lower-case name, as reports write it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Vulnerability => "vulnerability",
            Self::Secret => "secret",
            Self::Misconfig => "misconfig",
            Self::Code => "code",
            Self::Malware => "malware",
            Self::License => "license",
            Self::Eol => "eol",
        }
    }
}

/// What is known of the flaw's presence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Status {
    /// The target has it.
    Affected,
    /// The target does not have it.
    NotAffected,
    /// The target had it.
    Fixed,
    /// Somebody is looking into it.
    UnderInvestigation,
    /// Could not be judged; `reason` says why.
    Undetermined,
    /// Present and set aside; `reason` says why.
    Suppressed,
}

impl Status {
    /// Kebab-case name, as reports write it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Affected => "affected",
            Self::NotAffected => "not-affected",
            Self::Fixed => "fixed",
            Self::UnderInvestigation => "under-investigation",
            Self::Undetermined => "undetermined",
            Self::Suppressed => "suppressed",
        }
    }
}

/// Why a finding is believed: pairs in a fixed order. Matching gives `record` (advisory id), `feed`, `key` (`source package
/// openssl`), `range` (`>= 0, < 1.1.1n-0+deb11u5`), `comparison` (`1.1.1n-0+deb11u3 < 1.1.1n-0+deb11u5 (dpkg)`),
/// `severity-source`, `cvss` (vector) and `score`.
pub type Evidence = Vec<(String, String)>;

/// Entry of CISA's catalogue of known exploited vulnerabilities.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownExploited {
    /// ISO date when it was added.
    pub added: String,
    /// ISO date by which federal agencies must act.
    pub due: String,
    /// True when ransomware campaigns use it.
    pub ransomware: bool,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// The same for the same thing in every run.
    pub id: String,
    /// What kind.
    pub kind: FindingKind,
    /// Preferred name of the flaw or rule (a CVE where there is one).
    pub rule: String,
    /// Its other names, sorted.
    pub aliases: Vec<String>,
    /// How bad.
    pub severity: Severity,
    /// One line.
    pub title: String,
    /// Text, possibly Markdown; empty if there is none.
    pub description: String,
    /// Index into the report's packages.
    pub package: Option<usize>,
    /// Versions that fix it in *this* release line, lowest first; empty when there is none.
    pub fixed: Vec<String>,
    /// Where, for what is no package; `None` means the package's first location.
    pub location: Option<Location>,
    /// Why.
    pub evidence: Evidence,
    /// Links.
    pub references: Vec<String>,
    /// CWE identities.
    pub weaknesses: Vec<String>,
    /// Controls of compliance frameworks it touches.
    pub controls: Vec<String>,
    /// State.
    pub status: Status,
    /// Why the state is what it is; empty for `Affected`.
    pub reason: String,
    /// CVSS base score of the vector that `evidence` names.
    pub score: Option<f64>,
    /// Set when it is known to be exploited.
    pub known_exploited: Option<KnownExploited>,
    /// EPSS: probability of exploitation within 30 days, and its percentile, both 0 to 1.
    pub epss: Option<(f64, f64)>,
    /// ISO date of publication; empty if not told.
    pub published: String,
}

impl Finding {
    /// Value of a piece of evidence.
    #[must_use]
    pub fn evidence(&self, key: &str) -> Option<&str> {
        self.evidence
            .iter()
            .find(|(have, _)| have == key)
            .map(|(_, value)| value.as_str())
    }
}
