//! Reading what no record told from the files of the running host.

use super::users::{MAXIMUM_FILE, UserTable};
use crate::host_files;
use crate::wire::{Credentials, Process as Identity};
use std::fmt::Debug;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

/// What the host's files say of a process.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProcFacts {
    /// The parent's number.
    pub parent: u32,
    /// When it started, nanoseconds since boot, exact to a tick.
    pub start_time: u64,
    /// The name.
    pub comm: Vec<u8>,
    /// All arguments, each ended by NUL.
    pub arguments: Vec<u8>,
    /// The environment, each entry ended by NUL.
    pub environment: Option<Vec<u8>>,
    /// The binary.
    pub executable: Vec<u8>,
    /// The working folder.
    pub working_folder: Vec<u8>,
    /// Users, groups and capabilities.
    pub credentials: Option<Credentials>,
    /// Numbers, session, group, terminal.
    pub identity: Option<Identity>,
    /// How many threads it has.
    pub threads: u32,
}

/// When the files with users and groups last changed, and their sizes.
pub type UserStamp = [Option<(i64, i64, i64)>; 2];

/// Where facts come from that no record told.
pub trait ProcReader: Send + Debug {
    /// Facts of a process; `None` when it is gone.
    fn process(&mut self, tgid: u32) -> Option<ProcFacts>;

    /// The path of the control group of a thread below its hierarchy.
    fn cgroup(&mut self, tid: u32) -> Option<Vec<u8>>;

    /// The users and groups that a process sees; `None` when it is gone, in another mount namespace than this one, or its files
    /// cannot be read. The table is left out when nothing changed since `known`.
    fn users(
        &mut self,
        tgid: u32,
        mount_namespace: u32,
        known: Option<UserStamp>,
    ) -> Option<(UserStamp, Option<UserTable>)>;
}

/// Reads `/proc`, in a thread of its own: files of processes can be made to hang by who controls the process, and then
/// nothing is known instead of everything being late.
#[derive(Debug)]
pub struct HostProc {
    jobs: SyncSender<(u64, Job)>,
    answers: Receiver<(u64, Answer)>,
    next: u64,
    /// The job that did not end in time; nothing else is asked for until it does.
    hanging: Option<u64>,
}

/// How long a reading may take.
const PATIENCE: Duration = Duration::from_millis(100);

#[derive(Debug)]
enum Job {
    Process(u32),
    Cgroup(u32),
    Users(u32, u32, Option<UserStamp>),
}

#[derive(Debug)]
enum Answer {
    Process(Option<Box<ProcFacts>>),
    Cgroup(Option<Vec<u8>>),
    Users(Option<(UserStamp, Option<UserTable>)>),
}

impl HostProc {
    /// Reads the `proc` file system mounted at `folder`, environments only where `environment` says so.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn start(folder: &Path, environment: bool) -> io::Result<Self> {
        let files = Files {
            folder: folder.to_owned(),
            ticks: rustix::param::clock_ticks_per_second().max(1),
            environment,
        };
        let (jobs, receiver) = sync_channel::<(u64, Job)>(1);
        let (sender, answers) = sync_channel(1);
        thread::Builder::new()
            .name("proc-reader".to_owned())
            .spawn(move || {
                for (number, job) in receiver {
                    let answer = match job {
                        Job::Process(tgid) => Answer::Process(files.process(tgid).map(Box::new)),
                        Job::Cgroup(tid) => Answer::Cgroup(files.cgroup(tid)),
                        Job::Users(tgid, namespace, known) => {
                            Answer::Users(files.users(tgid, namespace, known))
                        }
                    };
                    if sender.send((number, answer)).is_err() {
                        return;
                    }
                }
            })?;
        Ok(Self {
            jobs,
            answers,
            next: 0,
            hanging: None,
        })
    }

    fn ask(&mut self, job: Job) -> Option<Answer> {
        if let Some(hanging) = self.hanging {
            match self.answers.try_recv() {
                Ok((number, _)) if number == hanging => self.hanging = None,
                _ => return None,
            }
        }
        self.next += 1;
        self.jobs.try_send((self.next, job)).ok()?;
        match self.answers.recv_timeout(PATIENCE) {
            Ok((number, answer)) if number == self.next => Some(answer),
            _ => {
                self.hanging = Some(self.next);
                None
            }
        }
    }
}

impl ProcReader for HostProc {
    fn process(&mut self, tgid: u32) -> Option<ProcFacts> {
        match self.ask(Job::Process(tgid))? {
            Answer::Process(facts) => facts.map(|facts| *facts),
            Answer::Cgroup(_) | Answer::Users(_) => None,
        }
    }

    fn cgroup(&mut self, tid: u32) -> Option<Vec<u8>> {
        match self.ask(Job::Cgroup(tid))? {
            Answer::Cgroup(path) => path,
            Answer::Process(_) | Answer::Users(_) => None,
        }
    }

