//! The patterns of classifier rules: fixed texts around a version, matched locally around an anchor.
//!
//! | in a pattern | stands for |
//! |---|---|
//! | `{v}` | a version: numbers joined by dots, then perhaps `rc1`, `-beta.2`, `p1` and the like |
//! | `{v:3}` | the same with at least three numbers; any other least count likewise (`{v}` means two) |
//! | `{v:3=1.\|2.0.}` | the same that begins with one of these |
//! | `{v:2l}` | one or two letters may follow the numbers (`1.1.1w`) |
//! | `{v:2d}` | a hyphen and a number may follow (`7.1.0-62`) |
//! | `{t}` | the rest of the word: letters, digits and `.-+~_:`, perhaps none |
//! | `{*}` | anything but NUL, up to 80 bytes, as short as possible |
//! | `{0}` | a NUL byte, or the beginning or end of what is looked at |
//!
//! Each pattern has exactly one version. Where no text of at least three bytes stands beside it, the version must have no more
//! numbers than asked for (one more if two are asked for), so that addresses like 127.0.0.1 are not taken for one.

use memchr::memmem::Finder;

/// Most bytes that a pattern may need on either side of its anchor.
pub(super) const REACH: usize = 512;
/// Longest version that is taken, in bytes.
const VERSION_LIMIT: usize = 48;
/// Most bytes that `{*}` spans.
const GAP_LIMIT: usize = 80;
/// A text shorter than this is no anchor: it would be found everywhere.
const ANCHOR_LEAST: usize = 3;

#[derive(Clone, Debug, PartialEq, Eq)]
enum Element {
    Text(Vec<u8>),
    Version(Version),
    Tail,
    Gap,
    Nul,
}

/// Which versions a pattern takes.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Version {
    /// How many numbers there must be.
    least: usize,
    /// How many there may be.
    most: usize,
    letters: bool,
    hyphen: bool,
    /// It begins with one of these; any if there are none.
    prefixes: Vec<String>,
}

/// What a pattern is found by.
#[derive(Debug)]
enum Anchor {
    /// The longest text, as the element of that index.
    Text(usize, Box<Finder<'static>>),
    /// No text is long enough: the first dot of the version, as the element of that index.
    Version(usize),
}

/// A pattern made ready.
#[derive(Debug)]
pub(super) struct Pattern {
    elements: Vec<Element>,
    anchor: Anchor,
}

impl Pattern {
    /// Reads a pattern; `None` when it is none.
    pub(super) fn compile(text: &str) -> Option<Self> {
        let mut elements = Vec::new();
        let mut rest = text;
        while let Some(start) = rest.find('{') {
            let (before, from) = rest.split_at(start);
            let (token, after) = from.get(1..)?.split_once('}')?;
            if !before.is_empty() {
                elements.push(Element::Text(before.as_bytes().to_vec()));
            }
            elements.push(match token {
                "t" => Element::Tail,
                "*" => Element::Gap,
                "0" => Element::Nul,
                _ => {
                    let options = token.strip_prefix('v')?;
                    let options = options.strip_prefix(':').unwrap_or(options);
                    let (options, prefixes) = options.split_once('=').unwrap_or((options, ""));
                    let least = options.bytes().find(u8::is_ascii_digit);
                    Element::Version(Version {
                        least: least.map_or(2, |digit| usize::from(digit - b'0')),
                        most: 6,
                        letters: options.contains('l'),
                        hyphen: options.contains('d'),
                        prefixes: prefixes
                            .split('|')
                            .filter(|prefix| !prefix.is_empty())
                            .map(str::to_owned)
                            .collect(),
                    })
                }
            });
            rest = after;
        }
        if !rest.is_empty() {
            elements.push(Element::Text(rest.as_bytes().to_vec()));
        }
        let mut versions =
            (0..elements.len()).filter(|index| matches!(elements[*index], Element::Version(_)));
        let version = versions.next().filter(|_| versions.next().is_none())?;
        let longest = elements
            .iter()
            .enumerate()
            .filter_map(|(index, element)| match element {
                Element::Text(text) => Some((text.len(), index)),
                _ => None,
            })
            .max()
            .filter(|(length, _)| *length >= ANCHOR_LEAST);
        let anchor = match longest {
            Some((_, index)) => match &elements[index] {
                Element::Text(text) => Anchor::Text(index, Box::new(Finder::new(text).into_owned())),
                _ => return None,
            },
            None => {
                if let Some(Element::Version(version)) = elements.get_mut(version) {
                    version.most = version.least.max(3);
                }
                Anchor::Version(version)
            }
        };
        Some(Self { elements, anchor })
    }

