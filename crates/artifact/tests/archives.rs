//! Zip archives inside files: every dialect that Java and Python read, broken ones, and bombs.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "tests make and read their own files"
)]

use artifact::archives::{ZipLimits, for_each_member_of};
use artifact::{Limited, Limits};
use model::{Archives, Content, MemoryContent, ZipMember, ZipVisitor};
use std::io::{Cursor, Read};
use testkit::zip::{Options, Zip};

/// Takes everything, and opens what ends with `.jar`.
struct Take<'a> {
    archives: &'a dyn Archives,
    members: Vec<(String, Vec<u8>)>,
    messages: Vec<String>,
}

impl ZipVisitor for Take<'_> {
    fn wants(&mut self, _member: &ZipMember<'_>) -> bool {
        true
    }

    fn file(&mut self, member: &ZipMember<'_>, content: &mut dyn Content) {
        if member.name.ends_with(".jar") {
            if let Err(message) = self.archives.zip(content, self) {
                self.messages.push(message);
            }
            return;
        }
        let size = content.size();
        let mut bytes = Vec::new();
        content.reader().unwrap().read_to_end(&mut bytes).unwrap();
        assert_eq!(bytes.len() as u64, size);
        assert_eq!(content.bytes(size).unwrap(), bytes);
        self.members.push((member.name.to_owned(), bytes));
    }
}

type Members = Vec<(String, Vec<u8>)>;

fn visit(limited: &Limited, bytes: Vec<u8>) -> (Result<(), String>, Members, Vec<String>) {
    let mut take = Take {
        archives: limited,
        members: Vec::new(),
        messages: Vec::new(),
    };
    let archives = take.archives;
    let result = archives.zip(&mut MemoryContent(bytes), &mut take);
    (result, take.members, take.messages)
}

fn names(members: &[(String, Vec<u8>)]) -> Vec<&str> {
    members.iter().map(|(name, _)| name.as_str()).collect()
}

#[test]
fn every_dialect_is_read() {
    let odd = |option: Options| Zip::new().special("a/b.txt", b"content", option);
    let plain = Options::default();
    let large = vec![7; 3 << 20];
    for (what, bytes) in [
        ("deflated", odd(plain).build()),
        (
            "stored",
            odd(Options {
                stored: true,
                ..plain
            })
            .build(),
        ),
        (
            "data descriptor",
            odd(Options {
                data_descriptor: true,
                ..plain
            })
            .build(),
        ),
        ("zip64 member", odd(Options { zip64: true, ..plain }).build()),
        ("zip64 end", odd(plain).ending(b"", true)),
        (
            "comment",
            odd(plain).ending(b"a comment with PK\x05\x06 in it, longer than a record is", false),
        ),
    ] {
        for prefix in [&b""[..], b"#!/bin/bash\nexec java -jar $0\n"] {
            let bytes = [prefix, &bytes].concat();
            let (result, members, _) = visit(&Limited::default(), bytes);
            assert_eq!(result, Ok(()), "{what}");
            assert_eq!(members, [("a/b.txt".to_owned(), b"content".to_vec())], "{what}");
        }
    }
    let zip = Zip::new()
        .file("big", &large)
        .file("big", b"second")
        .file("folder/", b"")
        .file("../../x", b"");
    let (result, members, _) = visit(&Limited::default(), zip.build());
    assert_eq!(result, Ok(()));
    assert_eq!(names(&members), ["big", "big", "x"]);
    assert_eq!(members[0].1, large, "a member over the memory limit is spooled");
    let (result, members, _) = visit(&Limited::default(), Zip::new().build());
    assert_eq!((result, members.len()), (Ok(()), 0));
}

#[test]
fn single_bad_members_do_not_hide_the_others() {
    let options = Options::default();
    let zip = Zip::new()
        .file("first", b"1")
        .special(
            "secret",
            b"2",
            Options {
                encrypted: true,
                ..options
            },
        )
        .special(
            "damaged",
            b"3",
            Options {
                wrong_checksum: true,
                ..options
            },
        )
        .file("last", b"4");
    let (result, members, _) = visit(&Limited::default(), zip.build());
    let message = result.unwrap_err();
    assert!(message.contains("`secret`: it is encrypted"), "{message}");
    assert!(message.contains("`damaged`: its checksum is wrong"), "{message}");
    assert_eq!(names(&members), ["first", "damaged", "last"]);
}

