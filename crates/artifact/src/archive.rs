//! Image archives in one file: `docker save` (legacy and OCI form) and OCI archives, plain or compressed as a whole.

use crate::decompress::{self, Compression};
use crate::error::ArtifactError;
use crate::files;
use crate::image::{Backend, Image, ImageInfo, StoredLayer};
use crate::manifest::{self, Config, Resolved};
use crate::memory::Note;
use crate::options::{Limits, OpenOptions};
use crate::source::{BlobSource, Descriptor, Root, StreamSource};
use crate::stream::{self, Place};
use crate::tar::{Seekable, Stream, TarError, TarInput, TarReader};
use crate::target::Opened;
use crate::unread::{Bytes, Unread};
use model::{Digest, DigestAlgorithm, EntryKind, Problem};
use serde::Deserialize;
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

/// Entries of an image archive; images have a few for each layer.
const MAX_ARCHIVE_ENTRIES: usize = 100_000;
/// Bytes of all documents that are kept from one pass over a stream.
const MAX_DOCUMENTS_BYTES: u64 = 64 << 20;
/// Links followed from one entry of an archive to another.
const MAX_ARCHIVE_LINKS: usize = 16;

/// Opens an image archive. One that is compressed as a whole tells what it is only when it is read, or was before.
pub(crate) fn open(path: &Path, tag: Option<&str>, options: &OpenOptions) -> Result<Opened, ArtifactError> {
    let name = path.display().to_string();
    let what = files::named(path);
    let file = Arc::new(files::open(path)?);
    let mut head = [0; 6];
    let count = file
        .read_at(&mut head, 0)
        .map_err(|error| ArtifactError::io(&*what, error))?;
    if Compression::sniff(head.get(..count).unwrap_or_default()) != Compression::None {
        let note = Note::of(&file, "archive", &name, tag, options);
        let source = Arc::new(CompressedArchive {
            file,
            limits: options.limits.clone(),
        });
        if let Some((info, places)) = note.as_ref().and_then(Note::recall) {
            return Ok(Opened::Image(stream_image(source, info, places, options)));
        }
        return Ok(Opened::Unread(Unread {
            bytes: Bytes::Archive {
                source,
                tag: tag.map(str::to_owned),
            },
            name,
            options: options.clone(),
            note,
        }));
    }
    let input = file
        .try_clone()
        .and_then(Seekable::new)
        .map_err(|error| ArtifactError::io(&*what, error))?;
    let mut contents = Contents::default();
    list(
        TarReader::new(input, options.limits.max_name_bytes),
        &mut contents,
        None,
        &options.limits,
    )
    .map_err(|why| ArtifactError::invalid(&*what, why))?;
    let source = Arc::new(PlainArchive { file, contents });
    let described = describe(&*source, &source.contents, tag, &name, options)?;
    let Described { info, layers, paths } = described;
    // Layers of the legacy form are found by their diff id.
    let by_digest = layers
        .iter()
        .zip(paths)
        .map(|(layer, path)| (layer.descriptor.digest.clone(), path))
        .collect();
    let source = ArchiveBlobs {
        archive: source,
        by_digest,
    };
    Ok(Opened::Image(Image {
        info,
        backend: Backend::Blobs {
            source: Arc::new(source),
            layers,
        },
        limits: options.limits.clone(),
        rootfs: false,
    }))
}

/// An image in a stream, its layers at these places.
pub(crate) fn stream_image(
    source: Arc<dyn StreamSource>,
    info: ImageInfo,
    layers: Vec<Place>,
    options: &OpenOptions,
) -> Image {
    Image {
        info,
        backend: Backend::Stream { source, layers },
        limits: options.limits.clone(),
        rootfs: false,
    }
}

