//! Homebrew's formulae, by the receipt that each installation leaves.

use crate::intake::{Intake, excerpt};
use crate::{Extracted, Extractor, File, Kind};
use model::{Entry, EntryKind, Location, Meta, Package, Purl};
use serde::Deserialize;

/// The member.
pub(super) static HOMEBREW_CELLAR: HomebrewCellar = HomebrewCellar;

pub(super) struct HomebrewCellar;

static META: Meta = Meta {
    name: "homebrew-cellar",
    title: "Homebrew formulae",
    finds: &["**/Cellar/<name>/<version>/INSTALL_RECEIPT.json"],
    needs: &[],
    references: &["https://docs.brew.sh/Formula-Cookbook"],
};

/// Largest receipt that is read, in bytes.
const LIMIT: u64 = 4 << 20;

/// The part of a receipt that is read.
#[derive(Deserialize)]
struct Receipt {
    #[serde(default)]
    source: Option<Source>,
}

#[derive(Deserialize)]
struct Source {
    /// The repository of formulae it came from (`homebrew/core`).
    #[serde(default)]
    tap: Option<String>,
}

impl Extractor for HomebrewCellar {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn kind(&self) -> Kind {
        Kind::Installed
    }

    fn wants(&self, entry: &Entry<'_>) -> bool {
        entry.kind == EntryKind::File && formula(entry.path).is_some()
    }

    fn extract(&self, file: &mut File<'_>, out: &mut Extracted) {
        let mut intake = Intake::new(file.entry.path, out);
        let Some((name, version)) = formula(file.entry.path) else {
            return;
        };
        let purl = Purl::new("brew", "", name, version);
        let mut package = Package::new(META.name, purl, "", name, version);
        package.locations.push(Location::file(intake.path()));
        let receipt = file.content.bytes(LIMIT).map_err(|error| error.to_string());
        let receipt = receipt
            .and_then(|bytes| serde_json::from_slice::<Receipt>(&bytes).map_err(|error| error.to_string()));
        match receipt {
            Ok(receipt) => {
                let tap = receipt.source.and_then(|source| source.tap);
                package.add_fact("tap", tap.unwrap_or_default());
            }
            Err(error) => intake.problem(format!(
                "the receipt of the Homebrew formula `{}` was not read: {error}",
                excerpt(name)
            )),
        }
        intake.package(package);
    }
}

/// Name and version of a formula from the path of its receipt.
fn formula(path: &str) -> Option<(&str, &str)> {
    let mut parts = path.strip_suffix("/INSTALL_RECEIPT.json")?.rsplit('/');
    let (version, name) = (parts.next()?, parts.next()?);
    (parts.next() == Some("Cellar")).then_some((name, version))
}
