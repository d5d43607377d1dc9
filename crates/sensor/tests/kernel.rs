//! The sensor in the running kernel: acts of this process and of children, and the records that tell of them.
//!
//! Needs root and a kernel with type information; says so and passes where these are missing.
#![allow(clippy::disallowed_methods, reason = "acts on files and programs of its own")]
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "helpers of tests, and why they skip"
)]
#![allow(unsafe_code, reason = "acts that the standard library has no call for")]

use model::event::EventType;
use sensor::syscalls::Table;
use sensor::wire::{
    FILE_DELETED, FILE_LOWER_LAYER, FILE_MEMFD, FILE_UPPER_LAYER, Header, Kind, OPEN_CREATED, Record, Tag,
};
use sensor::{KernelSensor, SensorConfig, SensorError};
use std::collections::HashMap;
use std::io::Write;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use testkit::control_group::ControlGroup;

/// A record that outlives its buffer.
#[derive(Debug, Clone)]
struct Seen {
    header: Header,
    chunks: HashMap<u16, Vec<u8>>,
    bytes: Vec<u8>,
}

const TAGS: [Tag; 29] = [
    Tag::Path,
    Tag::SecondPath,
    Tag::Base,
    Tag::SecondBase,
    Tag::File,
    Tag::FileMeta,
    Tag::Socket,
    Tag::UnixPath,
    Tag::Address,
    Tag::Data,
    Tag::Comm,
    Tag::Argv,
    Tag::Environment,
    Tag::WorkingFolder,
    Tag::Credentials,
    Tag::Process,
    Tag::Cgroup,
    Tag::Interpreter,
    Tag::SecondFile,
    Tag::SecondFileMeta,
    Tag::Filename,
    Tag::Executable,
    Tag::ExecutableMeta,
    Tag::Text,
    Tag::Control,
    Tag::SecondSocket,
    Tag::OpenFile,
    Tag::Resolved,
    Tag::SecondResolved,
];

impl Seen {
    fn of(record: &Record<'_>) -> Self {
        let chunks = TAGS
            .iter()
            .filter_map(|tag| Some((*tag as u16, record.chunk(*tag)?.to_vec())))
            .collect();
        Self {
            header: record.header,
            chunks,
            bytes: sensor::wire::RecordBuilder::of(record).build(),
        }
    }

    fn record(&self) -> Record<'_> {
        Record::parse(&self.bytes).unwrap()
    }

    fn text(&self, tag: Tag) -> String {
        self.record()
            .text(tag)
            .map(|text| String::from_utf8_lossy(text).into_owned())
            .unwrap_or_default()
    }

    fn event(&self) -> &'static str {
        if self.header.kind != Kind::Syscall as u8 {
            return "";
        }
        Table::of_abi(Table::native(), self.header.abi)
            .and_then(|table| table.event_type(self.header.syscall))
            .map_or("", EventType::name)
    }

    fn is(&self, kind: Kind) -> bool {
        self.header.kind == kind as u8
    }
}

/// Whether the kernel lets the sensor follow paths of calls that open nothing.
static FOLLOWS: AtomicBool = AtomicBool::new(false);

/// The one sensor of all tests, which take turns with it.
static SENSOR: Mutex<Option<KernelSensor>> = Mutex::new(None);

struct Watch {
    sensor: MutexGuard<'static, Option<KernelSensor>>,
    seen: Vec<Seen>,
}

/// `None`, and a word on why, where the sensor cannot run.
fn watch(types: &[&str]) -> Option<Watch> {
    let config = SensorConfig {
        wanted: types.iter().map(|name| EventType::named(name).unwrap()).collect(),
        own_process: true,
        ..SensorConfig::default()
    };
    let mut sensor = SENSOR.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(sensor) = sensor.as_mut() {
        sensor.reconfigure(&config).unwrap();
    } else {
        match KernelSensor::start(&config) {
            Ok((started, report)) => {
                for program in &report.programs {
                    if program.name == "resolved_mkdir" && program.refused.is_none() {
                        FOLLOWS.store(true, Ordering::Relaxed);
                    }
                    if let Some(reason) = &program.refused {
                        eprintln!(
                            "kernel {}: {} does not run: {reason}",
                            report.release, program.name
                        );
                    }
                }
                *sensor = Some(started);
            }
            Err(error @ (SensorError::NotAllowed | SensorError::NoTypes { .. })) => {
                eprintln!("skipped: {error}");
                return None;
            }
            Err(error) => panic!("{error}"),
        }
    }
    Some(Watch {
        sensor,
        seen: Vec::new(),
    })
}

impl Watch {
    fn sensor(&mut self) -> &mut KernelSensor {
        self.sensor.as_mut().unwrap()
    }

    /// The first record that fits, among those already seen and those that come within ten seconds.
    fn find(&mut self, what: &str, fits: impl Fn(&Seen) -> bool) -> Seen {
        let deadline = Instant::now() + Duration::from_secs(10);
        let mut looked = 0;
        loop {
            if let Some(found) = self.seen[looked..].iter().find(|seen| fits(seen)) {
                return found.clone();
            }
            looked = self.seen.len();
            if Instant::now() >= deadline {
                for seen in &self.seen {
                    eprintln!("{} {:?} {:?}", seen.event(), seen.header, seen.chunks.keys());
                }
                panic!("no record: {what}; losses {:?}", self.sensor().losses());
            }
            let seen = &mut self.seen;
            self.sensor
                .as_mut()
                .unwrap()
                .poll(Duration::from_millis(100), &mut |record| {
                    seen.push(Seen::of(&record));
                })
                .unwrap();
        }
    }
}

fn own() -> u32 {
    std::process::id()
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

#[test]
fn an_open_through_a_link_names_both_the_link_and_the_file() {
    let Some(mut watch) = watch(&["open", "openat"]) else {
        return;
    };
    let folder = folder();
    let real = folder.path().join("real-file");
    let link = folder.path().join("a-link");
    std::fs::write(&real, "x").unwrap();
    std::os::unix::fs::symlink(&real, &link).unwrap();
    let file = std::fs::File::open(&link).unwrap();
    let link = link.to_str().unwrap().to_owned();
    let seen = watch.find("open of the link", |seen| {
        seen.event() == "openat"
            && seen.header.ret == i64::from(file.as_raw_fd())
            && seen.text(Tag::Path) == link
    });
    assert_eq!(seen.text(Tag::File), real.to_str().unwrap());
    assert_eq!(seen.header.tgid, own());
    assert!(
        !seen.chunks.contains_key(&(Tag::Base as u16)),
        "the name is absolute"
    );
    let meta = seen.record().file_meta(Tag::FileMeta).unwrap();
    let stat = std::os::unix::fs::MetadataExt::ino(&std::fs::metadata(&real).unwrap());
    assert_eq!(meta.inode, stat);
    assert_eq!(meta.flags & (FILE_DELETED | FILE_MEMFD), 0);
    let modified = std::fs::metadata(&real).unwrap().modified().unwrap();
    let modified = modified.duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos();
    assert_eq!(u128::from(meta.modify_time), modified);
}

#[test]
fn an_open_says_whether_it_made_the_file() {
    let Some(mut watch) = watch(&["openat"]) else {
        return;
    };
    let folder = folder();
    let path = folder.path().join("made");
    for made in [true, false] {
        std::fs::OpenOptions::new()
            .create(true)
            .truncate(false)
            .append(true)
            .open(&path)
            .unwrap();
        let name = path.to_str().unwrap().to_owned();
        let seen = watch.find("the open", |seen| seen.text(Tag::Path) == name);
        let flags = seen.record().chunk(Tag::OpenFile).unwrap();
        let flags = u32::from_le_bytes(flags[..4].try_into().unwrap());
        assert_eq!(flags & OPEN_CREATED != 0, made);
        watch.seen.clear();
    }
}

/// The calls by which the C library does what is named, on one architecture or another.
fn calls(act: &str) -> &'static [&'static str] {
    match act {
        "chmod" => &["chmod", "fchmodat", "fchmodat2"],
        "link" => &["link", "linkat"],
        "mkdir" => &["mkdir", "mkdirat"],
        "rename" => &["rename", "renameat", "renameat2"],
        "rmdir" => &["rmdir", "unlinkat"],
        "symlink" => &["symlink", "symlinkat"],
        "truncate" => &["truncate"],
        "unlink" => &["unlink", "unlinkat"],
        _ => panic!("{act}"),
    }
}

