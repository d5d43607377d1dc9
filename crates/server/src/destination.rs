//! Where alerts go: `KIND=TARGET` of the command line, and the same with settings in `hullward.toml`.

use http::Uri;
use model::event::Priority;
use report::alerts::{self, AlertFormat};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// A destination that cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct DestinationError(String);

impl DestinationError {
    fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

/// How a syslog server is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// One datagram a message.
    Udp,
    /// A stream with the length before each message (RFC 6587).
    Tcp,
    /// The same inside TLS (RFC 5425).
    Tls,
    /// The local datagram socket, such as `/dev/log`.
    Unix,
}

/// Where alerts go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Standard output.
    Stdout,
    /// A file.
    File(PathBuf),
    /// A syslog server: `host:port`, or the path of a socket.
    Syslog(Transport, String),
    /// An address that takes alerts one by one.
    Webhook(Uri),
    /// The alerts address of an Alertmanager.
    Alertmanager(Uri),
    /// The logs address of an OTLP/HTTP receiver.
    Otlp(Uri),
}

/// A place that alerts are sent to, and in which form.
#[derive(Clone)]
pub struct Destination {
    /// Where to.
    pub target: Target,
    /// In which form.
    pub format: &'static dyn AlertFormat,
}

impl fmt::Debug for Destination {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} to {:?}", self.format.meta().name, self.target)
    }
}

/// The kinds and what stands after them.
const KINDS: [(&str, &str); 7] = [
    ("alertmanager", "http://HOST:9093"),
    ("json", "FILE, or - for standard output"),
    ("ocsf", "FILE, or - for standard output"),
    ("otlp", "http://HOST:4318"),
    (
        "syslog",
        "udp://HOST:514, tcp://HOST:PORT, tls://HOST:6514 or unix:///dev/log",
    ),
    ("text", "FILE, or - for standard output"),
    ("webhook", "https://HOST/PATH"),
];

