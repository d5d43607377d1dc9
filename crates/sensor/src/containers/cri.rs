//! The interface that Kubernetes has to container runtimes (CRI): containerd, CRI-O and cri-dockerd answer it.
//!
//! Only the fields of its messages that are used are declared; others are skipped.

use super::calls::{CallError, GrpcCalls, call};
use super::files::{APPLIED, oci_description, take_applied, text};
use super::{ContainerInfo, Identity, Mount, Pod};
use prost::Message;
use serde_json::Value;
use std::collections::BTreeMap;

#[derive(Clone, PartialEq, Message)]
struct ContainerMetadata {
    #[prost(string, tag = "1")]
    name: String,
}

#[derive(Clone, PartialEq, Message)]
struct ImageSpec {
    #[prost(string, tag = "1")]
    image: String,
}

#[derive(Clone, PartialEq, Message)]
struct CriMount {
    #[prost(string, tag = "1")]
    container_path: String,
    #[prost(string, tag = "2")]
    host_path: String,
    #[prost(bool, tag = "3")]
    readonly: bool,
    #[prost(int32, tag = "5")]
    propagation: i32,
}

#[derive(Clone, PartialEq, Message)]
struct ContainerStatusRequest {
    #[prost(string, tag = "1")]
    container_id: String,
    #[prost(bool, tag = "2")]
    verbose: bool,
}

#[derive(Clone, PartialEq, Message)]
struct ContainerStatus {
    #[prost(string, tag = "1")]
    id: String,
    #[prost(message, optional, tag = "2")]
    metadata: Option<ContainerMetadata>,
    #[prost(int64, tag = "4")]
    created_at: i64,
    #[prost(int64, tag = "5")]
    started_at: i64,
    #[prost(message, optional, tag = "8")]
    image: Option<ImageSpec>,
    #[prost(string, tag = "9")]
    image_ref: String,
    #[prost(btree_map = "string, string", tag = "12")]
    labels: BTreeMap<String, String>,
    #[prost(btree_map = "string, string", tag = "13")]
    annotations: BTreeMap<String, String>,
    #[prost(message, repeated, tag = "14")]
    mounts: Vec<CriMount>,
    #[prost(string, tag = "17")]
    image_id: String,
}

#[derive(Clone, PartialEq, Message)]
struct ContainerStatusResponse {
    #[prost(message, optional, tag = "1")]
    status: Option<ContainerStatus>,
    #[prost(btree_map = "string, string", tag = "2")]
    info: BTreeMap<String, String>,
}

#[derive(Clone, PartialEq, Message)]
struct ContainerFilter {
    #[prost(string, tag = "1")]
    id: String,
}

#[derive(Clone, PartialEq, Message)]
struct ListContainersRequest {
    #[prost(message, optional, tag = "1")]
    filter: Option<ContainerFilter>,
}

#[derive(Clone, PartialEq, Message)]
struct ListedContainer {
    #[prost(string, tag = "1")]
    id: String,
    #[prost(string, tag = "2")]
    pod_sandbox_id: String,
}

#[derive(Clone, PartialEq, Message)]
struct ListContainersResponse {
    #[prost(message, repeated, tag = "1")]
    containers: Vec<ListedContainer>,
}

#[derive(Clone, PartialEq, Message)]
struct PodSandboxStatusRequest {
    #[prost(string, tag = "1")]
    pod_sandbox_id: String,
    #[prost(bool, tag = "2")]
    verbose: bool,
}

#[derive(Clone, PartialEq, Message)]
struct PodSandboxMetadata {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    uid: String,
    #[prost(string, tag = "3")]
    namespace: String,
}

#[derive(Clone, PartialEq, Message)]
struct PodSandboxNetwork {
    #[prost(string, tag = "1")]
    ip: String,
}

/// Whose namespaces are used; 2 stands for the host's.
#[derive(Clone, PartialEq, Message)]
struct NamespaceOption {
    #[prost(int32, tag = "1")]
    network: i32,
    #[prost(int32, tag = "2")]
    pid: i32,
    #[prost(int32, tag = "3")]
    ipc: i32,
}

#[derive(Clone, PartialEq, Message)]
struct Namespaces {
    #[prost(message, optional, tag = "2")]
    options: Option<NamespaceOption>,
}

