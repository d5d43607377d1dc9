//! Where things come from: registries, daemons, archives and folders; the only crate that opens archives and decompresses.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "this crate is the one place where files are opened and streams are decompressed, with caps"
)]

mod archive;
pub mod archives;
mod content;
mod daemon;
pub mod decompress;
mod deflate;
mod download;
pub mod entries;
mod error;
pub mod files;
mod folder;
#[cfg(fuzzing)]
pub mod fuzzing;
mod gunzip;
pub mod image;
mod inflate;
mod layer;
mod layout;
mod manifest;
mod memory;
mod network;
mod options;
pub mod reference;
mod registry;
mod remote;
mod source;
mod stream;
pub mod tar;
mod target;
pub mod union;
mod unread;

pub use archives::{Limited, ZipLimits, for_each_zip_member};
pub use content::HeldBytes;
pub use daemon::grpc;
pub use download::{Download, Downloads};
pub use entries::EntryList;
pub use error::ArtifactError;
pub use folder::FolderTree;
pub use image::{Image, ImageInfo, LayerInfo, LayerVisitor, Walked};
pub use layer::walk_tar_archive;
pub use manifest::check_platform;
pub use memory::Memory;
pub use network::{RemoteError, RemoteErrorKind};
pub use options::{Limits, OpenOptions, Secret};
pub use target::{Opened, TargetSpec, open};
pub use union::{LinkTarget, Survivor, Union};
pub use unread::Unread;
