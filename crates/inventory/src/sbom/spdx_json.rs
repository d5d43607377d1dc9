//! SPDX 2.x as JSON.

use super::text::{List, Text};
use super::{Bill, Item, Role, told};
use serde::Deserialize;
use std::borrow::Cow;
use std::collections::HashSet;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    #[serde(borrow, default)]
    spdx_version: Text<'a>,
    #[serde(borrow, default)]
    packages: List<SpdxPackage<'a>>,
    #[serde(borrow, default)]
    relationships: List<Relationship<'a>>,
    #[serde(borrow, default)]
    document_describes: List<Text<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SpdxPackage<'a> {
    #[serde(borrow, default, rename = "SPDXID")]
    id: Text<'a>,
    #[serde(borrow, default)]
    name: Text<'a>,
    #[serde(borrow, default)]
    version_info: Text<'a>,
    #[serde(borrow, default)]
    license_declared: Text<'a>,
    #[serde(borrow, default)]
    license_concluded: Text<'a>,
    #[serde(borrow, default)]
    primary_package_purpose: Text<'a>,
    #[serde(borrow, default)]
    source_info: Text<'a>,
    #[serde(borrow, default)]
    external_refs: List<ExternalReference<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ExternalReference<'a> {
    #[serde(borrow, default)]
    reference_type: Text<'a>,
    #[serde(borrow, default)]
    reference_locator: Text<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Relationship<'a> {
    #[serde(borrow, default)]
    spdx_element_id: Text<'a>,
    #[serde(borrow, default)]
    related_spdx_element: Text<'a>,
    #[serde(borrow, default)]
    relationship_type: Text<'a>,
}

pub(super) fn read(bytes: &[u8]) -> Result<Bill<'_>, String> {
    let document: Document<'_> = super::text::document(bytes)?;
    let mut bill = Bill::default();
    check_version(&document.spdx_version, &mut bill);
    for package in document.packages.0 {
        let mut item = Item {
            id: package.id.0,
            name: package.name.0,
            version: package.version_info.0,
            source: built_from(&package.source_info),
            ..Item::default()
        };
        for reference in package.external_refs.0 {
            apply_reference(
                &reference.reference_type,
                reference.reference_locator.0,
                &mut item,
            );
        }
        finish(
            item,
            &package.primary_package_purpose,
            package.license_declared.0,
            package.license_concluded.0,
            &mut bill,
        );
    }
    for relationship in document.relationships.0 {
        relate(
            relationship.spdx_element_id.0,
            &relationship.relationship_type,
            relationship.related_spdx_element.0,
            &mut bill,
        );
    }
    for described in document.document_describes.0 {
        bill.roots.push(described.0);
    }
    only_one_root(&mut bill);
    Ok(bill)
}

/// Notes a version that is not known; the document is read all the same.
pub(super) fn check_version(version: &str, bill: &mut Bill<'_>) {
    if !matches!(version, "SPDX-2.0" | "SPDX-2.1" | "SPDX-2.2" | "SPDX-2.3") {
        bill.problems.push(format!(
            "version `{version}` of SPDX is not known (2.0 to 2.3 and 3.0 are); it was read as if it were 2.3"
        ));
    }
}

/// Adds the item with what its purpose and licences say.
pub(super) fn finish<'a>(
    mut item: Item<'a>,
    purpose: &str,
    declared: Cow<'a, str>,
    concluded: Cow<'a, str>,
    bill: &mut Bill<'a>,
) {
    item.role = match purpose {
        "OPERATING-SYSTEM" | "OPERATING_SYSTEM" | "operatingSystem" => Role::System,
        "FILE" | "DATA" | "file" | "data" => Role::Other,
        _ => Role::Package,
    };
    let license = if told(&concluded) { concluded } else { declared };
    if told(&license) {
        item.licenses.push(license);
    }
    if !told(&item.version) {
        item.version = Cow::Borrowed("");
    }
    bill.push(item);
}

/// Takes package URL and CPE from an external reference.
pub(super) fn apply_reference<'a>(kind: &str, locator: Cow<'a, str>, item: &mut Item<'a>) {
    let kind = kind.rsplit('/').next().unwrap_or(kind);
    match kind {
        "purl" | "packageUrl" | "packageURL" if item.purl.is_empty() => item.purl = locator,
        "cpe23Type" | "cpe22Type" | "cpe23" | "cpe22" if item.cpe.is_empty() => item.cpe = locator,
        _ => {}
    }
}

/// The source package in `built package from: openssl 3.0.2-1`.
pub(super) fn built_from(text: &str) -> Option<(String, String)> {
    let rest = text.strip_prefix("built package from:")?.trim();
    let (name, version) = rest.split_once(' ').unwrap_or((rest, ""));
    (!name.is_empty()).then(|| (name.to_owned(), version.to_owned()))
}

/// Takes a relationship that says what depends on what, or what the document is about.
pub(super) fn relate<'a>(from: Cow<'a, str>, kind: &str, to: Cow<'a, str>, bill: &mut Bill<'a>) {
    match kind {
        "DESCRIBES" => bill.roots.push(to),
        "DESCRIBED_BY" => bill.roots.push(from),
        "DEPENDS_ON" | "CONTAINS" | "HAS_PREREQUISITE" => bill.edge(from, to),
        "DEPENDENCY_OF"
        | "RUNTIME_DEPENDENCY_OF"
        | "DEV_DEPENDENCY_OF"
        | "BUILD_DEPENDENCY_OF"
        | "OPTIONAL_DEPENDENCY_OF"
        | "TEST_DEPENDENCY_OF"
        | "PROVIDED_DEPENDENCY_OF"
        | "CONTAINED_BY"
        | "PREREQUISITE_FOR" => bill.edge(to, from),
        _ => {}
    }
}

/// A document that describes many packages is a plain list of them; none of these is the project.
pub(super) fn only_one_root(bill: &mut Bill<'_>) {
    let mut seen = HashSet::new();
    bill.roots.retain(|root| seen.insert(root.clone()));
    if bill.roots.len() > 1 {
        bill.roots.clear();
    }
}
