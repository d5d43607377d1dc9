//! Every package of the real lock files of the test data is found, with its name and version, and nothing else.

mod common;

use artifact::archives;
use inventory::{Extractor, Found, extractors::ALL};
use std::collections::BTreeSet;
use testkit::family;

/// Folder of the sample, the extractor, and all that it holds as `name version`, read from the samples by eye.
/// Lists that a simple rule can take from the sample are in [`by_rule`].
const EXPECTED: &[(&str, &str, &[&str])] = &[
    (
        "bun",
        "bun-lock",
        &[
            "bun-lockfile ",
            "ansi-styles 4.3.0",
            "chalk 4.1.2",
            "color-convert 2.0.1",
            "color-name 1.1.4",
            "has-flag 2.0.0",
            "has-flag 3.0.0",
            "has-flag 4.0.0",
            "supports-color 5.5.0",
            "supports-color 7.2.0",
        ],
    ),
    (
        "cabal",
        "cabal-freeze",
        &[
            "AC-Angle 1.0",
            "ALUT 2.4.0.3",
            "ANum 0.2.0.2",
            "Agda 2.6.4.3",
            "Allure 0.11.0.0",
        ],
    ),
    (
        "cargo",
        "cargo-lock",
        &[
            "aho-corasick 0.7.18",
            "libc 0.2.140",
            "memchr 2.4.1",
            "syn 1.0.109",
            "syn 2.0.15",
            "zstd 0.11.2",
        ],
    ),
    (
        "cocoapods",
        "podfile-lock",
        &["GlossButtonNode 3.1.2", "PINCache 3.0.3"],
    ),
    (
        "composer",
        "composer-lock",
        &["sentry/sdk 2.0.4", "theseer/tokenizer 1.1.3"],
    ),
    (
        "conan-v1",
        "conan-lock",
        &[
            "brotli 1.0.9",
            "bzip2 1.0.8",
            "freetype 2.12.1",
            "libpng 1.6.39",
            "test 1.0",
            "zlib 1.2.13",
        ],
    ),
    (
        "conan-v2",
        "conan-lock",
        &[
            "brotli 1.0.9",
            "bzip2 1.0.8",
            "freetype 2.12.1",
            "libpng 1.6.39",
            "zlib 1.2.13",
        ],
    ),
    (
        "go",
        "go-mod",
        &[
            "test ",
            "github.com/sirupsen/logrus v1.9.3",
            "github.com/davecgh/go-spew v1.1.1",
            "github.com/pmezard/go-difflib v1.0.0",
            "github.com/stretchr/testify v1.7.0",
            "golang.org/x/sys v0.0.0-20220715151400-c0bba94af5f8",
            "gopkg.in/yaml.v3 v3.0.0-20200313102051-9f266ea9e77c",
        ],
    ),
    (
        "gradle",
        "gradle-lockfile",
        &[
            "org.springframework.boot:spring-boot-autoconfigure 2.7.4",
            "org.springframework.boot:spring-boot-configuration-processor 2.7.5",
            "org.springframework.boot:spring-boot-devtools 2.7.6",
            "org.springframework.boot:spring-boot-starter-aop 2.7.7",
            "org.springframework.boot:spring-boot-starter-data-jpa 2.7.8",
        ],
    ),
    (
        "maven",
        "pom-xml",
        &["io.netty:netty-all 4.1.9", "org.slf4j:slf4j-log4j12 1.7.25"],
    ),
    (
        "nuget-config",
        "nuget-packages-config",
        &[
            "Microsoft.CodeDom.Providers.DotNetCompilerPlatform 1.0.0",
            "Microsoft.Net.Compilers 1.0.0",
        ],
    ),
    (
        "nuget-lock",
        "nuget-packages-lock",
        &[
            "Another.Longer.Name.Dep 4.5.4",
            "Core.Dep 1.24.0",
            "Some.Dep.Five 4.7.2",
            "Some.Dep.Four 4.5.0",
            "Some.Dep.One 1.1.1",
            "Some.Dep.Three 1.0.2",
            "Some.Dep.Two 4.6.0",
            "Some.Longer.Name.Dep 4.7.2",
        ],
    ),
    (
        "package-lock-v1",
        "npm-package-lock",
        &[
            "postcss 6.0.23",
            "postcss 7.0.16",
            "postcss-calc 7.0.1",
            "supports-color 5.5.0",
            "supports-color 6.1.0",
        ],
    ),
    (
        "package-lock-v2",
        "npm-package-lock",
        &[
            "my-library ",
            "postcss 6.0.23",
            "postcss 7.0.16",
            "postcss-calc 7.0.1",
            "supports-color 5.5.0",
            "supports-color 6.1.0",
        ],
    ),
    (
        "package-lock-v3",
        "npm-package-lock",
        &[
            "npm-bundled 1.0.0",
            "ansi-regex 6.2.2",
            "semver 7.7.2",
            "strip-ansi 7.1.2",
        ],
    ),
    ("pdm", "pdm-lock", &["six 1.16.0", "toml 0.10.2"]),
    (
        "pipenv",
        "pipenv-lock",
        &[
            "itsdangerous 2.1.2",
            "markupsafe 2.1.1",
            "pluggy 1.0.0",
            "pluggy 1.0.1",
        ],
    ),
    (
        "pnpm-v6",
        "pnpm-lock",
        &["ansi-regex 5.0.0", "is-number 7.0.0", "uuid 8.0.0"],
    ),
    (
        "pnpm-v9",
        "pnpm-lock",
        &["uuid 8.0.0", "uuid 8.3.2", "xmlbuilder 11.0.1"],
    ),
    (
        "pub",
        "pubspec-lock",
        &[
            "back_button_interceptor 6.0.1",
            "build_runner 2.2.1",
            "shelf 1.3.2",
            "shelf_web_socket 1.0.2",
        ],
    ),
    ("renv", "renv-lock", &["markdown 1.0", "mime 0.7"]),
    (
        "requirements",
        "requirements-txt",
        &[
            "asdf ",
            "combination-._-.also_-._valid ",
            "hy-phen 1.2",
            "newspaper3k ",
            "nltk 3.2.2",
            "pkg ",
            "pkg.dot.name 5.0.0",
            "qwerty 0.1",
            "tabulate 0.7.7",
            "under_score 1.3",
            "yolo 1.0",
        ],
    ),
    (
        "stack",
        "stack-lock",
        &[
            "fuzzyset 0.2.4",
            "hasql-pool 1.0.1",
            "jose-jwt 0.10.0",
            "postgresql-libpq 0.10.1.0",
        ],
    ),
    (
        "swift",
        "swift-package-resolved",
        &[
            "github.com/apple/swift-algorithms 1.0.0",
            "github.com/apple/swift-async-algorithms 0.1.0",
            "github.com/apple/swift-atomics 1.1.0",
        ],
    ),
    (
        "uv",
        "uv-lock",
        &["emoji 2.14.0", "protobuf 4.25.5", "uv-lockfiles 0.1.0"],
    ),
    (
        "yarn-berry",
        "yarn-lock",
        &["debug 2.6.9", "debug 3.2.7", "debug 4.3.3"],
    ),
    (
        "yarn-v1",
        "yarn-lock",
        &[
            "define-properties 1.1.3",
            "define-property 0.2.5",
            "define-property 1.0.0",
            "define-property 2.0.2",
        ],
    ),
];

