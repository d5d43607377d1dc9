//! `hullward watch`: sees what containers and the host do, and raises detections.

mod clock;
mod emit;
mod engine;
mod event;
mod feeds;
mod figures;
mod live;
mod names;
mod recorder;
mod runtimes;
mod standard_output;
mod waiting;

use crate::arguments::Watch;
use crate::commands::rules::count;
use crate::console::Console;
use crate::settings::Settings;
use crate::{Failure, Outcome};
use anyhow::{Context as _, anyhow};
use clock::Clock;
use detect::{AppendOutput, LoadOptions, RuleSet};
use emit::{Detections, Emitter, Screen};
use engine::{Counters, Engine};
use event::Event;
use feeds::{EventFile, Feeds};
use figures::Numbers;
use model::event::{EventType, EventView, Field, Value};
use recorder::Recorder;
use report::alerts::AlertOptions;
use sensor::capture::{CaptureHost, Replay, Writer};
use sensor::containers::{ContainerCell, Containers};
use sensor::state::{HostProc, State, StateOptions};
use sensor::{KernelSensor, SensorConfig};
use server::aggregate::{AggregateSettings, Aggregator};
use server::{OutputSettings, Outputs};
use standard_output::{Patience, StandardOutput};
use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::io::{BufWriter, IsTerminal as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use waiting::Waiting;

/// Matches that wait to become alerts.
const MATCHES: usize = 4_096;
/// How long the reader waits for the kernel before it looks after other things.
const POLL: Duration = Duration::from_millis(50);
/// How long outputs may go on delivering after the end.
const LAST_DELIVERIES: Duration = Duration::from_secs(5);
/// How long standard output is waited for while events come.
const STDOUT_PATIENCE: Duration = Duration::from_secs(2);
/// How often numbers are brought up to date.
const REFRESH: Duration = Duration::from_millis(500);
/// How often memory that a burst has left behind is given back.
const TRIM: Duration = Duration::from_secs(60);

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

/// Runs the command.
///
/// # Errors
/// When rules are wrong, a source cannot be read, or the sensor cannot be started.
pub(crate) fn run(options: &Watch, settings: &Settings, console: &Console) -> Result<Outcome, Failure> {
    let sources = Sources::of(options)?;
    let rules = Arc::new(load(options, console)?);
    recorder::tell_of_wishes(&rules, options, console);
    let signals = Signals::catch()
        .context("signals cannot be caught")
        .map_err(Failure::internal)?;
    let started = Instant::now();
    let numbers = Arc::new(Numbers::new());
    let detections = Arc::new(Detections::default());
    numbers.set_rules(&rules);
    // One thread keeps alerts in the order of events where nothing hurries.
    let workers = match options.threads {
        Some(threads) => threads,
        None if sources.kernel => std::thread::available_parallelism().map_or(1, usize::from),
        None => 1,
    };
    let (sender, matches) = sync_channel(MATCHES);
    let mut engine = Engine::start(workers, &rules, &sender, options.metrics.is_some())
        .context("threads that evaluate rules cannot be started")
        .map_err(Failure::internal)?;
    drop(sender);
    let counters = Arc::clone(engine.counters());
    let hostname = hostname();
    let patience = if sources.can_wait() {
        Patience::UntilStopped(Arc::clone(&signals.stop), STDOUT_PATIENCE)
    } else {
        Patience::Bounded(STDOUT_PATIENCE)
    };
    let stdout = StandardOutput::start(Box::new(std::io::stdout()), patience)
        .context("the thread that writes to standard output cannot be started")
        .map_err(Failure::internal)?;
    let settings_of_outputs: Vec<OutputSettings> = settings
        .watch
        .outputs
        .iter()
        .cloned()
        .chain(options.output.iter().map(|to| OutputSettings {
            iso_8601: options.iso_8601,
            local_time: options.local_time,
            ..OutputSettings::new(to)
        }))
        .collect();
    let aggregate = settings.watch.aggregate.clone();
    let outputs =
        Arc::new(Outputs::start(&settings_of_outputs, &|| Box::new(stdout.clone())).map_err(Failure::usage)?);
    let (captures, recorder) = match recorder::open(options, &hostname, &numbers)? {
        Some((captures, recorder)) => (Some(captures), Some(recorder)),
        None => (None, None),
    };
    let emitter = Emitter {
        hostname: hostname.clone(),
        screen: screen(
            options,
            console,
            &sources,
            started,
            &numbers,
            &detections,
            &counters,
        )?,
        stdout: stdout.clone(),
        captures,
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
    let metrics = match options.metrics {
        Some(address) => Some(figures::serve_metrics(
            address,
            &numbers,
            &detections,
            &counters,
            &outputs,
            stdout.figures(),
        )?),
        None => None,
    };
    if let Some(metrics) = &metrics {
        console.note(&format!("figures are at http://{}/metrics", metrics.address()));
    }
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
        recorder,
    };
    let watched = watching.watch(&sources);
    let (waiting, engine_left) = (&mut watching.waiting, &mut *watching.engine);
    waiting.release(Instant::now(), true, &mut |event| engine_left.push(event));
    numbers
        .unenriched
        .store(watching.waiting.unenriched, Ordering::Relaxed);
    let well = engine.finish();
    let emitted = emitting.join();
    console.release();
    watched?;
    match emitted {
        Ok(ended) => super::printed(ended)?,
        Err(_) => return Err(Failure::internal(anyhow!("the thread that writes alerts failed"))),
    }
    if !well {
        return Err(Failure::internal(anyhow!("a thread that evaluates rules failed")));
    }
    if let Some(outputs) = Arc::into_inner(outputs) {
        let counts = outputs.counts();
        outputs.stop(LAST_DELIVERIES);
        for (name, counts) in counts {
            let lost = counts.failed.load(Ordering::Relaxed) + counts.dropped.load(Ordering::Relaxed);
            if lost > 0 {
                let reason = counts.last_error().unwrap_or_default();
                console.note(&format!("{lost} detections did not reach {name}: {reason}"));
            }
        }
    }
    super::printed(stdout.finish(LAST_DELIVERIES))?;
    let dropped = stdout.figures().dropped.load(Ordering::Relaxed);
    if dropped > 0 {
        console.note(&format!(
            "{dropped} lines did not reach standard output: whoever reads it does not keep up"
        ));
    }
    figures::finish(
        options,
        console,
        started,
        &numbers,
        &detections,
        &counters,
        stdout.figures(),
    )?;
    Ok(Outcome::Done)
}

/// Where events come from.
struct Sources {
    kernel: bool,
    replay: Option<PathBuf>,
    files: Vec<EventFile>,
    webhook: Option<SocketAddr>,
    follow: bool,
}

impl Sources {
    fn of(options: &Watch) -> Result<Self, Failure> {
        let usual = options.source.as_deref().unwrap_or("k8s_audit");
        let files = options
            .events
            .iter()
            .map(|file| EventFile::parse(file, usual))
            .collect::<Result<Vec<_>, _>>()?;
        let only_json = !files.is_empty() || options.k8s_audit_listen.is_some();
        let kernel = options.kernel || (options.replay.is_none() && !only_json);
        for (given, option) in [
            (options.record.is_some(), "--record"),
            (options.capture_folder.is_some(), "--capture-folder"),
        ] {
            if given && !kernel {
                return Err(Failure::usage(anyhow!(
                    "{option} keeps events of the kernel, which is not watched here: add --kernel"
                )));
            }
        }
        Ok(Self {
            kernel,
            replay: options.replay.clone(),
            files,
            webhook: options.k8s_audit_listen,
            follow: options.follow,
        })
    }

    /// Whether the events are there already and wait until somebody reads them.
    fn can_wait(&self) -> bool {
        !self.kernel && self.webhook.is_none() && !self.follow
    }
}

fn running(rules: &RuleSet) -> usize {
    rules.rules().iter().filter(|rule| rule.enabled).count()
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
        return Err(Failure::usage(if rules.rules().is_empty() {
            anyhow!("there is nothing to watch for: the rule files hold no rule")
        } else {
            anyhow!(
                "no rule is left to watch for: every rule is off, or left out by --min-priority, --tag or --without-tag"
            )
        }));
    }
    Ok(rules)
}

