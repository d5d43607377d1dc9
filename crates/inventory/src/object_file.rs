//! Sections and segments of ELF, PE and Mach-O files, read by random access.
//!
//! Only headers are read: the cost does not depend on the file's size. Every count and size comes from a file that cannot be
//! trusted, so tables are cut off at fixed limits and offsets are checked against the file before anything is read.

use model::{Content, ReadSeek};
use std::io::{Read, SeekFrom};

/// Sections and segments that are looked at in one file; real programs have a few dozen.
const TABLE_LIMIT: usize = 4096;
/// Bytes of a table of section names that are read.
const NAMES_LIMIT: u64 = 1 << 20;
/// Bytes of Mach-O load commands that are read.
const COMMANDS_LIMIT: u64 = 1 << 20;
/// Architectures of a fat Mach-O file that are looked at. Java class files have the same magic and a version of at least 45
/// where the count stands.
const SLICE_LIMIT: u32 = 16;

/// Container format of an object file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Elf,
    Pe,
    MachO,
}

/// A named part of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Section {
    /// Name; for Mach-O the section's alone, without the segment's.
    pub(crate) name: String,
    /// Address in memory.
    pub(crate) address: u64,
    /// Where its bytes begin in the file.
    pub(crate) offset: u64,
    /// Bytes it has in the file, never beyond its end; 0 for sections that exist in memory only.
    pub(crate) size: u64,
    /// It becomes part of the process's memory.
    pub(crate) loaded: bool,
    /// It holds machine code.
    pub(crate) executable: bool,
}

/// A part of the file that is mapped as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Segment {
    pub(crate) address: u64,
    pub(crate) offset: u64,
    pub(crate) size: u64,
    pub(crate) writable: bool,
}

/// What the headers of one program tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ObjectFile {
    pub(crate) format: Format,
    pub(crate) little_endian: bool,
    pub(crate) sections: Vec<Section>,
    /// Empty for PE, whose sections are what is mapped.
    pub(crate) segments: Vec<Segment>,
}

impl ObjectFile {
    /// The section of that name.
    pub(crate) fn section(&self, name: &str) -> Option<&Section> {
        self.sections.iter().find(|section| section.name == name)
    }

    /// Where the byte at an address lies in the file, and how many follow it there.
    pub(crate) fn locate(&self, address: u64) -> Option<(u64, u64)> {
        let inside = |start: u64, offset: u64, size: u64| {
            let distance = address.checked_sub(start)?;
            (distance < size).then(|| (offset.saturating_add(distance), size - distance))
        };
        self.segments
            .iter()
            .find_map(|segment| inside(segment.address, segment.offset, segment.size))
            .or_else(|| {
                self.sections
                    .iter()
                    .filter(|section| section.loaded)
                    .find_map(|section| inside(section.address, section.offset, section.size))
            })
    }

    /// Parts of the file (offset, size) that can hold the program's constants: all but code and what is not loaded. `None`
    /// when the file has no section headers to tell (they are not needed for running).
    pub(crate) fn constants(&self) -> Option<Vec<(u64, u64)>> {
        let mut parts: Vec<(u64, u64)> = self
            .sections
            .iter()
            .filter(|section| section.loaded && !section.executable && section.size > 0)
            .map(|section| (section.offset, section.size))
            .collect();
        parts.sort_unstable();
        // Merged, so that overlapping sections of a forged file do not cost more than the file has bytes.
        let mut merged: Vec<(u64, u64)> = Vec::with_capacity(parts.len());
        for (offset, size) in parts {
            match merged.last_mut() {
                Some((start, length)) if offset <= *start + *length => {
                    *length = (*length).max(offset + size - *start);
                }
                _ => merged.push((offset, size)),
            }
        }
        (!merged.is_empty()).then_some(merged)
    }
}

/// True when a file's first bytes are those of an object file.
pub(crate) fn has_magic(head: &[u8]) -> bool {
    match head.get(..4) {
        Some(b"\x7fELF") => true,
        Some([b'M', b'Z', ..]) => true,
        Some(b"\xfe\xed\xfa\xce" | b"\xfe\xed\xfa\xcf" | b"\xce\xfa\xed\xfe" | b"\xcf\xfa\xed\xfe") => true,
        Some(b"\xca\xfe\xba\xbe" | b"\xca\xfe\xba\xbf") => matches!(
            head.get(4..8),
            Some([0, 0, 0, count]) if (1..=SLICE_LIMIT).contains(&u32::from(*count))
        ),
        _ => false,
    }
}

