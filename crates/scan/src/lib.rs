//! The pipeline: fetch, extract, match, enrich, judge; and the layer cache.
//!
//! A target is opened by `artifact`, each of its layers goes by once while the extractors of `inventory` look at the files
//! they want, the layers' results are merged as the layers themselves are, and `advisory` judges the packages. Results of a
//! layer are cached by its digest, so an unchanged layer is not read again.

mod assemble;
mod budget;
pub mod cache;
mod collect;
pub mod feeds;
mod pool;

use advisory::{Database, DatabaseError, MatchOptions, match_packages};
use artifact::{ArtifactError, EntryList, FolderTree, Image, Opened, Unread, Walked};
use assemble::Assembled;
use budget::Budget;
pub use budget::DEFAULT_MAX_PACKAGES;
use cache::{Cache, LayerScan};
use model::{Content, Finding, Layer, OsRelease, Package, Problem, Report, Target, TargetKind};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// What a scan shall do.
pub struct ScanOptions<'a> {
    /// Name of the target as the user gave it.
    pub name: String,
    /// The advisory database; `None` for an inventory only.
    pub database: Option<&'a Database>,
    /// The layer cache; `None` reads every layer anew.
    pub cache: Option<&'a Cache>,
    /// Threads for reading layers and, as many again, for extraction.
    pub threads: usize,
    /// Most packages that are kept, counted before equal ones are united; usually [`DEFAULT_MAX_PACKAGES`].
    pub max_packages: usize,
    /// Report flaws of packages that only serve development as affected rather than as suppressed.
    pub include_development: bool,
    /// Fill in the descriptions of findings, which some formats show.
    pub descriptions: bool,
    /// The base image's layers, when the user named it; otherwise the cache's memory of earlier scans tells.
    pub base_layers: Option<Vec<model::Digest>>,
    /// RFC 3339 time of the scan, UTC, whole seconds.
    pub now: String,
    /// Version of the program.
    pub version: String,
    /// Told what happens.
    pub progress: &'a dyn Progress,
}

/// Watches a scan go on; called from several threads.
pub trait Progress: Sync {
    /// Reading begins: so many layers must be read, so many came from the cache.
    fn layers(&self, to_read: usize, cached: usize);
    /// One entry of a layer or tree went by, a file of so many bytes or something without content. Called for each, so it
    /// must be quick.
    fn entry(&self, bytes: u64);
    /// One layer is done.
    fn layer_done(&self);
    /// Packages are matched now.
    fn matching(&self, packages: usize);
    /// The cache could not be written, which costs time and changes no result; said once for each thing not kept.
    fn cache_not_written(&self, message: &str);
}

/// Says nothing.
pub struct Silent;

impl Progress for Silent {
    fn layers(&self, _to_read: usize, _cached: usize) {}
    fn entry(&self, _bytes: u64) {}
    fn layer_done(&self) {}
    fn matching(&self, _packages: usize) {}
    fn cache_not_written(&self, _message: &str) {}
}

/// Tells of what the cache could not keep.
fn kept(written: Result<(), String>, options: &ScanOptions<'_>) {
    if let Err(message) = written {
        options.progress.cache_not_written(&message);
    }
}

