//! What the runtimes' own files say of a container: no daemon needs to answer.

use super::info::{ContainerInfo, Mount, Pod};
use super::{Identity, Runtime};
use crate::host_files;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const MAXIMUM_FILE: u64 = 4 << 20;
/// The list of all containers of a storage is one file.
const MAXIMUM_LIST: u64 = 32 << 20;
const MAXIMUM_NAMES: usize = 4096;

/// Everything that files below `root` say of a container; `None` when there are none.
pub(super) fn read(root: &Path, identity: &Identity) -> Option<ContainerInfo> {
    let mut info = match identity.runtime {
        Runtime::Docker => docker(root, identity).or_else(|| bundle(root, identity)),
        Runtime::Podman | Runtime::Crio => storage(root, identity),
        // The path of a group in `kubepods` does not tell the runtime.
        Runtime::Containerd => bundle(root, identity)
            .or_else(|| storage(root, identity))
            .or_else(|| docker(root, &as_of(identity, Runtime::Docker)))
            .or_else(|| runc_state(root, &as_of(identity, Runtime::Runc))),
        Runtime::Runc => runc_state(root, identity),
        Runtime::Buildkit | Runtime::Lxc => None,
    }?;
    info.take_kubelet_labels();
    if let Some(pod) = &mut info.pod {
        if pod.uid.is_empty() {
            pod.uid = identity.pod.clone().unwrap_or_default();
        }
        if pod.ip.is_none() {
            pod.ip.clone_from(&info.ip);
        }
        let etc_hosts = |mount: &&Mount| mount.destination == "/etc/hosts";
        if pod.ip.is_none()
            && let Some(mount) = info.mounts.iter().find(etc_hosts)
        {
            pod.ip = address_in_hosts(root, &mount.source);
        }
        // Containers of a pod share its address.
        if info.ip.is_none() {
            info.ip.clone_from(&pod.ip);
        }
    }
    take_service_account(root, &mut info);
    Some(info)
}

/// Whether any file that is read here tells of containers of a runtime.
pub(super) fn tell_of(runtime: Runtime) -> bool {
    !matches!(runtime, Runtime::Buildkit | Runtime::Lxc)
}

fn as_of(identity: &Identity, runtime: Runtime) -> Identity {
    Identity {
        runtime,
        ..identity.clone()
    }
}

/// Where programs in pods find what proves who they are.
const ACCOUNT_FOLDER: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// The account of a pod, which no runtime is told, is the subject of the token that the kubelet mounts into its containers.
/// Only the name is kept.
pub(super) fn take_service_account(root: &Path, info: &mut ContainerInfo) {
    let Some(pod) = info.pod.as_mut().filter(|pod| pod.service_account.is_none()) else {
        return;
    };
    let mount = info
        .mounts
        .iter()
        .find(|mount| mount.destination == ACCOUNT_FOLDER);
    // Elsewhere than in the kubelet's own folder, what looks like a token may be of the pod's own making.
    let folder = mount.map(|mount| mount.source.as_str()).filter(|source| {
        let volumes = format!("/pods/{}/volumes/kubernetes.io~", pod.uid);
        !pod.uid.is_empty() && source.contains(&volumes) && !source.contains("/../")
    });
    let Some(folder) = folder.and_then(|folder| folder.strip_prefix('/')) else {
        return;
    };
    let token = host_files::read_below(&root.join(folder), "token", 64 << 10);
    pod.service_account = token.ok().and_then(|token| subject(&token, &pod.namespace));
}

/// The account that a token was made for, if it is of this namespace.
fn subject(token: &[u8], namespace: &str) -> Option<String> {
    let claims = token.split(|byte| *byte == b'.').nth(1)?;
    let claims = base64::Engine::decode(&base64::prelude::BASE64_URL_SAFE_NO_PAD, claims).ok()?;
    let claims: Value = serde_json::from_slice(&claims).ok()?;
    let subject = text(&claims, "/sub").strip_prefix("system:serviceaccount:")?;
    let (of, account) = subject.split_once(':')?;
    (of == namespace && !account.is_empty()).then(|| account.to_owned())
}

