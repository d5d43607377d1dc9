//! SPDX documents inside a target.

use crate::sbom;
use crate::{Extracted, Extractor, File, Kind};
use model::{Entry, EntryKind, Meta};

/// The member.
pub(super) static SBOM_SPDX: SbomSpdx = SbomSpdx;

pub(super) struct SbomSpdx;

static META: Meta = Meta {
    name: "sbom-spdx",
    title: "SPDX documents: 2.x JSON and tag-value, 3.0 JSON-LD",
    finds: &[
        "*.spdx, *.spdx.json (opt/bitnami/*/.spdx-*.spdx among them)",
        "*.dist-info/sboms/*",
        "usr/local/share/sbom/*",
        "var/lib/db/sbom/*",
    ],
    needs: &[],
    references: &["https://spdx.github.io/spdx-spec/"],
};

impl Extractor for SbomSpdx {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn kind(&self) -> Kind {
        Kind::Installed
    }

    fn wants(&self, entry: &Entry<'_>) -> bool {
        entry.kind == EntryKind::File && (is_named(entry.file_name()) || sbom::is_kept_in_folder(entry.path))
    }

    fn extract(&self, file: &mut File<'_>, out: &mut Extracted) {
        let named = is_named(file.entry.file_name());
        sbom::embedded(META.name, file, |format| !format.is_cyclonedx(), named, out);
    }
}

fn is_named(name: &str) -> bool {
    name.ends_with(".spdx") || name.ends_with(".spdx.json")
}
