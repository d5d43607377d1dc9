//! SPDX 2.3 in JSON.

use crate::{Format, Options, wording};
use model::{FindingKind, Meta, Package, Relation, Report, Status, TargetKind};
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::{self, Write};

/// The member.
pub(super) static SPDX_JSON: SpdxJson = SpdxJson;

pub(super) struct SpdxJson;

static META: Meta = Meta {
    name: "spdx-json",
    title: "SPDX 2.3 in JSON",
    finds: &["packages with licences and package URLs, relationships; known flaws as security references"],
    needs: &[],
    references: &["https://spdx.github.io/spdx-spec/v2.3/"],
};

const DOCUMENT: &str = "SPDXRef-DOCUMENT";
const TARGET: &str = "SPDXRef-Target";
const NOTHING_SAID: &str = "NOASSERTION";

impl Format for SpdxJson {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn extension(&self) -> &'static str {
        "spdx.json"
    }

    fn carries_inventory(&self) -> bool {
        true
    }

    fn write(&self, report: &Report, options: &Options, out: &mut dyn Write) -> io::Result<()> {
        crate::write_json(&document(report, options.inventory_only), out)
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    spdx_version: &'static str,
    data_license: &'static str,
    #[serde(rename = "SPDXID")]
    spdx_id: &'static str,
    name: String,
    document_namespace: String,
    creation_info: CreationInfo,
    document_describes: [&'static str; 1],
    packages: Vec<PackageObject>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    has_extracted_licensing_infos: Vec<ExtractedLicense>,
    relationships: Vec<Relationship>,
}

#[derive(Serialize)]
struct CreationInfo {
    created: String,
    creators: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PackageObject {
    #[serde(rename = "SPDXID")]
    spdx_id: String,
    name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    version_info: String,
    supplier: &'static str,
    download_location: &'static str,
    files_analyzed: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    checksums: Vec<Checksum>,
    #[serde(skip_serializing_if = "String::is_empty")]
    source_info: String,
    license_concluded: &'static str,
    license_declared: String,
    copyright_text: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    external_refs: Vec<ExternalReference>,
    primary_package_purpose: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Checksum {
    algorithm: &'static str,
    checksum_value: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ExternalReference {
    reference_category: &'static str,
    reference_type: &'static str,
    reference_locator: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    comment: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ExtractedLicense {
    license_id: String,
    extracted_text: String,
    name: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Relationship {
    spdx_element_id: String,
    relationship_type: &'static str,
    related_spdx_element: String,
}

fn document(report: &Report, inventory_only: bool) -> Document {
    let ids: Vec<String> = (1..=report.packages.len())
        .map(|number| format!("SPDXRef-Package-{number}"))
        .collect();
    let mut relationships = vec![Relationship {
        spdx_element_id: DOCUMENT.to_owned(),
        relationship_type: "DESCRIBES",
        related_spdx_element: TARGET.to_owned(),
    }];
    let mut packages = vec![target(report)];
    let parents = wording::parents(report);
    for ((package, id), parent) in report.packages.iter().zip(&ids).zip(parents) {
        relationships.push(Relationship {
            spdx_element_id: TARGET.to_owned(),
            relationship_type: "CONTAINS",
            related_spdx_element: id.clone(),
        });
        if let Some(parent) = parent.and_then(|parent| ids.get(parent)) {
            relationships.push(Relationship {
                spdx_element_id: parent.clone(),
                relationship_type: "DEPENDS_ON",
                related_spdx_element: id.clone(),
            });
        }
        packages.push(package_object(package, id));
    }
    if !inventory_only {
        for finding in report.findings.iter().filter(|finding| {
            finding.kind == FindingKind::Vulnerability && finding.status == Status::Affected
        }) {
            let Some(object) = finding.package.and_then(|index| packages.get_mut(index + 1)) else {
                continue;
            };
            let locator = finding
                .references
                .iter()
                .find(|url| wording::is_plain_url(url))
                .cloned()
                .unwrap_or_else(|| format!("https://osv.dev/vulnerability/{}", finding.rule));
            object.external_refs.push(ExternalReference {
                reference_category: "SECURITY",
                reference_type: "advisory",
                reference_locator: locator,
                comment: format!("{} ({})", finding.rule, finding.severity),
            });
        }
    }
    let unique = wording::uuid(&format!(
        "{}\n{}\n{}",
        report.target.name,
        report.created,
        report.packages.len()
    ));
    Document {
        spdx_version: "SPDX-2.3",
        data_license: "CC0-1.0",
        spdx_id: DOCUMENT,
        name: report.target.name.clone(),
        document_namespace: format!("urn:uuid:{unique}"),
        creation_info: CreationInfo {
            created: report.created.clone(),
            creators: vec![format!("Tool: hullward-{}", report.generator_version)],
        },
        document_describes: [TARGET],
        has_extracted_licensing_infos: extracted_licenses(&report.packages),
        packages,
        relationships,
    }
}

fn target(report: &Report) -> PackageObject {
    let target = &report.target;
    PackageObject {
        spdx_id: TARGET.to_owned(),
        name: target.name.clone(),
        version_info: target
            .digest
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
        supplier: NOTHING_SAID,
        download_location: NOTHING_SAID,
        files_analyzed: false,
        checksums: Vec::new(),
        source_info: String::new(),
        license_concluded: NOTHING_SAID,
        license_declared: NOTHING_SAID.to_owned(),
        copyright_text: NOTHING_SAID,
        external_refs: Vec::new(),
        primary_package_purpose: match target.kind {
            TargetKind::Image => "CONTAINER",
            TargetKind::Rootfs => "OPERATING-SYSTEM",
            TargetKind::Directory | TargetKind::Sbom | TargetKind::Repository => "SOURCE",
        },
    }
}

fn package_object(package: &Package, id: &str) -> PackageObject {
    let mut external_refs = vec![ExternalReference {
        reference_category: "PACKAGE-MANAGER",
        reference_type: "purl",
        reference_locator: package.purl.to_string(),
        comment: String::new(),
    }];
    if let Some(cpe) = package.fact("cpe").filter(|cpe| cpe.starts_with("cpe:2.3:")) {
        external_refs.push(ExternalReference {
            reference_category: "SECURITY",
            reference_type: "cpe23Type",
            reference_locator: cpe.to_owned(),
            comment: String::new(),
        });
    }
    let mut source_info = Vec::new();
    if let Some(source) = &package.source {
        source_info.push(format!("built from {} {}", source.name, source.version));
    }
    if let Some(location) = package.locations.first() {
        source_info.push(format!("found in {}", location.path));
    }
    PackageObject {
        spdx_id: id.to_owned(),
        name: package.name.clone(),
        version_info: package.version.clone(),
        supplier: NOTHING_SAID,
        download_location: NOTHING_SAID,
        files_analyzed: false,
        checksums: package
            .fact("sha1")
            .filter(|digest| digest.len() == 40 && digest.bytes().all(|byte| byte.is_ascii_hexdigit()))
            .map(|digest| Checksum {
                algorithm: "SHA1",
                checksum_value: digest.to_ascii_lowercase(),
            })
            .into_iter()
            .collect(),
        source_info: source_info.join("; "),
        license_concluded: NOTHING_SAID,
        license_declared: wording::expression(&package.licenses).unwrap_or_else(|| NOTHING_SAID.to_owned()),
        copyright_text: NOTHING_SAID,
        external_refs,
        primary_package_purpose: if package.relation == Some(Relation::Root) {
            "APPLICATION"
        } else {
            "LIBRARY"
        },
    }
}

/// SPDX wants each `LicenseRef-` explained; all that is known is what the package said.
fn extracted_licenses(packages: &[Package]) -> Vec<ExtractedLicense> {
    let mut known: BTreeMap<String, String> = BTreeMap::new();
    for package in packages {
        for license in &package.licenses {
            for word in license
                .split([' ', '(', ')'])
                .filter(|word| word.starts_with("LicenseRef-"))
            {
                known
                    .entry(word.to_owned())
                    .or_insert_with(|| package.name.clone());
            }
        }
    }
    known
        .into_iter()
        .map(|(license_id, package)| ExtractedLicense {
            extracted_text: format!(
                "The licence statement of the package {package}, which is on no SPDX list."
            ),
            name: license_id.trim_start_matches("LicenseRef-").replace('-', " "),
            license_id,
        })
        .collect()
}
