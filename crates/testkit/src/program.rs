//! Runs the program as a user would, in an environment that says nothing of the machine it runs on.

use std::path::Path;
use std::process::{Command, Stdio};

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
}

/// A folder that goes away with the returned value.
///
/// # Panics
/// When none can be made.
#[must_use]
pub fn temporary_folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}
