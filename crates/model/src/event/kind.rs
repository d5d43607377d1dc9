//! The event types that rules name with `evt.type`, and the parameters that they name with `evt.arg`.

use std::collections::HashMap;
use std::sync::OnceLock;

/// An event type: an index into [`EVENT_TYPES`], or past it into [`GENERIC_SYSCALLS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventType(pub u16);

/// A named parameter of an event, in the order of `evt.args`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parameter {
    /// The name, as in `evt.arg.NAME`.
    pub name: &'static str,
}

/// What an event is about, for `evt.category` and the fields that ask whether an event reads, writes or waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Category {
    /// Files.
    File,
    /// The network.
    Net,
    /// Processes.
    Process,
    /// Communication between processes.
    Ipc,
    /// Reads from a descriptor of any kind.
    IoRead,
    /// Writes to a descriptor of any kind.
    IoWrite,
    /// Other work on a descriptor of any kind.
    IoOther,
    /// Signals.
    Signal,
    /// Clocks and timers.
    Time,
    /// Memory.
    Memory,
    /// Waiting for descriptors.
    Wait,
    /// Sleeping.
    Sleep,
    /// The system as a whole.
    System,
    /// Users and groups.
    User,
    /// Anything else.
    Other,
    /// Scheduling.
    Scheduler,
    /// What the watcher says of itself.
    Internal,
    /// Events of sources other than the kernel.
    Plugin,
}

/// What is known of an event type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventTypeInfo {
    /// The name that rules use.
    pub name: &'static str,
    /// The names of its parameters, in order.
    pub parameters: &'static [Parameter],
    /// Whether it reports a system call that returned.
    pub is_syscall: bool,
    /// What it is about.
    pub category: Category,
}

impl EventType {
    /// The type with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        static INDEX: OnceLock<HashMap<&str, EventType>> = OnceLock::new();
        INDEX
            .get_or_init(|| Self::all().map(|kind| (kind.name(), kind)).collect())
            .get(name)
            .copied()
    }

    /// Every type.
    pub fn all() -> impl Iterator<Item = Self> {
        let count = EVENT_TYPES.len() + GENERIC_SYSCALLS.len();
        (0..u16::try_from(count).unwrap_or(u16::MAX)).map(Self)
    }

    /// What is known of it.
    #[must_use]
    pub fn info(self) -> &'static EventTypeInfo {
        static UNKNOWN: EventTypeInfo = EventTypeInfo {
            name: "unknown",
            parameters: &[],
            is_syscall: false,
            category: Category::Other,
        };
        let index = usize::from(self.0);
        EVENT_TYPES
            .get(index)
            .or_else(|| GENERIC_SYSCALLS.get(index.checked_sub(EVENT_TYPES.len())?))
            .unwrap_or(&UNKNOWN)
    }

    /// The name that rules use.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.info().name
    }

    /// Whether it is one of [`GENERIC_SYSCALLS`].
    #[must_use]
    pub fn is_generic(self) -> bool {
        usize::from(self.0) >= EVENT_TYPES.len()
    }
}

macro_rules! event_types {
    ($($name:literal $category:ident $syscall:literal [$($parameter:literal)*])*) => {
        /// Every event type of the rule language that can occur and has parameters of its own.
        pub static EVENT_TYPES: &[EventTypeInfo] = &[
            $(EventTypeInfo {
                name: $name,
                is_syscall: $syscall,
                category: Category::$category,
                parameters: &[$(Parameter { name: $parameter }),*],
            }),*
        ];
    };
}

macro_rules! generic_syscalls {
    ($($name:literal)*) => {
        /// System calls without parameters of their own: rules name them, and see the number of the call alone.
        pub static GENERIC_SYSCALLS: &[EventTypeInfo] = &[
            $(EventTypeInfo {
                name: $name,
                is_syscall: true,
                category: Category::Other,
                parameters: &[Parameter { name: "ID" }, Parameter { name: "nativeID" }],
            }),*
        ];
    };
}

