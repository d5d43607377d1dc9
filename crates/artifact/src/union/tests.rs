//! The merge against its rules, and against a naive model that works on whole paths.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// One entry of a test layer: path, kind, link target.
type Item = (String, EntryKind, String);

fn item(path: &str, kind: EntryKind, link: &str) -> Item {
    (path.to_owned(), kind, link.to_owned())
}

fn file(path: &str) -> Item {
    item(path, EntryKind::File, "")
}

fn folder(path: &str) -> Item {
    item(path, EntryKind::Folder, "")
}

fn symlink(path: &str, target: &str) -> Item {
    item(path, EntryKind::Symlink, target)
}

fn hardlink(path: &str, target: &str) -> Item {
    item(path, EntryKind::Hardlink, target)
}

fn list(items: &[Item]) -> EntryList {
    let mut list = EntryList::default();
    for (path, kind, link) in items {
        list.push(&Entry {
            path,
            kind: *kind,
            size: 1,
            mode: 0o644,
            link: matches!(kind, EntryKind::Symlink | EntryKind::Hardlink).then_some(link),
        });
    }
    list
}

/// Merges layers in which every file is interesting.
fn merge(layers: &[Vec<Item>]) -> Union {
    let lists: Vec<EntryList> = layers.iter().map(|items| list(items)).collect();
    let lists: Vec<&EntryList> = lists.iter().collect();
    let interesting: Vec<Vec<&str>> = layers
        .iter()
        .map(|items| {
            items
                .iter()
                .filter(|(_, kind, _)| *kind == EntryKind::File)
                .map(|(path, ..)| path.as_str())
                .collect()
        })
        .collect();
    Union::merge(&lists, &interesting)
}

fn tree(layers: &[Vec<Item>]) -> Vec<(String, u32)> {
    let mut files: Vec<(String, u32)> = merge(layers)
        .survivors()
        .iter()
        .map(|survivor| (survivor.path.clone(), survivor.layer))
        .collect();
    files.sort();
    files
}

#[track_caller]
fn check(layers: &[Vec<Item>], expected: &[(&str, u32)]) {
    let expected: Vec<(String, u32)> = expected
        .iter()
        .map(|(path, layer)| ((*path).to_owned(), *layer))
        .collect();
    assert_eq!(tree(layers), expected);
    assert_eq!(naive(layers), expected, "the naive model");
}

#[test]
fn whiteouts_hide_lower_layers_wherever_they_stand() {
    let lower = vec![file("a/x"), file("a/y"), file("b/deep/z")];
    for upper in [
        vec![file("a/.wh.x"), file("a/x")],
        vec![file("a/x"), file("a/.wh.x")],
    ] {
        check(
            &[lower.clone(), upper],
            &[("a/x", 1), ("a/y", 0), ("b/deep/z", 0)],
        );
    }
    for upper in [
        vec![file(".wh.b"), file("b/new")],
        vec![file("b/new"), file(".wh.b")],
    ] {
        check(&[lower.clone(), upper], &[("a/x", 0), ("a/y", 0), ("b/new", 1)]);
    }
    // In the lowest layer there is nothing to hide, and a name that only looks like a whiteout hides nothing.
    check(&[vec![file("a"), file(".wh.a")]], &[("a", 0)]);
    check(
        &[
            vec![file("a/b")],
            vec![file("a/.wh."), file("a/.wh..."), file("a/.wh..")],
        ],
        &[("a/b", 0)],
    );
}

#[test]
fn opaque_folders_hide_what_was_in_them() {
    let lower = vec![file("a/x"), file("a/b/y"), file("c")];
    for upper in [
        vec![folder("a"), file("a/.wh..wh..opq"), file("a/new")],
        vec![file("a/new"), file("a/.wh..wh..opq")],
    ] {
        check(&[lower.clone(), upper], &[("a/new", 1), ("c", 0)]);
    }
    check(
        &[
            lower,
            vec![
                file(".wh..wh.plnk/1.2"),
                file(".wh..wh.aufs"),
                hardlink("d", ".wh..wh.plnk/1.2"),
            ],
        ],
        &[("a/b/y", 0), ("a/x", 0), ("c", 0)],
    );
}

#[test]
fn kinds_replace_each_other() {
    check(&[vec![file("a")], vec![folder("a"), file("a/b")]], &[("a/b", 1)]);
    check(&[vec![file("a")], vec![file("a/b")]], &[("a/b", 1)]);
    check(&[vec![file("a/b"), file("a/c/d")], vec![file("a")]], &[("a", 1)]);
    check(&[vec![file("a/b")], vec![symlink("a", "c")]], &[]);
    check(&[vec![file("a/b")], vec![folder("a")]], &[("a/b", 0)]);
    check(&[vec![file("a"), file("a"), file("b")]], &[("a", 0), ("b", 0)]);
    check(
        &[vec![file("a/b")], vec![item("a/b", EntryKind::Special, "")]],
        &[],
    );
    check(&[vec![file("a"), symlink("a", "b")]], &[]);
}

