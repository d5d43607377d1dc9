//! The note that distributions put into their programs to say which package they come from.

use crate::object_file::{self, Bytes, Fields, Format, ObjectFile};
use crate::program_reader::ProgramReader;
use crate::{Extracted, File};
use model::{Location, Meta, Package, Purl};
use serde::Deserialize;
use std::borrow::Cow;

/// The member.
pub(super) static ELF_PACKAGE_NOTE: ProgramReader = ProgramReader {
    meta: &META,
    accepts: |head| head.starts_with(b"\x7fELF"),
    read,
};

static META: Meta = Meta {
    name: "elf-package-note",
    title: "Package notes in programs and libraries, which name the distribution's package",
    finds: &["executable ELF files and shared libraries with a section `.note.package`"],
    needs: &[],
    references: &["https://systemd.io/ELF_PACKAGE_METADATA/"],
};

/// Largest note, in bytes.
const LIMIT: u64 = 64 << 10;

fn read(file: &mut File<'_>, out: &mut Extracted) -> Result<(), String> {
    let location = file.entry.path;
    let mut bytes = Bytes::open(file.content)?;
    // Damaged headers are the binary classifier's to report; it reads all programs.
    let Some(object) = object_file::parse(&mut bytes).unwrap_or_default().pop() else {
        return Ok(());
    };
    let Some(section) = object
        .section(".note.package")
        .filter(|_| object.format == Format::Elf)
    else {
        return Ok(());
    };
    let section = bytes.at(section.offset, section.size.min(LIMIT))?;
    let Some(text) = description(&object, &section) else {
        return Err("the section .note.package holds no package note".to_owned());
    };
    let note: PackageNote<'_> = serde_json::from_slice(text)
        .map_err(|error| format!("the package note of the program is damaged: {error}"))?;
    out.packages.extend(note.package(location));
    Ok(())
}

/// The text of the note: after sizes of name and text, a type, and the name `FDO`.
fn description<'a>(object: &ObjectFile, section: &'a [u8]) -> Option<&'a [u8]> {
    const PACKAGE: u64 = 0xcafe_1a7e;
    let fields = Fields {
        bytes: section,
        little_endian: object.little_endian,
    };
    let (name_size, text_size, kind) = (fields.u32(0)?, fields.u32(4)?, fields.u32(8)?);
    let name_size = usize::try_from(name_size).ok()?;
    let text_size = usize::try_from(text_size).ok()?;
    let name = section.get(12..12_usize.checked_add(name_size)?)?;
    if kind != PACKAGE || name != b"FDO\0" {
        return None;
    }
    let text = section.get(16..16_usize.checked_add(text_size)?)?;
    let end = memchr::memchr(0, text).unwrap_or(text.len());
    text.get(..end)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PackageNote<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    name: Cow<'a, str>,
    #[serde(borrow, default)]
    version: Cow<'a, str>,
    #[serde(borrow, default)]
    architecture: Cow<'a, str>,
    #[serde(borrow, default)]
    os: Cow<'a, str>,
    #[serde(borrow, default)]
    os_version: Cow<'a, str>,
    #[serde(borrow, default)]
    os_cpe: Cow<'a, str>,
}

impl PackageNote<'_> {
    fn package(&self, location: &str) -> Option<Package> {
        if self.name.is_empty() {
            return None;
        }
        let (kind, namespace) = match &*self.kind {
            kind @ ("apk" | "deb" | "rpm" | "alpm") => (kind, &*self.os),
            _ => ("generic", ""),
        };
        let distribution = if kind == "generic" || self.os_version.is_empty() {
            String::new()
        } else {
            format!("{}-{}", self.os, self.os_version)
        };
        let purl = Purl::new(kind, namespace, &self.name, &self.version)
            .with_qualifier("arch", &self.architecture)
            .with_qualifier("distro", &distribution);
        let mut package = Package::new(META.name, purl, "", &*self.name, &*self.version);
        package.locations.push(Location::file(location));
        package.add_fact("os", &*self.os);
        package.add_fact("os-version", &*self.os_version);
        package.add_fact("os-cpe", &*self.os_cpe);
        Some(package)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Extractor;
    use model::Entry;
    use testkit::object::{Builder, Layout};

    #[test]
    fn notes_of_other_kinds_and_sizes_are_refused() {
        let object = ObjectFile {
            format: Format::Elf,
            little_endian: true,
            sections: Vec::new(),
            segments: Vec::new(),
        };
        let note = |name: u32, text: u32, kind: u32| {
            let mut note: Vec<u8> = [name, text, kind]
                .iter()
                .flat_map(|word| word.to_le_bytes())
                .collect();
            note.extend(b"FDO\0{}\0\0");
            note
        };
        assert_eq!(description(&object, &note(4, 4, 0xcafe_1a7e)), Some(&b"{}"[..]));
        for bytes in [
            note(4, 5, 0xcafe_1a7e),
            note(4, 4, 1),
            note(8, 4, 0xcafe_1a7e),
            note(u32::MAX, u32::MAX, 0xcafe_1a7e),
            Vec::new(),
        ] {
            assert_eq!(description(&object, &bytes), None);
        }
    }

    #[test]
    fn damaged_notes_are_reported() {
        let image = Builder::new(Layout::ALL[0])
            .section(".note.package", 0, b"short", false)
            .build();
        let mut out = Extracted::default();
        let entry = Entry {
            path: "usr/bin/x",
            kind: model::EntryKind::File,
            size: image.len() as u64,
            mode: 0o755,
            link: None,
        };
        ELF_PACKAGE_NOTE.extract(
            &mut File {
                entry,
                content: &mut model::MemoryContent(image.as_slice()),
                archives: &artifact::archives::Limited::default(),
            },
            &mut out,
        );
        assert_eq!(out.problems.len(), 1);
    }
}
