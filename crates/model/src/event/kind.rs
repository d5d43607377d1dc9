//! The event types that rules name with `evt.type`, and the parameters that they name with `evt.arg`.

/// An event type: an index into [`EVENT_TYPES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventType(pub u16);

/// A named parameter of an event, in the order of `evt.args`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parameter {
    /// The name, as in `evt.arg.NAME`.
    pub name: &'static str,
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
}

impl EventType {
    /// The type with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let index = EVENT_TYPES.iter().position(|info| info.name == name)?;
        u16::try_from(index).ok().map(Self)
    }

    /// What is known of it.
    #[must_use]
    pub fn info(self) -> &'static EventTypeInfo {
        static UNKNOWN: EventTypeInfo = EventTypeInfo {
            name: "unknown",
            parameters: &[],
            is_syscall: false,
        };
        EVENT_TYPES.get(usize::from(self.0)).unwrap_or(&UNKNOWN)
    }

    /// The name that rules use.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.info().name
    }
}

macro_rules! event_types {
    ($($name:literal $syscall:literal [$($parameter:literal)*])*) => {
        /// Every event type of the rule language that can occur, the most frequent kinds of files first.
        pub static EVENT_TYPES: &[EventTypeInfo] = &[
            $(EventTypeInfo { name: $name, is_syscall: $syscall, parameters: &[$(Parameter { name: $parameter }),*] }),*
        ];
    };
}

// A name that is also in this table is written here; the parameters are those of the live version of each event.
event_types! {
    "open" true ["fd" "name" "flags" "mode" "dev" "ino"]
    "openat" true ["fd" "dirfd" "name" "flags" "mode" "dev" "ino"]
    "openat2" true ["fd" "dirfd" "name" "flags" "mode" "resolve" "dev" "ino"]
    "creat" true ["fd" "name" "mode" "dev" "ino" "creat_flags"]
    "execve" true ["res" "exe" "args" "tid" "pid" "ptid" "cwd" "fdlimit" "pgft_maj" "pgft_min" "vm_size" "vm_rss" "vm_swap" "comm" "cgroups" "env" "tty" "vpgid" "loginuid" "flags" "cap_inheritable" "cap_permitted" "cap_effective" "exe_ino" "exe_ino_ctime" "exe_ino_mtime" "uid" "trusted_exepath" "pgid" "gid" "filename"]
    "connect" true ["res" "tuple" "fd" "addr"]
}
