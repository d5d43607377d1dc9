//! The same image in every form and compression gives the same result.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "tests make and read their own files"
)]

mod common;

use artifact::{OpenOptions, TargetSpec};
use common::{Taken, image, open_error, survivors, write};
use std::fs;
use testkit::image::{Compression, Image, Layer, compress, docker_archive, oci_archive, write_layout};

fn sample() -> Image {
    let base = Layer::new("ADD rootfs.tar /")
        .folder("etc")
        .file("etc/os-release", "ID=sample")
        .folder("usr/lib")
        .symlink("lib", "usr/lib")
        .program("usr/bin/tool", vec![1; 3 << 20])
        .file("opt/old", "old");
    let update = Layer::new("RUN update")
        .file("lib/new.so", "new")
        .file("etc/os-release", "ID=sample VERSION=2")
        .whiteout("opt/old");
    Image::new(vec![base.clone(), update, base_again(base)]).tag("example.org/sample:1.0")
}

/// Docker writes equal layers once, and links to them.
fn base_again(base: Layer) -> Layer {
    Layer {
        instruction: "RUN undo".to_owned(),
        ..base
    }
}

fn check(taken: &Taken, what: &str) {
    assert_eq!(taken.problems, [], "{what}");
    assert!(taken.complete, "{what}");
    assert_eq!(taken.info.layers.len(), 3, "{what}");
    assert_eq!(
        taken
            .info
            .layers
            .iter()
            .map(|layer| layer.instruction.as_deref().unwrap())
            .collect::<Vec<_>>(),
        ["ADD rootfs.tar /", "RUN update", "RUN undo"],
        "{what}"
    );
    assert_eq!(taken.info.platform.as_deref(), Some("linux/amd64"), "{what}");
    let survivors = survivors(taken);
    let paths: Vec<(&str, u32, usize)> = survivors
        .iter()
        .map(|(path, layer, bytes)| (path.as_str(), *layer, bytes.len()))
        .collect();
    assert_eq!(
        paths,
        [
            ("etc/os-release", 2, 9),
            ("opt/old", 2, 3),
            ("usr/bin/tool", 2, 3 << 20),
            ("usr/lib/new.so", 1, 3)
        ],
        "{what}"
    );
}

#[test]
fn every_form_and_compression_gives_the_same() {
    let folder = tempfile::tempdir().unwrap();
    for inner in Compression::ALL {
        let image_of = sample().compression(inner);
        let layout = folder.path().join(format!("layout-{inner:?}"));
        image_of.write_layout(&layout);
        check(
            &image(&layout.display().to_string()),
            &format!("layout, {inner:?} layers"),
        );
        let path = write(folder.path(), "oci.tar", &image_of.oci_archive());
        check(&image(&path), &format!("OCI archive, {inner:?} layers"));
    }
    let image_of = sample();
    for outer in Compression::ALL {
        for (form, bytes) in [
            ("legacy", image_of.docker_archive()),
            ("docker", image_of.docker_oci_archive()),
            ("oci", image_of.oci_archive()),
        ] {
            let path = write(folder.path(), "image.tar", &compress(&bytes, outer));
            let what = format!("{form} archive, {outer:?}");
            check(&image(&path), &what);
            let taken = image(&format!("archive:{path}"));
            check(&taken, &what);
            let only = common::layers(&format!("archive:{path}"), &[1]);
            assert_eq!(only.files.len(), 2, "{what}: only what was asked for is read");
        }
    }
}

