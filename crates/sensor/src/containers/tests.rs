//! What is gathered of containers, from files and sockets made by the tests.
#![allow(clippy::disallowed_methods, reason = "the tests make what is read")]

use super::*;
use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixListener;

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
    let cell = containers.of_path(format!("/docker/{ID}").as_bytes(), 0).unwrap();
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
        &containers
            .of_path(format!("/docker/{ID}/x").as_bytes(), 0)
            .unwrap()
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
        "linux": {"namespaces": [{"type": "pid"}, {"type": "ipc"}], "maskedPaths": ["/proc/kcore"]}}"#,
    );
    let containers = Containers::start(options(root.path())).unwrap();
    let path = format!("/kubepods/burstable/pod1b2c3d4e-0a0b-4c0d-8e0f-1a2b3c4d5e6f/{ID}");
    let cell = containers.of_path(path.as_bytes(), 0).unwrap();
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
    assert_eq!((info.host_pid, info.host_network), (false, true));
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
    let cell = containers.of_path(path.as_bytes(), 0).unwrap();
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
    let cell = containers.of_path(b"/user.slice/job-7", 0).unwrap();
    assert!(cell.wait(far()));
    assert_eq!(cell.id(), "job-7");
    assert_eq!(cell.info().unwrap().repository, "job");
    assert!(containers.of_path(b"/user.slice/other", 0).is_none());
    assert!(containers.of_path(b"/user.slice/..", 0).is_none());
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
    let cell = containers.of_path(format!("/docker/{ID}").as_bytes(), 0).unwrap();
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
    let cell = containers.of_path(format!("/docker/{ID}").as_bytes(), 0).unwrap();
    // Asking does not wait: nothing is known yet or ever.
    assert!(cell.info().is_none());
    assert!(!cell.wait(far()));
    let other = format!("/docker/{}", "f".repeat(64));
    assert!(!containers.of_path(other.as_bytes(), 0).unwrap().wait(far()));
    assert_eq!(containers.statistics().missing, 2);
    listener.set_nonblocking(true).unwrap();
    assert!(listener.accept().is_ok(), "the first container was asked for");
    assert!(listener.accept().is_err(), "the second one was not");
}

#[test]
fn offline_knows_what_it_is_told() {
    let containers = Containers::offline();
    let identity = identify(format!("/docker/{ID}").as_bytes()).unwrap();
    let early = containers.get(&identity, 0);
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
    assert_eq!(containers.get(&other, 0).info().unwrap().name, "late");
}
