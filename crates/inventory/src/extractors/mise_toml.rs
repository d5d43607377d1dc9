//! `mise.toml` of mise, with tools of its own and of package registries.

use crate::Kind;
use crate::identity::{cargo, gem, golang, npm, other, pypi, with_requirement};
use crate::lock_file::{Listing, LockFile, Reading, alone};
use model::{Meta, Package, Relation};

/// The member.
pub(super) static MISE_TOML: LockFile = LockFile {
    meta: &META,
    kind: Kind::Declared,
    wants: |path, name| {
        matches!(
            name,
            "mise.toml" | ".mise.toml" | "mise.local.toml" | ".mise.local.toml"
        ) || path.ends_with("mise/config.toml")
    },
    read,
    combine: alone,
};

static META: Meta = Meta {
    name: "mise-toml",
    title: "Runtimes and tools that mise sets up",
    finds: &["mise.toml", ".mise.toml", "mise.local.toml", "mise/config.toml"],
    needs: &[],
    references: &["https://mise.jdx.dev/configuration.html"],
};

fn read(reading: &mut Reading<'_>) {
    let document = reading.toml();
    let mut packages = Listing::default();
    for (name, value) in document.get("tools").entries() {
        let single = [value.clone()];
        let versions = if value.items().is_empty() {
            &single
        } else {
            value.items()
        };
        for version in versions {
            let Some(version) = version.text().or_else(|| version.get("version").text()) else {
                reading.bad_entry(value.line, format!("the tool `{name}` has no version"));
                continue;
            };
            let mut package = tool(reading, name, version);
            package.relation = Some(Relation::Direct);
            packages.push(reading.at(package, value.line));
        }
    }
    reading.list(packages);
}

fn tool(reading: &Reading<'_>, name: &str, asked: &str) -> Package {
    let by = reading.found_by;
    let exact = asked.starts_with(|first: char| first.is_ascii_digit()) || asked.starts_with('v');
    let version = if exact { asked } else { "" };
    let name = name.split('[').next().unwrap_or(name);
    let mut package = match name.split_once(':') {
        Some(("npm", name)) => npm(by, name, version),
        Some(("pipx", name)) if !name.contains('/') => pypi(by, name, version),
        Some(("cargo", name)) if !name.contains('/') => cargo(by, name, version),
        Some(("gem", name)) => gem(by, name, version),
        Some(("go", name)) => golang(by, name, version),
        Some((_, name)) => other(by, "generic", name, version),
        None => other(by, "generic", name, version),
    };
    if !exact {
        with_requirement(&mut package, asked);
    }
    package
}
