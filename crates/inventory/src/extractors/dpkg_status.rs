//! Debian's `dpkg`: installed packages, the files they own and their licences, also in distroless images.

use crate::control::{self, Stanza};
use crate::intake::{Intake, excerpt, merge_repeats};
use crate::{Extracted, Extractor, File, Found, Kind, license, ownership};
use model::{Content, Entry, EntryKind, Location, Meta, Package};
use std::collections::{BTreeMap, HashMap, HashSet};

/// The member.
pub(super) static DPKG_STATUS: DpkgStatus = DpkgStatus;

pub(super) struct DpkgStatus;

static META: Meta = Meta {
    name: "dpkg-status",
    title: "Debian packages, with their files and licences",
    finds: &[
        "var/lib/dpkg/status",
        "var/lib/dpkg/status.d/* (distroless)",
        "var/lib/dpkg/info/*.list and *.md5sums",
        "usr/share/doc/*/copyright",
    ],
    needs: &[],
    references: &[
        "https://manpages.debian.org/stable/dpkg-dev/deb-control.5.en.html",
        "https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/",
    ],
};

/// Largest copyright file that is read, in bytes; those of browsers have a few MiB.
const COPYRIGHT_LIMIT: u64 = 8 << 20;
/// Kind of the notes that carry a copyright file's licences, by package.
const LICENSES: &str = "licenses";

/// What a path is to this extractor, with the package that it names.
enum Role<'a> {
    Status,
    List(&'a str),
    Checksums(&'a str),
    Copyright(&'a str),
}

fn role(path: &str) -> Option<Role<'_>> {
    if let Some(package) = path.strip_prefix("usr/share/doc/") {
        let package = package.strip_suffix("/copyright")?;
        return (!package.contains('/')).then_some(Role::Copyright(package));
    }
    let name = path.strip_prefix("var/lib/dpkg/")?;
    if name == "status" {
        return Some(Role::Status);
    }
    let (folder, name) = name.split_once('/')?;
    if name.is_empty() || name.contains('/') {
        return None;
    }
    // The architecture is part of the file's name where several are installed (`libc6:amd64.list`).
    let package = |stem: &'static str| {
        let name = name.strip_suffix(stem)?;
        Some(name.split(':').next().unwrap_or(name))
    };
    match folder {
        "status.d" => Some(package(".md5sums").map_or(Role::Status, Role::Checksums)),
        "info" => package(".list")
            .map(Role::List)
            .or_else(|| package(".md5sums").map(Role::Checksums)),
        _ => None,
    }
}

impl Extractor for DpkgStatus {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn kind(&self) -> Kind {
        Kind::Installed
    }

    fn wants(&self, entry: &Entry<'_>) -> bool {
        entry.kind == EntryKind::File && role(entry.path).is_some()
    }

    fn extract(&self, file: &mut File<'_>, out: &mut Extracted) {
        let path = file.entry.path;
        let mut intake = Intake::new(path, out);
        let result = match role(path) {
            Some(Role::Status) => control::stanzas(file.content, control::PACKAGE_FIELDS, |stanza| {
                record(stanza, &mut intake);
                !intake.is_full()
            }),
            Some(Role::List(package)) => {
                ownership::read_list(file.content, |line| line).map(|files| intake.owned(package, files))
            }
            // `<md5>  usr/bin/x`
            Some(Role::Checksums(package)) => ownership::read_list(file.content, |line| {
                line.split_once("  ").map_or("", |(_, name)| name)
            })
            .map(|files| intake.owned(package, files)),
            Some(Role::Copyright(package)) => copyright(file.content, package, &mut intake),
            None => Ok(()),
        };
        if let Err(error) = result {
            intake.problem(format!("the dpkg file was not read: {error}"));
        }
    }

    fn combine(&self, found: &mut Vec<Found>) {
        let mut licenses: HashMap<String, Vec<String>> = HashMap::new();
        let mut listed = HashSet::new();
        for file in found.iter_mut() {
            for note in file.extracted.notes.drain(..) {
                licenses.entry(note.key).or_default().push(note.value);
            }
            if let Some(Role::List(package)) = role(&file.path) {
                listed.insert(package.to_owned());
            }
        }
        // A source package has one copyright file; its packages share it by links between their folders.
        let mut by_source: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
        for package in found.iter().flat_map(|file| &file.extracted.packages) {
            if let Some(licenses) = licenses.get(&package.name) {
                by_source.insert(source_of(package), licenses.clone());
            }
        }
        for file in found.iter_mut() {
            if let Some(Role::Checksums(package)) = role(&file.path)
                && listed.contains(package)
            {
                // The complete list is there too.
                file.extracted.owned.clear();
            }
            for package in &mut file.extracted.packages {
                let own = licenses.get(&package.name);
                if let Some(licenses) = own.or_else(|| by_source.get(&source_of(package))) {
                    package.licenses.clone_from(licenses);
                }
            }
        }
        merge_repeats(found);
        found.retain(|file| !file.extracted.is_empty());
    }
}

