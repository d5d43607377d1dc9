//! The records that the eBPF programs write and captures keep: a fixed header, then tagged chunks.
//!
//! All numbers are little-endian. A record is [`HEADER_SIZE`] bytes of [`Header`], then chunks: tag `u16`, length `u16`,
//! that many bytes, padded to a multiple of 4. `bpf/events.h` holds the same layout for the kernel side.

/// Bytes of the header.
pub const HEADER_SIZE: usize = 128;

/// The largest record, in bytes.
pub const MAXIMUM_RECORD: usize = 64 << 10;

/// What kind of record it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Kind {
    /// A system call returned.
    Syscall = 1,
    /// A process runs a new program; holds a whole snapshot of the process.
    Exec = 2,
    /// A process or thread was made; the header speaks of the child, a snapshot without `Argv` and `Environment`.
    Fork = 3,
    /// A thread ended; `ret` is the kernel's exit code, `args[0]` is 1 when it was the last of its process.
    Exit = 4,
    /// A process that ran before the sensor did; a snapshot as [`Kind::Exec`].
    Snapshot = 5,
    /// An operation was given to io_uring, and has not run yet; `syscall` is the opcode. Arguments are where the system
    /// call of the same purpose has them (`openat`, `renameat2`, `unlinkat`, `connect` ...), paths are those that the
    /// kernel has copied.
    IoUring = 6,
    /// A TCP socket is connected, ended, or listens; `args[0]` old, `args[1]` new state. The work of interrupts: the header
    /// names no process and no control group; [`Socket::cookie`] tells which socket.
    SocketState = 7,
    /// A control group was made (`args[0]` 1) or removed (2), or a task moved into it (3); `cgroup` is the one.
    Cgroup = 8,
    /// A file that a process had open before the sensor ran; `ret` is the descriptor.
    SnapshotFile = 9,
}

impl Kind {
    /// The kind with this number.
    #[must_use]
    pub fn of(number: u8) -> Option<Self> {
        Some(match number {
            1 => Self::Syscall,
            2 => Self::Exec,
            3 => Self::Fork,
            4 => Self::Exit,
            5 => Self::Snapshot,
            6 => Self::IoUring,
            7 => Self::SocketState,
            8 => Self::Cgroup,
            9 => Self::SnapshotFile,
            _ => return None,
        })
    }
}

/// What a chunk holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u16)]
pub enum Tag {
    /// The first path argument, as the caller gave it.
    Path = 1,
    /// The second path argument, as the caller gave it.
    SecondPath = 2,
    /// The folder that a relative [`Tag::Path`] starts from, as the caller's root sees it.
    Base = 3,
    /// The folder that a relative [`Tag::SecondPath`] starts from.
    SecondBase = 4,
    /// The path of the file that the kernel really used, as the caller's root sees it.
    File = 5,
    /// [`FileMeta`] of [`Tag::File`].
    FileMeta = 6,
    /// [`Socket`]: both ends of the socket used.
    Socket = 7,
    /// The path of a Unix socket: the peer's, or else its own; an abstract name starts with NUL.
    UnixPath = 8,
    /// The socket address that the caller gave, as the kernel copied it.
    Address = 9,
    /// The first bytes read or written.
    Data = 10,
    /// The name of the thread (`comm`).
    Comm = 11,
    /// The arguments, each ended by NUL.
    Argv = 12,
    /// The environment, each entry ended by NUL.
    Environment = 13,
    /// The working folder.
    WorkingFolder = 14,
    /// [`Credentials`].
    Credentials = 15,
    /// [`Process`].
    Process = 16,
    /// The path of the control group below its hierarchy; sent when the group was not seen before.
    Cgroup = 17,
    /// The interpreter (`bprm->interp`) where it is another file than the one that was executed.
    Interpreter = 18,
    /// The path of the second file used (`dup`, `sendfile`, `splice`).
    SecondFile = 19,
    /// [`FileMeta`] of [`Tag::SecondFile`].
    SecondFileMeta = 20,
    /// The program as the caller named it (`bprm->filename`).
    Filename = 21,
    /// The path of the program that runs (`mm->exe_file`).
    Executable = 22,
    /// [`FileMeta`] of [`Tag::Executable`].
    ExecutableMeta = 23,
    /// A third text of the call: file system type of `mount`, arguments of `finit_module`.
    Text = 24,
    /// Ancillary data of `sendmsg`/`recvmsg`.
    Control = 25,
    /// [`Socket`] of [`Tag::SecondFile`].
    SecondSocket = 26,
    /// How the kernel described the open file: flags of `struct file` (`u32`), descriptor (`i32`).
    OpenFile = 27,
    /// Where [`Tag::Path`] led, links followed, of calls that open nothing; where the kernel tells.
    Resolved = 28,
    /// The same of [`Tag::SecondPath`].
    SecondResolved = 29,
}

