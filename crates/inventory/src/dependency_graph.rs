//! Who wants whom in a lock file: relation, scope and one shortest chain for each package, in linear time.

use crate::intake::PACKAGES;
use crate::relations::Reached;
use crate::{Extracted, Found, Note};
use model::{Package, Purl, Relation, Scope, path};
use std::borrow::Borrow;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::Hash;

/// Most links of a chain that are kept: the project's end of it. Real chains are shorter.
const LONGEST_CHAIN: usize = 16;

/// Most links of all chains of one file, so that a million packages in a row do not fill the memory.
const MOST_LINKS: usize = 1_000_000;

/// Most edges of one file: packages by the hundred thousand with forty each.
const MOST_EDGES: usize = 4_000_000;

/// Stands for a package that was left out because there were too many.
pub(crate) const LEFT_OUT: Id = Id::MAX;

/// Most packages of one name that are told apart when another asks for the name.
const MOST_OF_A_NAME: usize = 64;

/// Longest name that stands in a chain, in bytes; longer ones are cut.
const LONGEST_LABEL: usize = 200;

/// Position of a package in a graph.
pub(crate) type Id = u32;

/// Packages and who wants whom.
#[derive(Default)]
pub(crate) struct DependencyGraph {
    nodes: Vec<Member>,
    known: HashMap<Purl, Id>,
    /// Packages beyond the most that are kept of one file.
    left_out: usize,
    edges: Vec<(Id, Id, Scope)>,
    roots: Vec<Id>,
    /// The format tells the scope of what roots want, so that it can be told of all packages.
    scoped: bool,
}

enum Member {
    Listed(Box<Package>),
    /// The project, which is not listed; with `name@version`, or empty.
    Project(String),
}

impl Member {
    fn label(&self) -> String {
        match self {
            Self::Listed(package) => label(&package.name, &package.version),
            Self::Project(label) => label.clone(),
        }
    }
}

/// `name@version` as it stands in chains; the name alone where there is no version.
pub(crate) fn label(name: &str, version: &str) -> String {
    let at = if name.is_empty() || version.is_empty() {
        ""
    } else {
        "@"
    };
    let version = if name.is_empty() { "" } else { version };
    let text = format!("{}{at}{}", cut(name, LONGEST_LABEL), cut(version, LONGEST_LABEL));
    cut(&text, LONGEST_LABEL).to_owned()
}

/// The beginning of a text, at most `length` bytes.
pub(crate) fn cut(text: &str, length: usize) -> &str {
    &text[..text.floor_char_boundary(length)]
}

/// Packages by the name they are asked for by, of which there may be several.
pub(crate) struct ByName<K, V> {
    names: HashMap<K, Vec<V>>,
}

impl<K, V> Default for ByName<K, V> {
    fn default() -> Self {
        Self {
            names: HashMap::new(),
        }
    }
}

impl<K: Eq + Hash, V: PartialEq> ByName<K, V> {
    /// Adds one. Beyond a cap, which keeps a file of equal names from taking quadratic time, it is not found by name.
    pub(crate) fn add(&mut self, name: K, value: V) {
        let same = self.names.entry(name).or_default();
        if same.len() < MOST_OF_A_NAME && !same.contains(&value) {
            same.push(value);
        }
    }

    /// All of a name.
    pub(crate) fn all<Q: Eq + Hash + ?Sized>(&self, name: &Q) -> &[V]
    where
        K: Borrow<Q>,
    {
        self.names.get(name).map_or(&[], Vec::as_slice)
    }

    /// Names, each with one that has it.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.names
            .iter()
            .flat_map(|(name, all)| all.iter().map(move |value| (name, value)))
    }

    /// True when nothing was added.
    pub(crate) fn is_empty(&self) -> bool {
        self.names.is_empty()
    }
}

/// Packages in nested folders, where the nearest folder upwards that has a name answers for it.
#[derive(Default)]
pub(crate) struct NestedFolders<'a> {
    folders: HashMap<&'a str, HashMap<&'a str, Id>>,
}

impl<'a> NestedFolders<'a> {
    /// Most folders above a package that are looked into, and the longest path that has any.
    const MOST_FOLDERS: usize = 32;
    const LONGEST_PATH: usize = 1024;

    /// A package that those in `folder` and below it get by `name`.
    pub(crate) fn add(&mut self, folder: &'a str, name: &'a str, id: Id) {
        self.folders.entry(folder).or_default().insert(name, id);
    }

