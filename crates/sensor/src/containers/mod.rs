//! Containers: which one a control group belongs to, and what its runtime says of it.
//!
//! The path of a control group gives runtime and identifier at once. The rest is gathered by threads of their own, from the
//! runtimes' files and then from their sockets, and put into a [`ContainerCell`] that events share: so it is there for
//! events that came earlier, too, when they are reported.

mod api;
mod calls;
mod cgroup;
mod containerd;
mod cri;
mod files;
#[cfg(fuzzing)]
pub mod fuzzing;
mod info;
mod lookup;

pub use calls::{CallError, Grpc, GrpcCalls};
pub use cgroup::{Identity, Runtime, identify};
pub use info::{ContainerInfo, Mount, Pod};

use lookup::Lookups;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError, Weak};
use std::time::{Duration, Instant};

/// How the runtimes are reached.
#[derive(Debug, Clone)]
pub struct ContainerOptions {
    /// The folder that the runtimes' files and sockets lie in, `/` for the running host.
    pub root: PathBuf,
    /// Sockets that speak the interface of Docker, below `root`.
    pub sockets: Vec<PathBuf>,
    /// Sockets that speak the interface of Kubernetes to runtimes (CRI) or that of containerd, below `root`.
    pub cri_sockets: Vec<PathBuf>,
    /// What connects to those; without it they are not asked.
    pub grpc: Option<Arc<dyn Grpc>>,
    /// How long one question to a socket may take in all.
    pub timeout: Duration,
    /// When it is tried again after nothing was found: the runtime may not have written yet.
    pub attempts: Vec<Duration>,
    /// How many threads ask sockets.
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
            // containerd by itself, of k3s and RKE2, of k0s, of MicroK8s; CRI-O; Docker through cri-dockerd.
            cri_sockets: [
                "run/containerd/containerd.sock",
                "run/k3s/containerd/containerd.sock",
                "run/k0s/containerd.sock",
                "var/snap/microk8s/common/run/containerd.sock",
                "run/crio/crio.sock",
                "run/cri-dockerd.sock",
            ]
            .map(PathBuf::from)
            .to_vec(),
            grpc: None,
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
    /// What files said, before a daemon answered.
    first: OnceLock<Box<ContainerInfo>>,
    info: OnceLock<Box<ContainerInfo>>,
    finished: Mutex<bool>,
    changed: Condvar,
}

