//! Reads one layer: stored bytes through decompression, digests and the tar reader to a visitor.

use crate::content::{Held, Spooled};
use crate::decompress::{self, BUFFER_BYTES, Blocks, Reading};
use crate::entries::EntryList;
use crate::files;
use crate::image::{LayerVisitor, Walked};
use crate::options::Limits;
use crate::tar::{Stream, TarError, TarInput, TarReader};
use model::{Content, Digest, DigestAlgorithm, EntryKind, MemoryContent, Problem};
use std::io::{self, Read, Write};

/// First bytes shown to [`LayerVisitor::accepts`].
const HEAD_BYTES: usize = 64;
/// Bytes of holes in sparse files that are handed out in one layer: they cost the archive nothing.
const MAX_HOLE_BYTES: u64 = 1 << 30;
/// Problems of one kind that are listed one by one.
const MAX_LISTED: u64 = 20;

/// What one layer's walk came to.
pub(crate) struct Outcome {
    pub(crate) entries: EntryList,
    pub(crate) problems: Vec<Problem>,
    pub(crate) complete: bool,
    /// Digest of the uncompressed tar, when it was read to its end.
    pub(crate) diff_id: Option<Digest>,
    /// Digest of the stored bytes, when it was asked for and they were read to their end.
    pub(crate) stored: Option<Digest>,
    /// Number of stored bytes that were read.
    pub(crate) stored_bytes: u64,
    /// True when the stored bytes were read to their end.
    whole: bool,
}

impl Outcome {
    /// A layer that could not be read at all.
    pub(crate) fn failed(problem: Problem) -> Self {
        Self {
            entries: EntryList::default(),
            problems: vec![problem],
            complete: false,
            diff_id: None,
            stored: None,
            stored_bytes: 0,
            whole: false,
        }
    }
}

/// What a layer must turn out to be.
pub(crate) struct Expected<'a> {
    /// How messages call it.
    pub(crate) name: &'a str,
    /// Digest of the uncompressed tar.
    pub(crate) diff_id: Option<&'a Digest>,
    /// Digest of the stored bytes.
    pub(crate) stored: Option<&'a Digest>,
    /// Number of stored bytes; 0 when unknown.
    pub(crate) size: u64,
}

/// Reads a layer from its stored bytes without knowing what it must be; `name` is how messages call it, `stored` and
/// `uncompressed` are the functions that hash it.
pub(crate) fn measure(
    reader: Box<dyn Read + Send + '_>,
    name: &str,
    stored: Option<DigestAlgorithm>,
    uncompressed: DigestAlgorithm,
    limits: &Limits,
    visitor: &mut dyn LayerVisitor,
) -> Outcome {
    let reading = Reading {
        limits,
        stored,
        uncompressed: Some(uncompressed),
    };
    let ((tally, diff_id), stored) = decompress::decompress(reader, &reading, |blocks| {
        let mut tally = Tally::default();
        let walked = walk_tar(Stream(&mut *blocks), limits, visitor, &mut tally);
        let diff_id = finish(blocks, walked, &mut tally, name);
        (tally, diff_id)
    });
    Outcome {
        entries: tally.entries,
        problems: tally.problems,
        complete: tally.complete && stored.whole,
        diff_id,
        stored: stored.digest.filter(|_| stored.whole),
        stored_bytes: stored.count,
        whole: stored.whole,
    }
}