/// Whether an entry can be a program or library worth opening: executable, in a folder of programs, or named like a library.
pub(crate) fn is_candidate(entry: &model::Entry<'_>) -> bool {
    if entry.kind != model::EntryKind::File || entry.size <= 64 {
        return false;
    }
    let (folder, name) = model::path::split(entry.path);
    entry.is_executable()
        || name.contains(".so")
        || name.ends_with(".exe")
        || name.ends_with(".dylib")
        || matches!(model::path::file_name(folder), "bin" | "sbin")
}

/// Bounded random access to a file's bytes.
pub(crate) struct Bytes<'a> {
    reader: Box<dyn ReadSeek + 'a>,
    size: u64,
}

impl<'a> Bytes<'a> {
    /// Opens the content.
    pub(crate) fn open(content: &'a mut dyn Content) -> Result<Self, String> {
        let size = content.size();
        let reader = content
            .reader()
            .map_err(|error| format!("the program was not read: {error}"))?;
        Ok(Self { reader, size })
    }

    /// The file's size in bytes.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// The bytes from `offset`, `length` of them or up to the end of the file.
    pub(crate) fn at(&mut self, offset: u64, length: u64) -> Result<Vec<u8>, String> {
        let length = length.min(self.size.saturating_sub(offset));
        let mut bytes = Vec::new();
        self.seek(offset)?;
        (&mut self.reader)
            .take(length)
            .read_to_end(&mut bytes)
            .map_err(|error| unreadable(&error))?;
        Ok(bytes)
    }

    /// Continues reading at `offset`.
    pub(crate) fn seek(&mut self, offset: u64) -> Result<(), String> {
        self.reader
            .seek(SeekFrom::Start(offset))
            .map(|_| ())
            .map_err(|error| unreadable(&error))
    }

    /// Fills as much of `buffer` as the file still has, and says how much that is.
    pub(crate) fn fill(&mut self, buffer: &mut [u8]) -> Result<usize, String> {
        let mut filled = 0;
        while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.reader.read(rest) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(unreadable(&error)),
            }
        }
        Ok(filled)
    }
}

fn unreadable(error: &std::io::Error) -> String {
    format!("the program was not read: {error}")
}

/// Reads the headers: one result for each program in the file (fat Mach-O files hold several), none when it is no object
/// file.
///
/// # Errors
/// When the file has the magic of an object file and headers that no loader would accept, or reading fails.
pub(crate) fn parse(bytes: &mut Bytes<'_>) -> Result<Vec<ObjectFile>, String> {
    let head = bytes.at(0, 64)?;
    if !has_magic(&head) {
        return Ok(Vec::new());
    }
    match head.get(..4) {
        Some(b"\x7fELF") => elf(bytes, &head).map(|object| vec![object]),
        Some([b'M', b'Z', ..]) => Ok(pe(bytes, &head)?.into_iter().collect()),
        Some(magic @ (b"\xca\xfe\xba\xbe" | b"\xca\xfe\xba\xbf")) => {
            let wide = magic == b"\xca\xfe\xba\xbf";
            fat(bytes, &head, wide)
        }
        _ => mach_o(bytes, 0).map(|object| vec![object]),
    }
}

/// Numbers at fixed places of a header, in the file's byte order. Beyond the end everything is absent.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) little_endian: bool,
}

impl Fields<'_> {
    fn array<const N: usize>(self, at: usize) -> Option<[u8; N]> {
        let mut array: [u8; N] = self.bytes.get(at..at.checked_add(N)?)?.try_into().ok()?;
        if !self.little_endian {
            array.reverse();
        }
        Some(array)
    }

    pub(crate) fn u16(self, at: usize) -> Option<u64> {
        self.array(at).map(|bytes| u64::from(u16::from_le_bytes(bytes)))
    }

    pub(crate) fn u32(self, at: usize) -> Option<u64> {
        self.array(at).map(|bytes| u64::from(u32::from_le_bytes(bytes)))
    }

    pub(crate) fn u64(self, at: usize) -> Option<u64> {
        self.array(at).map(u64::from_le_bytes)
    }

    /// A number as wide as an address.
    pub(crate) fn word(self, at: usize, wide: bool) -> Option<u64> {
        if wide { self.u64(at) } else { self.u32(at) }
    }
}

/// The text up to the first NUL.
fn name_of(bytes: &[u8]) -> String {
    let end = memchr::memchr(0, bytes).unwrap_or(bytes.len());
    String::from_utf8_lossy(bytes.get(..end).unwrap_or_default()).into_owned()
}

/// What of a claimed part really lies in the file.
fn clip(offset: u64, size: u64, file: u64) -> u64 {
    size.min(file.saturating_sub(offset))
}