#[test]
fn truncated_archives_say_so() {
    let whole = Zip::new()
        .file("a", b"aaaaaaaaaaaaaaaa")
        .file("b", b"bbbb")
        .build();
    for length in 0..whole.len() {
        let (result, _, _) = visit(&Limited::default(), whole[..length].to_vec());
        assert!(result.is_err(), "{length}");
    }
    // Any damaged byte gives members or a message, and no panic.
    for at in 0..whole.len() {
        for value in [0, 0xff, whole[at] ^ 0x40] {
            let mut bytes = whole.clone();
            bytes[at] = value;
            let _ = visit(&Limited::default(), bytes);
        }
    }
}

#[test]
fn nested_bombs_stop_at_the_budget() {
    let limits = Limits {
        max_archive_bytes: 20 << 20,
        ..Limits::default()
    };
    let zeros = vec![0; 4 << 20];
    let mut inner = Zip::new();
    for number in 0..4 {
        inner = inner.file(&format!("zeros{number}"), &zeros);
    }
    let inner = inner.build();
    let mut outer = Zip::new();
    for number in 0..8 {
        outer = outer.file(&format!("{number}.jar"), &inner);
    }
    let limited = Limited::new(&limits);
    let (_, members, messages) = visit(&limited, outer.build());
    assert_eq!(members.len(), 4, "16 MiB fit, the next does not");
    assert!(
        messages[0].contains("more than the limit of 20971520 bytes"),
        "{messages:?}"
    );
    // The next top-level file has a budget of its own.
    let (result, members, _) = visit(&limited, inner);
    assert_eq!((result, members.len()), (Ok(()), 4));
}

#[test]
fn the_ratio_and_the_depth_are_limited() {
    let limits = Limits {
        ratio_free_bytes: 1 << 20,
        ..Limits::default()
    };
    let zeros = Zip::new().file("zeros", vec![0; 16 << 20]).build();
    let (result, members, _) = visit(&Limited::new(&limits), zeros);
    assert!(result.unwrap_err().contains("decompression bomb"));
    assert!(members.is_empty());

    let mut nested = Zip::new().file("leaf", b"x").build();
    for _ in 0..40 {
        nested = Zip::new().stored("inner.jar", &nested).build();
    }
    let (_, members, messages) = visit(&Limited::default(), nested);
    assert!(members.is_empty());
    assert!(
        messages
            .iter()
            .any(|message| message.contains("nested more than 12 deep")),
        "{messages:?}"
    );

    let mut many = Zip::new();
    for number in 0..50 {
        many = many.file(&number.to_string(), b"");
    }
    let limits = Limits {
        max_archive_members: 20,
        ..Limits::default()
    };
    let (result, members, _) = visit(&Limited::new(&limits), many.build());
    assert!(result.unwrap_err().contains("more members than the limit of 20"));
    assert_eq!(members.len(), 20);
}

#[test]
fn streams_inside_files_are_limited() {
    let text = b"some text".repeat(100);
    let gzip = testkit::image::compress(&text, testkit::image::Compression::Gzip);
    let limited = Limited::default();
    assert_eq!(limited.gzip(&gzip, 900).unwrap(), text);
    assert!(
        limited
            .gzip(&gzip, 899)
            .unwrap_err()
            .contains("more than the limit of 899 bytes")
    );
    assert!(limited.gzip(&gzip[..20], 900).unwrap_err().contains("damaged"));
    let zstd = testkit::image::compress(&text, testkit::image::Compression::Zstd);
    assert_eq!(limited.zstd(&zstd, 900).unwrap(), text);
    assert!(
        limited
            .zstd(&zstd, 899)
            .unwrap_err()
            .contains("limit of 899 bytes")
    );
    assert!(
        limited
            .zstd(&zstd[..zstd.len() - 1], 900)
            .unwrap_err()
            .contains("damaged")
    );
    assert!(limited.zlib(b"no zlib", 900).unwrap_err().contains("damaged"));
}

#[test]
fn members_are_streamed_in_order() {
    let mut zip = Zip::new();
    for number in 0..3000 {
        zip = zip.file(&format!("A-{number}.json"), format!("{{\"id\":{number}}}"));
    }
    let bytes = zip.build();
    let mut count = 0;
    for_each_member_of(
        &mut Cursor::new(&bytes),
        &ZipLimits::default(),
        &mut |name, content| {
            let mut text = String::new();
            content.read_to_string(&mut text).unwrap();
            assert_eq!(
                (name, text),
                (&*format!("A-{count}.json"), format!("{{\"id\":{count}}}"))
            );
            count += 1;
        },
    )
    .unwrap();
    assert_eq!(count, 3000);
    let limits = ZipLimits {
        max_member_bytes: 4,
        ..ZipLimits::default()
    };
    let message = for_each_member_of(&mut Cursor::new(&bytes), &limits, &mut |_, content| {
        let _ = std::io::copy(content, &mut std::io::sink());
    })
    .unwrap_err();
    assert!(message.contains("more bytes than the limit"), "{message}");
}
