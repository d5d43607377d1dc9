//! Bringing a local copy of the feeds up to date: what changed, what to fetch, and in which order files take their place.
//!
//! The copy has the layout of OSV's public bucket, so that [`crate::build()`] reads it like any mirror. An ecosystem whose
//! archive is there already is brought up to date record by record, by the bucket's `modified_id.csv`; these records go into
//! `<Ecosystem>/changes.jsonl` beside the archive. Network and disk are the caller's: [`Fetch`] and [`Shelf`].

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufRead, BufReader, Read};

/// What is asked of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request<'a> {
    /// Address.
    pub url: &'a str,
    /// `If-None-Match`: the entity tag of what is held; the answer may be [`Answer::NotModified`].
    pub unless: Option<&'a str>,
    /// Bytes that are held already, with the entity tag they belong to: `Range: bytes=<n>-` and `If-Range`.
    pub after: Option<(u64, &'a str)>,
}

/// What a server answered.
pub enum Answer<'a> {
    /// The whole document (200).
    Whole {
        /// Entity tag, if the server gives one.
        etag: Option<String>,
        /// The bytes. Ends early with an error when the connection breaks.
        body: Box<dyn Read + 'a>,
    },
    /// The rest that was asked for (206).
    Rest {
        /// The bytes.
        body: Box<dyn Read + 'a>,
    },
    /// Nothing new (304).
    NotModified,
    /// There is no such document (404).
    Missing,
}

/// Gets documents. Retries and proxies are the implementer's business; addresses that are folders work just as well.
pub trait Fetch {
    /// Asks for a document.
    ///
    /// # Errors
    /// A message that names the state (`connection refused`, `503 Service Unavailable`).
    fn get(&mut self, request: &Request<'_>) -> Result<Answer<'_>, String>;
}

/// The folder of the local copy. Paths are relative to it, with `/`.
pub trait Shelf {
    /// A whole small file; `None` if it is not there.
    ///
    /// # Errors
    /// When reading fails.
    fn read(&mut self, path: &str) -> io::Result<Option<Vec<u8>>>;

    /// Size in bytes; `None` if it is not there.
    ///
    /// # Errors
    /// When the folder cannot be read.
    fn size(&mut self, path: &str) -> io::Result<Option<u64>>;

    /// Cuts the file at `at` bytes (0 makes a new one, with its folders) and writes all of `body` after that. What arrived
    /// before an error stays.
    ///
    /// # Errors
    /// When reading the body or writing fails.
    fn write(&mut self, path: &str, at: u64, body: &mut dyn Read) -> io::Result<()>;

    /// Puts a complete file in another's place at once, durably.
    ///
    /// # Errors
    /// When renaming fails.
    fn rename(&mut self, from: &str, to: &str) -> io::Result<()>;

    /// Removes a file if it is there.
    ///
    /// # Errors
    /// When removing fails.
    fn remove(&mut self, path: &str) -> io::Result<()>;

    /// Reads a whole zip archive, checking every member's CRC.
    ///
    /// # Errors
    /// What is wrong with it.
    fn check_zip(&mut self, path: &str) -> Result<(), String>;
}

/// Where the feeds are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sources {
    /// Root of OSV's bucket or of a mirror of it, without a slash at the end.
    pub osv: String,
    /// CISA's catalogue as JSON.
    pub known_exploited: String,
    /// EPSS scores, gzip.
    pub scores: String,
    /// End-of-life data.
    pub end_of_life: String,
}

impl Sources {
    /// The publishers' own addresses.
    #[must_use]
    pub fn public() -> Self {
        Self {
            osv: "https://osv-vulnerabilities.storage.googleapis.com".to_owned(),
            known_exploited:
                "https://www.cisa.gov/sites/default/files/feeds/known_exploited_vulnerabilities.json"
                    .to_owned(),
            scores: "https://epss.empiricalsecurity.com/epss_scores-current.csv.gz".to_owned(),
            end_of_life: "https://endoflife.date/api/v1/products/full".to_owned(),
        }
    }

