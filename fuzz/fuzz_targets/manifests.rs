//! Any documents as index, manifest and configuration of an image, in an archive of OCI's and of Docker's form. Lines of
//! `---` separate the documents, the first being `index.json` or `manifest.json`; `@3` in a document stands for the digest
//! of the third after the first, so that changed documents still have the digests by which they are named.
#![no_main]

use artifact::{OpenOptions, TargetSpec};
use libfuzzer_sys::fuzz_target;
use sha2::{Digest, Sha256};
use std::path::PathBuf;
use std::sync::LazyLock;
use testkit::tar::Tar;

static FILE: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = PathBuf::from("/dev/shm");
    let folder = if folder.is_dir() { folder } else { std::env::temp_dir() };
    folder.join(format!("hullward-fuzz-{}.tar", std::process::id()))
});

fuzz_target!(|data: &str| {
    let mut documents: Vec<String> = data.split("\n---\n").take(9).map(str::to_owned).collect();
    let mut digests = vec![String::new(); documents.len()];
    for at in (0..documents.len()).rev() {
        for later in at + 1..documents.len() {
            documents[at] = documents[at].replace(&format!("@{later}"), &digests[later]);
        }
        digests[at] = Sha256::digest(documents[at].as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    }
    for oci in [true, false] {
        let mut tar = Tar::default();
        for (document, digest) in documents.iter().zip(&digests).skip(1) {
            tar.file(&format!("blobs/sha256/{digest}"), document.as_bytes());
        }
        if oci {
            tar.file("oci-layout", b"{\"imageLayoutVersion\":\"1.0.0\"}");
        }
        tar.file(if oci { "index.json" } else { "manifest.json" }, documents[0].as_bytes());
        std::fs::write(&*FILE, tar.finish()).expect("written");
        let Ok(spec) = TargetSpec::parse(&format!("archive:{}", FILE.display())) else { return };
        let _ = artifact::open(&spec, &OpenOptions::default());
    }
});
