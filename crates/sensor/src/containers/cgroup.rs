//! Which container a control group belongs to, by its path.

use serde::{Deserialize, Serialize};

/// A container runtime, as far as the path of a control group tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Runtime {
    /// Docker.
    Docker,
    /// containerd, by itself or for Kubernetes.
    #[default]
    Containerd,
    /// CRI-O.
    #[serde(rename = "cri-o")]
    Crio,
    /// Podman.
    Podman,
    /// `runc` without a manager.
    Runc,
    /// BuildKit.
    Buildkit,
    /// LXC and its kin.
    Lxc,
}

impl Runtime {
    /// The name that `container.type` gives.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Containerd => "containerd",
            Self::Crio => "cri-o",
            Self::Podman => "podman",
            Self::Runc => "runc",
            Self::Buildkit => "buildkit",
            Self::Lxc => "lxc",
        }
    }

    /// Whether its daemon speaks the interface of Docker.
    pub(super) fn speaks_docker(self) -> bool {
        matches!(self, Self::Docker | Self::Podman)
    }
}

/// A container, as the path of its control group names it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Identity {
    /// Who runs it.
    pub runtime: Runtime,
    /// The whole identifier.
    pub full_id: String,
    /// The unique identifier of its pod, where the path has it.
    pub pod: Option<String>,
    /// The user whose systemd manages it, where the path has it: it runs without root.
    pub owner: Option<u32>,
}

impl Identity {
    /// The first 12 characters of the identifier.
    #[must_use]
    pub fn short(&self) -> &str {
        self.full_id
            .char_indices()
            .nth(12)
            .map_or(&self.full_id, |(end, _)| &self.full_id[..end])
    }
}

/// Prefixes of units and groups that managers make; what follows is the identifier.
const PREFIXES: [(&str, Runtime); 10] = [
    ("docker-", Runtime::Docker),
    ("cri-containerd-", Runtime::Containerd),
    ("containerd-", Runtime::Containerd),
    ("nerdctl-", Runtime::Containerd),
    ("crio-", Runtime::Crio),
    ("libpod-payload-", Runtime::Podman),
    ("libpod-", Runtime::Podman),
    ("podman-", Runtime::Podman),
    ("runc-", Runtime::Runc),
    ("buildkit-", Runtime::Buildkit),
];

/// Paths of control groups are looked at as far as this.
const MAXIMUM: usize = 4096;

/// The container that a control group belongs to; `None` on the host.
///
/// The innermost name of a container counts, so that containers in containers are told apart, and groups that a container
/// made within its own belong to it.
#[must_use]
pub fn identify(path: &[u8]) -> Option<Identity> {
    let path = std::str::from_utf8(path.get(..path.len().min(MAXIMUM))?).ok()?;
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let (at, runtime, id) = parts.iter().enumerate().rev().find_map(|(at, part)| {
        let (runtime, id) = named(&parts[..at], part)?;
        Some((at, runtime, id))
    })?;
    let pod = parts[..at].iter().rev().find_map(|part| pod(part));
    let owner = parts[..at].iter().find_map(|part| {
        let number = part.strip_prefix("user-")?.strip_suffix(".slice")?;
        number.parse().ok()
    });
    Some(Identity {
        runtime,
        full_id: id.to_owned(),
        pod,
        owner,
    })
}

