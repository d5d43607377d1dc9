//! Dialects of tar, one by one, and damage of every kind.

use super::*;
use proptest::prelude::*;
use testkit::tar::{Header, LongNames, Tar, pax_record};

/// Path, kind, link, mode and content of each entry, and how the archive ended.
type Read = (Vec<(String, EntryKind, Option<String>, Vec<u8>)>, Option<String>);

fn read(bytes: &[u8]) -> Read {
    let mut tar = TarReader::new(Stream(bytes), 4096);
    let mut entries = Vec::new();
    loop {
        match tar.advance() {
            Ok(true) => {}
            Ok(false) => return (entries, None),
            Err(error) => return (entries, Some(error.to_string())),
        }
        let entry = tar.entry();
        let (path, kind, size) = (entry.path.to_owned(), entry.kind, entry.size);
        let link = entry.link.map(str::to_owned);
        let mut content = Vec::new();
        let mut buffer = [0; 300];
        loop {
            if content.len() > 1 << 20 {
                break;
            }
            match tar.read_content(&mut buffer) {
                Ok(0) => break,
                Ok(count) => content.extend_from_slice(&buffer[..count]),
                Err(error) => return (entries, Some(error.to_string())),
            }
        }
        // What is no file may have stored bytes all the same.
        assert!(kind != EntryKind::File || content.len() as u64 == size || content.len() > 1 << 20);
        entries.push((path, kind, link, content));
    }
}

fn only(bytes: &[u8]) -> (String, EntryKind, Option<String>, Vec<u8>) {
    let (mut entries, error) = read(bytes);
    assert_eq!(error, None);
    assert_eq!(entries.len(), 1);
    entries.remove(0)
}

fn one(header: &Header, content: &[u8]) -> Vec<u8> {
    Tar::default().entry(header, content).finish()
}

#[test]
fn kinds_of_entries() {
    for (flag, kind) in [
        (b'0', EntryKind::File),
        (0, EntryKind::File),
        (b'7', EntryKind::File),
        (b'1', EntryKind::Hardlink),
        (b'2', EntryKind::Symlink),
        (b'3', EntryKind::Special),
        (b'4', EntryKind::Special),
        (b'5', EntryKind::Folder),
        (b'6', EntryKind::Special),
        (b'?', EntryKind::Special),
    ] {
        let (path, found, link, _) = only(&one(&Header::new(flag, b"./a/b", b"../to", 0, 0o755), b""));
        assert_eq!((path.as_str(), found), ("a/b", kind));
        let is_link = matches!(kind, EntryKind::Hardlink | EntryKind::Symlink);
        assert_eq!(link.as_deref(), is_link.then_some("../to"));
    }
    // In the oldest archives a folder is a file whose name ends with a slash.
    assert_eq!(
        only(&one(&Header::new(0, b"folder/", b"", 0, 0o755), b"")).1,
        EntryKind::Folder
    );
    // Links have no content whatever their size says.
    let mut tar = Tar::default();
    tar.entry(&Header::new(b'1', b"link", b"to", 5000, 0o644), b"")
        .file("next", b"x");
    assert_eq!(read(&tar.finish()).0.len(), 2);
}

#[test]
fn names_of_every_dialect() {
    let long = format!("{}/leaf", "folder/".repeat(40).trim_end_matches('/'));
    for dialect in [LongNames::Pax, LongNames::Gnu] {
        let mut tar = Tar::default();
        tar.add(b'2', long.as_bytes(), long.as_bytes(), b"", 0o777, dialect);
        tar.file("short", b"x");
        let (entries, error) = read(&tar.finish());
        assert_eq!(error, None);
        assert_eq!(
            (&entries[0].0, entries[0].2.as_deref()),
            (&long, Some(&*long)),
            "{dialect:?}"
        );
        assert_eq!(entries[1].0, "short", "{dialect:?}: a long name is for one entry");
    }
    let mut ustar = Header::new(b'0', b"leaf", b"", 0, 0o644);
    ustar.field(345, 155, b"a/prefix");
    assert_eq!(only(&one(&ustar, b"")).0, "a/prefix/leaf");
    let mut star = ustar.clone();
    star.field(476, 24, b"12345670123\x0012345670123")
        .field(508, 4, b"tar\0");
    assert_eq!(only(&one(&star, b"")).0, "a/prefix/leaf");
    let mut gnu = ustar.clone();
    gnu.field(257, 8, b"ustar  \0");
    assert_eq!(
        only(&one(&gnu, b"")).0,
        "leaf",
        "GNU keeps times where ustar keeps the prefix"
    );
    let mut v7 = ustar;
    v7.field(257, 8, b"");
    assert_eq!(only(&one(&v7, b"")).0, "leaf");
    let odd = only(&one(&Header::new(b'0', b"caf\xe9/\xff", b"", 0, 0o644), b"")).0;
    assert_eq!(model::path::to_bytes(&odd), b"caf\xe9/\xff");
    let mut tar = Tar::default();
    let mut records = Vec::new();
    pax_record(&mut records, "hdrcharset", b"BINARY");
    pax_record(&mut records, "path", b"caf\xe9");
    pax_record(&mut records, "SCHILY.xattr.security.capability", b"\x01\n\0=\n");
    tar.pax(&records).file("ignored", b"");
    let odd = only(&tar.finish()).0;
    assert_eq!(model::path::to_bytes(&odd), b"caf\xe9");
}

