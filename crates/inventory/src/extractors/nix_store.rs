//! The Nix store: names and versions stand in its folder names, and in Nix's own database where an image has it.

use crate::intake::Intake;
use crate::sqlite::{Database, Value};
use crate::{Extracted, Extractor, File, Found, Kind};
use model::{Entry, EntryKind, Location, Meta, Package, Purl, path};
use std::collections::HashSet;

/// The member.
pub(super) static NIX_STORE: NixStore = NixStore;

pub(super) struct NixStore;

static META: Meta = Meta {
    name: "nix-store",
    title: "Nix packages",
    finds: &[
        "nix/var/nix/db/db.sqlite",
        "nix/store/<hash>-<name>-<version>/**, by executables and small files up to two folders deep",
    ],
    needs: &[],
    references: &["https://nix.dev/manual/nix/stable/store/store-path.html"],
};

const DATABASE: &str = "nix/var/nix/db/db.sqlite";
const STORE: &str = "nix/store/";
/// Length of the hash that begins a store path, in characters of Nix's base 32.
const HASH_LENGTH: usize = 32;
/// Files below a store path are claimed only to learn that it exists, so only those that cost nothing to hold: programs,
/// which others read anyway, and small ones.
const SMALL: u64 = 16 << 10;
/// How many folders below the store path; more only repeats what is known.
const DEPTH: usize = 2;
/// Outputs of a package beside its main one, which stand behind the version.
const OUTPUTS: &[&str] = &[
    "bin", "data", "debug", "dev", "devdoc", "dist", "doc", "info", "lib", "man", "out", "static",
];

impl Extractor for NixStore {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn kind(&self) -> Kind {
        Kind::Installed
    }

    fn wants(&self, entry: &Entry<'_>) -> bool {
        if entry.kind != EntryKind::File {
            return false;
        }
        if entry.path == DATABASE {
            return true;
        }
        let Some((folder, rest)) = entry
            .path
            .strip_prefix(STORE)
            .and_then(|path| path.split_once('/'))
        else {
            return false;
        };
        let shallow = rest.split('/').nth(DEPTH).is_none();
        shallow && (entry.size <= SMALL || entry.is_executable()) && package_of(folder).is_some()
    }

    fn extract(&self, file: &mut File<'_>, out: &mut Extracted) {
        let path = file.entry.path;
        let mut intake = Intake::new(path, out);
        if path == DATABASE {
            let result = Database::open(file.content).and_then(|mut database| {
                // The first column is the row's number.
                database.rows("ValidPaths", |_, row| {
                    let store_path = row.get(1).and_then(Value::bytes).map(path::from_bytes);
                    if let Some(folder) = store_path
                        .as_deref()
                        .and_then(|path| path.strip_prefix("/nix/store/"))
                    {
                        add(folder, &mut intake);
                    }
                    !intake.is_full()
                })
            });
            if let Err(error) = result {
                intake.problem(error);
            }
            return;
        }
        let folder = path.strip_prefix(STORE).and_then(|path| path.split('/').next());
        add(folder.unwrap_or_default(), &mut intake);
    }

    /// Leaves each store path once.
    fn combine(&self, found: &mut Vec<Found>) {
        let mut seen = HashSet::new();
        // Files of the store first: they are there, the database only says so.
        for in_store in [true, false] {
            for file in found
                .iter_mut()
                .filter(|file| file.path.starts_with(STORE) == in_store)
            {
                file.extracted.packages.retain(|package| {
                    let hash = package.purl.qualifier("outputhash").unwrap_or_default();
                    seen.insert(format!("{hash}-{}", package.name))
                });
            }
        }
        found.retain(|file| !file.extracted.is_empty());
    }
}

/// Parts of a store path's name.
struct StorePath<'a> {
    hash: &'a str,
    name: &'a str,
    version: &'a str,
    output: &'a str,
}

/// What `<hash>-<name>-<version>[-<output>]` names; `None` for what has no version (scripts, sources, build recipes).
fn package_of(folder: &str) -> Option<StorePath<'_>> {
    let (hash, rest) = folder.split_at_checked(HASH_LENGTH)?;
    let rest = rest.strip_prefix('-')?;
    let valid = hash.bytes().all(|byte| {
        byte.is_ascii_digit() || (byte.is_ascii_lowercase() && !matches!(byte, b'e' | b'o' | b'u' | b't'))
    });
    if !valid || rest.ends_with(".drv") || rest.ends_with(".patch") || rest.contains(".tar.") {
        return None;
    }
    // The version begins at the first hyphen before a digit.
    let at = rest.match_indices('-').map(|(at, _)| at).find(|at| {
        let next = rest.as_bytes().get(at + 1);
        next.is_some_and(u8::is_ascii_digit)
    })?;
    let (name, version) = (rest.get(..at)?, rest.get(at + 1..)?);
    let (version, output) = match version.rsplit_once('-') {
        Some((version, output)) if OUTPUTS.contains(&output) => (version, output),
        _ => (version, ""),
    };
    (!name.is_empty()).then_some(StorePath {
        hash,
        name,
        version,
        output,
    })
}

fn add(folder: &str, intake: &mut Intake<'_>) {
    let Some(StorePath {
        hash,
        name,
        version,
        output,
    }) = package_of(folder)
    else {
        return;
    };
    let purl = Purl::new("nix", "", name, version)
        .with_qualifier("output", output)
        .with_qualifier("outputhash", hash);
    let mut package = Package::new(META.name, purl, "", name, version);
    package.locations.push(Location::file(intake.path()));
    intake.package(package);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn store_paths() {
        const HASH: &str = "0c0ssqgafc1d7gq2hkyi4ym4pi9w3q4x";
        for (rest, expected) in [
            ("glibc-2.38-44", Some(("glibc", "2.38-44", ""))),
            ("openssl-3.0.13-bin", Some(("openssl", "3.0.13", "bin"))),
            ("gcc-13.2.0-lib", Some(("gcc", "13.2.0", "lib"))),
            (
                "python3.11-requests-2.31.0",
                Some(("python3.11-requests", "2.31.0", "")),
            ),
            ("bash-5.2.drv", None),
            ("source", None),
            ("zlib-1.3.tar.gz", None),
        ] {
            let folder = format!("{HASH}-{rest}");
            let found = package_of(&folder).map(|path| (path.name, path.version, path.output));
            assert_eq!(found, expected, "{rest}");
        }
        assert!(package_of("not-a-hash-1.0").is_none());
        assert!(package_of("").is_none());
    }
}
