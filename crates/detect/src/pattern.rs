//! Patterns of texts: globs, path prefixes and sets, none of which takes more than time linear in the text times the
//! pattern.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// A glob as fnmatch without flags takes it: `*` and `?` also match slashes and leading dots.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Glob {
    parts: Vec<Part>,
    ignore_case: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Part {
    Byte(u8),
    Any,
    Many,
    /// A bit for each byte that it matches.
    Class(Box<[u64; 4]>),
}

impl Glob {
    /// Reads a pattern; there is no wrong one, an open bracket that is not closed stands for itself.
    pub(crate) fn new(pattern: &[u8], ignore_case: bool) -> Self {
        let mut parts = Vec::with_capacity(pattern.len());
        let mut at = 0;
        while let Some(&byte) = pattern.get(at) {
            at += 1;
            let part = match byte {
                b'*' => {
                    if parts.last() == Some(&Part::Many) {
                        continue;
                    }
                    Part::Many
                }
                b'?' => Part::Any,
                b'\\' => match pattern.get(at) {
                    Some(&escaped) => {
                        at += 1;
                        Part::Byte(escaped)
                    }
                    None => Part::Byte(byte),
                },
                b'[' => match class(&pattern[at..], ignore_case) {
                    Some((set, length)) => {
                        at += length;
                        Part::Class(Box::new(set))
                    }
                    None => Part::Byte(byte),
                },
                _ => Part::Byte(byte),
            };
            parts.push(match part {
                Part::Byte(byte) if ignore_case => Part::Byte(byte.to_ascii_lowercase()),
                other => other,
            });
        }
        Self { parts, ignore_case }
    }

    /// Whether the whole text matches. Goes back to the last star only, so the time is at most the product of the lengths.
    pub(crate) fn matches(&self, text: &[u8]) -> bool {
        let (mut part, mut at) = (0, 0);
        let mut star: Option<(usize, usize)> = None;
        loop {
            let matched = match (self.parts.get(part), text.get(at)) {
                (Some(Part::Many), _) => {
                    star = Some((part + 1, at));
                    part += 1;
                    continue;
                }
                (None, None) => return true,
                (Some(Part::Any), Some(_)) => true,
                (Some(Part::Byte(byte)), Some(have)) => {
                    if self.ignore_case {
                        *byte == have.to_ascii_lowercase()
                    } else {
                        byte == have
                    }
                }
                (Some(Part::Class(set)), Some(have)) => has(set, *have),
                (None, Some(_)) | (Some(_), None) => false,
            };
            if matched {
                part += 1;
                at += 1;
                continue;
            }
            match star {
                Some((after, from)) if from < text.len() => {
                    star = Some((after, from + 1));
                    part = after;
                    at = from + 1;
                }
                _ => return false,
            }
        }
    }

    /// The text itself when nothing in the pattern stands for several texts.
    pub(crate) fn literal(&self) -> Option<Vec<u8>> {
        if self.ignore_case {
            return None;
        }
        self.parts
            .iter()
            .map(|part| match part {
                Part::Byte(byte) => Some(*byte),
                _ => None,
            })
            .collect()
    }
}

fn has(set: &[u64; 4], byte: u8) -> bool {
    set[usize::from(byte >> 6)] & (1 << (byte & 63)) != 0
}

fn put(set: &mut [u64; 4], byte: u8) {
    set[usize::from(byte >> 6)] |= 1 << (byte & 63);
}

/// A bracket expression after its `[`: the set and how many bytes it takes with its `]`.
fn class(pattern: &[u8], ignore_case: bool) -> Option<([u64; 4], usize)> {
    let mut set = [0_u64; 4];
    let mut at = 0;
    let negated = matches!(pattern.first(), Some(b'!' | b'^'));
    if negated {
        at += 1;
    }
    let first = at;
    loop {
        let &byte = pattern.get(at)?;
        if byte == b']' && at > first {
            at += 1;
            break;
        }
        if byte == b'[' && pattern.get(at + 1) == Some(&b':') {
            let rest = &pattern[at + 2..];
            if let Some(end) = memchr::memmem::find(rest, b":]") {
                let name = &rest[..end];
                for candidate in 0..=u8::MAX {
                    if in_named_class(name, candidate) {
                        put(&mut set, candidate);
                    }
                }
                at += 2 + end + 2;
                continue;
            }
        }
        let mut low = byte;
        at += 1;
        if low == b'\\' {
            low = *pattern.get(at)?;
            at += 1;
        }
        let mut high = low;
        if pattern.get(at) == Some(&b'-') && pattern.get(at + 1).is_some_and(|end| *end != b']') {
            high = pattern[at + 1];
            at += 2;
            if high == b'\\' {
                high = *pattern.get(at)?;
                at += 1;
            }
        }
        for candidate in low..=high {
            put(&mut set, candidate);
        }
    }
    if ignore_case {
        for letter in b'a'..=b'z' {
            if has(&set, letter) || has(&set, letter.to_ascii_uppercase()) {
                put(&mut set, letter);
                put(&mut set, letter.to_ascii_uppercase());
            }
        }
    }
    if negated {
        for word in &mut set {
            *word = !*word;
        }
    }
    Some((set, at))
}