#[test]
fn tarballs_of_root_file_systems() {
    let folder = tempfile::tempdir().unwrap();
    let tar = sample().layers[0].tar();
    for how in Compression::ALL {
        let path = write(folder.path(), "rootfs.tar", &compress(&tar, how));
        assert_eq!(
            TargetSpec::parse(&path).unwrap(),
            TargetSpec::Rootfs(path.clone().into())
        );
        let taken = image(&path);
        assert_eq!(taken.problems, [], "{how:?}");
        assert_eq!(
            taken.info.layers[0].diff_id.to_string(),
            testkit::image::sha256(&tar)
        );
        assert_eq!(survivors(&taken).len(), 3);
    }
    // Several gzip members and several zstd frames, with a skippable one between, are one stream.
    let (first, second) = tar.split_at(700);
    for how in [
        Compression::Gzip,
        Compression::Zstd,
        Compression::Xz,
        Compression::Bzip2,
    ] {
        let mut bytes = compress(first, how);
        if how == Compression::Zstd {
            bytes.extend([0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);
        }
        bytes.extend(compress(second, how));
        let path = write(folder.path(), "parts.tar", &bytes);
        let taken = image(&path);
        assert_eq!(taken.problems, [], "{how:?}");
        assert_eq!(survivors(&taken).len(), 3, "{how:?}");
    }
}

#[test]
fn one_of_several_images_by_tag() {
    let folder = tempfile::tempdir().unwrap();
    let one = Image::new(vec![Layer::new("one").file("one", "1")]).tag("example:1");
    let two = Image::new(vec![
        Layer::new("one").file("one", "1"),
        Layer::new("two").file("two", "2"),
    ])
    .tag("example:2");
    let images = [one, two];
    let legacy = write(folder.path(), "legacy.tar", &docker_archive(&images));
    let oci = write(folder.path(), "oci.tar", &oci_archive(&images));
    let layout = folder.path().join("layout");
    write_layout(&layout, &images);
    let layout = layout.display().to_string();
    for (prefix, path) in [("archive", &legacy), ("archive", &oci), ("oci", &layout)] {
        let first = image(&format!("{prefix}:{path}"));
        assert_eq!(first.info.layers.len(), 1, "{path}");
        assert!(
            first.info.problems[0]
                .message
                .contains("2 images are in it (example:1, example:2)"),
            "{path}"
        );
        for tag in ["example:2", "2"] {
            let second = image(&format!("{prefix}:{path}:{tag}"));
            assert_eq!(second.info.layers.len(), 2, "{path}");
            assert_eq!(second.problems, [], "{path}");
            assert_eq!(second.info.problems, [], "{path}");
        }
        let error = open_error(&format!("{prefix}:{path}:example:3"), &OpenOptions::default());
        assert!(
            error.contains("`example:3` not found") && error.contains("example:1, example:2"),
            "{error}"
        );
    }
}

#[test]
fn platforms_and_nested_indexes() {
    let folder = tempfile::tempdir().unwrap();
    let of = |architecture: &str| {
        Image::new(vec![Layer::new("x").file(architecture, "x")]).architecture(architecture)
    };
    let images = [of("s390x"), of("amd64"), of("arm64")];
    let layout = folder.path().join("layout");
    write_layout(&layout, &images);
    let attestation = serde_json::json!({
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "digest": format!("sha256:{}", "0".repeat(64)), "size": 5,
        "platform": {"os": "unknown", "architecture": "unknown"},
        "annotations": {"vnd.docker.reference.type": "attestation-manifest"},
    });
    let mut inner: serde_json::Value =
        serde_json::from_slice(&fs::read(layout.join("index.json")).unwrap()).unwrap();
    inner["manifests"].as_array_mut().unwrap().insert(0, attestation);
    let nest = |inner: &[u8]| {
        let digest = testkit::image::write_blob(&layout, inner);
        serde_json::json!({"schemaVersion": 2, "manifests": [{
            "mediaType": "application/vnd.oci.image.index.v1+json", "digest": digest, "size": inner.len(),
        }]})
        .to_string()
        .into_bytes()
    };
    let nested = nest(&nest(inner.to_string().as_bytes()));
    fs::write(layout.join("index.json"), &nested).unwrap();
    let target = layout.display().to_string();
    for (platform, file) in [
        (None, host()),
        (Some("linux/arm64/v8"), "arm64"),
        (Some("linux/s390x"), "s390x"),
    ] {
        let options = OpenOptions {
            platform: platform.map(str::to_owned),
            ..OpenOptions::default()
        };
        let taken = common::image_with(&target, &options);
        assert_eq!(taken.files[0].1, file);
    }
    let options = OpenOptions {
        platform: Some("linux/riscv64".to_owned()),
        ..OpenOptions::default()
    };
    let error = open_error(&target, &options);
    assert!(error.contains("linux/amd64, linux/arm64, linux/s390x"), "{error}");

    let mut deep = nested;
    for _ in 0..10 {
        deep = nest(&deep);
    }
    fs::write(layout.join("index.json"), &deep).unwrap();
    let error = open_error(&target, &OpenOptions::default());
    assert!(error.contains("nesting of indexes"), "{error}");
}

fn host() -> &'static str {
    if cfg!(target_arch = "aarch64") {
        "arm64"
    } else {
        "amd64"
    }
}

#[test]
fn names_tell_what_a_target_is() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    fs::create_dir_all(folder.path().join("root/etc")).unwrap();
    fs::write(folder.path().join("root/etc/os-release"), "ID=x").unwrap();
    fs::create_dir_all(folder.path().join("source/src")).unwrap();
    let json = write(
        folder.path(),
        "bom",
        br#"{"bomFormat": "CycloneDX", "specVersion": "1.6"}"#,
    );
    let spdx = write(
        folder.path(),
        "bom.gz",
        &compress(b"SPDXVersion: SPDX-2.3\n", Compression::Gzip),
    );
    let xml = write(
        folder.path(),
        "bom2",
        br#"<?xml version="1.0"?><bom xmlns="http://cyclonedx.org/schema/bom/1.5"/>"#,
    );
    for (text, expected) in [
        (at("root"), TargetSpec::Rootfs(at("root").into())),
        (at("source"), TargetSpec::Directory(at("source").into())),
        (json.clone(), TargetSpec::Sbom(json.clone().into())),
        (spdx.clone(), TargetSpec::Sbom(spdx.clone().into())),
        (xml.clone(), TargetSpec::Sbom(xml.clone().into())),
        (
            "alpine:3.20".to_owned(),
            TargetSpec::Image("alpine:3.20".to_owned()),
        ),
        (
            "registry:alpine".to_owned(),
            TargetSpec::Registry("alpine".to_owned()),
        ),
        (
            "localhost:5000/x:y".to_owned(),
            TargetSpec::Image("localhost:5000/x:y".to_owned()),
        ),
    ] {
        assert_eq!(TargetSpec::parse(&text).unwrap(), expected, "{text}");
    }
    let Ok(artifact::Opened::Document(mut document)) =
        artifact::open(&TargetSpec::parse(&spdx).unwrap(), &OpenOptions::default())
    else {
        panic!("no document")
    };
    assert_eq!(document.bytes(100).unwrap(), &b"SPDXVersion: SPDX-2.3\n"[..]);
    let text = write(folder.path(), "notes.txt", b"nothing to see");
    for (bad, said) in [
        ("", "empty"),
        ("dir:", "nothing follows the prefix"),
        ("./absent.tar", "not found"),
        (text.as_str(), "neither an image archive"),
    ] {
        let error = TargetSpec::parse(bad).unwrap_err();
        assert!(error.to_string().contains(said), "{error}");
    }
}
