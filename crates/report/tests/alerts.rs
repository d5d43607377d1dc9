//! The alert formats agree with their folder and reference page, keep their output, and are valid by the schema they claim.

use model::event::{Alert, FieldValue, Priority};
use model::path::needs_escape;
use report::alerts::{self, AlertFormat, AlertOptions};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use testkit::family;

const FIXTURES: &str = "crates/report/tests/alert-fixtures";

#[test]
fn family_agrees() {
    family::check(&family::Family {
        title: "Alert formats",
        introduction: "What detections become on their way out: the `format` of a destination, and the kinds `text`, `json` and `ocsf` of `--output KIND=TARGET`.",
        folder: "crates/report/src/alerts",
        members: alerts::ALL.iter().map(|format| format.meta()).collect(),
        fixtures: FIXTURES,
        page: "docs/reference/alert-formats.md",
    });
}

/// `hit-full` holds what a format makes of alerts with everything in them, `miss-bare` what it makes of one without fields.
#[test]
fn output_is_kept() {
    for format in alerts::ALL {
        let folder = family::workspace_root().join(FIXTURES).join(format.meta().name);
        for (case, alerts) in [
            ("hit-full", vec![process_alert(), network_alert(), audit_alert()]),
            ("miss-bare", vec![bare_alert()]),
        ] {
            family::check_generated(
                &folder.join(format!("{case}.{}", format.extension())),
                // Versions change with each release.
                &written(*format, &alerts)
                    .replace(concat!("\"", env!("CARGO_PKG_VERSION"), "\""), "\"VERSION\""),
            );
        }
    }
}

#[test]
fn no_control_character_is_written_raw() {
    for format in alerts::ALL {
        let text = written(*format, &[hostile_alert()]);
        assert_eq!(text.matches('\n').count(), 1, "{}: {text:?}", format.meta().name);
        assert!(
            !text.trim_end_matches('\n').chars().any(needs_escape),
            "{}: {text:?}",
            format.meta().name
        );
    }
}

#[test]
fn json_lines_read_back() {
    let format = find("json");
    let alert = hostile_alert();
    let line: Value = serde_json::from_str(&written(format, std::slice::from_ref(&alert))).expect("JSON");
    assert_eq!(line["rule"], Value::from(alert.rule.as_str()));
    assert_eq!(line["output_fields"]["proc.name"], Value::from("a\u{1b}[2Jb\n"));
    assert_eq!(line["output_fields"]["evt.time"], Value::from(alert.time));
    assert_eq!(line["time"], Value::from("1970-01-01T00:00:00.000000001Z"));
}

#[test]
fn local_times() {
    let options = AlertOptions {
        local_time: true,
        ..AlertOptions::default()
    };
    let mut out = Vec::new();
    find("text").write(&[&bare_alert()], &options, &mut out);
    let zoned = jiff::Timestamp::from_nanosecond(i128::from(bare_alert().time))
        .expect("a time")
        .to_zoned(jiff::tz::TimeZone::system());
    assert_eq!(
        String::from_utf8(out).expect("UTF-8"),
        format!("{}: Debug nothing to say\n", zoned.strftime("%H:%M:%S.%9f"))
    );
}

#[test]
fn iso_times() {
    let options = AlertOptions {
        iso_8601: true,
        ..AlertOptions::default()
    };
    let mut out = Vec::new();
    find("text").write(&[&bare_alert()], &options, &mut out);
    let text = String::from_utf8(out).expect("UTF-8");
    assert_eq!(text, "2026-01-02T03:04:05.000000006+0000: Debug nothing to say\n");
    let mut out = Vec::new();
    find("json").write(&[&bare_alert()], &options, &mut out);
    let line: Value = serde_json::from_slice(&out).expect("JSON");
    assert_eq!(
        line["output_fields"]["evt.time.iso8601"],
        Value::from(1_767_323_045_000_000_006_u64)
    );
}

#[test]
fn syslog_headers_follow_the_options() {
    let options = AlertOptions {
        syslog_facility: 10,
        process: 4242,
        ..AlertOptions::default()
    };
    let mut out = Vec::new();
    find("syslog").write(&[&bare_alert()], &options, &mut out);
    let text = String::from_utf8(out).expect("UTF-8");
    // 10 * 8 + 7 (debug).
    assert!(
        text.starts_with("<87>1 2026-01-02T03:04:05.000000Z node hullward 4242 alert [alert@32473 "),
        "{text}"
    );
}