fn in_named_class(name: &[u8], byte: u8) -> bool {
    match name {
        b"alpha" => byte.is_ascii_alphabetic(),
        b"digit" => byte.is_ascii_digit(),
        b"alnum" => byte.is_ascii_alphanumeric(),
        b"upper" => byte.is_ascii_uppercase(),
        b"lower" => byte.is_ascii_lowercase(),
        b"space" => byte.is_ascii_whitespace() || byte == 0x0b,
        b"blank" => matches!(byte, b' ' | b'\t'),
        b"punct" => byte.is_ascii_punctuation(),
        b"print" => byte.is_ascii_graphic() || byte == b' ',
        b"graph" => byte.is_ascii_graphic(),
        b"cntrl" => byte.is_ascii_control(),
        b"xdigit" => byte.is_ascii_hexdigit(),
        _ => false,
    }
}

/// Paths of which a path, or a folder above it, may be one; each component may be a glob.
#[derive(Debug, Default)]
pub(crate) struct PathPrefixes {
    nodes: Vec<PathNode>,
}

#[derive(Debug, Default)]
struct PathNode {
    ends: bool,
    exact: HashMap<Box<[u8]>, usize>,
    globs: Vec<(Glob, usize)>,
}

impl PathPrefixes {
    pub(crate) fn new<'a>(paths: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut all = Self {
            nodes: vec![PathNode::default()],
        };
        for path in paths {
            let mut node = 0;
            for component in components(path) {
                node = all.child(node, component);
            }
            all.nodes[node].ends = true;
        }
        all
    }

    fn child(&mut self, parent: usize, component: &[u8]) -> usize {
        let next = self.nodes.len();
        let glob = Glob::new(component, false);
        let found = match glob.literal() {
            Some(literal) => *self.nodes[parent]
                .exact
                .entry(literal.into_boxed_slice())
                .or_insert(next),
            None => match self.nodes[parent].globs.iter().find(|(have, _)| *have == glob) {
                Some((_, child)) => *child,
                None => {
                    self.nodes[parent].globs.push((glob, next));
                    next
                }
            },
        };
        if found == next {
            self.nodes.push(PathNode::default());
        }
        found
    }

    /// Whether the path is one of them or lies below one.
    pub(crate) fn matches(&self, path: &[u8]) -> bool {
        if self.nodes[0].ends {
            return true;
        }
        // Without globs there is one node at a time, and nothing is allocated.
        let mut one = Some(0);
        let mut many: Vec<usize> = Vec::new();
        for component in components(path) {
            let mut next: Vec<usize> = Vec::new();
            let mut only = None;
            for node in one.iter().copied().chain(many.iter().copied()) {
                let node = &self.nodes[node];
                if let Some(child) = node.exact.get(component) {
                    if only.is_none() && node.globs.is_empty() && many.is_empty() {
                        only = Some(*child);
                    } else {
                        next.push(*child);
                    }
                }
                for (glob, child) in &node.globs {
                    if glob.matches(component) {
                        next.push(*child);
                    }
                }
            }
            next.sort_unstable();
            next.dedup();
            if only.iter().chain(&next).any(|node| self.nodes[*node].ends) {
                return true;
            }
            if only.is_none() && next.is_empty() {
                return false;
            }
            one = only;
            many = next;
        }
        false
    }
}

fn components(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    path.split(|byte| *byte == b'/')
        .filter(|component| !component.is_empty())
}

/// A set of texts that says quickly what is not in it.
#[derive(Debug, Default)]
pub(crate) struct TextSet {
    /// A bit for each length up to 63; bit 63 for all longer.
    lengths: u64,
    texts: std::collections::HashSet<Box<[u8]>, BuildHasherDefault<ShortHasher>>,
    /// The only text of a set of one.
    only: Option<Box<[u8]>>,
}

impl TextSet {
    pub(crate) fn new(texts: impl IntoIterator<Item = Vec<u8>>) -> Self {
        let mut set = Self::default();
        for text in texts {
            set.lengths |= 1 << text.len().min(63);
            set.texts.insert(text.into_boxed_slice());
        }
        if set.texts.len() == 1 {
            set.only = set.texts.iter().next().cloned();
        }
        set
    }

    pub(crate) fn contains(&self, text: &[u8]) -> bool {
        if self.lengths & (1 << text.len().min(63)) == 0 {
            return false;
        }
        match &self.only {
            Some(only) => **only == *text,
            None => self.texts.contains(text),
        }
    }
}