    /// What is seen from a folder, nearest first.
    pub(crate) fn seen_from(&self, folder: &str) -> Vec<&HashMap<&'a str, Id>> {
        let mut seen = Vec::new();
        let mut at = if folder.len() > Self::LONGEST_PATH {
            ""
        } else {
            folder
        };
        for _ in 0..Self::MOST_FOLDERS {
            if at.is_empty() {
                break;
            }
            seen.extend(self.folders.get(at));
            at = path::parent(at);
        }
        seen.extend(self.folders.get(""));
        seen
    }
}

impl DependencyGraph {
    /// A graph of a format that tells what is wanted only for development or is optional.
    pub(crate) fn scoped() -> Self {
        Self {
            scoped: true,
            ..Self::default()
        }
    }

    /// Adds a package, or merges it with the one of the same purl. Beyond the most packages that are kept of one file it is
    /// only counted, and nothing that is said of it has an effect.
    pub(crate) fn add(&mut self, package: Package) -> Id {
        if let Some(&id) = self.known.get(&package.purl) {
            if let Some(Member::Listed(have)) = self.nodes.get_mut(id as usize) {
                merge(have, package);
            }
            return id;
        }
        if self.known.len() >= PACKAGES {
            self.left_out += 1;
            return LEFT_OUT;
        }
        let id = self.next();
        self.known.insert(package.purl.clone(), id);
        self.nodes.push(Member::Listed(Box::new(package)));
        id
    }

    /// Adds a package of the project itself.
    pub(crate) fn add_root(&mut self, package: Package) -> Id {
        let id = self.add(package);
        if let Some(Member::Listed(package)) = self.nodes.get_mut(id as usize) {
            package.relation = Some(Relation::Root);
            self.roots.push(id);
        }
        id
    }

    /// Adds a project that is not listed, with `name@version` if it has a name.
    pub(crate) fn add_project(&mut self, label: impl Into<String>) -> Id {
        let id = self.next();
        self.nodes
            .push(Member::Project(cut(&label.into(), LONGEST_LABEL).to_owned()));
        self.roots.push(id);
        id
    }

    /// One package wants another.
    pub(crate) fn want(&mut self, from: Id, to: Id, scope: Scope) {
        if from != LEFT_OUT && to != LEFT_OUT && self.edges.len() < MOST_EDGES {
            self.edges.push((from, to, scope));
        }
    }

    /// How many packages it has.
    pub(crate) fn packages(&self) -> usize {
        self.known.len()
    }

    /// How many more packages there were than are kept of one file.
    pub(crate) fn left_out(&self) -> usize {
        self.left_out
    }

    fn next(&self) -> Id {
        // The caps on files keep this far below the limit of the type.
        Id::try_from(self.nodes.len()).unwrap_or(Id::MAX)
    }

