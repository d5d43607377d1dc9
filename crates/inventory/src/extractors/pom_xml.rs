//! `pom.xml` of Maven, with properties, managed versions, and parents and BOMs that lie in the same tree.

use crate::dependency_graph::{label, merged};
use crate::documents::Element;
use crate::identity::{exact_version, maven, with_managed_requirement};
use crate::lock_file::{LockFile, Reading};
use crate::{Found, Kind, Note, license};
use model::{Location, Meta, Package, Problem, Relation, Scope, path};
use serde::{Deserialize, Serialize};
use std::cell::Cell;
use std::collections::HashMap;

/// The member.
pub(super) static POM_XML: LockFile = LockFile {
    meta: &META,
    kind: Kind::Declared,
    wants: |path, name| (name == "pom.xml" && !path.contains("META-INF/")) || name.ends_with(".pom"),
    read,
    combine,
};

static META: Meta = Meta {
    name: "pom-xml",
    title: "Maven artifacts that a project names, versions resolved as far as the tree tells",
    finds: &["pom.xml", "*.pom"],
    needs: &[],
    references: &["https://maven.apache.org/pom.html"],
};

/// Most parents and imported BOMs that are followed from one project.
const MOST_ANCESTORS: usize = 64;

/// Longest text that properties may expand to, in bytes, and how often they are looked for in it.
const LONGEST_VALUE: usize = 4096;
const MOST_EXPANSIONS: usize = 16;

/// Most properties and dependencies that are looked at in one tree, each counted for every project that it is for.
const MOST_WORK: usize = 20_000_000;

