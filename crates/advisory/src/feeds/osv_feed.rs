//! Advisories in OSV's format, as its public bucket and this project's starter data hold them.

use super::{Feed, Item, Sink, file_name, shown};
use model::{Advisory, Affected, Event, Fact, Meta, Problem, Range, RangeKind, Rating, Reference};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// The member.
pub(super) static OSV_FEED: OsvFeed = OsvFeed;

pub(super) struct OsvFeed;

static META: Meta = Meta {
    name: "osv-feed",
    title: "Advisories of every ecosystem in OSV's format",
    finds: &[
        "<Ecosystem>/all.zip with one <ID>.json a record",
        "<Ecosystem>/<ID>.json",
        "<Ecosystem>.jsonl and <Ecosystem>/*.jsonl with one record a line",
    ],
    needs: &[],
    references: &[
        "https://ossf.github.io/osv-schema/",
        "https://google.github.io/osv.dev/data/",
    ],
};

/// Longest text of details that is kept, in bytes.
const DETAILS: usize = 16 << 10;
/// Longest summary that is kept, in bytes.
const SUMMARY: usize = 500;
/// Longest version, name or id that is accepted, in bytes.
const WORD: usize = 1000;
/// Most affected entries, ranges of an entry, events of a range or versions of an entry; beyond it the record is refused.
const COUNT: usize = 200_000;
/// Most links and names that are kept.
const LINKS: usize = 100;

impl Feed for OsvFeed {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn wants(&self, path: &str) -> bool {
        let name = file_name(path);
        name.ends_with(".jsonl")
            || (path.contains('/')
                && name.ends_with(".json")
                && name.contains('-')
                && !path.starts_with("epss/")
                && !path.starts_with("kev/")
                && !path.starts_with("eol/"))
    }

    fn read(&self, path: &str, bytes: &[u8], sink: &mut dyn Sink) {
        if !path.ends_with(".jsonl") {
            return record(path, bytes, sink);
        }
        for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
            if !line.trim_ascii().is_empty() {
                record(&format!("{path}:{}", index + 1), line, sink);
            }
        }
    }
}

fn record(path: &str, bytes: &[u8], sink: &mut dyn Sink) {
    match serde_json::from_slice::<Record>(bytes) {
        Ok(record) => match advisory(record) {
            Ok(advisory) => sink.item(Item::Advisory(Box::new(advisory))),
            Err(reason) => sink.problem(Problem::file(path, reason)),
        },
        Err(error) => sink.problem(Problem::file(path, format!("no OSV record: {error}"))),
    }
}

/// `null` stands for the default, as some feeds write it.
fn nullable<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

#[derive(Deserialize)]
struct Record {
    id: String,
    #[serde(default, deserialize_with = "nullable")]
    aliases: Vec<String>,
    #[serde(default, deserialize_with = "nullable")]
    upstream: Vec<String>,
    #[serde(default, deserialize_with = "nullable")]
    related: Vec<String>,
    #[serde(default, deserialize_with = "nullable")]
    summary: String,
    #[serde(default, deserialize_with = "nullable")]
    details: String,
    #[serde(default, deserialize_with = "nullable")]
    severity: Vec<Score>,
    #[serde(default, deserialize_with = "nullable")]
    published: String,
    #[serde(default, deserialize_with = "nullable")]
    modified: String,
    #[serde(default, deserialize_with = "nullable")]
    withdrawn: String,
    #[serde(default, deserialize_with = "nullable")]
    references: Vec<Link>,
    #[serde(default, deserialize_with = "nullable")]
    affected: Vec<Entry>,
    #[serde(default)]
    database_specific: Value,
}

#[derive(Default, Deserialize)]
struct Score {
    #[serde(rename = "type", default, deserialize_with = "nullable")]
    kind: String,
    #[serde(default)]
    score: Value,
}

#[derive(Default, Deserialize)]
struct Link {
    #[serde(rename = "type", default, deserialize_with = "nullable")]
    kind: String,
    #[serde(default, deserialize_with = "nullable")]
    url: String,
}

#[derive(Default, Deserialize)]
struct Entry {
    #[serde(default, deserialize_with = "nullable")]
    package: Named,
    #[serde(default, deserialize_with = "nullable")]
    ranges: Vec<Bounds>,
    #[serde(default, deserialize_with = "nullable")]
    versions: Vec<String>,
    #[serde(default, deserialize_with = "nullable")]
    severity: Vec<Score>,
    #[serde(default)]
    ecosystem_specific: Value,
    #[serde(default)]
    database_specific: Value,
}

#[derive(Default, Deserialize)]
struct Named {
    #[serde(default, deserialize_with = "nullable")]
    ecosystem: String,
    #[serde(default, deserialize_with = "nullable")]
    name: String,
}

#[derive(Default, Deserialize)]
struct Bounds {
    #[serde(rename = "type", default, deserialize_with = "nullable")]
    kind: String,
    #[serde(default, deserialize_with = "nullable")]
    events: Vec<Bound>,
}

