//! The sources of JSON events agree with their folder and reference page, and every field of theirs is what its fixture says.

use model::event::{Argument, ArgumentRule, EventView, FIELDS, Field, FieldState, Value};
use sensor::json::{Intake, JsonEvent, Surroundings, files, sources};
use std::path::Path;
use testkit::family;

const FIXTURES: &str = "crates/sensor/tests/json-fixtures";

#[test]
fn family_agrees() {
    family::check(&family::Family {
        title: "Sources of JSON events",
        introduction: "Where rules of other sources than `syscall` get their events: files, folders, growing files and the audit webhook.",
        folder: "crates/sensor/src/json/sources",
        members: sources::ALL.iter().map(|source| source.meta()).collect(),
        fixtures: FIXTURES,
        page: "docs/reference/json-sources.md",
    });
}

/// Each `NAME.json` is read, and the fields of its events are as `NAME.txt` lists them.
#[test]
fn fields_are_kept() {
    for source in sources::ALL {
        let folder = family::workspace_root().join(FIXTURES).join(source.meta().name);
        let mut cases = 0;
        for case in family::cases(&folder) {
            let surroundings = Surroundings {
                hostname: "node-1".to_owned(),
                cluster: Some("production".to_owned()),
                organization: Some("example".to_owned()),
            };
            let mut intake = Intake::new(*source, surroundings);
            let mut listing = String::new();
            files::read_path(
                &folder.join(format!("{case}.json")),
                &mut intake,
                1_700_000_000_000_000_000,
                &mut |event| list(&event.expect("an event"), &mut listing),
            );
            family::check_generated(&folder.join(format!("{case}.txt")), &listing);
            cases += 1;
        }
        assert!(cases >= 2, "{} has no fixtures", source.name());
    }
}

/// Every field of the catalogue that says to come from a source does, in one of its fixtures.
#[test]
fn every_field_is_told() {
    for source in sources::ALL {
        let folder = family::workspace_root().join(FIXTURES).join(source.meta().name);
        let mut told = String::new();
        for case in family::cases(&folder) {
            told += &committed(&folder.join(format!("{case}.txt")));
        }
        let missing: Vec<&str> = FIELDS
            .iter()
            .filter(|(_, info)| info.sources == [source.name()])
            .map(|(_, info)| info.name)
            .filter(|name| !told.contains(&format!("\n{name} =")) && !told.contains(&format!("\n{name}[")))
            .collect();
        assert!(missing.is_empty(), "{}: {missing:?}", source.name());
    }
}

#[allow(clippy::disallowed_methods, reason = "tests read fixtures")]
fn committed(path: &Path) -> String {
    std::fs::read_to_string(path).expect("fixture")
}

fn list(event: &JsonEvent, listing: &mut String) {
    listing.push_str(&format!("--- {} at {}\n", event.source(), event.time()));
    for (field, info) in FIELDS {
        if !info.sources.contains(&event.source()) {
            continue;
        }
        // What the reference says that each event has, each has.
        let given = arguments(*field, info.argument)
            .iter()
            .any(|argument| event.value(*field, argument).is_present());
        assert!(
            given || field.state(event.source()) != FieldState::Given,
            "{}",
            info.name
        );
        for argument in arguments(*field, info.argument) {
            let value = rendered(&event.value(*field, &argument));
            if value.is_empty() {
                continue;
            }
            let argument = match &argument {
                Argument::None => String::new(),
                Argument::Index(index) => format!("[{index}]"),
                Argument::Key(key) => format!("[{key}]"),
            };
            listing.push_str(&format!("{}{argument} = {value}\n", info.name));
        }
    }
}

