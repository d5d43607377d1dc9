//! Containers: which one a control group belongs to, and what its runtime says of it.
//!
//! The path of a control group gives runtime and identifier at once. The rest is gathered by threads of their own, from the
//! runtimes' files and then from their sockets, and put into a [`ContainerCell`] that events share: so it is there for
//! events that came earlier, too, when they are reported.

mod api;
mod cgroup;
mod files;
mod info;

pub use cgroup::{Identity, Runtime, identify};
pub use info::{ContainerInfo, Mount, Pod};

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

/// How the runtimes are reached.
#[derive(Debug, Clone)]
pub struct ContainerOptions {
    /// The folder that the runtimes' files and sockets lie in, `/` for the running host.
    pub root: PathBuf,
    /// Sockets that speak the interface of Docker, below `root`.
    pub sockets: Vec<PathBuf>,
    /// How long one question to a socket may take in all.
    pub timeout: Duration,
    /// When it is tried again after nothing was found: the runtime may not have written yet.
    pub attempts: Vec<Duration>,
    /// How many threads gather.
    pub threads: usize,
    /// How many containers may wait to be looked up.
    pub queue: usize,
}

impl Default for ContainerOptions {
    fn default() -> Self {
        Self {
            root: PathBuf::from("/"),
            sockets: ["run/docker.sock", "run/podman/podman.sock"]
                .map(PathBuf::from)
                .to_vec(),
            timeout: Duration::from_secs(2),
            attempts: [0, 30, 100, 400, 1500].map(Duration::from_millis).to_vec(),
            threads: 2,
            queue: 4096,
        }
    }
}

/// A container that events speak of; what is known of it comes later.
#[derive(Debug)]
pub struct ContainerCell {
    identity: Identity,
    info: OnceLock<ContainerInfo>,
    finished: Mutex<bool>,
    changed: Condvar,
}

impl ContainerCell {
    fn new(identity: Identity) -> Self {
        Self {
            identity,
            info: OnceLock::new(),
            finished: Mutex::new(false),
            changed: Condvar::new(),
        }
    }

    /// Runtime and identifier, as the control group gave them.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The first 12 characters of the identifier.
    #[must_use]
    pub fn id(&self) -> &str {
        self.identity.short()
    }

    /// What the runtime says, when it has been found.
    #[must_use]
    pub fn info(&self) -> Option<&ContainerInfo> {
        self.info.get()
    }

    /// Whether the search for what the runtime says has ended, with or without success.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.info.get().is_some() || *self.finished.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the search has ended, at most until `deadline`; says whether anything was found.
    #[must_use]
    pub fn wait(&self, deadline: Instant) -> bool {
        let mut finished = self.finished.lock().unwrap_or_else(PoisonError::into_inner);
        while !*finished {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            finished = self
                .changed
                .wait_timeout(finished, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        self.info().is_some()
    }

    fn finish(&self, info: Option<ContainerInfo>) {
        if let Some(info) = info {
            // Whoever came first knew as much.
            let _ = self.info.set(info);
        }
        *self.finished.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_all();
    }
}

/// Who knows containers. Copies speak of the same.
#[derive(Debug, Clone)]
pub struct Containers {
    shared: Arc<Shared>,
    queue: Option<SyncSender<Job>>,
    root: Option<PathBuf>,
}

#[derive(Debug, Default)]
struct Shared {
    cells: Mutex<HashMap<String, Weak<ContainerCell>>>,
    /// What a capture says, for containers that no event has named yet.
    given: Mutex<HashMap<String, ContainerInfo>>,
    found: AtomicU64,
    missing: AtomicU64,
    dropped: AtomicU64,
}

/// What was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ContainerStatistics {
    /// Containers whose facts were found.
    pub found: u64,
    /// Containers of which nothing was found.
    pub missing: u64,
    /// Containers that were not looked up, since too many waited.
    pub dropped: u64,
}

#[derive(Debug)]
struct Job {
    cell: Weak<ContainerCell>,
    process: u32,
}

/// The most containers that are known by identifier.
const MAXIMUM: usize = 1 << 16;

impl Containers {
    /// Knows only what it is told; for replays and tests.
    #[must_use]
    pub fn offline() -> Self {
        Self {
            shared: Arc::default(),
            queue: None,
            root: None,
        }
    }

    /// Looks containers up in threads of its own, which end with the last copy.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn start(options: ContainerOptions) -> std::io::Result<Self> {
        let (queue, jobs) = sync_channel(options.queue);
        let jobs = Arc::new(Mutex::new(jobs));
        let shared: Arc<Shared> = Arc::default();
        let root = options.root.clone();
        let gatherer = Arc::new(Gatherer::new(options));
        for number in 0..gatherer.options.threads.max(1) {
            let (jobs, gatherer, shared) = (jobs.clone(), gatherer.clone(), shared.clone());
            thread::Builder::new()
                .name(format!("containers-{number}"))
                .spawn(move || gatherer.work(&jobs, &shared))?;
        }
        Ok(Self {
            shared,
            queue: Some(queue),
            root: Some(root),
        })
    }

