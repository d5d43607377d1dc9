//! Alerts reach real receivers on loopback: in order, again after failures, over restarts, and without one waiting for another.

use model::event::{Alert, FieldValue, Priority};
use rcgen::{CertifiedIssuer, KeyPair};
use server::notifiers;
use server::{Destination, OutputSettings, Outputs};
use std::io::{self, Read, Write};
use std::net::{TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use testkit::family;
use testkit::http::{Answer, Ending, Server};

const FIXTURES: &str = "crates/server/tests/notifier-fixtures";

/// Destinations that are understood and that are not, by the kind that a user meant.
const DESTINATIONS: [(&str, &[&str], &[&str]); 6] = [
    (
        "alertmanager",
        &[
            "alertmanager=http://127.0.0.1:9093",
            "alertmanager=https://am.example.com/prefix/api/v2/alerts",
        ],
        &[
            "alertmanager=am.example.com:9093",
            "alertmanager=unix:///run/am",
            "alertmanager=",
        ],
    ),
    (
        "file",
        &[
            "text=alerts.txt",
            "json=/var/log/hullward.json",
            "ocsf=/var/log/a=b",
        ],
        &["json", "json=", "log=/var/log/x", "json=https://example.com/"],
    ),
    (
        "otlp",
        &[
            "otlp=http://localhost:4318",
            "otlp=https://collector.example.com/v1/logs?x=y",
        ],
        &["otlp=grpc://localhost:4317", "otlp=http://"],
    ),
    ("stdout", &["text=-", "json=-", "ocsf=-"], &["stdout", "stdout=-"]),
    (
        "syslog",
        &[
            "syslog=udp://logs.example.com",
            "syslog=tcp://10.0.0.1:1514/",
            "syslog=tls://[2001:db8::1]",
            "syslog=unix:///dev/log",
        ],
        &[
            "syslog=logs.example.com",
            "syslog=http://logs.example.com",
            "syslog=udp://",
            "syslog=udp://host:99999",
            "syslog=udp://host:",
            "syslog=udp://user@host",
            "syslog=unix://dev/log",
        ],
    ),
    (
        "webhook",
        &[
            "webhook=https://hooks.example.com/services/x?y=z",
            "webhook=http://127.0.0.1:2801",
        ],
        &[
            "webhook=ftp://example.com",
            "webhook=https://user:secret@example.com/",
            "webhook=/path",
            "webhook=http://exa mple.com",
        ],
    ),
];

#[test]
fn family_agrees() {
    family::check(&family::Family {
        title: "Notifiers",
        introduction: "Where `hullward watch` sends alerts: `--output KIND=TARGET` and `[[watch.outputs]]`.",
        folder: "crates/server/src/notifiers",
        members: notifiers::ALL.iter().map(|kind| kind.meta()).collect(),
        fixtures: FIXTURES,
        page: "docs/reference/notifiers.md",
    });
}

/// `hit-destinations` lists what is understood as what, `miss-destinations` what is refused and why.
#[test]
fn destinations_are_understood() {
    for (name, good, bad) in DESTINATIONS {
        let folder = family::workspace_root().join(FIXTURES).join(name);
        let kind = notifiers::ALL
            .iter()
            .find(|kind| kind.meta().name == name)
            .expect("a notifier");
        let mut listing = String::new();
        for text in good {
            let destination = Destination::parse(text).expect(text);
            assert!(kind.takes(&destination.target), "{text}");
            listing.push_str(&format!("{text}\n  {destination:?}\n  {}\n", destination.name()));
        }
        family::check_generated(&folder.join("hit-destinations.txt"), &listing);
        let mut listing = String::new();
        for text in bad {
            let error = Destination::parse(text).expect_err(text).to_string();
            assert!(!error.contains("secret"), "{error}");
            listing.push_str(&format!("{text}\n  {error}\n"));
        }
        family::check_generated(&folder.join("miss-destinations.txt"), &listing);
    }
}

#[test]
fn settings_that_have_no_use_are_errors() {
    for (settings, expected) in [
        ("to = 'json=-'\npriority = 'loud'", "unknown priority `loud`"),
        (
            "to = 'json=-'\nspool = { directory = '/x' }",
            "`spool` has no use here",
        ),
        (
            "to = 'json=x'\nheaders = { a = 'b' }",
            "`headers` has no use here",
        ),
        (
            "to = 'otlp=http://x'\nformat = 'json'",
            "takes only the format otlp-logs",
        ),
        (
            "to = 'webhook=http://x'\nformat = 'yaml'",
            "unknown format `yaml`",
        ),
        (
            "to = 'webhook=http://x'\nkey = 'k'",
            "`certificate` and `key` belong together",
        ),
        (
            "to = 'syslog=udp://x'\nfacility = 24",
            "`facility` 24 is not within",
        ),
        ("to = 'json=-'\nqueue = 0", "must not be 0"),
    ] {
        let settings: OutputSettings = toml::from_str(settings).expect(expected);
        let error = settings.resolve().expect_err(expected).to_string();
        assert!(error.contains(expected), "{error}");
    }
    assert!(toml::from_str::<OutputSettings>("to = 'json=-'\ncolour = 1").is_err());
    let settings: OutputSettings =
        toml::from_str("to = 'webhook=http://x'\nformat = 'ocsf'\npriority = 'error'").expect("settings");
    let (destination, priority) = settings.resolve().expect("destination");
    assert_eq!(
        (destination.format.meta().name, priority),
        ("ocsf", Priority::Error)
    );
}

fn alert(number: u64) -> Arc<Alert> {
    Arc::new(Alert {
        time: 1_767_323_045_000_000_000 + number,
        rule: format!("Rule {number}"),
        priority: Priority::Warning,
        source: "syscall".to_owned(),
        tags: vec!["container".to_owned()],
        hostname: "node".to_owned(),
        output: format!("output {number}"),
        fields: vec![("proc.pid".to_owned(), FieldValue::Int(7))],
    })
}

fn start(settings: &[OutputSettings]) -> Outputs {
    Outputs::start(settings, &|| Box::new(io::sink())).expect("outputs")
}

/// Settings with short waits.
fn quick(to: impl Into<String>) -> OutputSettings {
    let mut settings = OutputSettings::new(to);
    settings.retry_milliseconds = 1;
    settings
}

/// Waits until something is so; a test whose condition never comes fails after a minute.
#[track_caller]
fn until(what: &str, condition: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(60);
    while !condition() {
        assert!(Instant::now() < end, "{what} did not come");
        std::thread::park_timeout(Duration::from_millis(2));
    }
}

const PATIENCE: Duration = Duration::from_secs(60);

fn count(outputs: &Outputs, index: usize) -> [u64; 3] {
    let counts = &outputs.counts()[index].1;
    [&counts.sent, &counts.failed, &counts.dropped].map(|count| count.load(Ordering::Relaxed))
}

#[test]
fn falcosidekick_gets_one_post_an_alert() {
    let server = Server::start(|_| Answer::new(200, ""));
    let folder = tempfile::tempdir().expect("folder");
    let token = folder.path().join("token");
    write(&token, "s3cr3t\n");
    let mut settings = quick(format!("webhook=http://{}/", server.authority()));
    settings.token_file = Some(token);
    settings.headers.insert("X-Team".to_owned(), "blue".to_owned());
    let outputs = start(&[settings]);
    for number in 0..5 {
        outputs.send(&alert(number));
    }
    outputs.stop(PATIENCE);
    let requests = server.requests();
    assert_eq!(requests.len(), 5);
    for (number, request) in requests.iter().enumerate() {
        assert_eq!((request.method.as_str(), request.path()), ("POST", "/"));
        assert_eq!(request.header("content-type"), Some("application/json"));
        assert_eq!(request.header("authorization"), Some("Bearer s3cr3t"));
        assert_eq!(request.header("x-team"), Some("blue"));
        let body: serde_json::Value = serde_json::from_slice(&request.body).expect("JSON");
        assert_eq!(body["rule"], format!("Rule {number}"));
        for key in [
            "rule",
            "hostname",
            "source",
            "priority",
            "output_fields",
            "output",
            "time",
            "tags",
        ] {
            assert!(body.get(key).is_some(), "{key}");
        }
    }
}

#[test]
fn failures_are_tried_again_and_refusals_are_not() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let server = Server::start(move |request| {
        let body = request.text();
        match counted.fetch_add(1, Ordering::SeqCst) {
            0 => Answer::new(200, "").ending(Ending::NoAnswer),
            1 => Answer::new(503, "").header("Retry-After", "0"),
            2 => Answer::new(302, "").header("Location", "http://127.0.0.1:1/elsewhere"),
            _ if body.contains("Rule 1") => Answer::new(400, "bad"),
            _ => Answer::new(204, ""),
        }
    });
    // Statuses 302 and 400 are final; the first alert is refused by the 302.
    let outputs = start(&[quick(format!("webhook=http://{}/", server.authority()))]);
    for number in 0..3 {
        outputs.send(&alert(number));
    }
    until("the last alert", || count(&outputs, 0) == [1, 2, 0]);
    assert_eq!(asked.load(Ordering::SeqCst), 5);
    let text = exposition(&outputs);
    assert!(
        text.contains(&format!(
            "hullward_output_alerts_total{{output=\"webhook:{}\",outcome=\"failed\"}} 2\n",
            server.authority()
        )),
        "{text}"
    );
    outputs.stop(PATIENCE);
}

