//! Public tables of version comparisons, of osv-scalibr and claircore, hold.
#![allow(clippy::disallowed_methods, reason = "tests read their own files")]
#![allow(clippy::unwrap_used, reason = "a failing test helper should panic")]

use advisory::schemes::{self, Scheme};
use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::path::Path;
use testkit::family;

/// Lines of the tables that are wrong, or that speak of texts which are no versions.
struct Disputed {
    because: &'static str,
    lines: &'static [&'static str],
}

const DISPUTED: &[Disputed] = &[
    Disputed {
        because: "apk-tools 3 does not take the text for a version (an empty number or revision), and orders what cannot be read like the shorter text; that older releases of apk went on reading is no rule of the format",
        lines: &[
            "1-r = 1-r0",
            "0..1..0 < 0..1..1",
            "0...1...0 < 0...1...1",
            "0...1...0.r1 < 0...1...0.r2",
            "0...1...0r1 < 0...1...0r2",
            "0..8 > 0...8",
            "0.8.21.r2 > 0.8.21.r1",
            "1-r0-1 = 1-r-2",
        ],
    },
    Disputed {
        because: "refused: apk-tools takes none of these for a version, it begins with a digit",
        lines: &[".1 < 1", "1 > .1", ".2 > .1", "a < b", "c > b", "c = c"],
    },
    Disputed {
        because: "ComparableVersion of Maven 3.8.7 and 3.9.11, run on these lines, answers as we do; the table was made with an older Maven",
        lines: &[
            "1-1 = 1-ga-1",
            "1.0.0-RC16 < 1.0.0.RC8-beta",
            "1.0.0-gradle-rework-beta3 < 1.0.0.RC7-3",
            "2.9.0-1 < 2.9.0.RC1",
            "6.1.12.rc5 < 6.1.12rc1",
            "1.1.31.sec10 < 1.1.31_noneautotype",
            "1.1.34.sec10 < 1.1.34_noneautotype",
            "1.1.46.sec10 < 1.1.46_noneautotype",
            "1.2.8.sec10_noneautotype < 1.2.8_noneautotype",
            "1.2.31.sec10 < 1.2.31_noneautotype",
            "1.2.48.sec10 < 1.2.48_noneautotype",
            "1.2.50.sec10 < 1.2.50_noneautotype",
            "1.2.54.sec10 < 1.2.54_noneautotype",
            "1.2.57.sec10 < 1.2.57_noneautotype",
            "1.2.60.sec10 < 1.2.60_noneautotype",
            "1.2.67.sec10 < 1.2.67_noneautotype",
            "1.0.0rc0 < 1.0.beta8",
            "1.5.9.RC1 < 1.5.9-RC0",
            "1.1.0-01-glassfish < 1.1.0.Beta1",
        ],
    },
    Disputed {
        because: "Composer normalises both before it compares (`3.0` is `3.0.0.0`, `-stable` goes, upper case goes); composer/semver, run on these lines, answers as we do, bare version_compare does not",
        lines: &[
            "1.0.0 > 1.0",
            "v3.0 < v3.0.0-beta",
            "v3.4 < v3.4.0-alpha",
            "v4-beta4 < v4.0-alpha",
            "v1.9.0-ALPHA.1 = v1.9.0-BETA.1",
            "v1.9.0-BETA.1 < v1.9.0-ALPHA.2",
            "v1.9.0-ALPHA.2 = v1.9.0-BETA.2",
            "5.1.0-stable < 5.1.0-beta2",
            "v4.4 < v4.4.0-beta",
            "v6.5 < v6.5.0-beta-0",
            "v6.6 < v6.6.0-beta",
        ],
    },
    Disputed {
        because: "refused: Composer's parser throws on `#`",
        lines: &[
            "1.2.3.# = 1.2.3",
            "1.2.3.# = 1.2.3.#",
            "1.2.3.# = 1.2.3.1",
            "1.2.3.#.1 > 1.2.3",
            "1.2.3.#.p3 > 1.2.3",
            "1.2.3.#.beta < 1.2.3",
        ],
    },
    Disputed {
        because: "refused: not of the form of PEP 440; packaging 26 throws InvalidVersion, the order of such legacy versions went with release 22",
        lines: &[
            "0.1-bulbasaur < 0.1-charmander",
            "0.1-charmander < 0.9-doduo",
            "0.9-doduo < 0.9-eevee",
            "0.9-eevee < 0.9-fearow",
            "0.9-fearow < 0.9-gyarados",
            "0.9-gyarados < 0.9-horsea",
            "0.9-horsea < 0.9-ivysaur",
            "0.9-ivysaur < 1.0",
            "-class.-jw.util.version.version-pre < 1.0",
            "-class.-jw.util.version.version-preview < 1.0",
            "-class.-jw.util.version.version-dev < 1.0",
            "2.0.1rc2-git < 0.8",
            "0.7.1.fix1 < 0.7.4.svn.r2010",
            "0.7.4.svn.r2010 < 0.6.4",
            "2013-01-21T20:33:09+0100 < 2013-01-23T17:11:52+0100",
            "2013-01-23T17:11:52+0100 < 2013-02-01T20:50:46+0100",
            "2013-02-01T20:50:46+0100 < 2013-02-02T19:59:03+0100",
            "2013-02-02T19:59:03+0100 < 2013-02-02T20:23:17+0100",
            "2013-02-02T20:23:17+0100 < 2013-02-08T17:40:57+0000",
            "2013-02-08T17:40:57+0000 < 2013-03-27T16:32:26+0100",
            "2013-03-27T16:32:26+0100 < 2013-05-09T12:47:53+0200",
            "2013-05-09T12:47:53+0200 < 2013-05-10T17:55:56+0200",
            "2013-05-10T17:55:56+0200 < 2013-05-14T20:16:05+0200",
            "2013-05-14T20:16:05+0200 < 2013-06-01T10:32:51+0200",
            "2013-06-01T10:32:51+0200 < 2013-07-19T09:11:08+0000",
            "2013-07-19T09:11:08+0000 < 2013-08-12T21:48:56+0200",
            "2013-08-12T21:48:56+0200 < 2013-09-11T19-27-10",
            "2013-09-11T19-27-10 < 2013-12-23T17-51-15",
            "2013-12-23T17-51-15 < 2014-01-12T15-52-10",
            "2014-01-12T15-52-10 < 0.2016.3.21",
            "0.0.1-test1 < 3.0.0a4",
            "0.7.10p1 < 0.7.11p1",
            "0.7.11p1 < 0.7.11p2",
            "0.7.11p2 < 0.7.11p3",
            "0.7.11p3 < 0.8.1p1",
            "0.8.1p1 < 0.8.3p1",
            "0.8.3p1 < 0.8.4p1",
            "0.8.4p1 < 0.8.4p2",
            "0.8.4p2 < 0.8.6p1",
            "0.8.6p1 < 0.8.7p1",
            "0.8.7p1 < 0.7.3",
            "-class.-jw.util.version.Version- < 1.0.dev1",
            "trunk < 3.2.3",
            "0.3m1 < 0.3m2",
            "0.3m2 < 0.3m3",
            "0.3m3 < 0.3m4",
            "0.3m4 < 0.3m5",
            "0.3m5 < 0.4m1",
            "0.4m1 < 0.4m2",
            "0.4m2 < 0.4m3",
            "0.4m3 < 0.4m4",
            "0.4m4 < 0.4m5",
            "0.4m5 < 0.5m1",
            "0.5m1 < 0.5m2",
            "0.5m2 < 0.5m3",
            "0.5m3 < 0.5m4",
            "0.5m4 < 0.5m5",
            "0.5m5 < 0.6m1",
            "0.6m1 < 0.6m2",
            "0.6m2 < 0.6m3",
            "0.6m3 < 0.6m4",
            "0.6m4 < 0.6m5",
            "0.6m5 < 0.6m6",
            "0.6m6 < 0.2rc0",
            "1.3.1-STAGING < 0.0.1",
            "4.11-final < 5.0-final",
            "5.0-final < 5.1",
            "a3 < 2.0b1",
            "2.0.0-final < 0.10",
            "1.0beta6.1 < 1.0b6",
            "0.3.1-p1 < 0.4.0-p1",
            "0.4.0-p1 < 0.0.1",
        ],
    },
    Disputed {
        because: "refused: Gem::Version throws, the first segment must be a number",
        lines: &["1 > 1beta", "1 > 1gamma"],
    },
];

