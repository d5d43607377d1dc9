//! Hullward's own rules find what their examples say, and nothing in the examples of events that they must not find.
#![allow(clippy::unwrap_used, reason = "a failing test helper should panic")]
#![allow(clippy::disallowed_methods, reason = "tests make their own files")]

use detect::{Evaluator, LoadOptions, LoadResult, Loader, rules};
use sensor::sample;
use std::collections::BTreeMap;
use std::sync::Arc;
use testkit::{Program, temporary_folder};

const HULLWARD: &str = env!("CARGO_BIN_EXE_hullward");

#[test]
fn examples_do_what_they_say() {
    let mut loader = Loader::new(LoadOptions {
        all_matches: true,
        ..LoadOptions::default()
    })
    .unwrap();
    assert!(loader.add_own().iter().all(LoadResult::successful));
    let set = Arc::new(loader.finish());
    let mut evaluator = Evaluator::new(Arc::clone(&set));
    let mut failures = Vec::new();
    let mut found: BTreeMap<&str, usize> = BTreeMap::new();
    for rule in rules::ALL {
        let title = rule.guidance().title;
        for example in rule.examples {
            let place = format!("{}/{}", rule.name, example.name);
            let events = match sample::parse(example.text).and_then(|samples| sample::events(&samples)) {
                Ok(events) => events,
                Err(error) => {
                    failures.push(format!("{place}: {error}"));
                    continue;
                }
            };
            let fired: Vec<Vec<String>> = events
                .iter()
                .map(|event| {
                    let mut fired = Vec::new();
                    evaluator.evaluate(event, |id| {
                        fired.extend(set.rule(id).map(|rule| rule.name.clone()));
                    });
                    fired
                })
                .collect();
            let wants_hit = example.name.starts_with("hit-");
            let is_found = match wants_hit {
                true => fired.last().is_some_and(|fired| fired.contains(&title)),
                false => fired.iter().any(|fired| fired.contains(&title)),
            };
            if is_found != wants_hit {
                failures.push(format!("{place}: found is {is_found}; what fired: {fired:?}"));
            }
            *found.entry(rule.name).or_default() += usize::from(is_found);
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(found.values().all(|count| *count > 0));
}

#[test]
fn the_command_tests_own_rules_and_those_of_others() {
    let home = temporary_folder();
    let run = |arguments: &[&str]| Program::new(HULLWARD, home.path()).args(arguments).run();
    let write = |path: &str, text: &str| {
        let path = home.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    let ran = run(&["rules", "test"]).expect_code(0);
    assert!(
        ran.stdout.contains(" rules did as they say, 0 did not\n"),
        "{}",
        ran.stdout
    );
    assert!(ran.stdout.contains("io-uring-sensitive-file"), "{}", ran.stdout);

    write(
        "rules.yaml",
        "- rule: Shell in container\n  desc: d\n  condition: evt.type=execve and container.id != host and proc.name=bash\n  \
         output: o\n  priority: INFO\n",
    );
    let bash = "event: execve\nprocess: {name: bash}\ncontainer: {image: nginx}\n";
    write("cases/shell-in-container/hit-bash.yaml", bash);
    write(
        "cases/shell-in-container/miss-host.yaml",
        "event: execve\nprocess: {name: bash}\n",
    );
    let ran = run(&["rules", "test", "--rules", "rules.yaml", "cases"]).expect_code(0);
    insta::assert_snapshot!(ran.stdout, @r"
    RULE                HIT  MISS  RESULT
    shell-in-container  1    1     ok

    2 examples of 1 rule did as they say, 0 did not
    ");
    write("cases/shell-in-container/miss-wrong.yaml", bash);
    write("cases/shell-in-container/hit-form.yaml", "event: nothing\n");
    write("cases/no-such-rule/hit-x.yaml", bash);
    let ran = run(&["rules", "test", "--rules", "rules.yaml", "cases"]).expect_code(1);
    insta::assert_snapshot!(ran.stdout, @r"
    RULE                HIT  MISS  RESULT
    no-such-rule        0    0     1 failed
    shell-in-container  1    1     2 failed

    cases/no-such-rule/hit-x.yaml: no rule is called `no-such-rule`
    cases/shell-in-container/hit-form.yaml: unknown event `nothing`: use a system call such as `openat`, `execve`, `connect`, or `procexit`
    cases/shell-in-container/miss-wrong.yaml: event 1 is found and must not be

    2 examples of 2 rules did as they say, 3 did not
    ");
    run(&["rules", "test", "--rules", "rules.yaml"]).expect_code(3);
    run(&["rules", "test", "--rules", "rules.yaml", "rules.yaml"]).expect_code(2);
}

#[test]
fn the_command_counts_what_rules_cover() {
    let home = temporary_folder();
    let run = |arguments: &[&str]| Program::new(HULLWARD, home.path()).args(arguments).run();
    let ran = run(&["rules", "coverage", "--format", "json"]).expect_code(0);
    let coverage: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(coverage["rules"], rules::ALL.len());
    let techniques = coverage["techniques"].as_array().unwrap();
    let escape = techniques
        .iter()
        .find(|technique| technique["id"] == "T1611")
        .unwrap();
    assert_eq!(escape["state"], "covered");
    assert!(escape["rules"].as_array().unwrap().len() > 20);
    assert!(
        techniques
            .iter()
            .all(|technique| technique["state"] != "not covered")
    );
    let ran = run(&["rules", "coverage", "--tag", "T1611"]).expect_code(0);
    assert!(ran.stdout.starts_with("# Coverage of MITRE ATT&CK\n"));
    assert!(ran.stdout.contains("- T1110 Brute Force\n"), "{}", ran.stdout);
}
