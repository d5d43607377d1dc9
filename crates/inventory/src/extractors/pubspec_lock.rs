//! `pubspec.lock` of Dart and Flutter.

use crate::Kind;
use crate::identity::{from_git, from_path, pub_dev};
use crate::lock_file::{Listing, LockFile, Reading, alone};
use model::{Meta, Relation, Scope};

/// The member.
pub(super) static PUBSPEC_LOCK: LockFile = LockFile {
    meta: &META,
    kind: Kind::Declared,
    wants: |_, name| name == "pubspec.lock",
    read,
    combine: alone,
};

static META: Meta = Meta {
    name: "pubspec-lock",
    title: "Dart packages of a pub lock file",
    finds: &["pubspec.lock"],
    needs: &[],
    references: &["https://dart.dev/tools/pub/glossary#lockfile"],
};

fn read(reading: &mut Reading<'_>) {
    let document = reading.yaml();
    if !document.get("packages").exists() && !document.get("sdks").exists() {
        return reading.problem("not a pub lock file: it has neither `packages` nor `sdks`");
    }
    let mut packages = Listing::default();
    for (key, entry) in document.get("packages").entries() {
        let version = entry.get("version").str();
        if version.is_empty() {
            reading.bad_entry(entry.line, format!("the package `{key}` has no version"));
            continue;
        }
        let description = entry.get("description");
        let mut package = pub_dev(
            reading.found_by,
            description.get("name").text().unwrap_or(key),
            version,
        );
        match entry.get("source").str() {
            "git" => from_git(
                &mut package,
                description.get("url").str(),
                description.get("resolved-ref").str(),
            ),
            "path" => from_path(&mut package, description.get("path").str()),
            "sdk" => {
                package.ecosystem.clear();
                package.add_fact("sdk", description.str());
            }
            _ => {}
        }
        let wanted = entry.get("dependency").str();
        package.relation = match wanted {
            "transitive" => Some(Relation::Transitive),
            _ if wanted.starts_with("direct") => Some(Relation::Direct),
            _ => None,
        };
        package.scope = match wanted {
            "direct main" | "direct overridden" => Some(Scope::Runtime),
            "direct dev" => Some(Scope::Development),
            _ => None,
        };
        packages.push(reading.at(package, entry.line));
    }
    reading.list(packages);
}
