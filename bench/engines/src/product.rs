//! The product's own building and matching, at the size of the complete OSV data.

use super::{Outcome, peak};
use advisory::build::DocumentVisitor;
use advisory::{BuildError, BuildOptions, Database, FeedFiles, MatchOptions, match_packages};
use model::{Package, Purl};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// A folder of `<Ecosystem>.jsonl`, each read line by line and given `copies` times, every time under other ids and names,
/// to stand for data that is so many times as large.
struct Scaled {
    folder: PathBuf,
    copies: usize,
}

impl FeedFiles for Scaled {
    fn documents(&mut self, each: &mut DocumentVisitor<'_>) -> Result<(), BuildError> {
        let wrong = |path: &Path, error: std::io::Error| BuildError::Feed {
            path: path.display().to_string(),
            message: error.to_string(),
        };
        for entry in std::fs::read_dir(&self.folder).map_err(|error| wrong(&self.folder, error))? {
            let path = entry.map_err(|error| wrong(&self.folder, error))?.path();
            let Some(ecosystem) = path.file_name().and_then(|name| name.to_str()?.strip_suffix(".jsonl")) else {
                continue;
            };
            for line in BufReader::new(File::open(&path).map_err(|error| wrong(&path, error))?).lines() {
                let line = line.map_err(|error| wrong(&path, error))?;
                for copy in 0..self.copies {
                    let text = if copy == 0 {
                        line.clone()
                    } else {
                        // Every id and package name becomes another one; their shape stays.
                        line.replace("\"id\": \"", &format!("\"id\": \"c{copy}-"))
                            .replace("\"CVE-", &format!("\"CVE-{copy}"))
                            .replace("\"name\": \"", &format!("\"name\": \"c{copy}-"))
                    };
                    each(&format!("{ecosystem}/all.zip!/{copy}-x.json"), text.as_bytes())?;
                }
            }
        }
        Ok(())
    }
}

/// Builds a database of `copies` times the data of `folder`.
pub fn build(folder: &str, copies: usize, out: &str) -> Outcome<()> {
    let start = Instant::now();
    let mut feeds = Scaled {
        folder: folder.into(),
        copies,
    };
    let summary = advisory::build(&mut feeds, out.as_ref(), &BuildOptions::default(), &mut |_| {})?;
    println!(
        "{} advisories, {} entries in {:.1} s, {:.1} MiB, peak {} MiB, {} problems",
        summary.contents.advisories,
        summary.contents.ecosystems.iter().map(|(_, count)| count).sum::<u64>(),
        start.elapsed().as_secs_f64(),
        summary.size as f64 / 1048576.0,
        peak()?,
        summary.contents.problems,
    );
    Ok(())
}

/// Matches `count` packages, spread over all that the database names, one in `old` of them of an old version.
pub fn matching(path: &str, count: usize, old: usize, rounds: usize) -> Outcome<()> {
    // The names come from a file beside the database, so that listing them does not warm its pages.
    let list = format!("{path}.names");
    let keys: Vec<String> = match std::fs::read_to_string(&list) {
        Ok(text) => text.lines().map(str::to_owned).collect(),
        Err(_) => {
            let mut keys = Vec::new();
            Database::open(path.as_ref())?.pairs(&mut |table, key, _| {
                if table == "packages" {
                    keys.push(String::from_utf8_lossy(key).into_owned());
                }
                Ok(())
            })?;
            std::fs::write(&list, keys.join("\n"))?;
            keys
        }
    };
    let release = |base: &str| match base {
        "AlmaLinux" => ":9",
        "Alpine" => ":v3.11",
        "Debian" => ":11",
        _ => "",
    };
    let packages: Vec<Package> = (0..count)
        .filter_map(|index| keys.get(index * keys.len() / count))
        .filter_map(|key| key.split_once('\0'))
        .enumerate()
        .map(|(index, (base, name))| {
            let version = match index % old {
                0 => format!("{}.{}.{}", index % 4, index % 13, index % 7),
                _ => "99.0.0".to_owned(),
            };
            let ecosystem = format!("{base}{}", release(base));
            Package::new("bench", Purl::new("generic", "", name, &version), &ecosystem, name, version)
        })
        .collect();
    for _ in 0..rounds {
        let start = Instant::now();
        let database = Database::open(path.as_ref())?;
        let opened = start.elapsed();
        let found = match_packages(&database, &packages, None, &MatchOptions::default())?;
        println!(
            "opened in {} us, {} packages and {} findings in {:.1} ms, peak {} MiB",
            opened.as_micros(),
            packages.len(),
            found.findings.len(),
            start.elapsed().as_secs_f64() * 1000.0,
            peak()?
        );
    }
    Ok(())
}
