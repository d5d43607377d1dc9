//! `deno.json` and `deno.jsonc` of Deno: what its map of imports asks for of npm and JSR.

use super::deno_lock::jsr;
use crate::Kind;
use crate::documents::strip_json_comments;
use crate::identity::{npm, split_npm, with_requirement};
use crate::lock_file::{Listing, LockFile, Reading, alone};
use model::{Meta, Relation};

/// The member.
pub(super) static DENO_JSON: LockFile = LockFile {
    meta: &META,
    kind: Kind::Declared,
    wants: |_, name| matches!(name, "deno.json" | "deno.jsonc"),
    read,
    combine: alone,
};

static META: Meta = Meta {
    name: "deno-json",
    title: "Packages of npm and JSR that a Deno project asks for",
    finds: &["deno.json", "deno.jsonc"],
    needs: &[],
    references: &["https://docs.deno.com/runtime/fundamentals/configuration/"],
};

fn read(reading: &mut Reading<'_>) {
    let text = strip_json_comments(reading.text);
    let parsed = crate::documents::json(&text, |_, _| false);
    if let Some(error) = parsed.error {
        reading.problem(error);
    }
    let mut packages = Listing::default();
    for (_, entry) in parsed.document.get("imports").entries() {
        // Addresses and paths name no package.
        let Some((registry, asked)) = entry.str().split_once(':') else {
            continue;
        };
        // `npm:@scope/name@range/path`, and `npm:/name` as some tools write it.
        let asked = asked.trim_start_matches('/');
        let (name, rest) = split_npm(asked).unwrap_or((asked, ""));
        let range = rest.split('/').next().unwrap_or(rest);
        let exact = range.starts_with(|first: char| first.is_ascii_digit())
            && range.split('.').count() == 3
            && !range.contains([' ', '|', 'x', '*']);
        let version = if exact { range } else { "" };
        let mut package = match registry {
            "npm" => npm(reading.found_by, name, version),
            "jsr" => jsr(reading, name, version),
            _ => continue,
        };
        if !exact {
            with_requirement(&mut package, if range.is_empty() { "*" } else { range });
        }
        package.relation = Some(Relation::Direct);
        packages.push(reading.at(package, entry.line));
    }
    reading.list(packages);
}
