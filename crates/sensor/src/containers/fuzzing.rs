//! A door for the fuzz targets to what reads the words of runtimes; compiled for fuzzing only.

use super::calls::{CallError, GrpcCalls};
use super::files::{docker_description, oci_description};
use super::{Identity, containerd, cri};
use serde_json::Value;

/// Gives the same answer to every call.
struct Same<'a>(&'a [u8]);

impl GrpcCalls for Same<'_> {
    fn call(&mut self, _: &str, _: &[(&'static str, &str)], _: &[u8]) -> Result<Vec<u8>, CallError> {
        Ok(self.0.to_vec())
    }
}

/// Reads bytes in each way in which a runtime may describe a container.
pub fn describe(data: &[u8]) {
    // Nothing but the empty identifier would be named by chance.
    let identity = Identity::default();
    if let Ok(value) = serde_json::from_slice::<Value>(data) {
        let docker = docker_description(&identity, &value, None);
        let bundle = oci_description(&identity, &value);
        let _ = docker.or(bundle);
    }
    let _ = cri::inspect(&mut Same(data), &identity);
    let _ = containerd::inspect(&mut Same(data), &identity, &["default".to_owned()]);
}
