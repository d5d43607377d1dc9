//! The commands as a user runs them: output, exit codes, messages.
#![allow(clippy::disallowed_methods, reason = "tests make and read their own files")]

use std::path::Path;
use testkit::{Program, Ran, temporary_folder};

const HULLWARD: &str = env!("CARGO_BIN_EXE_hullward");

/// Advisories that the tests know: one a line, as OSV writes them.
const FEED: &str = concat!(
    r#"{"schema_version":"1.6.0","id":"GHSA-test-0001","modified":"2026-01-01T00:00:00Z","aliases":["CVE-2099-1000"],"summary":"left-pad runs out of memory","details":"Padding to a huge width fills the memory.","severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],"affected":[{"package":{"ecosystem":"npm","name":"left-pad"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"1.3.0"}]}]}]}"#,
    "\n",
    r#"{"schema_version":"1.6.0","id":"DSA-9999-1","modified":"2026-01-01T00:00:00Z","upstream":["CVE-2099-2000"],"affected":[{"package":{"ecosystem":"Debian:12","name":"openssl"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"3.0.11-1~deb12u2"}]}]}]}"#,
    "\n",
    r#"{"schema_version":"1.6.0","id":"GHSA-test-0002","modified":"2026-01-01T00:00:00Z","aliases":["CVE-2099-3000"],"summary":"only for tests","affected":[{"package":{"ecosystem":"npm","name":"dev-tool"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"}]}]}]}"#,
    "\n",
);

const LOCK: &str = r#"{
  "name": "shop", "version": "1.0.0", "lockfileVersion": 3,
  "packages": {
    "": { "name": "shop", "version": "1.0.0", "dependencies": { "left-pad": "^1.0.0" }, "devDependencies": { "dev-tool": "2.0.0" } },
    "node_modules/left-pad": { "version": "1.2.0", "license": "WTFPL" },
    "node_modules/dev-tool": { "version": "2.0.0", "dev": true }
  }
}
"#;

const STATUS: &str = "Package: libssl3\nStatus: install ok installed\nArchitecture: amd64\nSource: openssl\nVersion: 3.0.11-1~deb12u1\n\n\
                      Package: zlib1g\nStatus: install ok installed\nArchitecture: amd64\nSource: zlib\nVersion: 1:1.2.13.dfsg-1\n";

const OS_RELEASE: &str = "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nID=debian\nVERSION_ID=\"12\"\nVERSION_CODENAME=bookworm\n";

/// A home with a database made of [`FEED`], a source tree and a root file system.
fn home() -> tempfile::TempDir {
    let home = temporary_folder();
    let write = |path: &str, text: &str| {
        let path = home.path().join(path);
        std::fs::create_dir_all(path.parent().expect("parent")).expect("folder");
        std::fs::write(path, text).expect("written");
    };
    write("feeds/test.jsonl", FEED);
    write("app/package-lock.json", LOCK);
    write("root/etc/os-release", OS_RELEASE);
    write("root/var/lib/dpkg/status", STATUS);
    write("root/srv/package-lock.json", LOCK);
    run(home.path(), &["db", "build", "--from", "feeds"]).expect_code(0);
    home
}

fn run(home: &Path, arguments: &[&str]) -> Ran {
    Program::new(HULLWARD, home).args(arguments).run()
}

