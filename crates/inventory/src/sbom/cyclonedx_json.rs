//! CycloneDX as JSON.

use super::text::{List, Text};
use super::{Bill, Item, Role};
use model::Scope;
use serde::Deserialize;
use std::borrow::Cow;

/// Versions of the specification that are known.
pub(super) const VERSIONS: [&str; 8] = ["1.0", "1.1", "1.2", "1.3", "1.4", "1.5", "1.6", "1.7"];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    #[serde(borrow, default)]
    spec_version: Text<'a>,
    #[serde(borrow, default)]
    metadata: Metadata<'a>,
    #[serde(borrow, default)]
    components: List<Component<'a>>,
    #[serde(borrow, default)]
    dependencies: List<Dependency<'a>>,
}

#[derive(Default, Deserialize)]
struct Metadata<'a> {
    #[serde(borrow)]
    component: Option<Component<'a>>,
}

#[derive(Deserialize)]
struct Component<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Text<'a>,
    #[serde(borrow, default, rename = "bom-ref")]
    reference: Text<'a>,
    #[serde(borrow, default)]
    group: Text<'a>,
    #[serde(borrow, default)]
    name: Text<'a>,
    #[serde(borrow, default)]
    version: Text<'a>,
    #[serde(borrow, default)]
    purl: Text<'a>,
    #[serde(borrow, default)]
    cpe: Text<'a>,
    #[serde(borrow, default)]
    scope: Text<'a>,
    #[serde(borrow, default)]
    licenses: List<LicenseChoice<'a>>,
    #[serde(borrow, default)]
    properties: List<Property<'a>>,
    #[serde(borrow, default)]
    components: List<Component<'a>>,
}

#[derive(Deserialize)]
struct LicenseChoice<'a> {
    #[serde(borrow)]
    license: Option<License<'a>>,
    #[serde(borrow, default)]
    expression: Text<'a>,
}

#[derive(Deserialize)]
struct License<'a> {
    #[serde(borrow, default)]
    id: Text<'a>,
    #[serde(borrow, default)]
    name: Text<'a>,
}

#[derive(Deserialize)]
struct Property<'a> {
    #[serde(borrow, default)]
    name: Text<'a>,
    #[serde(borrow, default)]
    value: Text<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Dependency<'a> {
    #[serde(borrow, default, rename = "ref")]
    reference: Text<'a>,
    #[serde(borrow, default)]
    depends_on: List<Text<'a>>,
}

pub(super) fn read(bytes: &[u8]) -> Result<Bill<'_>, String> {
    let document: Document<'_> = super::text::document(bytes)?;
    let mut bill = Bill::default();
    check_version(&document.spec_version, &mut bill);
    if let Some(component) = document.metadata.component {
        bill.roots.push(component.reference.0.clone());
        // Without an identifier nothing can refer to it; its name still says what the document is about.
        add(component, &mut bill);
    }
    for component in document.components.0 {
        add(component, &mut bill);
    }
    for dependency in document.dependencies.0 {
        for target in dependency.depends_on.0 {
            bill.edge(dependency.reference.0.clone(), target.0);
        }
    }
    Ok(bill)
}

/// Notes a version that is not known; the document is read all the same.
pub(super) fn check_version(version: &str, bill: &mut Bill<'_>) {
    if !VERSIONS.contains(&version) {
        bill.problems.push(format!(
            "version `{version}` of CycloneDX is not known (1.0 to 1.7 are); it was read as if it were 1.7"
        ));
    }
}

/// Adds a component and those inside it. The JSON reader's own limit on depth bounds the recursion.
fn add<'a>(component: Component<'a>, bill: &mut Bill<'a>) {
    let mut item = Item {
        id: component.reference.0,
        role: role(&component.kind),
        group: component.group.0,
        name: component.name.0,
        version: component.version.0,
        purl: component.purl.0,
        cpe: component.cpe.0,
        scope: scope(&component.scope),
        ..Item::default()
    };
    for choice in component.licenses.0 {
        let license = choice.license.map(|license| {
            if license.id.is_empty() {
                license.name
            } else {
                license.id
            }
        });
        item.licenses.extend(
            [license.unwrap_or_default().0, choice.expression.0]
                .into_iter()
                .filter(|text| !text.is_empty()),
        );
    }
    let mut source = Source::default();
    for property in component.properties.0 {
        apply_property(&property.name, property.value.0, &mut item, &mut source);
    }
    item.source = source.finish();
    bill.push(item);
    for inner in component.components.0 {
        add(inner, bill);
    }
}

/// What a component's type makes of it.
pub(super) fn role(kind: &str) -> Role {
    match kind {
        "operating-system" => Role::System,
        "file" | "cryptographic-asset" | "data" => Role::Other,
        _ => Role::Package,
    }
}

pub(super) fn scope(text: &str) -> Option<Scope> {
    match text {
        "required" => Some(Scope::Runtime),
        "optional" => Some(Scope::Optional),
        "excluded" => Some(Scope::Development),
        _ => None,
    }
}

/// Parts of the source package's version, which some tools spread over properties.
#[derive(Default)]
pub(super) struct Source {
    name: String,
    epoch: String,
    version: String,
    release: String,
}

impl Source {
    pub(super) fn finish(self) -> Option<(String, String)> {
        let mut version = self.version;
        if !self.release.is_empty() && !version.is_empty() {
            version = format!("{version}-{}", self.release);
        }
        if !matches!(self.epoch.as_str(), "" | "0") {
            version = format!("{}:{version}", self.epoch);
        }
        (!self.name.is_empty()).then_some((self.name, version))
    }
}

/// Takes from a property what matching needs.
pub(super) fn apply_property<'a>(name: &str, value: Cow<'a, str>, item: &mut Item<'a>, source: &mut Source) {
    match name {
        "aquasecurity:trivy:SrcName" => source.name = value.into_owned(),
        "aquasecurity:trivy:SrcVersion" => source.version = value.into_owned(),
        "aquasecurity:trivy:SrcRelease" => source.release = value.into_owned(),
        "aquasecurity:trivy:SrcEpoch" => source.epoch = value.into_owned(),
        "syft:metadata:source" if source.name.is_empty() => source.name = value.into_owned(),
        "syft:metadata:sourceVersion" if source.version.is_empty() => source.version = value.into_owned(),
        "aquasecurity:trivy:Modularitylabel" | "syft:metadata:modularityLabel" => item.module = value,
        "syft:distro:id" => item.distribution = value,
        "syft:distro:versionID" if item.role == Role::System => item.version = value,
        "cdx:npm:package:development" if value == "true" => item.scope = Some(Scope::Development),
        _ => {}
    }
}