fn arguments(field: Field, rule: ArgumentRule) -> Vec<Argument> {
    let key = |text: &str| Argument::Key(text.into());
    match rule {
        ArgumentRule::None => vec![Argument::None],
        ArgumentRule::OptionalIndex => vec![Argument::None, Argument::Index(0), Argument::Index(1)],
        ArgumentRule::RequiredIndex => vec![Argument::Index(60), Argument::Index(3600)],
        _ => match field {
            Field::KaUriParam => vec![key("fieldManager"), key("dryRun"), key("absent")],
            Field::KaReqVolumeHostpath => vec![key("/etc"), key("/et*"), key("/var")],
            Field::KaReqBindingSubjectHasName => vec![key("eve")],
            _ => vec![
                key("/key"),
                key("/list/1/a~1b"),
                key("/requestObject/spec/volumes/0"),
                key("/absent"),
            ],
        },
    }
}

/// Texts in quotes, lists in brackets; nothing for no value.
fn rendered(value: &Value<'_>) -> String {
    match value {
        Value::Absent => String::new(),
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Uint(value) => value.to_string(),
        Value::Text(text) | Value::Bytes(text) => format!("{:?}", String::from_utf8_lossy(text)),
        Value::List(values) => {
            let values: Vec<String> = values.iter().map(rendered).collect();
            format!("[{}]", values.join(", "))
        }
        other => format!("{other:?}"),
    }
}

#[test]
fn recorded_audit_events_are_read() {
    let Some(data) = family::test_data() else { return };
    let mut intake = Intake::new(
        sources::find("k8s_audit").expect("source"),
        Surroundings::default(),
    );
    let mut verbs = Vec::new();
    files::read_path(&data.join("falco/k8s_audit"), &mut intake, 1, &mut |event| {
        let event = event.expect("an event");
        assert!(event.time() > 1_500_000_000_000_000_000, "{:?}", event.json());
        assert!(event.value(Field::KaAuditid, &Argument::None).is_present());
        if let Value::Text(verb) = event.value(Field::KaVerb, &Argument::None) {
            verbs.push(String::from_utf8_lossy(&verb).into_owned());
        }
    });
    assert_eq!(verbs.len(), 29, "{verbs:?}");
}

mod properties {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Whatever is read, no field panics, and lists are never empty.
        #[test]
        fn any_json_is_taken(text in json(), name in prop::sample::select(vec!["k8s_audit", "aws_cloudtrail", "github", "okta", "json"])) {
            let mut intake = Intake::new(sources::find(name).expect("source"), Surroundings::default());
            for event in intake.take(&text, 1).into_iter().flatten() {
                for (field, info) in FIELDS {
                    for argument in arguments(*field, info.argument) {
                        if let Value::List(values) = event.value(*field, &argument) {
                            prop_assert!(!values.is_empty(), "{} of {text}", info.name);
                        }
                    }
                }
            }
        }
    }

    /// JSON with the keys that fields look for, and anything below them.
    fn json() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            Just("null".to_owned()),
            Just("true".to_owned()),
            any::<i64>().prop_map(|number| number.to_string()),
            "[a-z/%?=&:@]{0,8}".prop_map(|text| format!("\"{text}\"")),
        ];
        let key = prop::sample::select(vec![
            "auditID",
            "requestObject",
            "spec",
            "containers",
            "image",
            "ports",
            "hostPort",
            "volumes",
            "hostPath",
            "path",
            "rules",
            "verbs",
            "requestURI",
            "securityContext",
            "runAsUser",
            "userIdentity",
            "type",
            "target",
            "files",
            "matches",
            "resources",
            "kind",
            "items",
            "Records",
            "eventType",
            "actor",
            "id",
            "commits",
            "added",
        ]);
        leaf.prop_recursive(6, 64, 6, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(|items| format!("[{}]", items.join(","))),
                prop::collection::vec((key.clone(), inner), 0..6).prop_map(|members| {
                    let members: Vec<String> = members
                        .into_iter()
                        .map(|(key, value)| format!("\"{key}\":{value}"))
                        .collect();
                    format!("{{{}}}", members.join(","))
                }),
            ]
        })
    }
}
