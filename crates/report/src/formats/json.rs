//! The JSON report, `hullward.report/v1`: everything that a scan found, in one object.
//!
//! The structures are this format's own. Once published they only grow; the schema is `docs/reference/report-v1.schema.json`.

use crate::{Format, Options};
use model::{
    Digest, Fact, Finding, FindingKind, KnownExploited, Layer, Location, Meta, OsRelease, Package, Problem,
    Purl, Relation, Report, Scope, Severity, SourcePackage, Status, Target, TargetKind,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::io::{self, Write};

/// Value of the `schema` key.
pub const SCHEMA: &str = "hullward.report/v1";

/// The member.
pub(super) static JSON: Json = Json;

pub(super) struct Json;

static META: Meta = Meta {
    name: "json",
    title: "JSON report v1: everything, for programs",
    finds: &["target, layers, packages, findings with evidence, problems, summary"],
    needs: &[],
    references: &["https://json-schema.org/draft/2020-12/schema"],
};

impl Format for Json {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn extension(&self) -> &'static str {
        "json"
    }

    fn carries_inventory(&self) -> bool {
        true
    }

    fn shows_descriptions(&self) -> bool {
        true
    }

    fn write(&self, report: &Report, _options: &Options, out: &mut dyn Write) -> io::Result<()> {
        let packages = PackageObjects {
            packages: &report.packages,
            layers: &report.target.layers,
        };
        crate::write_json(&Document::from_report(report, packages), out)
    }
}

/// Reads a report that [`Json`] wrote, of this or an earlier minor form.
///
/// # Errors
/// A message that says why the text is no such report.
pub fn read(bytes: &[u8]) -> Result<Report, String> {
    let document: Document<Vec<PackageObject>> =
        serde_json::from_slice(bytes).map_err(|error| format!("it is no JSON report: {error}"))?;
    if document.schema != SCHEMA {
        return Err(format!(
            "its schema is `{}`, and only `{SCHEMA}` can be read",
            document.schema
        ));
    }
    document.into_report()
}

#[derive(Serialize, Deserialize)]
struct Document<P> {
    schema: String,
    generator: Generator,
    created: String,
    target: TargetObject,
    packages: P,
    findings: Vec<FindingObject>,
    problems: Vec<ProblemObject>,
    summary: SummaryObject,
}

/// Packages that become objects one by one as they are written, since there may be very many.
struct PackageObjects<'r> {
    packages: &'r [Package],
    layers: &'r [Layer],
}

impl Serialize for PackageObjects<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(
            self.packages
                .iter()
                .map(|package| PackageObject::from_package(package, self.layers)),
        )
    }
}

