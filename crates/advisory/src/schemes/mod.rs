//! The registry of version schemes, in alphabetical order, and which ecosystem uses which.

use model::Meta;
use std::cmp::Ordering;

mod apk_version;
mod bitnami_version;
mod composer_version;
mod conan_version;
mod cran_version;
mod dpkg_version;
mod freebsd_version;
mod generic_version;
mod go_version;
mod hackage_version;
mod hex_version;
mod julia_version;
mod maven_version;
mod npm_version;
mod nuget_version;
mod pacman_version;
mod pep440_version;
mod portage_version;
mod pub_version;
mod rpm_version;
mod rubygems_version;
mod semver_version;
mod swift_version;

pub use npm_version::npm_satisfies;

/// A member of the family: one ecosystem's order of versions, exact.
pub trait Scheme: Sync {
    /// Description.
    fn meta(&self) -> &'static Meta;

    /// Order of two versions.
    ///
    /// # Errors
    /// When one of them is no version of this scheme; the finding then is `undetermined`, never silently absent.
    fn compare(&self, left: &str, right: &str) -> Result<Ordering, VersionError>;

    /// Whether a text is a version of this scheme.
    ///
    /// # Errors
    /// When it is not.
    fn check(&self, version: &str) -> Result<(), VersionError> {
        self.compare(version, version).map(drop)
    }
}

