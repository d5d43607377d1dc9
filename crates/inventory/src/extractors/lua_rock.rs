//! Rocks that LuaRocks installed.

use crate::{Extracted, Extractor, File, Kind, assignments, license, reading};
use model::{Entry, EntryKind, Location, Meta, Package, Purl, path};

/// The member.
pub(super) static LUA_ROCK: LuaRock = LuaRock;

pub(super) struct LuaRock;

static META: Meta = Meta {
    name: "lua-rock",
    title: "Installed Lua rocks",
    finds: &[
        "rocks/<name>/<version>/*.rockspec and rocks-<lua>/<name>/<version>/*.rockspec, under any prefix",
    ],
    needs: &[],
    references: &[
        "https://github.com/luarocks/luarocks/blob/main/docs/rockspec_format.md",
        "https://github.com/package-url/purl-spec/blob/main/types/luarocks-definition.json",
    ],
};

/// Largest rockspec that is read, in bytes.
const LIMIT: u64 = 4 << 20;

impl Extractor for LuaRock {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn kind(&self) -> Kind {
        Kind::Installed
    }

    fn wants(&self, entry: &Entry<'_>) -> bool {
        if entry.kind != EntryKind::File || !entry.path.ends_with(".rockspec") {
            return false;
        }
        let tree = path::file_name(path::parent(path::parent(path::parent(entry.path))));
        tree == "rocks" || tree.starts_with("rocks-")
    }

    fn extract(&self, file: &mut File<'_>, out: &mut Extracted) {
        let location = file.entry.path;
        let Some(text) = reading::text(file.content, location, LIMIT, "the rockspec", out) else {
            return;
        };
        let value = |key: &str| {
            assignments::value_of(&text, |left| {
                left == key || left.strip_prefix("local ") == Some(key)
            })
            .and_then(|value| assignments::texts(value, '#').into_iter().next())
            .unwrap_or_default()
        };
        let (name, version) = (value("package"), value("version"));
        if name.is_empty() || version.is_empty() {
            let what = if name.is_empty() { "package" } else { "version" };
            return out.problem(
                location,
                format!("the rockspec's {what} is missing or is no plain text"),
            );
        }
        let mut package = Package::new(
            META.name,
            Purl::new("luarocks", "", &name, &version),
            "",
            name,
            version,
        );
        package.licenses = license::expressions(&value("license"));
        package.locations.push(Location::file(location));
        out.packages.push(package);
    }
}
