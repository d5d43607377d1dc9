//! Bottlerocket's list of the software it is built of.

use crate::intake::{Intake, excerpt};
use crate::{Extracted, Extractor, File, Kind, rpm};
use model::{Entry, EntryKind, Location, Meta};
use serde::Deserialize;

/// The member.
pub(super) static BOTTLEROCKET_INVENTORY: BottlerocketInventory = BottlerocketInventory;

pub(super) struct BottlerocketInventory;

static META: Meta = Meta {
    name: "bottlerocket-inventory",
    title: "Software of Bottlerocket, from its application inventory",
    finds: &["usr/share/bottlerocket/application-inventory.json"],
    needs: &[],
    references: &["https://bottlerocket.dev/"],
};

/// Largest inventory that is read, in bytes; real ones have some 100 KiB.
const LIMIT: u64 = 16 << 20;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Inventory {
    content: Vec<Application>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Application {
    name: String,
    publisher: String,
    version: String,
    release: String,
    epoch: String,
    architecture: String,
}

impl Extractor for BottlerocketInventory {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn kind(&self) -> Kind {
        Kind::Installed
    }

    fn wants(&self, entry: &Entry<'_>) -> bool {
        entry.kind == EntryKind::File && entry.path == "usr/share/bottlerocket/application-inventory.json"
    }

    fn extract(&self, file: &mut File<'_>, out: &mut Extracted) {
        let mut intake = Intake::new(file.entry.path, out);
        let bytes = match file.content.bytes(LIMIT) {
            Ok(bytes) => bytes,
            Err(error) => {
                return intake.problem(format!("Bottlerocket's inventory was not read: {error}"));
            }
        };
        let inventory: Inventory = match serde_json::from_slice(&bytes) {
            Ok(inventory) => inventory,
            Err(error) => {
                return intake.problem(format!(
                    "Bottlerocket's inventory is no JSON of the known form: {error}"
                ));
            }
        };
        for application in inventory.content {
            add(&application, &mut intake);
        }
    }
}

fn add(application: &Application, intake: &mut Intake<'_>) {
    let Application {
        name,
        version,
        release,
        ..
    } = application;
    if name.is_empty() || version.is_empty() {
        return intake.problem(format!(
            "an entry of Bottlerocket's inventory (`{}`) has no name or version",
            excerpt(&format!("{name}{version}"))
        ));
    }
    let version = if release.is_empty() {
        version.clone()
    } else {
        format!("{version}-{release}")
    };
    let epoch = if application.epoch.is_empty() {
        "0"
    } else {
        &application.epoch
    };
    let Ok(epoch) = epoch.parse() else {
        return intake.problem(format!(
            "the epoch of `{}` in Bottlerocket's inventory is no number",
            excerpt(name)
        ));
    };
    let mut package = rpm::package(META.name, name, epoch, &version, &application.architecture);
    package.locations.push(Location::file(intake.path()));
    package.add_fact("vendor", application.publisher.as_str());
    intake.package(package);
}
