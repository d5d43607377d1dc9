//! The table for people: grouped by target and package, never wider than the terminal.

use crate::{Format, Options, wording};
use model::path::printable;
use model::{Finding, Meta, Package, Report, Severity, Status, TargetKind};
use std::collections::HashMap;
use std::io::{self, Write};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The member.
pub(super) static TABLE: Table = Table;

pub(super) struct Table;

static META: Meta = Meta {
    name: "table",
    title: "Table for people, the default",
    finds: &[
        "findings grouped by where they are and by package, with the version that fixes them; a summary line",
    ],
    needs: &[],
    references: &[],
};

/// Width when the output is no terminal.
const DEFAULT_WIDTH: usize = 120;

/// Problems that are listed; the rest is counted.
const PROBLEMS_SHOWN: usize = 10;

impl Format for Table {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn extension(&self) -> &'static str {
        "txt"
    }

    fn carries_inventory(&self) -> bool {
        true
    }

    fn write(&self, report: &Report, options: &Options, out: &mut dyn Write) -> io::Result<()> {
        let page = Page {
            width: options.width.unwrap_or(DEFAULT_WIDTH).max(20),
            color: options.color,
        };
        page.heading(report, out)?;
        if options.inventory_only {
            page.packages(report, out)?;
        } else {
            page.findings(report, out)?;
        }
        page.problems(report, out)?;
        page.summary(report, options, out)
    }
}

struct Page {
    width: usize,
    color: bool,
}

/// SGR codes.
mod paint {
    pub(super) const BOLD: &str = "1";
    pub(super) const DIM: &str = "2";
    pub(super) const KNOWN_EXPLOITED: &str = "97;41;1";
}

fn severity_code(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "91;1",
        Severity::High => "31",
        Severity::Medium => "33",
        Severity::Low => "36",
        Severity::Unknown => "2",
    }
}

/// One cell: text and how it is painted.
struct Cell {
    text: String,
    code: &'static str,
}

impl Cell {
    fn new(text: impl AsRef<str>) -> Self {
        Self {
            text: printable(text.as_ref()).into_owned(),
            code: "",
        }
    }

    fn painted(text: impl AsRef<str>, code: &'static str) -> Self {
        Self {
            code,
            ..Self::new(text)
        }
    }
}

/// One column: its heading, how narrow it may become before others must give way, and when it does: columns of the highest
/// rank are left out first, those of rank 0 never.
struct Column {
    heading: &'static str,
    least: usize,
    rank: usize,
}

/// Widest identity of a flaw that is never cut.
const WHOLE_FLAW: usize = 32;

