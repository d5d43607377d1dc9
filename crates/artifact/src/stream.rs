//! Walks the layers of an image that comes as one tar stream: from a daemon's socket, or a compressed archive.

use crate::decompress::BUFFER_BYTES;
use crate::image::{ImageInfo, LayerInfo, LayerVisitor, Walked, layer_name};
use crate::layer::{self, Expected, Outcome};
use crate::options::Limits;
use crate::source::StreamSource;
use crate::tar::{Stream, TarInput, TarReader};
use model::{Digest, DigestAlgorithm, EntryKind, LayerIndex, Problem};
use serde::{Deserialize, Serialize};
use std::io::{self, BufReader, Read};

/// Where a layer is in a stream.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Place {
    /// Its path in the stream; unknown before a daemon's stream is read, where a layer is told by its digest.
    pub(crate) path: Option<String>,
    /// Digest of the stored bytes, where the image names one.
    pub(crate) stored: Option<Digest>,
    /// Number of stored bytes; 0 when unknown.
    pub(crate) size: u64,
    /// Why the layer cannot be read.
    pub(crate) unreadable: Option<String>,
}

/// Walks the wanted layers in the order of the stream. The stream is opened again only when one stored layer stands for
/// several of the image.
pub(crate) fn walk<V: LayerVisitor>(
    info: &ImageInfo,
    source: &dyn StreamSource,
    places: &[Place],
    wanted: &[LayerIndex],
    limits: &Limits,
    make: &(dyn Fn() -> V + Sync),
) -> Vec<Walked<V>> {
    let mut walked = Vec::with_capacity(wanted.len());
    let mut remaining = Vec::with_capacity(wanted.len());
    for &index in wanted {
        let place = usize::try_from(index).ok().and_then(|place| places.get(place));
        match place.and_then(|place| place.unreadable.as_ref()) {
            Some(why) => {
                let message = format!("{} was not read: {why}", layer_name(info, index));
                walked.push(Walked::new(
                    index,
                    make(),
                    Outcome::failed(Problem::general(message)),
                ));
            }
            None => remaining.push(index),
        }
    }
    let mut pass = Pass {
        info,
        places,
        limits,
        make,
        remaining,
        walked,
    };
    let mut failure = None;
    while !pass.remaining.is_empty() {
        let before = pass.remaining.len();
        failure = pass.run(source).err();
        if failure.is_some() || pass.remaining.len() == before {
            break;
        }
    }
    for index in std::mem::take(&mut pass.remaining) {
        let why = failure
            .as_deref()
            .unwrap_or("the stream holds no layer with this digest");
        let message = format!("{} was not read: {why}", layer_name(info, index));
        pass.walked.push(Walked::new(
            index,
            make(),
            Outcome::failed(Problem::general(message)),
        ));
    }
    pass.walked
}

struct Pass<'a, V> {
    info: &'a ImageInfo,
    places: &'a [Place],
    limits: &'a Limits,
    make: &'a (dyn Fn() -> V + Sync),
    remaining: Vec<LayerIndex>,
    walked: Vec<Walked<V>>,
}

/// What an entry of the stream is.
enum Role {
    /// A layer that is wanted.
    Layer(LayerIndex),
    /// Perhaps a layer: only its digest will tell which.
    Candidate,
    /// Something else.
    Other,
}

