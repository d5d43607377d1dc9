//! `*.nimble` of Nimble: what a Nim project asks for.

use crate::Kind;
use crate::identity::{from_git, other, with_requirement};
use crate::lock_file::{Listing, LockFile, Reading, alone};
use model::{Meta, Relation};

/// The member.
pub(super) static NIMBLE_MANIFEST: LockFile = LockFile {
    meta: &META,
    kind: Kind::Declared,
    wants: |_, name| name.ends_with(".nimble"),
    read,
    combine: alone,
};

static META: Meta = Meta {
    name: "nimble-manifest",
    title: "Nim packages that a Nimble project asks for",
    finds: &["*.nimble"],
    needs: &[],
    references: &["https://nim-lang.github.io/nimble/nimble-reference.html"],
};

fn read(reading: &mut Reading<'_>) {
    let mut packages = Listing::default();
    // A list goes on while its lines end in a comma.
    let mut goes_on = false;
    for (number, line) in reading.lines() {
        let line = line.split('#').next().unwrap_or_default().trim();
        let list = match line.strip_prefix("requires") {
            Some(rest) => rest,
            None if goes_on => line,
            None => continue,
        };
        goes_on = list.ends_with([',', '(']);
        // What stands between quotes is every other part.
        for asked in list.split('"').skip(1).step_by(2) {
            for asked in asked.split(',') {
                let end = asked
                    .find([' ', '>', '<', '=', '~', '^', '#', '['])
                    .unwrap_or(asked.len());
                let (name, range) = asked.split_at(end);
                let (name, range) = (name.trim(), range.trim());
                if name.is_empty() {
                    reading.bad_entry(number, format!("`{asked}` asks for no package"));
                    continue;
                }
                let exact = range.strip_prefix("==").map_or("", str::trim);
                let short = name.trim_end_matches('/').rsplit('/').next().unwrap_or(name);
                let mut package = other(reading.found_by, "nimble", short, exact);
                if name.contains("://") {
                    from_git(&mut package, name, "");
                }
                if exact.is_empty() {
                    with_requirement(&mut package, if range.is_empty() { "*" } else { range });
                }
                package.relation = Some(Relation::Direct);
                packages.push(reading.at(package, number));
            }
        }
    }
    reading.list(packages);
}
