//! Tables and a naive reference for OSV's evaluation.

use super::{Comparison, Verdict, evaluate, from_fact, to_fact};
use crate::schemes::{Scheme, for_ecosystem};
use model::{Event, Range, RangeKind};
use proptest::prelude::*;

fn scheme(ecosystem: &str) -> &'static dyn Scheme {
    for_ecosystem(ecosystem).unwrap()
}

fn comparison(ecosystem: &str) -> Comparison<'static> {
    Comparison {
        scheme: scheme(ecosystem),
        loose_epoch: false,
    }
}

/// `introduced=0;fixed=1.2` with several ranges separated by `|`.
fn ranges(text: &str) -> Vec<Range> {
    text.split('|')
        .filter(|text| !text.is_empty())
        .map(from_fact)
        .collect()
}

fn listed(text: &str) -> Vec<String> {
    text.split_ascii_whitespace().map(str::to_owned).collect()
}

#[test]
fn events_decide_as_osv_says() {
    for (text, versions, version, affected) in [
        ("introduced=0;fixed=1.2.0", "", "1.1.9", true),
        ("introduced=0;fixed=1.2.0", "", "1.2.0", false),
        ("introduced=0;fixed=1.2.0", "", "1.2.0-rc.1", true),
        ("introduced=0", "", "99.0.0", true),
        ("introduced=1.0.0;fixed=1.2.0", "", "0.9.0", false),
        ("introduced=1.0.0;fixed=1.2.0", "", "1.0.0", true),
        ("introduced=1.0.0;last_affected=1.2.0", "", "1.2.0", true),
        ("introduced=1.0.0;last_affected=1.2.0", "", "1.2.1", false),
        // Two parts in one range, in any order.
        (
            "introduced=1.0.0;fixed=1.2.0;introduced=2.0.0;fixed=2.3.0",
            "",
            "1.5.0",
            false,
        ),
        (
            "introduced=1.0.0;fixed=1.2.0;introduced=2.0.0;fixed=2.3.0",
            "",
            "2.1.0",
            true,
        ),
        (
            "introduced=2.0.0;fixed=2.3.0;introduced=1.0.0;fixed=1.2.0",
            "",
            "2.1.0",
            true,
        ),
        (
            "introduced=2.0.0;fixed=2.3.0;introduced=1.0.0;fixed=1.2.0",
            "",
            "2.3.0",
            false,
        ),
        // Parts that touch.
        (
            "introduced=1.0.0;fixed=2.0.0;introduced=2.0.0;fixed=3.0.0",
            "",
            "2.0.0",
            true,
        ),
        // Several ranges.
        (
            "introduced=1.0.0;fixed=1.2.0|introduced=2.0.0;fixed=2.1.0",
            "",
            "2.0.5",
            true,
        ),
        (
            "introduced=1.0.0;fixed=1.2.0|introduced=2.0.0;fixed=2.1.0",
            "",
            "1.3.0",
            false,
        ),
        // Limits.
        ("introduced=0;limit=2.0.0", "", "1.9.0", true),
        ("introduced=0;limit=2.0.0", "", "2.0.0", false),
        ("introduced=0;limit=1.0.0;limit=2.0.0", "", "1.5.0", true),
        ("introduced=0;limit=*", "", "9.0.0", true),
        // Enumerated versions, alone and besides.
        ("", "1.0.0 1.1.0", "1.1.0", true),
        ("", "1.0.0 1.1.0", "1.2.0", false),
        ("introduced=0;fixed=1.0.0", "1.5.0", "1.5.0", true),
        ("", "", "1.0.0", false),
        // Nothing is introduced.
        ("fixed=1.0.0", "", "0.1.0", false),
    ] {
        let verdict = evaluate(&ranges(text), &listed(versions), version, comparison("npm"));
        assert_eq!(
            matches!(verdict, Verdict::Affected(_)),
            affected,
            "{version} in {text} / {versions}: {verdict:?}"
        );
    }
}

