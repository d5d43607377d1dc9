//! Indexes, manifests and configurations of OCI and Docker images: from a root document to an image's layers.

use crate::decompress::Hasher;
use crate::error::ArtifactError;
use crate::image::{ImageInfo, LayerInfo, StoredLayer};
use crate::options::{Limits, OpenOptions};
use crate::source::{BlobSource, Descriptor, Platform, Root};
use model::{Digest, DigestAlgorithm, Problem};
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use std::collections::BTreeMap;
use std::fmt;
use std::io::Read;

/// Documents read while one image is looked for.
const MAX_DOCUMENTS: usize = 128;

/// A manifest or an index, as far as it matters here.
#[derive(Deserialize)]
struct Document {
    #[serde(rename = "mediaType")]
    media_type: Option<String>,
    #[serde(rename = "artifactType")]
    artifact_type: Option<String>,
    manifests: Option<Vec<RawDescriptor>>,
    config: Option<RawDescriptor>,
    layers: Option<Vec<RawDescriptor>>,
    #[serde(rename = "fsLayers")]
    fs_layers: Option<IgnoredAny>,
}

#[derive(Clone, Deserialize)]
struct RawDescriptor {
    #[serde(rename = "mediaType")]
    media_type: Option<String>,
    #[serde(rename = "artifactType")]
    artifact_type: Option<String>,
    digest: String,
    size: Option<u64>,
    platform: Option<RawPlatform>,
    annotations: Option<BTreeMap<String, String>>,
    urls: Option<Vec<String>>,
}

#[derive(Clone, Deserialize)]
struct RawPlatform {
    os: Option<String>,
    architecture: Option<String>,
    variant: Option<String>,
}

impl RawDescriptor {
    fn descriptor(self, what: &str) -> Result<Descriptor, ArtifactError> {
        let digest = self
            .digest
            .parse()
            .map_err(|error: model::ParseDigestError| ArtifactError::invalid(what, error.to_string()))?;
        Ok(Descriptor {
            media_type: self.media_type.unwrap_or_default(),
            digest,
            size: self.size.unwrap_or(0),
            platform: self.platform.map(|platform| Platform {
                os: platform.os.unwrap_or_default(),
                architecture: platform.architecture.unwrap_or_default(),
                variant: platform.variant.unwrap_or_default(),
            }),
            urls: self.urls.unwrap_or_default(),
        })
    }

    /// Attestations and other attachments are no images.
    fn is_attachment(&self) -> bool {
        let unknown = self.platform.as_ref().is_some_and(|platform| {
            platform.os.as_deref() == Some("unknown") && platform.architecture.as_deref() == Some("unknown")
        });
        let reference = self
            .annotations
            .as_ref()
            .is_some_and(|annotations| annotations.contains_key("vnd.docker.reference.type"));
        unknown || reference || self.artifact_type.is_some()
    }
}

/// An image's configuration, as far as it matters here.
#[derive(Deserialize)]
pub(crate) struct Config {
    architecture: Option<String>,
    os: Option<String>,
    variant: Option<String>,
    rootfs: Option<RawRootfs>,
    history: Option<Vec<RawHistory>>,
    config: Option<RawRunConfig>,
}

#[derive(Deserialize)]
struct RawRootfs {
    diff_ids: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct RawHistory {
    created_by: Option<String>,
    empty_layer: Option<bool>,
}

#[derive(Deserialize)]
struct RawRunConfig {
    #[serde(rename = "Labels")]
    labels: Option<BTreeMap<String, String>>,
}

impl Config {
    /// Parses a configuration; `what` is how messages call it.
    pub(crate) fn parse(bytes: &[u8], what: &str) -> Result<Self, ArtifactError> {
        parse(bytes, what)
    }

    /// Digests of the uncompressed layers, lowest first.
    pub(crate) fn diff_ids(&self, what: &str, limits: &Limits) -> Result<Vec<Digest>, ArtifactError> {
        let Some(texts) = self.rootfs.as_ref().and_then(|rootfs| rootfs.diff_ids.as_ref()) else {
            return Err(ArtifactError::Unsupported {
                what: what.to_owned(),
                why: "it lists no layers (`rootfs.diff_ids`), so that this is an artifact and not an image"
                    .to_owned(),
            });
        };
        if texts.len() > limits.max_layers {
            return Err(ArtifactError::TooLarge {
                what: what.to_owned(),
                limit: limits.max_layers as u64,
                unit: "layers",
            });
        }
        texts
            .iter()
            .map(|text| {
                text.parse()
                    .map_err(|error: model::ParseDigestError| ArtifactError::invalid(what, error.to_string()))
            })
            .collect()
    }

