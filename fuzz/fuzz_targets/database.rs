//! A database file with bytes changed or its end cut off: opened, asked and matched against. The input is a list of changes,
//! each four bytes of offset and one of value; an odd rest cuts the file short.
#![no_main]

use advisory::build::{BuildError, DocumentVisitor};
use advisory::{BuildOptions, Database, FeedFiles, MatchOptions, match_packages};
use libfuzzer_sys::fuzz_target;
use model::{OsRelease, Package, Purl};
use std::path::PathBuf;
use std::sync::LazyLock;

struct Feed;

impl FeedFiles for Feed {
    fn documents(&mut self, each: &mut DocumentVisitor<'_>) -> Result<(), BuildError> {
        for number in 0..40 {
            let record = format!(
                r#"{{"schema_version":"1.6.0","id":"GHSA-fuzz-{number:04}","modified":"2026-01-01T00:00:00Z","aliases":["CVE-2099-{number:04}"],"summary":"s","affected":[{{"package":{{"ecosystem":"npm","name":"left-pad{}"}},"ranges":[{{"type":"SEMVER","events":[{{"introduced":"0"}},{{"fixed":"1.3.{number}"}}]}}]}}]}}"#,
                number % 7
            );
            each(&format!("npm/all.zip!/GHSA-fuzz-{number:04}.json"), record.as_bytes())?;
        }
        Ok(())
    }
}

struct State {
    file: PathBuf,
    bytes: Vec<u8>,
    packages: Vec<Package>,
}

static STATE: LazyLock<State> = LazyLock::new(|| {
    // The engine panics on some damaged pages, which the reader turns into an error. The fuzzer's own hook would end the run
    // before that; panics that nobody catches still end it.
    std::panic::set_hook(Box::new(|_| {}));
    let folder = PathBuf::from("/dev/shm");
    let folder = if folder.is_dir() { folder } else { std::env::temp_dir() };
    let file = folder.join(format!("hullward-fuzz-{}.db", std::process::id()));
    let options = BuildOptions { created: "2026-01-01T00:00:00Z".to_owned(), memory: 16 << 20 };
    advisory::build::build(&mut Feed, &file, &options, &mut |_| {}).expect("built");
    let bytes = std::fs::read(&file).expect("readable");
    let packages = (0..7)
        .map(|number| {
            let name = format!("left-pad{number}");
            let purl: Purl = format!("pkg:npm/{name}@1.2.0").parse().expect("a purl");
            Package::new("npm-package-lock", purl, "npm", name, "1.2.0")
        })
        .collect();
    State { file, bytes, packages }
});

fuzz_target!(|data: &[u8]| {
    let state = &*STATE;
    let mut bytes = state.bytes.clone();
    let changes = data.chunks_exact(5);
    let rest = changes.remainder();
    for change in changes {
        let at = u32::from_le_bytes([change[0], change[1], change[2], change[3]]) as usize % bytes.len();
        bytes[at] = change[4];
    }
    if let [low, high, ..] = rest {
        let keep = bytes.len() * usize::from(u16::from_le_bytes([*low, *high])) / 65_536;
        bytes.truncate(keep);
    }
    std::fs::write(&state.file, &bytes).expect("written");
    let Ok(database) = Database::open(&state.file) else { return };
    let _ = database.status();
    let _ = database.advisories("CVE-2099-0001");
    let _ = database.known_exploited("CVE-2099-0001");
    let _ = database.epss("CVE-2099-0001");
    let _ = database.end_of_life(&OsRelease::default(), "2026-01-01");
    let _ = database.pairs(&mut |_, _, _| Ok(()));
    let _ = match_packages(&database, &state.packages, None, &MatchOptions::default());
});
