//! Any two texts, compared by every version scheme: no panic, and swapping them swaps the answer.
#![no_main]

use advisory::schemes::ALL;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: (&str, &str)| {
    let (left, right) = data;
    for scheme in ALL {
        let forward = scheme.compare(left, right);
        let backward = scheme.compare(right, left);
        match (forward, backward) {
            (Ok(forward), Ok(backward)) => assert_eq!(forward, backward.reverse(), "{}: {left:?} {right:?}", scheme.meta().name),
            (Err(_), Err(_)) => {}
            _ => panic!("{}: an error in one direction only: {left:?} {right:?}", scheme.meta().name),
        }
    }
});
