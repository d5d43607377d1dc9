//! The loader: puts the programs of `bpf/` into the kernel, configures them, and delivers their records.

use crate::ring::{Ring, page_size};
use crate::wanted::{self, NOT_WANTED, Wanted};
use crate::wire::{HEADER_SIZE, Kind, Record, RecordBuilder, Tag, WireError};
use aya::maps::{Array, ArrayOfMaps, Map, MapData, MapError, PerCpuArray, ProgramArray};
use aya::programs::{BtfTracePoint, FEntry, Iter, ProgramError};
use aya::{Btf, BtfError, Ebpf, EbpfError, EbpfLoader};
use model::event::EventType;
use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, AsRawFd};
use std::time::{Duration, Instant};

/// The programs, compiled by `make bpf`.
#[cfg(target_arch = "x86_64")]
static OBJECT: &[u8] = aya::include_bytes_aligned!("../../../bpf/hullward.x86_64.o");
#[cfg(target_arch = "aarch64")]
static OBJECT: &[u8] = aya::include_bytes_aligned!("../../../bpf/hullward.aarch64.o");

/// Ring buffers at most; with more processors several share one.
const MAXIMUM_RINGS: usize = 16;
/// The smallest ring buffer, in bytes.
const MINIMUM_RING: usize = 128 << 10;
/// Bytes of arguments, and of the environment, that are taken.
const ARGUMENT_BYTES: u32 = 16 << 10;
/// How long the reader sleeps at most while nothing wakes it.
const SLICE: Duration = Duration::from_millis(20);
/// Below this many bytes waiting, the reader lets some more gather.
const FEW: u64 = 64 << 10;
/// How long it lets them gather.
const GATHER: Duration = Duration::from_millis(2);
/// Records younger than this are held back while there are several rings, so that all that was before them is there.
const SETTLE: u64 = 1_000_000;
/// Records that one call of [`KernelSensor::poll`] delivers at most.
const BATCH: usize = 1 << 16;
/// Records after which the kernel gets the space back.
const PUBLISH: usize = 64;
/// The largest file of `/proc` that is read whole.
const PROC_FILE_BYTES: u64 = 64 << 10;

/// What the sensor is to watch.
#[derive(Debug, Clone)]
pub struct SensorConfig {
    /// The event types that rules ask for; what the state needs is added.
    pub wanted: BTreeSet<EventType>,
    /// Of these, the ones that are not reported for TCP sockets: sending and receiving, where no rule can match that.
    pub without_tcp: BTreeSet<EventType>,
    /// Whether the environment of new programs is taken, up to 16 KiB.
    pub environment: bool,
    /// Bytes taken from what is read and written, at most 4,096.
    pub data_bytes: usize,
    /// Bytes of all ring buffers together; rounded down to powers of two. All of them count as resident memory.
    pub ring_bytes: usize,
    /// Events a second that each control group may make for certain while the buffers are half full; what is beyond is
    /// counted as lost, so that one group cannot blind the sensor for the others. `None`: first come, first served.
    pub budget_per_cgroup: Option<u32>,
    /// Whether system calls of this process are reported too.
    pub own_process: bool,
}

impl Default for SensorConfig {
    fn default() -> Self {
        Self {
            wanted: BTreeSet::new(),
            without_tcp: BTreeSet::new(),
            environment: true,
            data_bytes: 128,
            ring_bytes: 8 << 20,
            budget_per_cgroup: Some(20_000),
            own_process: false,
        }
    }
}

/// Why the sensor does not run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SensorError {
    /// The kernel does not describe its types.
    #[error(
        "kernel {release} has no type information in /sys/kernel/btf/vmlinux: a kernel built with CONFIG_DEBUG_INFO_BTF is needed"
    )]
    NoTypes {
        /// The kernel's release.
        release: String,
    },
    /// The kernel refuses, since this process may not.
    #[error(
        "the kernel does not let this process load programs: run as root, or with CAP_BPF, CAP_PERFMON and CAP_SYS_RESOURCE"
    )]
    NotAllowed,
    /// The object cannot be prepared for this kernel.
    #[error("programs do not fit kernel {release}: {source}")]
    Object {
        /// The kernel's release.
        release: String,
        /// What the loader says.
        source: Box<EbpfError>,
    },
    /// A program that everything else needs was refused.
    #[error("kernel {release} refuses the program `{program}`: {reason}")]
    Program {
        /// The kernel's release.
        release: String,
        /// The program.
        program: &'static str,
        /// What the kernel says.
        reason: String,
    },
    /// A map of the programs cannot be used.
    #[error("the map `{map}` cannot be used: {source}")]
    Map {
        /// The map.
        map: &'static str,
        /// Why.
        source: Box<MapError>,
    },
    /// The object lacks what this program expects of it.
    #[error("the object of programs has no `{0}`: build it again with `make bpf`")]
    Missing(&'static str),
    /// Reading failed.
    #[error("{what} cannot be read: {source}")]
    Read {
        /// What was read.
        what: &'static str,
        /// Why.
        source: io::Error,
    },
    /// A record does not follow the layout.
    #[error(transparent)]
    Wire(#[from] WireError),
}

/// A program of the kernel side, and whether it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProgramState {
    /// The program.
    pub name: &'static str,
    /// What it sees.
    pub purpose: &'static str,
    /// Why it does not run; `None` when it does.
    pub refused: Option<String>,
}

