//! `.tool-versions` of asdf.

use crate::Kind;
use crate::identity::other;
use crate::lock_file::{Listing, LockFile, Reading, alone};
use model::{Meta, Relation};

/// The member.
pub(super) static ASDF_TOOL_VERSIONS: LockFile = LockFile {
    meta: &META,
    kind: Kind::Declared,
    wants: |_, name| name == ".tool-versions",
    read,
    combine: alone,
};

static META: Meta = Meta {
    name: "asdf-tool-versions",
    title: "Runtimes and tools that asdf sets up",
    finds: &[".tool-versions"],
    needs: &[],
    references: &["https://asdf-vm.com/manage/configuration.html"],
};

fn read(reading: &mut Reading<'_>) {
    let mut packages = Listing::default();
    for (number, line) in reading.lines() {
        let mut words = line.split('#').next().unwrap_or(line).split_whitespace();
        let Some(name) = words.next() else {
            continue;
        };
        let versions: Vec<&str> = words.collect();
        if versions.is_empty() {
            reading.bad_entry(number, format!("the tool `{name}` has no version"));
        }
        for version in versions {
            // `system` is whatever the machine has.
            let known = version != "system" && !version.starts_with("path:") && !version.starts_with("ref:");
            let mut package = other(
                reading.found_by,
                "generic",
                name,
                if known { version } else { "" },
            );
            if !known {
                package.add_fact("requirement", version);
            }
            package.relation = Some(Relation::Direct);
            packages.push(reading.at(package, number));
        }
    }
    reading.list(packages);
}