impl Page {
    fn paint(&self, text: &str, code: &str) -> String {
        if self.color && !code.is_empty() && !text.is_empty() {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }

    fn line(&self, text: &str, code: &str, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{}", self.paint(&cut(&printable(text), self.width), code))
    }

    fn heading(&self, report: &Report, out: &mut dyn Write) -> io::Result<()> {
        let target = &report.target;
        self.line(&target.name, paint::BOLD, out)?;
        let mut parts = vec![target.kind.name().to_owned()];
        parts.extend(target.os.as_ref().map(wording::system_name));
        parts.extend(target.platform.clone());
        if let Some(digest) = target.digest.as_ref().or(target.image_id.as_ref()) {
            parts.push(format!("sha256:{}", digest.short()));
        }
        if !target.layers.is_empty() && target.kind == TargetKind::Image {
            parts.push(plural(target.layers.len(), "layer"));
        }
        parts.push(plural(report.packages.len(), "package"));
        self.line(&parts.join(" · "), paint::DIM, out)?;
        writeln!(out)
    }

    fn findings(&self, report: &Report, out: &mut dyn Write) -> io::Result<()> {
        for (title, findings) in groups(report, &wording::shown(report)) {
            self.line(&title, paint::BOLD, out)?;
            let columns = [
                Column {
                    heading: "PACKAGE",
                    least: 12,
                    rank: 0,
                },
                Column {
                    heading: "INSTALLED",
                    least: 9,
                    rank: 2,
                },
                Column {
                    heading: "SEVERITY",
                    least: 8,
                    rank: 1,
                },
                Column {
                    heading: "FLAW",
                    least: WHOLE_FLAW,
                    rank: 0,
                },
                Column {
                    heading: "FIXED IN",
                    least: 9,
                    rank: 3,
                },
                Column {
                    heading: "WHAT",
                    least: 10,
                    rank: 4,
                },
            ];
            let mut rows = Vec::with_capacity(findings.len());
            let mut last = None;
            for finding in findings {
                let package = report.package_of(finding);
                let again = last == Some(finding.package);
                last = Some(finding.package);
                let (name, version) = match package {
                    Some(package) if !again => (package.name.as_str(), package.version.as_str()),
                    _ => ("", ""),
                };
                let fixed = match finding.status {
                    Status::Undetermined => Cell::painted("undetermined", paint::DIM),
                    _ if finding.fixed.is_empty() => Cell::painted("–", paint::DIM),
                    _ => Cell::painted(&finding.fixed[0], "32"),
                };
                let what = if finding.status == Status::Undetermined {
                    &finding.reason
                } else {
                    &finding.title
                };
                let (flaw, code) = match finding.known_exploited {
                    Some(_) => (
                        format!("{} KEV", finding.rule),
                        if self.color { paint::KNOWN_EXPLOITED } else { "" },
                    ),
                    None => (finding.rule.clone(), ""),
                };
                rows.push(vec![
                    Cell::painted(name, paint::BOLD),
                    Cell::new(version),
                    Cell::painted(finding.severity.name(), severity_code(finding.severity)),
                    Cell::painted(flaw, code),
                    fixed,
                    Cell::new(first_line(what)),
                ]);
            }
            self.rows(&columns, &rows, out)?;
            writeln!(out)?;
        }
        Ok(())
    }

    fn packages(&self, report: &Report, out: &mut dyn Write) -> io::Result<()> {
        let columns = [
            Column {
                heading: "PACKAGE",
                least: 12,
                rank: 0,
            },
            Column {
                heading: "VERSION",
                least: 9,
                rank: 1,
            },
            Column {
                heading: "TYPE",
                least: 6,
                rank: 2,
            },
            Column {
                heading: "LICENCE",
                least: 8,
                rank: 3,
            },
            Column {
                heading: "WHERE",
                least: 12,
                rank: 4,
            },
        ];
        let rows: Vec<Vec<Cell>> = report
            .packages
            .iter()
            .map(|package| {
                let place = package
                    .locations
                    .first()
                    .map(|location| location.path.as_str())
                    .unwrap_or_default();
                let place = match &package.owned_by {
                    Some(owner) => format!("{place} (of {owner})"),
                    None => place.to_owned(),
                };
                vec![
                    Cell::painted(&package.name, paint::BOLD),
                    Cell::new(&package.version),
                    Cell::new(package.purl.kind()),
                    Cell::new(package.licenses.join(", ")),
                    Cell::painted(place, paint::DIM),
                ]
            })
            .collect();
        if !rows.is_empty() {
            self.rows(&columns, &rows, out)?;
            writeln!(out)?;
        }
        Ok(())
    }

    /// Writes rows in columns. A column is as wide as its widest cell. While all together are too wide at their least widths,
    /// the column of the highest rank is left out; then the widest give way until the rest fits.
    fn rows(&self, columns: &[Column], rows: &[Vec<Cell>], out: &mut dyn Write) -> io::Result<()> {
        const GAP: usize = 2;
        let mut widths: Vec<usize> = columns
            .iter()
            .enumerate()
            .map(|(at, column)| {
                rows.iter()
                    .filter_map(|row| row.get(at))
                    .map(|cell| cell.text.width())
                    .max()
                    .unwrap_or(0)
                    .max(column.heading.width())
            })
            .collect();
        let least: Vec<usize> = widths
            .iter()
            .zip(columns)
            .map(|(width, column)| column.least.min(*width))
            .collect();
        // Positions of the columns that are written.
        let mut shown: Vec<usize> = (0..columns.len()).collect();
        let total =
            |shown: &[usize], widths: &[usize]| shown.iter().map(|at| widths[*at] + GAP).sum::<usize>();
        while total(&shown, &least) > self.width {
            let last = shown.iter().copied().max_by_key(|at| columns[*at].rank);
            match last.filter(|at| columns[*at].rank > 0) {
                Some(last) => shown.retain(|at| *at != last),
                None => break,
            }
        }
        while total(&shown, &widths) > self.width {
            // Where even the least widths do not fit, what must be shown is cut.
            let Some(at) = shown
                .iter()
                .copied()
                .filter(|at| widths[*at] > least[*at])
                .max_by_key(|at| widths[*at])
                .or_else(|| shown.iter().copied().max_by_key(|at| widths[*at]))
            else {
                break;
            };
            let over = total(&shown, &widths) - self.width;
            // Down to the next widest at most, so that the loss is shared.
            let next = shown
                .iter()
                .filter(|other| **other != at)
                .map(|other| widths[*other])
                .max()
                .unwrap_or(0);
            let room = if widths[at] > least[at] {
                widths[at] - least[at]
            } else {
                widths[at]
            };
            widths[at] -= over.min(widths[at].saturating_sub(next).max(1)).min(room);
        }
        let headings: Vec<Cell> = columns
            .iter()
            .map(|column| Cell::painted(column.heading, paint::DIM))
            .collect();
        for row in std::iter::once(&headings).chain(rows) {
            let mut line = String::new();
            line.push_str("  ");
            for &at in &shown {
                let Some(cell) = row.get(at) else { continue };
                let text = cut(&cell.text, widths[at]);
                let padding = if Some(&at) == shown.last() {
                    0
                } else {
                    widths[at] - text.width() + GAP
                };
                line.push_str(&self.paint(&text, cell.code));
                line.extend(std::iter::repeat_n(' ', padding));
            }
            writeln!(out, "{}", line.trim_end())?;
        }
        Ok(())
    }

    fn problems(&self, report: &Report, out: &mut dyn Write) -> io::Result<()> {
        if report.problems.is_empty() {
            return Ok(());
        }
        self.line("Could not be judged", paint::BOLD, out)?;
        for problem in report.problems.iter().take(PROBLEMS_SHOWN) {
            self.line(&format!("  {problem}"), "", out)?;
        }
        if report.problems.len() > PROBLEMS_SHOWN {
            self.line(
                &format!(
                    "  and {} more (see the JSON report)",
                    report.problems.len() - PROBLEMS_SHOWN
                ),
                paint::DIM,
                out,
            )?;
        }
        writeln!(out)
    }

    fn summary(&self, report: &Report, options: &Options, out: &mut dyn Write) -> io::Result<()> {
        let summary = report.summary();
        if options.inventory_only {
            return self.line(&plural(summary.packages, "package"), paint::BOLD, out);
        }
        let count: usize = summary.by_severity.iter().sum();
        let mut parts = Vec::new();
        if count == 0 {
            let text = if options.hidden == 0 {
                "no known flaws"
            } else {
                "nothing to show"
            };
            parts.push(text.to_owned());
        } else {
            let severities: Vec<String> = Severity::ALL
                .iter()
                .zip(summary.by_severity)
                .filter(|(_, count)| *count > 0)
                .map(|(severity, count)| format!("{count} {severity}"))
                .collect();
            parts.push(format!("{}: {}", plural(count, "finding"), severities.join(", ")));
            parts.push(format!("{} fixable", summary.fixable));
        }
        if options.hidden > 0 {
            parts.push(format!("{} hidden by filters", options.hidden));
        }
        if summary.known_exploited > 0 {
            parts.push(format!("{} known to be exploited (KEV)", summary.known_exploited));
        }
        if summary.undetermined > 0 {
            parts.push(format!("{} undetermined", summary.undetermined));
        }
        if summary.suppressed > 0 {
            parts.push(format!("{} suppressed", summary.suppressed));
        }
        if summary.problems > 0 {
            parts.push(plural(summary.problems, "problem"));
        }
        let code = if count == 0 && options.hidden == 0 && summary.problems == 0 {
            "32;1"
        } else {
            paint::BOLD
        };
        for line in wrap(&parts, self.width) {
            self.line(&line, code, out)?;
        }
        Ok(())
    }
}

/// Findings under headings: the operating system's packages, then each file that tells of several packages, then the rest
/// by ecosystem. Within a group, packages by their worst finding, then by name.
fn groups<'a>(report: &'a Report, findings: &[&'a Finding]) -> Vec<(String, Vec<&'a Finding>)> {
    let mut sharing: HashMap<&str, usize> = HashMap::new();
    for package in &report.packages {
        if let Some(location) = package.locations.first() {
            *sharing.entry(location.path.as_str()).or_default() += 1;
        }
    }
    let mut order: Vec<(u8, String)> = Vec::new();
    let mut grouped: HashMap<(u8, String), Vec<&Finding>> = HashMap::new();
    for finding in findings {
        let key = match report.package_of(finding) {
            Some(package) => group_of(report, package, &sharing),
            None => {
                let name = report
                    .target
                    .os
                    .as_ref()
                    .map(|os| os.pretty_name.as_str())
                    .filter(|name| !name.is_empty());
                (0, format!("{} as a whole", name.unwrap_or("The target")))
            }
        };
        if !grouped.contains_key(&key) {
            order.push(key.clone());
        }
        grouped.entry(key).or_default().push(finding);
    }
    order.sort();
    order
        .into_iter()
        .filter_map(|key| {
            let mut findings = grouped.remove(&key)?;
            let mut worst: HashMap<Option<usize>, Severity> = HashMap::new();
            for finding in &findings {
                let have = worst.entry(finding.package).or_default();
                *have = (*have).max(finding.severity);
            }
            findings.sort_by_cached_key(|finding| {
                let name = report.package_of(finding).map(|package| package.name.clone());
                (
                    std::cmp::Reverse(worst.get(&finding.package).copied()),
                    name,
                    finding.package,
                    std::cmp::Reverse(finding.severity),
                    finding.rule.clone(),
                )
            });
            let heading = match only_location(report, &findings) {
                Some((path, kind)) if key.0 == 2 => format!("{path} ({kind})"),
                _ => key.1,
            };
            Some((heading, findings))
        })
        .collect()
}

/// The one file that all packages of the findings come from, and what kind of packages they are.
fn only_location<'a>(report: &'a Report, findings: &[&Finding]) -> Option<(&'a str, &'a str)> {
    let mut places = findings.iter().map(|finding| {
        let package = report.package_of(finding)?;
        let location = package
            .locations
            .first()
            .filter(|_| package.locations.len() == 1)?;
        Some((location.path.as_str(), kind_of(package)))
    });
    let first = places.next()??;
    places.all(|place| place == Some(first)).then_some(first)
}

