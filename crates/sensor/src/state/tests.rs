//! What the state keeps and forgets.

use super::*;
use crate::wire::{Header, Process as Identity, RecordBuilder};
use model::event::{Argument, EventView as _, Field, Value};
use proptest::prelude::*;
use std::collections::HashSet;
use std::sync::atomic::{AtomicU32, Ordering};

fn header(kind: Kind, time: u64, pid: u32, parent: u32, start: u64) -> Header {
    Header {
        kind: kind as u8,
        time,
        tid: pid,
        tgid: pid,
        ppid: parent,
        start_time: start,
        ..Header::default()
    }
}

fn program(kind: Kind, time: u64, pid: u32, parent: u32, start: u64, name: &str) -> Vec<u8> {
    RecordBuilder::new(&header(kind, time, pid, parent, start))
        .chunk(Tag::Comm, name.as_bytes())
        .chunk(Tag::Argv, format!("{name}\0").as_bytes())
        .build()
}

fn fork(time: u64, pid: u32, parent: u32, start: u64) -> Vec<u8> {
    RecordBuilder::new(&header(Kind::Fork, time, pid, parent, start)).build()
}

fn exit(time: u64, pid: u32, parent: u32, start: u64) -> Vec<u8> {
    let mut header = header(Kind::Exit, time, pid, parent, start);
    header.args[0] = 1;
    RecordBuilder::new(&header).build()
}

fn call(time: u64, pid: u32, parent: u32, start: u64) -> Vec<u8> {
    let mut header = header(Kind::Syscall, time, pid, parent, start);
    header.syscall = Table::X86_64.number("openat").unwrap();
    RecordBuilder::new(&header).chunk(Tag::Path, b"/x").build()
}

fn state() -> State {
    State::new(StateOptions {
        native: Table::X86_64,
        ..StateOptions::default()
    })
}

fn apply(state: &mut State, bytes: &[u8]) -> Option<KernelEvent> {
    state.apply(&Record::parse(bytes).unwrap())
}

fn names(event: &KernelEvent) -> Vec<String> {
    std::iter::once(event.process())
        .chain(event.ancestors())
        .map(|process| String::from_utf8_lossy(&process.comm).into_owned())
        .collect()
}

#[test]
fn children_take_after_parents_until_they_run_something() {
    let mut state = state();
    apply(&mut state, &program(Kind::Snapshot, 1, 10, 0, 1, "shell"));
    let forked = apply(&mut state, &fork(2, 11, 10, 2)).unwrap();
    assert_eq!(names(&forked), ["shell", "shell"]);
    assert!(Arc::ptr_eq(&forked.process().image, &forked.ancestors()[0].image));
    let run = apply(&mut state, &program(Kind::Exec, 3, 11, 10, 2, "cat")).unwrap();
    assert_eq!(names(&run), ["cat", "shell"]);
    // Events keep what was.
    assert_eq!(names(&forked), ["shell", "shell"]);
}

#[test]
fn a_parent_that_runs_another_program_is_seen_by_its_children() {
    let mut state = state();
    apply(&mut state, &program(Kind::Snapshot, 1, 10, 0, 1, "shell"));
    apply(&mut state, &program(Kind::Snapshot, 1, 11, 10, 2, "child"));
    apply(&mut state, &program(Kind::Snapshot, 1, 12, 11, 3, "grandchild"));
    assert_eq!(
        names(&apply(&mut state, &call(4, 12, 11, 3)).unwrap()),
        ["grandchild", "child", "shell"]
    );
    apply(&mut state, &program(Kind::Exec, 5, 10, 0, 1, "server"));
    assert_eq!(
        names(&apply(&mut state, &call(6, 12, 11, 3)).unwrap()),
        ["grandchild", "child", "server"]
    );
}

#[test]
fn an_orphan_gets_its_new_parent() {
    let mut state = state();
    apply(&mut state, &program(Kind::Snapshot, 1, 1, 0, 0, "init"));
    apply(&mut state, &program(Kind::Snapshot, 1, 10, 1, 1, "shell"));
    apply(&mut state, &program(Kind::Snapshot, 1, 11, 10, 2, "daemon"));
    apply(&mut state, &exit(3, 10, 1, 1));
    assert_eq!(
        names(&apply(&mut state, &call(4, 11, 1, 2)).unwrap()),
        ["daemon", "init"]
    );
}

