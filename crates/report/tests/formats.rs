//! The formats agree with their folder and reference page, keep their output, and are valid by the schemas they claim.

use model::{
    Digest, EndOfLife, Fact, Finding, FindingKind, KnownExploited, Layer, Location, OsRelease, Package,
    Problem, Purl, Relation, Report, Scope, Severity, SourcePackage, Status, Target, TargetKind,
};
use report::{Options, formats};
use std::path::Path;
use testkit::family;

const FIXTURES: &str = "crates/report/tests/fixtures";

#[test]
fn family_agrees() {
    family::check(&family::Family {
        title: "Output formats",
        introduction: "What `--format` and `--output FORMAT=FILE` take. `hullward sbom` takes those that can carry an inventory.",
        folder: "crates/report/src/formats",
        members: formats::ALL.iter().map(|format| format.meta()).collect(),
        fixtures: FIXTURES,
        page: "docs/reference/formats.md",
    });
}

/// `hit-full` holds what a format makes of a report with everything in it, `miss-empty` what it makes of one without findings.
#[test]
fn output_is_kept() {
    for format in formats::ALL {
        let name = format.meta().name;
        let extension = format.extension();
        let options = Options {
            width: Some(110),
            color: false,
            inventory_only: false,
            hidden: 0,
        };
        let folder = family::workspace_root().join(FIXTURES).join(name);
        for (case, report) in [("hit-full", full()), ("miss-empty", empty())] {
            family::check_generated(
                &folder.join(format!("{case}.{extension}")),
                &written(*format, &report, &options),
            );
        }
        if format.carries_inventory() {
            let options = Options {
                inventory_only: true,
                hidden: 0,
                ..options
            };
            family::check_generated(
                &folder.join(format!("hit-inventory.{extension}")),
                &written(*format, &full(), &options),
            );
        }
    }
}

#[test]
fn json_is_valid_by_its_schema_and_reads_back() {
    let root = family::workspace_root();
    let validator = validator(&root.join("docs/reference/report-v1.schema.json"), &[]);
    for report in [full(), empty()] {
        let text = written(find("json"), &report, &plain());
        validate(&validator, &text, "json");
        let back = formats::json::read(text.as_bytes()).expect("reads its own output");
        assert_eq!(
            written(find("json"), &back, &plain()),
            text,
            "a report that is read and written again is the same"
        );
    }
    assert!(formats::json::read(b"{}").is_err());
    assert!(
        formats::json::read(
            &written(find("json"), &full(), &plain())
                .replace("report/v1", "report/v9")
                .into_bytes()
        )
        .is_err()
    );
}

#[test]
fn others_are_valid_by_their_schemas() {
    let Some(data) = family::test_data() else { return };
    let schemas = data.join("schemas");
    let cyclonedx = schemas.join("cyclonedx");
    let parts = [
        (
            "http://cyclonedx.org/schema/spdx.schema.json",
            cyclonedx.join("spdx.schema.json"),
        ),
        (
            "http://cyclonedx.org/schema/jsf-0.82.schema.json",
            cyclonedx.join("jsf-0.82.schema.json"),
        ),
        (
            "http://cyclonedx.org/schema/cryptography-defs.schema.json",
            cyclonedx.join("cryptography-defs.schema.json"),
        ),
    ];
    let cases: [(&str, &Path, &[Part]); 3] = [
        ("cyclonedx-json", &cyclonedx.join("bom-1.6.schema.json"), &parts),
        ("sarif", &schemas.join("sarif/sarif-schema-2.1.0.json"), &[]),
        ("spdx-json", &schemas.join("spdx/spdx-schema-2.3.json"), &[]),
    ];
    for (name, schema, parts) in cases {
        let validator = validator(schema, parts);
        let format = find(name);
        for report in [full(), empty()] {
            validate(&validator, &written(format, &report, &plain()), name);
            if format.carries_inventory() {
                let options = Options {
                    inventory_only: true,
                    hidden: 0,
                    ..plain()
                };
                validate(&validator, &written(format, &report, &options), name);
            }
        }
    }
}

#[test]
fn the_table_is_never_wider_than_the_terminal() {
    use unicode_width::UnicodeWidthStr;
    for width in [20, 40, 60, 79, 80, 100, 132, 200] {
        for inventory_only in [false, true] {
            let options = Options {
                width: Some(width),
                color: false,
                inventory_only,
                hidden: 0,
            };
            for line in written(find("table"), &full(), &options).lines() {
                assert!(
                    line.width() <= width,
                    "{} columns where {width} fit: {line}",
                    line.width()
                );
            }
        }
    }
}

#[test]
fn colours_are_only_escape_sequences_of_our_own() {
    let options = Options {
        width: Some(100),
        color: true,
        inventory_only: false,
        hidden: 0,
    };
    let text = written(find("table"), &full(), &options);
    assert!(text.contains("\x1b["));
    assert!(
        !text.contains("\x1b[2J"),
        "an escape sequence from a package name got through"
    );
    let plain = written(
        find("table"),
        &full(),
        &Options {
            color: false,
            ..options
        },
    );
    assert!(!plain.contains('\x1b'));
}

