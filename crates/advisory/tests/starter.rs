//! The starter advisories that ship with the project can all be read and used.
#![allow(clippy::disallowed_methods, reason = "tests read their own files")]
#![allow(clippy::unwrap_used, reason = "a failing test helper should panic")]

mod common;

use advisory::feeds::{Wanted, wanted};
use advisory::{MatchOptions, match_packages, schemes};
use common::{Documents, built, package};
use serde_json::Value;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use testkit::family::workspace_root;

fn folder() -> PathBuf {
    workspace_root().join("crates/advisory/starter")
}

/// Records by file (the ecosystem's name).
fn records() -> BTreeMap<String, Vec<Value>> {
    let mut records = BTreeMap::new();
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "jsonl") {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let lines = std::fs::read_to_string(&path).unwrap();
            let read =
                |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{name}: {error}"));
            let parsed = lines.lines().map(read).collect();
            records.insert(name, parsed);
        }
    }
    records
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key]
        .as_str()
        .unwrap_or_else(|| panic!("`{key}` is missing in {value}"))
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().map_or(&[], Vec::as_slice)
}

#[test]
fn records_are_complete_unique_and_in_order() {
    let records = records();
    let mut all = BTreeSet::new();
    for (file, records) in &records {
        let ids: Vec<&str> = records.iter().map(|record| text(record, "id")).collect();
        assert!(ids.is_sorted(), "{file}: not in the order of ids");
        for (id, record) in ids.iter().zip(records) {
            assert!(all.insert(*id), "{id} stands twice");
            let summary = text(record, "summary");
            assert!(
                !summary.is_empty() && summary.len() <= 110 && !summary.ends_with('.'),
                "{id}: summary `{summary}`"
            );
            assert!(record.get("details").is_none(), "{id}: no text is taken over");
            text(record, "modified");
            assert_eq!(list(record, "references").len(), 1, "{id}");
            assert!(!list(record, "affected").is_empty(), "{id} affects nothing");
            for affected in list(record, "affected") {
                let ecosystem = text(&affected["package"], "ecosystem");
                assert_eq!(ecosystem.split(':').next(), Some(file.as_str()), "{id}");
                assert!(!text(&affected["package"], "name").is_empty(), "{id}");
                assert!(!list(affected, "ranges").is_empty(), "{id} has no range");
            }
        }
    }
    assert!(all.len() >= 300, "only {} records", all.len());
    for expected in [
        "AlmaLinux",
        "Alpine",
        "Bitnami",
        "crates.io",
        "Debian",
        "GitHub Actions",
        "Go",
        "Hex",
        "Maven",
        "npm",
        "NuGet",
        "Packagist",
        "Pub",
        "PyPI",
        "Rocky Linux",
        "RubyGems",
        "Ubuntu",
    ] {
        assert!(records.contains_key(expected), "no records for {expected}");
    }
}

/// Every bound is a version of its ecosystem, and each range goes upwards.
#[test]
fn ranges_are_in_the_order_of_their_scheme() {
    for record in records().values().flatten() {
        let id = text(record, "id");
        for affected in list(record, "affected") {
            let ecosystem = text(&affected["package"], "ecosystem");
            let scheme = schemes::for_ecosystem(ecosystem).unwrap_or_else(|| panic!("{id}: {ecosystem}"));
            for range in list(affected, "ranges") {
                let mut previous: Option<&str> = None;
                for event in list(range, "events") {
                    let event = event.as_object().unwrap();
                    assert_eq!(event.len(), 1, "{id}: {event:?}");
                    let (kind, version) = event.iter().next().unwrap();
                    let version = version.as_str().unwrap();
                    assert!(
                        matches!(kind.as_str(), "introduced" | "fixed" | "last_affected"),
                        "{id}: {kind}"
                    );
                    if version == "0" {
                        continue;
                    }
                    if let Err(error) = scheme.check(version) {
                        panic!("{id}: {error}");
                    }
                    if let Some(previous) = previous {
                        let order = scheme.compare(previous, version).unwrap();
                        assert_eq!(
                            order,
                            Ordering::Less,
                            "{id}: `{previous}` stands before `{version}`"
                        );
                    }
                    previous = Some(version);
                }
            }
        }
    }
}

#[test]
fn known_exploited_flaws_are_flaws_of_the_records() {
    let catalogue: Value = serde_json::from_str(
        &std::fs::read_to_string(folder().join("known_exploited_vulnerabilities.json")).unwrap(),
    )
    .unwrap();
    let mut flaws = BTreeSet::new();
    for record in records().values().flatten() {
        let names = list(record, "aliases").iter().chain(list(record, "upstream"));
        flaws.extend(names.map(|name| name.as_str().unwrap().to_owned()));
        flaws.insert(text(record, "id").to_owned());
    }
    let known = list(&catalogue, "vulnerabilities");
    assert!(known.len() >= 10);
    for entry in known {
        assert!(flaws.contains(text(entry, "cveID")), "{entry}");
        assert_eq!(entry.as_object().unwrap().len(), 4, "{entry}");
        for key in ["dateAdded", "dueDate", "knownRansomwareCampaignUse"] {
            text(entry, key);
        }
    }
}