    /// The packages, in the order in which they were added.
    pub(crate) fn finish(mut self) -> Vec<Package> {
        let count = self.nodes.len();
        self.edges
            .retain(|(from, to, _)| (*from as usize) < count && (*to as usize) < count);
        // Edges by their start: a counting sort.
        let mut starts = vec![0_usize; count + 1];
        for (from, _, _) in &self.edges {
            starts[*from as usize + 1] += 1;
        }
        for index in 0..count {
            starts[index + 1] += starts[index];
        }
        let mut filled = starts.clone();
        let mut sorted = vec![(0, Scope::Runtime); self.edges.len()];
        for (from, to, scope) in self.edges.drain(..) {
            let at = &mut filled[from as usize];
            sorted[*at] = (to, scope);
            *at += 1;
        }
        let wanted = |from: Id| &sorted[starts[from as usize]..starts[from as usize + 1]];

        let reached = Reached::walk(count, &self.roots, |from| wanted(from).iter().map(|(to, _)| *to));

        // First by what runs, then also by what is optional, then by all: a chain shows why a package has its scope.
        let by_scope = self.scoped.then(|| {
            Reached::walk_in_turns(count, &self.roots, 3, |from, turn| {
                wanted(from)
                    .iter()
                    .filter(move |(_, scope)| rank(*scope) <= u32::from(turn))
                    .map(|(to, _)| *to)
            })
        });
        let chains = by_scope.as_ref().unwrap_or(&reached);

        // Where the kept end of a long chain begins: the last package that is not too far from the project.
        let mut head: Vec<Id> = (0..).take(count).collect();
        let mut links = 0;
        for &id in chains.order() {
            let is_direct = reached.relation(id) == Some(Relation::Direct);
            let mut above = if is_direct {
                reached.parent(id)
            } else {
                chains.parent(id)
            };
            if !is_direct
                && chains
                    .depth(id)
                    .is_some_and(|depth| depth as usize > LONGEST_CHAIN)
                && let Some(parent) = above
            {
                head[id as usize] = head[parent as usize];
                above = Some(head[id as usize]);
            }
            let chain: Vec<Id> = if links < MOST_LINKS {
                chains.upwards(above).collect()
            } else {
                Vec::new()
            };
            links += chain.len();
            let labels: Vec<String> = chain
                .iter()
                .rev()
                .map(|above| self.nodes[*above as usize].label())
                .filter(|label| !label.is_empty())
                .collect();
            if let Member::Listed(package) = &mut self.nodes[id as usize] {
                package.path = labels;
                if package.relation.is_none() {
                    package.relation = reached.relation(id);
                }
                if package.scope.is_none() && package.relation != Some(Relation::Root) {
                    package.scope = by_scope
                        .as_ref()
                        .and_then(|walk| walk.turn(id))
                        .map(|turn| unrank(u32::from(turn)));
                }
            }
        }
        self.nodes
            .into_iter()
            .filter_map(|member| match member {
                Member::Listed(package) => Some(*package),
                Member::Project(_) => None,
            })
            .collect()
    }

    /// Puts the packages out and keeps who wants whom as notes, until [`join_manifests`] knows what the project wants.
    /// `requests` are the keys by which a manifest asks for packages. Packages of the project itself stay roots.
    pub(crate) fn suspend<'k>(self, requests: impl Iterator<Item = (&'k str, Id)>, out: &mut Extracted) {
        let mut edges = String::new();
        for (from, to, scope) in &self.edges {
            edges.push_str(&format!("{from} {to} {}\n", rank(*scope)));
        }
        out.notes.push(note("edges", edges));
        let mut keys = String::new();
        for (key, id) in requests {
            if id != LEFT_OUT && !key.contains(['\n', '\t']) {
                keys.push_str(&format!("{key}\t{id}\n"));
            }
        }
        out.notes.push(note("requests", keys));
        let packages = self.nodes.into_iter().filter_map(|member| match member {
            Member::Listed(package) => Some(*package),
            Member::Project(_) => None,
        });
        out.packages.extend(packages);
    }

    /// Finds the roots of a resumed graph, and where their edges are.
    fn find_roots(&mut self) -> Roots {
        let mut roots = Roots::default();
        for (id, member) in (0..).zip(&self.nodes) {
            if let Member::Listed(package) = member
                && package.relation == Some(Relation::Root)
            {
                self.roots.push(id);
                roots.by_name.insert(package.name.clone(), id);
                roots.edges.insert(id, Vec::new());
            }
        }
        for (index, (from, _, _)) in self.edges.iter().enumerate() {
            if let Some(edges) = roots.edges.get_mut(from) {
                edges.push(index);
            }
        }
        roots
    }

    /// Adds what a manifest tells: of a root that the lock file lists, the scopes of what it wants; else a project and
    /// what it wants.
    fn apply_manifest(&mut self, notes: &[Note], requests: &ByName<String, Id>, roots: &Roots) {
        self.scoped = true;
        let wanted = notes.iter().filter(|note| note.kind == "wants").flat_map(|note| {
            let scope = unrank(note.value.parse().unwrap_or(0));
            requests.all(&note.key).iter().map(move |id| (*id, scope))
        });
        let Some(project) = notes.iter().find(|note| note.kind == "project") else {
            return;
        };
        let listed = roots
            .by_name
            .get(&project.key)
            .and_then(|root| roots.edges.get(root));
        match listed {
            Some(edges) => {
                let mut scopes: HashMap<Id, Scope> = HashMap::new();
                for (id, scope) in wanted {
                    let have = scopes.entry(id).or_insert(scope);
                    if rank(scope) < rank(*have) {
                        *have = scope;
                    }
                }
                for index in edges {
                    if let Some((_, to, scope)) = self.edges.get_mut(*index) {
                        *scope = scopes.get(to).copied().unwrap_or(*scope);
                    }
                }
            }
            None => {
                let id = self.add_project(&*project.value);
                for (to, scope) in wanted {
                    self.edges.push((id, to, scope));
                }
            }
        }
    }

    /// The graph that [`Self::suspend`] kept, and its requests.
    fn resume(extracted: &mut Extracted) -> (Self, ByName<String, Id>) {
        let mut graph = Self::default();
        for package in extracted.packages.drain(..) {
            graph.nodes.push(Member::Listed(Box::new(package)));
        }
        let mut requests = ByName::default();
        for note in extracted.notes.drain(..) {
            for line in note.value.lines() {
                if note.kind == "edges" {
                    let mut fields = line.split(' ').map(str::parse::<Id>);
                    if let (Some(Ok(from)), Some(Ok(to)), Some(Ok(scope))) =
                        (fields.next(), fields.next(), fields.next())
                    {
                        graph.edges.push((from, to, unrank(scope)));
                    }
                } else if let Some((key, id)) = line.rsplit_once('\t')
                    && let Ok(id) = id.parse()
                {
                    requests.add(key.to_owned(), id);
                }
            }
        }
        (graph, requests)
    }
}

