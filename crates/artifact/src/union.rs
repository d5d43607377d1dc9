//! Merges the layers of an image into the tree that a container sees, exactly, and tells which copies survive.
//!
//! The rules are those of container runtimes: a whiteout hides what lower layers hold, wherever it stands in its own layer;
//! an opaque mark hides a folder's lower content; an entry replaces what had its path, except a folder a folder; parents are
//! resolved through links that are there already, as on a merged `/usr`; a folder entry replaces a link.

use crate::entries::EntryList;
use model::{Entry, EntryKind, LayerIndex, Problem};
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

const ROOT: u32 = 0;
const NONE: u32 = u32::MAX;
/// Links followed for one path, as in Linux.
const MAX_HOPS: u32 = 40;
/// Paths in one merged tree.
const MAX_NODES: usize = 8 << 20;
/// Path components walked behind links in one merge: layers of links to links cost no more than this.
const MAX_LINK_STEPS: u64 = 50_000_000;
const OPAQUE: &str = ".wh..wh..opq";
const WHITEOUT: &str = ".wh.";
/// Prefix of what aufs keeps for itself.
const AUFS: &str = ".wh..wh.";

/// An interesting file whose copy is the one that a container sees.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Survivor {
    /// The layer it is from.
    pub layer: LayerIndex,
    /// Index into the layer's list of interesting paths.
    pub index: usize,
    /// Where it is in the merged tree: parents are no links.
    pub path: String,
}

/// A link under an interesting path to a file that was not interesting under its own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LinkTarget {
    /// The layer that holds the file.
    pub layer: LayerIndex,
    /// The file's path as that layer's entry list has it.
    pub target: String,
    /// The link's canonical path.
    pub link: String,
    /// True for a symbolic link, false for a hard link.
    pub symbolic: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Absent,
    Folder,
    File,
    Symlink,
    Special,
}

/// One path of the merged tree. Nodes stay when their file goes: they only become absent.
struct Node {
    parent: u32,
    name: (u32, u32),
    first_child: u32,
    next_sibling: u32,
    layer: LayerIndex,
    /// Index into the layer's interesting paths, of a file; [`NONE`] otherwise.
    interest: u32,
    /// Of a link: index into `targets` (symbolic) or `contents` (hard); [`NONE`] otherwise.
    link: u32,
    size: u64,
    mode: u16,
    kind: Kind,
    /// In its parent's list of children.
    attached: bool,
}

impl Node {
    /// One that is only named so far.
    fn absent(parent: u32, name: (u32, u32)) -> Self {
        Self {
            parent,
            name,
            first_child: NONE,
            next_sibling: NONE,
            layer: 0,
            interest: NONE,
            link: NONE,
            size: 0,
            mode: 0,
            kind: Kind::Absent,
            attached: false,
        }
    }
}

/// The file behind a hard link, which may be gone under its own path.
#[derive(Clone)]
struct HardContent {
    layer: LayerIndex,
    raw: String,
    interest: u32,
}

/// The merged tree.
pub struct Union {
    nodes: Vec<Node>,
    /// All names and link targets.
    text: String,
    /// Open-addressed table of hash and node number by parent and name: the node itself is touched only when the hash fits.
    slots: Vec<(u32, u32)>,
    keys: RandomState,
    targets: Vec<(u32, u32)>,
    contents: Vec<HardContent>,
    /// Paths as in their layer, of files that lie elsewhere in the tree.
    raw: HashMap<u32, String>,
    survivors: Vec<Survivor>,
    /// Components walked behind links so far.
    steps: AtomicU64,
    /// Grows when a folder or link goes away, so that remembered parents are looked up again.
    epoch: u64,
    full: bool,
}

/// What is still to be walked of a path, with the link targets in front of it.
struct Pending<'a> {
    path: &'a str,
    /// Ranges of `Union::text` to be walked first, the last one next.
    links: Vec<(usize, usize)>,
}

impl<'a> Pending<'a> {
    fn new(path: &'a str) -> Self {
        Self {
            path,
            links: Vec::new(),
        }
    }