fn elf(bytes: &mut Bytes<'_>, head: &[u8]) -> Result<ObjectFile, String> {
    read_elf(bytes, head)?.ok_or_else(|| "the ELF file's header is damaged".to_owned())
}

fn read_elf(bytes: &mut Bytes<'_>, head: &[u8]) -> Result<Option<ObjectFile>, String> {
    let (wide, little_endian) = match (head.get(4), head.get(5)) {
        (Some(class @ (1 | 2)), Some(order @ (1 | 2))) => (*class == 2, *order == 1),
        _ => return Ok(None),
    };
    let header = Fields {
        bytes: head,
        little_endian,
    };
    // Offsets of: program headers, section headers; entry size and count of both; index of the names.
    let layout = if wide {
        [0x20, 0x28, 0x36, 0x38, 0x3a, 0x3c, 0x3e]
    } else {
        [0x1c, 0x20, 0x2a, 0x2c, 0x2e, 0x30, 0x32]
    };
    let words = [header.word(layout[0], wide), header.word(layout[1], wide)];
    let halves = [2, 3, 4, 5, 6].map(|index| header.u16(layout[index]));
    let (
        [Some(segments_at), Some(sections_at)],
        [
            Some(segment_size),
            Some(segment_count),
            Some(section_size),
            Some(section_count),
            Some(names_index),
        ],
    ) = (words, halves)
    else {
        return Ok(None);
    };
    let file = bytes.size();

    let mut segments = Vec::new();
    let least = if wide { 56 } else { 32 };
    if segments_at > 0 && segment_size >= least {
        let table = bytes.at(segments_at, segment_size * segment_count.min(TABLE_LIMIT as u64))?;
        for entry in table.chunks_exact(usize::try_from(segment_size).unwrap_or(usize::MAX)) {
            let fields = Fields {
                bytes: entry,
                little_endian,
            };
            const LOAD: u64 = 1;
            let places = if wide { [8, 16, 32, 4] } else { [4, 8, 16, 24] };
            if let (Some(LOAD), Some(offset), Some(address), Some(size), Some(flags)) = (
                fields.u32(0),
                fields.word(places[0], wide),
                fields.word(places[1], wide),
                fields.word(places[2], wide),
                fields.u32(places[3]),
            ) {
                segments.push(Segment {
                    address,
                    offset,
                    size: clip(offset, size, file),
                    writable: flags & 2 != 0,
                });
            }
        }
    }

    let mut sections = Vec::new();
    let least = if wide { 64 } else { 40 };
    if sections_at > 0 && sections_at < file && section_size >= least {
        let entry_size = usize::try_from(section_size).unwrap_or(usize::MAX);
        // name, type, flags, address, offset, size, link
        let places = if wide {
            [0, 4, 8, 16, 24, 32, 40]
        } else {
            [0, 4, 8, 12, 16, 20, 24]
        };
        let first = bytes.at(sections_at, section_size)?;
        let first = Fields {
            bytes: &first,
            little_endian,
        };
        // Files with very many sections put the numbers into the first, otherwise unused, entry.
        let count = if section_count == 0 {
            first.word(places[5], wide).unwrap_or(0)
        } else {
            section_count
        };
        let names_index = if names_index == 0xffff {
            first.u32(places[6]).unwrap_or(0)
        } else {
            names_index
        };
        let table = bytes.at(sections_at, section_size * count.min(TABLE_LIMIT as u64))?;
        let entry = |index: u64| {
            let at = usize::try_from(index).ok()?.checked_mul(entry_size)?;
            table
                .get(at..at.checked_add(entry_size)?)
                .map(|bytes| Fields { bytes, little_endian })
        };
        let names = match entry(names_index)
            .and_then(|names| Some((names.word(places[4], wide)?, names.word(places[5], wide)?)))
        {
            Some((offset, size)) => bytes.at(offset, size.min(NAMES_LIMIT))?,
            None => Vec::new(),
        };
        for fields in (0..count.min(TABLE_LIMIT as u64)).map_while(entry) {
            let (Some(name), Some(kind), Some(flags), Some(address), Some(offset), Some(size)) = (
                fields.u32(places[0]),
                fields.u32(places[1]),
                fields.word(places[2], wide),
                fields.word(places[3], wide),
                fields.word(places[4], wide),
                fields.word(places[5], wide),
            ) else {
                break;
            };
            const NO_BITS: u64 = 8;
            let name = usize::try_from(name).ok().and_then(|at| names.get(at..));
            sections.push(Section {
                name: name_of(name.unwrap_or_default()),
                address,
                offset,
                size: if kind == NO_BITS || kind == 0 {
                    0
                } else {
                    clip(offset, size, file)
                },
                loaded: flags & 2 != 0,
                executable: flags & 4 != 0,
            });
        }
    }
    Ok(Some(ObjectFile {
        format: Format::Elf,
        little_endian,
        sections,
        segments,
    }))
}