/// Why a scan gave no report.
#[derive(Debug, thiserror::Error)]
pub enum ScanError {
    /// The target could not be read.
    #[error(transparent)]
    Artifact(#[from] ArtifactError),
    /// The advisory database could not be read.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// The document that is the target could not be read.
    #[error("`{name}` could not be read: {message}")]
    Document {
        /// The target as given.
        name: String,
        /// What is wrong with it.
        message: String,
    },
}

/// Scans an opened target.
///
/// # Errors
/// When the database or the document that is the target cannot be read. What is wrong with parts of the target is in the report's problems.
pub fn scan(opened: &mut Opened, options: &ScanOptions<'_>) -> Result<Report, ScanError> {
    let budget = Arc::new(Budget::new(options.max_packages));
    let (mut target, assembled) = match opened {
        Opened::Image(image) => scan_image(image, Vec::new(), options, &budget),
        Opened::Unread(unread) => scan_unread(unread, options, &budget)?,
        Opened::Tree(tree) => scan_tree(tree, options, &budget),
        Opened::Document(document) => scan_document(document.as_mut(), options, &budget)?,
    };
    let Assembled {
        packages,
        os,
        mut problems,
    } = assembled;
    problems.extend(budget.problems());
    let mut findings = Vec::new();
    if let Some(database) = options.database {
        options.progress.matching(packages.len());
        let match_options = MatchOptions {
            include_development: options.include_development,
            today: options.now.get(..10).unwrap_or_default().to_owned(),
        };
        let matches = match_packages(database, &packages, os.as_ref(), &match_options)?;
        findings = matches.findings;
        if options.descriptions {
            database.describe(&mut findings)?;
        }
        problems.extend(matches.problems);
        if let Some(os) = &os {
            target.end_of_life = database.end_of_life(os, &match_options.today)?;
        }
    }
    sort_findings(&mut findings, &packages);
    problems.sort();
    problems.dedup();
    target.os = os;
    Ok(Report {
        generator_version: options.version.clone(),
        created: options.now.clone(),
        target,
        packages,
        findings,
        problems,
        database: options.database.map(|database| database.newest().to_owned()),
    })
}

/// Most severe first, then by package name and rule, so that reports are the same in every run.
fn sort_findings(findings: &mut [Finding], packages: &[Package]) {
    findings.sort_by_cached_key(|finding| {
        let package = finding.package.and_then(|index| packages.get(index));
        (
            std::cmp::Reverse(finding.severity),
            package.map(|package| (package.name.clone(), package.version.clone())),
            finding.rule.clone(),
            finding.id.clone(),
        )
    });
}

/// A layer that was walked; its files may still be with the extractors.
struct Read {
    index: u32,
    results: collect::Results,
    entries: EntryList,
    problems: Vec<Problem>,
    complete: bool,
}

impl From<Walked<collect::Collector<'_>>> for Read {
    fn from(walked: Walked<collect::Collector<'_>>) -> Self {
        Self {
            index: walked.index,
            results: walked.visitor.into_results(),
            entries: walked.entries,
            problems: walked.problems,
            complete: walked.complete,
        }
    }
}

/// What is known of an image's layers so far.
#[derive(Default)]
struct Layers {
    scans: BTreeMap<u32, LayerScan>,
    /// Those that are what their digests say, now or when they entered the cache, and without problems.
    verified: BTreeSet<u32>,
    problems: Vec<Problem>,
}

impl Layers {
    /// Takes what a walk gave, into the cache where it may be cached.
    fn take(&mut self, read: Vec<Read>, image: &Image, options: &ScanOptions<'_>, budget: &Budget) {
        for layer in read {
            let (found, problems) = layer.results.take();
            let mut scan = LayerScan {
                entries: layer.entries,
                found,
                problems,
            };
            options.progress.layer_done();
            // What the walk itself found odd (a name that climbs out of the root) is not kept with the layer, so that a
            // layer with such problems is read and told anew.
            if layer.complete && layer.problems.is_empty() && !budget.is_exceeded() {
                self.verified.insert(layer.index);
                if let (Some(cache), Some(info)) =
                    (options.cache, image.info.layers.get(layer.index as usize))
                {
                    kept(cache.put_layer(&info.diff_id, &scan), options);
                }
            }
            scan.problems.extend(layer.problems);
            self.scans.insert(layer.index, scan);
        }
    }

    fn walk(&mut self, wanted: &[u32], image: &Image, options: &ScanOptions<'_>, budget: &Arc<Budget>) {
        if wanted.is_empty() {
            return;
        }
        let read = pool::with_workers(options.threads, budget, |pool| {
            let walked = image.walk(wanted, options.threads, &|| {
                collect::Collector::new(pool, options.progress)
            });
            walked.into_iter().map(Read::from).collect()
        });
        self.take(read, image, options, budget);
    }
}

/// Scans an image that is not known before its bytes are read: they are read once for both.
fn scan_unread(
    unread: &Unread,
    options: &ScanOptions<'_>,
    budget: &Arc<Budget>,
) -> Result<(Target, Assembled), ScanError> {
    let (image, read) = pool::with_workers(options.threads, budget, |pool| {
        let (image, walked) = unread.walk(&|| collect::Collector::new(pool, options.progress))?;
        Ok::<_, ArtifactError>((image, walked.into_iter().map(Read::from).collect()))
    })?;
    Ok(scan_image(&image, read, options, budget))
}

