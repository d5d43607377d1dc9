//! The threads that gather what is known of containers.
//!
//! One reads the runtimes' files, which never waits for a daemon; others ask the runtimes' sockets. So a daemon that hangs
//! delays only what it alone knows. What the files say is there for rules at once, what a daemon adds comes after.

use super::calls::{CallError, Said};
use super::{ContainerCell, ContainerInfo, ContainerOptions, Identity, Runtime, Shared};
use super::{api, containerd, cri, files};
use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

/// How long a socket that did not answer is left alone.
const SILENCE: Duration = Duration::from_secs(10);

/// A container that is looked up.
#[derive(Debug)]
struct Job {
    cell: Weak<ContainerCell>,
    /// How many times it was tried already.
    tried: usize,
    /// What files said last.
    files: Option<Box<ContainerInfo>>,
    /// Holds one of the places of which there are only so many.
    _place: Place,
}

impl Job {
    fn is_complete(&self) -> bool {
        self.files.as_ref().is_some_and(|files| files.is_complete())
    }
}

#[derive(Debug)]
struct Place(Arc<AtomicUsize>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Jobs in the order of when they are due.
#[derive(Debug, Default)]
struct Line {
    state: Mutex<LineState>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct LineState {
    closed: bool,
    next: u64,
    waiting: BTreeMap<(Instant, u64), Job>,
}

impl Line {
    fn push(&self, due: Instant, job: Job) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.closed {
            return;
        }
        let number = state.next;
        state.next += 1;
        state.waiting.insert((due, number), job);
        drop(state);
        self.changed.notify_one();
    }

    /// The next job, when it is due; `None` after the line was closed.
    fn take(&self) -> Option<Job> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if state.closed {
                return None;
            }
            let now = Instant::now();
            let due = state.waiting.first_key_value().map(|((due, _), _)| *due);
            state = match due {
                Some(due) if due <= now => return state.waiting.pop_first().map(|(_, job)| job),
                Some(due) => {
                    let waited = self.changed.wait_timeout(state, due - now);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    fn close(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.closed = true;
        state.waiting.clear();
        drop(state);
        self.changed.notify_all();
    }
}

/// The threads; they end when this is dropped.
#[derive(Debug)]
pub(super) struct Lookups {
    work: Arc<Work>,
}

impl Drop for Lookups {
    fn drop(&mut self) {
        self.work.files.close();
        self.work.sockets.close();
    }
}

impl Lookups {
    pub(super) fn start(options: ContainerOptions, shared: Arc<Shared>) -> io::Result<Self> {
        let threads = options.threads.max(1);
        let work = Arc::new(Work {
            options,
            shared,
            places: Arc::default(),
            files: Line::default(),
            sockets: Line::default(),
            silent: Mutex::default(),
        });
        // Ends the threads that started already if another one cannot be.
        let lookups = Self { work };
        let work = Arc::clone(&lookups.work);
        thread::Builder::new()
            .name("container-files".to_owned())
            .spawn(move || work.read_files())?;
        for number in 0..threads {
            let work = Arc::clone(&lookups.work);
            thread::Builder::new()
                .name(format!("container-api-{number}"))
                .spawn(move || work.ask_sockets())?;
        }
        Ok(lookups)
    }

    pub(super) fn root(&self) -> &Path {
        &self.work.options.root
    }

    /// How many containers are looked up.
    #[cfg(test)]
    pub(super) fn places(&self) -> usize {
        self.work.places.load(Ordering::Relaxed)
    }

    /// Has a container looked up; says whether there was a place for it.
    pub(super) fn want(&self, cell: &Arc<ContainerCell>) -> bool {
        let places = &self.work.places;
        let place = Place(Arc::clone(places));
        if places.fetch_add(1, Ordering::Relaxed) >= self.work.options.queue {
            return false;
        }
        let job = Job {
            cell: Arc::downgrade(cell),
            tried: 0,
            files: None,
            _place: place,
        };
        self.work.files.push(Instant::now(), job);
        true
    }
}

#[derive(Debug)]
struct Work {
    options: ContainerOptions,
    shared: Arc<Shared>,
    places: Arc<AtomicUsize>,
    files: Line,
    sockets: Line,
    /// Sockets that did not answer, and until when they are left alone.
    silent: Mutex<HashMap<PathBuf, Instant>>,
}

impl Work {
    fn read_files(&self) {
        while let Some(mut job) = self.files.take() {
            // Nobody may be interested any more: then the container was short-lived.
            let Some(cell) = job.cell.upgrade() else {
                self.shared.missing.fetch_add(1, Ordering::Relaxed);
                continue;
            };
            let info = files::read(&self.options.root, cell.identity());
            // Files that were there and are no more: the container was deleted meanwhile. Of some there are none ever.
            let gone = info.is_none() && (job.files.is_some() || !files::tell_of(cell.identity().runtime));
            if let Some(info) = info {
                cell.publish(&info);
                job.files = Some(Box::new(info));
            }
            if gone || (job.files.is_some() && !self.asks(cell.identity(), job.is_complete())) {
                self.finish(job, &cell);
            } else if self.asks(cell.identity(), job.is_complete()) {
                self.sockets.push(Instant::now(), job);
            } else {
                self.retry(job, &cell);
            }
        }
    }

    fn ask_sockets(&self) {
        while let Some(mut job) = self.sockets.take() {
            let Some(cell) = job.cell.upgrade() else {
                self.shared.missing.fetch_add(1, Ordering::Relaxed);
                continue;
            };
            match self.ask(cell.identity()) {
                Said::Known(info) => {
                    let mut known = match job.files.take() {
                        Some(files) => ContainerInfo {
                            // The name of a control group does not always tell it.
                            runtime: files.runtime,
                            ..info.or(*files)
                        },
                        None => *info,
                    };
                    files::take_service_account(&self.options.root, &mut known);
                    self.shared.finish(&cell, Some(known));
                }
                // Nobody will say more than the files did.
                Said::Nothing if job.is_complete() => self.finish(job, &cell),
                Said::Silent => self.ask_later(job, &cell),
                Said::NotKnown | Said::Nothing => self.retry(job, &cell),
            }
        }
    }

    /// Ends with what the files said.
    fn finish(&self, job: Job, cell: &ContainerCell) {
        self.shared.finish(cell, job.files.map(|files| *files));
    }

    /// Tries again in a moment, unless that was done often enough.
    fn retry(&self, mut job: Job, cell: &ContainerCell) {
        job.tried += 1;
        match self.options.attempts.get(job.tried) {
            Some(wait) => self.files.push(Instant::now() + *wait, job),
            None => self.finish(job, cell),
        }
    }

    /// Events wait no longer for a daemon that hangs; what it says when it is back counts for those that come then.
    fn ask_later(&self, mut job: Job, cell: &ContainerCell) {
        self.shared.finish(cell, None);
        job.tried += 1;
        if job.tried < self.options.attempts.len() {
            self.sockets.push(Instant::now() + SILENCE, job);
        }
    }

    /// Whether sockets can tell more than files did.
    fn asks(&self, identity: &Identity, complete: bool) -> bool {
        let docker = !self.options.sockets.is_empty() && identity.runtime.speaks_docker();
        let grpc = self.options.grpc.is_some() && !self.options.cri_sockets.is_empty();
        match identity.runtime {
            // Its files are those that the daemon itself reads.
            Runtime::Docker => (docker && !complete) || (grpc && identity.pod.is_some()),
            Runtime::Podman => docker,
            Runtime::Containerd | Runtime::Crio => grpc,
            Runtime::Runc | Runtime::Buildkit | Runtime::Lxc => false,
        }
    }

    fn ask(&self, identity: &Identity) -> Said {
        // Of pods, the interface of Kubernetes tells more.
        if identity.pod.is_some() {
            first(self.ask_cri(identity), || self.ask_docker(identity))
        } else {
            first(self.ask_docker(identity), || self.ask_cri(identity))
        }
    }

    fn ask_docker(&self, identity: &Identity) -> Said {
        if !identity.runtime.speaks_docker() {
            return Said::Nothing;
        }
        let own = identity.owner.into_iter().flat_map(|owner| {
            let names = ["podman/podman.sock", "docker.sock"];
            names.map(|name| PathBuf::from(format!("run/user/{owner}/{name}")))
        });
        let sockets = own.chain(self.options.sockets.iter().cloned());
        sockets.fold(Said::Nothing, |said, socket| {
            first(said, || {
                self.bounded(&socket, |socket, deadline| {
                    api::inspect(socket, identity, deadline)
                })
            })
        })
    }

    fn ask_cri(&self, identity: &Identity) -> Said {
        match identity.runtime {
            Runtime::Containerd | Runtime::Crio => {}
            Runtime::Docker if identity.pod.is_some() => {}
            _ => return Said::Nothing,
        }
        self.options
            .cri_sockets
            .iter()
            .fold(Said::Nothing, |said, socket| {
                first(said, || {
                    self.bounded(socket, |socket, deadline| {
                        self.ask_grpc(socket, identity, deadline)
                    })
                })
            })
    }

    fn ask_grpc(&self, socket: &Path, identity: &Identity, deadline: Instant) -> Said {
        let Some(grpc) = &self.options.grpc else {
            return Said::Nothing;
        };
        if !socket.exists() {
            return Said::Nothing;
        }
        let Ok(mut calls) = grpc.connect(socket, deadline) else {
            return Said::Nothing;
        };
        let mut answer = cri::inspect(&mut *calls, identity);
        // containerd may run without the interface for Kubernetes, and has containers that Kubernetes knows nothing of.
        if answer.is_err() && identity.runtime == Runtime::Containerd {
            let namespaces = files::containerd_namespaces(&self.options.root);
            let own = containerd::inspect(&mut *calls, identity, &namespaces);
            if own.is_ok() || answer == Err(CallError::Failed) {
                answer = own;
            }
        }
        match answer {
            Ok(info) => Said::Known(Box::new(info)),
            Err(CallError::NotFound) => Said::NotKnown,
            Err(CallError::Failed) => Said::Nothing,
        }
    }

    /// Asks a socket, unless it was silent just now.
    fn bounded(&self, socket: &Path, ask: impl FnOnce(&Path, Instant) -> Said) -> Said {
        let socket = self.options.root.join(socket);
        let now = Instant::now();
        let silent = {
            let silent = self.silent.lock().unwrap_or_else(PoisonError::into_inner);
            silent.get(&socket).is_some_and(|until| *until > now)
        };
        if silent {
            return Said::Silent;
        }
        let deadline = now + self.options.timeout;
        let said = ask(&socket, deadline);
        let hangs = match said {
            Said::Known(_) | Said::NotKnown => false,
            Said::Silent => true,
            Said::Nothing => Instant::now() >= deadline,
        };
        let mut silent = self.silent.lock().unwrap_or_else(PoisonError::into_inner);
        if hangs {
            silent.insert(socket, Instant::now() + SILENCE);
            return Said::Silent;
        }
        silent.remove(&socket);
        said
    }
}

/// What two daemons say, put together: what is known counts, then that a daemon must be asked again.
fn first(one: Said, other: impl FnOnce() -> Said) -> Said {
    if let Said::Known(_) = one {
        return one;
    }
    match (one, other()) {
        (_, known @ Said::Known(_)) => known,
        (Said::Silent, _) | (_, Said::Silent) => Said::Silent,
        (Said::NotKnown, _) | (_, Said::NotKnown) => Said::NotKnown,
        (_, Said::Nothing) => Said::Nothing,
    }
}
