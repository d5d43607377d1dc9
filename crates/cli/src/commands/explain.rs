//! `hullward explain`: what is known of an advisory, or what a name in a report or on the command line means.

use crate::arguments::Explain;
use crate::console::Console;
use crate::database;
use crate::settings::{Settings, distance};
use crate::{Failure, Outcome};
use advisory::Database;
use anyhow::{Context, anyhow};
use model::path::printable;
use model::{Advisory, Affected, Event, KnownExploited, Meta, RangeKind};
use serde::Serialize;

/// Affected packages that the text shows; JSON has all.
const SHOWN: usize = 25;

/// Runs the command.
///
/// # Errors
/// When nothing of that name is known, or the database cannot be read.
pub(crate) fn run(options: &Explain, settings: &Settings, console: &Console) -> Result<Outcome, Failure> {
    let mut text = String::new();
    if let Some((word, meaning)) = WORDS.iter().find(|(word, _)| *word == options.id) {
        text.push_str(&format!("{word}: {meaning}\n"));
    } else if let Some((family, meta)) = members().into_iter().find(|(_, meta)| meta.name == options.id) {
        explain_member(family, meta, &mut text);
    } else {
        let database = database::open(settings, console)?;
        let advisories = database.advisories(&options.id).map_err(database::failure)?;
        if advisories.is_empty() {
            return Err(unknown(&options.id));
        }
        if options.json {
            let all: Vec<AdvisoryObject<'_>> = advisories.iter().map(AdvisoryObject::of).collect();
            text = crate::console::json(&all)
                .context("the advisory could not be written")
                .map_err(Failure::internal)?;
        } else {
            for (index, advisory) in advisories.iter().enumerate() {
                if index > 0 {
                    text.push_str("\n\n");
                }
                explain_advisory(advisory, &database, &mut text)?;
            }
        }
    }
    super::print(&text)?;
    Ok(Outcome::Done)
}

/// Words of reports that are no member of a family.
const WORDS: [(&str, &str); 8] = [
    (
        "affected",
        "the installed version is in a vulnerable range; the evidence names record, range and comparison",
    ),
    ("fixed", "the flaw was there and a newer version has mended it"),
    ("not-affected", "the flaw is known not to be there"),
    (
        "os-release-end-of-life",
        "the makers of this operating system's release no longer mend new flaws; move to a supported release",
    ),
    (
        "runtime-release-end-of-life",
        "the makers of this runtime's release no longer mend new flaws; move to a supported release",
    ),
    (
        "suppressed",
        "present but set aside, with the reason; packages that only serve development are, and --include-dev counts them",
    ),
    (
        "under-investigation",
        "somebody is finding out whether the flaw is there",
    ),
    (
        "undetermined",
        "a version or range could not be compared; the reason says why, and the finding is never dropped",
    ),
];

/// All members of all families, by which names can be explained.
fn members() -> Vec<(&'static str, &'static Meta)> {
    let mut members: Vec<(&str, &Meta)> = Vec::new();
    members.extend(
        inventory::extractors::ALL
            .iter()
            .map(|member| ("package extractor", member.meta())),
    );
    members.extend(
        advisory::schemes::ALL
            .iter()
            .map(|member| ("version scheme", member.meta())),
    );
    members.extend(advisory::feeds::ALL.iter().map(|member| ("feed", member.meta())));
    members.extend(
        report::formats::ALL
            .iter()
            .map(|member| ("output format", member.meta())),
    );
    members
}

fn unknown(id: &str) -> Failure {
    let failure = Failure::unreadable(anyhow!(
        "nothing is known of `{id}`: it is no advisory in the database and no name of Hullward's"
    ));
    let nearest = members()
        .into_iter()
        .map(|(_, meta)| meta.name)
        .min_by_key(|name| distance(id, name));
    match nearest {
        Some(nearest) if distance(id, nearest) <= 3 => {
            failure.hint(format!("the nearest name is `{nearest}`"))
        }
        _ => failure.hint("`hullward db status` tells which ecosystems the database covers"),
    }
}

fn explain_member(family: &str, meta: &Meta, text: &mut String) {
    text.push_str(&format!("{} ({family})\n{}\n", meta.name, meta.title));
    for finds in meta.finds {
        text.push_str(&format!("  - {finds}\n"));
    }
    for reference in meta.references {
        text.push_str(&format!("  {reference}\n"));
    }
}

