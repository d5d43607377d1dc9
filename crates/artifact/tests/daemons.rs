//! Against the real ones: Docker, Podman, containerd and the distribution registry, where those programs are installed. Each test
//! starts its own daemon in a temporary folder, and says why when it skips.
#![cfg(target_os = "linux")]
#![allow(
    clippy::disallowed_methods,
    reason = "the tests start daemons and write their configuration"
)]
#![allow(clippy::print_stderr, reason = "a skipped test says so")]
#![allow(clippy::unwrap_used, reason = "a failing helper should panic")]

use artifact::{ImageInfo, LayerVisitor, OpenOptions, Opened, Secret, TargetSpec};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use model::{Content, Entry};
use std::io::Write;
use std::net::TcpListener;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant, SystemTime};
use testkit::family::test_data;
use testkit::http::{Answer, Server};

/// How long a daemon may take to come up.
const START_LIMIT: Duration = Duration::from_secs(20);
/// The image of `images/docker-archive/alpine-310.tar.gz`.
const ALPINE_310_ID: &str = "sha256:af341ccd2df8b0e2d67cf8dd32e087bfda4e5756ebd1c76bbf3efa0dc246590e";

/// A program that ends with the test.
struct Process {
    child: Child,
    /// A file with the process id of a program that this one started and may leave behind.
    left_behind: Option<PathBuf>,
}