#[test]
fn pax_sizes_and_global_records() {
    let mut records = Vec::new();
    pax_record(&mut records, "size", b"3");
    let mut tar = Tar::default();
    tar.pax(&records)
        .entry(&Header::new(b'0', b"a", b"", 0, 0o644), b"abc")
        .file("b", b"");
    let (entries, error) = read(&tar.finish());
    assert_eq!(
        (entries[0].3.as_slice(), entries.len(), error),
        (&b"abc"[..], 2, None)
    );
    let mut records = Vec::new();
    pax_record(&mut records, "path", b"global");
    let mut tar = Tar::default();
    tar.entry(&Header::new(b'g', b"pax", b"", records.len() as u64, 0), &records)
        .file("own", b"");
    assert_eq!(only(&tar.finish()).0, "own");
    for bad in [
        &b"x"[..],
        b"5 a=b\n",
        b"99 path=a\n",
        b"10 path=aaa",
        b"8 nothin\n",
        b"11 size=abc\n",
        b"0 a=b\n",
    ] {
        let mut tar = Tar::default();
        tar.pax(bad).file("own", b"");
        let (_, error) = read(&tar.finish());
        assert!(error.is_some_and(|error| error.contains("pax record")), "{bad:?}");
    }
}

#[test]
fn numbers() {
    for (field, value) in [
        (&b"0000644\0"[..], Some(0o644)),
        (b"   644 \0", Some(0o644)),
        (b"\0\0\0\0\0\0\0\0", Some(0)),
        (b"644\0junk", Some(0o644)),
        (b"77777777", Some(0o7777_7777)),
        (b"9", None),
        (b"-1", None),
        (b"\x80\0\0\0\0\0\x01\0", Some(256)),
        (b"\x80\x01\0\0\0\0\0\0\0\0", None),
        (b"\xff\xff\xff\xff\xff\xff\xff\xff", None),
        (b"777777777777777777777777", None),
    ] {
        assert_eq!(number(field), value, "{field:?}");
    }
    let mut wide = Header::new(b'0', b"a", b"", 0, 0o644);
    wide.field(124, 12, b"\x80\0\0\0\0\0\0\0\0\0\0\x02");
    assert_eq!(only(&one(&wide, b"ab")).3, b"ab");
}

/// Expands a map of data runs as a file system would.
fn expand(size: usize, runs: &[(usize, &[u8])]) -> Vec<u8> {
    let mut content = vec![0; size];
    for (offset, data) in runs {
        content[*offset..offset + data.len()].copy_from_slice(data);
    }
    content
}

