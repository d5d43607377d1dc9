//! What is known of a container.

use super::{Identity, Runtime};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A mount of a container.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Mount {
    /// Where it comes from on the host, or the kind of file system.
    pub source: String,
    /// Where it is in the container.
    pub destination: String,
    /// The mode as it was asked for (`ro`, `z` ...), often empty.
    pub mode: String,
    /// Whether it may be written.
    pub writable: bool,
    /// How mounts below it spread.
    pub propagation: String,
}

/// The pod of a container.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Pod {
    /// Its name.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// Its unique identifier.
    pub uid: String,
    /// The whole identifier of its sandbox container.
    pub sandbox_id: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its address.
    pub ip: Option<String>,
    /// The account that it uses against the cluster, where its token or its configuration as applied tells it.
    pub service_account: Option<String>,
}

/// Puts something where nothing is.
fn fill<T: Default + PartialEq>(to: &mut T, from: T) {
    if *to == T::default() {
        *to = from;
    }
}

impl Pod {
    /// Takes what is missing here from `other`.
    #[must_use]
    fn or(mut self, other: Self) -> Self {
        fill(&mut self.name, other.name);
        fill(&mut self.namespace, other.namespace);
        fill(&mut self.uid, other.uid);
        fill(&mut self.sandbox_id, other.sandbox_id);
        fill(&mut self.labels, other.labels);
        fill(&mut self.ip, other.ip);
        fill(&mut self.service_account, other.service_account);
        self
    }
}

/// A container, as its runtime describes it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ContainerInfo {
    /// Who runs it.
    pub runtime: Runtime,
    /// The whole identifier.
    pub full_id: String,
    /// The name.
    pub name: String,
    /// The image as it was named when the container was made.
    pub image: String,
    /// The image's name without tag and digest.
    pub repository: String,
    /// The image's tag.
    pub tag: String,
    /// The image's digest in its registry.
    pub digest: String,
    /// The image's own identifier, without `sha256:`.
    pub image_id: String,
    /// Whether it runs with all rights.
    pub privileged: Option<bool>,
    /// The user that it starts as.
    pub user: String,
    /// What is mounted.
    pub mounts: Vec<Mount>,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its environment, `NAME=value`.
    pub environment: Vec<String>,
    /// Its first address.
    pub ip: Option<String>,
    /// When it was made, nanoseconds since the Unix epoch.
    pub created: Option<i64>,
    /// When it started, nanoseconds since the Unix epoch.
    pub started: Option<i64>,
    /// Whether it shares the host's PID namespace.
    pub host_pid: bool,
    /// Whether it shares the host's network.
    pub host_network: bool,
    /// Whether it shares the host's IPC namespace.
    pub host_ipc: bool,
    /// The command of its health check, or `NONE`.
    pub healthcheck: Option<Vec<String>>,
    /// The command of its liveness probe.
    pub liveness_probe: Option<Vec<String>>,
    /// The command of its readiness probe.
    pub readiness_probe: Option<Vec<String>>,
    /// Whether it is the sandbox (pause) container of its pod.
    pub is_sandbox: bool,
    /// Its pod.
    pub pod: Option<Pod>,
    /// What the network plug-in said of the pod, as JSON.
    pub cni: Option<String>,
}

impl ContainerInfo {
    /// A container of which only the identity is known.
    #[must_use]
    pub fn of(identity: &Identity) -> Self {
        Self {
            runtime: identity.runtime,
            full_id: identity.full_id.clone(),
            pod: identity.pod.as_ref().map(|uid| Pod {
                uid: uid.clone(),
                ..Pod::default()
            }),
            ..Self::default()
        }
    }

    /// Whether nothing that rules ask for often is missing.
    pub(super) fn is_complete(&self) -> bool {
        (!self.image.is_empty() || self.is_sandbox) && !self.name.is_empty() && self.privileged.is_some()
    }

