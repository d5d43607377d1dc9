//! What is gathered of containers, from files and sockets made by the tests.
#![allow(clippy::disallowed_methods, reason = "the tests make what is read")]

use super::*;
use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::atomic::AtomicUsize;
use std::sync::mpsc::{Sender, channel};
use std::thread;

const ID: &str = "3ad7b26ded6d2a5b2d5b8a1d1a0a4dd8b9a8c5c2d7d3a6e1f0b4c8d2e6f7a9b1";

fn write(root: &Path, path: &str, content: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

fn options(root: &Path) -> ContainerOptions {
    ContainerOptions {
        root: root.to_owned(),
        attempts: vec![Duration::ZERO],
        ..ContainerOptions::default()
    }
}

fn far() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

#[test]
fn docker_by_its_files() {
    let root = tempfile::tempdir().unwrap();
    let folder = format!("var/lib/docker/containers/{ID}");
    write(
        root.path(),
        &format!("{folder}/config.v2.json"),
        &format!(
            r#"{{
        "ID": "{ID}", "Name": "/web", "Created": "2024-01-02T03:04:05.5Z", "Image": "sha256:abcd",
        "State": {{"StartedAt": "2024-01-02T03:04:06Z"}},
        "Config": {{"Image": "registry.example/shop/web:1.2", "User": "www", "Env": ["A=b"], "Labels": {{"tier": "front"}},
                    "Healthcheck": {{"Test": ["CMD-SHELL", "true"]}}}},
        "NetworkSettings": {{"Networks": {{"bridge": {{"IPAddress": "172.17.0.2"}}}}}},
        "MountPoints": {{"/host": {{"Source": "/", "Destination": "/host", "RW": true, "Propagation": "rprivate"}}}}}}"#
        ),
    );
    write(
        root.path(),
        &format!("{folder}/hostconfig.json"),
        r#"{"Privileged": true, "PidMode": "host"}"#,
    );
    write(
        root.path(),
        "var/lib/docker/image/overlay2/repositories.json",
        r#"{"Repositories": {"web": {"web:1.2": "sha256:abcd", "web@sha256:ff": "sha256:abcd"}}}"#,
    );
    let containers = Containers::start(options(root.path())).unwrap();
    let cell = containers.of_path(format!("/docker/{ID}").as_bytes()).unwrap();
    assert!(cell.wait(far()));
    let info = cell.info().unwrap();
    assert_eq!(
        (
            cell.id(),
            info.name.as_str(),
            info.repository.as_str(),
            info.tag.as_str()
        ),
        ("3ad7b26ded6d", "web", "registry.example/shop/web", "1.2")
    );
    assert_eq!(
        (info.privileged, info.host_pid, info.host_network),
        (Some(true), true, false)
    );
    assert_eq!(
        (info.digest.as_str(), info.image_id.as_str(), info.user.as_str()),
        ("sha256:ff", "abcd", "www")
    );
    assert_eq!(info.created, Some(1_704_164_645_500_000_000));
    assert_eq!(info.ip.as_deref(), Some("172.17.0.2"));
    assert_eq!(info.mounts[0].source, "/");
    assert_eq!(info.labels["tier"], "front");
    assert_eq!(info.healthcheck.as_ref().unwrap()[1], "true");
    assert_eq!(containers.statistics().found, 1);
    assert!(Arc::ptr_eq(
        &cell,
        &containers.of_path(format!("/docker/{ID}/x").as_bytes()).unwrap()
    ));
}

