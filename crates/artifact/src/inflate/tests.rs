//! Every verdict of the decoder is compared with zlib's: the same bytes, and the same answer whether the stream is sound.

use super::*;
use crate::deflate::{Block, Inflater, ReadAhead, Step};
use flate2::{Decompress, FlushDecompress, Status};
use proptest::prelude::*;
use std::io::Write;

/// Hands out a few bytes at a time.
struct Pieces<'a> {
    rest: &'a [u8],
    sizes: std::iter::Cycle<std::slice::Iter<'a, usize>>,
}

impl std::io::Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let size = self.sizes.next().copied().unwrap_or(1).max(1);
        let count = size.min(buffer.len()).min(self.rest.len());
        let (part, rest) = self.rest.split_at(count);
        buffer[..count].copy_from_slice(part);
        self.rest = rest;
        Ok(count)
    }
}

/// Output, and what follows the stream; or output and what is wrong.
type Verdict = (Vec<u8>, Result<Vec<u8>, String>);

fn own(stream: &[u8], inputs: &[usize], outputs: &[usize]) -> Verdict {
    let mut reader = Pieces {
        rest: stream,
        sizes: inputs.iter().cycle(),
    };
    let (mut input, mut block, mut inflater) = (ReadAhead::default(), Block::default(), Inflater::new());
    let mut bytes = Vec::new();
    for &size in outputs.iter().cycle() {
        inflater.begin(&mut block, size.max(1));
        let ended = loop {
            match inflater.step(&mut input, &mut block) {
                Ok(Step::NeedsInput) => {
                    if !input.read_on(&mut reader).unwrap() {
                        break Some(Err("it breaks off".to_owned()));
                    }
                }
                Ok(Step::BlockFull) => break None,
                Ok(Step::Ended) => break Some(Ok([input.at_hand(), reader.rest].concat())),
                Err(damage) => break Some(Err(damage.to_string())),
            }
        };
        inflater.finish(&block);
        bytes.extend_from_slice(block.as_slice());
        if let Some(verdict) = ended {
            return (bytes, verdict);
        }
    }
    unreachable!("there is one size at least")
}

fn zlib(stream: &[u8]) -> Verdict {
    let mut state = Decompress::new(false);
    let mut bytes = Vec::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        let (read, written) = (state.total_in() as usize, state.total_out() as usize);
        let status = state.decompress(&stream[read..], &mut buffer, FlushDecompress::None);
        bytes.extend_from_slice(&buffer[..state.total_out() as usize - written]);
        match status {
            Err(error) => return (bytes, Err(error.to_string())),
            Ok(Status::StreamEnd) => return (bytes, Ok(stream[state.total_in() as usize..].to_vec())),
            Ok(_) if state.total_out() as usize == written && state.total_in() as usize == read => {
                return (bytes, Err("it breaks off".to_owned()));
            }
            Ok(_) => {}
        }
    }
}

/// Decodes with both, and in one piece as well as in small ones.
fn same(stream: &[u8]) -> Verdict {
    let (bytes, verdict) = own(stream, &[usize::MAX], &[1 << 16]);
    let (expected, expected_verdict) = zlib(stream);
    match (&verdict, &expected_verdict) {
        (Ok(rest), Ok(expected_rest)) => {
            assert!(bytes == expected && rest == expected_rest);
        }
        // What zlib gave before an error may lack what it had not written out.
        (Err(_), Err(_)) => assert!(bytes.starts_with(&expected) || expected.starts_with(&bytes)),
        _ => panic!("{verdict:?} where zlib says {expected_verdict:?}"),
    }
    let (in_pieces, piecewise) = own(stream, &[1, 2, 1, 7], &[1, 300, 5]);
    assert!(
        in_pieces == bytes && piecewise == verdict,
        "{piecewise:?} {verdict:?}"
    );
    (bytes, verdict)
}

/// Writes bits, first bit lowest.
#[derive(Default)]
struct Writer {
    bytes: Vec<u8>,
    used: u32,
}

impl Writer {
    fn bits(mut self, value: u32, count: u32) -> Self {
        for index in 0..count {
            if self.used.is_multiple_of(8) {
                self.bytes.push(0);
            }
            *self.bytes.last_mut().unwrap() |=
                (value.checked_shr(index).unwrap_or(0) as u8 & 1) << (self.used % 8);
            self.used += 1;
        }
        self
    }

    /// A code word, whose first bit is its highest.
    fn word(mut self, word: u32, length: u32) -> Self {
        for index in (0..length).rev() {
            self = self.bits(word >> index & 1, 1);
        }
        self
    }