fn screen(
    options: &Watch,
    console: &Console,
    sources: &Sources,
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
        None if terminal && !options.plain && sources.kernel => Ok(Screen::Live {
            color: console.wants_color(),
            local_time: options.local_time,
            snapshot: Box::new(figures::snapshots(started, numbers, detections, counters)),
            notes: console.gather(),
        }),
        None => report::alerts::find("text")
            .map(|format| Screen::Lines(format, alert_options(options)))
            .ok_or_else(|| Failure::internal(anyhow!("there is no text format of alerts"))),
    }
}

fn alert_options(options: &Watch) -> AlertOptions {
    AlertOptions {
        iso_8601: options.iso_8601,
        local_time: options.local_time,
        process: std::process::id(),
        ..AlertOptions::default()
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
    recorder: Option<Recorder>,
}

impl Watching<'_> {
    fn expired(&self) -> bool {
        self.signals.stopped()
            || self
                .options
                .seconds
                .is_some_and(|seconds| self.started.elapsed().as_secs_f64() >= seconds)
    }

    fn watch(&mut self, sources: &Sources) -> Result<(), Failure> {
        if let Some(file) = &sources.replay {
            return self.replay(file);
        }
        let mut feeds = Feeds::start(
            &sources.files,
            sources.webhook,
            self.options,
            &self.hostname,
            self.console,
        )?;
        let watched = if sources.kernel {
            self.kernel(&mut feeds)
        } else {
            if !sources.can_wait() {
                self.console
                    .note(&format!("watching with {}", count(running(&self.rules), "rule")));
            }
            self.json(&mut feeds);
            Ok(())
        };
        feeds.finish(self.console);
        watched
    }

    /// Judges JSON events alone.
    fn json(&mut self, feeds: &mut Feeds) {
        while !self.expired() {
            self.reload();
            let (engine, numbers) = (&mut *self.engine, &self.numbers);
            let more = feeds.wait(POLL, self.console, &mut |event| {
                numbers.count(event.event_type());
                engine.push(event);
            });
            self.engine.flush();
            if !more {
                return;
            }
        }
    }

    /// What is asked of the kernel: what the rules need, or everything, for captures.
    fn sensor_config(&self, everything: bool) -> SensorConfig {
        let everything = everything || self.options.record.is_some();
        let wanted = if everything {
            // A capture is for rules that are not written yet.
            EventType::all().filter(|kind| kind.info().is_syscall).collect()
        } else {
            self.rules.event_types("syscall")
        };
        let over_tcp = [(Field::FdL4proto, Value::text(b"tcp"))];
        let without_tcp = if everything {
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
            environment: everything || uses_environment(&self.rules),
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
                self.numbers.set_rules(&self.rules);
                recorder::tell_of_wishes(&self.rules, self.options, self.console);
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

    fn kernel(&mut self, feeds: &mut Feeds) -> Result<(), Failure> {
        let containers = Containers::start(runtimes::options(&self.options.runtime_socket))
            .context("the threads that ask container runtimes cannot be started")
            .map_err(Failure::internal)?;
        let (mut kernel, report) =
            KernelSensor::start(&self.sensor_config(false)).map_err(Failure::unreadable)?;
        for program in &report.programs {
            if let Some(reason) = &program.refused {
                self.console.note(&format!(
                    "this kernel does not let the sensor see {} ({reason})",
                    program.purpose
                ));
            }
        }
        let mut clock = Clock::new(|| (now(), sensor::now()));
        let reader = HostProc::start(Path::new("/proc"), uses_environment(&self.rules))
            .context("the thread that reads /proc cannot be started")
            .map_err(Failure::internal)?;
        let mut state = State::new(StateOptions {
            boot_offset: clock.offset(),
            hostname: self.hostname.clone(),
            reader: Some(Box::new(reader)),
            containers: containers.clone(),
            ..StateOptions::default()
        });
        let mut writer = match &self.options.record {
            Some(path) => Some(self.capture(path, clock.offset())?),
            None => None,
        };
        kernel
            .snapshot(&mut |record| {
                // What was there before is no event; it is only known from now on.
                let _ = state.apply(&record);
            })
            .map_err(Failure::unreadable)?;
        self.console.note(&format!(
            "watching with {} on kernel {} ({} processes known)",
            count(running(&self.rules), "rule"),
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
        let mut trimmed = Instant::now();
        let mut takes_everything = false;
        while !self.expired() {
            let everything =
                self.options.capture_all_events && self.recorder.as_ref().is_some_and(Recorder::is_active);
            if self.reload() || everything != takes_everything {
                takes_everything = everything;
                kernel
                    .reconfigure(&self.sensor_config(everything))
                    .map_err(Failure::internal)?;
            }
            let now = Instant::now();
            let (waiting, engine, numbers) = (&mut self.waiting, &mut *self.engine, &self.numbers);
            let recorder = &mut self.recorder;
            kernel
                .poll(POLL, &mut |record| {
                    if let Some(writer) = &mut writer
                        && let Err(error) = writer.record(&record)
                    {
                        failed = Some(error);
                    }
                    let event = state.apply(&record);
                    if let Some(recorder) = recorder {
                        recorder.record(&record, &mut state);
                    }
                    if let Some(event) = event {
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
            feeds.take_some(self.console, &mut |event| {
                numbers.count(event.event_type());
                engine.push(event);
            });
            engine.flush();
            if let Some(recorder) = recorder {
                recorder.turn(
                    sensor::now(),
                    clock.offset(),
                    &mut state,
                    &containers,
                    self.console,
                );
            }
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
                if let Some(offset) = clock.stepped() {
                    state.set_boot_offset(offset);
                }
                if trimmed.elapsed() >= TRIM {
                    trimmed = Instant::now();
                    sensor::give_back();
                }
                self.refresh(&kernel, &state)?;
            }
        }
        if let Some(recorder) = self.recorder.take() {
            recorder.finish(&state, &containers, self.console);
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
        let file = recorder::create(path, false)
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
        self.numbers.buffered.store(kernel.waiting(), Ordering::Relaxed);
        self.numbers
            .held
            .store(self.waiting.len() as u64, Ordering::Relaxed);
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
}

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

fn hostname() -> String {
    artifact::files::read(Path::new("/proc/sys/kernel/hostname"), 4_096).map_or_else(
        |_| "localhost".to_owned(),
        |name| String::from_utf8_lossy(&name).trim().to_owned(),
    )
}
