//! Images that a daemon of this machine holds: Docker, Podman, containerd.

pub(crate) mod containerd;
pub(crate) mod docker;
pub mod grpc;
#[cfg(unix)]
mod unix;

use std::path::PathBuf;

/// The folder for the user's sockets, as systemd makes it.
fn runtime_folder(environment: &dyn Fn(&str) -> Option<String>) -> Option<PathBuf> {
    if let Some(folder) = environment("XDG_RUNTIME_DIR").filter(|folder| !folder.is_empty()) {
        return Some(PathBuf::from(folder));
    }
    #[cfg(target_os = "linux")]
    {
        use std::os::unix::fs::MetadataExt;
        let user = std::fs::metadata("/proc/self").ok()?.uid();
        Some(PathBuf::from(format!("/run/user/{user}")))
    }
    #[cfg(not(target_os = "linux"))]
    None
}
