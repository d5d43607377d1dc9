//! .NET assemblies: name and version from the CLI metadata and the version resource of a PE file (ECMA-335, PE/COFF).

/// What an assembly says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Assembly {
    /// Name in the metadata.
    pub(crate) name: String,
    /// Version in the metadata, four numbers; often frozen over releases.
    pub(crate) version: String,
    /// Culture; only satellite assemblies, which hold translations, have one.
    pub(crate) culture: String,
    /// `ProductVersion` of the version resource: the informational version, usually the package's.
    pub(crate) product_version: String,
    /// `FileVersion` of the version resource.
    pub(crate) file_version: String,
}

/// Most sections, streams and resource entries that are looked at.
const MAX_ENTRIES: usize = 4096;

/// Reads an assembly; `None` when the PE file holds no managed code or its metadata has no assembly of its own.
///
/// # Errors
/// What is wrong with a file that claims to be a managed one.
pub(crate) fn parse(bytes: &[u8]) -> Result<Option<Assembly>, &'static str> {
    let Some(image) = Image::parse(bytes) else {
        return Ok(None);
    };
    let Some(cli) = image.directory(14) else {
        return Ok(None);
    };
    let root = u32_at(cli, 8)
        .and_then(|address| image.at(address))
        .ok_or("the CLI header points outside the file")?;
    let Some(mut assembly) = metadata(root).ok_or("the CLI metadata is broken")? else {
        return Ok(None);
    };
    if let Some(strings) = image.directory(2).and_then(|root| version_resource(&image, root)) {
        for (key, value) in strings {
            match key.as_str() {
                "ProductVersion" => assembly.product_version = value,
                "FileVersion" => assembly.file_version = value,
                _ => {}
            }
        }
    }
    Ok(Some(assembly))
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    let pair = bytes.get(at..at.checked_add(2)?)?;
    Some(u16::from_le_bytes(pair.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let word = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_le_bytes(word.try_into().ok()?))
}

fn usize_at(bytes: &[u8], at: usize) -> Option<usize> {
    usize::try_from(u32_at(bytes, at)?).ok()
}

/// A PE file's data directories and sections.
struct Image<'a> {
    bytes: &'a [u8],
    directories: &'a [u8],
    /// Virtual address, size, offset in the file.
    sections: Vec<(u32, u32, u32)>,
}

impl<'a> Image<'a> {
    fn parse(bytes: &'a [u8]) -> Option<Self> {
        if !bytes.starts_with(b"MZ") {
            return None;
        }
        let header = bytes.get(usize_at(bytes, 0x3c)?..)?;
        if !header.starts_with(b"PE\0\0") {
            return None;
        }
        let count = usize::from(u16_at(header, 6)?).min(MAX_ENTRIES);
        let optional_size = usize::from(u16_at(header, 20)?);
        let optional = header.get(24..24 + optional_size)?;
        let directories = match u16_at(optional, 0)? {
            0x10b => optional.get(96..)?,
            0x20b => optional.get(112..)?,
            _ => return None,
        };
        let table = header.get(24 + optional_size..)?;
        let sections = (0..count)
            .map_while(|index| {
                let section = table.get(index * 40..)?;
                let size = u32_at(section, 8)?.max(u32_at(section, 16)?);
                Some((u32_at(section, 12)?, size, u32_at(section, 20)?))
            })
            .collect();
        Some(Self {
            bytes,
            directories,
            sections,
        })
    }

    /// The bytes from a virtual address to the file's end.
    fn at(&self, address: u32) -> Option<&'a [u8]> {
        self.sections.iter().find_map(|(start, size, offset)| {
            let inside = address.checked_sub(*start).filter(|inside| inside < size)?;
            let at = usize::try_from(offset.checked_add(inside)?).ok()?;
            self.bytes.get(at..)
        })
    }

    /// A data directory's bytes; `None` when it is absent or points outside.
    fn directory(&self, index: usize) -> Option<&'a [u8]> {
        let address = u32_at(self.directories, index * 8)?;
        if address == 0 || u32_at(self.directories, index * 8 + 4)? == 0 {
            return None;
        }
        self.at(address)
    }
}

