//! Reading JSON events from files, folders and growing files.

use super::{Intake, JsonEvent, MAX_EVENT_BYTES};
use model::Problem;
use serde_json::value::RawValue;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Longest document that is no sequence of lines (an indented list, say), in bytes.
pub const MAX_DOCUMENT_BYTES: usize = 64 * 1024 * 1024;

/// How deep folders are searched.
const MAX_FOLDERS: usize = 8;
/// How many lines of one input are reported one by one as no events.
const MAX_PROBLEMS: usize = 20;
/// How much one call of [`Follower::poll`] reads.
const POLL_BYTES: usize = 8 * 1024 * 1024;
/// What the names of files end with that are read in folders.
const ENDINGS: [&str; 4] = ["json", "jsonl", "log", "ndjson"];

/// Takes events and problems in order.
pub type Sink<'a> = dyn FnMut(Result<JsonEvent, Problem>) + 'a;

/// Reads a file, or the files of a folder (`.json`, `.jsonl`, `.ndjson`, `.log`) and of the folders in it, in the order of
/// their names. Links in folders are not followed. What cannot be read is a problem with its path.
pub fn read_path(path: &Path, intake: &mut Intake, received: u64, sink: &mut Sink<'_>) {
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => read_folder(path, 0, intake, received, sink),
        Ok(_) => read_file(path, intake, received, sink),
        Err(error) => sink(Err(unreadable(path, &error))),
    }
}

fn read_folder(folder: &Path, depth: usize, intake: &mut Intake, received: u64, sink: &mut Sink<'_>) {
    if depth >= MAX_FOLDERS {
        sink(Err(Problem::file(
            folder.display().to_string(),
            format!("lies deeper than {MAX_FOLDERS} folders and was left out"),
        )));
        return;
    }
    let mut entries = match fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>) {
        Ok(entries) => entries,
        Err(error) => {
            sink(Err(unreadable(folder, &error)));
            return;
        }
    };
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => read_folder(&path, depth + 1, intake, received, sink),
            Ok(kind) if kind.is_file() => match path.extension().and_then(|ending| ending.to_str()) {
                Some(ending) if ENDINGS.contains(&ending) => read_file(&path, intake, received, sink),
                Some("gz" | "zst" | "xz" | "bz2") => sink(Err(Problem::file(
                    path.display().to_string(),
                    "is compressed and was left out; decompress it first",
                ))),
                _ => {}
            },
            Ok(_) => {}
            Err(error) => sink(Err(unreadable(&path, &error))),
        }
    }
}

fn read_file(path: &Path, intake: &mut Intake, received: u64, sink: &mut Sink<'_>) {
    match open(path) {
        Ok(file) => read(
            BufReader::new(file),
            &path.display().to_string(),
            intake,
            received,
            sink,
        ),
        Err(error) => sink(Err(unreadable(path, &error))),
    }
}

#[allow(
    clippy::disallowed_methods,
    reason = "event files are read here, with a cap on each line and document"
)]
fn open(path: &Path) -> io::Result<File> {
    File::open(path)
}

fn unreadable(path: &Path, error: &io::Error) -> Problem {
    Problem::file(path.display().to_string(), format!("cannot be read: {error}"))
}

/// Reads events from a stream: one a line, or as one document. `name` is what problems call it.
pub fn read(mut input: impl BufRead, name: &str, intake: &mut Intake, received: u64, sink: &mut Sink<'_>) {
    let mut lines = Lines::new(name);
    let mut first = Vec::new();
    // Blank lines before the first event say nothing about the form.
    loop {
        first.clear();
        match next_line(&mut input, &mut first) {
            Ok(Line::End) => return,
            Ok(Line::TooLong) => {
                lines.number += 1;
                lines.too_long(sink);
                continue;
            }
            Ok(Line::Whole) if first.trim_ascii().is_empty() => lines.number += 1,
            Ok(Line::Whole) => break,
            Err(error) => {
                sink(Err(unreadable(Path::new(name), &error)));
                return;
            }
        }
    }
    let is_whole = serde_json::from_slice::<&RawValue>(&first).is_ok();
    if !is_whole {
        // An indented document, or lines of which the first is damaged.
        let room = (MAX_DOCUMENT_BYTES - first.len().min(MAX_DOCUMENT_BYTES)) as u64;
        let mut document = first;
        document.push(b'\n');
        if let Err(error) = input.by_ref().take(room).read_to_end(&mut document) {
            sink(Err(unreadable(Path::new(name), &error)));
        }
        if let Ok(text) = std::str::from_utf8(&document)
            && super::split(text).is_ok()
        {
            for event in intake.take(text, received) {
                sink(event.map_err(|problem| placed(problem, name)));
            }
            return;
        }
        lines.read(io::Cursor::new(document).chain(input), intake, received, sink);
        return;
    }
    lines.number += 1;
    lines.take(&first, intake, received, sink);
    lines.read(input, intake, received, sink);
}

