//! The result of a scan, before any output format shapes it.

use crate::{Digest, EndOfLife, Finding, FindingKind, Layer, OsRelease, Package, Problem, Severity, Status};
use serde::{Deserialize, Serialize};

/// What kind of thing was scanned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum TargetKind {
    /// An image, wherever it came from.
    Image,
    /// An unpacked root file system or a tarball of one.
    Rootfs,
    /// A source tree.
    Directory,
    /// An SBOM document.
    Sbom,
    /// A git repository.
    Repository,
}

impl TargetKind {
    /// Lower-case name, as reports write it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Rootfs => "rootfs",
            Self::Directory => "directory",
            Self::Sbom => "sbom",
            Self::Repository => "repository",
        }
    }
}

/// What was scanned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Target {
    /// Kind.
    pub kind: TargetKind,
    /// Name as the user gave it.
    pub name: String,
    /// Digest of the image's manifest, where there is one.
    pub digest: Option<Digest>,
    /// Digest of the image's configuration (the image id).
    pub image_id: Option<Digest>,
    /// `linux/amd64`, with the variant where there is one.
    pub platform: Option<String>,
    /// Names under which the image is known (`name:tag`, `name@digest`).
    pub references: Vec<String>,
    /// Operating system, when one was recognised.
    pub os: Option<OsRelease>,
    /// Its support state, when known.
    pub end_of_life: Option<EndOfLife>,
    /// Layers, lowest first; empty for targets without layers.
    pub layers: Vec<Layer>,
}

/// Everything that a scan found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Version of Hullward.
    pub generator_version: String,
    /// RFC 3339 time, UTC, whole seconds.
    pub created: String,
    /// What was scanned.
    pub target: Target,
    /// Packages, sorted by ecosystem, name, version.
    pub packages: Vec<Package>,
    /// Findings, most severe first, then by package and rule.
    pub findings: Vec<Finding>,
    /// What could not be judged.
    pub problems: Vec<Problem>,
    /// RFC 3339 time of the advisory database's newest data; `None` when no database was used.
    pub database: Option<String>,
}

/// Counts for a summary line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Packages.
    pub packages: usize,
    /// Findings with status affected, by severity in the order of [`Severity::ALL`].
    pub by_severity: [usize; 5],
    /// Affected findings that a newer version fixes.
    pub fixable: usize,
    /// Affected findings that are known to be exploited.
    pub known_exploited: usize,
    /// Findings that could not be judged.
    pub undetermined: usize,
    /// Findings set aside.
    pub suppressed: usize,
    /// Problems.
    pub problems: usize,
}

impl Report {
    /// Counts over the report.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let mut summary = Summary {
            packages: self.packages.len(),
            problems: self.problems.len(),
            ..Summary::default()
        };
        for finding in &self.findings {
            match finding.status {
                Status::Affected | Status::UnderInvestigation => {
                    let at = Severity::ALL
                        .iter()
                        .position(|severity| *severity == finding.severity)
                        .unwrap_or(4);
                    summary.by_severity[at] += 1;
                    summary.fixable += usize::from(!finding.fixed.is_empty());
                    summary.known_exploited += usize::from(finding.known_exploited.is_some());
                }
                Status::Undetermined => summary.undetermined += 1,
                Status::Suppressed => summary.suppressed += 1,
                Status::NotAffected | Status::Fixed => {}
            }
        }
        summary
    }

    /// The package a finding is about.
    #[must_use]
    pub fn package_of(&self, finding: &Finding) -> Option<&Package> {
        finding.package.and_then(|index| self.packages.get(index))
    }

    /// True when the report has an affected vulnerability, malware or similar at or above `threshold`.
    #[must_use]
    pub fn reaches(&self, threshold: Severity) -> bool {
        self.findings.iter().any(|finding| {
            finding.status == Status::Affected
                && finding.kind != FindingKind::License
                && finding.severity >= threshold
        })
    }
}