    /// A mirror that holds all of them, in the layout of the local copy.
    #[must_use]
    pub fn mirror(url: &str) -> Self {
        let osv = url.trim_end_matches('/').to_owned();
        Self {
            known_exploited: format!("{osv}/{KNOWN_EXPLOITED}"),
            scores: format!("{osv}/{SCORES}"),
            end_of_life: format!("{osv}/{END_OF_LIFE}"),
            osv,
        }
    }
}

const KNOWN_EXPLOITED: &str = "kev/known_exploited_vulnerabilities.json";
const SCORES: &str = "epss/epss_scores-current.csv.gz";
const END_OF_LIFE: &str = "eol/endoflife.json";
const STATE: &str = "state.json";

/// What to update.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UpdateOptions {
    /// Only these ecosystems; all that the mirror lists when it is empty.
    pub ecosystems: Vec<String>,
}

/// With more changed records than this an ecosystem's whole archive is fetched.
const CHANGES: usize = 500;
/// Longest line of `modified_id.csv` and most ecosystems of a mirror that are believed.
const LINE: u64 = 1 << 12;
const ECOSYSTEMS: usize = 1000;
/// Largest single record, in bytes.
const RECORD: u64 = 64 << 20;

/// What was done, for progress and for the end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UpdateSummary {
    /// Files that were fetched whole.
    pub fetched: Vec<String>,
    /// Ecosystems that were brought up to date record by record, with the number of records.
    pub changed: Vec<(String, usize)>,
    /// Files and ecosystems in which nothing is new.
    pub unchanged: usize,
    /// What failed, by name, with the reason. What was there before stays and is used on.
    pub failed: Vec<(String, String)>,
}

impl UpdateSummary {
    /// True when there is anything new to build a database from.
    #[must_use]
    pub fn is_news(&self) -> bool {
        !self.fetched.is_empty() || !self.changed.is_empty()
    }
}

