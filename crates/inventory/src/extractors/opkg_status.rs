//! `opkg`, the package manager of OpenWrt and Yocto.

use crate::control;
use crate::intake::{Intake, excerpt};
use crate::{Extracted, Extractor, File, Found, Kind, license, ownership};
use model::{Content, Entry, EntryKind, Location, Meta, Package, Purl, SourcePackage, path};
use std::collections::HashMap;

/// The member.
pub(super) static OPKG_STATUS: OpkgStatus = OpkgStatus;

pub(super) struct OpkgStatus;

static META: Meta = Meta {
    name: "opkg-status",
    title: "OpenWrt and Yocto packages, with their files and licences",
    finds: &[
        "usr/lib/opkg/status, var/lib/opkg/status, opt/lib/opkg/status",
        "info/*.list and info/*.control beside them",
    ],
    needs: &[],
    references: &["https://openwrt.org/docs/guide-user/additional-software/opkg"],
};

const FOLDERS: [&str; 3] = ["usr/lib/opkg/", "var/lib/opkg/", "opt/lib/opkg/"];
const FIELDS: &[&str] = &["Package", "Status", "Version", "Architecture"];
const CONTROL_FIELDS: &[&str] = &["Package", "License", "Source", "SourceName"];

/// Kinds of the notes of a control file, by package.
const LICENSE: &str = "license";
const SOURCE: &str = "source";

enum Role<'a> {
    Status,
    List(&'a str),
    Control,
}

fn role(path: &str) -> Option<Role<'_>> {
    let name = FOLDERS.iter().find_map(|folder| path.strip_prefix(folder))?;
    if name == "status" {
        return Some(Role::Status);
    }
    let name = name.strip_prefix("info/").filter(|name| !name.contains('/'))?;
    if name.ends_with(".control") {
        return Some(Role::Control);
    }
    name.strip_suffix(".list").map(Role::List)
}

impl Extractor for OpkgStatus {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn kind(&self) -> Kind {
        Kind::Installed
    }

    fn wants(&self, entry: &Entry<'_>) -> bool {
        entry.kind == EntryKind::File && role(entry.path).is_some()
    }

    fn extract(&self, file: &mut File<'_>, out: &mut Extracted) {
        let mut intake = Intake::new(file.entry.path, out);
        let result = match role(file.entry.path) {
            Some(Role::Status) => status(file.content, &mut intake),
            Some(Role::Control) => control_file(file.content, &mut intake),
            // Lines are a path, or a path, a tab and its mode.
            Some(Role::List(package)) => {
                ownership::read_list(file.content, |line| line.split('\t').next().unwrap_or_default())
                    .map(|files| intake.owned(package, files))
            }
            None => Ok(()),
        };
        if let Err(error) = result {
            intake.problem(format!("the opkg file was not read: {error}"));
        }
    }

    fn combine(&self, found: &mut Vec<Found>) {
        let mut notes = HashMap::new();
        for file in found.iter_mut() {
            for note in file.extracted.notes.drain(..) {
                notes.insert((note.kind, note.key), note.value);
            }
        }
        for package in found.iter_mut().flat_map(|file| &mut file.extracted.packages) {
            let get = |kind: &str| notes.get(&(kind.to_owned(), package.name.clone()));
            if let Some(license) = get(LICENSE) {
                package.licenses = license::expressions(license);
            }
            if let Some(source) = get(SOURCE).filter(|source| **source != package.name) {
                package.source = Some(SourcePackage {
                    name: source.clone(),
                    version: package.version.clone(),
                });
            }
        }
        found.retain(|file| !file.extracted.is_empty());
    }
}

fn status(content: &mut dyn Content, intake: &mut Intake<'_>) -> Result<(), String> {
    control::stanzas(content, FIELDS, |stanza| {
        let (name, version) = (stanza.get("Package"), stanza.get("Version"));
        let state = stanza.get("Status").split_ascii_whitespace().nth(2);
        if !matches!(state, Some("installed" | "unpacked" | "half-installed")) {
            return true;
        }
        if name.is_empty() || version.is_empty() {
            intake.problem(format!(
                "a record of the opkg status (`{}`) has no name or version",
                excerpt(&format!("{name}{version}"))
            ));
            return true;
        }
        let purl = Purl::new("opkg", "", name, version).with_qualifier("arch", stanza.get("Architecture"));
        let mut package = Package::new(META.name, purl, "", name, version);
        package.locations.push(Location::file(intake.path()));
        intake.package(package);
        !intake.is_full()
    })
}

fn control_file(content: &mut dyn Content, intake: &mut Intake<'_>) -> Result<(), String> {
    control::stanzas(content, CONTROL_FIELDS, |stanza| {
        let name = stanza.get("Package");
        if !name.is_empty() {
            // OpenWrt's `Source` is a folder (`package/libs/openssl`), Yocto's a recipe (`openssl_3.0.bb`).
            let source = match (stanza.get("SourceName"), stanza.get("Source")) {
                ("", source) => path::file_name(source).split('_').next().unwrap_or_default(),
                (source, _) => source,
            };
            for (kind, value) in [(LICENSE, stanza.get("License")), (SOURCE, source)] {
                if !value.is_empty() {
                    intake.note(kind, name, value);
                }
            }
        }
        false
    })
}
