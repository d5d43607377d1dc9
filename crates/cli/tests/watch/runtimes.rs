//! Real containers of real runtimes: what detections say of them.
//!
//! containerd and Podman run with folders and sockets of the tests' own; nothing of theirs is touched that others use.

use super::{PATIENCE, Watch, kernel_is_out_of_reach, write};
use artifact::grpc::{Connection, Pace};
use prost::Message;
use sensor::containers::{ContainerInfo, ContainerOptions, Containers};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use testkit::image::{Image, Layer};

/// A pod's unique identifier, as the kubelet makes them.
const UID: &str = "1b2c3d4e-0a0b-4c0d-8e0f-1a2b3c4d5e6f";

fn skipped(reason: &str) {
    eprintln!("skipped: {reason}");
}

/// A number of ten digits for each test, since the watches of all tests see the containers of all.
fn number() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    1_000_000_000 + (std::process::id() << 6) + NEXT.fetch_add(1, Ordering::Relaxed)
}

/// Whether a program is installed.
fn has(program: &str) -> bool {
    [
        "/usr/local/sbin",
        "/usr/local/bin",
        "/usr/sbin",
        "/usr/bin",
        "/sbin",
        "/bin",
    ]
    .iter()
    .any(|folder| Path::new(folder).join(program).exists())
}

/// Why there can be no container of these programs, if so.
fn missing(programs: &[&str]) -> bool {
    if kernel_is_out_of_reach() {
        return true;
    }
    let absent = programs.iter().find(|program| !has(program));
    if let Some(program) = absent {
        skipped(&format!("{program} is not installed"));
    }
    absent.is_some()
}

/// The busybox of this host, which needs no libraries.
fn busybox() -> Option<PathBuf> {
    let found = ["/bin/busybox", "/usr/bin/busybox"].map(PathBuf::from);
    let found = found.into_iter().find(|path| path.exists());
    if found.is_none() {
        skipped("the package busybox-static is not installed");
    }
    found
}

fn run(command: &mut Command) -> Output {
    command.stdin(Stdio::null()).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).trim().replace('\n', " ")
}

/// Waits until something is there.
fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "there is no {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Control groups that a test made, in all hierarchies; removed with this.
struct Groups(String);

impl Drop for Groups {
    fn drop(&mut self) {
        let mut roots = vec![PathBuf::from("/sys/fs/cgroup")];
        if let Ok(entries) = std::fs::read_dir("/sys/fs/cgroup") {
            roots.extend(entries.filter_map(|entry| Some(entry.ok()?.path())));
        }
        // What watches over a container may end a moment after it.
        let deadline = Instant::now() + Duration::from_secs(10);
        while !roots.iter().all(|root| remove_groups(&root.join(&self.0))) && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Removes a control group and those in it; says whether it is gone.
fn remove_groups(folder: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return true;
    };
    for entry in entries.filter_map(Result::ok) {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove_groups(&entry.path());
        }
    }
    std::fs::remove_dir(folder).is_ok()
}

/// A rule over the program that runs in a container of the test, with what it says.
fn rule(number: u32, condition: &str, fields: &[&str]) -> String {
    let output: Vec<String> = fields.iter().map(|field| format!("%{field}")).collect();
    format!(
        "- rule: Program of the test\n  desc: A test.\n  condition: evt.type = execve and proc.cmdline contains keep-{number} and \
         proc.name = busybox and {condition}\n  output: ran | {}\n  priority: NOTICE\n",
        output.join(" ")
    )
}

/// What the files of a runtime say, without its socket.
fn by_files(root: &Path, group: &str) -> ContainerInfo {
    let containers = Containers::start(ContainerOptions {
        root: root.to_owned(),
        sockets: Vec::new(),
        ..ContainerOptions::default()
    })
    .unwrap();
    let cell = containers.of_path(group.as_bytes()).unwrap();
    assert!(cell.wait(Instant::now() + PATIENCE), "nothing is said of {group}");
    cell.info().unwrap().clone()
}

/// However slow the machine is.
const LONG: u64 = 30_000;

/// The watch, when it watches, with a socket of a runtime and milliseconds that events may wait for it.
fn watch(folder: &Path, rule: &str, socket: Option<&Path>, wait: u64) -> Watch {
    let rules = write(folder, "rules.yaml", rule);
    let wait = wait.to_string();
    let mut arguments = vec![
        "watch",
        "--rules",
        rules.to_str().unwrap(),
        "--format",
        "json",
        "--container-wait",
        &wait,
    ];
    if let Some(socket) = socket {
        arguments.extend(["--runtime-socket", socket.to_str().unwrap()]);
    }
    let watch = Watch::start(&arguments);
    Watch::wait(&watch.stderr, "watching with ");
    watch
}

