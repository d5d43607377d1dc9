//! Hostile input through the program as a user runs it: every case ends in a finding, a problem or a clear error, within its
//! time and memory, and leaves nothing behind that it should not.
#![allow(clippy::disallowed_methods, reason = "tests make and read their own files")]

use serde_json::Value;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::time::Duration;
use testkit::http::{Answer, Ending, Server};
use testkit::image::{Compression, Image, Layer, compress};
use testkit::registry::Store;
use testkit::tar::{Header, LongNames, Tar};
use testkit::zip::{Method, Zip};
use testkit::{Program, Ran, temporary_folder};

const HULLWARD: &str = env!("CARGO_BIN_EXE_hullward");
const MIB: u64 = 1 << 20;
/// No case may take longer. Far more than any needs, so that a busy machine fails none.
const DEADLINE: Duration = Duration::from_secs(60);
/// What any case may have resident. Only the largest honest lists come near it.
const MEMORY: u64 = 400 * MIB;

const STATUS: &str =
    "Package: zlib1g\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1:1.2.13.dfsg-1\n\n";
const LOCK: &str = r#"{"name":"a","version":"1.0.0","lockfileVersion":3,"packages":{"node_modules/left-pad":{"version":"1.2.0"}}}"#;

fn run(home: &Path, arguments: &[&str]) -> Ran {
    Program::new(HULLWARD, home)
        .args(arguments)
        .run_within(DEADLINE, MEMORY)
}

/// Scans without a database; the report.
fn scan(home: &Path, target: &str) -> Value {
    let ran = run(
        home,
        &["scan", "--no-vulnerabilities", "--format", "json", target],
    )
    .expect_code(0);
    serde_json::from_str(&ran.stdout).expect("JSON")
}

fn problems(report: &Value) -> String {
    report["problems"]
        .as_array()
        .expect("problems")
        .iter()
        .map(|problem| format!("{problem}\n"))
        .collect()
}

fn names(report: &Value) -> Vec<&str> {
    report["packages"]
        .as_array()
        .expect("packages")
        .iter()
        .filter_map(|package| package["name"].as_str())
        .collect()
}

#[track_caller]
fn assert_problem(report: &Value, part: &str) {
    let problems = problems(report);
    assert!(
        problems.contains(part),
        "no problem speaks of `{part}`:\n{problems}"
    );
}

fn write(home: &Path, path: &str, bytes: impl AsRef<[u8]>) {
    let path = home.join(path);
    fs::create_dir_all(path.parent().expect("parent")).expect("folder");
    fs::write(path, bytes).expect("written");
}

/// A tarball whose one file is gigabytes of zeros.
fn bomb(name: &[u8], how: Compression) -> Vec<u8> {
    let header = Header::new(b'0', name, b"", 3 << 30, 0o644).block();
    // Streams may follow each other in all four formats.
    let mut bomb = compress(&header, how);
    let part = compress(&vec![0; 16 << 20], how);
    for _ in 0..192 {
        bomb.extend_from_slice(&part);
    }
    bomb
}

#[test]
fn decompression_bombs() {
    let home = temporary_folder();
    for how in [
        Compression::Gzip,
        Compression::Zstd,
        Compression::Xz,
        Compression::Bzip2,
    ] {
        write(home.path(), "bomb.tar", bomb(b"var/lib/dpkg/status", how));
        let report = scan(home.path(), "rootfs:bomb.tar");
        assert_problem(&report, "a decompression bomb");
    }
}

/// The same as a layer whose digests are right: nothing of it is kept.
#[test]
fn a_bomb_is_not_cached() {
    let home = temporary_folder();
    let bomb = bomb(b"srv/app.jar", Compression::Gzip);
    let layout = home.path().join("layout");
    // An honest image in all but its layer.
    let image = Image::new(vec![Layer::new("COPY")]);
    image.write_layout(&layout);
    let parts = image.parts();
    let digest = testkit::image::write_blob(&layout, &bomb);
    let manifest = String::from_utf8(parts.manifest.bytes).expect("JSON");
    let mut manifest: Value = serde_json::from_str(&manifest).expect("JSON");
    manifest["layers"][0]["digest"] = digest.into();
    manifest["layers"][0]["size"] = bomb.len().into();
    let manifest = manifest.to_string();
    let digest = testkit::image::write_blob(&layout, manifest.as_bytes());
    let index = serde_json::json!({"schemaVersion": 2, "manifests": [{
        "mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": digest, "size": manifest.len()
    }]});
    fs::write(layout.join("index.json"), index.to_string()).expect("written");
    let report = scan(home.path(), "oci:layout");
    assert_problem(&report, "a decompression bomb");
    let ran = run(home.path(), &["cache", "status"]).expect_code(0);
    assert!(ran.stdout.contains("results  0"), "{}", ran.stdout);
}

