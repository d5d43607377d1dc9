//! What files of system packages (`*.deb`, `*.rpm`) share: they are installed nowhere, so no file beside them tells the
//! distribution that they are of.

use model::Package;

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