/// Scans an image of which some layers may have been read already.
fn scan_image(
    image: &Image,
    read: Vec<Read>,
    options: &ScanOptions<'_>,
    budget: &Arc<Budget>,
) -> (Target, Assembled) {
    let layers = &image.info.layers;
    let diff_ids: Vec<&model::Digest> = layers.iter().map(|layer| &layer.diff_id).collect();
    let cache = options.cache.filter(|_| read.is_empty());
    let assembled = match cache.and_then(|cache| cache.image(&diff_ids)) {
        Some(known) => {
            options.progress.layers(0, layers.len());
            known
        }
        None => assemble_image(image, &diff_ids, read, options, budget),
    };
    let mut assembled = assembled;
    assembled.problems.extend(image.info.problems.iter().cloned());

    let base = match &options.base_layers {
        Some(base) if diff_ids.len() >= base.len() && base.iter().zip(&diff_ids).all(|(a, b)| a == *b) => {
            base.len()
        }
        Some(_) => 0,
        None => options.cache.map_or(0, |cache| cache.base_layers(&diff_ids)),
    };
    if let Some(cache) = options.cache {
        cache.remember_image(&diff_ids, &options.name);
    }
    let target = Target {
        kind: if image.is_rootfs() {
            TargetKind::Rootfs
        } else {
            TargetKind::Image
        },
        name: options.name.clone(),
        digest: image.info.digest.clone(),
        image_id: image.info.image_id.clone(),
        platform: image.info.platform.clone(),
        references: image.info.references.clone(),
        os: None,
        end_of_life: None,
        layers: layers
            .iter()
            .enumerate()
            .map(|(index, layer)| Layer {
                diff_id: layer.diff_id.clone(),
                blob: layer.blob.clone(),
                size: layer.size,
                instruction: layer.instruction.clone(),
                from_base: index < base,
            })
            .collect(),
    };
    (target, assembled)
}

/// Reads the layers that neither were read already nor are in the cache, and merges all.
fn assemble_image(
    image: &Image,
    diff_ids: &[&model::Digest],
    read: Vec<Read>,
    options: &ScanOptions<'_>,
    budget: &Arc<Budget>,
) -> Assembled {
    let at_hand: BTreeSet<u32> = read.iter().map(|layer| layer.index).collect();
    let mut layers = Layers::default();
    let mut to_read = Vec::new();
    // Equal layers are read once.
    let mut first_of: HashMap<&model::Digest, u32> = HashMap::new();
    let mut twins = Vec::new();
    for (index, &diff_id) in (0_u32..).zip(diff_ids) {
        if at_hand.contains(&index) {
            first_of.entry(diff_id).or_insert(index);
        } else if let Some(mut scan) = options.cache.and_then(|cache| cache.layer(diff_id)) {
            budget.admit_all(&mut scan.found);
            layers.scans.insert(index, scan);
            layers.verified.insert(index);
        } else if let Some(first) = first_of.get(diff_id) {
            twins.push((index, *first));
        } else {
            first_of.insert(diff_id, index);
            to_read.push(index);
        }
    }
    let cached = layers.scans.len();
    options.progress.layers(to_read.len() + at_hand.len(), cached);
    layers.take(read, image, options, budget);
    layers.walk(&to_read, image, options, budget);
    let mut again = Vec::new();
    for (index, first) in twins {
        match layers.scans.get(&first) {
            Some(scan) if layers.verified.contains(&first) => {
                let mut scan = scan.clone();
                budget.admit_all(&mut scan.found);
                layers.scans.insert(index, scan);
                layers.verified.insert(index);
            }
            // What is wrong with one need not be wrong with the other: they may be stored apart.
            _ => again.push(index),
        }
    }
    layers.walk(&again, image, options, budget);
    let Layers {
        mut scans,
        verified,
        problems,
    } = layers;
    // Only what was verified, or came from the cache and so was verified once, may enter the cache.
    let verified = verified.len() == diff_ids.len();
    // A layer that could not be read at all still has its place, so that indexes stay true.
    let scans: Vec<LayerScan> = (0..diff_ids.len())
        .map(|index| {
            u32::try_from(index)
                .ok()
                .and_then(|index| scans.remove(&index))
                .unwrap_or_default()
        })
        .collect();
    let reread_all = std::cell::Cell::new(true);
    let reread = |layer: u32, links: Vec<(String, String)>| {
        let (found, problems) = reread(image, layer, links, options, budget);
        reread_all.set(reread_all.get() && problems.is_empty());
        (found, problems)
    };
    let writable = problems.is_empty();
    let assembled = assemble::image(scans, problems, &reread);
    if verified
        && writable
        && !budget.is_exceeded()
        && reread_all.get()
        && let Some(cache) = options.cache
    {
        kept(cache.put_image(diff_ids, &assembled), options);
    }
    assembled
}