/// A project as its file says it, nothing resolved.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Project {
    group: String,
    artifact: String,
    version: String,
    parent: Option<Parent>,
    properties: Vec<(String, String)>,
    managed: Vec<Dependency>,
    dependencies: Vec<Dependency>,
    licenses: Vec<String>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Parent {
    group: String,
    artifact: String,
    version: String,
    relative_path: String,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Dependency {
    group: String,
    artifact: String,
    version: String,
    scope: String,
    kind: String,
    classifier: String,
    optional: bool,
    line: u32,
}

fn read(reading: &mut Reading<'_>) {
    let document = reading.xml();
    let root = document.child("project");
    if root.name.is_empty() {
        return reading.problem("not a Maven project: it has no element `project`");
    }
    let text = |element: &Element, name: &str| element.child(name).text.clone();
    let parent = root.child("parent");
    let project = Project {
        group: text(root, "groupId"),
        artifact: text(root, "artifactId"),
        version: text(root, "version"),
        parent: (!parent.name.is_empty()).then(|| Parent {
            group: text(parent, "groupId"),
            artifact: text(parent, "artifactId"),
            version: text(parent, "version"),
            relative_path: if parent.child("relativePath").name.is_empty() {
                "../pom.xml".to_owned()
            } else {
                text(parent, "relativePath")
            },
        }),
        properties: root
            .child("properties")
            .children
            .iter()
            .map(|property| (property.name.clone(), property.text.clone()))
            .collect(),
        managed: dependencies(root.child("dependencyManagement")),
        dependencies: dependencies(root),
        licenses: root
            .child("licenses")
            .all("license")
            .map(|license| text(license, "name"))
            .collect(),
    };
    match serde_json::to_string(&project) {
        Ok(value) => reading.out.notes.push(Note {
            kind: "project".to_owned(),
            key: String::new(),
            value,
        }),
        Err(error) => reading.problem(format!(
            "could not be kept for the reading of other projects: {error}"
        )),
    }
}

fn dependencies(parent: &Element) -> Vec<Dependency> {
    let list = parent.child("dependencies");
    list.all("dependency")
        .map(|element| Dependency {
            group: element.child("groupId").text.clone(),
            artifact: element.child("artifactId").text.clone(),
            version: element.child("version").text.clone(),
            scope: element.child("scope").text.clone(),
            kind: element.child("type").text.clone(),
            classifier: element.child("classifier").text.clone(),
            optional: element.child("optional").text == "true",
            line: element.line,
        })
        .collect()
}

/// Resolves each project with its parents and the BOMs it imports, as far as they lie in the tree.
fn combine(found: &mut Vec<Found>) {
    let mut tree = Tree::default();
    for file in found.iter_mut() {
        for note in file.extracted.notes.drain(..) {
            match serde_json::from_str::<Project>(&note.value) {
                Ok(project) => tree.add(&file.path, project),
                Err(error) => file.extracted.problems.push(Problem::file(
                    &*file.path,
                    format!("a kept Maven project is not readable: {error}"),
                )),
            }
        }
    }
    for file in found.iter_mut() {
        if tree.by_path.contains_key(&file.path) {
            let packages = tree.packages(&file.path);
            file.extracted.packages = merged(packages);
            if tree.work.get() > MOST_WORK {
                file.extracted.problems.push(Problem::file(
                    &*file.path,
                    format!("versions that parents and BOMs manage were not resolved: the tree has more than {MOST_WORK}"),
                ));
            }
        }
    }
    found.retain(|file| !file.extracted.is_empty());
}

#[derive(Default)]
struct Tree {
    /// Properties and dependencies that were looked at for all projects together.
    work: Cell<usize>,
    by_path: HashMap<String, Project>,
    /// `group:artifact` -> path.
    by_name: HashMap<String, String>,
}

impl Tree {
    fn add(&mut self, path: &str, project: Project) {
        let parent_group = project.parent.as_ref().map(|parent| parent.group.clone());
        let group = if project.group.is_empty() {
            parent_group.unwrap_or_default()
        } else {
            project.group.clone()
        };
        self.by_name
            .insert(format!("{group}:{}", project.artifact), path.to_owned());
        self.by_path.insert(path.to_owned(), project);
    }

    /// The parent's path, if it is in the tree: where `relativePath` says, else by its name.
    fn parent_of(&self, path: &str, parent: &Parent) -> Option<&str> {
        let beside = path::join(path::parent(path), &parent.relative_path);
        let within = path::join(&beside, "pom.xml");
        for candidate in [beside, within] {
            if let Some((path, project)) = self.by_path.get_key_value(&candidate)
                && project.artifact == parent.artifact
            {
                return Some(path);
            }
        }
        self.by_name
            .get(&format!("{}:{}", parent.group, parent.artifact))
            .map(String::as_str)
    }

    /// The project and its parents, nearest first.
    fn lineage<'t>(&'t self, path: &'t str) -> Vec<&'t Project> {
        let mut lineage = Vec::new();
        let mut seen = Vec::new();
        let mut at = Some(path);
        while let Some(path) = at {
            let Some(project) = self.by_path.get(path) else {
                break;
            };
            if seen.contains(&path) || seen.len() >= MOST_ANCESTORS {
                break;
            }
            seen.push(path);
            lineage.push(project);
            at = project
                .parent
                .as_ref()
                .and_then(|parent| self.parent_of(path, parent));
        }
        lineage
    }

    /// Counts what a lineage says; true when that was more than is looked at for all projects together.
    fn is_too_much(&self, lineage: &[&Project]) -> bool {
        let all: usize = lineage
            .iter()
            .map(|project| project.properties.len() + project.managed.len() + project.dependencies.len())
            .sum();
        self.work.set(self.work.get().saturating_add(all));
        self.work.get() > MOST_WORK
    }

    fn packages(&self, path: &str) -> Vec<Package> {
        let mut lineage = self.lineage(path);
        if self.is_too_much(&lineage) {
            // What the project itself says is always listed.
            lineage.truncate(1);
        }
        let properties = Properties::of(&lineage);
        let mut managed: HashMap<String, Dependency> = HashMap::new();
        let mut imports = 0;
        self.manage(&lineage, &properties, &mut managed, &mut imports);

        let mut packages = Vec::new();
        let group = properties.expand("${project.groupId}");
        let artifact = properties.expand("${project.artifactId}");
        let version = properties.expand("${project.version}");
        let known = |text: &str| !text.is_empty() && !text.contains("${");
        let mut chain = Vec::new();
        if known(&group) && known(&artifact) {
            let version = if known(&version) { version } else { String::new() };
            let mut root = maven(META.name, &group, &artifact, &version);
            root.ecosystem.clear();
            root.relation = Some(Relation::Root);
            root.licenses = lineage
                .iter()
                .map(|project| &project.licenses)
                .find(|licenses| !licenses.is_empty())
                .into_iter()
                .flatten()
                .take(16)
                .flat_map(|name| license::expressions(name))
                .collect();
            root.locations.push(Location::file(path));
            chain.push(label(&root.name, &version));
            packages.push(root);
        }
        // Parents' dependencies are the project's own too.
        for (index, project) in lineage.iter().enumerate() {
            for dependency in &project.dependencies {
                let line = (index == 0).then_some(dependency.line);
                let mut package = resolve(dependency, &properties, &managed);
                package.relation = Some(Relation::Direct);
                package.path.clone_from(&chain);
                package.locations.push(Location {
                    line,
                    ..Location::file(path)
                });
                packages.push(package);
            }
        }
        packages
    }

    /// Collects managed versions: the nearest project's first, imported BOMs after them.
    fn manage(
        &self,
        lineage: &[&Project],
        properties: &Properties<'_>,
        managed: &mut HashMap<String, Dependency>,
        imports: &mut usize,
    ) {
        let mut boms = Vec::new();
        for dependency in lineage.iter().flat_map(|project| &project.managed) {
            let name = name_of(dependency, properties);
            let mut resolved = dependency.clone();
            resolved.version = properties.expand(&dependency.version);
            if dependency.scope == "import" {
                boms.push(name);
            } else {
                managed.entry(key_of(&name, dependency)).or_insert(resolved);
            }
        }
        for bom in boms {
            let Some(path) = self.by_name.get(&bom) else {
                continue;
            };
            // Counted over the whole tree of imports, which also ends circles.
            *imports += 1;
            if *imports > MOST_ANCESTORS {
                return;
            }
            let lineage = self.lineage(path);
            if self.is_too_much(&lineage) {
                return;
            }
            let properties = Properties::of(&lineage);
            self.manage(&lineage, &properties, managed, imports);
        }
    }
}

fn name_of(dependency: &Dependency, properties: &Properties<'_>) -> String {
    format!(
        "{}:{}",
        properties.expand(&dependency.group),
        properties.expand(&dependency.artifact)
    )
}

/// Maven tells managed versions apart by type and classifier too.
fn key_of(name: &str, dependency: &Dependency) -> String {
    let kind = if dependency.kind.is_empty() {
        "jar"
    } else {
        &dependency.kind
    };
    format!("{name}:{kind}:{}", dependency.classifier)
}

fn resolve(
    dependency: &Dependency,
    properties: &Properties<'_>,
    managed: &HashMap<String, Dependency>,
) -> Package {
    let group = properties.expand(&dependency.group);
    let artifact = properties.expand(&dependency.artifact);
    let manager = managed.get(&key_of(&format!("{group}:{artifact}"), dependency));
    let mut asked = properties.expand(&dependency.version);
    if asked.is_empty() {
        asked = manager.map(|manager| manager.version.clone()).unwrap_or_default();
    }
    // `[1.0]` is just 1.0.
    let exact = exact_version(&asked);
    let unknown =
        exact.contains("${") || exact.starts_with(['[', '(']) || matches!(exact, "" | "LATEST" | "RELEASE");
    let mut package = maven(META.name, &group, &artifact, if unknown { "" } else { exact });
    if unknown {
        with_managed_requirement(&mut package, exact);
    }
    package.purl = package
        .purl
        .with_qualifier("classifier", &properties.expand(&dependency.classifier));
    let scope = match dependency.scope.as_str() {
        "" => manager.map_or("", |manager| manager.scope.as_str()),
        scope => scope,
    };
    package.scope = Some(match scope {
        "test" => Scope::Development,
        _ if dependency.optional => Scope::Optional,
        _ => Scope::Runtime,
    });
    if matches!(scope, "provided" | "system") {
        package.add_fact("maven-scope", scope);
    }
    package
}

/// Properties of a project: its own win over its parents'.
struct Properties<'p> {
    values: HashMap<&'p str, &'p str>,
    project: HashMap<&'static str, String>,
}

