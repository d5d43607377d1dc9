//! HTTP as registries need it: proxies, trust roots, time limits, retries with back-off, and no way into local addresses.

use crate::options::{OpenOptions, Secret};
use http::{HeaderMap, StatusCode, Uri};
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Read};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};

/// Longest wait that a server may ask for with `Retry-After`; a longer one ends the attempt.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(60);
/// Longest wait between two attempts that we choose ourselves.
const MAX_BACKOFF: Duration = Duration::from_secs(10);
/// How often one request is tried in all.
const ATTEMPTS: u32 = 5;
/// Redirects that one request may take.
const MAX_REDIRECTS: u32 = 5;
/// Largest block of response headers, in bytes.
const MAX_HEADER_BYTES: usize = 64 * 1024;
/// A body must bring this many bytes a second on average over every stall period, else it counts as stalled.
const MIN_BYTES_PER_SECOND: u64 = 256;
/// Largest CA file, in bytes.
const MAX_CA_FILE_BYTES: u64 = 16 * 1024 * 1024;

/// What kind of failure a [`RemoteError`] is, for callers that go on differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RemoteErrorKind {
    /// The peer answered that it does not have the thing.
    NotFound,
    /// Credentials are missing or were refused.
    Denied,
    /// Network use is switched off.
    Offline,
    /// No connection, or the peer stopped answering.
    Unreachable,
    /// The peer answered something that breaks the protocol, lies about a digest or leads to a forbidden place.
    Invalid,
}

/// A registry or daemon that could not be read.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub struct RemoteError {
    kind: RemoteErrorKind,
    message: String,
    hint: Option<String>,
}

impl RemoteError {
    pub(crate) fn new(kind: RemoteErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            hint: None,
        }
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(RemoteErrorKind::Invalid, message)
    }

    pub(crate) fn unreachable(message: impl Into<String>) -> Self {
        Self::new(RemoteErrorKind::Unreachable, message)
    }

    #[must_use]
    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// What kind of failure it is.
    #[must_use]
    pub fn kind(&self) -> RemoteErrorKind {
        self.kind
    }

    /// What the user can do about it, where that is known.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }
}

impl From<RemoteError> for io::Error {
    fn from(error: RemoteError) -> Self {
        Self::other(error)
    }
}

/// What a peer says, short and safe to print.
pub(crate) fn quoted(text: &str) -> String {
    let text: String = text.trim().chars().take(200).collect();
    model::path::printable(&text).into_owned()
}

/// How a [`Client`] behaves.
#[derive(Clone)]
pub(crate) struct ClientOptions {
    /// No connection may be made at all.
    pub(crate) offline: bool,
    /// Certificates are not verified, and plain HTTP is allowed.
    pub(crate) insecure: bool,
    /// PEM file with certificates that are trusted besides the system's.
    pub(crate) ca_file: Option<PathBuf>,
    /// Limit for name lookup and for connecting, TLS included.
    pub(crate) connect_timeout: Duration,
    /// Limit for the peer to stay silent, while headers or a body are awaited.
    pub(crate) stall_timeout: Duration,
    /// First wait between two attempts; doubled each time.
    pub(crate) backoff: Duration,
    /// Proxies of the environment.
    pub(crate) proxies: Proxies,
    /// Waits; tests put a recorder here.
    pub(crate) pause: Arc<dyn Fn(Duration) + Send + Sync>,
    /// Host names that tests give an address of their own, and whether it counts as public.
    #[cfg(test)]
    pub(crate) hosts: Vec<(String, std::net::SocketAddr, bool)>,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self {
            offline: false,
            insecure: false,
            ca_file: None,
            connect_timeout: Duration::from_secs(15),
            stall_timeout: Duration::from_secs(60),
            backoff: Duration::from_millis(500),
            proxies: Proxies::default(),
            pause: Arc::new(std::thread::sleep),
            #[cfg(test)]
            hosts: Vec::new(),
        }
    }
}

impl From<&OpenOptions> for ClientOptions {
    fn from(options: &OpenOptions) -> Self {
        Self {
            offline: options.offline,
            insecure: options.insecure,
            ca_file: options.ca_file.clone(),
            connect_timeout: options.limits.connect_timeout,
            stall_timeout: options.limits.stall_timeout,
            proxies: Proxies::from_environment(),
            ..Self::default()
        }
    }
}

impl fmt::Debug for ClientOptions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ClientOptions")
            .field("offline", &self.offline)
            .field("insecure", &self.insecure)
            .field("ca_file", &self.ca_file)
            .field("stall_timeout", &self.stall_timeout)
            .finish_non_exhaustive()
    }
}

/// One request; redirects are never followed by [`Client::send`].
#[derive(Clone, Debug)]
pub(crate) struct Request<'a> {
    /// Absolute URL.
    pub(crate) url: &'a str,
    /// Headers besides those that HTTP itself needs.
    pub(crate) headers: Vec<(&'static str, String)>,
    /// A form to post; a GET when absent.
    pub(crate) form: Option<String>,
}

impl<'a> Request<'a> {
    pub(crate) fn get(url: &'a str) -> Self {
        Self {
            url,
            headers: Vec::new(),
            form: None,
        }
    }

