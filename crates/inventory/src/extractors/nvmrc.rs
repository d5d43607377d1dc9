//! `.nvmrc` and `.node-version`: the version of Node.js that a project runs on.

use crate::Kind;
use crate::identity::other;
use crate::lock_file::{LockFile, Reading, alone};
use model::{Meta, Relation};

/// The member.
pub(super) static NVMRC: LockFile = LockFile {
    meta: &META,
    kind: Kind::Declared,
    wants: |_, name| matches!(name, ".nvmrc" | ".node-version"),
    read,
    combine: alone,
};

static META: Meta = Meta {
    name: "nvmrc",
    title: "The version of Node.js that a project runs on",
    finds: &[".nvmrc", ".node-version"],
    needs: &[],
    references: &["https://github.com/nvm-sh/nvm#nvmrc"],
};

fn read(reading: &mut Reading<'_>) {
    let line = reading
        .lines()
        .map(|(number, line)| (number, line.split('#').next().unwrap_or(line).trim()))
        .find(|(_, line)| !line.is_empty());
    let Some((number, text)) = line else {
        return reading.problem("names no version of Node.js");
    };
    let version = text.strip_prefix('v').unwrap_or(text);
    let exact = version.starts_with(|first: char| first.is_ascii_digit());
    let mut package = other(
        reading.found_by,
        "generic",
        "node",
        if exact { version } else { "" },
    );
    if !exact {
        // `lts/*`, `node`, `stable`
        package.add_fact("requirement", text);
    }
    package.relation = Some(Relation::Direct);
    let package = reading.at(package, number);
    reading.list([package].into_iter().collect());
}
