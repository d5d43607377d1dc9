//! Events that arrive as JSON, read on threads of their own beside whatever else is watched: files, folders, growing files,
//! and the webhook of a Kubernetes API server.

use super::event::Event;
use crate::Failure;
use crate::arguments::Watch;
use crate::console::Console;
use anyhow::{Context as _, anyhow};
use model::Problem;
use sensor::json::files::Follower;
use sensor::json::sources::{self, Source};
use sensor::json::{Fieldless, Intake, JsonEvent, Surroundings};
use server::{AuditReceiver, AuditSettings, TlsFiles};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, sync_channel};
use std::time::Duration;

/// Events that travel at once.
const BATCH: usize = 128;
/// Batches that wait; then files are not read on, and the API server is told to send again.
const QUEUE: usize = 64;
/// Batches that are taken before the kernel is looked at again.
const TURN: usize = 32;
/// Bodies of audit events that wait; when there are more, the API server is told to send again.
const BODIES: usize = 64;
/// The largest body of audit events.
const MAX_BODY: usize = 16 << 20;
/// How long a growing file is left alone.
const PAUSE: Duration = Duration::from_millis(50);
/// Problems of a source that are told one by one.
const TOLD: u64 = 20;

/// Where JSON events come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EventFile {
    source: &'static str,
    path: PathBuf,
}

impl EventFile {
    /// Understands `FILE` and `SOURCE=FILE`; `usual` is the source of the former.
    ///
    /// # Errors
    /// When `usual` is no source.
    pub(crate) fn parse(text: &Path, usual: &str) -> Result<Self, Failure> {
        let prefixed = text.to_str().and_then(|text| {
            let (name, path) = text.split_once('=')?;
            Some((sources::find(name)?, path))
        });
        if let Some((source, path)) = prefixed {
            return Ok(Self {
                source: source.name(),
                path: PathBuf::from(path),
            });
        }
        let source = sources::find(usual).ok_or_else(|| {
            let names: Vec<&str> = sources::ALL.iter().map(|source| source.name()).collect();
            Failure::usage(anyhow!(
                "`{usual}` is no source of JSON events: expected one of {}",
                names.join(", ")
            ))
        })?;
        Ok(Self {
            source: source.name(),
            path: text.to_owned(),
        })
    }
}