#[test]
fn pod_of_containerd_by_its_bundle() {
    let root = tempfile::tempdir().unwrap();
    write(
        root.path(),
        &format!("run/containerd/io.containerd.runtime.v2.task/k8s.io/{ID}/config.json"),
        r#"{
        "annotations": {"io.kubernetes.cri.container-name": "app", "io.kubernetes.cri.image-name": "docker.io/library/redis:7",
          "io.kubernetes.cri.sandbox-name": "cart-0", "io.kubernetes.cri.sandbox-namespace": "shop",
          "io.kubernetes.cri.sandbox-uid": "1b2c3d4e-0a0b-4c0d-8e0f-1a2b3c4d5e6f", "io.kubernetes.cri.sandbox-id": "5678",
          "io.kubernetes.cri.container-type": "container"},
        "process": {"env": ["A=b"], "user": {"uid": 999}, "capabilities": {"bounding": ["CAP_KILL"]}},
        "mounts": [{"destination": "/data", "source": "/srv/data", "options": ["rbind", "ro", "rslave"]}],
        "linux": {"namespaces": [{"type": "pid"}, {"type": "ipc", "path": "/proc/77/ns/ipc"},
            {"type": "uts", "path": "/proc/77/ns/uts"}], "maskedPaths": ["/proc/kcore"]}}"#,
    );
    for (process, namespace) in [("1", "ipc:[4026531839]"), ("77", "ipc:[4026531839]")] {
        let folder = root.path().join("proc").join(process).join("ns");
        fs::create_dir_all(&folder).unwrap();
        std::os::unix::fs::symlink(namespace, folder.join("ipc")).unwrap();
    }
    let containers = Containers::start(options(root.path())).unwrap();
    let path = format!("/kubepods/burstable/pod1b2c3d4e-0a0b-4c0d-8e0f-1a2b3c4d5e6f/{ID}");
    let cell = containers.of_path(path.as_bytes()).unwrap();
    assert!(cell.wait(far()));
    let info = cell.info().unwrap();
    let pod = info.pod.as_ref().unwrap();
    assert_eq!(
        (pod.name.as_str(), pod.namespace.as_str(), pod.sandbox_id.as_str()),
        ("cart-0", "shop", "5678")
    );
    assert_eq!(
        (info.name.as_str(), info.repository.as_str(), info.privileged),
        ("app", "docker.io/library/redis", Some(false))
    );
    // The namespace of the sandbox is joined, which is the host's.
    assert_eq!(
        (info.host_pid, info.host_network, info.host_ipc),
        (false, true, true)
    );
    assert_eq!(
        (info.mounts[0].writable, info.mounts[0].propagation.as_str()),
        (false, "rslave")
    );
}

#[test]
fn podman_by_its_storage() {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), "etc/passwd", "ann:x:1000:1000::/home/ann:/bin/sh\n");
    let storage = "home/ann/.local/share/containers/storage/overlay-containers";
    write(
        root.path(),
        &format!("{storage}/containers.json"),
        &format!(
            r#"[{{"id": "{ID}", "names": ["busy"], "image": "cafe", "created": "2024-01-02T03:04:05Z", "metadata": "{{\"image-name\":\"docker.io/library/busybox:latest\"}}"}}]"#
        ),
    );
    write(
        root.path(),
        &format!("{storage}/{ID}/userdata/config.json"),
        r#"{"process": {"user": {"uid": 0}}, "linux": {}}"#,
    );
    let containers = Containers::start(options(root.path())).unwrap();
    let path =
        format!("/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-{ID}.scope/container");
    let cell = containers.of_path(path.as_bytes()).unwrap();
    assert!(cell.wait(far()));
    let info = cell.info().unwrap();
    assert_eq!(
        (
            info.name.as_str(),
            info.image.as_str(),
            info.image_id.as_str(),
            info.user.as_str()
        ),
        ("busy", "docker.io/library/busybox:latest", "cafe", "0")
    );
}

#[test]
fn plain_runc_by_its_state() {
    let root = tempfile::tempdir().unwrap();
    write(
        root.path(),
        "run/runc/job-7/state.json",
        r#"{"created": "2024-01-02T03:04:05Z", "config": {"labels": ["bundle=/srv/job"]}}"#,
    );
    write(
        root.path(),
        "srv/job/config.json",
        r#"{"annotations": {"org.opencontainers.image.ref.name": "job:3"}, "process": {"user": {"uid": 0}}}"#,
    );
    let containers = Containers::start(options(root.path())).unwrap();
    let cell = containers.of_path(b"/user.slice/job-7").unwrap();
    assert!(cell.wait(far()));
    assert_eq!(cell.id(), "job-7");
    assert_eq!(cell.info().unwrap().repository, "job");
    assert!(containers.of_path(b"/user.slice/other").is_none());
    assert!(containers.of_path(b"/user.slice/..").is_none());
}

