//! The metrics page and the audit webhook, with clients that behave and clients that do not.

use server::metrics::{Exposition, MetricsServer, Registry};
use server::{AuditReceiver, AuditSettings, TlsFiles};
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

const ANY: &str = "127.0.0.1:0";

fn address() -> SocketAddr {
    ANY.parse().expect("address")
}

/// Sends bytes and reads to the end of the connection.
fn exchange(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).expect("connected");
    stream
        .set_read_timeout(Some(Duration::from_secs(60)))
        .expect("timeout");
    // A server that has seen enough may close before everything was written.
    let _ = stream.write_all(bytes);
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Ok(_) => {}
        Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{error}"),
    }
    String::from_utf8_lossy(&answer).into_owned()
}

fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or("none")
}

fn get(address: SocketAddr, path: &str) -> String {
    exchange(
        address,
        format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").as_bytes(),
    )
}

fn post(address: SocketAddr, path: &str, body: &str) -> String {
    exchange(
        address,
        format!(
            "POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .as_bytes(),
    )
}

#[test]
fn the_metrics_page() {
    let registry = Arc::new(Registry::default());
    registry.add(Arc::new(|out: &mut Exposition| {
        out.counter("hullward_events_total", "Events.", &[("type", "openat")], 7);
    }));
    let server = MetricsServer::start(address(), registry).expect("listening");
    let answer = get(server.address(), "/metrics");
    assert_eq!(status(&answer), "200");
    assert!(
        answer.contains("content-type: text/plain; version=0.0.4; charset=utf-8\r\n"),
        "{answer}"
    );
    assert!(
        answer.contains("# TYPE hullward_events_total counter\nhullward_events_total{type=\"openat\"} 7\n"),
        "{answer}"
    );
    assert!(get(server.address(), "/healthz").ends_with("\r\n\r\nok\n"));
    assert_eq!(status(&get(server.address(), "/")), "404");
    assert_eq!(status(&get(server.address(), "/metrics/../metrics")), "404");
    assert_eq!(status(&post(server.address(), "/metrics", "x")), "405");
    let head = exchange(
        server.address(),
        b"HEAD /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    );
    assert!(status(&head) == "200" && head.ends_with("\r\n\r\n"), "{head}");
    let taken = MetricsServer::start(server.address(), Arc::new(Registry::default()));
    let error = taken.err().expect("the address is taken").to_string();
    assert!(
        error.starts_with("cannot listen on 127.0.0.1:") && error.contains("for metrics"),
        "{error}"
    );
}

#[test]
fn clients_that_misbehave_harm_only_themselves() {
    let server = MetricsServer::start(address(), Arc::new(Registry::default())).expect("listening");
    let endless_head = [
        b"GET /metrics HTTP/1.1\r\n".as_slice(),
        &b"X: y\r\n".repeat(50_000),
    ]
    .concat();
    let long_path = format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(200_000));
    for (bytes, expected) in [
        (&b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..], &["400", "none"][..]),
        (b"GET\r\n\r\n", &["400", "none"]),
        (b"\0\0\0\0\r\n\r\n", &["400", "none"]),
        (&endless_head, &["431", "none"]),
        (long_path.as_bytes(), &["414", "431", "none"]),
        (b"GET /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 18446744073709551616\r\n\r\n", &["400", "none"]),
        (b"POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\n", &["400", "405", "none"]),
        (b"GET /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n", &["413"]),
        (b"GET /metrics HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nx", &["400", "413", "none"]),
    ] {
        let answer = exchange(server.address(), bytes);
        assert!(
            expected.contains(&status(&answer)),
            "{:?}: {answer}",
            String::from_utf8_lossy(bytes.get(..60).unwrap_or(bytes))
        );
        assert_eq!(status(&get(server.address(), "/healthz")), "200");
    }
}

