//! What is known of processes, control groups and users: records change it, events take from it what was true when they
//! happened.
//!
//! Everything is bounded. Processes that ended are kept for some seconds, so that children and late records still find
//! them; when there are too many, those go first, then the ones that were quiet longest.

mod host;
mod process;
mod table;
mod users;

pub use host::{HostProc, ProcFacts, ProcReader, UserStamp};
pub use process::{Bytes, Image, MAXIMUM_ARGUMENTS, Process, ProcessKey, StandardStream};
pub(crate) use process::{joined, pieces};
pub use table::ANCESTORS;
pub use users::{User, UserTable};

use crate::containers::{ContainerCell, Containers};
use crate::event::{Host, KernelEvent, Parts};
use crate::fields::streams::stream_of;
use crate::fields::{io_uring_event, spec};
use crate::syscalls::Table;
use crate::wire::{Header, Kind, Record, RecordBuilder, Tag};
use model::event::EventType;
use process::{Interner, NumberMap};
use std::collections::BTreeSet;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash as _, Hasher as _};
use std::sync::Arc;
use table::{Processes, Update};

/// How control groups that no one asks for any more are bounded.
const MAXIMUM_CGROUPS: usize = 1 << 16;

/// How many programs run in a control group that is no container's before that is believed.
const ASKED_AGAIN: u32 = 16;

/// Peers of datagram sockets are remembered for this many sockets.
const MAXIMUM_PEERS: usize = 1 << 14;

/// User tables are kept for this many mount namespaces.
const MAXIMUM_USER_TABLES: usize = 1 << 12;

/// The inode number of the first PID namespace, the same on every kernel.
const FIRST_PID_NAMESPACE: u32 = 0xefff_fffc;

/// A user table is checked for changes when it is older than this (nanoseconds).
const USERS_AGE: u64 = 10_000_000_000;

/// The same when a program is run.
const USERS_AGE_AT_EXEC: u64 = 500_000_000;

/// The same when there is no table yet.
const USERS_AGE_UNKNOWN: u64 = 50_000_000;

/// So many users that are not there are remembered; more are looked for no more often than programs are run.
const MAXIMUM_MISSING: usize = 64;

/// So many ancestors of a process that is gone are asked for its users.
const USERS_ASKED: usize = 8;

/// How the state is kept.
#[derive(Debug)]
pub struct StateOptions {
    /// The most processes that are known at a time, ended ones included.
    pub capacity: usize,
    /// How long processes that ended are kept, in nanoseconds of event time.
    pub keep_ended: u64,
    /// What is added to the time of a record to get nanoseconds since the Unix epoch.
    pub boot_offset: i64,
    /// The name of the host.
    pub hostname: String,
    /// Whose system calls records with `abi` 0 are.
    pub native: Table,
    /// Reads what no record told; `None` when records are all there is, as in a replay.
    pub reader: Option<Box<dyn ProcReader>>,
    /// Who knows containers.
    pub containers: Containers,
}

impl Default for StateOptions {
    fn default() -> Self {
        Self {
            capacity: 1 << 16,
            keep_ended: 5_000_000_000,
            boot_offset: 0,
            hostname: String::new(),
            native: Table::native(),
            reader: None,
            containers: Containers::offline(),
        }
    }
}

/// What the state counted since it began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Statistics {
    /// Records that were applied.
    pub records: u64,
    /// Events that came of them.
    pub events: u64,
    /// Processes known now, ended ones included.
    pub processes: usize,
    /// Of these, those that ended.
    pub ended: usize,
    /// Processes that were dropped because there were too many.
    pub evicted: u64,
    /// Processes that no record had told of when something happened in them.
    pub unannounced: u64,
    /// Processes that were read from the host because of that.
    pub read: u64,
    /// Records of calls that the tables do not know.
    pub unknown_calls: u64,
    /// Control groups known now.
    pub cgroups: usize,
}

#[derive(Debug)]
struct Cgroup {
    path: Bytes,
    container: Option<Arc<ContainerCell>>,
    /// How often it was asked again whether it is a container's.
    asked_again: u32,
}

