//! Which fields events of the kernel answer, found out by asking a corpus of events of every type: what the catalogue says of
//! each field must agree.

use crate::KernelEvent;
use crate::containers::Containers;
use crate::sample::{Sample, parse};
use crate::state::{State, StateOptions};
use crate::wire::{Record, RecordBuilder, Tag};
use model::event::{Argument, ArgumentRule, EventType, EventView as _, FIELDS, FieldState};

/// Surroundings of an event, which are combined with every event type.
const SURROUNDINGS: &[&str] = &[
    // Nothing but the event.
    "{}",
    // A file, in a container of a pod, with everything that a runtime tells.
    "{path: /etc/a, real_path: /etc/b, new_path: /etc/c, real_new_path: /etc/d, base: /etc, fd: 5, new_fd: 6, data: text,
      flags: 1, mode: 0o755, text: ext4, target: 700, signal: 9, id: 33, request: 1, ret: 7, users: {www-data: 33}, groups: {www-data: 33},
      file: {upper_layer: true, created: true, inode: 9, age: 5},
      process: {name: sh, exe: /bin/sh, args: [-c, x], env: {HOME: /root}, uid: 33, gid: 33, login_uid: 33, vpid: 9, tty: 34816,
        interpreter: /bin/sh, binary: {upper_layer: true, inode: 3, age: 9}, stdin: {remote: '10.0.0.1:1'}, stdout: {remote: '10.0.0.1:1'},
        parent: {name: bash, env: {HOME: /root}}, ancestors: [sshd, systemd]},
      container: {id: '3ad7b26ded6d', name: web, runtime: containerd, image: 'r.example/a/b:2@sha256:ff', privileged: true,
        mounts: ['/:/host'], labels: {app: x}, pod: shop/cart-0, pod_labels: {app: x}, healthcheck: [/bin/sh, -c, x], user: www-data}}",
    // A connection.
    "{socket: {local: '10.0.0.1:40000', remote: '93.184.216.34:443'}, fd: 5, new_fd: 6, data: text, ret: 4, process: {name: curl}}",
    // The same from the other side, through a new descriptor.
    "{socket: {local: '10.0.0.1:443', remote: '10.0.0.2:40000', accepted: true}, fd: 5, ret: 9, process: {name: nginx}}",
    // Something that failed.
    "{path: x, fd: 5, ret: ENOENT, process: {name: cat}}",
    "{socket: {local: '10.0.0.1:40000', remote: '93.184.216.34:443'}, fd: 5, ret: ECONNREFUSED, process: {name: curl}}",
];

fn corpus() -> Vec<KernelEvent> {
    let mut events = Vec::new();
    for kind in EventType::all() {
        for yaml in SURROUNDINGS {
            let sample = Sample {
                event: kind.name().to_owned(),
                ..parse(yaml).unwrap().remove(0)
            };
            // Not every type goes with all surroundings.
            events.extend(sample.event());
        }
    }
    events.extend(told_by_runtimes());
    events.extend(resolved());
    // Standard error is a socket from here on.
    let redirected = parse(
        "- {event: dup2, fd: 5, new_fd: 2, ret: 2, socket: {remote: '10.0.0.1:1'}, process: {name: sh, pid: 700}}\n\
         - {event: openat, path: /x, process: {name: sh, pid: 700, stdin: {remote: '10.0.0.1:1'}}}\n\
         - {event: openat, path: /x, after: 100, process: {name: sh, vpid: 3, binary: {age: 0}}, container: {image: a}}\n\
         - {event: openat, path: /x, process: {name: sh, uid: 4242, gid: 4242}}\n",
    )
    .unwrap();
    events.extend(crate::sample::events(&redirected).unwrap());
    events
}

/// An event in a container of which everything is told that a runtime may tell.
fn told_by_runtimes() -> Vec<KernelEvent> {
    let sample = parse(SURROUNDINGS[1]).unwrap().remove(0);
    let sample = Sample {
        event: "openat".to_owned(),
        ..sample
    };
    let event = sample.event().unwrap();
    let mut info = event.container().unwrap().info().unwrap().clone();
    let text = || Some("10.0.0.9".to_owned());
    info.image_id = "ff".to_owned();
    info.ip = text();
    info.cni = Some("{}".to_owned());
    info.liveness_probe = Some(vec!["/bin/live".to_owned()]);
    info.readiness_probe = Some(vec!["/bin/ready".to_owned()]);
    let pod = info.pod.as_mut().unwrap();
    pod.uid = "1-2-3".to_owned();
    pod.sandbox_id = "abcdef0123456789".to_owned();
    pod.ip = text();
    pod.service_account = Some("keeper".to_owned());
    let containers = Containers::offline();
    containers.insert(info);
    let mut state = State::new(StateOptions {
        containers,
        ..StateOptions::default()
    });
    sample
        .records()
        .unwrap()
        .iter()
        .filter_map(|bytes| state.apply(&Record::parse(bytes).unwrap()))
        .collect()
}

/// Events on paths that the kernel followed.
fn resolved() -> Vec<KernelEvent> {
    let mut events = Vec::new();
    for kind in ["renameat", "linkat", "fchmodat"] {
        let yaml = format!("{{event: {kind}, path: /tmp/a, new_path: /tmp/b, process: {{name: sh}}}}");
        let records = parse(&yaml).unwrap()[0].records().unwrap();
        let mut state = State::new(StateOptions::default());
        for bytes in records {
            let bytes = RecordBuilder::of(&Record::parse(&bytes).unwrap())
                .chunk(Tag::Resolved, b"/var/tmp/a")
                .chunk(Tag::SecondResolved, b"/var/tmp/b")
                .build();
            events.extend(state.apply(&Record::parse(&bytes).unwrap()));
        }
    }
    events
}

fn arguments(rule: ArgumentRule) -> Vec<Argument> {
    match rule {
        ArgumentRule::None => vec![Argument::None],
        _ => vec![
            Argument::None,
            Argument::Index(0),
            Argument::Index(1),
            Argument::Key("*".into()),
            Argument::Key("app".into()),
            Argument::Key("HOME".into()),
            Argument::Key("execve".into()),
            Argument::Key("res".into()),
            Argument::Key("/".into()),
            Argument::Key("/host".into()),
        ],
    }
}

#[test]
fn the_catalogue_says_which_fields_are_answered() {
    let corpus = corpus();
    assert!(corpus.len() > 1_000, "{}", corpus.len());
    let mut wrong = Vec::new();
    for (field, info) in FIELDS {
        let arguments = arguments(info.argument);
        let answered = corpus
            .iter()
            .filter(|event| {
                arguments
                    .iter()
                    .any(|argument| event.value(*field, argument).is_present())
            })
            .count();
        let is_so = match field.state("syscall") {
            FieldState::Given => answered == corpus.len(),
            FieldState::When(_) => answered > 0,
            FieldState::Never(_) => answered == 0,
        };
        if !is_so {
            wrong.push(format!(
                "{} is {:?}, and {answered} of {} events answer",
                info.name,
                field.state("syscall"),
                corpus.len()
            ));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
