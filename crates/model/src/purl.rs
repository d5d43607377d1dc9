//! Package URLs: parsing, normalising and writing `pkg:type/namespace/name@version?qualifiers#subpath`.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A package URL with its parts decoded and normalised as the type demands.
///
/// Reference: <https://github.com/package-url/purl-spec>.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Purl {
    kind: String,
    namespace: String,
    name: String,
    version: String,
    qualifiers: Vec<(String, String)>,
    subpath: String,
}

/// Why a text is no package URL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParsePurlError {
    /// It does not begin with `pkg:`.
    #[error("a package URL begins with `pkg:`")]
    Scheme,
    /// No type, or one with other characters than letters, digits, `.` and `-`.
    #[error("the package URL's type is missing or has characters that a type cannot have")]
    Type,
    /// No name.
    #[error("the package URL has no name")]
    Name,
    /// A qualifier without a key or with characters that a key cannot have.
    #[error("a qualifier of the package URL has no valid key")]
    Qualifier,
}

impl Purl {
    /// A purl of `kind` (the type, e.g. `deb`) from decoded parts; an empty namespace or version is left out. Names are
    /// normalised as the type demands (lower case for `pypi`, `github`, `golang`, …; `_` to `-` for `pypi`).
    #[must_use]
    pub fn new(kind: &str, namespace: &str, name: &str, version: &str) -> Self {
        let kind = kind.to_ascii_lowercase();
        let (namespace, name) = normalise(&kind, namespace.trim_matches('/'), name.trim_matches('/'));
        Self {
            kind,
            namespace,
            name,
            version: version.to_owned(),
            qualifiers: Vec::new(),
            subpath: String::new(),
        }
    }

    /// The same with one more qualifier; an empty value removes the key.
    #[must_use]
    pub fn with_qualifier(mut self, key: &str, value: &str) -> Self {
        let key = key.to_ascii_lowercase();
        self.qualifiers.retain(|(have, _)| *have != key);
        if !value.is_empty() {
            let at = self.qualifiers.partition_point(|(have, _)| *have < key);
            self.qualifiers.insert(at, (key, value.to_owned()));
        }
        self
    }

    /// The same with another namespace.
    #[must_use]
    pub fn with_namespace(mut self, namespace: &str) -> Self {
        let (namespace, name) = normalise(&self.kind, namespace.trim_matches('/'), &self.name);
        self.namespace = namespace;
        self.name = name;
        self
    }

    /// The same with a subpath.
    #[must_use]
    pub fn with_subpath(mut self, subpath: &str) -> Self {
        self.subpath = clean_subpath(subpath);
        self
    }

    /// Type, e.g. `npm`.
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// Namespace, empty if none.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Version, empty if none.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Value of a qualifier.
    #[must_use]
    pub fn qualifier(&self, key: &str) -> Option<&str> {
        self.qualifiers
            .iter()
            .find(|(have, _)| have == key)
            .map(|(_, value)| value.as_str())
    }

    /// All qualifiers, sorted by key.
    #[must_use]
    pub fn qualifiers(&self) -> &[(String, String)] {
        &self.qualifiers
    }

    /// Subpath, empty if none.
    #[must_use]
    pub fn subpath(&self) -> &str {
        &self.subpath
    }
}

fn normalise(kind: &str, namespace: &str, name: &str) -> (String, String) {
    match kind {
        "pypi" => (
            namespace.to_ascii_lowercase(),
            name.to_ascii_lowercase().replace('_', "-"),
        ),
        "github" | "bitbucket" | "gitlab" | "composer" | "hex" | "pub" | "apk" | "deb" | "alpm"
        | "luarocks" | "golang" => (namespace.to_ascii_lowercase(), name.to_ascii_lowercase()),
        "rpm" | "qpkg" => (namespace.to_ascii_lowercase(), name.to_owned()),
        _ => (namespace.to_owned(), name.to_owned()),
    }
}

fn clean_subpath(subpath: &str) -> String {
    subpath
        .split('/')
        .filter(|part| !matches!(*part, "" | "." | ".."))
        .collect::<Vec<_>>()
        .join("/")
}

impl fmt::Display for Purl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "pkg:{}/", self.kind)?;
        for part in self.namespace.split('/').filter(|part| !part.is_empty()) {
            encode(formatter, part, false)?;
            formatter.write_str("/")?;
        }
        encode(formatter, &self.name, false)?;
        if !self.version.is_empty() {
            formatter.write_str("@")?;
            encode(formatter, &self.version, false)?;
        }
        for (index, (key, value)) in self.qualifiers.iter().enumerate() {
            write!(formatter, "{}{key}=", if index == 0 { '?' } else { '&' })?;
            encode(formatter, value, true)?;
        }
        if !self.subpath.is_empty() {
            formatter.write_str("#")?;
            for (index, part) in self.subpath.split('/').enumerate() {
                if index > 0 {
                    formatter.write_str("/")?;
                }
                encode(formatter, part, false)?;
            }
        }
        Ok(())
    }
}

/// Percent-encodes all but unreserved characters and `:`; in qualifier values `/` stays as well.
fn encode(formatter: &mut fmt::Formatter<'_>, text: &str, keep_slash: bool) -> fmt::Result {
    let keep = |byte: u8| {
        byte.is_ascii_alphanumeric()
            || matches!(byte, b'-' | b'.' | b'_' | b'~' | b':')
            || (keep_slash && byte == b'/')
    };
    let bytes = text.as_bytes();
    let mut start = 0;
    for (index, &byte) in bytes.iter().enumerate() {
        if !keep(byte) {
            formatter.write_str(&text_of(&bytes[start..index]))?;
            write!(formatter, "%{byte:02X}")?;
            start = index + 1;
        }
    }
    formatter.write_str(&text_of(&bytes[start..]))
}

