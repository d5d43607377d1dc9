//! Names of numbers: errors, signals, capabilities and flags, in the spelling and order of the Falco rule language.

/// The name of an error, by its positive number.
#[must_use]
pub(crate) fn error_name(number: u64) -> Option<&'static str> {
    let low = usize::try_from(number).ok()?;
    match number {
        512 => Some("ERESTARTSYS"),
        513 => Some("ERESTARTNOINTR"),
        514 => Some("ERESTARTNOHAND"),
        516 => Some("ERESTART_RESTARTBLOCK"),
        _ => ERRORS.get(low).copied().filter(|name| !name.is_empty()),
    }
}

#[rustfmt::skip]
static ERRORS: &[&str] = &[
    "", "EPERM", "ENOENT", "ESRCH", "EINTR", "EIO", "ENXIO", "E2BIG", "ENOEXEC", "EBADF", "ECHILD",
    "EAGAIN", "ENOMEM", "EACCES", "EFAULT", "ENOTBLK", "EBUSY", "EEXIST", "EXDEV", "ENODEV", "ENOTDIR",
    "EISDIR", "EINVAL", "ENFILE", "EMFILE", "ENOTTY", "ETXTBSY", "EFBIG", "ENOSPC", "ESPIPE", "EROFS",
    "EMLINK", "EPIPE", "EDOM", "ERANGE", "EDEADLK", "ENAMETOOLONG", "ENOLCK", "ENOSYS", "ENOTEMPTY",
    "ELOOP", "", "ENOMSG", "EIDRM", "ECHRNG", "EL2NSYNC", "EL3HLT", "EL3RST", "ELNRNG", "EUNATCH", "ENOCSI",
    "EL2HLT", "EBADE", "EBADR", "EXFULL", "ENOANO", "EBADRQC", "EBADSLT", "", "EBFONT", "ENOSTR", "ENODATA",
    "ETIME", "ENOSR", "ENONET", "ENOPKG", "EREMOTE", "ENOLINK", "EADV", "ESRMNT", "ECOMM", "EPROTO",
    "EMULTIHOP", "EDOTDOT", "EBADMSG", "EOVERFLOW", "ENOTUNIQ", "EBADFD", "EREMCHG", "ELIBACC", "ELIBBAD",
    "ELIBSCN", "ELIBMAX", "ELIBEXEC", "EILSEQ", "ERESTART", "ESTRPIPE", "EUSERS", "ENOTSOCK",
    "EDESTADDRREQ", "EMSGSIZE", "EPROTOTYPE", "ENOPROTOOPT", "EPROTONOSUPPORT", "ESOCKTNOSUPPORT",
    "EOPNOTSUPP", "EPFNOSUPPORT", "EAFNOSUPPORT", "EADDRINUSE", "EADDRNOTAVAIL", "ENETDOWN", "ENETUNREACH",
    "ENETRESET", "ECONNABORTED", "ECONNRESET", "ENOBUFS", "EISCONN", "ENOTCONN", "ESHUTDOWN",
    "ETOOMANYREFS", "ETIMEDOUT", "ECONNREFUSED", "EHOSTDOWN", "EHOSTUNREACH", "EALREADY", "EINPROGRESS",
    "ESTALE", "EUCLEAN", "ENOTNAM", "ENAVAIL", "EISNAM", "EREMOTEIO", "EDQUOT", "ENOMEDIUM", "EMEDIUMTYPE",
    "ECANCELED", "ENOKEY", "EKEYEXPIRED", "EKEYREVOKED", "EKEYREJECTED", "EOWNERDEAD", "ENOTRECOVERABLE",
    "ERFKILL", "EHWPOISON",
];

/// The name of a signal.
#[must_use]
pub(crate) fn signal_name(number: u64) -> Option<&'static str> {
    let index = usize::try_from(number).ok()?.checked_sub(1)?;
    SIGNALS.get(index).copied()
}

#[rustfmt::skip]
static SIGNALS: &[&str] = &[
    "SIGHUP", "SIGINT", "SIGQUIT", "SIGILL", "SIGTRAP", "SIGABRT", "SIGBUS", "SIGFPE", "SIGKILL", "SIGUSR1",
    "SIGSEGV", "SIGUSR2", "SIGPIPE", "SIGALRM", "SIGTERM", "SIGSTKFLT", "SIGCHLD", "SIGCONT", "SIGSTOP", "SIGTSTP",
    "SIGTTIN", "SIGTTOU", "SIGURG", "SIGXCPU", "SIGXFSZ", "SIGVTALRM", "SIGPROF", "SIGWINCH", "SIGIO", "SIGPWR", "SIGSYS",
];

/// Names of a set of capabilities with blanks between, lowest number first; of the empty set, nothing.
#[must_use]
pub(crate) fn capability_names(set: u64) -> String {
    let mut names = String::new();
    for (bit, name) in CAPABILITIES.iter().enumerate() {
        if set & (1 << bit) != 0 {
            if !names.is_empty() {
                names.push(' ');
            }
            names.push_str(name);
        }
    }
    names
}

/// The capabilities that a text names, `all` for every one; for samples.
#[must_use]
pub(crate) fn capability_set(text: &str) -> Option<u64> {
    let mut set = 0;
    for word in text.split_ascii_whitespace() {
        if word.eq_ignore_ascii_case("all") {
            return Some((1 << CAPABILITIES.len()) - 1);
        }
        let bit = CAPABILITIES
            .iter()
            .position(|name| name.eq_ignore_ascii_case(word))?;
        set |= 1 << bit;
    }
    Some(set)
}

