//! `hullward db`: getting, building and looking at the advisory database.

use super::cache::size;
use crate::arguments::{Db, DbCommand};
use crate::console::Console;
use crate::database;
use crate::settings::Settings;
use crate::{Failure, Outcome};
use advisory::update::{Sources, UpdateError, UpdateOptions, UpdateSummary};
use advisory::{BuildOptions, BuildSummary, Database, Progress};
use anyhow::{Context, anyhow};
use artifact::OpenOptions;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Runs the command.
///
/// # Errors
/// When feeds or the database cannot be read or written.
pub(crate) fn run(options: &Db, settings: &Settings, console: &Console) -> Result<Outcome, Failure> {
    let text = match &options.command {
        DbCommand::Update {
            mirror,
            ecosystem,
            ca_file,
        } => update(
            mirror.as_deref(),
            ecosystem,
            ca_file.as_deref(),
            settings,
            console,
        )?,
        DbCommand::Build { from, out } => {
            let out = out.clone().unwrap_or_else(|| settings.db.clone());
            let mut folders = Vec::new();
            for from in from {
                folders.push(if from.contains("://") {
                    let copy = folder_of(&out).join("feeds-of").join(file_name_of(from));
                    fetch(&Sources::mirror(from), &copy, &[], None, settings, console)?;
                    copy
                } else {
                    folder(from)?
                });
            }
            built(&build(folders, &out, console)?, &out)
        }
        DbCommand::Status { json } => status(*json, settings, console)?,
    };
    super::print(&text)?;
    Ok(Outcome::Done)
}

/// Brings the local copy of the feeds up to date, then builds a new database from it if there is news.
fn update(
    mirror: Option<&str>,
    ecosystems: &[String],
    ca_file: Option<&Path>,
    settings: &Settings,
    console: &Console,
) -> Result<String, Failure> {
    let sources = match mirror.or(settings.mirror.as_deref()) {
        Some(mirror) => Sources::mirror(mirror),
        None => Sources::public(),
    };
    // Beside the database, not in the cache, whose cap must not make the next update a full download.
    let copy = folder_of(&settings.db).join("feeds");
    let summary = fetch(&sources, &copy, ecosystems, ca_file, settings, console)?;
    if !summary.is_news() && settings.db.exists() {
        return Ok(format!(
            "nothing is new; {} stays as it is\n",
            settings.db.display()
        ));
    }
    // Without anything fetched, and no database, what an interrupted earlier update left is still worth building from.
    let built_summary = build(vec![copy], &settings.db, console)?;
    Ok(built(&built_summary, &settings.db))
}

/// Brings a copy of feeds up to date and says what failed.
fn fetch(
    sources: &Sources,
    copy: &Path,
    ecosystems: &[String],
    ca_file: Option<&Path>,
    settings: &Settings,
    console: &Console,
) -> Result<UpdateSummary, Failure> {
    let options = OpenOptions {
        offline: settings.offline,
        ca_file: ca_file.map(Path::to_owned),
        limits: settings.limits(),
        ..OpenOptions::default()
    };
    let update_options = UpdateOptions {
        ecosystems: ecosystems.to_vec(),
    };
    let summary = advisory::update::update(
        &mut scan::feeds::Source::new(options),
        &mut scan::feeds::LocalCopy::new(copy.to_owned()),
        sources,
        &update_options,
        &mut |name| console.step(&format!("fetching {name}")),
    )
    .map_err(|error| {
        let hint = match &error {
            UpdateError::Mirror { url, .. } if settings.offline && url.contains("://") => {
                Some("--offline uses no network; `hullward db build --from FOLDER` makes a database from feeds on disk")
            }
            UpdateError::Mirror { .. } => Some("check the address of the mirror"),
            _ => None,
        };
        let failure = Failure::unreadable(error);
        match hint {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    })?;
    console.clear_progress();
    for (name, message) in &summary.failed {
        console.note(&format!("{name} was not updated: {message}"));
    }
    for name in &summary.fetched {
        console.detail(&format!("fetched {name}"));
    }
    for (name, count) in &summary.changed {
        console.detail(&format!("{name}: {count} records changed"));
    }
    Ok(summary)
}

fn folder_of(file: &Path) -> &Path {
    file.parent().unwrap_or(Path::new(""))
}

/// An address as the name of a folder.
fn file_name_of(address: &str) -> String {
    address
        .chars()
        .map(|character| {
            if character.is_ascii_alphanumeric() {
                character
            } else {
                '-'
            }
        })
        .take(120)
        .collect()
}

fn folder(from: &str) -> Result<PathBuf, Failure> {
    let path = PathBuf::from(from);
    if path.is_dir() {
        return Ok(path);
    }
    Err(Failure::unreadable(anyhow!(
        "the feeds `{from}` are not there: it is no folder"
    )))
}

fn build(folders: Vec<PathBuf>, out: &Path, console: &Console) -> Result<BuildSummary, Failure> {
    if let Some(parent) = out.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        artifact::files::create_dir_all(parent)?;
    }
    let mut feeds = scan::feeds::Folders::new(folders);
    let summary = advisory::build(
        &mut feeds,
        out,
        &BuildOptions::default(),
        &mut |progress| match progress {
            Progress::Read(count) => console.step(&format!("read {count} records")),
            Progress::Writing => console.step("writing the database"),
        },
    )
    .map_err(Failure::unreadable)?;
    console.clear_progress();
    for problem in &summary.problems {
        console.detail(&format!("problem: {problem}"));
    }
    if let Some(first) = summary.problems.first() {
        console.note(&format!(
            "{} records could not be used, the first: {first}; --verbose lists them",
            summary.contents.problems
        ));
    }
    Ok(summary)
}