/// What the call that `act` makes names, and where that led.
fn resolved(event: &str, act: impl FnOnce()) -> Option<[String; 4]> {
    let events = calls(event);
    let mut watch = watch(events)?;
    watch.seen.clear();
    act();
    let process = std::process::id();
    let seen = watch.find(event, |seen| {
        events.contains(&seen.event()) && seen.header.tgid == process && seen.header.ret >= 0
    });
    let tags = [Tag::Path, Tag::Resolved, Tag::SecondPath, Tag::SecondResolved];
    Some(tags.map(|tag| seen.text(tag)))
}

#[test]
fn links_in_names_are_followed_where_the_kernel_lets_programs_look() {
    let folder = folder();
    let real = folder.path().join("real");
    std::fs::create_dir(&real).unwrap();
    std::os::unix::fs::symlink("real", folder.path().join("alias")).unwrap();
    let by_alias = |name: &str| folder.path().join("alias").join(name);
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let real = |name: &str| text(&real.join(name));
    let c = |path: &Path| std::ffi::CString::new(text(path)).unwrap();

    let made = by_alias("made");
    let Some(seen) = resolved("mkdir", || std::fs::create_dir(&made).unwrap()) else {
        return;
    };
    if !FOLLOWS.load(Ordering::Relaxed) {
        assert_eq!(seen[1], "", "nothing is told where nothing was followed");
        eprintln!("skipped: this kernel does not let programs look at its checks of paths");
        return;
    }
    assert_eq!(seen[..2], [text(&made), real("made")]);
    // A thread whose former call was noted, and failed.
    assert!(std::fs::create_dir(&made).is_err());
    let given = c(&made);
    let seen = resolved("rmdir", || {
        // SAFETY: the name is a valid C string.
        assert_eq!(unsafe { libc::rmdir(given.as_ptr()) }, 0);
    });
    assert_eq!(seen.unwrap()[..2], [text(&made), real("made")]);

    let file = by_alias("file");
    std::fs::write(&file, "content").unwrap();
    let link = folder.path().join("link-to-file");
    std::os::unix::fs::symlink("alias/file", &link).unwrap();
    let (given, other) = (c(&link), c(&by_alias("other")));
    let seen = resolved("chmod", || {
        // SAFETY: the name is a valid C string.
        assert_eq!(unsafe { libc::chmod(given.as_ptr(), 0o600) }, 0);
    });
    assert_eq!(seen.unwrap()[..2], [text(&link), real("file")]);
    let seen = resolved("truncate", || {
        // SAFETY: the name is a valid C string.
        assert_eq!(unsafe { libc::truncate(given.as_ptr(), 1) }, 0);
    });
    assert_eq!(seen.unwrap()[..2], [text(&link), real("file")]);
    let given = c(&file);
    let seen = resolved("link", || {
        // SAFETY: the names are valid C strings.
        assert_eq!(unsafe { libc::link(given.as_ptr(), other.as_ptr()) }, 0);
    });
    assert_eq!(
        seen.unwrap(),
        [text(&file), real("file"), text(&by_alias("other")), real("other")]
    );
    let seen = resolved("rename", || std::fs::rename(&file, by_alias("renamed")).unwrap());
    assert_eq!(
        seen.unwrap(),
        [
            text(&file),
            real("file"),
            text(&by_alias("renamed")),
            real("renamed")
        ]
    );
    let seen = resolved("symlink", || {
        std::os::unix::fs::symlink("anything", by_alias("symlink")).unwrap();
    });
    assert_eq!(
        seen.unwrap(),
        [
            "anything".to_owned(),
            String::new(),
            text(&by_alias("symlink")),
            real("symlink")
        ]
    );
    let seen = resolved("unlink", || std::fs::remove_file(by_alias("other")).unwrap());
    assert_eq!(seen.unwrap()[..2], [text(&by_alias("other")), real("other")]);
}

#[test]
fn a_relative_name_comes_with_its_folder_and_a_failed_open_with_its_error() {
    let Some(mut watch) = watch(&["openat"]) else {
        return;
    };
    let folder = folder();
    let inner = folder.path().join("inner");
    std::fs::create_dir(&inner).unwrap();
    let base = std::fs::File::open(&inner).unwrap();
    let name = c"../inner/absent";
    // SAFETY: the name is a C string.
    let outcome = unsafe { libc::openat(base.as_raw_fd(), name.as_ptr(), libc::O_RDONLY) };
    assert_eq!(outcome, -1);
    let seen = watch.find("failed open", |seen| seen.text(Tag::Path) == "../inner/absent");
    assert_eq!(seen.header.ret, -i64::from(libc::ENOENT));
    assert_eq!(seen.text(Tag::Base), inner.to_str().unwrap());
    assert!(!seen.chunks.contains_key(&(Tag::File as u16)));
}

#[test]
fn a_program_is_told_whole() {
    let Some(mut watch) = watch(&[]) else { return };
    let folder = folder();
    let script = folder.path().join("script.sh");
    std::fs::write(&script, "#!/bin/sh\ntrue\n").unwrap();
    std::fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let mut child = Command::new(&script)
        .args(["first", "second word"])
        .env_clear()
        .env("KEY", "value")
        .current_dir(folder.path())
        .spawn()
        .unwrap();
    child.wait().unwrap();
    let pid = child.id();
    let seen = watch.find("exec", |seen| seen.is(Kind::Exec) && seen.header.tgid == pid);
    let shell = std::fs::canonicalize("/bin/sh").unwrap();
    assert_eq!(seen.text(Tag::Executable), shell.to_str().unwrap());
    assert_eq!(seen.text(Tag::Filename), script.to_str().unwrap());
    assert_eq!(seen.text(Tag::Interpreter), "/bin/sh");
    assert_eq!(seen.text(Tag::WorkingFolder), folder.path().to_str().unwrap());
    assert_eq!(seen.text(Tag::Comm), "script.sh");
    let argv = format!("/bin/sh\0{}\0first\0second word\0", script.display());
    assert_eq!(String::from_utf8_lossy(&seen.chunks[&(Tag::Argv as u16)]), argv);
    assert_eq!(seen.chunks[&(Tag::Environment as u16)], b"KEY=value\0");
    assert_eq!(seen.header.ppid, own());
    let process = seen.record().process().unwrap();
    assert_eq!(process.virtual_pid, pid);
    // SAFETY: asks for a number.
    assert_eq!(
        process.session,
        u32::try_from(unsafe { libc::getsid(0) }).unwrap()
    );
    let credentials = seen.record().credentials().unwrap();
    assert_eq!(credentials.effective_uid, 0);
    assert_ne!(credentials.effective, 0);
    let namespaces = std::fs::read_link("/proc/self/ns/mnt").unwrap();
    assert_eq!(
        namespaces.to_str().unwrap(),
        format!("mnt:[{}]", seen.header.mount_namespace)
    );
    let fork = watch.find("fork", |seen| seen.is(Kind::Fork) && seen.header.tgid == pid);
    assert_eq!(fork.header.start_time, seen.header.start_time);
    let exit = watch.find("exit", |seen| seen.is(Kind::Exit) && seen.header.tid == pid);
    assert_eq!((exit.header.ret, exit.header.args[0]), (0, 1));
}

