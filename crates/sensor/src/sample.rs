//! Events written by hand: what rules' examples are made of.
//!
//! A sample is a small YAML document. It becomes records as the kernel side writes them, which go through the state like
//! any other, so an example tests what a live event would do. `docs/rule-examples.md` describes the form.
//!
//! ```yaml
//! - event: openat
//!   path: /etc/shadow
//!   flags: O_RDONLY
//!   process: {name: cat, args: [/etc/shadow], parent: {name: bash}}
//!   container: {image: nginx:1.25, privileged: false}
//! ```

use crate::containers::{ContainerInfo, Containers, Mount, Pod, Runtime, identify};
use crate::event::KernelEvent;
use crate::fields::io_uring_operation;
use crate::fields::names::{self, Names};
use crate::state::{State, StateOptions, User, UserTable};
use crate::syscalls::Table;
use crate::wire::{
    Credentials, FILE_DELETED, FILE_LOWER_LAYER, FILE_MEMFD, FILE_UPPER_LAYER, FILE_WRITABLE, FileMeta,
    Header, Kind, OPEN_CREATED, Process as Identity, Record, RecordBuilder, Socket, Tag,
};
use core::net::{IpAddr, SocketAddr};
use model::event::EventType;
use serde::Deserialize;
use std::collections::BTreeMap;

/// A sample cannot be made into an event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SampleError {
    /// The text is not of the form of samples.
    #[error("the sample is not of the form of samples: {0}")]
    Form(String),
    /// No such event type.
    #[error("unknown event `{0}`: use a system call such as `openat`, `execve`, `connect`, or `procexit`")]
    Event(String),
    /// A value that does not fit.
    #[error("`{field}` is `{value}`: {wanted}")]
    Value {
        /// The key in the sample.
        field: &'static str,
        /// What stands there.
        value: String,
        /// What should.
        wanted: &'static str,
    },
    /// The event gave nothing that rules see.
    #[error("`{0}` gives no event that rules see")]
    Silent(String),
}

/// An event, as an example of a rule writes it.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Sample {
    /// The event type: a system call, `execve` and its kin included, or `procexit`.
    pub event: String,
    /// The process that it happens in; of `execve`, the process as it is after.
    pub process: SampleProcess,
    /// The container; none stands for the host.
    pub container: Option<SampleContainer>,
    /// Users and groups that the process sees, beyond root: `{www-data: 33}`.
    pub users: BTreeMap<String, u32>,
    /// As `users`.
    pub groups: BTreeMap<String, u32>,
    /// The path argument, as the process gave it.
    pub path: Option<String>,
    /// The second path argument (`rename`, `link`, `symlink`, the folder of `mount`).
    pub new_path: Option<String>,
    /// The folder that a relative `path` starts from, when it is not the working folder.
    pub base: Option<String>,
    /// The folder that a relative `new_path` starts from.
    pub new_base: Option<String>,
    /// The file that the kernel really used, when links or mounts make it another one than `path`.
    pub real_path: Option<String>,
    /// The same of `new_path`.
    pub real_new_path: Option<String>,
    /// Facts of that file.
    pub file: SampleFile,
    /// Flags, by name or number (`O_WRONLY|O_CREAT`, `CLONE_NEWNS`, `AT_REMOVEDIR`).
    pub flags: Option<Number>,
    /// Mode bits: octal text (`"0755"`), names (`S_ISUID|S_IXUSR`) or a number.
    pub mode: Option<Number>,
    /// What the call returned; by default 0, or a new descriptor where it makes one. Errors by name: `ENOENT`.
    pub ret: Option<Number>,
    /// The descriptor that the call takes.
    pub fd: Option<i32>,
    /// The second descriptor (`newfd` of `dup2`).
    pub new_fd: Option<i32>,
    /// The socket, for calls on one.
    pub socket: Option<SampleSocket>,
    /// What was read or written, as text.
    pub data: Option<String>,
    /// The same, as hexadecimal digits.
    pub data_hex: Option<String>,
    /// The argument of `setuid` and `setgid`, by number.
    pub id: Option<u32>,
    /// The request of `ptrace` (`PTRACE_ATTACH`), the command of `bpf` or `fcntl`, the option of `prctl`.
    pub request: Option<Number>,
    /// The process that `ptrace`, `kill` and others act on.
    pub target: Option<i32>,
    /// The signal of `kill`.
    pub signal: Option<i32>,
    /// The family that `socket` asks for (`AF_PACKET`).
    pub family: Option<Number>,
    /// The kind that `socket` asks for: 1 stream, 2 datagram, 3 raw.
    pub kind: Option<u64>,
    /// The protocol that `socket` asks for.
    pub protocol: Option<u64>,
    /// A third text: the file system of `mount`, the arguments of a module.
    pub text: Option<String>,
    /// Arguments by their place, for calls that nothing above fits.
    pub args: BTreeMap<u8, u64>,
    /// Asked for through io_uring.
    pub io_uring: bool,
    /// When it happens, seconds after the process started.
    pub after: Option<f64>,
}

/// A number, or names for it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Number {
    /// The number.
    Number(i64),
    /// Names with `|` between, or octal digits.
    Text(String),
}

