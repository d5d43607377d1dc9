//! Reading redb's pages without trusting them: every size and place is checked against the file, every page against the
//! checksum that its parent has for it, from the commit slot in the header down.
//!
//! The engine itself believes the page numbers that it reads. A page number holds the page's size as a power of two, so one
//! flipped bit makes the engine ask for up to 4 GiB of memory; and what else is damaged may be returned as data. A file is
//! read far more often than it is written, so reading has code of its own and the engine writes.
//!
//! The format is version 3 of redb's, described in its `docs/design.md`. All numbers are little-endian.

use std::collections::HashMap;
use std::os::unix::fs::FileExt;
use std::sync::{Arc, Mutex, PoisonError};

const MAGIC: &[u8] = b"redb\x1a\x0a\xa9\x0d\x0a";
/// The header: 64 bytes of geometry and two commit slots.
const HEADER: usize = 64 + 2 * SLOT;
const SLOT: usize = 128;
/// Bytes of a checksum: XXH3 with 128 bits.
const CHECKSUM: usize = 16;
const PAGE_SIZE: u64 = 4096;
/// Page numbers have 20 bits for the page in its region, 20 for the region, and 5 for the size.
const NUMBER_MASK: u64 = 0xf_ffff;
/// Levels of a tree; a file of terabytes has fewer than ten.
const DEEPEST: usize = 32;
const LEAF: u8 = 1;
const BRANCH: u8 = 2;
/// Bytes of pages that are kept in memory.
const CACHE: usize = 16 << 20;

/// What is wrong with the file.
pub(super) type Damage = String;

/// A pointer to a page, with the checksum that the page must have.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pointer {
    number: u64,
    checksum: u128,
}

impl Pointer {
    fn read(bytes: &[u8], number_at: usize, checksum_at: usize) -> Option<Self> {
        Some(Self {
            number: u64_at(bytes, number_at)?,
            checksum: u128_at(bytes, checksum_at)?,
        })
    }
}

/// A file of pages.
pub(super) struct Pages {
    file: std::fs::File,
    length: u64,
    region_header_bytes: u64,
    region_bytes: u64,
    cache: Mutex<Cached>,
}

#[derive(Default)]
struct Cached {
    pages: HashMap<u64, Arc<[u8]>>,
    bytes: usize,
}

impl Pages {
    /// Reads the header; gives the root of the tree of tables, which is `None` in an empty file.
    pub(super) fn open(file: std::fs::File) -> Result<(Self, Option<Pointer>), Damage> {
        let length = file.metadata().map_err(|error| error.to_string())?.len();
        let mut header = [0; HEADER];
        file.read_exact_at(&mut header, 0)
            .map_err(|error| format!("its header could not be read: {error}"))?;
        if !header.starts_with(MAGIC) {
            return Err("it does not begin like one".to_owned());
        }
        let [state, ..] = header[MAGIC.len()..] else {
            return Err("it has no header".to_owned());
        };
        let geometry = |at| u32_at(&header, at).map(u64::from).unwrap_or_default();
        let (page_size, region_header, region_pages) = (geometry(12), geometry(16), geometry(20));
        if page_size != PAGE_SIZE || region_header > 1 << 20 || !(1..=1 << 20).contains(&region_pages) {
            return Err(format!(
                "its header tells of pages of {page_size} bytes in regions of {region_header} and {region_pages} pages"
            ));
        }
        let (region_header_bytes, region_bytes) = (
            region_header * PAGE_SIZE,
            (region_header + region_pages) * PAGE_SIZE,
        );
        let last_region = match geometry(28) {
            0 => 0,
            pages => region_header_bytes + pages * PAGE_SIZE,
        };
        let expected = PAGE_SIZE + geometry(24) * region_bytes + last_region;
        if expected != length {
            return Err(format!("it has {length} bytes, and its header says {expected}"));
        }
        if state & 2 != 0 {
            return Err("it was not written to its end".to_owned());
        }
        let slot = &header[64 + SLOT * usize::from(state & 1)..][..SLOT];
        let (body, checksum) = slot.split_at(SLOT - CHECKSUM);
        if slot.first() != Some(&3) || u128_at(checksum, 0) != Some(hash(body)) {
            return Err("its header is not what was written".to_owned());
        }
        let root = (body.get(1) != Some(&0))
            .then(|| Pointer::read(body, 8, 16))
            .flatten();
        let pages = Self {
            file,
            length,
            region_header_bytes,
            region_bytes,
            cache: Mutex::default(),
        };
        Ok((pages, root))
    }

