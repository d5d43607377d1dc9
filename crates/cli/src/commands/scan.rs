//! `hullward scan`: what is inside a target and which known flaws it has.

use super::target;
use crate::arguments::Scan;
use crate::console::Console;
use crate::settings::Settings;
use crate::{Failure, Outcome};
use model::{Finding, Report, Severity};

/// Runs the command.
///
/// # Errors
/// When target or database cannot be read, or the report cannot be written.
pub(crate) fn run(options: &Scan, settings: &Settings, console: &Console) -> Result<Outcome, Failure> {
    let inventory_only = options.no_vulnerabilities;
    target::check(&options.output, "table", inventory_only, settings)?;
    let mut report = target::scan_target(
        &options.target,
        &options.target_options,
        target::Wanted {
            vulnerabilities: !options.no_vulnerabilities,
            include_development: options.include_dev,
            descriptions: target::shows_descriptions(&options.output, "table", settings),
        },
        settings,
        console,
    )?;
    // The gate looks at everything; the filters below are only for the eye.
    let gate = options.fail_on.or(settings.fail_on);
    let failed = gate.is_some_and(|threshold| report.reaches(threshold));
    let hidden = filter(&mut report, options.min_severity, options.fixable);
    target::write(
        &report,
        &options.output,
        "table",
        inventory_only,
        hidden,
        settings,
        console,
    )?;
    if let (true, Some(threshold)) = (failed, gate) {
        console.note(&format!(
            "the gate failed: there are findings of severity {threshold} or higher"
        ));
        return Ok(Outcome::GateFailed);
    }
    Ok(Outcome::Done)
}

/// Leaves out what was not asked for; tells how many affected findings that were.
fn filter(report: &mut Report, least: Option<Severity>, fixable: bool) -> usize {
    let affected = |report: &Report| report.summary().by_severity.iter().sum::<usize>();
    let before = affected(report);
    let keep = |finding: &Finding| {
        least.is_none_or(|least| finding.severity >= least) && (!fixable || !finding.fixed.is_empty())
    };
    report.findings.retain(keep);
    before - affected(report)
}