/// Reads the metadata root: `None` when it is broken, `Some(None)` when it defines no assembly (a netmodule).
fn metadata(root: &[u8]) -> Option<Option<Assembly>> {
    if !root.starts_with(b"BSJB") {
        return None;
    }
    let streams_at = 16_usize.checked_add(usize_at(root, 12)?)?;
    let count = usize::from(u16_at(root, streams_at.checked_add(2)?)?).min(MAX_ENTRIES);
    let mut at = streams_at.checked_add(4)?;
    let (mut tables, mut strings) = (None, None);
    for _ in 0..count {
        let (offset, size) = (usize_at(root, at)?, usize_at(root, at + 4)?);
        let name = root.get(at + 8..)?.split(|byte| *byte == 0).next()?;
        let content = root.get(offset..offset.checked_add(size)?);
        match name {
            b"#~" | b"#-" => tables = content,
            b"#Strings" => strings = content,
            _ => {}
        }
        at = at.checked_add(8 + (name.len() + 4) / 4 * 4)?;
    }
    let (tables, strings) = (tables?, strings?);
    let Some(row) = assembly_row(tables)? else {
        return Some(None);
    };
    let number = |at| u16_at(row.bytes, at);
    let string = |at: usize| {
        let index = index_at(row.bytes, at, row.string)?;
        let text = strings.get(index..)?.split(|byte| *byte == 0).next()?;
        Some(String::from_utf8_lossy(text).into_owned())
    };
    let name_at = 16 + row.blob;
    Some(Some(Assembly {
        version: format!("{}.{}.{}.{}", number(4)?, number(6)?, number(8)?, number(10)?),
        name: string(name_at)?,
        culture: string(name_at + row.string)?,
        ..Assembly::default()
    }))
}

fn index_at(bytes: &[u8], at: usize, size: usize) -> Option<usize> {
    if size == 2 {
        u16_at(bytes, at).map(usize::from)
    } else {
        usize_at(bytes, at)
    }
}

/// The first row of the table `Assembly` and the sizes of its heap indexes.
struct Row<'a> {
    bytes: &'a [u8],
    string: usize,
    blob: usize,
}

