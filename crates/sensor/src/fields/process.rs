//! The fields `proc.*`, `thread.*`, `user.*` and `group.*`.

use super::names::capability_names;
use crate::event::KernelEvent;
use crate::state::{Process, joined};
use crate::wire::{
    Credentials, FILE_DELETED, FILE_LOWER_LAYER, FILE_MEMFD, FILE_UPPER_LAYER, FILE_WRITABLE, Kind,
    Process as Identity,
};
use model::event::{Argument, Field, Value};
use std::borrow::Cow;
use std::sync::Arc;

/// What users and groups without a name are called.
pub(super) const NAMELESS: &[u8] = b"<NA>";

impl KernelEvent {
    pub(crate) fn user_name(&self, uid: u32) -> Option<&[u8]> {
        if uid == u32::MAX {
            return None;
        }
        let user = self.parts.users.as_ref().and_then(|table| table.users.get(&uid));
        match user {
            Some(user) => Some(user.name.as_bytes()),
            // The kernel itself knows this one.
            None => (uid == 0).then_some(b"root"),
        }
    }

    pub(crate) fn group_name(&self, gid: u32) -> Option<&[u8]> {
        let group = self.parts.users.as_ref().and_then(|table| table.groups.get(&gid));
        match group {
            Some(name) => Some(name.as_bytes()),
            None => (gid == 0).then_some(b"root"),
        }
    }

    /// Numbers of the thread itself, where the record is about a new one.
    pub(crate) fn own_identity(&self) -> Option<Identity> {
        let own = (self.header.kind == Kind::Fork as u8)
            .then(|| self.record().process())
            .flatten();
        own.or(self.parts.process.identity)
    }

    /// The process itself, then its ancestors, nearest first.
    fn lineage(&self) -> impl Iterator<Item = &Arc<Process>> {
        std::iter::once(&self.parts.process).chain(self.parts.ancestors.iter())
    }

    /// The process that leads what `number` is the same of for it and its ancestors: the one with that number, or else the
    /// furthest that still has it.
    fn leader(&self, number: impl Fn(&Identity) -> u32) -> Option<&Arc<Process>> {
        let own = number(self.parts.process.identity.as_ref()?);
        let mut leader = &self.parts.process;
        for member in self.lineage() {
            if member.key.tgid == own {
                return Some(member);
            }
            if member.identity.as_ref().map(&number) != Some(own) {
                break;
            }
            leader = member;
        }
        Some(leader)
    }
}

/// The working folder as Falco writes it: with a slash at its end.
pub(crate) fn working_folder(process: &Process) -> Cow<'_, [u8]> {
    let folder = &*process.working_folder;
    if folder.is_empty() || folder.ends_with(b"/") {
        Cow::Borrowed(folder)
    } else {
        Cow::Owned([folder, b"/"].concat())
    }
}

fn present(bytes: &[u8]) -> Value<'_> {
    if bytes.is_empty() {
        Value::Absent
    } else {
        Value::text(bytes)
    }
}

fn present_line(line: Cow<'_, [u8]>) -> Value<'_> {
    if line.is_empty() {
        Value::Absent
    } else {
        Value::Text(line)
    }
}

fn exe_line(process: &Process) -> Vec<u8> {
    let mut line = process.image.first_argument().unwrap_or_default().to_vec();
    line.push(b' ');
    line.extend_from_slice(process.image.arguments_line());
    line
}

/// What a field says of an ancestor, or of all of them where the field has no argument.
fn of_ancestors<'a>(
    event: &'a KernelEvent,
    argument: &Argument,
    get: impl Fn(&'a Process) -> Value<'a>,
) -> Value<'a> {
    match argument {
        Argument::Index(index) => {
            let index = usize::try_from(*index).unwrap_or(usize::MAX);
            event
                .lineage()
                .nth(index)
                .map_or(Value::Absent, |process| get(process))
        }
        _ => {
            let values: Vec<Value<'a>> = event
                .ancestors()
                .iter()
                .map(|process| get(process))
                .filter(Value::is_present)
                .collect();
            if values.is_empty() {
                Value::Absent
            } else {
                Value::List(values)
            }
        }
    }
}

