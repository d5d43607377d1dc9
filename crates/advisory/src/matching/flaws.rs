//! What several records say of one flaw of one package becomes one finding.

use super::judge::Opinion;
use super::{Part, rating};
use crate::DatabaseError;
use crate::ecosystem;
use crate::ranges::{Verdict, Why};
use crate::records::Header;
use model::{Finding, FindingKind, Package, Rating, Severity, Status};
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

/// A record and its opinion.
pub(super) struct Said {
    pub header: Rc<Header>,
    pub verdict: Opinion,
}

/// Links that a finding shows.
const REFERENCES: usize = 10;
/// Records that are asked for a rating or summary when the package's own have none.
const ASKED: usize = 20;

/// The CVEs that a record is about: by its own id, its aliases, and the flaws that it answers. `DEBIAN-CVE-…` and its like
/// carry the CVE in their id.
fn cves(header: &Header) -> BTreeSet<&str> {
    let own = header.id.find("CVE-").map(|at| &header.id[at..]);
    own.into_iter()
        .chain(header.aliases.iter().map(String::as_str))
        .chain(header.upstream.iter().map(String::as_str))
        .filter(|name| name.starts_with("CVE-"))
        .collect()
}

/// One flaw: its names, and who speaks of it (indices).
#[derive(Default)]
struct Flaw<'a> {
    names: BTreeSet<&'a str>,
    said: Vec<usize>,
}

/// Groups records by flaw. A record that answers several CVEs at once (DSA, ALSA, RHSA) speaks of each of them; any other
/// record joins all its names into one flaw.
fn group(said: &[Said]) -> Vec<Flaw<'_>> {
    let mut names: HashMap<&str, usize> = HashMap::new();
    let mut parents: Vec<usize> = Vec::new();
    let mut answers: Vec<(usize, BTreeSet<&str>)> = Vec::new();
    let mut members: Vec<(usize, usize)> = Vec::new();
    for (index, Said { header, .. }) in said.iter().enumerate() {
        let answered: BTreeSet<&str> = header
            .upstream
            .iter()
            .map(String::as_str)
            .filter(|name| name.starts_with("CVE-"))
            .collect();
        if answered.len() > 1 {
            answers.push((index, answered));
            continue;
        }
        let own = std::iter::once(header.id.as_str())
            .chain(header.aliases.iter().map(String::as_str))
            .chain(header.upstream.iter().map(String::as_str))
            .chain(cves(header));
        let mut root = None;
        for name in own {
            let node = node(name, &mut names, &mut parents);
            match root {
                None => root = Some(find(&mut parents, node)),
                Some(have) => {
                    let other = find(&mut parents, node);
                    parents[other] = have;
                }
            }
        }
        members.extend(root.map(|root| (index, root)));
    }
    for (index, answered) in &answers {
        for cve in answered {
            members.push((*index, node(cve, &mut names, &mut parents)));
        }
    }
    let mut flaws: BTreeMap<usize, Flaw<'_>> = BTreeMap::new();
    for (index, node) in members {
        let flaw = flaws.entry(find(&mut parents, node)).or_default();
        if !flaw.said.contains(&index) {
            flaw.said.push(index);
        }
        flaw.names.insert(said[index].header.id.as_str());
    }
    for (name, node) in names {
        if let Some(flaw) = flaws.get_mut(&find(&mut parents, node)) {
            flaw.names.insert(name);
        }
    }
    flaws.into_values().collect()
}

fn node<'a>(name: &'a str, names: &mut HashMap<&'a str, usize>, parents: &mut Vec<usize>) -> usize {
    *names.entry(name).or_insert_with(|| {
        parents.push(parents.len());
        parents.len() - 1
    })
}

fn find(parents: &mut [usize], mut node: usize) -> usize {
    while parents[node] != node {
        parents[node] = parents[parents[node]];
        node = parents[node];
    }
    node
}

/// The name that a flaw is reported by: its CVE if it has exactly one, else a GHSA, else the deciding record's id.
fn rule<'a>(flaw: &Flaw<'a>, deciding: &'a str) -> &'a str {
    let mut cves = flaw.names.iter().filter(|name| name.starts_with("CVE-"));
    match (cves.next(), cves.next()) {
        (Some(cve), None) => cve,
        _ => flaw
            .names
            .iter()
            .find(|name| name.starts_with("GHSA-"))
            .copied()
            .unwrap_or(deciding),
    }
}

