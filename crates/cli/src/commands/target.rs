//! What `scan`, `sbom` and `diff` share: opening a target, scanning it, writing the report.

use crate::arguments::{OutputOptions, TargetOptions};
use crate::console::Console;
use crate::database;
use crate::settings::Settings;
use crate::{Failure, Outcome};
use advisory::Database;
use anyhow::{Context, anyhow};
use artifact::{Memory, OpenOptions, Opened, Secret, TargetSpec};
use model::{Digest, Report};
use report::formats;
use scan::cache::Cache;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::Path;
use std::sync::Arc;

/// Scans one target.
///
/// # Errors
/// When the target or the database cannot be read.
pub(crate) fn scan_target(
    name: &str,
    options: &TargetOptions,
    vulnerabilities: bool,
    include_development: bool,
    settings: &Settings,
    console: &Console,
) -> Result<Report, Failure> {
    // The database is opened first: a scan that cannot be judged should not cost a download.
    let database: Option<Database> = if vulnerabilities {
        Some(database::open(settings, console)?)
    } else {
        None
    };
    let cache = (!options.no_cache).then(|| Cache::new(settings.cache_dir.clone(), settings.cache_cap));
    let mut open_options = open_options(options, settings);
    open_options.memory = cache.clone().map(|cache| Arc::new(cache) as Arc<dyn Memory>);
    console.detail(&format!("opening {name}"));
    let mut opened = open(name, &open_options)?;
    let base_layers = match &options.base_image {
        None => None,
        Some(base) => Some(layers_of(base, &open_options)?),
    };
    let scan_options = scan::ScanOptions {
        name: name.to_owned(),
        database: database.as_ref(),
        cache: cache.as_ref(),
        threads: options.threads.unwrap_or(settings.threads).clamp(1, 256),
        include_development: include_development || settings.include_dev,
        base_layers,
        now: now(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        progress: console,
    };
    let report = scan::scan(&mut opened, &scan_options).map_err(|error| match error {
        scan::ScanError::Artifact(error) => Failure::from(error),
        scan::ScanError::Database(error) => database::failure(error),
        scan::ScanError::Document { .. } => Failure::unreadable(error),
    })?;
    console.clear_progress();
    if let Some(cache) = &cache {
        cache.enforce_cap();
    }
    for problem in &report.problems {
        console.detail(&format!("problem: {problem}"));
    }
    console.detail("the scan is done");
    Ok(report)
}

/// RFC 3339, UTC, whole seconds; `SOURCE_DATE_EPOCH` makes reports reproducible.
pub(crate) fn now() -> String {
    let fixed = std::env::var("SOURCE_DATE_EPOCH")
        .ok()
        .and_then(|seconds| seconds.parse().ok());
    let now = fixed
        .and_then(|seconds| jiff::Timestamp::from_second(seconds).ok())
        .unwrap_or_else(jiff::Timestamp::now);
    jiff::Timestamp::from_second(now.as_second())
        .unwrap_or(now)
        .to_string()
}

fn open_options(options: &TargetOptions, settings: &Settings) -> OpenOptions {
    let password = std::env::var("HULLWARD_REGISTRY_PASSWORD").unwrap_or_default();
    OpenOptions {
        platform: options.platform.clone(),
        exclude: options.exclude.clone(),
        gitignore: !options.no_gitignore,
        offline: settings.offline,
        insecure: options.insecure,
        ca_file: options.ca_file.clone(),
        credentials: options
            .registry_user
            .clone()
            .map(|user| (user, Secret::new(password))),
        docker_host: options.docker_host.clone(),
        containerd_namespace: options.containerd_namespace.clone(),
        limits: settings.limits(),
        ..OpenOptions::default()
    }
}

fn open(name: &str, options: &OpenOptions) -> Result<Opened, Failure> {
    let spec = TargetSpec::parse(name)?;
    Ok(artifact::open(&spec, options)?)
}

fn layers_of(name: &str, options: &OpenOptions) -> Result<Vec<Digest>, Failure> {
    let image = match open(name, options)? {
        Opened::Image(image) => image,
        Opened::Unread(unread) => unread.describe()?,
        Opened::Tree(_) | Opened::Document(_) => {
            return Err(Failure::usage(anyhow!(
                "the base image `{name}` is no image but a folder or document"
            )));
        }
    };
    let layers = image.info.layers.into_iter();
    Ok(layers.map(|layer| layer.diff_id).collect())
}

/// Standard output takes one format.
///
/// # Errors
/// When several were asked for.
pub(crate) fn check(output: &OutputOptions) -> Result<(), Failure> {
    let on_standard_output = output
        .output
        .iter()
        .filter(|(_, path)| path == Path::new("-"))
        .count()
        + usize::from(output.format.is_some());
    if on_standard_output > 1 {
        return Err(Failure::usage(anyhow!(
            "standard output takes one format, {on_standard_output} were asked for"
        ))
        .hint("write the others to files: `--output FORMAT=FILE`"));
    }
    Ok(())
}

/// Writes a report to standard output and to the files that were asked for. `hidden` findings were filtered out of it.
///
/// # Errors
/// When a file cannot be written or a format cannot carry the report.
pub(crate) fn write(
    report: &Report,
    output: &OutputOptions,
    default_format: &str,
    inventory_only: bool,
    hidden: usize,
    settings: &Settings,
    no_color: bool,
) -> Result<Outcome, Failure> {
    let mut files = output.output.clone();
    let to_standard_output = files
        .iter()
        .position(|(_, path)| path == Path::new("-"))
        .map(|at| files.remove(at).0);
    let main = output
        .format
        .clone()
        .or(to_standard_output)
        .or_else(|| settings.format.clone())
        .unwrap_or_else(|| default_format.to_owned());
    for (name, path) in &files {
        let mut bytes = Vec::new();
        format_to(report, name, &plain(inventory_only, hidden), &mut bytes)?;
        artifact::files::write_atomic(path, &bytes)?;
    }
    // A report that only goes to files leaves standard output alone.
    if !files.is_empty()
        && output.format.is_none()
        && !output.output.iter().any(|(_, path)| path == Path::new("-"))
    {
        return Ok(Outcome::Done);
    }
    let stdout = io::stdout();
    let terminal = stdout.is_terminal();
    let no_color = no_color || std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let options = report::Options {
        width: terminal_width(terminal),
        color: terminal && !no_color,
        inventory_only,
        hidden,
    };
    let mut out = BufWriter::with_capacity(1 << 16, stdout.lock());
    let written = format_to(report, &main, &options, &mut out).and_then(|()| {
        out.flush()
            .context("standard output could not be written")
            .map_err(Failure::internal)
    });
    match written {
        // `hullward scan … | head` closes the pipe early: the reader has what it wanted.
        Err(failure) if is_broken_pipe(&failure.error) => Ok(Outcome::Done),
        Err(failure) => Err(failure),
        Ok(()) => Ok(Outcome::Done),
    }
}

fn format_to(
    report: &Report,
    name: &str,
    options: &report::Options,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let format = formats::find(name).ok_or_else(|| Failure::usage(anyhow!("`{name}` is no format")))?;
    if options.inventory_only && !format.carries_inventory() {
        return Err(Failure::usage(anyhow!(
            "the format `{name}` cannot carry an inventory without findings"
        )));
    }
    format
        .write(report, options, out)
        .context("the report could not be written")
        .map_err(Failure::internal)
}

fn plain(inventory_only: bool, hidden: usize) -> report::Options {
    report::Options {
        width: None,
        color: false,
        inventory_only,
        hidden,
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause
            .downcast_ref::<io::Error>()
            .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    })
}

/// Columns of the terminal, from `COLUMNS` or the terminal itself.
fn terminal_width(terminal: bool) -> Option<usize> {
    let from_variable = std::env::var("COLUMNS")
        .ok()
        .and_then(|columns| columns.parse().ok())
        .filter(|columns| *columns >= 20);
    from_variable.or_else(|| {
        if terminal {
            terminal_size::terminal_size().map(|(terminal_size::Width(columns), _)| usize::from(columns))
        } else {
            None
        }
    })
}
