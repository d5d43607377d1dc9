//! Berkeley DB hash files (`Packages` of Red Hat Enterprise Linux up to 8 and its relatives), in either byte order.

use super::LARGEST_HEADER;
use crate::page_set::{self, PageSet};
use model::{Content, ReadSeek};
use std::io::{Read, SeekFrom};

const MAGIC: u32 = 0x0006_1561;
/// Size of a page's own header.
const PAGE_HEADER: usize = 26;
const META_HASH: u8 = 8;
const PAGE_HASH_UNSORTED: u8 = 2;
const PAGE_OVERFLOW: u8 = 7;
const PAGE_HASH: u8 = 13;
const ITEM_KEY_DATA: u8 = 1;
const ITEM_OFF_PAGE: u8 = 3;

/// In which order the machine that wrote the file puts bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum ByteOrder {
    Little,
    Big,
}

impl ByteOrder {
    fn u16_at(self, bytes: &[u8], at: usize) -> Option<u16> {
        let bytes = *bytes.get(at..)?.first_chunk()?;
        Some(match self {
            Self::Little => u16::from_le_bytes(bytes),
            Self::Big => u16::from_be_bytes(bytes),
        })
    }

    fn u32_at(self, bytes: &[u8], at: usize) -> Option<u32> {
        let bytes = *bytes.get(at..)?.first_chunk()?;
        Some(match self {
            Self::Little => u32::from_le_bytes(bytes),
            Self::Big => u32::from_be_bytes(bytes),
        })
    }
}

/// The byte order of a hash file by its first 16 bytes; `None` if it is none.
pub(super) fn byte_order(head: &[u8]) -> Option<ByteOrder> {
    [ByteOrder::Little, ByteOrder::Big]
        .into_iter()
        .find(|order| order.u32_at(head, 12) == Some(MAGIC))
}

struct Database<'a> {
    reader: Box<dyn ReadSeek + 'a>,
    order: ByteOrder,
    page_size: usize,
    /// Number of pages that the file really has.
    pages: u32,
}

/// Calls `each` with the header of every package, in the order of the pages.
pub(super) fn headers(
    content: &mut dyn Content,
    order: ByteOrder,
    each: &mut dyn FnMut(&[u8]) -> bool,
) -> Result<(), String> {
    let size = content.size();
    let mut reader = content.reader().map_err(|error| error.to_string())?;
    let mut meta = [0; 72];
    reader
        .read_exact(&mut meta)
        .map_err(|_| "the Berkeley DB file is shorter than its header")?;
    let page_size = order.u32_at(&meta, 20).unwrap_or_default() as usize;
    if !page_size.is_power_of_two() || !(512..=65536).contains(&page_size) {
        return Err(format!(
            "the Berkeley DB file has an impossible page size of {page_size}"
        ));
    }
    if meta[24] != 0 {
        return Err("the Berkeley DB file is encrypted".to_owned());
    }
    if meta[25] != META_HASH {
        return Err("the Berkeley DB file is no hash".to_owned());
    }
    let there = page_set::count(size, page_size);
    let claimed = order.u32_at(&meta, 32).unwrap_or_default().saturating_add(1);
    let mut problem = (claimed > there).then(|| {
        format!(
            "the Berkeley DB file is cut short: it has {there} of {claimed} pages; packages may be missing"
        )
    });
    let mut database = Database {
        reader,
        order,
        page_size,
        pages: there,
    };
    let mut visited = PageSet::default();
    for number in 1..claimed.min(there) {
        let page = match database.page(number) {
            Ok(page) => page,
            Err(error) => {
                problem.get_or_insert(error);
                continue;
            }
        };
        if !matches!(page.get(25), Some(&(PAGE_HASH | PAGE_HASH_UNSORTED))) {
            continue;
        }
        let entries = usize::from(order.u16_at(&page, 20).unwrap_or_default());
        let item = |index: usize| -> Option<&[u8]> {
            let offset_of = |index: usize| order.u16_at(&page, PAGE_HEADER + 2 * index).map(usize::from);
            let start = offset_of(index)?;
            let end = match index.checked_sub(1) {
                // Items are laid down from the page's end towards its start.
                Some(before) => offset_of(before)?,
                None => page.len(),
            };
            page.get(start..end)
        };
        // Keys and values take turns.
        for index in (0..entries.saturating_sub(1)).step_by(2) {
            let (Some(key), Some(value)) = (item(index), item(index + 1)) else {
                problem.get_or_insert_with(|| format!("page {number} of the Berkeley DB file is damaged"));
                break;
            };
            // The entry under key 0 is no package but the highest key that was given out.
            if key.get(1..).is_none_or(|key| key.iter().all(|byte| *byte == 0)) {
                continue;
            }
            let blob = match value.first() {
                Some(&ITEM_KEY_DATA) => Ok(value.get(1..).unwrap_or_default().to_vec()),
                Some(&ITEM_OFF_PAGE) => database.off_page(value, &mut visited),
                _ => Err(format!(
                    "page {number} of the Berkeley DB file holds an item of unknown kind"
                )),
            };
            match blob {
                Ok(blob) => {
                    if !each(&blob) {
                        return Ok(());
                    }
                }
                Err(error) => _ = problem.get_or_insert(error),
            }
        }
    }
    problem.map_or(Ok(()), Err)
}

