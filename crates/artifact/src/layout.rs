//! OCI image layouts in a folder, and the tarball of a root file system.

use crate::archive::{Section, blob_path, resolve_layout};
use crate::decompress::{self, Compression, Reading};
use crate::error::ArtifactError;
use crate::files::{self, Root};
use crate::image::{Backend, Image, ImageInfo, LayerInfo, StoredLayer};
use crate::manifest::Resolved;
use crate::memory::Note;
use crate::options::OpenOptions;
use crate::source::{BlobSource, Descriptor, StreamSource};
use crate::tar::{Stream, TarReader};
use crate::target::Opened;
use crate::unread::{Bytes, Unread};
use model::{Digest, DigestAlgorithm};
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;

/// Files beside `index.json` that are looked at when a layout has no `blobs` folder.
const MAX_FLAT_FILES: usize = 64;

/// Opens an image in an OCI layout.
pub(crate) fn open(path: &Path, tag: Option<&str>, options: &OpenOptions) -> Result<Image, ArtifactError> {
    let name = path.display().to_string();
    let root = Root::new(path)?;
    let limit = options.limits.max_json_bytes;
    let what = format!("`index.json` of `{name}`");
    let file = root
        .open(Path::new("index.json"))
        .map_err(|error| ArtifactError::io(&*what, error))?;
    let mut index = Vec::new();
    file.take(limit + 1)
        .read_to_end(&mut index)
        .map_err(|error| ArtifactError::io(&*what, error))?;
    if index.len() as u64 > limit {
        return Err(ArtifactError::TooLarge {
            what,
            limit,
            unit: "bytes",
        });
    }
    let source = Arc::new(Layout { root });
    let Resolved { info, layers } = resolve_layout(&index, &*source, tag, &name, options)?;
    Ok(Image {
        info,
        backend: Backend::Blobs { source, layers },
        limits: options.limits.clone(),
        rootfs: false,
    })
}

/// The blobs of a layout.
struct Layout {
    root: Root,
}

impl Layout {
    /// A blob that lies beside `index.json` under a name of its own, as in repositories of image files: the one with the
    /// size that is asked for. Its digest is checked like any other's.
    fn flat(&self, descriptor: &Descriptor) -> io::Result<Option<File>> {
        if descriptor.size == 0 {
            return Ok(None);
        }
        for entry in std::fs::read_dir(self.root.path())?.take(MAX_FLAT_FILES) {
            let entry = entry?;
            let metadata = entry.metadata()?;
            if metadata.is_file() && metadata.size() == descriptor.size {
                return self.root.open(Path::new(&entry.file_name())).map(Some);
            }
        }
        Ok(None)
    }
}

