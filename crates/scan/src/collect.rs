//! The visitor that gives each file of a layer to the extractors that want it.

use crate::Progress;
use crate::budget::Budget;
use crate::pool::{Pending, Pool};
use artifact::LayerVisitor;
use artifact::archives::Limited;
use inventory::{Extracted, Extractor, File, Found, Kind, extractors};
use model::{Content, Entry, EntryKind, Problem};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

/// Watches one layer.
pub(crate) struct Collector<'a> {
    pool: &'a Pool,
    progress: &'a dyn Progress,
    results: Results,
    /// True for a source tree.
    source: bool,
    /// Extractors that want the entry at hand.
    claims: Vec<&'static dyn Extractor>,
    /// Files that are read under another name: a link's, because its target's own name interests nobody.
    renamed: Vec<(String, String)>,
}

/// What the extractors found in one layer, filled by the pool's threads.
#[derive(Clone, Default)]
pub(crate) struct Results {
    shared: Arc<Mutex<(Vec<Found>, Vec<Problem>)>>,
    pending: Pending,
}

impl Results {
    /// Waits for the extraction of this layer to end and takes what was found, sorted by path and extractor.
    pub(crate) fn take(&self) -> (Vec<Found>, Vec<Problem>) {
        self.pending.wait();
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut found, mut problems) = std::mem::take(&mut *shared);
        found.sort_by(|a, b| (&a.path, &a.extractor).cmp(&(&b.path, &b.extractor)));
        problems.sort();
        (found, problems)
    }
}

impl<'a> Collector<'a> {
    pub(crate) fn new(pool: &'a Pool, progress: &'a dyn Progress) -> Self {
        Self {
            pool,
            progress,
            results: Results::default(),
            source: false,
            claims: Vec::new(),
            renamed: Vec::new(),
        }
    }

    /// Looks at a source tree, or at a file that is the target itself.
    pub(crate) fn of_source(pool: &'a Pool, progress: &'a dyn Progress) -> Self {
        Self {
            source: true,
            ..Self::new(pool, progress)
        }
    }

    /// Looks at each `(path, name)` as if the file at `path` were called `name`.
    pub(crate) fn renaming(
        pool: &'a Pool,
        progress: &'a dyn Progress,
        renamed: Vec<(String, String)>,
    ) -> Self {
        Self {
            renamed,
            ..Self::new(pool, progress)
        }
    }

    /// The entry under the name that extractors shall see.
    fn seen<'e>(&'e self, entry: &Entry<'e>) -> Entry<'e> {
        let name = self
            .renamed
            .iter()
            .find(|(path, _)| path == entry.path)
            .map(|(_, name)| name.as_str());
        Entry {
            path: name.unwrap_or(entry.path),
            ..*entry
        }
    }

    pub(crate) fn into_results(self) -> Results {
        self.results
    }
}

impl LayerVisitor for Collector<'_> {
    fn wants(&mut self, entry: &Entry<'_>) -> bool {
        self.progress.entry(entry.size);
        let mut claims = std::mem::take(&mut self.claims);
        claims.clear();
        if entry.kind == EntryKind::File && entry.size > 0 {
            wanted_by(&self.seen(entry), self.source, &mut claims);
        }
        self.claims = claims;
        !self.claims.is_empty()
    }

    fn accepts(&mut self, entry: &Entry<'_>, head: &[u8]) -> bool {
        let mut claims = std::mem::take(&mut self.claims);
        let seen = self.seen(entry);
        if seen.path != entry.path {
            // A second reading does not ask what is wanted; it is for those who care for the link's name alone.
            claims.clear();
            wanted_by(&seen, self.source, &mut claims);
            claims.retain(|extractor| extractor.names(&seen) && !extractor.names(entry));
        }
        claims.retain(|extractor| extractor.accepts(&seen, head));
        self.claims = claims;
        !self.claims.is_empty()
    }

    fn file(&mut self, entry: &Entry<'_>, content: Box<dyn Content>) {
        let claims = std::mem::take(&mut self.claims);
        let path = self.seen(entry).path.to_owned();
        let (size, mode) = (entry.size, entry.mode);
        let results = self.results.clone();
        let budget = Arc::clone(self.pool.budget());
        let guard = results.pending.begin();
        self.pool.run(Box::new(move || {
            let _guard = guard;
            extract_all(&claims, &path, size, mode, content, &results, &budget);
        }));
    }
}

/// Extractors that want an entry of a source tree or of something else, by its name alone.
fn wanted_by(entry: &Entry<'_>, source: bool, claims: &mut Vec<&'static dyn Extractor>) {
    let mut inside_installed = None;
    for extractor in extractors::ALL {
        let kind = extractor.kind();
        if (kind == Kind::Source && !source) || !extractor.wants(entry) {
            continue;
        }
        if kind.is_of_builds()
            && *inside_installed.get_or_insert_with(|| inventory::inside_installed_package(entry.path))
        {
            continue;
        }
        claims.push(*extractor);
    }
}

fn extract_all(
    claims: &[&'static dyn Extractor],
    path: &str,
    size: u64,
    mode: u32,
    mut content: Box<dyn Content>,
    results: &Results,
    budget: &Budget,
) {
    for extractor in claims {
        let name = extractor.meta().name;
        let archives = Limited::default();
        let entry = Entry {
            path,
            kind: EntryKind::File,
            size,
            mode,
            link: None,
        };
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            let mut extracted = Extracted::default();
            extractor.extract(
                &mut File {
                    entry,
                    content: content.as_mut(),
                    archives: &archives,
                },
                &mut extracted,
            );
            extracted
        }));
        let mut shared = results.shared.lock().unwrap_or_else(PoisonError::into_inner);
        match outcome {
            Ok(mut extracted) => {
                budget.admit(path, &mut extracted);
                // Problems stay with their file: if an upper layer replaces it, they are nobody's any more.
                if !extracted.is_empty() {
                    shared.0.push(Found {
                        extractor: name.to_owned(),
                        path: path.to_owned(),
                        extracted,
                    });
                }
            }
            Err(_) => shared.1.push(Problem::file(
                path,
                format!("the extractor `{name}` failed on this file; please report it with the file"),
            )),
        }
    }
}
