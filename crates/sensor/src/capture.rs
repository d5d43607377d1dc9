//! Captures: records and what is needed to understand them, in a file.
//!
//! A capture is [`MAGIC`], a version (`u16`, little-endian), then entries: length of the content (`u32`), kind (`u8`), the
//! content. It begins with the host ([`CaptureHost`]) and a snapshot of the processes; containers and users follow where
//! they became known. A capture that was cut off can be read up to there; a whole one ends with a mark.

use crate::containers::{ContainerInfo, Containers};
use crate::event::KernelEvent;
use crate::state::{State, StateOptions, UserTable};
use crate::syscalls::Table;
use crate::wire::{MAXIMUM_RECORD, Record};
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::sync::Arc;

/// What every capture begins with.
pub const MAGIC: [u8; 6] = *b"HWCAPT";

/// The version of the form that is written, and the only one that is read.
pub const VERSION: u16 = 1;

/// What is described in JSON may be this long.
const MAXIMUM_TEXT: usize = 8 << 20;

/// Containers and user tables are kept up to this many each when a capture is read.
const MAXIMUM_FACTS: usize = 1 << 16;

const KIND_HOST: u8 = 1;
const KIND_RECORD: u8 = 2;
const KIND_CONTAINER: u8 = 3;
const KIND_USERS: u8 = 4;
const KIND_END: u8 = 5;

/// The host that a capture was made on.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct CaptureHost {
    /// Its name.
    pub hostname: String,
    /// What is added to times of records to get nanoseconds since the Unix epoch.
    pub boot_offset: i64,
    /// Its system calls: `x86-64` or `arm64`.
    pub architecture: String,
}

impl CaptureHost {
    /// This host.
    #[must_use]
    pub fn native(hostname: &str, boot_offset: i64) -> Self {
        Self {
            hostname: hostname.to_owned(),
            boot_offset,
            architecture: match Table::native() {
                Table::Arm64 | Table::Arm => "arm64",
                Table::X86_64 | Table::Ia32 => "x86-64",
            }
            .to_owned(),
        }
    }

    fn table(&self) -> Option<Table> {
        match self.architecture.as_str() {
            "x86-64" => Some(Table::X86_64),
            "arm64" => Some(Table::Arm64),
            _ => None,
        }
    }
}

/// A capture cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// The file does not begin as captures do.
    #[error("the file is no capture: it does not begin with `HWCAPT`")]
    Magic,
    /// It was written by another version.
    #[error("the capture has version {0}, this program reads version {VERSION}: record it anew")]
    Version(u16),
    /// An entry is not what it says.
    #[error("entry {number} of the capture is damaged: {what}")]
    Entry {
        /// Counted from 1.
        number: u64,
        /// What is wrong.
        what: String,
    },
    /// There is no host at its beginning.
    #[error("the capture does not say which host it was made on")]
    Host,
    /// The file cannot be read.
    #[error("the capture cannot be read: {0}")]
    Read(#[from] io::Error),
}

/// Something in a capture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// The host, the first entry.
    Host(CaptureHost),
    /// A record, which [`Record::parse`] takes.
    Record(Vec<u8>),
    /// A container.
    Container(Box<ContainerInfo>),
    /// The users and groups of a mount namespace.
    Users(u32, UserTable),
    /// The end of a whole capture, with the number of records.
    End(u64),
}

/// Writes a capture.
#[derive(Debug)]
pub struct Writer<W: Write> {
    output: W,
    limit: u64,
    written: u64,
    records: u64,
    left_out: u64,
    containers: HashSet<String>,
    users: HashMap<u32, Arc<UserTable>>,
}

impl<W: Write> Writer<W> {
    /// Begins a capture of at most `limit` bytes; what comes later is left out and counted.
    ///
    /// # Errors
    /// When `output` cannot be written.
    pub fn new(output: W, host: &CaptureHost, limit: u64) -> io::Result<Self> {
        let mut writer = Self {
            output,
            limit,
            written: 8,
            records: 0,
            left_out: 0,
            containers: HashSet::new(),
            users: HashMap::new(),
        };
        writer.output.write_all(&MAGIC)?;
        writer.output.write_all(&VERSION.to_le_bytes())?;
        writer.json(KIND_HOST, host)?;
        Ok(writer)
    }

    /// Writes what is known now: processes as snapshots, users, containers. For the beginning.
    ///
    /// # Errors
    /// When the output cannot be written.
    pub fn snapshot(&mut self, state: &State, containers: &Containers) -> io::Result<()> {
        self.facts(state, containers)?;
        for record in state.snapshot() {
            self.entry(KIND_RECORD, &record)?;
            self.records += 1;
        }
        Ok(())
    }

