//! SPDX 3.x as JSON-LD.

use super::spdx_json::{apply_reference, built_from, finish, only_one_root};
use super::text::{List, Text};
use super::{Bill, Item, told};
use serde::Deserialize;
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

#[derive(Deserialize)]
struct Document<'a> {
    #[serde(borrow, default, rename = "@graph")]
    graph: List<Element<'a>>,
}

/// Any element: one list holds packages, relationships, licences and the document itself.
#[derive(Deserialize)]
struct Element<'a> {
    #[serde(borrow, default, rename = "type", alias = "@type")]
    kind: Text<'a>,
    #[serde(borrow, default, rename = "spdxId", alias = "@id")]
    id: Text<'a>,
    #[serde(borrow, default)]
    name: Text<'a>,
    #[serde(borrow, default, rename = "software_packageVersion")]
    version: Text<'a>,
    #[serde(borrow, default, rename = "software_packageUrl")]
    purl: Text<'a>,
    #[serde(borrow, default, rename = "software_primaryPurpose")]
    purpose: Text<'a>,
    #[serde(borrow, default, rename = "software_sourceInfo")]
    source: Text<'a>,
    #[serde(borrow, default, rename = "externalIdentifier")]
    identifiers: List<Identifier<'a>>,
    #[serde(borrow, default, rename = "simplelicensing_licenseExpression")]
    license: Text<'a>,
    #[serde(borrow, default)]
    from: Text<'a>,
    #[serde(borrow, default)]
    to: List<Text<'a>>,
    #[serde(borrow, default, rename = "relationshipType")]
    relationship: Text<'a>,
    #[serde(borrow, default, rename = "rootElement")]
    roots: List<Text<'a>>,
    #[serde(borrow, default, rename = "specVersion")]
    specification: Text<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Identifier<'a> {
    #[serde(borrow, default)]
    external_identifier_type: Text<'a>,
    #[serde(borrow, default)]
    identifier: Text<'a>,
}

pub(super) fn read(bytes: &[u8]) -> Result<Bill<'_>, String> {
    let mut document: Document<'_> = super::text::document(bytes)?;
    if document.graph.0.is_empty() {
        // A document of one element may have it beside its context.
        let element: Element<'_> = super::text::document(bytes)?;
        document.graph.0.push(element);
    }
    let mut bill = Bill::default();
    let mut packages: Vec<(Item<'_>, Text<'_>)> = Vec::new();
    let mut expressions: HashMap<Cow<'_, str>, Cow<'_, str>> = HashMap::new();
    let mut declared: HashMap<Cow<'_, str>, Cow<'_, str>> = HashMap::new();
    let mut concluded: HashMap<Cow<'_, str>, Cow<'_, str>> = HashMap::new();
    let mut document_roots = Vec::new();
    let mut sbom_roots = Vec::new();
    for element in document.graph.0 {
        match element.kind.rsplit(['/', ':']).next().unwrap_or_default() {
            "software_Package" => {
                let mut item = Item {
                    id: element.id.0,
                    name: element.name.0,
                    version: element.version.0,
                    purl: element.purl.0,
                    source: built_from(&element.source),
                    ..Item::default()
                };
                for identifier in element.identifiers.0 {
                    apply_reference(
                        &identifier.external_identifier_type,
                        identifier.identifier.0,
                        &mut item,
                    );
                }
                packages.push((item, element.purpose));
            }
            "CreationInfo" => {
                let version = element.specification;
                let known = version.is_empty() || version.starts_with("3.0");
                if !known && bill.problems.is_empty() {
                    bill.problems.push(format!(
                        "version `{}` of SPDX is not known (2.0 to 2.3 and 3.0 are); it was read as if it were 3.0",
                        &*version
                    ));
                }
            }
            "SpdxDocument" => document_roots.extend(element.roots.0),
            "software_Sbom" | "Bom" => sbom_roots.extend(element.roots.0),
            "simplelicensing_LicenseExpression" => {
                expressions.insert(element.id.0, element.license.0);
            }
            "Relationship" | "LifecycleScopedRelationship" => {
                for to in element.to.0 {
                    let from = element.from.0.clone();
                    match &*element.relationship {
                        "dependsOn" | "contains" | "hasDynamicLink" | "hasStaticLink" | "hasPrerequisite" => {
                            bill.edge(from, to.0);
                        }
                        "describes" => document_roots.push(to),
                        "hasDeclaredLicense" => {
                            declared.insert(from, to.0);
                        }
                        "hasConcludedLicense" => {
                            concluded.insert(from, to.0);
                        }
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    for (item, purpose) in packages {
        let license = [&concluded, &declared]
            .iter()
            .filter_map(|licenses| expressions.get(licenses.get(&item.id)?))
            .find(|license| told(license))
            .cloned()
            .unwrap_or_default();
        finish(item, &purpose, license, Cow::Borrowed(""), &mut bill);
    }
    // The document's own root is often the list of packages, whose root is the project.
    let known: HashSet<&str> = bill.items.iter().map(|item| &*item.id).collect();
    let roots = document_roots
        .into_iter()
        .chain(sbom_roots)
        .map(|root| root.0)
        .filter(|root| known.contains(&**root))
        .collect();
    bill.roots = roots;
    only_one_root(&mut bill);
    Ok(bill)
}