impl ContainerCell {
    fn new(identity: Identity) -> Self {
        Self {
            identity,
            first: OnceLock::new(),
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

    /// What the runtime says, as far as it has been found.
    #[must_use]
    pub fn info(&self) -> Option<&ContainerInfo> {
        self.info.get().or_else(|| self.first.get()).map(|info| &**info)
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

    /// Makes known what is known so far, while the search goes on.
    fn publish(&self, info: &ContainerInfo) {
        self.first.get_or_init(|| Box::new(info.clone()));
    }

    /// Ends the search, and counts it if it had not ended before. What is found even later still counts for events.
    fn finish(&self, info: Option<ContainerInfo>, count: impl FnOnce(bool)) {
        if let Some(info) = info {
            // Whoever came first knew as much.
            let _ = self.info.set(Box::new(info));
        }
        let mut finished = self.finished.lock().unwrap_or_else(PoisonError::into_inner);
        if !*finished {
            count(self.info().is_some());
        }
        *finished = true;
        drop(finished);
        self.changed.notify_all();
    }
}

/// Who knows containers. Copies speak of the same.
#[derive(Debug, Clone)]
pub struct Containers {
    shared: Arc<Shared>,
    lookups: Option<Arc<Lookups>>,
}

#[derive(Debug, Default)]
struct Shared {
    cells: Mutex<Cells>,
    /// What a capture says, for containers that no event has named yet.
    given: Mutex<HashMap<String, ContainerInfo>>,
    found: AtomicU64,
    missing: AtomicU64,
    dropped: AtomicU64,
}

impl Shared {
    fn finish(&self, cell: &ContainerCell, info: Option<ContainerInfo>) {
        // Whoever sees the counter move sees that the search ended, and the other way round.
        cell.finish(info, |found| {
            let counter = if found { &self.found } else { &self.missing };
            counter.fetch_add(1, Ordering::Relaxed);
        });
    }
}

/// The containers that events hold, by identifier.
#[derive(Debug, Default)]
struct Cells {
    by_id: HashMap<String, Weak<ContainerCell>>,
    /// When so many are there, those that no event holds any more are forgotten.
    full: usize,
}

impl Cells {
    fn get(&self, id: &str) -> Option<Arc<ContainerCell>> {
        self.by_id.get(id).and_then(Weak::upgrade)
    }

    fn insert(&mut self, cell: &Arc<ContainerCell>) {
        if self.by_id.len() >= self.full {
            self.by_id.retain(|_, cell| cell.strong_count() > 0);
            // So that looking through all of them stays rare, and the dead are never more than the living.
            self.full = (self.by_id.len() * 2).clamp(MINIMUM, MAXIMUM);
        }
        if self.by_id.len() < MAXIMUM {
            self.by_id
                .insert(cell.identity.full_id.clone(), Arc::downgrade(cell));
        }
    }
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

/// How many containers may be known by identifier before those of the past are looked for.
const MINIMUM: usize = 512;
/// The most containers that are known by identifier.
const MAXIMUM: usize = 1 << 16;

impl Containers {
    /// Knows only what it is told; for replays and tests.
    #[must_use]
    pub fn offline() -> Self {
        Self {
            shared: Arc::default(),
            lookups: None,
        }
    }

    /// Looks containers up in threads of its own, which end with the last copy.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn start(options: ContainerOptions) -> std::io::Result<Self> {
        let shared: Arc<Shared> = Arc::default();
        let lookups = Lookups::start(options, Arc::clone(&shared))?;
        Ok(Self {
            shared,
            lookups: Some(Arc::new(lookups)),
        })
    }

    /// The cell of a container; the first time, its facts are asked for.
    #[must_use]
    pub fn get(&self, identity: &Identity) -> Arc<ContainerCell> {
        let mut cells = self.shared.cells.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(cell) = cells.get(&identity.full_id) {
            return cell;
        }
        let cell = Arc::new(ContainerCell::new(identity.clone()));
        cells.insert(&cell);
        drop(cells);
        let mut given = self.shared.given.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(info) = given.remove(&identity.full_id) {
            cell.finish(Some(info), drop);
            return cell;
        }
        drop(given);
        let Some(lookups) = &self.lookups else {
            cell.finish(None, drop);
            return cell;
        };
        if !lookups.want(&cell) {
            self.shared.dropped.fetch_add(1, Ordering::Relaxed);
            cell.finish(None, drop);
        }
        cell
    }

    /// The container that a control group belongs to. Beside what the path says, names below the folders of `runc` and
    /// containerd count, since plain `runc` and `ctr` give groups any name.
    #[must_use]
    pub fn of_path(&self, path: &[u8]) -> Option<Arc<ContainerCell>> {
        if let Some(identity) = identify(path) {
            return Some(self.get(&identity));
        }
        let root = self.lookups.as_ref()?.root();
        let identity = files::plain_runc(root, path).or_else(|| files::plain_containerd(root, path))?;
        Some(self.get(&identity))
    }

    /// Says what is known of a container, as a capture or a test does.
    pub fn insert(&self, info: ContainerInfo) {
        let cell = {
            let cells = self.shared.cells.lock().unwrap_or_else(PoisonError::into_inner);
            cells.get(&info.full_id)
        };
        match cell {
            Some(cell) if cell.info().is_none() => {
                cell.finish(Some(info), drop);
            }
            Some(_) => {}
            None => {
                let mut given = self.shared.given.lock().unwrap_or_else(PoisonError::into_inner);
                if given.len() < MAXIMUM {
                    given.insert(info.full_id.clone(), info);
                }
            }
        }
    }

    /// All containers that events hold now, whose facts are known and for which the search has ended.
    #[must_use]
    pub fn known(&self) -> Vec<ContainerInfo> {
        let cells = self.shared.cells.lock().unwrap_or_else(PoisonError::into_inner);
        let cells = cells.by_id.values().filter_map(Weak::upgrade);
        let settled = cells.filter(|cell| cell.is_settled());
        settled.filter_map(|cell| cell.info().cloned()).collect()
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

#[cfg(test)]
mod tests;
