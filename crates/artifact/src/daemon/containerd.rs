//! containerd: its image and content services over gRPC.

use super::grpc::{Connection, Incoming, Pace};
use crate::ArtifactError;
use crate::network::{RemoteError, RemoteErrorKind};
use crate::source::{BlobSource, Descriptor};
use bytes::Bytes;
use prost::Message;
use std::io::{self, Read};
use std::path::PathBuf;
use std::time::Duration;

/// Where containerd listens if nothing else is said.
const USUAL_SOCKET: &str = "/run/containerd/containerd.sock";
/// Namespaces that are searched if none is named: `ctr` and nerdctl, Kubernetes, Docker.
const USUAL_NAMESPACES: &[&str] = &["default", "k8s.io", "moby"];

/// `containerd.types.Descriptor`
#[derive(Clone, PartialEq, Message)]
pub(crate) struct ProtoDescriptor {
    #[prost(string, tag = "1")]
    pub(crate) media_type: String,
    #[prost(string, tag = "2")]
    pub(crate) digest: String,
    #[prost(int64, tag = "3")]
    pub(crate) size: i64,
}

/// `containerd.services.images.v1.Image`
#[derive(Clone, PartialEq, Message)]
struct ProtoImage {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(message, optional, tag = "3")]
    target: Option<ProtoDescriptor>,
}

/// `containerd.services.images.v1.GetImageRequest`
#[derive(Clone, PartialEq, Message)]
struct GetImageRequest {
    #[prost(string, tag = "1")]
    name: String,
}

/// `containerd.services.images.v1.GetImageResponse`
#[derive(Clone, PartialEq, Message)]
struct GetImageResponse {
    #[prost(message, optional, tag = "1")]
    image: Option<ProtoImage>,
}

/// `containerd.services.content.v1.InfoRequest`
#[derive(Clone, PartialEq, Message)]
struct InfoRequest {
    #[prost(string, tag = "1")]
    digest: String,
}

/// `containerd.services.content.v1.Info`
#[derive(Clone, PartialEq, Message)]
struct Info {
    #[prost(string, tag = "1")]
    digest: String,
    #[prost(int64, tag = "2")]
    size: i64,
}

/// `containerd.services.content.v1.InfoResponse`
#[derive(Clone, PartialEq, Message)]
struct InfoResponse {
    #[prost(message, optional, tag = "1")]
    info: Option<Info>,
}

/// `containerd.services.content.v1.ReadContentRequest`
#[derive(Clone, PartialEq, Message)]
struct ReadContentRequest {
    #[prost(string, tag = "1")]
    digest: String,
    #[prost(int64, tag = "2")]
    offset: i64,
    #[prost(int64, tag = "3")]
    size: i64,
}

/// `containerd.services.content.v1.ReadContentResponse`
#[derive(Clone, PartialEq, Message)]
struct ReadContentResponse {
    #[prost(int64, tag = "1")]
    offset: i64,
    #[prost(bytes = "bytes", tag = "2")]
    data: Bytes,
}

/// The header that names the namespace of a call.
const NAMESPACE: &str = "containerd-namespace";
const IMAGES_GET: &str = "/containerd.services.images.v1.Images/Get";
const CONTENT_INFO: &str = "/containerd.services.content.v1.Content/Info";
const CONTENT_READ: &str = "/containerd.services.content.v1.Content/Read";

/// Where containerd is and how long it may be silent.
#[derive(Clone, Debug)]
pub(crate) struct Containerd {
    socket: PathBuf,
    stall_timeout: Duration,
}

/// One namespace of containerd's content store.
#[derive(Clone, Debug)]
pub(crate) struct ContentStore {
    daemon: Containerd,
    namespace: String,
}

impl Containerd {
    /// The socket that is given, or of `CONTAINERD_ADDRESS`, or the usual one.
    ///
    /// # Errors
    /// `NotFound` when there is no such socket.
    pub(crate) fn find(
        given: Option<&str>,
        environment: &dyn Fn(&str) -> Option<String>,
        stall_timeout: Duration,
    ) -> Result<Self, RemoteError> {
        let address = given
            .map(str::to_owned)
            .or_else(|| environment("CONTAINERD_ADDRESS"))
            .filter(|address| !address.is_empty())
            .unwrap_or_else(|| USUAL_SOCKET.to_owned());
        let socket = PathBuf::from(address.strip_prefix("unix://").unwrap_or(&address));
        if !socket.exists() {
            return Err(RemoteError::new(
                RemoteErrorKind::NotFound,
                format!("there is no containerd socket at {}", socket.display()),
            ));
        }
        Ok(Self {
            socket,
            stall_timeout,
        })
    }

