//! Measures one engine for the advisory database: building a file of the product's own pairs, and cold look-ups in it.
//!
//! `engines dump DATABASE PAIRS KEYS` writes every pair of a database of the product, and 1,000 keys spread over its packages.
//! `engines build PAIRS FILE` builds FILE with the engine that the program was compiled for.
//! `engines lookup FILE KEYS` opens FILE and reads the value of each key.
//! `engines product-build FOLDER COPIES DATABASE` builds with the product from COPIES times the `*.jsonl` of FOLDER.
//! `engines product-match DATABASE COUNT OLD ROUNDS` matches COUNT packages, one in OLD of an old version, ROUNDS times.
#![allow(dead_code, unused_imports, reason = "each feature compiles its own command")]

#[cfg(feature = "dump")]
mod product;

use std::error::Error;
use std::fs::File;
use std::io::{BufReader, Read, Write};
use std::time::Instant;

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let argument = |index: usize| arguments.get(index).map(String::as_str).ok_or("missing argument");
    match argument(1)? {
        #[cfg(feature = "dump")]
        "product-build" => product::build(argument(2)?, argument(3)?.parse()?, argument(4)?),
        #[cfg(feature = "dump")]
        "product-match" => product::matching(argument(2)?, argument(3)?.parse()?, argument(4)?.parse()?, argument(5)?.parse()?),
        #[cfg(feature = "dump")]
        "dump" => dump(argument(2)?, argument(3)?, argument(4)?),
        #[cfg(any(feature = "redb", feature = "sqlite", feature = "lmdb"))]
        "build" => {
            let start = Instant::now();
            engine::build(Pairs::open(argument(2)?)?, argument(3)?)?;
            let seconds = start.elapsed().as_secs_f64();
            let size = std::fs::metadata(argument(3)?)?.len();
            println!("build {seconds:.2} s, {:.1} MiB, peak {} MiB", size as f64 / 1048576.0, peak()?);
            Ok(())
        }
        #[cfg(any(feature = "redb", feature = "sqlite", feature = "lmdb"))]
        "lookup" => {
            let keys = keys(argument(3)?)?;
            let start = Instant::now();
            let bytes = engine::lookup(argument(2)?, &keys)?;
            let micros = start.elapsed().as_micros();
            println!("{} keys, {bytes} bytes, {micros} us inside, peak {} MiB", keys.len(), peak()?);
            Ok(())
        }
        other => Err(format!("`{other}` is no command of this build").into()),
    }
}

/// Peak resident memory of this process in MiB.
fn peak() -> Outcome<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).ok_or("no VmHWM")?;
    let kib: u64 = line.split_ascii_whitespace().nth(1).ok_or("no number")?.parse()?;
    Ok(kib / 1024)
}

fn keys(path: &str) -> Outcome<Vec<Vec<u8>>> {
    let mut file = BufReader::new(File::open(path)?);
    let mut keys = Vec::new();
    while let Some(key) = chunk(&mut file)? {
        keys.push(key);
    }
    Ok(keys)
}

/// A length (4 bytes) and as many bytes.
fn chunk(file: &mut impl Read) -> Outcome<Option<Vec<u8>>> {
    let mut length = [0; 4];
    if file.read_exact(&mut length).is_err() {
        return Ok(None);
    }
    let mut bytes = vec![0; u32::from_le_bytes(length) as usize];
    file.read_exact(&mut bytes)?;
    Ok(Some(bytes))
}

fn put_chunk(file: &mut impl Write, bytes: &[u8]) -> std::io::Result<()> {
    file.write_all(&(bytes.len() as u32).to_le_bytes())?;
    file.write_all(bytes)
}

/// Table, key and value, in the order of the file.
struct Pairs(BufReader<File>);

impl Pairs {
    fn open(path: &str) -> Outcome<Self> {
        Ok(Self(BufReader::with_capacity(1 << 20, File::open(path)?)))
    }

    fn next(&mut self) -> Outcome<Option<(String, Vec<u8>, Vec<u8>)>> {
        let Some(table) = chunk(&mut self.0)? else {
            return Ok(None);
        };
        let key = chunk(&mut self.0)?.ok_or("no key")?;
        let value = chunk(&mut self.0)?.ok_or("no value")?;
        Ok(Some((String::from_utf8(table)?, key, value)))
    }
}

#[cfg(feature = "dump")]
fn dump(database: &str, pairs: &str, keys: &str) -> Outcome<()> {
    let database = advisory::Database::open(database.as_ref())?;
    let mut out = std::io::BufWriter::new(File::create(pairs)?);
    let mut packages = Vec::new();
    database.pairs(&mut |table, key, value| {
        for bytes in [table.as_bytes(), key, value] {
            put_chunk(&mut out, bytes).map_err(|error| advisory::DatabaseError::Read(error.to_string()))?;
        }
        if table == "packages" {
            packages.push(key.to_vec());
        }
        Ok(())
    })?;
    out.flush()?;
    let mut out = File::create(keys)?;
    let step = (packages.len() / 1000).max(1);
    for key in packages.iter().step_by(step).take(1000) {
        put_chunk(&mut out, key)?;
    }
    Ok(())
}