/// A text that is no version of a scheme.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{version}` is not a version that `{scheme}` can order: {reason}")]
pub struct VersionError {
    /// Name of the scheme.
    pub scheme: &'static str,
    /// The text, cut at 200 characters.
    pub version: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl VersionError {
    /// An error about a version; long texts are cut.
    #[must_use]
    pub fn new(scheme: &'static str, version: &str, reason: &'static str) -> Self {
        Self {
            scheme,
            version: version.chars().take(200).collect(),
            reason,
        }
    }
}

/// Every version scheme.
pub static ALL: &[&dyn Scheme] = &[
    &apk_version::APK_VERSION,
    &bitnami_version::BITNAMI_VERSION,
    &composer_version::COMPOSER_VERSION,
    &conan_version::CONAN_VERSION,
    &cran_version::CRAN_VERSION,
    &dpkg_version::DPKG_VERSION,
    &freebsd_version::FREEBSD_VERSION,
    &generic_version::GENERIC_VERSION,
    &go_version::GO_VERSION,
    &hackage_version::HACKAGE_VERSION,
    &hex_version::HEX_VERSION,
    &julia_version::JULIA_VERSION,
    &maven_version::MAVEN_VERSION,
    &npm_version::NPM_VERSION,
    &nuget_version::NUGET_VERSION,
    &pacman_version::PACMAN_VERSION,
    &pep440_version::PEP440_VERSION,
    &portage_version::PORTAGE_VERSION,
    &pub_version::PUB_VERSION,
    &rpm_version::RPM_VERSION,
    &rubygems_version::RUBYGEMS_VERSION,
    &semver_version::SEMVER_VERSION,
    &swift_version::SWIFT_VERSION,
];

/// OSV's ecosystems and the scheme that orders their versions, in alphabetical order without regard to case.
///
/// `GIT` is missing: commits have no order without their repository.
pub static ECOSYSTEMS: &[(&str, &dyn Scheme)] = &[
    ("AlmaLinux", &rpm_version::RPM_VERSION),
    ("Alpaquita", &apk_version::APK_VERSION),
    ("Alpine", &apk_version::APK_VERSION),
    ("Android", &generic_version::GENERIC_VERSION),
    ("Azure Linux", &rpm_version::RPM_VERSION),
    ("BellSoft Hardened Containers", &apk_version::APK_VERSION),
    ("Bioconductor", &cran_version::CRAN_VERSION),
    ("Bitnami", &bitnami_version::BITNAMI_VERSION),
    ("Chainguard", &apk_version::APK_VERSION),
    ("CleanStart", &apk_version::APK_VERSION),
    ("ConanCenter", &conan_version::CONAN_VERSION),
    ("CRAN", &cran_version::CRAN_VERSION),
    ("crates.io", &semver_version::SEMVER_VERSION),
    ("Debian", &dpkg_version::DPKG_VERSION),
    ("Echo", &dpkg_version::DPKG_VERSION),
    ("FreeBSD", &freebsd_version::FREEBSD_VERSION),
    ("GHC", &hackage_version::HACKAGE_VERSION),
    ("GitHub Actions", &semver_version::SEMVER_VERSION),
    ("Go", &go_version::GO_VERSION),
    ("Hackage", &hackage_version::HACKAGE_VERSION),
    ("Hex", &hex_version::HEX_VERSION),
    ("Julia", &julia_version::JULIA_VERSION),
    ("Kubernetes", &semver_version::SEMVER_VERSION),
    ("Linux", &generic_version::GENERIC_VERSION),
    ("Mageia", &rpm_version::RPM_VERSION),
    ("Maven", &maven_version::MAVEN_VERSION),
    ("MinimOS", &apk_version::APK_VERSION),
    ("npm", &npm_version::NPM_VERSION),
    ("NuGet", &nuget_version::NUGET_VERSION),
    ("opam", &dpkg_version::DPKG_VERSION),
    ("openEuler", &rpm_version::RPM_VERSION),
    ("openSUSE", &rpm_version::RPM_VERSION),
    ("OSS-Fuzz", &generic_version::GENERIC_VERSION),
    ("Packagist", &composer_version::COMPOSER_VERSION),
    ("Photon OS", &rpm_version::RPM_VERSION),
    ("Pub", &pub_version::PUB_VERSION),
    ("PyPI", &pep440_version::PEP440_VERSION),
    ("Red Hat", &rpm_version::RPM_VERSION),
    ("Rocky Linux", &rpm_version::RPM_VERSION),
    ("RubyGems", &rubygems_version::RUBYGEMS_VERSION),
    ("SUSE", &rpm_version::RPM_VERSION),
    ("SwiftURL", &swift_version::SWIFT_VERSION),
    ("Ubuntu", &dpkg_version::DPKG_VERSION),
    ("VSCode", &semver_version::SEMVER_VERSION),
    ("Wolfi", &apk_version::APK_VERSION),
];

/// Ecosystems that rebuild the packages of others: their own name is followed by the other's (`Root:Alpine:3.18`).
const WRAPPERS: [&str; 3] = ["Docker Hardened Images", "Root", "TuxCare"];

/// The scheme that orders versions of an ecosystem, named as OSV does; a release after the first colon does not count
/// (`Debian:12`). `None` for an ecosystem that is not known, or without an order.
#[must_use]
pub fn for_ecosystem(ecosystem: &str) -> Option<&'static dyn Scheme> {
    let (name, rest) = ecosystem.split_once(':').unwrap_or((ecosystem, ""));
    if name == "Echo" {
        // Its own packages are Debian's; it also rebuilds those of languages. The rebuilds of npm packages differ in the
        // build (`+echo.1`) alone, which counts in the order of Dart's packages and not in npm's.
        return Some(match rest.to_ascii_lowercase().as_str() {
            "pypi" => &pep440_version::PEP440_VERSION,
            "maven" => &maven_version::MAVEN_VERSION,
            "npm" => &pub_version::PUB_VERSION,
            _ => &dpkg_version::DPKG_VERSION,
        });
    }
    let name = if WRAPPERS.contains(&name) {
        rest.split(':').next().unwrap_or_default()
    } else {
        name
    };
    ECOSYSTEMS
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, scheme)| *scheme)
}

/// The scheme of a name (`dpkg-version`).
#[must_use]
pub fn find(name: &str) -> Option<&'static dyn Scheme> {
    ALL.iter().copied().find(|scheme| scheme.meta().name == name)
}
