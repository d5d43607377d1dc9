//! What a target's name means, and opening it.

use crate::archive;
use crate::content::{OnDisk, Spooled};
use crate::decompress::{self, Compression};
use crate::error::ArtifactError;
use crate::files::{self, Root};
use crate::folder::{self, FolderTree};
use crate::image::Image;
use crate::layout;
use crate::options::{Limits, OpenOptions};
use crate::remote;
use crate::tar::{Stream, TarReader};
use crate::unread::Unread;
use model::Content;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Uncompressed bytes of a file that are looked at to tell what it is.
const RECOGNITION_BYTES: u64 = 4 << 20;
/// Entries of a tar archive that are looked at to tell an image archive from a root file system.
const RECOGNITION_ENTRIES: usize = 16;

/// A target as the user names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TargetSpec {
    /// `registry:` an image reference, straight from its registry.
    Registry(String),
    /// `docker:` an image reference in the Docker daemon.
    Docker(String),
    /// `podman:` an image reference in Podman.
    Podman(String),
    /// `containerd:` an image reference in containerd.
    Containerd(String),
    /// `archive:` a `docker save` or OCI archive, perhaps with `:tag` behind it.
    Archive(PathBuf),
    /// `oci:` the folder of an OCI layout, perhaps with `:tag` behind it.
    OciLayout(PathBuf),
    /// `dir:` a source tree, or one file that is read as if it lay alone in one.
    Directory(PathBuf),
    /// `rootfs:` the folder or tarball of a root file system.
    Rootfs(PathBuf),
    /// `sbom:` a CycloneDX or SPDX document.
    Sbom(PathBuf),
    /// An image reference: the daemons are asked first, then the registry.
    Image(String),
}

impl TargetSpec {
    /// Tells what a text means: by its prefix, or by what the file or folder of that name holds. What is neither is the name
    /// of an image.
    ///
    /// # Errors
    /// When the text is empty, names a file that is nothing to scan, or looks like a path where nothing is.
    pub fn parse(text: &str) -> Result<Self, ArtifactError> {
        let name_error = |why: &str| ArtifactError::Name {
            text: text.to_owned(),
            why: why.to_owned(),
        };
        if text.is_empty() {
            return Err(name_error("it is empty"));
        }
        if let Some((prefix, rest)) = text.split_once(':') {
            let make: Option<fn(&str) -> Self> = match prefix {
                "registry" => Some(|rest| Self::Registry(rest.to_owned())),
                "docker" => Some(|rest| Self::Docker(rest.to_owned())),
                "podman" => Some(|rest| Self::Podman(rest.to_owned())),
                "containerd" => Some(|rest| Self::Containerd(rest.to_owned())),
                "archive" => Some(|rest| Self::Archive(rest.into())),
                "oci" => Some(|rest| Self::OciLayout(rest.into())),
                "dir" => Some(|rest| Self::Directory(rest.into())),
                "rootfs" => Some(|rest| Self::Rootfs(rest.into())),
                "sbom" => Some(|rest| Self::Sbom(rest.into())),
                _ => None,
            };
            if let Some(make) = make {
                if rest.is_empty() {
                    return Err(name_error("nothing follows the prefix"));
                }
                return Ok(make(rest));
            }
        }
        let path = Path::new(text);
        match std::fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => Ok(recognise_folder(path)),
            Ok(metadata) if metadata.is_file() => recognise_file(path),
            Ok(_) => Err(name_error("it is neither a file nor a folder")),
            Err(_) if looks_like_path(text) => Err(ArtifactError::not_found(files::named(path), "")),
            Err(_) => Ok(Self::Image(text.to_owned())),
        }
    }
}

/// An opened target.
pub enum Opened {
    /// Layers.
    Image(Image),
    /// Layers, known once their bytes were read.
    Unread(Unread),
    /// A folder, or one file of it.
    Tree(FolderTree),
    /// A software bill of materials, uncompressed.
    Document(Box<dyn Content>),
}

/// Opens a target.
///
/// # Errors
/// When it does not exist, cannot be read, or is not what it is said to be.
pub fn open(spec: &TargetSpec, options: &OpenOptions) -> Result<Opened, ArtifactError> {
    match spec {
        TargetSpec::Archive(path) => {
            let (path, tag) = split_tag(path);
            archive::open(&path, tag.as_deref(), options)
        }
        TargetSpec::OciLayout(path) => {
            let (path, tag) = split_tag(path);
            layout::open(&path, tag.as_deref(), options).map(Opened::Image)
        }
        TargetSpec::Directory(path) if path.is_file() => {
            FolderTree::open_file(path, options).map(Opened::Tree)
        }
        TargetSpec::Directory(path) => FolderTree::open(path, false, options).map(Opened::Tree),
        TargetSpec::Rootfs(path) if path.is_dir() => FolderTree::open(path, true, options).map(Opened::Tree),
        TargetSpec::Rootfs(path) => layout::open_tarball(path, options),
        TargetSpec::Sbom(path) => open_document(path, &options.limits).map(Opened::Document),
        TargetSpec::Registry(name) => remote::from_registry(name, options).map(Opened::Image),
        TargetSpec::Docker(name) => remote::from_docker(name, options).map(Opened::Image),
        TargetSpec::Podman(name) => remote::from_podman(name, options).map(Opened::Image),
        TargetSpec::Containerd(name) => remote::from_containerd(name, options).map(Opened::Image),
        TargetSpec::Image(name) => remote::from_anywhere(name, options).map(Opened::Image),
    }
}