#[test]
fn archives_in_archives() {
    let home = temporary_folder();
    let pom = "groupId=org.example\nartifactId=inner\nversion=1.0\n";
    let mut jar = Zip::new()
        .file("META-INF/maven/org.example/inner/pom.properties", pom)
        .build();
    for _ in 0..200 {
        jar = Zip::new().member("nested.jar", &jar, Method::Stored).build();
    }
    write(home.path(), "root/srv/deep.jar", &jar);
    // Each level inflates to twelve of the next: a thousand million megabytes at the bottom.
    let mut jar = Zip::new().file("x.jar", vec![0; 8 << 20]).build();
    for _ in 0..9 {
        let mut wide = Zip::new();
        for number in 0..12 {
            wide = wide.file(&format!("{number}.jar"), &jar);
        }
        jar = wide.build();
    }
    write(home.path(), "root/srv/wide.jar", &jar);
    let report = scan(home.path(), "rootfs:root");
    assert_problem(&report, "deep.jar");
    assert_problem(&report, "wide.jar");
}

/// A central directory that names the same bytes many times over.
#[test]
fn an_archive_whose_members_overlap() {
    let home = temporary_folder();
    let one = Zip::new().file("x.jar", vec![0; 32 << 20]).build();
    let field = |at: usize| u32::from_le_bytes(one[at..at + 4].try_into().expect("four bytes")) as usize;
    let end = one.len() - 22;
    let (length, start) = (field(end + 12), field(end + 16));
    let copies = 60_000;
    let mut jar = one[..start].to_vec();
    for _ in 0..copies {
        jar.extend_from_slice(&one[start..start + length]);
    }
    jar.extend_from_slice(&one[end..end + 8]);
    jar.extend_from_slice(&(copies as u16).to_le_bytes());
    jar.extend_from_slice(&(copies as u16).to_le_bytes());
    jar.extend_from_slice(&((copies * length) as u32).to_le_bytes());
    jar.extend_from_slice(&one[end + 16..]);
    write(home.path(), "root/srv/app.jar", &jar);
    let report = scan(home.path(), "rootfs:root");
    assert_problem(&report, "app.jar");
}

#[test]
fn ten_million_entries() {
    let home = temporary_folder();
    let mut tar = Tar::default();
    // What scans look for comes first and stays found.
    tar.file("app/package-lock.json", LOCK.as_bytes());
    let first = compress(&tar.unfinished(), Compression::Zstd);
    let mut tar = Tar::default();
    for number in 0_u32..100_000 {
        // Names that share no beginning with the last and whose digits do not compress away: the cap on what the names of a
        // layer take in memory is met long before the ten million, and before the one on the ratio.
        let letter = if number % 2 == 0 { "a" } else { "b" };
        let name = format!("{}{:08x}", letter.repeat(80), number.wrapping_mul(2_654_435_761));
        tar.entry(&Header::new(b'5', name.as_bytes(), b"", 0, 0o755), b"");
    }
    let part = compress(&tar.unfinished(), Compression::Zstd);
    let mut file = File::create(home.path().join("many.tar.zst")).expect("created");
    file.write_all(&first).expect("written");
    for _ in 0..100 {
        file.write_all(&part).expect("written");
    }
    drop(file);
    let report = scan(home.path(), "rootfs:many.tar.zst");
    assert_problem(&report, "67108864");
    assert_eq!(names(&report), ["left-pad"]);
}