#[rustfmt::skip]
static CAPABILITIES: &[&str] = &[
    "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID",
    "CAP_KILL", "CAP_SETGID", "CAP_SETUID", "CAP_SETPCAP", "CAP_LINUX_IMMUTABLE",
    "CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST", "CAP_NET_ADMIN", "CAP_NET_RAW", "CAP_IPC_LOCK",
    "CAP_IPC_OWNER", "CAP_SYS_MODULE", "CAP_SYS_RAWIO", "CAP_SYS_CHROOT", "CAP_SYS_PTRACE",
    "CAP_SYS_PACCT", "CAP_SYS_ADMIN", "CAP_SYS_BOOT", "CAP_SYS_NICE", "CAP_SYS_RESOURCE",
    "CAP_SYS_TIME", "CAP_SYS_TTY_CONFIG", "CAP_MKNOD", "CAP_LEASE", "CAP_AUDIT_WRITE",
    "CAP_AUDIT_CONTROL", "CAP_SETFCAP", "CAP_MAC_OVERRIDE", "CAP_MAC_ADMIN", "CAP_SYSLOG",
    "CAP_WAKE_ALARM", "CAP_BLOCK_SUSPEND", "CAP_AUDIT_READ", "CAP_PERFMON", "CAP_BPF",
    "CAP_CHECKPOINT_RESTORE",
];

/// Names of flags or of alternatives: the name, the kernel's number, and the number that Falco counts by.
#[derive(Debug)]
pub(crate) struct Names {
    /// One of the numbers, not a set.
    exact: bool,
    entries: &'static [(&'static str, u64, u64)],
}

impl Names {
    /// Falco's number for the kernel's.
    pub(crate) fn number(&self, value: u64) -> u64 {
        if self.exact {
            let entry = self.entries.iter().find(|(_, kernel, _)| *kernel == value);
            return entry.map_or(value, |(_, _, number)| *number);
        }
        self.entries
            .iter()
            .filter(|(_, kernel, _)| *kernel != 0 && value & kernel == *kernel)
            .fold(0, |set, (_, _, number)| set | number)
    }

    /// The names for Falco's number, `|` between; empty when none fits.
    pub(crate) fn text(&self, number: u64) -> String {
        let mut left = number;
        let mut text = String::new();
        for (name, _, flag) in self.entries {
            if self.exact && *flag != number {
                continue;
            }
            let fits = *flag == number || (*flag != 0 && left & flag == *flag);
            if !fits {
                continue;
            }
            if !text.is_empty() {
                text.push('|');
            }
            text.push_str(name);
            left &= !flag;
            if *flag == number {
                break;
            }
        }
        text
    }

    /// The kernel's number for names with `|` between; for samples.
    pub(crate) fn parse(&self, text: &str) -> Option<u64> {
        text.split('|').map(str::trim).try_fold(0, |set, name| {
            let entry = self.entries.iter().find(|(known, _, _)| *known == name)?;
            Some(set | entry.1)
        })
    }
}

/// Commands of `bpf`.
pub(crate) static BPF_COMMANDS: Names = Names {
    exact: true,
    entries: &[
        ("BPF_MAP_CREATE", 0x0, 0x0),
        ("BPF_MAP_LOOKUP_ELEM", 0x1, 0x1),
        ("BPF_MAP_UPDATE_ELEM", 0x2, 0x2),
        ("BPF_MAP_DELETE_ELEM", 0x3, 0x3),
        ("BPF_MAP_GET_NEXT_KEY", 0x4, 0x4),
        ("BPF_PROG_LOAD", 0x5, 0x5),
        ("BPF_OBJ_PIN", 0x6, 0x6),
        ("BPF_OBJ_GET", 0x7, 0x7),
        ("BPF_PROG_ATTACH", 0x8, 0x8),
        ("BPF_PROG_DETACH", 0x9, 0x9),
        ("BPF_PROG_TEST_RUN", 0xa, 0xa),
        ("BPF_PROG_GET_NEXT_ID", 0xb, 0xb),
        ("BPF_MAP_GET_NEXT_ID", 0xc, 0xc),
        ("BPF_PROG_GET_FD_BY_ID", 0xd, 0xd),
        ("BPF_MAP_GET_FD_BY_ID", 0xe, 0xe),
        ("BPF_OBJ_GET_INFO_BY_FD", 0xf, 0xf),
        ("BPF_PROG_QUERY", 0x10, 0x10),
        ("BPF_RAW_TRACEPOINT_OPEN", 0x11, 0x11),
        ("BPF_BTF_LOAD", 0x12, 0x12),
        ("BPF_BTF_GET_FD_BY_ID", 0x13, 0x13),
        ("BPF_TASK_FD_QUERY", 0x14, 0x14),
        ("BPF_MAP_LOOKUP_AND_DELETE_ELEM", 0x15, 0x15),
        ("BPF_MAP_FREEZE", 0x16, 0x16),
        ("BPF_BTF_GET_NEXT_ID", 0x17, 0x17),
        ("BPF_MAP_LOOKUP_BATCH", 0x18, 0x18),
        ("BPF_MAP_LOOKUP_AND_DELETE_BATCH", 0x19, 0x19),
        ("BPF_MAP_UPDATE_BATCH", 0x1a, 0x1a),
        ("BPF_MAP_DELETE_BATCH", 0x1b, 0x1b),
        ("BPF_LINK_CREATE", 0x1c, 0x1c),
        ("BPF_LINK_UPDATE", 0x1d, 0x1d),
        ("BPF_LINK_GET_FD_BY_ID", 0x1e, 0x1e),
        ("BPF_LINK_GET_NEXT_ID", 0x1f, 0x1f),
        ("BPF_ENABLE_STATS", 0x20, 0x20),
        ("BPF_ITER_CREATE", 0x21, 0x21),
        ("BPF_LINK_DETACH", 0x22, 0x22),
        ("BPF_PROG_BIND_MAP", 0x23, 0x23),
        ("BPF_TOKEN_CREATE", 0x24, 0x24),
    ],
};

