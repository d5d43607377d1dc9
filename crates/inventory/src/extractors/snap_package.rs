//! Installed snaps, by the description inside each.

use crate::intake::Intake;
use crate::{Extracted, Extractor, File, Kind, license};
use model::{Entry, EntryKind, Location, Meta, Package, Purl};
use serde::Deserialize;

/// The member.
pub(super) static SNAP_PACKAGE: SnapPackage = SnapPackage;

pub(super) struct SnapPackage;

static META: Meta = Meta {
    name: "snap-package",
    title: "Snaps",
    finds: &["snap/*/*/meta/snap.yaml, also below var/lib/snapd"],
    needs: &[],
    references: &["https://snapcraft.io/docs/snap-format"],
};

/// Largest description that is read, in bytes.
const LIMIT: u64 = 1 << 20;

#[derive(Deserialize)]
struct Description {
    #[serde(default)]
    name: String,
    #[serde(default)]
    version: String,
    #[serde(default)]
    architectures: Vec<String>,
    #[serde(default)]
    license: String,
    #[serde(default, rename = "type")]
    kind: String,
}

impl Extractor for SnapPackage {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn kind(&self) -> Kind {
        Kind::Installed
    }

    fn wants(&self, entry: &Entry<'_>) -> bool {
        entry.kind == EntryKind::File && is_description(entry.path)
    }

    fn extract(&self, file: &mut File<'_>, out: &mut Extracted) {
        let mut intake = Intake::new(file.entry.path, out);
        let bytes = match file.content.bytes(LIMIT) {
            Ok(bytes) => bytes,
            Err(error) => return intake.problem(format!("the snap's description was not read: {error}")),
        };
        let description: Description = match serde_saphyr::from_slice(&bytes) {
            Ok(description) => description,
            Err(error) => {
                let error = error.to_string();
                let first = error.lines().next().unwrap_or_default();
                return intake.problem(format!(
                    "the snap's description is no YAML of the known form: {first}"
                ));
            }
        };
        if description.name.is_empty() || description.version.is_empty() {
            return intake.problem("the snap's description has no name or version");
        }
        let architecture = match description.architectures.as_slice() {
            [one] => one.as_str(),
            _ => "",
        };
        let purl = Purl::new("snap", "", &description.name, &description.version)
            .with_qualifier("arch", architecture);
        let mut package = Package::new(META.name, purl, "", description.name, description.version);
        package.licenses = license::expressions(&description.license);
        package.locations.push(Location::file(intake.path()));
        package.add_fact("type", description.kind);
        intake.package(package);
    }
}

/// `snap/<name>/<revision>/meta/snap.yaml`
fn is_description(path: &str) -> bool {
    let path = path.strip_prefix("var/lib/snapd/").unwrap_or(path);
    let mut parts = path.split('/');
    parts.next() == Some("snap")
        && parts.next().is_some()
        && parts.next().is_some()
        && parts.eq(["meta", "snap.yaml"])
}
