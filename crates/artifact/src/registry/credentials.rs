//! Where credentials for a registry come from: the caller, Docker's and Podman's configuration files, credential helpers.

use crate::Secret;
use crate::network::{RemoteError, RemoteErrorKind, quoted};
use crate::reference::Reference;
use base64::Engine;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Largest configuration file, in bytes.
const MAX_CONFIG_BYTES: u64 = 4 * 1024 * 1024;
/// Largest answer of a credential helper, in bytes.
const MAX_HELPER_BYTES: u64 = 1024 * 1024;
/// How long a credential helper may take; it may have to ask a cloud.
const HELPER_TIMEOUT: Duration = Duration::from_secs(30);
/// How Docker's files name Docker Hub.
const DOCKER_HUB_KEY: &str = "https://index.docker.io/v1/";
/// The user name that marks a secret as an identity token.
const TOKEN_USER: &str = "<token>";

/// What a registry is told about who we are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Credentials {
    /// Nothing.
    #[default]
    Anonymous,
    /// User name and password.
    Basic(String, Secret),
    /// A refresh token, to be exchanged for access tokens.
    Identity(Secret),
    /// An access token for the registry itself.
    Access(Secret),
}

/// Credentials and the place they came from, for messages.
#[derive(Clone, Debug, Default)]
pub(crate) struct Found {
    pub(crate) credentials: Credentials,
    pub(crate) origin: String,
}

/// Asks a helper by its name for a server's credentials.
type Helper<'a> = dyn Fn(&str, &str) -> Result<Option<Credentials>, RemoteError> + 'a;