#[test]
fn ocsf_is_valid_by_its_schema() {
    let Some(data) = family::test_data() else { return };
    let schema = Schema::read(&data.join("schemas/ocsf"));
    let alerts = [
        process_alert(),
        network_alert(),
        audit_alert(),
        bare_alert(),
        hostile_alert(),
    ];
    for line in written(find("ocsf"), &alerts).lines() {
        let finding: Value = serde_json::from_str(line).expect("JSON");
        let mut errors = Vec::new();
        schema.check_class("detection_finding", &finding, &mut errors);
        assert!(errors.is_empty(), "{errors:#?}\n{line}");
    }
    // The check itself notices what is wrong.
    let mut finding: Value = serde_json::from_str(&written(find("ocsf"), &[process_alert()])).expect("JSON");
    finding["severity_id"] = Value::from(7);
    finding["finding_info"]
        .as_object_mut()
        .expect("object")
        .remove("uid");
    finding["device"]["colour"] = Value::from("red");
    finding["evidences"][0]["process"]["pid"] = Value::from("1");
    let mut errors = Vec::new();
    schema.check_class("detection_finding", &finding, &mut errors);
    assert_eq!(errors.len(), 4, "{errors:#?}");
}

/// As much of the framework's own form of schema as it takes to check an event: attributes, requirements, types and values.
struct Schema {
    dictionary: Value,
    categories: Value,
    classes: BTreeMap<String, Value>,
    objects: BTreeMap<String, Value>,
    profiles: BTreeMap<String, Value>,
}

impl Schema {
    #[allow(clippy::disallowed_methods, reason = "tests read schemas")]
    fn read(folder: &Path) -> Self {
        fn json(path: &Path) -> Value {
            serde_json::from_slice(&std::fs::read(path).expect("schema")).expect("JSON")
        }
        fn folder_of(path: &Path, into: &mut BTreeMap<String, Value>) {
            for entry in std::fs::read_dir(path).expect("folder") {
                let path = entry.expect("entry").path();
                if path.is_dir() {
                    folder_of(&path, into);
                } else {
                    let name = path
                        .file_stem()
                        .expect("name")
                        .to_str()
                        .expect("UTF-8")
                        .to_owned();
                    into.insert(name, json(&path));
                }
            }
        }
        let mut schema = Self {
            dictionary: json(&folder.join("dictionary.json")),
            categories: json(&folder.join("categories.json")),
            classes: BTreeMap::new(),
            objects: BTreeMap::new(),
            profiles: BTreeMap::new(),
        };
        folder_of(&folder.join("events"), &mut schema.classes);
        folder_of(&folder.join("objects"), &mut schema.objects);
        folder_of(&folder.join("profiles"), &mut schema.profiles);
        schema
    }

    /// All attributes of a class or object, with those that it inherits and includes.
    fn attributes(&self, kinds: &BTreeMap<String, Value>, name: &str) -> BTreeMap<String, Value> {
        let definition = kinds
            .get(name)
            .unwrap_or_else(|| panic!("no definition of {name}"));
        let mut attributes = match definition["extends"].as_str() {
            Some(parent) => self.attributes(kinds, parent),
            None => BTreeMap::new(),
        };
        for (key, attribute) in definition["attributes"].as_object().into_iter().flatten() {
            if key == "$include" {
                for file in attribute.as_array().expect("list") {
                    let profile = Path::new(file.as_str().expect("text")).file_stem().expect("name");
                    let profile = &self.profiles[profile.to_str().expect("UTF-8")];
                    for (key, attribute) in profile["attributes"].as_object().into_iter().flatten() {
                        // What a profile adds is demanded only where the profile is applied.
                        let mut attribute = attribute.clone();
                        attribute["requirement"] = Value::from("optional");
                        attributes.entry(key.clone()).or_insert(attribute);
                    }
                }
                continue;
            }
            let merged = attributes
                .entry(key.clone())
                .or_insert_with(|| Value::Object(serde_json::Map::new()));
            for (property, value) in attribute.as_object().expect("attribute") {
                merged[property] = value.clone();
            }
        }
        attributes
    }