#[test]
fn html_is_text_only() {
    let text = written(find("html"), &full(), &plain());
    assert!(
        !text.contains("<script>alert"),
        "markup from a target got into the page"
    );
    assert!(text.contains("&lt;script&gt;alert"));
    assert!(
        !text.contains("src=") && !text.contains("@import"),
        "the page loads something"
    );
}

fn find(name: &str) -> &'static dyn report::Format {
    formats::find(name).expect("known format")
}

fn plain() -> Options {
    Options {
        width: None,
        color: false,
        inventory_only: false,
        hidden: 0,
    }
}

fn written(format: &dyn report::Format, report: &Report, options: &Options) -> String {
    let mut bytes = Vec::new();
    format
        .write(report, options, &mut bytes)
        .expect("a vector takes everything");
    String::from_utf8(bytes).expect("UTF-8")
}

/// A schema that another refers to: its address and its file.
type Part = (&'static str, std::path::PathBuf);

#[allow(clippy::disallowed_methods, reason = "tests read schemas")]
fn validator(schema: &Path, parts: &[Part]) -> jsonschema::Validator {
    let read = |path: &Path| -> serde_json::Value {
        serde_json::from_slice(&std::fs::read(path).expect("schema")).expect("JSON")
    };
    let mut registry = jsonschema::Registry::new();
    for (uri, path) in parts {
        registry = registry
            .add(*uri, jsonschema::Resource::from_contents(read(path)))
            .expect("a schema of a part");
    }
    let registry = registry.prepare().expect("a registry of schemas");
    jsonschema::options()
        .with_registry(&registry)
        .should_validate_formats(true)
        .build(&read(schema))
        .expect("a valid schema")
}

fn validate(validator: &jsonschema::Validator, text: &str, name: &str) {
    let value: serde_json::Value = serde_json::from_str(text).expect("JSON");
    let errors: Vec<String> = validator
        .iter_errors(&value)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .take(10)
        .collect();
    assert!(errors.is_empty(), "{name}: {errors:#?}");
}

fn digest(byte: u8) -> Digest {
    Digest::sha256(&[byte; 32])
}

fn empty() -> Report {
    Report {
        generator_version: "1.2.3".to_owned(),
        created: "2026-01-02T03:04:05Z".to_owned(),
        target: Target {
            kind: TargetKind::Directory,
            name: "srv/app".to_owned(),
            digest: None,
            image_id: None,
            platform: None,
            references: Vec::new(),
            os: None,
            end_of_life: None,
            layers: Vec::new(),
        },
        packages: Vec::new(),
        findings: Vec::new(),
        problems: Vec::new(),
        database: Some("2026-01-01T00:00:00Z".to_owned()),
    }
}

/// A report with everything that a report can have, hostile names among it.
fn full() -> Report {
    let at = |path: &str, layer: u32| Location {
        path: path.to_owned(),
        layer: Some(layer),
        line: None,
    };
    let mut openssl = Package::new(
        "dpkg-status",
        Purl::new("deb", "debian", "libssl3", "3.0.9-1")
            .with_qualifier("arch", "amd64")
            .with_qualifier("distro", "debian-12"),
        "Debian:12",
        "libssl3",
        "3.0.9-1",
    );
    openssl.source = Some(SourcePackage {
        name: "openssl".to_owned(),
        version: "3.0.9-1".to_owned(),
    });
    openssl.licenses = vec!["Apache-2.0".to_owned(), "GPL-2.0-or-later OR MIT".to_owned()];
    openssl.locations = vec![at("var/lib/dpkg/status", 0)];
    let mut log4j = Package::new(
        "java-archive",
        Purl::new("maven", "org.apache.logging.log4j", "log4j-core", "2.14.1"),
        "Maven",
        "org.apache.logging.log4j:log4j-core",
        "2.14.1",
    );
    log4j.locations = vec![at("app/app.war!/WEB-INF/lib/log4j-core-2.14.1.jar", 1)];
    log4j.licenses = vec!["LicenseRef-some-terms".to_owned()];
    log4j.facts = vec![Fact::new("sha1", "9141212b8507ab50a45525b545b39d224614528b")];
    let mut minimist = Package::new(
        "npm-package-lock",
        Purl::new("npm", "", "minimist", "1.2.5"),
        "npm",
        "minimist",
        "1.2.5",
    );
    minimist.locations = vec![Location {
        path: "app/package-lock.json".to_owned(),
        layer: Some(1),
        line: Some(42),
    }];
    minimist.relation = Some(Relation::Transitive);
    minimist.scope = Some(Scope::Development);
    minimist.path = vec!["mkdirp@0.5.5".to_owned()];
    let mut mkdirp = Package::new(
        "npm-package-lock",
        Purl::new("npm", "", "mkdirp", "0.5.5"),
        "npm",
        "mkdirp",
        "0.5.5",
    );
    mkdirp.locations = vec![Location {
        path: "app/package-lock.json".to_owned(),
        layer: Some(1),
        line: Some(30),
    }];
    mkdirp.relation = Some(Relation::Direct);
    let hostile_name = "<script>alert(1)</script>\u{1b}[2J|`x`";
    let mut hostile = Package::new(
        "node-package",
        Purl::new("npm", "@evil", hostile_name, "1.0.0"),
        "npm",
        format!("@evil/{hostile_name}"),
        "1.0.0",
    );
    hostile.locations = vec![at(
        "app/node_modules/\"quoted\"/\u{10ff00}caf\u{10ffe9}/package.json",
        1,
    )];
    let mut owned = Package::new(
        "python-distribution",
        Purl::new("pypi", "", "six", "1.16.0"),
        "PyPI",
        "six",
        "1.16.0",
    );
    owned.owned_by = Some("python3-six".to_owned());
    owned.locations = vec![at("usr/lib/python3/dist-packages/six-1.16.0.egg-info", 0)];

    let finding = |rule: &str, package: usize, severity: Severity, title: &str| Finding {
        id: format!("{rule}@{package}"),
        kind: FindingKind::Vulnerability,
        rule: rule.to_owned(),
        aliases: vec!["GHSA-jfh8-c2jp-5v3q".to_owned()],
        severity,
        title: title.to_owned(),
        description: String::new(),
        package: Some(package),
        fixed: Vec::new(),
        location: None,
        evidence: vec![
            ("record".to_owned(), "DSA-0000-1".to_owned()),
            ("comparison".to_owned(), "1 < 2 (dpkg)".to_owned()),
        ],
        references: vec![
            "https://example.org/advisory".to_owned(),
            "javascript:alert(1)".to_owned(),
        ],
        weaknesses: vec!["CWE-502".to_owned()],
        controls: Vec::new(),
        status: Status::Affected,
        reason: String::new(),
        score: None,
        known_exploited: None,
        epss: None,
        published: "2021-12-10T00:40:56Z".to_owned(),
    };
    let mut log4shell = finding(
        "CVE-2021-44228",
        1,
        Severity::Critical,
        "Remote code execution through JNDI lookups",
    );
    log4shell.fixed = vec!["2.15.0".to_owned()];
    log4shell.score = Some(10.0);
    log4shell.epss = Some((0.943_58, 0.999_5));
    log4shell.known_exploited = Some(KnownExploited {
        added: "2021-12-10".to_owned(),
        due: "2021-12-24".to_owned(),
        ransomware: true,
    });
    log4shell.evidence.push((
        "cvss".to_owned(),
        "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H".to_owned(),
    ));
    log4shell
        .evidence
        .push(("severity-source".to_owned(), "GitHub".to_owned()));
    log4shell.description = "Message lookups reach\nout to servers that an attacker names.".to_owned();
    let mut openssl_low = finding(
        "CVE-2023-3446",
        0,
        Severity::Low,
        "Checking overlong DH keys is slow",
    );
    openssl_low.fixed = vec!["3.0.10-1".to_owned()];
    let mut undetermined = finding("CVE-2099-0001", 4, Severity::High, "");
    undetermined.status = Status::Undetermined;
    undetermined.reason =
        "`one` is not a version that `semver` can order: it does not begin with a digit".to_owned();
    let mut suppressed = finding("CVE-2021-44906", 3, Severity::Critical, "Prototype pollution");
    suppressed.status = Status::Suppressed;
    suppressed.reason = "only used for development".to_owned();
    let mut no_title = finding("CVE-2099-0002", 0, Severity::Unknown, "");
    no_title.published = "soon".to_owned();

    let mut report = empty();
    report.target = Target {
        kind: TargetKind::Image,
        name: "registry.example.org/team/app:1.0".to_owned(),
        digest: Some(digest(1)),
        image_id: Some(digest(2)),
        platform: Some("linux/amd64".to_owned()),
        references: vec!["registry.example.org/team/app:1.0".to_owned()],
        os: Some(OsRelease {
            id: "debian".to_owned(),
            version: "12".to_owned(),
            pretty_name: "Debian GNU/Linux 12 (bookworm)".to_owned(),
            codename: "bookworm".to_owned(),
            ..OsRelease::default()
        }),
        end_of_life: Some(EndOfLife {
            product: "debian".to_owned(),
            cycle: "12".to_owned(),
            date: "2026-06-10".to_owned(),
            ended: true,
            extended: None,
        }),
        layers: vec![
            Layer {
                diff_id: digest(3),
                blob: Some(digest(4)),
                size: 29_124_181,
                instruction: Some("ADD rootfs.tar.xz /".to_owned()),
                from_base: true,
            },
            Layer {
                diff_id: digest(5),
                blob: None,
                size: 0,
                instruction: None,
                from_base: false,
            },
        ],
    };
    report.packages = vec![openssl, log4j, mkdirp, minimist, hostile, owned];
    report.findings = vec![log4shell, suppressed, undetermined, openssl_low, no_title];
    report.problems = vec![
        Problem::file("app/broken.jar", "the archive has no central directory"),
        Problem::general("a layer was not fetched: it is foreign"),
    ];
    report
}
