//! Captures that rules start: `capture: true` on a rule records what its container, or its process and those below it, does
//! from the detection on, for a while.
//!
//! Whoever raises a detection asks; the thread that reads the kernel writes, since it alone knows the state. What happened
//! between the two is kept in memory for that.

use super::engine::Matched;
use super::event::Event;
use super::figures::Numbers;
use crate::Failure;
use crate::arguments::{CaptureScope, Watch};
use crate::console::Console;
use anyhow::anyhow;
use detect::RuleSet;
use jiff::Timestamp;
use sensor::capture::{CaptureHost, Writer};
use sensor::containers::{ContainerCell, Containers};
use sensor::state::State;
use sensor::wire::{Header, Kind, Record, RecordBuilder};
use std::collections::{HashSet, VecDeque};
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

/// Wishes that wait.
const ASKS: usize = 64;
/// Captures that are written at the same time.
const AT_ONCE: usize = 8;
/// What is kept of the records before a capture starts, in bytes.
const RECENT: usize = 4 << 20;
/// Processes that a capture tells apart; when there are more, it looks at each anew.
const MOST_PROCESSES: usize = 1 << 16;
/// How long after its end the last records of a capture may come, in nanoseconds.
const STRAGGLERS: u64 = 200_000_000;

/// A capture is wished for.
struct Ask {
    rule: String,
    container: Option<Arc<ContainerCell>>,
    /// Makes its process and those above it known, the eldest first; they may have ended when the capture starts.
    family: Vec<Vec<u8>>,
    /// The record that the detection is about.
    trigger: Vec<u8>,
    duration: Duration,
}

/// Asks for the captures that rules want.
pub(crate) struct Captures {
    asks: SyncSender<Ask>,
    all_rules: bool,
    duration: Duration,
    numbers: Arc<Numbers>,
}

impl Captures {
    /// Asks for a capture when one of the rules that match wants one.
    pub(crate) fn ask(&self, matched: &Matched<Event>) {
        let Event::Kernel(event) = &matched.event else {
            return;
        };
        let wanting = matched
            .rules
            .iter()
            .filter_map(|id| matched.set.rule(*id))
            .filter(|rule| rule.capture || self.all_rules)
            .map(|rule| {
                let own = rule.capture_duration.map(Duration::from_millis);
                (own.unwrap_or(self.duration), rule)
            })
            .max_by_key(|(duration, _)| *duration);
        let Some((duration, rule)) = wanting else { return };
        let record = event.record();
        let ask = Ask {
            family: event
                .ancestors()
                .iter()
                .rev()
                .chain([event.process()])
                .map(|process| process.snapshot(record.header.time))
                .collect(),
            rule: rule.name.clone(),
            container: event.container().cloned(),
            trigger: RecordBuilder::of(&record).build(),
            duration,
        };
        if self.asks.try_send(ask).is_err() {
            self.numbers.captures_refused.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Both ends, when the options allow captures.
///
/// # Errors
/// When the folder is none.
pub(crate) fn open(
    options: &Watch,
    hostname: &str,
    numbers: &Arc<Numbers>,
) -> Result<Option<(Captures, Recorder)>, Failure> {
    let Some(folder) = &options.capture_folder else {
        return Ok(None);
    };
    if !folder.is_dir() {
        return Err(Failure::usage(anyhow!(
            "the folder for captures {} is not there: make it first",
            folder.display()
        )));
    }
    let (asks, asked) = sync_channel(ASKS);
    let captures = Captures {
        asks,
        all_rules: options.capture_all_rules,
        duration: Duration::from_secs(u64::from(options.capture_seconds)),
        numbers: Arc::clone(numbers),
    };
    let recorder = Recorder {
        asked,
        folder: folder.clone(),
        scope: options.capture_scope,
        limit: u64::from(options.capture_mib) << 20,
        files_left: options.capture_files,
        hostname: hostname.to_owned(),
        recent: VecDeque::new(),
        recent_bytes: 0,
        running: Vec::new(),
        numbers: Arc::clone(numbers),
        told_full: false,
    };
    Ok(Some((captures, recorder)))
}

/// Says that rules ask for captures which the options do not allow.
pub(crate) fn tell_of_wishes(rules: &RuleSet, options: &Watch, console: &Console) {
    let wishes = rules
        .rules()
        .iter()
        .filter(|rule| rule.enabled && rule.capture)
        .count();
    if wishes > 0 && options.capture_folder.is_none() && options.replay.is_none() {
        console.note(&format!(
            "{wishes} rules ask for a capture of what follows their detections; --capture-folder allows that"
        ));
    }
}

/// Opens a file for a capture, which others than its owner must not read.
///
/// # Errors
/// When it cannot be made, or is there already and `anew`.
pub(crate) fn create(path: &Path, anew: bool) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).mode(0o600);
    if anew {
        options.create_new(true);
    } else {
        options.create(true).truncate(true);
    }
    // The files that grow while the program runs; everything else is written at once.
    options.open(path)
}

struct Recent {
    bytes: Vec<u8>,
    time: u64,
}

/// Writes captures.
pub(crate) struct Recorder {
    asked: Receiver<Ask>,
    folder: PathBuf,
    scope: CaptureScope,
    limit: u64,
    files_left: u32,
    hostname: String,
    recent: VecDeque<Recent>,
    recent_bytes: usize,
    running: Vec<Recording>,
    numbers: Arc<Numbers>,
    told_full: bool,
}

impl Recorder {
    /// Whether a capture is being written.
    pub(crate) fn is_active(&self) -> bool {
        !self.running.is_empty()
    }

