//! The commands, one file each.

pub(crate) mod cache;
pub(crate) mod db;
pub(crate) mod diff;
pub(crate) mod explain;
pub(crate) mod rules;
mod rules_coverage;
mod rules_test;
pub(crate) mod sbom;
pub(crate) mod scan;
mod target;
pub(crate) mod watch;

pub(crate) use target::now;

use crate::Failure;
use anyhow::Context;
use std::io::{self, Write};

/// Writes a command's text to standard output.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    printed(io::stdout().lock().write_all(text.as_bytes()))
}

/// What becomes of a write to standard output. A pipe that was closed early (`hullward … | head`) is no failure: the reader
/// has what it wanted.
///
/// # Errors
/// When it failed for another reason.
pub(crate) fn printed(written: io::Result<()>) -> Result<(), Failure> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other
            .context("standard output could not be written")
            .map_err(Failure::internal),
    }
}