    fn check_class(&self, class: &str, value: &Value, errors: &mut Vec<String>) {
        let attributes = self.attributes(&self.classes, class);
        self.check_attributes(&attributes, &self.classes[class], value, class, errors);
        // The framework's compiler makes these numbers; the files hold only their parts.
        let category = self.categories["attributes"]["findings"]["uid"]
            .as_u64()
            .expect("number");
        let class = category * 1000 + self.classes[class]["uid"].as_u64().expect("number");
        let kind = class * 100 + value["activity_id"].as_u64().expect("number");
        for (key, number) in [
            ("category_uid", category),
            ("class_uid", class),
            ("type_uid", kind),
        ] {
            if value[key] != number {
                errors.push(format!("{key} is not {number}"));
            }
        }
    }

    fn check_attributes(
        &self,
        attributes: &BTreeMap<String, Value>,
        definition: &Value,
        value: &Value,
        place: &str,
        errors: &mut Vec<String>,
    ) {
        let Some(value) = value.as_object() else {
            errors.push(format!("{place}: no object"));
            return;
        };
        for (key, attribute) in attributes {
            if attribute["requirement"] == "required" && !value.contains_key(key) {
                errors.push(format!("{place}.{key}: required"));
            }
        }
        if let Some(any) = definition["constraints"]["at_least_one"].as_array()
            && !any
                .iter()
                .any(|key| value.contains_key(key.as_str().expect("text")))
        {
            errors.push(format!("{place}: none of {any:?}"));
        }
        for (key, member) in value {
            let place = format!("{place}.{key}");
            let Some(attribute) = attributes.get(key) else {
                errors.push(format!("{place}: unknown"));
                continue;
            };
            let known = &self.dictionary["attributes"][key];
            let is_array = known["is_array"] == true;
            let items: Vec<&Value> = match (is_array, member) {
                (true, Value::Array(items)) => items.iter().collect(),
                (false, Value::Array(_)) | (true, _) => {
                    errors.push(format!("{place}: is a list where none belongs, or the reverse"));
                    continue;
                }
                (false, member) => vec![member],
            };
            let mut values: BTreeSet<&str> = BTreeSet::new();
            for source in [known, attribute] {
                values.extend(
                    source["enum"]
                        .as_object()
                        .into_iter()
                        .flatten()
                        .map(|(value, _)| value.as_str()),
                );
            }
            for item in items {
                let compiled = matches!(key.as_str(), "category_uid" | "class_uid" | "type_uid");
                if !compiled
                    && !values.is_empty()
                    && item.is_number()
                    && !values.contains(item.to_string().as_str())
                {
                    errors.push(format!("{place}: {item} is no value of it"));
                }
                self.check_type(known["type"].as_str().expect("type"), item, &place, errors);
            }
        }
    }

    fn check_type(&self, kind: &str, value: &Value, place: &str, errors: &mut Vec<String>) {
        let right = match kind {
            "json_t" => true,
            "boolean_t" => value.is_boolean(),
            "integer_t" | "long_t" | "timestamp_t" => value.is_i64() || value.is_u64(),
            "port_t" => value.as_u64().is_some_and(|port| port <= 65_535),
            "ip_t" => value
                .as_str()
                .is_some_and(|ip| ip.parse::<std::net::IpAddr>().is_ok()),
            "float_t" => value.is_number(),
            text if text.ends_with("_t") => value.is_string(),
            object => {
                let attributes = self.attributes(&self.objects, object);
                self.check_attributes(&attributes, &self.objects[object], value, place, errors);
                true
            }
        };
        if !right {
            errors.push(format!("{place}: {value} is no {kind}"));
        }
    }
}

fn find(name: &str) -> &'static dyn AlertFormat {
    alerts::find(name).expect("known format")
}

fn written(format: &dyn AlertFormat, alerts: &[Alert]) -> String {
    let mut out = Vec::new();
    format.write(
        &alerts.iter().collect::<Vec<_>>(),
        &AlertOptions::default(),
        &mut out,
    );
    String::from_utf8(out).expect("UTF-8")
}

fn text(name: &str, value: &str) -> (String, FieldValue) {
    (name.to_owned(), FieldValue::Text(value.to_owned()))
}

fn tags(tags: &[&str]) -> Vec<String> {
    tags.iter().map(|tag| (*tag).to_owned()).collect()
}