#[test]
fn a_program_without_a_file_is_told_as_such() {
    let Some(mut watch) = watch(&["memfd_create"]) else {
        return;
    };
    // SAFETY: the name is a C string; the descriptor is new.
    let memory = unsafe { OwnedFd::from_raw_fd(libc::memfd_create(c"ghost".as_ptr(), 0)) };
    let mut file = std::fs::File::from(memory);
    file.write_all(&std::fs::read("/bin/true").unwrap()).unwrap();
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    let mut child = Command::new(path).stdin(Stdio::null()).spawn().unwrap();
    child.wait().unwrap();
    let pid = child.id();
    let seen = watch.find("exec", |seen| seen.is(Kind::Exec) && seen.header.tgid == pid);
    assert_eq!(seen.text(Tag::Executable), "memfd:ghost");
    let meta = seen.record().file_meta(Tag::ExecutableMeta).unwrap();
    assert_eq!(
        meta.flags & (FILE_MEMFD | FILE_DELETED),
        FILE_MEMFD | FILE_DELETED
    );
    let made = watch.find("memfd_create", |seen| seen.event() == "memfd_create");
    assert_eq!(made.text(Tag::Text), "ghost");
    assert_eq!(made.text(Tag::File), "memfd:ghost");
}

#[test]
fn a_failed_exec_names_what_was_asked_for() {
    let Some(mut watch) = watch(&["execve"]) else {
        return;
    };
    let error = Command::new("/nonexistent/program").exec();
    assert_eq!(error.kind(), std::io::ErrorKind::NotFound);
    let seen = watch.find("failed exec", |seen| {
        seen.text(Tag::Path) == "/nonexistent/program"
    });
    assert_eq!(
        (seen.event(), seen.header.ret),
        ("execve", -i64::from(libc::ENOENT))
    );
}

#[test]
fn a_connection_tells_both_ends() {
    let Some(mut watch) = watch(&["connect", "accept4", "sendto"]) else {
        return;
    };
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let client = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let (_server, _) = listener.accept().unwrap();
    let own_port = client.local_addr().unwrap().port();
    let seen = watch.find("connect", |seen| {
        seen.event() == "connect"
            && seen
                .record()
                .socket(Tag::Socket)
                .is_some_and(|socket| socket.remote_port == port)
    });
    let socket = seen.record().socket(Tag::Socket).unwrap();
    assert_eq!(
        (socket.family, socket.kind, socket.protocol, socket.role),
        (2, 1, 6, 1)
    );
    assert_eq!(
        (socket.local_port, &socket.local[..4], &socket.remote[..4]),
        (own_port, &[127, 0, 0, 1][..], &[127, 0, 0, 1][..])
    );
    assert_eq!(
        seen.chunks[&(Tag::Address as u16)][..8],
        [2, 0, port.to_be_bytes()[0], port.to_be_bytes()[1], 127, 0, 0, 1]
    );
    let accepted = watch.find("accept", |seen| {
        seen.event() == "accept4"
            && seen
                .record()
                .socket(Tag::Socket)
                .is_some_and(|socket| socket.remote_port == own_port)
    });
    assert_eq!(accepted.record().socket(Tag::Socket).unwrap().role, 2);
}

#[test]
fn a_unix_connection_names_the_socket_file() {
    let Some(mut watch) = watch(&["connect"]) else {
        return;
    };
    let folder = folder();
    let path = folder.path().join("s.sock");
    let _listener = UnixListener::bind(&path).unwrap();
    let _client = UnixStream::connect(&path).unwrap();
    let path = path.to_str().unwrap().to_owned();
    let seen = watch.find("connect", |seen| {
        seen.event() == "connect" && seen.text(Tag::UnixPath) == path
    });
    assert_eq!(seen.record().socket(Tag::Socket).unwrap().family, 1);
}

#[test]
fn processes_and_files_from_before_are_told() {
    let folder = folder();
    let path = folder.path().join("held-open");
    let held = std::fs::File::create(&path).unwrap();
    let Some(mut watch) = watch(&[]) else { return };
    let mut seen = Vec::new();
    watch
        .sensor()
        .snapshot(&mut |record| seen.push(Seen::of(&record)))
        .unwrap();
    let process = seen
        .iter()
        .find(|seen| seen.is(Kind::Snapshot) && seen.header.tgid == own())
        .unwrap();
    let program = std::env::current_exe().unwrap();
    assert_eq!(process.text(Tag::Executable), program.to_str().unwrap());
    assert!(process.chunks.contains_key(&(Tag::Argv as u16)));
    assert!(process.chunks.contains_key(&(Tag::Cgroup as u16)));
    let parent = std::os::unix::process::parent_id();
    assert!(
        seen.iter()
            .any(|seen| seen.is(Kind::Snapshot) && seen.header.tgid == parent)
    );
    let file = seen
        .iter()
        .find(|seen| {
            seen.is(Kind::SnapshotFile)
                && seen.header.tgid == own()
                && seen.header.ret == i64::from(held.as_raw_fd())
        })
        .unwrap();
    assert_eq!(file.text(Tag::File), path.to_str().unwrap());
}

