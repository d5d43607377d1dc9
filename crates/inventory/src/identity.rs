//! Packages of each ecosystem by name and version: purl, OSV's ecosystem name, and the facts of where else they come from.

use model::{Package, Purl};

/// An npm package; `name` with its scope (`@scope/name`).
pub(crate) fn npm(found_by: &str, name: &str, version: &str) -> Package {
    let (namespace, short) = match name.split_once('/') {
        Some((scope, short)) if scope.starts_with('@') => (scope, short),
        _ => ("", name),
    };
    Package::new(
        found_by,
        Purl::new("npm", namespace, short, version),
        "npm",
        name,
        version,
    )
}

/// A Python package.
pub(crate) fn pypi(found_by: &str, name: &str, version: &str) -> Package {
    Package::new(
        found_by,
        Purl::new("pypi", "", name, version),
        "PyPI",
        name,
        version,
    )
}

/// The name by which Python's tools compare: lower case, with runs of `-`, `_` and `.` as one `-` (PEP 503).
pub(crate) fn normal_python_name(name: &str) -> String {
    let mut normal = String::with_capacity(name.len());
    for character in name.trim().chars() {
        if matches!(character, '-' | '_' | '.') {
            if !normal.ends_with('-') {
                normal.push('-');
            }
        } else {
            normal.extend(character.to_lowercase());
        }
    }
    normal
}

/// A Go module; `version` with its `v`.
pub(crate) fn golang(found_by: &str, module: &str, version: &str) -> Package {
    Package::new(
        found_by,
        slashed("golang", module, version),
        "Go",
        module,
        version,
    )
}

/// A crate.
pub(crate) fn cargo(found_by: &str, name: &str, version: &str) -> Package {
    Package::new(
        found_by,
        Purl::new("cargo", "", name, version),
        "crates.io",
        name,
        version,
    )
}

/// A Maven artifact.
pub(crate) fn maven(found_by: &str, group: &str, artifact: &str, version: &str) -> Package {
    let purl = Purl::new("maven", group, artifact, version);
    Package::new(found_by, purl, "Maven", format!("{group}:{artifact}"), version)
}

/// A Ruby gem.
pub(crate) fn gem(found_by: &str, name: &str, version: &str) -> Package {
    Package::new(
        found_by,
        Purl::new("gem", "", name, version),
        "RubyGems",
        name,
        version,
    )
}

/// A Composer package; `name` is `vendor/name`.
pub(crate) fn composer(found_by: &str, name: &str, version: &str) -> Package {
    Package::new(
        found_by,
        slashed("composer", name, version),
        "Packagist",
        name,
        version,
    )
}

/// A NuGet package.
pub(crate) fn nuget(found_by: &str, name: &str, version: &str) -> Package {
    Package::new(
        found_by,
        Purl::new("nuget", "", name, version),
        "NuGet",
        name,
        version,
    )
}

/// A package of Hex (Erlang, Elixir, Gleam).
pub(crate) fn hex(found_by: &str, name: &str, version: &str) -> Package {
    Package::new(
        found_by,
        Purl::new("hex", "", name, version),
        "Hex",
        name,
        version,
    )
}

/// A package of pub.dev.
pub(crate) fn pub_dev(found_by: &str, name: &str, version: &str) -> Package {
    Package::new(
        found_by,
        Purl::new("pub", "", name, version),
        "Pub",
        name,
        version,
    )
}

/// A package of Hackage.
pub(crate) fn hackage(found_by: &str, name: &str, version: &str) -> Package {
    Package::new(
        found_by,
        Purl::new("hackage", "", name, version),
        "Hackage",
        name,
        version,
    )
}

/// A package of a type that OSV has no ecosystem for.
pub(crate) fn other(found_by: &str, kind: &str, name: &str, version: &str) -> Package {
    Package::new(found_by, Purl::new(kind, "", name, version), "", name, version)
}

/// A purl whose name is what follows the last slash.
pub(crate) fn slashed(kind: &str, path: &str, version: &str) -> Purl {
    let (namespace, name) = path.rsplit_once('/').unwrap_or(("", path));
    Purl::new(kind, namespace, name, version)
}

/// Marks a package as one of a git repository, and so of no registry.
pub(crate) fn from_git(package: &mut Package, url: &str, commit: &str) {
    let url = url.strip_prefix("git+").unwrap_or(url);
    package.ecosystem.clear();
    package.add_fact("url", url);
    package.add_fact("git-commit", commit);
    let url = if url.starts_with("git") || url.is_empty() {
        url.to_owned()
    } else {
        format!("git+{url}")
    };
    let at = if commit.is_empty() { "" } else { "@" };
    if !url.is_empty() {
        package.purl = package
            .purl
            .clone()
            .with_qualifier("vcs_url", &format!("{url}{at}{commit}"));
    }
}

