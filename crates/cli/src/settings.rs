//! Configuration: `hullward.toml` in the working folder, then the user's, then `HULLWARD_*` variables, then flags; later
//! ones win. The working folder comes first because it may belong to whoever wrote the code that is scanned.

use crate::Failure;
use crate::arguments::Global;
use anyhow::anyhow;
use artifact::{Limits, files};
use model::Severity;
use serde::Deserialize;
use server::OutputSettings;
use server::aggregate::AggregateSettings;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Largest configuration file, in bytes.
const FILE_LIMIT: u64 = 1 << 20;

/// All keys, for messages about unknown ones, and the variables that set them.
pub(crate) const KEYS: [(&str, &str, &str); 13] = [
    ("db", "HULLWARD_DB", "path of the advisory database"),
    ("cache-dir", "HULLWARD_CACHE_DIR", "folder of the layer cache"),
    (
        "cache-size",
        "HULLWARD_CACHE_SIZE",
        "size cap of the layer cache in MiB",
    ),
    (
        "mirror",
        "HULLWARD_MIRROR",
        "address or folder that `db update` reads",
    ),
    ("format", "HULLWARD_FORMAT", "format on standard output"),
    (
        "fail-on",
        "HULLWARD_FAIL_ON",
        "severity from which a scan exits with 1",
    ),
    ("offline", "HULLWARD_OFFLINE", "use no network at all"),
    (
        "quiet",
        "HULLWARD_QUIET",
        "say nothing on standard error but failures",
    ),
    (
        "include-dev",
        "HULLWARD_INCLUDE_DEV",
        "count flaws of packages that only serve development",
    ),
    (
        "watch",
        "",
        "table: `outputs` and `aggregate` of `hullward watch`, see docs/outputs.md",
    ),
    (
        "max-packages",
        "HULLWARD_MAX_PACKAGES",
        "most packages of a target that are kept",
    ),
    ("threads", "HULLWARD_THREADS", "threads for reading layers"),
    (
        "stall-seconds",
        "HULLWARD_STALL_SECONDS",
        "seconds after which a registry or daemon that says nothing is given up",
    ),
];

/// Settings after all sources were read.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// Advisory database.
    pub(crate) db: PathBuf,
    /// Layer cache.
    pub(crate) cache_dir: PathBuf,
    /// Size cap of the layer cache in bytes.
    pub(crate) cache_cap: u64,
    /// Where `db update` downloads from; the publishers' own addresses when `None`.
    pub(crate) mirror: Option<String>,
    /// Format on standard output, if configured.
    pub(crate) format: Option<String>,
    /// Gate, if configured.
    pub(crate) fail_on: Option<Severity>,
    /// No network.
    pub(crate) offline: bool,
    /// Only failures on standard error.
    pub(crate) quiet: bool,
    /// Count development packages.
    pub(crate) include_dev: bool,
    /// Threads for reading.
    pub(crate) threads: usize,
    /// Most packages of a target that are kept.
    pub(crate) max_packages: usize,
    /// Longest silence of a registry or daemon.
    pub(crate) stall_timeout: Option<Duration>,
    /// What `hullward watch` does with detections.
    pub(crate) watch: WatchSettings,
}

/// The table `[watch]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct WatchSettings {
    /// Where detections are sent besides standard output.
    pub(crate) outputs: Vec<OutputSettings>,
    /// How floods and repetitions are limited.
    pub(crate) aggregate: AggregateSettings,
}

/// One source's say.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Partial {
    db: Option<PathBuf>,
    cache_dir: Option<PathBuf>,
    cache_size: Option<u64>,
    mirror: Option<String>,
    format: Option<String>,
    fail_on: Option<String>,
    offline: Option<bool>,
    quiet: Option<bool>,
    include_dev: Option<bool>,
    threads: Option<usize>,
    max_packages: Option<usize>,
    stall_seconds: Option<u64>,
    watch: Option<WatchSettings>,
}

impl Partial {
    fn over(self, below: Self) -> Self {
        Self {
            db: self.db.or(below.db),
            cache_dir: self.cache_dir.or(below.cache_dir),
            cache_size: self.cache_size.or(below.cache_size),
            mirror: self.mirror.or(below.mirror),
            format: self.format.or(below.format),
            fail_on: self.fail_on.or(below.fail_on),
            offline: self.offline.or(below.offline),
            quiet: self.quiet.or(below.quiet),
            include_dev: self.include_dev.or(below.include_dev),
            threads: self.threads.or(below.threads),
            max_packages: self.max_packages.or(below.max_packages),
            stall_seconds: self.stall_seconds.or(below.stall_seconds),
            watch: self.watch.or(below.watch),
        }
    }
}

