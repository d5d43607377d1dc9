//! The system calls that steps may make: their arguments, what these are written with, and their numbers.

use super::constants::{self, Table};

/// What an argument is written with and becomes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// A number, where a table is given also its names.
    Number(Option<Table>),
    /// A folder's descriptor, from elsewhere only; without it paths start in the working folder.
    Folder,
    /// A text that becomes the bytes of a buffer.
    Buffer,
    /// The length of a buffer, which it has unless told otherwise.
    Length,
    /// A path or another text that ends with a zero.
    Text,
    /// `ip:port`, `[ip]:port` or `unix://path`.
    Address,
}

/// An argument of a system call.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Parameter {
    /// Its name; a dot stands between the names of a map and of its member.
    pub name: &'static str,
    /// What it is.
    pub kind: Kind,
    /// Whether it must be given.
    pub required: bool,
    /// Whether it may come from a resource or step only.
    pub bind_only: bool,
}

/// A system call that steps may make.
#[derive(Debug, PartialEq)]
pub struct Call {
    /// Its name.
    pub name: &'static str,
    /// Its arguments in the kernel's order.
    pub parameters: &'static [Parameter],
    /// Whether later steps may use its result as `ret`.
    pub returns: bool,
}

const fn required(name: &'static str, kind: Kind) -> Parameter {
    Parameter {
        name,
        kind,
        required: true,
        bind_only: false,
    }
}

const fn optional(name: &'static str, kind: Kind) -> Parameter {
    Parameter {
        name,
        kind,
        required: false,
        bind_only: false,
    }
}

const fn bound(name: &'static str, required: bool, kind: Kind) -> Parameter {
    Parameter {
        name,
        kind,
        required,
        bind_only: true,
    }
}

const DESCRIPTOR: Kind = Kind::Number(None);
const OPEN_FLAGS: Kind = Kind::Number(Some(constants::OPEN_FLAGS));
const MODE: Kind = Kind::Number(Some(constants::MODES));

/// Every system call that steps may make, in alphabetical order.
pub static ALL: &[Call] = &[
    Call {
        name: "connect",
        parameters: &[required("fd", DESCRIPTOR), required("address", Kind::Address)],
        returns: false,
    },
    Call {
        name: "dup",
        parameters: &[required("oldFd", DESCRIPTOR)],
        returns: true,
    },
    Call {
        name: "dup2",
        parameters: &[required("oldFd", DESCRIPTOR), required("newFd", DESCRIPTOR)],
        returns: true,
    },
    Call {
        name: "dup3",
        parameters: &[
            required("oldFd", DESCRIPTOR),
            required("newFd", DESCRIPTOR),
            optional("flags", Kind::Number(Some(constants::DUP_FLAGS))),
        ],
        returns: true,
    },
    Call {
        name: "finit_module",
        parameters: &[
            bound("fd", true, DESCRIPTOR),
            optional("paramValues", Kind::Text),
            optional("flags", Kind::Number(Some(constants::MODULE_FLAGS))),
        ],
        returns: false,
    },
    Call {
        name: "init_module",
        parameters: &[
            required("moduleImage", Kind::Buffer),
            optional("paramValues", Kind::Text),
        ],
        returns: false,
    },
    Call {
        name: "kill",
        parameters: &[
            bound("pid", true, Kind::Number(None)),
            required("sig", Kind::Number(Some(constants::SIGNALS))),
        ],
        returns: false,
    },
    Call {
        name: "link",
        parameters: &[required("oldPath", Kind::Text), required("newPath", Kind::Text)],
        returns: false,
    },
    Call {
        name: "linkat",
        parameters: &[
            bound("oldDirFd", false, Kind::Folder),
            required("oldPath", Kind::Text),
            bound("newDirFd", false, Kind::Folder),
            required("newPath", Kind::Text),
            optional("flags", Kind::Number(Some(constants::LINK_FLAGS))),
        ],
        returns: false,
    },
    Call {
        name: "open",
        parameters: &[
            required("pathname", Kind::Text),
            required("flags", OPEN_FLAGS),
            optional("mode", MODE),
        ],
        returns: true,
    },
    Call {
        name: "openat",
        parameters: &[
            bound("dirFd", false, Kind::Folder),
            required("pathname", Kind::Text),
            required("flags", OPEN_FLAGS),
            optional("mode", MODE),
        ],
        returns: true,
    },
    Call {
        name: "openat2",
        parameters: &[
            bound("dirFd", false, Kind::Folder),
            required("pathname", Kind::Text),
            optional("how.flags", OPEN_FLAGS),
            optional("how.mode", MODE),
            optional("how.resolve", Kind::Number(Some(constants::RESOLVE_FLAGS))),
        ],
        returns: true,
    },
    Call {
        name: "read",
        parameters: &[
            required("fd", DESCRIPTOR),
            optional("buffer", Kind::Buffer),
            optional("len", Kind::Length),
        ],
        returns: true,
    },
    Call {
        name: "sendto",
        parameters: &[
            bound("fd", true, DESCRIPTOR),
            required("buf", Kind::Buffer),
            optional("len", Kind::Length),
            required("flags", Kind::Number(Some(constants::SEND_FLAGS))),
            required("destAddr", Kind::Address),
        ],
        returns: false,
    },
    Call {
        name: "socket",
        parameters: &[
            required("domain", Kind::Number(Some(constants::SOCKET_DOMAINS))),
            required("type", Kind::Number(Some(constants::SOCKET_TYPES))),
            required("protocol", Kind::Number(Some(constants::SOCKET_PROTOCOLS))),
        ],
        returns: true,
    },
    Call {
        name: "symlink",
        parameters: &[required("target", Kind::Text), required("linkPath", Kind::Text)],
        returns: false,
    },
    Call {
        name: "symlinkat",
        parameters: &[
            required("target", Kind::Text),
            bound("newDirFd", false, Kind::Folder),
            required("linkPath", Kind::Text),
        ],
        returns: false,
    },
    Call {
        name: "write",
        parameters: &[
            required("fd", DESCRIPTOR),
            optional("buffer", Kind::Buffer),
            optional("len", Kind::Length),
        ],
        returns: true,
    },
];

