//! Building the database file from feeds, in bounded memory, and putting it in place at once.

use crate::feeds::{ALL, Item, Sink};
use crate::names;
use crate::ranges::{Comparison, Verdict, evaluate};
use crate::records::{Contents, Cycle, Details, Entry, FORMAT, Group, Header, SHOWN_AFFECTED, package_key};
use crate::schemes;
use crate::sorter::Sorter;
use crate::store::{Put, Table, Writer};
use model::{Advisory, Affected, Event, Problem};
use serde::Serialize;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::Hasher;
use std::io;
use std::path::{Path, PathBuf};

/// The documents of a mirror or folder in the layout of OSV's public bucket. Implemented over `artifact`, the only crate
/// that opens files and archives.
pub trait FeedFiles {
    /// Gives every document that [`crate::feeds::wanted`] asks for: its path from the root (members of archives after
    /// `!/`, a trailing `.gz` removed) and its inflated bytes. Stops at the first error of `each` and returns it.
    ///
    /// # Errors
    /// When a file cannot be read to its end; the build then fails and the old database stays.
    fn documents(&mut self, each: &mut DocumentVisitor<'_>) -> Result<(), BuildError>;
}

/// Receives a document: path and bytes.
pub type DocumentVisitor<'a> = dyn FnMut(&str, &[u8]) -> Result<(), BuildError> + 'a;

/// How to build.
#[derive(Clone, Debug)]
pub struct BuildOptions {
    /// RFC 3339 time that the file will carry as its time of building.
    pub created: String,
    /// Memory for sorting, in bytes. The whole build takes about 600 MiB more for the complete OSV data.
    pub memory: usize,
}

impl Default for BuildOptions {
    fn default() -> Self {
        Self {
            created: jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            memory: 512 << 20,
        }
    }
}

/// How far a build is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Records read so far, told every thousand.
    Read(u64),
    /// All is read; the file is being written.
    Writing,
}

/// What a build did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BuildSummary {
    /// What the new file holds.
    pub contents: Contents,
    /// The first thousand problems; `contents.problems` counts all.
    pub problems: Vec<Problem>,
    /// Size of the file in bytes.
    pub size: u64,
}

/// Why no database was built. An older file is untouched.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// A feed could not be read.
    #[error("{path}: {message}")]
    Feed {
        /// Which file.
        path: String,
        /// What is wrong.
        message: String,
    },
    /// There is nothing to build from.
    #[error(
        "no advisory was found in the feeds; expected `<Ecosystem>/all.zip` or `<Ecosystem>.jsonl` as in OSV's public bucket"
    )]
    Empty,
    /// The new file could not be written.
    #[error("could not write the database {path}: {message}")]
    Write {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
}

/// Error inside while the path of the file is not at hand.
struct Failed(String);

impl From<String> for Failed {
    fn from(message: String) -> Self {
        Self(message)
    }
}

impl From<io::Error> for Failed {
    fn from(error: io::Error) -> Self {
        Self(error.to_string())
    }
}

impl From<postcard::Error> for Failed {
    fn from(error: postcard::Error) -> Self {
        Self(format!("a record could not be encoded: {error}"))
    }
}

/// Problems that are kept word by word.
const PROBLEMS: usize = 1000;