fn built(summary: &BuildSummary, out: &Path) -> String {
    format!(
        "{} over {}, {} known to be exploited, in {} ({})\n",
        counted(summary.contents.advisories, "advisory", "advisories"),
        counted(
            summary.contents.ecosystems.len() as u64,
            "ecosystem",
            "ecosystems"
        ),
        summary.contents.known_exploited,
        out.display(),
        size(summary.size)
    )
}

/// `1 ecosystem`, `2 ecosystems`.
fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

#[derive(Serialize)]
struct StatusObject<'a> {
    path: &'a Path,
    format: u32,
    size: u64,
    built: &'a str,
    newest: &'a str,
    advisories: u64,
    withdrawn: u64,
    known_exploited: u64,
    epss_scores: u64,
    end_of_life_products: u64,
    ecosystems: Vec<EcosystemObject<'a>>,
}

#[derive(Serialize)]
struct EcosystemObject<'a> {
    name: &'a str,
    advisories: u64,
}

fn status(json: bool, settings: &Settings, console: &Console) -> Result<String, Failure> {
    let database: Database = database::open(settings, console)?;
    let status = database.status().map_err(database::failure)?;
    let contents = &status.contents;
    if json {
        let object = StatusObject {
            path: &status.path,
            format: status.format,
            size: status.size,
            built: &contents.built,
            newest: &contents.newest,
            advisories: contents.advisories,
            withdrawn: contents.withdrawn,
            known_exploited: contents.known_exploited,
            epss_scores: contents.scores,
            end_of_life_products: contents.products,
            ecosystems: contents
                .ecosystems
                .iter()
                .map(|(name, advisories)| EcosystemObject {
                    name,
                    advisories: *advisories,
                })
                .collect(),
        };
        return crate::console::json(&object)
            .context("the status could not be written")
            .map_err(Failure::internal);
    }
    let age = database::age_in_days(&contents.newest)
        .map(|days| match days {
            0 => " (today)".to_owned(),
            1 => " (yesterday)".to_owned(),
            _ => format!(" ({days} days ago)"),
        })
        .unwrap_or_default();
    let mut text = format!(
        "file         {} ({})\nbuilt        {}\nnewest data  {}{age}\nadvisories   {}, {} of them withdrawn\nexploited    {} (CISA KEV)\nEPSS scores  {}\nend of life  {} products\n\necosystems\n",
        status.path.display(),
        size(status.size),
        contents.built,
        contents.newest,
        contents.advisories,
        contents.withdrawn,
        contents.known_exploited,
        contents.scores,
        contents.products,
    );
    let width = contents
        .ecosystems
        .iter()
        .map(|(name, _)| name.len())
        .max()
        .unwrap_or(0);
    for (name, advisories) in &contents.ecosystems {
        text.push_str(&format!("  {name:<width$}  {advisories}\n"));
    }
    Ok(text)
}
