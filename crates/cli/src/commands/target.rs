//! What `scan`, `sbom` and `diff` share: opening a target, scanning it, writing the report.

use crate::Failure;
use crate::arguments::{OutputFile, OutputOptions, TargetOptions};
use crate::console::Console;
use crate::database;
use crate::settings::Settings;
use advisory::Database;
use anyhow::{Context, anyhow};
use artifact::{Memory, OpenOptions, Opened, Secret, TargetSpec};
use model::{Digest, Entry, EntryKind, Report};
use report::{Format, formats};
use scan::cache::Cache;
use std::io::{self, BufWriter, IsTerminal, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;

/// What shall be told of a target besides its packages.
#[derive(Clone, Copy, Default)]
pub(crate) struct Wanted {
    /// Known flaws, for which the database is needed.
    pub(crate) vulnerabilities: bool,
    /// Flaws of what only serves development count like others.
    pub(crate) include_development: bool,
    /// What findings say in sentences.
    pub(crate) descriptions: bool,
}

/// Scans one target.
///
/// # Errors
/// When the target or the database cannot be read.
pub(crate) fn scan_target(
    name: &str,
    options: &TargetOptions,
    wanted: Wanted,
    settings: &Settings,
    console: &Console,
) -> Result<Report, Failure> {
    // The database is opened first: a scan that cannot be judged should not cost a download.
    let database: Option<Database> = if wanted.vulnerabilities {
        Some(database::open(settings, console)?)
    } else {
        None
    };
    if let Some(platform) = &options.platform {
        artifact::check_platform(platform).map_err(Failure::usage)?;
    }
    let cache = (!options.no_cache).then(|| Cache::new(settings.cache_dir.clone(), settings.cache_cap));
    let mut open_options = open_options(options, settings);
    open_options.memory = cache.clone().map(|cache| Arc::new(cache) as Arc<dyn Memory>);
    console.detail(&format!("opening {name}"));
    let mut opened = open(name, &open_options)?;
    if let (Some(platform), Opened::Tree(_) | Opened::Document(_)) = (&options.platform, &opened) {
        console.note(&format!(
            "--platform {platform} does not apply: `{name}` is no image, and is scanned as it is"
        ));
    }
    let base_layers = match &options.base_image {
        None => None,
        Some(base) => Some(layers_of(base, &open_options)?),
    };
    let scan_options = scan::ScanOptions {
        name: name.to_owned(),
        database: database.as_ref(),
        cache: cache.as_ref(),
        max_packages: settings.max_packages,
        threads: options.threads.unwrap_or(settings.threads).clamp(1, 256),
        include_development: wanted.include_development || settings.include_dev,
        descriptions: wanted.descriptions,
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
    let spec = match TargetSpec::parse(name) {
        Err(_) if is_read_alone(Path::new(name)) => TargetSpec::Directory(name.into()),
        parsed => parsed?,
    };
    Ok(artifact::open(&spec, options)?)
}

/// True for a file that an extractor reads by its name and beginning, wherever it lies.
fn is_read_alone(path: &Path) -> bool {
    let Some((name, mode, size, head)) = beginning(path) else {
        return false;
    };
    let entry = Entry {
        path: &name,
        kind: EntryKind::File,
        size,
        mode,
        link: None,
    };
    inventory::extractors::ALL
        .iter()
        .any(|extractor| extractor.wants(&entry) && extractor.accepts(&entry, &head))
}

/// Name, mode, size and first bytes of a file, where links to it end.
fn beginning(path: &Path) -> Option<(String, u32, u64, Vec<u8>)> {
    let path = path.canonicalize().ok().filter(|path| path.is_file())?;
    let name = model::path::from_bytes(path.file_name()?.as_bytes()).into_owned();
    let file = artifact::files::open(&path).ok()?;
    let metadata = file.metadata().ok()?;
    let mut head = Vec::new();
    file.take(64).read_to_end(&mut head).ok()?;
    Some((name, metadata.mode(), metadata.len(), head))
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

/// What can be told of the wanted output before anything is scanned: standard output takes one format, all formats can carry
/// the report, and files can be written.
///
/// # Errors
/// When one of these does not hold.
pub(crate) fn check(
    output: &OutputOptions,
    default_format: &str,
    inventory_only: bool,
    settings: &Settings,
) -> Result<(), Failure> {
    let on_standard_output = output.output.iter().filter(|file| is_standard(file)).count()
        + usize::from(output.format.is_some() && !format_is_for_files(output));
    if on_standard_output > 1 {
        return Err(Failure::usage(anyhow!(
            "standard output takes one format, {on_standard_output} were asked for"
        ))
        .hint("write the others to files: `--output FORMAT=FILE`"));
    }
    if let Some(format) = standard_output(output, default_format, settings) {
        format_of(format, inventory_only)?;
    }
    for (name, path) in files(output, default_format, settings) {
        format_of(name, inventory_only)?;
        artifact::files::check_writable(path).map_err(|error| {
            Failure::usage(error).hint("name a file in a folder that exists and may be written")
        })?;
    }
    Ok(())
}

/// True when one of the formats that were asked for shows what findings say in sentences.
pub(crate) fn shows_descriptions(output: &OutputOptions, default_format: &str, settings: &Settings) -> bool {
    files(output, default_format, settings)
        .map(|(name, _)| name)
        .chain(standard_output(output, default_format, settings))
        .filter_map(formats::find)
        .any(Format::shows_descriptions)
}

fn is_standard(file: &OutputFile) -> bool {
    file.path == Path::new("-")
}

/// A file without a format of its own takes the one that would be printed.
fn format_is_for_files(output: &OutputOptions) -> bool {
    output.output.iter().any(|file| file.format.is_none())
}

/// The format that is asked for without a file's name beside it.
fn format_alone<'a>(output: &'a OutputOptions, default_format: &'a str, settings: &'a Settings) -> &'a str {
    let asked = output.format.as_deref().or(settings.format.as_deref());
    asked.unwrap_or(default_format)
}

/// Formats and paths of the files that were asked for.
fn files<'a>(
    output: &'a OutputOptions,
    default_format: &'a str,
    settings: &'a Settings,
) -> impl Iterator<Item = (&'a str, &'a Path)> {
    let alone = format_alone(output, default_format, settings);
    let files = output.output.iter().filter(|file| !is_standard(file));
    files.map(move |file| (file.format.as_deref().unwrap_or(alone), file.path.as_path()))
}

