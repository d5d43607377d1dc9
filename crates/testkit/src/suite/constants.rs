//! Names of numbers that arguments of system calls are written with, as Linux has them on x86-64 and arm64.

/// Names and their numbers.
pub type Table = &'static [(&'static str, i64)];

/// Flags whose numbers differ between machines.
#[cfg(not(target_arch = "aarch64"))]
const MACHINE_OPEN_FLAGS: [(&str, i64); 4] = [
    ("O_DIRECT", 0o40000),
    ("O_LARGEFILE", 0),
    ("O_DIRECTORY", 0o200_000),
    ("O_NOFOLLOW", 0o400_000),
];
#[cfg(target_arch = "aarch64")]
const MACHINE_OPEN_FLAGS: [(&str, i64); 4] = [
    ("O_DIRECT", 0o200_000),
    ("O_LARGEFILE", 0),
    ("O_DIRECTORY", 0o40000),
    ("O_NOFOLLOW", 0o100_000),
];

/// Flags of open, openat and openat2.
pub static OPEN_FLAGS: Table = &[
    ("O_ACCMODE", 3),
    ("O_RDONLY", 0),
    ("O_WRONLY", 1),
    ("O_RDWR", 2),
    ("O_CREAT", 0o100),
    ("O_EXCL", 0o200),
    ("O_NOCTTY", 0o400),
    ("O_TRUNC", 0o1000),
    ("O_APPEND", 0o2000),
    ("O_NONBLOCK", 0o4000),
    ("O_NDELAY", 0o4000),
    ("O_DSYNC", 0o10000),
    ("O_ASYNC", 0o20000),
    ("O_NOATIME", 0o1_000_000),
    ("O_CLOEXEC", 0o2_000_000),
    ("O_SYNC", 0o4_010_000),
    ("O_FSYNC", 0o4_010_000),
    ("O_RSYNC", 0o4_010_000),
    ("O_PATH", 0o10_000_000),
    ("O_TMPFILE", 0o20_000_000 | MACHINE_OPEN_FLAGS[2].1),
    MACHINE_OPEN_FLAGS[0],
    MACHINE_OPEN_FLAGS[1],
    MACHINE_OPEN_FLAGS[2],
    MACHINE_OPEN_FLAGS[3],
];

/// Permissions of files that are created.
pub static MODES: Table = &[
    ("S_IRWXU", 0o700),
    ("S_IRUSR", 0o400),
    ("S_IWUSR", 0o200),
    ("S_IXUSR", 0o100),
    ("S_IRWXG", 0o70),
    ("S_IRGRP", 0o40),
    ("S_IWGRP", 0o20),
    ("S_IXGRP", 0o10),
    ("S_IRWXO", 7),
    ("S_IROTH", 4),
    ("S_IWOTH", 2),
    ("S_IXOTH", 1),
    ("S_ISUID", 0o4000),
    ("S_ISGID", 0o2000),
    ("S_ISVTX", 0o1000),
];

/// How openat2 resolves a path.
pub static RESOLVE_FLAGS: Table = &[
    ("RESOLVE_NO_XDEV", 1),
    ("RESOLVE_NO_MAGICLINKS", 2),
    ("RESOLVE_NO_SYMLINKS", 4),
    ("RESOLVE_BENEATH", 8),
    ("RESOLVE_IN_ROOT", 0x10),
    ("RESOLVE_CACHED", 0x20),
];

/// Flags of linkat.
pub static LINK_FLAGS: Table = &[
    ("AT_SYMLINK_NOFOLLOW", 0x100),
    ("AT_SYMLINK_FOLLOW", 0x400),
    ("AT_NO_AUTOMOUNT", 0x800),
    ("AT_EMPTY_PATH", 0x1000),
];

/// Flags of finit_module.
pub static MODULE_FLAGS: Table = &[
    ("MODULE_INIT_IGNORE_MODVERSIONS", 1),
    ("MODULE_INIT_IGNORE_VERMAGIC", 2),
    ("MODULE_INIT_COMPRESSED_FILE", 4),
];

/// Flags of dup3.
pub static DUP_FLAGS: Table = &[("O_CLOEXEC", 0o2_000_000)];

