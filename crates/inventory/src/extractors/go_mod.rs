//! `go.mod` of Go, with `go.sum` for modules that before Go 1.17 stood only there.

use crate::dependency_graph::label;
use crate::identity::{from_path, golang};
use crate::lock_file::{Listing, LockFile, Reading};
use crate::{Found, Kind, Note};
use model::{Location, Meta, Package, Relation, path};
use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap, HashSet};

/// The member.
pub(super) static GO_MOD: LockFile = LockFile {
    meta: &META,
    kind: Kind::Declared,
    wants: |_, name| matches!(name, "go.mod" | "go.sum"),
    read,
    combine,
};

static META: Meta = Meta {
    name: "go-mod",
    title: "Go modules of a go.mod, with the toolchain's standard library",
    finds: &["go.mod", "go.sum (for projects before Go 1.17)"],
    needs: &[],
    references: &["https://go.dev/ref/mod"],
};

/// What the directives of a `go.mod` say.
#[derive(Default)]
struct Module<'a> {
    name: &'a str,
    go: &'a str,
    toolchain: &'a str,
    /// Module, version, indirect, line.
    required: Vec<(&'a str, &'a str, bool, u32)>,
    /// Module, version or empty, replacement and its version or empty.
    replaced: Vec<(&'a str, &'a str, &'a str, &'a str)>,
    excluded: HashSet<(&'a str, &'a str)>,
}

fn read(reading: &mut Reading<'_>) {
    if reading.file_name() == "go.sum" {
        return read_sums(reading);
    }
    let mut module = Module::default();
    let mut block = "";
    for (number, line) in reading.lines() {
        let (code, comment) = line.split_once("//").unwrap_or((line, ""));
        let mut words: Vec<&str> = code
            .split_whitespace()
            .map(|word| word.trim_matches(['"', '`']))
            .collect();
        if words == [")"] {
            block = "";
            continue;
        }
        let directive = if block.is_empty() {
            if words.is_empty() {
                continue;
            }
            words.remove(0)
        } else {
            block
        };
        match *words.as_slice() {
            ["("] => block = directive,
            [] => {}
            _ => {
                let indirect = comment.split(';').any(|part| part.trim() == "indirect");
                if !module.directive(directive, &words, indirect, number) {
                    reading.bad_entry(number, format!("`{}` is no valid `{directive}`", line.trim()));
                }
            }
        }
    }
    if module.name.is_empty() {
        reading.problem("has no `module` directive");
    }
    list(reading, &module);
}

impl<'a> Module<'a> {
    /// False when the directive is one whose words are wrong.
    fn directive(&mut self, directive: &str, words: &[&'a str], indirect: bool, line: u32) -> bool {
        match (directive, words) {
            ("module", &[name]) => self.name = name,
            ("go", &[version]) => self.go = version,
            ("toolchain", &[name]) => self.toolchain = name,
            ("require", &[name, version]) => self.required.push((name, version, indirect, line)),
            ("exclude", &[name, version]) => {
                self.excluded.insert((name, version));
            }
            ("replace", &[name, "=>", target]) => self.replaced.push((name, "", target, "")),
            ("replace", &[name, version, "=>", target]) => self.replaced.push((name, version, target, "")),
            ("replace", &[name, "=>", target, to]) => self.replaced.push((name, "", target, to)),
            ("replace", &[name, version, "=>", target, to]) => {
                self.replaced.push((name, version, target, to));
            }
            ("module" | "go" | "toolchain" | "require" | "exclude" | "replace", _) => return false,
            _ => {}
        }
        true
    }
}

fn list(reading: &mut Reading<'_>, module: &Module<'_>) {
    let mut packages = Listing::default();
    let chain: Vec<String> = if module.name.is_empty() {
        Vec::new()
    } else {
        vec![label(module.name, "")]
    };
    if !module.name.is_empty() {
        let mut root = golang(reading.found_by, module.name, "");
        root.ecosystem.clear();
        root.relation = Some(Relation::Root);
        root.add_fact("go", module.go);
        packages.push(reading.at(root, 0));
    }
    // `toolchain go1.22.3` names the toolchain that builds; `go 1.22` only the oldest that may.
    let toolchain = module.toolchain.strip_prefix("go").unwrap_or_default();
    if !toolchain.is_empty() {
        let version = toolchain.split(['-', ' ']).next().unwrap_or(toolchain);
        let mut library = golang(reading.found_by, "stdlib", version);
        library.relation = Some(Relation::Direct);
        packages.push(reading.at(library, 0));
    }
    let replaced: HashMap<(&str, &str), (&str, &str)> = module
        .replaced
        .iter()
        .map(|(name, version, target, to)| ((*name, *version), (*target, *to)))
        .collect();
    for &(name, version, indirect, line) in &module.required {
        if module.excluded.contains(&(name, version)) {
            continue;
        }
        let target = replaced
            .get(&(name, version))
            .or_else(|| replaced.get(&(name, "")));
        let mut package = match target {
            None => golang(reading.found_by, name, version),
            Some((folder, "")) => {
                let mut package = golang(reading.found_by, name, "");
                from_path(&mut package, folder);
                package
            }
            Some((target, to)) => {
                let mut package = golang(reading.found_by, target, to);
                package.add_fact("replaces", format!("{name}@{version}"));
                package
            }
        };
        package.relation = Some(if indirect {
            Relation::Transitive
        } else {
            Relation::Direct
        });
        if !indirect {
            package.path.clone_from(&chain);
        }
        packages.push(reading.at(package, line));
    }
    reading.list(packages);
    if before_1_17(module.go) {
        for (name, ..) in &module.required {
            note(reading, "known", name, "");
        }
        for (name, ..) in &module.replaced {
            note(reading, "known", name, "");
        }
        note(reading, "needs-sums", "", "");
    }
}

fn note(reading: &mut Reading<'_>, kind: &str, key: &str, value: &str) {
    reading.out.notes.push(Note {
        kind: kind.to_owned(),
        key: key.to_owned(),
        value: value.to_owned(),
    });
}

/// Since 1.17 a `go.mod` names all modules of the build.
fn before_1_17(go: &str) -> bool {
    let mut parts = go.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    let (major, minor) = (parts.next().unwrap_or(0), parts.next().unwrap_or(0));
    go.is_empty() || (major, minor) < (1, 17)
}

/// Modules whose content, not only whose `go.mod`, has a sum.
fn read_sums(reading: &mut Reading<'_>) {
    for (number, line) in reading.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match *words.as_slice() {
            [] => {}
            [name, version, _] => {
                if !version.ends_with("/go.mod") {
                    note(reading, "sum", name, version);
                }
            }
            _ => reading.bad_entry(number, "the line does not have the three fields of a sum"),
        }
    }
    note(reading, "sums", "", "");
}

