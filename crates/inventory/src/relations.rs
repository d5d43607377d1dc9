//! From a dependency graph to each package's relation and the chain that brought it in.

use model::{Package, Relation};
use std::collections::VecDeque;

/// Chains longer than this are left out: with many packages they would take memory in proportion to the square of their
/// number, and nobody reads them.
const CHAIN_LIMIT: usize = 64;
/// Bytes that all chains may take together; beyond, packages have none.
const TEXT_LIMIT: usize = 64 << 20;

/// Sets relation and path of the packages that can be reached from the roots by `edges`, which name indices of `packages` and
/// may point anywhere; the shortest chain wins. Without roots nothing is known.
pub(crate) fn apply<E: AsRef<[usize]>>(packages: &mut [Package], roots: &[usize], edges: &[E]) {
    // For each package how deep it is (root 0) and which package brought it.
    let mut reached: Vec<Option<(usize, Option<usize>)>> = vec![None; packages.len()];
    let mut queue = VecDeque::new();
    for &root in roots {
        if let Some(place @ None) = reached.get_mut(root) {
            *place = Some((0, None));
            queue.push_back(root);
        }
    }
    while let Some(index) = queue.pop_front() {
        let depth = reached
            .get(index)
            .copied()
            .flatten()
            .map_or(0, |(depth, _)| depth);
        for &next in edges.get(index).map(AsRef::as_ref).unwrap_or_default() {
            if let Some(place @ None) = reached.get_mut(next) {
                *place = Some((depth + 1, Some(index)));
                queue.push_back(next);
            }
        }
    }
    let labels: Vec<String> = packages
        .iter()
        .map(|package| {
            if package.version.is_empty() {
                package.name.clone()
            } else {
                format!("{}@{}", package.name, package.version)
            }
        })
        .collect();
    let mut text_left = TEXT_LIMIT;
    for (index, package) in packages.iter_mut().enumerate() {
        let Some((depth, mut parent)) = reached.get(index).copied().flatten() else {
            continue;
        };
        package.relation = Some(match depth {
            0 => Relation::Root,
            1 => Relation::Direct,
            _ => Relation::Transitive,
        });
        if depth > CHAIN_LIMIT {
            continue;
        }
        let mut chain: Vec<&String> = Vec::with_capacity(depth);
        while let Some(above) = parent {
            chain.extend(labels.get(above));
            parent = reached
                .get(above)
                .copied()
                .flatten()
                .and_then(|(_, parent)| parent);
        }
        let text: usize = chain.iter().map(|label| label.len() + size_of::<String>()).sum();
        if let Some(left) = text_left.checked_sub(text) {
            text_left = left;
            package.path = chain.into_iter().rev().cloned().collect();
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
        let edges: Vec<Vec<usize>> = (0..count).map(|index| vec![index + 1, 0]).collect();
        apply(&mut packages, &[0], &edges);
        assert_eq!(packages[0].relation, Some(Relation::Root));
        assert_eq!(packages[2].path, ["p0@1", "p1@1"]);
        assert_eq!(packages[64].path.len(), 64);
        assert!(packages[65].path.is_empty());
        assert_eq!(packages[count - 1].relation, Some(Relation::Transitive));
    }
}
