//! Pulling from a registry by the OCI distribution protocol.

mod auth;
mod credentials;
#[cfg(test)]
mod tests;

use crate::Secret;
use crate::decompress::Hasher;
use crate::network::{
    Client, ClientOptions, Paced, RemoteError, RemoteErrorKind, Request, Response, authority_host, bare_host,
    is_loopback_name, origin, quoted,
};
use crate::reference::Reference;
use credentials::{Credentials, Found};
use model::Digest;
use std::io::{self, Read};
use std::sync::{Arc, Mutex, PoisonError};

/// Largest manifest or index, in bytes; registries refuse larger ones from 4 MiB on.
const MAX_MANIFEST_BYTES: u64 = 8 * 1024 * 1024;
/// Largest error document that is looked at, in bytes.
const MAX_ERROR_BYTES: u64 = 64 * 1024;
/// How often one blob's broken body is taken up again, in all.
const MAX_RESUMES: u32 = 20;
/// How often in a row a body may bring nothing at all.
const MAX_FRUITLESS: u32 = 4;
/// The manifests and indexes that are understood.
const MANIFEST_TYPES: &str = "application/vnd.oci.image.index.v1+json, \
    application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, \
    application/vnd.docker.distribution.manifest.v2+json";

/// A manifest or index as the registry stores it.
pub(crate) struct Manifest {
    pub(crate) bytes: Vec<u8>,
    /// Of the answer's header; the document may name its type itself.
    pub(crate) media_type: Option<String>,
}

/// One repository of one registry, ready to be read.
pub(crate) struct Repository {
    client: Client,
    /// `https://host:port/v2/name`
    base: String,
    reference: Reference,
    found: Found,
    authorization: Mutex<Option<Secret>>,
}

