//! CycloneDX 1.6 in JSON, with vulnerabilities.

use crate::{Format, Options, wording};
use model::{Finding, FindingKind, Meta, Package, Relation, Report, Scope, Status, TargetKind};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::{self, Write};

/// The member.
pub(super) static CYCLONEDX_JSON: CyclonedxJson = CyclonedxJson;

pub(super) struct CyclonedxJson;

static META: Meta = Meta {
    name: "cyclonedx-json",
    title: "CycloneDX 1.6 in JSON, with vulnerabilities",
    finds: &[
        "components with licences, evidence and dependencies; vulnerabilities with ratings and analysis",
    ],
    needs: &[],
    references: &["https://cyclonedx.org/docs/1.6/json/"],
};

const ROOT: &str = "hullward:target";

impl Format for CyclonedxJson {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn extension(&self) -> &'static str {
        "cdx.json"
    }

    fn carries_inventory(&self) -> bool {
        true
    }

    fn shows_descriptions(&self) -> bool {
        true
    }

    fn write(&self, report: &Report, options: &Options, out: &mut dyn Write) -> io::Result<()> {
        crate::write_json(&document(report, options.inventory_only), out)
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    #[serde(rename = "$schema")]
    schema: &'static str,
    bom_format: &'static str,
    spec_version: &'static str,
    serial_number: String,
    version: u32,
    metadata: Metadata,
    components: Vec<Component>,
    dependencies: Vec<Dependency>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    vulnerabilities: Vec<Vulnerability>,
}

#[derive(Serialize)]
struct Metadata {
    timestamp: String,
    tools: Tools,
    component: Component,
}

#[derive(Serialize)]
struct Tools {
    components: [Component; 1],
}

#[derive(Default, Serialize)]
struct Component {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(rename = "bom-ref", skip_serializing_if = "String::is_empty")]
    bom_ref: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    group: String,
    name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    version: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hashes: Vec<Hash>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    licenses: Vec<Expression>,
    #[serde(skip_serializing_if = "String::is_empty")]
    cpe: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    purl: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    evidence: Option<Evidence>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    properties: Vec<Property>,
}

#[derive(Serialize)]
struct Hash {
    alg: &'static str,
    content: String,
}

#[derive(Serialize)]
struct Expression {
    expression: String,
}

#[derive(Serialize)]
struct Evidence {
    occurrences: Vec<Occurrence>,
}

#[derive(Serialize)]
struct Occurrence {
    location: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
}

#[derive(Serialize)]
struct Property {
    name: String,
    value: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Dependency {
    #[serde(rename = "ref")]
    reference: String,
    depends_on: Vec<String>,
}

#[derive(Serialize)]
struct Vulnerability {
    #[serde(rename = "bom-ref")]
    bom_ref: String,
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<Source>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    references: Vec<Reference>,
    ratings: Vec<Rating>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cwes: Vec<u32>,
    description: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    detail: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    recommendation: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    advisories: Vec<Advisory>,
    #[serde(skip_serializing_if = "String::is_empty")]
    published: String,
    analysis: Analysis,
    affects: Vec<Affects>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    properties: Vec<Property>,
}

#[derive(Serialize)]
struct Source {
    name: String,
}

#[derive(Serialize)]
struct Reference {
    id: String,
    source: Source,
}

#[derive(Serialize)]
struct Rating {
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<Source>,
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<f64>,
    severity: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vector: Option<String>,
}

#[derive(Serialize)]
struct Advisory {
    url: String,
}

#[derive(Serialize)]
struct Analysis {
    state: &'static str,
    #[serde(skip_serializing_if = "String::is_empty")]
    detail: String,
}

#[derive(Serialize)]
struct Affects {
    #[serde(rename = "ref")]
    reference: String,
    versions: [AffectedVersion; 1],
}

#[derive(Serialize)]
struct AffectedVersion {
    version: String,
    status: &'static str,
}

fn document(report: &Report, inventory_only: bool) -> Document {
    let references = references(report);
    let mut components: Vec<Component> = report
        .packages
        .iter()
        .zip(&references)
        .map(|(package, reference)| component(package, reference, report))
        .collect();
    if let Some(os) = &report.target.os {
        components.push(Component {
            kind: "operating-system",
            bom_ref: "hullward:os".to_owned(),
            name: os.id.clone(),
            version: os.version.clone(),
            properties: os
                .facts
                .iter()
                .map(|fact| property(&format!("hullward:os:{}", fact.key), &fact.value))
                .collect(),
            ..Component::default()
        });
    }
    let vulnerabilities = if inventory_only {
        Vec::new()
    } else {
        vulnerabilities(report, &references)
    };
    Document {
        schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
        bom_format: "CycloneDX",
        spec_version: "1.6",
        serial_number: format!(
            "urn:uuid:{}",
            wording::uuid(&format!(
                "{}\n{}\n{}",
                report.target.name,
                report.created,
                report.packages.len()
            ))
        ),
        version: 1,
        metadata: Metadata {
            timestamp: report.created.clone(),
            tools: Tools {
                components: [Component {
                    kind: "application",
                    name: "hullward".to_owned(),
                    version: report.generator_version.clone(),
                    ..Component::default()
                }],
            },
            component: target(report),
        },
        dependencies: dependencies(report, &references),
        components,
        vulnerabilities,
    }
}

fn target(report: &Report) -> Component {
    let target = &report.target;
    let mut properties = Vec::new();
    if let Some(digest) = &target.image_id {
        properties.push(property("hullward:image-id", &digest.to_string()));
    }
    if let Some(platform) = &target.platform {
        properties.push(property("hullward:platform", platform));
    }
    for layer in &target.layers {
        properties.push(property("hullward:layer", &layer.diff_id.to_string()));
    }
    Component {
        kind: match target.kind {
            TargetKind::Image => "container",
            TargetKind::Rootfs => "operating-system",
            TargetKind::Directory | TargetKind::Sbom | TargetKind::Repository => "application",
        },
        bom_ref: ROOT.to_owned(),
        name: target.name.clone(),
        version: target
            .digest
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
        properties,
        ..Component::default()
    }
}

/// One unique reference a package: its purl, numbered where several packages share it.
fn references(report: &Report) -> Vec<String> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    report
        .packages
        .iter()
        .map(|package| {
            let purl = package.purl.to_string();
            let count = seen.entry(purl.clone()).or_insert(0);
            *count += 1;
            if *count == 1 {
                purl
            } else {
                format!("{purl}#{count}")
            }
        })
        .collect()
}