/// Reads a layer from its stored bytes and checks that it is what it must be.
pub(crate) fn walk(
    reader: Box<dyn Read + Send + '_>,
    expected: &Expected<'_>,
    limits: &Limits,
    visitor: &mut dyn LayerVisitor,
) -> Outcome {
    let name = expected.name;
    let algorithm = expected
        .diff_id
        .map_or(DigestAlgorithm::Sha256, Digest::algorithm);
    let stored = expected.stored.map(Digest::algorithm);
    let mut outcome = measure(reader, name, stored, algorithm, limits, visitor);
    let mut wrong = Vec::new();
    if let (Some(wanted), Some(actual)) = (expected.diff_id, &outcome.diff_id)
        && wanted != actual
    {
        wrong.push(format!(
            "{name} does not hold what the image says: its content has digest {actual}, not {wanted}"
        ));
    }
    if let (Some(wanted), Some(actual)) = (expected.stored, &outcome.stored)
        && wanted != actual
    {
        wrong.push(format!(
            "{name} is not the blob that the image names: its digest is {actual}, not {wanted}"
        ));
    }
    if expected.size != 0 && outcome.whole && outcome.stored_bytes != expected.size {
        wrong.push(format!(
            "{name} has {} bytes where the image says {}",
            outcome.stored_bytes, expected.size
        ));
    }
    outcome.complete &= wrong.is_empty();
    outcome.problems.extend(wrong.into_iter().map(Problem::general));
    outcome
}

/// Reads what follows the archive's end, so that the digests are whole.
fn finish(blocks: &mut Blocks, walked: Result<(), Stop>, tally: &mut Tally, name: &str) -> Option<Digest> {
    let drained = match walked {
        Err(Stop::Cap(message)) => {
            tally.fail(format!("{name} was not read to its end: {message}"));
            return None;
        }
        Err(Stop::Tar(error)) => {
            tally.fail(format!("{name} was not read to its end: {error}"));
            if matches!(error, TarError::Io(_)) {
                return None;
            }
            io::copy(blocks, &mut io::sink())
        }
        Ok(()) => io::copy(blocks, &mut io::sink()),
    };
    match drained {
        Ok(_) => blocks.take_digest(),
        Err(error) => {
            tally.fail(format!("{name} was not read to its end: {error}"));
            None
        }
    }
}

/// Walks one tar archive, compressed in any way, from its stored bytes: what [`crate::Image::walk`] does with each layer,
/// without an image that says what its digests must be.
pub fn walk_tar_archive<V: LayerVisitor>(
    reader: impl Read + Send,
    limits: &Limits,
    mut visitor: V,
) -> Walked<V> {
    let algorithm = DigestAlgorithm::Sha256;
    let outcome = measure(
        Box::new(reader),
        "the archive",
        None,
        algorithm,
        limits,
        &mut visitor,
    );
    Walked::new(0, visitor, outcome)
}

/// Why a walk stopped.
pub(crate) enum Stop {
    Tar(TarError),
    Cap(String),
}

impl From<TarError> for Stop {
    fn from(error: TarError) -> Self {
        Self::Tar(error)
    }
}

/// What a walk collects.
pub(crate) struct Tally {
    pub(crate) entries: EntryList,
    pub(crate) problems: Vec<Problem>,
    pub(crate) complete: bool,
    holes: u64,
    refused: u64,
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            entries: EntryList::default(),
            problems: Vec::new(),
            complete: true,
            holes: 0,
            refused: 0,
        }
    }
}

impl Tally {
    fn fail(&mut self, message: String) {
        self.complete = false;
        self.problems.push(Problem::general(message));
    }

    /// A file that is left out; many of them are counted, not listed.
    fn refuse(&mut self, path: &str, message: String) {
        self.refused += 1;
        if self.refused <= MAX_LISTED {
            self.problems.push(Problem::file(path, message));
        }
    }
}