/// Builds the database file `out` from all documents of `feeds`. The file appears at once, by renaming a finished
/// temporary one in the same folder.
///
/// # Errors
/// When a feed cannot be read, holds no advisory at all, or the file cannot be written. What was at `out` before stays.
pub fn build(
    feeds: &mut dyn FeedFiles,
    out: &Path,
    options: &BuildOptions,
    progress: &mut dyn FnMut(Progress),
) -> Result<BuildSummary, BuildError> {
    let write_error = |message: String| BuildError::Write {
        path: out.to_owned(),
        message,
    };
    let folder = match out.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut collector = Collector::new(folder, options, progress);
    feeds.documents(&mut |path, bytes| {
        collector
            .enter(path)
            .map_err(|Failed(message)| write_error(message))?;
        for feed in ALL {
            if feed.wants(path) {
                feed.read(path, bytes, &mut collector);
                break;
            }
        }
        match collector.failed.take() {
            None => Ok(()),
            Some(error) => Err(write_error(format!("temporary file: {error}"))),
        }
    })?;
    if collector.contents.advisories == 0 {
        return Err(BuildError::Empty);
    }
    (collector.progress)(Progress::Writing);
    let temporary = tempfile::Builder::new()
        .prefix(".hullward-db-")
        .suffix(".new")
        .tempfile_in(folder)
        .map_err(|error| write_error(error.to_string()))?
        .into_temp_path();
    let (contents, problems) = collector
        .write(&temporary)
        .map_err(|Failed(message)| write_error(message))?;
    let size = settle(&temporary, folder).map_err(|error| write_error(error.to_string()))?;
    temporary
        .persist(out)
        .map_err(|error| write_error(error.to_string()))?;
    sync_folder(folder).map_err(|error| write_error(error.to_string()))?;
    Ok(BuildSummary {
        contents,
        problems,
        size,
    })
}

/// Makes the finished file readable for everyone the umask allows and durable; returns its size.
fn settle(path: &Path, folder: &Path) -> io::Result<u64> {
    let file = std::fs::OpenOptions::new().read(true).write(true).open(path)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // Temporary files are private; the database is meant for every process of the machine.
        file.set_permissions(std::fs::Permissions::from_mode(0o644))?;
    }
    file.sync_all()?;
    let _ = folder;
    Ok(file.metadata()?.len())
}

/// Makes the renaming itself durable.
fn sync_folder(folder: &Path) -> io::Result<()> {
    std::fs::OpenOptions::new().read(true).open(folder)?.sync_all()
}

/// One folder's copy of a record.
struct Copy {
    folder: u16,
    number: u32,
    /// Of the whole content.
    hash: u64,
    modified: String,
}

/// Takes what the feeds read and holds it until it is written.
struct Collector<'a> {
    progress: &'a mut dyn FnMut(Progress),
    contents: Contents,
    created: String,
    problems: Vec<Problem>,
    /// Names of the top folders that records came from, and the one that is being read.
    folders: Vec<String>,
    folder: u16,
    /// Id → index into `copies`.
    ids: HashMap<String, u32>,
    /// The copies of each id: one record lies in the archives of all its ecosystems, and some sources use one id for
    /// different records.
    copies: Vec<Vec<Copy>>,
    /// Index into `copies` by number.
    copies_of: Vec<u32>,
    /// Numbers of records that a newer one replaced.
    replaced: HashSet<u32>,
    packages: Sorter,
    advisories: Sorter,
    details: Sorter,
    names: Sorter,
    known_exploited: BTreeMap<String, model::KnownExploited>,
    scores: Sorter,
    cycles: BTreeMap<String, Vec<Cycle>>,
    key: String,
    next: u32,
    failed: Option<Failed>,
}

impl std::fmt::Display for Failed {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl Sink for Collector<'_> {
    fn item(&mut self, item: Item) {
        if self.failed.is_some() {
            return;
        }
        let taken = match item {
            Item::Advisory(advisory) => self.advisory(*advisory),
            Item::KnownExploited(cve, entry) => {
                self.known_exploited.insert(cve, entry);
                Ok(())
            }
            Item::Score(cve, probability, percentile) => self.score(&cve, probability, percentile),
            Item::Cycle(product, cycle) => {
                self.cycles.entry(product).or_default().push(cycle);
                Ok(())
            }
        };
        self.failed = taken.err();
    }

    fn problem(&mut self, problem: Problem) {
        self.contents.problems += 1;
        if self.problems.len() < PROBLEMS {
            self.problems.push(problem);
        }
    }
}

impl<'a> Collector<'a> {
    fn new(folder: &Path, options: &BuildOptions, progress: &'a mut dyn FnMut(Progress)) -> Self {
        let part = options.memory / 8;
        Self {
            progress,
            contents: Contents::default(),
            created: options.created.clone(),
            problems: Vec::new(),
            folders: Vec::new(),
            folder: 0,
            ids: HashMap::new(),
            copies: Vec::new(),
            copies_of: Vec::new(),
            replaced: HashSet::new(),
            packages: Sorter::new(folder, part * 4),
            advisories: Sorter::new(folder, part),
            details: Sorter::new(folder, part),
            names: Sorter::new(folder, part),
            known_exploited: BTreeMap::new(),
            scores: Sorter::new(folder, part),
            cycles: BTreeMap::new(),
            key: String::new(),
            next: 0,
            failed: None,
        }
    }