/// `None` for what begins like a DOS program and is no PE file.
fn pe(bytes: &mut Bytes<'_>, head: &[u8]) -> Result<Option<ObjectFile>, String> {
    let field = |bytes| Fields {
        bytes,
        little_endian: true,
    };
    let Some(start) = field(head).u32(0x3c) else {
        return Ok(None);
    };
    let header = bytes.at(start, 24 + 32)?;
    if !header.starts_with(b"PE\0\0") {
        return Ok(None);
    }
    let header = field(&header);
    let (Some(count), Some(optional_size)) = (header.u16(6), header.u16(20)) else {
        return Err("the PE file's header is damaged".to_owned());
    };
    let base = match header.u16(24) {
        Some(0x10b) => header.u32(24 + 28),
        Some(0x20b) => header.u64(24 + 24),
        _ => None,
    }
    .unwrap_or(0);
    let table = bytes.at(start + 24 + optional_size, 40 * count.min(TABLE_LIMIT as u64))?;
    let file = bytes.size();
    let sections = table
        .chunks_exact(40)
        .filter_map(|entry| {
            let fields = field(entry);
            let (memory, address, size, offset, flags) = (
                fields.u32(8)?,
                fields.u32(12)?,
                fields.u32(16)?,
                fields.u32(20)?,
                fields.u32(36)?,
            );
            // On disk a section is padded; what is beyond its size in memory does not belong to it.
            let size = if memory == 0 { size } else { size.min(memory) };
            Some(Section {
                name: name_of(entry.get(..8)?),
                address: base.wrapping_add(address),
                offset,
                size: clip(offset, size, file),
                loaded: flags & 0x0200_0000 == 0,
                executable: flags & 0x2000_0000 != 0,
            })
        })
        .collect();
    Ok(Some(ObjectFile {
        format: Format::Pe,
        little_endian: true,
        sections,
        segments: Vec::new(),
    }))
}

fn fat(bytes: &mut Bytes<'_>, head: &[u8], wide: bool) -> Result<Vec<ObjectFile>, String> {
    let field = |bytes| Fields {
        bytes,
        little_endian: false,
    };
    let count = field(head).u32(4).unwrap_or(0).min(u64::from(SLICE_LIMIT));
    let entry_size: u64 = if wide { 32 } else { 20 };
    let table = bytes.at(8, entry_size * count)?;
    let mut objects = Vec::new();
    for entry in table.chunks_exact(usize::try_from(entry_size).unwrap_or(usize::MAX)) {
        if let Some(offset) = field(entry).word(8, wide) {
            objects.push(mach_o(bytes, offset)?);
        }
    }
    Ok(objects)
}

