//! Docker's engine interface, which Podman speaks too: what an image is made of, and its export as one stream.

use super::runtime_folder;
use crate::network::{Paced, RemoteError, RemoteErrorKind, quoted, stalled};
use http::StatusCode;
use model::{Digest, Problem};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

/// Largest answer about an image, in bytes.
const MAX_ANSWER_BYTES: u64 = 16 * 1024 * 1024;
/// Largest certificate or key file, in bytes.
const MAX_PEM_BYTES: u64 = 1024 * 1024;
/// Before an export starts the daemon may pack the whole image; it is given this many times the usual patience.
const EXPORT_PATIENCE: u32 = 10;
/// What an image's name may hold in a URL's path as it is.
const PATH: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'/')
    .remove(b':')
    .remove(b'@');

/// Which daemon is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    Docker,
    Podman,
}

impl fmt::Display for Engine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Docker => "Docker",
            Self::Podman => "Podman",
        })
    }
}

/// Where a daemon listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Address {
    Socket(PathBuf),
    Tcp {
        url: String,
        certificates: Option<PathBuf>,
    },
}

impl Address {
    /// False for a socket that is not there; what is on the network shows when it is asked.
    pub(crate) fn exists(&self) -> bool {
        match self {
            Self::Socket(path) => path.exists(),
            Self::Tcp { .. } => true,
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Socket(path) => write!(formatter, "{}", path.display()),
            Self::Tcp { url, .. } => formatter.write_str(url),
        }
    }
}

/// The places where an engine may listen, best first. One that was named outright is the only one.
///
/// # Errors
/// An address of a kind that is not supported.
pub(crate) fn addresses(
    engine: Engine,
    given: Option<&str>,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<Vec<Address>, RemoteError> {
    let variable = |name: &str| environment(name).filter(|value| !value.is_empty());
    let named = given.map(str::to_owned).or_else(|| match engine {
        Engine::Docker => variable("DOCKER_HOST"),
        Engine::Podman => variable("CONTAINER_HOST"),
    });
    if let Some(named) = named {
        return Ok(vec![parse_address(&named, environment)?]);
    }
    let runtime = runtime_folder(environment);
    let sockets = match engine {
        Engine::Docker => vec![
            Some(PathBuf::from("/var/run/docker.sock")),
            runtime.map(|folder| folder.join("docker.sock")),
            variable("HOME").map(|home| Path::new(&home).join(".docker/run/docker.sock")),
        ],
        Engine::Podman => vec![
            runtime.map(|folder| folder.join("podman/podman.sock")),
            Some(PathBuf::from("/run/podman/podman.sock")),
        ],
    };
    Ok(sockets.into_iter().flatten().map(Address::Socket).collect())
}

fn parse_address(text: &str, environment: &dyn Fn(&str) -> Option<String>) -> Result<Address, RemoteError> {
    if let Some(path) = text.strip_prefix("unix://") {
        return Ok(Address::Socket(PathBuf::from(path)));
    }
    if text.starts_with('/') {
        return Ok(Address::Socket(PathBuf::from(text)));
    }
    if let Some(authority) = text.strip_prefix("tcp://") {
        let verify = environment("DOCKER_TLS_VERIFY").is_some_and(|value| !value.is_empty());
        let certificates = verify.then(|| {
            environment("DOCKER_CERT_PATH")
                .filter(|path| !path.is_empty())
                .map_or_else(
                    || Path::new(&environment("HOME").unwrap_or_default()).join(".docker"),
                    PathBuf::from,
                )
        });
        let scheme = if verify { "https" } else { "http" };
        let authority = authority.trim_end_matches('/');
        let bare = crate::network::authority_host(authority).len() == authority.len();
        let port = match (bare, verify) {
            (false, _) => "",
            (true, true) => ":2376",
            (true, false) => ":2375",
        };
        return Ok(Address::Tcp {
            url: format!("{scheme}://{authority}{port}"),
            certificates,
        });
    }
    if text.starts_with("http://") || text.starts_with("https://") {
        return Ok(Address::Tcp {
            url: text.trim_end_matches('/').to_owned(),
            certificates: None,
        });
    }
    Err(RemoteError::new(
        RemoteErrorKind::Unreachable,
        format!("the daemon's address `{text}` is of a kind that is not supported"),
    )
    .with_hint("use unix://PATH or tcp://HOST:PORT; for ssh, forward the socket with `ssh -L`"))
}

/// A daemon that can be asked.
pub(crate) struct Daemon {
    engine: Engine,
    address: Address,
    agent: ureq::Agent,
    patient_agent: ureq::Agent,
    base: String,
    stall_timeout: Duration,
}

/// What the daemon says of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Description {
    /// As the daemon wants it in further questions.
    pub(crate) id: String,
    /// Digest of the configuration, or of the manifest where the daemon keeps images in containerd's store.
    pub(crate) image_id: Option<Digest>,
    /// Digest under which a registry knows it.
    pub(crate) digest: Option<Digest>,
    /// `linux/amd64`
    pub(crate) platform: String,
    pub(crate) references: Vec<String>,
    /// Digests of the uncompressed layers, lowest first.
    pub(crate) diff_ids: Vec<Digest>,
    /// What made each layer, as many as layers.
    pub(crate) instructions: Vec<Option<String>>,
    /// Sorted.
    pub(crate) labels: Vec<(String, String)>,
    pub(crate) problems: Vec<Problem>,
}