/// Domains of sockets.
pub static SOCKET_DOMAINS: Table = &[
    ("AF_UNSPEC", 0),
    ("AF_UNIX", 1),
    ("AF_LOCAL", 1),
    ("AF_FILE", 1),
    ("AF_INET", 2),
    ("AF_AX25", 3),
    ("AF_IPX", 4),
    ("AF_APPLETALK", 5),
    ("AF_NETROM", 6),
    ("AF_BRIDGE", 7),
    ("AF_ATMPVC", 8),
    ("AF_X25", 9),
    ("AF_INET6", 10),
    ("AF_ROSE", 11),
    ("AF_DECnet", 12),
    ("AF_NETBEUI", 13),
    ("AF_SECURITY", 14),
    ("AF_KEY", 15),
    ("AF_NETLINK", 16),
    ("AF_ROUTE", 16),
    ("AF_PACKET", 17),
    ("AF_ASH", 18),
    ("AF_ECONET", 19),
    ("AF_ATMSVC", 20),
    ("AF_RDS", 21),
    ("AF_SNA", 22),
    ("AF_IRDA", 23),
    ("AF_PPPOX", 24),
    ("AF_WANPIPE", 25),
    ("AF_LLC", 26),
    ("AF_IB", 27),
    ("AF_MPLS", 28),
    ("AF_CAN", 29),
    ("AF_TIPC", 30),
    ("AF_BLUETOOTH", 31),
    ("AF_IUCV", 32),
    ("AF_RXRPC", 33),
    ("AF_ISDN", 34),
    ("AF_PHONET", 35),
    ("AF_IEEE802154", 36),
    ("AF_CAIF", 37),
    ("AF_ALG", 38),
    ("AF_NFC", 39),
    ("AF_VSOCK", 40),
    ("AF_KCM", 41),
    ("AF_QIPCRTR", 42),
    ("AF_SMC", 43),
    ("AF_XDP", 44),
    ("AF_MCTP", 45),
];

/// Types of sockets and the flags that go with them.
pub static SOCKET_TYPES: Table = &[
    ("SOCK_STREAM", 1),
    ("SOCK_DGRAM", 2),
    ("SOCK_RAW", 3),
    ("SOCK_RDM", 4),
    ("SOCK_SEQPACKET", 5),
    ("SOCK_DCCP", 6),
    ("SOCK_PACKET", 10),
    ("SOCK_NONBLOCK", 0o4000),
    ("SOCK_CLOEXEC", 0o2_000_000),
];

/// Protocols of sockets. Those of packet sockets are in the byte order of the network.
pub static SOCKET_PROTOCOLS: Table = &[
    ("IPPROTO_IP", 0),
    ("IPPROTO_ICMP", 1),
    ("IPPROTO_IGMP", 2),
    ("IPPROTO_IPIP", 4),
    ("IPPROTO_TCP", 6),
    ("IPPROTO_EGP", 8),
    ("IPPROTO_PUP", 12),
    ("IPPROTO_UDP", 17),
    ("IPPROTO_IDP", 22),
    ("IPPROTO_TP", 29),
    ("IPPROTO_DCCP", 33),
    ("IPPROTO_IPV6", 41),
    ("IPPROTO_RSVP", 46),
    ("IPPROTO_GRE", 47),
    ("IPPROTO_ESP", 50),
    ("IPPROTO_AH", 51),
    ("IPPROTO_ICMPV6", 58),
    ("IPPROTO_MTP", 92),
    ("IPPROTO_BEETPH", 94),
    ("IPPROTO_ENCAP", 98),
    ("IPPROTO_PIM", 103),
    ("IPPROTO_COMP", 108),
    ("IPPROTO_SCTP", 132),
    ("IPPROTO_UDPLITE", 136),
    ("IPPROTO_MPLS", 137),
    ("IPPROTO_ETHERNET", 143),
    ("IPPROTO_RAW", 255),
    ("IPPROTO_MPTCP", 262),
    ("ETH_P_ALL", 0x0300),
    ("ETH_P_IP", 0x0008),
    ("ETH_P_ARP", 0x0608),
    ("ETH_P_IPV6", 0xdd86),
    ("NETLINK_ROUTE", 0),
    ("NETLINK_USERSOCK", 2),
    ("NETLINK_SOCK_DIAG", 4),
    ("NETLINK_NFLOG", 5),
    ("NETLINK_XFRM", 6),
    ("NETLINK_SELINUX", 7),
    ("NETLINK_AUDIT", 9),
    ("NETLINK_CONNECTOR", 11),
    ("NETLINK_NETFILTER", 12),
    ("NETLINK_KOBJECT_UEVENT", 15),
    ("NETLINK_GENERIC", 16),
    ("NETLINK_CRYPTO", 21),
];

