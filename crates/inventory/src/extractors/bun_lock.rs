//! `bun.lock`, Bun's lock file in JSON with comments.

use crate::Kind;
use crate::dependency_graph::{DependencyGraph, Id, NestedFolders};
use crate::documents::{self, Node, Value};
use crate::identity::{from_path, npm, npm_resolved, split_npm};
use crate::lock_file::{LockFile, Reading, alone};
use model::{Meta, Scope};

/// The member.
pub(super) static BUN_LOCK: LockFile = LockFile {
    meta: &META,
    kind: Kind::Declared,
    wants: |_, name| matches!(name, "bun.lock" | "bun.lockb"),
    read,
    combine: alone,
};

static META: Meta = Meta {
    name: "bun-lock",
    title: "npm packages of a Bun lock file",
    finds: &[
        "bun.lock",
        "bun.lockb (the older binary form, which is only reported)",
    ],
    needs: &[],
    references: &["https://bun.com/docs/pm/lockfile"],
};

const WANTED: [(&str, Scope); 4] = [
    ("dependencies", Scope::Runtime),
    ("peerDependencies", Scope::Runtime),
    ("optionalDependencies", Scope::Optional),
    ("devDependencies", Scope::Development),
];

fn read(reading: &mut Reading<'_>) {
    if reading.file_name() == "bun.lockb" {
        return reading.problem(
            "the binary lock file of Bun is not read: write a text one with `bun install --save-text-lockfile`",
        );
    }
    let text = documents::strip_json_comments(reading.text);
    let parsed = documents::json(&text, |_, _| false);
    if let Some(error) = parsed.error {
        reading.problem(error);
    }
    let document = parsed.document;
    let mut graph = DependencyGraph::scoped();
    let mut folders = NestedFolders::default();
    let mut wants: Vec<(Id, &str, &Node<'_>)> = Vec::new();
    for (folder, workspace) in document.get("workspaces").entries() {
        let name = workspace.get("name").str();
        let id = if name.is_empty() {
            graph.add_project(&**folder)
        } else {
            let mut package = npm(reading.found_by, name, workspace.get("version").str());
            from_path(&mut package, if folder.is_empty() { "." } else { folder });
            graph.add_root(reading.at(package, workspace.line))
        };
        // What a workspace folder wants may be nested under its name.
        wants.push((id, name, workspace));
    }
    for (key, entry) in document.get("packages").entries() {
        let identity = entry.items().first().map_or("", Node::str);
        let Some((name, place)) = split_npm(identity) else {
            reading.bad_entry(
                entry.line,
                format!("the entry `{key}` names no package and version"),
            );
            continue;
        };
        if place.starts_with("workspace:") {
            continue;
        }
        let is_version = place.starts_with(|first: char| first.is_ascii_digit());
        let mut package = npm(reading.found_by, name, if is_version { place } else { "" });
        if !is_version {
            npm_resolved(&mut package, place);
        }
        let id = graph.add(reading.at(package, entry.line));
        let (above, name) = split_key(key);
        folders.add(above, name, id);
        if let Some(info) = entry
            .items()
            .iter()
            .find(|item| matches!(item.value, Value::Map(_)))
        {
            wants.push((id, key, info));
        }
    }
    for (from, place, info) in wants {
        let seen = folders.seen_from(place);
        for (key, scope) in WANTED {
            for (name, _) in info.get(key).entries() {
                if let Some(to) = seen.iter().find_map(|folder| folder.get(&**name)) {
                    graph.want(from, *to, scope);
                }
            }
        }
    }
    if !document.get("lockfileVersion").exists() && !document.get("packages").exists() {
        reading.problem("not a Bun lock file: it has neither `lockfileVersion` nor `packages`");
    }
    reading.list_graph(graph);
}

/// The chain of names before a key's last name, and that name: `a/@b/c` is the `@b/c` that only `a` gets.
fn split_key(key: &str) -> (&str, &str) {
    let last = key.rfind('/').map_or(0, |at| at + 1);
    // A scope belongs to the name.
    let above = key.get(..last.saturating_sub(1)).unwrap_or_default();
    let scope = above.rfind('/').map_or(0, |at| at + 1);
    let start = if last > 0 && above[scope..].starts_with('@') {
        scope
    } else {
        last
    };
    (key[..start].trim_end_matches('/'), &key[start..])
}

#[cfg(test)]
mod tests {
    use super::split_key;

    #[test]
    fn keys() {
        for (key, expected) in [
            ("a", ("", "a")),
            ("a/b", ("a", "b")),
            ("@s/a", ("", "@s/a")),
            ("a/@s/b", ("a", "@s/b")),
            ("@s/a/b", ("@s/a", "b")),
            ("@s/a/@t/b", ("@s/a", "@t/b")),
            ("", ("", "")),
            ("/", ("", "")),
        ] {
            assert_eq!(split_key(key), expected, "{key}");
        }
    }
}