fn named<'a>(before: &[&str], part: &'a str) -> Option<(Runtime, &'a str)> {
    let unit = part
        .strip_suffix(".scope")
        .or_else(|| part.strip_suffix(".service"));
    let name = unit.unwrap_or(part);
    // `slice:prefix:id` is how systemd's notation looks where the runtime takes it for a path.
    let mut colons = name.rsplitn(3, ':');
    if let (Some(id), Some(prefix), Some(_)) = (colons.next(), colons.next(), colons.next())
        && is_id(id)
    {
        let runtime = PREFIXES
            .iter()
            .find(|(known, _)| known.strip_suffix('-') == Some(prefix))?;
        return Some((runtime.1, id));
    }
    if is_id(name) {
        let parent = before.last().copied().unwrap_or_default();
        let runtime = match parent {
            "docker" => Runtime::Docker,
            "libpod_parent" | "libpod" => Runtime::Podman,
            "buildkit" => Runtime::Buildkit,
            "actions_job" => Runtime::Docker,
            _ if before.first() == Some(&"ecs") => Runtime::Docker,
            _ => Runtime::Containerd,
        };
        return Some((runtime, name));
    }
    if let Some((runtime, id)) = PREFIXES
        .iter()
        .find_map(|(prefix, runtime)| Some((*runtime, name.strip_prefix(prefix)?)))
    {
        // Managers of containers (`crio-conmon-…`, `libpod-conmon-…`) are not in them.
        return is_id(id).then_some((runtime, id));
    }
    let parent = before.last().copied().unwrap_or_default();
    if parent == "buildkit" && is_word(name) {
        return Some((Runtime::Buildkit, name));
    }
    if (parent == "lxc" || parent == "lxc.payload") && is_word(name) {
        return Some((Runtime::Lxc, name));
    }
    let lxc = name.strip_prefix("lxc.payload.")?;
    is_word(lxc).then_some((Runtime::Lxc, lxc))
}

fn pod(part: &str) -> Option<String> {
    let part = part.strip_suffix(".slice").unwrap_or(part);
    let uid = match part.strip_prefix("pod") {
        Some(uid) => uid,
        None if part.starts_with("kubepods") || part.contains("-kubepods") => part.rsplit_once("-pod")?.1,
        None => return None,
    };
    let uid = uid.replace('_', "-");
    (uid.len() >= 32 && uid.chars().all(|each| each.is_ascii_hexdigit() || each == '-')).then_some(uid)
}