#[derive(Debug)]
struct Users {
    table: Option<Arc<UserTable>>,
    stamp: Option<UserStamp>,
    checked: u64,
    /// A program was run in it: before, whoever made the namespace still had its own root folder.
    used: bool,
    /// Who was looked for and is not there: each of their events need not look again.
    missing: BTreeSet<u32>,
}

/// The state; one thread owns it.
#[derive(Debug)]
pub struct State {
    processes: Processes,
    cgroups: NumberMap<u64, Cgroup>,
    users: NumberMap<u32, Users>,
    peers: NumberMap<u64, u64>,
    reader: Option<Box<dyn ProcReader>>,
    containers: Containers,
    host: Arc<Host>,
    interner: Interner,
    statistics: Statistics,
    first_time: u64,
    last_time: u64,
    reads_left: u32,
    user_reads_left: u32,
    reads_from: u64,
    keep_ended: u64,
}

/// The host's files are read for at most this many unknown processes in a second.
const READS_PER_SECOND: u32 = 512;

/// Files with users are looked at at most this often in a second. A flood of unknown processes does not use this up.
const USER_READS_PER_SECOND: u32 = 256;

impl State {
    /// A state that knows nothing yet.
    #[must_use]
    pub fn new(options: StateOptions) -> Self {
        Self {
            processes: Processes::new(options.capacity.max(16)),
            cgroups: NumberMap::default(),
            users: NumberMap::default(),
            peers: NumberMap::default(),
            reader: options.reader,
            containers: options.containers,
            host: Arc::new(Host {
                hostname: options.hostname,
                boot_offset: options.boot_offset,
                native: options.native,
            }),
            interner: Interner::default(),
            statistics: Statistics::default(),
            first_time: 0,
            last_time: 0,
            reads_left: READS_PER_SECOND,
            user_reads_left: USER_READS_PER_SECOND,
            reads_from: 0,
            keep_ended: options.keep_ended,
        }
    }

    /// Sets anew what turns times of records into Unix times, after the host's clock was set.
    pub fn set_boot_offset(&mut self, boot_offset: i64) {
        self.host = Arc::new(Host {
            hostname: self.host.hostname.clone(),
            boot_offset,
            native: self.host.native,
        });
    }

    /// Uses this user table for a mount namespace, without looking at the host's files; for replays.
    pub fn set_users(&mut self, mount_namespace: u32, table: UserTable) {
        if self.users.len() < MAXIMUM_USER_TABLES || self.users.contains_key(&mount_namespace) {
            self.users.insert(
                mount_namespace,
                Users {
                    table: Some(Arc::new(table)),
                    stamp: None,
                    checked: u64::MAX,
                    used: true,
                    missing: BTreeSet::new(),
                },
            );
        }
    }

    /// The user tables that are known, by mount namespace.
    pub fn users(&self) -> impl Iterator<Item = (u32, &Arc<UserTable>)> {
        self.users
            .iter()
            .filter_map(|(namespace, users)| Some((*namespace, users.table.as_ref()?)))
    }

    /// The current version of a process.
    #[must_use]
    pub fn process(&self, tgid: u32) -> Option<&Arc<Process>> {
        self.processes.current(tgid)
    }

    /// The ancestors of a process, nearest first.
    #[must_use]
    pub fn ancestors(&mut self, tgid: u32) -> Arc<[Arc<Process>]> {
        self.processes.ancestors(tgid)
    }

    /// The container that a control group belongs to.
    #[must_use]
    pub fn container(&self, cgroup: u64) -> Option<&Arc<ContainerCell>> {
        self.cgroups.get(&cgroup)?.container.as_ref()
    }

    /// Records that make a new state know the control groups and the processes of now, parents before children.
    #[must_use]
    pub fn snapshot(&self) -> Vec<Vec<u8>> {
        let groups = self.cgroups.iter().map(|(number, group)| {
            let mut header = Header {
                kind: Kind::Cgroup as u8,
                time: self.last_time,
                cgroup: *number,
                ..Header::default()
            };
            header.args[0] = 1;
            RecordBuilder::new(&header)
                .chunk(Tag::Cgroup, &group.path)
                .build()
        });
        let mut processes: Vec<&Arc<Process>> = self.processes.running().collect();
        processes.sort_by_key(|process| process.key.start_time);
        let processes = processes
            .into_iter()
            .map(|process| process.snapshot(self.last_time));
        groups.chain(processes).collect()
    }

