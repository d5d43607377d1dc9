//! Well-known programs that no package manager brought, by what stands in their bytes.

use crate::classifiers::{self, Form, Match, Scan};
use crate::object_file::{self, Bytes, ObjectFile};
use crate::{Extracted, Extractor, File, Kind};
use model::{Entry, EntryKind, Location, Meta, Package, Purl};

/// The member.
pub(super) static BINARY_CLASSIFIER: BinaryClassifier = BinaryClassifier;

pub(super) struct BinaryClassifier;

static META: Meta = Meta {
    name: "binary-classifier",
    title: "Well-known programs and libraries without a package manager, by texts in their bytes",
    finds: &[
        "executable ELF, PE and Mach-O files and shared libraries (the programs are listed in classifiers.md)",
        "a few text files and file names that tell a program's version, such as `release` of a JDK",
    ],
    needs: &[],
    references: &[],
};

/// Largest text file that is read for a rule, in bytes. Composer is one file of some 3 MiB.
const TEXT_LIMIT: u64 = 8 << 20;

impl Extractor for BinaryClassifier {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn kind(&self) -> Kind {
        Kind::Installed
    }

    fn wants(&self, entry: &Entry<'_>) -> bool {
        entry.kind == EntryKind::File
            && (object_file::is_candidate(entry) || !other_forms(entry.path).is_empty())
    }

    fn names(&self, entry: &Entry<'_>) -> bool {
        entry.kind == EntryKind::File && !classifiers::for_path(entry.path).is_empty()
    }

    fn accepts(&self, entry: &Entry<'_>, head: &[u8]) -> bool {
        object_file::has_magic(head) || !other_forms(entry.path).is_empty()
    }

    fn extract(&self, file: &mut File<'_>, out: &mut Extracted) {
        let location = file.entry.path;
        for index in other_forms(location) {
            if let Err(message) = read_text(index, file, out) {
                out.problem(location, message);
            }
        }
        if let Err(message) = read_program(file, out) {
            out.problem(location, message);
        }
    }
}

/// Rules for this path that look at something else than programs.
fn other_forms(path: &str) -> Vec<usize> {
    let mut rules = classifiers::for_path(path);
    rules.retain(|index| classifiers::rule(*index).is_some_and(|rule| rule.form != Form::Program));
    rules
}

fn read_text(index: usize, file: &mut File<'_>, out: &mut Extracted) -> Result<(), String> {
    let location = file.entry.path;
    let found = match classifiers::rule(index).map(|rule| rule.form) {
        Some(Form::Name) => classifiers::in_text(index, file.entry.file_name().as_bytes()),
        // Another file of that name may be of any size and kind.
        Some(Form::Text) if file.content.size() <= TEXT_LIMIT => {
            let bytes = file
                .content
                .bytes(TEXT_LIMIT)
                .map_err(|error| format!("the file was not read: {error}"))?;
            classifiers::in_text(index, &bytes)
        }
        _ => None,
    };
    out.packages
        .extend(found.and_then(|found| package(&found, location)));
    Ok(())
}

fn read_program(file: &mut File<'_>, out: &mut Extracted) -> Result<(), String> {
    let location = file.entry.path;
    let mut bytes = Bytes::open(file.content)?;
    if !object_file::has_magic(&bytes.at(0, 8)?) {
        return Ok(());
    }
    let objects = match object_file::parse(&mut bytes) {
        Ok(objects) => objects,
        Err(message) => {
            out.problem(location, message);
            Vec::new()
        }
    };
    let mut scan = Scan::new(&classifiers::for_path(location));
    let mut buffer = Vec::new();
    for (offset, size) in parts(&objects, bytes.size()) {
        scan.part(&mut bytes, offset, size, &mut buffer)?;
    }
    let (matches, unsure) = scan.finish(location);
    let mut module_version = None;
    for found in matches {
        let go = classifiers::rule(found.rule).is_some_and(|rule| rule.go);
        if go {
            // The build information is exact, and its package is keyed as Go's advisories are.
            let known = module_version
                .get_or_insert_with(|| super::go_binary::has_main_version(&mut bytes, &objects));
            if *known {
                continue;
            }
        }
        out.packages.extend(package(&found, location));
    }
    for (rule, versions) in unsure {
        if let Some(rule) = classifiers::rule(rule) {
            out.problem(
                location,
                format!(
                    "the program looks like {} but its version is not clear: {}",
                    rule.name,
                    versions.join(" or ")
                ),
            );
        }
    }
    Ok(())
}

