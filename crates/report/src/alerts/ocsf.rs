//! Detection Findings of the Open Cybersecurity Schema Framework.

use super::{AlertFormat, AlertOptions};
use crate::alert_text::{JsonValue, VERSION, container_id, fields, number, push_json_line, text};
use model::Meta;
use model::event::{Alert, FieldValue, Priority};
use model::path::printable;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// The member.
pub(super) static OCSF: Ocsf = Ocsf;

pub(super) struct Ocsf;

static META: Meta = Meta {
    name: "ocsf",
    title: "OCSF Detection Finding (class 2004, schema 1.8.0), one JSON object a line",
    finds: &[
        "the rule as analytic, the host as device, MITRE ATT&CK tags as attacks, containers, pods and Kubernetes objects as resources",
        "process, user, file and both ends of a connection as evidence where the output names them, and every field of the output as the evidence's data",
    ],
    needs: &[],
    references: &["https://schema.ocsf.io/1.8.0/classes/detection_finding"],
};

const SCHEMA: &str = "1.8.0";

#[derive(Serialize)]
struct DetectionFinding<'a> {
    activity_id: u8,
    activity_name: &'static str,
    category_uid: u8,
    category_name: &'static str,
    class_uid: u16,
    class_name: &'static str,
    type_uid: u32,
    type_name: &'static str,
    /// Milliseconds.
    time: u64,
    severity_id: u8,
    severity: &'static str,
    status_id: u8,
    status: &'static str,
    is_alert: bool,
    message: String,
    metadata: Metadata<'a>,
    finding_info: FindingInfo<'a>,
    device: Device<'a>,
    evidences: [Evidence<'a>; 1],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    resources: Vec<Resource>,
}

#[derive(Serialize)]
struct Metadata<'a> {
    version: &'static str,
    product: Product,
    log_name: &'a str,
    original_time: String,
    profiles: [&'static str; 1],
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    labels: &'a [String],
}

#[derive(Serialize)]
struct Product {
    name: &'static str,
    vendor_name: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
struct FindingInfo<'a> {
    uid: String,
    title: &'a str,
    desc: String,
    created_time: u64,
    types: [&'a str; 1],
    data_sources: [&'a str; 1],
    analytic: Analytic<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    attacks: Vec<Attack>,
}

#[derive(Serialize)]
struct Analytic<'a> {
    name: &'a str,
    type_id: u8,
    r#type: &'static str,
}

#[derive(Serialize, Default)]
struct Attack {
    #[serde(skip_serializing_if = "Option::is_none")]
    tactic: Option<Tactic>,
    #[serde(skip_serializing_if = "Option::is_none")]
    technique: Option<Identified>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub_technique: Option<Identified>,
}

#[derive(Serialize)]
struct Tactic {
    uid: &'static str,
    name: &'static str,
}

#[derive(Serialize)]
struct Identified {
    uid: String,
}

#[derive(Serialize)]
struct Device<'a> {
    hostname: &'a str,
    type_id: u8,
    r#type: &'static str,
}

#[derive(Serialize)]
struct Evidence<'a> {
    data: BTreeMap<&'a str, JsonValue<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    process: Option<Process>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<User>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<File>,
    #[serde(skip_serializing_if = "Option::is_none")]
    src_endpoint: Option<Endpoint>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dst_endpoint: Option<Endpoint>,
    #[serde(skip_serializing_if = "Option::is_none")]
    container: Option<Container>,
}

#[derive(Serialize)]
struct Process {
    pid: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cmd_line: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    working_directory: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<File>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_process: Option<Box<Process>>,
}

#[derive(Serialize)]
struct User {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    uid: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    groups: Vec<Group>,
}

#[derive(Serialize)]
struct Group {
    name: String,
}

#[derive(Serialize)]
struct File {
    name: String,
    path: String,
    type_id: u8,
}

#[derive(Serialize)]
struct Endpoint {
    ip: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    port: Option<u16>,
}

#[derive(Serialize)]
struct Container {
    uid: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<Image>,
    #[serde(skip_serializing_if = "Option::is_none")]
    orchestrator: Option<&'static str>,
}

#[derive(Serialize)]
struct Image {
    uid: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tag: Option<String>,
}

#[derive(Serialize)]
struct Resource {
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    uid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<String>,
}

impl AlertFormat for Ocsf {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn content_type(&self) -> &'static str {
        "application/json"
    }

    fn extension(&self) -> &'static str {
        "json"
    }

    fn joins(&self) -> bool {
        false
    }

    fn write(&self, alerts: &[&Alert], _options: &AlertOptions, out: &mut Vec<u8>) {
        for alert in alerts {
            let nanoseconds = FieldValue::Uint(alert.time);
            push_json_line(&finding(alert, &nanoseconds), out);
        }
    }
}

