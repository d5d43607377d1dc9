//! The manifest of chiselled Ubuntu images: slices of Debian packages without `dpkg`'s database.

use crate::intake::{Intake, excerpt};
use crate::ownership::Files;
use crate::{Extracted, Extractor, File, Kind};
use model::{Entry, EntryKind, Location, Meta, Package, Purl};
use serde::Deserialize;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// The member.
pub(super) static CHISEL_MANIFEST: ChiselManifest = ChiselManifest;

pub(super) struct ChiselManifest;

static META: Meta = Meta {
    name: "chisel-manifest",
    title: "Packages of chiselled Ubuntu images, with their files",
    finds: &["var/lib/chisel/manifest.wall"],
    needs: &[],
    references: &["https://documentation.ubuntu.com/chisel/en/latest/reference/manifest/"],
};

/// Largest manifest that is read, in bytes, as it lies there and inflated.
const COMPRESSED_LIMIT: u64 = 16 << 20;
const LIMIT: usize = 64 << 20;

/// One line of the manifest; the fields that its kind has.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Line<'a> {
    #[serde(borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    version: Cow<'a, str>,
    #[serde(borrow)]
    arch: Cow<'a, str>,
    #[serde(borrow)]
    path: Cow<'a, str>,
    #[serde(borrow)]
    slices: Vec<Cow<'a, str>>,
}

impl Extractor for ChiselManifest {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn kind(&self) -> Kind {
        Kind::Installed
    }

    fn wants(&self, entry: &Entry<'_>) -> bool {
        entry.kind == EntryKind::File && entry.path == "var/lib/chisel/manifest.wall"
    }

    fn extract(&self, file: &mut File<'_>, out: &mut Extracted) {
        let archives = file.archives;
        let mut intake = Intake::new(file.entry.path, out);
        let bytes = file
            .content
            .bytes(COMPRESSED_LIMIT)
            .map_err(|error| error.to_string());
        match bytes.and_then(|bytes| archives.zstd(&bytes, LIMIT)) {
            Ok(text) => manifest(&text, &mut intake),
            Err(error) => intake.problem(format!("chisel's manifest was not read: {error}")),
        }
    }
}

fn manifest(text: &[u8], intake: &mut Intake<'_>) {
    let mut owned: BTreeMap<String, Files> = BTreeMap::new();
    for line in text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let line: Line<'_> = match serde_json::from_slice(line) {
            Ok(line) => line,
            Err(error) => {
                intake.problem(format!(
                    "a line of chisel's manifest is no JSON of the known form: {error}"
                ));
                continue;
            }
        };
        match &*line.kind {
            "package" => add(&line, intake),
            "path" if !line.path.ends_with('/') => {
                // `<package>_<slice>`; names of packages have no underscore. Shared files are the first one's.
                let slice = line.slices.first();
                if let Some(package) = slice.and_then(|slice| slice.split('_').next()) {
                    owned.entry(package.to_owned()).or_default().add(&line.path);
                }
            }
            _ => {}
        }
        if intake.is_full() {
            return;
        }
    }
    for (package, files) in owned {
        intake.owned(&package, files.finish());
    }
}

fn add(line: &Line<'_>, intake: &mut Intake<'_>) {
    if line.name.is_empty() || line.version.is_empty() {
        return intake.problem(format!(
            "a package of chisel's manifest (`{}`) has no name or version",
            excerpt(&format!("{}{}", line.name, line.version))
        ));
    }
    let purl = Purl::new("deb", "", &line.name, &line.version).with_qualifier("arch", &line.arch);
    let mut package = Package::new(META.name, purl, "", &*line.name, &*line.version);
    package.locations.push(Location::file(intake.path()));
    intake.package(package);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_packages_and_paths() {
        let text = br#"{"jsonwall":"1.0","schema":"1.0","count":6}
{"kind":"content","slice":"libssl3_libs","path":"/usr/lib/x86_64-linux-gnu/libssl.so.3"}
{"kind":"package","name":"libssl3","version":"3.0.2-0ubuntu1.15","sha256":"00","arch":"amd64"}
{"kind":"package","name":"no-version"}
{"kind":"path","path":"/usr/lib/","mode":"0755","slices":["libssl3_libs"]}
{"kind":"path","path":"/usr/lib/x86_64-linux-gnu/libssl.so.3","mode":"0644","slices":["libssl3_libs"],"sha256":"00","size":1}
{"kind":"slice","name":"libssl3_libs"}
not json
"#;
        let mut out = Extracted::default();
        manifest(text, &mut Intake::new("manifest.wall", &mut out));
        let packages: Vec<String> = out
            .packages
            .iter()
            .map(|package| package.purl.to_string())
            .collect();
        assert_eq!(packages, ["pkg:deb/libssl3@3.0.2-0ubuntu1.15?arch=amd64"]);
        assert_eq!(out.owned.len(), 1);
        assert_eq!(out.owned[0].package, "libssl3");
        assert_eq!(out.owned[0].paths, ["usr/lib/x86_64-linux-gnu/libssl.so.3"]);
        assert_eq!(out.problems.len(), 2);
    }
}
