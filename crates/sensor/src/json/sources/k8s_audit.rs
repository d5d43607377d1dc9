//! Audit events of the Kubernetes API server.

use super::{Source, moment, text_at, texts, words};
use crate::json::{Json, JsonEvent};
use model::Meta;
use model::event::{Argument, Field, Value};
use std::borrow::Cow;

/// The member.
pub(super) static K8S_AUDIT: K8sAudit = K8sAudit;

pub(super) struct K8sAudit;

static META: Meta = Meta {
    name: "k8s-audit",
    title: "Audit events of Kubernetes (`audit.k8s.io/v1`), for rules with `source: k8s_audit`",
    finds: &[
        "events one by one, in lists, and as the `EventList` that the API server posts",
        "fields `ka.*`; an object without `auditID` has none of them",
    ],
    needs: &[],
    references: &[
        "https://kubernetes.io/docs/tasks/debug/debug-cluster/audit/",
        "https://kubernetes.io/docs/reference/config-api/apiserver-audit.v1/",
    ],
};

impl Source for K8sAudit {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn name(&self) -> &'static str {
        "k8s_audit"
    }

    fn plugin(&self) -> &'static str {
        "k8saudit"
    }

    fn time(&self, event: &Json) -> Option<u64> {
        ["stageTimestamp", "requestReceivedTimestamp", "timestamp"]
            .iter()
            .find_map(|key| moment(event.get(key)))
    }

    fn value<'a>(&self, event: &'a JsonEvent, field: Field, argument: &Argument) -> Value<'a> {
        if self.lacks(event.json()).is_some() {
            return Value::Absent;
        }
        simple(event, field)
            .or_else(|| of_containers(event.json(), field, argument))
            .or_else(|| of_object(event, field, argument))
            .unwrap_or(Value::Absent)
    }

    fn lacks(&self, event: &Json) -> Option<&'static str> {
        event.get("auditID").is_none().then_some("auditID")
    }

    fn summary<'a>(&self, event: &'a JsonEvent) -> Value<'a> {
        let json = event.json();
        words(&[
            json.at(&["user", "username"]),
            json.get("verb"),
            json.get("requestURI"),
            json.at(&["responseStatus", "code"]),
        ])
    }
}

/// Fields that are the text at one place.
fn simple(event: &JsonEvent, field: Field) -> Option<Value<'_>> {
    let keys: &[&str] = match field {
        Field::KaAuditid => &["auditID"],
        Field::KaStage => &["stage"],
        Field::KaAuthDecision => &["annotations", "authorization.k8s.io/decision"],
        Field::KaAuthReason => &["annotations", "authorization.k8s.io/reason"],
        Field::KaUserName => &["user", "username"],
        Field::KaImpuserName => &["impersonatedUser", "username"],
        Field::KaVerb => &["verb"],
        Field::KaUri => &["requestURI"],
        // The object that a request is about is that of its address, also for a config map.
        Field::KaTargetName | Field::KaReqConfigmapName => &["objectRef", "name"],
        Field::KaTargetNamespace => &["objectRef", "namespace"],
        Field::KaTargetResource => &["objectRef", "resource"],
        Field::KaTargetSubresource => &["objectRef", "subresource"],
        Field::KaReqBindingRole => &["requestObject", "roleRef", "name"],
        Field::KaReqConfigmapObj => &["requestObject", "data"],
        Field::KaReqPodHostIpc => &["requestObject", "spec", "hostIPC"],
        Field::KaReqPodHostNetwork | Field::KaReqContainerHostNetwork => {
            &["requestObject", "spec", "hostNetwork"]
        }
        Field::KaReqPodHostPid => &["requestObject", "spec", "hostPID"],
        Field::KaReqPodRunAsUser => &["requestObject", "spec", "securityContext", "runAsUser"],
        Field::KaReqPodRunAsGroup => &["requestObject", "spec", "securityContext", "runAsGroup"],
        Field::KaReqPodFsGroup => &["requestObject", "spec", "securityContext", "fsGroup"],
        Field::KaReqServiceType => &["requestObject", "spec", "type"],
        Field::KaRespName => &["responseObject", "metadata", "name"],
        Field::KaResponseCode => &["responseStatus", "code"],
        Field::KaResponseReason => &["responseStatus", "reason"],
        Field::KaUseragent => &["userAgent"],
        _ => return None,
    };
    Some(text_at(event, keys))
}

