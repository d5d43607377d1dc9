//! Applications that Flatpak installed, by the description that each exports.

use crate::Kind;
use crate::identity::other;
use crate::license;
use crate::lock_file::{Listing, LockFile, Reading, alone};
use model::Meta;

/// The member.
pub(super) static FLATPAK_APPLICATION: LockFile = LockFile {
    meta: &META,
    kind: Kind::Installed,
    wants: |path, name| {
        (name.ends_with(".metainfo.xml") || name.ends_with(".appdata.xml")) && is_deployed(path)
    },
    read,
    combine: alone,
};

static META: Meta = Meta {
    name: "flatpak-application",
    title: "Applications of Flatpak",
    finds: &[
        "flatpak/app/<id>/<arch>/<branch>/<commit>/export/share/metainfo/*.metainfo.xml and appdata/*.appdata.xml",
    ],
    needs: &[],
    references: &["https://docs.flatpak.org/en/latest/conventions.html#metainfo-files"],
};

/// The deployed commit's own file, not the links to it in `exports`.
fn is_deployed(path: &str) -> bool {
    path.contains("flatpak/app/") && path.contains("/export/share/")
}

fn read(reading: &mut Reading<'_>) {
    let document = reading.xml();
    let document = document.child("component");
    let name = document.child("id").text.trim_end_matches(".desktop").to_owned();
    // The newest release stands first.
    let release = document.child("releases").child("release");
    let version = release.attribute("version");
    if name.is_empty() || version.is_empty() {
        return reading.no_name_or_version(document.line, &name);
    }
    let mut package = other(reading.found_by, "flatpak", &name, version);
    package.licenses = license::expressions(&document.child("project_license").text);
    package.add_fact("title", document.child("name").text.as_str());
    let package = reading.at(package, release.line);
    reading.list([package].into_iter().collect::<Listing>());
}
