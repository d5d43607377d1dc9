//! Packages that Julia installed into a depot.

use crate::Kind;
use crate::lock_file::{Listing, LockFile, Reading, alone};
use model::{Meta, Package, Purl, path};

/// The member.
pub(super) static JULIA_DEPOT: LockFile = LockFile {
    meta: &META,
    kind: Kind::Installed,
    wants: |path, name| matches!(name, "Project.toml" | "JuliaProject.toml") && is_installed(path),
    read,
    combine: alone,
};

static META: Meta = Meta {
    name: "julia-depot",
    title: "Julia packages of a depot",
    finds: &["packages/<name>/<slug>/Project.toml, under any depot such as .julia"],
    needs: &[],
    references: &["https://pkgdocs.julialang.org/v1/depots/"],
};

/// `packages/<name>/<slug>/Project.toml`, where the slug has five letters and digits (four in old depots).
fn is_installed(file: &str) -> bool {
    let folder = path::parent(file);
    let slug = path::file_name(folder);
    let above = path::parent(path::parent(folder));
    path::file_name(above) == "packages"
        && matches!(slug.len(), 4 | 5)
        && slug.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn read(reading: &mut Reading<'_>) {
    let document = reading.toml();
    let uuid = document.get("uuid").str();
    let Some((name, version)) = reading.name_and_version(&document) else {
        return;
    };
    let purl = Purl::new("julia", "", name, version).with_qualifier("uuid", uuid);
    let package = Package::new(reading.found_by, purl, "Julia", name, version);
    let package = reading.at(package, document.get("version").line);
    reading.list([package].into_iter().collect::<Listing>());
}
