//! Alerts on their way out: each destination has its own thread behind a bounded queue, so that none waits for another and
//! detection waits for none.

use crate::destination::{Destination, OutputSettings};
use crate::metrics::{Exposition, MetricsSource};
use crate::notifiers::{self, Notifier, Plan, SendError};
use crate::spool::Spool;
use model::event::{Alert, Priority};
use report::alerts::AlertOptions;
use std::collections::hash_map::RandomState;
use std::collections::{BTreeMap, VecDeque};
use std::hash::{BuildHasher, Hasher};
use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// A destination cannot be opened.
#[derive(Debug, thiserror::Error)]
#[error("destination `{destination}`: {reason}")]
pub struct OutputError {
    /// Its name.
    pub destination: String,
    /// What is wrong.
    pub reason: String,
}

/// What became of the alerts of one destination.
#[derive(Debug, Default)]
pub struct OutputCounts {
    /// Delivered.
    pub sent: AtomicU64,
    /// Refused by the receiver for good, or given up after the last attempt.
    pub failed: AtomicU64,
    /// Lost because the queue or the spool was full, or the spool could not be written.
    pub dropped: AtomicU64,
    /// Deliveries that were tried again.
    pub retried: AtomicU64,
    /// Waiting in memory.
    pub queued: AtomicU64,
    /// Waiting on disk.
    pub spooled: AtomicU64,
    /// Bytes on disk.
    pub spooled_bytes: AtomicU64,
    last_error: Mutex<Option<String>>,
}

impl OutputCounts {
    /// What went wrong last.
    #[must_use]
    pub fn last_error(&self) -> Option<String> {
        lock(&self.last_error).clone()
    }

