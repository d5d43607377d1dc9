//! What can go wrong while a target is opened.

use crate::network::{RemoteError, RemoteErrorKind};
use std::io;
use std::path::Path;

/// Why a target (or one of its parts) could not be had. Messages are lower case, name the thing and its state.
#[derive(Debug, thiserror::Error)]
pub enum ArtifactError {
    /// The thing does not exist where it was looked for.
    #[error("{what} not found{}", in_place(.place))]
    NotFound {
        /// What was asked for, e.g. "image `alpine:3.99`".
        what: String,
        /// Where it was looked for; may be empty.
        place: String,
    },
    /// A file, folder, socket or connection could not be read or written.
    #[error("could not read {what}")]
    Io {
        /// What was being read.
        what: String,
        /// The system's reason.
        source: io::Error,
    },
    /// A file or folder could not be written.
    #[error("could not write {what}")]
    Write {
        /// What was being written.
        what: String,
        /// The system's reason.
        source: io::Error,
    },
    /// The thing is there but is not what it should be.
    #[error("{what} is not valid: {why}")]
    Invalid {
        /// What is wrong.
        what: String,
        /// In which way.
        why: String,
    },
    /// The thing is of a kind that is not read.
    #[error("{what} is not supported: {why}")]
    Unsupported {
        /// What is not supported.
        what: String,
        /// In which way.
        why: String,
    },
    /// A cap was hit.
    #[error("{what} is larger than the limit of {limit} {unit}")]
    TooLarge {
        /// What is too large.
        what: String,
        /// The limit.
        limit: u64,
        /// Unit of the limit, e.g. "bytes".
        unit: &'static str,
    },
    /// No image for the wanted platform.
    #[error("{what} has no image for platform {wanted}; it has {}", list(.available))]
    Platform {
        /// The index that was searched.
        what: String,
        /// Platform asked for.
        wanted: String,
        /// Platforms that exist.
        available: Vec<String>,
    },
    /// The bytes are not what their digest says.
    #[error("{what} has digest {actual} where {expected} was expected")]
    Digest {
        /// What was read.
        what: String,
        /// Digest that the descriptor names.
        expected: String,
        /// Digest of what was read.
        actual: String,
    },
    /// A registry or daemon could not be read.
    #[error(transparent)]
    Remote(#[from] RemoteError),
    /// The text names no target.
    #[error("`{text}` names no target: {why}")]
    Name {
        /// As given.
        text: String,
        /// What is wrong with it.
        why: String,
    },
}

impl ArtifactError {
    /// Reading `what` failed.
    pub(crate) fn io(what: impl Into<String>, source: io::Error) -> Self {
        let what = what.into();
        if source.kind() == io::ErrorKind::NotFound {
            Self::NotFound {
                what,
                place: String::new(),
            }
        } else {
            Self::Io { what, source }
        }
    }

    /// `what` is broken.
    pub(crate) fn invalid(what: impl Into<String>, why: impl Into<String>) -> Self {
        Self::Invalid {
            what: what.into(),
            why: why.into(),
        }
    }

    /// `what` does not exist.
    pub(crate) fn not_found(what: impl Into<String>, place: impl Into<String>) -> Self {
        Self::NotFound {
            what: what.into(),
            place: place.into(),
        }
    }

    /// True when the thing simply is not there, so that the next place may be tried.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        match self {
            Self::NotFound { .. } => true,
            Self::Remote(error) => error.kind() == RemoteErrorKind::NotFound,
            _ => false,
        }
    }

    /// What the user may do about it, where that is known.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Platform { available, .. } => available
                .first()
                .map(|platform| format!("name one of them, e.g. `--platform {platform}`")),
            Self::Remote(error) => error.hint().map(str::to_owned),
            Self::Digest { .. } => {
                Some("fetch the image again; if it stays so, do not trust its source".to_owned())
            }
            Self::Name { text, .. } if Path::new(text).is_file() => Some(
                "lock files, programs and archives that a reader knows by their names are scanned alone, others with the \
                 folder they lie in: `dir:FOLDER`"
                    .to_owned(),
            ),
            Self::Name { .. } => Some(
                "use a path, an image name, or a prefix: registry: docker: podman: containerd: archive: oci: dir: rootfs: sbom:"
                    .to_owned(),
            ),
            _ => None,
        }
    }

    /// The message with its causes, for a problem's text.
    #[must_use]
    pub fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        text
    }
}

fn in_place(place: &str) -> String {
    if place.is_empty() {
        String::new()
    } else {
        format!(" in {place}")
    }
}

fn list(available: &[String]) -> String {
    if available.is_empty() {
        "none at all".to_owned()
    } else {
        available.join(", ")
    }
}