fn is_shell(process: &Process) -> bool {
    process.comm.ends_with(b"sh")
}

/// The value, when the field is one of these.
#[allow(clippy::too_many_lines, reason = "one line for each field")]
pub(super) fn value<'a>(event: &'a KernelEvent, field: Field, argument: &Argument) -> Option<Value<'a>> {
    let header = &event.header;
    let process: &Process = &event.parts.process;
    let image = &*process.image;
    let parent = || event.ancestors().first();
    let number = |number: u32| Value::Int(i64::from(number));
    let identity = |get: fn(&Identity) -> u32| {
        process
            .identity
            .as_ref()
            .map_or(Value::Absent, |identity| Value::Int(i64::from(get(identity))))
    };
    let credentials = |get: fn(&Credentials) -> u64| match &process.credentials {
        Some(credentials) => Value::owned_text(capability_names(get(credentials))),
        None => Value::Absent,
    };
    let flag = |flag: u32| match &image.meta {
        Some(meta) => Value::Bool(meta.flags & flag != 0),
        None => Value::Absent,
    };
    let host = &event.parts.host;
    let since = |start: u64| Value::Uint(header.time.saturating_sub(start));
    let of = |process: Option<&'a Arc<Process>>, get: fn(&'a Process) -> Value<'a>| {
        process.map_or(Value::Absent, |process| get(process))
    };
    let comm = |process: &'a Process| present(&process.comm);
    let first_argument =
        |process: &'a Process| process.image.first_argument().map_or(Value::Absent, Value::text);
    let executable = |process: &'a Process| present(&process.image.executable);
    let session = || event.leader(|identity| identity.session);
    let group = || event.leader(|identity| identity.process_group);
    let stream = |number: usize| process.streams.get(number).and_then(Option::as_ref);
    let login = process
        .credentials
        .as_ref()
        .map(|credentials| credentials.login_uid);
    let user = event
        .parts
        .users
        .as_ref()
        .and_then(|table| table.users.get(&header.uid));
    Some(match field {
        Field::ProcPid => number(header.tgid),
        Field::ProcPpid if process.parent == 0 && header.tgid != 1 => Value::Absent,
        Field::ProcPpid => number(process.parent),
        Field::ProcApid => of_ancestors(event, argument, |process| Value::Int(i64::from(process.key.tgid))),
        Field::ProcVpid => identity(|identity| identity.virtual_pid),
        Field::ProcPvpid => identity(|identity| identity.virtual_parent),
        Field::ProcSid => identity(|identity| identity.session),
        Field::ProcSname => of(session(), comm),
        Field::ProcSidExe => of(session(), first_argument),
        Field::ProcSidExepath => of(session(), executable),
        Field::ProcVpgid => identity(|identity| identity.virtual_process_group),
        Field::ProcPgid => identity(|identity| identity.process_group),
        Field::ProcVpgidName | Field::ProcPgidName => of(group(), comm),
        Field::ProcVpgidExe | Field::ProcPgidExe => of(group(), first_argument),
        Field::ProcVpgidExepath | Field::ProcPgidExepath => of(group(), executable),
        Field::ProcExe => first_argument(process),
        Field::ProcPexe => of(parent(), first_argument),
        Field::ProcAexe => of_ancestors(event, argument, first_argument),
        Field::ProcExepath => executable(process),
        Field::ProcPexepath => of(parent(), executable),
        Field::ProcAexepath => of_ancestors(event, argument, executable),
        Field::ProcInterpreter => image.interpreter.as_deref().map_or(Value::Absent, Value::text),
        Field::ProcName => present(event.thread_name()),
        Field::ProcPname => of(parent(), comm),
        Field::ProcAname => of_ancestors(event, argument, comm),
        // No arguments are an empty text: rules ask for it.
        Field::ProcArgs => Value::text(image.arguments_line()),
        Field::ProcAargs => of_ancestors(event, argument, |process| {
            Value::text(process.image.arguments_line())
        }),
        Field::ProcCmdline => match &event.parts.thread_comm {
            Some(comm) => Value::owned_text(joined(comm, image.other_arguments())),
            None => present_line(process.command_line()),
        },
        Field::ProcPcmdline => of(parent(), |process| present_line(process.command_line())),
        Field::ProcAcmdline => of_ancestors(event, argument, |process| present_line(process.command_line())),
        Field::ProcCmdnargs => Value::Uint(image.other_arguments().count() as u64),
        Field::ProcCmdlenargs => Value::Uint(image.other_arguments().map(<[u8]>::len).sum::<usize>() as u64),
        Field::ProcExeline => present_line(exe_line(process).into()),
        Field::ProcEnv => match argument {
            Argument::Key(name) => image.variable(name).map_or(Value::Absent, Value::text),
            _ => image.environment_line().map_or(Value::Absent, Value::owned_text),
        },
        Field::ProcAenv => match argument {
            Argument::Key(name) => event
                .ancestors()
                .iter()
                .find_map(|process| process.image.variable(name).filter(|value| !value.is_empty()))
                .map_or(Value::Absent, Value::text),
            Argument::Index(_) => of_ancestors(event, argument, |process| {
                process
                    .image
                    .environment_line()
                    .map_or(Value::Absent, Value::owned_text)
            }),
            Argument::None => image.environment_line().map_or(Value::Absent, Value::owned_text),
        },
        Field::ProcCwd => present_line(working_folder(process)),
        Field::ProcLoginshellid => event
            .lineage()
            .filter(|process| is_shell(process))
            .last()
            .map_or(Value::Absent, |process| Value::Int(i64::from(process.key.tgid))),
        Field::ProcTty => match &process.identity {
            Some(identity) => Value::Uint(u64::from(identity.terminal)),
            None => Value::Absent,
        },
        Field::ProcDuration if process.key.start_time != 0 => since(process.key.start_time),
        Field::ProcPpidDuration => parent().map_or(Value::Absent, |parent| since(parent.key.start_time)),
        Field::ProcPidTs if process.key.start_time != 0 => {
            Value::Uint(host.unix_time(process.key.start_time))
        }
        Field::ProcPpidTs => parent().map_or(Value::Absent, |parent| {
            Value::Uint(host.unix_time(parent.key.start_time))
        }),
        Field::ProcIsExeWritable => flag(FILE_WRITABLE),
        Field::ProcIsExeUpperLayer => flag(FILE_UPPER_LAYER),
        Field::ProcIsExeLowerLayer => flag(FILE_LOWER_LAYER),
        Field::ProcIsExeFromMemfd => flag(FILE_MEMFD),
        Field::ProcIsExeDeleted => flag(FILE_DELETED),
        Field::ProcIsSidLeader => match &process.identity {
            Some(identity) => Value::Bool(identity.session == header.tgid),
            None => Value::Absent,
        },
        Field::ProcIsVpgidLeader => match &process.identity {
            Some(identity) => Value::Bool(identity.virtual_process_group == identity.virtual_pid),
            None => Value::Absent,
        },
        Field::ProcIsPgidLeader => match &process.identity {
            Some(identity) => Value::Bool(identity.process_group == header.tgid),
            None => Value::Absent,
        },
        Field::ProcExeIno => image.meta.map_or(Value::Absent, |meta| {
            Value::Int(i64::try_from(meta.inode).unwrap_or(i64::MAX))
        }),
        Field::ProcExeInoCtime => image
            .meta
            .map_or(Value::Absent, |meta| Value::Uint(meta.change_time)),
        Field::ProcExeInoMtime => image
            .meta
            .map_or(Value::Absent, |meta| Value::Uint(meta.modify_time)),
        Field::ProcExeInoCtimeDurationProcStart => {
            let start = host.unix_time(process.key.start_time);
            image
                .meta
                .and_then(|meta| start.checked_sub(meta.change_time))
                .map_or(Value::Absent, Value::Uint)
        }
        Field::ProcExeInoCtimeDurationPidnsStart => {
            let start = process.namespace_start.map(|start| host.unix_time(start));
            image
                .meta
                .and_then(|meta| meta.change_time.checked_sub(start?))
                .map_or(Value::Absent, Value::Uint)
        }
        Field::ProcPidnsInitStartTs => process
            .namespace_start
            .map_or(Value::Absent, |start| Value::Uint(host.unix_time(start))),
        Field::ProcNthreads => Value::Uint(u64::from(process.threads)),
        Field::ProcNchilds => Value::Uint(u64::from(process.threads.saturating_sub(1))),
        Field::ProcStdinType => stream(0).map_or(Value::Absent, |stream| Value::text(stream.kind.as_bytes())),
        Field::ProcStdoutType => {
            stream(1).map_or(Value::Absent, |stream| Value::text(stream.kind.as_bytes()))
        }
        Field::ProcStderrType => {
            stream(2).map_or(Value::Absent, |stream| Value::text(stream.kind.as_bytes()))
        }
        Field::ProcStdinName => stream(0).map_or(Value::Absent, |stream| Value::text(&stream.name)),
        Field::ProcStdoutName => stream(1).map_or(Value::Absent, |stream| Value::text(&stream.name)),
        Field::ProcStderrName => stream(2).map_or(Value::Absent, |stream| Value::text(&stream.name)),
        Field::ThreadCapPermitted => credentials(|credentials| credentials.permitted),
        Field::ThreadCapInheritable => credentials(|credentials| credentials.inheritable),
        Field::ThreadCapEffective => credentials(|credentials| credentials.effective),
        Field::ThreadTid => number(header.tid),
        Field::ThreadIsmain => Value::Bool(header.tid == header.tgid),
        Field::ThreadVtid if header.tid == header.tgid || header.kind == Kind::Fork as u8 => {
            event.own_identity().map_or(Value::Absent, |identity| {
                Value::Int(i64::from(identity.virtual_tid))
            })
        }
        Field::ThreadNametid => {
            let mut text = event.thread_name().to_vec();
            text.extend_from_slice(header.tid.to_string().as_bytes());
            Value::owned_text(text)
        }
        Field::ThreadCgroups => match event.cgroup() {
            Some(path) => Value::text(path),
            None => Value::Absent,
        },
        // All controllers of a thread are told by one path: the one that the record has.
        Field::ThreadCgroup => event.cgroup().map_or(Value::Absent, Value::text),
        Field::UserUid => Value::Uint(u64::from(header.uid)),
        // Rules compare with `<NA>`: users without a name have this one, as in Falco.
        Field::UserName => Value::text(event.user_name(header.uid).unwrap_or(NAMELESS)),
        Field::UserHomedir => Value::text(match user {
            Some(user) => user.home.as_bytes(),
            None if header.uid == 0 => b"/root",
            None => NAMELESS,
        }),
        Field::UserShell => Value::text(user.map_or(NAMELESS, |user| user.shell.as_bytes())),
        Field::UserLoginuid => match login {
            Some(u32::MAX) => Value::Int(-1),
            Some(login) => Value::Int(i64::from(login)),
            None => Value::Absent,
        },
        Field::UserLoginname => {
            Value::text(login.and_then(|login| event.user_name(login)).unwrap_or(NAMELESS))
        }
        Field::GroupGid => Value::Uint(u64::from(header.gid)),
        Field::GroupName => Value::text(event.group_name(header.gid).unwrap_or(NAMELESS)),
        Field::ProcIsContainerHealthcheck => {
            super::container::is_probe(event, super::container::Probe::Health)
        }
        Field::ProcIsContainerLivenessProbe => {
            super::container::is_probe(event, super::container::Probe::Liveness)
        }
        Field::ProcIsContainerReadinessProbe => {
            super::container::is_probe(event, super::container::Probe::Readiness)
        }
        _ => return None,
    })
}