/// The fields of the one detection.
fn detected(watch: &Watch) -> Value {
    let alert: Value = serde_json::from_str(&Watch::wait(&watch.stdout, "Program of the test")).unwrap();
    alert["output_fields"].clone()
}

// ---- containerd, as the kubelet uses it -------------------------------------------------------------------------------

#[derive(Clone, PartialEq, Message)]
struct PodMetadata {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    uid: String,
    #[prost(string, tag = "3")]
    namespace: String,
}

/// Namespaces: 1 of the container, 2 of the host.
#[derive(Clone, PartialEq, Message)]
struct NamespaceOption {
    #[prost(int32, tag = "1")]
    network: i32,
    #[prost(int32, tag = "2")]
    pid: i32,
    #[prost(int32, tag = "3")]
    ipc: i32,
}

#[derive(Clone, PartialEq, Message)]
struct SandboxSecurity {
    #[prost(message, optional, tag = "1")]
    namespace_options: Option<NamespaceOption>,
}

#[derive(Clone, PartialEq, Message)]
struct LinuxPod {
    #[prost(string, tag = "1")]
    cgroup_parent: String,
    #[prost(message, optional, tag = "2")]
    security_context: Option<SandboxSecurity>,
}

#[derive(Clone, PartialEq, Message)]
struct PodConfig {
    #[prost(message, optional, tag = "1")]
    metadata: Option<PodMetadata>,
    #[prost(string, tag = "3")]
    log_directory: String,
    #[prost(btree_map = "string, string", tag = "6")]
    labels: BTreeMap<String, String>,
    #[prost(message, optional, tag = "8")]
    linux: Option<LinuxPod>,
}

#[derive(Clone, PartialEq, Message)]
struct RunPodRequest {
    #[prost(message, optional, tag = "1")]
    config: Option<PodConfig>,
}

#[derive(Clone, PartialEq, Message)]
struct Name {
    #[prost(string, tag = "1")]
    text: String,
}

#[derive(Clone, PartialEq, Message)]
struct BindMount {
    #[prost(string, tag = "1")]
    container_path: String,
    #[prost(string, tag = "2")]
    host_path: String,
    #[prost(bool, tag = "3")]
    readonly: bool,
}

#[derive(Clone, PartialEq, Message)]
struct ContainerSecurity {
    #[prost(message, optional, tag = "3")]
    namespace_options: Option<NamespaceOption>,
}

#[derive(Clone, PartialEq, Message)]
struct LinuxContainer {
    #[prost(message, optional, tag = "2")]
    security_context: Option<ContainerSecurity>,
}

#[derive(Clone, PartialEq, Message)]
struct ContainerConfig {
    #[prost(message, optional, tag = "1")]
    metadata: Option<Name>,
    #[prost(message, optional, tag = "2")]
    image: Option<Name>,
    #[prost(string, repeated, tag = "3")]
    command: Vec<String>,
    #[prost(message, repeated, tag = "7")]
    mounts: Vec<BindMount>,
    #[prost(btree_map = "string, string", tag = "9")]
    labels: BTreeMap<String, String>,
    #[prost(string, tag = "11")]
    log_path: String,
    #[prost(message, optional, tag = "15")]
    linux: Option<LinuxContainer>,
}

#[derive(Clone, PartialEq, Message)]
struct CreateContainerRequest {
    #[prost(string, tag = "1")]
    pod: String,
    #[prost(message, optional, tag = "2")]
    config: Option<ContainerConfig>,
    #[prost(message, optional, tag = "3")]
    sandbox_config: Option<PodConfig>,
}

#[derive(Clone, PartialEq, Message)]
struct ImageRequest {
    #[prost(message, optional, tag = "1")]
    image: Option<Name>,
}

#[derive(Clone, PartialEq, Message)]
struct KnownImage {
    #[prost(string, repeated, tag = "3")]
    digests: Vec<String>,
}

#[derive(Clone, PartialEq, Message)]
struct ImageAnswer {
    #[prost(message, optional, tag = "1")]
    image: Option<KnownImage>,
}

#[derive(Clone, PartialEq, Message)]
struct ContainerState {
    #[prost(int32, tag = "3")]
    state: i32,
}

#[derive(Clone, PartialEq, Message)]
struct ContainerAnswer {
    #[prost(message, optional, tag = "1")]
    status: Option<ContainerState>,
}

/// What the state of a container that has ended is called.
const EXITED: i32 = 2;

fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    let pairs = pairs
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    pairs.collect()
}

/// A containerd of the test's own, and what the test made in it.
struct Containerd {
    process: Child,
    folder: PathBuf,
    pods: Vec<String>,
}

impl Containerd {
    fn start(folder: &Path, sandbox_image: &str) -> Self {
        let path = |name: &str| folder.join(name).display().to_string();
        let config = format!(
            "version = 2\nroot = \"{}\"\nstate = \"{}\"\n[grpc]\naddress = \"{}\"\n[ttrpc]\naddress = \"{}\"\n\
             [plugins.\"io.containerd.internal.v1.opt\"]\npath = \"{}\"\n\
             [plugins.\"io.containerd.grpc.v1.cri\"]\nsandbox_image = \"{sandbox_image}\"\ndisable_apparmor = true\n\
             restrict_oom_score_adj = true\ndisable_hugetlb_controller = true\ntolerate_missing_hugetlb_controller = true\n\
             [plugins.\"io.containerd.grpc.v1.cri\".cni]\nbin_dir = \"{}\"\nconf_dir = \"{}\"\n\
             [plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.runc]\nruntime_type = \"io.containerd.runc.v2\"\n\
             [plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.runc.options]\nRoot = \"{}\"\n",
            path("root"),
            path("run/containerd"),
            path("containerd.sock"),
            path("containerd.sock.ttrpc"),
            path("opt"),
            path("cni"),
            path("cni"),
            path("runc"),
        );
        let config = write(folder, "config.toml", &config);
        let log = std::fs::File::create(folder.join("log")).unwrap();
        let process = Command::new("containerd")
            .arg("--config")
            .arg(config)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let containerd = Self {
            process,
            folder: folder.to_owned(),
            pods: Vec::new(),
        };
        until("containerd that answers", || {
            run(containerd.ctr("default").arg("version"))
                .status
                .success()
                .then_some(())
        });
        containerd
    }

    fn socket(&self) -> PathBuf {
        self.folder.join("containerd.sock")
    }

    fn ctr(&self, namespace: &str) -> Command {
        let mut command = Command::new("ctr");
        command
            .arg("--address")
            .arg(self.socket())
            .args(["--namespace", namespace]);
        command
    }

    fn call<Answer: Message + Default>(
        &self,
        method: &str,
        request: &impl Message,
    ) -> Result<Answer, String> {
        let pace = Pace {
            stall: PATIENCE,
            deadline: None,
        };
        let mut connection =
            Connection::open(&self.socket(), "containerd", pace).map_err(|error| error.to_string())?;
        let answer = connection.call(&format!("/runtime.v1.{method}"), &[], &request.encode_to_vec());
        let answer = answer.map_err(|error| error.to_string())?;
        Ok(Answer::decode(answer).unwrap())
    }

    /// Imports an image.
    fn import(&self, namespace: &str, image: &Image) {
        let archive = self.folder.join("image.tar");
        std::fs::write(&archive, image.oci_archive()).unwrap();
        let imported = run(self.ctr(namespace).args(["images", "import"]).arg(&archive));
        assert!(imported.status.success(), "{}", said(&imported));
    }

    /// Imports an image for Kubernetes with its name and its digest.
    fn import_for_pods(&self, name: &str, image: &Image) {
        self.import("k8s.io", image);
        let repository = name.rsplit_once(':').unwrap().0;
        let digest = format!("{repository}@{}", image.parts().manifest.digest);
        let tagged = run(self.ctr("k8s.io").args(["images", "tag", name, &digest]));
        assert!(tagged.status.success(), "{}", said(&tagged));
        // The part that answers the kubelet learns of it a little later.
        until("image for the kubelet", || {
            let request = ImageRequest {
                image: Some(Name {
                    text: name.to_owned(),
                }),
            };
            let answer: ImageAnswer = self.call("ImageService/ImageStatus", &request).ok()?;
            (!answer.image?.digests.is_empty()).then_some(())
        });
    }
}

impl Drop for Containerd {
    fn drop(&mut self) {
        for pod in std::mem::take(&mut self.pods) {
            let request = Name { text: pod };
            for method in ["RuntimeService/StopPodSandbox", "RuntimeService/RemovePodSandbox"] {
                if let Err(error) = self.call::<Name>(method, &request) {
                    eprintln!("{method}: {error}");
                }
            }
        }
        let _ = Command::new("kill")
            .args(["-TERM", &self.process.id().to_string()])
            .status();
        let _ = self.process.wait();
    }
}

