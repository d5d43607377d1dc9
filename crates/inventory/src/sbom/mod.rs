//! Software bills of materials: CycloneDX (JSON, XML) and SPDX (2.x JSON and tag-value, 3.0 JSON-LD).
//!
//! Each reader turns its format into the same list of items and edges; what makes packages of them is here.

mod cyclonedx_json;
mod cyclonedx_xml;
mod spdx3;
mod spdx_json;
mod spdx_tag_value;
mod text;

use crate::dependency_graph::Id;
use crate::intake::Intake;
use crate::{Extracted, ecosystems, license, relations};
use model::{Archives, Content, Location, OsRelease, Package, Purl, Scope, SourcePackage};
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

/// Largest document that is read, in bytes.
const LIMIT: u64 = 256 << 20;
/// Items of one document that are kept.
const ITEMS: usize = 200_000;
/// Edges of one document that are kept.
const EDGES: usize = 2_000_000;

/// Formats that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// CycloneDX as JSON.
    CycloneDxJson,
    /// CycloneDX as XML.
    CycloneDxXml,
    /// SPDX 2.x as JSON.
    SpdxJson,
    /// SPDX 2.x as lines of tags and values.
    SpdxTagValue,
    /// SPDX 3.x as JSON-LD.
    Spdx3,
}

impl Format {
    /// True for the formats of CycloneDX.
    #[must_use]
    pub fn is_cyclonedx(self) -> bool {
        matches!(self, Self::CycloneDxJson | Self::CycloneDxXml)
    }
}

/// What a component is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Role {
    /// A package, library or program.
    #[default]
    Package,
    /// The operating system.
    System,
    /// Something that is no package: a file, a key, a data set.
    Other,
}

/// One component or package of a document.
#[derive(Debug, Default)]
struct Item<'a> {
    id: Cow<'a, str>,
    role: Role,
    group: Cow<'a, str>,
    name: Cow<'a, str>,
    version: Cow<'a, str>,
    purl: Cow<'a, str>,
    cpe: Cow<'a, str>,
    /// Licence texts; each is an expression, identifier or name.
    licenses: Vec<Cow<'a, str>>,
    scope: Option<Scope>,
    /// Name and version of the source package; the version may be empty.
    source: Option<(String, String)>,
    /// Label of the rpm module.
    module: Cow<'a, str>,
    /// Identity of the distribution (`debian`), where the item says it apart from its name.
    distribution: Cow<'a, str>,
}

/// A document in the form that all formats share.
#[derive(Debug, Default)]
struct Bill<'a> {
    items: Vec<Item<'a>>,
    /// From an item to one that it depends on, by id.
    edges: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    /// What the document is about, by id.
    roots: Vec<Cow<'a, str>>,
    /// What is odd about the document as a whole.
    problems: Vec<String>,
}

impl<'a> Bill<'a> {
    fn push(&mut self, item: Item<'a>) {
        if self.items.len() < ITEMS {
            self.items.push(item);
        } else if self.items.len() == ITEMS
            && !self.problems.iter().any(|problem| problem.contains("components"))
        {
            self.problems.push(format!(
                "it has more than {ITEMS} components; the rest was not read"
            ));
        }
    }

    fn edge(&mut self, from: Cow<'a, str>, to: Cow<'a, str>) {
        if self.edges.len() < EDGES {
            self.edges.push((from, to));
        }
    }
}

/// The format of a document, told by its bytes; `None` when it is none that is read.
#[must_use]
pub fn recognise(bytes: &[u8]) -> Option<Format> {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = text.trim_ascii_start();
    let has = |part: &str| memchr::memmem::find(text, part.as_bytes()).is_some();
    match text.first() {
        Some(b'{') if has("\"bomFormat\"") => Some(Format::CycloneDxJson),
        Some(b'{') if has("\"spdxVersion\"") => Some(Format::SpdxJson),
        Some(b'{') if has("\"@context\"") && has("spdx.org/rdf/3") => Some(Format::Spdx3),
        Some(b'<') => {
            let head = text.get(..text.len().min(4096)).unwrap_or_default();
            memchr::memmem::find(head, b"cyclonedx.org/schema/bom").map(|_| Format::CycloneDxXml)
        }
        // Comment lines may come first.
        Some(b'S' | b'#') => text
            .split(|byte| *byte == b'\n')
            .find(|line| !line.trim_ascii().is_empty() && !line.starts_with(b"#"))
            .filter(|line| line.starts_with(b"SPDXVersion:"))
            .map(|_| Format::SpdxTagValue),
        _ => None,
    }
}

