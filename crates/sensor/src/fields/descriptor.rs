//! The fields `fd.*`, `fdlist.*` and `fs.path.*`.

use super::parameters::{About, spec};
use super::sockets::{self, Connection, End, Role, Use};
use super::streams::{Target, plain_name};
use super::{paths, user_device};
use crate::event::KernelEvent;
use crate::wire::{FILE_LOWER_LAYER, FILE_UPPER_LAYER, Tag};
use model::event::{Argument, Field, Value};
use std::borrow::Cow;

/// The descriptor that an event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Descriptor {
    pub(crate) target: Target,
}

/// A path that an event names: as given, and absolute.
#[derive(Debug, Default)]
pub(crate) struct NamedPath<'a> {
    given: Option<&'a [u8]>,
    full: Option<Cow<'a, [u8]>>,
}

impl<'a> NamedPath<'a> {
    pub(super) fn into_value(self) -> Value<'a> {
        self.full.map_or(Value::Absent, Value::Text)
    }

    fn raw(self) -> Value<'a> {
        self.given.map_or(Value::Absent, Value::text)
    }
}

impl KernelEvent {
    /// `fd.num`: -1 when there should be one but the call failed.
    pub(crate) fn descriptor_number(&self) -> Option<i64> {
        match spec(self.parts.event_type)?.about {
            About::Nothing => None,
            About::Returned if self.header.ret < 0 => Some(-1),
            About::Returned => Some(self.header.ret),
            About::Argument(index) => Some(self.int_argument(index)),
        }
    }

    /// What the descriptor is; `None` when the event has none, or the call that should have made it failed.
    pub(crate) fn descriptor(&self) -> Option<Descriptor> {
        let about = spec(self.parts.event_type)?.about;
        let made = match about {
            About::Nothing => return None,
            About::Returned if self.header.ret < 0 => return None,
            About::Returned => true,
            About::Argument(_) => false,
        };
        let record = self.record();
        if let Some(socket) = record.socket(Tag::Socket) {
            let target = Target::of_socket(&socket, self.connection().as_ref());
            return Some(Descriptor { target });
        }
        let target = match record.text(Tag::File) {
            Some(name) => Target::of_file(record.file_meta(Tag::FileMeta).as_ref(), name),
            None if self.parts.io_uring && self.connection().is_some() => match self.connection()?.is_v6 {
                true => Target::Socket6,
                false => Target::Socket4,
            },
            None if made => self.target_of_maker()?,
            None => return None,
        };
        Some(Descriptor { target })
    }

    /// What a successful call of this type makes, where the record does not say.
    fn target_of_maker(&self) -> Option<Target> {
        Some(match self.parts.event_type.name() {
            "open" | "openat" | "openat2" | "creat" | "open_by_handle_at" => {
                let is_folder = self.open_flags().is_some_and(|flags| flags & 1 << 10 != 0);
                if is_folder { Target::Folder } else { Target::File }
            }
            "eventfd" | "eventfd2" => Target::Event,
            "signalfd" | "signalfd4" => Target::Signal,
            "timerfd_create" => Target::Timer,
            "inotify_init" | "inotify_init1" => Target::Inotify,
            "epoll_create" | "epoll_create1" => Target::EventPoll,
            "memfd_create" => Target::Memfd,
            "userfaultfd" => Target::UserFault,
            "pidfd_open" => Target::Pidfd,
            "io_uring_setup" => Target::IoUring,
            "bpf" => Target::Bpf,
            "socket" => match self.argument(0) {
                1 => Target::SocketUnix,
                2 => Target::Socket4,
                10 => Target::Socket6,
                16 => Target::Netlink,
                _ => Target::OtherSocket,
            },
            _ => return None,
        })
    }

    fn is_open(&self) -> bool {
        matches!(
            self.parts.event_type.name(),
            "open" | "openat" | "openat2" | "creat" | "open_by_handle_at"
        )
    }