    /// Notes which top folder the next records come from: `npm` of `npm/all.zip!/x.json` and of `npm.jsonl`.
    fn enter(&mut self, path: &str) -> Result<(), Failed> {
        let first = path.split('/').next().unwrap_or_default();
        let folder = first.strip_suffix(".jsonl").unwrap_or(first);
        if self
            .folders
            .get(usize::from(self.folder))
            .is_some_and(|have| have == folder)
        {
            return Ok(());
        }
        let index = match self.folders.iter().position(|have| have == folder) {
            Some(index) => index,
            None => {
                self.folders.push(folder.to_owned());
                self.folders.len() - 1
            }
        };
        self.folder =
            u16::try_from(index).map_err(|_| Failed("the feeds have more than 65536 folders".to_owned()))?;
        Ok(())
    }

    fn score(&mut self, cve: &str, probability: f64, percentile: f64) -> Result<(), Failed> {
        self.scores
            .push(cve.as_bytes(), &postcard::to_stdvec(&(probability, percentile))?)?;
        Ok(())
    }

    fn advisory(&mut self, mut advisory: Advisory) -> Result<(), Failed> {
        let number = self.next;
        let hash = content_hash(&advisory)?;
        let index = match self.ids.get(&advisory.id) {
            Some(index) => *index,
            None => {
                let index = u32::try_from(self.copies.len()).map_err(|_| too_many())?;
                self.ids.insert(advisory.id.clone(), index);
                self.copies.push(Vec::new());
                index
            }
        };
        let folder = self.folder;
        let Some(copies) = self.copies.get_mut(index as usize) else {
            return Err(too_many());
        };
        let mut copy = Copy {
            folder,
            number,
            hash,
            modified: advisory.modified.clone(),
        };
        let same = copies
            .iter()
            .find(|have| have.hash == hash)
            .map(|have| have.number);
        if let Some(same) = same {
            copy.number = same;
        }
        // Of one folder's copies the newest counts.
        match copies.iter_mut().find(|have| have.folder == folder) {
            Some(have) if have.modified >= copy.modified => return Ok(()),
            Some(have) => {
                let old = have.number;
                *have = copy;
                if !copies.iter().any(|have| have.number == old) {
                    self.replaced.insert(old);
                }
            }
            None => copies.push(copy),
        }
        if same.is_some() {
            return Ok(());
        }
        self.copies_of.push(index);
        self.next = number.checked_add(1).ok_or_else(too_many)?;
        self.contents.advisories += 1;
        if self.next.is_multiple_of(1000) {
            (self.progress)(Progress::Read(self.contents.advisories));
        }
        for name in [&advisory.id]
            .into_iter()
            .chain(&advisory.aliases)
            .chain(&advisory.upstream)
        {
            self.names
                .push(name.to_ascii_lowercase().as_bytes(), &number.to_be_bytes())?;
        }
        self.advisories.push(
            &number.to_be_bytes(),
            &postcard::to_stdvec(&Header::of(&advisory))?,
        )?;
        let affected = std::mem::take(&mut advisory.affected);
        let matched = advisory.withdrawn.is_empty() && is_security(&advisory);
        let mut shown = Vec::new();
        for mut affected in affected {
            drop_covered(&mut affected);
            if matched
                && !(affected.ranges.is_empty() && affected.versions.is_empty())
                && !affected.name.is_empty()
            {
                self.entry(number, &affected)?;
            }
            if shown.len() < SHOWN_AFFECTED {
                affected.versions.truncate(SHOWN_AFFECTED);
                shown.push(affected);
            }
        }
        let details = Details {
            details: std::mem::take(&mut advisory.details),
            references: std::mem::take(&mut advisory.references),
            affected: shown,
        };
        self.details
            .push(&number.to_be_bytes(), &postcard::to_stdvec(&details)?)?;
        Ok(())
    }

