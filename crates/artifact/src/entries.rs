//! The entries of one layer, compact: each path shares its beginning with the one before.

use serde::{Deserialize, Serialize};

/// All entries of one layer in the order of its archive.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryList {
    count: u64,
    bytes: Vec<u8>,
}
