//! Builds container images from lists of files: `docker save` archives in both forms, OCI layouts and archives, and tarballs
//! of root file systems, each compressed in any way.

use crate::tar::{LongNames, Tar};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::fs;
use std::io::Write;
use std::path::Path;

/// One layer, as a list of entries in the order of its tar.
#[derive(Clone, Debug, Default)]
pub struct Layer {
    /// Entries in order.
    pub entries: Vec<LayerEntry>,
    /// What the history says made it.
    pub instruction: String,
}

/// One entry of a layer.
#[derive(Clone, Debug)]
pub struct LayerEntry {
    /// Name as the tar gives it; any bytes.
    pub name: Vec<u8>,
    /// Type flag of the tar header: `0` file, `1` hard link, `2` symbolic link, `3` device, `5` folder.
    pub flag: u8,
    /// Content of a file.
    pub content: Vec<u8>,
    /// Target of a link.
    pub link: Vec<u8>,
    /// Permission bits.
    pub mode: u32,
}

impl Layer {
    /// An empty layer made by an instruction.
    #[must_use]
    pub fn new(instruction: &str) -> Self {
        Self {
            entries: Vec::new(),
            instruction: instruction.to_owned(),
        }
    }

    fn add(mut self, name: &str, flag: u8, content: &[u8], link: &str, mode: u32) -> Self {
        self.entries.push(LayerEntry {
            name: name.as_bytes().to_vec(),
            flag,
            content: content.to_vec(),
            link: link.as_bytes().to_vec(),
            mode,
        });
        self
    }

    /// A regular file.
    #[must_use]
    pub fn file(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        self.add(name, b'0', content.as_ref(), "", 0o644)
    }

    /// A file that may be executed.
    #[must_use]
    pub fn program(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        self.add(name, b'0', content.as_ref(), "", 0o755)
    }

    /// A folder.
    #[must_use]
    pub fn folder(self, name: &str) -> Self {
        self.add(&format!("{}/", name.trim_end_matches('/')), b'5', b"", "", 0o755)
    }

    /// A symbolic link.
    #[must_use]
    pub fn symlink(self, name: &str, target: &str) -> Self {
        self.add(name, b'2', b"", target, 0o777)
    }

    /// A hard link.
    #[must_use]
    pub fn hardlink(self, name: &str, target: &str) -> Self {
        self.add(name, b'1', b"", target, 0o644)
    }

    /// A character device.
    #[must_use]
    pub fn device(self, name: &str) -> Self {
        self.add(name, b'3', b"", "", 0o600)
    }

    /// A whiteout of a path of lower layers.
    #[must_use]
    pub fn whiteout(self, path: &str) -> Self {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let slash = if folder.is_empty() { "" } else { "/" };
        self.add(&format!("{folder}{slash}.wh.{name}"), b'0', b"", "", 0o644)
    }

    /// An opaque mark in a folder.
    #[must_use]
    pub fn opaque(self, folder: &str) -> Self {
        self.add(&format!("{folder}/.wh..wh..opq"), b'0', b"", "", 0o644)
    }

    /// The layer as an uncompressed tar.
    #[must_use]
    pub fn tar(&self) -> Vec<u8> {
        let mut tar = Tar::default();
        for entry in &self.entries {
            tar.add(
                entry.flag,
                &entry.name,
                &entry.link,
                &entry.content,
                entry.mode,
                LongNames::Pax,
            );
        }
        tar.finish()
    }
}

/// How bytes are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    None,
    /// Gzip.
    Gzip,
    /// Zstandard.
    Zstd,
    /// Xz.
    Xz,
    /// Bzip2.
    Bzip2,
}

impl Compression {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::None, Self::Gzip, Self::Zstd, Self::Xz, Self::Bzip2];
}

/// Compresses bytes.
///
/// # Panics
/// Never, as nothing is written outside memory.
#[must_use]
pub fn compress(bytes: &[u8], how: Compression) -> Vec<u8> {
    match how {
        Compression::None => bytes.to_vec(),
        Compression::Gzip => {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
            encoder.write_all(bytes).unwrap();
            encoder.finish().unwrap()
        }
        Compression::Zstd => zstd::encode_all(bytes, 3).unwrap(),
        Compression::Xz => {
            let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 1);
            encoder.write_all(bytes).unwrap();
            encoder.finish().unwrap()
        }
        Compression::Bzip2 => {
            let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
            encoder.write_all(bytes).unwrap();
            encoder.finish().unwrap()
        }
    }
}

/// `sha256:` and the digest of bytes.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    format!("sha256:{}", sha256_hex(bytes))
}

