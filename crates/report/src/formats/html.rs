//! One self-contained HTML file: charts, sortable and filterable tables, readable on paper.
//!
//! Everything is written as text of the page, nothing as script data, so that a name from a hostile image is only ever text;
//! a content policy forbids all but the page's own style and script.

use crate::{Format, Options, wording};
use model::path::printable;
use model::{Finding, Meta, Package, Report, Severity, Status};
use std::collections::BTreeMap;
use std::io::{self, Write};

/// The member.
pub(super) static HTML: Html = Html;

pub(super) struct Html;

static META: Meta = Meta {
    name: "html",
    title: "HTML page, one self-contained file",
    finds: &["charts of severity, layers and packages; tables that sort and filter; a print style"],
    needs: &[],
    references: &[],
};

const STYLE: &str = include_str!("html/page.css");
const SCRIPT: &str = include_str!("html/page.js");

/// Bars in the chart of packages.
const CHART_PACKAGES: usize = 12;

impl Format for Html {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn extension(&self) -> &'static str {
        "html"
    }

    fn carries_inventory(&self) -> bool {
        true
    }

    fn shows_descriptions(&self) -> bool {
        true
    }

    fn write(&self, report: &Report, options: &Options, out: &mut dyn Write) -> io::Result<()> {
        let name = escape(&report.target.name);
        writeln!(
            out,
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n<title>Hullward: {name}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>"
        )?;
        header(report, out)?;
        writeln!(out, "<main>")?;
        if !options.inventory_only {
            tiles(report, out)?;
            charts(report, out)?;
            findings(report, options.hidden, out)?;
        }
        packages(report, out)?;
        layers(report, out)?;
        problems(report, out)?;
        writeln!(out, "</main>\n<script>\n{SCRIPT}</script>\n</body>\n</html>")
    }
}

fn header(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let target = &report.target;
    writeln!(
        out,
        "<header>\n<p class=\"brand\">Hullward</p>\n<h1>{}</h1>\n<dl>",
        escape(&target.name)
    )?;
    let mut rows = vec![("Kind", target.kind.name().to_owned())];
    rows.extend(target.os.as_ref().map(|os| ("System", wording::system_name(os))));
    rows.extend(target.platform.clone().map(|platform| ("Platform", platform)));
    rows.extend(
        target
            .digest
            .as_ref()
            .map(|digest| ("Digest", digest.to_string())),
    );
    rows.extend(
        target
            .image_id
            .as_ref()
            .map(|digest| ("Image id", digest.to_string())),
    );
    rows.push(("Scanned", report.created.clone()));
    rows.extend(
        report
            .database
            .clone()
            .map(|database| ("Advisories as of", database)),
    );
    for (key, value) in rows {
        writeln!(out, "<div><dt>{key}</dt><dd>{}</dd></div>", escape(&value))?;
    }
    writeln!(out, "</dl>")?;
    if let Some(end) = target.end_of_life.as_ref().filter(|end| end.ended) {
        let since = if end.date.is_empty() {
            String::new()
        } else {
            format!(" since {}", escape(&end.date))
        };
        writeln!(
            out,
            "<p class=\"warning\">{} {} is no longer supported{since}: new flaws stay unfixed.</p>",
            escape(&end.product),
            escape(&end.cycle)
        )?;
    }
    writeln!(out, "</header>")
}

fn tiles(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let summary = report.summary();
    writeln!(out, "<section class=\"tiles\" aria-label=\"Summary\">")?;
    for (severity, count) in Severity::ALL.iter().zip(summary.by_severity) {
        writeln!(
            out,
            "<div class=\"tile {severity}\"><b>{count}</b><span>{severity}</span></div>"
        )?;
    }
    for (count, label) in [
        (summary.fixable, "fixable"),
        (summary.known_exploited, "known exploited"),
        (summary.undetermined, "undetermined"),
        (summary.packages, "packages"),
    ] {
        writeln!(
            out,
            "<div class=\"tile\"><b>{count}</b><span>{label}</span></div>"
        )?;
    }
    writeln!(out, "</section>")
}

