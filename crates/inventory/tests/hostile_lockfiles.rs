//! Lock files from hostile hands end in packages and problems: cut off, changed, nested without end, or of very many packages.

mod common;

use artifact::archives;
use inventory::{Extractor, Found, extractors::ALL};
use model::{Entry, Relation};
use proptest::prelude::*;
use testkit::{family, fixture};

/// How many packages the large files have: the most that is kept where the build is fast. Files of a million go through the
/// program as a whole, in the command's own hostile tests.
const MANY: usize = if cfg!(debug_assertions) { 20_000 } else { 100_000 };

#[test]
fn cut_and_changed_fixtures_do_not_panic() {
    let folder = family::workspace_root().join("crates/inventory/tests/fixtures");
    let mut runs = 0;
    for extractor in ALL.iter().filter(|extractor| extractor.kind().is_of_builds()) {
        for case in fixture::cases(&folder.join(extractor.meta().name)) {
            for (path, bytes) in &case.files {
                if !wants(*extractor, path, bytes) {
                    continue;
                }
                for step in 0..64 {
                    let at = bytes.len() * step / 64;
                    let mut changed = bytes.clone();
                    changed[at] = b"\0\"[{}]:\n\xff-"[step % 10];
                    // Lock files and the manifests beside them are joined, so both go the whole way.
                    for content in [&bytes[..at], &changed] {
                        let files: Vec<(&str, &[u8])> = case
                            .files
                            .iter()
                            .map(|(name, whole)| {
                                (
                                    name.as_str(),
                                    if name == path { content } else { whole.as_slice() },
                                )
                            })
                            .collect();
                        run(*extractor, &files);
                        runs += 1;
                    }
                }
            }
        }
    }
    assert!(runs > 5_000, "only {runs} runs: are the fixtures there?");
}

#[test]
fn nesting_without_end_is_a_problem() {
    const DEPTH: usize = 100_000;
    let texts = [
        "[".repeat(DEPTH),
        "{\"packages\":".repeat(DEPTH),
        format!("a = {}", "[".repeat(DEPTH)),
        "<project>".repeat(DEPTH),
        (0..2_000)
            .map(|depth| format!("{}a:\n", " ".repeat(depth)))
            .collect(),
    ];
    let mut problems = 0;
    for extractor in ALL.iter().filter(|extractor| extractor.kind().is_of_builds()) {
        for name in file_names(*extractor) {
            for text in &texts {
                let found = run(*extractor, &[(&name, text.as_bytes())]);
                problems += found
                    .iter()
                    .map(|file| file.extracted.problems.len())
                    .sum::<usize>();
                // Formats of words and lines find names even here; documents must not.
                if [".json", ".toml", ".xml"].iter().any(|end| name.ends_with(end)) {
                    let mut packages = found.iter().flat_map(|file| &file.extracted.packages);
                    assert_eq!(packages.next(), None, "{name}");
                }
            }
        }
    }
    assert!(problems > 100, "only {problems} problems");
}

/// The names that an extractor says it looks for, those without wildcards.
fn file_names(extractor: &dyn Extractor) -> Vec<String> {
    extractor
        .meta()
        .finds
        .iter()
        .map(|finds| finds.split(" (").next().unwrap_or(finds).replace('*', "x"))
        .filter(|name| wants(extractor, name, b"{"))
        .collect()
}

#[test]
fn very_many_packages_in_package_lock_json() {
    let mut text =
        String::from("{\"lockfileVersion\":3,\"packages\":{\"\":{\"dependencies\":{\"p0\":\"1\"}}");
    for number in 0..MANY {
        // A row: each wants the next.
        let next = number + 1;
        text.push_str(&format!(
            ",\"node_modules/p{number}\":{{\"version\":\"1.0.0\",\"dependencies\":{{\"p{next}\":\"1\"}}}}"
        ));
    }
    text.push_str("}}");
    all_are_listed("npm-package-lock", "package-lock.json", &text, true);
}

#[test]
fn very_many_packages_in_yarn_lock() {
    let mut text = String::from("# yarn lockfile v1\n");
    for number in 0..MANY {
        let next = number + 1;
        text.push_str(&format!(
            "\np{number}@1:\n  version \"1.0.0\"\n  dependencies:\n    p{next} \"1\"\n"
        ));
    }
    all_are_listed("yarn-lock", "yarn.lock", &text, false);
}

#[test]
fn very_many_packages_in_cargo_lock() {
    let mut text = String::from(
        "version = 4\n\n[[package]]\nname = \"root\"\nversion = \"0.1.0\"\ndependencies = [\"p0\"]\n",
    );
    for number in 1..MANY {
        let name = number - 1;
        text.push_str(&format!(
            "\n[[package]]\nname = \"p{name}\"\nversion = \"1.0.0\"\n\
             source = \"registry+https://github.com/rust-lang/crates.io-index\"\ndependencies = [\"p{number}\"]\n"
        ));
    }
    all_are_listed("cargo-lock", "Cargo.lock", &text, true);
}