/// Walks an uncompressed tar archive: every entry is listed and shown, wanted files are handed over. This is the one way
/// from archive bytes to a visitor.
pub(crate) fn walk_tar<R: TarInput>(
    input: R,
    limits: &Limits,
    visitor: &mut dyn LayerVisitor,
    tally: &mut Tally,
) -> Result<(), Stop> {
    let mut tar = TarReader::new(input, limits.max_name_bytes);
    let result = walk_entries(&mut tar, limits, visitor, tally);
    if tar.escaping() > 0 {
        tally.problems.push(Problem::general(format!(
            "{} names climb out of the root with `..`; they are read as if the root had no parent",
            tar.escaping()
        )));
    }
    if tar.overlong() > 0 {
        tally.fail(format!(
            "{} entries were left out because their names are longer than {} bytes",
            tar.overlong(),
            limits.max_name_bytes
        ));
    }
    if tally.refused > MAX_LISTED {
        let more = tally.refused - MAX_LISTED;
        tally.problems.push(Problem::general(format!(
            "{more} more files were not read for like reasons"
        )));
    }
    result
}

fn walk_entries<R: TarInput>(
    tar: &mut TarReader<R>,
    limits: &Limits,
    visitor: &mut dyn LayerVisitor,
    tally: &mut Tally,
) -> Result<(), Stop> {
    let mut count = 0_u64;
    while tar.advance()? {
        let entry = tar.entry();
        if entry.path.is_empty() {
            continue;
        }
        count += 1;
        if count > limits.max_entries {
            return Err(Stop::Cap(format!(
                "it has more entries than the limit of {}",
                limits.max_entries
            )));
        }
        if tally.entries.byte_len() as u64 > limits.max_entry_list_bytes {
            return Err(Stop::Cap(format!(
                "its names take more than the limit of {} bytes",
                limits.max_entry_list_bytes
            )));
        }
        tally.entries.push(&entry);
        if is_union_mark(entry.path) || !visitor.wants(&entry) || entry.kind != EntryKind::File {
            continue;
        }
        if let Some(content) = take_file(tar, limits, visitor, tally)? {
            visitor.file(&tar.entry(), content);
        }
    }
    Ok(())
}

/// Whiteouts and opaque marks are no files of the target.
pub(crate) fn is_union_mark(path: &str) -> bool {
    model::path::file_name(path).starts_with(".wh.")
}

/// The content of a wanted file, unless the visitor refuses its head or a cap does.
fn take_file<R: TarInput>(
    tar: &mut TarReader<R>,
    limits: &Limits,
    visitor: &mut dyn LayerVisitor,
    tally: &mut Tally,
) -> Result<Option<Box<dyn Content>>, Stop> {
    let entry = tar.entry();
    let size = entry.size;
    if size > limits.max_file_bytes {
        let message = format!(
            "the file has {size} bytes, more than the limit of {}, and was not read",
            limits.max_file_bytes
        );
        tally.refuse(entry.path, message);
        return Ok(None);
    }
    tally.holes += size.saturating_sub(tar.stored_size());
    if tally.holes > MAX_HOLE_BYTES {
        let message = format!("the layer's sparse files have more than {MAX_HOLE_BYTES} bytes of holes");
        tally.refuse(entry.path, message);
        return Ok(None);
    }
    let mut head = [0; HEAD_BYTES];
    let head_size = fill(tar, &mut head)?;
    let head = head.get(..head_size).unwrap_or_default();
    if !visitor.accepts(&tar.entry(), head) {
        return Ok(None);
    }
    if size <= limits.memory_file_bytes {
        return Ok(Some(Box::new(MemoryContent(take_bytes(tar, head, size)?))));
    }
    if let Some(room) = limits.held.take(size) {
        return Ok(Some(Box::new(Held::new(take_bytes(tar, head, size)?, room))));
    }
    let spooled = files::spool();
    let mut file = match spooled {
        Ok(file) => file,
        Err(error) => {
            let path = tar.entry().path.to_owned();
            tally.complete = false;
            tally.refuse(&path, format!("no temporary file could be made for it: {error}"));
            return Ok(None);
        }
    };
    let mut written = file.write_all(head);
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        let count = fill(tar, &mut buffer)?;
        let Some(part) = buffer.get(..count).filter(|part| !part.is_empty()) else {
            break;
        };
        written = written.and_then(|()| file.write_all(part));
        if written.is_err() {
            break;
        }
    }
    match written {
        Ok(()) => Ok(Some(Box::new(Spooled::new(file, size)))),
        Err(error) => {
            let path = tar.entry().path.to_owned();
            tally.complete = false;
            tally.refuse(&path, format!("its temporary file could not be written: {error}"));
            Ok(None)
        }
    }
}

