//! The output formats of reports and alerts; each member owns the structures it writes.

mod alert_text;
pub mod alerts;
pub mod diff;
pub mod formats;
mod json_text;
mod wording;

pub use json_text::{write_json, write_json_line};

use model::{Layer, Meta, Package, Report};
use std::io::{self, Write};

/// What the caller knows of the place that a report is written to.
#[derive(Clone, Debug)]
pub struct Options {
    /// Width in columns that text must not exceed; `None` when it is no terminal (then 120).
    pub width: Option<usize>,
    /// ANSI colours wanted.
    pub color: bool,
    /// True for `hullward sbom`: packages are the subject, findings may be absent.
    pub inventory_only: bool,
    /// Affected findings that filters of the command line left out of the report.
    pub hidden: usize,
}

/// A member of the family.
pub trait Format: Sync {
    /// Description; its name is what `--format` takes.
    fn meta(&self) -> &'static Meta;

    /// Usual file extension, without the dot.
    fn extension(&self) -> &'static str;

    /// True when the format can carry an inventory without findings (`hullward sbom`).
    fn carries_inventory(&self) -> bool;

    /// True when the format shows what findings say in sentences, so that it is worth having.
    fn shows_descriptions(&self) -> bool {
        false
    }

    /// Writes a report.
    ///
    /// # Errors
    /// Only those of `out`.
    fn write(&self, report: &Report, options: &Options, out: &mut dyn Write) -> io::Result<()>;
}

/// True when every place that a package was seen in lies in layers of the base image.
#[must_use]
pub fn from_base(package: &Package, layers: &[Layer]) -> bool {
    !package.locations.is_empty()
        && package.locations.iter().all(|location| {
            location
                .layer
                .and_then(|index| layers.get(index as usize))
                .is_some_and(|layer| layer.from_base)
        })
}