/// Makes the findings of one package.
pub(super) fn findings(
    part: &mut Part<'_>,
    package: &Package,
    said: &[Said],
    findings: &mut Vec<Finding>,
) -> Result<(), DatabaseError> {
    for flaw in group(said) {
        let mut records: Vec<&Said> = flaw.said.iter().filter_map(|index| said.get(*index)).collect();
        // A fix of an extended stream that is installed settles the matter for the plain release.
        let settled = records.iter().any(|said| {
            said.verdict.stream.is_some() && matches!(said.verdict.verdict, Verdict::Clear(Some(_)))
        });
        if settled {
            continue;
        }
        records.retain(|said| !matches!(said.verdict.verdict, Verdict::Clear(_)));
        // Affected before undetermined, the plain release before extended streams; else as the file has them.
        records.sort_by_key(|said| {
            (
                !matches!(said.verdict.verdict, Verdict::Affected(_)),
                said.verdict.stream.is_some(),
            )
        });
        if let Some(deciding) = records.first() {
            let finding = finding(part, package, &flaw, deciding, &records)?;
            findings.push(finding);
        }
    }
    Ok(())
}

fn finding(
    part: &mut Part<'_>,
    package: &Package,
    flaw: &Flaw<'_>,
    deciding: &Said,
    records: &[&Said],
) -> Result<Finding, DatabaseError> {
    let header = &deciding.header;
    let opinion = &deciding.verdict;
    let rule = rule(flaw, &header.id);
    let malware = flaw.names.iter().any(|name| name.starts_with("MAL-"));
    let mut ratings: Vec<(String, Rating)> = Vec::new();
    for said in records {
        let of_record = said.verdict.ratings.iter().chain(&said.header.ratings);
        ratings.extend(of_record.map(|rating| (said.header.id.clone(), rating.clone())));
    }
    let mut chosen = rating::choose(&ratings);
    let mut title = records
        .iter()
        .map(|said| said.header.summary.as_str())
        .find(|summary| !summary.is_empty())
        .unwrap_or_default()
        .to_owned();
    if chosen.severity == Severity::Unknown || title.is_empty() {
        // Distributions often neither rate nor describe; other records of the same flaw may.
        let (elsewhere, summary) = ask(part, rule)?;
        if chosen.severity == Severity::Unknown {
            chosen = rating::choose(&elsewhere);
        }
        if title.is_empty() {
            title = summary;
        }
    }
    if title.is_empty() {
        rule.clone_into(&mut title);
    }
    let (status, reason) = match &opinion.verdict {
        Verdict::Undetermined(reason) => (Status::Undetermined, reason.clone()),
        _ => (Status::Affected, String::new()),
    };
    let mut score = chosen.cvss.as_ref().map(|(_, score)| *score);
    let kind = if malware {
        chosen.severity = Severity::Critical;
        "MAL, a malicious package".clone_into(&mut chosen.source);
        score = None;
        FindingKind::Malware
    } else if opinion.informational.as_deref() == Some("unmaintained") {
        FindingKind::Eol
    } else {
        FindingKind::Vulnerability
    };
    let (fixed, channel) = fixed(opinion.scheme, records);
    let channel = channel.filter(|stream| !ecosystem::is_enabled(stream, part.os));
    let mut known_exploited = None;
    let mut epss: Option<(f64, f64)> = None;
    for cve in flaw.names.iter().filter(|name| name.starts_with("CVE-")) {
        let (entry, score) = part.exploitation(cve)?;
        known_exploited = known_exploited.or(entry);
        if let Some(found) = score
            && epss.is_none_or(|have| found.0 > have.0)
        {
            epss = Some(found);
        }
    }
    let mut references: Vec<String> = Vec::new();
    for link in records.iter().flat_map(|said| &said.header.references) {
        if references.len() < REFERENCES && !references.contains(link) {
            references.push(link.clone());
        }
    }
    let mut weaknesses: Vec<String> = records
        .iter()
        .flat_map(|said| said.header.weaknesses.iter().cloned())
        .collect();
    weaknesses.sort();
    weaknesses.dedup();
    let published = records
        .iter()
        .map(|said| said.header.published.get(..10).unwrap_or_default())
        .filter(|date| !date.is_empty())
        .min()
        .unwrap_or_default()
        .to_owned();
    let evidence = evidence(deciding, records, &chosen, channel);
    Ok(Finding {
        id: format!("{rule}@{}", package.purl),
        kind,
        rule: rule.to_owned(),
        aliases: flaw
            .names
            .iter()
            .filter(|name| **name != rule)
            .map(|name| (*name).to_owned())
            .collect(),
        severity: chosen.severity,
        title,
        description: String::new(),
        package: None,
        fixed,
        location: None,
        evidence,
        references,
        weaknesses,
        controls: Vec::new(),
        status,
        reason,
        score,
        known_exploited,
        epss,
        published,
    })
}