/// Counts by severity, in the order of [`Severity::ALL`].
type Counts = [usize; 5];

fn add(counts: &mut Counts, severity: Severity) {
    if let Some(at) = Severity::ALL.iter().position(|have| *have == severity) {
        counts[at] += 1;
    }
}

fn charts(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let mut by_layer: BTreeMap<u32, Counts> = BTreeMap::new();
    let mut by_package: BTreeMap<(String, String), Counts> = BTreeMap::new();
    for finding in wording::actionable(report) {
        let Some(package) = report.package_of(finding) else {
            continue;
        };
        add(
            by_package
                .entry((package.name.clone(), package.version.clone()))
                .or_default(),
            finding.severity,
        );
        if let Some(layer) = package.locations.first().and_then(|location| location.layer) {
            add(by_layer.entry(layer).or_default(), finding.severity);
        }
    }
    if by_package.is_empty() {
        return Ok(());
    }
    writeln!(out, "<section class=\"charts\">")?;
    if report.target.layers.len() > 1 {
        let bars: Vec<(String, Counts)> = (0_u32..)
            .zip(&report.target.layers)
            .filter_map(|(index, layer)| {
                let counts = by_layer.get(&index)?;
                let what = layer
                    .instruction
                    .clone()
                    .unwrap_or_else(|| layer.diff_id.short().to_owned());
                let base = if layer.from_base { " (base)" } else { "" };
                Some((format!("{}. {what}{base}", index + 1), *counts))
            })
            .collect();
        chart("Findings by layer", &bars, out)?;
    }
    let mut bars: Vec<(String, Counts)> = by_package
        .into_iter()
        .map(|((name, version), counts)| (format!("{name} {version}"), counts))
        .collect();
    bars.sort_by_key(|(_, counts)| std::cmp::Reverse((counts[0], counts[1], counts.iter().sum::<usize>())));
    bars.truncate(CHART_PACKAGES);
    chart("Packages with most to do", &bars, out)?;
    writeln!(out, "</section>")
}

/// Horizontal stacked bars; widths are shares of the longest bar, in percent.
fn chart(title: &str, bars: &[(String, Counts)], out: &mut dyn Write) -> io::Result<()> {
    let longest = bars
        .iter()
        .map(|(_, counts)| counts.iter().sum::<usize>())
        .max()
        .unwrap_or(1)
        .max(1);
    writeln!(
        out,
        "<figure>\n<figcaption>{title}</figcaption>\n<table class=\"bars\">"
    )?;
    for (label, counts) in bars {
        let total: usize = counts.iter().sum();
        write!(
            out,
            "<tr><th scope=\"row\" title=\"{0}\">{0}</th><td><div class=\"bar\">",
            escape(label)
        )?;
        for (severity, count) in Severity::ALL.iter().zip(counts).filter(|(_, count)| **count > 0) {
            #[expect(clippy::cast_precision_loss, reason = "a share in percent for a drawing")]
            let share = *count as f64 * 100.0 / longest as f64;
            write!(
                out,
                "<i class=\"{severity}\" style=\"width:{share:.2}%\" title=\"{count} {severity}\"></i>"
            )?;
        }
        writeln!(out, "</div></td><td class=\"number\">{total}</td></tr>")?;
    }
    writeln!(out, "</table>\n</figure>")
}

