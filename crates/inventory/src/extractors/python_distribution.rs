//! Python distributions as pip, setuptools, conda, Debian and others leave them: dist-info, egg-info and eggs.

use crate::headers::{Continuation, Headers};
use crate::{Extracted, Extractor, File, Found, Kind, Note, license, reading};
use model::{
    Content, Entry, EntryKind, Location, Meta, Package, Purl, Relation, ZipMember, ZipVisitor, path,
};
use std::collections::BTreeMap;

/// The member.
pub(super) static PYTHON_DISTRIBUTION: PythonDistribution = PythonDistribution;

pub(super) struct PythonDistribution;

static META: Meta = Meta {
    name: "python-distribution",
    title: "Installed Python distributions, with licences and where pip took them from",
    finds: &[
        "*.dist-info/METADATA, with direct_url.json, INSTALLER and REQUESTED beside it",
        "*.egg-info/PKG-INFO and EGG-INFO/PKG-INFO",
        "*.egg-info (a file)",
        "*.egg (a zip)",
    ],
    needs: &[],
    references: &[
        "https://packaging.python.org/en/latest/specifications/core-metadata/",
        "https://packaging.python.org/en/latest/specifications/recording-installed-packages/",
        "https://packaging.python.org/en/latest/specifications/direct-url/",
    ],
};

/// Largest metadata file that is read, in bytes; the long description is part of it.
const LIMIT: u64 = 8 << 20;

/// What a file of a distribution is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Metadata,
    Egg,
    DirectUrl,
    Installer,
    Requested,
}

fn part(file: &str) -> Option<Part> {
    let (folder, name) = path::split(file);
    let folder = path::file_name(folder);
    if folder.ends_with(".dist-info") {
        return match name {
            "METADATA" => Some(Part::Metadata),
            "direct_url.json" => Some(Part::DirectUrl),
            "INSTALLER" => Some(Part::Installer),
            "REQUESTED" => Some(Part::Requested),
            _ => None,
        };
    }
    if name == "PKG-INFO" {
        return (folder.ends_with(".egg-info") || folder == "EGG-INFO").then_some(Part::Metadata);
    }
    if name.ends_with(".egg-info") {
        return Some(Part::Metadata);
    }
    name.ends_with(".egg").then_some(Part::Egg)
}

impl Extractor for PythonDistribution {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn kind(&self) -> Kind {
        Kind::Installed
    }

    fn wants(&self, entry: &Entry<'_>) -> bool {
        entry.kind == EntryKind::File && part(entry.path).is_some()
    }

    fn accepts(&self, entry: &Entry<'_>, head: &[u8]) -> bool {
        part(entry.path) != Some(Part::Egg) || head.starts_with(b"PK")
    }

    fn extract(&self, file: &mut File<'_>, out: &mut Extracted) {
        let location = file.entry.path;
        let folder = path::parent(location);
        let mut note = |kind: &str, value: &str| {
            out.notes.push(Note {
                kind: kind.to_owned(),
                key: folder.to_owned(),
                value: value.to_owned(),
            });
        };
        match part(location) {
            Some(Part::Metadata) => metadata(file.content, location, out),
            Some(Part::Requested) => note("requested", ""),
            Some(Part::Installer) => {
                if let Some(text) = reading::text(file.content, location, 4096, "the installer's name", out) {
                    let installer = text.lines().next().unwrap_or_default().trim();
                    out.notes.push(Note {
                        kind: "installer".to_owned(),
                        key: folder.to_owned(),
                        value: installer.to_owned(),
                    });
                }
            }
            Some(Part::DirectUrl) => direct_url(file.content, location, out),
            Some(Part::Egg) => {
                let mut egg = Egg { path: location, out };
                if let Err(message) = file.archives.zip(file.content, &mut egg) {
                    out.problem(location, format!("the egg was not read to its end: {message}"));
                }
            }
            None => {}
        }
    }

