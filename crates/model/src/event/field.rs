//! The fields of the rule language: their names, what they hold, and what argument they take.

/// What a field holds, which decides the operators that it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FieldKind {
    /// A signed number.
    Int,
    /// An unsigned number.
    Uint,
    /// A truth value.
    Bool,
    /// A string.
    Text,
    /// A path: a string, compared as such, that `pmatch` takes apart.
    Path,
    /// A buffer.
    Bytes,
    /// An IP address.
    Address,
    /// An IP network.
    Network,
    /// A port number.
    Port,
    /// A duration in nanoseconds.
    Duration,
    /// A point in time, nanoseconds since the Unix epoch.
    Time,
}

/// What may stand in brackets after a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ArgumentRule {
    /// Nothing.
    None,
    /// A number may stand there.
    OptionalIndex,
    /// A number must stand there.
    RequiredIndex,
    /// A text may stand there.
    OptionalKey,
    /// A text must stand there.
    RequiredKey,
}

/// The argument of a field as a rule gives it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub enum Argument {
    /// None given.
    #[default]
    None,
    /// A number.
    Index(u64),
    /// A text.
    Key(Box<str>),
}

/// What is known of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FieldInfo {
    /// The name that rules use.
    pub name: &'static str,
    /// What it holds.
    pub kind: FieldKind,
    /// Whether it holds several values.
    pub list: bool,
    /// What may stand in brackets.
    pub argument: ArgumentRule,
    /// What it means, in one sentence.
    pub description: &'static str,
}

macro_rules! fields {
    ($($variant:ident $name:literal $kind:ident $list:literal $argument:ident $description:literal)*) => {
        /// A field of the rule language.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u16)]
        pub enum Field {
            $(#[doc = $description] $variant),*
        }

        /// Every field, in the order of [`Field`].
        pub static FIELDS: &[(Field, FieldInfo)] = &[
            $((Field::$variant, FieldInfo {
                name: $name,
                kind: FieldKind::$kind,
                list: $list,
                argument: ArgumentRule::$argument,
                description: $description,
            })),*
        ];
    };
}

impl Field {
    /// The field with this name, without its argument.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        FIELDS
            .iter()
            .find(|(_, info)| info.name == name)
            .map(|(field, _)| *field)
    }

    /// What is known of it.
    #[must_use]
    pub fn info(self) -> &'static FieldInfo {
        &FIELDS[self as usize].1
    }
}

fields! {
    EvtNum "evt.num" Uint false None "The number of the event since the start."
    EvtType "evt.type" Text false None "The name of the event."
    EvtArg "evt.arg" Text false RequiredKey "A parameter of the event as text, by name or number."
    FdName "fd.name" Path false None "The full name of the file, or the two ends of the connection."
    FdRealpath "fd.realpath" Path false None "The file that the kernel opened, links followed, as the process sees it (Hullward's own field)."
    ProcName "proc.name" Text false None "The name of the process, at most 15 bytes."
}