#[test]
fn scans_a_source_tree() {
    let home = home();
    let ran = run(home.path(), &["scan", "app"]).expect_code(0);
    insta::assert_snapshot!(ran.stdout, @r"
    app
    directory · 3 packages

    package-lock.json (npm)
      PACKAGE   INSTALLED  SEVERITY  FLAW           FIXED IN  WHAT
      left-pad  1.2.0      critical  CVE-2099-1000  1.3.0     left-pad runs out of memory

    1 finding: 1 critical · 1 fixable · 1 suppressed
    ");
    assert_eq!(ran.stderr, "");
}

#[test]
fn a_project_without_a_lock_file_is_no_clean_bill() {
    let home = home();
    let write = |path: &str| {
        let path = home.path().join(path);
        std::fs::create_dir_all(path.parent().expect("parent")).expect("folder");
        let text = r#"{"dependencies": {"left-pad": "1.2.0", "dev-tool": "^2.0.0"}}"#;
        std::fs::write(path, text).expect("written");
    };
    write("unlocked/package.json");
    let ran = run(home.path(), &["scan", "unlocked"]).expect_code(0);
    insta::assert_snapshot!(ran.stdout, @r"
    unlocked
    directory · 2 packages

    package.json (npm)
      PACKAGE   INSTALLED  SEVERITY  FLAW                    FIXED IN      WHAT
      left-pad  1.2.0      critical  CVE-2099-1000           1.3.0         left-pad runs out of memory
      dev-tool             unknown   version-not-comparable  undetermined  the version of the package is not known, only th…

    Could not be judged
      package.json: no lock file was found for it: only what it pins is known, not what that needs in turn; `npm install --…

    1 finding: 1 critical · 1 fixable · 1 undetermined · 1 problem
    ");
    let alone = run(home.path(), &["scan", "unlocked/package.json"]).expect_code(0);
    assert!(
        alone.stdout.contains("CVE-2099-1000") && alone.stdout.contains("no lock file"),
        "{}",
        alone.stdout
    );
    // Beside a lock file, and in a root file system, the manifest says nothing more.
    write("app/package.json");
    write("root/opt/tool/package.json");
    let locked = run(home.path(), &["scan", "app"]).expect_code(0);
    assert!(!locked.stdout.contains("no lock file"), "{}", locked.stdout);
    let root = run(home.path(), &["scan", "rootfs:root"]).expect_code(0);
    assert!(
        !root.stdout.contains("no lock file") && root.stdout.contains("5 packages"),
        "{}",
        root.stdout
    );
}

#[test]
fn scans_a_root_file_system() {
    let home = home();
    let ran = run(home.path(), &["scan", "rootfs:root"]).expect_code(0);
    insta::assert_snapshot!(ran.stdout, @r"
    rootfs:root
    rootfs · Debian GNU/Linux 12 (bookworm) · 5 packages

    Debian GNU/Linux 12 (bookworm) packages
      PACKAGE  INSTALLED         SEVERITY  FLAW           FIXED IN          WHAT
      libssl3  3.0.11-1~deb12u1  unknown   CVE-2099-2000  3.0.11-1~deb12u2  CVE-2099-2000

    srv/package-lock.json (npm)
      PACKAGE   INSTALLED  SEVERITY  FLAW           FIXED IN  WHAT
      left-pad  1.2.0      critical  CVE-2099-1000  1.3.0     left-pad runs out of memory

    2 findings: 1 critical, 1 unknown · 2 fixable · 1 suppressed
    ");
}

#[test]
fn development_packages_count_when_asked() {
    let home = home();
    let count = |arguments: &[&str]| {
        let ran = run(home.path(), arguments).expect_code(0);
        let report: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
        let statuses = |rule: &str| {
            let findings = report["findings"].as_array().expect("findings").clone();
            findings
                .into_iter()
                .filter(|finding| finding["rule"] == rule)
                .map(|finding| finding["status"].clone())
                .collect::<Vec<_>>()
        };
        (statuses("CVE-2099-1000"), statuses("CVE-2099-3000"))
    };
    assert_eq!(
        count(&["scan", "app", "--format", "json"]),
        (vec!["affected".into()], vec!["suppressed".into()])
    );
    assert_eq!(
        count(&["scan", "app", "--format", "json", "--include-dev"]),
        (vec!["affected".into()], vec!["affected".into()])
    );
}

#[test]
fn gates_decide_the_exit_code() {
    let home = home();
    run(home.path(), &["scan", "app", "--fail-on", "critical"]).expect_code(1);
    run(
        home.path(),
        &["scan", "rootfs:root", "--fail-on", "critical", "--exclude", "srv"],
    )
    .expect_code(0);
    // What is shown does not change what the gate sees.
    run(
        home.path(),
        &[
            "scan",
            "app",
            "--fail-on",
            "high",
            "--min-severity",
            "critical",
            "--fixable",
        ],
    )
    .expect_code(1);
    std::fs::write(home.path().join("hullward.toml"), "fail-on = 'critical'\n").expect("written");
    run(home.path(), &["scan", "app"]).expect_code(1);
}

#[test]
fn wrong_usage_ends_with_two() {
    let home = home();
    for (arguments, message) in [
        (vec!["scan"], "required"),
        (vec!["scan", "app", "--format", "tabel"], "is no format"),
        (vec!["scan", "app", "--fail-on", "severe"], "is no severity"),
        (
            vec!["scan", "app", "--output", "json"],
            "`--output json=FILE` writes it to a file",
        ),
        (vec!["scan", "app", "--output", "json="], "names no file"),
        (vec!["scan", "app", "--config", "absent.toml"], "does not exist"),
        (vec!["scan", "app", "--db", "absent.db"], "hullward db update"),
        (
            vec!["sbom", "app", "--format", "sarif"],
            "cannot carry an inventory",
        ),
        (vec!["frobnicate"], "unrecognized subcommand"),
        (vec!["scan", "app", "--platform", "bogus"], "`os/architecture`"),
        (
            vec!["scan", "alpine", "--offline", "--platform", "linux/"],
            "`os/architecture`",
        ),
        (
            vec!["scan", "app", "--output", "json=absent/report.json"],
            "absent/report.json",
        ),
        (vec!["sbom", "app", "--output", "spdx=feeds"], "feeds"),
        // The files are tried before the target is opened.
        (
            vec!["scan", "dir:absent", "--output", "json=absent/report.json"],
            "absent/report.json",
        ),
    ] {
        let ran = run(home.path(), &arguments).expect_code(2);
        assert!(ran.stderr.contains(message), "{arguments:?}: {}", ran.stderr);
        assert_eq!(ran.stdout, "", "{arguments:?}");
    }
    std::fs::write(home.path().join("hullward.toml"), "fail_on = 'high'\n").expect("written");
    let ran = run(home.path(), &["scan", "app"]).expect_code(2);
    assert!(
        ran.stderr.contains("the nearest known one is `fail-on`"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_platform_that_does_not_apply_is_told() {
    let home = home();
    let ran = run(home.path(), &["scan", "app", "--platform", "linux/arm64"]).expect_code(0);
    assert!(
        ran.stderr.contains("--platform linux/arm64 does not apply"),
        "{}",
        ran.stderr
    );
}

#[test]
fn files_are_tried_before_the_scan_and_nothing_is_left_over() {
    let home = home();
    let list = || {
        let mut names: Vec<_> = std::fs::read_dir(home.path())
            .expect("the folder")
            .map(|entry| entry.expect("an entry").file_name())
            .collect();
        names.sort();
        names
    };
    let before = list();
    run(
        home.path(),
        &["scan", "dir:absent", "--output", "json=report.json"],
    )
    .expect_code(3);
    assert_eq!(list(), before);
}

#[test]
fn one_file_is_a_target() {
    let home = home();
    std::fs::copy(
        home.path().join("app/package-lock.json"),
        home.path().join("package-lock.json"),
    )
    .expect("copied");
    for target in [
        "app/package-lock.json",
        "dir:app/package-lock.json",
        "package-lock.json",
    ] {
        let ran = run(home.path(), &["scan", target, "--fail-on", "critical"]).expect_code(1);
        assert!(
            ran.stdout.contains("directory · 3 packages") && ran.stdout.contains("CVE-2099-1000"),
            "{}",
            ran.stdout
        );
    }
    // Nothing else of the folder is read.
    std::fs::write(
        home.path().join("composer.lock"),
        r#"{"packages":[{"name":"a/b","version":"1"}]}"#,
    )
    .expect("written");
    let ran = run(home.path(), &["sbom", "composer.lock"]).expect_code(0);
    assert!(ran.stdout.contains("directory · 1 package\n"), "{}", ran.stdout);
    // What no extractor knows is no clean bill.
    std::fs::write(home.path().join("notes.txt"), "hello").expect("written");
    let ran = run(home.path(), &["scan", "notes.txt"]).expect_code(3);
    assert!(ran.stderr.contains("dir:FOLDER"), "{}", ran.stderr);
}

#[test]
fn narrow_tables_still_name_the_flaw() {
    let home = home();
    let ran = Program::new(HULLWARD, home.path())
        .args(["scan", "rootfs:root"])
        .env("COLUMNS", "40")
        .run()
        .expect_code(0);
    for flaw in ["CVE-2099-1000", "CVE-2099-2000", "left-pad", "critical"] {
        assert!(ran.stdout.contains(flaw), "{flaw}: {}", ran.stdout);
    }
}

#[test]
fn a_cache_that_cannot_be_written_is_noted_beside_the_report() {
    let home = home();
    let layer = testkit::image::Layer::new("COPY").file("srv/package-lock.json", LOCK);
    let archive = testkit::image::Image::new(vec![layer]).docker_archive();
    std::fs::write(home.path().join("image.tar"), archive).expect("written");
    let whole = run(home.path(), &["scan", "image.tar", "--no-cache"]).expect_code(0);
    let ran = run(
        home.path(),
        &["scan", "image.tar", "--cache-dir", "feeds/test.jsonl"],
    )
    .expect_code(0);
    assert_eq!(ran.stdout, whole.stdout);
    let said = ran.stderr.matches("the layer cache was not written").count();
    assert_eq!(said, 1, "{}", ran.stderr);
}

#[test]
fn what_cannot_be_read_ends_with_three() {
    let home = home();
    std::fs::write(home.path().join("garbage.db"), vec![0xa5; 8192]).expect("written");
    std::fs::write(home.path().join("garbage.tar"), vec![0xa5; 8192]).expect("written");
    for arguments in [
        vec!["scan", "dir:absent"],
        vec!["scan", "archive:garbage.tar"],
        vec!["scan", "--offline", "registry:registry.invalid/x:1"],
        vec!["explain", "CVE-1999-0000"],
        vec!["db", "build", "--from", "absent"],
    ] {
        let ran = run(home.path(), &arguments).expect_code(3);
        assert!(ran.stderr.starts_with("error: "), "{arguments:?}: {}", ran.stderr);
        assert_eq!(ran.stdout, "", "{arguments:?}");
    }
    let ran = run(home.path(), &["scan", "app", "--db", "garbage.db"]).expect_code(3);
    assert!(
        ran.stderr.contains("garbage.db is damaged") && ran.stderr.contains("hint: `hullward db update`"),
        "{}",
        ran.stderr
    );
}

#[test]
fn explains_advisories_and_names() {
    let home = home();
    let ran = run(home.path(), &["explain", "CVE-2099-1000"]).expect_code(0);
    assert!(
        ran.stdout.contains("GHSA-test-0001") && ran.stdout.contains("< 1.3.0"),
        "{}",
        ran.stdout
    );
    let ran = run(home.path(), &["explain", "apk-installed"]).expect_code(0);
    assert!(ran.stdout.contains("package extractor"), "{}", ran.stdout);
    let ran = run(home.path(), &["explain", "undetermined"]).expect_code(0);
    assert!(ran.stdout.contains("could not be compared"), "{}", ran.stdout);
    let ran = run(home.path(), &["explain", "apk-instaled"]).expect_code(3);
    assert!(
        ran.stderr.contains("the nearest name is `apk-installed`"),
        "{}",
        ran.stderr
    );
}

#[test]
fn writes_every_format_in_one_run() {
    let home = home();
    let outputs: Vec<String> = report::formats::ALL
        .iter()
        .map(|format| format!("{0}=out/{0}.{1}", format.meta().name, format.extension()))
        .collect();
    std::fs::create_dir(home.path().join("out")).expect("folder");
    let mut arguments = vec!["scan", "rootfs:root"];
    for output in &outputs {
        arguments.extend(["--output", output]);
    }
    let ran = run(home.path(), &arguments).expect_code(0);
    assert_eq!(
        ran.stdout, "",
        "a report that goes to files leaves standard output alone"
    );
    for output in &outputs {
        let (_, path) = output.split_once('=').expect("FORMAT=FILE");
        let text = std::fs::read_to_string(home.path().join(path)).expect("written");
        assert!(
            text.contains("CVE-2099-2000"),
            "{path} does not speak of the finding"
        );
    }
}

#[test]
fn a_file_without_a_format_takes_the_one_of_format() {
    let home = home();
    let written = |name: &str| std::fs::read_to_string(home.path().join(name)).expect("written");
    let quiet = run(
        home.path(),
        &["scan", "app", "--format", "json", "--output", "a.json"],
    )
    .expect_code(0);
    assert_eq!(quiet.stdout, "");
    assert!(written("a.json").starts_with('{'));
    // Beside a file that has its own, and with none at all.
    run(
        home.path(),
        &["scan", "app", "-o", "b.txt", "-o", "sarif=b.sarif"],
    )
    .expect_code(0);
    assert!(written("b.txt").contains("PACKAGE"));
    assert!(written("b.sarif").contains("\"runs\""));
    let both = run(home.path(), &["scan", "app", "-f", "json", "-o", "sarif=c.sarif"]).expect_code(0);
    assert!(both.stdout.starts_with('{'));
}

#[test]
fn descriptions_are_in_the_formats_that_show_them() {
    const TEXT: &str = "Padding to a huge width fills the memory.";
    let home = home();
    for format in [
        "cyclonedx",
        "gitlab",
        "html",
        "json",
        "sarif",
        "table",
        "markdown",
        "junit",
    ] {
        let ran = run(home.path(), &["scan", "--format", format, "app"]).expect_code(0);
        let shows = !matches!(format, "table" | "markdown" | "junit");
        assert_eq!(ran.stdout.contains(TEXT), shows, "{format}: {}", ran.stdout);
    }
}

/// Of a layer that takes a while: on a terminal the line of progress grows and is gone at the end, and never is any of it in
/// the output or in a file that standard error goes to.
#[test]
fn progress_is_shown_on_a_terminal_while_a_layer_is_read() {
    let home = home();
    let mut tar = testkit::tar::Tar::default();
    for number in 0..60_000 {
        tar.file(&format!("srv/{number}.txt"), b"x");
    }
    std::fs::write(home.path().join("root.tar"), tar.finish()).expect("written");
    let arguments = [
        "scan",
        "--no-vulnerabilities",
        "--no-cache",
        "--format",
        "json",
        "rootfs:root.tar",
    ];
    let ran = Program::new(HULLWARD, home.path())
        .args(arguments)
        .run_on_terminal()
        .expect_code(0);
    let lines: Vec<&str> = ran.stderr.split("\r\x1b[K").collect();
    let entries: Vec<u64> = lines
        .iter()
        .filter_map(|line| line.strip_prefix("reading: ")?.split(' ').next()?.parse().ok())
        .collect();
    assert!(!entries.is_empty() && entries.is_sorted(), "{:?}", ran.stderr);
    assert!(entries.iter().all(|count| *count <= 60_001), "{entries:?}");
    assert_eq!(
        lines.last(),
        Some(&""),
        "something is left over: {:?}",
        ran.stderr
    );
    let _: serde_json::Value = serde_json::from_str(&ran.stdout).expect("only the report");
    let ran = run(home.path(), &arguments).expect_code(0);
    assert_eq!(ran.stderr, "");
}

#[test]
fn tells_what_changed() {
    let home = home();
    run(
        home.path(),
        &["scan", "app", "--format", "json", "--output", "json=old.json"],
    )
    .expect_code(0);
    std::fs::write(
        home.path().join("app/package-lock.json"),
        LOCK.replace("\"1.2.0\"", "\"1.3.0\""),
    )
    .expect("written");
    let ran = run(home.path(), &["diff", "old.json", "app"]).expect_code(0);
    insta::assert_snapshot!(ran.stdout, @r"
    Flaws that went away
      - critical CVE-2099-1000 left-pad 1.2.0 (fixed in 1.3.0)

    Packages that changed
      ~ left-pad 1.2.0 -> 1.3.0

    0 flaws appeared, 1 went away; 0 packages appeared, 1 changed, 0 went away
    ");
    run(home.path(), &["diff", "app", "old.json", "--fail-on", "high"]).expect_code(1);
    let ran = run(home.path(), &["diff", "app", "app"]).expect_code(0);
    assert_eq!(ran.stdout, "no difference\n");
}

#[test]
fn an_sbom_of_an_sbom_is_the_same_inventory() {
    let home = home();
    for (format, file) in [("cyclonedx-json", "a.cdx.json"), ("spdx-json", "a.spdx.json")] {
        run(
            home.path(),
            &["sbom", "rootfs:root", "--output", &format!("{format}={file}")],
        )
        .expect_code(0);
        let rules = |target: &str| {
            let ran = run(
                home.path(),
                &["scan", target, "--include-dev", "--format", "json"],
            )
            .expect_code(0);
            let report: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
            let mut rules: Vec<String> = report["findings"]
                .as_array()
                .expect("findings")
                .iter()
                .map(|finding| format!("{} {}", finding["rule"], finding["package"]))
                .collect();
            rules.sort();
            rules
        };
        assert_eq!(rules(&format!("sbom:{file}")), rules("rootfs:root"), "{format}");
    }
}

#[test]
fn reports_are_the_same_in_every_run() {
    let home = home();
    let one = run(
        home.path(),
        &["scan", "rootfs:root", "--format", "json", "--no-cache"],
    )
    .expect_code(0)
    .stdout;
    let two = run(
        home.path(),
        &["scan", "rootfs:root", "--format", "json", "--threads", "1"],
    )
    .expect_code(0)
    .stdout;
    assert_eq!(one, two);
}

#[test]
fn unchanged_archives_are_not_read_again() {
    use testkit::image::{Compression, Image, Layer, compress};
    let home = home();
    let layer = Layer::new("ADD")
        .file("etc/os-release", OS_RELEASE)
        .file("var/lib/dpkg/status", STATUS);
    let upper = Layer::new("COPY").file("srv/package-lock.json", LOCK);
    let lowest = Layer::new("ADD").file("etc/motd", "welcome");
    for (target, bytes, layers, changed) in [
        ("rootfs:root.tar.gz", layer.tar(), 1, upper.tar()),
        (
            "archive:image.tar.gz",
            // Not on top of what was scanned before, which only the cache would know for its base.
            Image::new(vec![lowest, layer.clone(), upper.clone(), layer.clone()]).docker_archive(),
            4,
            Image::new(vec![upper.clone()]).docker_archive(),
        ),
    ] {
        let (_, file) = target.split_once(':').expect("prefix");
        let path = home.path().join(file);
        std::fs::write(&path, compress(&bytes, Compression::Gzip)).expect("written");
        let scan = |arguments: &[&str]| {
            let all = ["scan", target, "--format", "json", "--verbose"];
            run(home.path(), &[&all, arguments].concat()).expect_code(0)
        };
        let warm = format!("0 layers to read, {layers} from the cache");
        let first = scan(&[]);
        assert!(!first.stderr.contains("0 layers to read"), "{}", first.stderr);
        // A file that is as young as this is read once more, since it could change unseen.
        let second = (0..1000)
            .map(|_| scan(&[]))
            .find(|ran| ran.stderr.contains(&warm))
            .expect("remembered");
        assert_eq!(first.stdout, second.stdout, "{target}");
        let without = scan(&["--no-cache"]);
        assert!(without.stderr.contains("0 from the cache"), "{}", without.stderr);
        assert_eq!(first.stdout, without.stdout, "{target}");
        std::fs::write(&path, compress(&changed, Compression::Gzip)).expect("written");
        let third = scan(&[]);
        assert!(third.stdout.contains("left-pad"), "{target}");
        assert!(!third.stdout.contains("zlib1g"), "{target}");
    }
    let ran = run(home.path(), &["cache", "status"]).expect_code(0);
    assert!(ran.stdout.contains("stale    0 files"), "{}", ran.stdout);
}

#[test]
fn status_and_cache_tell_and_clean() {
    let home = home();
    let ran = run(home.path(), &["db", "status", "--json"]).expect_code(0);
    let status: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert_eq!(
        (&status["advisories"], &status["newest"]),
        (&3.into(), &"2026-01-01T00:00:00Z".into())
    );
    let ran = run(home.path(), &["cache", "status"]).expect_code(0);
    assert!(ran.stdout.contains("results  0"), "{}", ran.stdout);
    run(home.path(), &["cache", "clean"]).expect_code(0);
}

#[test]
fn help_and_version_need_nothing() {
    let folder = temporary_folder();
    let ran = run(folder.path(), &["--version"]).expect_code(0);
    assert_eq!(ran.stdout, format!("hullward {}\n", env!("CARGO_PKG_VERSION")));
    for command in ["scan", "sbom", "diff", "explain", "db", "cache"] {
        let ran = run(folder.path(), &[command, "--help"]).expect_code(0);
        assert!(ran.stdout.contains("Usage: hullward"), "{command}");
    }
    let ran = run(folder.path(), &["scan", "--help"]).expect_code(0);
    for format in report::formats::ALL {
        assert!(ran.stdout.contains(format.meta().name), "{}", ran.stdout);
    }
    assert_eq!(
        std::fs::read_dir(folder.path()).expect("readable").count(),
        0,
        "nothing is left behind"
    );
}

#[test]
fn updates_and_builds_from_a_mirror_and_keeps_the_old_file_when_that_fails() {
    let home = home();
    let feeds = [
        ("/ecosystems.txt", "npm\n".as_bytes().to_vec()),
        ("/npm/all.zip", {
            let record = FEED.lines().next().expect("a record");
            testkit::zip::Zip::new()
                .file("GHSA-test-0001.json", record)
                .build()
        }),
    ];
    let server = testkit::http::Server::start(move |asked| {
        match feeds.iter().find(|(path, _)| *path == asked.path()) {
            Some((_, body)) if asked.header("if-none-match") != Some("\"1\"") => {
                testkit::http::Answer::new(200, body.clone()).header("ETag", "\"1\"")
            }
            Some(_) => testkit::http::Answer::new(304, ""),
            None => testkit::http::Answer::new(404, ""),
        }
    });
    let mirror = format!("http://{}", server.authority());
    let ran = run(home.path(), &["db", "update", "--mirror", &mirror]).expect_code(0);
    assert!(
        ran.stdout.starts_with("1 advisory over 1 ecosystem,"),
        "{}",
        ran.stdout
    );
    let ran = run(home.path(), &["db", "update", "--mirror", &mirror]).expect_code(0);
    assert!(ran.stdout.starts_with("nothing is new"), "{}", ran.stdout);
    run(
        home.path(),
        &["db", "build", "--from", &mirror, "--out", "other.db"],
    )
    .expect_code(0);
    run(
        home.path(),
        &["scan", "app", "--db", "other.db", "--fail-on", "critical"],
    )
    .expect_code(1);
    let ran = run(home.path(), &["db", "update", "--mirror", "http://127.0.0.1:1"]).expect_code(3);
    assert!(
        ran.stderr.contains("check the address of the mirror"),
        "{}",
        ran.stderr
    );
    let ran = run(home.path(), &["db", "update", "--offline", "--mirror", &mirror]).expect_code(3);
    assert!(
        ran.stderr.contains("--offline uses no network") && !ran.stderr.contains("check the address"),
        "{}",
        ran.stderr
    );
    run(home.path(), &["scan", "app", "--fail-on", "critical"]).expect_code(1);
}

#[test]
fn feeds_may_be_links() {
    let home = home();
    std::fs::create_dir(home.path().join("linked")).expect("folder");
    std::os::unix::fs::symlink("../feeds", home.path().join("linked/feeds")).expect("link");
    let arguments = ["db", "build", "--from", "linked", "--out", "linked.db"];
    let ran = run(home.path(), &arguments).expect_code(0);
    assert!(
        ran.stdout.contains("3 advisories") || ran.stderr.contains("3 advisories"),
        "{ran:?}"
    );
}

#[test]
fn filters_never_look_like_a_clean_bill() {
    let home = home();
    let ran = run(
        home.path(),
        &["scan", "root", "--min-severity", "critical", "--exclude", "srv"],
    )
    .expect_code(0);
    assert!(
        ran.stdout.contains("nothing to show · 1 hidden by filters"),
        "{}",
        ran.stdout
    );
    assert!(!ran.stdout.contains("no known flaws"), "{}", ran.stdout);
}

#[test]
fn what_is_no_document_is_a_failure() {
    let home = home();
    std::fs::write(home.path().join("notes.txt"), "hello").expect("written");
    let ran = run(home.path(), &["scan", "sbom:notes.txt"]).expect_code(3);
    assert_eq!(ran.stdout, "");
    assert!(
        ran.stderr.contains("this is no CycloneDX or SPDX document"),
        "{}",
        ran.stderr
    );
}

#[test]
fn standard_output_takes_one_format() {
    let home = home();
    for arguments in [
        vec!["scan", "app", "--format", "table", "--output", "json=-"],
        vec!["sbom", "app", "--output", "json=-", "--output", "spdx-json=-"],
    ] {
        let ran = run(home.path(), &arguments).expect_code(2);
        assert!(
            ran.stderr.contains("standard output takes one format"),
            "{}",
            ran.stderr
        );
    }
    assert!(!home.path().join("-").exists());
}

/// The reference page of the command line is what `--help` prints.
#[test]
fn the_command_line_reference_is_up_to_date() {
    let folder = temporary_folder();
    let mut page = String::from("<!-- Generated by `make bless`; do not edit. -->\n# Command line\n");
    for command in [
        vec![],
        vec!["scan"],
        vec!["sbom"],
        vec!["diff"],
        vec!["explain"],
        vec!["db", "update"],
        vec!["db", "build"],
        vec!["db", "status"],
        vec!["cache", "status"],
        vec!["cache", "clean"],
        vec!["rules", "check"],
        vec!["rules", "list"],
        vec!["rules", "explain"],
    ] {
        let mut arguments = command.clone();
        arguments.push("--help");
        let ran = run(folder.path(), &arguments).expect_code(0);
        page.push_str(
            &format!(
                "\n## `hullward {}`\n\n```\n{}```\n",
                command.join(" "),
                ran.stdout
            )
            .replace("hullward `", "hullward`"),
        );
    }
    testkit::family::check_generated(
        &testkit::family::workspace_root().join("docs/reference/command-line.md"),
        &page,
    );
}

const RULES: &str = "\
- list: shells
  items: [sh, bash]

- macro: started
  condition: (evt.type in (execve, execveat) and evt.rawres >= 0)

- rule: Shell started
  desc: A shell was started.
  condition: started and proc.name in (shells) and not user_exceptions
  output: shell %proc.cmdline
  priority: NOTICE
  tags: [T1059]
";

#[test]
fn rule_files_are_checked() {
    let home = temporary_folder();
    std::fs::write(home.path().join("bad.yaml"), RULES).expect("written");
    let good = RULES.replace(" and not user_exceptions", "");
    std::fs::write(home.path().join("good.yaml"), &good).expect("written");
    let ran = run(home.path(), &["rules", "check", "good.yaml"]).expect_code(0);
    insta::assert_snapshot!(ran.stdout, @"good.yaml: 1 rule, no errors, no warnings");
    let ran = run(home.path(), &["rules", "check", "bad.yaml"]).expect_code(1);
    insta::assert_snapshot!(ran.stdout, @r"
    error[LOAD_ERR_COMPILE_CONDITION]: no macro is called `user_exceptions`
      --> bad.yaml:9:56 in rule `Shell started`
       |
     9 |   condition: started and proc.name in (shells) and not user_exceptions
       |                                                        ^
    bad.yaml: 1 error, no warnings; nothing of it is taken
    ");
    let ran = run(
        home.path(),
        &["rules", "check", "good.yaml", "bad.yaml", "--format", "json"],
    )
    .expect_code(1);
    let json: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
    let results = json["falco_load_results"].as_array().expect("results");
    assert_eq!(results[0]["successful"], true);
    assert_eq!(results[1]["successful"], false);
    let missing = run(home.path(), &["rules", "check", "none.yaml"]).expect_code(3);
    assert!(missing.stderr.contains("none.yaml"), "{}", missing.stderr);
}

#[test]
fn rules_are_listed_and_explained() {
    let home = temporary_folder();
    let good = RULES.replace(" and not user_exceptions", "");
    std::fs::create_dir(home.path().join("rules")).expect("folder");
    std::fs::write(home.path().join("rules/good.yaml"), &good).expect("written");
    let ran = run(home.path(), &["rules", "list", "--rules", "rules"]).expect_code(0);
    insta::assert_snapshot!(ran.stdout, @r"
    PRIORITY  STATE  SOURCE   RULE           EVENTS            TAGS
    Notice    on     syscall  Shell started  execve, execveat  T1059
    ");
    let ran = run(
        home.path(),
        &["rules", "explain", "shell started", "--rules", "rules"],
    )
    .expect_code(0);
    insta::assert_snapshot!(ran.stdout, @r"
    Shell started
      priority   Notice
      state      on
      source     syscall
      events     execve, execveat
      tags       T1059
      ATT&CK     T1059
      file       rules/good.yaml:7

    What it finds
      A shell was started.

    Condition, with lists and macros put in
      evt.type in (execve, execveat)
      and evt.rawres >= 0
      and proc.name in (sh, bash)

    Output
      shell %proc.cmdline

    Fields of the output
      proc.cmdline container.id container.name container.image.repository container.image.tag k8s.pod.name k8s.ns.name
    ");
    std::fs::write(home.path().join("bad.yaml"), RULES).expect("written");
    let ran = run(home.path(), &["rules", "list", "--rules", "bad.yaml"]).expect_code(3);
    assert!(
        ran.stderr
            .contains("the rules cannot be loaded: bad.yaml:9:56: no macro is called `user_exceptions`"),
        "{}",
        ran.stderr
    );
    let ran = run(home.path(), &["rules", "list", "--format", "json"]).expect_code(0);
    let own: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert!(own.as_array().is_some_and(|own| own.len() >= 60));
    let ran = run(home.path(), &["rules", "explain", "core-pattern-written"]).expect_code(0);
    assert!(ran.stdout.contains("Respond"), "{}", ran.stdout);
    let ran = run(home.path(), &["rules", "explain", "core-patern-written"]).expect_code(3);
    assert!(
        ran.stderr.contains("the nearest name is `core-pattern-written`"),
        "{}",
        ran.stderr
    );
}
