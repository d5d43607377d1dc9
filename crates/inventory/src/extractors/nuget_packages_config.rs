//! `packages.config` of NuGet.

use crate::Kind;
use crate::identity::nuget;
use crate::lock_file::{Listing, LockFile, Reading, alone};
use model::{Meta, Scope};

/// The member.
pub(super) static NUGET_PACKAGES_CONFIG: LockFile = LockFile {
    meta: &META,
    kind: Kind::Declared,
    wants: |_, name| {
        let name = name.to_ascii_lowercase();
        name == "packages.config" || (name.starts_with("packages.") && name.ends_with(".config"))
    },
    read,
    combine: alone,
};

static META: Meta = Meta {
    name: "nuget-packages-config",
    title: "NuGet packages of a packages.config",
    finds: &["packages.config", "packages.*.config"],
    needs: &[],
    references: &["https://learn.microsoft.com/nuget/reference/packages-config"],
};

fn read(reading: &mut Reading<'_>) {
    let document = reading.xml();
    let mut packages = Listing::default();
    for entry in document.child("packages").all("package") {
        let (name, version) = (entry.attribute("id"), entry.attribute("version"));
        if name.is_empty() || version.is_empty() {
            reading.bad_entry(
                entry.line,
                format!("the package `{name}` has no id or no version"),
            );
            continue;
        }
        let mut package = nuget(reading.found_by, name, version);
        let development = entry
            .attribute("developmentDependency")
            .eq_ignore_ascii_case("true");
        package.scope = Some(if development {
            Scope::Development
        } else {
            Scope::Runtime
        });
        packages.push(reading.at(package, entry.line));
    }
    reading.list(packages);
}