#[derive(Deserialize)]
struct Inspected {
    #[serde(rename = "Id")]
    id: String,
    #[serde(rename = "RepoTags", default)]
    tags: Option<Vec<String>>,
    #[serde(rename = "RepoDigests", default)]
    digests: Option<Vec<String>>,
    #[serde(rename = "Architecture", default)]
    architecture: String,
    #[serde(rename = "Os", default)]
    os: String,
    #[serde(rename = "Variant", default)]
    variant: String,
    #[serde(rename = "RootFS", default)]
    root: RootFs,
    #[serde(rename = "Config", default)]
    config: Option<Config>,
}

#[derive(Default, Deserialize)]
struct RootFs {
    #[serde(rename = "Layers", default)]
    layers: Option<Vec<String>>,
}

#[derive(Default, Deserialize)]
struct Config {
    #[serde(rename = "Labels", default)]
    labels: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
struct HistoryEntry {
    #[serde(rename = "CreatedBy", default)]
    created_by: String,
    #[serde(rename = "Size", default)]
    size: i64,
}

#[derive(Deserialize)]
struct Refusal {
    message: String,
}

impl Daemon {
    /// Prepares to ask; nothing is sent yet.
    ///
    /// # Errors
    /// `Offline` for an address on the network when that is forbidden.
    pub(crate) fn new(
        engine: Engine,
        address: Address,
        offline: bool,
        connect_timeout: Duration,
        stall_timeout: Duration,
    ) -> Result<Self, RemoteError> {
        let config = |patience: u32, tls: ureq::tls::TlsConfig| {
            ureq::Agent::config_builder()
                .http_status_as_error(false)
                .max_redirects(0)
                .max_redirects_will_error(false)
                .proxy(None)
                .user_agent(concat!("hullward/", env!("CARGO_PKG_VERSION")))
                .timeout_connect(Some(connect_timeout))
                .timeout_per_read(Some(stall_timeout.saturating_mul(patience)))
                .timeout_per_write(Some(stall_timeout))
                .timeout_recv_response(Some(stall_timeout.saturating_mul(2 * patience)))
                .max_response_header_size(64 * 1024)
                .input_buffer_size(256 * 1024)
                .tls_config(tls)
                .build()
        };
        let (agent, patient_agent, base) = match &address {
            Address::Socket(path) => {
                let agent = |patience| {
                    let config = config(patience, ureq::tls::TlsConfig::default());
                    socket_agent(path, config, connect_timeout)
                };
                (agent(1)?, agent(EXPORT_PATIENCE)?, "http://daemon".to_owned())
            }
            Address::Tcp { url, certificates } => {
                if offline {
                    return Err(RemoteError::new(
                        RemoteErrorKind::Offline,
                        format!("{engine} at {url} cannot be asked: network use is switched off"),
                    ));
                }
                let tls = match certificates {
                    Some(folder) => client_tls(folder)?,
                    None => ureq::tls::TlsConfig::default(),
                };
                (
                    config(1, tls.clone()).new_agent(),
                    config(EXPORT_PATIENCE, tls).new_agent(),
                    url.clone(),
                )
            }
        };
        Ok(Self {
            engine,
            address,
            agent,
            patient_agent,
            base,
            stall_timeout,
        })
    }