/// Why nothing could be updated.
#[derive(Debug, thiserror::Error)]
pub enum UpdateError {
    /// The list of ecosystems is not to be had, so nothing is known of the mirror.
    #[error("could not get the list of ecosystems {url}: {message}")]
    Mirror {
        /// Address.
        url: String,
        /// What went wrong.
        message: String,
    },
    /// The local copy cannot be read or written.
    #[error("could not keep the local copy of the feeds: {0}")]
    Shelf(#[from] io::Error),
}

/// What is known of the files that are held.
#[derive(Debug, Default, Serialize, Deserialize)]
struct State {
    /// By path.
    files: BTreeMap<String, Held>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Held {
    /// Entity tag of the file.
    #[serde(default)]
    etag: String,
    /// Entity tag that a partial download belongs to.
    #[serde(default)]
    part: String,
    /// For archives: time of the newest record, as `modified_id.csv` writes it.
    #[serde(default)]
    newest: String,
    /// For archives: entity tag of the `modified_id.csv` that was last worked off.
    #[serde(default)]
    list: String,
}

/// Brings the copy on `shelf` up to date. One ecosystem's failure does not stop the others.
///
/// # Errors
/// When the list of ecosystems is not to be had, or the shelf fails.
pub fn update(
    fetch: &mut dyn Fetch,
    shelf: &mut dyn Shelf,
    sources: &Sources,
    options: &UpdateOptions,
    progress: &mut dyn FnMut(&str),
) -> Result<UpdateSummary, UpdateError> {
    let state = shelf
        .read(STATE)?
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        // An unreadable state only means fetching more than needed.
        .unwrap_or_default();
    let mut run = Run {
        fetch,
        shelf,
        state,
        summary: UpdateSummary::default(),
    };
    let ecosystems = if options.ecosystems.is_empty() {
        run.ecosystems(&sources.osv)?
    } else {
        options.ecosystems.clone()
    };
    for ecosystem in ecosystems {
        progress(&ecosystem);
        if !is_safe(&ecosystem) {
            run.fail(&ecosystem, "its name is no folder name".to_owned());
            continue;
        }
        match run.ecosystem(&sources.osv, &ecosystem) {
            Ok(()) => {}
            Err(Failure::Feed(message)) => run.fail(&ecosystem, message),
            Err(Failure::Shelf(error)) => return Err(error.into()),
        }
    }
    for (path, url, check) in [
        (KNOWN_EXPLOITED, &sources.known_exploited, Check::Json),
        (SCORES, &sources.scores, Check::Gzip),
        (END_OF_LIFE, &sources.end_of_life, Check::Json),
    ] {
        progress(path);
        match run.whole(path, url, check) {
            Ok(Got::New) => run.summary.fetched.push(path.to_owned()),
            Ok(Got::Same) => run.summary.unchanged += 1,
            Err(Failure::Feed(message)) => run.fail(path, message),
            Err(Failure::Shelf(error)) => return Err(error.into()),
        }
    }
    Ok(run.summary)
}

enum Failure {
    /// Of the network or of what came; the old file stays.
    Feed(String),
    /// Of the disk; nothing more can be done.
    Shelf(io::Error),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Shelf(error)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Got {
    New,
    Same,
}

/// How a fetched file is verified before it counts.
#[derive(Clone, Copy)]
enum Check {
    Zip,
    Json,
    Gzip,
}

struct Run<'a> {
    fetch: &'a mut dyn Fetch,
    shelf: &'a mut dyn Shelf,
    state: State,
    summary: UpdateSummary,
}

impl Run<'_> {
    fn fail(&mut self, name: &str, message: String) {
        let name = name.chars().take(100).flat_map(char::escape_default).collect();
        self.summary.failed.push((name, message));
    }

    /// Saves what is known, so that an interrupted update goes on where it stopped.
    fn save(&mut self) -> Result<(), Failure> {
        let text = serde_json::to_vec_pretty(&self.state).map_err(|error| Failure::Shelf(error.into()))?;
        let part = format!("{STATE}.part");
        self.shelf.write(&part, 0, &mut text.as_slice())?;
        self.shelf.rename(&part, STATE)?;
        Ok(())
    }

    fn ecosystems(&mut self, root: &str) -> Result<Vec<String>, UpdateError> {
        let url = format!("{root}/ecosystems.txt");
        let wrong = |message: String| UpdateError::Mirror {
            url: url.clone(),
            message,
        };
        let request = Request {
            url: &url,
            unless: None,
            after: None,
        };
        let body = match self.fetch.get(&request).map_err(wrong)? {
            Answer::Whole { body, .. } => body,
            _ => return Err(wrong("it is not there".to_owned())),
        };
        let mut text = String::new();
        body.take(LINE * ECOSYSTEMS as u64)
            .read_to_string(&mut text)
            .map_err(|error| wrong(error.to_string()))?;
        // Releases (`Debian:12`) are parts of their distribution's archive.
        let names: BTreeSet<&str> = text
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.contains(':'))
            .take(ECOSYSTEMS)
            .collect();
        if names.is_empty() {
            return Err(wrong("it is empty".to_owned()));
        }
        Ok(names.into_iter().map(str::to_owned).collect())
    }