/// Reads files of a layer under the names of links to them; what is found is cached by layer and names.
fn reread(
    image: &Image,
    layer: u32,
    links: Vec<(String, String)>,
    options: &ScanOptions<'_>,
    budget: &Arc<Budget>,
) -> (Vec<inventory::Found>, Vec<Problem>) {
    let diff_id = image.info.layers.get(layer as usize).map(|layer| &layer.diff_id);
    let key = diff_id.map(|diff_id| cache::links_key(diff_id, &links));
    if let (Some(cache), Some(key)) = (options.cache, &key)
        && let Some(mut scan) = cache.layer(key)
    {
        budget.admit_all(&mut scan.found);
        return (scan.found, scan.problems);
    }
    pool::with_workers(1, budget, |pool| {
        let targets: Vec<String> = links.iter().map(|(target, _)| target.clone()).collect();
        let targets: Vec<&str> = targets.iter().map(String::as_str).collect();
        let mut collector = collect::Collector::renaming(pool, options.progress, links);
        let mut problems = image.reread(layer, &targets, &mut collector);
        let (found, more) = collector.into_results().take();
        // The layer was verified when it was first read; a second reading that had problems is not worth keeping.
        if problems.is_empty()
            && more.is_empty()
            && !budget.is_exceeded()
            && let (Some(cache), Some(key)) = (options.cache, &key)
        {
            let scan = LayerScan {
                found: found.clone(),
                ..LayerScan::default()
            };
            kept(cache.put_layer(key, &scan), options);
        }
        problems.extend(more);
        (found, problems)
    })
}

fn scan_tree(tree: &FolderTree, options: &ScanOptions<'_>, budget: &Arc<Budget>) -> (Target, Assembled) {
    options.progress.layers(1, 0);
    let (scans, problems) = pool::with_workers(options.threads, budget, |pool| {
        let walked = tree.walk(options.threads, &|| {
            if tree.is_rootfs() {
                collect::Collector::new(pool, options.progress)
            } else {
                collect::Collector::of_source(pool, options.progress)
            }
        });
        let mut problems = Vec::new();
        let mut scans = Vec::new();
        for part in walked {
            scans.push((part.entries, part.visitor.into_results()));
            problems.extend(part.problems);
        }
        (scans, problems)
    });
    let mut scan = LayerScan::default();
    for (entries, results) in scans {
        let (found, extraction_problems) = results.take();
        scan.found.extend(found);
        scan.problems.extend(extraction_problems);
        let mut cursor = entries.cursor();
        while let Some(entry) = cursor.next_entry() {
            scan.entries.push(&entry);
        }
    }
    options.progress.layer_done();
    scan.found
        .sort_by(|a, b| (&a.path, &a.extractor).cmp(&(&b.path, &b.extractor)));
    let assembled = assemble::tree(scan, problems);
    let kind = if tree.is_rootfs() {
        TargetKind::Rootfs
    } else {
        TargetKind::Directory
    };
    (plain_target(kind, options), assembled)
}

fn scan_document(
    document: &mut dyn Content,
    options: &ScanOptions<'_>,
    budget: &Budget,
) -> Result<(Target, Assembled), ScanError> {
    let archives = artifact::archives::Limited::default();
    let mut extracted =
        inventory::sbom::read(&options.name, document, &archives).map_err(|message| ScanError::Document {
            name: options.name.clone(),
            message,
        })?;
    budget.admit(&options.name, &mut extracted);
    let os: Option<OsRelease> = extracted.os.take();
    let problems: Vec<Problem> = std::mem::take(&mut extracted.problems);
    let assembled = assemble::document(extracted, os, problems);
    Ok((plain_target(TargetKind::Sbom, options), assembled))
}

fn plain_target(kind: TargetKind, options: &ScanOptions<'_>) -> Target {
    Target {
        kind,
        name: options.name.clone(),
        digest: None,
        image_id: None,
        platform: None,
        references: Vec::new(),
        os: None,
        end_of_life: None,
        layers: Vec::new(),
    }
}