#[test]
fn parents_are_resolved_through_links() {
    let merged_usr = vec![
        folder("usr/lib"),
        symlink("lib", "usr/lib"),
        symlink("bin", "/usr/bin"),
    ];
    check(
        &[merged_usr.clone(), vec![file("lib/x"), file("bin/sh")]],
        &[("usr/bin/sh", 1), ("usr/lib/x", 1)],
    );
    check(
        &[merged_usr.clone(), vec![file("lib/x")], vec![file("usr/lib/x")]],
        &[("usr/lib/x", 2)],
    );
    check(
        &[
            merged_usr.clone(),
            vec![file("usr/lib/x")],
            vec![file("lib/.wh.x")],
        ],
        &[],
    );
    check(
        &[
            merged_usr.clone(),
            vec![file("usr/lib/x")],
            vec![folder("lib"), file("lib/y")],
        ],
        &[("lib/y", 2), ("usr/lib/x", 1)],
    );
    // The layer's own folder replaces the link, so that its opaque mark is not about the link's target.
    check(
        &[
            merged_usr.clone(),
            vec![file("usr/lib/x")],
            vec![folder("lib"), file("lib/.wh..wh..opq"), file("lib/y")],
        ],
        &[("lib/y", 2), ("usr/lib/x", 1)],
    );
    check(
        &[
            merged_usr.clone(),
            vec![file("usr/lib/x")],
            vec![file("lib/.wh..wh..opq"), file("lib/y")],
        ],
        &[("usr/lib/y", 2)],
    );
    check(
        &[vec![symlink("a", "../../b/../c")], vec![file("a/x")]],
        &[("c/x", 1)],
    );
    let union = merge(&[merged_usr, vec![file("lib/x/y")]]);
    for (path, canonical) in [
        ("/lib/x/y", "usr/lib/x/y"),
        ("lib", "lib"),
        ("lib/absent/file", "usr/lib/absent/file"),
        ("bin/sh", "usr/bin/sh"),
        ("usr//lib/./x", "usr/lib/x"),
        ("", ""),
    ] {
        assert_eq!(union.canonical(path), canonical, "{path}");
    }
}

#[test]
fn loops_of_links_end() {
    check(
        &[vec![symlink("a", "b"), symlink("b", "a")], vec![file("a/x")]],
        &[("a/x", 1)],
    );
    check(&[vec![symlink("a", "a/a/a")], vec![file("a/x")]], &[("a/x", 1)]);
    let mut chain: Vec<Item> = (0..100)
        .map(|number| symlink(&format!("l{number}"), &format!("l{}", number + 1)))
        .collect();
    chain.push(file("l0/x"));
    assert_eq!(merge(&[chain]).survivors().len(), 1);
    let union = merge(&[vec![symlink("a", "a"), symlink("b", "/b/b")]]);
    assert_eq!(union.canonical("a/x"), "a/x");
    assert_eq!(union.unread_link_targets(&|_| true), []);
    // Each level doubles the walk that the next one takes.
    let mut bomb = vec![folder("d")];
    for number in 0..64 {
        let target = format!("../l{n}/../l{n}/..", n = number + 1);
        bomb.push(symlink(&format!("d/l{number}"), &target));
    }
    bomb.extend((0..2000).map(|number| file(&format!("d/l{}/x{number}", number % 64))));
    assert_eq!(merge(&[bomb]).problems(), []);
}

#[test]
fn hard_links_keep_their_file() {
    let lower = vec![
        file("a"),
        hardlink("b", "a"),
        hardlink("c", "b"),
        hardlink("none", "absent"),
    ];
    check(std::slice::from_ref(&lower), &[("a", 0)]);
    let links = |layers: &[Vec<Item>]| -> Vec<(u32, String, String)> {
        merge(layers)
            .unread_link_targets(&|_| true)
            .into_iter()
            .map(|link| (link.layer, link.target, link.link))
            .collect()
    };
    assert_eq!(
        links(std::slice::from_ref(&lower)),
        [],
        "the file is read under its own name"
    );
    // The file's own name goes, its content stays under the others.
    assert_eq!(
        links(&[lower.clone(), vec![file(".wh.a")]]),
        [
            (0, "a".to_owned(), "b".to_owned()),
            (0, "a".to_owned(), "c".to_owned())
        ]
    );
    assert_eq!(
        links(&[lower, vec![file("a"), hardlink("d", "b")]]),
        [
            (0, "a".to_owned(), "b".to_owned()),
            (0, "a".to_owned(), "c".to_owned()),
            (0, "a".to_owned(), "d".to_owned())
        ]
    );
    check(&[vec![file("a"), hardlink("a", "a")]], &[("a", 0)]);
}