/// A process of a sample. What is not given is as usual: root, no terminal, all files from the image.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SampleProcess {
    /// The name (`comm`); by default the last part of `exe`, at most 15 bytes.
    pub name: Option<String>,
    /// The first argument; by default the binary's path, or else the name.
    pub exe: Option<String>,
    /// The binary that the kernel runs; by default `exe` where that is absolute, or else `/usr/bin/` and the name.
    pub path: Option<String>,
    /// The arguments after the first.
    pub args: Vec<String>,
    /// The environment.
    pub env: BTreeMap<String, String>,
    /// The working folder; by default `/`.
    pub cwd: Option<String>,
    /// The user that it acts as.
    pub uid: u32,
    /// The group that it acts as.
    pub gid: u32,
    /// The user who logged in; by default none did.
    pub login_uid: Option<u32>,
    /// The number; by default one that no other process of the sample has.
    pub pid: Option<u32>,
    /// The number in its own PID namespace; by default `pid` on the host.
    pub vpid: Option<u32>,
    /// The controlling terminal: its number (34816 is the first pseudo-terminal), 0 for none.
    pub tty: u32,
    /// Permitted and effective capabilities; by default all for root in no container, the usual 14 for root in one, none
    /// for others.
    pub capabilities: Option<String>,
    /// Whether it leads its process group (by default yes).
    pub group_leader: Option<bool>,
    /// Whether it leads its session (by default no).
    pub session_leader: bool,
    /// The binary that the kernel loaded to run a script.
    pub interpreter: Option<String>,
    /// Facts of its binary.
    pub binary: SampleFile,
    /// Type and name of standard input, output and error: `{kind: ipv4, name: ...}` is not needed; a socket is given.
    pub stdin: Option<SampleSocket>,
    /// Standard output.
    pub stdout: Option<SampleSocket>,
    /// Its parent.
    pub parent: Option<Box<SampleProcess>>,
    /// Shorter than `parent` in `parent`: names of ancestors, nearest first, above the last parent given.
    pub ancestors: Vec<String>,
}

/// Facts of a file of a sample.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SampleFile {
    /// `file` (the usual), `directory`, `pipe`, `memfd`.
    pub kind: Option<String>,
    /// Written after the container was made (the upper layer of its overlay).
    pub upper_layer: bool,
    /// Came with the image.
    pub lower_layer: bool,
    /// Lies in memory alone.
    pub memfd: bool,
    /// Has no name any more.
    pub deleted: bool,
    /// May be written by who runs it.
    pub writable: bool,
    /// Opening made it.
    pub created: bool,
    /// Its inode number.
    pub inode: Option<u64>,
    /// How many seconds before the event it was written.
    pub age: Option<u64>,
}

/// A socket of a sample.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SampleSocket {
    /// This end: `10.0.0.1:4000`, `[::1]:80`.
    pub local: Option<String>,
    /// The other end.
    pub remote: Option<String>,
    /// The path of a Unix socket; abstract ones begin with `@`.
    pub unix: Option<String>,
    /// `tcp` (the usual), `udp`, `raw`, `icmp`.
    pub protocol: Option<String>,
    /// Waits for connections.
    pub listening: bool,
    /// This end was asked, not the other.
    pub accepted: bool,
    /// For datagrams: the socket has no peer of its own, the address is given with each.
    pub unconnected: bool,
}

/// A container of a sample.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SampleContainer {
    /// The identifier, any length; by default one of digits.
    pub id: Option<String>,
    /// The name.
    pub name: Option<String>,
    /// The image: `registry/name:tag@digest`.
    pub image: Option<String>,
    /// `docker` (the usual), `containerd`, `cri-o`, `podman`, `runc`.
    pub runtime: Option<Runtime>,
    /// Whether it runs with all rights.
    pub privileged: bool,
    /// Mounts, as `source:destination` or `source:destination:ro`.
    pub mounts: Vec<String>,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// Shares the host's PID namespace.
    pub host_pid: bool,
    /// Shares the host's network.
    pub host_network: bool,
    /// Shares the host's IPC namespace.
    pub host_ipc: bool,
    /// The pod, as `namespace/name`.
    pub pod: Option<String>,
    /// Labels of the pod.
    pub pod_labels: BTreeMap<String, String>,
    /// The command of its health check.
    pub healthcheck: Option<Vec<String>>,
    /// The user that it starts as.
    pub user: Option<String>,
}

/// When samples happen: seconds since the Unix epoch at which their host booted.
const BOOTED: u64 = 1_700_000_000;
const SECOND: u64 = 1_000_000_000;
/// How long the host has been up when a sample's processes start.
const UPTIME: u64 = 1_000 * SECOND;
const SAMPLE_CGROUP: u64 = 7_777;
const HOST_CGROUP: u64 = 1;
const CONTAINER_NAMESPACE: u32 = 4_026_532_000;
const HOST_NAMESPACE: u32 = 4_026_531_836;
/// What Docker leaves to root in a container.
const USUAL_CAPABILITIES: u64 = 0xa804_25fb;
const ALL_CAPABILITIES: u64 = 0x1ff_ffff_ffff;
/// The most processes that a sample may name.
const MAXIMUM_PROCESSES: usize = 64;

/// Reads samples from YAML: one, or a list.
///
/// # Errors
/// When the text has another form.
pub fn parse(yaml: &str) -> Result<Vec<Sample>, SampleError> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Document {
        Many(Vec<Sample>),
        One(Box<Sample>),
    }
    // What is wrong is said of the form that was meant: a list when the text begins with one.
    let is_list = yaml
        .lines()
        .map(str::trim_start)
        .find(|line| !line.is_empty() && !line.starts_with('#') && *line != "---")
        .is_some_and(|line| line.starts_with('-') || line.starts_with('['));
    let form = |error: &dyn std::fmt::Display| SampleError::Form(error.to_string());
    let document = if is_list {
        Document::Many(serde_saphyr::from_str(yaml).map_err(|error| form(&error))?)
    } else {
        Document::One(Box::new(
            serde_saphyr::from_str(yaml).map_err(|error| form(&error))?,
        ))
    };
    Ok(match document {
        Document::Many(samples) => samples,
        Document::One(sample) => vec![*sample],
    })
}

impl Sample {
    /// The event that the sample describes, from a state of its own.
    ///
    /// # Errors
    /// When something in it does not fit.
    pub fn event(&self) -> Result<KernelEvent, SampleError> {
        let mut stage = Stage::new();
        stage.play(self)
    }

