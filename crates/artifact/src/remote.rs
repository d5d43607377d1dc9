//! Images by name: from one registry or daemon that was named, or from wherever a bare name is found first.

use crate::ArtifactError;
use crate::daemon::containerd::Containerd;
use crate::daemon::docker::{self, Daemon, Description, Engine};
use crate::image::{Image, ImageInfo, LayerInfo};
use crate::network::{ClientOptions, RemoteError, RemoteErrorKind};
use crate::options::OpenOptions;
use crate::reference::Reference;
use crate::registry::Repository;
use crate::source::{BlobSource, Descriptor, Root, StreamSource, image_from_blobs, image_from_stream};
use std::io::Read;
use std::sync::Arc;

fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn parse(name: &str) -> Result<Reference, ArtifactError> {
    Reference::parse(name).map_err(|error| ArtifactError::Name {
        text: name.to_owned(),
        why: error.reason().to_owned(),
    })
}

/// An image of a registry. Only its manifests and configuration are fetched now.
pub(crate) fn from_registry(name: &str, options: &OpenOptions) -> Result<Image, ArtifactError> {
    let reference = parse(name)?;
    let client = ClientOptions::from(options);
    let (repository, manifest) =
        Repository::open(&reference, client, options.credentials.clone(), &environment)?;
    let root = Root::Bytes {
        media_type: manifest.media_type.unwrap_or_default(),
        bytes: manifest.bytes,
    };
    image_from_blobs(
        root,
        Arc::new(RegistrySource(repository)),
        &reference.to_string(),
        options,
    )
}

struct RegistrySource(Arc<Repository>);

impl BlobSource for RegistrySource {
    fn open(&self, descriptor: &Descriptor) -> Result<Box<dyn Read + Send>, ArtifactError> {
        let is_manifest = matches!(
            descriptor.media_type.as_str(),
            "application/vnd.oci.image.index.v1+json"
                | "application/vnd.oci.image.manifest.v1+json"
                | "application/vnd.docker.distribution.manifest.list.v2+json"
                | "application/vnd.docker.distribution.manifest.v2+json"
        );
        if is_manifest {
            let manifest = self.0.manifest(Some(&descriptor.digest))?;
            return Ok(Box::new(std::io::Cursor::new(manifest.bytes)));
        }
        Ok(Box::new(self.0.blob(&descriptor.digest, descriptor.size)?))
    }
}

/// An image that Docker holds, by name or id.
pub(crate) fn from_docker(name: &str, options: &OpenOptions) -> Result<Image, ArtifactError> {
    from_engine(Engine::Docker, name, options)
}

/// An image that Podman holds, by name or id.
pub(crate) fn from_podman(name: &str, options: &OpenOptions) -> Result<Image, ArtifactError> {
    from_engine(Engine::Podman, name, options)
}

/// Asks the places where the engine may listen, one after the other; the first that has the image gives it.
fn from_engine(engine: Engine, name: &str, options: &OpenOptions) -> Result<Image, ArtifactError> {
    let mut failures: Vec<RemoteError> = Vec::new();
    for address in docker::addresses(engine, options.docker_host.as_deref(), &environment)? {
        let attempt = Daemon::new(
            engine,
            address,
            options.offline,
            options.limits.connect_timeout,
            options.limits.stall_timeout,
        )
        .and_then(|daemon| Ok((daemon.describe(name)?, daemon)));
        match attempt {
            Ok((description, daemon)) => return exported(description, daemon, name, options),
            Err(error) => failures.push(error),
        }
    }
    // A daemon that answered tells more than a socket that does not exist.
    let message = failures
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("; ");
    let telling = failures
        .iter()
        .find(|error| error.kind() != RemoteErrorKind::NotFound)
        .or_else(|| failures.last());
    let mut error = RemoteError::new(
        telling.map_or(RemoteErrorKind::NotFound, RemoteError::kind),
        message,
    );
    if let Some(hint) = telling.and_then(RemoteError::hint) {
        error = error.with_hint(hint);
    }
    Err(error.into())
}

fn exported(
    description: Description,
    daemon: Daemon,
    name: &str,
    options: &OpenOptions,
) -> Result<Image, ArtifactError> {
    if let Some(wanted) = &options.platform
        && !platform_fits(wanted, &description.platform)
    {
        return Err(ArtifactError::Platform {
            what: format!("image `{name}` of the daemon"),
            wanted: wanted.clone(),
            available: vec![description.platform],
        });
    }
    let layers = description
        .diff_ids
        .into_iter()
        .zip(description.instructions)
        .map(|(diff_id, instruction)| LayerInfo {
            diff_id,
            blob: None,
            size: 0,
            instruction,
        })
        .collect();
    let known = ImageInfo {
        digest: description.digest,
        image_id: description.image_id,
        platform: Some(description.platform),
        references: description.references,
        layers,
        labels: description.labels,
        problems: Vec::new(),
    };
    let source = Export {
        daemon,
        id: description.id,
    };
    image_from_stream(Arc::new(source), Some(known), None, name, options)
}

/// A variant that only one of the two names does not matter.
fn platform_fits(wanted: &str, have: &str) -> bool {
    let mut wanted = wanted.split('/');
    let mut have = have.split('/');
    loop {
        match (wanted.next(), have.next()) {
            (Some(wanted), Some(have)) if wanted != have => return false,
            (Some(_), Some(_)) => {}
            _ => return true,
        }
    }
}