fn explain_advisory(advisory: &Advisory, database: &Database, text: &mut String) -> Result<(), Failure> {
    let line = |text: &mut String, key: &str, value: &str| {
        if !value.is_empty() {
            text.push_str(&format!("{key:<12} {}\n", printable(value)));
        }
    };
    line(text, "id", &advisory.id);
    line(text, "summary", &advisory.summary);
    line(text, "also", &advisory.aliases.join(", "));
    line(text, "answers", &advisory.upstream.join(", "));
    line(text, "published", &advisory.published);
    line(text, "modified", &advisory.modified);
    line(text, "withdrawn", &advisory.withdrawn);
    line(text, "weaknesses", &advisory.weaknesses.join(", "));
    for rating in &advisory.ratings {
        let source = if rating.source.is_empty() {
            String::new()
        } else {
            format!(" ({})", rating.source)
        };
        line(
            text,
            "rated",
            &format!("{} {}{source}", rating.kind, rating.value),
        );
    }
    for cve in std::iter::once(&advisory.id)
        .chain(&advisory.aliases)
        .chain(&advisory.upstream)
        .filter(|id| id.starts_with("CVE-"))
    {
        if let Some(KnownExploited {
            added,
            due,
            ransomware,
        }) = database.known_exploited(cve).map_err(database::failure)?
        {
            let ransomware = if ransomware { ", used by ransomware" } else { "" };
            line(
                text,
                "exploited",
                &format!("{cve}: known since {added}, to be mended by {due}{ransomware} (CISA KEV)"),
            );
        }
        if let Some((probability, percentile)) = database.epss(cve).map_err(database::failure)? {
            line(
                text,
                "epss",
                &format!(
                    "{cve}: {:.2} % within 30 days, percentile {:.0}",
                    probability * 100.0,
                    percentile * 100.0
                ),
            );
        }
    }
    text.push_str("\naffects\n");
    for affected in advisory.affected.iter().take(SHOWN) {
        text.push_str(&format!(
            "  {} {}: {}\n",
            printable(&affected.ecosystem),
            printable(&affected.name),
            printable(&ranges(affected))
        ));
    }
    if advisory.affected.len() > SHOWN {
        text.push_str(&format!(
            "  and {} more (--json shows all)\n",
            advisory.affected.len() - SHOWN
        ));
    }
    if !advisory.details.trim().is_empty() {
        text.push('\n');
        for paragraph in advisory.details.trim().lines() {
            text.push_str(&printable(paragraph));
            text.push('\n');
        }
    }
    if !advisory.references.is_empty() {
        text.push_str("\nlinks\n");
        for reference in &advisory.references {
            text.push_str(&format!("  {}\n", printable(&reference.url)));
        }
    }
    Ok(())
}

/// `>= 1.0, < 1.2.3; = 2.0`.
fn ranges(affected: &Affected) -> String {
    let mut parts = Vec::new();
    for range in affected
        .ranges
        .iter()
        .filter(|range| range.kind != RangeKind::Git)
    {
        let bounds: Vec<String> = range
            .events
            .iter()
            .filter_map(|event| match event {
                Event::Introduced(version) if version == "0" => None,
                Event::Introduced(version) => Some(format!(">= {version}")),
                Event::Fixed(version) => Some(format!("< {version}")),
                Event::LastAffected(version) => Some(format!("<= {version}")),
                Event::Limit(version) => Some(format!("up to {version}")),
            })
            .collect();
        parts.push(if bounds.is_empty() {
            "every version".to_owned()
        } else {
            bounds.join(", ")
        });
    }
    if parts.is_empty() {
        let count = affected.versions.len();
        let mut listed: Vec<&str> = affected.versions.iter().take(6).map(String::as_str).collect();
        if count > listed.len() {
            listed.push("…");
        }
        return if count == 0 {
            "versions are not told".to_owned()
        } else {
            format!("{count} versions: {}", listed.join(", "))
        };
    }
    parts.join("; ")
}

#[derive(Serialize)]
struct AdvisoryObject<'a> {
    id: &'a str,
    aliases: &'a [String],
    upstream: &'a [String],
    summary: &'a str,
    details: &'a str,
    published: &'a str,
    modified: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    withdrawn: &'a str,
    weaknesses: &'a [String],
    ratings: Vec<RatingObject<'a>>,
    affected: Vec<AffectedObject<'a>>,
    references: Vec<&'a str>,
}

#[derive(Serialize)]
struct RatingObject<'a> {
    kind: &'a str,
    value: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    source: &'a str,
}

#[derive(Serialize)]
struct AffectedObject<'a> {
    ecosystem: &'a str,
    name: &'a str,
    ranges: String,
    versions: &'a [String],
}

impl<'a> AdvisoryObject<'a> {
    fn of(advisory: &'a Advisory) -> Self {
        Self {
            id: &advisory.id,
            aliases: &advisory.aliases,
            upstream: &advisory.upstream,
            summary: &advisory.summary,
            details: &advisory.details,
            published: &advisory.published,
            modified: &advisory.modified,
            withdrawn: &advisory.withdrawn,
            weaknesses: &advisory.weaknesses,
            ratings: advisory
                .ratings
                .iter()
                .map(|rating| RatingObject {
                    kind: &rating.kind,
                    value: &rating.value,
                    source: &rating.source,
                })
                .collect(),
            affected: advisory
                .affected
                .iter()
                .map(|affected| AffectedObject {
                    ecosystem: &affected.ecosystem,
                    name: &affected.name,
                    ranges: ranges(affected),
                    versions: &affected.versions,
                })
                .collect(),
            references: advisory
                .references
                .iter()
                .map(|reference| reference.url.as_str())
                .collect(),
        }
    }
}
