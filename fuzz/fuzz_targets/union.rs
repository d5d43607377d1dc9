//! Any lists of entries, merged as layers: links that lead in circles or out, whiteouts, files below files.
//! A line is an entry: a letter for its kind, its path and, after a tab, where it links to; an empty line begins a layer.
#![no_main]

use artifact::{EntryList, Union};
use libfuzzer_sys::fuzz_target;
use model::{Entry, EntryKind};

fuzz_target!(|data: &str| {
    let mut lists = vec![EntryList::default()];
    let mut paths: Vec<Vec<String>> = vec![Vec::new()];
    for line in data.lines() {
        if line.is_empty() && lists.len() < 16 {
            lists.push(EntryList::default());
            paths.push(Vec::new());
            continue;
        }
        let mut characters = line.chars();
        let kind = match characters.next() {
            Some('d') => EntryKind::Folder,
            Some('s') => EntryKind::Symlink,
            Some('h') => EntryKind::Hardlink,
            Some('o') => EntryKind::Special,
            _ => EntryKind::File,
        };
        let (path, link) = match characters.as_str().split_once('\t') {
            Some((path, link)) => (path, Some(link)),
            None => (characters.as_str(), None),
        };
        let path = model::path::normalise(path);
        let entry = Entry { path: &path, kind, size: 1, mode: 0o644, link };
        if let (Some(list), Some(paths)) = (lists.last_mut(), paths.last_mut()) {
            list.push(&entry);
            paths.push(path);
        }
    }
    for (list, paths) in lists.iter().zip(&paths) {
        let again: Vec<String> = list.iter().map(|listed| listed.entry().path.to_owned()).collect();
        assert_eq!(&again, paths, "an entry list tells what was put in");
    }
    let layers: Vec<&EntryList> = lists.iter().collect();
    let interesting: Vec<Vec<&str>> = paths.iter().map(|paths| paths.iter().map(String::as_str).collect()).collect();
    let union = Union::merge(&layers, &interesting);
    let _ = (union.survivors(), union.problems());
    for path in paths.iter().flatten() {
        let canonical = union.canonical(path);
        assert!(!canonical.split('/').any(|part| part == ".."), "{path:?} leads to {canonical:?}");
    }
    let _ = union.unread_link_targets(&|_| true);
});
