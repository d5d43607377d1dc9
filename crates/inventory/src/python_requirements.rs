//! What Python's tools write to ask for a package: PEP 508 requirements, and `pyproject.toml`.

use crate::dependency_graph::Manifest;
use crate::documents::Node;
use crate::identity::{from_git, from_path, from_url, normal_python_name, pypi, with_requirement};
use crate::lock_file::Reading;
use model::{Package, Scope, path};

/// A requirement: `name[extras] specifier ; marker` or `name @ address`.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Requirement<'a> {
    /// Name as it is written; empty for a bare address.
    pub(crate) name: &'a str,
    /// Names between the brackets.
    pub(crate) extras: &'a str,
    /// Versions that are allowed, e.g. `>=1.0,<2`.
    pub(crate) specifier: &'a str,
    /// Where it is to be had instead.
    pub(crate) address: &'a str,
    /// Condition on the environment.
    pub(crate) marker: &'a str,
}

impl<'a> Requirement<'a> {
    /// Reads one; `None` for what is none.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let text = text.trim();
        let end = text
            .find(|character: char| !(character.is_alphanumeric() || matches!(character, '-' | '_' | '.')))
            .unwrap_or(text.len());
        let (name, rest) = text.split_at(end);
        if name.is_empty() || rest.starts_with([':', '/', '\\']) {
            return None;
        }
        let mut requirement = Self {
            name,
            ..Self::default()
        };
        let mut rest = rest.trim_start();
        if let Some(inner) = rest.strip_prefix('[') {
            let (extras, after) = inner.split_once(']')?;
            requirement.extras = extras.trim();
            rest = after.trim_start();
        }
        if let Some(address) = rest.strip_prefix('@') {
            // A semicolon belongs to the address unless space stands before it.
            let (address, marker) = address.split_once(" ;").unwrap_or((address, ""));
            requirement.address = address.trim();
            requirement.marker = marker.trim();
            return Some(requirement);
        }
        let (specifier, marker) = rest.split_once(';').unwrap_or((rest, ""));
        requirement.marker = marker.trim();
        requirement.specifier = specifier
            .trim()
            .trim_start_matches('(')
            .trim_end_matches(')')
            .trim();
        let valid = requirement.specifier.is_empty()
            || requirement.specifier.starts_with(['=', '<', '>', '!', '~', '^']);
        valid.then_some(requirement)
    }

    /// The one version that is allowed, if there is just one.
    pub(crate) fn pin(&self) -> Option<&'a str> {
        self.specifier.split(',').find_map(|part| {
            let part = part.trim();
            let version = part
                .strip_prefix("===")
                .or_else(|| part.strip_prefix("=="))?
                .trim();
            (!version.is_empty() && !version.contains('*')).then_some(version)
        })
    }

    /// The package that is asked for.
    pub(crate) fn package(&self, found_by: &str) -> Package {
        let version = self.pin().unwrap_or_default();
        let mut package = pypi(found_by, self.name, version);
        if !self.address.is_empty() {
            at_address(&mut package, self.address);
        } else if version.is_empty() {
            with_requirement(
                &mut package,
                if self.specifier.is_empty() {
                    "*"
                } else {
                    self.specifier
                },
            );
        }
        package.add_fact("extras", self.extras);
        package.add_fact("marker", self.marker);
        package
    }
}

/// Marks a package by a pip address: `git+https://host/x@commit#egg=name`, an archive's address or a path.
pub(crate) fn at_address(package: &mut Package, address: &str) {
    let (place, _) = address.split_once('#').unwrap_or((address, ""));
    if let Some(repository) = place.strip_prefix("git+") {
        let (repository, commit) = match repository.rsplit_once('@') {
            // `git@host` is a user, not a commit.
            Some((before, commit)) if before.contains("://") && before.contains('.') => (before, commit),
            _ => (repository, ""),
        };
        from_git(package, repository, commit);
    } else if place.ends_with(".git") {
        from_git(package, place, "");
    } else if place.starts_with("http://") || place.starts_with("https://") {
        from_url(package, place);
    } else {
        from_path(package, place);
    }
}

/// Name and version of a wheel's or source archive's file name.
pub(crate) fn of_archive(file_name: &str) -> Option<(&str, &str)> {
    if let Some(stem) = file_name.strip_suffix(".whl") {
        let mut parts = stem.split('-');
        return Some((parts.next()?, parts.next()?));
    }
    let stem = [".tar.gz", ".zip", ".tar.bz2", ".tgz"]
        .iter()
        .find_map(|suffix| file_name.strip_suffix(suffix))?;
    stem.rsplit_once('-')
        .filter(|(_, version)| version.starts_with(|first: char| first.is_ascii_digit()))
}

/// True for what by its name or folder is a requirement file of pip.
pub(crate) fn is_requirements(path: &str, name: &str) -> bool {
    name.ends_with(".txt")
        && (name.contains("requirements") || path::file_name(path::parent(path)) == "requirements")
}

