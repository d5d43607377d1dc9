//! The parameters of each event type, in the order that the rule language gives them: where each comes from in a record,
//! and how it is written.

use super::names::{self, Names};
use super::streams::Target;
use super::{Descriptor, paths, sockets};
use crate::event::KernelEvent;
use crate::syscalls::Table;
use crate::wire::{FILE_LOWER_LAYER, FILE_UPPER_LAYER, Kind, Tag};
use model::event::{EventType, Value};
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::OnceLock;

/// Which way data go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    Read,
    Write,
}

/// Which descriptor an event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum About {
    /// None.
    Nothing,
    /// The one that the call returned.
    Returned,
    /// The one that this argument gave.
    Argument(u8),
}

/// How an event type is read.
#[derive(Debug)]
pub(crate) struct Spec {
    pub(crate) about: About,
    pub(crate) io: Option<Direction>,
    pub(crate) waits: bool,
    pub(crate) parameters: &'static [Take],
}

impl Spec {
    /// The argument that holds the number of the process that the call acts on.
    pub(crate) fn target(&self) -> Option<u8> {
        self.parameters.iter().find_map(|take| match take {
            Take::Process(argument) => Some(*argument),
            _ => None,
        })
    }
}

/// Where a parameter comes from.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Take {
    /// The kernel side does not tell it.
    Nothing,
    /// What the call returned, an error when negative.
    Result,
    /// What the call returned, a descriptor.
    ReturnedDescriptor,
    /// What the call returned, a process.
    ReturnedProcess,
    /// What the call returned, a plain number.
    ReturnedUint,
    Int(u8),
    Uint(u8),
    Hex(u8),
    Octal(u8),
    Descriptor(u8),
    Process(u8),
    User(u8),
    Group(u8),
    Signal(u8),
    Flags(u8, &'static Names),
    /// Permissions that are set.
    Mode(u8),
    /// The bits of `socket`'s type without its flags.
    SocketType(u8),
    /// Flags of `open` in this argument.
    Open(u8),
    /// The mode that an opened file gets, if flags in the first argument say that one is made.
    OpenMode(u8, u8),
    /// The layer that a file lies in.
    Layers,
    /// Kind and permissions of a node.
    Node(u8),
    Path,
    SecondPath,
    /// The first path, as it is.
    PlainPath,
    Text,
    Data,
    Control,
    Tuple,
    Address,
    Device,
    Inode,
    FirstArgument,
    Arguments,
    Thread,
    ThreadGroup,
    Parent,
    WorkingFolder,
    Comm,
    Cgroups,
    Environment,
    Terminal,
    VirtualGroup,
    ProcessGroup,
    LoginUser,
    ExecutableFlags,
    Inheritable,
    Permitted,
    Effective,
    ExecutableInode,
    ExecutableChanged,
    ExecutableModified,
    EffectiveUser,
    EffectiveGroup,
    Executable,
    Filename,
    CloneFlags,
    VirtualThread,
    VirtualProcess,
    NamespaceStart,
    ExitStatus,
    ExitCode,
    ExitSignal,
    ExitCore,
    SyscallId,
    NativeId,
}

use About::{Argument, Nothing as NoFd, Returned};
use Take as T;

const CLONE: &[Take] = &[
    T::ReturnedProcess,
    T::FirstArgument,
    T::Arguments,
    T::Thread,
    T::ThreadGroup,
    T::Parent,
    T::WorkingFolder,
    T::Nothing,
    T::Nothing,
    T::Nothing,
    T::Nothing,
    T::Nothing,
    T::Nothing,
    T::Comm,
    T::Cgroups,
    T::CloneFlags,
    T::EffectiveUser,
    T::EffectiveGroup,
    T::VirtualThread,
    T::VirtualProcess,
    T::NamespaceStart,
];

macro_rules! exec {
    ($($more:expr),*) => {
        &[
            T::Result, T::FirstArgument, T::Arguments, T::Thread, T::ThreadGroup, T::Parent, T::WorkingFolder,
            T::Nothing, T::Nothing, T::Nothing, T::Nothing, T::Nothing, T::Nothing, T::Comm, T::Cgroups,
            T::Environment, T::Terminal, T::VirtualGroup, T::LoginUser, T::ExecutableFlags, T::Inheritable,
            T::Permitted, T::Effective, T::ExecutableInode, T::ExecutableChanged, T::ExecutableModified,
            T::EffectiveUser, T::Executable, T::ProcessGroup, T::EffectiveGroup, $($more),*
        ]
    };
}

const MEMORY: [Take; 4] = [T::Result, T::Nothing, T::Nothing, T::Nothing];

macro_rules! specs {
    ($($name:literal $about:expr, $io:expr, $waits:literal, $parameters:expr;)*) => {
        static SPECS: &[(&str, Spec)] = &[
            $(($name, Spec { about: $about, io: $io, waits: $waits, parameters: $parameters })),*
        ];
    };
}

const READ: Option<Direction> = Some(Direction::Read);
const WRITE: Option<Direction> = Some(Direction::Write);