/// The fixed part of every record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Header {
    /// Bytes of the whole record, header included, padding included.
    pub size: u32,
    /// A [`Kind`].
    pub kind: u8,
    /// 0 native, 1 the 32-bit system call table of the architecture.
    pub abi: u8,
    /// The processor that wrote it; bit 15 is set for what interrupts do, which is counted by itself.
    pub cpu: u16,
    /// Nanoseconds since boot, suspended time included.
    pub time: u64,
    /// The control group of the thread now (identity of the kernel's file node).
    pub cgroup: u64,
    /// The thread, in the first PID namespace.
    pub tid: u32,
    /// The process, in the first PID namespace.
    pub tgid: u32,
    /// The parent process.
    pub ppid: u32,
    /// The number of the system call in the table that `abi` names.
    pub syscall: u32,
    /// The effective user, in the first user namespace.
    pub uid: u32,
    /// The effective group.
    pub gid: u32,
    /// Inode number of the mount namespace.
    pub mount_namespace: u32,
    /// Inode number of the PID namespace.
    pub pid_namespace: u32,
    /// What the call returned.
    pub ret: i64,
    /// The arguments as registers held them.
    pub args: [u64; 6],
    /// When the process (not the thread) started, nanoseconds since boot; with `tgid` its identity.
    pub start_time: u64,
    /// Counts the records of this processor without gaps, lost ones included.
    pub sequence: u64,
}

/// A record that does not follow the layout.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// Fewer bytes than the header, or than the header says.
    #[error("record of {have} bytes ends early: {want} bytes expected")]
    Short {
        /// Bytes there are.
        have: usize,
        /// Bytes there should be.
        want: usize,
    },
    /// A chunk reaches beyond the record.
    #[error("chunk {tag} at byte {at} reaches beyond its record")]
    Chunk {
        /// The chunk's tag.
        tag: u16,
        /// Where it starts.
        at: usize,
    },
}

/// A record, decoded as far as its header; chunks are found when asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    /// The fixed part.
    pub header: Header,
    chunks: &'a [u8],
}