/// Groups of dependencies that by their usual names serve development.
pub(crate) fn is_development_group(name: &str) -> bool {
    name.split(['-', '_', '.']).any(|word| {
        matches!(
            word.to_ascii_lowercase().as_str(),
            "dev"
                | "develop"
                | "development"
                | "test"
                | "tests"
                | "testing"
                | "lint"
                | "doc"
                | "docs"
                | "typing"
                | "ci"
        )
    })
}

/// What a `pyproject.toml` asks for, by normalised name, for lock files beside it.
pub(crate) fn read_pyproject(reading: &mut Reading<'_>) {
    let document = reading.toml();
    let project = document.get("project");
    let poetry = document.get("tool").get("poetry");
    let either = |key: &str| project.get(key).text().unwrap_or_else(|| poetry.get(key).str());
    let mut manifest = Manifest::new(reading.out, either("name"), either("version"));
    each_asked(&document, |asked| {
        manifest.wants(normal_python_name(asked.requirement.name), asked.scope);
    });
}

/// What a manifest asks for.
pub(crate) struct Asked<'a> {
    /// The requirement.
    pub(crate) requirement: Requirement<'a>,
    /// What it is for.
    pub(crate) scope: Scope,
    /// Line of the manifest, 0 when unknown.
    pub(crate) line: u32,
}

/// Calls `take` for all that a `pyproject.toml` or `Pipfile` asks for.
pub(crate) fn each_asked(document: &Node<'_>, mut take: impl FnMut(Asked<'_>)) {
    let project = document.get("project");
    let tool = document.get("tool");
    let poetry = tool.get("poetry");
    let mut lists = vec![(project.get("dependencies"), Scope::Runtime)];
    for (_, list) in project.get("optional-dependencies").entries() {
        lists.push((list, Scope::Optional));
    }
    let groups = [
        document.get("dependency-groups"),
        tool.get("pdm").get("dev-dependencies"),
    ];
    for (_, list) in groups.into_iter().flat_map(Node::entries) {
        lists.push((list, Scope::Development));
    }
    lists.push((tool.get("uv").get("dev-dependencies"), Scope::Development));
    for (list, scope) in lists {
        for item in list.items() {
            if let Some(requirement) = item.text().and_then(Requirement::parse) {
                let line = item.line;
                take(Asked {
                    requirement,
                    scope,
                    line,
                });
            }
        }
    }
    let mut tables = vec![
        (poetry.get("dependencies"), Scope::Runtime),
        (poetry.get("dev-dependencies"), Scope::Development),
        (document.get("packages"), Scope::Runtime),
        (document.get("dev-packages"), Scope::Development),
    ];
    for (_, group) in poetry.get("group").entries() {
        tables.push((group.get("dependencies"), Scope::Development));
    }
    for (table, scope) in tables {
        for (name, value) in table.entries() {
            let scope = if scope == Scope::Runtime && value.get("optional").is_true() {
                Scope::Optional
            } else {
                scope
            };
            let address = ["git", "url", "file", "path"]
                .into_iter()
                .find_map(|key| value.get(key).text());
            take(Asked {
                requirement: Requirement {
                    name,
                    specifier: value.text().unwrap_or_else(|| value.get("version").str()).trim(),
                    address: address.unwrap_or_default(),
                    marker: value.get("markers").str(),
                    ..Requirement::default()
                },
                scope,
                line: value.line,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requirements() {
        for (text, name, pin, address, marker) in [
            ("a", "a", None, "", ""),
            ("a==1.0", "a", Some("1.0"), "", ""),
            ("a \t == 1.0", "a", Some("1.0"), "", ""),
            (
                "a[b, c]===1.0 ; python_version<'3'",
                "a",
                Some("1.0"),
                "",
                "python_version<'3'",
            ),
            ("a==1.*", "a", None, "", ""),
            ("a>=1,==1.5", "a", Some("1.5"), "", ""),
            ("a (==1.0)", "a", Some("1.0"), "", ""),
            ("a @ https://h/a-1.zip ; x", "a", None, "https://h/a-1.zip", "x"),
        ] {
            let requirement = Requirement::parse(text).expect(text);
            assert_eq!(
                (
                    requirement.name,
                    requirement.pin(),
                    requirement.address,
                    requirement.marker
                ),
                (name, pin, address, marker),
                "{text}"
            );
        }
        for text in ["", "./a", "https://h/a", "C:\\a", "a b", "=="] {
            assert_eq!(Requirement::parse(text), None, "{text}");
        }
        assert_eq!(of_archive("a_b-1.0-py3-none-any.whl"), Some(("a_b", "1.0")));
        assert_eq!(of_archive("a-b-1.0.tar.gz"), Some(("a-b", "1.0")));
        assert!(is_development_group("requirements-dev") && !is_development_group("device"));
    }
}