/// The content of an entry of an archive.
pub(crate) type Body<'a> = Box<dyn Read + Send + 'a>;
/// Is shown the path and content of what is no document; content that it leaves unread is skipped.
pub(crate) type ShowBlob<'a> = &'a mut dyn FnMut(&str, Body<'_>);

/// Reads a stream once to learn which image is in it and where its layers are.
pub(crate) fn describe_stream(
    source: &dyn StreamSource,
    tag: Option<&str>,
    name: &str,
    options: &OpenOptions,
    blobs: Option<ShowBlob<'_>>,
) -> Result<(ImageInfo, Vec<Place>), ArtifactError> {
    let limits = &options.limits;
    let input = Stream(BufReader::with_capacity(decompress::BUFFER_BYTES, source.open()?));
    let mut contents = Contents::default();
    let mut kept = Kept {
        documents: HashMap::new(),
        bytes: 0,
        blobs,
    };
    let tar = TarReader::new(input, limits.max_name_bytes);
    list(tar, &mut contents, Some(&mut kept), limits)
        .map_err(|why| ArtifactError::invalid(format!("`{name}`"), why))?;
    let Described { info, layers, paths } =
        describe(&Documents(kept.documents), &contents, tag, name, options)?;
    let places = layers
        .into_iter()
        .zip(paths)
        .map(|(layer, path)| Place {
            path: Some(path),
            stored: layer.check_stored.then_some(layer.descriptor.digest),
            size: layer.descriptor.size,
            unreadable: layer.unreadable,
        })
        .collect();
    Ok((info, places))
}

/// A file that is compressed as a whole.
struct CompressedArchive {
    file: Arc<File>,
    limits: Limits,
}

impl StreamSource for CompressedArchive {
    fn open(&self) -> Result<Box<dyn Read + Send>, ArtifactError> {
        let section = Section::whole(&self.file).map_err(|error| ArtifactError::io("the archive", error))?;
        let (_, reader) = decompress::capped(section, &self.limits)
            .map_err(|error| ArtifactError::io("the archive", error))?;
        Ok(Box::new(reader))
    }
}

/// A part of a file with a position of its own, so that several readers can share one open file.
pub(crate) struct Section {
    file: Arc<File>,
    position: u64,
    end: u64,
}

impl Section {
    pub(crate) fn new(file: &Arc<File>, offset: u64, size: u64) -> Self {
        Self {
            file: Arc::clone(file),
            position: offset,
            end: offset.saturating_add(size),
        }
    }

    pub(crate) fn whole(file: &Arc<File>) -> io::Result<Self> {
        Ok(Self::new(file, 0, file.metadata()?.len()))
    }
}

impl Read for Section {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end.saturating_sub(self.position)).unwrap_or(usize::MAX);
        let room = left.min(buffer.len());
        let count = self
            .file
            .read_at(buffer.get_mut(..room).unwrap_or_default(), self.position)?;
        self.position += count as u64;
        Ok(count)
    }
}

/// What an archive holds.
#[derive(Default)]
struct Contents {
    places: HashMap<String, Entry>,
}

enum Entry {
    File { offset: u64, size: u64 },
    Link { target: String },
}

impl Contents {
    /// The file at a path, through links (legacy archives link equal layers); its own path, offset and size.
    fn file<'a>(&'a self, path: &'a str) -> Option<(&'a str, u64, u64)> {
        let mut path = path;
        for _ in 0..MAX_ARCHIVE_LINKS {
            match self.places.get(path)? {
                Entry::File { offset, size } => return Some((path, *offset, *size)),
                Entry::Link { target } => path = target,
            }
        }
        None
    }
}

/// What is taken from a stream while it is listed.
struct Kept<'a> {
    documents: HashMap<String, Vec<u8>>,
    /// Bytes of all documents.
    bytes: u64,
    blobs: Option<ShowBlob<'a>>,
}

impl Kept<'_> {
    /// Keeps the current file when it looks like JSON, and shows it otherwise.
    fn take<R: TarInput + Send>(
        &mut self,
        tar: &mut TarReader<R>,
        path: &str,
        size: u64,
        limits: &Limits,
    ) -> Result<(), TarError> {
        let mut first = Vec::new();
        if size > 0 && size <= limits.max_json_bytes && self.bytes + size <= MAX_DOCUMENTS_BYTES {
            let mut byte = [0];
            let count = tar.read_content(&mut byte)?;
            first.extend(byte.get(..count).unwrap_or_default());
            if matches!(first.first(), Some(b'{' | b'[' | b' ' | b'\n' | b'\t')) {
                let mut document = first;
                document.resize(usize::try_from(size).unwrap_or_default(), 0);
                tar.read_content(document.get_mut(1..).unwrap_or_default())?;
                self.bytes += size;
                self.documents.insert(path.to_owned(), document);
                return Ok(());
            }
        }
        if let Some(show) = &mut self.blobs {
            show(path, Box::new(io::Cursor::new(first).chain(stream::Body { tar })));
        }
        Ok(())
    }
}

