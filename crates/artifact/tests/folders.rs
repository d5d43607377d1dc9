//! Folders: source trees with ignore files, root file systems, and what must not be followed or opened.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "tests make and read their own files"
)]

mod common;

use artifact::{LayerVisitor, Limits, OpenOptions, Opened, TargetSpec, open};
use common::Everything;
use model::{Content, Entry, EntryKind, Problem};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

type Found = (
    BTreeMap<String, Vec<u8>>,
    BTreeMap<String, EntryKind>,
    Vec<Problem>,
);

fn walk(spec: &TargetSpec, options: &OpenOptions) -> Found {
    let Opened::Tree(tree) = open(spec, options).unwrap_or_else(|error| panic!("{}", error.chain())) else {
        panic!("no folder")
    };
    let mut files = BTreeMap::new();
    let mut kinds = BTreeMap::new();
    let mut problems = Vec::new();
    for walked in tree.walk(3, &Everything::default) {
        assert_eq!(walked.index, 0);
        for entry in walked.entries.iter() {
            assert_eq!(
                kinds.insert(entry.path.clone(), entry.kind),
                None,
                "{}",
                entry.path
            );
        }
        for (path, mut content) in walked.visitor.files {
            let bytes = content.bytes(1 << 20).unwrap().into_owned();
            files.insert(path, bytes);
        }
        problems.extend(walked.problems);
    }
    (files, kinds, problems)
}