#[test]
fn links_to_files_that_were_not_read() {
    let lists = [
        list(&[
            symlink("lib", "usr/lib"),
            file("lib/os-release"),
            symlink("etc/os-release", "../usr/lib/os-release"),
        ]),
        list(&[
            symlink("etc/release", "os-release"),
            symlink("gone", "nowhere"),
            symlink("dir", "usr"),
        ]),
    ];
    let lists: Vec<&EntryList> = lists.iter().collect();
    let union = Union::merge(&lists, &[vec![], vec![]]);
    let links = union.unread_link_targets(&|entry| entry.path.ends_with("release") && entry.size == 1);
    let expected = |link: &str| LinkTarget {
        layer: 0,
        target: "lib/os-release".to_owned(),
        link: link.to_owned(),
        symbolic: true,
    };
    assert_eq!(links, [expected("etc/os-release"), expected("etc/release")]);
    let union = Union::merge(&lists, &[vec!["lib/os-release"], vec![]]);
    assert_eq!(union.unread_link_targets(&|_| true), []);
}

/// What a path of the naive model is.
#[derive(Clone, PartialEq)]
enum Thing {
    Folder,
    File(Option<u32>),
    Symlink(String),
    Special,
}

/// The rules once more, over a map of whole paths, slowly and plainly.
fn naive(layers: &[Vec<Item>]) -> Vec<(String, u32)> {
    let mut tree: BTreeMap<String, Thing> = BTreeMap::new();
    for (number, items) in layers.iter().enumerate() {
        if number > 0 {
            let below = tree.clone();
            for (path, ..) in items {
                let (parent, name) = model::path::split(path);
                let Some(hidden) = name.strip_prefix(".wh.") else {
                    continue;
                };
                // A folder entry of this layer over a lower link: nothing lower is below it.
                let replaced = items.iter().any(|(front, kind, _)| {
                    *kind == EntryKind::Folder
                        && (parent == front || parent.starts_with(&format!("{front}/")))
                        && !front.is_empty()
                        && naive_resolve(&below, model::path::parent(front), 0).is_some_and(|folder| {
                            let at = model::path::join(&folder, model::path::file_name(front));
                            matches!(below.get(&at), Some(Thing::Symlink(_)))
                        })
                });
                if replaced {
                    continue;
                }
                let Some(folder) = naive_resolve(&below, parent, 0) else {
                    continue;
                };
                if name == ".wh..wh..opq" {
                    let front = if folder.is_empty() {
                        String::new()
                    } else {
                        format!("{folder}/")
                    };
                    tree.retain(|path, _| !path.starts_with(&front) || path.is_empty());
                } else if !name.starts_with(".wh..wh.") && !matches!(hidden, "" | "." | "..") {
                    naive_remove(&mut tree, &model::path::join(&folder, hidden));
                }
            }
        }
        for (path, kind, link) in items {
            let (parent, name) = model::path::split(path);
            if name.starts_with(".wh.") {
                continue;
            }
            let folder = naive_make(&mut tree, parent);
            let at = if folder.is_empty() {
                name.to_owned()
            } else {
                format!("{folder}/{name}")
            };
            let thing = match kind {
                EntryKind::File => Thing::File(Some(number as u32)),
                EntryKind::Folder => {
                    if tree.get(&at) == Some(&Thing::Folder) {
                        continue;
                    }
                    Thing::Folder
                }
                EntryKind::Symlink => Thing::Symlink(link.clone()),
                EntryKind::Special => Thing::Special,
                EntryKind::Hardlink => {
                    let target = model::path::normalise(link);
                    let (parent, name) = model::path::split(&target);
                    let target =
                        naive_resolve(&tree, parent, 0).map(|folder| model::path::join(&folder, name));
                    if target.as_deref() == Some(&*at) {
                        continue;
                    }
                    match target.and_then(|target| tree.get(&target).cloned()) {
                        Some(Thing::File(_)) => Thing::File(None),
                        Some(Thing::Symlink(link)) => Thing::Symlink(link),
                        _ => Thing::Special,
                    }
                }
            };
            naive_remove(&mut tree, &at);
            tree.insert(at, thing);
        }
    }
    tree.retain(|path, _| !path.starts_with(".wh..wh."));
    tree.into_iter()
        .filter_map(|(path, thing)| match thing {
            Thing::File(Some(layer)) => Some((path, layer)),
            _ => None,
        })
        .collect()
}