#[test]
fn names_that_lead_out() {
    let home = temporary_folder();
    write(home.path(), "outside/status", STATUS);
    let outside = home.path().join("outside/status");
    let mut tar = Tar::default();
    for name in [
        "../../escaped/package-lock.json",
        "/absolute/package-lock.json",
        "a/../../b/package-lock.json",
    ] {
        tar.file(name, LOCK.as_bytes());
    }
    let out = format!("../../../../../../../../../..{}", outside.display());
    tar.add(
        b'1',
        b"var/lib/dpkg/status",
        out.as_bytes(),
        b"",
        0o644,
        LongNames::Pax,
    );
    tar.add(
        b'2',
        b"var/lib/dpkg/status.d/x",
        outside.to_str().expect("UTF-8").as_bytes(),
        b"",
        0o777,
        LongNames::Pax,
    );
    write(home.path(), "root.tar", tar.finish());
    let report = scan(home.path(), "rootfs:root.tar");
    assert!(
        names(&report).iter().all(|name| *name == "left-pad"),
        "{:?}",
        names(&report)
    );
    let paths = report["packages"].to_string();
    assert!(!paths.contains("..") && !paths.contains("\"/"), "{paths}");
    let left: Vec<_> = fs::read_dir(home.path())
        .expect("readable")
        .map(|entry| entry.expect("entry").file_name())
        .collect();
    assert!(
        !left
            .iter()
            .any(|name| name == "escaped" || name == "absolute" || name == "b"),
        "{left:?}"
    );
}

#[cfg(unix)]
#[test]
fn links_in_circles_and_out_of_a_folder() {
    use std::os::unix::fs::symlink;
    let home = temporary_folder();
    write(home.path(), "outside/status", STATUS);
    write(home.path(), "outside/package-lock.json", LOCK);
    let root = home.path().join("root");
    fs::create_dir_all(root.join("var/lib/dpkg")).expect("folder");
    fs::create_dir_all(root.join("srv")).expect("folder");
    symlink("../../../../outside/status", root.join("var/lib/dpkg/status")).expect("link");
    symlink(home.path().join("outside"), root.join("srv/app")).expect("link");
    symlink("there", root.join("here")).expect("link");
    symlink("here", root.join("there")).expect("link");
    symlink(".", root.join("srv/self")).expect("link");
    symlink("/proc/self/root", root.join("srv/all")).expect("link");
    for target in ["rootfs:root", "dir:root"] {
        let report = scan(home.path(), target);
        assert_eq!(names(&report), Vec::<&str>::new(), "{target}");
    }
    // The same in layers, where each link of a chain is in a layer of its own.
    let layers = vec![
        Layer::new("one")
            .symlink("usr/here", "there")
            .symlink("usr/there", "here")
            .symlink("etc", "/etc"),
        Layer::new("two")
            .symlink("var/lib/dpkg/status", "../../../../../outside/status")
            .symlink("a", "b/c"),
        Layer::new("three")
            .symlink("b", "a")
            .file("usr/here/package-lock.json", LOCK)
            .hardlink("var/lib/dpkg/x", "/../outside/status"),
    ];
    write(home.path(), "image.tar", Image::new(layers).docker_archive());
    let report = scan(home.path(), "archive:image.tar");
    assert!(!names(&report).contains(&"zlib1g"), "{:?}", names(&report));
}

/// What is not what its digest or size says is told, and never gets into the cache.
#[test]
fn layers_that_lie() {
    let home = temporary_folder();
    let image = Image::new(vec![Layer::new("COPY").file("app/package-lock.json", LOCK)]);
    let parts = image.parts();
    let other = Image::new(vec![
        Layer::new("COPY").file("app/package-lock.json", LOCK.replace("left-pad", "right-pad")),
    ]);
    let blob = |layout: &str, digest: &str| {
        home.path()
            .join(layout)
            .join("blobs/sha256")
            .join(digest.trim_start_matches("sha256:"))
    };
    image.write_layout(&home.path().join("content"));
    fs::write(
        blob("content", &parts.layers[0].digest),
        &other.parts().layers[0].bytes,
    )
    .expect("written");
    image.write_layout(&home.path().join("longer"));
    let mut longer = parts.layers[0].bytes.clone();
    longer.extend_from_slice(&[0; 100]);
    fs::write(blob("longer", &parts.layers[0].digest), &longer).expect("written");
    image.write_layout(&home.path().join("shorter"));
    fs::write(
        blob("shorter", &parts.layers[0].digest),
        &parts.layers[0].bytes[..40],
    )
    .expect("written");
    for layout in ["content", "longer", "shorter"] {
        let report = scan(home.path(), &format!("oci:{layout}"));
        assert_problem(&report, "layer");
        let ran = run(home.path(), &["cache", "status"]).expect_code(0);
        assert!(ran.stdout.contains("results  0"), "{layout}: {}", ran.stdout);
    }
    // The honest image is read and kept.
    image.write_layout(&home.path().join("honest"));
    assert_eq!(names(&scan(home.path(), "oci:honest")), ["left-pad"]);
    let ran = run(home.path(), &["cache", "status"]).expect_code(0);
    assert!(!ran.stdout.contains("results  0"), "{}", ran.stdout);
}