    #[must_use]
    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// An answer whose body was not read yet.
pub(crate) struct Response {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    body: ureq::Body,
    stall_timeout: Duration,
    host: String,
}

impl Response {
    /// Header as text, when it is there and printable.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The first byte of a `Content-Range: bytes 100-199/200`.
    pub(crate) fn range_start(&self) -> Option<u64> {
        self.header("content-range")?
            .trim()
            .strip_prefix("bytes")?
            .trim_start()
            .split('-')
            .next()?
            .parse()
            .ok()
    }

    /// The body as it comes, ended with an error when the peer stalls.
    pub(crate) fn into_reader(self) -> Paced<ureq::BodyReader<'static>> {
        Paced::new(self.body.into_reader(), self.stall_timeout, self.host)
    }

    /// The whole body, refused beyond `limit` bytes.
    pub(crate) fn into_bytes(self, limit: u64, what: &str) -> Result<Vec<u8>, RemoteError> {
        let host = self.host.clone();
        let mut bytes = Vec::new();
        self.into_reader()
            .take(limit + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| RemoteError::unreachable(format!("{what} from {host} broke off: {error}")))?;
        if bytes.len() as u64 > limit {
            return Err(RemoteError::invalid(format!(
                "{what} from {host} is longer than {limit} bytes"
            )));
        }
        Ok(bytes)
    }
}

/// Whether the host that a client was made for has a public address.
mod reach {
    pub(super) const UNKNOWN: u8 = 0;
    pub(super) const PUBLIC: u8 = 1;
    pub(super) const LOCAL: u8 = 2;
}

/// Makes requests for one server: to its host, and to the hosts that it sends us to.
pub(crate) struct Client {
    /// For the registry itself, for proxies, and for everything when the registry is local.
    any: ureq::Agent,
    /// For the hosts that a public registry leads to: looks up public addresses only, so that what was checked is what is used.
    public: ureq::Agent,
    own_host: String,
    reach: Arc<AtomicU8>,
    options: ClientOptions,
}

impl Client {
    /// `authority` is the registry's host with its port, as in a URL.
    pub(crate) fn new(authority: &str, options: ClientOptions) -> Result<Self, RemoteError> {
        if options.offline {
            return Err(RemoteError::new(
                RemoteErrorKind::Offline,
                format!("{authority} cannot be asked: network use is switched off"),
            )
            .with_hint("leave out --offline, or save the image to an archive and scan that"));
        }
        let tls = tls_config(&options)?;
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .user_agent(concat!("hullward/", env!("CARGO_PKG_VERSION")))
            .accept_encoding("identity")
            .timeout_resolve(Some(options.connect_timeout))
            .timeout_connect(Some(options.connect_timeout))
            .timeout_per_read(Some(options.stall_timeout))
            .timeout_per_write(Some(options.stall_timeout))
            // A header that trickles in byte by byte never trips the limit for one read.
            .timeout_recv_response(Some(options.stall_timeout.saturating_mul(2)))
            .max_response_header_size(MAX_HEADER_BYTES)
            .input_buffer_size(128 * 1024)
            .tls_config(tls)
            .build();
        let own_host = bare_host(authority_host(authority)).to_ascii_lowercase();
        let reach = Arc::new(AtomicU8::new(if is_local_name(&own_host) {
            reach::LOCAL
        } else {
            reach::UNKNOWN
        }));
        let resolver = |public_only| GuardedResolver {
            own_host: own_host.clone(),
            reach: Arc::clone(&reach),
            public_only,
            system: DefaultResolver::default(),
            #[cfg(test)]
            hosts: options.hosts.clone(),
        };
        Ok(Self {
            any: ureq::Agent::with_parts(config.clone(), DefaultConnector::default(), resolver(false)),
            public: ureq::Agent::with_parts(config, DefaultConnector::default(), resolver(true)),
            own_host,
            reach,
            options,
        })
    }

    /// True when certificates are not verified and plain HTTP is allowed.
    pub(crate) fn is_insecure(&self) -> bool {
        self.options.insecure
    }

    /// Waits longer each time, as between two attempts of one request.
    pub(crate) fn pause(&self, attempt: u32) {
        (self.options.pause)(backoff(self.options.backoff, attempt, jitter()));
    }

    /// Sends a request, several times if the peer says that it is overloaded or the connection breaks.
    /// Any other status is an answer, not an error.
    pub(crate) fn send(&self, request: &Request<'_>) -> Result<Response, RemoteError> {
        let mut attempt = 0;
        loop {
            attempt += 1;
            let last = attempt >= ATTEMPTS;
            let wait = match self.send_once(request) {
                Ok(response) if is_overload(response.status) => {
                    let asked = response.header("retry-after").and_then(retry_after);
                    match asked {
                        Some(asked) if asked > MAX_RETRY_AFTER => {
                            return Err(RemoteError::unreachable(format!(
                                "{} answered {} and asks to wait {} seconds",
                                display_host(request.url),
                                response.status,
                                asked.as_secs()
                            ))
                            .with_hint(
                                "try again later, or log in: registries allow more requests with an account",
                            ));
                        }
                        _ if last => return Ok(response),
                        Some(asked) => asked,
                        None => backoff(self.options.backoff, attempt, jitter()),
                    }
                }
                Ok(response) => return Ok(response),
                Err(failure) if failure.transient && !last => {
                    backoff(self.options.backoff, attempt, jitter())
                }
                Err(failure) => return Err(failure.error),
            };
            (self.options.pause)(wait);
        }
    }

