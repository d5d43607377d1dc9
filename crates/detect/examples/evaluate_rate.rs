//! Measures how many events a second one thread evaluates against rule files: `evaluate_rate [--timed N] FILE…`.
//! With `--timed`, one event of N is timed by rule, as `hullward watch --metrics` does.
//!
//! The events are made up of what hosts do most: files opened for reading and writing, programs started, connections made.
//! None of them is copied from a real host, and few of them match a rule.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a measurement for developers"
)]

use detect::{Evaluator, LoadOptions, Loader};
use model::event::{Argument, EventType, EventView, Field, Value};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long each kind of event is measured.
const TIME: Duration = Duration::from_millis(1500);

struct Event {
    kind: EventType,
    file: &'static str,
    name: &'static str,
    command: &'static str,
    is_write: bool,
    number: u64,
}

impl Event {
    fn new(kind: &str, file: &'static str, name: &'static str, command: &'static str) -> Self {
        Self {
            kind: EventType::named(kind).unwrap(),
            file,
            name,
            command,
            is_write: false,
            number: 1,
        }
    }

    fn for_writing(mut self) -> Self {
        self.is_write = true;
        self
    }
}

const SERVER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(93, 184, 216, 34));
const CLIENT: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 1, 2, 3));

impl EventView for Event {
    fn event_type(&self) -> EventType {
        self.kind
    }

    fn value(&self, field: Field, argument: &Argument) -> Value<'_> {
        let text = |text: &'static str| Value::text(text.as_bytes());
        match field {
            Field::EvtNum => Value::Uint(self.number),
            Field::EvtType => text(self.kind.name()),
            Field::EvtRes => text("SUCCESS"),
            Field::EvtRawres | Field::FdNum => Value::Int(5),
            Field::EvtIsOpenRead => Value::Bool(!self.is_write),
            Field::EvtIsOpenWrite => Value::Bool(self.is_write),
            Field::EvtArg => text("O_RDONLY"),
            Field::FdName | Field::FdNameraw | Field::FdRealpath => text(self.file),
            Field::FdTypechar if self.file.is_empty() => text("4"),
            Field::FdTypechar => text("f"),
            Field::FdType if self.file.is_empty() => text("ipv4"),
            Field::FdType => text("file"),
            Field::FdL4proto => text("tcp"),
            Field::FdSockfamily => text("ip"),
            Field::FdConnected => Value::Bool(true),
            Field::FdNameChanged => Value::Bool(true),
            Field::FdDirectory => {
                let end = self.file.rfind('/').unwrap_or(0);
                Value::text(&self.file.as_bytes()[..end])
            }
            Field::FdFilename => {
                let start = self.file.rfind('/').map_or(0, |slash| slash + 1);
                Value::text(&self.file.as_bytes()[start..])
            }
            Field::FdIp | Field::FdNet => Value::Addresses([Some(CLIENT), Some(SERVER)]),
            Field::FdSip | Field::FdSnet | Field::FdRip | Field::FdRnet => Value::Address(SERVER),
            Field::FdCip | Field::FdCnet => Value::Address(CLIENT),
            Field::FdPort => Value::Ports([Some(40_000), Some(443)]),
            Field::FdSport | Field::FdRport => Value::Uint(443),
            Field::ProcName => text(self.name),
            Field::ProcCmdline => text(self.command),
            Field::ProcExe | Field::ProcExepath => text("/usr/bin/program"),
            Field::ProcArgs => text("--one --two three"),
            Field::ProcPname | Field::ProcSname => text("bash"),
            Field::ProcPcmdline => text("bash -l"),
            Field::ProcPexe | Field::ProcPexepath => text("/usr/bin/bash"),
            Field::ProcCwd => text("/root/"),
            Field::ProcTty => Value::Uint(0),
            Field::ProcDuration => Value::Uint(10_000_000),
            Field::ProcVpid => Value::Int(77),
            Field::ProcIsExeUpperLayer | Field::ProcIsExeFromMemfd => Value::Bool(false),
            Field::ProcAname => match argument {
                Argument::Index(_) => text("systemd"),
                _ => Value::List(vec![text("bash"), text("sshd"), text("systemd")]),
            },
            Field::UserName => text("root"),
            Field::UserUid => Value::Uint(0),
            Field::UserLoginuid => Value::Int(-1),
            Field::ContainerId => text("3ad7b26ded6d"),
            Field::ContainerImageRepository => text("docker.io/library/nginx"),
            Field::ContainerPrivileged => Value::Bool(false),
            Field::ThreadCapEffective | Field::ThreadCapPermitted => text("CAP_CHOWN CAP_KILL"),
            _ => Value::Absent,
        }
    }

    fn time(&self) -> u64 {
        0
    }

    fn source(&self) -> &'static str {
        "syscall"
    }
}

