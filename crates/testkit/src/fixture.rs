//! Fixtures from text: several files in one, and folders for what is binary.

use crate::family::blessing;
use std::fs;
use std::path::{Path, PathBuf};

/// One case of a member.
pub struct Case {
    /// `hit-…` or `miss-…`.
    pub name: String,
    /// Files by path inside the target.
    pub files: Vec<(String, Vec<u8>)>,
    /// Where the expected result stands.
    pub expected: PathBuf,
}

/// The cases of a member's folder, sorted: `<case>.txtar` (text, files introduced by `//- path` lines) or a folder `<case>/`
/// that holds the files under their paths. `<case>.expected` beside it holds what must come out.
///
/// # Panics
/// When the folder cannot be read or holds something else.
#[must_use]
pub fn cases(folder: &Path) -> Vec<Case> {
    let mut cases = Vec::new();
    for entry in fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if name.ends_with(".expected") {
            continue;
        }
        let (name, files) = if path.is_dir() {
            let mut files = Vec::new();
            read_folder(&path, &path, &mut files);
            (name, files)
        } else if let Some(stem) = name.strip_suffix(".txtar") {
            (stem.to_owned(), parse_txtar(&fs::read_to_string(&path).unwrap()))
        } else {
            panic!("{}: a case is a folder or a .txtar file", path.display());
        };
        assert!(
            name.starts_with("hit") || name.starts_with("miss"),
            "{}: begin its name with hit or miss",
            path.display()
        );
        let expected = folder.join(format!("{name}.expected"));
        cases.push(Case {
            name,
            files,
            expected,
        });
    }
    cases.sort_by(|a, b| a.name.cmp(&b.name));
    cases
}

/// Splits a text into files at lines `//- path`.
#[must_use]
pub fn parse_txtar(text: &str) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<(String, Vec<u8>)> = Vec::new();
    for line in text.split_inclusive('\n') {
        if let Some(path) = line.strip_prefix("//- ") {
            files.push((path.trim().trim_start_matches('/').to_owned(), Vec::new()));
        } else if let Some((_, bytes)) = files.last_mut() {
            bytes.extend_from_slice(line.as_bytes());
        }
    }
    files
}

fn read_folder(root: &Path, folder: &Path, files: &mut Vec<(String, Vec<u8>)>) {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            read_folder(root, &path, files);
        } else {
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            files.push((name, fs::read(&path).unwrap()));
        }
    }
}

/// Executable for the fixture's sake: what lies in a `bin` or `sbin` folder, and ELF files that are no libraries.
#[must_use]
pub fn is_executable(path: &str, bytes: &[u8]) -> bool {
    path.split('/')
        .rev()
        .nth(1)
        .is_some_and(|folder| folder == "bin" || folder == "sbin")
        || (bytes.starts_with(b"\x7fELF") && !path.contains(".so"))
}

/// Compares with the expected text, or writes it under `BLESS=1`.
///
/// # Errors
/// The first difference.
pub fn check_expected(expected: &Path, text: &str) -> Result<(), String> {
    if blessing() {
        return fs::write(expected, text).map_err(|error| error.to_string());
    }
    let committed = fs::read_to_string(expected)
        .map_err(|_| format!("{} is missing; run `make bless`", expected.display()))?;
    if committed == text {
        Ok(())
    } else {
        Err(crate::family::first_difference(&committed, text))
    }
}
