//! What `hullward watch` counts: for the metrics page, the live view and the statistics at the end.

use super::emit::Detections;
use super::engine::Counters;
use super::live::Snapshot;
use super::standard_output::OutputFigures;
use crate::Failure;
use crate::arguments::Watch;
use crate::console::Console;
use anyhow::Context as _;
use detect::RuleSet;
use model::event::EventType;
use sensor::containers::ContainerCell;
use sensor::{LossReport, Losses};
use serde::Serialize;
use server::Outputs;
use server::metrics::{Exposition, MetricsServer, Registry};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// Containers whose events are counted apart.
const MOST_CONTAINERS: usize = 256;

/// Numbers that several threads look at.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    /// Events by type, as [`EventType::all`] orders them.
    by_type: Vec<AtomicU64>,
    /// Events by container identifier, for the live view.
    containers: Mutex<BTreeMap<String, ContainerNumbers>>,
    pub(super) losses: Mutex<LossReport>,
    /// The rules of now.
    rules: Mutex<Option<Arc<RuleSet>>>,
    pub(super) processes: AtomicU64,
    /// Events that were judged without what their container's runtime says.
    pub(super) unenriched: AtomicU64,
    /// Events that wait for what their container's runtime says.
    pub(super) held: AtomicU64,
    /// Bytes that wait in the buffers of the kernel.
    pub(super) buffered: AtomicU64,
    /// Captures that rules started, and those that could not be.
    pub(super) captures: AtomicU64,
    pub(super) captures_refused: AtomicU64,
}

#[derive(Debug, Default, Clone)]
pub(super) struct ContainerNumbers {
    name: String,
    image: String,
    events: u64,
}

impl Numbers {
    pub(super) fn new() -> Self {
        Self {
            by_type: EventType::all().map(|_| AtomicU64::new(0)).collect(),
            ..Self::default()
        }
    }

    pub(super) fn count(&self, kind: EventType) {
        if let Some(count) = self.by_type.get(usize::from(kind.0)) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Adds events of containers; of containers without any for long, the least busy are forgotten.
    pub(super) fn count_containers(&self, seen: impl Iterator<Item = (Arc<ContainerCell>, u64)>) {
        let mut containers = self.containers.lock().unwrap_or_else(PoisonError::into_inner);
        for (cell, events) in seen {
            let container = containers.entry(cell.id().to_owned()).or_default();
            container.events += events;
            if let Some(info) = cell.info() {
                container.name.clone_from(&info.name);
                container.image.clone_from(&info.image);
            } else if container.name.is_empty() {
                container.name = cell.id().to_owned();
            }
        }
        while containers.len() > MOST_CONTAINERS
            && let Some(least) = containers
                .iter()
                .min_by_key(|(_, container)| container.events)
                .map(|(id, _)| id.clone())
        {
            containers.remove(&least);
        }
    }

    /// Says which rules run from now on.
    pub(super) fn set_rules(&self, rules: &Arc<RuleSet>) {
        *self.rules.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(rules));
    }

    fn rules(&self) -> Option<Arc<RuleSet>> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many rules run.
    fn running(&self) -> u64 {
        self.rules().map_or(0, |rules| super::running(&rules) as u64)
    }

    fn types(&self) -> BTreeMap<&'static str, u64> {
        EventType::all()
            .zip(&self.by_type)
            .map(|(kind, count)| (kind.name(), count.load(Ordering::Relaxed)))
            .filter(|(_, count)| *count > 0)
            .collect()
    }
}

/// What `--statistics` writes when the watch ends.
#[derive(Debug, Serialize)]
pub(super) struct Statistics {
    seconds: f64,
    events: BTreeMap<&'static str, u64>,
    evaluated: u64,
    matched: u64,
    detections: u64,
    detections_by_rule: BTreeMap<String, u64>,
    made: u64,
    lost: BTreeMap<&'static str, u64>,
    processes: u64,
    without_container_facts: u64,
    stdout_lines_dropped: u64,
    captures: u64,
}

/// Serves figures; they are gathered when asked for.
pub(super) fn serve_metrics(
    address: SocketAddr,
    numbers: &Arc<Numbers>,
    detections: &Arc<Detections>,
    counters: &Arc<Counters>,
    outputs: &Outputs,
    stdout: &Arc<OutputFigures>,
) -> Result<MetricsServer, Failure> {
    let registry = Arc::new(Registry::default());
    registry.add(outputs.metrics());
    let (numbers, detections, counters) = (Arc::clone(numbers), Arc::clone(detections), Arc::clone(counters));
    let stdout = Arc::clone(stdout);
    registry.add(Arc::new(move |out: &mut Exposition| {
        metrics(out, &numbers, &detections, &counters);
        of_rules(out, &numbers);
        of_stdout(out, &stdout);
    }));
    MetricsServer::start(address, registry).map_err(Failure::usage)
}

