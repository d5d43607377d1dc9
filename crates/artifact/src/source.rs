//! The seam between where an image is kept and how it is read: blobs at random, or one stream of them.

use crate::archive;
use crate::error::ArtifactError;
use crate::image::{Backend, Image, ImageInfo};
use crate::manifest::{self, Resolved};
use crate::options::OpenOptions;
use crate::stream::Place;
use model::Digest;
use std::io::Read;
use std::sync::Arc;

/// Points to a blob, as OCI and Docker manifests do.
#[derive(Clone, Debug)]
pub(crate) struct Descriptor {
    /// What the blob claims to be; content is sniffed all the same. May be empty.
    pub(crate) media_type: String,
    /// Digest of the stored bytes.
    pub(crate) digest: Digest,
    /// Number of stored bytes; 0 when unknown.
    pub(crate) size: u64,
    /// For which machine, in indexes.
    pub(crate) platform: Option<Platform>,
    /// Where a foreign layer may be fetched; never used, only said.
    pub(crate) urls: Vec<String>,
}

/// Operating system and processor that an image is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Platform {
    /// `linux`.
    pub(crate) os: String,
    /// `amd64`.
    pub(crate) architecture: String,
    /// `v7`; may be empty.
    pub(crate) variant: String,
}

/// A store of blobs that can be read in any order and at once from several threads: a registry, an OCI layout, containerd's
/// content store, an uncompressed archive.
pub(crate) trait BlobSource: Send + Sync {
    /// The stored (usually compressed) bytes from the start. The caller checks digest and size.
    fn open(&self, descriptor: &Descriptor) -> Result<Box<dyn Read + Send>, ArtifactError>;
}

/// One stream that is read in its own order: the tar stream of an image in `docker save` or OCI form from a daemon's socket or
/// a compressed archive, or the tarball of a root file system.
pub(crate) trait StreamSource: Send + Sync {
    /// The stream from its start, anew for each pass: uncompressed, but for tarballs of root file systems.
    fn open(&self) -> Result<Box<dyn Read + Send>, ArtifactError>;
}

/// Where the resolution of an image begins.
pub(crate) enum Root {
    /// An index or manifest that the source holds.
    Descriptor(Descriptor),
    /// The bytes of an index or manifest (as a registry answers a tag with), already checked against any digest asked for.
    Bytes {
        /// Media type that the server gave; may be empty.
        media_type: String,
        /// The document.
        bytes: Vec<u8>,
    },
}

/// Resolves an index or manifest (nested indexes, the wanted platform, attestations left out) to an image.
///
/// `name` is how the user called the image, for messages and as its reference.
pub(crate) fn image_from_blobs(
    root: Root,
    source: Arc<dyn BlobSource>,
    name: &str,
    options: &OpenOptions,
) -> Result<Image, ArtifactError> {
    let Resolved { info, layers } = manifest::resolve(root, &*source, name, options)?;
    Ok(Image {
        info,
        backend: Backend::Blobs { source, layers },
        limits: options.limits.clone(),
        rootfs: false,
    })
}

/// An image in a `docker save` or OCI archive stream. `known` is what a daemon told already (its layers' diff ids at least),
/// so that no pass over the stream is needed before the walk.
pub(crate) fn image_from_stream(
    source: Arc<dyn StreamSource>,
    known: ImageInfo,
    options: &OpenOptions,
) -> Image {
    let places = known.layers.iter().map(|_| Place::default()).collect();
    archive::stream_image(source, known, places, options)
}
