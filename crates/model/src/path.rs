//! Paths inside images: relative, `/`-separated, normalised, and lossless for names that are not UTF-8.
//!
//! A path is a `String` without a leading slash and without empty, `.` or `..` components; the root is `""`.
//! A byte that is not valid UTF-8 is held as the private-use character `U+10FF00 + byte`, so that two different names never
//! become the same text. [`printable`] turns a path or any other text of a target into something safe for a terminal.

use std::borrow::Cow;

/// Base of the private-use range that stands for bytes which are not UTF-8.
const RAW_BYTE_BASE: u32 = 0x0010_FF00;

/// Text for raw name bytes; valid UTF-8 is unchanged, each invalid byte becomes one private-use character.
#[must_use]
pub fn from_bytes(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => {
            let mut text = String::with_capacity(bytes.len());
            for chunk in bytes.utf8_chunks() {
                text.push_str(chunk.valid());
                for &byte in chunk.invalid() {
                    if let Some(raw) = char::from_u32(RAW_BYTE_BASE + u32::from(byte)) {
                        text.push(raw);
                    }
                }
            }
            Cow::Owned(text)
        }
    }
}

/// The raw bytes that [`from_bytes`] was given.
#[must_use]
pub fn to_bytes(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    for character in text.chars() {
        match raw_byte(character) {
            Some(byte) => bytes.push(byte),
            None => bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    bytes
}

/// Normalises a name as archives and link targets give it. `..` never climbs above the root: `../../etc/passwd` and
/// `/etc/passwd` are both `etc/passwd`, as they would be after `chroot`.
#[must_use]
pub fn normalise(name: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in name.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            other => parts.push(other),
        }
    }
    parts.join("/")
}

/// True when the name as given climbs out of its root (`../x`, `a/../../x`).
#[must_use]
pub fn escapes(name: &str) -> bool {
    let mut depth = 0_i64;
    for part in name.split('/') {
        match part {
            "" | "." => {}
            ".." => depth -= 1,
            _ => depth += 1,
        }
        if depth < 0 {
            return true;
        }
    }
    false
}

/// Joins a folder and a relative name, normalised. An absolute `name` stands alone.
#[must_use]
pub fn join(folder: &str, name: &str) -> String {
    if name.starts_with('/') || folder.is_empty() {
        normalise(name)
    } else {
        normalise(&format!("{folder}/{name}"))
    }
}

/// The folder a path lies in (`""` for the root) and its last component.
#[must_use]
pub fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

/// The last component of a path.
#[must_use]
pub fn file_name(path: &str) -> &str {
    split(path).1
}

/// The folder a path lies in, `""` for the root.
#[must_use]
pub fn parent(path: &str) -> &str {
    split(path).0
}

/// Text of a target made safe to print: control characters (terminal escapes among them), bidirectional overrides and raw
/// bytes become `\xNN` or `\u{NNNN}`.
#[must_use]
pub fn printable(text: &str) -> Cow<'_, str> {
    if !text.chars().any(needs_escape) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        if let Some(byte) = raw_byte(character) {
            safe.push_str(&format!("\\x{byte:02x}"));
        } else if needs_escape(character) {
            let code = u32::from(character);
            if code < 0x100 {
                safe.push_str(&format!("\\x{code:02x}"));
            } else {
                safe.push_str(&format!("\\u{{{code:x}}}"));
            }
        } else {
            safe.push(character);
        }
    }
    Cow::Owned(safe)
}

fn raw_byte(character: char) -> Option<u8> {
    u32::from(character)
        .checked_sub(RAW_BYTE_BASE)
        .and_then(|byte| u8::try_from(byte).ok())
}

/// True for what [`printable`] escapes.
#[must_use]
pub fn needs_escape(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
        || raw_byte(character).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn normalises_like_a_chroot() {
        for (name, expected) in [
            ("", ""),
            ("/", ""),
            ("./usr//lib/./x", "usr/lib/x"),
            ("../../etc/passwd", "etc/passwd"),
            ("a/b/../c", "a/c"),
            ("a/../../c", "c"),
        ] {
            assert_eq!(normalise(name), expected, "{name}");
        }
        assert!(escapes("../x") && escapes("a/../../x") && !escapes("a/../x"));
    }

    #[test]
    fn printable_hides_terminal_escapes() {
        assert_eq!(printable("a\u{1b}[31mb\n"), "a\\x1b[31mb\\x0a");
        assert_eq!(printable(&from_bytes(b"caf\xe9")), "caf\\xe9");
        assert_eq!(printable("\u{202e}gpj.exe"), "\\u{202e}gpj.exe");
        assert_eq!(printable("ünï"), "ünï");
    }

    proptest! {
        #[test]
        fn any_bytes_round_trip(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            // The private-use range itself is the one text that does not survive, and no file system uses it.
            prop_assume!(!String::from_utf8_lossy(&bytes).chars().any(|c| raw_byte(c).is_some()));
            prop_assert_eq!(to_bytes(&from_bytes(&bytes)), bytes);
        }

        #[test]
        fn normalised_never_escapes(name in "[a./]{0,24}") {
            let normal = normalise(&name);
            prop_assert!(!normal.starts_with('/') && !escapes(&normal));
            prop_assert_eq!(normalise(&normal), normal);
        }
    }
}
