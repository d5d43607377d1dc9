//! The database file, read only.

use crate::records::{Contents, Cycle, Details, Entry, FORMAT, Group, Header, package_key};
use crate::store::{Reader, Table};
use crate::{ecosystem, names};
use model::{Advisory, EndOfLife, KnownExploited, OsRelease};
use serde::de::DeserializeOwned;
use std::path::{Path, PathBuf};

/// Why the database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// There is no such file, or it may not be opened.
    #[error(
        "could not open the advisory database {path}: {source}; run `hullward db update` to get one, or name one with --db"
    )]
    Open {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is no database or is damaged.
    #[error(
        "the advisory database {path} is damaged or is no Hullward database: {message}; run `hullward db update` to replace it"
    )]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// The file was made by another version of Hullward.
    #[error(
        "the advisory database {path} has format {found}, this program reads {expected}; run `hullward db update` to replace it"
    )]
    Format {
        /// Which file.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The format that can be read.
        expected: u32,
    },
    /// A part of the file could not be read.
    #[error("a part of the advisory database could not be read: {0}; run `hullward db update` to replace it")]
    Read(String),
}

impl DatabaseError {
    /// Of a file that is no database or is damaged.
    pub(crate) fn damaged(path: &Path, message: String) -> Self {
        Self::Damaged {
            path: path.to_owned(),
            message,
        }
    }
}

/// Damage that reading pages found.
impl From<String> for DatabaseError {
    fn from(message: String) -> Self {
        Self::Read(message)
    }
}

impl From<postcard::Error> for DatabaseError {
    fn from(error: postcard::Error) -> Self {
        Self::Read(error.to_string())
    }
}

/// What a database file is and holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatabaseStatus {
    /// Where it is.
    pub path: PathBuf,
    /// Format version.
    pub format: u32,
    /// Size in bytes.
    pub size: u64,
    /// What is in it and how old it is.
    pub contents: Contents,
}

/// Receives a pair: table, key and value.
pub type PairVisitor<'a> = dyn FnMut(&str, &[u8], &[u8]) -> Result<(), DatabaseError> + 'a;

/// A read-only handle. Any number of processes may hold one on the same file, also while a new file replaces it.
pub struct Database {
    reader: Reader,
    path: PathBuf,
    contents: Contents,
}

impl Database {
    /// Opens a database file.
    ///
    /// # Errors
    /// When there is none, it is damaged, or of another format.
    pub fn open(path: &Path) -> Result<Self, DatabaseError> {
        let reader = Reader::open(path)?;
        let format = reader
            .get(Table::About, b"format", |value| {
                Ok(value.try_into().map_or(0, u32::from_be_bytes))
            })?
            .ok_or_else(|| DatabaseError::damaged(path, "it has no format version".to_owned()))?;
        if format != FORMAT {
            return Err(DatabaseError::Format {
                path: path.to_owned(),
                found: format,
                expected: FORMAT,
            });
        }
        let contents = decoded(&reader, Table::About, b"contents")?
            .ok_or_else(|| DatabaseError::damaged(path, "it has no table of contents".to_owned()))?;
        Ok(Self {
            reader,
            path: path.to_owned(),
            contents,
        })
    }

    /// Age, size and contents.
    ///
    /// # Errors
    /// When the file's size cannot be had.
    pub fn status(&self) -> Result<DatabaseStatus, DatabaseError> {
        let metadata = std::fs::metadata(&self.path).map_err(|source| DatabaseError::Open {
            path: self.path.clone(),
            source,
        })?;
        Ok(DatabaseStatus {
            path: self.path.clone(),
            format: FORMAT,
            size: metadata.len(),
            contents: self.contents.clone(),
        })
    }

    /// RFC 3339 time of the newest record; empty if no record tells one.
    #[must_use]
    pub fn newest(&self) -> &str {
        &self.contents.newest
    }

    /// RFC 3339 time when the file was built.
    #[must_use]
    pub fn built(&self) -> &str {
        &self.contents.built
    }

    /// True when some record speaks of an ecosystem (without release).
    pub(crate) fn knows(&self, ecosystem: &str) -> bool {
        self.contents.ecosystems.iter().any(|(name, _)| name == ecosystem)
    }

