//! The fields of the rule language: their names, what they hold, and what argument they take.

use std::collections::HashMap;
use std::sync::OnceLock;

/// What a field holds, which decides the operators that it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FieldKind {
    /// A signed number.
    Int,
    /// An unsigned number.
    Uint,
    /// A truth value.
    Bool,
    /// A string.
    Text,
    /// A path: a string, compared as such, that `pmatch` takes apart.
    Path,
    /// A buffer.
    Bytes,
    /// An IP address.
    Address,
    /// An IP network.
    Network,
    /// A port number.
    Port,
    /// A duration in nanoseconds.
    Duration,
    /// A point in time, nanoseconds since the Unix epoch.
    Time,
}

/// What may stand in brackets after a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ArgumentRule {
    /// Nothing.
    None,
    /// A number may stand there.
    OptionalIndex,
    /// A number must stand there.
    RequiredIndex,
    /// A text may stand there.
    OptionalKey,
    /// A text must stand there.
    RequiredKey,
    /// A number or a text may stand there.
    OptionalAny,
    /// A number or a text must stand there.
    RequiredAny,
}

/// The argument of a field as a rule gives it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub enum Argument {
    /// None given.
    #[default]
    None,
    /// A number.
    Index(u64),
    /// A text.
    Key(Box<str>),
}

/// What is known of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FieldInfo {
    /// The name that rules use.
    pub name: &'static str,
    /// What it holds.
    pub kind: FieldKind,
    /// Whether it holds several values: `in` asks for all of them, `intersects` for any. A field that is no list but
    /// answers with [`super::Value::List`] (`proc.aname` without an index) satisfies an operator when any value does.
    pub list: bool,
    /// What may stand in brackets.
    pub argument: ArgumentRule,
    /// The event sources that give it; empty when none does.
    pub sources: &'static [&'static str],
    /// What it means, in one sentence.
    pub description: &'static str,
}

/// Every event source that rules can name.
pub static SOURCES: &[&str] = EVERY;

const NONE: &[&str] = &[];
const EVERY: &[&str] = &["syscall", "k8s_audit", "aws_cloudtrail", "github", "okta", "json"];
const JSON: &[&str] = &["k8s_audit", "aws_cloudtrail", "github", "okta", "json"];
const SYSCALL: &[&str] = &["syscall"];
const AUDIT: &[&str] = &["k8s_audit"];
const CLOUDTRAIL: &[&str] = &["aws_cloudtrail"];
const GITHUB: &[&str] = &["github"];
const OKTA: &[&str] = &["okta"];

// Fields whose argument may also follow a dot (`evt.arg.flags`).
const DOTTED: &[Field] = &[
    Field::EvtTypeIs,
    Field::EvtArg,
    Field::EvtRawarg,
    Field::EvtAbspath,
    Field::ThreadCgroup,
    Field::ContainerLabel,
    Field::K8sPodLabel,
    Field::K8sNsLabel,
    Field::K8sRcLabel,
    Field::K8sSvcLabel,
    Field::K8sRsLabel,
    Field::K8sDeploymentLabel,
];

macro_rules! fields {
    ($($variant:ident $name:literal $kind:ident $list:literal $argument:ident $sources:ident $description:literal)*) => {
        /// A field of the rule language.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u16)]
        pub enum Field {
            $(#[doc = $description] $variant),*
        }

        /// Every field, in the order of [`Field`].
        pub static FIELDS: &[(Field, FieldInfo)] = &[
            $((Field::$variant, FieldInfo {
                name: $name,
                kind: FieldKind::$kind,
                list: $list,
                argument: ArgumentRule::$argument,
                sources: $sources,
                description: $description,
            })),*
        ];
    };
}

impl Field {
    /// The field with this name, without its argument.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        static INDEX: OnceLock<HashMap<&str, Field>> = OnceLock::new();
        INDEX
            .get_or_init(|| FIELDS.iter().map(|(field, info)| (info.name, *field)).collect())
            .get(name)
            .copied()
    }

    /// The field that a rule names, and what follows its name after a dot: `evt.arg.flags` is [`Field::EvtArg`] with
    /// `flags`.
    #[must_use]
    pub fn with_dotted_argument(name: &str) -> Option<(Self, Option<&str>)> {
        if let Some(field) = Self::named(name) {
            return Some((field, None));
        }
        DOTTED.iter().find_map(|field| {
            let rest = name.strip_prefix(field.info().name)?.strip_prefix('.')?;
            (!rest.is_empty()).then_some((*field, Some(rest)))
        })
    }

    /// What is known of it.
    #[must_use]
    pub fn info(self) -> &'static FieldInfo {
        &FIELDS[self as usize].1
    }
}