#[test]
fn sparse_files_of_every_dialect() {
    let expected = expand(5000, &[(100, b"first"), (4000, b"second")]);
    let data = b"firstsecond";
    let mut old = Header::new(b'S', b"sparse", b"", data.len() as u64, 0o644);
    old.field(257, 8, b"ustar  \0");
    for (at, value) in [(386, 100), (398, 5), (410, 4000), (422, 6), (483, 5000)] {
        old.field(at, 12, format!("{value:011o}\0").as_bytes());
    }
    let mut archives = vec![("old GNU", one(&old, data))];
    // The same with the map in an extension block.
    let mut extended = Header::new(b'S', b"sparse", b"", data.len() as u64, 0o644);
    extended.field(482, 1, b"\x01").field(483, 12, b"00000011610\0");
    let mut extension = Vec::new();
    for value in [100, 5, 4000, 6] {
        extension.extend_from_slice(format!("{value:011o}\0").as_bytes());
    }
    extension.resize(512, 0);
    let mut tar = Tar::default();
    tar.entry(&extended, b"").raw(&extension).raw(data);
    archives.push(("old GNU, extended", tar.finish()));
    let versions: [(&str, &[(&str, &str)]); 3] = [
        (
            "pax 0.0",
            &[
                ("GNU.sparse.size", "5000"),
                ("GNU.sparse.numblocks", "2"),
                ("GNU.sparse.offset", "100"),
                ("GNU.sparse.numbytes", "5"),
                ("GNU.sparse.offset", "4000"),
                ("GNU.sparse.numbytes", "6"),
            ],
        ),
        (
            "pax 0.1",
            &[
                ("GNU.sparse.size", "5000"),
                ("GNU.sparse.numblocks", "2"),
                ("GNU.sparse.name", "sparse"),
                ("GNU.sparse.map", "100,5,4000,6"),
            ],
        ),
        (
            "pax 1.0",
            &[
                ("GNU.sparse.major", "1"),
                ("GNU.sparse.minor", "0"),
                ("GNU.sparse.name", "sparse"),
                ("GNU.sparse.realsize", "5000"),
            ],
        ),
    ];
    for (version, list) in versions {
        let mut records = Vec::new();
        for (key, value) in list {
            pax_record(&mut records, key, value.as_bytes());
        }
        let mut stored = Vec::new();
        if version == "pax 1.0" {
            stored.extend_from_slice(b"2\n100\n5\n4000\n6\n");
            stored.resize(512, 0);
        }
        stored.extend_from_slice(data);
        let mut tar = Tar::default();
        tar.pax(&records).file(
            if version == "pax 0.0" {
                "sparse"
            } else {
                "GNUSparseFile.1/sparse"
            },
            &stored,
        );
        archives.push((version, tar.finish()));
    }
    for (version, mut bytes) in archives {
        let (path, kind, _, content) = only(&bytes);
        assert_eq!((path.as_str(), kind), ("sparse", EntryKind::File), "{version}");
        assert!(content == expected, "{version}");
        // A file after it is found.
        bytes.truncate(bytes.len() - 1024);
        bytes.extend(Tar::default().file("next", b"x").finish());
        assert_eq!(read(&bytes).0.len(), 2, "{version}");
    }
}

#[test]
fn maps_of_sparse_files_must_make_sense() {
    for (map, size) in [
        ("100,5,50,5", 5000),
        ("0,5000,5000,1", 5000),
        ("0,11", 5),
        ("0,600", 5000),
        ("1,x", 9),
        ("1", 9),
        ("18446744073709551615,18446744073709551615", 5000),
    ] {
        let mut records = Vec::new();
        pax_record(&mut records, "GNU.sparse.size", size.to_string().as_bytes());
        pax_record(&mut records, "GNU.sparse.map", map.as_bytes());
        let mut tar = Tar::default();
        tar.pax(&records).file("sparse", b"firstsecond");
        let (entries, error) = read(&tar.finish());
        assert!(entries.is_empty() && error.is_some(), "{map}");
    }
}

#[test]
fn how_archives_end() {
    let mut tar = Tar::default();
    tar.file("a", b"aaa").file("b", b"bbb");
    assert_eq!(read(&tar.unfinished()).1, None, "the end mark may be missing");
    let unpadded = &tar.unfinished()[..tar.unfinished().len() - 509];
    assert_eq!(
        (read(unpadded).0.len(), read(unpadded).1),
        (2, None),
        "and the last padding"
    );
    assert_eq!(read(b"").1, None);
    assert_eq!(read(&[0; 512]).1, None);
    let mut after = tar.finish();
    after.extend(Tar::default().file("hidden", b"x").finish());
    assert_eq!(read(&after).0.len(), 2, "what follows the end mark is not read");
    let mut gap = tar.unfinished();
    gap.extend([0; 512]);
    gap.extend(Tar::default().file("c", b"x").finish());
    assert!(
        read(&gap)
            .1
            .is_some_and(|error| error.contains("single zero block"))
    );
    let whole = tar.unfinished();
    for length in 0..whole.len() {
        let (entries, error) = read(&whole[..length]);
        let clean = matches!(length, 0 | 1024) || (515..1024).contains(&length) || length >= 1024 + 515;
        assert_eq!(error.is_none(), clean, "{length}");
        assert_eq!(
            entries.len(),
            usize::from(length >= 515) + usize::from(length >= 1539),
            "{length}"
        );
    }
    let mut damaged = whole;
    damaged[700] ^= 1;
    assert_eq!(read(&damaged).1, None, "content has no checksum");
    damaged[1030] ^= 1;
    assert!(
        read(&damaged)
            .1
            .is_some_and(|error| error == "the tar header at byte 1024 is damaged: its checksum is wrong")
    );
}