impl FromStr for Destination {
    type Err = DestinationError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl Destination {
    /// Understands `KIND=TARGET`.
    ///
    /// # Errors
    /// With what is wrong and what would be right.
    pub fn parse(text: &str) -> Result<Self, DestinationError> {
        let names: Vec<&str> = KINDS.iter().map(|(name, _)| *name).collect();
        let Some((kind, target)) = text.split_once('=') else {
            return Err(DestinationError::new(format!(
                "destination `{text}` has no `=`: write KIND=TARGET, where KIND is one of {}",
                names.join(", ")
            )));
        };
        let Some((_, usual)) = KINDS.iter().find(|(name, _)| *name == kind) else {
            return Err(DestinationError::new(format!(
                "unknown kind of destination `{kind}`: use one of {}",
                names.join(", ")
            )));
        };
        if target.is_empty() {
            return Err(DestinationError::new(format!(
                "destination `{text}` has no target: write {kind}={usual}"
            )));
        }
        let format = |name: &str| {
            alerts::find(name).ok_or_else(|| DestinationError::new(format!("unknown alert format `{name}`")))
        };
        let (target, format) = match kind {
            "alertmanager" => (
                Target::Alertmanager(url(kind, target, "/api/v2/alerts")?),
                format(kind)?,
            ),
            "otlp" => (Target::Otlp(url(kind, target, "/v1/logs")?), format(kind)?),
            "webhook" => (Target::Webhook(url(kind, target, "/")?), format("json")?),
            "syslog" => (syslog(target)?, format(kind)?),
            _ if target == "-" => (Target::Stdout, format(kind)?),
            _ if target.starts_with("http://") || target.starts_with("https://") => {
                return Err(DestinationError::new(format!(
                    "`{kind}` writes files, and `{target}` is an address: write webhook={target}"
                )));
            }
            _ => (Target::File(PathBuf::from(target)), format(kind)?),
        };
        Ok(Self { target, format })
    }

    /// A name for counters and messages, without anything secret.
    #[must_use]
    pub fn name(&self) -> String {
        let host = |uri: &Uri| uri.authority().map(ToString::to_string).unwrap_or_default();
        match &self.target {
            Target::Stdout => "stdout".to_owned(),
            Target::File(path) => format!("file:{}", path.display()),
            Target::Syslog(Transport::Udp, address) => format!("syslog:udp://{address}"),
            Target::Syslog(Transport::Tcp, address) => format!("syslog:tcp://{address}"),
            Target::Syslog(Transport::Tls, address) => format!("syslog:tls://{address}"),
            Target::Syslog(Transport::Unix, address) => format!("syslog:unix://{address}"),
            Target::Webhook(uri) => format!("webhook:{}", host(uri)),
            Target::Alertmanager(uri) => format!("alertmanager:{}", host(uri)),
            Target::Otlp(uri) => format!("otlp:{}", host(uri)),
        }
    }
}

fn url(kind: &str, text: &str, usual_path: &str) -> Result<Uri, DestinationError> {
    let wrong = |what: &str| {
        DestinationError::new(format!(
            "`{kind}={}` {what}: write {kind}=https://HOST:PORT/PATH",
            without_user(text)
        ))
    };
    let uri: Uri = text.parse().map_err(|_| wrong("is no address"))?;
    if !matches!(uri.scheme_str(), Some("http" | "https")) {
        return Err(wrong("begins with neither http:// nor https://"));
    }
    let authority = uri.authority().ok_or_else(|| wrong("names no host"))?;
    if authority.as_str().contains('@') {
        return Err(DestinationError::new(format!(
            "`{kind}={}` names a user: put what authorises into `headers` or `token_file` of hullward.toml, since addresses are shown",
            without_user(text)
        )));
    }
    if authority.host().is_empty() {
        return Err(wrong("names no host"));
    }
    if uri.path() == "/" && uri.query().is_none() && usual_path != "/" {
        let mut parts = uri.into_parts();
        parts.path_and_query = usual_path.parse().ok();
        return Uri::from_parts(parts).map_err(|_| wrong("is no address"));
    }
    Ok(uri)
}

/// An address without what stands before an `@`, which may be a password.
fn without_user(text: &str) -> String {
    match (text.find("://"), text.rfind('@')) {
        (Some(start), Some(end)) if start + 3 <= end => {
            format!(
                "{}...{}",
                text.get(..start + 3).unwrap_or_default(),
                text.get(end..).unwrap_or_default()
            )
        }
        _ => text.to_owned(),
    }
}

fn syslog(text: &str) -> Result<Target, DestinationError> {
    let wrong = |what: &str| {
        DestinationError::new(format!(
            "`syslog={text}` {what}: write syslog=udp://HOST:514, tcp://HOST:PORT, tls://HOST:6514 or unix:///dev/log"
        ))
    };
    let Some((scheme, rest)) = text.split_once("://") else {
        return Err(wrong("has no scheme"));
    };
    let (transport, port) = match scheme {
        "udp" => (Transport::Udp, "514"),
        "tcp" => (Transport::Tcp, "601"),
        "tls" => (Transport::Tls, "6514"),
        "unix" if rest.starts_with('/') => return Ok(Target::Syslog(Transport::Unix, rest.to_owned())),
        "unix" => return Err(wrong("has no absolute path")),
        _ => return Err(wrong("has an unknown scheme")),
    };
    let authority: http::uri::Authority = rest
        .trim_end_matches('/')
        .parse()
        .map_err(|_| wrong("names no host"))?;
    if authority.host().is_empty() || authority.as_str().contains('@') {
        return Err(wrong("names no host"));
    }
    // The port is looked at by hand, since one that is too large counts as none.
    let address = match authority
        .as_str()
        .strip_prefix(authority.host())
        .unwrap_or_default()
    {
        "" => format!("{authority}:{port}"),
        given => match given.strip_prefix(':').map(str::parse::<u16>) {
            Some(Ok(number)) if number != 0 => authority.to_string(),
            _ => return Err(wrong("has a port that is none")),
        },
    };
    Ok(Target::Syslog(transport, address))
}

/// One destination of `[[watch.outputs]]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutputSettings {
    /// `KIND=TARGET`.
    pub to: String,
    /// Another form than the kind's own: the name of an alert format.
    #[serde(default)]
    pub format: Option<String>,
    /// Only alerts at least as pressing as this.
    #[serde(default)]
    pub priority: Option<String>,
    /// Text begins with the whole date.
    #[serde(default)]
    pub iso_8601: bool,
    /// The time of the day in text is that of the host's zone instead of UTC.
    #[serde(default)]
    pub local_time: bool,
    /// Alerts that may wait in memory; more are dropped and counted.
    #[serde(default = "queue")]
    pub queue: usize,
    /// How long one delivery may take.
    #[serde(default = "timeout")]
    pub timeout_seconds: u64,
    /// How often a delivery is tried when there is no spool.
    #[serde(default = "attempts")]
    pub attempts: u32,
    /// The wait after the first failure; it doubles with each, up to a minute.
    #[serde(default = "retry")]
    pub retry_milliseconds: u64,
    /// Further headers of requests.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// A file whose content is sent as bearer token, read anew for each delivery.
    #[serde(default)]
    pub token_file: Option<PathBuf>,
    /// Roots for TLS beside those of the system, in PEM form.
    #[serde(default)]
    pub ca: Option<PathBuf>,
    /// The certificate to show to the server, in PEM form.
    #[serde(default)]
    pub certificate: Option<PathBuf>,
    /// Its private key.
    #[serde(default)]
    pub key: Option<PathBuf>,
    /// The syslog facility, 0 to 23.
    #[serde(default = "facility")]
    pub facility: u8,
    /// When files are rotated.
    #[serde(default)]
    pub rotate: Option<RotateSettings>,
    /// Where undelivered alerts wait.
    #[serde(default)]
    pub spool: Option<SpoolSettings>,
}

