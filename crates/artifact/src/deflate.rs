//! Deflate streams piece by piece: input that is read ahead, and output in blocks that begin with what came before them.

use crate::inflate::{Damage, Inflate, SLACK_BYTES, Stop, WINDOW_BYTES};
use std::io::{self, Read};

/// Bytes that are read at once.
const INPUT_BYTES: usize = 256 * 1024;
/// Output of a zlib stream that is checked against its limit at once.
const ZLIB_BLOCK_BYTES: usize = 64 * 1024;

/// Input that was read and not used yet.
#[derive(Default)]
pub(crate) struct ReadAhead {
    bytes: Vec<u8>,
    start: usize,
    end: usize,
}

impl ReadAhead {
    /// What is at hand.
    pub(crate) fn at_hand(&self) -> &[u8] {
        self.bytes.get(self.start..self.end).unwrap_or_default()
    }

    pub(crate) fn consume(&mut self, count: usize) {
        self.start = (self.start + count).min(self.end);
    }

    /// Forgets what is at hand.
    pub(crate) fn clear(&mut self) {
        (self.start, self.end) = (0, 0);
    }

    /// Reads on, behind what is at hand. False at the end of what there is.
    pub(crate) fn read_on(&mut self, reader: &mut (impl Read + ?Sized)) -> io::Result<bool> {
        if self.start > 0 {
            self.bytes.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.bytes.len() - self.end < INPUT_BYTES / 2 {
            self.bytes.resize(self.end + INPUT_BYTES, 0);
        }
        let room = self.bytes.get_mut(self.end..).unwrap_or_default();
        loop {
            match reader.read(room) {
                Ok(count) => {
                    self.end += count;
                    return Ok(count > 0);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// A piece of output, with room before it for the window and behind it for the decoder's slack.
#[derive(Default)]
pub(crate) struct Block {
    pub(crate) bytes: Vec<u8>,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl Block {
    /// The output that is still to be used.
    pub(crate) fn as_slice(&self) -> &[u8] {
        self.bytes.get(self.start..self.end).unwrap_or_default()
    }

    /// Forgets the output.
    pub(crate) fn clear(&mut self) {
        (self.start, self.end) = (0, 0);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.start >= self.end
    }

    pub(crate) fn consume(&mut self, count: usize) {
        self.start = (self.start + count).min(self.end);
    }
}

/// What one step came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The input at hand was used, but for the beginning of what is not whole yet.
    NeedsInput,
    /// The block is full.
    BlockFull,
    /// The stream has ended; what follows it is at hand.
    Ended,
}

/// Decodes deflate streams one after the other.
pub(crate) struct Inflater {
    state: Inflate,
    /// The last bytes of the stream so far.
    tail: Vec<u8>,
    /// Where the stream begins in the block that is filled, or where its tail does.
    floor: usize,
}

impl Inflater {
    pub(crate) fn new() -> Self {
        Self {
            state: Inflate::new(),
            tail: Vec::new(),
            floor: WINDOW_BYTES,
        }
    }

    /// Begins a new stream, in the block that is being filled or the next.
    pub(crate) fn reset(&mut self, block: &Block) {
        self.state.reset();
        self.tail.clear();
        self.floor = block.end;
    }

    /// Empties a block and makes it ready for `count` bytes or a few more.
    pub(crate) fn begin(&mut self, block: &mut Block, count: usize) {
        let size = WINDOW_BYTES + count + SLACK_BYTES;
        if block.bytes.len() != size {
            block.bytes.resize(size, 0);
        }
        (block.start, block.end) = (WINDOW_BYTES, WINDOW_BYTES);
        self.floor = WINDOW_BYTES - self.tail.len();
        if let Some(room) = block.bytes.get_mut(self.floor..WINDOW_BYTES) {
            room.copy_from_slice(&self.tail);
        }
    }

    /// Decodes into the block, behind what is there.
    pub(crate) fn step(&mut self, input: &mut ReadAhead, block: &mut Block) -> Result<Step, Damage> {
        let mut used = 0;
        let stop = self.state.run(
            input.at_hand(),
            &mut used,
            &mut block.bytes,
            &mut block.end,
            self.floor,
        );
        input.consume(used);
        Ok(match stop? {
            Stop::Input => Step::NeedsInput,
            Stop::Output => Step::BlockFull,
            Stop::End => Step::Ended,
        })
    }

    /// Keeps what the next block needs of this one.
    pub(crate) fn finish(&mut self, block: &Block) {
        let from = self.floor.max(block.end.saturating_sub(WINDOW_BYTES));
        self.tail.clear();
        self.tail
            .extend_from_slice(block.bytes.get(from..block.end).unwrap_or_default());
    }
}

/// Inflates a zlib stream (RFC 1950) until it ends or more than `limit` bytes came out.
pub(crate) fn zlib(compressed: &[u8], limit: usize) -> io::Result<Vec<u8>> {
    let Some((&[method, flags], mut rest)) = compressed.split_first_chunk::<2>() else {
        return Err(io::ErrorKind::UnexpectedEof.into());
    };
    let check = u16::from_be_bytes([method, flags]);
    if method & 15 != 8 || method >> 4 > 7 || check % 31 != 0 {
        return Err(invalid("it begins with no header of zlib"));
    }
    if flags & 0x20 != 0 {
        return Err(invalid("it needs a dictionary"));
    }
    let (mut input, mut block, mut inflater) = (ReadAhead::default(), Block::default(), Inflater::new());
    let mut bytes = Vec::new();
    loop {
        inflater.begin(&mut block, ZLIB_BLOCK_BYTES);
        let ended = loop {
            match inflater.step(&mut input, &mut block)? {
                Step::NeedsInput if input.read_on(&mut rest)? => {}
                Step::NeedsInput => return Err(io::ErrorKind::UnexpectedEof.into()),
                Step::BlockFull => break false,
                Step::Ended => break true,
            }
        };
        inflater.finish(&block);
        bytes.extend_from_slice(block.as_slice());
        if bytes.len() > limit {
            return Ok(bytes);
        }
        if ended {
            let mut trailer = [0; 4];
            input.at_hand().chain(rest).read_exact(&mut trailer)?;
            return if u32::from_be_bytes(trailer) == adler32(&bytes) {
                Ok(bytes)
            } else {
                Err(invalid("its checksum is wrong"))
            };
        }
    }
}

fn adler32(bytes: &[u8]) -> u32 {
    const MODULUS: u32 = 65_521;
    let (mut low, mut high) = (1_u32, 0_u32);
    // So many bytes fit into 32 bits without a remainder taken.
    for part in bytes.chunks(5552) {
        for &byte in part {
            low += u32::from(byte);
            high += low;
        }
        low %= MODULUS;
        high %= MODULUS;
    }
    high << 16 | low
}

pub(crate) fn invalid(message: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}

impl From<Damage> for io::Error {
    fn from(damage: Damage) -> Self {
        invalid(damage.0)
    }
}