// The parameters are those of the live version of each event.
event_types! {
    "open" File true ["fd" "name" "flags" "mode" "dev" "ino"]
    "openat" File true ["fd" "dirfd" "name" "flags" "mode" "dev" "ino"]
    "openat2" File true ["fd" "dirfd" "name" "flags" "mode" "resolve" "dev" "ino"]
    "creat" File true ["fd" "name" "mode" "dev" "ino" "creat_flags"]
    "open_by_handle_at" File true ["fd" "mountfd" "flags" "path" "dev" "ino"]
    "execve" Process true ["res" "exe" "args" "tid" "pid" "ptid" "cwd" "fdlimit" "pgft_maj" "pgft_min" "vm_size" "vm_rss" "vm_swap" "comm" "cgroups" "env" "tty" "vpgid" "loginuid" "flags" "cap_inheritable" "cap_permitted" "cap_effective" "exe_ino" "exe_ino_ctime" "exe_ino_mtime" "uid" "trusted_exepath" "pgid" "gid" "filename"]
    "execveat" Process true ["res" "exe" "args" "tid" "pid" "ptid" "cwd" "fdlimit" "pgft_maj" "pgft_min" "vm_size" "vm_rss" "vm_swap" "comm" "cgroups" "env" "tty" "vpgid" "loginuid" "flags" "cap_inheritable" "cap_permitted" "cap_effective" "exe_ino" "exe_ino_ctime" "exe_ino_mtime" "uid" "trusted_exepath" "pgid" "gid"]
    "clone" Process true ["res" "exe" "args" "tid" "pid" "ptid" "cwd" "fdlimit" "pgft_maj" "pgft_min" "vm_size" "vm_rss" "vm_swap" "comm" "cgroups" "flags" "uid" "gid" "vtid" "vpid" "pidns_init_start_ts"]
    "clone3" Process true ["res" "exe" "args" "tid" "pid" "ptid" "cwd" "fdlimit" "pgft_maj" "pgft_min" "vm_size" "vm_rss" "vm_swap" "comm" "cgroups" "flags" "uid" "gid" "vtid" "vpid" "pidns_init_start_ts"]
    "fork" Process true ["res" "exe" "args" "tid" "pid" "ptid" "cwd" "fdlimit" "pgft_maj" "pgft_min" "vm_size" "vm_rss" "vm_swap" "comm" "cgroups" "flags" "uid" "gid" "vtid" "vpid" "pidns_init_start_ts"]
    "vfork" Process true ["res" "exe" "args" "tid" "pid" "ptid" "cwd" "fdlimit" "pgft_maj" "pgft_min" "vm_size" "vm_rss" "vm_swap" "comm" "cgroups" "flags" "uid" "gid" "vtid" "vpid" "pidns_init_start_ts"]
    "procexit" Process false ["status" "ret" "sig" "core" "reaper_tid"]
    "connect" Net true ["res" "tuple" "fd" "addr"]
    "accept" Net true ["fd" "tuple" "queuepct" "queuelen" "queuemax"]
    "accept4" Net true ["fd" "tuple" "queuepct" "queuelen" "queuemax" "flags"]
    "bind" Net true ["res" "addr" "fd"]
    "listen" Net true ["res" "fd" "backlog"]
    "socket" Net true ["fd" "domain" "type" "proto"]
    "socketpair" Ipc true ["res" "fd1" "fd2" "source" "peer" "domain" "type" "proto"]
    "shutdown" Net true ["res" "fd" "how"]
    "getsockname" Net true []
    "getpeername" Net true []
    "setsockopt" Net true ["res" "fd" "level" "optname" "val" "optlen"]
    "getsockopt" Net true ["res" "fd" "level" "optname" "val" "optlen"]
    "send" IoWrite true ["res" "data" "fd" "size" "tuple"]
    "sendto" IoWrite true ["res" "data" "fd" "size" "tuple"]
    "sendmsg" IoWrite true ["res" "data" "fd" "size" "tuple"]
    "sendmmsg" IoWrite true ["res" "fd" "size" "data" "tuple"]
    "recv" IoRead true ["res" "data" "fd" "size" "tuple"]
    "recvfrom" IoRead true ["res" "data" "tuple" "fd" "size"]
    "recvmsg" IoRead true ["res" "size" "data" "tuple" "msgcontrol" "fd"]
    "recvmmsg" IoRead true ["res" "fd" "size" "data" "tuple" "msgcontrol"]
    "close" IoOther true ["res" "fd"]
    "close_range" IoOther true ["res" "first" "last" "flags"]
    "read" IoRead true ["res" "data" "fd" "size"]
    "write" IoWrite true ["res" "data" "fd" "size"]
    "pread" IoRead true ["res" "data" "fd" "size" "pos"]
    "pwrite" IoWrite true ["res" "data" "fd" "size" "pos"]
    "readv" IoRead true ["res" "size" "data" "fd"]
    "writev" IoWrite true ["res" "data" "fd" "size"]
    "preadv" IoRead true ["res" "size" "data" "fd" "pos"]
    "pwritev" IoWrite true ["res" "data" "fd" "size" "pos"]
    "sendfile" IoWrite true ["res" "offset" "out_fd" "in_fd" "size"]
    "splice" IoOther true ["res" "fd_in" "fd_out" "size" "flags"]
    "copy_file_range" File true ["res" "fdout" "offout" "fdin" "offin" "len"]
    "dup" IoOther true ["res" "oldfd"]
    "dup2" IoOther true ["res" "oldfd" "newfd"]
    "dup3" IoOther true ["res" "oldfd" "newfd" "flags"]
    "fcntl" IoOther true ["res" "fd" "cmd"]
    "ioctl" IoOther true ["res" "fd" "request" "argument"]
    "lseek" File true ["res" "fd" "offset" "whence"]
    "llseek" File true ["res" "fd" "offset" "whence"]
    "pipe" Ipc true ["res" "fd1" "fd2" "ino"]
    "pipe2" Ipc true ["res" "fd1" "fd2" "ino" "flags"]
    "eventfd" Ipc true ["res" "initval" "flags"]
    "eventfd2" Ipc true ["res" "flags" "initval"]
    "signalfd" Signal true ["res" "fd" "mask" "flags"]
    "signalfd4" Signal true ["res" "flags" "fd" "mask"]
    "timerfd_create" Time true ["res" "clockid" "flags"]
    "inotify_init" Ipc true ["res" "flags"]
    "inotify_init1" Ipc true ["res" "flags"]
    "memfd_create" Memory true ["fd" "name" "flags"]
    "userfaultfd" File true ["res" "flags"]
    "pidfd_open" Process true ["fd" "pid" "flags"]
    "pidfd_getfd" Process true ["fd" "pid_fd" "target_fd" "flags"]
    "epoll_create" Wait true ["res" "size"]
    "epoll_create1" Wait true ["res" "flags"]
    "epoll_wait" Wait true ["res" "maxevents"]
    "poll" Wait true ["res" "fds" "timeout"]
    "ppoll" Wait true ["res" "fds" "timeout" "sigmask"]
    "select" Wait true ["res"]
    "futex" Ipc true ["res" "addr" "op" "val"]
    "nanosleep" Sleep true ["res" "interval"]
    "stat" File true ["res" "path"]
    "lstat" File true ["res" "path"]
    "fstat" File true ["res" "fd"]
    "stat64" File true ["res" "path"]
    "lstat64" File true ["res" "path"]
    "fstat64" File true ["res"]
    "newfstatat" File true ["res" "dirfd" "path" "flags"]
    "access" File true ["res" "name" "mode"]
    "getcwd" File true ["res" "path"]
    "chdir" File true ["res" "path"]
    "fchdir" File true ["res" "fd"]
    "getdents" File true ["res" "fd"]
    "getdents64" File true ["res" "fd"]
    "mkdir" File true ["res" "path" "mode"]
    "mkdirat" File true ["res" "dirfd" "path" "mode"]
    "rmdir" File true ["res" "path"]
    "unlink" File true ["res" "path"]
    "unlinkat" File true ["res" "dirfd" "name" "flags"]
    "rename" File true ["res" "oldpath" "newpath"]
    "renameat" File true ["res" "olddirfd" "oldpath" "newdirfd" "newpath"]
    "renameat2" File true ["res" "olddirfd" "oldpath" "newdirfd" "newpath" "flags"]
    "link" File true ["res" "oldpath" "newpath"]
    "linkat" File true ["res" "olddir" "oldpath" "newdir" "newpath" "flags"]
    "symlink" File true ["res" "target" "linkpath"]
    "symlinkat" File true ["res" "target" "linkdirfd" "linkpath"]
    "chmod" File true ["res" "filename" "mode"]
    "fchmod" File true ["res" "fd" "mode"]
    "fchmodat" File true ["res" "dirfd" "filename" "mode"]
    "chown" File true ["res" "path" "uid" "gid"]
    "lchown" File true ["res" "path" "uid" "gid"]
    "fchown" File true ["res" "fd" "uid" "gid"]
    "fchownat" File true ["res" "dirfd" "pathname" "uid" "gid" "flags"]
    "mknod" Other true ["res" "path" "mode" "dev"]
    "mknodat" Other true ["res" "dirfd" "path" "mode" "dev"]
    "flock" File true ["res" "fd" "operation"]
    "mount" File true ["res" "dev" "dir" "type" "flags"]
    "umount" File true ["res" "name"]
    "umount2" File true ["res" "name" "flags"]
    "fsconfig" System true ["res" "fd" "cmd" "key" "value_bytebuf" "value_charbuf" "aux"]
    "quotactl" User true ["res" "special" "quotafilepath" "dqb_bhardlimit" "dqb_bsoftlimit" "dqb_curspace" "dqb_ihardlimit" "dqb_isoftlimit" "dqb_btime" "dqb_itime" "dqi_bgrace" "dqi_igrace" "dqi_flags" "quota_fmt_out" "cmd" "type" "id" "quota_fmt"]
    "brk" Memory true ["res" "vm_size" "vm_rss" "vm_swap" "addr"]
    "mmap" Memory true ["res" "vm_size" "vm_rss" "vm_swap" "addr" "length" "prot" "flags" "fd" "offset"]
    "mmap2" Memory true ["res" "vm_size" "vm_rss" "vm_swap" "addr" "length" "prot" "flags" "fd" "pgoffset"]
    "munmap" Memory true ["res" "vm_size" "vm_rss" "vm_swap" "addr" "length"]
    "mprotect" Memory true ["res" "addr" "length" "prot"]
    "mlock" Memory true ["res" "addr" "len"]
    "mlock2" Memory true ["res" "addr" "len" "flags"]
    "munlock" Memory true ["res" "addr" "len"]
    "mlockall" Memory true ["res" "flags"]
    "munlockall" Memory true ["res"]
    "setuid" User true ["res" "uid"]
    "setgid" User true ["res" "gid"]
    "setreuid" User true ["res" "ruid" "euid"]
    "setregid" User true ["res" "rgid" "egid"]
    "setresuid" User true ["res" "ruid" "euid" "suid"]
    "setresgid" User true ["res" "rgid" "egid" "sgid"]
    "getuid" User true ["uid"]
    "geteuid" User true ["euid"]
    "getgid" User true ["gid"]
    "getegid" User true ["egid"]
    "getresuid" User true ["res" "ruid" "euid" "suid"]
    "getresgid" User true ["res" "rgid" "egid" "sgid"]
    "setsid" Process true ["res"]
    "setpgid" Process true ["res" "pid" "pgid"]
    "capset" Process true ["res" "cap_inheritable" "cap_permitted" "cap_effective"]
    "prctl" Process true ["res" "option" "arg2_str" "arg2_int"]
    "chroot" Process true ["res" "path"]
    "setns" Process true ["res" "fd" "nstype"]
    "unshare" Process true ["res" "flags"]
    "ptrace" Process true ["res" "addr" "data" "request" "pid"]
    "process_vm_readv" Ipc true ["res" "pid" "data"]
    "process_vm_writev" Ipc true ["res" "pid" "data"]
    "seccomp" Other true ["res" "op" "flags"]
    "bpf" Other true ["fd" "cmd"]
    "init_module" Other true ["res" "img" "length" "uargs"]
    "finit_module" Other true ["res" "fd" "uargs" "flags"]
    "delete_module" Other true ["res" "name" "flags"]
    "io_uring_setup" IoOther true ["res" "entries" "sq_entries" "cq_entries" "flags" "sq_thread_cpu" "sq_thread_idle" "features"]
    "io_uring_enter" IoOther true ["res" "fd" "to_submit" "min_complete" "flags" "sig"]
    "io_uring_register" IoOther true ["res" "fd" "opcode" "arg" "nr_args"]
    "kill" Signal true ["res" "pid" "sig"]
    "tkill" Signal true ["res" "tid" "sig"]
    "tgkill" Signal true ["res" "pid" "tid" "sig"]
    "getrlimit" Process true ["res" "cur" "max" "resource"]
    "setrlimit" Process true ["res" "cur" "max" "resource"]
    "prlimit" Process true ["res" "newcur" "newmax" "oldcur" "oldmax" "pid" "resource"]
    "semop" Process true ["res" "nsops" "sem_num_0" "sem_op_0" "sem_flg_0" "sem_num_1" "sem_op_1" "sem_flg_1" "semid"]
    "semctl" Process true ["res" "semid" "semnum" "cmd" "val"]
    "semget" Process true ["res" "key" "nsems" "semflg"]
    "syscall" Other true ["ID" "nativeID"]
    "switch" Scheduler false ["next" "pgft_maj" "pgft_min" "vm_size" "vm_rss" "vm_swap"]
    "signaldeliver" Signal false ["spid" "dpid" "sig"]
    "page_fault" Other false ["addr" "ip" "error"]
    "drop" Internal false ["ratio"]
    "scapevent" Internal false ["event_type" "event_data"]
    "procinfo" Internal false ["cpu_usr" "cpu_sys"]
    "cpu_hotplug" System false ["cpu" "action"]
    "notification" Other false ["id" "desc"]
    "infra" Internal false ["source" "name" "description" "scope"]
    "pluginevent" Plugin false ["plugin_id" "event_data"]
    "container" Process false ["json"]
    "useradded" Process false ["uid" "gid" "name" "home" "shell" "container_id"]
    "userdeleted" Process false ["uid" "gid" "name" "home" "shell" "container_id"]
    "groupadded" Process false ["gid" "name" "container_id"]
    "groupdeleted" Process false ["gid" "name" "container_id"]
    "asyncevent" Other false ["plugin_id" "name" "data"]
}