    /// The cell of a container; the first time, its facts are asked for. `process` runs in it, or is 0.
    #[must_use]
    pub fn get(&self, identity: &Identity, process: u32) -> Arc<ContainerCell> {
        let mut cells = self.shared.cells.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(cell) = cells.get(&identity.full_id).and_then(Weak::upgrade) {
            return cell;
        }
        if cells.len() >= MAXIMUM {
            cells.retain(|_, cell| cell.strong_count() > 0);
        }
        let cell = Arc::new(ContainerCell::new(identity.clone()));
        if cells.len() < MAXIMUM {
            cells.insert(identity.full_id.clone(), Arc::downgrade(&cell));
        }
        drop(cells);
        let mut given = self.shared.given.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(info) = given.remove(&identity.full_id) {
            cell.finish(Some(info));
            return cell;
        }
        drop(given);
        let Some(queue) = &self.queue else {
            cell.finish(None);
            return cell;
        };
        let job = Job {
            cell: Arc::downgrade(&cell),
            process,
        };
        if let Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) = queue.try_send(job) {
            self.shared.dropped.fetch_add(1, Ordering::Relaxed);
            cell.finish(None);
        }
        cell
    }

    /// The container that a control group belongs to. Beside what the path says, names below the folder of `runc` count,
    /// since plain `runc` gives groups any name.
    #[must_use]
    pub fn of_path(&self, path: &[u8], process: u32) -> Option<Arc<ContainerCell>> {
        if let Some(identity) = identify(path) {
            return Some(self.get(&identity, process));
        }
        let identity = files::plain_runc(self.root.as_deref()?, path)?;
        Some(self.get(&identity, process))
    }

    /// Says what is known of a container, as a capture or a test does.
    pub fn insert(&self, info: ContainerInfo) {
        let cell = {
            let cells = self.shared.cells.lock().unwrap_or_else(PoisonError::into_inner);
            cells.get(&info.full_id).and_then(Weak::upgrade)
        };
        match cell {
            Some(cell) if cell.info().is_none() => cell.finish(Some(info)),
            Some(_) => {}
            None => {
                let mut given = self.shared.given.lock().unwrap_or_else(PoisonError::into_inner);
                if given.len() < MAXIMUM {
                    given.insert(info.full_id.clone(), info);
                }
            }
        }
    }

    /// All containers that events hold now and whose facts are known.
    #[must_use]
    pub fn known(&self) -> Vec<ContainerInfo> {
        let cells = self.shared.cells.lock().unwrap_or_else(PoisonError::into_inner);
        let cells = cells.values().filter_map(Weak::upgrade);
        cells.filter_map(|cell| cell.info().cloned()).collect()
    }

    /// What was counted.
    #[must_use]
    pub fn statistics(&self) -> ContainerStatistics {
        ContainerStatistics {
            found: self.shared.found.load(Ordering::Relaxed),
            missing: self.shared.missing.load(Ordering::Relaxed),
            dropped: self.shared.dropped.load(Ordering::Relaxed),
        }
    }
}

#[derive(Debug)]
struct Gatherer {
    options: ContainerOptions,
    /// Sockets that did not answer, and until when they are left alone.
    silent: Mutex<HashMap<PathBuf, Instant>>,
}

/// How long a socket that did not answer is left alone.
const SILENCE: Duration = Duration::from_secs(10);

impl Gatherer {
    fn new(options: ContainerOptions) -> Self {
        Self {
            options,
            silent: Mutex::default(),
        }
    }

    fn work(&self, jobs: &Mutex<Receiver<Job>>, shared: &Shared) {
        loop {
            let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
            let Ok(job) = job else { return };
            let mut found = None;
            for wait in &self.options.attempts {
                thread::sleep(*wait);
                // Nobody may be interested any more: then the container was short-lived.
                let Some(cell) = job.cell.upgrade() else { break };
                found = self.gather(&cell.identity, job.process);
                if found.is_some() {
                    break;
                }
            }
            let counter = if found.is_some() {
                &shared.found
            } else {
                &shared.missing
            };
            counter.fetch_add(1, Ordering::Relaxed);
            if let Some(cell) = job.cell.upgrade() {
                cell.finish(found);
            }
        }
    }

    fn gather(&self, identity: &Identity, process: u32) -> Option<ContainerInfo> {
        let from_files = files::read(&self.options.root, identity, process);
        if from_files.as_ref().is_some_and(ContainerInfo::is_complete) {
            return from_files;
        }
        let from_socket = self
            .options
            .sockets
            .iter()
            .filter(|_| identity.runtime.speaks_docker())
            .find_map(|socket| self.ask(&self.options.root.join(socket), identity));
        match (from_files, from_socket) {
            (Some(files), Some(socket)) => Some(socket.or(files)),
            (files, socket) => socket.or(files),
        }
    }

    fn ask(&self, socket: &Path, identity: &Identity) -> Option<ContainerInfo> {
        let now = Instant::now();
        {
            let silent = self.silent.lock().unwrap_or_else(PoisonError::into_inner);
            if silent.get(socket).is_some_and(|until| *until > now) {
                return None;
            }
        }
        match api::inspect(socket, identity, now + self.options.timeout) {
            Ok(info) => info,
            Err(api::Silent) => {
                let mut silent = self.silent.lock().unwrap_or_else(PoisonError::into_inner);
                silent.insert(socket.to_owned(), Instant::now() + SILENCE);
                None
            }
        }
    }
}

#[cfg(test)]
mod tests;
