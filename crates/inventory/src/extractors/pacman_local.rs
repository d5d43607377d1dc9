//! Arch's `pacman`: one folder a package, with its description and its files.

use crate::intake::{Intake, excerpt};
use crate::lines::Lines;
use crate::ownership::Files;
use crate::{Extracted, Extractor, File, Kind, license};
use model::{Content, Entry, EntryKind, Location, Meta, Package, Purl, SourcePackage, path};

/// The member.
pub(super) static PACMAN_LOCAL: PacmanLocal = PacmanLocal;

pub(super) struct PacmanLocal;

static META: Meta = Meta {
    name: "pacman-local",
    title: "Arch Linux packages, with their files and licences",
    finds: &["var/lib/pacman/local/*/desc", "var/lib/pacman/local/*/files"],
    needs: &[],
    references: &["https://man.archlinux.org/man/alpm-db-desc.5"],
};

/// Most licences of one package.
const MOST_LICENSES: usize = 100;

impl Extractor for PacmanLocal {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn kind(&self) -> Kind {
        Kind::Installed
    }

    fn wants(&self, entry: &Entry<'_>) -> bool {
        entry.kind == EntryKind::File && parts(entry.path).is_some()
    }

    fn extract(&self, file: &mut File<'_>, out: &mut Extracted) {
        let mut intake = Intake::new(file.entry.path, out);
        let result = match parts(file.entry.path) {
            Some((_, "desc")) => description(file.content, &mut intake),
            Some((folder, _)) => owned(file.content, package_of(folder), &mut intake),
            None => Ok(()),
        };
        if let Err(error) = result {
            intake.problem(format!("the pacman file was not read: {error}"));
        }
    }
}

/// Folder of the package and name of the file.
fn parts(path: &str) -> Option<(&str, &str)> {
    let (folder, name) = path.strip_prefix("var/lib/pacman/local/")?.split_once('/')?;
    matches!(name, "desc" | "files").then_some((folder, name))
}

/// `bash` of the folder `bash-5.2.026-2`.
fn package_of(folder: &str) -> &str {
    folder.rsplitn(3, '-').nth(2).unwrap_or(folder)
}

/// Calls `each` with the section and text of every line that is no heading.
fn sections(content: &mut dyn Content, mut each: impl FnMut(&str, &str)) -> Result<(), String> {
    let mut lines = Lines::new(content).map_err(|error| error.to_string())?;
    let mut section = String::new();
    while let Some(line) = lines.next().map_err(|error| error.to_string())? {
        match line {
            [] => section.clear(),
            [b'%', name @ .., b'%'] => section = path::from_bytes(name).into_owned(),
            value => each(&section, &path::from_bytes(value)),
        }
    }
    Ok(())
}

fn description(content: &mut dyn Content, intake: &mut Intake<'_>) -> Result<(), String> {
    let [mut name, mut version, mut base, mut architecture] = [const { String::new() }; 4];
    let mut licenses = Vec::new();
    sections(content, |section, value| match section {
        "NAME" => value.clone_into(&mut name),
        "VERSION" => value.clone_into(&mut version),
        "BASE" => value.clone_into(&mut base),
        "ARCH" => value.clone_into(&mut architecture),
        "LICENSE" if licenses.len() < MOST_LICENSES => licenses.push(value.to_owned()),
        _ => {}
    })?;
    if name.is_empty() || version.is_empty() {
        intake.problem(format!(
            "the pacman description of `{}` has no name or version",
            excerpt(&format!("{name}{version}"))
        ));
        return Ok(());
    }
    let purl = Purl::new("alpm", "", &name, &version).with_qualifier("arch", &architecture);
    let mut package = Package::new(META.name, purl, "", &*name, &*version);
    if !base.is_empty() && base != name {
        package.source = Some(SourcePackage { name: base, version });
    }
    package.licenses = license::all_of(&licenses);
    package.locations.push(Location::file(intake.path()));
    intake.package(package);
    Ok(())
}

fn owned(content: &mut dyn Content, package: &str, intake: &mut Intake<'_>) -> Result<(), String> {
    let mut files = Files::default();
    sections(content, |section, value| {
        // Folders end in a slash.
        if section == "FILES" && !value.ends_with('/') {
            files.add(value);
        }
    })?;
    intake.owned(package, files.finish());
    Ok(())
}