    /// The anchor's text, if it has one.
    pub(super) fn literal(&self) -> Option<&[u8]> {
        match &self.anchor {
            Anchor::Text(_, finder) => Some(finder.needle()),
            Anchor::Version(_) => None,
        }
    }

    /// Versions where the anchor begins at `from..until` of `window`, each at most once per place. Stops when `found` says so.
    pub(super) fn find<'w>(
        &self,
        window: &'w [u8],
        from: usize,
        until: usize,
        mut found: impl FnMut(&'w str) -> bool,
    ) {
        match &self.anchor {
            Anchor::Text(_, finder) => {
                let end = (until + finder.needle().len())
                    .saturating_sub(1)
                    .min(window.len());
                for at in finder.find_iter(window.get(from..end).unwrap_or_default()) {
                    if self.at(window, from + at).is_some_and(&mut found) {
                        return;
                    }
                }
            }
            Anchor::Version(_) => {
                for dot in memchr::memchr_iter(b'.', window.get(from..until).unwrap_or_default()) {
                    let dot = from + dot;
                    let digits = window
                        .get(dot.saturating_sub(5)..dot)
                        .unwrap_or_default()
                        .iter()
                        .rev()
                        .take_while(|byte| byte.is_ascii_digit())
                        .count();
                    if (1..5).contains(&digits) && self.at(window, dot - digits).is_some_and(&mut found) {
                        return;
                    }
                }
            }
        }
    }

    /// The version when the pattern matches with its anchor at `at`.
    pub(super) fn at<'w>(&self, window: &'w [u8], at: usize) -> Option<&'w str> {
        let (Anchor::Text(index, _) | Anchor::Version(index)) = &self.anchor;
        let (before, after) = self.elements.split_at_checked(*index)?;
        let behind = forward(after, window, at)?;
        let ahead = backward(before, window, at)?;
        let range = behind.or(ahead)?;
        std::str::from_utf8(window.get(range)?).ok()
    }
}

type Span = std::ops::Range<usize>;

/// Matches elements from `at` on: where the version is, if it is among them.
fn forward(elements: &[Element], window: &[u8], mut at: usize) -> Option<Option<Span>> {
    let mut version = None;
    let mut rest = elements;
    while let Some((element, after)) = rest.split_first() {
        let left = window.get(at..)?;
        match element {
            Element::Text(text) => {
                left.starts_with(text).then_some(())?;
                at += text.len();
            }
            Element::Nul => match left.first() {
                Some(0) => at += 1,
                Some(_) => return None,
                None => {}
            },
            Element::Tail => {
                let word = left.iter().take_while(|byte| is_word(**byte)).count();
                at += word.min(GAP_LIMIT);
            }
            Element::Gap => {
                let near = left.get(..left.len().min(GAP_LIMIT)).unwrap_or_default();
                let near = near.get(..memchr::memchr(0, near).unwrap_or(near.len()))?;
                return (0..=near.len()).find_map(|skip| {
                    let tail = forward(after, window, at + skip)?;
                    Some(tail.or(version.clone()))
                });
            }
            Element::Version(wanted) => {
                let glued = at.checked_sub(1).and_then(|before| window.get(before));
                if glued.is_some_and(|byte| byte.is_ascii_digit() || *byte == b'.') {
                    return None;
                }
                let length = version_length(left, wanted, matches!(after.first(), Some(Element::Tail)))?;
                version = Some(at..at + length);
                at += length;
            }
        }
        rest = after;
    }
    Some(version)
}

