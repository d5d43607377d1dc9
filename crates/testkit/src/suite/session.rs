//! A session: reads suites, prepares what their tests need, starts the detector and acts the tests out.

use super::container::{Choice, Place};
use super::description::{self, Test};
use super::detector::Detector;
use super::drive::Stage;
use super::run::{self, Report};
use super::yaml::Mistake;
use super::{capabilities, leaf};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// How a session goes.
pub struct Session {
    /// No two sessions at a time have the same.
    pub number: u32,
    /// The detector; none only acts the tests out.
    pub detector: Option<Command>,
    /// What makes containers.
    pub runtime: Choice,
    /// How long a container runs before its test starts.
    pub settle: Duration,
    /// How long the processes of a test stay after their last act.
    pub linger: Duration,
    /// How long an alert may take.
    pub timeout: Duration,
    /// How long the detector may take to be ready.
    pub ready: Duration,
    /// Set when the session shall stop.
    pub interrupted: Arc<AtomicBool>,
}

/// What came of a session.
#[derive(Debug)]
pub struct Ended {
    /// How each test went.
    pub report: Report,
    /// How containers differ from what the format promises.
    pub lacks: Option<String>,
    /// Alerts of processes that were no test's.
    pub others: u64,
    /// Lines of the detector that are no alerts, and the first of them.
    pub strange: (u64, Option<String>),
}

impl Session {
    /// A session of the usual times.
    #[must_use]
    pub fn new(number: u32, detector: Option<Command>) -> Self {
        Self {
            number,
            detector,
            runtime: Choice::Auto,
            settle: Duration::from_millis(500),
            linger: Duration::ZERO,
            timeout: Duration::from_secs(5),
            ready: Duration::from_secs(60),
            interrupted: Arc::default(),
        }
    }

    /// Acts the tests out and judges them. `progress` is told of each test before it starts.
    ///
    /// # Errors
    /// When nothing can be prepared, or the detector does not start.
    pub fn perform(self, tests: &[Test], progress: impl FnMut(usize, &Test)) -> Result<Ended, String> {
        let folder = tempfile::Builder::new()
            .prefix("hullward-suite-run-")
            .tempdir()
            .map_err(|error| format!("no temporary folder can be made: {error}"))?;
        // Processes of other users must reach the program in it.
        open_to_all(folder.path())?;
        let program = folder.path().join("leaf");
        leaf::compile(&program)?;
        let leaf_bytes =
            std::fs::read(&program).map_err(|error| format!("{}: {error}", program.display()))?;
        let status = std::fs::read_to_string("/proc/self/status")
            .map_err(|error| format!("/proc/self/status: {error}"))?;
        let grantable = capabilities::grantable(&status)
            .ok_or("/proc/self/status does not tell this process's capabilities")?;
        let root = rustix::process::geteuid().is_root();
        let place = if tests.iter().any(|test| test.container.is_some()) {
            Place::prepare(self.runtime, root, grantable, folder.path(), &program)
        } else {
            Err("no test has a container".to_owned())
        };
        let lacks = place.as_ref().ok().and_then(Place::lacks).map(ToOwned::to_owned);
        let stage = Stage {
            number: self.number,
            leaf: program,
            leaf_bytes,
            folder: folder.path().to_owned(),
            root,
            place,
            interrupted: self.interrupted,
            settle: self.settle,
            linger: self.linger,
        };
        let mut detector = match self.detector {
            None => None,
            Some(command) => {
                let mut detector = Detector::start(command)?;
                detector.wait_until_ready(self.ready, &stage.interrupted)?;
                Some(detector)
            }
        };
        let report = run::all(tests, &stage, detector.as_mut(), self.timeout, progress);
        let (others, strange) = match &mut detector {
            Some(detector) => {
                detector.stop();
                let (others, strange, first) = detector.aside();
                (others, (strange, first))
            }
            None => (0, (0, None)),
        };
        Ok(Ended {
            report,
            lacks,
            others,
            strange,
        })
    }
}

/// The command of `hullward watch` with these rule files, as a session wants it.
#[must_use]
pub fn watch(program: &Path, rules: &[PathBuf], all_matches: bool) -> Command {
    let mut command = Command::new(program);
    command.arg("watch");
    for rules in rules {
        command.arg("--rules").arg(rules);
    }
    if all_matches {
        command.arg("--all-matches");
    }
    // On a busy machine what a runtime says of a container comes late; alerts may wait for it here.
    command.args(["--container-wait", "3000"]);
    // Tests of one rule follow each other faster than alerts of a rule are meant to.
    command.args(["--alert-rate", "0"]);
    command.args(["--format", "json", "--append-output-field", "proc.env"]);
    command
}

/// The tests of files, and of the `*.yaml` and `*.yml` files in folders, these in the order of their names.
///
/// # Errors
/// The first file that cannot be read, or the first mistake with its file and line.
pub fn tests(targets: &[PathBuf]) -> Result<Vec<Test>, String> {
    description::read(&texts(targets)?).map_err(|mistake| mistake.to_string())
}

/// The same, without those that are not well formed; their mistakes are told.
///
/// # Errors
/// The first file that cannot be read.
pub fn well_formed_tests(targets: &[PathBuf]) -> Result<(Vec<Test>, Vec<Mistake>), String> {
    Ok(description::read_all(&texts(targets)?))
}

/// Names and contents of suite files.
fn texts(targets: &[PathBuf]) -> Result<Vec<(String, String)>, String> {
    let mut files = Vec::new();
    for target in targets {
        for path in suites(target)? {
            let text =
                std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
            files.push((path.display().to_string(), text));
        }
    }
    Ok(files)
}

fn suites(target: &Path) -> Result<Vec<PathBuf>, String> {
    if !target.is_dir() {
        return Ok(vec![target.to_owned()]);
    }
    let failed = |error: std::io::Error| format!("{}: {error}", target.display());
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(target).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "yaml" || extension == "yml")
        {
            paths.push(path);
        }
    }
    paths.sort();
    if paths.is_empty() {
        return Err(format!("{} has no suite (*.yaml, *.yml)", target.display()));
    }
    Ok(paths)
}

fn open_to_all(path: &Path) -> Result<(), String> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755))
        .map_err(|error| format!("{}: {error}", path.display()))
}
