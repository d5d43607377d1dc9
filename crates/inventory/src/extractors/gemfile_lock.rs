//! `Gemfile.lock` and `gems.locked` of Bundler.

use crate::Kind;
use crate::dependency_graph::{ByName, DependencyGraph, Id};
use crate::identity::{from_git, from_path, gem};
use crate::lock_file::{LockFile, Reading, alone};
use model::{Meta, Scope};

/// The member.
pub(super) static GEMFILE_LOCK: LockFile = LockFile {
    meta: &META,
    kind: Kind::Declared,
    wants: |_, name| matches!(name, "Gemfile.lock" | "gems.locked"),
    read,
    combine: alone,
};

static META: Meta = Meta {
    name: "gemfile-lock",
    title: "Ruby gems of a Bundler lock file",
    finds: &["Gemfile.lock", "gems.locked"],
    needs: &[],
    references: &["https://bundler.io/man/gemfile.5.html"],
};

fn read(reading: &mut Reading<'_>) {
    let mut graph = DependencyGraph::default();
    let mut ids: ByName<&str, Id> = ByName::default();
    let mut wants: Vec<(Id, &str)> = Vec::new();
    let mut direct: Vec<&str> = Vec::new();
    let (mut section, mut remote, mut revision) = ("", "", "");
    let mut current = None;
    let mut sections = 0;
    for (number, line) in reading.lines() {
        let text = line.trim();
        if text.is_empty() {
            continue;
        }
        match line.len() - line.trim_start().len() {
            0 => {
                if text.starts_with("<<<<<<<") || text.starts_with(">>>>>>>") {
                    reading.bad_entry(number, "has the marks of an unresolved merge");
                    continue;
                }
                (section, remote, revision, current) = (text, "", "", None);
                sections += 1;
            }
            2 if section == "DEPENDENCIES" => direct.push(name_of(text).trim_end_matches('!')),
            2 => {
                if let Some(value) = text.strip_prefix("remote: ") {
                    remote = value;
                } else if let Some(value) = text.strip_prefix("revision: ") {
                    revision = value;
                }
            }
            4 if matches!(section, "GEM" | "GIT" | "PATH" | "PLUGIN SOURCE") => {
                let name = name_of(text);
                let full = text
                    .split_once('(')
                    .map_or("", |(_, rest)| rest.trim_end_matches(')'));
                if full.is_empty() {
                    current = None;
                    reading.bad_entry(number, format!("the gem `{name}` has no version"));
                    continue;
                }
                // What follows the first hyphen is the platform: versions have none.
                let (version, platform) = full.split_once('-').unwrap_or((full, ""));
                let mut package = gem(reading.found_by, name, version);
                package.add_fact("platform", platform);
                match section {
                    "GIT" => from_git(&mut package, remote, revision),
                    "PATH" => from_path(&mut package, remote),
                    _ => {}
                }
                let id = graph.add(reading.at(package, number));
                ids.add(name, id);
                current = Some(id);
            }
            6 => wants.extend(current.map(|id| (id, name_of(text)))),
            _ => {}
        }
    }
    if ids.is_empty() && sections == 0 && !reading.text.trim().is_empty() {
        reading.problem("not a Bundler lock file: it has no sections");
    }
    for (from, name) in wants {
        for &to in ids.all(name) {
            graph.want(from, to, Scope::Runtime);
        }
    }
    if !direct.is_empty() {
        let project = graph.add_project("");
        for name in direct {
            for &to in ids.all(name) {
                graph.want(project, to, Scope::Runtime);
            }
        }
    }
    reading.list_graph(graph);
}

/// `name` of `name (version)`.
fn name_of(text: &str) -> &str {
    text.split(' ').next().unwrap_or(text)
}