impl Database<'_> {
    /// A value that lies in a chain of overflow pages.
    fn off_page(&mut self, item: &[u8], visited: &mut PageSet) -> Result<Vec<u8>, String> {
        let broken = "an item of the Berkeley DB file is damaged";
        let mut next = self.order.u32_at(item, 4).ok_or(broken)?;
        let size = self.order.u32_at(item, 8).ok_or(broken)? as usize;
        if size > LARGEST_HEADER {
            return Err(format!("an item of the Berkeley DB file claims {size} bytes"));
        }
        let mut blob = Vec::new();
        while blob.len() < size {
            if next == 0 || next >= self.pages {
                return Err(format!(
                    "the Berkeley DB file refers to page {next} of {}",
                    self.pages
                ));
            }
            if !visited.insert(next) {
                return Err(format!("page {next} of the Berkeley DB file is used twice"));
            }
            let page = self.page(next)?;
            let length = usize::from(self.order.u16_at(&page, 22).unwrap_or_default());
            let data = page.get(PAGE_HEADER..PAGE_HEADER + length).ok_or(broken)?;
            if page.get(25) != Some(&PAGE_OVERFLOW) || data.is_empty() {
                return Err(format!("page {next} of the Berkeley DB file is no overflow page"));
            }
            blob.extend_from_slice(data);
            next = self.order.u32_at(&page, 16).unwrap_or_default();
        }
        blob.truncate(size);
        Ok(blob)
    }

    fn page(&mut self, number: u32) -> Result<Vec<u8>, String> {
        let mut page = vec![0; self.page_size];
        self.reader
            .seek(SeekFrom::Start(u64::from(number) * self.page_size as u64))
            .and_then(|_| self.reader.read_exact(&mut page))
            .map_err(|error| format!("page {number} of the Berkeley DB file could not be read: {error}"))?;
        Ok(page)
    }
}

#[cfg(test)]
mod tests {
    use super::super::header::tests::{bash, count};
    use super::*;
    use model::MemoryContent;
    use proptest::prelude::*;

    const PAGE: usize = 512;

    /// A hash with one page that holds the highest key, one off-page package and the same package inline; the overflow chain
    /// goes `chain` pages from page 2 on.
    fn database(order: ByteOrder, chain: &[u32]) -> Vec<u8> {
        let put16 = |page: &mut [u8], at: usize, value: u16| match order {
            ByteOrder::Little => page[at..at + 2].copy_from_slice(&value.to_le_bytes()),
            ByteOrder::Big => page[at..at + 2].copy_from_slice(&value.to_be_bytes()),
        };
        let put32 = |page: &mut [u8], at: usize, value: u32| match order {
            ByteOrder::Little => page[at..at + 4].copy_from_slice(&value.to_le_bytes()),
            ByteOrder::Big => page[at..at + 4].copy_from_slice(&value.to_be_bytes()),
        };
        let blob = bash();
        let last = 1 + chain.len() as u32;
        let mut file = vec![0; PAGE];
        put32(&mut file, 12, MAGIC);
        put32(&mut file, 20, PAGE as u32);
        file[25] = META_HASH;
        put32(&mut file, 32, last);

        let mut off_page = vec![ITEM_OFF_PAGE, 0, 0, 0];
        off_page.resize(12, 0);
        put32(&mut off_page, 4, 2);
        put32(&mut off_page, 8, blob.len() as u32);
        let mut inline = vec![ITEM_KEY_DATA];
        inline.extend(&blob);
        let items: [&[u8]; 6] = [
            &[1, 0, 0, 0, 0],
            &[1, 9, 0, 0, 0],
            &[1, 1, 0, 0, 0],
            &off_page,
            &[1, 2, 0, 0, 0],
            &inline,
        ];
        let mut page = vec![0; PAGE];
        page[25] = PAGE_HASH;
        put16(&mut page, 20, 6);
        let mut at = PAGE;
        for (index, item) in items.iter().enumerate() {
            at -= item.len();
            page[at..at + item.len()].copy_from_slice(item);
            put16(&mut page, 26 + 2 * index, at as u16);
        }
        file.extend(page);

        let part = blob.len().div_ceil(chain.len().max(1));
        for (index, next) in chain.iter().enumerate() {
            let mut page = vec![0; PAGE];
            page[25] = PAGE_OVERFLOW;
            put32(&mut page, 16, *next);
            let data = &blob[(index * part).min(blob.len())..((index + 1) * part).min(blob.len())];
            put16(&mut page, 22, data.len() as u16);
            page[26..26 + data.len()].copy_from_slice(data);
            file.extend(page);
        }
        file
    }

    #[test]
    fn reads_both_byte_orders_inline_and_overflow() {
        for order in [ByteOrder::Little, ByteOrder::Big] {
            assert_eq!(count(database(order, &[3, 4, 0])), (2, Ok(())), "{order:?}");
        }
    }

    #[test]
    fn cycles_and_cut_files_end_in_a_problem() {
        let (found, result) = count(database(ByteOrder::Little, &[3, 2, 0]));
        assert_eq!(found, 1);
        assert!(result.expect_err("a cycle").contains("used twice"));
        let mut cut = database(ByteOrder::Little, &[3, 4, 0]);
        cut.truncate(3 * PAGE);
        let (found, result) = count(cut);
        assert_eq!(found, 1);
        assert!(result.expect_err("cut").contains("3 of 5 pages"));
    }

    proptest! {
        #[test]
        fn damaged_databases_never_panic(at in 0_usize..2560, value in any::<u8>(), cut in 0_usize..2600) {
            let mut file = database(ByteOrder::Little, &[3, 4, 0]);
            let at = at % file.len();
            file[at] = value;
            let _ = super::super::headers(&mut MemoryContent(file.clone()), &mut |_| true);
            file.truncate(cut);
            let _ = super::super::headers(&mut MemoryContent(file), &mut |_| true);
        }
    }
}