/// Lists an archive. `kept` takes what a stream must not pass by.
fn list<R: TarInput + Send>(
    mut tar: TarReader<R>,
    contents: &mut Contents,
    mut kept: Option<&mut Kept<'_>>,
    limits: &Limits,
) -> Result<(), String> {
    while tar.advance().map_err(|error| error.to_string())? {
        if contents.places.len() >= MAX_ARCHIVE_ENTRIES {
            return Err(format!(
                "it has more than {MAX_ARCHIVE_ENTRIES} entries, so that it is no archive of an image"
            ));
        }
        let entry = tar.entry();
        let path = entry.path.to_owned();
        let size = entry.size;
        match (entry.kind, entry.link) {
            (EntryKind::File, _) if !tar.is_sparse() => {
                let offset = tar.content_offset();
                if let Some(kept) = kept.as_deref_mut() {
                    kept.take(&mut tar, &path, size, limits)
                        .map_err(|error| error.to_string())?;
                }
                contents.places.insert(path, Entry::File { offset, size });
            }
            (EntryKind::Symlink, Some(link)) => {
                let target = model::path::join(model::path::parent(&path), link);
                contents.places.insert(path, Entry::Link { target });
            }
            (EntryKind::Hardlink, Some(link)) => {
                let target = model::path::normalise(link);
                contents.places.insert(path, Entry::Link { target });
            }
            _ => {}
        }
    }
    Ok(())
}

/// Gives documents by their path in an archive.
trait DocumentSource: BlobSource {
    fn document(&self, contents: &Contents, path: &str, limit: u64)
    -> Result<Option<Vec<u8>>, ArtifactError>;
}

fn too_large(path: &str, limit: u64) -> ArtifactError {
    ArtifactError::TooLarge {
        what: format!("`{}` in the archive", model::path::printable(path)),
        limit,
        unit: "bytes",
    }
}

/// An uncompressed archive.
struct PlainArchive {
    file: Arc<File>,
    contents: Contents,
}

impl DocumentSource for PlainArchive {
    fn document(
        &self,
        contents: &Contents,
        path: &str,
        limit: u64,
    ) -> Result<Option<Vec<u8>>, ArtifactError> {
        let Some((_, offset, size)) = contents.file(path) else {
            return Ok(None);
        };
        if size > limit {
            return Err(too_large(path, limit));
        }
        let mut bytes = Vec::new();
        Section::new(&self.file, offset, size)
            .read_to_end(&mut bytes)
            .map_err(|error| ArtifactError::io("the archive", error))?;
        Ok(Some(bytes))
    }
}

impl BlobSource for PlainArchive {
    fn open(&self, descriptor: &Descriptor) -> Result<Box<dyn Read + Send>, ArtifactError> {
        let path = blob_path(&descriptor.digest);
        match self.contents.file(&path) {
            Some((_, offset, size)) => Ok(Box::new(Section::new(&self.file, offset, size))),
            None => Err(ArtifactError::not_found(format!("blob `{path}`"), "the archive")),
        }
    }
}

/// The blobs of an uncompressed archive, those of the legacy form among them.
struct ArchiveBlobs {
    archive: Arc<PlainArchive>,
    by_digest: HashMap<Digest, String>,
}

impl BlobSource for ArchiveBlobs {
    fn open(&self, descriptor: &Descriptor) -> Result<Box<dyn Read + Send>, ArtifactError> {
        let place = self
            .by_digest
            .get(&descriptor.digest)
            .and_then(|path| self.archive.contents.file(path));
        match place {
            Some((_, offset, size)) => Ok(Box::new(Section::new(&self.archive.file, offset, size))),
            None => self.archive.open(descriptor),
        }
    }
}

/// The documents that were kept from a pass over a stream.
struct Documents(HashMap<String, Vec<u8>>);