    /// What is known of the image: layers with their instructions, platform and labels.
    pub(crate) fn info(&self, diff_ids: Vec<Digest>, bytes: &[u8]) -> ImageInfo {
        let history = self.history.iter().flatten();
        let mut instructions = history
            .filter(|entry| !entry.empty_layer.unwrap_or(false))
            .map(|entry| entry.created_by.clone().filter(|text| !text.is_empty()));
        let layers = diff_ids
            .into_iter()
            .map(|diff_id| LayerInfo {
                diff_id,
                blob: None,
                size: 0,
                instruction: instructions.next().flatten(),
            })
            .collect();
        let platform = self.platform();
        let labels = self.config.as_ref().and_then(|config| config.labels.clone());
        ImageInfo {
            digest: None,
            image_id: Some(Hasher::digest(DigestAlgorithm::Sha256, bytes)),
            platform: (!platform.os.is_empty()).then(|| platform.to_string()),
            references: Vec::new(),
            layers,
            labels: labels.into_iter().flatten().collect(),
            problems: Vec::new(),
        }
    }

    /// Refuses an image that is not for the platform that was asked for.
    pub(crate) fn check_platform(&self, name: &str, options: &OpenOptions) -> Result<(), ArtifactError> {
        let Some(wanted) = options.platform.as_deref().map(Platform::parse).transpose()? else {
            return Ok(());
        };
        let platform = self.platform();
        if platform.os.is_empty() || wanted.distance(&platform).is_some() {
            return Ok(());
        }
        Err(ArtifactError::Platform {
            what: format!("`{name}`"),
            wanted: wanted.to_string(),
            available: vec![platform.to_string()],
        })
    }

    fn platform(&self) -> Platform {
        let text = |field: &Option<String>| field.clone().unwrap_or_default();
        Platform {
            os: text(&self.os),
            architecture: text(&self.architecture),
            variant: text(&self.variant),
        }
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.os, self.architecture)?;
        if self.variant.is_empty() {
            Ok(())
        } else {
            write!(formatter, "/{}", self.variant)
        }
    }
}

/// Tells whether a platform has the form that `OpenOptions` takes: `os/architecture` or `os/architecture/variant`.
///
/// # Errors
/// When it has not; names the form.
pub fn check_platform(text: &str) -> Result<(), ArtifactError> {
    Platform::parse(text).map(drop)
}

impl Platform {
    /// Parses `os/architecture` or `os/architecture/variant`.
    pub(crate) fn parse(text: &str) -> Result<Self, ArtifactError> {
        let mut parts = text.split('/');
        let os = parts.next().unwrap_or_default();
        let architecture = parts.next().unwrap_or_default();
        let variant = parts.next().unwrap_or_default();
        if os.is_empty() || architecture.is_empty() || parts.next().is_some() {
            return Err(ArtifactError::invalid(
                format!("platform `{text}`"),
                "expected `os/architecture` or `os/architecture/variant`, e.g. `linux/arm64`",
            ));
        }
        let architecture = match architecture {
            "x86_64" | "x86-64" => "amd64",
            "aarch64" => "arm64",
            other => other,
        };
        Ok(Self {
            os: os.to_owned(),
            architecture: architecture.to_owned(),
            variant: variant.to_owned(),
        })
    }

    /// Linux on this machine's processor.
    pub(crate) fn host() -> Self {
        let (architecture, variant) = match std::env::consts::ARCH {
            "x86_64" => ("amd64", ""),
            "x86" => ("386", ""),
            "aarch64" => ("arm64", ""),
            "arm" => ("arm", "v7"),
            "powerpc64" => ("ppc64le", ""),
            "loongarch64" => ("loong64", ""),
            other => (other, ""),
        };
        Self {
            os: "linux".to_owned(),
            architecture: architecture.to_owned(),
            variant: variant.to_owned(),
        }
    }

    /// How well another platform serves this wish: `None` not at all, 0 exactly, more is worse.
    pub(crate) fn distance(&self, offered: &Self) -> Option<u32> {
        if self.os != offered.os || self.architecture != offered.architecture {
            return None;
        }
        if self.variant == offered.variant {
            return Some(0);
        }
        // `arm64` is `arm64/v8`, and `amd64` is `amd64/v1`.
        let base = match self.architecture.as_str() {
            "arm64" => "v8",
            "amd64" => "v1",
            "arm" => "v7",
            _ => "",
        };
        let level = |variant: &str| {
            let variant = if variant.is_empty() { base } else { variant };
            variant.trim_start_matches('v').parse::<u32>().ok()
        };
        let (wanted, offer) = (level(&self.variant)?, level(&offered.variant)?);
        // An older variant runs on a newer processor; without a wish any will do.
        match wanted.checked_sub(offer) {
            Some(older) => Some(1 + older),
            None => self.variant.is_empty().then(|| 100 + offer - wanted),
        }
    }
}

