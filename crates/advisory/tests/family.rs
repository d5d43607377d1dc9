//! The version schemes agree with their folder, fixtures and reference page; their fixtures hold; each is a total order.
#![allow(clippy::disallowed_methods, reason = "tests read their own files")]
#![allow(clippy::unwrap_used, reason = "a failing test helper should panic")]

use advisory::schemes::{self, ALL, ECOSYSTEMS};
use proptest::prelude::*;
use std::cmp::Ordering;
use testkit::family;

const FIXTURES: &str = "crates/advisory/tests/fixtures/schemes";

#[test]
fn family_agrees() {
    let mut introduction = "How versions are ordered. Each ecosystem of OSV has its own order; which one, the table says. A version that \
                            its scheme cannot read makes a finding `undetermined`, never absent. `Docker Hardened Images`, `Root` and \
                            `TuxCare` rebuild the packages of others and take the scheme of the ecosystem behind the colon \
                            (`Root:Alpine:3.18`). `Echo` alone means its Debian packages, `Echo:PyPI`, `Echo:Maven` and `Echo:npm` its \
                            rebuilds of those. `GIT` has no order: commits cannot be compared without their repository.\n\n\
                            | ecosystem | scheme |\n|---|---|\n"
        .to_owned();
    for (ecosystem, scheme) in ECOSYSTEMS {
        introduction.push_str(&format!("| {ecosystem} | `{}` |\n", scheme.meta().name));
    }
    family::check(&family::Family {
        title: "Version schemes",
        introduction: introduction.trim_end(),
        folder: "crates/advisory/src/schemes",
        members: ALL.iter().map(|scheme| scheme.meta()).collect(),
        fixtures: FIXTURES,
        page: "docs/reference/version-schemes.md",
    });
}