/// Larger samples, with a rule that finds name and version in a line or in two that follow each other.
fn by_rule(sample: &str, text: &str) -> Option<(&'static str, BTreeSet<String>)> {
    let lines: Vec<&str> = text.lines().collect();
    let pairs = || lines.windows(2);
    let quoted = |line: &str| line.split('"').nth(1).unwrap_or_default().to_owned();
    let found = match sample {
        "bundler" => (
            "gemfile-lock",
            lines
                .iter()
                .filter(|line| line.starts_with("    ") && !line.starts_with("     ") && line.contains(" ("))
                .map(|line| {
                    line.trim()
                        .replace(" (", " ")
                        .replace(')', "")
                        .replace("-x86_64-linux", "")
                })
                .collect(),
        ),
        "mix" => (
            "mix-lock",
            lines
                .iter()
                .filter(|line| line.contains("{:hex, :"))
                .map(|line| {
                    let fields: Vec<&str> = line.split('"').collect();
                    format!("{} {}", fields[1], fields[3])
                })
                .collect(),
        ),
        "pnpm-v5" => (
            "pnpm-lock",
            lines
                .iter()
                .filter(|line| line.starts_with("  /"))
                .map(|line| line.trim().trim_matches(['/', ':']).replace('/', " "))
                .collect(),
        ),
        "poetry" => (
            "poetry-lock",
            pairs()
                .filter(|pair| pair[0].starts_with("name = ") && pair[1].starts_with("version = "))
                .map(|pair| format!("{} {}", quoted(pair[0]), quoted(pair[1])))
                .collect(),
        ),
        _ => return None,
    };
    Some(found)
}

