//! The layer cache: what the extractors found in a layer, keyed by its digest and the format's version.
//!
//! One file a layer, written to a temporary name and renamed, so any number of processes share it: a reader sees a whole
//! file or none. A file that is damaged, or of another version, counts as absent. Times of use decide what goes when the
//! size cap is reached.

use crate::assemble::Assembled;
use artifact::EntryList;
use artifact::files;
use inventory::{Found, extractors};
use model::{Digest, Problem};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Raised whenever the meaning of cached results changes without an extractor being added or removed.
const FORMAT_VERSION: u32 = 2;

/// Largest cache file that is read back, in bytes.
const FILE_LIMIT: u64 = 512 << 20;

/// Endings of files with what was found in a layer, and in all layers of an image together.
const LAYER: &str = "layer";
const IMAGE: &str = "image";
/// Ending of what an archive was found to be.
const ARCHIVE: &str = "archive";

/// Default size cap, in bytes.
pub const DEFAULT_CAP: u64 = 1 << 30;

/// What is cached of one layer.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct LayerScan {
    /// All entries, for merging.
    pub entries: EntryList,
    /// What was found, by path and extractor.
    pub found: Vec<Found>,
    /// What could not be judged.
    pub problems: Vec<Problem>,
}

/// A cache folder.
#[derive(Clone, Debug)]
pub struct Cache {
    folder: PathBuf,
    cap: u64,
}

/// What `hullward cache status` tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CacheStatus {
    /// Results of layers and images, of this version.
    pub results: usize,
    /// Their bytes.
    pub bytes: u64,
    /// Files of other versions or left over from interrupted writes, and their bytes.
    pub stale: usize,
    /// Bytes of stale files.
    pub stale_bytes: u64,
    /// Images remembered as possible bases.
    pub images: usize,
    /// Compressed archives and tarballs that are recognised when they come again.
    pub archives: usize,
}