    /// Looks an image up under all the names it may have, in one namespace or in the usual ones.
    ///
    /// # Errors
    /// `NotFound` with the names and namespaces that were tried.
    pub(crate) fn image(
        &self,
        names: &[String],
        namespace: Option<&str>,
    ) -> Result<(ContentStore, ProtoDescriptor), RemoteError> {
        let namespaces = namespace.map_or_else(|| USUAL_NAMESPACES.to_vec(), |namespace| vec![namespace]);
        let mut connection = self.connect()?;
        for namespace in &namespaces {
            for name in names {
                let request = GetImageRequest { name: name.clone() };
                let answer: GetImageResponse = match unary(&mut connection, IMAGES_GET, namespace, &request) {
                    Ok(answer) => answer,
                    Err(error) if error.kind() == RemoteErrorKind::NotFound => continue,
                    Err(error) => return Err(error),
                };
                if let Some(target) = answer.image.and_then(|image| image.target) {
                    let store = ContentStore {
                        daemon: self.clone(),
                        namespace: (*namespace).to_owned(),
                    };
                    return Ok((store, target));
                }
            }
        }
        Err(RemoteError::new(
            RemoteErrorKind::NotFound,
            format!(
                "containerd at {} does not have {} in namespace {}",
                self.socket.display(),
                names.first().map_or("it", String::as_str),
                namespaces.join(", ")
            ),
        )
        .with_hint("name another namespace with --containerd-namespace; `ctr namespaces list` shows them"))
    }

    fn name(&self) -> String {
        format!("containerd at {}", self.socket.display())
    }

    fn connect(&self) -> Result<Connection, RemoteError> {
        let pace = Pace {
            stall: self.stall_timeout,
            deadline: None,
        };
        Connection::open(&self.socket, &self.name(), pace)
    }
}

/// A call in a namespace with one answer.
fn unary<Answer: Message + Default>(
    connection: &mut Connection,
    method: &str,
    namespace: &str,
    request: &impl Message,
) -> Result<Answer, RemoteError> {
    let answer = connection.call(method, &[(NAMESPACE, namespace)], &request.encode_to_vec())?;
    decode(connection, answer)
}

fn decode<Answer: Message + Default>(connection: &Connection, message: Bytes) -> Result<Answer, RemoteError> {
    Answer::decode(message).map_err(|error| {
        RemoteError::invalid(format!(
            "{} sent a message that is not readable: {error}",
            connection.name()
        ))
    })
}

impl ProtoDescriptor {
    /// As the rest of the crate points to blobs.
    pub(crate) fn into_descriptor(self) -> Result<Descriptor, RemoteError> {
        let digest = self.digest.parse().map_err(|error| {
            RemoteError::invalid(format!("containerd names the image's manifest badly: {error}"))
        })?;
        Ok(Descriptor {
            media_type: self.media_type,
            digest,
            size: u64::try_from(self.size).unwrap_or(0),
            platform: None,
            urls: Vec::new(),
        })
    }
}

impl BlobSource for ContentStore {
    fn open(&self, descriptor: &Descriptor) -> Result<Box<dyn Read + Send>, ArtifactError> {
        let digest = descriptor.digest.to_string();
        let mut connection = self.daemon.connect()?;
        let request = InfoRequest {
            digest: digest.clone(),
        };
        let answer: InfoResponse = unary(&mut connection, CONTENT_INFO, &self.namespace, &request)
            .map_err(|error| self.missing(error, descriptor))?;
        let info = answer.info.unwrap_or_default();
        let size = u64::try_from(info.size).unwrap_or(0);
        let request = ReadContentRequest {
            digest,
            offset: 0,
            size: info.size,
        };
        let incoming = connection.start(
            CONTENT_READ,
            &[(NAMESPACE, &self.namespace)],
            &request.encode_to_vec(),
        )?;
        Ok(Box::new(ContentReader {
            connection,
            incoming,
            current: Bytes::new(),
            position: 0,
            size,
        }))
    }
}

