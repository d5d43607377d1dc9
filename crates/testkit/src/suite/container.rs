//! Containers for tests: by Docker, or by runc alone from a bundle that the runner writes.

use super::description::Container;
use super::machine::Machine;
use serde_json::json;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// The leaf's program in the image.
pub(super) const LEAF: &str = "/usr/bin/suite-leaf";

/// The names that the format gives an image and a container that have none.
const DEFAULT_IMAGE: &str = "docker.io/falcosecurity/event-generator:latest";
const DEFAULT_NAME: &str = "event-generator";

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// Docker if its daemon answers, else runc.
    Auto,
    /// Docker.
    Docker,
    /// runc alone.
    Runc,
}

/// Makes containers.
pub struct Place {
    runtime: Runtime,
    folder: PathBuf,
    root: PathBuf,
    /// What containers lack of all privileges, when they lack something.
    lacks: Option<String>,
    /// The capabilities that this machine lets a container have.
    capabilities: Vec<String>,
}

enum Runtime {
    Docker {
        image: String,
        /// Names that were given to the image.
        tags: RefCell<BTreeSet<String>>,
        /// What makes a container as privileged as it can be.
        rights: Vec<String>,
    },
    Runc,
}

/// A container that runs; it is removed with this.
pub struct Running {
    kind: RunningKind,
    removed: bool,
}

enum RunningKind {
    Docker { name: String },
    Runc { id: String, bundle: PathBuf },
}

impl Place {
    /// Prepares what makes containers. `capabilities` are those that there can be, `folder` is the run's folder.
    ///
    /// # Errors
    /// Why there can be none: this is what tests that need one are skipped for.
    pub fn prepare(
        choice: Choice,
        root: bool,
        capabilities: u64,
        folder: &Path,
        leaf: &Path,
    ) -> Result<Self, String> {
        if !root {
            return Err("containers need root".to_owned());
        }
        let path = folder.join("rootfs");
        build_root(&path, leaf)?;
        let mut place = Self {
            runtime: Runtime::Runc,
            folder: folder.to_owned(),
            root: path,
            lacks: None,
            capabilities: super::capabilities::names(capabilities)
                .map(str::to_ascii_uppercase)
                .collect(),
        };
        let runc = || {
            run(Command::new("runc").arg("--version"))
                .map(|_| ())
                .map_err(|error| format!("there is no runc ({error})"))
        };
        if choice == Choice::Runc {
            runc()?;
            return Ok(place);
        }
        let docker = run(Command::new("docker").args(["version", "--format", "{{.Server.Version}}"]))
            .map_err(|error| format!("no Docker daemon answers ({error})"));
        if let Err(first) = docker {
            if choice == Choice::Docker {
                return Err(first);
            }
            return match runc() {
                Ok(()) => Ok(place),
                Err(second) => Err(format!("no container can be made: {first}, {second}")),
            };
        }
        let image = import(&place.root)?;
        let privileged = run(Command::new("docker").args([
            "run",
            "--rm",
            "--privileged",
            "--network",
            "none",
            "--pull",
            "never",
            &image,
        ]));
        let mut rights = vec!["--privileged".to_owned()];
        if let Err(reason) = privileged {
            if choice == Choice::Auto && runc().is_ok() {
                // Dropped with its image.
                drop(Self {
                    runtime: Runtime::Docker {
                        image,
                        tags: RefCell::default(),
                        rights,
                    },
                    folder: folder.to_owned(),
                    root: PathBuf::new(),
                    lacks: None,
                    capabilities: Vec::new(),
                });
                place.lacks = Some(format!(
                    "made by runc, for Docker has no privileged ones here: {reason}"
                ));
                return Ok(place);
            }
            rights = ["seccomp=unconfined", "apparmor=unconfined"]
                .iter()
                .flat_map(|option| ["--security-opt".to_owned(), (*option).to_owned()])
                .chain(["--cap-add".to_owned(), "ALL".to_owned()])
                .chain(
                    super::capabilities::names(!capabilities)
                        .flat_map(|name| ["--cap-drop".to_owned(), name.to_ascii_uppercase()]),
                )
                .collect();
            place.lacks = Some(format!(
                "not privileged in Docker's sense, but with every capability that there is here: {reason}"
            ));
        }
        place.runtime = Runtime::Docker {
            image,
            tags: RefCell::default(),
            rights,
        };
        Ok(place)
    }

    /// What there is to say of containers that differ from what the format promises.
    #[must_use]
    pub fn lacks(&self) -> Option<&str> {
        self.lacks.as_deref()
    }