impl Cache {
    /// A cache in `folder` that is kept below `cap` bytes. Nothing is created until something is stored.
    #[must_use]
    pub fn new(folder: PathBuf, cap: u64) -> Self {
        Self { folder, cap }
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The size cap in bytes.
    #[must_use]
    pub fn cap(&self) -> u64 {
        self.cap
    }

    /// What is known of a layer; `None` when it must be read.
    #[must_use]
    pub fn layer(&self, diff_id: &Digest) -> Option<LayerScan> {
        self.read(&self.path_of(diff_id, LAYER))
    }

    /// Stores what was found in a layer.
    ///
    /// # Errors
    /// Why it was not kept: a cache that cannot be written costs time, not correctness.
    pub fn put_layer(&self, diff_id: &Digest, scan: &LayerScan) -> Result<(), String> {
        self.write(&self.path_of(diff_id, LAYER), scan)
    }

    /// What an image of just these layers, lowest first, holds once they are merged.
    #[must_use]
    pub fn image(&self, diff_ids: &[&Digest]) -> Option<Assembled> {
        self.read(&self.path_of(&chain(diff_ids), IMAGE))
    }

    /// Stores what an image holds. Only for images whose layers were all verified.
    ///
    /// # Errors
    /// Why it was not kept, as for layers.
    pub fn put_image(&self, diff_ids: &[&Digest], assembled: &Assembled) -> Result<(), String> {
        self.write(&self.path_of(&chain(diff_ids), IMAGE), assembled)
    }

    fn read<T: DeserializeOwned>(&self, path: &Path) -> Option<T> {
        let bytes = files::read(path, FILE_LIMIT).ok()?;
        let (checksum, body) = bytes.split_first_chunk::<32>()?;
        if Sha256::digest(body).as_slice() != checksum {
            return None;
        }
        let value = postcard::from_bytes(body).ok()?;
        files::touch(path, SystemTime::now());
        Some(value)
    }

    fn write<T: Serialize>(&self, path: &Path, value: &T) -> Result<(), String> {
        let failed = |error: &dyn std::fmt::Display| {
            format!("the layer cache was not written: {error}; pass --no-cache or another --cache-dir")
        };
        let body = postcard::to_stdvec(value).map_err(|error| failed(&error))?;
        let mut bytes = Vec::with_capacity(body.len() + 32);
        bytes.extend_from_slice(&Sha256::digest(&body));
        bytes.extend_from_slice(&body);
        files::create_dir_all(&self.version_folder()).map_err(|error| failed(&error))?;
        files::write_atomic(path, &bytes).map_err(|error| failed(&error))
    }

    /// Remembers that an image consists of just these layers, so that images built on top of it are recognised.
    pub fn remember_image(&self, diff_ids: &[&Digest], name: &str) {
        if diff_ids.is_empty() {
            return;
        }
        let path = self.image_path(diff_ids);
        if !path.exists() {
            // Only a memory: when it cannot be kept, the next image's base is not recognised, as on any first day.
            let _ = files::create_dir_all(&self.folder.join("images"));
            let _ = files::write_atomic(&path, name.as_bytes());
        }
    }

    /// How many of the lowest layers make up the largest known image that is smaller than this one; 0 when none is known.
    #[must_use]
    pub fn base_layers(&self, diff_ids: &[&Digest]) -> usize {
        (1..diff_ids.len())
            .rev()
            .find(|count| self.image_path(&diff_ids[..*count]).exists())
            .unwrap_or(0)
    }

    /// Counts what is there.
    #[must_use]
    pub fn status(&self) -> CacheStatus {
        let current = self.version_folder();
        let mut status = CacheStatus::default();
        for file in self.files() {
            if file.path.starts_with(self.folder.join("images")) {
                status.images += 1;
            } else if file.path.starts_with(&current)
                && file
                    .path
                    .extension()
                    .is_some_and(|extension| extension == LAYER || extension == IMAGE)
            {
                status.results += 1;
                status.bytes += file.bytes;
            } else if file.path.starts_with(&current)
                && file
                    .path
                    .extension()
                    .is_some_and(|extension| extension == ARCHIVE)
            {
                status.archives += 1;
            } else {
                status.stale += 1;
                status.stale_bytes += file.bytes;
            }
        }
        status
    }

    /// Removes everything; returns the bytes that were freed.
    ///
    /// # Errors
    /// When a file cannot be removed.
    pub fn clean(&self) -> Result<u64, artifact::ArtifactError> {
        let mut freed = 0;
        for file in self.files() {
            files::remove(&file.path)?;
            freed += file.bytes;
        }
        Ok(freed)
    }

    /// Brings the cache below its cap: stale files go first, then those used longest ago. Files that another process
    /// removes or uses at the same time are no error.
    pub fn enforce_cap(&self) {
        let mut files = self.files();
        let mut total: u64 = files.iter().map(|file| file.bytes).sum();
        if total <= self.cap {
            return;
        }
        let current = self.version_folder();
        files.sort_by_key(|file| (file.path.starts_with(&current), file.used));
        for file in files {
            if total <= self.cap {
                return;
            }
            if files::remove(&file.path).is_ok() {
                total -= file.bytes.min(total);
            }
        }
    }

    fn path_of(&self, key: &Digest, kind: &str) -> PathBuf {
        self.version_folder().join(format!("{}.{kind}", key.hex()))
    }

    /// Layers of one version share a folder; its name covers the extractors, since one more finds more.
    fn version_folder(&self) -> PathBuf {
        let mut names = Sha256::new();
        for extractor in extractors::ALL {
            names.update(extractor.meta().name);
            names.update([0]);
        }
        names.update(env!("CARGO_PKG_VERSION"));
        let hash = Digest::sha256(&names.finalize().into());
        self.folder
            .join(format!("layers-v{FORMAT_VERSION}-{}", hash.short()))
    }

    fn image_path(&self, diff_ids: &[&Digest]) -> PathBuf {
        self.folder.join("images").join(chain(diff_ids).hex())
    }

    fn files(&self) -> Vec<files::Listed> {
        files::list(&self.folder, 2)
    }
}

/// What archives are: beside the layers, and like them under a checksum and bound to the program's version.
impl artifact::Memory for Cache {
    fn recall(&self, key: &Digest) -> Option<Vec<u8>> {
        self.read(&self.path_of(key, ARCHIVE))
    }