/// Flags of sendto.
pub static SEND_FLAGS: Table = &[
    ("MSG_OOB", 1),
    ("MSG_DONTROUTE", 4),
    ("MSG_DONTWAIT", 0x40),
    ("MSG_EOR", 0x80),
    ("MSG_CONFIRM", 0x800),
    ("MSG_NOSIGNAL", 0x4000),
    ("MSG_MORE", 0x8000),
    ("MSG_ZEROCOPY", 0x400_0000),
    ("MSG_FASTOPEN", 0x2000_0000),
];

/// Signals.
pub static SIGNALS: Table = &[
    ("SIGHUP", 1),
    ("SIGINT", 2),
    ("SIGQUIT", 3),
    ("SIGILL", 4),
    ("SIGTRAP", 5),
    ("SIGABRT", 6),
    ("SIGIOT", 6),
    ("SIGBUS", 7),
    ("SIGFPE", 8),
    ("SIGKILL", 9),
    ("SIGUSR1", 10),
    ("SIGSEGV", 11),
    ("SIGUSR2", 12),
    ("SIGPIPE", 13),
    ("SIGALRM", 14),
    ("SIGTERM", 15),
    ("SIGSTKFLT", 16),
    ("SIGCHLD", 17),
    ("SIGCLD", 17),
    ("SIGCONT", 18),
    ("SIGSTOP", 19),
    ("SIGTSTP", 20),
    ("SIGTTIN", 21),
    ("SIGTTOU", 22),
    ("SIGURG", 23),
    ("SIGXCPU", 24),
    ("SIGXFSZ", 25),
    ("SIGVTALRM", 26),
    ("SIGPROF", 27),
    ("SIGWINCH", 28),
    ("SIGIO", 29),
    ("SIGPOLL", 29),
    ("SIGPWR", 30),
    ("SIGSYS", 31),
];

/// Where relative paths start when no folder is named.
pub const AT_FDCWD: i64 = -100;

/// The number that names joined by `|` stand for; numbers may be among them.
///
/// # Errors
/// Names the first name that the table lacks.
pub fn parse(table: Table, text: &str) -> Result<i64, String> {
    let mut number = 0;
    for name in text.split('|').map(str::trim) {
        number |= table
            .iter()
            .find(|(have, _)| *have == name)
            .map(|(_, value)| *value)
            .or_else(|| super::yaml::integer(name).filter(|_| !name.is_empty()))
            .ok_or_else(|| format!("`{name}` is no number and none of its names"))?;
    }
    Ok(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_joined() {
        for (table, text, expected) in [
            (OPEN_FLAGS, "O_WRONLY|O_CREAT|O_TRUNC", 0o1101),
            (OPEN_FLAGS, "O_RDWR | O_CLOEXEC", 0o2_000_002),
            (MODES, "S_IRUSR|S_IWUSR", 0o600),
            (MODES, "0644", 0o644),
            (LINK_FLAGS, "AT_SYMLINK_FOLLOW", 0x400),
            (SIGNALS, "SIGKILL", 9),
            (SOCKET_TYPES, "SOCK_RAW|SOCK_CLOEXEC", 0o2_000_003),
            (SOCKET_DOMAINS, "AF_PACKET", 17),
            (OPEN_FLAGS, "0", 0),
        ] {
            assert_eq!(parse(table, text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn unknown_names_are_told() {
        assert_eq!(
            parse(OPEN_FLAGS, "O_RDONLY|O_MAGIC"),
            Err("`O_MAGIC` is no number and none of its names".to_owned())
        );
        assert!(parse(OPEN_FLAGS, "").is_err());
        assert!(parse(OPEN_FLAGS, "O_RDONLY|").is_err());
    }
}
