//! Which OSV ecosystem and release an operating system is, and which releases of a feed speak of it.

use model::{OsRelease, Purl};

/// What feeds, purls and reports call an operating system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Distribution {
    /// OSV's ecosystem with release (`Debian:12`); empty if no OSV feed covers the distribution.
    pub ecosystem: String,
    /// Namespace of its packages' purls (`debian`).
    pub namespace: &'static str,
    /// Value of the purl qualifier `distro` (`debian-12`).
    pub qualifier: String,
}

/// How a distribution's releases are named in OSV.
#[derive(Clone, Copy)]
enum Releases {
    /// One rolling release without a name: `Wolfi`.
    Rolling(&'static str),
    /// The major version: `AlmaLinux:9`.
    Major(&'static str),
    /// The whole version: `openSUSE:Leap 15.5` is `("openSUSE", "Leap ")`.
    Whole(&'static str, &'static str),
    /// `Alpine:v3.18`, `Alpine:edge`.
    Alpine,
    /// `Ubuntu:22.04:LTS`.
    Ubuntu,
    /// The Ubuntu release below a derivative, from its `UBUNTU_CODENAME` or its own version.
    UbuntuBelow(&'static [(&'static str, &'static str)]),
    /// The Debian release below a derivative.
    DebianBelow(&'static [(&'static str, &'static str)]),
    /// `SUSE:Linux Enterprise Server 15 SP5`.
    Sles,
    /// `openEuler:22.03-LTS-SP3`.
    OpenEuler,
    /// No feed.
    None,
}

use Releases::{
    Alpine, DebianBelow, Major, None as NoFeed, OpenEuler, Rolling, Sles, Ubuntu, UbuntuBelow, Whole,
};

/// Every distribution by the `ID` of its os-release: purl namespace, OSV releases, product on endoflife.date.
///
/// A derivative stands for the distribution below it only where it takes that one's packages over unchanged: Raspbian,
/// Devuan and Pop!_OS do, Linux Mint, Zorin, elementary and KDE neon lay their own over Ubuntu's; Kali, Parrot and Deepin
/// rebuild with versions of their own and are left out. CentOS, CentOS Stream and Scientific Linux are judged by Red Hat's
/// advisories; Stream is ahead of them, so that a fix may be there under a lower release number.
const DISTRIBUTIONS: &[(&str, &str, Releases, &str)] = &[
    ("almalinux", "almalinux", Major("AlmaLinux"), "almalinux"),
    ("alpaquita", "alpaquita", Whole("Alpaquita", ""), ""),
    ("alpine", "alpine", Alpine, "alpine-linux"),
    ("amzn", "amazon", NoFeed, "amazon-linux"),
    ("arch", "arch", NoFeed, ""),
    ("azurelinux", "azurelinux", Major("Azure Linux"), "azure-linux"),
    (
        "bellsoft-hardened-containers",
        "bellsoft-hardened-containers",
        Whole("BellSoft Hardened Containers", ""),
        "",
    ),
    ("bottlerocket", "bottlerocket", NoFeed, "bottlerocket"),
    (
        "centos",
        "centos",
        Whole("Red Hat", "enterprise_linux:"),
        "centos",
    ),
    ("chainguard", "chainguard", Rolling("Chainguard"), ""),
    ("cleanstart", "cleanstart", Rolling("CleanStart"), ""),
    ("debian", "debian", DebianBelow(&[]), "debian"),
    (
        "devuan",
        "devuan",
        DebianBelow(&[("3", "10"), ("4", "11"), ("5", "12"), ("6", "13")]),
        "",
    ),
    ("echo", "echo", Rolling("Echo"), ""),
    (
        "elementary",
        "elementary",
        UbuntuBelow(&[("6", "20.04"), ("7", "22.04"), ("8", "24.04")]),
        "",
    ),
    ("fedora", "fedora", NoFeed, "fedora"),
    ("gentoo", "gentoo", NoFeed, ""),
    (
        "linuxmint",
        "linuxmint",
        UbuntuBelow(&[("19", "18.04"), ("20", "20.04"), ("21", "22.04"), ("22", "24.04")]),
        "linuxmint",
    ),
    ("mageia", "mageia", Major("Mageia"), "mageia"),
    ("mariner", "mariner", Major("Azure Linux"), "azure-linux"),
    ("minimos", "minimos", Rolling("MinimOS"), ""),
    ("neon", "neon", UbuntuBelow(&[]), ""),
    ("ol", "oracle", NoFeed, "oracle-linux"),
    ("openeuler", "openeuler", OpenEuler, ""),
    (
        "opensuse-leap",
        "opensuse",
        Whole("openSUSE", "Leap "),
        "opensuse",
    ),
    (
        "opensuse-tumbleweed",
        "opensuse",
        Rolling("openSUSE:Tumbleweed"),
        "",
    ),
    ("photon", "photon", Whole("Photon OS", ""), "photon"),
    ("pop", "pop", UbuntuBelow(&[]), "pop-os"),
    ("raspbian", "raspbian", DebianBelow(&[]), "debian"),
    ("rhel", "redhat", Whole("Red Hat", "enterprise_linux:"), "rhel"),
    ("rocky", "rocky-linux", Major("Rocky Linux"), "rocky-linux"),
    (
        "scientific",
        "scientific",
        Whole("Red Hat", "enterprise_linux:"),
        "",
    ),
    ("sl-micro", "suse", Whole("SUSE", "Linux Micro "), ""),
    ("sle-micro", "suse", Whole("SUSE", "Linux Enterprise Micro "), ""),
    ("sled", "suse", Sles, "sles"),
    ("sles", "suse", Sles, "sles"),
    ("sles_sap", "suse", Sles, "sles"),
    ("ubuntu", "ubuntu", Ubuntu, "ubuntu"),
    ("wolfi", "wolfi", Rolling("Wolfi"), ""),
    (
        "zorin",
        "zorin",
        UbuntuBelow(&[("15", "18.04"), ("16", "20.04"), ("17", "22.04"), ("18", "24.04")]),
        "",
    ),
];

const DEBIAN_CODENAMES: &[(&str, &str)] = &[
    ("jessie", "8"),
    ("stretch", "9"),
    ("buster", "10"),
    ("bullseye", "11"),
    ("bookworm", "12"),
    ("trixie", "13"),
    ("forky", "14"),
];

const UBUNTU_CODENAMES: &[(&str, &str)] = &[
    ("trusty", "14.04"),
    ("xenial", "16.04"),
    ("bionic", "18.04"),
    ("focal", "20.04"),
    ("jammy", "22.04"),
    ("noble", "24.04"),
    ("resolute", "26.04"),
];

fn look_up<'a>(table: &[(&str, &'a str)], key: &str) -> Option<&'a str> {
    table
        .iter()
        .find(|(have, _)| *have == key)
        .map(|(_, value)| *value)
}