#[derive(Clone, PartialEq, Message)]
struct LinuxPodSandboxStatus {
    #[prost(message, optional, tag = "1")]
    namespaces: Option<Namespaces>,
}

#[derive(Clone, PartialEq, Message)]
struct PodSandboxStatus {
    #[prost(string, tag = "1")]
    id: String,
    #[prost(message, optional, tag = "2")]
    metadata: Option<PodSandboxMetadata>,
    #[prost(int64, tag = "4")]
    created_at: i64,
    #[prost(message, optional, tag = "5")]
    network: Option<PodSandboxNetwork>,
    #[prost(message, optional, tag = "6")]
    linux: Option<LinuxPodSandboxStatus>,
    #[prost(btree_map = "string, string", tag = "7")]
    labels: BTreeMap<String, String>,
    #[prost(btree_map = "string, string", tag = "8")]
    annotations: BTreeMap<String, String>,
}

#[derive(Clone, PartialEq, Message)]
struct PodSandboxStatusResponse {
    #[prost(message, optional, tag = "1")]
    status: Option<PodSandboxStatus>,
    #[prost(btree_map = "string, string", tag = "2")]
    info: BTreeMap<String, String>,
}

#[derive(Clone, PartialEq, Message)]
struct ImageStatusRequest {
    #[prost(message, optional, tag = "1")]
    image: Option<ImageSpec>,
}

#[derive(Clone, PartialEq, Message)]
struct CriImage {
    #[prost(string, tag = "1")]
    id: String,
    #[prost(string, repeated, tag = "2")]
    repo_tags: Vec<String>,
    #[prost(string, repeated, tag = "3")]
    repo_digests: Vec<String>,
}

#[derive(Clone, PartialEq, Message)]
struct ImageStatusResponse {
    #[prost(message, optional, tag = "1")]
    image: Option<CriImage>,
}

/// The versions of the interface, which number the same fields the same way; the older one ended with Kubernetes 1.25.
const VERSIONS: [&str; 2] = ["runtime.v1", "runtime.v1alpha2"];
/// What [`NamespaceOption`] says of a namespace of the host.
const NODE: i32 = 2;

/// What a runtime says of a container or of the sandbox of a pod.
pub(super) fn inspect(calls: &mut dyn GrpcCalls, identity: &Identity) -> Result<ContainerInfo, CallError> {
    for version in VERSIONS {
        let mut runtime = Cri { calls, version };
        let answer = match runtime.container(identity) {
            Err(CallError::NotFound) => runtime.sandbox_itself(identity),
            answer => answer,
        };
        // A runtime that does not know this version says no more than that the call failed.
        if answer != Err(CallError::Failed) {
            return answer;
        }
    }
    Err(CallError::Failed)
}

struct Cri<'a> {
    calls: &'a mut dyn GrpcCalls,
    version: &'static str,
}

