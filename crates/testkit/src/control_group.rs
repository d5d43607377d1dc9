//! A control group of a test's own, which shell scripts are run in.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// Where a group is made that containers would be told apart by, the first that there is.
const HIERARCHIES: [&str; 3] = [
    "/sys/fs/cgroup/memory",
    "/sys/fs/cgroup/unified",
    "/sys/fs/cgroup",
];

/// A group that is removed when it is dropped.
#[derive(Debug)]
pub struct ControlGroup(PathBuf);

impl ControlGroup {
    /// Makes a group of this name at the top of its hierarchy.
    ///
    /// # Errors
    /// When no hierarchy is mounted, or this process may not make groups; says so in words for a test that skips.
    pub fn new(name: &str) -> Result<Self, String> {
        let hierarchy = HIERARCHIES
            .into_iter()
            .map(Path::new)
            .find(|hierarchy| hierarchy.join("cgroup.procs").exists())
            .ok_or("no control groups are mounted")?;
        let folder = hierarchy.join(name);
        std::fs::create_dir(&folder).map_err(|error: io::Error| format!("{}: {error}", folder.display()))?;
        Ok(Self(folder))
    }

    /// Its folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.0
    }

    /// Runs a shell script in the group to its end, which must be a good one; returns the process that it was. The shell is
    /// started by `launcher`, a program with arguments (`taskset 1`), when that is not empty.
    ///
    /// # Panics
    /// When the script fails.
    pub fn run(&self, launcher: &[&str], script: &str) -> u32 {
        let script = format!("echo $$ > $0/cgroup.procs; {script}");
        let words = [launcher, &["sh", "-c", &script]].concat();
        let mut child = Command::new(words[0])
            .args(&words[1..])
            .arg(&self.0)
            .spawn()
            .unwrap();
        assert!(child.wait().unwrap().success());
        child.id()
    }
}

impl Drop for ControlGroup {
    fn drop(&mut self) {
        // A group is busy until its last process is gone altogether.
        let deadline = Instant::now() + Duration::from_secs(10);
        while std::fs::remove_dir(&self.0).is_err() && Instant::now() < deadline {
            std::thread::yield_now();
        }
    }
}
