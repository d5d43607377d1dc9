//! A fake registry: manifests and blobs of the distribution protocol, to be wrapped into whatever a test wants to go wrong.

use crate::http::{Answer, Request};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write;

/// What a registry holds in one repository.
#[derive(Clone, Debug, Default)]
pub struct Store {
    /// By tag and by digest.
    manifests: BTreeMap<String, (String, Vec<u8>)>,
    /// By digest.
    blobs: BTreeMap<String, Vec<u8>>,
}

/// `sha256:…` of some bytes.
pub fn digest(bytes: &[u8]) -> String {
    let mut text = "sha256:".to_owned();
    for byte in Sha256::digest(bytes) {
        write!(text, "{byte:02x}").unwrap();
    }
    text
}

impl Store {
    /// Adds a blob; returns its digest.
    pub fn blob(&mut self, bytes: impl Into<Vec<u8>>) -> String {
        let bytes = bytes.into();
        let digest = digest(&bytes);
        self.blobs.insert(digest.clone(), bytes);
        digest
    }

    /// Adds a manifest or index under a tag; returns its digest.
    pub fn manifest(&mut self, tag: &str, media_type: &str, bytes: impl Into<Vec<u8>>) -> String {
        let bytes = bytes.into();
        let digest = digest(&bytes);
        for key in [tag, &digest] {
            self.manifests
                .insert(key.to_owned(), (media_type.to_owned(), bytes.clone()));
        }
        digest
    }

    /// Answers as a registry without access control does, ranges included.
    pub fn answer(&self, request: &Request) -> Answer {
        let path = request.path();
        let unknown = || {
            Answer::new(
                404,
                r#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"not known here"}]}"#,
            )
        };
        if path == "/v2/" {
            return Answer::new(200, "{}");
        }
        let Some((rest, reference)) = path.rsplit_once('/') else {
            return unknown();
        };
        if rest.ends_with("/manifests") {
            return match self.manifests.get(reference) {
                Some((media_type, bytes)) => Answer::new(200, bytes.clone())
                    .header("Content-Type", media_type)
                    .header("Docker-Content-Digest", digest(bytes)),
                None => unknown(),
            };
        }
        let Some(bytes) = self.blobs.get(reference) else {
            return unknown();
        };
        let start = request.header("range").and_then(|range| {
            range
                .strip_prefix("bytes=")?
                .strip_suffix('-')?
                .parse::<usize>()
                .ok()
        });
        match start.and_then(|start| Some((start, bytes.get(start..)?))) {
            Some((start, rest)) => Answer::new(206, rest).header(
                "Content-Range",
                format!("bytes {start}-{}/{}", bytes.len() - 1, bytes.len()),
            ),
            None => Answer::new(200, bytes.clone()),
        }
    }
}