#[rustfmt::skip]
specs! {
    "open" Returned, None, false, &[T::ReturnedDescriptor, T::Path, T::Open(1), T::OpenMode(1, 2), T::Device, T::Inode];
    "openat" Returned, None, false, &[T::ReturnedDescriptor, T::Descriptor(0), T::Path, T::Open(2), T::OpenMode(2, 3), T::Device, T::Inode];
    "openat2" Returned, None, false, &[T::ReturnedDescriptor, T::Descriptor(0), T::Path, T::Open(2), T::OpenMode(2, 3), T::Flags(4, &names::RESOLVE_FLAGS), T::Device, T::Inode];
    "creat" Returned, None, false, &[T::ReturnedDescriptor, T::Path, T::Octal(1), T::Device, T::Inode, T::Layers];
    "open_by_handle_at" Returned, None, false, &[T::ReturnedDescriptor, T::Descriptor(0), T::Open(2), T::Path, T::Device, T::Inode];
    "execve" NoFd, None, false, exec!(T::Filename);
    "execveat" NoFd, None, false, exec!();
    "clone" NoFd, None, false, CLONE;
    "clone3" NoFd, None, false, CLONE;
    "fork" NoFd, None, false, CLONE;
    "vfork" NoFd, None, false, CLONE;
    "procexit" NoFd, None, false, &[T::ExitStatus, T::ExitCode, T::ExitSignal, T::ExitCore, T::Nothing];
    "connect" Argument(0), None, true, &[T::Result, T::Tuple, T::Descriptor(0), T::Address];
    "accept" Returned, None, true, &[T::ReturnedDescriptor, T::Tuple, T::Nothing, T::Nothing, T::Nothing];
    "accept4" Returned, None, true, &[T::ReturnedDescriptor, T::Tuple, T::Nothing, T::Nothing, T::Nothing, T::Int(3)];
    "bind" Argument(0), None, false, &[T::Result, T::Address, T::Descriptor(0)];
    "listen" Argument(0), None, false, &[T::Result, T::Descriptor(0), T::Int(1)];
    "socket" Returned, None, false, &[T::ReturnedDescriptor, T::Flags(0, &names::SOCKET_FAMILIES), T::SocketType(1), T::Uint(2)];
    "socketpair" NoFd, None, false, &[T::Result, T::Nothing, T::Nothing, T::Nothing, T::Nothing, T::Flags(0, &names::SOCKET_FAMILIES), T::SocketType(1), T::Uint(2)];
    "shutdown" Argument(0), None, false, &[T::Result, T::Descriptor(0), T::Flags(1, &names::SHUTDOWN)];
    "getsockname" NoFd, None, false, &[];
    "getpeername" NoFd, None, false, &[];
    "setsockopt" Argument(0), None, false, &[T::Result, T::Descriptor(0), T::Uint(1), T::Uint(2), T::Nothing, T::Uint(4)];
    "getsockopt" Argument(0), None, false, &[T::Result, T::Descriptor(0), T::Uint(1), T::Uint(2), T::Nothing, T::Nothing];
    "send" Argument(0), WRITE, true, &[T::Result, T::Data, T::Descriptor(0), T::Uint(2), T::Tuple];
    "sendto" Argument(0), WRITE, true, &[T::Result, T::Data, T::Descriptor(0), T::Uint(2), T::Tuple];
    "sendmsg" Argument(0), WRITE, true, &[T::Result, T::Data, T::Descriptor(0), T::ReturnedUint, T::Tuple];
    "sendmmsg" Argument(0), WRITE, true, &[T::Result, T::Descriptor(0), T::ReturnedUint, T::Data, T::Tuple];
    "recv" Argument(0), READ, true, &[T::Result, T::Data, T::Descriptor(0), T::Uint(2), T::Tuple];
    "recvfrom" Argument(0), READ, true, &[T::Result, T::Data, T::Tuple, T::Descriptor(0), T::Uint(2)];
    "recvmsg" Argument(0), READ, true, &[T::Result, T::ReturnedUint, T::Data, T::Tuple, T::Control, T::Descriptor(0)];
    "recvmmsg" Argument(0), READ, true, &[T::Result, T::Descriptor(0), T::ReturnedUint, T::Data, T::Tuple, T::Control];
    "close" Argument(0), None, false, &[T::Result, T::Descriptor(0)];
    "close_range" NoFd, None, false, &[T::Result, T::Uint(0), T::Uint(1), T::Flags(2, &names::CLOSE_RANGE_FLAGS)];
    "read" Argument(0), READ, true, &[T::Result, T::Data, T::Descriptor(0), T::Uint(2)];
    "write" Argument(0), WRITE, true, &[T::Result, T::Data, T::Descriptor(0), T::Uint(2)];
    "pread" Argument(0), READ, true, &[T::Result, T::Data, T::Descriptor(0), T::Uint(2), T::Uint(3)];
    "pwrite" Argument(0), WRITE, true, &[T::Result, T::Data, T::Descriptor(0), T::Uint(2), T::Uint(3)];
    "readv" Argument(0), READ, true, &[T::Result, T::ReturnedUint, T::Data, T::Descriptor(0)];
    "writev" Argument(0), WRITE, true, &[T::Result, T::Data, T::Descriptor(0), T::ReturnedUint];
    "preadv" Argument(0), READ, true, &[T::Result, T::ReturnedUint, T::Data, T::Descriptor(0), T::Uint(3)];
    "pwritev" Argument(0), WRITE, true, &[T::Result, T::Data, T::Descriptor(0), T::ReturnedUint, T::Uint(3)];
    "sendfile" Argument(0), None, true, &[T::Result, T::Nothing, T::Descriptor(0), T::Descriptor(1), T::Uint(3)];
    "splice" Argument(0), None, true, &[T::Result, T::Descriptor(0), T::Descriptor(2), T::Uint(4), T::Flags(5, &names::SPLICE_FLAGS)];
    "copy_file_range" Argument(2), None, false, &[T::Result, T::Descriptor(2), T::Nothing, T::Descriptor(0), T::Nothing, T::Uint(4)];
    "dup" Returned, None, false, &[T::ReturnedDescriptor, T::Descriptor(0)];
    "dup2" Returned, None, false, &[T::ReturnedDescriptor, T::Descriptor(0), T::Descriptor(1)];
    "dup3" Returned, None, false, &[T::ReturnedDescriptor, T::Descriptor(0), T::Descriptor(1), T::Flags(2, &names::DESCRIPTOR_FLAGS)];
    "fcntl" Argument(0), None, false, &[T::Result, T::Descriptor(0), T::Flags(1, &names::FCNTL)];
    "ioctl" Argument(0), None, false, &[T::Result, T::Descriptor(0), T::Hex(1), T::Hex(2)];
    "lseek" Argument(0), None, false, &[T::Result, T::Descriptor(0), T::Uint(1), T::Flags(2, &names::WHENCE)];
    "llseek" Argument(0), None, false, &[T::Result, T::Descriptor(0), T::Uint(2), T::Flags(4, &names::WHENCE)];
    "pipe" NoFd, None, false, &[T::Result, T::Nothing, T::Nothing, T::Nothing];
    "pipe2" NoFd, None, false, &[T::Result, T::Nothing, T::Nothing, T::Nothing, T::Flags(1, &names::DESCRIPTOR_FLAGS)];
    "eventfd" Returned, None, false, &[T::ReturnedDescriptor, T::Uint(0), T::Nothing];
    "eventfd2" Returned, None, false, &[T::ReturnedDescriptor, T::Flags(1, &names::DESCRIPTOR_FLAGS), T::Uint(0)];
    "signalfd" Returned, None, false, &[T::ReturnedDescriptor, T::Descriptor(0), T::Nothing, T::Nothing];
    "signalfd4" Returned, None, false, &[T::ReturnedDescriptor, T::Flags(3, &names::DESCRIPTOR_FLAGS), T::Descriptor(0), T::Nothing];
    "timerfd_create" Returned, None, false, &[T::ReturnedDescriptor, T::Uint(0), T::Flags(1, &names::DESCRIPTOR_FLAGS)];
    "inotify_init" Returned, None, false, &[T::ReturnedDescriptor, T::Nothing];
    "inotify_init1" Returned, None, false, &[T::ReturnedDescriptor, T::Flags(0, &names::DESCRIPTOR_FLAGS)];
    "memfd_create" Returned, None, false, &[T::ReturnedDescriptor, T::PlainPath, T::Flags(1, &names::MEMFD_FLAGS)];
    "userfaultfd" Returned, None, false, &[T::ReturnedDescriptor, T::Flags(0, &names::DESCRIPTOR_FLAGS)];
    "pidfd_open" Returned, None, false, &[T::ReturnedDescriptor, T::Process(0), T::Flags(1, &names::PIDFD_FLAGS)];
    "pidfd_getfd" Returned, None, false, &[T::ReturnedDescriptor, T::Descriptor(0), T::Int(1), T::Uint(2)];
    "epoll_create" Returned, None, false, &[T::ReturnedDescriptor, T::Int(0)];
    "epoll_create1" Returned, None, false, &[T::ReturnedDescriptor, T::Flags(0, &names::EPOLL_FLAGS)];
    "epoll_wait" NoFd, None, true, &[T::Result, T::Int(2)];
    "poll" NoFd, None, true, &[T::Result, T::Nothing, T::Int(2)];
    "ppoll" NoFd, None, true, &[T::Result, T::Nothing, T::Nothing, T::Nothing];
    "select" NoFd, None, true, &[T::Result];
    "futex" NoFd, None, true, &[T::Result, T::Hex(0), T::Uint(1), T::Uint(2)];
    "nanosleep" NoFd, None, true, &[T::Result, T::Nothing];
    "stat" NoFd, None, false, &[T::Result, T::Path];
    "lstat" NoFd, None, false, &[T::Result, T::Path];
    "fstat" Argument(0), None, false, &[T::Result, T::Descriptor(0)];
    "stat64" NoFd, None, false, &[T::Result, T::Path];
    "lstat64" NoFd, None, false, &[T::Result, T::Path];
    "fstat64" Argument(0), None, false, &[T::Result];
    "newfstatat" NoFd, None, false, &[T::Result, T::Descriptor(0), T::Path, T::Flags(3, &names::AT_FLAGS)];
    "access" NoFd, None, false, &[T::Result, T::Path, T::Flags(1, &names::ACCESS_MODES)];
    "getcwd" NoFd, None, false, &[T::Result, T::Path];
    "chdir" NoFd, None, false, &[T::Result, T::Path];
    "fchdir" Argument(0), None, false, &[T::Result, T::Descriptor(0)];
    "getdents" Argument(0), None, false, &[T::Result, T::Descriptor(0)];
    "getdents64" Argument(0), None, false, &[T::Result, T::Descriptor(0)];
    "mkdir" NoFd, None, false, &[T::Result, T::Path, T::Octal(1)];
    "mkdirat" NoFd, None, false, &[T::Result, T::Descriptor(0), T::Path, T::Octal(2)];
    "rmdir" NoFd, None, false, &[T::Result, T::Path];
    "unlink" NoFd, None, false, &[T::Result, T::Path];
    "unlinkat" NoFd, None, false, &[T::Result, T::Descriptor(0), T::Path, T::Flags(2, &names::UNLINK_FLAGS)];
    "rename" NoFd, None, false, &[T::Result, T::Path, T::SecondPath];
    "renameat" NoFd, None, false, &[T::Result, T::Descriptor(0), T::Path, T::Descriptor(2), T::SecondPath];
    "renameat2" NoFd, None, false, &[T::Result, T::Descriptor(0), T::Path, T::Descriptor(2), T::SecondPath, T::Flags(4, &names::RENAME_FLAGS)];
    "link" NoFd, None, false, &[T::Result, T::Path, T::SecondPath];
    "linkat" NoFd, None, false, &[T::Result, T::Descriptor(0), T::Path, T::Descriptor(2), T::SecondPath, T::Flags(4, &names::LINK_FLAGS)];
    "symlink" NoFd, None, false, &[T::Result, T::PlainPath, T::SecondPath];
    "symlinkat" NoFd, None, false, &[T::Result, T::PlainPath, T::Descriptor(1), T::SecondPath];
    "chmod" NoFd, None, false, &[T::Result, T::Path, T::Mode(1)];
    "fchmod" Argument(0), None, false, &[T::Result, T::Descriptor(0), T::Mode(1)];
    "fchmodat" NoFd, None, false, &[T::Result, T::Descriptor(0), T::Path, T::Mode(2)];
    "chown" NoFd, None, false, &[T::Result, T::Path, T::User(1), T::Group(2)];
    "lchown" NoFd, None, false, &[T::Result, T::Path, T::User(1), T::Group(2)];
    "fchown" Argument(0), None, false, &[T::Result, T::Descriptor(0), T::User(1), T::Group(2)];
    "fchownat" NoFd, None, false, &[T::Result, T::Descriptor(0), T::Path, T::User(2), T::Group(3), T::Flags(4, &names::AT_FLAGS)];
    "mknod" NoFd, None, false, &[T::Result, T::Path, T::Node(1), T::Hex(2)];
    "mknodat" NoFd, None, false, &[T::Result, T::Descriptor(0), T::Path, T::Node(2), T::Hex(3)];
    "flock" Argument(0), None, false, &[T::Result, T::Descriptor(0), T::Flags(1, &names::LOCKS)];
    "mount" NoFd, None, false, &[T::Result, T::PlainPath, T::SecondPath, T::Text, T::Flags(3, &names::MOUNT_FLAGS)];
    "umount" NoFd, None, false, &[T::Result, T::Path];
    "umount2" NoFd, None, false, &[T::Result, T::Path, T::Flags(1, &names::UMOUNT_FLAGS)];
    "fsconfig" Argument(0), None, false, &[T::Result, T::Descriptor(0), T::Flags(1, &names::FSCONFIG), T::PlainPath, T::Nothing, T::Text, T::Int(4)];
    "quotactl" NoFd, None, false, &[T::Result, T::PlainPath, T::Nothing, T::Nothing, T::Nothing, T::Nothing, T::Nothing, T::Nothing, T::Nothing, T::Nothing, T::Nothing, T::Nothing, T::Nothing, T::Nothing, T::Hex(0), T::Nothing, T::Uint(2), T::Nothing];
    "brk" NoFd, None, false, &[T::Result, T::Nothing, T::Nothing, T::Nothing, T::Hex(0)];
    "mmap" Argument(4), None, false, &[MEMORY[0], MEMORY[1], MEMORY[2], MEMORY[3], T::Hex(0), T::Uint(1), T::Flags(2, &names::PROTECTION), T::Flags(3, &names::MAP_FLAGS), T::Descriptor(4), T::Uint(5)];
    "mmap2" Argument(4), None, false, &[MEMORY[0], MEMORY[1], MEMORY[2], MEMORY[3], T::Hex(0), T::Uint(1), T::Flags(2, &names::PROTECTION), T::Flags(3, &names::MAP_FLAGS), T::Descriptor(4), T::Uint(5)];
    "munmap" NoFd, None, false, &[MEMORY[0], MEMORY[1], MEMORY[2], MEMORY[3], T::Hex(0), T::Uint(1)];
    "mprotect" NoFd, None, false, &[T::Result, T::Hex(0), T::Uint(1), T::Flags(2, &names::PROTECTION)];
    "mlock" NoFd, None, false, &[T::Result, T::Hex(0), T::Uint(1)];
    "mlock2" NoFd, None, false, &[T::Result, T::Hex(0), T::Uint(1), T::Flags(2, &names::LOCK_MEMORY_2)];
    "munlock" NoFd, None, false, &[T::Result, T::Hex(0), T::Uint(1)];
    "mlockall" NoFd, None, false, &[T::Result, T::Flags(0, &names::LOCK_MEMORY)];
    "munlockall" NoFd, None, false, &[T::Result];
    "setuid" NoFd, None, false, &[T::Result, T::User(0)];
    "setgid" NoFd, None, false, &[T::Result, T::Group(0)];
    "setreuid" NoFd, None, false, &[T::Result, T::User(0), T::User(1)];
    "setregid" NoFd, None, false, &[T::Result, T::Group(0), T::Group(1)];
    "setresuid" NoFd, None, false, &[T::Result, T::User(0), T::User(1), T::User(2)];
    "setresgid" NoFd, None, false, &[T::Result, T::Group(0), T::Group(1), T::Group(2)];
    "getuid" NoFd, None, false, &[T::ReturnedUint];
    "geteuid" NoFd, None, false, &[T::ReturnedUint];
    "getgid" NoFd, None, false, &[T::ReturnedUint];
    "getegid" NoFd, None, false, &[T::ReturnedUint];
    "getresuid" NoFd, None, false, &[T::Result, T::Nothing, T::Nothing, T::Nothing];
    "getresgid" NoFd, None, false, &[T::Result, T::Nothing, T::Nothing, T::Nothing];
    "setsid" NoFd, None, false, &[T::ReturnedProcess];
    "setpgid" NoFd, None, false, &[T::Result, T::Process(0), T::Process(1)];
    "capset" NoFd, None, false, &[T::Result, T::Inheritable, T::Permitted, T::Effective];
    "prctl" NoFd, None, false, &[T::Result, T::Flags(0, &names::PRCTL), T::Comm, T::Int(1)];
    "chroot" NoFd, None, false, &[T::Result, T::Path];
    "setns" Argument(0), None, false, &[T::Result, T::Descriptor(0), T::Flags(1, &names::CLONE_FLAGS)];
    "unshare" NoFd, None, false, &[T::Result, T::Flags(0, &names::CLONE_FLAGS)];
    "ptrace" NoFd, None, false, &[T::Result, T::Hex(2), T::Hex(3), T::Flags(0, &names::PTRACE_REQUESTS), T::Process(1)];
    "process_vm_readv" NoFd, None, false, &[T::Result, T::Process(0), T::Data];
    "process_vm_writev" NoFd, None, false, &[T::Result, T::Process(0), T::Data];
    "seccomp" NoFd, None, false, &[T::Result, T::Flags(0, &names::SECCOMP), T::Hex(1)];
    "bpf" Returned, None, false, &[T::ReturnedDescriptor, T::Flags(0, &names::BPF_COMMANDS)];
    "init_module" NoFd, None, false, &[T::Result, T::Data, T::Uint(1), T::Text];
    "finit_module" Argument(0), None, false, &[T::Result, T::Descriptor(0), T::Text, T::Flags(2, &names::MODULE_FLAGS)];
    "delete_module" NoFd, None, false, &[T::Result, T::PlainPath, T::Flags(1, &names::DELETE_MODULE_FLAGS)];
    "io_uring_setup" Returned, None, false, &[T::ReturnedDescriptor, T::Uint(0), T::Nothing, T::Nothing, T::Nothing, T::Nothing, T::Nothing, T::Nothing];
    "io_uring_enter" Argument(0), None, false, &[T::Result, T::Descriptor(0), T::Uint(1), T::Uint(2), T::Flags(3, &names::RING_ENTER), T::Nothing];
    "io_uring_register" Argument(0), None, false, &[T::Result, T::Descriptor(0), T::Flags(1, &names::RING_REGISTER), T::Hex(2), T::Uint(3)];
    "kill" NoFd, None, false, &[T::Result, T::Process(0), T::Signal(1)];
    "tkill" NoFd, None, false, &[T::Result, T::Process(0), T::Signal(1)];
    "tgkill" NoFd, None, false, &[T::Result, T::Process(0), T::Process(1), T::Signal(2)];
    "getrlimit" NoFd, None, false, &[T::Result, T::Nothing, T::Nothing, T::Flags(0, &names::RESOURCES)];
    "setrlimit" NoFd, None, false, &[T::Result, T::Nothing, T::Nothing, T::Flags(0, &names::RESOURCES)];
    "prlimit" NoFd, None, false, &[T::Result, T::Nothing, T::Nothing, T::Nothing, T::Nothing, T::Process(0), T::Flags(1, &names::RESOURCES)];
    "semop" NoFd, None, true, &[T::Result, T::Uint(2), T::Nothing, T::Nothing, T::Nothing, T::Nothing, T::Nothing, T::Nothing, T::Int(0)];
    "semctl" NoFd, None, false, &[T::Result, T::Int(0), T::Int(1), T::Uint(2), T::Int(3)];
    "semget" NoFd, None, false, &[T::Result, T::Hex(0), T::Int(1), T::Hex(2)];
    "syscall" NoFd, None, false, &[T::SyscallId, T::NativeId];
}