#[test]
fn docker_by_its_socket() {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir(root.path().join("run")).unwrap();
    let listener = UnixListener::bind(root.path().join("run/docker.sock")).unwrap();
    let server = thread::spawn(move || {
        let mut asked = Vec::new();
        for answer in [
            format!(
                r#"{{"Id":"{ID}","Name":"/api","Image":"sha256:abcd","Config":{{"Image":"abcd"}},"HostConfig":{{"Privileged":false}}}}"#
            ),
            r#"{"RepoTags":["api:2"],"RepoDigests":["api@sha256:12"]}"#.to_owned(),
        ] {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 4096];
            let count = stream.read(&mut request).unwrap();
            asked.push(
                String::from_utf8_lossy(&request[..count])
                    .lines()
                    .next()
                    .unwrap()
                    .to_owned(),
            );
            write!(
                stream,
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{answer}\r\n0\r\n\r\n",
                answer.len()
            )
            .unwrap();
        }
        asked
    });
    let containers = Containers::start(options(root.path())).unwrap();
    let cell = containers.of_path(format!("/docker/{ID}").as_bytes()).unwrap();
    assert!(cell.wait(far()));
    let info = cell.info().unwrap();
    assert_eq!(
        (info.name.as_str(), info.image.as_str(), info.digest.as_str()),
        ("api", "api:2", "sha256:12")
    );
    assert_eq!(
        server.join().unwrap(),
        [
            format!("GET /containers/{ID}/json HTTP/1.1"),
            "GET /images/sha256:abcd/json HTTP/1.1".to_owned()
        ]
    );
}

#[test]
fn a_socket_that_hangs_is_left_alone() {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir(root.path().join("run")).unwrap();
    // Takes connections into its queue and never answers.
    let listener = UnixListener::bind(root.path().join("run/docker.sock")).unwrap();
    let containers = Containers::start(ContainerOptions {
        timeout: Duration::from_millis(50),
        threads: 1,
        ..options(root.path())
    })
    .unwrap();
    let cell = containers.of_path(format!("/docker/{ID}").as_bytes()).unwrap();
    // Asking does not wait: nothing is known yet or ever.
    assert!(cell.info().is_none());
    assert!(!cell.wait(far()));
    let other = format!("/docker/{}", "f".repeat(64));
    assert!(!containers.of_path(other.as_bytes()).unwrap().wait(far()));
    assert_eq!(containers.statistics().missing, 2);
    listener.set_nonblocking(true).unwrap();
    assert!(listener.accept().is_ok(), "the first container was asked for");
    assert!(listener.accept().is_err(), "the second one was not");
}

#[test]
fn offline_knows_what_it_is_told() {
    let containers = Containers::offline();
    let identity = identify(format!("/docker/{ID}").as_bytes()).unwrap();
    let early = containers.get(&identity);
    assert!(!early.wait(far()));
    containers.insert(ContainerInfo {
        name: "web".to_owned(),
        ..ContainerInfo::of(&identity)
    });
    assert_eq!(early.info().unwrap().name, "web");
    assert_eq!(containers.known().len(), 1);
    let other = identify(format!("/docker/{}", "f".repeat(64)).as_bytes()).unwrap();
    containers.insert(ContainerInfo {
        name: "late".to_owned(),
        ..ContainerInfo::of(&other)
    });
    assert_eq!(containers.get(&other).info().unwrap().name, "late");
}

/// A pod's container in the bundles of containerd, and the path of its control group.
fn pod_bundle(root: &Path) -> String {
    write(
        root,
        &format!("run/containerd/io.containerd.runtime.v2.task/k8s.io/{ID}/config.json"),
        r#"{"annotations": {"io.kubernetes.cri.container-name": "app", "io.kubernetes.cri.image-name": "docker.io/library/redis:7"},
            "process": {"user": {"uid": 999}}, "linux": {}}"#,
    );
    format!("/kubepods/burstable/pod1b2c3d4e-0a0b-4c0d-8e0f-1a2b3c4d5e6f/{ID}")
}