fn exposition(outputs: &Outputs) -> String {
    let registry = server::metrics::Registry::default();
    registry.add(outputs.metrics());
    registry.text()
}

#[test]
fn batches_for_alertmanager_and_otlp() {
    let server = Server::start(|_| Answer::new(200, "{}"));
    let outputs = start(&[
        quick(format!("alertmanager=http://{}", server.authority())),
        quick(format!("otlp=http://{}", server.authority())),
    ]);
    for number in 0..250 {
        outputs.send(&alert(number));
    }
    until("all", || {
        count(&outputs, 0)[0] == 250 && count(&outputs, 1)[0] == 250
    });
    outputs.stop(PATIENCE);
    let mut alerts = 0;
    let mut records = 0;
    for request in server.requests() {
        let body: serde_json::Value = serde_json::from_slice(&request.body).expect("JSON");
        match request.path() {
            "/api/v2/alerts" => alerts += body.as_array().expect("a list").len(),
            "/v1/logs" => {
                records += body["resourceLogs"][0]["scopeLogs"][0]["logRecords"]
                    .as_array()
                    .expect("a list")
                    .len();
            }
            other => panic!("{other}"),
        }
    }
    assert_eq!((alerts, records), (250, 250));
}

#[test]
fn the_spool_carries_alerts_over_a_restart() {
    let folder = tempfile::tempdir().expect("folder");
    let spool = folder.path().join("spool");
    let settings = |authority: &str| {
        let mut settings = quick(format!("webhook=http://{authority}/"));
        settings.spool = Some(server::destination::SpoolSettings {
            directory: spool.clone(),
            max_mib: 1,
        });
        settings
    };
    // Nobody listens there: the port was free a moment ago.
    let free = TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .expect("port");
    let outputs = start(&[settings(&free.to_string())]);
    for number in 0..20 {
        outputs.send(&alert(number));
    }
    outputs.stop(Duration::ZERO);
    let server = Server::start(|_| Answer::new(200, ""));
    let outputs = start(&[settings(&server.authority())]);
    outputs.send(&alert(20));
    until("all", || count(&outputs, 0)[0] == 21);
    assert_eq!(count(&outputs, 0), [21, 0, 0]);
    outputs.stop(PATIENCE);
    let rules: Vec<String> = server
        .requests()
        .iter()
        .map(|request| {
            serde_json::from_slice::<serde_json::Value>(&request.body).expect("JSON")["rule"].to_string()
        })
        .collect();
    let expected: Vec<String> = (0..=20).map(|number| format!("\"Rule {number}\"")).collect();
    assert_eq!(rules, expected);
}

