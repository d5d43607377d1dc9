//! `hullward sbom`: what is inside a target, in the formats that inventories travel in.

use super::target;
use crate::arguments::Sbom;
use crate::console::Console;
use crate::settings::Settings;
use crate::{Failure, Outcome};

/// Runs the command.
///
/// # Errors
/// When the target cannot be read or the document cannot be written.
pub(crate) fn run(options: &Sbom, settings: &Settings, console: &Console) -> Result<Outcome, Failure> {
    target::check(&options.output, "table", true, settings)?;
    let report = target::scan_target(
        &options.target,
        &options.target_options,
        target::Wanted::default(),
        settings,
        console,
    )?;
    if !report.problems.is_empty() {
        let count = report.problems.len();
        let first = &report.problems[0];
        console.note(&if count == 1 {
            format!("one thing could not be read: {first}")
        } else {
            format!("{count} things could not be read, the first: {first}; --verbose lists all")
        });
    }
    target::write(&report, &options.output, "table", true, 0, settings, console)?;
    Ok(Outcome::Done)
}
