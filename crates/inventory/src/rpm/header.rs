//! The header of one rpm package: an index of tags over a store of values, all big-endian.

use crate::intake::excerpt;
use crate::ownership::{Files, LONGEST_PATH};
use model::{SourcePackage, path};

/// Tags that are read (`rpmtag.h`).
mod tag {
    pub(super) const NAME: u32 = 1000;
    pub(super) const VERSION: u32 = 1001;
    pub(super) const RELEASE: u32 = 1002;
    pub(super) const EPOCH: u32 = 1003;
    pub(super) const VENDOR: u32 = 1011;
    pub(super) const LICENSE: u32 = 1014;
    pub(super) const ARCH: u32 = 1022;
    pub(super) const OLD_FILE_NAMES: u32 = 1027;
    pub(super) const FILE_MODES: u32 = 1030;
    pub(super) const SOURCE_RPM: u32 = 1044;
    pub(super) const DIR_INDEXES: u32 = 1116;
    pub(super) const BASE_NAMES: u32 = 1117;
    pub(super) const DIR_NAMES: u32 = 1118;
    pub(super) const MODULARITY_LABEL: u32 = 5096;
}

/// Types of values.
const INT16: u32 = 3;
const INT32: u32 = 4;
const STRING: u32 = 6;
const STRING_ARRAY: u32 = 8;
const I18N_STRING: u32 = 9;

/// Most files of one package that are looked at.
const MOST_FILES: usize = 1_000_000;

/// What is kept of a package's header.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Header {
    /// `NAME`.
    pub(crate) name: String,
    /// `EPOCH`; 0 when the header has none.
    pub(crate) epoch: u32,
    /// `VERSION`.
    pub(crate) version: String,
    /// `RELEASE`.
    pub(crate) release: String,
    /// `ARCH`.
    pub(crate) architecture: String,
    /// `SOURCERPM`, a file name.
    pub(crate) source: String,
    /// `LICENSE`.
    pub(crate) license: String,
    /// `VENDOR`.
    pub(crate) vendor: String,
    /// `MODULARITYLABEL` (`nodejs:12:8040020210817133458:522a0ee4`).
    pub(crate) module_label: String,
    /// Relevant files (see [`crate::ownership`]), normalised, without folders.
    pub(crate) files: Vec<String>,
}

/// One index entry: type, offset into the store, number of values.
#[derive(Clone, Copy)]
struct IndexEntry {
    tag: u32,
    kind: u32,
    offset: usize,
    count: usize,
}

/// A header's parts.
struct Parts<'a> {
    index: &'a [u8],
    store: &'a [u8],
}

impl Header {
    /// Reads a header as databases hold it: without the magic number that it has in package files.
    ///
    /// # Errors
    /// A message when the index does not fit the blob, or when the package has no name.
    pub(crate) fn parse(blob: &[u8]) -> Result<Self, String> {
        let parts =
            Parts::split(blob).ok_or_else(|| "an rpm package header is damaged or cut short".to_owned())?;
        let header = Self {
            name: parts.text(tag::NAME),
            epoch: parts.numbers(tag::EPOCH).next().unwrap_or_default(),
            version: parts.text(tag::VERSION),
            release: parts.text(tag::RELEASE),
            architecture: parts.text(tag::ARCH),
            source: parts.text(tag::SOURCE_RPM),
            license: parts.text(tag::LICENSE),
            vendor: parts.text(tag::VENDOR),
            module_label: parts.text(tag::MODULARITY_LABEL),
            files: parts.files(),
        };
        if header.name.is_empty() {
            return Err("an rpm package header has no name".to_owned());
        }
        if header.version.is_empty() {
            return Err(format!(
                "the rpm package header of `{}` has no version",
                excerpt(&header.name)
            ));
        }
        Ok(header)
    }

    /// `version-release`, or the version alone when there is no release.
    pub(crate) fn version_release(&self) -> String {
        if self.release.is_empty() {
            self.version.clone()
        } else {
            format!("{}-{}", self.version, self.release)
        }
    }
}

