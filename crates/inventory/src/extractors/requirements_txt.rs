//! `requirements.txt` of pip, with its includes, continued lines, hashes, markers and addresses.

use crate::identity::pypi;
use crate::lock_file::{Listing, LockFile, Reading};
use crate::python_requirements::{
    Requirement, at_address, is_development_group, is_requirements, of_archive,
};
use crate::{Found, Kind, Note};
use model::{Meta, Package, Problem, Scope, path};
use std::collections::HashSet;

/// The member.
pub(super) static REQUIREMENTS_TXT: LockFile = LockFile {
    meta: &META,
    kind: Kind::Declared,
    wants: is_requirements,
    read,
    combine,
};

static META: Meta = Meta {
    name: "requirements-txt",
    title: "Python packages of pip's requirement files, those without a fixed version too",
    finds: &["*requirements*.txt", "requirements/*.txt"],
    needs: &[],
    references: &["https://pip.pypa.io/en/stable/reference/requirements-file-format/"],
};

fn read(reading: &mut Reading<'_>) {
    let stem = reading.file_name().trim_end_matches(".txt");
    let scope = is_development_group(stem).then_some(Scope::Development);
    let mut packages = Listing::default();
    for (number, line) in logical_lines(reading.text) {
        let line = without_comment(&line).trim();
        if line.is_empty() {
            continue;
        }
        if let Some((option, value)) = option(line) {
            match option {
                "-r" | "--requirement" | "-c" | "--constraint" => include(reading, value),
                "-e" | "--editable" => packages.extend(by_address(reading, value, number)),
                // Indexes and switches name no package.
                _ => {}
            }
            continue;
        }
        // Hashes and other options of one requirement follow it.
        let line = line.split(" --").next().unwrap_or(line).trim();
        match Requirement::parse(line) {
            Some(requirement) if !is_archive(line) => {
                packages.push(reading.at(requirement.package(reading.found_by), number));
            }
            _ => packages.extend(by_address(reading, line, number)),
        }
    }
    for package in &mut packages {
        package.scope = scope;
    }
    reading.list(packages);
}

/// Lines with those that end in a backslash joined to the next, and the number of their first.
fn logical_lines(text: &str) -> Vec<(u32, String)> {
    let mut lines = Vec::new();
    let mut open: Option<(u32, String)> = None;
    for (number, line) in (1..).zip(text.lines()) {
        let (part, goes_on) = match line.strip_suffix('\\') {
            Some(part) => (part, true),
            None => (line, false),
        };
        let (_, joined) = open.get_or_insert((number, String::new()));
        joined.push_str(part);
        if !goes_on {
            lines.extend(open.take());
        }
    }
    lines.extend(open);
    lines
}

/// A `#` begins a comment at the start of a line or after space.
fn without_comment(line: &str) -> &str {
    if line.trim_start().starts_with('#') {
        return "";
    }
    match (line.find(" #"), line.find("\t#")) {
        (Some(a), Some(b)) => &line[..a.min(b)],
        (Some(at), None) | (None, Some(at)) => &line[..at],
        (None, None) => line,
    }
}

/// Option and value of `-r x`, `-rx`, `--requirement x` and `--requirement=x`.
fn option(line: &str) -> Option<(&str, &str)> {
    if line.starts_with("--") {
        let end = line.find([' ', '=', '\t']).unwrap_or(line.len());
        let (option, value) = line.split_at(end);
        Some((option, value.trim_start_matches('=').trim()))
    } else if line.starts_with('-') {
        let end = line.char_indices().nth(2).map_or(line.len(), |(at, _)| at);
        let (option, value) = line.split_at(end);
        Some((option, value.trim()))
    } else {
        None
    }
}

fn is_archive(line: &str) -> bool {
    [".whl", ".tar.gz", ".zip", ".tgz", ".tar.bz2"]
        .iter()
        .any(|suffix| line.ends_with(suffix))
        && !line.contains('@')
}

/// A requirement without a name: an address or path. The name is its `#egg=`, or what the archive's name tells.
fn by_address(reading: &mut Reading<'_>, line: &str, number: u32) -> Option<Package> {
    if let Some(requirement) = Requirement::parse(line).filter(|requirement| !requirement.address.is_empty())
    {
        return Some(reading.at(requirement.package(reading.found_by), number));
    }
    let (place, fragment) = line.split_once('#').unwrap_or((line, ""));
    let egg = fragment
        .split('&')
        .find_map(|part| part.strip_prefix("egg="))
        .map(|egg| egg.split('[').next().unwrap_or(egg));
    let place = place.split(" ;").next().unwrap_or(place).trim();
    let known =
        place.contains("://") || place.starts_with(['.', '/']) || is_archive(place) || place.contains('/');
    if !known {
        reading.bad_entry(number, format!("`{line}` is no requirement"));
        return None;
    }
    let last = path::file_name(place.trim_end_matches('/'));
    let (name, version) = match (egg, of_archive(last)) {
        (Some(egg), _) => (egg, ""),
        (None, Some((name, version))) => (name, version),
        (None, None) => {
            let last = last.split('@').next().unwrap_or(last);
            (last.strip_suffix(".git").unwrap_or(last), "")
        }
    };
    if name.is_empty() || name.starts_with('.') {
        // The project itself (`-e .`).
        return None;
    }
    let mut package = pypi(reading.found_by, name, version);
    at_address(&mut package, place);
    Some(reading.at(package, number))
}

/// Notes a file that this one includes.
fn include(reading: &mut Reading<'_>, target: &str) {
    if target.contains("://") {
        return reading.problem(format!("includes `{target}`, which is not read"));
    }
    let included = path::join(path::parent(reading.path), target.trim_matches('"'));
    reading.out.notes.push(Note {
        kind: "include".to_owned(),
        key: included,
        value: target.to_owned(),
    });
}

/// Says which included files are not among those that were read.
fn combine(found: &mut Vec<Found>) {
    let read: HashSet<String> = found.iter().map(|file| file.path.clone()).collect();
    for file in found.iter_mut() {
        for note in file.extracted.notes.drain(..) {
            if !read.contains(&note.key) {
                file.extracted.problems.push(Problem::file(
                    &*file.path,
                    format!(
                        "includes `{}`, which is not there or not named like a requirement file, and was not read",
                        note.value
                    ),
                ));
            }
        }
    }
    found.retain(|file| !file.extracted.is_empty());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_options() {
        let lines = logical_lines("a \\\n  ==1\n\nb");
        assert_eq!(
            lines,
            [(1, "a   ==1".to_owned()), (3, String::new()), (4, "b".to_owned())]
        );
        assert_eq!(option("-rx.txt"), Some(("-r", "x.txt")));
        assert_eq!(option("--requirement=x.txt"), Some(("--requirement", "x.txt")));
        assert_eq!(option("-é"), Some(("-é", "")));
        assert_eq!(without_comment("a==1 # b"), "a==1");
        assert_eq!(without_comment("git+https://h/x#egg=a"), "git+https://h/x#egg=a");
    }
}