#[test]
fn a_pod_of_containerd_is_named() {
    if missing(&["containerd", "containerd-shim-runc-v2", "ctr", "runc"]) {
        return;
    }
    let Some(busybox) = busybox() else { return };
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let number = number();
    let groups = Groups(format!("hullward-pod-test-{number}"));
    let name = format!("registry.example/hullward-pod-test:{number}");
    let image = Image::new(vec![
        Layer::new("COPY busybox /bin/")
            .program("bin/busybox", std::fs::read(busybox).unwrap())
            .folder("data"),
    ])
    .tag(&name)
    .command(&["/bin/busybox", "sleep", "3600"]);
    let mut containerd = Containerd::start(folder, &name);
    containerd.import_for_pods(&name, &image);
    // What the kubelet mounts into each container of a pod that has an account.
    let volume = format!("pods/{UID}/volumes/kubernetes.io~projected/kube-api-access-test");
    std::fs::create_dir_all(folder.join(&volume)).unwrap();
    // The claims {"sub":"system:serviceaccount:shop:cart-account"}.
    let token = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJzeXN0ZW06c2VydmljZWFjY291bnQ6c2hvcDpjYXJ0LWFjY291bnQifQ.c2ln";
    write(&folder.join(&volume), "token", token);

    let fields = [
        "container.id",
        "container.full_id",
        "container.type",
        "container.name",
        "container.image",
        "container.image.repository",
        "container.image.tag",
        "container.image.digest",
        "container.image.id",
        "container.privileged",
        "container.host_network",
        "container.host_pid",
        "container.label[tier]",
        "container.mount.dest[/*/data]",
        "container.mount.rdwr[/*/data]",
        "k8s.pod.name",
        "k8s.ns.name",
        "k8s.pod.uid",
        "k8s.pod.label[app]",
        "k8s.pod.labels",
        "k8s.pod.full_sandbox_id",
        "k8s.pod.service_account",
        "k8smeta.pod.name",
    ];
    let condition = "k8s.ns.name = shop and container.image.repository = registry.example/hullward-pod-test and k8s.pod.label[app] = cart";
    let short = format!(
        "- rule: Short program of the test\n  desc: A test.\n  condition: evt.type = execve and proc.cmdline contains short-{number} and \
         proc.name = busybox and container.id != host\n  output: ran | %container.full_id %container.name %k8s.pod.uid\n  \
         priority: NOTICE\n"
    );
    let rules = rule(number, condition, &fields) + &short;
    let watch = watch(folder, &rules, Some(&containerd.socket()), LONG);

    let pod_config = PodConfig {
        metadata: Some(PodMetadata {
            name: "cart-0".to_owned(),
            uid: UID.to_owned(),
            namespace: "shop".to_owned(),
        }),
        log_directory: folder.display().to_string(),
        labels: map(&[
            ("app", "cart"),
            ("io.kubernetes.pod.name", "cart-0"),
            ("io.kubernetes.pod.namespace", "shop"),
            ("io.kubernetes.pod.uid", UID),
        ]),
        linux: Some(LinuxPod {
            cgroup_parent: format!("/{}/kubepods/besteffort/pod{UID}", groups.0),
            security_context: Some(SandboxSecurity {
                // No network of its own, for which plug-ins would be needed.
                namespace_options: Some(NamespaceOption {
                    network: 2,
                    pid: 1,
                    ipc: 0,
                }),
            }),
        }),
    };
    let request = RunPodRequest {
        config: Some(pod_config.clone()),
    };
    let pod: Name = match containerd.call("RuntimeService/RunPodSandbox", &request) {
        Ok(pod) => pod,
        Err(error) => {
            skipped(&format!("no pod can be run here: {error}"));
            return;
        }
    };
    containerd.pods.push(pod.text.clone());
    std::fs::create_dir(folder.join("data")).unwrap();
    let mount = |container_path: &str, host_path: &Path| BindMount {
        container_path: container_path.to_owned(),
        host_path: host_path.display().to_string(),
        readonly: true,
    };
    let start = |called: &str, command: &[&str], mounts: Vec<BindMount>| -> Name {
        let request = CreateContainerRequest {
            pod: pod.text.clone(),
            config: Some(ContainerConfig {
                metadata: Some(Name {
                    text: called.to_owned(),
                }),
                image: Some(Name { text: name.clone() }),
                command: command.iter().map(|word| (*word).to_owned()).collect(),
                mounts,
                labels: map(&[
                    ("tier", "front"),
                    ("io.kubernetes.container.name", called),
                    ("io.kubernetes.pod.name", "cart-0"),
                    ("io.kubernetes.pod.namespace", "shop"),
                    ("io.kubernetes.pod.uid", UID),
                ]),
                log_path: format!("{called}.log"),
                linux: Some(LinuxContainer {
                    security_context: Some(ContainerSecurity {
                        namespace_options: Some(NamespaceOption {
                            network: 2,
                            pid: 1,
                            ipc: 0,
                        }),
                    }),
                }),
            }),
            sandbox_config: Some(pod_config.clone()),
        };
        let container: Name = containerd
            .call("RuntimeService/CreateContainer", &request)
            .unwrap();
        containerd
            .call::<Name>("RuntimeService/StartContainer", &container)
            .unwrap();
        container
    };
    let script = format!("/bin/busybox true keep-{number}; exec /bin/busybox sleep 3600");
    let mounts = vec![
        mount("/data", &folder.join("data")),
        mount(
            "/var/run/secrets/kubernetes.io/serviceaccount",
            &folder.join(&volume),
        ),
    ];
    let container = start("app", &["/bin/busybox", "sh", "-c", &script], mounts);

    let fields = detected(&watch);
    let digest = image.parts().manifest.digest;
    let config = image.parts().config.digest;
    let data = folder.join("data");
    for (field, expected) in [
        ("container.id", json!(container.text[..12])),
        ("container.full_id", json!(container.text)),
        ("container.type", json!("containerd")),
        ("container.name", json!("app")),
        ("container.image", json!(name)),
        (
            "container.image.repository",
            json!("registry.example/hullward-pod-test"),
        ),
        ("container.image.tag", json!(number.to_string())),
        ("container.image.digest", json!(digest)),
        ("container.image.id", json!(config.strip_prefix("sha256:"))),
        ("container.privileged", json!(false)),
        ("container.host_network", json!(true)),
        ("container.host_pid", json!(false)),
        ("container.label[tier]", json!("front")),
        ("container.mount.dest[/*/data]", json!("/data")),
        ("container.mount.rdwr[/*/data]", json!("false")),
        ("k8s.pod.name", json!("cart-0")),
        ("k8s.ns.name", json!("shop")),
        ("k8s.pod.uid", json!(UID)),
        ("k8s.pod.label[app]", json!("cart")),
        ("k8s.pod.full_sandbox_id", json!(pod.text)),
        ("k8s.pod.service_account", json!("cart-account")),
        ("k8smeta.pod.name", json!("cart-0")),
    ] {
        assert_eq!(fields[field], expected, "{field} (data is {})", data.display());
    }
    let labels = fields["k8s.pod.labels"].as_str().unwrap();
    assert!(labels.contains("app:cart"), "{labels}");

    // Containers that end at once and are deleted while they are looked up.
    let mut deleted = BTreeMap::new();
    for turn in 0..8 {
        let called = format!("short-{turn}");
        let container = start(
            &called,
            &["/bin/busybox", "true", &format!("short-{number}")],
            Vec::new(),
        );
        until("end of a short container", || {
            let answer: Result<ContainerAnswer, String> =
                containerd.call("RuntimeService/ContainerStatus", &container);
            (answer.ok()?.status?.state == EXITED).then_some(())
        });
        containerd
            .call::<Name>("RuntimeService/RemoveContainer", &container)
            .unwrap();
        deleted.insert(container.text, called);
    }
    while !deleted.is_empty() {
        let alert = Watch::wait(&watch.stdout, "Short program of the test");
        let alert: Value = serde_json::from_str(&alert).unwrap();
        let fields = &alert["output_fields"];
        let called = deleted.remove(fields["container.full_id"].as_str().unwrap());
        let called = called.unwrap_or_else(|| panic!("not of the test: {alert}"));
        // What the control group says is known in any case, and the name is right or not known.
        assert_eq!(fields["k8s.pod.uid"], UID);
        let named = &fields["container.name"];
        assert!(named.is_null() || *named == called.as_str(), "{alert}");
    }
    watch.stop();

    // The bundle alone, and the namespaces that it names.
    std::os::unix::fs::symlink("/proc", folder.join("proc")).unwrap();
    let info = by_files(
        folder,
        &format!("/kubepods/besteffort/pod{UID}/{}", container.text),
    );
    assert_eq!((info.name.as_str(), info.image.as_str()), ("app", name.as_str()));
    let named = info.pod.unwrap();
    assert_eq!(
        (named.name.as_str(), named.namespace.as_str()),
        ("cart-0", "shop")
    );
    assert_eq!((named.uid.as_str(), named.sandbox_id), (UID, pod.text));
    assert_eq!((info.privileged, info.host_network), (Some(false), true));
    drop(containerd);
    drop(groups);
}

