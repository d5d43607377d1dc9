//! Hullward's own rules: they load without a word of complaint, agree with their folder, fixtures and reference page, and
//! never meet the names of the community's rules. What their fixtures say is tested where events can be made, in `cli`.
#![allow(clippy::disallowed_methods, reason = "tests read the project's own files")]
#![allow(clippy::unwrap_used, reason = "a failing test helper should panic")]

use detect::coverage::Coverage;
use detect::{Finding, LoadOptions, LoadResult, Loader, Rule, RuleSet, rules};
use std::collections::BTreeSet;
use std::fs;
use testkit::family;

/// Fields that Falco does not have.
const OWN_FIELDS: [&str; 4] = [
    "evt.is_io_uring",
    "fd.realpath",
    "proc.interpreter",
    "proc.is_exe_deleted",
];

fn complaints(result: &LoadResult) -> Vec<String> {
    let findings = result.errors.iter().chain(&result.warnings);
    findings.map(Finding::to_text).collect()
}

fn own() -> RuleSet {
    let mut loader = Loader::new(LoadOptions::default()).unwrap();
    for result in loader.add_own() {
        assert_eq!(complaints(&result), [""; 0], "{}", result.name);
    }
    loader.finish()
}

fn loaded<'a>(set: &'a RuleSet, rule: &rules::OwnRule) -> &'a Rule {
    let title = rule.guidance().title;
    let found = set.rules().iter().find(|loaded| loaded.name == title);
    found.unwrap_or_else(|| panic!("{} defines no rule `{title}`", rule.name))
}

#[test]
fn all_load_without_a_complaint() {
    let set = own();
    assert_eq!(set.rules().len(), rules::ALL.len());
    for rule in rules::ALL {
        let loaded = loaded(&set, rule);
        assert!(loaded.enabled, "{}", rule.name);
        assert!(!loaded.event_types().is_empty(), "{}", rule.name);
    }
}

#[test]
fn each_file_needs_nothing_but_itself_and_the_common_one() {
    for rule in rules::ALL {
        let mut loader = Loader::new(LoadOptions::default()).unwrap();
        let file = format!("{}\n{}", rules::COMMON, rule.text);
        let result = loader.add(rule.name, file.as_bytes());
        let errors: Vec<String> = result.errors.iter().map(Finding::to_text).collect();
        assert_eq!(errors, [""; 0], "{}", rule.name);
    }
}