impl<'a> Parts<'a> {
    fn split(blob: &'a [u8]) -> Option<Self> {
        let entries = usize::try_from(u32_at(blob, 0)?).ok()?;
        let size = usize::try_from(u32_at(blob, 4)?).ok()?;
        // rpm's own cap on tags.
        if entries == 0 || entries > 0xffff {
            return None;
        }
        let (index, store) = blob.get(8..)?.split_at_checked(entries * 16)?;
        Some(Self {
            index,
            store: store.get(..size)?,
        })
    }

    fn find(&self, wanted: u32) -> Option<IndexEntry> {
        self.index
            .chunks_exact(16)
            .filter_map(|entry| {
                Some(IndexEntry {
                    tag: u32_at(entry, 0)?,
                    kind: u32_at(entry, 4)?,
                    offset: usize::try_from(u32_at(entry, 8)?).ok()?,
                    count: usize::try_from(u32_at(entry, 12)?).ok()?,
                })
            })
            .find(|entry| entry.tag == wanted)
    }

    /// The strings of a tag; no more than there are, whatever the count says.
    fn strings(&self, wanted: u32) -> impl Iterator<Item = &'a [u8]> {
        let entry = self
            .find(wanted)
            .filter(|entry| matches!(entry.kind, STRING | STRING_ARRAY | I18N_STRING));
        let mut rest = entry
            .and_then(|entry| self.store.get(entry.offset..))
            .unwrap_or_default();
        let mut left = match entry {
            Some(entry) if entry.kind == STRING => 1,
            Some(entry) => entry.count,
            None => 0,
        };
        std::iter::from_fn(move || {
            left = left.checked_sub(1)?;
            let end = memchr::memchr(0, rest)?;
            let text = rest.get(..end)?;
            rest = rest.get(end + 1..)?;
            Some(text)
        })
    }

    /// The first string of a tag, empty if it has none.
    fn text(&self, wanted: u32) -> String {
        let text = self.strings(wanted).next().unwrap_or_default();
        path::from_bytes(text).trim().to_owned()
    }

    /// The 16 or 32-bit numbers of a tag.
    fn numbers(&self, wanted: u32) -> impl Iterator<Item = u32> {
        let entry = self.find(wanted);
        let width = match entry.map(|entry| entry.kind) {
            Some(INT16) => 2,
            Some(INT32) => 4,
            _ => 0,
        };
        let store = self.store;
        let offset = entry.map_or(0, |entry| entry.offset);
        let count = if width == 0 {
            0
        } else {
            entry.map_or(0, |entry| entry.count)
        };
        (0..count).map_while(move |index| {
            let at = offset.checked_add(index.checked_mul(width)?)?;
            let bytes = store.get(at..at.checked_add(width)?)?;
            Some(
                bytes
                    .iter()
                    .fold(0, |value, byte| (value << 8) | u32::from(*byte)),
            )
        })
    }

    /// Relevant files of the package.
    fn files(&self) -> Vec<String> {
        const FOLDER: u32 = 0o040_000;
        const FILE_TYPE: u32 = 0o170_000;
        let folders: Vec<&[u8]> = self.strings(tag::DIR_NAMES).take(MOST_FILES).collect();
        let mut modes = self.numbers(tag::FILE_MODES);
        let mut files = Files::default();
        let mut add = |folder: &[u8], name: &[u8], mode: u32| {
            if mode & FILE_TYPE != FOLDER && folder.len() + name.len() <= LONGEST_PATH {
                files.add(&format!("{}{}", path::from_bytes(folder), path::from_bytes(name)));
            }
        };
        let indexes = self.numbers(tag::DIR_INDEXES);
        for (name, index) in self.strings(tag::BASE_NAMES).zip(indexes).take(MOST_FILES) {
            let mode = modes.next().unwrap_or_default();
            // An index beyond the folders is damage; the name alone would be a wrong path.
            if let Some(folder) = folders.get(index as usize) {
                add(folder, name, mode);
            }
        }
        for name in self.strings(tag::OLD_FILE_NAMES).take(MOST_FILES) {
            add(b"", name, modes.next().unwrap_or_default());
        }
        files.finish()
    }
}