/// `ctr` and other clients of containerd name containers as they like, and the group after them: there is a container if
/// containerd keeps a bundle of that name.
pub(super) fn plain_containerd(root: &Path, path: &[u8]) -> Option<Identity> {
    let path = std::str::from_utf8(path).ok()?;
    let parts: Vec<&str> = path.rsplit('/').take(4).collect();
    parts.windows(2).find_map(|pair| {
        let [name, namespace] = pair else { return None };
        let words = is_name(name) && is_name(namespace);
        let known =
            words && tasks(root).any(|tasks| tasks.join(namespace).join(name).join("config.json").exists());
        known.then(|| Identity {
            runtime: Runtime::Containerd,
            full_id: (*name).to_owned(),
            pod: None,
            owner: None,
        })
    })
}

/// What can name one folder.
fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 255
        && name != "."
        && name != ".."
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_+-.".contains(&byte))
}

/// The namespaces in which containerd runs anything now, the usual ones before others.
pub(super) fn containerd_namespaces(root: &Path) -> Vec<String> {
    let mut namespaces: Vec<String> = ["default", "k8s.io", "moby"].map(str::to_owned).to_vec();
    for tasks in tasks(root) {
        let names = host_files::names(&tasks, 64).unwrap_or_default();
        let others = names.into_iter().filter(|name| !namespaces.contains(name));
        namespaces.extend(others.collect::<Vec<_>>());
    }
    namespaces
}

/// Plain `runc` names groups as it likes: the container is one if the folder of its state has that name.
pub(super) fn plain_runc(root: &Path, path: &[u8]) -> Option<Identity> {
    let path = std::str::from_utf8(path).ok()?;
    path.rsplit('/').take(4).find_map(|part| {
        let name = part.strip_suffix(".scope").unwrap_or(part);
        let name = name.strip_prefix("runc-").unwrap_or(name);
        let known = is_name(name) && root.join("run/runc").join(name).join("state.json").exists();
        known.then(|| Identity {
            runtime: Runtime::Runc,
            full_id: name.to_owned(),
            pod: None,
            owner: None,
        })
    })
}

fn json(path: &Path, limit: u64) -> Option<Value> {
    serde_json::from_slice(&host_files::read(path, limit).ok()?).ok()
}

pub(super) fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn texts(value: Option<&Value>) -> Vec<String> {
    let items = value
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default();
    items
        .iter()
        .filter_map(|item| item.as_str().map(str::to_owned))
        .collect()
}

fn text_map(value: Option<&Value>) -> BTreeMap<String, String> {
    let map = value.and_then(Value::as_object);
    map.into_iter()
        .flatten()
        .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
        .collect()
}

/// Nanoseconds since the Unix epoch of an RFC 3339 time; none for the year 1 that stands for "never".
pub(super) fn time(text: &str) -> Option<i64> {
    let time: jiff::Timestamp = text.parse().ok()?;
    i64::try_from(time.as_nanosecond()).ok().filter(|time| *time > 0)
}

fn address_in_hosts(root: &Path, source: &str) -> Option<String> {
    let path = root.join(source.strip_prefix('/')?);
    let bytes = host_files::read(&path, 64 << 10).ok()?;
    let hosts = String::from_utf8(bytes).ok()?;
    // The kubelet writes the pod's own address last.
    hosts
        .lines()
        .filter_map(|line| line.split_ascii_whitespace().next())
        .filter_map(|word| word.parse::<core::net::IpAddr>().ok())
        .rfind(|ip| !ip.is_loopback() && !ip.is_multicast() && !ip.is_unspecified() && !is_local6(*ip))
        .map(|ip| ip.to_string())
}

fn is_local6(ip: core::net::IpAddr) -> bool {
    matches!(ip, core::net::IpAddr::V6(ip) if ip.segments()[0] & 0xfe00 == 0xfe00)
}

// ---- Docker -----------------------------------------------------------------------------------------------------------