/// One event. Exactly one of the fields is set in a valid record.
#[derive(Default, Deserialize)]
struct Bound {
    introduced: Option<String>,
    fixed: Option<String>,
    last_affected: Option<String>,
    limit: Option<String>,
}

/// Distributions' own records name the flaws that they answer in `related` where they have no `upstream` yet.
const ANSWERS: [&str; 8] = [
    "DSA-", "DLA-", "DTSA-", "ALSA-", "ALBA-", "ALEA-", "RLSA-", "USN-",
];

fn advisory(mut record: Record) -> Result<Advisory, String> {
    let id = std::mem::take(&mut record.id);
    if id.is_empty() || id.len() > WORD {
        return Err("the record has no usable id".to_owned());
    }
    let name = shown(&id);
    let entries: usize = record.affected.len();
    if entries > COUNT {
        return Err(format!("{name}: {entries} affected entries, more than {COUNT}"));
    }
    let mut upstream = record.upstream;
    if upstream.is_empty() && ANSWERS.iter().any(|prefix| id.starts_with(prefix)) {
        upstream = record
            .related
            .into_iter()
            .filter(|name| name.starts_with("CVE-"))
            .collect();
    }
    let word = vendor_word(&record.database_specific)
        .map(|word| (word, "database_specific"))
        .or_else(|| summary_word(&id, &record.summary).map(|word| (word, "summary")));
    let mut ratings: Vec<Rating> = word
        .into_iter()
        .map(|(value, source)| Rating {
            kind: "word".to_owned(),
            value,
            source: source.to_owned(),
        })
        .collect();
    ratings.extend(scores(&record.severity));
    let stream = module_stream(&record.summary);
    let mut affected = Vec::with_capacity(entries);
    for entry in record.affected {
        affected.push(affected_entry(&name, entry, stream.as_deref())?);
    }
    let mut weaknesses = Vec::new();
    for key in ["cwe_ids", "cwes"] {
        for weakness in record
            .database_specific
            .get(key)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            let text = weakness
                .as_str()
                .or_else(|| weakness.get("cweId").and_then(Value::as_str));
            weaknesses.extend(text.map(str::to_owned));
        }
    }
    weaknesses.truncate(LINKS);
    let names = |mut names: Vec<String>| {
        names.retain(|name| !name.is_empty() && name.len() <= WORD);
        names.truncate(1000);
        names
    };
    Ok(Advisory {
        aliases: names(record.aliases),
        upstream: names(upstream),
        summary: cut(record.summary, SUMMARY),
        details: cut(record.details, DETAILS),
        ratings,
        published: real_time(record.published),
        modified: record.modified,
        withdrawn: record.withdrawn,
        references: record
            .references
            .into_iter()
            .filter(|link| !link.url.is_empty() && link.url.len() <= 2 * WORD)
            .take(LINKS)
            .map(|link| Reference {
                kind: link.kind.to_ascii_lowercase(),
                url: link.url,
            })
            .collect(),
        weaknesses,
        affected,
        id,
    })
}

fn affected_entry(id: &str, entry: Entry, stream: Option<&str>) -> Result<Affected, String> {
    let Named { ecosystem, name } = entry.package;
    if name.len() > WORD || ecosystem.len() > WORD {
        return Err(format!("{id}: a package name of more than {WORD} bytes"));
    }
    if entry.ranges.len() > COUNT || entry.versions.len() > COUNT {
        return Err(format!(
            "{id}: {} ranges and {} versions of {}, more than {COUNT}",
            entry.ranges.len(),
            entry.versions.len(),
            shown(&name)
        ));
    }
    let mut ranges = Vec::with_capacity(entry.ranges.len());
    for bounds in entry.ranges {
        ranges.extend(range(id, &name, bounds)?);
    }
    let mut versions = entry.versions;
    versions.retain(|version| version.len() <= WORD);
    let mut facts = Vec::new();
    let specific = &entry.ecosystem_specific;
    for custom in specific
        .get("custom_ranges")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        // Go's unreviewed records hold the release numbers that no module version carries here.
        if let Ok(bounds) = Bounds::deserialize(custom)
            && let Some(range) = range(id, &name, bounds)?
        {
            facts.push(Fact::new("custom-range", crate::ranges::to_fact(&range)));
        }
    }
    if let Some(kind) = entry
        .database_specific
        .get("informational")
        .and_then(Value::as_str)
    {
        facts.push(Fact::new("informational", kind));
    }
    if ecosystem.starts_with("SUSE") || ecosystem.starts_with("openSUSE") {
        for binaries in specific
            .get("binaries")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            for binary in binaries.as_object().into_iter().flat_map(|map| map.keys()) {
                facts.push(Fact::new("binary", binary));
            }
        }
    }
    let modular = ranges
        .iter()
        .flat_map(|range| &range.events)
        .any(|event| crate::streams::is_modular(crate::ranges::version_of(event)));
    if modular {
        facts.push(Fact::new("module", stream.unwrap_or_default()));
    }
    let mut ratings = scores(&entry.severity);
    for specific in [&entry.ecosystem_specific, &entry.database_specific] {
        ratings.extend(vendor_word(specific).map(|value| Rating {
            kind: "word".to_owned(),
            value,
            source: "affected package".to_owned(),
        }));
    }
    for (key, kind) in [
        ("cvss_v4", "cvss-v4"),
        ("cvss_v3", "cvss-v3"),
        ("cvss_v2", "cvss-v2"),
    ] {
        // RubyGems' advisories give scores without vectors.
        if let Some(score) = entry.database_specific.get(key).and_then(Value::as_f64) {
            ratings.push(Rating {
                kind: kind.to_owned(),
                value: score.to_string(),
                source: "database_specific".to_owned(),
            });
        }
    }
    facts.truncate(1000);
    Ok(Affected {
        ecosystem,
        name,
        ranges,
        versions,
        ratings,
        facts,
    })
}

