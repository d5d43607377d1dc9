//! Images whose layers are known only once their bytes were read: archives that are compressed as a whole, and tarballs of
//! root file systems. Learning what they are and walking their layers is one pass.

use crate::archive;
use crate::error::ArtifactError;
use crate::image::{Backend, Image, LayerVisitor, Walked};
use crate::layer::{self, Outcome};
use crate::layout;
use crate::memory::Note;
use crate::options::OpenOptions;
use crate::source::StreamSource;
use crate::stream::{self, Place};
use model::{DigestAlgorithm, LayerIndex};
use std::sync::Arc;

/// An image of which nothing is known before its bytes are read.
pub struct Unread {
    pub(crate) bytes: Bytes,
    /// How the user called it.
    pub(crate) name: String,
    pub(crate) options: OpenOptions,
    pub(crate) note: Option<Note>,
}

/// Where the bytes are.
pub(crate) enum Bytes {
    /// An archive of images, compressed as a whole.
    Archive {
        source: Arc<dyn StreamSource>,
        tag: Option<String>,
    },
    /// The tarball of a root file system; the stream is that of its stored bytes.
    Tarball {
        source: Arc<dyn StreamSource>,
        compressed: bool,
    },
}

/// A layer, perhaps, that went by before it was known which layers the image has.
struct Candidate<V> {
    path: String,
    visitor: V,
    outcome: Outcome,
}

impl Unread {
    /// Reads it once to learn what it is.
    ///
    /// # Errors
    /// When it cannot be read to its end, or holds no image that is asked for.
    pub fn describe(&self) -> Result<Image, ArtifactError> {
        match &self.bytes {
            Bytes::Archive { source, tag } => {
                let (info, places) =
                    archive::describe_stream(&**source, tag.as_deref(), &self.name, &self.options, None)?;
                if let Some(note) = &self.note {
                    note.remember(&info, &places);
                }
                Ok(archive::stream_image(
                    Arc::clone(source),
                    info,
                    places,
                    &self.options,
                ))
            }
            Bytes::Tarball { source, compressed } => {
                let identity = layout::identify(&**source, *compressed, &self.name, &self.options)?;
                let image = layout::tarball_image(Arc::clone(source), &identity, &self.name, &self.options);
                if identity.sound {
                    self.remember(&image);
                }
                Ok(image)
            }
        }
    }

    /// Learns what it is and walks its layers, in one pass. Layers that are missing from what is returned are still to be
    /// walked ([`Image::walk`]): those that are equal to one that is there, those that were not found to be what the image
    /// says, and those with unusual names.
    ///
    /// # Errors
    /// When it cannot be read to its end, or holds no image that is asked for. Of a tarball that breaks off, what came before
    /// is walked, and the walk tells what is wrong.
    pub fn walk<V: LayerVisitor>(
        &self,
        make: &(dyn Fn() -> V + Sync),
    ) -> Result<(Image, Vec<Walked<V>>), ArtifactError> {
        match &self.bytes {
            Bytes::Archive { source, tag } => self.walk_archive(source, tag.as_deref(), make),
            Bytes::Tarball { source, compressed } => self.walk_tarball(source, *compressed, make),
        }
    }