    fn remember(&self, key: &Digest, bytes: &[u8]) {
        // A cache that cannot be written is told where the layers are stored.
        let _ = self.write(&self.path_of(key, ARCHIVE), &bytes);
    }
}

/// Identity of an image by its layers, lowest first.
fn chain(diff_ids: &[&Digest]) -> Digest {
    let mut hash = Sha256::new();
    for diff_id in diff_ids {
        hash.update(diff_id.hex());
    }
    Digest::sha256(&hash.finalize().into())
}

/// Key of what was found when files of a layer were read under other names, given as pairs of path and name.
#[must_use]
pub fn links_key(diff_id: &Digest, links: &[(String, String)]) -> Digest {
    let mut hash = Sha256::new();
    hash.update(diff_id.hex());
    for (path, name) in links {
        for text in [path, name] {
            hash.update((text.len() as u64).to_be_bytes());
            hash.update(text);
        }
    }
    Digest::sha256(&hash.finalize().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::Package;
    use model::Purl;

    fn digest(byte: u8) -> Digest {
        Digest::sha256(&[byte; 32])
    }

    fn scan_with(name: &str) -> LayerScan {
        let mut extracted = inventory::Extracted::default();
        extracted.packages.push(Package::new(
            "apk-installed",
            Purl::new("apk", "", name, "1"),
            "",
            name,
            "1",
        ));
        LayerScan {
            found: vec![Found {
                extractor: "apk-installed".to_owned(),
                path: "lib/apk/db/installed".to_owned(),
                extracted,
            }],
            ..LayerScan::default()
        }
    }

    #[test]
    fn keeps_layers_and_notices_damage() {
        let folder = testkit::temporary_folder();
        let cache = Cache::new(folder.path().join("cache"), DEFAULT_CAP);
        assert!(cache.layer(&digest(1)).is_none());
        cache.put_layer(&digest(1), &scan_with("musl")).expect("written");
        assert_eq!(
            cache.layer(&digest(1)).expect("there").found,
            scan_with("musl").found
        );
        assert_eq!(cache.status().results, 1);

        let path = cache.path_of(&digest(1), LAYER);
        let mut bytes = files::read(&path, FILE_LIMIT).expect("readable");
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        files::write_atomic(&path, &bytes).expect("written");
        assert!(
            cache.layer(&digest(1)).is_none(),
            "a damaged file counts as absent"
        );
    }

    #[test]
    fn the_cap_removes_what_was_used_longest_ago() {
        let folder = testkit::temporary_folder();
        let cache = Cache::new(folder.path().to_owned(), DEFAULT_CAP);
        for (byte, seconds_ago) in [(1, 300), (2, 100), (3, 200)] {
            cache
                .put_layer(&digest(byte), &scan_with("musl"))
                .expect("written");
            let then = SystemTime::now() - std::time::Duration::from_secs(seconds_ago);
            files::touch(&cache.path_of(&digest(byte), LAYER), then);
        }
        let one = cache.status().bytes / 3;
        Cache::new(folder.path().to_owned(), one).enforce_cap();
        let left: Vec<bool> = [1, 2, 3]
            .map(|byte| cache.path_of(&digest(byte), LAYER).exists())
            .to_vec();
        assert_eq!(left, [false, true, false]);
    }

    #[test]
    fn recognises_the_largest_known_base() {
        let folder = testkit::temporary_folder();
        let cache = Cache::new(folder.path().to_owned(), DEFAULT_CAP);
        let digests = [digest(1), digest(2), digest(3)];
        let all: Vec<&Digest> = digests.iter().collect();
        assert_eq!(cache.base_layers(&all), 0);
        cache.remember_image(&all[..1], "base:1");
        cache.remember_image(&all[..2], "middle:1");
        cache.remember_image(&all, "app:1");
        assert_eq!(cache.base_layers(&all), 2, "an image is not its own base");
        assert_eq!(cache.base_layers(&all[..2]), 1);
    }
}