    /// What the image of this name or id is made of.
    ///
    /// # Errors
    /// `NotFound` when the daemon does not have it.
    pub(crate) fn describe(&self, name: &str) -> Result<Description, RemoteError> {
        check_name(name)?;
        let path = format!("/images/{}/json", utf8_percent_encode(name, PATH));
        let inspected: Inspected = self.json(&path, name)?;
        let path = format!("/images/{}/history", utf8_percent_encode(&inspected.id, PATH));
        // Without a history only the layers' origin is unknown.
        match self.json::<Vec<HistoryEntry>>(&path, name) {
            Ok(history) => self.description(inspected, &history),
            Err(error) => {
                let mut description = self.description(inspected, &[])?;
                let message = format!("which instruction made which layer is not known: {error}");
                description.problems.push(Problem::general(message));
                Ok(description)
            }
        }
    }

    /// The image as one `docker save` stream, which starts at the first read of the answer.
    ///
    /// # Errors
    /// When the daemon refuses or does not answer.
    pub(crate) fn export(&self, id: &str) -> Result<Box<dyn Read + Send>, RemoteError> {
        let path = format!("/images/{}/get", utf8_percent_encode(id, PATH));
        let body = self.ask(&self.patient_agent, &path, id)?;
        Ok(Box::new(Paced::new(
            body.into_reader(),
            self.stall_timeout.saturating_mul(EXPORT_PATIENCE),
            self.name(),
        )))
    }

    fn name(&self) -> String {
        format!("{} at {}", self.engine, self.address)
    }

    fn json<T: serde::de::DeserializeOwned>(&self, path: &str, image: &str) -> Result<T, RemoteError> {
        let body = self.ask(&self.agent, path, image)?;
        let bytes = self.bytes(body)?;
        serde_json::from_slice(&bytes).map_err(|error| {
            RemoteError::invalid(format!(
                "{} answered something that is not readable: {error}",
                self.name()
            ))
        })
    }

    fn bytes(&self, body: ureq::Body) -> Result<Vec<u8>, RemoteError> {
        let mut bytes = Vec::new();
        Paced::new(body.into_reader(), self.stall_timeout, self.name())
            .take(MAX_ANSWER_BYTES + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| {
                RemoteError::unreachable(format!("the answer of {} broke off: {error}", self.name()))
            })?;
        if bytes.len() as u64 > MAX_ANSWER_BYTES {
            return Err(RemoteError::invalid(format!(
                "the answer of {} is longer than {MAX_ANSWER_BYTES} bytes",
                self.name()
            )));
        }
        Ok(bytes)
    }

    fn ask(&self, agent: &ureq::Agent, path: &str, image: &str) -> Result<ureq::Body, RemoteError> {
        let response = agent
            .get(format!("{}{path}", self.base))
            .call()
            .map_err(|error| self.explain(&error))?;
        let (parts, body) = response.into_parts();
        if parts.status == StatusCode::OK {
            return Ok(body);
        }
        let said = self.bytes(body).ok().and_then(|bytes| {
            let refusal: Refusal = serde_json::from_slice(&bytes).ok()?;
            Some(quoted(&refusal.message))
        });
        let said = said.map_or_else(String::new, |text| format!(" (`{text}`)"));
        let name = self.name();
        Err(match parts.status.as_u16() {
            404 => RemoteError::new(RemoteErrorKind::NotFound, format!("{name} does not have {image}")),
            401 | 403 => RemoteError::new(RemoteErrorKind::Denied, format!("{name} refused {image}{said}")),
            status => RemoteError::invalid(format!("{name} answered {status} for {image}{said}")),
        })
    }