/// What is asked of the containers of a pod.
#[derive(Clone, Copy)]
enum Asked {
    /// The text below these keys; containers without it are passed over.
    At(&'static [&'static str]),
    /// The texts of the lists below these keys, all in one list, so that `intersects` finds them.
    Flat(&'static [&'static str]),
    /// The image; all must have one.
    Image,
    /// The image up to its tag or digest.
    Repository,
    /// The user or group: the container's, else the pod's, else 0.
    Effective(&'static str),
    /// Ports of the host, or of the container where none is named, which is the same with the host's network.
    HostPorts,
}

const PRIVILEGED: Asked = Asked::At(&["securityContext", "privileged"]);
const ESCALATION: Asked = Asked::At(&["securityContext", "allowPrivilegeEscalation"]);
const READ_ONLY: Asked = Asked::At(&["securityContext", "readOnlyRootFilesystem"]);
const USER: Asked = Asked::At(&["securityContext", "runAsUser"]);
const GROUP: Asked = Asked::At(&["securityContext", "runAsGroup"]);
const PROC_MOUNT: Asked = Asked::At(&["securityContext", "procMount"]);
const CAPABILITIES: Asked = Asked::Flat(&["securityContext", "capabilities", "add"]);
const NAME: Asked = Asked::At(&["name"]);
const COMMAND: Asked = Asked::At(&["command"]);
const ARGS: Asked = Asked::At(&["args"]);

/// Fields of the containers of a pod, of its init containers and of its ephemeral containers.
fn of_containers<'a>(json: &'a Json, field: Field, argument: &Argument) -> Option<Value<'a>> {
    use Field as F;
    const MAIN: &str = "containers";
    const INIT: &str = "initContainers";
    const EPHEMERAL: &str = "ephemeralContainers";
    let (list, asked) = match field {
        F::KaReqPodContainersImage => (MAIN, Asked::Image),
        F::KaReqPodContainersImageRepository => (MAIN, Asked::Repository),
        F::KaReqPodContainersPrivileged => (MAIN, PRIVILEGED),
        F::KaReqPodContainersAllowPrivilegeEscalation => (MAIN, ESCALATION),
        F::KaReqPodContainersReadOnlyFs => (MAIN, READ_ONLY),
        F::KaReqPodContainersRunAsUser => (MAIN, USER),
        F::KaReqPodContainersEffRunAsUser => (MAIN, Asked::Effective("runAsUser")),
        F::KaReqPodContainersRunAsGroup => (MAIN, GROUP),
        F::KaReqPodContainersEffRunAsGroup => (MAIN, Asked::Effective("runAsGroup")),
        F::KaReqPodContainersProcMount => (MAIN, PROC_MOUNT),
        F::KaReqPodContainersAddCapabilities => (MAIN, CAPABILITIES),
        F::KaReqPodContainersHostPort => (MAIN, Asked::HostPorts),
        F::KaReqPodInitContainersName => (INIT, NAME),
        F::KaReqPodInitContainersImage => (INIT, Asked::Image),
        F::KaReqPodInitContainersImageRepository => (INIT, Asked::Repository),
        F::KaReqPodInitContainersCommand => (INIT, COMMAND),
        F::KaReqPodInitContainersArgs => (INIT, ARGS),
        F::KaReqPodInitContainersPrivileged => (INIT, PRIVILEGED),
        F::KaReqPodInitContainersAllowPrivilegeEscalation => (INIT, ESCALATION),
        F::KaReqPodInitContainersReadOnlyFs => (INIT, READ_ONLY),
        F::KaReqPodInitContainersRunAsUser => (INIT, USER),
        F::KaReqPodInitContainersEffRunAsUser => (INIT, Asked::Effective("runAsUser")),
        F::KaReqPodInitContainersRunAsGroup => (INIT, GROUP),
        F::KaReqPodInitContainersEffRunAsGroup => (INIT, Asked::Effective("runAsGroup")),
        F::KaReqPodInitContainersProcMount => (INIT, PROC_MOUNT),
        F::KaReqPodInitContainersAddCapabilities => (INIT, CAPABILITIES),
        F::KaReqPodInitContainersHostPort => (INIT, Asked::HostPorts),
        F::KaReqPodEphemeralContainersName => (EPHEMERAL, NAME),
        F::KaReqPodEphemeralContainersImage => (EPHEMERAL, Asked::Image),
        F::KaReqPodEphemeralContainersImageRepository => (EPHEMERAL, Asked::Repository),
        F::KaReqPodEphemeralContainersCommand => (EPHEMERAL, COMMAND),
        F::KaReqPodEphemeralContainersArgs => (EPHEMERAL, ARGS),
        F::KaReqPodEphemeralContainersPrivileged => (EPHEMERAL, PRIVILEGED),
        F::KaReqPodEphemeralContainersAllowPrivilegeEscalation => (EPHEMERAL, ESCALATION),
        F::KaReqPodEphemeralContainersReadOnlyFs => (EPHEMERAL, READ_ONLY),
        F::KaReqPodEphemeralContainersRunAsUser => (EPHEMERAL, USER),
        F::KaReqPodEphemeralContainersEffRunAsUser => (EPHEMERAL, Asked::Effective("runAsUser")),
        F::KaReqPodEphemeralContainersRunAsGroup => (EPHEMERAL, GROUP),
        F::KaReqPodEphemeralContainersEffRunAsGroup => (EPHEMERAL, Asked::Effective("runAsGroup")),
        F::KaReqPodEphemeralContainersProcMount => (EPHEMERAL, PROC_MOUNT),
        F::KaReqPodEphemeralContainersAddCapabilities => (EPHEMERAL, CAPABILITIES),
        _ => return None,
    };
    Some(containers(json, list, asked, index(argument)))
}

