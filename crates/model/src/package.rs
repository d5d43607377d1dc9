//! Installed and declared packages.

use crate::{LayerIndex, Purl};
use serde::{Deserialize, Serialize};

/// One more thing that a member knows of a package and that no other member does; rather than fields per ecosystem.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Fact {
    /// Kebab-case key, e.g. `module-label`, `sha1`, `git-commit`.
    pub key: String,
    /// Value as text.
    pub value: String,
}

impl Fact {
    /// A fact from key and value.
    #[must_use]
    pub fn new(key: impl Into<String>, value: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            value: value.into(),
        }
    }
}

/// Where something was seen.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Location {
    /// Path inside the target; parts inside archives are joined by `!/`, as in `app.war!/WEB-INF/lib/x.jar`.
    pub path: String,
    /// Layer that brought the file; `None` for targets without layers.
    pub layer: Option<LayerIndex>,
    /// Line, from 1.
    pub line: Option<u32>,
}

impl Location {
    /// A whole file.
    #[must_use]
    pub fn file(path: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            layer: None,
            line: None,
        }
    }

    /// A line (from 1) of a file.
    #[must_use]
    pub fn line(path: impl Into<String>, line: u32) -> Self {
        Self {
            path: path.into(),
            layer: None,
            line: Some(line),
        }
    }
}

/// The package a binary package was built from; distributions key their advisories by it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SourcePackage {
    /// Name, e.g. `openssl` for Debian's `libssl3`.
    pub name: String,
    /// Version of the source, which may differ from the binary's.
    pub version: String,
}

/// How a package came to be wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Relation {
    /// The scanned project itself.
    Root,
    /// Named by the project.
    Direct,
    /// Wanted by another package.
    Transitive,
}

/// When a package is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Scope {
    /// When the program runs.
    Runtime,
    /// Only for building or testing.
    Development,
    /// Only if an optional feature is chosen.
    Optional,
}

/// A package, library or program of a target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Package {
    /// Package URL. Extractors leave out an operating system's namespace and `distro` qualifier; `scan` adds them.
    pub purl: Purl,
    /// OSV's ecosystem name (`npm`, `PyPI`, `crates.io`, `Debian:12`). Extractors of OS packages leave it empty; `scan`
    /// fills it in from the operating system's identity. Empty also for what no advisory feed covers.
    pub ecosystem: String,
    /// Name as its ecosystem writes it: `@scope/name`, `group:artifact`, module path.
    pub name: String,
    /// Version as its ecosystem writes it (for rpm and dpkg with the epoch unless it is 0); empty if unknown.
    pub version: String,
    /// Source package, for distributions; `None` when it equals the package itself or is unknown.
    pub source: Option<SourcePackage>,
    /// Licences as SPDX expressions, or `LicenseRef-…` for what SPDX has no name for.
    pub licenses: Vec<String>,
    /// Files it was seen in, first the one that proves it.
    pub locations: Vec<Location>,
    /// How it came to be wanted, when the format tells.
    pub relation: Option<Relation>,
    /// When it is used, when the format tells.
    pub scope: Option<Scope>,
    /// One chain of `name@version` from the project down to (not including) this package, when the format tells.
    pub path: Vec<String>,
    /// Name of the OS package whose files these are: such a package is listed but not matched a second time.
    pub owned_by: Option<String>,
    /// Name of the extractor that found it.
    pub found_by: String,
    /// What else is known.
    pub facts: Vec<Fact>,
}

impl Package {
    /// A package with just its identity; the rest is empty.
    #[must_use]
    pub fn new(
        found_by: &str,
        purl: Purl,
        ecosystem: &str,
        name: impl Into<String>,
        version: impl Into<String>,
    ) -> Self {
        Self {
            purl,
            ecosystem: ecosystem.to_owned(),
            name: name.into(),
            version: version.into(),
            source: None,
            licenses: Vec::new(),
            locations: Vec::new(),
            relation: None,
            scope: None,
            path: Vec::new(),
            owned_by: None,
            found_by: found_by.to_owned(),
            facts: Vec::new(),
        }
    }

    /// Value of a fact.
    #[must_use]
    pub fn fact(&self, key: &str) -> Option<&str> {
        self.facts
            .iter()
            .find(|fact| fact.key == key)
            .map(|fact| fact.value.as_str())
    }

    /// Adds a fact unless the value is empty.
    pub fn add_fact(&mut self, key: &str, value: impl Into<String>) {
        let value = value.into();
        if !value.is_empty() {
            self.facts.push(Fact::new(key, value));
        }
    }
}
