//! `environment.yml` of Conda.

use crate::Kind;
use crate::documents::Value;
use crate::identity::{other, with_requirement};
use crate::lock_file::{Listing, LockFile, Reading, alone};
use crate::python_requirements::Requirement;
use model::{Meta, Package, Relation};

/// The member.
pub(super) static CONDA_ENVIRONMENT: LockFile = LockFile {
    meta: &META,
    kind: Kind::Declared,
    wants: |_, name| matches!(name, "environment.yml" | "environment.yaml"),
    read,
    combine: alone,
};

static META: Meta = Meta {
    name: "conda-environment",
    title: "Conda and Python packages of a Conda environment file",
    finds: &["environment.yml", "environment.yaml"],
    needs: &[],
    references: &["https://docs.conda.io/projects/conda/en/latest/user-guide/tasks/manage-environments.html"],
};

fn read(reading: &mut Reading<'_>) {
    let document = reading.yaml();
    let mut packages = Listing::default();
    // Other programs have files of this name too; theirs hold no list of dependencies.
    for item in document.get("dependencies").items() {
        match &item.value {
            Value::Text(text) => match conda(reading.found_by, text) {
                Some(package) => packages.push(reading.at(package, item.line)),
                None => reading.bad_entry(item.line, format!("`{text}` is no Conda package")),
            },
            _ => {
                for pip in item.get("pip").items() {
                    let text = pip.str();
                    match Requirement::parse(text) {
                        Some(requirement) => {
                            packages.push(reading.at(requirement.package(reading.found_by), pip.line));
                        }
                        // `-r file` and other options of pip.
                        None if text.starts_with('-') => {}
                        None => reading.bad_entry(pip.line, format!("`{text}` is no requirement of pip")),
                    }
                }
            }
        }
    }
    for package in &mut packages {
        package.relation = Some(Relation::Direct);
    }
    reading.list(packages);
}

/// A package from `channel::name=version=build`, `name==version`, `name>=version`, `name version build` or `name`.
fn conda(found_by: &str, text: &str) -> Option<Package> {
    let (channel, rest) = text.rsplit_once("::").unwrap_or(("", text));
    let rest = rest.trim();
    let end = rest
        .find([' ', '=', '<', '>', '!', '~', '['])
        .unwrap_or(rest.len());
    let (name, asked) = rest.split_at(end);
    if name.is_empty() {
        return None;
    }
    let asked = asked.split('[').next().unwrap_or(asked).trim();
    // One `=` allows all versions that begin so, but is what `conda env export` writes for exact ones, with a build.
    let plain = asked.trim_start_matches('=').trim();
    let (version, build) = plain.split_once(['=', ' ']).unwrap_or((plain, ""));
    let ranged = asked.starts_with(['<', '>', '!', '~']) || version.contains(['*', ',', '|', '<', '>']);
    let mut package = other(found_by, "conda", name, if ranged { "" } else { version });
    if ranged || version.is_empty() {
        with_requirement(&mut package, if asked.is_empty() { "*" } else { asked });
    }
    package.purl = package
        .purl
        .with_qualifier("build", if ranged { "" } else { build })
        .with_qualifier("channel", channel);
    Some(package)
}