/// An image as its documents describe it.
pub(crate) struct Resolved {
    pub(crate) info: ImageInfo,
    pub(crate) layers: Vec<StoredLayer>,
}

/// Finds the wanted image below a root document and reads its configuration.
pub(crate) fn resolve(
    root: Root,
    source: &dyn BlobSource,
    name: &str,
    options: &OpenOptions,
) -> Result<Resolved, ArtifactError> {
    let explicit = options.platform.as_deref().map(Platform::parse).transpose()?;
    let mut search = Search {
        source,
        limits: &options.limits,
        name,
        wanted: explicit.clone().unwrap_or_else(Platform::host),
        explicit: explicit.is_some(),
        documents: 0,
        available: Vec::new(),
    };
    let (bytes, digest, media_type) = match root {
        Root::Descriptor(descriptor) => {
            let bytes = search.fetch(&descriptor, "manifest")?;
            (bytes, Some(descriptor.digest), descriptor.media_type)
        }
        Root::Bytes { media_type, bytes } => (bytes, None, media_type),
    };
    match search.find(&bytes, digest, &media_type, 0)? {
        Some(resolved) => Ok(resolved),
        None => {
            search.available.sort();
            search.available.dedup();
            Err(ArtifactError::Platform {
                what: format!("`{name}`"),
                wanted: search.wanted.to_string(),
                available: search.available,
            })
        }
    }
}

struct Search<'a> {
    source: &'a dyn BlobSource,
    limits: &'a Limits,
    name: &'a str,
    wanted: Platform,
    explicit: bool,
    documents: usize,
    available: Vec<String>,
}