    /// Writes containers and users that became known since the last time.
    ///
    /// # Errors
    /// When the output cannot be written.
    pub fn facts(&mut self, state: &State, containers: &Containers) -> io::Result<()> {
        for (namespace, table) in state.users() {
            if self
                .users
                .get(&namespace)
                .is_some_and(|known| Arc::ptr_eq(known, table))
            {
                continue;
            }
            self.users.insert(namespace, table.clone());
            self.json(KIND_USERS, &(namespace, &**table))?;
        }
        for info in containers.known() {
            if self.containers.insert(info.full_id.clone()) {
                self.json(KIND_CONTAINER, &info)?;
            }
        }
        Ok(())
    }

    /// Writes a record; says whether it still fitted.
    ///
    /// # Errors
    /// When the output cannot be written.
    pub fn record(&mut self, record: &Record<'_>) -> io::Result<bool> {
        let bytes = crate::wire::RecordBuilder::of(record).build();
        let fits = self.entry(KIND_RECORD, &bytes)?;
        self.records += u64::from(fits);
        Ok(fits)
    }

    /// Records that did not fit any more.
    #[must_use]
    pub fn left_out(&self) -> u64 {
        self.left_out
    }

    /// Ends the capture and gives the output back.
    ///
    /// # Errors
    /// When the output cannot be written.
    pub fn finish(mut self) -> io::Result<W> {
        let end = self.records.to_le_bytes();
        self.limit = u64::MAX;
        self.entry(KIND_END, &end)?;
        self.output.flush()?;
        Ok(self.output)
    }

    fn json(&mut self, kind: u8, value: &impl Serialize) -> io::Result<()> {
        let content = serde_json::to_vec(value)?;
        // What could not be read again is not written.
        if content.len() <= MAXIMUM_TEXT {
            self.entry(kind, &content)?;
        }
        Ok(())
    }

    fn entry(&mut self, kind: u8, content: &[u8]) -> io::Result<bool> {
        let size = content.len() as u64 + 5;
        let length = u32::try_from(content.len()).ok();
        let (Some(length), true) = (length, self.written.saturating_add(size) <= self.limit) else {
            self.left_out += 1;
            return Ok(false);
        };
        let [a, b, c, d] = length.to_le_bytes();
        self.output.write_all(&[a, b, c, d, kind])?;
        self.output.write_all(content)?;
        self.written += size;
        Ok(true)
    }
}

/// Reads a capture.
#[derive(Debug)]
pub struct Reader<R: Read> {
    input: R,
    number: u64,
    ended: bool,
    cut: bool,
}

impl<R: Read> Reader<R> {
    /// Begins to read.
    ///
    /// # Errors
    /// When it is no capture, or one of another version.
    pub fn new(mut input: R) -> Result<Self, CaptureError> {
        let mut head = [0; 8];
        let got = fill(&mut input, &mut head)?;
        if got < head.len() || head[..6] != MAGIC {
            return Err(CaptureError::Magic);
        }
        let version = u16::from_le_bytes([head[6], head[7]]);
        if version != VERSION {
            return Err(CaptureError::Version(version));
        }
        Ok(Self {
            input,
            number: 0,
            ended: false,
            cut: false,
        })
    }

    /// Whether the capture ended without its mark.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.cut
    }

    /// The next entry; `None` at the end of the file, whether it is whole or cut off.
    ///
    /// # Errors
    /// When an entry is damaged, or the file cannot be read.
    pub fn entry(&mut self) -> Result<Option<Entry>, CaptureError> {
        if self.ended {
            return Ok(None);
        }
        self.number += 1;
        let mut head = [0; 5];
        if fill(&mut self.input, &mut head)? < head.len() {
            return Ok(self.cut_off());
        }
        let length = u32::from_le_bytes([head[0], head[1], head[2], head[3]]) as usize;
        let kind = head[4];
        let limit = match kind {
            KIND_RECORD => MAXIMUM_RECORD,
            KIND_HOST | KIND_CONTAINER | KIND_USERS => MAXIMUM_TEXT,
            KIND_END => 8,
            _ => return Err(self.damaged(&format!("unknown kind {kind}"))),
        };
        if length > limit {
            return Err(self.damaged(&format!("{length} bytes where at most {limit} may be")));
        }
        let mut content = Vec::new();
        (&mut self.input).take(length as u64).read_to_end(&mut content)?;
        if content.len() < length {
            return Ok(self.cut_off());
        }
        Ok(Some(match kind {
            KIND_RECORD => match Record::parse(&content) {
                Ok(record) if record.header.size as usize == content.len() => Entry::Record(content),
                Ok(_) => return Err(self.damaged("a record of another size")),
                Err(error) => return Err(self.damaged(&error.to_string())),
            },
            KIND_HOST => Entry::Host(self.json(&content)?),
            KIND_CONTAINER => Entry::Container(Box::new(self.json(&content)?)),
            KIND_USERS => {
                let (namespace, table) = self.json(&content)?;
                Entry::Users(namespace, table)
            }
            _ => {
                self.ended = true;
                let bytes: [u8; 8] = content
                    .try_into()
                    .map_err(|_| self.damaged("an end of another size"))?;
                Entry::End(u64::from_le_bytes(bytes))
            }
        }))
    }

    fn cut_off(&mut self) -> Option<Entry> {
        self.ended = true;
        self.cut = true;
        None
    }

    fn damaged(&self, what: &str) -> CaptureError {
        CaptureError::Entry {
            number: self.number,
            what: what.to_owned(),
        }
    }

    fn json<T: for<'a> Deserialize<'a>>(&self, content: &[u8]) -> Result<T, CaptureError> {
        serde_json::from_slice(content).map_err(|error| self.damaged(&error.to_string()))
    }
}