#[test]
fn a_new_configuration_changes_what_is_told() {
    let Some(mut watch) = watch(calls("mkdir")) else {
        return;
    };
    let folder = folder();
    let first = folder.path().join("first");
    std::fs::create_dir(&first).unwrap();
    let first = first.to_str().unwrap().to_owned();
    watch.find("mkdir", |seen| seen.text(Tag::Path) == first);
    let config = SensorConfig {
        wanted: calls("chmod")
            .iter()
            .map(|name| EventType::named(name).unwrap())
            .collect(),
        own_process: true,
        ..SensorConfig::default()
    };
    watch.sensor().reconfigure(&config).unwrap();
    let second = folder.path().join("second");
    std::fs::create_dir(&second).unwrap();
    std::fs::set_permissions(&second, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    let second = second.to_str().unwrap().to_owned();
    watch.find("chmod", |seen| {
        calls("chmod").contains(&seen.event()) && seen.text(Tag::Path) == second
    });
    assert!(
        !watch
            .seen
            .iter()
            .any(|seen| seen.event().starts_with("mkdir") && seen.text(Tag::Path) == second)
    );
}

#[test]
fn sending_by_tcp_is_left_out_where_no_rule_asks_for_it() {
    use std::io::Write as _;
    let Some(mut watch) = watch(&["sendto"]) else {
        return;
    };
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
    let receiver = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let by = |protocol: u8, length: i64| {
        move |seen: &Seen| {
            let socket = seen.record().socket(Tag::Socket);
            seen.event() == "sendto"
                && seen.header.ret == length
                && socket.is_some_and(|socket| socket.protocol == protocol)
        }
    };
    // The standard library sends to TCP sockets by `send`, which is `sendto`.
    client.write_all(&[7; 111]).unwrap();
    watch.find("sending by TCP", by(6, 111));
    let sendto = EventType::named("sendto").unwrap();
    let config = SensorConfig {
        wanted: [sendto].into(),
        without_tcp: [sendto].into(),
        own_process: true,
        ..SensorConfig::default()
    };
    watch.sensor().reconfigure(&config).unwrap();
    client.write_all(&[7; 222]).unwrap();
    sender.send_to(&[7; 333], receiver).unwrap();
    watch.find("sending by UDP", by(17, 333));
    assert!(!watch.seen.iter().any(by(6, 222)));
}

#[test]
fn every_record_made_is_delivered_or_counted_as_lost() {
    let config = SensorConfig {
        wanted: [EventType::named("openat").unwrap()].into(),
        own_process: true,
        ring_bytes: 1,
        budget_per_cgroup: None,
        ..SensorConfig::default()
    };
    let mut sensor = match KernelSensor::start(&config) {
        Ok((sensor, _)) => sensor,
        Err(error) => {
            eprintln!("skipped: {error}");
            return;
        }
    };
    // Nobody reads meanwhile: the buffers, as small as they can be, overflow.
    for _ in 0..20_000 {
        drop(std::fs::File::open("/dev/null"));
    }
    // Nothing more is made once the programs do not look for it; what processes do still is.
    let mut delivered = 0_u64;
    let mut last = HashMap::<u16, u64>::new();
    loop {
        let count = sensor
            .poll(Duration::from_millis(50), &mut |record| {
                let before = last.insert(record.header.cpu, record.header.sequence);
                assert!(
                    before.is_none_or(|before| before < record.header.sequence),
                    "numbers of a processor grow"
                );
            })
            .unwrap();
        delivered += count as u64;
        let losses = sensor.losses().unwrap().total();
        if losses.made == delivered + losses.total() {
            assert!(losses.ring_full > 1000, "{losses:?}");
            break;
        }
        assert!(
            losses.made > delivered + losses.total(),
            "{losses:?}, {delivered} delivered"
        );
    }
}

/// A ring of io_uring with one slot, by hand.
struct Uring {
    descriptor: OwnedFd,
    submissions: *mut u32,
    entries: *mut u8,
    tail: usize,
    mask: usize,
    array: usize,
}

impl Uring {
    /// `None` where the kernel has no io_uring, or does not let this process use it.
    fn new() -> Option<Self> {
        let mut parameters = [0_u32; 30];
        // SAFETY: the structure of parameters has 120 bytes; the descriptor is new; the mappings are checked.
        unsafe {
            let number = libc::syscall(libc::SYS_io_uring_setup, 1_u32, parameters.as_mut_ptr());
            if number < 0 {
                eprintln!("skipped: io_uring: {}", std::io::Error::last_os_error());
                return None;
            }
            let descriptor = OwnedFd::from_raw_fd(i32::try_from(number).unwrap());
            let map = |length: usize, offset: i64| {
                let start = libc::mmap(
                    std::ptr::null_mut(),
                    length,
                    libc::PROT_READ | libc::PROT_WRITE,
                    libc::MAP_SHARED | libc::MAP_POPULATE,
                    descriptor.as_raw_fd(),
                    offset,
                );
                assert_ne!(start, libc::MAP_FAILED);
                start
            };
            let submissions = map(4096, 0).cast();
            let entries = map(4096, 0x1000_0000).cast();
            // Offsets of the submission queue begin after ten numbers: head, tail, mask, entries, flags, dropped, array.
            let [tail, mask, array] = [11, 12, 16].map(|index: usize| parameters[index] as usize / 4);
            Some(Self {
                descriptor,
                submissions,
                entries,
                tail,
                mask,
                array,
            })
        }
    }

    /// Submits one entry and waits for it.
    fn run(&mut self, operation: u8, descriptor: i32, address: u64, length: u32, flags: u32, offset: u64) {
        let mut entry = [0_u8; 64];
        entry[0] = operation;
        entry[4..8].copy_from_slice(&descriptor.to_le_bytes());
        entry[8..16].copy_from_slice(&offset.to_le_bytes());
        entry[16..24].copy_from_slice(&address.to_le_bytes());
        entry[24..28].copy_from_slice(&length.to_le_bytes());
        entry[28..32].copy_from_slice(&flags.to_le_bytes());
        // SAFETY: the mappings hold one entry of 64 bytes and the numbers at these offsets.
        unsafe {
            std::ptr::copy_nonoverlapping(entry.as_ptr(), self.entries, 64);
            let tail = self.submissions.add(self.tail);
            let mask = *self.submissions.add(self.mask);
            *self.submissions.add(self.array + (*tail & mask) as usize) = 0;
            std::sync::atomic::AtomicU32::from_ptr(tail).fetch_add(1, Ordering::Release);
            let done = libc::syscall(
                libc::SYS_io_uring_enter,
                self.descriptor.as_raw_fd(),
                1_u32,
                1_u32,
                1_u32,
                std::ptr::null::<u8>(),
                0_usize,
            );
            assert_eq!(done, 1, "{}", std::io::Error::last_os_error());
        }
    }
}

#[test]
fn files_and_sockets_reached_by_io_uring_are_seen() {
    let Some(mut watch) = watch(&["openat", "connect", "unlinkat"]) else {
        return;
    };
    let Some(mut ring) = Uring::new() else { return };
    let folder = folder();
    std::fs::write(folder.path().join("hidden"), "x").unwrap();
    let base = std::fs::File::open(folder.path()).unwrap();
    let name = c"hidden";
    ring.run(
        18,
        base.as_raw_fd(),
        name.as_ptr() as u64,
        0,
        libc::O_RDWR as u32,
        0,
    );
    let opened = watch.find("openat by io_uring", |seen| {
        seen.is(Kind::IoUring) && seen.text(Tag::Path) == "hidden"
    });
    assert_eq!(opened.header.syscall, 18);
    assert_eq!(opened.text(Tag::Base), folder.path().to_str().unwrap());
    assert_eq!(opened.header.args[2] & 3, libc::O_RDWR as u64);
    assert_eq!(opened.header.tgid, own());

    ring.run(36, base.as_raw_fd(), name.as_ptr() as u64, 0, 0, 0);
    let removed = watch.find("unlinkat by io_uring", |seen| {
        seen.is(Kind::IoUring) && seen.header.syscall == 36
    });
    assert_eq!(removed.text(Tag::Path), "hidden");

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_be_bytes();
    let address = [2, 0, port[0], port[1], 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0];
    // SAFETY: makes a descriptor, which is then owned.
    let socket = unsafe { OwnedFd::from_raw_fd(libc::socket(libc::AF_INET, libc::SOCK_STREAM, 0)) };
    ring.run(16, socket.as_raw_fd(), address.as_ptr() as u64, 0, 0, 16);
    let connected = watch.find("connect by io_uring", |seen| {
        seen.is(Kind::IoUring) && seen.header.syscall == 16
    });
    assert_eq!(connected.chunks[&(Tag::Address as u16)], address);
    assert_eq!(connected.record().socket(Tag::Socket).unwrap().family, 2);
    let state = watch.find("connection", |seen| {
        seen.is(Kind::SocketState)
            && seen.header.args[1] == 1
            && seen
                .record()
                .socket(Tag::Socket)
                .is_some_and(|socket| socket.remote_port == u16::from_be_bytes(port))
    });
    assert_eq!(state.header.cpu & 0x8000, 0x8000);
}

#[test]
fn programs_of_an_overlay_come_from_the_image_or_were_written_later() {
    let Some(mut watch) = watch(&[]) else { return };
    let folder = folder();
    let script = "mount -t tmpfs none $0 && cd $0 && mkdir l u w m && cp /bin/true l/lower &&
        mount -t overlay overlay -o lowerdir=l,upperdir=u,workdir=w m && cp /bin/true m/upper && { m/lower; m/upper; true; }";
    let outcome = Command::new("unshare")
        .args(["-m", "sh", "-c", script])
        .arg(folder.path())
        .output()
        .unwrap();
    if !outcome.status.success() {
        eprintln!("skipped: {}", String::from_utf8_lossy(&outcome.stderr));
        return;
    }
    for (name, flag) in [("lower", FILE_LOWER_LAYER), ("upper", FILE_UPPER_LAYER)] {
        let path = folder.path().join("m").join(name);
        let seen = watch.find(name, |seen| {
            seen.is(Kind::Exec) && seen.text(Tag::Executable) == path.to_str().unwrap()
        });
        let meta = seen.record().file_meta(Tag::ExecutableMeta).unwrap();
        assert_eq!(meta.flags & (FILE_LOWER_LAYER | FILE_UPPER_LAYER), flag, "{name}");
    }
}

#[test]
fn paths_are_as_the_root_of_the_caller_has_them() {
    let Some(mut watch) = watch(&["open", "openat"]) else {
        return;
    };
    let folder = folder();
    std::fs::create_dir(folder.path().join("inner")).unwrap();
    std::fs::write(folder.path().join("inner/jailed"), "x").unwrap();
    let root = std::ffi::CString::new(folder.path().to_str().unwrap()).unwrap();
    let mut command = Command::new("/nonexistent");
    // SAFETY: only system calls between fork and exec.
    unsafe {
        command.pre_exec(move || {
            libc::chroot(root.as_ptr());
            libc::chdir(c"/inner".as_ptr());
            libc::open(c"../inner/jailed".as_ptr(), libc::O_RDONLY);
            Ok(())
        });
    }
    assert!(command.spawn().is_err());
    let seen = watch.find("open in the jail", |seen| {
        seen.text(Tag::Path) == "../inner/jailed"
    });
    assert_eq!(seen.text(Tag::File), "/inner/jailed");
    assert_eq!(seen.text(Tag::Base), "/inner");
}

/// A program of 32-bit ARM that opens `/etc/passwd` and ends.
#[cfg(target_arch = "aarch64")]
fn narrow_program() -> Vec<u8> {
    const CODE: [u32; 8] = [
        0xe3a0_7005, // mov r7, #5: open
        0xe28f_0014, // the name, behind the code
        0xe3a0_1000, // mov r1, #0
        0xe3a0_2000, // mov r2, #0
        0xef00_0000, // svc 0
        0xe3a0_7001, // mov r7, #1: exit
        0xe3a0_0000, // mov r0, #0
        0xef00_0000, // svc 0
    ];
    const ADDRESS: u32 = 0x10000;
    const HEADERS: u32 = 52 + 32;
    let name = b"/etc/passwd\0";
    let size = HEADERS + 4 * CODE.len() as u32 + name.len() as u32;
    let mut bytes = b"\x7fELF\x01\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    let half = |bytes: &mut Vec<u8>, values: &[u16]| {
        bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    };
    // An executable file for ARM.
    half(&mut bytes, &[2, 40]);
    for value in [1, ADDRESS + HEADERS, 52, 0, 0x0500_0000] {
        bytes.extend(u32::to_le_bytes(value));
    }
    half(&mut bytes, &[52, 32, 1, 40, 0, 0]);
    // All of it is loaded, to be read and executed.
    for value in [1, 0, ADDRESS, ADDRESS, size, size, 5, 0x1000] {
        bytes.extend(u32::to_le_bytes(value));
    }
    bytes.extend(CODE.iter().flat_map(|word| word.to_le_bytes()));
    bytes.extend(name);
    bytes
}

