//! Any bytes as a compressed stream: through the capped reader, and through the ones that extractors use. What the own
//! decoder says of deflate and gzip is compared with what zlib says.
#![no_main]

use artifact::Limits;
use artifact::archives::Limited;
use libfuzzer_sys::fuzz_target;
use model::Archives;
use flate2::{Decompress, FlushDecompress, Status};
use std::io::Read;

/// Bytes after which the comparison ends: a few bytes of input may make a thousand times as many.
const COMPARED: usize = 4 << 20;

/// What zlib makes of a deflate stream; `None` when more than is compared comes out.
fn zlib(stream: &[u8]) -> Option<(Vec<u8>, Option<usize>)> {
    let mut state = Decompress::new(false);
    let mut bytes = Vec::new();
    let mut buffer = vec![0; 64 << 10];
    while bytes.len() <= COMPARED {
        let (read, written) = (state.total_in() as usize, state.total_out() as usize);
        let status = state.decompress(&stream[read..], &mut buffer, FlushDecompress::None);
        bytes.extend_from_slice(&buffer[..state.total_out() as usize - written]);
        match status {
            Ok(Status::StreamEnd) => return Some((bytes, Some(stream.len() - state.total_in() as usize))),
            Ok(_) if (state.total_in() as usize, state.total_out() as usize) != (read, written) => {}
            _ => return Some((bytes, None)),
        }
    }
    None
}

fn compare(data: &[u8]) {
    let Some((&[input, output], stream)) = data.split_first_chunk::<2>() else {
        return;
    };
    let Some((expected, verdict)) = zlib(stream) else {
        return;
    };
    for (input, output) in [(1 << 20, 256 << 10), (usize::from(input), usize::from(output) * 16)] {
        let (bytes, own) = artifact::fuzzing::inflated(stream, input, output);
        assert_eq!(own, verdict, "the verdict differs");
        // What comes before damage is handed out by zlib in part only.
        match own {
            Some(_) => assert!(bytes == expected, "the output differs"),
            None => assert!(bytes.starts_with(&expected) || expected.starts_with(&bytes), "the output differs"),
        }
    }
    let limit = COMPARED as u64;
    let mut members = Vec::new();
    let sound = flate2::bufread::MultiGzDecoder::new(stream).take(limit).read_to_end(&mut members).is_ok();
    if members.len() < COMPARED {
        let own = Limited::default().gzip(stream, COMPARED);
        match own {
            Ok(own) => assert!(sound && own == members, "gzip differs"),
            Err(_) => assert!(!sound, "gzip differs"),
        }
    }
}

fuzz_target!(|data: &[u8]| {
    compare(data);
    let limits = Limits { max_layer_bytes: 8 << 20, ratio_free_bytes: 1 << 20, ..Limits::default() };
    if let Ok(mut reader) = artifact::fuzzing::decompressed(data, &limits) {
        let mut buffer = vec![0; 64 << 10];
        let mut total = 0_u64;
        while let Ok(count) = reader.read(&mut buffer) {
            if count == 0 {
                break;
            }
            total += count as u64;
        }
        assert!(total <= limits.max_layer_bytes + buffer.len() as u64, "{total} bytes came out");
    }
    let archives = Limited::new(&limits);
    const LIMIT: usize = 1 << 20;
    for inflated in [
        archives.zlib(data, LIMIT),
        archives.gzip(data, LIMIT),
        archives.zstd(data, LIMIT),
    ]
    .into_iter()
    .flatten()
    {
        assert!(inflated.len() <= LIMIT);
    }
});