fn placed(mut problem: Problem, place: &str) -> Problem {
    problem.path.get_or_insert_with(|| place.to_owned());
    problem
}

/// How reading a line ended.
enum Line {
    Whole,
    TooLong,
    End,
}

/// Appends a line without its line break. One that is too long is passed over to its end.
fn next_line(input: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<Line> {
    let read = input
        .by_ref()
        .take(MAX_EVENT_BYTES as u64 + 1)
        .read_until(b'\n', line)?;
    if read == 0 {
        return Ok(Line::End);
    }
    if line.last() == Some(&b'\n') {
        line.pop();
        return Ok(Line::Whole);
    }
    if read <= MAX_EVENT_BYTES {
        // The last line needs no line break.
        return Ok(Line::Whole);
    }
    line.clear();
    input.skip_until(b'\n')?;
    Ok(Line::TooLong)
}

/// Lines of one input, of which each is a document.
struct Lines<'a> {
    name: &'a str,
    number: u64,
    problems: usize,
}

impl<'a> Lines<'a> {
    fn new(name: &'a str) -> Self {
        Self {
            name,
            number: 0,
            problems: 0,
        }
    }

    fn read(&mut self, mut input: impl BufRead, intake: &mut Intake, received: u64, sink: &mut Sink<'_>) {
        let mut line = Vec::new();
        loop {
            line.clear();
            match next_line(&mut input, &mut line) {
                Ok(Line::End) => break,
                Ok(Line::Whole) => {
                    self.number += 1;
                    self.take(&line, intake, received, sink);
                }
                Ok(Line::TooLong) => {
                    self.number += 1;
                    self.too_long(sink);
                }
                Err(error) => {
                    sink(Err(unreadable(Path::new(self.name), &error)));
                    break;
                }
            }
        }
        if self.problems > MAX_PROBLEMS {
            sink(Err(Problem::file(
                self.name,
                format!("{} more lines were no events", self.problems - MAX_PROBLEMS),
            )));
        }
    }

    fn take(&mut self, line: &[u8], intake: &mut Intake, received: u64, sink: &mut Sink<'_>) {
        // Audit logs are UTF-8; what is not gets replacement characters rather than lost.
        let text = String::from_utf8_lossy(line);
        if text.trim().is_empty() {
            return;
        }
        for event in intake.take(&text, received) {
            match event {
                Ok(event) => sink(Ok(event)),
                Err(problem) => self.problem(problem, sink),
            }
        }
    }

    fn too_long(&mut self, sink: &mut Sink<'_>) {
        self.problem(
            Problem::general(format!(
                "is longer than {} MiB and was left out",
                MAX_EVENT_BYTES >> 20
            )),
            sink,
        );
    }

    fn problem(&mut self, problem: Problem, sink: &mut Sink<'_>) {
        self.problems += 1;
        if self.problems <= MAX_PROBLEMS {
            sink(Err(placed(
                problem,
                &format!("{} line {}", self.name, self.number),
            )));
        }
    }
}

/// Follows a growing file of lines, as `tail -F` does: also when the file is renamed and made anew, or cut.
pub struct Follower {
    path: PathBuf,
    name: String,
    file: Option<Open>,
    /// The beginning of a line whose end is not there yet.
    partial: Vec<u8>,
    /// The rest of a line that is too long is being passed over.
    skipping: bool,
    /// Where to begin in the first file.
    from_end: bool,
    missing: bool,
    number: u64,
}

struct Open {
    file: File,
    device: u64,
    inode: u64,
    position: u64,
}

impl Follower {
    /// Follows `path` from its beginning or, with `from_end`, from its present end. It need not exist yet.
    #[must_use]
    pub fn new(path: &Path, from_end: bool) -> Self {
        Self {
            path: path.to_owned(),
            name: path.display().to_string(),
            file: None,
            partial: Vec::new(),
            skipping: false,
            from_end,
            missing: false,
            number: 0,
        }
    }