#[test]
fn very_many_packages_in_pnpm_lock() {
    let mut text = String::from("lockfileVersion: '9.0'\npackages:\n");
    for number in 0..MANY {
        text.push_str(&format!("  p{number}@1.0.0: {{}}\n"));
    }
    all_are_listed("pnpm-lock", "pnpm-lock.yaml", &text, false);
}

#[test]
fn equal_names_do_not_take_quadratic_time() {
    let count = MANY / 10;
    let mut cargo = String::from("version = 4\n");
    let mut uv = String::from("version = 1\n");
    for number in 0..count {
        cargo.push_str(&format!(
            "[[package]]\nname = \"a\"\nversion = \"1.0.{number}\"\nsource = \"registry+https://index.example.org\"\n\
             dependencies = [\"a 1.0.0\"]\n"
        ));
        uv.push_str(&format!(
            "[[package]]\nname = \"a\"\nversion = \"1.0.{number}\"\nsource = {{ registry = \"x\" }}\n\
             dependencies = [{{ name = \"a\" }}]\n"
        ));
    }
    for (extractor, name, text) in [("cargo-lock", "Cargo.lock", &cargo), ("uv-lock", "uv.lock", &uv)] {
        let found = run(by_name(extractor), &[(name, text.as_bytes())]);
        assert_eq!(found[0].extracted.packages.len(), count, "{name}");
    }
}

#[test]
fn long_names_are_not_copied_into_every_chain() {
    let long = "x".repeat(1_000_000);
    let mut text = format!("module {long}\n");
    for number in 0..20_000 {
        text.push_str(&format!("require example.org/p{number} v1.0.0\n"));
    }
    let found = run(by_name("go-mod"), &[("go.mod", text.as_bytes())]);
    let chains: usize = found[0]
        .extracted
        .packages
        .iter()
        .flat_map(|package| &package.path)
        .map(String::len)
        .sum();
    assert_eq!(found[0].extracted.packages.len(), 20_001);
    assert!(chains < 20_000 * 300, "{chains} bytes of chains");
}

#[test]
fn messages_are_short_and_few() {
    let long = "y".repeat(100_000);
    let mut text = String::from("# yarn lockfile v1\n");
    for number in 0..1_000 {
        text.push_str(&format!("{}{number}@1:\n", &long[..1_000]));
    }
    let found = run(by_name("yarn-lock"), &[("yarn.lock", text.as_bytes())]);
    let problems = &found[0].extracted.problems;
    assert!(problems.len() <= 21, "{} problems", problems.len());
    assert!(problems.iter().all(|problem| problem.message.len() < 600));
    assert!(
        problems
            .iter()
            .any(|problem| problem.message.contains("980 more entries"))
    );
}

fn all_are_listed(extractor: &str, name: &str, text: &str, related: bool) {
    let found = run(by_name(extractor), &[(name, text.as_bytes())]);
    let extracted = &found[0].extracted;
    assert_eq!(extracted.problems, []);
    assert_eq!(extracted.packages.len(), MANY);
    if related {
        let transitive = extracted
            .packages
            .iter()
            .filter(|package| package.relation == Some(Relation::Transitive))
            .count();
        assert!(transitive >= MANY - 2, "{transitive} are transitive");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_text_is_survived(bytes in proptest::collection::vec(any::<u8>(), 0..200), lines in "([ ]{0,6}[\\[\\]{}<>\"'a-c=:,.@#0-9-]{0,12}\n){0,12}") {
        for extractor in ALL.iter().filter(|extractor| extractor.kind().is_of_builds()) {
            for name in file_names(*extractor) {
                run(*extractor, &[(&name, &bytes)]);
                run(*extractor, &[(&name, lines.as_bytes())]);
            }
        }
    }
}

fn by_name(name: &str) -> &'static dyn Extractor {
    *ALL.iter()
        .find(|extractor| extractor.meta().name == name)
        .expect(name)
}

fn entry<'a>(path: &'a str, bytes: &[u8]) -> Entry<'a> {
    common::entry(path, bytes, 0o644)
}

fn wants(extractor: &dyn Extractor, path: &str, bytes: &[u8]) -> bool {
    !bytes.is_empty() && extractor.wants(&entry(path, bytes))
}

fn run(extractor: &dyn Extractor, files: &[(&str, &[u8])]) -> Vec<Found> {
    let mut all = Vec::new();
    for (path, bytes) in files {
        if !extractor.wants(&entry(path, bytes)) {
            continue;
        }
        let archives = archives::Limited::default();
        all.push(Found {
            extractor: extractor.meta().name.to_owned(),
            path: (*path).to_owned(),
            extracted: common::extract(extractor, entry(path, bytes), bytes, &archives),
        });
    }
    extractor.combine(&mut all);
    all
}
