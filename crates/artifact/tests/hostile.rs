//! Images made to do harm: each ends in a problem or an error, quickly and in bounded memory.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "tests make and read their own files"
)]

mod common;

use artifact::{LayerVisitor, Limits, OpenOptions, Opened, TargetSpec, Union, open};
use common::{image, image_with, open_error, survivors, write};
use model::{Content, Entry};
use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use testkit::image::{Compression, Image, Layer, compress, sha256};
use testkit::tar::{Header, LongNames, Tar, pax_record};

/// Writes a layout whose only layer is stored as these bytes and claimed to have this diff id.
fn layout_of(folder: &Path, stored: &[u8], diff_id: &str) -> String {
    fs::create_dir_all(folder.join("blobs/sha256")).unwrap();
    fs::write(folder.join("oci-layout"), "{}").unwrap();
    let config = serde_json::json!({
        "architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": [diff_id]},
    });
    let config = config.to_string().into_bytes();
    let config_digest = testkit::image::write_blob(folder, &config);
    let layer = testkit::image::write_blob(folder, stored);
    let manifest = serde_json::json!({
        "schemaVersion": 2,
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": config_digest, "size": config.len()},
        "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": layer, "size": stored.len()}],
    });
    let manifest = manifest.to_string().into_bytes();
    let digest = testkit::image::write_blob(folder, &manifest);
    let index = serde_json::json!({"schemaVersion": 2, "manifests": [{
        "mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": digest, "size": manifest.len(),
    }]});
    fs::write(folder.join("index.json"), index.to_string()).unwrap();
    folder.display().to_string()
}

fn messages(taken: &common::Taken) -> String {
    taken
        .problems
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn bombs_of_every_format_stop_at_the_ratio() {
    let folder = tempfile::tempdir().unwrap();
    let zeros = vec![0; 64 << 20];
    let mut tar = Tar::default();
    tar.file("first", b"seen").file("zeros", &zeros);
    let tar = tar.finish();
    let options = OpenOptions {
        limits: Limits {
            ratio_free_bytes: 4 << 20,
            max_ratio: 200,
            ..Limits::default()
        },
        ..OpenOptions::default()
    };
    for how in [
        Compression::Gzip,
        Compression::Zstd,
        Compression::Xz,
        Compression::Bzip2,
    ] {
        let bomb = compress(&tar, how);
        let target = layout_of(&folder.path().join(format!("{how:?}")), &bomb, &sha256(&tar));
        let taken = image_with(&target, &options);
        assert!(!taken.complete);
        assert!(
            messages(&taken).contains("a decompression bomb"),
            "{how:?}: {}",
            messages(&taken)
        );
        assert_eq!(taken.files.len(), 1, "{how:?}: what came before stays");
        let path = write(folder.path(), "bomb.tar", &bomb);
        let taken = image_with(&format!("rootfs:{path}"), &options);
        assert!(messages(&taken).contains("a decompression bomb"), "{how:?}");
        let error = open_error(&format!("archive:{path}"), &options);
        assert!(error.contains("a decompression bomb"), "{how:?}: {error}");
    }
    let options = OpenOptions {
        limits: Limits {
            max_layer_bytes: 8 << 20,
            ..Limits::default()
        },
        ..OpenOptions::default()
    };
    let target = layout_of(&folder.path().join("cap"), &tar, &sha256(&tar));
    let taken = image_with(&target, &options);
    assert!(
        messages(&taken).contains("more than the limit of 8388608 bytes"),
        "{}",
        messages(&taken)
    );
}

/// Ten million empty entries, made as they are read.
struct Endless {
    block: [u8; 512],
    at: usize,
    left: u64,
}

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.left == 0 {
            return Ok(0);
        }
        let part = &self.block[self.at..];
        let count = part.len().min(buffer.len());
        buffer[..count].copy_from_slice(&part[..count]);
        self.at += count;
        if self.at == 512 {
            self.at = 0;
            self.left -= 1;
        }
        Ok(count)
    }
}

#[test]
fn ten_million_entries_stop_at_the_cap() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("many.tar.zst");
    let mut encoder = zstd_file(&path);
    let header = Header::new(b'0', b"name", b"", 0, 0o644);
    let mut endless = Endless {
        block: header.block(),
        at: 0,
        left: 10_000_000,
    };
    std::io::copy(&mut endless, &mut encoder).unwrap();
    encoder.finish().unwrap();
    let options = OpenOptions {
        limits: Limits {
            max_entries: 20_000,
            max_ratio: u64::MAX,
            max_layer_bytes: 1 << 30,
            ..Limits::default()
        },
        ..OpenOptions::default()
    };
    let Opened::Unread(unread) = open(&TargetSpec::Rootfs(path), &options).unwrap() else {
        panic!("known too early")
    };
    let (image, walked) = unread.walk(&|| Nothing).unwrap();
    assert_eq!(image.info.layers.len(), 1);
    assert_eq!(walked[0].entries.len(), 20_000);
    assert!(
        walked[0].problems[0]
            .message
            .contains("more entries than the limit of 20000")
    );
    assert!(!walked[0].complete);
}

