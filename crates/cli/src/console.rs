//! What is said on standard error: failures, hints, notes, progress. Data never goes there.

use crate::arguments::Global;
use crate::settings::Settings;
use model::path::printable;
use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// Writes a line to standard error. Nobody listening there (`2>&1 | head`) must not end the program, as `eprintln!` would.
macro_rules! say {
    ($($argument:tt)*) => {{
        let _ = writeln!(std::io::stderr(), $($argument)*);
    }};
}

/// A value as JSON, safe to print.
pub(crate) fn json(value: &impl serde::Serialize) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    report::write_json(value, &mut bytes)?;
    String::from_utf8(bytes).map_err(std::io::Error::other)
}

/// Standard error, as the user wants it.
pub(crate) struct Console {
    quiet: bool,
    verbose: bool,
    color: bool,
    wants_color: bool,
    terminal: bool,
    started: Instant,
    done: AtomicUsize,
    total: AtomicUsize,
    /// Entries and bytes of files that went by.
    entries: AtomicU64,
    bytes: AtomicU64,
    /// Milliseconds from the start to when the line of progress was last written.
    shown: AtomicU64,
    cache_failed: AtomicBool,
    gathered: Arc<Gathered>,
}

/// The most lines that wait for a live view; more are printed at once.
const MOST_GATHERED: usize = 1_000;

/// Lines that a live view shows in its place, since writing between its own would spoil them.
#[derive(Debug, Default)]
pub(crate) struct Gathered(Mutex<Option<Vec<String>>>);

impl Gathered {
    fn lock(&self) -> MutexGuard<'_, Option<Vec<String>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was said since the last time.
    pub(crate) fn take(&self) -> Vec<String> {
        self.lock().as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Keeps lines; gives them back when nobody shows them.
    fn keep(&self, lines: String) -> Option<String> {
        match &mut *self.lock() {
            Some(kept) if kept.len() < MOST_GATHERED => {
                kept.push(lines);
                None
            }
            _ => Some(lines),
        }
    }
}

impl Console {
    /// A console as the options, the configuration and the environment say.
    pub(crate) fn new(global: &Global, settings: Option<&Settings>) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let wants_color =
            !global.no_color && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let quiet = global.quiet || settings.is_some_and(|settings| settings.quiet && !global.verbose);
        Self {
            quiet,
            verbose: global.verbose,
            color: wants_color && terminal,
            wants_color,
            terminal,
            started: Instant::now(),
            done: AtomicUsize::new(0),
            total: AtomicUsize::new(0),
            entries: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            shown: AtomicU64::new(0),
            cache_failed: AtomicBool::new(false),
            gathered: Arc::default(),
        }
    }

    /// From now on, lines are kept for a live view on the same terminal, until [`Self::release`].
    pub(crate) fn gather(&self) -> Arc<Gathered> {
        if self.terminal {
            *self.gathered.lock() = Some(Vec::new());
        }
        Arc::clone(&self.gathered)
    }

    /// Prints what was kept and not shown, and from now on everything at once.
    pub(crate) fn release(&self) {
        for line in self.gathered.lock().take().unwrap_or_default() {
            say!("{line}");
        }
    }

    /// Prints lines, or has them shown by the live view.
    fn tell(&self, lines: String) {
        if let Some(lines) = self.gathered.keep(lines) {
            self.clear_progress();
            say!("{lines}");
        }
    }

    /// True unless the user asked for no colours.
    pub(crate) fn wants_color(&self) -> bool {
        self.wants_color
    }

    /// A failure, its causes in one line each, and what can be done.
    pub(crate) fn failure(&self, error: &anyhow::Error, hint: Option<&str>) {
        let mut lines: Vec<String> = Vec::new();
        for cause in error.chain() {
            let text = cause.to_string();
            // Wrappers that only repeat their cause say nothing new.
            if lines.last() != Some(&text) {
                lines.push(text);
            }
        }
        let mut told: Vec<String> = Vec::new();
        for (index, line) in lines.iter().enumerate() {
            told.push(if index == 0 {
                format!("{} {}", self.paint("error:", "31;1"), printable(line))
            } else {
                format!("  caused by: {}", printable(line))
            });
        }
        if let Some(hint) = hint {
            told.push(format!("{} {}", self.paint("hint:", "36;1"), printable(hint)));
        }
        self.tell(told.join("\n"));
    }

