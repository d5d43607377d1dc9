//! The extractors agree with their folder, fixtures and reference page, and each fixture gives what is expected of it.

mod common;

use artifact::archives;
use inventory::{Extracted, Extractor, Found, extractors::ALL};
use testkit::{family, fixture};

const FIXTURES: &str = "crates/inventory/tests/fixtures";

#[test]
fn family_agrees() {
    family::check(&family::Family {
        title: "Package extractors",
        introduction: "What `hullward scan` and `hullward sbom` read to find packages. A path in the list is where the file is \
                       looked for, from the root of the image or folder; a bare file name is found anywhere.",
        folder: "crates/inventory/src/extractors",
        members: ALL.iter().map(|extractor| extractor.meta()).collect(),
        fixtures: FIXTURES,
        page: "docs/reference/extractors.md",
    });
}

#[test]
fn fixtures_give_what_is_expected() {
    let folder = family::workspace_root().join(FIXTURES);
    let mut failures = Vec::new();
    for extractor in ALL {
        let name = extractor.meta().name;
        for case in fixture::cases(&folder.join(name)) {
            let found = run(*extractor, &case.files);
            let text = describe(&found);
            let empty = found.iter().all(|found| found.extracted.is_empty());
            if case.name.starts_with("miss") {
                if !empty {
                    failures.push(format!(
                        "{name}/{}: a miss must give nothing, gave\n{text}",
                        case.name
                    ));
                }
                continue;
            }
            if empty {
                failures.push(format!("{name}/{}: a hit must give something", case.name));
            }
            if let Err(difference) = fixture::check_expected(&case.expected, &text) {
                failures.push(format!("{name}/{}: {difference}", case.name));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

/// Runs one extractor over the files of a fixture, as `scan` would.
fn run(extractor: &dyn Extractor, files: &[(String, Vec<u8>)]) -> Vec<Found> {
    let mut all = Vec::new();
    for (path, bytes) in files {
        let mode = if fixture::is_executable(path, bytes) {
            0o755
        } else {
            0o644
        };
        let entry = common::entry(path, bytes, mode);
        let skipped = extractor.kind().is_of_builds() && inventory::inside_installed_package(path);
        if skipped || !extractor.wants(&entry) || !extractor.accepts(&entry, &bytes[..bytes.len().min(64)]) {
            continue;
        }
        all.push(Found {
            extractor: extractor.meta().name.to_owned(),
            path: path.clone(),
            extracted: common::extract(extractor, entry, bytes, &archives::Limited::default()),
        });
    }
    all.sort_by(|a, b| a.path.cmp(&b.path));
    extractor.combine(&mut all);
    all
}

/// One line a thing, readable in a diff.
fn describe(found: &[Found]) -> String {
    let mut text = String::new();
    for file in found {
        text.push_str(&format!("# {}\n", file.path));
        let Extracted {
            packages,
            os,
            owned,
            notes: _,
            problems,
        } = &file.extracted;
        if let Some(os) = os {
            text.push_str(&format!("os {os:?}\n"));
        }
        for package in packages {
            text.push_str(&format!(
                "{} [{}] {} {}",
                package.purl, package.ecosystem, package.name, package.version
            ));
            if let Some(source) = &package.source {
                text.push_str(&format!(" source={} {}", source.name, source.version));
            }
            if !package.licenses.is_empty() {
                text.push_str(&format!(" licenses={}", package.licenses.join(" | ")));
            }
            if let Some(relation) = package.relation {
                text.push_str(&format!(" {relation:?}"));
            }
            if let Some(scope) = package.scope {
                text.push_str(&format!(" {scope:?}"));
            }
            if !package.path.is_empty() {
                text.push_str(&format!(" path={}", package.path.join(" > ")));
            }
            for location in &package.locations {
                text.push_str(&format!(" at={}", location.path));
                if let Some(line) = location.line {
                    text.push_str(&format!(":{line}"));
                }
            }
            for fact in &package.facts {
                text.push_str(&format!(" {}={}", fact.key, fact.value));
            }
            text.push('\n');
        }
        for owned in owned {
            text.push_str(&format!("owned {}: {}\n", owned.package, owned.paths.join(" ")));
        }
        for problem in problems {
            text.push_str(&format!("problem {problem}\n"));
        }
    }
    text
}
