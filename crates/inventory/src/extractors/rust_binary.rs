//! The crates of Rust programs: the list that `cargo auditable` embeds, or else what the paths in panic messages give away.

use crate::dependency_graph::Id;
use crate::object_file::{self, Bytes, Format, ObjectFile};
use crate::program_reader::ProgramReader;
use crate::{Extracted, File, relations};
use model::{Archives, Location, Meta, Package, Purl, Scope};
use serde::Deserialize;
use std::borrow::Cow;
use std::collections::{BTreeSet, HashSet};

/// The member.
pub(super) static RUST_BINARY: ProgramReader = ProgramReader {
    meta: &META,
    accepts: object_file::has_magic,
    read,
};

static META: Meta = Meta {
    name: "rust-binary",
    title: "Rust programs: the crates listed by cargo-auditable, or those named in panic messages",
    finds: &[
        "executable ELF, PE and Mach-O files with a section `.dep-v0`",
        "other executable ELF files that rustc says it made: crates whose source paths stand in panic messages, an incomplete list",
    ],
    needs: &[],
    references: &["https://github.com/rust-secure-code/cargo-auditable/blob/master/PARSING.md"],
};

/// Largest compressed list, in bytes.
const COMPRESSED_LIMIT: u64 = 8 << 20;
/// Largest list, in bytes.
const LIST_LIMIT: usize = 64 << 20;
/// Crates that are listed of one program.
const PACKAGE_LIMIT: usize = 100_000;

fn read(file: &mut File<'_>, out: &mut Extracted) -> Result<(), String> {
    let location = file.entry.path;
    let mut bytes = Bytes::open(file.content)?;
    // Damaged headers are the binary classifier's to report; it reads all programs.
    for object in object_file::parse(&mut bytes).unwrap_or_default() {
        let mut found = match object.section(".dep-v0") {
            Some(section) => {
                let compressed = bytes.at(section.offset, section.size.min(COMPRESSED_LIMIT))?;
                listed(&compressed, file.archives, location)?
            }
            None => named_in_messages(&mut bytes, &object, location)?,
        };
        // The parts of a fat file are built from the same crates.
        let known: HashSet<String> = out
            .packages
            .iter()
            .map(|package| package.purl.to_string())
            .collect();
        found.retain(|package| !known.contains(&package.purl.to_string()));
        out.packages.append(&mut found);
    }
    Ok(())
}

#[derive(Deserialize)]
struct List<'a> {
    #[serde(borrow)]
    packages: Vec<Listed<'a>>,
}

#[derive(Deserialize)]
struct Listed<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    version: Cow<'a, str>,
    #[serde(borrow, default)]
    source: Cow<'a, str>,
    #[serde(borrow, default)]
    kind: Cow<'a, str>,
    #[serde(default)]
    dependencies: Vec<Id>,
    #[serde(default)]
    root: bool,
}

fn listed(compressed: &[u8], archives: &dyn Archives, location: &str) -> Result<Vec<Package>, String> {
    let text = archives
        .zlib(compressed, LIST_LIMIT)
        .map_err(|error| format!("the list of crates in section .dep-v0 was not read: {error}"))?;
    let list: List<'_> = serde_json::from_slice(&text)
        .map_err(|error| format!("the list of crates in section .dep-v0 is damaged: {error}"))?;
    if list.packages.len() > PACKAGE_LIMIT {
        return Err(format!(
            "section .dep-v0 lists {} crates, more than the {PACKAGE_LIMIT} that are read",
            list.packages.len()
        ));
    }
    let mut packages: Vec<Package> = list
        .packages
        .iter()
        .map(|listed| {
            // Advisories speak of the public registry's crates. The program itself is built from its own folder but is
            // mostly published there too; a crate from elsewhere may share nothing but its name.
            let public = listed.root
                || matches!(
                    &*listed.source,
                    "crates.io" | "registry+https://github.com/rust-lang/crates.io-index"
                );
            let mut package = crate_package(&listed.name, &listed.version, public, location);
            package.scope = Some(if listed.kind == "build" {
                Scope::Development
            } else {
                Scope::Runtime
            });
            if !public || listed.root {
                package.add_fact("source", &*listed.source);
            }
            package
        })
        .collect();
    let roots: Vec<Id> = (0..)
        .zip(&list.packages)
        .filter(|(_, listed)| listed.root)
        .map(|(index, _)| index)
        .collect();
    relations::relate(&mut packages, &roots, |from| {
        let listed = list.packages.get(from as usize);
        listed
            .into_iter()
            .flat_map(|listed| &listed.dependencies)
            .copied()
    });
    Ok(packages)
}