impl Cri<'_> {
    fn runtime<Answer: Message + Default>(
        &mut self,
        method: &str,
        request: &impl Message,
    ) -> Result<Answer, CallError> {
        let method = format!("/{}.RuntimeService/{method}", self.version);
        call(self.calls, &method, &[], request)
    }

    fn container(&mut self, identity: &Identity) -> Result<ContainerInfo, CallError> {
        let request = ContainerStatusRequest {
            container_id: identity.full_id.clone(),
            verbose: true,
        };
        let answer: ContainerStatusResponse = self.runtime("ContainerStatus", &request)?;
        // Runtimes take the beginning of an identifier, too.
        let status = answer
            .status
            .filter(|status| status.id == identity.full_id)
            .ok_or(CallError::NotFound)?;
        let verbose = verbose(&answer.info);
        let mut info = of_status(identity, &status, &verbose);
        // From here on the container may be gone; what was told already is worth having.
        let sandbox = match text(&verbose, "/sandboxID") {
            "" => self.sandbox_of(identity),
            sandbox => Some(sandbox.to_owned()),
        };
        if let Some(sandbox) = sandbox
            && let Ok((status, verbose)) = self.sandbox(&sandbox)
        {
            take_sandbox(&mut info, status, &verbose);
        }
        info.take_kubelet_labels();
        self.take_image(&mut info, &status.image_ref);
        Ok(info)
    }

    /// The sandbox that a container is in, for runtimes that tell nothing beside the status.
    fn sandbox_of(&mut self, identity: &Identity) -> Option<String> {
        let request = ListContainersRequest {
            filter: Some(ContainerFilter {
                id: identity.full_id.clone(),
            }),
        };
        let answer: ListContainersResponse = self.runtime("ListContainers", &request).ok()?;
        let mut listed = answer.containers.into_iter();
        let container = listed.find(|container| container.id == identity.full_id)?;
        Some(container.pod_sandbox_id).filter(|sandbox| !sandbox.is_empty())
    }

    fn sandbox(&mut self, id: &str) -> Result<(PodSandboxStatus, Value), CallError> {
        let request = PodSandboxStatusRequest {
            pod_sandbox_id: id.to_owned(),
            verbose: true,
        };
        let answer: PodSandboxStatusResponse = self.runtime("PodSandboxStatus", &request)?;
        let status = answer
            .status
            .filter(|status| status.id == id)
            .ok_or(CallError::NotFound)?;
        Ok((status, verbose(&answer.info)))
    }

    /// The container that holds the namespaces of a pod.
    fn sandbox_itself(&mut self, identity: &Identity) -> Result<ContainerInfo, CallError> {
        let (status, verbose) = self.sandbox(&identity.full_id)?;
        let mut info = ContainerInfo::of(identity);
        info.is_sandbox = true;
        if let Some(metadata) = &status.metadata {
            info.name.clone_from(&metadata.name);
        }
        info.created = moment(status.created_at);
        info.started = info.created;
        info.labels.clone_from(&status.labels);
        take_reference(&mut info, text(&verbose, "/image"));
        let mut info = info.or(of_specification(identity, &verbose));
        take_sandbox(&mut info, status, &verbose);
        let reference = text(&verbose, "/image").to_owned();
        self.take_image(&mut info, &reference);
        Ok(info)
    }

    /// Asks for what is still missing of the image.
    fn take_image(&mut self, info: &mut ContainerInfo, reference: &str) {
        let reference = if reference.is_empty() {
            &info.image
        } else {
            reference
        };
        let known = !info.image.is_empty() && !info.digest.is_empty() && !info.image_id.is_empty();
        if known || reference.is_empty() {
            return;
        }
        let request = ImageStatusRequest {
            image: Some(ImageSpec {
                image: reference.to_owned(),
            }),
        };
        let method = format!("/{}.ImageService/ImageStatus", self.version);
        let answer: Result<ImageStatusResponse, CallError> = call(self.calls, &method, &[], &request);
        let Some(image) = answer.ok().and_then(|answer| answer.image) else {
            return;
        };
        if info.image_id.is_empty() {
            take_id(info, &image.id);
        }
        if info.image.is_empty()
            && let Some(name) = image.repo_tags.first().or(image.repo_digests.first())
        {
            info.set_image(name);
        }
        if info.digest.is_empty() {
            let mut digests = image.repo_digests.iter().filter_map(|name| name.split_once('@'));
            let own = digests.clone().find(|(name, _)| *name == info.repository);
            if let Some((_, digest)) = own.or_else(|| digests.next()) {
                digest.clone_into(&mut info.digest);
            }
        }
    }
}

/// What a runtime tells when it is asked for everything: the JSON under `info`.
fn verbose(info: &BTreeMap<String, String>) -> Value {
    let text = info.get("info").map_or("", String::as_str);
    serde_json::from_str(text).unwrap_or_default()
}

/// A time as the interface gives it, 0 for never.
fn moment(nanoseconds: i64) -> Option<i64> {
    Some(nanoseconds).filter(|time| *time > 0)
}

fn take_id(info: &mut ContainerInfo, id: &str) {
    id.strip_prefix("sha256:")
        .unwrap_or(id)
        .clone_into(&mut info.image_id);
}

/// Takes the name or the identifier of an image.
fn take_reference(info: &mut ContainerInfo, reference: &str) {
    let plain = reference.strip_prefix("sha256:").unwrap_or(reference);
    if plain.len() == 64 && plain.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        take_id(info, reference);
    } else if !reference.is_empty() {
        info.set_image(reference);
    }
}

/// What the bundle says that the runtime made, where it shows it.
fn of_specification(identity: &Identity, verbose: &Value) -> ContainerInfo {
    match verbose.get("runtimeSpec") {
        Some(specification) if specification.is_object() => oci_description(identity, specification),
        _ => ContainerInfo::of(identity),
    }
}