impl DocumentSource for Documents {
    fn document(
        &self,
        contents: &Contents,
        path: &str,
        limit: u64,
    ) -> Result<Option<Vec<u8>>, ArtifactError> {
        let Some((path, _, size)) = contents.file(path) else {
            return Ok(None);
        };
        match self.0.get(path) {
            Some(bytes) => Ok(Some(bytes.clone())),
            None if size > limit => Err(too_large(path, limit)),
            None => Err(ArtifactError::invalid(
                format!("`{}` in the archive", model::path::printable(path)),
                "it is no JSON document",
            )),
        }
    }
}

impl BlobSource for Documents {
    fn open(&self, descriptor: &Descriptor) -> Result<Box<dyn Read + Send>, ArtifactError> {
        let path = blob_path(&descriptor.digest);
        match self.0.get(&path) {
            Some(bytes) => Ok(Box::new(io::Cursor::new(bytes.clone()))),
            None => Err(ArtifactError::not_found(format!("blob `{path}`"), "the archive")),
        }
    }
}

/// Where OCI layouts keep a blob.
pub(crate) fn blob_path(digest: &Digest) -> String {
    let algorithm = match digest.algorithm() {
        DigestAlgorithm::Sha256 => "sha256",
        DigestAlgorithm::Sha512 => "sha512",
    };
    format!("blobs/{algorithm}/{}", digest.hex())
}

/// An image as an archive describes it, and where each of its layers lies.
struct Described {
    info: ImageInfo,
    layers: Vec<StoredLayer>,
    paths: Vec<String>,
}

/// Reads the archive's own description: OCI where it has one, else `manifest.json`.
fn describe<S: DocumentSource>(
    source: &S,
    contents: &Contents,
    tag: Option<&str>,
    name: &str,
    options: &OpenOptions,
) -> Result<Described, ArtifactError> {
    let limit = options.limits.max_json_bytes;
    let has = |path: &str| contents.file(path).is_some();
    if has("oci-layout") && has("index.json") {
        let described = describe_oci(source, contents, tag, name, options);
        // `docker save` of an image whose other platforms are not there writes an index that names them all the same.
        if described.is_ok() || !has("manifest.json") {
            return described;
        }
    }
    match source.document(contents, "manifest.json", limit)? {
        Some(bytes) => describe_docker(source, contents, &bytes, tag, name, options),
        None if has("repositories") => Err(ArtifactError::Unsupported {
            what: format!("`{name}`"),
            why: "it was saved by Docker 1.9 or older, without a manifest; load it and save it again"
                .to_owned(),
        }),
        None => Err(ArtifactError::invalid(
            format!("`{name}`"),
            "it holds neither `manifest.json` nor `index.json`, so that it is no archive of an image; \
             a root file system is named with `rootfs:`",
        )),
    }
}

fn describe_oci<S: DocumentSource>(
    source: &S,
    contents: &Contents,
    tag: Option<&str>,
    name: &str,
    options: &OpenOptions,
) -> Result<Described, ArtifactError> {
    let bytes = source
        .document(contents, "index.json", options.limits.max_json_bytes)?
        .unwrap_or_default();
    let Resolved { info, layers } = resolve_layout(&bytes, source, tag, name, options)?;
    let paths = layers
        .iter()
        .map(|layer| {
            let path = blob_path(&layer.descriptor.digest);
            contents
                .file(&path)
                .map_or(path.clone(), |(path, ..)| path.to_owned())
        })
        .collect();
    Ok(Described { info, layers, paths })
}

/// Resolves a layout's `index.json`.
pub(crate) fn resolve_layout(
    index: &[u8],
    source: &dyn BlobSource,
    tag: Option<&str>,
    name: &str,
    options: &OpenOptions,
) -> Result<Resolved, ArtifactError> {
    let (chosen, problems) = manifest::choose(index, tag, name)?;
    let root = match chosen {
        Some(descriptor) => Root::Descriptor(descriptor),
        None => Root::Bytes {
            media_type: String::new(),
            bytes: index.to_vec(),
        },
    };
    let mut resolved = manifest::resolve(root, source, name, options)?;
    resolved.info.problems.extend(problems);
    Ok(resolved)
}

/// One image in `manifest.json`.
#[derive(Deserialize)]
struct SavedImage {
    #[serde(rename = "Config")]
    config: String,
    #[serde(rename = "RepoTags")]
    repo_tags: Option<Vec<String>>,
    #[serde(rename = "Layers")]
    layers: Option<Vec<String>>,
}

