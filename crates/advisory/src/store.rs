//! The engine under the database file: tables of bytes by key. See `docs/database-engine.md` for why it is redb.

use crate::DatabaseError;
use redb::{Database as Engine, ReadOnlyDatabase, ReadableDatabase, TableDefinition, TableError};
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

/// Memory for pages while reading, in bytes. The operating system keeps the file's pages anyway.
const READ_CACHE: usize = 16 << 20;
/// Memory for pages while building, in bytes.
const WRITE_CACHE: usize = 256 << 20;

type ReadTable = redb::ReadOnlyTable<&'static [u8], &'static [u8]>;

/// A file that is only read. Any number of processes may do so at once.
pub(crate) struct Reader {
    tables: Vec<ReadTable>,
}

/// Runs a call of the engine. On a damaged page it may panic rather than return an error; nothing of ours is half-changed
/// by that, since everything is read only, so it is an error like any other.
fn guarded<T>(call: impl FnOnce() -> Result<T, DatabaseError>) -> Result<T, DatabaseError> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(call))
        .unwrap_or_else(|_| Err(DatabaseError::Read("a page of the file is damaged".to_owned())))
}

impl Reader {
    pub(crate) fn open(path: &Path) -> Result<Self, DatabaseError> {
        guarded(|| Self::open_engine(path)).map_err(|error| match error {
            DatabaseError::Read(message) => DatabaseError::damaged(path, message),
            other => other,
        })
    }

    fn open_engine(path: &Path) -> Result<Self, DatabaseError> {
        let damaged = |message: String| DatabaseError::damaged(path, message);
        let engine: ReadOnlyDatabase = redb::Builder::new()
            .set_cache_size(READ_CACHE)
            .open_read_only(path)
            .map_err(|error| match error {
                redb::DatabaseError::Storage(redb::StorageError::Io(source))
                    if matches!(
                        source.kind(),
                        std::io::ErrorKind::NotFound | std::io::ErrorKind::PermissionDenied
                    ) =>
                {
                    DatabaseError::Open {
                        path: path.to_owned(),
                        source,
                    }
                }
                redb::DatabaseError::DatabaseAlreadyOpen => {
                    damaged("another process is writing it".to_owned())
                }
                other => damaged(other.to_string()),
            })?;
        let transaction = engine.begin_read().map_err(|error| damaged(error.to_string()))?;
        let mut tables = Vec::with_capacity(Table::ALL.len());
        for table in Table::ALL {
            tables.push(
                transaction
                    .open_table(table.definition())
                    .map_err(|error: TableError| damaged(error.to_string()))?,
            );
        }
        Ok(Self { tables })
    }

    /// Gives the value of a key to `read`, without copying; `None` when there is none.
    pub(crate) fn get<T>(
        &self,
        table: Table,
        key: &[u8],
        read: impl FnOnce(&[u8]) -> Result<T, DatabaseError>,
    ) -> Result<Option<T>, DatabaseError> {
        guarded(|| match self.tables[table as usize].get(key) {
            Ok(None) => Ok(None),
            Ok(Some(value)) => read(value.value()).map(Some),
            Err(error) => Err(DatabaseError::Read(error.to_string())),
        })
    }

    /// Gives every pair of a table, in the order of keys.
    pub(crate) fn all(
        &self,
        table: Table,
        mut each: impl FnMut(&[u8], &[u8]) -> Result<(), DatabaseError>,
    ) -> Result<(), DatabaseError> {
        use redb::ReadableTable;
        let read_error = |error: redb::StorageError| DatabaseError::Read(error.to_string());
        guarded(|| {
            for pair in self.tables[table as usize].iter().map_err(read_error)? {
                let (key, value) = pair.map_err(read_error)?;
                each(key.value(), value.value())?;
            }
            Ok(())
        })
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