fn containers<'a>(json: &'a Json, list: &str, asked: Asked, index: Option<usize>) -> Value<'a> {
    let below = |keys: &[&str]| {
        let mut all = vec!["requestObject", "spec", list];
        all.extend_from_slice(keys);
        json.all(&all, index)
    };
    match asked {
        Asked::At(keys) => below(keys).map_or(Value::Absent, |values| texts(values.into_iter().flatten())),
        Asked::Image => images(json, list, index).map_or(Value::Absent, |images| texts(images.into_iter())),
        Asked::Repository => images(json, list, index).map_or(Value::Absent, |images| {
            Value::List(images.into_iter().map(repository).collect())
        }),
        Asked::Effective(key) => {
            let pod = json.at(&["requestObject", "spec", "securityContext", key]);
            let containers = json
                .at(&["requestObject", "spec", list])
                .and_then(Json::as_array)
                .unwrap_or_default();
            let users: Vec<Value<'_>> = chosen(containers, index)
                .iter()
                .map(|container| {
                    container
                        .at(&["securityContext", key])
                        .or(pod)
                        .map_or(Value::text(b"0"), crate::json::event::text)
                })
                .collect();
            if users.is_empty() {
                Value::Absent
            } else {
                Value::List(users)
            }
        }
        Asked::Flat(keys) => below(keys).map_or(Value::Absent, |values| {
            texts(values.into_iter().flatten().filter_map(Json::as_array).flatten())
        }),
        Asked::HostPorts => below(&["ports"]).map_or(Value::Absent, |values| {
            texts(
                values
                    .into_iter()
                    .flatten()
                    .filter_map(Json::as_array)
                    .flatten()
                    .filter_map(|port| port.get("hostPort").or_else(|| port.get("containerPort"))),
            )
        }),
    }
}

/// The images of all containers; nothing if one has none.
fn images<'a>(json: &'a Json, list: &str, index: Option<usize>) -> Option<Vec<&'a Json>> {
    json.all(&["requestObject", "spec", list, "image"], index)?
        .into_iter()
        .collect::<Option<Vec<_>>>()
        .filter(|images| !images.is_empty())
}