#[derive(Serialize, Deserialize)]
struct Generator {
    name: String,
    version: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    database: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct TargetObject {
    kind: String,
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    digest: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    image_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    platform: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    references: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    os: Option<OsObject>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    layers: Vec<LayerObject>,
}

#[derive(Serialize, Deserialize)]
struct OsObject {
    id: String,
    version: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    id_like: Vec<String>,
    pretty_name: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    codename: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    facts: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    end_of_life: Option<EndOfLifeObject>,
}

#[derive(Serialize, Deserialize)]
struct EndOfLifeObject {
    product: String,
    cycle: String,
    date: String,
    ended: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    extended: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct LayerObject {
    diff_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    blob: Option<String>,
    #[serde(default)]
    size: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    instruction: Option<String>,
    #[serde(default)]
    from_base: bool,
}

#[derive(Serialize, Deserialize)]
struct PackageObject {
    purl: String,
    name: String,
    version: String,
    ecosystem: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    source: Option<SourceObject>,
    licenses: Vec<String>,
    locations: Vec<LocationObject>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    relation: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    path: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    owned_by: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    from_base: bool,
    found_by: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    facts: BTreeMap<String, String>,
}

#[derive(Serialize, Deserialize)]
struct SourceObject {
    name: String,
    version: String,
}

#[derive(Serialize, Deserialize)]
struct LocationObject {
    path: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    layer: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct FindingObject {
    id: String,
    kind: String,
    rule: String,
    aliases: Vec<String>,
    severity: String,
    title: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    description: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    package: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    installed: Option<String>,
    fixed: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    location: Option<LocationObject>,
    evidence: BTreeMap<String, String>,
    references: Vec<String>,
    controls: Vec<String>,
    status: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    reason: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    weaknesses: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    score: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    known_exploited: Option<KnownExploitedObject>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    epss: Option<EpssObject>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    published: String,
}

#[derive(Serialize, Deserialize)]
struct KnownExploitedObject {
    added: String,
    due: String,
    ransomware: bool,
}

#[derive(Serialize, Deserialize)]
struct EpssObject {
    probability: f64,
    percentile: f64,
}

#[derive(Serialize, Deserialize)]
struct ProblemObject {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    message: String,
}

#[derive(Serialize, Deserialize)]
struct SummaryObject {
    packages: usize,
    findings: BTreeMap<String, usize>,
    fixable: usize,
    known_exploited: usize,
    undetermined: usize,
    suppressed: usize,
    problems: usize,
}

impl<P> Document<P> {
    fn from_report(report: &Report, packages: P) -> Self {
        let summary = report.summary();
        Self {
            schema: SCHEMA.to_owned(),
            generator: Generator {
                name: "hullward".to_owned(),
                version: report.generator_version.clone(),
                database: report.database.clone(),
            },
            created: report.created.clone(),
            target: TargetObject::from_target(&report.target),
            packages,
            findings: report
                .findings
                .iter()
                .map(|finding| FindingObject::from_finding(finding, report))
                .collect(),
            problems: report
                .problems
                .iter()
                .map(|problem| ProblemObject {
                    path: problem.path.clone(),
                    message: problem.message.clone(),
                })
                .collect(),
            summary: SummaryObject {
                packages: summary.packages,
                findings: Severity::ALL
                    .iter()
                    .zip(summary.by_severity)
                    .map(|(severity, count)| (severity.name().to_owned(), count))
                    .collect(),
                fixable: summary.fixable,
                known_exploited: summary.known_exploited,
                undetermined: summary.undetermined,
                suppressed: summary.suppressed,
                problems: summary.problems,
            },
        }
    }
}

impl Document<Vec<PackageObject>> {
    fn into_report(self) -> Result<Report, String> {
        let target = self.target.into_target()?;
        let layer_index: HashMap<String, u32> = (0_u32..)
            .zip(&target.layers)
            .map(|(index, layer)| (layer.diff_id.to_string(), index))
            .collect();
        let mut by_purl: HashMap<String, usize> = HashMap::new();
        let mut packages = Vec::with_capacity(self.packages.len());
        for object in self.packages {
            let text = object.purl.clone();
            let owned = object.owned_by.is_some();
            packages.push(object.into_package(&layer_index)?);
            // Findings speak of the package that is matched, not of the copy that an OS package owns.
            let index = packages.len() - 1;
            if owned {
                by_purl.entry(text).or_insert(index);
            } else {
                by_purl.insert(text, index);
            }
        }
        let findings = self
            .findings
            .into_iter()
            .map(|object| object.into_finding(&by_purl, &layer_index))
            .collect::<Result<_, _>>()?;
        Ok(Report {
            generator_version: self.generator.version,
            created: self.created,
            target,
            packages,
            findings,
            problems: self
                .problems
                .into_iter()
                .map(|problem| Problem {
                    path: problem.path,
                    message: problem.message,
                })
                .collect(),
            database: self.generator.database,
        })
    }
}

impl TargetObject {
    fn from_target(target: &Target) -> Self {
        Self {
            kind: target.kind.name().to_owned(),
            name: target.name.clone(),
            digest: target.digest.as_ref().map(ToString::to_string),
            image_id: target.image_id.as_ref().map(ToString::to_string),
            platform: target.platform.clone(),
            references: target.references.clone(),
            os: target.os.as_ref().map(|os| OsObject {
                id: os.id.clone(),
                version: os.version.clone(),
                id_like: os.id_like.clone(),
                pretty_name: os.pretty_name.clone(),
                codename: os.codename.clone(),
                facts: facts_object(&os.facts),
                end_of_life: target.end_of_life.as_ref().map(|end| EndOfLifeObject {
                    product: end.product.clone(),
                    cycle: end.cycle.clone(),
                    date: end.date.clone(),
                    ended: end.ended,
                    extended: end.extended.clone(),
                }),
            }),
            layers: target
                .layers
                .iter()
                .map(|layer| LayerObject {
                    diff_id: layer.diff_id.to_string(),
                    blob: layer.blob.as_ref().map(ToString::to_string),
                    size: layer.size,
                    instruction: layer.instruction.clone(),
                    from_base: layer.from_base,
                })
                .collect(),
        }
    }

