//! Puts the layers' results together: which files survive, whose they are, which packages are one and the same.

use crate::cache::LayerScan;
use advisory::{Distribution, distribution};
use artifact::EntryList;
use artifact::union::{LinkTarget, Union};
use inventory::{Extracted, Extractor, Found, Kind, extractors};
use model::{Entry, EntryKind, OsRelease, Package, Problem, Scope};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};

/// Purl types of operating-system packages.
const OS_TYPES: [&str; 9] = [
    "alpm",
    "apk",
    "bottlerocket",
    "deb",
    "ebuild",
    "nix",
    "opkg",
    "rpm",
    "snap",
];

/// Locations that are kept of one package; a library that is installed a thousand times need not list each.
const LOCATIONS_LIMIT: usize = 50;

/// What a target holds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Assembled {
    /// Packages, each once.
    pub packages: Vec<Package>,
    /// Operating system.
    pub os: Option<OsRelease>,
    /// What could not be judged.
    pub problems: Vec<Problem>,
}

/// Reads link targets that no extractor wanted under their own names: layer, and pairs of target and link path.
pub(crate) type Reread<'a> = &'a dyn Fn(u32, Vec<(String, String)>) -> (Vec<Found>, Vec<Problem>);

/// Assembles an image from its layers' results, lowest first.
pub(crate) fn image(mut scans: Vec<LayerScan>, mut problems: Vec<Problem>, reread: Reread<'_>) -> Assembled {
    let entries: Vec<EntryList> = scans
        .iter_mut()
        .map(|scan| std::mem::take(&mut scan.entries))
        .collect();
    let lists: Vec<&EntryList> = entries.iter().collect();
    let union = {
        let interesting: Vec<Vec<&str>> = scans
            .iter()
            .map(|scan| scan.found.iter().map(|found| found.path.as_str()).collect())
            .collect();
        Union::merge(&lists, &interesting)
    };
    let mut found: Vec<Found> = Vec::new();
    for survivor in union.survivors() {
        let Some(scan) = scans.get_mut(survivor.layer as usize) else {
            continue;
        };
        let Some(slot) = scan.found.get_mut(survivor.index) else {
            continue;
        };
        let mut one = std::mem::replace(
            slot,
            Found {
                extractor: String::new(),
                path: String::new(),
                extracted: Extracted::default(),
            },
        );
        place(&mut one, &survivor.path, Some(survivor.layer));
        found.push(one);
    }
    for scan in &mut scans {
        problems.append(&mut scan.problems);
    }
    let mut by_layer: BTreeMap<u32, Vec<(String, String)>> = BTreeMap::new();
    let wanted = |entry: &Entry<'_>| of_images().any(|extractor| extractor.names(entry));
    for link in union.unread_link_targets(&wanted) {
        if name_matters(&link) {
            by_layer
                .entry(link.layer)
                .or_default()
                .push((link.target, link.link));
        }
    }
    for (layer, links) in by_layer {
        let (more, more_problems) = reread(layer, links);
        problems.extend(more_problems);
        for mut one in more {
            let path = one.path.clone();
            place(&mut one, &path, Some(layer));
            found.push(one);
        }
    }
    finish(found, problems, &|path| union.canonical(path))
}

/// Assembles a folder tree.
pub(crate) fn tree(mut scan: LayerScan, mut problems: Vec<Problem>) -> Assembled {
    problems.append(&mut scan.problems);
    let union = Union::merge(&[&scan.entries], &[Vec::new()]);
    finish(std::mem::take(&mut scan.found), problems, &|path| {
        union.canonical(path)
    })
}

/// Assembles what an SBOM document tells.
pub(crate) fn document(extracted: Extracted, os: Option<OsRelease>, problems: Vec<Problem>) -> Assembled {
    let mut packages = extracted.packages;
    if let Some(os) = &os {
        name_distribution(&mut packages, os);
    }
    let packages = unite(packages);
    Assembled {
        packages,
        os,
        problems,
    }
}

/// The extractors of what is in images.
fn of_images() -> impl Iterator<Item = &'static &'static dyn Extractor> {
    extractors::ALL
        .iter()
        .filter(|extractor| extractor.kind() != Kind::Source)
}

