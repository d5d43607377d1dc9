//! The suites of `testkit`, and those of the test data, acted out on this machine against `hullward watch` with the rules of
//! the community.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "tests write files, run programs, and say why they skip"
)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use testkit::family::{test_data, workspace_root};
use testkit::suite::container::Choice;
use testkit::suite::run::{Report, Verdict};
use testkit::suite::session::{self, Session};

/// Names that suites expect the machine to resolve: the detector alone sees them.
const HOSTS: &str = "127.0.0.1 localhost
203.0.113.5 pool.minexmr.com xmr.crypto-pool.fr sg.minexmr.com mine.moneropool.com asia1.ethpool.org
10.96.0.1 kubernetes.default.svc.cluster.local
";

/// Why the kernel cannot be watched here, if so.
fn out_of_reach() -> Option<&'static str> {
    let root = std::fs::read_to_string("/proc/self/status").is_ok_and(|status| {
        status.lines().any(|line| {
            line.strip_prefix("Uid:")
                .is_some_and(|ids| ids.split_whitespace().nth(1) == Some("0"))
        })
    });
    if !root {
        Some("root is needed")
    } else if !Path::new("/sys/kernel/btf/vmlinux").exists() {
        Some("the kernel has no type information")
    } else {
        None
    }
}

/// One watch at a time: each would see what the others do, and some files come and go in several suites.
static TURN: Mutex<()> = Mutex::new(());

/// Acts suites out with `hullward watch` over these rules.
fn act(number: u32, suites: &Path, rules: &[PathBuf], all_matches: bool, hosts: &Path) -> Report {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let tests = session::tests(&[suites.to_owned()]).unwrap_or_else(|error| panic!("{error}"));
    let watch = session::watch(Path::new(env!("CARGO_BIN_EXE_hullward")), rules, all_matches);
    let mut detector = Command::new("unshare");
    detector
        .args(["-m", "sh", "-c", "mount --bind \"$0\" /etc/hosts && exec \"$@\""])
        .arg(hosts)
        .arg(watch.get_program())
        .args(watch.get_args());
    let session = Session {
        // Docker's containers are tried with the watch itself; these need no daemon and no name of their own.
        runtime: Choice::Runc,
        settle: Duration::from_millis(200),
        ..Session::new(std::process::id() << 3 | number, Some(detector))
    };
    let ended = session
        .perform(&tests, |_, _| {})
        .unwrap_or_else(|error| panic!("{}: {error}", suites.display()));
    assert_eq!(ended.report.stopped, None, "{}", suites.display());
    assert_eq!(ended.strange.1, None, "{}", suites.display());
    assert_eq!(ended.report.rows.len(), tests.len());
    ended.report
}

/// What failed, with everything that is known of it.
fn failures(report: &Report, good: impl Fn(&testkit::suite::run::Row) -> bool) -> Vec<String> {
    let mut failures = Vec::new();
    for row in &report.rows {
        if row.verdict == Verdict::Skip {
            eprintln!("skipped: {}: {}", row.name, row.got);
        } else if !good(row) {
            failures.push(format!(
                "{}:{} {}\n  expected {}\n  got {} {}\n  {}",
                row.file,
                row.line,
                row.name,
                row.expected,
                row.verdict,
                row.got,
                row.notes.join("\n  ")
            ));
        }
    }
    failures
}

#[test]
fn suites_pass_and_quiet_acts_raise_nothing() {
    if let Some(reason) = out_of_reach() {
        eprintln!("skipped: {reason}");
        return;
    }
    // It tells by itself that there is none.
    let Some(data) = test_data() else {
        return;
    };
    let folder = testkit::temporary_folder();
    let hosts = folder.path().join("hosts");
    std::fs::write(&hosts, HOSTS).expect("a folder to write in");
    let suites = workspace_root().join("crates/testkit/suites");
    let rules = |name: &str| data.join("falco/rules").join(name);
    let passes = |row: &testkit::suite::run::Row| row.verdict == Verdict::Pass;
    let is_quiet = |row: &testkit::suite::run::Row| {
        row.verdict == Verdict::Fail && (row.got == "no alert" || row.got.starts_with("only alerts of "))
    };
    let one = [rules("falco_rules.yaml")];
    let all = [
        rules("falco_rules.yaml"),
        rules("falco-incubating_rules.yaml"),
        rules("falco-sandbox_rules.yaml"),
        suites.join("rules/enable.yaml"),
    ];
    // As Falco does by default: the first rule that matches.
    let mut failed = failures(&act(0, &data.join("falco/suite"), &one, false, &hosts), passes);
    for (number, name) in [(1, "stable.yaml"), (2, "incubating.yaml"), (3, "sandbox.yaml")] {
        let own = act(number, &suites.join(name), &all, true, &hosts);
        failed.extend(failures(&own, passes));
    }
    let quiet = act(4, &suites.join("quiet.yaml"), &one, true, &hosts);
    failed.extend(failures(&quiet, is_quiet));
    assert!(
        failed.is_empty(),
        "{} tests:\n{}",
        failed.len(),
        failed.join("\n")
    );
}

#[test]
fn every_call_and_resource_of_the_format_is_acted_out_and_told() {
    if let Some(reason) = out_of_reach() {
        eprintln!("skipped: {reason}");
        return;
    }
    let folder = testkit::temporary_folder();
    let hosts = folder.path().join("hosts");
    std::fs::write(&hosts, HOSTS).expect("a folder to write in");
    let suites = workspace_root().join("crates/testkit/suites");
    let rules = [suites.join("rules/calls.yaml")];
    let report = act(5, &suites.join("calls.yaml"), &rules, true, &hosts);
    let failed = failures(&report, |row| row.verdict == Verdict::Pass);
    assert!(
        failed.is_empty(),
        "{} tests:\n{}",
        failed.len(),
        failed.join("\n")
    );
}

#[test]
fn suites_of_the_project_are_well_formed() {
    let suites = workspace_root().join("crates/testkit/suites");
    let tests = session::tests(&[suites]).unwrap_or_else(|error| panic!("{error}"));
    assert!(tests.iter().all(|test| !test.rule.is_empty()));
    let rules: std::collections::BTreeSet<&str> = tests.iter().map(|test| test.rule.as_str()).collect();
    assert!(rules.len() > 85, "{}", rules.len());
}