#[test]
fn a_container_of_ctr_is_named() {
    if missing(&["containerd", "containerd-shim-runc-v2", "ctr", "runc"]) {
        return;
    }
    let Some(busybox) = busybox() else { return };
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let number = number();
    let groups = Groups(format!("hullward-ctr-test-{number}"));
    let name = format!("registry.example/hullward-ctr-test:{number}");
    let layer = Layer::new("COPY busybox /bin/").program("bin/busybox", std::fs::read(busybox).unwrap());
    let image = Image::new(vec![layer]).tag(&name);
    let containerd = Containerd::start(folder, &name);
    containerd.import("default", &image);
    let fields = [
        "container.id",
        "container.type",
        "container.image",
        "container.image.digest",
        "container.label[tier]",
        "container.privileged",
    ];
    let condition = "container.image.repository = registry.example/hullward-ctr-test";
    let watch = watch(
        folder,
        &rule(number, condition, &fields),
        Some(&containerd.socket()),
        LONG,
    );
    // As nerdctl names containers.
    let id = format!("{number:08x}{}", "d".repeat(56));
    let script = format!("/bin/busybox true keep-{number}; exec /bin/busybox sleep 3600");
    let started = run(containerd
        .ctr("default")
        .args(["run", "--detach", "--label", "tier=front"])
        .arg("--runc-root")
        .arg(folder.join("runc"))
        .arg("--fifo-dir")
        .arg(folder.join("fifo"))
        .args(["--cgroup", &format!("/{}/default/{id}", groups.0)])
        .args([&name, &id, "/bin/busybox", "sh", "-c", &script]));
    if !started.status.success() {
        skipped(&format!("no container can be run here: {}", said(&started)));
        return;
    }
    let fields = detected(&watch);
    watch.stop();
    let info = by_files(folder, &format!("/default/{id}"));
    for command in [
        &["tasks", "kill", "--signal", "KILL"][..],
        &["tasks", "delete", "--force"],
        &["containers", "delete"],
    ] {
        let _ = run(containerd.ctr("default").args(command).arg(&id));
    }
    assert_eq!(fields["container.id"], id[..12]);
    assert_eq!(fields["container.type"], "containerd");
    assert_eq!(fields["container.image"], name.as_str());
    assert_eq!(fields["container.image.digest"], image.parts().manifest.digest);
    assert_eq!(fields["container.label[tier]"], "front");
    assert_eq!(fields["container.privileged"], false);
    assert_eq!((info.name.as_str(), info.privileged), (id.as_str(), Some(false)));
    drop(containerd);
    drop(groups);
}