/// Ratings and a summary from any record of a flaw, kept for the next package that has it.
fn ask(part: &mut Part<'_>, name: &str) -> Result<(Vec<(String, Rating)>, String), DatabaseError> {
    if let Some(known) = part.elsewhere.get(name) {
        return Ok(known.clone());
    }
    let mut ratings = Vec::new();
    let mut summary = String::new();
    for number in part.database.numbers(name)?.into_iter().take(ASKED) {
        let Some(header) = part.header(number)? else {
            continue;
        };
        // A record that answers several flaws describes and rates none of them alone.
        if !header.withdrawn.is_empty() || cves(&header).len() > 1 {
            continue;
        }
        let vectors = header
            .ratings
            .iter()
            .filter(|rating| rating.kind.starts_with("cvss-"));
        ratings.extend(vectors.map(|rating| (header.id.clone(), rating.clone())));
        if summary.is_empty() {
            summary.clone_from(&header.summary);
        }
    }
    part.elsewhere
        .insert(name.to_owned(), (ratings.clone(), summary.clone()));
    Ok((ratings, summary))
}

/// The fixes of the parts of ranges that hold the version, lowest first; those of extended streams only when the plain
/// release has none, with the stream's name.
fn fixed(scheme: &str, records: &[&Said]) -> (Vec<String>, Option<&'static str>) {
    let of = |extended: bool| -> Vec<(String, Option<&'static str>)> {
        records
            .iter()
            .filter(|said| said.verdict.stream.is_some() == extended)
            .filter_map(|said| match &said.verdict.verdict {
                Verdict::Affected(Why {
                    fixed: Some(fixed), ..
                }) => Some((fixed.clone(), said.verdict.stream)),
                _ => None,
            })
            .collect()
    };
    let mut fixes = of(false);
    if fixes.is_empty() {
        fixes = of(true);
    }
    let channel = fixes.iter().find_map(|(_, stream)| *stream);
    let scheme = crate::schemes::ALL
        .iter()
        .find(|known| known.meta().name == scheme);
    let mut fixes: Vec<String> = fixes.into_iter().map(|(fixed, _)| fixed).collect();
    fixes.sort_by(|a, b| {
        scheme
            .and_then(|scheme| scheme.compare(a, b).ok())
            .unwrap_or(Ordering::Equal)
    });
    fixes.dedup();
    (fixes, channel)
}

fn evidence(
    deciding: &Said,
    records: &[&Said],
    chosen: &rating::Chosen,
    channel: Option<&'static str>,
) -> model::Evidence {
    let opinion = &deciding.verdict;
    let mut evidence: model::Evidence = vec![
        ("record".to_owned(), deciding.header.id.clone()),
        ("feed".to_owned(), "osv-feed".to_owned()),
        ("key".to_owned(), opinion.key.clone()),
    ];
    let mut add = |key: &str, value: String| evidence.push((key.to_owned(), value));
    if let Verdict::Affected(why) = &opinion.verdict {
        add("range", why.range.clone());
        let scheme = if opinion.scheme.is_empty() {
            "equal text"
        } else {
            opinion.scheme
        };
        add("comparison", format!("{} ({scheme})", why.comparison));
    }
    if !chosen.source.is_empty() {
        add("severity-source", chosen.source.clone());
    }
    if let Some((vector, score)) = &chosen.cvss {
        add("cvss", vector.clone());
        add("score", format!("{score:.1}"));
    }
    if let Some(stream) = opinion.stream {
        add("stream", stream.to_owned());
    }
    if let Some(channel) = channel {
        add("fix-channel", format!("{channel} only"));
    }
    if let Some(kind) = &opinion.informational {
        add("informational", kind.clone());
    }
    let others: Vec<&str> = records
        .iter()
        .map(|said| said.header.id.as_str())
        .filter(|id| *id != deciding.header.id)
        .collect();
    if !others.is_empty() {
        add("other-records", others.join(" "));
    }
    evidence
}
