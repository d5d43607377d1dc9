//! Capped decompression: the format is told by its magic bytes, and output is limited in bytes and in ratio to the input.

use crate::deflate::Block;
use crate::gunzip::Gunzip;
use crate::options::Limits;
use model::{Digest, DigestAlgorithm};
use sha2::{Digest as _, Sha256, Sha512};
use std::io::{self, BufRead, BufReader, Read};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;

/// Bytes per read, per block handed from the decompressing thread, and per buffer.
pub(crate) const BUFFER_BYTES: usize = 256 * 1024;
/// Blocks on their way from the decompressing thread.
const BLOCKS: usize = 4;
/// Largest zstd window that is granted, as a power of two: what `zstd --ultra --long=27` needs.
pub(crate) const MAX_ZSTD_WINDOW_LOG: u32 = 27;
/// Memory granted to an xz decoder: `xz -9` needs 65 MiB.
const MAX_XZ_BYTES: u64 = 128 << 20;

/// How a stream is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    None,
    /// Gzip, one member or several.
    Gzip,
    /// Zstandard, one frame or several, skippable ones among them (zstd:chunked).
    Zstd,
    /// Xz.
    Xz,
    /// Bzip2.
    Bzip2,
}

impl Compression {
    /// Tells the format from a stream's first bytes (6 are enough).
    #[must_use]
    pub fn sniff(head: &[u8]) -> Self {
        match head {
            [0x1f, 0x8b, ..] => Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Zstd,
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Self::Xz,
            [b'B', b'Z', b'h', b'1'..=b'9', ..] => Self::Bzip2,
            _ => Self::None,
        }
    }

    /// The format's usual name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "tar",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Xz => "xz",
            Self::Bzip2 => "bzip2",
        }
    }
}

/// Gives the uncompressed bytes of a stream, as a reader or in blocks.
enum Decoder<'a> {
    /// Blocks are decoded where they lie.
    Gzip(Box<Gunzip<Box<dyn Read + Send + 'a>>>),
    /// Whatever else.
    Plain(Box<dyn Read + Send + 'a>),
}

impl Decoder<'_> {
    /// Puts the next [`BUFFER_BYTES`] into a block, or a few more; fewer at the end. On an error the block holds what came before it.
    fn fill(&mut self, block: &mut Block) -> io::Result<()> {
        match self {
            Self::Gzip(gunzip) => gunzip.fill(block, BUFFER_BYTES),
            Self::Plain(reader) => {
                block.bytes.resize(BUFFER_BYTES, 0);
                let result = read_full(reader, &mut block.bytes);
                let count = match &result {
                    Ok(count) | Err((count, _)) => *count,
                };
                (block.start, block.end) = (0, count);
                result.map(|_| ()).map_err(|(_, error)| error)
            }
        }
    }
}

impl Read for Decoder<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Gzip(gunzip) => gunzip.read(buffer),
            Self::Plain(reader) => reader.read(buffer),
        }
    }
}

/// The uncompressed bytes of a stream, whatever its format; not capped.
fn decoder<'a>(mut reader: impl Read + Send + 'a) -> io::Result<(Compression, Decoder<'a>)> {
    let mut head = [0; 6];
    let count = read_full(&mut reader, &mut head).map_err(|(_, error)| error)?;
    let head = head.get(..count).unwrap_or_default().to_vec();
    let compression = Compression::sniff(&head);
    let reader = io::Cursor::new(head).chain(reader);
    if compression == Compression::None {
        return Ok((compression, Decoder::Plain(Box::new(reader))));
    }
    if compression == Compression::Gzip {
        return Ok((
            compression,
            Decoder::Gzip(Box::new(Gunzip::new(Box::new(reader)))),
        ));
    }
    let reader = BufReader::with_capacity(BUFFER_BYTES, reader);
    let decoder: Box<dyn Read + Send + 'a> = match compression {
        Compression::None | Compression::Gzip => Box::new(reader),
        Compression::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(reader)?;
            decoder.window_log_max(MAX_ZSTD_WINDOW_LOG)?;
            Box::new(decoder)
        }
        Compression::Xz => {
            let stream =
                liblzma::stream::Stream::new_stream_decoder(MAX_XZ_BYTES, liblzma::stream::CONCATENATED)
                    .map_err(io::Error::from)?;
            Box::new(liblzma::bufread::XzDecoder::new_stream(reader, stream))
        }
        Compression::Bzip2 => Box::new(bzip2::bufread::MultiBzDecoder::new(reader)),
    };
    Ok((compression, Decoder::Plain(decoder)))
}

