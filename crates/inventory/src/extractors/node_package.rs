//! Installed Node packages: the `package.json` of each folder directly below a `node_modules`.

use crate::{Extracted, Extractor, File, Kind, license, reading};
use model::{Entry, EntryKind, Location, Meta, Package, Purl};
use serde_json::Value;

/// The member.
pub(super) static NODE_PACKAGE: NodePackage = NodePackage;

pub(super) struct NodePackage;

static META: Meta = Meta {
    name: "node-package",
    title: "Installed Node packages, npm itself and Debian's among them",
    finds: &[
        "node_modules/<name>/package.json and node_modules/@scope/<name>/package.json",
        "node_modules/…/compiled/<name>/package.json, and vendor, vendored, third_party, third-party, bundled, external: copies that a package brings along",
        "usr/share/nodejs/<name>/package.json and usr/lib/nodejs/<name>/package.json",
        "opt/yarn-v*/package.json",
    ],
    needs: &[],
    references: &[
        "https://docs.npmjs.com/cli/configuring-npm/package-json",
        "https://nodejs.org/api/modules.html#loading-from-node_modules-folders",
    ],
};

/// Largest manifest that is read, in bytes.
const LIMIT: u64 = 16 << 20;

impl Extractor for NodePackage {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn kind(&self) -> Kind {
        Kind::Installed
    }

    fn wants(&self, entry: &Entry<'_>) -> bool {
        entry.kind == EntryKind::File
            && (folder_name(entry.path).is_some() || vendored_name(entry.path).is_some())
    }

    fn extract(&self, file: &mut File<'_>, out: &mut Extracted) {
        let location = file.entry.path;
        let Some(json) = reading::json(file.content, location, LIMIT, "the package.json", out) else {
            return;
        };
        let (name, version) = (reading::field(&json, "name"), reading::field(&json, "version"));
        let vendored = folder_name(location)
            .is_none()
            .then(|| vendored_name(location))
            .flatten();
        if let Some((_, folder)) = vendored
            && (folder != name || version.is_empty())
        {
            // Built from who knows what: only a manifest that names the folder's package and its version says so.
            return;
        }
        match (name.is_empty(), version.is_empty()) {
            (false, false) => {}
            // Folders that only say `"type": "module"` or point to another entry file are no packages.
            (true, true) => return,
            (true, false) => return out.problem(location, "the package.json has a version but no name"),
            (false, true) => {
                return out.problem(location, format!("the package.json of `{name}` has no version"));
            }
        }
        if !version
            .trim_start_matches(['v', '=', ' '])
            .starts_with(|first: char| first.is_ascii_digit())
        {
            out.problem(
                location,
                format!("the version `{version}` of `{name}` is no semantic version"),
            );
        }
        let (scope, bare) = match name.split_once('/') {
            Some((scope, bare)) => (scope, bare),
            None => ("", name),
        };
        let mut package = Package::new(
            META.name,
            Purl::new("npm", scope, bare, version),
            "npm",
            name,
            version,
        );
        package.licenses = licenses(&json);
        package.locations.push(Location::file(location));
        if let Some(folder) =
            folder_name(location).filter(|folder| *folder != name && location.contains("node_modules/"))
        {
            package.add_fact("installed-as", folder);
        }
        if let Some((by, _)) = vendored {
            package.add_fact("vendored-by", by);
        }
        if json.get("private").and_then(Value::as_bool) == Some(true) {
            package.add_fact("private", "true");
        }
        out.packages.push(package);
    }
}

/// The package that has a copy of another in a folder for such, and the copy's name as its folder gives it.
fn vendored_name(file: &str) -> Option<(&str, &str)> {
    const FOLDERS: [&str; 7] = [
        "compiled",
        "vendor",
        "vendored",
        "third_party",
        "third-party",
        "bundled",
        "external",
    ];
    let folder = file.strip_suffix("/package.json")?;
    let at = folder.rfind("node_modules/")?;
    if at != 0 && folder.as_bytes().get(at - 1) != Some(&b'/') {
        return None;
    }
    let inside = &folder[at + "node_modules/".len()..];
    let mut parts = inside.rsplit('/');
    let (last, before) = (parts.next()?, parts.next()?);
    let (name_parts, kept_in) = if before.starts_with('@') {
        (2, parts.next()?)
    } else {
        (1, before)
    };
    let owner_parts = if inside.starts_with('@') { 2 } else { 1 };
    let count = inside.split('/').count();
    let is_copy =
        FOLDERS.contains(&kept_in) && !last.starts_with(['@', '.']) && count > owner_parts + name_parts;
    if !is_copy {
        return None;
    }
    let start = |parts: usize| inside.match_indices('/').nth(parts).map(|(at, _)| at);
    let owner = &inside[..start(owner_parts - 1)?];
    let name = &inside[start(count - name_parts - 1)? + 1..];
    Some((owner, name))
}

