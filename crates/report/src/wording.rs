//! Sentences, identities and links that several formats share, so that they say the same.

use model::path::printable;
use model::{Digest, Finding, OsRelease, Package, Report, Status};
use std::collections::HashMap;

/// Findings that a gate or a reader acts on: affected or under investigation, and about something in the target.
pub(crate) fn actionable(report: &Report) -> impl Iterator<Item = &Finding> {
    report
        .findings
        .iter()
        .filter(|finding| matches!(finding.status, Status::Affected | Status::UnderInvestigation))
}

/// Findings that a list for people shows: all but those that are set aside or mended.
pub(crate) fn shown(report: &Report) -> Vec<&Finding> {
    let findings = report.findings.iter();
    findings
        .filter(|finding| {
            !matches!(
                finding.status,
                Status::Suppressed | Status::NotAffected | Status::Fixed
            )
        })
        .collect()
}

/// What an operating system is called for people.
pub(crate) fn system_name(os: &OsRelease) -> String {
    if os.pretty_name.is_empty() {
        format!("{} {}", os.id, os.version).trim().to_owned()
    } else {
        os.pretty_name.clone()
    }
}

/// The title, or a sentence that stands for it.
pub(crate) fn title(finding: &Finding, package: Option<&Package>) -> String {
    let title = finding
        .title
        .lines()
        .map(str::trim)
        .find(|line| !line.is_empty())
        .unwrap_or_default();
    match package {
        _ if !title.is_empty() => title.to_owned(),
        Some(package) => format!("{} affects {}", finding.rule, package.name),
        None => finding.rule.clone(),
    }
}

/// `upgrade openssl to 3.0.9`, or what else can be said.
pub(crate) fn advice(finding: &Finding, package: Option<&Package>) -> String {
    match (package, finding.fixed.first()) {
        (Some(package), Some(fixed)) => {
            format!("upgrade {} from {} to {fixed}", package.name, package.version)
        }
        (Some(package), None) => format!("no version of {} fixes this yet", package.name),
        (None, _) => String::new(),
    }
}

/// The file a finding is in: its own location, or the first of its package.
pub(crate) fn location<'a>(
    finding: &'a Finding,
    package: Option<&'a Package>,
) -> Option<&'a model::Location> {
    finding
        .location
        .as_ref()
        .or_else(|| package.and_then(|package| package.locations.first()))
}

/// Digest of the layer a location lies in.
pub(crate) fn layer<'a>(location: &model::Location, report: &'a Report) -> Option<&'a Digest> {
    location
        .layer
        .and_then(|index| report.target.layers.get(index as usize))
        .map(|layer| &layer.diff_id)
}

/// For each package the position of the one that brought it in: the last link of its chain, as far as that is listed.
pub(crate) fn parents(report: &Report) -> Vec<Option<usize>> {
    let mut by_name: HashMap<(&str, String), usize> = HashMap::new();
    for (index, package) in report.packages.iter().enumerate() {
        by_name
            .entry((
                package.purl.kind(),
                format!("{}@{}", package.name, package.version),
            ))
            .or_insert(index);
    }
    let packages = report.packages.iter().enumerate();
    packages
        .map(|(index, package)| {
            let parent = package.path.last()?;
            let parent = by_name.get(&(package.purl.kind(), parent.clone())).copied();
            parent.filter(|parent| *parent != index)
        })
        .collect()
}

/// One expression for several licence statements, all of which hold.
pub(crate) fn expression(licenses: &[String]) -> Option<String> {
    match licenses {
        [] => None,
        [only] => Some(only.clone()),
        several => {
            let parts: Vec<String> = several
                .iter()
                .map(|license| {
                    if license.contains(' ') {
                        format!("({license})")
                    } else {
                        license.clone()
                    }
                })
                .collect();
            Some(parts.join(" AND "))
        }
    }
}

/// A link that needs no quoting anywhere.
pub(crate) fn is_plain_url(url: &str) -> bool {
    (url.starts_with("https://") || url.starts_with("http://"))
        && url.bytes().all(|byte| {
            byte.is_ascii_graphic()
                && !matches!(
                    byte,
                    b'<' | b'>' | b'"' | b'{' | b'}' | b'|' | b'\\' | b'^' | b'`' | b'[' | b']'
                )
        })
}

/// A table cell or running text of Markdown: nothing in it can end the cell or start markup.
pub(crate) fn cell(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in printable(text).chars() {
        if matches!(
            character,
            '|' | '\\' | '`' | '*' | '_' | '<' | '>' | '[' | ']' | '#'
        ) {
            safe.push('\\');
        }
        safe.push(character);
    }
    safe
}

/// A UUID (version 8: our own scheme) made of a text, so that the same report has the same serial number.
pub(crate) fn uuid(text: &str) -> String {
    let mut bits = [0_u64; 2];
    for (salt, half) in (1_u64..).zip(&mut bits) {
        // FNV-1a, 64 bit, over salt and text: identity, not security.
        let mut hash = 0xcbf2_9ce4_8422_2325_u64 ^ salt.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        for byte in text.bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        *half = hash ^ (hash >> 29);
    }
    let high = (bits[0] & 0xffff_ffff_ffff_0fff) | 0x8000;
    let low = (bits[1] & 0x3fff_ffff_ffff_ffff) | 0x8000_0000_0000_0000;
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xffff,
        low >> 48,
        low & 0xffff_ffff_ffff
    )
}

#[cfg(test)]
mod tests {
    use super::uuid;

    #[test]
    fn uuids_have_the_form_and_differ() {
        let one = uuid("a");
        assert_eq!(one.len(), 36);
        assert_eq!(
            (&one[14..15], one[19..20].contains(['8', '9', 'a', 'b'])),
            ("8", true)
        );
        assert_ne!(one, uuid("b"));
        assert_eq!(one, uuid("a"));
    }
}
