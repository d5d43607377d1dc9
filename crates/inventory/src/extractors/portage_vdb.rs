//! Gentoo's `portage`: one folder a package, one file a fact.

use crate::intake::{Intake, excerpt};
use crate::lines::Lines;
use crate::ownership::Files;
use crate::{Extracted, Extractor, File, Found, Kind, license};
use model::{Content, Entry, EntryKind, Location, Meta, Package, Purl, path};
use std::collections::HashMap;

/// The member.
pub(super) static PORTAGE_VDB: PortageVdb = PortageVdb;

pub(super) struct PortageVdb;

static META: Meta = Meta {
    name: "portage-vdb",
    title: "Gentoo packages, with their files, slots and licences",
    finds: &["var/db/pkg/*/*/{CONTENTS,PF,LICENSE,SLOT,repository}"],
    needs: &[],
    references: &[
        "https://wiki.gentoo.org/wiki/Portage",
        "https://projects.gentoo.org/pms/latest/pms.html",
    ],
};

/// Largest of the small files that is read, in bytes.
const LIMIT: u64 = 64 << 10;

impl Extractor for PortageVdb {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn kind(&self) -> Kind {
        Kind::Installed
    }

    fn wants(&self, entry: &Entry<'_>) -> bool {
        entry.kind == EntryKind::File && parts(entry.path).is_some()
    }

    fn extract(&self, file: &mut File<'_>, out: &mut Extracted) {
        let mut intake = Intake::new(file.entry.path, out);
        let Some((category, full_name, name)) = parts(file.entry.path) else {
            return;
        };
        match name {
            "CONTENTS" => {
                add(category, full_name, &mut intake);
                if let Err(error) = contents(file.content, &format!("{category}/{full_name}"), &mut intake) {
                    intake.problem(format!("the list of a package's files was not read: {error}"));
                }
            }
            // Only counts when there is no list of files.
            "PF" => add(category, full_name, &mut intake),
            kind => match file.content.bytes(LIMIT) {
                Ok(bytes) => {
                    let value = path::from_bytes(bytes.trim_ascii()).into_owned();
                    intake.note(kind, &format!("{category}/{full_name}"), value);
                }
                Err(error) => intake.problem(format!("a fact of a package was not read: {error}")),
            },
        }
    }

    fn combine(&self, found: &mut Vec<Found>) {
        let mut notes = HashMap::new();
        for file in found.iter_mut() {
            for note in file.extracted.notes.drain(..) {
                notes.insert((note.kind, note.key), note.value);
            }
        }
        let mut last = String::new();
        // Sorted by path, so that CONTENTS comes before PF.
        for file in found.iter_mut() {
            let folder = path::parent(&file.path);
            if folder == last {
                file.extracted.packages.clear();
            }
            let key = folder.strip_prefix("var/db/pkg/").unwrap_or(folder).to_owned();
            let get = |kind: &str| notes.get(&(kind.to_owned(), key.clone()));
            for package in &mut file.extracted.packages {
                folder.clone_into(&mut last);
                if let Some(license) = get("LICENSE") {
                    package.licenses = licenses(license);
                }
                // Of `3/3.1` the part after the slash is the ABI.
                let slot = get("SLOT").and_then(|slot| slot.split('/').next());
                package.add_fact("slot", slot.unwrap_or_default());
                package.add_fact("repository", get("repository").cloned().unwrap_or_default());
            }
            // Owned files go by the package's name, without the version.
            for owned in &mut file.extracted.owned {
                if let Some((category, full_name)) = owned.package.clone().split_once('/')
                    && let Some((name, _)) = split_version(full_name)
                {
                    owned.package = format!("{category}/{name}");
                }
            }
        }
        found.retain(|file| !file.extracted.is_empty());
    }
}

/// Category, name with version, and file of a path.
fn parts(path: &str) -> Option<(&str, &str, &str)> {
    let mut parts = path.strip_prefix("var/db/pkg/")?.split('/');
    let found = (parts.next()?, parts.next()?, parts.next()?);
    let known = matches!(found.2, "CONTENTS" | "PF" | "LICENSE" | "SLOT" | "repository");
    (known && parts.next().is_none()).then_some(found)
}

