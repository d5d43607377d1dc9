//! `hullward watch`: sees what containers and the host do, and raises detections.

mod emit;
mod engine;
mod event;
mod live;
mod names;
mod runtimes;
mod waiting;

use crate::arguments::Watch;
use crate::console::Console;
use crate::settings::Settings;
use crate::{Failure, Outcome};
use anyhow::{Context as _, anyhow};
use detect::{AppendOutput, LoadOptions, RuleSet};
use emit::{Detections, Emitter, Screen};
use engine::{Counters, Engine};
use event::Event;
use live::Snapshot;
use model::event::{EVENT_TYPES, EventType, EventView, Field, Value};
use report::alerts::AlertOptions;
use sensor::capture::{CaptureHost, Replay, Writer};
use sensor::containers::{ContainerCell, Containers};
use sensor::json::{Intake, Surroundings};
use sensor::state::{HostProc, State, StateOptions};
use sensor::{KernelSensor, LossReport, Losses, SensorConfig};
use serde::Serialize;
use server::aggregate::{AggregateSettings, Aggregator};
use server::metrics::{Exposition, MetricsServer, Registry};
use server::{AuditReceiver, AuditSettings, OutputSettings, Outputs, TlsFiles};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::File;
use std::io::{BufWriter, IsTerminal as _};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use waiting::Waiting;

/// Matches that wait to become alerts.
const MATCHES: usize = 4_096;
/// How long the reader waits for the kernel before it looks after other things.
const POLL: Duration = Duration::from_millis(50);
/// Containers whose events are counted apart.
const MOST_CONTAINERS: usize = 256;
/// A difference of the clocks, in nanoseconds, that is no trembling but a clock that was set.
const CLOCK_STEP: u64 = 50_000_000;
/// How long outputs may go on delivering after the end.
const LAST_DELIVERIES: Duration = Duration::from_secs(5);
/// How often numbers are brought up to date.
const REFRESH: Duration = Duration::from_millis(500);

/// Signals that were received.
#[derive(Debug, Clone)]
struct Signals {
    stop: Arc<AtomicBool>,
    reload: Arc<AtomicBool>,
}