fn docker(root: &Path, identity: &Identity) -> Option<ContainerInfo> {
    docker_roots(root, identity.owner).into_iter().find_map(|folder| {
        let folder_of_container = folder.join("containers").join(&identity.full_id);
        let config = json(&folder_of_container.join("config.v2.json"), MAXIMUM_FILE)?;
        let host = json(&folder_of_container.join("hostconfig.json"), MAXIMUM_FILE);
        let mut info = docker_description(identity, &config, host.as_ref());
        if info.digest.is_empty() && !info.image_id.is_empty() {
            info.digest = docker_digest(&folder, &info.image_id).unwrap_or_default();
        }
        if let Some(sandbox) = sandbox_of(&info, identity) {
            let config = folder
                .join("containers")
                .join(&sandbox.full_id)
                .join("config.v2.json");
            if let Some(config) = json(&config, MAXIMUM_FILE) {
                let told = docker_description(&sandbox, &config, None);
                // The configuration of the pod is left with its sandbox, and names the container.
                let applied = applied(&told.labels).cloned();
                info.take_sandbox(told);
                if let Some(applied) = applied {
                    take_applied(&mut info, &applied);
                }
            }
        }
        Some(info)
    })
}

/// The sandbox of the pod that a container is in, if it is another container.
fn sandbox_of(info: &ContainerInfo, identity: &Identity) -> Option<Identity> {
    let id = &info.pod.as_ref()?.sandbox_id;
    (is_name(id) && *id != identity.full_id).then(|| Identity {
        full_id: id.clone(),
        ..identity.clone()
    })
}

/// The configuration of the pod, as Docker's labels have it under a name of their own.
fn applied(labels: &BTreeMap<String, String>) -> Option<&String> {
    labels
        .get(&format!("annotation.{APPLIED}"))
        .or_else(|| labels.get(APPLIED))
}

fn docker_roots(root: &Path, owner: Option<u32>) -> Vec<PathBuf> {
    let mut roots = vec![root.join("var/lib/docker")];
    // The daemon's own settings may name another folder.
    if let Some(settings) = json(&root.join("etc/docker/daemon.json"), MAXIMUM_FILE)
        && let Some(folder) = settings.get("data-root").and_then(Value::as_str)
        && let Some(folder) = folder.strip_prefix('/')
    {
        roots.insert(0, root.join(folder));
    }
    if let Some(home) = owner.and_then(|owner| home_of(root, owner)) {
        roots.push(home.join(".local/share/docker"));
    }
    roots
}

fn home_of(root: &Path, owner: u32) -> Option<PathBuf> {
    let passwd = host_files::read_below(root, "etc/passwd", 1 << 20).ok()?;
    let table = crate::state::UserTable::parse(&passwd, b"");
    let home = table.users.get(&owner)?.home.strip_prefix('/')?.to_owned();
    Some(root.join(home))
}

/// The digest under which the image came from its registry.
fn docker_digest(folder: &Path, image_id: &str) -> Option<String> {
    let drivers = host_files::names(&folder.join("image"), MAXIMUM_NAMES).ok()?;
    drivers.iter().find_map(|driver| {
        let list = json(
            &folder.join("image").join(driver).join("repositories.json"),
            MAXIMUM_LIST,
        )?;
        let repositories = list.get("Repositories")?.as_object()?;
        let mut names = repositories.values().filter_map(Value::as_object).flatten();
        names.find_map(|(name, id)| {
            let digest = name.split_once('@')?.1;
            (id.as_str()?.strip_prefix("sha256:")? == image_id).then(|| digest.to_owned())
        })
    })
}