    /// The answer at the end of the redirects, and its URL. Credentials are for one origin, given by any URL of it, and go
    /// nowhere else.
    pub(crate) fn follow(
        &self,
        url: &str,
        headers: &[(&'static str, String)],
        credentials: Option<(&str, &Secret)>,
    ) -> Result<(Response, String), RemoteError> {
        let mut url = url.to_owned();
        for _ in 0..=MAX_REDIRECTS {
            let mut request = Request::get(&url);
            request.headers = headers.to_vec();
            if let Some((owner, secret)) = credentials
                && origin(&url) == origin(owner)
            {
                request = request.header("authorization", secret.expose());
            }
            let response = self.send(&request)?;
            if !matches!(response.status.as_u16(), 301 | 302 | 303 | 307 | 308) {
                return Ok((response, url));
            }
            let location = response.header("location").ok_or_else(|| {
                RemoteError::invalid(format!(
                    "{} redirects without saying where to",
                    display_host(&url)
                ))
            })?;
            url = redirected(&url, location, self.options.insecure)?;
        }
        Err(RemoteError::invalid(format!(
            "{} redirects more than {MAX_REDIRECTS} times",
            self.own_host
        )))
    }

    /// Sends a request once.
    pub(crate) fn send_once(&self, request: &Request<'_>) -> Result<Response, Failure> {
        let fixed = |error| Failure {
            error,
            transient: false,
        };
        let uri: Uri = request.url.parse().map_err(|_| {
            fixed(RemoteError::invalid(format!(
                "`{}` is not a URL",
                quoted(request.url)
            )))
        })?;
        let scheme = uri.scheme_str().unwrap_or_default().to_owned();
        let host = bare_host(uri.host().unwrap_or_default()).to_ascii_lowercase();
        let port = uri.port_u16().unwrap_or(if scheme == "https" { 443 } else { 80 });
        let shown = display_host(request.url);
        let proxy = self
            .options
            .proxies
            .for_target(&scheme, &host, port)
            .map_err(fixed)?;
        let foreign = host != self.own_host && self.reach.load(Ordering::Relaxed) != reach::LOCAL;
        if foreign && is_local_name(&host) {
            return Err(fixed(local_refused(&host)));
        }
        // Through a proxy only the proxy is looked up here, and that may well be a local one.
        let agent = if foreign && proxy.is_none() {
            &self.public
        } else {
            &self.any
        };
        let failed = |error: ureq::Error| {
            let transient = is_transient(&error);
            Failure {
                error: self.explain(&shown, &error),
                transient,
            }
        };
        let response = match &request.form {
            None => {
                let mut builder = agent.get(uri);
                for (name, value) in &request.headers {
                    builder = builder.header(*name, value);
                }
                match proxy {
                    Some(proxy) => builder.config().proxy(Some(proxy)).build().call(),
                    None => builder.call(),
                }
            }
            Some(form) => {
                let mut builder = agent
                    .post(uri)
                    .header("content-type", "application/x-www-form-urlencoded");
                for (name, value) in &request.headers {
                    builder = builder.header(*name, value);
                }
                match proxy {
                    Some(proxy) => builder.config().proxy(Some(proxy)).build().send(form),
                    None => builder.send(form),
                }
            }
        }
        .map_err(failed)?;
        let (parts, body) = response.into_parts();
        Ok(Response {
            status: parts.status,
            headers: parts.headers,
            body,
            stall_timeout: self.options.stall_timeout,
            host: shown,
        })
    }

    fn explain(&self, host: &str, error: &ureq::Error) -> RemoteError {
        if let Some(inner) = carried(error) {
            return inner.clone();
        }
        let text = error.to_string();
        match error {
            ureq::Error::Timeout(ureq::Timeout::Connect | ureq::Timeout::Resolve) => {
                RemoteError::unreachable(format!(
                    "{host} could not be reached within {} seconds",
                    self.options.connect_timeout.as_secs_f32()
                ))
            }
            ureq::Error::Timeout(_) => RemoteError::unreachable(stalled(host, self.options.stall_timeout)),
            ureq::Error::ConnectProxyFailed(reason) => {
                RemoteError::unreachable(format!("the proxy did not open a connection to {host}: {reason}"))
                    .with_hint("check HTTPS_PROXY, HTTP_PROXY and NO_PROXY")
            }
            _ if text.contains("certificate") => RemoteError::unreachable(format!(
                "the certificate of {host} is not trusted: {}",
                text.trim_start_matches("io: ")
            ))
            .with_hint(
                "name the certificate authority with --ca-file, or pass --insecure to trust any certificate",
            ),
            _ => RemoteError::unreachable(format!(
                "{host} could not be asked: {}",
                text.trim_start_matches("io: ")
            )),
        }
    }
}

/// Where a redirect leads to, made absolute. From https it may only lead to https.
pub(crate) fn redirected(from: &str, location: &str, insecure: bool) -> Result<String, RemoteError> {
    let invalid =
        |reason: &str| RemoteError::invalid(format!("the server redirects to a place that {reason}"));
    let (scheme, rest) = from.split_once("://").ok_or_else(|| invalid("is not a URL"))?;
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let target = if location.contains("://") {
        location.to_owned()
    } else if location.starts_with("//") {
        format!("{scheme}:{location}")
    } else if location.starts_with('/') {
        format!("{scheme}://{authority}{location}")
    } else {
        let path = from.split('?').next().unwrap_or_default();
        let folder = path.rsplit_once('/').map_or(path, |(folder, _)| folder);
        format!("{folder}/{location}")
    };
    match origin(&target) {
        None => Err(invalid("is not an http or https URL")),
        Some((target_scheme, ..)) if scheme == "https" && target_scheme != "https" && !insecure => {
            Err(invalid("is not encrypted"))
        }
        Some(_) => Ok(target),
    }
}

/// A request that failed, and whether it may work the next time.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) error: RemoteError,
    pub(crate) transient: bool,
}

impl From<Failure> for RemoteError {
    fn from(failure: Failure) -> Self {
        failure.error
    }
}

/// Our own refusal, carried through the client library's error.
fn carried(error: &ureq::Error) -> Option<&RemoteError> {
    match error {
        ureq::Error::Io(error) => error.get_ref()?.downcast_ref(),
        ureq::Error::Other(error) => error.downcast_ref(),
        _ => None,
    }
}

/// What is said of a peer that went silent.
pub(crate) fn stalled(host: &str, limit: Duration) -> String {
    format!(
        "{host} stopped answering (nothing came for {} seconds)",
        limit.as_secs_f32()
    )
}

fn local_refused(host: &str) -> RemoteError {
    RemoteError::invalid(format!(
        "the server leads to {host}, which is a local address; this is refused for public servers"
    ))
}

fn tls_config(options: &ClientOptions) -> Result<ureq::tls::TlsConfig, RemoteError> {
    use ureq::tls::{Certificate, RootCerts, TlsConfig};
    let builder = TlsConfig::builder().disable_verification(options.insecure);
    if options.insecure {
        return Ok(builder.build());
    }
    let mut trusted: Vec<Certificate<'static>> = rustls_native_certs::load_native_certs()
        .certs
        .iter()
        .map(|certificate| Certificate::from_der(certificate).to_owned())
        .collect();
    if let Some(path) = &options.ca_file {
        trusted.extend(certificates_of(path)?);
    }
    let roots = if trusted.is_empty() {
        RootCerts::WebPki
    } else {
        RootCerts::new_with_certs(&trusted)
    };
    Ok(builder.root_certs(roots).build())
}

fn certificates_of(path: &Path) -> Result<Vec<ureq::tls::Certificate<'static>>, RemoteError> {
    let pem = crate::files::read(path, MAX_CA_FILE_BYTES)
        .map_err(|error| RemoteError::invalid(format!("CA file: {}", error.chain())))?;
    let mut certificates = Vec::new();
    for item in ureq::tls::parse_pem(&pem) {
        match item {
            Ok(ureq::tls::PemItem::Certificate(certificate)) => certificates.push(certificate),
            Ok(_) => {}
            Err(error) => {
                return Err(RemoteError::invalid(format!(
                    "CA file {} is damaged: {error}",
                    path.display()
                )));
            }
        }
    }
    if certificates.is_empty() {
        return Err(
            RemoteError::invalid(format!("CA file {} holds no certificate", path.display()))
                .with_hint("certificates must be in PEM form, starting with -----BEGIN CERTIFICATE-----"),
        );
    }
    Ok(certificates)
}