/// Source name and version of a package, its own where it names no other.
fn source_of(package: &Package) -> (String, String) {
    package.source.as_ref().map_or_else(
        || (package.name.clone(), package.version.clone()),
        |source| (source.name.clone(), source.version.clone()),
    )
}

/// Takes one record of a status file.
fn record(stanza: &Stanza, intake: &mut Intake<'_>) {
    let (name, version) = (stanza.get("Package"), stanza.get("Version"));
    // `want flag state`; records of distroless images have no such field. Only the state tells what is on the disk:
    // `deinstall ok installed` waits to be removed, `install ok config-files` is gone.
    let state = stanza.get("Status").split_ascii_whitespace().nth(2);
    let installed = matches!(
        state,
        None | Some(
            "installed"
                | "unpacked"
                | "half-configured"
                | "half-installed"
                | "triggers-awaited"
                | "triggers-pending"
        )
    );
    if !installed {
        return;
    }
    if name.is_empty() && version.is_empty() && state.is_none() {
        // Not a package's record at all, such as a comment block.
        return;
    }
    match control::package(META.name, stanza) {
        Ok(mut package) => {
            package.locations.push(Location::file(intake.path()));
            intake.package(package);
        }
        Err(what) => intake.problem(format!(
            "a record of the dpkg status (`{}`) has no {what}",
            excerpt(&format!("{name}{version}"))
        )),
    }
}

/// Notes the licences of a copyright file.
fn copyright(content: &mut dyn Content, package: &str, intake: &mut Intake<'_>) -> Result<(), String> {
    let bytes = content
        .bytes(COPYRIGHT_LIMIT)
        .map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&bytes);
    let mut seen = HashSet::new();
    for name in copyright_licenses(&text) {
        for expression in license::expressions(&name) {
            if seen.insert(expression.clone()) {
                intake.note(LICENSES, package, expression);
            }
        }
    }
    Ok(())
}