fn fill(folder: &Path, files: &[(&str, &str)]) {
    for (path, text) in files {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

#[test]
fn source_trees_honour_ignore_files_and_exclusions() {
    let folder = tempfile::tempdir().unwrap();
    fill(
        folder.path(),
        &[
            (".gitignore", "target/\n*.log\n!keep.log\n"),
            (".hidden/file", "1"),
            (".git/config", "secret"),
            ("target/out", "2"),
            ("src/main.rs", "3"),
            ("src/.gitignore", "generated.rs\n"),
            ("src/generated.rs", "4"),
            ("a.log", "5"),
            ("keep.log", "6"),
            ("vendor/lib/x", "7"),
            ("vendor/y", "8"),
        ],
    );
    let spec = TargetSpec::Directory(folder.path().to_owned());
    let paths = |options: &OpenOptions| -> Vec<String> { walk(&spec, options).0.into_keys().collect() };
    let all = paths(&OpenOptions {
        gitignore: false,
        ..OpenOptions::default()
    });
    assert!(
        all.contains(&"target/out".to_owned()) && !all.iter().any(|path| path.starts_with(".git/")),
        "{all:?}"
    );
    assert_eq!(all.len(), 10);
    let kept = [
        ".gitignore",
        ".hidden/file",
        "keep.log",
        "src/.gitignore",
        "src/main.rs",
        "vendor/lib/x",
        "vendor/y",
    ];
    assert_eq!(paths(&OpenOptions::default()), kept);
    let excluding = |globs: &[&str]| {
        paths(&OpenOptions {
            exclude: globs.iter().map(|&glob| glob.to_owned()).collect(),
            ..OpenOptions::default()
        })
    };
    assert_eq!(
        excluding(&["vendor/", "**/*.rs"]),
        [".gitignore", ".hidden/file", "keep.log", "src/.gitignore"]
    );
    assert_eq!(excluding(&["/vendor/lib"]).len(), 6);
    let options = OpenOptions {
        exclude: vec!["a{b".to_owned()],
        ..OpenOptions::default()
    };
    let error = common::open_error(&format!("dir:{}", folder.path().display()), &options);
    assert!(error.contains("exclude pattern `a{b` is not valid"), "{error}");
    // A root file system is taken whole.
    let rootfs = walk(
        &TargetSpec::Rootfs(folder.path().to_owned()),
        &OpenOptions::default(),
    );
    assert_eq!(rootfs.0.len(), 11);
}

#[test]
fn links_pipes_and_odd_names() {
    let outside = tempfile::tempdir().unwrap();
    fill(outside.path(), &[("secret", "not yours")]);
    let folder = tempfile::tempdir().unwrap();
    fill(folder.path(), &[("etc/os-release", "ID=x"), ("bin/tool", "tool")]);
    let at = |name: &str| folder.path().join(name);
    symlink(outside.path(), at("out")).unwrap();
    symlink(outside.path().join("secret"), at("leaf")).unwrap();
    symlink(".", at("loop")).unwrap();
    fs::set_permissions(at("bin/tool"), fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(folder.path().join(std::ffi::OsStr::from_bytes(b"caf\xe9")), "x").unwrap();
    let pipe = std::process::Command::new("mkfifo").arg(at("pipe")).status();
    let (files, kinds, problems) = walk(
        &TargetSpec::Rootfs(folder.path().to_owned()),
        &OpenOptions::default(),
    );
    assert_eq!(problems, []);
    let odd = model::path::from_bytes(b"caf\xe9");
    assert_eq!(
        files.keys().map(String::as_str).collect::<Vec<_>>(),
        ["bin/tool", &*odd, "etc/os-release"]
    );
    for link in ["out", "leaf", "loop"] {
        assert_eq!(kinds[link], EntryKind::Symlink);
    }
    if pipe.is_ok_and(|status| status.success()) {
        assert_eq!(kinds["pipe"], EntryKind::Special);
    }
}

/// Keeps contents to read them later.
#[derive(Default)]
struct Later(Vec<Box<dyn Content>>);

impl LayerVisitor for Later {
    fn wants(&mut self, entry: &Entry<'_>) -> bool {
        entry.kind == EntryKind::File
    }

    fn file(&mut self, _entry: &Entry<'_>, content: Box<dyn Content>) {
        self.0.push(content);
    }
}

#[test]
fn files_that_change_meanwhile_are_told() {
    let folder = tempfile::tempdir().unwrap();
    fill(folder.path(), &[("log", "short")]);
    let spec = TargetSpec::Directory(folder.path().to_owned());
    let Opened::Tree(tree) = open(&spec, &OpenOptions::default()).unwrap() else {
        panic!("no folder")
    };
    let mut walked = tree.walk(1, &Later::default);
    let mut contents: Vec<_> = walked
        .iter_mut()
        .flat_map(|walked| walked.visitor.0.drain(..))
        .collect();
    let content = &mut contents[0];
    assert_eq!(
        content.bytes(4).unwrap_err().to_string(),
        "the file has 5 bytes, more than the 4 that are read of such a file"
    );
    assert_eq!(content.bytes(5).unwrap(), &b"short"[..]);
    fs::write(folder.path().join("log"), "longer than before").unwrap();
    let error = content.bytes(100).unwrap_err();
    assert!(
        std::error::Error::source(&error)
            .unwrap()
            .to_string()
            .contains("changed while it was scanned")
    );
    fs::remove_file(folder.path().join("log")).unwrap();
    symlink("/etc/passwd", folder.path().join("log")).unwrap();
    assert!(
        content.reader().is_err(),
        "a link that took the file's place is not followed"
    );
}

#[test]
fn folders_have_caps() {
    let folder = tempfile::tempdir().unwrap();
    for number in 0..50 {
        fill(folder.path(), &[(&format!("f{number}"), "12345")]);
    }
    let spec = TargetSpec::Directory(folder.path().to_owned());
    let with = |limits: Limits| {
        walk(
            &spec,
            &OpenOptions {
                limits,
                ..OpenOptions::default()
            },
        )
    };
    let (_, kinds, problems) = with(Limits {
        max_entries: 20,
        ..Limits::default()
    });
    assert!(
        kinds.len() <= 20 && problems[0].message.contains("more entries than the limit of 20"),
        "{problems:?}"
    );
    let (files, kinds, problems) = with(Limits {
        max_file_bytes: 4,
        ..Limits::default()
    });
    assert_eq!((files.len(), kinds.len(), problems.len()), (0, 50, 50));
    assert!(problems[0].message.contains("more than the limit of 4"));
}
