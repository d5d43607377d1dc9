//! Any bytes as a JSON report; what is read must be writable in every format.
#![no_main]

use libfuzzer_sys::fuzz_target;
use report::{Options, formats};

fuzz_target!(|data: &[u8]| {
    let Ok(report) = formats::json::read(data) else { return };
    for format in formats::ALL {
        let options = Options { width: Some(60), color: true, inventory_only: false, hidden: 0 };
        format.write(&report, &options, &mut std::io::sink()).expect("nowhere takes everything");
    }
});