// ---- runc by itself ---------------------------------------------------------------------------------------------------

/// A bundle of `runc` with the busybox of this host.
struct Bundle {
    folder: tempfile::TempDir,
    number: u32,
    groups: Groups,
}

impl Bundle {
    /// `None` when there can be no container here.
    fn prepare(name: &str) -> Option<Self> {
        if missing(&["runc"]) {
            return None;
        }
        let busybox = busybox()?;
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("rootfs");
        std::fs::create_dir_all(root.join("bin")).unwrap();
        std::fs::create_dir_all(root.join("proc")).unwrap();
        std::fs::copy(busybox, root.join("bin/busybox")).unwrap();
        let number = number();
        Some(Self {
            folder,
            number,
            groups: Groups(format!("hullward-{name}-test-{number}")),
        })
    }

    /// Runs a container until its input ends, or only as long as its program takes; `runc` keeps its state in `state`.
    fn run(&self, state: &Path, id: &str, group: &str, after: &str) -> Child {
        let script = format!("/bin/busybox true keep-{}; {after}", self.number);
        let specification = json!({
            "ociVersion": "1.0.2",
            "process": {
                "terminal": false,
                "user": {"uid": 0, "gid": 0},
                "args": ["/bin/busybox", "sh", "-c", script],
                "env": ["PATH=/bin"],
                "cwd": "/",
                "noNewPrivileges": true,
            },
            "root": {"path": "rootfs", "readonly": true},
            "annotations": {
                "io.kubernetes.cri.container-name": "app",
                "io.kubernetes.cri.image-name": "hullward-runc-test:1",
                "io.kubernetes.cri.sandbox-name": "cart-0",
                "io.kubernetes.cri.sandbox-namespace": "shop",
            },
            "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"}],
            "linux": {
                "cgroupsPath": format!("/{}/{group}", self.groups.0),
                "namespaces": [{"type": "pid"}, {"type": "ipc"}, {"type": "uts"}, {"type": "mount"}, {"type": "network"}],
            },
        });
        write(self.folder.path(), "config.json", &specification.to_string());
        Command::new("runc")
            .arg("--root")
            .arg(state)
            .args(["run", "--bundle"])
            .arg(self.folder.path())
            .arg(id)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }
}