/// What the kernel lets the sensor see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeReport {
    /// The kernel's release.
    pub release: String,
    /// Every program, the required ones first.
    pub programs: Vec<ProgramState>,
    /// Whether there are only control groups of version 2.
    pub unified_cgroups: bool,
    /// Ring buffers.
    pub rings: usize,
    /// Bytes of each.
    pub ring_bytes: usize,
}

/// Records that did not arrive, by cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Losses {
    /// Records made, lost ones included.
    pub made: u64,
    /// The ring buffer was full.
    pub ring_full: u64,
    /// The control group had used up its allowance while the buffers were half full.
    pub over_budget: u64,
    /// A record was made while another of the same processor was under way.
    pub nested: u64,
    /// The record was too large.
    pub too_large: u64,
    /// The program that makes such records does not run.
    pub no_program: u64,
}

impl Losses {
    /// Lost records of all causes.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.ring_full + self.over_budget + self.nested + self.too_large + self.no_program
    }

    /// Both together.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        Self {
            made: self.made + other.made,
            ring_full: self.ring_full + other.ring_full,
            over_budget: self.over_budget + other.over_budget,
            nested: self.nested + other.nested,
            too_large: self.too_large + other.too_large,
            no_program: self.no_program + other.no_program,
        }
    }
}

/// Losses since the start.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LossReport {
    /// By processor; the index is its number.
    pub by_cpu: Vec<Losses>,
    /// How often the kernel did not run a program because it interrupted a run of the same: records that were not made.
    pub not_run: u64,
}

impl LossReport {
    /// Of all processors.
    #[must_use]
    pub fn total(&self) -> Losses {
        self.by_cpu
            .iter()
            .fold(Losses::default(), |sum, one| sum.plus(one))
    }
}

/// `struct settings` of `bpf/events.h`.
#[derive(Debug, Clone, Copy, Default)]
#[repr(C)]
struct Settings {
    own_process: u32,
    rings: u32,
    wake_bytes: u64,
    pressure_bytes: u64,
    high_pressure_bytes: u64,
    budget: u64,
    io_uring: u64,
    data_bytes: u32,
    argument_bytes: u32,
    environment_bytes: u32,
    unified: u32,
    socket_states: u32,
    slots: u32,
    controller: u32,
    resolves: u32,
}

/// `struct counters` of `bpf/events.h`.
#[derive(Debug, Clone, Copy, Default)]
#[repr(C)]
struct Counters {
    made: u64,
    lost: [u64; 5],
    last_cgroup: u64,
    spare: u64,
}

const _: () =
    assert!(size_of::<Settings>() == 80 && size_of::<Counters>() == 64 && size_of::<Wanted>() == 16);

// SAFETY: numbers laid out as in C, without padding, every bit pattern allowed.
#[allow(unsafe_code)]
unsafe impl aya::Pod for Settings {}
// SAFETY: as above.
#[allow(unsafe_code)]
unsafe impl aya::Pod for Counters {}
// SAFETY: as above.
#[allow(unsafe_code)]
unsafe impl aya::Pod for Wanted {}

/// A program that is attached to a tracepoint.
struct Tracepoint {
    name: &'static str,
    purpose: &'static str,
    /// Whether nothing works without it.
    required: bool,
    /// Programs and tracepoints by which it is tried, the first that the kernel takes counts.
    ways: &'static [(&'static str, &'static str)],
}

const fn required(
    name: &'static str,
    purpose: &'static str,
    ways: &'static [(&'static str, &'static str)],
) -> Tracepoint {
    Tracepoint {
        name,
        purpose,
        required: true,
        ways,
    }
}

const fn optional(
    name: &'static str,
    purpose: &'static str,
    ways: &'static [(&'static str, &'static str)],
) -> Tracepoint {
    Tracepoint {
        name,
        purpose,
        required: false,
        ways,
    }
}