fn process_alert() -> Alert {
    Alert {
        time: 1_767_323_045_123_456_789,
        rule: "Terminal shell in container".to_owned(),
        priority: Priority::Notice,
        source: "syscall".to_owned(),
        tags: tags(&[
            "T1059",
            "container",
            "maturity_stable",
            "mitre_execution",
            "shell",
        ]),
        hostname: "node-1".to_owned(),
        output: "A shell was spawned in a container with an attached terminal | user=root process=bash"
            .to_owned(),
        fields: vec![
            text("evt.type", "execve"),
            text("user.name", "root"),
            ("user.uid".to_owned(), FieldValue::Uint(0)),
            ("user.loginuid".to_owned(), FieldValue::Int(-1)),
            ("proc.pid".to_owned(), FieldValue::Int(4711)),
            text("proc.name", "bash"),
            text("proc.exepath", "/usr/bin/bash"),
            text("proc.cmdline", "bash -i"),
            ("proc.ppid".to_owned(), FieldValue::Int(4700)),
            text("proc.pname", "containerd-shim"),
            ("proc.tty".to_owned(), FieldValue::Uint(34816)),
            ("proc.is_exe_upper_layer".to_owned(), FieldValue::Bool(false)),
            ("proc.aname[2]".to_owned(), FieldValue::Absent),
            (
                "proc.aname".to_owned(),
                FieldValue::List(vec![
                    FieldValue::Text("sh".to_owned()),
                    FieldValue::Text("containerd-shim".to_owned()),
                ]),
            ),
            text("fd.name", "/etc/shadow"),
            text("fd.type", "file"),
            text("container.id", "3ad7b26ded6d"),
            text("container.name", "web"),
            text("container.image.repository", "docker.io/library/nginx"),
            text("container.image.tag", "1.27"),
            text("k8s.ns.name", "shop"),
            text("k8s.pod.name", "web-7d4b9c"),
        ],
    }
}

fn network_alert() -> Alert {
    Alert {
        time: 1_767_323_046_000_000_000,
        rule: "Disallowed SSH Connection Non Standard Port".to_owned(),
        priority: Priority::Critical,
        source: "syscall".to_owned(),
        tags: tags(&["T1059.004", "host", "mitre_command_and_control"]),
        hostname: "node-1".to_owned(),
        output: "Disallowed SSH connection | connection=10.0.0.5:40000->192.0.2.7:443".to_owned(),
        fields: vec![
            text("fd.name", "10.0.0.5:40000->192.0.2.7:443"),
            text("fd.type", "ipv4"),
            text("fd.lip", "10.0.0.5"),
            ("fd.lport".to_owned(), FieldValue::Uint(40_000)),
            text("fd.rip", "192.0.2.7"),
            ("fd.rport".to_owned(), FieldValue::Uint(443)),
            text("container.id", "host"),
            text("container.name", "host"),
        ],
    }
}

fn audit_alert() -> Alert {
    Alert {
        time: 1_767_323_047_500_000_000,
        rule: "Create Privileged Pod".to_owned(),
        priority: Priority::Warning,
        source: "k8s_audit".to_owned(),
        tags: tags(&["k8s"]),
        hostname: "control-1".to_owned(),
        output: "Pod started with privileged container (user=minikube-user pod=nginx)".to_owned(),
        fields: vec![
            text("ka.user.name", "minikube-user"),
            text("ka.target.resource", "pods"),
            text("ka.target.name", "nginx"),
            text("ka.target.namespace", "default"),
            text("ka.uri.param[command]", "sh"),
        ],
    }
}

fn bare_alert() -> Alert {
    Alert {
        time: 1_767_323_045_000_000_006,
        rule: "Bare".to_owned(),
        priority: Priority::Debug,
        source: "syscall".to_owned(),
        tags: Vec::new(),
        hostname: "node".to_owned(),
        output: "nothing to say".to_owned(),
        fields: Vec::new(),
    }
}

/// Text as an attacker would choose it, and the largest numbers.
fn hostile_alert() -> Alert {
    let nasty = "a\u{1b}[2Jb\n";
    Alert {
        time: 1,
        rule: nasty.to_owned(),
        priority: Priority::Emergency,
        source: "syscall".to_owned(),
        tags: tags(&[nasty, "\u{202e}"]),
        hostname: nasty.to_owned(),
        output: format!("{nasty}\u{85}\u{9b}31m\u{202e}\"]\\\0"),
        fields: vec![
            text("proc.name", nasty),
            text("proc.name", "second mention"),
            ("proc.pid".to_owned(), FieldValue::Int(i64::MAX)),
            ("proc.tty".to_owned(), FieldValue::Uint(u64::MAX)),
            text("fd.sip", "not an address"),
            text("fd.name", "/tmp/\u{1b}]0;x\u{7}"),
            text("container.id", "\u{9b}x"),
            text("k8s.pod.name", "\"]\\"),
        ],
    }
}
