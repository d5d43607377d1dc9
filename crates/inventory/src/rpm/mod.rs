//! The databases of rpm in their three on-disk forms, and the package headers that they hold.
//!
//! Own code because the files come from hostile images: nothing is allocated by what a file claims, pages are visited once,
//! and what is damaged is skipped and told.

mod berkeley;
mod header;
mod history;
mod ndb;

pub(crate) use header::{Header, source_package};
pub(crate) use history::repositories;

use crate::sqlite;
use model::{Content, Package, Purl};

/// Largest header of one package, in bytes; those with 100,000 files have some 10 MiB.
const LARGEST_HEADER: usize = 32 << 20;

/// Most packages of one database.
const MOST_HEADERS: usize = 200_000;

/// Calls `each` with the header blob of every installed package; false stops.
///
/// # Errors
/// A message about the first part of the database that could not be read; the packages of all intact parts were given.
pub(crate) fn headers(content: &mut dyn Content, each: &mut dyn FnMut(&[u8]) -> bool) -> Result<(), String> {
    // Headers do not overlap, so that together they are no larger than the file.
    let mut bytes_left = content.size();
    let mut headers_left = MOST_HEADERS;
    let mut exceeded = false;
    let mut bounded = |blob: &[u8]| {
        let bytes = bytes_left.checked_sub(blob.len() as u64);
        let headers = headers_left.checked_sub(1);
        let (Some(bytes), Some(headers)) = (bytes, headers) else {
            exceeded = true;
            return false;
        };
        (bytes_left, headers_left) = (bytes, headers);
        each(blob)
    };
    read(content, &mut bounded)?;
    if exceeded {
        return Err(format!(
            "the rpm database has more than {MOST_HEADERS} headers, or some twice; the rest was not read"
        ));
    }
    Ok(())
}

/// [`headers`] without its bounds.
fn read(content: &mut dyn Content, each: &mut dyn FnMut(&[u8]) -> bool) -> Result<(), String> {
    let mut head = [0; 16];
    let length = {
        let mut reader = content.reader().map_err(|error| error.to_string())?;
        read_up_to(&mut reader, &mut head).map_err(|error| error.to_string())?
    };
    if length == 0 {
        return Err("the rpm database is empty".to_owned());
    }
    if &head == sqlite::MAGIC {
        return sqlite::Database::open(content)?.rows("Packages", |_, row| {
            row.get(1).and_then(sqlite::Value::bytes).is_none_or(&mut *each)
        });
    }
    if head.starts_with(ndb::MAGIC) {
        return ndb::headers(content, each);
    }
    match berkeley::byte_order(&head) {
        Some(order) => berkeley::headers(content, order, each),
        None => Err("the rpm database is neither SQLite, NDB nor a Berkeley DB hash".to_owned()),
    }
}

/// Reads until the buffer is full or the file ends; the number of bytes read.
fn read_up_to(reader: &mut dyn std::io::Read, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match reader.read(rest)? {
            0 => break,
            count => filled += count,
        }
    }
    Ok(filled)
}

/// An rpm package: the epoch stands in the version as `epoch:version-release` and in the purl as a qualifier, unless it is 0.
pub(crate) fn package(
    found_by: &str,
    name: &str,
    epoch: u32,
    version_release: &str,
    architecture: &str,
) -> Package {
    let mut purl = Purl::new("rpm", "", name, version_release).with_qualifier("arch", architecture);
    let mut version = version_release.to_owned();
    if epoch != 0 {
        purl = purl.with_qualifier("epoch", &epoch.to_string());
        version = format!("{epoch}:{version_release}");
    }
    Package::new(found_by, purl, "", name, version)
}

/// The package that a header tells of.
pub(crate) fn package_of_header(found_by: &str, header: &Header) -> Package {
    let version = header.version_release();
    let mut package = package(
        found_by,
        &header.name,
        header.epoch,
        &version,
        &header.architecture,
    );
    package.source = source_package(&header.source)
        .filter(|source| source.name != header.name || source.version != version);
    package.licenses = crate::license::expressions(&header.license);
    package.add_fact("vendor", header.vendor.as_str());
    package.add_fact("module-label", header.module_label.as_str());
    package
}

/// The header of a package file (`*.rpm`): what its lead and signatures are followed by.
///
/// # Errors
/// A message when the file is none of rpm's, is cut short or has a header that is too large.
pub(crate) fn file_header(content: &mut dyn Content) -> Result<Header, String> {
    /// A lead that only names the format, in bytes.
    const LEAD: usize = 96;
    /// Magic number and version of a header structure.
    const MAGIC: [u8; 4] = [0x8e, 0xad, 0xe8, 1];
    let mut reader = content.reader().map_err(|error| error.to_string())?;
    let mut take = |length: usize| {
        let mut bytes = vec![0; length];
        match read_up_to(&mut reader, &mut bytes) {
            Ok(count) if count == length => Ok(bytes),
            Ok(_) => Err("the rpm package is cut short".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    };
    if !take(LEAD)?.starts_with(&[0xed, 0xab, 0xee, 0xdb]) {
        return Err("not an rpm package: it does not begin like one".to_owned());
    }
    // Signatures, filled up to eight bytes, then the header.
    for is_header in [false, true] {
        let start = take(16)?;
        let number = |at: usize| {
            let bytes = start.get(at..)?.first_chunk()?;
            usize::try_from(u32::from_be_bytes(*bytes)).ok()
        };
        let (Some(entries), Some(size)) = (number(8), number(12)) else {
            return Err("the rpm package is cut short".to_owned());
        };
        let length = entries.saturating_mul(16).saturating_add(size);
        if !start.starts_with(&MAGIC) || length > LARGEST_HEADER {
            return Err("the rpm package is damaged: where a header belongs there is none".to_owned());
        }
        if is_header {
            let mut blob = start.get(8..).unwrap_or_default().to_vec();
            blob.extend(take(length)?);
            return Header::parse(&blob);
        }
        take(length.next_multiple_of(8))?;
    }
    Err("the rpm package has no header".to_owned())
}
