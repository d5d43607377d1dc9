//! SARIF 2.1.0, as GitHub code scanning and other result viewers take it.

use crate::{Format, Options, wording};
use model::{Finding, Meta, Package, Report, Severity, Status};
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};
use std::io::{self, Write};

/// The member.
pub(super) static SARIF: Sarif = Sarif;

pub(super) struct Sarif;

static META: Meta = Meta {
    name: "sarif",
    title: "SARIF 2.1.0, for GitHub code scanning and editors",
    finds: &[
        "one rule a flaw with help, one result a finding with physical and logical locations and fingerprints",
    ],
    needs: &[],
    references: &[
        "https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html",
        "https://docs.github.com/en/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning",
    ],
};

/// GitHub refuses runs with more results than this.
const RESULTS_LIMIT: usize = 25_000;

impl Format for Sarif {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn extension(&self) -> &'static str {
        "sarif"
    }

    fn carries_inventory(&self) -> bool {
        false
    }

    fn shows_descriptions(&self) -> bool {
        true
    }

    fn write(&self, report: &Report, _options: &Options, out: &mut dyn Write) -> io::Result<()> {
        crate::write_json(&log(report), out)
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Log {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run {
    tool: Tool,
    automation_details: AutomationDetails,
    invocations: [Invocation; 1],
    original_uri_base_ids: BTreeMap<&'static str, UriBase>,
    results: Vec<ResultObject>,
    column_kind: &'static str,
    properties: BTreeMap<&'static str, String>,
}

#[derive(Serialize)]
struct Tool {
    driver: Driver,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Driver {
    name: &'static str,
    full_name: &'static str,
    semantic_version: String,
    rules: Vec<Rule>,
}

#[derive(Serialize)]
struct AutomationDetails {
    id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Invocation {
    execution_successful: bool,
    end_time_utc: String,
    tool_execution_notifications: Vec<Notification>,
}

#[derive(Serialize)]
struct Notification {
    level: &'static str,
    message: Text,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    locations: Vec<LocationObject>,
}

#[derive(Serialize)]
struct UriBase {
    description: Text,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    id: String,
    name: &'static str,
    short_description: Text,
    full_description: Text,
    #[serde(skip_serializing_if = "Option::is_none")]
    help_uri: Option<String>,
    help: MarkedText,
    default_configuration: Configuration,
    properties: RuleProperties,
}

#[derive(Serialize)]
struct Text {
    text: String,
}

impl Text {
    fn new(text: impl Into<String>) -> Self {
        Self { text: text.into() }
    }
}

#[derive(Serialize)]
struct MarkedText {
    text: String,
    markdown: String,
}

#[derive(Serialize)]
struct Configuration {
    level: &'static str,
}

#[derive(Serialize)]
struct RuleProperties {
    tags: Vec<String>,
    precision: &'static str,
    #[serde(rename = "security-severity")]
    security_severity: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResultObject {
    rule_id: String,
    rule_index: usize,
    kind: &'static str,
    level: &'static str,
    message: Text,
    locations: Vec<LocationObject>,
    partial_fingerprints: BTreeMap<&'static str, String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    suppressions: Vec<Suppression>,
    properties: BTreeMap<String, String>,
}

#[derive(Serialize)]
struct Suppression {
    kind: &'static str,
    justification: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LocationObject {
    physical_location: PhysicalLocation,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    logical_locations: Vec<LogicalLocation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Text>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PhysicalLocation {
    artifact_location: ArtifactLocation,
    region: Region,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ArtifactLocation {
    uri: String,
    uri_base_id: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: u32,
    start_column: u32,
    end_line: u32,
    end_column: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LogicalLocation {
    fully_qualified_name: String,
    kind: &'static str,
}

fn log(report: &Report) -> Log {
    let mut rules: Vec<Rule> = Vec::new();
    let mut rule_index: HashMap<&str, usize> = HashMap::new();
    let mut results = Vec::new();
    let shown = report
        .findings
        .iter()
        .filter(|finding| !matches!(finding.status, Status::NotAffected | Status::Fixed))
        .take(RESULTS_LIMIT);
    for finding in shown {
        let package = report.package_of(finding);
        let index = *rule_index.entry(finding.rule.as_str()).or_insert_with(|| {
            rules.push(rule(finding, package));
            rules.len() - 1
        });
        results.push(result(finding, package, index, report));
    }
    let mut notifications: Vec<Notification> = report
        .problems
        .iter()
        .map(|problem| Notification {
            level: "warning",
            message: Text::new(problem.message.clone()),
            locations: problem
                .path
                .iter()
                .map(|path| location_object(path, None, Vec::new(), None))
                .collect(),
        })
        .collect();
    if report.findings.len() > RESULTS_LIMIT {
        let message = format!(
            "{} findings are left out: a SARIF run holds at most {RESULTS_LIMIT}",
            report.findings.len() - RESULTS_LIMIT
        );
        notifications.push(Notification {
            level: "warning",
            message: Text::new(message),
            locations: Vec::new(),
        });
    }
    let mut properties = BTreeMap::from([
        ("target", report.target.name.clone()),
        ("targetKind", report.target.kind.name().to_owned()),
    ]);
    if let Some(digest) = report.target.digest.as_ref().or(report.target.image_id.as_ref()) {
        properties.insert("targetDigest", digest.to_string());
    }
    Log {
        schema: "https://json.schemastore.org/sarif-2.1.0.json",
        version: "2.1.0",
        runs: [Run {
            tool: Tool {
                driver: Driver {
                    name: "Hullward",
                    full_name: "Hullward container security scanner",
                    semantic_version: report.generator_version.clone(),
                    rules,
                },
            },
            automation_details: AutomationDetails {
                id: format!("hullward/{}/", report.target.kind.name()),
            },
            invocations: [Invocation {
                execution_successful: true,
                end_time_utc: report.created.clone(),
                tool_execution_notifications: notifications,
            }],
            original_uri_base_ids: BTreeMap::from([(
                "ROOT",
                UriBase {
                    description: Text::new("the root of the scanned image or folder"),
                },
            )]),
            results,
            column_kind: "utf16CodeUnits",
            properties,
        }],
    }
}

fn rule(finding: &Finding, package: Option<&Package>) -> Rule {
    let title = wording::title(finding, package);
    let description = if finding.description.is_empty() {
        title.clone()
    } else {
        limited(&finding.description, 1000)
    };
    let mut text = format!("{}: {title}\nSeverity: {}", finding.rule, finding.severity);
    let mut markdown = format!(
        "**{}**: {}\n\n| | |\n| --- | --- |\n| Severity | {} |",
        finding.rule,
        escape(&title),
        finding.severity
    );
    if let Some(score) = finding.score {
        text.push_str(&format!("\nCVSS: {score:.1}"));
        markdown.push_str(&format!("\n| CVSS | {score:.1} |"));
    }
    if !finding.aliases.is_empty() {
        let aliases = finding.aliases.join(", ");
        text.push_str(&format!("\nAlso known as: {aliases}"));
        markdown.push_str(&format!("\n| Also known as | {} |", escape(&aliases)));
    }
    if finding.known_exploited.is_some() {
        text.push_str("\nKnown to be exploited (CISA KEV)");
        markdown.push_str("\n| Exploited | yes, listed by CISA |");
    }
    if !finding.description.is_empty() {
        let description = limited(&finding.description, 4000);
        markdown.push_str(&format!("\n\n{}", escape(&description)));
        text.push_str(&format!("\n\n{description}"));
    }
    Rule {
        id: finding.rule.clone(),
        name: match finding.kind {
            model::FindingKind::Vulnerability => "KnownVulnerability",
            model::FindingKind::Malware => "MaliciousPackage",
            model::FindingKind::Eol => "UnsupportedRelease",
            model::FindingKind::License => "License",
            model::FindingKind::Secret => "Secret",
            model::FindingKind::Misconfig => "Misconfiguration",
            model::FindingKind::Code => "CodeWeakness",
        },
        short_description: Text::new(limited(&title, 1000)),
        full_description: Text::new(description),
        help_uri: finding
            .references
            .iter()
            .find(|reference| reference.starts_with("https://"))
            .cloned(),
        help: MarkedText { text, markdown },
        default_configuration: Configuration {
            level: level(finding.severity),
        },
        properties: RuleProperties {
            tags: std::iter::once("security".to_owned())
                .chain([finding.kind.name().to_owned()])
                .chain(
                    finding
                        .weaknesses
                        .iter()
                        .map(|weakness| format!("external/cwe/{}", weakness.to_lowercase())),
                )
                .collect(),
            precision: "very-high",
            security_severity: format!(
                "{:.1}",
                finding.score.unwrap_or_else(|| typical_score(finding.severity))
            ),
        },
    }
}

fn result(finding: &Finding, package: Option<&Package>, rule_index: usize, report: &Report) -> ResultObject {
    let location = wording::location(finding, package);
    let path = location
        .map(|location| location.path.as_str())
        .filter(|path| !path.is_empty())
        .unwrap_or(&report.target.name);
    let layer = location.and_then(|location| wording::layer(location, report));
    let mut logical = Vec::new();
    if let Some(package) = package {
        logical.push(LogicalLocation {
            fully_qualified_name: package.purl.to_string(),
            kind: "package",
        });
    }
    if let Some(layer) = layer {
        logical.push(LogicalLocation {
            fully_qualified_name: format!("{}@{layer}", report.target.name),
            kind: "layer",
        });
    }
    let title = wording::title(finding, package);
    let mut message = match package {
        Some(package) => format!("{} {}: {title} ({})", package.name, package.version, finding.rule),
        None => format!("{title} ({})", finding.rule),
    };
    let advice = wording::advice(finding, package);
    if !advice.is_empty() {
        message.push_str(&format!("; {advice}"));
    }
    if finding.status == Status::Undetermined {
        message.push_str(&format!("; could not be judged: {}", finding.reason));
    }
    let mut properties: BTreeMap<String, String> = finding
        .evidence
        .iter()
        .map(|(key, value)| (format!("evidence/{key}"), value.clone()))
        .collect();
    properties.insert("status".to_owned(), finding.status.name().to_owned());
    if let Some((probability, _)) = finding.epss {
        properties.insert("epss".to_owned(), probability.to_string());
    }
    ResultObject {
        rule_id: finding.rule.clone(),
        rule_index,
        kind: if finding.status == Status::Undetermined {
            "review"
        } else {
            "fail"
        },
        level: if finding.status == Status::Undetermined {
            "none"
        } else {
            level(finding.severity)
        },
        message: Text::new(message),
        locations: vec![location_object(
            path,
            location.and_then(|location| location.line),
            logical,
            package.map(|package| format!("{} {}", package.name, package.version)),
        )],
        partial_fingerprints: BTreeMap::from([("hullwardFindingId/v1", finding.id.clone())]),
        suppressions: if finding.status == Status::Suppressed {
            vec![Suppression {
                kind: "external",
                justification: finding.reason.clone(),
            }]
        } else {
            Vec::new()
        },
        properties,
    }
}

fn location_object(
    path: &str,
    line: Option<u32>,
    logical_locations: Vec<LogicalLocation>,
    message: Option<String>,
) -> LocationObject {
    let line = line.unwrap_or(1);
    LocationObject {
        physical_location: PhysicalLocation {
            artifact_location: ArtifactLocation {
                uri: uri(path),
                uri_base_id: "ROOT",
            },
            region: Region {
                start_line: line,
                start_column: 1,
                end_line: line,
                end_column: 1,
            },
        },
        logical_locations,
        message: message.map(Text::new),
    }
}

/// A relative URI reference for a path: everything but unreserved characters and slashes percent-encoded.
fn uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.trim_start_matches('/').bytes() {
        if byte.is_ascii_alphanumeric()
            || matches!(byte, b'/' | b'-' | b'.' | b'_' | b'~' | b'!' | b'+' | b'@')
        {
            uri.push(char::from(byte));
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
    }
    uri
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Unknown => "note",
    }
}

/// A score in the middle of the band, for flaws that only have a word.
fn typical_score(severity: Severity) -> f64 {
    match severity {
        Severity::Critical => 9.5,
        Severity::High => 8.0,
        Severity::Medium => 5.5,
        Severity::Low => 2.0,
        Severity::Unknown => 0.0,
    }
}

fn limited(text: &str, characters: usize) -> String {
    if text.chars().count() <= characters {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(characters - 1).collect();
    short.push('…');
    short
}

fn escape(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}
