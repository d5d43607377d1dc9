//! Matching over small made-up feeds: each test is one rule.
#![allow(clippy::unwrap_used, reason = "a failing test should panic")]
#![allow(clippy::disallowed_methods, reason = "tests make and read their own files")]

mod common;

use advisory::{MatchOptions, match_packages};
use common::{Documents, built, os, os_package, package, with_fact};
use model::{Finding, FindingKind, OsRelease, Package, Relation, Scope, Severity, Status};

/// A record with one affected package and one range.
fn record(id: &str, more: &str, ecosystem: &str, name: &str, fixed: &str) -> String {
    format!(
        r#"{{"id": "{id}", "modified": "2024-01-01T00:00:00Z", {more} "affected": [{{"package": {{"ecosystem": "{ecosystem}", "name": "{name}"}},
        "ranges": [{{"type": "ECOSYSTEM", "events": [{{"introduced": "0"}}{fixed}]}}]}}]}}"#
    )
}

fn fixed(version: &str) -> String {
    format!(r#", {{"fixed": "{version}"}}"#)
}

fn simple(id: &str, more: &str, ecosystem: &str, name: &str, version: &str) -> String {
    record(id, more, ecosystem, name, &fixed(version))
}

fn matched_on(records: &[String], packages: &[Package], os: Option<&OsRelease>) -> Vec<Finding> {
    let mut feeds = Documents::default();
    for (index, record) in records.iter().enumerate() {
        feeds = feeds.with(&format!("X/R-{index}.json"), record);
    }
    let (_folder, database, summary) = built(&mut feeds);
    assert_eq!(summary.problems, []);
    let found = match_packages(&database, packages, os, &MatchOptions::default()).unwrap();
    assert_eq!(found.problems, []);
    found.findings
}

fn matched(records: &[String], packages: &[Package]) -> Vec<Finding> {
    matched_on(records, packages, None)
}

fn rules(findings: &[Finding]) -> Vec<&str> {
    findings.iter().map(|finding| finding.rule.as_str()).collect()
}

#[test]
fn one_flaw_under_several_ids_is_one_finding() {
    let records = [
        simple("GHSA-a", r#""aliases": ["CVE-2024-1"],"#, "PyPI", "x", "1.2.3"),
        simple(
            "PYSEC-2024-1",
            r#""aliases": ["CVE-2024-1", "GHSA-a"],"#,
            "PyPI",
            "X",
            "1.2.4",
        ),
        simple("GHSA-b", r#""summary": "Another","#, "PyPI", "x", "2.0"),
    ];
    let findings = matched(&records, &[package("PyPI", "x", "1.0")]);
    assert_eq!(rules(&findings), ["CVE-2024-1", "GHSA-b"]);
    assert_eq!(findings[0].aliases, ["GHSA-a", "PYSEC-2024-1"]);
    assert_eq!(
        findings[0].fixed,
        ["1.2.3", "1.2.4"],
        "both records' fixes, lowest first"
    );
    assert_eq!(findings[0].evidence("record"), Some("GHSA-a"));
    assert_eq!(findings[0].evidence("other-records"), Some("PYSEC-2024-1"));
    assert_eq!(
        findings[0].evidence("comparison"),
        Some("1.0 < 1.2.3 (pep440-version)")
    );
    assert_eq!(findings[0].id, "CVE-2024-1@pkg:generic/x@1.0");
    // The records do not agree: one that says affected is enough.
    let findings = matched(&records, &[package("PyPI", "x", "1.2.3")]);
    assert_eq!(findings[0].evidence("record"), Some("PYSEC-2024-1"));
}

#[test]
fn a_flaw_with_two_cves_goes_by_its_ghsa() {
    let records = [simple(
        "GO-2024-1",
        r#""aliases": ["CVE-2024-1", "CVE-2024-2", "GHSA-z"],"#,
        "Go",
        "a.b/c",
        "1.0.0",
    )];
    assert_eq!(
        rules(&matched(&records, &[package("Go", "a.b/c", "v0.9.0")])),
        ["GHSA-z"]
    );
}

#[test]
fn a_distributions_record_answers_each_of_its_flaws() {
    let records = [
        simple(
            "DSA-1-1",
            r#""related": ["CVE-2024-1", "CVE-2024-2"],"#,
            "Debian:11",
            "openssl",
            "1.1.1n-0+deb11u5",
        ),
        simple(
            "DSA-2-1",
            r#""upstream": ["CVE-2024-2", "CVE-2024-3"],"#,
            "Debian:11",
            "openssl",
            "1.1.1n-0+deb11u6",
        ),
        simple("DSA-3-1", "", "Debian:12", "openssl", "9"),
    ];
    let installed = os_package(
        "deb",
        "Debian:11",
        "libssl1.1",
        "1.1.1n-0+deb11u3+b1",
        Some(("openssl", "1.1.1n-0+deb11u3")),
    );
    let findings = matched(&records, &[installed]);
    assert_eq!(rules(&findings), ["CVE-2024-1", "CVE-2024-2", "CVE-2024-3"]);
    assert_eq!(findings[0].aliases, ["DSA-1-1"]);
    assert_eq!(findings[1].aliases, ["DSA-1-1", "DSA-2-1"]);
    assert_eq!(findings[1].fixed, ["1.1.1n-0+deb11u5", "1.1.1n-0+deb11u6"]);
    assert_eq!(findings[0].evidence("key"), Some("source package openssl"));
    assert_eq!(findings[0].evidence("range"), Some(">= 0, < 1.1.1n-0+deb11u5"));
    // The source's version decides, not the binary's.
    let rebuilt = os_package(
        "deb",
        "Debian:11",
        "libssl1.1",
        "9.9",
        Some(("openssl", "1.1.1n-0+deb11u5")),
    );
    assert_eq!(
        rules(&matched(&records, &[rebuilt])),
        ["CVE-2024-2", "CVE-2024-3"]
    );
    // The binary's own name is none of the source packages.
    let other = os_package("deb", "Debian:11", "openssl", "1", Some(("openssl-fork", "1")));
    assert_eq!(rules(&matched(&records, &[other])), [] as [&str; 0]);
}

#[test]
fn withdrawn_records_never_match_but_can_be_explained() {
    let text = simple(
        "GHSA-w",
        r#""withdrawn": "2024-02-01T00:00:00Z", "aliases": ["CVE-2024-9"],"#,
        "npm",
        "x",
        "1.0.0",
    );
    assert_eq!(
        matched(
            &[text.clone(), simple("GHSA-o", "", "npm", "other", "1.0.0")],
            &[package("npm", "x", "0.1.0")]
        ),
        []
    );
    let (_folder, database, summary) = built(&mut Documents::default().with("npm/GHSA-w.json", &text));
    assert_eq!((summary.contents.advisories, summary.contents.withdrawn), (1, 1));
    let found = database.advisories("cve-2024-9").unwrap();
    assert_eq!(found[0].id, "GHSA-w");
    assert_eq!(found[0].affected[0].name, "x");
}

#[test]
fn go_modules_of_documents_in_lower_case_are_found() {
    let records = [simple(
        "GO-1",
        "",
        "Go",
        "github.com/Masterminds/goutils",
        "1.1.1",
    )];
    for name in ["github.com/Masterminds/goutils", "github.com/masterminds/goutils"] {
        assert_eq!(
            rules(&matched(&records, &[package("Go", name, "v1.1.0")])),
            ["GO-1"],
            "{name}"
        );
    }
}

#[test]
fn an_ecosystem_that_the_database_lacks_is_told() {
    let record = simple("GHSA-o", "", "npm", "x", "1.0.0");
    let (_folder, database, _) = built(&mut Documents::default().with("npm/GHSA-o.json", &record));
    let packages = [
        package("npm", "x", "0.1.0"),
        package("PyPI", "a", "1"),
        os_package("deb", "Debian:12", "a", "1", None),
        os_package("deb", "Debian:12", "b", "1", None),
    ];
    let found = match_packages(&database, &packages, None, &MatchOptions::default()).unwrap();
    let told: Vec<&str> = found
        .problems
        .iter()
        .map(|problem| problem.message.as_str())
        .collect();
    assert_eq!(rules(&found.findings), ["GHSA-o"]);
    assert_eq!(
        told,
        [
            "2 packages of Debian were not matched: the advisory database holds nothing about Debian",
            "1 package of PyPI was not matched: the advisory database holds nothing about PyPI"
        ]
    );
}

#[test]
fn modular_packages_match_within_their_stream_only() {
    let of_stream = |id: &str, stream: &str, version: &str| {
        let more =
            format!(r#""summary": "Moderate: nodejs:{stream} security update", "related": ["CVE-{id}"],"#);
        simple(&format!("ALSA-{id}"), &more, "AlmaLinux:8", "nodejs", version)
    };
    let records = [
        of_stream("2021-1", "14", "1:14.17.0-2.module_el8.4.0+2522+3bd42762"),
        of_stream("2021-2", "16", "1:16.4.0-2.module_el8.5.0+2600+aaaaaaaa"),
        simple(
            "ALSA-2021:3",
            r#""summary": "Low: nodejs security update", "related": ["CVE-2021-3"],"#,
            "AlmaLinux:8",
            "nodejs",
            "1:99-1.el8",
        ),
        simple(
            "ALSA-2021:4",
            r#""summary": "Low: a module update", "related": ["CVE-2021-4"],"#,
            "AlmaLinux:8",
            "nodejs",
            "1:14.18.0-2.module_el8.5.0+2700+bbbbbbbb",
        ),
    ];
    let installed = os_package(
        "rpm",
        "AlmaLinux:8",
        "nodejs",
        "1:14.16.0-2.module_el8.3.0+2400+cccccccc",
        None,
    );
    let labelled = with_fact(
        installed.clone(),
        "module-label",
        "nodejs:14:8030020210101000000:cccccccc",
    );
    let findings = matched(&records, &[labelled]);
    let told: Vec<_> = findings
        .iter()
        .map(|finding| (finding.rule.as_str(), finding.status))
        .collect();
    assert_eq!(
        told,
        [
            ("CVE-2021-1", Status::Affected),
            ("CVE-2021-4", Status::Undetermined)
        ]
    );
    assert!(findings[1].reason.contains("stream"), "{}", findings[1].reason);
    // Without a label the stream is not known: nothing is asserted, nothing is hidden.
    let findings = matched(&records, &[installed]);
    assert!(
        findings
            .iter()
            .all(|finding| finding.status == Status::Undetermined)
    );
    assert_eq!(rules(&findings), ["CVE-2021-1", "CVE-2021-2", "CVE-2021-4"]);
    let plain = os_package("rpm", "AlmaLinux:8", "nodejs", "1:14.16.0-2.el8", None);
    assert_eq!(rules(&matched(&records, &[plain])), ["CVE-2021-3"]);
}

#[test]
fn epochs_of_rpms_are_compared_where_they_are_known() {
    let alma = [simple(
        "ALSA-1",
        r#""related": ["CVE-2024-1"],"#,
        "AlmaLinux:9",
        "openssl",
        "1:3.0.7-24.el9",
    )];
    let direct = |version: &str| os_package("rpm", "AlmaLinux:9", "openssl", version, None);
    assert_eq!(
        rules(&matched(&alma, &[direct("1:3.0.7-20.el9")])),
        ["CVE-2024-1"]
    );
    assert_eq!(
        rules(&matched(&alma, &[direct("1:3.0.7-27.el9")])),
        [] as [&str; 0]
    );
    assert_eq!(
        rules(&matched(&alma, &[direct("3.0.9-1.el9")])),
        ["CVE-2024-1"],
        "no epoch is epoch 0"
    );
    // Rocky's records name source packages; a source rpm's name has no epoch, its binary lends its own.
    let rocky = [simple(
        "RLSA-1",
        r#""upstream": ["CVE-2024-1"],"#,
        "Rocky Linux:9",
        "openssl",
        "1:3.0.7-24.el9",
    )];
    let libs = |version: &str, source: &str| {
        os_package(
            "rpm",
            "Rocky Linux:9",
            "openssl-libs",
            version,
            Some(("openssl", source)),
        )
    };
    assert_eq!(
        rules(&matched(&rocky, &[libs("1:3.0.7-20.el9", "3.0.7-20.el9")])),
        ["CVE-2024-1"]
    );
    assert_eq!(
        rules(&matched(&rocky, &[libs("1:3.0.7-24.el9", "3.0.7-24.el9")])),
        [] as [&str; 0]
    );
    // A subpackage with a version of its own: the source's epoch is not known and is not held against it.
    assert_eq!(
        rules(&matched(&rocky, &[libs("2.0-1.el9", "3.0.7-24.el9")])),
        [] as [&str; 0]
    );
    assert_eq!(
        rules(&matched(&rocky, &[libs("2.0-1.el9", "3.0.7-23.el9")])),
        ["CVE-2024-1"]
    );
}

#[test]
fn other_vendors_packages_are_not_the_distributions() {
    let records = [simple(
        "ALSA-1",
        r#""related": ["CVE-2024-1"],"#,
        "AlmaLinux:9",
        "nginx",
        "1:2-1.el9",
    )];
    let installed = os_package("rpm", "AlmaLinux:9", "nginx", "1:1-1.el9", None);
    for (vendor, expected) in [
        ("AlmaLinux", 1),
        ("", 1),
        ("Fedora Project", 0),
        ("NGINX Packaging", 0),
    ] {
        let of_vendor = with_fact(installed.clone(), "vendor", vendor);
        assert_eq!(matched(&records, &[of_vendor]).len(), expected, "{vendor}");
    }
}

#[test]
fn ubuntu_pro_speaks_of_the_release_below_it() {
    let more = r#""upstream": ["CVE-2024-1"],"#;
    let records = [
        record("UBUNTU-CVE-2024-1", more, "Ubuntu:18.04:LTS", "zlib", ""),
        simple(
            "USN-1-1",
            more,
            "Ubuntu:Pro:18.04:LTS",
            "zlib",
            "1:1.2.11-0ubuntu2.2+esm1",
        ),
    ];
    let installed = |version: &str| {
        os_package(
            "deb",
            "Ubuntu:18.04:LTS",
            "zlib1g",
            version,
            Some(("zlib", version)),
        )
    };
    let findings = matched(&records, &[installed("1:1.2.11-0ubuntu2.2")]);
    assert_eq!(rules(&findings), ["CVE-2024-1"]);
    assert_eq!(findings[0].fixed, ["1:1.2.11-0ubuntu2.2+esm1"]);
    assert_eq!(findings[0].evidence("fix-channel"), Some("Ubuntu Pro (ESM) only"));
    assert_eq!(findings[0].evidence("record"), Some("UBUNTU-CVE-2024-1"));
    // With the fix of ESM installed the plain release's record is settled.
    assert_eq!(matched(&records, &[installed("1:1.2.11-0ubuntu2.2+esm1")]), []);
    // Only Pro's record knows it: affected all the same.
    let findings = matched(&records[1..], &[installed("1:1.2.11-0ubuntu2.2")]);
    assert_eq!(findings[0].evidence("stream"), Some("Ubuntu Pro (ESM)"));
    let mut enabled = os("ubuntu", "18.04");
    enabled.facts.push(model::Fact::new("esm", "true"));
    let findings = matched_on(&records, &[installed("1:1.2.11-0ubuntu2.2")], Some(&enabled));
    assert_eq!(
        findings[0].evidence("fix-channel"),
        None,
        "with ESM enabled its fixes are the release's"
    );
}

#[test]
fn extended_updates_of_red_hat_count_for_their_minor_release() {
    let more = r#""upstream": ["CVE-2024-1"],"#;
    let records = [
        simple(
            "RHSA-1",
            more,
            "Red Hat:enterprise_linux:9::baseos",
            "openssl",
            "1:3.0.7-27.el9",
        ),
        simple(
            "RHSA-2",
            more,
            "Red Hat:rhel_eus:9.2::baseos",
            "openssl",
            "1:3.0.7-16.el9_2.1",
        ),
    ];
    let installed = os_package("rpm", "", "openssl", "1:3.0.7-16.el9_2.1", None);
    assert_eq!(
        matched_on(
            &records,
            std::slice::from_ref(&installed),
            Some(&os("rhel", "9.2"))
        ),
        []
    );
    let findings = matched_on(&records, &[installed], Some(&os("rhel", "9.3")));
    assert_eq!(findings[0].fixed, ["1:3.0.7-27.el9"]);
}

#[test]
fn suse_lists_the_binaries_of_its_source_packages() {
    let text = r#"{"id": "SUSE-SU-1", "modified": "2024-01-01T00:00:00Z", "upstream": ["CVE-2024-1"], "affected": [{"package": {"ecosystem": "SUSE:Linux Enterprise Module for Basesystem 15 SP5", "name": "zlib"},
        "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.2.13-2"}]}], "ecosystem_specific": {"binaries": [{"libz1": "1.2.13-2"}]}}]}"#.to_owned();
    let installed = |name: &str| os_package("rpm", "", name, "1.2.11-1", Some(("zlib", "1.2.11-1")));
    let sles = os("sles", "15.5");
    let findings = matched_on(&[text], &[installed("libz1"), installed("minizip")], Some(&sles));
    assert_eq!(
        findings.iter().map(|finding| finding.package).collect::<Vec<_>>(),
        [Some(0)]
    );
}

