//! OCI image layouts in a folder, and the tarball of a root file system.

use crate::archive::{Section, blob_path, resolve_layout};
use crate::decompress::{self, Compression, Reading};
use crate::error::ArtifactError;
use crate::files::{self, Root};
use crate::image::{Backend, Image, ImageInfo, LayerInfo, StoredLayer};
use crate::manifest::Resolved;
use crate::options::OpenOptions;
use crate::source::{BlobSource, Descriptor};
use crate::tar::{Stream, TarReader};
use model::DigestAlgorithm;
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

/// Opens the tarball of a root file system as an image of one layer. It is read once to learn its identity, the digest of
/// the uncompressed tar.
pub(crate) fn open_tarball(path: &Path, options: &OpenOptions) -> Result<Image, ArtifactError> {
    let what = files::named(path);
    let limits = &options.limits;
    let file = Arc::new(files::open(path)?);
    let whole = |file| Section::whole(file).map_err(|error| ArtifactError::io(&*what, error));
    check_is_tar(whole(&file)?, &what, options)?;
    let section = whole(&file)?;
    let reading = Reading {
        limits,
        stored: Some(DigestAlgorithm::Sha256),
        uncompressed: Some(DigestAlgorithm::Sha256),
    };
    // A tarball that breaks off is scanned as far as it goes, and the walk tells what is wrong.
    let (diff_id, stored) = decompress::decompress(Box::new(section), &reading, |blocks| {
        let _ = io::copy(blocks, &mut io::sink());
        blocks.take_digest()
    });
    let blob = stored.digest.filter(|_| stored.whole);
    let diff_id = diff_id.ok_or_else(|| ArtifactError::invalid(&*what, "it has no content"))?;
    let descriptor = Descriptor {
        media_type: String::new(),
        digest: blob.clone().unwrap_or_else(|| diff_id.clone()),
        size: stored.count,
        platform: None,
        urls: Vec::new(),
    };
    let info = ImageInfo {
        references: vec![path.display().to_string()],
        layers: vec![LayerInfo {
            diff_id,
            blob: blob.clone(),
            size: stored.count,
            instruction: None,
        }],
        ..ImageInfo::default()
    };
    let layers = vec![StoredLayer {
        descriptor,
        check_stored: blob.is_some(),
        unreadable: None,
    }];
    Ok(Image {
        info,
        backend: Backend::Blobs {
            source: Arc::new(Tarball { file }),
            layers,
        },
        limits: limits.clone(),
        rootfs: true,
    })
}

/// Refuses what is no tar archive before anything else is done with it.
fn check_is_tar(section: Section, what: &str, options: &OpenOptions) -> Result<(), ArtifactError> {
    let (compression, reader) =
        decompress::capped(section, &options.limits).map_err(|error| ArtifactError::io(what, error))?;
    let mut tar = TarReader::new(Stream(BufReader::new(reader)), options.limits.max_name_bytes);
    match tar.advance() {
        Ok(true) => Ok(()),
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

impl BlobSource for Tarball {
    fn open(&self, _descriptor: &Descriptor) -> Result<Box<dyn Read + Send>, ArtifactError> {
        let section = Section::whole(&self.file).map_err(|error| ArtifactError::io("the tarball", error))?;
        Ok(Box::new(section))
    }
}