/// The kept runs are ASCII, so this borrows.
fn text_of(bytes: &[u8]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

fn decode(text: &str) -> String {
    if !text.contains('%') {
        return text.to_owned();
    }
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut index = 0;
    while index < bytes.len() {
        let hex = |at: usize| bytes.get(at).and_then(|byte| char::from(*byte).to_digit(16));
        match (bytes[index], hex(index + 1), hex(index + 2)) {
            (b'%', Some(high), Some(low)) => {
                decoded.push(u8::try_from(high * 16 + low).unwrap_or(b'?'));
                index += 3;
            }
            (byte, _, _) => {
                decoded.push(byte);
                index += 1;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

impl FromStr for Purl {
    type Err = ParsePurlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let scheme = text
            .get(..4)
            .filter(|scheme| scheme.eq_ignore_ascii_case("pkg:"))
            .ok_or(ParsePurlError::Scheme)?;
        let rest = text[scheme.len()..].trim_start_matches('/');
        let (rest, subpath) = rest.rsplit_once('#').unwrap_or((rest, ""));
        let (rest, qualifiers) = rest.rsplit_once('?').unwrap_or((rest, ""));
        let (kind, rest) = rest.split_once('/').ok_or(ParsePurlError::Name)?;
        let kind_valid = kind.starts_with(|first: char| first.is_ascii_alphabetic())
            && kind
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'+'));
        if !kind_valid {
            return Err(ParsePurlError::Type);
        }
        let rest = rest.trim_matches('/');
        // The version's `@` comes after the last slash; a scope's `@` (npm, often unencoded) comes before it. Some writers
        // leave slashes in the version of Go and GitHub packages unencoded, so look for `@` from the right first.
        let (path, version) = match rest.rfind('@') {
            Some(0) | None => (rest, ""),
            Some(at) if rest[..at].ends_with('/') => (rest, ""),
            Some(at) => (&rest[..at], &rest[at + 1..]),
        };
        let path = path.trim_end_matches('/');
        let (namespace, name) = path.rsplit_once('/').unwrap_or(("", path));
        if name.is_empty() {
            return Err(ParsePurlError::Name);
        }
        let namespace = namespace
            .split('/')
            .filter(|part| !part.is_empty())
            .map(decode)
            .collect::<Vec<_>>()
            .join("/");
        let mut purl = Self::new(kind, &namespace, &decode(name), &decode(version));
        for qualifier in qualifiers.split('&').filter(|qualifier| !qualifier.is_empty()) {
            let (key, value) = qualifier.split_once('=').ok_or(ParsePurlError::Qualifier)?;
            let valid = !key.is_empty()
                && key
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'));
            if !valid {
                return Err(ParsePurlError::Qualifier);
            }
            purl = purl.with_qualifier(key, &decode(value));
        }
        Ok(purl.with_subpath(&subpath.split('/').map(decode).collect::<Vec<_>>().join("/")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn canonical_forms() {
        for (text, canonical) in [
            ("pkg:npm/@angular/core@16.0.0", "pkg:npm/%40angular/core@16.0.0"),
            ("pkg:npm/%40angular/core@16.0.0", "pkg:npm/%40angular/core@16.0.0"),
            ("pkg:npm/@angular/core", "pkg:npm/%40angular/core"),
            ("pkg:PyPI/Django_Rest@1.0", "pkg:pypi/django-rest@1.0"),
            (
                "pkg:deb/debian/libstdc%2B%2B6@12.2.0-14?distro=debian-12&arch=amd64",
                "pkg:deb/debian/libstdc%2B%2B6@12.2.0-14?arch=amd64&distro=debian-12",
            ),
            (
                "pkg:golang/google.golang.org/genproto@v0.0.0#googleapis/api",
                "pkg:golang/google.golang.org/genproto@v0.0.0#googleapis/api",
            ),
            (
                "pkg://maven/org.apache/commons@1.0",
                "pkg:maven/org.apache/commons@1.0",
            ),
            (
                "pkg:rpm/fedora/curl@7.50-1?epoch=0",
                "pkg:rpm/fedora/curl@7.50-1?epoch=0",
            ),
            ("pkg:deb/debian/attr@1:2.4.47-2", "pkg:deb/debian/attr@1:2.4.47-2"),
        ] {
            let purl: Purl = text.parse().expect(text);
            assert_eq!(purl.to_string(), canonical, "{text}");
        }
    }

    #[test]
    fn rejects_what_is_none() {
        for text in [
            "",
            "npm/x",
            "pkg:",
            "pkg:npm",
            "pkg:npm/",
            "pkg:1x/y",
            "pkg:npm/x?=1",
            "pkg:npm/x?a",
            "pk\u{e9}:npm/x",
        ] {
            assert!(text.parse::<Purl>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn round_trips(namespace in "[a-z@.+/ %é]{0,12}", name in "[a-zA-Z@.+ %#?é]{1,12}", version in "[a-z0-9@.:+~/#? ]{0,12}") {
            let purl = Purl::new("generic", &namespace, &name, &version).with_qualifier("arch", "x=&/?");
            let normalised: Purl = purl.to_string().parse().expect("own output");
            prop_assert_eq!(normalised.to_string(), purl.to_string());
        }

        #[test]
        fn never_panics(text in "pkg:\\PC{0,40}") {
            let _ = text.parse::<Purl>();
        }
    }
}
