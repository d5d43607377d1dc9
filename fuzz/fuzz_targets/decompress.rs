//! Any bytes as a compressed stream: through the capped reader, and through the ones that extractors use.
#![no_main]

use artifact::Limits;
use artifact::archives::Limited;
use libfuzzer_sys::fuzz_target;
use model::Archives;
use std::io::Read;

fuzz_target!(|data: &[u8]| {
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