fn queue() -> usize {
    10_000
}

fn timeout() -> u64 {
    10
}

fn attempts() -> u32 {
    10
}

fn retry() -> u64 {
    1000
}

fn facility() -> u8 {
    1
}

/// When a file is put aside and begun anew.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RotateSettings {
    /// When it is this long, in MiB.
    pub max_mib: u64,
    /// How many old ones are kept, as `FILE.1` (the newest) and so on.
    #[serde(default = "kept")]
    pub files: u32,
}

fn kept() -> u32 {
    5
}

/// A folder in which undelivered alerts wait.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpoolSettings {
    /// The folder, which no other destination uses.
    pub directory: PathBuf,
    /// How large it may grow, in MiB; the oldest alerts go first.
    #[serde(default = "spool_size")]
    pub max_mib: u64,
}

fn spool_size() -> u64 {
    64
}

impl OutputSettings {
    /// The usual settings for a destination of the command line.
    #[must_use]
    pub fn new(to: impl Into<String>) -> Self {
        Self {
            to: to.into(),
            format: None,
            priority: None,
            iso_8601: false,
            local_time: false,
            queue: queue(),
            timeout_seconds: timeout(),
            attempts: attempts(),
            retry_milliseconds: retry(),
            headers: BTreeMap::new(),
            token_file: None,
            ca: None,
            certificate: None,
            key: None,
            facility: facility(),
            rotate: None,
            spool: None,
        }
    }

    /// The destination with its format, and the least pressing priority that it takes.
    ///
    /// # Errors
    /// When `to`, `format`, `priority` or `facility` cannot be understood, or settings are given that the kind has no use for.
    pub fn resolve(&self) -> Result<(Destination, Priority), DestinationError> {
        let mut destination = Destination::parse(&self.to)?;
        let place = |message: String| {
            DestinationError::new(format!("destination `{}`: {message}", destination.name()))
        };
        let priority = match &self.priority {
            Some(name) => name.parse().map_err(|error| place(format!("{error}")))?,
            None => Priority::Debug,
        };
        let is_http = matches!(
            destination.target,
            Target::Webhook(_) | Target::Alertmanager(_) | Target::Otlp(_)
        );
        let is_tls = is_http || matches!(destination.target, Target::Syslog(Transport::Tls, _));
        let is_file = matches!(destination.target, Target::File(_));
        let is_network = is_http || matches!(destination.target, Target::Syslog(..));
        for (given, fits, name) in [
            (!self.headers.is_empty(), is_http, "headers"),
            (self.token_file.is_some(), is_http, "token_file"),
            (self.ca.is_some(), is_tls, "ca"),
            (self.certificate.is_some(), is_tls, "certificate"),
            (self.key.is_some(), is_tls, "key"),
            (self.rotate.is_some(), is_file, "rotate"),
            (self.spool.is_some(), is_network, "spool"),
        ] {
            if given && !fits {
                return Err(place(format!("`{name}` has no use here; leave it out")));
            }
        }
        if self.certificate.is_some() != self.key.is_some() {
            return Err(place(
                "`certificate` and `key` belong together; give both".to_owned(),
            ));
        }
        if self.facility > 23 {
            return Err(place(format!(
                "`facility` {} is not within 0 to 23",
                self.facility
            )));
        }
        if self.queue == 0 || self.timeout_seconds == 0 || self.attempts == 0 {
            return Err(place(
                "`queue`, `timeout_seconds` and `attempts` must not be 0".to_owned(),
            ));
        }
        if let Some(name) = &self.format {
            let format = alerts::find(name).ok_or_else(|| {
                let names: Vec<&str> = alerts::ALL.iter().map(|format| format.meta().name).collect();
                place(format!(
                    "unknown format `{name}`: use one of {}",
                    names.join(", ")
                ))
            })?;
            let fixed = matches!(
                destination.target,
                Target::Alertmanager(_) | Target::Otlp(_) | Target::Syslog(..)
            );
            if fixed && format.meta().name != destination.format.meta().name {
                return Err(place(format!(
                    "takes only the format {}",
                    destination.format.meta().name
                )));
            }
            destination.format = format;
        }
        Ok((destination, priority))
    }
}
