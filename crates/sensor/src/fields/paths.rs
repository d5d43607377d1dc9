//! Paths as text: made absolute against a folder, cleaned of `.`, `..` and doubled slashes, without looking at any file.

use std::borrow::Cow;

/// `path` as the file system would read it from the folder `base`, links not followed. Without `base`, a relative path
/// cannot be told.
pub(crate) fn absolute<'a>(base: Option<&'a [u8]>, path: &'a [u8]) -> Option<Cow<'a, [u8]>> {
    if path.first() == Some(&b'/') {
        if is_clean(path) {
            return Some(Cow::Borrowed(path));
        }
        return Some(Cow::Owned(cleaned(b"", path)));
    }
    let base = base?;
    if path.is_empty() && is_clean(base) {
        return Some(Cow::Borrowed(base));
    }
    Some(Cow::Owned(cleaned(base, path)))
}

fn is_clean(path: &[u8]) -> bool {
    if path == b"/" {
        return true;
    }
    let Some(rest) = path.strip_prefix(b"/") else {
        return false;
    };
    rest.split(|byte| *byte == b'/')
        .all(|part| !matches!(part, b"" | b"." | b".."))
}

fn cleaned(base: &[u8], path: &[u8]) -> Vec<u8> {
    let mut clean = Vec::with_capacity(base.len() + path.len() + 1);
    for part in base
        .split(|byte| *byte == b'/')
        .chain(path.split(|byte| *byte == b'/'))
    {
        match part {
            b"" | b"." => {}
            b".." => {
                let end = clean.iter().rposition(|byte| *byte == b'/').unwrap_or(0);
                clean.truncate(end);
            }
            _ => {
                clean.push(b'/');
                clean.extend_from_slice(part);
            }
        }
    }
    if clean.is_empty() {
        clean.push(b'/');
    }
    clean
}

/// Doubled slashes made single; nothing else is changed.
pub(crate) fn without_doubled_slashes(path: &[u8]) -> Cow<'_, [u8]> {
    if !path.windows(2).any(|pair| pair == b"//") {
        return Cow::Borrowed(path);
    }
    let mut single = Vec::with_capacity(path.len());
    for byte in path {
        if *byte != b'/' || single.last() != Some(&b'/') {
            single.push(*byte);
        }
    }
    Cow::Owned(single)
}

/// The folder of a file.
pub(crate) fn folder(path: &[u8]) -> &[u8] {
    match path.iter().rposition(|byte| *byte == b'/') {
        None | Some(0) => b"/",
        Some(at) if at + 1 == path.len() => path,
        Some(at) => &path[..at],
    }
}

/// The name of a file without its folder.
pub(crate) fn file_name(path: &[u8]) -> &[u8] {
    match path.iter().rposition(|byte| *byte == b'/') {
        None => b"/",
        Some(at) if at + 1 == path.len() => path,
        Some(at) => &path[at + 1..],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absolute_paths() {
        let table: &[(Option<&str>, &str, Option<&str>)] = &[
            (None, "/etc/passwd", Some("/etc/passwd")),
            (Some("/x"), "/etc/passwd", Some("/etc/passwd")),
            (Some("/etc"), "passwd", Some("/etc/passwd")),
            (Some("/etc/"), "./passwd", Some("/etc/passwd")),
            (Some("/"), "passwd", Some("/passwd")),
            (Some("/a/b"), "../../../etc//shadow", Some("/etc/shadow")),
            (None, "/etc/../etc/../etc/shadow", Some("/etc/shadow")),
            (None, "//etc///x/", Some("/etc/x")),
            (None, "/..", Some("/")),
            (None, "/", Some("/")),
            (Some("/a"), "", Some("/a")),
            (Some("/a"), ".", Some("/a")),
            (None, "passwd", None),
            (None, "/a/...", Some("/a/...")),
        ];
        for (base, path, expected) in table {
            let got = absolute(base.map(str::as_bytes), path.as_bytes());
            assert_eq!(got.as_deref(), expected.map(str::as_bytes), "{base:?} {path}");
        }
        assert!(matches!(absolute(None, b"/etc/passwd"), Some(Cow::Borrowed(_))));
    }

    #[test]
    fn parts_of_paths() {
        for (path, parent, name) in [
            ("/etc/passwd", "/etc", "passwd"),
            ("/etc", "/", "etc"),
            ("/", "/", "/"),
            ("plain", "/", "/"),
        ] {
            assert_eq!(folder(path.as_bytes()), parent.as_bytes(), "{path}");
            assert_eq!(file_name(path.as_bytes()), name.as_bytes(), "{path}");
        }
        assert_eq!(without_doubled_slashes(b"a//b///../c"), &b"a/b/../c"[..]);
    }
}
