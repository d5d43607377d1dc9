//! The small HTTP server that the metrics page and the audit webhook share: bounded connections, headers, bodies and times.

use bytes::Bytes;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde::Deserialize;
use std::convert::Infallible;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, oneshot};
use tokio_rustls::TlsAcceptor;

/// The server could not be started.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address is taken, or not of this host.
    #[error("cannot listen on {address} for {purpose}: {reason}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What for.
        purpose: &'static str,
        /// What the system says.
        reason: std::io::Error,
    },
    /// A certificate or key is missing or damaged.
    #[error("{path}: {reason}")]
    Tls {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The system gave no thread.
    #[error("cannot start a thread for {purpose}: {reason}")]
    Thread {
        /// What for.
        purpose: &'static str,
        /// What the system says.
        reason: std::io::Error,
    },
}

/// Files for TLS, in PEM form.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsFiles {
    /// The server's certificate and those between it and the root.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    /// If given, clients must show a certificate that these roots signed.
    #[serde(default)]
    pub client_ca: Option<PathBuf>,
}

/// What clients may ask of the server.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    /// Connections at the same time; more are closed at once.
    pub(crate) connections: usize,
    /// For a TLS handshake and for the head of a request.
    pub(crate) head: Duration,
    /// For the body of a request.
    pub(crate) body: Duration,
    /// For a connection, however many requests it makes.
    pub(crate) connection: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 64,
            head: Duration::from_secs(10),
            body: Duration::from_secs(30),
            connection: Duration::from_secs(300),
        }
    }
}

/// Largest head of a request, in bytes.
const MAX_HEAD: usize = 32 * 1024;
/// Most headers of a request.
const MAX_HEADERS: usize = 64;

/// A request whose body is there.
pub(crate) struct Request {
    pub(crate) path: String,
    pub(crate) body: Bytes,
}

/// What is answered.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn text(status: u16, body: impl Into<String>) -> Self {
        Self {
            status,
            headers: vec![("content-type", "text/plain; charset=utf-8".to_owned())],
            body: body.into().into_bytes(),
        }
    }

    #[must_use]
    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }
}

/// What a server does.
pub(crate) trait Route: Send + Sync + 'static {
    /// Whether a request is for something that is there, and how large its body may be, before the body is read.
    fn admit(&self, method: &str, path: &str) -> Result<usize, Answer>;

    /// The answer to a request. Runs on the server's only thread, so it must be quick.
    fn answer(&self, request: Request) -> Answer;

    /// A body was larger than `admit` said.
    fn too_large(&self) {}
}