fn naive_remove(tree: &mut BTreeMap<String, Thing>, path: &str) {
    let below = format!("{path}/");
    tree.retain(|known, _| known != path && !known.starts_with(&below));
}

/// The folder that a path leads to, if all of it is there.
fn naive_resolve(tree: &BTreeMap<String, Thing>, path: &str, hops: u32) -> Option<String> {
    let parts: Vec<&str> = path.split('/').collect();
    let mut current = String::new();
    for (number, part) in parts.iter().enumerate() {
        match *part {
            "" | "." => continue,
            ".." => {
                current = model::path::parent(&current).to_owned();
                continue;
            }
            _ => {}
        }
        let next = model::path::join(&current, part);
        match tree.get(&next)? {
            Thing::Folder => current = next,
            Thing::Symlink(target) if hops < MAX_HOPS => {
                let rest = parts[number + 1..].join("/");
                let start = if target.starts_with('/') {
                    String::new()
                } else {
                    current
                };
                return naive_resolve(tree, &format!("{start}/{target}/{rest}"), hops + 1);
            }
            _ => return None,
        }
    }
    Some(current)
}

/// The folder that a path leads to, made where it is missing.
fn naive_make(tree: &mut BTreeMap<String, Thing>, path: &str) -> String {
    // Components, and whether they are of the path itself.
    let mut pending: Vec<(String, bool)> = path
        .split('/')
        .rev()
        .map(|part| (part.to_owned(), true))
        .collect();
    let mut current = String::new();
    let mut anchor = String::new();
    let mut hops = 0;
    while let Some((part, in_path)) = pending.pop() {
        match part.as_str() {
            "" | "." => continue,
            ".." => {
                current = model::path::parent(&current).to_owned();
                continue;
            }
            _ => {}
        }
        let next = if current.is_empty() {
            part
        } else {
            format!("{current}/{part}")
        };
        match tree.get(&next).cloned() {
            Some(Thing::Folder) => current = next,
            Some(Thing::Symlink(target)) if hops < MAX_HOPS => {
                hops += 1;
                if in_path {
                    anchor = next;
                }
                pending.extend(target.split('/').rev().map(|part| (part.to_owned(), false)));
                if target.starts_with('/') {
                    current = String::new();
                }
            }
            Some(Thing::Symlink(_)) => {
                current = if in_path { next } else { anchor.clone() };
                pending.retain(|(_, in_path)| *in_path);
                naive_remove(tree, &current);
                tree.insert(current.clone(), Thing::Folder);
                hops = 0;
            }
            _ => {
                naive_remove(tree, &next);
                tree.insert(next.clone(), Thing::Folder);
                current = next;
            }
        }
    }
    current
}

fn any_item() -> impl Strategy<Value = Item> {
    let name = prop_oneof![4 => Just("a"), 4 => Just("b"), 2 => Just("c")];
    let leaf = prop_oneof![
        4 => Just("a"), 4 => Just("b"), 2 => Just("c"),
        1 => Just(".wh.a"), 1 => Just(".wh.b"), 1 => Just(".wh..wh..opq"),
    ];
    let kind = prop_oneof![
        5 => Just(EntryKind::File), 3 => Just(EntryKind::Folder), 3 => Just(EntryKind::Symlink),
        1 => Just(EntryKind::Hardlink), 1 => Just(EntryKind::Special),
    ];
    (
        proptest::collection::vec(name, 0..3),
        leaf,
        kind,
        "(/|\\.\\./)?[abc](/[abc])?",
    )
        .prop_map(|(parents, leaf, kind, link)| {
            let mut parts = parents;
            parts.push(leaf);
            let kind = if leaf.starts_with(".wh.") {
                EntryKind::File
            } else {
                kind
            };
            (parts.join("/"), kind, link)
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn agrees_with_the_naive_model(
        layers in proptest::collection::vec(proptest::collection::vec(any_item(), 0..8), 1..4)
    ) {
        prop_assert_eq!(tree(&layers), naive(&layers));
    }

    #[test]
    fn canonical_paths_stay(
        layers in proptest::collection::vec(proptest::collection::vec(any_item(), 0..8), 1..4)
    ) {
        let union = merge(&layers);
        for survivor in union.survivors() {
            prop_assert_eq!(&union.canonical(&survivor.path), &survivor.path);
        }
    }
}
