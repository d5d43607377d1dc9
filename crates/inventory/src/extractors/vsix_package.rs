//! Package files of Visual Studio Code's extensions that lie in a source tree or are the target.

use crate::intake::Intake;
use crate::{Extracted, Extractor, File, Kind, license, reading};
use model::{Content, Entry, EntryKind, Location, Meta, Package, Purl, ZipMember, ZipVisitor};

/// The member.
pub(super) static VSIX_PACKAGE: VsixPackage = VsixPackage;

pub(super) struct VsixPackage;

static META: Meta = Meta {
    name: "vsix-package",
    title: "Package files of extensions of Visual Studio Code and its kin",
    finds: &["*.vsix, in source trees and as a target, by extension/package.json in them"],
    needs: &[],
    references: &["https://code.visualstudio.com/api/references/extension-manifest"],
};

/// The file that makes a zip an extension.
const MANIFEST: &str = "extension/package.json";
/// Largest manifest that is read, in bytes; those with many settings have some 500 KiB.
const LIMIT: u64 = 8 << 20;

impl Extractor for VsixPackage {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn kind(&self) -> Kind {
        Kind::Source
    }

    fn wants(&self, entry: &Entry<'_>) -> bool {
        entry.kind == EntryKind::File && entry.file_name().ends_with(".vsix")
    }

    fn extract(&self, file: &mut File<'_>, out: &mut Extracted) {
        let path = file.entry.path;
        let mut vsix = Vsix {
            path,
            found: false,
            out,
        };
        let result = file.archives.zip(file.content, &mut vsix);
        let found = vsix.found;
        let mut intake = Intake::new(path, out);
        match result {
            Err(message) => intake.problem(format!("the extension was not read to its end: {message}")),
            // Those of Visual Studio itself have another manifest and no registry whose advisories would be known.
            Ok(()) if !found => intake.problem(format!("the extension has no `{MANIFEST}` and was not read")),
            Ok(()) => {}
        }
    }
}

struct Vsix<'a> {
    path: &'a str,
    found: bool,
    out: &'a mut Extracted,
}

impl ZipVisitor for Vsix<'_> {
    fn wants(&mut self, member: &ZipMember<'_>) -> bool {
        !self.found && member.name == MANIFEST
    }

    fn file(&mut self, _: &ZipMember<'_>, content: &mut dyn Content) {
        self.found = true;
        let Some(manifest) = reading::json(content, self.path, LIMIT, "the extension's manifest", self.out)
        else {
            return;
        };
        let [publisher, name, version] =
            ["publisher", "name", "version"].map(|key| reading::field(&manifest, key));
        if [publisher, name, version].contains(&"") {
            return self.out.problem(
                self.path,
                "the extension's manifest has no publisher, no name or no version",
            );
        }
        let purl = Purl::new("vscode-extension", publisher, name, version);
        let id = format!("{publisher}.{name}");
        let mut package = Package::new(META.name, purl, "VSCode", id, version);
        package.licenses = license::expressions(reading::field(&manifest, "license"));
        package.locations.push(Location::file(self.path));
        self.out.packages.push(package);
    }
}