    fn combine(&self, found: &mut Vec<Found>) {
        let mut notes: BTreeMap<String, Vec<Note>> = BTreeMap::new();
        for file in found.iter_mut() {
            for note in file.extracted.notes.drain(..) {
                notes.entry(note.key.clone()).or_default().push(note);
            }
        }
        for file in found.iter_mut() {
            let Some(notes) = notes.get(path::parent(&file.path)) else {
                continue;
            };
            for package in &mut file.extracted.packages {
                for note in notes {
                    apply(note, package);
                }
            }
        }
        found.retain(|file| !file.extracted.is_empty());
    }
}

fn apply(note: &Note, package: &mut Package) {
    match note.kind.as_str() {
        "requested" => package.relation = Some(Relation::Direct),
        "vcs-url" => package.purl = package.purl.clone().with_qualifier("vcs_url", &note.value),
        fact => package.add_fact(fact, note.value.as_str()),
    }
}

fn metadata(content: &mut dyn Content, location: &str, out: &mut Extracted) {
    let Some(text) = reading::text(content, location, LIMIT, "the Python metadata", out) else {
        return;
    };
    let headers = Headers::parse(&text, Continuation::NewLine);
    let (name, version) = (headers.get("Name"), headers.get("Version"));
    if let Some(what) = reading::missing(name, version) {
        return out.problem(location, format!("the Python metadata has no {what}"));
    }
    let mut package = Package::new(
        META.name,
        Purl::new("pypi", "", name, version),
        "PyPI",
        name,
        version,
    );
    package.licenses = licenses(&headers);
    package.locations.push(Location::file(location));
    out.packages.push(package);
}

/// Where pip took the distribution from, when that was no index.
fn direct_url(content: &mut dyn Content, location: &str, out: &mut Extracted) {
    let Some(json) = reading::json(content, location, 1 << 20, "pip's direct_url.json", out) else {
        return;
    };
    let folder = path::parent(location);
    let url = reading::field(&json, "url");
    let mut note = |kind: &str, value: String| {
        out.notes.push(Note {
            kind: kind.to_owned(),
            key: folder.to_owned(),
            value,
        });
    };
    if let Some(vcs) = json.get("vcs_info") {
        let (system, commit) = (reading::field(vcs, "vcs"), reading::field(vcs, "commit_id"));
        note("vcs-url", format!("{system}+{url}@{commit}"));
        note("git-url", url.to_owned());
        note("git-commit", commit.to_owned());
    } else {
        note("source-url", url.to_owned());
    }
    let editable = json.get("dir_info").and_then(|folder| folder.get("editable"));
    if editable.and_then(serde_json::Value::as_bool) == Some(true) {
        note("editable", "true".to_owned());
    }
}

struct Egg<'a> {
    path: &'a str,
    out: &'a mut Extracted,
}

impl ZipVisitor for Egg<'_> {
    fn wants(&mut self, member: &ZipMember<'_>) -> bool {
        member.name == "EGG-INFO/PKG-INFO"
    }

    fn file(&mut self, member: &ZipMember<'_>, content: &mut dyn Content) {
        metadata(content, &format!("{}!/{}", self.path, member.name), self.out);
    }
}

/// Licence fields by what they are worth: the expression, the short text, the classifiers, whatever text there is.
fn licenses(headers: &Headers) -> Vec<String> {
    let expression = headers.get("License-Expression");
    if !expression.is_empty() {
        return license::expressions(expression);
    }
    let text = Some(headers.get("License"))
        .filter(|text| !text.is_empty() && !text.eq_ignore_ascii_case("unknown"))
        .filter(|text| !text.contains('\n') && text.len() <= 120);
    let from_text = text.map(license::expressions).unwrap_or_default();
    let is_known =
        |list: &[String]| !list.is_empty() && !list.iter().any(|text| text.contains("LicenseRef-"));
    if is_known(&from_text) {
        return from_text;
    }
    let mut from_classifiers: Vec<String> = headers
        .all("Classifier")
        .filter_map(|classifier| classifier.strip_prefix("License ::"))
        .map(|rest| rest.rsplit("::").next().unwrap_or_default().trim())
        .filter(|name| !name.is_empty() && *name != "OSI Approved")
        .flat_map(|name| match classifier(name) {
            Some(id) => vec![id.to_owned()],
            None => license::expressions(name),
        })
        .collect();
    from_classifiers.dedup();
    if from_text.is_empty() || is_known(&from_classifiers) {
        return from_classifiers;
    }
    from_text
}

