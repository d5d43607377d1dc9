//! The fields `container.*`, `k8s.*` and `k8smeta.*`, as far as the runtimes know them.

use crate::containers::{ContainerCell, ContainerInfo, Mount};
use crate::event::KernelEvent;
use crate::state::Process;
use model::event::{Argument, Field, Value};
use std::collections::BTreeMap;

/// A command that the runtime runs in a container again and again.
#[derive(Debug, Clone, Copy)]
pub(super) enum Probe {
    Health,
    Liveness,
    Readiness,
}

/// Whether the process, or one that it comes from, is what the runtime runs to check the container.
pub(super) fn is_probe(event: &KernelEvent, probe: Probe) -> Value<'static> {
    let Some(cell) = event.container() else {
        return Value::Bool(false);
    };
    let Some(info) = cell.info() else {
        return Value::Absent;
    };
    let command = match probe {
        Probe::Health => &info.healthcheck,
        Probe::Liveness => &info.liveness_probe,
        Probe::Readiness => &info.readiness_probe,
    };
    let Some(command) = command else {
        return Value::Bool(false);
    };
    let command: Vec<&str> = match command.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["CMD-SHELL", command] => vec!["/bin/sh", "-c", command],
        ["CMD", ref rest @ ..] => rest.to_vec(),
        ref whole => whole.to_vec(),
    };
    let runs = |process: &Process| {
        let arguments = crate::state::pieces(&process.image.arguments);
        arguments.eq(command.iter().map(|word| word.as_bytes()))
    };
    let itself = runs(event.process());
    Value::Bool(!command.is_empty() && (itself || event.ancestors().iter().any(|ancestor| runs(ancestor))))
}

fn text(text: &str) -> Value<'_> {
    if text.is_empty() {
        Value::Absent
    } else {
        Value::text(text.as_bytes())
    }
}

fn optional(value: Option<&String>) -> Value<'_> {
    value.map_or(Value::Absent, |value| text(value))
}

fn labels(labels: &BTreeMap<String, String>) -> Value<'static> {
    if labels.is_empty() {
        return Value::Absent;
    }
    let pairs: Vec<String> = labels
        .iter()
        // What runtimes and the kubelet keep there for themselves; single labels of these can be asked for.
        .filter(|(key, _)| !key.starts_with("annotation.") && !key.starts_with("io.kubernetes."))
        .map(|(key, value)| match value.as_str() {
            "" => key.clone(),
            value => format!("{key}:{value}"),
        })
        .collect();
    Value::owned_text(pairs.join(", "))
}

fn label<'a>(labels: &'a BTreeMap<String, String>, argument: &Argument) -> Value<'a> {
    match argument {
        Argument::Key(key) => labels
            .get(&**key)
            .map_or(Value::Absent, |value| Value::text(value.as_bytes())),
        _ => Value::Absent,
    }
}

fn command(words: Option<&Vec<String>>) -> Value<'static> {
    let Some(words) = words.filter(|words| !words.is_empty()) else {
        return Value::Absent;
    };
    let words = match words.first().map(String::as_str) {
        Some("CMD" | "CMD-SHELL") => &words[1..],
        _ => words,
    };
    Value::owned_text(words.join(" "))
}

fn mount_text(mount: &Mount) -> String {
    let Mount {
        source,
        destination,
        mode,
        writable,
        propagation,
    } = mount;
    format!("{source}:{destination}:{mode}:{writable}:{propagation}")
}

/// The mount with this number, or the first whose `by` matches the glob.
fn mount<'a>(info: &'a ContainerInfo, argument: &Argument, by: fn(&Mount) -> &str) -> Option<&'a Mount> {
    match argument {
        Argument::Index(index) => info.mounts.get(usize::try_from(*index).ok()?),
        Argument::Key(pattern) => info
            .mounts
            .iter()
            .find(|mount| glob(pattern.as_bytes(), by(mount).as_bytes())),
        Argument::None => None,
    }
}

/// Whether a text matches a pattern with `*`, `?` and `[...]`; time is bounded by the product of both lengths.
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut from) = (0, 0);
    // Where to go on when what follows the last star does not fit.
    let mut again: Option<(usize, usize)> = None;
    loop {
        let fits = match pattern.get(at) {
            Some(b'*') => {
                again = Some((at + 1, from));
                at += 1;
                continue;
            }
            None => from == text.len(),
            Some(_) => text.get(from).is_some_and(|byte| {
                let Some(length) = one(&pattern[at..], *byte) else {
                    return false;
                };
                at += length;
                from += 1;
                true
            }),
        };
        if fits {
            if at == pattern.len() && from == text.len() {
                return true;
            }
            continue;
        }
        match &mut again {
            Some((after, start)) if *start < text.len() => {
                *start += 1;
                (at, from) = (*after, *start);
            }
            _ => return false,
        }
    }
}