fn component(package: &Package, reference: &str, report: &Report) -> Component {
    let (group, name) = match package.purl.kind() {
        "npm" | "maven" | "composer" => (
            package.purl.namespace().to_owned(),
            package.purl.name().to_owned(),
        ),
        _ => (String::new(), package.name.clone()),
    };
    let mut properties = vec![property("hullward:found-by", &package.found_by)];
    if let Some(source) = &package.source {
        properties.push(property(
            "hullward:source",
            &format!("{}@{}", source.name, source.version),
        ));
    }
    if let Some(owner) = &package.owned_by {
        properties.push(property("hullward:owned-by", owner));
    }
    if let Some(layer) = package
        .locations
        .first()
        .and_then(|location| wording::layer(location, report))
    {
        properties.push(property("hullward:layer", &layer.to_string()));
    }
    if crate::from_base(package, &report.target.layers) {
        properties.push(property("hullward:from-base", "true"));
    }
    for fact in &package.facts {
        properties.push(property(&format!("hullward:{}", fact.key), &fact.value));
    }
    let digest_of = |key: &str, alg: &'static str, length: usize| {
        package
            .fact(key)
            .filter(|digest| digest.len() == length && digest.bytes().all(|byte| byte.is_ascii_hexdigit()))
            .map(|content| Hash {
                alg,
                content: content.to_ascii_lowercase(),
            })
    };
    Component {
        kind: if package.found_by == "binary-classifier" || package.relation == Some(Relation::Root) {
            "application"
        } else {
            "library"
        },
        bom_ref: reference.to_owned(),
        group,
        name,
        version: package.version.clone(),
        scope: match package.scope {
            Some(Scope::Development) => Some("excluded"),
            Some(Scope::Optional) => Some("optional"),
            Some(Scope::Runtime) => Some("required"),
            None => None,
        },
        hashes: [digest_of("sha1", "SHA-1", 40), digest_of("sha256", "SHA-256", 64)]
            .into_iter()
            .flatten()
            .collect(),
        licenses: wording::expression(&package.licenses)
            .map(|expression| Expression { expression })
            .into_iter()
            .collect(),
        cpe: package
            .fact("cpe")
            .filter(|cpe| cpe.starts_with("cpe:2.3:"))
            .unwrap_or_default()
            .to_owned(),
        purl: package.purl.to_string(),
        evidence: (!package.locations.is_empty()).then(|| Evidence {
            occurrences: package
                .locations
                .iter()
                .map(|location| Occurrence {
                    location: location.path.clone(),
                    line: location.line,
                })
                .collect(),
        }),
        properties,
    }
}

/// The graph as far as it is known: the target depends on what is named directly or has no known parent; a package with a
/// known chain hangs below the last link of that chain.
fn dependencies(report: &Report, references: &[String]) -> Vec<Dependency> {
    let mut below: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    let mut below_root: BTreeSet<usize> = BTreeSet::new();
    for (index, parent) in wording::parents(report).into_iter().enumerate() {
        match parent {
            Some(parent) => below.entry(parent).or_default().insert(index),
            None => below_root.insert(index),
        };
    }
    let names = |indexes: &BTreeSet<usize>| {
        let names: BTreeSet<String> = indexes
            .iter()
            .filter_map(|index| references.get(*index).cloned())
            .collect();
        names.into_iter().collect::<Vec<_>>()
    };
    let mut dependencies = vec![Dependency {
        reference: ROOT.to_owned(),
        depends_on: names(&below_root),
    }];
    for (parent, children) in &below {
        if let Some(reference) = references.get(*parent) {
            dependencies.push(Dependency {
                reference: reference.clone(),
                depends_on: names(children),
            });
        }
    }
    dependencies
}