impl<'a> Record<'a> {
    /// Takes one record from the start of `bytes`; every chunk is checked to lie within it.
    ///
    /// # Errors
    /// When the bytes end early or a chunk reaches beyond its record.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, WireError> {
        let mut reader = Reader { bytes };
        if bytes.len() < HEADER_SIZE {
            return Err(WireError::Short {
                have: bytes.len(),
                want: HEADER_SIZE,
            });
        }
        let header = Header {
            size: reader.u32(),
            kind: reader.u8(),
            abi: reader.u8(),
            cpu: reader.u16(),
            time: reader.u64(),
            cgroup: reader.u64(),
            tid: reader.u32(),
            tgid: reader.u32(),
            ppid: reader.u32(),
            syscall: reader.u32(),
            uid: reader.u32(),
            gid: reader.u32(),
            mount_namespace: reader.u32(),
            pid_namespace: reader.u32(),
            ret: reader.i64(),
            args: [
                reader.u64(),
                reader.u64(),
                reader.u64(),
                reader.u64(),
                reader.u64(),
                reader.u64(),
            ],
            start_time: reader.u64(),
            sequence: reader.u64(),
        };
        let want = header.size as usize;
        if want < HEADER_SIZE || want > bytes.len() {
            return Err(WireError::Short {
                have: bytes.len(),
                want: want.max(HEADER_SIZE),
            });
        }
        let chunks = &bytes[HEADER_SIZE..want];
        let mut at = 0;
        while at + 4 <= chunks.len() {
            let tag = u16::from_le_bytes([chunks[at], chunks[at + 1]]);
            let length = usize::from(u16::from_le_bytes([chunks[at + 2], chunks[at + 3]]));
            if at + 4 + length > chunks.len() {
                return Err(WireError::Chunk {
                    tag,
                    at: HEADER_SIZE + at,
                });
            }
            at += 4 + length.next_multiple_of(4);
        }
        Ok(Self { header, chunks })
    }

    /// A record whose chunks were checked before, by [`Record::parse`].
    pub(crate) fn from_parts(header: Header, chunks: &'a [u8]) -> Self {
        Self { header, chunks }
    }

    /// All chunks, as they were written.
    #[must_use]
    pub fn chunks(&self) -> &'a [u8] {
        self.chunks
    }

    /// Whether there is a chunk with one of these tags.
    #[must_use]
    pub fn has_any(&self, tags: &[Tag]) -> bool {
        let mut rest = self.chunks;
        while let [tag_low, tag_high, length_low, length_high, content @ ..] = rest {
            let tag = u16::from_le_bytes([*tag_low, *tag_high]);
            if tags.iter().any(|wanted| *wanted as u16 == tag) {
                return true;
            }
            let length = usize::from(u16::from_le_bytes([*length_low, *length_high]));
            rest = content.get(length.next_multiple_of(4)..).unwrap_or_default();
        }
        false
    }

    /// The content of the first chunk with this tag.
    #[must_use]
    pub fn chunk(&self, tag: Tag) -> Option<&'a [u8]> {
        let mut rest = self.chunks;
        while let [tag_low, tag_high, length_low, length_high, content @ ..] = rest {
            let length = usize::from(u16::from_le_bytes([*length_low, *length_high]));
            if u16::from_le_bytes([*tag_low, *tag_high]) == tag as u16 {
                return content.get(..length);
            }
            rest = content.get(length.next_multiple_of(4)..)?;
        }
        None
    }

    /// A text chunk, up to its first NUL (an abstract Unix path keeps its leading one).
    #[must_use]
    pub fn text(&self, tag: Tag) -> Option<&'a [u8]> {
        let bytes = self.chunk(tag)?;
        let skip = usize::from(bytes.first() == Some(&0) && matches!(tag, Tag::UnixPath));
        let end = bytes[skip..]
            .iter()
            .position(|byte| *byte == 0)
            .map_or(bytes.len(), |end| end + skip);
        Some(&bytes[..end])
    }

    /// The facts of a file chunk ([`Tag::FileMeta`], [`Tag::SecondFileMeta`], [`Tag::ExecutableMeta`]).
    #[must_use]
    pub fn file_meta(&self, tag: Tag) -> Option<FileMeta> {
        let bytes = self.chunk(tag)?;
        (bytes.len() >= FileMeta::SIZE).then(|| {
            let mut reader = Reader { bytes };
            FileMeta {
                inode: reader.u64(),
                change_time: reader.u64(),
                modify_time: reader.u64(),
                device: reader.u32(),
                mode: reader.u32(),
                flags: reader.u32(),
                filesystem_magic: reader.u32(),
                owner: reader.u32(),
                mount: reader.u32(),
            }
        })
    }

    /// Both ends of a socket ([`Tag::Socket`], [`Tag::SecondSocket`]).
    #[must_use]
    pub fn socket(&self, tag: Tag) -> Option<Socket> {
        let bytes = self.chunk(tag)?;
        (bytes.len() >= Socket::SIZE).then(|| {
            let mut reader = Reader { bytes };
            Socket {
                family: reader.u16(),
                kind: reader.u8(),
                protocol: reader.u8(),
                state: reader.u8(),
                role: reader.u8(),
                local_port: reader.u16(),
                remote_port: reader.u16(),
                protocol_wide: reader.u16(),
                cookie: reader.u64(),
                local: reader.array(),
                remote: reader.array(),
            }
        })
    }

    /// Users, groups and capabilities ([`Tag::Credentials`]).
    #[must_use]
    pub fn credentials(&self) -> Option<Credentials> {
        let bytes = self.chunk(Tag::Credentials)?;
        (bytes.len() >= Credentials::SIZE).then(|| {
            let mut reader = Reader { bytes };
            Credentials {
                uid: reader.u32(),
                effective_uid: reader.u32(),
                saved_uid: reader.u32(),
                filesystem_uid: reader.u32(),
                gid: reader.u32(),
                effective_gid: reader.u32(),
                saved_gid: reader.u32(),
                filesystem_gid: reader.u32(),
                login_uid: reader.u32(),
                user_namespace: reader.u32(),
                inheritable: reader.u64(),
                permitted: reader.u64(),
                effective: reader.u64(),
                bounding: reader.u64(),
                ambient: reader.u64(),
            }
        })
    }

    /// Identities of the process ([`Tag::Process`]).
    #[must_use]
    pub fn process(&self) -> Option<Process> {
        let bytes = self.chunk(Tag::Process)?;
        (bytes.len() >= Process::SIZE).then(|| {
            let mut reader = Reader { bytes };
            Process {
                parent_start_time: reader.u64(),
                process_group: reader.u32(),
                session: reader.u32(),
                virtual_tid: reader.u32(),
                virtual_pid: reader.u32(),
                virtual_parent: reader.u32(),
                virtual_process_group: reader.u32(),
                virtual_session: reader.u32(),
                terminal: reader.u32(),
                flags: reader.u32(),
                network_namespace: reader.u32(),
                ipc_namespace: reader.u32(),
                uts_namespace: reader.u32(),
                cgroup_namespace: reader.u32(),
                real_parent_tid: reader.u32(),
            }
        })
    }
}