    fn explain(&self, error: &ureq::Error) -> RemoteError {
        let name = self.name();
        match error {
            ureq::Error::Timeout(_) => RemoteError::unreachable(stalled(&name, self.stall_timeout)),
            ureq::Error::Io(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
                RemoteError::new(
                    RemoteErrorKind::Denied,
                    format!("{name} cannot be asked: this user may not use the socket"),
                )
                .with_hint("run as root or as a member of the socket's group")
            }
            ureq::Error::Io(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => {
                RemoteError::unreachable(format!("{name} is not running: nothing listens there"))
            }
            _ => RemoteError::unreachable(format!(
                "{name} could not be asked: {}",
                error.to_string().trim_start_matches("io: ")
            )),
        }
    }

    fn description(
        &self,
        inspected: Inspected,
        history: &[HistoryEntry],
    ) -> Result<Description, RemoteError> {
        let diff_ids = inspected
            .root
            .layers
            .unwrap_or_default()
            .iter()
            .map(|text| {
                text.parse::<Digest>().map_err(|error| {
                    RemoteError::invalid(format!("{} names a layer badly: {error}", self.name()))
                })
            })
            .collect::<Result<Vec<_>, _>>()?;
        // Podman leaves out the algorithm.
        let image_id = inspected
            .id
            .parse()
            .or_else(|_| format!("sha256:{}", inspected.id).parse())
            .ok();
        let digest = inspected
            .digests
            .iter()
            .flatten()
            .find_map(|text| text.split_once('@')?.1.parse().ok());
        let mut platform = format!("{}/{}", inspected.os, inspected.architecture);
        if !inspected.variant.is_empty() {
            platform = format!("{platform}/{}", inspected.variant);
        }
        let instructions = instructions(history, diff_ids.len());
        Ok(Description {
            id: inspected.id,
            image_id,
            digest,
            platform,
            references: inspected.tags.unwrap_or_default(),
            diff_ids,
            instructions,
            labels: inspected
                .config
                .and_then(|config| config.labels)
                .unwrap_or_default()
                .into_iter()
                .collect(),
            problems: Vec::new(),
        })
    }
}

#[cfg(unix)]
fn socket_agent(
    path: &Path,
    config: ureq::config::Config,
    timeout: Duration,
) -> Result<ureq::Agent, RemoteError> {
    let connector = super::unix::UnixConnector {
        path: path.to_owned(),
        timeout,
    };
    Ok(ureq::Agent::with_parts(config, connector, NoResolver))
}

#[cfg(not(unix))]
fn socket_agent(
    path: &Path,
    _config: ureq::config::Config,
    _timeout: Duration,
) -> Result<ureq::Agent, RemoteError> {
    Err(RemoteError::unreachable(format!(
        "{} is a Unix socket, which this system does not have",
        path.display()
    )))
}

/// A socket needs no name to be looked up.
#[derive(Debug)]
struct NoResolver;

impl Resolver for NoResolver {
    fn resolve(
        &self,
        _uri: &http::Uri,
        _config: &ureq::config::Config,
        _timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let mut addresses = self.empty();
        addresses.push(std::net::SocketAddr::from(([0, 0, 0, 0], 0)));
        Ok(addresses)
    }
}

/// The trust root and client certificate that Docker keeps as `ca.pem`, `cert.pem` and `key.pem`.
fn client_tls(folder: &Path) -> Result<ureq::tls::TlsConfig, RemoteError> {
    use ureq::tls::{Certificate, ClientCert, PrivateKey, RootCerts, TlsConfig};
    let read = |name: &str| {
        crate::files::read(&folder.join(name), MAX_PEM_BYTES).map_err(|error| {
            RemoteError::new(
                RemoteErrorKind::Denied,
                format!("TLS files for the daemon: {}", error.chain()),
            )
        })
    };
    let damaged = |name: &str| {
        RemoteError::new(
            RemoteErrorKind::Denied,
            format!("{} is not a usable PEM file", folder.join(name).display()),
        )
    };
    let root = Certificate::from_pem(&read("ca.pem")?).map_err(|_| damaged("ca.pem"))?;
    let certificate = Certificate::from_pem(&read("cert.pem")?).map_err(|_| damaged("cert.pem"))?;
    let key = PrivateKey::from_pem(&read("key.pem")?).map_err(|_| damaged("key.pem"))?;
    Ok(TlsConfig::builder()
        .root_certs(RootCerts::new_with_certs(&[root]))
        .client_cert(Some(ClientCert::new_with_certs(&[certificate], key)))
        .build())
}

/// Names go into a URL's path, where `..` would lead elsewhere.
fn check_name(name: &str) -> Result<(), RemoteError> {
    let fine = !name.is_empty()
        && name.len() <= 512
        && name.bytes().all(|byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-' | b'/' | b':' | b'@')
        })
        && name
            .split('/')
            .all(|part| !part.is_empty() && part.bytes().any(|byte| byte != b'.'));
    if fine {
        return Ok(());
    }
    Err(RemoteError::invalid(format!(
        "`{}` is not the name or id of an image",
        quoted(name)
    )))
}

/// Finds out which entries of the history (newest first) made the layers (lowest first). The interface does not tell which
/// entries are empty, so this counts: those with a size, or those that are no mere settings. Where neither fits, nothing is said.
fn instructions(history: &[HistoryEntry], layers: usize) -> Vec<Option<String>> {
    let is_setting = |entry: &HistoryEntry| {
        let text = entry
            .created_by
            .trim_start_matches("/bin/sh -c #(nop)")
            .trim_start();
        [
            "ARG",
            "CMD",
            "ENTRYPOINT",
            "ENV",
            "EXPOSE",
            "HEALTHCHECK",
            "LABEL",
            "MAINTAINER",
            "ONBUILD",
            "SHELL",
            "STOPSIGNAL",
            "USER",
            "VOLUME",
        ]
        .iter()
        .any(|word| {
            text.strip_prefix(word)
                .is_some_and(|rest| rest.starts_with([' ', '[']))
        })
    };
    let text = |entry: &HistoryEntry| Some(entry.created_by.clone()).filter(|text| !text.is_empty());
    let oldest_first = || history.iter().rev();
    let sized: Vec<_> = oldest_first().filter(|entry| entry.size > 0).map(text).collect();
    if sized.len() == layers {
        return sized;
    }
    let changing: Vec<_> = oldest_first()
        .filter(|entry| !is_setting(entry))
        .map(text)
        .collect();
    if changing.len() == layers {
        return changing;
    }
    vec![None; layers]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(created_by: &str, size: i64) -> HistoryEntry {
        HistoryEntry {
            created_by: created_by.to_owned(),
            size,
        }
    }

    #[test]
    fn addresses_come_from_the_option_the_environment_or_the_usual_places() {
        let none = |_: &str| None;
        let environment = |name: &str| {
            Some(
                match name {
                    "DOCKER_HOST" => "tcp://build.example",
                    "DOCKER_TLS_VERIFY" => "1",
                    "DOCKER_CERT_PATH" => "/certs",
                    "CONTAINER_HOST" => "unix:///run/p.sock",
                    _ => return None,
                }
                .to_owned(),
            )
        };
        let socket = |path: &str| vec![Address::Socket(PathBuf::from(path))];
        assert_eq!(
            addresses(Engine::Docker, Some("unix:///x.sock"), &environment).unwrap(),
            socket("/x.sock")
        );
        assert_eq!(
            addresses(Engine::Docker, Some("/y.sock"), &environment).unwrap(),
            socket("/y.sock")
        );
        assert_eq!(
            addresses(Engine::Podman, None, &environment).unwrap(),
            socket("/run/p.sock")
        );
        assert_eq!(
            addresses(Engine::Docker, None, &environment).unwrap(),
            [Address::Tcp {
                url: "https://build.example:2376".to_owned(),
                certificates: Some(PathBuf::from("/certs"))
            }]
        );
        assert_eq!(
            addresses(Engine::Docker, Some("tcp://[::1]:99/"), &none).unwrap(),
            [Address::Tcp {
                url: "http://[::1]:99".to_owned(),
                certificates: None
            }]
        );
        let runtime = |name: &str| (name == "XDG_RUNTIME_DIR").then(|| "/run/user/7".to_owned());
        assert_eq!(
            addresses(Engine::Podman, None, &runtime).unwrap(),
            [
                socket("/run/user/7/podman/podman.sock"),
                socket("/run/podman/podman.sock")
            ]
            .concat()
        );
        assert_eq!(
            addresses(Engine::Docker, None, &runtime).unwrap(),
            [socket("/var/run/docker.sock"), socket("/run/user/7/docker.sock")].concat()
        );
        assert!(addresses(Engine::Docker, Some("ssh://host"), &none).is_err());
    }

    #[test]
    fn names_cannot_leave_their_place_in_the_path() {
        for name in ["alpine", "a/b:1", "sha256:0123", "localhost:5000/a@sha256:00"] {
            assert!(check_name(name).is_ok(), "{name}");
        }
        for name in [
            "",
            "../containers",
            "a/../../x",
            "a?x=1",
            "a#b",
            "a b",
            "a\r\nHost: x",
            "a//b",
            "./a",
            "%2e%2e/a",
        ] {
            assert!(check_name(name).is_err(), "{name}");
        }
    }

    #[test]
    fn the_history_is_laid_beside_the_layers() {
        let history = [
            entry("CMD [\"sh\"]", 0),
            entry("COPY app /app", 10),
            entry("/bin/sh -c #(nop)  ENV A=b", 0),
            entry("ADD rootfs", 100),
        ];
        let both = vec![Some("ADD rootfs".to_owned()), Some("COPY app /app".to_owned())];
        assert_eq!(instructions(&history, 2), both);
        let with_empty_layer = [
            entry("CMD [\"sh\"]", 0),
            entry("RUN true", 0),
            entry("ADD rootfs", 100),
        ];
        assert_eq!(
            instructions(&with_empty_layer, 2),
            [Some("ADD rootfs".to_owned()), Some("RUN true".to_owned())]
        );
        assert_eq!(instructions(&history, 3), [None, None, None]);
        assert_eq!(instructions(&[], 1), [None]);
        assert_eq!(instructions(&[entry("", 5)], 1), [None]);
    }

    #[cfg(unix)]
    mod sockets {
        use super::*;
        use testkit::http::{Answer, Ending, Request, Server};

        const DIFF_ID: &str = "sha256:ab00000000000000000000000000000000000000000000000000000000000000";

        /// Talks to a fake daemon that answers so.
        fn with_daemon<T>(
            handler: impl Fn(&Request) -> Answer + Send + Sync + 'static,
            use_it: impl FnOnce(&Daemon) -> T,
        ) -> (T, Vec<Request>) {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("docker.sock");
            let server = Server::start_unix(&path, handler);
            let daemon = Daemon::new(
                Engine::Docker,
                Address::Socket(path),
                true,
                Duration::from_secs(20),
                Duration::from_millis(500),
            )
            .unwrap();
            (use_it(&daemon), server.requests())
        }

        fn refused(handler: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> RemoteError {
            with_daemon(handler, |daemon| daemon.describe("alpine"))
                .0
                .unwrap_err()
        }

        #[test]
        fn an_image_is_described_and_exported() {
            let handler = |asked: &Request| match asked.target.as_str() {
                "/images/alpine:3/json" => Answer::new(
                    200,
                    format!(
                        r#"{{"Id":"{DIFF_ID}","RepoTags":["alpine:3"],"RepoDigests":["alpine@{DIFF_ID}"],"Os":"linux","Architecture":"arm64","Variant":"v8","RootFS":{{"Type":"layers","Layers":["{DIFF_ID}"]}},"Config":{{"Labels":{{"b":"2","a":"1"}}}}}}"#
                    ),
                ),
                target if target.ends_with("/history") => Answer::new(
                    200,
                    r#"[{"CreatedBy":"CMD [\"sh\"]","Size":0},{"CreatedBy":"ADD x /","Size":7}]"#,
                ),
                target if target == format!("/images/{DIFF_ID}/get") => Answer::new(200, "the archive"),
                _ => Answer::new(404, r#"{"message":"no"}"#),
            };
            let ((description, archive), _) = with_daemon(handler, |daemon| {
                let description = daemon.describe("alpine:3").unwrap();
                let mut archive = String::new();
                daemon
                    .export(&description.id)
                    .unwrap()
                    .read_to_string(&mut archive)
                    .unwrap();
                (description, archive)
            });
            assert_eq!(archive, "the archive");
            assert_eq!(description.problems, []);
            assert_eq!(description.platform, "linux/arm64/v8");
            assert_eq!(description.references, ["alpine:3"]);
            assert_eq!(description.image_id, Some(DIFF_ID.parse().unwrap()));
            assert_eq!(description.digest, Some(DIFF_ID.parse().unwrap()));
            assert_eq!(description.diff_ids, [DIFF_ID.parse().unwrap()]);
            assert_eq!(description.instructions, [Some("ADD x /".to_owned())]);
            assert_eq!(
                description.labels,
                [("a".to_owned(), "1".to_owned()), ("b".to_owned(), "2".to_owned())]
            );
        }

        #[test]
        fn a_history_that_is_not_to_be_had_is_a_problem() {
            let handler = |asked: &Request| match asked.target.as_str() {
                "/images/a/json" => Answer::new(
                    200,
                    format!(r#"{{"Id":"x","RootFS":{{"Layers":["{DIFF_ID}"]}}}}"#),
                ),
                _ => Answer::new(500, r#"{"message":"broken"}"#),
            };
            let (description, _) = with_daemon(handler, |daemon| daemon.describe("a").unwrap());
            assert_eq!(description.instructions, [None]);
            assert_eq!(description.problems.len(), 1);
            assert!(
                description.problems[0].message.contains("broken"),
                "{:?}",
                description.problems
            );
        }

        #[test]
        fn an_unknown_image_is_not_found() {
            let error = refused(|_| Answer::new(404, r#"{"message":"No such image: alpine:latest"}"#));
            assert_eq!(error.kind(), RemoteErrorKind::NotFound);
            assert!(error.to_string().contains("does not have alpine"), "{error}");
        }

        #[test]
        fn a_daemon_that_stops_answering_ends_after_the_limit() {
            let error = refused(|_| Answer::new(200, "").ending(Ending::Silence));
            assert_eq!(error.kind(), RemoteErrorKind::Unreachable);
            assert!(
                error.to_string().contains("docker.sock stopped answering"),
                "{error}"
            );
        }

        #[test]
        fn an_export_that_breaks_off_is_an_error() {
            let handler = |_: &Request| Answer::new(200, vec![b'x'; 1000]).ending(Ending::CutAfter(100));
            let (result, _) = with_daemon(handler, |daemon| {
                std::io::copy(&mut daemon.export("sha256:1").unwrap(), &mut std::io::sink())
            });
            assert!(result.is_err());
        }

        #[test]
        fn an_export_is_a_stream_that_is_not_held() {
            let handler = |_: &Request| Answer::new(200, vec![b'x'; 1 << 16]).ending(Ending::Endless);
            let (count, _) = with_daemon(handler, |daemon| {
                let mut part = daemon.export("sha256:1").unwrap().take(64 << 20);
                std::io::copy(&mut part, &mut std::io::sink()).unwrap()
            });
            assert_eq!(count, 64 << 20);
        }

        #[test]
        fn an_answer_without_end_is_refused() {
            let error = refused(|_| Answer::new(200, vec![b' '; 1 << 20]).ending(Ending::Endless));
            assert!(error.to_string().contains("longer than"), "{error}");
        }

        #[test]
        fn garbage_is_an_error() {
            for garbage in [
                &b"\x00\xff\x16garbage\r\n\r\n"[..],
                b"HTTP/1.1 banana\r\n\r\n",
                b"",
            ] {
                let error = refused(move |_| Answer::new(200, garbage).ending(Ending::Raw));
                assert_eq!(error.kind(), RemoteErrorKind::Unreachable, "{error}");
            }
            for body in [
                "",
                "[]",
                "{",
                r#"{"Id":"x","RootFS":{"Layers":["../../etc"]}}"#,
                r#"{"Id":7}"#,
            ] {
                let error = refused(move |_| Answer::new(200, body));
                assert_eq!(error.kind(), RemoteErrorKind::Invalid, "{body}: {error}");
            }
        }

        #[test]
        fn what_the_daemon_says_is_made_printable() {
            let error = refused(|_| Answer::new(500, r#"{"message":"bad \u001b[31mthing"}"#));
            assert!(error.to_string().contains("`bad \\x1b[31mthing`"), "{error}");
        }
    }
}
