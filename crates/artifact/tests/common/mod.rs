//! A visitor that takes every file, for the tests of this crate.
#![allow(dead_code, reason = "each test binary uses a part of it")]

use artifact::{
    Image, ImageInfo, LayerVisitor, OpenOptions, Opened, TargetSpec, Union, Unread, Walked, open,
};
use model::{Content, Entry, EntryKind, Problem};
use std::path::Path;

/// Takes every regular file.
#[derive(Default)]
pub(crate) struct Everything {
    pub(crate) files: Vec<(String, Box<dyn Content>)>,
}

impl LayerVisitor for Everything {
    fn wants(&mut self, entry: &Entry<'_>) -> bool {
        entry.kind == EntryKind::File
    }

    fn accepts(&mut self, entry: &Entry<'_>, head: &[u8]) -> bool {
        assert_eq!(head.len() as u64, entry.size.min(64));
        true
    }

    fn file(&mut self, entry: &Entry<'_>, content: Box<dyn Content>) {
        assert_eq!(content.size(), entry.size);
        self.files.push((entry.path.to_owned(), content));
    }
}

/// What a walk over an image gave.
pub(crate) struct Taken {
    pub(crate) info: ImageInfo,
    /// Layer, path and content.
    pub(crate) files: Vec<(u32, String, Vec<u8>)>,
    pub(crate) lists: Vec<artifact::EntryList>,
    pub(crate) problems: Vec<Problem>,
    pub(crate) complete: bool,
}

/// Opens a target and reads all its layers.
pub(crate) fn image(target: &str) -> Taken {
    image_with(target, &OpenOptions::default())
}

pub(crate) fn image_with(target: &str, options: &OpenOptions) -> Taken {
    read(target, None, options)
}

/// Reads only some layers.
pub(crate) fn layers(target: &str, wanted: &[u32]) -> Taken {
    read(target, Some(wanted), &OpenOptions::default())
}

fn read(target: &str, wanted: Option<&[u32]>, options: &OpenOptions) -> Taken {
    let spec = TargetSpec::parse(target).unwrap();
    let image = match open(&spec, options) {
        Ok(Opened::Image(image)) => image,
        Ok(Opened::Unread(unread)) => return read_at_once(&unread, wanted),
        Ok(_) => panic!("{target} is no image"),
        Err(error) => panic!("{target}: {}", error.chain()),
    };
    let all: Vec<u32> = (0..image.info.layers.len() as u32).collect();
    let wanted = wanted.unwrap_or(&all);
    let walked = image.walk(wanted, 3, &Everything::default);
    assert_eq!(walked.iter().map(|layer| layer.index).collect::<Vec<_>>(), wanted);
    taken(&image, walked)
}

/// Reads an image that is known only afterwards in one pass, and what that leaves out in another; or only some layers, once
/// it was described.
fn read_at_once(unread: &Unread, wanted: Option<&[u32]>) -> Taken {
    if let Some(wanted) = wanted {
        let image = unread.describe().unwrap();
        return taken(&image, image.walk(wanted, 3, &Everything::default));
    }
    let (image, mut walked) = unread.walk(&Everything::default).unwrap();
    let had: Vec<u32> = walked.iter().map(|layer| layer.index).collect();
    let rest: Vec<u32> = (0..image.info.layers.len() as u32)
        .filter(|index| !had.contains(index))
        .collect();
    walked.extend(image.walk(&rest, 3, &Everything::default));
    walked.sort_by_key(|layer| layer.index);
    taken(&image, walked)
}

fn taken(image: &Image, walked: Vec<Walked<Everything>>) -> Taken {
    let mut taken = Taken {
        info: image.info.clone(),
        files: Vec::new(),
        lists: Vec::new(),
        problems: Vec::new(),
        complete: true,
    };
    for layer in walked {
        for (path, mut content) in layer.visitor.files {
            let bytes = content.bytes(1 << 30).unwrap().into_owned();
            taken.files.push((layer.index, path, bytes));
        }
        taken.lists.push(layer.entries);
        taken.problems.extend(layer.problems);
        taken.complete &= layer.complete;
    }
    taken
}

/// The files of the merged tree: path, layer and content.
pub(crate) fn survivors(taken: &Taken) -> Vec<(String, u32, Vec<u8>)> {
    let lists: Vec<&artifact::EntryList> = taken.lists.iter().collect();
    let of = |layer: usize| taken.files.iter().filter(move |file| file.0 as usize == layer);
    let interesting: Vec<Vec<&str>> = (0..lists.len())
        .map(|layer| of(layer).map(|file| file.1.as_str()).collect())
        .collect();
    let union = Union::merge(&lists, &interesting);
    let mut files: Vec<_> = union
        .survivors()
        .iter()
        .map(|survivor| {
            let bytes = of(survivor.layer as usize).nth(survivor.index).unwrap().2.clone();
            (survivor.path.clone(), survivor.layer, bytes)
        })
        .collect();
    files.sort();
    files
}

pub(crate) fn open_error(target: &str, options: &OpenOptions) -> String {
    let spec = match TargetSpec::parse(target) {
        Ok(spec) => spec,
        Err(error) => return error.chain(),
    };
    match open(&spec, options) {
        Ok(Opened::Unread(unread)) => {
            let described = unread.describe().err().map(|error| error.chain());
            let walked = unread.walk(&Everything::default).err().map(|error| error.chain());
            assert_eq!(described, walked, "{target}");
            described.unwrap_or_else(|| panic!("{target} opens"))
        }
        Ok(_) => panic!("{target} opens"),
        Err(error) => error.chain(),
    }
}

/// Opens an image and learns what it is.
pub(crate) fn open_image(spec: &TargetSpec, options: &OpenOptions) -> Image {
    match open(spec, options).unwrap() {
        Opened::Image(image) => image,
        Opened::Unread(unread) => unread.describe().unwrap(),
        _ => panic!("{spec:?} is no image"),
    }
}

/// Writes a file; its path.
pub(crate) fn write(folder: &Path, name: &str, bytes: &[u8]) -> String {
    let path = folder.join(name);
    std::fs::write(&path, bytes).unwrap();
    path.display().to_string()
}
