//! Composer's record of what is installed in a vendor folder.

use crate::intake::Intake;
use crate::{Extracted, Extractor, File, Kind, license, reading};
use model::{Entry, EntryKind, Location, Meta, Package, Purl, Scope, path};
use serde_json::Value;
use std::collections::BTreeSet;

/// The member.
pub(super) static PHP_INSTALLED: PhpInstalled = PhpInstalled;

pub(super) struct PhpInstalled;

static META: Meta = Meta {
    name: "php-installed",
    title: "PHP packages that Composer installed, development ones marked",
    finds: &["composer/installed.json, usually below vendor (Composer 1 and 2)"],
    needs: &[],
    references: &[
        "https://getcomposer.org/doc/04-schema.md",
        "https://getcomposer.org/doc/07-runtime.md",
    ],
};

/// Largest record that is read, in bytes.
const LIMIT: u64 = 64 << 20;

impl Extractor for PhpInstalled {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn kind(&self) -> Kind {
        Kind::Installed
    }

    fn wants(&self, entry: &Entry<'_>) -> bool {
        let (folder, name) = path::split(entry.path);
        entry.kind == EntryKind::File && name == "installed.json" && path::file_name(folder) == "composer"
    }

    fn extract(&self, file: &mut File<'_>, out: &mut Extracted) {
        let location = file.entry.path;
        let Some(json) = reading::json(file.content, location, LIMIT, "Composer's installed.json", out)
        else {
            return;
        };
        // Version 1 is the bare list.
        let Some(packages) = json.get("packages").unwrap_or(&json).as_array() else {
            return out.problem(location, "Composer's installed.json holds no list of packages");
        };
        let development: BTreeSet<&str> = reading::texts(json.get("dev-package-names"))
            .into_iter()
            .collect();
        let mut intake = Intake::new(location, out);
        for package in packages {
            match read(package) {
                Ok(mut package) => {
                    if json.get("dev-package-names").is_some() {
                        let is_development = development.contains(package.name.as_str());
                        package.scope = Some(if is_development {
                            Scope::Development
                        } else {
                            Scope::Runtime
                        });
                    }
                    package.locations.push(Location::file(location));
                    intake.package(package);
                }
                Err(message) => intake.problem(message),
            }
        }
    }
}

fn read(json: &Value) -> Result<Package, String> {
    let (name, version) = (reading::field(json, "name"), reading::field(json, "version"));
    if let Some(what) = reading::missing(name, version) {
        return Err(format!(
            "a package of Composer's installed.json (`{name}{version}`) has no {what}"
        ));
    }
    let (vendor, bare) = name.rsplit_once('/').unwrap_or(("", name));
    let purl = Purl::new("composer", vendor, bare, version);
    let mut package = Package::new(META.name, purl, "Packagist", name, version);
    package.licenses = license::any_of(&reading::texts(json.get("license")));
    if let Some(source) = json
        .get("source")
        .filter(|source| reading::field(source, "type") == "git")
    {
        package.add_fact("git-url", reading::field(source, "url"));
        package.add_fact("git-commit", reading::field(source, "reference"));
    }
    Ok(package)
}
