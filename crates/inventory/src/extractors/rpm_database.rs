//! The database of rpm in its three forms: SQLite, NDB and Berkeley DB hash.

use crate::intake::{Intake, merge_repeats};
use crate::rpm::{self, Header};
use crate::{Extracted, Extractor, File, Found, Kind};
use model::{Entry, EntryKind, Location, Meta, path};

/// The member.
pub(super) static RPM_DATABASE: RpmDatabase = RpmDatabase;

pub(super) struct RpmDatabase;

static META: Meta = Meta {
    name: "rpm-database",
    title: "RPM packages, with their files, licences and module labels",
    finds: &[
        "var/lib/rpm/Packages (Berkeley DB)",
        "var/lib/rpm/Packages.db (NDB)",
        "var/lib/rpm/rpmdb.sqlite",
        "the same in usr/lib/sysimage/rpm and usr/share/rpm",
    ],
    needs: &[],
    references: &[
        "https://rpm-software-management.github.io/rpm/manual/",
        "https://www.sqlite.org/fileformat2.html",
    ],
};

const FOLDERS: [&str; 3] = ["var/lib/rpm", "usr/lib/sysimage/rpm", "usr/share/rpm"];
/// Changes that SQLite has not yet written into the database itself.
const WRITE_AHEAD_LOG: &str = "rpmdb.sqlite-wal";

impl Extractor for RpmDatabase {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn kind(&self) -> Kind {
        Kind::Installed
    }

    fn wants(&self, entry: &Entry<'_>) -> bool {
        let (folder, name) = path::split(entry.path);
        let known = matches!(name, "Packages" | "Packages.db" | "rpmdb.sqlite")
            || (name == WRITE_AHEAD_LOG && entry.size > 0);
        known && entry.kind == EntryKind::File && FOLDERS.contains(&folder)
    }

    fn extract(&self, file: &mut File<'_>, out: &mut Extracted) {
        let mut intake = Intake::new(file.entry.path, out);
        if file.entry.file_name() == WRITE_AHEAD_LOG {
            intake.problem(
                "the rpm database has changes in its write-ahead log, which are not read; packages may be missing",
            );
            return;
        }
        let result = rpm::headers(file.content, &mut |blob| {
            match Header::parse(blob) {
                Ok(header) => add(header, &mut intake),
                Err(error) => intake.problem(error),
            }
            !intake.is_full()
        });
        if let Err(error) = result {
            intake.problem(error);
        }
    }

    fn combine(&self, found: &mut Vec<Found>) {
        merge_repeats(found);
        found.retain(|file| !file.extracted.is_empty());
    }
}

fn add(header: Header, intake: &mut Intake<'_>) {
    // Imported signing keys are kept like packages and are none.
    if header.name == "gpg-pubkey" {
        return;
    }
    let version = header.version_release();
    let mut package = rpm::package(
        META.name,
        &header.name,
        header.epoch,
        &version,
        &header.architecture,
    );
    package.source = rpm::source_package(&header.source)
        .filter(|source| source.name != header.name || source.version != version);
    package.licenses = crate::license::expressions(&header.license);
    package.locations.push(Location::file(intake.path()));
    package.add_fact("vendor", header.vendor);
    package.add_fact("module-label", header.module_label);
    intake.package(package);
    intake.owned(&header.name, header.files);
}