fn finding<'a>(alert: &'a Alert, nanoseconds: &'a FieldValue) -> DetectionFinding<'a> {
    let milliseconds = alert.time / 1_000_000;
    let (severity_id, severity) = severity(alert.priority);
    let container = container(alert);
    let mut data = fields(alert);
    // The schema's times end at milliseconds.
    data.insert("evt.time", JsonValue(nanoseconds));
    let message = printable(&alert.output).into_owned();
    DetectionFinding {
        activity_id: 1,
        activity_name: "Create",
        category_uid: 2,
        category_name: "Findings",
        class_uid: 2004,
        class_name: "Detection Finding",
        type_uid: 200_401,
        type_name: "Detection Finding: Create",
        time: milliseconds,
        severity_id,
        severity,
        status_id: 1,
        status: "New",
        is_alert: true,
        message: message.clone(),
        metadata: Metadata {
            version: SCHEMA,
            product: Product {
                name: "Hullward",
                vendor_name: "Hullward",
                version: VERSION,
            },
            log_name: &alert.source,
            original_time: crate::alert_text::rfc3339(alert.time),
            profiles: ["container"],
            labels: &alert.tags,
        },
        finding_info: FindingInfo {
            uid: uid(alert),
            title: &alert.rule,
            desc: message,
            created_time: milliseconds,
            types: [&alert.source],
            data_sources: [&alert.source],
            analytic: Analytic {
                name: &alert.rule,
                type_id: 1,
                r#type: "Rule",
            },
            attacks: alert.tags.iter().filter_map(|tag| attack(tag)).collect(),
        },
        device: Device {
            hostname: &alert.hostname,
            type_id: 1,
            r#type: "Server",
        },
        resources: resources(alert),
        evidences: [Evidence {
            data,
            process: process(
                alert,
                ["proc.pid", "proc.name", "proc.cmdline", "proc.exepath"],
                true,
            ),
            user: user(alert),
            file: file(alert),
            src_endpoint: endpoint(alert, [("fd.cip", "fd.cport"), ("fd.lip", "fd.lport")]),
            dst_endpoint: endpoint(alert, [("fd.sip", "fd.sport"), ("fd.rip", "fd.rport")]),
            container,
        }],
    }
}

