//! The entries of one layer, compact: each path shares its beginning with the one before.

use model::{Entry, EntryKind};
use serde::{Deserialize, Serialize};

/// All entries of one layer in the order of its archive.
///
/// An entry takes some 20 bytes: length of the beginning shared with the previous path, the rest of the path, kind and mode,
/// and then a file's size or a link's target.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryList {
    count: u64,
    whiteouts: u64,
    #[serde(with = "byte_string")]
    bytes: Vec<u8>,
    /// Path of the last entry, against which the next is coded; not kept in the cache.
    #[serde(skip)]
    last: String,
}

const KIND_BITS: u64 = 3;

impl EntryList {
    /// Number of entries.
    #[must_use]
    pub fn len(&self) -> usize {
        usize::try_from(self.count).unwrap_or(usize::MAX)
    }

    /// True without any entry.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Bytes that the list takes.
    #[must_use]
    pub fn byte_len(&self) -> usize {
        self.bytes.len()
    }

    /// Number of whiteouts and opaque marks among the entries.
    #[must_use]
    pub fn whiteouts(&self) -> u64 {
        self.whiteouts
    }

    /// Adds an entry.
    pub fn push(&mut self, entry: &Entry<'_>) {
        let mut shared = self
            .last
            .bytes()
            .zip(entry.path.bytes())
            .take_while(|(left, right)| left == right)
            .count();
        while !entry.path.is_char_boundary(shared) {
            shared -= 1;
        }
        let rest = entry.path.get(shared..).unwrap_or_default();
        put(&mut self.bytes, shared as u64);
        put(&mut self.bytes, rest.len() as u64);
        self.bytes.extend_from_slice(rest.as_bytes());
        put(
            &mut self.bytes,
            u64::from(entry.mode & 0o7777) << KIND_BITS | kind_code(entry.kind),
        );
        match entry.kind {
            EntryKind::File => put(&mut self.bytes, entry.size),
            EntryKind::Symlink | EntryKind::Hardlink => {
                let link = entry.link.unwrap_or_default();
                put(&mut self.bytes, link.len() as u64);
                self.bytes.extend_from_slice(link.as_bytes());
            }
            EntryKind::Folder | EntryKind::Special => {}
        }
        self.last.truncate(shared);
        self.last.push_str(rest);
        self.count += 1;
        if model::path::file_name(entry.path).starts_with(".wh.") {
            self.whiteouts += 1;
        }
    }

    /// A cursor that lends one entry at a time without allocating.
    #[must_use]
    pub fn cursor(&self) -> Cursor<'_> {
        Cursor {
            bytes: &self.bytes,
            path: String::new(),
        }
    }

    /// The entries with paths of their own.
    pub fn iter(&self) -> impl Iterator<Item = ListedEntry<'_>> {
        let mut cursor = self.cursor();
        std::iter::from_fn(move || {
            let link = cursor.advance()?;
            Some(ListedEntry {
                path: cursor.path.clone(),
                kind: link.kind,
                size: link.size,
                mode: link.mode,
                link: link.link,
            })
        })
    }
}

/// One entry of an [`EntryList`], on its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedEntry<'a> {
    /// Normalised path.
    pub path: String,
    /// What it is.
    pub kind: EntryKind,
    /// Bytes of a regular file.
    pub size: u64,
    /// Permission bits.
    pub mode: u32,
    /// Target of a link.
    pub link: Option<&'a str>,
}

impl ListedEntry<'_> {
    /// As extractors see it.
    #[must_use]
    pub fn entry(&self) -> Entry<'_> {
        Entry {
            path: &self.path,
            kind: self.kind,
            size: self.size,
            mode: self.mode,
            link: self.link,
        }
    }
}

/// Walks an [`EntryList`] without allocating for each entry.
pub struct Cursor<'a> {
    bytes: &'a [u8],
    path: String,
}

struct Rest<'a> {
    kind: EntryKind,
    size: u64,
    mode: u32,
    link: Option<&'a str>,
}

