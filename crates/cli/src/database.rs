//! Opening the advisory database, with advice when there is none.

use crate::Failure;
use crate::console::Console;
use crate::settings::Settings;
use advisory::{Database, DatabaseError};
use anyhow::anyhow;

/// Days after which a database is called old.
const OLD_AFTER_DAYS: i64 = 14;

/// Opens the configured database.
///
/// # Errors
/// When there is none, or it cannot be read.
pub(crate) fn open(settings: &Settings, console: &Console) -> Result<Database, Failure> {
    if !settings.db.exists() {
        return Err(Failure::usage(anyhow!("there is no advisory database at {}", settings.db.display())).hint(
            "`hullward db update` downloads one, `hullward db build --from FOLDER` makes one from feeds on disk, and \
             `--no-vulnerabilities` does without",
        ));
    }
    let database = Database::open(&settings.db).map_err(failure)?;
    if let Some(days) = age_in_days(database.newest())
        && days > OLD_AFTER_DAYS
    {
        console.note(&format!(
            "the advisory database's newest data is {days} days old; `hullward db update` gets what is new"
        ));
    }
    Ok(database)
}

/// A database that cannot be read ends the command as an unreadable target does.
pub(crate) fn failure(error: DatabaseError) -> Failure {
    Failure::unreadable(error).hint("`hullward db update` or `hullward db build` makes a new one")
}

/// Whole days since an RFC 3339 time; `None` when it is none.
pub(crate) fn age_in_days(time: &str) -> Option<i64> {
    let then: jiff::Timestamp = time.parse().ok()?;
    let now: jiff::Timestamp = crate::commands::now().parse().ok()?;
    Some((now.as_second() - then.as_second()) / 86_400)
}
