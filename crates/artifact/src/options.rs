//! How a target is opened: platform, credentials and the caps on everything that is read.

use crate::content::HeldBytes;
use crate::memory::Memory;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// A text that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Hides a text.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, for the one place that sends it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("***")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("***")
    }
}

/// How a target is opened.
#[derive(Clone, Debug)]
pub struct OpenOptions {
    /// `linux/arm64` or `linux/arm/v7`; the machine's own architecture under Linux when `None`.
    pub platform: Option<String>,
    /// Globs of paths that are left out, as in `.gitignore`.
    pub exclude: Vec<String>,
    /// No network.
    pub offline: bool,
    /// Plain HTTP and unknown certificates are accepted from registries.
    pub insecure: bool,
    /// Certificates (PEM) to trust besides the usual ones.
    pub ca_file: Option<PathBuf>,
    /// Namespace of containerd; the daemon's usual ones are tried when `None`.
    pub containerd_namespace: Option<String>,
    /// Socket of containerd; `CONTAINERD_ADDRESS` and the usual one when `None`.
    pub containerd_address: Option<String>,
    /// Address of the Docker daemon; `DOCKER_HOST` and the usual sockets when `None`.
    pub docker_host: Option<String>,
    /// Caps on everything that is read.
    pub limits: Limits,
    /// User and password for the registry, before any configuration file.
    pub credentials: Option<(String, Secret)>,
    /// Honour `.gitignore` and `.ignore` files in source trees.
    pub gitignore: bool,
    /// Remembers what compressed archives and tarballs are, so that unchanged ones are not read; `None` reads them anew.
    pub memory: Option<Arc<dyn Memory>>,
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self {
            platform: None,
            exclude: Vec::new(),
            offline: false,
            insecure: false,
            ca_file: None,
            containerd_namespace: None,
            containerd_address: None,
            docker_host: None,
            limits: Limits::default(),
            credentials: None,
            gitignore: true,
            memory: None,
        }
    }
}

/// Caps on what is read. Generous for every honest image, finite for the others.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Uncompressed bytes of one layer (or of one rootfs tarball).
    pub max_layer_bytes: u64,
    /// Uncompressed bytes per compressed byte, judged once more than [`Limits::ratio_free_bytes`] came out.
    pub max_ratio: u64,
    /// Uncompressed bytes below which the ratio is not judged.
    pub ratio_free_bytes: u64,
    /// Entries of one layer or folder tree.
    pub max_entries: u64,
    /// Bytes that the paths and link targets of one layer may take in memory.
    pub max_entry_list_bytes: u64,
    /// Bytes of one file that is handed to a visitor.
    pub max_file_bytes: u64,
    /// Bytes of one path or link target.
    pub max_name_bytes: usize,
    /// Bytes of one manifest, index or configuration.
    pub max_json_bytes: u64,
    /// Indexes inside indexes.
    pub max_index_depth: usize,
    /// Layers of one image.
    pub max_layers: usize,
    /// Files up to this many bytes are held in memory; larger ones too while [`Limits::held`] has room for them, and else in an
    /// unlinked temporary file.
    pub memory_file_bytes: u64,
    /// Memory for larger files that wait for their readers; one for all layers of all targets opened with these limits.
    pub held: HeldBytes,
    /// Bytes inflated below one top-level file (a jar and all jars in it).
    pub max_archive_bytes: u64,
    /// Members visited below one top-level file.
    pub max_archive_members: u64,
    /// Inflated bytes of one member of a zip archive.
    pub max_member_bytes: u64,
    /// Archives inside archives.
    pub max_archive_depth: usize,
    /// How long a connection to a registry or daemon may take to be made.
    pub connect_timeout: Duration,
    /// How long a registry or daemon may stay silent before it counts as stalled.
    pub stall_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        const MIB: u64 = 1 << 20;
        Self {
            max_layer_bytes: 64 * 1024 * MIB,
            // Real layers stay below 200; long runs of zeros compress 1,032 times at most with gzip.
            max_ratio: 400,
            ratio_free_bytes: 256 * MIB,
            max_entries: 4_000_000,
            max_entry_list_bytes: 64 * MIB,
            max_file_bytes: 4 * 1024 * MIB,
            // What Linux allows.
            max_name_bytes: 4096,
            max_json_bytes: 8 * MIB,
            max_index_depth: 4,
            max_layers: 1024,
            memory_file_bytes: MIB,
            held: HeldBytes::new(48 * MIB),
            max_archive_bytes: 1024 * MIB,
            max_archive_members: 200_000,
            max_member_bytes: 512 * MIB,
            max_archive_depth: 12,
            connect_timeout: Duration::from_secs(15),
            stall_timeout: Duration::from_secs(60),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_never_shown() {
        let options = OpenOptions {
            credentials: Some(("user".to_owned(), Secret::new("hunter2"))),
            ..OpenOptions::default()
        };
        let shown = format!("{options:?} {}", Secret::new("hunter2"));
        assert!(shown.contains("***") && !shown.contains("hunter2"), "{shown}");
    }
}