type Handler = Box<dyn Fn(&str) -> Result<Vec<u8>, CallError> + Send + Sync>;

/// Answers each call by its method.
struct FakeGrpc(Arc<Handler>);

impl std::fmt::Debug for FakeGrpc {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("FakeGrpc")
    }
}

impl Grpc for FakeGrpc {
    fn connect(&self, _: &Path, _: Instant) -> Result<Box<dyn GrpcCalls>, CallError> {
        Ok(Box::new(FakeCalls(Arc::clone(&self.0))))
    }
}

struct FakeCalls(Arc<Handler>);

impl GrpcCalls for FakeCalls {
    fn call(&mut self, method: &str, _: &[(&'static str, &str)], _: &[u8]) -> Result<Vec<u8>, CallError> {
        (self.0)(method)
    }
}

/// With a socket of a runtime that answers so.
fn with_grpc(
    root: &Path,
    handler: impl Fn(&str) -> Result<Vec<u8>, CallError> + Send + Sync + 'static,
) -> ContainerOptions {
    write(root, "run/cri.sock", "");
    ContainerOptions {
        cri_sockets: vec![PathBuf::from("run/cri.sock")],
        grpc: Some(Arc::new(FakeGrpc(Arc::new(Box::new(handler))))),
        threads: 1,
        ..options(root)
    }
}

/// The status of the container, as the interface encodes it: identifier, name, tier.
fn status() -> Vec<u8> {
    cri::encoded_status(ID, "app-of-cri", &[("tier", "front")])
}

/// Waits without a limit of its own until something is so.
fn until(what: impl Fn() -> bool) {
    while !what() {
        thread::yield_now();
    }
}

#[test]
fn what_files_say_is_there_before_a_runtime_answers() {
    let root = tempfile::tempdir().unwrap();
    let path = pod_bundle(root.path());
    let (go, gate) = channel::<()>();
    let gate = Mutex::new(gate);
    let containers = Containers::start(with_grpc(root.path(), move |method| {
        if method.ends_with("/ContainerStatus") {
            gate.lock().unwrap().recv().unwrap();
            return Ok(status());
        }
        Err(CallError::NotFound)
    }))
    .unwrap();
    let cell = containers.of_path(path.as_bytes()).unwrap();
    until(|| cell.info().is_some());
    assert!(!cell.is_settled());
    assert_eq!(cell.info().unwrap().name, "app");
    assert!(cell.info().unwrap().labels.is_empty());
    go.send(()).unwrap();
    assert!(cell.wait(far()));
    let info = cell.info().unwrap();
    // What the runtime tells counts; what it does not tell stays.
    assert_eq!(
        (info.name.as_str(), info.labels["tier"].as_str()),
        ("app-of-cri", "front")
    );
    assert_eq!(
        (info.repository.as_str(), info.user.as_str()),
        ("docker.io/library/redis", "999")
    );
}

#[test]
fn a_container_that_is_deleted_before_its_runtime_answers_is_what_its_files_said() {
    let root = tempfile::tempdir().unwrap();
    let path = pod_bundle(root.path());
    let folder = root.path().to_owned();
    let containers = Containers::start(ContainerOptions {
        // If it were not noticed, the last attempt would come after the test's patience.
        attempts: vec![Duration::ZERO, Duration::ZERO, Duration::from_secs(36_000)],
        ..with_grpc(root.path(), move |_| {
            let _ = fs::remove_dir_all(folder.join("run/containerd"));
            Err(CallError::NotFound)
        })
    })
    .unwrap();
    let cell = containers.of_path(path.as_bytes()).unwrap();
    assert!(cell.wait(far()));
    assert!(cell.is_settled());
    let info = cell.info().unwrap();
    assert_eq!((info.name.as_str(), info.tag.as_str()), ("app", "7"));
    assert_eq!(containers.statistics().found, 1);
}

#[test]
fn a_container_that_is_deleted_while_its_runtime_answers_is_what_was_told_so_far() {
    for error in [CallError::NotFound, CallError::Failed] {
        let root = tempfile::tempdir().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&asked);
        let containers = Containers::start(with_grpc(root.path(), move |method| {
            seen.lock().unwrap().push(method.to_owned());
            if method.ends_with("/ContainerStatus") {
                return Ok(status());
            }
            // Neither the list nor the sandbox nor the image is there any more, or the connection broke.
            Err(error)
        }))
        .unwrap();
        let cell = containers.of_path(format!("/k8s.io/{ID}").as_bytes()).unwrap();
        assert!(cell.wait(far()));
        let info = cell.info().unwrap();
        assert_eq!(
            (info.name.as_str(), info.labels["tier"].as_str()),
            ("app-of-cri", "front")
        );
        assert_eq!(info.pod, None);
        assert_eq!(
            *asked.lock().unwrap(),
            [
                "/runtime.v1.RuntimeService/ContainerStatus",
                "/runtime.v1.RuntimeService/ListContainers"
            ]
        );
    }
}

#[test]
fn files_that_are_not_complete_yet_are_read_again() {
    let root = tempfile::tempdir().unwrap();
    let storage = "var/lib/containers/storage/overlay-containers";
    let list = r#"[{"id": "ID", "names": ["k8s_app"], "metadata": "{\"image-name\":\"a:1\"}"}]"#;
    write(
        root.path(),
        &format!("{storage}/containers.json"),
        &list.replace("ID", ID),
    );
    let folder = root.path().to_owned();
    // The bundle comes while the runtime is asked, which does not know the container yet.
    let containers = Containers::start(ContainerOptions {
        attempts: vec![Duration::ZERO; 2],
        ..with_grpc(root.path(), move |_| {
            write(
                &folder,
                &format!("{storage}/{ID}/userdata/config.json"),
                r#"{"annotations": {"io.kubernetes.cri-o.Labels": "{\"tier\":\"front\"}"}, "linux": {}}"#,
            );
            Err(CallError::NotFound)
        })
    })
    .unwrap();
    let path = format!("/kubepods/pod1b2c3d4e-0a0b-4c0d-8e0f-1a2b3c4d5e6f/crio-{ID}");
    let cell = containers.of_path(path.as_bytes()).unwrap();
    assert!(cell.wait(far()));
    let info = cell.info().unwrap();
    assert_eq!((info.name.as_str(), info.image.as_str()), ("k8s_app", "a:1"));
    assert_eq!(
        (info.privileged, info.labels["tier"].as_str()),
        (Some(false), "front")
    );
}

#[test]
fn what_no_daemon_manages_does_not_wait_for_more_than_files_say() {
    let root = tempfile::tempdir().unwrap();
    write(
        root.path(),
        "run/runc/job/state.json",
        r#"{"config": {"labels": []}}"#,
    );
    let containers = Containers::start(ContainerOptions {
        // A second attempt would come after the test's patience.
        attempts: vec![Duration::ZERO, Duration::from_secs(36_000)],
        ..with_grpc(root.path(), |_| panic!("nobody is asked"))
    })
    .unwrap();
    let cell = containers.of_path(b"/user.slice/job").unwrap();
    assert!(cell.wait(far()));
    assert_eq!(cell.info().unwrap().name, "job");
}

#[test]
fn what_nothing_tells_of_is_not_looked_for_again() {
    let root = tempfile::tempdir().unwrap();
    let containers = Containers::start(ContainerOptions {
        attempts: vec![Duration::ZERO, Duration::from_secs(36_000)],
        ..options(root.path())
    })
    .unwrap();
    let cell = containers.of_path(b"/lxc.payload.web").unwrap();
    assert!(!cell.wait(far()));
    assert_eq!((cell.id(), containers.statistics().missing), ("web", 1));
}

const SANDBOX: &str = "99d7b26ded6d2a5b2d5b8a1d1a0a4dd8b9a8c5c2d7d3a6e1f0b4c8d2e6f7a9b1";

#[test]
fn the_pod_of_docker_is_told_by_its_sandbox() {
    let root = tempfile::tempdir().unwrap();
    let folder = "var/lib/docker/containers";
    write(
        root.path(),
        &format!("{folder}/{ID}/config.v2.json"),
        &format!(
            r#"{{"Name": "/k8s_app_cart-0", "Config": {{"Image": "a:1", "Labels": {{"io.kubernetes.pod.name": "cart-0",
                "io.kubernetes.container.name": "app", "io.kubernetes.sandbox.id": "{SANDBOX}"}}}}}}"#
        ),
    );
    write(root.path(), &format!("{folder}/{ID}/hostconfig.json"), "{}");
    write(
        root.path(),
        &format!("{folder}/{SANDBOX}/config.v2.json"),
        r#"{"Name": "/k8s_POD_cart-0", "NetworkSettings": {"IPAddress": "10.1.2.3"}, "HostConfig": {"PidMode": "host"},
            "Config": {"Image": "pause:3", "Labels": {"io.kubernetes.pod.name": "cart-0", "app": "cart",
            "io.kubernetes.docker.type": "podsandbox", "annotation.kubectl.kubernetes.io/last-applied-configuration":
            "{\"spec\": {\"serviceAccountName\": \"cart-account\", \"containers\": [{\"name\": \"app\",
            \"readinessProbe\": {\"exec\": {\"command\": [\"true\"]}}}]}}"}}}"#
            .replace("\n            ", " ")
            .as_str(),
    );
    let containers = Containers::start(options(root.path())).unwrap();
    let path = format!("/kubepods/besteffort/pod1b2c3d4e-0a0b-4c0d-8e0f-1a2b3c4d5e6f/{ID}");
    let cell = containers.of_path(path.as_bytes()).unwrap();
    assert!(cell.wait(far()));
    let info = cell.info().unwrap();
    let pod = info.pod.as_ref().unwrap();
    assert_eq!(pod.labels["app"], "cart");
    assert!(!pod.labels.keys().any(|name| name.starts_with("annotation.")));
    assert_eq!(
        (pod.ip.as_deref(), info.ip.as_deref()),
        (Some("10.1.2.3"), Some("10.1.2.3"))
    );
    assert_eq!(pod.service_account.as_deref(), Some("cart-account"));
    assert_eq!(info.readiness_probe.as_ref().unwrap(), &["true"]);
    assert_eq!((info.host_pid, info.is_sandbox), (true, false));
    assert_eq!(info.name, "k8s_app_cart-0");
}

