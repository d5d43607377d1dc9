//! From package URLs to the ecosystems and names that advisories use.

use model::Purl;

/// OSV's ecosystem and the package's name in it; `None` for operating systems' packages (whose ecosystem depends on the
/// release) and for what no advisory feed covers.
pub(crate) fn from_purl(purl: &Purl) -> Option<(&'static str, String)> {
    let ecosystem = match purl.kind() {
        "bitnami" => "Bitnami",
        "cargo" => "crates.io",
        "composer" => "Packagist",
        "conan" => "ConanCenter",
        "cran" => "CRAN",
        "gem" => "RubyGems",
        "githubactions" => "GitHub Actions",
        "golang" => "Go",
        "hackage" => "Hackage",
        "hex" => "Hex",
        "julia" => "Julia",
        "maven" => "Maven",
        "npm" => "npm",
        "nuget" => "NuGet",
        "opam" => "opam",
        "pub" => "Pub",
        "pypi" => "PyPI",
        "swift" => "SwiftURL",
        _ => return None,
    };
    Some((ecosystem, name(purl)))
}

/// The package's name as its ecosystem writes it.
pub(crate) fn name(purl: &Purl) -> String {
    let separator = match purl.kind() {
        "maven" => ":",
        "cargo" | "apk" | "deb" | "rpm" | "alpm" | "gem" | "pypi" | "nuget" | "bitnami" | "cran"
        | "hackage" | "julia" | "pub" | "conan" => return purl.name().to_owned(),
        _ => "/",
    };
    if purl.namespace().is_empty() {
        purl.name().to_owned()
    } else {
        format!("{}{separator}{}", purl.namespace(), purl.name())
    }
}

/// True when the purl names a package of an operating system.
pub(crate) fn is_os_package(purl: &Purl) -> bool {
    matches!(purl.kind(), "apk" | "deb" | "rpm" | "alpm")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_ecosystems() {
        for (purl, ecosystem, name) in [
            ("pkg:npm/%40angular/core@1", Some("npm"), "@angular/core"),
            (
                "pkg:maven/org.apache/commons@1",
                Some("Maven"),
                "org.apache:commons",
            ),
            (
                "pkg:golang/github.com/pkg/errors@v1",
                Some("Go"),
                "github.com/pkg/errors",
            ),
            ("pkg:composer/symfony/http@1", Some("Packagist"), "symfony/http"),
            (
                "pkg:swift/github.com/Alamofire/Alamofire@5",
                Some("SwiftURL"),
                "github.com/Alamofire/Alamofire",
            ),
            ("pkg:deb/debian/curl@7", None, "curl"),
            ("pkg:generic/nginx@1", None, "nginx"),
        ] {
            let purl: Purl = purl.parse().unwrap();
            assert_eq!(
                from_purl(&purl).map(|(ecosystem, _)| ecosystem),
                ecosystem,
                "{purl}"
            );
            assert_eq!(super::name(&purl), name, "{purl}");
        }
    }
}