#[test]
fn a_parent_that_ended_is_known_for_a_while() {
    let mut state = state();
    apply(&mut state, &program(Kind::Snapshot, 1, 10, 0, 1, "shell"));
    let child = RecordBuilder::new(&header(Kind::Fork, 2, 11, 10, 2))
        .chunk(
            Tag::Process,
            &Identity {
                parent_start_time: 1,
                ..Identity::default()
            }
            .to_bytes(),
        )
        .build();
    apply(&mut state, &child);
    apply(&mut state, &exit(3, 10, 0, 1));
    assert_eq!(
        names(&apply(&mut state, &call(4, 11, 10, 2)).unwrap()),
        ["shell", "shell"]
    );
    assert_eq!(state.statistics().ended, 1);
    apply(&mut state, &call(10_000_000_000, 11, 10, 2));
    assert_eq!(state.statistics().ended, 0);
}

#[test]
fn a_number_that_is_used_again_is_another_process() {
    let mut state = state();
    apply(&mut state, &program(Kind::Snapshot, 1, 10, 0, 1, "old"));
    apply(&mut state, &program(Kind::Snapshot, 1, 11, 10, 2, "child"));
    // The end of the old one was lost.
    apply(&mut state, &program(Kind::Exec, 5, 10, 0, 4, "new"));
    assert_eq!(&*state.process(10).unwrap().comm, b"new");
    let event = apply(&mut state, &call(6, 11, 10, 2)).unwrap();
    // Nobody is the child of who began later.
    assert_ne!(names(&event).get(1).map(String::as_str), Some("new"));
}

#[test]
fn threads_have_names_of_their_own() {
    let mut state = state();
    apply(&mut state, &program(Kind::Snapshot, 1, 10, 0, 1, "java"));
    let mut thread = header(Kind::Fork, 2, 10, 0, 1);
    thread.tid = 15;
    apply(&mut state, &RecordBuilder::new(&thread).build());
    assert_eq!(state.process(10).unwrap().threads, 2);
    let mut named = header(Kind::Syscall, 3, 10, 0, 1);
    named.tid = 15;
    named.syscall = Table::X86_64.number("prctl").unwrap();
    apply(
        &mut state,
        &RecordBuilder::new(&named).chunk(Tag::Comm, b"worker").build(),
    );
    let mut open = header(Kind::Syscall, 4, 10, 0, 1);
    open.tid = 15;
    open.syscall = Table::X86_64.number("openat").unwrap();
    let event = apply(&mut state, &RecordBuilder::new(&open).build()).unwrap();
    assert_eq!(
        event.value(Field::ProcName, &Argument::None),
        Value::text(b"worker")
    );
    assert_eq!(
        event.value(Field::ProcCmdline, &Argument::None),
        Value::text(b"worker")
    );
    let main = apply(&mut state, &call(5, 10, 0, 1)).unwrap();
    assert_eq!(main.value(Field::ProcName, &Argument::None), Value::text(b"java"));
    let mut end = header(Kind::Exit, 6, 10, 0, 1);
    end.tid = 15;
    apply(&mut state, &RecordBuilder::new(&end).build());
    assert_eq!(state.process(10).unwrap().threads, 1);
}

#[test]
fn who_ended_is_evicted_first() {
    let mut state = State::new(StateOptions {
        capacity: 20,
        native: Table::X86_64,
        ..StateOptions::default()
    });
    for pid in 100..110 {
        apply(&mut state, &program(Kind::Snapshot, 1, pid, 0, 1, "stays"));
    }
    for pid in 200..400 {
        apply(&mut state, &program(Kind::Exec, 2, pid, 100, 2, "short"));
        apply(&mut state, &exit(2, pid, 100, 2));
    }
    assert_eq!((100..110).filter(|pid| state.process(*pid).is_some()).count(), 10);
    let statistics = state.statistics();
    assert_eq!(statistics.processes, 20);
    assert_eq!(statistics.evicted, 200 - 10);
    // Then the ones that were quiet longest.
    for pid in 500..515 {
        apply(&mut state, &call(3, 100, 0, 1));
        apply(&mut state, &program(Kind::Exec, 3, pid, 100, 3, "more"));
    }
    assert!(state.process(100).is_some());
    assert_eq!(state.statistics().processes, 20);
}

