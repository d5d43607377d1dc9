//! Project files of MSBuild (`*.csproj`, `*.fsproj`, `*.vbproj`) with the NuGet packages they refer to.

use crate::lock_file::{LockFile, Reading};
use crate::msbuild::{self, Reference};
use crate::{Found, Kind, Note, dependency_graph};
use model::{Location, Meta, Relation, path};
use std::collections::{HashMap, HashSet};

/// The member.
pub(super) static NUGET_PROJECT: LockFile = LockFile {
    meta: &META,
    kind: Kind::Declared,
    wants: |_, name| msbuild::is_project(name) || name.eq_ignore_ascii_case("directory.packages.props"),
    read,
    combine,
};

static META: Meta = Meta {
    name: "nuget-project",
    title: "NuGet packages that a project file refers to",
    finds: &[
        "*.csproj",
        "*.fsproj",
        "*.vbproj",
        "Directory.Build.props, Directory.Build.targets",
        "Directory.Packages.props (versions managed for the tree)",
    ],
    needs: &[],
    references: &["https://learn.microsoft.com/nuget/consume-packages/package-references-in-project-files"],
};

fn read(reading: &mut Reading<'_>) {
    let document = reading.xml();
    let central = reading
        .file_name()
        .eq_ignore_ascii_case("directory.packages.props");
    let kinds: &[&str] = if central {
        &["PackageVersion"]
    } else {
        &["PackageReference"]
    };
    reading.out.notes.push(Note {
        kind: if central { "central" } else { "project" }.to_owned(),
        ..Note::default()
    });
    for reference in msbuild::references(&document, kinds) {
        match serde_json::to_string(&reference) {
            Ok(value) => reading.out.notes.push(Note {
                kind: "reference".to_owned(),
                key: reference.name.to_ascii_lowercase(),
                value,
            }),
            Err(error) => reading.bad_entry(
                reference.line,
                format!("`{}` could not be kept: {error}", reference.name),
            ),
        }
    }
}

/// Gives references without a version the one that the nearest `Directory.Packages.props` upwards has for them.
fn combine(found: &mut Vec<Found>) {
    let mut central: HashMap<String, HashMap<String, String>> = HashMap::new();
    for file in found.iter_mut() {
        if file.extracted.notes.iter().any(|note| note.kind == "central") {
            // What is wrong with it is said by the extractor of central versions.
            let extracted = std::mem::take(&mut file.extracted);
            let versions = extracted
                .notes
                .into_iter()
                .filter(|note| note.kind == "reference");
            let versions = versions.filter_map(|note| {
                let reference: Reference = serde_json::from_str(&note.value).ok()?;
                Some((note.key, reference.version))
            });
            central.insert(path::parent(&file.path).to_owned(), versions.collect());
        }
    }
    let included: HashSet<String> = found
        .iter()
        .flat_map(|file| &file.extracted.notes)
        .filter_map(|note| serde_json::from_str::<Reference>(&note.value).ok())
        .filter(|reference| !reference.update)
        .map(|reference| reference.name.to_ascii_lowercase())
        .collect();
    for file in found.iter_mut() {
        let mut folder = path::parent(&file.path);
        let versions = loop {
            if let Some(versions) = central.get(folder) {
                break Some(versions);
            }
            if folder.is_empty() {
                break None;
            }
            folder = path::parent(folder);
        };
        let mut packages = Vec::new();
        for note in std::mem::take(&mut file.extracted.notes) {
            let Ok(mut reference) = serde_json::from_str::<Reference>(&note.value) else {
                continue;
            };
            if reference.update && !included.contains(&note.key) {
                continue;
            }
            if reference.version.is_empty()
                && let Some(version) = versions.and_then(|versions| versions.get(&note.key))
            {
                reference.version.clone_from(version);
            }
            let mut package = reference.package(META.name);
            package.relation = Some(Relation::Direct);
            package
                .locations
                .push(Location::line(&*file.path, reference.line));
            packages.push(package);
        }
        file.extracted.packages = dependency_graph::merged(packages);
    }
    found.retain(|file| !file.extracted.is_empty());
}