    /// A symbol of the fixed code of literals and lengths.
    fn fixed(self, symbol: u32) -> Self {
        match symbol {
            0..=143 => self.word(0x30 + symbol, 8),
            144..=255 => self.word(0x190 + symbol - 144, 9),
            256..=279 => self.word(symbol - 256, 7),
            _ => self.word(0xc0 + symbol - 280, 8),
        }
    }

    /// The header of a last block with these code lengths, each stored as it is with a code of 4 bits for 0 to 15.
    fn dynamic(self, literals: &[u8], distances: &[u8]) -> Self {
        let mut this = self.bits(1, 1).bits(2, 2);
        this = this.bits(literals.len() as u32 - 257, 5);
        this = this.bits(distances.len() as u32 - 1, 5).bits(15, 4);
        for symbol in PRECODE_ORDER {
            this = this.bits(if symbol < 16 { 4 } else { 0 }, 3);
        }
        for &length in literals.iter().chain(distances) {
            this = this.word(u32::from(length), 4);
        }
        this
    }
}

fn lengths(count: usize, given: &[(usize, u8)]) -> Vec<u8> {
    let mut lengths = vec![0; count];
    for &(symbol, length) in given {
        lengths[symbol] = length;
    }
    lengths
}

#[test]
fn blocks_without_a_code_of_their_own() {
    let block = |last, kind| Writer::default().bits(last, 1).bits(kind, 2);
    let stored = |length: u32, check: u32, bytes: &[u8]| {
        let mut stream = block(1, 0).bits(0, 5).bits(length, 16).bits(check, 16).bytes;
        stream.extend_from_slice(bytes);
        stream
    };
    assert_eq!(same(&stored(0, 0xffff, b"rest")), (vec![], Ok(b"rest".to_vec())));
    assert_eq!(
        same(&stored(3, 0xfffc, b"abcd")),
        (b"abc".to_vec(), Ok(b"d".to_vec()))
    );
    assert!(same(&stored(3, 0xfffc, b"ab")).1.is_err());
    assert!(same(&stored(3, 0xfffb, b"abc")).1.is_err());
    assert!(same(&block(1, 3).bits(0, 32).bytes).1.is_err());
    assert!(same(&[]).1.is_err());

    // Empty blocks of all kinds, one after the other.
    let mut stream = block(0, 1).fixed(256).bits(0, 3);
    stream = stream
        .bits(0, 3)
        .bits(0, 16)
        .bits(0xffff, 16)
        .bits(1, 1)
        .bits(1, 2)
        .fixed(256);
    assert_eq!(same(&stream.bytes), (vec![], Ok(vec![])));

    let fixed = |build: &dyn Fn(Writer) -> Writer| build(block(1, 1)).bytes;
    let run = |writer: Writer| writer.fixed(97).fixed(98).fixed(285).word(1, 5).fixed(256);
    let (bytes, verdict) = same(&fixed(&run));
    assert_eq!((bytes, verdict), ([b'a', b'b'].repeat(130), Ok(vec![])));
    // A literal of 9 bits, a length with bits that follow, and distances from 1 to 32.
    for distance in 0..10 {
        for length in [257, 264, 265, 271, 284] {
            let stream = fixed(&|mut writer: Writer| {
                for literal in 0..40 {
                    writer = writer.fixed(literal * 6);
                }
                let extra = u32::from(LENGTH_EXTRA[length as usize - 257]);
                writer = writer.fixed(length).bits(u32::MAX, extra).word(distance, 5);
                writer = writer.bits(u32::MAX, u32::from(DISTANCE_EXTRA[distance as usize]));
                writer.fixed(200).fixed(256)
            });
            assert!(same(&stream).1.is_ok(), "{distance} {length}");
        }
    }
    for (name, build) in [
        (
            "too far back",
            &(|writer: Writer| writer.fixed(97).fixed(257).word(1, 5).fixed(256))
                as &dyn Fn(Writer) -> Writer,
        ),
        ("length 286", &|writer: Writer| {
            writer.fixed(97).fixed(286).word(0, 5).fixed(256)
        }),
        ("length 287", &|writer: Writer| {
            writer.fixed(97).fixed(287).word(0, 5).fixed(256)
        }),
        ("distance 30", &|writer: Writer| {
            writer.fixed(97).fixed(257).word(30, 5).fixed(256)
        }),
        ("distance 31", &|writer: Writer| {
            writer.fixed(97).fixed(257).word(31, 5).fixed(256)
        }),
        ("no end", &|writer: Writer| writer.fixed(97)),
    ] {
        // With much behind it, so that both loops meet it.
        for behind in [0, 100] {
            let mut stream = fixed(build);
            stream.resize(stream.len() + behind, 0);
            if name == "no end" && behind > 0 {
                continue;
            }
            let (bytes, verdict) = same(&stream);
            assert!(verdict.is_err() && bytes == b"a", "{name}: {bytes:?} {verdict:?}");
        }
    }
}