/// A column of a metadata table (ECMA-335, II.22).
#[derive(Clone, Copy)]
enum Column {
    /// A number of so many bytes.
    Fixed(usize),
    /// Index into `#Strings`.
    String,
    /// Index into `#GUID`.
    Guid,
    /// Index into `#Blob`.
    Blob,
    /// Index into one table.
    Table(usize),
    /// Index into one of several tables, with so many tag bits (II.24.2.6).
    Coded(u32, &'static [usize]),
}

use Column::{Blob, Coded, Fixed, Guid, String as Text, Table};

const TYPE_DEF_OR_REF: Column = Coded(2, &[0x02, 0x01, 0x1b]);
const HAS_CONSTANT: Column = Coded(2, &[0x04, 0x08, 0x17]);
const HAS_CUSTOM_ATTRIBUTE: Column = Coded(
    5,
    &[
        0x06, 0x04, 0x01, 0x02, 0x08, 0x09, 0x0a, 0x00, 0x0e, 0x17, 0x14, 0x11, 0x1a, 0x1b, 0x20, 0x23, 0x26,
        0x27, 0x28, 0x2a, 0x2c, 0x2b,
    ],
);
const HAS_FIELD_MARSHAL: Column = Coded(1, &[0x04, 0x08]);
const HAS_DECL_SECURITY: Column = Coded(2, &[0x02, 0x06, 0x20]);
const MEMBER_REF_PARENT: Column = Coded(3, &[0x02, 0x01, 0x1a, 0x06, 0x1b]);
const HAS_SEMANTICS: Column = Coded(1, &[0x14, 0x17]);
const METHOD_DEF_OR_REF: Column = Coded(1, &[0x06, 0x0a]);
const MEMBER_FORWARDED: Column = Coded(1, &[0x04, 0x06]);
const CUSTOM_ATTRIBUTE_TYPE: Column = Coded(3, &[0x06, 0x0a]);
const RESOLUTION_SCOPE: Column = Coded(2, &[0x00, 0x1a, 0x23, 0x01]);

/// The columns of the tables before `Assembly` (0x20), by table number.
const TABLES: [&[Column]; 0x20] = [
    &[Fixed(2), Text, Guid, Guid, Guid], // 00 Module
    &[RESOLUTION_SCOPE, Text, Text],     // 01 TypeRef
    &[Fixed(4), Text, Text, TYPE_DEF_OR_REF, Table(0x04), Table(0x06)], // 02 TypeDef
    &[Table(0x04)],                      // 03 FieldPtr
    &[Fixed(2), Text, Blob],             // 04 Field
    &[Table(0x06)],                      // 05 MethodPtr
    &[Fixed(4), Fixed(2), Fixed(2), Text, Blob, Table(0x08)], // 06 MethodDef
    &[Table(0x08)],                      // 07 ParamPtr
    &[Fixed(2), Fixed(2), Text],         // 08 Param
    &[Table(0x02), TYPE_DEF_OR_REF],     // 09 InterfaceImpl
    &[MEMBER_REF_PARENT, Text, Blob],    // 0a MemberRef
    &[Fixed(2), HAS_CONSTANT, Blob],     // 0b Constant
    &[HAS_CUSTOM_ATTRIBUTE, CUSTOM_ATTRIBUTE_TYPE, Blob], // 0c CustomAttribute
    &[HAS_FIELD_MARSHAL, Blob],          // 0d FieldMarshal
    &[Fixed(2), HAS_DECL_SECURITY, Blob], // 0e DeclSecurity
    &[Fixed(2), Fixed(4), Table(0x02)],  // 0f ClassLayout
    &[Fixed(4), Table(0x04)],            // 10 FieldLayout
    &[Blob],                             // 11 StandAloneSig
    &[Table(0x02), Table(0x14)],         // 12 EventMap
    &[Table(0x14)],                      // 13 EventPtr
    &[Fixed(2), Text, TYPE_DEF_OR_REF],  // 14 Event
    &[Table(0x02), Table(0x17)],         // 15 PropertyMap
    &[Table(0x17)],                      // 16 PropertyPtr
    &[Fixed(2), Text, Blob],             // 17 Property
    &[Fixed(2), Table(0x06), HAS_SEMANTICS], // 18 MethodSemantics
    &[Table(0x02), METHOD_DEF_OR_REF, METHOD_DEF_OR_REF], // 19 MethodImpl
    &[Text],                             // 1a ModuleRef
    &[Blob],                             // 1b TypeSpec
    &[Fixed(2), MEMBER_FORWARDED, Text, Table(0x1a)], // 1c ImplMap
    &[Fixed(4), Table(0x04)],            // 1d FieldRVA
    &[Fixed(4), Fixed(4)],               // 1e EncLog
    &[Fixed(4)],                         // 1f EncMap
];

fn assembly_row(tables: &[u8]) -> Option<Option<Row<'_>>> {
    let heap_sizes = *tables.get(6)?;
    let valid = u64::from(u32_at(tables, 8)?) | u64::from(u32_at(tables, 12)?) << 32;
    let mut rows = [0_usize; 64];
    let mut at = 24;
    for (table, count) in rows.iter_mut().enumerate() {
        if valid >> table & 1 == 1 {
            *count = usize_at(tables, at)?;
            at += 4;
        }
    }
    // Edit-and-continue tables carry one more word.
    if heap_sizes & 0x40 != 0 {
        at += 4;
    }
    if rows[0x20] == 0 {
        return Some(None);
    }
    let wide = |bit: u8| if heap_sizes & bit == 0 { 2 } else { 4 };
    let (string, guid, blob) = (wide(1), wide(2), wide(4));
    let width = |column: &Column| match column {
        Fixed(bytes) => *bytes,
        Text => string,
        Guid => guid,
        Blob => blob,
        Table(table) => {
            if rows[*table] < 1 << 16 {
                2
            } else {
                4
            }
        }
        Coded(bits, among) => {
            let most = among.iter().map(|table| rows[*table]).max().unwrap_or(0);
            if most < 1 << (16 - bits) { 2 } else { 4 }
        }
    };
    for (table, columns) in TABLES.iter().enumerate() {
        let size: usize = columns.iter().map(width).sum();
        at = at.checked_add(size.checked_mul(rows[table])?)?;
    }
    Some(Some(Row {
        bytes: tables.get(at..)?,
        string,
        blob,
    }))
}

/// Keys and values of the first version resource (type 16).
fn version_resource(image: &Image<'_>, root: &[u8]) -> Option<Vec<(String, String)>> {
    let by_type = entry(root, 0, Some(16))?;
    let by_name = entry(root, by_type, None)?;
    let data = entry(root, by_name, None)?;
    let bytes = image.at(u32_at(root, data)?)?;
    let block = bytes.get(..usize_at(root, data.checked_add(4)?)?)?;
    let mut found = Vec::new();
    read_block(block, 0, &mut found);
    Some(found)
}

