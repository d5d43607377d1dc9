//! `cabal.project.freeze` of Haskell's Cabal.

use crate::Kind;
use crate::identity::hackage;
use crate::lock_file::{Listing, LockFile, Reading, alone};
use model::Meta;

/// The member.
pub(super) static CABAL_FREEZE: LockFile = LockFile {
    meta: &META,
    kind: Kind::Declared,
    wants: |_, name| name.ends_with("cabal.project.freeze") || name == "cabal.config",
    read,
    combine: alone,
};

static META: Meta = Meta {
    name: "cabal-freeze",
    title: "Haskell packages that Cabal froze",
    finds: &["cabal.project.freeze", "cabal.config"],
    needs: &[],
    references: &["https://cabal.readthedocs.io/en/stable/cabal-commands.html#cabal-freeze"],
};

fn read(reading: &mut Reading<'_>) {
    let mut packages = Listing::default();
    let mut inside = false;
    for (number, line) in reading.lines() {
        let text = line.split("--").next().unwrap_or(line);
        let indented = text.starts_with([' ', '\t']);
        let text = match text.trim_start().strip_prefix("constraints:") {
            Some(rest) => {
                inside = true;
                rest
            }
            None if !indented && !text.trim().is_empty() => {
                inside = false;
                ""
            }
            None => text,
        };
        if !inside {
            continue;
        }
        for constraint in text.split(',').map(str::trim) {
            // `any.name ==1.0`, `name ==1.0`; `name +flag` sets a flag and names no version.
            let Some((name, version)) = constraint.split_once("==") else {
                continue;
            };
            let name = name.trim();
            let name = name.strip_prefix("any.").unwrap_or(name);
            let version = version.split_whitespace().next().unwrap_or_default();
            if name.is_empty() || version.is_empty() {
                reading.bad_entry(number, format!("`{constraint}` is no name and version"));
                continue;
            }
            packages.push(reading.at(hackage(reading.found_by, name, version), number));
        }
    }
    reading.list(packages);
}