fn mach_o(bytes: &mut Bytes<'_>, start: u64) -> Result<ObjectFile, String> {
    let head = bytes.at(start, 32)?;
    let (wide, little_endian) = match head.get(..4) {
        Some(b"\xfe\xed\xfa\xce") => (false, false),
        Some(b"\xfe\xed\xfa\xcf") => (true, false),
        Some(b"\xce\xfa\xed\xfe") => (false, true),
        Some(b"\xcf\xfa\xed\xfe") => (true, true),
        _ => return Err("a part of the Mach-O file has no Mach-O header".to_owned()),
    };
    let field = |bytes| Fields { bytes, little_endian };
    let size = field(&head).u32(20).unwrap_or(0).min(COMMANDS_LIMIT);
    let commands = bytes.at(start + if wide { 32 } else { 28 }, size)?;
    let mut object = ObjectFile {
        format: Format::MachO,
        little_endian,
        sections: Vec::new(),
        segments: Vec::new(),
    };
    let mut rest = commands.as_slice();
    let file = bytes.size();
    while let (Some(command), Some(length)) = (field(rest).u32(0), field(rest).u32(4)) {
        let Some((body, after)) = usize::try_from(length)
            .ok()
            .filter(|length| *length >= 8)
            .and_then(|length| rest.split_at_checked(length))
        else {
            break;
        };
        rest = after;
        let wide = match command {
            0x1 => false,
            0x19 => true,
            _ => continue,
        };
        // address, offset, size, protection; first section, size of one, its address, size, offset, flags
        let places = if wide {
            [24, 40, 48, 60, 72, 80, 32, 40, 48, 64]
        } else {
            [24, 32, 36, 44, 56, 68, 32, 36, 40, 56]
        };
        let fields = field(body);
        let (Some(address), Some(offset), Some(size), Some(protection)) = (
            fields.word(places[0], wide),
            fields.word(places[1], wide),
            fields.word(places[2], wide),
            fields.u32(places[3]),
        ) else {
            continue;
        };
        let offset = start.saturating_add(offset);
        object.segments.push(Segment {
            address,
            offset,
            size: clip(offset, size, file),
            writable: protection & 2 != 0,
        });
        for entry in body.get(places[4]..).unwrap_or_default().chunks_exact(places[5]) {
            let fields = field(entry);
            if let (Some(address), Some(size), Some(offset), Some(flags)) = (
                fields.word(places[6], wide),
                fields.word(places[7], wide),
                fields.u32(places[8]),
                fields.u32(places[9]),
            ) {
                const ZERO_FILLED: [u64; 3] = [1, 12, 18];
                let offset = start.saturating_add(offset);
                object.sections.push(Section {
                    name: name_of(entry.get(..16).unwrap_or_default()),
                    address,
                    offset,
                    size: if ZERO_FILLED.contains(&(flags & 0xff)) {
                        0
                    } else {
                        clip(offset, size, file)
                    },
                    loaded: true,
                    executable: flags & 0x8000_0000 != 0,
                });
            }
        }
        if object.sections.len() > TABLE_LIMIT || object.segments.len() > TABLE_LIMIT {
            break;
        }
    }
    Ok(object)
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::MemoryContent;
    use proptest::prelude::*;
    use testkit::object::{Builder, Layout};

    fn read(bytes: &[u8]) -> Result<Vec<ObjectFile>, String> {
        let mut content = MemoryContent(bytes);
        let mut bytes = Bytes::open(&mut content)?;
        parse(&mut bytes)
    }

    #[test]
    fn every_layout_gives_the_same_sections() {
        for layout in Layout::ALL {
            let image = Builder::new(layout)
                .section(".text", 0x1000, b"code", true)
                .section(".data", 0x2000, b"the data", false)
                .build();
            assert!(has_magic(&image), "{layout:?}");
            let objects = read(&image).unwrap();
            let object = objects.first().unwrap_or_else(|| panic!("{layout:?}"));
            let data = object.section(".data").unwrap();
            let at = usize::try_from(data.offset).unwrap();
            assert_eq!(&image[at..][..8], b"the data", "{layout:?}");
            assert_eq!(data.size, 8, "{layout:?}");
            assert!(object.section(".text").unwrap().executable, "{layout:?}");
            assert_eq!(
                object.locate(data.address + 4),
                Some((data.offset + 4, 4)),
                "{layout:?}"
            );
            assert_eq!(object.locate(0x9_0000), None, "{layout:?}");
            assert_eq!(object.constants(), Some(vec![(data.offset, 8)]), "{layout:?}");
        }
    }

    #[test]
    fn class_files_are_not_fat_programs() {
        assert!(!has_magic(b"\xca\xfe\xba\xbe\x00\x00\x00\x3d"));
        assert!(has_magic(b"\xca\xfe\xba\xbe\x00\x00\x00\x02"));
    }

    #[test]
    fn constants_of_overlapping_sections_are_merged() {
        let section = |offset, size| Section {
            name: String::new(),
            address: 0,
            offset,
            size,
            loaded: true,
            executable: false,
        };
        let object = ObjectFile {
            format: Format::Elf,
            little_endian: true,
            sections: vec![section(10, 100), section(0, 20), section(50, 10), section(200, 5)],
            segments: Vec::new(),
        };
        assert_eq!(object.constants(), Some(vec![(0, 110), (200, 5)]));
    }

    proptest! {
        #[test]
        fn damaged_headers_never_panic(
            layout in 0..Layout::ALL.len(),
            changes in proptest::collection::vec((0..400_usize, any::<u8>()), 1..12),
            cut in 0..600_usize,
        ) {
            let mut image = Builder::new(Layout::ALL[layout]).section(".data", 0x2000, b"the data", false).build();
            for (at, byte) in changes {
                if let Some(place) = image.get_mut(at) {
                    *place = byte;
                }
            }
            image.truncate(cut.max(4));
            for object in read(&image).unwrap_or_default() {
                for section in &object.sections {
                    prop_assert!(section.size == 0 || section.offset + section.size <= image.len() as u64);
                }
                let _ = object.constants();
            }
        }
    }
}