fn kind_of(package: &Package) -> &str {
    if package.ecosystem.is_empty() {
        package.purl.kind()
    } else {
        package.ecosystem.as_str()
    }
}

fn group_of(report: &Report, package: &Package, sharing: &HashMap<&str, usize>) -> (u8, String) {
    if matches!(
        package.purl.kind(),
        "apk" | "deb" | "rpm" | "alpm" | "bottlerocket" | "ebuild"
    ) {
        let name = report
            .target
            .os
            .as_ref()
            .map(|os| os.pretty_name.clone())
            .filter(|name| !name.is_empty());
        return (
            0,
            format!(
                "{} packages",
                name.unwrap_or_else(|| package.purl.kind().to_owned())
            ),
        );
    }
    let kind = kind_of(package);
    match package.locations.first() {
        Some(location)
            if sharing
                .get(location.path.as_str())
                .is_some_and(|count| *count > 1) =>
        {
            (1, format!("{} ({kind})", location.path))
        }
        _ => (2, format!("{kind} packages")),
    }
}

fn first_line(text: &str) -> &str {
    text.lines()
        .map(str::trim)
        .find(|line| !line.is_empty())
        .unwrap_or_default()
}

/// `1 layer`, `2 layers`.
fn plural(count: usize, noun: &str) -> String {
    if count == 1 {
        format!("1 {noun}")
    } else {
        format!("{count} {noun}s")
    }
}

/// Cuts a text to a width in columns, with `…` in place of what is lost.
fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut used = 0;
    let mut short = String::new();
    for character in text.chars() {
        let columns = character.width().unwrap_or(0);
        if used + columns + 1 > width {
            break;
        }
        used += columns;
        short.push(character);
    }
    short.push('…');
    short
}

/// Joins parts by ` · ` into lines that fit.
fn wrap(parts: &[String], width: usize) -> Vec<String> {
    const SEPARATOR: &str = " · ";
    let mut lines: Vec<String> = Vec::new();
    for part in parts {
        match lines.last_mut() {
            Some(line) if line.width() + SEPARATOR.width() + part.width() <= width => {
                line.push_str(SEPARATOR);
                line.push_str(part);
            }
            _ => lines.push(part.clone()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_by_columns_not_bytes() {
        assert_eq!(cut("abcdef", 6), "abcdef");
        assert_eq!(cut("abcdefg", 6), "abcde…");
        assert_eq!(cut("日本語", 5), "日本…");
    }
}