#[test]
fn codes_that_a_block_may_and_may_not_have() {
    let ab = [(97, 2), (98, 2), (256, 2), (257, 2)];
    let sound = lengths(258, &ab);
    let end = |writer: Writer| writer.word(2, 2);
    // Code words in the order of symbols: a, b, the end, a match of 3.
    // What it is, the stream, and what comes out of it when it is sound.
    type Case = (&'static str, Writer, Result<&'static [u8], ()>);
    let cases: Vec<Case> = vec![
        (
            "no distances, not used",
            end(Writer::default().dynamic(&sound, &[0]).word(0, 2)),
            Ok(b"a"),
        ),
        (
            "no distances, used",
            end(Writer::default()
                .dynamic(&sound, &[0])
                .word(0, 2)
                .word(3, 2)
                .bits(0, 1)),
            Err(()),
        ),
        (
            "one distance of one bit",
            end(Writer::default()
                .dynamic(&sound, &[1])
                .word(0, 2)
                .word(3, 2)
                .bits(0, 1)),
            Ok(b"aaaa"),
        ),
        (
            "the other bit of one distance",
            end(Writer::default()
                .dynamic(&sound, &[1])
                .word(0, 2)
                .word(3, 2)
                .bits(1, 1)),
            Err(()),
        ),
        (
            "one distance of two bits",
            end(Writer::default().dynamic(&sound, &[2])),
            Err(()),
        ),
        (
            "two distances, incomplete",
            end(Writer::default().dynamic(&sound, &[1, 2])),
            Err(()),
        ),
        (
            "three distances of one bit",
            end(Writer::default().dynamic(&sound, &[1, 1, 1])),
            Err(()),
        ),
        (
            "distances with code words of 15 bits",
            end(Writer::default()
                .dynamic(&sound, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 15])
                .word(0, 2)
                .word(3, 2)
                .word(0, 1)
                .word(0, 2)
                .word(3, 2)
                .word(2, 2)),
            Ok(b"aaaaaaaa"),
        ),
        (
            "a distance of 15 bits beyond the beginning",
            end(Writer::default()
                .dynamic(&sound, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 15])
                .word(0, 2)
                .word(3, 2)
                .word(0x7fff, 15)
                .bits(0, 6)),
            Err(()),
        ),
        (
            "no code word for the end",
            Writer::default().dynamic(&lengths(257, &[(97, 1), (98, 1)]), &[0]),
            Err(()),
        ),
        (
            "the end alone",
            Writer::default()
                .dynamic(&lengths(257, &[(256, 1)]), &[0])
                .bits(0, 1),
            Ok(b""),
        ),
        (
            "the other bit of the end alone",
            Writer::default()
                .dynamic(&lengths(257, &[(256, 1)]), &[0])
                .bits(1, 1),
            Err(()),
        ),
        (
            "the end alone with two bits",
            Writer::default()
                .dynamic(&lengths(257, &[(256, 2)]), &[0])
                .bits(0, 2),
            Err(()),
        ),
        (
            "literals incomplete",
            end(Writer::default().dynamic(&lengths(257, &[(97, 2), (98, 2), (256, 2)]), &[0])),
            Err(()),
        ),
        (
            "literals over-subscribed",
            end(Writer::default().dynamic(&lengths(257, &[(97, 1), (98, 1), (256, 1)]), &[0])),
            Err(()),
        ),
        (
            "286 literals and 30 distances",
            end(Writer::default().dynamic(&lengths(286, &ab), &[0; 30]).word(1, 2)),
            Ok(b"b"),
        ),
        (
            "287 literals",
            end(Writer::default().dynamic(&lengths(287, &ab), &[0; 30]).word(1, 2)),
            Err(()),
        ),
        (
            "31 distances",
            end(Writer::default().dynamic(&sound, &[0; 31]).word(1, 2)),
            Err(()),
        ),
    ];
    for (name, writer, expected) in cases {
        for behind in [0, 100] {
            let mut stream = writer.bytes.clone();
            stream.resize(stream.len() + behind, 0);
            let (bytes, verdict) = same(&stream);
            match expected {
                Ok(expected) => assert!(
                    verdict.is_ok() && bytes == expected,
                    "{name}: {bytes:?} {verdict:?}"
                ),
                Err(()) => {
                    let verdict = verdict.expect_err(name);
                    assert!(behind == 0 || verdict != "it breaks off", "{name}: {verdict}");
                }
            }
        }
    }
}