const TABLES: [&str; 8] =
    ["packages", "advisories", "details", "names", "known-exploited", "scores", "cycles", "about"];

#[cfg(feature = "redb")]
mod engine {
    use super::{Outcome, Pairs, TABLES};
    use redb::{ReadableDatabase, TableDefinition};

    fn table(name: &str) -> TableDefinition<'_, &'static [u8], &'static [u8]> {
        TableDefinition::new(name)
    }

    pub fn build(mut pairs: Pairs, path: &str) -> Outcome<()> {
        let engine = redb::Builder::new().set_cache_size(256 << 20).create(path)?;
        let mut transaction = engine.begin_write()?;
        transaction.set_quick_repair(true);
        let mut next = pairs.next()?;
        while let Some((name, _, _)) = next.clone() {
            let mut open = transaction.open_table(table(&name))?;
            while let Some((of, key, value)) = next.take() {
                if of != name {
                    next = Some((of, key, value));
                    break;
                }
                open.insert(key.as_slice(), value.as_slice())?;
                next = pairs.next()?;
            }
        }
        for name in TABLES {
            transaction.open_table(table(name))?;
        }
        transaction.commit()?;
        Ok(())
    }

    pub fn lookup(path: &str, keys: &[Vec<u8>]) -> Outcome<usize> {
        let engine = redb::Builder::new().set_cache_size(16 << 20).open_read_only(path)?;
        let open = engine.begin_read()?.open_table(table("packages"))?;
        let mut bytes = 0;
        for key in keys {
            bytes += open.get(key.as_slice())?.map_or(0, |value| value.value().len());
        }
        Ok(bytes)
    }
}

#[cfg(feature = "sqlite")]
mod engine {
    use super::{Outcome, Pairs, TABLES};
    use rusqlite::{Connection, OpenFlags};

    pub fn build(mut pairs: Pairs, path: &str) -> Outcome<()> {
        let mut engine = Connection::open(path)?;
        engine.execute_batch("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-262144;")?;
        for name in TABLES {
            engine.execute_batch(&format!(
                "CREATE TABLE \"{name}\" (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID"
            ))?;
        }
        let transaction = engine.transaction()?;
        while let Some((name, key, value)) = pairs.next()? {
            transaction
                .prepare_cached(&format!("INSERT INTO \"{name}\" VALUES (?, ?)"))?
                .execute((key, value))?;
        }
        transaction.commit()?;
        Ok(())
    }

    pub fn lookup(path: &str, keys: &[Vec<u8>]) -> Outcome<usize> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
        let engine = Connection::open_with_flags(format!("file:{path}?immutable=1"), flags)?;
        engine.execute_batch("PRAGMA mmap_size=1073741824")?;
        let mut statement = engine.prepare("SELECT value FROM packages WHERE key = ?")?;
        let mut bytes = 0;
        for key in keys {
            let mut rows = statement.query([key])?;
            if let Some(row) = rows.next()? {
                bytes += row.get_ref(0)?.as_blob()?.len();
            }
        }
        Ok(bytes)
    }
}

#[cfg(feature = "lmdb")]
mod engine {
    use super::{Outcome, Pairs, TABLES};
    use heed::types::Bytes;
    use heed::{Database, EnvFlags, EnvOpenOptions};

    pub fn build(mut pairs: Pairs, path: &str) -> Outcome<()> {
        let mut options = EnvOpenOptions::new();
        options.map_size(4 << 30).max_dbs(16);
        // SAFETY: the file is ours alone while this program runs.
        let engine = unsafe { options.flags(EnvFlags::NO_SUB_DIR).open(path)? };
        let mut transaction = engine.write_txn()?;
        let mut tables = Vec::new();
        for name in TABLES {
            let table: Database<Bytes, Bytes> = engine.create_database(&mut transaction, Some(name))?;
            tables.push((name, table));
        }
        while let Some((name, key, value)) = pairs.next()? {
            let (_, table) = tables.iter().find(|(known, _)| *known == name).ok_or("unknown table")?;
            table.put(&mut transaction, &key, &value)?;
        }
        transaction.commit()?;
        Ok(())
    }

    pub fn lookup(path: &str, keys: &[Vec<u8>]) -> Outcome<usize> {
        let mut options = EnvOpenOptions::new();
        options.map_size(4 << 30).max_dbs(16);
        // SAFETY: nobody writes the file while this program runs.
        let engine = unsafe { options.flags(EnvFlags::NO_SUB_DIR | EnvFlags::READ_ONLY | EnvFlags::NO_LOCK).open(path)? };
        let transaction = engine.read_txn()?;
        let table: Database<Bytes, Bytes> = engine
            .open_database(&transaction, Some("packages"))?
            .ok_or("no packages")?;
        let mut bytes = 0;
        for key in keys {
            bytes += table.get(&transaction, key)?.map_or(0, |value| value.len());
        }
        Ok(bytes)
    }
}