fn sha256_hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// An image to be written in any form.
#[derive(Clone, Debug)]
pub struct Image {
    /// Layers, lowest first.
    pub layers: Vec<Layer>,
    /// Names, e.g. `example:1.0`.
    pub tags: Vec<String>,
    /// How layers are compressed in the OCI forms.
    pub compression: Compression,
    /// `amd64`.
    pub architecture: String,
    /// Labels of the configuration.
    pub labels: Vec<(String, String)>,
    /// What containers run if nothing else is said.
    pub command: Vec<String>,
}

/// A blob by its digest.
pub struct Blob {
    /// `sha256:…`.
    pub digest: String,
    /// Stored bytes.
    pub bytes: Vec<u8>,
}

/// The documents and blobs of an image.
pub struct Parts {
    /// Manifest.
    pub manifest: Blob,
    /// Configuration.
    pub config: Blob,
    /// Layers as stored.
    pub layers: Vec<Blob>,
    /// Digests of the uncompressed layers.
    pub diff_ids: Vec<String>,
}

impl Parts {
    /// All blobs.
    pub fn blobs(&self) -> impl Iterator<Item = &Blob> {
        [&self.manifest, &self.config].into_iter().chain(&self.layers)
    }
}

impl Image {
    /// An image for linux/amd64 with gzip layers and no name.
    #[must_use]
    pub fn new(layers: Vec<Layer>) -> Self {
        Self {
            layers,
            tags: Vec::new(),
            compression: Compression::Gzip,
            architecture: "amd64".to_owned(),
            labels: Vec::new(),
            command: Vec::new(),
        }
    }

    /// Says what containers run if nothing else is said.
    #[must_use]
    pub fn command(mut self, words: &[&str]) -> Self {
        self.command = words.iter().map(|word| (*word).to_owned()).collect();
        self
    }

    /// Gives it a name.
    #[must_use]
    pub fn tag(mut self, tag: &str) -> Self {
        self.tags.push(tag.to_owned());
        self
    }

    /// Chooses how layers are compressed.
    #[must_use]
    pub fn compression(mut self, compression: Compression) -> Self {
        self.compression = compression;
        self
    }

    /// Chooses the processor.
    #[must_use]
    pub fn architecture(mut self, architecture: &str) -> Self {
        architecture.clone_into(&mut self.architecture);
        self
    }

    /// The configuration.
    #[must_use]
    pub fn config(&self) -> Value {
        let diff_ids: Vec<String> = self.layers.iter().map(|layer| sha256(&layer.tar())).collect();
        let mut history = vec![json!({"created_by": "ENV A=b", "empty_layer": true})];
        for layer in &self.layers {
            history.push(json!({"created_by": layer.instruction}));
        }
        let labels: serde_json::Map<String, Value> = self
            .labels
            .iter()
            .map(|(key, value)| (key.clone(), json!(value)))
            .collect();
        let mut config = json!({"Labels": labels});
        if !self.command.is_empty() {
            config["Cmd"] = json!(self.command);
        }
        json!({
            "architecture": self.architecture,
            "os": "linux",
            "config": config,
            "rootfs": {"type": "layers", "diff_ids": diff_ids},
            "history": history,
        })
    }

    /// Documents and blobs in OCI form.
    #[must_use]
    pub fn parts(&self) -> Parts {
        let config = self.config().to_string().into_bytes();
        let layers: Vec<Blob> = self
            .layers
            .iter()
            .map(|layer| {
                let bytes = compress(&layer.tar(), self.compression);
                Blob {
                    digest: sha256(&bytes),
                    bytes,
                }
            })
            .collect();
        let media_type = match self.compression {
            Compression::None => "application/vnd.oci.image.layer.v1.tar",
            Compression::Zstd => "application/vnd.oci.image.layer.v1.tar+zstd",
            _ => "application/vnd.oci.image.layer.v1.tar+gzip",
        };
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": {
                "mediaType": "application/vnd.oci.image.config.v1+json",
                "digest": sha256(&config),
                "size": config.len(),
            },
            "layers": layers.iter().map(|layer| json!({
                "mediaType": media_type,
                "digest": layer.digest,
                "size": layer.bytes.len(),
            })).collect::<Vec<_>>(),
        })
        .to_string()
        .into_bytes();
        Parts {
            manifest: Blob {
                digest: sha256(&manifest),
                bytes: manifest,
            },
            config: Blob {
                digest: sha256(&config),
                bytes: config,
            },
            layers,
            diff_ids: self.layers.iter().map(|layer| sha256(&layer.tar())).collect(),
        }
    }

    /// The descriptor of this image's manifest for an index.
    #[must_use]
    pub fn descriptor(&self) -> Value {
        let manifest = self.parts().manifest;
        let mut descriptor = json!({
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "digest": manifest.digest,
            "size": manifest.bytes.len(),
            "platform": {"os": "linux", "architecture": self.architecture},
        });
        if let Some(tag) = self.tags.first() {
            descriptor["annotations"] = json!({
                "io.containerd.image.name": tag,
                "org.opencontainers.image.ref.name": tag,
            });
        }
        descriptor
    }

    /// Writes an OCI layout that holds only this image.
    pub fn write_layout(&self, folder: &Path) {
        write_layout(folder, std::slice::from_ref(self));
    }

    /// An OCI archive: the tar of a layout.
    #[must_use]
    pub fn oci_archive(&self) -> Vec<u8> {
        oci_archive(std::slice::from_ref(self))
    }

    /// What `docker save` wrote before version 25: `<id>/layer.tar`.
    #[must_use]
    pub fn docker_archive(&self) -> Vec<u8> {
        docker_archive(std::slice::from_ref(self))
    }

    /// What `docker save` writes since version 25: an OCI layout with uncompressed layers and `manifest.json`.
    #[must_use]
    pub fn docker_oci_archive(&self) -> Vec<u8> {
        let image = self.clone().compression(Compression::None);
        let parts = image.parts();
        let mut tar = layout_tar(std::slice::from_ref(&image));
        let path = |digest: &str| format!("blobs/sha256/{}", digest.trim_start_matches("sha256:"));
        let manifest = json!([{
            "Config": path(&parts.config.digest),
            "RepoTags": image.tags,
            "Layers": parts.layers.iter().map(|layer| path(&layer.digest)).collect::<Vec<_>>(),
        }]);
        tar.file("manifest.json", manifest.to_string().as_bytes());
        tar.finish()
    }
}