struct Export {
    daemon: Daemon,
    id: String,
}

impl StreamSource for Export {
    fn open(&self) -> Result<Box<dyn Read + Send>, ArtifactError> {
        Ok(self.daemon.export(&self.id)?)
    }
}

/// An image in containerd's content store.
pub(crate) fn from_containerd(name: &str, options: &OpenOptions) -> Result<Image, ArtifactError> {
    let daemon = Containerd::find(
        options.containerd_address.as_deref(),
        &environment,
        options.limits.stall_timeout,
    )?;
    let (store, target) = daemon.image(&containerd_names(name)?, options.containerd_namespace.as_deref())?;
    let root = Root::Descriptor(target.into_descriptor()?);
    image_from_blobs(root, Arc::new(store), name, options)
}

/// As given, as other tools complete it, and as Kubernetes keeps images that are named by digest.
fn containerd_names(name: &str) -> Result<Vec<String>, ArtifactError> {
    let mut names = Vec::new();
    match Reference::parse(name) {
        Ok(reference) => {
            names.push(reference.to_string());
            if let (Some(_), Some(digest)) = (reference.tag(), reference.digest()) {
                names.push(format!(
                    "{}/{}@{digest}",
                    reference.registry(),
                    reference.repository()
                ));
            }
        }
        // containerd takes any text for a name.
        Err(_) if !name.is_empty() && name.len() <= 1024 => {}
        Err(error) => {
            return Err(ArtifactError::Name {
                text: name.to_owned(),
                why: error.reason().to_owned(),
            });
        }
    }
    if !names.iter().any(|known| known == name) {
        names.push(name.to_owned());
    }
    Ok(names)
}

/// An image by its bare name: Docker, Podman, containerd, the registry; the first that has it.
pub(crate) fn from_anywhere(name: &str, options: &OpenOptions) -> Result<Image, ArtifactError> {
    parse(name)?;
    type Opener = fn(&str, &OpenOptions) -> Result<Image, ArtifactError>;
    let places: [(&str, Opener); 4] = [
        ("Docker", from_docker),
        ("Podman", from_podman),
        ("containerd", from_containerd),
        ("registry", from_registry),
    ];
    let mut tried = Vec::new();
    let mut kind = RemoteErrorKind::NotFound;
    let mut hint = None;
    for (place, open) in places {
        // An address that was given was asked as Docker's already.
        let options = match place {
            "Podman" => &OpenOptions {
                docker_host: None,
                ..options.clone()
            },
            _ => options,
        };
        match open(name, options) {
            Ok(image) => return Ok(image),
            Err(error) => {
                tried.push(format!("{place}: {}", error.chain()));
                // The registry comes last, and is what can be helped most often.
                hint = error.hint().or(hint);
                if let ArtifactError::Remote(remote) = &error {
                    kind = remote.kind();
                }
            }
        }
    }
    let mut error = RemoteError::new(
        kind,
        format!("image `{name}` was found nowhere ({})", tried.join("; ")),
    );
    if let Some(hint) = hint {
        error = error.with_hint(hint);
    }
    Err(error.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn platforms_fit_without_their_variants() {
        for (wanted, have, fits) in [
            ("linux/amd64", "linux/amd64", true),
            ("linux/arm64", "linux/arm64/v8", true),
            ("linux/arm/v7", "linux/arm", true),
            ("linux/arm/v7", "linux/arm/v6", false),
            ("linux/amd64", "linux/arm64", false),
            ("windows/amd64", "linux/amd64", false),
        ] {
            assert_eq!(platform_fits(wanted, have), fits, "{wanted} {have}");
        }
    }

    #[test]
    fn containerd_is_asked_for_every_form_of_a_name() {
        let digest = format!("sha256:{}", "a".repeat(64));
        assert_eq!(
            containerd_names("alpine").unwrap(),
            ["docker.io/library/alpine:latest", "alpine"]
        );
        assert_eq!(containerd_names("ghcr.io/a/b:1").unwrap(), ["ghcr.io/a/b:1"]);
        assert_eq!(
            containerd_names(&format!("alpine:3@{digest}")).unwrap(),
            [
                format!("docker.io/library/alpine:3@{digest}"),
                format!("docker.io/library/alpine@{digest}"),
                format!("alpine:3@{digest}")
            ]
        );
        assert_eq!(containerd_names("My Image").unwrap(), ["My Image"]);
        assert!(containerd_names("").is_err());
    }

    #[test]
    fn an_image_that_is_nowhere_lists_every_place_and_why() {
        let options = OpenOptions {
            offline: true,
            docker_host: Some("unix:///nowhere/docker.sock".to_owned()),
            ..OpenOptions::default()
        };
        let error = from_anywhere("surely.invalid/nothing:1", &options).err().unwrap();
        let text = error.to_string();
        for part in [
            "image `surely.invalid/nothing:1` was found nowhere",
            "Docker: there is no Docker socket at /nowhere/docker.sock",
            "Podman: ",
            "containerd: ",
            "registry: surely.invalid cannot be asked: network use is switched off",
        ] {
            assert!(text.contains(part), "`{part}` is missing in: {text}");
        }
        assert!(error.hint().is_some_and(|hint| hint.contains("--offline")));
        assert!(from_anywhere("Not A Name", &options).is_err());
    }
}
