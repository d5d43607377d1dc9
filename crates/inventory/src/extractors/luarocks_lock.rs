//! `luarocks.lock` of LuaRocks.

use crate::Kind;
use crate::identity::other;
use crate::lock_file::{Listing, LockFile, Reading, alone};
use model::{Meta, Scope};

/// The member.
pub(super) static LUAROCKS_LOCK: LockFile = LockFile {
    meta: &META,
    kind: Kind::Declared,
    wants: |_, name| name == "luarocks.lock",
    read,
    combine: alone,
};

static META: Meta = Meta {
    name: "luarocks-lock",
    title: "Lua rocks of a LuaRocks lock file",
    finds: &["luarocks.lock"],
    needs: &[],
    references: &["https://github.com/luarocks/luarocks/blob/main/docs/pinning_versions_with_a_lock_file.md"],
};

fn read(reading: &mut Reading<'_>) {
    let mut packages = Listing::default();
    let mut scope = None;
    for (number, line) in reading.lines() {
        let text = line.trim();
        // `["name"] = "1.0-1",` or `name = "1.0-1",` inside `dependencies = {`.
        let Some((key, value)) = text.split_once('=') else {
            if text.starts_with('}') {
                scope = None;
            }
            continue;
        };
        let (key, value) = (key.trim().trim_matches(['[', ']', '"', ' ']), value.trim());
        if value == "{" {
            scope = match key {
                "dependencies" => Some(Scope::Runtime),
                "build_dependencies" | "test_dependencies" => Some(Scope::Development),
                _ => None,
            };
        } else if let Some(scope) = scope {
            let version = value.trim_end_matches(',').trim_matches('"');
            if key.is_empty() || version.is_empty() {
                reading.bad_entry(number, format!("`{text}` is no name and version"));
                continue;
            }
            let mut package = other(reading.found_by, "luarocks", key, version);
            package.scope = Some(scope);
            packages.push(reading.at(package, number));
        }
    }
    reading.list(packages);
}