/// Adds what only `go.sum` tells. It may hold several versions of a module; the build takes the highest.
fn combine(found: &mut Vec<Found>) {
    let mut sums: HashMap<String, Vec<Note>> = HashMap::new();
    for file in found.iter_mut() {
        if file.extracted.notes.iter().any(|note| note.kind == "sums") {
            let notes = std::mem::take(&mut file.extracted.notes);
            sums.insert(path::parent(&file.path).to_owned(), notes);
        }
    }
    for file in found.iter_mut() {
        let notes = std::mem::take(&mut file.extracted.notes);
        let Some(sums) = sums.get(path::parent(&file.path)) else {
            continue;
        };
        if !notes.iter().any(|note| note.kind == "needs-sums") {
            continue;
        }
        let known: HashSet<&str> = notes.iter().map(|note| note.key.as_str()).collect();
        let mut highest: BTreeMap<&str, &str> = BTreeMap::new();
        for note in sums
            .iter()
            .filter(|note| note.kind == "sum" && !known.contains(note.key.as_str()))
        {
            let have = highest.entry(&note.key).or_insert(&note.value);
            if compare(&note.value, have) == Ordering::Greater {
                *have = &note.value;
            }
        }
        for (name, version) in highest {
            let mut package: Package = golang(META.name, name, version);
            package.relation = Some(Relation::Transitive);
            let sum_file = path::join(path::parent(&file.path), "go.sum");
            package.locations.push(Location::file(sum_file));
            file.extracted.packages.push(package);
        }
    }
    found.retain(|file| !file.extracted.is_empty());
}

/// Orders the versions of one module by semantic versioning, whose rule for pre-releases is abridged: the dates of
/// pseudo-versions sort as text.
fn compare(a: &str, b: &str) -> Ordering {
    let parts = |version: &str| {
        let version = version
            .trim_start_matches('v')
            .split('+')
            .next()
            .unwrap_or_default()
            .to_owned();
        let (release, pre) = version.split_once('-').unwrap_or((&version, ""));
        let numbers: Vec<u64> = release.split('.').map(|part| part.parse().unwrap_or(0)).collect();
        (numbers, pre.is_empty(), pre.to_owned())
    };
    parts(a).cmp(&parts(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_version_wins() {
        for (low, high) in [
            ("v1.9.0", "v1.10.0"),
            ("v1.0.0-rc1", "v1.0.0"),
            (
                "v0.0.0-20200101000000-aaaaaaaaaaaa",
                "v0.0.0-20210101000000-000000000000",
            ),
        ] {
            assert_eq!(compare(low, high), Ordering::Less, "{low} {high}");
        }
        assert!(before_1_17("1.9") && before_1_17("") && !before_1_17("1.17") && !before_1_17("1.21.3"));
    }
}
