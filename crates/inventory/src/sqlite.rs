//! A read-only reader of SQLite database files, enough to walk one table; own code because package databases come from
//! hostile images and a full SQL engine is neither needed nor wanted on them.
//!
//! Reference: <https://www.sqlite.org/fileformat2.html>. Every page is visited at most once, so cycles end; sizes that the
//! file claims are checked against the file before anything is reserved. Changes that are still in a write-ahead log are
//! not seen.

use crate::page_set::{self, PageSet};
use model::{Content, ReadSeek};
use std::io::{Read, SeekFrom};

/// First bytes of every database file.
pub(crate) const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// Largest row that is read, in bytes.
const LARGEST_ROW: u64 = 32 << 20;

/// One column of a row.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    /// NULL, and numbers that nobody here needs.
    Null,
    /// An integer.
    Integer(i64),
    /// Text in the database's encoding (UTF-8 in all databases read here), or a blob.
    Bytes(Vec<u8>),
}

impl Value {
    /// The bytes of a text or blob.
    pub(crate) fn bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            Self::Null | Self::Integer(_) => None,
        }
    }
}

/// An open database.
pub(crate) struct Database<'a> {
    reader: Box<dyn ReadSeek + 'a>,
    page_size: usize,
    usable: usize,
    pages: u32,
}

impl<'a> Database<'a> {
    /// Opens a database.
    ///
    /// # Errors
    /// A message when the header is not one of SQLite's or cannot be.
    pub(crate) fn open(content: &'a mut dyn Content) -> Result<Self, String> {
        let size = content.size();
        let mut reader = content.reader().map_err(|error| error.to_string())?;
        let mut header = [0; 100];
        reader
            .read_exact(&mut header)
            .map_err(|_| "the SQLite database is shorter than its header")?;
        if !header.starts_with(MAGIC) {
            return Err("the file is no SQLite database".to_owned());
        }
        let page_size = match u16_at(&header, 16).unwrap_or_default() {
            1 => 65536,
            size if size >= 512 && size.is_power_of_two() => usize::from(size),
            size => {
                return Err(format!(
                    "the SQLite database has an impossible page size of {size}"
                ));
            }
        };
        let usable = page_size - usize::from(header[20]);
        if usable < 480 {
            return Err("the SQLite database reserves nearly all of its pages".to_owned());
        }
        let pages = page_set::count(size, page_size);
        Ok(Self {
            reader,
            page_size,
            usable,
            pages,
        })
    }

    /// Calls `each` with the number and the columns of every row of a table, in the order of its b-tree; false stops. A
    /// column that is `INTEGER PRIMARY KEY` is NULL in the file and here; its value is the row's number.
    ///
    /// # Errors
    /// A message when there is no such table or when a part of it is damaged; the rows of all intact pages were given.
    pub(crate) fn rows(
        &mut self,
        table: &str,
        mut each: impl FnMut(i64, &[Value]) -> bool,
    ) -> Result<(), String> {
        let mut root = None;
        let schema = self.walk(1, &mut |_, row| {
            if let [kind, name, _, page, ..] = row
                && kind.bytes() == Some(b"table")
                && name.bytes() == Some(table.as_bytes())
                && let Value::Integer(page) = page
            {
                root = u32::try_from(*page).ok();
            }
            root.is_none()
        });
        match root {
            Some(root) => self.walk(root, &mut each),
            None => schema.and(Err(format!("the SQLite database has no table `{table}`"))),
        }
    }

