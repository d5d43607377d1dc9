//! Archives that hold packages: nested deeply, damaged, and as real compilers and packagers make them.

mod common;

use artifact::{Limited, Limits};
use inventory::{Extracted, extractors::ALL};
use proptest::prelude::*;
use std::process::Command;
use testkit::zip::Zip;

fn extract(name: &str, path: &str, bytes: &[u8]) -> Extracted {
    extract_with(&Limited::default(), name, path, bytes)
}

fn extract_with(archives: &Limited, name: &str, path: &str, bytes: &[u8]) -> Extracted {
    let extractor = ALL
        .iter()
        .find(|extractor| extractor.meta().name == name)
        .expect(name);
    let entry = common::entry(path, bytes, 0o644);
    assert!(extractor.wants(&entry), "{path}");
    common::extract(*extractor, entry, bytes, archives)
}

fn properties(group: &str, artifact: &str, version: &str) -> (String, String) {
    (
        format!("META-INF/maven/{group}/{artifact}/pom.properties"),
        format!("groupId={group}\nartifactId={artifact}\nversion={version}\n"),
    )
}

fn library(artifact: &str) -> Zip {
    let (name, text) = properties("org.example", artifact, "1.0");
    Zip::new().file(&name, text)
}

#[test]
fn archives_are_followed_up_to_the_cap() {
    let mut bytes = library("level-1").build();
    for level in 2..=40 {
        bytes = library(&format!("level-{level}"))
            .stored(&format!("level-{}-1.0.jar", level - 1), bytes)
            .build();
    }
    // The caps of all archives come first; the extractor's own hold when those are set higher.
    let generous = Limits {
        max_archive_depth: 64,
        ..Limits::default()
    };
    for (limits, depth) in [(&Limits::default(), 12), (&generous, 16)] {
        let out = extract_with(&Limited::new(limits), "java-archive", "level-40-1.0.jar", &bytes);
        let names: Vec<&str> = out.packages.iter().map(|package| package.name.as_str()).collect();
        assert_eq!(names.len(), depth);
        assert_eq!(names[0], "org.example:level-40");
        assert_eq!(names[depth - 1], format!("org.example:level-{}", 41 - depth));
        assert_eq!(
            out.packages[depth - 1].locations[0].path.matches("!/").count(),
            depth - 1
        );
        assert_eq!(out.problems.len(), 1);
        assert!(out.problems[0].message.contains("deep"), "{}", out.problems[0]);
    }
}

#[test]
fn eggs_are_opened() {
    let egg = Zip::new()
        .file(
            "EGG-INFO/PKG-INFO",
            "Metadata-Version: 1.1\nName: Thing\nVersion: 0.4\nLicense: MIT\n",
        )
        .file("thing/__init__.py", "")
        .build();
    let out = extract("python-distribution", "srv/Thing-0.4-py3.9.egg", &egg);
    assert_eq!(out.packages[0].purl.to_string(), "pkg:pypi/thing@0.4");
    assert_eq!(
        out.packages[0].locations[0].path,
        "srv/Thing-0.4-py3.9.egg!/EGG-INFO/PKG-INFO"
    );
    assert!(out.problems.is_empty());
}

#[test]
fn an_archive_that_is_none_is_a_problem() {
    let out = extract(
        "java-archive",
        "srv/a-1.0.jar",
        b"version https://git-lfs.github.com/spec/v1\n",
    );
    assert!(out.packages.is_empty());
    assert_eq!(out.problems.len(), 1);
}

#[test]
fn the_hash_is_that_of_the_archive() {
    // As `sha1sum` prints it.
    const SHA1: &str = "e3716e46b44877d90146540ccb2a6c74c1d34606";
    let jar = include_bytes!("fixtures/java-archive/hit-shaded/opt/tool/tool-2.1.jar");
    let out = extract("java-archive", "srv/tool-2.1.jar", jar);
    assert_eq!(out.packages[0].fact("sha1"), Some(SHA1));
    let war = Zip::new().stored("WEB-INF/lib/tool-2.1.jar", jar).build();
    let out = extract("java-archive", "srv/b.war", &war);
    assert_eq!(out.packages[1].fact("sha1"), Some(SHA1));
}