#[test]
fn extended_headers_are_capped() {
    let mut tar = Tar::default();
    for _ in 0..100 {
        tar.entry(&Header::new(b'L', b"x", b"", 2, 0), b"y\0");
    }
    assert!(
        read(&tar.finish())
            .1
            .is_some_and(|error| error.contains("too many extended headers"))
    );
    let header = Header::new(b'x', b"x", b"", 2 << 20, 0);
    assert!(
        read(&one(&header, b""))
            .1
            .is_some_and(|error| error.contains("larger than 1 MiB"))
    );
    let mut tar = Tar::default();
    tar.file(&"n/".repeat(3000), b"left out").file("kept", b"");
    let bytes = tar.finish();
    let mut reader = TarReader::new(Stream(&bytes[..]), 4096);
    assert!(reader.advance().unwrap());
    assert_eq!((reader.entry().path, reader.overlong()), ("kept", 1));
}

#[test]
fn files_are_skipped_by_seeking() {
    let mut tar = Tar::default();
    tar.file("a", &vec![1; 100_000])
        .file("b", b"bbb")
        .file("c", &vec![2; 70_000]);
    let mut file = tempfile::tempfile().unwrap();
    io::Write::write_all(&mut file, &tar.finish()).unwrap();
    io::Seek::rewind(&mut file).unwrap();
    let mut reader = TarReader::new(Seekable::new(file.try_clone().unwrap()).unwrap(), 4096);
    let mut offsets = Vec::new();
    while reader.advance().unwrap() {
        offsets.push(reader.content_offset());
    }
    assert_eq!(offsets, [512, 101_376, 102_400]);
    // A file that breaks off inside what is skipped is noticed.
    file.set_len(110_000).unwrap();
    io::Seek::rewind(&mut file).unwrap();
    let mut reader = TarReader::new(Seekable::new(file).unwrap(), 4096);
    assert!(reader.advance().unwrap() && reader.advance().unwrap() && reader.advance().unwrap());
    assert!(matches!(
        reader.advance(),
        Err(TarError::Truncated { at: 110_000 })
    ));
}

proptest! {
    #[test]
    fn names_are_normalised_as_everywhere(name in proptest::collection::vec(prop_oneof![
        4 => Just(b'a'), 3 => Just(b'.'), 3 => Just(b'/'), 1 => any::<u8>()
    ], 0..24)) {
        let mut path = "left over".to_owned();
        let escapes = normalise_into(&name, &mut path);
        let text = model::path::from_bytes(&name);
        prop_assert_eq!(&path, &model::path::normalise(&text));
        prop_assert_eq!(escapes, model::path::escapes(&text));
    }

    #[test]
    fn damaged_archives_never_panic(
        changes in proptest::collection::vec((0..4096_usize, any::<u8>(), any::<bool>()), 0..12)
    ) {
        let mut records = Vec::new();
        pax_record(&mut records, "path", b"long");
        pax_record(&mut records, "GNU.sparse.map", b"0,1,2,1");
        pax_record(&mut records, "GNU.sparse.size", b"9");
        let mut tar = Tar::default();
        tar.pax(&records).file("a", b"ab").file("b", &[7; 700]);
        let mut bytes = tar.finish();
        for (at, value, repair) in changes {
            let at = at % bytes.len();
            bytes[at] = value;
            if repair {
                // A checksum that is right lets the damage in.
                let start = at / 512 * 512;
                let block = &mut bytes[start..start + 512];
                block[148..156].fill(b' ');
                let sum: u32 = block.iter().map(|&byte| u32::from(byte)).sum();
                block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
            }
        }
        let (entries, _) = read(&bytes);
        prop_assert!(entries.len() < 10);
    }
}