#[test]
fn the_pod_of_cri_o_is_told_by_its_sandbox() {
    let root = tempfile::tempdir().unwrap();
    let folder = "var/lib/containers/storage/overlay-containers";
    write(
        root.path(),
        &format!("{folder}/{ID}/userdata/config.json"),
        &format!(
            r#"{{"annotations": {{"io.kubernetes.cri-o.Name": "k8s_app_cart-0", "io.kubernetes.container.name": "app",
                "io.kubernetes.cri-o.ImageName": "a:1", "io.kubernetes.cri-o.ContainerType": "container",
                "io.kubernetes.cri-o.KubeName": "cart-0", "io.kubernetes.cri-o.Namespace": "shop",
                "io.kubernetes.cri-o.Labels": "{{\"io.kubernetes.container.name\":\"app\"}}",
                "io.kubernetes.cri-o.SandboxID": "{SANDBOX}"}}, "linux": {{}}}}"#
        ),
    );
    write(
        root.path(),
        &format!("{folder}/{SANDBOX}/userdata/config.json"),
        r#"{"annotations": {"io.kubernetes.cri-o.ContainerType": "sandbox", "io.kubernetes.cri-o.KubeName": "cart-0",
            "io.kubernetes.cri-o.Namespace": "shop", "io.kubernetes.cri-o.IP.0": "10.1.2.3",
            "io.kubernetes.cri-o.CNIResult": "{\"ips\":[]}", "io.kubernetes.cri-o.Labels": "{\"app\":\"cart\"}"}, "linux": {}}"#,
    );
    let containers = Containers::start(options(root.path())).unwrap();
    let path = format!("/kubepods/besteffort/pod1b2c3d4e-0a0b-4c0d-8e0f-1a2b3c4d5e6f/crio-{ID}");
    let cell = containers.of_path(path.as_bytes()).unwrap();
    assert!(cell.wait(far()));
    let info = cell.info().unwrap();
    let pod = info.pod.as_ref().unwrap();
    assert_eq!((pod.name.as_str(), pod.namespace.as_str()), ("cart-0", "shop"));
    assert_eq!((pod.labels["app"].as_str(), pod.labels.len()), ("cart", 1));
    assert_eq!(
        (pod.ip.as_deref(), info.ip.as_deref()),
        (Some("10.1.2.3"), Some("10.1.2.3"))
    );
    assert_eq!(info.cni.as_deref(), Some(r#"{"ips":[]}"#));
    assert_eq!(info.labels["io.kubernetes.container.name"], "app");
}

#[test]
fn a_docker_that_closes_half_way_is_asked_again_and_then_given_up() {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir(root.path().join("run")).unwrap();
    let listener = UnixListener::bind(root.path().join("run/docker.sock")).unwrap();
    let server = thread::spawn(move || {
        for answer in [
            // Breaks off inside the description, then inside the head; then the container is gone.
            "HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{\"Name\": \"/we",
            "HTTP/1.1 200",
            "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}",
        ] {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).unwrap();
            stream.write_all(answer.as_bytes()).unwrap();
        }
        listener
    });
    let containers = Containers::start(ContainerOptions {
        attempts: vec![Duration::ZERO; 3],
        ..options(root.path())
    })
    .unwrap();
    let cell = containers.of_path(format!("/docker/{ID}").as_bytes()).unwrap();
    assert!(!cell.wait(far()));
    assert_eq!(cell.id(), &ID[..12]);
    assert_eq!(containers.statistics().missing, 1);
    let listener = server.join().unwrap();
    listener.set_nonblocking(true).unwrap();
    assert!(listener.accept().is_err(), "it is not asked more often than that");
}

