//! Updates against a server and a disk in memory, with failures in the middle.
#![allow(clippy::unwrap_used, reason = "a failing test should panic")]

use super::{Answer, Fetch, Request, Shelf, Sources, UpdateError, UpdateOptions, UpdateSummary, update};
use std::collections::BTreeMap;
use std::io::{self, Read};

/// Documents by address, each with an entity tag made of its bytes.
#[derive(Default)]
struct Server {
    documents: BTreeMap<String, Vec<u8>>,
    /// Addresses that break off after so many bytes, once.
    breaks: BTreeMap<String, usize>,
    /// Does not know ranges.
    plain: bool,
    asked: Vec<String>,
}

fn tag(bytes: &[u8]) -> String {
    format!(
        "\"{}-{}\"",
        bytes.len(),
        bytes.iter().map(|byte| u64::from(*byte)).sum::<u64>()
    )
}

/// Gives some bytes, then an error.
struct Broken(Vec<u8>, usize);

impl Read for Broken {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let rest = &self.0[self.1..];
        if rest.is_empty() {
            return Err(io::Error::other("connection reset"));
        }
        let count = rest.len().min(buffer.len()).min(7);
        buffer[..count].copy_from_slice(&rest[..count]);
        self.1 += count;
        Ok(count)
    }
}

impl Fetch for Server {
    fn get(&mut self, request: &Request<'_>) -> Result<Answer<'_>, String> {
        self.asked.push(match request.after {
            Some((at, _)) => format!("{}@{at}", request.url),
            None => request.url.to_owned(),
        });
        let Some(bytes) = self.documents.get(request.url).cloned() else {
            return Ok(Answer::Missing);
        };
        let etag = tag(&bytes);
        if request.unless == Some(etag.as_str()) {
            return Ok(Answer::NotModified);
        }
        if let Some(at) = self.breaks.remove(request.url) {
            return Ok(Answer::Whole {
                etag: Some(etag),
                body: Box::new(Broken(bytes[..at].to_vec(), 0)),
            });
        }
        match request.after {
            Some((at, of)) if !self.plain && of == etag => Ok(Answer::Rest {
                body: Box::new(io::Cursor::new(bytes[usize::try_from(at).unwrap()..].to_vec())),
            }),
            _ => Ok(Answer::Whole {
                etag: Some(etag),
                body: Box::new(io::Cursor::new(bytes)),
            }),
        }
    }
}

#[derive(Default)]
struct Disk {
    files: BTreeMap<String, Vec<u8>>,
    /// Bytes that still fit.
    room: Option<usize>,
}

impl Shelf for Disk {
    fn read(&mut self, path: &str) -> io::Result<Option<Vec<u8>>> {
        Ok(self.files.get(path).cloned())
    }

    fn size(&mut self, path: &str) -> io::Result<Option<u64>> {
        Ok(self.files.get(path).map(|bytes| bytes.len() as u64))
    }

    fn write(&mut self, path: &str, at: u64, body: &mut dyn Read) -> io::Result<()> {
        let mut bytes = Vec::new();
        let outcome = body.read_to_end(&mut bytes);
        if self.room.is_some_and(|room| bytes.len() > room) {
            return Err(io::Error::new(io::ErrorKind::StorageFull, "no space left"));
        }
        let file = self.files.entry(path.to_owned()).or_default();
        file.truncate(usize::try_from(at).unwrap());
        file.extend(bytes);
        outcome.map(drop)
    }

    fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        let bytes = self
            .files
            .remove(from)
            .ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
        self.files.insert(to.to_owned(), bytes);
        Ok(())
    }

    fn remove(&mut self, path: &str) -> io::Result<()> {
        self.files.remove(path);
        Ok(())
    }

    fn check_zip(&mut self, path: &str) -> Result<(), String> {
        match self.files.get(path) {
            Some(bytes) if bytes.starts_with(b"PK") && bytes.ends_with(b"END") => Ok(()),
            _ => Err("the end of the archive is missing".to_owned()),
        }
    }
}

const ROOT: &str = "https://mirror.example";

