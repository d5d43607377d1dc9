//! Sorting more than fits into memory: pairs of bytes go in, come out sorted and grouped by key.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Collects pairs, spilling sorted runs into unnamed files of `folder` whenever `budget` bytes are reached.
pub(crate) struct Sorter {
    folder: PathBuf,
    budget: usize,
    bytes: Vec<u8>,
    pairs: Vec<Pair>,
    runs: Vec<std::fs::File>,
}

#[derive(Clone, Copy)]
struct Pair {
    start: usize,
    key: u32,
    value: u32,
}

impl Pair {
    fn of(self, bytes: &[u8]) -> (&[u8], &[u8]) {
        let (key, value) = (self.key as usize, self.value as usize);
        bytes[self.start..self.start + key + value].split_at(key)
    }
}

/// What each pair costs besides its bytes.
const OVERHEAD: usize = size_of::<Pair>();

impl Sorter {
    pub(crate) fn new(folder: &Path, budget: usize) -> Self {
        Self {
            folder: folder.to_owned(),
            budget,
            bytes: Vec::new(),
            pairs: Vec::new(),
            runs: Vec::new(),
        }
    }

    /// Takes a pair. Both parts must be shorter than 4 GiB.
    pub(crate) fn push(&mut self, key: &[u8], value: &[u8]) -> io::Result<()> {
        let too_long = |_| io::Error::other("a record of more than 4 GiB");
        let pair = Pair {
            start: self.bytes.len(),
            key: u32::try_from(key.len()).map_err(too_long)?,
            value: u32::try_from(value.len()).map_err(too_long)?,
        };
        self.bytes.extend_from_slice(key);
        self.bytes.extend_from_slice(value);
        self.pairs.push(pair);
        if self.bytes.len() + self.pairs.len() * OVERHEAD >= self.budget {
            self.spill()?;
        }
        Ok(())
    }

    fn sort(&mut self) {
        let bytes = &self.bytes;
        self.pairs.sort_unstable_by(|a, b| a.of(bytes).cmp(&b.of(bytes)));
    }

    fn spill(&mut self) -> io::Result<()> {
        self.sort();
        let mut file = BufWriter::with_capacity(1 << 20, tempfile::tempfile_in(&self.folder)?);
        for pair in &self.pairs {
            let (key, value) = pair.of(&self.bytes);
            file.write_all(&pair.key.to_le_bytes())?;
            file.write_all(&pair.value.to_le_bytes())?;
            file.write_all(key)?;
            file.write_all(value)?;
        }
        let mut file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.seek(SeekFrom::Start(0))?;
        self.runs.push(file);
        self.bytes.clear();
        self.pairs.clear();
        Ok(())
    }

    /// Gives each key once, in ascending order, with its values in ascending order. Equal pairs are given once.
    pub(crate) fn groups<E: From<io::Error>>(
        mut self,
        mut each: impl FnMut(&[u8], &[Vec<u8>]) -> Result<(), E>,
    ) -> Result<(), E> {
        self.sort();
        let mut runs = Vec::with_capacity(self.runs.len());
        for file in self.runs {
            runs.push(BufReader::with_capacity(256 << 10, file));
        }
        let mut rest = self.pairs.iter().map(|pair| {
            let (key, value) = pair.of(&self.bytes);
            (key.to_vec(), value.to_vec())
        });
        let memory = runs.len();
        let mut heap = BinaryHeap::new();
        for (index, run) in runs.iter_mut().enumerate() {
            if let Some(pair) = read_pair(run)? {
                heap.push(Reverse((pair, index)));
            }
        }
        if let Some(pair) = rest.next() {
            heap.push(Reverse((pair, memory)));
        }
        let mut key: Vec<u8> = Vec::new();
        let mut values: Vec<Vec<u8>> = Vec::new();
        while let Some(Reverse(((next, value), index))) = heap.pop() {
            let following = match runs.get_mut(index) {
                Some(run) => read_pair(run)?,
                None => rest.next(),
            };
            if let Some(pair) = following {
                heap.push(Reverse((pair, index)));
            }
            if next != key && !values.is_empty() {
                each(&key, &values)?;
                values.clear();
            }
            key = next;
            if values.last() != Some(&value) {
                values.push(value);
            }
        }
        if !values.is_empty() {
            each(&key, &values)?;
        }
        Ok(())
    }
}

type Bytes = (Vec<u8>, Vec<u8>);

fn read_pair(run: &mut BufReader<std::fs::File>) -> io::Result<Option<Bytes>> {
    let mut lengths = [0_u8; 8];
    match run.read_exact(&mut lengths) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    }
    let [a, b, c, d, e, f, g, h] = lengths;
    // These files are our own, written above and unnamed, so the lengths can be trusted.
    let mut key = vec![0; u32::from_le_bytes([a, b, c, d]) as usize];
    let mut value = vec![0; u32::from_le_bytes([e, f, g, h]) as usize];
    run.read_exact(&mut key)?;
    run.read_exact(&mut value)?;
    Ok(Some((key, value)))
}

#[cfg(test)]
mod tests {
    use super::Sorter;
    use proptest::prelude::*;
    use std::collections::{BTreeMap, BTreeSet};

    proptest! {
        #[test]
        fn agrees_with_a_map_whatever_the_budget(
            pairs in prop::collection::vec((prop::collection::vec(0_u8..4, 0..3), prop::collection::vec(any::<u8>(), 0..20)), 0..200),
            budget in 1_usize..4000,
        ) {
            let mut sorter = Sorter::new(&std::env::temp_dir(), budget);
            let mut map: BTreeMap<Vec<u8>, BTreeSet<Vec<u8>>> = BTreeMap::new();
            for (key, value) in &pairs {
                sorter.push(key, value).unwrap();
                map.entry(key.clone()).or_default().insert(value.clone());
            }
            let mut groups = Vec::new();
            sorter
                .groups(|key, values| {
                    groups.push((key.to_vec(), values.to_vec()));
                    Ok::<(), std::io::Error>(())
                })
                .unwrap();
            let expected: Vec<_> = map.into_iter().map(|(key, values)| (key, values.into_iter().collect::<Vec<_>>())).collect();
            prop_assert_eq!(groups, expected);
        }
    }
}
