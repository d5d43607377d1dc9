//! What the kernel side takes from each system call: the rows of its table `wanted`.

use crate::syscalls::{Table, event_type_of};
use model::event::EventType;
use std::collections::{BTreeSet, HashMap};

/// Calls that are always reported, since they change what is known of a process; beside them all that are taken with state.
const STATE: [&str; 3] = ["chroot", "pivot_root", "setns"];

/// No such argument.
const NONE: u8 = 0xff;
/// The descriptor that the call returned.
const RETURNED: u8 = 0xfe;

/// What the kernel side takes from a call: a row of its table `wanted`, laid out as `struct wanted` of `bpf/events.h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub(crate) struct Wanted {
    handler: u8,
    path: u8,
    base: u8,
    second_path: u8,
    second_base: u8,
    text: u8,
    descriptor: u8,
    second_descriptor: u8,
    address: u8,
    data: u8,
    number: u16,
    flags: u32,
}

/// The call is not reported.
pub(crate) const NOT_WANTED: Wanted = Wanted::new(0);

const ARGUMENTS: u8 = 1;
const PATHS: u8 = 2;
const SOCKET: u8 = 3;
const SOCKETCALL: u8 = 4;

const FAILED_ONLY: u32 = 1;
const WORKING_FOLDER: u32 = 2;
const CREDENTIALS: u32 = 4;
const PROCESS: u32 = 8;
const COMM: u32 = 16;
const ADDRESS_POINTER: u32 = 32;
const VECTOR: u32 = 64;
const MESSAGE: u32 = 128;
const CONNECTS: u32 = 256;
const ACCEPTS: u32 = 512;
const COMPAT_LAYOUT: u32 = 1024;
const OPEN_HOW: u32 = 2048;
const OPENS: u32 = 4096;
const PAIR: u32 = 8192;
const MANY: u32 = 16384;
const NOT_TCP: u32 = 32768;

/// Where [`Wanted::flags`] hold what the kernel's checks of paths call it: `enum resolves` of `bpf/events.h`.
const RESOLVES_SHIFT: u32 = 16;

/// By which check the links in the path of a call are followed; 0 for calls whose paths stay as given.
fn resolves(name: &str) -> u32 {
    match name {
        "unlink" | "unlinkat" | "rmdir" => 1,
        "mkdir" | "mkdirat" => 2,
        "mknod" | "mknodat" => 3,
        "symlink" | "symlinkat" => 4,
        "link" | "linkat" => 5,
        "rename" | "renameat" | "renameat2" => 6,
        "truncate" | "truncate64" => 7,
        "chmod" | "fchmodat" | "fchmodat2" => 8,
        "chown" | "lchown" | "fchownat" | "chown32" | "lchown32" => 9,
        "mount" => 10,
        "chroot" => 11,
        _ => 0,
    }
}

/// One bit for each check of paths that these rows ask for.
pub(crate) fn resolved_kinds<'a>(rows: impl Iterator<Item = &'a Wanted>) -> u32 {
    rows.map(|row| 1 << (row.flags >> RESOLVES_SHIFT & 15) & !1)
        .fold(0, |bits, bit| bits | bit)
}

impl Wanted {
    const fn new(handler: u8) -> Self {
        Self {
            handler,
            path: NONE,
            base: NONE,
            second_path: NONE,
            second_base: NONE,
            text: NONE,
            descriptor: NONE,
            second_descriptor: NONE,
            address: NONE,
            data: NONE,
            number: 0,
            flags: 0,
        }
    }

    const fn path(mut self, argument: u8) -> Self {
        self.path = argument;
        self
    }

    /// A path, and before it the descriptor of the folder that it starts from.
    const fn path_at(mut self, base: u8) -> Self {
        self.base = base;
        self.path = base + 1;
        self
    }

    const fn second(mut self, argument: u8) -> Self {
        self.second_path = argument;
        self
    }

    const fn second_at(mut self, base: u8) -> Self {
        self.second_base = base;
        self.second_path = base + 1;
        self
    }

    const fn text(mut self, argument: u8) -> Self {
        self.text = argument;
        self
    }