#[test]
fn one_that_hangs_keeps_no_other_waiting() {
    let silent = Server::start(|_| Answer::new(200, "").ending(Ending::Silence));
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("alerts.json");
    let mut hanging = quick(format!("webhook=http://{}/", silent.authority()));
    hanging.queue = 10;
    hanging.timeout_seconds = 600;
    let outputs = start(&[hanging, quick(format!("json={}", path.display()))]);
    outputs.send(&alert(0));
    until("the request", || !silent.requests().is_empty());
    for number in 1..1000 {
        outputs.send(&alert(number));
    }
    until("the file", || count(&outputs, 1)[0] == 1000);
    let [sent, failed, dropped] = count(&outputs, 0);
    assert_eq!((sent, failed, dropped), (0, 0, 1000 - 1 - 10));
    assert_eq!(read(&path).lines().count(), 1000);
    // The hanging one ends with its connection.
    drop(silent);
    drop(outputs);
}

#[test]
fn priorities_choose_destinations() {
    let folder = tempfile::tempdir().expect("folder");
    let file = |name: &str, priority: &str| {
        let mut settings = quick(format!("text={}", folder.path().join(name).display()));
        settings.priority = Some(priority.to_owned());
        settings
    };
    let outputs = start(&[
        file("all", "debug"),
        file("same", "warning"),
        file("few", "error"),
    ]);
    outputs.send(&alert(1));
    outputs.stop(PATIENCE);
    let lines = |name: &str| read(&folder.path().join(name)).lines().count();
    assert_eq!((lines("all"), lines("same"), lines("few")), (1, 1, 0));
}

