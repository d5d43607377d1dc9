//! Findings that were checked by hand against the records of `data/osv`, true and absent, over all its ecosystems. Each row
//! says what the record says. Skipped without the data.
#![allow(clippy::unwrap_used, reason = "a failing test should panic")]

mod common;

use advisory::{Database, MatchOptions, match_packages};
use common::{RealData, built, os_package, package, with_fact};
use model::{Finding, FindingKind, Package, Status};

/// What is expected of a flaw in a package.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Expect {
    /// Affected, with these fixes (space-separated).
    Affected(&'static str),
    /// No finding of this name.
    Absent,
    /// Told as undetermined.
    Undetermined,
}
use Expect::{Absent, Affected, Undetermined};

fn deb(release: &str, name: &str, source: &str, version: &str) -> Package {
    os_package(
        "deb",
        &format!("Debian:{release}"),
        name,
        version,
        Some((source, version)),
    )
}

fn apk(release: &str, name: &str, source: &str, version: &str) -> Package {
    os_package(
        "apk",
        &format!("Alpine:v{release}"),
        name,
        version,
        Some((source, version)),
    )
}

fn rpm(release: &str, name: &str, version: &str) -> Package {
    os_package("rpm", &format!("AlmaLinux:{release}"), name, version, None)
}

fn rows() -> Vec<(Package, &'static str, Expect)> {
    let log4j = "org.apache.logging.log4j:log4j-core";
    let nodejs = |version: &str, stream: &str| {
        with_fact(
            rpm("8", "nodejs", version),
            "module-label",
            &format!("nodejs:{stream}:8050020220101000000:c5368500"),
        )
    };
    vec![
        // npm. GHSA-p6mc-m468-83gw: [3.7.0, 4.17.19); GHSA-35jh-r3h4-6jhm: [0, 4.17.21), an id that RubyGems uses too.
        (
            package("npm", "lodash", "4.17.15"),
            "CVE-2020-8203",
            Affected("4.17.19"),
        ),
        (package("npm", "lodash", "4.17.19"), "CVE-2020-8203", Absent),
        (package("npm", "lodash", "3.6.0"), "CVE-2020-8203", Absent),
        (
            package("npm", "lodash", "4.17.20"),
            "CVE-2021-23337",
            Affected("4.17.21"),
        ),
        (package("npm", "lodash", "4.17.21"), "CVE-2021-23337", Absent),
        // GHSA-3h5v-q93c-6h6q has one entry for each line: 8 ends at 8.17.1, 7 at 7.5.10, and 6.2.3 is fixed.
        (
            package("npm", "ws", "8.16.0"),
            "CVE-2024-37890",
            Affected("8.17.1"),
        ),
        (
            package("npm", "ws", "7.5.9"),
            "CVE-2024-37890",
            Affected("7.5.10"),
        ),
        (package("npm", "ws", "6.2.3"), "CVE-2024-37890", Absent),
        (package("npm", "ws", "2.0.0"), "CVE-2024-37890", Absent),
        // GHSA-w7rc-rwvf-8q5r: [3.0.0-beta.1, 3.0.0-beta.9) by SemVer's order of pre-releases.
        (
            package("npm", "node-fetch", "3.0.0-beta.8"),
            "CVE-2020-15168",
            Affected("3.0.0-beta.9"),
        ),
        (
            package("npm", "node-fetch", "3.0.0-beta.10"),
            "CVE-2020-15168",
            Absent,
        ),
        (package("npm", "JSON5", "1.0.1"), "CVE-2022-46175", Absent), // npm's names are exact
        (
            package("npm", "json5", "1.0.1"),
            "CVE-2022-46175",
            Affected("1.0.2"),
        ),
        // Maven. GHSA-jfh8-c2jp-5v3q: [2.13.0, 2.15.0), [2.4, 2.12.2), [2.0-beta9, 2.3.1).
        (
            package("Maven", log4j, "2.14.1"),
            "CVE-2021-44228",
            Affected("2.15.0"),
        ),
        (
            package("Maven", log4j, "2.12.1"),
            "CVE-2021-44228",
            Affected("2.12.2"),
        ),
        (package("Maven", log4j, "2.12.2"), "CVE-2021-44228", Absent),
        (package("Maven", log4j, "2.0-beta8"), "CVE-2021-44228", Absent),
        (
            package("Maven", log4j, "2.15.0"),
            "CVE-2021-45046",
            Affected("2.16.0"),
        ),
        // GHSA-599f-7c49-w659: [1.5, 1.10.0); numbers, not letters.
        (
            package("Maven", "org.apache.commons:commons-text", "1.9"),
            "CVE-2022-42889",
            Affected("1.10.0"),
        ),
        (
            package("Maven", "org.apache.commons:commons-text", "1.10.0"),
            "CVE-2022-42889",
            Absent,
        ),
        // GHSA-5mg8-w23w-74h3: [0, 32.0.0-android). `-jre` sorts behind `-android`, as Maven does it.
        (
            package("Maven", "com.google.guava:guava", "31.1-jre"),
            "CVE-2020-8908",
            Affected("32.0.0-android"),
        ),
        (
            package("Maven", "com.google.guava:guava", "32.0.0-jre"),
            "CVE-2020-8908",
            Absent,
        ),
        // NuGet. GHSA-5crp-9r3c-p9vr has no CVE: [0, 13.0.1); names ignore case.
        (
            package("NuGet", "newtonsoft.json", "12.0.3"),
            "GHSA-5crp-9r3c-p9vr",
            Affected("13.0.1"),
        ),
        (
            package("NuGet", "Newtonsoft.Json", "13.0.1"),
            "GHSA-5crp-9r3c-p9vr",
            Absent,
        ),
        // GHSA-8g4q-xg66-9fp4: [6.0.0, 6.0.10) and [8.0.0, 8.0.5); 7 is not named.
        (
            package("NuGet", "System.Text.Json", "8.0.4"),
            "CVE-2024-43485",
            Affected("8.0.5"),
        ),
        (
            package("NuGet", "System.Text.Json", "7.0.3"),
            "CVE-2024-43485",
            Absent,
        ),
        // PyPI. PYSEC-2023-74: [2.3.0, 2.31.0).
        (
            package("PyPI", "Requests", "2.30.0"),
            "CVE-2023-32681",
            Affected("2.31.0"),
        ),
        (package("PyPI", "requests", "2.31.0"), "CVE-2023-32681", Absent),
        (package("PyPI", "requests", "2.2.1"), "CVE-2023-32681", Absent),
        // PYSEC-2021-142: [0, 5.4); a pre-release of 5.4 is before it.
        (
            package("PyPI", "PyYAML", "5.4b2"),
            "CVE-2020-14343",
            Affected("5.4"),
        ),
        (package("PyPI", "PyYAML", "5.4"), "CVE-2020-14343", Absent),
        // PYSEC-2018-49: [0, 5.1), and its list names 5.1b5, which lies in it.
        (
            package("PyPI", "pyyaml", "5.1b5"),
            "CVE-2017-18342",
            Affected("5.1"),
        ),
        // PYSEC-2019-144 (arrayfire, [0, 3.6.0)) was withdrawn.
        (
            package("PyPI", "arrayfire", "3.5.20170721"),
            "PYSEC-2019-144",
            Absent,
        ),
        // Go. GO-2020-0001: [0, 1.6.0).
        (
            package("Go", "github.com/gin-gonic/gin", "v1.5.0"),
            "CVE-2020-36567",
            Affected("1.6.0"),
        ),
        (
            package("Go", "github.com/gin-gonic/gin", "v1.6.0"),
            "CVE-2020-36567",
            Absent,
        ),
        // GO-2021-0238: [0, 0.0.0-20210520170846-37e1c6afe023): commits by their time.
        (
            package("Go", "golang.org/x/net", "v0.0.0-20210226172049-e18ecbb05110"),
            "CVE-2021-33194",
            Affected("0.0.0-20210520170846-37e1c6afe023"),
        ),
        (
            package("Go", "golang.org/x/net", "v0.1.0"),
            "CVE-2021-33194",
            Absent,
        ),
        // GO-2021-0067: stdlib [1.16.0-0, 1.16.1): a release candidate of 1.16 counts, 1.15 does not.
        (
            package("Go", "stdlib", "go1.16"),
            "CVE-2021-27919",
            Affected("1.16.1"),
        ),
        (
            package("Go", "stdlib", "go1.16rc1"),
            "CVE-2021-27919",
            Affected("1.16.1"),
        ),
        (package("Go", "stdlib", "go1.15.8"), "CVE-2021-27919", Absent),
        // GO-2022-0390: [0, 20.10.14+incompatible).
        (
            package("Go", "github.com/docker/docker", "v20.10.13+incompatible"),
            "CVE-2022-24769",
            Affected("20.10.14+incompatible"),
        ),
        (
            package("Go", "github.com/docker/docker", "v20.10.14+incompatible"),
            "CVE-2022-24769",
            Absent,
        ),
        // GO-2022-0617 (k8s.io/kubernetes, all versions) was withdrawn.
        (
            package("Go", "k8s.io/kubernetes", "v1.20.0"),
            "GO-2022-0617",
            Absent,
        ),
        // GO-2023-2385: github.com/pubnub/go/v5, all module versions; the project's own range ends at
        // 5.0.4-0.20231016150651-428517fef5b9.
        (
            package("Go", "github.com/pubnub/go/v5", "v5.0.3"),
            "CVE-2023-26154",
            Affected("5.0.4-0.20231016150651-428517fef5b9"),
        ),
        (
            package("Go", "github.com/pubnub/go/v5", "v5.1.0"),
            "CVE-2023-26154",
            Absent,
        ),
        (
            package(
                "Go",
                "github.com/pubnub/go/v5",
                "v0.0.0-20190101000000-0123456789ab",
            ),
            "CVE-2023-26154",
            Undetermined,
        ),
        // crates.io. RUSTSEC-2020-0071: many small parts up to 0.2.23; 0.1 is in the first, [0.0.0-0, 0.2.0).
        (
            package("crates.io", "time", "0.1.43"),
            "CVE-2020-26235",
            Affected("0.2.0"),
        ),
        (
            package("crates.io", "time", "0.2.22"),
            "CVE-2020-26235",
            Affected("0.2.23"),
        ),
        (package("crates.io", "time", "0.2.6"), "CVE-2020-26235", Absent),
        (package("crates.io", "time", "0.3.0"), "CVE-2020-26235", Absent),
        // RUSTSEC-2023-0001: [1.7.0, 1.18.4), [1.19.0, 1.20.3), [1.21.0, 1.23.1).
        (
            package("crates.io", "tokio", "1.20.0"),
            "CVE-2023-22466",
            Affected("1.20.3"),
        ),
        (package("crates.io", "tokio", "1.18.4"), "CVE-2023-22466", Absent),
        // RUSTSEC-2021-0139: unmaintained, every version.
        (
            package("crates.io", "ansi_term", "0.12.1"),
            "RUSTSEC-2021-0139",
            Affected(""),
        ),
        // RUSTSEC-2019-0031 (spin) was withdrawn.
        (package("crates.io", "spin", "0.5.0"), "RUSTSEC-2019-0031", Absent),
        // RubyGems. GHSA-3h57-hmj3-gj3p: ends at 2.0.9.3, 2.1.4.3, 2.2.6.3, 3.0.4.2, each line from its `.a`.
        (
            package("RubyGems", "rack", "2.2.6.2"),
            "CVE-2023-27530",
            Affected("2.2.6.3"),
        ),
        (package("RubyGems", "rack", "2.2.6.3"), "CVE-2023-27530", Absent),
        (
            package("RubyGems", "rack", "3.0.4.1"),
            "CVE-2023-27530",
            Affected("3.0.4.2"),
        ),
        // GHSA-286v-pcf5-25rc: nokogiri [0, 1.11.4).
        (
            package("RubyGems", "nokogiri", "1.11.3"),
            "CVE-2021-3537",
            Affected("1.11.4"),
        ),
        (package("RubyGems", "nokogiri", "1.11.4"), "CVE-2021-3537", Absent),
        // Packagist. CVE-2022-23614: [2.0.0, 2.14.11), [3.0.0, 3.3.8); `v` before a version is usual.
        (
            package("Packagist", "twig/twig", "v3.3.7"),
            "CVE-2022-23614",
            Affected("3.3.8"),
        ),
        (
            package("Packagist", "twig/twig", "v2.14.11"),
            "CVE-2022-23614",
            Absent,
        ),
        (
            package("Packagist", "Twig/Twig", "1.44.0"),
            "CVE-2022-23614",
            Absent,
        ),
        // CVE-2019-18887: [4.3.0, 4.3.8) among others.
        (
            package("Packagist", "symfony/http-kernel", "v4.3.7"),
            "CVE-2019-18887",
            Affected("4.3.8"),
        ),
        // x_FRIENDSOFPHP-monolog-monolog-2014-12-29-1: [1.8.0, 1.12.0).
        (
            package("Packagist", "monolog/monolog", "1.11.0"),
            "x_FRIENDSOFPHP-monolog-monolog-2014-12-29-1",
            Affected("1.12.0"),
        ),
        (
            package("Packagist", "monolog/monolog", "1.12.0"),
            "x_FRIENDSOFPHP-monolog-monolog-2014-12-29-1",
            Absent,
        ),
        // Bitnami. BIT-nginx-2022-41741: [1.1.3, 1.22.1), [1.23.0, 1.23.2).
        (
            package("Bitnami", "nginx", "1.22.0"),
            "CVE-2022-41741",
            Affected("1.22.1"),
        ),
        (package("Bitnami", "nginx", "1.22.1"), "CVE-2022-41741", Absent),
        (
            package("Bitnami", "nginx", "1.23.1"),
            "CVE-2022-41741",
            Affected("1.23.2"),
        ),
        // BIT-activemq-2020-11998: introduced and last affected 5.15.12, so just that version.
        (
            package("Bitnami", "activemq", "5.15.12"),
            "CVE-2020-11998",
            Affected(""),
        ),
        (
            package("Bitnami", "activemq", "5.15.13"),
            "CVE-2020-11998",
            Absent,
        ),
        // Julia. JLSEC-2025-1 names HTTP (fixed 1.10.17) and URIs (fixed 1.6.0).
        (
            package("Julia", "URIs", "1.5.2"),
            "CVE-2025-52479",
            Affected("1.6.0"),
        ),
        (package("Julia", "HTTP", "1.10.17"), "CVE-2025-52479", Absent),
        // JLSEC-2026-1134: OpenSSL_jll [3.5.0+0, 3.5.7+0).
        (
            package("Julia", "OpenSSL_jll", "3.5.1+0"),
            "CVE-2026-34181",
            Affected("3.5.7+0"),
        ),
        (
            package("Julia", "OpenSSL_jll", "3.0.15+1"),
            "CVE-2026-34181",
            Absent,
        ),
        // Debian. DSA-5343-1 answers five CVEs: fixed 1.1.1n-0+deb11u4 in bullseye; keyed by the source.
        (
            deb("11", "libssl1.1", "openssl", "1.1.1n-0+deb11u3"),
            "CVE-2023-0286",
            Affected("1.1.1n-0+deb11u4"),
        ),
        (
            deb("11", "libssl1.1", "openssl", "1.1.1n-0+deb11u3"),
            "CVE-2022-2097",
            Affected("1.1.1n-0+deb11u4"),
        ),
        (
            deb("11", "libssl1.1", "openssl", "1.1.1n-0+deb11u4"),
            "CVE-2023-0286",
            Absent,
        ),
        // DSA-5111-1: zlib 1:1.2.11.dfsg-1+deb10u1 in buster, 1:1.2.11.dfsg-2+deb11u1 in bullseye.
        (
            deb("10", "zlib1g", "zlib", "1:1.2.11.dfsg-1"),
            "CVE-2018-25032",
            Affected("1:1.2.11.dfsg-1+deb10u1"),
        ),
        (
            deb("11", "zlib1g", "zlib", "1:1.2.11.dfsg-2"),
            "CVE-2018-25032",
            Affected("1:1.2.11.dfsg-2+deb11u1"),
        ),
        (
            deb("11", "zlib1g", "zlib", "1:1.2.11.dfsg-2+deb11u1"),
            "CVE-2018-25032",
            Absent,
        ),
        // Bookworm has no data here.
        (
            deb("12", "zlib1g", "zlib", "1:1.2.11.dfsg-2"),
            "CVE-2018-25032",
            Absent,
        ),
        // Alpine. ALPINE-CVE-2023-5678: openssl 3.1.4-r1 in v3.18. ALPINE-CVE-2022-37434: zlib 1.2.12-r2 in v3.14.
        (
            apk("3.18", "libcrypto3", "openssl", "3.1.4-r0"),
            "CVE-2023-5678",
            Affected("3.1.4-r1"),
        ),
        (
            apk("3.18", "libcrypto3", "openssl", "3.1.4-r1"),
            "CVE-2023-5678",
            Absent,
        ),
        (
            apk("3.14", "zlib", "zlib", "1.2.12-r1"),
            "CVE-2022-37434",
            Affected("1.2.12-r2"),
        ),
        (apk("3.14", "zlib", "zlib", "1.2.12-r2"), "CVE-2022-37434", Absent),
        // ALPINE-CVE-2021-36159: apk-tools 2.12.6-r0 in v3.14.
        (
            apk("3.14", "apk-tools", "apk-tools", "2.12.5-r1"),
            "CVE-2021-36159",
            Affected("2.12.6-r0"),
        ),
        // AlmaLinux. ALSA-2022:7106 fixes zlib in 8 with 1.2.11-19.el8_6, ALSA-2022:7314 in 9 with 1.2.11-32.el9_0.
        (
            rpm("8", "zlib", "1.2.11-18.el8_5"),
            "CVE-2022-37434",
            Affected("1.2.11-19.el8_6"),
        ),
        (rpm("8", "zlib", "1.2.11-18.el8_5"), "CVE-2018-25032", Absent),
        (
            rpm("9", "zlib", "1.2.11-31.el9"),
            "CVE-2022-37434",
            Affected("1.2.11-32.el9_0"),
        ),
        // ALSA-2023:0946: openssl 1:3.0.1-47.el9_1.
        (
            rpm("9", "openssl", "1:3.0.1-43.el9_0"),
            "CVE-2023-0286",
            Affected("1:3.0.1-47.el9_1"),
        ),
        (rpm("9", "openssl", "1:3.0.1-47.el9_1"), "CVE-2023-0286", Absent),
        // ALSA-2020:1766 lists mozjs52 as 52.9.0-2.el8 and as 52.9.0-2.el8.alma: either is the fix.
        (rpm("8", "mozjs52", "52.9.0-2.el8"), "ALSA-2020:1766", Absent),
        // ALSA-2021:0735 (nodejs:10) lists builds for 8.3, 8.4 and 8.5 of the same fix; other streams are not spoken of.
        (
            nodejs("1:10.23.1-1.module_el8.3.0+2023+d2377ea3", "10"),
            "CVE-2021-22883",
            Affected(
                "1:10.24.0-1.module_el8.3.0+2047+b07ac28e 1:10.24.0-1.module_el8.4.0+2224+b07ac28e 1:10.24.0-1.module_el8.5.0+81+7dbe79d3",
            ),
        ),
        (
            nodejs("1:10.24.0-1.module_el8.3.0+2047+b07ac28e", "10"),
            "CVE-2021-22883",
            Absent,
        ),
    ]
}