fn crate_package(name: &str, version: &str, public: bool, location: &str) -> Package {
    let ecosystem = if public { "crates.io" } else { "" };
    let purl = Purl::new("cargo", "", name, version);
    let mut package = Package::new(META.name, purl, ecosystem, name, version);
    package.locations.push(Location::file(location));
    package
}

/// Panic messages carry the path of the source file, which for crates from a registry has name and version in it.
fn named_in_messages(
    bytes: &mut Bytes<'_>,
    object: &ObjectFile,
    location: &str,
) -> Result<Vec<Package>, String> {
    let Some(comment) = object
        .section(".comment")
        .filter(|_| object.format == Format::Elf)
    else {
        return Ok(Vec::new());
    };
    let comment = bytes.at(comment.offset, comment.size.min(4096))?;
    if memchr::memmem::find(&comment, b"rustc version ").is_none() {
        return Ok(Vec::new());
    }
    let mut crates = BTreeSet::new();
    for (offset, size) in object.constants().unwrap_or_default() {
        scan(bytes, offset, size, &mut crates)?;
    }
    Ok(crates
        .into_iter()
        .map(|(name, version, public)| {
            let mut package = crate_package(&name, &version, public, location);
            package.add_fact("identified-by", "panic-paths");
            package
        })
        .collect())
}

/// Collects (name, version, from the public registry) from one part of the file, block by block.
fn scan(
    bytes: &mut Bytes<'_>,
    offset: u64,
    size: u64,
    crates: &mut BTreeSet<(String, String, bool)>,
) -> Result<(), String> {
    const BLOCK: u64 = 1 << 20;
    /// Longest path behind the mark that is looked at.
    const REACH: u64 = 256;
    let finder = memchr::memmem::Finder::new(MARK);
    let mut done = 0;
    while done < size && crates.len() < PACKAGE_LIMIT {
        let block = bytes.at(offset + done, (size - done).min(BLOCK + REACH))?;
        for at in finder.find_iter(&block) {
            let path = block.get(at + MARK.len()..).unwrap_or_default();
            let path = path.get(..path.len().min(REACH as usize)).unwrap_or_default();
            crates.extend(crate_of_path(path));
        }
        done += BLOCK;
    }
    Ok(())
}

/// The folder of sources that Cargo unpacks crates into.
const MARK: &[u8] = b"/registry/src/";

