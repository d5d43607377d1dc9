//! What all readers of executable files and shared libraries share: the extractor around a reading function.

use crate::{Extracted, Extractor, File, Kind, object_file};
use model::{Entry, Meta};

/// An extractor of programs: it asks for all that may be one, and is shown those whose first bytes it accepts.
pub(crate) struct ProgramReader {
    pub(crate) meta: &'static Meta,
    /// Gets the first bytes of a file.
    pub(crate) accepts: fn(head: &[u8]) -> bool,
    /// An error becomes the file's problem.
    pub(crate) read: fn(&mut File<'_>, &mut Extracted) -> Result<(), String>,
}

impl Extractor for ProgramReader {
    fn meta(&self) -> &'static Meta {
        self.meta
    }

    fn kind(&self) -> Kind {
        Kind::Installed
    }

    fn wants(&self, entry: &Entry<'_>) -> bool {
        object_file::is_candidate(entry)
    }

    fn names(&self, _entry: &Entry<'_>) -> bool {
        false
    }

    fn accepts(&self, _entry: &Entry<'_>, head: &[u8]) -> bool {
        (self.accepts)(head)
    }

    fn extract(&self, file: &mut File<'_>, out: &mut Extracted) {
        let location = file.entry.path;
        if let Err(message) = (self.read)(file, out) {
            out.problem(location, message);
        }
    }
}
