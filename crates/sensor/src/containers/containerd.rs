//! containerd's own interface, for containers that `ctr`, nerdctl and others made without Kubernetes.

use super::calls::{CallError, GrpcCalls, call};
use super::files::oci_description;
use super::{ContainerInfo, Identity};
use prost::Message;
use serde_json::Value;
use std::collections::BTreeMap;

#[derive(Clone, PartialEq, Message)]
struct GetContainerRequest {
    #[prost(string, tag = "1")]
    id: String,
}

/// `google.protobuf.Any`
#[derive(Clone, PartialEq, Message)]
struct Any {
    #[prost(bytes = "vec", tag = "2")]
    value: Vec<u8>,
}

/// `google.protobuf.Timestamp`
#[derive(Clone, PartialEq, Message)]
struct Timestamp {
    #[prost(int64, tag = "1")]
    seconds: i64,
    #[prost(int32, tag = "2")]
    nanos: i32,
}

#[derive(Clone, PartialEq, Message)]
struct Container {
    #[prost(string, tag = "1")]
    id: String,
    #[prost(btree_map = "string, string", tag = "2")]
    labels: BTreeMap<String, String>,
    #[prost(string, tag = "3")]
    image: String,
    /// The bundle's configuration, as JSON.
    #[prost(message, optional, tag = "5")]
    spec: Option<Any>,
    #[prost(message, optional, tag = "8")]
    created_at: Option<Timestamp>,
}

#[derive(Clone, PartialEq, Message)]
struct GetContainerResponse {
    #[prost(message, optional, tag = "1")]
    container: Option<Container>,
}

#[derive(Clone, PartialEq, Message)]
struct GetImageRequest {
    #[prost(string, tag = "1")]
    name: String,
}

#[derive(Clone, PartialEq, Message)]
struct Descriptor {
    #[prost(string, tag = "2")]
    digest: String,
}

#[derive(Clone, PartialEq, Message)]
struct Image {
    #[prost(message, optional, tag = "3")]
    target: Option<Descriptor>,
}

#[derive(Clone, PartialEq, Message)]
struct GetImageResponse {
    #[prost(message, optional, tag = "1")]
    image: Option<Image>,
}

/// What containerd says of a container, in the first of these namespaces that has it.
pub(super) fn inspect(
    calls: &mut dyn GrpcCalls,
    identity: &Identity,
    namespaces: &[String],
) -> Result<ContainerInfo, CallError> {
    let mut last = CallError::NotFound;
    for namespace in namespaces {
        let metadata = [("containerd-namespace", namespace.as_str())];
        let request = GetContainerRequest {
            id: identity.full_id.clone(),
        };
        let method = "/containerd.services.containers.v1.Containers/Get";
        let answer: GetContainerResponse = match call(calls, method, &metadata, &request) {
            Ok(answer) => answer,
            Err(error) => {
                last = error;
                continue;
            }
        };
        let container = answer
            .container
            .filter(|container| container.id == identity.full_id);
        let Some(container) = container else { continue };
        let mut info = of_container(identity, container);
        if info.digest.is_empty() && !info.image.is_empty() {
            let request = GetImageRequest {
                name: info.image.clone(),
            };
            let method = "/containerd.services.images.v1.Images/Get";
            // Without this answer, the rest is still worth having.
            let answer: Result<GetImageResponse, CallError> = call(calls, method, &metadata, &request);
            let image = answer.ok().and_then(|answer| answer.image);
            if let Some(target) = image.and_then(|image| image.target) {
                info.digest = target.digest;
            }
        }
        return Ok(info);
    }
    Err(last)
}

fn of_container(identity: &Identity, container: Container) -> ContainerInfo {
    let specification = container.spec.unwrap_or_default().value;
    let specification: Value = serde_json::from_slice(&specification).unwrap_or_default();
    let described = if specification.is_object() {
        oci_description(identity, &specification)
    } else {
        ContainerInfo::of(identity)
    };
    let mut info = ContainerInfo::of(identity);
    let name = container
        .labels
        .get("nerdctl/name")
        .filter(|name| !name.is_empty());
    name.unwrap_or(&container.id).clone_into(&mut info.name);
    if !container.image.is_empty() {
        info.set_image(&container.image);
    }
    info.created = container
        .created_at
        .and_then(|time| {
            time.seconds
                .checked_mul(1_000_000_000)?
                .checked_add(time.nanos.into())
        })
        .filter(|time| *time > 0);
    info.labels = container.labels;
    info.or(described)
}