/// Looks names up, notes whether the registry's own address is public, and refuses local addresses where they are forbidden.
struct GuardedResolver {
    own_host: String,
    reach: Arc<AtomicU8>,
    public_only: bool,
    system: DefaultResolver,
    #[cfg(test)]
    hosts: Vec<(String, std::net::SocketAddr, bool)>,
}

impl fmt::Debug for GuardedResolver {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("GuardedResolver")
            .field("public_only", &self.public_only)
            .finish_non_exhaustive()
    }
}

impl GuardedResolver {
    fn look_up(
        &self,
        host: &str,
        uri: &Uri,
        config: &ureq::config::Config,
        timeout: NextTimeout,
    ) -> Result<(ResolvedSocketAddrs, bool), ureq::Error> {
        #[cfg(test)]
        if let Some((_, address, public)) = self.hosts.iter().find(|(name, ..)| name == host) {
            let mut addresses = self.empty();
            addresses.push(*address);
            return Ok((addresses, *public));
        }
        let _ = host;
        let addresses = self.system.resolve(uri, config, timeout)?;
        let public = addresses.iter().all(|address| is_public(address.ip()));
        Ok((addresses, public))
    }
}

impl Resolver for GuardedResolver {
    fn resolve(
        &self,
        uri: &Uri,
        config: &ureq::config::Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let host = bare_host(uri.host().unwrap_or_default()).to_ascii_lowercase();
        let (addresses, public) = self.look_up(&host, uri, config, timeout)?;
        if host == self.own_host {
            let now = if public { reach::PUBLIC } else { reach::LOCAL };
            // A name that was public and now leads inside is as good as a redirect to there.
            if self.reach.swap(now, Ordering::Relaxed) == reach::PUBLIC && !public {
                self.reach.store(reach::PUBLIC, Ordering::Relaxed);
                return Err(ureq::Error::Other(Box::new(local_refused(&host))));
            }
        }
        if self.public_only && !public {
            return Err(ureq::Error::Other(Box::new(local_refused(&host))));
        }
        Ok(addresses)
    }
}