fn is_id(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn is_word(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "3ad7b26ded6d2a5b2d5b8a1d1a0a4dd8b9a8c5c2d7d3a6e1f0b4c8d2e6f7a9b1";
    const OUTER: &str = "ffd7b26ded6d2a5b2d5b8a1d1a0a4dd8b9a8c5c2d7d3a6e1f0b4c8d2e6f7a9b1";

    #[test]
    fn paths_of_each_runtime() {
        let uid = "1b2c3d4e-0a0b-4c0d-8e0f-1a2b3c4d5e6f";
        let unit = uid.replace('-', "_");
        let table: &[(String, Runtime, Option<&str>, Option<u32>)] = &[
            (format!("/docker/{ID}"), Runtime::Docker, None, None),
            (format!("/docker/{ID}/init.scope"), Runtime::Docker, None, None),
            (
                format!("/docker/{ID}/system.slice/cron.service"),
                Runtime::Docker,
                None,
                None,
            ),
            (
                format!("/system.slice/docker-{ID}.scope"),
                Runtime::Docker,
                None,
                None,
            ),
            (
                format!("/user.slice/user-1000.slice/user@1000.service/user.slice/docker-{ID}.scope"),
                Runtime::Docker,
                None,
                Some(1000),
            ),
            (format!("/ecs/0123456789abcdef/{ID}"), Runtime::Docker, None, None),
            (
                format!("/docker/{OUTER}/docker/{ID}"),
                Runtime::Docker,
                None,
                None,
            ),
            (
                format!(
                    "/docker/{OUTER}/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod{unit}.slice/cri-containerd-{ID}.scope"
                ),
                Runtime::Containerd,
                Some(uid),
                None,
            ),
            (format!("/default/{ID}"), Runtime::Containerd, None, None),
            (format!("/k8s.io/{ID}"), Runtime::Containerd, None, None),
            (
                format!("/system.slice/nerdctl-{ID}.scope"),
                Runtime::Containerd,
                None,
                None,
            ),
            (
                format!("/kubepods/burstable/pod{uid}/{ID}"),
                Runtime::Containerd,
                Some(uid),
                None,
            ),
            (
                format!("/kubepods/besteffort/pod{uid}/{ID}"),
                Runtime::Containerd,
                Some(uid),
                None,
            ),
            (
                format!("/kubepods/pod{uid}/{ID}"),
                Runtime::Containerd,
                Some(uid),
                None,
            ),
            (
                format!(
                    "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{unit}.slice/cri-containerd-{ID}.scope"
                ),
                Runtime::Containerd,
                Some(uid),
                None,
            ),
            (
                format!("/kubepods.slice/kubepods-pod{unit}.slice/cri-containerd-{ID}.scope"),
                Runtime::Containerd,
                Some(uid),
                None,
            ),
            (
                format!(
                    "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod{unit}.slice/docker-{ID}.scope"
                ),
                Runtime::Docker,
                Some(uid),
                None,
            ),
            (
                format!(
                    "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod{unit}.slice/crio-{ID}.scope"
                ),
                Runtime::Crio,
                Some(uid),
                None,
            ),
            (
                format!(
                    "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod{unit}.slice/crio-{ID}.scope/container"
                ),
                Runtime::Crio,
                Some(uid),
                None,
            ),
            (
                format!("/kubepods/besteffort/pod{uid}/crio-{ID}"),
                Runtime::Crio,
                Some(uid),
                None,
            ),
            (
                format!(
                    "/system.slice/containerd.service/kubepods-burstable-pod{unit}.slice:cri-containerd:{ID}"
                ),
                Runtime::Containerd,
                None,
                None,
            ),
            (
                format!("/machine.slice/libpod-{ID}.scope"),
                Runtime::Podman,
                None,
                None,
            ),
            (
                format!("/machine.slice/libpod-{ID}.scope/container"),
                Runtime::Podman,
                None,
                None,
            ),
            (format!("/libpod_parent/libpod-{ID}"), Runtime::Podman, None, None),
            (
                format!(
                    "/user.slice/user-1001.slice/user@1001.service/user.slice/libpod-{ID}.scope/container"
                ),
                Runtime::Podman,
                None,
                Some(1001),
            ),
            (
                format!("/user.slice/user-0.slice/session-1.scope/libpod-payload-{ID}"),
                Runtime::Podman,
                None,
                Some(0),
            ),
        ];
        for (path, runtime, pod, owner) in table {
            let identity = identify(path.as_bytes()).unwrap_or_else(|| panic!("{path}"));
            assert_eq!(identity.full_id, ID, "{path}");
            assert_eq!(identity.short(), "3ad7b26ded6d");
            assert_eq!(identity.runtime, *runtime, "{path}");
            assert_eq!(identity.pod.as_deref(), *pod, "{path}");
            assert_eq!(identity.owner, *owner, "{path}");
        }
    }

    #[test]
    fn names_that_are_no_digests() {
        for (path, runtime, id) in [
            (
                "/docker/buildkit/k8fvp4q0zjvg1kcn6dwa0kyhw",
                Runtime::Buildkit,
                "k8fvp4q0zjvg1kcn6dwa0kyhw",
            ),
            ("/lxc.payload.web", Runtime::Lxc, "web"),
            ("/lxc/web/system.slice", Runtime::Lxc, "web"),
        ] {
            let identity = identify(path.as_bytes()).unwrap_or_else(|| panic!("{path}"));
            assert_eq!((identity.runtime, identity.full_id.as_str()), (runtime, id));
        }
    }

    #[test]
    fn groups_of_the_host() {
        for path in [
            "/".to_owned(),
            String::new(),
            "/init.scope".to_owned(),
            "/system.slice/docker.service".to_owned(),
            "/user.slice/user-1000.slice/session-3.scope".to_owned(),
            format!("/system.slice/crio-conmon-{ID}.scope"),
            format!("/machine.slice/libpod-conmon-{ID}.scope"),
            "/kubepods/burstable/pod1b2c3d4e-0a0b-4c0d-8e0f-1a2b3c4d5e6f".to_owned(),
            format!("/docker/{}", &ID[1..]),
            format!("/docker/{}", ID.to_uppercase()),
        ] {
            assert_eq!(identify(path.as_bytes()), None, "{path}");
        }
        assert_eq!(identify(b"/docker/\xff\xfe"), None);
    }
}