#[test]
fn streams_follow_what_is_duplicated_onto_them() {
    let samples = crate::sample::parse(
        "{event: dup2, fd: 5, new_fd: 0, socket: {local: '10.0.0.1:5', remote: '1.2.3.4:80'}}",
    )
    .unwrap();
    let mut state = state();
    let mut last = None;
    for bytes in samples[0].records().unwrap() {
        last = apply(&mut state, &bytes).or(last);
    }
    let tgid = last.unwrap().header.tgid;
    let stream = state.process(tgid).unwrap().streams[0].clone().unwrap();
    assert_eq!(
        (stream.kind, &*stream.name),
        ("ipv4", &b"10.0.0.1:5->1.2.3.4:80"[..])
    );
}

#[test]
fn a_snapshot_makes_the_same_state() {
    let mut first = state();
    for (pid, parent) in [(1, 0), (10, 1), (11, 10), (12, 11)] {
        apply(
            &mut first,
            &program(Kind::Snapshot, 1, pid, parent, u64::from(pid), &format!("p{pid}")),
        );
    }
    let mut second = state();
    for record in first.snapshot() {
        apply(&mut second, &record);
    }
    let ancestors = |state: &mut State| -> Vec<u32> {
        state
            .ancestors(12)
            .iter()
            .map(|process| process.key.tgid)
            .collect()
    };
    assert_eq!(ancestors(&mut second), [11, 10, 1]);
    assert_eq!(ancestors(&mut first), ancestors(&mut second));
    assert_eq!(second.process(12).unwrap().image.command_line(), b"p12");
}

/// Gives facts of a process of its own and its parents.
#[derive(Debug)]
struct Facts(Vec<u32>);

impl ProcReader for Facts {
    fn process(&mut self, tgid: u32) -> Option<ProcFacts> {
        self.0.push(tgid);
        (tgid < 100).then(|| ProcFacts {
            parent: tgid.saturating_sub(1),
            start_time: u64::from(tgid) * 10_000_000,
            comm: format!("p{tgid}").into_bytes(),
            ..ProcFacts::default()
        })
    }

    fn cgroup(&mut self, _: u32) -> Option<Vec<u8>> {
        Some(b"/init.scope".to_vec())
    }

    fn users(
        &mut self,
        tgid: u32,
        _: u32,
        known: Option<UserStamp>,
    ) -> Option<(UserStamp, Option<UserTable>)> {
        // The root folder of a program that is run is another one than that of who runs it.
        let name = if tgid == 5 { "before" } else { "after" };
        let stamp = [Some((i64::from(tgid), 0, 0)), None];
        let table = UserTable::parse(format!("{name}:x:7:7::/:/bin/sh").as_bytes(), b"");
        (tgid < 100).then(|| (stamp, (known != Some(stamp)).then_some(table)))
    }
}

#[test]
fn users_of_a_new_root_folder() {
    let mut state = State::new(StateOptions {
        native: Table::X86_64,
        reader: Some(Box::new(Facts(Vec::new()))),
        ..StateOptions::default()
    });
    let user = |event: &KernelEvent| match event.value(Field::UserName, &Argument::None) {
        Value::Text(name) => String::from_utf8_lossy(&name).into_owned(),
        other => format!("{other:?}"),
    };
    let with_user = |bytes: Vec<u8>| -> Vec<u8> {
        let mut bytes = bytes;
        // The user, behind size, kind, processor, time, cgroup, thread, process, parent and call.
        bytes[40..44].copy_from_slice(&7_u32.to_le_bytes());
        bytes
    };
    let second = 1_000_000;
    let before = apply(&mut state, &with_user(call(second, 5, 4, 50_000_000))).unwrap();
    assert_eq!(user(&before), "before");
    let run = apply(
        &mut state,
        &with_user(program(Kind::Exec, 2 * second, 6, 5, 60_000_000, "app")),
    )
    .unwrap();
    assert_eq!(user(&run), "after");
    // A process that is gone is told by its parent.
    let gone = apply(
        &mut state,
        &with_user(program(Kind::Exec, 3 * second, 200, 6, 70_000_000, "ls")),
    )
    .unwrap();
    assert_eq!(user(&gone), "after");
}

/// The users of a machine on which one more is made every time that somebody looks.
#[derive(Debug)]
struct Growing(u32);

impl ProcReader for Growing {
    fn process(&mut self, _: u32) -> Option<ProcFacts> {
        None
    }

    fn cgroup(&mut self, _: u32) -> Option<Vec<u8>> {
        None
    }

    fn users(&mut self, _: u32, _: u32, _: Option<UserStamp>) -> Option<(UserStamp, Option<UserTable>)> {
        self.0 += 1;
        let lines: String = (0..self.0)
            .map(|number| format!("made-{number}:x:{}:9::/:/bin/sh\n", 1000 + number))
            .collect();
        let stamp = [Some((i64::from(self.0), 0, 0)), None];
        Some((stamp, Some(UserTable::parse(lines.as_bytes(), b""))))
    }
}

