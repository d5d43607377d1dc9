//! Values of fields: what an event answers, and the owned form that alerts keep.
//!
//! Addresses come from `core`, which opens no socket.

use core::net::IpAddr;
use std::borrow::Cow;

/// What an event answers for a field. Text is bytes, since paths and names need not be UTF-8.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Value<'a> {
    /// The event has no such value; every operator is false.
    #[default]
    Absent,
    /// A truth value.
    Bool(bool),
    /// A signed number.
    Int(i64),
    /// An unsigned number; times are nanoseconds.
    Uint(u64),
    /// A string; compared up to its first NUL.
    Text(Cow<'a, [u8]>),
    /// A buffer; NULs belong to it.
    Bytes(Cow<'a, [u8]>),
    /// One address.
    Address(IpAddr),
    /// Both ends of a connection: equality holds when either is equal, inequality when both differ.
    Addresses([Option<IpAddr>; 2]),
    /// Both ports of a connection, compared as [`Value::Addresses`] is.
    Ports([Option<u16>; 2]),
    /// Several values.
    List(Vec<Value<'a>>),
}

impl<'a> Value<'a> {
    /// A string.
    #[must_use]
    pub fn text(bytes: &'a [u8]) -> Self {
        Self::Text(Cow::Borrowed(bytes))
    }

    /// A string that the value owns.
    #[must_use]
    pub fn owned_text(text: impl Into<Vec<u8>>) -> Self {
        Self::Text(Cow::Owned(text.into()))
    }

    /// Whether there is a value.
    #[must_use]
    pub fn is_present(&self) -> bool {
        !matches!(self, Self::Absent)
    }
}

/// A value as alerts keep and print it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum FieldValue {
    /// No value: `<NA>` in text, `null` in JSON.
    #[default]
    Absent,
    /// A truth value.
    Bool(bool),
    /// A signed number.
    Int(i64),
    /// An unsigned number.
    Uint(u64),
    /// The values of a field that has several: `(a,b)` in text, an array in JSON. None of them is a list.
    List(Vec<Self>),
    /// Anything else, rendered, invalid UTF-8 replaced.
    Text(String),
}

impl FieldValue {
    /// The value as text; `None` when there is none.
    #[must_use]
    pub fn rendered(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Absent => None,
            Self::Bool(value) => Some(Cow::Borrowed(if *value { "true" } else { "false" })),
            Self::Int(value) => Some(Cow::Owned(value.to_string())),
            Self::Uint(value) => Some(Cow::Owned(value.to_string())),
            Self::List(values) => {
                let texts: Vec<Cow<'_, str>> = values
                    .iter()
                    .map(|value| match value {
                        Self::List(_) | Self::Absent => Cow::Borrowed("<NA>"),
                        value => value.rendered().unwrap_or_default(),
                    })
                    .collect();
                Some(Cow::Owned(format!("({})", texts.join(","))))
            }
            Self::Text(value) => Some(Cow::Borrowed(value)),
        }
    }
}