/// Packages of the project itself in a resumed graph.
#[derive(Default)]
struct Roots {
    by_name: HashMap<String, Id>,
    /// Positions of the edges from each root.
    edges: HashMap<Id, Vec<usize>>,
}

fn rank(scope: Scope) -> u32 {
    match scope {
        Scope::Runtime => 0,
        Scope::Optional => 1,
        Scope::Development => 2,
    }
}

fn unrank(rank: u32) -> Scope {
    match rank {
        0 => Scope::Runtime,
        1 => Scope::Optional,
        _ => Scope::Development,
    }
}

fn note(kind: &str, value: String) -> Note {
    Note {
        kind: kind.to_owned(),
        key: String::new(),
        value,
    }
}

/// Merges what two entries tell of the same package: the closer relation and the more needed scope win.
fn merge(have: &mut Package, other: Package) {
    have.relation = match (have.relation, other.relation) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    };
    have.scope = match (have.scope, other.scope) {
        (Some(a), Some(b)) => Some(if rank(a) <= rank(b) { a } else { b }),
        (a, b) => a.or(b),
    };
    if have.path.is_empty() {
        have.path = other.path;
    }
    for license in other.licenses {
        if !have.licenses.contains(&license) {
            have.licenses.push(license);
        }
    }
    for fact in other.facts {
        if !have.facts.contains(&fact) {
            have.facts.push(fact);
        }
    }
}

/// The packages with those of the same purl merged, in the order of their first places.
pub(crate) fn merged(packages: impl IntoIterator<Item = Package>) -> Vec<Package> {
    let mut graph = DependencyGraph::default();
    for package in packages {
        graph.add(package);
    }
    graph.finish()
}

/// What a manifest asks for, kept as notes for [`join_manifests`].
pub(crate) struct Manifest<'o> {
    out: &'o mut Extracted,
}

impl<'o> Manifest<'o> {
    /// A manifest of the project `name@version`, either of which may be empty.
    pub(crate) fn new(out: &'o mut Extracted, name: &str, version: &str) -> Self {
        let label = label(name, version);
        out.notes.push(Note {
            kind: "project".to_owned(),
            key: name.to_owned(),
            value: label,
        });
        Self { out }
    }

    /// It asks for a package by the key that the lock file knows it by.
    pub(crate) fn wants(&mut self, key: impl Into<String>, scope: Scope) {
        self.out.notes.push(Note {
            kind: "wants".to_owned(),
            key: key.into(),
            value: rank(scope).to_string(),
        });
    }
}