/// Names of the licences in a copyright file: its `License:` fields when it has the machine-readable form, otherwise what
/// its text refers to or is known by.
fn copyright_licenses(text: &str) -> Vec<String> {
    let machine_readable = text
        .lines()
        .find(|line| !line.trim().is_empty())
        .is_some_and(|line| line.to_ascii_lowercase().starts_with("format"));
    if machine_readable {
        let names: Vec<String> = text
            .lines()
            .filter_map(|line| {
                let (key, name) = line.split_at_checked("license:".len())?;
                let name = name.trim();
                (key.eq_ignore_ascii_case("license:") && !name.is_empty()).then(|| name.to_owned())
            })
            .collect();
        if !names.is_empty() {
            return names;
        }
    }
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut names = Vec::new();
    let or_later = ["any later version", "or later", "(at your option)"]
        .iter()
        .any(|phrase| words.contains(phrase));
    const FOLDER: &str = "/usr/share/common-licenses/";
    for (at, _) in words.match_indices(FOLDER) {
        let rest = words.get(at + FOLDER.len()..).unwrap_or_default();
        let end = rest
            .find(|character: char| !(character.is_ascii_alphanumeric() || matches!(character, '-' | '.')))
            .unwrap_or(rest.len());
        let name = rest.get(..end).unwrap_or_default().trim_end_matches(['.', '-']);
        if !name.is_empty() {
            let versioned_gnu = name.contains("GPL-") && or_later;
            names.push(format!("{name}{}", if versioned_gnu { "+" } else { "" }));
        }
    }
    // Sentences that only one licence has.
    const PHRASES: [(&str, &str); 8] = [
        (
            "Permission is hereby granted, free of charge, to any person obtaining a copy",
            "MIT",
        ),
        (
            "Permission to use, copy, modify, and/or distribute this software for any purpose with or without fee",
            "ISC",
        ),
        (
            "Permission to use, copy, modify, and distribute this software for any purpose with or without fee",
            "ISC",
        ),
        ("The origin of this software must not be misrepresented", "Zlib"),
        ("Boost Software License - Version 1.0", "BSL-1.0"),
        ("in the public domain", "public-domain"),
        (
            "advertising materials mentioning features or use of this software must display",
            "BSD-4-Clause",
        ),
        (
            "may be used to endorse or promote products derived",
            "BSD-3-Clause",
        ),
    ];
    names.extend(
        PHRASES
            .iter()
            .filter(|(phrase, _)| words.contains(phrase))
            .map(|(_, name)| (*name).to_owned()),
    );
    if names.is_empty() && words.contains("Redistribution and use in source and binary forms") {
        names.push("BSD-2-Clause".to_owned());
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources() {
        for (field, expected) in [
            ("", None),
            ("glibc", Some(("glibc", "1.0"))),
            ("glibc (2.31-1)", Some(("glibc", "2.31-1"))),
            ("gcc-12 (12.2.0-14) ", Some(("gcc-12", "12.2.0-14"))),
            ("x (", Some(("x", "1.0"))),
            ("(1)", None),
        ] {
            let found = control::source(field, "1.0");
            let found = found.as_ref().map(|source| (&*source.name, &*source.version));
            assert_eq!(found, expected, "{field}");
        }
    }

    #[test]
    fn licences_of_copyright_files() {
        for (text, expected) in [
            (
                "Format: https://example.org/1.0/\n\nFiles: *\nLicense: GPL-2+ or Artistic\n text\n\nlicense: Expat\n",
                &["GPL-2+ or Artistic", "Expat"] as &[&str],
            ),
            (
                "On Debian systems, the complete text of the GNU General\nPublic License is in `/usr/share/common-licenses/GPL-3'.",
                &["GPL-3"],
            ),
            (
                "version 2 of the License, or (at your option) any later version; see /usr/share/common-licenses/GPL-2.",
                &["GPL-2+"],
            ),
            (
                "Permission is hereby granted, free of charge,\n  to any person obtaining a copy of",
                &["MIT"],
            ),
            (
                "Redistribution and use in source and\nbinary forms",
                &["BSD-2-Clause"],
            ),
            ("All rights reserved.", &[]),
            ("", &[]),
        ] {
            assert_eq!(copyright_licenses(text), expected, "{text}");
        }
    }

    #[test]
    fn roles_of_paths() {
        for (path, expected) in [
            ("var/lib/dpkg/status", "status"),
            ("var/lib/dpkg/status.d/base", "status"),
            ("var/lib/dpkg/status.d/base.md5sums", "checksums base"),
            ("var/lib/dpkg/info/libc6:amd64.list", "list libc6"),
            ("var/lib/dpkg/info/bash.md5sums", "checksums bash"),
            ("var/lib/dpkg/info/bash.postinst", ""),
            ("usr/share/doc/bash/copyright", "copyright bash"),
            ("usr/share/doc/a/b/copyright", ""),
            ("srv/var/lib/dpkg/status", ""),
        ] {
            let found = match role(path) {
                Some(Role::Status) => "status".to_owned(),
                Some(Role::List(name)) => format!("list {name}"),
                Some(Role::Checksums(name)) => format!("checksums {name}"),
                Some(Role::Copyright(name)) => format!("copyright {name}"),
                None => String::new(),
            };
            assert_eq!(found, expected, "{path}");
        }
    }

    /// A file that repeats one text up to its size, without being anywhere as a whole.
    struct Repeated {
        text: &'static [u8],
        size: u64,
    }

    impl Content for Repeated {
        fn size(&self) -> u64 {
            self.size
        }

        fn bytes(&mut self, limit: u64) -> Result<std::borrow::Cow<'_, [u8]>, model::ContentError> {
            Err(model::ContentError::TooLarge {
                size: self.size,
                limit,
            })
        }

        fn reader(&mut self) -> Result<Box<dyn model::ReadSeek + '_>, model::ContentError> {
            Ok(Box::new(RepeatedReader { file: self, at: 0 }))
        }
    }

    struct RepeatedReader<'a> {
        file: &'a Repeated,
        at: u64,
    }

    impl std::io::Read for RepeatedReader<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let left = usize::try_from(self.file.size - self.at).unwrap_or(usize::MAX);
            let start = (self.at % self.file.text.len() as u64) as usize;
            let part = &self.file.text[start..];
            let count = part.len().min(left).min(buffer.len());
            buffer[..count].copy_from_slice(&part[..count]);
            self.at += count as u64;
            Ok(count)
        }
    }

    impl std::io::Seek for RepeatedReader<'_> {
        fn seek(&mut self, _: std::io::SeekFrom) -> std::io::Result<u64> {
            unreachable!("a status file is only streamed")
        }
    }

    fn read(text: &'static [u8], size: u64) -> Extracted {
        let mut out = Extracted::default();
        let mut intake = Intake::new("var/lib/dpkg/status", &mut out);
        control::stanzas(&mut Repeated { text, size }, control::PACKAGE_FIELDS, |stanza| {
            record(stanza, &mut intake);
            !intake.is_full()
        })
        .expect("readable");
        out
    }

    #[test]
    fn status_of_two_gibibytes_stays_within_the_caps() {
        let many = read(
            b"Package: a\nStatus: install ok installed\nVersion: 1\n\n",
            2 << 30,
        );
        assert_eq!(many.packages.len(), 100_000);
        assert_eq!(many.problems.len(), 1);

        let nameless = read(b"Status: install ok installed\n\n", 4 << 20);
        assert!(nameless.packages.is_empty());
        assert_eq!(nameless.problems.len(), 50);

        const LINE: &[u8] = &[b'x'; 4096];
        assert!(read(LINE, 32 << 20).is_empty());
        assert!(read(&[0; 4096], 32 << 20).is_empty());
    }
}