    /// Takes a record that the state has taken in.
    pub(crate) fn record(&mut self, record: &Record<'_>, state: &mut State) {
        let bytes = RecordBuilder::of(record).build();
        for recording in &mut self.running {
            recording.record(record, state);
        }
        self.recent_bytes += bytes.len();
        self.recent.push_back(Recent {
            bytes,
            time: record.header.time,
        });
        while self.recent_bytes > RECENT
            && let Some(oldest) = self.recent.pop_front()
        {
            self.recent_bytes -= oldest.bytes.len();
        }
    }

    /// Starts what was asked for and ends what is over. `now` is nanoseconds since boot, `offset` makes a date of that.
    pub(crate) fn turn(
        &mut self,
        now: u64,
        offset: i64,
        state: &mut State,
        containers: &Containers,
        console: &Console,
    ) {
        while let Ok(ask) = self.asked.try_recv() {
            if let Err(error) = self.start(&ask, now, offset, state, containers, console) {
                self.numbers.captures_refused.fetch_add(1, Ordering::Relaxed);
                console.note(&format!("no capture for `{}`: {error}", ask.rule));
            }
        }
        for index in (0..self.running.len()).rev() {
            let is_over = self.running.get(index).is_some_and(|recording| {
                recording.failure.is_some() || now > recording.until.saturating_add(STRAGGLERS)
            });
            if is_over {
                self.running.swap_remove(index).finish(state, containers, console);
            }
        }
    }

    /// Ends everything.
    pub(crate) fn finish(self, state: &State, containers: &Containers, console: &Console) {
        for recording in self.running {
            recording.finish(state, containers, console);
        }
    }

    fn start(
        &mut self,
        ask: &Ask,
        now: u64,
        offset: i64,
        state: &mut State,
        containers: &Containers,
        console: &Console,
    ) -> io::Result<()> {
        let trigger = Record::parse(&ask.trigger).map_err(io::Error::other)?;
        let duration = u64::try_from(ask.duration.as_nanos()).unwrap_or(u64::MAX);
        let until = now.saturating_add(duration);
        for recording in &mut self.running {
            if recording.place.holds(&trigger.header, state) {
                recording.until = recording.until.max(until);
                return Ok(());
            }
        }
        if self.files_left == 0 || self.running.len() >= AT_ONCE {
            self.numbers.captures_refused.fetch_add(1, Ordering::Relaxed);
            if !std::mem::replace(&mut self.told_full, true) {
                console.note(&format!(
                    "no capture for `{}`: there are as many as --capture-files allows, or {AT_ONCE} at once; further ones are \
                     only counted",
                    ask.rule
                ));
            }
            return Ok(());
        }
        let host = CaptureHost::native(&self.hostname, offset);
        let (path, file) = self.file(&ask.rule, now.saturating_add_signed(offset))?;
        self.files_left -= 1;
        let mut writer = Writer::new(BufWriter::new(file), &host, self.limit)?;
        writer.snapshot(state, containers)?;
        for bytes in &ask.family {
            if let Ok(record) = Record::parse(bytes) {
                writer.record(&record)?;
            }
        }
        writer.record(&trigger)?;
        let place = match (&self.scope, &ask.container) {
            (CaptureScope::All, _) => Place::Everything,
            (CaptureScope::Related, Some(cell)) => Place::Container(Arc::clone(cell)),
            (CaptureScope::Related, None) => Place::Tree(Tree::of(trigger.header.tgid)),
        };
        let mut recording = Recording {
            path,
            rule: ask.rule.clone(),
            until,
            place,
            writer,
            records: 1,
            failure: None,
        };
        for recent in self
            .recent
            .iter()
            .filter(|recent| recent.time > trigger.header.time)
        {
            if let Ok(record) = Record::parse(&recent.bytes) {
                recording.record(&record, state);
            }
        }
        self.running.push(recording);
        self.numbers.captures.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// A new file, named after the time and the rule.
    fn file(&self, rule: &str, date: u64) -> io::Result<(PathBuf, File)> {
        let time = Timestamp::from_nanosecond(i128::from(date))
            .unwrap_or(Timestamp::UNIX_EPOCH)
            .strftime("%Y%m%dT%H%M%SZ")
            .to_string();
        let mut number = 1;
        loop {
            let path = self.folder.join(format!("{time}-{}-{number}.hw", short(rule)));
            match create(&path, true) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && number < 1_000 => number += 1,
                Err(error) => {
                    return Err(io::Error::new(
                        error.kind(),
                        format!("{} cannot be made: {error}", path.display()),
                    ));
                }
                Ok(file) => return Ok((path, file)),
            }
        }
    }
}

/// A rule's name as a part of a file's name.
fn short(rule: &str) -> String {
    let mut name = String::new();
    for character in rule.chars().take(60) {
        if character.is_ascii_alphanumeric() {
            name.push(character.to_ascii_lowercase());
        } else if !name.is_empty() && !name.ends_with('-') {
            name.push('-');
        }
    }
    let name = name.trim_end_matches('-');
    if name.is_empty() {
        "rule".to_owned()
    } else {
        name.to_owned()
    }
}

/// A capture that is being written.
struct Recording {
    path: PathBuf,
    rule: String,
    /// Nanoseconds since boot.
    until: u64,
    place: Place,
    writer: Writer<BufWriter<File>>,
    records: u64,
    failure: Option<io::Error>,
}

impl Recording {
    fn record(&mut self, record: &Record<'_>, state: &mut State) {
        if self.failure.is_some()
            || record.header.time > self.until
            || !self.place.holds(&record.header, state)
        {
            return;
        }
        match self.writer.record(record) {
            Ok(fits) => self.records += u64::from(fits),
            Err(error) => self.failure = Some(error),
        }
    }