    /// What makes the containers.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self.runtime {
            Runtime::Docker { .. } => "docker",
            Runtime::Runc => "runc",
        }
    }

    /// Starts a container whose first process is the leaf's program, with all privileges and a network of its own.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn start(
        &self,
        container: &Container,
        mark: &str,
        env: &[String],
        limit: Duration,
        interrupted: &Arc<AtomicBool>,
    ) -> Result<(Machine, Running), String> {
        let (command, running) = match &self.runtime {
            Runtime::Docker { image, tags, rights } => {
                let name = container.name.as_deref().unwrap_or(DEFAULT_NAME);
                let wanted = container.image.as_deref().unwrap_or(DEFAULT_IMAGE);
                tag(image, wanted, tags)?;
                let mut command = Command::new("docker");
                command.args(["run", "-i", "--rm", "--network", "none"]);
                // Docker turns IPv6 off for containers without a network; tests may want addresses of it.
                command.args(["--sysctl", "net.ipv6.conf.all.disable_ipv6=0"]);
                command.args(["--sysctl", "net.ipv6.conf.lo.disable_ipv6=0"]);
                command.args(rights);
                command.args(["--pull", "never", "--name", name]);
                for variable in env {
                    command.args(["-e", variable]);
                }
                command.arg("--").arg(wanted);
                let kind = RunningKind::Docker {
                    name: name.to_owned(),
                };
                (command, kind)
            }
            Runtime::Runc => self.bundle(container, mark, env)?,
        };
        let running = Running {
            kind: running,
            removed: false,
        };
        let mut machine = Machine::start(command, limit, interrupted)?;
        // An answer shows that it runs; what failed is in what was printed.
        match machine.call(
            "faccessat",
            &[
                super::machine::Word::Number(super::constants::AT_FDCWD),
                super::machine::Word::Bytes(b"/\0"),
                super::machine::Word::Number(0),
            ],
        ) {
            Ok(_) => Ok((machine, running)),
            Err(error) => {
                machine.stop();
                let printed = machine.printed();
                Err(format!(
                    "the container does not start: {error} {}",
                    printed.trim().replace('\n', " ")
                ))
            }
        }
    }

    /// A bundle for runc whose root is the image below and a layer of its own above.
    fn bundle(
        &self,
        container: &Container,
        mark: &str,
        env: &[String],
    ) -> Result<(Command, RunningKind), String> {
        // Of letters that are no digits of an id, so that the control group is not taken for one of Docker or containerd.
        let id = format!("hullward-suite-{mark}");
        let bundle = self.folder.join(format!("runc-{mark}"));
        for part in ["upper", "work", "rootfs"] {
            let path = bundle.join(part);
            std::fs::create_dir_all(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        }
        let running = RunningKind::Runc {
            id: id.clone(),
            bundle: bundle.clone(),
        };
        let layers = format!(
            "lowerdir={},upperdir={},workdir={}",
            self.root.display(),
            bundle.join("upper").display(),
            bundle.join("work").display()
        );
        run(Command::new("mount")
            .args(["-t", "overlay", "overlay", "-o", &layers])
            .arg(bundle.join("rootfs")))?;
        let config = bundle.join("config.json");
        let text = specification(container, env, &self.capabilities).to_string();
        std::fs::write(&config, text).map_err(|error| format!("{}: {error}", config.display()))?;
        let mut command = Command::new("runc");
        command.args(["run", "--bundle"]).arg(&bundle).arg(&id);
        Ok((command, running))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Runtime::Docker { image, tags, .. } = &self.runtime {
            let mut command = Command::new("docker");
            command.args(["rmi", "-f"]);
            for tag in tags.borrow().iter() {
                command.arg(tag);
            }
            command.arg(image);
            // There is nobody left to tell; what stays behind is an image without containers.
            let _ = run(&mut command);
        }
    }
}

impl Running {
    /// Ends and removes the container.
    ///
    /// # Errors
    /// What of it stays behind.
    pub fn remove(&mut self) -> Result<(), String> {
        if self.removed {
            return Ok(());
        }
        self.removed = true;
        match &self.kind {
            RunningKind::Docker { name } => {
                // Docker removes it by itself when its first process ends; then there is none of that name.
                match run(Command::new("docker").args(["rm", "-f", "--", name])) {
                    Err(error)
                        if !error.contains("No such container") && !error.contains("already in progress") =>
                    {
                        Err(format!("container {name} cannot be removed: {error}"))
                    }
                    _ => self.wait_until_gone(),
                }
            }
            RunningKind::Runc { id, bundle } => {
                let deleted = run(Command::new("runc").args(["delete", "--force", id]))
                    .map(|_| ())
                    .or_else(|error| {
                        if error.contains("does not exist") {
                            Ok(())
                        } else {
                            Err(format!("container {id} cannot be removed: {error}"))
                        }
                    });
                let unmounted = run(Command::new("umount").arg(bundle.join("rootfs"))).map(|_| ());
                deleted.and(unmounted)?;
                std::fs::remove_dir_all(bundle)
                    .map_err(|error| format!("{} cannot be removed: {error}", bundle.display()))
            }
        }
    }

