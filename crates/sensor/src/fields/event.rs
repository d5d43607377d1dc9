//! The fields `evt.*`, `syscall.type` and `util.cnt`.

use super::names;
use super::parameters::{Direction, spec};
use super::streams::Target;
use crate::event::KernelEvent;
use crate::wire::{Kind, Tag};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use model::event::{Argument, Category, EventView as _, Field, Value};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

const SECOND: u64 = 1_000_000_000;

static ASKED: AtomicU64 = AtomicU64::new(0);

fn local_zone() -> &'static TimeZone {
    static ZONE: OnceLock<TimeZone> = OnceLock::new();
    ZONE.get_or_init(TimeZone::system)
}

fn local_time(time: u64, format: &str) -> Value<'static> {
    let Ok(stamp) = Timestamp::from_nanosecond(i128::from(time)) else {
        return Value::Absent;
    };
    let zoned = stamp.to_zoned(local_zone().clone());
    Value::owned_text(zoned.strftime(format).to_string())
}

/// The value, when the field is one of these.
pub(super) fn value<'a>(event: &'a KernelEvent, field: Field, argument: &Argument) -> Option<Value<'a>> {
    let header = &event.header;
    let kind = event.parts.event_type;
    let time = || event.time();
    let has_result = header.kind != Kind::Exit as u8;
    let flag = |value: bool| Value::Uint(u64::from(value));
    Some(match field {
        Field::EvtNum => Value::Uint(event.parts.number),
        Field::EvtTime | Field::EvtOutputtime => local_time(time(), "%H:%M:%S.%9f"),
        Field::EvtTimeS => local_time(time(), "%H:%M:%S"),
        Field::EvtTimeIso8601 => match Timestamp::from_nanosecond(i128::from(time())) {
            Ok(stamp) => Value::owned_text(stamp.strftime("%Y-%m-%dT%H:%M:%S.%9fZ").to_string()),
            Err(_) => Value::Absent,
        },
        Field::EvtDatetime => local_time(time(), "%Y-%m-%d %H:%M:%S.%9f"),
        Field::EvtDatetimeS => local_time(time(), "%Y-%m-%d %H:%M:%S"),
        Field::EvtRawtime => Value::Uint(time()),
        Field::EvtRawtimeS => Value::Uint(time() / SECOND),
        Field::EvtRawtimeNs => Value::Uint(time() % SECOND),
        Field::EvtReltime => Value::Uint(event.parts.since_first),
        Field::EvtReltimeS => Value::Uint(event.parts.since_first / SECOND),
        Field::EvtReltimeNs => Value::Uint(event.parts.since_first % SECOND),
        Field::EvtDeltatime => Value::Uint(event.parts.since_last),
        Field::EvtDeltatimeS => Value::Uint(event.parts.since_last / SECOND),
        Field::EvtDeltatimeNs => Value::Uint(event.parts.since_last % SECOND),
        Field::EvtSource => Value::text(b"syscall"),
        Field::EvtIsAsync => Value::Bool(false),
        Field::EvtHostname => Value::text(event.parts.host.hostname.as_bytes()),
        Field::EvtType => Value::text(kind.name().as_bytes()),
        Field::EvtTypeIs => match argument {
            Argument::Key(name) => flag(kind.name() == &**name),
            _ => Value::Absent,
        },
        Field::SyscallType if kind.info().is_syscall => Value::text(kind.name().as_bytes()),
        Field::EvtDir => Value::text(b"<"),
        Field::EvtCategory => Value::text(category(event).as_bytes()),
        Field::EvtCpu => Value::Int(i64::from(header.cpu)),
        Field::EvtArgs | Field::EvtInfo => Value::owned_text(event.all_parameters()),
        Field::EvtArg => argument_of(event, argument)?.text(),
        Field::EvtRawarg => argument_of(event, argument)?.raw(),
        Field::EvtBuffer => match event.record().chunk(Tag::Data) {
            Some(data) => Value::Bytes(data.into()),
            None => Value::Absent,
        },
        Field::EvtBuflen if direction(event).is_some() && header.ret >= 0 => {
            Value::Uint(header.ret.unsigned_abs())
        }
        Field::EvtRes if !has_result => Value::Absent,
        Field::EvtRes if header.ret >= 0 => Value::text(b"SUCCESS"),
        Field::EvtRes => match names::error_name(header.ret.unsigned_abs()) {
            Some(name) => Value::text(name.as_bytes()),
            None => Value::owned_text(header.ret.to_string()),
        },
        Field::EvtRawres if has_result => Value::Int(header.ret),
        Field::EvtFailed if has_result => Value::Bool(header.ret < 0),
        Field::EvtIsIo => Value::Bool(direction(event).is_some()),
        Field::EvtIsIoRead => Value::Bool(direction(event) == Some(Direction::Read)),
        Field::EvtIsIoWrite => Value::Bool(direction(event) == Some(Direction::Write)),
        Field::EvtIoDir => match direction(event) {
            Some(Direction::Read) => Value::text(b"read"),
            Some(Direction::Write) => Value::text(b"write"),
            None => Value::Absent,
        },
        Field::EvtIsWait => Value::Bool(spec(kind).is_some_and(|spec| spec.waits)),
        Field::EvtIsSyslog => Value::Bool(
            direction(event) == Some(Direction::Write)
                && event.name().is_some_and(|name| name.ends_with(b"/dev/log")),
        ),
        Field::EvtCount | Field::EvtCountExit => Value::Uint(1),
        Field::EvtCountError if has_result => flag(header.ret < 0),
        Field::EvtCountErrorFile if has_result && subject(event) == Subject::File => flag(header.ret < 0),
        Field::EvtCountErrorNet if has_result && subject(event) == Subject::Net => flag(header.ret < 0),
        Field::EvtCountErrorMemory if has_result && kind.info().category == Category::Memory => {
            flag(header.ret < 0)
        }
        Field::EvtCountErrorOther if has_result && subject(event) == Subject::Other => flag(header.ret < 0),
        Field::EvtAbspath => match argument {
            Argument::Key(which) if &**which == "dst" => event.second_path().into_value(),
            _ if event.parts.event_type.name() == "symlinkat" => event.second_path().into_value(),
            _ => event.first_path().into_value(),
        },
        Field::EvtIsOpenRead => Value::Bool(event.open_flags().is_some_and(|flags| flags & 1 != 0)),
        Field::EvtIsOpenWrite => Value::Bool(event.open_flags().is_some_and(|flags| flags & 2 != 0)),
        Field::EvtIsOpenExec => Value::Bool(is_open_exec(event)),
        Field::EvtIsOpenCreate => {
            let temporary = event.open_flags().is_some_and(|flags| flags & 1 << 13 != 0);
            Value::Bool(event.was_created() || (temporary && header.ret >= 0))
        }
        Field::EvtIsIoUring => Value::Bool(event.is_io_uring()),
        Field::UtilCnt => Value::Uint(ASKED.fetch_add(1, Ordering::Relaxed)),
        _ => return None,
    })
}