#[test]
fn folder_registry_and_fixtures_agree() {
    let root = family::workspace_root();
    let registry: BTreeSet<String> = rules::ALL.iter().map(|rule| rule.name.to_owned()).collect();
    let names: Vec<&str> = rules::ALL.iter().map(|rule| rule.name).collect();
    assert!(names.is_sorted(), "the registry is not in alphabetical order");
    assert_eq!(registry.len(), rules::ALL.len(), "a name is there twice");
    assert!(registry.iter().all(|name| model::is_kebab_case(name)));
    let files: BTreeSet<String> = fs::read_dir(root.join("crates/detect/src/rules"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .filter(|stem| stem != "common")
        .collect();
    assert_eq!(files, registry, "left: files, right: the registry");

    let fixtures = root.join("crates/detect/tests/fixtures/rules");
    let folders: BTreeSet<String> = fs::read_dir(&fixtures)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(
        folders, registry,
        "left: folders of fixtures, right: the registry"
    );
    for rule in rules::ALL {
        let name = rule.name;
        let cases = family::cases(&fixtures.join(name));
        let examples: BTreeSet<String> = rule
            .examples
            .iter()
            .map(|example| example.name.to_owned())
            .collect();
        assert_eq!(
            examples, cases,
            "{name}: left: examples in the registry, right: files"
        );
        assert!(
            rule.examples.iter().map(|example| example.name).is_sorted(),
            "{name}"
        );
        for kind in ["hit-", "miss-"] {
            assert!(
                cases.iter().any(|case| case.starts_with(kind)),
                "{name} has no {kind}case"
            );
        }
        assert!(
            cases
                .iter()
                .all(|case| case.starts_with("hit-") || case.starts_with("miss-")),
            "{name}: {cases:?}"
        );
    }
}

#[test]
fn names_are_not_those_of_the_community() {
    let Some(data) = family::test_data() else {
        return;
    };
    let set = own();
    let ours: BTreeSet<&str> = set.rules().iter().map(|rule| rule.name.as_str()).collect();
    let mut files = 0;
    for entry in fs::read_dir(data.join("falco/rules")).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        files += 1;
        for line in text.lines() {
            if let Some(name) = line.strip_prefix("- rule: ") {
                assert!(!ours.contains(name.trim()), "{name} is there already");
            }
            for kind in ["- macro: ", "- list: "] {
                if let Some(name) = line.strip_prefix(kind) {
                    assert!(!name.starts_with("hw_"), "{name}");
                }
            }
        }
    }
    assert!(files > 0, "no rule files in the test data");
}

#[test]
fn the_reference_page_is_up_to_date() {
    let page = family::workspace_root().join("docs/reference/rules.md");
    family::check_generated(&page, &reference(&own()));
}

fn reference(set: &RuleSet) -> String {
    let mut page = String::from(
        "<!-- Generated by `make bless`; do not edit. -->\n# Hullward's own rules\n\n\
         What the rules of the community lack. [Detections](../detections.md) says how to use and tune them; the files are in \
         `crates/detect/src/rules`. A rule that uses a field of Hullward's own does not load in Falco; the others do, together \
         with `common.yaml`.\n\n",
    );
    page.push_str(&format!(
        "{} rules.\n\n| name | finds | priority | techniques |\n|---|---|---|---|\n",
        rules::ALL.len()
    ));
    for rule in rules::ALL {
        let loaded = loaded(set, rule);
        let techniques: Vec<&str> = loaded.techniques().collect();
        page.push_str(&format!(
            "| [`{}`](#{}) | {} | {} | {} |\n",
            rule.name,
            rule.name,
            loaded.name,
            loaded.priority.name(),
            techniques.join(" ")
        ));
    }
    for rule in rules::ALL {
        let loaded = loaded(set, rule);
        let guidance = rule.guidance();
        let events: Vec<&str> = loaded.event_types().iter().map(|kind| kind.name()).collect();
        let condition = set.expanded(loaded).to_string();
        let fields: Vec<String> = OWN_FIELDS
            .iter()
            .filter(|field| condition.contains(**field) || loaded.format.contains(**field))
            .map(|field| format!("`{field}`"))
            .collect();
        page.push_str(&format!(
            "\n## `{}`\n\n**{}.** {}\n\n- Why: {}\n- Respond: {}\n- Priority: {}\n- Tags: {}\n- Events: {}\n",
            rule.name,
            loaded.name,
            loaded.description.trim(),
            guidance.why,
            guidance.respond,
            loaded.priority.name(),
            loaded.tags.join(", "),
            events.join(", ")
        ));
        if !fields.is_empty() {
            page.push_str(&format!("- Fields of Hullward's own: {}\n", fields.join(", ")));
        }
        for reference in &guidance.references {
            page.push_str(&format!("- Reference: <{reference}>\n"));
        }
    }
    let covered = set
        .rules()
        .iter()
        .map(|rule| (rule.name.as_str(), rule.tags.as_slice()));
    page.push_str("\n# Coverage of MITRE ATT&CK\n\n");
    page.push_str(&Coverage::of(covered).markdown());
    page.push_str(
        "\n© 2025 The MITRE Corporation. This work is reproduced and distributed with the permission of The MITRE \
         Corporation.\n",
    );
    page
}

#[test]
fn the_tuning_that_the_guide_shows_works() {
    let guide = fs::read_to_string(family::workspace_root().join("docs/detections.md")).unwrap();
    let blocks: Vec<&str> = guide
        .split("```yaml\n")
        .skip(1)
        .filter_map(|rest| rest.split_once("```"))
        .map(|(block, _)| block)
        .filter(|block| block.starts_with("- rule:"))
        .collect();
    assert_eq!(blocks.len(), 2);
    let mut loader = Loader::new(LoadOptions::default()).unwrap();
    loader.add_own();
    for block in blocks {
        assert_eq!(complaints(&loader.add("guide.yaml", block.as_bytes())), [""; 0]);
    }
    let set = loader.finish();
    let (_, tuned) = set.rule_named("io_uring set up by a container").unwrap();
    assert!(
        set.expanded(tuned)
            .to_string()
            .contains("registry.example/shop/uploader")
    );
    assert!(
        !set.rule_named("Kernel log read in a container")
            .unwrap()
            .1
            .enabled
    );
}
