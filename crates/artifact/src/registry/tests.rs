//! What is promised of registries, one test a promise, against a fake one on loopback.

use super::*;
use crate::network::{Proxies, redirected};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use testkit::http::{Answer, Ending, Request as Asked, Server};
use testkit::registry::{Store, digest};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// A store with one tagged manifest and one blob of 100,000 bytes.
fn store() -> (Store, Vec<u8>, Digest) {
    let blob: Vec<u8> = (0..100_000_u32).map(|number| (number * 7 % 251) as u8).collect();
    let mut store = Store::default();
    let digest = store.blob(blob.clone()).parse().unwrap();
    store.manifest("1", MANIFEST, r#"{"schemaVersion":2,"layers":[]}"#);
    (store, blob, digest)
}

/// How a test pulls, and the waits that happened meanwhile.
struct Setting {
    options: ClientOptions,
    given: Option<(String, Secret)>,
    environment: BTreeMap<&'static str, String>,
    waits: Arc<Mutex<Vec<Duration>>>,
}

impl Setting {
    fn new() -> Self {
        let waits: Arc<Mutex<Vec<Duration>>> = Arc::default();
        let recorder = Arc::clone(&waits);
        Self {
            options: ClientOptions {
                stall_timeout: Duration::from_secs(20),
                pause: Arc::new(move |wait| recorder.lock().unwrap().push(wait)),
                ..ClientOptions::default()
            },
            given: None,
            environment: BTreeMap::new(),
            waits,
        }
    }

    fn login(username: &str, password: &str) -> Self {
        Self {
            given: Some((username.to_owned(), Secret::new(password))),
            ..Self::new()
        }
    }

    /// The registry is known as `registry.example`, has the fake's address, and counts as public.
    fn public(server: &Server) -> Self {
        let mut setting = Self::new();
        setting.options.insecure = true;
        setting.host("registry.example", server.address(), true);
        setting
    }

    fn host(&mut self, name: &str, address: SocketAddr, public: bool) {
        self.options.hosts.push((name.to_owned(), address, public));
    }

    fn open(&self, image: &str) -> Result<(Arc<Repository>, Manifest), RemoteError> {
        Repository::open(
            &Reference::parse(image).unwrap(),
            self.options.clone(),
            self.given.clone(),
            &|name| self.environment.get(name).cloned(),
        )
    }

    fn waits(&self) -> Vec<Duration> {
        self.waits.lock().unwrap().clone()
    }
}

fn image(server: &Server) -> String {
    format!("{}/team/app:1", server.authority())
}

fn read(repository: &Arc<Repository>, digest: &Digest, size: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    repository.blob(digest, size)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn fails(setting: &Setting, image: &str) -> RemoteError {
    setting.open(image).err().expect("the pull should fail")
}

#[test]
fn anonymous_pull() {
    let (store, blob, digest) = store();
    let server = Server::start(move |asked| store.answer(asked));
    let (repository, manifest) = Setting::new().open(&image(&server)).unwrap();
    assert_eq!(manifest.media_type.as_deref(), Some(MANIFEST));
    assert_eq!(manifest.bytes, br#"{"schemaVersion":2,"layers":[]}"#);
    assert_eq!(read(&repository, &digest, blob.len() as u64).unwrap(), blob);
    assert_eq!(read(&repository, &digest, 0).unwrap(), blob, "of unknown size");
    let requests = server.requests();
    assert_eq!(requests[0].target, "/v2/team/app/manifests/1");
    assert!(
        requests[0]
            .header("accept")
            .unwrap()
            .contains("application/vnd.oci.image.index.v1+json")
    );
    assert!(
        requests
            .iter()
            .all(|request| request.header("authorization").is_none())
    );
}

#[test]
fn what_is_not_there_is_not_found() {
    let (store, ..) = store();
    let server = Server::start(move |asked| store.answer(asked));
    let error = fails(&Setting::new(), &format!("{}/team/app:2", server.authority()));
    assert_eq!(error.kind(), RemoteErrorKind::NotFound);
    assert!(error.to_string().contains("the manifest 2"), "{error}");
    assert!(error.to_string().contains("not known here"), "{error}");
}

fn wants_basic(asked: &Asked, expected: &str, store: &Store) -> Answer {
    if asked.header("authorization") == Some(expected) {
        store.answer(asked)
    } else {
        Answer::new(401, "{}").header("WWW-Authenticate", r#"Basic realm="test""#)
    }
}

#[test]
fn basic_credentials_go_out_after_a_challenge_only() {
    let (store, blob, digest) = store();
    // alice:secret
    let server = Server::start(move |asked| wants_basic(asked, "Basic YWxpY2U6c2VjcmV0", &store));
    let (repository, _) = Setting::login("alice", "secret").open(&image(&server)).unwrap();
    assert_eq!(read(&repository, &digest, blob.len() as u64).unwrap(), blob);
    assert!(server.requests()[0].header("authorization").is_none());

    let refused = fails(&Setting::login("alice", "hunter2"), &image(&server));
    assert_eq!(refused.kind(), RemoteErrorKind::Denied);
    assert!(refused.to_string().contains("the command line"), "{refused}");
    assert!(!format!("{refused:?}").contains("hunter2"), "{refused:?}");

    let missing = fails(&Setting::new(), &image(&server));
    assert_eq!(missing.kind(), RemoteErrorKind::Denied);
    assert!(
        missing.hint().unwrap().contains("docker login 127.0.0.1"),
        "{:?}",
        missing.hint()
    );
}

/// A registry and its token server in one: the token is `t1`, then `t2` and so on, and only the newest one counts.
fn token_server(
    store: Store,
    issue: impl Fn(&Asked) -> bool + Send + Sync + 'static,
    uses_per_token: usize,
) -> Server {
    let issued = AtomicUsize::new(0);
    let used = AtomicUsize::new(0);
    Server::start(move |asked| {
        if asked.path() == "/token" {
            if !issue(asked) {
                return Answer::new(401, "{}");
            }
            used.store(0, Ordering::SeqCst);
            let number = issued.fetch_add(1, Ordering::SeqCst) + 1;
            return Answer::new(200, format!(r#"{{"token":"t{number}","expires_in":60}}"#));
        }
        let newest = format!("Bearer t{}", issued.load(Ordering::SeqCst));
        if asked.header("authorization") == Some(&newest)
            && used.fetch_add(1, Ordering::SeqCst) < uses_per_token
        {
            return store.answer(asked);
        }
        let host = asked.header("host").unwrap();
        Answer::new(401, "{}").header(
            "WWW-Authenticate",
            format!(r#"Bearer realm="http://{host}/token",service="the registry",scope="repository:team/app:pull""#),
        )
    })
}

#[test]
fn anonymous_token() {
    let (store, blob, digest) = store();
    let server = token_server(store, |asked| asked.header("authorization").is_none(), 100);
    let (repository, _) = Setting::new().open(&image(&server)).unwrap();
    assert_eq!(read(&repository, &digest, blob.len() as u64).unwrap(), blob);
    let requests = server.requests();
    let asked: Vec<&str> = requests
        .iter()
        .map(Asked::path)
        .filter(|path| *path == "/token")
        .collect();
    assert_eq!(asked.len(), 1, "one token serves the whole pull");
    assert_eq!(
        requests[1].target,
        "/token?service=the%20registry&scope=repository%3Ateam%2Fapp%3Apull"
    );
}

#[test]
fn token_for_a_user_and_a_new_one_when_it_has_expired() {
    let (store, blob, digest) = store();
    let server = token_server(
        store,
        |asked| {
            asked.header("authorization") == Some("Basic YWxpY2U6c2VjcmV0")
                && asked.target.contains("account=alice")
        },
        1,
    );
    let (repository, _) = Setting::login("alice", "secret").open(&image(&server)).unwrap();
    assert_eq!(read(&repository, &digest, blob.len() as u64).unwrap(), blob);
    let tokens = server
        .requests()
        .iter()
        .filter(|request| request.path() == "/token")
        .count();
    assert_eq!(tokens, 2);
    let refused = fails(&Setting::login("alice", "hunter2"), &image(&server));
    assert_eq!(refused.kind(), RemoteErrorKind::Denied);
    assert!(refused.to_string().contains("token server"), "{refused}");
}

#[test]
fn identity_token_is_exchanged() {
    let (store, blob, digest) = store();
    let server = token_server(
        store,
        |asked| {
            asked.method == "POST"
                && asked.text().contains("grant_type=refresh_token")
                && asked.text().contains("refresh_token=id%26token")
                && asked.text().contains("service=the%20registry")
        },
        100,
    );
    let folder = tempfile::tempdir().unwrap();
    let mut setting = Setting::new();
    setting.environment.insert(
        "REGISTRY_AUTH_FILE",
        auth_file(
            folder.path(),
            &server.authority(),
            r#"{"identitytoken":"id&token"}"#,
        ),
    );
    let (repository, _) = setting.open(&image(&server)).unwrap();
    assert_eq!(read(&repository, &digest, blob.len() as u64).unwrap(), blob);
}

#[expect(
    clippy::disallowed_methods,
    reason = "the test writes the configuration that it reads"
)]
fn auth_file(folder: &std::path::Path, registry: &str, entry: &str) -> String {
    let path = folder.join("auth.json");
    std::fs::write(&path, format!(r#"{{"auths":{{"{registry}":{entry}}}}}"#)).unwrap();
    path.display().to_string()
}

#[test]
fn a_token_answer_that_is_unusable_is_an_error() {
    for body in [
        "",
        "{}",
        r#"{"token":""}"#,
        r#"{"token":"a\r\nb"}"#,
        r#"{"token":7}"#,
        "<html>",
    ] {
        let (store, ..) = store();
        let server = Server::start(move |asked| {
            if asked.path() == "/token" {
                return Answer::new(200, body);
            }
            let host = asked.header("host").unwrap();
            let _ = &store;
            Answer::new(401, "{}").header(
                "WWW-Authenticate",
                format!(r#"Bearer realm="http://{host}/token""#),
            )
        });
        let error = fails(&Setting::new(), &image(&server));
        assert_eq!(error.kind(), RemoteErrorKind::Invalid, "{body}: {error}");
    }
}

/// Answers the first `failures` requests with `failure`, the others as a registry does.
fn failing_first(failures: usize, failure: Answer) -> Server {
    let (store, ..) = store();
    let count = AtomicUsize::new(0);
    Server::start(move |asked| {
        if count.fetch_add(1, Ordering::SeqCst) < failures {
            failure.clone()
        } else {
            store.answer(asked)
        }
    })
}

#[test]
fn too_many_requests_wait_as_long_as_asked() {
    let server = failing_first(1, Answer::new(429, "slow down").header("Retry-After", "7"));
    let setting = Setting::new();
    setting.open(&image(&server)).unwrap();
    assert_eq!(setting.waits(), [Duration::from_secs(7)]);
}

#[test]
fn too_long_a_wait_is_told_instead() {
    let server = failing_first(1, Answer::new(429, "").header("Retry-After", "86400"));
    let setting = Setting::new();
    let error = fails(&setting, &image(&server));
    assert!(
        error.to_string().contains("asks to wait 86400 seconds"),
        "{error}"
    );
    assert!(setting.waits().is_empty());
}

#[test]
fn server_errors_are_retried_with_growing_waits() {
    let server = failing_first(3, Answer::new(503, "later"));
    let setting = Setting::new();
    setting.open(&image(&server)).unwrap();
    let waits = setting.waits();
    assert_eq!(waits.len(), 3);
    for (number, wait) in waits.iter().enumerate() {
        let longest = Duration::from_millis(500) * 2_u32.pow(number as u32);
        assert!(
            *wait <= longest && *wait >= longest / 2,
            "wait {number} was {wait:?}"
        );
    }
}

#[test]
fn server_errors_that_stay_are_told() {
    let server = failing_first(
        usize::MAX,
        Answer::new(500, r#"{"errors":[{"message":"disk \u001b[31mfull"}]}"#),
    );
    let error = fails(&Setting::new(), &image(&server));
    assert!(error.to_string().contains("500"), "{error}");
    assert!(error.to_string().contains("disk \\x1b[31mfull"), "{error:?}");
    assert_eq!(server.requests().len(), 5);
}

#[test]
fn broken_connections_are_retried() {
    let server = failing_first(2, Answer::new(200, "").ending(Ending::NoAnswer));
    let setting = Setting::new();
    setting.open(&image(&server)).unwrap();
    assert_eq!(setting.waits().len(), 2);
}

#[test]
fn nothing_listening_is_unreachable() {
    let server = Server::start(|_| Answer::new(200, ""));
    let image = image(&server);
    drop(server);
    let setting = Setting::new();
    let error = fails(&setting, &image);
    assert_eq!(error.kind(), RemoteErrorKind::Unreachable, "{error}");
    assert_eq!(setting.waits().len(), 4);
}

#[test]
fn a_silent_registry_ends_after_the_limit() {
    let server = Server::start(|_| Answer::new(200, "").ending(Ending::Silence));
    let mut setting = Setting::new();
    setting.options.stall_timeout = Duration::from_millis(200);
    let error = fails(&setting, &image(&server));
    assert!(error.to_string().contains("stopped answering"), "{error}");
}

/// Cuts every blob answer after `bytes`.
fn cutting(bytes: usize, ranges: bool) -> (Server, Vec<u8>, Digest) {
    let (store, blob, digest) = store();
    let server = Server::start(move |asked| {
        if !asked.path().contains("/blobs/") {
            return store.answer(asked);
        }
        let mut asked = asked.clone();
        if !ranges {
            asked.headers.retain(|(name, _)| name != "range");
        }
        let answer = store.answer(&asked);
        let longer = answer.body.len() > bytes;
        if longer {
            answer.ending(Ending::CutAfter(bytes))
        } else {
            answer
        }
    });
    (server, blob, digest)
}

#[test]
fn a_broken_blob_is_resumed_where_it_broke() {
    let (server, blob, digest) = cutting(30_000, true);
    let (repository, _) = Setting::new().open(&image(&server)).unwrap();
    assert_eq!(read(&repository, &digest, blob.len() as u64).unwrap(), blob);
    let ranges: Vec<Option<String>> = server
        .requests()
        .iter()
        .filter(|request| request.path().contains("/blobs/"))
        .map(|request| request.header("range").map(str::to_owned))
        .collect();
    let range = |start: u32| Some(format!("bytes={start}-"));
    assert_eq!(ranges, [None, range(30_000), range(60_000), range(90_000)]);
}

#[test]
fn a_blob_that_never_comes_further_is_given_up() {
    let (server, blob, digest) = cutting(30_000, false);
    let (repository, _) = Setting::new().open(&image(&server)).unwrap();
    let error = read(&repository, &digest, blob.len() as u64).unwrap_err();
    assert!(
        error.to_string().contains("broke off after 30000 bytes"),
        "{error}"
    );
}

#[test]
fn a_registry_without_ranges_is_read_past_what_is_there() {
    let (store, blob, digest) = store();
    let cut = AtomicUsize::new(0);
    let server = Server::start(move |asked| {
        let mut asked = asked.clone();
        asked.headers.retain(|(name, _)| name != "range");
        let answer = store.answer(&asked);
        if asked.path().contains("/blobs/") && cut.fetch_add(1, Ordering::SeqCst) == 0 {
            return answer.ending(Ending::CutAfter(40_000));
        }
        answer
    });
    let (repository, _) = Setting::new().open(&image(&server)).unwrap();
    assert_eq!(read(&repository, &digest, blob.len() as u64).unwrap(), blob);
}

#[test]
fn another_range_than_asked_for_is_refused() {
    let (store, blob, digest) = store();
    let server = Server::start(move |asked| match asked.header("range") {
        Some(_) => Answer::new(206, vec![b'x'; 70_000]).header("Content-Range", "bytes 29999-99999/100000"),
        None if asked.path().contains("/blobs/") => store.answer(asked).ending(Ending::CutAfter(30_000)),
        None => store.answer(asked),
    });
    let (repository, _) = Setting::new().open(&image(&server)).unwrap();
    let error = read(&repository, &digest, blob.len() as u64).unwrap_err();
    assert!(error.to_string().contains("another part"), "{error}");
}

#[test]
fn manifests_must_have_the_digest_asked_for() {
    let wanted = digest(b"something else");
    let server = Server::start(|_| Answer::new(200, "{}"));
    let error = fails(
        &Setting::new(),
        &format!("{}/team/app@{wanted}", server.authority()),
    );
    assert_eq!(error.kind(), RemoteErrorKind::Invalid);
    assert!(
        error.to_string().contains(&format!("expected {wanted}")),
        "{error}"
    );
}

#[test]
fn manifests_must_have_the_digest_that_the_registry_states() {
    let stated = digest(b"something else");
    let server =
        Server::start(move |_| Answer::new(200, "{}").header("Docker-Content-Digest", stated.clone()));
    let error = fails(&Setting::new(), &image(&server));
    assert_eq!(error.kind(), RemoteErrorKind::Invalid);
}

#[test]
fn a_manifest_without_end_is_refused() {
    let server = Server::start(|_| Answer::new(200, vec![b' '; 1 << 16]).ending(Ending::Endless));
    let error = fails(&Setting::new(), &image(&server));
    assert_eq!(error.kind(), RemoteErrorKind::Invalid);
    assert!(error.to_string().contains("longer than 8388608 bytes"), "{error}");
}

#[test]
fn a_blob_without_end_ends_at_its_size() {
    let (store, ..) = store();
    let server = Server::start(move |asked| {
        if asked.path().contains("/blobs/") {
            return Answer::new(200, vec![b'x'; 1 << 12]).ending(Ending::Endless);
        }
        store.answer(asked)
    });
    let (repository, _) = Setting::new().open(&image(&server)).unwrap();
    let digest = digest(b"whatever").parse().unwrap();
    assert_eq!(read(&repository, &digest, 5_000).unwrap(), vec![b'x'; 5_000]);
}

#[test]
fn a_blob_of_another_length_is_refused_before_it_is_read() {
    let (store, blob, digest) = store();
    let server = Server::start(move |asked| store.answer(asked));
    let (repository, _) = Setting::new().open(&image(&server)).unwrap();
    let error = read(&repository, &digest, blob.len() as u64 + 1).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("is 100000 bytes long at the registry, 100001 were expected"),
        "{error}"
    );
}

/// A registry whose blobs are elsewhere, and which wants alice's password.
fn redirecting(location: impl Fn(&Asked) -> String + Send + Sync + 'static) -> Server {
    let (store, ..) = store();
    Server::start(move |asked| {
        let known = asked.header("authorization").is_some();
        if known && asked.path().contains("/blobs/") {
            return Answer::new(307, "").header("Location", location(asked));
        }
        wants_basic(asked, "Basic YWxpY2U6c2VjcmV0", &store)
    })
}

#[test]
fn redirects_to_another_host_carry_no_credentials() {
    let (store, blob, digest) = store();
    let elsewhere = Server::start(move |asked| store.answer(asked));
    let target = elsewhere.authority();
    let server = redirecting(move |asked| format!("http://{target}{}?signature=1", asked.path()));
    let (repository, _) = Setting::login("alice", "secret").open(&image(&server)).unwrap();
    assert_eq!(read(&repository, &digest, blob.len() as u64).unwrap(), blob);
    let requests = elsewhere.requests();
    assert_eq!(requests.len(), 1);
    assert!(requests[0].target.ends_with("?signature=1"));
    assert!(requests[0].header("authorization").is_none());
    let last = server.requests().pop().unwrap();
    assert!(last.header("authorization").is_some());
}

#[test]
fn redirects_are_counted() {
    let server = redirecting(|asked| format!("{}x", asked.target));
    let (repository, _) = Setting::login("alice", "secret").open(&image(&server)).unwrap();
    let digest = digest(b"x").parse().unwrap();
    let error = read(&repository, &digest, 1).unwrap_err();
    assert!(
        error.to_string().contains("redirects more than 5 times"),
        "{error}"
    );
}

#[test]
fn redirects_are_made_absolute_and_stay_encrypted() {
    let from = "https://r.example:5000/v2/a/blobs/sha256:1?x=y";
    for (location, expected) in [
        ("https://cdn.example/b", Some("https://cdn.example/b")),
        ("//cdn.example/b", Some("https://cdn.example/b")),
        ("/b?c", Some("https://r.example:5000/b?c")),
        ("b", Some("https://r.example:5000/v2/a/blobs/b")),
        ("http://cdn.example/b", None),
        ("file:///etc/passwd", None),
        ("ftp://cdn.example/b", None),
    ] {
        assert_eq!(
            redirected(from, location, false).ok().as_deref(),
            expected,
            "{location}"
        );
    }
    assert!(redirected(from, "http://cdn.example/b", true).is_ok());
}

#[test]
fn a_public_registry_may_not_lead_to_local_addresses() {
    let (store, ..) = store();
    let digest: Digest = digest(b"x").parse().unwrap();
    let inside = Server::start(|_| Answer::new(200, "the inside"));
    let port = inside.address().port();
    for target in [
        format!("http://127.0.0.1:{port}/secret"),
        format!("http://localhost:{port}/secret"),
        format!("http://[::1]:{port}/secret"),
        format!("http://[::ffff:127.0.0.1]:{port}/secret"),
        format!("http://169.254.169.254:{port}/latest/meta-data"),
        format!("http://2130706433:{port}/secret"),
        format!("http://rebound.example:{port}/secret"),
    ] {
        let (location, store) = (target.clone(), store.clone());
        let server = Server::start(move |asked| {
            if asked.path().contains("/blobs/") {
                return Answer::new(307, "").header("Location", location.clone());
            }
            store.answer(asked)
        });
        let mut setting = Setting::public(&server);
        setting.host("rebound.example", inside.address(), false);
        let (repository, _) = setting
            .open(&format!(
                "registry.example:{}/team/app:1",
                server.address().port()
            ))
            .unwrap();
        let error = read(&repository, &digest, 10).unwrap_err();
        assert!(error.to_string().contains("local address"), "{target}: {error}");
    }
    assert!(inside.requests().is_empty(), "{:?}", inside.requests());
}

#[test]
fn a_public_registry_may_lead_to_public_hosts() {
    let (store, blob, digest) = store();
    let elsewhere = Server::start({
        let store = store.clone();
        move |asked| store.answer(asked)
    });
    let location = format!("http://cdn.example:{}", elsewhere.address().port());
    let server = Server::start(move |asked| {
        if asked.path().contains("/blobs/") {
            return Answer::new(307, "").header("Location", format!("{location}{}", asked.path()));
        }
        store.answer(asked)
    });
    let mut setting = Setting::public(&server);
    setting.host("cdn.example", elsewhere.address(), true);
    let (repository, _) = setting
        .open(&format!(
            "registry.example:{}/team/app:1",
            server.address().port()
        ))
        .unwrap();
    assert_eq!(read(&repository, &digest, blob.len() as u64).unwrap(), blob);
}

#[test]
fn a_public_registry_may_not_name_a_local_token_server() {
    let inside = Server::start(|_| Answer::new(200, r#"{"token":"t"}"#));
    let realm = format!("http://{}/token", inside.authority());
    let server = Server::start(move |_| {
        Answer::new(401, "{}").header("WWW-Authenticate", format!(r#"Bearer realm="{realm}""#))
    });
    let error = fails(
        &Setting::public(&server),
        &format!("registry.example:{}/team/app:1", server.address().port()),
    );
    assert!(error.to_string().contains("local address"), "{error}");
    assert!(inside.requests().is_empty());
}

#[test]
fn requests_go_through_the_proxy() {
    let (store, blob, digest) = store();
    let server = Server::start(move |asked| store.answer(asked));
    let target = server.address();
    let proxy = Server::start(move |asked| {
        if asked.target.starts_with("registry.example:80") && asked.header("proxy-authorization").is_some() {
            Answer::new(200, "").ending(Ending::Tunnel(target))
        } else {
            Answer::new(403, "")
        }
    });
    let mut setting = Setting::new();
    setting.options.insecure = true;
    setting.options.proxies = Proxies::plain(&format!("http://user:pw@{}", proxy.authority()));
    let (repository, _) = setting.open("registry.example/team/app:1").unwrap();
    assert_eq!(read(&repository, &digest, blob.len() as u64).unwrap(), blob);
    let asked: Vec<String> = proxy
        .requests()
        .iter()
        .map(|request| request.method.clone())
        .collect();
    assert!(asked.iter().all(|method| method == "CONNECT"), "{asked:?}");
    let error = fails(&setting, "elsewhere.example/team/app:1");
    assert!(error.to_string().contains("proxy"), "{error}");
    assert!(!format!("{error:?}").contains("pw"), "{error:?}");
}

#[test]
fn offline_asks_nobody() {
    let server = Server::start(|_| Answer::new(200, "{}"));
    let mut setting = Setting::new();
    setting.options.offline = true;
    let error = fails(&setting, &image(&server));
    assert_eq!(error.kind(), RemoteErrorKind::Offline);
    assert!(server.requests().is_empty());
}