/// Docker's `config.json` and Podman's `auth.json`, as far as credentials go.
#[derive(Default, Deserialize)]
#[serde(default)]
struct ConfigFile {
    auths: BTreeMap<String, AuthEntry>,
    #[serde(rename = "credHelpers")]
    helpers: BTreeMap<String, String>,
    #[serde(rename = "credsStore")]
    store: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct AuthEntry {
    auth: Option<String>,
    username: Option<String>,
    password: Option<String>,
    identitytoken: Option<String>,
    registrytoken: Option<String>,
}

#[derive(Deserialize)]
struct HelperAnswer {
    #[serde(rename = "Username", default)]
    username: String,
    #[serde(rename = "Secret", default)]
    secret: String,
}

/// Finds the credentials for an image: the first file that knows the registry decides.
///
/// # Errors
/// A file that is there but cannot be read, and a helper that is configured for this registry but fails.
pub(crate) fn find(
    reference: &Reference,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<Found, RemoteError> {
    for path in config_files(environment) {
        let Some(config) = read_config(&path)? else {
            continue;
        };
        if let Some(credentials) = config.lookup(reference, &path, &run_helper)? {
            return Ok(Found {
                credentials,
                origin: path.display().to_string(),
            });
        }
    }
    Ok(Found::default())
}

/// The configuration files in the order in which they are asked: the ones named outright, Docker's, Podman's.
fn config_files(environment: &dyn Fn(&str) -> Option<String>) -> Vec<PathBuf> {
    let variable = |name: &str| {
        environment(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    let home = variable("HOME");
    let mut files = Vec::new();
    files.extend(variable("REGISTRY_AUTH_FILE"));
    let docker = variable("DOCKER_CONFIG").or_else(|| home.as_ref().map(|home| home.join(".docker")));
    files.extend(docker.map(|folder| folder.join("config.json")));
    files.extend(variable("XDG_RUNTIME_DIR").map(|folder| folder.join("containers/auth.json")));
    let user = variable("XDG_CONFIG_HOME").or_else(|| home.map(|home| home.join(".config")));
    files.extend(user.map(|folder| folder.join("containers/auth.json")));
    files
}

fn read_config(path: &Path) -> Result<Option<ConfigFile>, RemoteError> {
    if !path.exists() {
        return Ok(None);
    }
    let bytes = crate::files::read(path, MAX_CONFIG_BYTES).map_err(|error| {
        RemoteError::new(
            RemoteErrorKind::Denied,
            format!("registry credentials: {}", error.chain()),
        )
    })?;
    parse_config(&bytes).map(Some).map_err(|reason| {
        RemoteError::new(
            RemoteErrorKind::Denied,
            format!(
                "registry credentials: {} is not readable: {reason}",
                path.display()
            ),
        )
    })
}

fn parse_config(bytes: &[u8]) -> Result<ConfigFile, String> {
    // The library's message quotes no values but for wrong types, so place and kind are all that is told: values are secrets.
    serde_json::from_slice(bytes).map_err(|error| {
        format!(
            "malformed JSON at line {}, column {}",
            error.line(),
            error.column()
        )
    })
}

impl ConfigFile {
    fn lookup(
        &self,
        reference: &Reference,
        path: &Path,
        helper: &Helper<'_>,
    ) -> Result<Option<Credentials>, RemoteError> {
        let keys = lookup_keys(reference);
        for (key, name) in &self.helpers {
            if keys.last().is_some_and(|host| *host == normalised_key(key)) {
                return helper(name, server_name(reference));
            }
        }
        for wanted in &keys {
            for (key, entry) in &self.auths {
                if normalised_key(key) == *wanted
                    && let Some(credentials) = entry.credentials().map_err(|reason| {
                        RemoteError::new(
                            RemoteErrorKind::Denied,
                            format!("the entry `{key}` of {} cannot be used: {reason}", path.display()),
                        )
                    })?
                {
                    return Ok(Some(credentials));
                }
            }
        }
        match &self.store {
            Some(name) if !name.is_empty() => helper(name, server_name(reference)),
            _ => Ok(None),
        }
    }
}

impl AuthEntry {
    /// `None` for the empty entries that Docker leaves when a helper keeps the secret.
    fn credentials(&self) -> Result<Option<Credentials>, String> {
        let filled = |value: &Option<String>| value.as_ref().filter(|text| !text.is_empty()).cloned();
        if let Some(token) = filled(&self.registrytoken) {
            return Ok(Some(Credentials::Access(Secret::new(token))));
        }
        if let Some(token) = filled(&self.identitytoken) {
            return Ok(Some(Credentials::Identity(Secret::new(token))));
        }
        let (username, password) = match filled(&self.auth) {
            Some(encoded) => {
                let bytes = base64::engine::general_purpose::STANDARD
                    .decode(encoded.trim())
                    .map_err(|_| "`auth` is not base64".to_owned())?;
                let text = String::from_utf8(bytes).map_err(|_| "`auth` is not UTF-8".to_owned())?;
                let (username, password) = text
                    .split_once(':')
                    .ok_or_else(|| "`auth` is not `user:password`".to_owned())?;
                // Docker pads with NUL.
                (username.to_owned(), password.trim_end_matches('\0').to_owned())
            }
            None => match (filled(&self.username), filled(&self.password)) {
                (Some(username), Some(password)) => (username, password),
                _ => return Ok(None),
            },
        };
        Ok(Some(login(username, password)))
    }
}

fn login(username: String, password: String) -> Credentials {
    if username == TOKEN_USER {
        Credentials::Identity(Secret::new(password))
    } else {
        Credentials::Basic(username, Secret::new(password))
    }
}

/// `registry/a/b`, `registry/a`, `registry`: Podman's files may hold credentials for a part of a registry; the longest wins.
fn lookup_keys(reference: &Reference) -> Vec<String> {
    let mut keys = vec![reference.registry().to_owned()];
    for part in reference.repository().split('/') {
        let longer = format!("{}/{part}", keys.last().map_or("", String::as_str));
        keys.push(longer);
    }
    keys.reverse();
    keys
}

/// An entry's key without scheme and API path, Docker Hub under its usual name.
fn normalised_key(key: &str) -> String {
    let bare = key
        .strip_prefix("https://")
        .or_else(|| key.strip_prefix("http://"))
        .unwrap_or(key);
    let bare = bare.trim_end_matches('/');
    let bare = bare
        .strip_suffix("/v1")
        .or_else(|| bare.strip_suffix("/v2"))
        .unwrap_or(bare);
    match bare {
        "index.docker.io" | "registry-1.docker.io" | "registry.hub.docker.com" => "docker.io".to_owned(),
        _ => bare.to_ascii_lowercase(),
    }
}

/// What a helper is asked for.
fn server_name(reference: &Reference) -> &str {
    if reference.registry() == "docker.io" {
        DOCKER_HUB_KEY
    } else {
        reference.registry()
    }
}

/// Asks `docker-credential-NAME` for the credentials of a server. `None` when it has none.
fn run_helper(name: &str, server: &str) -> Result<Option<Credentials>, RemoteError> {
    let valid = !name.is_empty()
        && name.len() <= 64
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
    if !valid {
        return Err(RemoteError::new(
            RemoteErrorKind::Denied,
            "the credential helper's name in the registry configuration has characters other than letters, digits, `-`, `_` and `.`",
        ));
    }
    let program = format!("docker-credential-{name}");
    #[expect(
        clippy::disallowed_methods,
        reason = "credential helpers are programs that the user configured; nothing of a target decides what runs"
    )]
    let mut command = Command::new(&program);
    ask_helper(command.arg("get"), &program, server, HELPER_TIMEOUT)
}

fn ask_helper(
    command: &mut Command,
    program: &str,
    server: &str,
    timeout: Duration,
) -> Result<Option<Credentials>, RemoteError> {
    let failed = |reason: String| {
        RemoteError::new(
            RemoteErrorKind::Denied,
            format!("credential helper {program} failed for {server}: {reason}"),
        )
        .with_hint("log in again, or remove the helper from the registry configuration")
    };
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => failed("it is not installed".to_owned()),
            _ => failed(format!("it could not be started: {error}")),
        })?;
    let outcome = converse(&mut child, server, timeout);
    if outcome.is_err() {
        // It may have ended already; either way nothing more is wanted of it.
        drop(child.kill());
        drop(child.wait());
    }
    let (success, output) = outcome.map_err(failed)?;
    if !success {
        // Helpers report everything as text; this one is fixed by the helpers' own library.
        let text = String::from_utf8_lossy(&output);
        if text.contains("credentials not found") {
            return Ok(None);
        }
        return Err(failed(format!("it said `{}`", quoted(&text))));
    }
    let answer: HelperAnswer = serde_json::from_slice(&output)
        .map_err(|_| failed("its answer is not the JSON that helpers give".to_owned()))?;
    if answer.secret.is_empty() {
        return Ok(None);
    }
    Ok(Some(login(answer.username, answer.secret)))
}