    /// The name must be free for the next test.
    fn wait_until_gone(&self) -> Result<(), String> {
        let RunningKind::Docker { name } = &self.kind else {
            return Ok(());
        };
        for _ in 0..100 {
            if run(Command::new("docker").args(["container", "inspect", "--format", "{{.Id}}", "--", name]))
                .is_err()
            {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Err(format!("container {name} is still there after 5 seconds"))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Only after a failure that is told already.
        let _ = self.remove();
    }
}

/// Runs a command to its end; an error holds what it printed.
fn run(command: &mut Command) -> Result<String, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("{name}: {error}"))?;
    outcome(&name, &output)
}

fn outcome(name: &str, output: &Output) -> Result<String, String> {
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
    }
    let errors = String::from_utf8_lossy(&output.stderr);
    // The last line may only say where help is.
    let line = errors
        .lines()
        .rfind(|line| line.to_ascii_lowercase().contains("error"))
        .or_else(|| errors.trim().lines().last())
        .unwrap_or_default();
    Err(format!("{name}: {line}"))
}

/// Gives the image a name, unless another image has it: that is someone's own and stays.
fn tag(image: &str, wanted: &str, tags: &RefCell<BTreeSet<String>>) -> Result<(), String> {
    if tags.borrow().contains(wanted) {
        return Ok(());
    }
    if wanted.starts_with('-') {
        return Err(format!("`{wanted}` is no name of an image"));
    }
    if run(Command::new("docker").args(["image", "inspect", "--format", "{{.Id}}", "--", wanted])).is_ok() {
        return Err(format!(
            "Docker has another image named {wanted}; the runner does not replace it"
        ));
    }
    run(Command::new("docker").args(["tag", image, wanted]))?;
    tags.borrow_mut().insert(wanted.to_owned());
    Ok(())
}

/// Makes an image of a folder; its id.
fn import(root: &Path) -> Result<String, String> {
    let failed = |error: std::io::Error| format!("the image cannot be imported: {error}");
    let mut tar = Command::new("tar")
        .arg("-C")
        .arg(root)
        .args(["--numeric-owner", "-c", "."])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    let archive = tar.stdout.take().ok_or("the image cannot be packed")?;
    let output = Command::new("docker")
        .args(["import", "--change", &format!("ENTRYPOINT [\"{LEAF}\"]"), "-"])
        .stdin(archive)
        .output()
        .map_err(failed)?;
    if !tar.wait().map_err(failed)?.success() {
        return Err("the image cannot be packed: tar failed".to_owned());
    }
    outcome("docker import", &output)
}

/// A small root file system: BusyBox and its names, bash with its libraries where there is one, and the leaf.
fn build_root(root: &Path, leaf: &Path) -> Result<(), String> {
    let failed = |path: &Path, error: std::io::Error| format!("{}: {error}", path.display());
    for folder in [
        "bin",
        "dev",
        "etc/security",
        "home",
        "lib64",
        "proc",
        "root",
        "run",
        "sys",
        "tmp",
        "usr/bin",
        "usr/local/bin",
        "usr/sbin",
        "var/log",
        "var/tmp",
    ] {
        let path = root.join(folder);
        std::fs::create_dir_all(&path).map_err(|error| failed(&path, error))?;
    }
    use std::os::unix::fs::PermissionsExt;
    for (folder, mode) in [("tmp", 0o1777), ("var/tmp", 0o1777), ("root", 0o700)] {
        let path = root.join(folder);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode))
            .map_err(|error| failed(&path, error))?;
    }
    for (file, text) in [
        ("etc/passwd", PASSWD),
        ("etc/group", GROUP),
        (
            "etc/shadow",
            "root:*:19000:0:99999:7:::\ndaemon:*:19000:0:99999:7:::\n",
        ),
        ("etc/hostname", "suite\n"),
        ("etc/pam.conf", ""),
        ("etc/sudoers", "root ALL=(ALL:ALL) ALL\n"),
        ("etc/security/pwquality.conf", ""),
    ] {
        let path = root.join(file);
        std::fs::write(&path, text).map_err(|error| failed(&path, error))?;
    }
    let shadow = root.join("etc/shadow");
    std::fs::set_permissions(&shadow, std::fs::Permissions::from_mode(0o640))
        .map_err(|error| failed(&shadow, error))?;
    let busybox = find_program("busybox")
        .ok_or("containers need BusyBox for their image, and there is none (Debian: busybox-static)")?;
    copy_program(root, &busybox, "bin/busybox")?;
    for name in run(Command::new(&busybox).arg("--list"))?.lines() {
        let path = root.join("bin").join(name);
        if name != "busybox" && !name.contains('/') {
            std::os::unix::fs::symlink("busybox", &path).map_err(|error| failed(&path, error))?;
        }
    }
    if let Some(bash) = find_program("bash") {
        let path = root.join("bin/bash");
        let _ = std::fs::remove_file(&path);
        copy_program(root, &bash, "bin/bash")?;
    }
    let path = root.join(LEAF.trim_start_matches('/'));
    std::fs::copy(leaf, &path).map_err(|error| failed(&path, error))?;
    Ok(())
}

