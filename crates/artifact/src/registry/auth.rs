//! Authentication towards a registry: `WWW-Authenticate` challenges, basic credentials, and tokens by both token protocols.

use super::credentials::Credentials;
use crate::Secret;
use crate::network::{Client, RemoteError, RemoteErrorKind, Request, origin};
use base64::Engine;
use http::HeaderMap;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use std::collections::BTreeMap;

/// Largest answer of a token server, in bytes.
const MAX_TOKEN_BYTES: u64 = 1024 * 1024;
/// Name under which token servers know this program.
const CLIENT_ID: &str = "hullward";
/// What may stand in a query or form as it is.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// One way to authenticate that a registry offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Challenge {
    /// In lower case: `basic`, `bearer`.
    scheme: String,
    /// Names in lower case.
    parameters: BTreeMap<String, String>,
}

/// Reads the challenges of all `WWW-Authenticate` headers; malformed ones end their header.
pub(crate) fn challenges(headers: &HeaderMap) -> Vec<Challenge> {
    headers
        .get_all("www-authenticate")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(parse_challenges)
        .collect()
}

/// `Bearer realm="…",service="…", Basic realm="…"`: a word without `=` after it starts the next challenge.
fn parse_challenges(header: &str) -> Vec<Challenge> {
    let mut challenges: Vec<Challenge> = Vec::new();
    let mut rest = header;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        let end = rest
            .find(|character: char| !is_token_character(character))
            .unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        if word.is_empty() {
            return challenges;
        }
        let Some(value) = after.trim_start().strip_prefix('=') else {
            challenges.push(Challenge {
                scheme: word.to_ascii_lowercase(),
                parameters: BTreeMap::new(),
            });
            rest = after;
            continue;
        };
        let Some((value, after)) = parse_value(value.trim_start()) else {
            return challenges;
        };
        if let Some(challenge) = challenges.last_mut() {
            challenge.parameters.insert(word.to_ascii_lowercase(), value);
        }
        rest = after;
    }
}

fn is_token_character(character: char) -> bool {
    character.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(character)
}

fn parse_value(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([',', ' ', '\t']).unwrap_or(text.len());
        let (value, after) = text.split_at(end);
        return Some((value.to_owned(), after));
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((index, character)) = characters.next() {
        match character {
            '"' => return Some((value, quoted.get(index + 1..)?)),
            '\\' => value.push(characters.next()?.1),
            _ => value.push(character),
        }
    }
    None
}

#[derive(Deserialize)]
struct TokenAnswer {
    token: Option<String>,
    access_token: Option<String>,
}

/// Gets the value of the `Authorization` header that answers a registry's challenges.
///
/// `registry` is the URL that was refused; `scope` is what is wanted if the challenge does not say; `origin` of the
/// credentials is named in errors.
pub(crate) fn authorise(
    client: &Client,
    registry: &str,
    challenges: &[Challenge],
    scope: &str,
    credentials: &Credentials,
    credentials_from: &str,
) -> Result<Secret, RemoteError> {
    let host = origin(registry).map_or_else(String::new, |(_, host, _)| host);
    let offered = |scheme: &str| challenges.iter().find(|challenge| challenge.scheme == scheme);
    if let Credentials::Access(token) = credentials {
        return Ok(Secret::new(format!("Bearer {}", token.expose())));
    }
    if let Some(challenge) = offered("bearer") {
        let token = fetch_token(client, registry, challenge, scope, credentials, credentials_from)?;
        return Ok(Secret::new(format!("Bearer {}", token.expose())));
    }
    if offered("basic").is_some() {
        return match credentials {
            Credentials::Basic(username, password) => Ok(basic(username, password)),
            _ => Err(no_credentials(&host)),
        };
    }
    Err(RemoteError::new(
        RemoteErrorKind::Denied,
        format!("{host} asks for an authentication that is neither basic nor bearer"),
    ))
}

fn basic(username: &str, password: &Secret) -> Secret {
    let pair = format!("{username}:{}", password.expose());
    Secret::new(format!(
        "Basic {}",
        base64::engine::general_purpose::STANDARD.encode(pair)
    ))
}

/// The error for a registry that wants credentials when there are none.
pub(crate) fn no_credentials(host: &str) -> RemoteError {
    RemoteError::new(
        RemoteErrorKind::Denied,
        format!("{host} wants credentials and none are configured for it"),
    )
    .with_hint(format!(
        "log in with `docker login {host}` or `podman login {host}`"
    ))
}

