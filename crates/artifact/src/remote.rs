//! Images by name: from one registry or daemon that was named, or from wherever a bare name is found first.

use crate::ArtifactError;
use crate::daemon::containerd::Containerd;
use crate::daemon::docker::{self, Address, Daemon, Description, Engine};
use crate::image::{Image, ImageInfo, LayerInfo};
use crate::network::{ClientOptions, RemoteError, RemoteErrorKind};
use crate::options::OpenOptions;
use crate::reference::Reference;
use crate::registry::Repository;
use crate::source::{
    BlobSource, Descriptor, Platform, Root, StreamSource, image_from_blobs, image_from_stream,
};
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
    let addresses = docker::addresses(engine, options.docker_host.as_deref(), &environment)?;
    let (there, absent): (Vec<_>, Vec<_>) = addresses.into_iter().partition(Address::exists);
    if there.is_empty() {
        let absent: Vec<String> = absent.iter().map(ToString::to_string).collect();
        let message = format!("there is no {engine} socket at {}", absent.join(" or "));
        return Err(RemoteError::new(RemoteErrorKind::NotFound, message).into());
    }
    let mut failures: Vec<RemoteError> = Vec::new();
    for address in there {
        let (connect, stall) = (options.limits.connect_timeout, options.limits.stall_timeout);
        let attempt = Daemon::new(engine, address, options.offline, connect, stall)
            .and_then(|daemon| Ok((daemon.describe(name)?, daemon)));
        match attempt {
            Ok((description, daemon)) => return exported(description, daemon, name, options),
            Err(error) => failures.push(error),
        }
    }
    let message = failures
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("; ");
    // One that refuses or stalls may well have the image, so it decides what kind of failure this is.
    let telling = failures
        .iter()
        .find(|error| error.kind() != RemoteErrorKind::NotFound);
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
    if let (Some(wanted), Ok(have)) = (&options.platform, Platform::parse(&description.platform))
        && Platform::parse(wanted)?.distance(&have).is_none()
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
        problems: description.problems,
    };
    let source = Export {
        daemon,
        id: description.id,
    };
    Ok(image_from_stream(Arc::new(source), known, options))
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
    error = error.with_hint(hint.unwrap_or_else(|| {
        "a file or folder is named by its path; prefixes make it explicit: registry: docker: podman: containerd: \
         archive: oci: dir: rootfs: sbom:"
            .to_owned()
    }));
    Err(error.into())
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[cfg(unix)]
    mod docker {
        use super::*;
        use std::time::Duration;
        use testkit::http::{Answer, Ending, Request, Server};

        struct Nothing;

        impl crate::LayerVisitor for Nothing {
            fn wants(&mut self, _entry: &model::Entry<'_>) -> bool {
                false
            }

            fn file(&mut self, _entry: &model::Entry<'_>, _content: Box<dyn model::Content>) {}
        }

        /// Opens `app:1` of a Docker whose export is so, and walks these layers; the problems, and what Docker was asked.
        fn walk(export: Answer, wanted: &[u32]) -> (Vec<String>, Vec<Request>) {
            let folder = tempfile::tempdir().unwrap();
            let socket = folder.path().join("docker.sock");
            let diff_id = format!("sha256:{}", "1".repeat(64));
            let server = Server::start_unix(&socket, move |asked| match asked.target.as_str() {
                target if target.ends_with("/json") => Answer::new(
                    200,
                    format!(
                        r#"{{"Id":"{diff_id}","Os":"linux","Architecture":"amd64","RootFS":{{"Layers":["{diff_id}"]}}}}"#
                    ),
                ),
                target if target.ends_with("/history") => Answer::new(200, "[]"),
                _ => export.clone(),
            });
            let mut options = OpenOptions {
                docker_host: Some(format!("unix://{}", socket.display())),
                offline: true,
                ..OpenOptions::default()
            };
            options.limits.stall_timeout = Duration::from_millis(50);
            let image = from_anywhere("app:1", &options).unwrap();
            let walked = image.walk(wanted, 1, &|| Nothing);
            assert!(walked.iter().all(|walked| !walked.complete));
            let problems = walked
                .iter()
                .flat_map(|walked| &walked.problems)
                .map(ToString::to_string)
                .collect();
            (problems, server.requests())
        }

        #[test]
        fn an_image_whose_layers_are_all_known_is_not_exported() {
            let (problems, asked) = walk(Answer::new(500, ""), &[]);
            assert_eq!(problems, [""; 0]);
            assert!(
                asked.iter().all(|request| !request.target.ends_with("/get")),
                "{asked:?}"
            );
        }

        #[test]
        fn an_export_that_fails_is_a_problem_of_its_layer() {
            let garbage = "not a tar archive, and it goes on and on ".repeat(1000);
            for (export, expected) in [
                (
                    Answer::new(500, r#"{"message":"no space left"}"#),
                    "no space left",
                ),
                (Answer::new(200, "").ending(Ending::Silence), "stopped answering"),
                (Answer::new(200, garbage).ending(Ending::Endless), "was not read"),
                (
                    Answer::new(200, vec![0; 5000]).ending(Ending::CutAfter(100)),
                    "was not read",
                ),
                (Answer::new(200, ""), "no layer with this digest"),
            ] {
                let (problems, asked) = walk(export, &[0]);
                assert_eq!(problems.len(), 1, "{problems:?}");
                assert!(problems[0].contains(expected), "{problems:?}");
                assert!(asked.iter().any(|request| request.target.ends_with("/get")));
            }
        }

        #[test]
        fn a_bare_name_that_no_daemon_has_comes_from_its_registry() {
            let mut store = testkit::registry::Store::default();
            let config = br#"{"os":"linux","architecture":"amd64","rootfs":{"type":"layers","diff_ids":[]}}"#;
            let digest = store.blob(&config[..]);
            let manifest = format!(
                r#"{{"schemaVersion":2,"config":{{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{digest}","size":{}}},"layers":[]}}"#,
                config.len()
            );
            store.manifest("1", "application/vnd.oci.image.manifest.v1+json", manifest);
            let registry = Server::start(move |asked| store.answer(asked));
            let folder = tempfile::tempdir().unwrap();
            let socket = folder.path().join("docker.sock");
            let docker = Server::start_unix(&socket, |_| Answer::new(404, r#"{"message":"no"}"#));
            let options = OpenOptions {
                docker_host: Some(format!("unix://{}", socket.display())),
                containerd_address: Some("/nowhere/containerd.sock".to_owned()),
                platform: Some("linux/amd64".to_owned()),
                ..OpenOptions::default()
            };
            let name = format!("{}/app:1", registry.authority());
            let image = from_anywhere(&name, &options).unwrap();
            assert_eq!(image.info.image_id.unwrap().to_string(), digest);
            assert_eq!(docker.requests().len(), 1);
        }
    }
}
