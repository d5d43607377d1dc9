//! What could not be judged: partial failure is data and is returned beside the results.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Something that went wrong with one thing while the rest went on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Problem {
    /// The file it is about, as a path inside the target.
    pub path: Option<String>,
    /// What happened, lower case, without a full stop; names the thing and the state.
    pub message: String,
}

impl Problem {
    /// A problem with one file of the target.
    #[must_use]
    pub fn file(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            path: Some(path.into()),
            message: message.into(),
        }
    }

    /// A problem with the target as a whole.
    #[must_use]
    pub fn general(message: impl Into<String>) -> Self {
        Self {
            path: None,
            message: message.into(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.path {
            Some(path) => write!(formatter, "{path}: {}", self.message),
            None => formatter.write_str(&self.message),
        }
    }
}
