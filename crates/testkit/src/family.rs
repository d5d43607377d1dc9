//! The test that every family shares: folder, registry, fixtures, names and reference page agree.

use model::{Meta, is_kebab_case};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// One family, as its own test describes it.
pub struct Family<'a> {
    /// Title of the reference page, e.g. `Package extractors`.
    pub title: &'a str,
    /// Paragraph under the title.
    pub introduction: &'a str,
    /// The folder with one file a member, e.g. `crates/inventory/src/extractors`, from the workspace's root.
    pub folder: &'a str,
    /// The registry, in its order.
    pub members: Vec<&'static Meta>,
    /// Folder with one folder of fixtures a member, from the workspace's root.
    pub fixtures: &'a str,
    /// Reference page, from the workspace's root, e.g. `docs/reference/extractors.md`.
    pub page: &'a str,
}

/// The workspace's root folder.
#[must_use]
pub fn workspace_root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.canonicalize().unwrap()
}

/// The folder with real data for tests, from `HULLWARD_TEST_DATA`; `None` (said on standard error) when it is not set.
#[must_use]
#[allow(clippy::print_stderr, reason = "a skipped test says so")]
pub fn test_data() -> Option<PathBuf> {
    match std::env::var_os("HULLWARD_TEST_DATA").map(PathBuf::from) {
        Some(folder) if folder.is_dir() => Some(folder),
        _ => {
            eprintln!("skipped: HULLWARD_TEST_DATA names no folder with test data");
            None
        }
    }
}

/// True when `BLESS=1` asks generated files to be rewritten.
#[must_use]
pub fn blessing() -> bool {
    std::env::var_os("BLESS").is_some_and(|value| value == "1")
}

/// Compares a generated file with the committed one, or rewrites it under `BLESS=1`.
///
/// # Panics
/// When the two differ.
pub fn check_generated(path: &Path, generated: &str) {
    if blessing() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, generated).unwrap();
        return;
    }
    let committed = fs::read_to_string(path).unwrap_or_default();
    assert!(
        committed == generated,
        "{} is not what the code generates; run `make bless` and read the difference\n{}",
        path.display(),
        first_difference(&committed, generated)
    );
}

/// The first line in which two texts differ, for messages.
#[must_use]
pub fn first_difference(committed: &str, generated: &str) -> String {
    let mut left = committed.lines();
    let mut right = generated.lines();
    let mut number = 0;
    loop {
        number += 1;
        match (left.next(), right.next()) {
            (None, None) => return "they differ only in line endings".to_owned(),
            (a, b) if a == b => {}
            (a, b) => {
                return format!(
                    "line {number}:\n- {}\n+ {}",
                    a.unwrap_or("<end>"),
                    b.unwrap_or("<end>")
                );
            }
        }
    }
}

/// Checks a family.
///
/// # Panics
/// When folder, registry, fixtures, names and page do not agree.
pub fn check(family: &Family<'_>) {
    let root = workspace_root();
    let names: Vec<&str> = family.members.iter().map(|meta| meta.name).collect();
    for name in &names {
        assert!(is_kebab_case(name), "`{name}` is not kebab-case");
    }
    let mut sorted = names.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(
        names, sorted,
        "the registry of {} is not in alphabetical order without repeats",
        family.folder
    );

    let files: BTreeSet<String> = fs::read_dir(root.join(family.folder))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .filter(|stem| stem != "mod")
        .collect();
    let expected: BTreeSet<String> = names.iter().map(|name| name.replace('-', "_")).collect();
    assert_eq!(
        files, expected,
        "left: files in {}, right: its registry",
        family.folder
    );

    for meta in &family.members {
        let folder = root.join(family.fixtures).join(meta.name);
        let cases = cases(&folder);
        assert!(
            cases.iter().any(|case| case.starts_with("hit"))
                && cases.iter().any(|case| case.starts_with("miss")),
            "{} needs at least one `hit*` and one `miss*` case, has {cases:?}",
            folder.display()
        );
        assert!(
            !meta.title.is_empty() && !meta.title.ends_with('.'),
            "{}: title is one line without a full stop",
            meta.name
        );
        assert!(
            !meta.finds.is_empty(),
            "{}: says nothing of what it finds",
            meta.name
        );
    }
    let known: BTreeSet<&str> = names.iter().copied().collect();
    if let Ok(folders) = fs::read_dir(root.join(family.fixtures)) {
        for folder in folders {
            let name = folder.unwrap().file_name().into_string().unwrap();
            assert!(
                known.contains(name.as_str()),
                "{}/{name} belongs to no member",
                family.fixtures
            );
        }
    }
    check_generated(&root.join(family.page), &page(family));
}

/// Names of a member's cases: file and folder names up to the first dot.
#[must_use]
pub fn cases(folder: &Path) -> BTreeSet<String> {
    fs::read_dir(folder)
        .map(|entries| {
            entries
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .map(|name| name.split('.').next().unwrap_or_default().to_owned())
                .collect()
        })
        .unwrap_or_default()
}

fn page(family: &Family<'_>) -> String {
    let mut page = format!(
        "<!-- Generated by `make bless`; do not edit. -->\n# {}\n\n{}\n\n",
        family.title, family.introduction
    );
    page.push_str(&format!("{} members.\n", family.members.len()));
    for meta in &family.members {
        page.push_str(&format!("\n## `{}`\n\n{}.\n\n", meta.name, meta.title));
        for finds in meta.finds {
            page.push_str(&format!("- {finds}\n"));
        }
        for reference in meta.references {
            page.push_str(&format!("- Reference: <{reference}>\n"));
        }
        for need in meta.needs {
            page.push_str(&format!("- Needs: {need:?}\n"));
        }
    }
    page
}
