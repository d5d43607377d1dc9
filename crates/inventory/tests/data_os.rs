//! The OS extractors against real package databases (see `HULLWARD_TEST_DATA`), where every package must be found, and
//! against damaged ones.
#![allow(clippy::disallowed_methods, reason = "tests read their own data")]

mod common;

use artifact::archives;
use inventory::{Extracted, extractors::ALL};
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// What an extractor makes of a real file put at `path`.
fn extract(extractor: &str, path: &str, file: &Path) -> Extracted {
    extract_bytes(extractor, path, &fs::read(file).expect("a file of the test data"))
}

/// What an extractor makes of these bytes at `path`.
fn extract_bytes(extractor: &str, path: &str, bytes: &[u8]) -> Extracted {
    let member = ALL
        .iter()
        .find(|member| member.meta().name == extractor)
        .expect("a member of the family");
    let entry = common::entry(path, bytes, 0o644);
    assert!(member.wants(&entry), "{extractor} must want {path}");
    common::extract(*member, entry, bytes, &archives::Limited::default())
}

#[test]
fn rpm_databases_hold_what_rpm_lists() {
    let Some(data) = testkit::family::test_data() else {
        return;
    };
    for (name, path) in [
        ("cbl-mariner-2.0", "var/lib/rpm/rpmdb.sqlite"),
        ("sle15-bci", "usr/lib/sysimage/rpm/Packages.db"),
        ("libuuid", "var/lib/rpm/Packages"),
    ] {
        let file = data.join("rpmdb").join(name).join(model::path::file_name(path));
        let extracted = extract("rpm-database", path, &file);
        assert_eq!(extracted.problems, [], "{name}");
        let expected = fs::read_to_string(data.join("rpmdb/expected").join(format!("{name}.txt"))).unwrap();
        let mut expected: Vec<(String, String, String)> = expected
            .lines()
            .filter(|line| !line.starts_with('#') && !line.is_empty())
            .map(|line| {
                let fields: Vec<&str> = line.split(' ').collect();
                let epoch = match fields[1] {
                    "(none)" | "0" => String::new(),
                    epoch => format!("{epoch}:"),
                };
                let version = format!("{epoch}{}-{}", fields[2], fields[3]);
                (fields[0].to_owned(), version, fields[4].to_owned())
            })
            .filter(|(name, ..)| name != "gpg-pubkey")
            .collect();
        let mut found: Vec<(String, String, String)> = extracted
            .packages
            .iter()
            .map(|package| {
                let architecture = package.purl.qualifier("arch").unwrap_or("(none)");
                (
                    package.name.clone(),
                    package.version.clone(),
                    architecture.to_owned(),
                )
            })
            .collect();
        expected.sort();
        found.sort();
        assert!(!expected.is_empty());
        assert_eq!(found, expected, "{name}");
        assert!(!extracted.owned.is_empty(), "{name}: file lists");
        for package in &extracted.packages {
            assert!(
                !package.licenses.is_empty(),
                "{name}: licence of {}",
                package.name
            );
        }
    }
}

#[test]
fn dpkg_status_files_are_read_whole() {
    let Some(data) = testkit::family::test_data() else {
        return;
    };
    for name in ["debian-only", "postgresql", "texlive", "vcpkg"] {
        let file = data.join("dpkg").join(format!("{name}.status"));
        let text = fs::read_to_string(&file).unwrap();
        let mut expected = BTreeSet::new();
        let mut without_version = 0;
        for record in text.split("\n\n") {
            let field = |name: &str| {
                record
                    .lines()
                    .find_map(|line| line.strip_prefix(name))
                    .map(str::trim)
            };
            if !field("Status:").is_some_and(|status| status.ends_with(" installed")) {
                continue;
            }
            match (field("Package:"), field("Version:"), field("Architecture:")) {
                (Some(package), Some(version), Some(architecture)) => {
                    expected.insert((package, version, architecture));
                }
                _ => without_version += 1,
            }
        }
        let extracted = extract("dpkg-status", "var/lib/dpkg/status", &file);
        let found: BTreeSet<_> = extracted
            .packages
            .iter()
            .map(|package| {
                (
                    package.name.as_str(),
                    package.version.as_str(),
                    package.purl.qualifier("arch").unwrap(),
                )
            })
            .collect();
        assert!(!expected.is_empty());
        assert_eq!(found, expected, "{name}");
        // vcpkg's records of features have no version.
        assert_eq!(extracted.problems.len(), without_version, "{name}");
    }
}

#[test]
fn apk_databases_are_read_whole() {
    let Some(data) = testkit::family::test_data() else {
        return;
    };
    for name in ["installed", "single", "no-origin", "different-arch"] {
        let file = data.join("apk").join(name);
        let text = fs::read_to_string(&file).unwrap();
        let values = |key: &'static str| text.lines().filter_map(move |line| line.strip_prefix(key));
        let expected: Vec<(&str, &str)> = values("P:").zip(values("V:")).collect();
        let extracted = extract("apk-installed", "lib/apk/db/installed", &file);
        let found: Vec<(&str, &str)> = extracted
            .packages
            .iter()
            .map(|package| (package.name.as_str(), package.version.as_str()))
            .collect();
        assert!(!expected.is_empty());
        assert_eq!(found, expected, "{name}");
        assert_eq!(extracted.problems, [], "{name}");
        let origins: BTreeSet<&str> = values("o:").collect();
        for package in &extracted.packages {
            if let Some(source) = &package.source {
                assert!(origins.contains(source.name.as_str()), "{name}: {}", source.name);
            }
        }
    }
}

/// Files of the fixtures of the OS extractors that their member reads: member, path, bytes.
fn fixtures() -> Vec<(&'static str, String, Vec<u8>)> {
    const MEMBERS: [&str; 13] = [
        "apk-installed",
        "bottlerocket-inventory",
        "chisel-manifest",
        "dpkg-status",
        "homebrew-cellar",
        "nix-store",
        "opkg-status",
        "os-release",
        "pacman-local",
        "portage-vdb",
        "rpm-database",
        "rpm-manifest",
        "snap-package",
    ];
    let folder = testkit::family::workspace_root().join("crates/inventory/tests/fixtures");
    let mut files = Vec::new();
    for member in MEMBERS {
        for case in testkit::fixture::cases(&folder.join(member)) {
            if case.name.starts_with("hit") {
                files.extend(case.files.into_iter().map(|(path, bytes)| (member, path, bytes)));
            }
        }
    }
    files
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    /// Every fixture with some bytes changed and the rest cut off: no panic, and no more than the caps allow.
    #[test]
    fn damaged_files_never_panic(
        changes in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 0..6),
        keep in 0.0..2.0_f64,
    ) {
        for (member, path, mut bytes) in fixtures() {
            for (at, value) in &changes {
                if !bytes.is_empty() {
                    let at = at.index(bytes.len());
                    bytes[at] = *value;
                }
            }
            // Not empty: an empty write-ahead log is not even read.
            let keep = ((bytes.len() as f64 * keep) as usize).max(1);
            bytes.truncate(keep);
            let extracted = extract_bytes(member, &path, &bytes);
            prop_assert!(extracted.problems.len() <= 51, "{member}: {path}");
        }
    }
}
