//! JUnit XML, for build servers that show test results.

use crate::{Format, Options, wording};
use model::{Finding, Meta, Package, Report, Status};
use std::collections::BTreeMap;
use std::io::{self, Write};

/// The member.
pub(super) static JUNIT: Junit = Junit;

pub(super) struct Junit;

static META: Meta = Meta {
    name: "junit",
    title: "JUnit XML, for build servers",
    finds: &[
        "one test suite a file or package manager, one failed test a finding; undetermined ones are skipped tests",
    ],
    needs: &[],
    references: &["https://github.com/testmoapp/junitxml"],
};

impl Format for Junit {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn extension(&self) -> &'static str {
        "xml"
    }

    fn carries_inventory(&self) -> bool {
        false
    }

    fn write(&self, report: &Report, _options: &Options, out: &mut dyn Write) -> io::Result<()> {
        let mut suites: BTreeMap<String, Vec<(&Finding, Option<&Package>)>> = BTreeMap::new();
        for finding in report
            .findings
            .iter()
            .filter(|finding| !matches!(finding.status, Status::NotAffected | Status::Fixed))
        {
            let package = report.package_of(finding);
            let place = wording::location(finding, package)
                .map_or_else(|| report.target.name.clone(), |location| location.path.clone());
            suites.entry(place).or_default().push((finding, package));
        }
        let failures = wording::actionable(report).count();
        let tests: usize = suites.values().map(Vec::len).sum();
        writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
        writeln!(
            out,
            "<testsuites name=\"hullward {}\" tests=\"{tests}\" failures=\"{failures}\" errors=\"{}\" timestamp=\"{}\">",
            escape(&report.target.name),
            report.problems.len(),
            escape(report.created.trim_end_matches('Z'))
        )?;
        for (place, findings) in &suites {
            suite(place, findings, report, out)?;
        }
        if !report.problems.is_empty() {
            let count = report.problems.len();
            writeln!(
                out,
                "  <testsuite name=\"problems\" tests=\"{count}\" failures=\"0\" errors=\"{count}\" skipped=\"0\">"
            )?;
            for problem in &report.problems {
                let path = problem.path.as_deref().unwrap_or(&report.target.name);
                writeln!(
                    out,
                    "    <testcase classname=\"problems\" name=\"{}\">",
                    escape(path)
                )?;
                writeln!(
                    out,
                    "      <error message=\"{}\" type=\"problem\"/>",
                    escape(&problem.message)
                )?;
                writeln!(out, "    </testcase>")?;
            }
            writeln!(out, "  </testsuite>")?;
        }
        writeln!(out, "</testsuites>")
    }
}

fn suite(
    place: &str,
    findings: &[(&Finding, Option<&Package>)],
    report: &Report,
    out: &mut dyn Write,
) -> io::Result<()> {
    let skipped = findings
        .iter()
        .filter(|(finding, _)| matches!(finding.status, Status::Undetermined | Status::Suppressed))
        .count();
    writeln!(
        out,
        "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"{skipped}\" timestamp=\"{}\">",
        escape(place),
        findings.len(),
        findings.len() - skipped,
        escape(report.created.trim_end_matches('Z'))
    )?;
    for (finding, package) in findings {
        let class = package.map_or_else(
            || finding.kind.name().to_owned(),
            |package| format!("{} {}", package.name, package.version),
        );
        let title = wording::title(finding, *package);
        writeln!(
            out,
            "    <testcase classname=\"{}\" name=\"{}\">",
            escape(&class),
            escape(&format!("[{}] {}", finding.severity, finding.rule))
        )?;
        if matches!(finding.status, Status::Undetermined | Status::Suppressed) {
            writeln!(out, "      <skipped message=\"{}\"/>", escape(&finding.reason))?;
        } else {
            write!(
                out,
                "      <failure message=\"{}\" type=\"{}\">",
                escape(&title),
                finding.kind.name()
            )?;
            let mut text = wording::advice(finding, *package);
            for (key, value) in &finding.evidence {
                text.push_str(&format!("\n{key}: {value}"));
            }
            for reference in &finding.references {
                text.push_str(&format!("\n{reference}"));
            }
            writeln!(out, "{}</failure>", escape(&text))?;
        }
        writeln!(out, "    </testcase>")?;
    }
    writeln!(out, "  </testsuite>")
}

/// Text for XML: markup escaped, characters that XML 1.0 cannot hold replaced.
fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\n' => safe.push_str("&#10;"),
            '\t' => safe.push_str("&#9;"),
            other if other.is_control() || matches!(other, '\u{fffe}' | '\u{ffff}') => safe.push('\u{fffd}'),
            other => safe.push(other),
        }
    }
    safe
}
