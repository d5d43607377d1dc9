//! Images through the binary: layers merged exactly, attributed, cached, and shared by processes at the same time.
#![allow(clippy::disallowed_methods, reason = "tests make and read their own files")]

use serde_json::Value;
use std::path::Path;
use testkit::image::{Compression, Image, Layer};
use testkit::{Program, temporary_folder};

const HULLWARD: &str = env!("CARGO_BIN_EXE_hullward");

fn metadata(name: &str, version: &str) -> String {
    format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
}

fn status(package: &str) -> String {
    format!("Package: {package}\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.0-1\n\n")
}

/// A base with an OS and a Python package that the OS owns, and an application that adds, replaces and removes.
fn layers() -> Vec<Layer> {
    vec![
        Layer::new("ADD rootfs /")
            .symlink("lib", "usr/lib")
            .file(
                "etc/os-release",
                "ID=debian\nVERSION_ID=\"12\"\nPRETTY_NAME=\"Debian 12\"\n",
            )
            .file("var/lib/dpkg/status", status("python3-six"))
            .file(
                "var/lib/dpkg/info/python3-six.list",
                "/lib/python3/dist-packages/six-1.16.0.egg-info\n",
            )
            .file(
                "usr/lib/python3/dist-packages/six-1.16.0.egg-info",
                metadata("six", "1.16.0"),
            )
            .file("opt/a.dist-info/METADATA", metadata("kept", "1.0"))
            .file("opt/b.dist-info/METADATA", metadata("replaced", "1.0"))
            .file("opt/c.dist-info/METADATA", metadata("removed", "1.0"))
            .file("opt/d/e.dist-info/METADATA", metadata("hidden", "1.0")),
        Layer::new("RUN pip install")
            .file("opt/b.dist-info/METADATA", metadata("replaced", "2.0"))
            .whiteout("opt/c.dist-info/METADATA")
            .opaque("opt/d")
            .file(
                "lib/python3/f.dist-info/METADATA",
                metadata("through-a-link", "1.0"),
            ),
    ]
}

fn scan(home: &Path, arguments: &[&str]) -> Value {
    let ran = Program::new(HULLWARD, home)
        .args(arguments)
        .args(["--format", "json"])
        .run()
        .expect_code(0);
    serde_json::from_str(&ran.stdout).expect("JSON")
}

fn packages(report: &Value) -> Vec<String> {
    let list = report["packages"].as_array().expect("packages");
    let mut lines: Vec<String> = list
        .iter()
        .map(|package| {
            let location = &package["locations"][0];
            let owner = package["owned_by"]
                .as_str()
                .map(|owner| format!(" of {owner}"))
                .unwrap_or_default();
            let base = if package["from_base"] == true { " base" } else { "" };
            format!(
                "{} {} {}{owner}{base}",
                package["name"], package["version"], location["path"]
            )
            .replace('"', "")
        })
        .collect();
    lines.sort();
    lines
}

const EXPECTED: [&str; 5] = [
    "kept 1.0 opt/a.dist-info/METADATA",
    "python3-six 1.0-1 var/lib/dpkg/status",
    "replaced 2.0 opt/b.dist-info/METADATA",
    "six 1.16.0 usr/lib/python3/dist-packages/six-1.16.0.egg-info of python3-six",
    "through-a-link 1.0 usr/lib/python3/f.dist-info/METADATA",
];

#[test]
fn every_form_of_an_image_holds_the_same() {
    let home = temporary_folder();
    for compression in [
        Compression::None,
        Compression::Gzip,
        Compression::Zstd,
        Compression::Xz,
        Compression::Bzip2,
    ] {
        let image = Image::new(layers()).tag("app:1").compression(compression);
        std::fs::write(home.path().join("docker.tar"), image.docker_archive()).expect("written");
        std::fs::write(home.path().join("oci.tar"), image.oci_archive()).expect("written");
        std::fs::write(home.path().join("both.tar"), image.docker_oci_archive()).expect("written");
        let whole = testkit::image::compress(&image.oci_archive(), compression);
        std::fs::write(home.path().join("whole.tar"), whole).expect("written");
        let layout = home.path().join("layout");
        let _ = std::fs::remove_dir_all(&layout);
        image.write_layout(&layout);
        for target in [
            "archive:docker.tar",
            "archive:oci.tar",
            "archive:both.tar",
            "archive:whole.tar",
            "oci:layout",
            "docker.tar",
            "layout",
        ] {
            let report = scan(home.path(), &["sbom", target, "--no-cache"]);
            assert_eq!(packages(&report), EXPECTED, "{target} with {compression:?}");
            assert_eq!(report["target"]["os"]["id"], "debian", "{target}");
            assert_eq!(
                report["target"]["layers"][1]["instruction"], "RUN pip install",
                "{target}"
            );
            assert_eq!(report["problems"], Value::Array(Vec::new()), "{target}");
        }
    }
}