/// Matches elements that end at `end`.
fn backward(elements: &[Element], window: &[u8], mut end: usize) -> Option<Option<Span>> {
    let mut version = None;
    let mut tail = false;
    let mut rest = elements;
    while let Some((element, before)) = rest.split_last() {
        let left = window.get(..end)?;
        match element {
            Element::Text(text) => {
                left.ends_with(text).then_some(())?;
                end -= text.len();
            }
            Element::Nul => match left.last() {
                Some(0) => end -= 1,
                Some(_) => return None,
                None => {}
            },
            // Belongs to the version before it, which is read from its beginning.
            Element::Tail => tail = true,
            Element::Gap => {
                let near = left
                    .iter()
                    .rev()
                    .take(GAP_LIMIT)
                    .take_while(|byte| **byte != 0)
                    .count();
                return (0..=near).find_map(|skip| {
                    let head = backward(before, window, end - skip)?;
                    Some(head.or(version.clone()))
                });
            }
            Element::Version(wanted) => {
                let word = left
                    .iter()
                    .rev()
                    .take(VERSION_LIMIT)
                    .take_while(|byte| is_word(**byte))
                    .count();
                let word_start = end - word;
                let skip = window.get(word_start..end)?.iter().position(u8::is_ascii_digit)?;
                let start = word_start + skip;
                let length = version_length(window.get(start..end)?, wanted, tail)?;
                if !tail && start + length != end {
                    return None;
                }
                version = Some(start..start + length);
                end = start;
            }
        }
        rest = before;
    }
    Some(version)
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b".-+~_:".contains(&byte)
}

/// How many bytes of `text` are the version that it begins with.
fn version_length(text: &[u8], wanted: &Version, tail: bool) -> Option<usize> {
    let text = text.get(..text.len().min(VERSION_LIMIT))?;
    let digits = |at: usize| {
        text.get(at..).map_or(0, |rest| {
            rest.iter().take_while(|byte| byte.is_ascii_digit()).count()
        })
    };
    let mut end = digits(0);
    let mut numbers = 1;
    let mut nonzero = text.get(..end)?.iter().any(|digit| *digit != b'0');
    if end == 0 || end > 8 {
        return None;
    }
    while numbers < 7 && text.get(end) == Some(&b'.') {
        let more = digits(end + 1);
        if more == 0 || more > 8 {
            break;
        }
        nonzero |= text
            .get(end + 1..end + 1 + more)?
            .iter()
            .any(|digit| *digit != b'0');
        end += 1 + more;
        numbers += 1;
    }
    let begins = |prefix: &String| text.starts_with(prefix.as_bytes());
    if numbers < wanted.least
        || numbers > wanted.most
        || !nonzero
        || !(wanted.prefixes.is_empty() || wanted.prefixes.iter().any(begins))
    {
        return None;
    }
    let boundary = |at: usize| !text.get(at).is_some_and(u8::is_ascii_alphanumeric);
    if let Some(length) = pre_release(text.get(end..)?).filter(|length| boundary(end + length)) {
        return Some(end + length);
    }
    if wanted.letters {
        let count = text
            .get(end..)?
            .iter()
            .take_while(|byte| byte.is_ascii_lowercase())
            .count();
        if (1..=2).contains(&count) && boundary(end + count) {
            return Some(end + count);
        }
    }
    if wanted.hyphen && matches!(text.get(end), Some(b'-' | b'_')) {
        let count = digits(end + 1);
        if (1..=4).contains(&count) && boundary(end + 1 + count) {
            return Some(end + 1 + count);
        }
    }
    (tail || boundary(end)).then_some(end)
}

