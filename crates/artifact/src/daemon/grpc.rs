//! gRPC over a Unix socket: one HTTP/2 connection and calls on it, bounded in size and time.
//!
//! containerd's own services are reached through it, and the interface that Kubernetes has to container runtimes.

use crate::network::{RemoteError, RemoteErrorKind, quoted, stalled};
use bytes::{Buf, Bytes, BytesMut};
use h2::RecvStream;
use h2::client::SendRequest;
use std::fmt;
use std::future::Future;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};

/// Largest message that is taken, in bytes; containerd's own limit.
const MAX_MESSAGE_BYTES: usize = 16 * 1024 * 1024;
/// How much may be under way unread, in bytes.
const WINDOW_BYTES: u32 = 4 * 1024 * 1024;

/// How long a daemon may take.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// How long it may be silent.
    pub stall: Duration,
    /// When everything must be over, however busy it is.
    pub deadline: Option<Instant>,
}

impl Pace {
    /// How long may be waited now.
    fn left(&self) -> Duration {
        let left = self
            .deadline
            .map(|deadline| deadline.saturating_duration_since(Instant::now()));
        left.map_or(self.stall, |left| left.min(self.stall))
    }

    async fn within<T>(&self, name: &str, future: impl Future<Output = T>) -> Result<T, RemoteError> {
        let limit = self.left();
        tokio::time::timeout(limit, future)
            .await
            .map_err(|_| RemoteError::unreachable(stalled(name, limit)))
    }
}

/// One HTTP/2 connection with the runtime that drives it; each user has its own, so users need not wait for each other.
pub struct Connection {
    runtime: Runtime,
    sender: SendRequest<Bytes>,
    name: String,
    pace: Pace,
}

impl fmt::Debug for Connection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Connection")
            .field("name", &self.name)
            .field("pace", &self.pace)
            .finish_non_exhaustive()
    }
}

/// The messages of one call's answer.
pub(crate) struct Incoming {
    body: RecvStream,
    pending: BytesMut,
}

