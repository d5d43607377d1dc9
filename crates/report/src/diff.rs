//! What appeared and what went away between two reports.

use crate::wording::cell;
use model::path::printable;
use model::{Finding, Package, Report, Severity, Status};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

/// The difference between two reports.
#[derive(Debug, Default)]
pub struct Difference<'a> {
    /// Packages only in the newer report.
    pub packages_added: Vec<&'a Package>,
    /// Packages only in the older report.
    pub packages_removed: Vec<&'a Package>,
    /// Packages whose version changed: older and newer versions of one name.
    pub packages_changed: Vec<(Vec<&'a Package>, Vec<&'a Package>)>,
    /// Affected findings only in the newer report.
    pub findings_added: Vec<(&'a Finding, Option<&'a Package>)>,
    /// Affected findings only in the older report.
    pub findings_removed: Vec<(&'a Finding, Option<&'a Package>)>,
}

/// Compares two reports. A package is the same when ecosystem, name and version are; a finding is the same when the flaw and
/// the package's ecosystem and name are, so that an upgrade which leaves a flaw in place does not look like a new one.
#[must_use]
pub fn compare<'a>(old: &'a Report, new: &'a Report) -> Difference<'a> {
    let mut difference = Difference::default();
    let old_packages = by_name(old);
    let new_packages = by_name(new);
    let names: BTreeSet<_> = old_packages.keys().chain(new_packages.keys()).collect();
    for name in names {
        let empty = BTreeMap::new();
        let before = old_packages.get(name).unwrap_or(&empty);
        let after = new_packages.get(name).unwrap_or(&empty);
        let gone: Vec<&Package> = before
            .iter()
            .filter(|(version, _)| !after.contains_key(*version))
            .map(|(_, package)| *package)
            .collect();
        let come: Vec<&Package> = after
            .iter()
            .filter(|(version, _)| !before.contains_key(*version))
            .map(|(_, package)| *package)
            .collect();
        match (gone.is_empty(), come.is_empty()) {
            (false, false) => difference.packages_changed.push((gone, come)),
            (false, true) => difference.packages_removed.extend(gone),
            (true, false) => difference.packages_added.extend(come),
            (true, true) => {}
        }
    }
    let old_findings = affected(old);
    let new_findings = affected(new);
    difference.findings_added = only_in(&new_findings, &old_findings);
    difference.findings_removed = only_in(&old_findings, &new_findings);
    difference
}

/// Name and ecosystem of a package, without the release: what upgrades keep.
type Name = (String, String, String);

fn name_of(package: &Package) -> Name {
    let ecosystem = package.ecosystem.split(':').next().unwrap_or_default().to_owned();
    (ecosystem, package.purl.kind().to_owned(), package.name.clone())
}

fn by_name(report: &Report) -> BTreeMap<Name, BTreeMap<&str, &Package>> {
    let mut packages: BTreeMap<Name, BTreeMap<&str, &Package>> = BTreeMap::new();
    for package in &report.packages {
        packages
            .entry(name_of(package))
            .or_default()
            .entry(&package.version)
            .or_insert(package);
    }
    packages
}

type FindingKey = (String, Option<Name>);

fn affected(report: &Report) -> BTreeMap<FindingKey, (&Finding, Option<&Package>)> {
    report
        .findings
        .iter()
        .filter(|finding| finding.status == Status::Affected)
        .map(|finding| {
            let package = report.package_of(finding);
            ((finding.rule.clone(), package.map(name_of)), (finding, package))
        })
        .collect()
}

fn only_in<'a>(
    these: &BTreeMap<FindingKey, (&'a Finding, Option<&'a Package>)>,
    those: &BTreeMap<FindingKey, (&'a Finding, Option<&'a Package>)>,
) -> Vec<(&'a Finding, Option<&'a Package>)> {
    let mut only: Vec<_> = these
        .iter()
        .filter(|(key, _)| !those.contains_key(key))
        .map(|(_, finding)| *finding)
        .collect();
    only.sort_by_key(|(finding, _)| std::cmp::Reverse(finding.severity));
    only
}