impl Search<'_> {
    /// The image in this document, or the best one below it; `None` when there is none for the platform.
    fn find(
        &mut self,
        bytes: &[u8],
        digest: Option<Digest>,
        media_type: &str,
        depth: usize,
    ) -> Result<Option<Resolved>, ArtifactError> {
        let name = self.name;
        let what = format!("manifest of `{name}`");
        if depth > self.limits.max_index_depth {
            return Err(ArtifactError::TooLarge {
                what: format!("nesting of indexes in `{name}`"),
                limit: self.limits.max_index_depth as u64,
                unit: "levels",
            });
        }
        let document: Document = parse(bytes, &what)?;
        let media_type = document.media_type.as_deref().unwrap_or(media_type);
        match (document.manifests, document.layers, document.config) {
            (Some(_), Some(_), _) => Err(ArtifactError::invalid(
                what,
                "it is an index and a manifest at once, which different tools read differently",
            )),
            (Some(manifests), None, _) => self.find_in_index(manifests, depth),
            (None, Some(layers), Some(config)) => {
                let digest = digest.unwrap_or_else(|| Hasher::digest(DigestAlgorithm::Sha256, bytes));
                let artifact = document.artifact_type.as_deref();
                self.image(config, layers, digest, artifact)
            }
            _ if document.fs_layers.is_some() => Err(ArtifactError::Unsupported {
                what,
                why: "it has schema version 1, which registries gave up in 2020; push the image again"
                    .to_owned(),
            }),
            _ => Err(ArtifactError::invalid(
                what,
                format!(
                    "it is neither an index nor an image manifest (media type `{}`)",
                    model::path::printable(media_type)
                ),
            )),
        }
    }

    fn find_in_index(
        &mut self,
        manifests: Vec<RawDescriptor>,
        depth: usize,
    ) -> Result<Option<Resolved>, ArtifactError> {
        let what = format!("index of `{}`", self.name);
        let mut candidates = Vec::new();
        for (place, raw) in manifests.into_iter().enumerate() {
            if raw.is_attachment() {
                continue;
            }
            let descriptor = raw.descriptor(&what)?;
            let distance = match &descriptor.platform {
                Some(platform) if !platform.os.is_empty() => {
                    self.available.push(platform.to_string());
                    self.wanted.distance(platform)
                }
                // A nested index or a manifest that says nothing: look inside, after those that match by name.
                _ => Some(1000),
            };
            candidates.push((distance, place, descriptor));
        }
        // A single image is what the user means, unless a platform was asked for.
        if !self.explicit && candidates.len() == 1 {
            for candidate in &mut candidates {
                candidate.0 = Some(0);
            }
        }
        candidates.sort_by_key(|&(distance, place, _)| (distance, place));
        for (distance, _, descriptor) in candidates {
            if distance.is_none() {
                continue;
            }
            self.documents += 1;
            if self.documents > MAX_DOCUMENTS {
                return Err(ArtifactError::TooLarge {
                    what,
                    limit: MAX_DOCUMENTS as u64,
                    unit: "manifests",
                });
            }
            let bytes = self.fetch(&descriptor, "manifest")?;
            if let Some(found) =
                self.find(&bytes, Some(descriptor.digest), &descriptor.media_type, depth + 1)?
            {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    fn image(
        &mut self,
        config: RawDescriptor,
        layers: Vec<RawDescriptor>,
        digest: Digest,
        artifact: Option<&str>,
    ) -> Result<Option<Resolved>, ArtifactError> {
        let name = self.name;
        let what = format!("configuration of `{name}`");
        if let Some(kind) = artifact {
            return Err(ArtifactError::Unsupported {
                what: format!("`{name}`"),
                why: format!(
                    "it is an artifact of type `{}`, not an image",
                    model::path::printable(kind)
                ),
            });
        }
        let config = config.descriptor(&what)?;
        let bytes = self.fetch(&config, "configuration")?;
        let parsed = Config::parse(&bytes, &what)?;
        let diff_ids = parsed.diff_ids(&what, self.limits)?;
        if diff_ids.len() != layers.len() {
            return Err(ArtifactError::invalid(
                format!("manifest of `{name}`"),
                format!(
                    "it lists {} layers, and its configuration {}",
                    layers.len(),
                    diff_ids.len()
                ),
            ));
        }
        let platform = parsed.platform();
        if !platform.os.is_empty() {
            let text = platform.to_string();
            let fits = self.wanted.distance(&platform).is_some();
            self.available.push(text);
            if self.explicit && !fits {
                return Ok(None);
            }
        }
        let mut info = parsed.info(diff_ids, &bytes);
        info.digest = Some(digest);
        info.references.push(name.to_owned());
        let mut stored = Vec::with_capacity(layers.len());
        for (raw, layer) in layers.into_iter().zip(&mut info.layers) {
            let descriptor = raw.descriptor(&format!("manifest of `{name}`"))?;
            layer.blob = Some(descriptor.digest.clone());
            layer.size = descriptor.size;
            let unreadable = unreadable(&descriptor);
            stored.push(StoredLayer {
                descriptor,
                check_stored: true,
                unreadable,
            });
        }
        Ok(Some(Resolved { info, layers: stored }))
    }

    /// A document's bytes, capped and checked against its digest.
    fn fetch(&mut self, descriptor: &Descriptor, kind: &str) -> Result<Vec<u8>, ArtifactError> {
        let what = format!("{kind} {} of `{}`", descriptor.digest, self.name);
        let limit = self.limits.max_json_bytes;
        if descriptor.size > limit {
            return Err(ArtifactError::TooLarge {
                what,
                limit,
                unit: "bytes",
            });
        }
        let mut bytes = Vec::new();
        self.source
            .open(descriptor)?
            .take(limit + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| ArtifactError::io(what.clone(), error))?;
        if bytes.len() as u64 > limit {
            return Err(ArtifactError::TooLarge {
                what,
                limit,
                unit: "bytes",
            });
        }
        let actual = Hasher::digest(descriptor.digest.algorithm(), &bytes);
        if actual != descriptor.digest {
            return Err(ArtifactError::Digest {
                what,
                expected: descriptor.digest.to_string(),
                actual: actual.to_string(),
            });
        }
        Ok(bytes)
    }
}

/// Why a layer's blob cannot be read, by what its descriptor says.
fn unreadable(descriptor: &Descriptor) -> Option<String> {
    let media_type = &descriptor.media_type;
    if media_type.contains("+encrypted") {
        return Some("it is encrypted".to_owned());
    }
    let foreign = media_type.contains("nondistributable") || media_type.contains(".foreign.");
    if foreign || !descriptor.urls.is_empty() {
        let urls: Vec<_> = descriptor
            .urls
            .iter()
            .take(3)
            .map(|url| model::path::printable(url))
            .collect();
        let from = if urls.is_empty() {
            String::new()
        } else {
            format!(" ({})", urls.join(", "))
        };
        return Some(format!(
            "it is a foreign layer, kept elsewhere{from}, and such places are not visited"
        ));
    }
    None
}

/// Parses JSON; its nesting is capped by the parser (128 levels).
pub(crate) fn parse<T: DeserializeOwned>(bytes: &[u8], what: &str) -> Result<T, ArtifactError> {
    serde_json::from_slice(bytes).map_err(|error| ArtifactError::invalid(what, error.to_string()))
}

/// Picks one image of a layout's `index.json` by its tag.
///
/// An index can list several images, which layouts and archives name by annotations. The result is the descriptor of the
/// image and what is to be told about the choice; `None` for the descriptor means the index as a whole is the image's.
pub(crate) fn choose(
    index: &[u8],
    tag: Option<&str>,
    name: &str,
) -> Result<(Option<Descriptor>, Vec<Problem>), ArtifactError> {
    let what = format!("index of `{name}`");
    let document: Document = parse(index, &what)?;
    let Some(manifests) = document.manifests else {
        return Ok((None, Vec::new()));
    };
    let images: Vec<RawDescriptor> = manifests.into_iter().filter(|raw| !raw.is_attachment()).collect();
    let tags = |raw: &RawDescriptor| -> Vec<String> {
        ["io.containerd.image.name", "org.opencontainers.image.ref.name"]
            .iter()
            .filter_map(|key| raw.annotations.as_ref()?.get(*key).cloned())
            .collect()
    };
    if let Some(tag) = tag {
        let found = images
            .iter()
            .find(|raw| tags(raw).iter().any(|known| tag_matches(known, tag)) || raw.digest == tag);
        return match found {
            Some(raw) => Ok((Some(raw.clone().descriptor(&what)?), Vec::new())),
            None => {
                let mut known: Vec<String> = images.iter().flat_map(tags).collect();
                known.sort();
                known.dedup();
                Err(no_such_tag(tag, name, &known))
            }
        };
    }
    // Several images under different names, not one image for several platforms.
    let mut names: Vec<String> = images
        .iter()
        .filter_map(|raw| tags(raw).into_iter().next())
        .collect();
    names.dedup();
    if names.len() > 1
        && let Some(first) = images.first()
    {
        let message = several(&names);
        let descriptor = first.clone().descriptor(&what)?;
        return Ok((Some(descriptor), vec![Problem::general(message)]));
    }
    Ok((None, Vec::new()))
}

/// Says that the first of several images was taken.
pub(crate) fn several(names: &[String]) -> String {
    let listed: Vec<_> = names
        .iter()
        .take(8)
        .map(|name| model::path::printable(name))
        .collect();
    format!(
        "{} images are in it ({}), and the first was scanned; name another after the path, as in `archive:file.tar:tag`",
        names.len(),
        listed.join(", ")
    )
}

/// The error for a tag that is not there.
pub(crate) fn no_such_tag(tag: &str, name: &str, known: &[String]) -> ArtifactError {
    let known = if known.is_empty() {
        "no tags".to_owned()
    } else {
        known.iter().take(20).cloned().collect::<Vec<_>>().join(", ")
    };
    ArtifactError::not_found(format!("image `{tag}`"), format!("`{name}`, which has {known}"))
}

/// `alpine:3.20`, `docker.io/library/alpine:3.20` and `3.20` all name an image that is tagged with the longest.
pub(crate) fn tag_matches(known: &str, wanted: &str) -> bool {
    known == wanted
        || known
            .strip_suffix(wanted)
            .is_some_and(|front| front.ends_with('/') || front.ends_with(':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn platforms_match_as_container_engines_do() {
        let distance = |wanted: &str, offered: &str| {
            Platform::parse(wanted)
                .unwrap()
                .distance(&Platform::parse(offered).unwrap())
        };
        assert_eq!(distance("linux/amd64", "linux/amd64"), Some(0));
        assert_eq!(distance("linux/x86_64", "linux/amd64"), Some(0));
        assert_eq!(distance("linux/arm64", "linux/arm64/v8"), Some(1));
        assert_eq!(distance("linux/arm/v7", "linux/arm/v6"), Some(2));
        assert_eq!(distance("linux/arm/v6", "linux/arm/v7"), None);
        assert!(distance("linux/amd64", "linux/amd64/v3").is_some());
        assert_eq!(distance("linux/amd64", "linux/arm64"), None);
        assert_eq!(distance("linux/amd64", "windows/amd64"), None);
        for bad in ["", "linux", "linux/", "a/b/c/d"] {
            assert!(Platform::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn tags_match_by_their_ends() {
        let known = "docker.io/library/alpine:3.20";
        for wanted in [known, "library/alpine:3.20", "alpine:3.20", "3.20"] {
            assert!(tag_matches(known, wanted), "{wanted}");
        }
        for wanted in ["pine:3.20", "20", "alpine"] {
            assert!(!tag_matches(known, wanted), "{wanted}");
        }
    }
}