fn metrics(out: &mut Exposition, numbers: &Numbers, detections: &Detections, counters: &Counters) {
    for (name, count) in numbers.types() {
        out.counter(
            "hullward_events_total",
            "Events by type.",
            &[("type", name)],
            count,
        );
    }
    let losses = numbers.losses.lock().unwrap_or_else(PoisonError::into_inner);
    for (cpu, lost) in losses.by_cpu.iter().enumerate() {
        let cpu = cpu.to_string();
        for (cause, count) in causes(lost) {
            out.counter(
                "hullward_events_lost_total",
                "Events that were lost, by cause and processor.",
                &[("cause", cause), ("cpu", &cpu)],
                count,
            );
        }
    }
    drop(losses);
    let handed = counters.handed.load(Ordering::Relaxed);
    let evaluated = counters.evaluated.load(Ordering::Relaxed);
    out.counter(
        "hullward_events_evaluated_total",
        "Events that rules were asked about.",
        &[],
        evaluated,
    );
    #[allow(clippy::cast_precision_loss, reason = "a gauge")]
    out.gauge(
        "hullward_events_waiting",
        "Events that wait for a thread that evaluates rules.",
        &[],
        handed.saturating_sub(evaluated) as f64,
    );
    let matched = counters.matched.load(Ordering::Relaxed);
    let taken = detections.taken.load(Ordering::Relaxed);
    #[allow(clippy::cast_precision_loss, reason = "gauges")]
    for (name, help, depth) in [
        (
            "hullward_matches_waiting",
            "Events that match rules and wait to become alerts.",
            matched.saturating_sub(taken),
        ),
        (
            "hullward_events_held",
            "Events that wait for what their container's runtime says.",
            numbers.held.load(Ordering::Relaxed),
        ),
        (
            "hullward_kernel_buffered_bytes",
            "Bytes of events in the buffers that the kernel fills.",
            numbers.buffered.load(Ordering::Relaxed),
        ),
    ] {
        out.gauge(name, help, &[], depth as f64);
    }
    for (outcome, count) in [
        ("started", &numbers.captures),
        ("refused", &numbers.captures_refused),
    ] {
        out.counter(
            "hullward_captures_total",
            "Captures that rules asked for.",
            &[("outcome", outcome)],
            count.load(Ordering::Relaxed),
        );
    }
    for (rule, count) in detections
        .by_rule
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .iter()
    {
        out.counter(
            "hullward_detections_total",
            "Detections by rule.",
            &[("rule", rule)],
            *count,
        );
    }
    #[allow(clippy::cast_precision_loss, reason = "a gauge")]
    {
        let processes = numbers.processes.load(Ordering::Relaxed) as f64;
        out.gauge(
            "hullward_processes",
            "Processes that are known and alive.",
            &[],
            processes,
        );
        out.gauge("hullward_rules", "Rules that run.", &[], numbers.running() as f64);
        out.gauge(
            "hullward_resident_bytes",
            "Memory that is resident.",
            &[],
            resident() as f64,
        );
    }
    out.counter(
        "hullward_events_without_container_total",
        "Events that were judged before anything was known of their container.",
        &[],
        numbers.unenriched.load(Ordering::Relaxed),
    );
}

/// How long rules took, those that were asked at all.
fn of_rules(out: &mut Exposition, numbers: &Numbers) {
    let Some(rules) = numbers.rules() else { return };
    for (rule, time) in rules.rules().iter().zip(rules.times()) {
        if time.asked == 0 {
            continue;
        }
        let label = [("rule", rule.name.as_str())];
        out.counter(
            "hullward_rule_evaluations_total",
            "Events that a rule was asked about since the rules were loaded, estimated from one in 256.",
            &label,
            time.asked,
        );
        out.seconds(
            "hullward_rule_evaluation_seconds_total",
            "Time that the conditions of a rule took since the rules were loaded, estimated from one event in 256. What \
             several rules ask counts with the first.",
            &label,
            time.time,
        );
    }
}

fn of_stdout(out: &mut Exposition, stdout: &OutputFigures) {
    for (outcome, count) in [("written", &stdout.written), ("dropped", &stdout.dropped)] {
        out.counter(
            "hullward_stdout_lines_total",
            "Lines for standard output and what became of them.",
            &[("outcome", outcome)],
            count.load(Ordering::Relaxed),
        );
    }
    #[allow(clippy::cast_precision_loss, reason = "a gauge")]
    out.gauge(
        "hullward_stdout_queued_bytes",
        "Bytes that wait until standard output takes them.",
        &[],
        stdout.queued.load(Ordering::Relaxed) as f64,
    );
}