fn server() -> Server {
    let mut server = Server::default();
    for (path, text) in [
        ("ecosystems.txt", "npm\nGitHub Actions\nDebian:12\n"),
        ("npm/all.zip", "PK the archive of npm END"),
        (
            "npm/modified_id.csv",
            "2024-01-02T00:00:00Z,GHSA-2\n2024-01-01T00:00:00Z,GHSA-1\n",
        ),
        ("GitHub%20Actions/all.zip", "PK actions END"),
        ("kev/known_exploited_vulnerabilities.json", "{}"),
        ("epss/epss_scores-current.csv.gz", "\u{1f}"),
        ("eol/endoflife.json", "{}"),
    ] {
        server
            .documents
            .insert(format!("{ROOT}/{path}"), text.as_bytes().to_vec());
    }
    server.documents.insert(
        format!("{ROOT}/epss/epss_scores-current.csv.gz"),
        vec![0x1f, 0x8b, 8],
    );
    server
}

fn run(server: &mut Server, disk: &mut Disk) -> UpdateSummary {
    server.asked.clear();
    update(
        server,
        disk,
        &Sources::mirror(&format!("{ROOT}/")),
        &UpdateOptions::default(),
        &mut |_| {},
    )
    .unwrap()
}

#[test]
fn all_is_fetched_once_and_then_only_what_changes() {
    let (mut server, mut disk) = (server(), Disk::default());
    let first = run(&mut server, &mut disk);
    assert_eq!(first.failed, []);
    assert_eq!(first.fetched.len(), 5);
    assert!(
        disk.files["npm/all.zip"].starts_with(b"PK the") && disk.files.contains_key("GitHub Actions/all.zip")
    );
    let second = run(&mut server, &mut disk);
    assert!(!second.is_news(), "{second:?}");
    assert_eq!((second.unchanged, second.failed.len()), (5, 0));
    assert!(
        !server.asked.contains(&format!("{ROOT}/npm/all.zip")),
        "the list tells that nothing changed"
    );
    // One record is new: it alone is fetched.
    let list = "2024-03-01T00:00:00Z,GHSA-3\n2024-01-02T00:00:00Z,GHSA-2\n2024-01-01T00:00:00Z,GHSA-1\n";
    server
        .documents
        .insert(format!("{ROOT}/npm/modified_id.csv"), list.into());
    server.documents.insert(
        format!("{ROOT}/npm/GHSA-3.json"),
        b"{\n \"id\": \"GHSA-3\"}".to_vec(),
    );
    let third = run(&mut server, &mut disk);
    assert_eq!(third.changed, [("npm".to_owned(), 1)]);
    assert_eq!(disk.files["npm/changes.jsonl"], b"{\"id\":\"GHSA-3\"}\n");
    assert!(!run(&mut server, &mut disk).is_news());
}

/// More records change than are fetched one by one.
fn change_too_many(server: &mut Server) {
    let list: String = (0..super::CHANGES + 5)
        .map(|index| format!("2024-05-01T00:00:00Z,GHSA-n{index}\n"))
        .collect();
    server
        .documents
        .insert(format!("{ROOT}/npm/modified_id.csv"), list.into());
}

#[test]
fn many_changes_fetch_the_archive_and_drop_the_single_records() {
    let (mut server, mut disk) = (server(), Disk::default());
    run(&mut server, &mut disk);
    disk.files
        .insert("npm/changes.jsonl".to_owned(), b"{}\n".to_vec());
    change_too_many(&mut server);
    server
        .documents
        .insert(format!("{ROOT}/npm/all.zip"), b"PK newer END".to_vec());
    let summary = run(&mut server, &mut disk);
    assert_eq!(summary.fetched, ["npm/all.zip"]);
    assert_eq!(disk.files["npm/all.zip"], b"PK newer END");
    assert!(!disk.files.contains_key("npm/changes.jsonl"));
}

