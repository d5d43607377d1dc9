//! A process as it was at one moment: never changed, so events keep it cheaply.

use crate::wire::{Credentials, FileMeta, Header, Kind, Process as Identity, RecordBuilder, Tag};
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::{Arc, OnceLock};

/// Bytes that many hold.
pub type Bytes = Arc<[u8]>;

/// Arguments and environment are kept up to this many bytes each.
pub const MAXIMUM_ARGUMENTS: usize = 4 << 10;

/// What names a process for ever: its number, and when it started (nanoseconds since boot).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct ProcessKey {
    /// The number, in the first PID namespace.
    pub tgid: u32,
    /// When it started, nanoseconds since boot.
    pub start_time: u64,
}

/// The program that a process runs. Children share it until they run another.
#[derive(Debug, Default)]
pub struct Image {
    /// The name of the thread that ran it (`comm`), right after.
    pub comm: Bytes,
    /// All arguments, each ended by NUL, at most [`MAXIMUM_ARGUMENTS`] bytes.
    pub arguments: Bytes,
    /// The environment, each entry ended by NUL, where it was copied.
    pub environment: Option<Bytes>,
    /// The path of the binary, links followed.
    pub executable: Bytes,
    /// Facts of the binary's inode.
    pub meta: Option<FileMeta>,
    /// The binary that the kernel loaded to run a script.
    pub interpreter: Option<Bytes>,
    /// The program as the caller named it.
    pub filename: Option<Bytes>,
    /// When it was run, nanoseconds since boot; 0 when that was before the sensor.
    pub exec_time: u64,
    command_line: OnceLock<Box<[u8]>>,
}

impl Image {
    /// An image with these facts, the rest unknown.
    #[must_use]
    pub fn new(comm: Bytes, arguments: Bytes, executable: Bytes) -> Self {
        Self {
            comm,
            arguments,
            executable,
            ..Self::default()
        }
    }

    /// The first argument, which usually names the program.
    #[must_use]
    pub fn first_argument(&self) -> Option<&[u8]> {
        pieces(&self.arguments).next()
    }

    /// The arguments after the first.
    pub fn other_arguments(&self) -> impl Iterator<Item = &[u8]> {
        pieces(&self.arguments).skip(1)
    }

    /// `comm` and the arguments after the first, with blanks between.
    #[must_use]
    pub fn command_line(&self) -> &[u8] {
        self.command_line
            .get_or_init(|| joined(&self.comm, self.other_arguments()).into_boxed_slice())
    }

    /// The arguments after the first, with blanks between.
    #[must_use]
    pub fn arguments_line(&self) -> &[u8] {
        self.command_line().get(self.comm.len() + 1..).unwrap_or_default()
    }

    /// The value of an environment variable.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&[u8]> {
        pieces(self.environment.as_deref()?)
            .find_map(|entry| entry.strip_prefix(name.as_bytes())?.strip_prefix(b"="))
    }

    /// The whole environment with blanks between.
    #[must_use]
    pub fn environment_line(&self) -> Option<Vec<u8>> {
        let mut entries = pieces(self.environment.as_deref()?);
        let first = entries.next().unwrap_or_default();
        Some(joined(first, entries))
    }
}

/// Texts of which each is ended by NUL; one that is cut off counts too.
pub(crate) fn pieces(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let bytes = bytes.strip_suffix(b"\0").unwrap_or(bytes);
    let empty = bytes.is_empty();
    bytes
        .split(|byte| *byte == 0)
        .take(if empty { 0 } else { usize::MAX })
}

pub(crate) fn joined<'a>(first: &[u8], others: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut line = first.to_vec();
    for other in others {
        line.push(b' ');
        line.extend_from_slice(other);
    }
    line
}

/// One of the first three descriptors of a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StandardStream {
    /// What it is, as `fd.type`.
    pub kind: &'static str,
    /// Its name, as `fd.name`.
    pub name: Bytes,
}

/// A process at one moment.
#[derive(Debug, Clone, Default)]
pub struct Process {
    /// Its identity.
    pub key: ProcessKey,
    /// The parent's number; 0 when there is none.
    pub parent: u32,
    /// When the parent started, where that is known.
    pub parent_start_time: Option<u64>,
    /// The name of its main thread (`comm`).
    pub comm: Bytes,
    /// What it runs.
    pub image: Arc<Image>,
    /// Its working folder, as its own root sees it.
    pub working_folder: Bytes,
    /// Users, groups, capabilities, where they were told.
    pub credentials: Option<Credentials>,
    /// Numbers in its own namespaces, session, group, terminal, where they were told.
    pub identity: Option<Identity>,
    /// Inode number of its PID namespace.
    pub pid_namespace: u32,
    /// When the first process of its PID namespace started, nanoseconds since boot.
    pub namespace_start: Option<u64>,
    /// How many threads it has.
    pub threads: u32,
    /// Standard input, output and error, where they were seen.
    pub streams: [Option<Arc<StandardStream>>; 3],
}

