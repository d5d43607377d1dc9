//! An opened target: an image with layers or a folder tree, and the one way to walk what is in it.

use crate::decompress::read_full;
use crate::entries::EntryList;
use crate::layer::{self, Expected, Outcome};
use crate::options::Limits;
use crate::source::{BlobSource, Descriptor, StreamSource};
use crate::stream;
use model::{Content, Digest, Entry, EntryKind, LayerIndex, Problem};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// What is known of an image before its layers are read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageInfo {
    /// Digest of the manifest, where the source has one.
    pub digest: Option<Digest>,
    /// Digest of the configuration: the image id.
    pub image_id: Option<Digest>,
    /// `linux/amd64` or `linux/arm/v7`.
    pub platform: Option<String>,
    /// Names under which the image is known.
    pub references: Vec<String>,
    /// Layers, lowest first.
    pub layers: Vec<LayerInfo>,
    /// Labels of the configuration, sorted.
    pub labels: Vec<(String, String)>,
    /// What was odd but not fatal while the image was opened.
    pub problems: Vec<Problem>,
}

/// What is known of one layer before it is read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayerInfo {
    /// What the configuration says the uncompressed tar's digest is; checked when the layer is read.
    pub diff_id: Digest,
    /// Digest of the blob as stored.
    pub blob: Option<Digest>,
    /// Bytes as stored; 0 when unknown.
    pub size: u64,
    /// `created_by` of the history entry that made the layer.
    pub instruction: Option<String>,
}