/// A writer that many hold.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("not poisoned").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn standard_output_is_the_callers() {
    let shared = Shared::default();
    let writer = shared.clone();
    let outputs = Outputs::start(&[quick("text=-")], &move || Box::new(writer.clone())).expect("outputs");
    outputs.send(&alert(1));
    outputs.stop(PATIENCE);
    let text = String::from_utf8(shared.0.lock().expect("not poisoned").clone()).expect("UTF-8");
    assert_eq!(text, "03:04:05.000000001: Warning output 1\n");
}

#[test]
fn syslog_by_datagrams() {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("socket");
    let address = socket.local_addr().expect("address");
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("log");
    let local = std::os::unix::net::UnixDatagram::bind(&path).expect("socket");
    let outputs = start(&[
        quick(format!("syslog=udp://{address}")),
        quick(format!("syslog=unix://{}", path.display())),
    ]);
    outputs.send(&alert(1));
    let mut buffer = [0; 9000];
    for read in [
        &|buffer: &mut [u8]| socket.recv(buffer) as io::Result<usize>,
        &|buffer: &mut [u8]| local.recv(buffer),
    ] as [&dyn Fn(&mut [u8]) -> io::Result<usize>; 2]
    {
        let length = read(&mut buffer).expect("a datagram");
        let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
        assert!(
            text.starts_with("<12>1 2026-01-02T03:04:05.000000Z node hullward "),
            "{text}"
        );
        assert!(text.ends_with(" Warning output 1"), "{text}");
    }
    outputs.stop(PATIENCE);
}

