//! Image references: `alpine`, `ghcr.io/org/app:1.2`, `[::1]:5000/app@sha256:…`, completed as Docker completes them.

use model::Digest;
use std::fmt;

/// Docker Hub under the name that references use.
const DOCKER_HUB: &str = "docker.io";
/// The host that serves Docker Hub's registry protocol.
const DOCKER_HUB_API: &str = "registry-1.docker.io";
/// Longest `registry/repository` that registries accept.
const MAX_NAME_BYTES: usize = 255;
/// Longest tag.
const MAX_TAG_BYTES: usize = 128;

/// A complete image reference: registry, repository, and a tag, a digest or both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    registry: String,
    repository: String,
    tag: Option<String>,
    digest: Option<Digest>,
}

/// A text that is no image reference.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an image reference: {reason}")]
pub struct ParseReferenceError {
    text: String,
    reason: String,
}

impl ParseReferenceError {
    /// Which part is malformed, without the text itself.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

impl Reference {
    /// Reads a reference and completes it: no registry means Docker Hub, one path part there means `library/`, and
    /// neither tag nor digest means the tag `latest`.
    ///
    /// # Errors
    /// Says which part is malformed.
    pub fn parse(text: &str) -> Result<Self, ParseReferenceError> {
        let error = |reason: String| ParseReferenceError {
            text: text.chars().take(300).collect(),
            reason,
        };
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => {
                let digest = digest
                    .parse::<Digest>()
                    .map_err(|problem| error(problem.to_string()))?;
                (rest, Some(digest))
            }
            None => (text, None),
        };
        // A colon after the last slash starts a tag; one before it belongs to the registry's port.
        let (name, tag) = match rest.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') && !tag.contains(']') => (name, Some(tag)),
            _ => (rest, None),
        };
        if let Some(tag) = tag {
            check_tag(tag).map_err(error)?;
        }
        let (registry, path) = split_registry(name);
        if let Some(registry) = registry {
            check_registry(registry).map_err(error)?;
        }
        check_path(path).map_err(error)?;
        let registry = match registry {
            None | Some("index.docker.io" | DOCKER_HUB_API) => DOCKER_HUB,
            Some(registry) => registry,
        };
        let repository = if registry == DOCKER_HUB && !path.contains('/') {
            format!("library/{path}")
        } else {
            path.to_owned()
        };
        if registry.len() + 1 + repository.len() > MAX_NAME_BYTES {
            return Err(error(format!("the name is longer than {MAX_NAME_BYTES} bytes")));
        }
        let tag = match (tag, &digest) {
            (Some(tag), _) => Some(tag.to_owned()),
            (None, Some(_)) => None,
            (None, None) => Some("latest".to_owned()),
        };
        Ok(Self {
            registry: registry.to_owned(),
            repository,
            tag,
            digest,
        })
    }

    /// The registry as references name it, with its port if one was given: `docker.io`, `localhost:5000`, `[::1]:5000`.
    #[must_use]
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// Host and port that serve the registry protocol; differs from the name for Docker Hub only.
    #[must_use]
    pub fn api_authority(&self) -> &str {
        if self.registry == DOCKER_HUB {
            DOCKER_HUB_API
        } else {
            &self.registry
        }
    }

    /// The path below the registry: `library/alpine`.
    #[must_use]
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// The tag, where one was given or assumed.
    #[must_use]
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The digest, where one was given. It decides when a tag is there too.
    #[must_use]
    pub fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.registry, self.repository)?;
        if let Some(tag) = &self.tag {
            write!(formatter, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(formatter, "@{digest}")?;
        }
        Ok(())
    }
}

/// The first part is a registry if it cannot be part of a Docker Hub name: it has a dot, a colon, capitals, or is `localhost`.
fn split_registry(name: &str) -> (Option<&str>, &str) {
    match name.split_once('/') {
        Some((first, path))
            if first == "localhost"
                || first.contains(['.', ':', '['])
                || first.bytes().any(|byte| byte.is_ascii_uppercase()) =>
        {
            (Some(first), path)
        }
        _ => (None, name),
    }
}

fn check_tag(tag: &str) -> Result<(), String> {
    let mut bytes = tag.bytes();
    let first = bytes
        .next()
        .is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let rest = bytes.all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'));
    if !first || !rest {
        return Err(format!(
            "the tag `{tag}` must be letters, digits, `_`, `.` and `-`, and not start with `.` or `-`"
        ));
    }
    if tag.len() > MAX_TAG_BYTES {
        return Err(format!("the tag is longer than {MAX_TAG_BYTES} bytes"));
    }
    Ok(())
}