/// Families of sockets.
pub(crate) static SOCKET_FAMILIES: Names = Names {
    exact: true,
    entries: &[
        ("AF_NFC", 0x27, 0x27),
        ("AF_ALG", 0x26, 0x26),
        ("AF_CAIF", 0x25, 0x25),
        ("AF_IEEE802154", 0x24, 0x24),
        ("AF_PHONET", 0x23, 0x23),
        ("AF_ISDN", 0x22, 0x22),
        ("AF_RXRPC", 0x21, 0x21),
        ("AF_IUCV", 0x20, 0x20),
        ("AF_BLUETOOTH", 0x1f, 0x1f),
        ("AF_TIPC", 0x1e, 0x1e),
        ("AF_CAN", 0x1d, 0x1d),
        ("AF_LLC", 0x1a, 0x1a),
        ("AF_WANPIPE", 0x19, 0x19),
        ("AF_PPPOX", 0x18, 0x18),
        ("AF_IRDA", 0x17, 0x17),
        ("AF_SNA", 0x16, 0x16),
        ("AF_RDS", 0x15, 0x15),
        ("AF_ATMSVC", 0x14, 0x14),
        ("AF_ECONET", 0x13, 0x13),
        ("AF_ASH", 0x12, 0x12),
        ("AF_PACKET", 0x11, 0x11),
        ("AF_ROUTE", 0x10, 0x10),
        ("AF_NETLINK", 0x10, 0x10),
        ("AF_KEY", 0xf, 0xf),
        ("AF_SECURITY", 0xe, 0xe),
        ("AF_NETBEUI", 0xd, 0xd),
        ("AF_DECnet", 0xc, 0xc),
        ("AF_ROSE", 0xb, 0xb),
        ("AF_INET6", 0xa, 0xa),
        ("AF_X25", 0x9, 0x9),
        ("AF_ATMPVC", 0x8, 0x8),
        ("AF_BRIDGE", 0x7, 0x7),
        ("AF_NETROM", 0x6, 0x6),
        ("AF_APPLETALK", 0x5, 0x5),
        ("AF_IPX", 0x4, 0x4),
        ("AF_AX25", 0x3, 0x3),
        ("AF_INET", 0x2, 0x2),
        ("AF_LOCAL", 0x1, 0x1),
        ("AF_UNIX", 0x1, 0x1),
        ("AF_UNSPEC", 0x0, 0x0),
        ("AF_VSOCK", 0x28, 0x28),
        ("AF_KCM", 0x29, 0x29),
        ("AF_QIPCRTR", 0x2a, 0x2a),
        ("AF_SMC", 0x2b, 0x2b),
        ("AF_XDP", 0x2c, 0x2c),
        ("AF_MCTP", 0x2d, 0x2d),
    ],
};

/// Flags of `clone`, `unshare` and `setns`.
pub(crate) static CLONE_FLAGS: Names = Names {
    exact: false,
    entries: &[
        ("CLONE_FILES", 0x400, 0x1),
        ("CLONE_FS", 0x200, 0x2),
        ("CLONE_IO", 0x80000000, 0x4),
        ("CLONE_NEWIPC", 0x8000000, 0x8),
        ("CLONE_NEWNET", 0x40000000, 0x10),
        ("CLONE_NEWNS", 0x20000, 0x20),
        ("CLONE_NEWPID", 0x20000000, 0x40),
        ("CLONE_NEWUTS", 0x4000000, 0x80),
        ("CLONE_PARENT", 0x8000, 0x100),
        ("CLONE_PARENT_SETTID", 0x100000, 0x200),
        ("CLONE_PTRACE", 0x2000, 0x400),
        ("CLONE_SIGHAND", 0x800, 0x800),
        ("CLONE_SYSVSEM", 0x40000, 0x1000),
        ("CLONE_THREAD", 0x10000, 0x2000),
        ("CLONE_UNTRACED", 0x800000, 0x4000),
        ("CLONE_VM", 0x100, 0x8000),
        ("CLONE_NEWUSER", 0x10000000, 0x80000),
        ("CLONE_CHILD_CLEARTID", 0x200000, 0x100000),
        ("CLONE_CHILD_SETTID", 0x1000000, 0x200000),
        ("CLONE_SETTLS", 0x80000, 0x400000),
        ("CLONE_VFORK", 0x4000, 0x1000000),
        ("CLONE_NEWCGROUP", 0x2000000, 0x2000000),
        ("CLONE_INTO_CGROUP", 0x200000000, 0x10000000),
    ],
};