    /// What was counted.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        Statistics {
            processes: self.processes.len(),
            ended: self.processes.ended(),
            evicted: self.processes.evicted(),
            cgroups: self.cgroups.len(),
            ..self.statistics
        }
    }

    /// Takes in a record. What rules can see comes back as an event; the rest only changes the state.
    pub fn apply(&mut self, record: &Record<'_>) -> Option<KernelEvent> {
        let header = &record.header;
        self.statistics.records += 1;
        if header.time.saturating_sub(self.reads_from) > 1_000_000_000 {
            self.reads_from = header.time;
            self.reads_left = READS_PER_SECOND;
            self.user_reads_left = USER_READS_PER_SECOND;
        }
        self.processes
            .forget_ended(header.time.saturating_sub(self.keep_ended));
        let kind = Kind::of(header.kind)?;
        let event_type = match kind {
            Kind::Syscall => {
                let table = Table::of_abi(self.host.native, header.abi);
                let known = table.and_then(|table| table.event_type(header.syscall));
                if known.is_none() {
                    self.statistics.unknown_calls += 1;
                }
                Some(known.or_else(|| EventType::named("syscall"))?)
            }
            Kind::IoUring => Some(io_uring_event(header.syscall)?),
            Kind::Exec => self.call_among(record, &["execve", "execveat"]),
            Kind::Fork => self.call_among(record, &["clone", "clone3", "fork", "vfork"]),
            Kind::Exit => EventType::named("procexit"),
            Kind::Snapshot | Kind::SnapshotFile | Kind::SocketState | Kind::Cgroup => None,
        };
        if kind == Kind::Cgroup {
            self.apply_cgroup(record);
            return None;
        }
        if kind == Kind::SocketState {
            return None;
        }
        let cgroup = self.cgroup(record);
        // Who leaves a namespace of users may do everything in the new one; what counts is what it could do when it asked.
        let leaves = event_type.is_some_and(|event_type| matches!(event_type.name(), "unshare" | "setns"));
        if leaves && self.processes.is_known(header.tgid, header.start_time) {
            let event = self.event(record, kind, event_type?, cgroup);
            self.update_process(record, kind);
            self.statistics.events += 1;
            return Some(event);
        }
        self.update_process(record, kind);
        if kind == Kind::SnapshotFile {
            self.set_stream(record, header.ret);
        }
        let Some(event_type) = event_type else {
            if kind == Kind::Exit && header.args[0] == 1 {
                self.processes.end(header.tgid, header.time);
            }
            return None;
        };
        let event = self.event(record, kind, event_type, cgroup);
        match kind {
            Kind::Exit if header.args[0] == 1 => self.processes.end(header.tgid, header.time),
            Kind::Syscall => self.after_call(record, event_type),
            _ => {}
        }
        self.statistics.events += 1;
        Some(event)
    }

    /// The event type of the call that led to a record, where it is one of these; else the first of them.
    fn call_among(&self, record: &Record<'_>, names: &[&'static str]) -> Option<EventType> {
        let table = Table::of_abi(self.host.native, record.header.abi);
        let call = table.and_then(|table| table.name(record.header.syscall));
        let name = names.iter().find(|name| Some(**name) == call).or(names.first())?;
        EventType::named(name)
    }

    fn event(
        &mut self,
        record: &Record<'_>,
        kind: Kind,
        event_type: EventType,
        cgroup: (Option<Bytes>, Option<Arc<ContainerCell>>),
    ) -> KernelEvent {
        let header = &record.header;
        let (process, ancestors, thread_comm) = self.processes.view(header.tgid, header.tid);
        let thread_comm = match record.text(Tag::Comm) {
            Some(comm) if *comm != *process.comm && kind != Kind::Exec => Some(self.interner.get(comm)),
            Some(_) => None,
            None => thread_comm,
        };
        let name_changed = self.name_changed(record, event_type);
        if self.first_time == 0 {
            self.first_time = header.time;
        }
        let before = if self.last_time == 0 {
            header.time
        } else {
            self.last_time
        };
        self.last_time = header.time;
        let users = self.users_of(record, kind, &ancestors);
        let target = self.target(header, kind, event_type);
        let (cgroup_path, container) = cgroup;
        KernelEvent::new(
            record,
            Parts {
                event_type,
                io_uring: kind == Kind::IoUring,
                number: self.statistics.events + 1,
                since_first: header.time.saturating_sub(self.first_time),
                since_last: header.time.saturating_sub(before),
                process,
                ancestors,
                target,
                thread_comm,
                cgroup_path,
                container,
                users,
                name_changed,
                host: self.host.clone(),
            },
        )
    }

    /// The process that a call acts on. Its number is one of the caller's PID namespace, so only callers in the first one
    /// can be followed.
    fn target(&self, header: &Header, kind: Kind, event_type: EventType) -> Option<Arc<Process>> {
        if kind != Kind::Syscall || header.pid_namespace != FIRST_PID_NAMESPACE {
            return None;
        }
        let argument = spec(event_type)?.target()?;
        let number = u32::try_from(*header.args.get(usize::from(argument))?).ok()?;
        self.processes.current(number).cloned()
    }

    /// Whether this call gave a datagram socket another peer than it had, so that `fd.name` changed.
    fn name_changed(&mut self, record: &Record<'_>, event_type: EventType) -> bool {
        if spec(event_type).is_none_or(|spec| spec.io.is_none()) {
            return false;
        }
        let Some(socket) = record.socket(Tag::Socket).filter(|socket| socket.kind == 2) else {
            return false;
        };
        let mut hasher = DefaultHasher::new();
        (socket.local, socket.local_port).hash(&mut hasher);
        match record.chunk(Tag::Address) {
            Some(address) if !address.is_empty() => address.hash(&mut hasher),
            _ => (socket.remote, socket.remote_port).hash(&mut hasher),
        }
        let peer = hasher.finish();
        if self.peers.len() >= MAXIMUM_PEERS && !self.peers.contains_key(&socket.cookie) {
            self.peers.clear();
        }
        self.peers.insert(socket.cookie, peer) != Some(peer)
    }

    fn cgroup(&mut self, record: &Record<'_>) -> (Option<Bytes>, Option<Arc<ContainerCell>>) {
        let header = &record.header;
        if let Some(path) = record.text(Tag::Cgroup) {
            self.add_cgroup(header.cgroup, path);
        } else if header.cgroup != 0
            && !self.cgroups.contains_key(&header.cgroup)
            && self.reads_left > 0
            && let Some(reader) = &mut self.reader
        {
            self.reads_left -= 1;
            if let Some(path) = reader.cgroup(header.tid) {
                self.add_cgroup(header.cgroup, &path);
            }
        }
        match self.cgroups.get_mut(&header.cgroup) {
            Some(known) => {
                // Plain `runc` makes the group before it writes down whose it is; programs are run in it afterwards.
                if known.container.is_none()
                    && header.kind == Kind::Exec as u8
                    && known.asked_again < ASKED_AGAIN
                {
                    known.asked_again += 1;
                    known.container = self.containers.of_path(&known.path);
                }
                (Some(known.path.clone()), known.container.clone())
            }
            None => (None, None),
        }
    }

    fn add_cgroup(&mut self, cgroup: u64, path: &[u8]) {
        if self
            .cgroups
            .get(&cgroup)
            .is_some_and(|known| *known.path == *path)
        {
            return;
        }
        if self.cgroups.len() >= MAXIMUM_CGROUPS {
            self.cgroups.clear();
        }
        let container = self.containers.of_path(path);
        let path = self.interner.get(path);
        self.cgroups.insert(
            cgroup,
            Cgroup {
                path,
                container,
                asked_again: 0,
            },
        );
    }

    fn apply_cgroup(&mut self, record: &Record<'_>) {
        let header = &record.header;
        match header.args[0] {
            2 => {
                self.cgroups.remove(&header.cgroup);
            }
            _ => {
                if let Some(path) = record.text(Tag::Cgroup) {
                    self.add_cgroup(header.cgroup, path);
                }
            }
        }
    }

    /// The users of a mount namespace. When a program is run in it, its root folder may have become another one; a user
    /// that is not known may have been made since.
    fn users_of(
        &mut self,
        record: &Record<'_>,
        kind: Kind,
        ancestors: &[Arc<Process>],
    ) -> Option<Arc<UserTable>> {
        let header = &record.header;
        let namespace = header.mount_namespace;
        let known = self.users.get(&namespace);
        let due = match known {
            Some(users) if users.checked == u64::MAX => false,
            Some(users) => {
                let age = header.time.saturating_sub(users.checked);
                let lacks_user = users
                    .table
                    .as_ref()
                    .is_some_and(|table| header.uid != 0 && !table.users.contains_key(&header.uid));
                age > USERS_AGE
                    || (kind == Kind::Exec && (!users.used || age > USERS_AGE_AT_EXEC))
                    || (users.table.is_none() && age > USERS_AGE_UNKNOWN)
                    || (lacks_user
                        && (age > USERS_AGE_AT_EXEC
                            || (users.missing.len() < MAXIMUM_MISSING
                                && !users.missing.contains(&header.uid))))
            }
            None => true,
        };
        if due
            && self.user_reads_left > 0
            && let Some(reader) = &mut self.reader
        {
            self.user_reads_left -= 1;
            let stamp = known.and_then(|users| users.stamp);
            // A process that is gone has no root any more; one of its ancestors may share it, and the namespace.
            let same_place = |process: &&Arc<Process>| process.pid_namespace == header.pid_namespace;
            let others = ancestors
                .iter()
                .filter(same_place)
                .take(USERS_ASKED)
                .map(|process| process.key.tgid);
            let answer = std::iter::once(header.tgid)
                .chain(others)
                .find_map(|tgid| reader.users(tgid, namespace, stamp));
            if self.users.len() >= MAXIMUM_USER_TABLES && !self.users.contains_key(&namespace) {
                self.users.clear();
            }
            let users = self.users.entry(namespace).or_insert_with(|| Users {
                table: None,
                stamp: None,
                checked: 0,
                used: false,
                missing: BTreeSet::new(),
            });
            if header.time.saturating_sub(users.checked) > USERS_AGE_AT_EXEC {
                users.missing.clear();
            }
            users.checked = header.time;

            let first_program = kind == Kind::Exec && !users.used;
            users.used |= kind == Kind::Exec;
            if first_program && answer.is_none() {
                // What was read before belongs to the root that the runtime has left: no name is better than a wrong one.
                users.table = None;
                users.stamp = None;
            }
            if let Some((stamp, table)) = answer {
                users.stamp = Some(stamp);
                if let Some(table) = table {
                    users.table = Some(Arc::new(table));
                    users.missing.clear();
                }
                if users
                    .table
                    .as_ref()
                    .is_some_and(|table| !table.users.contains_key(&header.uid))
                {
                    users.missing.insert(header.uid);
                }
            }
        }
        self.users.get(&namespace)?.table.clone()
    }

    /// Brings the process of a record to the version that the record tells.
    fn update_process(&mut self, record: &Record<'_>, kind: Kind) {
        let header = &record.header;
        let snapshot = matches!(kind, Kind::Exec | Kind::Snapshot);
        let whole = snapshot || (kind == Kind::Fork && header.tid == header.tgid);
        let known = self.processes.is_known(header.tgid, header.start_time);
        if !whole && !known {
            self.statistics.unannounced += 1;
            self.add_from_host(header.tgid, header.start_time, Some(record));
        }
        if kind == Kind::Fork && header.tid != header.tgid {
            self.processes.add_thread(
                header.tgid,
                header.tid,
                record
                    .process()
                    .map_or(header.tgid, |process| process.real_parent_tid),
            );
            return;
        }
        if whole && !known {
            let mut update = self.update_of(record, kind);
            if kind == Kind::Fork {
                update.inherits_from = Some(header.ppid);
            }
            self.ensure_parent(header.ppid, header.tgid);
            self.processes.add(header, update);
            return;
        }
        if kind == Kind::Exit && header.tid != header.tgid {
            self.processes.remove_thread(header.tgid, header.tid);
        }
        if whole || carries_state(record) || self.processes.changes_parent(header) {
            let update = self.update_of(record, kind);
            self.ensure_parent(header.ppid, header.tgid);
            self.processes.change(header, update);
        }
        self.processes.touch(header.tgid, header.time);
    }

    fn ensure_parent(&mut self, parent: u32, child: u32) {
        if parent != 0 && parent != child && self.processes.current(parent).is_none() {
            self.add_from_host(parent, 0, None);
        }
    }

    /// Adds a process that no record announced, from the host's files, or else from what a record of it says.
    fn add_from_host(&mut self, tgid: u32, start_time: u64, record: Option<&Record<'_>>) {
        // Its parents, too, as far as they are not known: at most as many as are ever asked for.
        let mut wanted = Some((tgid, start_time));
        for _ in 0..ANCESTORS {
            let Some((tgid, start_time)) = wanted else { return };
            let facts = match &mut self.reader {
                Some(reader) if self.reads_left > 0 => {
                    self.reads_left -= 1;
                    reader.process(tgid)
                }
                _ => None,
            };
            let Some(facts) = facts else {
                if let Some(record) = record.filter(|record| record.header.tgid == tgid) {
                    let update = self.update_of(record, Kind::Syscall);
                    self.processes.add(&record.header, update);
                }
                return;
            };
            self.statistics.read += 1;
            let parent = facts.parent;
            self.processes
                .add_read(tgid, start_time, &facts, &mut self.interner);
            wanted = (parent != 0 && self.processes.current(parent).is_none()).then_some((parent, 0));
        }
    }

    fn update_of(&mut self, record: &Record<'_>, kind: Kind) -> Update {
        let header = &record.header;
        let main = header.tid == header.tgid;
        let comm = record.text(Tag::Comm).map(|comm| self.interner.get(comm));
        let image = matches!(kind, Kind::Exec | Kind::Snapshot).then(|| {
            let capped = |bytes: &[u8]| -> Bytes { bytes[..bytes.len().min(MAXIMUM_ARGUMENTS)].into() };
            let arguments = record.chunk(Tag::Argv).unwrap_or_default();
            let mut image = Image::new(
                comm.clone().unwrap_or_default(),
                self.interner.get(&capped(arguments)),
                record
                    .text(Tag::Executable)
                    .map(|path| self.interner.get(path))
                    .unwrap_or_default(),
            );
            image.environment = record.chunk(Tag::Environment).map(capped);
            image.meta = record.file_meta(Tag::ExecutableMeta);
            image.interpreter = record.text(Tag::Interpreter).map(|path| self.interner.get(path));
            image.filename = record.text(Tag::Filename).map(|path| self.interner.get(path));
            image.exec_time = if kind == Kind::Exec { header.time } else { 0 };
            Arc::new(image)
        });
        Update {
            comm: comm.filter(|_| main || image.is_some()),
            thread_comm: (!main && image.is_none())
                .then(|| record.text(Tag::Comm).map(|comm| self.interner.get(comm)))
                .flatten(),
            image,
            working_folder: record
                .text(Tag::WorkingFolder)
                .map(|folder| self.interner.get(folder)),
            credentials: record.credentials(),
            identity: record.process(),
            inherits_from: None,
        }
    }

    /// What a call changed in the process beyond what its record says as state.
    fn after_call(&mut self, record: &Record<'_>, event_type: EventType) {
        let header = &record.header;
        if header.ret < 0 {
            return;
        }
        match event_type.name() {
            "dup" | "dup2" | "dup3" | "open" | "openat" | "openat2" | "creat" | "socket" | "accept"
            | "accept4" => self.set_stream(record, header.ret),
            "connect" => self.set_stream(record, i64::from(header.args[0] as i32)),
            "close" => {
                if let Ok(number @ 0..3) = usize::try_from(header.args[0]) {
                    self.processes.set_stream(header.tgid, number, None);
                }
            }
            _ => {}
        }
    }

    fn set_stream(&mut self, record: &Record<'_>, descriptor: i64) {
        let Ok(number @ 0..3) = usize::try_from(descriptor) else {
            return;
        };
        let stream = stream_of(record).map(|(kind, name)| {
            Arc::new(StandardStream {
                kind,
                name: self.interner.get(&name),
            })
        });
        self.processes.set_stream(record.header.tgid, number, stream);
    }
}

/// Whether a record has chunks that tell of the state of its process.
fn carries_state(record: &Record<'_>) -> bool {
    record.has_any(&[Tag::Comm, Tag::WorkingFolder, Tag::Credentials, Tag::Process])
}

#[cfg(test)]
mod tests;