/// A running server; it ends when dropped.
pub(crate) struct HttpServer {
    address: SocketAddr,
    refused: Arc<AtomicU64>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl HttpServer {
    pub(crate) fn start(
        purpose: &'static str,
        listen: SocketAddr,
        tls: Option<&TlsFiles>,
        limits: Limits,
        route: impl Route,
    ) -> Result<Self, ServeError> {
        let acceptor = tls.map(acceptor).transpose()?;
        let fail = |reason| ServeError::Listen {
            address: listen,
            purpose,
            reason,
        };
        let listener = StdListener::bind(listen).map_err(fail)?;
        listener.set_nonblocking(true).map_err(fail)?;
        let address = listener.local_addr().map_err(fail)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .build()
            .map_err(|reason| ServeError::Thread { purpose, reason })?;
        let (stop, stopped) = oneshot::channel();
        let refused = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&refused);
        let route: Arc<dyn Route> = Arc::new(route);
        let thread = std::thread::Builder::new()
            .name(format!("serve-{purpose}"))
            .spawn(move || {
                runtime.block_on(async move {
                    let Ok(listener) = TcpListener::from_std(listener) else {
                        return;
                    };
                    tokio::spawn(accept(listener, acceptor, limits, route, counted));
                    // Ends when the server is dropped; all connections end with the runtime.
                    let _ = stopped.await;
                });
            })
            .map_err(|reason| ServeError::Thread { purpose, reason })?;
        Ok(Self {
            address,
            refused,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Connections closed because there were too many.
    pub(crate) fn refused(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.refused)
    }
}

impl Drop for HttpServer {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn accept(
    listener: TcpListener,
    acceptor: Option<TlsAcceptor>,
    limits: Limits,
    route: Arc<dyn Route>,
    refused: Arc<AtomicU64>,
) {
    let places = Arc::new(Semaphore::new(limits.connections));
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(_) => {
                // Out of descriptors, most likely: others must close first.
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
            refused.fetch_add(1, Ordering::Relaxed);
            continue;
        };
        let (acceptor, route, limits) = (acceptor.clone(), Arc::clone(&route), limits.clone());
        tokio::spawn(async move {
            let life = limits.connection;
            // A client that breaks off or takes too long loses its connection, nothing more.
            let _ = tokio::time::timeout(life, connection(stream, acceptor, limits, route)).await;
            drop(place);
        });
    }
}

async fn connection(stream: TcpStream, acceptor: Option<TlsAcceptor>, limits: Limits, route: Arc<dyn Route>) {
    match acceptor {
        Some(acceptor) => {
            if let Ok(Ok(stream)) = tokio::time::timeout(limits.head, acceptor.accept(stream)).await {
                serve(TokioIo::new(stream), &limits, route).await;
            }
        }
        None => serve(TokioIo::new(stream), &limits, route).await,
    }
}

async fn serve<S>(stream: S, limits: &Limits, route: Arc<dyn Route>)
where
    S: hyper::rt::Read + hyper::rt::Write + Unpin,
{
    let body_time = limits.body;
    let service = service_fn(move |request| {
        let route = Arc::clone(&route);
        async move { Ok::<_, Infallible>(respond(request, body_time, &*route).await) }
    });
    let _ = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .max_buf_size(MAX_HEAD)
        .max_headers(MAX_HEADERS)
        .serve_connection(stream, service)
        .await;
}

async fn respond(
    request: hyper::Request<Incoming>,
    body_time: Duration,
    route: &dyn Route,
) -> Response<Full<Bytes>> {
    let path = request.uri().path().to_owned();
    let is_head = request.method() == hyper::Method::HEAD;
    let limit = match route.admit(request.method().as_str(), &path) {
        Ok(limit) => limit,
        Err(answer) => return response(answer, is_head),
    };
    let announced = request
        .headers()
        .get(hyper::header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    let too_large = || {
        route.too_large();
        Answer::text(413, format!("the body is larger than {limit} bytes\n")).header("connection", "close")
    };
    if announced.is_some_and(|length| length > limit as u64) {
        return response(too_large(), is_head);
    }
    let read = tokio::time::timeout(body_time, Limited::new(request.into_body(), limit).collect()).await;
    let answer = match read {
        Ok(Ok(body)) => route.answer(Request {
            path,
            body: body.to_bytes(),
        }),
        Ok(Err(error)) if error.is::<LengthLimitError>() => too_large(),
        Ok(Err(_)) => Answer::text(400, "the body broke off\n").header("connection", "close"),
        Err(_) => Answer::text(408, "the body took too long\n").header("connection", "close"),
    };
    response(answer, is_head)
}

fn response(answer: Answer, is_head: bool) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(if is_head {
        Vec::new()
    } else {
        answer.body
    })));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in answer.headers {
        if let Ok(value) = value.parse() {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

fn acceptor(files: &TlsFiles) -> Result<TlsAcceptor, ServeError> {
    let fail = |path: &Path| {
        let path = path.to_owned();
        move |reason: String| ServeError::Tls { path, reason }
    };
    let chain = certificates(&files.certificate)?;
    let key = PrivateKeyDer::from_pem_file(&files.key)
        .map_err(|error| format!("holds no private key in PEM form: {error}"))
        .map_err(fail(&files.key))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())
        .map_err(fail(&files.certificate))?;
    let builder = match &files.client_ca {
        None => builder.with_no_client_auth(),
        Some(path) => {
            let mut roots = rustls::RootCertStore::empty();
            for certificate in certificates(path)? {
                roots
                    .add(certificate)
                    .map_err(|error| error.to_string())
                    .map_err(fail(path))?;
            }
            let verifier =
                rustls::server::WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
                    .build()
                    .map_err(|error| error.to_string())
                    .map_err(fail(path))?;
            builder.with_client_cert_verifier(verifier)
        }
    };
    let mut config = builder
        .with_single_cert(chain, key)
        .map_err(|error| format!("certificate and key do not fit: {error}"))
        .map_err(fail(&files.certificate))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// The certificates of a file in PEM form; at least one.
pub(crate) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, ServeError> {
    let fail = |reason: String| ServeError::Tls {
        path: path.to_owned(),
        reason,
    };
    let certificates = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| fail(format!("cannot be read as certificates in PEM form: {error}")))?;
    if certificates.is_empty() {
        return Err(fail("holds no certificate in PEM form".to_owned()));
    }
    Ok(certificates)
}