fn main() {
    let mut loader = Loader::new(LoadOptions::default()).unwrap();
    let mut arguments = std::env::args().skip(1).peekable();
    let every: Option<u32> = arguments
        .next_if(|argument| argument == "--timed")
        .and_then(|_| arguments.next())
        .map(|number| number.parse().unwrap());
    for file in arguments {
        let result = loader.add(&file, &std::fs::read(&file).unwrap());
        for finding in &result.errors {
            eprint!("{}", finding.to_text());
        }
    }
    let start = Instant::now();
    let rules = Arc::new(loader.finish());
    let enabled = rules.rules().iter().filter(|rule| rule.enabled).count();
    println!("{enabled} rules compiled in {:?}", start.elapsed());
    let groups: [(&str, Vec<Event>); 5] = [
        (
            "open for reading",
            vec![
                Event::new("openat", "/etc/ld.so.cache", "ls", "ls -l"),
                Event::new("openat", "/usr/lib/locale/locale-archive", "sort", "sort -u"),
                Event::new("openat", "/proc/self/maps", "java", "java -jar app.jar"),
            ],
        ),
        (
            "open for writing",
            vec![
                Event::new("openat", "/var/lib/app/data.db", "app", "app --serve").for_writing(),
                Event::new("openat", "/tmp/build/x.o", "cc1", "cc1 -O2 x.c").for_writing(),
            ],
        ),
        (
            "exec",
            vec![
                Event::new("execve", "/usr/bin/ls", "ls", "ls -l /srv"),
                Event::new("execve", "/usr/bin/grep", "grep", "grep -r pattern /srv"),
            ],
        ),
        (
            "connect",
            vec![
                Event::new("connect", "", "app", "app --serve"),
                Event::new("connect", "", "nginx", "nginx -g daemon off;"),
            ],
        ),
        (
            "mixed",
            vec![
                Event::new("openat", "/etc/ld.so.cache", "ls", "ls -l"),
                Event::new("openat", "/usr/lib/locale/locale-archive", "sort", "sort -u"),
                Event::new("openat", "/var/lib/app/data.db", "app", "app --serve").for_writing(),
                Event::new("openat", "/proc/self/maps", "java", "java -jar app.jar"),
                Event::new("close", "", "java", "java -jar app.jar"),
                Event::new("execve", "/usr/bin/ls", "ls", "ls -l /srv"),
                Event::new("connect", "", "app", "app --serve"),
                Event::new("clone", "", "bash", "bash"),
            ],
        ),
    ];
    for (name, events) in &groups {
        let mut evaluator = Evaluator::new(Arc::clone(&rules));
        if let Some(every) = every {
            evaluator = evaluator.timed(every);
        }
        let mut fired = 0_u64;
        let mut done = 0_u64;
        let start = Instant::now();
        while start.elapsed() < TIME {
            for _ in 0..1000 {
                for event in events {
                    evaluator.evaluate(event, |_| fired += 1);
                }
            }
            done += 1000 * events.len() as u64;
        }
        let rate = done as f64 / start.elapsed().as_secs_f64();
        println!("{name:20} {rate:>12.0} events/s, {fired} alerts of {done}");
    }
}
