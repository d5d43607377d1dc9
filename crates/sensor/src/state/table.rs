//! The table of processes: current versions, ended ones, and their ancestors.

use super::process::{Bytes, Image, Interner, NumberMap, Process, ProcessKey, StandardStream};
use super::{MAXIMUM_ARGUMENTS, ProcFacts};
use crate::wire::{Credentials, Header, Process as Identity};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

/// How many ancestors of a process are known at most.
pub const ANCESTORS: usize = 64;

/// Names of threads that differ from their process are kept for this many threads of a process.
const MAXIMUM_THREADS: usize = 1024;

/// How exact a start time is that the host's files give (a tick of its clock, and one for rounding).
const TICK: u64 = 20_000_000;

/// What a record tells of its process; `None` leaves what was.
#[derive(Debug, Default)]
pub(super) struct Update {
    pub(super) comm: Option<Bytes>,
    pub(super) thread_comm: Option<Bytes>,
    pub(super) image: Option<Arc<Image>>,
    pub(super) working_folder: Option<Bytes>,
    pub(super) credentials: Option<Credentials>,
    pub(super) identity: Option<Identity>,
    /// The process that a new one was copied from.
    pub(super) inherits_from: Option<u32>,
}

type Ancestors = Arc<[Arc<Process>]>;

#[derive(Debug)]
struct Entry {
    process: Arc<Process>,
    ancestors: Ancestors,
    /// The generation of the tree in which `ancestors` was made.
    generation: u64,
    children: u32,
    /// The start time comes from the host's files, so is rounded.
    rounded: bool,
    last_seen: u64,
    thread_names: Option<HashMap<u32, Bytes>>,
}

#[derive(Debug)]
pub(super) struct Processes {
    live: NumberMap<u32, Entry>,
    ended: NumberMap<ProcessKey, Entry>,
    ended_order: VecDeque<(u64, ProcessKey)>,
    /// In the order in which they came, with the time when they were last seen as it was then.
    order: VecDeque<(ProcessKey, u64)>,
    /// When each PID namespace began: the start of its first process.
    namespaces: NumberMap<u32, u64>,
    /// Grows with each change that ancestors of others may see.
    generation: u64,
    capacity: usize,
    evicted: u64,
    nobody: Arc<Process>,
}