#[test]
fn a_verdict_names_the_part_and_its_fix() {
    let why = |text: &str, version: &str| match evaluate(&ranges(text), &[], version, comparison("npm")) {
        Verdict::Affected(why) => (why.range, why.comparison, why.fixed),
        other => panic!("{other:?}"),
    };
    assert_eq!(
        why(
            "introduced=1.0.0;fixed=1.2.0;introduced=2.0.0;fixed=2.3.0",
            "1.1.0"
        ),
        (
            ">= 1.0.0, < 1.2.0".to_owned(),
            "1.1.0 < 1.2.0".to_owned(),
            Some("1.2.0".to_owned())
        )
    );
    assert_eq!(
        why("introduced=0;last_affected=2.0.0", "1.1.0"),
        (">= 0, <= 2.0.0".to_owned(), "1.1.0 <= 2.0.0".to_owned(), None)
    );
    assert_eq!(
        why("introduced=1.0.0", "1.1.0"),
        (">= 1.0.0".to_owned(), "1.1.0 >= 1.0.0".to_owned(), None)
    );
}

#[test]
fn what_cannot_be_compared_is_undetermined_unless_something_else_decides() {
    let broken = "introduced=0;fixed=not a version";
    let verdict = evaluate(&ranges(broken), &[], "1.0.0", comparison("npm"));
    assert!(
        matches!(&verdict, Verdict::Undetermined(reason) if reason.contains("not a version")),
        "{verdict:?}"
    );
    let verdict = evaluate(&ranges(broken), &listed("1.0.0"), "1.0.0", comparison("npm"));
    assert!(matches!(verdict, Verdict::Affected(_)));
    let both = format!("{broken}|introduced=0;fixed=2.0.0");
    assert!(matches!(
        evaluate(&ranges(&both), &[], "1.0.0", comparison("npm")),
        Verdict::Affected(_)
    ));
}

#[test]
fn ranges_of_commits_say_nothing() {
    let range = Range {
        kind: RangeKind::Git,
        events: vec![Event::Introduced("0".to_owned())],
    };
    assert_eq!(
        evaluate(&[range], &[], "1.0.0", comparison("npm")),
        Verdict::Clear(None)
    );
}

#[test]
fn a_one_sided_epoch_is_ignored_only_when_asked() {
    let affected = |version: &str, fixed: &str, loose_epoch: bool| {
        let comparison = Comparison {
            scheme: scheme("AlmaLinux:9"),
            loose_epoch,
        };
        let ranges = ranges(&format!("introduced=0;fixed={fixed}"));
        matches!(evaluate(&ranges, &[], version, comparison), Verdict::Affected(_))
    };
    assert!(affected("3.0.7-27.el9", "1:3.0.7-24.el9", false));
    assert!(!affected("3.0.7-27.el9", "1:3.0.7-24.el9", true));
    assert!(affected("3.0.7-20.el9", "1:3.0.7-24.el9", true));
    assert!(
        affected("1:3.0.7-27.el9", "2:3.0.7-24.el9", true),
        "both sides have one: it counts"
    );
}

/// OSV's pseudo-code, word by word, over whole numbers: sort by version (stable), then walk.
fn naive(events: &[(u8, u32)], version: u32) -> bool {
    let mut sorted = events.to_vec();
    sorted.sort_by_key(|(_, bound)| *bound);
    let limits: Vec<u32> = events
        .iter()
        .filter(|(kind, _)| *kind == 3)
        .map(|(_, bound)| *bound)
        .collect();
    if !limits.is_empty() && !limits.iter().any(|limit| version < *limit) {
        return false;
    }
    let mut vulnerable = false;
    for (kind, bound) in sorted {
        match kind {
            0 if version >= bound => vulnerable = true,
            1 if version >= bound => vulnerable = false,
            2 if version > bound => vulnerable = false,
            _ => {}
        }
    }
    vulnerable
}

proptest! {
    #[test]
    fn agrees_with_osvs_algorithm(events in prop::collection::vec((0_u8..4, 0_u32..12), 0..8), version in 0_u32..14) {
        let range = Range {
            kind: RangeKind::Semver,
            events: events.iter().map(|(kind, bound)| {
                let bound = format!("{bound}.0.0");
                match kind {
                    0 => Event::Introduced(bound),
                    1 => Event::Fixed(bound),
                    2 => Event::LastAffected(bound),
                    _ => Event::Limit(bound),
                }
            }).collect(),
        };
        let verdict = evaluate(std::slice::from_ref(&range), &[], &format!("{version}.0.0"), comparison("npm"));
        prop_assert_eq!(matches!(verdict, Verdict::Affected(_)), naive(&events, version), "{:?} {}", range, version);
        prop_assert_eq!(from_fact(&to_fact(&range)).events, range.events);
    }
}