    fn into_target(self) -> Result<Target, String> {
        let kinds = [
            TargetKind::Image,
            TargetKind::Rootfs,
            TargetKind::Directory,
            TargetKind::Sbom,
            TargetKind::Repository,
        ];
        let kind = kinds
            .into_iter()
            .find(|kind| kind.name() == self.kind)
            .ok_or_else(|| format!("`{}` is no kind of target", self.kind))?;
        let digest = |text: Option<String>| {
            text.map(|text| text.parse::<Digest>().map_err(|error| error.to_string()))
                .transpose()
        };
        let mut layers = Vec::with_capacity(self.layers.len());
        for layer in self.layers {
            layers.push(Layer {
                diff_id: layer
                    .diff_id
                    .parse()
                    .map_err(|error: model::ParseDigestError| error.to_string())?,
                blob: digest(layer.blob)?,
                size: layer.size,
                instruction: layer.instruction,
                from_base: layer.from_base,
            });
        }
        let end_of_life = self
            .os
            .as_ref()
            .and_then(|os| os.end_of_life.as_ref())
            .map(|end| model::EndOfLife {
                product: end.product.clone(),
                cycle: end.cycle.clone(),
                date: end.date.clone(),
                ended: end.ended,
                extended: end.extended.clone(),
            });
        Ok(Target {
            kind,
            name: self.name,
            digest: digest(self.digest)?,
            image_id: digest(self.image_id)?,
            platform: self.platform,
            references: self.references,
            os: self.os.map(|os| OsRelease {
                id: os.id,
                version: os.version,
                id_like: os.id_like,
                pretty_name: os.pretty_name,
                codename: os.codename,
                facts: os
                    .facts
                    .into_iter()
                    .map(|(key, value)| Fact { key, value })
                    .collect(),
            }),
            end_of_life,
            layers,
        })
    }
}

impl PackageObject {
    fn from_package(package: &Package, layers: &[Layer]) -> Self {
        Self {
            purl: package.purl.to_string(),
            name: package.name.clone(),
            version: package.version.clone(),
            ecosystem: package.ecosystem.clone(),
            source: package.source.as_ref().map(|source| SourceObject {
                name: source.name.clone(),
                version: source.version.clone(),
            }),
            licenses: package.licenses.clone(),
            locations: package
                .locations
                .iter()
                .map(|location| LocationObject::from_location(location, layers))
                .collect(),
            relation: package
                .relation
                .map(|relation| relation_name(relation).to_owned()),
            scope: package.scope.map(|scope| scope_name(scope).to_owned()),
            path: package.path.clone(),
            owned_by: package.owned_by.clone(),
            from_base: crate::from_base(package, layers),
            found_by: package.found_by.clone(),
            facts: facts_object(&package.facts),
        }
    }

    fn into_package(self, layers: &HashMap<String, u32>) -> Result<Package, String> {
        let purl: Purl = self
            .purl
            .parse()
            .map_err(|error| format!("`{}`: {error}", self.purl))?;
        let relations = [Relation::Root, Relation::Direct, Relation::Transitive];
        let scopes = [Scope::Runtime, Scope::Development, Scope::Optional];
        Ok(Package {
            purl,
            ecosystem: self.ecosystem,
            name: self.name,
            version: self.version,
            source: self.source.map(|source| SourcePackage {
                name: source.name,
                version: source.version,
            }),
            licenses: self.licenses,
            locations: self
                .locations
                .into_iter()
                .map(|location| location.into_location(layers))
                .collect(),
            relation: self.relation.and_then(|name| {
                relations
                    .into_iter()
                    .find(|relation| relation_name(*relation) == name)
            }),
            scope: self
                .scope
                .and_then(|name| scopes.into_iter().find(|scope| scope_name(*scope) == name)),
            path: self.path,
            owned_by: self.owned_by,
            found_by: self.found_by,
            facts: self
                .facts
                .into_iter()
                .map(|(key, value)| Fact { key, value })
                .collect(),
        })
    }
}

impl LocationObject {
    fn from_location(location: &Location, layers: &[Layer]) -> Self {
        Self {
            path: location.path.clone(),
            line: location.line,
            layer: location
                .layer
                .and_then(|index| layers.get(index as usize))
                .map(|layer| layer.diff_id.to_string()),
        }
    }