impl Processes {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            live: NumberMap::default(),
            ended: NumberMap::default(),
            ended_order: VecDeque::new(),
            order: VecDeque::new(),
            namespaces: NumberMap::default(),
            generation: 1,
            capacity,
            evicted: 0,
            nobody: Arc::new(Process::default()),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.live.len() + self.ended.len()
    }

    pub(super) fn running(&self) -> impl Iterator<Item = &Arc<Process>> {
        self.live.values().map(|entry| &entry.process)
    }

    pub(super) fn ended(&self) -> usize {
        self.ended.len()
    }

    pub(super) fn evicted(&self) -> u64 {
        self.evicted
    }

    pub(super) fn current(&self, tgid: u32) -> Option<&Arc<Process>> {
        self.live.get(&tgid).map(|entry| &entry.process)
    }

    /// Whether the process that runs under this number now is this one. One that was read from the host is taken for it
    /// when the times agree as far as they are exact.
    pub(super) fn is_known(&mut self, tgid: u32, start_time: u64) -> bool {
        let Some(entry) = self.live.get_mut(&tgid) else {
            return false;
        };
        let known = entry.process.key.start_time;
        if known == start_time {
            return true;
        }
        if entry.rounded && known.abs_diff(start_time) <= TICK {
            let process = Arc::make_mut(&mut entry.process);
            process.key.start_time = start_time;
            entry.rounded = false;
            self.order
                .push_back((ProcessKey { tgid, start_time }, entry.last_seen));
            return true;
        }
        false
    }

    /// Whether a record names another parent than is known.
    pub(super) fn changes_parent(&self, header: &Header) -> bool {
        self.live
            .get(&header.tgid)
            .is_some_and(|entry| entry.process.parent != header.ppid && header.ppid != header.tgid)
    }

    /// The process, its ancestors, and the name of the thread where it has another one.
    pub(super) fn view(&mut self, tgid: u32, tid: u32) -> (Arc<Process>, Ancestors, Option<Bytes>) {
        let ancestors = self.ancestors(tgid);
        match self.live.get(&tgid) {
            Some(entry) => {
                let thread = entry.thread_names.as_ref().and_then(|names| names.get(&tid));
                (entry.process.clone(), ancestors, thread.cloned())
            }
            None => (self.nobody.clone(), ancestors, None),
        }
    }

    pub(super) fn ancestors(&mut self, tgid: u32) -> Ancestors {
        let Some(entry) = self.live.get(&tgid) else {
            return Arc::new([]);
        };
        if entry.generation == self.generation {
            return entry.ancestors.clone();
        }
        let mut found: Vec<Arc<Process>> = Vec::new();
        let mut child = entry.process.clone();
        while found.len() < ANCESTORS {
            let Some(parent) = self.parent_of(&child) else {
                break;
            };
            if parent.key == entry.process.key || found.iter().any(|known| known.key == parent.key) {
                break;
            }
            found.push(parent.clone());
            child = parent;
        }
        // An unchanged list is shared further, so that many events hold one.
        let same = found.len() == entry.ancestors.len()
            && found
                .iter()
                .zip(entry.ancestors.iter())
                .all(|(new, old)| Arc::ptr_eq(new, old));
        let ancestors = if same {
            entry.ancestors.clone()
        } else {
            found.into()
        };
        if let Some(entry) = self.live.get_mut(&tgid) {
            entry.ancestors = ancestors.clone();
            entry.generation = self.generation;
        }
        ancestors
    }

    fn parent_of(&self, child: &Process) -> Option<Arc<Process>> {
        if child.parent == 0 {
            return None;
        }
        if let Some(start_time) = child.parent_start_time {
            let key = ProcessKey {
                tgid: child.parent,
                start_time,
            };
            if let Some(entry) = self.ended.get(&key) {
                return Some(entry.process.clone());
            }
        }
        let entry = self.live.get(&child.parent)?;
        // A process under the same number that began after its "child" is another one.
        let slack = if entry.rounded { TICK } else { 0 };
        let began = entry.process.key.start_time;
        (child.key.start_time == 0 || began <= child.key.start_time.saturating_add(slack))
            .then(|| entry.process.clone())
    }

    pub(super) fn add(&mut self, header: &Header, update: Update) {
        let key = ProcessKey {
            tgid: header.tgid,
            start_time: header.start_time,
        };
        let template = update
            .inherits_from
            .and_then(|parent| self.live.get(&parent))
            .map(|entry| entry.process.clone());
        let mut process = template.as_deref().cloned().unwrap_or_default();
        process.key = key;
        process.threads = 1;
        process.parent = if header.ppid == header.tgid {
            0
        } else {
            header.ppid
        };
        process.parent_start_time = None;
        process.pid_namespace = header.pid_namespace;
        apply(&mut process, update);
        self.insert(process, header.time, false);
    }

    pub(super) fn add_read(
        &mut self,
        tgid: u32,
        start_time: u64,
        facts: &ProcFacts,
        interner: &mut Interner,
    ) {
        let capped = |bytes: &[u8]| -> Bytes { bytes[..bytes.len().min(MAXIMUM_ARGUMENTS)].into() };
        let comm = interner.get(&facts.comm);
        let mut image = Image::new(
            comm.clone(),
            interner.get(&capped(&facts.arguments)),
            interner.get(&facts.executable),
        );
        image.environment = facts.environment.as_deref().map(capped);
        // A record's own time is exact; the file's is not.
        let exact = start_time != 0 && start_time.abs_diff(facts.start_time) <= TICK;
        let process = Process {
            key: ProcessKey {
                tgid,
                start_time: if exact { start_time } else { facts.start_time },
            },
            parent: facts.parent,
            comm,
            image: Arc::new(image),
            working_folder: interner.get(&facts.working_folder),
            credentials: facts.credentials,
            identity: facts.identity,
            threads: facts.threads.max(1),
            ..Process::default()
        };
        self.insert(process, facts.start_time, !exact);
    }

    fn insert(&mut self, mut process: Process, now: u64, rounded: bool) {
        let key = process.key;
        if let Some(identity) = &process.identity
            && identity.virtual_pid == 1
            && self.namespaces.len() < self.capacity
        {
            self.namespaces.insert(process.pid_namespace, key.start_time);
        }
        process.namespace_start = self.namespaces.get(&process.pid_namespace).copied();
        if self.live.contains_key(&key.tgid) {
            self.end(key.tgid, now);
        }
        if process.parent_start_time.is_none() {
            process.parent_start_time = self
                .live
                .get(&process.parent)
                .filter(|parent| !parent.rounded)
                .map(|parent| parent.process.key.start_time)
                .filter(|start| *start <= key.start_time);
        }
        if let Some(parent) = self.live.get_mut(&process.parent) {
            parent.children += 1;
        }
        let entry = Entry {
            process: Arc::new(process),
            ancestors: Arc::new([]),
            generation: 0,
            children: 0,
            rounded,
            last_seen: now,
            thread_names: None,
        };
        self.live.insert(key.tgid, entry);
        self.order.push_back((key, now));
        self.make_room();
    }

    pub(super) fn change(&mut self, header: &Header, mut update: Update) {
        let Some(entry) = self.live.get_mut(&header.tgid) else {
            return;
        };
        if let Some(name) = update.thread_comm.take() {
            if *name == *entry.process.comm {
                if let Some(names) = &mut entry.thread_names {
                    names.remove(&header.tid);
                }
            } else {
                let names = entry.thread_names.get_or_insert_default();
                if names.len() < MAXIMUM_THREADS || names.contains_key(&header.tid) {
                    names.insert(header.tid, name);
                }
            }
        }
        let visible = entry.children > 0
            && (update.image.is_some()
                || update
                    .comm
                    .as_ref()
                    .is_some_and(|comm| *comm != entry.process.comm));
        if update.image.is_some() {
            // Other threads end when one of them runs a program.
            entry.thread_names = None;
        }
        let had_image = update.image.is_some();
        let old_parent = entry.process.parent;
        let process = Arc::make_mut(&mut entry.process);
        if header.ppid != header.tgid && header.ppid != old_parent {
            process.parent = header.ppid;
            process.parent_start_time = None;
        }
        process.pid_namespace = header.pid_namespace;
        if had_image {
            process.threads = 1;
        }
        apply(process, update);
        let new_parent = process.parent;
        let has_children = entry.children > 0;
        if new_parent != old_parent {
            entry.generation = 0;
            if let Some(parent) = self.live.get_mut(&old_parent) {
                parent.children = parent.children.saturating_sub(1);
            }
            if let Some(parent) = self.live.get_mut(&new_parent) {
                parent.children += 1;
            }
        }
        if visible || (new_parent != old_parent && has_children) {
            self.generation += 1;
        }
    }

    pub(super) fn set_stream(&mut self, tgid: u32, number: usize, stream: Option<Arc<StandardStream>>) {
        if let Some(entry) = self.live.get_mut(&tgid)
            && let Some(known) = entry.process.streams.get(number)
            && *known != stream
        {
            Arc::make_mut(&mut entry.process).streams[number] = stream;
        }
    }

    pub(super) fn touch(&mut self, tgid: u32, now: u64) {
        if let Some(entry) = self.live.get_mut(&tgid) {
            entry.last_seen = entry.last_seen.max(now);
        }
    }

    pub(super) fn add_thread(&mut self, tgid: u32, tid: u32, maker: u32) {
        if let Some(entry) = self.live.get_mut(&tgid) {
            let process = Arc::make_mut(&mut entry.process);
            process.threads = process.threads.saturating_add(1);
            // A thread has the name of the one that made it.
            if let Some(names) = &mut entry.thread_names
                && let Some(name) = names.get(&maker).cloned()
                && names.len() < MAXIMUM_THREADS
            {
                names.insert(tid, name);
            }
        }
    }

    pub(super) fn remove_thread(&mut self, tgid: u32, tid: u32) {
        if let Some(entry) = self.live.get_mut(&tgid) {
            let process = Arc::make_mut(&mut entry.process);
            process.threads = process.threads.saturating_sub(1).max(1);
            if let Some(names) = &mut entry.thread_names {
                names.remove(&tid);
            }
        }
    }

    /// A process ended: it stays known for a while.
    pub(super) fn end(&mut self, tgid: u32, now: u64) {
        let Some(entry) = self.live.remove(&tgid) else {
            return;
        };
        if let Some(parent) = self.live.get_mut(&entry.process.parent) {
            parent.children = parent.children.saturating_sub(1);
        }
        if entry.children > 0 {
            self.generation += 1;
        }
        let key = entry.process.key;
        self.ended_order.push_back((now, key));
        self.ended.insert(key, entry);
        self.make_room();
    }

    /// Forgets processes that ended before this time.
    pub(super) fn forget_ended(&mut self, before: u64) {
        while let Some((time, key)) = self.ended_order.front().copied() {
            if time >= before {
                break;
            }
            self.ended_order.pop_front();
            self.ended.remove(&key);
        }
    }

    fn make_room(&mut self) {
        while self.len() > self.capacity {
            if let Some((_, key)) = self.ended_order.pop_front() {
                if self.ended.remove(&key).is_some() {
                    self.evicted += 1;
                }
                continue;
            }
            if !self.evict_quiet() {
                return;
            }
        }
        // What has ended or was replaced leaves its place in the order behind.
        if self.order.len() > 2 * self.live.len() + 1024 {
            let live = &self.live;
            self.order
                .retain(|(key, _)| live.get(&key.tgid).is_some_and(|entry| entry.process.key == *key));
        }
        if self.namespaces.len() >= self.capacity {
            self.namespaces.clear();
        }
    }

    /// Drops the process that came first and was not seen since; after some second chances, the first anyway.
    fn evict_quiet(&mut self) -> bool {
        for chance in 0.. {
            let Some((key, stamp)) = self.order.pop_front() else {
                return false;
            };
            let Some(entry) = self.live.get(&key.tgid).filter(|entry| entry.process.key == key) else {
                continue;
            };
            if entry.last_seen > stamp && chance < 64 {
                self.order.push_back((key, entry.last_seen));
                continue;
            }
            let children = entry.children > 0;
            if let Some(entry) = self.live.remove(&key.tgid)
                && let Some(parent) = self.live.get_mut(&entry.process.parent)
            {
                parent.children = parent.children.saturating_sub(1);
            }
            if children {
                self.generation += 1;
            }
            self.evicted += 1;
            return true;
        }
        false
    }
}

fn apply(process: &mut Process, update: Update) {
    if let Some(image) = update.image {
        process.comm = image.comm.clone();
        process.image = image;
    }
    if let Some(comm) = update.comm {
        process.comm = comm;
    }
    if let Some(folder) = update.working_folder {
        process.working_folder = folder;
    }
    if update.credentials.is_some() {
        process.credentials = update.credentials;
    }
    if let Some(identity) = update.identity {
        process.parent_start_time = Some(identity.parent_start_time)
            .filter(|start| *start != 0)
            .or(process.parent_start_time);
        process.identity = Some(identity);
    }
}