/// A hash function chosen at run time.
pub(crate) enum Hasher {
    Sha256(Sha256),
    Sha512(Sha512),
}

impl Hasher {
    pub(crate) fn new(algorithm: DigestAlgorithm) -> Self {
        match algorithm {
            DigestAlgorithm::Sha256 => Self::Sha256(Sha256::new()),
            DigestAlgorithm::Sha512 => Self::Sha512(Sha512::new()),
        }
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(hash) => hash.update(bytes),
            Self::Sha512(hash) => hash.update(bytes),
        }
    }

    pub(crate) fn finish(self) -> Digest {
        match self {
            Self::Sha256(hash) => Digest::sha256(&hash.finalize().into()),
            Self::Sha512(hash) => Digest::sha512(&hash.finalize().into()),
        }
    }

    /// The digest of bytes at hand.
    pub(crate) fn digest(algorithm: DigestAlgorithm, bytes: &[u8]) -> Digest {
        let mut hasher = Self::new(algorithm);
        hasher.update(bytes);
        hasher.finish()
    }
}

/// Counts and hashes what is read. The count is shared, because a decoder owns or borrows the reader meanwhile.
struct Tally<R> {
    inner: R,
    count: Arc<AtomicU64>,
    hasher: Option<Hasher>,
}

impl<R: Read> Read for Tally<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.count.fetch_add(count as u64, Ordering::Relaxed);
        if let (Some(hasher), Some(bytes)) = (&mut self.hasher, buffer.get(..count)) {
            hasher.update(bytes);
        }
        Ok(count)
    }
}

/// What became of a stored stream.
pub(crate) struct Stored {
    /// Digest of the stored bytes, when it was asked for.
    pub(crate) digest: Option<Digest>,
    /// Number of stored bytes.
    pub(crate) count: u64,
    /// False when reading stopped before the stored stream's end.
    pub(crate) whole: bool,
}

enum Message {
    Block(Block),
    Failed(io::Error),
}

/// Uncompressed bytes as they come from a thread of their own, so that decompression goes on while they are parsed and hashed.
pub(crate) struct Blocks {
    full: mpsc::Receiver<Message>,
    empty: mpsc::Sender<Block>,
    block: Block,
    hasher: Option<Hasher>,
    ended: bool,
}

impl Blocks {
    /// The digest of the uncompressed bytes received so far.
    pub(crate) fn take_digest(&mut self) -> Option<Digest> {
        self.hasher.take().map(Hasher::finish)
    }

    fn next_block(&mut self) -> io::Result<()> {
        if self.ended {
            return Ok(());
        }
        let old = std::mem::take(&mut self.block);
        if old.bytes.capacity() > 0 {
            // The other side may be gone already, at the stream's end.
            let _ = self.empty.send(old);
        }
        match self.full.recv() {
            Ok(Message::Block(block)) => {
                if let Some(hasher) = &mut self.hasher {
                    hasher.update(block.as_slice());
                }
                self.block = block;
                Ok(())
            }
            Ok(Message::Failed(error)) => {
                self.ended = true;
                Err(error)
            }
            Err(mpsc::RecvError) => {
                self.ended = true;
                Ok(())
            }
        }
    }
}

impl Read for Blocks {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let count = available.len().min(buffer.len());
        buffer[..count].copy_from_slice(&available[..count]);
        self.consume(count);
        Ok(count)
    }
}

impl BufRead for Blocks {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.block.is_empty() {
            self.next_block()?;
        }
        Ok(self.block.as_slice())
    }

    fn consume(&mut self, amount: usize) {
        self.block.consume(amount);
    }
}

/// How [`decompress`] is to read.
pub(crate) struct Reading<'a> {
    /// Caps.
    pub(crate) limits: &'a Limits,
    /// Hash the stored bytes with this function.
    pub(crate) stored: Option<DigestAlgorithm>,
    /// Hash the uncompressed bytes with this function.
    pub(crate) uncompressed: Option<DigestAlgorithm>,
}

