//! `libs.versions.toml`, Gradle's catalogue of versions.

use crate::Kind;
use crate::documents::Node;
use crate::gradle;
use crate::lock_file::{Listing, LockFile, Reading, alone};
use model::{Meta, Scope};
use std::collections::HashMap;

/// The member.
pub(super) static GRADLE_VERSION_CATALOG: LockFile = LockFile {
    meta: &META,
    kind: Kind::Declared,
    wants: |_, name| name.ends_with(".versions.toml"),
    read,
    combine: alone,
};

static META: Meta = Meta {
    name: "gradle-version-catalog",
    title: "Maven artifacts and Gradle plugins of a version catalogue",
    finds: &["*.versions.toml"],
    needs: &[],
    references: &["https://docs.gradle.org/current/userguide/version_catalogs.html"],
};

fn read(reading: &mut Reading<'_>) {
    let document = reading.toml();
    let versions: HashMap<&str, &Node<'_>> = document
        .get("versions")
        .entries()
        .iter()
        .map(|(name, version)| (&**name, version))
        .collect();
    let mut packages = Listing::default();
    for (alias, entry) in document.get("libraries").entries() {
        // `"group:name:version"`, or a table with `module` or `group` and `name`.
        let (module, version) = match entry.text() {
            Some(text) => match text.rsplit_once(':') {
                Some((module, version)) if module.contains(':') => (module.to_owned(), version.to_owned()),
                _ => (text.to_owned(), String::new()),
            },
            None => {
                let module = entry.get("module").text().map_or_else(
                    || format!("{}:{}", entry.get("group").str(), entry.get("name").str()),
                    str::to_owned,
                );
                (module, version_of(entry.get("version"), &versions))
            }
        };
        match module.split_once(':') {
            Some((group, artifact)) if !group.is_empty() && !artifact.is_empty() => {
                packages.push(reading.at(
                    gradle::artifact(reading.found_by, group, artifact, &version),
                    entry.line,
                ));
            }
            _ => reading.bad_entry(
                entry.line,
                format!("the library `{alias}` names no group and artifact"),
            ),
        }
    }
    for (alias, entry) in document.get("plugins").entries() {
        let (id, version) = match entry.text() {
            Some(text) => {
                let (id, version) = text.split_once(':').unwrap_or((text, ""));
                (id, version.to_owned())
            }
            None => (entry.get("id").str(), version_of(entry.get("version"), &versions)),
        };
        if id.is_empty() {
            reading.bad_entry(entry.line, format!("the plugin `{alias}` has no id"));
            continue;
        }
        // The artifact by which a plugin's id is looked up.
        let marker = format!("{id}.gradle.plugin");
        let mut plugin = gradle::artifact(reading.found_by, id, &marker, &version);
        plugin.scope = Some(Scope::Development);
        packages.push(reading.at(plugin, entry.line));
    }
    reading.list(packages);
}

/// The version of an entry: text, a reference into `[versions]`, or a table of wishes.
fn version_of(version: &Node<'_>, versions: &HashMap<&str, &Node<'_>>) -> String {
    let version = match version.get("ref").text() {
        Some(name) => versions.get(name).copied().unwrap_or(version),
        None => version,
    };
    let wish = || {
        ["strictly", "require", "prefer"]
            .into_iter()
            .find_map(|key| version.get(key).text())
    };
    version.text().or_else(wish).unwrap_or_default().to_owned()
}