/// In the order in which they are attached.
const TRACEPOINTS: [Tracepoint; 9] = [
    required(
        "process_exec",
        "programs that start",
        &[("process_exec", "sched_process_exec")],
    ),
    required(
        "process_fork",
        "processes and threads that are made",
        &[("process_fork", "sched_process_fork")],
    ),
    required(
        "process_exit",
        "processes and threads that end",
        &[("process_exit", "sched_process_exit")],
    ),
    required(
        "sys_exit",
        "system calls that return",
        &[("sys_exit", "sys_exit")],
    ),
    optional(
        "io_uring",
        "files and sockets that are reached without system calls",
        // The name and the arguments of the tracepoint have changed twice.
        &[
            ("io_uring_request", "io_uring_submit_req"),
            ("io_uring_request", "io_uring_submit_sqe"),
            ("io_uring_request_second", "io_uring_submit_sqe"),
        ],
    ),
    optional(
        "socket_state",
        "connections that come about and end",
        &[("socket_state", "inet_sock_set_state")],
    ),
    optional(
        "group_made",
        "control groups that are made",
        &[("group_made", "cgroup_mkdir")],
    ),
    optional(
        "group_removed",
        "control groups that are removed",
        &[("group_removed", "cgroup_rmdir")],
    ),
    optional(
        "group_entered",
        "tasks that are moved to another control group",
        &[("group_entered", "cgroup_attach_task")],
    ),
];

/// Event types by which operations of io_uring are asked for: an operation is wanted when one of its types is.
const OPERATIONS: [(&str, &[u32]); 30] = [
    ("read", &[1, 4, 22]),
    ("readv", &[1, 4, 22]),
    ("pread", &[1, 4, 22]),
    ("preadv", &[1, 4, 22]),
    ("write", &[2, 5, 23]),
    ("writev", &[2, 5, 23]),
    ("pwrite", &[2, 5, 23]),
    ("pwritev", &[2, 5, 23]),
    ("open", &[18, 28]),
    ("openat", &[18, 28]),
    ("openat2", &[18, 28]),
    ("connect", &[16]),
    ("accept", &[13]),
    ("accept4", &[13]),
    ("sendto", &[26, 47]),
    ("sendmsg", &[9, 48]),
    ("recvfrom", &[27]),
    ("recvmsg", &[10]),
    ("rename", &[35]),
    ("renameat", &[35]),
    ("renameat2", &[35]),
    ("unlink", &[36]),
    ("unlinkat", &[36]),
    ("mkdirat", &[37]),
    ("symlinkat", &[38]),
    ("linkat", &[39]),
    ("socket", &[45]),
    ("bind", &[56]),
    ("listen", &[57]),
    ("splice", &[30]),
];

/// One bit for each operation of io_uring that is wanted.
fn operations(types: &BTreeSet<EventType>) -> u64 {
    OPERATIONS
        .iter()
        .filter(|(name, _)| EventType::named(name).is_some_and(|kind| types.contains(&kind)))
        .flat_map(|(_, operations)| operations.iter())
        .fold(0, |bits, operation| bits | 1 << operation)
}

/// Programs at the kernel's checks of paths, the functions that they are attached to, and what they see.
const PATH_CHECKS: [(&str, &str, &str); 12] = [
    (
        "resolved_unlink",
        "security_path_unlink",
        "links in the path of unlink",
    ),
    (
        "resolved_rmdir",
        "security_path_rmdir",
        "links in the path of rmdir",
    ),
    (
        "resolved_mkdir",
        "security_path_mkdir",
        "links in the path of mkdir",
    ),
    (
        "resolved_mknod",
        "security_path_mknod",
        "links in the path of mknod",
    ),
    (
        "resolved_symlink",
        "security_path_symlink",
        "links in the path of symlink",
    ),
    (
        "resolved_link",
        "security_path_link",
        "links in the paths of link",
    ),
    (
        "resolved_rename",
        "security_path_rename",
        "links in the paths of rename",
    ),
    (
        "resolved_truncate",
        "security_path_truncate",
        "links in the path of truncate",
    ),
    (
        "resolved_chmod",
        "security_path_chmod",
        "links in the path of chmod",
    ),
    (
        "resolved_chown",
        "security_path_chown",
        "links in the path of chown",
    ),
    (
        "resolved_chroot",
        "security_path_chroot",
        "links in the path of chroot",
    ),
    (
        "resolved_mount",
        "security_sb_mount",
        "links in the path of mount",
    ),
];

/// Programs behind `sys_exit`, by their index in `handlers`.
const HANDLERS: [(&str, u32); 4] = [
    ("call_arguments", 1),
    ("call_paths", 2),
    ("call_socket", 3),
    ("call_socketcall", 4),
];

/// The programs in the kernel, and their records.
///
/// Dropping it removes everything from the kernel; so does the end of the process, whatever its cause: nothing is pinned.
#[derive(Debug)]
pub struct KernelSensor {
    rings: Vec<Ring>,
    ebpf: Ebpf,
    settings: Settings,
    rows: HashMap<u32, Wanted>,
    release: String,
}

