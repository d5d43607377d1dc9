//! `mix.lock` of Elixir's Mix.

use crate::Kind;
use crate::dependency_graph::{DependencyGraph, Id};
use crate::identity::{from_git, hex, other};
use crate::lock_file::{LockFile, Reading, alone};
use model::{Meta, Scope};
use std::collections::HashMap;

/// The member.
pub(super) static MIX_LOCK: LockFile = LockFile {
    meta: &META,
    kind: Kind::Declared,
    wants: |_, name| name == "mix.lock",
    read,
    combine: alone,
};

static META: Meta = Meta {
    name: "mix-lock",
    title: "Hex packages of a Mix lock file",
    finds: &["mix.lock"],
    needs: &[],
    references: &["https://hexdocs.pm/mix/Mix.Project.html"],
};

fn read(reading: &mut Reading<'_>) {
    let mut graph = DependencyGraph::default();
    let mut ids: HashMap<&str, Id> = HashMap::new();
    let mut wants: Vec<(Id, &str)> = Vec::new();
    // Mix writes one entry a line: `"name": {:hex, :package, "1.0.0", …},`.
    for (number, line) in reading.lines() {
        let line = line.trim();
        let Some((name, tuple)) = line.strip_prefix('"').and_then(|rest| rest.split_once('"')) else {
            if !matches!(line, "" | "%{" | "}" | "%{}") && !line.starts_with('#') {
                reading.bad_entry(number, "the line is no entry of a Mix lock file");
            }
            continue;
        };
        let tuple = tuple
            .trim_start_matches([':', ' '])
            .trim_start_matches("=>")
            .trim_start();
        let mut quoted = tuple.split('"').skip(1).step_by(2);
        let package = if let Some(rest) = tuple.strip_prefix("{:hex,") {
            let package = rest
                .trim_start()
                .strip_prefix(':')
                .and_then(|rest| rest.split([',', ' ']).next());
            let version = quoted.next();
            // Behind the lists: the repository, and a checksum.
            let repository = tuple
                .rsplit_once(']')
                .and_then(|(_, behind)| behind.split('"').nth(1))
                .unwrap_or_default();
            version.map(|version| {
                let name = package.unwrap_or(name).trim_matches('"');
                let mut package = hex(reading.found_by, name, version);
                if !matches!(repository, "" | "hexpm") {
                    // An organisation's (`hexpm:acme`) or one of the project's own.
                    package.ecosystem.clear();
                    package.add_fact("registry", repository);
                    if let Some(organisation) = repository.strip_prefix("hexpm:") {
                        package.purl = package.purl.clone().with_namespace(organisation);
                    }
                }
                package
            })
        } else if tuple.starts_with("{:git,") {
            quoted.next().map(|repository| {
                let mut package = other(reading.found_by, "hex", name, "");
                from_git(&mut package, repository, quoted.next().unwrap_or_default());
                package
            })
        } else {
            None
        };
        match package {
            Some(package) => {
                let id = graph.add(reading.at(package, number));
                ids.insert(name, id);
                // What it wants stands in tuples inside: `{:erlex, ">= 0.2.6", […]}`.
                let inner = tuple.get(1..).unwrap_or_default();
                wants.extend(
                    inner
                        .split("{:")
                        .skip(1)
                        .filter_map(|part| part.split([',', '}']).next())
                        .map(|name| (id, name)),
                );
            }
            None => reading.bad_entry(
                number,
                format!("the entry of `{name}` is neither of Hex nor of git"),
            ),
        }
    }
    for (from, name) in wants {
        if let Some(&to) = ids.get(name) {
            graph.want(from, to, Scope::Runtime);
        }
    }
    reading.list_graph(graph);
}
