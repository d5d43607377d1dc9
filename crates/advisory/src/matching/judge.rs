//! What each record says of one package.

use super::{Part, is_untagged_main_module, keys};
use crate::ecosystem::{Role, role};
use crate::ranges::{self, Comparison, Verdict, evaluate};
use crate::records::Entry;
use crate::streams::{self, Fit};
use crate::{DatabaseError, names, schemes};
use model::{Package, Rating};
use std::collections::HashSet;

/// What one record says.
#[derive(Clone, Debug)]
pub(super) struct Opinion {
    /// The judgement.
    pub verdict: Verdict,
    /// `source package openssl`.
    pub key: String,
    /// Name of the scheme that compared; empty without one.
    pub scheme: &'static str,
    /// Name of the extended stream that the record is about.
    pub stream: Option<&'static str>,
    /// Ratings of the affected entry.
    pub ratings: Vec<Rating>,
    /// Kind of an informational record (`unmaintained`, `unsound`, `notice`).
    pub informational: Option<String>,
}

/// All that is said of a package.
#[derive(Debug, Default)]
pub(super) struct Judged {
    /// Opinions by the record's number, in the file's order; of plain releases only those that are not clear.
    pub said: Vec<(u32, Opinion)>,
    /// Why the version cannot be judged at all.
    pub unusable: Option<String>,
    /// Entries that speak of the package's release, whatever the version.
    pub advisories: usize,
}

/// Judges a package by every entry of its release.
pub(super) fn package(
    part: &mut Part<'_>,
    ecosystem: &str,
    package: &Package,
) -> Result<Judged, DatabaseError> {
    let mut judged = Judged::default();
    let (base, release) = (names::base(ecosystem), names::release(ecosystem));
    let scheme = schemes::for_ecosystem(ecosystem);
    let label = package
        .fact("module-label")
        .or_else(|| package.purl.qualifier("rpmmod"));
    let modular = streams::is_modular(&package.version);
    // Records of these list a package once for every build of the same fix (`1.2-3.el8` and `1.2-3.el8.alma`, module builds
    // for 8.3, 8.4 and 8.5), all from version 0: having any of them is having the fix.
    let rebuilt = matches!(base, "AlmaLinux" | "Red Hat" | "Rocky Linux");
    let mut cleared: HashSet<u32> = HashSet::new();
    let (database, os) = (part.database, part.os);
    let mut buffer = std::mem::take(&mut part.key);
    for key in keys::keys(ecosystem, package) {
        judged.unusable = unusable(package, &key.version, scheme);
        let unusable = judged.unusable.is_some();
        let comparison = scheme.map(|scheme| Comparison {
            scheme,
            loose_epoch: key.loose_epoch,
        });
        let what = format!("{} {}", key.what, key.name);
        let wants = &mut |record: &str| role(base, release, record, os) != Role::Other;
        let each = &mut |record: &str, entry: Entry| {
            let stream = match role(base, release, record, os) {
                Role::Other => return,
                Role::Same => None,
                Role::Extended(name) => Some(name),
            };
            let binaries = entry.facts.iter().filter(|fact| fact.key == "binary");
            if binaries.clone().next().is_some() && !binaries.clone().any(|fact| fact.value == package.name) {
                return;
            }
            let fact = |key: &str| {
                entry
                    .facts
                    .iter()
                    .find(|fact| fact.key == key)
                    .map(|fact| fact.value.as_str())
            };
            let fit = streams::fit(modular, label, fact("module"));
            if fit == Fit::Other {
                return;
            }
            judged.advisories += 1;
            if key.version.is_empty() || is_untagged_main_module(package) {
                return;
            }
            let mut verdict = verdict(&entry, &key.version, comparison, unusable);
            if fit == Fit::Unknown && matches!(verdict, Verdict::Affected(_)) {
                verdict = Verdict::Undetermined(
                    "the package is of a module whose stream is not known, or the record does not name its stream".to_owned(),
                );
            }
            if rebuilt && matches!(verdict, Verdict::Clear(Some(_))) {
                cleared.insert(entry.advisory);
            }
            // Of what is clear only an extended stream's fix matters: it settles what others say.
            match verdict {
                Verdict::Clear(None) => return,
                Verdict::Clear(Some(_)) if stream.is_none() => return,
                _ => {}
            }
            let opinion = Opinion {
                verdict,
                key: what.clone(),
                scheme: scheme.map_or("", |scheme| scheme.meta().name),
                stream,
                informational: fact("informational").map(str::to_owned),
                ratings: entry.ratings,
            };
            judged.said.push((entry.advisory, opinion));
        };
        database.entries(base, &key.name, &mut buffer, wants, each)?;
    }
    part.key = buffer;
    judged
        .said
        .retain(|(number, opinion)| opinion.stream.is_some() || !cleared.contains(number));
    Ok(judged)
}

/// Why the version of a package can never be compared.
fn unusable(package: &Package, version: &str, scheme: Option<&dyn schemes::Scheme>) -> Option<String> {
    if version.is_empty() {
        let reason = "the version of the package is not known";
        return Some(match package.fact("requirement") {
            Some(requirement) => format!("{reason}, only that `{requirement}` is asked for"),
            None => reason.to_owned(),
        });
    }
    if is_untagged_main_module(package) {
        return Some(format!(
            "`{version}` is the version of a module that was built without a release tag"
        ));
    }
    scheme?
        .compare(version, version)
        .err()
        .map(|error| error.to_string())
}

fn verdict(entry: &Entry, version: &str, comparison: Option<Comparison<'_>>, unusable: bool) -> Verdict {
    let Some(comparison) = comparison.filter(|_| !unusable) else {
        // Equal text still is the same version.
        return match entry.versions.iter().find(|listed| *listed == version) {
            Some(listed) => Verdict::Affected(ranges::Why {
                range: format!("= {listed}"),
                comparison: format!("{version} = {listed}"),
                fixed: None,
            }),
            None => Verdict::Clear(None),
        };
    };
    let verdict = evaluate(&entry.ranges, &entry.versions, version, comparison);
    let custom: Vec<_> = entry
        .facts
        .iter()
        .filter(|fact| fact.key == "custom-range")
        .map(|fact| ranges::from_fact(&fact.value))
        .collect();
    match verdict {
        // The range of module versions is all there is; the project's own release numbers say more.
        Verdict::Affected(why) if !custom.is_empty() && why.fixed.is_none() => {
            if is_untagged(version) {
                let told: Vec<String> = custom.iter().map(ranges::to_fact).collect();
                return Verdict::Undetermined(format!(
                    "the record tells the project's own release numbers only ({}), which say nothing of the commit {version}",
                    told.join(" or ")
                ));
            }
            evaluate(&custom, &[], version, comparison)
        }
        verdict => verdict,
    }
}

/// Go's version of a commit before any tag: `v0.0.0-20231016150651-428517fef5b9`.
fn is_untagged(version: &str) -> bool {
    let Some(version) = version.trim_start_matches('v').strip_prefix("0.0.0-") else {
        return false;
    };
    let version = version.split('+').next().unwrap_or_default();
    let mut parts = version.rsplit('-');
    let hash = parts.next().unwrap_or_default();
    let time = parts.next().unwrap_or_default();
    let time = time.rsplit('.').next().unwrap_or_default();
    hash.len() == 12
        && hash.bytes().all(|byte| byte.is_ascii_hexdigit())
        && time.len() == 14
        && time.bytes().all(|byte| byte.is_ascii_digit())
}