    /// The next component, from a link's target or from the path.
    fn next<'t>(&mut self, text: &'t str) -> Option<&'t str>
    where
        'a: 't,
    {
        while let Some((start, end)) = self.links.pop() {
            let rest = text.get(start..end).unwrap_or_default();
            match rest.split_once('/') {
                Some((part, after)) => {
                    if !after.is_empty() {
                        self.links.push((start + part.len() + 1, end));
                    }
                    return Some(part);
                }
                None if !rest.is_empty() => return Some(rest),
                None => {}
            }
        }
        if self.path.is_empty() {
            return None;
        }
        let (part, rest) = self.path.split_once('/').unwrap_or((self.path, ""));
        self.path = rest;
        Some(part)
    }

    /// Puts a link's target in front.
    fn follow(&mut self, start: usize, end: usize) {
        if start < end {
            self.links.push((start, end));
        }
    }

    fn is_done(&self) -> bool {
        self.links.is_empty() && self.path.is_empty()
    }

    /// What is left, as text.
    fn rest(&self, text: &str) -> String {
        let mut rest = String::new();
        for &(start, end) in self.links.iter().rev() {
            rest.push_str(text.get(start..end).unwrap_or_default());
            rest.push('/');
        }
        rest.push_str(self.path);
        rest
    }
}

/// A path that is not in the tree: the deepest folder that is, and what is missing below it.
struct Missing {
    at: u32,
    rest: String,
}

impl Union {
    /// Merges layers, lowest first. `interesting[i]` are the paths of layer `i`, as in its list, that have results.
    #[must_use]
    pub fn merge(layers: &[&EntryList], interesting: &[Vec<&str>]) -> Self {
        let expected: usize = layers.iter().map(|list| list.len()).sum();
        let mut union = Self {
            nodes: Vec::with_capacity(expected.min(MAX_NODES) + 1),
            text: String::new(),
            slots: vec![(0, NONE); (expected.min(MAX_NODES) * 2).next_power_of_two().max(64)],
            keys: RandomState::new(),
            targets: Vec::new(),
            contents: Vec::new(),
            raw: HashMap::new(),
            survivors: Vec::new(),
            steps: AtomicU64::new(0),
            epoch: 0,
            full: false,
        };
        union.nodes.push(Node {
            kind: Kind::Folder,
            attached: true,
            ..Node::absent(ROOT, (0, 0))
        });
        let no_paths = Vec::new();
        for (layer, list) in layers.iter().enumerate() {
            let paths = interesting.get(layer).unwrap_or(&no_paths);
            let layer = LayerIndex::try_from(layer).unwrap_or(LayerIndex::MAX);
            if layer > 0 && list.whiteouts() > 0 {
                union.apply_whiteouts(list);
            }
            union.apply_entries(layer, list, paths);
        }
        union.drop_aufs_folders();
        union.collect_survivors();
        union
    }

    /// Surviving interesting files, by layer and index.
    #[must_use]
    pub fn survivors(&self) -> &[Survivor] {
        &self.survivors
    }