    const fn file(mut self, argument: u8) -> Self {
        self.descriptor = argument;
        self
    }

    const fn second_file(mut self, argument: u8) -> Self {
        self.second_descriptor = argument;
        self
    }

    const fn address(mut self, argument: u8) -> Self {
        self.address = argument;
        self
    }

    const fn data(mut self, argument: u8) -> Self {
        self.data = argument;
        self
    }

    const fn with(mut self, flags: u32) -> Self {
        self.flags |= flags;
        self
    }
}

/// What is taken from a call.
fn taken(name: &str) -> Wanted {
    let paths = Wanted::new(PATHS);
    let socket = Wanted::new(SOCKET);
    let arguments = Wanted::new(ARGUMENTS);
    match name {
        "open" | "creat" => paths.path(0).file(RETURNED).with(OPENS),
        "openat" => paths.path_at(0).file(RETURNED).with(OPENS),
        "openat2" => paths.path_at(0).file(RETURNED).with(OPENS | OPEN_HOW),
        "open_by_handle_at" | "pidfd_getfd" => paths.file(RETURNED).with(OPENS),
        "open_tree" | "open_tree_attr" => paths.path_at(0).file(RETURNED),
        "memfd_create" => paths.text(0).file(RETURNED),
        "dup" | "dup2" | "dup3" | "io_uring_setup" | "memfd_secret" => paths.file(RETURNED),
        "chdir" => paths.path(0).with(WORKING_FOLDER),
        "fchdir" => paths.file(0).with(WORKING_FOLDER),
        "chroot" => paths.path(0),
        "mkdir" | "mknod" | "rmdir" | "unlink" | "chmod" | "chown" | "lchown" | "chown32" | "lchown32"
        | "truncate" | "truncate64" | "utime" | "utimes" | "access" | "stat" | "lstat" | "stat64"
        | "lstat64" | "oldstat" | "oldlstat" | "statfs" | "statfs64" | "readlink" | "umount" | "umount2"
        | "swapon" | "swapoff" | "acct" | "uselib" | "listxattr" | "llistxattr" => paths.path(0),
        "setxattr" | "lsetxattr" | "getxattr" | "lgetxattr" | "removexattr" | "lremovexattr" => {
            paths.path(0).text(1)
        }
        "fsetxattr" | "fgetxattr" | "fremovexattr" => paths.file(0).text(1),
        "mkdirat" | "mknodat" | "unlinkat" | "fchmodat" | "fchmodat2" | "fchownat" | "futimesat"
        | "utimensat" | "utimensat_time64" | "faccessat" | "faccessat2" | "newfstatat" | "fstatat64"
        | "statx" | "readlinkat" | "name_to_handle_at" | "fspick" | "mount_setattr" | "inotify_add_watch" => {
            paths.path_at(0)
        }
        "setxattrat" | "getxattrat" | "removexattrat" | "listxattrat" | "file_getattr" | "file_setattr" => {
            paths.path_at(0)
        }
        "fanotify_mark" => paths.path_at(3),
        "quotactl" => paths.path(1),
        "rename" | "link" | "symlink" | "pivot_root" => paths.path(0).second(1),
        "renameat" | "renameat2" | "linkat" | "move_mount" => paths.path_at(0).second_at(2),
        "symlinkat" => paths.path(0).second_at(1),
        "mount" => paths.path(0).second(1).text(2),
        "fsopen" | "delete_module" => paths.text(0),
        "fsconfig" | "init_module" => paths.text(2),
        "finit_module" => paths.file(0).text(1),
        "kexec_file_load" => paths.file(0).second_file(1),
        "execve" => paths.path(0).with(FAILED_ONLY),
        "execveat" => paths.path_at(0).with(FAILED_ONLY),
        "fchmod" | "fchown" | "fchown32" | "ftruncate" | "ftruncate64" | "fallocate" | "flock" | "fsync"
        | "fdatasync" | "fstat" | "fstat64" | "fstatfs" | "fstatfs64" | "fcntl" | "fcntl64" | "ioctl"
        | "lseek" | "_llseek" | "getdents" | "getdents64" | "setns" | "io_uring_enter"
        | "io_uring_register" | "pidfd_send_signal" | "readahead" | "syncfs" | "fadvise64" => paths.file(0),
        "sendfile" | "sendfile64" | "tee" => paths.file(0).second_file(1),
        "splice" | "copy_file_range" => paths.file(0).second_file(2),
        "vmsplice" => paths.file(0),
        "mmap" | "mmap2" => paths.file(4),
        "socket" => socket.file(RETURNED),
        "socketpair" => socket.with(PAIR),
        "bind" => socket.file(0).address(1),
        "connect" => socket.file(0).address(1).with(CONNECTS),
        "listen" | "shutdown" | "setsockopt" | "getsockopt" | "getsockname" | "getpeername" => socket.file(0),
        "accept" | "accept4" => socket.file(RETURNED).with(ACCEPTS),
        "sendto" | "send" => socket.file(0).data(1).address(4),
        "recvfrom" | "recv" => socket.file(0).data(1).address(4).with(ADDRESS_POINTER),
        "sendmsg" | "recvmsg" => socket.file(0).data(1).with(MESSAGE),
        "sendmmsg" | "recvmmsg" | "recvmmsg_time64" => socket.file(0).data(1).with(MESSAGE | MANY),
        "read" | "write" | "pread64" | "pwrite64" => socket.file(0).data(1),
        "readv" | "writev" | "preadv" | "pwritev" | "preadv2" | "pwritev2" => {
            socket.file(0).data(1).with(VECTOR)
        }
        "setuid" | "setgid" | "setreuid" | "setregid" | "setresuid" | "setresgid" | "setfsuid"
        | "setfsgid" | "capset" | "setuid32" | "setgid32" | "setreuid32" | "setregid32" | "setresuid32"
        | "setresgid32" | "setfsuid32" | "setfsgid32" => arguments.with(CREDENTIALS),
        "setsid" | "setpgid" => arguments.with(PROCESS),
        "unshare" => arguments.with(PROCESS | CREDENTIALS),
        "prctl" => arguments.with(COMM | CREDENTIALS),
        _ => arguments,
    }
}