impl ContentStore {
    fn missing(&self, error: RemoteError, descriptor: &Descriptor) -> RemoteError {
        if error.kind() != RemoteErrorKind::NotFound {
            return error;
        }
        RemoteError::new(
            RemoteErrorKind::NotFound,
            format!("{} keeps no blob {} in namespace {}", self.daemon.name(), descriptor.digest, self.namespace),
        )
        .with_hint(
            "containerd drops layers after unpacking if `discard_unpacked_layers` is set, and holds one platform only; \
             scan the image from its registry instead",
        )
    }
}

/// A blob of the content store as it comes in.
struct ContentReader {
    connection: Connection,
    incoming: Incoming,
    current: Bytes,
    position: u64,
    size: u64,
}

impl Read for ContentReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() || self.position >= self.size {
            return Ok(0);
        }
        while self.current.is_empty() {
            let message = self.connection.next(&mut self.incoming)?;
            let part: Option<ReadContentResponse> = message
                .map(|message| decode(&self.connection, message))
                .transpose()?;
            match part {
                Some(part) if u64::try_from(part.offset) != Ok(self.position) => {
                    return Err(RemoteError::invalid(
                        "containerd sent another part of a blob than was asked for",
                    )
                    .into());
                }
                Some(part) => self.current = part.data,
                None => {
                    return Err(io::Error::new(
                        io::ErrorKind::UnexpectedEof,
                        format!(
                            "containerd sent {} of {} bytes of a blob",
                            self.position, self.size
                        ),
                    ));
                }
            }
        }
        let left = usize::try_from(self.size - self.position).unwrap_or(usize::MAX);
        let count = buffer.len().min(self.current.len()).min(left);
        let part = self.current.split_to(count);
        if let Some(target) = buffer.get_mut(..count) {
            target.copy_from_slice(&part);
        }
        self.position += count as u64;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::runtime::{Builder, Runtime};

    #[test]
    fn no_socket_is_not_found() {
        let environment = |_: &str| Some("/nowhere/containerd.sock".to_owned());
        let error = Containerd::find(None, &environment, Duration::from_secs(1)).unwrap_err();
        assert_eq!(error.kind(), RemoteErrorKind::NotFound);
        assert!(error.to_string().contains("/nowhere/containerd.sock"));
    }

    #[cfg(unix)]
    fn against(answer: testkit::http::Answer) -> RemoteError {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("containerd.sock");
        let _server = testkit::http::Server::start_unix(&socket, move |_| answer.clone());
        let address = format!("unix://{}", socket.display());
        let daemon = Containerd::find(Some(&address), &|_| None, Duration::from_millis(300)).unwrap();
        daemon.image(&["alpine".to_owned()], None).unwrap_err()
    }

    #[cfg(unix)]
    #[test]
    fn a_daemon_that_stops_answering_ends_after_the_limit() {
        use testkit::http::{Answer, Ending};
        let error = against(Answer::new(200, "").ending(Ending::Silence));
        assert_eq!(error.kind(), RemoteErrorKind::Unreachable);
        assert!(
            error.to_string().contains("containerd.sock stopped answering"),
            "{error}"
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_daemon_that_speaks_something_else_is_an_error() {
        use testkit::http::{Answer, Ending};
        for garbage in [&b"HTTP/1.1 200 OK\r\n\r\n"[..], &[0xff; 4096], b""] {
            let error = against(Answer::new(200, garbage).ending(Ending::Raw));
            assert_ne!(error.kind(), RemoteErrorKind::NotFound, "{error}");
        }
    }

    /// A containerd that answers each call (method, namespace, request without its length) with messages and a status.
    #[cfg(unix)]
    fn fake(
        socket: &std::path::Path,
        answer: impl Fn(&str, &str, &[u8]) -> (Vec<Vec<u8>>, &'static str) + Send + Sync + 'static,
    ) -> Runtime {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let listener = {
            let _context = runtime.enter();
            tokio::net::UnixListener::bind(socket).unwrap()
        };
        let answer = std::sync::Arc::new(answer);
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let answer = std::sync::Arc::clone(&answer);
                tokio::spawn(async move {
                    let mut connection = h2::server::handshake(stream).await.unwrap();
                    while let Some(Ok((request, mut respond))) = connection.accept().await {
                        let answer = std::sync::Arc::clone(&answer);
                        tokio::spawn(async move {
                            let (head, mut body) = request.into_parts();
                            let mut bytes = Vec::new();
                            while let Some(Ok(data)) = body.data().await {
                                bytes.extend_from_slice(&data);
                            }
                            let namespace = head.headers["containerd-namespace"].to_str().unwrap();
                            let (messages, status) = answer(head.uri.path(), namespace, &bytes[5..]);
                            let mut stream = respond.send_response(http::Response::new(()), false).unwrap();
                            for message in messages {
                                let mut frame = vec![0];
                                frame.extend_from_slice(&u32::try_from(message.len()).unwrap().to_be_bytes());
                                frame.extend_from_slice(&message);
                                stream.send_data(frame.into(), false).unwrap();
                            }
                            let mut trailers = http::HeaderMap::new();
                            trailers.insert("grpc-status", status.parse().unwrap());
                            stream.send_trailers(trailers).unwrap();
                        });
                    }
                });
            }
        });
        runtime
    }

    /// Finds `app:1` in namespace `moby` and reads its target, which is served as these parts (offset and data).
    #[cfg(unix)]
    fn read_parts(size: i64, parts: Vec<(i64, Vec<u8>)>, status: &'static str) -> Result<Vec<u8>, String> {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("containerd.sock");
        let digest = format!("sha256:{}", "7".repeat(64));
        let runtime = fake(&socket, move |method, namespace, request| match method {
            IMAGES_GET => {
                let name = GetImageRequest::decode(request).unwrap().name;
                if namespace != "moby" || name != "docker.io/library/app:1" {
                    return (Vec::new(), "5");
                }
                let target = ProtoDescriptor {
                    media_type: "application/x".to_owned(),
                    digest: digest.clone(),
                    size,
                };
                let image = Some(ProtoImage {
                    name,
                    target: Some(target),
                });
                (vec![GetImageResponse { image }.encode_to_vec()], "0")
            }
            CONTENT_INFO => {
                let digest = InfoRequest::decode(request).unwrap().digest;
                (
                    vec![
                        InfoResponse {
                            info: Some(Info { digest, size }),
                        }
                        .encode_to_vec(),
                    ],
                    "0",
                )
            }
            CONTENT_READ => {
                assert_eq!(ReadContentRequest::decode(request).unwrap().digest, digest);
                let messages = parts.iter().map(|(offset, data)| {
                    ReadContentResponse {
                        offset: *offset,
                        data: data.clone().into(),
                    }
                    .encode_to_vec()
                });
                (messages.collect(), status)
            }
            _ => (Vec::new(), "12"),
        });
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let serving = std::thread::spawn(move || drop(runtime.block_on(stopped)));
        let address = socket.display().to_string();
        let daemon = Containerd::find(Some(&address), &|_| None, Duration::from_secs(10)).unwrap();
        let names = ["app".to_owned(), "docker.io/library/app:1".to_owned()];
        let (store, target) = daemon.image(&names, None).unwrap();
        let mut bytes = Vec::new();
        let result = store
            .open(&target.into_descriptor().unwrap())
            .map_err(|error| error.to_string())
            .and_then(|mut reader| reader.read_to_end(&mut bytes).map_err(|error| error.to_string()));
        drop(stop);
        serving.join().unwrap();
        result.map(|_| bytes)
    }

    #[cfg(unix)]
    #[test]
    fn content_is_read_in_the_parts_in_which_it_comes() {
        let large = vec![b'x'; 6 << 20];
        let read = read_parts(
            (6 << 20) + 5,
            vec![
                (0, b"abc".to_vec()),
                (3, Vec::new()),
                (3, large.clone()),
                (3 + (6 << 20), b"de".to_vec()),
            ],
            "0",
        );
        assert_eq!(read.unwrap(), [b"abc", &large[..], b"de"].concat());
    }

    #[cfg(unix)]
    #[test]
    fn content_that_lies_or_breaks_off_is_an_error() {
        for (size, parts, status, expected) in [
            (4, vec![(0, b"ab".to_vec())], "0", "sent 2 of 4 bytes"),
            (4, vec![(0, b"ab".to_vec())], "13", "status 13"),
            (
                4,
                vec![(0, b"ab".to_vec()), (3, b"d".to_vec())],
                "0",
                "another part",
            ),
            (40 << 20, vec![(0, vec![0; 17 << 20])], "0", "longer than"),
        ] {
            let error = read_parts(size, parts, status).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
        // What comes beyond the stated size is not read.
        assert_eq!(read_parts(2, vec![(0, b"abcd".to_vec())], "0").unwrap(), b"ab");
    }
}
