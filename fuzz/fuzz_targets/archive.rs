//! Any bytes as a target: an archive of an image, a tarball of a root file system, recognised by what is in it.
#![no_main]

use artifact::{LayerVisitor, OpenOptions, Opened, TargetSpec};
use libfuzzer_sys::fuzz_target;
use model::{Content, Entry};
use std::path::PathBuf;
use std::sync::LazyLock;

static FILE: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = PathBuf::from("/dev/shm");
    let folder = if folder.is_dir() { folder } else { std::env::temp_dir() };
    folder.join(format!("hullward-fuzz-{}", std::process::id()))
});

struct All;

impl LayerVisitor for All {
    fn wants(&mut self, _entry: &Entry<'_>) -> bool {
        true
    }

    fn file(&mut self, _entry: &Entry<'_>, _content: Box<dyn Content>) {}
}

fuzz_target!(|data: &[u8]| {
    std::fs::write(&*FILE, data).expect("written");
    let mut options = OpenOptions::default();
    options.limits.max_layer_bytes = 8 << 20;
    options.limits.ratio_free_bytes = 1 << 20;
    for prefix in ["archive:", "rootfs:", ""] {
        let Ok(spec) = TargetSpec::parse(&format!("{prefix}{}", FILE.display())) else { continue };
        if let Ok(Opened::Image(image)) = artifact::open(&spec, &options) {
            let all: Vec<_> = image.info.layers.iter().enumerate().map(|(index, _)| index as model::LayerIndex).collect();
            let _ = image.walk(&all, 1, &|| All);
        }
    }
});