static GENERIC: Spec = Spec {
    about: About::Nothing,
    io: None,
    waits: false,
    parameters: &[Take::SyscallId, Take::NativeId],
};

/// How an event type is read; `None` for those that the kernel side never makes.
pub(crate) fn spec(event_type: EventType) -> Option<&'static Spec> {
    static INDEX: OnceLock<Vec<Option<&'static Spec>>> = OnceLock::new();
    let index = INDEX.get_or_init(|| {
        let by_name: HashMap<&str, &Spec> = SPECS.iter().map(|(name, spec)| (*name, spec)).collect();
        EventType::all()
            .map(|kind| {
                let generic = kind.is_generic().then_some(&GENERIC);
                by_name.get(kind.name()).copied().or(generic)
            })
            .collect()
    });
    index.get(usize::from(event_type.0)).copied()?
}

/// A parameter of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Parameter<'a> {
    Absent,
    Int(i64),
    Uint(u64),
    Hex(u64),
    Octal(u64),
    /// Negative ones have a name.
    Error(i64),
    /// A number, and what it stands for.
    Named(i64, Cow<'a, [u8]>),
    /// Falco's number of flags, and their names.
    Flags(u64, String),
    /// Permissions, written in octal, and their names.
    Mode(u64, String),
    Text(Cow<'a, [u8]>),
    /// A path as given, and made absolute.
    Path(Cow<'a, [u8]>, Option<Cow<'a, [u8]>>),
    Bytes(Cow<'a, [u8]>),
}

/// Bytes with dots for what cannot be printed, as parameters show buffers.
fn printable(bytes: &[u8]) -> Vec<u8> {
    bytes
        .iter()
        .map(|byte| if (0x20..0x7f).contains(byte) { *byte } else { b'.' })
        .collect()
}

/// The name of a user or group, or what stands for one that has none, and for the number that leaves it as it is.
fn named_or_not(id: u32, name: Option<&[u8]>) -> &[u8] {
    match name {
        _ if id == u32::MAX => b"<NONE>",
        Some(name) => name,
        None => super::process::NAMELESS,
    }
}

impl<'a> Parameter<'a> {
    /// What stands after `name=`.
    fn plain(&self) -> Cow<'_, [u8]> {
        let text = match self {
            Self::Absent => return b"NULL"[..].into(),
            Self::Int(number) | Self::Error(number) | Self::Named(number, _) => number.to_string(),
            Self::Uint(number) | Self::Flags(number, _) => number.to_string(),
            Self::Hex(number) => format!("{number:X}"),
            Self::Octal(0) | Self::Mode(0, _) => "0".to_owned(),
            Self::Octal(number) | Self::Mode(number, _) => format!("0{number:o}"),
            Self::Text(text) | Self::Path(text, _) => return text.as_ref().into(),
            Self::Bytes(bytes) => return printable(bytes).into(),
        };
        text.into_bytes().into()
    }

    /// What stands in brackets after it, or nothing.
    fn resolved(&self) -> Cow<'_, [u8]> {
        match self {
            Self::Error(number) if *number < 0 => names::error_name(number.unsigned_abs())
                .unwrap_or_default()
                .as_bytes()
                .into(),
            Self::Named(_, name) => name.as_ref().into(),
            Self::Flags(_, names) | Self::Mode(_, names) => names.as_bytes().into(),
            Self::Path(given, Some(full)) if full != given => full.as_ref().into(),
            _ => b""[..].into(),
        }
    }

    /// `evt.arg`: what it stands for, or else itself.
    pub(crate) fn text(self) -> Value<'a> {
        match self {
            Self::Absent => Value::Absent,
            Self::Text(text) | Self::Path(_, Some(text)) | Self::Path(text, None) => Value::Text(text),
            Self::Named(_, name) if !name.is_empty() => Value::Text(name),
            other => {
                let resolved = other.resolved();
                let text = if resolved.is_empty() {
                    other.plain()
                } else {
                    resolved
                };
                Value::owned_text(text.into_owned())
            }
        }
    }

    /// `evt.rawarg`: itself.
    pub(crate) fn raw(self) -> Value<'a> {
        match self {
            Self::Absent => Value::Absent,
            Self::Int(number) | Self::Error(number) | Self::Named(number, _) => Value::Int(number),
            Self::Uint(number)
            | Self::Hex(number)
            | Self::Octal(number)
            | Self::Flags(number, _)
            | Self::Mode(number, _) => Value::Uint(number),
            Self::Text(text) | Self::Path(text, _) => Value::Text(text),
            Self::Bytes(bytes) => Value::Bytes(bytes),
        }
    }

    /// `evt.args`: both.
    pub(crate) fn write(&self, line: &mut Vec<u8>) {
        line.extend_from_slice(&self.plain());
        let resolved = self.resolved();
        if !resolved.is_empty() {
            line.push(b'(');
            line.extend_from_slice(&resolved);
            line.push(b')');
        }
    }
}

