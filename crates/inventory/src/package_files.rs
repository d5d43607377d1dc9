//! What files of system packages (`*.deb`, `*.rpm`) share: they are installed nowhere, so no file beside them tells the
//! distribution that they are of.

use crate::Found;
use model::{Package, Problem};

/// The distribution that a package file itself tells.
#[derive(Debug, PartialEq)]
pub(crate) struct OfDistribution {
    /// Namespace of its purls.
    pub(crate) namespace: &'static str,
    /// The qualifier `distro` (`debian-12`); empty when the release is not told.
    pub(crate) qualifier: String,
}

impl OfDistribution {
    /// Puts it into the package's purl.
    pub(crate) fn name(&self, package: &mut Package) {
        let purl = package.purl.clone().with_namespace(self.namespace);
        package.purl = if self.qualifier.is_empty() {
            purl
        } else {
            purl.with_qualifier("distro", &self.qualifier)
        };
    }
}

/// Packages that are named in a problem.
const NAMED: usize = 5;

/// Says which packages have no release to be matched with.
pub(crate) fn combine(found: &mut [Found]) {
    let unknown: Vec<String> = found
        .iter()
        .flat_map(|file| &file.extracted.packages)
        .filter(|package| package.purl.qualifier("distro").is_none())
        .map(|package| format!("`{}`", package.name))
        .collect();
    let named = unknown.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    let more = match unknown.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    if let Some(first) = found.iter_mut().find(|file| !file.extracted.packages.is_empty())
        && !unknown.is_empty()
    {
        first.extracted.problems.push(Problem::general(format!(
            "package files that do not tell the distribution's release they were made for are not matched: {named}{more}"
        )));
    }
}
