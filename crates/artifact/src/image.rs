//! An opened target: an image with layers or a folder tree, and the one way to walk what is in it.

use crate::entries::EntryList;
use model::{Content, Digest, Entry, LayerIndex, Problem};

/// What is known of an image before its layers are read.
#[derive(Clone, Debug, Default)]
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
#[derive(Clone, Debug)]
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

    /// The content of a wanted file. Small files are in memory, large ones spooled to an unlinked temporary file, so the
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
}
