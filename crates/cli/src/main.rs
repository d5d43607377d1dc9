//! The program `hullward`: reads the command line, runs one command, turns its outcome into an exit code.
#![allow(clippy::exit, reason = "exit codes are this crate's business")]

mod arguments;
mod commands;
mod console;
mod database;
mod settings;

use arguments::{Arguments, Command};
use clap::Parser;
use console::Console;
use std::process::ExitCode;

/// How a command ended; the number is the process's exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Done, and nothing beyond the gate.
    Done = 0,
    /// A gate failed.
    GateFailed = 1,
}

/// A failure with its exit code.
#[derive(Debug)]
pub(crate) struct Failure {
    code: u8,
    error: anyhow::Error,
    hint: Option<String>,
}

impl Failure {
    /// Wrong usage: exit code 2.
    pub(crate) fn usage(error: impl Into<anyhow::Error>) -> Self {
        Self {
            code: 2,
            error: error.into(),
            hint: None,
        }
    }

    /// The target, or a file that the command names, could not be read: exit code 3.
    pub(crate) fn unreadable(error: impl Into<anyhow::Error>) -> Self {
        Self {
            code: 3,
            error: error.into(),
            hint: None,
        }
    }

    /// Anything else: exit code 4.
    pub(crate) fn internal(error: impl Into<anyhow::Error>) -> Self {
        Self {
            code: 4,
            error: error.into(),
            hint: None,
        }
    }

    /// Adds what the user can do about it.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl From<artifact::ArtifactError> for Failure {
    fn from(error: artifact::ArtifactError) -> Self {
        let hint = error.hint();
        let failure = Self::unreadable(error);
        match hint {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }
}

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let code = if error.use_stderr() { 2 } else { 0 };
            // A closed pipe (`hullward --help | head -1`) is nobody's failure.
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    let settings = match settings::load(&arguments.global) {
        Ok(settings) => settings,
        Err(failure) => {
            Console::new(&arguments.global, None).failure(&failure.error, failure.hint.as_deref());
            return ExitCode::from(failure.code);
        }
    };
    let console = Console::new(&arguments.global, Some(&settings));
    // Work on hostile input runs behind a net: what it says goes to whoever asks for details, the report says the rest.
    let verbose = arguments.global.verbose;
    std::panic::set_hook(Box::new(move |panic| {
        if verbose {
            Console::panic(&panic.to_string());
        }
    }));
    let run = std::panic::AssertUnwindSafe(|| run(arguments.command, &settings, &console));
    let outcome = std::panic::catch_unwind(run).unwrap_or_else(|_| {
        Err(
            Failure::internal(anyhow::anyhow!("hullward failed where it should not"))
                .hint("--verbose tells where; please report it, with the target if you can share it"),
        )
    });
    match outcome {
        Ok(outcome) => ExitCode::from(outcome as u8),
        Err(failure) => {
            console.failure(&failure.error, failure.hint.as_deref());
            ExitCode::from(failure.code)
        }
    }
}

fn run(command: Command, settings: &settings::Settings, console: &Console) -> Result<Outcome, Failure> {
    match command {
        Command::Scan(options) => commands::scan::run(&options, settings, console),
        Command::Sbom(options) => commands::sbom::run(&options, settings, console),
        Command::Diff(options) => commands::diff::run(&options, settings, console),
        Command::Explain(options) => commands::explain::run(&options, settings, console),
        Command::Db(options) => commands::db::run(&options, settings, console),
        Command::Cache(options) => commands::cache::run(&options, settings, console),
        Command::Rules(options) => commands::rules::run(&options, console),
        Command::Watch(options) => commands::watch::run(&options, settings, console),
    }
}
