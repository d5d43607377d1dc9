//! Deliveries over HTTP, which webhooks, Alertmanager and OTLP share.

use crate::destination::Target;
use crate::http::certificates;
use crate::notifiers::{Notifier, Plan, SendError};
use model::event::Alert;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::Duration;
use ureq::tls::{Certificate, ClientCert, PrivateKey, RootCerts, TlsConfig};

/// Largest token or key file.
const MAX_FILE: u64 = 64 * 1024;
/// The longest wait that a receiver may ask for.
const MAX_RETRY_AFTER: u64 = 300;

/// Posts to one address.
pub(crate) struct Poster {
    plan: Plan,
    agent: ureq::Agent,
    address: String,
    batch: usize,
}

impl Poster {
    pub(crate) fn new(plan: Plan, batch: usize) -> Result<Self, String> {
        let address = match &plan.destination.target {
            Target::Webhook(uri) | Target::Alertmanager(uri) | Target::Otlp(uri) => uri.to_string(),
            _ => return Err("is no address".to_owned()),
        };
        for (name, value) in &plan.settings.headers {
            http::HeaderName::try_from(name.as_str())
                .map_err(|_| format!("`{name}` is no name of a header"))?;
            http::HeaderValue::try_from(value.as_str()).map_err(|_| {
                format!("the value of the header `{name}` has characters that headers must not have")
            })?;
        }
        if let Some(path) = &plan.settings.token_file {
            token(path)?;
        }
        let time = Duration::from_secs(plan.settings.timeout_seconds);
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            // A redirection would carry alerts to where nobody sent them.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(concat!("hullward/", env!("CARGO_PKG_VERSION")))
            .accept_encoding("identity")
            .timeout_global(Some(time))
            .tls_config(tls(&plan)?)
            .build();
        Ok(Self {
            plan,
            agent: config.new_agent(),
            address,
            batch,
        })
    }
}

impl Notifier for Poster {
    fn batch(&self) -> usize {
        self.batch
    }

    fn encode(&self, alerts: &[&Alert]) -> Vec<u8> {
        let mut body = self.plan.encode(alerts);
        // A request is one document, not a line.
        if body.last() == Some(&b'\n') {
            body.pop();
        }
        body
    }

    fn send(&mut self, body: &[u8]) -> Result<(), SendError> {
        let name = self.plan.destination.name();
        let mut request = self
            .agent
            .post(&self.address)
            .header("content-type", self.plan.destination.format.content_type());
        for (name, value) in &self.plan.settings.headers {
            request = request.header(name, value);
        }
        if let Some(path) = &self.plan.settings.token_file {
            // Tokens are replaced while the program runs.
            let token = token(path).map_err(|reason| SendError::again(format!("{name}: {reason}")))?;
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let response = request
            .send(body)
            .map_err(|error| SendError::again(format!("{name}: {error}")))?;
        let status = response.status().as_u16();
        if (200..300).contains(&status) {
            return Ok(());
        }
        let retry = matches!(status, 401 | 403 | 408 | 425 | 429 | 500..) && !matches!(status, 501 | 505);
        let after = response
            .headers()
            .get("retry-after")
            .and_then(|value| value.to_str().ok()?.trim().parse::<u64>().ok())
            .map(|seconds| Duration::from_secs(seconds.min(MAX_RETRY_AFTER)));
        Err(SendError {
            retry,
            after: after.filter(|_| retry),
            message: format!("{name}: answered with status {status}"),
        })
    }
}

fn tls(plan: &Plan) -> Result<TlsConfig, String> {
    let settings = &plan.settings;
    let mut trusted: Vec<Certificate<'static>> = rustls_native_certs::load_native_certs()
        .certs
        .iter()
        .map(|certificate| Certificate::from_der(certificate).to_owned())
        .collect();
    let read = |path: &Path| -> Result<Vec<Certificate<'static>>, String> {
        Ok(certificates(path)
            .map_err(|error| error.to_string())?
            .iter()
            .map(|certificate| Certificate::from_der(certificate).to_owned())
            .collect())
    };
    if let Some(path) = &settings.ca {
        trusted.extend(read(path)?);
    }
    let roots = if trusted.is_empty() {
        RootCerts::WebPki
    } else {
        RootCerts::new_with_certs(&trusted)
    };
    let mut builder = TlsConfig::builder().root_certs(roots);
    if let (Some(certificate), Some(key)) = (&settings.certificate, &settings.key) {
        let chain = read(certificate)?;
        let key = PrivateKey::from_pem(&small_file(key)?)
            .map_err(|error| format!("{} holds no private key in PEM form: {error}", key.display()))?;
        builder = builder.client_cert(Some(ClientCert::new_with_certs(&chain, key)));
    }
    Ok(builder.build())
}

#[allow(
    clippy::disallowed_methods,
    reason = "a file that the settings name, with a cap"
)]
fn small_file(path: &Path) -> Result<Vec<u8>, String> {
    let fail = |error: std::io::Error| format!("{} cannot be read: {error}", path.display());
    let mut bytes = Vec::new();
    File::open(path)
        .map_err(fail)?
        .take(MAX_FILE + 1)
        .read_to_end(&mut bytes)
        .map_err(fail)?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(format!(
            "{} is larger than {} KiB",
            path.display(),
            MAX_FILE >> 10
        ));
    }
    Ok(bytes)
}

/// The token of a file, without blanks around it.
fn token(path: &Path) -> Result<String, String> {
    let bytes = small_file(path)?;
    let token = String::from_utf8_lossy(&bytes).trim().to_owned();
    if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(format!("{} holds no token", path.display()));
    }
    Ok(token)
}
