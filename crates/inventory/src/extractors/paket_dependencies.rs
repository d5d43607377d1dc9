//! `paket.dependencies` of Paket: what a .NET project asks for.

use crate::Kind;
use crate::identity::{from_git, nuget, other, with_requirement};
use crate::lock_file::{Listing, LockFile, Reading, alone};
use crate::python_requirements::is_development_group;
use model::{Meta, Relation, Scope};

/// The member.
pub(super) static PAKET_DEPENDENCIES: LockFile = LockFile {
    meta: &META,
    kind: Kind::Declared,
    wants: |_, name| name == "paket.dependencies",
    read,
    combine: alone,
};

static META: Meta = Meta {
    name: "paket-dependencies",
    title: "NuGet packages that Paket is asked for",
    finds: &["paket.dependencies"],
    needs: &[],
    references: &["https://fsprojects.github.io/Paket/dependencies-file.html"],
};

fn read(reading: &mut Reading<'_>) {
    let mut packages = Listing::default();
    let mut scope = Scope::Runtime;
    for (number, line) in reading.lines() {
        let line = line.split("//").next().unwrap_or_default();
        let line = if line.trim_start().starts_with('#') {
            ""
        } else {
            line
        };
        let mut words = line.split_whitespace();
        let (kind, name) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        match kind.to_ascii_lowercase().as_str() {
            "group" => {
                let development = is_development_group(name) || name.eq_ignore_ascii_case("build");
                scope = if development {
                    Scope::Development
                } else {
                    Scope::Runtime
                };
            }
            "nuget" | "clitool" if name.is_empty() => reading.no_name_or_version(number, ""),
            "nuget" | "clitool" => {
                // Options such as `framework: net48` follow the versions.
                let words: Vec<&str> = words.take_while(|word| !word.ends_with(':')).collect();
                let exact = match words.as_slice() {
                    ["=" | "==", version, ..] => version,
                    [version, ..] if version.starts_with(|first: char| first.is_ascii_digit()) => version,
                    _ => "",
                };
                let mut package = nuget(reading.found_by, name, exact);
                if exact.is_empty() {
                    let range = words.join(" ");
                    with_requirement(&mut package, if range.is_empty() { "*" } else { &range });
                }
                package.relation = Some(Relation::Direct);
                package.scope = Some(scope);
                packages.push(reading.at(package, number));
            }
            "github" | "gist" | "git" if !name.is_empty() => {
                let (name, mut commit) = name
                    .split_once(':')
                    .filter(|_| kind != "git")
                    .unwrap_or((name, ""));
                if commit.is_empty() {
                    commit = words.next().unwrap_or_default();
                }
                let address = match kind {
                    "github" => format!("https://github.com/{name}"),
                    "gist" => format!("https://gist.github.com/{name}"),
                    _ => name.to_owned(),
                };
                let mut package = other(reading.found_by, "generic", name, "");
                from_git(&mut package, &address, commit);
                package.relation = Some(Relation::Direct);
                package.scope = Some(scope);
                packages.push(reading.at(package, number));
            }
            _ => {}
        }
    }
    reading.list(packages);
}