/// Flag of [`FileMeta::flags`]: the file lies in the upper layer of an overlay: written after the container was made.
pub const FILE_UPPER_LAYER: u32 = 1;
/// Flag: the file lies in a lower layer of an overlay: it came with the image.
pub const FILE_LOWER_LAYER: u32 = 2;
/// Flag: the file is a memfd.
pub const FILE_MEMFD: u32 = 4;
/// Flag: no name leads to the file any more.
pub const FILE_DELETED: u32 = 8;
/// Flag: the path was cut, since it has too many parts or bytes.
pub const FILE_PATH_CUT: u32 = 16;
/// Flag: the caller may write to the file (of executables: mode bits and owner allow it).
pub const FILE_WRITABLE: u32 = 32;

/// Flag in the first number of [`Tag::OpenFile`], beside those of `struct file`: opening made the file (`FMODE_CREATED`).
pub const OPEN_CREATED: u32 = 1 << 31;

/// Facts of a file, from its inode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FileMeta {
    /// Inode number.
    pub inode: u64,
    /// Last change of the inode, nanoseconds since the Unix epoch.
    pub change_time: u64,
    /// Last change of the content, nanoseconds since the Unix epoch.
    pub modify_time: u64,
    /// Device as the kernel numbers it (`major << 20 | minor`).
    pub device: u32,
    /// Type and permission bits as `stat` gives them.
    pub mode: u32,
    /// `FILE_*` flags.
    pub flags: u32,
    /// Magic number of the file system.
    pub filesystem_magic: u32,
    /// Owner, in the first user namespace.
    pub owner: u32,
    /// The kernel's number of the mount.
    pub mount: u32,
}