    fn into_location(self, layers: &HashMap<String, u32>) -> Location {
        Location {
            layer: self.layer.and_then(|digest| layers.get(&digest).copied()),
            path: self.path,
            line: self.line,
        }
    }
}

impl FindingObject {
    fn from_finding(finding: &Finding, report: &Report) -> Self {
        let package = report.package_of(finding);
        let location = finding
            .location
            .as_ref()
            .or_else(|| package.and_then(|package| package.locations.first()));
        Self {
            id: finding.id.clone(),
            kind: finding.kind.name().to_owned(),
            rule: finding.rule.clone(),
            aliases: finding.aliases.clone(),
            severity: finding.severity.name().to_owned(),
            title: finding.title.clone(),
            description: finding.description.clone(),
            package: package.map(|package| package.purl.to_string()),
            installed: package.map(|package| package.version.clone()),
            fixed: finding.fixed.clone(),
            location: location.map(|location| LocationObject::from_location(location, &report.target.layers)),
            evidence: finding.evidence.iter().cloned().collect(),
            references: finding.references.clone(),
            controls: finding.controls.clone(),
            status: finding.status.name().to_owned(),
            reason: finding.reason.clone(),
            weaknesses: finding.weaknesses.clone(),
            score: finding.score,
            known_exploited: finding
                .known_exploited
                .as_ref()
                .map(|known| KnownExploitedObject {
                    added: known.added.clone(),
                    due: known.due.clone(),
                    ransomware: known.ransomware,
                }),
            epss: finding.epss.map(|(probability, percentile)| EpssObject {
                probability,
                percentile,
            }),
            published: finding.published.clone(),
        }
    }

    fn into_finding(
        self,
        packages: &HashMap<String, usize>,
        layers: &HashMap<String, u32>,
    ) -> Result<Finding, String> {
        let kinds = [
            FindingKind::Vulnerability,
            FindingKind::Secret,
            FindingKind::Misconfig,
            FindingKind::Code,
            FindingKind::Malware,
            FindingKind::License,
            FindingKind::Eol,
        ];
        let statuses = [
            Status::Affected,
            Status::NotAffected,
            Status::Fixed,
            Status::UnderInvestigation,
            Status::Undetermined,
            Status::Suppressed,
        ];
        Ok(Finding {
            kind: kinds
                .into_iter()
                .find(|kind| kind.name() == self.kind)
                .ok_or_else(|| format!("`{}` is no kind of finding", self.kind))?,
            status: statuses
                .into_iter()
                .find(|status| status.name() == self.status)
                .ok_or_else(|| format!("`{}` is no status", self.status))?,
            severity: self.severity.parse()?,
            package: self.package.and_then(|purl| packages.get(&purl).copied()),
            location: self.location.map(|location| location.into_location(layers)),
            evidence: self.evidence.into_iter().collect(),
            known_exploited: self.known_exploited.map(|known| KnownExploited {
                added: known.added,
                due: known.due,
                ransomware: known.ransomware,
            }),
            epss: self.epss.map(|epss| (epss.probability, epss.percentile)),
            id: self.id,
            rule: self.rule,
            aliases: self.aliases,
            title: self.title,
            description: self.description,
            fixed: self.fixed,
            references: self.references,
            weaknesses: self.weaknesses,
            controls: self.controls,
            reason: self.reason,
            score: self.score,
            published: self.published,
        })
    }
}

/// Several facts of one key are joined, since JSON keys are unique.
fn facts_object(facts: &[Fact]) -> BTreeMap<String, String> {
    let mut object: BTreeMap<String, String> = BTreeMap::new();
    for fact in facts {
        object
            .entry(fact.key.clone())
            .and_modify(|value| {
                value.push_str(", ");
                value.push_str(&fact.value);
            })
            .or_insert_with(|| fact.value.clone());
    }
    object
}

fn relation_name(relation: Relation) -> &'static str {
    match relation {
        Relation::Root => "root",
        Relation::Direct => "direct",
        Relation::Transitive => "transitive",
    }
}

fn scope_name(scope: Scope) -> &'static str {
    match scope {
        Scope::Runtime => "runtime",
        Scope::Development => "development",
        Scope::Optional => "optional",
    }
}
