//! The registry of output formats, in alphabetical order.

use crate::Format;

/// Every output format.
pub static ALL: &[&dyn Format] = &[];