#[test]
fn containers_that_live_shorter_than_a_lookup_leave_nothing_behind() {
    let root = tempfile::tempdir().unwrap();
    let (go, gate): (Sender<()>, _) = channel();
    let gate = Mutex::new(gate);
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let containers = Containers::start(ContainerOptions {
        queue: 3000,
        ..with_grpc(root.path(), move |_| {
            count.fetch_add(1, Ordering::Relaxed);
            let _ = gate.lock().unwrap().recv();
            Err(CallError::NotFound)
        })
    })
    .unwrap();
    let path = |number: usize| format!("/k8s.io/{number:064x}");
    // The runtime is asked for this one, and does not answer yet.
    let first = containers.of_path(path(0).as_bytes()).unwrap();
    until(|| asked.load(Ordering::Relaxed) == 1);
    for number in 1..=5000 {
        let cell = containers.of_path(path(number).as_bytes()).unwrap();
        assert!(cell.info().is_none());
        drop(cell);
        let known = containers.shared.cells.lock().unwrap().by_id.len();
        assert!(known <= MINIMUM, "{known} are known");
    }
    drop(go);
    assert!(!first.wait(far()));
    // All places are free again, and what was dropped was not asked for.
    let lookups = containers.lookups.as_ref().unwrap();
    until(|| lookups.places() == 0);
    let statistics = containers.statistics();
    assert_eq!(statistics.found, 0);
    assert_eq!(statistics.missing + statistics.dropped, 5001);
}