/// Reads a document that was given as a target. `name` is its path or name, for locations and problems. The format is told by
/// the content, which may be compressed with gzip. Gives the packages, with ecosystem and relations, and the operating system
/// that they belong to if the document tells; single entries that cannot be read are problems.
///
/// # Errors
/// What is wrong with the document, when nothing of it can be read.
pub fn read(name: &str, content: &mut dyn Content, archives: &dyn Archives) -> Result<Extracted, String> {
    let not_read = |error: &dyn std::fmt::Display| format!("the document was not read: {error}");
    let bytes = content.bytes(LIMIT).map_err(|error| not_read(&error))?;
    let inflated;
    let bytes: &[u8] = if bytes.starts_with(b"\x1f\x8b") {
        inflated = archives
            .gzip(&bytes, usize::try_from(LIMIT).unwrap_or(usize::MAX))
            .map_err(|error| not_read(&error))?;
        &inflated
    } else {
        &bytes
    };
    let Some(format) = recognise(bytes) else {
        return Err(
            "this is no CycloneDX or SPDX document (JSON, XML, tag-value and JSON-LD are read)".to_owned(),
        );
    };
    let mut out = Extracted::default();
    parse(format, bytes, name, "sbom", &mut out)?;
    Ok(out)
}

/// Reads a document found inside a target by the extractor of that name: its operating system is that of another machine.
pub(crate) fn embedded(
    found_by: &'static str,
    file: &mut crate::File<'_>,
    mine: impl FnOnce(Format) -> bool,
    unrecognised_is_problem: bool,
    out: &mut Extracted,
) {
    let path = file.entry.path;
    let bytes = match file.content.bytes(LIMIT) {
        Ok(bytes) => bytes,
        Err(error) => return out.problem(path, format!("the document was not read: {error}")),
    };
    match recognise(&bytes) {
        Some(format) if mine(format) => {
            if let Err(message) = parse(format, &bytes, path, found_by, out) {
                out.problem(path, message);
            }
        }
        Some(_) => {}
        None if unrecognised_is_problem => {
            out.problem(
                path,
                "its name says that it is a bill of materials, its content does not",
            );
        }
        None => {}
    }
    out.os = None;
}

/// True in folders where distributions, Python wheels and image builders keep documents of either kind.
pub(crate) fn is_kept_in_folder(path: &str) -> bool {
    let folder = model::path::parent(path);
    matches!(folder, "usr/local/share/sbom" | "var/lib/db/sbom") || folder.ends_with(".dist-info/sboms")
}

fn parse(
    format: Format,
    bytes: &[u8],
    path: &str,
    found_by: &'static str,
    out: &mut Extracted,
) -> Result<(), String> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let bill = match format {
        Format::CycloneDxJson => cyclonedx_json::read(bytes),
        Format::CycloneDxXml => cyclonedx_xml::read(bytes),
        Format::SpdxJson => spdx_json::read(bytes),
        Format::SpdxTagValue => spdx_tag_value::read(bytes),
        Format::Spdx3 => spdx3::read(bytes),
    };
    let bill = bill.map_err(|message| format!("the document is damaged: {message}"))?;
    assemble(bill, path, found_by, out);
    Ok(())
}

