//! GitLab's container-scanning report, schema 15.

use crate::{Format, Options, wording};
use model::{Finding, Meta, Package, Report, Severity};
use serde::Serialize;
use std::io::{self, Write};

/// The member.
pub(super) static GITLAB_CONTAINER_SCANNING: GitlabContainerScanning = GitlabContainerScanning;

pub(super) struct GitlabContainerScanning;

static META: Meta = Meta {
    name: "gitlab-container-scanning",
    title: "GitLab container-scanning report, schema 15.0.7",
    finds: &["one vulnerability a finding, with package, image, identifiers and links"],
    needs: &[],
    references: &["https://gitlab.com/gitlab-org/security-products/security-report-schemas"],
};

impl Format for GitlabContainerScanning {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn extension(&self) -> &'static str {
        "json"
    }

    fn carries_inventory(&self) -> bool {
        false
    }

    fn shows_descriptions(&self) -> bool {
        true
    }

    fn write(&self, report: &Report, _options: &Options, out: &mut dyn Write) -> io::Result<()> {
        // GitLab wants times without a zone.
        let time = report.created.trim_end_matches('Z').to_owned();
        let program = |id: &'static str| Program {
            id,
            name: "Hullward",
            version: report.generator_version.clone(),
            vendor: Vendor { name: "Hullward" },
        };
        let document = Document {
            version: "15.0.7",
            scan: Scan {
                analyzer: program("hullward"),
                scanner: program("hullward"),
                kind: "container_scanning",
                start_time: time.clone(),
                end_time: time,
                status: "success",
            },
            vulnerabilities: wording::actionable(report)
                .filter_map(|finding| {
                    report
                        .package_of(finding)
                        .map(|package| vulnerability(finding, package, report))
                })
                .collect(),
            remediations: [],
        };
        crate::write_json(&document, out)
    }
}

#[derive(Serialize)]
struct Document {
    version: &'static str,
    scan: Scan,
    vulnerabilities: Vec<Vulnerability>,
    remediations: [(); 0],
}

#[derive(Serialize)]
struct Scan {
    analyzer: Program,
    scanner: Program,
    #[serde(rename = "type")]
    kind: &'static str,
    start_time: String,
    end_time: String,
    status: &'static str,
}

#[derive(Serialize)]
struct Program {
    id: &'static str,
    name: &'static str,
    version: String,
    vendor: Vendor,
}

#[derive(Serialize)]
struct Vendor {
    name: &'static str,
}

#[derive(Serialize)]
struct Vulnerability {
    id: String,
    name: String,
    description: String,
    severity: &'static str,
    #[serde(skip_serializing_if = "String::is_empty")]
    solution: String,
    identifiers: Vec<Identifier>,
    links: Vec<Link>,
    location: Location,
}

#[derive(Serialize)]
struct Identifier {
    #[serde(rename = "type")]
    kind: String,
    name: String,
    value: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
}

#[derive(Serialize)]
struct Link {
    url: String,
}

#[derive(Serialize)]
struct Location {
    dependency: Dependency,
    operating_system: String,
    image: String,
}

#[derive(Serialize)]
struct Dependency {
    package: Name,
    version: String,
}

#[derive(Serialize)]
struct Name {
    name: String,
}

fn vulnerability(finding: &Finding, package: &Package, report: &Report) -> Vulnerability {
    let title = wording::title(finding, Some(package));
    let operating_system = report
        .target
        .os
        .as_ref()
        .map(|os| format!("{} {}", os.id, os.version).trim().to_owned());
    let solution = if finding.fixed.is_empty() {
        String::new()
    } else {
        wording::advice(finding, Some(package))
    };
    Vulnerability {
        id: wording::uuid(&finding.id),
        name: title.chars().take(255).collect(),
        description: if finding.description.is_empty() {
            title
        } else {
            finding.description.chars().take(10_000).collect()
        },
        severity: match finding.severity {
            Severity::Critical => "Critical",
            Severity::High => "High",
            Severity::Medium => "Medium",
            Severity::Low => "Low",
            Severity::Unknown => "Unknown",
        },
        solution,
        identifiers: std::iter::once(&finding.rule)
            .chain(&finding.aliases)
            .take(20)
            .map(|id| Identifier {
                kind: id.split('-').next().unwrap_or("advisory").to_ascii_lowercase(),
                name: id.clone(),
                value: id.clone(),
                url: finding
                    .references
                    .iter()
                    .find(|reference| reference.starts_with("https://") && reference.contains(id.as_str()))
                    .cloned(),
            })
            .collect(),
        links: finding
            .references
            .iter()
            .filter(|reference| reference.starts_with("http"))
            .map(|url| Link { url: url.clone() })
            .collect(),
        location: Location {
            dependency: Dependency {
                package: Name {
                    name: package.name.clone(),
                },
                version: package.version.clone(),
            },
            operating_system: operating_system
                .filter(|os| !os.is_empty())
                .unwrap_or_else(|| "unknown".to_owned()),
            image: image_name(report),
        },
    }
}

/// GitLab wants an image with a tag or digest.
fn image_name(report: &Report) -> String {
    let name = &report.target.name;
    let last = name.rsplit('/').next().unwrap_or(name);
    if last.contains(':') {
        name.clone()
    } else {
        format!("{name}:latest")
    }
}