#[test]
fn a_user_that_was_just_made_is_looked_for_at_once_and_then_seldom() {
    let mut state = State::new(StateOptions {
        native: Table::X86_64,
        reader: Some(Box::new(Growing(0))),
        ..StateOptions::default()
    });
    let mut name = |time: u64, uid: u32| {
        let header = Header {
            uid,
            syscall: Table::X86_64.number("openat").unwrap(),
            ..header(Kind::Syscall, time, 5, 4, 1)
        };
        let event = apply(&mut state, &RecordBuilder::new(&header).build()).unwrap();
        match event.value(Field::UserName, &Argument::None) {
            Value::Text(name) => Some(String::from_utf8_lossy(&name).into_owned()),
            _ => None,
        }
    };
    let second = 1_000_000_000;
    assert_eq!(name(second, 1000).as_deref(), Some("made-0"));
    // Not there yet when the table was read.
    assert_eq!(name(second + 1, 1001).as_deref(), Some("made-1"));
    // Nobody: the table was read once more in vain, and is not read again by the next event.
    assert_eq!(name(second + 2, 1003).as_deref(), Some("<NA>"));
    assert_eq!(name(second + 3, 1003).as_deref(), Some("<NA>"));
    assert_eq!(name(2 * second, 1003).as_deref(), Some("made-3"));
}

/// A machine whose users stay as they are, and how often somebody looked.
#[derive(Debug)]
struct Settled(Arc<AtomicU32>);

impl ProcReader for Settled {
    fn process(&mut self, _: u32) -> Option<ProcFacts> {
        None
    }

    fn cgroup(&mut self, _: u32) -> Option<Vec<u8>> {
        None
    }

    fn users(&mut self, _: u32, _: u32, known: Option<UserStamp>) -> Option<(UserStamp, Option<UserTable>)> {
        self.0.fetch_add(1, Ordering::Relaxed);
        let stamp = [None, None];
        let table = UserTable::parse(b"root:x:0:0::/root:/bin/sh", b"");
        Some((stamp, known.is_none().then_some(table)))
    }
}

#[test]
fn users_who_are_not_there_are_looked_for_once_each() {
    let looks = Arc::new(AtomicU32::new(0));
    let mut state = State::new(StateOptions {
        native: Table::X86_64,
        reader: Some(Box::new(Settled(Arc::clone(&looks)))),
        ..StateOptions::default()
    });
    let mut by = |time: u64, uid: u32| {
        let header = Header {
            uid,
            syscall: Table::X86_64.number("openat").unwrap(),
            ..header(Kind::Syscall, time, 5, 4, 1)
        };
        apply(&mut state, &RecordBuilder::new(&header).build()).unwrap();
        looks.load(Ordering::Relaxed)
    };
    let second = 1_000_000_000;
    assert_eq!(by(second, 0), 1);
    for (turn, uid) in [1001, 1002, 1001, 1002, 1003, 1002, 1001].into_iter().enumerate() {
        by(second + turn as u64, uid);
    }
    assert_eq!(by(second + 10, 1002), 4, "once for the table, then once for each");
    assert_eq!(by(2 * second, 1002), 5, "once more after a while");
    assert_eq!(by(2 * second + 1, 1002), 5);
}

#[test]
fn who_leaves_its_namespaces_has_the_capabilities_that_it_asked_with() {
    let mut state = state();
    let with = |kind: Kind, time: u64, call: &str, permitted: u64| {
        let header = Header {
            syscall: Table::X86_64.number(call).unwrap(),
            ..header(kind, time, 10, 4, 1)
        };
        let credentials = crate::wire::Credentials {
            permitted,
            ..crate::wire::Credentials::default()
        };
        RecordBuilder::new(&header)
            .chunk(Tag::Comm, b"app")
            .chunk(Tag::Argv, b"app\0")
            .chunk(Tag::Credentials, &credentials.to_bytes())
            .build()
    };
    let permitted = |event: &KernelEvent| match event.value(Field::ThreadCapPermitted, &Argument::None) {
        Value::Text(names) => String::from_utf8_lossy(&names).into_owned(),
        other => format!("{other:?}"),
    };
    apply(&mut state, &with(Kind::Exec, 1, "execve", 1));
    let left = apply(&mut state, &with(Kind::Syscall, 2, "unshare", 1 << 21)).unwrap();
    assert_eq!(permitted(&left), "CAP_CHOWN");
    let after = apply(&mut state, &call(3, 10, 4, 1)).unwrap();
    assert_eq!(permitted(&after), "CAP_SYS_ADMIN");
}