/// The call of a name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Call> {
    ALL.iter().find(|call| call.name == name)
}

/// Numbers of system calls: of steps, and of what the runner itself asks a process to do. x86-64, then arm64, which has no
/// old forms.
const NUMBERS: &[(&str, i64, Option<i64>)] = &[
    ("bind", 49, Some(200)),
    ("close", 3, Some(57)),
    ("connect", 42, Some(203)),
    ("dup", 32, Some(23)),
    ("dup2", 33, None),
    ("dup3", 292, Some(24)),
    ("epoll_create1", 291, Some(20)),
    ("eventfd2", 290, Some(19)),
    ("faccessat", 269, Some(48)),
    ("fchmod", 91, Some(52)),
    ("fchown", 93, Some(55)),
    ("finit_module", 313, Some(273)),
    ("fsetxattr", 190, Some(7)),
    ("getpeername", 52, Some(205)),
    ("init_module", 175, Some(105)),
    ("inotify_init1", 294, Some(26)),
    ("kill", 62, Some(129)),
    ("link", 86, None),
    ("linkat", 265, Some(37)),
    ("listen", 50, Some(201)),
    ("memfd_create", 319, Some(279)),
    ("mkdirat", 258, Some(34)),
    ("open", 2, None),
    ("openat", 257, Some(56)),
    ("openat2", 437, Some(437)),
    ("pipe2", 293, Some(59)),
    ("read", 0, Some(63)),
    ("recvfrom", 45, Some(207)),
    ("sendto", 44, Some(206)),
    ("setsockopt", 54, Some(208)),
    ("signalfd4", 289, Some(74)),
    ("socket", 41, Some(198)),
    ("symlink", 88, None),
    ("symlinkat", 266, Some(36)),
    ("unlinkat", 263, Some(35)),
    ("write", 1, Some(64)),
];

/// The number of a call on the machine that this program was built for; none when it lacks the call.
#[must_use]
pub fn number(name: &str) -> Option<i64> {
    let (_, x86_64, arm64) = NUMBERS.iter().find(|(have, _, _)| *have == name)?;
    match std::env::consts::ARCH {
        "x86_64" => Some(*x86_64),
        "aarch64" => *arm64,
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_sorted_and_complete() {
        assert!(ALL.is_sorted_by(|a, b| a.name < b.name));
        assert!(NUMBERS.is_sorted_by(|a, b| a.0 < b.0));
        for call in ALL {
            assert!(
                NUMBERS.iter().any(|(name, _, _)| *name == call.name),
                "{}",
                call.name
            );
        }
    }
}