fn of_status(identity: &Identity, status: &ContainerStatus, verbose: &Value) -> ContainerInfo {
    let mut info = ContainerInfo::of(identity);
    if let Some(metadata) = &status.metadata {
        info.name.clone_from(&metadata.name);
    }
    info.created = moment(status.created_at);
    info.started = moment(status.started_at);
    info.labels.clone_from(&status.labels);
    if let Some(image) = &status.image {
        take_reference(&mut info, &image.image);
    }
    match status.image_ref.split_once('@') {
        Some((_, digest)) => digest.clone_into(&mut info.digest),
        None if info.image_id.is_empty() && status.image_ref.starts_with("sha256:") => {
            take_id(&mut info, &status.image_ref);
        }
        None => {}
    }
    if !status.image_id.is_empty() {
        take_id(&mut info, &status.image_id);
    }
    // containerd shows what the kubelet asked for, CRI-O what became of it.
    let asked = verbose.pointer("/config/linux/security_context");
    info.privileged = match (asked, verbose.get("privileged")) {
        (Some(asked), _) => Some(asked.get("privileged").and_then(Value::as_bool).unwrap_or(false)),
        (None, Some(told)) => told.as_bool(),
        (None, None) => None,
    };
    let mut info = info.or(of_specification(identity, verbose));
    // The bundle's are these and what the runtime adds itself.
    info.mounts = status.mounts.iter().map(mount).collect();
    if let Some(applied) = status.annotations.get(APPLIED) {
        take_applied(&mut info, applied);
    }
    info
}

fn mount(mount: &CriMount) -> Mount {
    Mount {
        source: mount.host_path.clone(),
        destination: mount.container_path.clone(),
        mode: String::new(),
        writable: !mount.readonly,
        propagation: match mount.propagation {
            1 => "rslave",
            2 => "rshared",
            _ => "private",
        }
        .to_owned(),
    }
}

/// Takes what is true of the whole pod.
fn take_sandbox(info: &mut ContainerInfo, status: PodSandboxStatus, verbose: &Value) {
    let metadata = status.metadata.unwrap_or_default();
    let ip = status.network.map(|network| network.ip);
    let ip = ip.filter(|ip| !ip.is_empty());
    let linux = status.linux.and_then(|linux| linux.namespaces);
    if let Some(options) = linux.and_then(|namespaces| namespaces.options) {
        info.host_network |= options.network == NODE;
        info.host_pid |= options.pid == NODE;
        info.host_ipc |= options.ipc == NODE;
    }
    if info.ip.is_none() {
        info.ip.clone_from(&ip);
    }
    info.cni = match verbose.get("cniResult") {
        Some(result) if !result.is_null() => Some(result.to_string()),
        _ => Some(text(verbose, "/runtimeSpec/annotations/io.kubernetes.cri-o.CNIResult").to_owned()),
    }
    .filter(|result| !result.is_empty());
    info.pod = Some(Pod {
        name: metadata.name,
        namespace: metadata.namespace,
        uid: metadata.uid,
        sandbox_id: status.id,
        labels: status.labels,
        ip,
        service_account: None,
    });
    if let Some(applied) = status.annotations.get(APPLIED) {
        take_applied(info, applied);
    }
}