/// True when some extractor cares for the link's name and not for its target's: then the target must be read once more,
/// under the link's name. A program keeps its own name beside its symbolic links, so of those only other files count.
fn name_matters(link: &LinkTarget) -> bool {
    let shown = |path, mode| Entry {
        path,
        kind: EntryKind::File,
        size: 1 << 20,
        mode,
        link: None,
    };
    let name = shown(link.link.as_str(), if link.symbolic { 0o644 } else { 0o755 });
    let target = shown(link.target.as_str(), 0o755);
    of_images().any(|extractor| {
        extractor.wants(&name)
            && extractor.names(&name)
            && !extractor.names(&target)
            && !(extractor.kind().is_of_builds() && inventory::inside_installed_package(name.path))
    })
}

/// Gives the locations of a file's packages their layer, and their canonical path where links led elsewhere.
fn place(found: &mut Found, canonical: &str, layer: Option<u32>) {
    for package in &mut found.extracted.packages {
        for location in &mut package.locations {
            location.layer = layer;
            if let Some(rest) = location.path.strip_prefix(found.path.as_str())
                && canonical != found.path
            {
                location.path = format!("{canonical}{rest}");
            }
        }
    }
    canonical.clone_into(&mut found.path);
}

/// From surviving files to packages.
fn finish(found: Vec<Found>, mut problems: Vec<Problem>, canonical: &dyn Fn(&str) -> String) -> Assembled {
    let mut by_extractor: BTreeMap<String, Vec<Found>> = BTreeMap::new();
    for one in found {
        by_extractor.entry(one.extractor.clone()).or_default().push(one);
    }
    let mut packages = Vec::new();
    let mut os: Option<OsRelease> = None;
    let mut owners: HashMap<String, String> = HashMap::new();
    let mut told: Vec<(&dyn Extractor, Problem)> = Vec::new();
    for extractor in extractors::ALL {
        let Some(mut found) = by_extractor.remove(extractor.meta().name) else {
            continue;
        };
        found.sort_by(|a, b| a.path.cmp(&b.path));
        extractor.combine(&mut found);
        for one in found {
            let Extracted {
                packages: more,
                os: identity,
                owned,
                notes: _,
                problems: more_problems,
            } = one.extracted;
            packages.extend(more);
            told.extend(more_problems.into_iter().map(|problem| (*extractor, problem)));
            merge_os(&mut os, identity);
            for owned in owned {
                for path in owned.paths {
                    owners.insert(canonical(&path), owned.package.clone());
                }
            }
        }
    }
    let owner_of = |path: &str| {
        let outer = path.split("!/").next().unwrap_or_default();
        owners.get(outer).or_else(|| {
            if owners.is_empty() {
                None
            } else {
                owners.get(&canonical(outer))
            }
        })
    };
    for package in packages.iter_mut().filter(|package| !is_os_package(package)) {
        package.owned_by = package
            .locations
            .first()
            .and_then(|location| owner_of(&location.path))
            .cloned();
    }
    let superfluous = |extractor: &dyn Extractor| adds_nothing_to_an_os_package(extractor);
    let by_name: HashMap<&str, &dyn Extractor> = extractors::ALL
        .iter()
        .map(|extractor| (extractor.meta().name, *extractor))
        .collect();
    packages.retain(|package| {
        package.owned_by.is_none()
            || !by_name
                .get(package.found_by.as_str())
                .is_some_and(|extractor| superfluous(*extractor))
    });
    problems.extend(told.into_iter().filter_map(|(extractor, problem)| {
        let owned = problem
            .path
            .as_deref()
            .is_some_and(|path| owner_of(path).is_some());
        (!owned || !(superfluous(extractor) || reads_programs(extractor))).then_some(problem)
    }));
    if let Some(os) = &os {
        name_distribution(&mut packages, os);
    }
    one_spelling(&mut packages);
    Assembled {
        packages: unite(packages),
        os,
        problems,
    }
}

/// NuGet does not tell names apart by case, and projects do not write them alike: all get the spelling that is first in
/// order, which is the one with capitals.
fn one_spelling(packages: &mut [Package]) {
    let is_nuget = |package: &&mut Package| package.purl.kind() == "nuget";
    let mut spellings: HashMap<String, String> = HashMap::new();
    for package in packages.iter_mut().filter(is_nuget) {
        let spelling = spellings
            .entry(package.name.to_ascii_lowercase())
            .or_insert_with(|| package.name.clone());
        if package.name < *spelling {
            spelling.clone_from(&package.name);
        }
    }
    for package in packages.iter_mut().filter(is_nuget) {
        if let Some(spelling) = spellings
            .get(&package.name.to_ascii_lowercase())
            .filter(|spelling| **spelling != package.name && package.purl.name() == package.name)
        {
            let purl = &package.purl;
            let mut written = model::Purl::new("nuget", purl.namespace(), spelling, purl.version());
            for (key, value) in purl.qualifiers() {
                written = written.with_qualifier(key, value);
            }
            package.purl = written;
            package.name.clone_from(spelling);
        }
    }
}

