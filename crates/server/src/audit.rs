//! The webhook that the Kubernetes API server posts its audit events to.

use crate::http::{Answer, HttpServer, Limits, Request, Route, ServeError, TlsFiles};
use crate::metrics::{Counter, Exposition, MetricsSource};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError};

/// Where and how audit events are received.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditSettings {
    /// The address to listen on, such as `127.0.0.1:9766`.
    pub listen: SocketAddr,
    /// TLS, without which whoever reaches the address can read along and invent events.
    #[serde(default)]
    pub tls: Option<TlsFiles>,
    /// Largest body in bytes; the API server's own limit is 10 MiB unless it is changed.
    #[serde(default = "default_body")]
    pub max_body: usize,
}

impl AuditSettings {
    /// An address without TLS and with the usual limit.
    #[must_use]
    pub fn new(listen: SocketAddr) -> Self {
        Self {
            listen,
            tls: None,
            max_body: default_body(),
        }
    }
}

fn default_body() -> usize {
    16 * 1024 * 1024
}

/// Paths that are answered; the second is what Falco's plugin uses.
const PATHS: [&str; 2] = ["/", "/k8s-audit"];

#[derive(Default)]
struct Counts {
    accepted: Counter,
    bytes: Counter,
    invalid: Counter,
    too_large: Counter,
    busy: Counter,
}

/// A running receiver; it ends when dropped.
pub struct AuditReceiver {
    server: HttpServer,
    counts: Arc<Counts>,
}

impl AuditReceiver {
    /// Listens. Each accepted body (an `EventList`, one event, or a list of events, known to be JSON) goes to `queue` as it
    /// came. A full queue answers 503, whereupon the API server posts the batch again.
    ///
    /// # Errors
    /// When the address cannot be listened on, or certificate or key are not usable.
    pub fn start(settings: &AuditSettings, queue: SyncSender<String>) -> Result<Self, ServeError> {
        let counts = Arc::new(Counts::default());
        let route = Webhook {
            queue,
            max_body: settings.max_body,
            counts: Arc::clone(&counts),
        };
        let server = HttpServer::start(
            "audit events",
            settings.listen,
            settings.tls.as_ref(),
            Limits::default(),
            route,
        )?;
        Ok(Self { server, counts })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// What was received and refused.
    #[must_use]
    pub fn metrics(&self) -> Arc<dyn MetricsSource> {
        Arc::new(AuditMetrics {
            counts: Arc::clone(&self.counts),
            refused: self.server.refused(),
        })
    }
}

struct AuditMetrics {
    counts: Arc<Counts>,
    refused: Arc<AtomicU64>,
}

impl MetricsSource for AuditMetrics {
    fn collect(&self, out: &mut Exposition) {
        const REQUESTS: &str = "hullward_audit_webhook_requests_total";
        const HELP: &str = "Requests to the audit webhook by outcome.";
        for (outcome, counter) in [
            ("accepted", &self.counts.accepted),
            ("invalid", &self.counts.invalid),
            ("too_large", &self.counts.too_large),
            ("busy", &self.counts.busy),
        ] {
            out.counter(REQUESTS, HELP, &[("outcome", outcome)], counter.get());
        }
        out.counter(
            "hullward_audit_webhook_bytes_total",
            "Bytes of accepted audit events.",
            &[],
            self.counts.bytes.get(),
        );
        out.counter(
            "hullward_audit_webhook_refused_connections_total",
            "Connections to the audit webhook that were closed because there were too many.",
            &[],
            self.refused.load(Ordering::Relaxed),
        );
    }
}

struct Webhook {
    queue: SyncSender<String>,
    max_body: usize,
    counts: Arc<Counts>,
}

impl Route for Webhook {
    fn admit(&self, method: &str, path: &str) -> Result<usize, Answer> {
        if !PATHS.contains(&path) {
            return Err(Answer::text(404, "audit events are posted to /k8s-audit\n"));
        }
        match method {
            "POST" => Ok(self.max_body),
            _ => Err(Answer::text(405, "audit events are posted\n").header("allow", "POST")),
        }
    }

    fn answer(&self, request: Request) -> Answer {
        let text = match std::str::from_utf8(&request.body) {
            Ok(text) => text,
            Err(_) => {
                self.counts.invalid.add(1);
                return Answer::text(400, "the body is not UTF-8\n");
            }
        };
        if let Err(reason) = check(text) {
            self.counts.invalid.add(1);
            return Answer::text(400, format!("{reason}\n"));
        }
        let length = text.len() as u64;
        match self.queue.try_send(text.to_owned()) {
            Ok(()) => {
                self.counts.accepted.add(1);
                self.counts.bytes.add(length);
                Answer::text(200, "taken\n")
            }
            Err(TrySendError::Full(_)) => {
                self.counts.busy.add(1);
                Answer::text(503, "events come faster than they are judged\n").header("retry-after", "1")
            }
            Err(TrySendError::Disconnected(_)) => {
                self.counts.busy.add(1);
                Answer::text(503, "the receiver is stopping\n")
            }
        }
    }

    fn too_large(&self) {
        self.counts.too_large.add(1);
    }
}

/// Whether a body is a batch of audit events, one, or a list of such.
fn check(text: &str) -> Result<(), String> {
    #[derive(Deserialize)]
    struct Head<'a> {
        #[serde(borrow, default)]
        kind: Option<&'a RawValue>,
        #[serde(borrow, default)]
        items: Option<&'a RawValue>,
    }
    let no_json = |error: serde_json::Error| format!("the body is no JSON: {error}");
    if text.trim_start().starts_with('[') {
        return serde_json::from_str::<Vec<&RawValue>>(text)
            .map(drop)
            .map_err(no_json);
    }
    let whole: &RawValue = serde_json::from_str(text).map_err(no_json)?;
    let head: Head<'_> =
        serde_json::from_str(whole.get()).map_err(|_| "the body is no JSON object".to_owned())?;
    match head.kind.map(RawValue::get) {
        Some("\"EventList\"") => match head.items {
            Some(items) if items.get().starts_with('[') => Ok(()),
            _ => Err("the EventList has no list of items".to_owned()),
        },
        Some("\"Event\"") => Ok(()),
        Some(other) => Err(format!(
            "the body is of kind {}, not EventList or Event",
            other.chars().take(64).collect::<String>()
        )),
        None => Err("the body has no kind; EventList or Event is expected".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies() {
        for good in [
            r#"{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[]}"#,
            r#" {"kind":"Event","auditID":"1"} "#,
            r#"[{"kind":"Event"}]"#,
        ] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for (bad, reason) in [
            (
                "",
                "the body is no JSON: EOF while parsing a value at line 1 column 0",
            ),
            (
                "{",
                "the body is no JSON: EOF while parsing an object at line 1 column 1",
            ),
            ("7", "the body is no JSON object"),
            ("{}", "the body has no kind; EventList or Event is expected"),
            (
                r#"{"kind":"Pod"}"#,
                "the body is of kind \"Pod\", not EventList or Event",
            ),
            (r#"{"kind":"EventList"}"#, "the EventList has no list of items"),
            (
                r#"{"kind":"EventList","items":{}}"#,
                "the EventList has no list of items",
            ),
        ] {
            assert_eq!(check(bad), Err(reason.to_owned()), "{bad}");
        }
    }
}
