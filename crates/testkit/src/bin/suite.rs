//! Runs suites of tests in the format of Falco's event generator against a detector.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for the terminal"
)]
#![allow(clippy::disallowed_methods, reason = "reads suites and starts what they name")]

use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use testkit::suite::container::Choice;
use testkit::suite::session::{self, Session};
use testkit::suite::yaml::Mistake;
use testkit::suite::{description, matching, run, table};

const USAGE: &str = "\
Usage: suite [OPTIONS] FILE|FOLDER...

Acts out the tests of suite files and compares what a detector alerts with what they expect.

Options:
  --rules FILE             rules for `hullward watch`; may be repeated
  --all-matches            `hullward watch` raises every rule that matches an event, not the first alone
  --hullward PROGRAM       the program whose `watch` is the detector [default: the one beside this program]
  --detector COMMAND       another detector, run by sh: it prints alerts as Falco does in JSON, each with proc.env among
                           its output fields, and `watching` on its errors when it is ready
  --only TEXT              only tests whose name or rule holds the text; may be repeated
  --container-runtime R    auto, docker or runc [default: auto]
  --settle MILLISECONDS    how long a container runs before its test starts [default: 500]
  --linger MILLISECONDS    how long a test's processes stay after their last act; tells alerts that need living processes
                           from alerts that never come [default: 0]
  --timeout SECONDS        how long an alert may take [default: 5]
  --ready SECONDS          how long the detector may take to be ready [default: 60]
  --format FORMAT          table or json [default: table]
  --list                   print the tests and what they expect, run nothing
  --execute-only           act out without a detector and print what the system calls returned
  --help                   print this

Exit code: 0 when nothing failed, 1 when a test failed or could not be acted out, 2 for wrong usage or a mistake in a
suite (its test is left out, the others run), 4 when the detector or the runner failed.
";

struct Options {
    rules: Vec<PathBuf>,
    all_matches: bool,
    hullward: Option<PathBuf>,
    detector: Option<String>,
    only: Vec<String>,
    runtime: Choice,
    settle: Duration,
    linger: Duration,
    timeout: Duration,
    ready: Duration,
    json: bool,
    list: bool,
    execute_only: bool,
    targets: Vec<PathBuf>,
}

