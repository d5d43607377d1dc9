//! Which advisories apply to which packages, and why.
//!
//! Each package is looked up under the names by which its ecosystem's records are keyed ([`keys`]), every entry of a
//! fitting release is judged against the version ([`judge`]), and what several records say of one flaw becomes one
//! finding ([`flaws`]).

mod flaws;
mod judge;
mod keys;
mod rating;

use crate::records::Header;
use crate::{Database, DatabaseError, ecosystem, names};
use flaws::Said;
use model::{
    EndOfLife, Finding, FindingKind, KnownExploited, OsRelease, Package, Problem, Relation, Scope, Severity,
    Status,
};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::rc::Rc;

/// What to look for.
#[derive(Clone, Debug, Default)]
pub struct MatchOptions {
    /// Findings in packages that are only used for building or testing count too; otherwise they are suppressed, with
    /// that reason.
    pub include_development: bool,
    /// The day of the scan (ISO date), for end-of-life findings of the operating system and of runtimes that binary
    /// classifiers found; none are made when it is empty.
    pub today: String,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Matches {
    /// Findings, in the order of the packages, then by severity (most severe first), then by name.
    pub findings: Vec<Finding>,
    /// What could not be judged as a whole.
    pub problems: Vec<Problem>,
}

/// Fewer packages than this are matched on one thread; starting more would take longer.
const ONE_THREAD: usize = 500;

/// Matches packages against the database.
///
/// Packages that an operating-system package owns are skipped. Packages of the operating system are matched by its release;
/// `ecosystem` of such a package, where it is filled in, wins over `os`. [`Finding::package`] is the index into `packages`.
///
/// # Errors
/// When the database cannot be read.
pub fn match_packages(
    database: &Database,
    packages: &[Package],
    os: Option<&OsRelease>,
    options: &MatchOptions,
) -> Result<Matches, DatabaseError> {
    let mut matches = Matches::default();
    let mut wanted: Vec<(String, usize)> = Vec::with_capacity(packages.len());
    let mut uncovered: BTreeMap<String, usize> = BTreeMap::new();
    let mut absent: BTreeMap<String, usize> = BTreeMap::new();
    let mut elsewhere: Vec<&Package> = Vec::new();
    let of_os = os.and_then(ecosystem::distribution).map(|found| found.ecosystem);
    for (index, package) in packages.iter().enumerate() {
        if package.owned_by.is_some() {
            continue;
        }
        if is_from_elsewhere(package) {
            elsewhere.push(package);
            continue;
        }
        match ecosystem_of(package, of_os.as_deref()) {
            Some(ecosystem) if !database.knows(names::base(&ecosystem)) => {
                *absent.entry(names::base(&ecosystem).to_owned()).or_default() += 1;
            }
            Some(ecosystem) => wanted.push((ecosystem, index)),
            None if is_of_os(package) => {
                *uncovered.entry(package.purl.kind().to_owned()).or_default() += 1;
            }
            None => {}
        }
    }
    if !elsewhere.is_empty() {
        matches.problems.push(not_of_a_registry(&elsewhere));
    }
    for (kind, count) in uncovered {
        let name = os.map(|os| match os.pretty_name.as_str() {
            "" => os.id.as_str(),
            name => name,
        });
        matches.problems.push(Problem::general(match name {
            Some(name) => format!(
                "{} not matched: no advisory feed covers this release",
                packages_were(count, &format!("({kind}) of {name} "))
            ),
            None => format!(
                "{} not matched: nothing tells the distribution and release that they are of",
                packages_were(count, &format!("({kind}) "))
            ),
        }));
    }
    for (base, count) in absent {
        matches.problems.push(Problem::general(format!(
            "{} not matched: the advisory database holds nothing about {base}",
            packages_were(count, &format!("of {base} "))
        )));
    }
    let mut missing: HashSet<&str> = HashSet::new();
    for (ecosystem, _) in &wanted {
        let base = names::base(ecosystem);
        if crate::schemes::for_ecosystem(ecosystem).is_none() && missing.insert(base) {
            matches.problems.push(Problem::general(format!(
                "packages of {base} were matched by equal version only: no version scheme is known for it"
            )));
        }
    }
    // Neighbours in the file are looked up one after the other.
    wanted.sort_by(|a, b| (&a.0, &packages[a.1].name).cmp(&(&b.0, &packages[b.1].name)));
    let threads = match wanted.len() {
        0..ONE_THREAD => 1,
        _ => std::thread::available_parallelism().map_or(1, usize::from).min(8),
    };
    let share = wanted.len().div_ceil(threads).max(1);
    let parts: Vec<Result<Vec<Finding>, DatabaseError>> = if threads == 1 {
        vec![part(database, packages, &wanted, os, options)]
    } else {
        std::thread::scope(|scope| {
            let running: Vec<_> = wanted
                .chunks(share)
                .map(|chunk| scope.spawn(move || part(database, packages, chunk, os, options)))
                .collect();
            running
                .into_iter()
                .map(|thread| {
                    thread
                        .join()
                        .unwrap_or_else(|_| Err(DatabaseError::Read("a matching thread failed".to_owned())))
                })
                .collect()
        })
    };
    for found in parts {
        matches.findings.append(&mut found?);
    }
    if !options.today.is_empty() {
        if let Some(os) = os
            && let Some(support) = database.end_of_life(os, &options.today)?
            && support.ended
        {
            let name = match os.pretty_name.as_str() {
                "" => format!("{} {}", os.id, os.version),
                name => name.to_owned(),
            };
            matches
                .findings
                .push(end_of_life("os-release-end-of-life", &name, &support));
        }
        for (index, package) in packages.iter().enumerate() {
            if let Some(support) = runtime_support(database, package, &options.today)? {
                let name = format!("{} {}", package.name, support.cycle);
                let mut finding = end_of_life("runtime-release-end-of-life", &name, &support);
                finding.package = Some(index);
                matches.findings.push(finding);
            }
        }
    }
    matches.findings.sort_by(|a, b| {
        a.package
            .cmp(&b.package)
            .then(b.severity.cmp(&a.severity))
            .then_with(|| a.rule.cmp(&b.rule))
            .then_with(|| a.id.cmp(&b.id))
    });
    number_equal_ids(&mut matches.findings);
    Ok(matches)
}

/// `1 package … was`, `2 packages … were`.
fn packages_were(count: usize, of: &str) -> String {
    match count {
        1 => format!("1 package {of}was"),
        _ => format!("{count} packages {of}were"),
    }
}

/// The same package listed twice would give two findings of one id.
fn number_equal_ids(findings: &mut [Finding]) {
    let mut seen: HashMap<String, usize> = HashMap::new();
    for finding in findings {
        let count = seen.entry(finding.id.clone()).or_default();
        *count += 1;
        if *count > 1 {
            finding.id = format!("{}#{count}", finding.id);
        }
    }
}

/// The ecosystem to match a package in.
fn ecosystem_of(package: &Package, of_os: Option<&str>) -> Option<String> {
    if !package.ecosystem.is_empty() {
        return Some(package.ecosystem.clone());
    }
    if is_own_or_private(package) {
        return None;
    }
    if is_of_os(package) {
        // The purl's own word on the distribution wins: an SBOM may hold packages of several.
        let of_purl = package
            .purl
            .qualifier("distro")
            .and_then(|_| ecosystem::of_purl(&package.purl));
        return of_purl.or_else(|| of_os.filter(|found| !found.is_empty()).map(str::to_owned));
    }
    ecosystem::of_purl(&package.purl)
}

/// True for what only shares its name with a public package: the project itself, its folders, and what comes from another
/// registry. Advisories of the public registry do not speak of them.
fn is_own_or_private(package: &Package) -> bool {
    package.relation == Some(Relation::Root)
        || package.fact("local").is_some()
        || package.fact("registry").is_some()
}

/// True for what was taken from a git repository, or downloaded from an address that is no registry's. Its version is what its
/// own manifest says and may be any state of the code, fixed or not, and its name may be another's in the registry.
fn is_from_elsewhere(package: &Package) -> bool {
    if package.fact("git-url").is_some() || (package.ecosystem.is_empty() && package.fact("url").is_some()) {
        return true;
    }
    // Documents of other makers name the project's repository here; with a commit it is where the package came from.
    let repository = package.purl.qualifier("vcs_url").unwrap_or_default();
    let commit = repository
        .strip_prefix("git+")
        .and_then(|address| address.rsplit_once('@'))
        .map_or("", |(_, commit)| commit);
    package.ecosystem.is_empty() && commit.len() >= 7 && commit.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Packages of a git repository or address that are named in a problem.
const ELSEWHERE_NAMED: usize = 10;

fn not_of_a_registry(packages: &[&Package]) -> Problem {
    let named: Vec<String> = packages
        .iter()
        .take(ELSEWHERE_NAMED)
        .map(|package| format!("`{}`", package.name))
        .collect();
    let more = match packages.len().saturating_sub(ELSEWHERE_NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    Problem::general(format!(
        "{} not matched, since advisories speak of the registry's releases: {}{more}",
        packages_were(
            packages.len(),
            "from a git repository or an address that is no registry's "
        ),
        named.join(", ")
    ))
}

fn is_of_os(package: &Package) -> bool {
    matches!(
        package.purl.kind(),
        "deb" | "apk" | "rpm" | "alpm" | "opkg" | "ebuild"
    )
}

/// What one thread keeps between packages.
struct Part<'a> {
    database: &'a Database,
    os: Option<&'a OsRelease>,
    headers: HashMap<u32, Option<Rc<Header>>>,
    /// Ratings and summary of a flaw from other records, by the flaw's name.
    elsewhere: HashMap<String, (Vec<(String, model::Rating)>, String)>,
    /// What CISA and EPSS say of a CVE.
    exploited: HashMap<String, Exploitation>,
    key: String,
}

type Exploitation = (Option<KnownExploited>, Option<(f64, f64)>);

impl Part<'_> {
    fn exploitation(&mut self, cve: &str) -> Result<Exploitation, DatabaseError> {
        if let Some(known) = self.exploited.get(cve) {
            return Ok(known.clone());
        }
        let found = (self.database.known_exploited(cve)?, self.database.epss(cve)?);
        self.exploited.insert(cve.to_owned(), found.clone());
        Ok(found)
    }

    fn header(&mut self, number: u32) -> Result<Option<Rc<Header>>, DatabaseError> {
        if let Some(header) = self.headers.get(&number) {
            return Ok(header.clone());
        }
        let header = self.database.header(number)?.map(Rc::new);
        self.headers.insert(number, header.clone());
        Ok(header)
    }
}

fn part(
    database: &Database,
    packages: &[Package],
    wanted: &[(String, usize)],
    os: Option<&OsRelease>,
    options: &MatchOptions,
) -> Result<Vec<Finding>, DatabaseError> {
    let mut part = Part {
        database,
        os,
        headers: HashMap::new(),
        elsewhere: HashMap::new(),
        exploited: HashMap::new(),
        key: String::new(),
    };
    let mut findings = Vec::new();
    for (ecosystem, index) in wanted {
        if let Some(package) = packages.get(*index) {
            let first = findings.len();
            one(&mut part, ecosystem, package, &mut findings)?;
            for finding in &mut findings[first..] {
                finding.package = Some(*index);
                let development = package.scope == Some(Scope::Development) && !options.include_development;
                if development && finding.status == Status::Affected {
                    finding.status = Status::Suppressed;
                    "the package is only used for development".clone_into(&mut finding.reason);
                }
            }
        }
    }
    Ok(findings)
}

/// Matches one package.
fn one(
    part: &mut Part<'_>,
    ecosystem: &str,
    package: &Package,
    findings: &mut Vec<Finding>,
) -> Result<(), DatabaseError> {
    if keys::is_foreign(ecosystem, package) {
        return Ok(());
    }
    let judged = judge::package(part, ecosystem, package)?;
    if let Some(reason) = judged.unusable
        && judged.advisories > 0
        && judged.said.is_empty()
    {
        findings.push(unknown_version(package, judged.advisories, &reason));
        return Ok(());
    }
    let mut said = Vec::with_capacity(judged.said.len());
    for (number, verdict) in judged.said {
        if let Some(header) = part.header(number)? {
            said.push(Said { header, verdict });
        }
    }
    flaws::findings(part, package, &said, findings)
}

/// One finding for a package whose version says nothing, rather than one for every advisory that names it.
fn unknown_version(package: &Package, advisories: usize, reason: &str) -> Finding {
    let rule = "version-not-comparable";
    Finding {
        id: format!("{rule}@{}", package.purl),
        kind: FindingKind::Vulnerability,
        rule: rule.to_owned(),
        aliases: Vec::new(),
        severity: Severity::Unknown,
        title: format!(
            "{advisories} advisories name {}, whose version cannot be judged",
            package.name
        ),
        description: String::new(),
        package: None,
        fixed: Vec::new(),
        location: None,
        evidence: vec![
            ("key".to_owned(), format!("package {}", package.name)),
            ("advisories".to_owned(), advisories.to_string()),
        ],
        references: Vec::new(),
        weaknesses: Vec::new(),
        controls: Vec::new(),
        status: Status::Undetermined,
        reason: reason.to_owned(),
        score: None,
        known_exploited: None,
        epss: None,
        published: String::new(),
    }
}

/// Programs that binary classifiers find, by the name of their purl, and their product on endoflife.date.
const RUNTIMES: &[(&str, &str)] = &[
    ("containerd", "containerd"),
    ("docker", "docker-engine"),
    ("dockerd", "docker-engine"),
    ("dotnet", "dotnet"),
    ("go", "go"),
    ("golang", "go"),
    ("kubernetes", "kubernetes"),
    ("mariadb", "mariadb"),
    ("mysql", "mysql"),
    ("nginx", "nginx"),
    ("node", "nodejs"),
    ("nodejs", "nodejs"),
    ("php", "php"),
    ("postgres", "postgresql"),
    ("postgresql", "postgresql"),
    ("python", "python"),
    ("redis", "redis"),
    ("ruby", "ruby"),
];

/// Support of a runtime or service that is installed without a package manager.
fn runtime_support(
    database: &Database,
    package: &Package,
    today: &str,
) -> Result<Option<EndOfLife>, DatabaseError> {
    if package.owned_by.is_some() || package.purl.kind() != "generic" || package.version.is_empty() {
        return Ok(None);
    }
    match RUNTIMES.iter().find(|(name, _)| *name == package.purl.name()) {
        Some((_, product)) => {
            let version = package.version.trim_start_matches('v');
            let support = database.support(product, version, "", today)?;
            Ok(support.filter(|support| support.ended))
        }
        None => Ok(None),
    }
}

/// The finding for a release whose support has ended, of an operating system or of a package.
fn end_of_life(rule: &str, name: &str, support: &EndOfLife) -> Finding {
    let mut evidence = vec![
        ("feed".to_owned(), "end-of-life-feed".to_owned()),
        ("product".to_owned(), support.product.clone()),
        ("cycle".to_owned(), support.cycle.clone()),
    ];
    if !support.date.is_empty() {
        evidence.push(("ended".to_owned(), support.date.clone()));
    }
    if let Some(extended) = &support.extended {
        evidence.push(("extended-until".to_owned(), extended.clone()));
    }
    Finding {
        id: format!("{rule}@{}-{}", support.product, support.cycle),
        kind: FindingKind::Eol,
        rule: rule.to_owned(),
        aliases: Vec::new(),
        severity: Severity::High,
        title: format!("{name} is no longer supported by its makers"),
        description: "New flaws are no longer fixed, and advisories may not tell of them.".to_owned(),
        package: None,
        fixed: Vec::new(),
        location: None,
        evidence,
        references: vec![format!("https://endoflife.date/{}", support.product)],
        weaknesses: Vec::new(),
        controls: Vec::new(),
        status: Status::Affected,
        reason: String::new(),
        score: None,
        known_exploited: None,
        epss: None,
        published: String::new(),
    }
}

/// True for the project itself, built without a version tag: its version is made up by the Go tool.
fn is_untagged_main_module(package: &Package) -> bool {
    package.relation == Some(Relation::Root)
        && (package.version == "(devel)" || package.version.starts_with("v0.0.0-"))
}