/// The first identity wins, since extractors come in a fixed order and `os-release` reduces its files to one; facts of the
/// others are added.
fn merge_os(os: &mut Option<OsRelease>, told: Option<OsRelease>) {
    let Some(told) = told else { return };
    match os {
        None => *os = Some(told),
        Some(os) if os.id.is_empty() => {
            let facts = std::mem::replace(os, told).facts;
            os.facts.extend(facts);
        }
        Some(os) => os.facts.extend(told.facts),
    }
}

/// Extractors that look into programs, whatever these are called.
fn reads_programs(extractor: &dyn Extractor) -> bool {
    matches!(
        extractor.meta().name,
        "binary-classifier" | "elf-package-note" | "go-binary" | "rust-binary"
    )
}

/// What such extractors find in files of an OS package is dropped: the package tells it better. A program known only by its
/// bytes is the package itself, and manifests that come with a package speak of its making.
fn adds_nothing_to_an_os_package(extractor: &dyn Extractor) -> bool {
    extractor.meta().name == "binary-classifier" || extractor.kind().is_of_builds()
}

fn is_os_package(package: &Package) -> bool {
    OS_TYPES.contains(&package.purl.kind())
}

/// Gives operating-system packages their namespace, `distro` qualifier and OSV ecosystem.
fn name_distribution(packages: &mut [Package], os: &OsRelease) {
    let Some(Distribution {
        ecosystem,
        namespace,
        qualifier,
        ..
    }) = distribution(os)
    else {
        for package in packages
            .iter_mut()
            .filter(|package| is_os_package(package) && !os.id.is_empty())
        {
            if package.purl.namespace().is_empty() {
                package.purl = package.purl.clone().with_namespace(&os.id);
            }
        }
        return;
    };
    for package in packages.iter_mut().filter(|package| is_os_package(package)) {
        if package.purl.namespace().is_empty() {
            package.purl = package.purl.clone().with_namespace(namespace);
        }
        // Without it, a matcher that reads our SBOM could not look the advisories up, which are keyed by source.
        if let Some(source) = &package.source
            && package.purl.qualifier("upstream").is_none()
        {
            let upstream = if source.version.is_empty() || source.version == package.version {
                source.name.clone()
            } else {
                format!("{}@{}", source.name, source.version)
            };
            package.purl = package.purl.clone().with_qualifier("upstream", &upstream);
        }
        // A document may hold packages of several distributions; what names another one keeps it, and matching reads that.
        if package
            .purl
            .qualifier("distro")
            .is_some_and(|distro| distro != qualifier)
        {
            continue;
        }
        if package.purl.qualifier("distro").is_none() {
            package.purl = package.purl.clone().with_qualifier("distro", &qualifier);
        }
        if package.ecosystem.is_empty()
            && matches!(package.purl.kind(), "apk" | "deb" | "rpm" | "bottlerocket")
        {
            package.ecosystem.clone_from(&ecosystem);
        }
    }
}

/// One entry a package: the same purl of the same owner, seen at several places, is one package with several locations.
fn unite(mut packages: Vec<Package>) -> Vec<Package> {
    // Equal ones stand side by side after sorting, those that were seen first before the others. There may be very many, so
    // no keys are made of their texts.
    packages.sort_by(|a, b| identity(a).cmp(&identity(b)));
    let mut united: Vec<Package> = Vec::with_capacity(packages.len());
    for package in packages {
        match united
            .last_mut()
            .filter(|last| identity(last) == identity(&package))
        {
            Some(first) => merge(first, package),
            None => united.push(package),
        }
    }
    for package in &mut united {
        package
            .locations
            .sort_by(|a, b| (a.layer, &a.path, a.line).cmp(&(b.layer, &b.path, b.line)));
        package.locations.dedup();
    }
    united.sort_by(|a, b| {
        let place = |package: &Package| !is_os_package(package);
        place(a)
            .cmp(&place(b))
            .then_with(|| a.ecosystem.cmp(&b.ecosystem))
            .then_with(|| a.name.cmp(&b.name))
            .then_with(|| a.version.cmp(&b.version))
            .then_with(|| identity(a).cmp(&identity(b)))
    });
    united
}

/// What makes two entries one package.
fn identity(package: &Package) -> (&model::Purl, &str, Option<&str>) {
    (&package.purl, &package.ecosystem, package.owned_by.as_deref())
}

