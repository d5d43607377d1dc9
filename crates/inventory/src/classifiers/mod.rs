//! Programs known by what stands in their bytes: rules as data, and the one pass over a file that applies them.

mod pattern;
mod rules;

use crate::object_file::Bytes;
use aho_corasick::AhoCorasick;
use pattern::{Pattern, REACH};
use std::sync::LazyLock;

pub(crate) use rules::RULES;

/// Where a rule's patterns are looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// In the constants of a program or library.
    Program,
    /// In a small text file.
    Text,
    /// In the file's name.
    Name,
}

/// How one program is recognised.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rule {
    /// Name of the package, and of the rule.
    pub(crate) name: &'static str,
    /// Where to look.
    pub(crate) form: Form,
    /// Names of files that are looked at, `*` for any text; one with a slash is compared with the end of the path, component by
    /// component. Empty: every program (only for texts that nothing else contains).
    pub(crate) files: &'static [&'static str],
    /// What to look for, the most telling first (see [`pattern`]).
    pub(crate) patterns: &'static [&'static str],
    /// Name in Bitnami's advisories, which number these programs as their makers do; empty if they have none.
    pub(crate) bitnami: &'static str,
    /// Vendor and product of the CPE, `vendor:product`.
    pub(crate) cpe: &'static str,
    /// Rewrites the version as found into the one that the maker uses.
    pub(crate) rewrite: Option<fn(&str) -> String>,
    /// It is a Go program, whose build information is believed more when it has a version.
    pub(crate) go: bool,
    /// Path, bytes and version of what must be recognised.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "an example stands with its rule; only the test reads it")
    )]
    pub(crate) hits: &'static [(&'static str, &'static [u8], &'static str)],
    /// Path and bytes of what must not be.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "an example stands with its rule; only the test reads it")
    )]
    pub(crate) misses: &'static [(&'static str, &'static [u8])],
}

/// A rule with its patterns made ready.
pub(crate) struct Ready {
    pub(crate) rule: &'static Rule,
    patterns: Vec<Pattern>,
}

/// What a rule found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Match {
    pub(crate) rule: usize,
    pub(crate) version: String,
}

struct Table {
    rules: Vec<Ready>,
    /// Rules by the first byte of their files' names, with the pattern of the name.
    by_name: Vec<Vec<(&'static str, usize)>>,
    /// Rules for every program.
    everywhere: Vec<usize>,
    /// The anchors of `everywhere`, with rule and pattern of each.
    automaton: Option<AhoCorasick>,
    anchors: Vec<(usize, usize)>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let rules: Vec<Ready> = RULES
        .iter()
        .map(|rule| Ready {
            rule,
            patterns: rule
                .patterns
                .iter()
                .filter_map(|text| Pattern::compile(text))
                .collect(),
        })
        .collect();
    let mut by_name = vec![Vec::new(); 256];
    let mut everywhere = Vec::new();
    let mut anchors = Vec::new();
    let mut literals = Vec::new();
    for (index, ready) in rules.iter().enumerate() {
        for file in ready.rule.files {
            let name = file.rsplit('/').next().unwrap_or(file);
            if let Some(list) = name
                .bytes()
                .next()
                .and_then(|first| by_name.get_mut(usize::from(first)))
            {
                list.push((*file, index));
            }
        }
        if ready.rule.files.is_empty() {
            everywhere.push(index);
            for (position, pattern) in ready.patterns.iter().enumerate() {
                if let Some(literal) = pattern.literal() {
                    anchors.push((index, position));
                    literals.push(literal.to_vec());
                }
            }
        }
    }
    Table {
        rules,
        by_name,
        everywhere,
        automaton: AhoCorasick::new(&literals).ok(),
        anchors,
    }
});

/// Rules that look at a file of that path because of its name, in the order of the table.
pub(crate) fn for_path(path: &str) -> Vec<usize> {
    let name = model::path::file_name(path);
    let candidates = name
        .bytes()
        .next()
        .and_then(|first| TABLE.by_name.get(usize::from(first)))
        .map_or(&[][..], Vec::as_slice);
    let mut rules: Vec<usize> = candidates
        .iter()
        .filter(|(file, _)| path_matches(file, path))
        .map(|(_, rule)| *rule)
        .collect();
    rules.dedup();
    rules
}

