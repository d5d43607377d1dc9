//! Feeds on disk and from the network: what the advisory database is built from.

use advisory::feeds::{Wanted, wanted};
use advisory::update::{Answer, Fetch, Request, Shelf};
use advisory::{BuildError, FeedFiles};
use artifact::archives::{self, ZipLimits};
use artifact::{Downloads, OpenOptions, files};
use model::Archives;
use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};

/// Largest single document, in bytes; the largest real ones are lists of scores and catalogues.
const DOCUMENT_LIMIT: u64 = 2 << 30;

/// Folders in the layout of OSV's public bucket, read one after the other.
pub struct Folders {
    folders: Vec<PathBuf>,
}

impl Folders {
    /// Feeds in these folders.
    #[must_use]
    pub fn new(folders: Vec<PathBuf>) -> Self {
        Self { folders }
    }
}

impl FeedFiles for Folders {
    fn documents(&mut self, each: &mut advisory::build::DocumentVisitor<'_>) -> Result<(), BuildError> {
        for folder in &self.folders {
            for listed in files::list_through_links(folder, 4) {
                let Ok(relative) = listed.path.strip_prefix(folder) else {
                    continue;
                };
                let Some(relative) = relative.to_str() else {
                    continue;
                };
                match wanted(relative) {
                    Wanted::No => {}
                    Wanted::Document => document(&listed.path, relative, each)?,
                    Wanted::Archive => archive(&listed.path, relative, each)?,
                }
            }
        }
        Ok(())
    }
}

fn failed(path: &Path, message: impl std::fmt::Display) -> BuildError {
    BuildError::Feed {
        path: path.display().to_string(),
        message: message.to_string(),
    }
}

fn document(
    path: &Path,
    relative: &str,
    each: &mut advisory::build::DocumentVisitor<'_>,
) -> Result<(), BuildError> {
    let bytes = files::read(path, DOCUMENT_LIMIT).map_err(|error| failed(path, error.chain()))?;
    match relative.strip_suffix(".gz") {
        None => each(relative, &bytes),
        Some(inner) => {
            let limit = usize::try_from(DOCUMENT_LIMIT).unwrap_or(usize::MAX);
            let inflated = archives::Limited::default()
                .gzip(&bytes, limit)
                .map_err(|message| failed(path, message))?;
            each(inner, &inflated)
        }
    }
}

fn archive(
    path: &Path,
    relative: &str,
    each: &mut advisory::build::DocumentVisitor<'_>,
) -> Result<(), BuildError> {
    let mut stopped: Option<BuildError> = None;
    let mut name = String::new();
    let mut bytes = Vec::new();
    archives::for_each_zip_member(path, &ZipLimits::default(), &mut |member, content| {
        if stopped.is_some() {
            return;
        }
        name.clear();
        name.push_str(relative);
        name.push_str("!/");
        name.push_str(member);
        bytes.clear();
        let outcome = match content.read_to_end(&mut bytes) {
            Ok(_) => each(&name, &bytes),
            Err(error) => Err(failed(path, format!("{member}: {error}"))),
        };
        stopped = outcome.err();
    })
    .map_err(|error| failed(path, error.chain()))?;
    stopped.map_or(Ok(()), Err)
}

/// Gets feeds by HTTP, or from a folder that is named like an address.
pub struct Source {
    options: OpenOptions,
    /// One client for each server, since a client guards against being led to local addresses.
    servers: HashMap<String, Downloads>,
}

impl Source {
    /// Of the options, those on certificates, time limits and `offline` count.
    #[must_use]
    pub fn new(options: OpenOptions) -> Self {
        Self {
            options,
            servers: HashMap::new(),
        }
    }

    fn server(&mut self, url: &str) -> Result<&Downloads, String> {
        let after_scheme = url.find("://").map_or(0, |at| at + 3);
        let end = url[after_scheme..]
            .find('/')
            .map_or(url.len(), |at| after_scheme + at);
        let name = url[..end].to_owned();
        if !self.servers.contains_key(&name) {
            let mut options = self.options.clone();
            // Feeds carry no secrets of ours, and what they say is public: plain HTTP is the user's own choice.
            options.insecure |= url.starts_with("http://");
            let downloads = Downloads::new(url, &options).map_err(|error| error.to_string())?;
            self.servers.insert(name.clone(), downloads);
        }
        self.servers
            .get(&name)
            .ok_or_else(|| format!("no client for {name}"))
    }
}