    /// The records that bear this id, in any letter case, or name it as an alias or as the flaw that they answer; the one
    /// whose id it is comes first. Withdrawn records are among them. At most 50 affected entries of each are given.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn advisories(&self, id_or_alias: &str) -> Result<Vec<Advisory>, DatabaseError> {
        let mut found = Vec::new();
        for number in self.numbers(id_or_alias)? {
            let Some(header) = self.header(number)? else {
                continue;
            };
            found.push(header.into_advisory(self.details(number)?.unwrap_or_default()));
        }
        found.sort_by(|a, b| {
            let other = |advisory: &Advisory| !advisory.id.eq_ignore_ascii_case(id_or_alias);
            (other(a), &a.id).cmp(&(other(b), &b.id))
        });
        Ok(found)
    }

    /// CISA's entry on a CVE.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn known_exploited(&self, cve: &str) -> Result<Option<KnownExploited>, DatabaseError> {
        if self.contents.known_exploited == 0 {
            return Ok(None);
        }
        decoded(&self.reader, Table::KnownExploited, cve.as_bytes())
    }

    /// EPSS probability and percentile of a CVE, both 0 to 1.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn epss(&self, cve: &str) -> Result<Option<(f64, f64)>, DatabaseError> {
        if self.contents.scores == 0 {
            return Ok(None);
        }
        decoded(&self.reader, Table::Scores, cve.as_bytes())
    }

    /// Support state of an operating system's release on the day `today` (ISO date); `None` when the data does not know it.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn end_of_life(&self, os: &OsRelease, today: &str) -> Result<Option<EndOfLife>, DatabaseError> {
        match ecosystem::product(os) {
            Some((product, version)) => self.support(product, &version, &os.codename, today),
            None => Ok(None),
        }
    }

    /// Support state of a release of a product of endoflife.date (`nodejs`, `18.19.0`) on a day.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn support(
        &self,
        product: &str,
        version: &str,
        codename: &str,
        today: &str,
    ) -> Result<Option<EndOfLife>, DatabaseError> {
        let cycles: Vec<Cycle> =
            decoded(&self.reader, Table::Cycles, product.as_bytes())?.unwrap_or_default();
        let cycle = cycles
            .iter()
            .filter(|cycle| !version.is_empty() && is_cycle_of(&cycle.cycle, version))
            .max_by_key(|cycle| cycle.cycle.len())
            .or_else(|| {
                cycles.iter().find(|cycle| {
                    version.is_empty()
                        && !codename.is_empty()
                        && cycle.codename.to_ascii_lowercase().split(' ').next() == Some(codename)
                })
            });
        Ok(cycle.map(|cycle| EndOfLife {
            product: product.to_owned(),
            cycle: cycle.cycle.clone(),
            date: cycle.date.clone(),
            ended: cycle.ended || (!cycle.date.is_empty() && cycle.date.as_str() < today),
            extended: cycle.extended.clone(),
        }))
    }

    /// Gives every pair of the file with the name of its table, for measurements of engines (`bench/engines`).
    ///
    /// # Errors
    /// When the file cannot be read, and what `each` returns.
    pub fn pairs(&self, each: &mut PairVisitor<'_>) -> Result<(), DatabaseError> {
        for table in Table::ALL {
            self.reader
                .all(table, |key, value| each(table.name(), key, value))?;
        }
        Ok(())
    }

    /// Numbers of the records that bear or name an id.
    pub(crate) fn numbers(&self, name: &str) -> Result<Vec<u32>, DatabaseError> {
        Ok(decoded(&self.reader, Table::Names, name.to_ascii_lowercase().as_bytes())?.unwrap_or_default())
    }

    pub(crate) fn header(&self, number: u32) -> Result<Option<Header>, DatabaseError> {
        decoded(&self.reader, Table::Advisories, &number.to_be_bytes())
    }

    pub(crate) fn details(&self, number: u32) -> Result<Option<Details>, DatabaseError> {
        decoded(&self.reader, Table::Details, &number.to_be_bytes())
    }

    /// Calls `each` with the release and the entries of a package's groups that `wants` likes. One read of the file.
    pub(crate) fn entries(
        &self,
        base: &str,
        name: &str,
        key: &mut String,
        wants: &mut dyn FnMut(&str) -> bool,
        each: &mut dyn FnMut(&str, Entry),
    ) -> Result<(), DatabaseError> {
        package_key(base, &names::normalise(base, name), key);
        self.reader.get(Table::Packages, key.as_bytes(), |mut value| {
            while !value.is_empty() {
                let (group, rest): (Group<'_>, &[u8]) = postcard::take_from_bytes(value)?;
                value = rest;
                if !wants(group.release) {
                    continue;
                }
                let mut entries = group.entries;
                for _ in 0..group.count {
                    let (entry, rest): (Entry, &[u8]) = postcard::take_from_bytes(entries)?;
                    entries = rest;
                    each(group.release, entry);
                }
            }
            Ok(())
        })?;
        Ok(())
    }
}

fn decoded<T: DeserializeOwned>(
    reader: &Reader,
    table: Table,
    key: &[u8],
) -> Result<Option<T>, DatabaseError> {
    reader.get(table, key, |value| Ok(postcard::from_bytes(value)?))
}

/// True when `version` is `cycle` or lies in it: `3.18` holds `3.18.9`.
fn is_cycle_of(cycle: &str, version: &str) -> bool {
    version
        .strip_prefix(cycle)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(|next: char| !next.is_ascii_alphanumeric()))
}