/// Length of what marks a pre-release or patch: `rc1`, `-beta.2`, `p1`, `-M1`.
fn pre_release(text: &[u8]) -> Option<usize> {
    const WORDS: [&[u8]; 13] = [
        b"alpha", b"beta", b"preview", b"pre", b"rc", b"dev", b"git", b"a", b"b", b"p", b"M", b"RC", b"DEV",
    ];
    let separator = usize::from(matches!(text.first(), Some(b'-' | b'~' | b'_')));
    let rest = text.get(separator..)?;
    let word = WORDS.iter().find(|word| rest.starts_with(word))?;
    let mut length = separator + word.len();
    let dot = usize::from(matches!(text.get(length), Some(b'.' | b'-')));
    let digits = text.get(length + dot..).map_or(0, |rest| {
        rest.iter().take_while(|byte| byte.is_ascii_digit()).count()
    });
    // `a` and `b` alone are letters of a version, not marks.
    if digits == 0 && word.len() == 1 {
        return None;
    }
    if digits > 0 {
        length += dot + digits;
    }
    Some(length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all<'w>(pattern: &str, window: &'w [u8]) -> Vec<&'w str> {
        let pattern = Pattern::compile(pattern).unwrap();
        let mut versions = Vec::new();
        pattern.find(window, 0, window.len(), |version| {
            versions.push(version);
            false
        });
        versions
    }

    #[test]
    fn finds_versions_around_texts() {
        for (pattern, window, expected) in [
            ("nginx/{v}", &b"x\0nginx/1.25.3 (Ubuntu)\0"[..], &["1.25.3"][..]),
            ("nginx/{v}", b"/etc/nginx/nginx.conf nginx/1.x", &[]),
            ("{0}{v}-MariaDB", b"\x0010.11.2-MariaDB", &["10.11.2"]),
            ("{0}{v}{t}-MariaDB", b"\x0010.11.2-1-MariaDB-log\0", &["10.11.2"]),
            (
                "{0}{v:3}{0}",
                b"\x003.11\x003.11.2\x0010.1.2x\x001.2.3",
                &["3.11.2", "1.2.3"],
            ),
            ("{0}{v:3}{t}{0}", b"\x002.6.12-1+deb12u4\x00", &["2.6.12"]),
            ("{0}v{v:3}{0}", b"\0v5.36.0\0w5.36.1\0", &["5.36.0"]),
            ("OpenSSL {v:3l} ", b"OpenSSL 1.1.1w  11 Sep 2023", &["1.1.1w"]),
            ("OpenSSL {v:3} ", b"OpenSSL 1.1.1w  11 Sep 2023", &[]),
            ("ImageMagick {v:3d} Q", b"ImageMagick 7.1.0-62 Q16", &["7.1.0-62"]),
            (
                "a {v} b",
                b"a 1.2rc1 b a 1.2-beta.2 b a 1.2.0-dev b a 9.2p1 b",
                &["1.2rc1", "1.2-beta.2", "1.2.0-dev", "9.2p1"],
            ),
            (
                "python{*}version {v}",
                b"python is at version 3.1 or\0python\0version 3.2",
                &["3.1"],
            ),
            (
                "version {v}",
                b"version 0.0.0 version 123456789.1 version 1.2",
                &["1.2"],
            ),
            ("{v:1}{0}", b"\x00252\x00", &[]),
            (
                "{0}{v:3}{0}",
                b"\x00127.0.0.1\x00255.255.255.255\x001.2.3\0",
                &["1.2.3"],
            ),
            (
                "{0}{v:3=2.|3.1}{0}",
                b"\x001.2.13\x003.2.0\x003.11.0\x002.0.1\0",
                &["3.11.0", "2.0.1"],
            ),
            (
                "java {v:1d}",
                b"java 1.8.0_392 java 21 java 17.0.9+9",
                &["1.8.0_392", "21", "17.0.9"],
            ),
            ("systemd {v:1}", b"systemd 252 running", &["252"]),
        ] {
            assert_eq!(all(pattern, window), expected, "{pattern}");
        }
    }

    #[test]
    fn refuses_what_is_no_pattern() {
        for text in ["", "plain", "{v} {v}", "{v", "{x}{v}"] {
            assert!(Pattern::compile(text).is_none(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(
            bytes in proptest::collection::vec(prop_oneof![any::<u8>(), Just(b'.'), Just(b'1'), Just(b'-'), Just(b'a'), Just(0)], 0..80),
            pattern in prop::sample::select(vec!["a{v:2ld}{t}{0}", "{0}{v:3}{t}{0}", "{v}{t}-a{*}", "1.a{*}{v}", "{*}{v}{t}aaa"]),
        ) {
            for version in all(pattern, &bytes) {
                prop_assert!(version.starts_with(|first: char| first.is_ascii_digit()), "{}", version);
            }
        }
    }
}