impl<'a> Cursor<'a> {
    /// The next entry. A list that was damaged in the cache ends early.
    #[must_use]
    pub fn next_entry(&mut self) -> Option<Entry<'_>> {
        let rest = self.advance()?;
        Some(Entry {
            path: &self.path,
            kind: rest.kind,
            size: rest.size,
            mode: rest.mode,
            link: rest.link,
        })
    }

    fn advance(&mut self) -> Option<Rest<'a>> {
        let shared = usize::try_from(take(&mut self.bytes)?).ok()?;
        let suffix = self.take_text()?;
        if shared > self.path.len() || !self.path.is_char_boundary(shared) {
            return None;
        }
        self.path.truncate(shared);
        self.path.push_str(suffix);
        let head = take(&mut self.bytes)?;
        let kind = kind_of(head & ((1 << KIND_BITS) - 1))?;
        let mut rest = Rest {
            kind,
            size: 0,
            mode: u32::try_from(head >> KIND_BITS).ok()?,
            link: None,
        };
        match kind {
            EntryKind::File => rest.size = take(&mut self.bytes)?,
            EntryKind::Symlink | EntryKind::Hardlink => rest.link = Some(self.take_text()?),
            EntryKind::Folder | EntryKind::Special => {}
        }
        Some(rest)
    }

    fn take_text(&mut self) -> Option<&'a str> {
        let length = usize::try_from(take(&mut self.bytes)?).ok()?;
        let (text, rest) = self.bytes.split_at_checked(length)?;
        self.bytes = rest;
        std::str::from_utf8(text).ok()
    }
}

fn kind_code(kind: EntryKind) -> u64 {
    match kind {
        EntryKind::File => 0,
        EntryKind::Folder => 1,
        EntryKind::Symlink => 2,
        EntryKind::Hardlink => 3,
        EntryKind::Special => 4,
    }
}

fn kind_of(code: u64) -> Option<EntryKind> {
    match code {
        0 => Some(EntryKind::File),
        1 => Some(EntryKind::Folder),
        2 => Some(EntryKind::Symlink),
        3 => Some(EntryKind::Hardlink),
        4 => Some(EntryKind::Special),
        _ => None,
    }
}

/// Appends a number, seven bits a byte, lowest first.
fn put(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn take(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

/// Serialises the buffer as one byte string: a sequence of numbers would cost a call for each byte.
mod byte_string {
    use serde::de::{Deserializer, Error, SeqAccess, Visitor};
    use serde::ser::Serializer;
    use std::fmt;

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(bytes)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        struct Bytes;
        impl<'de> Visitor<'de> for Bytes {
            type Value = Vec<u8>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a byte string")
            }

            fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
                Ok(bytes.to_vec())
            }

            fn visit_byte_buf<E: Error>(self, bytes: Vec<u8>) -> Result<Vec<u8>, E> {
                Ok(bytes)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Vec<u8>, A::Error> {
                let mut bytes = Vec::new();
                while let Some(byte) = sequence.next_element()? {
                    bytes.push(byte);
                }
                Ok(bytes)
            }
        }
        deserializer.deserialize_byte_buf(Bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_entry() -> impl Strategy<Value = (String, EntryKind, u64, u32, String)> {
        (
            "[abü/]{1,12}",
            prop_oneof![
                Just(EntryKind::File),
                Just(EntryKind::Folder),
                Just(EntryKind::Symlink),
                Just(EntryKind::Hardlink),
                Just(EntryKind::Special)
            ],
            any::<u64>(),
            0..0o10000_u32,
            "[a./]{0,8}",
        )
    }

    proptest! {
        #[test]
        fn what_goes_in_comes_out(entries in proptest::collection::vec(any_entry(), 0..40)) {
            let mut list = EntryList::default();
            let mut expected = Vec::new();
            for (path, kind, size, mode, link) in &entries {
                let is_link = matches!(kind, EntryKind::Symlink | EntryKind::Hardlink);
                let entry = ListedEntry {
                    path: path.clone(),
                    kind: *kind,
                    size: if *kind == EntryKind::File { *size } else { 0 },
                    mode: *mode,
                    link: is_link.then_some(link.as_str()),
                };
                list.push(&entry.entry());
                expected.push(entry);
            }
            let json = serde_json::to_vec(&list).unwrap();
            let again: EntryList = serde_json::from_slice(&json).unwrap();
            prop_assert_eq!(again.len(), entries.len());
            let got: Vec<_> = again.iter().collect();
            prop_assert_eq!(got, expected);
        }

        #[test]
        fn damaged_lists_end_early(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let list = EntryList { count: 9, whiteouts: 0, bytes, last: String::new() };
            prop_assert!(list.iter().count() <= list.byte_len());
        }
    }
}