    /// Walks a table's b-tree from its root, left to right.
    fn walk(&mut self, root: u32, each: &mut dyn FnMut(i64, &[Value]) -> bool) -> Result<(), String> {
        let mut visited = PageSet::default();
        let mut stack = Vec::new();
        let mut damage = None;
        // Cells do not overlap, so that all rows together are no larger than the file.
        let mut left = u64::from(self.pages) * self.page_size as u64;
        match self.enter(root, &mut visited) {
            Ok(()) => stack.push(root),
            Err(error) => damage = Some(error),
        }
        while let Some(number) = stack.pop() {
            let page = match self.page(number) {
                Ok(page) => page,
                Err(error) => {
                    damage.get_or_insert(error);
                    continue;
                }
            };
            // The first page begins with the file's header.
            let start = if number == 1 { 100 } else { 0 };
            let broken = || format!("page {number} of the SQLite database is no valid table page");
            let kind = page.get(start).copied().unwrap_or_default();
            let cells = usize::from(u16_at(&page, start + 3).unwrap_or_default());
            match kind {
                5 => {
                    let mut children = Vec::new();
                    for cell in 0..cells {
                        let child = u16_at(&page, start + 12 + 2 * cell)
                            .and_then(|at| u32_at(&page, usize::from(at)));
                        match child {
                            Some(child) => children.push(child),
                            None => _ = damage.get_or_insert_with(broken),
                        }
                    }
                    children.extend(u32_at(&page, start + 8));
                    let above = stack.len();
                    for child in children {
                        match self.enter(child, &mut visited) {
                            Ok(()) => stack.push(child),
                            Err(error) => _ = damage.get_or_insert(error),
                        }
                    }
                    // The leftmost child comes next.
                    if let Some(new) = stack.get_mut(above..) {
                        new.reverse();
                    }
                }
                13 => {
                    for cell in 0..cells {
                        let at = u16_at(&page, start + 8 + 2 * cell).map(usize::from);
                        let row = at
                            .ok_or_else(broken)
                            .and_then(|at| self.payload(&page, at, &mut visited))
                            .and_then(|(row_id, payload)| {
                                // Two bytes more point at the cell.
                                left = left
                                    .checked_sub(payload.len() as u64 + 2)
                                    .ok_or("the rows of the SQLite database are larger than the database")?;
                                columns(&payload)
                                    .map(|columns| (row_id, columns))
                                    .ok_or_else(|| "a row of the SQLite database is damaged".to_owned())
                            });
                        match row {
                            Ok((row_id, row)) => {
                                if !each(row_id, &row) {
                                    return Ok(());
                                }
                            }
                            Err(error) => {
                                damage.get_or_insert(error);
                                if left < page.len() as u64 {
                                    break;
                                }
                            }
                        }
                    }
                }
                _ => _ = damage.get_or_insert_with(broken),
            }
        }
        damage.map_or(Ok(()), Err)
    }

    /// The row's number and the payload of the leaf cell at `at`, with its overflow pages.
    fn payload(&mut self, page: &[u8], at: usize, visited: &mut PageSet) -> Result<(i64, Vec<u8>), String> {
        let cell = page.get(at..self.usable).unwrap_or_default();
        let broken = "a cell of the SQLite database lies outside its page";
        let (size, rest) = varint(cell).ok_or(broken)?;
        let (row_id, rest) = varint(rest).ok_or(broken)?;
        if size > LARGEST_ROW {
            return Err(format!(
                "a row of the SQLite database claims {size} bytes, too many"
            ));
        }
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        let local = self.local_size(size);
        let mut payload = rest.get(..local).ok_or(broken)?.to_vec();
        if local < size {
            let mut next = u32_at(rest, local).ok_or(broken)?;
            while payload.len() < size {
                self.enter(next, visited)?;
                let page = self.page(next)?;
                let wanted = (size - payload.len()).min(self.usable - 4);
                payload.extend_from_slice(page.get(4..4 + wanted).ok_or(broken)?);
                next = u32_at(&page, 0).unwrap_or_default();
            }
        }
        Ok((row_id.cast_signed(), payload))
    }

    /// How many bytes of a payload lie in the leaf itself.
    fn local_size(&self, size: usize) -> usize {
        let most = self.usable - 35;
        if size <= most {
            return size;
        }
        let least = (self.usable - 12) * 32 / 255 - 23;
        let local = least + (size - least) % (self.usable - 4);
        if local <= most { local } else { least }
    }

    /// Marks a page as visited: an error when the file has no such page or when it was visited before.
    fn enter(&self, number: u32, visited: &mut PageSet) -> Result<(), String> {
        if number == 0 || number > self.pages {
            Err(format!(
                "the SQLite database refers to page {number} of {}",
                self.pages
            ))
        } else if visited.insert(number) {
            Ok(())
        } else {
            Err(format!("page {number} of the SQLite database is used twice"))
        }
    }