/// The fields of the one detection, or how the container ended without one.
fn detected_in(watch: &Watch, mut container: Child, state: &Path, id: &str) -> Result<Value, String> {
    let deadline = Instant::now() + PATIENCE;
    let mut ended = None;
    let alert = loop {
        if let Ok(line) = watch.stdout.recv_timeout(Duration::from_millis(100)) {
            break Some(line);
        }
        // What happened in a container may be told after its end.
        ended = ended.or(container.try_wait().unwrap());
        if ended.is_some_and(|status| !status.success()) || Instant::now() > deadline {
            break None;
        }
    };
    drop(container.stdin.take());
    let output = container.wait_with_output().unwrap();
    let _ = run(Command::new("runc")
        .arg("--root")
        .arg(state)
        .args(["delete", "--force", id]));
    match alert {
        Some(alert) => {
            let alert: Value = serde_json::from_str(&alert).unwrap();
            Ok(alert["output_fields"].clone())
        }
        None if output.status.success() => panic!("nothing was detected"),
        None => Err(said(&output)),
    }
}

#[test]
fn pods_are_told_by_the_control_groups_that_the_kubelet_makes() {
    let Some(bundle) = Bundle::prepare("runc") else {
        return;
    };
    let (folder, number) = (bundle.folder.path(), bundle.number);
    // Where the watch looks for it.
    let state = Path::new("/run/runc");
    let unit = UID.replace('-', "_");
    let id = |form: char| format!("{number:08x}{}", form.to_string().repeat(56));
    // With the driver for cgroupfs, and with that for systemd.
    for (id, group) in [
        (id('a'), format!("kubepods/besteffort/pod{UID}/{}", id('a'))),
        (
            id('b'),
            format!(
                "kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod{unit}.slice/cri-containerd-{}.scope",
                id('b')
            ),
        ),
    ] {
        let fields = [
            "container.id",
            "container.name",
            "container.type",
            "k8s.pod.uid",
            "k8s.pod.name",
        ];
        let condition = "container.image.repository = hullward-runc-test";
        let watch = watch(folder, &rule(number, condition, &fields), None, LONG);
        let container = bundle.run(state, &id, &group, "read line");
        let fields = match detected_in(&watch, container, state, &id) {
            Ok(fields) => fields,
            Err(reason) => {
                skipped(&format!("no container can be run here: {reason}"));
                return;
            }
        };
        assert_eq!(fields["container.id"], id[..12]);
        assert_eq!(fields["container.name"], "app");
        assert_eq!(fields["container.type"], "runc");
        assert_eq!(fields["k8s.pod.uid"], UID);
        assert_eq!(fields["k8s.pod.name"], "cart-0");
        watch.stop();
    }
}

#[test]
fn a_container_that_is_gone_before_its_runtime_answers_is_told_by_what_is_known() {
    let Some(bundle) = Bundle::prepare("gone") else {
        return;
    };
    let (folder, number) = (bundle.folder.path(), bundle.number);
    // Takes connections and never answers.
    let socket = folder.join("hanging.sock");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let state = folder.join("state");
    let id = format!("{number:08x}{}", "c".repeat(56));
    let fields = [
        "container.id",
        "container.name",
        "container.type",
        "k8s.pod.uid",
        "k8s.pod.name",
    ];
    let watch = watch(
        folder,
        &rule(number, "container.id != host", &fields),
        Some(&socket),
        200,
    );
    let group = format!("kubepods/besteffort/pod{UID}/{id}");
    // It ends at once.
    let container = bundle.run(&state, &id, &group, "true");
    let fields = match detected_in(&watch, container, &state, &id) {
        Ok(fields) => fields,
        Err(reason) => {
            skipped(&format!("no container can be run here: {reason}"));
            return;
        }
    };
    assert_eq!(fields["container.id"], id[..12]);
    assert_eq!(fields["container.type"], "containerd");
    assert_eq!(fields["k8s.pod.uid"], UID);
    assert_eq!(fields["container.name"], Value::Null);
    assert_eq!(fields["k8s.pod.name"], Value::Null);
    watch.stop();
}

// ---- Podman -----------------------------------------------------------------------------------------------------------

/// A Podman with storage and socket of the test's own.
struct Podman {
    folder: PathBuf,
    service: Option<Child>,
}

