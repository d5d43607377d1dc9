//! .NET packages of applications and shared frameworks: what deps.json files name, and assemblies that none of them names.

use crate::intake::Intake;
use crate::{Extracted, Extractor, File, Found, Kind, assembly, reading};
use base64::Engine;
use model::{Entry, EntryKind, Location, Meta, Package, Purl, Relation, Scope, path};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// The member.
pub(super) static DOTNET_PACKAGE: DotnetPackage = DotnetPackage;

pub(super) struct DotnetPackage;

static META: Meta = Meta {
    name: "dotnet-package",
    title: ".NET packages of applications, runtimes and shared frameworks, with the dependency path",
    finds: &[
        "*.deps.json",
        "*.dll and *.exe with managed code that no deps.json beside or above them names",
    ],
    needs: &[],
    references: &[
        "https://github.com/dotnet/sdk/blob/main/documentation/specs/runtime-configuration-file.md",
        "https://ecma-international.org/publications-and-standards/standards/ecma-335/",
    ],
};

/// Largest deps.json that is read, in bytes.
const MAX_DEPS: u64 = 64 << 20;
/// Largest assembly that is read, in bytes.
const MAX_ASSEMBLY: u64 = 256 << 20;
/// Note of a file that a deps.json names: folder of the deps.json and the file's own name.
const NAMED: &str = "named";

fn is_assembly(name: &str) -> bool {
    name.rsplit_once('.')
        .is_some_and(|(_, ending)| ending.eq_ignore_ascii_case("dll") || ending.eq_ignore_ascii_case("exe"))
}

impl Extractor for DotnetPackage {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn kind(&self) -> Kind {
        Kind::Installed
    }

    fn wants(&self, entry: &Entry<'_>) -> bool {
        entry.kind == EntryKind::File
            && (entry.path.ends_with(".deps.json") || is_assembly(entry.file_name()))
    }

    fn accepts(&self, entry: &Entry<'_>, head: &[u8]) -> bool {
        entry.path.ends_with(".deps.json") || head.starts_with(b"MZ")
    }

    fn extract(&self, file: &mut File<'_>, out: &mut Extracted) {
        let location = file.entry.path;
        if location.ends_with(".deps.json") {
            if let Some(json) = reading::json(file.content, location, MAX_DEPS, "the deps.json", out) {
                Deps::read(&json, location, out);
            }
            return;
        }
        match file.content.bytes(MAX_ASSEMBLY) {
            Ok(bytes) => match assembly::parse(&bytes) {
                Ok(Some(assembly)) => managed(&assembly, location, out),
                Ok(None) => {}
                Err(message) => out.problem(location, format!("the assembly was not read: {message}")),
            },
            Err(error) => out.problem(location, format!("the assembly was not read: {error}")),
        }
    }

    /// Drops assemblies that a deps.json in their folder or above it accounts for.
    fn combine(&self, found: &mut Vec<Found>) {
        let mut named: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for file in found.iter_mut() {
            for note in file.extracted.notes.drain(..).filter(|note| note.kind == NAMED) {
                named.entry(note.key).or_default().insert(note.value);
            }
        }
        for file in found.iter_mut().filter(|file| !file.path.ends_with(".deps.json")) {
            let name = path::file_name(&file.path).to_ascii_lowercase();
            // The application's own folder, and those for cultures and runtimes below it.
            let mut folder = path::parent(&file.path);
            for _ in 0..5 {
                if named.get(folder).is_some_and(|names| names.contains(&name)) {
                    file.extracted.packages.clear();
                    break;
                }
                folder = path::parent(folder);
            }
        }
        found.retain(|file| !file.extracted.is_empty());
    }
}

/// A package for an assembly. Its product version is usually the package's; the metadata's version often is frozen.
fn managed(assembly: &assembly::Assembly, location: &str, out: &mut Extracted) {
    // Satellite assemblies hold translations of another one.
    if !assembly.culture.is_empty() && assembly.culture != "neutral" {
        return;
    }
    let version_of = |text: &str| {
        let version = text.split(['+', ' ', ',']).next().unwrap_or_default().to_owned();
        let numbers = version.starts_with(|first: char| first.is_ascii_digit()) && version.contains('.');
        numbers.then_some(version)
    };
    let (evidence, version) = [
        ("product-version", &assembly.product_version),
        ("file-version", &assembly.file_version),
    ]
    .into_iter()
    .find_map(|(evidence, text)| version_of(text).map(|version| (evidence, version)))
    .unwrap_or_else(|| ("assembly-version", assembly.version.clone()));
    if assembly.name.is_empty() {
        return out.problem(location, "the assembly has no name");
    }
    let purl = Purl::new("nuget", "", &assembly.name, &version);
    // Compared with advisories, a frozen version would give findings that are not there.
    let ecosystem = if evidence == "assembly-version" {
        ""
    } else {
        "NuGet"
    };
    let mut package = Package::new(META.name, purl, ecosystem, assembly.name.as_str(), version);
    package.locations.push(Location::file(location));
    package.add_fact("identified-by", evidence);
    package.add_fact("assembly-version", assembly.version.as_str());
    out.packages.push(package);
}

/// The parts of one deps.json.
struct Deps<'a> {
    libraries: &'a Map<String, Value>,
    /// The target that the application runs as.
    target: Option<&'a Map<String, Value>>,
}