/// Requests of `ptrace`; the third number is the one that Falco counts by.
pub(crate) static PTRACE_REQUESTS: Names = Names {
    exact: true,
    entries: &[
        ("PTRACE_TRACEME", 0x0, 0x1),
        ("PTRACE_PEEKTEXT", 0x1, 0x2),
        ("PTRACE_PEEKDATA", 0x2, 0x3),
        ("PTRACE_PEEKUSR", 0x3, 0x4),
        ("PTRACE_POKETEXT", 0x4, 0x5),
        ("PTRACE_POKEDATA", 0x5, 0x6),
        ("PTRACE_POKEUSR", 0x6, 0x7),
        ("PTRACE_CONT", 0x7, 0x8),
        ("PTRACE_KILL", 0x8, 0x9),
        ("PTRACE_SINGLESTEP", 0x9, 0xa),
        ("PTRACE_ATTACH", 0x10, 0xb),
        ("PTRACE_DETACH", 0x11, 0xc),
        ("PTRACE_SYSCALL", 0x18, 0xd),
        ("PTRACE_SETOPTIONS", 0x4200, 0xe),
        ("PTRACE_GETEVENTMSG", 0x4201, 0xf),
        ("PTRACE_GETSIGINFO", 0x4202, 0x10),
        ("PTRACE_SETSIGINFO", 0x4203, 0x11),
        ("PTRACE_GETREGSET", 0x4204, 0x12),
        ("PTRACE_SETREGSET", 0x4205, 0x13),
        ("PTRACE_SEIZE", 0x4206, 0x14),
        ("PTRACE_INTERRUPT", 0x4207, 0x15),
        ("PTRACE_LISTEN", 0x4208, 0x16),
        ("PTRACE_PEEKSIGINFO", 0x4209, 0x17),
        ("PTRACE_GETSIGMASK", 0x420a, 0x18),
        ("PTRACE_SETSIGMASK", 0x420b, 0x19),
        ("PTRACE_GETREGS", 0xc, 0x1a),
        ("PTRACE_SETREGS", 0xd, 0x1b),
        ("PTRACE_GETFPREGS", 0xe, 0x1c),
        ("PTRACE_SETFPREGS", 0xf, 0x1d),
        ("PTRACE_GETFPXREGS", 0x12, 0x1e),
        ("PTRACE_SETFPXREGS", 0x13, 0x1f),
        ("PTRACE_OLDSETOPTIONS", 0x15, 0x20),
        ("PTRACE_GET_THREAD_AREA", 0x19, 0x21),
        ("PTRACE_SET_THREAD_AREA", 0x1a, 0x22),
        ("PTRACE_ARCH_PRCTL", 0x1e, 0x23),
        ("PTRACE_SYSEMU", 0x1f, 0x24),
        ("PTRACE_SYSEMU_SINGLESTEP", 0x20, 0x25),
        ("PTRACE_SINGLEBLOCK", 0x21, 0x26),
    ],
};

/// Permission bits.
pub(crate) static MODE_BITS: Names = Names {
    exact: false,
    entries: &[
        ("S_IXOTH", 0x1, 0x1),
        ("S_IWOTH", 0x2, 0x2),
        ("S_IROTH", 0x4, 0x4),
        ("S_IXGRP", 0x8, 0x8),
        ("S_IWGRP", 0x10, 0x10),
        ("S_IRGRP", 0x20, 0x20),
        ("S_IXUSR", 0x40, 0x40),
        ("S_IWUSR", 0x80, 0x80),
        ("S_IRUSR", 0x100, 0x100),
        ("S_ISVTX", 0x200, 0x200),
        ("S_ISGID", 0x400, 0x400),
        ("S_ISUID", 0x800, 0x800),
    ],
};

/// Flags of `unlinkat`.
pub(crate) static UNLINK_FLAGS: Names = Names {
    exact: false,
    entries: &[("AT_REMOVEDIR", 0x200, 0x200)],
};

/// Flags of `linkat`.
pub(crate) static LINK_FLAGS: Names = Names {
    exact: false,
    entries: &[
        ("AT_SYMLINK_FOLLOW", 0x400, 0x400),
        ("AT_EMPTY_PATH", 0x1000, 0x1000),
    ],
};

/// Flags of calls that take a path from a folder.
pub(crate) static AT_FLAGS: Names = Names {
    exact: false,
    entries: &[
        ("AT_SYMLINK_NOFOLLOW", 0x100, 0x100),
        ("AT_EMPTY_PATH", 0x1000, 0x1000),
    ],
};

/// Flags of `renameat2`.
pub(crate) static RENAME_FLAGS: Names = Names {
    exact: false,
    entries: &[
        ("RENAME_NOREPLACE", 0x1, 0x1),
        ("RENAME_EXCHANGE", 0x2, 0x2),
        ("RENAME_WHITEOUT", 0x4, 0x4),
    ],
};