/// The format for standard output; `None` where the report only goes to files.
fn standard_output<'a>(
    output: &'a OutputOptions,
    default_format: &'a str,
    settings: &'a Settings,
) -> Option<&'a str> {
    let alone = format_alone(output, default_format, settings);
    match output.output.iter().find(|file| is_standard(file)) {
        Some(file) => Some(file.format.as_deref().unwrap_or(alone)),
        None if output.output.is_empty() => Some(alone),
        None => (output.format.is_some() && !format_is_for_files(output)).then_some(alone),
    }
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
    console: &Console,
) -> Result<(), Failure> {
    let plain = report::Options {
        width: None,
        color: false,
        inventory_only,
        hidden,
    };
    for (name, path) in files(output, default_format, settings) {
        let mut bytes = Vec::new();
        format_of(name, inventory_only)?
            .write(report, &plain, &mut bytes)
            .context("the report could not be written")
            .map_err(Failure::internal)?;
        artifact::files::write_atomic(path, &bytes)?;
    }
    let Some(name) = standard_output(output, default_format, settings) else {
        return Ok(());
    };
    let stdout = io::stdout();
    let terminal = stdout.is_terminal();
    let options = report::Options {
        width: terminal_width(terminal),
        color: terminal && console.wants_color(),
        ..plain
    };
    let format = format_of(name, inventory_only)?;
    let mut out = BufWriter::with_capacity(1 << 16, stdout.lock());
    let written = format.write(report, &options, &mut out);
    super::printed(written.and_then(|()| out.flush()))
}

fn format_of(name: &str, inventory_only: bool) -> Result<&'static dyn Format, Failure> {
    let format = formats::find(name).ok_or_else(|| Failure::usage(anyhow!(formats::unknown(name))))?;
    if inventory_only && !format.carries_inventory() {
        return Err(Failure::usage(anyhow!(
            "the format `{name}` cannot carry an inventory without findings"
        )));
    }
    Ok(format)
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
