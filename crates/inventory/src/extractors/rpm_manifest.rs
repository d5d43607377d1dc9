//! The list of packages that rpm-based images without a package database carry (Azure Linux and CBL-Mariner distroless).

use crate::intake::{Intake, excerpt};
use crate::lines::Lines;
use crate::{Extracted, Extractor, File, Kind, rpm};
use model::{Entry, EntryKind, Location, Meta, path};

/// The member.
pub(super) static RPM_MANIFEST: RpmManifest = RpmManifest;

pub(super) struct RpmManifest;

static META: Meta = Meta {
    name: "rpm-manifest",
    title: "RPM packages of distroless images, from their manifest",
    finds: &["var/lib/rpmmanifest/container-manifest-2"],
    needs: &[],
    references: &["https://github.com/microsoft/azurelinux"],
};

impl Extractor for RpmManifest {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn kind(&self) -> Kind {
        Kind::Installed
    }

    fn wants(&self, entry: &Entry<'_>) -> bool {
        entry.kind == EntryKind::File && entry.path == "var/lib/rpmmanifest/container-manifest-2"
    }

    fn extract(&self, file: &mut File<'_>, out: &mut Extracted) {
        let mut intake = Intake::new(file.entry.path, out);
        let result = Lines::new(file.content).map_err(|error| error.to_string());
        let result = result.and_then(|mut lines| {
            while let Some(line) = lines.next().map_err(|error| error.to_string())? {
                if !line.trim_ascii().is_empty() {
                    row(&path::from_bytes(line), &mut intake);
                }
                if intake.is_full() {
                    break;
                }
            }
            Ok(())
        });
        if let Err(error) = result {
            intake.problem(format!("the rpm manifest was not read: {error}"));
        }
    }
}

/// One line: name, version-release, install time, build time, vendor, epoch, size, architecture, epoch number, source.
fn row(line: &str, intake: &mut Intake<'_>) {
    let fields: Vec<&str> = line.split('\t').map(str::trim).collect();
    let [name, version, _, _, vendor, epoch, _, architecture, rest @ ..] = fields.as_slice() else {
        intake.problem(format!(
            "a line of the rpm manifest has {} of 10 fields: `{}`",
            fields.len(),
            excerpt(line)
        ));
        return;
    };
    let present = |text: &&str| !text.is_empty() && *text != "(none)";
    if !present(name) || !present(version) {
        intake.problem(format!(
            "a line of the rpm manifest has no name or version: `{}`",
            excerpt(line)
        ));
        return;
    }
    let epoch = if *epoch == "(none)" { "0" } else { epoch };
    let Ok(epoch) = epoch.parse() else {
        intake.problem(format!(
            "the epoch of `{}` in the rpm manifest is no number",
            excerpt(name)
        ));
        return;
    };
    let mut package = rpm::package(META.name, name, epoch, version, architecture);
    package.source = rest
        .get(1)
        .and_then(|source| rpm::source_package(source))
        .filter(|source| source.name != *name || source.version != *version);
    package.locations.push(Location::file(intake.path()));
    package.add_fact("vendor", if present(vendor) { *vendor } else { "" });
    intake.package(package);
}