fn merge(first: &mut Package, other: Package) {
    let room = LOCATIONS_LIMIT.saturating_sub(first.locations.len());
    first.locations.extend(other.locations.into_iter().take(room));
    for license in other.licenses {
        if !first.licenses.contains(&license) {
            first.licenses.push(license);
        }
    }
    for fact in other.facts {
        if !first.facts.contains(&fact) && first.fact(&fact.key).is_none() {
            first.facts.push(fact);
        }
    }
    // What is wanted directly or at run time anywhere is so for the target as a whole.
    first.relation = match (first.relation, other.relation) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    };
    first.scope = match (first.scope, other.scope) {
        (Some(Scope::Development), b) => b,
        (Some(Scope::Optional), Some(Scope::Runtime) | None) => other.scope,
        (None, _) => None,
        (a, _) => a,
    };
    if first.path.is_empty() || (!other.path.is_empty() && other.path.len() < first.path.len()) {
        first.path = other.path;
    }
    if first.source.is_none() {
        first.source = other.source;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{Location, Purl, Relation, path};

    #[test]
    fn spellings_of_nuget_are_one_and_those_of_others_are_not() {
        let named = |kind: &str, name: &str, at: &str| {
            let mut package = Package::new("t", Purl::new(kind, "", name, "1.0.0"), kind, name, "1.0.0");
            package.locations.push(Location::file(at));
            package
        };
        let mut packages = vec![
            named("nuget", "serilog", "a.csproj"),
            named("nuget", "Serilog", "b.csproj"),
            named("nuget", "other", "b.csproj"),
            named("gem", "Ascii", "Gemfile.lock"),
            named("gem", "ascii", "Gemfile.lock"),
        ];
        one_spelling(&mut packages);
        let united = unite(packages);
        let told: Vec<(&str, usize)> = united
            .iter()
            .map(|package| (package.name.as_str(), package.locations.len()))
            .collect();
        assert_eq!(told, [("Ascii", 1), ("ascii", 1), ("Serilog", 2), ("other", 1)]);
        assert_eq!(united[2].purl.to_string(), "pkg:nuget/Serilog@1.0.0");
    }

    fn package(name: &str, at: &str, scope: Option<Scope>) -> Package {
        let mut package = Package::new("t", Purl::new("npm", "", name, "1.0.0"), "npm", name, "1.0.0");
        package.locations.push(Location::file(at));
        package.scope = scope;
        package.relation = Some(Relation::Transitive);
        package
    }

    #[test]
    fn the_same_package_twice_is_one_with_two_locations() {
        let mut direct = package("a", "x/package-lock.json", Some(Scope::Runtime));
        direct.relation = Some(Relation::Direct);
        let united = unite(vec![
            package("a", "y/package-lock.json", Some(Scope::Development)),
            direct,
            package("b", "z", None),
        ]);
        assert_eq!(united.len(), 2);
        assert_eq!(
            united[0]
                .locations
                .iter()
                .map(|l| path::parent(&l.path))
                .collect::<Vec<_>>(),
            ["x", "y"]
        );
        assert_eq!(
            (united[0].relation, united[0].scope),
            (Some(Relation::Direct), Some(Scope::Runtime))
        );
    }

    #[test]
    fn a_package_of_another_distribution_keeps_its_own() {
        let os = OsRelease {
            id: "debian".to_owned(),
            version: "12".to_owned(),
            ..OsRelease::default()
        };
        let of = |distro: &str| {
            let purl = Purl::new("deb", "", "a", "1").with_qualifier("distro", distro);
            Package::new("sbom-spdx", purl, "", "a", "1")
        };
        let mut packages = vec![of(""), of("debian-12"), of("ubuntu-22.04")];
        name_distribution(&mut packages, &os);
        let ecosystems: Vec<&str> = packages
            .iter()
            .map(|package| package.ecosystem.as_str())
            .collect();
        assert_eq!(ecosystems, ["Debian:12", "Debian:12", ""]);
    }

    #[test]
    fn development_everywhere_stays_development() {
        let united = unite(vec![
            package("a", "x", Some(Scope::Development)),
            package("a", "y", Some(Scope::Development)),
        ]);
        assert_eq!(united[0].scope, Some(Scope::Development));
        let united = unite(vec![
            package("a", "x", Some(Scope::Development)),
            package("a", "y", None),
        ]);
        assert_eq!(
            united[0].scope, None,
            "somewhere it is used without that restriction"
        );
    }
}