impl FileMeta {
    /// Bytes on the wire.
    pub const SIZE: usize = 48;

    /// As it is on the wire.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let wide = [self.inode, self.change_time, self.modify_time];
        let narrow = [
            self.device,
            self.mode,
            self.flags,
            self.filesystem_magic,
            self.owner,
            self.mount,
        ];
        little_endian(&wide)
            .chain(little_endian_narrow(&narrow))
            .collect()
    }
}

/// Both ends of a socket, from the kernel's own object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Socket {
    /// Address family (`AF_INET` 2, `AF_INET6` 10, `AF_UNIX` 1 ...).
    pub family: u16,
    /// `SOCK_STREAM` 1, `SOCK_DGRAM` 2 ...
    pub kind: u8,
    /// Protocol, its low byte (`IPPROTO_TCP` 6, `IPPROTO_UDP` 17 ...).
    pub protocol: u8,
    /// State as TCP numbers it (1 established, 10 listening).
    pub state: u8,
    /// 0 not known, 1 this side connected, 2 this side accepted.
    pub role: u8,
    /// Port here, host byte order.
    pub local_port: u16,
    /// Port there, host byte order.
    pub remote_port: u16,
    /// Protocol, whole.
    pub protocol_wide: u16,
    /// The kernel's identity of the socket (its inode number).
    pub cookie: u64,
    /// Address here; IPv4 in the first 4 bytes.
    pub local: [u8; 16],
    /// Address there; IPv4 in the first 4 bytes.
    pub remote: [u8; 16],
}

impl Socket {
    /// Bytes on the wire.
    pub const SIZE: usize = 52;

    /// As it is on the wire.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.family.to_le_bytes().to_vec();
        bytes.extend_from_slice(&[self.kind, self.protocol, self.state, self.role]);
        for number in [self.local_port, self.remote_port, self.protocol_wide] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        bytes.extend_from_slice(&self.cookie.to_le_bytes());
        bytes.extend_from_slice(&self.local);
        bytes.extend_from_slice(&self.remote);
        bytes
    }
}

/// Users, groups and capabilities of a process, in the first user namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(missing_docs, reason = "the names are those of credentials(7)")]
pub struct Credentials {
    pub uid: u32,
    pub effective_uid: u32,
    pub saved_uid: u32,
    pub filesystem_uid: u32,
    pub gid: u32,
    pub effective_gid: u32,
    pub saved_gid: u32,
    pub filesystem_gid: u32,
    /// The user who logged in; `u32::MAX` when none did.
    pub login_uid: u32,
    /// Inode number of the user namespace.
    pub user_namespace: u32,
    pub inheritable: u64,
    pub permitted: u64,
    pub effective: u64,
    pub bounding: u64,
    pub ambient: u64,
}

impl Credentials {
    /// Bytes on the wire.
    pub const SIZE: usize = 80;

    /// As it is on the wire.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let narrow = [
            self.uid,
            self.effective_uid,
            self.saved_uid,
            self.filesystem_uid,
            self.gid,
            self.effective_gid,
            self.saved_gid,
            self.filesystem_gid,
            self.login_uid,
            self.user_namespace,
        ];
        let wide = [
            self.inheritable,
            self.permitted,
            self.effective,
            self.bounding,
            self.ambient,
        ];
        little_endian_narrow(&narrow)
            .chain(little_endian(&wide))
            .collect()
    }
}