impl KernelSensor {
    /// Loads the programs and attaches them. From then on nothing is missed; [`Self::snapshot`] tells what was before.
    ///
    /// # Errors
    /// When the kernel has no type information, does not let this process load programs, or refuses a program that
    /// nothing works without; optional programs that it refuses are in the report.
    pub fn start(config: &SensorConfig) -> Result<(Self, ProbeReport), SensorError> {
        let release = release();
        let btf = Btf::from_sys_fs().map_err(|error| match error {
            BtfError::FileError { ref error, .. } if error.kind() == io::ErrorKind::PermissionDenied => {
                SensorError::NotAllowed
            }
            _ => SensorError::NoTypes {
                release: release.clone(),
            },
        })?;
        let cpus = aya::util::nr_cpus().map_err(|(_, source)| SensorError::Read {
            what: "the number of processors",
            source,
        })?;
        // One for each processor, one more for paths that are followed there, one for iterators.
        let slots = u32::try_from(cpus * 2 + 1).unwrap_or(u32::MAX);
        let mut ebpf = EbpfLoader::new()
            .btf(Some(&btf))
            .map_max_entries("slots", slots)
            .load(OBJECT)
            .map_err(|error| refused(&release, error))?;

        let count = cpus.clamp(1, MAXIMUM_RINGS);
        let ring_bytes = ring_size(config.ring_bytes / count);
        let rings = make_rings(&mut ebpf, count, ring_bytes)?;
        let controller = controller(&String::from_utf8_lossy(&proc_file(
            "/proc/cgroups",
            PROC_FILE_BYTES,
        )));
        let settings = Settings {
            rings: u32::try_from(count).unwrap_or(1),
            wake_bytes: u64::from(ring_bytes / 8).min(256 << 10),
            pressure_bytes: u64::from(ring_bytes / 2),
            high_pressure_bytes: u64::from(ring_bytes / 4 * 3),
            argument_bytes: ARGUMENT_BYTES,
            unified: u32::from(controller == 0),
            controller,
            slots,
            ..Settings::default()
        };
        let mut sensor = Self {
            rings,
            ebpf,
            settings,
            rows: HashMap::new(),
            release,
        };
        sensor.reconfigure(config)?;
        let mut programs = Vec::new();
        sensor.load_iterators(&btf, &mut programs);
        if !config.own_process {
            sensor.settings.own_process = sensor.own_number();
            sensor.write_settings()?;
        }
        sensor.load_handlers(&btf)?;
        sensor.attach(&btf, &mut programs)?;
        sensor.follow_paths(&btf, &mut programs);
        drop(btf);
        give_back();
        let report = ProbeReport {
            release: sensor.release.clone(),
            programs,
            unified_cgroups: controller == 0,
            rings: count,
            ring_bytes: ring_bytes as usize,
        };
        Ok((sensor, report))
    }

    /// Takes a new configuration. Sizes of buffers stay as they were at the start.
    ///
    /// # Errors
    /// When the kernel does not take it.
    pub fn reconfigure(&mut self, config: &SensorConfig) -> Result<(), SensorError> {
        self.settings.budget = config.budget_per_cgroup.map_or(0, u64::from);
        self.settings.data_bytes = u32::try_from(config.data_bytes.min(4096)).unwrap_or(4096);
        self.settings.environment_bytes = if config.environment { ARGUMENT_BYTES } else { 0 };
        self.settings.io_uring = operations(&config.wanted);
        self.settings.socket_states = u32::from(
            ["connect", "accept", "accept4"]
                .iter()
                .any(|name| EventType::named(name).is_some_and(|kind| config.wanted.contains(&kind))),
        );
        let rows = wanted::rows(&config.wanted, &config.without_tcp);
        self.settings.resolves = wanted::resolved_kinds(rows.values());
        self.write_settings()?;
        let mut table: Array<_, Wanted> =
            Array::try_from(map_of(&mut self.ebpf, "wanted")?).map_err(in_map("wanted"))?;
        for index in 0..wanted::ROWS {
            let row = rows.get(&index).copied();
            if row != self.rows.get(&index).copied() {
                table
                    .set(index, row.unwrap_or(NOT_WANTED), 0)
                    .map_err(in_map("wanted"))?;
            }
        }
        self.rows = rows;
        Ok(())
    }

    fn write_settings(&mut self) -> Result<(), SensorError> {
        let settings = self.settings;
        let mut map: Array<_, Settings> =
            Array::try_from(map_of(&mut self.ebpf, "settings")?).map_err(in_map("settings"))?;
        map.set(0, settings, 0).map_err(in_map("settings"))
    }