impl Process {
    /// A record that makes a new state know this process; `time` is that of the record, nanoseconds since boot.
    #[must_use]
    pub fn snapshot(&self, time: u64) -> Vec<u8> {
        let credentials = self.credentials.unwrap_or_default();
        let header = Header {
            kind: Kind::Snapshot as u8,
            time,
            tid: self.key.tgid,
            tgid: self.key.tgid,
            ppid: self.parent,
            uid: credentials.effective_uid,
            gid: credentials.effective_gid,
            pid_namespace: self.pid_namespace,
            start_time: self.key.start_time,
            ..Header::default()
        };
        let image = &self.image;
        let mut builder = RecordBuilder::new(&header)
            .chunk(Tag::Comm, &self.comm)
            .chunk(Tag::Argv, &image.arguments)
            .chunk(Tag::WorkingFolder, &self.working_folder)
            .chunk(Tag::Executable, &image.executable);
        if let Some(environment) = &image.environment {
            builder = builder.chunk(Tag::Environment, environment);
        }
        if let Some(credentials) = &self.credentials {
            builder = builder.chunk(Tag::Credentials, &credentials.to_bytes());
        }
        if let Some(identity) = &self.identity {
            builder = builder.chunk(Tag::Process, &identity.to_bytes());
        }
        if let Some(meta) = &image.meta {
            builder = builder.chunk(Tag::ExecutableMeta, &meta.to_bytes());
        }
        if let Some(interpreter) = &image.interpreter {
            builder = builder.chunk(Tag::Interpreter, interpreter);
        }
        if let Some(filename) = &image.filename {
            builder = builder.chunk(Tag::Filename, filename);
        }
        builder.build()
    }

    /// `proc.cmdline`: the name and the arguments.
    #[must_use]
    pub fn command_line(&self) -> std::borrow::Cow<'_, [u8]> {
        if self.comm == self.image.comm {
            self.image.command_line().into()
        } else {
            joined(&self.comm, self.image.other_arguments()).into()
        }
    }
}

/// Spreads the numbers that the kernel gives to processes, groups and namespaces. Nobody chooses these so as to collide,
/// and looking them up is most of the work of the state.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct NumberHasher(u64);

impl NumberHasher {
    fn add(&mut self, number: u64) {
        let mixed = (self.0 ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = mixed ^ mixed >> 32;
    }
}

impl Hasher for NumberHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.add(u64::from(*byte));
        }
    }

    fn write_u32(&mut self, number: u32) {
        self.add(u64::from(number));
    }

    fn write_u64(&mut self, number: u64) {
        self.add(number);
    }
}

/// A map whose keys are numbers of the kernel.
pub(crate) type NumberMap<K, V> = HashMap<K, V, BuildHasherDefault<NumberHasher>>;

/// Keeps one copy of each text; those that nobody holds any more are dropped now and then.
#[derive(Debug, Default)]
pub(crate) struct Interner {
    texts: HashSet<Bytes>,
    sweep_at: usize,
}

impl Interner {
    pub(crate) fn get(&mut self, text: &[u8]) -> Bytes {
        if let Some(known) = self.texts.get(text) {
            return known.clone();
        }
        if self.texts.len() >= self.sweep_at.max(1024) {
            self.texts.retain(|text| Arc::strong_count(text) > 1);
            self.sweep_at = self.texts.len() * 2;
        }
        let text: Bytes = text.into();
        self.texts.insert(text.clone());
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_arguments() {
        let image =
            |arguments: &[u8]| Image::new(b"cat"[..].into(), arguments.into(), b"/bin/cat"[..].into());
        let one = image(b"/bin/cat\0-n\0/etc/a b\0");
        assert_eq!(one.command_line(), b"cat -n /etc/a b");
        assert_eq!(one.arguments_line(), b"-n /etc/a b");
        assert_eq!(one.first_argument(), Some(&b"/bin/cat"[..]));
        let none = image(b"");
        assert_eq!(none.command_line(), b"cat");
        assert_eq!(none.arguments_line(), b"");
        assert_eq!(none.first_argument(), None);
        let empty_argument = image(b"a\0\0b\0");
        assert_eq!(empty_argument.command_line(), b"cat  b");
    }

    #[test]
    fn unused_texts_are_dropped() {
        let mut interner = Interner::default();
        let kept = interner.get(b"kept");
        for number in 0..10_000_u32 {
            interner.get(&number.to_le_bytes());
        }
        assert!(interner.texts.len() <= 2048, "{}", interner.texts.len());
        assert!(Arc::ptr_eq(&kept, &interner.get(b"kept")));
    }
}
