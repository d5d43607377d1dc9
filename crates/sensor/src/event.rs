//! An event of the kernel: a record, and what was known of its process when it happened.

use crate::containers::ContainerCell;
use crate::fields;
use crate::state::{Bytes, Process, UserTable};
use crate::syscalls::Table;
use crate::wire::{Header, Record};
use model::event::{Argument, EventType, EventView, Field, Value};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

/// What is true of all events of a host.
#[derive(Debug, Default)]
pub struct Host {
    /// Its name.
    pub hostname: String,
    /// What is added to the time of a record to get nanoseconds since the Unix epoch.
    pub boot_offset: i64,
    /// Whose system calls records with `abi` 0 are.
    pub native: Table,
}

impl Host {
    /// Nanoseconds since the Unix epoch of a time since boot.
    #[must_use]
    pub fn unix_time(&self, since_boot: u64) -> u64 {
        since_boot.saturating_add_signed(self.boot_offset)
    }
}

/// What the state adds to a record.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) event_type: EventType,
    pub(crate) io_uring: bool,
    pub(crate) number: u64,
    pub(crate) since_first: u64,
    pub(crate) since_last: u64,
    pub(crate) process: Arc<Process>,
    pub(crate) ancestors: Arc<[Arc<Process>]>,
    /// The process that the call acts on (`kill`, `ptrace` and others), where it is another one and known.
    pub(crate) target: Option<Arc<Process>>,
    /// The name of the thread, where it is not that of its process.
    pub(crate) thread_comm: Option<Bytes>,
    pub(crate) cgroup_path: Option<Bytes>,
    pub(crate) container: Option<Arc<ContainerCell>>,
    pub(crate) users: Option<Arc<UserTable>>,
    pub(crate) name_changed: bool,
    pub(crate) host: Arc<Host>,
}

/// An event: it answers for every field of the source `syscall`, takes apart what is asked for and nothing else.
#[derive(Debug)]
pub struct KernelEvent {
    pub(crate) header: Header,
    chunks: Box<[u8]>,
    pub(crate) parts: Parts,
    /// `fd.name` where it is no piece of the record.
    pub(crate) name: OnceLock<Option<Box<[u8]>>>,
}

impl KernelEvent {
    pub(crate) fn new(record: &Record<'_>, parts: Parts) -> Self {
        Self {
            header: record.header,
            chunks: record.chunks().into(),
            parts,
            name: OnceLock::new(),
        }
    }

    /// The record that the event was made from.
    #[must_use]
    pub fn record(&self) -> Record<'_> {
        Record::from_parts(self.header, &self.chunks)
    }

    /// The process, as it was.
    #[must_use]
    pub fn process(&self) -> &Arc<Process> {
        &self.parts.process
    }

    /// Its ancestors, nearest first.
    #[must_use]
    pub fn ancestors(&self) -> &[Arc<Process>] {
        &self.parts.ancestors
    }

    /// The container that it happened in; `None` on the host.
    #[must_use]
    pub fn container(&self) -> Option<&Arc<ContainerCell>> {
        self.parts.container.as_ref()
    }

    /// The control group that it happened in.
    #[must_use]
    pub fn cgroup(&self) -> Option<&[u8]> {
        self.parts.cgroup_path.as_deref()
    }

    /// Waits until the search for the container's facts has ended, at most until `deadline`; says whether they are there.
    /// On the host there is nothing to wait for.
    #[must_use]
    pub fn wait_container(&self, deadline: Instant) -> bool {
        self.container().is_none_or(|container| container.wait(deadline))
    }

    /// Whether it came through io_uring and not as a system call.
    #[must_use]
    pub fn is_io_uring(&self) -> bool {
        self.parts.io_uring
    }

    /// The thread's name.
    #[must_use]
    pub fn thread_name(&self) -> &[u8] {
        self.parts
            .thread_comm
            .as_deref()
            .unwrap_or(&self.parts.process.comm)
    }
}

impl EventView for KernelEvent {
    fn event_type(&self) -> EventType {
        self.parts.event_type
    }

    fn value(&self, field: Field, argument: &Argument) -> Value<'_> {
        fields::value(self, field, argument)
    }

    fn time(&self) -> u64 {
        self.parts.host.unix_time(self.header.time)
    }

    fn source(&self) -> &'static str {
        "syscall"
    }
}