#[test]
fn findings_know_their_layer() {
    let home = temporary_folder();
    Image::new(layers()).write_layout(&home.path().join("layout"));
    let report = scan(home.path(), &["sbom", "oci:layout"]);
    let layers: Vec<&Value> = report["target"]["layers"]
        .as_array()
        .expect("layers")
        .iter()
        .map(|layer| &layer["diff_id"])
        .collect();
    for package in report["packages"].as_array().expect("packages") {
        let upper = matches!(package["name"].as_str(), Some("replaced" | "through-a-link"));
        assert_eq!(
            &package["locations"][0]["layer"],
            layers[usize::from(upper)],
            "{}",
            package["name"]
        );
    }
}

#[test]
fn an_unchanged_image_is_not_read_again() {
    let home = temporary_folder();
    let layout = home.path().join("layout");
    let image = Image::new(layers()).compression(Compression::Gzip);
    image.write_layout(&layout);
    let first = scan(home.path(), &["sbom", "oci:layout"]);
    // Layers that are gone can only be known from the cache.
    for layer in &image.parts().layers {
        let digest = layer.digest.trim_start_matches("sha256:");
        std::fs::remove_file(layout.join("blobs/sha256").join(digest)).expect("a layer's blob");
    }
    let second = scan(home.path(), &["sbom", "oci:layout"]);
    assert_eq!(packages(&first), packages(&second));
    assert_eq!(second["problems"], Value::Array(Vec::new()));
    let without = scan(home.path(), &["sbom", "oci:layout", "--no-cache"]);
    assert_eq!(packages(&without), Vec::<String>::new());
    assert!(
        !without["problems"].as_array().expect("problems").is_empty(),
        "layers that cannot be read are told"
    );
}

#[test]
fn base_images_are_recognised() {
    let home = temporary_folder();
    let base = Image::new(layers()[..1].to_vec());
    base.write_layout(&home.path().join("base"));
    Image::new(layers()).write_layout(&home.path().join("app"));
    let from_base = |report: &Value| {
        packages(report)
            .iter()
            .filter(|line| line.ends_with(" base"))
            .count()
    };
    assert_eq!(
        from_base(&scan(home.path(), &["sbom", "oci:app"])),
        0,
        "nothing is known of the base yet"
    );
    assert_eq!(
        from_base(&scan(
            home.path(),
            &["sbom", "oci:app", "--base-image", "oci:base"]
        )),
        3
    );
    let _ = scan(home.path(), &["sbom", "oci:base"]);
    assert_eq!(
        from_base(&scan(home.path(), &["sbom", "oci:app"])),
        3,
        "the base was scanned before"
    );
}

#[test]
fn many_processes_share_the_cache() {
    let home = temporary_folder();
    Image::new(layers())
        .compression(Compression::Gzip)
        .write_layout(&home.path().join("layout"));
    let reports: Vec<Value> = std::thread::scope(|scope| {
        let runs: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| scan(home.path(), &["sbom", "oci:layout"])))
            .collect();
        runs.into_iter().map(|run| run.join().expect("a run")).collect()
    });
    for report in reports {
        assert_eq!(packages(&report), EXPECTED);
        assert_eq!(report["problems"], Value::Array(Vec::new()));
    }
}

#[test]
fn a_program_with_many_names_is_found_by_the_one_that_matters() {
    let home = temporary_folder();
    let program = testkit::object::Builder::new(testkit::object::Layout::ALL[0])
        .section(".text", 0x1000, &[0x90; 64], true)
        .section(".rodata", 0x2000, b"\0BusyBox v1.36.1 (2023-11-07)\0", false)
        .build();
    let layer = Layer::new("ADD busybox")
        .program("bin/[", program)
        .hardlink("bin/ash", "bin/[")
        .hardlink("bin/busybox", "bin/[");
    Image::new(vec![layer]).write_layout(&home.path().join("layout"));
    for _ in ["cold", "warm"] {
        assert_eq!(
            packages(&scan(home.path(), &["sbom", "oci:layout"])),
            ["busybox 1.36.1 bin/busybox"]
        );
    }
}