/// Tables of osv-scalibr and the schemes that they are about.
const TABLES: &[(&str, &str)] = &[
    ("alpine-versions", "apk-version"),
    ("alpine-versions-generated", "apk-version"),
    ("cran-versions", "cran-version"),
    ("cran-versions-generated", "cran-version"),
    ("debian-versions", "dpkg-version"),
    ("debian-versions-generated", "dpkg-version"),
    ("hackage-versions", "hackage-version"),
    ("maven-versions", "maven-version"),
    ("maven-versions-generated", "maven-version"),
    ("nuget-versions", "nuget-version"),
    ("packagist-versions", "composer-version"),
    ("packagist-versions-generated", "composer-version"),
    ("pub-versions", "pub-version"),
    ("pypi-versions", "pep440-version"),
    ("pypi-versions-generated", "pep440-version"),
    ("redhat-versions", "rpm-version"),
    ("rubygems-versions", "rubygems-version"),
    ("rubygems-versions-generated", "rubygems-version"),
    ("semver-versions", "semver-version"),
];

#[test]
fn every_line_holds_but_those_disputed() {
    let Some(data) = family::test_data() else { return };
    let mut wrong = BTreeSet::new();
    let mut count = 0;
    for (table, scheme) in TABLES {
        let path = data.join("versions/osv-scalibr").join(format!("{table}.txt"));
        count += check_table(&path, scheme, &mut wrong);
    }
    count += check_table(
        &data.join("versions/claircore-rpmver/rpmvercmp"),
        "rpm-version",
        &mut wrong,
    );
    assert!(count > 71_000, "the tables hold {count} comparisons only");

    let disputed: BTreeSet<String> = DISPUTED
        .iter()
        .flat_map(|group| group.lines)
        .map(|line| (*line).to_owned())
        .collect();
    let unexpected: Vec<_> = wrong.difference(&disputed).collect();
    assert!(unexpected.is_empty(), "these do not hold: {unexpected:#?}");
    let stale: Vec<_> = disputed.difference(&wrong).collect();
    assert!(
        stale.is_empty(),
        "these hold and need not be disputed: {stale:#?}"
    );
    assert!(DISPUTED.iter().all(|group| !group.because.is_empty()));
}