/// What stands before the first colon and before an `@`, which is what rules are written for.
fn repository(image: &Json) -> Value<'_> {
    let cut = |text: &str| text.find([':', '@']).unwrap_or(text.len());
    match image.text() {
        Cow::Borrowed(text) => Value::text(text.get(..cut(text)).unwrap_or_default().as_bytes()),
        Cow::Owned(mut text) => {
            text.truncate(cut(&text));
            Value::owned_text(text)
        }
    }
}

/// The fields of roles, services, volumes and requests that are more than one text.
fn of_object<'a>(event: &'a JsonEvent, field: Field, argument: &Argument) -> Option<Value<'a>> {
    let json = event.json();
    let list_at = |keys: &[&str]| {
        json.at(keys)
            .and_then(Json::as_array)
            .map_or(Value::Absent, |items| texts(items.iter()))
    };
    let all = |keys: &[&str]| {
        json.all(keys, index(argument))
            .map_or(Value::Absent, |values| texts(values.into_iter().flatten()))
    };
    Some(match field {
        Field::KaUserGroups => list_at(&["user", "groups"]),
        Field::KaReqBindingSubjects => list_at(&["requestObject", "subjects"]),
        Field::KaReqRoleRules => list_at(&["requestObject", "rules"]),
        Field::KaReqPodSupplementalGroups => {
            list_at(&["requestObject", "spec", "securityContext", "supplementalGroups"])
        }
        Field::KaSourceips => match index(argument) {
            None => list_at(&["sourceIPs"]),
            Some(index) => json
                .get("sourceIPs")
                .and_then(Json::as_array)
                .and_then(|list| list.get(index))
                .map_or(Value::Absent, |one| texts(std::iter::once(one))),
        },
        Field::KaReqRoleRulesApiGroups => rules(json, "apiGroups", argument),
        Field::KaReqRoleRulesNonResourceUrls => rules(json, "nonResourceURLs", argument),
        Field::KaReqRoleRulesVerbs => rules(json, "verbs", argument),
        Field::KaReqRoleRulesResources => rules(json, "resources", argument),
        Field::KaReqServicePorts => all(&["requestObject", "spec", "ports"]),
        Field::KaReqPodVolumesHostpath => all(&["requestObject", "spec", "volumes", "hostPath", "path"]),
        Field::KaReqPodVolumesFlexvolumeDriver => {
            all(&["requestObject", "spec", "volumes", "flexVolume", "driver"])
        }
        Field::KaReqPodVolumesVolumeType => volume_types(json, index(argument)),
        Field::KaReqVolumeHostpath => host_path(json, argument),
        Field::KaReqContainerImage => images(json, "containers", Some(0))
            .and_then(|images| images.first().copied())
            .map_or(Value::Absent, crate::json::event::text),
        Field::KaReqContainerImageRepository => images(json, "containers", Some(0))
            .and_then(|images| images.first().copied())
            .map_or(Value::Absent, repository),
        Field::KaReqContainerPrivileged => json
            .all(
                &[
                    "requestObject",
                    "spec",
                    "containers",
                    "securityContext",
                    "privileged",
                ],
                None,
            )
            .map_or(Value::Absent, |values| {
                truth(
                    values
                        .into_iter()
                        .flatten()
                        .any(|value| *value == Json::Bool(true)),
                )
            }),
        Field::KaUriParam => match argument {
            Argument::Key(name) => json
                .get("requestURI")
                .and_then(Json::as_str)
                .and_then(|uri| parameter(uri, name))
                .map_or(Value::Absent, Value::owned_text),
            _ => Value::Absent,
        },
        Field::KaClusterName => event
            .surroundings()
            .cluster
            .as_deref()
            .map_or(Value::Absent, |name| Value::text(name.as_bytes())),
        _ => return None,
    })
}

fn index(argument: &Argument) -> Option<usize> {
    match argument {
        Argument::Index(index) => Some(usize::try_from(*index).unwrap_or(usize::MAX)),
        _ => None,
    }
}

/// All items, or only the one with this number.
fn chosen(items: &[Json], index: Option<usize>) -> &[Json] {
    match index {
        Some(index) => items
            .get(index..)
            .and_then(|rest| rest.get(..1))
            .unwrap_or_default(),
        None => items,
    }
}

