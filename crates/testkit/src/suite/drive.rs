//! Acts a test out: makes its processes and resources, its steps' system calls, and takes everything away again.

use super::calls::{self, Kind};
use super::capabilities::Capabilities;
use super::constants::AT_FDCWD;
use super::container::{Place, Running};
use super::description::{Address, Argument, Process, Resource, ResourceKind, Step, Test};
use super::machine::{self, Machine, Script, Word, error_text, status_text};
use super::sockets;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

/// The variable that ties alerts to a test: every process of it has the test's mark in its environment.
pub const MARK: &str = "HULLWARD_SUITE_TEST";

/// Where scripts find their programs.
const SEARCH_PATH: &str = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Longest wait for one system call or half of a script.
const CALL_LIMIT: Duration = Duration::from_secs(60);

/// Longest wait for an address that was added.
const ROUTE_LIMIT: Duration = Duration::from_secs(5);

/// The format's sockets of resources do not block: a flag of their type, and what a call that would wait returns.
const SOCK_NONBLOCK: i64 = 0o4000;
const EINPROGRESS: i64 = -115;

/// What all tests of a run have in common.
pub struct Stage {
    /// The number of the run, part of every mark: no two runs at a time have the same.
    pub number: u32,
    /// The compiled leaf.
    pub leaf: PathBuf,
    /// Its bytes.
    pub leaf_bytes: Vec<u8>,
    /// A folder for what tests leave behind; removed with the run.
    pub folder: PathBuf,
    /// Whether the runner is root.
    pub root: bool,
    /// Makes containers, or tells why it cannot.
    pub place: Result<Place, String>,
    /// Set when the run shall stop.
    pub interrupted: Arc<AtomicBool>,
    /// How long a container runs before its processes start, so that a detector can learn of it.
    pub settle: Duration,
    /// How long a test's processes stay after their last act, for detectors that ask the system about them.
    pub linger: Duration,
}

/// How acting out went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Acted {
    /// Why nothing was done.
    pub skipped: Option<String>,
    /// Why it could not be completed.
    pub failure: Option<String>,
    /// Results of steps that made their call: the kernel's numbers.
    pub results: Vec<(String, i64)>,
    /// What is worth knowing: calls that failed, scripts that failed, what could not be undone.
    pub notes: Vec<String>,
    /// Users that were made for it. They stay until the detector has told what it saw: it reads their names when it comes to
    /// their events, not when these happen.
    pub users: Vec<String>,
}

/// A value of a resource or step that others refer to.
#[derive(Clone, Debug, PartialEq)]
enum Exposed {
    Number(i64),
    Bytes(Vec<u8>),
    Address(Address),
}

/// Something of the host to remove.
enum Undo {
    File(PathBuf),
    Folder(PathBuf),
}

/// How a program is started.
struct Start {
    path: String,
    argv: Vec<String>,
    plain_root: bool,
}

impl Stage {
    /// Why this machine or runner cannot act the test out.
    #[must_use]
    pub fn cannot(&self, test: &Test) -> Option<String> {
        if let Some(condition) = &test.run_if
            && !condition.holds(std::env::consts::ARCH)
        {
            return Some(format!("runIf: not for {}", std::env::consts::ARCH));
        }
        if let Some(step) = test
            .steps
            .iter()
            .find(|step| calls::number(step.call.name).is_none())
        {
            return Some(format!(
                "this machine ({}) has no system call {}",
                std::env::consts::ARCH,
                step.call.name
            ));
        }
        if test.container.is_some() {
            return self.place.as_ref().err().cloned();
        }
        if self.root {
            return None;
        }
        let needs = if test.processes.iter().any(|process| process.user.is_some()) {
            "`user` of a process"
        } else if test
            .processes
            .iter()
            .any(|process| process.capabilities.is_some())
        {
            "`capabilities` of a process"
        } else {
            return None;
        };
        Some(format!("{needs} needs root"))
    }

    /// Acts a test out. Its processes carry `mark` in the variable `MARK`.
    #[must_use]
    pub fn act(&self, test: &Test, mark: &str) -> Acted {
        let mut acted = Acted::default();
        if let Some(reason) = self.cannot(test) {
            acted.skipped = Some(reason);
            return acted;
        }
        let mut undo = Vec::new();
        if let Err(reason) = self.try_act(test, mark, &mut acted, &mut undo) {
            // EPERM and EACCES; a step's refusal is a note, so this is about what the test needs beforehand.
            let refused = reason.ends_with("(os error 1)") || reason.ends_with("(os error 13)");
            if refused && !self.root {
                acted.skipped = Some(format!("needs root: {reason}"));
            } else {
                acted.failure = Some(reason);
            }
        }
        for step in undo.into_iter().rev() {
            if let Err(problem) = step.run() {
                acted.notes.push(problem);
            }
        }
        acted
    }