/// Adds the lines that do not hold; gives the number of comparisons.
fn check_table(path: &Path, scheme: &str, wrong: &mut BTreeSet<String>) -> usize {
    let scheme = schemes::find(scheme).unwrap();
    let mut count = 0;
    for (line, left, operator, right) in comparisons(&std::fs::read_to_string(path).unwrap()) {
        count += 1;
        let expected = ordering(operator);
        // Each comparison is made both ways.
        let holds = scheme.compare(left, right) == Ok(expected)
            && scheme.compare(right, left) == Ok(expected.reverse());
        if !holds {
            wrong.insert(line.to_owned());
        }
    }
    count
}

fn comparisons(text: &str) -> impl Iterator<Item = (&str, &str, &str, &str)> {
    text.lines().map(str::trim).filter_map(|line| {
        let mut words = line.split_whitespace();
        let comment = line.is_empty() || line.starts_with('#') || line.starts_with("//");
        (!comment).then(|| {
            let mut word = || {
                words
                    .next()
                    .unwrap_or_else(|| panic!("`{line}` is no comparison"))
            };
            (line, word(), word(), word())
        })
    })
}

fn ordering(operator: &str) -> Ordering {
    match operator {
        "<" => Ordering::Less,
        "=" | "==" => Ordering::Equal,
        ">" => Ordering::Greater,
        other => panic!("`{other}` is no operator"),
    }
}

/// The third table of claircore is about full package names; where names and architectures agree, the versions decide.
#[test]
fn package_names_of_rpm_compare_by_their_versions() {
    let Some(data) = family::test_data() else { return };
    let scheme = schemes::find("rpm-version").unwrap();
    let text = std::fs::read_to_string(data.join("versions/claircore-rpmver/compare")).unwrap();
    let (mut compared, mut others) = (0, 0);
    for (line, left, operator, right) in comparisons(&text) {
        let (left_name, left) = versions_of(left);
        let (right_name, right) = versions_of(right);
        if left_name == right_name {
            compared += 1;
            assert_holds(scheme, line, left, operator, right);
        } else {
            // Their names or architectures differ, of which a version scheme knows nothing.
            others += 1;
        }
    }
    assert_eq!((compared, others), (6, 6));
}

fn assert_holds(scheme: &dyn Scheme, line: &str, left: &str, operator: &str, right: &str) {
    assert_eq!(scheme.compare(left, right), Ok(ordering(operator)), "{line}");
}

/// Name with architecture, and `epoch:version-release` of `name-epoch:version-release.architecture`.
fn versions_of(package: &str) -> ((&str, &str), &str) {
    let (body, architecture) = match package.rsplit_once('.') {
        Some((body, architecture)) if matches!(architecture, "noarch" | "aarch64" | "riscv") => {
            (body, architecture)
        }
        _ => (package, ""),
    };
    let release = body.rfind('-').unwrap_or_default();
    let start = body[..release].rfind('-').map_or(0, |hyphen| hyphen + 1);
    let name = &body[..start];
    ((name, architecture), &body[start..])
}
