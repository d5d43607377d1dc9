//! Which files of an OS package are worth remembering as its own.
//!
//! A full list has 100,000 and more paths, nearly all of manuals, headers and translations. Ownership only answers one
//! question: whether a language package or program that another extractor found came with an OS package. So only paths are
//! kept in which such a thing can be found; everything else would be memory and cache for nothing.

use crate::lines::Lines;
use model::{Content, path};
use std::borrow::Cow;
use std::collections::BTreeSet;

/// Endings of file names in which a language package is found.
const ENDINGS: &[&str] = &[
    "METADATA",
    "PKG-INFO",
    ".egg-info",
    ".egg",
    "package.json",
    ".gemspec",
    ".jar",
    ".war",
    ".ear",
    ".par",
    ".sar",
    ".nar",
    ".kar",
    ".hpi",
    ".jpi",
    ".dll",
    ".exe",
    ".deps.json",
    "installed.json",
    "DESCRIPTION",
    "MYMETA.json",
    ".rockspec",
    ".app",
    ".wasm",
    // Manifests and lock files, which speak of how the OS package was made.
    ".lock",
    ".lockfile",
    ".pom",
    "pom.xml",
    "go.mod",
    "go.sum",
    "package-lock.json",
    "npm-shrinkwrap.json",
    "pnpm-lock.yaml",
    "requirements.txt",
    "packages.config",
    "composer.json",
    "pyproject.toml",
    "Cargo.toml",
    ".csproj",
    ".yml",
];

/// True when some extractor may find a package in a file of this (normalised) path.
fn is_relevant(path: &str) -> bool {
    let (folder, name) = path::split(path);
    if ENDINGS.iter().any(|ending| name.ends_with(ending)) || name.contains(".so") {
        return true;
    }
    if path.contains(".dist-info/") || path.contains(".egg-info/") {
        return true;
    }
    let mut in_library = false;
    for part in folder.split('/') {
        match part {
            "bin" | "sbin" | "libexec" | "games" => return true,
            "lib" | "lib64" | "opt" => in_library = true,
            "share" => in_library = false,
            _ => {}
        }
    }
    // Programs outside the search path, such as usr/lib/git-core/git.
    in_library && !name.contains('.')
}

/// Longest path that is looked at, in bytes: Linux's own limit.
pub(crate) const LONGEST_PATH: usize = 4096;
/// Most bytes of paths that are kept of one package.
const TEXT: usize = 32 << 20;

/// Collects the relevant files of a package from a list that may name folders too.
#[derive(Default)]
pub(crate) struct Files {
    paths: BTreeSet<String>,
    text: usize,
}

impl Files {
    /// Takes one listed path; what turns out to be a folder because something below it is listed later is dropped again.
    pub(crate) fn add(&mut self, listed: &str) {
        if listed.len() > LONGEST_PATH || self.text > TEXT {
            return;
        }
        let listed = listed.trim_start_matches('/');
        // Lists are nearly always normal already; most of their lines then cost no allocation.
        let normal = !listed.split('/').any(|part| matches!(part, "" | "." | ".."));
        let path: Cow<'_, str> = if normal {
            listed.into()
        } else {
            path::normalise(listed).into()
        };
        let parent = path::parent(&path);
        if !parent.is_empty() {
            self.paths.remove(parent);
        }
        if is_relevant(&path) {
            self.text += path.len() + size_of::<String>();
            self.paths.insert(path.into_owned());
        }
    }

    /// The files, sorted.
    pub(crate) fn finish(self) -> Vec<String> {
        self.paths.into_iter().collect()
    }
}

/// The relevant files among the lines of a list; `name` cuts the path out of a line.
///
/// # Errors
/// When reading fails.
pub(crate) fn read_list(
    content: &mut dyn Content,
    name: impl Fn(&str) -> &str,
) -> Result<Vec<String>, String> {
    let mut files = Files::default();
    let mut lines = Lines::new(content).map_err(|error| error.to_string())?;
    while let Some(line) = lines.next().map_err(|error| error.to_string())? {
        files.add(name(&path::from_bytes(line)));
    }
    Ok(files.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_what_extractors_read() {
        for path in [
            "usr/bin/python3.11",
            "usr/lib/python3/dist-packages/six-1.16.0.egg-info",
            "usr/lib/python3/dist-packages/x.egg-info/top_level.txt",
            "usr/lib/python3/dist-packages/x-1.dist-info/METADATA",
            "usr/share/nodejs/semver/package.json",
            "usr/share/java/guava.jar",
            "usr/lib/x86_64-linux-gnu/libssl.so.3",
            "usr/lib/git-core/git",
            "usr/lib/R/library/MASS/DESCRIPTION",
        ] {
            assert!(is_relevant(path), "{path}");
        }
        for path in [
            "",
            "usr/share/doc/bash/copyright",
            "usr/share/man/man1/ls.1.gz",
            "usr/include/stdio.h",
            "usr/lib/python3/os.py",
            "etc/passwd",
        ] {
            assert!(!is_relevant(path), "{path}");
        }
    }

    #[test]
    fn folders_are_dropped() {
        let mut files = Files::default();
        for listed in [
            "/.",
            "/usr",
            "/usr/lib",
            "/usr/lib/git-core",
            "/usr/lib/git-core/git",
            "/usr/lib/git-core/mergetools",
            "/usr/lib/git-core/mergetools/vimdiff",
            "/../bin/sh",
        ] {
            files.add(listed);
        }
        assert_eq!(
            files.finish(),
            [
                "bin/sh",
                "usr/lib/git-core/git",
                "usr/lib/git-core/mergetools/vimdiff"
            ]
        );
    }
}