    fn users(
        &mut self,
        tgid: u32,
        mount_namespace: u32,
        known: Option<UserStamp>,
    ) -> Option<(UserStamp, Option<UserTable>)> {
        match self.ask(Job::Users(tgid, mount_namespace, known))? {
            Answer::Users(users) => users,
            Answer::Process(_) | Answer::Cgroup(_) => None,
        }
    }
}

/// The files of `/proc`.
#[derive(Debug)]
struct Files {
    folder: PathBuf,
    ticks: u64,
    environment: bool,
}

impl Files {
    fn file(&self, number: u32, name: &str, limit: u64) -> Option<Vec<u8>> {
        host_files::read(&self.folder.join(format!("{number}/{name}")), limit).ok()
    }

    fn link(&self, number: u32, name: &str) -> Vec<u8> {
        let mut path =
            host_files::read_link(&self.folder.join(format!("{number}/{name}"))).unwrap_or_default();
        if path.ends_with(b" (deleted)") {
            path.truncate(path.len() - b" (deleted)".len());
        }
        path
    }

    fn process(&self, tgid: u32) -> Option<ProcFacts> {
        let stat = self.file(tgid, "stat", 4096)?;
        let (comm, mut facts, mut identity) = parse_stat(&stat, self.ticks)?;
        let status = self.file(tgid, "status", 16 << 10).unwrap_or_default();
        let login = self.file(tgid, "loginuid", 32).unwrap_or_default();
        facts.credentials = Some(parse_status(&status, &login, &mut identity));
        facts.identity = Some(identity);
        facts.comm = comm;
        facts.arguments = self.file(tgid, "cmdline", 8 << 10).unwrap_or_default();
        if self.environment {
            facts.environment = self.file(tgid, "environ", 8 << 10);
        }
        facts.executable = self.link(tgid, "exe");
        facts.working_folder = self.link(tgid, "cwd");
        Some(facts)
    }

    fn cgroup(&self, tid: u32) -> Option<Vec<u8>> {
        let lines = self.file(tid, "cgroup", 64 << 10)?;
        best_cgroup(&lines).map(<[u8]>::to_vec)
    }

    fn users(
        &self,
        tgid: u32,
        mount_namespace: u32,
        known: Option<UserStamp>,
    ) -> Option<(UserStamp, Option<UserTable>)> {
        let namespace = self.link(tgid, "ns/mnt");
        if namespace != format!("mnt:[{mount_namespace}]").into_bytes() {
            return None;
        }
        let root = self.folder.join(format!("{tgid}/root"));
        let stamp = [
            host_files::stamp_below(&root, "etc/passwd"),
            host_files::stamp_below(&root, "etc/group"),
        ];
        if known == Some(stamp) {
            return Some((stamp, None));
        }
        let passwd = host_files::read_below(&root, "etc/passwd", MAXIMUM_FILE);
        let group = host_files::read_below(&root, "etc/group", MAXIMUM_FILE);
        // A root folder without these files has no names; one that is gone says nothing.
        host_files::read_link(&root).ok()?;
        let table = UserTable::parse(&passwd.unwrap_or_default(), &group.unwrap_or_default());
        Some((stamp, Some(table)))
    }
}

/// The control group that tells of a container, out of `/proc/<pid>/cgroup`: the longest path of all hierarchies.
fn best_cgroup(lines: &[u8]) -> Option<&[u8]> {
    lines
        .split(|byte| *byte == b'\n')
        .filter_map(|line| line.splitn(3, |byte| *byte == b':').nth(2))
        .max_by_key(|path| (crate::containers::identify(path).is_some(), path.len()))
}

fn parse_stat(stat: &[u8], ticks: u64) -> Option<(Vec<u8>, ProcFacts, Identity)> {
    let open = stat.iter().position(|byte| *byte == b'(')?;
    let close = stat.iter().rposition(|byte| *byte == b')')?;
    let comm = stat.get(open + 1..close)?.to_vec();
    let rest = std::str::from_utf8(stat.get(close + 1..)?).ok()?;
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    // Counted from the third field of the file, which is the first here.
    let number = |index: usize| -> i64 {
        fields
            .get(index - 3)
            .and_then(|text| text.parse().ok())
            .unwrap_or(0)
    };
    let small = |index: usize| u32::try_from(number(index)).unwrap_or(0);
    let start: u64 = fields.get(19)?.parse().ok()?;
    let identity = Identity {
        process_group: small(5),
        session: small(6),
        terminal: small(7),
        ..Identity::default()
    };
    let facts = ProcFacts {
        parent: small(4),
        threads: small(20),
        start_time: start.saturating_mul(1_000_000_000 / ticks),
        ..ProcFacts::default()
    };
    Some((comm, facts, identity))
}

