//! Image layers and where they came from.

use crate::Digest;
use serde::{Deserialize, Serialize};

/// Position of a layer in its image, 0 for the lowest.
pub type LayerIndex = u32;

/// One layer of an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layer {
    /// Digest of the uncompressed tar, the layer's identity.
    pub diff_id: Digest,
    /// Digest of the blob as stored or transferred, where there is one.
    pub blob: Option<Digest>,
    /// Bytes of the blob as stored; 0 when unknown.
    pub size: u64,
    /// Instruction of the image's history that made it (`RUN apt-get install …`), where the history tells.
    pub instruction: Option<String>,
    /// True when the layer belongs to the base image.
    pub from_base: bool,
}
