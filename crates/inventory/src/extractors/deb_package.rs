//! Package files of Debian and its kin that lie in a source tree or are the target.

use crate::intake::Intake;
use crate::package_files::OfDistribution;
use crate::{Extracted, Extractor, File, Kind, control};
use model::{Content, Entry, EntryKind, Location, MemoryContent, Meta};
use std::io::Read;

/// The member.
pub(super) static DEB_PACKAGE: DebPackage = DebPackage;

pub(super) struct DebPackage;

static META: Meta = Meta {
    name: "deb-package",
    title: "Package files of Debian and its kin; the version tells the release where it can",
    finds: &["*.deb, *.udeb, *.ddeb, in source trees and as a target"],
    needs: &[],
    references: &["https://manpages.debian.org/stable/dpkg-dev/deb.5.en.html"],
};

/// Largest archive of control files that is read, in bytes; the largest ones have a few MiB, for their lists of checksums.
const CONTROL_ARCHIVE_LIMIT: u64 = 32 << 20;
/// Largest control file, in bytes.
const CONTROL_LIMIT: usize = 1 << 20;
/// Members in front of the control files' archive that are passed over.
const MEMBERS: usize = 16;

impl Extractor for DebPackage {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn kind(&self) -> Kind {
        Kind::Source
    }

    fn wants(&self, entry: &Entry<'_>) -> bool {
        entry.kind == EntryKind::File
            && [".deb", ".udeb", ".ddeb"]
                .iter()
                .any(|suffix| entry.file_name().ends_with(suffix))
    }

    fn extract(&self, file: &mut File<'_>, out: &mut Extracted) {
        let mut intake = Intake::new(file.entry.path, out);
        let text = control_archive(file.content).and_then(|archive| {
            file.archives
                .tar_member(&archive, "control", CONTROL_LIMIT)?
                .ok_or_else(|| "the Debian package has no control file".to_owned())
        });
        let read = text.and_then(|text| {
            let mut first = None;
            control::stanzas(&mut MemoryContent(text), control::PACKAGE_FIELDS, |stanza| {
                first = Some(control::package(META.name, stanza));
                false
            })?;
            match first {
                Some(Ok(package)) => Ok(package),
                Some(Err(what)) => Err(format!("the control file of the Debian package has no {what}")),
                None => Err("the control file of the Debian package is empty".to_owned()),
            }
        });
        match read {
            Ok(mut package) => {
                let maintainer = package.fact("maintainer").unwrap_or_default().to_owned();
                if let Some(distribution) = distribution(&package.version, &maintainer) {
                    distribution.name(&mut package);
                }
                package.locations.push(Location::file(intake.path()));
                intake.package(package);
            }
            Err(error) => intake.problem(error),
        }
    }
}

/// The archive of control files, as it is compressed, out of the `ar` archive that a package is.
fn control_archive(content: &mut dyn Content) -> Result<Vec<u8>, String> {
    const SHORT: &str = "the Debian package is cut short";
    let mut reader = content.reader().map_err(|error| error.to_string())?;
    let mut magic = [0; 8];
    reader.read_exact(&mut magic).map_err(|_| SHORT.to_owned())?;
    if &magic != b"!<arch>\n" {
        return Err("not a Debian package: it is no `ar` archive".to_owned());
    }
    for _ in 0..MEMBERS {
        let mut header = [0; 60];
        reader.read_exact(&mut header).map_err(|_| SHORT.to_owned())?;
        let field = |range: std::ops::Range<usize>| {
            let bytes = header.get(range).unwrap_or_default();
            String::from_utf8_lossy(bytes).trim().to_owned()
        };
        let name = field(0..16);
        let size: u64 = field(48..58)
            .parse()
            .map_err(|_| "the Debian package is damaged: a member's size is no number".to_owned())?;
        if name.trim_end_matches('/').starts_with("control.tar") {
            if size > CONTROL_ARCHIVE_LIMIT {
                return Err(format!(
                    "the control files of the Debian package have {size} bytes, more than the limit of \
                     {CONTROL_ARCHIVE_LIMIT}"
                ));
            }
            let mut archive = Vec::new();
            reader
                .take(size)
                .read_to_end(&mut archive)
                .map_err(|error| error.to_string())?;
            if archive.len() as u64 != size {
                return Err(SHORT.to_owned());
            }
            return Ok(archive);
        }
        let padded = i64::try_from(size.saturating_add(size % 2)).map_err(|_| SHORT.to_owned())?;
        reader
            .seek(std::io::SeekFrom::Current(padded))
            .map_err(|error| error.to_string())?;
    }
    Err("the Debian package has no control files".to_owned())
}

/// The distribution of a package, by the marks of its version (`+deb12u1`, `~bpo11`, `ubuntu0.22.04.1`) and its maintainer.
fn distribution(version: &str, maintainer: &str) -> Option<OfDistribution> {
    let number_after = |mark: &str| {
        let (_, rest) = version.rsplit_once(mark)?;
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        rest.get(..digits).filter(|number| !number.is_empty())
    };
    if version.contains("ubuntu") || maintainer.contains("@ubuntu.com") || maintainer.contains("ubuntu.com>")
    {
        // `…ubuntu0.22.04.1` and `…~22.04.1` name the release, `…ubuntu3` does not.
        let release = ["ubuntu0.", "~"].iter().find_map(|mark| {
            let (year, rest) = version.rsplit_once(mark)?.1.split_once('.')?;
            let month = rest.split('.').next()?;
            let is_release = year.len() == 2
                && year.bytes().all(|byte| byte.is_ascii_digit())
                && matches!(month, "04" | "10");
            is_release.then(|| format!("ubuntu-{year}.{month}"))
        });
        return Some(OfDistribution {
            namespace: "ubuntu",
            qualifier: release.unwrap_or_default(),
        });
    }
    let release = number_after("+deb")
        .or_else(|| number_after("~deb"))
        .or_else(|| number_after("~bpo"));
    if release.is_none() && !maintainer.contains("debian.org") {
        return None;
    }
    Some(OfDistribution {
        namespace: "debian",
        qualifier: release.map_or_else(String::new, |number| format!("debian-{number}")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distributions() {
        let debian = "Debian OpenSSL Team <pkg-openssl-devel@alioth-lists.debian.net>, a@debian.org";
        let ubuntu = "Ubuntu Developers <ubuntu-devel-discuss@lists.ubuntu.com>";
        for (version, maintainer, expected) in [
            ("3.0.11-1~deb12u2", debian, Some(("debian", "debian-12"))),
            ("1.2+deb11u1", debian, Some(("debian", "debian-11"))),
            ("2.0-1~bpo12+1", debian, Some(("debian", "debian-12"))),
            ("1.2-3", debian, Some(("debian", ""))),
            ("3.0.2-0ubuntu1.15", ubuntu, Some(("ubuntu", ""))),
            (
                "7.81.0-1ubuntu0.22.04.1",
                ubuntu,
                Some(("ubuntu", "ubuntu-22.04")),
            ),
            ("1.5~22.04.2", ubuntu, Some(("ubuntu", "ubuntu-22.04"))),
            ("24.04.1-1ubuntu2", ubuntu, Some(("ubuntu", ""))),
            ("1.2-3", "Example <a@example.org>", None),
        ] {
            let found = distribution(version, maintainer);
            let found = found
                .as_ref()
                .map(|found| (found.namespace, found.qualifier.as_str()));
            assert_eq!(found, expected, "{version}");
        }
    }
}