/// SPDX identifiers of the classifiers whose text the general names do not cover.
fn classifier(name: &str) -> Option<&'static str> {
    const KNOWN: [(&str, &str); 30] = [
        ("Academic Free License (AFL)", "AFL-3.0"),
        ("Apache Software License", "Apache-2.0"),
        ("Boost Software License 1.0 (BSL-1.0)", "BSL-1.0"),
        ("CC0 1.0 Universal (CC0 1.0) Public Domain Dedication", "CC0-1.0"),
        ("Eclipse Public License 1.0 (EPL-1.0)", "EPL-1.0"),
        ("Eclipse Public License 2.0 (EPL-2.0)", "EPL-2.0"),
        ("European Union Public Licence 1.2 (EUPL 1.2)", "EUPL-1.2"),
        ("GNU Affero General Public License v3", "AGPL-3.0-only"),
        (
            "GNU Affero General Public License v3 or later (AGPLv3+)",
            "AGPL-3.0-or-later",
        ),
        ("GNU General Public License v2 (GPLv2)", "GPL-2.0-only"),
        (
            "GNU General Public License v2 or later (GPLv2+)",
            "GPL-2.0-or-later",
        ),
        ("GNU General Public License v3 (GPLv3)", "GPL-3.0-only"),
        (
            "GNU General Public License v3 or later (GPLv3+)",
            "GPL-3.0-or-later",
        ),
        ("GNU Lesser General Public License v2 (LGPLv2)", "LGPL-2.0-only"),
        (
            "GNU Lesser General Public License v2 or later (LGPLv2+)",
            "LGPL-2.0-or-later",
        ),
        ("GNU Lesser General Public License v3 (LGPLv3)", "LGPL-3.0-only"),
        (
            "GNU Lesser General Public License v3 or later (LGPLv3+)",
            "LGPL-3.0-or-later",
        ),
        ("Historical Permission Notice and Disclaimer (HPND)", "HPND"),
        ("ISC License (ISCL)", "ISC"),
        ("MIT License", "MIT"),
        ("MIT No Attribution License (MIT-0)", "MIT-0"),
        ("Mozilla Public License 1.1 (MPL 1.1)", "MPL-1.1"),
        ("Mozilla Public License 2.0 (MPL 2.0)", "MPL-2.0"),
        ("Python Software Foundation License", "PSF-2.0"),
        ("The Unlicense (Unlicense)", "Unlicense"),
        ("Universal Permissive License (UPL)", "UPL-1.0"),
        ("University of Illinois/NCSA Open Source License", "NCSA"),
        ("Zero-Clause BSD (0BSD)", "0BSD"),
        ("Zope Public License", "ZPL-2.1"),
        ("zlib/libpng License", "Zlib"),
    ];
    KNOWN.iter().find(|(known, _)| *known == name).map(|(_, id)| *id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weighs_licence_fields() {
        for (text, expected) in [
            (
                "License-Expression: MIT OR Apache-2.0\nLicense: x",
                &["MIT OR Apache-2.0"] as &[&str],
            ),
            ("License: Apache 2.0", &["Apache-2.0"]),
            (
                "License: Copyright (c)\n  all of it\nClassifier: License :: OSI Approved :: MIT License",
                &["MIT"],
            ),
            ("License: UNKNOWN", &[]),
            (
                "Classifier: License :: OSI Approved\nClassifier: License :: OSI Approved :: BSD License",
                &["BSD-3-Clause"],
            ),
            (
                "License: own terms\nClassifier: License :: Other/Proprietary License",
                &["LicenseRef-own-terms"],
            ),
        ] {
            let headers = Headers::parse(text, Continuation::NewLine);
            assert_eq!(licenses(&headers), expected, "{text}");
        }
    }
}
