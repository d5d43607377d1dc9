//! What archives were found to be, remembered by the identity of their files, so that an unchanged one is not read again.
//!
//! What is remembered is what the archive says of its image. Layers are never taken from here: those that are read are
//! checked against the digests remembered, like those of any other image.

use crate::image::ImageInfo;
use crate::options::OpenOptions;
use crate::stream::Place;
use model::Digest;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::fmt;
use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Raised whenever the meaning of what is remembered changes.
const VERSION: u32 = 1;
/// A file that was changed so shortly before it is read could be changed again and keep its time of change: systems give
/// times in ticks of up to 10 ms.
const TICK: Duration = Duration::from_millis(50);
/// The same for file systems that keep times in coarser units, seconds or two at most.
const COARSE_TICK: Duration = Duration::from_millis(2500);

/// Keeps small documents from one run to the next.
pub trait Memory: fmt::Debug + Send + Sync {
    /// The bytes that were remembered under this key, unless they are gone or damaged.
    fn recall(&self, key: &Digest) -> Option<Vec<u8>>;

    /// Remembers bytes. Nobody is told when that fails: the archive is read anew then.
    fn remember(&self, key: &Digest, bytes: &[u8]);
}

/// What is written, and read back.
#[derive(Serialize, Deserialize)]
struct Remembered<I, P> {
    version: u32,
    info: I,
    places: P,
}

/// Tells one state of one file from all others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Identity {
    device: u64,
    inode: u64,
    size: u64,
    /// Seconds and nanoseconds.
    modified: (i64, i64),
    /// Seconds and nanoseconds. No program can set this one, so content that is replaced always shows in it.
    changed: (i64, i64),
}

impl Identity {
    /// `None` for what is no regular file.
    fn of(file: &File) -> io::Result<Option<Self>> {
        let metadata = file.metadata()?;
        Ok(metadata.is_file().then(|| Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }))
    }

    /// True when every change from `now` on gets a time of change that differs.
    fn is_settled(&self, now: SystemTime) -> bool {
        let (Ok(seconds), Ok(nanoseconds)) = (u64::try_from(self.changed.0), u32::try_from(self.changed.1))
        else {
            return false;
        };
        let tick = if nanoseconds % 1_000_000 == 0 {
            COARSE_TICK
        } else {
            TICK
        };
        let changed = UNIX_EPOCH.checked_add(Duration::new(seconds, nanoseconds.min(999_999_999)));
        changed
            .and_then(|changed| now.duration_since(changed).ok())
            .is_some_and(|age| age > tick)
    }
}

/// The place in the memory of one archive, as it was when it was opened.
pub(crate) struct Note {
    memory: Arc<dyn Memory>,
    file: Arc<File>,
    identity: Identity,
    settled: bool,
    key: Digest,
}

impl Note {
    /// `None` when nothing is remembered, or the file is not one that can be told from others. `kind` is how the archive is
    /// read, and `name` how the user called it, which is part of what is known of the image.
    pub(crate) fn of(
        file: &Arc<File>,
        kind: &str,
        name: &str,
        tag: Option<&str>,
        options: &OpenOptions,
    ) -> Option<Self> {
        let memory = Arc::clone(options.memory.as_ref()?);
        let identity = Identity::of(file).ok()??;
        let mut hash = Sha256::new();
        // The platform chooses among images; without a wish it is the machine's own.
        let platform = options.platform.as_deref().unwrap_or(std::env::consts::ARCH);
        for text in [kind, name, tag.unwrap_or_default(), platform] {
            hash.update((text.len() as u64).to_be_bytes());
            hash.update(text);
        }
        hash.update([u8::from(tag.is_some()), u8::from(options.platform.is_some())]);
        hash.update(format!("{VERSION} {identity:?}"));
        Some(Self {
            memory,
            file: Arc::clone(file),
            identity,
            settled: identity.is_settled(SystemTime::now()),
            key: Digest::sha256(&hash.finalize().into()),
        })
    }

    /// What the archive was found to be when it was the same.
    pub(crate) fn recall(&self) -> Option<(ImageInfo, Vec<Place>)> {
        let bytes = self.memory.recall(&self.key)?;
        let remembered: Remembered<ImageInfo, Vec<Place>> = serde_json::from_slice(&bytes).ok()?;
        let Remembered {
            version,
            info,
            places,
        } = remembered;
        let digests = info.digest.iter().chain(&info.image_id);
        let digests = digests.chain(info.layers.iter().map(|layer| &layer.diff_id));
        let digests = digests.chain(info.layers.iter().filter_map(|layer| layer.blob.as_ref()));
        let mut digests = digests.chain(places.iter().filter_map(|place| place.stored.as_ref()));
        // Digests become names of files.
        let valid = |digest: &Digest| digest.to_string().parse::<Digest>().is_ok();
        (version == VERSION && places.len() == info.layers.len() && digests.all(valid))
            .then_some((info, places))
    }

    /// Remembers what the archive is, unless it changed while it was read or could change unseen.
    pub(crate) fn remember(&self, info: &ImageInfo, places: &[Place]) {
        if !self.settled || Identity::of(&self.file).ok().flatten() != Some(self.identity) {
            return;
        }
        let remembered = Remembered {
            version: VERSION,
            info,
            places,
        };
        if let Ok(bytes) = serde_json::to_vec(&remembered) {
            self.memory.remember(&self.key, &bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_that_can_not_change_unseen_are_settled() {
        let identity = |nanoseconds| Identity {
            device: 1,
            inode: 2,
            size: 3,
            modified: (100, 0),
            changed: (100, nanoseconds),
        };
        let at = |milliseconds| UNIX_EPOCH + Duration::from_millis(milliseconds);
        let fine = identity(1_234_567);
        for (now, settled) in [
            (99_000, false),
            (100_001, false),
            (100_040, false),
            (100_060, true),
        ] {
            assert_eq!(fine.is_settled(at(now)), settled, "{now}");
        }
        let coarse = identity(0);
        for (now, settled) in [(100_060, false), (102_400, false), (102_600, true)] {
            assert_eq!(coarse.is_settled(at(now)), settled, "{now}");
        }
    }
}