/// Marks a package as downloaded from an address, not by name; unless the address is the public registry's, it is none of
/// that registry's packages.
pub(crate) fn from_url(package: &mut Package, url: &str) {
    let host = url.split("://").nth(1).and_then(|rest| rest.split('/').next());
    if !matches!(
        host,
        Some("files.pythonhosted.org" | "pypi.org" | "registry.npmjs.org" | "registry.yarnpkg.com")
    ) {
        package.ecosystem.clear();
    }
    package.add_fact("url", url);
    package.purl = package.purl.clone().with_qualifier("download_url", url);
}

/// Marks a package as one of the project's own folders or of a file beside it.
pub(crate) fn from_path(package: &mut Package, path: &str) {
    package.ecosystem.clear();
    package.add_fact("local", path);
}

/// Marks an npm package by the address its lock file resolved it to, unless that is a registry's.
pub(crate) fn npm_resolved(package: &mut Package, resolved: &str) {
    let (address, fragment) = resolved.split_once('#').unwrap_or((resolved, ""));
    let repository = [
        "https://github.com/",
        "https://codeload.github.com/",
        "https://gitlab.com/",
        "https://bitbucket.org/",
    ];
    let commit = fragment.strip_prefix("commit=").unwrap_or(fragment);
    if let Some(repository) = address.strip_prefix("github:") {
        from_git(package, &format!("https://github.com/{repository}"), commit);
    } else if resolved.starts_with("git") || address.ends_with(".git") {
        from_git(package, address, commit);
    } else if resolved.starts_with("file:")
        || resolved.starts_with("link:")
        || resolved.starts_with("portal:")
    {
        from_path(package, resolved);
    } else if address.starts_with("http")
        && (repository.iter().any(|host| address.starts_with(host))
            || !["/-/", "://npm.pkg.github.com/", "://registry."]
                .iter()
                .any(|part| address.contains(part)))
    {
        from_url(package, address);
    }
}

/// Splits `name@rest` of npm, where `name` may be `@scope/name`.
pub(crate) fn split_npm(text: &str) -> Option<(&str, &str)> {
    let at = text.get(1..)?.find('@')? + 1;
    Some((&text[..at], &text[at + 1..]))
}

/// The version of a range that allows just one: `1.0` of `[1.0]`. Other texts stay as they are.
pub(crate) fn exact_version(range: &str) -> &str {
    range
        .strip_prefix('[')
        .and_then(|inner| inner.strip_suffix(']'))
        .filter(|inner| !inner.contains(','))
        .unwrap_or(range)
}

/// Marks a package whose version is left to a range, or (empty) to another file.
pub(crate) fn with_managed_requirement(package: &mut Package, range: &str) {
    let elsewhere = range.is_empty();
    with_requirement(package, if elsewhere { "managed elsewhere" } else { range });
}

/// Marks a package whose version is left to a range.
pub(crate) fn with_requirement(package: &mut Package, requirement: &str) {
    package.add_fact("requirement", requirement.trim());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_the_registry_is_the_registry() {
        for (url, ecosystem) in [
            ("https://files.pythonhosted.org/packages/a/a-1.0.whl", "PyPI"),
            ("https://files.pythonhosted.org.example.org/a-1.0.whl", ""),
            ("https://example.org/a-1.0.whl", ""),
        ] {
            let mut package = pypi("t", "a", "1.0");
            from_url(&mut package, url);
            assert_eq!(package.ecosystem, ecosystem, "{url}");
            assert_eq!(package.fact("url"), Some(url));
        }
    }

    #[test]
    fn purls() {
        for (package, expected) in [
            (npm("t", "@a/b", "1"), "pkg:npm/%40a/b@1"),
            (
                golang("t", "github.com/a/b/v2", "v2.0.0"),
                "pkg:golang/github.com/a/b/v2@v2.0.0",
            ),
            (maven("t", "g", "a", "1"), "pkg:maven/g/a@1"),
            (composer("t", "Acme/Lib", "v1"), "pkg:composer/acme/lib@v1"),
        ] {
            assert_eq!(package.purl.to_string(), expected);
        }
        assert_eq!(normal_python_name("A._-b"), "a-b");
    }
}