    fn socket_use(&self) -> Use {
        match self.parts.event_type.name() {
            "connect" => Use::Connect,
            "accept" | "accept4" => Use::Accept,
            "listen" | "bind" => Use::Listen,
            "send" | "sendto" | "sendmsg" | "sendmmsg" => Use::Send,
            "recv" | "recvfrom" | "recvmsg" | "recvmmsg" => Use::Receive,
            _ => Use::Other,
        }
    }

    /// Both ends of the socket that the event is about.
    pub(crate) fn connection(&self) -> Option<Connection> {
        Connection::of(&self.record(), Tag::Socket, self.socket_use())
    }

    /// `tcp`, `udp`, `icmp` or `raw`.
    pub(crate) fn protocol(&self) -> Option<&'static str> {
        sockets::protocol(&self.record().socket(Tag::Socket)?)
    }

    /// `fd.name`.
    pub(crate) fn name(&self) -> Option<&[u8]> {
        if self.is_open() && self.parts.event_type.name() != "open_by_handle_at" {
            // The commonest case needs no copy: an absolute path without detours.
            let record = self.record();
            let path = record.text(Tag::Path);
            if let Some(path) = path
                && let Some(Cow::Borrowed(clean)) = paths::absolute(record.text(Tag::Base), path)
            {
                return Some(clean);
            }
        }
        self.name
            .get_or_init(|| self.make_name().map(Vec::into_boxed_slice))
            .as_deref()
    }

    fn make_name(&self) -> Option<Vec<u8>> {
        let record = self.record();
        if self.is_open()
            && let Some(path) = record.text(Tag::Path)
        {
            return match paths::absolute(record.text(Tag::Base), path) {
                Some(name) => Some(name.into_owned()),
                // The folder is not known: better the piece than nothing.
                None => Some(path.to_vec()),
            };
        }
        let number = self.descriptor_number()?;
        if let Some(connection) = self.connection() {
            return Some(connection.name().into_bytes());
        }
        if let Some(socket) = record.socket(Tag::Socket) {
            let is_unix = socket.family == sockets::AF_UNIX;
            let path = sockets::unix_path(&record);
            return Some(match (is_unix, path) {
                (true, Some(path)) if self.socket_use() == Use::Listen => path.into_owned(),
                (true, _) if self.parts.event_type.name() != "socket" => {
                    sockets::unix_name(&record, Some(&socket))
                }
                _ => Vec::new(),
            });
        }
        if let Some(name) = record.text(Tag::File) {
            let target = Target::of_file(record.file_meta(Tag::FileMeta).as_ref(), name);
            return Some(plain_name(target, name).into_owned());
        }
        if self.parts.event_type.name() == "memfd_create" {
            return record.text(Tag::Path).map(<[u8]>::to_vec);
        }
        match self.socket_use() {
            Use::Connect | Use::Accept => sockets::address_text(&record).map(Cow::into_owned),
            _ => (number >= 0 && self.descriptor().is_some()).then(Vec::new),
        }
    }

    /// The path that the event acts on, or the first of two.
    pub(crate) fn first_path(&self) -> NamedPath<'_> {
        let record = self.record();
        let Some(given) = record.text(Tag::Path) else {
            return NamedPath::default();
        };
        NamedPath {
            given: Some(given),
            full: paths::absolute(record.text(Tag::Base), given),
        }
    }

    /// The second path that the event names.
    pub(crate) fn second_path(&self) -> NamedPath<'_> {
        let record = self.record();
        let Some(given) = record.text(Tag::SecondPath) else {
            return NamedPath::default();
        };
        NamedPath {
            given: Some(given),
            full: paths::absolute(record.text(Tag::SecondBase), given),
        }
    }

    /// Where a path argument ([`Tag::Path`], [`Tag::SecondPath`]) of a call that opens nothing led, links followed.
    fn resolved(&self, path: Tag) -> Option<&[u8]> {
        let record = self.record();
        let real = record.text(if path == Tag::Path {
            Tag::Resolved
        } else {
            Tag::SecondResolved
        })?;
        let follows = match self.parts.event_type.name() {
            "chmod" | "fchmodat" | "fchmodat2" | "chown" | "fchownat" | "truncate" | "mount" | "chroot" => {
                true
            }
            "link" | "linkat" => path == Tag::Path,
            _ => false,
        };
        if follows {
            return Some(real);
        }
        // Such calls leave the last part as it is. Where the parts differ, the kernel had no room to note this call's path.
        let given = record.text(path)?;
        let end = given.iter().rposition(|byte| *byte != b'/')?;
        let given = &given[..=end];
        (given == paths::file_name(real) || paths::file_name(given) == paths::file_name(real)).then_some(real)
    }

    /// Whether it is a call that returned an error. What comes through io_uring has no result yet.
    fn has_failed(&self) -> bool {
        !self.is_io_uring() && self.header.ret < 0
    }

    fn source_path(&self) -> Option<NamedPath<'_>> {
        match self.path_kind() {
            PathKind::Move => Some(self.first_path()),
            PathKind::Link => Some(self.second_path()),
            _ => None,
        }
    }

    fn target_path(&self) -> Option<NamedPath<'_>> {
        match self.path_kind() {
            PathKind::Move => Some(self.second_path()),
            PathKind::Link => Some(self.first_path()),
            _ => None,
        }
    }

    fn path_kind(&self) -> PathKind {
        match self.parts.event_type.name() {
            "open" | "openat" | "openat2" | "creat" | "mkdir" | "mkdirat" | "rmdir" | "unlink"
            | "unlinkat" | "chmod" | "fchmodat" | "chown" | "lchown" | "fchownat" | "mknod" | "mknodat"
            | "umount" | "umount2" | "quotactl" | "chdir" | "chroot" | "stat" | "lstat" | "stat64"
            | "lstat64" | "newfstatat" | "access" => PathKind::One,
            "fchmod" | "fchown" | "open_by_handle_at" => PathKind::OfDescriptor,
            "rename" | "renameat" | "renameat2" | "mount" => PathKind::Move,
            "link" | "linkat" | "symlink" | "symlinkat" => PathKind::Link,
            _ => PathKind::None,
        }
    }
}