    /// Reads what has come since the last call, at most 8 MiB; true when there is more to read at once. Never waits.
    pub fn poll(&mut self, intake: &mut Intake, received: u64, sink: &mut Sink<'_>) -> bool {
        if self.file.is_none() && !self.open(sink) {
            return false;
        }
        let mut buffer = vec![0; 64 * 1024];
        let mut budget = POLL_BYTES;
        while let Some(open) = &mut self.file {
            let read = match open.file.read(&mut buffer) {
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    sink(Err(unreadable(&self.path, &error)));
                    self.file = None;
                    return false;
                }
            };
            if read == 0 {
                return self.at_end(intake, received, sink);
            }
            open.position += read as u64;
            self.feed(buffer.get(..read).unwrap_or_default(), intake, received, sink);
            budget = budget.saturating_sub(read);
            if budget == 0 {
                return true;
            }
        }
        false
    }

    fn open(&mut self, sink: &mut Sink<'_>) -> bool {
        let opened = open(&self.path).and_then(|mut file| {
            let metadata = file.metadata()?;
            if !metadata.is_file() {
                return Err(io::Error::other("it is no regular file"));
            }
            let position = if self.from_end {
                io::Seek::seek(&mut file, io::SeekFrom::End(0))?
            } else {
                0
            };
            Ok(Open {
                file,
                device: metadata.dev(),
                inode: metadata.ino(),
                position,
            })
        });
        // A file that comes later is read whole.
        self.from_end = false;
        match opened {
            Ok(open) => {
                self.file = Some(open);
                self.missing = false;
                true
            }
            Err(error) => {
                // Said once until it is back.
                if !self.missing {
                    sink(Err(unreadable(&self.path, &error)));
                    self.missing = true;
                }
                false
            }
        }
    }

    /// True when another file took the place of this one, or it was cut: then it is read from its beginning.
    fn at_end(&mut self, intake: &mut Intake, received: u64, sink: &mut Sink<'_>) -> bool {
        let Some(open) = &self.file else { return false };
        let Ok(metadata) = fs::metadata(&self.path) else {
            // Renamed away, and nothing new there yet: whoever writes may still have the old one open.
            return false;
        };
        let replaced = (metadata.dev(), metadata.ino()) != (open.device, open.inode);
        let cut = metadata.len() < open.position;
        if !replaced && !cut {
            return false;
        }
        if !self.partial.is_empty() {
            let line = std::mem::take(&mut self.partial);
            self.line(&line, intake, received, sink);
        }
        self.skipping = false;
        self.number = 0;
        self.file = None;
        self.open(sink)
    }

    fn feed(&mut self, mut bytes: &[u8], intake: &mut Intake, received: u64, sink: &mut Sink<'_>) {
        while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            let (line, rest) = bytes.split_at(end);
            bytes = rest.get(1..).unwrap_or_default();
            if self.skipping {
                self.skipping = false;
                self.number += 1;
                continue;
            }
            if self.partial.is_empty() {
                self.line(line, intake, received, sink);
            } else {
                self.partial.extend_from_slice(line);
                let whole = std::mem::take(&mut self.partial);
                self.line(&whole, intake, received, sink);
            }
        }
        if self.skipping {
            return;
        }
        self.partial.extend_from_slice(bytes);
        if self.partial.len() > MAX_EVENT_BYTES {
            self.partial = Vec::new();
            self.skipping = true;
            let mut lines = Lines::new(&self.name);
            lines.number = self.number + 1;
            lines.too_long(sink);
        }
    }

    fn line(&mut self, line: &[u8], intake: &mut Intake, received: u64, sink: &mut Sink<'_>) {
        self.number += 1;
        let mut lines = Lines::new(&self.name);
        lines.number = self.number;
        lines.take(line, intake, received, sink);
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "tests write what is read")]
mod tests {
    use super::*;
    use crate::json::{Surroundings, sources};
    use model::event::{Argument, EventView, Field, Value};
    use std::io::Write;

    fn intake() -> Intake {
        Intake::new(sources::find("json").expect("source"), Surroundings::default())
    }

    /// Events as the text of their `n`, problems as they are.
    fn told(result: Result<JsonEvent, Problem>) -> String {
        match result {
            Ok(event) => match event.value(Field::JsonValue, &Argument::Key("/n".into())) {
                Value::Text(text) => String::from_utf8_lossy(&text).into_owned(),
                other => format!("{other:?}"),
            },
            Err(problem) => problem.to_string(),
        }
    }

    fn read_text(text: &str) -> Vec<String> {
        let mut all = Vec::new();
        read(text.as_bytes(), "input", &mut intake(), 1, &mut |result| {
            all.push(told(result));
        });
        all
    }

    #[test]
    fn lines_and_documents() {
        for (text, expected) in [
            ("", vec![]),
            ("\n\n", vec![]),
            ("{\"n\":1}\n{\"n\":2}\n", vec!["1", "2"]),
            ("\r\n{\"n\":1}\r\n\n{\"n\":2}", vec!["1", "2"]),
            ("[{\"n\":1},{\"n\":2}]", vec!["1", "2"]),
            ("[\n {\"n\":\n1},\n{\"n\":2}\n]\n", vec!["1", "2"]),
            ("{\n\"n\": 1\n}\n{\n\"n\": 2\n}", vec!["1", "2"]),
            ("{\"kind\":\"EventList\",\n\"items\":[{\"n\":1}]}", vec!["1"]),
            (
                "{\"n\":1}\n{\"n\":\n{\"n\":3}\n",
                vec![
                    "1",
                    "input line 2: json event is no JSON: EOF while parsing a value at line 1 column 5",
                    "3",
                ],
            ),
            (
                "{\"n\":\n{\"n\":2}\n",
                vec![
                    "input line 1: json event is no JSON: EOF while parsing a value at line 1 column 5",
                    "2",
                ],
            ),
        ] {
            assert_eq!(read_text(text), expected, "{text:?}");
        }
    }