/// How `openat2` resolves.
pub(crate) static RESOLVE_FLAGS: Names = Names {
    exact: false,
    entries: &[
        ("RESOLVE_BENEATH", 0x8, 0x1),
        ("RESOLVE_IN_ROOT", 0x10, 0x2),
        ("RESOLVE_NO_MAGICLINKS", 0x2, 0x4),
        ("RESOLVE_NO_SYMLINKS", 0x4, 0x8),
        ("RESOLVE_NO_XDEV", 0x1, 0x10),
        ("RESOLVE_CACHED", 0x20, 0x20),
    ],
};

/// Flags of `mount`.
pub(crate) static MOUNT_FLAGS: Names = Names {
    exact: false,
    entries: &[
        ("RDONLY", 0x1, 0x1),
        ("NOSUID", 0x2, 0x2),
        ("NODEV", 0x4, 0x4),
        ("NOEXEC", 0x8, 0x8),
        ("SYNCHRONOUS", 0x10, 0x10),
        ("REMOUNT", 0x20, 0x20),
        ("MANDLOCK", 0x40, 0x40),
        ("DIRSYNC", 0x80, 0x80),
        ("NOATIME", 0x400, 0x400),
        ("NODIRATIME", 0x800, 0x800),
        ("BIND", 0x1000, 0x1000),
        ("MOVE", 0x2000, 0x2000),
        ("REC", 0x4000, 0x4000),
        ("SILENT", 0x8000, 0x8000),
        ("POSIXACL", 0x10000, 0x10000),
        ("UNBINDABLE", 0x20000, 0x20000),
        ("PRIVATE", 0x40000, 0x40000),
        ("SLAVE", 0x80000, 0x80000),
        ("SHARED", 0x100000, 0x100000),
        ("RELATIME", 0x200000, 0x200000),
        ("KERNMOUNT", 0x400000, 0x400000),
        ("I_VERSION", 0x800000, 0x800000),
        ("STRICTATIME", 0x1000000, 0x1000000),
        ("LAZYTIME", 0x2000000, 0x2000000),
    ],
};

/// Flags of `umount2`.
pub(crate) static UMOUNT_FLAGS: Names = Names {
    exact: false,
    entries: &[
        ("FORCE", 0x1, 0x1),
        ("DETACH", 0x2, 0x2),
        ("EXPIRE", 0x4, 0x4),
        ("NOFOLLOW", 0x8, 0x8),
    ],
};

/// Protection of memory.
pub(crate) static PROTECTION: Names = Names {
    exact: false,
    entries: &[
        ("PROT_READ", 0x1, 0x1),
        ("PROT_WRITE", 0x2, 0x2),
        ("PROT_EXEC", 0x4, 0x4),
        ("PROT_SEM", 0x8, 0x8),
        ("PROT_GROWSDOWN", 0x1000000, 0x10),
        ("PROT_GROWSUP", 0x2000000, 0x20),
        ("PROT_NONE", 0x0, 0x0),
    ],
};

/// Flags of `mmap`.
pub(crate) static MAP_FLAGS: Names = Names {
    exact: false,
    entries: &[
        ("MAP_SHARED", 0x1, 0x1),
        ("MAP_PRIVATE", 0x2, 0x2),
        ("MAP_FIXED", 0x10, 0x4),
        ("MAP_ANONYMOUS", 0x20, 0x8),
        ("MAP_32BIT", 0x40, 0x10),
        ("MAP_NORESERVE", 0x4000, 0x40),
        ("MAP_POPULATE", 0x8000, 0x80),
        ("MAP_NONBLOCK", 0x10000, 0x100),
        ("MAP_GROWSDOWN", 0x100, 0x200),
        ("MAP_DENYWRITE", 0x800, 0x400),
        ("MAP_EXECUTABLE", 0x1000, 0x800),
        ("MAP_LOCKED", 0x2000, 0x4000),
    ],
};

/// Flags of `splice`.
pub(crate) static SPLICE_FLAGS: Names = Names {
    exact: false,
    entries: &[
        ("SPLICE_F_MOVE", 0x1, 0x1),
        ("SPLICE_F_NONBLOCK", 0x2, 0x2),
        ("SPLICE_F_MORE", 0x4, 0x4),
        ("SPLICE_F_GIFT", 0x8, 0x8),
    ],
};

/// Flags of `memfd_create`.
pub(crate) static MEMFD_FLAGS: Names = Names {
    exact: false,
    entries: &[
        ("MFD_CLOEXEC", 0x1, 0x1),
        ("MFD_ALLOW_SEALING", 0x2, 0x2),
        ("MFD_HUGETLB", 0x4, 0x4),
    ],
};

/// Flags of `pidfd_open`.
pub(crate) static PIDFD_FLAGS: Names = Names {
    exact: false,
    entries: &[("PIDFD_NONBLOCK", 0x800, 0x800)],
};

/// Flags of `close_range`.
pub(crate) static CLOSE_RANGE_FLAGS: Names = Names {
    exact: false,
    entries: &[
        ("CLOSE_RANGE_UNSHARE", 0x2, 0x1),
        ("CLOSE_RANGE_CLOEXEC", 0x4, 0x2),
    ],
};

/// Flags of `finit_module`.
pub(crate) static MODULE_FLAGS: Names = Names {
    exact: false,
    entries: &[
        ("MODULE_INIT_IGNORE_MODVERSIONS", 0x1, 0x1),
        ("MODULE_INIT_IGNORE_VERMAGIC", 0x2, 0x2),
        ("MODULE_INIT_COMPRESSED_FILE", 0x4, 0x4),
    ],
};