#[test]
fn a_service_account_is_the_subject_of_the_token() {
    let uid = "1b2c3d4e-0a0b-4c0d-8e0f-1a2b3c4d5e6f";
    let token = |subject: &str| {
        let claims = base64::Engine::encode(
            &base64::prelude::BASE64_URL_SAFE_NO_PAD,
            format!(r#"{{"iss":"x","sub":"{subject}"}}"#),
        );
        format!("eyJhbGciOiJub25lIn0.{claims}.c2ln")
    };
    for (folder, token, expected) in [
        (uid, token("system:serviceaccount:shop:cart"), Some("cart")),
        (uid, token("system:serviceaccount:other:cart"), None),
        (uid, token("system:node:n1"), None),
        (uid, "no.token".to_owned(), None),
        // Not the folder that the kubelet made for this pod.
        ("another", token("system:serviceaccount:shop:cart"), None),
    ] {
        let root = tempfile::tempdir().unwrap();
        let volume =
            format!("var/lib/kubelet/pods/{folder}/volumes/kubernetes.io~projected/kube-api-access-x");
        write(root.path(), &format!("{volume}/..data/token"), &token);
        std::os::unix::fs::symlink("..data/token", root.path().join(&volume).join("token")).unwrap();
        write(
            root.path(),
            &format!("run/containerd/io.containerd.runtime.v2.task/k8s.io/{ID}/config.json"),
            &format!(
                r#"{{"annotations": {{"io.kubernetes.cri.container-name": "app", "io.kubernetes.cri.image-name": "a:1",
                     "io.kubernetes.cri.sandbox-name": "cart-0", "io.kubernetes.cri.sandbox-namespace": "shop"}},
                     "mounts": [{{"type": "bind", "source": "/{volume}", "destination":
                     "/var/run/secrets/kubernetes.io/serviceaccount"}}, {{"type": "proc", "source": "proc", "destination": "/proc"}}],
                     "linux": {{}}}}"#
            ),
        );
        let containers = Containers::start(options(root.path())).unwrap();
        let path = format!("/kubepods/burstable/pod{uid}/{ID}");
        let cell = containers.of_path(path.as_bytes()).unwrap();
        assert!(cell.wait(far()));
        let info = cell.info().unwrap();
        assert_eq!(
            info.pod.as_ref().unwrap().service_account.as_deref(),
            expected,
            "{folder} {token}"
        );
        assert_eq!(
            info.mounts.len(),
            1,
            "what every container has is no mount of the host"
        );
    }
}

