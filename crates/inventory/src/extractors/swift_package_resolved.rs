//! `Package.resolved` of the Swift package manager, versions 1 to 3.

use crate::Kind;
use crate::identity::{from_path, slashed};
use crate::lock_file::{Listing, LockFile, Reading, alone};
use model::{Meta, Package};

/// The member.
pub(super) static SWIFT_PACKAGE_RESOLVED: LockFile = LockFile {
    meta: &META,
    kind: Kind::Declared,
    wants: |_, name| matches!(name, "Package.resolved" | ".package.resolved"),
    read,
    combine: alone,
};

static META: Meta = Meta {
    name: "swift-package-resolved",
    title: "Swift packages that were resolved",
    finds: &["Package.resolved"],
    needs: &[],
    references: &["https://docs.swift.org/swiftpm/documentation/packagemanagerdocs/"],
};

fn read(reading: &mut Reading<'_>) {
    let document = reading.json();
    let old = document.get("object").get("pins");
    let pins = if old.exists() { old } else { document.get("pins") };
    if !pins.exists() {
        return reading.problem("not a Package.resolved: it has no `pins`");
    }
    let mut packages = Listing::default();
    for pin in pins.items() {
        let place = pin
            .get("location")
            .text()
            .unwrap_or_else(|| pin.get("repositoryURL").str());
        let identity = pin
            .get("identity")
            .text()
            .unwrap_or_else(|| pin.get("package").str());
        let state = pin.get("state");
        let version = state.get("version").str();
        let name = match host_path(place) {
            Some(name) => name,
            None if identity.is_empty() => {
                reading.bad_entry(pin.line, "a pin has neither a location nor an identity");
                continue;
            }
            None => identity.to_owned(),
        };
        let purl = slashed("swift", &name, version);
        let mut package = Package::new(reading.found_by, purl, "SwiftURL", name, version);
        if pin.get("kind").str().starts_with("local") || place.starts_with(['/', '.']) {
            from_path(&mut package, place);
        }
        if version.is_empty() {
            package.add_fact("branch", state.get("branch").str());
        }
        package.add_fact("git-commit", state.get("revision").str());
        packages.push(reading.at(package, pin.line));
    }
    reading.list(packages);
}

/// `github.com/owner/name` of a repository's address.
fn host_path(url: &str) -> Option<String> {
    let path = match url.split_once("://") {
        Some((_, path)) => path.to_owned(),
        // `git@host:owner/name.git`
        None => {
            let (host, path) = url.split_once(':')?;
            format!("{host}/{path}")
        }
    };
    let path = path.split_once('@').map_or(path.as_str(), |(_, path)| path);
    let path = path.trim_end_matches('/');
    Some(path.strip_suffix(".git").unwrap_or(path).to_owned()).filter(|path| path.contains('/'))
}

#[cfg(test)]
mod tests {
    use super::host_path;

    #[test]
    fn host_paths() {
        for (url, expected) in [
            (
                "https://github.com/apple/swift-nio.git",
                Some("github.com/apple/swift-nio"),
            ),
            ("https://user@h.org/a/b/", Some("h.org/a/b")),
            ("git@github.com:a/b.git", Some("github.com/a/b")),
            ("ssh://git@github.com/a/b.git", Some("github.com/a/b")),
            ("a.b", None),
        ] {
            assert_eq!(host_path(url).as_deref(), expected, "{url}");
        }
    }
}