fn found<'a>(findings: &'a [Finding], name: &str) -> Option<&'a Finding> {
    findings
        .iter()
        .find(|finding| finding.rule == name || finding.aliases.iter().any(|alias| alias == name))
}

fn findings(database: &Database, package: &Package) -> Vec<Finding> {
    let found = match_packages(
        database,
        std::slice::from_ref(package),
        None,
        &MatchOptions::default(),
    )
    .unwrap();
    assert_eq!(found.problems, [], "{}", package.name);
    found.findings
}

#[test]
fn findings_are_what_the_records_say() {
    let Some(data) = testkit::family::test_data() else {
        return;
    };
    let (_folder, database, summary) = built(&mut RealData(data));
    assert_eq!(summary.problems, []);
    assert_eq!(
        (summary.contents.advisories, summary.contents.withdrawn),
        (32_174, 43),
        "as the data's README counts them"
    );
    let mut wrong = Vec::new();
    for (package, name, expect) in rows() {
        let findings = findings(&database, &package);
        let found = found(&findings, name);
        let fits = match (expect, found) {
            (Absent, None) => true,
            (Affected(fixed), Some(finding)) => {
                finding.status == Status::Affected && finding.fixed.join(" ") == fixed
            }
            (Undetermined, Some(finding)) => {
                finding.status == Status::Undetermined && !finding.reason.is_empty()
            }
            _ => false,
        };
        if !fits {
            wrong.push(format!(
                "{} {} {name}: expected {expect:?}, found {found:?}",
                package.name, package.version
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // What comes with a finding: exploitation from CISA's catalogue, its kind, the links of a record.
    let log4j = findings(
        &database,
        &package("Maven", "org.apache.logging.log4j:log4j-core", "2.14.1"),
    );
    let log4shell = found(&log4j, "CVE-2021-44228").unwrap();
    assert!(log4shell.known_exploited.as_ref().unwrap().ransomware);
    assert!(
        !log4shell.references.is_empty() && log4shell.aliases.contains(&"GHSA-jfh8-c2jp-5v3q".to_owned())
    );
    let unmaintained = findings(&database, &package("crates.io", "ansi_term", "0.12.1"));
    assert_eq!(unmaintained[0].kind, FindingKind::Eol);
    // No package of an ecosystem is found under another's name.
    assert_eq!(findings(&database, &package("npm", "django", "1.0.0")), []);
    assert_eq!(findings(&database, &package("PyPI", "lodash", "1.0.0")), []);
}
