//! `rebar.lock` of Erlang's rebar3.

use crate::Kind;
use crate::identity::{from_git, hex, other};
use crate::lock_file::{Listing, LockFile, Reading, alone};
use model::{Meta, Relation};

/// The member.
pub(super) static REBAR_LOCK: LockFile = LockFile {
    meta: &META,
    kind: Kind::Declared,
    wants: |_, name| name == "rebar.lock",
    read,
    combine: alone,
};

static META: Meta = Meta {
    name: "rebar-lock",
    title: "Hex packages of a rebar3 lock file",
    finds: &["rebar.lock"],
    needs: &[],
    references: &["https://rebar3.org/docs/configuration/dependencies/"],
};

fn read(reading: &mut Reading<'_>) {
    let mut packages = Listing::default();
    let lines: Vec<(u32, &str)> = reading.lines().collect();
    let mut index = 0;
    while let Some(&(number, line)) = lines.get(index) {
        index += 1;
        let line = line.trim_start_matches(['[', ' ', '{']);
        // `{<<"name">>,{pkg,<<"package">>,<<"1.0.0">>},0}`; an entry of git goes on in the next lines.
        let Some(rest) = line.strip_prefix("<<\"") else {
            continue;
        };
        if !rest.contains("\">>,{") && !rest.ends_with("\">>,") {
            // A checksum: `{<<"name">>, <<"…">>}`.
            continue;
        }
        let mut entry = line.to_owned();
        while !entry.contains("},0}") && !ends_with_level(&entry) && entry.len() < 4096 {
            let Some(&(_, next)) = lines.get(index).filter(|(_, next)| next.starts_with("  ")) else {
                break;
            };
            entry.push_str(next.trim());
            index += 1;
        }
        let quoted: Vec<&str> = entry.split('"').skip(1).step_by(2).collect();
        let name = quoted.first().copied().unwrap_or_default();
        let package = match (
            entry.contains("{pkg,"),
            entry.contains("{git,"),
            quoted.as_slice(),
        ) {
            (true, _, [_, package, version, ..]) => Some(hex(reading.found_by, package, version)),
            (_, true, [_, repository, rest @ ..]) => {
                let mut package = other(reading.found_by, "hex", name, "");
                from_git(
                    &mut package,
                    repository,
                    rest.first().copied().unwrap_or_default(),
                );
                Some(package)
            }
            _ => None,
        };
        let Some(mut package) = package else {
            reading.bad_entry(
                number,
                format!("the entry of `{name}` is neither of Hex nor of git"),
            );
            continue;
        };
        package.relation = level(&entry).map(|level| {
            if level == 0 {
                Relation::Direct
            } else {
                Relation::Transitive
            }
        });
        packages.push(reading.at(package, number));
    }
    reading.list(packages);
}

/// The number at an entry's end: 0 for what the project wants itself.
fn level(entry: &str) -> Option<u32> {
    let (_, last) = entry.rsplit_once("},")?;
    let (_, last) = if last.trim().is_empty() {
        entry.trim_end().trim_end_matches(',').rsplit_once("},")?
    } else {
        ("", last)
    };
    last.trim_end_matches(['}', ']', ',', '.', ' ']).parse().ok()
}

fn ends_with_level(entry: &str) -> bool {
    level(entry).is_some()
}

#[cfg(test)]
mod tests {
    use super::level;

    #[test]
    fn levels() {
        for (entry, expected) in [
            ("<<\"a\">>,{pkg,<<\"a\">>,<<\"1\">>},0},", Some(0)),
            ("<<\"a\">>,{pkg,<<\"a\">>,<<\"1\">>},12}]}.", Some(12)),
            ("<<\"a\">>,{git,\"u\",{ref,\"c\"}},1}]", Some(1)),
            ("<<\"a\">>,", None),
        ] {
            assert_eq!(level(entry), expected, "{entry}");
        }
    }
}
