//! Alpine's `apk` database of installed packages, also used by Wolfi, Chainguard and others.

use crate::{Extracted, Extractor, File, Kind, Owned};
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

/// Largest database that is read, in bytes; real ones have a few MiB.
const LIMIT: u64 = 256 << 20;

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
        let location = file.entry.path;
        let bytes = match file.content.bytes(LIMIT) {
            Ok(bytes) => bytes,
            Err(error) => return out.problem(location, format!("the apk database was not read: {error}")),
        };
        let mut record = Record::default();
        for line in bytes.split(|byte| *byte == b'\n') {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if line.is_empty() {
                std::mem::take(&mut record).finish(location, out);
                continue;
            }
            if let [key, b':', value @ ..] = line {
                record.field(*key, &path::from_bytes(value));
            }
        }
        record.finish(location, out);
    }
}

#[derive(Default)]
struct Record {
    name: String,
    version: String,
    origin: String,
    architecture: String,
    license: String,
    folder: String,
    files: Vec<String>,
}

impl Record {
    fn field(&mut self, key: u8, value: &str) {
        match key {
            b'P' => value.clone_into(&mut self.name),
            b'V' => value.clone_into(&mut self.version),
            b'o' => value.clone_into(&mut self.origin),
            b'A' => value.clone_into(&mut self.architecture),
            b'L' => value.clone_into(&mut self.license),
            b'F' => value.clone_into(&mut self.folder),
            b'R' => self.files.push(path::join(&self.folder, value)),
            _ => {}
        }
    }

    fn finish(self, location: &str, out: &mut Extracted) {
        if self.name.is_empty() && self.version.is_empty() {
            return;
        }
        if self.name.is_empty() || self.version.is_empty() {
            let what = if self.name.is_empty() { "name" } else { "version" };
            let which = format!("{}{}", self.name, self.version);
            return out.problem(
                location,
                format!("a record of the apk database (`{which}`) has no {what}"),
            );
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
        package.locations.push(Location::file(location));
        out.packages.push(package);
        if !self.files.is_empty() {
            out.owned.push(Owned {
                package: self.name,
                paths: self.files,
            });
        }
    }
}