/// Reads what Docker's configuration file of a container and its `inspect` both say, in one of two spellings.
pub(super) fn docker_description(identity: &Identity, value: &Value, host: Option<&Value>) -> ContainerInfo {
    let mut info = ContainerInfo::of(identity);
    let host = host.or_else(|| value.get("HostConfig")).unwrap_or(&Value::Null);
    text(value, "/Name")
        .trim_start_matches('/')
        .clone_into(&mut info.name);
    let image = text(value, "/Config/Image");
    // Podman says `ImageName`, and its `Config.Image` is that, too.
    let image = if image.is_empty() {
        text(value, "/ImageName")
    } else {
        image
    };
    let id = text(value, "/Image");
    id.strip_prefix("sha256:")
        .unwrap_or(id)
        .clone_into(&mut info.image_id);
    if !image.is_empty() && !image.starts_with("sha256:") && !info.image_id.starts_with(image) {
        info.set_image(image);
    }
    text(value, "/ImageDigest").clone_into(&mut info.digest);
    text(value, "/Config/User").clone_into(&mut info.user);
    info.labels = text_map(value.pointer("/Config/Labels"));
    info.environment = texts(value.pointer("/Config/Env"));
    info.privileged = host.get("Privileged").and_then(Value::as_bool);
    info.host_pid = text(host, "/PidMode") == "host";
    info.host_network = text(host, "/NetworkMode") == "host";
    info.host_ipc = text(host, "/IpcMode") == "host";
    info.created = time(text(value, "/Created"));
    info.started = time(text(value, "/State/StartedAt"));
    let own = text(value, "/NetworkSettings/IPAddress");
    let networks = value
        .pointer("/NetworkSettings/Networks")
        .and_then(Value::as_object);
    let mut addresses = networks
        .into_iter()
        .flatten()
        .map(|(_, network)| text(network, "/IPAddress"));
    info.ip = std::iter::once(own)
        .chain(&mut addresses)
        .find(|address| !address.is_empty())
        .map(str::to_owned);
    let check = texts(value.pointer("/Config/Healthcheck/Test"));
    if !check.is_empty() {
        info.healthcheck = Some(check);
    }
    let mounts: Box<dyn Iterator<Item = &Value>> = match (value.get("Mounts"), value.get("MountPoints")) {
        (Some(Value::Array(mounts)), _) => Box::new(mounts.iter()),
        (_, Some(Value::Object(mounts))) => Box::new(mounts.values()),
        _ => Box::new(std::iter::empty()),
    };
    info.mounts = mounts
        .map(|mount| Mount {
            source: text(mount, "/Source").to_owned(),
            destination: text(mount, "/Destination").to_owned(),
            mode: first_text(&[text(mount, "/Mode"), text(mount, "/Relabel")]).to_owned(),
            writable: mount.get("RW").and_then(Value::as_bool).unwrap_or(false),
            propagation: text(mount, "/Propagation").to_owned(),
        })
        .collect();
    if let Some(applied) = applied(&info.labels).cloned() {
        take_applied(&mut info, &applied);
    }
    info.take_kubelet_labels();
    if info.is_sandbox
        && let Some(pod) = &mut info.pod
    {
        // Annotations are labels, too.
        let own = info
            .labels
            .iter()
            .filter(|(name, _)| !name.starts_with("annotation."));
        pod.labels = own.map(|(name, value)| (name.clone(), value.clone())).collect();
        pod.sandbox_id.clone_from(&info.full_id);
        pod.ip.clone_from(&info.ip);
    }
    info
}

fn first_text<'a>(texts: &[&'a str]) -> &'a str {
    texts
        .iter()
        .copied()
        .find(|text| !text.is_empty())
        .unwrap_or_default()
}

/// The annotation in which `kubectl apply` leaves the whole configuration of a pod.
pub(super) const APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Takes what nobody else tells from the configuration of the container's pod: probes, and the account.
pub(super) fn take_applied(info: &mut ContainerInfo, applied: &str) {
    let Ok(applied) = serde_json::from_str::<Value>(applied) else {
        return;
    };
    let spec = applied
        .pointer("/spec/template/spec")
        .or_else(|| applied.pointer("/spec"))
        .unwrap_or(&Value::Null);
    let name = info
        .labels
        .get("io.kubernetes.container.name")
        .unwrap_or(&info.name)
        .clone();
    let containers = spec
        .get("containers")
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default();
    if let Some(container) = containers
        .iter()
        .find(|container| text(container, "/name") == name)
    {
        let command = |probe: &str| -> Option<Vec<String>> {
            let command = texts(container.pointer(&format!("/{probe}/exec/command")));
            (!command.is_empty()).then_some(command)
        };
        let (liveness, readiness) = (command("livenessProbe"), command("readinessProbe"));
        info.liveness_probe = liveness.or(info.liveness_probe.take());
        info.readiness_probe = readiness.or(info.readiness_probe.take());
    }
    let account = text(spec, "/serviceAccountName").to_owned();
    if !account.is_empty() {
        info.pod.get_or_insert_default().service_account = Some(account);
    }
}