/// Identities of a process and where it stands. "Virtual" numbers are those of its own PID namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Process {
    /// When the parent started, nanoseconds since boot.
    pub parent_start_time: u64,
    pub process_group: u32,
    pub session: u32,
    pub virtual_tid: u32,
    pub virtual_pid: u32,
    pub virtual_parent: u32,
    pub virtual_process_group: u32,
    pub virtual_session: u32,
    /// Device number of the controlling terminal (`major << 8 | minor` as `tty_nr` of `/proc/<pid>/stat`), 0 for none.
    pub terminal: u32,
    /// Flags of `clone` for [`Kind::Fork`].
    pub flags: u32,
    pub network_namespace: u32,
    pub ipc_namespace: u32,
    pub uts_namespace: u32,
    pub cgroup_namespace: u32,
    /// The thread that made this process.
    pub real_parent_tid: u32,
}

impl Process {
    /// Bytes on the wire.
    pub const SIZE: usize = 64;

    /// As it is on the wire.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let narrow = [
            self.process_group,
            self.session,
            self.virtual_tid,
            self.virtual_pid,
            self.virtual_parent,
            self.virtual_process_group,
            self.virtual_session,
            self.terminal,
            self.flags,
            self.network_namespace,
            self.ipc_namespace,
            self.uts_namespace,
            self.cgroup_namespace,
            self.real_parent_tid,
        ];
        little_endian(&[self.parent_start_time])
            .chain(little_endian_narrow(&narrow))
            .collect()
    }
}

fn little_endian(numbers: &[u64]) -> impl Iterator<Item = u8> {
    numbers.iter().flat_map(|number| number.to_le_bytes())
}

fn little_endian_narrow(numbers: &[u32]) -> impl Iterator<Item = u8> {
    numbers.iter().flat_map(|number| number.to_le_bytes())
}

/// Builds records: for tests, and for what captures add.
#[derive(Debug, Clone)]
pub struct RecordBuilder {
    bytes: Vec<u8>,
}

impl RecordBuilder {
    /// A record without chunks.
    #[must_use]
    pub fn new(header: &Header) -> Self {
        let mut bytes = Vec::with_capacity(HEADER_SIZE + 256);
        bytes.extend_from_slice(&0_u32.to_le_bytes());
        bytes.extend_from_slice(&[header.kind, header.abi]);
        bytes.extend_from_slice(&header.cpu.to_le_bytes());
        bytes.extend_from_slice(&header.time.to_le_bytes());
        bytes.extend_from_slice(&header.cgroup.to_le_bytes());
        for number in [
            header.tid,
            header.tgid,
            header.ppid,
            header.syscall,
            header.uid,
            header.gid,
            header.mount_namespace,
            header.pid_namespace,
        ] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        bytes.extend_from_slice(&header.ret.to_le_bytes());
        for argument in header.args {
            bytes.extend_from_slice(&argument.to_le_bytes());
        }
        bytes.extend_from_slice(&header.start_time.to_le_bytes());
        bytes.extend_from_slice(&header.sequence.to_le_bytes());
        Self { bytes }
    }

    /// A record to which chunks are added.
    #[must_use]
    pub fn of(record: &Record<'_>) -> Self {
        let mut builder = Self::new(&record.header);
        builder.bytes.extend_from_slice(record.chunks);
        builder.bytes.resize(builder.bytes.len().next_multiple_of(4), 0);
        builder
    }

    /// Adds a chunk; content beyond 65,535 bytes is cut.
    #[must_use]
    pub fn chunk(mut self, tag: Tag, content: &[u8]) -> Self {
        let length = u16::try_from(content.len()).unwrap_or(u16::MAX);
        self.bytes.extend_from_slice(&(tag as u16).to_le_bytes());
        self.bytes.extend_from_slice(&length.to_le_bytes());
        self.bytes.extend_from_slice(&content[..usize::from(length)]);
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
        self
    }

    /// The record's bytes.
    #[must_use]
    pub fn build(mut self) -> Vec<u8> {
        let size = u32::try_from(self.bytes.len()).unwrap_or(u32::MAX);
        self.bytes[..4].copy_from_slice(&size.to_le_bytes());
        self.bytes
    }
}

/// Takes numbers from the front of bytes whose length was checked; beyond the end they are zero.
struct Reader<'a> {
    bytes: &'a [u8],
}

