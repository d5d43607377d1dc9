//! The engine under the database file: tables of bytes by key. See `docs/database-engine.md` for why it is redb.

mod pages;

use crate::DatabaseError;
use pages::{Pages, Pointer};
use redb::{Database as Engine, TableDefinition};
use std::path::Path;

/// The tables of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Table {
    /// [`crate::records::package_key`] → concatenated [`crate::records::Group`]s.
    Packages,
    /// Number (big-endian) → [`crate::records::Header`].
    Advisories,
    /// Number (big-endian) → [`crate::records::Details`].
    Details,
    /// Id or alias in lower case → numbers.
    Names,
    /// CVE → `KnownExploited`.
    KnownExploited,
    /// CVE → probability and percentile.
    Scores,
    /// Product → cycles.
    Cycles,
    /// `format`, `contents`.
    About,
}

impl Table {
    /// Every table.
    pub(crate) const ALL: [Self; 8] = [
        Self::Packages,
        Self::Advisories,
        Self::Details,
        Self::Names,
        Self::KnownExploited,
        Self::Scores,
        Self::Cycles,
        Self::About,
    ];

    fn definition(self) -> TableDefinition<'static, &'static [u8], &'static [u8]> {
        TableDefinition::new(self.name())
    }

    /// Name in the file.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Packages => "packages",
            Self::Advisories => "advisories",
            Self::Details => "details",
            Self::Names => "names",
            Self::KnownExploited => "known-exploited",
            Self::Scores => "scores",
            Self::Cycles => "cycles",
            Self::About => "about",
        }
    }
}

/// Stores a key's value in the table that is being filled.
pub(crate) type Put<'a> = dyn FnMut(&[u8], &[u8]) -> Result<(), String> + 'a;

/// Memory for pages while building, in bytes.
const WRITE_CACHE: usize = 256 << 20;

/// A file that is only read. Any number of processes may do so at once, also while another file takes its name.
pub(crate) struct Reader {
    pages: Pages,
    /// Roots of [`Table::ALL`].
    roots: Vec<Option<Pointer>>,
}

impl Reader {
    pub(crate) fn open(path: &Path) -> Result<Self, DatabaseError> {
        #[expect(
            clippy::disallowed_methods,
            reason = "the database is read page by page, and is no part of a target"
        )]
        let file = std::fs::File::open(path).map_err(|source| DatabaseError::Open {
            path: path.to_owned(),
            source,
        })?;
        let damaged = |message: String| DatabaseError::damaged(path, message);
        let (pages, tables) = Pages::open(file).map_err(damaged)?;
        let roots = Table::ALL.into_iter().map(|table| {
            pages
                .get(tables, table.name().as_bytes(), pages::table_root)
                .map_err(damaged)?
                .ok_or_else(|| damaged(format!("it has no table `{}`", table.name())))?
                .map_err(damaged)
        });
        let roots = roots.collect::<Result<_, _>>()?;
        Ok(Self { pages, roots })
    }

    fn root(&self, table: Table) -> Option<Pointer> {
        self.roots.get(table as usize).copied().flatten()
    }

    /// Gives the value of a key to `read`, without copying; `None` when there is none.
    pub(crate) fn get<T>(
        &self,
        table: Table,
        key: &[u8],
        read: impl FnOnce(&[u8]) -> Result<T, DatabaseError>,
    ) -> Result<Option<T>, DatabaseError> {
        let found = self.pages.get(self.root(table), key, read);
        found.map_err(DatabaseError::Read)?.transpose()
    }

    /// Gives every pair of a table, in the order of keys.
    pub(crate) fn all(
        &self,
        table: Table,
        each: impl FnMut(&[u8], &[u8]) -> Result<(), DatabaseError>,
    ) -> Result<(), DatabaseError> {
        self.pages.all(self.root(table), each)
    }
}

/// A file that is being built. Nothing is seen of it before [`Writer::finish`].
pub(crate) struct Writer {
    engine: Engine,
    transaction: redb::WriteTransaction,
}

impl Writer {
    pub(crate) fn create(path: &Path) -> Result<Self, String> {
        let engine = redb::Builder::new()
            .set_cache_size(WRITE_CACHE)
            .create(path)
            .map_err(|error| error.to_string())?;
        let mut transaction = engine.begin_write().map_err(|error| error.to_string())?;
        // Keeps what a read-only opening needs in the file itself.
        transaction.set_quick_repair(true);
        Ok(Self { engine, transaction })
    }

    /// Fills one table: `fill` gets a function that stores a key's value. Keys in ascending order are fastest.
    pub(crate) fn fill<E: From<String>>(
        &mut self,
        table: Table,
        fill: impl FnOnce(&mut Put<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut open = self
            .transaction
            .open_table(table.definition())
            .map_err(|error| error.to_string())?;
        fill(&mut |key, value| {
            open.insert(key, value)
                .map(|_| ())
                .map_err(|error| error.to_string())
        })
    }

    /// Commits and closes the file.
    pub(crate) fn finish(self) -> Result<(), String> {
        self.transaction.commit().map_err(|error| error.to_string())?;
        drop(self.engine);
        Ok(())
    }
}