#[test]
fn every_package_of_the_samples_is_found() {
    let Some(data) = family::test_data() else {
        return;
    };
    let mut failures = Vec::new();
    let mut samples = 0;
    for folder in sorted(&data.join("lockfiles")) {
        let sample = folder.file_name().unwrap().to_str().unwrap().to_owned();
        // Read by another extractor, that of what is installed.
        if sample == "dotnet-deps" {
            continue;
        }
        samples += 1;
        let files: Vec<(String, Vec<u8>)> = sorted(&folder)
            .into_iter()
            .map(|path| {
                let name = path.file_name().unwrap().to_str().unwrap();
                (format!("app/{name}"), read(&path))
            })
            .collect();
        let text = String::from_utf8_lossy(&files[0].1).into_owned();
        let expected = EXPECTED
            .iter()
            .find(|(have, ..)| *have == sample)
            .map(|(_, extractor, packages)| {
                (
                    *extractor,
                    packages.iter().map(|text| (*text).to_owned()).collect(),
                )
            })
            .or_else(|| by_rule(&sample, &text));
        let Some((name, expected)) = expected else {
            failures.push(format!("{sample}: nothing is known of what it holds"));
            continue;
        };
        let extractor = ALL
            .iter()
            .find(|extractor| extractor.meta().name == name)
            .expect(name);
        let found = run(*extractor, &files);
        let packages: BTreeSet<String> = found
            .iter()
            .flat_map(|file| &file.extracted.packages)
            .map(|package| format!("{} {}", package.name, package.version))
            .collect();
        if packages != expected {
            let missing: Vec<_> = expected.difference(&packages).collect();
            let excess: Vec<_> = packages.difference(&expected).collect();
            failures.push(format!("{sample}: missing {missing:?}, too much {excess:?}"));
        }
        for problem in found.iter().flat_map(|file| &file.extracted.problems) {
            failures.push(format!("{sample}: {problem}"));
        }
    }
    assert_eq!(samples, EXPECTED.len() + 4, "samples and expectations differ");
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

fn sorted(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .expect("a readable folder")
        .map(|entry| entry.expect("a readable entry").path())
        .collect();
    paths.sort();
    paths
}

#[allow(clippy::disallowed_methods, reason = "a test reads its data")]
fn read(path: &std::path::Path) -> Vec<u8> {
    std::fs::read(path).expect("a readable sample")
}

fn run(extractor: &dyn Extractor, files: &[(String, Vec<u8>)]) -> Vec<Found> {
    let mut all = Vec::new();
    for (path, bytes) in files {
        let entry = common::entry(path, bytes, 0o644);
        if !extractor.wants(&entry) {
            continue;
        }
        all.push(Found {
            extractor: extractor.meta().name.to_owned(),
            path: path.clone(),
            extracted: common::extract(extractor, entry, bytes, &archives::Limited::default()),
        });
    }
    extractor.combine(&mut all);
    all
}
