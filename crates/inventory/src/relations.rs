//! How packages of a dependency graph are reached from its roots: their relation, and the chain that brought each in.

use crate::dependency_graph::{Id, label};
use model::{Package, Relation};

/// Chains longer than this are left out: with many packages they would take memory in proportion to the square of their
/// number, and nobody reads them.
const CHAIN_LIMIT: usize = 64;
/// Bytes that all chains may take together; beyond, packages have none.
const TEXT_LIMIT: usize = 64 << 20;

/// What a breadth-first walk from the roots tells: the shortest way to each member of a graph.
pub(crate) struct Reached {
    order: Vec<Id>,
    ways: Vec<Option<Way>>,
}

/// How a member was reached.
#[derive(Clone, Copy)]
struct Way {
    /// Links from the root; 0 for roots.
    depth: u32,
    /// The member above it.
    parent: Option<Id>,
    turn: u8,
}

impl Reached {
    /// Walks a graph of `count` members. Roots and what `wanted` gives may lie outside it; such are passed over.
    pub(crate) fn walk<I: Iterator<Item = Id>>(count: usize, roots: &[Id], wanted: impl Fn(Id) -> I) -> Self {
        Self::walk_in_turns(count, roots, 1, |from, _| wanted(from))
    }

    /// Walks a graph several times, each time by the links that `wanted` gives for that turn and from all that was reached
    /// before; a member keeps the way of its first turn.
    pub(crate) fn walk_in_turns<I: Iterator<Item = Id>>(
        count: usize,
        roots: &[Id],
        turns: u8,
        wanted: impl Fn(Id, u8) -> I,
    ) -> Self {
        let mut reached = Self {
            order: Vec::new(),
            ways: vec![None; count],
        };
        for &root in roots {
            reached.enter(root, 0, None, 0);
        }
        for turn in 0..turns {
            let mut next = 0;
            while let Some(&from) = reached.order.get(next) {
                next += 1;
                let depth = reached.depth(from).unwrap_or(0);
                for to in wanted(from, turn) {
                    reached.enter(to, depth + 1, Some(from), turn);
                }
            }
        }
        reached
    }

    fn enter(&mut self, id: Id, depth: u32, parent: Option<Id>, turn: u8) {
        if let Some(way @ None) = self.ways.get_mut(id as usize) {
            *way = Some(Way { depth, parent, turn });
            self.order.push(id);
        }
    }

    fn way(&self, id: Id) -> Option<Way> {
        self.ways.get(id as usize).copied()?
    }

    /// The turn in which a member was reached; `None` for what is not reached.
    pub(crate) fn turn(&self, id: Id) -> Option<u8> {
        Some(self.way(id)?.turn)
    }

    /// The members that are reached, nearest first.
    pub(crate) fn order(&self) -> &[Id] {
        &self.order
    }

    /// Links from the nearest root; `None` for what is not reached.
    pub(crate) fn depth(&self, id: Id) -> Option<u32> {
        Some(self.way(id)?.depth)
    }

    /// Relation to the project, which the roots are.
    pub(crate) fn relation(&self, id: Id) -> Option<Relation> {
        Some(match self.depth(id)? {
            0 => Relation::Root,
            1 => Relation::Direct,
            _ => Relation::Transitive,
        })
    }

    /// The member through which this one was reached first; `None` for roots.
    pub(crate) fn parent(&self, id: Id) -> Option<Id> {
        self.way(id)?.parent
    }

    /// `from`, and all above it up to the root.
    pub(crate) fn upwards(&self, from: Option<Id>) -> impl Iterator<Item = Id> {
        std::iter::successors(from, |id| self.parent(*id))
    }
}

/// Sets relation and chain of listed packages that can be reached from the roots, all of them positions in `packages` that
/// may be wrong; the shortest chain wins. Without roots nothing is known.
pub(crate) fn relate<I: Iterator<Item = Id>>(
    packages: &mut [Package],
    roots: &[Id],
    wanted: impl Fn(Id) -> I,
) {
    let reached = Reached::walk(packages.len(), roots, wanted);
    let labels: Vec<String> = packages
        .iter()
        .map(|package| label(&package.name, &package.version))
        .collect();
    let mut text_left = TEXT_LIMIT;
    for (id, package) in (0..).zip(packages) {
        let Some(depth) = reached.depth(id) else {
            continue;
        };
        package.relation = reached.relation(id);
        if depth as usize > CHAIN_LIMIT {
            continue;
        }
        let mut chain: Vec<&String> = reached
            .upwards(reached.parent(id))
            .filter_map(|above| labels.get(above as usize))
            .collect();
        chain.reverse();
        let text: usize = chain.iter().map(|label| label.len() + size_of::<String>()).sum();
        if let Some(left) = text_left.checked_sub(text) {
            text_left = left;
            package.path = chain.into_iter().cloned().collect();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::Purl;

    #[test]
    fn deep_chains_and_cycles_end() {
        let count = 50_000;
        let mut packages: Vec<Package> = (0..count)
            .map(|index| {
                let name = format!("p{index}");
                Package::new("test", Purl::new("npm", "", &name, "1"), "npm", name, "1")
            })
            .collect();
        let edges: Vec<Vec<Id>> = (0..count as Id).map(|index| vec![index + 1, 0]).collect();
        relate(&mut packages, &[0], |from| edges[from as usize].iter().copied());
        assert_eq!(packages[0].relation, Some(Relation::Root));
        assert_eq!(packages[2].path, ["p0@1", "p1@1"]);
        assert_eq!(packages[64].path.len(), 64);
        assert!(packages[65].path.is_empty());
        assert_eq!(packages[count - 1].relation, Some(Relation::Transitive));
    }
}
