//! Evaluates rules over a stream of events on all processors: one process's events stay in order, since they always go to
//! the same worker.

use detect::{Evaluator, RuleId, RuleSet};
use model::event::EventView;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

/// Events that travel to a worker at once.
const BATCH: usize = 128;
/// Batches that wait for a worker; when they are full, the reader waits, and the kernel counts what it cannot deliver.
const QUEUE: usize = 16;

/// Where rules are timed, one event in so many is; it stands for the others.
const TIMED: u32 = 256;

/// An event that can be evaluated by any thread.
pub(crate) trait Happening: EventView + Send + 'static {
    /// Events with the same key are evaluated in the order of their coming.
    fn order_key(&self) -> u64;
}

/// An event, and the rules that match it.
pub(crate) struct Matched<E> {
    /// The event.
    pub(crate) event: E,
    /// The rules, in the order of loading.
    pub(crate) rules: Vec<RuleId>,
    /// Where the rules are from.
    pub(crate) set: Arc<RuleSet>,
}

enum Work<E> {
    Events(Vec<E>),
    Rules(Arc<RuleSet>),
}

/// What is counted over all workers.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    /// Events evaluated.
    pub(crate) evaluated: AtomicU64,
    /// Events that matched at least one rule.
    pub(crate) matched: AtomicU64,
    /// Events that were handed to workers; less `evaluated` this is what waits.
    pub(crate) handed: AtomicU64,
}

/// The workers.
pub(crate) struct Engine<E: Happening> {
    workers: Vec<(SyncSender<Work<E>>, Vec<E>)>,
    threads: Vec<JoinHandle<()>>,
    counters: Arc<Counters>,
}

impl<E: Happening> Engine<E> {
    /// Starts `workers` threads; matches go to `matches`, which may block a worker, and with it the stream. `timed` measures
    /// how long rules take ([`RuleSet::times`]).
    ///
    /// # Errors
    /// When a thread cannot be started.
    pub(crate) fn start(
        workers: usize,
        rules: &Arc<RuleSet>,
        matches: &SyncSender<Matched<E>>,
        timed: bool,
    ) -> std::io::Result<Self> {
        let counters = Arc::new(Counters::default());
        let mut engine = Self {
            workers: Vec::new(),
            threads: Vec::new(),
            counters: Arc::clone(&counters),
        };
        for index in 0..workers.max(1) {
            let (sender, receiver) = sync_channel(QUEUE);
            let (rules, matches, counters) = (Arc::clone(rules), matches.clone(), Arc::clone(&counters));
            let thread = std::thread::Builder::new()
                .name(format!("rules-{index}"))
                .spawn(move || work(rules, &receiver, &matches, &counters, timed))?;
            engine.workers.push((sender, Vec::with_capacity(BATCH)));
            engine.threads.push(thread);
        }
        Ok(engine)
    }

    /// What was counted so far.
    pub(crate) fn counters(&self) -> &Arc<Counters> {
        &self.counters
    }

    /// Gives an event to its worker, at the latest with the next [`Self::flush`].
    pub(crate) fn push(&mut self, event: E) {
        let count = self.workers.len() as u64;
        let shard = usize::try_from(event.order_key() % count).unwrap_or(0);
        if let Some((sender, batch)) = self.workers.get_mut(shard) {
            batch.push(event);
            if batch.len() >= BATCH {
                hand_over(sender, batch, &self.counters);
            }
        }
    }

    /// Gives everything that was pushed to the workers.
    pub(crate) fn flush(&mut self) {
        for (sender, batch) in &mut self.workers {
            if !batch.is_empty() {
                hand_over(sender, batch, &self.counters);
            }
        }
    }

    /// Events pushed from now on are judged by these rules.
    pub(crate) fn reload(&mut self, rules: &Arc<RuleSet>) {
        self.flush();
        for (sender, _) in &self.workers {
            // A worker that is gone was told of by the panic that ended it.
            let _ = sender.send(Work::Rules(Arc::clone(rules)));
        }
    }

    /// Lets the workers finish and waits for them; false when one of them failed.
    pub(crate) fn finish(mut self) -> bool {
        self.flush();
        self.workers.clear();
        // All of them, also after one that failed.
        let failed = self
            .threads
            .into_iter()
            .filter_map(|thread| thread.join().err())
            .count();
        failed == 0
    }
}

fn hand_over<E>(sender: &SyncSender<Work<E>>, batch: &mut Vec<E>, counters: &Counters) {
    let full = std::mem::replace(batch, Vec::with_capacity(BATCH));
    counters.handed.fetch_add(full.len() as u64, Ordering::Relaxed);
    let _ = sender.send(Work::Events(full));
}

fn work<E: Happening>(
    mut rules: Arc<RuleSet>,
    receiver: &Receiver<Work<E>>,
    matches: &SyncSender<Matched<E>>,
    counters: &Counters,
    timed: bool,
) {
    let evaluator_of = |rules: &Arc<RuleSet>| {
        let evaluator = Evaluator::new(Arc::clone(rules));
        if timed { evaluator.timed(TIMED) } else { evaluator }
    };
    let mut evaluator = evaluator_of(&rules);
    let mut matched = Vec::new();
    while let Ok(work) = receiver.recv() {
        match work {
            Work::Rules(newer) => {
                rules = newer;
                evaluator = evaluator_of(&rules);
            }
            Work::Events(events) => {
                let count = events.len() as u64;
                for event in events {
                    evaluator.evaluate(&event, &mut |rule| matched.push(rule));
                    if !matched.is_empty() {
                        counters.matched.fetch_add(1, Ordering::Relaxed);
                        let set = Arc::clone(&rules);
                        let rules = std::mem::take(&mut matched);
                        if matches.send(Matched { event, rules, set }).is_err() {
                            return;
                        }
                    }
                }
                counters.evaluated.fetch_add(count, Ordering::Relaxed);
            }
        }
    }
}