/// Every kind of archive cut off at many places: a report with what there was, or an error, but never a failure of our own.
#[test]
fn everything_cut_short() {
    let home = temporary_folder();
    let layer = Layer::new("COPY")
        .file("app/package-lock.json", LOCK)
        .file("var/lib/dpkg/status", STATUS)
        .file(
            "srv/app.jar",
            Zip::new()
                .file(
                    "META-INF/maven/g/a/pom.properties",
                    "groupId=g\nartifactId=a\nversion=1\n",
                )
                .build(),
        );
    let image = Image::new(vec![layer.clone()]).tag("x:1");
    let jar = &layer.entries[2].content;
    let docker = image.docker_archive();
    let whole: [(&str, &str, Vec<u8>); 7] = [
        ("cut.tar", "archive:cut.tar", docker.clone()),
        (
            "cut.tar.gz",
            "archive:cut.tar.gz",
            compress(&docker, Compression::Gzip),
        ),
        (
            "cut.tar.zst",
            "archive:cut.tar.zst",
            compress(&docker, Compression::Zstd),
        ),
        ("cut.oci", "archive:cut.oci", image.oci_archive()),
        ("cut.rootfs", "rootfs:cut.rootfs", layer.tar()),
        ("cut.xz", "rootfs:cut.xz", compress(&layer.tar(), Compression::Xz)),
        ("jars/srv/cut.jar", "dir:jars", jar.clone()),
    ];
    for (file, target, bytes) in whole {
        write(home.path(), file, &bytes);
        run(home.path(), &["scan", "--no-vulnerabilities", target]).expect_code(0);
        for step in 0..16 {
            let keep = bytes.len() * step / 16;
            write(home.path(), file, &bytes[..keep]);
            let ran = run(
                home.path(),
                &["scan", "--no-vulnerabilities", "--no-cache", target],
            );
            assert!(matches!(ran.code, 0 | 3), "{file} at {keep}: {ran:?}");
            assert_eq!(
                ran.code == 3,
                ran.stderr.starts_with("error: "),
                "{file} at {keep}: {ran:?}"
            );
        }
    }
}

#[test]
fn a_package_database_whose_pages_go_in_a_circle() {
    let home = temporary_folder();
    let fixtures = testkit::family::workspace_root().join("crates/inventory/tests/fixtures/rpm-database");
    let mut database = fs::read(fixtures.join("hit-berkeley-little/var/lib/rpm/Packages"))
        .expect("a fixture of rpm-database");
    let mut circles = 0;
    for (number, page) in database.chunks_exact_mut(512).enumerate() {
        // Each overflow page is its own next page.
        if page[25] == 7 {
            page[16..20].copy_from_slice(&u32::try_from(number).expect("small").to_le_bytes());
            circles += 1;
        }
    }
    assert!(circles > 0, "the fixture has overflow pages");
    write(home.path(), "root/var/lib/rpm/Packages", &database);
    assert_problem(&scan(home.path(), "rootfs:root"), "used twice");
}

/// A package list of two gibibytes with an honest head: its size is no reason to hold it.
#[test]
fn a_status_file_of_two_gibibytes() {
    let home = temporary_folder();
    write(home.path(), "root/var/lib/dpkg/status", STATUS);
    File::options()
        .append(true)
        .open(home.path().join("root/var/lib/dpkg/status"))
        .and_then(|file| file.set_len(2 << 30))
        .expect("a sparse file");
    let report = scan(home.path(), "rootfs:root");
    assert_problem(&report, "a line is longer than the limit");
    assert_eq!(names(&report), ["zlib1g"]);
}