/// Decompresses `reader` on a thread of its own and gives `consume` the result. When `consume` returns before the end, the
/// rest is not read, and the stored digest is not whole.
pub(crate) fn decompress<T>(
    reader: Box<dyn Read + Send + '_>,
    reading: &Reading<'_>,
    consume: impl FnOnce(&mut Blocks) -> T,
) -> (T, Stored) {
    let (full_sender, full) = mpsc::sync_channel(BLOCKS);
    let (empty, empty_receiver) = mpsc::channel();
    for _ in 0..BLOCKS {
        let _ = empty.send(Block::default());
    }
    let mut blocks = Blocks {
        full,
        empty,
        block: Block::default(),
        hasher: reading.uncompressed.map(Hasher::new),
        ended: false,
    };
    let mut tally = Tally {
        inner: reader,
        count: Arc::default(),
        hasher: reading.stored.map(Hasher::new),
    };
    thread::scope(|scope| {
        let producer = scope.spawn(move || {
            let whole = produce(&mut tally, reading.limits, &full_sender, &empty_receiver);
            Stored {
                digest: tally.hasher.map(Hasher::finish),
                count: tally.count.load(Ordering::Relaxed),
                whole,
            }
        });
        let result = consume(&mut blocks);
        drop(blocks);
        let stored = producer
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        (result, stored)
    })
}

/// The producing side. True when the stored stream was read to its end.
fn produce<R: Read + Send>(
    tally: &mut Tally<R>,
    limits: &Limits,
    full: &mpsc::SyncSender<Message>,
    empty: &mpsc::Receiver<Block>,
) -> bool {
    let consumed = Arc::clone(&tally.count);
    let failure = match decoder(&mut *tally) {
        Err(error) => Some(error),
        Ok((compression, mut decoder)) => {
            let mut produced = 0_u64;
            loop {
                let Ok(mut block) = empty.recv() else {
                    return false;
                };
                let error = decoder.fill(&mut block).err();
                let count = block.as_slice().len();
                produced += count as u64;
                if count > 0 && full.send(Message::Block(block)).is_err() {
                    return false;
                }
                if let Some(error) = error {
                    let message = format!("the {} stream is damaged: {error}", compression.name());
                    break Some(match compression {
                        Compression::None => error,
                        _ => io::Error::new(error.kind(), message),
                    });
                }
                if count < BUFFER_BYTES {
                    break None;
                }
                if let Some(message) = over_caps(produced, consumed.load(Ordering::Relaxed), limits) {
                    let _ = full.send(Message::Failed(io::Error::other(message)));
                    return false;
                }
            }
        }
    };
    // What follows the compressed stream belongs to the blob all the same, and a damaged blob's digest tells why.
    let drained = io::copy(tally, &mut io::sink());
    let failure = failure.or(drained.err());
    match failure {
        None => true,
        Some(error) => {
            let _ = full.send(Message::Failed(error));
            true
        }
    }
}

/// What is wrong when so many bytes came out of so many.
pub(crate) fn over_caps(produced: u64, consumed: u64, limits: &Limits) -> Option<String> {
    if produced > limits.max_layer_bytes {
        return Some(format!(
            "more than the limit of {} bytes come out of it",
            limits.max_layer_bytes
        ));
    }
    if produced > limits.ratio_free_bytes && produced / limits.max_ratio.max(1) > consumed {
        return Some(format!(
            "{produced} bytes came out of {consumed}, more than the limit of {} times: a decompression bomb",
            limits.max_ratio
        ));
    }
    None
}

/// Fills the buffer; fewer bytes at the end. An error comes with the number of bytes before it.
pub(crate) fn read_full(
    reader: &mut (impl Read + ?Sized),
    buffer: &mut [u8],
) -> Result<usize, (usize, io::Error)> {
    let mut done = 0;
    while let Some(room) = buffer.get_mut(done..).filter(|room| !room.is_empty()) {
        match reader.read(room) {
            Ok(0) => break,
            Ok(count) => done += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err((done, error)),
        }
    }
    Ok(done)
}

/// A plain capped reader on the caller's own thread, for small documents and for passes without digests.
pub(crate) struct Capped<'a> {
    decoder: Decoder<'a>,
    consumed: Arc<AtomicU64>,
    produced: u64,
    limits: Limits,
}

/// Uncompressed, capped bytes of `reader`, and what compression was found.
pub(crate) fn capped<'a>(
    reader: impl Read + Send + 'a,
    limits: &Limits,
) -> io::Result<(Compression, Capped<'a>)> {
    let tally = Tally {
        inner: reader,
        count: Arc::default(),
        hasher: None,
    };
    let consumed = Arc::clone(&tally.count);
    let (compression, decoder) = decoder(tally)?;
    let capped = Capped {
        decoder,
        consumed,
        produced: 0,
        limits: limits.clone(),
    };
    Ok((compression, capped))
}

impl Read for Capped<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.decoder.read(buffer)?;
        self.produced += count as u64;
        match over_caps(self.produced, self.consumed.load(Ordering::Relaxed), &self.limits) {
            Some(message) => Err(io::Error::other(message)),
            None => Ok(count),
        }
    }
}
