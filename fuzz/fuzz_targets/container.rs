//! Any bytes as what a container runtime says of a container: its files, and its answers over gRPC.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| sensor::containers::fuzzing::describe(data));