/// Name and `version-release` of the source package, from the file name in `SOURCERPM` (`glibc-2.34-2.cm2.src.rpm`).
pub(crate) fn source_package(file_name: &str) -> Option<SourcePackage> {
    let stem = file_name
        .strip_suffix(".src.rpm")
        .or_else(|| file_name.strip_suffix(".nosrc.rpm"))?;
    let (rest, release) = stem.rsplit_once('-')?;
    let (name, version) = rest.rsplit_once('-')?;
    (!name.is_empty()).then(|| SourcePackage {
        name: name.to_owned(),
        version: format!("{version}-{release}"),
    })
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..)?.first_chunk()?;
    Some(u32::from_be_bytes(*bytes))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A header blob of these tags: number, type, count, value bytes.
    pub(in crate::rpm) fn blob(tags: &[(u32, u32, u32, &[u8])]) -> Vec<u8> {
        let mut index = Vec::new();
        let mut store = Vec::new();
        for (tag, kind, count, value) in tags {
            for number in [*tag, *kind, store.len() as u32, *count] {
                index.extend(number.to_be_bytes());
            }
            store.extend_from_slice(value);
        }
        let mut blob = (tags.len() as u32).to_be_bytes().to_vec();
        blob.extend((store.len() as u32).to_be_bytes());
        blob.extend(index);
        blob.extend(store);
        blob
    }

    /// A small but complete package.
    pub(in crate::rpm) fn bash() -> Vec<u8> {
        blob(&[
            (tag::NAME, STRING, 1, b"bash\0"),
            (tag::VERSION, STRING, 1, b"5.1\0"),
            (tag::RELEASE, STRING, 1, b"2.el9\0"),
            (tag::EPOCH, INT32, 1, &[0, 0, 0, 3]),
            (tag::BASE_NAMES, STRING_ARRAY, 3, b"bash\0bin\0README\0"),
            (tag::DIR_NAMES, STRING_ARRAY, 2, b"/usr/bin/\0/usr/share/doc/\0"),
            (tag::DIR_INDEXES, INT32, 3, &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]),
            (tag::FILE_MODES, INT16, 3, &[0x81, 0xed, 0x41, 0xed, 0x81, 0xa4]),
        ])
    }

    /// Reads a database whose packages all are [`bash`]: how many there were, and how it ended.
    pub(in crate::rpm) fn count(file: Vec<u8>) -> (usize, Result<(), String>) {
        let mut count = 0;
        let result = crate::rpm::headers(&mut model::MemoryContent(file), &mut |blob| {
            assert_eq!(blob, bash());
            count += 1;
            true
        });
        (count, result)
    }

    #[test]
    fn reads_tags_and_files_without_folders() {
        let header = Header::parse(&bash()).expect("valid");
        assert_eq!(header.name, "bash");
        assert_eq!(header.epoch, 3);
        assert_eq!(header.version_release(), "5.1-2.el9");
        assert_eq!(header.files, ["usr/bin/bash"]);
    }

    #[test]
    fn lying_counts_and_offsets_give_what_is_there() {
        let header = Header::parse(&blob(&[
            (tag::NAME, STRING, u32::MAX, b"a\0"),
            (tag::VERSION, STRING, 1, b"1\0"),
            (
                tag::OLD_FILE_NAMES,
                STRING_ARRAY,
                u32::MAX,
                b"/usr/bin/a\0/usr/bin/b\0",
            ),
        ]))
        .expect("valid");
        assert_eq!(header.files, ["usr/bin/a", "usr/bin/b"]);
        assert!(Header::parse(&blob(&[(tag::NAME, STRING, 1, b"no terminator")])).is_err());
        assert!(Header::parse(&blob(&[])).is_err());
        assert!(Header::parse(&[0xff; 64]).is_err());
    }

    #[test]
    fn source_packages() {
        let source = source_package("java-17-openjdk-17.0.1-1.el9.src.rpm").expect("valid");
        assert_eq!(
            (&*source.name, &*source.version),
            ("java-17-openjdk", "17.0.1-1.el9")
        );
        assert_eq!(source_package("x-1-2.nosrc.rpm").expect("valid").version, "1-2");
        for bad in ["", "(none)", "bash.src.rpm", "-1-2.src.rpm", "a-1-2.rpm"] {
            assert_eq!(source_package(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn damaged_headers_never_panic(at in 0_usize..200, value in any::<u8>(), cut in 0_usize..300) {
            let mut blob = bash();
            let at = at % blob.len();
            blob[at] = value;
            let _ = Header::parse(&blob);
            blob.truncate(cut);
            let _ = Header::parse(&blob);
        }
    }
}
