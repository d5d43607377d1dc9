//! Programs that the installed Go toolchain builds are read back as what they are; skipped where there is no `go`.
#![allow(clippy::disallowed_methods, reason = "the test builds programs of its own")]
#![allow(clippy::print_stderr, reason = "a skipped test says so")]

mod common;

use artifact::archives;
use inventory::{Extracted, extractors::ALL};
use std::fs;
use std::path::Path;
use std::process::Command;

// `println` instead of `fmt`, so that little of the standard library has to be compiled for each system.
const PROGRAM: &str = "package main\n\nimport \"example.org/original\"\n\nvar version = \"\"\n\n\
    func main() { println(version, original.Word()) }\n";
const MODULE: &str = "module example.org/program\n\ngo 1.16\n\nrequire example.org/original v1.2.3\n\n\
    replace example.org/original => ./copy\n";

#[test]
fn programs_of_the_installed_toolchain() {
    if Command::new("go").arg("version").output().is_err() {
        eprintln!("skipped: no `go` on PATH");
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, text).expect("a file");
    };
    write("go.mod", MODULE);
    write("main.go", PROGRAM);
    write("copy/go.mod", "module example.org/original\n\ngo 1.16\n");
    write(
        "copy/copy.go",
        "package original\n\n// Word is a word.\nfunc Word() string { return \"word\" }\n",
    );

    let toolchain = Command::new("go")
        .args(["env", "GOVERSION"])
        .output()
        .expect("go env");
    let toolchain = String::from_utf8(toolchain.stdout)
        .expect("text")
        .trim()
        .to_owned();
    for (system, architecture, flags) in [
        ("linux", "amd64", "-X main.version=1.4.2"),
        ("linux", "amd64", "-s -w -X main.version=1.4.2"),
        ("linux", "386", "-s -w -X main.version=1.4.2"),
        ("linux", "mips64", "-s -w -X main.version=1.4.2"),
        ("windows", "amd64", "-s -w -X main.version=1.4.2"),
        ("darwin", "arm64", "-s -w -X main.version=1.4.2"),
    ] {
        let case = format!("{system}/{architecture} {flags}");
        let built = Command::new("go")
            .current_dir(folder.path())
            .args(["build", "-o", "program", "-ldflags", flags, "."])
            .env("GOOS", system)
            .env("GOARCH", architecture)
            .env("CGO_ENABLED", "0")
            .env("GOFLAGS", "-mod=mod")
            .env("GOPROXY", "off")
            .env("GOTOOLCHAIN", "local")
            .output()
            .expect("go build");
        assert!(
            built.status.success(),
            "{case}: {}",
            String::from_utf8_lossy(&built.stderr)
        );
        let found = extract(&folder.path().join("program"));
        assert_eq!(found.problems, [], "{case}");
        let find = |name: &str| {
            let package = found.packages.iter().find(|package| package.name == name);
            package.unwrap_or_else(|| panic!("{case}: no {name} in {:?}", found.packages))
        };
        assert_eq!(find("stdlib").fact("go-version"), Some(&*toolchain), "{case}");
        assert_eq!(find("stdlib").purl.kind(), "golang");
        assert_eq!(find("example.org/program").version, "v1.4.2", "{case}");
        assert_eq!(find("example.org/program").fact("goos"), Some(system), "{case}");
        assert_eq!(find("example.org/original").version, "v1.2.3", "{case}");
        assert_eq!(
            find("example.org/original").fact("replaced-by"),
            Some("./copy"),
            "{case}"
        );
    }
}

fn extract(program: &Path) -> Extracted {
    let bytes = fs::read(program).expect("the program");
    let extractor = ALL
        .iter()
        .find(|extractor| extractor.meta().name == "go-binary")
        .expect("the extractor");
    let entry = common::entry("usr/bin/program", &bytes, 0o755);
    assert!(extractor.wants(&entry) && extractor.accepts(&entry, &bytes[..64]));
    common::extract(*extractor, entry, &bytes, &archives::Limited::default())
}
