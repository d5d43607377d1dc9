//! Feeds for tests: a folder of real data, or documents in memory.
#![allow(clippy::disallowed_methods, reason = "tests read their own files")]
#![allow(clippy::unwrap_used, reason = "a failing test should panic")]
#![allow(dead_code, reason = "each test binary uses a part")]

use advisory::build::DocumentVisitor;
use advisory::{BuildError, BuildOptions, BuildSummary, Database, FeedFiles};
use model::{Fact, OsRelease, Package, Purl, SourcePackage};

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