fn parse_status(status: &[u8], login: &[u8], identity: &mut Identity) -> Credentials {
    let text = String::from_utf8_lossy(status);
    let mut credentials = Credentials {
        login_uid: String::from_utf8_lossy(login).trim().parse().unwrap_or(u32::MAX),
        ..Credentials::default()
    };
    let numbers = |value: &str| -> Vec<u32> {
        value
            .split_ascii_whitespace()
            .map(|number| number.parse().unwrap_or(0))
            .collect()
    };
    let last = |value: &str| numbers(value).last().copied().unwrap_or(0);
    let bits = |value: &str| u64::from_str_radix(value.trim(), 16).unwrap_or(0);
    for line in text.lines() {
        let Some((name, value)) = line.split_once(':') else {
            continue;
        };
        match name {
            "Uid" => {
                if let [real, effective, saved, filesystem, ..] = numbers(value)[..] {
                    credentials.uid = real;
                    credentials.effective_uid = effective;
                    credentials.saved_uid = saved;
                    credentials.filesystem_uid = filesystem;
                }
            }
            "Gid" => {
                if let [real, effective, saved, filesystem, ..] = numbers(value)[..] {
                    credentials.gid = real;
                    credentials.effective_gid = effective;
                    credentials.saved_gid = saved;
                    credentials.filesystem_gid = filesystem;
                }
            }
            "CapInh" => credentials.inheritable = bits(value),
            "CapPrm" => credentials.permitted = bits(value),
            "CapEff" => credentials.effective = bits(value),
            "CapBnd" => credentials.bounding = bits(value),
            "CapAmb" => credentials.ambient = bits(value),
            // One number for each PID namespace, the process's own last.
            "NStgid" => identity.virtual_pid = last(value),
            "NSpid" => identity.virtual_tid = last(value),
            "NSpgid" => identity.virtual_process_group = last(value),
            "NSsid" => identity.virtual_session = last(value),
            _ => {}
        }
    }
    credentials
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_read() {
        let mut reader = HostProc::start(Path::new("/proc"), true).unwrap();
        let facts = reader.process(std::process::id()).unwrap();
        assert!(!facts.comm.is_empty());
        assert!(facts.arguments.ends_with(b"\0"));
        assert!(facts.executable.starts_with(b"/"));
        assert!(facts.working_folder.starts_with(b"/"));
        assert!(facts.start_time > 0);
        assert_eq!(facts.identity.unwrap().virtual_pid, std::process::id());
        assert_eq!(reader.process(u32::MAX), None);
        let own = std::process::id();
        let link = std::fs::read_link("/proc/self/ns/mnt").unwrap();
        let digits = link
            .to_str()
            .unwrap()
            .trim_matches(|letter: char| !letter.is_ascii_digit());
        let namespace: u32 = digits.parse().unwrap();
        let (stamp, table) = reader.users(own, namespace, None).unwrap();
        assert!(table.unwrap().users.contains_key(&0));
        assert_eq!(reader.users(own, namespace, Some(stamp)), Some((stamp, None)));
        assert_eq!(reader.users(own, namespace + 1, None), None);
        assert_eq!(reader.users(u32::MAX, namespace, None), None);
    }

    #[test]
    fn what_hangs_is_not_waited_for() {
        // Nobody answers.
        let (jobs, receiver) = sync_channel(1);
        let (_sender, answers) = sync_channel(1);
        let mut reader = HostProc {
            jobs,
            answers,
            next: 0,
            hanging: None,
        };
        assert_eq!(reader.process(1), None);
        assert_eq!(reader.hanging, Some(1));
        // From then on it does not even ask.
        assert_eq!(reader.process(2), None);
        assert_eq!(receiver.try_iter().count(), 1);
    }

    #[test]
    fn names_with_brackets_and_blanks() {
        let line = b"7 (a) b) (c) S 1 7 7 34816 7 4194560 1 2 3 4 5 6 7 8 20 0 3 0 500 1 2";
        let (comm, facts, identity) = parse_stat(line, 100).unwrap();
        assert_eq!(comm, b"a) b) (c");
        assert_eq!(
            (facts.parent, facts.threads, facts.start_time),
            (1, 3, 5_000_000_000)
        );
        assert_eq!((identity.session, identity.terminal), (7, 34816));
        assert_eq!(parse_stat(b"7 (a", 100), None);
    }

    #[test]
    fn the_group_that_tells_of_a_container() {
        let id = "3".repeat(64);
        let lines = format!(
            "12:cpu:/\n3:pids:/docker/{id}\n0::/system.slice/containerd.service/a-very-long-name-indeed/of/something/that/is/none\n"
        );
        assert_eq!(
            best_cgroup(lines.as_bytes()),
            Some(format!("/docker/{id}").as_bytes())
        );
    }
}
