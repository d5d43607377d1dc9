//! Doors for the fuzz targets to what has no public function of its own; compiled for fuzzing only.

use crate::options::Limits;
use crate::{decompress, registry};
use std::io::{self, Read};

/// The capped reader over a compressed stream.
///
/// # Errors
/// When the stream cannot be begun.
pub fn decompressed<'a>(stored: &'a [u8], limits: &Limits) -> io::Result<impl Read + 'a> {
    decompress::capped(stored, limits).map(|(_, reader)| reader)
}

/// Reads a `WWW-Authenticate` header; the number of challenges in it.
#[must_use]
pub fn challenges(header: &str) -> usize {
    registry::challenges(header)
}