#[test]
fn containers_of_ctr_are_known_by_their_bundles() {
    let root = tempfile::tempdir().unwrap();
    write(
        root.path(),
        "run/containerd/io.containerd.runtime.v2.task/default/job/config.json",
        r#"{"process": {"user": {"uid": 0}}, "linux": {}}"#,
    );
    let containers = Containers::start(options(root.path())).unwrap();
    let cell = containers.of_path(b"/default/job").unwrap();
    assert_eq!((cell.id(), cell.identity().runtime), ("job", Runtime::Containerd));
    for other in [
        "/default/other",
        "/other/job",
        "/job",
        "/default/..",
        "/default/job/a/b/c",
    ] {
        assert!(containers.of_path(other.as_bytes()).is_none(), "{other}");
    }
    assert!(containers.of_path(b"/default/job/child").is_some());
}

#[test]
fn a_pod_of_docker_and_one_of_runc_are_told_apart() {
    let root = tempfile::tempdir().unwrap();
    write(
        root.path(),
        &format!("var/lib/docker/containers/{ID}/config.v2.json"),
        r#"{"Name": "/k8s_app_cart-0", "Config": {"Image": "a:1", "Labels": {"io.kubernetes.pod.name": "cart-0"}}}"#,
    );
    write(
        root.path(),
        &format!("var/lib/docker/containers/{ID}/hostconfig.json"),
        "{}",
    );
    let other = "f".repeat(64);
    write(root.path(), &format!("run/runc/{other}/state.json"), "{}");
    let containers = Containers::start(options(root.path())).unwrap();
    for (id, runtime) in [(ID, Runtime::Docker), (other.as_str(), Runtime::Runc)] {
        let path = format!("/kubepods/besteffort/pod1b2c3d4e-0a0b-4c0d-8e0f-1a2b3c4d5e6f/{id}");
        let cell = containers.of_path(path.as_bytes()).unwrap();
        assert!(cell.wait(far()));
        let info = cell.info().unwrap();
        assert_eq!(info.runtime, runtime);
        assert_eq!(
            info.pod.as_ref().unwrap().uid,
            "1b2c3d4e-0a0b-4c0d-8e0f-1a2b3c4d5e6f"
        );
    }
}