    fn finish(mut self, state: &State, containers: &Containers, console: &Console) {
        let left_out = self.writer.left_out();
        let written = match self.failure {
            Some(error) => Err(error),
            None => self
                .writer
                .facts(state, containers)
                .and_then(|()| self.writer.finish().map(drop)),
        };
        let path = self.path.display();
        match written {
            Ok(()) if left_out > 0 => console.note(&format!(
                "{path} holds {} records after `{}`, and is full: {left_out} were left out",
                self.records, self.rule
            )),
            Ok(()) => console.note(&format!(
                "{path} holds {} records after `{}`",
                self.records, self.rule
            )),
            Err(error) => console.note(&format!(
                "{path} cannot be written: {error}; it holds what came before"
            )),
        }
    }
}

/// Whose records a capture holds.
enum Place {
    Everything,
    Container(Arc<ContainerCell>),
    Tree(Tree),
}

impl Place {
    fn holds(&mut self, header: &Header, state: &mut State) -> bool {
        match self {
            Self::Everything => true,
            Self::Container(cell) => state
                .container(header.cgroup)
                .is_some_and(|container| container.id() == cell.id()),
            Self::Tree(tree) => tree.holds(header, state),
        }
    }
}

/// A process and those below it.
struct Tree {
    within: HashSet<u32>,
    outside: HashSet<u32>,
    root: u32,
}

impl Tree {
    fn of(root: u32) -> Self {
        Self {
            within: HashSet::from([root]),
            outside: HashSet::new(),
            root,
        }
    }

    fn holds(&mut self, header: &Header, state: &mut State) -> bool {
        let process = header.tgid;
        // What interrupts do has no process.
        if process == 0 || header.kind == Kind::SocketState as u8 || header.kind == Kind::Cgroup as u8 {
            return false;
        }
        if header.kind == Kind::Fork as u8 && header.tid == process {
            // The number may have been another process's.
            self.outside.remove(&process);
            if process != self.root {
                self.within.remove(&process);
            }
        }
        if self.within.contains(&process) {
            return true;
        }
        if self.outside.contains(&process) {
            return false;
        }
        if self.within.len() + self.outside.len() >= MOST_PROCESSES {
            self.outside.clear();
            self.within = HashSet::from([self.root]);
        }
        let below = self.within.contains(&header.ppid)
            || state
                .ancestors(process)
                .iter()
                .any(|ancestor| self.within.contains(&ancestor.key.tgid));
        if below {
            self.within.insert(process);
        } else {
            self.outside.insert(process);
        }
        below
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sensor::state::StateOptions;

    #[test]
    fn names_of_files_are_plain() {
        assert_eq!(
            short("Read sensitive file (untrusted)"),
            "read-sensitive-file-untrusted"
        );
        assert_eq!(short("../../etc/passwd\0"), "etc-passwd");
        assert_eq!(short("Ünlesbar"), "nlesbar");
        assert_eq!(short("…"), "rule");
        assert!(short(&"x".repeat(500)).len() <= 60);
    }

    fn header(kind: Kind, process: u32, parent: u32) -> Header {
        Header {
            kind: kind as u8,
            tid: process,
            tgid: process,
            ppid: parent,
            ..Header::default()
        }
    }

    #[test]
    fn a_tree_is_a_process_and_those_below_it() {
        let mut state = State::new(StateOptions::default());
        let mut tree = Tree::of(10);
        let mut holds = |kind, process, parent| tree.holds(&header(kind, process, parent), &mut state);
        assert!(holds(Kind::Syscall, 10, 1));
        assert!(!holds(Kind::Syscall, 11, 1));
        assert!(holds(Kind::Fork, 12, 10));
        assert!(holds(Kind::Fork, 13, 12));
        // Its parent has ended; it stays within.
        assert!(holds(Kind::Syscall, 13, 1));
        // A number that another process has now, either way.
        assert!(holds(Kind::Fork, 11, 13));
        assert!(!holds(Kind::Fork, 12, 1));
        assert!(!holds(Kind::SocketState, 0, 0));
    }
}