fn truth<'a>(value: bool) -> Value<'a> {
    Value::text(if value { b"true" } else { b"false" })
}

/// What the rules of a role say under one key, all in one list.
fn rules<'a>(json: &'a Json, key: &str, argument: &Argument) -> Value<'a> {
    json.all(&["requestObject", "rules", key], index(argument))
        .map_or(Value::Absent, |values| {
            texts(values.into_iter().flatten().filter_map(Json::as_array).flatten())
        })
}

/// A volume's type is its key beside `name`.
fn volume_types(json: &Json, index: Option<usize>) -> Value<'_> {
    let Some(volumes) = json
        .at(&["requestObject", "spec", "volumes"])
        .and_then(Json::as_array)
    else {
        return Value::Absent;
    };
    let chosen = match index {
        Some(index) => volumes
            .get(index..)
            .unwrap_or_default()
            .get(..1)
            .unwrap_or_default(),
        None => volumes,
    };
    let types: Vec<Value<'_>> = chosen
        .iter()
        .filter_map(|volume| match volume {
            Json::Object(members) => Some(members),
            _ => None,
        })
        .flatten()
        .filter(|(key, _)| &**key != "name")
        .map(|(key, _)| Value::text(key.as_bytes()))
        .collect();
    if types.is_empty() {
        Value::Absent
    } else {
        Value::List(types)
    }
}

/// Whether a volume is the host folder named, or begins as the argument does if that ends with `*`.
fn host_path<'a>(json: &Json, argument: &Argument) -> Value<'a> {
    let Argument::Key(wanted) = argument else {
        return Value::Absent;
    };
    let Some(paths) = json.all(&["requestObject", "spec", "volumes", "hostPath", "path"], None) else {
        return Value::Absent;
    };
    truth(paths.into_iter().flatten().any(|path| {
        let path = path.text();
        match wanted.strip_suffix('*') {
            Some(start) => path.starts_with(start),
            None => *path == **wanted,
        }
    }))
}

/// The first value of a query parameter, decoded. Nothing when the query is not well formed, as servers refuse such.
fn parameter(uri: &str, name: &str) -> Option<Vec<u8>> {
    let uri = uri.split('#').next()?;
    let (_, query) = uri.split_once('?')?;
    let mut found = None;
    for pair in query.split('&') {
        if pair.contains(';') {
            return None;
        }
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (key, value) = (decoded(key)?, decoded(value)?);
        if found.is_none() && key == name.as_bytes() && !pair.is_empty() {
            found = Some(value);
        }
    }
    found
}

/// A part of a query without `%XX` and `+`.
fn decoded(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || char::from(rest.next()?).to_digit(16);
                let (high, low) = (digit()?, digit()?);
                u8::try_from(high * 16 + low).ok()?
            }
            other => other,
        });
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_of_addresses() {
        for (uri, name, expected) in [
            ("/a?command=sh&command=-c&x", "command", Some("sh")),
            ("/a?x=1&y=a%20b+c%2Fd", "y", Some("a b c/d")),
            ("/a?x", "x", Some("")),
            ("/a?x=1#y=2", "y", None),
            ("/a?x=%zz&y=1", "y", None),
            ("/a?x=%4", "x", None),
            ("/a?x=1;y=2", "x", None),
            ("/a", "x", None),
            ("/a?", "", None),
            ("?%78=1", "x", Some("1")),
        ] {
            assert_eq!(
                parameter(uri, name)
                    .map(|value| String::from_utf8(value).expect("UTF-8"))
                    .as_deref(),
                expected,
                "{uri} {name}"
            );
        }
    }

    #[test]
    fn repositories_of_images() {
        for (image, expected) in [
            ("nginx", "nginx"),
            ("nginx:1.27", "nginx"),
            ("docker.io/library/nginx@sha256:00", "docker.io/library/nginx"),
            // As rules expect it, a port ends the repository too.
            ("localhost:5000/nginx:1", "localhost"),
            ("", ""),
        ] {
            assert_eq!(
                repository(&Json::Text(image.into())),
                Value::text(expected.as_bytes()),
                "{image}"
            );
        }
    }
}