impl Fetch for Source {
    fn get(&mut self, request: &Request<'_>) -> Result<Answer<'_>, String> {
        if !request.url.contains("://") {
            return match files::open(Path::new(request.url)) {
                Ok(file) => Ok(Answer::Whole {
                    etag: None,
                    body: Box::new(file),
                }),
                Err(error) if error.is_not_found() => Ok(Answer::Missing),
                Err(error) => Err(error.chain()),
            };
        }
        let url = encoded(request.url);
        let mut headers = Vec::new();
        if let Some((from, etag)) = request.after {
            headers.push(("range", format!("bytes={from}-")));
            headers.push(("if-range", etag.to_owned()));
        } else if let Some(etag) = request.unless {
            headers.push(("if-none-match", etag.to_owned()));
        }
        let download = self
            .server(&url)?
            .get(&url, &headers)
            .map_err(|error| error.to_string())?;
        match (download.status, request.after) {
            (200, _) => Ok(Answer::Whole {
                etag: download.etag,
                body: download.body,
            }),
            (206, Some((from, _))) if download.start == Some(from) => {
                Ok(Answer::Rest { body: download.body })
            }
            (206, _) => Err("the server sent a part that was not asked for".to_owned()),
            (304, _) => Ok(Answer::NotModified),
            // Buckets answer 403 for what they do not hold.
            (403 | 404 | 410, _) => Ok(Answer::Missing),
            (status, _) => Err(format!("the server answered with status {status}")),
        }
    }
}

/// A URL whose unsafe characters are percent-encoded: ecosystems have spaces in their names. What is encoded stays as it is.
fn encoded(url: &str) -> String {
    let mut text = String::with_capacity(url.len());
    for byte in url.bytes() {
        if byte.is_ascii_graphic()
            && !matches!(
                byte,
                b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}'
            )
        {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

/// The local copy of the feeds.
pub struct LocalCopy {
    folder: PathBuf,
}

impl LocalCopy {
    /// A copy in `folder`, which is created when something is written.
    #[must_use]
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }
}

/// Largest small file of the copy (its state), in bytes.
const SMALL: u64 = 64 << 20;

#[expect(clippy::needless_pass_by_value, reason = "passed to map_err as it is")]
fn io_error(error: artifact::ArtifactError) -> io::Error {
    io::Error::other(error.chain())
}

impl Shelf for LocalCopy {
    fn read(&mut self, path: &str) -> io::Result<Option<Vec<u8>>> {
        match files::read(&self.folder.join(path), SMALL) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(io_error(error)),
        }
    }

    fn size(&mut self, path: &str) -> io::Result<Option<u64>> {
        files::size(&self.folder.join(path)).map_err(io_error)
    }

    fn write(&mut self, path: &str, at: u64, body: &mut dyn io::Read) -> io::Result<()> {
        files::write_from(&self.folder.join(path), at, body).map_err(io_error)
    }

    fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        files::rename(&self.folder.join(from), &self.folder.join(to)).map_err(io_error)
    }

    fn remove(&mut self, path: &str) -> io::Result<()> {
        match files::remove(&self.folder.join(path)) {
            Err(error) if !error.is_not_found() => Err(io_error(error)),
            _ => Ok(()),
        }
    }

    fn check_zip(&mut self, path: &str) -> Result<(), String> {
        let mut broken = None;
        archives::for_each_zip_member(
            &self.folder.join(path),
            &ZipLimits::default(),
            &mut |member, content| {
                // Reading to the end compares the CRC.
                if broken.is_none() {
                    broken = io::copy(content, &mut io::sink())
                        .err()
                        .map(|error| format!("{member}: {error}"));
                }
            },
        )
        .map_err(|error| error.chain())?;
        broken.map_or(Ok(()), Err)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use advisory::update::{Sources, UpdateOptions, update};

    #[test]
    fn names_of_ecosystems_become_addresses() {
        assert_eq!(
            encoded("https://a.example/Rocky Linux/all.zip"),
            "https://a.example/Rocky%20Linux/all.zip"
        );
        assert_eq!(encoded("https://a.example/a%20b"), "https://a.example/a%20b");
    }

    #[test]
    fn a_folder_is_a_mirror_and_the_copy_builds_a_database() {
        let mirror = testkit::temporary_folder();
        let record = r#"{"id":"GHSA-a","modified":"2026-01-01T00:00:00Z","schema_version":"1.6.0","affected":[{"package":{"ecosystem":"npm","name":"a"},"versions":["1.0.0"]}]}"#;
        let zip = testkit::zip::Zip::new().file("GHSA-a.json", record).build();
        files::create_dir_all(&mirror.path().join("npm")).expect("folder");
        files::write_atomic(&mirror.path().join("ecosystems.txt"), b"npm\n").expect("written");
        files::write_atomic(&mirror.path().join("npm/all.zip"), &zip).expect("written");
        let copy = testkit::temporary_folder();
        let sources = Sources::mirror(mirror.path().to_str().expect("UTF-8"));
        let mut shelf = LocalCopy::new(copy.path().join("feeds"));
        let summary = update(
            &mut Source::new(OpenOptions::default()),
            &mut shelf,
            &sources,
            &UpdateOptions::default(),
            &mut |_| {},
        )
        .expect("updated");
        assert_eq!(summary.fetched, ["npm/all.zip"], "{summary:?}");
        let out = copy.path().join("advisories.db");
        let built = advisory::build(
            &mut Folders::new(vec![copy.path().join("feeds")]),
            &out,
            &advisory::BuildOptions::default(),
            &mut |_| {},
        )
        .expect("built");
        assert_eq!(built.contents.advisories, 1);
    }
}
