//! Installed R packages.

use crate::headers::{Continuation, Headers};
use crate::{Extracted, Extractor, File, Kind, license, reading};
use model::{Entry, EntryKind, Location, Meta, Package, Purl};

/// The member.
pub(super) static R_DESCRIPTION: RDescription = RDescription;

pub(super) struct RDescription;

static META: Meta = Meta {
    name: "r-description",
    title: "Installed R packages of CRAN, Bioconductor and git hosts",
    finds: &["DESCRIPTION with a field Built, in any R library"],
    needs: &[],
    references: &["https://cran.r-project.org/doc/manuals/r-release/R-exts.html#The-DESCRIPTION-file"],
};

/// Largest description that is read, in bytes.
const LIMIT: u64 = 4 << 20;

impl Extractor for RDescription {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn kind(&self) -> Kind {
        Kind::Installed
    }

    fn wants(&self, entry: &Entry<'_>) -> bool {
        entry.kind == EntryKind::File && entry.path.ends_with("/DESCRIPTION") && entry.size <= LIMIT
    }

    fn extract(&self, file: &mut File<'_>, out: &mut Extracted) {
        let location = file.entry.path;
        let Some(text) = reading::text(file.content, location, LIMIT, "the DESCRIPTION", out) else {
            return;
        };
        let headers = Headers::parse(&text, Continuation::NewLine);
        // Files of that name are common; the field `Built` is written when R installs a package.
        if headers.get("Built").is_empty() || headers.get("Package").is_empty() {
            return;
        }
        let (name, version) = (headers.get("Package"), headers.get("Version"));
        if version.is_empty() {
            return out.problem(location, format!("the DESCRIPTION of `{name}` has no version"));
        }
        let is_base = headers.get("Priority") == "base";
        let bioconductor =
            !headers.get("biocViews").is_empty() || headers.get("Repository").contains("Bioconductor");
        let (kind, ecosystem) = match (bioconductor, is_base) {
            (true, _) => ("bioconductor", "Bioconductor"),
            // R's own packages have R's version and no place of their own on CRAN.
            (false, true) => ("cran", ""),
            (false, false) => ("cran", "CRAN"),
        };
        let mut package = Package::new(
            META.name,
            Purl::new(kind, "", name, version),
            ecosystem,
            name,
            version,
        );
        package.licenses = licenses(headers.get("License"));
        package.locations.push(Location::file(location));
        if is_base {
            package.add_fact("priority", "base");
        }
        let remote = headers.get("RemoteType");
        if matches!(remote, "github" | "gitlab" | "bitbucket") {
            let host = match headers.get("RemoteHost") {
                "" | "api.github.com" => "github.com",
                host => host,
            };
            let (owner, repository) = (headers.get("RemoteUsername"), headers.get("RemoteRepo"));
            package.add_fact("git-url", format!("https://{host}/{owner}/{repository}"));
            package.add_fact("git-commit", headers.get("RemoteSha"));
        }
        out.packages.push(package);
    }
}

/// SPDX expressions of R's licence field, whose alternatives are separated by `|` and which has names of its own.
fn licenses(text: &str) -> Vec<String> {
    const KNOWN: [(&str, &str); 21] = [
        ("AGPL-3", "AGPL-3.0-only"),
        ("AGPL (>= 3)", "AGPL-3.0-or-later"),
        ("Apache License (== 2.0)", "Apache-2.0"),
        ("Apache License (>= 2)", "Apache-2.0"),
        ("Apache License (>= 2.0)", "Apache-2.0"),
        ("Apache License 2.0", "Apache-2.0"),
        ("Artistic License 2.0", "Artistic-2.0"),
        ("BSD_2_clause", "BSD-2-Clause"),
        ("BSD_3_clause", "BSD-3-Clause"),
        ("CC0", "CC0-1.0"),
        ("GPL", "GPL-1.0-or-later"),
        ("GPL (>= 2)", "GPL-2.0-or-later"),
        ("GPL (>= 2.0)", "GPL-2.0-or-later"),
        ("GPL (>= 3)", "GPL-3.0-or-later"),
        ("GPL-2", "GPL-2.0-only"),
        ("GPL-3", "GPL-3.0-only"),
        ("LGPL (>= 2)", "LGPL-2.0-or-later"),
        ("LGPL (>= 2.1)", "LGPL-2.1-or-later"),
        ("LGPL-2.1", "LGPL-2.1-only"),
        ("LGPL-3", "LGPL-3.0-only"),
        ("MPL (== 2.0)", "MPL-2.0"),
    ];
    let all: Vec<&str> = text
        .split('|')
        .map(|part| {
            // The file adds the copyright holder's name or a restriction; the licence stays the same.
            let part = part.split('+').next().unwrap_or_default().trim();
            KNOWN
                .iter()
                .find(|(known, _)| *known == part)
                .map_or(part, |(_, id)| id)
        })
        .filter(|part| !part.is_empty() && !part.starts_with("file "))
        .collect();
    license::any_of(&all)
}

#[cfg(test)]
mod tests {
    use super::licenses;

    #[test]
    fn reads_licence_fields() {
        for (text, expected) in [
            ("MIT + file LICENSE", &["MIT"] as &[&str]),
            ("GPL-2 | GPL-3", &["GPL-2.0-only OR GPL-3.0-only"]),
            ("GPL (>= 2)", &["GPL-2.0-or-later"]),
            ("file LICENSE", &[]),
            ("Part of R 4.2.2", &["LicenseRef-Part-of-R-4.2.2"]),
        ] {
            assert_eq!(licenses(text), expected, "{text}");
        }
    }
}