#[test]
fn processes_that_no_record_announced_are_read_with_their_parents() {
    let mut state = State::new(StateOptions {
        native: Table::X86_64,
        reader: Some(Box::new(Facts(Vec::new()))),
        ..StateOptions::default()
    });
    let event = apply(&mut state, &call(1_000_000_000, 4, 3, 40_000_123)).unwrap();
    assert_eq!(names(&event), ["p4", "p3", "p2", "p1"]);
    assert_eq!(state.statistics().read, 4);
    // Its exact start time is the record's.
    assert_eq!(event.process().key.start_time, 40_000_123);
    apply(&mut state, &call(1_000_000_001, 4, 3, 40_000_123));
    assert_eq!(state.statistics().unannounced, 1);
    // One that is gone is known by its record alone.
    let gone = apply(&mut state, &call(1_000_000_002, 200, 4, 50_000_000)).unwrap();
    assert_eq!(names(&gone), ["", "p4", "p3", "p2", "p1"]);
}

#[derive(Debug, Clone)]
enum Step {
    Fork(u32, u32),
    Exec(u32, u32),
    Exit(u32),
    Call(u32, u32),
}

fn steps() -> impl Strategy<Value = Vec<(Step, u64)>> {
    let pid = 1_u32..24;
    let step = prop_oneof![
        (pid.clone(), pid.clone()).prop_map(|(pid, parent)| Step::Fork(pid, parent)),
        (pid.clone(), pid.clone()).prop_map(|(pid, parent)| Step::Exec(pid, parent)),
        pid.clone().prop_map(Step::Exit),
        (pid.clone(), pid).prop_map(|(pid, parent)| Step::Call(pid, parent)),
    ];
    proptest::collection::vec((step, 0_u64..4), 1..200)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever records say, even of parents in a circle: the table is bounded and ancestors come to an end.
    #[test]
    fn ancestors_end_and_the_table_is_bounded(steps in steps()) {
        let mut state = State::new(StateOptions { capacity: 16, native: Table::X86_64, ..StateOptions::default() });
        for (time, (step, start)) in (1..).zip(steps) {
            let bytes = match step {
                Step::Fork(pid, parent) => fork(time, pid, parent, start),
                Step::Exec(pid, parent) => program(Kind::Exec, time, pid, parent, start, "p"),
                Step::Exit(pid) => exit(time, pid, 1, start),
                Step::Call(pid, parent) => call(time, pid, parent, start),
            };
            let event = apply(&mut state, &bytes);
            prop_assert!(state.statistics().processes <= 16);
            if let Some(event) = event {
                let keys: HashSet<_> = event.ancestors().iter().map(|process| process.key).collect();
                prop_assert_eq!(keys.len(), event.ancestors().len());
                prop_assert!(!keys.contains(&event.process().key));
                prop_assert!(event.ancestors().len() <= ANCESTORS);
            }
        }
    }

    /// Any bytes in any chunk: nothing panics.
    #[test]
    fn hostile_records(kind in 1_u8..10, number in 0_u32..470, ret: i64, args: [u64; 6],
                       chunks in proptest::collection::vec((1_u16..28, proptest::collection::vec(any::<u8>(), 0..90)), 0..12)) {
        let mut bytes = RecordBuilder::new(&Header {
            kind, syscall: number, ret, args, time: 5, tid: 7, tgid: 7, ppid: 8, start_time: 3, cgroup: 9, ..Header::default()
        }).build();
        for (tag, content) in chunks {
            bytes.extend_from_slice(&tag.to_le_bytes());
            bytes.extend_from_slice(&u16::try_from(content.len()).unwrap().to_le_bytes());
            bytes.extend_from_slice(&content);
            bytes.resize(bytes.len().next_multiple_of(4), 0);
        }
        let size = u32::try_from(bytes.len()).unwrap();
        bytes[..4].copy_from_slice(&size.to_le_bytes());
        let mut state = state();
        if let Some(event) = apply(&mut state, &bytes) {
            for (field, _) in model::event::FIELDS {
                for argument in [Argument::None, Argument::Index(1), Argument::Key("name".into())] {
                    let _ = event.value(*field, &argument);
                }
            }
        }
    }
}