fields! {
    EvtNum "evt.num" Uint false None EVERY "The number of the event, counted from the start."
    EvtTime "evt.time" Text false None EVERY "The local time of the event with nanoseconds, as `HH:MM:SS.nnnnnnnnn`."
    EvtTimeS "evt.time.s" Text false None EVERY "The local time of the event as `HH:MM:SS`."
    EvtTimeIso8601 "evt.time.iso8601" Text false None EVERY "The time of the event in UTC as ISO 8601 with nanoseconds."
    EvtDatetime "evt.datetime" Text false None EVERY "The local date and time of the event with nanoseconds."
    EvtDatetimeS "evt.datetime.s" Text false None EVERY "The local date and time of the event."
    EvtRawtime "evt.rawtime" Time false None EVERY "The time of the event in nanoseconds since the Unix epoch."
    EvtRawtimeS "evt.rawtime.s" Time false None EVERY "The whole seconds of `evt.rawtime`."
    EvtRawtimeNs "evt.rawtime.ns" Time false None EVERY "The nanoseconds of `evt.rawtime` beyond its whole seconds."
    EvtReltime "evt.reltime" Duration false None EVERY "Nanoseconds from the first event to this one."
    EvtReltimeS "evt.reltime.s" Duration false None EVERY "The whole seconds of `evt.reltime`."
    EvtReltimeNs "evt.reltime.ns" Duration false None EVERY "The nanoseconds of `evt.reltime` beyond its whole seconds."
    EvtPluginname "evt.pluginname" Text false None JSON "The name of the plugin that reads this kind of event in Falco, such as `k8saudit`."
    EvtPlugininfo "evt.plugininfo" Text false None JSON "A summary of the event of an audit log in one line."
    EvtSource "evt.source" Text false None EVERY "The event source, such as `syscall` or `k8s_audit`."
    EvtIsAsync "evt.is_async" Bool false None EVERY "Whether the event was made by the watcher itself and not by the source."
    EvtAsynctype "evt.asynctype" Text false None NONE "What kind of event the watcher made, such as `container`."
    EvtHostname "evt.hostname" Text false None EVERY "The name of the host that saw the event."
    EvtType "evt.type" Text false None EVERY "The name of the event, such as `openat`."
    EvtLatency "evt.latency" Duration false None NONE "The time between the start and the end of a system call."
    EvtLatencyS "evt.latency.s" Duration false None NONE "The whole seconds of `evt.latency`."
    EvtLatencyNs "evt.latency.ns" Duration false None NONE "The nanoseconds of `evt.latency` beyond its whole seconds."
    EvtLatencyHuman "evt.latency.human" Text false None NONE "`evt.latency` for people."
    EvtDeltatime "evt.deltatime" Duration false None SYSCALL "Nanoseconds from the event before to this one."
    EvtDeltatimeS "evt.deltatime.s" Duration false None SYSCALL "The whole seconds of `evt.deltatime`."
    EvtDeltatimeNs "evt.deltatime.ns" Duration false None SYSCALL "The nanoseconds of `evt.deltatime` beyond its whole seconds."
    EvtOutputtime "evt.outputtime" Text false None EVERY "The time of the event as `evt.time` gives it."
    EvtDir "evt.dir" Text false None SYSCALL "The direction of the event, which is always `<`: events are system calls that returned."
    EvtTypeIs "evt.type.is" Uint false RequiredKey SYSCALL "1 when the event is of the type that the argument names, 0 otherwise."
    SyscallType "syscall.type" Text false None SYSCALL "The name of the system call; events of other kinds have none."
    EvtCategory "evt.category" Text false None SYSCALL "The kind of the event: `file`, `net`, `process`, `memory`, `ipc`, `signal`, `user`, `system` and others."
    EvtCpu "evt.cpu" Int false None SYSCALL "The number of the processor on which the event happened."
    EvtArgs "evt.args" Text false None SYSCALL "All parameters of the event, as `name=value` with blanks between."
    EvtArg "evt.arg" Text false RequiredAny SYSCALL "A parameter of the event as text, by name (`evt.arg.flags`) or by number (`evt.arg[0]`)."
    EvtRawarg "evt.rawarg" Text false RequiredAny SYSCALL "A parameter of the event as it is, by name, without turning numbers into text."
    EvtInfo "evt.info" Text false None SYSCALL "The same as `evt.args`."
    EvtBuffer "evt.buffer" Bytes false None SYSCALL "The first bytes that were read or written."
    EvtBuflen "evt.buflen" Uint false None SYSCALL "How many bytes were read or written."
    EvtRes "evt.res" Text false None SYSCALL "`SUCCESS`, or the name of the error that the system call returned, such as `ENOENT`."
    EvtRawres "evt.rawres" Int false None SYSCALL "The number that the system call returned; errors are negative."
    EvtFailed "evt.failed" Bool false None SYSCALL "Whether the system call returned an error."
    EvtIsIo "evt.is_io" Bool false None SYSCALL "Whether the event reads from or writes to a descriptor."
    EvtIsIoRead "evt.is_io_read" Bool false None SYSCALL "Whether the event reads from a descriptor."
    EvtIsIoWrite "evt.is_io_write" Bool false None SYSCALL "Whether the event writes to a descriptor."
    EvtIoDir "evt.io_dir" Text false None SYSCALL "`r` for events that read from a descriptor, `w` for those that write to one."
    EvtIsWait "evt.is_wait" Bool false None SYSCALL "Whether the event makes the thread wait, as `poll` does."
    EvtWaitLatency "evt.wait_latency" Duration false None NONE "The time that a waiting system call took."
    EvtIsSyslog "evt.is_syslog" Bool false None SYSCALL "Whether the event writes to `/dev/log`."
    EvtCount "evt.count" Uint false None SYSCALL "Always 1, for counting."
    EvtCountError "evt.count.error" Uint false None SYSCALL "1 for events that returned an error."
    EvtCountErrorFile "evt.count.error.file" Uint false None SYSCALL "1 for events on files that returned an error."
    EvtCountErrorNet "evt.count.error.net" Uint false None SYSCALL "1 for events on the network that returned an error."
    EvtCountErrorMemory "evt.count.error.memory" Uint false None SYSCALL "1 for events on memory that returned an error."
    EvtCountErrorOther "evt.count.error.other" Uint false None SYSCALL "1 for events of other kinds that returned an error."
    EvtCountExit "evt.count.exit" Uint false None SYSCALL "1 for system calls that returned."
    EvtAround "evt.around" Uint false RequiredIndex NONE "Whether the event lies within so many milliseconds of the time given as argument."
    EvtAbspath "evt.abspath" Path false OptionalKey SYSCALL "The absolute path that a system call with a folder descriptor names; `evt.abspath.src` and `evt.abspath.dst` where there are two."
    EvtIsOpenRead "evt.is_open_read" Bool false None SYSCALL "Whether a file was opened for reading."
    EvtIsOpenWrite "evt.is_open_write" Bool false None SYSCALL "Whether a file was opened for writing."
    EvtIsOpenExec "evt.is_open_exec" Bool false None SYSCALL "Whether a file was created that may be executed."
    EvtIsOpenCreate "evt.is_open_create" Bool false None SYSCALL "Whether opening created the file."
    EvtIsIoUring "evt.is_io_uring" Bool false None SYSCALL "Whether the operation was asked for through io_uring and not by its system call (Hullward's own field)."
    FdNum "fd.num" Int false None SYSCALL "The number of the descriptor."
    FdType "fd.type" Text false None SYSCALL "What the descriptor is: `file`, `directory`, `ipv4`, `ipv6`, `unix`, `pipe`, `event`, `signalfd`, `eventpoll`, `inotify`, `timerfd`, `netlink`, `bpf`, `userfaultfd`, `io_uring`, `memfd`, `pidfd`."
    FdTypechar "fd.typechar" Text false None SYSCALL "What the descriptor is, as one letter: `f` file, `d` folder, `4` and `6` sockets, `u` Unix socket, `p` pipe, and others."
    FdName "fd.name" Path false None SYSCALL "The full name of the file as the process named it, or both ends of the connection."
    FdRealpath "fd.realpath" Path false None SYSCALL "The file that the kernel really used, links followed, as the root of the process sees it (Hullward's own field)."
    FdDirectory "fd.directory" Path false None SYSCALL "The folder of the file."
    FdFilename "fd.filename" Text false None SYSCALL "The name of the file without its folder."
    FdIp "fd.ip" Address false None SYSCALL "Either address of the connection."
    FdCip "fd.cip" Address false None SYSCALL "The address of the client."
    FdSip "fd.sip" Address false None SYSCALL "The address of the server."
    FdLip "fd.lip" Address false None SYSCALL "The address of this end."
    FdRip "fd.rip" Address false None SYSCALL "The address of the other end."
    FdPort "fd.port" Port false None SYSCALL "Either port of the connection."
    FdCport "fd.cport" Port false None SYSCALL "The port of the client."
    FdSport "fd.sport" Port false None SYSCALL "The port of the server."
    FdLport "fd.lport" Port false None SYSCALL "The port of this end."
    FdRport "fd.rport" Port false None SYSCALL "The port of the other end."
    FdL4proto "fd.l4proto" Text false None SYSCALL "The protocol of the socket: `tcp`, `udp`, `icmp` or `raw`."
    FdSockfamily "fd.sockfamily" Text false None SYSCALL "The family of the socket: `ip` or `unix`."
    FdIsServer "fd.is_server" Bool false None SYSCALL "Whether the process is the server of the connection."
    FdUid "fd.uid" Text false None SYSCALL "The thread and the number of the descriptor in one, which names it on this host."
    FdContainername "fd.containername" Text false None SYSCALL "The container's identifier and `fd.name`, joined by a colon."
    FdContainerdirectory "fd.containerdirectory" Text false None SYSCALL "The container's identifier and `fd.directory`, joined by a colon."
    FdProto "fd.proto" Port false None SYSCALL "Either port of the connection, given as the name of a service."
    FdCproto "fd.cproto" Text false None SYSCALL "The name of the service at the client's port."
    FdSproto "fd.sproto" Text false None SYSCALL "The name of the service at the server's port."
    FdLproto "fd.lproto" Text false None SYSCALL "The name of the service at the port of this end."
    FdRproto "fd.rproto" Text false None SYSCALL "The name of the service at the port of the other end."
    FdNet "fd.net" Network false None SYSCALL "The network of either address of the connection."
    FdCnet "fd.cnet" Network false None SYSCALL "The network of the client's address."
    FdSnet "fd.snet" Network false None SYSCALL "The network of the server's address."
    FdLnet "fd.lnet" Network false None SYSCALL "The network of the address of this end."
    FdRnet "fd.rnet" Network false None SYSCALL "The network of the address of the other end."
    FdConnected "fd.connected" Bool false None SYSCALL "Whether the socket is connected."
    FdNameChanged "fd.name_changed" Bool false None SYSCALL "Whether this event changed the name of the descriptor, as a datagram to another peer does."
    FdCipName "fd.cip.name" Text false None SYSCALL "The client's address, compared with the addresses of the names in the rule."
    FdSipName "fd.sip.name" Text false None SYSCALL "The server's address, compared with the addresses of the names in the rule."
    FdLipName "fd.lip.name" Text false None SYSCALL "The address of this end, compared with the addresses of the names in the rule."
    FdRipName "fd.rip.name" Text false None SYSCALL "The address of the other end, compared with the addresses of the names in the rule."
    FdDev "fd.dev" Int false None SYSCALL "The number of the device that holds the file."
    FdDevMajor "fd.dev.major" Int false None SYSCALL "The major number of `fd.dev`."
    FdDevMinor "fd.dev.minor" Int false None SYSCALL "The minor number of `fd.dev`."
    FdIno "fd.ino" Int false None SYSCALL "The inode number of the file."
    FdNameraw "fd.nameraw" Text false None SYSCALL "The name of the file exactly as the process gave it."
    FdTypes "fd.types" Text true OptionalIndex SYSCALL "The types of all open descriptors of the process, or of the one with the number given."
    FdIsUpperLayer "fd.is_upper_layer" Bool false None SYSCALL "Whether the file lies in the upper (written) layer of an overlay."
    FdIsLowerLayer "fd.is_lower_layer" Bool false None SYSCALL "Whether the file lies in a lower (image) layer of an overlay."
    FdlistNums "fdlist.nums" Text false None NONE "The numbers of the descriptors of `poll`, with commas between."
    FdlistNames "fdlist.names" Text false None NONE "The names of the descriptors of `poll`, with commas between."
    FdlistCips "fdlist.cips" Text false None NONE "The client addresses of the descriptors of `poll`, with commas between."
    FdlistSips "fdlist.sips" Text false None NONE "The server addresses of the descriptors of `poll`, with commas between."
    FdlistCports "fdlist.cports" Text false None NONE "The client ports of the descriptors of `poll`, with commas between."
    FdlistSports "fdlist.sports" Text false None NONE "The server ports of the descriptors of `poll`, with commas between."
    FsPathName "fs.path.name" Path false None SYSCALL "The absolute path that an event on the file system acted on, when it succeeded."
    FsPathNameraw "fs.path.nameraw" Text false None SYSCALL "The path that an event on the file system acted on, as the process gave it, when it succeeded."
    FsPathSource "fs.path.source" Path false None SYSCALL "The absolute path of the first of two, when the event succeeded: what was renamed or mounted, or the link that was made."
    FsPathSourceraw "fs.path.sourceraw" Text false None SYSCALL "`fs.path.source` as the process gave it."
    FsPathTarget "fs.path.target" Path false None SYSCALL "The absolute path of the second of two, when the event succeeded: the new name, where something was mounted, or what a new link leads to."
    FsPathTargetraw "fs.path.targetraw" Text false None SYSCALL "`fs.path.target` as the process gave it."
    FsPathRealname "fs.path.realname" Path false None SYSCALL "What an event on the file system really acted on, links in its path followed, where the kernel tells (Hullward's own field)."
    FsPathRealsource "fs.path.realsource" Path false None SYSCALL "`fs.path.source`, links followed, where the kernel tells (Hullward's own field)."
    FsPathRealtarget "fs.path.realtarget" Path false None SYSCALL "`fs.path.target`, links followed, where the kernel tells (Hullward's own field)."
    ProcPid "proc.pid" Int false None SYSCALL "The number of the process."
    ProcPpid "proc.ppid" Int false None SYSCALL "The number of the parent process."
    ProcApid "proc.apid" Int false OptionalIndex SYSCALL "The number of an ancestor process; without an index, any of them."
    ProcVpid "proc.vpid" Int false None SYSCALL "The number of the process in its own PID namespace."
    ProcPvpid "proc.pvpid" Int false None SYSCALL "The number of the parent process in its own PID namespace."
    ProcSid "proc.sid" Int false None SYSCALL "The number of the session."
    ProcSname "proc.sname" Text false None SYSCALL "The name of the session's leader."
    ProcSidExe "proc.sid.exe" Text false None SYSCALL "The first argument of the session's leader."
    ProcSidExepath "proc.sid.exepath" Path false None SYSCALL "The binary of the session's leader."
    ProcVpgid "proc.vpgid" Int false None SYSCALL "The number of the process group in its own PID namespace."
    ProcVpgidName "proc.vpgid.name" Text false None SYSCALL "The name of the leader of the process group."
    ProcVpgidExe "proc.vpgid.exe" Text false None SYSCALL "The first argument of the leader of the process group."
    ProcVpgidExepath "proc.vpgid.exepath" Path false None SYSCALL "The binary of the leader of the process group."
    ProcPgid "proc.pgid" Int false None SYSCALL "The number of the process group on the host."
    ProcPgidName "proc.pgid.name" Text false None SYSCALL "The name of the process whose number is `proc.pgid`."
    ProcPgidExe "proc.pgid.exe" Text false None SYSCALL "The first argument of the process whose number is `proc.pgid`."
    ProcPgidExepath "proc.pgid.exepath" Path false None SYSCALL "The binary of the process whose number is `proc.pgid`."
    ProcExe "proc.exe" Text false None SYSCALL "The first argument, which usually names the program."
    ProcPexe "proc.pexe" Text false None SYSCALL "The first argument of the parent."
    ProcAexe "proc.aexe" Text false OptionalIndex SYSCALL "The first argument of an ancestor; without an index, any of them."
    ProcExepath "proc.exepath" Path false None SYSCALL "The binary that the kernel runs, links followed."
    ProcPexepath "proc.pexepath" Path false None SYSCALL "The binary of the parent."
    ProcAexepath "proc.aexepath" Path false OptionalIndex SYSCALL "The binary of an ancestor; without an index, any of them."
    ProcInterpreter "proc.interpreter" Path false None SYSCALL "The binary that the kernel loaded to run a script; absent for binaries (Hullward's own field)."
    ProcName "proc.name" Text false None SYSCALL "The name of the process, at most 15 bytes."
    ProcPname "proc.pname" Text false None SYSCALL "The name of the parent."
    ProcAname "proc.aname" Text false OptionalIndex SYSCALL "The name of an ancestor; without an index, any of them."
    ProcArgs "proc.args" Text false None SYSCALL "The arguments without the first, with blanks between."
    ProcAargs "proc.aargs" Text false OptionalIndex SYSCALL "The arguments of an ancestor; without an index, any of them."
    ProcCmdline "proc.cmdline" Text false None SYSCALL "The name and the arguments."
    ProcPcmdline "proc.pcmdline" Text false None SYSCALL "The name and the arguments of the parent."
    ProcAcmdline "proc.acmdline" Text false OptionalIndex SYSCALL "The name and the arguments of an ancestor; without an index, any of them."
    ProcCmdnargs "proc.cmdnargs" Uint false None SYSCALL "How many arguments there are without the first."
    ProcCmdlenargs "proc.cmdlenargs" Uint false None SYSCALL "The length of all arguments without the first, in bytes, blanks between them not counted."
    ProcExeline "proc.exeline" Text false None SYSCALL "The first argument and the others."
    ProcEnv "proc.env" Text false OptionalKey SYSCALL "The environment as `NAME=value` with blanks between, or the value of the variable named."
    ProcAenv "proc.aenv" Text false OptionalAny SYSCALL "The environment of an ancestor by index, or the value of a variable in the nearest ancestor that has it."
    ProcCwd "proc.cwd" Path false None SYSCALL "The working folder."
    ProcLoginshellid "proc.loginshellid" Int false None SYSCALL "The number of the oldest ancestor that is a shell."
    ProcTty "proc.tty" Uint false None SYSCALL "The number of the controlling terminal, 0 when there is none."
    ProcDuration "proc.duration" Duration false None SYSCALL "Nanoseconds since the process started."
    ProcPpidDuration "proc.ppid.duration" Duration false None SYSCALL "Nanoseconds since the parent started."
    ProcPidTs "proc.pid.ts" Time false None SYSCALL "When the process started, nanoseconds since the Unix epoch."
    ProcPpidTs "proc.ppid.ts" Time false None SYSCALL "When the parent started, nanoseconds since the Unix epoch."
    ProcIsExeWritable "proc.is_exe_writable" Bool false None SYSCALL "Whether the user who started the process may write its binary."
    ProcIsExeUpperLayer "proc.is_exe_upper_layer" Bool false None SYSCALL "Whether the binary lies in the upper (written) layer of an overlay, so did not come with the image."
    ProcIsExeLowerLayer "proc.is_exe_lower_layer" Bool false None SYSCALL "Whether the binary lies in a lower (image) layer of an overlay."
    ProcIsExeFromMemfd "proc.is_exe_from_memfd" Bool false None SYSCALL "Whether the binary lies in memory only (memfd)."
    ProcIsExeDeleted "proc.is_exe_deleted" Bool false None SYSCALL "Whether the binary had been deleted when it was started (Hullward's own field)."
    ProcIsSidLeader "proc.is_sid_leader" Bool false None SYSCALL "Whether the process leads its session."
    ProcIsVpgidLeader "proc.is_vpgid_leader" Bool false None SYSCALL "Whether the process leads its process group, seen in its own PID namespace."
    ProcIsPgidLeader "proc.is_pgid_leader" Bool false None SYSCALL "Whether the process leads its process group."
    ProcExeIno "proc.exe_ino" Int false None SYSCALL "The inode number of the binary."
    ProcExeInoCtime "proc.exe_ino.ctime" Time false None SYSCALL "When the inode of the binary last changed, nanoseconds since the Unix epoch."
    ProcExeInoMtime "proc.exe_ino.mtime" Time false None SYSCALL "When the binary was last written, nanoseconds since the Unix epoch."
    ProcExeInoCtimeDurationProcStart "proc.exe_ino.ctime_duration_proc_start" Duration false None SYSCALL "Nanoseconds from the last change of the binary's inode to the start of the process."
    ProcExeInoCtimeDurationPidnsStart "proc.exe_ino.ctime_duration_pidns_start" Duration false None SYSCALL "Nanoseconds from the start of the PID namespace to the last change of the binary's inode, where that is later."
    ProcPidnsInitStartTs "proc.pidns_init_start_ts" Uint false None SYSCALL "When the PID namespace started, nanoseconds since the Unix epoch."
    ProcNthreads "proc.nthreads" Uint false None SYSCALL "How many threads the process has."
    ProcNchilds "proc.nchilds" Uint false None SYSCALL "How many threads the process has beyond its main one."
    ProcFdopencount "proc.fdopencount" Uint false None NONE "How many descriptors the process has open."
    ProcFdlimit "proc.fdlimit" Int false None NONE "How many descriptors the process may have open."
    ProcFdusage "proc.fdusage" Uint false None NONE "Open descriptors as a percentage of the limit, rounded down."
    ProcVmsize "proc.vmsize" Uint false None NONE "The virtual memory of the process in KiB."
    ProcVmrss "proc.vmrss" Uint false None NONE "The resident memory of the process in KiB."
    ProcVmswap "proc.vmswap" Uint false None NONE "The swapped memory of the process in KiB."
    ProcStdinType "proc.stdin.type" Text false None SYSCALL "The type of descriptor 0, as `fd.type`."
    ProcStdoutType "proc.stdout.type" Text false None SYSCALL "The type of descriptor 1, as `fd.type`."
    ProcStderrType "proc.stderr.type" Text false None SYSCALL "The type of descriptor 2, as `fd.type`."
    ProcStdinName "proc.stdin.name" Text false None SYSCALL "The name of descriptor 0, as `fd.name`."
    ProcStdoutName "proc.stdout.name" Text false None SYSCALL "The name of descriptor 1, as `fd.name`."
    ProcStderrName "proc.stderr.name" Text false None SYSCALL "The name of descriptor 2, as `fd.name`."
    ProcIsContainerHealthcheck "proc.is_container_healthcheck" Bool false None SYSCALL "Whether the process belongs to the container's health check."
    ProcIsContainerLivenessProbe "proc.is_container_liveness_probe" Bool false None SYSCALL "Whether the process belongs to the container's liveness probe."
    ProcIsContainerReadinessProbe "proc.is_container_readiness_probe" Bool false None SYSCALL "Whether the process belongs to the container's readiness probe."
    ThreadCapPermitted "thread.cap_permitted" Text false None SYSCALL "The permitted capabilities, by name with blanks between."
    ThreadCapInheritable "thread.cap_inheritable" Text false None SYSCALL "The inheritable capabilities, by name with blanks between."
    ThreadCapEffective "thread.cap_effective" Text false None SYSCALL "The effective capabilities, by name with blanks between."
    ThreadPfmajor "thread.pfmajor" Uint false None NONE "How many page faults of the thread went to the disk."
    ThreadPfminor "thread.pfminor" Uint false None NONE "How many page faults of the thread did not go to the disk."
    ThreadTid "thread.tid" Int false None SYSCALL "The number of the thread."
    ThreadIsmain "thread.ismain" Bool false None SYSCALL "Whether the thread is the main one of its process."
    ThreadVtid "thread.vtid" Int false None SYSCALL "The number of the thread in its own PID namespace."
    ThreadNametid "thread.nametid" Text false None SYSCALL "The name of the process and the number of the thread in one."
    ThreadExectime "thread.exectime" Duration false None NONE "The processor time since the thread was last scheduled."
    ThreadTotexectime "thread.totexectime" Duration false None NONE "The processor time of the thread."
    ThreadCgroups "thread.cgroups" Text false None SYSCALL "The control groups of the thread."
    ThreadCgroup "thread.cgroup" Text false RequiredKey SYSCALL "The control group of the thread in the subsystem named."
    ThreadCpu "thread.cpu" Uint false None NONE "The processor use of the thread in the last second."
    ThreadCpuUser "thread.cpu.user" Uint false None NONE "The processor use of the thread in its own code in the last second."
    ThreadCpuSystem "thread.cpu.system" Uint false None NONE "The processor use of the thread in the kernel in the last second."
    ThreadVmsize "thread.vmsize" Uint false None NONE "The virtual memory in KiB for main threads, 0 for others."
    ThreadVmrss "thread.vmrss" Uint false None NONE "The resident memory in KiB for main threads, 0 for others."
    ThreadVmsizeB "thread.vmsize.b" Uint false None NONE "The virtual memory in bytes for main threads, 0 for others."
    ThreadVmrssB "thread.vmrss.b" Uint false None NONE "The resident memory in bytes for main threads, 0 for others."
    UserUid "user.uid" Uint false None SYSCALL "The number of the user."
    UserName "user.name" Text false None SYSCALL "The name of the user, in the container's own list; `<NA>` when it has none there."
    UserHomedir "user.homedir" Text false None SYSCALL "The home folder of the user; `<NA>` when it is not known."
    UserShell "user.shell" Text false None SYSCALL "The shell of the user; `<NA>` when it is not known."
    UserLoginuid "user.loginuid" Int false None SYSCALL "The number of the user who logged in, -1 when none did."
    UserLoginname "user.loginname" Text false None SYSCALL "The name of the user who logged in; `<NA>` when nobody did or there is no such name."
    GroupGid "group.gid" Uint false None SYSCALL "The number of the group."
    GroupName "group.name" Text false None SYSCALL "The name of the group, in the container's own list; `<NA>` when it has none there."
    UtilCnt "util.cnt" Uint false None SYSCALL "A number that grows by one each time it is asked."
    ContainerId "container.id" Text false None SYSCALL "The first 12 characters of the container's identifier, `host` outside containers."
    ContainerFullId "container.full_id" Text false None SYSCALL "The container's whole identifier."
    ContainerName "container.name" Text false None SYSCALL "The container's name, `host` outside containers."
    ContainerImage "container.image" Text false None SYSCALL "The image's name with tag or digest."
    ContainerImageId "container.image.id" Text false None SYSCALL "The image's identifier."
    ContainerType "container.type" Text false None SYSCALL "The container runtime: `docker`, `containerd`, `cri-o`, `podman`, `runc` and others."
    ContainerPrivileged "container.privileged" Bool false None SYSCALL "Whether the container runs privileged."
    ContainerMounts "container.mounts" Text false None SYSCALL "All mounts as `source:dest:mode:rdwr:propagation` with commas between."
    ContainerMount "container.mount" Text false RequiredAny SYSCALL "A mount by number or by the glob that its source matches."
    ContainerMountSource "container.mount.source" Text false RequiredAny SYSCALL "The source of a mount, by number or by the glob that its destination matches."
    ContainerMountDest "container.mount.dest" Text false RequiredAny SYSCALL "The destination of a mount, by number or by the glob that its source matches."
    ContainerMountMode "container.mount.mode" Text false RequiredAny SYSCALL "The mode of a mount, by number or by the glob that its source matches."
    ContainerMountRdwr "container.mount.rdwr" Text false RequiredAny SYSCALL "Whether a mount may be written, by number or by the glob that its source matches."
    ContainerMountPropagation "container.mount.propagation" Text false RequiredAny SYSCALL "The propagation of a mount, by number or by the glob that its source matches."
    ContainerImageRepository "container.image.repository" Text false None SYSCALL "The image's repository without tag and digest."
    ContainerImageTag "container.image.tag" Text false None SYSCALL "The image's tag."
    ContainerImageDigest "container.image.digest" Text false None SYSCALL "The image's digest in its registry."
    ContainerHealthcheck "container.healthcheck" Text false None SYSCALL "The command of the health check, `NONE` when it is switched off."
    ContainerLivenessProbe "container.liveness_probe" Text false None SYSCALL "The command of the liveness probe."
    ContainerReadinessProbe "container.readiness_probe" Text false None SYSCALL "The command of the readiness probe."
    ContainerStartTs "container.start_ts" Time false None SYSCALL "When the container started, nanoseconds since the Unix epoch."
    ContainerDuration "container.duration" Duration false None SYSCALL "Nanoseconds since the container started."
    ContainerIp "container.ip" Text false None SYSCALL "The container's first address."
    ContainerCniJson "container.cni.json" Text false None SYSCALL "What the container network interface said of the pod, as JSON."
    ContainerHostPid "container.host_pid" Bool false None SYSCALL "Whether the container shares the PID namespace of the host."
    ContainerHostNetwork "container.host_network" Bool false None SYSCALL "Whether the container shares the network namespace of the host."
    ContainerHostIpc "container.host_ipc" Bool false None SYSCALL "Whether the container shares the IPC namespace of the host."
    ContainerLabel "container.label" Text false RequiredKey SYSCALL "The value of the container's label named."
    ContainerLabels "container.labels" Text false None SYSCALL "The container's labels as `key:value` with commas between."
    K8sPodName "k8s.pod.name" Text false None SYSCALL "The name of the pod."
    K8sPodId "k8s.pod.id" Text false None SYSCALL "The unique identifier of the pod (old name of `k8s.pod.uid`)."
    K8sPodUid "k8s.pod.uid" Text false None SYSCALL "The unique identifier of the pod."
    K8sPodSandboxId "k8s.pod.sandbox_id" Text false None SYSCALL "The first 12 characters of the identifier of the pod's sandbox container."
    K8sPodFullSandboxId "k8s.pod.full_sandbox_id" Text false None SYSCALL "The whole identifier of the pod's sandbox container."
    K8sPodLabel "k8s.pod.label" Text false RequiredKey SYSCALL "The value of the pod's label named."
    K8sPodLabels "k8s.pod.labels" Text false None SYSCALL "The pod's labels as `key:value` with commas between."
    K8sPodIp "k8s.pod.ip" Text false None SYSCALL "The address of the pod."
    K8sPodServiceAccount "k8s.pod.service_account" Text false None SYSCALL "The account that the pod uses against the cluster, as its token or its applied configuration tells (Hullward's own field)."
    K8sPodCniJson "k8s.pod.cni.json" Text false None SYSCALL "What the container network interface said of the pod, as JSON."
    K8sNsName "k8s.ns.name" Text false None SYSCALL "The namespace of the pod."
    K8sNsId "k8s.ns.id" Text false None NONE "The identifier of the namespace; use `k8smeta.ns.uid`."
    K8sNsLabel "k8s.ns.label" Text false RequiredKey NONE "A label of the namespace; use `k8smeta.ns.label`."
    K8sNsLabels "k8s.ns.labels" Text false None NONE "The labels of the namespace; use `k8smeta.ns.labels`."
    K8sRcName "k8s.rc.name" Text false None NONE "The name of the replication controller; use `k8smeta.rc.name`."
    K8sRcId "k8s.rc.id" Text false None NONE "The identifier of the replication controller; use `k8smeta.rc.uid`."
    K8sRcLabel "k8s.rc.label" Text false RequiredKey NONE "A label of the replication controller; use `k8smeta.rc.label`."
    K8sRcLabels "k8s.rc.labels" Text false None NONE "The labels of the replication controller; use `k8smeta.rc.labels`."
    K8sSvcName "k8s.svc.name" Text false None NONE "The name of the service; use `k8smeta.svc.name`."
    K8sSvcId "k8s.svc.id" Text false None NONE "The identifier of the service; use `k8smeta.svc.uid`."
    K8sSvcLabel "k8s.svc.label" Text false RequiredKey NONE "A label of the service; use `k8smeta.svc.label`."
    K8sSvcLabels "k8s.svc.labels" Text false None NONE "The labels of the service; use `k8smeta.svc.labels`."
    K8sRsName "k8s.rs.name" Text false None NONE "The name of the replica set; use `k8smeta.rs.name`."
    K8sRsId "k8s.rs.id" Text false None NONE "The identifier of the replica set; use `k8smeta.rs.uid`."
    K8sRsLabel "k8s.rs.label" Text false RequiredKey NONE "A label of the replica set; use `k8smeta.rs.label`."
    K8sRsLabels "k8s.rs.labels" Text false None NONE "The labels of the replica set; use `k8smeta.rs.labels`."
    K8sDeploymentName "k8s.deployment.name" Text false None NONE "The name of the deployment; use `k8smeta.deployment.name`."
    K8sDeploymentId "k8s.deployment.id" Text false None NONE "The identifier of the deployment; use `k8smeta.deployment.uid`."
    K8sDeploymentLabel "k8s.deployment.label" Text false RequiredKey NONE "A label of the deployment; use `k8smeta.deployment.label`."
    K8sDeploymentLabels "k8s.deployment.labels" Text false None NONE "The labels of the deployment; use `k8smeta.deployment.labels`."
    K8smetaPodName "k8smeta.pod.name" Text false None SYSCALL "The name of the pod."
    K8smetaPodUid "k8smeta.pod.uid" Text false None SYSCALL "The unique identifier of the pod."
    K8smetaPodLabel "k8smeta.pod.label" Text false RequiredKey SYSCALL "The value of a label of the pod."
    K8smetaPodLabels "k8smeta.pod.labels" Text true None SYSCALL "All labels of the pod, each as `key:value`."
    K8smetaPodIp "k8smeta.pod.ip" Text false None SYSCALL "The address of the pod."
    K8smetaNsName "k8smeta.ns.name" Text false None SYSCALL "The name of the pod's namespace."
    K8smetaNsUid "k8smeta.ns.uid" Text false None NONE "The unique identifier of the pod's namespace."
    K8smetaNsLabel "k8smeta.ns.label" Text false RequiredKey NONE "The value of a label of the pod's namespace."
    K8smetaNsLabels "k8smeta.ns.labels" Text true None NONE "All labels of the pod's namespace, each as `key:value`."
    K8smetaDeploymentName "k8smeta.deployment.name" Text false None NONE "The name of the pod's deployment."
    K8smetaDeploymentUid "k8smeta.deployment.uid" Text false None NONE "The unique identifier of the pod's deployment."
    K8smetaDeploymentLabel "k8smeta.deployment.label" Text false RequiredKey NONE "The value of a label of the pod's deployment."
    K8smetaDeploymentLabels "k8smeta.deployment.labels" Text true None NONE "All labels of the pod's deployment, each as `key:value`."
    K8smetaSvcName "k8smeta.svc.name" Text true None NONE "The names of the pod's services."
    K8smetaSvcUid "k8smeta.svc.uid" Text true None NONE "The unique identifiers of the pod's services."
    K8smetaSvcLabel "k8smeta.svc.label" Text true RequiredKey NONE "The value of a label of the pod's services."
    K8smetaSvcLabels "k8smeta.svc.labels" Text true None NONE "All labels of the pod's services, each as `key:value`."
    K8smetaRsName "k8smeta.rs.name" Text false None NONE "The name of the pod's replica set."
    K8smetaRsUid "k8smeta.rs.uid" Text false None NONE "The unique identifier of the pod's replica set."
    K8smetaRsLabel "k8smeta.rs.label" Text false RequiredKey NONE "The value of a label of the pod's replica set."
    K8smetaRsLabels "k8smeta.rs.labels" Text true None NONE "All labels of the pod's replica set, each as `key:value`."
    K8smetaRcName "k8smeta.rc.name" Text false None NONE "The name of the pod's replication controller."
    K8smetaRcUid "k8smeta.rc.uid" Text false None NONE "The unique identifier of the pod's replication controller."
    K8smetaRcLabel "k8smeta.rc.label" Text false RequiredKey NONE "The value of a label of the pod's replication controller."
    K8smetaRcLabels "k8smeta.rc.labels" Text true None NONE "All labels of the pod's replication controller, each as `key:value`."
    KaAuditid "ka.auditid" Text false None AUDIT "The identifier of the audit event."
    KaStage "ka.stage" Text false None AUDIT "The stage of the request, such as `ResponseComplete`."
    KaAuthDecision "ka.auth.decision" Text false None AUDIT "What the authorisation decided: `allow` or `forbid`."
    KaAuthReason "ka.auth.reason" Text false None AUDIT "Why the authorisation decided so."
    KaUserName "ka.user.name" Text false None AUDIT "The user who made the request."
    KaUserGroups "ka.user.groups" Text true None AUDIT "The groups of the user."
    KaImpuserName "ka.impuser.name" Text false None AUDIT "The user as whom the request was made."
    KaVerb "ka.verb" Text false None AUDIT "What was asked for: `get`, `create`, `delete` and others."
    KaUri "ka.uri" Text false None AUDIT "The address of the request as it was sent."
    KaUriParam "ka.uri.param" Text false RequiredKey AUDIT "The value of a parameter of the address."
    KaTargetName "ka.target.name" Text false None AUDIT "The name of the object."
    KaTargetNamespace "ka.target.namespace" Text false None AUDIT "The namespace of the object."
    KaTargetResource "ka.target.resource" Text false None AUDIT "The kind of the object, such as `pods`."
    KaTargetSubresource "ka.target.subresource" Text false None AUDIT "The part of the object, such as `exec`."
    KaReqBindingSubjects "ka.req.binding.subjects" Text true None AUDIT "For a role binding, the accounts that it binds."
    KaReqBindingRole "ka.req.binding.role" Text false None AUDIT "For a role binding, the role that it gives."
    KaReqBindingSubjectHasName "ka.req.binding.subject.has_name" Text false RequiredKey NONE "Never a value, kept for old rules."
    KaReqConfigmapName "ka.req.configmap.name" Text false None AUDIT "For a config map, its name."
    KaReqConfigmapObj "ka.req.configmap.obj" Text false None AUDIT "For a config map, its data as JSON."
    KaReqContainerImage "ka.req.container.image" Text false None AUDIT "The image of the pod's first container (old name)."
    KaReqContainerImageRepository "ka.req.container.image.repository" Text false None AUDIT "The repository of the pod's first container (old name)."
    KaReqContainerHostNetwork "ka.req.container.host_network" Text false None AUDIT "The same as `ka.req.pod.host_network` (old name)."
    KaReqContainerPrivileged "ka.req.container.privileged" Text false None AUDIT "Whether any container of the pod is privileged (old name)."
    KaReqPodHostIpc "ka.req.pod.host_ipc" Text false None AUDIT "For a pod, whether it shares the IPC namespace of the host."
    KaReqPodHostNetwork "ka.req.pod.host_network" Text false None AUDIT "For a pod, whether it shares the network of the host."
    KaReqPodHostPid "ka.req.pod.host_pid" Text false None AUDIT "For a pod, whether it shares the PID namespace of the host."
    KaReqPodRunAsUser "ka.req.pod.run_as_user" Text false None AUDIT "For a pod, the user that its security context sets."
    KaReqPodRunAsGroup "ka.req.pod.run_as_group" Text false None AUDIT "For a pod, the group that its security context sets."
    KaReqPodFsGroup "ka.req.pod.fs_group" Text false None AUDIT "For a pod, the group of its volumes."
    KaReqPodSupplementalGroups "ka.req.pod.supplemental_groups" Text true None AUDIT "For a pod, its further groups."
    KaReqRoleRules "ka.req.role.rules" Text true None AUDIT "For a role, its rules as JSON."
    KaReqRoleRulesApiGroups "ka.req.role.rules.apiGroups" Text true OptionalIndex AUDIT "For a role, the API groups of its rules."
    KaReqRoleRulesNonResourceUrls "ka.req.role.rules.nonResourceURLs" Text true OptionalIndex AUDIT "For a role, the addresses of its rules that are no resources."
    KaReqRoleRulesVerbs "ka.req.role.rules.verbs" Text true OptionalIndex AUDIT "For a role, the verbs of its rules."
    KaReqRoleRulesResources "ka.req.role.rules.resources" Text true OptionalIndex AUDIT "For a role, the resources of its rules."
    KaReqServiceType "ka.req.service.type" Text false None AUDIT "For a service, its type, such as `NodePort`."
    KaReqServicePorts "ka.req.service.ports" Text true OptionalIndex AUDIT "For a service, its ports as JSON."
    KaReqPodVolumesHostpath "ka.req.pod.volumes.hostpath" Text true OptionalIndex AUDIT "For a pod, the host folders among its volumes."
    KaReqVolumeHostpath "ka.req.volume.hostpath" Text false RequiredKey AUDIT "Whether a volume of the pod lies below the host folder named (old name)."
    KaReqPodVolumesFlexvolumeDriver "ka.req.pod.volumes.flexvolume_driver" Text true OptionalIndex AUDIT "For a pod, the flexvolume drivers of its volumes."
    KaReqPodVolumesVolumeType "ka.req.pod.volumes.volume_type" Text true OptionalIndex AUDIT "For a pod, the types of its volumes."
    KaRespName "ka.resp.name" Text false None AUDIT "The name of the object in the response."
    KaResponseCode "ka.response.code" Text false None AUDIT "The status code of the response."
    KaResponseReason "ka.response.reason" Text false None AUDIT "Why the request failed."
    KaUseragent "ka.useragent" Text false None AUDIT "The user agent of the client."
    KaSourceips "ka.sourceips" Text true OptionalIndex AUDIT "The addresses of the client."
    KaClusterName "ka.cluster.name" Text false None AUDIT "The name of the cluster."
    KaReqPodContainersImage "ka.req.pod.containers.image" Text true OptionalIndex AUDIT "Of the containers of a pod, the images."
    KaReqPodContainersImageRepository "ka.req.pod.containers.image.repository" Text true OptionalIndex AUDIT "Of the containers of a pod, the repositories of the images."
    KaReqPodContainersPrivileged "ka.req.pod.containers.privileged" Text true OptionalIndex AUDIT "Of the containers of a pod, whether each is privileged."
    KaReqPodContainersAllowPrivilegeEscalation "ka.req.pod.containers.allow_privilege_escalation" Text true OptionalIndex AUDIT "Of the containers of a pod, whether each may gain privileges."
    KaReqPodContainersReadOnlyFs "ka.req.pod.containers.read_only_fs" Text true OptionalIndex AUDIT "Of the containers of a pod, whether the root file system of each is read-only."
    KaReqPodContainersRunAsUser "ka.req.pod.containers.run_as_user" Text true OptionalIndex AUDIT "Of the containers of a pod, the user that each sets."
    KaReqPodContainersEffRunAsUser "ka.req.pod.containers.eff_run_as_user" Text true OptionalIndex AUDIT "Of the containers of a pod, the user that each really runs as."
    KaReqPodContainersRunAsGroup "ka.req.pod.containers.run_as_group" Text true OptionalIndex AUDIT "Of the containers of a pod, the group that each sets."
    KaReqPodContainersEffRunAsGroup "ka.req.pod.containers.eff_run_as_group" Text true OptionalIndex AUDIT "Of the containers of a pod, the group that each really runs as."
    KaReqPodContainersProcMount "ka.req.pod.containers.proc_mount" Text true OptionalIndex AUDIT "Of the containers of a pod, the kind of `/proc` of each."
    KaReqPodContainersAddCapabilities "ka.req.pod.containers.add_capabilities" Text true OptionalIndex AUDIT "Of the containers of a pod, the capabilities added."
    KaReqPodContainersHostPort "ka.req.pod.containers.host_port" Text true OptionalIndex AUDIT "Of the containers of a pod, the ports of the host."
    KaReqPodInitContainersName "ka.req.pod.initContainers.name" Text true OptionalIndex AUDIT "Of the init containers of a pod, the names."
    KaReqPodInitContainersImage "ka.req.pod.initContainers.image" Text true OptionalIndex AUDIT "Of the init containers of a pod, the images."
    KaReqPodInitContainersImageRepository "ka.req.pod.initContainers.image.repository" Text true OptionalIndex AUDIT "Of the init containers of a pod, the repositories of the images."
    KaReqPodInitContainersCommand "ka.req.pod.initContainers.command" Text true OptionalIndex AUDIT "Of the init containers of a pod, the commands."
    KaReqPodInitContainersArgs "ka.req.pod.initContainers.args" Text true OptionalIndex AUDIT "Of the init containers of a pod, the arguments."
    KaReqPodInitContainersPrivileged "ka.req.pod.initContainers.privileged" Text true OptionalIndex AUDIT "Of the init containers of a pod, whether each is privileged."
    KaReqPodInitContainersAllowPrivilegeEscalation "ka.req.pod.initContainers.allow_privilege_escalation" Text true OptionalIndex AUDIT "Of the init containers of a pod, whether each may gain privileges."
    KaReqPodInitContainersReadOnlyFs "ka.req.pod.initContainers.read_only_fs" Text true OptionalIndex AUDIT "Of the init containers of a pod, whether the root file system of each is read-only."
    KaReqPodInitContainersRunAsUser "ka.req.pod.initContainers.run_as_user" Text true OptionalIndex AUDIT "Of the init containers of a pod, the user that each sets."
    KaReqPodInitContainersEffRunAsUser "ka.req.pod.initContainers.eff_run_as_user" Text true OptionalIndex AUDIT "Of the init containers of a pod, the user that each really runs as."
    KaReqPodInitContainersRunAsGroup "ka.req.pod.initContainers.run_as_group" Text true OptionalIndex AUDIT "Of the init containers of a pod, the group that each sets."
    KaReqPodInitContainersEffRunAsGroup "ka.req.pod.initContainers.eff_run_as_group" Text true OptionalIndex AUDIT "Of the init containers of a pod, the group that each really runs as."
    KaReqPodInitContainersProcMount "ka.req.pod.initContainers.proc_mount" Text true OptionalIndex AUDIT "Of the init containers of a pod, the kind of `/proc` of each."
    KaReqPodInitContainersAddCapabilities "ka.req.pod.initContainers.add_capabilities" Text true OptionalIndex AUDIT "Of the init containers of a pod, the capabilities added."
    KaReqPodInitContainersHostPort "ka.req.pod.initContainers.host_port" Text true OptionalIndex AUDIT "Of the init containers of a pod, the ports of the host."
    KaReqPodEphemeralContainersName "ka.req.pod.ephemeralContainers.name" Text true OptionalIndex AUDIT "Of the ephemeral containers of a pod, the names."
    KaReqPodEphemeralContainersImage "ka.req.pod.ephemeralContainers.image" Text true OptionalIndex AUDIT "Of the ephemeral containers of a pod, the images."
    KaReqPodEphemeralContainersImageRepository "ka.req.pod.ephemeralContainers.image.repository" Text true OptionalIndex AUDIT "Of the ephemeral containers of a pod, the repositories of the images."
    KaReqPodEphemeralContainersCommand "ka.req.pod.ephemeralContainers.command" Text true OptionalIndex AUDIT "Of the ephemeral containers of a pod, the commands."
    KaReqPodEphemeralContainersArgs "ka.req.pod.ephemeralContainers.args" Text true OptionalIndex AUDIT "Of the ephemeral containers of a pod, the arguments."
    KaReqPodEphemeralContainersPrivileged "ka.req.pod.ephemeralContainers.privileged" Text true OptionalIndex AUDIT "Of the ephemeral containers of a pod, whether each is privileged."
    KaReqPodEphemeralContainersAllowPrivilegeEscalation "ka.req.pod.ephemeralContainers.allow_privilege_escalation" Text true OptionalIndex AUDIT "Of the ephemeral containers of a pod, whether each may gain privileges."
    KaReqPodEphemeralContainersReadOnlyFs "ka.req.pod.ephemeralContainers.read_only_fs" Text true OptionalIndex AUDIT "Of the ephemeral containers of a pod, whether the root file system of each is read-only."
    KaReqPodEphemeralContainersRunAsUser "ka.req.pod.ephemeralContainers.run_as_user" Text true OptionalIndex AUDIT "Of the ephemeral containers of a pod, the user that each sets."
    KaReqPodEphemeralContainersEffRunAsUser "ka.req.pod.ephemeralContainers.eff_run_as_user" Text true OptionalIndex AUDIT "Of the ephemeral containers of a pod, the user that each really runs as."
    KaReqPodEphemeralContainersRunAsGroup "ka.req.pod.ephemeralContainers.run_as_group" Text true OptionalIndex AUDIT "Of the ephemeral containers of a pod, the group that each sets."
    KaReqPodEphemeralContainersEffRunAsGroup "ka.req.pod.ephemeralContainers.eff_run_as_group" Text true OptionalIndex AUDIT "Of the ephemeral containers of a pod, the group that each really runs as."
    KaReqPodEphemeralContainersProcMount "ka.req.pod.ephemeralContainers.proc_mount" Text true OptionalIndex AUDIT "Of the ephemeral containers of a pod, the kind of `/proc` of each."
    KaReqPodEphemeralContainersAddCapabilities "ka.req.pod.ephemeralContainers.add_capabilities" Text true OptionalIndex AUDIT "Of the ephemeral containers of a pod, the capabilities added."
    JsonValue "json.value" Text false RequiredKey JSON "The value at a JSON pointer into the event."
    JsonObj "json.obj" Text false None JSON "The whole event as JSON."
    JsonRawtime "json.rawtime" Text false None JSON "The time of the event, as `evt.rawtime`."
    JevtValue "jevt.value" Text false RequiredKey JSON "The value at a JSON pointer into the event (old name)."
    JevtObj "jevt.obj" Text false None JSON "The whole event as JSON (old name)."
    JevtRawtime "jevt.rawtime" Text false None JSON "The time of the event, as `evt.rawtime` (old name)."
    CtId "ct.id" Text false None CLOUDTRAIL "The identifier of the event."
    CtError "ct.error" Text false None CLOUDTRAIL "The error code, absent when there was none."
    CtErrormessage "ct.errormessage" Text false None CLOUDTRAIL "The description of the error."
    CtTime "ct.time" Text false None CLOUDTRAIL "The time that the event names."
    CtSrc "ct.src" Text false None CLOUDTRAIL "The service, such as `s3.amazonaws.com`."
    CtShortsrc "ct.shortsrc" Text false None CLOUDTRAIL "The service without `.amazonaws.com`."
    CtName "ct.name" Text false None CLOUDTRAIL "The name of the event, such as `ConsoleLogin`."
    CtUser "ct.user" Text false None CLOUDTRAIL "The user of the request."
    CtUserAccountid "ct.user.accountid" Text false None CLOUDTRAIL "The account of the user."
    CtUserIdentitytype "ct.user.identitytype" Text false None CLOUDTRAIL "The kind of user, such as `Root` or `IAMUser`."
    CtUserPrincipalid "ct.user.principalid" Text false None CLOUDTRAIL "The identifier of the user."
    CtUserArn "ct.user.arn" Text false None CLOUDTRAIL "The resource name of the user."
    CtRegion "ct.region" Text false None CLOUDTRAIL "The region."
    CtResponseSubnetid "ct.response.subnetid" Text false None CLOUDTRAIL "The subnet in the response."
    CtResponseReservationid "ct.response.reservationid" Text false None CLOUDTRAIL "The reservation in the response."
    CtResponse "ct.response" Text false None CLOUDTRAIL "The whole response as JSON."
    CtRequestAvailabilityzone "ct.request.availabilityzone" Text false None CLOUDTRAIL "The availability zone in the request."
    CtRequestCluster "ct.request.cluster" Text false None CLOUDTRAIL "The cluster in the request."
    CtRequestFunctionname "ct.request.functionname" Text false None CLOUDTRAIL "The name of the function in the request."
    CtRequestGroupname "ct.request.groupname" Text false None CLOUDTRAIL "The name of the group in the request."
    CtRequestHost "ct.request.host" Text false None CLOUDTRAIL "The host in the request."
    CtRequestName "ct.request.name" Text false None CLOUDTRAIL "The name of what the request acts on."
    CtRequestPolicy "ct.request.policy" Text false None CLOUDTRAIL "The policy in the request."
    CtRequestSerialnumber "ct.request.serialnumber" Text false None CLOUDTRAIL "The serial number in the request."
    CtRequestServicename "ct.request.servicename" Text false None CLOUDTRAIL "The name of the service in the request."
    CtRequestSubnetid "ct.request.subnetid" Text false None CLOUDTRAIL "The subnet in the request."
    CtRequestTaskdefinition "ct.request.taskdefinition" Text false None CLOUDTRAIL "The task definition in the request."
    CtRequestUsername "ct.request.username" Text false None CLOUDTRAIL "The name of the user in the request."
    CtRequest "ct.request" Text false None CLOUDTRAIL "The whole request as JSON."
    CtSrcip "ct.srcip" Text false None CLOUDTRAIL "The address that the request came from."
    CtUseragent "ct.useragent" Text false None CLOUDTRAIL "The user agent of the client."
    CtInfo "ct.info" Text false None CLOUDTRAIL "A summary of the event."
    CtManagementevent "ct.managementevent" Text false None CLOUDTRAIL "`true` for events of management."
    CtReadonly "ct.readonly" Text false None CLOUDTRAIL "`true` when the request changes nothing."
    CtRequestid "ct.requestid" Text false None CLOUDTRAIL "The identifier of the request."
    CtEventtype "ct.eventtype" Text false None CLOUDTRAIL "The type of the event, such as `AwsApiCall`."
    CtApiversion "ct.apiversion" Text false None CLOUDTRAIL "The version of the interface."
    CtResources "ct.resources" Text false None CLOUDTRAIL "The resources that were used, as JSON."
    CtRecipientaccountid "ct.recipientaccountid" Text false None CLOUDTRAIL "The account that received the event."
    CtServiceeventdetails "ct.serviceeventdetails" Text false None CLOUDTRAIL "What made a service event, as JSON."
    CtSharedeventid "ct.sharedeventid" Text false None CLOUDTRAIL "The identifier that the copies of an event share."
    CtVpcendpointid "ct.vpcendpointid" Text false None CLOUDTRAIL "The endpoint through which the request came."
    CtEventcategory "ct.eventcategory" Text false None CLOUDTRAIL "The category of the event."
    CtAddendumReason "ct.addendum.reason" Text false None CLOUDTRAIL "Why the event or a part of it came late."
    CtAddendumUpdatedfields "ct.addendum.updatedfields" Text false None CLOUDTRAIL "The fields that an addendum changes."
    CtAddendumOriginalrequestid "ct.addendum.originalrequestid" Text false None CLOUDTRAIL "The identifier of the request that an addendum changes."
    CtAddendumOriginaleventid "ct.addendum.originaleventid" Text false None CLOUDTRAIL "The identifier of the event that an addendum changes."
    CtSessioncredentialfromconsole "ct.sessioncredentialfromconsole" Text false None CLOUDTRAIL "Whether the event comes from a session of the console."
    CtEdgedevicedetails "ct.edgedevicedetails" Text false None CLOUDTRAIL "What is known of edge devices, as JSON."
    CtTlsdetailsTlsversion "ct.tlsdetails.tlsversion" Text false None CLOUDTRAIL "The version of TLS."
    CtTlsdetailsCiphersuite "ct.tlsdetails.ciphersuite" Text false None CLOUDTRAIL "The cipher suite of TLS."
    CtTlsdetailsClientprovidedhostheader "ct.tlsdetails.clientprovidedhostheader" Text false None CLOUDTRAIL "The host that the client named."
    CtAdditionaleventdata "ct.additionaleventdata" Text false None CLOUDTRAIL "Further data of the event, as JSON."
    S3Uri "s3.uri" Text false None CLOUDTRAIL "The address of the S3 object."
    S3Bucket "s3.bucket" Text false None CLOUDTRAIL "The S3 bucket."
    S3Key "s3.key" Text false None CLOUDTRAIL "The key of the S3 object."
    S3Bytes "s3.bytes" Uint false None CLOUDTRAIL "The size of an S3 transfer in bytes."
    S3BytesIn "s3.bytes.in" Uint false None CLOUDTRAIL "The size of an S3 upload in bytes."
    S3BytesOut "s3.bytes.out" Uint false None CLOUDTRAIL "The size of an S3 download in bytes."
    S3CntGet "s3.cnt.get" Uint false None CLOUDTRAIL "1 for reads of S3 objects, 0 otherwise."
    S3CntPut "s3.cnt.put" Uint false None CLOUDTRAIL "1 for writes of S3 objects, 0 otherwise."
    S3CntOther "s3.cnt.other" Uint false None CLOUDTRAIL "1 for other operations, 0 for reads and writes of S3 objects."
    Ec2Name "ec2.name" Text false None CLOUDTRAIL "The names of the EC2 instances."
    Ec2Imageid "ec2.imageid" Text false None CLOUDTRAIL "The image of the EC2 instance."
    EcrRepository "ecr.repository" Text false None CLOUDTRAIL "The repository of the container registry."
    EcrImagetag "ecr.imagetag" Text false None CLOUDTRAIL "The tag of the image in the container registry."
    GithubType "github.type" Text false None GITHUB "The kind of the message, such as `push`."
    GithubAction "github.action" Text false None GITHUB "What happened, such as `created`."
    GithubUser "github.user" Text false None GITHUB "The user who made the event."
    GithubRepo "github.repo" Text false None GITHUB "The address of the repository (old name)."
    GithubRepoUrl "github.repo.url" Text false None GITHUB "The address of the repository."
    GithubRepoName "github.repo.name" Text false None GITHUB "The name of the repository."
    GithubRepoDescription "github.repo.description" Text false None GITHUB "The description of the repository."
    GithubRepoPublic "github.repo.public" Text false None GITHUB "`true` when the repository is public."
    GithubOrg "github.org" Text false None GITHUB "The organisation of the repository."
    GithubOwner "github.owner" Text false None GITHUB "The owner of the repository."
    GithubCollaboratorName "github.collaborator.name" Text false None GITHUB "The user who was added or removed."
    GithubCollaboratorRole "github.collaborator.role" Text false None GITHUB "The role of the user who was added or removed."
    GithubWebhookId "github.webhook.id" Text false None GITHUB "The identifier of the new webhook."
    GithubWebhookType "github.webhook.type" Text false None GITHUB "The type of the new webhook."
    GithubCommitAdded "github.commit.added" Text false None GITHUB "The files that were added, with commas between."
    GithubCommitModified "github.commit.modified" Text false None GITHUB "The files that were changed, with commas between."
    GithubCommitRemoved "github.commit.removed" Text false None GITHUB "The files that were removed, with commas between."
    GithubDiffHasSecrets "github.diff.has_secrets" Text false None GITHUB "`true` when a commit contains a secret."
    GithubDiffCommittedSecretsDesc "github.diff.committed_secrets.desc" Text false None GITHUB "The kinds of the secrets, with commas between."
    GithubDiffCommittedSecretsFiles "github.diff.committed_secrets.files" Text false None GITHUB "The files with the secrets, with commas between."
    GithubDiffCommittedSecretsLines "github.diff.committed_secrets.lines" Text false None GITHUB "The lines of the secrets, with commas between."
    GithubDiffCommittedSecretsLinks "github.diff.committed_secrets.links" Text false None GITHUB "The addresses of the secrets, with commas between."
    GithubWorkflowHasMiners "github.workflow.has_miners" Text false None GITHUB "`true` when the workflow file names a crypto miner."
    GithubWorkflowMinersType "github.workflow.miners.type" Text false None GITHUB "The kinds of the miners, with commas between."
    GithubWorkflowFilename "github.workflow.filename" Text false None GITHUB "The name of the workflow file."
    OktaApp "okta.app" Text false None OKTA "The application."
    OktaBehaviors "okta.behaviors" Text false None OKTA "The behaviours that were noticed."
    OktaOrg "okta.org" Text false None OKTA "The organisation."
    OktaEvtType "okta.evt.type" Text false None OKTA "The type of the event, such as `user.session.start`."
    OktaEvtLegacytype "okta.evt.legacytype" Text false None OKTA "The old type of the event."
    OktaSeverity "okta.severity" Text false None OKTA "The severity."
    OktaMessage "okta.message" Text false None OKTA "The message."
    OktaPublished "okta.published" Text false None OKTA "When the event was published."
    OktaLogonlysecuritydata "okta.logonlysecuritydata" Text false None OKTA "Security data for the log alone."
    OktaActorId "okta.actor.id" Text false None OKTA "The identifier of the actor."
    OktaActorType "okta.actor.Type" Text false None OKTA "The type of the actor."
    OktaActorAlternateid "okta.actor.alternateid" Text false None OKTA "The other identifier of the actor."
    OktaActorName "okta.actor.name" Text false None OKTA "The name of the actor."
    OktaClientZone "okta.client.zone" Text false None OKTA "The zone of the client."
    OktaClientIp "okta.client.ip" Text false None OKTA "The address of the client."
    OktaClientDevice "okta.client.device" Text false None OKTA "The device of the client."
    OktaClientId "okta.client.id" Text false None OKTA "The identifier of the client."
    OktaClientGeoCity "okta.client.geo.city" Text false None OKTA "The city of the client."
    OktaClientGeoState "okta.client.geo.state" Text false None OKTA "The state of the client."
    OktaClientGeoCountry "okta.client.geo.country" Text false None OKTA "The country of the client."
    OktaClientGeoPostalcode "okta.client.geo.postalcode" Text false None OKTA "The postal code of the client."
    OktaClientGeoLat "okta.client.geo.lat" Text false None OKTA "The latitude of the client."
    OktaClientGeoLon "okta.client.geo.lon" Text false None OKTA "The longitude of the client."
    OktaUseragentOs "okta.useragent.os" Text false None OKTA "The operating system of the client."
    OktaUseragentBrowser "okta.useragent.browser" Text false None OKTA "The browser of the client."
    OktaUseragentRaw "okta.useragent.raw" Text false None OKTA "The whole user agent."
    OktaResult "okta.result" Text false None OKTA "The outcome."
    OktaReason "okta.reason" Text false None OKTA "Why the outcome was so."
    OktaTransactionId "okta.transaction.id" Text false None OKTA "The identifier of the transaction."
    OktaTransactionType "okta.transaction.type" Text false None OKTA "The type of the transaction."
    OktaRequesturi "okta.requesturi" Text false None OKTA "The address of the request."
    OktaPrincipalId "okta.principal.id" Text false None OKTA "The identifier of the principal."
    OktaPrincipalAlternateid "okta.principal.alternateid" Text false None OKTA "The other identifier of the principal."
    OktaPrincipalType "okta.principal.type" Text false None OKTA "The type of the principal."
    OktaPrincipalName "okta.principal.name" Text false None OKTA "The name of the principal."
    OktaAuthenticationStep "okta.authentication.step" Text false None OKTA "The step of the authentication."
    OktaAuthenticationSessionid "okta.authentication.sessionid" Text false None OKTA "The session."
    OktaAuthenticationProvider "okta.authentication.provider" Text false None OKTA "The provider of the authentication."
    OktaAuthenticationCredentialprovider "okta.authentication.credentialprovider" Text false None OKTA "The provider of the credential."
    OktaSecurityAsnumber "okta.security.asnumber" Uint false None OKTA "The number of the autonomous system."
    OktaSecurityAsorg "okta.security.asorg" Text false None OKTA "The organisation of the autonomous system."
    OktaSecurityIsp "okta.security.isp" Text false None OKTA "The internet provider."
    OktaSecurityDomain "okta.security.domain" Text false None OKTA "The domain."
    OktaSecurityIsproxy "okta.security.isproxy" Text false None OKTA "Whether the client is a proxy."
    OktaTargetUserId "okta.target.user.id" Text false None OKTA "The identifier of the user acted on."
    OktaTargetUserAlternateid "okta.target.user.alternateid" Text false None OKTA "The other identifier of the user acted on."
    OktaTargetUserName "okta.target.user.name" Text false None OKTA "The name of the user acted on."
    OktaTargetGroupId "okta.target.group.id" Text false None OKTA "The identifier of the group acted on."
    OktaTargetGroupAlternateid "okta.target.group.alternateid" Text false None OKTA "The other identifier of the group acted on."
    OktaTargetGroupName "okta.target.group.name" Text false None OKTA "The name of the group acted on."
    OktaTargetAppAlternateid "okta.target.app.alternateid" Text false None OKTA "The other identifier of the application acted on."
    OktaTargetsDisplayName "okta.targets.displayName" Text false OptionalIndex OKTA "The names of what was acted on, or the one with the number given."
    OktaMfaFailureCountlast "okta.mfa.failure.countlast" Uint false RequiredIndex OKTA "How many second factors failed for the user within so many seconds."
    OktaMfaDenyCountlast "okta.mfa.deny.countlast" Uint false RequiredIndex OKTA "How many second factors the user denied within so many seconds."
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_found() {
        let mut seen = std::collections::HashSet::new();
        for (field, info) in FIELDS {
            assert!(seen.insert(info.name), "{} is there twice", info.name);
            assert_eq!(Field::named(info.name), Some(*field));
            assert_eq!(field.info().name, info.name);
            assert!(info.description.ends_with('.'), "{}", info.name);
        }
        assert_eq!(Field::named("proc.nam"), None);
    }

    #[test]
    fn arguments_may_follow_a_dot() {
        assert_eq!(
            Field::with_dotted_argument("evt.arg.flags"),
            Some((Field::EvtArg, Some("flags")))
        );
        assert_eq!(
            Field::with_dotted_argument("evt.args"),
            Some((Field::EvtArgs, None))
        );
        assert_eq!(
            Field::with_dotted_argument("k8s.pod.label.app.name"),
            Some((Field::K8sPodLabel, Some("app.name")))
        );
        assert_eq!(Field::with_dotted_argument("evt.arg."), None);
        assert_eq!(Field::with_dotted_argument("proc.name.x"), None);
    }
}