fn vulnerabilities(report: &Report, references: &[String]) -> Vec<Vulnerability> {
    let mut order: Vec<(&str, Status)> = Vec::new();
    let mut grouped: HashMap<(&str, Status), Vec<&Finding>> = HashMap::new();
    for finding in report
        .findings
        .iter()
        .filter(|finding| matches!(finding.kind, FindingKind::Vulnerability | FindingKind::Malware))
    {
        let key = (finding.rule.as_str(), finding.status);
        let group = grouped.entry(key).or_default();
        if group.is_empty() {
            order.push(key);
        }
        group.push(finding);
    }
    order
        .into_iter()
        .filter_map(|key| {
            grouped
                .get(&key)
                .map(|findings| vulnerability(findings, report, references))
        })
        .collect()
}

fn vulnerability(findings: &[&Finding], report: &Report, references: &[String]) -> Vulnerability {
    let finding = findings[0];
    let package = report.package_of(finding);
    let vector = finding.evidence("cvss").map(str::to_owned);
    let method = vector.as_deref().map(|vector| match vector.get(..8) {
        Some("CVSS:4.0") => "CVSSv4",
        Some("CVSS:3.1") => "CVSSv31",
        Some("CVSS:3.0") => "CVSSv3",
        _ => "CVSSv2",
    });
    let source = finding.evidence("severity-source").map(|name| Source {
        name: name.to_owned(),
    });
    let mut properties: Vec<Property> = Vec::new();
    if let Some(known) = &finding.known_exploited {
        properties.push(property("hullward:known-exploited", &known.added));
    }
    if let Some((probability, percentile)) = finding.epss {
        properties.push(property("hullward:epss", &probability.to_string()));
        properties.push(property("hullward:epss-percentile", &percentile.to_string()));
    }
    let state = match finding.status {
        Status::Affected | Status::UnderInvestigation | Status::Undetermined => "in_triage",
        Status::Suppressed | Status::NotAffected => "not_affected",
        Status::Fixed => "resolved",
    };
    // `not_affected` would be more than is known of a finding that was merely set aside.
    let state = if finding.status == Status::Suppressed {
        "in_triage"
    } else {
        state
    };
    let fixes: BTreeSet<String> = findings
        .iter()
        .filter(|finding| !finding.fixed.is_empty())
        .map(|finding| wording::advice(finding, report.package_of(finding)))
        .collect();
    Vulnerability {
        bom_ref: format!("{}#{}", finding.rule, finding.status.name()),
        id: finding.rule.clone(),
        source: finding.evidence("feed").map(|name| Source {
            name: name.to_owned(),
        }),
        references: finding
            .aliases
            .iter()
            .map(|alias| Reference {
                id: alias.clone(),
                source: Source {
                    name: alias.split('-').next().unwrap_or_default().to_owned(),
                },
            })
            .collect(),
        ratings: vec![Rating {
            source,
            score: finding.score,
            severity: finding.severity.name(),
            method,
            vector,
        }],
        cwes: finding
            .weaknesses
            .iter()
            .filter_map(|weakness| weakness.strip_prefix("CWE-")?.parse().ok())
            .filter(|cwe| *cwe > 0)
            .collect(),
        description: wording::title(finding, package),
        detail: finding.description.clone(),
        recommendation: fixes.into_iter().collect::<Vec<_>>().join("; "),
        advisories: finding
            .references
            .iter()
            .filter(|url| wording::is_plain_url(url))
            .map(|url| Advisory { url: url.clone() })
            .collect(),
        published: rfc3339(&finding.published),
        analysis: Analysis {
            state,
            detail: finding.reason.clone(),
        },
        affects: findings
            .iter()
            .filter_map(|finding| {
                let index = finding.package?;
                let package = report.packages.get(index)?;
                Some(Affects {
                    reference: references.get(index)?.clone(),
                    versions: [AffectedVersion {
                        version: package.version.clone(),
                        status: match finding.status {
                            Status::Affected | Status::Suppressed => "affected",
                            Status::Fixed | Status::NotAffected => "unaffected",
                            Status::UnderInvestigation | Status::Undetermined => "unknown",
                        },
                    }],
                })
            })
            .collect(),
        properties,
    }
}

/// A date or time as RFC 3339; empty if it is neither.
fn rfc3339(text: &str) -> String {
    if text.parse::<jiff::Timestamp>().is_ok() {
        return text.to_owned();
    }
    if text.parse::<jiff::civil::Date>().is_ok() {
        format!("{}T00:00:00Z", &text[..10.min(text.len())])
    } else {
        String::new()
    }
}

fn property(name: &str, value: &str) -> Property {
    Property {
        name: name.to_owned(),
        value: value.to_owned(),
    }
}
