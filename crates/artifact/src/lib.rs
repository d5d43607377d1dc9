//! Where things come from: registries, daemons, archives and folders; the only crate that opens archives and decompresses.

pub mod archives;
mod daemon;
mod download;
pub mod entries;
mod error;
pub mod image;
mod network;
mod options;
pub mod reference;
mod registry;
mod remote;
mod source;

pub use download::{Download, Downloads};
pub use entries::EntryList;
pub use error::ArtifactError;
pub use image::{Image, ImageInfo, LayerInfo, LayerVisitor, Walked};
pub use network::{RemoteError, RemoteErrorKind};
pub use options::{Limits, OpenOptions, Secret};
