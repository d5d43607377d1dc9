//! `Directory.Packages.props` and other `*Packages.props`: NuGet's versions for all projects of a tree.

use crate::Kind;
use crate::lock_file::{Listing, LockFile, Reading};
use crate::{Found, Note, msbuild};
use model::{Meta, Scope, path};
use std::collections::HashSet;

/// The member.
pub(super) static NUGET_CENTRAL_PACKAGES: LockFile = LockFile {
    meta: &META,
    kind: Kind::Declared,
    wants: |_, name| is_central(name) || msbuild::is_project(name),
    read,
    combine,
};

static META: Meta = Meta {
    name: "nuget-central-packages",
    title: "NuGet packages whose versions are managed in one place",
    finds: &[
        "*Packages.props",
        "project files (which of the versions are asked for)",
    ],
    needs: &[],
    references: &["https://learn.microsoft.com/nuget/consume-packages/central-package-management"],
};

/// Kind of the note of a project file, of the names that it leaves the versions of, and of a file whose versions also hold for
/// what packages want in turn.
const PROJECT: &str = "project";
const ASKED: &str = "asked";
const PINS_ALL: &str = "pins-all";

fn is_central(name: &str) -> bool {
    name.to_ascii_lowercase().ends_with("packages.props")
}

fn read(reading: &mut Reading<'_>) {
    let document = reading.xml();
    let note = |kind: &str, key: String| Note {
        kind: kind.to_owned(),
        key,
        value: String::new(),
    };
    if !is_central(reading.file_name()) {
        // What is wrong with a project file is said by its own extractor.
        reading.out.problems.clear();
        reading.out.notes.push(note(PROJECT, String::new()));
        for reference in msbuild::references(&document, &["PackageReference"]) {
            if reference.version.is_empty() {
                let name = reference.name.to_ascii_lowercase();
                reading.out.notes.push(note(ASKED, name));
            }
        }
        return;
    }
    let pins_all = document.child("Project").all("PropertyGroup").any(|group| {
        group
            .child("CentralPackageTransitivePinningEnabled")
            .text
            .trim()
            .eq_ignore_ascii_case("true")
    });
    if pins_all {
        reading.out.notes.push(note(PINS_ALL, String::new()));
    }
    let mut packages = Listing::default();
    for reference in msbuild::references(
        &document,
        &["PackageVersion", "GlobalPackageReference", "PackageReference"],
    ) {
        if reference.name.is_empty() || reference.version.is_empty() {
            // `Update` of another file's item says no version.
            continue;
        }
        packages.push(reading.at(reference.package(reading.found_by), reference.line));
    }
    reading.list(packages);
}

/// Drops versions that no project below asks for, or that all of them override, where there are projects.
fn combine(found: &mut Vec<Found>) {
    // Folder of each project, and the names that it leaves the versions of.
    let mut projects: Vec<(String, HashSet<String>)> = Vec::new();
    for file in found.iter_mut() {
        if file.extracted.notes.iter().any(|note| note.kind == PROJECT) {
            let notes = std::mem::take(&mut file.extracted).notes;
            let asked = notes.into_iter().filter(|note| note.kind == ASKED);
            let asked = asked.map(|note| note.key).collect();
            projects.push((path::parent(&file.path).to_owned(), asked));
        }
    }
    for file in found.iter_mut() {
        let notes = std::mem::take(&mut file.extracted.notes);
        let name = path::file_name(&file.path);
        if notes.iter().any(|note| note.kind == PINS_ALL)
            || !name.eq_ignore_ascii_case("directory.packages.props")
        {
            continue;
        }
        let folder = path::parent(&file.path);
        let below: Vec<&HashSet<String>> = projects
            .iter()
            .filter(|(at, _)| {
                at.strip_prefix(folder)
                    .is_some_and(|rest| folder.is_empty() || rest.is_empty() || rest.starts_with('/'))
            })
            .map(|(_, asked)| asked)
            .collect();
        if !below.is_empty() {
            file.extracted.packages.retain(|package| {
                let name = package.name.to_ascii_lowercase();
                // References for all projects are asked for by themselves.
                package.scope == Some(Scope::Development) || below.iter().any(|asked| asked.contains(&name))
            });
        }
    }
    found.retain(|file| !file.extracted.is_empty());
}