fn argument_of<'a>(event: &'a KernelEvent, argument: &Argument) -> Option<super::parameters::Parameter<'a>> {
    match argument {
        Argument::Index(index) => Some(event.parameter(usize::try_from(*index).ok()?)),
        Argument::Key(name) => Some(event.parameter_named(name)),
        Argument::None => None,
    }
}

fn direction(event: &KernelEvent) -> Option<Direction> {
    spec(event.parts.event_type)?.io
}

fn is_open_exec(event: &KernelEvent) -> bool {
    let mode = match event.parts.event_type.name() {
        "creat" => event.argument(1),
        name @ ("open" | "openat" | "openat2") => {
            let makes = event
                .open_flags()
                .is_some_and(|flags| flags & (1 << 2 | 1 << 13) != 0);
            if !makes {
                return false;
            }
            event.argument(if name == "open" { 2 } else { 3 })
        }
        _ => return false,
    };
    mode & 0o111 != 0
}

#[derive(PartialEq)]
enum Subject {
    File,
    Net,
    Memory,
    Other,
}

fn subject(event: &KernelEvent) -> Subject {
    match event.descriptor().map(|descriptor| descriptor.target) {
        Some(target) if target.is_file() => Subject::File,
        Some(target) if target.is_net() => Subject::Net,
        Some(_) => Subject::Other,
        None => match event.parts.event_type.name() {
            "open" | "openat" | "openat2" | "creat" | "open_by_handle_at" => Subject::File,
            "accept" | "accept4" | "connect" => Subject::Net,
            _ if event.parts.event_type.info().category == Category::Memory => Subject::Memory,
            _ => Subject::Other,
        },
    }
}

fn category(event: &KernelEvent) -> &'static str {
    match event.parts.event_type.info().category {
        Category::File => "file",
        Category::Net => "net",
        Category::Process => "process",
        Category::Ipc => "IPC",
        Category::Signal => "signal",
        Category::Time => "time",
        Category::Memory => "memory",
        Category::Wait => "wait",
        Category::Sleep => "sleep",
        Category::System => "system",
        Category::User => "user",
        Category::Scheduler => "scheduler",
        Category::Internal => "internal",
        Category::Plugin => "plugin",
        Category::Other => "other",
        Category::IoRead | Category::IoWrite | Category::IoOther => {
            match event.descriptor().map(|descriptor| descriptor.target) {
                Some(target) if target.is_file() => "file",
                Some(target) if target.is_net() => "net",
                Some(Target::Pipe | Target::Event | Target::Signal | Target::EventPoll | Target::Inotify) => {
                    "ipc"
                }
                _ => "unknown",
            }
        }
    }
}