fn findings(report: &Report, hidden: usize, out: &mut dyn Write) -> io::Result<()> {
    let shown: Vec<&Finding> = report
        .findings
        .iter()
        .filter(|finding| !matches!(finding.status, Status::NotAffected | Status::Fixed))
        .collect();
    writeln!(
        out,
        "<section>\n<h2>Findings <small id=\"shown\">{}</small></h2>",
        shown.len()
    )?;
    if hidden > 0 {
        writeln!(
            out,
            "<p>Findings hidden by filters of the command line: {hidden}.</p>"
        )?;
        if shown.is_empty() {
            return writeln!(out, "</section>");
        }
    }
    if shown.is_empty() {
        return writeln!(out, "<p class=\"good\">No known flaws.</p>\n</section>");
    }
    writeln!(
        out,
        "<form class=\"filters\" onsubmit=\"return false\">\n<input id=\"search\" type=\"search\" placeholder=\"Filter by flaw, package, text\" aria-label=\"Filter\">"
    )?;
    for severity in Severity::ALL {
        writeln!(
            out,
            "<label class=\"{severity}\"><input type=\"checkbox\" name=\"severity\" value=\"{severity}\" checked> {severity}</label>"
        )?;
    }
    writeln!(
        out,
        "<label><input type=\"checkbox\" id=\"fixable\"> fixable only</label>\n<label><input type=\"checkbox\" id=\"exploited\"> known exploited only</label>\n</form>"
    )?;
    writeln!(
        out,
        "<table class=\"sortable\" id=\"findings\">\n<thead><tr><th data-sort=\"rank\">Severity</th><th>Flaw</th><th>Package</th><th>Installed</th><th>Fixed in</th><th>What</th></tr></thead>\n<tbody>"
    )?;
    for finding in shown {
        finding_row(finding, report, out)?;
    }
    writeln!(out, "</tbody>\n</table>\n</section>")
}

fn finding_row(finding: &Finding, report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let package = report.package_of(finding);
    let rank = Severity::ALL
        .iter()
        .position(|severity| *severity == finding.severity)
        .unwrap_or(4);
    let (name, version) = package.map_or(("", ""), |package| {
        (package.name.as_str(), package.version.as_str())
    });
    let fixed = if finding.fixed.is_empty() {
        "–".to_owned()
    } else {
        escape(&finding.fixed.join(", "))
    };
    let exploited = finding.known_exploited.is_some();
    writeln!(
        out,
        "<tr data-severity=\"{0}\" data-fixable=\"{1}\" data-exploited=\"{2}\"><td data-rank=\"{rank}\"><span class=\"pill {0}\">{0}</span></td>",
        finding.severity,
        u8::from(!finding.fixed.is_empty()),
        u8::from(exploited)
    )?;
    let mark = if exploited {
        " <span class=\"kev\" title=\"known to be exploited\">KEV</span>"
    } else {
        ""
    };
    let state = match finding.status {
        Status::Undetermined | Status::Suppressed | Status::UnderInvestigation => {
            format!(" <span class=\"state\">{}</span>", finding.status.name())
        }
        _ => String::new(),
    };
    writeln!(
        out,
        "<td class=\"id\">{}{mark}{state}</td><td>{}</td><td class=\"version\">{}</td><td class=\"version\">{fixed}</td><td><details><summary>{}</summary>",
        escape(&finding.rule),
        escape(name),
        escape(version),
        escape(&wording::title(finding, package))
    )?;
    details(finding, package, report, out)?;
    writeln!(out, "</details></td></tr>")
}

fn details(
    finding: &Finding,
    package: Option<&Package>,
    report: &Report,
    out: &mut dyn Write,
) -> io::Result<()> {
    if !finding.description.is_empty() {
        writeln!(out, "<p class=\"text\">{}</p>", escape(&finding.description))?;
    }
    writeln!(out, "<dl>")?;
    let mut rows: Vec<(&str, String)> = Vec::new();
    if !finding.reason.is_empty() {
        rows.push(("reason", finding.reason.clone()));
    }
    if !finding.aliases.is_empty() {
        rows.push(("also known as", finding.aliases.join(", ")));
    }
    for location in package
        .map(|package| package.locations.as_slice())
        .unwrap_or_default()
        .iter()
        .take(10)
    {
        let layer = wording::layer(location, report)
            .map(|layer| format!(" in layer {}", layer.short()))
            .unwrap_or_default();
        rows.push(("where", format!("{}{layer}", location.path)));
    }
    if let Some(package) = package.filter(|package| !package.path.is_empty()) {
        rows.push(("wanted by", package.path.join(" → ")));
    }
    for (key, value) in &finding.evidence {
        rows.push((key, value.clone()));
    }
    if let Some((probability, percentile)) = finding.epss {
        rows.push((
            "EPSS",
            format!(
                "{:.2} % (percentile {:.0})",
                probability * 100.0,
                percentile * 100.0
            ),
        ));
    }
    if let Some(known) = &finding.known_exploited {
        let ransomware = if known.ransomware {
            ", used by ransomware"
        } else {
            ""
        };
        rows.push(("known exploited", format!("since {}{ransomware}", known.added)));
    }
    for (key, value) in rows {
        writeln!(
            out,
            "<div><dt>{}</dt><dd>{}</dd></div>",
            escape(key),
            escape(&value)
        )?;
    }
    writeln!(out, "</dl>")?;
    let links: Vec<&String> = finding
        .references
        .iter()
        .filter(|url| wording::is_plain_url(url))
        .take(12)
        .collect();
    if !links.is_empty() {
        writeln!(out, "<ul>")?;
        for link in links {
            writeln!(
                out,
                "<li><a href=\"{0}\" rel=\"noreferrer noopener\">{0}</a></li>",
                escape(link)
            )?;
        }
        writeln!(out, "</ul>")?;
    }
    Ok(())
}

