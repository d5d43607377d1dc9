//! Any bytes as a configuration file: the working folder's may belong to whoever wrote the code that is scanned.
#![no_main]
#![allow(dead_code, reason = "only the reading of settings is used of these files of the program")]

#[path = "../../crates/cli/src/arguments.rs"]
mod arguments;
#[path = "../../crates/cli/src/settings.rs"]
mod settings;

use libfuzzer_sys::fuzz_target;
use std::path::PathBuf;
use std::sync::LazyLock;

/// What the program makes of a failure.
#[derive(Debug)]
pub(crate) struct Failure(anyhow::Error);

impl Failure {
    pub(crate) fn usage(error: impl Into<anyhow::Error>) -> Self {
        Self(error.into())
    }
}

impl From<artifact::ArtifactError> for Failure {
    fn from(error: artifact::ArtifactError) -> Self {
        Self(error.into())
    }
}

static FILE: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = PathBuf::from("/dev/shm");
    let folder = if folder.is_dir() { folder } else { std::env::temp_dir() };
    folder.join(format!("hullward-fuzz-{}.toml", std::process::id()))
});

fuzz_target!(|data: &[u8]| {
    std::fs::write(&*FILE, data).expect("written");
    let global = arguments::Global { config: Some(FILE.clone()), ..arguments::Global::default() };
    if let Err(failure) = settings::load(&global) {
        let _ = failure.0.to_string();
    }
});