    /// What a caught failure of our own says, for a report of the flaw.
    pub(crate) fn panic(text: &str) {
        say!("{}", printable(text));
    }

    /// Something the user should know though nothing failed.
    pub(crate) fn note(&self, text: &str) {
        if !self.quiet {
            self.tell(format!("{} {}", self.paint("note:", "33;1"), printable(text)));
        }
    }

    /// Something only `--verbose` shows, with the time since the start.
    pub(crate) fn detail(&self, text: &str) {
        if self.verbose {
            self.tell(format!(
                "[{:>7.3} s] {}",
                self.started.elapsed().as_secs_f64(),
                printable(text)
            ));
        }
    }

    /// A step of a longer job, shown in place on a terminal only.
    pub(crate) fn step(&self, text: &str) {
        if self.shows_steps() {
            let _ = write!(std::io::stderr(), "\r\x1b[K{}", printable(text));
            let _ = std::io::stderr().flush();
        }
    }

    /// Removes what [`Self::step`] shows.
    pub(crate) fn clear_progress(&self) {
        if self.shows_steps() {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
            let _ = std::io::stderr().flush();
        }
    }

    fn shows_steps(&self) -> bool {
        self.terminal && !self.quiet && !self.verbose
    }

    fn paint(&self, text: &str, code: &str) -> String {
        if self.color {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}

/// Entries between two looks at the clock.
const LOOK_EVERY: u64 = 64;
/// Milliseconds between two lines of progress.
const STEP_MILLISECONDS: u64 = 100;

/// How far reading has come. Layers are counted where there are several.
fn progress_line(done: usize, total: usize, entries: u64, bytes: u64) -> String {
    let layers = if total > 1 {
        format!("{done} of {total} layers, ")
    } else {
        String::new()
    };
    format!("reading: {layers}{entries} entries, {} MiB", bytes >> 20)
}

impl scan::Progress for Console {
    fn layers(&self, to_read: usize, cached: usize) {
        self.total.store(to_read, Ordering::Relaxed);
        self.detail(&format!("{to_read} layers to read, {cached} from the cache"));
        if to_read > 0 {
            self.step(&format!("reading {to_read} layers"));
        }
    }

    fn entry(&self, bytes: u64) {
        let entries = self.entries.fetch_add(1, Ordering::Relaxed) + 1;
        let bytes = self.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes;
        if !self.shows_steps() || !entries.is_multiple_of(LOOK_EVERY) {
            return;
        }
        let now = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let shown = self.shown.load(Ordering::Relaxed);
        let due = now.saturating_sub(shown) >= STEP_MILLISECONDS;
        // Whoever sets the time writes the line.
        let exchange = |shown| {
            self.shown
                .compare_exchange(shown, now, Ordering::Relaxed, Ordering::Relaxed)
        };
        if due && exchange(shown).is_ok() {
            let (done, total) = (
                self.done.load(Ordering::Relaxed),
                self.total.load(Ordering::Relaxed),
            );
            self.step(&progress_line(done, total, entries, bytes));
        }
    }

    fn layer_done(&self) {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        let total = self.total.load(Ordering::Relaxed);
        self.detail(&format!("layer {done} of {total} is read"));
        self.step(&format!("read {done} of {total} layers"));
    }

    fn cache_not_written(&self, message: &str) {
        // Where one thing cannot be kept the others mostly cannot either.
        if self.cache_failed.swap(true, Ordering::Relaxed) {
            self.detail(message);
        } else {
            self.note(message);
        }
    }

    fn matching(&self, packages: usize) {
        self.detail(&format!("{packages} packages to look up"));
        self.clear_progress();
    }
}