/// How many bytes of the pattern stand for this byte, when they do.
fn one(pattern: &[u8], byte: u8) -> Option<usize> {
    match pattern {
        [b'?', ..] => Some(1),
        [b'\\', literal, ..] => (*literal == byte).then_some(2),
        [b'[', rest @ ..] => {
            let (negated, set) = match rest {
                [b'!' | b'^', set @ ..] => (true, set),
                set => (false, set),
            };
            // A bracket right at the start belongs to the set.
            let Some(end) = set
                .iter()
                .skip(1)
                .position(|each| *each == b']')
                .map(|end| end + 1)
            else {
                return (byte == b'[').then_some(1);
            };
            let mut found = false;
            let mut left = &set[..end];
            while let Some((first, rest)) = left.split_first() {
                if let [b'-', last, after @ ..] = rest {
                    found |= (*first..=*last).contains(&byte);
                    left = after;
                } else {
                    found |= *first == byte;
                    left = rest;
                }
            }
            let length = 1 + usize::from(negated) + end + 1;
            (found != negated).then_some(length)
        }
        [literal, ..] => (*literal == byte).then_some(1),
        [] => None,
    }
}

/// The value, when the field is one of these.
#[allow(clippy::too_many_lines, reason = "one line for each field")]
pub(super) fn value<'a>(event: &'a KernelEvent, field: Field, argument: &Argument) -> Option<Value<'a>> {
    let Some(cell) = event.container() else {
        // The host counts as a container of this name without an image, as in Falco.
        return Some(match field {
            Field::ContainerId | Field::ContainerFullId | Field::ContainerName | Field::ContainerType => {
                Value::text(b"host")
            }
            Field::ContainerImage
            | Field::ContainerImageId
            | Field::ContainerImageRepository
            | Field::ContainerImageTag
            | Field::ContainerImageDigest
            | Field::ContainerMounts
            | Field::ContainerIp
            | Field::ContainerCniJson
            | Field::ContainerLabels => Value::text(b""),
            Field::ContainerPrivileged
            | Field::ContainerHostPid
            | Field::ContainerHostNetwork
            | Field::ContainerHostIpc => Value::Bool(false),
            _ => Value::Absent,
        });
    };
    let cell: &ContainerCell = cell;
    match field {
        Field::ContainerId => return Some(Value::text(cell.id().as_bytes())),
        Field::ContainerFullId => return Some(Value::text(cell.identity().full_id.as_bytes())),
        Field::ContainerType => {
            // The name of a control group does not always tell it.
            let runtime = cell.info().map_or(cell.identity().runtime, |info| info.runtime);
            return Some(Value::text(runtime.name().as_bytes()));
        }
        Field::K8sPodUid | Field::K8sPodId | Field::K8smetaPodUid => {
            let told = cell.info().and_then(|info| info.pod.as_ref()).map(|pod| &pod.uid);
            let uid = told
                .filter(|uid| !uid.is_empty())
                .or(cell.identity().pod.as_ref());
            return Some(optional(uid));
        }
        _ => {}
    }
    let info = cell.info()?;
    let pod = info.pod.as_ref();
    let of_mount = |get: fn(&Mount) -> Value<'_>, by: fn(&Mount) -> &str| {
        mount(info, argument, by).map_or(Value::Absent, get)
    };
    // A known image without a tag or digest has empty ones.
    let of_image = |part: &'a str| {
        if info.image.is_empty() {
            text(part)
        } else {
            Value::text(part.as_bytes())
        }
    };
    let by_source: fn(&Mount) -> &str = |mount| &mount.source;
    Some(match field {
        Field::ContainerName => text(&info.name),
        Field::ContainerImage => text(&info.image),
        Field::ContainerImageId => text(&info.image_id),
        Field::ContainerImageRepository => of_image(&info.repository),
        Field::ContainerImageTag => of_image(&info.tag),
        Field::ContainerImageDigest => of_image(&info.digest),
        Field::ContainerPrivileged => info.privileged.map_or(Value::Absent, Value::Bool),
        Field::ContainerMounts => {
            let mounts: Vec<String> = info.mounts.iter().map(mount_text).collect();
            Value::owned_text(mounts.join(","))
        }
        Field::ContainerMount => mount(info, argument, by_source)
            .map_or(Value::Absent, |mount| Value::owned_text(mount_text(mount))),
        Field::ContainerMountSource => of_mount(
            |mount| Value::text(mount.source.as_bytes()),
            |mount| &mount.destination,
        ),
        Field::ContainerMountDest => of_mount(|mount| Value::text(mount.destination.as_bytes()), by_source),
        Field::ContainerMountMode => of_mount(|mount| Value::text(mount.mode.as_bytes()), by_source),
        Field::ContainerMountRdwr => of_mount(
            |mount| Value::text(if mount.writable { b"true" } else { b"false" }),
            by_source,
        ),
        Field::ContainerMountPropagation => {
            of_mount(|mount| Value::text(mount.propagation.as_bytes()), by_source)
        }
        Field::ContainerHealthcheck => command(info.healthcheck.as_ref()),
        Field::ContainerLivenessProbe => command(info.liveness_probe.as_ref()),
        Field::ContainerReadinessProbe => command(info.readiness_probe.as_ref()),
        Field::ContainerStartTs => match info.started.or(info.created) {
            Some(started) => Value::Uint(started.unsigned_abs()),
            None => Value::Absent,
        },
        Field::ContainerDuration => match info.started.or(info.created) {
            Some(started) => {
                let now = event.parts.host.unix_time(event.header.time);
                Value::Uint(now.saturating_sub(started.unsigned_abs()))
            }
            None => Value::Absent,
        },
        Field::ContainerIp => optional(info.ip.as_ref()),
        Field::ContainerCniJson | Field::K8sPodCniJson => optional(info.cni.as_ref()),
        Field::ContainerHostPid => Value::Bool(info.host_pid),
        Field::ContainerHostNetwork => Value::Bool(info.host_network),
        Field::ContainerHostIpc => Value::Bool(info.host_ipc),
        Field::ContainerLabel => label(&info.labels, argument),
        Field::ContainerLabels => labels(&info.labels),
        Field::K8sPodName | Field::K8smetaPodName => optional(pod.map(|pod| &pod.name)),
        Field::K8sNsName | Field::K8smetaNsName => optional(pod.map(|pod| &pod.namespace)),
        Field::K8sPodServiceAccount => optional(pod.and_then(|pod| pod.service_account.as_ref())),
        Field::K8sPodFullSandboxId => optional(pod.map(|pod| &pod.sandbox_id)),
        Field::K8sPodSandboxId => match pod {
            Some(pod) => text(pod.sandbox_id.get(..12).unwrap_or(&pod.sandbox_id)),
            None => Value::Absent,
        },
        Field::K8sPodLabel | Field::K8smetaPodLabel => {
            pod.map_or(Value::Absent, |pod| label(&pod.labels, argument))
        }
        Field::K8sPodLabels => pod.map_or(Value::Absent, |pod| labels(&pod.labels)),
        Field::K8smetaPodLabels => match pod {
            Some(pod) if !pod.labels.is_empty() => Value::List(
                pod.labels
                    .iter()
                    .map(|(key, value)| Value::owned_text(format!("{key}:{value}")))
                    .collect(),
            ),
            _ => Value::Absent,
        },
        Field::K8sPodIp | Field::K8smetaPodIp => optional(pod.and_then(|pod| pod.ip.as_ref())),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_in_a_row() {
        let given = [
            ("app", "x"),
            ("flag", ""),
            ("io.kubernetes.pod.name", "p"),
            ("annotation.a", "b"),
        ];
        let given = given
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect();
        assert!(matches!(labels(&given), Value::Text(text) if *text == *b"app:x, flag"));
    }

    #[test]
    fn globs() {
        for (pattern, text, fits) in [
            ("/root*", "/root/.ssh", true),
            ("/", "/", true),
            ("/", "/etc", false),
            ("*", "", true),
            ("/a/?", "/a/b", true),
            ("/a/[!b]", "/a/b", false),
            ("/a/[a-c]x", "/a/bx", true),
            ("*a*b*c", "xxaxxbxxc", true),
            ("*a*b*c", "xxaxxbxx", false),
            ("[", "[", true),
            ("", "", true),
            ("", "x", false),
        ] {
            assert_eq!(
                glob(pattern.as_bytes(), text.as_bytes()),
                fits,
                "{pattern} {text}"
            );
        }
        let hard = "*a".repeat(2000);
        assert!(!glob(hard.as_bytes(), "a".repeat(1999).as_bytes()));
    }
}
