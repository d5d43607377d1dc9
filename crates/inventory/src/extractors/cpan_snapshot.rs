//! `cpanfile.snapshot` of Perl's Carton.

use crate::Kind;
use crate::dependency_graph::{DependencyGraph, Id};
use crate::lock_file::{LockFile, Reading, alone};
use model::{Meta, Package, Purl, Scope};
use std::collections::HashMap;

/// The member.
pub(super) static CPAN_SNAPSHOT: LockFile = LockFile {
    meta: &META,
    kind: Kind::Declared,
    wants: |_, name| name == "cpanfile.snapshot",
    read,
    combine: alone,
};

static META: Meta = Meta {
    name: "cpan-snapshot",
    title: "Perl distributions of a Carton snapshot",
    finds: &["cpanfile.snapshot"],
    needs: &[],
    references: &["https://metacpan.org/pod/Carton"],
};

fn read(reading: &mut Reading<'_>) {
    let mut graph = DependencyGraph::default();
    // Module -> the distribution that provides it.
    let mut provided: HashMap<&str, Id> = HashMap::new();
    let mut wants: Vec<(Id, &str)> = Vec::new();
    let (mut current, mut section) = (None::<Id>, "");
    let mut pending: Option<(u32, &str)> = None;
    if !reading.text.contains("carton snapshot format") {
        reading.problem("not a Carton snapshot: it does not begin with its format");
    }
    for (number, line) in reading.lines() {
        let text = line.trim();
        match line.len() - line.trim_start().len() {
            2 => {
                pending = Some((number, text));
                current = None;
                section = "";
            }
            4 => {
                section = text.trim_end_matches(':');
                if let (Some(path), Some((line, full))) = (text.strip_prefix("pathname: "), pending.take()) {
                    match distribution(reading.found_by, full, path) {
                        Some(package) => current = Some(graph.add(reading.at(package, line))),
                        None => reading.bad_entry(line, format!("`{full}` is no name and version")),
                    }
                }
            }
            6 => {
                let module = text.split(' ').next().unwrap_or(text);
                match (section, current) {
                    ("provides", Some(id)) => {
                        provided.insert(module, id);
                    }
                    ("requirements", Some(id)) => wants.push((id, module)),
                    _ => {}
                }
            }
            _ => {}
        }
    }
    for (from, module) in wants {
        if let Some(&to) = provided.get(module).filter(|to| **to != from) {
            graph.want(from, to, Scope::Runtime);
        }
    }
    reading.list_graph(graph);
}

/// A distribution from `Name-1.0` and `A/AU/AUTHOR/Name-1.0.tar.gz`; the author is the purl's namespace.
fn distribution(found_by: &str, full: &str, path: &str) -> Option<Package> {
    let (name, version) = full.rsplit_once('-')?;
    let author = path.rsplit('/').nth(1).unwrap_or_default();
    let purl = Purl::new("cpan", author, name, version);
    Some(Package::new(found_by, purl, "", name, version))
}