    fn load_handlers(&mut self, btf: &Btf) -> Result<(), SensorError> {
        let mut descriptors = Vec::new();
        for (name, index) in HANDLERS {
            let program: &mut BtfTracePoint = program_of(&mut self.ebpf, name)?;
            program
                .load("sys_exit", btf)
                .map_err(|error| program_refused(&self.release, name, &error))?;
            let descriptor = program
                .fd()
                .and_then(|descriptor| descriptor.try_clone().map_err(ProgramError::IOError))
                .map_err(|error| program_refused(&self.release, name, &error))?;
            descriptors.push((index, descriptor));
        }
        let mut table =
            ProgramArray::try_from(map_of(&mut self.ebpf, "handlers")?).map_err(in_map("handlers"))?;
        for (index, descriptor) in descriptors {
            table.set(index, &descriptor, 0).map_err(in_map("handlers"))?;
        }
        Ok(())
    }

    fn attach(&mut self, btf: &Btf, programs: &mut Vec<ProgramState>) -> Result<(), SensorError> {
        for Tracepoint {
            name,
            purpose,
            required,
            ways,
        } in TRACEPOINTS
        {
            let mut refused = None;
            for (index, (program, tracepoint)) in ways.iter().enumerate() {
                let program: &mut BtfTracePoint = program_of(&mut self.ebpf, program)?;
                let outcome = program.load(tracepoint, btf).and_then(|()| program.attach());
                match outcome {
                    Ok(_) => {
                        refused = None;
                        break;
                    }
                    Err(error) if required => {
                        return Err(program_refused(&self.release, name, &error));
                    }
                    // What the kernel says of the way that it should know is worth more than that others are not there.
                    Err(error) if index == 0 || !matches!(error, ProgramError::Btf(_)) => {
                        refused = Some(reason(&error));
                    }
                    Err(_) => {}
                }
            }
            programs.push(ProgramState {
                name,
                purpose,
                refused,
            });
        }
        Ok(())
    }

    /// Programs at the kernel's checks of paths: one word where the kernel takes none of them, else one for each that it refuses.
    fn follow_paths(&mut self, btf: &Btf, programs: &mut Vec<ProgramState>) {
        let outcomes = PATH_CHECKS.map(|(name, function, purpose)| {
            let outcome = program_of::<FEntry>(&mut self.ebpf, name)
                .map_err(|error| error.to_string())
                .and_then(|program| {
                    program
                        .load(function, btf)
                        .and_then(|()| program.attach())
                        .map_err(|error| reason(&error))
                });
            ProgramState {
                name,
                purpose,
                refused: outcome.err(),
            }
        });
        if outcomes.iter().any(|program| program.refused.is_none()) {
            programs.extend(outcomes);
        } else {
            programs.push(ProgramState {
                name: "resolved",
                purpose: "links in the paths of calls that open nothing",
                refused: outcomes.into_iter().find_map(|program| program.refused),
            });
        }
    }

    fn load_iterators(&mut self, btf: &Btf, programs: &mut Vec<ProgramState>) {
        for (name, kind, purpose) in ITERATORS {
            let outcome = match program_of::<Iter>(&mut self.ebpf, name) {
                Ok(program) => program.load(kind, btf).map_err(|error| reason(&error)),
                Err(error) => Err(error.to_string()),
            };
            programs.push(ProgramState {
                name,
                purpose,
                refused: outcome.err(),
            });
        }
    }

    /// The number of this process in the first PID namespace, 0 when it cannot be told.
    fn own_number(&mut self) -> u32 {
        let mut own = 0;
        let read = self.iterate("snapshot_process", &mut |record| {
            own = u32::try_from(record.header.args[1]).unwrap_or_default();
        });
        if read.is_ok() { own } else { 0 }
    }