/// Rows of the kernel's table for the native table.
pub(crate) const NATIVE_ROWS: u32 = 512;
/// Rows for the 32-bit table.
const COMPAT_ROWS: u32 = 512;
/// Rows of the kernel's table in all; the last are for the calls that x32 has of its own.
pub(crate) const ROWS: u32 = NATIVE_ROWS + COMPAT_ROWS + 64;

/// The rows of the kernel's table that are wanted for these event types, by index; all others are [`NOT_WANTED`].
pub(crate) fn rows(types: &BTreeSet<EventType>, without_tcp: &BTreeSet<EventType>) -> HashMap<u32, Wanted> {
    let native = Table::native();
    let mut rows = HashMap::new();
    let wanted = |name: &str| {
        let mut row = taken(name).with(resolves(name) << RESOLVES_SHIFT);
        let kind = event_type_of(name);
        // Connections come and go by calls that are taken whole.
        if row.handler == SOCKET
            && row.descriptor == 0
            && row.flags & (CONNECTS | ACCEPTS | PAIR) == 0
            && kind.is_some_and(|kind| without_tcp.contains(&kind))
        {
            row = row.with(NOT_TCP);
        }
        let state = row.flags & (WORKING_FOLDER | CREDENTIALS | PROCESS | COMM) != 0 || STATE.contains(&name);
        let asked = kind.is_some_and(|kind| types.contains(&kind));
        (asked || state).then_some(row)
    };
    for (call, name) in native.calls() {
        let Some(row) = wanted(name) else { continue };
        let Ok(number) = u16::try_from(call) else { continue };
        if call < NATIVE_ROWS {
            rows.insert(call, Wanted { number, ..row });
        }
        if native == Table::X86_64
            && let Some(position) = X32.iter().position(|known| *known == name)
            && let Ok(position) = u32::try_from(position)
        {
            let row = Wanted { number, ..row }.with(COMPAT_LAYOUT);
            rows.insert(NATIVE_ROWS + COMPAT_ROWS + position, row);
        }
    }
    let Some(compat) = Table::of_abi(native, 1) else {
        return rows;
    };
    let mut sockets = false;
    for (call, name) in compat.calls().filter(|(call, _)| *call < COMPAT_ROWS) {
        let Some(row) = wanted(name) else { continue };
        let Ok(number) = u16::try_from(call) else { continue };
        sockets |= row.handler == SOCKET;
        // The arguments of this call of 32-bit programs lie in memory: its fifth register is no descriptor.
        let row = if name == "mmap" {
            Wanted::new(ARGUMENTS)
        } else {
            row
        };
        rows.insert(NATIVE_ROWS + call, Wanted { number, ..row }.with(COMPAT_LAYOUT));
    }
    if sockets
        && let Some(call) = compat.number("socketcall")
        && let Ok(number) = u16::try_from(call)
    {
        rows.insert(
            NATIVE_ROWS + call,
            Wanted {
                number,
                ..Wanted::new(SOCKETCALL)
            },
        );
    }
    rows
}