impl Signals {
    fn catch() -> std::io::Result<Self> {
        use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
        let signals = Self {
            stop: Arc::new(AtomicBool::new(false)),
            reload: Arc::new(AtomicBool::new(false)),
        };
        for signal in [SIGINT, SIGTERM] {
            // A second one ends the program at once, in case stopping hangs.
            signal_hook::flag::register_conditional_shutdown(signal, 1, Arc::clone(&signals.stop))?;
            signal_hook::flag::register(signal, Arc::clone(&signals.stop))?;
        }
        signal_hook::flag::register(SIGHUP, Arc::clone(&signals.reload))?;
        Ok(signals)
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

/// Numbers that several threads look at.
#[derive(Debug, Default)]
struct Numbers {
    /// Events by type, as [`EVENT_TYPES`] orders them.
    by_type: Vec<AtomicU64>,
    /// Events by container identifier, for the live view.
    containers: Mutex<BTreeMap<String, ContainerNumbers>>,
    losses: Mutex<LossReport>,
    processes: AtomicU64,
    rules: AtomicU64,
    unenriched: AtomicU64,
}

#[derive(Debug, Default, Clone)]
struct ContainerNumbers {
    name: String,
    image: String,
    events: u64,
}

impl Numbers {
    fn new() -> Self {
        Self {
            by_type: EVENT_TYPES.iter().map(|_| AtomicU64::new(0)).collect(),
            ..Self::default()
        }
    }

    fn count(&self, kind: EventType) {
        if let Some(count) = self.by_type.get(usize::from(kind.0)) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Adds events of containers; of containers without any for long, the least busy are forgotten.
    fn count_containers(&self, seen: impl Iterator<Item = (Arc<ContainerCell>, u64)>) {
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

    fn types(&self) -> BTreeMap<&'static str, u64> {
        EVENT_TYPES
            .iter()
            .zip(&self.by_type)
            .map(|(info, count)| (info.name, count.load(Ordering::Relaxed)))
            .filter(|(_, count)| *count > 0)
            .collect()
    }
}

/// What `--statistics` writes when the watch ends.
#[derive(Debug, Serialize)]
struct Statistics {
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
}

/// Runs the command.
///
/// # Errors
/// When rules are wrong, a source cannot be read, or the sensor cannot be started.
pub(crate) fn run(options: &Watch, settings: &Settings, console: &Console) -> Result<Outcome, Failure> {
    let rules = Arc::new(load(options, console)?);
    let signals = Signals::catch()
        .context("signals cannot be caught")
        .map_err(Failure::internal)?;
    let started = Instant::now();
    let numbers = Arc::new(Numbers::new());
    let detections = Arc::new(Detections::default());
    numbers.rules.store(running(&rules), Ordering::Relaxed);
    let source = Source::of(options)?;
    // One thread keeps alerts in the order of events where nothing hurries.
    let workers = match (&source, options.threads) {
        (_, Some(threads)) => threads,
        (Source::Kernel, None) => std::thread::available_parallelism().map_or(1, usize::from),
        _ => 1,
    };
    let (sender, matches) = sync_channel(MATCHES);
    let mut engine = Engine::start(workers, &rules, &sender)
        .context("threads that evaluate rules cannot be started")
        .map_err(Failure::internal)?;
    drop(sender);
    let counters = Arc::clone(engine.counters());
    let hostname = hostname();
    let settings_of_outputs: Vec<OutputSettings> = settings
        .watch
        .outputs
        .iter()
        .cloned()
        .chain(options.output.iter().map(|to| OutputSettings {
            iso_8601: options.iso_8601,
            ..OutputSettings::new(to)
        }))
        .collect();
    let aggregate = settings.watch.aggregate.clone();
    let outputs = Arc::new(
        Outputs::start(&settings_of_outputs, &|| Box::new(std::io::stdout())).map_err(Failure::usage)?,
    );
    let emitter = Emitter {
        hostname: hostname.clone(),
        screen: screen(
            options,
            console,
            &source,
            started,
            &numbers,
            &detections,
            &counters,
        )?,
        aggregator: Aggregator::new(AggregateSettings {
            rate: options.alert_rate.unwrap_or(aggregate.rate),
            burst: options.alert_burst.unwrap_or(aggregate.burst),
            duplicates_seconds: options.deduplicate.unwrap_or(aggregate.duplicates_seconds),
            ..aggregate
        }),
        outputs: Arc::clone(&outputs),
        detections: Arc::clone(&detections),
    };
    let stop = Arc::clone(&signals.stop);
    let emitting = std::thread::Builder::new()
        .name("alerts".to_owned())
        .spawn(move || {
            let ended = emitter.run(&matches);
            // Without a reader of alerts there is nothing to watch for.
            stop.store(true, Ordering::Relaxed);
            ended
        })
        .context("the thread that writes alerts cannot be started")
        .map_err(Failure::internal)?;
    let _metrics = match options.metrics {
        Some(address) => Some(serve_metrics(
            address,
            &numbers,
            &detections,
            &counters,
            &outputs,
        )?),
        None => None,
    };
    let resolver = (!settings.offline)
        .then(|| names::Resolver::start(&rules))
        .transpose()
        .context("the thread that looks up names cannot be started")
        .map_err(Failure::internal)?;

    let mut watching = Watching {
        options,
        console,
        signals,
        started,
        numbers: Arc::clone(&numbers),
        waiting: Waiting::new(if options.replay.is_some() {
            Duration::ZERO
        } else {
            Duration::from_millis(options.container_wait)
        }),
        engine: &mut engine,
        resolver: resolver.as_ref(),
        outputs: &outputs,
        rules,
        hostname,
    };
    let watched = match &source {
        Source::Kernel => watching.kernel(),
        Source::Replay(file) => watching.replay(file),
        Source::Json(source, file) => watching.json(*source, file),
        Source::Webhook(address) => watching.webhook(*address),
    };
    let (waiting, engine_left) = (&mut watching.waiting, &mut *watching.engine);
    waiting.release(Instant::now(), true, &mut |event| engine_left.push(event));
    numbers
        .unenriched
        .store(watching.waiting.unenriched, Ordering::Relaxed);
    let well = engine.finish();
    let emitted = emitting.join();
    watched?;
    match emitted {
        Ok(ended) => super::printed(ended)?,
        Err(_) => return Err(Failure::internal(anyhow!("the thread that writes alerts failed"))),
    }
    if !well {
        return Err(Failure::internal(anyhow!("a thread that evaluates rules failed")));
    }
    if let Some(outputs) = Arc::into_inner(outputs) {
        for (name, counts) in outputs.counts() {
            let lost = counts.failed.load(Ordering::Relaxed) + counts.dropped.load(Ordering::Relaxed);
            if lost > 0 {
                let reason = counts.last_error().unwrap_or_default();
                console.note(&format!("{lost} detections did not reach {name}: {reason}"));
            }
        }
        outputs.stop(LAST_DELIVERIES);
    }
    finish(options, console, started, &numbers, &detections, &counters)?;
    Ok(Outcome::Done)
}

/// Serves figures; they are gathered when asked for.
fn serve_metrics(
    address: SocketAddr,
    numbers: &Arc<Numbers>,
    detections: &Arc<Detections>,
    counters: &Arc<Counters>,
    outputs: &Outputs,
) -> Result<MetricsServer, Failure> {
    let registry = Arc::new(Registry::default());
    registry.add(outputs.metrics());
    let (numbers, detections, counters) = (Arc::clone(numbers), Arc::clone(detections), Arc::clone(counters));
    registry.add(Arc::new(move |out: &mut Exposition| {
        metrics(out, &numbers, &detections, &counters);
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
        let rules = numbers.rules.load(Ordering::Relaxed) as f64;
        out.gauge("hullward_rules", "Rules that run.", &[], rules);
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

/// Where events come from.
enum Source<'a> {
    Kernel,
    Replay(&'a Path),
    Json(&'static dyn sensor::json::sources::Source, &'a Path),
    Webhook(SocketAddr),
}

impl<'a> Source<'a> {
    fn of(options: &'a Watch) -> Result<Self, Failure> {
        if let Some(file) = &options.replay {
            return Ok(Self::Replay(file));
        }
        let Some(file) = &options.events else {
            return Ok(options.k8s_audit_listen.map_or(Self::Kernel, Self::Webhook));
        };
        let name = options.source.as_deref().unwrap_or("k8s_audit");
        let source = sensor::json::sources::find(name).ok_or_else(|| {
            let names: Vec<&str> = sensor::json::sources::ALL
                .iter()
                .map(|source| source.name())
                .collect();
            Failure::usage(anyhow!(
                "`{name}` is no source of JSON events: expected one of {}",
                names.join(", ")
            ))
        })?;
        Ok(Self::Json(source, file))
    }
}

fn running(rules: &RuleSet) -> u64 {
    rules.rules().iter().filter(|rule| rule.enabled).count() as u64
}

/// The rules that the options name, or Hullward's own.
fn load(options: &Watch, console: &Console) -> Result<RuleSet, Failure> {
    let load_options = LoadOptions {
        all_matches: options.all_matches,
        append_output: options
            .append_output_field
            .iter()
            .map(|field| AppendOutput {
                format: format!("{field}=%{field}"),
                ..AppendOutput::default()
            })
            .collect(),
        ..LoadOptions::default()
    };
    let rules = super::rules::load_with(&options.rules, load_options, console)?;
    if running(&rules) == 0 {
        return Err(Failure::usage(anyhow!(
            "no rule is left to watch for: every rule is off, or left out by --min-priority, --tag or --without-tag"
        )));
    }
    Ok(rules)
}

fn screen(
    options: &Watch,
    console: &Console,
    source: &Source<'_>,
    started: Instant,
    numbers: &Arc<Numbers>,
    detections: &Arc<Detections>,
    counters: &Arc<Counters>,
) -> Result<Screen, Failure> {
    let terminal = std::io::stdout().is_terminal();
    match &options.format {
        Some(name) => {
            let format = report::alerts::find(name).ok_or_else(|| {
                let names: Vec<&str> = report::alerts::ALL
                    .iter()
                    .map(|format| format.meta().name)
                    .collect();
                Failure::usage(anyhow!(
                    "`{name}` is no format of alerts: expected text, json, ocsf, or one of {}",
                    names.join(", ")
                ))
            })?;
            Ok(Screen::Lines(format, alert_options(options)))
        }
        None if terminal && !options.plain && matches!(source, Source::Kernel) => Ok(Screen::Live {
            color: console.wants_color(),
            snapshot: Box::new(snapshots(started, numbers, detections, counters)),
        }),
        None => report::alerts::find("text")
            .map(|format| Screen::Lines(format, alert_options(options)))
            .ok_or_else(|| Failure::internal(anyhow!("there is no text format of alerts"))),
    }
}

fn alert_options(options: &Watch) -> AlertOptions {
    AlertOptions {
        iso_8601: options.iso_8601,
        process: std::process::id(),
        ..AlertOptions::default()
    }
}

/// Gives the numbers of now for the live view, rates since the last time it was asked.
fn snapshots(
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
        shown.rules = usize::try_from(numbers.rules.load(Ordering::Relaxed)).unwrap_or(usize::MAX);
        for (shown, count) in shown.detections.iter_mut().zip(&detections.by_priority) {
            *shown = count.load(Ordering::Relaxed);
        }
        shown.clone()
    }
}

/// A watch that runs.
struct Watching<'a> {
    options: &'a Watch,
    console: &'a Console,
    signals: Signals,
    started: Instant,
    numbers: Arc<Numbers>,
    waiting: Waiting,
    engine: &'a mut Engine<Event>,
    resolver: Option<&'a names::Resolver>,
    rules: Arc<RuleSet>,
    outputs: &'a Outputs,
    hostname: String,
}

impl Watching<'_> {
    fn expired(&self) -> bool {
        self.signals.stopped()
            || self
                .options
                .seconds
                .is_some_and(|seconds| self.started.elapsed().as_secs_f64() >= seconds)
    }

    fn sensor_config(&self) -> SensorConfig {
        let wanted = if self.options.record.is_some() {
            // A capture is for rules that are not written yet.
            EventType::all().filter(|kind| kind.info().is_syscall).collect()
        } else {
            self.rules.event_types("syscall")
        };
        let over_tcp = [(Field::FdL4proto, Value::text(b"tcp"))];
        let without_tcp = if self.options.record.is_some() {
            BTreeSet::new()
        } else {
            wanted
                .iter()
                .copied()
                .filter(|kind| !self.rules.can_match("syscall", *kind, &over_tcp))
                .collect()
        };
        SensorConfig {
            wanted,
            without_tcp,
            environment: self.options.record.is_some() || uses_environment(&self.rules),
            ring_bytes: usize::from(self.options.buffer_mib) << 20,
            budget_per_cgroup: (self.options.container_budget > 0).then_some(self.options.container_budget),
            ..SensorConfig::default()
        }
    }

    /// Takes in what SIGHUP asked for: the new rules when they are right, else a note, and the old ones stay.
    fn reload(&mut self) -> bool {
        if !self.signals.reload.swap(false, Ordering::Relaxed) {
            return false;
        }
        self.outputs.reopen();
        match load(self.options, self.console) {
            Ok(rules) => {
                self.rules = Arc::new(rules);
                self.engine.reload(&self.rules);
                if let Some(resolver) = self.resolver {
                    resolver.reload(&self.rules);
                }
                self.numbers.rules.store(running(&self.rules), Ordering::Relaxed);
                self.console
                    .note(&format!("rules are loaded anew: {} run", running(&self.rules)));
                true
            }
            Err(failure) => {
                self.console.failure(
                    &failure.error,
                    Some("the rules that were loaded before stay in force"),
                );
                false
            }
        }
    }

    fn kernel(&mut self) -> Result<(), Failure> {
        let containers = Containers::start(runtimes::options(&self.options.runtime_socket))
            .context("the threads that ask container runtimes cannot be started")
            .map_err(Failure::internal)?;
        let (mut kernel, report) = KernelSensor::start(&self.sensor_config()).map_err(Failure::unreadable)?;
        for program in &report.programs {
            if let Some(reason) = &program.refused {
                self.console.note(&format!(
                    "this kernel does not let the sensor see {} ({reason})",
                    program.purpose
                ));
            }
        }
        let mut clock = boot_offset();
        let reader = HostProc::start(Path::new("/proc"), uses_environment(&self.rules))
            .context("the thread that reads /proc cannot be started")
            .map_err(Failure::internal)?;
        let mut state = State::new(StateOptions {
            boot_offset: clock,
            hostname: self.hostname.clone(),
            reader: Some(Box::new(reader)),
            containers: containers.clone(),
            ..StateOptions::default()
        });
        let mut writer = match &self.options.record {
            Some(path) => Some(self.capture(path, clock)?),
            None => None,
        };
        kernel
            .snapshot(&mut |record| {
                // What was there before is no event; it is only known from now on.
                let _ = state.apply(&record);
            })
            .map_err(Failure::unreadable)?;
        self.console.note(&format!(
            "watching with {} rules on kernel {} ({} processes known)",
            running(&self.rules),
            report.release,
            state.statistics().processes
        ));
        if let Some(writer) = &mut writer {
            writer.snapshot(&state, &containers).map_err(not_recorded)?;
        }
        let mut failed = None;
        let mut recorded = 0;
        // Events by container since the last refresh.
        let mut busy: HashMap<*const ContainerCell, (Arc<ContainerCell>, u64)> = HashMap::new();
        let mut refreshed = Instant::now();
        while !self.expired() {
            if self.reload() {
                kernel
                    .reconfigure(&self.sensor_config())
                    .map_err(Failure::internal)?;
            }
            let now = Instant::now();
            let (waiting, engine, numbers) = (&mut self.waiting, &mut *self.engine, &self.numbers);
            kernel
                .poll(POLL, &mut |record| {
                    if let Some(writer) = &mut writer
                        && let Err(error) = writer.record(&record)
                    {
                        failed = Some(error);
                    }
                    if let Some(event) = state.apply(&record) {
                        numbers.count(event.event_type());
                        if let Some(cell) = event.container() {
                            let seen = busy
                                .entry(Arc::as_ptr(cell))
                                .or_insert_with(|| (Arc::clone(cell), 0));
                            seen.1 += 1;
                        }
                        waiting.push(Event::Kernel(Box::new(event)), now, &mut |event| {
                            engine.push(event);
                        });
                    }
                })
                .map_err(Failure::internal)?;
            if !waiting.is_empty() {
                waiting.release(Instant::now(), false, &mut |event| engine.push(event));
            }
            engine.flush();
            if let Some(error) = failed.take() {
                return Err(not_recorded(error));
            }
            // Before a container that lives shortly is forgotten.
            let found = containers.statistics().found;
            if let Some(writer) = &mut writer
                && found != recorded
            {
                recorded = found;
                writer.facts(&state, &containers).map_err(not_recorded)?;
            }
            if refreshed.elapsed() >= REFRESH {
                refreshed = Instant::now();
                self.numbers.count_containers(busy.drain().map(|(_, seen)| seen));
                // Reading two clocks takes a moment, so the offset trembles; only a clock that was set moves it.
                let offset = boot_offset();
                if offset.abs_diff(clock) > CLOCK_STEP {
                    clock = offset;
                    state.set_boot_offset(offset);
                }
                self.refresh(&kernel, &state)?;
            }
        }
        if let Some(mut writer) = writer {
            writer.facts(&state, &containers).map_err(not_recorded)?;
            let left_out = writer.left_out();
            if left_out > 0 {
                self.console.note(&format!(
                    "{left_out} events were left out of the capture, which is full"
                ));
            }
            writer.finish().map_err(not_recorded)?;
        }
        self.refresh(&kernel, &state)?;
        Ok(())
    }

    fn capture(&self, path: &Path, offset: i64) -> Result<Writer<BufWriter<File>>, Failure> {
        // The one file that grows while the program runs; everything else is written at once.
        #[allow(clippy::disallowed_methods, reason = "named on the command line")]
        let file = File::create(path)
            .with_context(|| format!("the capture {} cannot be written", path.display()))
            .map_err(Failure::usage)?;
        let host = CaptureHost::native(&self.hostname, offset);
        Writer::new(
            BufWriter::new(file),
            &host,
            u64::from(self.options.record_mib) << 20,
        )
        .map_err(not_recorded)
    }

    fn refresh(&self, kernel: &KernelSensor, state: &State) -> Result<(), Failure> {
        let losses = kernel.losses().map_err(Failure::internal)?;
        *self.numbers.losses.lock().unwrap_or_else(PoisonError::into_inner) = losses;
        let statistics = state.statistics();
        let alive = statistics.processes.saturating_sub(statistics.ended);
        self.numbers.processes.store(alive as u64, Ordering::Relaxed);
        self.numbers
            .unenriched
            .store(self.waiting.unenriched, Ordering::Relaxed);
        Ok(())
    }

    fn replay(&mut self, file: &Path) -> Result<(), Failure> {
        let input = artifact::files::open(file)?;
        let mut replay = Replay::open(input)
            .with_context(|| format!("{} cannot be replayed", file.display()))
            .map_err(Failure::unreadable)?;
        while !self.signals.stopped() {
            let event = replay
                .event()
                .with_context(|| format!("{} cannot be replayed further", file.display()))
                .map_err(Failure::unreadable)?;
            let Some(event) = event else { break };
            self.numbers.count(event.event_type());
            self.engine.push(Event::Kernel(Box::new(event)));
        }
        if replay.is_cut() {
            self.console.note(&format!(
                "{} was cut off; it was replayed up to there",
                file.display()
            ));
        }
        Ok(())
    }

    fn json(
        &mut self,
        source: &'static dyn sensor::json::sources::Source,
        file: &Path,
    ) -> Result<(), Failure> {
        let surroundings = Surroundings {
            hostname: self.hostname.clone(),
            ..Surroundings::default()
        };
        let mut intake = Intake::new(source, surroundings);
        let (console, numbers, engine) = (self.console, &self.numbers, &mut *self.engine);
        let mut sink = |event: Result<_, model::Problem>| match event {
            Ok(event) => {
                let event = Event::Json(Box::new(event));
                numbers.count(event.event_type());
                engine.push(event);
            }
            Err(problem) => console.note(&problem.to_string()),
        };
        if self.options.follow {
            let mut follower = sensor::json::files::Follower::new(file, false);
            while !self.signals.stopped() {
                if !follower.poll(&mut intake, now(), &mut sink) {
                    std::thread::sleep(POLL);
                }
            }
        } else {
            sensor::json::files::read_path(file, &mut intake, now(), &mut sink);
        }
        Ok(())
    }
}

impl Watching<'_> {
    fn webhook(&mut self, address: SocketAddr) -> Result<(), Failure> {
        let Some(source) = sensor::json::sources::find("k8s_audit") else {
            return Err(Failure::internal(anyhow!("there is no source `k8s_audit`")));
        };
        let tls = match (&self.options.tls_certificate, &self.options.tls_key) {
            (Some(certificate), Some(key)) => Some(TlsFiles {
                certificate: certificate.clone(),
                key: key.clone(),
                client_ca: self.options.tls_client_ca.clone(),
            }),
            _ => None,
        };
        let (sender, bodies) = sync_channel(BODIES);
        let settings = AuditSettings {
            listen: address,
            tls,
            max_body: 16 << 20,
        };
        let receiver = AuditReceiver::start(&settings, sender).map_err(Failure::usage)?;
        self.console.note(&format!(
            "watching Kubernetes audit events at {} with {} rules",
            receiver.address(),
            running(&self.rules)
        ));
        let surroundings = Surroundings {
            hostname: self.hostname.clone(),
            ..Surroundings::default()
        };
        let mut intake = Intake::new(source, surroundings);
        while !self.expired() {
            self.reload();
            let Ok(body) = bodies.recv_timeout(POLL) else {
                continue;
            };
            for event in intake.take(&body, now()) {
                match event {
                    Ok(event) => {
                        let event = Event::Json(Box::new(event));
                        self.numbers.count(event.event_type());
                        self.engine.push(event);
                    }
                    Err(problem) => self.console.note(&problem.to_string()),
                }
            }
            self.engine.flush();
        }
        Ok(())
    }
}

/// Bodies of audit events that wait; when there are more, the API server is told to send again.
const BODIES: usize = 64;

/// Whether anything asks for the environment of programs, which is copied only then.
fn uses_environment(rules: &RuleSet) -> bool {
    rules.uses(Field::ProcEnv) || rules.uses(Field::ProcAenv)
}

fn not_recorded(error: std::io::Error) -> Failure {
    Failure::internal(anyhow::Error::new(error).context("the capture cannot be written"))
}

/// Nanoseconds since the Unix epoch.
fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .ok()
        .and_then(|time| u64::try_from(time.as_nanos()).ok())
        .unwrap_or(0)
}

/// What is added to nanoseconds since boot to get nanoseconds since the Unix epoch.
fn boot_offset() -> i64 {
    i64::try_from(i128::from(now()) - i128::from(sensor::now())).unwrap_or(0)
}

fn hostname() -> String {
    artifact::files::read(Path::new("/proc/sys/kernel/hostname"), 4_096).map_or_else(
        |_| "localhost".to_owned(),
        |name| String::from_utf8_lossy(&name).trim().to_owned(),
    )
}

/// Says what was seen, and writes it where asked.
fn finish(
    options: &Watch,
    console: &Console,
    started: Instant,
    numbers: &Numbers,
    detections: &Detections,
    counters: &Counters,
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