/// `None` for ranges without a known kind or without events.
fn range(id: &str, package: &str, bounds: Bounds) -> Result<Option<Range>, String> {
    let kind = match bounds.kind.as_str() {
        "SEMVER" => RangeKind::Semver,
        "ECOSYSTEM" => RangeKind::Ecosystem,
        "GIT" => RangeKind::Git,
        other => {
            return Err(format!(
                "{id}: a range of {} has the unknown type `{}`",
                shown(package),
                shown(other)
            ));
        }
    };
    if bounds.events.len() > COUNT {
        return Err(format!(
            "{id}: a range of {} with {} events, more than {COUNT}",
            shown(package),
            bounds.events.len()
        ));
    }
    // Commits are never compared: only enumerated versions count for such a range.
    if kind == RangeKind::Git {
        return Ok(None);
    }
    let mut events = Vec::with_capacity(bounds.events.len());
    for bound in bounds.events {
        let found = [
            bound.introduced.map(Event::Introduced),
            bound.fixed.map(Event::Fixed),
            bound.last_affected.map(Event::LastAffected),
            bound.limit.map(Event::Limit),
        ];
        for event in found.into_iter().flatten() {
            if crate::ranges::version_of(&event).len() > WORD {
                return Err(format!(
                    "{id}: a bound of {} with more than {WORD} bytes",
                    shown(package)
                ));
            }
            events.push(event);
        }
    }
    Ok((!events.is_empty()).then_some(Range { kind, events }))
}

fn scores(scores: &[Score]) -> Vec<Rating> {
    scores
        .iter()
        .take(LINKS)
        .filter_map(|score| {
            let value = match &score.score {
                Value::String(text) if text.len() <= WORD => text.clone(),
                Value::Number(number) => number.to_string(),
                _ => return None,
            };
            let kind = match score.kind.as_str() {
                "CVSS_V4" => "cvss-v4",
                "CVSS_V3" => "cvss-v3",
                "CVSS_V2" => "cvss-v2",
                "Ubuntu" => "ubuntu",
                _ => "word",
            };
            Some(Rating {
                kind: kind.to_owned(),
                value,
                source: if kind == "word" {
                    score.kind.clone()
                } else {
                    String::new()
                },
            })
        })
        .collect()
}

/// The vendor's own word in `database_specific` or `ecosystem_specific`.
fn vendor_word(specific: &Value) -> Option<String> {
    ["severity", "urgency", "priority"]
        .into_iter()
        .filter_map(|key| specific.get(key).and_then(Value::as_str))
        .find(|word| model::Severity::from_word(word).is_some())
        .map(str::to_owned)
}

/// Rebuilders of Red Hat's distribution write the rating before the summary: `Important: nodejs:14 security update`.
fn summary_word(id: &str, summary: &str) -> Option<String> {
    let prefixes = ["ALSA-", "RLSA-", "RHSA-", "ELSA-"];
    let (word, _) = summary.split_once(':')?;
    (prefixes.iter().any(|prefix| id.starts_with(prefix)) && model::Severity::from_word(word).is_some())
        .then(|| word.to_owned())
}

/// `nodejs:14` in `Important: nodejs:14 security update`; the module and stream that a record of modular packages is about.
fn module_stream(summary: &str) -> Option<String> {
    summary
        .split_ascii_whitespace()
        .map(|word| word.trim_matches(|c: char| matches!(c, ',' | ';' | '(' | ')' | '.')))
        .find(|word| {
            word.split_once(':').is_some_and(|(module, stream)| {
                !module.is_empty()
                    && !stream.is_empty()
                    && word.bytes().all(|byte| {
                        byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-' | b':' | b'+')
                    })
            })
        })
        .map(str::to_owned)
}

/// Cuts at a character's boundary.
fn cut(mut text: String, limit: usize) -> String {
    if text.len() > limit {
        let mut at = limit;
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        text.truncate(at);
        text.push('…');
    }
    text
}

/// Go's records carry year 1 where the date is not known.
fn real_time(time: String) -> String {
    if time.starts_with("0001-") {
        String::new()
    } else {
        time
    }
}