    fn ecosystem(&mut self, root: &str, ecosystem: &str) -> Result<(), Failure> {
        let path = format!("{ecosystem}/all.zip");
        let base = format!("{root}/{}", encoded(ecosystem));
        let held = self.state.files.get(&path).cloned().unwrap_or_default();
        let present = self.shelf.size(&path)?.is_some();
        let since = if present { held.newest.as_str() } else { "" };
        let list = self.changes(&format!("{base}/modified_id.csv"), since, &held.list)?;
        let (newest, etag) = match list {
            List::Same if present => {
                self.summary.unchanged += 1;
                return Ok(());
            }
            List::Same | List::Missing => (String::new(), String::new()),
            List::Changed { newest, etag, ids } => {
                if present && !held.newest.is_empty() && ids.len() <= CHANGES {
                    return self.records(&base, ecosystem, &ids, &newest, &etag);
                }
                (newest, etag)
            }
        };
        let got = self.whole(&path, &format!("{base}/all.zip"), Check::Zip)?;
        if got == Got::New {
            // The archive holds all that the single records told.
            self.shelf.remove(&format!("{ecosystem}/changes.jsonl"))?;
            self.summary.fetched.push(path.clone());
        } else {
            self.summary.unchanged += 1;
        }
        let held = self.state.files.entry(path).or_default();
        held.newest = newest;
        held.list = etag;
        self.save()
    }

    /// Reads the list of changes down to `since`.
    fn changes(&mut self, url: &str, since: &str, etag: &str) -> Result<List, Failure> {
        let request = Request {
            url,
            unless: Some(etag).filter(|etag| !etag.is_empty() && !since.is_empty()),
            after: None,
        };
        let (etag, body) = match self.fetch.get(&request).map_err(Failure::Feed)? {
            Answer::NotModified => return Ok(List::Same),
            Answer::Missing | Answer::Rest { .. } => return Ok(List::Missing),
            Answer::Whole { etag, body } => (etag.unwrap_or_default(), body),
        };
        let mut reader = BufReader::new(body);
        let mut newest = String::new();
        let mut ids = Vec::new();
        loop {
            let mut line = String::new();
            let read = (&mut reader)
                .take(LINE)
                .read_line(&mut line)
                .map_err(|error| Failure::Feed(format!("modified_id.csv: {error}")))?;
            if read == 0 {
                break;
            }
            let Some((time, id)) = line.trim_end().split_once(',') else {
                return Err(Failure::Feed(
                    "modified_id.csv: a line is not `time,id`".to_owned(),
                ));
            };
            // Newest first; what follows is held already.
            if time <= since {
                break;
            }
            if newest.is_empty() {
                time.clone_into(&mut newest);
            }
            if ids.len() > CHANGES || since.is_empty() {
                // All will be fetched: only the first line's time matters.
                break;
            }
            if !is_safe(id) {
                return Err(Failure::Feed("modified_id.csv: an id is no file name".to_owned()));
            }
            ids.push(id.to_owned());
        }
        if newest.is_empty() {
            return Ok(if since.is_empty() {
                List::Missing
            } else {
                List::Same
            });
        }
        Ok(List::Changed { newest, etag, ids })
    }

    /// Fetches single records and puts them beside the archive.
    fn records(
        &mut self,
        base: &str,
        ecosystem: &str,
        ids: &[String],
        newest: &str,
        etag: &str,
    ) -> Result<(), Failure> {
        let path = format!("{ecosystem}/changes.jsonl");
        let mut text = self.shelf.read(&path)?.unwrap_or_default();
        for id in ids {
            let url = format!("{base}/{}.json", encoded(id));
            let request = Request {
                url: &url,
                unless: None,
                after: None,
            };
            let body = match self.fetch.get(&request).map_err(Failure::Feed)? {
                Answer::Whole { body, .. } => body,
                // A record may be taken away between the list and now.
                _ => continue,
            };
            let mut bytes = Vec::new();
            body.take(RECORD + 1)
                .read_to_end(&mut bytes)
                .map_err(|error| Failure::Feed(format!("{id}: {error}")))?;
            if bytes.len() as u64 > RECORD {
                return Err(Failure::Feed(format!(
                    "{id}: a record of more than {RECORD} bytes"
                )));
            }
            let value: serde_json::Value =
                serde_json::from_slice(&bytes).map_err(|error| Failure::Feed(format!("{id}: {error}")))?;
            // One record a line, whatever the layout it came in.
            serde_json::to_writer(&mut text, &value).map_err(|error| Failure::Shelf(error.into()))?;
            text.push(b'\n');
        }
        let part = format!("{path}.part");
        self.shelf.write(&part, 0, &mut text.as_slice())?;
        self.shelf.rename(&part, &path)?;
        let held = self
            .state
            .files
            .entry(format!("{ecosystem}/all.zip"))
            .or_default();
        newest.clone_into(&mut held.newest);
        etag.clone_into(&mut held.list);
        self.summary.changed.push((ecosystem.to_owned(), ids.len()));
        self.save()
    }