/// True for an address of the public internet; false for loopback, private, link-local, shared, reserved and multicast ones,
/// also where an IPv6 address carries such an IPv4 address.
pub(crate) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => {
            let segments = address.segments();
            let low = Ipv4Addr::from((u32::from(segments[6]) << 16) | u32::from(segments[7]));
            match segments {
                // Loopback, unspecified, and the old IPv4-compatible form.
                [0, 0, 0, 0, 0, 0, ..] => false,
                [0, 0, 0, 0, 0, 0xffff, ..] | [0x64, 0xff9b, 0, 0, 0, 0, ..] => is_public_v4(low),
                [0x64, 0xff9b, 1, ..] => false,
                [0x2002, high, next, ..] => {
                    is_public_v4(Ipv4Addr::from((u32::from(high) << 16) | u32::from(next)))
                }
                // Everything else that is public lies in 2000::/3; 2001:db8::/32 is for documents.
                [0x2001, 0xdb8, ..] => false,
                [first, ..] => first & 0xe000 == 0x2000,
            }
        }
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [first, second, third, _] = address.octets();
    !(first == 0
        || first == 10
        || first == 127
        || (first == 100 && (64..128).contains(&second))
        || (first == 169 && second == 254)
        || (first == 172 && (16..32).contains(&second))
        || (first == 192 && second == 168)
        || (first == 192 && second == 0 && third == 0)
        || (first == 198 && (18..20).contains(&second))
        || first >= 224)
}

/// True for names and literal addresses that are local without looking anything up.
pub(crate) fn is_local_name(host: &str) -> bool {
    match host.parse::<IpAddr>() {
        Ok(address) => !is_public(address),
        Err(_) => host == "localhost" || host.ends_with(".localhost"),
    }
}

/// True for names and literal addresses of this very machine.
pub(crate) fn is_loopback_name(host: &str) -> bool {
    match host.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => address.is_loopback(),
        Ok(IpAddr::V6(address)) => address == Ipv6Addr::LOCALHOST,
        Err(_) => host == "localhost" || host.ends_with(".localhost"),
    }
}

/// The host of `host`, `host:port` or `[address]:port`; brackets are kept.
pub(crate) fn authority_host(authority: &str) -> &str {
    match authority.rfind(']') {
        Some(end) => authority.get(..=end).unwrap_or(authority),
        None => authority.split(':').next().unwrap_or(authority),
    }
}

/// An IPv6 address without its brackets; anything else as it is.
pub(crate) fn bare_host(host: &str) -> &str {
    host.strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(host)
}

/// Scheme, host and port of a URL: requests with the same three may carry the same credentials.
pub(crate) fn origin(url: &str) -> Option<(String, String, u16)> {
    let uri: Uri = url.parse().ok()?;
    let scheme = uri.scheme_str()?.to_ascii_lowercase();
    let host = bare_host(uri.host()?).to_ascii_lowercase();
    let default = match scheme.as_str() {
        "https" => 443,
        "http" => 80,
        _ => return None,
    };
    Some((scheme, host, uri.port_u16().unwrap_or(default)))
}

/// The host of a URL for messages; user names, paths and queries may hold secrets and are left out.
fn display_host(url: &str) -> String {
    match url.parse::<Uri>() {
        Ok(uri) => match (uri.host(), uri.port_u16()) {
            (Some(host), Some(port)) => format!("{host}:{port}"),
            (Some(host), None) => host.to_owned(),
            (None, _) => quoted(url),
        },
        Err(_) => quoted(url),
    }
}

fn is_overload(status: StatusCode) -> bool {
    matches!(status.as_u16(), 408 | 429 | 500 | 502 | 503 | 504)
}

fn is_transient(error: &ureq::Error) -> bool {
    use io::ErrorKind;
    match error {
        ureq::Error::Io(error) => {
            matches!(
                error.kind(),
                ErrorKind::ConnectionRefused
                    | ErrorKind::ConnectionReset
                    | ErrorKind::ConnectionAborted
                    | ErrorKind::NotConnected
                    | ErrorKind::BrokenPipe
                    | ErrorKind::UnexpectedEof
                    | ErrorKind::HostUnreachable
                    | ErrorKind::NetworkUnreachable
            ) || error.to_string().contains("Temporary failure in name resolution")
        }
        ureq::Error::Timeout(ureq::Timeout::Connect | ureq::Timeout::Resolve) => true,
        _ => false,
    }
}

/// Seconds or an HTTP date.
fn retry_after(value: &str) -> Option<Duration> {
    if let Ok(seconds) = value.trim().parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::DateTimeParser::new()
        .parse_timestamp(value.trim())
        .ok()?;
    let seconds = date
        .as_second()
        .saturating_sub(jiff::Timestamp::now().as_second());
    Some(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)))
}

/// Doubles `first` with every attempt (counted from 1), up to a cap; `random` (0 to 1) takes away up to half of it, so that
/// many clients do not come back in step.
fn backoff(first: Duration, attempt: u32, random: f64) -> Duration {
    let doubled = first
        .saturating_mul(1 << attempt.saturating_sub(1).min(16))
        .min(MAX_BACKOFF);
    doubled.mul_f64(1.0 - random.clamp(0.0, 1.0) / 2.0)
}