impl<'a> Deps<'a> {
    fn read(json: &'a Value, location: &str, out: &mut Extracted) {
        let Some(libraries) = json.get("libraries").and_then(Value::as_object) else {
            return out.problem(location, "the deps.json has no `libraries`");
        };
        // `runtimeTarget` is an object, in old files a text.
        let runtime = json.get("runtimeTarget");
        let name = runtime
            .and_then(|runtime| runtime.get("name").or(Some(runtime)))
            .and_then(Value::as_str);
        let targets = json.get("targets").and_then(Value::as_object);
        let target = targets
            .and_then(|targets| {
                name.and_then(|name| targets.get(name))
                    .or_else(|| targets.values().next())
            })
            .and_then(Value::as_object);
        let deps = Self { libraries, target };
        let mut intake = Intake::new(location, out);
        deps.note_files(&mut intake);
        let paths = deps.paths();
        for (key, library) in libraries {
            let kind = reading::field(library, "type");
            if !matches!(kind, "package" | "runtimepack") || !deps.is_present(key) {
                continue;
            }
            let Some((name, version)) = key
                .rsplit_once('/')
                .filter(|(name, version)| !name.is_empty() && !version.is_empty())
            else {
                intake.problem(format!("the library `{key}` of the deps.json has no version"));
                continue;
            };
            // A self-contained application brings the runtime along.
            let name = name.strip_prefix("runtimepack.").unwrap_or(name);
            let mut package = Package::new(
                META.name,
                Purl::new("nuget", "", name, version),
                "NuGet",
                name,
                version,
            );
            package.locations.push(Location::file(location));
            package.scope = Some(Scope::Runtime);
            if let Some(path) = paths.get(key.as_str()) {
                package.relation = Some(if path.len() <= 1 {
                    Relation::Direct
                } else {
                    Relation::Transitive
                });
                package.path = path.iter().map(|key| key.replace('/', "@")).collect();
            }
            let hash = reading::field(library, "sha512")
                .strip_prefix("sha512-")
                .unwrap_or_default();
            if let Ok(bytes) = base64::engine::general_purpose::STANDARD.decode(hash) {
                package.add_fact(
                    "sha512",
                    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>(),
                );
            }
            intake.package(package);
        }
    }

    fn entry(&self, key: &str) -> Option<&'a Value> {
        self.target.and_then(|target| target.get(key))
    }

    /// False for packages that bring no file to the application: those only needed to compile, and empty ones.
    fn is_present(&self, key: &str) -> bool {
        let Some(entry) = self.entry(key) else {
            return self.target.is_none();
        };
        if entry.get("compileOnly").and_then(Value::as_bool) == Some(true) {
            return false;
        }
        ["runtime", "native", "runtimeTargets", "resources"]
            .iter()
            .any(|kind| {
                entry
                    .get(kind)
                    .and_then(Value::as_object)
                    .is_some_and(|files| !files.is_empty())
            })
    }

    /// Remembers the names of all assemblies that the file accounts for.
    fn note_files(&self, intake: &mut Intake<'_>) {
        let location = intake.path();
        let mut names = BTreeSet::new();
        for entry in self.target.into_iter().flat_map(Map::values) {
            for kind in ["runtime", "native", "runtimeTargets"] {
                let files = entry.get(kind).and_then(Value::as_object);
                names.extend(
                    files
                        .into_iter()
                        .flat_map(Map::keys)
                        .map(|file| path::file_name(file).to_ascii_lowercase())
                        .filter(|name| is_assembly(name)),
                );
            }
        }
        // The application's own start program and assembly.
        let own = path::file_name(location)
            .trim_end_matches(".deps.json")
            .to_ascii_lowercase();
        names.extend([format!("{own}.dll"), format!("{own}.exe")]);
        for name in names {
            intake.note(NAMED, path::parent(location), name);
        }
    }

    /// One shortest chain from a project to each library, without both ends' project and with the library left out.
    fn paths(&self) -> BTreeMap<String, Vec<String>> {
        let mut paths: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut queue: VecDeque<(String, usize)> = VecDeque::new();
        // By name without version, in lower case: dependencies name version ranges' lower bounds.
        let by_name: BTreeMap<String, &String> = self
            .libraries
            .keys()
            .filter_map(|key| Some((key.split_once('/')?.0.to_ascii_lowercase(), key)))
            .collect();
        for (key, library) in self.libraries {
            if reading::field(library, "type") == "project" {
                paths.insert(key.clone(), Vec::new());
                queue.push_back((key.clone(), 0));
            }
        }
        while let Some((key, depth)) = queue.pop_front() {
            let dependencies = self
                .entry(&key)
                .and_then(|entry| entry.get("dependencies"))
                .and_then(Value::as_object);
            for name in dependencies.into_iter().flat_map(Map::keys) {
                let Some(next) = by_name.get(&name.to_ascii_lowercase()) else {
                    continue;
                };
                // Chains longer than this are of no use to a reader and would cost memory in a hostile file.
                if depth >= 32 || paths.contains_key(*next) {
                    continue;
                }
                let mut chain = paths.get(&key).cloned().unwrap_or_default();
                chain.push(key.clone());
                paths.insert((*next).clone(), chain);
                queue.push_back(((*next).clone(), depth + 1));
            }
        }
        paths
    }
}
