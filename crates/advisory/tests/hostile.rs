//! Hostile feeds and damaged files: a problem or a clear error, never a panic, a hang or a broken database.
#![allow(clippy::unwrap_used, reason = "a failing test should panic")]
#![allow(clippy::disallowed_methods, reason = "tests make and read their own files")]

mod common;

use advisory::{Database, DatabaseError, MatchOptions, build, match_packages};
use common::{Documents, built, options, package};
use std::fmt::Write;

const GOOD: &str = r#"{"id": "GHSA-good", "modified": "2024-01-01T00:00:00Z", "affected": [{"package": {"ecosystem": "npm", "name": "x"}, "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "1.0.0"}]}]}]}"#;

fn with(hostile: &str) -> (usize, Vec<String>) {
    let mut feeds = Documents::default()
        .with("npm/BAD-1.json", hostile)
        .with("npm/GHSA-good.json", GOOD);
    let (_folder, database, summary) = built(&mut feeds);
    let found = match_packages(
        &database,
        &[package("npm", "x", "0.1.0")],
        None,
        &MatchOptions::default(),
    )
    .unwrap();
    assert!(
        found.findings.iter().any(|finding| finding.rule == "GHSA-good"),
        "the good record is there"
    );
    (
        found.findings.len(),
        summary.problems.iter().map(ToString::to_string).collect(),
    )
}