#[test]
fn what_cannot_be_judged_is_undetermined_with_the_reason() {
    let records = [
        simple("GHSA-a", r#""aliases": ["CVE-2024-1"],"#, "PyPI", "x", "1.0"),
        simple("GHSA-b", "", "PyPI", "x", "not a version"),
    ];
    let findings = matched(&records, &[package("PyPI", "x", "0.9")]);
    let told: Vec<_> = findings
        .iter()
        .map(|finding| (finding.rule.as_str(), finding.status))
        .collect();
    assert_eq!(
        told,
        [("CVE-2024-1", Status::Affected), ("GHSA-b", Status::Undetermined)]
    );
    assert!(
        findings[1].reason.contains("`not a version`"),
        "{}",
        findings[1].reason
    );
    // A version that can never be compared: one finding for the package, not one an advisory.
    for version in ["", "main-branch"] {
        let findings = matched(
            &records,
            &[package("PyPI", "x", version), package("PyPI", "y", version)],
        );
        assert_eq!(rules(&findings), ["version-not-comparable"], "{version}");
        assert_eq!(findings[0].status, Status::Undetermined);
        assert_eq!(findings[0].evidence("advisories"), Some("2"));
        assert!(!findings[0].reason.is_empty());
    }
    let go = [simple("GO-1", "", "Go", "a.b/c", "1.0.0")];
    let mut main = package("Go", "a.b/c", "(devel)");
    main.relation = Some(Relation::Root);
    assert_eq!(rules(&matched(&go, &[main])), ["version-not-comparable"]);
}

#[test]
fn gos_standard_library_and_release_numbers_are_understood() {
    let stdlib = [simple(
        "GO-1",
        r#""aliases": ["CVE-2024-1"],"#,
        "Go",
        "stdlib",
        "1.21.8",
    )];
    for (version, expected) in [
        ("go1.21.7", 1),
        ("1.21.8", 0),
        ("go1.21.7 X:boringcrypto", 1),
        ("v1.22.0", 0),
        ("go1.22rc1", 0),
    ] {
        assert_eq!(
            matched(&stdlib, &[package("Go", "stdlib", version)]).len(),
            expected,
            "{version}"
        );
    }
    let custom = r#"{"id": "GO-2", "modified": "2024-01-01T00:00:00Z", "affected": [{"package": {"ecosystem": "Go", "name": "a.b/c"}, "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}]}],
        "ecosystem_specific": {"custom_ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "5.4.0"}]}]}}]}"#.to_owned();
    let status = |version: &str| {
        matched(std::slice::from_ref(&custom), &[package("Go", "a.b/c", version)])
            .first()
            .map(|finding| finding.status)
    };
    assert_eq!(status("v5.3.9+incompatible"), Some(Status::Affected));
    assert_eq!(status("v5.4.0+incompatible"), None);
    assert_eq!(
        status("v0.0.0-20231016150651-428517fef5b9"),
        Some(Status::Undetermined)
    );
}

#[test]
fn kinds_of_findings_follow_the_record() {
    let unmaintained = r#"{"id": "RUSTSEC-1", "modified": "2024-01-01T00:00:00Z", "affected": [{"package": {"ecosystem": "crates.io", "name": "old"}, "ranges": [{"type": "SEMVER", "events": [{"introduced": "0.0.0-0"}]}], "database_specific": {"informational": "unmaintained"}}]}"#.to_owned();
    let records = [
        unmaintained,
        simple("MAL-2024-1", "", "npm", "evil", "99.0.0"),
        simple("ALBA-1", "", "AlmaLinux:9", "x", "9"),
        simple(
            "ALSA-2",
            r#""related": ["CVE-2024-2"],"#,
            "AlmaLinux:9",
            "other",
            "9",
        ),
    ];
    let findings = matched(
        &records,
        &[
            package("crates.io", "old", "1.0.0"),
            package("npm", "evil", "1.0.0"),
            os_package("rpm", "AlmaLinux:9", "x", "1", None),
        ],
    );
    assert_eq!(
        findings.len(),
        2,
        "a bug-fix advisory without a CVE is no finding"
    );
    assert_eq!(
        (findings[0].kind, findings[0].evidence("informational")),
        (FindingKind::Eol, Some("unmaintained"))
    );
    assert_eq!(
        (findings[1].kind, findings[1].severity),
        (FindingKind::Malware, Severity::Critical)
    );
}

#[test]
fn owned_and_development_packages_are_set_apart() {
    let records = [simple("GHSA-a", "", "npm", "x", "1.0.0")];
    let mut owned = package("npm", "x", "0.1.0");
    owned.owned_by = Some("nodejs".to_owned());
    let mut development = package("npm", "x", "0.1.0");
    development.scope = Some(Scope::Development);
    let findings = matched(&records, &[owned, development.clone()]);
    assert_eq!(findings.len(), 1);
    assert_eq!(
        (findings[0].package, findings[0].status),
        (Some(1), Status::Suppressed)
    );
    assert!(findings[0].reason.contains("development"));
    let (_folder, database, _) = built(&mut Documents::default().with("npm/GHSA-a.json", &records[0]));
    let options = MatchOptions {
        include_development: true,
        ..MatchOptions::default()
    };
    let found = match_packages(&database, &[development.clone(), development], None, &options).unwrap();
    assert_eq!(found.findings[0].status, Status::Affected);
    assert_eq!(
        found.findings[1].id,
        format!("{}#2", found.findings[0].id),
        "ids are unique"
    );
}

#[test]
fn ratings_and_titles_are_borrowed_from_other_records_of_the_flaw() {
    let rated = simple(
        "GHSA-a",
        r#""aliases": ["CVE-2024-1"], "summary": "A bad thing", "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],"#,
        "npm",
        "x",
        "1.0.0",
    );
    let records = [
        simple(
            "ALPINE-CVE-2024-1",
            r#""upstream": ["CVE-2024-1"],"#,
            "Alpine:v3.18",
            "x",
            "1.0-r1",
        ),
        rated,
    ];
    let findings = matched(
        &records,
        &[os_package("apk", "Alpine:v3.18", "x", "1.0-r0", None)],
    );
    assert_eq!(
        (findings[0].severity, findings[0].score),
        (Severity::Critical, Some(9.8))
    );
    assert_eq!(findings[0].title, "A bad thing");
    assert_eq!(findings[0].evidence("severity-source"), Some("GHSA-a, cvss-v3"));
    assert_eq!(findings[0].evidence("record"), Some("ALPINE-CVE-2024-1"));
}

#[test]
fn exploitation_and_support_come_from_their_feeds() {
    let mut feeds = Documents::default()
        .with("npm.jsonl", &simple("GHSA-a", r#""aliases": ["CVE-2024-1"],"#, "npm", "x", "1.0.0").replace('\n', " "))
        .with("kev/known_exploited_vulnerabilities.json", r#"{"vulnerabilities": [{"cveID": "CVE-2024-1", "dateAdded": "2024-02-01", "dueDate": "2024-03-01", "knownRansomwareCampaignUse": "Known"}]}"#)
        .with("epss/epss_scores-current.csv", "#model\ncve,epss,percentile\nCVE-2024-1,0.5,0.9\n")
        .with("eol/endoflife.json", r#"{"debian": [{"cycle": "11", "eol": "2024-08-14", "eoes": "2026-08-31"}, {"cycle": "1", "eol": true}]}"#);
    let (_folder, database, _) = built(&mut feeds);
    let options = MatchOptions {
        today: "2026-11-20".to_owned(),
        ..MatchOptions::default()
    };
    let found = match_packages(
        &database,
        &[package("npm", "x", "0.1.0")],
        Some(&os("debian", "11")),
        &options,
    )
    .unwrap();
    let flaw = &found.findings[1];
    assert!(flaw.known_exploited.as_ref().unwrap().ransomware);
    assert_eq!(flaw.epss, Some((0.5, 0.9)));
    let support = &found.findings[0];
    assert_eq!(
        (support.kind, support.rule.as_str(), support.package),
        (FindingKind::Eol, "os-release-end-of-life", None)
    );
    assert_eq!(support.evidence("extended-until"), Some("2026-08-31"));
    let before = MatchOptions {
        today: "2024-08-14".to_owned(),
        ..MatchOptions::default()
    };
    let found = match_packages(&database, &[], Some(&os("debian", "11")), &before).unwrap();
    assert_eq!(found.findings, [], "supported on the last day");
}

#[test]
fn what_no_feed_covers_is_a_problem_not_silence() {
    let (_folder, database, _) =
        built(&mut Documents::default().with("npm/GHSA-a.json", &simple("GHSA-a", "", "npm", "x", "1")));
    let mut fedora = os("fedora", "40");
    "Fedora Linux 40".clone_into(&mut fedora.pretty_name);
    let found = match_packages(
        &database,
        &[os_package("rpm", "", "zlib", "1", None)],
        Some(&fedora),
        &MatchOptions::default(),
    )
    .unwrap();
    assert_eq!(found.problems.len(), 1);
    assert!(
        found.problems[0].message.contains("Fedora Linux 40"),
        "{:?}",
        found.problems
    );
}

#[test]
fn many_packages_give_the_same_as_one_by_one() {
    let records: Vec<String> = (0..50)
        .map(|index| {
            simple(
                &format!("GHSA-{index:02}"),
                "",
                "npm",
                &format!("p{}", index % 25),
                "1.0.0",
            )
        })
        .collect();
    let packages: Vec<Package> = (0..2000)
        .map(|index| package("npm", &format!("p{}", index % 40), &format!("{}.0.0", index % 2)))
        .collect();
    let together = matched(&records, &packages);
    let mut apart: Vec<Finding> = Vec::new();
    for (index, package) in packages.iter().take(80).enumerate() {
        for mut finding in matched(&records, std::slice::from_ref(package)) {
            finding.package = Some(index);
            apart.push(finding);
        }
    }
    let strip = |findings: &[Finding]| -> Vec<(Option<usize>, String)> {
        findings
            .iter()
            .filter(|finding| finding.package < Some(80))
            .map(|finding| (finding.package, finding.rule.clone()))
            .collect()
    };
    assert_eq!(strip(&together), strip(&apart));
    assert!(together.len() > 1000);
}

#[test]
fn copies_of_a_record_count_once_and_the_newest_wins() {
    let of = |modified: &str, ecosystem: &str, version: &str| {
        simple("GHSA-a", "", ecosystem, "x", version).replace("2024-01-01", modified)
    };
    let found = |feeds: &mut Documents| {
        let (_folder, database, summary) = built(feeds);
        let packages = [package("npm", "x", "1.5.0"), package("RubyGems", "x", "1.5.0")];
        let found = match_packages(&database, &packages, None, &MatchOptions::default()).unwrap();
        let fixed: Vec<_> = found
            .findings
            .iter()
            .map(|finding| (finding.package.unwrap(), finding.fixed.clone()))
            .collect();
        (summary.contents.advisories, fixed)
    };
    let fix = |package: usize, version: &str| (package, vec![version.to_owned()]);
    // The same record in two archives is stored once.
    let both = of("2024-01-01", "npm", "2.0.0");
    let mut feeds = Documents::default()
        .with("npm/all.zip!/GHSA-a.json", &both)
        .with("RubyGems/all.zip!/GHSA-a.json", &both);
    assert_eq!(found(&mut feeds), (1, vec![fix(0, "2.0.0")]));
    // A single record that came later replaces the archive's, in whatever order they are read.
    let (old, new) = (of("2024-01-01", "npm", "2.0.0"), of("2024-02-01", "npm", "3.0.0"));
    for (first, second) in [(&old, &new), (&new, &old)] {
        let mut feeds = Documents::default()
            .with("npm/all.zip!/GHSA-a.json", first)
            .with("npm/changes.jsonl", &second.replace('\n', " "));
        assert_eq!(found(&mut feeds), (1, vec![fix(0, "3.0.0")]));
    }
    // Two sources use one id for records of their own: each counts for its ecosystem.
    let mut feeds = Documents::default()
        .with("npm/all.zip!/GHSA-a.json", &of("2024-01-01", "npm", "2.0.0"))
        .with(
            "RubyGems/all.zip!/GHSA-a.json",
            &of("2024-03-01", "RubyGems", "4.0.0"),
        );
    assert_eq!(found(&mut feeds), (2, vec![fix(0, "2.0.0"), fix(1, "4.0.0")]));
}

#[test]
fn runtimes_without_a_package_manager_have_an_end_of_life_too() {
    let mut feeds = Documents::default()
        .with("npm.jsonl", &simple("GHSA-a", "", "npm", "x", "1.0.0").replace('\n', " "))
        .with("eol/endoflife.json", r#"{"nodejs": [{"cycle": "16", "eol": "2023-09-11"}, {"cycle": "22", "eol": "2027-04-30"}, {"cycle": "1", "eol": true}]}"#);
    let (_folder, database, _) = built(&mut feeds);
    let options = MatchOptions {
        today: "2026-11-20".to_owned(),
        ..MatchOptions::default()
    };
    let packages = [
        package("", "node", "v16.20.2"),
        package("", "node", "22.1.0"),
        package("npm", "y", "16.0.0"),
    ];
    let found = match_packages(&database, &packages, None, &options).unwrap();
    let told: Vec<_> = found
        .findings
        .iter()
        .map(|finding| (finding.rule.as_str(), finding.package))
        .collect();
    assert_eq!(told, [("runtime-release-end-of-life", Some(0))]);
    assert_eq!(found.findings[0].evidence("ended"), Some("2023-09-11"));
}

#[test]
fn packages_of_git_repositories_are_told_and_not_matched() {
    let records = [simple("GHSA-1", "", "npm", "lib", "2.0.0")];
    let documents = records
        .iter()
        .enumerate()
        .fold(Documents::default(), |documents, (at, record)| {
            documents.with(&format!("X/R-{at}.json"), record)
        });
    let mut documents = documents;
    let (_folder, database, _) = built(&mut documents);
    let of =
        |purl: &str, ecosystem: &str| Package::new("test", purl.parse().unwrap(), ecosystem, "lib", "1.0.0");
    let judge =
        |package: Package| match_packages(&database, &[package], None, &MatchOptions::default()).unwrap();
    // As lock files tell it, as pip does of what it installed, and as a document repeats it.
    let elsewhere = [
        with_fact(
            of("pkg:npm/lib@1.0.0", ""),
            "url",
            "https://git.example.org/lib.git",
        ),
        with_fact(
            of("pkg:npm/lib@1.0.0", "npm"),
            "git-url",
            "https://git.example.org/lib.git",
        ),
        of(
            "pkg:npm/lib@1.0.0?vcs_url=git%2Bhttps://git.example.org/lib.git%400123456789abcdef",
            "",
        ),
    ];
    for package in elsewhere {
        let matches = judge(package);
        assert!(matches.findings.is_empty(), "{:?}", matches.findings);
        let told: Vec<&str> = matches
            .problems
            .iter()
            .map(|problem| problem.message.as_str())
            .collect();
        assert!(
            matches!(told[..], [told] if told.starts_with("1 package from a git repository") && told.ends_with("`lib`")),
            "{told:?}"
        );
    }
    // The registry's, though its address or the project's repository is told as well.
    let registry = [
        with_fact(
            of("pkg:npm/lib@1.0.0", "npm"),
            "url",
            "https://registry.npmjs.org/lib/-/lib-1.0.0.tgz",
        ),
        of(
            "pkg:npm/lib@1.0.0?vcs_url=git%2Bhttps://github.com/example/lib.git",
            "",
        ),
    ];
    for package in registry {
        let matches = judge(package);
        assert_eq!(rules(&matches.findings), ["GHSA-1"]);
        assert!(matches.problems.is_empty(), "{:?}", matches.problems);
    }
}

#[test]
fn own_and_private_packages_only_share_a_name() {
    let records = [simple("R-1", "", "crates.io", "x", "2.0.0")];
    // As lock files list them: the ecosystem is left empty, the package URL is the registry's.
    let bare = || {
        let mut package = package("crates.io", "x", "1.0.0");
        package.purl = "pkg:cargo/x@1.0.0".parse().unwrap();
        package.ecosystem.clear();
        package
    };
    assert_eq!(rules(&matched(&records, &[bare()])), ["R-1"]);
    let mut root = bare();
    root.relation = Some(Relation::Root);
    let local = with_fact(bare(), "local", "../x");
    let private = with_fact(bare(), "registry", "https://crates.example.org/index");
    assert!(matched(&records, &[root, local, private]).is_empty());
}