/// A number from 0 to 1, different each time; it need not be hard to guess.
fn jitter() -> f64 {
    let bits = RandomState::new().hash_one(0_u8) >> 32;
    f64::from(u32::try_from(bits).unwrap_or(0)) / f64::from(u32::MAX)
}

/// Ends a body that trickles in so slowly that it counts as stalled. Only time spent waiting for the peer counts.
pub(crate) struct Paced<R> {
    inner: R,
    host: String,
    pace: Pace,
}

/// Waiting time and bytes since the pace was last judged.
struct Pace {
    limit: Duration,
    waited: Duration,
    bytes: u64,
}

impl Pace {
    /// False when a whole stall period of waiting brought too little.
    fn keeps_up(&mut self, waited: Duration, count: usize) -> bool {
        self.waited += waited;
        self.bytes += count as u64;
        if self.waited < self.limit {
            return true;
        }
        let enough = self.bytes >= self.waited.as_secs().saturating_mul(MIN_BYTES_PER_SECOND);
        self.waited = Duration::ZERO;
        self.bytes = 0;
        enough
    }
}

impl<R: Read> Paced<R> {
    pub(crate) fn new(inner: R, limit: Duration, host: String) -> Self {
        Self {
            inner,
            host,
            pace: Pace {
                limit,
                waited: Duration::ZERO,
                bytes: 0,
            },
        }
    }
}

impl<R: Read> Read for Paced<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let before = Instant::now();
        let count = match self.inner.read(buffer) {
            Ok(count) => count,
            Err(error) => {
                let timed_out = matches!(error.kind(), io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock)
                    || error
                        .get_ref()
                        .and_then(|inner| inner.downcast_ref::<ureq::Error>())
                        .is_some_and(|inner| matches!(inner, ureq::Error::Timeout(_)));
                return Err(if timed_out {
                    io::Error::new(io::ErrorKind::TimedOut, stalled(&self.host, self.pace.limit))
                } else {
                    error
                });
            }
        };
        if count > 0 && !self.pace.keeps_up(before.elapsed(), count) {
            return Err(io::Error::new(
                io::ErrorKind::TimedOut,
                format!(
                    "{} sends less than {MIN_BYTES_PER_SECOND} bytes a second",
                    self.host
                ),
            ));
        }
        Ok(count)
    }
}

/// Which requests go through a proxy, as the environment says.
#[derive(Clone, Default)]
pub(crate) struct Proxies {
    http: Option<String>,
    https: Option<String>,
    exceptions: Vec<Exception>,
}

/// One part of `NO_PROXY`.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Exception {
    Everything,
    Network {
        address: IpAddr,
        prefix: u8,
    },
    Name {
        suffix: String,
        also_itself: bool,
        port: Option<u16>,
    },
    Address {
        address: IpAddr,
        port: Option<u16>,
    },
}

impl Proxies {
    /// Reads `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`, or the lower-case forms.
    pub(crate) fn from_environment() -> Self {
        Self::from_lookup(|name| std::env::var(name).ok())
    }

    /// Both schemes through one proxy.
    #[cfg(test)]
    pub(crate) fn plain(proxy: &str) -> Self {
        Self {
            http: Some(proxy.to_owned()),
            https: Some(proxy.to_owned()),
            exceptions: Vec::new(),
        }
    }

    fn from_lookup(look_up: impl Fn(&str) -> Option<String>) -> Self {
        let value = |upper: &str, lower: &str| {
            look_up(upper)
                .filter(|text| !text.is_empty())
                .or_else(|| look_up(lower).filter(|text| !text.is_empty()))
        };
        Self {
            http: value("HTTP_PROXY", "http_proxy"),
            https: value("HTTPS_PROXY", "https_proxy"),
            exceptions: value("NO_PROXY", "no_proxy")
                .unwrap_or_default()
                .split(',')
                .filter_map(Exception::parse)
                .collect(),
        }
    }

    /// The proxy for a target, if it goes through one. This machine itself never does.
    fn for_target(&self, scheme: &str, host: &str, port: u16) -> Result<Option<ureq::Proxy>, RemoteError> {
        let Some(proxy) = (if scheme == "https" {
            &self.https
        } else {
            &self.http
        }) else {
            return Ok(None);
        };
        if is_loopback_name(host)
            || self
                .exceptions
                .iter()
                .any(|exception| exception.matches(host, port))
        {
            return Ok(None);
        }
        let variable = if scheme == "https" {
            "HTTPS_PROXY"
        } else {
            "HTTP_PROXY"
        };
        let invalid = |reason: &str| {
            RemoteError::unreachable(format!("the proxy in {variable} cannot be used: {reason}"))
                .with_hint("proxies are written http://host:port or http://user:password@host:port")
        };
        let parsed = ureq::Proxy::new(proxy).map_err(|_| invalid("it is not a proxy URL"))?;
        match parsed.protocol() {
            ureq::ProxyProtocol::Http | ureq::ProxyProtocol::Https => Ok(Some(parsed)),
            _ => Err(invalid("only http and https proxies are supported")),
        }
    }
}

