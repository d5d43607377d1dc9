//! `Directory.Packages.props` and other `*Packages.props`: NuGet's versions for all projects of a tree.

use crate::Kind;
use crate::lock_file::{Listing, LockFile, Reading, alone};
use crate::msbuild;
use model::Meta;

/// The member.
pub(super) static NUGET_CENTRAL_PACKAGES: LockFile = LockFile {
    meta: &META,
    kind: Kind::Declared,
    wants: |_, name| name.to_ascii_lowercase().ends_with("packages.props"),
    read,
    combine: alone,
};

static META: Meta = Meta {
    name: "nuget-central-packages",
    title: "NuGet packages whose versions are managed in one place",
    finds: &["*Packages.props"],
    needs: &[],
    references: &["https://learn.microsoft.com/nuget/consume-packages/central-package-management"],
};

fn read(reading: &mut Reading<'_>) {
    let document = reading.xml();
    let mut packages = Listing::default();
    for reference in msbuild::references(
        &document,
        &["PackageVersion", "GlobalPackageReference", "PackageReference"],
    ) {
        if reference.name.is_empty() || reference.version.is_empty() {
            // `Update` of another file's item says no version.
            continue;
        }
        packages.push(reading.at(reference.package(reading.found_by), reference.line));
    }
    reading.list(packages);
}
