//! What a descriptor is, by the kernel's own facts: type, letter, name.

use super::sockets::{self, Connection, Use};
use crate::wire::{FILE_MEMFD, FileMeta, Record, Socket, Tag};
use std::borrow::Cow;

/// What a descriptor leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    File,
    Folder,
    Pipe,
    Socket4,
    Socket6,
    SocketUnix,
    Netlink,
    OtherSocket,
    Event,
    Signal,
    EventPoll,
    Inotify,
    Timer,
    Bpf,
    UserFault,
    IoUring,
    Memfd,
    Pidfd,
    Unknown,
}

impl Target {
    /// `fd.type`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Folder => "directory",
            Self::Pipe => "pipe",
            Self::Socket4 => "ipv4",
            Self::Socket6 => "ipv6",
            Self::SocketUnix => "unix",
            Self::Netlink => "netlink",
            Self::Event => "event",
            Self::Signal => "signalfd",
            Self::EventPoll => "eventpoll",
            Self::Inotify => "inotify",
            Self::Timer => "timerfd",
            Self::Bpf => "bpf",
            Self::UserFault => "userfaultfd",
            Self::IoUring => "io_uring",
            Self::Memfd => "memfd",
            Self::Pidfd => "pidfd",
            // A text that is there, not an absent value: so it is in Falco.
            Self::OtherSocket | Self::Unknown => "<NA>",
        }
    }

    /// `fd.typechar`.
    pub(crate) fn letter(self) -> &'static str {
        match self {
            Self::File => "f",
            Self::Folder => "d",
            Self::Pipe => "p",
            Self::Socket4 => "4",
            Self::Socket6 => "6",
            Self::SocketUnix | Self::UserFault => "u",
            Self::Netlink => "n",
            Self::Event => "e",
            Self::Signal => "s",
            Self::EventPoll => "l",
            Self::Inotify => "i",
            Self::Timer => "t",
            Self::Bpf => "b",
            Self::IoUring => "r",
            Self::Memfd => "m",
            Self::Pidfd => "P",
            Self::OtherSocket | Self::Unknown => "o",
        }
    }

    pub(crate) fn is_file(self) -> bool {
        matches!(self, Self::File | Self::Folder)
    }

    pub(crate) fn is_net(self) -> bool {
        matches!(self, Self::Socket4 | Self::Socket6 | Self::SocketUnix)
    }

    /// By the facts of a file and its name as the kernel writes it.
    pub(crate) fn of_file(meta: Option<&FileMeta>, name: &[u8]) -> Self {
        if let Some(kind) = name.strip_prefix(b"anon_inode:") {
            let kind = kind.strip_prefix(b"[").unwrap_or(kind);
            let kind = kind.strip_suffix(b"]").unwrap_or(kind);
            return match kind {
                b"eventfd" => Self::Event,
                b"signalfd" => Self::Signal,
                b"eventpoll" => Self::EventPoll,
                b"inotify" | b"fanotify" => Self::Inotify,
                b"timerfd" => Self::Timer,
                b"userfaultfd" => Self::UserFault,
                b"io_uring" => Self::IoUring,
                b"pidfd" => Self::Pidfd,
                _ if kind.starts_with(b"bpf") || kind.starts_with(b"btf") => Self::Bpf,
                _ => Self::Unknown,
            };
        }
        let Some(meta) = meta else {
            return Self::File;
        };
        // PIDFS_MAGIC: process descriptors have a file system of their own since 6.9.
        if meta.filesystem_magic == 0x5049_4446 || name.starts_with(b"pidfd:") {
            return Self::Pidfd;
        }
        if meta.flags & FILE_MEMFD != 0 {
            return Self::Memfd;
        }
        match meta.mode & 0o170_000 {
            0o040_000 => Self::Folder,
            0o010_000 => Self::Pipe,
            0o140_000 => Self::OtherSocket,
            _ => Self::File,
        }
    }

    pub(crate) fn of_socket(socket: &Socket, connection: Option<&Connection>) -> Self {
        match socket.family {
            sockets::AF_INET => Self::Socket4,
            sockets::AF_INET6 if connection.is_some_and(|connection| !connection.is_v6) => Self::Socket4,
            sockets::AF_INET6 => Self::Socket6,
            sockets::AF_UNIX => Self::SocketUnix,
            sockets::AF_NETLINK => Self::Netlink,
            _ => Self::OtherSocket,
        }
    }
}

/// Type and name of the descriptor of a record, for what is kept of standard streams.
pub(crate) fn stream_of<'a>(record: &Record<'a>) -> Option<(&'static str, Cow<'a, [u8]>)> {
    if let Some(socket) = record.socket(Tag::Socket) {
        let connection = Connection::of(record, Tag::Socket, Use::Other);
        let target = Target::of_socket(&socket, connection.as_ref());
        let name = match (&connection, target) {
            (Some(connection), _) => connection.name().into_bytes(),
            (None, Target::SocketUnix) => sockets::unix_name(record, Some(&socket)),
            _ => Vec::new(),
        };
        return Some((target.name(), name.into()));
    }
    let name = record.text(Tag::File)?;
    let target = Target::of_file(record.file_meta(Tag::FileMeta).as_ref(), name);
    Some((target.name(), plain_name(target, name)))
}

/// The name of a file as Falco gives it: things without a name in any folder have none.
pub(crate) fn plain_name(target: Target, name: &[u8]) -> Cow<'_, [u8]> {
    match target {
        Target::File | Target::Folder => Cow::Borrowed(name.strip_suffix(b" (deleted)").unwrap_or(name)),
        Target::Pipe if name.first() == Some(&b'/') => Cow::Borrowed(name),
        Target::Memfd => {
            let name = name.strip_suffix(b" (deleted)").unwrap_or(name);
            let name = name.strip_prefix(b"/").unwrap_or(name);
            Cow::Borrowed(name.strip_prefix(b"memfd:").unwrap_or(name))
        }
        _ => Cow::Borrowed(b""),
    }
}