/// One message with its length before it.
fn read_frame(stream: &mut impl Read) -> Option<String> {
    let mut length = 0;
    loop {
        let mut byte = [0];
        stream.read_exact(&mut byte).ok()?;
        match byte[0] {
            b' ' => break,
            digit => length = length * 10 + usize::from(digit - b'0'),
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    String::from_utf8(body).ok()
}

#[test]
fn syslog_by_a_stream_that_breaks() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("listener");
    let address = listener.local_addr().expect("address");
    let outputs = start(&[quick(format!("syslog=tcp://{address}"))]);
    outputs.send(&alert(1));
    let (mut stream, _) = listener.accept().expect("a connection");
    assert!(read_frame(&mut stream).expect("a message").ends_with("output 1"));
    until("counted", || count(&outputs, 0)[0] == 1);
    drop(stream);
    // The next alert notices that the connection is gone and makes a new one.
    outputs.send(&alert(2));
    let (mut stream, _) = listener.accept().expect("another connection");
    assert!(read_frame(&mut stream).expect("a message").ends_with("output 2"));
    outputs.stop(PATIENCE);
}

struct Certificates {
    folder: tempfile::TempDir,
}

impl Certificates {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let mut parameters = rcgen::CertificateParams::new(Vec::new()).expect("parameters");
        parameters.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let issuer =
            CertifiedIssuer::self_signed(parameters, KeyPair::generate().expect("key")).expect("root");
        write(&folder.path().join("ca.pem"), &issuer.pem());
        for name in ["localhost", "client"] {
            let key = KeyPair::generate().expect("key");
            let certificate = rcgen::CertificateParams::new(vec![name.to_owned()])
                .and_then(|parameters| parameters.signed_by(&key, &issuer))
                .expect("certificate");
            write(&folder.path().join(format!("{name}.pem")), &certificate.pem());
            write(&folder.path().join(format!("{name}.key")), &key.serialize_pem());
        }
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A server's side of TLS.
    fn server(&self) -> Arc<rustls::ServerConfig> {
        use rustls::pki_types::pem::PemObject;
        let chain = rustls::pki_types::CertificateDer::pem_file_iter(self.path("localhost.pem"))
            .expect("file")
            .collect::<Result<Vec<_>, _>>()
            .expect("PEM");
        let key = rustls::pki_types::PrivateKeyDer::from_pem_file(self.path("localhost.key")).expect("key");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        Arc::new(
            rustls::ServerConfig::builder_with_provider(provider)
                .with_safe_default_protocol_versions()
                .expect("versions")
                .with_no_client_auth()
                .with_single_cert(chain, key)
                .expect("certificate"),
        )
    }
}

#[test]
fn syslog_inside_tls() {
    let certificates = Certificates::new();
    let listener = TcpListener::bind("127.0.0.1:0").expect("listener");
    let port = listener.local_addr().expect("address").port();
    let accept = || {
        let (stream, _) = listener.accept().expect("a connection");
        let connection = rustls::ServerConnection::new(certificates.server()).expect("TLS");
        rustls::StreamOwned::new(connection, stream)
    };
    let mut settings = quick(format!("syslog=tls://localhost:{port}"));
    settings.ca = Some(certificates.path("ca.pem"));
    let outputs = start(&[settings]);
    outputs.send(&alert(1));
    let mut stream = accept();
    assert!(read_frame(&mut stream).expect("a message").ends_with("output 1"));
    until("counted", || count(&outputs, 0)[0] == 1);
    outputs.send(&alert(2));
    assert!(read_frame(&mut stream).expect("a message").ends_with("output 2"));
    until("counted", || count(&outputs, 0)[0] == 2);
    stream.conn.send_close_notify();
    stream.flush().expect("sent");
    drop(stream);
    outputs.send(&alert(3));
    let mut stream = accept();
    assert!(read_frame(&mut stream).expect("a message").ends_with("output 3"));
    outputs.stop(PATIENCE);

    // A server whose certificate nobody vouches for gets nothing.
    let mut settings = quick(format!("syslog=tls://localhost:{port}"));
    settings.attempts = 1;
    let outputs = match Outputs::start(&[settings], &|| Box::new(io::sink())) {
        Ok(outputs) => outputs,
        Err(error) => {
            assert!(error.to_string().contains("there are no roots"), "{error}");
            return;
        }
    };
    outputs.send(&alert(4));
    let mut stream = accept();
    assert_eq!(read_frame(&mut stream), None);
    drop(stream);
    until("given up", || count(&outputs, 0) == [0, 1, 0]);
    outputs.stop(PATIENCE);
}

#[allow(clippy::disallowed_methods, reason = "tests write files")]
fn write(path: &Path, text: &str) {
    std::fs::write(path, text).expect("written");
}

#[allow(clippy::disallowed_methods, reason = "tests read files")]
fn read(path: &Path) -> String {
    std::fs::read_to_string(path).expect("readable")
}