impl BlobSource for Layout {
    fn open(&self, descriptor: &Descriptor) -> Result<Box<dyn Read + Send>, ArtifactError> {
        let path = blob_path(&descriptor.digest);
        let what = format!("blob `{path}` of `{}`", self.root.path().display());
        match self.root.open(Path::new(&path)) {
            Ok(file) => Ok(Box::new(file)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => match self.flat(descriptor) {
                Ok(Some(file)) => Ok(Box::new(file)),
                _ => Err(ArtifactError::io(what, error)),
            },
            Err(error) => Err(ArtifactError::io(what, error)),
        }
    }
}

/// Opens the tarball of a root file system as an image of one layer. Its identity, the digest of the uncompressed tar, is
/// known once it was read.
pub(crate) fn open_tarball(path: &Path, options: &OpenOptions) -> Result<Opened, ArtifactError> {
    let what = files::named(path);
    let name = path.display().to_string();
    let file = Arc::new(files::open(path)?);
    let note = Note::of(&file, "rootfs", &name, None, options);
    let recalled = note.as_ref().and_then(Note::recall);
    let source = Arc::new(Tarball {
        file: Arc::clone(&file),
    });
    if let Some((info, places)) = recalled
        && let ([layer], [place]) = (&*info.layers, &*places)
    {
        let identity = TarballIdentity {
            diff_id: layer.diff_id.clone(),
            blob: layer.blob.clone(),
            stored_bytes: layer.size,
            compressed: place.stored.is_some(),
            sound: true,
        };
        return Ok(Opened::Image(tarball_image(source, &identity, &name, options)));
    }
    let section = Section::whole(&file).map_err(|error| ArtifactError::io(&*what, error))?;
    let compression = check_is_tar(section, &what, options)?;
    Ok(Opened::Unread(Unread {
        bytes: Bytes::Tarball {
            source,
            compressed: compression != Compression::None,
        },
        name,
        options: options.clone(),
        note,
    }))
}

/// What a tarball turned out to be.
pub(crate) struct TarballIdentity {
    pub(crate) diff_id: Digest,
    /// Digest of the stored bytes, when they were read to their end.
    pub(crate) blob: Option<Digest>,
    pub(crate) stored_bytes: u64,
    pub(crate) compressed: bool,
    /// False when not all of it came out.
    pub(crate) sound: bool,
}

/// Reads a tarball to learn its identity. One that breaks off is told by what comes out of it: it is scanned as far as it
/// goes, and the walk tells what is wrong.
pub(crate) fn identify(
    source: &dyn StreamSource,
    compressed: bool,
    name: &str,
    options: &OpenOptions,
) -> Result<TarballIdentity, ArtifactError> {
    let reading = Reading {
        limits: &options.limits,
        stored: compressed.then_some(DigestAlgorithm::Sha256),
        uncompressed: Some(DigestAlgorithm::Sha256),
    };
    let reader = source.open()?;
    let ((diff_id, copied), stored) = decompress::decompress(reader, &reading, |blocks| {
        let copied = io::copy(blocks, &mut io::sink());
        (blocks.take_digest(), copied)
    });
    let diff_id = diff_id.ok_or_else(|| ArtifactError::invalid(format!("`{name}`"), "it has no content"))?;
    let digest = if compressed {
        stored.digest
    } else {
        Some(diff_id.clone())
    };
    Ok(TarballIdentity {
        diff_id,
        blob: digest.filter(|_| stored.whole),
        stored_bytes: stored.count,
        compressed,
        sound: stored.whole && copied.is_ok(),
    })
}

/// The image that a tarball is.
pub(crate) fn tarball_image(
    source: Arc<dyn StreamSource>,
    identity: &TarballIdentity,
    name: &str,
    options: &OpenOptions,
) -> Image {
    let blob = &identity.blob;
    let info = ImageInfo {
        references: vec![name.to_owned()],
        layers: vec![LayerInfo {
            diff_id: identity.diff_id.clone(),
            blob: blob.clone(),
            size: identity.stored_bytes,
            instruction: None,
        }],
        ..ImageInfo::default()
    };
    let layers = vec![StoredLayer {
        descriptor: Descriptor {
            media_type: String::new(),
            digest: blob.clone().unwrap_or_else(|| identity.diff_id.clone()),
            size: identity.stored_bytes,
            platform: None,
            urls: Vec::new(),
        },
        // Of an uncompressed tarball both digests are the same, and one check is enough.
        check_stored: blob.is_some() && identity.compressed,
        unreadable: None,
    }];
    Image {
        info,
        backend: Backend::Blobs {
            source: Arc::new(OnlyBlob(source)),
            layers,
        },
        limits: options.limits.clone(),
        rootfs: true,
    }
}

/// Refuses what is no tar archive before anything else is done with it.
fn check_is_tar(section: Section, what: &str, options: &OpenOptions) -> Result<Compression, ArtifactError> {
    let (compression, reader) =
        decompress::capped(section, &options.limits).map_err(|error| ArtifactError::io(what, error))?;
    let mut tar = TarReader::new(Stream(BufReader::new(reader)), options.limits.max_name_bytes);
    match tar.advance() {
        Ok(true) => Ok(compression),
        Ok(false) => Err(ArtifactError::invalid(what, "it is an empty archive")),
        Err(error) => {
            let inside = match compression {
                Compression::None => String::new(),
                other => format!("{} of something else: ", other.name()),
            };
            Err(ArtifactError::invalid(
                what,
                format!("it is no tar archive: {inside}{error}"),
            ))
        }
    }
}

struct Tarball {
    file: Arc<File>,
}

impl StreamSource for Tarball {
    fn open(&self) -> Result<Box<dyn Read + Send>, ArtifactError> {
        let section = Section::whole(&self.file).map_err(|error| ArtifactError::io("the tarball", error))?;
        Ok(Box::new(section))
    }
}

/// A tarball as the only blob of an image.
struct OnlyBlob(Arc<dyn StreamSource>);

impl BlobSource for OnlyBlob {
    fn open(&self, _descriptor: &Descriptor) -> Result<Box<dyn Read + Send>, ArtifactError> {
        self.0.open()
    }
}
