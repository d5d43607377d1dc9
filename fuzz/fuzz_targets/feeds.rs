//! Any bytes, read by every feed.
#![no_main]

use advisory::feeds::{ALL, Item, Sink};
use libfuzzer_sys::fuzz_target;
use model::Problem;

struct Nothing;

impl Sink for Nothing {
    fn item(&mut self, _item: Item) {}
    fn problem(&mut self, _problem: Problem) {}
}

fuzz_target!(|data: &[u8]| {
    for feed in ALL {
        feed.read("npm/all.zip!/record.json", data, &mut Nothing);
        feed.read("npm.jsonl", data, &mut Nothing);
    }
});
