//! The stanza format of Debian's control files (`Key: value` lines, blank lines between records), which opkg uses too.

use crate::lines::Lines;
use crate::reading;
use model::{Content, Package, Purl, SourcePackage, path};

/// One record: the wanted fields that it has.
pub(crate) struct Stanza {
    wanted: &'static [&'static str],
    values: Vec<String>,
    any: bool,
}

impl Stanza {
    /// The first line of a field's value, trimmed; empty when the record lacks it.
    pub(crate) fn get(&self, field: &str) -> &str {
        self.wanted
            .iter()
            .position(|wanted| *wanted == field)
            .and_then(|index| self.values.get(index))
            .map_or("", String::as_str)
    }
}

/// Calls `each` for every record of a file. Only the fields in `wanted` are kept (compared without regard to case), of a
/// repeated field the first, of a folded one the first line. `each` returns false to stop.
///
/// # Errors
/// A message when the file cannot be read; records before that were given to `each`.
pub(crate) fn stanzas(
    content: &mut dyn Content,
    wanted: &'static [&'static str],
    mut each: impl FnMut(&Stanza) -> bool,
) -> Result<(), String> {
    let mut lines = Lines::new(content).map_err(|error| error.to_string())?;
    let mut stanza = Stanza {
        wanted,
        values: vec![String::new(); wanted.len()],
        any: false,
    };
    loop {
        let line = lines.next().map_err(|error| error.to_string())?;
        let Some(line) = line.filter(|line| !line.is_empty()) else {
            if stanza.any && !each(&stanza) {
                return Ok(());
            }
            if line.is_none() {
                return Ok(());
            }
            stanza.any = false;
            stanza.values.iter_mut().for_each(String::clear);
            continue;
        };
        stanza.any = true;
        if matches!(line.first(), Some(b' ' | b'\t')) {
            continue;
        }
        let Some(colon) = memchr::memchr(b':', line) else {
            continue;
        };
        let (key, value) = line.split_at(colon);
        let index = wanted
            .iter()
            .position(|wanted| wanted.as_bytes().eq_ignore_ascii_case(key));
        if let Some(slot) = index.and_then(|index| stanza.values.get_mut(index))
            && slot.is_empty()
        {
            let value = value.strip_prefix(b":").unwrap_or(value);
            *slot = path::from_bytes(value.trim_ascii()).into_owned();
        }
    }
}

/// The fields of a record that [`package`] reads, and the state that dpkg adds.
pub(crate) const PACKAGE_FIELDS: &[&str] = &[
    "Package",
    "Status",
    "Version",
    "Source",
    "Architecture",
    "Maintainer",
];

/// The Debian package of a record with [`PACKAGE_FIELDS`].
///
/// # Errors
/// What the record lacks.
pub(crate) fn package(found_by: &str, stanza: &Stanza) -> Result<Package, &'static str> {
    let (name, version) = (stanza.get("Package"), stanza.get("Version"));
    if let Some(what) = reading::missing(name, version) {
        return Err(what);
    }
    let purl = Purl::new("deb", "", name, version).with_qualifier("arch", stanza.get("Architecture"));
    let mut package = Package::new(found_by, purl, "", name, version);
    let source = source(stanza.get("Source"), version);
    package.source = source.filter(|source| source.name != name || source.version != version);
    package.add_fact("maintainer", stanza.get("Maintainer"));
    Ok(package)
}

/// `name` or `name (version)`; the version is the binary package's unless told.
pub(crate) fn source(field: &str, version: &str) -> Option<SourcePackage> {
    let (name, rest) = field.split_once('(').unwrap_or((field, ""));
    let told = rest.trim_end().trim_end_matches(')').trim();
    let name = name.trim();
    (!name.is_empty()).then(|| SourcePackage {
        name: name.to_owned(),
        version: if told.is_empty() { version } else { told }.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::MemoryContent;

    #[test]
    fn records_end_at_blank_lines_only() {
        let text = "\n\nA: 1\nB:2\n folded: A: 9\n .\nA: again\n\n\n\na:3\r\nno colon\n\nB: 4";
        let mut found = Vec::new();
        let mut content = MemoryContent(text.as_bytes());
        stanzas(&mut content, &["A", "B"], |stanza| {
            found.push((stanza.get("A").to_owned(), stanza.get("B").to_owned()));
            found.len() < 3
        })
        .expect("memory");
        let expected = [("1", "2"), ("3", ""), ("", "4")];
        assert_eq!(found, expected.map(|(a, b)| (a.to_owned(), b.to_owned())));
    }
}