/// Flags of `delete_module`.
pub(crate) static DELETE_MODULE_FLAGS: Names = Names {
    exact: false,
    entries: &[("O_NONBLOCK", 0x800, 0x1), ("O_TRUNC", 0x200, 0x2)],
};

/// Modes of `access`.
pub(crate) static ACCESS_MODES: Names = Names {
    exact: false,
    entries: &[
        ("F_OK", 0x0, 0x0),
        ("R_OK", 0x4, 0x4),
        ("W_OK", 0x2, 0x2),
        ("X_OK", 0x1, 0x1),
    ],
};

/// Operations of `flock`.
pub(crate) static LOCKS: Names = Names {
    exact: false,
    entries: &[
        ("LOCK_SH", 0x1, 0x1),
        ("LOCK_EX", 0x2, 0x2),
        ("LOCK_NB", 0x4, 0x4),
        ("LOCK_UN", 0x8, 0x8),
        ("LOCK_NONE", 0x0, 0x0),
    ],
};

/// Where `lseek` counts from.
pub(crate) static WHENCE: Names = Names {
    exact: true,
    entries: &[
        ("SEEK_END", 0x2, 0x2),
        ("SEEK_CUR", 0x1, 0x1),
        ("SEEK_SET", 0x0, 0x0),
    ],
};

/// How `shutdown` ends.
pub(crate) static SHUTDOWN: Names = Names {
    exact: true,
    entries: &[
        ("SHUT_RDWR", 0x2, 0x2),
        ("SHUT_WR", 0x1, 0x1),
        ("SHUT_RD", 0x0, 0x0),
    ],
};

/// Flags of `epoll_create1`.
pub(crate) static EPOLL_FLAGS: Names = Names {
    exact: false,
    entries: &[("EPOLL_CLOEXEC", 0x80000, 0x1)],
};

/// Operations of `seccomp`.
pub(crate) static SECCOMP: Names = Names {
    exact: true,
    entries: &[
        ("SECCOMP_SET_MODE_STRICT", 0x0, 0x0),
        ("SECCOMP_SET_MODE_FILTER", 0x1, 0x1),
        ("SECCOMP_GET_ACTION_AVAIL", 0x2, 0x2),
        ("SECCOMP_GET_NOTIF_SIZES", 0x3, 0x3),
    ],
};

/// Flags of `mlockall`.
pub(crate) static LOCK_MEMORY: Names = Names {
    exact: false,
    entries: &[
        ("MCL_CURRENT", 0x1, 0x1),
        ("MCL_FUTURE", 0x2, 0x2),
        ("MCL_ONFAULT", 0x4, 0x4),
    ],
};

/// Flags of `mlock2`.
pub(crate) static LOCK_MEMORY_2: Names = Names {
    exact: false,
    entries: &[("MLOCK_ONFAULT", 0x1, 0x1)],
};

/// Commands of `fsconfig`.
pub(crate) static FSCONFIG: Names = Names {
    exact: true,
    entries: &[
        ("FSCONFIG_SET_FLAG", 0x0, 0x0),
        ("FSCONFIG_SET_STRING", 0x1, 0x1),
        ("FSCONFIG_SET_BINARY", 0x2, 0x2),
        ("FSCONFIG_SET_PATH", 0x3, 0x3),
        ("FSCONFIG_SET_PATH_EMPTY", 0x4, 0x4),
        ("FSCONFIG_SET_FD", 0x5, 0x5),
        ("FSCONFIG_CMD_CREATE", 0x6, 0x6),
        ("FSCONFIG_CMD_RECONFIGURE", 0x7, 0x7),
    ],
};

/// Flags of descriptors that are made (`dup3`, `pipe2`, `eventfd2` ...).
pub(crate) static DESCRIPTOR_FLAGS: Names = Names {
    exact: false,
    entries: &[("O_NONBLOCK", 0x800, 0x40), ("O_CLOEXEC", 0x80000, 0x1000)],
};

/// Commands of `fcntl`.
pub(crate) static FCNTL: Names = Names {
    exact: true,
    entries: &[
        ("F_DUPFD", 0x0, 0x0),
        ("F_GETFD", 0x1, 0x1),
        ("F_SETFD", 0x2, 0x2),
        ("F_GETFL", 0x3, 0x3),
        ("F_SETFL", 0x4, 0x4),
        ("F_GETLK", 0x5, 0x5),
        ("F_SETLK", 0x6, 0x6),
        ("F_SETLKW", 0x7, 0x7),
        ("F_SETOWN", 0x8, 0x8),
        ("F_GETOWN", 0x9, 0x9),
        ("F_SETSIG", 0xa, 0xa),
        ("F_GETSIG", 0xb, 0xb),
        ("F_SETOWN_EX", 0xf, 0xf),
        ("F_GETOWN_EX", 0x10, 0x10),
        ("F_OFD_GETLK", 0x24, 0x24),
        ("F_OFD_SETLK", 0x25, 0x25),
        ("F_OFD_SETLKW", 0x26, 0x26),
        ("F_SETLEASE", 0x400, 0x400),
        ("F_GETLEASE", 0x401, 0x401),
        ("F_NOTIFY", 0x402, 0x402),
        ("F_CANCELLK", 0x405, 0x405),
        ("F_DUPFD_CLOEXEC", 0x406, 0x406),
        ("F_SETPIPE_SZ", 0x407, 0x407),
        ("F_GETPIPE_SZ", 0x408, 0x408),
        ("F_ADD_SEALS", 0x409, 0x409),
        ("F_GET_SEALS", 0x40a, 0x40a),
    ],
};