    /// A page that is what its parent says.
    fn page(&self, pointer: Pointer) -> Result<Arc<[u8]>, Damage> {
        let cache = || self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(page) = cache().pages.get(&pointer.number) {
            return Ok(Arc::clone(page));
        }
        let damaged = || format!("the page {:#x} is damaged", pointer.number);
        let order = pointer.number >> 59;
        let index = pointer.number & (NUMBER_MASK >> order);
        let region = pointer.number >> 20 & NUMBER_MASK;
        // Below 2^51 and 2^52: nothing overflows.
        let size = PAGE_SIZE << order.min(20);
        let start = PAGE_SIZE + region * self.region_bytes + self.region_header_bytes + index * size;
        if order > 20 || start + size > self.length {
            return Err(damaged());
        }
        let mut bytes = vec![0; usize::try_from(size).map_err(|_| damaged())?];
        self.file
            .read_exact_at(&mut bytes, start)
            .map_err(|error| error.to_string())?;
        let used = used(&bytes).ok_or_else(damaged)?;
        if hash(used) != pointer.checksum {
            return Err(damaged());
        }
        let used = used.len();
        bytes.truncate(used);
        let page: Arc<[u8]> = bytes.into();
        let mut cached = cache();
        if cached.bytes + used > CACHE {
            *cached = Cached::default();
        }
        if used <= CACHE && cached.pages.insert(pointer.number, Arc::clone(&page)).is_none() {
            cached.bytes += used;
        }
        Ok(page)
    }

    /// Gives the value of a key in a tree to `read`.
    pub(super) fn get<T>(
        &self,
        root: Option<Pointer>,
        key: &[u8],
        read: impl FnOnce(&[u8]) -> T,
    ) -> Result<Option<T>, Damage> {
        let Some(mut at) = root else { return Ok(None) };
        for _ in 0..DEEPEST {
            let page = self.page(at)?;
            if page.first() == Some(&LEAF) {
                let leaf = Leaf(&page);
                let found = search(leaf.count(), |index| Some(leaf.key(index)?.cmp(key)));
                return match found {
                    None => Err(unreadable()),
                    Some(Err(_)) => Ok(None),
                    Some(Ok(index)) => leaf
                        .value(index)
                        .map(|value| Some(read(value)))
                        .ok_or_else(unreadable),
                };
            }
            let branch = Branch(&page);
            let child = search(branch.keys(), |index| Some(branch.key(index)?.cmp(key)));
            let child = child.and_then(|child| branch.child(child.unwrap_or_else(|child| child)));
            at = child.ok_or_else(unreadable)?;
        }
        Err(unreadable())
    }