impl<'p> Properties<'p> {
    fn of(lineage: &[&'p Project]) -> Self {
        let mut values = HashMap::new();
        for (name, value) in lineage.iter().flat_map(|project| &project.properties) {
            values.entry(name.as_str()).or_insert(value.as_str());
        }
        let mut project = HashMap::new();
        if let Some(own) = lineage.first() {
            let parent = own.parent.clone().unwrap_or_default();
            let first = |own: &str, inherited: &str| {
                if own.is_empty() {
                    inherited.to_owned()
                } else {
                    own.to_owned()
                }
            };
            project.insert("groupId", first(&own.group, &parent.group));
            project.insert("artifactId", own.artifact.clone());
            project.insert("version", first(&own.version, &parent.version));
            project.insert("parent.groupId", parent.group);
            project.insert("parent.artifactId", parent.artifact);
            project.insert("parent.version", parent.version);
        }
        Self { values, project }
    }

    fn get(&self, name: &str) -> Option<&str> {
        let field = name
            .strip_prefix("project.")
            .or_else(|| name.strip_prefix("pom."))
            .unwrap_or(name);
        let own = self
            .project
            .get(field)
            .map(String::as_str)
            .filter(|value| !value.is_empty());
        if field == name {
            self.values.get(name).copied().or(own)
        } else {
            own
        }
    }

    /// The text with `${…}` replaced; what is not known stays.
    fn expand(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for _ in 0..MOST_EXPANSIONS {
            let mut expanded = String::with_capacity(text.len());
            let mut rest = text.as_str();
            let mut changed = false;
            while let Some(start) = rest.find("${") {
                let Some(length) = rest[start..].find('}') else {
                    break;
                };
                let (before, reference) = (&rest[..start], &rest[start..=start + length]);
                expanded.push_str(before);
                match self.get(&reference[2..reference.len() - 1]) {
                    Some(value) => {
                        expanded.push_str(value);
                        changed = true;
                    }
                    None => expanded.push_str(reference),
                }
                rest = &rest[start + length + 1..];
                if expanded.len() > LONGEST_VALUE {
                    return text;
                }
            }
            expanded.push_str(rest);
            text = expanded;
            if !changed {
                break;
            }
        }
        text.trim().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties_expand_and_end() {
        let project = Project {
            version: "1".to_owned(),
            properties: [
                ("a", "${b}.x"),
                ("b", "2"),
                ("loop", "${loop}"),
                ("big", "${big}${big}"),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec(),
            ..Project::default()
        };
        let lineage = [&project];
        let properties = Properties::of(&lineage);
        assert_eq!(
            properties.expand("${a}-${project.version}-${none}"),
            "2.x-1-${none}"
        );
        assert_eq!(properties.expand("${loop}"), "${loop}");
        assert!(properties.expand("${big}").len() <= LONGEST_VALUE);
        assert_eq!(properties.expand("${open"), "${open");
    }
}