/// Jars as the JDK's own packager makes them, when one is installed.
#[test]
#[allow(
    clippy::disallowed_methods,
    reason = "tests make their own files and may run the tools that are there"
)]
#[allow(clippy::print_stderr, reason = "a skipped test says so")]
fn jars_of_the_installed_packager() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let at = |name: &str| folder.path().join(name);
    let (name, text) = properties("com.example", "inner", "3.1");
    let pom = at(&name);
    std::fs::create_dir_all(pom.parent().expect("parent")).expect("folders");
    std::fs::write(&pom, text).expect("pom.properties");
    std::fs::write(
        at("manifest"),
        "Implementation-Title: outer\nImplementation-Version: 9.0.1\n",
    )
    .expect("manifest");
    let jar = |arguments: &[&str]| {
        Command::new("jar")
            .current_dir(folder.path())
            .args(arguments)
            .status()
    };
    match jar(&["cf", "inner-3.1.jar", "META-INF"]) {
        Ok(status) if status.success() => {}
        _ => return eprintln!("skipped: there is no `jar` to make archives with"),
    }
    assert!(
        jar(&["cfm", "outer.jar", "manifest", "inner-3.1.jar"])
            .expect("jar")
            .success()
    );
    let bytes = std::fs::read(at("outer.jar")).expect("outer.jar");
    let out = extract("java-archive", "app/outer.jar", &bytes);
    let found: Vec<String> = out
        .packages
        .iter()
        .map(|package| {
            format!(
                "{} {} {}",
                package.name, package.version, package.locations[0].path
            )
        })
        .collect();
    assert_eq!(
        found,
        [
            "outer 9.0.1 app/outer.jar",
            "com.example:inner 3.1 app/outer.jar!/inner-3.1.jar"
        ]
    );
    assert!(out.problems.is_empty(), "{:?}", out.problems);
}

proptest! {
    /// Damage anywhere gives problems or fewer packages, never a panic; what is found is never more than was put in.
    #[test]
    fn damaged_metadata_never_panics(manifest in "\\PC{0,200}", properties in "\\PC{0,200}", pom in "[<>/a-z&;!\\[\\]]{0,200}") {
        let bytes = Zip::new()
            .file("META-INF/MANIFEST.MF", manifest)
            .file("META-INF/maven/g/a/pom.properties", properties)
            .file("META-INF/maven/g/b/pom.xml", pom)
            .build();
        let out = extract("java-archive", "x/a-1.jar", &bytes);
        prop_assert!(out.packages.len() <= 3);
    }
}

#[test]
#[allow(clippy::disallowed_methods, reason = "tests read their own fixtures")]
fn package_files_that_break_off_anywhere_are_told() {
    let folder = testkit::family::workspace_root().join("crates/inventory/tests/fixtures");
    for (name, file) in [
        ("deb-package", "deb-package/hit-compressions/pool/gzip.deb"),
        ("deb-package", "deb-package/hit-compressions/pool/xz.deb"),
        ("deb-package", "deb-package/hit-compressions/pool/zstd.deb"),
        (
            "rpm-package",
            "rpm-package/hit-packages/Packages/sample-1.2-3.el9_2.noarch.rpm",
        ),
        ("vsix-package", "vsix-package/hit-basic/sample-1.2.0.vsix"),
    ] {
        let path = folder.join(file);
        let bytes = std::fs::read(&path).unwrap();
        let whole = extract(name, file, &bytes);
        assert_eq!((whole.packages.len(), whole.problems.len()), (1, 0), "{file}");
        for length in 0..bytes.len() {
            let out = extract(name, file, &bytes[..length]);
            // What comes behind the headers may be missing.
            let complete = out.problems.is_empty() && out.packages == whole.packages;
            let told = out.packages.is_empty() && out.problems.len() == 1;
            assert!(complete || told, "{file} cut at {length}: {out:?}");
        }
    }
}

#[test]
fn a_control_file_that_unpacks_to_too_much_is_refused() {
    let tar = |size: usize| {
        let mut tar = testkit::tar::Tar::default();
        tar.file("./control", &vec![b'x'; size]);
        testkit::image::compress(&tar.finish(), testkit::image::Compression::Gzip)
    };
    let deb = |control: Vec<u8>| {
        let mut deb = b"!<arch>\n".to_vec();
        for (name, content) in [("debian-binary", b"2.0\n".to_vec()), ("control.tar.gz", control)] {
            deb.extend(format!("{name:<16}{:<32}{:<10}`\n", "", content.len()).bytes());
            deb.extend(&content);
            deb.resize(deb.len().next_multiple_of(2), b'\n');
        }
        deb
    };
    let out = extract("deb-package", "large.deb", &deb(tar(2 << 20)));
    assert!(out.packages.is_empty());
    assert!(
        out.problems[0].message.contains("more than the limit"),
        "{:?}",
        out.problems
    );
    let small = Limits {
        max_archive_bytes: 1 << 20,
        ..Limits::default()
    };
    let out = extract_with(
        &Limited::new(&small),
        "deb-package",
        "bomb.deb",
        &deb(tar(1 << 20)),
    );
    assert!(
        out.packages.is_empty() && out.problems.len() == 1,
        "{:?}",
        out.problems
    );
}
