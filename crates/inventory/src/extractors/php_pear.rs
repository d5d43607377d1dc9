//! PEAR's and PECL's registry of installed PHP packages and extensions.

use crate::php::{self, Value};
use crate::{Extracted, Extractor, File, Kind, license, reading};
use model::{Entry, EntryKind, Location, Meta, Package, Purl};

/// The member.
pub(super) static PHP_PEAR: PhpPear = PhpPear;

pub(super) struct PhpPear;

static META: Meta = Meta {
    name: "php-pear",
    title: "PHP packages and extensions that PEAR or PECL installed",
    finds: &[".registry/*.reg and .registry/.channel.*/*.reg, under any prefix"],
    needs: &[],
    references: &["https://pear.php.net/manual/en/guide.developers.package2.php"],
};

/// Largest record that is read, in bytes.
const LIMIT: u64 = 16 << 20;

impl Extractor for PhpPear {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn kind(&self) -> Kind {
        Kind::Installed
    }

    fn wants(&self, entry: &Entry<'_>) -> bool {
        entry.kind == EntryKind::File
            && entry.path.ends_with(".reg")
            && (entry.path.contains("/.registry/") || entry.path.starts_with(".registry/"))
    }

    fn extract(&self, file: &mut File<'_>, out: &mut Extracted) {
        let location = file.entry.path;
        let record = match file.content.bytes(LIMIT) {
            Ok(bytes) => php::unserialize(&bytes),
            Err(error) => return out.problem(location, format!("PEAR's record was not read: {error}")),
        };
        let record = match record {
            Ok(record) => record,
            Err(message) => return out.problem(location, format!("PEAR's record was not read: {message}")),
        };
        // Format 2 has `name` and `version.release`, format 1 `package` and `version`.
        let first = |keys: &[&[&str]]| {
            keys.iter()
                .filter_map(|keys| keys.iter().try_fold(&record, |value, key| value.get(key)))
                .map(Value::text)
                .find(|text| !text.is_empty())
                .unwrap_or_default()
        };
        let name = first(&[&["name"], &["package"]]);
        let version = first(&[&["version", "release"], &["version"]]);
        if let Some(what) = reading::missing(name, version) {
            return out.problem(location, format!("PEAR's record has no {what}"));
        }
        let channel = match first(&[&["channel"]]) {
            "" => "pear.php.net",
            channel => channel,
        };
        let mut package = Package::new(
            META.name,
            Purl::new("pear", channel, name, version),
            "",
            name,
            version,
        );
        package.licenses = license::expressions(first(&[
            &["license"],
            &["license", "_content"],
            &["release_license"],
        ]));
        package.locations.push(Location::file(location));
        package.add_fact("channel", channel);
        out.packages.push(package);
    }
}