    /// Reads a page that was entered.
    fn page(&mut self, number: u32) -> Result<Vec<u8>, String> {
        let mut page = vec![0; self.page_size];
        let at = u64::from(number.saturating_sub(1)) * self.page_size as u64;
        self.reader
            .seek(SeekFrom::Start(at))
            .and_then(|_| self.reader.read_exact(&mut page))
            .map_err(|error| format!("page {number} of the SQLite database could not be read: {error}"))?;
        Ok(page)
    }
}

/// The columns of a record; `None` when it is damaged.
fn columns(payload: &[u8]) -> Option<Vec<Value>> {
    let (header_size, _) = varint(payload)?;
    let header_size = usize::try_from(header_size).ok()?;
    let mut header = payload.get(..header_size)?;
    let mut body = payload.get(header_size..)?;
    header = varint(header)?.1;
    let mut values = Vec::new();
    while !header.is_empty() {
        let (kind, rest) = varint(header)?;
        header = rest;
        let size = match kind {
            0 | 8..=11 => 0,
            1..=4 => kind,
            5 => 6,
            6 | 7 => 8,
            _ => (kind - 12) / 2,
        };
        let (bytes, rest) = body.split_at_checked(usize::try_from(size).ok()?)?;
        body = rest;
        values.push(match kind {
            1..=6 => {
                let negative = bytes.first().is_some_and(|first| first & 0x80 != 0);
                let start = if negative { -1 } else { 0 };
                Value::Integer(
                    bytes
                        .iter()
                        .fold(start, |value, byte| (value << 8) | i64::from(*byte)),
                )
            }
            8 => Value::Integer(0),
            9 => Value::Integer(1),
            12.. => Value::Bytes(bytes.to_vec()),
            _ => Value::Null,
        });
    }
    Some(values)
}