/// The same alert has the same identity wherever and however often it is written.
fn uid(alert: &Alert) -> String {
    let mut hash = Sha256::new();
    for part in [&alert.hostname, &alert.source, &alert.rule, &alert.output] {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    hash.update(alert.time.to_be_bytes());
    hash.finalize()
        .iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn severity(priority: Priority) -> (u8, &'static str) {
    match priority {
        Priority::Emergency => (6, "Fatal"),
        Priority::Alert | Priority::Critical => (5, "Critical"),
        Priority::Error => (4, "High"),
        Priority::Warning => (3, "Medium"),
        Priority::Notice => (2, "Low"),
        Priority::Informational | Priority::Debug => (1, "Informational"),
    }
}

/// Tactics of MITRE ATT&CK as rules tag them (`mitre_` before), their ids and names.
const TACTICS: [(&str, &str, &str); 14] = [
    ("collection", "TA0009", "Collection"),
    ("command_and_control", "TA0011", "Command and Control"),
    ("credential_access", "TA0006", "Credential Access"),
    ("defense_evasion", "TA0005", "Defense Evasion"),
    ("discovery", "TA0007", "Discovery"),
    ("execution", "TA0002", "Execution"),
    ("exfiltration", "TA0010", "Exfiltration"),
    ("impact", "TA0040", "Impact"),
    ("initial_access", "TA0001", "Initial Access"),
    ("lateral_movement", "TA0008", "Lateral Movement"),
    ("persistence", "TA0003", "Persistence"),
    ("privilege_escalation", "TA0004", "Privilege Escalation"),
    ("reconnaissance", "TA0043", "Reconnaissance"),
    ("resource_development", "TA0042", "Resource Development"),
];

/// What a tag says of MITRE ATT&CK: `mitre_execution`, `T1059` or `T1059.004`.
fn attack(tag: &str) -> Option<Attack> {
    if let Some(tactic) = tag.strip_prefix("mitre_") {
        let (_, uid, name) = TACTICS.iter().find(|(name, _, _)| *name == tactic)?;
        return Some(Attack {
            tactic: Some(Tactic { uid, name }),
            ..Attack::default()
        });
    }
    let (technique, sub_technique) = match tag.split_once('.') {
        Some((technique, sub_technique)) => (technique, Some(sub_technique)),
        None => (tag, None),
    };
    let digits =
        |text: &str, count: usize| text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    let known = technique.strip_prefix('T').is_some_and(|rest| digits(rest, 4))
        && sub_technique.is_none_or(|rest| digits(rest, 3));
    known.then(|| Attack {
        technique: Some(Identified {
            uid: technique.to_owned(),
        }),
        sub_technique: sub_technique.map(|_| Identified { uid: tag.to_owned() }),
        ..Attack::default()
    })
}

fn owned(alert: &Alert, field: &str) -> Option<String> {
    text(alert, field).map(std::borrow::Cow::into_owned)
}

/// A process needs an id to be one.
fn process(alert: &Alert, [pid, name, cmd_line, path]: [&str; 4], with_parent: bool) -> Option<Process> {
    Some(Process {
        pid: number(alert, pid)?,
        name: owned(alert, name),
        cmd_line: owned(alert, cmd_line),
        working_directory: with_parent.then(|| owned(alert, "proc.cwd")).flatten(),
        file: text(alert, path).map(|path| file_at(&path, 8)),
        parent_process: with_parent
            .then(|| {
                process(
                    alert,
                    ["proc.ppid", "proc.pname", "proc.pcmdline", "proc.pexepath"],
                    false,
                )
            })
            .flatten()
            .map(Box::new),
    })
}

fn user(alert: &Alert) -> Option<User> {
    let name = owned(alert, "user.name").or_else(|| owned(alert, "ka.user.name"));
    let uid = owned(alert, "user.uid");
    if name.is_none() && uid.is_none() {
        return None;
    }
    Some(User {
        name,
        uid,
        groups: owned(alert, "group.name")
            .map(|name| Group { name })
            .into_iter()
            .collect(),
    })
}

/// The file that an event is about, if its descriptor is one.
fn file(alert: &Alert) -> Option<File> {
    let kind = text(alert, "fd.type");
    let type_id = match kind.as_deref() {
        Some("file") => 1,
        Some("directory") => 2,
        Some("pipe") => 6,
        Some(_) => return None,
        None => 0,
    };
    let path = text(alert, "fd.name")
        .or_else(|| text(alert, "fs.path.name"))
        .filter(|path| path.starts_with('/'))?;
    Some(file_at(&path, type_id))
}

fn file_at(path: &str, type_id: u8) -> File {
    let name = path
        .trim_end_matches('/')
        .rsplit('/')
        .next()
        .filter(|name| !name.is_empty())
        .unwrap_or("/");
    File {
        name: name.to_owned(),
        path: path.to_owned(),
        type_id,
    }
}

fn endpoint(alert: &Alert, names: [(&str, &str); 2]) -> Option<Endpoint> {
    names.into_iter().find_map(|(ip, port)| {
        let ip = text(alert, ip)?;
        ip.parse::<IpAddr>().ok()?;
        Some(Endpoint {
            ip: ip.into_owned(),
            port: number(alert, port).and_then(|port| u16::try_from(port).ok()),
        })
    })
}

fn container(alert: &Alert) -> Option<Container> {
    let uid = container_id(alert)?.into_owned();
    let image_name = owned(alert, "container.image.repository");
    Some(Container {
        uid,
        name: owned(alert, "container.name"),
        // An image needs an identity: the digest, else the id, else its name.
        image: owned(alert, "container.image.digest")
            .or_else(|| owned(alert, "container.image.id"))
            .or_else(|| image_name.clone())
            .map(|uid| Image {
                uid,
                name: image_name,
                tag: owned(alert, "container.image.tag"),
            }),
        orchestrator: text(alert, "k8s.pod.name").map(|_| "kubernetes"),
    })
}

fn resources(alert: &Alert) -> Vec<Resource> {
    let mut resources = Vec::new();
    if let Some(uid) = container_id(alert) {
        resources.push(Resource {
            r#type: "container",
            uid: Some(uid.into_owned()),
            name: owned(alert, "container.name"),
            namespace: None,
        });
        if let Some(name) = owned(alert, "k8s.pod.name") {
            resources.push(Resource {
                r#type: "pod",
                uid: owned(alert, "k8s.pod.uid"),
                name: Some(name),
                namespace: owned(alert, "k8s.ns.name"),
            });
        }
    }
    if let Some(name) = owned(alert, "ka.target.name") {
        resources.push(Resource {
            r#type: "kubernetes object",
            uid: owned(alert, "ka.target.resource").map(|resource| format!("{resource}/{name}")),
            name: Some(name),
            namespace: owned(alert, "ka.target.namespace"),
        });
    }
    resources
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_of_mitre_attack() {
        for tag in [
            "mitre_",
            "mitre_nothing",
            "T105",
            "T10599",
            "T1059.04",
            "T1059.x04",
            "X1059",
            "container",
            "",
        ] {
            assert!(attack(tag).is_none(), "{tag}");
        }
        let json = |tag: &str| serde_json::to_value(attack(tag)).expect("JSON");
        assert_eq!(
            json("mitre_privilege_escalation"),
            serde_json::json!({"tactic": {"uid": "TA0004", "name": "Privilege Escalation"}})
        );
        assert_eq!(json("T1059"), serde_json::json!({"technique": {"uid": "T1059"}}));
        assert_eq!(
            json("T1059.004"),
            serde_json::json!({"technique": {"uid": "T1059"}, "sub_technique": {"uid": "T1059.004"}})
        );
    }

    #[test]
    fn names_of_files() {
        for (path, name) in [
            ("/etc/shadow", "shadow"),
            ("/", "/"),
            ("/tmp/", "tmp"),
            ("memfd:x", "memfd:x"),
        ] {
            assert_eq!(file_at(path, 1).name, name);
        }
    }
}
