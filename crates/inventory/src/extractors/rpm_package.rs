//! Package files of rpm that lie in a source tree or are the target.

use crate::intake::Intake;
use crate::package_files::OfDistribution;
use crate::{Extracted, Extractor, File, Kind, rpm};
use model::{Entry, EntryKind, Location, Meta};

/// The member.
pub(super) static RPM_PACKAGE: RpmPackage = RpmPackage;

pub(super) struct RpmPackage;

static META: Meta = Meta {
    name: "rpm-package",
    title: "Package files of rpm; their vendor and release tell which distribution's advisories speak of them",
    finds: &["*.rpm, in source trees and as a target"],
    needs: &[],
    references: &["https://rpm-software-management.github.io/rpm/manual/format_v4.html"],
};

impl Extractor for RpmPackage {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn kind(&self) -> Kind {
        Kind::Source
    }

    fn wants(&self, entry: &Entry<'_>) -> bool {
        entry.kind == EntryKind::File && entry.file_name().ends_with(".rpm")
    }

    fn extract(&self, file: &mut File<'_>, out: &mut Extracted) {
        let mut intake = Intake::new(file.entry.path, out);
        match rpm::file_header(file.content) {
            Ok(header) => {
                let mut package = rpm::package_of_header(META.name, &header);
                if header.source.is_empty() {
                    // What names no source package is one.
                    package.purl = package.purl.clone().with_qualifier("arch", "src");
                }
                if let Some(distribution) = distribution(&header.vendor, &header.release) {
                    distribution.name(&mut package);
                }
                package.locations.push(Location::file(intake.path()));
                intake.package(package);
            }
            Err(error) => intake.problem(error),
        }
    }
}

/// Beginning of the vendor, namespace of purls, name in the qualifier `distro`, and what stands before the version in the
/// release.
const VENDORS: [(&str, &str, &str, &str); 11] = [
    ("AlmaLinux", "almalinux", "almalinux", "el"),
    ("Amazon", "amazon", "amzn", "amzn"),
    ("CentOS", "centos", "centos", "el"),
    ("Fedora Project", "fedora", "fedora", "fc"),
    ("Mageia", "mageia", "mageia", "mga"),
    ("Microsoft Corporation", "azurelinux", "azurelinux", "azl"),
    ("Microsoft Corporation", "mariner", "mariner", "cm"),
    ("Oracle America", "oracle", "ol", "el"),
    ("Red Hat, Inc.", "redhat", "rhel", "el"),
    (
        "Rocky Enterprise Software Foundation",
        "rocky-linux",
        "rocky",
        "el",
    ),
    ("VMware, Inc.", "photon", "photon", "ph"),
];

/// The distribution that made a package: `AlmaLinux` and `5.el9_2` are AlmaLinux 9.
fn distribution(vendor: &str, release: &str) -> Option<OfDistribution> {
    VENDORS
        .iter()
        .filter(|(beginning, ..)| vendor.starts_with(beginning))
        .find_map(|(_, namespace, id, tag)| {
            let number = release.split(['.', '_', '-', '+']).find_map(|part| {
                let rest = part.strip_prefix(tag)?;
                let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
                rest.get(..digits).filter(|number| !number.is_empty())
            })?;
            // `azl3` and `cm2` are 3.0 and 2.0.
            let point = if matches!(*tag, "azl" | "cm" | "ph") {
                ".0"
            } else {
                ""
            };
            Some(OfDistribution {
                namespace,
                qualifier: format!("{id}-{number}{point}"),
            })
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distributions() {
        for (vendor, release, expected) in [
            ("AlmaLinux", "5.el9_2.1", Some("almalinux-9")),
            ("Red Hat, Inc.", "1.module+el8.6.0+13", Some("rhel-8")),
            ("Fedora Project", "1.fc40", Some("fedora-40")),
            ("Amazon Linux", "2.amzn2023.0.1", Some("amzn-2023")),
            ("Microsoft Corporation", "2.cm2", Some("mariner-2.0")),
            ("Microsoft Corporation", "2.azl3", Some("azurelinux-3.0")),
            ("Docker <support@docker.com>", "1.el9", None),
            ("AlmaLinux", "5", None),
            ("", "1.el9", None),
            ("AlmaLinux", "1.el", None),
        ] {
            let qualifier = distribution(vendor, release).map(|found| found.qualifier);
            assert_eq!(qualifier.as_deref(), expected, "{vendor} {release}");
        }
    }
}
