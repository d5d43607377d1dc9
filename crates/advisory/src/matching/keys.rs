//! Under which names and versions a package is looked up.

use crate::names;
use model::Package;
use std::borrow::Cow;

/// One name to look up, with the version to judge there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Key<'a> {
    /// Name as the feed keys it.
    pub name: Cow<'a, str>,
    /// Version to compare.
    pub version: Cow<'a, str>,
    /// True when the version lacks an epoch that it may have.
    pub loose_epoch: bool,
    /// What the evidence calls it: `package`, `source package`.
    pub what: &'static str,
}

/// The names by which a distribution's records are keyed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum KeyedBy {
    /// Binary packages.
    Binary,
    /// Source packages.
    Source,
}

/// AlmaLinux and Red Hat list binary packages. All other distributions of OSV list source packages: Debian, Ubuntu, Alpine
/// and their kin by definition; Rocky Linux, SUSE, openSUSE, Mageia, openEuler, Photon OS and Azure Linux in their data.
fn keyed_by(base: &str) -> KeyedBy {
    match base {
        "Debian"
        | "Ubuntu"
        | "Echo"
        | "Alpine"
        | "Wolfi"
        | "Chainguard"
        | "MinimOS"
        | "Alpaquita"
        | "CleanStart"
        | "BellSoft Hardened Containers"
        | "Docker Hardened Images"
        | "Rocky Linux"
        | "SUSE"
        | "openSUSE"
        | "Mageia"
        | "openEuler"
        | "Photon OS"
        | "Azure Linux" => KeyedBy::Source,
        _ => KeyedBy::Binary,
    }
}

/// The names to look a package up by.
pub(super) fn keys<'a>(ecosystem: &str, package: &'a Package) -> Vec<Key<'a>> {
    let base = names::base(ecosystem);
    let own = Key {
        name: Cow::Borrowed(package.name.as_str()),
        version: Cow::Borrowed(package.version.as_str()),
        loose_epoch: false,
        what: "package",
    };
    match &package.source {
        Some(source) if keyed_by(base) == KeyedBy::Source && !source.name.is_empty() => {
            vec![source_key(source, package)]
        }
        _ if base == "Go" => go(own),
        _ => vec![own],
    }
}

fn source_key<'a>(source: &'a model::SourcePackage, package: &'a Package) -> Key<'a> {
    let rpm = package.purl.kind() == "rpm";
    let plain = package
        .version
        .split_once(':')
        .map_or(package.version.as_str(), |(_, rest)| rest);
    // A source rpm's file name has no epoch. Built from the same version, the binary has the source's; else nobody knows.
    let same = rpm && source.version == plain;
    let version = if source.version.is_empty() || same {
        package.version.as_str()
    } else {
        source.version.as_str()
    };
    Key {
        name: Cow::Borrowed(source.name.as_str()),
        version: Cow::Borrowed(version),
        loose_epoch: rpm && !same && !source.version.contains(':'),
        what: "source package",
    }
}

/// The standard library's versions are written `go1.21.3` in binaries.
fn go(mut own: Key<'_>) -> Vec<Key<'_>> {
    if matches!(&*own.name, "stdlib" | "toolchain" | "std" | "go") {
        let version = own
            .version
            .strip_prefix("go")
            .unwrap_or(&own.version)
            .trim_start_matches('v');
        // `1.21.3 X:boringcrypto`, `1.22.1-custom` are builds of that release.
        let version = version.split([' ', '+']).next().unwrap_or_default().to_owned();
        own.version = Cow::Owned(version);
        if matches!(&*own.name, "std" | "go") {
            own.name = Cow::Borrowed("stdlib");
        }
    }
    vec![own]
}

/// True for a package that the release's own advisories cannot speak of: its vendor is somebody else. The rule is careful:
/// without a known vendor, or with one that is not plainly another maker, the package counts as the distribution's.
pub(super) fn is_foreign(ecosystem: &str, package: &Package) -> bool {
    let Some(vendor) = package.fact("vendor").filter(|vendor| !vendor.is_empty()) else {
        return false;
    };
    let vendor = vendor.to_ascii_lowercase();
    let own: &[&str] = match names::base(ecosystem) {
        "AlmaLinux" => &["almalinux"],
        "Red Hat" => &["red hat", "centos", "scientific linux"],
        "Rocky Linux" => &["rocky"],
        "SUSE" => &["suse"],
        "openSUSE" => &["opensuse", "suse"],
        "Mageia" => &["mageia"],
        "openEuler" => &["openeuler"],
        "Photon OS" => &["vmware", "broadcom"],
        "Azure Linux" => &["microsoft"],
        // dpkg and apk name no vendor in their databases.
        _ => return false,
    };
    !own.iter().any(|name| vendor.contains(name))
}