fn row(os: &OsRelease) -> Option<&'static (&'static str, &'static str, Releases, &'static str)> {
    let id = os.id.to_ascii_lowercase();
    DISTRIBUTIONS.iter().find(|(have, ..)| *have == id)
}

/// What an operating system is called in feeds and purls; `None` for one that is not known here. Its `ecosystem` is empty
/// when the distribution is known but no OSV feed covers it, or its release cannot be told.
#[must_use]
pub fn distribution(os: &OsRelease) -> Option<Distribution> {
    let (id, namespace, releases, _) = row(os)?;
    let qualifier = if os.version.is_empty() {
        (*id).to_owned()
    } else {
        format!("{id}-{}", os.version)
    };
    Some(Distribution {
        ecosystem: ecosystem(os, *releases).unwrap_or_default(),
        namespace,
        qualifier,
    })
}

fn ecosystem(os: &OsRelease, releases: Releases) -> Option<String> {
    let major = Some(os.major()).filter(|major| !major.is_empty());
    let version = Some(os.version.as_str()).filter(|version| !version.is_empty());
    Some(match releases {
        NoFeed => return None,
        Rolling(name) => name.to_owned(),
        Major(name) => format!("{name}:{}", major?),
        Whole("Red Hat", prefix) => format!("Red Hat:{prefix}{}", major?),
        Whole(name, prefix) => format!("{name}:{prefix}{}", version?),
        Alpine => {
            let edge = os.fact("repository") == Some("edge") || os.version.contains("_alpha");
            if edge {
                "Alpine:edge".to_owned()
            } else {
                let mut parts = os.version.split(['.', '_', '-']);
                format!(
                    "Alpine:v{}.{}",
                    parts.next().filter(|part| !part.is_empty())?,
                    parts.next()?
                )
            }
        }
        Ubuntu => ubuntu(version.or_else(|| look_up(UBUNTU_CODENAMES, &os.codename))?),
        UbuntuBelow(versions) => {
            let below = os
                .fact("ubuntu-codename")
                .or(Some(os.codename.as_str()))
                .and_then(|codename| look_up(UBUNTU_CODENAMES, codename));
            let own = version.filter(|_| versions.is_empty());
            ubuntu(below.or_else(|| look_up(versions, os.major())).or(own)?)
        }
        DebianBelow(versions) => {
            let number = if versions.is_empty() {
                major.filter(|major| major.bytes().all(|byte| byte.is_ascii_digit()))
            } else {
                look_up(versions, os.major())
            };
            format!(
                "Debian:{}",
                number.or_else(|| look_up(DEBIAN_CODENAMES, &os.codename))?
            )
        }
        Sles => {
            let mut parts = version?.split('.');
            let major = parts.next()?;
            match parts.next().filter(|pack| *pack != "0") {
                // From 16 on the second number is part of the version.
                Some(minor) if major.parse::<u32>().is_ok_and(|major| major >= 16) => {
                    format!("SUSE:Linux Enterprise Server {major}.{minor}")
                }
                Some(pack) => format!("SUSE:Linux Enterprise Server {major} SP{pack}"),
                None => format!("SUSE:Linux Enterprise Server {major}"),
            }
        }
        OpenEuler => {
            let suffix = os
                .pretty_name
                .split_once('(')
                .and_then(|(_, rest)| rest.split_once(')'))
                .map(|(inside, _)| inside.replace(' ', "-"));
            match suffix {
                Some(suffix) => format!("openEuler:{}-{suffix}", version?),
                None => format!("openEuler:{}", version?),
            }
        }
    })
}

