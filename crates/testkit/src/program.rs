//! Runs the program as a user would, in an environment that says nothing of the machine it runs on.

use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// What a run printed and how it ended.
#[derive(Debug)]
pub struct Ran {
    /// Exit code; -1 when a signal ended it.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Ran {
    /// The run, if it ended with `code`.
    ///
    /// # Panics
    /// When it did not, with everything it printed.
    pub fn expect_code(self, code: i32) -> Self {
        assert_eq!(
            self.code, code,
            "stdout:\n{}\nstderr:\n{}",
            self.stdout, self.stderr
        );
        self
    }
}

/// A command line to run.
pub struct Program {
    command: Command,
}

impl Program {
    /// The program at `path`, with `home` as the only folder it knows: its cache, configuration and database are there.
    #[must_use]
    pub fn new(path: &str, home: &Path) -> Self {
        let mut command = Command::new(path);
        command
            .env_clear()
            .env("HOME", home)
            .env("PATH", "/usr/bin:/bin")
            .env("SOURCE_DATE_EPOCH", "1767225600")
            .current_dir(home)
            .stdin(Stdio::null());
        Self { command }
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<I: IntoIterator<Item = S>, S: AsRef<std::ffi::OsStr>>(mut self, arguments: I) -> Self {
        self.command.args(arguments);
        self
    }

    /// Sets a variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Runs it to its end.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    pub fn run(mut self) -> Ran {
        let output = self.command.output().unwrap();
        Ran {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Runs it to its end with a terminal as standard error; what was written there comes as the terminal got it.
    ///
    /// # Panics
    /// When there are no pseudo-terminals or it cannot be started.
    #[must_use]
    pub fn run_on_terminal(mut self) -> Ran {
        use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
        let here = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&here).unwrap();
        unlockpt(&here).unwrap();
        let name = ptsname(&here, Vec::new()).unwrap();
        let there = std::fs::OpenOptions::new()
            .read(true)
            .write(true)
            .open(name.to_str().unwrap())
            .unwrap();
        self.command.stdout(Stdio::piped()).stderr(Stdio::from(there));
        let mut child = self.command.spawn().unwrap();
        // The command keeps the terminal's other end open, and reading would never end.
        drop(self);
        let stdout = read_aside(child.stdout.take().unwrap());
        let shown = std::thread::spawn(move || {
            let mut terminal = std::fs::File::from(here);
            let mut bytes = Vec::new();
            let mut part = [0; 4096];
            // Once nobody has the other end open, reading gives an error.
            while let Ok(count @ 1..) = terminal.read(&mut part) {
                bytes.extend_from_slice(&part[..count]);
            }
            String::from_utf8_lossy(&bytes).into_owned()
        });
        let code = child.wait().unwrap().code().unwrap_or(-1);
        Ran {
            code,
            stdout: stdout.join().unwrap(),
            stderr: shown.join().unwrap(),
        }
    }

    /// Runs it to its end, which must come before `deadline` is over and, where the system tells, without ever having more
    /// than `memory` bytes resident. For hostile input: what hangs or grows is ended and fails the test.
    ///
    /// # Panics
    /// When it cannot be started, takes too long or too much memory.
    #[must_use]
    pub fn run_within(mut self, deadline: Duration, memory: u64) -> Ran {
        self.command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = self.command.spawn().unwrap();
        let stdout = read_aside(child.stdout.take().unwrap());
        let stderr = read_aside(child.stderr.take().unwrap());
        let started = Instant::now();
        let mut peak = 0;
        let (code, fault) = loop {
            peak = peak.max(peak_memory(&child).unwrap_or(0));
            if let Some(status) = child.try_wait().unwrap() {
                break (status.code().unwrap_or(-1), None);
            }
            let fault = if peak > memory {
                Some(format!("took {peak} bytes of memory, more than {memory}"))
            } else if started.elapsed() > deadline {
                Some(format!("did not end within {deadline:?}"))
            } else {
                None
            };
            if fault.is_some() {
                child.kill().unwrap();
                child.wait().unwrap();
                break (-1, fault);
            }
            std::thread::sleep(Duration::from_millis(2));
        };
        let ran = Ran {
            code,
            stdout: stdout.join().unwrap(),
            stderr: stderr.join().unwrap(),
        };
        assert!(peak <= memory, "took {peak} bytes of memory, more than {memory}");
        if let Some(fault) = fault {
            panic!(
                "the program {fault}\nstdout:\n{:.2000}\nstderr:\n{:.2000}",
                ran.stdout, ran.stderr
            );
        }
        ran
    }
}

/// Reads a pipe to its end on a thread of its own, so that the program never waits for its reader.
fn read_aside(mut pipe: impl Read + Send + 'static) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        pipe.read_to_end(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// Most bytes that a running process had resident so far; `None` where the system does not tell.
fn peak_memory(child: &Child) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

/// A folder that goes away with the returned value.
///
/// # Panics
/// When none can be made.
#[must_use]
pub fn temporary_folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}