/// Losses by cause.
fn causes(lost: &Losses) -> [(&'static str, u64); 5] {
    [
        ("ring_full", lost.ring_full),
        ("over_budget", lost.over_budget),
        ("nested", lost.nested),
        ("too_large", lost.too_large),
        ("no_program", lost.no_program),
    ]
}

/// Resident memory of this process in bytes, 0 where it is not told.
fn resident() -> u64 {
    let Ok(status) = artifact::files::read(Path::new("/proc/self/status"), 1 << 16) else {
        return 0;
    };
    String::from_utf8_lossy(&status)
        .lines()
        .find_map(|line| {
            line.strip_prefix("VmRSS:")?
                .split_whitespace()
                .next()?
                .parse::<u64>()
                .ok()
        })
        .map_or(0, |kib| kib << 10)
}

/// Gives the numbers of now for the live view, rates since the last time it was asked.
pub(super) fn snapshots(
    started: Instant,
    numbers: &Arc<Numbers>,
    detections: &Arc<Detections>,
    counters: &Arc<Counters>,
) -> impl FnMut() -> Snapshot + Send + use<> {
    let (numbers, detections, counters) = (Arc::clone(numbers), Arc::clone(detections), Arc::clone(counters));
    let mut before = (Instant::now(), numbers.types(), BTreeMap::<String, u64>::new());
    let mut shown = Snapshot::default();
    move || {
        let now = Instant::now();
        let seconds = now.duration_since(before.0).as_secs_f64();
        if seconds >= 1.0 {
            let types = numbers.types();
            let rate = |name: &str, count: u64| {
                #[allow(clippy::cast_precision_loss, reason = "a rate for people")]
                let more = (count - before.1.get(name).copied().unwrap_or(0)) as f64;
                more / seconds
            };
            let mut rates: Vec<(String, f64)> = types
                .iter()
                .map(|(name, count)| ((*name).to_owned(), rate(name, *count)))
                .filter(|(_, rate)| *rate > 0.0)
                .collect();
            rates.sort_by(|left, right| right.1.total_cmp(&left.1));
            shown.events_per_second = rates.iter().map(|(_, rate)| rate).sum();
            shown.types = rates;
            let containers = numbers
                .containers
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone();
            let detected = detections
                .by_container
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone();
            shown.containers = containers
                .iter()
                .map(|(id, container)| {
                    #[allow(clippy::cast_precision_loss, reason = "a rate for people")]
                    let rate = container
                        .events
                        .saturating_sub(before.2.get(id).copied().unwrap_or(0))
                        as f64
                        / seconds;
                    (
                        container.name.clone(),
                        container.image.clone(),
                        rate,
                        detected.get(id).copied().unwrap_or(0),
                    )
                })
                .collect();
            shown
                .containers
                .sort_by(|left, right| right.3.cmp(&left.3).then(right.2.total_cmp(&left.2)));
            before = (
                now,
                types,
                containers
                    .into_iter()
                    .map(|(id, container)| (id, container.events))
                    .collect(),
            );
        }
        shown.uptime = started.elapsed();
        shown.events = counters.handed.load(Ordering::Relaxed);
        shown.lost = numbers
            .losses
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .total()
            .total();
        shown.processes = usize::try_from(numbers.processes.load(Ordering::Relaxed)).unwrap_or(usize::MAX);
        shown.rules = usize::try_from(numbers.running()).unwrap_or(usize::MAX);
        for (shown, count) in shown.detections.iter_mut().zip(&detections.by_priority) {
            *shown = count.load(Ordering::Relaxed);
        }
        shown.clone()
    }
}

/// Says what was seen, and writes it where asked.
pub(super) fn finish(
    options: &Watch,
    console: &Console,
    started: Instant,
    numbers: &Numbers,
    detections: &Detections,
    counters: &Counters,
    stdout: &OutputFigures,
) -> Result<(), Failure> {
    let losses = numbers
        .losses
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .total();
    let statistics = Statistics {
        seconds: started.elapsed().as_secs_f64(),
        events: numbers.types(),
        evaluated: counters.evaluated.load(Ordering::Relaxed),
        matched: counters.matched.load(Ordering::Relaxed),
        detections: detections.alerts.load(Ordering::Relaxed),
        detections_by_rule: detections
            .by_rule
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone(),
        made: losses.made,
        lost: BTreeMap::from(causes(&losses)),
        processes: numbers.processes.load(Ordering::Relaxed),
        without_container_facts: numbers.unenriched.load(Ordering::Relaxed),
        stdout_lines_dropped: stdout.dropped.load(Ordering::Relaxed),
        captures: numbers.captures.load(Ordering::Relaxed),
    };
    let mut text = format!(
        "{} events, {} lost, {} detections in {:.1} s",
        statistics.evaluated,
        losses.total(),
        statistics.detections,
        statistics.seconds
    );
    for (cause, count) in &statistics.lost {
        if *count > 0 {
            text.push_str(&format!("; lost because of {}: {count}", cause.replace('_', " ")));
        }
    }
    console.note(&text);
    if let Some(path) = &options.statistics {
        let json = crate::console::json(&statistics)
            .context("statistics cannot be written")
            .map_err(Failure::internal)?;
        artifact::files::write_atomic(path, json.as_bytes()).map_err(Failure::internal)?;
    }
    Ok(())
}