/// A fast hash for texts of rules. What is in the sets comes from rule files alone, so nobody who is watched can choose
/// what collides.
#[derive(Default)]
pub(crate) struct ShortHasher(u64);

impl Hasher for ShortHasher {
    fn write(&mut self, bytes: &[u8]) {
        const FACTOR: u64 = 0x517c_c1b7_2722_0a95;
        let mut add = |word: u64| self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(FACTOR);
        let mut words = bytes.chunks_exact(8);
        for word in &mut words {
            let mut eight = [0; 8];
            eight.copy_from_slice(word);
            add(u64::from_le_bytes(eight));
        }
        let mut last = [0; 8];
        let rest = words.remainder();
        last[..rest.len()].copy_from_slice(rest);
        add(u64::from_le_bytes(last));
    }

    fn write_usize(&mut self, number: usize) {
        self.write(&number.to_le_bytes());
    }

    fn finish(&self) -> u64 {
        // The table takes its position from the low bits and a tag from the high ones.
        self.0 ^ (self.0 >> 32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_match_as_fnmatch_does() {
        let cases: &[(&str, &str, bool)] = &[
            ("*", "", true),
            ("*", "a/b", true),
            ("/home/*/.ssh/*", "/home/a/b/.ssh/id", true),
            ("/home/*/.ssh/*", "/home/.ssh/id", false),
            ("a?c", "abc", true),
            ("a?c", "a/c", true),
            ("a?c", "ac", false),
            ("[a-c]x", "bx", true),
            ("[a-c]x", "dx", false),
            ("[!a-c]x", "dx", true),
            ("[^a-c]x", "ax", false),
            ("[]a]", "]", true),
            ("[[:digit:]x]", "7", true),
            ("[[:digit:]x]", "x", true),
            ("[[:digit:]x]", "y", false),
            ("[a", "[a", true),
            ("a\\*b", "a*b", true),
            ("a\\*b", "axb", false),
            ("*a*b*c", "xxaxxbxxc", true),
            ("*a*b*c", "xxaxxcxxb", false),
            ("", "", true),
            ("", "a", false),
            ("[a-]", "-", true),
            ("[\\]]", "]", true),
            ("**", "abc", true),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(
                Glob::new(pattern.as_bytes(), false).matches(text.as_bytes()),
                *expected,
                "{pattern} {text}"
            );
        }
        assert!(Glob::new(b"/Tmp/*.SH", true).matches(b"/tMP/a.sh"));
        assert!(Glob::new(b"[A-C]", true).matches(b"b"));
        assert!(!Glob::new(b"[!A-C]", true).matches(b"b"));
    }

    #[test]
    fn a_glob_of_many_stars_ends() {
        let pattern = "*a".repeat(2_000) + "b";
        let text = "a".repeat(20_000);
        assert!(!Glob::new(pattern.as_bytes(), false).matches(text.as_bytes()));
    }

    #[test]
    fn paths_match_below_and_at() {
        let cases: &[(&[&str], &str, bool)] = &[
            (&["/var"], "/var/run", true),
            (&["/var"], "/var", true),
            (&["/var"], "/variant", false),
            (&["/var/run"], "/var", false),
            (&["/var", "/etc/ssh"], "/etc/ssh/x", true),
            (&["/etc/*/keys"], "/etc/ssh/keys/a", true),
            (&["/etc/*/keys"], "/etc/ssh/key", false),
            (&["/etc/s*/keys", "/etc/ssh/x"], "/etc/ssh/keys", true),
            (&["/etc/s*/keys", "/etc/ssh/x"], "/etc/ssh/x/y", true),
            (&["/"], "/anything", true),
            (&["var//run/"], "/var/run", true),
            (&[], "/var", false),
        ];
        for (paths, path, expected) in cases {
            let prefixes = PathPrefixes::new(paths.iter().map(|path| path.as_bytes()));
            assert_eq!(prefixes.matches(path.as_bytes()), *expected, "{paths:?} {path}");
        }
    }

    #[test]
    fn sets_contain_what_was_put_in() {
        let long = "x".repeat(100);
        let set = TextSet::new(
            ["", "a", "ab", "abcdefgh", "abcdefghi", &long].map(|text| text.as_bytes().to_vec()),
        );
        for text in ["", "a", "ab", "abcdefgh", "abcdefghi", &long] {
            assert!(set.contains(text.as_bytes()), "{text}");
        }
        for text in ["b", "abc", "abcdefgx", "abcdefghj", &"y".repeat(100)] {
            assert!(!set.contains(text.as_bytes()), "{text}");
        }
        let one = TextSet::new([b"one".to_vec()]);
        assert!(one.contains(b"one") && !one.contains(b"two"));
    }
}
