//! `hullward diff`: what appeared and what went away between two targets or reports.

use super::target;
use crate::arguments::Diff;
use crate::console::Console;
use crate::settings::Settings;
use crate::{Failure, Outcome};
use anyhow::anyhow;
use model::Report;
use std::io::{BufWriter, Write};
use std::path::Path;

/// Largest JSON report that is read, in bytes.
const REPORT_LIMIT: u64 = 1 << 30;

/// Runs the command.
///
/// # Errors
/// When one of the two cannot be read.
pub(crate) fn run(options: &Diff, settings: &Settings, console: &Console) -> Result<Outcome, Failure> {
    let old = report_of(&options.old, options, settings, console)?;
    let new = report_of(&options.new, options, settings, console)?;
    let difference = report::diff::compare(&old, &new);
    let mut out = BufWriter::new(std::io::stdout().lock());
    let written = match options.format.as_str() {
        "json" => difference.write_json(&mut out),
        "markdown" => difference.write_markdown(&mut out),
        _ => difference.write_text(&mut out),
    }
    .and_then(|()| out.flush());
    super::printed(written)?;
    let failed = options
        .fail_on
        .or(settings.fail_on)
        .is_some_and(|threshold| difference.reaches(threshold));
    Ok(if failed {
        Outcome::GateFailed
    } else {
        Outcome::Done
    })
}

/// A JSON report is taken as it is; everything else is scanned.
fn report_of(name: &str, options: &Diff, settings: &Settings, console: &Console) -> Result<Report, Failure> {
    let path = Path::new(name);
    if path.is_file() && path.extension().is_some_and(|extension| extension == "json") {
        let bytes = artifact::files::read(path, REPORT_LIMIT)?;
        if let Ok(report) = report::formats::json::read(&bytes) {
            return Ok(report);
        }
        let says_so = bytes
            .windows(report::formats::json::SCHEMA.len())
            .take(4096)
            .any(|window| window == report::formats::json::SCHEMA.as_bytes());
        if says_so && let Err(message) = report::formats::json::read(&bytes) {
            return Err(Failure::unreadable(anyhow!(
                "the report {name} could not be read: {message}"
            )));
        }
    }
    target::scan_target(
        name,
        &options.target_options,
        target::Wanted {
            vulnerabilities: !options.no_vulnerabilities,
            ..target::Wanted::default()
        },
        settings,
        console,
    )
}