impl Reader<'_> {
    fn array<const N: usize>(&mut self) -> [u8; N] {
        let Some((head, tail)) = self.bytes.split_first_chunk::<N>() else {
            self.bytes = &[];
            return [0; N];
        };
        self.bytes = tail;
        *head
    }

    fn u8(&mut self) -> u8 {
        u8::from_le_bytes(self.array())
    }

    fn u16(&mut self) -> u16 {
        u16::from_le_bytes(self.array())
    }

    fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.array())
    }

    fn u64(&mut self) -> u64 {
        u64::from_le_bytes(self.array())
    }

    fn i64(&mut self) -> i64 {
        i64::from_le_bytes(self.array())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_as_it_was_built() {
        let header = Header {
            kind: Kind::Syscall as u8,
            cpu: 3,
            time: 7,
            tid: 10,
            tgid: 9,
            syscall: 257,
            ret: -2,
            args: [1, 2, 3, 4, 5, 6],
            sequence: 99,
            ..Header::default()
        };
        let bytes = RecordBuilder::new(&header)
            .chunk(Tag::Path, b"/etc/shadow\0")
            .chunk(Tag::UnixPath, b"\0abstract")
            .build();
        let record = Record::parse(&bytes).unwrap();
        assert_eq!(
            record.header,
            Header {
                size: u32::try_from(bytes.len()).unwrap(),
                ..header
            }
        );
        assert_eq!(record.text(Tag::Path), Some(&b"/etc/shadow"[..]));
        assert_eq!(record.text(Tag::UnixPath), Some(&b"\0abstract"[..]));
        assert_eq!(record.chunk(Tag::File), None);
    }

    #[test]
    fn structures_are_read_as_they_were_written() {
        let credentials = Credentials {
            uid: 1,
            login_uid: 9,
            user_namespace: 10,
            inheritable: 11,
            ambient: 15,
            ..Credentials::default()
        };
        let process = Process {
            parent_start_time: 1,
            process_group: 2,
            real_parent_tid: 15,
            ..Process::default()
        };
        let meta = FileMeta {
            inode: 1,
            device: 4,
            mount: 9,
            ..FileMeta::default()
        };
        let socket = Socket {
            family: 1,
            role: 5,
            protocol_wide: 8,
            cookie: 9,
            remote: [7; 16],
            ..Socket::default()
        };
        assert_eq!(credentials.to_bytes().len(), Credentials::SIZE);
        assert_eq!(process.to_bytes().len(), Process::SIZE);
        assert_eq!(meta.to_bytes().len(), FileMeta::SIZE);
        assert_eq!(socket.to_bytes().len(), Socket::SIZE);
        let bytes = RecordBuilder::new(&Header::default())
            .chunk(Tag::Credentials, &credentials.to_bytes())
            .chunk(Tag::Process, &process.to_bytes())
            .chunk(Tag::FileMeta, &meta.to_bytes())
            .chunk(Tag::Socket, &socket.to_bytes())
            .build();
        let record = Record::parse(&bytes).unwrap();
        assert_eq!(record.credentials(), Some(credentials));
        assert_eq!(record.process(), Some(process));
        assert_eq!(record.file_meta(Tag::FileMeta), Some(meta));
        assert_eq!(record.socket(Tag::Socket), Some(socket));
    }

    #[test]
    fn cut_records_are_errors() {
        let bytes = RecordBuilder::new(&Header::default())
            .chunk(Tag::Data, b"12345")
            .build();
        for end in 0..bytes.len() {
            assert!(Record::parse(&bytes[..end]).is_err(), "{end} bytes");
        }
        let mut long = bytes.clone();
        long[HEADER_SIZE + 2] = 200;
        assert_eq!(
            Record::parse(&long),
            Err(WireError::Chunk {
                tag: Tag::Data as u16,
                at: HEADER_SIZE
            })
        );
    }
}