    /// Fetches a file if it changed, going on with what an earlier run has got of it; verifies it and puts it in place.
    fn whole(&mut self, path: &str, url: &str, check: Check) -> Result<Got, Failure> {
        let part = format!("{path}.part");
        let held = self.state.files.get(path).cloned().unwrap_or_default();
        let present = self.shelf.size(path)?.is_some();
        let partial = self.shelf.size(&part)?.unwrap_or(0);
        let request = Request {
            url,
            unless: Some(held.etag.as_str()).filter(|etag| present && !etag.is_empty()),
            after: (partial > 0 && !held.part.is_empty()).then_some((partial, held.part.as_str())),
        };
        let (etag, at, mut body) = match self.fetch.get(&request).map_err(Failure::Feed)? {
            Answer::NotModified => return Ok(Got::Same),
            Answer::Missing => return Err(Failure::Feed("it is not there".to_owned())),
            Answer::Rest { body } if request.after.is_some() => (held.part.clone(), partial, body),
            Answer::Rest { .. } => {
                return Err(Failure::Feed("a part came that was not asked for".to_owned()));
            }
            Answer::Whole { etag, body } => (etag.unwrap_or_default(), 0, body),
        };
        let written = self.shelf.write(&part, at, &mut body);
        drop(body);
        if let Err(error) = written {
            // What has come is kept for the next run, if it can be told which file it belongs to.
            self.state.files.entry(path.to_owned()).or_default().part = etag;
            self.save()?;
            return Err(Failure::Feed(format!("the download broke off: {error}")));
        }
        let checked = match check {
            Check::Zip => self.shelf.check_zip(&part),
            Check::Json => match self.shelf.read(&part)? {
                Some(bytes) => serde_json::from_slice::<serde::de::IgnoredAny>(&bytes)
                    .map(drop)
                    .map_err(|error| error.to_string()),
                None => Err("it vanished".to_owned()),
            },
            Check::Gzip => match self.shelf.read(&part)? {
                Some(bytes) if bytes.starts_with(&[0x1f, 0x8b]) => Ok(()),
                _ => Err("it is not gzip".to_owned()),
            },
        };
        if let Err(message) = checked {
            self.shelf.remove(&part)?;
            self.state.files.entry(path.to_owned()).or_default().part = String::new();
            self.save()?;
            return Err(Failure::Feed(format!("what came is damaged: {message}")));
        }
        self.shelf.rename(&part, path)?;
        let held = self.state.files.entry(path.to_owned()).or_default();
        held.etag = etag;
        held.part = String::new();
        self.save()?;
        Ok(Got::New)
    }
}

enum List {
    /// Nothing new.
    Same,
    /// The mirror keeps no list.
    Missing,
    /// Time of the newest record, entity tag of the list, and ids since the last time.
    Changed {
        newest: String,
        etag: String,
        ids: Vec<String>,
    },
}

/// True for a name that may be part of a path and of an address.
fn is_safe(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 200
        && !name.starts_with('.')
        && name.bytes().all(|byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-' | b' ' | b':' | b'+')
        })
}

/// A name as a part of an address.
fn encoded(name: &str) -> String {
    name.replace(' ', "%20").replace('+', "%2B")
}

#[cfg(test)]
mod tests;