fn zstd_file(path: &Path) -> impl FinishWrite {
    zstd::Encoder::new(fs::File::create(path).unwrap(), 1).unwrap()
}

trait FinishWrite: Write {
    fn finish(self) -> std::io::Result<()>;
}

impl FinishWrite for zstd::Encoder<'_, fs::File> {
    fn finish(self) -> std::io::Result<()> {
        zstd::Encoder::finish(self).map(|_| ())
    }
}

struct Nothing;

impl LayerVisitor for Nothing {
    fn wants(&mut self, _entry: &Entry<'_>) -> bool {
        false
    }

    fn file(&mut self, _entry: &Entry<'_>, _content: Box<dyn Content>) {
        panic!("nothing was wanted");
    }
}

#[test]
fn names_and_links_do_not_escape() {
    let layer = Layer::new("x")
        .file("../../etc/up", "1")
        .file("/etc/absolute", "2")
        .file("a/../../../b", "3")
        .symlink("out", "../../../../etc")
        .file("out/inside", "4")
        .hardlink("shadow", "/../etc/shadow")
        .hardlink("twin", "../etc/up");
    let folder = tempfile::tempdir().unwrap();
    Image::new(vec![layer]).write_layout(folder.path());
    let taken = image(&folder.path().display().to_string());
    assert!(taken.complete);
    assert_eq!(
        messages(&taken),
        "2 names climb out of the root with `..`; they are read as if the root had no parent"
    );
    let paths: Vec<String> = survivors(&taken).into_iter().map(|file| file.0).collect();
    assert_eq!(paths, ["b", "etc/absolute", "etc/inside", "etc/up"]);
    let lists: Vec<_> = taken.lists.iter().collect();
    let links = Union::merge(&lists, &[vec![]]).unread_link_targets(&|_| true);
    assert_eq!(links.len(), 1, "{links:?}");
    assert_eq!((&*links[0].target, &*links[0].link), ("etc/up", "twin"));
}

#[test]
fn lies_about_digests_and_sizes_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let tar = Layer::new("x").file("a", "1").tar();
    let lie = sha256(b"something else");
    for how in Compression::ALL {
        let stored = compress(&tar, how);
        let target = layout_of(&folder.path().join(format!("diff{how:?}")), &stored, &lie);
        let taken = image(&target);
        assert!(!taken.complete);
        let text = messages(&taken);
        assert!(text.contains(&lie) && text.contains(&sha256(&tar)), "{text}");
    }
    let stored = compress(&tar, Compression::Gzip);
    let place = folder.path().join("blob");
    let target = layout_of(&place, &stored, &sha256(&tar));
    // Another blob of the same content under the name of the first.
    let other = compress(&tar, Compression::Zstd);
    let named = sha256(&stored);
    fs::write(
        place
            .join("blobs/sha256")
            .join(named.trim_start_matches("sha256:")),
        &other,
    )
    .unwrap();
    let taken = image(&target);
    let text = messages(&taken);
    assert!(
        !taken.complete && text.contains(&named) && text.contains(&sha256(&other)),
        "{text}"
    );
    assert!(
        text.contains(&format!(
            "has {} bytes where the image says {}",
            other.len(),
            stored.len()
        )),
        "{text}"
    );
}

#[test]
fn what_breaks_off_is_told_and_what_came_before_stays() {
    let folder = tempfile::tempdir().unwrap();
    let mut random = 1_u32;
    let noise: Vec<u8> = (0..200_000)
        .map(|_| {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (random >> 24) as u8
        })
        .collect();
    let tar = Layer::new("x").file("first", "1").file("second", &noise).tar();
    for how in Compression::ALL {
        let stored = compress(&tar, how);
        let cut = &stored[..stored.len() * 3 / 4];
        let target = layout_of(&folder.path().join(format!("{how:?}")), cut, &sha256(&tar));
        let taken = image(&target);
        assert!(!taken.complete, "{how:?}");
        assert!(
            messages(&taken).contains("not read to its end"),
            "{how:?}: {}",
            messages(&taken)
        );
        if how != Compression::Bzip2 {
            assert_eq!(taken.files.len(), 1, "{how:?}");
        }
    }
    for archive in [
        Image::new(vec![Layer::new("x").file("a", &noise)]).docker_archive(),
        Image::new(vec![Layer::new("x").file("a", &noise)]).oci_archive(),
    ] {
        for how in Compression::ALL {
            let whole = compress(&archive, how);
            for part in 1..8 {
                let path = write(folder.path(), "cut.tar", &whole[..whole.len() * part / 8]);
                let error = open_error(&format!("archive:{path}"), &OpenOptions::default());
                assert!(
                    error.contains("not valid") || error.contains("could not"),
                    "{how:?}: {error}"
                );
            }
        }
    }
}