    /// The records of the sample, in order: processes that are there, then the event itself.
    ///
    /// # Errors
    /// When something in it does not fit.
    pub fn records(&self) -> Result<Vec<Vec<u8>>, SampleError> {
        Script::new(self).records()
    }
}

/// The events of several samples that happen one after another on one host.
///
/// # Errors
/// When something in one does not fit.
pub fn events(samples: &[Sample]) -> Result<Vec<KernelEvent>, SampleError> {
    let mut stage = Stage::new();
    samples.iter().map(|sample| stage.play(sample)).collect()
}

struct Stage {
    state: State,
    containers: Containers,
}

impl Stage {
    fn new() -> Self {
        let containers = Containers::offline();
        let state = State::new(StateOptions {
            boot_offset: i64::try_from(BOOTED * SECOND).unwrap_or(i64::MAX),
            hostname: "sample".to_owned(),
            native: Table::X86_64,
            containers: containers.clone(),
            ..StateOptions::default()
        });
        Self { state, containers }
    }

    fn play(&mut self, sample: &Sample) -> Result<KernelEvent, SampleError> {
        let script = Script::new(sample);
        if let Some(info) = script.container_info()? {
            self.containers.insert(info);
        }
        self.state.set_users(script.mount_namespace(), script.users());
        let mut last = None;
        for bytes in script.records()? {
            if let Ok(record) = Record::parse(&bytes) {
                last = self.state.apply(&record);
            }
        }
        last.ok_or_else(|| SampleError::Silent(sample.event.clone()))
    }
}

struct Script<'a> {
    sample: &'a Sample,
}

/// One process with the numbers that it got.
struct Actor<'a> {
    process: std::borrow::Cow<'a, SampleProcess>,
    pid: u32,
    parent: u32,
    start: u64,
}

impl<'a> Script<'a> {
    fn new(sample: &'a Sample) -> Self {
        Self { sample }
    }

    fn users(&self) -> UserTable {
        let mut table = UserTable::default();
        let mut add = |uid: u32, name: &str, home: &str| {
            table.users.insert(
                uid,
                User {
                    name: name.to_owned(),
                    home: home.to_owned(),
                    shell: "/bin/sh".to_owned(),
                },
            );
        };
        add(0, "root", "/root");
        for (name, uid) in &self.sample.users {
            add(*uid, name, &format!("/home/{name}"));
        }
        table.groups.insert(0, "root".to_owned());
        for (name, gid) in &self.sample.groups {
            table.groups.insert(*gid, name.clone());
        }
        table
    }

    fn mount_namespace(&self) -> u32 {
        match self.sample.container {
            Some(_) => CONTAINER_NAMESPACE,
            None => HOST_NAMESPACE + 4,
        }
    }

    fn cgroup(&self) -> (u64, String) {
        let Some(container) = &self.sample.container else {
            return (HOST_CGROUP, "/".to_owned());
        };
        let id = full_id(container);
        let path = match container.runtime.unwrap_or(Runtime::Docker) {
            Runtime::Docker => format!("/docker/{id}"),
            Runtime::Containerd => format!("/system.slice/cri-containerd-{id}.scope"),
            Runtime::Crio => format!("/system.slice/crio-{id}.scope"),
            Runtime::Podman => format!("/machine.slice/libpod-{id}.scope"),
            Runtime::Runc => format!("/system.slice/runc-{id}.scope"),
            Runtime::Buildkit => format!("/docker/buildkit/{id}"),
            Runtime::Lxc => format!("/lxc.payload.{id}"),
        };
        // Samples of one series may be in several containers.
        let number = id.bytes().fold(SAMPLE_CGROUP, |number, byte| {
            number.wrapping_mul(31).wrapping_add(u64::from(byte))
        });
        (number | 2, path)
    }

    fn container_info(&self) -> Result<Option<ContainerInfo>, SampleError> {
        let Some(container) = &self.sample.container else {
            return Ok(None);
        };
        let (_, path) = self.cgroup();
        let identity = identify(path.as_bytes()).ok_or(SampleError::Value {
            field: "container.id",
            value: container.id.clone().unwrap_or_default(),
            wanted: "use up to 64 hexadecimal digits",
        })?;
        let mut info = ContainerInfo::of(&identity);
        info.name = container.name.clone().unwrap_or_else(|| "sample".to_owned());
        info.set_image(container.image.as_deref().unwrap_or("sample:latest"));
        info.privileged = Some(container.privileged);
        info.labels.clone_from(&container.labels);
        info.host_pid = container.host_pid;
        info.host_network = container.host_network;
        info.host_ipc = container.host_ipc;
        info.healthcheck.clone_from(&container.healthcheck);
        info.user = container.user.clone().unwrap_or_default();
        info.started = i64::try_from(BOOTED * SECOND + UPTIME).ok();
        for mount in &container.mounts {
            let mut parts = mount.split(':');
            let (Some(source), Some(destination)) = (parts.next(), parts.next()) else {
                return Err(SampleError::Value {
                    field: "container.mounts",
                    value: mount.clone(),
                    wanted: "use source:destination or source:destination:ro",
                });
            };
            let mode = parts.next().unwrap_or_default();
            info.mounts.push(Mount {
                source: source.to_owned(),
                destination: destination.to_owned(),
                mode: mode.to_owned(),
                writable: mode != "ro",
                propagation: "rprivate".to_owned(),
            });
        }
        if let Some(pod) = &container.pod {
            let (namespace, name) = pod.split_once('/').unwrap_or(("default", pod));
            info.pod = Some(Pod {
                name: name.to_owned(),
                namespace: namespace.to_owned(),
                labels: container.pod_labels.clone(),
                ..Pod::default()
            });
        }
        Ok(Some(info))
    }