#[test]
#[cfg(target_arch = "aarch64")]
fn calls_of_32_bit_programs_are_seen() {
    let Some(mut watch) = watch(&["open"]) else {
        return;
    };
    let folder = folder();
    let path = folder.path().join("narrow");
    std::fs::write(&path, narrow_program()).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&path, mode).unwrap();
    let mut child = match Command::new(&path).spawn() {
        Ok(child) => child,
        Err(error) => {
            eprintln!("skipped: this processor or kernel runs no 32-bit programs: {error}");
            return;
        }
    };
    assert!(child.wait().unwrap().success());
    let run = watch.find("exec of a 32-bit program", |seen| {
        seen.is(Kind::Exec) && seen.header.tgid == child.id()
    });
    assert_eq!((run.header.abi, run.header.syscall), (1, 11));
    let open = watch.find("its open", |seen| {
        seen.event() == "open" && seen.header.tgid == child.id()
    });
    assert_eq!(
        (open.header.abi, open.text(Tag::Path)),
        (1, "/etc/passwd".to_owned())
    );
}

#[test]
#[cfg(target_arch = "x86_64")]
fn calls_by_the_32_bit_gate_are_seen() {
    let Some(mut watch) = watch(&["open", "connect"]) else {
        return;
    };
    // SAFETY: a new page below four gigabytes, where 32-bit calls can find the name; the calls themselves keep what they do
    // not return, but for the registers named.
    let (opened, connected) = unsafe {
        let page = libc::mmap(
            std::ptr::null_mut(),
            4096,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_32BIT,
            -1,
            0,
        );
        assert_ne!(page, libc::MAP_FAILED);
        let call = |number: u64, first: u64, second: u64| {
            let mut result = number;
            std::arch::asm!(
                "xchg rbx, {first}",
                "int 0x80",
                "xchg rbx, {first}",
                first = inout(reg) first => _,
                inout("rax") result,
                in("rcx") second,
                in("rdx") 0_u64,
                out("r8") _, out("r9") _, out("r10") _, out("r11") _,
            );
            result as i32
        };
        std::ptr::copy_nonoverlapping(c"/etc/passwd".as_ptr(), page.cast(), 12);
        let opened = call(5, page as u64, 0);
        // socketcall(SYS_CONNECT, {-1, address, 16})
        let words = page.cast::<u32>().add(64);
        let address = page as u32 + 512;
        words.write(u32::MAX);
        words.add(1).write(address);
        words.add(2).write(16);
        (page.cast::<u8>().add(512)).copy_from_nonoverlapping([2_u8, 0, 0, 80, 192, 0, 2, 1].as_ptr(), 8);
        let connected = call(102, 3, words as u64);
        (opened, connected)
    };
    if opened == -libc::ENOSYS {
        eprintln!("skipped: this kernel has no 32-bit calls");
        return;
    }
    let seen = watch.find("32-bit open", |seen| {
        seen.header.abi == 1 && seen.event() == "open" && seen.text(Tag::Path) == "/etc/passwd"
    });
    assert_eq!((seen.header.syscall, seen.header.ret), (5, i64::from(opened)));
    assert_eq!(seen.text(Tag::File), "/etc/passwd");
    let seen = watch.find("32-bit connect", |seen| {
        seen.header.abi == 1 && seen.event() == "connect"
    });
    assert_eq!(
        (seen.header.syscall, seen.header.ret),
        (362, i64::from(connected))
    );
    assert_eq!(
        seen.chunks[&(Tag::Address as u16)][..8],
        [2, 0, 0, 80, 192, 0, 2, 1]
    );
}

#[test]
fn control_groups_are_told_with_their_path() {
    let Some(mut watch) = watch(&[]) else { return };
    let Some(group) = group("told") else { return };
    let path = format!("/{}", group.folder().file_name().unwrap().to_str().unwrap());
    let child = group.run(&FIRST_PROCESSOR, "exec sleep 0");
    drop(group);
    let made = watch.find("mkdir", |seen| {
        seen.is(Kind::Cgroup) && seen.text(Tag::Cgroup) == path
    });
    assert_eq!(made.header.args[0], 1);
    let entered = watch.find("attach", |seen| {
        seen.is(Kind::Cgroup) && seen.header.args[0] == 3 && seen.text(Tag::Cgroup) == path
    });
    assert_eq!(entered.header.cgroup, made.header.cgroup);
    assert_eq!(entered.header.tgid, child);
    let ran = watch.find("exec", |seen| {
        seen.is(Kind::Exec) && seen.header.tgid == child && seen.text(Tag::Argv) == "sleep"
    });
    assert_eq!(ran.header.cgroup, made.header.cgroup);
    watch.find("rmdir", |seen| {
        seen.is(Kind::Cgroup) && seen.header.args[0] == 2 && seen.header.cgroup == made.header.cgroup
    });
}