/// `path:tag` where `path` alone exists; a path that exists as a whole has no tag.
fn split_tag(path: &Path) -> (PathBuf, Option<String>) {
    if path.exists() {
        return (path.to_owned(), None);
    }
    // Tags hold colons themselves (`alpine:3.20`), so that the shortest path which exists is taken.
    if let Some(text) = path.to_str() {
        for (at, _) in text.match_indices(':') {
            let (front, tag) = (
                text.get(..at).unwrap_or_default(),
                text.get(at + 1..).unwrap_or_default(),
            );
            if !tag.is_empty() && Path::new(front).exists() {
                return (PathBuf::from(front), Some(tag.to_owned()));
            }
        }
    }
    (path.to_owned(), None)
}

/// A name that nobody would give an image.
fn looks_like_path(text: &str) -> bool {
    text.starts_with(['/', '.', '~'])
        || [
            ".tar", ".tgz", ".gz", ".zst", ".xz", ".bz2", ".json", ".xml", ".spdx",
        ]
        .iter()
        .any(|ending| text.ends_with(ending))
}

fn recognise_folder(path: &Path) -> TargetSpec {
    if path.join("oci-layout").is_file() || (path.join("index.json").exists() && path.join("blobs").is_dir())
    {
        TargetSpec::OciLayout(path.to_owned())
    } else if folder::looks_like_rootfs(path) {
        TargetSpec::Rootfs(path.to_owned())
    } else {
        TargetSpec::Directory(path.to_owned())
    }
}

fn recognise_file(path: &Path) -> Result<TargetSpec, ArtifactError> {
    let limits = Limits::default();
    let what = files::named(path);
    let open = || -> Result<_, ArtifactError> {
        let file = files::open(path)?;
        decompress::capped(file, &limits).map_err(|error| ArtifactError::io(&*what, error))
    };
    let (_, reader) = open()?;
    let mut tar = TarReader::new(Stream(BufReader::new(reader)), limits.max_name_bytes);
    let mut entries = 0;
    while entries < RECOGNITION_ENTRIES
        && let Ok(true) = tar.advance()
    {
        if tar.entry().path.is_empty() {
            continue;
        }
        if is_image_archive_name(tar.entry().path) {
            return Ok(TargetSpec::Archive(path.to_owned()));
        }
        entries += 1;
    }
    if entries > 0 {
        return Ok(TargetSpec::Rootfs(path.to_owned()));
    }
    let (_, reader) = open()?;
    let mut bytes = Vec::new();
    // A stream that breaks off is judged by what came out of it.
    let _ = reader.take(RECOGNITION_BYTES).read_to_end(&mut bytes);
    if is_sbom(&bytes) {
        return Ok(TargetSpec::Sbom(path.to_owned()));
    }
    Err(ArtifactError::Name {
        text: path.display().to_string(),
        why: "the file is neither an image archive, nor a root file system's tarball, nor an SBOM document"
            .to_owned(),
    })
}

/// Names that image archives hold and root file systems do not, at the top.
fn is_image_archive_name(path: &str) -> bool {
    let is_hex = |text: &str| text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let (top, rest) = path.split_once('/').unwrap_or((path, ""));
    let stem = top.trim_start_matches("sha256:");
    let stem = stem.split('.').next().unwrap_or_default();
    matches!(
        path,
        "manifest.json" | "index.json" | "oci-layout" | "repositories"
    ) || path.starts_with("blobs/sha256")
        || path == "blobs"
        || is_hex(stem)
        || (rest == "layer.tar")
}

/// True for the beginning of a CycloneDX or SPDX document.
fn is_sbom(bytes: &[u8]) -> bool {
    let has = |needle: &str| memchr::memmem::find(bytes, needle.as_bytes()).is_some();
    let start = bytes
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(bytes)
        .trim_ascii_start();
    match start.first() {
        Some(b'{') => {
            (has("\"bomFormat\"") && has("CycloneDX"))
                || has("\"spdxVersion\"")
                || (has("\"@context\"") && has("spdx.org/rdf/3"))
        }
        Some(b'<') => has("http://cyclonedx.org/schema/bom"),
        _ => start.starts_with(b"SPDXVersion:") || has("\nSPDXVersion:"),
    }
}

/// An SBOM document, uncompressed where it is compressed.
fn open_document(path: &Path, limits: &Limits) -> Result<Box<dyn Content>, ArtifactError> {
    let what = files::named(path);
    let failed = |error| ArtifactError::io(&*what, error);
    let file = files::open(path)?;
    let size = file.metadata().map_err(failed)?.len();
    let (compression, mut reader) = decompress::capped(file, limits).map_err(failed)?;
    if compression == Compression::None {
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        if path.symlink_metadata().is_ok_and(|metadata| metadata.is_file())
            && let Some(name) = path.file_name()
        {
            let root = Arc::new(Root::new(folder)?);
            return Ok(Box::new(OnDisk::new(root, name.into(), size)));
        }
    }
    let mut spooled = files::spool().map_err(failed)?;
    let size = io::copy(&mut reader, &mut spooled).map_err(failed)?;
    Ok(Box::new(Spooled::new(spooled, size)))
}