/// Reads as much as there is, up to the length of `buffer`.
fn fill(input: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut got = 0;
    while got < buffer.len() {
        match input.read(&mut buffer[got..]) {
            Ok(0) => break,
            Ok(count) => got += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(got)
}

/// Plays a capture: the events that its records make, in their order.
///
/// What the capture says anywhere of containers and users is known from the first event on, as if their runtimes had
/// answered at once.
#[derive(Debug)]
pub struct Replay<R: Read> {
    reader: Reader<R>,
    state: State,
}

impl<R: Read + Seek> Replay<R> {
    /// Looks through the capture for facts, then begins anew.
    ///
    /// # Errors
    /// When it is no capture, or a damaged one.
    pub fn open(mut input: R) -> Result<Self, CaptureError> {
        let start = input.stream_position()?;
        let mut host = None;
        let mut users = HashMap::new();
        let containers = Containers::offline();
        let mut facts = Reader::new(&mut input)?;
        let mut count = 0;
        while let Some(entry) = facts.entry()? {
            match entry {
                Entry::Host(first) => host = host.or(Some(first)),
                Entry::Container(info) if count < MAXIMUM_FACTS => {
                    count += 1;
                    containers.insert(*info);
                }
                Entry::Users(namespace, table) if users.len() < MAXIMUM_FACTS => {
                    users.insert(namespace, table);
                }
                _ => {}
            }
        }
        let host = host.ok_or(CaptureError::Host)?;
        let native = host.table().ok_or(CaptureError::Host)?;
        let mut state = State::new(StateOptions {
            boot_offset: host.boot_offset,
            hostname: host.hostname,
            native,
            containers,
            ..StateOptions::default()
        });
        for (namespace, table) in users {
            state.set_users(namespace, table);
        }
        input.seek(SeekFrom::Start(start))?;
        Ok(Self {
            reader: Reader::new(input)?,
            state,
        })
    }
}

impl<R: Read> Replay<R> {
    /// The next event; `None` at the end.
    ///
    /// # Errors
    /// When an entry is damaged, or the file cannot be read.
    pub fn event(&mut self) -> Result<Option<KernelEvent>, CaptureError> {
        while let Some(entry) = self.reader.entry()? {
            if let Entry::Record(bytes) = entry
                && let Ok(record) = Record::parse(&bytes)
                && let Some(event) = self.state.apply(&record)
            {
                return Ok(Some(event));
            }
        }
        Ok(None)
    }

    /// The state as it is after the last event.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Whether the capture ended without its mark.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.reader.is_cut()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;
    use model::event::{Argument, EventView as _, Field, Value};
    use proptest::prelude::*;
    use std::io::Cursor;

    fn capture() -> Vec<u8> {
        let samples = sample::parse(
            "- {event: openat, path: /etc/shadow, process: {name: cat, parent: {name: bash}}, container: {image: 'nginx:1'}}\n\
             - {event: connect, fd: 3, socket: {remote: '1.2.3.4:5'}, process: {name: curl, uid: 7}, users: {ann: 7}}",
        )
        .unwrap();
        let mut writer = Writer::new(
            Vec::new(),
            &CaptureHost {
                architecture: "x86-64".to_owned(),
                ..CaptureHost::native("host", 5)
            },
            u64::MAX,
        )
        .unwrap();
        let containers = Containers::offline();
        let mut state = State::new(StateOptions {
            native: Table::X86_64,
            containers: containers.clone(),
            ..StateOptions::default()
        });
        let mut held = Vec::new();
        for sample in &samples {
            for bytes in sample.records().unwrap() {
                let record = Record::parse(&bytes).unwrap();
                held.extend(state.apply(&record));
                assert!(writer.record(&record).unwrap());
            }
        }
        let cell = held[0].container().unwrap();
        let mut info = ContainerInfo::of(cell.identity());
        info.set_image("nginx:1");
        containers.insert(info);
        let mut table = UserTable::default();
        table.users.insert(
            7,
            crate::state::User {
                name: "ann".to_owned(),
                ..crate::state::User::default()
            },
        );
        state.set_users(held[1].header.mount_namespace, table);
        writer.facts(&state, &containers).unwrap();
        writer.facts(&state, &containers).unwrap();
        writer.finish().unwrap()
    }

    fn text(event: &KernelEvent, field: Field) -> String {
        match event.value(field, &Argument::None) {
            Value::Text(text) => String::from_utf8_lossy(&text).into_owned(),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn a_capture_plays_as_it_happened() {
        let bytes = capture();
        let mut replay = Replay::open(Cursor::new(&bytes)).unwrap();
        let first = replay.event().unwrap().unwrap();
        assert_eq!(text(&first, Field::FdName), "/etc/shadow");
        assert_eq!(text(&first, Field::ProcPname), "bash");
        assert_eq!(text(&first, Field::ContainerImageRepository), "nginx");
        assert_eq!(text(&first, Field::EvtHostname), "host");
        let second = replay.event().unwrap().unwrap();
        assert_eq!(text(&second, Field::UserName), "ann");
        assert!(replay.event().unwrap().is_none());
        assert!(!replay.is_cut());
    }

    #[test]
    fn facts_are_written_once() {
        let bytes = capture();
        let mut reader = Reader::new(&bytes[..]).unwrap();
        let mut containers = 0;
        let mut end = None;
        while let Some(entry) = reader.entry().unwrap() {
            match entry {
                Entry::Container(_) => containers += 1,
                Entry::End(records) => end = Some(records),
                _ => {}
            }
        }
        assert_eq!((containers, end), (1, Some(7)));
    }

    #[test]
    fn a_capture_that_is_cut_off_is_read_up_to_there() {
        let bytes = capture();
        let whole = count(&bytes).unwrap();
        for end in 8..bytes.len() {
            let (entries, cut) = count(&bytes[..end]).unwrap();
            assert!(cut && entries < whole.0, "{end} bytes");
        }
        assert!(matches!(Reader::new(&bytes[..7]), Err(CaptureError::Magic)));
    }

    fn count(bytes: &[u8]) -> Result<(usize, bool), CaptureError> {
        let mut reader = Reader::new(bytes)?;
        let mut entries = 0;
        while reader.entry()?.is_some() {
            entries += 1;
        }
        Ok((entries, reader.is_cut()))
    }

    #[test]
    fn what_does_not_fit_is_counted() {
        let bytes = sample::parse("{event: openat, path: /x}").unwrap()[0]
            .records()
            .unwrap();
        let host = CaptureHost::native("host", 0);
        let mut writer = Writer::new(Vec::new(), &host, 1500).unwrap();
        for _ in 0..100 {
            writer
                .record(&Record::parse(bytes.last().unwrap()).unwrap())
                .unwrap();
        }
        let left_out = writer.left_out();
        let written = writer.finish().unwrap();
        assert!(
            left_out > 0 && written.len() <= 1500 + 13,
            "{left_out} {}",
            written.len()
        );
        let (entries, cut) = count(&written).unwrap();
        // The host and the end are entries, too.
        assert_eq!(
            (entries - 2, cut),
            (100 - usize::try_from(left_out).unwrap(), false)
        );
    }

    #[test]
    fn other_versions_and_kinds_are_refused() {
        let mut bytes = capture();
        bytes[6] = 9;
        assert!(matches!(Reader::new(&bytes[..]), Err(CaptureError::Version(9))));
        bytes[6] = 1;
        bytes[12] = 99;
        assert!(matches!(
            count(&bytes),
            Err(CaptureError::Entry { number: 1, .. })
        ));
        bytes[12] = 5;
        assert!(matches!(
            count(&bytes),
            Err(CaptureError::Entry { number: 1, .. })
        ));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn damage_never_panics(at in 0_usize..4000, value: u8, tail in proptest::collection::vec(any::<u8>(), 0..64)) {
            let mut bytes = capture();
            let at = at % bytes.len();
            bytes[at] = value;
            bytes.extend_from_slice(&tail);
            if let Ok(mut replay) = Replay::open(Cursor::new(&bytes)) {
                while let Ok(Some(event)) = replay.event() {
                    for (field, _) in model::event::FIELDS {
                        let _ = event.value(*field, &Argument::None);
                    }
                }
            }
        }

        #[test]
        fn noise_is_no_capture(bytes in proptest::collection::vec(any::<u8>(), 0..256)) {
            let mut input = MAGIC.to_vec();
            input.extend_from_slice(&VERSION.to_le_bytes());
            input.extend_from_slice(&bytes);
            let _ = count(&input);
        }
    }
}
