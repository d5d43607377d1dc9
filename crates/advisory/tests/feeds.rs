//! The feeds agree with their folder, fixtures and reference page, and each fixture gives what is expected of it.

use advisory::feeds::{ALL, Item, Sink};
use model::Problem;
use testkit::{family, fixture};

const FIXTURES: &str = "crates/advisory/tests/fixtures/feeds";

#[test]
fn feeds_agree() {
    family::check(&family::Family {
        title: "Advisory feeds",
        introduction: "What `hullward db build` and `hullward db update` read, from a folder or mirror in the layout of OSV's \
                       public bucket. Paths are seen from its root; members of an archive follow the archive's path after `!/`.",
        folder: "crates/advisory/src/feeds",
        members: ALL.iter().map(|feed| feed.meta()).collect(),
        fixtures: FIXTURES,
        page: "docs/reference/feeds.md",
    });
}

/// One line a thing, readable in a diff.
#[derive(Default)]
struct Lines(String, usize);

impl Sink for Lines {
    fn item(&mut self, item: Item) {
        self.1 += 1;
        match item {
            Item::Advisory(advisory) => self.0.push_str(&format!("{advisory:#?}\n")),
            other => self.0.push_str(&format!("{other:?}\n")),
        }
    }

    fn problem(&mut self, problem: Problem) {
        self.1 += 1;
        self.0.push_str(&format!("problem {problem}\n"));
    }
}

#[test]
fn fixtures_give_what_is_expected() {
    let folder = family::workspace_root().join(FIXTURES);
    let mut failures = Vec::new();
    for feed in ALL {
        let name = feed.meta().name;
        for case in fixture::cases(&folder.join(name)) {
            let mut lines = Lines::default();
            for (path, bytes) in &case.files {
                if feed.wants(path) {
                    lines.0.push_str(&format!("# {path}\n"));
                    feed.read(path, bytes, &mut lines);
                    let others = ALL.iter().filter(|other| other.wants(path)).count();
                    assert_eq!(others, 1, "{path} belongs to one feed");
                }
            }
            if case.name.starts_with("miss") {
                if lines.1 > 0 {
                    failures.push(format!(
                        "{name}/{}: a miss must give nothing, gave\n{}",
                        case.name, lines.0
                    ));
                }
                continue;
            }
            if lines.1 == 0 {
                failures.push(format!("{name}/{}: a hit must give something", case.name));
            }
            if let Err(difference) = fixture::check_expected(&case.expected, &lines.0) {
                failures.push(format!("{name}/{}: {difference}", case.name));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}