    /// Gives every pair of a tree, in the order of keys.
    pub(super) fn all<E: From<Damage>>(
        &self,
        root: Option<Pointer>,
        mut each: impl FnMut(&[u8], &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        // What is still to be read, the next last.
        let mut open: Vec<(Pointer, usize)> = root.into_iter().map(|root| (root, 0)).collect();
        while let Some((pointer, depth)) = open.pop() {
            if depth > DEEPEST {
                return Err(unreadable().into());
            }
            let page = self.page(pointer)?;
            if page.first() == Some(&LEAF) {
                let leaf = Leaf(&page);
                for index in 0..leaf.count() {
                    let pair = leaf.key(index).zip(leaf.value(index));
                    let (key, value) = pair.ok_or_else(unreadable)?;
                    each(key, value)?;
                }
            } else {
                let branch = Branch(&page);
                for index in (0..=branch.keys()).rev() {
                    open.push((branch.child(index).ok_or_else(unreadable)?, depth + 1));
                }
            }
        }
        Ok(())
    }
}

/// Root of a table, from its definition in the tree of tables: kind, length, whether there is a root, the root.
pub(super) fn table_root(definition: &[u8]) -> Result<Option<Pointer>, Damage> {
    match definition.get(9) {
        None => Err(unreadable()),
        Some(0) => Ok(None),
        Some(_) => Pointer::read(definition, 10, 18).map(Some).ok_or_else(unreadable),
    }
}

fn unreadable() -> Damage {
    "a page has another form than it must have".to_owned()
}

/// Position of what compares as equal, or else where it would stand; `None` when something could not be compared.
fn search(
    count: usize,
    compare: impl Fn(usize) -> Option<std::cmp::Ordering>,
) -> Option<Result<usize, usize>> {
    let (mut low, mut high) = (0, count);
    while low < high {
        let middle = low.midpoint(high);
        match compare(middle)? {
            std::cmp::Ordering::Equal => return Some(Ok(middle)),
            std::cmp::Ordering::Less => low = middle + 1,
            std::cmp::Ordering::Greater => high = middle,
        }
    }
    Some(Err(low))
}

/// The part of a page that its checksum covers.
fn used(page: &[u8]) -> Option<&[u8]> {
    let end = match *page.first()? {
        LEAF => {
            let leaf = Leaf(page);
            leaf.value_end(leaf.count().checked_sub(1)?)?
        }
        BRANCH => {
            let branch = Branch(page);
            branch.key_end(branch.keys().checked_sub(1)?)?
        }
        _ => return None,
    };
    page.get(..end)
}

/// A page of pairs: kind, a byte, their number, the ends of all keys, the ends of all values, keys, values.
struct Leaf<'p>(&'p [u8]);

impl<'p> Leaf<'p> {
    fn count(&self) -> usize {
        u16_at(self.0, 2).map_or(0, usize::from)
    }

    fn key_end(&self, index: usize) -> Option<usize> {
        end_at(self.0, 4 + 4 * index)
    }

    fn value_end(&self, index: usize) -> Option<usize> {
        end_at(self.0, 4 + 4 * self.count() + 4 * index)
    }

    fn key(&self, index: usize) -> Option<&'p [u8]> {
        let start = match index.checked_sub(1) {
            Some(before) => self.key_end(before)?,
            None => 4 + 8 * self.count(),
        };
        self.0.get(start..self.key_end(index)?)
    }

    fn value(&self, index: usize) -> Option<&'p [u8]> {
        let start = match index.checked_sub(1) {
            Some(before) => self.value_end(before)?,
            None => self.key_end(self.count().checked_sub(1)?)?,
        };
        self.0.get(start..self.value_end(index)?)
    }
}

/// A page of pointers, one more than keys: kind, a byte, number of keys, four bytes, the checksums of all children, their
/// page numbers, the ends of all keys, keys.
struct Branch<'p>(&'p [u8]);

impl<'p> Branch<'p> {
    fn keys(&self) -> usize {
        u16_at(self.0, 2).map_or(0, usize::from)
    }

    fn children(&self) -> usize {
        self.keys() + 1
    }

    fn key_end(&self, index: usize) -> Option<usize> {
        end_at(self.0, 8 + (CHECKSUM + 8) * self.children() + 4 * index)
    }

    fn key(&self, index: usize) -> Option<&'p [u8]> {
        let start = match index.checked_sub(1) {
            Some(before) => self.key_end(before)?,
            None => 8 + (CHECKSUM + 8) * self.children() + 4 * self.keys(),
        };
        self.0.get(start..self.key_end(index)?)
    }

    fn child(&self, index: usize) -> Option<Pointer> {
        let numbers = 8 + CHECKSUM * self.children();
        Pointer::read(self.0, numbers + 8 * index, 8 + CHECKSUM * index)
    }
}

fn hash(bytes: &[u8]) -> u128 {
    twox_hash::XxHash3_128::oneshot(bytes)
}

fn end_at(bytes: &[u8], at: usize) -> Option<usize> {
    usize::try_from(u32_at(bytes, at)?).ok()
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn u128_at(bytes: &[u8], at: usize) -> Option<u128> {
    Some(u128::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}