/// Reads all sources.
///
/// # Errors
/// A configuration file or variable that cannot be understood.
pub(crate) fn load(global: &Global) -> Result<Settings, Failure> {
    let mut partial = Partial::default();
    if let Some(path) = &global.config {
        partial = read_file(path)?.ok_or_else(|| {
            Failure::usage(anyhow!(
                "the configuration file {} {}",
                path.display(),
                if path.exists() {
                    "is no file"
                } else {
                    "does not exist"
                }
            ))
        })?;
    } else {
        if let Some(working) = read_file(Path::new("hullward.toml"))? {
            partial = working;
        }
        if let Some(folder) = user_folder("XDG_CONFIG_HOME", ".config")
            && let Some(user) = read_file(&folder.join("hullward.toml"))?
        {
            partial = user.over(partial);
        }
    }
    let partial = read_variables(&|name| std::env::var(name).ok())?.over(partial);
    let fail_on = match &partial.fail_on {
        None => None,
        Some(text) => Some(
            text.parse()
                .map_err(|message: String| Failure::usage(anyhow!("`fail-on`: {message}")))?,
        ),
    };
    if let Some(format) = &partial.format
        && report::formats::find(format).is_none()
    {
        return Err(Failure::usage(anyhow!(
            "`format`: {}",
            report::formats::unknown(format)
        )));
    }
    let processors = std::thread::available_parallelism().map_or(2, std::num::NonZeroUsize::get);
    Ok(Settings {
        db: global
            .db
            .clone()
            .or(partial.db)
            .or_else(|| {
                user_folder("XDG_DATA_HOME", ".local/share").map(|folder| folder.join("advisories.db"))
            })
            .unwrap_or_else(|| PathBuf::from("hullward-advisories.db")),
        cache_dir: global
            .cache_dir
            .clone()
            .or(partial.cache_dir)
            .or_else(|| user_folder("XDG_CACHE_HOME", ".cache"))
            .unwrap_or_else(|| PathBuf::from(".hullward-cache")),
        cache_cap: partial.cache_size.map_or(scan::cache::DEFAULT_CAP, |mebibytes| {
            mebibytes.saturating_mul(1 << 20)
        }),
        mirror: partial.mirror,
        format: partial.format,
        fail_on,
        offline: global.offline || partial.offline.unwrap_or(false),
        quiet: partial.quiet.unwrap_or(false),
        include_dev: partial.include_dev.unwrap_or(false),
        threads: partial.threads.unwrap_or(processors).clamp(1, 256),
        max_packages: partial.max_packages.unwrap_or(scan::DEFAULT_MAX_PACKAGES),
        stall_timeout: partial
            .stall_seconds
            .map(|seconds| Duration::from_secs(seconds.clamp(1, 3600))),
        watch: partial.watch.unwrap_or_default(),
    })
}

impl Settings {
    /// The caps on what is read, with what the user set among them.
    pub(crate) fn limits(&self) -> Limits {
        let mut limits = Limits::default();
        if let Some(stall) = self.stall_timeout {
            limits.stall_timeout = stall;
            limits.connect_timeout = limits.connect_timeout.min(stall);
        }
        limits
    }
}

/// The user's `hullward` folder of one sort.
fn user_folder(variable: &str, below_home: &str) -> Option<PathBuf> {
    let absolute = |value: std::ffi::OsString| Some(PathBuf::from(value)).filter(|path| path.is_absolute());
    std::env::var_os(variable)
        .and_then(absolute)
        .or_else(|| {
            std::env::var_os("HOME")
                .and_then(absolute)
                .map(|home| home.join(below_home))
        })
        .map(|folder| folder.join("hullward"))
}

fn read_file(path: &Path) -> Result<Option<Partial>, Failure> {
    if !path.is_file() {
        return Ok(None);
    }
    let bytes = files::read(path, FILE_LIMIT)?;
    let wrong =
        |message: String| Failure::usage(anyhow!("the configuration file {}: {message}", path.display()));
    let text = String::from_utf8(bytes).map_err(|_| wrong("it is not UTF-8".to_owned()))?;
    parse(&text).map(Some).map_err(wrong)
}