impl<V: LayerVisitor> Pass<'_, V> {
    fn run(&mut self, source: &dyn StreamSource) -> Result<(), String> {
        let stream = source.open().map_err(|error| error.chain())?;
        let input = Stream(BufReader::with_capacity(BUFFER_BYTES, stream));
        let mut tar = TarReader::new(input, self.limits.max_name_bytes);
        let mut count = 0;
        while !self.remaining.is_empty() && tar.advance().map_err(|error| error.to_string())? {
            count += 1;
            if count > self.limits.max_entries {
                return Err("the stream has too many entries".to_owned());
            }
            let entry = tar.entry();
            if entry.kind != EntryKind::File || entry.size == 0 {
                continue;
            }
            match self.role(entry.path) {
                Role::Layer(index) => {
                    let name = layer_name(self.info, index);
                    let place = self.place(index);
                    let expected = Expected {
                        name: &name,
                        diff_id: self.layer(index).map(|layer| &layer.diff_id),
                        stored: place.and_then(|place| place.stored.as_ref()),
                        size: place.map_or(0, |place| place.size),
                    };
                    let mut visitor = (self.make)();
                    let body = Box::new(Body { tar: &mut tar });
                    let outcome = layer::walk(body, &expected, self.limits, &mut visitor);
                    self.settle(index, visitor, outcome);
                }
                Role::Candidate => self.try_candidate(&mut tar)?,
                Role::Other => {}
            }
        }
        Ok(())
    }

    fn layer(&self, index: LayerIndex) -> Option<&LayerInfo> {
        self.info.layers.get(usize::try_from(index).ok()?)
    }

    fn place(&self, index: LayerIndex) -> Option<&Place> {
        self.places.get(usize::try_from(index).ok()?)
    }

    fn role(&self, path: &str) -> Role {
        let by_path = |index: &&LayerIndex| {
            self.place(**index)
                .is_some_and(|place| place.path.as_deref() == Some(path))
        };
        if let Some(&index) = self.remaining.iter().find(by_path) {
            return Role::Layer(index);
        }
        if self.places.iter().all(|place| place.path.is_some()) {
            return Role::Other;
        }
        let name = model::path::file_name(path);
        if path.starts_with("blobs/") {
            if self.info.layers.iter().any(|layer| layer.diff_id.hex() == name) {
                let named = |index: &&LayerIndex| {
                    self.layer(**index)
                        .is_some_and(|layer| layer.diff_id.hex() == name)
                };
                return self
                    .remaining
                    .iter()
                    .find(named)
                    .map_or(Role::Other, |&index| Role::Layer(index));
            }
            return Role::Candidate;
        }
        if is_layer_like(path) {
            Role::Candidate
        } else {
            Role::Other
        }
    }

    /// Walks what may be a layer and keeps the result if its digest is a wanted layer's.
    fn try_candidate<R: TarInput + Send>(&mut self, tar: &mut TarReader<R>) -> Result<(), String> {
        let mut head = [0; 1];
        let count = tar.read_content(&mut head).map_err(|error| error.to_string())?;
        let head = head.get(..count).unwrap_or_default().to_vec();
        if matches!(head.first(), Some(b'{' | b'[') | None) {
            return Ok(());
        }
        let mut visitor = (self.make)();
        let body = Box::new(io::Cursor::new(head).chain(Body { tar }));
        let algorithm = DigestAlgorithm::Sha256;
        let outcome = layer::measure(body, "the layer", None, algorithm, self.limits, &mut visitor);
        let is_it = |layer: &LayerInfo| outcome.diff_id.as_ref() == Some(&layer.diff_id);
        let mut remaining = self.remaining.iter().copied();
        let found = remaining.find(|&index| self.layer(index).is_some_and(is_it));
        if let Some(index) = found {
            self.settle(index, visitor, outcome);
        }
        Ok(())
    }

    fn settle(&mut self, index: LayerIndex, visitor: V, outcome: Outcome) {
        self.remaining.retain(|&other| other != index);
        self.walked.push(Walked::new(index, visitor, outcome));
    }
}

/// True for the names that archives of images give to layers.
pub(crate) fn is_layer_like(path: &str) -> bool {
    path.starts_with("blobs/")
        || [".tar", ".tar.gz", ".tgz"]
            .iter()
            .any(|ending| path.ends_with(ending))
}

/// The current entry's content as a reader.
pub(crate) struct Body<'a, R> {
    pub(crate) tar: &'a mut TarReader<R>,
}