const PASSWD: &str = "root:x:0:0:root:/root:/bin/bash
daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin
bin:x:2:2:bin:/bin:/usr/sbin/nologin
sys:x:3:3:sys:/dev:/usr/sbin/nologin
www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
";

const GROUP: &str = "root:x:0:
daemon:x:1:
bin:x:2:
sys:x:3:
adm:x:4:
tty:x:5:
www-data:x:33:
nogroup:x:65534:
";

fn find_program(name: &str) -> Option<PathBuf> {
    ["/usr/bin", "/bin", "/usr/sbin", "/sbin"]
        .iter()
        .map(|folder| Path::new(folder).join(name))
        .find(|path| path.is_file())
}

/// Copies a program of this machine and the libraries that it is linked to, these to where it looks for them.
fn copy_program(root: &Path, program: &Path, to: &str) -> Result<(), String> {
    let failed = |path: &Path, error: std::io::Error| format!("{}: {error}", path.display());
    let path = root.join(to);
    std::fs::copy(program, &path).map_err(|error| failed(&path, error))?;
    // It fails for a program without libraries.
    let libraries = run(Command::new("ldd").arg(program)).unwrap_or_default();
    for library in libraries.split_whitespace().filter(|word| word.starts_with('/')) {
        let path = root.join(library.trim_start_matches('/'));
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|error| failed(folder, error))?;
        }
        std::fs::copy(library, &path).map_err(|error| failed(&path, error))?;
    }
    Ok(())
}

/// The configuration of a container with all privileges, as the runtimes' standard has it.
fn specification(container: &Container, env: &[String], capabilities: &[String]) -> serde_json::Value {
    json!({
        "ociVersion": "1.0.2",
        "process": {
            "terminal": false,
            "user": {"uid": 0, "gid": 0},
            "args": [LEAF],
            "env": env,
            "cwd": "/",
            "capabilities": {
                "bounding": capabilities,
                "effective": capabilities,
                "permitted": capabilities,
            },
            "noNewPrivileges": false,
        },
        "root": {"path": "rootfs", "readonly": false},
        "hostname": "suite",
        // Runtimes that manage runc tell names in this way.
        "annotations": {
            "org.hullward.name": container.name.as_deref().unwrap_or(DEFAULT_NAME),
            "org.opencontainers.image.ref.name": container.image.as_deref().unwrap_or(DEFAULT_IMAGE),
        },
        "mounts": [
            {"destination": "/proc", "type": "proc", "source": "proc"},
            {"destination": "/dev", "type": "tmpfs", "source": "tmpfs",
             "options": ["nosuid", "strictatime", "mode=755", "size=65536k"]},
            {"destination": "/dev/pts", "type": "devpts", "source": "devpts",
             "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"]},
            {"destination": "/dev/shm", "type": "tmpfs", "source": "shm",
             "options": ["nosuid", "nodev", "mode=1777", "size=65536k"]},
            {"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": ["nosuid", "noexec", "nodev"]},
        ],
        "linux": {
            "resources": {"devices": [{"allow": true, "access": "rwm"}]},
            "namespaces": [
                {"type": "pid"}, {"type": "network"}, {"type": "ipc"}, {"type": "uts"}, {"type": "mount"},
            ],
        },
    })
}