#[test]
fn deep_nesting() {
    let home = temporary_folder();
    let deep = |open: &str, close: &str| open.repeat(100_000) + &close.repeat(100_000);
    let list = deep("[", "]");
    let object = format!("{}1{}", r#"{"a":"#.repeat(100_000), "}".repeat(100_000));
    let root = "root";
    for (path, text) in [
        (
            "srv/package-lock.json",
            format!(r#"{{"lockfileVersion":3,"packages":{object}}}"#),
        ),
        (
            "app/vendor/composer/installed.json",
            format!(r#"{{"packages":{list}}}"#),
        ),
        ("srv/Pipfile.lock", object.clone()),
        (
            "srv/deno.lock",
            format!(r#"{{"version":"3","packages":{object}}}"#),
        ),
        (
            "srv/pnpm-lock.yaml",
            format!("lockfileVersion: '9.0'\npackages: {}", deep("{a: ", "}")),
        ),
        ("srv/Cargo.lock", format!("package = {list}")),
        ("srv/pom.xml", format!("<project>{}", deep("<a>", "</a>"))),
        (
            "srv/bom.cdx.json",
            format!(r#"{{"bomFormat":"CycloneDX","specVersion":"1.5","components":{list}}}"#),
        ),
    ] {
        write(home.path(), &format!("{root}/{path}"), text);
        let report = scan(home.path(), "rootfs:root");
        let name = path.rsplit('/').next().expect("a name");
        assert_problem(&report, name);
        fs::remove_file(home.path().join(root).join(path)).expect("removed");
    }
    for (file, text) in [
        (
            "a.json",
            format!(r#"{{"bomFormat":"CycloneDX","specVersion":"1.5","components":{list}}}"#),
        ),
        (
            "b.json",
            format!(r#"{{"spdxVersion":"SPDX-2.3","packages":{list}}}"#),
        ),
        (
            "c.xml",
            format!(
                r#"<bom xmlns="http://cyclonedx.org/schema/bom/1.5">{}"#,
                deep("<a>", "</a>")
            ),
        ),
    ] {
        write(home.path(), file, text);
        let ran = run(
            home.path(),
            &[
                "scan",
                "--no-vulnerabilities",
                "--format",
                "json",
                &format!("sbom:{file}"),
            ],
        );
        match ran.code {
            0 => assert_problem(&serde_json::from_str(&ran.stdout).expect("JSON"), file),
            _ => assert!(
                ran.code == 3 && ran.stderr.starts_with("error: "),
                "{file}: {ran:?}"
            ),
        }
    }
    let mut tar = Tar::default();
    tar.file("manifest.json", list.as_bytes());
    write(home.path(), "image.tar", tar.finish());
    let ran = run(
        home.path(),
        &["scan", "--no-vulnerabilities", "archive:image.tar"],
    )
    .expect_code(3);
    assert!(ran.stderr.starts_with("error: "), "{}", ran.stderr);
    write(
        home.path(),
        "feeds/npm/GHSA-deep.json",
        format!(r#"{{"id":"GHSA-deep","affected":{list}}}"#),
    );
    write(
        home.path(),
        "feeds/npm/GHSA-good.json",
        r#"{"schema_version":"1.6.0","id":"GHSA-good","modified":"2026-01-01T00:00:00Z","affected":[{"package":{"ecosystem":"npm","name":"x"},"versions":["1"]}]}"#,
    );
    let ran = run(home.path(), &["db", "build", "--from", "feeds"]).expect_code(0);
    assert!(ran.stderr.contains("GHSA-deep.json"), "{}", ran.stderr);
}

/// A million packages in one file, in each form of document and in lines: as many as are kept of one file are listed, and the
/// problem names the file, how many there are and how many that is.
#[test]
fn lock_files_with_a_million_packages() {
    const MANY: usize = 1_000_000;
    let home = temporary_folder();
    // Each wants the next, so that graphs are as large as the lists.
    let npm = |number: usize| {
        let next = number + 1;
        format!(
            ",\n\"node_modules/p{number}\":{{\"version\":\"1.0.0\",\"dependencies\":{{\"p{next}\":\"1\"}}}}"
        )
    };
    let cargo = |number: usize| {
        let next = number + 1;
        format!("[[package]]\nname = \"p{number}\"\nversion = \"1.0.0\"\ndependencies = [\"p{next}\"]\n")
    };
    let pnpm = |number: usize| format!("  p{number}@1.0.0: {{}}\n");
    let pip = |number: usize| format!("p{number}==1.0.0\n");
    type Entry<'e> = &'e dyn Fn(usize) -> String;
    let files: [(&str, &str, &str, Entry<'_>); 4] = [
        (
            "package-lock.json",
            "{\"lockfileVersion\":3,\"packages\":{\"\":{\"dependencies\":{\"p0\":\"1\"}}",
            "}}",
            &npm,
        ),
        ("Cargo.lock", "version = 4\n", "", &cargo),
        ("pnpm-lock.yaml", "lockfileVersion: '9.0'\npackages:\n", "", &pnpm),
        ("requirements.txt", "", "", &pip),
    ];
    for (name, head, tail, entry) in files {
        let mut text = head.to_owned();
        for number in 0..MANY {
            text.push_str(&entry(number));
        }
        text.push_str(tail);
        write(home.path(), name, text);
        let ran = Program::new(HULLWARD, home.path())
            .args([
                "scan",
                "--no-vulnerabilities",
                "--format",
                "json",
                &format!("dir:{name}"),
            ])
            .run_within(DEADLINE, 512 * MIB)
            .expect_code(0);
        let report: Value = serde_json::from_str(&ran.stdout).expect("JSON");
        assert_eq!(names(&report).len(), 100_000, "{name}: {}", problems(&report));
        let problems = problems(&report);
        assert!(
            problems.contains(name)
                && problems.contains("the first 100000 are kept, which is the most of one file"),
            "{problems}"
        );
        // All were counted, or reading ended before, which then is said as well.
        assert!(
            problems.contains("it lists 1000000 packages")
                || problems.contains("00000 values, which is the most that is read"),
            "{problems}"
        );
    }
}

/// More packages than a target may have, in files that are none too many by themselves.
#[test]
fn a_target_of_too_many_packages() {
    let home = temporary_folder();
    for file in 0..10 {
        let text: String = (0..100)
            .map(|number| format!("p{file}-{number}==1.0\n"))
            .collect();
        write(home.path(), &format!("app/{file}/requirements.txt"), text);
    }
    let cache = ["--cache-dir", "cache"];
    let ran = Program::new(HULLWARD, home.path())
        .args(cache)
        .args(["scan", "--no-vulnerabilities", "--format", "json", "app"])
        .env("HULLWARD_MAX_PACKAGES", "250")
        .run_within(DEADLINE, MEMORY)
        .expect_code(0);
    let report: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert_eq!(names(&report).len(), 250);
    assert_problem(&report, "50 of its 100 packages were left out");
    assert_problem(
        &report,
        "the target has 1000 packages; 750 of 8 files were left out",
    );
    assert_problem(&report, "raise `max-packages`");
}

/// A page number of which a bit flipped asks for a page of gigabytes. The engine that writes the file would believe it.
#[test]
fn a_database_whose_page_numbers_are_damaged() {
    let home = temporary_folder();
    // Enough that the trees of tables have branches.
    for number in 0..400 {
        let record = format!(
            r#"{{"id":"GHSA-good-{number}","summary":"{}","affected":[{{"package":{{"ecosystem":"npm","name":"left-pad{}"}},"ranges":[{{"type":"SEMVER","events":[{{"introduced":"0"}}]}}]}}]}}"#,
            "s".repeat(200),
            if number == 0 {
                String::new()
            } else {
                number.to_string()
            },
        );
        write(home.path(), &format!("feed/npm/GHSA-good-{number}.json"), record);
    }
    run(
        home.path(),
        &["db", "build", "--from", "feed", "--out", "good.db"],
    )
    .expect_code(0);
    write(home.path(), "app/package-lock.json", LOCK);
    let whole = fs::read(home.path().join("good.db")).expect("the database");
    let damaged = |at: usize| {
        let mut bytes = whole.clone();
        // The size of a page is two to the power of the upper five bits of its eight-byte number.
        bytes[at + 7] = 20 << 3;
        bytes
    };
    // The roots of both commits, and every page number of every page that is a branch.
    let mut cases = vec![damaged(64 + 8), damaged(64 + 128 + 8)];
    for page in (4096..whole.len()).step_by(4096) {
        if whole[page] == 2 {
            let children = usize::from(u16::from_le_bytes([whole[page + 2], whole[page + 3]])) + 1;
            cases.extend((0..children).map(|child| damaged(page + 8 + 16 * children + 8 * child)));
        }
    }
    // The page size, the size of regions, their number.
    for at in [12, 16, 20, 24, 28] {
        let mut bytes = whole.clone();
        bytes[at..at + 4].copy_from_slice(&0x000f_ffff_u32.to_le_bytes());
        cases.push(bytes);
    }
    let mut refused = 0;
    for bytes in cases {
        fs::write(home.path().join("damaged.db"), bytes).expect("written");
        let ran = Program::new(HULLWARD, home.path())
            .args(["--db", "damaged.db", "scan", "--format", "json", "app"])
            .run_within(DEADLINE, 64 * MIB);
        if ran.code == 0 {
            // It was a commit or page that is not in use.
            assert!(ran.stdout.contains("GHSA-good-0"), "{}", ran.stdout);
        } else {
            refused += 1;
            let ran = ran.expect_code(3);
            assert!(ran.stderr.contains("hullward db update"), "{}", ran.stderr);
        }
    }
    assert!(refused > 10, "only {refused}: has the file no branches?");
}

/// Names full of what a terminal would obey: in no format, on no stream, is any of it raw.
#[test]
fn names_that_command_the_terminal() {
    let home = temporary_folder();
    let evil = "ev\u{1b}[31m\u{1b}]0;title\u{7}\u{9b}2J\u{0}\u{202e}il\r";
    let status = STATUS
        .replace("zlib1g", "z\u{1b}[2Jlib\u{9b}1g")
        .replace("1:1.2.13", "1:1\u{0}.2\u{1b}c");
    let lock = serde_json::json!({
        "name": evil, "lockfileVersion": 3,
        "packages": {format!("node_modules/{evil}"): {"version": format!("1.0{evil}"), "license": evil}}
    });
    let layer = Layer::new(&format!("RUN {evil}"))
        .file("var/lib/dpkg/status", status)
        .file(
            "etc/os-release",
            "ID=debian\nVERSION_ID=\"12\x1b[0m\"\nPRETTY_NAME=\"Deb\x1b[5mian\"\n",
        )
        .file("srv/\u{1b}[31mred\u{9b}/package-lock.json", lock.to_string())
        .file("srv/\u{1b}[31mred\u{9b}/yarn.lock", vec![0xff; 100])
        .file("srv/\u{1b}c/package-lock.json", LOCK)
        .file("srv/\u{1b}c/app.jar", b"PK\x03\x04 no jar");
    let mut image = Image::new(vec![layer]);
    image.labels = vec![("title".to_owned(), evil.to_owned())];
    write(home.path(), "image.tar", image.docker_archive());
    let check = |ran: &Ran, what: &str| {
        assert!(matches!(ran.code, 0 | 2 | 3), "{what}: {ran:?}");
        for (stream, text) in [("output", &ran.stdout), ("error", &ran.stderr)] {
            let raw = text
                .char_indices()
                .find(|(_, character)| character.is_control() && !"\n\t".contains(*character));
            if let Some((at, character)) = raw {
                let around: String = text[..at]
                    .chars()
                    .rev()
                    .take(80)
                    .collect::<Vec<_>>()
                    .into_iter()
                    .rev()
                    .collect();
                panic!("{what}: {character:?} in standard {stream} after {around:?}");
            }
        }
    };
    let record = serde_json::json!({
        "schema_version": "1.6.0", "id": "GHSA-evil", "modified": "2026-01-01T00:00:00Z", "summary": evil, "details": evil,
        "references": [{"type": "WEB", "url": format!("https://example.org/{evil}")}],
        "affected": [{"package": {"ecosystem": "npm", "name": "left-pad"}, "versions": ["1.2.0"]}]
    });
    write(home.path(), "feeds/npm/GHSA-evil.json", record.to_string());
    run(home.path(), &["db", "build", "--from", "feeds"]).expect_code(0);
    for arguments in [
        ["explain", "GHSA-evil"].as_slice(),
        &["explain", "--json", "GHSA-evil"],
        &["db", "status"],
    ] {
        check(&run(home.path(), arguments), arguments[0]);
    }
    for format in report::formats::ALL {
        let name = format.meta().name;
        let ran = run(
            home.path(),
            &["scan", "--verbose", "--format", name, "archive:image.tar"],
        );
        check(&ran, name);
        assert!(
            ran.code == 0 && ran.stdout.contains("GHSA-evil"),
            "{name}: {ran:?}"
        );
    }
    check(
        &run(
            home.path(),
            &["scan", "--no-vulnerabilities", "archive:\u{1b}[31mabsent.tar"],
        ),
        "a target",
    );
    check(&run(home.path(), &["explain", "CVE-\u{1b}[31m"]), "explain");
    check(
        &run(home.path(), &["scan", "--format", "\u{1b}[31m", "x"]),
        "an option's value",
    );
    check(&run(home.path(), &["\u{1b}[31m"]), "a command");
}

fn image_in_a_registry() -> (Store, String) {
    let parts = Image::new(vec![Layer::new("COPY").file("app/package-lock.json", LOCK)]).parts();
    let mut store = Store::default();
    for blob in parts.layers.iter().chain([&parts.config]) {
        store.blob(blob.bytes.clone());
    }
    store.manifest(
        "1",
        "application/vnd.oci.image.manifest.v1+json",
        parts.manifest.bytes.clone(),
    );
    (store, parts.layers[0].digest.clone())
}

#[test]
fn a_registry_that_sends_to_a_local_address() {
    let home = temporary_folder();
    for place in [
        "http://169.254.169.254/latest/meta-data/",
        "http://10.0.0.1/",
        "http://[::1]:9/",
        "file:///etc/passwd",
    ] {
        let (store, layer) = image_in_a_registry();
        let server = Server::start(move |request| {
            if request.path().ends_with(&layer) {
                Answer::new(307, "").header("Location", place)
            } else {
                store.answer(request)
            }
        });
        let target = format!("registry:{}/evil/image:1", server.authority());
        let ran = run(
            home.path(),
            &[
                "scan",
                "--no-vulnerabilities",
                "--format",
                "json",
                "--no-cache",
                &target,
            ],
        );
        match ran.code {
            0 => {
                let report: Value = serde_json::from_str(&ran.stdout).expect("JSON");
                assert_eq!(names(&report), Vec::<&str>::new(), "{place}");
                assert_problem(&report, "layer");
            }
            _ => assert!(
                ran.code == 3 && ran.stderr.starts_with("error: "),
                "{place}: {ran:?}"
            ),
        }
    }
}

#[test]
fn a_registry_that_never_ends() {
    let home = temporary_folder();
    for part in ["/manifests/", "/blobs/"] {
        let (store, _) = image_in_a_registry();
        let server = Server::start(move |request| {
            if request.path().contains(part) {
                Answer::new(200, vec![b' '; 1 << 16])
                    .header("Content-Type", "application/vnd.oci.image.manifest.v1+json")
                    .ending(Ending::Endless)
            } else {
                store.answer(request)
            }
        });
        let target = format!("registry:{}/evil/image:1", server.authority());
        let ran = run(home.path(), &["scan", "--no-vulnerabilities", &target]).expect_code(3);
        assert!(ran.stderr.starts_with("error: "), "{part}: {}", ran.stderr);
    }
    // Only the layer does not end: the size that the manifest gives is all that is read of it.
    let (store, layer) = image_in_a_registry();
    let server = Server::start(move |request| {
        if request.path().ends_with(&layer) {
            Answer::new(200, vec![0; 1 << 16]).ending(Ending::Endless)
        } else {
            store.answer(request)
        }
    });
    let report = scan(
        home.path(),
        &format!("registry:{}/evil/image:1", server.authority()),
    );
    assert_problem(&report, "layer");
}

#[cfg(unix)]
#[test]
fn a_daemon_that_stops_answering() {
    let home = temporary_folder();
    let socket = home.path().join("docker.sock");
    let _server = Server::start_unix(&socket, |_| Answer::new(200, "").ending(Ending::Silence));
    let host = format!("unix://{}", socket.display());
    let ran = Program::new(HULLWARD, home.path())
        .args([
            "scan",
            "--no-vulnerabilities",
            "--docker-host",
            &host,
            "docker:alpine",
        ])
        .env("HULLWARD_STALL_SECONDS", "1")
        .run_within(DEADLINE, MEMORY)
        .expect_code(3);
    assert!(
        ran.stderr.starts_with("error: ") && ran.stderr.contains("1 s"),
        "{}",
        ran.stderr
    );
}