#[test]
fn a_broken_download_keeps_the_old_file_and_goes_on_where_it_stopped() {
    for plain in [false, true] {
        let (mut server, mut disk) = (server(), Disk::default());
        server.plain = plain;
        let archive = format!("{ROOT}/npm/all.zip");
        server.breaks.insert(archive.clone(), 10);
        let summary = run(&mut server, &mut disk);
        assert_eq!(summary.failed.len(), 1);
        assert!(
            summary.failed[0].1.contains("connection reset"),
            "{:?}",
            summary.failed
        );
        assert!(
            !disk.files.contains_key("npm/all.zip"),
            "half an archive never counts"
        );
        assert_eq!(disk.files["npm/all.zip.part"], b"PK the arc");
        assert!(
            disk.files.contains_key("GitHub Actions/all.zip"),
            "the others go on"
        );
        let summary = run(&mut server, &mut disk);
        assert_eq!(summary.fetched, ["npm/all.zip"]);
        assert!(
            server.asked.contains(&format!("{archive}@10")),
            "{:?}",
            server.asked
        );
        assert_eq!(disk.files["npm/all.zip"], b"PK the archive of npm END");
        assert!(!disk.files.contains_key("npm/all.zip.part"));
    }
}

#[test]
fn what_changed_since_the_break_is_fetched_anew() {
    let (mut server, mut disk) = (server(), Disk::default());
    let archive = format!("{ROOT}/npm/all.zip");
    server.breaks.insert(archive.clone(), 10);
    run(&mut server, &mut disk);
    server.documents.insert(archive, b"PK another END".to_vec());
    run(&mut server, &mut disk);
    assert_eq!(disk.files["npm/all.zip"], b"PK another END");
}

#[test]
fn damaged_files_do_not_replace_good_ones() {
    let (mut server, mut disk) = (server(), Disk::default());
    run(&mut server, &mut disk);
    change_too_many(&mut server);
    server
        .documents
        .insert(format!("{ROOT}/npm/all.zip"), b"<html>login</html>".to_vec());
    server
        .documents
        .insert(format!("{ROOT}/eol/endoflife.json"), b"{\"debian\": [".to_vec());
    server.documents.insert(
        format!("{ROOT}/epss/epss_scores-current.csv.gz"),
        b"<html>".to_vec(),
    );
    server
        .documents
        .remove(&format!("{ROOT}/kev/known_exploited_vulnerabilities.json"));
    let before = disk.files.clone();
    let summary = run(&mut server, &mut disk);
    let failed: Vec<&str> = summary.failed.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        failed,
        [
            "npm",
            "kev/known_exploited_vulnerabilities.json",
            "epss/epss_scores-current.csv.gz",
            "eol/endoflife.json"
        ]
    );
    for path in [
        "npm/all.zip",
        "eol/endoflife.json",
        "epss/epss_scores-current.csv.gz",
    ] {
        assert_eq!(disk.files[path], before[path], "{path}");
    }
    assert!(!disk.files.keys().any(|path| path.ends_with(".part")));
}

#[test]
fn hostile_names_never_become_paths() {
    let (mut server, mut disk) = (server(), Disk::default());
    run(&mut server, &mut disk);
    server.documents.insert(
        format!("{ROOT}/ecosystems.txt"),
        b"npm\n../../etc\n/abs\n\x1b[2J\n".to_vec(),
    );
    server.documents.insert(
        format!("{ROOT}/npm/modified_id.csv"),
        b"2024-09-01T00:00:00Z,../../../x\n".to_vec(),
    );
    let summary = run(&mut server, &mut disk);
    assert_eq!(summary.failed.len(), 4, "{:?}", summary.failed);
    assert!(
        server.asked.iter().all(|url| !url.contains("..")),
        "{:?}",
        server.asked
    );
    assert!(summary.failed.iter().all(|(name, _)| !name.contains('\u{1b}')));
}

#[test]
fn without_a_list_of_ecosystems_or_room_nothing_is_done() {
    let mut disk = Disk::default();
    let sources = Sources::mirror(ROOT);
    let mut nothing = Server::default();
    let error = update(
        &mut nothing,
        &mut disk,
        &sources,
        &UpdateOptions::default(),
        &mut |_| {},
    )
    .unwrap_err();
    assert!(error.to_string().contains("ecosystems.txt"), "{error}");
    let mut disk = Disk {
        room: Some(5),
        ..Disk::default()
    };
    let error = update(
        &mut server(),
        &mut disk,
        &sources,
        &UpdateOptions::default(),
        &mut |_| {},
    )
    .unwrap_err();
    assert!(matches!(error, UpdateError::Shelf(_)), "{error}");
}