/// `name` or `@scope/name` of the folder when the path is an installed package's own manifest, not one deeper inside it.
fn folder_name(file: &str) -> Option<&str> {
    let folder = file.strip_suffix("/package.json")?;
    let below = |root: &str| folder.strip_prefix(root);
    let name = match folder.rfind("node_modules/") {
        Some(at) if at == 0 || folder.as_bytes().get(at - 1) == Some(&b'/') => {
            &folder[at + "node_modules/".len()..]
        }
        _ => below("usr/share/nodejs/")
            .or_else(|| below("usr/lib/nodejs/"))
            .or_else(|| below("opt/").filter(|name| name.starts_with("yarn-v")))?,
    };
    let parts = name.split('/').count();
    let valid = match name.as_bytes().first() {
        Some(b'@') => parts == 2,
        Some(b'.') | None => false,
        Some(_) => parts == 1,
    };
    valid.then_some(name)
}

/// `license` as text, `{type}` or list, and the older `licenses`; several mean that one may choose.
fn licenses(json: &Value) -> Vec<String> {
    let names = |value: &Value| -> Vec<String> {
        let one = |value: &Value| match value {
            Value::String(text) => Some(text.clone()),
            Value::Object(_) => {
                let name = match reading::field(value, "type") {
                    "" => reading::field(value, "name"),
                    name => name,
                };
                Some(name.to_owned()).filter(|name| !name.is_empty())
            }
            _ => None,
        };
        match value {
            Value::Array(values) => values.iter().filter_map(one).collect(),
            value => one(value).into_iter().collect(),
        }
    };
    let mut all = json.get("license").map(names).unwrap_or_default();
    if all.is_empty() {
        all = json.get("licenses").map(names).unwrap_or_default();
    }
    license::any_of(&all)
}

#[cfg(test)]
mod tests {
    use super::{folder_name, licenses, vendored_name};
    use serde_json::json;

    #[test]
    fn only_manifests_of_packages_count() {
        for (file, expected) in [
            ("app/node_modules/express/package.json", Some("express")),
            ("node_modules/@babel/core/package.json", Some("@babel/core")),
            ("n/node_modules/.pnpm/a@1/node_modules/a/package.json", Some("a")),
            ("usr/share/nodejs/semver/package.json", Some("semver")),
            ("usr/share/nodejs/@types/node/package.json", Some("@types/node")),
            ("usr/share/nodejs/npm/node_modules/x/package.json", Some("x")),
            ("opt/yarn-v1.22.19/package.json", Some("yarn-v1.22.19")),
            ("node_modules/a/test/fixtures/package.json", None),
            ("node_modules/@babel/package.json", None),
            ("node_modules/.bin/package.json", None),
            ("my_node_modules/a/package.json", None),
            ("app/package.json", None),
            ("opt/app/package.json", None),
        ] {
            assert_eq!(folder_name(file), expected, "{file}");
        }
    }

    #[test]
    fn copies_in_packages_count_where_their_folder_says_so() {
        for (file, expected) in [
            (
                "app/node_modules/next/dist/compiled/@babel/runtime/package.json",
                Some(("next", "@babel/runtime")),
            ),
            (
                "node_modules/typescript/vendor/vscode-jsonrpc/package.json",
                Some(("typescript", "vscode-jsonrpc")),
            ),
            (
                "node_modules/@visx/vendor/lib/external/d3/package.json",
                Some(("@visx/vendor", "d3")),
            ),
            // Packages of their own, whose names look like such folders.
            ("node_modules/@visx/vendor/package.json", None),
            ("node_modules/vendor/package.json", None),
            ("node_modules/vendor/lib/package.json", None),
            ("node_modules/next/dist/compiled/package.json", None),
            ("node_modules/next/dist/compiled/@babel/package.json", None),
            ("node_modules/next/dist/compiled/a/esm/package.json", None),
            ("node_modules/a/test/b/package.json", None),
            ("app/vendor/b/package.json", None),
            ("my_node_modules/a/vendor/b/package.json", None),
        ] {
            assert_eq!(vendored_name(file), expected, "{file}");
        }
    }

    #[test]
    fn licences_of_all_shapes() {
        for (manifest, expected) in [
            (json!({"license": "MIT"}), &["MIT"] as &[&str]),
            (json!({"license": {"type": "ISC", "url": "x"}}), &["ISC"]),
            (
                json!({"licenses": [{"type": "MIT"}, {"type": "Apache-2.0"}]}),
                &["MIT OR Apache-2.0"],
            ),
            (
                json!({"license": ["MIT", "own thing"]}),
                &["MIT", "LicenseRef-own-thing"],
            ),
            (
                json!({"license": "SEE LICENSE IN x.md"}),
                &["LicenseRef-SEE-LICENSE-IN-x.md"],
            ),
            (json!({"license": 7}), &[]),
        ] {
            assert_eq!(licenses(&manifest), expected, "{manifest}");
        }
    }
}