impl Repository {
    /// Gets the manifest or index that the reference names. The first answer settles the scheme: https, or plain http
    /// where certificates need not be verified or the registry is on this machine.
    pub(crate) fn open(
        reference: &Reference,
        options: ClientOptions,
        given: Option<(String, Secret)>,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<(Arc<Self>, Manifest), RemoteError> {
        let authority = reference.api_authority();
        let insecure = options.insecure;
        let client = Client::new(authority, options)?;
        let found = match given {
            Some((username, password)) => Found {
                credentials: Credentials::Basic(username, password),
                origin: "the command line".to_owned(),
            },
            None => credentials::find(reference, environment)?,
        };
        let local = is_loopback_name(bare_host(authority_host(authority)));
        let repository = |client, scheme| Self {
            client,
            base: format!("{scheme}://{authority}/v2/{}", reference.repository()),
            reference: reference.clone(),
            found,
            authorization: Mutex::new(None),
        };
        let scheme = if (insecure || local) && !speaks_tls(&client, authority)? {
            "http"
        } else {
            "https"
        };
        let repository = Arc::new(repository(client, scheme));
        let manifest = repository.manifest(None)?;
        Ok((repository, manifest))
    }

    /// The manifest that `digest` or, without one, the reference names. Always what its digest says.
    pub(crate) fn manifest(&self, digest: Option<&Digest>) -> Result<Manifest, RemoteError> {
        let wanted = digest.or(self.reference.digest());
        let name = match wanted {
            Some(digest) => digest.to_string(),
            None => self.reference.tag().unwrap_or("latest").to_owned(),
        };
        let url = format!("{}/manifests/{name}", self.base);
        let response = self.get(&url, &[("accept", MANIFEST_TYPES.to_owned())])?;
        let response = self.expect_success(response, &format!("the manifest {name}"))?;
        let media_type = response.header("content-type").map(str::to_owned);
        let stated = response
            .header("docker-content-digest")
            .and_then(|text| text.parse::<Digest>().ok());
        let bytes = response.into_bytes(MAX_MANIFEST_BYTES, &format!("the manifest {name}"))?;
        for expected in wanted.into_iter().chain(stated.as_ref()) {
            let actual = Hasher::digest(expected.algorithm(), &bytes);
            if actual != *expected {
                return Err(RemoteError::invalid(format!(
                    "the manifest {name} of {} has the digest {actual}, expected {expected}",
                    self.reference
                ))
                .with_hint("fetch it again; if it stays so, do not trust its source"));
            }
        }
        Ok(Manifest { bytes, media_type })
    }

    /// A blob, read as a stream; taken up again where the connection breaks. Ends after `size` bytes, whatever the registry
    /// sends; 0 means that the size is not known. The caller checks the digest while reading.
    pub(crate) fn blob(self: &Arc<Self>, digest: &Digest, size: u64) -> Result<BlobReader, RemoteError> {
        let mut reader = BlobReader {
            repository: Arc::clone(self),
            url: format!("{}/blobs/{digest}", self.base),
            what: format!("blob {}", digest.short()),
            size: (size > 0).then_some(size),
            position: 0,
            body: None,
            resumes: 0,
            fruitless: 0,
        };
        reader.connect()?;
        Ok(reader)
    }

    /// Sends a GET with what authenticates us, follows redirects, answers a challenge once.
    fn get(&self, url: &str, headers: &[(&'static str, String)]) -> Result<Response, RemoteError> {
        let mut challenged = false;
        loop {
            let authorization = self
                .authorization
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone();
            let credentials = authorization.as_ref().map(|secret| (self.base.as_str(), secret));
            let (response, answered) = self.client.follow(url, headers, credentials)?;
            let ours = origin(&answered) == origin(&self.base);
            if response.status != 401 || challenged || !ours {
                return Ok(response);
            }
            challenged = true;
            let challenges = auth::challenges(&response.headers);
            let scope = format!("repository:{}:pull", self.reference.repository());
            let fresh = auth::authorise(
                &self.client,
                &answered,
                &challenges,
                &scope,
                &self.found.credentials,
                &self.found.origin,
            )?;
            *self.authorization.lock().unwrap_or_else(PoisonError::into_inner) = Some(fresh);
        }
    }

    /// Turns an answer that is no success into the error that tells the user most.
    fn expect_success(&self, response: Response, what: &str) -> Result<Response, RemoteError> {
        let status = response.status;
        if status.is_success() {
            return Ok(response);
        }
        let host = self.reference.registry();
        let said = match response.into_bytes(MAX_ERROR_BYTES, "the error") {
            Ok(bytes) => registry_message(&bytes).map_or_else(String::new, |text| format!(" (`{text}`)")),
            Err(_) => String::new(),
        };
        let (kind, message) = match status.as_u16() {
            401 | 403 => (
                RemoteErrorKind::Denied,
                match self.found.credentials {
                    Credentials::Anonymous => format!(
                        "{host} does not give {what} of {} without credentials{said}",
                        self.reference
                    ),
                    _ => format!(
                        "{host} refused {what} of {} with the credentials from {}{said}",
                        self.reference, self.found.origin
                    ),
                },
            ),
            404 => (
                RemoteErrorKind::NotFound,
                format!("{host} does not have {what} of {}{said}", self.reference),
            ),
            429 => (
                RemoteErrorKind::Unreachable,
                format!("{host} keeps answering that there were too many requests{said}"),
            ),
            _ => (
                RemoteErrorKind::Unreachable,
                format!("{host} answered {status} for {what} of {}{said}", self.reference),
            ),
        };
        let error = RemoteError::new(kind, message);
        Err(match (kind, status.as_u16()) {
            (RemoteErrorKind::Denied, _) => error.with_hint(format!(
                "the image may not exist, or may be private: log in with `docker login {host}` or `podman login {host}`"
            )),
            (_, 429) => error.with_hint("try again later, or log in: registries allow more requests with an account"),
            _ => error,
        })
    }
}

/// True when the registry answers over TLS; false when nothing there speaks TLS, so that plain HTTP is to be tried.
fn speaks_tls(client: &Client, authority: &str) -> Result<bool, RemoteError> {
    let url = format!("https://{authority}/v2/");
    match client.send_once(&Request::get(&url)) {
        Ok(_) => Ok(true),
        // A certificate that is not trusted is an answer over TLS, and must not lead to an unencrypted connection.
        Err(failure) if failure.error.to_string().contains("certificate") => Err(failure.error),
        Err(_) => Ok(false),
    }
}

/// The first message of a registry's error document, made printable.
fn registry_message(bytes: &[u8]) -> Option<String> {
    let document: serde_json::Value = serde_json::from_slice(bytes).ok()?;
    let error = document.get("errors")?.get(0)?;
    let text = error.get("message").or_else(|| error.get("code"))?.as_str()?;
    let text = quoted(text);
    (!text.is_empty()).then_some(text)
}

/// A blob's bytes. A body that breaks is asked for again from where it broke.
pub(crate) struct BlobReader {
    repository: Arc<Repository>,
    url: String,
    what: String,
    /// Bytes in all, once known.
    size: Option<u64>,
    position: u64,
    body: Option<Paced<ureq::BodyReader<'static>>>,
    resumes: u32,
    fruitless: u32,
}

impl BlobReader {
    fn name(&self) -> String {
        format!("{} of {}", self.what, self.repository.reference)
    }

    fn connect(&mut self) -> Result<(), RemoteError> {
        let mut headers = Vec::new();
        if self.position > 0 {
            headers.push(("range", format!("bytes={}-", self.position)));
        }
        let response = self.repository.get(&self.url, &headers)?;
        let response = self
            .repository
            .expect_success(response, &format!("the {}", self.what))?;
        let resumed = response.status == 206;
        let start = if resumed { response.range_start() } else { Some(0) };
        if start != Some(self.position) && (resumed || start != Some(0)) {
            return Err(RemoteError::invalid(format!(
                "the registry answered with another part of {} than was asked for",
                self.name()
            )));
        }
        if let Some(length) = response
            .header("content-length")
            .and_then(|text| text.parse::<u64>().ok())
        {
            let length = if resumed {
                length.saturating_add(self.position)
            } else {
                length
            };
            let size = *self.size.get_or_insert(length);
            if length != size {
                return Err(RemoteError::invalid(format!(
                    "{} is {length} bytes long at the registry, {size} were expected",
                    self.name()
                )));
            }
        }
        let mut body = response.into_reader();
        if !resumed && self.position > 0 {
            // The registry does not know ranges: read past what is there already.
            let skipped = io::copy(&mut (&mut body).take(self.position), &mut io::sink());
            if skipped.ok() != Some(self.position) {
                return Err(RemoteError::unreachable(format!(
                    "{} broke off again",
                    self.name()
                )));
            }
        }
        self.body = Some(body);
        Ok(())
    }

    /// Counts a broken body; an error when there were too many.
    fn broken(&mut self, reason: &str) -> io::Result<()> {
        self.body = None;
        self.resumes += 1;
        self.fruitless += 1;
        if self.resumes > MAX_RESUMES || self.fruitless >= MAX_FRUITLESS {
            return Err(RemoteError::unreachable(format!(
                "{} broke off after {} bytes, and again when taken up: {reason}",
                self.name(),
                self.position
            ))
            .into());
        }
        self.repository.client.pause(self.fruitless);
        Ok(())
    }
}

impl Read for BlobReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            let left = self
                .size
                .map_or(u64::MAX, |size| size.saturating_sub(self.position));
            if left == 0 {
                return Ok(0);
            }
            let Some(body) = &mut self.body else {
                match self.connect() {
                    Ok(()) => {}
                    Err(error) if error.kind() == RemoteErrorKind::Unreachable => {
                        self.broken(&error.to_string())?;
                    }
                    Err(error) => return Err(error.into()),
                }
                continue;
            };
            let room = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
            let Some(window) = buffer.get_mut(..room) else {
                return Ok(0);
            };
            match body.read(window) {
                Ok(0) if self.size.is_none() => {
                    self.size = Some(self.position);
                    return Ok(0);
                }
                Ok(0) => self.broken("the body ended early")?,
                Ok(count) => {
                    self.position += count as u64;
                    self.fruitless = 0;
                    return Ok(count);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => self.broken(&error.to_string())?,
            }
        }
    }
}

/// How many challenges a `WWW-Authenticate` header holds.
#[cfg(fuzzing)]
pub(crate) fn challenges(header: &str) -> usize {
    http::HeaderValue::from_str(header).map_or(0, |value| {
        let headers = http::HeaderMap::from_iter([(http::header::WWW_AUTHENTICATE, value)]);
        auth::challenges(&headers).len()
    })
}