/// `hit-order.txt`: chains `a < b = c < d`, of which every pair must be in that order. `miss-invalid.txt`: texts that are no
/// versions of the scheme.
#[test]
fn fixtures_hold() {
    let folder = family::workspace_root().join(FIXTURES);
    let mut failures = Vec::new();
    for scheme in ALL {
        let name = scheme.meta().name;
        let hits = std::fs::read_to_string(folder.join(name).join("hit-order.txt")).unwrap();
        for line in hits
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
        {
            let chain = chain(line);
            for (left, left_place) in &chain {
                for (right, right_place) in &chain {
                    let order = scheme.compare(left, right);
                    if order != Ok(left_place.cmp(right_place)) {
                        failures.push(format!(
                            "{name}: `{left}` against `{right}` gives {order:?} in `{line}`"
                        ));
                    }
                }
            }
        }
        let misses = std::fs::read_to_string(folder.join(name).join("miss-invalid.txt")).unwrap();
        for version in misses.lines().chain([""]) {
            match scheme.check(version) {
                Ok(()) => failures.push(format!("{name}: `{version}` must be refused")),
                Err(error) => assert_eq!(error.scheme, name),
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Versions of a chain with their places in the order.
fn chain(line: &str) -> Vec<(&str, usize)> {
    let mut words = line.split(' ');
    let mut place = 0;
    let mut chain = vec![(words.next().unwrap(), place)];
    while let Some(operator) = words.next() {
        match operator {
            "<" => place += 1,
            "=" => {}
            other => panic!("`{other}` is no operator in `{line}`"),
        }
        chain.push((words.next().unwrap(), place));
    }
    assert!(chain.len() > 1, "`{line}` compares nothing");
    chain
}

#[test]
fn ecosystems_are_listed_in_order_and_all_schemes_but_two_are_used() {
    let names: Vec<String> = ECOSYSTEMS.iter().map(|(name, _)| name.to_lowercase()).collect();
    let mut sorted = names.clone();
    sorted.sort();
    sorted.dedup();
    assert_eq!(names, sorted);
    let unused: Vec<&str> = ALL
        .iter()
        .map(|scheme| scheme.meta().name)
        .filter(|name| !ECOSYSTEMS.iter().any(|(_, scheme)| scheme.meta().name == *name))
        .collect();
    // OSV has no ecosystem for Arch Linux and Gentoo.
    assert_eq!(unused, ["pacman-version", "portage-version"]);
}

#[test]
fn ecosystems_are_found_with_and_without_release() {
    for (ecosystem, expected) in [
        ("Debian", Some("dpkg-version")),
        ("Debian:12", Some("dpkg-version")),
        ("Ubuntu:Pro:18.04:LTS", Some("dpkg-version")),
        ("Alpine:v3.18", Some("apk-version")),
        ("Rocky Linux:9", Some("rpm-version")),
        ("crates.io", Some("semver-version")),
        ("Root:Alpine:3.18", Some("apk-version")),
        ("Root:PyPI", Some("pep440-version")),
        ("Docker Hardened Images:Debian:13", Some("dpkg-version")),
        ("Root", None),
        ("Echo", Some("dpkg-version")),
        ("Echo:PyPI", Some("pep440-version")),
        ("Echo:Maven", Some("maven-version")),
        ("Echo:npm", Some("pub-version")),
        ("GIT", None),
        ("debian", None),
        ("", None),
    ] {
        let found = schemes::for_ecosystem(ecosystem).map(|scheme| scheme.meta().name);
        assert_eq!(found, expected, "{ecosystem}");
    }
}

/// Patterns of valid versions, one a scheme, small alphabets so that neighbours are met often.
///
/// Three orders are not total by their own definition, their patterns leave out what makes them so: pacman's equality of a
/// version without release, Conan's comparison as texts of numbers and words that begin with digits, Maven's lists inside lists.
const PATTERNS: &[(&str, &str)] = &[
    (
        "apk-version",
        "[0-9]{1,2}(\\.[0-2]{1,2}){0,2}([ab][0-1]?)?(_(alpha|rc|p|git)[0-2]?){0,2}(~[0-9a-b])?(-r[0-2])?",
    ),
    (
        "bitnami-version",
        "v?[0-2](\\.[0-2]){0,3}(-([0-2]|a|rc\\.[0-2]))?(\\+b)?",
    ),
    (
        "composer-version",
        "v?[0-2](\\.[0-2]){0,3}(-(dev|alpha|a1|beta2|RC[0-2]|p1|stable|foo|[0-2]))?|dev-[ab]|[0-2]\\.x-dev|201[0-2]-0[12]",
    ),
    (
        "conan-version",
        "([0-2]{1,2}|[ab][0-2]?)(\\.([0-2]{1,2}|[ab][0-2]?)){0,3}(-[a-b0-2])?(\\+[a-b0-2])?",
    ),
    ("cran-version", "[0-2]{1,2}([.-][0-2]{1,2}){0,3}"),
    ("dpkg-version", "([0-2]:)?[0-2][0-2ab.+~]{0,4}(-[0-2ab.+~]{1,3})?"),
    (
        "freebsd-version",
        "[0-2a]([0-2]|\\.|a|b|pl|rc|alpha|\\+){0,5}(_[0-2])?(,[0-2])?",
    ),
    ("generic-version", "v?[0-2]([0-2.ab-]|rc|dev|p){0,6}"),
    (
        "go-version",
        "v?[0-2](\\.[0-2]){0,2}(-([0-2]|a|rc\\.[0-2]))?(\\+incompatible)?|go1\\.2[0-2](rc[0-2]|beta1|\\.[0-2])?",
    ),
    ("hackage-version", "[0-2](\\.[0-2]){0,3}"),
    (
        "hex-version",
        "[0-2](\\.[0-2]){0,2}(-([0-2]|a|rc\\.[0-2]))?(\\+b)?",
    ),
    (
        "julia-version",
        "v?[0-2](\\.[0-2]){0,2}(-|-?(a|rc)[0-2]?|-[0-2])?(\\+[0-2a])?",
    ),
    (
        "maven-version",
        "[0-2](\\.[0-2]){0,3}(-(alpha|BETA|rc|cr|SNAPSHOT|ga|sp|foo|jre))?",
    ),
    (
        "npm-version",
        "v?[0-2](\\.[0-2]){0,2}(-([0-2]|a|rc\\.[0-2]))?(\\+b)?",
    ),
    (
        "nuget-version",
        "[0-2]{1,2}(\\.[0-2]){0,3}(-([0-2]|a|RC|rc|-1|99999999999)(\\.[0-2])?)?(\\+b)?",
    ),
    (
        "pacman-version",
        "([0-2]:)?[0-2]([0-2]|[ab.]){0,4}-[0-2](\\.[0-2])?",
    ),
    (
        "pep440-version",
        "([0-2]!)?[0-2](\\.[0-2]){0,2}(\\.?(a|beta|rc|c)[0-2]?)?(\\.post[0-2]|-[0-2])?(\\.dev[0-2])?(\\+[0-2a](\\.[0-2b])?)?",
    ),
    (
        "portage-version",
        "[0-2]{1,2}(\\.[0-2]{1,2}){0,2}[ab]?(_(alpha|rc|p)[0-2]?){0,2}(-r[0-2])?",
    ),
    (
        "pub-version",
        "v?[0-2](\\.[0-2]){0,2}(-([0-2]|a|rc\\.[0-2]))?(\\+[0-2a](\\.[0-2])?)?",
    ),
    (
        "rpm-version",
        "([0-2]:)?[0-2ab]([0-2ab._~^]){0,4}(-[0-2ab.~^]{0,3})?",
    ),
    (
        "rubygems-version",
        "[0-2]{1,2}(\\.([0-2]|[ab][0-2]?)){0,3}(-[ab0-2]{1,2})?",
    ),
    (
        "semver-version",
        "v?[0-2](\\.[0-2]){0,3}(-([0-2]|a|rc\\.[0-2]))?(\\+b)?",
    ),
    (
        "swift-version",
        "v?[0-2](\\.[0-2]){0,2}(-([0-2]|a|rc\\.[0-2]))?(\\+b)?",
    ),
];

#[test]
fn every_scheme_has_a_pattern() {
    let named: Vec<&str> = PATTERNS.iter().map(|(name, _)| *name).collect();
    let all: Vec<&str> = ALL.iter().map(|scheme| scheme.meta().name).collect();
    assert_eq!(named, all);
}

/// A scheme's name and three of its versions.
fn triples() -> impl Strategy<Value = (&'static str, [String; 3])> {
    (0..PATTERNS.len()).prop_flat_map(|index| {
        let (name, pattern) = PATTERNS[index];
        let version = || proptest::string::string_regex(pattern).unwrap();
        (version(), version(), version()).prop_map(move |(a, b, c)| (name, [a, b, c]))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn each_scheme_is_a_total_order((name, versions) in triples()) {
        let [a, b, c] = &versions;
        let scheme = schemes::find(name).unwrap();
        let compare = |x: &str, y: &str| scheme.compare(x, y);
        let (ab, bc, ac) = (compare(a, b).unwrap(), compare(b, c).unwrap(), compare(a, c).unwrap());
        prop_assert_eq!(compare(a, a), Ok(Ordering::Equal));
        prop_assert_eq!(compare(b, a), Ok(ab.reverse()));
        if ab == bc || bc == Ordering::Equal {
            prop_assert_eq!(ac, ab, "{} {} {}", a, b, c);
        } else if ab == Ordering::Equal {
            prop_assert_eq!(ac, bc, "{} {} {}", a, b, c);
        }
    }

    #[test]
    fn no_text_makes_a_scheme_panic(a in any::<String>(), b in "[-0-9a-z.~^_:+!,é ]{0,12}") {
        for scheme in ALL {
            let order = scheme.compare(&a, &b);
            let reverse = scheme.compare(&b, &a);
            prop_assert_eq!(order.is_ok(), reverse.is_ok());
            prop_assert_eq!(scheme.compare(&b, &b).is_ok(), scheme.check(&b).is_ok());
            let _ = schemes::npm_satisfies(&a, &b);
            let _ = schemes::npm_satisfies("1.2.3", &b);
        }
    }
}

/// Long runs of what a version may hold neither exhaust the stack nor overflow a number.
#[test]
fn long_texts_end() {
    for part in [
        "0", "1", "9.", "0.", "a", "1a", "a1.", "-1", "1-", "~", "^", "_", "_p1", "1_", "+", ".", ":", "rc1.",
    ] {
        let long = format!("1{}", part.repeat((1 << 15) / part.len()));
        let longer = format!("{long}1");
        for scheme in ALL {
            let order = scheme.compare(&long, &longer);
            let reverse = scheme.compare(&longer, &long);
            assert_eq!(order.is_ok(), reverse.is_ok(), "{}: {part}", scheme.meta().name);
        }
        assert!(
            schemes::npm_satisfies("1.0.0", &long).is_err() || part == "1",
            "{part}"
        );
    }
}