/// Writes the server's name, reads the answer, waits for the end; all within the time limit.
fn converse(child: &mut Child, server: &str, timeout: Duration) -> Result<(bool, Vec<u8>), String> {
    let deadline = Instant::now() + timeout;
    let too_late = || format!("it took longer than {} seconds", timeout.as_secs_f32());
    let mut input = child.stdin.take().ok_or("it has no standard input")?;
    let output = child.stdout.take().ok_or("it has no standard output")?;
    // A helper that does not read its input breaks the pipe; what it answers still counts.
    drop(input.write_all(server.as_bytes()));
    drop(input);
    let (sender, receiver) = std::sync::mpsc::sync_channel(1);
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let result = output
            .take(MAX_HELPER_BYTES + 1)
            .read_to_end(&mut bytes)
            .map(|_| bytes);
        // Nobody listens any more once the time is up.
        drop(sender.send(result));
    });
    let bytes = receiver
        .recv_timeout(timeout)
        .map_err(|_| too_late())?
        .map_err(|error| format!("its answer could not be read: {error}"))?;
    if bytes.len() as u64 > MAX_HELPER_BYTES {
        return Err(format!("its answer is longer than {MAX_HELPER_BYTES} bytes"));
    }
    loop {
        match child
            .try_wait()
            .map_err(|error| format!("it could not be waited for: {error}"))?
        {
            Some(status) => return Ok((status.success(), bytes)),
            None if Instant::now() >= deadline => return Err(too_late()),
            None => std::thread::sleep(Duration::from_millis(5)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lookup(config: &str, image: &str) -> Result<Option<Credentials>, String> {
        let config = parse_config(config.as_bytes())?;
        config
            .lookup(
                &Reference::parse(image).unwrap(),
                Path::new("config.json"),
                &|name, server| {
                    Ok(Some(Credentials::Basic(
                        name.to_owned(),
                        Secret::new(server.to_owned()),
                    )))
                },
            )
            .map_err(|error| error.to_string())
    }

    fn basic(username: &str, password: &str) -> Option<Credentials> {
        Some(Credentials::Basic(
            username.to_owned(),
            Secret::new(password.to_owned()),
        ))
    }

    #[test]
    fn entries_are_found_under_every_usual_key() {
        // "u:p" in base64.
        let cases = [
            (
                r#"{"auths":{"https://index.docker.io/v1/":{"auth":"dTpw"}}}"#,
                "alpine",
                basic("u", "p"),
            ),
            (
                r#"{"auths":{"docker.io":{"auth":"dTpw"}}}"#,
                "a/b",
                basic("u", "p"),
            ),
            (
                r#"{"auths":{"index.docker.io":{"auth":"dTpw"}}}"#,
                "a/b",
                basic("u", "p"),
            ),
            (
                r#"{"auths":{"ghcr.io":{"auth":"dTpw"}}}"#,
                "ghcr.io/a/b",
                basic("u", "p"),
            ),
            (
                r#"{"auths":{"https://ghcr.io/v2/":{"auth":"dTpw"}}}"#,
                "ghcr.io/a/b",
                basic("u", "p"),
            ),
            (
                r#"{"auths":{"http://localhost:5000":{"auth":"dTpw"}}}"#,
                "localhost:5000/a",
                basic("u", "p"),
            ),
            (r#"{"auths":{"ghcr.io":{"auth":"dTpw"}}}"#, "quay.io/a/b", None),
            (
                r#"{"auths":{"localhost":{"auth":"dTpw"}}}"#,
                "localhost:5000/a",
                None,
            ),
            (r#"{"auths":{"ghcr.io":{}}}"#, "ghcr.io/a/b", None),
            (
                r#"{"auths":{"q.io":{"username":"n","password":"s"}}}"#,
                "q.io/a",
                basic("n", "s"),
            ),
            (
                r#"{"auths":{"q.io":{"auth":"dTpw"},"q.io/team":{"username":"team","password":"s"}}}"#,
                "q.io/team/app",
                basic("team", "s"),
            ),
            (
                r#"{"auths":{"q.io":{"auth":"dTpw","identitytoken":"idt"}}}"#,
                "q.io/a",
                Some(Credentials::Identity(Secret::new("idt".to_owned()))),
            ),
            (
                r#"{"auths":{"q.io":{"auth":"PHRva2VuPjppZHQ="}}}"#,
                "q.io/a",
                Some(Credentials::Identity(Secret::new("idt".to_owned()))),
            ),
            (
                r#"{"auths":{"q.io":{"registrytoken":"at"}}}"#,
                "q.io/a",
                Some(Credentials::Access(Secret::new("at".to_owned()))),
            ),
            ("{}", "alpine", None),
            (r#"{"HttpHeaders":{"x":"y"},"auths":{}}"#, "alpine", None),
        ];
        for (config, image, expected) in cases {
            assert_eq!(lookup(config, image).unwrap(), expected, "{image} in {config}");
        }
    }

    #[test]
    fn helpers_are_asked_for_their_registries_and_the_store_for_the_rest() {
        let config = r#"{"credsStore":"desktop","credHelpers":{"gcr.io":"gcloud"},"auths":{"q.io":{"auth":"dTpw"},"gcr.io":{"auth":"dTpw"},"quay.io":{}}}"#;
        assert_eq!(lookup(config, "gcr.io/p/i").unwrap(), basic("gcloud", "gcr.io"));
        assert_eq!(lookup(config, "q.io/i").unwrap(), basic("u", "p"));
        assert_eq!(lookup(config, "quay.io/i").unwrap(), basic("desktop", "quay.io"));
        assert_eq!(
            lookup(config, "alpine").unwrap(),
            basic("desktop", DOCKER_HUB_KEY)
        );
    }

    #[test]
    fn a_damaged_configuration_is_an_error_that_tells_no_secret() {
        for config in [
            r#"{"auths":{"q.io":{"auth":"hunter2!"}}}"#,
            r#"{"auths":{"q.io":{"auth":"aHVudGVyMg=="}}}"#,
            r#"{"auths":{"q.io":{"auth":["hunter2"]}}}"#,
            r#"{"auths":{"q.io":{"auth":"hunter2"#,
        ] {
            let error = lookup(config, "q.io/a").unwrap_err();
            assert!(!error.contains("hunter2"), "{error}");
        }
        assert!(lookup(&"[".repeat(100_000), "q.io/a").is_err());
    }

    #[test]
    fn files_are_asked_in_order() {
        let environment = |name: &str| {
            Some(
                match name {
                    "REGISTRY_AUTH_FILE" => "/r/auth.json",
                    "XDG_RUNTIME_DIR" => "/run/user/1",
                    "HOME" => "/home/u",
                    _ => return None,
                }
                .to_owned(),
            )
        };
        let files: Vec<String> = config_files(&environment)
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        assert_eq!(
            files,
            [
                "/r/auth.json",
                "/home/u/.docker/config.json",
                "/run/user/1/containers/auth.json",
                "/home/u/.config/containers/auth.json"
            ]
        );
        let docker = |name: &str| (name == "DOCKER_CONFIG").then(|| "/d".to_owned());
        assert_eq!(config_files(&docker), [PathBuf::from("/d/config.json")]);
    }

    #[test]
    fn helper_names_are_checked_before_anything_runs() {
        for name in ["", "../evil", "a b", "a;b", "a/b", "$(x)"] {
            let error = run_helper(name, "q.io").unwrap_err();
            assert!(error.to_string().contains("name"), "{error}");
        }
        let error = run_helper("surely-not-installed-here", "q.io").unwrap_err();
        assert!(error.to_string().contains("not installed"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn helpers_answer_or_fail_within_limits() {
        #[expect(
            clippy::disallowed_methods,
            reason = "the test plays the helper with a shell script"
        )]
        let run = |script: &str, timeout: Duration| {
            ask_helper(
                Command::new("/bin/sh").args(["-c", script]),
                "docker-credential-test",
                "q.io",
                timeout,
            )
        };
        let long = Duration::from_secs(20);
        let echo = r#"server=$(cat); printf '{"ServerURL":"%s","Username":"u","Secret":"for-%s"}' "$server" "$server""#;
        assert_eq!(run(echo, long).unwrap(), basic("u", "for-q.io"));
        let token = r#"printf '{"Username":"<token>","Secret":"idt"}'"#;
        assert_eq!(
            run(token, long).unwrap(),
            Some(Credentials::Identity(Secret::new("idt".to_owned())))
        );
        let none = "echo 'credentials not found in native keychain'; exit 1";
        assert_eq!(run(none, long).unwrap(), None);
        let broken = run("echo 'no session'; exit 1", long).unwrap_err();
        assert!(broken.to_string().contains("no session"), "{broken}");
        let garbage = run("echo hunter2", long).unwrap_err();
        assert!(!garbage.to_string().contains("hunter2"), "{garbage}");
        let endless = run(
            "while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done",
            long,
        )
        .unwrap_err();
        assert!(endless.to_string().contains("longer than"), "{endless}");
        let silent = run("exec sleep 600", Duration::from_millis(200)).unwrap_err();
        assert!(silent.to_string().contains("took longer"), "{silent}");
    }
}