fn check_registry(registry: &str) -> Result<(), String> {
    let malformed =
        || format!("the registry `{registry}` must be a host name or address, with `:port` if needed");
    let (host, port) = if let Some(rest) = registry.strip_prefix('[') {
        let (address, after) = rest.split_once(']').ok_or_else(malformed)?;
        address.parse::<std::net::Ipv6Addr>().map_err(|_| malformed())?;
        (
            None,
            match after {
                "" => None,
                _ => Some(after.strip_prefix(':').ok_or_else(malformed)?),
            },
        )
    } else {
        match registry.split_once(':') {
            Some((host, port)) => (Some(host), Some(port)),
            None => (Some(registry), None),
        }
    };
    if let Some(host) = host {
        let label = |label: &str| {
            !label.is_empty()
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        if !host.split('.').all(label) {
            return Err(malformed());
        }
    }
    match port {
        Some(port) if port.is_empty() || !port.bytes().all(|byte| byte.is_ascii_digit()) => Err(malformed()),
        Some(port) => match port.parse::<u16>() {
            Ok(0) | Err(_) => Err(malformed()),
            Ok(_) => Ok(()),
        },
        None => Ok(()),
    }
}

/// Parts of lower-case letters and digits, joined inside by `.`, `_`, `__` or any number of `-`.
fn check_path(path: &str) -> Result<(), String> {
    if path.is_empty() {
        return Err("the repository is empty".to_owned());
    }
    for part in path.split('/') {
        let alphanumeric = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let allowed = part
            .bytes()
            .all(|byte| alphanumeric(&byte) || matches!(byte, b'.' | b'_' | b'-'));
        let ends = part.as_bytes().first().is_some_and(alphanumeric)
            && part.as_bytes().last().is_some_and(alphanumeric);
        let separators_fit = part
            .split(|character: char| character.is_ascii_alphanumeric())
            .all(|separator| {
                matches!(separator, "" | "." | "_" | "__") || separator.bytes().all(|byte| byte == b'-')
            });
        if !allowed || !ends || !separators_fit {
            let hint = if part.bytes().any(|byte| byte.is_ascii_uppercase()) {
                "; repositories are lower case"
            } else {
                ""
            };
            return Err(format!(
                "`{part}` cannot be part of a repository: it must be lower-case letters and digits, separated by `.`, `_`, `__` or `-`{hint}"
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "b5b2b2c507a0944348e0303114d8d93aaaa081732b86451d9bce1f432a537bc7";

    #[test]
    fn references_are_completed() {
        let by_digest = format!("alpine@sha256:{HEX}");
        let both = format!("quay.io/org/app:1.0@sha256:{HEX}");
        for (text, registry, repository, tag, digest) in [
            ("alpine", "docker.io", "library/alpine", Some("latest"), false),
            ("alpine:3.20", "docker.io", "library/alpine", Some("3.20"), false),
            (
                "grafana/grafana",
                "docker.io",
                "grafana/grafana",
                Some("latest"),
                false,
            ),
            (
                "docker.io/alpine",
                "docker.io",
                "library/alpine",
                Some("latest"),
                false,
            ),
            (
                "index.docker.io/alpine",
                "docker.io",
                "library/alpine",
                Some("latest"),
                false,
            ),
            (
                "registry-1.docker.io/a/b",
                "docker.io",
                "a/b",
                Some("latest"),
                false,
            ),
            ("ghcr.io/org/app", "ghcr.io", "org/app", Some("latest"), false),
            ("quay.io/app", "quay.io", "app", Some("latest"), false),
            ("localhost/app", "localhost", "app", Some("latest"), false),
            (
                "localhost:5000/app:dev",
                "localhost:5000",
                "app",
                Some("dev"),
                false,
            ),
            (
                "127.0.0.1:5000/a/b/c",
                "127.0.0.1:5000",
                "a/b/c",
                Some("latest"),
                false,
            ),
            ("[::1]:5000/app", "[::1]:5000", "app", Some("latest"), false),
            ("[2001:db8::1]/app:v1", "[2001:db8::1]", "app", Some("v1"), false),
            ("Registry/app", "Registry", "app", Some("latest"), false),
            ("myhost:443/app", "myhost:443", "app", Some("latest"), false),
            (
                "a/b_c__d.e--f/g:T_a.g-1",
                "docker.io",
                "a/b_c__d.e--f/g",
                Some("T_a.g-1"),
                false,
            ),
            (by_digest.as_str(), "docker.io", "library/alpine", None, true),
            (both.as_str(), "quay.io", "org/app", Some("1.0"), true),
        ] {
            let reference = Reference::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(reference.registry(), registry, "{text}");
            assert_eq!(reference.repository(), repository, "{text}");
            assert_eq!(reference.tag(), tag, "{text}");
            assert_eq!(reference.digest().is_some(), digest, "{text}");
            assert_eq!(
                Reference::parse(&reference.to_string()).as_ref(),
                Ok(&reference),
                "{text} does not read back"
            );
        }
    }

    #[test]
    fn malformed_references_are_refused() {
        let long = format!("host.example/{}", "a".repeat(255));
        let long_tag = format!("a:{}", "t".repeat(129));
        for text in [
            "",
            ":latest",
            "Alpine",
            "alpine:",
            "alpine:-x",
            "alpine:a b",
            "alpine@sha256:12",
            "alpine@md5:d41d8cd98f00b204e9800998ecf8427e",
            "/alpine",
            "alpine/",
            "a//b",
            "a/../b",
            "host.example:/a",
            "host.example:0/a",
            "host.example:99999/a",
            "host.example:8x/a",
            "-host.example/a",
            "[::1/a",
            "[nonsense]:5000/a",
            "[::1]5000/a",
            "host.example/-a",
            "host.example/a..b",
            "host.example/a___b",
            "host.example/a?b",
            "host.example/a%2fb",
            "user:pw@host.example/a",
            long.as_str(),
            long_tag.as_str(),
        ] {
            assert!(Reference::parse(text).is_err(), "`{text}` was accepted");
        }
    }

    #[test]
    fn the_api_of_docker_hub_is_elsewhere() {
        let hub = Reference::parse("alpine").unwrap();
        assert_eq!(hub.api_authority(), "registry-1.docker.io");
        let other = Reference::parse("localhost:5000/a").unwrap();
        assert_eq!(other.api_authority(), "localhost:5000");
    }
}
