//! The commands, one file each.

pub(crate) mod cache;
pub(crate) mod db;
pub(crate) mod diff;
pub(crate) mod explain;
pub(crate) mod sbom;
pub(crate) mod scan;
mod target;

pub(crate) use target::now;