    fn try_act(
        &self,
        test: &Test,
        mark: &str,
        acted: &mut Acted,
        undo: &mut Vec<Undo>,
    ) -> Result<(), String> {
        let mut env = vec![SEARCH_PATH.to_owned(), "HOME=/root".to_owned()];
        let (machine, running, leaf_path) = match (&test.container, &self.place) {
            (Some(container), Ok(place)) => {
                set_all(&mut env, &container.env);
                let (machine, running) = place.start(container, mark, &env, CALL_LIMIT, &self.interrupted)?;
                std::thread::sleep(self.settle);
                (machine, Some(running), super::container::LEAF.to_owned())
            }
            _ => {
                let folder = self.folder.join(format!("work-{mark}"));
                std::fs::create_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
                undo.push(Undo::Folder(folder.clone()));
                let mut command = Command::new(&self.leaf);
                command.env_clear().current_dir(&folder);
                let machine = Machine::start(command, CALL_LIMIT, &self.interrupted)?;
                (machine, None, self.leaf.to_string_lossy().into_owned())
            }
        };
        let mut actor = Actor {
            stage: self,
            test,
            machine,
            running,
            leaf_path,
            folder: format!("/tmp/hullward-suite-{mark}"),
            env,
            mark,
            pid: 0,
            addresses: Vec::new(),
            depth: 0,
            grantable: 0,
            chosen: 0,
            made_in_container: false,
            exposed: BTreeMap::new(),
            acted,
            undo,
        };
        let done = actor.perform();
        let ended = if done.is_ok() { actor.end() } else { Ok(()) };
        actor.machine.stop();
        let printed = actor.machine.printed();
        if let Some(line) = printed.trim().lines().last() {
            actor.acted.notes.push(format!("printed: {}", clean(line)));
        }
        if !actor.addresses.is_empty() && actor.running.is_none() {
            // The processes did not come to it: a fresh one takes the addresses away.
            let mut machine = Machine::start(Command::new(&self.leaf), CALL_LIMIT, &self.interrupted)?;
            for ip in std::mem::take(&mut actor.addresses) {
                change_address(&mut machine, ip, false)?;
            }
        }
        if let Some(mut running) = actor.running.take()
            && let Err(problem) = running.remove()
        {
            actor.acted.notes.push(problem);
        }
        done.and(ended)
    }
}

impl Undo {
    fn run(self) -> Result<(), String> {
        let (path, result) = match self {
            Self::File(path) => {
                let result = std::fs::remove_file(&path);
                (path, result)
            }
            Self::Folder(path) => {
                let result = std::fs::remove_dir_all(&path);
                (path, result)
            }
        };
        match result {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(format!("{} cannot be removed: {error}", path.display()))
            }
            _ => Ok(()),
        }
    }
}

/// Removes a user that was made for a test.
///
/// # Errors
/// What `userdel` said.
pub fn remove_user(user: &str) -> Result<(), String> {
    change_user("userdel", user)
}

fn change_user(program: &str, user: &str) -> Result<(), String> {
    let output = Command::new(program)
        .arg("--")
        .arg(user)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("{program} cannot be started: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(format!("{program} {user}: {}", clean(errors.trim())))
}

/// A text without control characters, cut to a line's length.
fn clean(text: &str) -> String {
    text.chars()
        .map(|character| if character.is_control() { ' ' } else { character })
        .take(200)
        .collect()
}

fn set_all(env: &mut Vec<String>, more: &[(String, String)]) {
    for (name, value) in more {
        let prefix = format!("{name}=");
        env.retain(|have| !have.starts_with(&prefix));
        env.push(format!("{prefix}{value}"));
    }
}

fn zero_ended(text: &str) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    bytes.push(0);
    bytes
}

/// Gives the loopback device of the machine's network an address, or takes it away.
fn change_address(machine: &mut Machine, ip: IpAddr, add: bool) -> Result<(), String> {
    // A raw netlink socket for routes.
    let socket = machine.must("socket", &[Word::Number(16), Word::Number(3), Word::Number(0)])?;
    let message = sockets::loopback_address(ip, add);
    let kernel = sockets::kernel();
    machine.must(
        "sendto",
        &[
            Word::Number(socket),
            Word::Bytes(&message),
            Word::Number(length(&message)),
            Word::Number(0),
            Word::Bytes(&kernel),
            Word::Number(length(&kernel)),
        ],
    )?;
    let room = [0; 4096];
    let (received, buffers) = machine.call(
        "recvfrom",
        &[
            Word::Number(socket),
            Word::Back(&room),
            Word::Number(length(&room)),
            Word::Number(0),
            Word::Number(0),
            Word::Number(0),
        ],
    )?;
    machine.must("close", &[Word::Number(socket)])?;
    let answer = buffers.first().map_or(&[] as &[u8], Vec::as_slice);
    match sockets::acknowledged(answer).filter(|_| received > 0) {
        Some(0) => Ok(()),
        Some(error) => Err(format!(
            "address {ip} of the loopback device cannot be {}: {}",
            if add { "added" } else { "removed" },
            error_text(error)
        )),
        None => Err("the kernel did not acknowledge a change of addresses".to_owned()),
    }
}

fn length(bytes: &[u8]) -> i64 {
    i64::try_from(bytes.len()).unwrap_or(i64::MAX)
}

/// One test on its way.
struct Actor<'a> {
    stage: &'a Stage,
    test: &'a Test,
    machine: Machine,
    running: Option<Running>,
    /// The leaf's program as the processes see it.
    leaf_path: String,
    /// Where programs are put whose path is the runner's choice.
    folder: String,
    env: Vec<String>,
    mark: &'a str,
    /// The leaf's id as it sees it.
    pid: i64,
    /// Addresses that were added.
    addresses: Vec<IpAddr>,
    /// Processes of the chain that run.
    depth: usize,
    /// The capabilities that programs can be given where the processes are.
    grantable: u64,
    /// Names that the runner has chosen so far.
    chosen: usize,
    /// Whether a user was made in the container.
    made_in_container: bool,
    exposed: BTreeMap<(String, String), Exposed>,
    acted: &'a mut Acted,
    undo: &'a mut Vec<Undo>,
}