#[test]
fn huge_sizes_and_sparse_files_are_refused_without_being_made() {
    let folder = tempfile::tempdir().unwrap();
    let mut claims = Tar::default();
    claims.entry(&Header::new(b'0', b"huge", b"", 1 << 60, 0o644), b"x");
    let mut sparse = Tar::default();
    let mut records = Vec::new();
    for (key, value) in [
        ("GNU.sparse.major", "1"),
        ("GNU.sparse.minor", "0"),
        ("GNU.sparse.name", "hole"),
        ("GNU.sparse.realsize", "1152921504606846976"),
    ] {
        pax_record(&mut records, key, value.as_bytes());
    }
    sparse.pax(&records).add(
        b'0',
        b"hole",
        b"",
        &[b"0\n".as_slice(), &[0; 510]].concat(),
        0o644,
        LongNames::Pax,
    );
    sparse.file("after", b"seen");
    for (tar, said, files) in [
        (claims.finish(), "breaks off", 0),
        (
            sparse.finish(),
            "1152921504606846976 bytes, more than the limit",
            1,
        ),
    ] {
        let path = write(folder.path(), "huge.tar", &tar);
        let taken = image(&format!("rootfs:{path}"));
        assert!(messages(&taken).contains(said), "{}", messages(&taken));
        assert_eq!(taken.files.len(), files);
    }
}

#[test]
fn documents_made_to_do_harm() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("layout");
    fs::create_dir_all(target.join("blobs/sha256")).unwrap();
    fs::write(target.join("oci-layout"), "{}").unwrap();
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let huge = format!("{{\"manifests\": [], \"x\": \"{}\"}}", "y".repeat(9 << 20));
    for (index, said) in [
        (format!("{{\"manifests\": {deep}}}"), "not valid"),
        (deep, "not valid"),
        (huge, "larger than the limit of 8388608 bytes"),
        (
            r#"{"manifests": [{"digest": "sha256:../../etc/passwd", "size": 1}]}"#.to_owned(),
            "not a digest",
        ),
        (
            r#"{"manifests": [], "layers": [], "config": {"digest": "x"}}"#.to_owned(),
            "an index and a manifest at once",
        ),
        (
            r#"{"schemaVersion": 1, "fsLayers": []}"#.to_owned(),
            "schema version 1",
        ),
        (r#"{"manifests": []}"#.to_owned(), "none at all"),
    ] {
        fs::write(target.join("index.json"), index).unwrap();
        let error = open_error(&target.display().to_string(), &OpenOptions::default());
        assert!(error.contains(said), "{said}: {error}");
    }
    let mut tar = Tar::default();
    tar.file(
        "manifest.json",
        br#"[{"Config": "../../etc/passwd", "Layers": ["../x"]}]"#,
    );
    let path = write(folder.path(), "image.tar", &tar.finish());
    let error = open_error(&path, &OpenOptions::default());
    assert!(
        error.contains("configuration") && error.contains("not found"),
        "{error}"
    );
    let mut tar = Tar::default();
    tar.add(
        b'2',
        b"manifest.json",
        b"manifest.json",
        b"",
        0o777,
        LongNames::Pax,
    );
    let path = write(folder.path(), "image.tar", &tar.finish());
    let error = open_error(&path, &OpenOptions::default());
    assert!(
        error.contains("neither `manifest.json` nor `index.json`"),
        "{error}"
    );
}

#[test]
fn foreign_layers_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("layout");
    let tar = Layer::new("x").file("a", "1").tar();
    layout_of(&place, &tar, &sha256(&tar));
    let index: serde_json::Value =
        serde_json::from_slice(&fs::read(place.join("index.json")).unwrap()).unwrap();
    let digest = index["manifests"][0]["digest"]
        .as_str()
        .unwrap()
        .trim_start_matches("sha256:")
        .to_owned();
    let manifest = fs::read_to_string(place.join("blobs/sha256").join(digest)).unwrap();
    let manifest = manifest.replace(
        "application/vnd.oci.image.layer.v1.tar\"",
        "application/vnd.oci.image.layer.nondistributable.v1.tar\",\"urls\":[\"https://example.org/layer\"]",
    );
    fs::write(place.join("index.json"), manifest).unwrap();
    let taken = image(&place.display().to_string());
    assert!(!taken.complete && taken.files.is_empty());
    assert!(
        messages(&taken).contains("foreign layer") && messages(&taken).contains("https://example.org/layer")
    );
}