    /// The process of the event and its ancestors, furthest first.
    fn actors(&self) -> Vec<Actor<'a>> {
        use std::borrow::Cow;
        let mut chain: Vec<Cow<'a, SampleProcess>> = Vec::new();
        let mut next = Some(&self.sample.process);
        while let Some(process) = next.filter(|_| chain.len() < MAXIMUM_PROCESSES) {
            chain.push(Cow::Borrowed(process));
            for name in &process.ancestors {
                chain.push(Cow::Owned(SampleProcess {
                    name: Some(name.clone()),
                    ..SampleProcess::default()
                }));
            }
            next = process.parent.as_deref();
        }
        chain.truncate(MAXIMUM_PROCESSES);
        chain.reverse();
        // The same name of the same ancestry gets the same number in all samples of a series.
        let mut parent = 1;
        let mut seen = 0_u64;
        let count = chain.len();
        chain
            .into_iter()
            .enumerate()
            .map(|(depth, process)| {
                for byte in name_of(&process)
                    .bytes()
                    .chain([depth as u8, (count - depth) as u8])
                {
                    seen = seen.wrapping_mul(131).wrapping_add(u64::from(byte));
                }
                let pid = process
                    .pid
                    .unwrap_or(1_000 + (seen % 30_000) as u32 * 64 + depth as u32);
                let actor = Actor {
                    process,
                    pid,
                    parent,
                    start: UPTIME + depth as u64 * SECOND,
                };
                parent = pid;
                actor
            })
            .collect()
    }

    fn records(&self) -> Result<Vec<Vec<u8>>, SampleError> {
        let kind = EventType::named(&self.sample.event)
            .ok_or_else(|| SampleError::Event(self.sample.event.clone()))?;
        let actors = self.actors();
        let Some((actor, ancestors)) = actors.split_last() else {
            return Err(SampleError::Silent(self.sample.event.clone()));
        };
        let mut records = Vec::new();
        let init = SampleProcess {
            name: Some("systemd".to_owned()),
            exe: Some("/sbin/init".to_owned()),
            ..SampleProcess::default()
        };
        let init = Actor {
            process: std::borrow::Cow::Owned(init),
            pid: 1,
            parent: 0,
            start: 1,
        };
        records.push(self.process_record(&init, Kind::Snapshot, UPTIME, false)?);
        for ancestor in ancestors {
            records.push(self.process_record(ancestor, Kind::Snapshot, UPTIME, false)?);
        }
        let after = (self.sample.after.unwrap_or(10.0).clamp(0.0, 1e6) * SECOND as f64) as u64;
        let now = actor.start + after;
        let name = kind.name();
        let returned = self.returned(kind)?;
        let is_exec = matches!(name, "execve" | "execveat") && returned >= 0;
        let is_fork = matches!(name, "clone" | "clone3" | "fork" | "vfork");
        if is_exec {
            records.push(self.process_record(actor, Kind::Exec, now, true)?);
            return Ok(records);
        }
        if is_fork {
            records.push(self.fork_record(actor, now)?);
            return Ok(records);
        }
        records.push(self.process_record(actor, Kind::Snapshot, UPTIME, true)?);
        for (number, stream) in [(0, &actor.process.stdin), (1, &actor.process.stdout)] {
            if let Some(socket) = stream {
                let header = Header {
                    ret: number,
                    ..self.header(actor, Kind::SnapshotFile, now)
                };
                records.push(
                    self.with_socket(RecordBuilder::new(&header), socket, false)?
                        .build(),
                );
            }
        }
        records.push(self.call_record(actor, kind, returned, now)?);
        Ok(records)
    }

    fn header(&self, actor: &Actor<'_>, kind: Kind, time: u64) -> Header {
        let in_container = self.sample.container.is_some() && actor.pid != 1;
        Header {
            kind: kind as u8,
            time,
            cgroup: if in_container {
                self.cgroup().0
            } else {
                HOST_CGROUP
            },
            tid: actor.pid,
            tgid: actor.pid,
            ppid: actor.parent,
            uid: actor.process.uid,
            gid: actor.process.gid,
            mount_namespace: if in_container {
                CONTAINER_NAMESPACE
            } else {
                HOST_NAMESPACE + 4
            },
            pid_namespace: if in_container {
                CONTAINER_NAMESPACE + 1
            } else {
                HOST_NAMESPACE
            },
            start_time: actor.start,
            ..Header::default()
        }
    }

    fn process_record(
        &self,
        actor: &Actor<'_>,
        kind: Kind,
        time: u64,
        own: bool,
    ) -> Result<Vec<u8>, SampleError> {
        let process = &*actor.process;
        let mut header = self.header(actor, kind, time);
        if kind == Kind::Exec {
            header.syscall = Table::X86_64.number(&self.sample.event).unwrap_or(59);
        }
        let name = name_of(process);
        let exe = exe_of(process);
        let path = path_of(process);
        let mut argv = Vec::new();
        for argument in std::iter::once(&exe).chain(&process.args) {
            argv.extend_from_slice(argument.as_bytes());
            argv.push(0);
        }
        let mut environment = Vec::new();
        for (name, value) in &process.env {
            environment.extend_from_slice(format!("{name}={value}\0").as_bytes());
        }
        let cgroup = if header.cgroup == HOST_CGROUP {
            "/".to_owned()
        } else {
            self.cgroup().1
        };
        let mut builder = RecordBuilder::new(&header)
            .chunk(Tag::Comm, name.as_bytes())
            .chunk(Tag::Argv, &argv)
            .chunk(Tag::Environment, &environment)
            .chunk(
                Tag::WorkingFolder,
                process.cwd.as_deref().unwrap_or("/").as_bytes(),
            )
            .chunk(Tag::Credentials, &self.credentials(process)?.to_bytes())
            .chunk(Tag::Process, &self.identity(actor, 0).to_bytes())
            .chunk(Tag::Cgroup, cgroup.as_bytes())
            .chunk(Tag::Executable, path.as_bytes())
            .chunk(
                Tag::ExecutableMeta,
                &self.meta(&process.binary, time, 0o100_755).to_bytes(),
            )
            .chunk(
                Tag::Filename,
                self.sample
                    .path
                    .as_deref()
                    .filter(|_| own)
                    .unwrap_or(&exe)
                    .as_bytes(),
            );
        if let Some(interpreter) = &process.interpreter {
            builder = builder.chunk(Tag::Interpreter, interpreter.as_bytes());
        }
        Ok(builder.build())
    }

    fn credentials(&self, process: &SampleProcess) -> Result<Credentials, SampleError> {
        let usual = match (process.uid, &self.sample.container) {
            (0, None) => ALL_CAPABILITIES,
            (0, Some(container)) if container.privileged => ALL_CAPABILITIES,
            (0, Some(_)) => USUAL_CAPABILITIES,
            _ => 0,
        };
        let set = match &process.capabilities {
            Some(text) => names::capability_set(text).ok_or_else(|| SampleError::Value {
                field: "process.capabilities",
                value: text.clone(),
                wanted: "use names such as CAP_SYS_ADMIN with blanks between, or all",
            })?,
            None => usual,
        };
        let (uid, gid) = (process.uid, process.gid);
        Ok(Credentials {
            uid,
            effective_uid: uid,
            saved_uid: uid,
            filesystem_uid: uid,
            gid,
            effective_gid: gid,
            saved_gid: gid,
            filesystem_gid: gid,
            login_uid: process.login_uid.unwrap_or(u32::MAX),
            user_namespace: HOST_NAMESPACE + 1,
            inheritable: 0,
            permitted: set,
            effective: set,
            bounding: set,
            ambient: 0,
        })
    }

    fn identity(&self, actor: &Actor<'_>, flags: u32) -> Identity {
        let process = &*actor.process;
        let group = if process.group_leader == Some(false) {
            actor.parent
        } else {
            actor.pid
        };
        let session = if process.session_leader {
            actor.pid
        } else {
            actor.parent
        };
        let virtual_pid = process.vpid.unwrap_or(actor.pid);
        Identity {
            parent_start_time: 0,
            process_group: group,
            session,
            virtual_tid: virtual_pid,
            virtual_pid,
            virtual_parent: actor.parent,
            virtual_process_group: if group == actor.pid { virtual_pid } else { group },
            virtual_session: session,
            terminal: process.tty,
            flags,
            network_namespace: HOST_NAMESPACE + 2,
            ipc_namespace: HOST_NAMESPACE + 3,
            uts_namespace: HOST_NAMESPACE + 5,
            cgroup_namespace: HOST_NAMESPACE + 6,
            real_parent_tid: actor.parent,
        }
    }

    fn meta(&self, file: &SampleFile, time: u64, usual_mode: u32) -> FileMeta {
        let kind = match file.kind.as_deref() {
            Some("directory") => 0o040_755,
            Some("pipe") => 0o010_600,
            _ => usual_mode,
        };
        let flag = |set: bool, flag: u32| if set { flag } else { 0 };
        let memfd = file.memfd || file.kind.as_deref() == Some("memfd");
        let age = file.age.unwrap_or(1_000_000).saturating_mul(SECOND);
        let written = (BOOTED * SECOND + time).saturating_sub(age);
        let in_image = self.sample.container.is_some() && !file.upper_layer && !memfd;
        FileMeta {
            inode: file.inode.unwrap_or(4_242),
            change_time: written,
            modify_time: written,
            device: 8 << 20 | 1,
            mode: kind,
            flags: flag(file.upper_layer, FILE_UPPER_LAYER)
                | flag(file.lower_layer || in_image, FILE_LOWER_LAYER)
                | flag(memfd, FILE_MEMFD)
                | flag(file.deleted || memfd, FILE_DELETED)
                | flag(file.writable || memfd, FILE_WRITABLE),
            filesystem_magic: 0xef53,
            owner: 0,
            mount: 1,
        }
    }

    fn fork_record(&self, actor: &Actor<'_>, now: u64) -> Result<Vec<u8>, SampleError> {
        let flags = self.number("flags", self.sample.flags.as_ref(), &names::CLONE_FLAGS, 0)?;
        let mut header = self.header(actor, Kind::Fork, now);
        header.syscall = Table::X86_64.number(&self.sample.event).unwrap_or(56);
        header.args[0] = flags;
        header.ret = 0;
        let process = &*actor.process;
        let mut builder = RecordBuilder::new(&header)
            .chunk(Tag::Comm, name_of(process).as_bytes())
            .chunk(
                Tag::WorkingFolder,
                process.cwd.as_deref().unwrap_or("/").as_bytes(),
            )
            .chunk(Tag::Credentials, &self.credentials(process)?.to_bytes())
            .chunk(Tag::Process, &self.identity(actor, flags as u32).to_bytes())
            .chunk(Tag::Executable, path_of(process).as_bytes());
        if header.cgroup != HOST_CGROUP {
            builder = builder.chunk(Tag::Cgroup, self.cgroup().1.as_bytes());
        }
        Ok(builder.build())
    }

    fn number(
        &self,
        field: &'static str,
        number: Option<&Number>,
        names: &Names,
        usual: u64,
    ) -> Result<u64, SampleError> {
        match number {
            None => Ok(usual),
            Some(Number::Number(number)) => Ok(*number as u64),
            Some(Number::Text(text)) => {
                let digits = text.strip_prefix("0o").unwrap_or(text);
                if !digits.is_empty() && digits.bytes().all(|byte| (b'0'..=b'7').contains(&byte)) {
                    return Ok(u64::from_str_radix(digits, 8).unwrap_or(0));
                }
                names.parse(text).ok_or_else(|| SampleError::Value {
                    field,
                    value: text.clone(),
                    wanted: "no such name: use the names of the manual page with | between, or a number",
                })
            }
        }
    }

    fn returned(&self, kind: EventType) -> Result<i64, SampleError> {
        match &self.sample.ret {
            Some(Number::Number(number)) => Ok(*number),
            Some(Number::Text(text)) => {
                let positive = (1..134_u64)
                    .find(|number| names::error_name(*number) == Some(text.trim_start_matches('-')));
                let number = positive.ok_or_else(|| SampleError::Value {
                    field: "ret",
                    value: text.clone(),
                    wanted: "use a number or the name of an error such as ENOENT",
                })?;
                Ok(-i64::try_from(number).unwrap_or(0))
            }
            None => Ok(match kind.name() {
                "open" | "openat" | "openat2" | "creat" | "open_by_handle_at" | "socket" | "accept"
                | "accept4" | "memfd_create" | "userfaultfd" | "pidfd_open" | "pidfd_getfd" | "bpf"
                | "io_uring_setup" | "inotify_init" | "inotify_init1" | "epoll_create" | "epoll_create1"
                | "eventfd" | "eventfd2" | "timerfd_create" | "signalfd" | "signalfd4"
                    if !self.sample.io_uring =>
                {
                    5
                }
                "dup" => 6,
                "dup2" | "dup3" => i64::from(self.sample.new_fd.unwrap_or(6)),
                "read" | "write" | "pread" | "pwrite" | "readv" | "writev" | "sendto" | "sendmsg"
                | "recvfrom" | "recvmsg" | "send" | "recv" => {
                    i64::try_from(self.data()?.map_or(0, |data| data.len())).unwrap_or(0)
                }
                _ => 0,
            }),
        }
    }

    fn data(&self) -> Result<Option<Vec<u8>>, SampleError> {
        if let Some(hex) = &self.sample.data_hex {
            let digits: Vec<u8> = hex.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
            let bytes: Option<Vec<u8>> = digits
                .chunks(2)
                .map(|pair| {
                    u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16)
                        .ok()
                        .filter(|_| pair.len() == 2)
                })
                .collect();
            return bytes.map(Some).ok_or_else(|| SampleError::Value {
                field: "data_hex",
                value: hex.clone(),
                wanted: "use pairs of hexadecimal digits",
            });
        }
        Ok(self.sample.data.as_ref().map(|data| data.clone().into_bytes()))
    }

    /// The record of the event itself, a system call or a request to io_uring.
    fn call_record(
        &self,
        actor: &Actor<'_>,
        kind: EventType,
        returned: i64,
        now: u64,
    ) -> Result<Vec<u8>, SampleError> {
        let sample = self.sample;
        let name = kind.name();
        let is_exit = name == "procexit";
        let record_kind = match (is_exit, sample.io_uring) {
            (true, _) => Kind::Exit,
            (_, true) => Kind::IoUring,
            _ => Kind::Syscall,
        };
        let mut header = self.header(actor, record_kind, now);
        header.ret = returned;
        header.args = self.arguments(name)?;
        if is_exit {
            header.args[0] = 1;
        } else if sample.io_uring {
            header.syscall = io_uring_operation(kind).ok_or_else(|| SampleError::Value {
                field: "event",
                value: name.to_owned(),
                wanted: "io_uring has no such operation",
            })?;
        } else {
            let native = Table::X86_64.numbers(kind).first().copied();
            let narrow = Table::Ia32.numbers(kind).first().copied();
            header.abi = u8::from(native.is_none());
            header.syscall = native
                .or(narrow)
                .ok_or_else(|| SampleError::Event(name.to_owned()))?;
        }
        let mut builder = RecordBuilder::new(&header);
        let working_folder = actor.process.cwd.as_deref().unwrap_or("/");
        let absolute = |base: Option<&String>, path: &str| -> String {
            let base = base.map_or(working_folder, String::as_str);
            let full = crate::fields::paths::absolute(Some(base.as_bytes()), path.as_bytes());
            String::from_utf8_lossy(full.as_deref().unwrap_or_default()).into_owned()
        };
        for (path, base, tag, base_tag) in [
            (&sample.path, &sample.base, Tag::Path, Tag::Base),
            (
                &sample.new_path,
                &sample.new_base,
                Tag::SecondPath,
                Tag::SecondBase,
            ),
        ] {
            if let Some(path) = path {
                builder = builder.chunk(tag, path.as_bytes());
                if !path.starts_with('/') {
                    let base = base.as_deref().unwrap_or(working_folder);
                    builder = builder.chunk(base_tag, base.as_bytes());
                }
            }
        }
        if let Some(text) = &sample.text {
            builder = builder.chunk(Tag::Text, text.as_bytes());
        }
        if let Some(data) = self.data()? {
            builder = builder.chunk(Tag::Data, &data);
        }
        if let Some(socket) = &sample.socket {
            let sends_apart = socket.unconnected || (name == "connect" && returned < 0) || sample.io_uring;
            builder = self.with_socket(builder, socket, sends_apart)?;
        } else if returned >= 0 && !sample.io_uring {
            let opens = matches!(
                name,
                "open" | "openat" | "openat2" | "creat" | "open_by_handle_at"
            );
            let given = sample.path.as_ref().filter(|_| opens);
            let of_descriptor = opens || sample.fd.is_some();
            for (real, tag) in [
                (&sample.real_path, Tag::Resolved),
                (&sample.real_new_path, Tag::SecondResolved),
            ] {
                if let Some(real) = real.as_ref().filter(|_| !of_descriptor) {
                    builder = builder.chunk(tag, real.as_bytes());
                }
            }
            let real = sample
                .real_path
                .clone()
                .filter(|_| of_descriptor)
                .or_else(|| given.map(|path| absolute(sample.base.as_ref(), path)))
                .or_else(|| sample.fd.is_some().then(|| sample.path.clone()).flatten());
            if let Some(real) = real {
                let folder = opens && self.opens_folder()?;
                let usual = if folder { 0o040_755 } else { 0o100_644 };
                builder = builder
                    .chunk(Tag::File, real.as_bytes())
                    .chunk(Tag::FileMeta, &self.meta(&sample.file, now, usual).to_bytes());
                if opens {
                    let created = if sample.file.created { OPEN_CREATED } else { 0 };
                    let mut open = created.to_le_bytes().to_vec();
                    open.extend_from_slice(&(returned as u32).to_le_bytes());
                    builder = builder.chunk(Tag::OpenFile, &open);
                }
            }
        }
        Ok(builder.build())
    }

    fn opens_folder(&self) -> Result<bool, SampleError> {
        Ok(self.open_flags()? & 0o200_000 != 0)
    }

    fn open_flags(&self) -> Result<u64, SampleError> {
        const FLAGS: [(&str, u64); 15] = [
            ("O_RDONLY", 0),
            ("O_WRONLY", 1),
            ("O_RDWR", 2),
            ("O_CREAT", 0o100),
            ("O_EXCL", 0o200),
            ("O_TRUNC", 0o1000),
            ("O_APPEND", 0o2000),
            ("O_NONBLOCK", 0o4000),
            ("O_DIRECT", 0o40_000),
            ("O_DIRECTORY", 0o200_000),
            ("O_NOFOLLOW", 0o400_000),
            ("O_CLOEXEC", 0o2_000_000),
            ("O_SYNC", 0o4_010_000),
            ("O_PATH", 0o10_000_000),
            ("O_TMPFILE", 0o20_200_000),
        ];
        match &self.sample.flags {
            None => Ok(0),
            Some(Number::Number(number)) => Ok(*number as u64),
            Some(Number::Text(text)) => text.split('|').map(str::trim).try_fold(0, |set, name| {
                let known = FLAGS.iter().find(|(known, _)| *known == name);
                known
                    .map(|(_, flag)| set | flag)
                    .ok_or_else(|| SampleError::Value {
                        field: "flags",
                        value: text.clone(),
                        wanted: "use names of open(2) with | between, or a number",
                    })
            }),
        }
    }

    /// The arguments as the registers would hold them.
    fn arguments(&self, name: &str) -> Result<[u64; 6], SampleError> {
        let sample = self.sample;
        let mut args = [0_u64; 6];
        let fd = |fd: Option<i32>, usual: i32| i64::from(fd.unwrap_or(usual)) as u64;
        let here = -100_i64 as u64;
        let from = |base: &Option<String>| if base.is_some() { 3 } else { here };
        let mode = || self.number("mode", sample.mode.as_ref(), &names::MODE_BITS, 0o644);
        let flags = |names: &'static Names| self.number("flags", sample.flags.as_ref(), names, 0);
        let request = |names: &'static Names| self.number("request", sample.request.as_ref(), names, 0);
        let id = u64::from(sample.id.unwrap_or(0));
        let target = i64::from(sample.target.unwrap_or(1)) as u64;
        let signal = i64::from(sample.signal.unwrap_or(9)) as u64;
        match name {
            "open" => (args[1], args[2]) = (self.open_flags()?, mode()?),
            "openat" | "openat2" => {
                (args[0], args[2], args[3]) = (from(&sample.base), self.open_flags()?, mode()?);
            }
            "open_by_handle_at" => (args[0], args[2]) = (fd(sample.fd, 3), self.open_flags()?),
            "creat" | "mkdir" | "chmod" => args[1] = mode()?,
            "mkdirat" | "fchmodat" => (args[0], args[2]) = (from(&sample.base), mode()?),
            "fchmod" => (args[0], args[1]) = (fd(sample.fd, 5), mode()?),
            "mknod" => args[1] = mode()?,
            "mknodat" => (args[0], args[2]) = (from(&sample.base), mode()?),
            "unlinkat" => (args[0], args[2]) = (from(&sample.base), flags(&names::UNLINK_FLAGS)?),
            "renameat" | "renameat2" => {
                (args[0], args[2], args[4]) = (
                    from(&sample.base),
                    from(&sample.new_base),
                    flags(&names::RENAME_FLAGS)?,
                );
            }
            "linkat" => {
                (args[0], args[2], args[4]) = (
                    from(&sample.base),
                    from(&sample.new_base),
                    flags(&names::LINK_FLAGS)?,
                );
            }
            "symlinkat" => args[1] = from(&sample.new_base),
            "setuid" | "setgid" => args[0] = id,
            "setreuid" | "setregid" | "setresuid" | "setresgid" => args[..3].fill(id),
            "ptrace" => (args[0], args[1]) = (request(&names::PTRACE_REQUESTS)?, target),
            "bpf" => args[0] = request(&names::BPF_COMMANDS)?,
            "prctl" => args[0] = request(&names::PRCTL)?,
            "fcntl" => (args[0], args[1]) = (fd(sample.fd, 5), request(&names::FCNTL)?),
            "unshare" => args[0] = flags(&names::CLONE_FLAGS)?,
            "setns" => (args[0], args[1]) = (fd(sample.fd, 5), flags(&names::CLONE_FLAGS)?),
            "mount" => args[3] = flags(&names::MOUNT_FLAGS)?,
            "umount2" => args[1] = flags(&names::UMOUNT_FLAGS)?,
            "mmap" => (args[2], args[4]) = (flags(&names::PROTECTION)?, fd(sample.fd, -1)),
            "mprotect" => args[2] = flags(&names::PROTECTION)?,
            "memfd_create" => args[1] = flags(&names::MEMFD_FLAGS)?,
            "finit_module" => (args[0], args[2]) = (fd(sample.fd, 5), flags(&names::MODULE_FLAGS)?),
            "kill" | "tkill" => (args[0], args[1]) = (target, signal),
            "tgkill" => (args[0], args[1], args[2]) = (target, target, signal),
            "process_vm_readv" | "process_vm_writev" | "pidfd_open" => args[0] = target,
            "socket" | "socketpair" => {
                args[0] = self.number("family", sample.family.as_ref(), &names::SOCKET_FAMILIES, 2)?;
                args[1] = sample.kind.unwrap_or(1);
                args[2] = sample.protocol.unwrap_or(0);
            }
            "dup" => args[0] = fd(sample.fd, 5),
            "dup2" | "dup3" => (args[0], args[1]) = (fd(sample.fd, 5), fd(sample.new_fd, 6)),
            _ => args[0] = fd(sample.fd, 5),
        }
        for (place, value) in &sample.args {
            if let Some(argument) = args.get_mut(usize::from(*place)) {
                *argument = *value;
            }
        }
        Ok(args)
    }

    fn with_socket(
        &self,
        builder: RecordBuilder,
        socket: &SampleSocket,
        address_apart: bool,
    ) -> Result<RecordBuilder, SampleError> {
        if let Some(path) = &socket.unix {
            let told = Socket {
                family: 1,
                kind: 1,
                state: 1,
                role: if socket.accepted { 2 } else { 1 },
                cookie: 99,
                ..Socket::default()
            };
            let path = match path.strip_prefix('@') {
                Some(name) => format!("\0{name}"),
                None => path.clone(),
            };
            return Ok(builder
                .chunk(Tag::Socket, &told.to_bytes())
                .chunk(Tag::UnixPath, path.as_bytes()));
        }
        let end = |field: &'static str, text: &Option<String>| -> Result<Option<SocketAddr>, SampleError> {
            let Some(text) = text else { return Ok(None) };
            let address = text.parse().map_err(|_| SampleError::Value {
                field,
                value: text.clone(),
                wanted: "use address:port, as 10.0.0.1:80 or [::1]:80",
            })?;
            Ok(Some(address))
        };
        let remote = end("socket.remote", &socket.remote)?;
        let usual_local = if remote.is_some_and(|remote| remote.is_ipv6()) {
            "[fd00::2]:40000"
        } else {
            "10.0.0.2:40000"
        };
        let local = match end("socket.local", &socket.local)? {
            Some(local) => local,
            None => usual_local
                .parse()
                .unwrap_or(SocketAddr::from(([10, 0, 0, 2], 40_000))),
        };
        let family = if local.is_ipv6() { 10 } else { 2 };
        let (kind, protocol) = match socket.protocol.as_deref() {
            None | Some("tcp") => (1, 6),
            Some("udp") => (2, 17),
            Some("icmp") => (3, 1),
            Some("raw") => (3, 255),
            Some(other) => {
                return Err(SampleError::Value {
                    field: "socket.protocol",
                    value: other.to_owned(),
                    wanted: "use tcp, udp, icmp or raw",
                });
            }
        };
        let peer = remote.filter(|_| !address_apart && !socket.listening);
        let told = Socket {
            family,
            kind,
            protocol,
            state: if socket.listening {
                10
            } else {
                u8::from(peer.is_some())
            },
            role: match (socket.listening, socket.accepted) {
                (true, _) => 0,
                (_, true) => 2,
                _ => u8::from(peer.is_some()),
            },
            local_port: local.port(),
            remote_port: peer.map_or(0, |peer| peer.port()),
            protocol_wide: u16::from(protocol),
            cookie: 99,
            local: address_bytes(local.ip()),
            remote: peer.map_or([0; 16], |peer| address_bytes(peer.ip())),
        };
        let mut builder = builder;
        if !self.sample.io_uring {
            builder = builder.chunk(Tag::Socket, &told.to_bytes());
        }
        if let Some(remote) = remote
            && (address_apart || self.sample.event == "connect")
        {
            builder = builder.chunk(Tag::Address, &sockaddr(remote));
        }
        Ok(builder)
    }
}

