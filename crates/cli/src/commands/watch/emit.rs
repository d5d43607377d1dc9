//! Turns matches into alerts and hands them to standard output, the live view and the other outputs, on one thread.

use super::engine::Matched;
use super::event::Event;
use super::live::{Context, Live, Snapshot};
use super::recorder::Captures;
use super::standard_output::StandardOutput;
use crate::console::Gathered;
use model::event::Alert;
use report::alerts::{AlertFormat, AlertOptions};
use server::Outputs;
use server::aggregate::Aggregator;
use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often the live view is drawn.
const FRAME: Duration = Duration::from_millis(250);

/// Detections that the live view draws at a time; more are only counted, nobody reads faster.
const DRAWN: usize = 64;

/// What was detected so far, for statistics, metrics and the live view.
#[derive(Debug, Default)]
pub(crate) struct Detections {
    /// Events with matches that were taken.
    pub(crate) taken: AtomicU64,
    /// Alerts.
    pub(crate) alerts: AtomicU64,
    /// By rule.
    pub(crate) by_rule: Mutex<BTreeMap<String, u64>>,
    /// By priority, as [`model::event::Priority::ALL`] orders them.
    pub(crate) by_priority: [AtomicU64; 8],
    /// By container.
    pub(crate) by_container: Mutex<BTreeMap<String, u64>>,
}

/// The most containers whose detections are counted apart.
const COUNTED_CONTAINERS: usize = 4_096;

impl Detections {
    fn count(&self, alert: &Alert, container: Option<&str>) {
        self.alerts.fetch_add(1, Ordering::Relaxed);
        if let Some(count) = self.by_priority.get(alert.priority as usize) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        let mut rules = self.by_rule.lock().unwrap_or_else(PoisonError::into_inner);
        match rules.get_mut(&alert.rule) {
            Some(count) => *count += 1,
            None => {
                rules.insert(alert.rule.clone(), 1);
            }
        }
        if let Some(container) = container {
            let mut containers = self.by_container.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(count) = containers.get_mut(container) {
                *count += 1;
            } else if containers.len() < COUNTED_CONTAINERS {
                containers.insert(container.to_owned(), 1);
            }
        }
    }
}

/// Where standard output's share goes.
pub(crate) enum Screen {
    /// Lines in a format.
    Lines(&'static dyn AlertFormat, AlertOptions),
    /// The live view; what it shows is asked for at each frame.
    Live {
        /// Whether to use colours.
        color: bool,
        /// Whether times are those of the host's zone.
        local_time: bool,
        /// The numbers of now.
        snapshot: Box<dyn FnMut() -> Snapshot + Send>,
        /// What is said beside, on the same terminal.
        notes: Arc<Gathered>,
    },
}

/// What the thread needs.
pub(crate) struct Emitter {
    /// The name of this host.
    pub(crate) hostname: String,
    /// What standard output shows.
    pub(crate) screen: Screen,
    /// Standard output.
    pub(crate) stdout: StandardOutput,
    /// Starts captures that rules ask for.
    pub(crate) captures: Option<Captures>,
    /// Makes floods of alerts few.
    pub(crate) aggregator: Aggregator,
    /// Where alerts go besides.
    pub(crate) outputs: Arc<Outputs>,
    /// What is counted.
    pub(crate) detections: Arc<Detections>,
}

impl Emitter {
    /// Works until all senders are gone.
    ///
    /// # Errors
    /// When standard output cannot be written to.
    pub(crate) fn run(mut self, matches: &Receiver<Matched<Event>>) -> io::Result<()> {
        let live = matches!(self.screen, Screen::Live { .. });
        let (color, local_time) = match &self.screen {
            Screen::Live {
                color, local_time, ..
            } => (*color, *local_time),
            Screen::Lines(..) => (false, false),
        };
        let mut view = Live::new(self.stdout.clone(), color, local_time);
        let mut drawn = Instant::now();
        let mut fresh: Vec<(Alert, Context)> = Vec::new();
        let mut line = Vec::new();
        let mut passed: Vec<Alert> = Vec::new();
        loop {
            let matched = match matches.recv_timeout(FRAME) {
                Ok(matched) => Some(matched),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => break,
            };
            self.stdout.check()?;
            match matched {
                Some(matched) => {
                    self.detections.taken.fetch_add(1, Ordering::Relaxed);
                    self.emit(&matched, live, &mut passed, &mut fresh, &mut line)?;
                }
                None => {
                    self.aggregator.advance(super::now(), &mut passed);
                    self.show(&mut passed, &Context::default(), live, &mut fresh, &mut line)?;
                }
            }
            self.stdout.put_or_drop(&line)?;
            line.clear();
            // A terminal that was stopped gets the frames that it can take.
            if drawn.elapsed() >= FRAME && self.stdout.is_idle() {
                self.draw(&mut view, &mut fresh)?;
                drawn = Instant::now();
            }
        }
        self.aggregator.finish(&mut passed);
        self.show(&mut passed, &Context::default(), live, &mut fresh, &mut line)?;
        self.stdout.put_or_drop(&line)?;
        if self.stdout.is_idle() {
            self.draw(&mut view, &mut fresh)?;
        }
        Ok(())
    }

    fn draw(&mut self, view: &mut Live<StandardOutput>, fresh: &mut Vec<(Alert, Context)>) -> io::Result<()> {
        if let Screen::Live { snapshot, notes, .. } = &mut self.screen {
            let columns = terminal_size::terminal_size().map_or(80, |(width, _)| usize::from(width.0));
            view.draw(&notes.take(), fresh, &snapshot(), columns)?;
            fresh.clear();
        }
        Ok(())
    }

    fn emit(
        &mut self,
        matched: &Matched<Event>,
        live: bool,
        passed: &mut Vec<Alert>,
        fresh: &mut Vec<(Alert, Context)>,
        line: &mut Vec<u8>,
    ) -> io::Result<()> {
        let container = matched.event.container().map(|cell| cell.id());
        if let Some(captures) = &self.captures {
            captures.ask(matched);
        }
        for rule in &matched.rules {
            let Some(alert) = matched.set.to_alert(*rule, &matched.event, &self.hostname) else {
                continue;
            };
            self.detections.count(&alert, container);
            self.aggregator.offer(alert, passed);
        }
        if passed.is_empty() {
            return Ok(());
        }
        let context = if live && fresh.len() < DRAWN {
            matched.event.context()
        } else {
            Context::default()
        };
        self.show(passed, &context, live, fresh, line)
    }

    fn show(
        &self,
        passed: &mut Vec<Alert>,
        context: &Context,
        live: bool,
        fresh: &mut Vec<(Alert, Context)>,
        line: &mut Vec<u8>,
    ) -> io::Result<()> {
        for alert in passed.drain(..) {
            if let Screen::Lines(format, options) = &self.screen {
                format.write(&[&alert], options, line);
                if line.len() >= 64 << 10 {
                    self.stdout.put_or_drop(line)?;
                    line.clear();
                }
            }
            let alert = Arc::new(alert);
            self.outputs.send(&alert);
            if live && fresh.len() < DRAWN {
                fresh.push((Arc::unwrap_or_clone(alert), context.clone()));
            }
        }
        Ok(())
    }
}
