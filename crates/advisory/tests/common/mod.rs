//! Feeds for tests: a folder of real data, or documents in memory.
#![allow(clippy::disallowed_methods, reason = "tests read their own files")]
#![allow(clippy::unwrap_used, reason = "a failing test should panic")]
#![allow(dead_code, reason = "each test binary uses a part")]

use advisory::build::DocumentVisitor;
use advisory::feeds::{Wanted, wanted};
use advisory::{BuildError, BuildOptions, BuildSummary, Database, FeedFiles};
use model::{Fact, OsRelease, Package, Purl, SourcePackage};
use std::path::PathBuf;

/// Documents in memory, in order. A document whose bytes are `None` cannot be read.
#[derive(Default)]
pub(crate) struct Documents(pub(crate) Vec<(String, Option<Vec<u8>>)>);

impl Documents {
    pub(crate) fn with(mut self, path: &str, text: &str) -> Self {
        self.0.push((path.to_owned(), Some(text.as_bytes().to_vec())));
        self
    }
}

impl FeedFiles for Documents {
    fn documents(&mut self, each: &mut DocumentVisitor<'_>) -> Result<(), BuildError> {
        for (path, bytes) in &self.0 {
            match bytes {
                Some(bytes) => each(path, bytes)?,
                None => {
                    return Err(BuildError::Feed {
                        path: path.clone(),
                        message: "the file ends too early".to_owned(),
                    });
                }
            }
        }
        Ok(())
    }
}

/// Builds a database in a temporary folder.
pub(crate) fn built(feeds: &mut dyn FeedFiles) -> (tempfile::TempDir, Database, BuildSummary) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("advisories.db");
    let summary = advisory::build(feeds, &path, &options(), &mut |_| {}).unwrap();
    let database = Database::open(&path).unwrap();
    (folder, database, summary)
}

pub(crate) fn options() -> BuildOptions {
    BuildOptions {
        created: "2026-11-20T00:00:00Z".to_owned(),
        memory: 64 << 20,
    }
}

/// A package of a language's ecosystem.
pub(crate) fn package(ecosystem: &str, name: &str, version: &str) -> Package {
    Package::new(
        "test",
        Purl::new("generic", "", name, version),
        ecosystem,
        name,
        version,
    )
}

/// A distribution's binary package, its source as `name version` where it differs.
pub(crate) fn os_package(
    kind: &str,
    ecosystem: &str,
    name: &str,
    version: &str,
    source: Option<(&str, &str)>,
) -> Package {
    let mut package = Package::new(
        "test",
        Purl::new(kind, "", name, version),
        ecosystem,
        name,
        version,
    );
    package.source = source.map(|(name, version)| SourcePackage {
        name: name.to_owned(),
        version: version.to_owned(),
    });
    package
}

pub(crate) fn with_fact(mut package: Package, key: &str, value: &str) -> Package {
    package.facts.push(Fact::new(key, value));
    package
}

pub(crate) fn os(id: &str, version: &str) -> OsRelease {
    OsRelease {
        id: id.to_owned(),
        version: version.to_owned(),
        ..OsRelease::default()
    }
}

/// The folder of real data in the layout of OSV's bucket, with the other feeds beside it.
pub(crate) struct RealData(pub(crate) PathBuf);

impl FeedFiles for RealData {
    fn documents(&mut self, each: &mut DocumentVisitor<'_>) -> Result<(), BuildError> {
        let mut ecosystems: Vec<PathBuf> = std::fs::read_dir(self.0.join("osv"))
            .unwrap()
            .map(|entry| entry.unwrap().path().join("all.zip"))
            .filter(|path| path.is_file())
            .collect();
        ecosystems.sort();
        for path in ecosystems {
            let ecosystem = path
                .parent()
                .unwrap()
                .file_name()
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned();
            assert_eq!(wanted(&format!("{ecosystem}/all.zip")), Wanted::Archive);
            for (name, bytes) in members(&std::fs::read(&path).unwrap()) {
                each(&format!("{ecosystem}/all.zip!/{name}"), &bytes)?;
            }
        }
        for path in ["kev/known_exploited_vulnerabilities.json", "eol/endoflife.json"] {
            assert_eq!(wanted(path), Wanted::Document);
            each(path, &std::fs::read(self.0.join(path)).unwrap())?;
        }
        Ok(())
    }
}

/// Members of a plain zip archive; enough for the trusted archives of the test data.
fn members(archive: &[u8]) -> Vec<(String, Vec<u8>)> {
    let number = |at: usize, length: usize| {
        archive[at..at + length]
            .iter()
            .rev()
            .fold(0_usize, |sum, byte| sum << 8 | usize::from(*byte))
    };
    let end = archive
        .windows(4)
        .rposition(|window| window == b"PK\x05\x06")
        .unwrap();
    let mut at = number(end + 16, 4);
    let mut members = Vec::new();
    for _ in 0..number(end + 10, 2) {
        let (method, packed, size, name) = (
            number(at + 10, 2),
            number(at + 20, 4),
            number(at + 24, 4),
            number(at + 28, 2),
        );
        let local = number(at + 42, 4);
        let start = local + 30 + number(local + 26, 2) + number(local + 28, 2);
        let text = String::from_utf8(archive[at + 46..at + 46 + name].to_vec()).unwrap();
        let data = &archive[start..start + packed];
        let bytes = match method {
            0 => data.to_vec(),
            8 => {
                let mut bytes = Vec::with_capacity(size);
                let mut inflate = flate2::Decompress::new(false);
                inflate
                    .decompress_vec(data, &mut bytes, flate2::FlushDecompress::Finish)
                    .unwrap();
                bytes
            }
            other => panic!("method {other}"),
        };
        assert_eq!(bytes.len(), size, "{text}");
        members.push((text, bytes));
        at += 46 + name + number(at + 30, 2) + number(at + 32, 2);
    }
    members
}
