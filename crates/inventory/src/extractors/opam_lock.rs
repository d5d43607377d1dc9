//! `*.opam.locked` and the state of an opam switch.

use crate::Kind;
use crate::lock_file::{Listing, LockFile, Reading, alone};
use model::{Meta, Package, Purl, Relation, Scope};
use std::collections::HashSet;

/// The member.
pub(super) static OPAM_LOCK: LockFile = LockFile {
    meta: &META,
    kind: Kind::Declared,
    wants: |path, name| name.ends_with(".opam.locked") || path.ends_with(".opam-switch/switch-state"),
    read,
    combine: alone,
};

static META: Meta = Meta {
    name: "opam-lock",
    title: "OCaml packages of an opam lock file or switch",
    finds: &["*.opam.locked", ".opam-switch/switch-state"],
    needs: &[],
    references: &["https://opam.ocaml.org/doc/Manual.html"],
};

fn read(reading: &mut Reading<'_>) {
    let mut field = String::new();
    let mut packages = Listing::default();
    let mut wanted: HashSet<&str> = HashSet::new();
    for (number, line) in reading.lines() {
        let mut text = line;
        if let Some((key, rest)) = line.split_once(':')
            && key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
        {
            key.clone_into(&mut field);
            text = rest;
        }
        let quoted: Vec<&str> = text.split('"').skip(1).step_by(2).collect();
        match (field.as_str(), quoted.as_slice()) {
            // `"name" {= "1.0" & with-test}`
            ("depends", [name, version, ..]) => {
                let mut package = opam(reading.found_by, name, version);
                let development = ["with-test", "with-doc", "with-dev-setup", "build"]
                    .iter()
                    .any(|flag| text.contains(flag));
                package.scope = Some(if development {
                    Scope::Development
                } else {
                    Scope::Runtime
                });
                packages.push(reading.at(package, number));
            }
            ("roots", names) => wanted.extend(names),
            // `"name.1.0"`
            ("installed", names) => {
                for full in names {
                    match full.split_once('.') {
                        Some((name, version)) => {
                            packages.push(reading.at(opam(reading.found_by, name, version), number));
                        }
                        None => reading.bad_entry(number, format!("`{full}` is no name and version")),
                    }
                }
            }
            _ => {}
        }
        if text.trim_end().ends_with(']') {
            field.clear();
        }
    }
    if !wanted.is_empty() {
        for package in &mut packages {
            let full = format!("{}.{}", package.name, package.version);
            let direct = wanted.contains(full.as_str());
            package.relation = Some(if direct {
                Relation::Direct
            } else {
                Relation::Transitive
            });
        }
    }
    reading.list(packages);
}

fn opam(found_by: &str, name: &str, version: &str) -> Package {
    Package::new(
        found_by,
        Purl::new("opam", "", name, version),
        "opam",
        name,
        version,
    )
}