/// Name and version from `<registry>/<name>-<version>/src/…`.
fn crate_of_path(path: &[u8]) -> Option<(String, String, bool)> {
    let mut parts = path.split(|byte| *byte == b'/');
    let registry = std::str::from_utf8(parts.next()?).ok()?;
    let folder = std::str::from_utf8(parts.next()?).ok()?;
    parts.next()?;
    // Names may have groups of digits too (`md-5`): the version begins where a number is followed by a dot.
    let (at, _) = folder.match_indices('-').find(|(at, _)| {
        let rest = &folder[at + 1..];
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        digits > 0 && rest[digits..].starts_with('.')
    })?;
    let (name, version) = (&folder[..at], &folder[at + 1..]);
    let plain = |text: &str, more: &[u8]| {
        !text.is_empty()
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || more.contains(&byte))
    };
    let public = ["index.crates.io-", "github.com-"]
        .iter()
        .any(|host| registry.starts_with(host));
    (plain(registry, b"-._") && plain(name, b"-_") && plain(version, b"-.+_"))
        .then(|| (name.to_owned(), version.to_owned(), public))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Extractor;
    use model::{Content, Entry, EntryKind, MemoryContent, Relation, ZipVisitor};
    use testkit::object::{Builder, Layout};

    /// Hands the bytes through, so that these tests need no compressor.
    struct Plain;

    impl Archives for Plain {
        fn zip(&self, _: &mut dyn Content, _: &mut dyn ZipVisitor) -> Result<(), String> {
            Err("no zip".to_owned())
        }

        fn zlib(&self, compressed: &[u8], limit: usize) -> Result<Vec<u8>, String> {
            assert_eq!(limit, LIST_LIMIT);
            Ok(compressed.to_vec())
        }

        fn gzip(&self, _: &[u8], _: usize) -> Result<Vec<u8>, String> {
            Err("no gzip".to_owned())
        }
    }

    fn extract(image: &[u8]) -> Extracted {
        let mut out = Extracted::default();
        let entry = Entry {
            path: "usr/bin/app",
            kind: EntryKind::File,
            size: image.len() as u64,
            mode: 0o755,
            link: None,
        };
        RUST_BINARY.extract(
            &mut File {
                entry,
                content: &mut MemoryContent(image),
                archives: &Plain,
            },
            &mut out,
        );
        out
    }

    const LIST: &str = r#"{"packages":[
        {"name":"app","version":"0.1.0","source":"local","dependencies":[1,3],"root":true},
        {"name":"serde","version":"1.0.190","source":"crates.io","dependencies":[2]},
        {"name":"serde_core","version":"1.0.1","source":"crates.io"},
        {"name":"cc","version":"1.0.0","source":"crates.io","kind":"build"},
        {"name":"forked","version":"2.0.0","source":"git"}]}"#;

    #[test]
    fn lists_in_every_layout() {
        for layout in Layout::ALL {
            let image = Builder::new(layout)
                .section(".dep-v0", 0x1000, LIST.as_bytes(), false)
                .build();
            let out = extract(&image);
            assert_eq!(out.problems, [], "{layout:?}");
            let lines: Vec<String> = out
                .packages
                .iter()
                .map(|package| {
                    format!(
                        "{} [{}] {:?} {:?} {}",
                        package.purl,
                        package.ecosystem,
                        package.relation,
                        package.scope,
                        package.path.join(" > ")
                    )
                })
                .collect();
            assert_eq!(
                lines,
                [
                    "pkg:cargo/app@0.1.0 [crates.io] Some(Root) Some(Runtime) ",
                    "pkg:cargo/serde@1.0.190 [crates.io] Some(Direct) Some(Runtime) app@0.1.0",
                    "pkg:cargo/serde_core@1.0.1 [crates.io] Some(Transitive) Some(Runtime) app@0.1.0 > serde@1.0.190",
                    "pkg:cargo/cc@1.0.0 [crates.io] Some(Direct) Some(Development) app@0.1.0",
                    "pkg:cargo/forked@2.0.0 [] None Some(Runtime) ",
                ],
                "{layout:?}"
            );
            assert_eq!(out.packages[4].fact("source"), Some("git"));
            assert_eq!(out.packages[0].relation, Some(Relation::Root));
        }
    }

    #[test]
    fn damaged_lists_are_reported() {
        for text in ["", "{", "[]", r#"{"packages":[{"name":1}]}"#] {
            let image = Builder::new(Layout::ALL[0])
                .section(".dep-v0", 0x1000, text.as_bytes(), false)
                .build();
            let problems = extract(&image).problems;
            assert!(
                problems.iter().any(|problem| problem.message.contains(".dep-v0")),
                "{text}"
            );
        }
        // Indices beyond the list and cycles do no harm.
        let list = r#"{"packages":[{"name":"a","version":"1.0.0","root":true,"dependencies":[0,1,9]},{"name":"b","version":"1.0.0","dependencies":[0]}]}"#;
        let image = Builder::new(Layout::ALL[0])
            .section(".dep-v0", 0x1000, list.as_bytes(), false)
            .build();
        assert_eq!(extract(&image).packages.len(), 2);
    }

    #[test]
    fn paths_in_messages() {
        for (path, expected) in [
            (
                "index.crates.io-6f17d22bba15001f/serde_json-1.0.108/src/de.rs",
                Some(("serde_json", "1.0.108", true)),
            ),
            (
                "github.com-1ecc6299db9ec823/tokio-util-0.7.10/src/x.rs",
                Some(("tokio-util", "0.7.10", true)),
            ),
            (
                "index.crates.io-6f17d22bba15001f/rand-0.9.0-alpha.1/src/x.rs",
                Some(("rand", "0.9.0-alpha.1", true)),
            ),
            (
                "index.crates.io-6f17d22bba15001f/md-5-0.10.6/src/lib.rs",
                Some(("md-5", "0.10.6", true)),
            ),
            (
                "registry.example.org-0123/private-1.0.0/src/lib.rs",
                Some(("private", "1.0.0", false)),
            ),
            ("index.crates.io-6f17d22bba15001f/serde", None),
            ("index.crates.io-6f17d22bba15001f/no version-x/src", None),
        ] {
            let expected =
                expected.map(|(name, version, public)| (name.to_owned(), version.to_owned(), public));
            assert_eq!(crate_of_path(path.as_bytes()), expected, "{path}");
        }
    }

    #[test]
    fn programs_without_a_list_tell_by_their_messages() {
        let mut text = vec![b' '; (1 << 20) - 7];
        text.extend(b"/root/.cargo/registry/src/index.crates.io-6f17d22bba15001f/base64-0.21.5/src/lib.rsindex out of bounds");
        let image = |comment: &[u8]| {
            Builder::new(Layout::ALL[0])
                .section(".rodata", 0x1000, &text, false)
                .section(".comment", 0, comment, false)
                .build()
        };
        let out = extract(&image(b"\0rustc version 1.80.0 (x)\0"));
        assert_eq!(out.packages.len(), 1);
        assert_eq!(out.packages[0].purl.to_string(), "pkg:cargo/base64@0.21.5");
        assert_eq!(out.packages[0].fact("identified-by"), Some("panic-paths"));
        assert!(extract(&image(b"GCC: (Debian) 12\0")).is_empty());
    }
}