const AT_CURRENT_FOLDER: i64 = -100;

impl KernelEvent {
    /// The parameter with this place.
    pub(crate) fn parameter(&self, index: usize) -> Parameter<'_> {
        spec(self.parts.event_type)
            .and_then(|spec| spec.parameters.get(index))
            .map_or(Parameter::Absent, |take| self.take(*take))
    }

    /// The parameter with this name.
    pub(crate) fn parameter_named(&self, name: &str) -> Parameter<'_> {
        let parameters = self.parts.event_type.info().parameters;
        parameters
            .iter()
            .position(|parameter| parameter.name == name)
            .map_or(Parameter::Absent, |index| self.parameter(index))
    }

    /// `evt.args`.
    pub(crate) fn all_parameters(&self) -> Vec<u8> {
        let mut line = Vec::new();
        if self.parts.event_type.is_generic() {
            return line;
        }
        for (index, parameter) in self.parts.event_type.info().parameters.iter().enumerate() {
            if index > 0 {
                line.push(b' ');
            }
            line.extend_from_slice(parameter.name.as_bytes());
            line.push(b'=');
            self.parameter(index).write(&mut line);
        }
        line
    }

    pub(crate) fn argument(&self, index: u8) -> u64 {
        self.header.args.get(usize::from(index)).copied().unwrap_or(0)
    }

    /// An argument that is a C `int`.
    pub(crate) fn int_argument(&self, index: u8) -> i64 {
        i64::from(self.argument(index) as u32 as i32)
    }

    fn is_native(&self) -> bool {
        self.header.abi == 0
    }

    fn descriptor_parameter(&self, number: i64) -> Parameter<'_> {
        let name: Cow<'_, [u8]> = if number == AT_CURRENT_FOLDER {
            b"AT_FDCWD"[..].into()
        } else if number < 0 {
            names::error_name(number.unsigned_abs())
                .unwrap_or_default()
                .as_bytes()
                .into()
        } else {
            self.described(number).into()
        };
        Parameter::Named(number, name)
    }

    /// `<letter>name` of a descriptor that this event knows.
    fn described(&self, number: i64) -> Vec<u8> {
        let write = |target: Target, protocol: &str, name: &[u8]| -> Vec<u8> {
            let mut text = format!("<{}{protocol}>", target.letter()).into_bytes();
            text.extend_from_slice(name);
            text
        };
        if let Some(Descriptor { target, .. }) = self.descriptor()
            && (self.descriptor_number() == Some(number) || self.is_duplicate_of(number))
        {
            let protocol = self.protocol().map_or("", |name| &name[..1]);
            return write(target, protocol, self.name().unwrap_or_default());
        }
        let record = self.record();
        if let Some(name) = record.text(Tag::SecondFile) {
            let second = match self.parts.event_type.name() {
                "sendfile" => self.int_argument(1),
                "splice" => self.int_argument(2),
                "copy_file_range" => self.int_argument(0),
                _ => -1,
            };
            if second == number {
                let target = Target::of_file(record.file_meta(Tag::SecondFileMeta).as_ref(), name);
                return write(target, "", name);
            }
        }
        let relative = |path: Tag| record.text(path).is_some_and(|path| path.first() != Some(&b'/'));
        let bases = [(Tag::Base, Tag::Path), (Tag::SecondBase, Tag::SecondPath)];
        for (base, path) in bases {
            if self.folder_argument(base) == Some(number)
                && relative(path)
                && let Some(folder) = record.text(base)
            {
                return write(Target::Folder, "", folder);
            }
        }
        if let Ok(number @ 0..3) = usize::try_from(number)
            && let Some(Some(stream)) = self.parts.process.streams.get(number)
        {
            let letter = match stream.kind {
                "ipv4" => "4",
                "ipv6" => "6",
                "unix" => "u",
                "pipe" => "p",
                "directory" => "d",
                "file" => "f",
                _ => "o",
            };
            let mut text = format!("<{letter}>").into_bytes();
            text.extend_from_slice(&stream.name);
            return text;
        }
        Vec::new()
    }

    fn is_duplicate_of(&self, number: i64) -> bool {
        matches!(self.parts.event_type.name(), "dup" | "dup2" | "dup3")
            && self.header.ret >= 0
            && (number == self.int_argument(0) || number == self.header.ret)
    }

    /// The descriptor that a relative path starts from.
    fn folder_argument(&self, base: Tag) -> Option<i64> {
        let argument = match (self.parts.event_type.name(), base) {
            ("renameat" | "renameat2" | "linkat", Tag::SecondBase) => 2,
            ("symlinkat", Tag::SecondBase) => 1,
            (
                "openat" | "openat2" | "unlinkat" | "mkdirat" | "renameat" | "renameat2" | "linkat"
                | "fchmodat" | "fchownat" | "mknodat" | "newfstatat" | "execveat",
                Tag::Base,
            ) => 0,
            _ => return None,
        };
        Some(self.int_argument(argument))
    }

    /// Falco's number of the flags that a file was opened with.
    pub(crate) fn open_flags(&self) -> Option<u64> {
        let spec = spec(self.parts.event_type)?;
        spec.parameters.iter().find_map(|take| match take {
            Take::Open(argument) => Some(self.open_flags_in(*argument)),
            _ => None,
        })
    }

    fn open_flags_in(&self, argument: u8) -> u64 {
        let flags = self.argument(argument);
        let is_arm = self.parts.host.native == Table::Arm64 && self.is_native();
        let (direct, large, directory) = if is_arm {
            (0o200_000, 0o400_000, 0o40_000)
        } else {
            (0o40_000, 0o100_000, 0o200_000)
        };
        let mut number = match flags & 3 {
            0 => 1,
            1 => 2,
            _ => 3,
        };
        let temporary = 0o20_000_000 | directory;
        let table = [
            (0o100, 1 << 2),
            (0o2_000, 1 << 3),
            (0o10_000, 1 << 4),
            (0o200, 1 << 5),
            (0o4_000, 1 << 6),
            (0o4_010_000, 1 << 7),
            (0o1_000, 1 << 8),
            (direct, 1 << 9),
            (directory, 1 << 10),
            (large, 1 << 11),
            (0o2_000_000, 1 << 12),
            (temporary, 1 << 13),
        ];
        for (flag, ours) in table {
            if flags & flag == flag {
                number |= ours;
            }
        }
        if flags & temporary == temporary {
            number &= !(1 << 10);
        }
        if self.was_created() {
            number |= 1 << 14;
        }
        number | self.layers() << 15
    }

    /// Whether opening made the file: the kernel says so, or it could not have succeeded otherwise.
    pub(crate) fn was_created(&self) -> bool {
        if self.header.ret < 0 || self.parts.io_uring {
            return false;
        }
        let record = self.record();
        let told = record
            .chunk(Tag::OpenFile)
            .and_then(|open| Some(u32::from_le_bytes(*open.first_chunk::<4>()?)));
        if told.is_some_and(|flags| flags & crate::wire::OPEN_CREATED != 0) {
            return true;
        }
        let flags = match self.parts.event_type.name() {
            "open" => self.argument(1),
            "openat" | "openat2" => self.argument(2),
            _ => return false,
        };
        flags & 0o300 == 0o300
    }

    /// 1 for a file in the upper layer of an overlay, 2 for one in a lower layer.
    pub(crate) fn layers(&self) -> u64 {
        let flags = self
            .record()
            .file_meta(Tag::FileMeta)
            .map_or(0, |meta| meta.flags);
        u64::from(flags & FILE_UPPER_LAYER != 0) | u64::from(flags & FILE_LOWER_LAYER != 0) << 1
    }

    fn path_parameter(&self, path: Tag, base: Tag) -> Parameter<'_> {
        let record = self.record();
        match record.text(path) {
            Some(given) => Parameter::Path(given.into(), paths::absolute(record.text(base), given)),
            None => Parameter::Absent,
        }
    }

    fn user(&self, uid: u32) -> Parameter<'_> {
        Parameter::Named(
            i64::from(uid as i32),
            named_or_not(uid, self.user_name(uid)).into(),
        )
    }

    fn take(&self, take: Take) -> Parameter<'_> {
        use Parameter as P;
        let header = &self.header;
        let record = self.record();
        let process = &*self.parts.process;
        let image = &*process.image;
        let credentials = || process.credentials.as_ref();
        let identity = || process.identity.as_ref();
        let optional = |value: Option<u64>| value.map_or(P::Absent, P::Uint);
        let text = |text: Option<&'_ [u8]>| -> Option<Vec<u8>> { text.map(<[u8]>::to_vec) };
        match take {
            Take::Nothing => P::Absent,
            Take::Result => P::Error(header.ret),
            Take::ReturnedDescriptor => self.descriptor_parameter(header.ret),
            Take::ReturnedProcess if header.ret < 0 => P::Error(header.ret),
            Take::ReturnedProcess => P::Int(header.ret),
            Take::ReturnedUint if header.ret < 0 => P::Absent,
            Take::ReturnedUint => P::Uint(header.ret.unsigned_abs()),
            Take::Int(index) => P::Int(self.int_argument(index)),
            Take::Uint(index) => P::Uint(self.argument(index)),
            Take::Hex(index) => P::Hex(self.argument(index)),
            Take::Octal(index) => P::Octal(self.argument(index) & 0xffff),
            Take::Descriptor(index) => self.descriptor_parameter(self.int_argument(index)),
            Take::Process(index) => {
                let number = self.int_argument(index);
                let known = std::iter::once(&self.parts.process)
                    .chain(self.parts.ancestors.iter())
                    .chain(&self.parts.target);
                let mut known = known.filter(|known| i64::from(known.key.tgid) == number);
                P::Named(
                    number,
                    known.next().map_or(b""[..].into(), |known| (*known.comm).into()),
                )
            }
            Take::User(index) => self.user(self.argument(index) as u32),
            Take::Group(index) => {
                let gid = self.argument(index) as u32;
                P::Named(
                    i64::from(gid as i32),
                    named_or_not(gid, self.group_name(gid)).into(),
                )
            }
            Take::Signal(index) => {
                let number = self.int_argument(index);
                let name = names::signal_name(number.unsigned_abs()).unwrap_or_default();
                P::Named(number, name.as_bytes().into())
            }
            Take::Flags(index, names) => {
                // Numbers of 32 bits, sign-extended by some callers.
                let number = names.number(self.argument(index) & 0xffff_ffff);
                P::Flags(number, names.text(number))
            }
            Take::Mode(index) => {
                let number = self.argument(index) & 0xffff;
                P::Mode(number, names::MODE_BITS.text(number & 0o7777))
            }
            Take::SocketType(index) => P::Uint(self.argument(index) & 0xf),
            Take::Open(index) => {
                let number = self.open_flags_in(index);
                P::Flags(number, names::OPEN_FLAGS.text(number))
            }
            Take::OpenMode(flags, mode) => {
                let makes = self.open_flags_in(flags) & (1 << 2 | 1 << 13) != 0;
                P::Octal(if makes { self.argument(mode) & 0o7777 } else { 0 })
            }
            Take::Layers => {
                let number = self.layers();
                let name = ["", "FD_UPPER_LAYER_CREAT", "FD_LOWER_LAYER_CREAT"];
                let name = name.get(usize::try_from(number).unwrap_or(0)).copied();
                P::Flags(number, name.unwrap_or_default().to_owned())
            }
            Take::Node(index) => {
                let mode = self.argument(index);
                let mut names = names::MODE_BITS.text(mode & 0o7777);
                let kind = match mode & 0o170_000 {
                    0o020_000 => "S_IFCHR",
                    0o060_000 => "S_IFBLK",
                    0o010_000 => "S_IFIFO",
                    0o140_000 => "S_IFSOCK",
                    _ => "S_IFREG",
                };
                if !names.is_empty() {
                    names.push('|');
                }
                names.push_str(kind);
                P::Mode(mode & 0xffff, names)
            }
            Take::Path if self.parts.event_type.name() == "open_by_handle_at" => record
                .text(Tag::File)
                .map_or(P::Absent, |path| P::Text(path.into())),
            Take::Path => self.path_parameter(Tag::Path, Tag::Base),
            Take::SecondPath => self.path_parameter(Tag::SecondPath, Tag::SecondBase),
            Take::PlainPath => record
                .text(Tag::Path)
                .map_or(P::Absent, |path| P::Text(path.into())),
            Take::Text => record
                .text(Tag::Text)
                .map_or(P::Absent, |text| P::Text(text.into())),
            Take::Data => record
                .chunk(Tag::Data)
                .map_or(P::Absent, |data| P::Bytes(data.into())),
            Take::Control => record
                .chunk(Tag::Control)
                .map_or(P::Absent, |data| P::Bytes(data.into())),
            Take::Tuple => match self.connection() {
                Some(connection) if connection.remote.is_some() => {
                    P::Text(connection.name().into_bytes().into())
                }
                Some(_) => P::Absent,
                None => {
                    let socket = record
                        .socket(Tag::Socket)
                        .filter(|socket| socket.family == sockets::AF_UNIX);
                    match socket {
                        Some(socket) => P::Text(sockets::unix_name(&record, Some(&socket)).into()),
                        None => P::Absent,
                    }
                }
            },
            Take::Address => match sockets::address_text(&record) {
                Some(text) => P::Text(text.into_owned().into()),
                None => P::Absent,
            },
            Take::Device => optional(
                record
                    .file_meta(Tag::FileMeta)
                    .map(|meta| super::user_device(meta.device)),
            )
            .into_hex(),
            Take::Inode => optional(record.file_meta(Tag::FileMeta).map(|meta| meta.inode)),
            Take::FirstArgument => image
                .first_argument()
                .map_or(P::Absent, |first| P::Text(first.into())),
            Take::Arguments => {
                let first = image.first_argument().map_or(0, |first| first.len() + 1);
                P::Bytes(image.arguments.get(first..).unwrap_or_default().into())
            }
            Take::Thread => P::Named(i64::from(header.tid), self.thread_name().into()),
            Take::ThreadGroup => P::Named(i64::from(header.tgid), (*process.comm).into()),
            Take::Parent => {
                let name = self
                    .parts
                    .ancestors
                    .first()
                    .map_or(b""[..].into(), |parent| Cow::from(&*parent.comm));
                P::Named(i64::from(process.parent), name)
            }
            Take::WorkingFolder => P::Text(super::process::working_folder(process).into_owned().into()),
            Take::Comm => P::Text(self.thread_name().into()),
            Take::Cgroups => self
                .cgroup()
                .map_or(P::Absent, |path| P::Bytes([b"cpuset=", path].concat().into())),
            Take::Environment => image
                .environment
                .as_deref()
                .map_or(P::Absent, |environment| P::Bytes(environment.into())),
            Take::Terminal => optional(identity().map(|identity| u64::from(identity.terminal))),
            Take::VirtualGroup => {
                optional(identity().map(|identity| u64::from(identity.virtual_process_group)))
            }
            Take::ProcessGroup => optional(identity().map(|identity| u64::from(identity.process_group))),
            Take::LoginUser => {
                credentials().map_or(P::Absent, |credentials| self.user(credentials.login_uid))
            }
            Take::ExecutableFlags => match &image.meta {
                Some(meta) => {
                    let number = names::EXECUTABLE_FLAGS.number(u64::from(meta.flags));
                    P::Flags(number, names::EXECUTABLE_FLAGS.text(number))
                }
                None => P::Absent,
            },
            Take::Inheritable => {
                optional(credentials().map(|credentials| credentials.inheritable)).into_hex()
            }
            Take::Permitted => optional(credentials().map(|credentials| credentials.permitted)).into_hex(),
            Take::Effective => optional(credentials().map(|credentials| credentials.effective)).into_hex(),
            Take::ExecutableInode => optional(image.meta.map(|meta| meta.inode)),
            Take::ExecutableChanged => optional(image.meta.map(|meta| meta.change_time)),
            Take::ExecutableModified => optional(image.meta.map(|meta| meta.modify_time)),
            Take::EffectiveUser => self.user(header.uid),
            Take::EffectiveGroup => P::Uint(u64::from(header.gid)),
            Take::Executable => P::Text((*image.executable).into()),
            Take::Filename if header.kind == Kind::Exec as u8 => image
                .filename
                .as_deref()
                .map_or(P::Absent, |path| P::Text(path.into())),
            Take::Filename => self.path_parameter(Tag::Path, Tag::Base),
            Take::CloneFlags => {
                // Beyond 32 bits, the request itself has the rest.
                let told = record.process().map_or(0, |process| u64::from(process.flags));
                let number = names::CLONE_FLAGS.number(told | header.args[0] & 0x3_0000_0000);
                P::Flags(number, names::CLONE_FLAGS.text(number))
            }
            Take::VirtualThread => optional(
                self.own_identity()
                    .map(|identity| u64::from(identity.virtual_tid)),
            ),
            Take::VirtualProcess => optional(identity().map(|identity| u64::from(identity.virtual_pid))),
            Take::NamespaceStart => optional(
                process
                    .namespace_start
                    .map(|start| self.parts.host.unix_time(start)),
            ),
            Take::ExitStatus => P::Error(header.ret),
            Take::ExitCode => P::Int(header.ret >> 8 & 0xff),
            Take::ExitSignal => {
                let number = header.ret & 0x7f;
                let name = names::signal_name(number.unsigned_abs()).unwrap_or_default();
                P::Named(number, name.as_bytes().into())
            }
            Take::ExitCore => P::Uint(u64::from(header.ret & 0x80 != 0)),
            Take::SyscallId | Take::NativeId => {
                let table = Table::of_abi(self.parts.host.native, header.abi);
                let name = table.and_then(|table| table.name(header.syscall));
                match (take, name) {
                    (Take::SyscallId, Some(name)) => P::Named(
                        i64::from(header.syscall),
                        text(Some(name.as_bytes())).unwrap_or_default().into(),
                    ),
                    _ => P::Uint(u64::from(header.syscall)),
                }
            }
        }
    }
}

impl Parameter<'_> {
    fn into_hex(self) -> Self {
        match self {
            Self::Uint(number) => Self::Hex(number),
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_parameter_of_the_catalogue_has_its_place() {
        for (name, spec) in SPECS {
            let kind = EventType::named(name).unwrap_or_else(|| panic!("`{name}` is no event type"));
            assert_eq!(
                spec.parameters.len(),
                kind.info().parameters.len(),
                "parameters of `{name}`"
            );
        }
        for kind in EventType::all().filter(|kind| kind.info().is_syscall) {
            assert!(spec(kind).is_some(), "`{}` is not read", kind.name());
        }
        assert!(spec(EventType::named("pluginevent").unwrap()).is_none());
    }
}