// ---- Bundles of the Open Container Initiative -------------------------------------------------------------------------

/// A bundle that containerd keeps while the container runs.
fn bundle(root: &Path, identity: &Identity) -> Option<ContainerInfo> {
    tasks(root).find_map(|tasks| {
        let namespaces = host_files::names(&tasks, MAXIMUM_NAMES).ok()?;
        namespaces.iter().find_map(|namespace| {
            let config = json(
                &tasks.join(namespace).join(&identity.full_id).join("config.json"),
                MAXIMUM_FILE,
            )?;
            let mut info = oci_description(identity, &config);
            take_shared_namespaces(root, &mut info, &config);
            if info.name.is_empty() {
                info.name.clone_from(&identity.full_id);
            }
            Some(info)
        })
    })
}

/// Containers of a pod join the namespaces of its sandbox, which may be the host's.
fn take_shared_namespaces(root: &Path, info: &mut ContainerInfo, config: &Value) {
    let namespaces = config.pointer("/linux/namespaces").and_then(Value::as_array);
    for namespace in namespaces.into_iter().flatten() {
        let (shared, own) = match text(namespace, "/type") {
            "pid" => (&mut info.host_pid, "pid"),
            "network" => (&mut info.host_network, "net"),
            "ipc" => (&mut info.host_ipc, "ipc"),
            _ => continue,
        };
        let Some(path) = text(namespace, "/path").strip_prefix('/') else {
            continue;
        };
        let joined = host_files::read_link(&root.join(path));
        // Not everybody may look at the first process; this one is seldom elsewhere.
        let hosts = ["proc/1/ns", "proc/self/ns"].map(|folder| root.join(folder).join(own));
        let hosts = hosts.iter().find_map(|path| host_files::read_link(path).ok());
        if let (Ok(joined), Some(hosts)) = (joined, hosts) {
            *shared |= joined == hosts;
        }
    }
}

/// Where containerd keeps the bundles of what runs: by itself, of k3s and RKE2, of k0s, of MicroK8s.
fn tasks(root: &Path) -> impl Iterator<Item = PathBuf> {
    let states = [
        "run/containerd",
        "run/k3s/containerd",
        "run/k0s/containerd",
        "var/snap/microk8s/common/run/containerd",
    ];
    states
        .into_iter()
        .map(|state| root.join(state).join("io.containerd.runtime.v2.task"))
}

/// The state that `runc` keeps for containers that it was told to run by hand.
fn runc_state(root: &Path, identity: &Identity) -> Option<ContainerInfo> {
    let state = json(
        &root.join("run/runc").join(&identity.full_id).join("state.json"),
        MAXIMUM_FILE,
    )?;
    let labels = texts(state.pointer("/config/labels"));
    let folder = labels.iter().find_map(|label| label.strip_prefix("bundle="));
    let config = folder
        .and_then(|folder| Some(root.join(folder.strip_prefix('/')?)))
        .and_then(|folder| json(&folder.join("config.json"), MAXIMUM_FILE));
    let mut info = match &config {
        Some(config) => oci_description(identity, config),
        None => ContainerInfo::of(identity),
    };
    if let Some(config) = &config {
        take_shared_namespaces(root, &mut info, config);
    }
    if info.name.is_empty() {
        info.name.clone_from(&identity.full_id);
    }
    info.started = time(text(&state, "/created"));
    info.created = info.created.or(info.started);
    Some(info)
}