impl Process {
    fn start(program: &str, arguments: &[&str], log: &Path) -> Self {
        let log = std::fs::File::create(log).unwrap();
        let child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        Self {
            child,
            left_behind: None,
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(run("kill", &["-TERM", &self.child.id().to_string()]));
        if !within(Duration::from_secs(15), || {
            matches!(self.child.try_wait(), Ok(Some(_)))
        }) {
            drop(self.child.kill());
            drop(self.child.wait());
            if let Some(id) = self
                .left_behind
                .as_ref()
                .and_then(|path| std::fs::read_to_string(path).ok())
            {
                drop(run("kill", &["-KILL", id.trim()]));
            }
        }
    }
}

/// Asks until the answer is yes or the time is up.
fn within(limit: Duration, mut done: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + limit;
    loop {
        if done() {
            return true;
        }
        if Instant::now() >= deadline {
            return false;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn run(program: &str, arguments: &[&str]) -> std::io::Result<Output> {
    Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
}

/// Runs a program that must succeed; its standard output.
fn must(program: &str, arguments: &[&str]) -> Vec<u8> {
    let output = run(program, arguments).unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {errors}");
    output.stdout
}

/// True when all programs are on PATH; else says which one is missing.
fn installed(programs: &[&str]) -> bool {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    for program in programs {
        if !std::env::split_paths(&folders).any(|folder| folder.join(program).is_file()) {
            eprintln!("skipped: {program} is not installed");
            return false;
        }
    }
    true
}

fn is_root() -> bool {
    let root = std::fs::metadata("/proc/self").unwrap().uid() == 0;
    if !root {
        eprintln!("skipped: the daemon needs root");
    }
    root
}

/// Says that a daemon did not come up, and its last words.
fn skip_without(program: &str, log: &Path) {
    let log = std::fs::read_to_string(log).unwrap();
    eprintln!(
        "skipped: {program} does not come up: {}",
        log.lines().last().unwrap_or_default()
    );
}

/// Everything that a pull shows of an image's content.
#[derive(Debug, Default, PartialEq, Eq)]
struct Seen {
    /// Paths of all layers, in their order.
    paths: Vec<String>,
    /// `etc/alpine-release`
    release: String,
}

impl LayerVisitor for Seen {
    fn wants(&mut self, entry: &Entry<'_>) -> bool {
        self.paths.push(entry.path.to_owned());
        entry.path == "etc/alpine-release"
    }

    fn file(&mut self, _entry: &Entry<'_>, mut content: Box<dyn Content>) {
        self.release = String::from_utf8_lossy(&content.bytes(100).unwrap())
            .trim()
            .to_owned();
    }
}

fn look(target: &TargetSpec, options: &OpenOptions) -> (ImageInfo, Seen) {
    let opened = artifact::open(target, options).unwrap_or_else(|error| panic!("{}", error.chain()));
    // A compressed archive is read once, which tells what it is and what it holds.
    let (image, walked) = match opened {
        Opened::Image(image) => {
            let layers: Vec<u32> = (0..u32::try_from(image.info.layers.len()).unwrap()).collect();
            let walked = image.walk(&layers, 2, &Seen::default);
            (image, walked)
        }
        Opened::Unread(unread) => unread
            .walk(&Seen::default)
            .unwrap_or_else(|error| panic!("{}", error.chain())),
        _ => panic!("{target:?} is no image"),
    };
    let mut seen = Seen::default();
    for walked in walked {
        assert_eq!(walked.problems, [], "layer {}", walked.index);
        assert!(walked.complete, "layer {}", walked.index);
        seen.paths.extend(walked.visitor.paths);
        seen.release.push_str(&walked.visitor.release);
    }
    (image.info.clone(), seen)
}

fn failure(target: &TargetSpec, options: &OpenOptions) -> artifact::ArtifactError {
    artifact::open(target, options)
        .err()
        .expect("opening should fail")
}

/// The archive that the daemons are filled from, and what is in it.
fn expected(data: &Path) -> (PathBuf, ImageInfo, Seen) {
    let archive = data.join("images/docker-archive/alpine-310.tar.gz");
    let (info, seen) = look(&TargetSpec::Archive(archive.clone()), &OpenOptions::default());
    assert_eq!(info.image_id.as_ref().unwrap().to_string(), ALPINE_310_ID);
    assert!(seen.paths.len() > 400, "{} entries", seen.paths.len());
    assert!(seen.release.starts_with("3.10."), "{}", seen.release);
    (archive, info, seen)
}

/// The archive without its compression, which `ctr` and `skopeo` do not read.
fn unpacked(folder: &Path, archive: &Path) -> String {
    let plain = folder.join("alpine.tar");
    std::fs::write(&plain, must("gzip", &["-dc", archive.to_str().unwrap()])).unwrap();
    plain.display().to_string()
}

/// The same image by another way.
fn assert_same(found: &(ImageInfo, Seen), archived: &(ImageInfo, Seen), name: &str) {
    let layers = |info: &ImageInfo| -> Vec<(String, Option<String>)> {
        info.layers
            .iter()
            .map(|layer| (layer.diff_id.to_string(), layer.instruction.clone()))
            .collect()
    };
    assert_eq!(found.0.image_id, archived.0.image_id, "{name}");
    assert_eq!(layers(&found.0), layers(&archived.0), "{name}");
    assert_eq!(found.0.platform, archived.0.platform, "{name}");
    assert_eq!(found.1, archived.1, "{name}");
}

#[test]
fn docker() {
    let Some(data) = test_data() else { return };
    if !is_root() || !installed(&["dockerd", "docker"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let host = format!("unix://{}", path("docker.sock"));
    let log = folder.path().join("dockerd.log");
    let mut daemon = Process::start(
        "dockerd",
        &[
            "--data-root",
            &path("data"),
            "--exec-root",
            &path("exec"),
            "--host",
            &host,
            "--pidfile",
            &path("docker.pid"),
            "--bridge=none",
            "--iptables=false",
            "--storage-driver=vfs",
        ],
        &log,
    );
    daemon.left_behind = Some(folder.path().join("exec/containerd/containerd.pid"));
    let answers = || run("docker", &["--host", &host, "version"]).is_ok_and(|output| output.status.success());
    if !within(START_LIMIT, answers) {
        return skip_without("dockerd", &log);
    }
    let (archive, info, seen) = expected(&data);
    let archived = (info, seen);
    let rootfs = data.join("images/alpine-minirootfs-3.20.3-x86_64.tar.gz");
    let imported = "localhost:5000/hullward/alpine:3.20";
    must(
        "docker",
        &["--host", &host, "load", "--input", archive.to_str().unwrap()],
    );
    must(
        "docker",
        &[
            "--host",
            &host,
            "import",
            "--change",
            "LABEL purpose=test",
            rootfs.to_str().unwrap(),
            imported,
        ],
    );
    // A local socket is no network.
    let options = OpenOptions {
        docker_host: Some(host.clone()),
        offline: true,
        ..OpenOptions::default()
    };

    for name in [
        "alpine:3.10",
        "docker.io/library/alpine:3.10",
        ALPINE_310_ID,
        "af341ccd2df8",
    ] {
        let found = look(&TargetSpec::Docker(name.to_owned()), &options);
        assert_same(&found, &archived, name);
        assert_eq!(found.0.references, ["alpine:3.10"], "{name}");
    }
    // A bare name is looked for in Docker first.
    let (info, seen) = look(&TargetSpec::Image(imported.to_owned()), &options);
    assert_eq!(seen.release, "3.20.3");
    assert_eq!(info.labels, [("purpose".to_owned(), "test".to_owned())]);

    let missing = failure(&TargetSpec::Docker("alpine:3.99".to_owned()), &options);
    assert!(missing.is_not_found(), "{missing}");
    let other = OpenOptions {
        platform: Some("linux/arm64".to_owned()),
        ..options.clone()
    };
    let error = failure(&TargetSpec::Docker("alpine:3.10".to_owned()), &other);
    assert!(error.to_string().contains("linux/amd64"), "{error}");
}

#[test]
fn podman() {
    let Some(data) = test_data() else { return };
    if !is_root() || !installed(&["podman", "gzip"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (store, state, temporary) = (path("store"), path("state"), path("temporary"));
    let own_folders = ["--root", &store, "--runroot", &state, "--tmpdir", &temporary];
    let own = [
        &own_folders[..],
        &[
            "--storage-driver=vfs",
            "--cgroup-manager=cgroupfs",
            "--events-backend=file",
        ],
    ]
    .concat();
    let (archive, info, seen) = expected(&data);
    let archived = (info, seen);
    let plain = unpacked(folder.path(), &archive);
    let loaded = run("podman", &[&own[..], &["load", "--input", &plain]].concat()).unwrap();
    if !loaded.status.success() {
        eprintln!(
            "skipped: podman does not work here: {}",
            String::from_utf8_lossy(&loaded.stderr)
        );
        return;
    }
    let socket = path("podman.sock");
    let address = format!("unix://{socket}");
    let log = folder.path().join("podman.log");
    let service = [&own[..], &["system", "service", "--time", "0", &address]].concat();
    let _service = Process::start("podman", &service, &log);
    if !within(START_LIMIT, || {
        std::os::unix::net::UnixStream::connect(&socket).is_ok()
    }) {
        return skip_without("podman", &log);
    }
    let options = OpenOptions {
        docker_host: Some(address),
        offline: true,
        ..OpenOptions::default()
    };
    for name in ["alpine:3.10", "localhost/alpine:3.10", "af341ccd2df8"] {
        let found = look(&TargetSpec::Podman(name.to_owned()), &options);
        assert_same(&found, &archived, name);
    }
    let missing = failure(&TargetSpec::Podman("alpine:3.99".to_owned()), &options);
    assert!(missing.is_not_found(), "{missing}");
}

#[test]
fn containerd() {
    let Some(data) = test_data() else { return };
    if !is_root() || !installed(&["containerd", "ctr", "gzip"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let socket = path("containerd.sock");
    let configuration = format!(
        "version = 2\nroot = \"{}\"\nstate = \"{}\"\ndisabled_plugins = [\"io.containerd.grpc.v1.cri\"]\n\
         [grpc]\naddress = \"{socket}\"\n",
        path("root"),
        path("state"),
    );
    std::fs::write(path("config.toml"), configuration).unwrap();
    let log = folder.path().join("containerd.log");
    let _daemon = Process::start("containerd", &["--config", &path("config.toml")], &log);
    let answers =
        || run("ctr", &["--address", &socket, "version"]).is_ok_and(|output| output.status.success());
    if !within(START_LIMIT, answers) {
        return skip_without("containerd", &log);
    }
    let (archive, info, seen) = expected(&data);
    let archived = (info, seen);
    let plain = unpacked(folder.path(), &archive);
    let import = |namespace: &str, more: &[&str]| {
        let start = [
            "--address",
            &socket,
            "--namespace",
            namespace,
            "images",
            "import",
            "--no-unpack",
        ];
        must("ctr", &[&start[..], more, &[&plain]].concat());
    };
    import("k8s.io", &["--compress-blobs"]);
    import("elsewhere", &[]);
    let options = OpenOptions {
        containerd_address: Some(socket.clone()),
        offline: true,
        ..OpenOptions::default()
    };
    let in_namespace = |namespace: &str| OpenOptions {
        containerd_namespace: Some(namespace.to_owned()),
        ..options.clone()
    };

    let name = "alpine:3.10";
    assert_same(
        &look(&TargetSpec::Containerd(name.to_owned()), &options),
        &archived,
        "k8s.io is searched",
    );
    let full = TargetSpec::Containerd("docker.io/library/alpine:3.10".to_owned());
    assert_same(
        &look(&full, &in_namespace("elsewhere")),
        &archived,
        "a namespace that was named",
    );

    let missing = failure(&TargetSpec::Containerd("alpine:3.99".to_owned()), &options);
    assert!(missing.is_not_found(), "{missing}");
    assert!(missing.to_string().contains("default, k8s.io, moby"), "{missing}");
    assert!(failure(&full, &in_namespace("default")).is_not_found());
}

/// A `docker-registry` on a free port, over a folder that several of them share.
struct Registry {
    _process: Process,
    authority: String,
}

impl Registry {
    fn start(folder: &Path, name: &str, auth: &str, http: &str) -> Option<Self> {
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let authority = format!("127.0.0.1:{port}");
        let configuration = format!(
            "version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: {}\n{auth}http:\n  addr: {authority}\n{http}",
            folder.join("store").display()
        );
        let file = folder.join(format!("{name}.yml"));
        std::fs::write(&file, configuration).unwrap();
        let log = folder.join(format!("{name}.log"));
        let process = Process::start("docker-registry", &["serve", file.to_str().unwrap()], &log);
        if !within(START_LIMIT, || std::net::TcpStream::connect(&authority).is_ok()) {
            skip_without("docker-registry", &log);
            return None;
        }
        Some(Self {
            _process: process,
            authority,
        })
    }

    /// One without access control that holds the archive's image; others may serve the same store.
    fn filled(folder: &Path, archive: &Path) -> Option<Self> {
        let registry = Self::start(folder, "open", "", "")?;
        must(
            "skopeo",
            &[
                "--insecure-policy",
                "copy",
                "--dest-tls-verify=false",
                &format!("docker-archive:{}", unpacked(folder, archive)),
                &format!("docker://{}/team/alpine:3.10", registry.authority),
            ],
        );
        Some(registry)
    }

    fn image(&self) -> TargetSpec {
        TargetSpec::Registry(format!("{}/team/alpine:3.10", self.authority))
    }

    /// Pulls by tag, then by digest.
    fn check(&self, options: &OpenOptions, archived: &(ImageInfo, Seen)) {
        let found = look(&self.image(), options);
        assert_same(&found, archived, "by tag");
        let digest = found.0.digest.unwrap();
        // The tag is for the reader: the digest decides.
        let name = format!("{}/team/alpine:any@{digest}", self.authority);
        let found = look(&TargetSpec::Registry(name), options);
        assert_same(&found, archived, "by digest");
        assert_eq!(found.0.digest, Some(digest));
    }
}

/// One test with registries at a time: a port that was found free for one could be taken by another before it listens.
fn turn() -> std::sync::MutexGuard<'static, ()> {
    static TURN: std::sync::Mutex<()> = std::sync::Mutex::new(());
    TURN.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn login(username: &str, password: &str) -> OpenOptions {
    OpenOptions {
        credentials: Some((username.to_owned(), Secret::new(password))),
        ..OpenOptions::default()
    }
}

#[test]
fn registry_without_and_with_a_password() {
    let _turn = turn();
    let Some(data) = test_data() else { return };
    if !installed(&["docker-registry", "skopeo", "gzip", "htpasswd"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (archive, info, seen) = expected(&data);
    let archived = (info, seen);
    let Some(open) = Registry::filled(folder.path(), &archive) else {
        return;
    };
    open.check(&OpenOptions::default(), &archived);
    let unknown = TargetSpec::Registry(format!("{}/team/alpine:3.99", open.authority));
    let missing = failure(&unknown, &OpenOptions::default());
    assert!(missing.is_not_found(), "{missing}");
    let offline = failure(
        &open.image(),
        &OpenOptions {
            offline: true,
            ..OpenOptions::default()
        },
    );
    assert!(offline.to_string().contains("switched off"), "{offline}");

    let file = folder.path().join("htpasswd");
    std::fs::write(&file, must("htpasswd", &["-Bbn", "alice", "a secret"])).unwrap();
    let auth = format!(
        "auth:\n  htpasswd:\n    realm: test\n    path: {}\n",
        file.display()
    );
    let Some(closed) = Registry::start(folder.path(), "basic", &auth, "") else {
        return;
    };
    closed.check(&login("alice", "a secret"), &archived);
    let refused = failure(&closed.image(), &login("alice", "a guess"));
    assert!(refused.to_string().contains("credentials"), "{refused}");
    assert!(!format!("{refused:?}").contains("a guess"), "{refused:?}");
    let anonymous = failure(&closed.image(), &OpenOptions::default());
    assert!(
        anonymous.hint().is_some_and(|hint| hint.contains("docker login")),
        "{anonymous}"
    );
}

/// Signs with RSA and SHA-256.
fn sign(key: &Path, text: &str) -> Vec<u8> {
    let mut child = Command::new("openssl")
        .args(["dgst", "-sha256", "-sign", key.to_str().unwrap()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    child.wait_with_output().unwrap().stdout
}

#[test]
fn registry_with_tokens() {
    let _turn = turn();
    let Some(data) = test_data() else { return };
    if !installed(&["docker-registry", "skopeo", "gzip", "openssl"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (key, certificate) = (path("key.pem"), path("cert.pem"));
    let request = [
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=token server",
    ];
    must(
        "openssl",
        &[&request[..], &["-keyout", &key, "-out", &certificate]].concat(),
    );
    let encoded = STANDARD.encode(must("openssl", &["x509", "-in", &certificate, "-outform", "DER"]));
    let key = PathBuf::from(key);
    let tokens = Server::start(move |asked| {
        // alice:secret
        if asked.header("authorization") != Some("Basic YWxpY2U6c2VjcmV0") {
            return Answer::new(401, r#"{"errors":[{"code":"UNAUTHORIZED"}]}"#);
        }
        let now = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap()
            .as_secs();
        let header = format!(r#"{{"typ":"JWT","alg":"RS256","x5c":["{encoded}"]}}"#);
        let claims = format!(
            r#"{{"iss":"tokens","sub":"alice","aud":"registry","exp":{},"nbf":{},"iat":{now},"jti":"1","access":[{{"type":"repository","name":"team/alpine","actions":["pull"]}}]}}"#,
            now + 300,
            now - 10
        );
        let signed = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(header),
            URL_SAFE_NO_PAD.encode(claims)
        );
        let signature = URL_SAFE_NO_PAD.encode(sign(&key, &signed));
        Answer::new(200, format!(r#"{{"token":"{signed}.{signature}"}}"#))
    });
    let auth = format!(
        "auth:\n  token:\n    realm: http://{}/token\n    service: registry\n    issuer: tokens\n    rootcertbundle: {certificate}\n",
        tokens.authority(),
    );
    let (archive, info, seen) = expected(&data);
    let Some(_open) = Registry::filled(folder.path(), &archive) else {
        return;
    };
    let Some(closed) = Registry::start(folder.path(), "token", &auth, "") else {
        return;
    };
    closed.check(&login("alice", "secret"), &(info, seen));
    for request in tokens.requests() {
        assert!(request.target.contains("service=registry"), "{}", request.target);
        assert!(
            request.target.contains("scope=repository%3Ateam%2Falpine%3Apull"),
            "{}",
            request.target
        );
    }
    let refused = failure(&closed.image(), &login("alice", "guess"));
    assert!(refused.to_string().contains("token server"), "{refused}");
    let anonymous = failure(&closed.image(), &OpenOptions::default());
    assert!(anonymous.to_string().contains("credentials"), "{anonymous}");
}

#[test]
fn registry_with_its_own_certificate_authority() {
    let _turn = turn();
    let Some(data) = test_data() else { return };
    if !installed(&["docker-registry", "skopeo", "gzip", "openssl"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let [authority_key, authority, key, request, names, certificate] =
        ["ca.key", "ca.pem", "key.pem", "request.pem", "names", "cert.pem"].map(path);
    let fresh_key = ["-newkey", "rsa:2048", "-nodes", "-keyout"];
    let start = ["req", "-x509", "-days", "2", "-subj", "/CN=test authority"];
    must(
        "openssl",
        &[&start[..], &fresh_key, &[&authority_key, "-out", &authority]].concat(),
    );
    must(
        "openssl",
        &[
            &["req", "-subj", "/CN=registry"][..],
            &fresh_key,
            &[&key, "-out", &request],
        ]
        .concat(),
    );
    std::fs::write(&names, "subjectAltName=IP:127.0.0.1\n").unwrap();
    let signing = [
        "x509",
        "-req",
        "-days",
        "2",
        "-CAcreateserial",
        "-CA",
        &authority,
        "-CAkey",
        &authority_key,
    ];
    let files = ["-extfile", &names, "-in", &request, "-out", &certificate];
    must("openssl", &[&signing[..], &files].concat());

    let (archive, info, seen) = expected(&data);
    let archived = (info, seen);
    let Some(_open) = Registry::filled(folder.path(), &archive) else {
        return;
    };
    let tls = format!("  tls:\n    certificate: {certificate}\n    key: {key}\n");
    let Some(encrypted) = Registry::start(folder.path(), "tls", "", &tls) else {
        return;
    };
    let unknown = failure(&encrypted.image(), &OpenOptions::default());
    assert!(unknown.to_string().contains("certificate"), "{unknown}");
    assert!(
        unknown.hint().is_some_and(|hint| hint.contains("--ca-file")),
        "{unknown}"
    );
    let trusting = |file: &str| OpenOptions {
        ca_file: Some(PathBuf::from(file)),
        ..OpenOptions::default()
    };
    encrypted.check(&trusting(&authority), &archived);
    encrypted.check(
        &OpenOptions {
            insecure: true,
            ..OpenOptions::default()
        },
        &archived,
    );
    let error = failure(&encrypted.image(), &trusting(&names));
    assert!(error.to_string().contains("holds no certificate"), "{error}");
}