impl Podman {
    fn command(&self) -> Command {
        let path = |name: &str| self.folder.join(name);
        let mut command = Command::new("podman");
        command
            .arg("--root")
            .arg(path("var/lib/containers/storage"))
            .arg("--runroot")
            .arg(path("run/containers/storage"))
            .arg("--tmpdir")
            .arg(path("tmp"))
            .args(["--storage-driver", "vfs", "--cgroup-manager", "cgroupfs"])
            .args(["--events-backend", "none", "--runtime", "runc"]);
        command
    }

    fn serve(&mut self) -> PathBuf {
        let socket = self.folder.join("podman.sock");
        let mut command = self.command();
        command
            .args(["system", "service", "--time", "0"])
            .arg(format!("unix://{}", socket.display()))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        self.service = Some(command.spawn().unwrap());
        until("socket of Podman", || socket.exists().then_some(()));
        socket
    }
}

impl Drop for Podman {
    fn drop(&mut self) {
        let _ = run(self.command().args(["rm", "--all", "--force", "--time", "0"]));
        if let Some(mut service) = self.service.take() {
            let _ = service.kill();
            let _ = service.wait();
        }
    }
}

#[test]
fn a_podman_container_is_named() {
    if missing(&["podman", "conmon", "runc"]) {
        return;
    }
    let Some(busybox) = busybox() else { return };
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let number = number();
    let groups = Groups(format!("hullward-podman-test-{number}"));
    let mut podman = Podman {
        folder: folder.to_owned(),
        service: None,
    };
    let layer = Layer::new("COPY busybox /bin/").program("bin/busybox", std::fs::read(busybox).unwrap());
    let archive = folder.join("root.tar");
    std::fs::write(&archive, layer.tar()).unwrap();
    let image = format!("localhost/hullward-podman-test:{number}");
    let imported = run(podman
        .command()
        .args(["import", "--quiet"])
        .arg(&archive)
        .arg(&image));
    if !imported.status.success() {
        skipped(&format!("Podman can import no image here: {}", said(&imported)));
        return;
    }
    let image_id = String::from_utf8(imported.stdout).unwrap();
    let socket = podman.serve();
    let fields = [
        "container.full_id",
        "container.type",
        "container.name",
        "container.image",
        "container.image.id",
        "container.image.tag",
        "container.privileged",
        "container.label[tier]",
        "container.mount.dest[/*/mounted]",
    ];
    let condition = "container.image.repository = localhost/hullward-podman-test";
    let watch = watch(folder, &rule(number, condition, &fields), Some(&socket), LONG);
    let name = format!("hullward-podman-test-{number}");
    std::fs::create_dir(folder.join("mounted")).unwrap();
    let started = run(podman
        .command()
        .args([
            "run",
            "--detach",
            "--network",
            "none",
            "--name",
            &name,
            "--label",
            "tier=front",
        ])
        .args(["--cgroup-parent", &format!("/{}", groups.0)])
        // Raising limits is not allowed everywhere.
        .args(["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024"])
        .arg("--volume")
        .arg(format!("{}:/inside:ro", folder.join("mounted").display()))
        .args([&image, "/bin/busybox", "sh", "-c"])
        .arg(format!(
            "/bin/busybox true keep-{number}; exec /bin/busybox sleep 3600"
        )));
    if !started.status.success() {
        skipped(&format!("Podman can run no container here: {}", said(&started)));
        return;
    }
    let fields = detected(&watch);
    assert_eq!(fields["container.type"], "podman");
    assert_eq!(fields["container.name"], name.as_str());
    assert_eq!(fields["container.image"], image.as_str());
    assert_eq!(fields["container.image.tag"], number.to_string());
    assert_eq!(
        fields["container.image.id"].as_str(),
        image_id.trim().strip_prefix("sha256:").or(Some(image_id.trim()))
    );
    assert_eq!(fields["container.privileged"], false);
    assert_eq!(fields["container.label[tier]"], "front");
    assert_eq!(fields["container.mount.dest[/*/mounted]"], "/inside");
    watch.stop();

    // The storage alone.
    let id = fields["container.full_id"].as_str().unwrap();
    let info = by_files(folder, &format!("/libpod_parent/libpod-{id}"));
    assert_eq!(
        (info.name.as_str(), info.image.as_str()),
        (name.as_str(), image.as_str())
    );
    assert_eq!(info.image_id, fields["container.image.id"].as_str().unwrap());
    assert_eq!(info.privileged, Some(false));
    let mounted = folder.join("mounted");
    let mount = info
        .mounts
        .iter()
        .find(|mount| mount.destination == "/inside")
        .unwrap();
    assert_eq!(
        (Path::new(&mount.source), mount.writable),
        (mounted.as_path(), false)
    );
}