/// Hierarchies number their groups each by itself: what is told must not confuse them.
#[test]
fn groups_of_other_hierarchies_are_neither_told_nor_confused() {
    let folders = [
        "/sys/fs/cgroup/cpu",
        "/sys/fs/cgroup/pids",
        "/sys/fs/cgroup/memory",
        "/sys/fs/cgroup/unified",
    ];
    if folders
        .iter()
        .any(|folder| !Path::new(folder).join("cgroup.procs").exists())
    {
        eprintln!("skipped: this host has no hierarchies of both versions");
        return;
    }
    let Some(mut watch) = watch(&[]) else { return };
    let name = format!("hullward-hierarchy-{}", own());
    let made: Vec<_> = folders
        .iter()
        .map(|folder| Path::new(folder).join(&name))
        .take_while(|group| std::fs::create_dir(group).is_ok())
        .collect();
    for group in &made {
        std::fs::remove_dir(group).unwrap();
    }
    if made.len() < folders.len() {
        eprintln!("skipped: groups cannot be made in {}", folders[made.len()]);
        return;
    }
    let path = format!("/{name}");
    let removed = |seen: &&Seen| seen.is(Kind::Cgroup) && seen.header.args[0] == 2;
    let made: Vec<Seen> = {
        let told = |seen: &&Seen| {
            seen.is(Kind::Cgroup) && seen.header.args[0] == 1 && seen.text(Tag::Cgroup) == path
        };
        // The last of all that happened.
        watch.find("rmdir of the second", |seen| {
            removed(&seen) && seen.text(Tag::Cgroup) == path && seen.header.cgroup >> 63 == 0
        });
        watch.seen.iter().filter(told).cloned().collect()
    };
    let versions: Vec<u64> = made.iter().map(|seen| seen.header.cgroup >> 63).collect();
    assert_eq!(versions, [1, 0], "memory of version 1, then version 2");
    let removed: Vec<u64> = watch
        .seen
        .iter()
        .filter(removed)
        .filter(|seen| seen.text(Tag::Cgroup) == path)
        .map(|seen| seen.header.cgroup)
        .collect();
    assert_eq!(removed, [made[0].header.cgroup, made[1].header.cgroup]);
}

/// What a call wrote, named, or was given, where the record of the call has it.
#[test]
fn calls_are_told_with_what_they_take() {
    let Some(mut watch) = watch(&[
        "write",
        "writev",
        "renameat",
        "renameat2",
        "rename",
        "dup",
        "sendfile",
        "symlink",
        "symlinkat",
        "sendto",
        "sendmsg",
        "openat2",
        "mount",
    ]) else {
        return;
    };
    let folder = folder();
    let path = |name: &str| folder.path().join(name);
    let text = |name: &str| path(name).to_str().unwrap().to_owned();
    let c_text = |name: &str| std::ffi::CString::new(text(name)).unwrap();
    let mut file = std::fs::File::create(path("written")).unwrap();
    file.write_all(b"some content").unwrap();
    let seen = watch.find("write", |seen| {
        seen.event() == "write" && seen.text(Tag::Data) == "some content"
    });
    assert_eq!((seen.text(Tag::File), seen.header.ret), (text("written"), 12));

    let parts = [std::io::IoSlice::new(b"first"), std::io::IoSlice::new(b"second")];
    assert_eq!(file.write_vectored(&parts).unwrap(), 11);
    let seen = watch.find("writev", |seen| {
        seen.event() == "writev" && seen.text(Tag::Data) == "first"
    });
    assert_eq!(seen.header.ret, 11);

    std::os::unix::fs::symlink("../target", path("link")).unwrap();
    let seen = watch.find("symlink", |seen| {
        calls("symlink").contains(&seen.event()) && seen.text(Tag::Path) == "../target"
    });
    assert_eq!(seen.text(Tag::SecondPath), text("link"));

    let base = std::fs::File::open(folder.path()).unwrap();
    let number = base.as_raw_fd();
    // SAFETY: names are C strings, the structure has the size that is given.
    unsafe {
        assert_eq!(
            libc::renameat(
                number,
                c"written".as_ptr(),
                libc::AT_FDCWD,
                c_text("renamed").as_ptr()
            ),
            0
        );
        let how = [libc::O_RDONLY as u64, 0, 0x04];
        let opened = libc::syscall(
            libc::SYS_openat2,
            number,
            c"renamed".as_ptr(),
            how.as_ptr(),
            24_usize,
        );
        assert!(opened >= 0);
        assert_eq!(
            libc::mount(
                c"nothing".as_ptr(),
                c"/nowhere".as_ptr(),
                c"ext4".as_ptr(),
                0,
                std::ptr::null()
            ),
            -1
        );
        drop(OwnedFd::from_raw_fd(libc::dup(number)));
        let source = i32::try_from(opened).unwrap();
        assert_eq!(
            libc::sendfile(file.as_raw_fd(), source, std::ptr::null_mut(), 4),
            4
        );
    }
    let seen = watch.find("renameat", |seen| {
        seen.event().starts_with("rename") && seen.text(Tag::Path) == "written"
    });
    assert_eq!(seen.text(Tag::Base), folder.path().to_str().unwrap());
    assert_eq!(seen.text(Tag::SecondPath), text("renamed"));
    let seen = watch.find("openat2", |seen| {
        seen.event() == "openat2" && seen.text(Tag::Path) == "renamed"
    });
    assert_eq!(
        (seen.text(Tag::File), seen.header.args[4]),
        (text("renamed"), 0x04)
    );
    let seen = watch.find("mount", |seen| {
        seen.event() == "mount" && seen.text(Tag::Path) == "nothing"
    });
    assert_eq!(
        (seen.text(Tag::SecondPath), seen.text(Tag::Text)),
        ("/nowhere".into(), "ext4".into())
    );
    watch.find("dup", |seen| {
        seen.event() == "dup" && seen.text(Tag::File) == folder.path().to_str().unwrap()
    });
    let seen = watch.find("sendfile", |seen| {
        seen.event() == "sendfile" && seen.header.ret == 4
    });
    assert_eq!(seen.text(Tag::File), text("renamed"));
    assert_eq!(seen.text(Tag::SecondFile), text("renamed"));

    let receiver = UdpSocket::bind("127.0.0.1:0").unwrap();
    let to = receiver.local_addr().unwrap();
    let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
    sender.send_to(b"datagram", to).unwrap();
    let seen = watch.find("sendto", |seen| {
        seen.event() == "sendto" && seen.text(Tag::Data) == "datagram"
    });
    assert_eq!(
        seen.chunks[&(Tag::Address as u16)][2..8],
        [to.port().to_be_bytes().as_slice(), &[127, 0, 0, 1]].concat()
    );
    assert_eq!(
        seen.record().socket(Tag::Socket).unwrap().local_port,
        sender.local_addr().unwrap().port()
    );

    sender.connect(to).unwrap();
    let mut part = libc::iovec {
        iov_base: b"message".as_ptr().cast_mut().cast(),
        iov_len: 7,
    };
    // SAFETY: a message header may be zero but for what is set; the buffer outlives the call.
    unsafe {
        let mut message: libc::msghdr = std::mem::zeroed();
        message.msg_iov = &raw mut part;
        message.msg_iovlen = 1;
        assert_eq!(libc::sendmsg(sender.as_raw_fd(), &raw const message, 0), 7);
    }
    let seen = watch.find("sendmsg", |seen| {
        seen.event() == "sendmsg" && seen.text(Tag::Data) == "message"
    });
    assert_eq!(seen.record().socket(Tag::Socket).unwrap().remote_port, to.port());
}