/// The `index.json` of a layout with these images.
#[must_use]
pub fn index(images: &[Image]) -> Vec<u8> {
    json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": images.iter().map(Image::descriptor).collect::<Vec<_>>(),
    })
    .to_string()
    .into_bytes()
}

/// Writes an OCI layout with several images.
///
/// # Panics
/// When the folder cannot be written.
pub fn write_layout(folder: &Path, images: &[Image]) {
    fs::create_dir_all(folder.join("blobs/sha256")).unwrap();
    fs::write(folder.join("oci-layout"), br#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
    fs::write(folder.join("index.json"), index(images)).unwrap();
    for image in images {
        for blob in image.parts().blobs() {
            write_blob(folder, &blob.bytes);
        }
    }
}

/// Writes one blob of a layout; its digest.
///
/// # Panics
/// When the folder cannot be written.
pub fn write_blob(folder: &Path, bytes: &[u8]) -> String {
    let hex = sha256_hex(bytes);
    fs::write(folder.join("blobs/sha256").join(&hex), bytes).unwrap();
    format!("sha256:{hex}")
}

fn layout_tar(images: &[Image]) -> Tar {
    let mut tar = Tar::default();
    for image in images {
        for blob in image.parts().blobs() {
            let hex = blob.digest.trim_start_matches("sha256:");
            tar.file(&format!("blobs/sha256/{hex}"), &blob.bytes);
        }
    }
    tar.file("index.json", &index(images));
    tar.file("oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#);
    tar
}

/// The tar of an OCI layout with several images.
#[must_use]
pub fn oci_archive(images: &[Image]) -> Vec<u8> {
    layout_tar(images).finish()
}

/// A legacy `docker save` archive with several images. A layer that occurs again is a link to its first copy, as Docker
/// wrote it.
#[must_use]
pub fn docker_archive(images: &[Image]) -> Vec<u8> {
    let mut tar = Tar::default();
    let mut manifest = Vec::new();
    let mut written: Vec<(String, String)> = Vec::new();
    for (number, image) in images.iter().enumerate() {
        let mut paths = Vec::new();
        for (position, layer) in image.layers.iter().enumerate() {
            let bytes = layer.tar();
            let id = sha256_hex(format!("{number} {position}").as_bytes());
            let path = format!("{id}/layer.tar");
            tar.file(&format!("{id}/VERSION"), b"1.0");
            tar.file(&format!("{id}/json"), b"{}");
            let digest = sha256(&bytes);
            match written.iter().find(|(known, _)| *known == digest) {
                Some((_, first)) => {
                    let target = format!("../{first}");
                    tar.add(
                        b'2',
                        path.as_bytes(),
                        target.as_bytes(),
                        b"",
                        0o777,
                        LongNames::Pax,
                    );
                }
                None => {
                    tar.file(&path, &bytes);
                    written.push((digest, path.clone()));
                }
            }
            paths.push(path);
        }
        let config = image.config().to_string().into_bytes();
        let config_path = format!("{}.json", sha256_hex(&config));
        tar.file(&config_path, &config);
        manifest.push(json!({"Config": config_path, "RepoTags": image.tags, "Layers": paths}));
    }
    tar.file("manifest.json", Value::Array(manifest).to_string().as_bytes());
    tar.file("repositories", b"{}");
    tar.finish()
}