/// The answer to a question for the status of a container, for tests.
#[cfg(test)]
pub(super) fn encoded_status(id: &str, name: &str, labels: &[(&str, &str)]) -> Vec<u8> {
    let labels = labels
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    let status = ContainerStatus {
        id: id.to_owned(),
        metadata: Some(ContainerMetadata {
            name: name.to_owned(),
        }),
        labels: labels.collect(),
        ..ContainerStatus::default()
    };
    ContainerStatusResponse {
        status: Some(status),
        info: BTreeMap::new(),
    }
    .encode_to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::containers::{CallError, identify};

    const ID: &str = "3ad7b26ded6d2a5b2d5b8a1d1a0a4dd8b9a8c5c2d7d3a6e1f0b4c8d2e6f7a9b1";
    const SANDBOX: &str = "99d7b26ded6d2a5b2d5b8a1d1a0a4dd8b9a8c5c2d7d3a6e1f0b4c8d2e6f7a9b1";

    fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        let pairs = pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        pairs.collect()
    }

    /// A runtime with one pod.
    struct Runtime {
        version: &'static str,
        status: ContainerStatusResponse,
        listed: Vec<ListedContainer>,
        sandbox: PodSandboxStatusResponse,
        image: CriImage,
        asked: Vec<String>,
    }

    impl GrpcCalls for Runtime {
        fn call(
            &mut self,
            method: &str,
            metadata: &[(&'static str, &str)],
            request: &[u8],
        ) -> Result<Vec<u8>, CallError> {
            assert!(metadata.is_empty());
            let method = method
                .strip_prefix(&format!("/{}.", self.version))
                .ok_or(CallError::Failed)?;
            self.asked.push(method.to_owned());
            match method {
                "RuntimeService/ContainerStatus" => {
                    let request = ContainerStatusRequest::decode(request).unwrap();
                    assert!(request.verbose);
                    // As containerd does: the beginning of an identifier is enough.
                    let known = &self.status.status.as_ref().ok_or(CallError::NotFound)?.id;
                    let fits = known.starts_with(&request.container_id);
                    fits.then(|| self.status.encode_to_vec())
                        .ok_or(CallError::NotFound)
                }
                "RuntimeService/ListContainers" => {
                    let filter = ListContainersRequest::decode(request).unwrap().filter.unwrap();
                    assert_eq!(filter.id, ID);
                    let containers = self.listed.clone();
                    Ok(ListContainersResponse { containers }.encode_to_vec())
                }
                "RuntimeService/PodSandboxStatus" => {
                    let request = PodSandboxStatusRequest::decode(request).unwrap();
                    let fits = request.pod_sandbox_id == SANDBOX;
                    fits.then(|| self.sandbox.encode_to_vec())
                        .ok_or(CallError::NotFound)
                }
                "ImageService/ImageStatus" => {
                    let request = ImageStatusRequest::decode(request).unwrap().image.unwrap();
                    let image = (request.image == "sha256:1234").then(|| self.image.clone());
                    Ok(ImageStatusResponse { image }.encode_to_vec())
                }
                other => panic!("{other}"),
            }
        }
    }

    fn runtime() -> Runtime {
        let status = ContainerStatus {
            id: ID.to_owned(),
            metadata: Some(ContainerMetadata {
                name: "app".to_owned(),
            }),
            created_at: 1_700_000_000_000_000_000,
            started_at: 1_700_000_001_000_000_000,
            image: Some(ImageSpec {
                image: "registry.example/shop/cart:2".to_owned(),
            }),
            image_ref: "sha256:1234".to_owned(),
            labels: map(&[
                ("io.kubernetes.container.name", "app"),
                ("io.kubernetes.pod.name", "cart-0"),
                ("io.kubernetes.pod.namespace", "shop"),
            ]),
            annotations: map(&[("io.kubernetes.container.restartCount", "1")]),
            mounts: vec![
                CriMount {
                    container_path: "/data".to_owned(),
                    host_path: "/srv/data".to_owned(),
                    readonly: true,
                    propagation: 1,
                },
                CriMount {
                    container_path: "/host".to_owned(),
                    host_path: "/".to_owned(),
                    readonly: false,
                    propagation: 2,
                },
            ],
            image_id: String::new(),
        };
        let sandbox = PodSandboxStatus {
            id: SANDBOX.to_owned(),
            metadata: Some(PodSandboxMetadata {
                name: "cart-0".to_owned(),
                uid: "1b2c3d4e-0a0b-4c0d-8e0f-1a2b3c4d5e6f".to_owned(),
                namespace: "shop".to_owned(),
            }),
            created_at: 1_699_999_999_000_000_000,
            network: Some(PodSandboxNetwork {
                ip: "10.1.2.3".to_owned(),
            }),
            linux: Some(LinuxPodSandboxStatus {
                namespaces: Some(Namespaces {
                    options: Some(NamespaceOption {
                        network: 0,
                        pid: NODE,
                        ipc: 0,
                    }),
                }),
            }),
            labels: map(&[("app", "cart"), ("tier", "front")]),
            annotations: map(&[(
                APPLIED,
                r#"{"spec": {"serviceAccountName": "cart-account", "containers": [{"name": "app",
                    "livenessProbe": {"exec": {"command": ["cat", "/alive"]}}}]}}"#,
            )]),
        };
        Runtime {
            version: "runtime.v1",
            status: ContainerStatusResponse {
                status: Some(status),
                info: map(&[(
                    "info",
                    &format!(
                        r#"{{"sandboxID": "{SANDBOX}", "config": {{"linux": {{"security_context": {{"privileged": true}}}}}},
                            "runtimeSpec": {{"process": {{"user": {{"uid": 7}}, "env": ["A=b"]}},
                              "mounts": [{{"type": "bind", "source": "/x", "destination": "/y"}}],
                              "linux": {{"namespaces": [{{"type": "pid"}}, {{"type": "ipc"}}, {{"type": "network"}}]}}}}}}"#
                    ),
                )]),
            },
            listed: Vec::new(),
            sandbox: PodSandboxStatusResponse {
                status: Some(sandbox),
                info: map(&[(
                    "info",
                    r#"{"image": "registry.example/pause:3", "cniResult": {"Interfaces": {"lo": {}}}}"#,
                )]),
            },
            image: CriImage {
                id: "sha256:1234".to_owned(),
                repo_tags: vec!["registry.example/shop/cart:2".to_owned()],
                repo_digests: vec![
                    "other.example/cart@sha256:77".to_owned(),
                    "registry.example/shop/cart@sha256:88".to_owned(),
                ],
            },
            asked: Vec::new(),
        }
    }

    fn identity(id: &str) -> Identity {
        let path = format!("/kubepods/burstable/pod1b2c3d4e-0a0b-4c0d-8e0f-1a2b3c4d5e6f/{id}");
        identify(path.as_bytes()).unwrap()
    }

    #[test]
    fn a_container_of_a_pod() {
        let mut runtime = runtime();
        let info = inspect(&mut runtime, &identity(ID)).unwrap();
        assert_eq!(
            (info.name.as_str(), info.repository.as_str(), info.tag.as_str()),
            ("app", "registry.example/shop/cart", "2")
        );
        assert_eq!(
            (info.digest.as_str(), info.image_id.as_str()),
            ("sha256:88", "1234")
        );
        assert_eq!(info.privileged, Some(true));
        assert_eq!((info.user.as_str(), info.environment.len()), ("7", 1));
        assert_eq!(
            (info.host_pid, info.host_network, info.host_ipc),
            (true, false, false)
        );
        assert_eq!(info.created, Some(1_700_000_000_000_000_000));
        assert_eq!(info.started, Some(1_700_000_001_000_000_000));
        assert_eq!(info.ip.as_deref(), Some("10.1.2.3"));
        assert_eq!(info.cni.as_deref(), Some(r#"{"Interfaces":{"lo":{}}}"#));
        assert_eq!(info.labels["io.kubernetes.container.name"], "app");
        assert_eq!(
            info.liveness_probe.as_deref(),
            Some(&["cat".to_owned(), "/alive".to_owned()][..])
        );
        let mounts: Vec<_> = info
            .mounts
            .iter()
            .map(|mount| {
                (
                    &*mount.source,
                    &*mount.destination,
                    mount.writable,
                    &*mount.propagation,
                )
            })
            .collect();
        assert_eq!(
            mounts,
            [
                ("/srv/data", "/data", false, "rslave"),
                ("/", "/host", true, "rshared")
            ]
        );
        assert!(!info.is_sandbox);
        let pod = info.pod.unwrap();
        assert_eq!(
            (pod.name.as_str(), pod.namespace.as_str(), pod.sandbox_id.as_str()),
            ("cart-0", "shop", SANDBOX)
        );
        assert_eq!(pod.uid, "1b2c3d4e-0a0b-4c0d-8e0f-1a2b3c4d5e6f");
        assert_eq!(pod.labels, map(&[("app", "cart"), ("tier", "front")]));
        assert_eq!(pod.ip.as_deref(), Some("10.1.2.3"));
        assert_eq!(pod.service_account.as_deref(), Some("cart-account"));
        assert_eq!(
            runtime.asked,
            [
                "RuntimeService/ContainerStatus",
                "RuntimeService/PodSandboxStatus",
                "ImageService/ImageStatus"
            ]
        );
    }

    #[test]
    fn the_sandbox_of_a_pod() {
        let mut runtime = runtime();
        let info = inspect(&mut runtime, &identity(SANDBOX)).unwrap();
        assert!(info.is_sandbox);
        assert_eq!(
            (info.name.as_str(), info.image.as_str()),
            ("cart-0", "registry.example/pause:3")
        );
        assert_eq!(info.pod.unwrap().namespace, "shop");
    }

    #[test]
    fn a_runtime_that_tells_nothing_beside_the_status() {
        let mut runtime = runtime();
        runtime.version = "runtime.v1alpha2";
        runtime.status.info = map(&[("info", "no JSON")]);
        runtime.listed = vec![ListedContainer {
            id: ID.to_owned(),
            pod_sandbox_id: SANDBOX.to_owned(),
        }];
        let info = inspect(&mut runtime, &identity(ID)).unwrap();
        assert_eq!(info.pod.unwrap().sandbox_id, SANDBOX);
        assert_eq!(info.privileged, None);
        assert_eq!(info.mounts.len(), 2);
    }

    #[test]
    fn cri_o_says_in_its_own_way_what_is_privileged_and_which_image() {
        let mut runtime = runtime();
        runtime.status.info = map(&[(
            "info",
            &format!(
                r#"{{"sandboxID": "{SANDBOX}", "privileged": false, "runtimeSpec": {{"linux": {{}}}}}}"#
            ),
        )]);
        runtime.sandbox.info = map(&[(
            "info",
            r#"{"runtimeSpec": {"annotations": {"io.kubernetes.cri-o.CNIResult": "{\"cniVersion\":\"1.0.0\"}"}}}"#,
        )]);
        let status = runtime.status.status.as_mut().unwrap();
        status.image_ref = "registry.example/shop/cart@sha256:99".to_owned();
        status.image_id = "abcd".to_owned();
        let info = inspect(&mut runtime, &identity(ID)).unwrap();
        assert_eq!(info.privileged, Some(false));
        assert_eq!(
            (info.digest.as_str(), info.image_id.as_str()),
            ("sha256:99", "abcd")
        );
        assert_eq!(info.cni.as_deref(), Some(r#"{"cniVersion":"1.0.0"}"#));
        // Nothing was left to ask of the image.
        assert_eq!(runtime.asked.len(), 2);
    }

    #[test]
    fn another_container_whose_identifier_only_begins_so_is_not_taken() {
        let mut runtime = runtime();
        let short = Identity {
            full_id: ID[..4].to_owned(),
            ..Identity::default()
        };
        assert_eq!(inspect(&mut runtime, &short), Err(CallError::NotFound));
        let unknown = identity(&"f".repeat(64));
        assert_eq!(inspect(&mut runtime, &unknown), Err(CallError::NotFound));
    }

    struct Garbage(Vec<u8>);

    impl GrpcCalls for Garbage {
        fn call(&mut self, _: &str, _: &[(&'static str, &str)], _: &[u8]) -> Result<Vec<u8>, CallError> {
            Ok(self.0.clone())
        }
    }

    proptest::proptest! {
        /// A status whose texts and JSON are anything is read without a panic, and is the container that was asked for.
        #[test]
        fn any_status_is_read(name in ".*", image in ".*", info in r#"[{}\[\]":,a-z0-9]*"#, labels in ".*", bytes: Vec<u8>) {
            let mut runtime = runtime();
            runtime.status.info = map(&[("info", &info)]);
            runtime.sandbox.info = map(&[("info", &labels)]);
            if let Some(status) = &mut runtime.status.status {
                status.metadata = Some(ContainerMetadata { name });
                status.image_ref.clone_from(&image);
                status.image = Some(ImageSpec { image });
                status.labels = map(&[("io.kubernetes.pod.name", &labels)]);
                status.annotations = map(&[(APPLIED, &labels)]);
            }
            proptest::prop_assert_eq!(inspect(&mut runtime, &identity(ID)).map(|info| info.full_id), Ok(ID.to_owned()));
            proptest::prop_assert!(inspect(&mut Garbage(bytes), &identity(ID)).is_err());
        }
    }

    #[test]
    fn garbage_is_no_answer() {
        for (bytes, error) in [
            (vec![0xff; 64], CallError::Failed),
            (vec![0x0a, 0xff, 0xff, 0xff, 0x7f], CallError::Failed),
            (Vec::new(), CallError::NotFound),
        ] {
            assert_eq!(inspect(&mut Garbage(bytes), &identity(ID)), Err(error));
        }
    }
}