#[test]
fn what_a_process_changes_of_itself_is_told() {
    let Some(mut watch) = watch(&[]) else { return };
    let folder = folder();
    let inner = std::ffi::CString::new(folder.path().to_str().unwrap()).unwrap();
    let mut command = Command::new("/nonexistent");
    // SAFETY: only system calls between fork and exec.
    unsafe {
        command.pre_exec(move || {
            libc::chdir(inner.as_ptr());
            libc::prctl(libc::PR_SET_NAME, c"renamed-thread".as_ptr());
            libc::syscall(libc::SYS_setsid);
            libc::syscall(libc::SYS_setuid, 12345);
            Ok(())
        });
    }
    assert!(command.spawn().is_err());
    let name = folder.path().to_str().unwrap();
    let seen = watch.find("chdir", |seen| {
        seen.event() == "chdir" && seen.text(Tag::WorkingFolder) == name
    });
    let child = seen.header.tgid;
    assert_ne!(child, own());
    watch.find("prctl", |seen| {
        seen.header.tgid == child && seen.text(Tag::Comm) == "renamed-thread"
    });
    let seen = watch.find("setsid", |seen| {
        seen.header.tgid == child && seen.event() == "setsid"
    });
    assert_eq!(seen.record().process().unwrap().session, child);
    let seen = watch.find("setuid", |seen| {
        seen.header.tgid == child && seen.event() == "setuid"
    });
    let credentials = seen.record().credentials().unwrap();
    assert_eq!((credentials.uid, credentials.effective), (12345, 0));
}

/// Memory that changes between the call and its record: the name may lie, the file cannot.
#[test]
fn a_name_that_changes_while_it_is_used_does_not_hide_the_file() {
    let Some(mut watch) = watch(&["openat"]) else {
        return;
    };
    let folder = folder();
    let names = ["secret", "harmle"].map(|name| folder.path().join(name).to_str().unwrap().to_owned());
    for name in &names {
        std::fs::write(name, "").unwrap();
    }
    let mut bytes = names[0].clone().into_bytes();
    bytes.push(0);
    let at = names[0].len() - 6;
    let name: &'static [AtomicU8] = bytes.into_iter().map(AtomicU8::new).collect::<Vec<_>>().leak();
    let stop = AtomicBool::new(false);
    let mut opened = HashMap::new();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                for part in ["harmle", "secret"] {
                    for (to, byte) in name[at..].iter().zip(part.bytes()) {
                        to.store(byte, Ordering::Relaxed);
                    }
                }
            }
        });
        let deadline = Instant::now() + Duration::from_secs(30);
        while opened.len() < 50 && Instant::now() < deadline {
            // SAFETY: the name is ended by zero, which nothing overwrites.
            let descriptor = unsafe { libc::openat(libc::AT_FDCWD, name.as_ptr().cast(), libc::O_RDONLY) };
            // Half of a name is the name of nothing.
            if descriptor >= 0 {
                let file = std::fs::read_link(format!("/proc/self/fd/{descriptor}")).unwrap();
                // SAFETY: the descriptor is this test's alone.
                opened.insert(descriptor, (unsafe { OwnedFd::from_raw_fd(descriptor) }, file));
            }
        }
        stop.store(true, Ordering::Relaxed);
    });
    assert_eq!(opened.len(), 50);
    let process = std::process::id();
    for (descriptor, (_, file)) in &opened {
        let seen = watch.find("an open", |seen| {
            seen.event() == "openat"
                && seen.header.tgid == process
                && seen.header.ret == i64::from(*descriptor)
                // Not what made the files.
                && seen.header.args[2] & 3 == 0
                && names.contains(&seen.text(Tag::File))
        });
        assert_eq!(seen.text(Tag::File), file.to_str().unwrap());
    }
}

/// Runs `act` in a child between fork and exec, then opens `path` there; the exec fails.
fn child_opens(path: &Path, act: impl Fn() -> bool + Send + Sync + 'static) -> bool {
    let name = std::ffi::CString::new(path.to_str().unwrap()).unwrap();
    let (mut reader, writer) = std::io::pipe().unwrap();
    let mut command = Command::new("/nonexistent");
    // SAFETY: only system calls between fork and exec.
    unsafe {
        command.pre_exec(move || {
            if act() {
                libc::write(writer.as_raw_fd(), c"1".as_ptr().cast(), 1);
                libc::open(name.as_ptr(), libc::O_RDONLY);
            }
            Ok(())
        });
    }
    assert!(command.spawn().is_err());
    drop(command);
    let mut word = Vec::new();
    std::io::Read::read_to_end(&mut reader, &mut word).unwrap();
    !word.is_empty()
}