fn parse(text: &str) -> Result<Partial, String> {
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
        let start = error.span().map_or(0, |span| span.start);
        let line = text.bytes().take(start).filter(|byte| *byte == b'\n').count() + 1;
        format!("line {line}: {}", error.message())
    })?;
    for key in table.keys() {
        if !KEYS.iter().any(|(known, _, _)| known == key) {
            let nearest = KEYS
                .iter()
                .map(|(known, _, _)| *known)
                .min_by_key(|known| distance(key, known))
                .unwrap_or_default();
            return Err(format!(
                "unknown key `{key}`; the nearest known one is `{nearest}`"
            ));
        }
    }
    table
        .try_into()
        .map_err(|error: toml::de::Error| error.message().to_owned())
}

fn read_variables(get: &dyn Fn(&str) -> Option<String>) -> Result<Partial, Failure> {
    let get = |name: &str| get(name).filter(|value| !value.is_empty());
    let wrong = |name: &str, value: &str, expected: &str| {
        Failure::usage(anyhow!("the variable {name} is `{value}`: expected {expected}"))
    };
    let yes_or_no = |name: &str| match get(name).as_deref() {
        None => Ok(None),
        Some("1" | "true" | "yes") => Ok(Some(true)),
        Some("0" | "false" | "no") => Ok(Some(false)),
        Some(other) => Err(wrong(name, other, "true or false")),
    };
    let number = |name: &str| match get(name) {
        None => Ok(None),
        Some(text) => text
            .parse::<u64>()
            .map(Some)
            .map_err(|_| wrong(name, &text, "a number")),
    };
    let size = |name: &str| {
        let number = number(name)?;
        Ok::<_, Failure>(number.map(|number| usize::try_from(number).unwrap_or(usize::MAX)))
    };
    Ok(Partial {
        db: get("HULLWARD_DB").map(PathBuf::from),
        cache_dir: get("HULLWARD_CACHE_DIR").map(PathBuf::from),
        cache_size: number("HULLWARD_CACHE_SIZE")?,
        mirror: get("HULLWARD_MIRROR"),
        format: get("HULLWARD_FORMAT"),
        fail_on: get("HULLWARD_FAIL_ON"),
        offline: yes_or_no("HULLWARD_OFFLINE")?,
        quiet: yes_or_no("HULLWARD_QUIET")?,
        include_dev: yes_or_no("HULLWARD_INCLUDE_DEV")?,
        threads: size("HULLWARD_THREADS")?,
        max_packages: size("HULLWARD_MAX_PACKAGES")?,
        stall_seconds: number("HULLWARD_STALL_SECONDS")?,
        watch: None,
    })
}

/// Edits between two words (Levenshtein), for "did you mean".
pub(crate) fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(64).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.chars().take(64).enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, right) in b.iter().enumerate() {
            let above = row[j + 1];
            row[j + 1] = (diagonal + usize::from(left != *right))
                .min(above + 1)
                .min(row[j] + 1);
            diagonal = above;
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_keys_name_the_nearest() {
        assert_eq!(
            parse("fail_on = 'high'").unwrap_err(),
            "unknown key `fail_on`; the nearest known one is `fail-on`"
        );
        assert_eq!(
            parse("quiet = true\n[db").unwrap_err(),
            "line 2: unclosed table, expected `]`"
        );
        assert!(parse("offline = 'perhaps'").is_err());
        assert_eq!(parse("offline = true").unwrap().offline, Some(true));
    }

    #[test]
    fn later_sources_win() {
        let user = parse("db = '/user.db'\nquiet = true").unwrap();
        let working = parse("db = '/working.db'\nthreads = 3").unwrap();
        let merged = user.over(working);
        assert_eq!(merged.db, Some(PathBuf::from("/user.db")));
        assert_eq!((merged.quiet, merged.threads), (Some(true), Some(3)));
        let variables =
            read_variables(&|name| (name == "HULLWARD_DB").then(|| "/env.db".to_owned())).unwrap();
        assert_eq!(variables.over(merged).db, Some(PathBuf::from("/env.db")));
        assert!(read_variables(&|name| (name == "HULLWARD_OFFLINE").then(|| "maybe".to_owned())).is_err());
    }
}