    fn entry(&mut self, number: u32, affected: &Affected) -> Result<(), Failed> {
        let base = names::base(&affected.ecosystem);
        let release = names::release(&affected.ecosystem);
        package_key(base, &names::normalise(base, &affected.name), &mut self.key);
        let entry = Entry {
            advisory: number,
            ranges: affected.ranges.clone(),
            versions: affected.versions.clone(),
            ratings: affected.ratings.clone(),
            facts: affected.facts.clone(),
        };
        // Release, then number: sorting the values brings entries of one release together, in the order of reading.
        let mut value = postcard::to_stdvec(release)?;
        value.extend_from_slice(&number.to_be_bytes());
        value.extend(postcard::to_stdvec(&entry)?);
        self.packages.push(self.key.as_bytes(), &value)?;
        Ok(())
    }

    /// Writes all tables into the file at `path`.
    fn write(self, path: &Path) -> Result<(Contents, Vec<Problem>), Failed> {
        let Self {
            mut contents,
            created,
            problems,
            replaced,
            packages,
            advisories,
            details,
            names,
            known_exploited,
            scores,
            cycles,
            folders,
            copies,
            copies_of,
            ids,
            ..
        } = self;
        drop(ids);
        contents.advisories -= replaced.len() as u64;
        // What a record of one folder says of another folder's ecosystem counts only if that one has no copy of its own.
        let counts = |number: u32, base: &[u8]| {
            let copies = copies_of
                .get(number as usize)
                .and_then(|index| copies.get(*index as usize))
                .map_or(&[][..], Vec::as_slice);
            let own = copies.iter().find(|copy| {
                folders
                    .get(usize::from(copy.folder))
                    .is_some_and(|folder| folder.as_bytes() == base)
            });
            !replaced.contains(&number) && own.is_none_or(|own| own.number == number)
        };
        let mut writer = Writer::create(path)?;
        let mut ecosystems: BTreeMap<String, u64> = BTreeMap::new();
        writer.fill(Table::Packages, |put| {
            packages.groups(|key, values| {
                let base = key.split(|byte| *byte == 0).next().unwrap_or_default();
                let (value, count) = grouped(values, &|number| counts(number, base))?;
                if count == 0 {
                    return Ok(());
                }
                *ecosystems
                    .entry(String::from_utf8_lossy(base).into_owned())
                    .or_default() += count;
                put(key, &value).map_err(Failed)
            })
        })?;
        let number_of = |key: &[u8]| key.try_into().map_or(u32::MAX, u32::from_be_bytes);
        writer.fill(Table::Advisories, |put| {
            advisories.groups(|key, values| {
                let Some(value) = values.first().filter(|_| !replaced.contains(&number_of(key))) else {
                    return Ok(());
                };
                let header: Header = postcard::from_bytes(value)?;
                if !header.withdrawn.is_empty() {
                    contents.withdrawn += 1;
                }
                if header.modified > contents.newest {
                    contents.newest.clone_from(&header.modified);
                }
                put(key, value).map_err(Failed)
            })
        })?;
        writer.fill(Table::Names, |put| {
            names.groups(|key, values| {
                let numbers: Vec<u32> = values
                    .iter()
                    .map(|value| number_of(value))
                    .filter(|number| !replaced.contains(number))
                    .collect();
                if numbers.is_empty() {
                    return Ok(());
                }
                put(key, &postcard::to_stdvec(&numbers)?).map_err(Failed)
            })
        })?;
        contents.known_exploited = known_exploited.len() as u64;
        writer.fill(Table::KnownExploited, |put| put_all(&known_exploited, put))?;
        writer.fill(Table::Scores, |put| {
            scores.groups(|key, values| match values.last() {
                Some(value) => {
                    contents.scores += 1;
                    put(key, value).map_err(Failed)
                }
                None => Ok(()),
            })
        })?;
        contents.products = cycles.len() as u64;
        writer.fill(Table::Cycles, |put| put_all(&cycles, put))?;
        // What only `explain` reads comes last, so that what matching reads lies together.
        writer.fill(Table::Details, |put| {
            details.groups(|key, values| match values.first() {
                Some(value) if !replaced.contains(&number_of(key)) => put(key, value).map_err(Failed),
                _ => Ok(()),
            })
        })?;
        contents.built = created;
        contents.ecosystems = ecosystems.into_iter().collect();
        writer.fill(Table::About, |put| {
            put(b"contents", &postcard::to_stdvec(&contents)?)?;
            put(b"format", &FORMAT.to_be_bytes())?;
            Ok::<(), Failed>(())
        })?;
        writer.finish()?;
        Ok((contents, problems))
    }
}