/// A variable-length integer and what follows it.
fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0_u64;
    for (index, &byte) in bytes.iter().enumerate().take(9) {
        if index == 8 {
            return Some(((value << 8) | u64::from(byte), bytes.get(9..)?));
        }
        value = (value << 7) | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some((value, bytes.get(index + 1..)?));
        }
    }
    None
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    let bytes = bytes.get(at..)?.first_chunk()?;
    Some(u16::from_be_bytes(*bytes))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..)?.first_chunk()?;
    Some(u32::from_be_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::MemoryContent;
    use proptest::prelude::*;

    #[test]
    fn varints() {
        assert_eq!(varint(&[0x7f, 1]), Some((127, &[1][..])));
        assert_eq!(varint(&[0x81, 0]), Some((128, &[][..])));
        assert_eq!(varint(&[0xff; 9]), Some((u64::MAX, &[][..])));
        assert_eq!(varint(&[0x80]), None);
        assert_eq!(varint(&[]), None);
    }

    #[test]
    fn columns_of_every_kind() {
        // Header of 7 bytes: NULL, 1-byte integer, 2-byte integer, one, 3-byte blob, 1-byte text.
        let record = [7, 0, 1, 2, 9, 18, 15, 0xff, 1, 0, b'a', b'b', b'c', b'x'];
        let expected = [
            Value::Null,
            Value::Integer(-1),
            Value::Integer(256),
            Value::Integer(1),
            Value::Bytes(b"abc".to_vec()),
            Value::Bytes(b"x".to_vec()),
        ];
        assert_eq!(columns(&record).expect("valid"), expected);
        assert_eq!(columns(&record[..record.len() - 1]), None);
    }

    /// A database of one table, in pages of 512 bytes, whose root is an interior page with the given children.
    fn database(children: &[u32], pages: &[Vec<u8>]) -> Vec<u8> {
        let mut first = vec![0; 512];
        first[..16].copy_from_slice(MAGIC);
        first[16..18].copy_from_slice(&512_u16.to_be_bytes());
        let record = [
            6, 23, 15, 15, 1, 15, b't', b'a', b'b', b'l', b'e', b't', b't', 2, b's',
        ];
        let mut cell = vec![15, 1];
        cell.extend(record);
        let at = 512 - cell.len();
        first[at..].copy_from_slice(&cell);
        first[100] = 13;
        first[103..105].copy_from_slice(&1_u16.to_be_bytes());
        first[108..110].copy_from_slice(&(at as u16).to_be_bytes());
        let mut root = vec![0; 512];
        root[0] = 5;
        root[3..5].copy_from_slice(&((children.len() - 1) as u16).to_be_bytes());
        for (index, child) in children.iter().enumerate() {
            if index + 1 == children.len() {
                root[8..12].copy_from_slice(&child.to_be_bytes());
            } else {
                let at = 400 + 8 * index;
                root[12 + 2 * index..14 + 2 * index].copy_from_slice(&(at as u16).to_be_bytes());
                root[at..at + 4].copy_from_slice(&child.to_be_bytes());
            }
        }
        let mut file = first;
        file.extend(root);
        pages.iter().for_each(|page| file.extend(page));
        file
    }

    /// A leaf with one row of one integer.
    fn leaf(value: u8) -> Vec<u8> {
        let mut page = vec![0; 512];
        page[0] = 13;
        page[4] = 1;
        page[8..10].copy_from_slice(&500_u16.to_be_bytes());
        page[500..505].copy_from_slice(&[3, 1, 2, 1, value]);
        page
    }

    fn read(file: Vec<u8>) -> (Vec<Value>, Result<(), String>) {
        let mut found = Vec::new();
        let mut content = MemoryContent(file);
        let result = Database::open(&mut content).and_then(|mut database| {
            database.rows("t", |_, row| {
                found.extend(row.iter().cloned());
                true
            })
        });
        (found, result)
    }

    #[test]
    fn interior_pages_in_order_and_cycles_end() {
        let file = database(&[3, 4], &[leaf(1), leaf(2)]);
        assert_eq!(read(file), (vec![Value::Integer(1), Value::Integer(2)], Ok(())));

        let (found, result) = read(database(&[3, 2, 3, 4], &[leaf(1), leaf(2)]));
        assert_eq!(found, [Value::Integer(1), Value::Integer(2)]);
        assert!(result.expect_err("a cycle").contains("used twice"));

        let (found, result) = read(database(&[3, 900], &[leaf(1)]));
        assert_eq!(found, [Value::Integer(1)]);
        assert!(result.expect_err("no such page").contains("page 900 of 3"));
    }

    #[test]
    fn overflow_chain_that_bites_its_tail_ends() {
        let mut page = vec![0; 512];
        page[0] = 13;
        page[4] = 1;
        page[8..10].copy_from_slice(&100_u16.to_be_bytes());
        // 1 MiB claimed; the overflow page is the leaf's own second neighbour and points at itself.
        page[100..103].copy_from_slice(&[0xc0, 0x80, 0x00]);
        let mut looping = vec![0; 512];
        looping[..4].copy_from_slice(&4_u32.to_be_bytes());
        let least = (512 - 12) * 32 / 255 - 23;
        let local = {
            let local = least + ((1 << 20) - least) % 508;
            if local <= 477 { local } else { least }
        };
        page[104 + local..108 + local].copy_from_slice(&4_u32.to_be_bytes());
        let (found, result) = read(database(&[3], &[page, looping]));
        assert!(found.is_empty());
        assert!(result.expect_err("a cycle").contains("used twice"));
    }

    #[test]
    fn cells_that_overlap_end_in_a_problem() {
        // 200 pointers at one cell, which takes most of the page.
        let mut page = vec![0; 512];
        page[0] = 13;
        page[4] = 200;
        for cell in 0..200 {
            page[8 + 2 * cell..10 + 2 * cell].copy_from_slice(&408_u16.to_be_bytes());
        }
        page[408..413].copy_from_slice(&[100, 1, 3, 0x81, 0x4e]);
        let (found, result) = read(database(&[3], &[page]));
        assert!(found.len() < 16, "{}", found.len());
        assert!(
            result
                .expect_err("overlapping cells")
                .contains("larger than the database")
        );
    }

    proptest! {
        #[test]
        fn damaged_databases_never_panic(at in 16_usize..1536, value in any::<u8>(), cut in 0_usize..1536) {
            let mut file = database(&[3], &[leaf(1)]);
            file[at] = value;
            let _ = read(file.clone());
            file.truncate(cut);
            let _ = read(file);
        }
    }
}