/// Name and version of `openssl-3.0.9-r1`: the version begins at the last hyphen before a digit, but for the revision.
fn split_version(full_name: &str) -> Option<(&str, &str)> {
    let is_revision = |text: &str| {
        text.strip_prefix('r')
            .is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let (before, last) = full_name.rsplit_once('-')?;
    let at = if is_revision(last) {
        before.rfind('-')?
    } else {
        before.len()
    };
    let (name, version) = (full_name.get(..at)?, full_name.get(at + 1..)?);
    let valid = !name.is_empty() && version.starts_with(|first: char| first.is_ascii_digit());
    valid.then_some((name, version))
}

fn add(category: &str, full_name: &str, intake: &mut Intake<'_>) {
    let Some((name, version)) = split_version(full_name) else {
        intake.problem(format!(
            "the folder of the Gentoo package `{}` has no version in its name",
            excerpt(full_name)
        ));
        return;
    };
    let purl = Purl::new("ebuild", category, name, version);
    let mut package = Package::new(META.name, purl, "", format!("{category}/{name}"), version);
    package.locations.push(Location::file(intake.path()));
    intake.package(package);
}

/// `obj /usr/bin/x <md5> <time>`, `sym /a -> b <time>`, `dir /usr`.
fn contents(content: &mut dyn Content, package: &str, intake: &mut Intake<'_>) -> Result<(), String> {
    let mut files = Files::default();
    let mut lines = Lines::new(content).map_err(|error| error.to_string())?;
    while let Some(line) = lines.next().map_err(|error| error.to_string())? {
        let line = path::from_bytes(line);
        if let Some(rest) = line.strip_prefix("obj ") {
            // Names may have spaces; the last two words are no part of them.
            if let Some(name) = rest.rsplitn(3, ' ').nth(2) {
                files.add(name);
            }
        } else if let Some(rest) = line.strip_prefix("sym ") {
            files.add(rest.split(" -> ").next().unwrap_or_default());
        }
    }
    intake.owned(package, files.finish());
    Ok(())
}

/// Gentoo's form: licences side by side all apply, `|| ( a b )` is a choice.
fn licenses(text: &str) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    // What is inside an open choice; choices inside choices are one.
    let mut choice: Option<Vec<String>> = None;
    let mut depth = 0_usize;
    for word in text.split_ascii_whitespace() {
        match word {
            "||" => _ = choice.get_or_insert_default(),
            "(" => depth += 1,
            ")" => {
                depth = depth.saturating_sub(1);
                if depth == 0
                    && let Some(names) = choice.take().filter(|names| !names.is_empty())
                {
                    all.push(names.join(" OR "));
                }
            }
            // Conditions (`ssl?`) are settled once a package is installed.
            word if word.ends_with('?') => {}
            word => match &mut choice {
                Some(names) => names.extend(license::expressions(word)),
                None => all.push(word.to_owned()),
            },
        }
    }
    license::all_of(&all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions() {
        for (full_name, expected) in [
            ("openssl-3.0.9-r1", Some(("openssl", "3.0.9-r1"))),
            ("gtk+-2.24.33-r3", Some(("gtk+", "2.24.33-r3"))),
            ("font-misc-1.2", Some(("font-misc", "1.2"))),
            ("perl-5.38.0_rc1", Some(("perl", "5.38.0_rc1"))),
            ("nothing", None),
            ("no-version", None),
            ("-1", None),
            ("r-r1", None),
        ] {
            assert_eq!(split_version(full_name), expected, "{full_name}");
        }
    }

    #[test]
    fn choices() {
        for (text, expected) in [
            ("MIT", &["MIT"] as &[&str]),
            ("GPL-2+ BSD", &["GPL-2.0-or-later AND BSD-3-Clause"]),
            (
                "|| ( MIT Apache-2.0 ) BSD-2",
                &["(MIT OR Apache-2.0) AND BSD-2-Clause"],
            ),
            (
                "|| ( Artistic GPL-1+ )",
                &["Artistic-1.0-Perl OR GPL-1.0-or-later"],
            ),
            ("ssl? ( openssl ) MIT", &["OpenSSL AND MIT"]),
            (") || ( ) (", &[]),
            ("", &[]),
        ] {
            assert_eq!(licenses(text), expected, "{text}");
        }
    }
}