/// The bytes of the current entry, of which `head` was read already. Its size is one that memory is granted for.
fn take_bytes<R: TarInput>(tar: &mut TarReader<R>, head: &[u8], size: u64) -> Result<Vec<u8>, TarError> {
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
    bytes.extend_from_slice(head);
    while tar.append_content(&mut bytes)? > 0 {}
    Ok(bytes)
}

/// Fills the buffer from the current entry; fewer bytes at the entry's end.
fn fill<R: TarInput>(tar: &mut TarReader<R>, buffer: &mut [u8]) -> Result<usize, TarError> {
    let mut done = 0;
    while let Some(room) = buffer.get_mut(done..).filter(|room| !room.is_empty()) {
        let count = tar.read_content(room)?;
        if count == 0 {
            break;
        }
        done += count;
    }
    Ok(done)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::HeldBytes;
    use model::Entry;
    use std::borrow::Cow;
    use testkit::image::Layer;

    /// Keeps contents, as visitors do that hand them to other threads.
    #[derive(Default)]
    struct Keep(Vec<Box<dyn Content>>);

    impl LayerVisitor for Keep {
        fn wants(&mut self, _entry: &Entry<'_>) -> bool {
            true
        }

        fn file(&mut self, _entry: &Entry<'_>, content: Box<dyn Content>) {
            self.0.push(content);
        }
    }

    #[test]
    fn larger_files_are_held_while_there_is_room_and_spooled_then() {
        let file = |seed: u32| -> Vec<u8> {
            let numbers = (0..1_u32 << 19).map(|number| number.wrapping_mul(seed));
            numbers.flat_map(u32::to_le_bytes).collect()
        };
        let files = [file(3), file(2_654_435_761), b"small".to_vec()];
        let layer = Layer::new("x")
            .file("a", &files[0])
            .file("b", &files[1])
            .file("c", &files[2]);
        let tar = layer.tar();
        let size = files[0].len() as u64;
        for (most, in_memory) in [
            (0, [false, false, true]),
            (size, [true, false, true]),
            (2 * size, [true, true, true]),
        ] {
            let limits = Limits {
                held: HeldBytes::new(most),
                ..Limits::default()
            };
            let mut walked = walk_tar_archive(&tar[..], &limits, Keep::default());
            assert!(walked.complete, "{:?}", walked.problems);
            for ((content, file), in_memory) in walked.visitor.0.iter_mut().zip(&files).zip(in_memory) {
                assert_eq!(content.size(), file.len() as u64);
                let bytes = content.bytes(u64::MAX).unwrap();
                assert!(*bytes == **file);
                assert_eq!(matches!(bytes, Cow::Borrowed(_)), in_memory, "{most}");
                let mut again = Vec::new();
                content.reader().unwrap().read_to_end(&mut again).unwrap();
                assert!(again == *file);
            }
            assert_eq!(walked.visitor.0.len(), 3);
            drop(walked);
            assert!(limits.held.take(most).is_some(), "all room is given back");
        }
        // A file that breaks off is told, wherever it would have been held.
        for most in [0, size] {
            let limits = Limits {
                held: HeldBytes::new(most),
                ..Limits::default()
            };
            let walked = walk_tar_archive(&tar[..1 << 20], &limits, Keep::default());
            assert!(!walked.complete && walked.visitor.0.is_empty());
            assert!(
                walked.problems[0].message.contains("breaks off"),
                "{:?}",
                walked.problems
            );
            assert!(limits.held.take(most).is_some());
        }
    }
}