#[test]
fn codes_of_code_lengths() {
    let header = |precode: &[(u8, u32)], literals: u32| {
        let mut writer = Writer::default()
            .bits(1, 1)
            .bits(2, 2)
            .bits(literals - 257, 5)
            .bits(0, 5)
            .bits(15, 4);
        for symbol in PRECODE_ORDER {
            let length = precode
                .iter()
                .find(|given| given.0 == symbol)
                .map_or(0, |given| given.1);
            writer = writer.bits(length, 3);
        }
        writer
    };
    // Code words in the order of symbols: 1 is 0, 16 is 10, 18 is 11.
    let precode = [(1, 1), (16, 2), (18, 2)];
    let zeros = |writer: Writer, count: u32| writer.word(3, 2).bits(count - 11, 7);
    for (name, writer, sound) in [
        ("all zeros", header(&[], 257).bits(0, 400), false),
        ("incomplete", header(&[(1, 1)], 257).bits(0, 400), false),
        (
            "over-subscribed",
            header(&[(1, 1), (2, 1), (3, 1)], 257).bits(0, 400),
            false,
        ),
        (
            "nothing to repeat",
            header(&precode, 257).word(2, 2).bits(0, 2).bits(0, 400),
            false,
        ),
        // 97 zeros, one, 138 zeros, 20 zeros, one for the end, one for the distance.
        (
            "sound",
            zeros(zeros(zeros(header(&precode, 257), 97).bits(0, 1), 138), 20)
                .bits(0, 2)
                .word(0, 1)
                .word(1, 1),
            true,
        ),
        (
            "repeats beyond the last",
            zeros(zeros(zeros(header(&precode, 257), 97).bits(0, 1), 138), 20)
                .bits(0, 1)
                .word(2, 2)
                .bits(0, 2)
                .bits(0, 400),
            false,
        ),
        (
            "zeros beyond the last",
            zeros(zeros(header(&precode, 257), 138), 138).bits(0, 400),
            false,
        ),
    ] {
        let (bytes, verdict) = same(&writer.bytes);
        assert_eq!(verdict.is_ok(), sound, "{name}: {verdict:?}");
        assert_eq!(bytes, if sound { &b"a"[..] } else { b"" }, "{name}");
        if !sound {
            assert_ne!(verdict.unwrap_err(), "it breaks off", "{name}");
        }
    }
}

/// Bytes of many kinds: noise, runs, repeats from near and far, few different bytes.
fn content() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..2000),
        proptest::collection::vec(0..4_u8, 0..5000),
        (any::<u8>(), 0..70_000_usize).prop_map(|(byte, count)| vec![byte; count]),
        (proptest::collection::vec(any::<u8>(), 1..40), 1..2000_usize)
            .prop_map(|(part, times)| part.repeat(times)),
        "[a-f ]{0,3000}".prop_map(String::into_bytes),
    ];
    (proptest::collection::vec(piece, 0..6), any::<bool>()).prop_map(|(pieces, twice)| {
        let bytes = pieces.concat();
        if twice { bytes.repeat(2) } else { bytes }
    })
}

fn deflated(content: &[u8], level: u32, flush_at: usize) -> Vec<u8> {
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::new(level));
    let (first, second) = content.split_at(flush_at.min(content.len()));
    encoder.write_all(first).unwrap();
    encoder.flush().unwrap();
    encoder.write_all(second).unwrap();
    encoder.finish().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn what_was_compressed_comes_out_again(
        content in content(),
        level in 0..10_u32,
        flush_at in 0..100_000_usize,
        inputs in proptest::collection::vec(1..3000_usize, 1..5),
        outputs in proptest::collection::vec(1..100_000_usize, 1..5),
    ) {
        let stream = deflated(&content, level, flush_at);
        let (bytes, verdict) = own(&[&stream[..], b"rest"].concat(), &inputs, &outputs);
        prop_assert!(bytes == content);
        prop_assert_eq!(verdict, Ok(b"rest".to_vec()));
    }

    #[test]
    fn damage_is_judged_as_zlib_judges_it(
        content in content(),
        level in 0..10_u32,
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        cut in proptest::option::of(any::<prop::sample::Index>()),
    ) {
        let mut stream = deflated(&content[..content.len().min(20_000)], level, 5000);
        for (at, byte) in damage {
            let at = at.index(stream.len());
            stream[at] ^= byte;
        }
        if let Some(cut) = cut {
            stream.truncate(cut.index(stream.len()));
        }
        let _ = same(&stream);
    }

    #[test]
    fn any_bytes_are_judged_as_zlib_judges_them(stream in proptest::collection::vec(any::<u8>(), 0..600), kind in 0..3_u8) {
        let mut stream = stream;
        if let Some(first) = stream.first_mut() {
            *first = *first & 0xf8 | kind << 1;
        }
        let _ = same(&stream);
    }
}