#[derive(PartialEq)]
enum PathKind {
    None,
    One,
    OfDescriptor,
    /// Two, and the first is the source: what was there before.
    Move,
    /// Two, and the second is the source: the link that is made. What it leads to is the target.
    Link,
}

/// The value, when the field is one of these.
pub(super) fn value<'a>(event: &'a KernelEvent, field: Field, argument: &Argument) -> Option<Value<'a>> {
    let text = |text: Option<&'a [u8]>| text.map_or(Value::Absent, Value::text);
    let address = |end: Option<End>| end.map_or(Value::Absent, |end| Value::Address(end.address));
    let port = |end: Option<End>| end.map_or(Value::Absent, |end| Value::Uint(u64::from(end.port)));
    let is_udp = || event.protocol() == Some("udp");
    let service = |end: Option<End>| match end {
        Some(end) => match sockets::service(end.port, is_udp()) {
            Some(name) => Value::text(name.as_bytes()),
            None => Value::owned_text(end.port.to_string()),
        },
        None => Value::Absent,
    };
    // As Falco has it, ends are told apart only once one of them has asked the other.
    let connection = || {
        event
            .connection()
            .filter(|connection| connection.role != Role::None)
    };
    let client = || connection()?.client();
    let server = || connection()?.server();
    let both = || connection().filter(|connection| connection.role != Role::Listener);
    let local = || both().map(|connection| connection.local);
    let remote = || both()?.remote;
    let meta = || event.record().file_meta(Tag::FileMeta);
    let target = || event.descriptor().map(|descriptor| descriptor.target);
    let in_container = |name: Option<&[u8]>| match name {
        Some(name) => {
            let id = event.container().map_or("", |container| container.id());
            Value::owned_text([id.as_bytes(), b":", name].concat())
        }
        None => Value::Absent,
    };
    Some(match field {
        Field::FdNum => event.descriptor_number().map_or(Value::Absent, Value::Int),
        Field::FdType => target().map_or(Value::Absent, |target| Value::text(target.name().as_bytes())),
        Field::FdTypechar => match target() {
            Some(target) => Value::text(target.letter().as_bytes()),
            // What a failed call would have made still has its letter.
            None if event.is_open() => Value::text(b"f"),
            None if matches!(event.parts.event_type.name(), "socket" | "accept" | "accept4") => {
                Value::text(b"4")
            }
            None if event.descriptor_number() == Some(-1) => match event.target_of_maker() {
                Some(target) => Value::text(target.letter().as_bytes()),
                None => Value::text(b"o"),
            },
            None => Value::Absent,
        },
        Field::FdName => text(event.name()),
        Field::FdRealpath => match target() {
            Some(target) if target.is_file() || target == Target::Memfd || target == Target::Pipe => {
                text(event.record().text(Tag::File))
            }
            _ => Value::Absent,
        },
        Field::FdNameraw => match event.record().text(Tag::Path) {
            Some(path) if event.is_open() => Value::Text(paths::without_doubled_slashes(path)),
            _ => text(event.name()),
        },
        Field::FdDirectory => text(directory(event)),
        Field::FdFilename => match target() {
            Some(Target::File) => text(event.name().map(paths::file_name)),
            _ => Value::Absent,
        },
        Field::FdContainername => in_container(event.name()),
        Field::FdContainerdirectory => in_container(directory(event)),
        Field::FdIp | Field::FdNet => match connection() {
            Some(connection) => Value::Addresses([
                Some(connection.local.address),
                connection.remote.map(|end| end.address),
            ]),
            None => Value::Absent,
        },
        Field::FdCip | Field::FdCnet | Field::FdCipName => address(client()),
        Field::FdSip | Field::FdSnet | Field::FdSipName => address(server()),
        Field::FdLip | Field::FdLnet | Field::FdLipName => address(local()),
        Field::FdRip | Field::FdRnet | Field::FdRipName => address(remote()),
        Field::FdPort | Field::FdProto => match connection() {
            Some(connection) => {
                Value::Ports([Some(connection.local.port), connection.remote.map(|end| end.port)])
            }
            None => Value::Absent,
        },
        Field::FdCport => port(client()),
        Field::FdSport => port(server()),
        Field::FdLport => port(local()),
        Field::FdRport => port(remote()),
        Field::FdCproto => service(client()),
        Field::FdSproto => service(server()),
        Field::FdLproto => service(local()),
        Field::FdRproto => service(remote()),
        // What is no socket of IP, or a socket that nobody has asked anything of yet, has a text that is no protocol's.
        Field::FdL4proto => match (event.protocol(), target()) {
            (Some(name), _) if name == "raw" || connection().is_some() => Value::text(name.as_bytes()),
            (_, Some(_)) => Value::text(b"<NA>"),
            (_, None) => Value::Absent,
        },
        Field::FdSockfamily => match target() {
            Some(Target::Socket4 | Target::Socket6) => Value::text(b"ip"),
            Some(Target::SocketUnix) => Value::text(b"unix"),
            _ => Value::Absent,
        },
        Field::FdIsServer => match (target(), event.connection()) {
            (Some(_), Some(connection)) => {
                Value::Bool(matches!(connection.role, Role::Server | Role::Listener))
            }
            (Some(_), None) => Value::Bool(false),
            _ => Value::Absent,
        },
        Field::FdUid => match event.descriptor_number() {
            Some(number) => Value::owned_text(format!("{}{number}", event.header.tid)),
            None => Value::Absent,
        },
        Field::FdConnected => match (target(), event.connection()) {
            (Some(_), Some(connection)) => Value::Bool(connection.connected),
            (Some(target), None) => {
                let established = event
                    .record()
                    .socket(Tag::Socket)
                    .is_some_and(|socket| socket.state == 1);
                Value::Bool(target == Target::SocketUnix && established)
            }
            _ => Value::Absent,
        },
        Field::FdNameChanged => match target() {
            Some(_) => Value::Bool(event.parts.name_changed),
            None => Value::Absent,
        },
        Field::FdDev => meta().map_or(Value::Absent, |meta| {
            Value::Int(i64::try_from(user_device(meta.device)).unwrap_or(i64::MAX))
        }),
        Field::FdDevMajor => meta().map_or(Value::Absent, |meta| Value::Int(i64::from(meta.device >> 20))),
        Field::FdDevMinor => meta().map_or(Value::Absent, |meta| {
            Value::Int(i64::from(meta.device & 0xf_ffff))
        }),
        Field::FdIno => meta().map_or(Value::Absent, |meta| {
            Value::Int(i64::try_from(meta.inode).unwrap_or(i64::MAX))
        }),
        Field::FdIsUpperLayer => meta().map_or(Value::Absent, |meta| {
            Value::Bool(meta.flags & FILE_UPPER_LAYER != 0)
        }),
        Field::FdIsLowerLayer => meta().map_or(Value::Absent, |meta| {
            Value::Bool(meta.flags & FILE_LOWER_LAYER != 0)
        }),
        Field::FdTypes => match argument {
            // Only standard streams are followed: a list of all would not be one.
            Argument::Index(number) => match usize::try_from(*number) {
                Ok(number) => match event.parts.process.streams.get(number) {
                    Some(Some(stream)) => Value::List(vec![Value::text(stream.kind.as_bytes())]),
                    _ => Value::Absent,
                },
                Err(_) => Value::Absent,
            },
            _ => Value::Absent,
        },
        Field::FsPathName
        | Field::FsPathNameraw
        | Field::FsPathSource
        | Field::FsPathSourceraw
        | Field::FsPathTarget
        | Field::FsPathTargetraw
            if event.has_failed() =>
        {
            // What did not happen has no paths, as in Falco; the call's arguments have them.
            Value::Absent
        }
        Field::FsPathName => match event.path_kind() {
            PathKind::One => event.first_path().into_value(),
            PathKind::OfDescriptor => text(event.name()),
            _ => Value::Absent,
        },
        Field::FsPathNameraw => match event.path_kind() {
            PathKind::One => event.first_path().raw(),
            PathKind::OfDescriptor => text(event.name()),
            _ => Value::Absent,
        },
        Field::FsPathSource => event.source_path().map_or(Value::Absent, NamedPath::into_value),
        Field::FsPathSourceraw => event.source_path().map_or(Value::Absent, NamedPath::raw),
        Field::FsPathTarget => event.target_path().map_or(Value::Absent, NamedPath::into_value),
        Field::FsPathTargetraw => event.target_path().map_or(Value::Absent, NamedPath::raw),
        Field::FsPathRealname => match event.path_kind() {
            PathKind::One if event.is_open() => text(event.record().text(Tag::File)),
            PathKind::One => text(event.resolved(Tag::Path)),
            PathKind::OfDescriptor => text(event.record().text(Tag::File)),
            PathKind::None => text(event.resolved(Tag::Path)),
            PathKind::Move | PathKind::Link => Value::Absent,
        },
        Field::FsPathRealsource => match event.path_kind() {
            PathKind::Move => text(event.resolved(Tag::Path)),
            PathKind::Link => text(event.resolved(Tag::SecondPath)),
            _ => Value::Absent,
        },
        Field::FsPathRealtarget => match event.path_kind() {
            PathKind::Move => text(event.resolved(Tag::SecondPath)),
            PathKind::Link => text(event.resolved(Tag::Path)),
            _ => Value::Absent,
        },
        _ => return None,
    })
}

fn directory(event: &KernelEvent) -> Option<&[u8]> {
    match event.descriptor().map(|descriptor| descriptor.target) {
        Some(Target::Folder) => event.name(),
        Some(Target::File) => event.name().map(paths::folder),
        // The file that a failed call asked for has a folder, too.
        None if event.is_open() => event.name().map(paths::folder),
        _ => None,
    }
}
