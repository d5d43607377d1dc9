//! A set of page numbers, one bit each: how walks over database pages notice cycles without much memory.

/// Most pages that are looked at: 32 GiB of the smallest.
const MOST_PAGES: u64 = 1 << 26;

/// How many whole pages a file has.
pub(crate) fn count(size: u64, page_size: usize) -> u32 {
    u32::try_from((size / page_size as u64).min(MOST_PAGES)).unwrap_or(u32::MAX)
}

/// Page numbers of one file.
#[derive(Default)]
pub(crate) struct PageSet {
    words: Vec<u64>,
}

impl PageSet {
    /// Adds a page; false when it was there already. The caller has checked that the file has such a page, which bounds the
    /// memory to one bit a page.
    pub(crate) fn insert(&mut self, page: u32) -> bool {
        let index = (page / 64) as usize;
        let bit = 1_u64 << (page % 64);
        if self.words.len() <= index {
            self.words.resize(index + 1, 0);
        }
        match self.words.get_mut(index) {
            Some(word) if *word & bit == 0 => {
                *word |= bit;
                true
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::PageSet;

    #[test]
    fn remembers() {
        let mut pages = PageSet::default();
        assert!(pages.insert(0) && pages.insert(64) && pages.insert(63));
        assert!(!pages.insert(64) && !pages.insert(0));
    }
}