fn put_all<T: Serialize>(map: &BTreeMap<String, T>, put: &mut Put<'_>) -> Result<(), Failed> {
    for (key, value) in map {
        put(key.as_bytes(), &postcard::to_stdvec(value)?)?;
    }
    Ok(())
}

/// Joins the sorted values of one package into groups by release; gives the bytes and the number of entries.
fn grouped(values: &[Vec<u8>], counts: &dyn Fn(u32) -> bool) -> Result<(Vec<u8>, u64), Failed> {
    let mut out = Vec::new();
    let mut total = 0;
    let mut release = "";
    let mut count = 0_u32;
    let mut entries = Vec::new();
    let mut close = |release: &str, count: &mut u32, entries: &mut Vec<u8>| -> Result<(), Failed> {
        if *count > 0 {
            out = postcard::to_extend(
                &Group {
                    release,
                    count: *count,
                    entries,
                },
                std::mem::take(&mut out),
            )?;
        }
        *count = 0;
        entries.clear();
        Ok(())
    };
    for value in values {
        let (of, rest): (&str, &[u8]) = postcard::take_from_bytes(value)?;
        let (number, entry) = rest
            .split_first_chunk::<4>()
            .ok_or_else(|| Failed("a sorted record is too short".to_owned()))?;
        if !counts(u32::from_be_bytes(*number)) {
            continue;
        }
        if of != release {
            close(release, &mut count, &mut entries)?;
            release = of;
        }
        entries.extend_from_slice(entry);
        count += 1;
        total += 1;
    }
    close(release, &mut count, &mut entries)?;
    Ok((out, total))
}

fn too_many() -> Failed {
    Failed("more than 4 billion records".to_owned())
}

/// Equal for equal records; an accident for others is as likely as in any 64 bits, and needs the same id.
fn content_hash(advisory: &Advisory) -> Result<u64, Failed> {
    let mut hasher = std::hash::DefaultHasher::new();
    hasher.write(&postcard::to_stdvec(advisory)?);
    Ok(hasher.finish())
}

/// Bug-fix and enhancement advisories are no flaws unless they name one.
fn is_security(advisory: &Advisory) -> bool {
    let other = ["ALBA-", "ALEA-", "RHBA-", "RHEA-", "RLBA-", "RLEA-"];
    !other.iter().any(|prefix| advisory.id.starts_with(prefix))
        || advisory
            .aliases
            .iter()
            .chain(&advisory.upstream)
            .any(|name| name.starts_with("CVE-"))
}

/// Leaves out enumerated versions that a range covers anyway: they are most of the bulk of some feeds.
fn drop_covered(affected: &mut Affected) {
    if affected.versions.is_empty() || affected.ranges.is_empty() {
        return;
    }
    let open = affected.ranges.iter().any(|range| {
        range
            .events
            .iter()
            .any(|event| matches!(event, Event::Introduced(version) if version == "0"))
            && range
                .events
                .iter()
                .all(|event| matches!(event, Event::Introduced(_)))
    });
    let Some(scheme) = schemes::for_ecosystem(&affected.ecosystem) else {
        return;
    };
    let comparison = Comparison {
        scheme,
        loose_epoch: false,
    };
    // An open range covers what can be compared at all; what cannot must stay, to be found by its text.
    affected.versions.retain(|version| {
        if open {
            scheme.compare(version, version).is_err()
        } else {
            !matches!(
                evaluate(&affected.ranges, &[], version, comparison),
                Verdict::Affected(_)
            )
        }
    });
}