    fn walk_archive<V: LayerVisitor>(
        &self,
        source: &Arc<dyn StreamSource>,
        tag: Option<&str>,
        make: &(dyn Fn() -> V + Sync),
    ) -> Result<(Image, Vec<Walked<V>>), ArtifactError> {
        let limits = &self.options.limits;
        let mut candidates: Vec<Candidate<V>> = Vec::new();
        let mut walk = |path: &str, body: archive::Body<'_>| {
            if candidates.len() >= limits.max_layers || !stream::is_layer_like(path) {
                return;
            }
            let mut visitor = make();
            // Only names below `blobs/` are digests of what is stored.
            let stored = path.starts_with("blobs/").then_some(DigestAlgorithm::Sha256);
            let algorithm = DigestAlgorithm::Sha256;
            let outcome = layer::measure(body, "the layer", stored, algorithm, limits, &mut visitor);
            // What is wrong with a layer is told by a walk that knows which layer it is.
            if outcome.complete {
                candidates.push(Candidate {
                    path: path.to_owned(),
                    visitor,
                    outcome,
                });
            }
        };
        let (info, places) =
            archive::describe_stream(&**source, tag, &self.name, &self.options, Some(&mut walk))?;
        if let Some(note) = &self.note {
            note.remember(&info, &places);
        }
        let mut walked = Vec::new();
        for ((index, place), layer) in (0..).zip(&places).zip(&info.layers) {
            let index: LayerIndex = index;
            let is_it = |candidate: &Candidate<V>| {
                let outcome = &candidate.outcome;
                place.unreadable.is_none()
                    && place.path.as_deref() == Some(&*candidate.path)
                    && outcome.diff_id.as_ref() == Some(&layer.diff_id)
                    && (place.stored.is_none() || place.stored == outcome.stored)
                    && (place.size == 0 || place.size == outcome.stored_bytes)
            };
            if let Some(at) = candidates.iter().position(is_it) {
                let candidate = candidates.swap_remove(at);
                walked.push(Walked::new(index, candidate.visitor, candidate.outcome));
            }
        }
        let image = archive::stream_image(Arc::clone(source), info, places, &self.options);
        Ok((image, walked))
    }

    fn walk_tarball<V: LayerVisitor>(
        &self,
        source: &Arc<dyn StreamSource>,
        compressed: bool,
        make: &(dyn Fn() -> V + Sync),
    ) -> Result<(Image, Vec<Walked<V>>), ArtifactError> {
        let mut visitor = make();
        let reader = source.open()?;
        let stored = compressed.then_some(DigestAlgorithm::Sha256);
        let algorithm = DigestAlgorithm::Sha256;
        let limits = &self.options.limits;
        let outcome = layer::measure(reader, "the tarball", stored, algorithm, limits, &mut visitor);
        let identity = match &outcome.diff_id {
            Some(diff_id) if outcome.complete => layout::TarballIdentity {
                diff_id: diff_id.clone(),
                blob: outcome.stored.clone().or_else(|| Some(diff_id.clone())),
                stored_bytes: outcome.stored_bytes,
                compressed,
                sound: true,
            },
            // A tarball that breaks off is told by the digest of what comes out of it.
            _ => layout::identify(&**source, compressed, &self.name, &self.options)?,
        };
        let image = layout::tarball_image(Arc::clone(source), &identity, &self.name, &self.options);
        if outcome.complete {
            self.remember(&image);
        }
        Ok((image, vec![Walked::new(0, visitor, outcome)]))
    }

    fn remember(&self, image: &Image) {
        if let (Some(note), Backend::Blobs { layers, .. }) = (&self.note, &image.backend) {
            let places: Vec<Place> = layers
                .iter()
                .map(|layer| Place {
                    path: None,
                    stored: layer.check_stored.then(|| layer.descriptor.digest.clone()),
                    size: layer.descriptor.size,
                    unreadable: None,
                })
                .collect();
            note.remember(&image.info, &places);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::Memory;
    use crate::stream::tests::{Counting, Names};
    use crate::target::{Opened, TargetSpec, open};
    use model::Digest;
    use std::collections::HashMap;
    use std::fs::{self, FileTimes};
    use std::path::Path;
    use std::sync::Mutex;
    use testkit::image::{self as build, Compression, Layer, compress, sha256};

    fn unread(bytes: Bytes) -> Unread {
        Unread {
            bytes,
            name: "sample".to_owned(),
            options: OpenOptions::default(),
            note: None,
        }
    }

    fn archive(bytes: Vec<u8>) -> (Unread, Arc<Counting>) {
        let source = Counting::new(bytes);
        let archive = Bytes::Archive {
            source: source.clone(),
            tag: None,
        };
        (unread(archive), source)
    }

    fn tarball(bytes: Vec<u8>, compressed: bool) -> (Unread, Arc<Counting>) {
        let source = Counting::new(bytes);
        let tarball = Bytes::Tarball {
            source: source.clone(),
            compressed,
        };
        (unread(tarball), source)
    }

    fn sample() -> build::Image {
        let same = || Layer::new("RUN true").file("same", "same");
        build::Image::new(vec![
            Layer::new("ADD").file("first", "1"),
            same(),
            Layer::new("RUN").file("third", "3"),
            same(),
        ])
    }

    #[test]
    fn archives_are_described_and_walked_in_one_pass() {
        let compressed = sample().compression(Compression::Zstd);
        for (form, bytes) in [
            ("legacy", sample().docker_archive()),
            ("docker", sample().docker_oci_archive()),
            ("OCI", compressed.oci_archive()),
        ] {
            let (unread, source) = archive(bytes);
            let (image, walked) = unread.walk(&Names::default).unwrap();
            assert_eq!(source.asked(), 1, "{form}");
            let layers: Vec<(u32, &str)> = walked
                .iter()
                .map(|layer| (layer.index, layer.visitor.0[0].as_str()))
                // An equal layer is there only if it is stored twice.
                .filter(|layer| layer.0 != 3)
                .collect();
            assert_eq!(layers, [(0, "first"), (1, "same"), (2, "third")], "{form}");
            assert!(walked.iter().all(|layer| layer.complete), "{form}");
            let described = unread.describe().unwrap();
            assert_eq!(image.info, described.info, "{form}");
            assert_eq!(image.info.layers.len(), 4, "{form}");
            let rest = image.walk(&[3], 1, &Names::default);
            assert!(rest[0].complete && rest[0].visitor.0 == ["same"], "{form}");
        }
    }

    #[test]
    fn layers_that_are_not_what_the_image_says_are_never_handed_out_as_if() {
        let content = b"just this content";
        let image = build::Image::new(vec![
            Layer::new("ADD").file("good", "good"),
            Layer::new("RUN").file("bad", content),
        ])
        .compression(Compression::None);
        for (form, mut bytes) in [("legacy", image.docker_archive()), ("OCI", image.oci_archive())] {
            let at = memchr::memmem::find(&bytes, content).unwrap();
            bytes[at] ^= 1;
            let (unread, _) = archive(bytes);
            let (image, walked) = unread.walk(&Names::default).unwrap();
            let indexes: Vec<u32> = walked.iter().map(|layer| layer.index).collect();
            assert_eq!(indexes, [0], "{form}");
            let walked = image.walk(&[1], 1, &Names::default);
            assert!(!walked[0].complete, "{form}");
            let message = &walked[0].problems[0].message;
            assert!(
                message.contains("layer 2") && message.contains("has digest"),
                "{form}: {message}"
            );
        }
        let mut cut = image.oci_archive();
        cut.truncate(cut.len() / 2);
        let (unread, _) = archive(cut);
        let error = unread.walk(&Names::default).err().unwrap().chain();
        assert!(error.contains("breaks off"), "{error}");
    }

    #[test]
    fn tarballs_are_known_after_one_pass() {
        let tar = sample().layers[0].tar();
        for how in Compression::ALL {
            let bytes = compress(&tar, how);
            let (unread, source) = tarball(bytes.clone(), how != Compression::None);
            let (image, walked) = unread.walk(&Names::default).unwrap();
            assert_eq!(source.asked(), 1, "{how:?}");
            assert!(walked[0].complete && walked[0].visitor.0 == ["first"], "{how:?}");
            let layer = &image.info.layers[0];
            assert_eq!(layer.diff_id.to_string(), sha256(&tar), "{how:?}");
            let blob = layer.blob.as_ref().map(ToString::to_string);
            assert_eq!(blob, Some(sha256(&bytes)), "{how:?}");
            assert_eq!(layer.size, bytes.len() as u64, "{how:?}");
            assert_eq!(image.info, unread.describe().unwrap().info, "{how:?}");
        }
        let mut cut = compress(&tar, Compression::Gzip);
        cut.truncate(cut.len() - 9);
        let (unread, _) = tarball(cut, true);
        let (image, walked) = unread.walk(&Names::default).unwrap();
        assert!(!walked[0].complete && !walked[0].problems.is_empty());
        assert_eq!(walked[0].visitor.0, ["first"], "what came before stays");
        assert_eq!(image.info, unread.describe().unwrap().info);
    }

    /// A memory that can be looked into.
    #[derive(Debug, Default)]
    struct Kept(Mutex<HashMap<Digest, Vec<u8>>>);

    impl Memory for Kept {
        fn recall(&self, key: &Digest) -> Option<Vec<u8>> {
            self.0.lock().unwrap().get(key).cloned()
        }

        fn remember(&self, key: &Digest, bytes: &[u8]) {
            self.0.lock().unwrap().insert(key.clone(), bytes.to_vec());
        }
    }

    /// Reads a target until it is remembered, which takes as long as the file could change unseen.
    fn read_until_known(spec: &TargetSpec, options: &OpenOptions) -> (crate::ImageInfo, Image) {
        loop {
            let Opened::Unread(unread) = open(spec, options).unwrap() else {
                panic!("known before it was read");
            };
            let (image, walked) = unread.walk(&Names::default).unwrap();
            assert!(walked.iter().all(|layer| layer.complete));
            if let Opened::Image(known) = open(spec, options).unwrap() {
                return (image.info, known);
            }
        }
    }

    fn is_unread(spec: &TargetSpec, options: &OpenOptions) -> bool {
        matches!(open(spec, options).unwrap(), Opened::Unread(_))
    }

    /// Puts other content of the same size in place, and the time of modification back.
    fn replace_content(path: &Path, bytes: &[u8]) {
        let before = fs::metadata(path).unwrap();
        assert_eq!(before.len(), bytes.len() as u64);
        let file = fs::OpenOptions::new().write(true).open(path).unwrap();
        std::io::Write::write_all(&mut &file, bytes).unwrap();
        let times = FileTimes::new().set_modified(before.modified().unwrap());
        file.set_times(times).unwrap();
        assert_eq!(
            fs::metadata(path).unwrap().modified().unwrap(),
            before.modified().unwrap()
        );
    }

    #[test]
    fn unchanged_files_are_known_and_changed_ones_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let tar = sample().layers[0].tar();
        for (name, bytes) in [
            ("image", sample().tag("sample:1").docker_archive()),
            ("rootfs", tar.clone()),
        ] {
            let path = folder.path().join(name);
            let bytes = compress(&bytes, Compression::Gzip);
            fs::write(&path, &bytes).unwrap();
            let spec = match name {
                "image" => TargetSpec::Archive(path.clone()),
                _ => TargetSpec::Rootfs(path.clone()),
            };
            let memory = Arc::new(Kept::default());
            let options = OpenOptions {
                memory: Some(memory.clone()),
                ..OpenOptions::default()
            };
            let (info, known) = read_until_known(&spec, &options);
            assert_eq!(known.info, info, "{name}");
            assert_eq!(known.is_rootfs(), name == "rootfs");
            let all: Vec<u32> = (0..info.layers.len() as u32).collect();
            let walked = known.walk(&all, 1, &Names::default);
            assert!(walked.iter().all(|layer| layer.complete), "{name}");

            assert!(is_unread(&spec, &OpenOptions::default()), "{name}: no memory");
            let other = OpenOptions {
                platform: Some("linux/amd64".to_owned()),
                ..options.clone()
            };
            assert!(is_unread(&spec, &other), "{name}: another wish");

            let good = memory.0.lock().unwrap().clone();
            let damages: [fn(&mut Vec<u8>); 3] = [
                Vec::clear,
                |bytes| bytes.truncate(bytes.len() / 2),
                |bytes| {
                    let text = String::from_utf8(bytes.clone()).unwrap();
                    assert!(text.contains("\"hex\":\""));
                    *bytes = text.replace("\"hex\":\"", "\"hex\":\"../").into_bytes();
                },
            ];
            for damage in damages {
                memory.0.lock().unwrap().values_mut().for_each(damage);
                assert!(is_unread(&spec, &options), "{name}: damaged");
                *memory.0.lock().unwrap() = good.clone();
            }
            assert!(!is_unread(&spec, &options), "{name}");

            replace_content(&path, &bytes);
            assert!(is_unread(&spec, &options), "{name}: written again");
            read_until_known(&spec, &options);
            fs::write(&path, compress(&tar[..512], Compression::Gzip)).unwrap();
            assert!(is_unread(&spec, &options), "{name}: cut");
        }
    }
}
