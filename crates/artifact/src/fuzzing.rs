//! Doors for the fuzz targets to what has no public function of its own; compiled for fuzzing only.

use crate::deflate::{Block, Inflater, ReadAhead, Step};
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

/// What comes out of a deflate stream that is read and decoded in pieces of these sizes, and how many bytes follow it; `None`
/// when it is damaged or breaks off.
#[must_use]
pub fn inflated(stream: &[u8], input: usize, output: usize) -> (Vec<u8>, Option<usize>) {
    let (mut rest, mut bytes) = (stream, Vec::new());
    let (mut at_hand, mut block, mut inflater) = (ReadAhead::default(), Block::default(), Inflater::new());
    loop {
        inflater.begin(&mut block, output.max(1));
        let ended = loop {
            match inflater.step(&mut at_hand, &mut block) {
                Ok(Step::NeedsInput) => {
                    let mut part = rest.take(input.max(1) as u64);
                    if !matches!(at_hand.read_on(&mut part), Ok(true)) {
                        break Some(None);
                    }
                    rest = part.into_inner();
                }
                Ok(Step::BlockFull) => break None,
                Ok(Step::Ended) => break Some(Some(at_hand.at_hand().len() + rest.len())),
                Err(_) => break Some(None),
            }
        };
        inflater.finish(&block);
        bytes.extend_from_slice(block.as_slice());
        if let Some(ended) = ended {
            return (bytes, ended);
        }
    }
}

/// Reads a `WWW-Authenticate` header; the number of challenges in it.
#[must_use]
pub fn challenges(header: &str) -> usize {
    registry::challenges(header)
}
