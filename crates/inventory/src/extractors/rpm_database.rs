//! The database of rpm in its three forms: SQLite, NDB and Berkeley DB hash.

use crate::intake::{Intake, merge_repeats};
use crate::rpm::{self, Header};
use crate::{Extracted, Extractor, File, Found, Kind};
use model::{Entry, EntryKind, Location, Meta, path};
use std::collections::HashMap;

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
        "var/lib/dnf/history.sqlite, usr/lib/sysimage/libdnf5/transaction_history.sqlite (repositories)",
    ],
    needs: &[],
    references: &[
        "https://rpm-software-management.github.io/rpm/manual/",
        "https://www.sqlite.org/fileformat2.html",
    ],
};

const FOLDERS: [&str; 3] = ["var/lib/rpm", "usr/lib/sysimage/rpm", "usr/share/rpm"];
/// Where dnf 4 and dnf 5 keep their history.
const HISTORIES: [&str; 2] = [
    "var/lib/dnf/history.sqlite",
    "usr/lib/sysimage/libdnf5/transaction_history.sqlite",
];
/// Fact of a package, and kind of the notes by `name version architecture` that tell it.
const REPOSITORY: &str = "repository";
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
        let known = (known && FOLDERS.contains(&folder)) || HISTORIES.contains(&entry.path);
        known && entry.kind == EntryKind::File
    }

    fn extract(&self, file: &mut File<'_>, out: &mut Extracted) {
        let mut intake = Intake::new(file.entry.path, out);
        if file.entry.file_name() == WRITE_AHEAD_LOG {
            intake.problem(
                "the rpm database has changes in its write-ahead log, which are not read; packages may be missing",
            );
            return;
        }
        if HISTORIES.contains(&file.entry.path) {
            match rpm::repositories(file.content) {
                Ok(repositories) => {
                    for (package, repository) in repositories {
                        intake.note(REPOSITORY, &package, repository);
                    }
                }
                Err(error) => intake.problem(format!("the history of dnf was not read: {error}")),
            }
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
        let mut repositories = HashMap::new();
        for note in found.iter_mut().flat_map(|file| file.extracted.notes.drain(..)) {
            repositories.insert(note.key, note.value);
        }
        if !repositories.is_empty() {
            for package in found.iter_mut().flat_map(|file| &mut file.extracted.packages) {
                let architecture = package.purl.qualifier("arch").unwrap_or_default();
                let key = format!("{} {} {architecture}", package.name, package.version);
                if let Some(repository) = repositories.get(&key) {
                    package.add_fact(REPOSITORY, repository.as_str());
                }
            }
        }
        found.retain(|file| !file.extracted.is_empty());
    }
}

fn add(header: Header, intake: &mut Intake<'_>) {
    // Imported signing keys are kept like packages and are none.
    if header.name == "gpg-pubkey" {
        return;
    }
    let mut package = rpm::package_of_header(META.name, &header);
    package.locations.push(Location::file(intake.path()));
    intake.package(package);
    intake.owned(&header.name, header.files);
}