generic_syscalls! {
    "acct" "add_key" "adjtimex" "alarm" "arch_prctl" "cachestat" "capget" "clock_adjtime" "clock_getres"
    "clock_gettime" "clock_nanosleep" "clock_settime" "epoll_ctl" "epoll_pwait" "epoll_pwait2" "exit"
    "exit_group" "faccessat" "faccessat2" "fadvise64" "fallocate" "fanotify_init" "fanotify_mark" "fchmodat2"
    "fdatasync" "fgetxattr" "flistxattr" "fremovexattr" "fsetxattr" "fsmount" "fsopen" "fspick" "fstatfs" "fsync"
    "ftruncate" "futex_requeue" "futex_wait" "futex_waitv" "futex_wake" "futimesat" "get_mempolicy" "get_robust_list"
    "get_thread_area" "getcpu" "getgroups" "getitimer" "getpgid" "getpgrp" "getpid" "getppid" "getpriority"
    "getrandom" "getrusage" "getsid" "gettid" "gettimeofday" "getxattr" "getxattrat" "inotify_add_watch"
    "inotify_rm_watch" "io_cancel" "io_destroy" "io_getevents" "io_pgetevents" "io_setup" "io_submit" "ioperm" "iopl"
    "ioprio_get" "ioprio_set" "kcmp" "kexec_file_load" "kexec_load" "keyctl" "landlock_add_rule"
    "landlock_create_ruleset" "landlock_restrict_self" "lgetxattr" "listmount" "listxattr" "listxattrat" "llistxattr"
    "lookup_dcookie" "lremovexattr" "lsetxattr" "lsm_get_self_attr" "lsm_list_modules" "lsm_set_self_attr" "madvise"
    "map_shadow_stack" "mbind" "membarrier" "memfd_secret" "migrate_pages" "mincore" "modify_ldt" "mount_setattr"
    "move_mount" "move_pages" "mq_getsetattr" "mq_notify" "mq_open" "mq_timedreceive" "mq_timedsend" "mq_unlink"
    "mremap" "mseal" "msgctl" "msgget" "msgrcv" "msgsnd" "msync" "name_to_handle_at" "open_tree" "open_tree_attr"
    "pause" "perf_event_open" "personality" "pidfd_send_signal" "pivot_root" "pkey_alloc" "pkey_free" "pkey_mprotect"
    "preadv2" "process_madvise" "process_mrelease" "pselect6" "pwritev2" "quotactl_fd" "readahead" "readlink"
    "readlinkat" "reboot" "remap_file_pages" "removexattr" "removexattrat" "request_key" "restart_syscall" "rseq"
    "rt_sigaction" "rt_sigpending" "rt_sigprocmask" "rt_sigqueueinfo" "rt_sigreturn" "rt_sigsuspend"
    "rt_sigtimedwait" "rt_tgsigqueueinfo" "sched_get_priority_max" "sched_get_priority_min" "sched_getaffinity"
    "sched_getattr" "sched_getparam" "sched_getscheduler" "sched_rr_get_interval" "sched_setaffinity" "sched_setattr"
    "sched_setparam" "sched_setscheduler" "sched_yield" "semtimedop" "set_mempolicy" "set_mempolicy_home_node"
    "set_robust_list" "set_thread_area" "set_tid_address" "setdomainname" "setfsgid" "setfsuid" "setgroups"
    "sethostname" "setitimer" "setpriority" "settimeofday" "setxattr" "setxattrat" "shmat" "shmctl" "shmdt" "shmget"
    "sigaltstack" "statfs" "statmount" "statx" "swapoff" "swapon" "sync" "sync_file_range" "syncfs" "sysfs" "sysinfo"
    "syslog" "tee" "time" "timer_create" "timer_delete" "timer_getoverrun" "timer_gettime" "timer_settime"
    "timerfd_gettime" "timerfd_settime" "times" "truncate" "umask" "uname" "ustat" "utime" "utimensat" "utimes"
    "vhangup" "vmsplice" "wait4" "waitid"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_found() {
        let mut seen = std::collections::HashSet::new();
        for kind in EventType::all() {
            assert!(seen.insert(kind.name()), "{} is there twice", kind.name());
            assert_eq!(EventType::named(kind.name()), Some(kind));
        }
        assert_eq!(EventType::named("openat3"), None);
        assert_eq!(EventType(u16::MAX).name(), "unknown");
        assert!(EventType::named("reboot").unwrap().is_generic());
    }

    #[test]
    fn parameters_have_their_order() {
        let names = |name: &str| -> Vec<&str> {
            let info = EventType::named(name).unwrap().info();
            info.parameters.iter().map(|parameter| parameter.name).collect()
        };
        assert_eq!(names("symlinkat"), ["res", "target", "linkdirfd", "linkpath"]);
        assert_eq!(names("setns"), ["res", "fd", "nstype"]);
        assert_eq!(names("clone3").len(), 21);
        assert_eq!(names("execveat").len(), 30);
        assert_eq!(names("getsockname"), [""; 0]);
    }
}
