//! What a rule says when it matches.

use super::FieldValue;
use std::fmt;
use std::str::FromStr;

/// How pressing an alert is, most pressing first, as syslog orders them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Priority {
    /// The system cannot be used.
    Emergency,
    /// Act at once.
    Alert,
    /// Critical.
    Critical,
    /// Error.
    Error,
    /// Warning.
    Warning,
    /// Normal but noteworthy.
    Notice,
    /// Informational.
    Informational,
    /// For debugging.
    Debug,
}

impl Priority {
    /// All, most pressing first; the index is the syslog severity.
    pub const ALL: [Self; 8] = [
        Self::Emergency,
        Self::Alert,
        Self::Critical,
        Self::Error,
        Self::Warning,
        Self::Notice,
        Self::Informational,
        Self::Debug,
    ];

    /// The name as Falco prints it: `Emergency` ... `Informational`, `Debug`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Emergency => "Emergency",
            Self::Alert => "Alert",
            Self::Critical => "Critical",
            Self::Error => "Error",
            Self::Warning => "Warning",
            Self::Notice => "Notice",
            Self::Informational => "Informational",
            Self::Debug => "Debug",
        }
    }
}

impl fmt::Display for Priority {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// No such priority.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "unknown priority `{0}`: use emergency, alert, critical, error, warning, notice, informational (or info) or debug"
)]
pub struct ParsePriorityError(pub String);

impl FromStr for Priority {
    type Err = ParsePriorityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.eq_ignore_ascii_case("info") {
            return Ok(Self::Informational);
        }
        Self::ALL
            .into_iter()
            .find(|priority| priority.name().eq_ignore_ascii_case(text))
            .ok_or_else(|| ParsePriorityError(text.to_owned()))
    }
}

/// One detection: a rule that matched an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// When the event happened, in nanoseconds since the Unix epoch.
    pub time: u64,
    /// The rule's name.
    pub rule: String,
    /// How pressing it is.
    pub priority: Priority,
    /// The source of the event (`syscall`, `k8s_audit` ...).
    pub source: String,
    /// The rule's tags, sorted.
    pub tags: Vec<String>,
    /// The host that saw it.
    pub hostname: String,
    /// The rendered output, without time and priority, control characters removed.
    pub output: String,
    /// The fields that the output names, and those appended to every output, in the order of first mention.
    pub fields: Vec<(String, FieldValue)>,
}
