//! Opens and walks real images: root file system tarballs, OCI layouts (good and broken) and `docker save` archives.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "tests make and read their own files"
)]

mod common;

use artifact::{LayerVisitor, OpenOptions, TargetSpec, Union, Walked, open};
use model::{Content, Entry, EntryKind};
use std::path::Path;

/// Takes every file under a name of interest.
#[derive(Default)]
struct Take {
    names: Vec<&'static str>,
    files: Vec<(String, Vec<u8>)>,
}

impl LayerVisitor for Take {
    fn wants(&mut self, entry: &Entry<'_>) -> bool {
        entry.kind == EntryKind::File && self.names.iter().any(|name| entry.path.ends_with(name))
    }

    fn file(&mut self, entry: &Entry<'_>, mut content: Box<dyn Content>) {
        let bytes = content.bytes(64 << 20).unwrap().into_owned();
        assert_eq!(bytes.len() as u64, entry.size);
        self.files.push((entry.path.to_owned(), bytes));
    }
}

fn walk(target: &str) -> (artifact::ImageInfo, Vec<Walked<Take>>) {
    let spec = TargetSpec::parse(target).unwrap();
    let image = common::open_image(&spec, &OpenOptions::default());
    let wanted: Vec<u32> = (0..image.info.layers.len() as u32).collect();
    let make = || Take {
        names: vec!["lib/apk/db/installed", "etc/os-release", "bin/busybox"],
        files: Vec::new(),
    };
    let walked = image.walk(&wanted, 2, &make);
    (image.info, walked)
}

fn assert_whole(target: &str, walked: &[Walked<Take>]) {
    assert!(!walked.is_empty(), "{target}");
    for layer in walked {
        assert_eq!(layer.problems, [], "{target}");
        assert!(layer.complete, "{target}");
    }
}

#[test]
fn root_file_systems_are_read_whole() {
    let Some(data) = testkit::family::test_data() else {
        return;
    };
    for version in ["3.10.9", "3.14.10", "3.17.10", "3.18.9", "3.20.3"] {
        let path = data.join(format!("images/alpine-minirootfs-{version}-x86_64.tar.gz"));
        for target in [path.display().to_string(), format!("rootfs:{}", path.display())] {
            let (info, walked) = walk(&target);
            assert_whole(&target, &walked);
            assert_eq!(info.layers.len(), 1);
            let files = &walked[0].visitor.files;
            let installed = files
                .iter()
                .find(|(path, _)| path == "lib/apk/db/installed")
                .unwrap();
            assert!(installed.1.starts_with(b"C:Q1"), "{target}");
            assert!(
                walked[0].entries.len() > 400,
                "{target}: {}",
                walked[0].entries.len()
            );
            let lists = [&walked[0].entries];
            let union = Union::merge(&lists, &[vec!["lib/apk/db/installed"]]);
            assert_eq!(union.survivors()[0].path, "lib/apk/db/installed");
            let links = union.unread_link_targets(&|entry| entry.path == "bin/sh" && entry.mode & 0o111 != 0);
            assert_eq!(links.len(), 1, "{target}");
            assert_eq!(links[0].target, "bin/busybox");
            let image = common::open_image(&TargetSpec::parse(&target).unwrap(), &OpenOptions::default());
            for link in &links {
                let mut take = Take::default();
                let problems = image.reread(link.layer, &[&link.target], &mut take);
                assert_eq!(problems, []);
                assert_eq!(take.files.len(), 1);
                assert!(take.files[0].1.starts_with(b"\x7fELF"));
            }
        }
    }
}

#[test]
fn layouts_and_archives_are_read_whole() {
    let Some(data) = testkit::family::test_data() else {
        return;
    };
    let images = data.join("images");
    for (path, expected) in [
        ("oci/test.oci", None),
        ("oci/test_image_tag.oci", None),
        ("busybox/latest/musl/amd64", Some("bin/busybox")),
        ("busybox/latest/glibc/amd64", Some("bin/busybox")),
        ("docker-archive/alpine-310.tar.gz", Some("lib/apk/db/installed")),
        ("docker-archive/alpine-311.tar.gz", Some("lib/apk/db/installed")),
    ] {
        let path = images.join(path);
        let target = path.display().to_string();
        let (info, walked) = walk(&target);
        assert_whole(&target, &walked);
        assert!(
            info.image_id.is_some() && info.platform.is_some(),
            "{target}: {info:?}"
        );
        if let Some(expected) = expected {
            assert!(
                walked.iter().any(|layer| layer
                    .visitor
                    .files
                    .iter()
                    .any(|(path, _)| path.ends_with(expected))
                    || layer.entries.iter().any(|entry| entry.path.ends_with(expected))),
                "{target}"
            );
        }
    }
}

#[test]
fn broken_layouts_are_clear_errors() {
    let Some(data) = testkit::family::test_data() else {
        return;
    };
    for (name, said) in [
        ("test_bad_index_json.oci", "not valid"),
        ("test_index_json_dir.oci", "index.json"),
        ("test_invalid_oci_image.oci", "bad744871f99"),
        (
            "test_no_valid_manifests.oci",
            "neither an index nor an image manifest",
        ),
    ] {
        let path = data.join("images/oci").join(name);
        let error = open_error(&path);
        assert!(error.contains(said) && error.contains(name), "{name}: {error}");
    }
}

fn open_error(path: &Path) -> String {
    match open(&TargetSpec::OciLayout(path.to_owned()), &OpenOptions::default()) {
        Ok(_) => panic!("{} opens", path.display()),
        Err(error) => error.chain(),
    }
}