impl Actor<'_> {
    fn perform(&mut self) -> Result<(), String> {
        let test = self.test;
        for resource in &test.resources {
            if let ResourceKind::Internet { address, .. } = &resource.kind {
                self.make_local(address.ip())
                    .map_err(|error| format!("resource `{}`: {error}", resource.name))?;
            }
        }
        let users = self.users()?;
        let status = self.read_file("/proc/self/status")?;
        self.grantable = super::capabilities::grantable(&status)
            .ok_or("/proc/self/status does not tell the capabilities of a process")?;
        // All programs are put where they belong before the first process starts: only the first process surely may.
        let mut starts = Vec::new();
        let mut current = 0;
        for (process, user) in test.processes.iter().zip(users) {
            let (uid, gid) = user.unwrap_or((current, 0));
            let changes = self.stage.root && (uid != current || uid != 0);
            starts.push(self.place_program(process, changes.then_some((uid, gid)))?);
            current = uid;
        }
        let mut resource_starts = Vec::new();
        for resource in &test.resources {
            resource_starts.push(match &resource.kind {
                ResourceKind::Process {
                    process,
                    file_less: false,
                } => Some(self.place_program(process, None)?),
                ResourceKind::Process {
                    process,
                    file_less: true,
                } => Some(memory_start(process)),
                _ => None,
            });
        }
        for (index, (process, start)) in test.processes.iter().zip(&starts).enumerate() {
            set_all(&mut self.env, &process.env);
            if index + 1 == test.processes.len() {
                // First, so that it is seen where an environment is cut.
                self.env.insert(0, format!("{MARK}={}", self.mark));
            }
            let env = self.env.clone();
            self.machine
                .next(&start.path, &start.argv, &env, start.plain_root)?;
            self.depth += 1;
        }
        self.pid = self.machine.become_leaf()?;
        let script = test.before.is_some();
        if script {
            self.script_begin()?;
        }
        for (resource, start) in test.resources.iter().zip(resource_starts) {
            self.make(resource, start)
                .map_err(|error| format!("resource `{}`: {error}", resource.name))?;
        }
        for step in &test.steps {
            self.step(step)
                .map_err(|error| format!("step `{}`: {error}", step.name))?;
        }
        if test.after.is_some() && !script {
            self.script_begin()?;
        }
        if script || test.after.is_some() {
            let finished = self.machine.finish_script()?;
            self.note_script("after", &finished);
        }
        // A detector reads names of users when it comes to their events. Users of the host stay until alerts are in, but those
        // that were made in a container go with it.
        let stay = if self.made_in_container {
            self.stage.linger.max(self.stage.settle)
        } else {
            self.stage.linger
        };
        std::thread::sleep(stay);
        Ok(())
    }

    fn script_begin(&mut self) -> Result<(), String> {
        let before = self.test.before.as_deref().unwrap_or_default();
        let after = self.test.after.as_deref().unwrap_or_default();
        let text = format!(
            "{{\n:\n{before}\n}} </dev/null\nprintf '{}'\nIFS= read -r HULLWARD_SUITE_ANSWER\n{{\n:\n{after}\n}} </dev/null\n",
            machine::BETWEEN
        );
        let script = self.machine.begin_script("/bin/bash", &text)?;
        if let Some(status) = script.ended {
            let output = clean(script.output.trim());
            if status == 127 << 8 && output.contains("there is no shell") {
                return Err("`before` and `after` need /bin/bash".to_owned());
            }
            self.acted.notes.push(format!(
                "`before` ended {} before `after`: {output}",
                status_text(status)
            ));
        } else {
            self.note_output("before", &script.output);
        }
        Ok(())
    }

    fn note_script(&mut self, name: &str, script: &Script) {
        if let Some(status) = script.ended
            && status != 0
            && self.test.after.is_some()
        {
            self.acted
                .notes
                .push(format!("`{name}` ended {}", status_text(status)));
        }
        self.note_output(name, &script.output);
    }

    fn note_output(&mut self, name: &str, output: &str) {
        if let Some(line) = output.trim().lines().last() {
            self.acted
                .notes
                .push(format!("`{name}` printed: {}", clean(line)));
        }
    }

    /// Ends the chain from its leaf and undoes what only processes of the same network can undo.
    fn end(&mut self) -> Result<(), String> {
        while self.depth > 0 {
            self.machine.end_last()?;
            self.depth -= 1;
        }
        if self.running.is_none() {
            while let Some(ip) = self.addresses.pop() {
                if let Err(problem) = change_address(&mut self.machine, ip, false) {
                    self.acted.notes.push(problem);
                }
            }
        }
        Ok(())
    }

    /// Makes an address one of this machine's: a socket can be bound to it.
    fn make_local(&mut self, ip: IpAddr) -> Result<(), String> {
        let domain = i64::from(sockets::domain(ip));
        let socket = self.machine.must(
            "socket",
            &[Word::Number(domain), Word::Number(2), Word::Number(0)],
        )?;
        let address = sockets::internet(SocketAddr::new(ip, 0));
        let (bound, _) = self.machine.call(
            "bind",
            &[
                Word::Number(socket),
                Word::Bytes(&address),
                Word::Number(length(&address)),
            ],
        )?;
        self.machine.must("close", &[Word::Number(socket)])?;
        if bound < 0 {
            change_address(&mut self.machine, ip, true)?;
            self.addresses.push(ip);
            self.wait_for_route(ip)?;
        }
        Ok(())
    }

    /// The kernel makes a new address of IPv6 its own in its own time; before that, packets to it may leave the machine.
    fn wait_for_route(&mut self, ip: IpAddr) -> Result<(), String> {
        let IpAddr::V6(ip) = ip else {
            return Ok(());
        };
        let digits: String = ip.octets().iter().map(|byte| format!("{byte:02x}")).collect();
        let beginning = format!("{digits} 80 ");
        let deadline = Instant::now() + ROUTE_LIMIT;
        loop {
            let routes = self.read_file("/proc/self/net/ipv6_route")?;
            // The route that takes packets in has RTF_LOCAL among its flags; the one that sends them out is there at once.
            let is_local = |line: &str| {
                line.starts_with(&beginning)
                    && line
                        .split_whitespace()
                        .nth(8)
                        .and_then(|flags| u32::from_str_radix(flags, 16).ok())
                        .is_some_and(|flags| flags & 1 << 31 != 0)
            };
            if routes.lines().any(is_local) {
                return Ok(());
            }
            if Instant::now() > deadline {
                return Err(format!("address {ip} does not become reachable"));
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// User and group ids of the processes that name a user; users that there are none of are made.
    fn users(&mut self) -> Result<Vec<Option<(i64, i64)>>, String> {
        let mut users = Vec::new();
        for process in &self.test.processes {
            users.push(match &process.user {
                None => None,
                Some(name) => Some(self.user(name)?),
            });
        }
        Ok(users)
    }

    fn user(&mut self, name: &str) -> Result<(i64, i64), String> {
        if name.is_empty() || name.starts_with('-') || name.contains([':', '\n', '/']) {
            return Err(format!("`{name}` is no name of a user"));
        }
        let passwd = self.read_file("/etc/passwd")?;
        if let Some(ids) = user_ids(&passwd, name) {
            return Ok(ids);
        }
        if self.running.is_none() {
            change_user("useradd", name)?;
            self.acted.users.push(name.to_owned());
            let passwd = self.read_file("/etc/passwd")?;
            return user_ids(&passwd, name).ok_or_else(|| format!("user `{name}` was not made"));
        }
        let id = (2000..)
            .find(|id| {
                !passwd
                    .lines()
                    .any(|line| line.split(':').nth(2) == Some(&id.to_string()))
            })
            .unwrap_or(2000);
        self.made_in_container = true;
        self.append("/etc/group", &format!("{name}:x:{id}:\n"))?;
        self.append("/etc/passwd", &format!("{name}:x:{id}:{id}::/:/bin/sh\n"))?;
        Ok((id, id))
    }

    fn read_file(&mut self, path: &str) -> Result<String, String> {
        let file = self.open(path, 0, 0)?;
        let room = [0; 65536];
        let mut content = Vec::new();
        loop {
            let (count, buffers) = self.machine.call(
                "read",
                &[Word::Number(file), Word::Back(&room), Word::Number(length(&room))],
            )?;
            let count = usize::try_from(count).map_err(|_| format!("{path}: {}", error_text(count)))?;
            if count == 0 || content.len() > 16 << 20 {
                break;
            }
            if let Some(got) = buffers.first().and_then(|buffer| buffer.get(..count)) {
                content.extend_from_slice(got);
            }
        }
        self.machine.must("close", &[Word::Number(file)])?;
        Ok(String::from_utf8_lossy(&content).into_owned())
    }

    fn append(&mut self, path: &str, text: &str) -> Result<(), String> {
        // For writing at the end, made when it is missing.
        let file = self.open(path, 0o2101, 0o644)?;
        self.write(file, text.as_bytes())?;
        self.machine.must("close", &[Word::Number(file)]).map(|_| ())
    }

    fn open(&mut self, path: &str, flags: i64, mode: i64) -> Result<i64, String> {
        let (file, _) = self.machine.call(
            "openat",
            &[
                Word::Number(AT_FDCWD),
                Word::Bytes(&zero_ended(path)),
                Word::Number(flags | 0o2_000_000),
                Word::Number(mode),
            ],
        )?;
        if file < 0 {
            return Err(format!("{path}: {}", error_text(file)));
        }
        Ok(file)
    }

    fn write(&mut self, file: i64, mut bytes: &[u8]) -> Result<(), String> {
        while !bytes.is_empty() {
            let written = self.machine.must(
                "write",
                &[
                    Word::Number(file),
                    Word::Bytes(bytes),
                    Word::Number(length(bytes)),
                ],
            )?;
            let written = usize::try_from(written).unwrap_or_default().max(1);
            bytes = bytes.get(written..).unwrap_or_default();
        }
        Ok(())
    }

    /// Puts the leaf's program where the process shall have it. `owner` is given when the process changes to that user
    /// and group: then the program is a copy with the set-user-id bit and all capabilities, which the kernel gives a
    /// process of any user.
    fn place_program(&mut self, process: &Process, owner: Option<(i64, i64)>) -> Result<Start, String> {
        let leaf = self.leaf_path.clone();
        let copies = owner.is_some() || process.capabilities.is_some();
        let (program, folder) = match &process.exe_path {
            Some(path) => {
                let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
                (path.clone(), folder.to_owned())
            }
            None => {
                // Each has a folder of its own: names may be the same.
                self.chosen += 1;
                let folder = format!("{}/{}", self.folder, self.chosen);
                (format!("{folder}/suite-{}", &self.mark[..6]), folder)
            }
        };
        let folder = if folder.is_empty() { "/".to_owned() } else { folder };
        self.make_folders(&folder)?;
        if self.running.is_some() {
            // What the image has there gives way: the container is thrown away.
            self.machine.call(
                "unlinkat",
                &[
                    Word::Number(AT_FDCWD),
                    Word::Bytes(&zero_ended(&program)),
                    Word::Number(0),
                ],
            )?;
        }
        let name = process
            .name
            .as_deref()
            .filter(|name| program.rsplit('/').next() != Some(*name));
        let mut target = program.clone();
        if copies {
            self.copy_program(&program, owner, process.capabilities)?;
        } else if process.exe_path.is_some() {
            let (linked, _) = self.machine.call(
                "linkat",
                &[
                    Word::Number(AT_FDCWD),
                    Word::Bytes(&zero_ended(&leaf)),
                    Word::Number(AT_FDCWD),
                    Word::Bytes(&zero_ended(&program)),
                    Word::Number(0),
                ],
            )?;
            if linked < 0 {
                // Another file system: a copy does as well. What is there already stays and is an error.
                self.copy_program(&program, None, None)?;
            } else {
                self.undo_file(&program);
            }
        } else {
            // The program itself stays where it is: in a container that is the image, not the layer above it.
            target = leaf;
            if name.is_none() {
                self.symlink(&target, &program)?;
            }
        }
        let path = match name {
            None => program,
            Some(name) => {
                let path = format!("{}/{name}", folder.trim_end_matches('/'));
                self.symlink(&target, &path)?;
                path
            }
        };
        Ok(Start {
            argv: arguments(process, &path),
            path,
            plain_root: process.capabilities.is_some(),
        })
    }

    fn copy_program(
        &mut self,
        path: &str,
        owner: Option<(i64, i64)>,
        capabilities: Option<Capabilities>,
    ) -> Result<(), String> {
        // For writing; it must not be there yet.
        let file = self.open(path, 0o301, 0o755)?;
        self.undo_file(path);
        let bytes = &self.stage.leaf_bytes;
        self.write(file, bytes)?;
        if let Some((uid, gid)) = owner {
            self.machine.must(
                "fchown",
                &[Word::Number(file), Word::Number(uid), Word::Number(gid)],
            )?;
        }
        if owner.is_some() || capabilities.is_some() {
            let wanted = capabilities.unwrap_or(Capabilities::EVERY);
            // The kernel executes no program that has a capability which cannot be had.
            let granted = wanted.within(self.grantable);
            if capabilities.is_some() && granted != wanted {
                self.acted
                    .notes
                    .push("not every capability of the test can be had on this machine".to_owned());
            }
            let value = granted.attribute();
            self.machine
                .must(
                    "fsetxattr",
                    &[
                        Word::Number(file),
                        Word::Bytes(&zero_ended("security.capability")),
                        Word::Bytes(&value),
                        Word::Number(length(&value)),
                        Word::Number(0),
                    ],
                )
                .map_err(|error| format!("capabilities of {path}: {error}"))?;
        }
        let mode = if owner.is_some() { 0o6555 } else { 0o755 };
        self.machine
            .must("fchmod", &[Word::Number(file), Word::Number(mode)])?;
        self.machine.must("close", &[Word::Number(file)])?;
        Ok(())
    }

    fn symlink(&mut self, target: &str, path: &str) -> Result<(), String> {
        if self.running.is_some() {
            self.machine.call(
                "unlinkat",
                &[
                    Word::Number(AT_FDCWD),
                    Word::Bytes(&zero_ended(path)),
                    Word::Number(0),
                ],
            )?;
        }
        let (result, _) = self.machine.call(
            "symlinkat",
            &[
                Word::Bytes(&zero_ended(target)),
                Word::Number(AT_FDCWD),
                Word::Bytes(&zero_ended(path)),
            ],
        )?;
        if result < 0 {
            return Err(format!("{path} cannot be made: {}", error_text(result)));
        }
        self.undo_file(path);
        Ok(())
    }

    fn undo_file(&mut self, path: &str) {
        if self.running.is_none() {
            self.undo.push(Undo::File(PathBuf::from(path)));
        }
    }

    /// Makes a folder and those it is in; what had to be made is removed with the test.
    fn make_folders(&mut self, path: &str) -> Result<(), String> {
        let mut first = None;
        let mut refused = None;
        let mut at = String::new();
        for part in path.split('/').filter(|part| !part.is_empty()) {
            if !at.is_empty() || path.starts_with('/') {
                at.push('/');
            }
            at.push_str(part);
            let (result, _) = self.machine.call(
                "mkdirat",
                &[
                    Word::Number(AT_FDCWD),
                    Word::Bytes(&zero_ended(&at)),
                    Word::Number(0o755),
                ],
            )?;
            match result {
                0 if first.is_none() => first = Some(at.clone()),
                // It is there already: EEXIST.
                0 | -17 => {}
                // EACCES and EROFS: it may be there all the same; the next part tells.
                -13 | -30 => refused = Some((at.clone(), result)),
                _ => {
                    let (at, result) = refused.unwrap_or((at, result));
                    return Err(format!("folder {at} cannot be made: {}", error_text(result)));
                }
            }
        }
        if let Some(first) = first
            && self.running.is_none()
        {
            self.undo.push(Undo::Folder(self.seen_from_here(&first)));
        }
        Ok(())
    }

    /// A path of the leaf as the runner has it; for tests on the host only.
    fn seen_from_here(&self, path: &str) -> PathBuf {
        if path.starts_with('/') {
            PathBuf::from(path)
        } else {
            self.stage.folder.join(format!("work-{}", self.mark)).join(path)
        }
    }

    fn expose(&mut self, owner: &str, path: &str, value: Exposed) {
        self.exposed
            .insert((owner.to_owned(), path.to_ascii_lowercase()), value);
    }

    fn make(&mut self, resource: &Resource, start: Option<Start>) -> Result<(), String> {
        let name = &resource.name;
        let zero = Word::Number(0);
        let descriptor = match &resource.kind {
            ResourceKind::File(path) => self.make_file(path)?,
            ResourceKind::Directory(path) => {
                self.make_folders(path)?;
                // To read, a folder.
                let flags = super::constants::parse(super::constants::OPEN_FLAGS, "O_DIRECTORY")?;
                let folder = self.machine.call(
                    "openat",
                    &[
                        Word::Number(AT_FDCWD),
                        Word::Bytes(&zero_ended(path)),
                        Word::Number(flags),
                        zero,
                    ],
                )?;
                succeeded(path, folder.0)?
            }
            ResourceKind::Event => self.machine.must("eventfd2", &[zero, zero])?,
            ResourceKind::EventPoll => self.machine.must("epoll_create1", &[zero])?,
            ResourceKind::Inotify => self.machine.must("inotify_init1", &[zero])?,
            ResourceKind::Signal => {
                // No signal at all: a mask of 8 bytes.
                let mask = [0; 8];
                self.machine.must(
                    "signalfd4",
                    &[
                        Word::Number(-1),
                        Word::Bytes(&mask),
                        Word::Number(length(&mask)),
                        zero,
                    ],
                )?
            }
            ResourceKind::Memory(file) => self
                .machine
                .must("memfd_create", &[Word::Bytes(&zero_ended(file)), zero])?,
            ResourceKind::Pipe => {
                let room = [0; 8];
                let (result, buffers) = self.machine.call("pipe2", &[Word::Back(&room), zero])?;
                succeeded("pipe2", result)?;
                let ends: Vec<i64> = buffers
                    .first()
                    .map(Vec::as_slice)
                    .unwrap_or_default()
                    .chunks_exact(4)
                    .filter_map(|end| end.try_into().ok())
                    .map(|end| i64::from(i32::from_ne_bytes(end)))
                    .collect();
                for (path, end) in ["readFd", "writeFd"].into_iter().zip(ends) {
                    self.expose(name, path, Exposed::Number(end));
                }
                return Ok(());
            }
            ResourceKind::Internet { datagrams, address } => {
                let kind = if *datagrams { 2 } else { 1 };
                return self.connect_pair(
                    name,
                    i64::from(sockets::domain(address.ip())),
                    kind,
                    &sockets::internet(*address),
                );
            }
            ResourceKind::Unix => {
                self.chosen += 1;
                let path = format!("/tmp/hullward-suite-{}-{}.sock", self.mark, self.chosen);
                let address = sockets::sockaddr(&Address::Unix(path.clone()));
                self.undo_file(&path);
                return self.connect_pair(name, 1, 1, &address);
            }
            ResourceKind::Process { process, file_less } => {
                let start = start.ok_or("its program was not put in place")?;
                let mut env = self.env.clone();
                set_all(&mut env, &process.env);
                let pid = self
                    .machine
                    .resource(&start.path, &start.argv, &env, *file_less)?;
                if pid < 0 {
                    return Err(format!("{} cannot be executed: {}", start.path, error_text(pid)));
                }
                self.expose(name, "pid", Exposed::Number(pid));
                return Ok(());
            }
        };
        self.expose(name, "fd", Exposed::Number(descriptor));
        Ok(())
    }

    /// Opens a file to read and write, making it and its folders when it is not there.
    fn make_file(&mut self, path: &str) -> Result<i64, String> {
        let bytes = zero_ended(path);
        let (missing, _) = self.machine.call(
            "faccessat",
            &[Word::Number(AT_FDCWD), Word::Bytes(&bytes), Word::Number(0)],
        )?;
        let mut flags = 2;
        if missing < 0 {
            flags |= 0o100;
            if let Some((folder, _)) = path.rsplit_once('/') {
                self.make_folders(folder)?;
            }
        }
        let (file, _) = self.machine.call(
            "openat",
            &[
                Word::Number(AT_FDCWD),
                Word::Bytes(&bytes),
                Word::Number(flags),
                Word::Number(0o600),
            ],
        )?;
        succeeded(path, file)?;
        if missing < 0 && self.running.is_none() {
            let path = self.seen_from_here(path);
            self.undo.push(Undo::File(path));
        }
        Ok(file)
    }

    /// A server at the address and a client, which is connected when the kind of socket has connections.
    fn connect_pair(&mut self, name: &str, domain: i64, kind: i64, address: &[u8]) -> Result<(), String> {
        let socket = [
            Word::Number(domain),
            Word::Number(kind | SOCK_NONBLOCK),
            Word::Number(0),
        ];
        let server = self.machine.must("socket", &socket)?;
        if domain != 1 {
            // Connections of an earlier test to the same address must not hinder this one: SO_REUSEADDR of SOL_SOCKET.
            let on = 1i32.to_ne_bytes();
            self.machine.must(
                "setsockopt",
                &[
                    Word::Number(server),
                    Word::Number(1),
                    Word::Number(2),
                    Word::Bytes(&on),
                    Word::Number(4),
                ],
            )?;
        }
        let to = [Word::Bytes(address), Word::Number(length(address))];
        self.machine.must("bind", &[Word::Number(server), to[0], to[1]])?;
        if kind == 1 {
            self.machine
                .must("listen", &[Word::Number(server), Word::Number(64)])?;
        }
        let client = self.machine.must("socket", &socket)?;
        if kind == 1 {
            let arguments = [Word::Number(client), to[0], to[1]];
            let (connected, _) = self.machine.call("connect", &arguments)?;
            if connected == EINPROGRESS {
                self.wait_until_connected(client)?;
            } else {
                succeeded("connect", connected)?;
            }
        }
        self.expose(name, "client.fd", Exposed::Number(client));
        self.expose(name, "server.fd", Exposed::Number(server));
        Ok(())
    }

    /// Waits for the end of a connection's making, without another call to connect: detectors count these.
    fn wait_until_connected(&mut self, client: i64) -> Result<(), String> {
        let deadline = Instant::now() + ROUTE_LIMIT;
        loop {
            let room = [0; 128];
            let size = 128i32.to_ne_bytes();
            let (named, _) = self.machine.call(
                "getpeername",
                &[Word::Number(client), Word::Back(&room), Word::Bytes(&size)],
            )?;
            if named >= 0 {
                return Ok(());
            }
            if Instant::now() > deadline {
                return Err(format!("connect: {}", error_text(named)));
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    fn step(&mut self, step: &Step) -> Result<(), String> {
        let mut values: Vec<Option<Exposed>> = Vec::new();
        for (parameter, argument) in step.call.parameters.iter().zip(&step.arguments) {
            let value = match argument {
                Argument::Default => None,
                Argument::Number(number) => Some(Exposed::Number(*number)),
                Argument::Bytes(bytes) => Some(Exposed::Bytes(bytes.clone())),
                Argument::Address(address) => Some(Exposed::Address(address.clone())),
                Argument::Bound(source, path) => Some(
                    self.exposed
                        .get(&(source.clone(), path.to_ascii_lowercase()))
                        .cloned()
                        .ok_or_else(|| format!("`{source}` failed, so that it has no `{path}`"))?,
                ),
            };
            let fits = match (&value, parameter.kind) {
                (None, _) => true,
                (Some(Exposed::Number(_)), kind) => {
                    matches!(kind, Kind::Number(_) | Kind::Folder | Kind::Length)
                }
                (Some(Exposed::Bytes(_)), kind) => matches!(kind, Kind::Buffer | Kind::Text),
                (Some(Exposed::Address(_)), kind) => kind == Kind::Address,
            };
            if !fits {
                return Err(format!(
                    "the value that `{}` is bound to is of another kind",
                    parameter.name
                ));
            }
            values.push(value);
        }
        let prepared = Prepared::new(step, &values);
        let creates = self.created_by(step, &prepared);
        let (result, buffers) = self.machine.call(step.call.name, &prepared.words())?;
        self.acted.results.push((step.name.clone(), result));
        for (parameter, value) in step.call.parameters.iter().zip(prepared.values) {
            self.expose(&step.name, parameter.name, value);
        }
        if let Some(read) = buffers.into_iter().next() {
            self.expose(&step.name, "buffer", Exposed::Bytes(read));
        }
        if result < 0 {
            self.acted
                .notes
                .push(format!("step `{}`: {}", step.name, error_text(result)));
            return Ok(());
        }
        if step.call.returns {
            self.expose(&step.name, "ret", Exposed::Number(result));
        }
        if let Some(path) = creates {
            self.undo.push(Undo::File(path));
        }
        Ok(())
    }

    /// The path of the host that the step makes if it succeeds.
    fn created_by(&self, step: &Step, prepared: &Prepared) -> Option<PathBuf> {
        if self.running.is_some() {
            return None;
        }
        let number = |name: &str| match prepared.value(step, name) {
            Some(Exposed::Number(number)) => Some(*number),
            _ => None,
        };
        let (path, folder) = match step.call.name {
            "open" | "openat" | "openat2" => {
                let flags = number("flags").or_else(|| number("how.flags"))?;
                if flags & 0o100 == 0 {
                    return None;
                }
                ("pathname", number("dirFd"))
            }
            "link" | "linkat" => ("newPath", number("newDirFd")),
            "symlink" | "symlinkat" => ("linkPath", number("newDirFd")),
            _ => return None,
        };
        let Some(Exposed::Bytes(bytes)) = prepared.value(step, path) else {
            return None;
        };
        let path = String::from_utf8_lossy(bytes).into_owned();
        let whole = match folder {
            Some(folder) if folder >= 0 && !path.starts_with('/') => {
                let base = std::fs::read_link(format!("/proc/{}/fd/{folder}", self.pid)).ok()?;
                base.join(&path)
            }
            _ => self.seen_from_here(&path),
        };
        (!exists(&whole)).then_some(whole)
    }
}

fn exists(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok()
}

fn succeeded(what: &str, result: i64) -> Result<i64, String> {
    if result < 0 {
        return Err(format!("{what}: {}", error_text(result)));
    }
    Ok(result)
}

fn user_ids(passwd: &str, name: &str) -> Option<(i64, i64)> {
    passwd
        .lines()
        .map(|line| line.split(':').collect::<Vec<_>>())
        .find(|parts| parts.first() == Some(&name))
        .and_then(|parts| Some((parts.get(2)?.parse().ok()?, parts.get(3)?.parse().ok()?)))
}

/// The arguments of a process, the first included.
fn arguments(process: &Process, path: &str) -> Vec<String> {
    let first = process
        .exe
        .clone()
        .unwrap_or_else(|| path.rsplit('/').next().unwrap_or(path).to_owned());
    let mut argv = vec![first];
    argv.extend(process.args.iter().cloned());
    argv
}

/// A program that is in memory only has a name in place of a path.
fn memory_start(process: &Process) -> Start {
    let path = process
        .name
        .clone()
        .or_else(|| {
            let path = process.exe_path.as_deref()?;
            path.rsplit('/').next().map(ToOwned::to_owned)
        })
        .unwrap_or_else(|| "suite".to_owned());
    Start {
        argv: arguments(process, &path),
        path,
        plain_root: false,
    }
}

/// A step's values with defaults, and the words that the kernel gets.
struct Prepared {
    values: Vec<Exposed>,
    pieces: Vec<Piece>,
}

enum Piece {
    Number(i64),
    Bytes(Vec<u8>),
    Back(Vec<u8>),
}

impl Prepared {
    fn new(step: &Step, given: &[Option<Exposed>]) -> Self {
        let parameters = step.call.parameters;
        let given_length = parameters
            .iter()
            .zip(given)
            .find(|(parameter, _)| parameter.kind == Kind::Length)
            .and_then(|(_, value)| match value {
                Some(Exposed::Number(number)) => usize::try_from(*number).ok(),
                _ => None,
            });
        let mut values = Vec::new();
        let mut pieces = Vec::new();
        let mut buffer_length = 0;
        for (parameter, value) in parameters.iter().zip(given) {
            let (value, piece) = match (parameter.kind, value.clone()) {
                (Kind::Buffer, value) => {
                    let bytes = match value {
                        Some(Exposed::Bytes(bytes)) => bytes,
                        _ => vec![0; given_length.unwrap_or_default()],
                    };
                    buffer_length = bytes.len();
                    let mut room = bytes.clone();
                    // The kernel must not read or write past the end.
                    room.resize(room.len().max(given_length.unwrap_or_default()), 0);
                    let piece = if step.call.name == "read" {
                        Piece::Back(room)
                    } else {
                        Piece::Bytes(room)
                    };
                    (Exposed::Bytes(bytes), piece)
                }
                (Kind::Length, _) => {
                    let length = i64::try_from(given_length.unwrap_or(buffer_length)).unwrap_or(i64::MAX);
                    (Exposed::Number(length), Piece::Number(length))
                }
                (Kind::Text, value) => {
                    let bytes = match value {
                        Some(Exposed::Bytes(bytes)) => bytes,
                        _ => Vec::new(),
                    };
                    let mut ended = bytes.clone();
                    ended.push(0);
                    (Exposed::Bytes(bytes), Piece::Bytes(ended))
                }
                (Kind::Address, Some(Exposed::Address(address))) => {
                    let bytes = sockets::sockaddr(&address);
                    (Exposed::Address(address), Piece::Bytes(bytes))
                }
                (kind, Some(Exposed::Number(number))) if kind != Kind::Address => {
                    (Exposed::Number(number), Piece::Number(number))
                }
                (Kind::Folder, _) => (Exposed::Number(AT_FDCWD), Piece::Number(AT_FDCWD)),
                _ => (Exposed::Number(0), Piece::Number(0)),
            };
            values.push(value);
            pieces.push(piece);
        }
        match step.call.name {
            // Flags, mode and resolve make up one structure of three 64-bit numbers, and its size follows.
            "openat2" => {
                let mut how = Vec::new();
                for piece in pieces.drain(2..) {
                    if let Piece::Number(number) = piece {
                        how.extend_from_slice(&number.to_ne_bytes());
                    }
                }
                let size = length(&how);
                pieces.extend([Piece::Bytes(how), Piece::Number(size)]);
            }
            // The size of the address follows it.
            "connect" | "sendto" => {
                if let Some(Piece::Bytes(address)) = pieces.last() {
                    let size = length(address);
                    pieces.push(Piece::Number(size));
                }
            }
            // The size of the module precedes its parameters.
            "init_module" => {
                if let Some(Piece::Bytes(image)) = pieces.first() {
                    let size = length(image);
                    pieces.insert(1, Piece::Number(size));
                }
            }
            _ => {}
        }
        Self { values, pieces }
    }

    fn words(&self) -> Vec<Word<'_>> {
        self.pieces
            .iter()
            .map(|piece| match piece {
                Piece::Number(number) => Word::Number(*number),
                Piece::Bytes(bytes) => Word::Bytes(bytes),
                Piece::Back(bytes) => Word::Back(bytes),
            })
            .collect()
    }

    fn value(&self, step: &Step, name: &str) -> Option<&Exposed> {
        let index = step
            .call
            .parameters
            .iter()
            .position(|parameter| parameter.name == name)?;
        self.values.get(index)
    }
}