#[test]
fn support_of_distributions_is_given_by_cycle() {
    let products: BTreeMap<String, Vec<Value>> =
        serde_json::from_str(&std::fs::read_to_string(folder().join("endoflife.json")).unwrap()).unwrap();
    for product in [
        "alpine-linux",
        "debian",
        "ubuntu",
        "rhel",
        "almalinux",
        "rocky-linux",
        "fedora",
        "photon",
    ] {
        let cycles = &products[product];
        assert!(!cycles.is_empty(), "{product}");
        for cycle in cycles {
            text(cycle, "cycle");
            assert!(cycle.get("eol").is_some(), "{product}: {cycle}");
        }
    }
}

/// The feeds read every file without a problem, and what the database finds is what the advisories say.
#[test]
fn a_database_of_them_finds_what_they_say() {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    let mut feeds = Documents::default();
    for path in &paths {
        let name = path.file_name().unwrap().to_str().unwrap();
        match wanted(name) {
            Wanted::Document => feeds = feeds.with(name, &std::fs::read_to_string(path).unwrap()),
            _ => assert_eq!(name, "README.md", "no feed reads it"),
        }
    }
    let (_folder, database, summary) = built(&mut feeds);
    assert!(summary.problems.is_empty(), "{:#?}", summary.problems);
    let count: usize = records().values().map(Vec::len).sum();
    assert_eq!(summary.contents.advisories, count as u64);
    assert!(summary.contents.known_exploited >= 10);

    // Packages, versions, and the flaw that is found (or not).
    let expected = [
        ("npm", "lodash", "4.17.20", "CVE-2021-23337", true),
        ("npm", "lodash", "4.17.21", "CVE-2021-23337", false),
        (
            "Maven",
            "org.apache.logging.log4j:log4j-core",
            "2.14.1",
            "CVE-2021-44228",
            true,
        ),
        (
            "Maven",
            "org.apache.logging.log4j:log4j-core",
            "2.17.1",
            "CVE-2021-44228",
            false,
        ),
        ("PyPI", "requests", "2.30.0", "CVE-2023-32681", true),
        ("PyPI", "requests", "2.31.0", "CVE-2023-32681", false),
        ("Go", "golang.org/x/net", "v0.16.0", "CVE-2023-39325", true),
        ("Go", "golang.org/x/net", "v0.17.0", "CVE-2023-39325", false),
        ("Bitnami", "redis", "8.0.3-1", "CVE-2025-49844", true),
        ("Bitnami", "redis", "8.2.2-0", "CVE-2025-49844", false),
        ("Debian:12", "openssh", "1:9.2p1-2+deb12u2", "CVE-2024-6387", true),
        (
            "Debian:12",
            "openssh",
            "1:9.2p1-2+deb12u3",
            "CVE-2024-6387",
            false,
        ),
        (
            "Ubuntu:22.04:LTS",
            "glibc",
            "2.35-0ubuntu3.3",
            "CVE-2023-4911",
            true,
        ),
        (
            "Ubuntu:22.04:LTS",
            "glibc",
            "2.35-0ubuntu3.4",
            "CVE-2023-4911",
            false,
        ),
        ("Alpine:v3.20", "busybox", "1.36.1-r28", "CVE-2023-42364", true),
        ("Alpine:v3.20", "busybox", "1.36.1-r29", "CVE-2023-42364", false),
        ("AlmaLinux:9", "openssh", "8.7p1-38.el9", "CVE-2024-6387", true),
        (
            "Rocky Linux:9",
            "sudo",
            "1.9.5p2-7.el9_1.1",
            "CVE-2023-22809",
            false,
        ),
        (
            "GitHub Actions",
            "tj-actions/changed-files",
            "v45",
            "CVE-2025-30066",
            true,
        ),
        (
            "GitHub Actions",
            "tj-actions/changed-files",
            "v46.0.1",
            "CVE-2025-30066",
            false,
        ),
        (
            "GitHub Actions",
            "tj-actions/changed-files",
            "v40.2.3",
            "CVE-2023-51664",
            true,
        ),
        (
            "GitHub Actions",
            "tj-actions/changed-files",
            "v41",
            "CVE-2023-51664",
            false,
        ),
        (
            "GitHub Actions",
            "tj-actions/changed-files",
            "v41.0.0",
            "CVE-2023-51664",
            false,
        ),
        ("Hex", "hackney", "1.20.1", "CVE-2025-1211", true),
        ("Hex", "hackney", "1.21.0", "CVE-2025-1211", false),
        ("Debian:11", "libwebp", "0.6.1-2.1+deb11u1", "CVE-2023-4863", true),
        (
            "Debian:12",
            "libwebp",
            "1.2.4-0.2+deb12u1",
            "CVE-2023-4863",
            false,
        ),
        ("Pub", "http", "0.13.2", "CVE-2020-35669", true),
    ];
    for (ecosystem, name, version, flaw, is_affected) in expected {
        let packages = [package(ecosystem, name, version)];
        let matches = match_packages(&database, &packages, None, &MatchOptions::default()).unwrap();
        let found = matches
            .findings
            .iter()
            .any(|finding| finding.rule == flaw || finding.aliases.iter().any(|alias| alias == flaw));
        assert_eq!(
            found, is_affected,
            "{flaw} in {name} {version} of {ecosystem}: {matches:#?}"
        );
    }
}
