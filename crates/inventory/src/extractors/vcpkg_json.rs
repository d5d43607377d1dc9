//! `vcpkg.json` of vcpkg, whose versions are minima over a baseline.

use crate::Kind;
use crate::dependency_graph::cut;
use crate::documents::Node;
use crate::identity::{other, with_requirement};
use crate::lock_file::{Listing, LockFile, Reading, alone};
use model::{Meta, Relation, Scope};
use std::collections::HashMap;

/// The member.
pub(super) static VCPKG_JSON: LockFile = LockFile {
    meta: &META,
    kind: Kind::Declared,
    wants: |_, name| name == "vcpkg.json",
    read,
    combine: alone,
};

static META: Meta = Meta {
    name: "vcpkg-json",
    title: "C and C++ packages of a vcpkg manifest",
    finds: &["vcpkg.json"],
    needs: &[],
    references: &["https://learn.microsoft.com/vcpkg/reference/vcpkg-json"],
};

const VERSIONS: [&str; 4] = ["version", "version-semver", "version-date", "version-string"];

fn read(reading: &mut Reading<'_>) {
    let document = reading.json();
    let overrides: HashMap<&str, &str> = document
        .get("overrides")
        .items()
        .iter()
        .map(|entry| {
            let version = VERSIONS.iter().find_map(|key| entry.get(key).text());
            (entry.get("name").str(), version.unwrap_or_default())
        })
        .collect();
    let mut lists: Vec<(&Node<'_>, Scope)> = vec![(document.get("dependencies"), Scope::Runtime)];
    for (_, feature) in document.get("features").entries() {
        lists.push((feature.get("dependencies"), Scope::Optional));
    }
    let mut packages = Listing::default();
    for (list, scope) in lists {
        for entry in list.items() {
            let Some(name) = entry.text().or_else(|| entry.get("name").text()) else {
                reading.bad_entry(
                    entry.line,
                    format!("a dependency is {}, and has no name", entry.kind()),
                );
                continue;
            };
            let fixed = overrides.get(name).copied().unwrap_or_default();
            let mut package = other(reading.found_by, "vcpkg", name, fixed);
            if fixed.is_empty() {
                let least = entry.get("version>=").str();
                let requirement = if least.is_empty() {
                    "*".to_owned()
                } else {
                    format!(">={least}")
                };
                with_requirement(&mut package, &requirement);
            }
            package.add_fact("baseline", cut(document.get("builtin-baseline").str(), 64));
            package.relation = Some(Relation::Direct);
            package.scope = Some(if entry.get("host").is_true() {
                Scope::Development
            } else {
                scope
            });
            packages.push(reading.at(package, entry.line));
        }
    }
    reading.list(packages);
}
