//! The detector under test: a child that prints alerts as lines of JSON, and on its errors when it watches.

use super::matching::Alert;
use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What the detector's errors hold when it is ready.
const READY: &str = "watching";

/// Lines of its errors that are kept.
const MOST_LINES: usize = 200;

/// Longest line that is an alert.
const LONGEST_LINE: u64 = 16 << 20;

/// How long it has to end when it is asked to.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Default)]
struct Seen {
    /// Alerts by the test that they are of.
    alerts: BTreeMap<String, Vec<Alert>>,
    /// Alerts of processes that are no test's.
    others: u64,
    /// Lines of the output that are no alerts, and the first of them.
    strange: u64,
    first_strange: Option<String>,
    ready: bool,
    /// Whether there is no more output, and no more errors.
    ended: bool,
    silent: bool,
    errors: VecDeque<String>,
}

/// A detector that runs.
pub struct Detector {
    child: Child,
    seen: Arc<(Mutex<Seen>, Condvar)>,
}

impl Detector {
    /// Starts it.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(mut command: Command) -> Result<Self, String> {
        let name = command.get_program().to_string_lossy().into_owned();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // An interrupt at the terminal is for the runner, which stops the detector itself.
            .process_group(0)
            .spawn()
            .map_err(|error| format!("the detector {name} cannot be started: {error}"))?;
        let seen = Arc::new((Mutex::new(Seen::default()), Condvar::new()));
        if let Some(output) = child.stdout.take() {
            let seen = Arc::clone(&seen);
            std::thread::spawn(move || {
                each_line(output, |line| {
                    let mut state = lock(&seen.0);
                    match Alert::read(line) {
                        Ok(alert) => match alert.mark().map(ToOwned::to_owned) {
                            Some(mark) => state.alerts.entry(mark).or_default().push(alert),
                            None => state.others += 1,
                        },
                        Err(_) if line.trim().is_empty() => {}
                        Err(_) => {
                            state.strange += 1;
                            state
                                .first_strange
                                .get_or_insert_with(|| line.chars().take(200).collect());
                        }
                    }
                    seen.1.notify_all();
                });
                lock(&seen.0).ended = true;
                seen.1.notify_all();
            });
        }
        if let Some(errors) = child.stderr.take() {
            let seen = Arc::clone(&seen);
            std::thread::spawn(move || {
                each_line(errors, |line| {
                    let mut state = lock(&seen.0);
                    state.ready |= line.contains(READY);
                    if state.errors.len() == MOST_LINES {
                        state.errors.pop_front();
                    }
                    state.errors.push_back(line.to_owned());
                    seen.1.notify_all();
                });
                lock(&seen.0).silent = true;
                seen.1.notify_all();
            });
        }
        Ok(Self { child, seen })
    }

    /// Waits until it tells that it watches.
    ///
    /// # Errors
    /// When it ends before, does not tell in time, or `interrupted` is set.
    pub fn wait_until_ready(&mut self, limit: Duration, interrupted: &AtomicBool) -> Result<(), String> {
        let deadline = Instant::now() + limit;
        loop {
            let status = self.child.try_wait().ok().flatten();
            {
                let state = lock(&self.seen.0);
                if state.ready {
                    return Ok(());
                }
                // What it said last must have been read; what it started may keep its errors open.
                if let Some(status) = status.filter(|_| state.silent || Instant::now() > deadline) {
                    return Err(format!(
                        "the detector ended before it was ready ({status}):\n{}",
                        last_lines(&state)
                    ));
                }
                if Instant::now() > deadline {
                    return Err(format!(
                        "the detector did not tell within {} seconds that it is {READY}:\n{}",
                        limit.as_secs(),
                        last_lines(&state)
                    ));
                }
                if interrupted.load(Ordering::Relaxed) {
                    return Err("interrupted".to_owned());
                }
                drop(self.seen.1.wait_timeout(state, Duration::from_millis(100)));
            }
        }
    }

    /// Whether it has ended, and what it said last.
    #[must_use]
    pub fn ended(&mut self) -> Option<String> {
        let status = self.child.try_wait().ok().flatten()?;
        let state = lock(&self.seen.0);
        Some(format!("the detector ended ({status}):\n{}", last_lines(&state)))
    }

    /// Waits until `enough` holds for the alerts of a test, at longest until `deadline`; they are handed over.
    pub fn wait_for(
        &self,
        mark: &str,
        deadline: Instant,
        interrupted: &AtomicBool,
        enough: impl Fn(&[Alert]) -> bool,
    ) -> Vec<Alert> {
        let mut state = lock(&self.seen.0);
        loop {
            let alerts = state.alerts.get(mark).map(Vec::as_slice).unwrap_or_default();
            let now = Instant::now();
            if enough(alerts) || now >= deadline || state.ended || interrupted.load(Ordering::Relaxed) {
                return alerts.to_vec();
            }
            let left = (deadline - now).min(Duration::from_millis(100));
            state = self
                .seen
                .1
                .wait_timeout(state, left)
                .map_or_else(|error| error.into_inner().0, |(state, _)| state);
        }
    }

    /// Alerts of other processes, and lines that are no alerts with the first of these.
    #[must_use]
    pub fn aside(&self) -> (u64, u64, Option<String>) {
        let state = lock(&self.seen.0);
        (state.others, state.strange, state.first_strange.clone())
    }

    /// Ends it, politely at first.
    pub fn stop(&mut self) {
        let group = i32::try_from(self.child.id())
            .ok()
            .and_then(rustix::process::Pid::from_raw);
        let signal = |signal| {
            if let Some(group) = group {
                // It fails when there is none left, which is what is wanted.
                let _ = rustix::process::kill_process_group(group, signal);
            }
        };
        if matches!(self.child.try_wait(), Ok(None)) {
            signal(rustix::process::Signal::TERM);
            let deadline = Instant::now() + PATIENCE;
            while Instant::now() < deadline && matches!(self.child.try_wait(), Ok(None)) {
                std::thread::sleep(Duration::from_millis(10));
            }
        }
        signal(rustix::process::Signal::KILL);
        let _ = self.child.wait();
    }
}

impl Drop for Detector {
    fn drop(&mut self) {
        self.stop();
    }
}

fn lock(seen: &Mutex<Seen>) -> std::sync::MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

fn last_lines(state: &Seen) -> String {
    let skipped = state.errors.len().saturating_sub(20);
    state
        .errors
        .iter()
        .skip(skipped)
        .map(|line| format!("  {line}\n"))
        .collect()
}

/// Calls `with` for each line, also when it is not UTF-8 throughout.
fn each_line(from: impl Read, mut with: impl FnMut(&str)) {
    let mut from = BufReader::new(from);
    let mut line = Vec::new();
    loop {
        line.clear();
        match from.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) => with(String::from_utf8_lossy(&line).trim_end()),
        }
    }
}
