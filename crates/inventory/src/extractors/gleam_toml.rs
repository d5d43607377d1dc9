//! `gleam.toml` of Gleam: what a project asks for of Hex.

use crate::Kind;
use crate::identity::{from_git, from_path, hex, with_requirement};
use crate::lock_file::{Listing, LockFile, Reading, alone};
use model::{Meta, Relation, Scope};

/// The member.
pub(super) static GLEAM_TOML: LockFile = LockFile {
    meta: &META,
    kind: Kind::Declared,
    wants: |_, name| name == "gleam.toml",
    read,
    combine: alone,
};

static META: Meta = Meta {
    name: "gleam-toml",
    title: "Hex packages that a Gleam project asks for",
    finds: &["gleam.toml"],
    needs: &[],
    references: &["https://gleam.run/writing-gleam/gleam-toml/"],
};

fn read(reading: &mut Reading<'_>) {
    let document = reading.toml();
    let mut packages = Listing::default();
    for (table, scope) in [
        ("dependencies", Scope::Runtime),
        ("dev-dependencies", Scope::Development),
        ("dev_dependencies", Scope::Development),
    ] {
        for (name, entry) in document.get(table).entries() {
            let range = entry.text().unwrap_or_else(|| entry.get("version").str()).trim();
            let exact = range.strip_prefix("==").unwrap_or(range).trim();
            let is_exact = exact.starts_with(|first: char| first.is_ascii_digit()) && !exact.contains(' ');
            let mut package = hex(reading.found_by, name, if is_exact { exact } else { "" });
            if let Some(path) = entry.get("path").text() {
                from_path(&mut package, path);
            } else if let Some(repository) = entry.get("git").text() {
                from_git(&mut package, repository, entry.get("ref").str());
            } else if !is_exact {
                with_requirement(&mut package, range);
            }
            package.relation = Some(Relation::Direct);
            package.scope = Some(scope);
            packages.push(reading.at(package, entry.line));
        }
    }
    reading.list(packages);
}