fn fetch_token(
    client: &Client,
    registry: &str,
    challenge: &Challenge,
    scope: &str,
    credentials: &Credentials,
    credentials_from: &str,
) -> Result<Secret, RemoteError> {
    let parameter = |name: &str| {
        challenge
            .parameters
            .get(name)
            .map(String::as_str)
            .filter(|text| !text.is_empty())
    };
    let realm = parameter("realm").ok_or_else(|| {
        RemoteError::invalid("the registry asks for a token but does not say where to get one")
    })?;
    check_realm(client, registry, realm)?;
    let scope = parameter("scope").unwrap_or(scope);
    let mut fields = Vec::new();
    if let Some(service) = parameter("service") {
        fields.push(("service", service));
    }
    fields.push(("scope", scope));
    let url;
    let request = match credentials {
        Credentials::Identity(token) => {
            fields.extend([
                ("grant_type", "refresh_token"),
                ("client_id", CLIENT_ID),
                ("refresh_token", token.expose()),
            ]);
            Request {
                form: Some(encode(&fields)),
                ..Request::get(realm)
            }
        }
        _ => {
            if let Credentials::Basic(username, _) = credentials {
                fields.push(("account", username));
            }
            let separator = if realm.contains('?') { '&' } else { '?' };
            url = format!("{realm}{separator}{}", encode(&fields));
            let request = Request::get(&url);
            match credentials {
                Credentials::Basic(username, password) => {
                    request.header("authorization", basic(username, password).expose())
                }
                _ => request,
            }
        }
    };
    let realm_host = origin(realm).map_or_else(String::new, |(_, host, _)| host);
    let response = client.send(&request)?;
    let status = response.status;
    if matches!(status.as_u16(), 400 | 401 | 403) {
        return Err(match credentials {
            Credentials::Anonymous => no_credentials(&realm_host),
            _ => RemoteError::new(
                RemoteErrorKind::Denied,
                format!(
                    "the token server {realm_host} refused the credentials from {credentials_from} ({status})"
                ),
            )
            .with_hint("log in again; the password or token may have changed"),
        });
    }
    if !status.is_success() {
        return Err(RemoteError::unreachable(format!(
            "the token server {realm_host} answered {status}"
        )));
    }
    let bytes = response.into_bytes(MAX_TOKEN_BYTES, "the token")?;
    let invalid = || {
        RemoteError::invalid(format!(
            "the token server {realm_host} answered without a usable token"
        ))
    };
    let answer: TokenAnswer = serde_json::from_slice(&bytes).map_err(|_| invalid())?;
    let token = [answer.token, answer.access_token]
        .into_iter()
        .flatten()
        .find(|token| !token.is_empty());
    match token {
        // It goes into a header; a control character there would end it.
        Some(token) if token.bytes().all(|byte| byte.is_ascii_graphic()) => Ok(Secret::new(token)),
        _ => Err(invalid()),
    }
}

/// Credentials must not leave an encrypted registry for a token server in the clear.
fn check_realm(client: &Client, registry: &str, realm: &str) -> Result<(), RemoteError> {
    let registry_scheme = origin(registry).map(|(scheme, ..)| scheme);
    match origin(realm) {
        Some((scheme, ..)) if scheme == "https" => Ok(()),
        Some(_) if registry_scheme.as_deref() == Some("http") || client.is_insecure() => Ok(()),
        Some((_, host, _)) => Err(RemoteError::invalid(format!(
            "the registry sends us to the token server {host} without encryption"
        ))
        .with_hint("pass --insecure if that is meant to be so")),
        None => Err(RemoteError::invalid(
            "the registry names a token server that is not an http or https URL",
        )),
    }
}

fn encode(fields: &[(&str, &str)]) -> String {
    let pairs: Vec<String> = fields
        .iter()
        .map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, UNRESERVED)))
        .collect();
    pairs.join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenges_are_read() {
        type Expected = &'static [(&'static str, &'static [(&'static str, &'static str)])];
        let cases: &[(&str, Expected)] = &[
            (
                r#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:library/alpine:pull""#,
                &[(
                    "bearer",
                    &[
                        ("realm", "https://auth.docker.io/token"),
                        ("scope", "repository:library/alpine:pull"),
                        ("service", "registry.docker.io"),
                    ],
                )],
            ),
            (
                r#"Basic realm="Registry Realm""#,
                &[("basic", &[("realm", "Registry Realm")])],
            ),
            ("Basic", &[("basic", &[])]),
            (
                r#"BASIC Realm=x, bearer REALM = "a, b" , service=s"#,
                &[
                    ("basic", &[("realm", "x")]),
                    ("bearer", &[("realm", "a, b"), ("service", "s")]),
                ],
            ),
            (
                r#"Bearer realm="a\"b\\c""#,
                &[("bearer", &[("realm", r#"a"b\c"#)])],
            ),
            (
                r#"Bearer scope="repository:a:pull,push",realm="r""#,
                &[("bearer", &[("realm", "r"), ("scope", "repository:a:pull,push")])],
            ),
            (
                r#"Negotiate, Basic realm="x""#,
                &[("negotiate", &[]), ("basic", &[("realm", "x")])],
            ),
            ("", &[]),
            ("\"", &[]),
            (r#"Bearer realm="never ends"#, &[("bearer", &[])]),
            ("=x", &[]),
            (r#"realm="before any scheme""#, &[]),
        ];
        for (header, expected) in cases {
            let read: Vec<(String, Vec<(String, String)>)> = parse_challenges(header)
                .into_iter()
                .map(|challenge| (challenge.scheme, challenge.parameters.into_iter().collect()))
                .collect();
            let expected: Vec<(String, Vec<(String, String)>)> = expected
                .iter()
                .map(|(scheme, parameters)| {
                    let parameters = parameters
                        .iter()
                        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                        .collect();
                    ((*scheme).to_owned(), parameters)
                })
                .collect();
            assert_eq!(read, expected, "{header}");
        }
    }

    #[test]
    fn forms_are_encoded() {
        assert_eq!(
            encode(&[("scope", "repository:a/b:pull"), ("x", "a b&c=d+é")]),
            "scope=repository%3Aa%2Fb%3Apull&x=a%20b%26c%3Dd%2B%C3%A9"
        );
    }

    proptest::proptest! {
        #[test]
        fn no_header_makes_the_reader_panic_or_loop(header in ".{0,200}") {
            parse_challenges(&header);
        }
    }
}
