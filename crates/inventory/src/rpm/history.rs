//! The history of dnf, which knows from which repository each package came.

use crate::sqlite::{Database, Value};
use model::{Content, path};
use std::collections::{BTreeMap, HashMap};

/// Most rows of a table that are kept.
const MOST_ROWS: usize = 100_000;
/// Longest name that is kept, in bytes.
const LONGEST: usize = 512;

/// Repositories by `name version architecture`, the version as in [`super::package`]. Later transactions win.
///
/// # Errors
/// A message about the first part of the database that could not be read.
pub(crate) fn repositories(content: &mut dyn Content) -> Result<BTreeMap<String, String>, String> {
    let mut database = Database::open(content)?;
    let repositories = texts(&mut database, "repo")?;
    // dnf 5 keeps names and architectures in tables of their own; dnf 4 has them in place.
    let mut either = |table: &str, early_name: &str| {
        texts(&mut database, table)
            .or_else(|_| texts(&mut database, early_name))
            .unwrap_or_default()
    };
    let names = either("pkg_name", "pkg_names");
    let architectures = either("arch", "archs");
    let mut packages: HashMap<i64, String> = HashMap::new();
    database.rows("rpm", |_, row| {
        if let [
            Value::Integer(item),
            name,
            epoch,
            version,
            release,
            architecture,
            ..,
        ] = row
        {
            let text = |value: &Value, table: &HashMap<i64, String>| match value {
                Value::Integer(id) => table.get(id).cloned(),
                other => short(other),
            };
            let none = HashMap::new();
            let parts = (
                text(name, &names),
                short(version),
                short(release),
                text(architecture, &architectures),
            );
            if let (Some(name), Some(version), Some(release), Some(architecture)) = parts {
                let epoch = match epoch {
                    Value::Integer(0) | Value::Null => String::new(),
                    Value::Integer(epoch) => format!("{epoch}:"),
                    other => text(other, &none).map_or_else(String::new, |epoch| format!("{epoch}:")),
                };
                packages.insert(*item, format!("{name} {epoch}{version}-{release} {architecture}"));
            }
        }
        packages.len() < MOST_ROWS
    })?;
    let mut found = BTreeMap::new();
    database.rows("trans_item", |_, row| {
        if let [_, _, Value::Integer(item), Value::Integer(repository), ..] = row
            && let (Some(package), Some(repository)) = (packages.get(item), repositories.get(repository))
            // Removals name the system itself.
            && !repository.is_empty()
            && !repository.starts_with('@')
        {
            found.insert(package.clone(), repository.clone());
        }
        found.len() < MOST_ROWS
    })?;
    Ok(found)
}

/// A table of numbered names.
fn texts(database: &mut Database<'_>, table: &str) -> Result<HashMap<i64, String>, String> {
    let mut texts = HashMap::new();
    database.rows(table, |row_id, row| {
        if let Some(text) = row.get(1).and_then(short) {
            texts.insert(row_id, text);
        }
        texts.len() < MOST_ROWS
    })?;
    Ok(texts)
}

fn short(value: &Value) -> Option<String> {
    let bytes = value.bytes().filter(|bytes| bytes.len() <= LONGEST)?;
    Some(path::from_bytes(bytes).into_owned())
}