    /// Takes what is missing here from `other`.
    #[must_use]
    pub(super) fn or(mut self, other: Self) -> Self {
        fill(&mut self.name, other.name);
        if self.image.is_empty() {
            self.image = other.image;
            self.repository = other.repository;
            self.tag = other.tag;
        }
        fill(&mut self.digest, other.digest);
        fill(&mut self.image_id, other.image_id);
        fill(&mut self.privileged, other.privileged);
        fill(&mut self.user, other.user);
        fill(&mut self.mounts, other.mounts);
        fill(&mut self.labels, other.labels);
        fill(&mut self.environment, other.environment);
        fill(&mut self.ip, other.ip);
        fill(&mut self.created, other.created);
        fill(&mut self.started, other.started);
        self.host_pid |= other.host_pid;
        self.host_network |= other.host_network;
        self.host_ipc |= other.host_ipc;
        fill(&mut self.healthcheck, other.healthcheck);
        fill(&mut self.liveness_probe, other.liveness_probe);
        fill(&mut self.readiness_probe, other.readiness_probe);
        self.is_sandbox |= other.is_sandbox;
        fill(&mut self.cni, other.cni);
        self.pod = match (self.pod, other.pod) {
            (Some(pod), Some(other)) => Some(pod.or(other)),
            (pod, other) => pod.or(other),
        };
        self
    }

    /// Takes what is true of the whole pod from its sandbox.
    pub(super) fn take_sandbox(&mut self, sandbox: Self) {
        self.host_pid |= sandbox.host_pid;
        self.host_network |= sandbox.host_network;
        self.host_ipc |= sandbox.host_ipc;
        fill(&mut self.ip, sandbox.ip);
        fill(&mut self.cni, sandbox.cni);
        self.pod = match (self.pod.take(), sandbox.pod) {
            (Some(pod), Some(other)) => Some(pod.or(other)),
            (pod, other) => pod.or(other),
        };
    }

    /// Sets the image by its reference (`registry/name:tag@digest`).
    pub fn set_image(&mut self, reference: &str) {
        let (named, digest) = reference.split_once('@').unwrap_or((reference, ""));
        // A colon in the last part begins the tag; one before a slash, a port.
        let slash = named.rfind('/').map_or(0, |at| at + 1);
        let (repository, tag) = match named[slash..].split_once(':') {
            Some((name, tag)) => (format!("{}{name}", &named[..slash]), tag),
            None => (named.to_owned(), ""),
        };
        reference.clone_into(&mut self.image);
        self.repository = repository;
        tag.clone_into(&mut self.tag);
        if self.tag.is_empty() && digest.is_empty() {
            "latest".clone_into(&mut self.tag);
        }
        if !digest.is_empty() {
            digest.clone_into(&mut self.digest);
        }
    }

    /// Takes pod and container names from the labels that the kubelet sets.
    pub(super) fn take_kubelet_labels(&mut self) {
        let label = |name: &str| self.labels.get(name).cloned().unwrap_or_default();
        let name = label("io.kubernetes.pod.name");
        if name.is_empty() {
            return;
        }
        let told = Pod {
            name,
            namespace: label("io.kubernetes.pod.namespace"),
            uid: label("io.kubernetes.pod.uid"),
            sandbox_id: label("io.kubernetes.sandbox.id"),
            ..Pod::default()
        };
        self.pod = Some(told.or(self.pod.take().unwrap_or_default()));
        self.is_sandbox |= matches!(label("io.kubernetes.container.name").as_str(), "POD")
            || label("io.kubernetes.docker.type") == "podsandbox";
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_of_images() {
        for (reference, repository, tag, digest) in [
            ("nginx", "nginx", "latest", ""),
            ("nginx:1.25", "nginx", "1.25", ""),
            ("localhost:5000/a/b", "localhost:5000/a/b", "latest", ""),
            ("localhost:5000/a/b:c", "localhost:5000/a/b", "c", ""),
            (
                "docker.io/library/a@sha256:12",
                "docker.io/library/a",
                "",
                "sha256:12",
            ),
            ("a:b@sha256:12", "a", "b", "sha256:12"),
        ] {
            let mut info = ContainerInfo::default();
            info.set_image(reference);
            assert_eq!(
                (info.repository.as_str(), info.tag.as_str(), info.digest.as_str()),
                (repository, tag, digest)
            );
            assert_eq!(info.image, reference);
        }
    }
}
