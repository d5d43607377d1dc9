//! Alpine's `apk` database of installed packages, also used by Wolfi, Chainguard and others.

use crate::intake::{Intake, excerpt, merge_repeats};
use crate::lines::Lines;
use crate::ownership::{Files, LONGEST_PATH};
use crate::{Extracted, Extractor, File, Found, Kind};
use model::{Entry, EntryKind, Location, Meta, Package, Purl, SourcePackage, path};

/// The member.
pub(super) static APK_INSTALLED: ApkInstalled = ApkInstalled;

pub(super) struct ApkInstalled;

static META: Meta = Meta {
    name: "apk-installed",
    title: "Alpine packages, with their files and licences",
    finds: &["lib/apk/db/installed", "usr/lib/apk/db/installed"],
    needs: &[],
    references: &["https://wiki.alpinelinux.org/wiki/Apk_spec"],
};

impl Extractor for ApkInstalled {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn kind(&self) -> Kind {
        Kind::Installed
    }

    fn wants(&self, entry: &Entry<'_>) -> bool {
        entry.kind == EntryKind::File
            && matches!(entry.path, "lib/apk/db/installed" | "usr/lib/apk/db/installed")
    }

    fn extract(&self, file: &mut File<'_>, out: &mut Extracted) {
        let mut intake = Intake::new(file.entry.path, out);
        let mut record = Record::default();
        let result = Lines::new(file.content).map_err(|error| error.to_string());
        let result = result.and_then(|mut lines| {
            while let Some(line) = lines.next().map_err(|error| error.to_string())? {
                match line {
                    [] => std::mem::take(&mut record).finish(&mut intake),
                    [key, b':', value @ ..] => {
                        // `C:` opens every record: databases that were put together by hand lack blank lines.
                        let opens = *key == b'C' || (*key == b'P' && !record.name.is_empty());
                        if opens && !record.name.is_empty() {
                            std::mem::take(&mut record).finish(&mut intake);
                        }
                        record.field(*key, &path::from_bytes(value));
                    }
                    _ => {}
                }
                if intake.is_full() {
                    return Ok(());
                }
            }
            Ok(())
        });
        record.finish(&mut intake);
        if let Err(error) = result {
            intake.problem(format!("the apk database was not read: {error}"));
        }
    }

    fn combine(&self, found: &mut Vec<Found>) {
        merge_repeats(found);
        found.retain(|file| !file.extracted.is_empty());
    }
}

#[derive(Default)]
struct Record {
    name: String,
    version: String,
    origin: String,
    architecture: String,
    license: String,
    commit: String,
    folder: String,
    files: Files,
}

impl Record {
    fn field(&mut self, key: u8, value: &str) {
        match key {
            b'P' => value.clone_into(&mut self.name),
            b'V' => value.clone_into(&mut self.version),
            b'o' => value.clone_into(&mut self.origin),
            b'A' => value.clone_into(&mut self.architecture),
            b'L' => value.clone_into(&mut self.license),
            b'c' => value.clone_into(&mut self.commit),
            b'F' => value.clone_into(&mut self.folder),
            b'R' if self.folder.len() + value.len() < LONGEST_PATH => {
                self.files.add(&path::join(&self.folder, value));
            }
            _ => {}
        }
    }

    fn finish(self, intake: &mut Intake<'_>) {
        if self.name.is_empty() && self.version.is_empty() {
            return;
        }
        if self.name.is_empty() || self.version.is_empty() {
            let what = if self.name.is_empty() { "name" } else { "version" };
            let which = format!("{}{}", self.name, self.version);
            return intake.problem(format!(
                "a record of the apk database (`{}`) has no {what}",
                excerpt(&which)
            ));
        }
        let purl = Purl::new("apk", "", &self.name, &self.version).with_qualifier("arch", &self.architecture);
        let mut package = Package::new(META.name, purl, "", &*self.name, &*self.version);
        if !self.origin.is_empty() && self.origin != self.name {
            package.source = Some(SourcePackage {
                name: self.origin,
                version: self.version,
            });
        }
        package.licenses = crate::license::expressions(&self.license);
        package.locations.push(Location::file(intake.path()));
        package.add_fact("git-commit", self.commit);
        intake.package(package);
        intake.owned(&self.name, self.files.finish());
    }
}