#[test]
fn namespaces_are_those_at_the_time_of_the_event() {
    let Some(mut watch) = watch(&["open", "openat"]) else {
        return;
    };
    let folder = folder();
    let file = folder.path().join("opened-elsewhere");
    std::fs::write(&file, "").unwrap();
    let name = file.to_str().unwrap();
    // SAFETY: only system calls.
    let unshared = child_opens(&file, || unsafe { libc::unshare(libc::CLONE_NEWNS) == 0 });
    if !unshared {
        eprintln!("skipped: no namespaces can be made");
        return;
    }
    let seen = watch.find("the open after unshare", |seen| {
        seen.header.tgid != std::process::id() && seen.text(Tag::Path) == name
    });
    let own = std::fs::read_link("/proc/self/ns/mnt").unwrap();
    let inside = format!("mnt:[{}]", seen.header.mount_namespace);
    assert_ne!(inside, own.to_str().unwrap());
    watch.seen.clear();

    // A process that waits in a namespace of its own, and another that joins it.
    let mut other = Command::new("unshare")
        .args(["--mount", "sh", "-c", "echo ready; read line"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut ready = [0; 6];
    std::io::Read::read_exact(other.stdout.as_mut().unwrap(), &mut ready).unwrap();
    let there = std::fs::read_link(format!("/proc/{}/ns/mnt", other.id())).unwrap();
    let space = std::ffi::CString::new(format!("/proc/{}/ns/mnt", other.id())).unwrap();
    // SAFETY: only system calls.
    let joined = child_opens(&file, move || unsafe {
        let descriptor = libc::open(space.as_ptr(), libc::O_RDONLY);
        libc::setns(descriptor, libc::CLONE_NEWNS) == 0
    });
    assert!(joined);
    let call = watch.find("setns", |seen| seen.event() == "setns" && seen.header.ret == 0);
    let seen = watch.find("the open after setns", |seen| seen.text(Tag::Path) == name);
    assert_eq!(
        format!("mnt:[{}]", seen.header.mount_namespace),
        there.to_str().unwrap()
    );
    assert_eq!(call.header.tgid, seen.header.tgid);
    drop(other.stdin.take());
    other.wait().unwrap();
}

#[test]
fn a_process_cloned_into_a_group_is_in_that_group() {
    let Some(mut watch) = watch(&["open", "openat"]) else {
        return;
    };
    if !Path::new("/sys/fs/cgroup/cgroup.controllers").exists() {
        eprintln!("skipped: groups of version 1 tell containers apart here, and cannot be cloned into");
        return;
    }
    let Some(group) = group("cloned") else { return };
    let made = watch.find("the group", |seen| {
        seen.is(Kind::Cgroup)
            && seen.header.args[0] == 1
            && seen.text(Tag::Cgroup).contains("hullward-cloned")
    });
    let folder = folder();
    let file = folder.path().join("opened-in-group");
    std::fs::write(&file, "").unwrap();
    let directory = std::fs::File::open(group.folder()).unwrap();
    let name = std::ffi::CString::new(file.to_str().unwrap()).unwrap();
    // struct clone_args, as far as the group.
    let mut arguments = [0_u64; 11];
    arguments[0] = 0x2_0000_0000;
    arguments[4] = libc::SIGCHLD as u64;
    arguments[10] = directory.as_raw_fd() as u64;
    // SAFETY: the child only makes system calls.
    let child = unsafe {
        let child = libc::syscall(libc::SYS_clone3, arguments.as_ptr(), 88_usize);
        if child == 0 {
            libc::open(name.as_ptr(), libc::O_RDONLY);
            libc::_exit(0);
        }
        child
    };
    assert!(child > 0, "{}", std::io::Error::last_os_error());
    let mut status = 0;
    // SAFETY: the child is this test's own.
    unsafe { libc::waitpid(i32::try_from(child).unwrap(), &raw mut status, 0) };
    let seen = watch.find("the open", |seen| {
        seen.header.tgid != std::process::id() && seen.text(Tag::Path) == file.to_str().unwrap()
    });
    assert_eq!(seen.header.cgroup, made.header.cgroup);
}

#[test]
fn files_reached_by_handle_and_filled_without_writing_are_named() {
    let Some(mut watch) = watch(&[
        "open_by_handle_at",
        "splice",
        "vmsplice",
        "copy_file_range",
        "mmap",
        "tee",
    ]) else {
        return;
    };
    let folder = folder();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(path("from"), "content").unwrap();
    let from = std::fs::File::open(path("from")).unwrap();
    let to = std::fs::OpenOptions::new()
        .create(true)
        .truncate(true)
        .read(true)
        .write(true)
        .open(path("to"))
        .unwrap();
    let (reader, writer) = std::io::pipe().unwrap();
    let none = std::ptr::null_mut();
    // SAFETY: descriptors are open, buffers outlive the calls.
    unsafe {
        if libc::copy_file_range(from.as_raw_fd(), none, to.as_raw_fd(), none, 7, 0) == 7 {
            let seen = watch.find("copy_file_range", |seen| {
                seen.event() == "copy_file_range" && seen.header.ret == 7
            });
            assert_eq!(
                (seen.text(Tag::File), seen.text(Tag::SecondFile)),
                (path("from"), path("to"))
            );
        } else {
            eprintln!("skipped: this file system copies no ranges");
        }
        let text = b"spliced";
        let part = libc::iovec {
            iov_base: text.as_ptr().cast_mut().cast(),
            iov_len: text.len(),
        };
        assert_eq!(libc::vmsplice(writer.as_raw_fd(), &raw const part, 1, 0), 7);
        let seen = watch.find("vmsplice", |seen| {
            seen.event() == "vmsplice" && seen.header.ret == 7
        });
        assert!(
            seen.text(Tag::File).starts_with("pipe:["),
            "{}",
            seen.text(Tag::File)
        );
        assert_eq!(
            libc::splice(reader.as_raw_fd(), none, to.as_raw_fd(), none, 7, 0),
            7
        );
        let seen = watch.find("splice", |seen| seen.event() == "splice" && seen.header.ret == 7);
        assert_eq!(seen.text(Tag::SecondFile), path("to"));
        let memory = libc::mmap(
            std::ptr::null_mut(),
            7,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_SHARED,
            to.as_raw_fd(),
            0,
        );
        assert_ne!(memory, libc::MAP_FAILED);
        let seen = watch.find("mmap", |seen| {
            seen.event() == "mmap" && seen.text(Tag::File) == path("to")
        });
        assert_eq!(seen.header.args[2], 3);
        libc::munmap(memory, 7);

        // The handle of a file: its size, 8 bytes before the handle itself.
        let mut handle = [0_u32; 34];
        handle[0] = 128;
        let mut mount = 0;
        let name = std::ffi::CString::new(path("from")).unwrap();
        let found = libc::syscall(
            libc::SYS_name_to_handle_at,
            libc::AT_FDCWD,
            name.as_ptr(),
            handle.as_mut_ptr(),
            &raw mut mount,
            0,
        );
        let base = std::fs::File::open(folder.path()).unwrap();
        let opened = libc::syscall(
            libc::SYS_open_by_handle_at,
            base.as_raw_fd(),
            handle.as_mut_ptr(),
            libc::O_RDONLY,
        );
        if found == 0 && opened >= 0 {
            let _opened = OwnedFd::from_raw_fd(i32::try_from(opened).unwrap());
            let seen = watch.find("open_by_handle_at", |seen| {
                seen.event() == "open_by_handle_at" && seen.header.ret == opened
            });
            assert_eq!(seen.text(Tag::File), path("from"));
        } else {
            eprintln!("skipped: handles: {}", std::io::Error::last_os_error());
        }
    }
}

/// Starts a shell on the first processor.
const FIRST_PROCESSOR: [&str; 2] = ["taskset", "1"];

/// A control group of the test's own; `None` where there is none to be had.
fn group(name: &str) -> Option<ControlGroup> {
    ControlGroup::new(&format!("hullward-{name}-{}", own()))
        .inspect_err(|reason| eprintln!("skipped: {reason}"))
        .ok()
}

#[test]
fn a_flood_from_one_control_group_does_not_blind_the_sensor_for_others() {
    let cpus = std::thread::available_parallelism().unwrap().get();
    let config = SensorConfig {
        wanted: [EventType::named("openat").unwrap()].into(),
        ring_bytes: cpus << 20,
        budget_per_cgroup: Some(300),
        ..SensorConfig::default()
    };
    let mut sensor = match KernelSensor::start(&config) {
        Ok((sensor, _)) => sensor,
        Err(error) => {
            eprintln!("skipped: {error}");
            return;
        }
    };
    let (Some(noisy), Some(quiet)) = (group("noisy"), group("quiet")) else {
        return;
    };
    let folder = folder();
    let file = folder.path().join("looked-at");
    std::fs::write(&file, "").unwrap();
    // Nobody reads meanwhile.
    noisy.run(
        &FIRST_PROCESSOR,
        "i=0; while [ $i -lt 20000 ]; do : < /dev/null; i=$((i+1)); done",
    );
    let process = quiet.run(
        &FIRST_PROCESSOR,
        &format!(
            "i=0; while [ $i -lt 100 ]; do : < {}; i=$((i+1)); done",
            file.display()
        ),
    );
    let losses = sensor.losses().unwrap().total();
    assert!(losses.over_budget > 10_000, "{losses:?}");
    let name = file.to_str().unwrap();
    let mut seen = 0;
    while sensor
        .poll(Duration::from_millis(100), &mut |record| {
            let path = record.text(Tag::Path).unwrap_or_default();
            seen += usize::from(record.header.tgid == process && path == name.as_bytes());
        })
        .unwrap()
        > 0
        && seen < 100
    {}
    assert_eq!(seen, 100, "{losses:?}");
}

/// Not a test: what [`a_killed_sensor_leaves_nothing_in_the_kernel`] kills.
#[test]
#[ignore = "runs until it is killed"]
fn holder() {
    let sensor = KernelSensor::start(&SensorConfig::default());
    println!("started {}", sensor.is_ok());
    loop {
        std::thread::park();
    }
}

#[test]
fn a_killed_sensor_leaves_nothing_in_the_kernel() {
    let program = std::env::current_exe().unwrap();
    let mut child = Command::new(program)
        .args(["--ignored", "--exact", "holder", "--nocapture"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().unwrap()));
    let started = lines.find_map(|line| {
        line.unwrap()
            .split_once("started ")
            .map(|(_, started)| started == "true")
    });
    let mut programs = std::collections::BTreeSet::new();
    for entry in std::fs::read_dir(format!("/proc/{}/fdinfo", child.id())).unwrap() {
        let info = std::fs::read_to_string(entry.unwrap().path()).unwrap_or_default();
        programs.extend(
            info.lines()
                .filter_map(|line| line.strip_prefix("prog_id:")?.trim().parse::<u32>().ok()),
        );
    }
    child.kill().unwrap();
    child.wait().unwrap();
    if started != Some(true) {
        eprintln!("skipped: the sensor does not run here");
        return;
    }
    assert!(programs.len() >= 10, "{programs:?}");
    // The kernel takes programs away some time after their last descriptor is gone.
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let there: Vec<u32> = aya::programs::loaded_programs()
            .filter_map(|program| Some(program.ok()?.id()))
            .filter(|id| programs.contains(id))
            .collect();
        if there.is_empty() {
            break;
        }
        assert!(Instant::now() < deadline, "still there: {there:?}");
    }
}