/// Offset of what a resource folder's entry of that number, or its first one, leads to.
fn entry(root: &[u8], folder: usize, number: Option<u32>) -> Option<usize> {
    let named = usize::from(u16_at(root, folder.checked_add(12)?)?);
    let numbered = usize::from(u16_at(root, folder.checked_add(14)?)?);
    (0..(named + numbered).min(MAX_ENTRIES)).find_map(|index| {
        let at = folder.checked_add(16 + index * 8)?;
        if number.is_some_and(|number| u32_at(root, at) != Some(number)) {
            return None;
        }
        usize::try_from(u32_at(root, at + 4)? & 0x7fff_ffff).ok()
    })
}

/// A block of a version resource: length, value length, kind, key, value, blocks inside. Four levels are enough:
/// `VS_VERSION_INFO`, `StringFileInfo`, the language, the string.
fn read_block(block: &[u8], depth: usize, found: &mut Vec<(String, String)>) -> Option<()> {
    let value_length = usize::from(u16_at(block, 2)?);
    let key = wide_text(block.get(6..)?);
    let aligned = |at: usize| at.div_ceil(4) * 4;
    let value_at = aligned(6 + (key.1 + 1) * 2);
    if depth == 3 {
        found.push((key.0, wide_text(block.get(value_at..)?).0.trim().to_owned()));
        return Some(());
    }
    if depth == 1 && key.0 != "StringFileInfo" {
        return Some(());
    }
    let mut at = aligned(value_at + value_length);
    while found.len() < MAX_ENTRIES {
        let length = usize::from(u16_at(block, at)?);
        if length < 6 {
            return None;
        }
        read_block(block.get(at..at.checked_add(length)?)?, depth + 1, found);
        at = aligned(at + length);
    }
    Some(())
}

/// UTF-16 text up to its NUL, and its length in units.
fn wide_text(bytes: &[u8]) -> (String, usize) {
    let units: Vec<u16> = bytes
        .chunks_exact(2)
        .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
        .take_while(|unit| *unit != 0)
        .take(MAX_ENTRIES)
        .collect();
    (String::from_utf16_lossy(&units), units.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_no_assembly() {
        assert_eq!(parse(b""), Ok(None));
        assert_eq!(parse(b"MZ"), Ok(None));
        assert_eq!(parse(&[b'M'; 4096]), Ok(None));
    }

    #[test]
    fn reads_version_blocks() {
        let wide = |text: &str| {
            text.encode_utf16()
                .flat_map(u16::to_le_bytes)
                .chain([0, 0])
                .collect::<Vec<u8>>()
        };
        let pad = |mut bytes: Vec<u8>| {
            bytes.resize(bytes.len().div_ceil(4) * 4, 0);
            bytes
        };
        let block = |key: &str, value: &[u8], units: u16, inside: &[u8]| {
            let head = pad([vec![0; 6], wide(key)].concat());
            let mut bytes = pad([head, value.to_vec()].concat());
            bytes.extend_from_slice(inside);
            let length = u16::try_from(bytes.len()).unwrap();
            bytes[0..2].copy_from_slice(&length.to_le_bytes());
            bytes[2..4].copy_from_slice(&units.to_le_bytes());
            pad(bytes)
        };
        let string = block("ProductVersion", &wide("1.2.3+abc"), 10, &[]);
        let language = block(
            "040904b0",
            &[],
            0,
            &[string.clone(), block("FileVersion", &wide("1.2.3.4"), 8, &[])].concat(),
        );
        let info = block("StringFileInfo", &[], 0, &language);
        let root = block(
            "VS_VERSION_INFO",
            &[7; 52],
            52,
            &[block("VarFileInfo", &[], 0, &string), info].concat(),
        );
        let mut found = Vec::new();
        read_block(&root, 0, &mut found);
        let found: Vec<(&str, &str)> = found
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
            .collect();
        assert_eq!(
            found,
            [("ProductVersion", "1.2.3+abc"), ("FileVersion", "1.2.3.4")]
        );
    }

    proptest! {
        #[test]
        fn never_panics(rest in proptest::collection::vec(any::<u8>(), 0..600), at in 0_u8..200) {
            let mut bytes = b"MZ".to_vec();
            bytes.resize(0x3c, 0);
            bytes.extend([at.saturating_add(0x40), 0, 0, 0]);
            bytes.extend(&rest);
            let start = usize::from(at.saturating_add(0x40));
            if let Some(slot) = bytes.get_mut(start..start + 4) {
                slot.copy_from_slice(b"PE\0\0");
            }
            let _ = parse(&bytes);
            let _ = metadata(&[b"BSJB".as_slice(), &rest].concat());
            let _ = assembly_row(&rest);
            read_block(&rest, 0, &mut Vec::new());
        }
    }
}