/// Options of `prctl`.
pub(crate) static PRCTL: Names = Names {
    exact: true,
    entries: &[
        ("PR_GET_DUMPABLE", 0x3, 0x3),
        ("PR_SET_DUMPABLE", 0x4, 0x4),
        ("PR_GET_KEEPCAPS", 0x7, 0x7),
        ("PR_SET_KEEPCAPS", 0x8, 0x8),
        ("PR_SET_NAME", 0xf, 0xf),
        ("PR_GET_NAME", 0x10, 0x10),
        ("PR_GET_SECCOMP", 0x15, 0x15),
        ("PR_SET_SECCOMP", 0x16, 0x16),
        ("PR_CAPBSET_READ", 0x17, 0x17),
        ("PR_CAPBSET_DROP", 0x18, 0x18),
        ("PR_GET_SECUREBITS", 0x1b, 0x1b),
        ("PR_SET_SECUREBITS", 0x1c, 0x1c),
        ("PR_MCE_KILL", 0x21, 0x21),
        ("PR_SET_MM", 0x23, 0x23),
        ("PR_SET_CHILD_SUBREAPER", 0x24, 0x24),
        ("PR_GET_CHILD_SUBREAPER", 0x25, 0x25),
        ("PR_SET_NO_NEW_PRIVS", 0x26, 0x26),
        ("PR_GET_NO_NEW_PRIVS", 0x27, 0x27),
        ("PR_GET_TID_ADDRESS", 0x28, 0x28),
        ("PR_SET_THP_DISABLE", 0x29, 0x29),
        ("PR_GET_THP_DISABLE", 0x2a, 0x2a),
        ("PR_CAP_AMBIENT", 0x2f, 0x2f),
        ("PR_SET_PDEATHSIG", 0x1, 0x1),
        ("PR_SET_PTRACER", 0x59616d61, 0x59616d61),
    ],
};

/// Limited resources.
pub(crate) static RESOURCES: Names = Names {
    exact: true,
    entries: &[
        ("RLIMIT_CPU", 0x0, 0x0),
        ("RLIMIT_FSIZE", 0x1, 0x1),
        ("RLIMIT_DATA", 0x2, 0x2),
        ("RLIMIT_STACK", 0x3, 0x3),
        ("RLIMIT_CORE", 0x4, 0x4),
        ("RLIMIT_RSS", 0x5, 0x5),
        ("RLIMIT_NPROC", 0x6, 0x6),
        ("RLIMIT_NOFILE", 0x7, 0x7),
        ("RLIMIT_MEMLOCK", 0x8, 0x8),
        ("RLIMIT_AS", 0x9, 0x9),
        ("RLIMIT_LOCKS", 0xa, 0xa),
        ("RLIMIT_SIGPENDING", 0xb, 0xb),
        ("RLIMIT_MSGQUEUE", 0xc, 0xc),
        ("RLIMIT_NICE", 0xd, 0xd),
        ("RLIMIT_RTPRIO", 0xe, 0xe),
        ("RLIMIT_RTTIME", 0xf, 0xf),
    ],
};

/// Operations of `io_uring_register`.
pub(crate) static RING_REGISTER: Names = Names {
    exact: true,
    entries: &[
        ("IORING_REGISTER_BUFFERS", 0x0, 0x0),
        ("IORING_UNREGISTER_BUFFERS", 0x1, 0x1),
        ("IORING_REGISTER_FILES", 0x2, 0x2),
        ("IORING_UNREGISTER_FILES", 0x3, 0x3),
        ("IORING_REGISTER_EVENTFD", 0x4, 0x4),
        ("IORING_UNREGISTER_EVENTFD", 0x5, 0x5),
        ("IORING_REGISTER_FILES_UPDATE", 0x6, 0x6),
        ("IORING_REGISTER_EVENTFD_ASYNC", 0x7, 0x7),
        ("IORING_REGISTER_PROBE", 0x8, 0x8),
        ("IORING_REGISTER_PERSONALITY", 0x9, 0x9),
        ("IORING_UNREGISTER_PERSONALITY", 0xa, 0xa),
        ("IORING_REGISTER_RESTRICTIONS", 0xb, 0xb),
        ("IORING_REGISTER_ENABLE_RINGS", 0xc, 0xc),
        ("IORING_REGISTER_FILES2", 0xd, 0xd),
        ("IORING_REGISTER_FILES_UPDATE2", 0xe, 0xe),
        ("IORING_REGISTER_BUFFERS2", 0xf, 0xf),
        ("IORING_REGISTER_BUFFERS_UPDATE", 0x10, 0x10),
        ("IORING_REGISTER_IOWQ_AFF", 0x11, 0x11),
        ("IORING_UNREGISTER_IOWQ_AFF", 0x12, 0x12),
        ("IORING_REGISTER_IOWQ_MAX_WORKERS", 0x13, 0x13),
        ("IORING_REGISTER_RING_FDS", 0x14, 0x14),
        ("IORING_UNREGISTER_RING_FDS", 0x15, 0x15),
    ],
};

