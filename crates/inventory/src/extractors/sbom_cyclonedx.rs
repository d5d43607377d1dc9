//! CycloneDX documents inside a target.

use crate::sbom::{self, Format};
use crate::{Extracted, Extractor, File, Kind};
use model::{Entry, EntryKind, Meta};

/// The member.
pub(super) static SBOM_CYCLONEDX: SbomCycloneDx = SbomCycloneDx;

pub(super) struct SbomCycloneDx;

static META: Meta = Meta {
    name: "sbom-cyclonedx",
    title: "CycloneDX documents, JSON and XML, 1.0 to 1.7",
    finds: &[
        "*.cdx, *.cdx.json, *.cdx.xml",
        "bom.json, bom.xml",
        "*.dist-info/sboms/*",
        "usr/local/share/sbom/*",
        "var/lib/db/sbom/*",
    ],
    needs: &[],
    references: &["https://cyclonedx.org/specification/overview/"],
};

impl Extractor for SbomCycloneDx {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn kind(&self) -> Kind {
        Kind::Installed
    }

    fn wants(&self, entry: &Entry<'_>) -> bool {
        let name = entry.file_name();
        entry.kind == EntryKind::File
            && (is_named(name)
                || matches!(name, "bom.json" | "bom.xml")
                || sbom::is_kept_in_folder(entry.path))
    }

    fn extract(&self, file: &mut File<'_>, out: &mut Extracted) {
        let named = is_named(file.entry.file_name());
        sbom::embedded(META.name, file, Format::is_cyclonedx, named, out);
    }
}

fn is_named(name: &str) -> bool {
    [".cdx", ".cdx.json", ".cdx.xml"]
        .iter()
        .any(|end| name.ends_with(end))
}