impl Difference<'_> {
    /// True when nothing appeared, changed or went away.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.packages_added.is_empty()
            && self.packages_removed.is_empty()
            && self.packages_changed.is_empty()
            && self.findings_added.is_empty()
            && self.findings_removed.is_empty()
    }

    /// True when a finding of at least this severity appeared.
    #[must_use]
    pub fn reaches(&self, threshold: Severity) -> bool {
        self.findings_added
            .iter()
            .any(|(finding, _)| finding.severity >= threshold)
    }

    /// Text for a terminal.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write_text(&self, out: &mut dyn Write) -> io::Result<()> {
        if self.is_empty() {
            return writeln!(out, "no difference");
        }
        section(
            out,
            "Flaws that appeared",
            self.findings_added
                .iter()
                .map(|finding| format!("+ {}", finding_line(finding))),
        )?;
        section(
            out,
            "Flaws that went away",
            self.findings_removed
                .iter()
                .map(|finding| format!("- {}", finding_line(finding))),
        )?;
        section(
            out,
            "Packages that changed",
            self.packages_changed.iter().map(|(old, new)| {
                format!(
                    "~ {} {} -> {}",
                    new.first()
                        .map(|package| package.name.as_str())
                        .unwrap_or_default(),
                    versions(old),
                    versions(new)
                )
            }),
        )?;
        section(
            out,
            "Packages that appeared",
            self.packages_added
                .iter()
                .map(|package| format!("+ {} {}", package.name, package.version)),
        )?;
        section(
            out,
            "Packages that went away",
            self.packages_removed
                .iter()
                .map(|package| format!("- {} {}", package.name, package.version)),
        )?;
        writeln!(
            out,
            "{} flaws appeared, {} went away; {} packages appeared, {} changed, {} went away",
            self.findings_added.len(),
            self.findings_removed.len(),
            self.packages_added.len(),
            self.packages_changed.len(),
            self.packages_removed.len()
        )
    }

    /// Markdown, for a comment on a change.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write_markdown(&self, out: &mut dyn Write) -> io::Result<()> {
        if self.is_empty() {
            return writeln!(out, "No difference.");
        }
        let findings = [
            ("Flaws that appeared", &self.findings_added),
            ("Flaws that went away", &self.findings_removed),
        ];
        for (title, findings) in findings.into_iter().filter(|(_, findings)| !findings.is_empty()) {
            writeln!(
                out,
                "### {title}\n\n| Severity | Flaw | Package | Version | Fixed in |\n| --- | --- | --- | --- | --- |"
            )?;
            for (finding, package) in findings {
                let (name, version) = package.map_or(("", ""), |package| {
                    (package.name.as_str(), package.version.as_str())
                });
                let fixed = finding.fixed.first().map(String::as_str).unwrap_or_default();
                let cells = [finding.severity.name(), &finding.rule, name, version, fixed].map(cell);
                writeln!(out, "| {} |", cells.join(" | "))?;
            }
            writeln!(out)?;
        }
        let mut rows = Vec::new();
        rows.extend(self.packages_changed.iter().map(|(old, new)| {
            (
                new.first()
                    .map(|package| package.name.as_str())
                    .unwrap_or_default(),
                versions(old),
                versions(new),
            )
        }));
        rows.extend(
            self.packages_added
                .iter()
                .map(|package| (package.name.as_str(), String::new(), package.version.clone())),
        );
        rows.extend(
            self.packages_removed
                .iter()
                .map(|package| (package.name.as_str(), package.version.clone(), String::new())),
        );
        if !rows.is_empty() {
            writeln!(
                out,
                "### Packages\n\n| Package | Before | After |\n| --- | --- | --- |"
            )?;
            for (name, before, after) in rows {
                writeln!(out, "| {} | {} | {} |", cell(name), cell(&before), cell(&after))?;
            }
        }
        Ok(())
    }

    /// One JSON object, `hullward.diff/v1`.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        let document = DiffObject {
            schema: "hullward.diff/v1",
            packages: PackagesObject {
                added: self
                    .packages_added
                    .iter()
                    .map(|package| package.purl.to_string())
                    .collect(),
                removed: self
                    .packages_removed
                    .iter()
                    .map(|package| package.purl.to_string())
                    .collect(),
                changed: self
                    .packages_changed
                    .iter()
                    .map(|(old, new)| ChangedObject {
                        name: new
                            .first()
                            .map(|package| package.name.as_str())
                            .unwrap_or_default(),
                        before: old.iter().map(|package| package.version.as_str()).collect(),
                        after: new.iter().map(|package| package.version.as_str()).collect(),
                    })
                    .collect(),
            },
            findings: FindingsObject {
                added: self.findings_added.iter().map(finding_object).collect(),
                removed: self.findings_removed.iter().map(finding_object).collect(),
            },
        };
        crate::write_json(&document, out)
    }
}

#[derive(Serialize)]
struct DiffObject<'a> {
    schema: &'static str,
    packages: PackagesObject<'a>,
    findings: FindingsObject<'a>,
}

#[derive(Serialize)]
struct PackagesObject<'a> {
    added: Vec<String>,
    removed: Vec<String>,
    changed: Vec<ChangedObject<'a>>,
}

#[derive(Serialize)]
struct ChangedObject<'a> {
    name: &'a str,
    before: Vec<&'a str>,
    after: Vec<&'a str>,
}

#[derive(Serialize)]
struct FindingsObject<'a> {
    added: Vec<FindingObject<'a>>,
    removed: Vec<FindingObject<'a>>,
}

#[derive(Serialize)]
struct FindingObject<'a> {
    rule: &'a str,
    severity: &'a str,
    title: &'a str,
    package: Option<String>,
    fixed: &'a [String],
}

fn finding_object<'a>(finding: &(&'a Finding, Option<&'a Package>)) -> FindingObject<'a> {
    let (finding, package) = finding;
    FindingObject {
        rule: &finding.rule,
        severity: finding.severity.name(),
        title: &finding.title,
        package: package.map(|package| package.purl.to_string()),
        fixed: &finding.fixed,
    }
}

fn finding_line((finding, package): &(&Finding, Option<&Package>)) -> String {
    let package = package
        .map(|package| format!("{} {}", package.name, package.version))
        .unwrap_or_default();
    let fixed = finding
        .fixed
        .first()
        .map(|fixed| format!(" (fixed in {fixed})"))
        .unwrap_or_default();
    format!("{:8} {} {package}{fixed}", finding.severity.name(), finding.rule)
}

fn section(out: &mut dyn Write, title: &str, lines: impl Iterator<Item = String>) -> io::Result<()> {
    let mut lines = lines.peekable();
    if lines.peek().is_none() {
        return Ok(());
    }
    writeln!(out, "{title}")?;
    for line in lines {
        writeln!(out, "  {}", printable(&line))?;
    }
    writeln!(out)
}

fn versions(packages: &[&Package]) -> String {
    packages
        .iter()
        .map(|package| package.version.as_str())
        .collect::<Vec<_>>()
        .join(", ")
}