/// Flags of `io_uring_enter`.
pub(crate) static RING_ENTER: Names = Names {
    exact: false,
    entries: &[
        ("IORING_ENTER_GETEVENTS", 0x1, 0x1),
        ("IORING_ENTER_SQ_WAKEUP", 0x2, 0x2),
        ("IORING_ENTER_SQ_WAIT", 0x4, 0x4),
        ("IORING_ENTER_EXT_ARG", 0x8, 0x8),
    ],
};

/// What is special about a binary that was run; the second number is a flag of the record.
pub(crate) static EXECUTABLE_FLAGS: Names = Names {
    exact: false,
    entries: &[
        ("EXE_WRITABLE", 0x20, 0x1),
        ("EXE_UPPER_LAYER", 0x1, 0x2),
        ("EXE_FROM_MEMFD", 0x4, 0x4),
        ("EXE_LOWER_LAYER", 0x2, 0x8),
    ],
};

/// Flags of `open`, by Falco's own numbers alone.
pub(crate) static OPEN_FLAGS: Names = Names {
    exact: false,
    entries: &[
        ("O_LARGEFILE", 0x800, 0x800),
        ("O_DIRECTORY", 0x400, 0x400),
        ("O_DIRECT", 0x200, 0x200),
        ("O_TRUNC", 0x100, 0x100),
        ("O_SYNC", 0x80, 0x80),
        ("O_NONBLOCK", 0x40, 0x40),
        ("O_EXCL", 0x20, 0x20),
        ("O_DSYNC", 0x10, 0x10),
        ("O_APPEND", 0x8, 0x8),
        ("O_CREAT", 0x4, 0x4),
        ("O_RDWR", 0x3, 0x3),
        ("O_WRONLY", 0x2, 0x2),
        ("O_RDONLY", 0x1, 0x1),
        ("O_CLOEXEC", 0x1000, 0x1000),
        ("O_NONE", 0x0, 0x0),
        ("O_TMPFILE", 0x2000, 0x2000),
        ("O_F_CREATED", 0x4000, 0x4000),
        ("FD_UPPER_LAYER", 0x8000, 0x8000),
        ("FD_LOWER_LAYER", 0x10000, 0x10000),
    ],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_flags() {
        let table: &[(&Names, u64, &str)] = &[
            (&CLONE_FLAGS, 0x20000, "CLONE_NEWNS"),
            (
                &CLONE_FLAGS,
                0x0001_0f00,
                "CLONE_FILES|CLONE_FS|CLONE_SIGHAND|CLONE_THREAD|CLONE_VM",
            ),
            (&CLONE_FLAGS, 0x2_0000_0000, "CLONE_INTO_CGROUP"),
            (&CLONE_FLAGS, 0, ""),
            (&SOCKET_FAMILIES, 17, "AF_PACKET"),
            (&SOCKET_FAMILIES, 1, "AF_LOCAL"),
            (&SOCKET_FAMILIES, 250, ""),
            (&PTRACE_REQUESTS, 0, "PTRACE_TRACEME"),
            (&PTRACE_REQUESTS, 16, "PTRACE_ATTACH"),
            (&PTRACE_REQUESTS, 0x4206, "PTRACE_SEIZE"),
            (
                &MODE_BITS,
                0o4755,
                "S_IXOTH|S_IROTH|S_IXGRP|S_IRGRP|S_IXUSR|S_IWUSR|S_IRUSR|S_ISUID",
            ),
            (&BPF_COMMANDS, 5, "BPF_PROG_LOAD"),
            (&EXECUTABLE_FLAGS, 36, "EXE_WRITABLE|EXE_FROM_MEMFD"),
            (
                &EXECUTABLE_FLAGS,
                35,
                "EXE_WRITABLE|EXE_UPPER_LAYER|EXE_LOWER_LAYER",
            ),
            (&UNLINK_FLAGS, 0x200, "AT_REMOVEDIR"),
            (&PROTECTION, 0, "PROT_NONE"),
            (&PROTECTION, 7, "PROT_READ|PROT_WRITE|PROT_EXEC"),
        ];
        for (names, value, text) in table {
            assert_eq!(names.text(names.number(*value)), *text, "{value:#x}");
        }
        assert_eq!(OPEN_FLAGS.text(4097), "O_RDONLY|O_CLOEXEC");
        assert_eq!(OPEN_FLAGS.text(3), "O_RDWR");
        assert_eq!(OPEN_FLAGS.text(0x106), "O_TRUNC|O_CREAT|O_WRONLY");
    }

    #[test]
    fn errors_signals_capabilities() {
        assert_eq!(error_name(2), Some("ENOENT"));
        assert_eq!(error_name(115), Some("EINPROGRESS"));
        assert_eq!(error_name(512), Some("ERESTARTSYS"));
        assert_eq!(error_name(4000), None);
        assert_eq!(signal_name(9), Some("SIGKILL"));
        assert_eq!(signal_name(0), None);
        assert_eq!(capability_names(0), "");
        assert_eq!(capability_names(1 << 21 | 1), "CAP_CHOWN CAP_SYS_ADMIN");
        assert_eq!(capability_set("CAP_SYS_ADMIN cap_chown"), Some(1 << 21 | 1));
        assert_eq!(capability_set("CAP_NONE"), None);
    }
}
