//! Markdown, for comments on changes and job summaries.

use crate::wording::cell;
use crate::{Format, Options, wording};
use model::{Meta, Report, Severity, Status};
use std::io::{self, Write};

/// The member.
pub(super) static MARKDOWN: Markdown = Markdown;

pub(super) struct Markdown;

static META: Meta = Meta {
    name: "markdown",
    title: "Markdown, for comments and job summaries",
    finds: &["a summary table, a table of findings, the problems; or the packages, for an inventory"],
    needs: &[],
    references: &["https://github.github.com/gfm/"],
};

/// Rows that are written; a comment on a change has a size limit, and nobody reads more.
const ROWS_LIMIT: usize = 500;

impl Format for Markdown {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn extension(&self) -> &'static str {
        "md"
    }

    fn carries_inventory(&self) -> bool {
        true
    }

    fn write(&self, report: &Report, options: &Options, out: &mut dyn Write) -> io::Result<()> {
        let target = &report.target;
        writeln!(out, "## Hullward: {}\n", cell(&target.name))?;
        let mut facts = vec![format!("{} packages", report.packages.len())];
        facts.extend(target.os.as_ref().map(wording::system_name));
        facts.extend(target.platform.clone());
        if let Some(digest) = target.digest.as_ref().or(target.image_id.as_ref()) {
            facts.push(digest.to_string());
        }
        writeln!(
            out,
            "{}\n",
            facts
                .iter()
                .map(|fact| cell(fact))
                .collect::<Vec<_>>()
                .join(" · ")
        )?;
        if options.hidden > 0 {
            writeln!(out, "Findings hidden by filters: {}\n", options.hidden)?;
        }
        if options.inventory_only {
            writeln!(
                out,
                "| Package | Version | Type | Licence |\n| --- | --- | --- | --- |"
            )?;
            for package in report.packages.iter().take(ROWS_LIMIT) {
                let cells = [
                    &package.name,
                    &package.version,
                    package.purl.kind(),
                    &package.licenses.join(", "),
                ]
                .map(cell);
                writeln!(out, "| {} |", cells.join(" | "))?;
            }
            return left_out(report.packages.len(), out);
        }
        if let Some(end) = target.end_of_life.as_ref().filter(|end| end.ended) {
            writeln!(
                out,
                "> **{} {} is no longer supported.** New flaws stay unfixed.\n",
                cell(&end.product),
                cell(&end.cycle)
            )?;
        }
        let summary = report.summary();
        let names: Vec<&str> = Severity::ALL.iter().map(|severity| severity.name()).collect();
        writeln!(
            out,
            "| {} | fixable | known exploited |\n| {} --- | --- |",
            names.join(" | "),
            "--- | ".repeat(names.len())
        )?;
        let counts: Vec<String> = summary.by_severity.iter().map(ToString::to_string).collect();
        writeln!(
            out,
            "| {} | {} | {} |\n",
            counts.join(" | "),
            summary.fixable,
            summary.known_exploited
        )?;
        let shown = wording::shown(report);
        if !shown.is_empty() {
            writeln!(
                out,
                "| Severity | Flaw | Package | Installed | Fixed in | What |\n| --- | --- | --- | --- | --- | --- |"
            )?;
            for finding in shown.iter().take(ROWS_LIMIT) {
                let package = report.package_of(finding);
                let flaw = match finding
                    .references
                    .iter()
                    .find(|reference| is_plain_link(reference))
                {
                    Some(link) => format!("[{}]({link})", cell(&finding.rule)),
                    None => cell(&finding.rule),
                };
                let mark = if finding.known_exploited.is_some() {
                    " **KEV**"
                } else {
                    ""
                };
                let what = if finding.status == Status::Undetermined {
                    format!("undetermined: {}", finding.reason)
                } else {
                    wording::title(finding, package)
                };
                let (name, version) = package.map_or(("", ""), |package| {
                    (package.name.as_str(), package.version.as_str())
                });
                let fixed = finding.fixed.first().map_or("–", String::as_str);
                writeln!(
                    out,
                    "| {} | {flaw}{mark} | {} | {} | {} | {} |",
                    finding.severity,
                    cell(name),
                    cell(version),
                    cell(fixed),
                    cell(&what)
                )?;
            }
            left_out(shown.len(), out)?;
        }
        if !report.problems.is_empty() {
            writeln!(out, "\n### Could not be judged\n")?;
            for problem in report.problems.iter().take(ROWS_LIMIT) {
                writeln!(out, "- {}", cell(&problem.to_string()))?;
            }
            left_out(report.problems.len(), out)?;
        }
        Ok(())
    }
}

fn left_out(count: usize, out: &mut dyn Write) -> io::Result<()> {
    if count > ROWS_LIMIT {
        writeln!(
            out,
            "\n{} more are left out here; the JSON report has all.",
            count - ROWS_LIMIT
        )
    } else {
        Ok(())
    }
}

/// Only links that can neither end the Markdown link nor lead anywhere but to the web.
fn is_plain_link(link: &str) -> bool {
    link.starts_with("https://")
        && link.bytes().all(|byte| {
            byte.is_ascii_graphic() && !matches!(byte, b'(' | b')' | b'<' | b'>' | b'|' | b'"' | b'\\')
        })
}