impl Connection {
    /// Connects to the daemon `name` (as errors call it) behind a socket.
    ///
    /// # Errors
    /// When nothing listens there, it may not be used, or what listens does not answer in time or speaks something else.
    #[cfg(unix)]
    pub fn open(socket: &Path, name: &str, pace: Pace) -> Result<Self, RemoteError> {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| RemoteError::unreachable(format!("{name} could not be asked: {error}")))?;
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::PermissionDenied => RemoteError::new(
                RemoteErrorKind::Denied,
                format!("{name} cannot be asked: this user may not use the socket"),
            )
            .with_hint("run as root or as a member of the socket's group"),
            io::ErrorKind::ConnectionRefused => {
                RemoteError::unreachable(format!("{name} is not running: nothing listens there"))
            }
            _ => RemoteError::unreachable(format!("{name} could not be asked: {error}")),
        };
        let sender = runtime.block_on(async {
            let stream = pace
                .within(name, tokio::net::UnixStream::connect(socket))
                .await?
                .map_err(failed)?;
            let handshake = h2::client::Builder::new()
                .initial_window_size(WINDOW_BYTES)
                .initial_connection_window_size(WINDOW_BYTES)
                .max_header_list_size(64 * 1024)
                .enable_push(false)
                .handshake::<_, Bytes>(stream);
            let (sender, connection) = pace
                .within(name, handshake)
                .await?
                .map_err(|error| protocol(name, &error))?;
            // Its errors show in the calls.
            tokio::spawn(async move { drop(connection.await) });
            Ok::<_, RemoteError>(sender)
        })?;
        Ok(Self {
            runtime,
            sender,
            name: name.to_owned(),
            pace,
        })
    }

    /// Connects to the daemon `name` (as errors call it) behind a socket.
    ///
    /// # Errors
    /// Always: this system has no Unix sockets.
    #[cfg(not(unix))]
    pub fn open(_socket: &Path, name: &str, _pace: Pace) -> Result<Self, RemoteError> {
        Err(RemoteError::unreachable(format!(
            "{name} is behind a Unix socket, which this system does not have"
        )))
    }

    /// What errors call the daemon.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// A call with one answer: both messages are encoded. `metadata` are headers of the call.
    ///
    /// # Errors
    /// `NotFound` when the daemon says so; when the call fails, or its answer is none, too large or late.
    pub fn call(
        &mut self,
        method: &str,
        metadata: &[(&'static str, &str)],
        request: &[u8],
    ) -> Result<Bytes, RemoteError> {
        let mut incoming = self.start(method, metadata, request)?;
        let Some(answer) = self.next(&mut incoming)? else {
            return Err(RemoteError::invalid(format!(
                "{} gave an empty answer",
                self.name
            )));
        };
        // The status comes after the message.
        if self.next(&mut incoming)?.is_some() {
            return Err(RemoteError::invalid(format!(
                "{} gave two answers for one",
                self.name
            )));
        }
        Ok(answer)
    }

    /// Starts a call whose answer may be many messages.
    pub(crate) fn start(
        &mut self,
        method: &str,
        metadata: &[(&'static str, &str)],
        request: &[u8],
    ) -> Result<Incoming, RemoteError> {
        let (name, pace) = (self.name.as_str(), self.pace);
        let mut frame = Vec::with_capacity(request.len() + 5);
        frame.push(0);
        frame.extend_from_slice(&u32::try_from(request.len()).unwrap_or(u32::MAX).to_be_bytes());
        frame.extend_from_slice(request);
        let mut head = http::Request::post(format!("http://localhost{method}"))
            .version(http::Version::HTTP_2)
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .header("user-agent", concat!("hullward/", env!("CARGO_PKG_VERSION")));
        for (key, value) in metadata {
            head = head.header(*key, *value);
        }
        let head = head.body(()).map_err(|_| {
            let values: Vec<String> = metadata.iter().map(|(_, value)| quoted(value)).collect();
            RemoteError::invalid(format!("`{}` cannot be sent to {name}", values.join("`, `")))
        })?;
        let sender = self.sender.clone();
        let response = self.runtime.block_on(async {
            let mut sender = pace
                .within(name, sender.ready())
                .await?
                .map_err(|error| protocol(name, &error))?;
            let (response, mut body) = sender
                .send_request(head, false)
                .map_err(|error| protocol(name, &error))?;
            body.send_data(Bytes::from(frame), true)
                .map_err(|error| protocol(name, &error))?;
            pace.within(name, response)
                .await?
                .map_err(|error| protocol(name, &error))
        })?;
        if response.status() != http::StatusCode::OK {
            return Err(RemoteError::invalid(format!(
                "{name} answered {}",
                response.status()
            )));
        }
        check_status(name, response.headers())?;
        Ok(Incoming {
            body: response.into_body(),
            pending: BytesMut::new(),
        })
    }

    /// The next message; `None` after the last one, if the call ended well.
    pub(crate) fn next(&self, incoming: &mut Incoming) -> Result<Option<Bytes>, RemoteError> {
        let (name, pace) = (self.name.as_str(), self.pace);
        loop {
            if let Some(message) = take_message(&mut incoming.pending, name)? {
                return Ok(Some(message));
            }
            let body = &mut incoming.body;
            let data = self
                .runtime
                .block_on(async { pace.within(name, body.data()).await })?;
            match data {
                Some(data) => {
                    let data = data.map_err(|error| protocol(name, &error))?;
                    incoming.pending.extend_from_slice(&data);
                    // Fails for a stream that ended already, where it does not matter.
                    drop(incoming.body.flow_control().release_capacity(data.len()));
                }
                None => {
                    let trailers = self
                        .runtime
                        .block_on(async { pace.within(name, incoming.body.trailers()).await })?
                        .map_err(|error| protocol(name, &error))?;
                    if let Some(trailers) = &trailers {
                        check_status(name, trailers)?;
                    }
                    if !incoming.pending.is_empty() {
                        return Err(RemoteError::invalid(format!("{name} broke off inside a message")));
                    }
                    return Ok(None);
                }
            }
        }
    }
}

fn protocol(name: &str, error: &h2::Error) -> RemoteError {
    if error.is_io() {
        RemoteError::unreachable(format!("the connection to {name} broke: {error}"))
    } else {
        RemoteError::invalid(format!("{name} does not speak gRPC as expected: {error}"))
    }
}

/// Takes one length-prefixed message off the front, if it is there whole.
fn take_message(pending: &mut BytesMut, name: &str) -> Result<Option<Bytes>, RemoteError> {
    let Some((&[compressed, a, b, c, d], _)) = pending.split_first_chunk::<5>() else {
        return Ok(None);
    };
    let length = usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or(usize::MAX);
    if compressed != 0 || length > MAX_MESSAGE_BYTES {
        return Err(RemoteError::invalid(format!(
            "{name} sent a message that is compressed or longer than {MAX_MESSAGE_BYTES} bytes"
        )));
    }
    if pending.len() - 5 < length {
        return Ok(None);
    }
    pending.advance(5);
    Ok(Some(pending.split_to(length).freeze()))
}

/// An error when the headers or trailers carry a gRPC status other than 0.
fn check_status(name: &str, headers: &http::HeaderMap) -> Result<(), RemoteError> {
    let text = |key: &str| headers.get(key).and_then(|value| value.to_str().ok());
    let Some(status) = text("grpc-status") else {
        return Ok(());
    };
    let said = text("grpc-message").map_or_else(String::new, |message| {
        let decoded = percent_encoding::percent_decode_str(message).decode_utf8_lossy();
        quoted(&decoded)
    });
    match status {
        "0" => Ok(()),
        "5" => Err(RemoteError::new(
            RemoteErrorKind::NotFound,
            format!("{name} does not have it (`{said}`)"),
        )),
        "7" | "16" => Err(RemoteError::new(
            RemoteErrorKind::Denied,
            format!("{name} refused (`{said}`)"),
        )),
        _ => Err(RemoteError::invalid(format!(
            "{name} answered with status {status} (`{said}`)"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_cut_at_their_lengths() {
        let mut pending = BytesMut::from(&[0, 0, 0, 0, 2, b'a', b'b', 0, 0, 0, 0, 0, 0, 0, 0][..]);
        assert_eq!(
            take_message(&mut pending, "x").unwrap().as_deref(),
            Some(&b"ab"[..])
        );
        assert_eq!(
            take_message(&mut pending, "x").unwrap().as_deref(),
            Some(&b""[..])
        );
        assert_eq!(take_message(&mut pending, "x").unwrap(), None);
        let mut partial = BytesMut::from(&[0, 0, 0, 0, 2, b'a'][..]);
        assert_eq!(take_message(&mut partial, "x").unwrap(), None);
        let mut compressed = BytesMut::from(&[1, 0, 0, 0, 0][..]);
        assert!(take_message(&mut compressed, "x").is_err());
        let mut huge = BytesMut::from(&[0, 0xff, 0xff, 0xff, 0xff][..]);
        assert!(take_message(&mut huge, "x").is_err());
    }

    #[test]
    fn statuses_become_errors() {
        let with = |status: &str| {
            let mut headers = http::HeaderMap::new();
            headers.insert("grpc-status", status.parse().unwrap());
            headers.insert("grpc-message", "image%20%22x%22%0a".parse().unwrap());
            check_status("containerd", &headers)
        };
        assert!(with("0").is_ok());
        assert!(check_status("containerd", &http::HeaderMap::new()).is_ok());
        let missing = with("5").unwrap_err();
        assert_eq!(missing.kind(), RemoteErrorKind::NotFound);
        assert!(missing.to_string().contains("image \"x\""), "{missing}");
        assert_eq!(with("16").unwrap_err().kind(), RemoteErrorKind::Denied);
        assert_eq!(with("13").unwrap_err().kind(), RemoteErrorKind::Invalid);
    }

    /// Asks a daemon that answers with one message that does not end, or not at all.
    #[cfg(unix)]
    fn ask(answers: bool) -> RemoteError {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("daemon.sock");
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let listener = {
            let _context = runtime.enter();
            tokio::net::UnixListener::bind(&socket).unwrap()
        };
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        runtime.spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let mut connection = h2::server::handshake(stream).await.unwrap();
            while let Some(Ok((_, mut respond))) = connection.accept().await {
                tokio::spawn(async move {
                    if !answers {
                        std::future::pending::<()>().await;
                    }
                    let mut stream = respond.send_response(http::Response::new(()), false).unwrap();
                    // A message of 1 MiB, a byte at a time: it is never silent for long.
                    let mut part = Bytes::from_static(&[0, 0, 16, 0, 0]);
                    while stream.send_data(part, false).is_ok() {
                        tokio::time::sleep(Duration::from_millis(1)).await;
                        part = Bytes::from_static(b"x");
                    }
                });
            }
        });
        let serving = std::thread::spawn(move || drop(runtime.block_on(stopped)));
        let pace = Pace {
            stall: Duration::from_secs(3600),
            deadline: Some(Instant::now() + Duration::from_millis(300)),
        };
        let mut connection = Connection::open(&socket, "the runtime", pace).unwrap();
        let error = connection.call("/a.B/C", &[], b"").unwrap_err();
        drop(stop);
        serving.join().unwrap();
        error
    }

    #[cfg(unix)]
    #[test]
    fn a_call_ends_with_its_deadline_however_busy_the_daemon_is() {
        for answers in [false, true] {
            let error = ask(answers);
            assert_eq!(error.kind(), RemoteErrorKind::Unreachable, "{error}");
            assert!(
                error.to_string().contains("the runtime stopped answering"),
                "{error}"
            );
        }
    }
}
