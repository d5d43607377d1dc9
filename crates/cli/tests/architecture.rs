//! The invariants of ARCHITECTURE.md that a machine can check: who depends on whom, what each file says of itself, names.
#![allow(clippy::disallowed_methods, reason = "tests read the project itself")]

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use testkit::family::workspace_root;

/// Which of our crates each of our crates may use; a new crate must be entered here.
const ALLOWED: [(&str, &[&str]); 11] = [
    ("advisory", &["model"]),
    ("artifact", &["model"]),
    (
        "cli",
        &[
            "advisory",
            "artifact",
            "detect",
            "inventory",
            "model",
            "report",
            "scan",
            "sensor",
            "server",
        ],
    ),
    ("detect", &["model"]),
    ("inventory", &["model"]),
    ("model", &[]),
    ("report", &["model"]),
    ("scan", &["advisory", "artifact", "inventory", "model"]),
    ("sensor", &["model"]),
    ("server", &["model", "report"]),
    ("testkit", &["model"]),
];

/// Crates that only some of ours may use directly, and why.
const FENCED: [(&str, &[&str], &str); 12] = [
    ("bzip2", &["artifact", "testkit"], "only `artifact` decompresses"),
    ("flate2", &["artifact", "testkit"], "only `artifact` decompresses"),
    (
        "liblzma",
        &["artifact", "testkit"],
        "only `artifact` decompresses",
    ),
    ("zstd", &["artifact", "testkit"], "only `artifact` decompresses"),
    ("zip", &["artifact"], "only `artifact` opens archives"),
    ("tar", &["artifact"], "only `artifact` opens archives"),
    (
        "ureq",
        &["artifact", "server"],
        "only `artifact` and `server` use the network",
    ),
    ("tokio", &["artifact", "server"], "families are synchronous"),
    ("h2", &["artifact"], "only `artifact` uses the network"),
    ("clap", &["cli"], "only `cli` reads the command line"),
    ("terminal_size", &["cli"], "only `cli` knows the terminal"),
    ("redb", &["advisory"], "the database is `advisory`'s business"),
];

fn metadata() -> Metadata {
    MetadataCommand::new()
        .manifest_path(workspace_root().join("Cargo.toml"))
        .no_deps()
        .other_options(vec!["--offline".to_owned(), "--locked".to_owned()])
        .exec()
        .expect("cargo metadata")
}

#[test]
fn dependencies_point_one_way() {
    let metadata = metadata();
    let allowed: BTreeMap<&str, &[&str]> = ALLOWED.into_iter().collect();
    let ours: BTreeSet<String> = metadata
        .workspace_packages()
        .iter()
        .map(|package| package.name.to_string())
        .collect();
    assert_eq!(
        ours.iter().map(String::as_str).collect::<Vec<_>>(),
        allowed.keys().copied().collect::<Vec<_>>()
    );
    for package in metadata.workspace_packages() {
        let name = package.name.as_str();
        for dependency in package
            .dependencies
            .iter()
            .filter(|dependency| dependency.kind == DependencyKind::Normal)
        {
            if ours.contains(&dependency.name) {
                assert!(
                    allowed[name].contains(&dependency.name.as_str()),
                    "`{name}` must not depend on `{}`; see ARCHITECTURE.md",
                    dependency.name
                );
            }
            if let Some((_, users, reason)) = FENCED.iter().find(|(fenced, _, _)| *fenced == dependency.name)
            {
                assert!(
                    users.contains(&name),
                    "`{name}` must not use `{}`: {reason}",
                    dependency.name
                );
            }
        }
    }
}

#[test]
fn model_is_pure() {
    let metadata = metadata();
    let model = metadata
        .workspace_packages()
        .into_iter()
        .find(|package| package.name.as_str() == "model")
        .expect("model");
    let names: BTreeSet<&str> = model
        .dependencies
        .iter()
        .filter(|dependency| dependency.kind == DependencyKind::Normal)
        .map(|dependency| dependency.name.as_str())
        .collect();
    assert_eq!(names, BTreeSet::from(["serde", "thiserror"]));
    for file in rust_files(&workspace_root().join("crates/model/src")) {
        let text = std::fs::read_to_string(&file).expect("readable");
        for banned in ["std::fs", "std::net", "std::process", "std::thread"] {
            assert!(
                !text.contains(banned),
                "{}: `model` does without {banned}",
                file.display()
            );
        }
    }
}

#[test]
fn every_file_says_what_it_is() {
    let root = workspace_root();
    let mut silent = Vec::new();
    for folder in ["crates", "fuzz", "bench"] {
        for file in rust_files(&root.join(folder)) {
            let text = std::fs::read_to_string(&file).expect("readable");
            if !text.starts_with("//! ") {
                silent.push(file.strip_prefix(&root).expect("inside").display().to_string());
            }
        }
    }
    assert!(
        silent.is_empty(),
        "the first line of a file says what it is (`//! …`): {silent:#?}"
    );
}

#[test]
fn names_are_unique_over_all_families() {
    let mut names: BTreeMap<&str, &str> = BTreeMap::new();
    let families: [(&str, Vec<&str>); 7] = [
        (
            "extractors",
            inventory::extractors::ALL
                .iter()
                .map(|member| member.meta().name)
                .collect(),
        ),
        (
            "version schemes",
            advisory::schemes::ALL
                .iter()
                .map(|member| member.meta().name)
                .collect(),
        ),
        (
            "feeds",
            advisory::feeds::ALL
                .iter()
                .map(|member| member.meta().name)
                .collect(),
        ),
        (
            "alert formats",
            report::alerts::ALL
                .iter()
                .map(|member| member.meta().name)
                .collect(),
        ),
        (
            "notifiers",
            server::notifiers::ALL
                .iter()
                .map(|member| member.meta().name)
                .collect(),
        ),
        (
            "sources of JSON events",
            sensor::json::sources::ALL
                .iter()
                .map(|member| member.meta().name)
                .collect(),
        ),
        (
            "formats",
            report::formats::ALL
                .iter()
                .map(|member| member.meta().name)
                .collect(),
        ),
    ];
    for (family, members) in families {
        assert!(!members.is_empty(), "{family} has no members");
        for name in members {
            if let Some(other) = names.insert(name, family) {
                panic!("`{name}` is a name in both {other} and {family}");
            }
        }
    }
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let Ok(entries) = std::fs::read_dir(folder) else {
        return files;
    };
    for entry in entries {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            if path
                .file_name()
                .is_none_or(|name| name != "target" && name != "fixtures")
            {
                files.extend(rust_files(&path));
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}