fn describe_docker<S: DocumentSource>(
    source: &S,
    contents: &Contents,
    bytes: &[u8],
    tag: Option<&str>,
    name: &str,
    options: &OpenOptions,
) -> Result<Described, ArtifactError> {
    let what = format!("`manifest.json` of `{name}`");
    let limits = &options.limits;
    let images: Vec<SavedImage> = manifest::parse(bytes, &what)?;
    let tags = |image: &SavedImage| image.repo_tags.clone().unwrap_or_default();
    let mut problems = Vec::new();
    let all: Vec<String> = images.iter().flat_map(tags).collect();
    let image = match tag {
        Some(tag) => images
            .iter()
            .find(|image| tags(image).iter().any(|known| manifest::tag_matches(known, tag)))
            .or_else(|| images.iter().find(|image| is_image_id(&image.config, tag)))
            .ok_or_else(|| manifest::no_such_tag(tag, name, &all))?,
        None => {
            if images.len() > 1 {
                let names: Vec<String> = images
                    .iter()
                    .map(|image| {
                        tags(image)
                            .into_iter()
                            .next()
                            .unwrap_or_else(|| image.config.clone())
                    })
                    .collect();
                problems.push(Problem::general(manifest::several(&names)));
            }
            images
                .first()
                .ok_or_else(|| ArtifactError::invalid(&*what, "it lists no image"))?
        }
    };
    let config_path = model::path::normalise(&image.config);
    let config_what = format!("configuration of `{name}`");
    let config_bytes = source
        .document(contents, &config_path, limits.max_json_bytes)?
        .ok_or_else(|| ArtifactError::not_found(&*config_what, format!("`{config_path}` of the archive")))?;
    let config = Config::parse(&config_bytes, &config_what)?;
    config.check_platform(name, options)?;
    let diff_ids = config.diff_ids(&config_what, limits)?;
    let paths = image.layers.as_deref().unwrap_or_default();
    if diff_ids.len() != paths.len() {
        return Err(ArtifactError::invalid(
            what,
            format!(
                "it lists {} layers, and the image's configuration {}",
                paths.len(),
                diff_ids.len()
            ),
        ));
    }
    let mut info = config.info(diff_ids, &config_bytes);
    info.references = tags(image);
    if let Some(id) = &info.image_id
        && let Some(named) = digest_in_name(&config_path)
        && named != *id
    {
        problems.push(Problem::general(format!(
            "the image's configuration has digest {id}, and its name says {named}"
        )));
    }
    info.problems = problems;
    let mut layers = Vec::with_capacity(paths.len());
    let mut real_paths = Vec::with_capacity(paths.len());
    for (path, layer) in paths.iter().zip(&mut info.layers) {
        let path = model::path::normalise(path);
        // Only names below `blobs/` are the digests of what is stored; legacy names are ids of another kind.
        let named = path
            .starts_with("blobs/")
            .then(|| digest_in_name(&path))
            .flatten();
        let (unreadable, size, real_path) = match contents.file(&path) {
            Some((real_path, _, size)) => (None, size, real_path.to_owned()),
            None => {
                let why = format!("the archive does not hold `{}`", model::path::printable(&path));
                (Some(why), 0, path.clone())
            }
        };
        layer.size = size;
        layer.blob = named.clone();
        layers.push(StoredLayer {
            check_stored: named.is_some(),
            descriptor: Descriptor {
                media_type: String::new(),
                digest: named.unwrap_or_else(|| layer.diff_id.clone()),
                size,
                platform: None,
                urls: Vec::new(),
            },
            unreadable,
        });
        real_paths.push(real_path);
    }
    Ok(Described {
        info,
        layers,
        paths: real_paths,
    })
}

/// True when `id` is the beginning, 12 digits at least, of the image id that a configuration is named by.
fn is_image_id(config: &str, id: &str) -> bool {
    let id = id.strip_prefix("sha256:").unwrap_or(id);
    id.len() >= 12 && digest_in_name(config).is_some_and(|digest| digest.hex().starts_with(id))
}

/// The SHA-256 digest that a file's name is made of.
fn digest_in_name(path: &str) -> Option<Digest> {
    let name = model::path::file_name(path);
    let name = name.strip_suffix(".json").unwrap_or(name);
    format!("sha256:{name}").parse().ok()
}