#[test]
fn connections_are_limited() {
    let server = MetricsServer::start(address(), Arc::new(Registry::default())).expect("listening");
    // Sixty-four that say nothing take every place; the next is closed at once.
    let held: Vec<TcpStream> = (0..64)
        .map(|_| {
            let mut stream = TcpStream::connect(server.address()).expect("connected");
            // A whole request, so that the server is known to have taken the connection.
            stream
                .write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
                .expect("sent");
            let mut answer = [0; 16];
            stream.read_exact(&mut answer).expect("answered");
            stream
        })
        .collect();
    assert_eq!(get(server.address(), "/healthz"), "");
    drop(held);
    let end = std::time::Instant::now() + Duration::from_secs(60);
    while status(&get(server.address(), "/healthz")) != "200" {
        assert!(std::time::Instant::now() < end, "places never came free");
    }
}

fn receiver(max_body: usize, queue: usize) -> (AuditReceiver, Receiver<String>) {
    let (sender, events) = sync_channel(queue);
    let settings = AuditSettings {
        listen: address(),
        tls: None,
        max_body,
    };
    (
        AuditReceiver::start(&settings, sender).expect("listening"),
        events,
    )
}

#[test]
fn audit_events_are_taken_and_refused() {
    let (receiver, events) = receiver(1000, 2);
    let batch = r#"{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[{"auditID":"1"}]}"#;
    let to = receiver.address();
    assert_eq!(status(&post(to, "/k8s-audit?timeout=30s", batch)), "200");
    assert_eq!(events.recv().expect("a batch"), batch);
    assert_eq!(status(&post(to, "/", r#"{"kind":"Event"}"#)), "200");
    assert_eq!(status(&post(to, "/k8s-audit", "{\"kind\":")), "400");
    assert_eq!(status(&post(to, "/k8s-audit", r#"{"kind":"Pod"}"#)), "400");
    assert_eq!(status(&post(to, "/k8s-audit", &"[".repeat(900))), "400");
    assert_eq!(status(&post(to, "/other", batch)), "404");
    assert_eq!(status(&get(to, "/k8s-audit")), "405");
    assert_eq!(
        status(&post(to, "/k8s-audit", &format!("[{}]", "1,".repeat(600)))),
        "413"
    );
    let chunked = format!(
        "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n{}",
        format!("ff\r\n{}\r\n", " ".repeat(255)).repeat(10)
    );
    assert_eq!(status(&exchange(to, chunked.as_bytes())), "413");
    let broken = exchange(
        to,
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    );
    assert_eq!(status(&broken), "400");
    // One place is taken; the queue is full after one more.
    assert_eq!(status(&post(to, "/", batch)), "200");
    let full = post(to, "/", batch);
    assert!(
        status(&full) == "503" && full.contains("retry-after: 1\r\n"),
        "{full}"
    );
    assert_eq!(events.try_iter().count(), 2);
    assert_eq!(status(&post(to, "/", batch)), "200");
    let registry = Registry::default();
    registry.add(receiver.metrics());
    let text = registry.text();
    for line in [
        "hullward_audit_webhook_requests_total{outcome=\"accepted\"} 4",
        "hullward_audit_webhook_requests_total{outcome=\"invalid\"} 3",
        "hullward_audit_webhook_requests_total{outcome=\"too_large\"} 2",
        "hullward_audit_webhook_requests_total{outcome=\"busy\"} 1",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    drop(events);
    assert_eq!(status(&post(to, "/", batch)), "503");
}

#[test]
fn many_requests_on_one_connection() {
    let (receiver, events) = receiver(1000, 10);
    let body = r#"{"kind":"Event"}"#;
    let one = format!(
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let last = one.replace("Host: x", "Host: x\r\nConnection: close");
    let answers = exchange(receiver.address(), (one.repeat(4) + &last).as_bytes());
    assert_eq!(answers.matches("HTTP/1.1 200 OK").count(), 5, "{answers}");
    assert_eq!(events.try_iter().count(), 5);
}

struct Files(tempfile::TempDir);

impl Files {
    fn new() -> Self {
        let files = Self(tempfile::tempdir().expect("folder"));
        let mut parameters = rcgen::CertificateParams::new(Vec::new()).expect("parameters");
        parameters.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let key = rcgen::KeyPair::generate().expect("key");
        let issuer = rcgen::CertifiedIssuer::self_signed(parameters, key).expect("root");
        files.write("ca.pem", &issuer.pem());
        for name in ["localhost", "client"] {
            let key = rcgen::KeyPair::generate().expect("key");
            let certificate = rcgen::CertificateParams::new(vec![name.to_owned()])
                .and_then(|parameters| parameters.signed_by(&key, &issuer))
                .expect("certificate");
            files.write(&format!("{name}.pem"), &certificate.pem());
            files.write(&format!("{name}.key"), &key.serialize_pem());
        }
        files
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    #[allow(clippy::disallowed_methods, reason = "tests write files")]
    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).expect("written");
    }
}

/// Posts by TLS, with the outputs' own client.
fn deliver(to: &str, ca: &Path, client: Option<(&Path, &Path)>) -> [u64; 2] {
    use model::event::{Alert, Priority};
    let mut settings = server::OutputSettings::new(format!("webhook={to}"));
    settings.attempts = 1;
    settings.ca = Some(ca.to_owned());
    if let Some((certificate, key)) = client {
        settings.certificate = Some(certificate.to_owned());
        settings.key = Some(key.to_owned());
    }
    let outputs = server::Outputs::start(&[settings], &|| Box::new(std::io::sink())).expect("outputs");
    outputs.send(&Arc::new(Alert {
        time: 1,
        rule: "Rule".to_owned(),
        priority: Priority::Error,
        source: "syscall".to_owned(),
        tags: Vec::new(),
        hostname: "node".to_owned(),
        output: String::new(),
        fields: Vec::new(),
    }));
    let counts = outputs.counts();
    outputs.stop(Duration::from_secs(60));
    [&counts[0].1.sent, &counts[0].1.failed].map(|count| count.load(std::sync::atomic::Ordering::Relaxed))
}

#[test]
fn tls_with_and_without_certificates_of_clients() {
    let files = Files::new();
    for client_ca in [None, Some(files.path("ca.pem"))] {
        let asks = client_ca.is_some();
        let (sender, _events) = sync_channel(10);
        let settings = AuditSettings {
            listen: address(),
            tls: Some(TlsFiles {
                certificate: files.path("localhost.pem"),
                key: files.path("localhost.key"),
                client_ca,
            }),
            max_body: 1000,
        };
        let receiver = AuditReceiver::start(&settings, sender).expect("listening");
        // Plain HTTP is not answered.
        assert!(!post(receiver.address(), "/", "{}").contains("HTTP/1.1"));
        let to = format!("https://localhost:{}/k8s-audit", receiver.address().port());
        let (certificate, key) = (files.path("client.pem"), files.path("client.key"));
        let invalid = |receiver: &AuditReceiver| {
            let registry = Registry::default();
            registry.add(receiver.metrics());
            registry
                .text()
                .contains("requests_total{outcome=\"invalid\"} 1\n")
        };
        // An alert is no audit event, so 400 tells that the request arrived.
        assert_eq!(deliver(&to, &files.path("ca.pem"), None), [0, 1]);
        assert_eq!(invalid(&receiver), !asks);
        if asks {
            let client = Some((certificate.as_path(), key.as_path()));
            assert_eq!(deliver(&to, &files.path("ca.pem"), client), [0, 1]);
            assert!(invalid(&receiver));
        }
    }
    for (certificate, key, expected) in [
        ("none.pem", "localhost.key", "none.pem: cannot be read"),
        (
            "localhost.key",
            "localhost.key",
            "localhost.key: holds no certificate",
        ),
        ("localhost.pem", "ca.pem", "ca.pem: holds no private key"),
        ("localhost.pem", "client.key", "certificate and key do not fit"),
    ] {
        let (sender, _events) = sync_channel(1);
        let settings = AuditSettings {
            listen: address(),
            tls: Some(TlsFiles {
                certificate: files.path(certificate),
                key: files.path(key),
                client_ca: None,
            }),
            max_body: 1000,
        };
        let error = AuditReceiver::start(&settings, sender)
            .err()
            .expect(expected)
            .to_string();
        assert!(error.contains(expected), "{error}");
    }
}