/// Watches one layer (or folder tree) go by, once, in the order of the archive.
pub trait LayerVisitor: Send {
    /// Called for every entry. True when the content of a regular file is wanted.
    fn wants(&mut self, entry: &Entry<'_>) -> bool;

    /// Second look at a wanted file with its first bytes (up to 64), before the rest is held.
    fn accepts(&mut self, entry: &Entry<'_>, head: &[u8]) -> bool {
        let _ = (entry, head);
        true
    }

    /// The content of a wanted file. It is in memory or, where there is no room for it, in an unlinked temporary file, so the
    /// visitor may keep the content and work on it elsewhere while the walk goes on.
    fn file(&mut self, entry: &Entry<'_>, content: Box<dyn Content>);
}

/// A layer that was walked.
pub struct Walked<V> {
    /// Which layer.
    pub index: LayerIndex,
    /// The visitor that watched it.
    pub visitor: V,
    /// All its entries, compact, for merging with the other layers.
    pub entries: EntryList,
    /// What went wrong. A layer that breaks off, is too large or lies about its digest ends with a problem, and what was seen
    /// before stays valid.
    pub problems: Vec<Problem>,
    /// True when the layer was read to its end and is what its digests say: only then may it be cached.
    pub complete: bool,
}

/// An image whose layers can be walked.
pub struct Image {
    /// What is known before the layers are read.
    pub info: ImageInfo,
    pub(crate) backend: Backend,
    pub(crate) limits: Limits,
    pub(crate) rootfs: bool,
}

/// Where the layers' bytes are.
pub(crate) enum Backend {
    /// In a store that can be read at random.
    Blobs {
        source: Arc<dyn BlobSource>,
        layers: Vec<StoredLayer>,
    },
    /// In one stream.
    Stream {
        source: Arc<dyn StreamSource>,
        layers: Vec<stream::Place>,
    },
}

/// One layer in a store of blobs.
pub(crate) struct StoredLayer {
    pub(crate) descriptor: Descriptor,
    /// False when the descriptor's digest is only a key and not the digest of the stored bytes.
    pub(crate) check_stored: bool,
    /// Why the layer cannot be read: it is foreign, or encrypted.
    pub(crate) unreadable: Option<String>,
}

impl Image {
    /// True for the tarball of a root file system, which has one layer and no configuration.
    #[must_use]
    pub fn is_rootfs(&self) -> bool {
        self.rootfs
    }

    /// Walks the layers of `wanted`; all others are neither read nor fetched. Up to `threads` layers are read at once, the
    /// largest first, where the source can be read at random; a source that is one stream is read in its own order. Results
    /// are in the order of the layers.
    pub fn walk<V: LayerVisitor>(
        &self,
        wanted: &[LayerIndex],
        threads: usize,
        make: &(dyn Fn() -> V + Sync),
    ) -> Vec<Walked<V>> {
        let mut order: Vec<LayerIndex> = wanted
            .iter()
            .copied()
            .filter(|&index| self.layer(index).is_some())
            .collect();
        order.sort_unstable();
        order.dedup();
        let mut walked = match &self.backend {
            Backend::Blobs { source, layers } => {
                order
                    .sort_by_key(|&index| std::cmp::Reverse(self.layer(index).map_or(0, |layer| layer.size)));
                self.walk_blobs(&**source, layers, &order, threads, make)
            }
            Backend::Stream { source, layers } => {
                stream::walk(&self.info, &**source, layers, &order, &self.limits, make)
            }
        };
        walked.sort_by_key(|walked| walked.index);
        walked
    }

    /// Second, targeted pass for link targets: of this layer's files, only those with these raw paths are handed over.
    /// `wants` is not asked, `accepts` is.
    pub fn reread(&self, layer: LayerIndex, paths: &[&str], visitor: &mut dyn LayerVisitor) -> Vec<Problem> {
        let paths: HashSet<String> = paths.iter().map(|&path| path.to_owned()).collect();
        let paths = Arc::new(paths);
        let make = || Collect {
            paths: Arc::clone(&paths),
            files: Vec::new(),
        };
        let mut problems = Vec::new();
        for walked in self.walk(&[layer], 1, &make) {
            problems.extend(walked.problems);
            for (entry, mut content) in walked.visitor.files {
                let mut head = [0; 64];
                let count = content.reader().and_then(|mut reader| {
                    read_full(&mut *reader, &mut head).map_err(|(_, error)| error.into())
                });
                match count {
                    Ok(count) => {
                        if visitor.accepts(&entry.entry(), head.get(..count).unwrap_or_default()) {
                            visitor.file(&entry.entry(), content);
                        }
                    }
                    Err(error) => problems.push(Problem::file(entry.path, error.to_string())),
                }
            }
        }
        problems
    }

    fn layer(&self, index: LayerIndex) -> Option<&LayerInfo> {
        self.info.layers.get(usize::try_from(index).ok()?)
    }

    fn walk_blobs<V: LayerVisitor>(
        &self,
        source: &dyn BlobSource,
        layers: &[StoredLayer],
        order: &[LayerIndex],
        threads: usize,
        make: &(dyn Fn() -> V + Sync),
    ) -> Vec<Walked<V>> {
        let next = AtomicUsize::new(0);
        let done = Mutex::new(Vec::with_capacity(order.len()));
        let work = || {
            while let Some(&index) = order.get(next.fetch_add(1, Ordering::Relaxed)) {
                let mut visitor = make();
                let outcome = self.walk_blob(source, layers, index, &mut visitor);
                done.lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(Walked::new(index, visitor, outcome));
            }
        };
        let threads = threads.clamp(1, order.len().max(1));
        if threads == 1 {
            work();
        } else {
            thread::scope(|scope| {
                for _ in 0..threads {
                    scope.spawn(work);
                }
            });
        }
        done.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn walk_blob(
        &self,
        source: &dyn BlobSource,
        layers: &[StoredLayer],
        index: LayerIndex,
        visitor: &mut dyn LayerVisitor,
    ) -> Outcome {
        let name = layer_name(&self.info, index);
        let place = usize::try_from(index).ok();
        let (Some(info), Some(stored)) = (self.layer(index), place.and_then(|place| layers.get(place)))
        else {
            return Outcome::failed(Problem::general(format!("{name} is not part of the image")));
        };
        if let Some(why) = &stored.unreadable {
            return Outcome::failed(Problem::general(format!("{name} was not read: {why}")));
        }
        let reader = match source.open(&stored.descriptor) {
            Ok(reader) => reader,
            Err(error) => {
                return Outcome::failed(Problem::general(format!(
                    "{name} was not read: {}",
                    error.chain()
                )));
            }
        };
        let expected = Expected {
            name: &name,
            diff_id: Some(&info.diff_id),
            stored: stored.check_stored.then_some(&stored.descriptor.digest),
            size: stored.descriptor.size,
        };
        layer::walk(reader, &expected, &self.limits, visitor)
    }
}

impl<V> Walked<V> {
    pub(crate) fn new(index: LayerIndex, visitor: V, outcome: Outcome) -> Self {
        Self {
            index,
            visitor,
            entries: outcome.entries,
            problems: outcome.problems,
            complete: outcome.complete,
        }
    }
}

/// How messages call a layer: counted from 1, as people do.
pub(crate) fn layer_name(info: &ImageInfo, index: LayerIndex) -> String {
    let digest = usize::try_from(index)
        .ok()
        .and_then(|place| info.layers.get(place))
        .map_or("unknown", |layer| layer.diff_id.short());
    format!("layer {} ({digest})", u64::from(index) + 1)
}

/// Keeps the files of some paths.
struct Collect {
    paths: Arc<HashSet<String>>,
    files: Vec<(Owned, Box<dyn Content>)>,
}

struct Owned {
    path: String,
    size: u64,
    mode: u32,
}

impl Owned {
    fn entry(&self) -> Entry<'_> {
        Entry {
            path: &self.path,
            kind: EntryKind::File,
            size: self.size,
            mode: self.mode,
            link: None,
        }
    }
}

impl LayerVisitor for Collect {
    fn wants(&mut self, entry: &Entry<'_>) -> bool {
        entry.kind == EntryKind::File && self.paths.contains(entry.path)
    }

    fn file(&mut self, entry: &Entry<'_>, content: Box<dyn Content>) {
        let owned = Owned {
            path: entry.path.to_owned(),
            size: entry.size,
            mode: entry.mode,
        };
        self.files.push((owned, content));
    }
}