/// Reads `config.json` of a bundle, annotations of containerd, CRI-O, Podman and nerdctl included.
pub(super) fn oci_description(identity: &Identity, config: &Value) -> ContainerInfo {
    let mut info = ContainerInfo::of(identity);
    let annotations = text_map(config.get("annotations"));
    let annotation = |names: &[&str]| -> String {
        names
            .iter()
            .find_map(|name| annotations.get(*name).filter(|value| !value.is_empty()))
            .cloned()
            .unwrap_or_default()
    };
    info.name = annotation(&[
        "io.kubernetes.cri.container-name",
        "io.kubernetes.cri-o.Name",
        "io.kubernetes.container.name",
        "nerdctl/name",
        "io.podman.annotations.name",
        "org.hullward.name",
    ]);
    let image = annotation(&[
        "io.kubernetes.cri.image-name",
        "io.kubernetes.cri-o.ImageName",
        "io.kubernetes.cri-o.UserRequestedImage",
        "org.opencontainers.image.ref.name",
        "nerdctl/image",
    ]);
    if !image.is_empty() && !image.starts_with("sha256:") {
        info.set_image(&image);
    }
    let image_id = annotation(&["io.kubernetes.cri-o.Image", "io.kubernetes.cri-o.ImageRef"]);
    image_id
        .strip_prefix("sha256:")
        .unwrap_or(&image_id)
        .clone_into(&mut info.image_id);
    let name = annotation(&[
        "io.kubernetes.cri.sandbox-name",
        "io.kubernetes.cri-o.KubeName",
        "io.kubernetes.pod.name",
    ]);
    if !name.is_empty() {
        info.pod = Some(Pod {
            name,
            namespace: annotation(&[
                "io.kubernetes.cri.sandbox-namespace",
                "io.kubernetes.cri-o.Namespace",
                "io.kubernetes.pod.namespace",
            ]),
            uid: annotation(&["io.kubernetes.cri.sandbox-uid", "io.kubernetes.pod.uid"]),
            sandbox_id: annotation(&["io.kubernetes.cri.sandbox-id", "io.kubernetes.cri-o.SandboxID"]),
            ip: Some(annotation(&["io.kubernetes.cri-o.IP.0"])).filter(|ip| !ip.is_empty()),
            ..Pod::default()
        });
    }
    info.is_sandbox = matches!(
        annotation(&[
            "io.kubernetes.cri.container-type",
            "io.kubernetes.cri-o.ContainerType"
        ])
        .as_str(),
        "sandbox"
    );
    let cni = annotation(&["io.kubernetes.cri-o.CNIResult"]);
    info.cni = Some(cni).filter(|cni| !cni.is_empty());
    info.created = time(&annotation(&["io.kubernetes.cri-o.Created"]));
    info.environment = texts(config.pointer("/process/env"));
    let uid = config.pointer("/process/user/uid").and_then(Value::as_u64);
    info.user = uid.map(|uid| uid.to_string()).unwrap_or_default();
    info.privileged = Some(has_all_rights(config));
    let own_namespace = |kind: &str| {
        let namespaces = config.pointer("/linux/namespaces").and_then(Value::as_array);
        namespaces
            .into_iter()
            .flatten()
            .any(|namespace| text(namespace, "/type") == kind)
    };
    info.host_pid = !own_namespace("pid");
    info.host_network = !own_namespace("network");
    info.host_ipc = !own_namespace("ipc");
    let mounts = config.get("mounts").and_then(Value::as_array);
    // What makes every container (`/proc`, `/dev` ...) shows nothing of the host.
    let bound = |mount: &&Value| {
        text(mount, "/type") == "bind"
            || texts(mount.get("options"))
                .iter()
                .any(|option| option == "bind" || option == "rbind")
    };
    info.mounts = mounts
        .into_iter()
        .flatten()
        .filter(bound)
        .map(oci_mount)
        .collect();
    if let Some(applied) = annotations.get(APPLIED) {
        take_applied(&mut info, applied);
    } else if let Some(annotations) = annotations.get("io.kubernetes.cri-o.Annotations") {
        let annotations: Value = serde_json::from_str(annotations).unwrap_or_default();
        if let Some(applied) = annotations.get(APPLIED).and_then(Value::as_str) {
            take_applied(&mut info, applied);
        }
    }
    info.labels = match annotations.get("io.kubernetes.cri-o.Labels") {
        Some(labels) => {
            let labels: Value = serde_json::from_str(labels).unwrap_or_default();
            text_map(Some(&labels))
        }
        // Without a manager, annotations are the only labels that there are.
        None if identity.runtime == Runtime::Runc => annotations,
        // Of the kubelet's pods, labels are what its manager keeps elsewhere.
        None => BTreeMap::new(),
    };
    if info.is_sandbox
        && let Some(pod) = &mut info.pod
    {
        pod.labels.clone_from(&info.labels);
    }
    info
}