    /// What could not be merged exactly.
    #[must_use]
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if self.full {
            problems.push(Problem::general(format!(
                "the image has more than {MAX_NODES} paths; those beyond were left out when its layers were merged"
            )));
        }
        if self.steps.load(Ordering::Relaxed) >= MAX_LINK_STEPS {
            problems.push(Problem::general(
                "the image has links to links beyond reason; some were taken for folders when its layers were merged",
            ));
        }
        problems
    }

    /// Canonical path of any path in the merged tree: links in parents are followed, the last component is not.
    #[must_use]
    pub fn canonical(&self, path: &str) -> String {
        let normal = model::path::normalise(path);
        match self.lookup(&normal, false) {
            Ok(node) => self.path_of(node),
            Err(Missing { at, rest }) => {
                let folder = self.path_of(at);
                if folder.is_empty() {
                    model::path::normalise(&rest)
                } else {
                    model::path::normalise(&format!("{folder}/{rest}"))
                }
            }
        }
    }

    /// Links, symbolic and hard, whose own path `wants` finds interesting, but whose file has no result under its own path.
    /// `wants` is shown the link's path as a regular file with the target's size and mode.
    #[must_use]
    pub fn unread_link_targets(&self, wants: &dyn Fn(&Entry<'_>) -> bool) -> Vec<LinkTarget> {
        let survivors: HashSet<(LayerIndex, usize)> = self
            .survivors
            .iter()
            .map(|survivor| (survivor.layer, survivor.index))
            .collect();
        let read = |layer: LayerIndex, interest: u32| {
            interest != NONE && survivors.contains(&(layer, interest as usize))
        };
        let mut links = Vec::new();
        for number in 0..self.nodes.len() as u32 {
            let node = self.node(number);
            let file = match node.kind {
                Kind::File if node.link != NONE => number,
                Kind::Symlink => match self.lookup(&self.path_of(number), true) {
                    Ok(target) if self.node(target).kind == Kind::File => target,
                    _ => continue,
                },
                _ => continue,
            };
            let target = self.node(file);
            let (layer, raw, interest) = match self.contents.get(target.link as usize) {
                Some(content) => (content.layer, content.raw.clone(), content.interest),
                None => (
                    target.layer,
                    self.raw.get(&file).cloned().unwrap_or_else(|| self.path_of(file)),
                    target.interest,
                ),
            };
            if read(layer, interest) {
                continue;
            }
            let link = self.path_of(number);
            let shown = Entry {
                path: &link,
                kind: EntryKind::File,
                size: target.size,
                mode: u32::from(target.mode),
                link: None,
            };
            if wants(&shown) {
                links.push(LinkTarget {
                    layer,
                    target: raw,
                    link,
                    symbolic: node.kind == Kind::Symlink,
                });
            }
        }
        links.sort();
        links
    }

    fn node(&self, number: u32) -> &Node {
        &self.nodes[number as usize]
    }

    fn node_mut(&mut self, number: u32) -> &mut Node {
        &mut self.nodes[number as usize]
    }

    fn name_of(&self, node: &Node) -> &str {
        let (start, length) = node.name;
        self.text
            .get(start as usize..start as usize + length as usize)
            .unwrap_or_default()
    }

    fn path_of(&self, number: u32) -> String {
        let mut length = 0;
        let mut chain = Vec::new();
        let mut current = number;
        while current != ROOT {
            let node = self.node(current);
            length += node.name.1 as usize + 1;
            chain.push(current);
            current = node.parent;
        }
        let mut path = String::with_capacity(length);
        for &number in chain.iter().rev() {
            if !path.is_empty() {
                path.push('/');
            }
            path.push_str(self.name_of(self.node(number)));
        }
        path
    }

    fn hash(&self, parent: u32, name: &str) -> u32 {
        // Keyed: names come from the image, and collisions could be made on purpose otherwise.
        self.keys.hash_one((parent, name)) as u32
    }

    /// The node number, or the free slot, of a name.
    fn slot(&self, parent: u32, name: &str, hash: u32) -> (usize, Option<u32>) {
        let mask = self.slots.len() - 1;
        let mut at = hash as usize & mask;
        loop {
            let (known, number) = self.slots[at];
            if number == NONE {
                return (at, None);
            }
            if known == hash {
                let node = self.node(number);
                if node.parent == parent && self.name_of(node) == name {
                    return (at, Some(number));
                }
            }
            at = (at + 1) & mask;
        }
    }

    fn find(&self, parent: u32, name: &str) -> Option<u32> {
        self.slot(parent, name, self.hash(parent, name)).1
    }

    /// The node of a name, made when there is none; `None` when the tree is full.
    fn intern(&mut self, parent: u32, name: &str) -> Option<u32> {
        let hash = self.hash(parent, name);
        let (at, found) = self.slot(parent, name, hash);
        if found.is_some() {
            return found;
        }
        let start = u32::try_from(self.text.len()).ok();
        let length = u32::try_from(name.len()).ok();
        let (Some(start), Some(length), true) = (start, length, self.nodes.len() < MAX_NODES) else {
            self.full = true;
            return None;
        };
        let number = self.nodes.len() as u32;
        self.text.push_str(name);
        self.nodes.push(Node::absent(parent, (start, length)));
        self.slots[at] = (hash, number);
        if self.nodes.len() * 4 > self.slots.len() * 3 {
            self.grow();
        }
        Some(number)
    }

    fn grow(&mut self) {
        let size = self.slots.len() * 2;
        let mut slots = vec![(0, NONE); size];
        for &(hash, number) in self.slots.iter().filter(|(_, number)| *number != NONE) {
            let mut at = hash as usize & (size - 1);
            while slots[at].1 != NONE {
                at = (at + 1) & (size - 1);
            }
            slots[at] = (hash, number);
        }
        self.slots = slots;
    }

    /// Makes a node something else than absent.
    fn set(&mut self, number: u32, kind: Kind, layer: LayerIndex) {
        let parent = self.node(number).parent;
        if !self.node(number).attached {
            let next = self.node(parent).first_child;
            let node = self.node_mut(number);
            node.next_sibling = next;
            node.attached = true;
            self.node_mut(parent).first_child = number;
        }
        let node = self.node_mut(number);
        node.kind = kind;
        node.layer = layer;
        node.interest = NONE;
        node.link = NONE;
        node.size = 0;
        node.mode = 0;
    }

    /// Makes a node and everything below it absent.
    fn remove(&mut self, number: u32) {
        match self.node(number).kind {
            Kind::Absent => return,
            Kind::Folder | Kind::Symlink => self.epoch += 1,
            Kind::File => {
                self.raw.remove(&number);
            }
            Kind::Special => {}
        }
        self.node_mut(number).kind = Kind::Absent;
        self.remove_children(number);
    }

    fn remove_children(&mut self, number: u32) {
        let mut folders = vec![number];
        while let Some(folder) = folders.pop() {
            let mut child = std::mem::replace(&mut self.node_mut(folder).first_child, NONE);
            self.epoch += u64::from(child != NONE);
            while child != NONE {
                if !self.raw.is_empty() {
                    self.raw.remove(&child);
                }
                let node = self.node_mut(child);
                node.kind = Kind::Absent;
                node.attached = false;
                if node.first_child != NONE {
                    folders.push(child);
                }
                child = node.next_sibling;
            }
        }
    }

    fn apply_entries(&mut self, layer: LayerIndex, list: &EntryList, paths: &[&str]) {
        let paths: HashMap<&str, u32> = paths
            .iter()
            .enumerate()
            .map(|(index, &path)| (path, index as u32))
            .collect();
        // Archives list a folder's files one after the other: its node is remembered.
        let mut folder_path = String::new();
        let mut folder = (ROOT, false);
        let mut epoch = self.epoch;
        let mut cursor = list.cursor();
        while let Some(entry) = cursor.next_entry() {
            let (parent, name) = model::path::split(entry.path);
            if name.is_empty() || name.starts_with(WHITEOUT) {
                continue;
            }
            if epoch != self.epoch || parent != folder_path {
                let Some(found) = self.make_folders(parent, layer) else {
                    continue;
                };
                folder = found;
                folder_path.clear();
                folder_path.push_str(parent);
                epoch = self.epoch;
            }
            let Some(number) = self.intern(folder.0, name) else {
                continue;
            };
            self.apply_entry(number, layer, &entry, folder.1, &paths);
        }
    }

    /// Puts one entry at its node. `followed` tells that its path led through links.
    fn apply_entry(
        &mut self,
        number: u32,
        layer: LayerIndex,
        entry: &Entry<'_>,
        followed: bool,
        paths: &HashMap<&str, u32>,
    ) {
        match entry.kind {
            EntryKind::Folder => {
                if self.node(number).kind != Kind::Folder {
                    self.remove(number);
                    self.set(number, Kind::Folder, layer);
                }
            }
            EntryKind::File => {
                self.remove(number);
                self.set(number, Kind::File, layer);
                let interest = paths.get(entry.path).copied().unwrap_or(NONE);
                let node = self.node_mut(number);
                node.size = entry.size;
                node.mode = entry.mode as u16;
                node.interest = interest;
                if followed {
                    self.raw.insert(number, entry.path.to_owned());
                }
            }
            EntryKind::Symlink => {
                self.remove(number);
                self.set(number, Kind::Symlink, layer);
                let target = entry.link.unwrap_or_default();
                let range = (self.text.len(), target.len());
                if let (Ok(start), Ok(length)) = (u32::try_from(range.0), u32::try_from(range.1)) {
                    self.text.push_str(target);
                    self.node_mut(number).link = self.targets.len() as u32;
                    self.targets.push((start, length));
                } else {
                    self.full = true;
                }
            }
            EntryKind::Hardlink => self.apply_hard_link(number, layer, entry),
            EntryKind::Special => {
                self.remove(number);
                self.set(number, Kind::Special, layer);
            }
        }
    }

    fn apply_hard_link(&mut self, number: u32, layer: LayerIndex, entry: &Entry<'_>) {
        let target = model::path::normalise(entry.link.unwrap_or_default());
        let file = match self.lookup(&target, false) {
            // A link to itself changes nothing.
            Ok(file) if file == number => return,
            Ok(file) => file,
            // A link to nothing, or to outside: no container could be made of it.
            Err(_) => {
                self.remove(number);
                self.set(number, Kind::Special, layer);
                return;
            }
        };
        let node = self.node(file);
        let (kind, size, mode, link) = (node.kind, node.size, node.mode, node.link);
        let mut content = NONE;
        if kind == Kind::File {
            content = match self.contents.get(link as usize) {
                Some(_) => link,
                None => {
                    let raw = self.raw.get(&file).cloned().unwrap_or_else(|| self.path_of(file));
                    let node = self.node(file);
                    self.contents.push(HardContent {
                        layer: node.layer,
                        raw,
                        interest: node.interest,
                    });
                    self.contents.len() as u32 - 1
                }
            };
        }
        self.remove(number);
        match kind {
            Kind::File => {
                self.set(number, Kind::File, layer);
                let node = self.node_mut(number);
                node.size = size;
                node.mode = mode;
                node.link = content;
            }
            Kind::Symlink => {
                self.set(number, Kind::Symlink, layer);
                self.node_mut(number).link = link;
            }
            Kind::Absent | Kind::Folder | Kind::Special => self.set(number, Kind::Special, layer),
        }
    }

    /// The folder at a path, made where it is missing; links on the way are followed. Also whether there were any. `None` when
    /// the tree is full.
    fn make_folders(&mut self, path: &str, layer: LayerIndex) -> Option<(u32, bool)> {
        let mut pending = Pending::new(path);
        let mut current = ROOT;
        let mut hops = 0;
        let mut followed = false;
        // The link in the path itself that is being followed.
        let mut anchor = ROOT;
        loop {
            let in_path = pending.links.is_empty();
            let Some(part) = pending.next(&self.text) else {
                return Some((current, followed));
            };
            match part {
                "" | "." => continue,
                ".." => {
                    current = self.node(current).parent;
                    continue;
                }
                _ => {}
            }
            self.may_walk(hops);
            let child = match self.find(current, part) {
                Some(child) => child,
                None => {
                    let part = part.to_owned();
                    self.intern(current, &part)?
                }
            };
            let kind = self.node(child).kind;
            match kind {
                Kind::Folder => current = child,
                Kind::Symlink if hops < MAX_HOPS && self.may_walk(hops + 1) => {
                    hops += 1;
                    followed = true;
                    if in_path {
                        anchor = child;
                    }
                    let (start, end, absolute) = self.target(child);
                    pending.follow(start, end);
                    if absolute {
                        current = ROOT;
                    }
                }
                // A link that leads round and round makes room for a folder, where the path has it.
                Kind::Symlink => {
                    let folder = if in_path { child } else { anchor };
                    pending.links.clear();
                    self.remove(folder);
                    self.set(folder, Kind::Folder, layer);
                    current = folder;
                    hops = 0;
                }
                // So does everything else: the entry below it is there, so that runtimes must have made a folder.
                _ => {
                    self.remove(child);
                    self.set(child, Kind::Folder, layer);
                    current = child;
                }
            }
        }
    }

    /// Counts a step of a walk that has followed so many links; false when all walks together took too many.
    fn may_walk(&self, hops: u32) -> bool {
        hops == 0 || self.steps.fetch_add(1, Ordering::Relaxed) < MAX_LINK_STEPS
    }

    /// A link's target: its range in the text, and whether it is absolute.
    fn target(&self, number: u32) -> (usize, usize, bool) {
        let (start, length) = self
            .targets
            .get(self.node(number).link as usize)
            .copied()
            .unwrap_or((0, 0));
        let (start, end) = (start as usize, start as usize + length as usize);
        let absolute = self
            .text
            .get(start..end)
            .is_some_and(|text| text.starts_with('/'));
        (start, end, absolute)
    }

    /// Finds a path in the tree; links in parents are followed, the last component's only when `follow_last`.
    fn lookup(&self, path: &str, follow_last: bool) -> Result<u32, Missing> {
        let mut pending = Pending::new(path);
        let mut current = ROOT;
        let mut hops = 0;
        while let Some(part) = pending.next(&self.text) {
            match part {
                "" | "." => continue,
                ".." => {
                    current = self.node(current).parent;
                    continue;
                }
                _ => {}
            }
            let missing = |pending: &Pending<'_>| {
                let rest = pending.rest(&self.text);
                Missing {
                    at: current,
                    rest: format!("{part}/{rest}"),
                }
            };
            let child = match self.find(current, part) {
                Some(child) if self.node(child).kind != Kind::Absent => child,
                _ => return Err(missing(&pending)),
            };
            self.may_walk(hops);
            let last = pending.is_done();
            match self.node(child).kind {
                Kind::Folder => current = child,
                Kind::Symlink if !last || follow_last => {
                    hops += 1;
                    if hops > MAX_HOPS || !self.may_walk(hops) {
                        return Err(missing(&pending));
                    }
                    let (start, end, absolute) = self.target(child);
                    pending.follow(start, end);
                    if absolute {
                        current = ROOT;
                    }
                }
                _ if last => return Ok(child),
                _ => return Err(missing(&pending)),
            }
        }
        Ok(current)
    }

    /// Hides what a layer's whiteouts and opaque marks name. Done before the layer's own entries are applied, so that it
    /// makes no difference where the marks stand in the layer.
    fn apply_whiteouts(&mut self, list: &EntryList) {
        // Folder entries of the layer replace links of lower layers, and below such folders nothing lower is left to hide.
        let mut folders: Option<HashSet<String>> = None;
        // All marks are about the tree as the lower layers left it: looked up first, applied then.
        let mut hidden_nodes = Vec::new();
        let mut opaque_nodes = Vec::new();
        let mut cursor = list.cursor();
        while let Some(entry) = cursor.next_entry() {
            let (parent, name) = model::path::split(entry.path);
            let Some(hidden) = name.strip_prefix(WHITEOUT) else {
                continue;
            };
            let opaque = name == OPAQUE;
            if !opaque && (name.starts_with(AUFS) || matches!(hidden, "" | "." | "..")) {
                continue;
            }
            let Some(folder) = self.lower_folder(parent, list, &mut folders) else {
                continue;
            };
            if opaque {
                opaque_nodes.push(folder);
            } else if let Some(number) = self.find(folder, hidden) {
                hidden_nodes.push(number);
            }
        }
        for number in opaque_nodes {
            self.remove_children(number);
        }
        for number in hidden_nodes {
            self.remove(number);
        }
    }

    /// The lower layers' folder at a path, unless the layer of `list` replaces a link on the way by a folder.
    fn lower_folder(
        &self,
        path: &str,
        list: &EntryList,
        folders: &mut Option<HashSet<String>>,
    ) -> Option<u32> {
        let mut current = ROOT;
        let mut depth = 0;
        for part in path.split('/').filter(|part| !part.is_empty()) {
            depth += part.len() + usize::from(depth > 0);
            let child = self.find(current, part)?;
            current = match self.node(child).kind {
                Kind::Folder => child,
                Kind::Symlink => {
                    let folders = folders.get_or_insert_with(|| {
                        list.iter()
                            .filter(|entry| entry.kind == EntryKind::Folder)
                            .map(|entry| entry.path)
                            .collect()
                    });
                    if path.get(..depth).is_some_and(|front| folders.contains(front)) {
                        return None;
                    }
                    let target = self.lookup(&self.path_of(child), true).ok()?;
                    (self.node(target).kind == Kind::Folder).then_some(target)?
                }
                _ => return None,
            };
        }
        Some(current)
    }

    fn drop_aufs_folders(&mut self) {
        let mut child = self.node(ROOT).first_child;
        let mut aufs = Vec::new();
        while child != NONE {
            let node = self.node(child);
            if self.name_of(node).starts_with(AUFS) {
                aufs.push(child);
            }
            child = node.next_sibling;
        }
        for number in aufs {
            self.remove(number);
        }
    }

    fn collect_survivors(&mut self) {
        let mut survivors = Vec::new();
        for (number, node) in self.nodes.iter().enumerate() {
            if node.kind == Kind::File && node.interest != NONE {
                survivors.push(Survivor {
                    layer: node.layer,
                    index: node.interest as usize,
                    path: self.path_of(number as u32),
                });
            }
        }
        survivors.sort();
        self.survivors = survivors;
    }
}

#[cfg(test)]
mod tests;