impl<R: TarInput> Read for Body<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.tar.read_content(buffer).map_err(io::Error::other)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::error::ArtifactError;
    use crate::image::Image;
    use crate::options::OpenOptions;
    use crate::source::image_from_stream;
    use model::{Content, Entry};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use testkit::image::{self as build, Compression, Layer};

    /// Counts how often its bytes are asked for.
    pub(crate) struct Counting {
        bytes: Vec<u8>,
        asked: AtomicUsize,
    }

    impl Counting {
        pub(crate) fn new(bytes: Vec<u8>) -> Arc<Self> {
            let asked = AtomicUsize::new(0);
            Arc::new(Self { bytes, asked })
        }

        pub(crate) fn asked(&self) -> usize {
            self.asked.load(Ordering::Relaxed)
        }
    }

    impl StreamSource for Counting {
        fn open(&self) -> Result<Box<dyn Read + Send>, ArtifactError> {
            self.asked.fetch_add(1, Ordering::Relaxed);
            Ok(Box::new(io::Cursor::new(self.bytes.clone())))
        }
    }

    /// Names of the files it was given.
    #[derive(Default)]
    pub(crate) struct Names(pub(crate) Vec<String>);

    impl LayerVisitor for Names {
        fn wants(&mut self, _entry: &Entry<'_>) -> bool {
            true
        }

        fn file(&mut self, entry: &Entry<'_>, _content: Box<dyn Content>) {
            self.0.push(entry.path.to_owned());
        }
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

    /// An image whose daemon told the layers' digests, as `inspect` does.
    fn open(bytes: Vec<u8>) -> (Image, Arc<Counting>) {
        let layers = sample()
            .parts()
            .diff_ids
            .iter()
            .map(|digest| LayerInfo {
                diff_id: digest.parse().unwrap(),
                blob: None,
                size: 0,
                instruction: None,
            })
            .collect();
        let known = ImageInfo {
            layers,
            ..ImageInfo::default()
        };
        let daemon = Counting::new(bytes);
        let options = OpenOptions::default();
        let image = image_from_stream(daemon.clone(), known, &options);
        (image, daemon)
    }

    #[test]
    fn layers_are_told_by_their_digests() {
        let compressed = sample().compression(Compression::Zstd);
        for (form, bytes) in [
            ("legacy", sample().docker_archive()),
            ("docker", sample().docker_oci_archive()),
            ("containerd's", compressed.oci_archive()),
        ] {
            let (image, daemon) = open(bytes);
            assert_eq!(daemon.asked(), 0, "{form}: opening reads nothing");
            let walked = image.walk(&[3, 0, 2], 2, &Names::default);
            let names: Vec<(u32, &str)> = walked
                .iter()
                .map(|layer| (layer.index, layer.visitor.0[0].as_str()))
                .collect();
            assert_eq!(names, [(0, "first"), (2, "third"), (3, "same")], "{form}");
            assert!(
                walked
                    .iter()
                    .all(|layer| layer.complete && layer.problems.is_empty()),
                "{form}"
            );
            assert_eq!(daemon.asked(), 1, "{form}: one pass");
            // Equal layers are stored once: the second takes another pass.
            let walked = image.walk(&[1, 3], 2, &Names::default);
            assert!(
                walked
                    .iter()
                    .all(|layer| layer.complete && layer.visitor.0 == ["same"]),
                "{form}"
            );
            let mut names = Names::default();
            assert_eq!(image.reread(2, &["third"], &mut names), [], "{form}");
            assert_eq!(names.0, ["third"], "{form}");
        }
    }

    #[test]
    fn layers_that_do_not_come_are_told() {
        let other = build::Image::new(vec![
            Layer::new("ADD").file("first", "1"),
            Layer::new("x").file("x", "x"),
        ]);
        let (image, _) = open(other.docker_archive());
        let walked = image.walk(&[0, 2], 1, &Names::default);
        assert!(walked[0].complete && !walked[1].complete);
        assert!(
            walked[1].problems[0]
                .message
                .contains("holds no layer with this digest")
        );
        let mut cut = sample().docker_archive();
        cut.truncate(2500);
        let (image, _) = open(cut);
        let walked = image.walk(&[0, 2], 1, &Names::default);
        assert!(walked.iter().all(|layer| !layer.complete));
        assert!(
            walked[1].problems[0].message.contains("breaks off"),
            "{:?}",
            walked[1].problems
        );
    }
}