/// Makes packages of what the document lists.
fn assemble(bill: Bill<'_>, path: &str, found_by: &'static str, out: &mut Extracted) {
    let mut os = None;
    // Distributions by the number of packages that name them.
    let mut distributions: BTreeMap<(String, String), usize> = BTreeMap::new();
    let mut expressions: HashMap<Cow<'_, str>, Vec<String>> = HashMap::new();
    let mut problems = bill.problems;
    let mut packages = Vec::with_capacity(bill.items.len());
    let mut index_of: HashMap<&str, Id> = HashMap::with_capacity(bill.items.len());
    for item in &bill.items {
        match item.role {
            Role::Other => continue,
            Role::System => {
                os.get_or_insert_with(|| system(item));
                continue;
            }
            Role::Package => {}
        }
        let purl = if item.purl.is_empty() {
            None
        } else {
            match item.purl.parse::<Purl>() {
                Ok(purl) => Some(purl),
                Err(error) => {
                    problems.push(format!(
                        "`{}` has the package URL `{}`: {error}",
                        item.name, item.purl
                    ));
                    None
                }
            }
        };
        if purl.is_none() && item.name.is_empty() {
            problems.push("a component has neither name nor package URL".to_owned());
            continue;
        }
        let mut package = package(item, purl, found_by);
        if let Some(distribution) = distribution(&package.purl) {
            *distributions.entry(distribution).or_default() += 1;
        }
        for text in &item.licenses {
            let known = expressions
                .entry(text.clone())
                .or_insert_with(|| license::expressions(text));
            for expression in known {
                if !package.licenses.contains(expression) {
                    package.licenses.push(expression.clone());
                }
            }
        }
        package.locations.push(Location::file(path));
        if !item.id.is_empty() {
            // The caps on documents keep their number far below the limit of the type.
            index_of.insert(&item.id, Id::try_from(packages.len()).unwrap_or(Id::MAX));
        }
        packages.push(package);
    }

    let index = |id: &str| index_of.get(id).copied();
    let mut edges: Vec<Vec<Id>> = vec![Vec::new(); packages.len()];
    for (from, to) in &bill.edges {
        if let (Some(from), Some(to)) = (index(from), index(to))
            && let Some(list) = edges.get_mut(from as usize)
        {
            list.push(to);
        }
    }
    let roots: Vec<Id> = bill.roots.iter().filter_map(|id| index(id)).collect();
    relations::relate(&mut packages, &roots, |from| {
        edges.get(from as usize).into_iter().flatten().copied()
    });

    if distributions.len() > 1 {
        let list: Vec<String> = distributions
            .keys()
            .map(|(id, version)| format!("{id} {version}"))
            .collect();
        problems.push(format!(
            "its packages are of several distributions ({}); all are taken to be of the one named most often",
            list.join(", ")
        ));
    }
    let most = distributions.into_iter().max_by_key(|(_, count)| *count);
    if let Some(((id, version), _)) = most {
        match &mut os {
            // A system may be called by a name for people; its packages know better.
            Some(os) if os.version.is_empty() || os.id != id => {
                os.id = id;
                os.version = version;
            }
            Some(_) => {}
            None => {
                os = Some(OsRelease {
                    pretty_name: format!("{id} {version}").trim().to_owned(),
                    id,
                    version,
                    ..OsRelease::default()
                });
            }
        }
    }
    out.os = os;
    let mut intake = Intake::new(path, out);
    for problem in problems {
        intake.problem(problem);
    }
    for package in packages {
        intake.package(package);
    }
}

fn package(item: &Item<'_>, purl: Option<Purl>, found_by: &'static str) -> Package {
    let Some(mut purl) = purl else {
        let purl = Purl::new("generic", &item.group, &item.name, &item.version);
        let name = if item.group.is_empty() {
            item.name.clone().into_owned()
        } else {
            format!("{}/{}", item.group, item.name)
        };
        return finish(item, Package::new(found_by, purl, "", name, &*item.version));
    };
    if purl.version().is_empty() && !item.version.is_empty() {
        purl = with_version(&purl, &item.version);
    }
    let (ecosystem, name) = match ecosystems::from_purl(&purl) {
        Some((ecosystem, name)) => (ecosystem, name),
        None => ("", ecosystems::name(&purl)),
    };
    // Package URLs of some types are in lower case; the document may also tell how the name is written.
    let name = if item.name.eq_ignore_ascii_case(&name) {
        item.name.to_string()
    } else {
        name
    };
    // The epoch is a qualifier in package URLs of rpm and stands before the version everywhere else.
    let version = match purl.qualifier("epoch") {
        Some(epoch) if epoch != "0" && !purl.version().contains(':') => format!("{epoch}:{}", purl.version()),
        _ => purl.version().to_owned(),
    };
    let mut package = Package::new(found_by, purl, ecosystem, name, version);
    if ecosystems::is_os_package(&package.purl) {
        package.source = source(item, &package);
    }
    finish(item, package)
}

