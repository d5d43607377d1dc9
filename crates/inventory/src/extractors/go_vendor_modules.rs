//! `vendor/modules.txt`, Go's record of the modules copied into a project.

use crate::Kind;
use crate::identity::{from_path, golang};
use crate::lock_file::{Listing, LockFile, Reading, alone};
use model::{Meta, Relation};

/// The member.
pub(super) static GO_VENDOR_MODULES: LockFile = LockFile {
    meta: &META,
    // It lies in `vendor`, but speaks of the very modules that lie there.
    kind: Kind::Installed,
    wants: |path, _| path == "vendor/modules.txt" || path.ends_with("/vendor/modules.txt"),
    read,
    combine: alone,
};

static META: Meta = Meta {
    name: "go-vendor-modules",
    title: "Go modules copied into a project's vendor folder",
    finds: &["vendor/modules.txt"],
    needs: &[],
    references: &["https://go.dev/ref/mod#go-mod-vendor"],
};

fn read(reading: &mut Reading<'_>) {
    let mut packages = Listing::default();
    for (number, line) in reading.lines() {
        if let Some(explicit) = line.strip_prefix("## ") {
            if explicit.split(';').any(|part| part.trim() == "explicit")
                && let Some(package) = packages.last_mut()
            {
                package.relation = Some(Relation::Direct);
            }
            continue;
        }
        let Some(module) = line.strip_prefix("# ") else {
            continue;
        };
        let words: Vec<&str> = module.split_whitespace().collect();
        let package = match *words.as_slice() {
            [name, version] => golang(reading.found_by, name, version),
            [name, _, "=>", target, to] => {
                let mut package = golang(reading.found_by, target, to);
                package.add_fact("replaces", name);
                package
            }
            [name, _, "=>", folder] => {
                let mut package = golang(reading.found_by, name, "");
                from_path(&mut package, folder);
                package
            }
            // A replacement of all versions, said again at the end.
            [_, "=>", ..] => continue,
            _ => {
                reading.bad_entry(number, format!("`{line}` names no module and version"));
                continue;
            }
        };
        packages.push(reading.at(package, number));
    }
    for package in &mut packages {
        package.relation.get_or_insert(Relation::Transitive);
    }
    reading.list(packages);
}