fn packages(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "<section>\n<h2>Packages <small>{}</small></h2>\n<details class=\"fold\"{}><summary>Show the inventory</summary>\n<table class=\"sortable\">\n<thead><tr><th>Package</th><th>Version</th><th>Type</th><th>Licence</th><th>Where</th></tr></thead>\n<tbody>",
        report.packages.len(),
        if report.findings.is_empty() { " open" } else { "" }
    )?;
    for package in &report.packages {
        let place = package
            .locations
            .first()
            .map(|location| location.path.as_str())
            .unwrap_or_default();
        writeln!(
            out,
            "<tr><td title=\"{}\">{}</td><td class=\"version\">{}</td><td>{}</td><td>{}</td><td class=\"path\">{}</td></tr>",
            escape(&package.purl.to_string()),
            escape(&package.name),
            escape(&package.version),
            escape(package.purl.kind()),
            escape(&package.licenses.join(", ")),
            escape(place)
        )?;
    }
    writeln!(out, "</tbody>\n</table>\n</details>\n</section>")
}

fn layers(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    if report.target.layers.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "<section>\n<h2>Layers <small>{}</small></h2>\n<table>\n<thead><tr><th>#</th><th>Digest</th><th>Packages</th><th>Made by</th></tr></thead>\n<tbody>",
        report.target.layers.len()
    )?;
    for (index, layer) in (0_u32..).zip(&report.target.layers) {
        let count = report
            .packages
            .iter()
            .filter(|package| {
                package
                    .locations
                    .first()
                    .is_some_and(|location| location.layer == Some(index))
            })
            .count();
        let base = if layer.from_base {
            " <span class=\"state\">base image</span>"
        } else {
            ""
        };
        writeln!(
            out,
            "<tr><td class=\"number\">{}</td><td class=\"version\" title=\"{}\">{}{base}</td><td class=\"number\">{count}</td><td class=\"path\">{}</td></tr>",
            index + 1,
            layer.diff_id,
            layer.diff_id.short(),
            escape(layer.instruction.as_deref().unwrap_or("not told"))
        )?;
    }
    writeln!(out, "</tbody>\n</table>\n</section>")
}

fn problems(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    if report.problems.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "<section>\n<h2>Could not be judged <small>{}</small></h2>\n<ul class=\"problems\">",
        report.problems.len()
    )?;
    for problem in &report.problems {
        writeln!(out, "<li>{}</li>", escape(&problem.to_string()))?;
    }
    writeln!(out, "</ul>\n</section>")
}

/// Text for HTML, in content and in quoted attributes; control characters are shown, never passed on.
fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for line in text.split('\n') {
        if !safe.is_empty() {
            safe.push('\n');
        }
        for character in printable(line.trim_end_matches('\r')).chars() {
            match character {
                '&' => safe.push_str("&amp;"),
                '<' => safe.push_str("&lt;"),
                '>' => safe.push_str("&gt;"),
                '"' => safe.push_str("&quot;"),
                '\'' => safe.push_str("&#39;"),
                other => safe.push(other),
            }
        }
    }
    safe
}