    fn error(&self, message: String) {
        *lock(&self.last_error) = Some(message);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// All destinations.
pub struct Outputs {
    outputs: Vec<Output>,
}

struct Output {
    name: String,
    priority: Priority,
    queue: Arc<Queue>,
    counts: Arc<OutputCounts>,
    thread: Option<JoinHandle<()>>,
}

impl Outputs {
    /// Opens all destinations and starts their threads. `stdout` makes the writer for standard output, which is asked for by
    /// each destination that writes there.
    ///
    /// # Errors
    /// When a destination cannot be understood or opened (a file that cannot be written, a damaged certificate). That a
    /// receiver does not answer is no error: it may come back.
    pub fn start(
        settings: &[OutputSettings],
        stdout: &dyn Fn() -> Box<dyn Write + Send>,
    ) -> Result<Self, OutputError> {
        let mut all = Self { outputs: Vec::new() };
        let mut names: BTreeMap<String, usize> = BTreeMap::new();
        for settings in settings {
            let (destination, priority) = settings.resolve().map_err(|error| OutputError {
                destination: settings.to.clone(),
                reason: error.to_string(),
            })?;
            let mut name = destination.name();
            // Two destinations may be the same host.
            let same = names.entry(name.clone()).or_default();
            *same += 1;
            if *same > 1 {
                name.push_str(&format!("#{same}"));
            }
            all.outputs
                .push(Output::start(name, &destination, priority, settings, stdout)?);
        }
        Ok(all)
    }

    /// Gives an alert to every destination that takes its priority. Never waits: a full queue drops it, counted.
    pub fn send(&self, alert: &Arc<Alert>) {
        for output in &self.outputs {
            if alert.priority <= output.priority {
                output.queue.push(Arc::clone(alert), &output.counts);
            }
        }
    }

    /// Opens files anew, after something else rotated them.
    pub fn reopen(&self) {
        for output in &self.outputs {
            output.queue.signal(|state| state.reopen = true);
        }
    }

    /// The names of the destinations with their counts.
    #[must_use]
    pub fn counts(&self) -> Vec<(String, Arc<OutputCounts>)> {
        self.outputs
            .iter()
            .map(|output| (output.name.clone(), Arc::clone(&output.counts)))
            .collect()
    }

    /// The counts as metrics.
    #[must_use]
    pub fn metrics(&self) -> Arc<dyn MetricsSource> {
        Arc::new(OutputMetrics(self.counts()))
    }

    /// Delivers what waits, for at most `patience`; what is left goes to the spool or is counted as dropped.
    pub fn stop(mut self, patience: Duration) {
        let deadline = Instant::now() + patience;
        for output in &self.outputs {
            output.queue.signal(|state| state.stop = Some(deadline));
        }
        for output in &mut self.outputs {
            if let Some(thread) = output.thread.take() {
                let _ = thread.join();
            }
        }
    }
}

impl Drop for Outputs {
    fn drop(&mut self) {
        let now = Instant::now();
        for output in self.outputs.iter().filter(|output| output.thread.is_some()) {
            output.queue.signal(|state| state.stop = Some(now));
        }
    }
}

impl Output {
    fn start(
        name: String,
        destination: &Destination,
        priority: Priority,
        settings: &OutputSettings,
        stdout: &dyn Fn() -> Box<dyn Write + Send>,
    ) -> Result<Self, OutputError> {
        let fail = |reason: String| OutputError {
            destination: name.clone(),
            reason,
        };
        let plan = Plan {
            destination: destination.clone(),
            settings: settings.clone(),
            options: AlertOptions {
                iso_8601: settings.iso_8601,
                local_time: settings.local_time,
                syslog_facility: settings.facility,
                process: std::process::id(),
            },
        };
        let notifier = notifiers::open(plan, stdout).map_err(fail)?;
        let spool = match &settings.spool {
            Some(spool) => Some(
                Spool::open(&spool.directory, spool.max_mib.saturating_mul(1024 * 1024))
                    .map_err(|error| fail(error.to_string()))?,
            ),
            None => None,
        };
        let counts = Arc::new(OutputCounts::default());
        let queue = Arc::new(Queue::new(settings.queue));
        let mut courier = Courier {
            notifier,
            spool,
            pending: None,
            failures: 0,
            attempts: settings.attempts,
            first_wait: Duration::from_millis(settings.retry_milliseconds.max(1)),
            next: None,
            counts: Arc::clone(&counts),
        };
        courier.count_spool();
        let taken = Arc::clone(&queue);
        let thread = std::thread::Builder::new()
            .name("output".to_owned())
            .spawn(move || courier.run(&taken))
            .map_err(|error| fail(format!("cannot start its thread: {error}")))?;
        Ok(Self {
            name,
            priority,
            queue,
            counts,
            thread: Some(thread),
        })
    }
}

struct OutputMetrics(Vec<(String, Arc<OutputCounts>)>);

impl MetricsSource for OutputMetrics {
    #[allow(clippy::cast_precision_loss, reason = "gauges are floats")]
    fn collect(&self, out: &mut Exposition) {
        for (name, counts) in &self.0 {
            for (outcome, count) in [
                ("sent", &counts.sent),
                ("failed", &counts.failed),
                ("dropped", &counts.dropped),
            ] {
                out.counter(
                    "hullward_output_alerts_total",
                    "Alerts by destination and what became of them.",
                    &[("output", name), ("outcome", outcome)],
                    count.load(Ordering::Relaxed),
                );
            }
            let label = [("output", name.as_str())];
            out.counter(
                "hullward_output_retries_total",
                "Deliveries that were tried again.",
                &label,
                counts.retried.load(Ordering::Relaxed),
            );
            for (metric, help, gauge) in [
                (
                    "hullward_output_queued_alerts",
                    "Alerts that wait in memory.",
                    &counts.queued,
                ),
                (
                    "hullward_output_spooled_alerts",
                    "Alerts that wait on disk.",
                    &counts.spooled,
                ),
                (
                    "hullward_output_spooled_bytes",
                    "Bytes of the spool.",
                    &counts.spooled_bytes,
                ),
            ] {
                out.gauge(metric, help, &label, gauge.load(Ordering::Relaxed) as f64);
            }
        }
    }
}

/// Alerts for one destination.
struct Queue {
    capacity: usize,
    state: Mutex<QueueState>,
    changed: Condvar,
}

#[derive(Default)]
struct QueueState {
    alerts: VecDeque<Arc<Alert>>,
    reopen: bool,
    /// Until when there is time to deliver what is left.
    stop: Option<Instant>,
    /// The thread knows of `stop`.
    stop_told: bool,
}

/// What a thread has to do next.
struct Turn {
    alerts: Vec<Arc<Alert>>,
    reopen: bool,
    stop: Option<Instant>,
}

impl Queue {
    fn new(capacity: usize) -> Self {
        Self {
            capacity,
            state: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    fn push(&self, alert: Arc<Alert>, counts: &OutputCounts) {
        let mut state = lock(&self.state);
        if state.alerts.len() >= self.capacity {
            counts.dropped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        state.alerts.push_back(alert);
        counts.queued.fetch_add(1, Ordering::Relaxed);
        drop(state);
        self.changed.notify_one();
    }

    fn signal(&self, change: impl FnOnce(&mut QueueState)) {
        change(&mut lock(&self.state));
        self.changed.notify_one();
    }

    /// Waits until there is something to do, at most until `until`. Takes up to `most` alerts.
    fn next(&self, most: usize, until: Option<Instant>) -> Turn {
        let mut state = lock(&self.state);
        loop {
            let has_alerts = most > 0 && !state.alerts.is_empty();
            // Once stopping, what waits is waited for until the deadline and no longer.
            let until = match (until, state.stop) {
                (Some(until), Some(deadline)) => Some(until.min(deadline)),
                (None, Some(_)) => Some(Instant::now()),
                (until, None) => until,
            };
            let is_time = until.is_some_and(|until| Instant::now() >= until);
            let stops = state.stop.is_some() && !state.stop_told;
            if has_alerts || is_time || state.reopen || stops {
                state.stop_told = state.stop.is_some();
                let count = most.min(state.alerts.len());
                return Turn {
                    alerts: state.alerts.drain(..count).collect(),
                    reopen: std::mem::take(&mut state.reopen),
                    stop: state.stop,
                };
            }
            state = match until {
                Some(until) => {
                    let wait = until.saturating_duration_since(Instant::now());
                    self.changed
                        .wait_timeout(state, wait)
                        .unwrap_or_else(PoisonError::into_inner)
                        .0
                }
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    fn is_empty(&self) -> bool {
        lock(&self.state).alerts.is_empty()
    }

    fn drain(&self) -> Vec<Arc<Alert>> {
        lock(&self.state).alerts.drain(..).collect()
    }
}

/// A message as the receiver takes it.
struct Message {
    body: Vec<u8>,
    alerts: u64,
}

/// Delivers the alerts of one destination, again if need be.
struct Courier {
    notifier: Box<dyn Notifier>,
    spool: Option<Spool>,
    /// What is being delivered from memory.
    pending: Option<Message>,
    /// How often in a row the present delivery failed.
    failures: u32,
    attempts: u32,
    first_wait: Duration,
    /// Not to be tried before.
    next: Option<Instant>,
    counts: Arc<OutputCounts>,
}

/// The longest wait between two attempts.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// How many messages of the spool are delivered before new alerts are looked at.
const TURN: usize = 64;

impl Courier {
    fn run(&mut self, queue: &Queue) {
        loop {
            let most = if self.takes_more() {
                self.notifier.batch()
            } else {
                0
            };
            let turn = queue.next(most, self.wake());
            if turn.reopen
                && let Err(error) = self.notifier.reopen()
            {
                self.counts.error(error.message);
            }
            if !turn.alerts.is_empty() {
                self.accept(&turn.alerts);
            }
            self.deliver(Instant::now());
            if let Some(deadline) = turn.stop {
                let is_done = self.pending.is_none() && queue.is_empty() && self.spool_rests();
                if is_done || Instant::now() >= deadline {
                    self.finish(&queue.drain());
                    return;
                }
            }
        }
    }

    /// When to try again; `None` when there is nothing to try.
    fn wake(&self) -> Option<Instant> {
        let waits = self.pending.is_some() || self.spool.as_ref().is_some_and(|spool| !spool.is_empty());
        waits.then(|| self.next.unwrap_or_else(Instant::now))
    }

    /// With a spool there is always room; without one, only after the present delivery.
    fn takes_more(&self) -> bool {
        self.spool.is_some() || self.pending.is_none()
    }

    /// At the end a spool is left as it is when its receiver does not answer.
    fn spool_rests(&self) -> bool {
        self.spool
            .as_ref()
            .is_none_or(|spool| spool.is_empty() || self.failures > 0)
    }

    fn accept(&mut self, alerts: &[Arc<Alert>]) {
        let alerts: Vec<&Alert> = alerts.iter().map(|alert| &**alert).collect();
        let message = Message {
            body: self.notifier.encode(&alerts),
            alerts: alerts.len() as u64,
        };
        // While something waits on disk, what is new waits behind it.
        let waits = self.pending.is_some() || self.spool.as_ref().is_some_and(|spool| !spool.is_empty());
        if waits {
            self.put_aside(&message);
        } else {
            self.pending = Some(message);
        }
    }

    fn put_aside(&mut self, message: &Message) {
        self.counts.queued.fetch_sub(message.alerts, Ordering::Relaxed);
        let written = match &mut self.spool {
            Some(spool) => spool.push(&message.body, message.alerts),
            None => Err(std::io::Error::other("there is no spool")),
        };
        match written {
            Ok(dropped) => {
                self.counts.dropped.fetch_add(dropped, Ordering::Relaxed);
            }
            Err(error) => {
                self.counts.dropped.fetch_add(message.alerts, Ordering::Relaxed);
                self.counts.error(format!("spool: {error}"));
            }
        }
        self.count_spool();
    }

    fn count_spool(&self) {
        if let Some(spool) = &self.spool {
            self.counts.spooled.store(spool.alerts(), Ordering::Relaxed);
            self.counts.spooled_bytes.store(spool.bytes(), Ordering::Relaxed);
        }
    }

    /// Tries what waits, if it is time.
    fn deliver(&mut self, now: Instant) {
        if self.next.is_some_and(|next| now < next) {
            return;
        }
        for _ in 0..TURN {
            if let Some(message) = self.pending.take() {
                match self.notifier.send(&message.body) {
                    Ok(()) => {
                        self.delivered(message.alerts);
                        self.counts.queued.fetch_sub(message.alerts, Ordering::Relaxed);
                    }
                    Err(error) if error.retry && self.spool.is_some() => {
                        self.put_aside(&message);
                        self.wait(now, error);
                        return;
                    }
                    Err(error) if error.retry && self.failures + 1 < self.attempts => {
                        self.pending = Some(message);
                        self.wait(now, error);
                        return;
                    }
                    Err(error) => {
                        self.gave_up(message.alerts, error);
                        self.counts.queued.fetch_sub(message.alerts, Ordering::Relaxed);
                    }
                }
                continue;
            }
            let Some(spool) = &mut self.spool else { return };
            let mut lost = 0;
            let waiting = spool.first(&mut lost);
            self.counts.dropped.fetch_add(lost, Ordering::Relaxed);
            let Some(waiting) = waiting else {
                self.count_spool();
                return;
            };
            match self.notifier.send(&waiting.body) {
                Err(error) if error.retry => {
                    self.wait(now, error);
                    return;
                }
                result => {
                    if let Some(spool) = &mut self.spool {
                        spool.remove_first(&waiting);
                    }
                    self.count_spool();
                    match result {
                        Ok(()) => self.delivered(waiting.alerts),
                        Err(error) => self.gave_up(waiting.alerts, error),
                    }
                }
            }
        }
    }

    fn delivered(&mut self, alerts: u64) {
        self.failures = 0;
        self.next = None;
        self.counts.sent.fetch_add(alerts, Ordering::Relaxed);
    }

    fn gave_up(&mut self, alerts: u64, error: SendError) {
        self.failures = 0;
        self.next = None;
        self.counts.failed.fetch_add(alerts, Ordering::Relaxed);
        self.counts.error(error.message);
    }

    fn wait(&mut self, now: Instant, error: SendError) {
        let wait = error
            .after
            .unwrap_or_else(|| pause(self.first_wait, self.failures))
            .min(LONGEST_WAIT * 5);
        self.failures = self.failures.saturating_add(1);
        self.next = Some(now + wait);
        self.counts.retried.fetch_add(1, Ordering::Relaxed);
        self.counts.error(error.message);
    }

    /// What could not be delivered in time is kept on disk or counted.
    fn finish(&mut self, left: &[Arc<Alert>]) {
        if let Some(message) = self.pending.take() {
            self.put_aside(&message);
        }
        for chunk in left.chunks(self.notifier.batch().max(1)) {
            let alerts: Vec<&Alert> = chunk.iter().map(|alert| &**alert).collect();
            let message = Message {
                body: self.notifier.encode(&alerts),
                alerts: alerts.len() as u64,
            };
            self.put_aside(&message);
        }
    }
}

/// Doubles with each failure, up to a minute; a part is left to chance, so that many agents do not come back at once.
fn pause(first: Duration, failures: u32) -> Duration {
    let longest = first
        .saturating_mul(1_u32.checked_shl(failures.min(16)).unwrap_or(u32::MAX))
        .min(LONGEST_WAIT);
    let chance = RandomState::new().build_hasher().finish() % 256;
    longest.mul_f64(0.75 + 0.25 * (chance as f64 / 256.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A receiver that answers as the test wants, and keeps what it got.
    struct Receiver {
        answers: Arc<Mutex<VecDeque<Result<(), SendError>>>>,
        got: Arc<Mutex<Vec<String>>>,
        batch: usize,
    }

    impl Notifier for Receiver {
        fn batch(&self) -> usize {
            self.batch
        }

        fn encode(&self, alerts: &[&Alert]) -> Vec<u8> {
            let rules: Vec<&str> = alerts.iter().map(|alert| alert.rule.as_str()).collect();
            rules.join(",").into_bytes()
        }

        fn send(&mut self, body: &[u8]) -> Result<(), SendError> {
            let answer = lock(&self.answers).pop_front().unwrap_or(Ok(()));
            if answer.is_ok() {
                lock(&self.got).push(String::from_utf8_lossy(body).into_owned());
            }
            answer
        }
    }

    fn again() -> Result<(), SendError> {
        Err(SendError::again("not now"))
    }

    fn never() -> Result<(), SendError> {
        Err(SendError::never("not ever"))
    }

    fn alert(rule: &str) -> Arc<Alert> {
        Arc::new(Alert {
            time: 1,
            rule: rule.to_owned(),
            priority: Priority::Error,
            source: "syscall".to_owned(),
            tags: Vec::new(),
            hostname: "node".to_owned(),
            output: String::new(),
            fields: Vec::new(),
        })
    }

    struct Bench {
        courier: Courier,
        answers: Arc<Mutex<VecDeque<Result<(), SendError>>>>,
        got: Arc<Mutex<Vec<String>>>,
    }

    fn bench(spool: Option<Spool>, answers: Vec<Result<(), SendError>>) -> Bench {
        let answers = Arc::new(Mutex::new(VecDeque::from(answers)));
        let got = Arc::new(Mutex::new(Vec::new()));
        let courier = Courier {
            notifier: Box::new(Receiver {
                answers: Arc::clone(&answers),
                got: Arc::clone(&got),
                batch: 10,
            }),
            spool,
            pending: None,
            failures: 0,
            attempts: 3,
            first_wait: Duration::from_secs(1),
            next: None,
            counts: Arc::new(OutputCounts::default()),
        };
        Bench {
            courier,
            answers,
            got,
        }
    }

    impl Bench {
        fn accept(&mut self, rules: &[&str]) {
            let alerts: Vec<Arc<Alert>> = rules.iter().map(|rule| alert(rule)).collect();
            self.courier
                .counts
                .queued
                .fetch_add(alerts.len() as u64, Ordering::Relaxed);
            self.courier.accept(&alerts);
        }

        fn got(&self) -> Vec<String> {
            std::mem::take(&mut lock(&self.got))
        }

        fn counts(&self) -> [u64; 5] {
            let counts = &self.courier.counts;
            [
                &counts.sent,
                &counts.failed,
                &counts.dropped,
                &counts.queued,
                &counts.spooled,
            ]
            .map(|count| count.load(Ordering::Relaxed))
        }
    }

    #[test]
    fn without_a_spool_it_tries_again_and_gives_up() {
        let start = Instant::now();
        let mut bench = bench(
            None,
            vec![again(), Ok(()), again(), again(), again(), never(), Ok(())],
        );
        bench.accept(&["a", "b"]);
        assert!(!bench.courier.takes_more());
        bench.courier.deliver(start);
        assert!(bench.got().is_empty());
        // Too early.
        bench.courier.deliver(start + Duration::from_millis(100));
        assert!(bench.got().is_empty());
        bench.courier.deliver(start + Duration::from_secs(2));
        assert_eq!(bench.got(), ["a,b"]);
        assert_eq!(bench.counts(), [2, 0, 0, 0, 0]);
        bench.accept(&["c"]);
        for second in 1..4 {
            bench.courier.deliver(start + Duration::from_secs(second * 100));
        }
        assert_eq!(bench.counts(), [2, 1, 0, 0, 0]);
        assert!(bench.courier.takes_more());
        bench.accept(&["d"]);
        bench.courier.deliver(start + Duration::from_secs(1000));
        assert_eq!(bench.counts(), [2, 2, 0, 0, 0]);
        assert_eq!(bench.courier.counts.last_error().as_deref(), Some("not ever"));
        bench.accept(&["e"]);
        bench.courier.deliver(start + Duration::from_secs(1000));
        assert_eq!(bench.got(), ["e"]);
        assert!(lock(&bench.answers).is_empty());
    }

    #[test]
    fn with_a_spool_nothing_is_lost_and_order_is_kept() {
        let folder = tempfile::tempdir().expect("folder");
        let start = Instant::now();
        let spool = Spool::open(folder.path(), 1 << 20).expect("spool");
        let mut first = bench(Some(spool), vec![again(), again()]);
        first.accept(&["a"]);
        first.courier.deliver(start);
        first.accept(&["b", "c"]);
        assert!(first.courier.takes_more());
        first.courier.deliver(start + Duration::from_secs(5));
        assert!(first.got().is_empty());
        assert_eq!(first.counts(), [0, 0, 0, 0, 3]);
        first.courier.finish(&[alert("d")]);
        // A restart.
        drop(first);
        let spool = Spool::open(folder.path(), 1 << 20).expect("spool");
        let mut second = bench(Some(spool), vec![Ok(()), never()]);
        second.accept(&["e"]);
        second.courier.deliver(start);
        assert_eq!(second.got(), ["a", "d", "e"]);
        assert_eq!(second.counts(), [3, 2, 0, 0, 0]);
        assert!(second.courier.spool_rests());
    }

    #[test]
    fn the_receiver_says_when_to_come_back() {
        let start = Instant::now();
        let mut error = SendError::again("busy");
        error.after = Some(Duration::from_secs(30));
        let mut bench = bench(None, vec![Err(error)]);
        bench.accept(&["a"]);
        bench.courier.deliver(start);
        bench.courier.deliver(start + Duration::from_secs(29));
        assert!(bench.got().is_empty());
        bench.courier.deliver(start + Duration::from_secs(30));
        assert_eq!(bench.got(), ["a"]);
    }

    #[test]
    fn a_full_queue_drops_and_counts() {
        let counts = OutputCounts::default();
        let queue = Queue::new(2);
        for rule in ["a", "b", "c"] {
            queue.push(alert(rule), &counts);
        }
        assert_eq!(counts.dropped.load(Ordering::Relaxed), 1);
        let turn = queue.next(10, None);
        let rules: Vec<&str> = turn.alerts.iter().map(|alert| alert.rule.as_str()).collect();
        assert_eq!(rules, ["a", "b"]);
    }

    #[test]
    fn stopping_waits_for_the_receiver_and_not_busily() {
        let counts = OutputCounts::default();
        let queue = Queue::new(10);
        let soon = Instant::now() + Duration::from_millis(20);
        queue.signal(|state| state.stop = Some(soon));
        // At once, so that the thread knows.
        assert_eq!(
            queue.next(0, Some(soon + Duration::from_secs(600))).stop,
            Some(soon)
        );
        // Then when it is time to try again, or at the deadline.
        assert_eq!(
            queue.next(0, Some(soon + Duration::from_secs(600))).stop,
            Some(soon)
        );
        assert!(Instant::now() >= soon);
        queue.push(alert("a"), &counts);
        assert_eq!(queue.next(1, None).alerts.len(), 1);
    }

    #[test]
    fn waits_double_and_end_at_a_minute() {
        for (failures, least, most) in [
            (0, 0.75, 1.0),
            (1, 1.5, 2.0),
            (5, 24.0, 32.0),
            (6, 45.0, 60.0),
            (60, 45.0, 60.0),
        ] {
            for _ in 0..20 {
                let wait = pause(Duration::from_secs(1), failures).as_secs_f64();
                assert!((least..=most).contains(&wait), "{failures}: {wait}");
            }
        }
    }
}