/// What of the file is looked at: constants where headers tell which parts these are, else everything.
fn parts(objects: &[ObjectFile], size: u64) -> Vec<(u64, u64)> {
    let mut parts = Vec::new();
    for object in objects {
        match object.constants() {
            Some(constants) => parts.extend(constants),
            None => return vec![(0, size)],
        }
    }
    if parts.is_empty() {
        parts.push((0, size));
    }
    parts
}

fn package(found: &Match, location: &str) -> Option<Package> {
    let rule = classifiers::rule(found.rule)?;
    let purl = Purl::new("generic", "", rule.name, &found.version);
    let (ecosystem, name) = if rule.bitnami.is_empty() {
        ("", rule.name)
    } else {
        ("Bitnami", rule.bitnami)
    };
    let mut package = Package::new(META.name, purl, ecosystem, name, &*found.version);
    package.locations.push(Location::file(location));
    if !rule.cpe.is_empty() {
        package.add_fact(
            "cpe",
            format!("cpe:2.3:a:{}:{}:*:*:*:*:*:*:*", rule.cpe, found.version),
        );
    }
    Some(package)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classifiers::RULES;
    use model::MemoryContent;
    use std::fmt::Write as _;
    use testkit::object::{Builder, Layout};

    fn extract(path: &str, bytes: &[u8]) -> Extracted {
        let mut out = Extracted::default();
        let entry = Entry {
            path,
            kind: EntryKind::File,
            size: bytes.len() as u64,
            mode: 0o755,
            link: None,
        };
        assert!(BINARY_CLASSIFIER.wants(&entry), "{path}");
        if BINARY_CLASSIFIER.accepts(&entry, &bytes[..bytes.len().min(64)]) {
            BINARY_CLASSIFIER.extract(
                &mut File {
                    entry,
                    content: &mut MemoryContent(bytes),
                    archives: &artifact::archives::Limited::default(),
                },
                &mut out,
            );
        }
        out
    }

    /// The bytes of an example as the file that its rule looks at.
    fn image(form: Form, bytes: &[u8]) -> Vec<u8> {
        match form {
            Form::Program => Builder::new(Layout::ALL[0])
                .section(".text", 0x1000, &[0x90; 64], true)
                .section(".rodata", 0x2000, bytes, false)
                .build(),
            Form::Text | Form::Name => bytes.to_vec(),
        }
    }

    #[test]
    fn every_rule_knows_its_examples() {
        let mut failures = Vec::new();
        for rule in RULES {
            assert!(
                !rule.hits.is_empty() && !rule.misses.is_empty(),
                "{} has no examples",
                rule.name
            );
            for (path, bytes, version) in rule.hits {
                let out = extract(path, &image(rule.form, bytes));
                let purl = Purl::new("generic", "", rule.name, version);
                if !out.packages.iter().any(|package| package.purl == purl) || !out.problems.is_empty() {
                    failures.push(format!("{purl}: {:?} {:?}", out.packages.first(), out.problems));
                }
            }
            for (path, bytes) in rule.misses {
                let content = image(rule.form, bytes);
                let entry = Entry {
                    path,
                    kind: EntryKind::File,
                    size: content.len() as u64,
                    mode: 0o755,
                    link: None,
                };
                if BINARY_CLASSIFIER.wants(&entry)
                    && extract(path, &content)
                        .packages
                        .iter()
                        .any(|package| package.purl.name() == rule.name)
                {
                    failures.push(format!("{}: found in {path}, which is a miss", rule.name));
                }
            }
        }
        assert!(failures.is_empty(), "{}", failures.join("\n"));
    }

    #[test]
    fn the_reference_page_lists_the_rules() {
        let mut page = String::from(
            "<!-- Generated by `make bless`; do not edit. -->\n# Programs known by their bytes\n\n\
             What the extractor `binary-classifier` recognises. A package becomes `pkg:generic/<name>@<version>`. Where Bitnami's \
             advisories count the program's versions as its maker does, it is matched with those; the others are listed only.\n\n\
             | program | files | Bitnami | CPE |\n|---|---|---|---|\n",
        );
        let mut names = Vec::new();
        for rule in RULES {
            names.push(rule.name);
            let files = if rule.files.is_empty() {
                "every program".to_owned()
            } else {
                rule.files
                    .iter()
                    .map(|file| format!("`{file}`"))
                    .collect::<Vec<_>>()
                    .join(", ")
            };
            let _ = writeln!(
                page,
                "| {} | {files} | {} | {} |",
                rule.name, rule.bitnami, rule.cpe
            );
        }
        assert!(names.is_sorted(), "the rules are not in the order of their names");
        testkit::family::check_generated(
            &testkit::family::workspace_root().join("docs/reference/classifiers.md"),
            &page,
        );
    }

    #[test]
    fn texts_across_blocks_and_in_code() {
        // The text stands across the border of two blocks, wherever it begins.
        for shift in 0..40 {
            let mut bytes = vec![b'x'; (256 << 10) - 20 + shift];
            bytes.extend(b"\0nginx version: nginx/1.25.3\0");
            bytes.resize(600 << 10, b'y');
            let out = extract("usr/sbin/nginx", &image(Form::Program, &bytes));
            assert_eq!(out.packages.len(), 1, "{shift}");
            assert_eq!(out.packages[0].version, "1.25.3");
        }
        let code = Builder::new(Layout::ALL[0])
            .section(".text", 0x1000, b"\0nginx version: nginx/1.25.3\0", true)
            .section(".rodata", 0x2000, b"nothing", false)
            .build();
        assert!(extract("usr/sbin/nginx", &code).is_empty());
    }

    #[test]
    fn versions_that_disagree_are_said_unless_the_name_tells() {
        let bytes = image(Form::Program, b"\x003.11.2\0\x003.0.11\0");
        let out = extract("usr/bin/python3.11", &bytes);
        assert_eq!(out.packages.len(), 1);
        assert_eq!(out.packages[0].version, "3.11.2");
        let out = extract("usr/bin/python3", &bytes);
        assert!(out.packages.is_empty());
        assert_eq!(out.problems.len(), 1);
        assert!(
            out.problems[0].message.contains("3.11.2 or 3.0.11"),
            "{:?}",
            out.problems
        );
    }

    #[test]
    fn damaged_programs_are_reported_and_read_whole() {
        let mut bytes = b"\x7fELF\x09\x09".to_vec();
        bytes.resize(64, 0);
        bytes.extend(b"\0nginx version: nginx/1.25.3\0");
        let out = extract("usr/sbin/nginx", &bytes);
        assert_eq!(out.packages.len(), 1);
        assert_eq!(out.problems.len(), 1);
    }

    #[test]
    fn the_build_information_of_go_programs_is_believed_more() {
        let modules = "path\thelm.sh/helm/v3/cmd/helm\nmod\thelm.sh/helm/v3\tVERSION\th1:x=\n";
        for (version, found) in [("v3.13.3", 0), ("(devel)", 1)] {
            let framed = format!(
                "0123456789abcdef{}0123456789abcdef",
                modules.replace("VERSION", version)
            );
            let mut build = b"\xff Go buildinf:\x08\x02".to_vec();
            build.resize(32, 0);
            build.push(8);
            build.extend(b"go1.21.5");
            assert!(framed.len() < 128);
            build.push(framed.len() as u8);
            build.extend(framed.as_bytes());
            let image = Builder::new(Layout::ALL[0])
                .section(".go.buildinfo", 0x1000, &build, false)
                .section(".rodata", 0x2000, b"\0v3.13.3\0", false)
                .build();
            assert_eq!(
                extract("usr/local/bin/helm", &image).packages.len(),
                found,
                "{version}"
            );
        }
    }
}
