//! `yarn.lock` of Yarn 1 and of Yarn 2 and later ("berry"), read line by line.

use crate::Kind;
use crate::dependency_graph::{DependencyGraph, Id, Manifest, join_manifests};
use crate::identity::{from_path, npm, npm_resolved, split_npm};
use crate::lock_file::{LockFile, Reading};
use model::{Meta, Package, Relation, Scope};
use std::collections::HashMap;

/// The member.
pub(super) static YARN_LOCK: LockFile = LockFile {
    meta: &META,
    kind: Kind::Declared,
    wants: |_, name| matches!(name, "yarn.lock" | "package.json"),
    read,
    combine: join_manifests,
};

static META: Meta = Meta {
    name: "yarn-lock",
    title: "npm packages of a Yarn lock file, all versions",
    finds: &["yarn.lock", "package.json (what the project wants)"],
    needs: &[],
    references: &[
        "https://classic.yarnpkg.com/lang/en/docs/yarn-lock/",
        "https://yarnpkg.com/configuration/manifest",
    ],
};

/// One entry while its lines are read.
#[derive(Default)]
struct Block<'a> {
    line: u32,
    /// What it answers: `name@range`.
    requests: Vec<(&'a str, &'a str)>,
    version: &'a str,
    resolution: &'a str,
    resolved: &'a str,
    /// Name, range, scope.
    wants: Vec<(&'a str, &'a str, Scope)>,
    section: &'a str,
}

fn read(reading: &mut Reading<'_>) {
    if reading.file_name() == "package.json" {
        return read_manifest(reading);
    }
    let known = reading.text.contains("yarn lockfile v1") || reading.text.contains("__metadata:");
    let mut graph = DependencyGraph::default();
    let mut answers: HashMap<String, Id> = HashMap::new();
    let mut wants = Vec::new();
    let mut block = Block::default();
    let lines = reading.lines();
    for (number, line) in lines.chain([(0, "end:")]) {
        let line = line.trim_end();
        if line.is_empty() || line.starts_with('#') || line == ":" {
            continue;
        }
        if line.starts_with("<<<<<<<") || line.starts_with(">>>>>>>") {
            reading.bad_entry(number, "has the marks of an unresolved merge");
            continue;
        }
        let indent = line.len() - line.trim_start().len();
        match indent {
            0 => {
                let last = std::mem::replace(&mut block, header(number, line));
                finish(reading, last, &mut graph, &mut answers, &mut wants);
            }
            2 => {
                let (key, value) = field(line.trim_start());
                block.section = "";
                match key {
                    "version" => block.version = value,
                    "resolution" => block.resolution = value,
                    "resolved" => block.resolved = value,
                    _ if value.is_empty() => block.section = key,
                    _ => {}
                }
            }
            _ => {
                let scope = match block.section {
                    "dependencies" => Scope::Runtime,
                    "optionalDependencies" => Scope::Optional,
                    _ => continue,
                };
                let (name, range) = field(line.trim_start());
                block.wants.push((name, range, scope));
            }
        }
    }
    if answers.is_empty() && !known {
        return reading.problem("not a Yarn lock file: it has no entries and not Yarn's first line");
    }
    for (from, name, range, scope) in wants {
        if let Some(&to) = answers.get(&request(name, range)) {
            graph.want(from, to, scope);
        }
    }
    reading.suspend(graph, answers.iter().map(|(key, id)| (key.as_str(), *id)));
}

/// What the project wants, by name and range.
fn read_manifest(reading: &mut Reading<'_>) {
    let document = reading.json();
    let (name, version) = (document.get("name").str(), document.get("version").str());
    let mut manifest = Manifest::new(reading.out, name, version);
    for (key, scope) in [
        ("dependencies", Scope::Runtime),
        ("optionalDependencies", Scope::Optional),
        ("devDependencies", Scope::Development),
    ] {
        for (name, range) in document.get(key).entries() {
            manifest.wants(request(name, range.str()), scope);
        }
    }
}

/// The key of a request; Yarn 1 leaves out the `npm:` that later versions write.
fn request(name: &str, range: &str) -> String {
    format!("{name}@{}", range.strip_prefix("npm:").unwrap_or(range))
}

/// The first line of an entry: requests, separated by commas, each or all in quotes.
fn header(number: u32, line: &str) -> Block<'_> {
    let line = line.strip_prefix("? ").unwrap_or(line);
    let line = line.strip_suffix(':').unwrap_or(line);
    let requests = line
        .split(", ")
        .filter_map(|request| split_npm(request.trim().trim_matches('"')));
    Block {
        line: number,
        requests: requests.collect(),
        ..Block::default()
    }
}

/// Key and value of `key value`, `key: value` and `"key" "value"`.
fn field(line: &str) -> (&str, &str) {
    let (key, value) = match line.strip_prefix('"') {
        Some(rest) => rest.split_once('"').unwrap_or((rest, "")),
        None => {
            let end = line.find([' ', ':']).unwrap_or(line.len());
            line.split_at(end)
        }
    };
    (key, value.trim_start_matches(':').trim().trim_matches('"'))
}

fn finish<'a>(
    reading: &mut Reading<'_>,
    block: Block<'a>,
    graph: &mut DependencyGraph,
    answers: &mut HashMap<String, Id>,
    wants: &mut Vec<(Id, &'a str, &'a str, Scope)>,
) {
    // Yarn's own `__metadata` asks for nothing.
    let Some(&(first, range)) = block.requests.first() else {
        return;
    };
    let Some(package) = package(reading, &block, first, range) else {
        return reading.bad_entry(block.line, format!("the entry of `{first}` has no version"));
    };
    let id = graph.add(reading.at(package, block.line));
    for (name, range) in block.requests {
        answers.insert(request(name, range), id);
    }
    wants.extend(
        block
            .wants
            .into_iter()
            .map(|(name, range, scope)| (id, name, range, scope)),
    );
}

fn package(reading: &Reading<'_>, block: &Block<'_>, first: &str, range: &str) -> Option<Package> {
    if block.version.is_empty() {
        return None;
    }
    let Some((name, place)) = split_npm(block.resolution) else {
        // Yarn 1: `alias@npm:name@range` has another name.
        let name = range
            .strip_prefix("npm:")
            .and_then(split_npm)
            .map_or(first, |(name, _)| name);
        let mut package = npm(reading.found_by, name, block.version);
        let place = if range.starts_with("file:") || range.starts_with("link:") {
            range
        } else {
            block.resolved
        };
        npm_resolved(&mut package, place);
        return Some(package);
    };
    if let Some(folder) = place.strip_prefix("workspace:") {
        let version = block
            .version
            .strip_suffix("use.local")
            .map_or(block.version, |_| "");
        let mut package = npm(reading.found_by, name, version);
        from_path(&mut package, folder);
        package.relation = Some(Relation::Root);
        return Some(package);
    }
    let mut package = npm(reading.found_by, name, block.version);
    if place.starts_with("patch:") {
        package.add_fact("patched", "true");
    } else if !place.starts_with("npm:") {
        npm_resolved(&mut package, place);
    }
    Some(package)
}