    #[test]
    fn problems_are_counted_beyond_some() {
        let all = read_text(&("{\"n\":1}\n".to_owned() + &"junk\n".repeat(1000)));
        assert_eq!(all.len(), 1 + MAX_PROBLEMS + 1);
        assert_eq!(
            all.last().map(String::as_str),
            Some("input: 980 more lines were no events")
        );
    }

    #[test]
    fn long_lines_are_left_out() {
        let text = format!(
            "{{\"n\":1}}\n{{\"n\":\"{}\"}}\n{{\"n\":3}}\n",
            "x".repeat(MAX_EVENT_BYTES)
        );
        assert_eq!(
            read_text(&text),
            ["1", "input line 2: is longer than 16 MiB and was left out", "3"]
        );
    }

    #[test]
    fn folders_in_order() {
        let folder = tempfile::tempdir().expect("folder");
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().expect("parent")).expect("folder");
            File::create(path)
                .and_then(|mut file| file.write_all(text.as_bytes()))
                .expect("written");
        };
        write("b.jsonl", "{\"n\":2}\n");
        write("a.json", "[{\"n\":1}]");
        write("c/d.log", "{\"n\":3}");
        write("e.txt", "{\"n\":4}");
        write("f.json.gz", "");
        std::os::unix::fs::symlink("a.json", folder.path().join("z.json")).expect("link");
        let mut all = Vec::new();
        read_path(folder.path(), &mut intake(), 1, &mut |result| {
            all.push(told(result));
        });
        assert_eq!(
            all.get(..3),
            Some(&["1".to_owned(), "2".to_owned(), "3".to_owned()][..])
        );
        assert_eq!(all.len(), 4, "{all:?}");
        assert!(all[3].ends_with("f.json.gz: is compressed and was left out; decompress it first"));
        all.clear();
        read_path(&folder.path().join("none"), &mut intake(), 1, &mut |result| {
            all.push(told(result));
        });
        assert!(all[0].contains("cannot be read"), "{all:?}");
    }

    #[test]
    fn a_growing_file_is_followed_through_rotation_and_cutting() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("audit.log");
        let mut intake = intake();
        let mut follower = Follower::new(&path, false);
        let mut poll = |follower: &mut Follower| {
            let mut all = Vec::new();
            while follower.poll(&mut intake, 1, &mut |result| {
                all.push(told(result));
            }) {}
            all
        };
        let append = |text: &str| {
            File::options()
                .append(true)
                .create(true)
                .open(&path)
                .and_then(|mut file| file.write_all(text.as_bytes()))
                .expect("written");
        };
        assert_eq!(poll(&mut follower).len(), 1, "its absence is told");
        assert!(poll(&mut follower).is_empty(), "once");
        append("{\"n\":1}\n{\"n\":");
        assert_eq!(poll(&mut follower), ["1"]);
        append("2}\n");
        assert_eq!(poll(&mut follower), ["2"]);
        append("{\"n\":3}\n");
        fs::rename(&path, folder.path().join("audit.log.1")).expect("renamed");
        assert_eq!(poll(&mut follower), ["3"]);
        append("{\"n\":4}\n");
        assert_eq!(poll(&mut follower), ["4"]);
        append("{\"n\":5}\n");
        assert_eq!(poll(&mut follower), ["5"]);
        File::options()
            .write(true)
            .open(&path)
            .and_then(|file| file.set_len(0))
            .expect("cut");
        assert!(poll(&mut follower).is_empty());
        append("{\"n\":6}\n");
        assert_eq!(poll(&mut follower), ["6"]);
        let mut late = Follower::new(&path, true);
        assert!(poll(&mut late).is_empty());
        append("{\"n\":7}\n");
        assert_eq!(poll(&mut late), ["7"]);
        append(&format!(
            "{{\"n\":\"{}\"}}\n{{\"n\":9}}\n",
            "x".repeat(MAX_EVENT_BYTES)
        ));
        let all = poll(&mut late);
        assert_eq!(all.len(), 2, "{all:?}");
        assert!(all[0].ends_with("is longer than 16 MiB and was left out"));
        assert_eq!(all[1], "9");
    }
}