impl Exception {
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim().to_ascii_lowercase();
        if text.is_empty() {
            return None;
        }
        if text == "*" {
            return Some(Self::Everything);
        }
        if let Some((address, prefix)) = text.split_once('/') {
            let (address, prefix) = (address.parse::<IpAddr>().ok()?, prefix.parse::<u8>().ok()?);
            let longest = if address.is_ipv4() { 32 } else { 128 };
            return (prefix <= longest).then_some(Self::Network { address, prefix });
        }
        if let Ok(address) = bare_host(&text).parse::<IpAddr>() {
            return Some(Self::Address { address, port: None });
        }
        let host = authority_host(&text);
        let port = match text.get(host.len()..).and_then(|rest| rest.strip_prefix(':')) {
            Some(port) => Some(port.parse().ok()?),
            None => None,
        };
        if let Ok(address) = bare_host(host).parse::<IpAddr>() {
            return Some(Self::Address { address, port });
        }
        let below = host.strip_prefix("*.").or_else(|| host.strip_prefix('.'));
        Some(Self::Name {
            suffix: format!(".{}", below.unwrap_or(host)),
            also_itself: below.is_none(),
            port,
        })
    }

    fn matches(&self, host: &str, target_port: u16) -> bool {
        let address = host.parse::<IpAddr>().ok();
        let port_fits = |port: &Option<u16>| port.is_none_or(|port| port == target_port);
        match self {
            Self::Everything => true,
            Self::Network {
                address: network,
                prefix,
            } => address.is_some_and(|address| in_network(address, *network, *prefix)),
            Self::Address {
                address: exempt,
                port,
            } => address == Some(*exempt) && port_fits(port),
            Self::Name {
                suffix,
                also_itself,
                port,
            } => {
                let host = host.trim_end_matches('.');
                let itself = suffix.strip_prefix('.') == Some(host);
                ((*also_itself && itself) || host.ends_with(suffix.as_str())) && port_fits(port)
            }
        }
    }
}