/// `22.04` is `Ubuntu:22.04:LTS`, `23.10` is `Ubuntu:23.10`.
fn ubuntu(version: &str) -> String {
    let mut parts = version.split('.');
    let year = parts.next().unwrap_or_default();
    let month = parts.next().unwrap_or_default();
    let lts = month == "04" && year.parse::<u32>().is_ok_and(|year| year % 2 == 0);
    format!("Ubuntu:{year}.{month}{}", if lts { ":LTS" } else { "" })
}

/// The product of endoflife.date that an operating system is, and its version there.
pub(crate) fn product(os: &OsRelease) -> Option<(&'static str, String)> {
    let (id, _, _, product) = row(os)?;
    let stream = *id == "centos"
        && (os.pretty_name.contains("Stream")
            || os
                .fact("variant")
                .is_some_and(|variant| variant.contains("Stream")));
    let product = if stream { "centos-stream" } else { *product };
    (!product.is_empty()).then(|| (product, os.version.clone()))
}

/// The OSV ecosystem of a package from its purl alone, for SBOM documents; with release where the purl's qualifier
/// `distro` tells it. `None` for types that no OSV feed covers.
#[must_use]
pub fn of_purl(purl: &Purl) -> Option<String> {
    let plain = match purl.kind() {
        "npm" => "npm",
        "pypi" => "PyPI",
        "gem" => "RubyGems",
        "cargo" => "crates.io",
        "golang" => "Go",
        "maven" => "Maven",
        "nuget" => "NuGet",
        "composer" => "Packagist",
        "hex" => "Hex",
        "pub" => "Pub",
        "swift" => "SwiftURL",
        "conan" => "ConanCenter",
        "cran" => "CRAN",
        "hackage" => "Hackage",
        "julia" => "Julia",
        "bitnami" => "Bitnami",
        "githubactions" => "GitHub Actions",
        "bioconductor" => "Bioconductor",
        "opam" => "opam",
        "vscode" | "vscode-extension" => "VSCode",
        "deb" | "apk" | "rpm" => {
            return distribution(&os_of_purl(purl)?)
                .map(|found| found.ecosystem)
                .filter(|found| !found.is_empty());
        }
        _ => return None,
    };
    Some(plain.to_owned())
}

/// The operating system that `distro=debian-12` or the namespace tells.
fn os_of_purl(purl: &Purl) -> Option<OsRelease> {
    let distro = purl.qualifier("distro").unwrap_or_default();
    let id_of_namespace = match purl.namespace() {
        "redhat" => "rhel",
        "oracle" => "ol",
        "amazon" => "amzn",
        "rocky-linux" | "rockylinux" => "rocky",
        "suse" => "sles",
        "opensuse" => "opensuse-leap",
        other => other,
    };
    let known = DISTRIBUTIONS
        .iter()
        .map(|(id, ..)| *id)
        .filter(|id| {
            distro
                .strip_prefix(id)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
        })
        .max_by_key(|id| id.len());
    let (id, version) = match known {
        Some(id) => (id, distro[id.len()..].trim_start_matches('-')),
        // `distro=bookworm`, `distro=12`
        None => (id_of_namespace, distro),
    };
    let numeric = version.starts_with(|first: char| first.is_ascii_digit());
    Some(OsRelease {
        id: id.to_owned(),
        version: if numeric {
            version.to_owned()
        } else {
            String::new()
        },
        codename: if numeric {
            String::new()
        } else {
            version.to_owned()
        },
        ..OsRelease::default()
    })
}