#[test]
fn a_record_that_is_broken_or_absurd_is_a_problem_and_the_rest_goes_on() {
    let many = |what: &str, count: usize| vec![what; count].join(",");
    let affected = |inside: &str| {
        format!(
            r#"{{"id": "BAD-1", "modified": "x", "affected": [{{"package": {{"ecosystem": "npm", "name": "x"}}, {inside}}}]}}"#
        )
    };
    let range = r#"{"type": "SEMVER", "events": [{"introduced": "5.0.0"}]}"#;
    let long = "9".repeat(2_000_000);
    for (hostile, message) in [
        ("".to_owned(), "no OSV record"),
        ("[".repeat(100_000), "no OSV record"),
        (
            format!(r#"{{"id": "BAD-1", "database_specific": {}"#, "[".repeat(100_000)),
            "no OSV record",
        ),
        (r#"{"id": "BAD-1", "affected": 7}"#.to_owned(), "no OSV record"),
        ("\u{0}\u{1b}[2J".to_owned(), "no OSV record"),
        (format!(r#"{{"id": "{long}"}}"#), "no usable id"),
        (
            affected(&format!(r#""ranges": [{}]"#, many(range, 1_000_000))),
            "1000000 ranges",
        ),
        (
            affected(&format!(
                r#""ranges": [{{"type": "SEMVER", "events": [{}]}}]"#,
                many(r#"{"introduced": "5.0.0"}"#, 300_000)
            )),
            "300000 events",
        ),
        (
            affected(&format!(
                r#""ranges": [{{"type": "SEMVER", "events": [{{"introduced": "{long}"}}]}}]"#
            )),
            "more than 1000 bytes",
        ),
    ] {
        let (findings, problems) = with(&hostile);
        assert_eq!(findings, 1);
        assert_eq!(problems.len(), 1, "{message}");
        assert!(
            problems[0].contains(message),
            "{} does not tell {message}",
            &problems[0][..problems[0].len().min(300)]
        );
        assert!(
            problems[0].len() < 2000 && !problems[0].contains('\u{1b}'),
            "problems are short and printable"
        );
    }
}

#[test]
fn many_events_and_versions_are_judged_in_one_pass() {
    let mut events = String::new();
    for index in 0..100_000 {
        let _ = write!(
            events,
            r#"{}{{"introduced": "{}.0.0"}}, {{"fixed": "{}.5.0"}}"#,
            if index == 0 { "" } else { "," },
            index + 10,
            index + 10
        );
    }
    let hostile = format!(
        r#"{{"id": "BAD-1", "modified": "x", "affected": [{{"package": {{"ecosystem": "npm", "name": "x"}}, "ranges": [{{"type": "SEMVER", "events": [{events}]}}]}}]}}"#
    );
    assert_eq!(with(&hostile), (1, Vec::new()));
}

#[test]
fn odd_names_are_kept_as_they_are() {
    let hostile = r#"{"id": "BAD-\u0000\u001b[31m", "modified": "x", "aliases": ["", "CVE-2024-1"], "affected": [{"package": {"ecosystem": "npm\u0000y", "name": "../../x"}, "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}]}]}, {"package": {"ecosystem": "", "name": ""}, "versions": ["1"]}, {}]}"#;
    assert_eq!(with(hostile), (1, Vec::new()));
}

#[test]
fn a_failed_build_leaves_the_old_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("advisories.db");
    let mut good = Documents::default().with("npm/GHSA-good.json", GOOD);
    build(&mut good, &path, &options(), &mut |_| {}).unwrap();
    let before = std::fs::read(&path).unwrap();
    let mut torn = Documents::default().with("npm/GHSA-good.json", GOOD);
    torn.0.push(("npm/all.zip".to_owned(), None));
    let error = build(&mut torn, &path, &options(), &mut |_| {})
        .unwrap_err()
        .to_string();
    assert_eq!(error, "npm/all.zip: the file ends too early");
    let error = build(&mut Documents::default(), &path, &options(), &mut |_| {})
        .unwrap_err()
        .to_string();
    assert!(error.contains("all.zip"), "{error}");
    assert!(
        std::fs::read(&path).unwrap() == before,
        "the old file is untouched"
    );
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(left.len(), 1, "no temporary file is left: {left:?}");
    // A reader that has the old file open goes on while a new one takes its place.
    let database = Database::open(&path).unwrap();
    build(&mut good, &path, &options(), &mut |_| {}).unwrap();
    assert_eq!(database.advisories("GHSA-good").unwrap().len(), 1);
    let nowhere = folder.path().join("no/such/folder/a.db");
    assert!(
        build(&mut good, &nowhere, &options(), &mut |_| {})
            .unwrap_err()
            .to_string()
            .contains("could not write")
    );
}

#[test]
fn a_file_that_is_no_database_is_told_by_name_and_state() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("advisories.db");
    let told = |path: &std::path::Path| match Database::open(path) {
        Ok(_) => panic!("opened"),
        Err(error) => error.to_string(),
    };
    assert!(told(&path).contains("hullward db update"), "{}", told(&path));
    let mut good = Documents::default().with("npm/GHSA-good.json", GOOD);
    build(&mut good, &path, &options(), &mut |_| {}).unwrap();
    let whole = std::fs::read(&path).unwrap();
    let mut garbage: Vec<Vec<u8>> = vec![
        Vec::new(),
        b"not a database".to_vec(),
        vec![0xff; 100_000],
        b"SQLite format 3\0".repeat(1000),
    ];
    garbage.extend([10, 100, 4096, whole.len() / 2, whole.len() - 1].map(|length| whole[..length].to_vec()));
    for bytes in garbage {
        std::fs::write(&path, &bytes).unwrap();
        let told = told(&path);
        assert!(
            told.contains("damaged or is no Hullward database") && told.contains("advisories.db"),
            "{told}"
        );
    }
}

/// Bits changed anywhere in the file, in its header above all: an error, or the answer of the file as it was.
#[test]
fn a_damaged_file_gives_errors_or_the_same_answers() {
    let mut records = String::new();
    for index in 0..2000 {
        let record = GOOD
            .replace("GHSA-good", &format!("GHSA-{index}"))
            .replace("\"x\"", &format!("\"x{index}\""));
        let _ = writeln!(records, "{record}");
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("advisories.db");
    build(
        &mut Documents::default().with("npm.jsonl", &records),
        &path,
        &options(),
        &mut |_| {},
    )
    .unwrap();
    let whole = std::fs::read(&path).unwrap();
    let packages: Vec<_> = (0..2000)
        .step_by(50)
        .map(|index| package("npm", &format!("x{index}"), "0.1.0"))
        .collect();
    let answers = || {
        let database = Database::open(&path)?;
        let mut pairs = 0;
        database.pairs(&mut |_, _, _| {
            pairs += 1;
            Ok(())
        })?;
        let matches = match_packages(&database, &packages, None, &MatchOptions::default())?;
        let advisories = database.advisories("GHSA-7")?;
        Ok::<_, DatabaseError>((pairs, advisories, matches.findings))
    };
    let right = answers().unwrap();
    assert_eq!(right.2.len(), packages.len());
    let mut seed = 1_u64;
    let mut random = |below: usize| {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).unwrap() % below
    };
    let (mut errors, mut same) = (0, 0);
    let mut judge = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        match answers() {
            Ok(answers) => {
                same += 1;
                assert!(answers == right, "the file is damaged and gives other answers");
            }
            Err(error) => {
                errors += 1;
                assert!(error.to_string().contains("hullward db update"), "{error}");
            }
        }
    };
    // The header: geometry, then the two commits with their page numbers, whose upper bits are a page's size.
    for at in 0..320 {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << random(8);
        judge(&bytes);
        bytes[at] = 0xff;
        judge(&bytes);
    }
    for _ in 0..200 {
        let mut bytes = whole.clone();
        let at = random(bytes.len());
        bytes[at] ^= 1 << random(8);
        judge(&bytes);
    }
    for _ in 0..60 {
        let mut bytes = whole.clone();
        for _ in 0..20 {
            let at = random(bytes.len());
            bytes[at] ^= 1 << random(8);
        }
        judge(&bytes);
    }
    assert!(
        errors > 200 && same > 50,
        "{errors} errors, {same} times the same"
    );
}