fn in_network(address: IpAddr, network: IpAddr, prefix: u8) -> bool {
    let shifted = |bits: u128, width: u32| bits.checked_shr(width - u32::from(prefix)).unwrap_or(0);
    match (address, network) {
        (IpAddr::V4(address), IpAddr::V4(network)) => {
            shifted(u128::from(u32::from(address)), 32) == shifted(u128::from(u32::from(network)), 32)
        }
        (IpAddr::V6(address), IpAddr::V6(network)) => {
            shifted(u128::from(address), 128) == shifted(u128::from(network), 128)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_addresses_are_recognised_in_every_disguise() {
        for (text, public) in [
            ("8.8.8.8", true),
            ("1.1.1.1", true),
            ("172.15.0.1", true),
            ("172.32.0.1", true),
            ("100.63.0.1", true),
            ("2606:4700::1111", true),
            ("::ffff:8.8.8.8", true),
            ("64:ff9b::808:808", true),
            ("2002:808:808::1", true),
            ("127.0.0.1", false),
            ("127.255.1.1", false),
            ("0.0.0.0", false),
            ("10.1.2.3", false),
            ("172.16.0.1", false),
            ("172.31.255.255", false),
            ("192.168.1.1", false),
            ("169.254.169.254", false),
            ("100.64.0.1", false),
            ("198.18.0.1", false),
            ("224.0.0.1", false),
            ("255.255.255.255", false),
            ("::1", false),
            ("::", false),
            ("fe80::1", false),
            ("fd00::1", false),
            ("ff02::1", false),
            ("::ffff:127.0.0.1", false),
            ("::ffff:169.254.169.254", false),
            ("::127.0.0.1", false),
            ("64:ff9b::7f00:1", false),
            ("64:ff9b::a9fe:a9fe", false),
            ("2002:7f00:1::", false),
            ("2001:db8::1", false),
        ] {
            assert_eq!(is_public(text.parse().unwrap()), public, "{text}");
        }
        assert!(is_local_name("localhost"));
        assert!(is_local_name("a.localhost"));
        assert!(is_local_name("10.0.0.1"));
        assert!(!is_local_name("registry.example"));
    }

    #[test]
    fn waits_double_up_to_a_cap_and_jitter_shortens_them() {
        let first = Duration::from_millis(500);
        for (attempt, random, milliseconds) in [
            (1, 0.0, 500),
            (2, 0.0, 1_000),
            (3, 0.0, 2_000),
            (3, 1.0, 1_000),
            (4, 0.5, 3_000),
            (30, 0.0, 10_000),
            (u32::MAX, 0.0, 10_000),
        ] {
            assert_eq!(
                backoff(first, attempt, random),
                Duration::from_millis(milliseconds),
                "attempt {attempt}, random {random}"
            );
        }
        let random = jitter();
        assert!((0.0..=1.0).contains(&random));
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        assert_eq!(retry_after("7"), Some(Duration::from_secs(7)));
        assert_eq!(retry_after(" 0 "), Some(Duration::ZERO));
        assert_eq!(retry_after("Sun, 06 Nov 1994 08:49:37 GMT"), Some(Duration::ZERO));
        assert!(retry_after("Wed, 01 Jan 2200 00:00:00 GMT").is_some_and(|wait| wait > MAX_RETRY_AFTER));
        assert_eq!(retry_after("soon"), None);
        assert_eq!(retry_after("-1"), None);
    }

    #[test]
    fn the_environment_says_what_goes_through_a_proxy() {
        let proxies = Proxies::from_lookup(|name| {
            Some(
                match name {
                    "HTTPS_PROXY" => "http://secure.example:3128",
                    "http_proxy" => "http://user:pw@plain.example:8080",
                    "NO_PROXY" => {
                        "internal.example, .below.example,*.star.example,10.0.0.0/8,192.0.2.7,ported.example:5000,fd00::/8,,bad/99"
                    }
                    _ => return None,
                }
                .to_owned(),
            )
        });
        for (scheme, host, port, expected) in [
            ("https", "registry.example", 443, Some("secure.example")),
            ("http", "registry.example", 80, Some("plain.example")),
            ("https", "internal.example", 443, None),
            ("https", "a.internal.example", 443, None),
            ("https", "notinternal.example", 443, Some("secure.example")),
            ("https", "below.example", 443, Some("secure.example")),
            ("https", "a.below.example", 443, None),
            ("https", "a.star.example", 443, None),
            ("https", "star.example", 443, Some("secure.example")),
            ("https", "10.200.0.1", 443, None),
            ("https", "11.0.0.1", 443, Some("secure.example")),
            ("https", "192.0.2.7", 8443, None),
            ("https", "ported.example", 5000, None),
            ("https", "ported.example", 443, Some("secure.example")),
            ("https", "fd12::1", 443, None),
            ("https", "localhost", 5000, None),
            ("http", "127.0.0.1", 5000, None),
            ("http", "::1", 5000, None),
        ] {
            let proxy = proxies.for_target(scheme, host, port).unwrap();
            assert_eq!(
                proxy.as_ref().map(ureq::Proxy::host),
                expected,
                "{scheme}://{host}:{port}"
            );
        }
        let all = Proxies::from_lookup(|name| match name {
            "HTTPS_PROXY" => Some("http://p.example".to_owned()),
            "no_proxy" => Some("*".to_owned()),
            _ => None,
        });
        assert!(
            all.for_target("https", "registry.example", 443)
                .unwrap()
                .is_none()
        );
    }

    #[test]
    fn a_proxy_that_cannot_be_used_is_an_error_without_its_password() {
        for value in [
            "socks5://user:hunter2@proxy.example",
            "ftp://user:hunter2@proxy.example",
            "http://",
        ] {
            let proxies = Proxies::from_lookup(|name| (name == "HTTPS_PROXY").then(|| value.to_owned()));
            let error = proxies.for_target("https", "registry.example", 443).unwrap_err();
            assert!(error.to_string().contains("HTTPS_PROXY"), "{error}");
            assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
        }
    }

    #[test]
    fn a_body_that_trickles_is_stalled() {
        let second = Duration::from_secs(1);
        let pace = || Pace {
            limit: second * 10,
            waited: Duration::ZERO,
            bytes: 0,
        };
        let mut trickle = pace();
        assert!((0..9).all(|_| trickle.keeps_up(second, 1)));
        assert!(!trickle.keeps_up(second, 1));
        let mut slow = pace();
        assert!((0..100).all(|_| slow.keeps_up(second, 300)));
        let mut fast_then_slow = pace();
        assert!(fast_then_slow.keeps_up(second * 10, 1 << 20));
        assert!(!fast_then_slow.keeps_up(second * 10, 1));
    }

    #[test]
    fn origins_differ_by_scheme_host_and_port() {
        assert_eq!(origin("https://A.example/x"), origin("https://a.example:443/y"));
        assert_ne!(origin("https://a.example/"), origin("http://a.example/"));
        assert_ne!(origin("https://a.example/"), origin("https://a.example:8443/"));
        assert_ne!(origin("https://a.example/"), origin("https://b.a.example/"));
        assert_eq!(origin("file:///etc/passwd"), None);
        assert_eq!(authority_host("[::1]:5000"), "[::1]");
        assert_eq!(authority_host("host:1"), "host");
    }

    #[test]
    fn a_registry_that_was_public_does_not_become_local() {
        let reach = Arc::new(AtomicU8::new(reach::UNKNOWN));
        let resolve = |address: &str, public| {
            let resolver = GuardedResolver {
                own_host: "registry.example".to_owned(),
                reach: Arc::clone(&reach),
                public_only: false,
                system: DefaultResolver::default(),
                hosts: vec![("registry.example".to_owned(), address.parse().unwrap(), public)],
            };
            let uri: Uri = "https://registry.example/v2/".parse().unwrap();
            resolver
                .resolve(&uri, &ureq::config::Config::default(), NextTimeout::default())
                .map(|_| ())
        };
        assert!(
            resolve("127.0.0.1:443", false).is_ok(),
            "a registry may be local from the start"
        );
        assert!(resolve("8.8.8.8:443", true).is_ok());
        for _ in 0..2 {
            let error = resolve("127.0.0.1:443", false).unwrap_err();
            assert!(error.to_string().contains("local address"), "{error}");
        }
        assert!(resolve("8.8.8.8:443", true).is_ok());
    }

    #[test]
    fn offline_means_no_client() {
        let error = Client::new(
            "registry.example",
            ClientOptions {
                offline: true,
                ..ClientOptions::default()
            },
        )
        .err()
        .unwrap();
        assert_eq!(error.kind(), RemoteErrorKind::Offline);
        assert!(error.to_string().contains("registry.example"));
        assert!(error.hint().is_some());
    }
}