fn finish(item: &Item<'_>, mut package: Package) -> Package {
    package.scope = item.scope;
    package.add_fact("cpe", &*item.cpe);
    let module = package
        .purl
        .qualifier("rpmmod")
        .map(str::to_owned)
        .unwrap_or_default();
    package.add_fact(
        "module-label",
        if item.module.is_empty() {
            module
        } else {
            item.module.clone().into_owned()
        },
    );
    package
}

fn with_version(purl: &Purl, version: &str) -> Purl {
    let mut with =
        Purl::new(purl.kind(), purl.namespace(), purl.name(), version).with_subpath(purl.subpath());
    for (key, value) in purl.qualifiers() {
        with = with.with_qualifier(key, value);
    }
    with
}

/// The source package: what the document says of it, or the `upstream` qualifier (`openssl@3.0.2-1`, `openssl`, or the name of
/// a source rpm).
fn source(item: &Item<'_>, package: &Package) -> Option<SourcePackage> {
    let (name, version) = match &item.source {
        Some((name, version)) => (name.clone(), version.clone()),
        None => {
            let upstream = package.purl.qualifier("upstream")?.split(',').next()?;
            if let Some(stem) = upstream
                .strip_suffix(".src.rpm")
                .or_else(|| upstream.strip_suffix(".nosrc.rpm"))
            {
                let (rest, release) = stem.rsplit_once('-')?;
                let (name, version) = rest.rsplit_once('-')?;
                (name.to_owned(), format!("{version}-{release}"))
            } else {
                let (name, version) = upstream.split_once('@').unwrap_or((upstream, ""));
                (name.to_owned(), version.to_owned())
            }
        }
    };
    let version = if version.is_empty() {
        package.version.clone()
    } else {
        version
    };
    let own = name == package.name && version == package.version;
    (!name.is_empty() && !own).then_some(SourcePackage { name, version })
}

/// Identity and version of the distribution that an OS package's purl names: `distro=debian-12`, `distro=3.18.4` behind the
/// namespace `alpine`.
fn distribution(purl: &Purl) -> Option<(String, String)> {
    if !ecosystems::is_os_package(purl) {
        return None;
    }
    let distro = purl.qualifier("distro")?;
    let digit = |text: &str| text.starts_with(|first: char| first.is_ascii_digit());
    if digit(distro) {
        return Some((identity(purl.namespace()), distro.to_owned()));
    }
    match distro.rsplit_once('-') {
        Some((id, version)) if digit(version) => Some((identity(id), version.to_owned())),
        _ => Some((identity(distro), String::new())),
    }
}

fn system(item: &Item<'_>) -> OsRelease {
    let id = if item.distribution.is_empty() {
        &item.name
    } else {
        &item.distribution
    };
    OsRelease {
        id: identity(id),
        version: item.version.clone().into_owned(),
        pretty_name: format!("{} {}", item.name, item.version).trim().to_owned(),
        ..OsRelease::default()
    }
}

/// The identity of os-release for the names that other tools give distributions.
fn identity(name: &str) -> String {
    let lower = name.trim().to_ascii_lowercase();
    match lower.as_str() {
        "redhat" | "red hat enterprise linux" => "rhel",
        "amazon" | "amazon linux" | "amazonlinux" => "amzn",
        "oracle" | "oracle linux" | "oraclelinux" => "ol",
        "alma" | "alma linux" => "almalinux",
        "rocky linux" => "rocky",
        "debian gnu/linux" => "debian",
        "alpine linux" => "alpine",
        "suse linux enterprise server" | "suse" => "sles",
        "suse linux enterprise micro" | "sle-micro" => "sl-micro",
        "opensuse leap" | "opensuse.leap" => "opensuse-leap",
        "opensuse tumbleweed" | "opensuse.tumbleweed" => "opensuse-tumbleweed",
        "cbl-mariner" | "cbl mariner" => "mariner",
        "azure linux" => "azurelinux",
        "fedora linux" => "fedora",
        "centos linux" | "centos stream" => "centos",
        _ => return lower.replace(' ', "-"),
    }
    .to_owned()
}

/// Drops SPDX's ways of saying nothing.
fn told(text: &str) -> bool {
    !text.is_empty() && !matches!(text, "NOASSERTION" | "NONE")
}

#[cfg(test)]
mod tests;