/// What runtimes do for "privileged": all capabilities, nothing masked or read-only.
fn has_all_rights(config: &Value) -> bool {
    let capabilities = texts(config.pointer("/process/capabilities/bounding"));
    let is_empty = |pointer: &str| {
        config
            .pointer(pointer)
            .and_then(Value::as_array)
            .is_none_or(Vec::is_empty)
    };
    capabilities.len() >= 37
        && capabilities.iter().any(|name| name == "CAP_SYS_ADMIN")
        && is_empty("/linux/maskedPaths")
        && is_empty("/linux/readonlyPaths")
}

fn oci_mount(mount: &Value) -> Mount {
    let options = texts(mount.get("options"));
    let spreads = |option: &&String| {
        matches!(
            option.trim_start_matches('r'),
            "private" | "shared" | "slave" | "unbindable"
        )
    };
    Mount {
        source: text(mount, "/source").to_owned(),
        destination: text(mount, "/destination").to_owned(),
        mode: String::new(),
        writable: !options.iter().any(|option| option == "ro"),
        propagation: options.iter().find(spreads).cloned().unwrap_or_default(),
    }
}

// ---- Storage that Podman and CRI-O share ------------------------------------------------------------------------------

fn storage(root: &Path, identity: &Identity) -> Option<ContainerInfo> {
    let mut roots = vec![
        root.join("var/lib/containers/storage"),
        root.join("run/containers/storage"),
    ];
    if let Some(owner) = identity.owner
        && let Some(home) = home_of(root, owner)
    {
        roots.insert(0, home.join(".local/share/containers/storage"));
        roots.push(root.join(format!("run/user/{owner}/containers")));
    }
    let mut found: Option<ContainerInfo> = None;
    for storage in roots {
        for driver in ["overlay", "vfs", "btrfs"] {
            let containers = storage.join(format!("{driver}-containers"));
            let config = containers.join(&identity.full_id).join("userdata/config.json");
            let of_bundle = json(&config, MAXIMUM_FILE).map(|config| {
                let mut info = oci_description(identity, &config);
                take_shared_namespaces(root, &mut info, &config);
                if let Some(sandbox) = sandbox_of(&info, identity) {
                    let config = containers.join(&sandbox.full_id).join("userdata/config.json");
                    if let Some(config) = json(&config, MAXIMUM_FILE) {
                        info.take_sandbox(oci_description(&sandbox, &config));
                    }
                }
                info
            });
            let of_list = json(&containers.join("containers.json"), MAXIMUM_LIST)
                .and_then(|list| listed(identity, &list));
            for info in [of_bundle, of_list].into_iter().flatten() {
                found = Some(match found {
                    Some(before) => before.or(info),
                    None => info,
                });
            }
        }
    }
    found
}

fn listed(identity: &Identity, list: &Value) -> Option<ContainerInfo> {
    let entry = list
        .as_array()?
        .iter()
        .find(|entry| text(entry, "/id") == identity.full_id)?;
    let mut info = ContainerInfo::of(identity);
    entry
        .pointer("/names/0")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .clone_into(&mut info.name);
    text(entry, "/image").clone_into(&mut info.image_id);
    info.created = time(text(entry, "/created"));
    let metadata: Value = serde_json::from_str(text(entry, "/metadata")).unwrap_or_default();
    let image = text(&metadata, "/image-name");
    if !image.is_empty() && !image.starts_with("sha256:") {
        info.set_image(image);
    }
    let pod = text(&metadata, "/pod-name");
    if !pod.is_empty() {
        info.pod = Some(Pod {
            name: pod.to_owned(),
            namespace: text(&metadata, "/namespace").to_owned(),
            uid: text(&metadata, "/uid").to_owned(),
            sandbox_id: text(&metadata, "/pod-id").to_owned(),
            ..Pod::default()
        });
    }
    Some(info)
}
