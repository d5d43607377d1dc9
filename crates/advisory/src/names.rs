//! Package names as the database keys them: each ecosystem's own rule of which spellings are the same package.

use std::borrow::Cow;

/// Ecosystem without its release: `Debian` of `Debian:12`, `Red Hat` of `Red Hat:enterprise_linux:9`.
#[must_use]
pub fn base(ecosystem: &str) -> &str {
    ecosystem.split_once(':').map_or(ecosystem, |(base, _)| base)
}

/// What follows the first colon: `12` of `Debian:12`; empty if there is none.
#[must_use]
pub fn release(ecosystem: &str) -> &str {
    ecosystem.split_once(':').map_or("", |(_, release)| release)
}

/// The form of a name under which an ecosystem (without release) knows it.
///
/// PyPI follows PEP 503; NuGet, Packagist, GitHub Actions, VS Code and Bitnami ignore letter case; so do Go modules here, whose
/// purls are in lower case, and two that differ in case alone are one repository; an extension of VS Code is
/// `publisher.name`, also where a record writes `publisher/name`; Swift packages are known
/// by host and path of their address. All others (npm, Maven, crates.io, RubyGems, distributions, …) are exact.
#[must_use]
pub fn normalise<'a>(base: &str, name: &'a str) -> Cow<'a, str> {
    match base {
        "PyPI" => pep503(name),
        "NuGet" | "Packagist" | "GitHub Actions" | "Bitnami" | "ConanCenter" | "Hex" | "Pub" | "Go" => {
            lower(name)
        }
        "VSCode" if name.contains('/') => Cow::Owned(name.to_ascii_lowercase().replacen('/', ".", 1)),
        "VSCode" => lower(name),
        "SwiftURL" => swift(name),
        _ => Cow::Borrowed(name),
    }
}

fn lower(name: &str) -> Cow<'_, str> {
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(name.to_ascii_lowercase())
    } else {
        Cow::Borrowed(name)
    }
}

/// Lower case, with every run of `-`, `_` and `.` one `-`.
fn pep503(name: &str) -> Cow<'_, str> {
    let plain = name
        .bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    if plain {
        return Cow::Borrowed(name);
    }
    let mut normal = String::with_capacity(name.len());
    let mut run = false;
    for character in name.chars() {
        if matches!(character, '-' | '_' | '.') {
            run = true;
            continue;
        }
        if run && !normal.is_empty() {
            normal.push('-');
        }
        run = false;
        normal.push(character.to_ascii_lowercase());
    }
    Cow::Owned(normal)
}

/// `https://GitHub.com/Apple/swift-nio.git` and `github.com/apple/swift-nio` are one package.
fn swift(name: &str) -> Cow<'_, str> {
    let path = name.split_once("://").map_or(name, |(_, path)| path);
    let path = path.strip_prefix("git@").unwrap_or(path);
    let path = path.trim_end_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path);
    let path = match path.split_once(':') {
        // `git@github.com:apple/swift-nio`
        Some((host, rest)) if !host.contains('/') && !rest.starts_with(|c: char| c.is_ascii_digit()) => {
            Cow::Owned(format!("{host}/{rest}"))
        }
        _ => Cow::Borrowed(path),
    };
    match lower(&path) {
        Cow::Borrowed(same) if same.len() == name.len() => Cow::Borrowed(name),
        changed => Cow::Owned(changed.into_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::{base, normalise, release};

    #[test]
    fn each_ecosystem_has_its_own_rule() {
        for (ecosystem, name, normal) in [
            ("PyPI", "Jinja2", "jinja2"),
            ("PyPI", "zope.interface", "zope-interface"),
            ("PyPI", "Foo__Bar-.baz", "foo-bar-baz"),
            ("PyPI", "requests", "requests"),
            ("NuGet", "Newtonsoft.Json", "newtonsoft.json"),
            ("Packagist", "Symfony/HTTP-Kernel", "symfony/http-kernel"),
            ("npm", "JSONStream", "JSONStream"),
            ("Go", "github.com/BurntSushi/toml", "github.com/burntsushi/toml"),
            ("crates.io", "serde_json", "serde_json"),
            ("Maven", "org.Foo:Bar", "org.Foo:Bar"),
            ("VSCode", "MS-Python.python", "ms-python.python"),
            ("VSCode", "ms-python/python", "ms-python.python"),
            ("GitHub Actions", "Actions/Checkout", "actions/checkout"),
            (
                "SwiftURL",
                "https://github.com/Apple/swift-nio.git",
                "github.com/apple/swift-nio",
            ),
            (
                "SwiftURL",
                "git@github.com:apple/swift-nio.git",
                "github.com/apple/swift-nio",
            ),
            (
                "SwiftURL",
                "github.com/apple/swift-nio",
                "github.com/apple/swift-nio",
            ),
        ] {
            assert_eq!(normalise(ecosystem, name), normal, "{ecosystem} {name}");
        }
    }

    #[test]
    fn ecosystems_have_a_base_and_a_release() {
        assert_eq!((base("npm"), release("npm")), ("npm", ""));
        assert_eq!(
            (base("Ubuntu:22.04:LTS"), release("Ubuntu:22.04:LTS")),
            ("Ubuntu", "22.04:LTS")
        );
    }
}
