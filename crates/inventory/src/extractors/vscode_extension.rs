//! Extensions of Visual Studio Code and its kin, from the list that the editor keeps of them.

use crate::Kind;
use crate::lock_file::{Listing, LockFile, Reading, alone};
use model::{Meta, Package, Purl};

/// The member.
pub(super) static VSCODE_EXTENSION: LockFile = LockFile {
    meta: &META,
    kind: Kind::Installed,
    // `.vscode/extensions.json` of a project only recommends some.
    wants: |path, _| path.ends_with("/extensions/extensions.json"),
    read,
    combine: alone,
};

static META: Meta = Meta {
    name: "vscode-extension",
    title: "Installed extensions of Visual Studio Code, its server, VSCodium, Cursor and code-server",
    finds: &["extensions/extensions.json, under any folder of an editor"],
    needs: &[],
    references: &["https://code.visualstudio.com/docs/configure/extensions/extension-marketplace"],
};

fn read(reading: &mut Reading<'_>) {
    let document = reading.json();
    let mut packages = Listing::default();
    for entry in document.items() {
        let (id, version) = (
            entry.get("identifier").get("id").str(),
            entry.get("version").str(),
        );
        let Some((publisher, name)) = id.split_once('.').filter(|_| !version.is_empty()) else {
            reading.no_name_or_version(entry.line, id);
            continue;
        };
        let purl = Purl::new("vscode-extension", publisher, name, version);
        let platform = entry.get("metadata").get("targetPlatform").str();
        let purl = match platform {
            "" | "undefined" | "universal" => purl,
            platform => purl.with_qualifier("platform", platform),
        };
        let mut package = Package::new(reading.found_by, purl, "VSCode", id, version);
        package.add_fact(
            "publisher",
            entry.get("metadata").get("publisherDisplayName").str(),
        );
        packages.push(reading.at(package, entry.line));
    }
    reading.list(packages);
}