fn main() -> ExitCode {
    let options = match options(std::env::args().skip(1)) {
        Ok(Some(options)) => options,
        Ok(None) => {
            print!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        Err(message) => {
            eprintln!("suite: {message}; --help tells the options");
            return ExitCode::from(2);
        }
    };
    let (tests, mistakes) = match read(&options) {
        Ok(read) => read,
        Err(message) => {
            eprintln!("suite: {message}");
            return ExitCode::from(2);
        }
    };
    if options.list {
        for test in &tests {
            println!("{}: {}", test.name, matching::Expectation(test));
        }
        return if mistakes.is_empty() {
            ExitCode::SUCCESS
        } else {
            ExitCode::from(2)
        };
    }
    match perform(&options, &tests) {
        Ok(report) => {
            if options.json {
                println!("{}", table::json(&report));
            } else {
                print!("{}", table::text(&report));
            }
            if let Some(reason) = report.stopped {
                eprintln!("suite: stopped before the last test: {reason}");
                ExitCode::from(4)
            } else if !mistakes.is_empty() {
                for mistake in &mistakes {
                    eprintln!("suite: left out: {mistake}");
                }
                ExitCode::from(2)
            } else if report.failed() {
                ExitCode::from(1)
            } else {
                ExitCode::SUCCESS
            }
        }
        Err(message) => {
            eprintln!("suite: {message}");
            ExitCode::from(4)
        }
    }
}

fn options(mut arguments: impl Iterator<Item = String>) -> Result<Option<Options>, String> {
    let mut options = Options {
        rules: Vec::new(),
        all_matches: false,
        hullward: None,
        detector: None,
        only: Vec::new(),
        runtime: Choice::Auto,
        settle: Duration::from_millis(500),
        linger: Duration::ZERO,
        timeout: Duration::from_secs(5),
        ready: Duration::from_secs(60),
        json: false,
        list: false,
        execute_only: false,
        targets: Vec::new(),
    };
    while let Some(argument) = arguments.next() {
        let mut value = || {
            arguments
                .next()
                .ok_or_else(|| format!("{argument} needs a value"))
        };
        match argument.as_str() {
            "--rules" => options.rules.push(value()?.into()),
            "--hullward" => options.hullward = Some(value()?.into()),
            "--detector" => options.detector = Some(value()?),
            "--only" => options.only.push(value()?),
            "--container-runtime" => {
                options.runtime = match value()?.as_str() {
                    "auto" => Choice::Auto,
                    "docker" => Choice::Docker,
                    "runc" => Choice::Runc,
                    other => {
                        return Err(format!(
                            "--container-runtime is auto, docker or runc, not `{other}`"
                        ));
                    }
                };
            }
            "--settle" => options.settle = Duration::from_millis(number(&argument, &value()?)?),
            "--linger" => options.linger = Duration::from_millis(number(&argument, &value()?)?),
            "--timeout" => options.timeout = Duration::from_secs(number(&argument, &value()?)?),
            "--ready" => options.ready = Duration::from_secs(number(&argument, &value()?)?),
            "--format" => {
                options.json = match value()?.as_str() {
                    "json" => true,
                    "table" => false,
                    other => return Err(format!("--format is table or json, not `{other}`")),
                };
            }
            "--all-matches" => options.all_matches = true,
            "--list" => options.list = true,
            "--execute-only" => options.execute_only = true,
            "--help" | "-h" => return Ok(None),
            option if option.starts_with('-') => return Err(format!("there is no option {option}")),
            target => options.targets.push(target.into()),
        }
    }
    if options.targets.is_empty() {
        return Err("no suite is named".to_owned());
    }
    if !options.list && !options.execute_only && options.detector.is_none() && options.rules.is_empty() {
        return Err("no rules are named (--rules FILE)".to_owned());
    }
    Ok(Some(options))
}

fn number(option: &str, text: &str) -> Result<u64, String> {
    text.parse()
        .ok()
        .filter(|number| *number <= 3_600_000)
        .ok_or_else(|| format!("{option} is a number, not `{text}`"))
}

/// The tests to act out, and the mistakes of those that cannot be. They are told at once, and again at the end.
fn read(options: &Options) -> Result<(Vec<description::Test>, Vec<Mistake>), String> {
    let (tests, mistakes) = session::well_formed_tests(&options.targets)?;
    for mistake in &mistakes {
        eprintln!("suite: {mistake}");
    }
    if tests.is_empty() {
        return Err("no test is well formed".to_owned());
    }
    let chosen: Vec<_> = tests
        .into_iter()
        .filter(|test| {
            options.only.is_empty()
                || options
                    .only
                    .iter()
                    .any(|text| test.name.contains(text) || test.rule.contains(text))
        })
        .collect();
    if chosen.is_empty() {
        return Err("no test has any of the texts of --only".to_owned());
    }
    Ok((chosen, mistakes))
}

fn perform(options: &Options, tests: &[description::Test]) -> Result<run::Report, String> {
    let interrupted = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&interrupted))
            .map_err(|error| format!("signals cannot be caught: {error}"))?;
    }
    let detector = if options.execute_only {
        None
    } else {
        Some(detector_command(options)?)
    };
    let session = Session {
        runtime: options.runtime,
        settle: options.settle,
        linger: options.linger,
        timeout: options.timeout,
        ready: options.ready,
        interrupted,
        ..Session::new(std::process::id(), detector)
    };
    let ended = session.perform(tests, |index, test| {
        eprintln!("suite: {}/{} {}", index + 1, tests.len(), test.name);
    })?;
    if let Some(lacks) = ended.lacks {
        eprintln!("suite: containers are {lacks}");
    }
    if ended.others > 0 {
        eprintln!("suite: {} alerts of processes that are no test's", ended.others);
    }
    if let (strange, Some(first)) = ended.strange {
        eprintln!("suite: {strange} lines of the detector are no alerts; the first: {first}");
    }
    Ok(ended.report)
}

fn detector_command(options: &Options) -> Result<Command, String> {
    if let Some(line) = &options.detector {
        let mut command = Command::new("sh");
        command.arg("-c").arg(line);
        return Ok(command);
    }
    let program = match &options.hullward {
        Some(program) => program.clone(),
        None => std::env::current_exe()
            .map_err(|error| format!("this program's own path is unknown: {error}"))?
            .with_file_name("hullward"),
    };
    if !program.is_file() {
        return Err(format!(
            "there is no {}; build it or name it with --hullward",
            program.display()
        ));
    }
    Ok(session::watch(&program, &options.rules, options.all_matches))
}