enum Fed {
    Events(Vec<JsonEvent>),
    Problem(&'static str, Problem),
    /// So many more events of a source that lack something, and so have none of its fields.
    Fieldless(&'static str, Fieldless),
}

/// All sources of JSON events that are read.
pub(crate) struct Feeds {
    fed: Option<Receiver<Fed>>,
    /// Problems by source.
    problems: BTreeMap<&'static str, u64>,
    /// Events without fields by source.
    fieldless: BTreeMap<&'static str, u64>,
    stop: Arc<AtomicBool>,
}

impl Feeds {
    /// Opens what the options name and begins to read.
    ///
    /// # Errors
    /// When a file is not there, the address of the webhook cannot be listened on, or a thread cannot be started.
    pub(crate) fn start(
        files: &[EventFile],
        webhook: Option<SocketAddr>,
        options: &Watch,
        hostname: &str,
        console: &Console,
    ) -> Result<Self, Failure> {
        let stop = Arc::new(AtomicBool::new(false));
        let (sender, fed) = sync_channel(QUEUE);
        let feeds = Self {
            fed: Some(fed),
            problems: BTreeMap::new(),
            fieldless: BTreeMap::new(),
            stop: Arc::clone(&stop),
        };
        for file in files {
            // A log that is followed may begin later.
            if !options.follow && !file.path.exists() {
                return Err(Failure::unreadable(anyhow!(
                    "`{}` not found",
                    file.path.display()
                )));
            }
            let (intake, name) = intake(file.source, hostname)?;
            let (path, follow) = (file.path.clone(), options.follow);
            let feeder = Feeder::new(name, &sender, &stop);
            spawn("events", move || feeder.read(intake, &path, follow))?;
        }
        if let Some(address) = webhook {
            let (intake, name) = intake("k8s_audit", hostname)?;
            let tls = match (&options.tls_certificate, &options.tls_key) {
                (Some(certificate), Some(key)) => Some(TlsFiles {
                    certificate: certificate.clone(),
                    key: key.clone(),
                    client_ca: options.tls_client_ca.clone(),
                }),
                _ => None,
            };
            let settings = AuditSettings {
                listen: address,
                tls,
                max_body: MAX_BODY,
            };
            let (bodies, posted) = sync_channel(BODIES);
            let receiver = AuditReceiver::start(&settings, bodies).map_err(Failure::usage)?;
            console.note(&format!(
                "watching Kubernetes audit events at {}",
                receiver.address()
            ));
            let feeder = Feeder::new(name, &sender, &stop);
            spawn("webhook", move || {
                feeder.receive(intake, &posted);
                drop(receiver);
            })?;
        }
        Ok(feeds)
    }

    /// Waits for something at most so long and takes it; false once nothing can come any more.
    pub(crate) fn wait(&mut self, timeout: Duration, console: &Console, each: &mut dyn FnMut(Event)) -> bool {
        let Some(fed) = &self.fed else { return false };
        match fed.recv_timeout(timeout) {
            Ok(fed) => self.take(fed, console, each),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return false,
        }
        true
    }

    /// Takes some of what is there.
    pub(crate) fn take_some(&mut self, console: &Console, each: &mut dyn FnMut(Event)) {
        for _ in 0..TURN {
            let Some(fed) = &self.fed else { return };
            match fed.try_recv() {
                Ok(fed) => self.take(fed, console, each),
                Err(TryRecvError::Empty) => return,
                Err(TryRecvError::Disconnected) => {
                    self.fed = None;
                    return;
                }
            }
        }
    }

    fn take(&mut self, fed: Fed, console: &Console, each: &mut dyn FnMut(Event)) {
        match fed {
            Fed::Events(events) => {
                for event in events {
                    each(Event::Json(Box::new(event)));
                }
            }
            Fed::Problem(source, problem) => {
                let count = self.problems.entry(source).or_default();
                *count += 1;
                if *count <= TOLD {
                    console.note(&problem.to_string());
                }
                if *count == TOLD {
                    console.note(&format!("further problems of {source} events are only counted"));
                }
            }
            Fed::Fieldless(source, more) => {
                let count = self.fieldless.entry(source).or_default();
                if *count == 0
                    && let Some(lacked) = more.lacked
                {
                    console.note(&format!(
                        "an event of {source} has no `{lacked}`, and so none of the fields of its source: rules over them cannot \
                         match it; further ones are only counted"
                    ));
                }
                *count += more.count;
            }
        }
    }

    /// Ends reading and tells what was only counted.
    pub(crate) fn finish(mut self, console: &Console) {
        self.stop.store(true, Ordering::Relaxed);
        // A thread that waits for room ends by this.
        self.fed = None;
        for (source, count) in self.problems {
            if count > TOLD {
                console.note(&format!("{count} problems of {source} events in all"));
            }
        }
        for (source, count) in self.fieldless {
            console.note(&format!(
                "{count} events of {source} had none of the fields of their source"
            ));
        }
    }
}

fn intake(name: &str, hostname: &str) -> Result<(Intake, &'static str), Failure> {
    let source: &'static dyn Source =
        sources::find(name).ok_or_else(|| Failure::internal(anyhow!("there is no source `{name}`")))?;
    let surroundings = Surroundings {
        hostname: hostname.to_owned(),
        ..Surroundings::default()
    };
    Ok((Intake::new(source, surroundings), source.name()))
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<(), Failure> {
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(work)
        .map(drop)
        .context("the thread that reads events cannot be started")
        .map_err(Failure::internal)
}

/// What a thread that reads needs.
struct Feeder {
    source: &'static str,
    sender: SyncSender<Fed>,
    stop: Arc<AtomicBool>,
}

impl Feeder {
    fn new(source: &'static str, sender: &SyncSender<Fed>, stop: &Arc<AtomicBool>) -> Self {
        Self {
            source,
            sender: sender.clone(),
            stop: Arc::clone(stop),
        }
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Sends a batch; nobody may be there any more.
    fn send(&self, events: &mut Vec<JsonEvent>) {
        if !events.is_empty() && self.sender.send(Fed::Events(std::mem::take(events))).is_err() {
            self.stop.store(true, Ordering::Relaxed);
        }
    }

    fn hand_over(&self, event: Result<JsonEvent, Problem>, events: &mut Vec<JsonEvent>) {
        match event {
            Ok(event) => {
                events.push(event);
                if events.len() >= BATCH {
                    self.send(events);
                }
            }
            Err(problem) => {
                // What was read before is told before.
                self.send(events);
                let _ = self.sender.send(Fed::Problem(self.source, problem));
            }
        }
    }

    /// Tells of events without fields, once those are sent that came since the last time.
    fn tell(&self, intake: &Intake, told: &mut u64) {
        let fieldless = intake.fieldless();
        if fieldless.count > *told {
            let more = Fieldless {
                count: fieldless.count - *told,
                ..fieldless
            };
            *told = fieldless.count;
            let _ = self.sender.send(Fed::Fieldless(self.source, more));
        }
    }

    fn read(&self, mut intake: Intake, path: &Path, follow: bool) {
        let mut events = Vec::new();
        let mut told = 0;
        let mut follower = follow.then(|| Follower::new(path, false));
        loop {
            let mut sink = |event| self.hand_over(event, &mut events);
            let more = match &mut follower {
                Some(follower) => follower.poll(&mut intake, super::now(), &mut sink),
                None => {
                    sensor::json::files::read_path(path, &mut intake, super::now(), &mut sink);
                    false
                }
            };
            self.send(&mut events);
            self.tell(&intake, &mut told);
            if self.stopped() || follower.is_none() {
                return;
            }
            if !more {
                std::thread::sleep(PAUSE);
            }
        }
    }

    fn receive(&self, mut intake: Intake, posted: &Receiver<String>) {
        let mut events = Vec::new();
        let mut told = 0;
        while !self.stopped() {
            match posted.recv_timeout(PAUSE) {
                Ok(body) => {
                    for event in intake.take(&body, super::now()) {
                        self.hand_over(event, &mut events);
                    }
                    self.send(&mut events);
                    self.tell(&intake, &mut told);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_may_stand_before_a_file() {
        for (text, usual, expected) in [
            ("audit.log", "k8s_audit", ("k8s_audit", "audit.log")),
            ("okta=log", "k8s_audit", ("okta", "log")),
            ("okta=a=b", "json", ("okta", "a=b")),
            ("day=1.log", "github", ("github", "day=1.log")),
        ] {
            let file = EventFile::parse(Path::new(text), usual).ok().unwrap();
            assert_eq!((file.source, file.path.to_str().unwrap()), expected);
        }
        assert!(EventFile::parse(Path::new("x"), "k8s-audit").is_err());
    }
}