/// The calls that x32 has of its own, from number 512 on.
static X32: &[&str] = &[
    "rt_sigaction",
    "rt_sigreturn",
    "ioctl",
    "readv",
    "writev",
    "recvfrom",
    "sendmsg",
    "recvmsg",
    "execve",
    "ptrace",
    "rt_sigpending",
    "rt_sigtimedwait",
    "rt_sigqueueinfo",
    "sigaltstack",
    "timer_create",
    "mq_notify",
    "kexec_load",
    "waitid",
    "set_robust_list",
    "get_robust_list",
    "vmsplice",
    "move_pages",
    "preadv",
    "pwritev",
    "rt_tgsigqueueinfo",
    "recvmmsg",
    "sendmmsg",
    "process_vm_readv",
    "process_vm_writev",
    "setsockopt",
    "getsockopt",
    "io_setup",
    "io_submit",
    "execveat",
    "preadv2",
    "pwritev2",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(name: &str) -> EventType {
        EventType::named(name).unwrap()
    }

    fn native(name: &str) -> u32 {
        Table::native().number(name).unwrap()
    }

    /// What the processor that compiled this says of its own table.
    #[test]
    fn numbers_are_those_of_the_c_library() {
        for (name, number) in [
            ("openat", libc::SYS_openat),
            ("execve", libc::SYS_execve),
            ("connect", libc::SYS_connect),
            ("renameat2", libc::SYS_renameat2),
            ("io_uring_setup", libc::SYS_io_uring_setup),
            ("unlinkat", libc::SYS_unlinkat),
            ("setns", libc::SYS_setns),
        ] {
            assert_eq!(i64::from(native(name)), number, "{name}");
        }
    }

    #[test]
    fn rows_follow_the_rules_and_the_state() {
        let none = rows(&BTreeSet::new(), &BTreeSet::new());
        assert!(none.contains_key(&native("chdir")));
        assert!(!none.contains_key(&native("openat")));
        let some = rows(&BTreeSet::from([kind("openat")]), &BTreeSet::new());
        let row = some[&native("openat")];
        assert_eq!((row.flags & COMPAT_LAYOUT, row.path, row.base), (0, 1, 0));
        assert!(some.keys().all(|row| *row < ROWS));
    }

    #[test]
    #[cfg(target_arch = "x86_64")]
    fn calls_of_32_bit_programs_have_rows_of_their_own() {
        let openat = rows(&BTreeSet::from([kind("openat")]), &BTreeSet::new());
        assert_eq!(openat[&(NATIVE_ROWS + 295)].flags & COMPAT_LAYOUT, COMPAT_LAYOUT);
        assert_eq!(openat[&(NATIVE_ROWS + 295)].number, 295);
        let connect = rows(&BTreeSet::from([kind("connect")]), &BTreeSet::new());
        assert_eq!(connect[&(NATIVE_ROWS + 102)].handler, SOCKETCALL);
        assert!(!rows(&BTreeSet::new(), &BTreeSet::new()).contains_key(&(NATIVE_ROWS + 102)));
        // readv of x32.
        let readv = rows(&BTreeSet::from([kind("readv")]), &BTreeSet::new());
        assert_eq!(readv[&(NATIVE_ROWS + COMPAT_ROWS + 3)].number, 19);
    }
}