fn full_id(container: &SampleContainer) -> String {
    let mut id = container.id.clone().unwrap_or_else(|| "0123456789ab".to_owned());
    while id.len() < 64 {
        id.push('0');
    }
    id
}

fn last_part(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn name_of(process: &SampleProcess) -> String {
    let name = match (&process.name, &process.path, &process.exe) {
        (Some(name), _, _) => name.as_str(),
        (_, Some(path), _) | (_, _, Some(path)) => last_part(path),
        _ => "sample",
    };
    let end = name
        .char_indices()
        .map(|(at, each)| at + each.len_utf8())
        .take_while(|end| *end <= 15)
        .last();
    name[..end.unwrap_or(0)].to_owned()
}

fn exe_of(process: &SampleProcess) -> String {
    match (&process.exe, &process.path) {
        (Some(exe), _) | (None, Some(exe)) => exe.clone(),
        _ => process.name.clone().unwrap_or_else(|| "sample".to_owned()),
    }
}

fn path_of(process: &SampleProcess) -> String {
    match (&process.path, &process.exe) {
        (Some(path), _) => path.clone(),
        (_, Some(exe)) if exe.starts_with('/') => exe.clone(),
        _ => format!("/usr/bin/{}", name_of(process)),
    }
}

fn address_bytes(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(address) => {
            let mut bytes = [0; 16];
            bytes[..4].copy_from_slice(&address.octets());
            bytes
        }
        IpAddr::V6(address) => address.octets(),
    }
}

fn sockaddr(address: SocketAddr) -> Vec<u8> {
    let mut bytes = Vec::new();
    match address {
        SocketAddr::V4(address) => {
            bytes.extend_from_slice(&2_u16.to_le_bytes());
            bytes.extend_from_slice(&address.port().to_be_bytes());
            bytes.extend_from_slice(&address.ip().octets());
            bytes.extend_from_slice(&[0; 8]);
        }
        SocketAddr::V6(address) => {
            bytes.extend_from_slice(&10_u16.to_le_bytes());
            bytes.extend_from_slice(&address.port().to_be_bytes());
            bytes.extend_from_slice(&[0; 4]);
            bytes.extend_from_slice(&address.ip().octets());
            bytes.extend_from_slice(&[0; 4]);
        }
    }
    bytes
}