fn path_matches(file: &str, path: &str) -> bool {
    let mut wanted = file.rsplit('/');
    let mut have = path.rsplit('/');
    wanted.all(|wanted| have.next().is_some_and(|have| name_matches(wanted, have)))
}

/// Compares with a name in which `*` stands for any text.
fn name_matches(wanted: &str, name: &str) -> bool {
    let mut parts = wanted.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else {
        return false;
    };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else {
        return rest.is_empty();
    };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = rest.get(at + part.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// The rule of an index that [`for_path`] or [`Match`] gave.
pub(crate) fn rule(index: usize) -> Option<&'static Rule> {
    RULES.get(index)
}

/// Applies rules of form [`Form::Text`] or [`Form::Name`] to a text.
pub(crate) fn in_text(rule: usize, text: &[u8]) -> Option<Match> {
    let ready = TABLE.rules.get(rule)?;
    ready.patterns.iter().find_map(|pattern| {
        let mut version = None;
        pattern.find(text, 0, text.len(), |found| {
            version = Some(found.to_owned());
            true
        });
        Some(ready.matched(rule, &version?))
    })
}

impl Ready {
    fn matched(&self, rule: usize, version: &str) -> Match {
        Match {
            rule,
            version: self
                .rule
                .rewrite
                .map_or_else(|| version.to_owned(), |rewrite| rewrite(version)),
        }
    }
}

/// The one pass over a program: the rules that its name asks for, and those for every program.
pub(crate) struct Scan {
    /// For each rule the best pattern so far, and the different versions that it gave.
    found: Vec<(usize, usize, Vec<String>)>,
    named: Vec<usize>,
}

/// Bytes that are read at once.
const BLOCK: usize = 256 << 10;
/// Different versions that one pattern may give before the rule is called ambiguous.
const CHOICES: usize = 4;

impl Scan {
    /// A pass for a file for which [`for_path`] gave these rules.
    pub(crate) fn new(named: &[usize]) -> Self {
        let program = |index: &usize| rule(*index).is_some_and(|rule| rule.form == Form::Program);
        Self {
            found: Vec::new(),
            named: named.iter().copied().filter(program).collect(),
        }
    }

    /// Reads a part of the file.
    pub(crate) fn part(
        &mut self,
        bytes: &mut Bytes<'_>,
        offset: u64,
        size: u64,
        buffer: &mut Vec<u8>,
    ) -> Result<(), String> {
        buffer.clear();
        bytes.seek(offset)?;
        let mut left = size;
        let mut looked = 0;
        loop {
            let have = buffer.len();
            let want = usize::try_from(left).unwrap_or(usize::MAX).min(BLOCK);
            buffer.resize(have + want, 0);
            let got = bytes.fill(buffer.get_mut(have..).unwrap_or_default())?;
            buffer.truncate(have + got);
            left -= got as u64;
            let last = left == 0 || got < want;
            // Anchors near the end wait for what follows them.
            let until = if last {
                buffer.len()
            } else {
                buffer.len().saturating_sub(REACH)
            };
            self.window(buffer, looked, until.max(looked));
            if last {
                return Ok(());
            }
            let drop = until.saturating_sub(REACH);
            buffer.drain(..drop);
            looked = until.max(looked) - drop;
        }
    }

    fn window(&mut self, window: &[u8], from: usize, until: usize) {
        let table = &*TABLE;
        for at in 0..self.named.len() {
            let Some((index, ready)) = self
                .named
                .get(at)
                .and_then(|index| Some((*index, table.rules.get(*index)?)))
            else {
                continue;
            };
            for (position, pattern) in ready.patterns.iter().enumerate() {
                // A less telling pattern cannot change the result any more.
                if self
                    .found
                    .iter()
                    .any(|(rule, best, _)| *rule == index && *best < position)
                {
                    break;
                }
                pattern.find(window, from, until, |version| {
                    self.record(index, position, version);
                    false
                });
            }
        }
        let Some(automaton) = &table.automaton else {
            return;
        };
        let longest = automaton.max_pattern_len();
        let end = (until + longest).saturating_sub(1).min(window.len());
        for hit in automaton.find_iter(window.get(from..end).unwrap_or_default()) {
            let start = from + hit.start();
            let Some((rule, position)) = table.anchors.get(hit.pattern().as_usize()) else {
                continue;
            };
            let pattern = table
                .rules
                .get(*rule)
                .and_then(|ready| ready.patterns.get(*position));
            if start < until
                && let Some(version) = pattern.and_then(|pattern| pattern.at(window, start))
            {
                self.record(*rule, *position, version);
            }
        }
    }

    fn record(&mut self, rule: usize, position: usize, version: &str) {
        match self.found.iter_mut().find(|(have, _, _)| *have == rule) {
            None => self.found.push((rule, position, vec![version.to_owned()])),
            Some((_, best, versions)) if position < *best => {
                *best = position;
                *versions = vec![version.to_owned()];
            }
            Some((_, best, versions)) => {
                if *best == position
                    && versions.len() < CHOICES
                    && !versions.iter().any(|have| have == version)
                {
                    versions.push(version.to_owned());
                }
            }
        }
    }

    /// What was found in the file of that path, and for each rule whose versions disagree the versions.
    pub(crate) fn finish(mut self, path: &str) -> (Vec<Match>, Vec<(usize, Vec<String>)>) {
        self.found.sort_by_key(|(rule, _, _)| *rule);
        let line = release_line(model::path::file_name(path));
        let mut matches = Vec::new();
        let mut unsure = Vec::new();
        for (index, _, mut versions) in self.found {
            let Some(ready) = TABLE.rules.get(index) else {
                continue;
            };
            // A version without its patch (`9.2` beside `9.2p1`) is the same one.
            if let Some(longest) = versions.iter().max_by_key(|version| version.len()).cloned()
                && versions
                    .iter()
                    .all(|version| longest.starts_with(version.as_str()))
            {
                versions = vec![longest];
            }
            let of_line = |version: &String| {
                line.and_then(|line| version.strip_prefix(line))
                    .is_some_and(|rest| rest.starts_with('.'))
            };
            if versions.len() > 1 && versions.iter().any(of_line) {
                versions.retain(of_line);
            }
            if versions.len() == 1 || TABLE.everywhere.contains(&index) {
                matches.extend(versions.iter().map(|version| ready.matched(index, version)));
            } else {
                unsure.push((index, versions));
            }
        }
        (matches, unsure)
    }
}

/// The first `number.number` of a file's name: `3.11` of `libpython3.11.so.1.0`.
fn release_line(name: &str) -> Option<&str> {
    let start = name.find(|first: char| first.is_ascii_digit())?;
    let rest = name.get(start..)?;
    let major = rest.find(|other: char| !other.is_ascii_digit())?;
    let minor = rest.get(major..)?.strip_prefix('.')?;
    let digits = minor
        .find(|other: char| !other.is_ascii_digit())
        .unwrap_or(minor.len());
    (digits > 0).then(|| rest.get(..major + 1 + digits))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_is_one_and_fits_its_place() {
        for rule in RULES {
            assert!(!rule.patterns.is_empty(), "{}", rule.name);
            assert!(model::is_kebab_case(rule.name), "{}", rule.name);
            for text in rule.patterns {
                let pattern = Pattern::compile(text);
                assert!(pattern.is_some(), "{}: {text}", rule.name);
                let anchored = pattern.is_some_and(|pattern| pattern.literal().is_some());
                assert!(
                    anchored || !rule.files.is_empty(),
                    "{}: {text} would match anywhere",
                    rule.name
                );
            }
            for file in rule.files {
                let name = model::path::file_name(file);
                assert!(
                    !name.starts_with('*') && !name.is_empty(),
                    "{}: {file}",
                    rule.name
                );
            }
        }
    }

    #[test]
    fn names_of_files() {
        for (wanted, path, expected) in [
            ("nginx", "usr/sbin/nginx", true),
            ("nginx", "usr/sbin/nginx2", false),
            ("lib*.so*", "usr/lib/libx.so.1", true),
            ("lib*.so*", "usr/lib/libx.a", false),
            ("a*b*c", "axbyc", true),
            ("a*b*c", "axcyb", false),
            (
                "releases/*/OTP_VERSION",
                "usr/lib/erlang/releases/26/OTP_VERSION",
                true,
            ),
            ("releases/*/OTP_VERSION", "OTP_VERSION", false),
        ] {
            assert_eq!(path_matches(wanted, path), expected, "{wanted} {path}");
        }
        for (name, line) in [
            ("libpython3.11.so.1.0", Some("3.11")),
            ("python3", None),
            ("python3.12", Some("3.12")),
            ("nginx", None),
            ("lib3.so", None),
        ] {
            assert_eq!(release_line(name), line, "{name}");
        }
    }
}