    /// Runs an iterator to its end.
    fn iterate(&mut self, name: &'static str, each: &mut dyn FnMut(Record<'_>)) -> Result<(), SensorError> {
        let failed = |error: &dyn std::fmt::Display| SensorError::Program {
            release: release(),
            program: name,
            reason: error.to_string(),
        };
        let program: &mut Iter = program_of(&mut self.ebpf, name)?;
        let link = program.attach().map_err(|error| failed(&reason(&error)))?;
        let mut file = program
            .take_link(link)
            .map_err(|error| failed(&reason(&error)))?
            .into_file()
            .map_err(|error| failed(&error))?;
        let mut buffer = vec![0; 256 << 10];
        let mut filled = 0;
        loop {
            let read = match file.read(&mut buffer[filled..]) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error)
                    if matches!(
                        error.kind(),
                        io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock
                    ) =>
                {
                    continue;
                }
                Err(source) => return Err(SensorError::Read { what: name, source }),
            };
            filled += read;
            let mut at = 0;
            while let Some(size) = buffer[at..filled].first_chunk::<4>() {
                let size = u32::from_le_bytes(*size) as usize;
                if filled - at < size.max(HEADER_SIZE) {
                    break;
                }
                each(Record::parse(&buffer[at..at + size])?);
                at += size;
            }
            buffer.copy_within(at..filled, 0);
            filled -= at;
        }
        Ok(())
    }

    /// Tells the processes that there are, then their open files, as [`Kind::Snapshot`] and [`Kind::SnapshotFile`].
    ///
    /// Programs are attached before: a process that starts meanwhile is told twice, none is missed.
    ///
    /// # Errors
    /// When the kernel does not let it walk its processes.
    pub fn snapshot(&mut self, each: &mut dyn FnMut(Record<'_>)) -> Result<(), SensorError> {
        let environment = self.settings.environment_bytes > 0;
        let mut broken = None;
        self.iterate("snapshot_process", &mut |record| {
            let whole = with_arguments(&record, environment);
            match Record::parse(&whole) {
                Ok(record) => each(record),
                Err(error) => broken = Some(error),
            }
        })?;
        if let Some(error) = broken {
            return Err(error.into());
        }
        self.iterate("snapshot_file", each)
    }

    /// Bytes that wait in the rings.
    #[must_use]
    pub fn waiting(&self) -> u64 {
        self.rings.iter().map(Ring::waiting).sum()
    }

    /// Delivers the records that wait, in the order of their time; waits up to `timeout` for the first. Returns how many.
    ///
    /// # Errors
    /// When a record does not follow the layout.
    pub fn poll(
        &mut self,
        timeout: Duration,
        each: &mut dyn FnMut(Record<'_>),
    ) -> Result<usize, SensorError> {
        let start = Instant::now();
        loop {
            let waiting = self.waiting();
            let left = timeout.saturating_sub(start.elapsed());
            if waiting == 0 {
                if left.is_zero() {
                    return Ok(0);
                }
                wait(&self.rings, left.min(SLICE));
                continue;
            }
            if waiting < FEW {
                std::thread::sleep(GATHER);
            }
            let delivered = self.deliver(each)?;
            if delivered > 0 || left.is_zero() {
                return Ok(delivered);
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    fn deliver(&mut self, each: &mut dyn FnMut(Record<'_>)) -> Result<usize, SensorError> {
        let horizon = if self.rings.len() > 1 {
            now().saturating_sub(SETTLE)
        } else {
            u64::MAX
        };
        let mut heads: Vec<Option<u64>> = self.rings.iter_mut().map(head).collect();
        let mut delivered = 0;
        let mut outcome = Ok(());
        while delivered < BATCH {
            let oldest = heads
                .iter()
                .enumerate()
                .filter_map(|(index, time)| time.map(|time| (time, index)))
                .min()
                .filter(|(time, _)| *time <= horizon);
            let Some((_, index)) = oldest else { break };
            let Some(ring) = self.rings.get_mut(index) else {
                break;
            };
            let Some(bytes) = ring.peek() else { break };
            let length = bytes.len();
            match Record::parse(bytes) {
                Ok(record) => each(record),
                Err(error) => outcome = Err(error),
            }
            ring.advance(length);
            delivered += 1;
            if delivered % PUBLISH == 0 {
                ring.publish();
            }
            heads[index] = head(ring);
        }
        for ring in &self.rings {
            ring.publish();
        }
        outcome?;
        Ok(delivered)
    }

    /// Records made and lost since the start.
    ///
    /// # Errors
    /// When the kernel's counters cannot be read.
    pub fn losses(&self) -> Result<LossReport, SensorError> {
        let map = self
            .ebpf
            .map("counters")
            .ok_or(SensorError::Missing("counters"))?;
        let counters: PerCpuArray<_, Counters> = PerCpuArray::try_from(map).map_err(in_map("counters"))?;
        let mut by_cpu: Vec<Losses> = Vec::new();
        for lane in 0..2 {
            let values = counters.get(&lane, 0).map_err(in_map("counters"))?;
            by_cpu.resize(values.len(), Losses::default());
            for (sum, one) in by_cpu.iter_mut().zip(values.iter()) {
                let [ring_full, over_budget, nested, too_large, no_program] = one.lost;
                *sum = sum.plus(&Losses {
                    made: one.made,
                    ring_full,
                    over_budget,
                    nested,
                    too_large,
                    no_program,
                });
            }
        }
        Ok(LossReport {
            by_cpu,
            not_run: self.not_run(),
        })
    }
}

impl KernelSensor {
    /// What the kernel says of the programs' descriptors; kernels before 5.12 do not, and do not skip either.
    fn not_run(&self) -> u64 {
        self.ebpf
            .programs()
            .filter_map(|(_, program)| match program {
                aya::programs::Program::BtfTracePoint(program) => program.fd().ok(),
                _ => None,
            })
            .filter_map(|descriptor| {
                let number = descriptor.as_fd().as_raw_fd();
                let info = proc_file(&format!("/proc/self/fdinfo/{number}"), PROC_FILE_BYTES);
                let info = String::from_utf8_lossy(&info).into_owned();
                info.lines()
                    .find_map(|line| line.strip_prefix("recursion_misses:"))
                    .and_then(|count| count.trim().parse::<u64>().ok())
            })
            .sum()
    }
}

const ITERATORS: [(&str, &str, &str); 2] = [
    ("snapshot_process", "task", "processes that were there before"),
    ("snapshot_file", "task_file", "files that were open before"),
];

/// When the oldest record of a ring was written. A record too short to say so goes first, and is then refused.
fn head(ring: &mut Ring) -> Option<u64> {
    let bytes = ring.peek()?;
    Some(
        bytes
            .get(8..16)
            .and_then(|time| time.try_into().ok())
            .map_or(0, u64::from_le_bytes),
    )
}

fn make_rings(ebpf: &mut Ebpf, count: usize, bytes: u32) -> Result<Vec<Ring>, SensorError> {
    let mut table: ArrayOfMaps<_, MapData> =
        ArrayOfMaps::try_from(map_of(ebpf, "rings")?).map_err(in_map("rings"))?;
    let mut rings = Vec::new();
    for index in 0..count {
        let kind = aya_obj::generated::bpf_map_type::BPF_MAP_TYPE_RINGBUF as u32;
        let map = MapData::create(aya_obj::Map::new_from_params(kind, 0, 0, bytes, 0), "ring", None)
            .map_err(in_map("rings"))?;
        table
            .set(u32::try_from(index).unwrap_or(u32::MAX), &map, 0)
            .map_err(in_map("rings"))?;
        let mapped = map
            .fd()
            .as_fd()
            .try_clone_to_owned()
            .and_then(|descriptor| Ring::new(descriptor, bytes))
            .map_err(|source| SensorError::Read {
                what: "a ring buffer",
                source,
            })?;
        rings.push(mapped);
    }
    Ok(rings)
}

/// The largest power of two that is not above `bytes`, and that the kernel takes.
fn ring_size(bytes: usize) -> u32 {
    let bytes = bytes.clamp(MINIMUM_RING.max(page_size()), 1 << 30);
    u32::try_from(1_usize << bytes.ilog2()).unwrap_or(1 << 30)
}

fn map_of<'a>(ebpf: &'a mut Ebpf, name: &'static str) -> Result<&'a mut Map, SensorError> {
    ebpf.map_mut(name).ok_or(SensorError::Missing(name))
}

fn program_of<'a, P>(ebpf: &'a mut Ebpf, name: &'static str) -> Result<&'a mut P, SensorError>
where
    &'a mut P: TryFrom<&'a mut aya::programs::Program>,
{
    let program = ebpf.program_mut(name).ok_or(SensorError::Missing(name))?;
    program.try_into().map_err(|_| SensorError::Missing(name))
}

fn in_map(map: &'static str) -> impl Fn(MapError) -> SensorError {
    move |source| SensorError::Map {
        map,
        source: Box::new(source),
    }
}

/// What the kernel says of a program, its verifier's last words included.
fn reason(error: &ProgramError) -> String {
    match error {
        ProgramError::LoadError {
            io_error,
            verifier_log,
        } => {
            let log = verifier_log.to_string();
            let lines: Vec<&str> = log.lines().filter(|line| !line.trim().is_empty()).collect();
            let last = lines[lines.len().saturating_sub(4)..].join("; ");
            if last.is_empty() {
                io_error.to_string()
            } else {
                format!("{io_error}: {last}")
            }
        }
        other => {
            let mut text = other.to_string();
            let mut cause = std::error::Error::source(other);
            while let Some(error) = cause {
                text = format!("{text}: {error}");
                cause = error.source();
            }
            text
        }
    }
}

fn program_refused(release: &str, program: &'static str, error: &ProgramError) -> SensorError {
    let denied = match error {
        ProgramError::LoadError { io_error, .. } => io_error.kind() == io::ErrorKind::PermissionDenied,
        ProgramError::SyscallError(error) => error.io_error.kind() == io::ErrorKind::PermissionDenied,
        _ => false,
    };
    if denied && !is_root() {
        return SensorError::NotAllowed;
    }
    SensorError::Program {
        release: release.to_owned(),
        program,
        reason: reason(error),
    }
}

fn refused(release: &str, error: EbpfError) -> SensorError {
    let denied = match &error {
        EbpfError::MapError(MapError::CreateError { io_error, .. }) => {
            io_error.kind() == io::ErrorKind::PermissionDenied
        }
        _ => false,
    };
    if denied || !is_root() {
        return SensorError::NotAllowed;
    }
    SensorError::Object {
        release: release.to_owned(),
        source: Box::new(error),
    }
}

#[allow(unsafe_code)]
fn is_root() -> bool {
    // SAFETY: asks for a number.
    unsafe { libc::geteuid() == 0 }
}

/// Gives memory that was needed for a while back to the system: the kernel's types at the start, queues after a burst. The
/// allocator would keep it. Takes some milliseconds.
#[allow(unsafe_code)]
pub fn give_back() {
    // SAFETY: frees what the allocator holds for later alone.
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    unsafe {
        libc::malloc_trim(0);
    }
}

/// Waits until a ring wakes the reader, or the time is over.
#[allow(unsafe_code)]
fn wait(rings: &[Ring], timeout: Duration) {
    let mut descriptors: Vec<libc::pollfd> = rings
        .iter()
        .map(|ring| libc::pollfd {
            fd: ring.descriptor().as_raw_fd(),
            events: libc::POLLIN,
            revents: 0,
        })
        .collect();
    let milliseconds = i32::try_from(timeout.as_millis()).unwrap_or(i32::MAX).max(1);
    let count = libc::nfds_t::try_from(descriptors.len()).unwrap_or_default();
    // SAFETY: the pointer and the count are those of the vector. An interruption ends the wait early, which does no harm.
    unsafe {
        libc::poll(descriptors.as_mut_ptr(), count, milliseconds);
    }
}

/// Nanoseconds since boot, suspended time included: the clock of records.
#[must_use]
#[allow(unsafe_code)]
pub fn now() -> u64 {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the structure is ours and outlives the call.
    unsafe {
        libc::clock_gettime(libc::CLOCK_BOOTTIME, &raw mut time);
    }
    u64::try_from(time.tv_sec).unwrap_or_default() * 1_000_000_000
        + u64::try_from(time.tv_nsec).unwrap_or_default()
}

/// A file of `/proc`, at most [`PROC_FILE_BYTES`]; empty when the process has ended meanwhile.
#[allow(
    clippy::disallowed_methods,
    reason = "a file that the kernel makes, not one of a target"
)]
fn proc_file(path: &str, limit: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Ok(file) = File::open(path) {
        // What was read before an error is as good as what was read before the end.
        let _ = file.take(limit).read_to_end(&mut bytes);
    }
    bytes
}

fn release() -> String {
    let release = proc_file("/proc/sys/kernel/osrelease", PROC_FILE_BYTES);
    String::from_utf8_lossy(&release).trim().to_owned()
}

/// Controllers of version 1 by which containers can be told apart, in the order of `enum controller` of `bpf/events.h`.
const CONTROLLERS: [&str; 5] = ["memory", "pids", "devices", "cpu", "freezer"];

/// The first of [`CONTROLLERS`] that is in a hierarchy of version 1, counted from 1; 0 when there is none. `table` is that
/// of `/proc/cgroups`.
fn controller(table: &str) -> u32 {
    let hierarchy = |name: &str| {
        table.lines().find_map(|line| {
            let mut words = line.split_whitespace();
            (words.next() == Some(name)).then(|| words.next() != Some("0"))
        })
    };
    CONTROLLERS
        .iter()
        .zip(1_u32..)
        .find(|(name, _)| hierarchy(name) == Some(true))
        .map_or(0, |(_, number)| number)
}

/// The record with the arguments and environment that an iterator cannot read from other processes.
fn with_arguments(record: &Record<'_>, environment: bool) -> Vec<u8> {
    let mut builder = RecordBuilder::of(record);
    let tgid = record.header.tgid;
    let limit = u64::from(ARGUMENT_BYTES);
    for (name, tag) in [("cmdline", Tag::Argv), ("environ", Tag::Environment)] {
        if tag == Tag::Environment && !environment {
            continue;
        }
        let content = proc_file(&format!("/proc/{tgid}/{name}"), limit);
        if !content.is_empty() {
            builder = builder.chunk(tag, &content);
        }
    }
    debug_assert_eq!(record.header.kind, Kind::Snapshot as u8);
    builder.build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_controller_that_tells_containers_apart() {
        let head = "#subsys_name\thierarchy\tnum_cgroups\tenabled\n";
        for (rows, expected) in [
            ("memory\t0\t80\t1\npids\t0\t80\t1\n", 0),
            ("cpu\t2\t80\t1\nmemory\t5\t80\t1\n", 1),
            ("memory\t0\t80\t1\npids\t4\t80\t1\n", 2),
            ("cpuset\t3\t1\t1\n", 0),
            ("", 0),
        ] {
            assert_eq!(controller(&format!("{head}{rows}")), expected, "{rows}");
        }
    }

    #[test]
    fn rings_are_powers_of_two() {
        assert_eq!(ring_size(0), 128 << 10);
        assert_eq!(ring_size((8 << 20) - 1), 4 << 20);
        assert_eq!(ring_size(usize::MAX), 1 << 30);
    }
}