/// Joins lock files with the manifests of the same folder or, for workspaces, of folders below. A lock file without a
/// manifest keeps its packages, with their relation unknown; a manifest without a lock file gives nothing.
pub(crate) fn join_manifests(found: &mut Vec<Found>) {
    let is_lock = |file: &Found| file.extracted.notes.iter().any(|note| note.kind == "edges");
    let locks: HashSet<String> = found
        .iter()
        .filter(|file| is_lock(file))
        .map(|file| path::parent(&file.path).to_owned())
        .collect();
    // Folder of the lock file -> what its manifests want.
    let mut manifests: BTreeMap<String, Vec<Vec<Note>>> = BTreeMap::new();
    for file in found.iter_mut() {
        if !file.extracted.notes.iter().any(|note| note.kind == "project") {
            continue;
        }
        // What is wrong with a manifest only matters where it was to explain a lock file.
        let extracted = std::mem::take(&mut file.extracted);
        let notes = extracted.notes;
        let mut folder = path::parent(&file.path);
        loop {
            if locks.contains(folder) {
                file.extracted.problems = extracted.problems;
                manifests.entry(folder.to_owned()).or_default().push(notes);
                break;
            }
            if folder.is_empty() {
                break;
            }
            folder = path::parent(folder);
        }
    }
    for file in found.iter_mut() {
        if !is_lock(file) {
            continue;
        }
        let (mut graph, requests) = DependencyGraph::resume(&mut file.extracted);
        let roots = graph.find_roots();
        for notes in manifests.get(path::parent(&file.path)).into_iter().flatten() {
            graph.apply_manifest(notes, &requests, &roots);
        }
        file.extracted.packages = graph.finish();
    }
    found.retain(|file| !file.extracted.is_empty());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str) -> Package {
        Package::new("test", Purl::new("npm", "", name, "1"), "npm", name, "1")
    }

    #[test]
    fn shortest_chain_scope_and_relation() {
        let mut graph = DependencyGraph::scoped();
        let project = graph.add_project("app@1");
        let [a, b, c, d, e] = ["a", "b", "c", "d", "e"].map(|name| graph.add(package(name)));
        graph.want(project, a, Scope::Runtime);
        graph.want(project, d, Scope::Development);
        graph.want(a, b, Scope::Runtime);
        graph.want(b, c, Scope::Optional);
        graph.want(d, c, Scope::Runtime);
        graph.want(c, a, Scope::Runtime);
        let packages = graph.finish();
        let told: Vec<_> = packages
            .iter()
            .map(|package| (package.relation, package.scope, package.path.join(" > ")))
            .collect();
        let (direct, transitive) = (Some(Relation::Direct), Some(Relation::Transitive));
        let app = "app@1".to_owned();
        assert_eq!(told[a as usize - 1], (direct, Some(Scope::Runtime), app.clone()));
        assert_eq!(
            told[b as usize - 1],
            (transitive, Some(Scope::Runtime), "app@1 > a@1".to_owned())
        );
        assert_eq!(
            told[c as usize - 1],
            (transitive, Some(Scope::Optional), "app@1 > a@1 > b@1".to_owned())
        );
        assert_eq!(told[d as usize - 1], (direct, Some(Scope::Development), app));
        assert_eq!(told[e as usize - 1], (None, None, String::new()));
    }

    #[test]
    fn a_long_row_is_linear() {
        let mut graph = DependencyGraph::default();
        let mut last = graph.add_project("");
        for number in 0..PACKAGES {
            let next = graph.add(package(&number.to_string()));
            graph.want(last, next, Scope::Runtime);
            last = next;
        }
        let packages = graph.finish();
        assert_eq!(packages.len(), PACKAGES);
        assert_eq!(packages[3].path, ["0@1", "1@1", "2@1"]);
        assert!(packages.iter().all(|package| package.path.len() <= LONGEST_CHAIN));
        assert_eq!(packages[PACKAGES - 1].relation, Some(Relation::Transitive));
    }

    #[test]
    fn what_is_too_much_is_counted() {
        let mut graph = DependencyGraph::default();
        let project = graph.add_project("");
        let mut last = project;
        for number in 0..PACKAGES + 7 {
            last = graph.add(package(&number.to_string()));
            graph.want(project, last, Scope::Runtime);
        }
        assert_eq!(last, LEFT_OUT);
        assert_eq!(graph.add(package("0")), 1, "known ones are still known");
        assert_eq!((graph.packages(), graph.left_out()), (PACKAGES, 7));
        let packages = graph.finish();
        assert_eq!(packages.len(), PACKAGES);
        assert!(
            packages
                .iter()
                .all(|package| package.relation == Some(Relation::Direct))
        );
    }

    #[test]
    fn equal_packages_are_one() {
        let mut dev = package("a");
        dev.scope = Some(Scope::Development);
        let mut needed = package("a");
        needed.scope = Some(Scope::Runtime);
        let merged = merged([dev, package("b"), needed]);
        assert_eq!(merged.len(), 2);
        assert_eq!(merged[0].scope, Some(Scope::Runtime));
    }
}