/// How a record's release relates to a package's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// It speaks of this release.
    Same,
    /// It speaks of an extended stream of this release, of this name: a fix there counts when it is installed, and what it
    /// alone calls affected is affected.
    Extended(&'static str),
    /// It speaks of something else.
    Other,
}

const UBUNTU_PRO: &str = "Ubuntu Pro (ESM)";
const RED_HAT_ELS: &str = "Red Hat ELS";
const RED_HAT_EUS: &str = "Red Hat extended update support";

/// True when the system itself gets the fixes of an extended stream: os facts `esm` (`true`, `enabled`) and `content-sets`
/// (names of repositories).
pub(crate) fn is_enabled(stream: &str, os: Option<&OsRelease>) -> bool {
    let Some(os) = os else {
        return false;
    };
    let sets = os.fact("content-sets").unwrap_or_default();
    match stream {
        UBUNTU_PRO => os
            .fact("esm")
            .is_some_and(|value| !matches!(value, "" | "false" | "no" | "disabled")),
        RED_HAT_EUS => ["-eus-", "-e4s-", "-aus-", "-tus-"]
            .iter()
            .any(|part| sets.contains(part)),
        RED_HAT_ELS => sets.contains("-els-"),
        _ => false,
    }
}

/// How the release of a record (after the colon) relates to the release of a package of the same base ecosystem.
pub(crate) fn role(base: &str, package: &str, record: &str, os: Option<&OsRelease>) -> Role {
    if record == package || record.is_empty() {
        return Role::Same;
    }
    let same = |same: bool| if same { Role::Same } else { Role::Other };
    match base {
        "Ubuntu" => {
            let plain = |release: &str| release.strip_suffix(":LTS").unwrap_or(release).to_owned();
            match record.strip_prefix("Pro:") {
                Some(pro) if plain(pro) == plain(package) => Role::Extended(UBUNTU_PRO),
                _ => same(plain(record) == plain(package)),
            }
        }
        "AlmaLinux" | "Rocky Linux" | "Azure Linux" | "Mageia" | "Debian" => {
            let major = |release: &str| release.split('.').next().unwrap_or_default().to_owned();
            same(!package.is_empty() && major(record) == major(package))
        }
        "Red Hat" => red_hat(package, record, os),
        "SUSE" => {
            // `Linux Enterprise Module for Basesystem 15 SP5` and `…-LTSS` belong to Server 15 SP5.
            let pack = |release: &str| {
                let at = release.find(|c: char| c.is_ascii_digit())?;
                Some(
                    release[at..]
                        .split(['-', ':'])
                        .next()
                        .unwrap_or_default()
                        .trim()
                        .to_owned(),
                )
            };
            let kin = |release: &str| release.starts_with("Linux Enterprise") && !release.contains("Micro");
            same(kin(record) && kin(package) && pack(record).is_some() && pack(record) == pack(package))
        }
        _ => Role::Other,
    }
}

/// Red Hat's releases are ends of CPEs: `enterprise_linux:9::appstream`, `rhel_eus:9.2::baseos`.
fn red_hat(package: &str, record: &str, os: Option<&OsRelease>) -> Role {
    let parts = |release: &str| {
        let mut parts = release.split(':');
        let product = parts.next().unwrap_or_default().to_owned();
        let version = parts.next().unwrap_or_default().to_owned();
        (product, version)
    };
    let (product, version) = parts(record);
    let (_, wanted) = parts(package);
    let major = version.split('.').next().unwrap_or_default();
    let wanted = wanted.split('.').next().unwrap_or_default();
    if major != wanted || wanted.is_empty() {
        return Role::Other;
    }
    match product.as_str() {
        "enterprise_linux" => Role::Same,
        "rhel_els" => Role::Extended(RED_HAT_ELS),
        "rhel_eus" | "rhel_e4s" | "rhel_aus" | "rhel_tus" | "rhel_eus_long_life" => {
            // Only the streams of the minor release that is installed.
            if os.is_some_and(|os| os.version == version) {
                Role::Extended(RED_HAT_EUS)
            } else {
                Role::Other
            }
        }
        _ => Role::Other,
    }
}

#[cfg(test)]
mod tests;
