//! Items of MSBuild files that refer to NuGet packages.

use crate::dependency_graph::cut;
use crate::documents::Element;
use crate::identity::{exact_version, nuget, with_managed_requirement};
use model::{Package, Scope};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// Longest name, version or list of names with properties put in, in bytes.
const LONGEST_VALUE: usize = 4096;

/// A reference to a package.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Reference {
    pub(crate) name: String,
    /// Version or range with properties of the same file put in; empty when another file has it.
    pub(crate) version: String,
    /// Not part of what is delivered.
    pub(crate) private: bool,
    /// Changes an item that must be there already (`Update`), and asks for none itself.
    pub(crate) update: bool,
    pub(crate) line: u32,
}

/// True for project files, and for the files that MSBuild puts before and behind all projects of a folder.
pub(crate) fn is_project(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    [".csproj", ".fsproj", ".vbproj"]
        .iter()
        .any(|end| name.ends_with(end))
        || matches!(name.as_str(), "directory.build.props" | "directory.build.targets")
}

/// The items of some kinds in all item groups of a file.
pub(crate) fn references(document: &Element, kinds: &[&str]) -> Vec<Reference> {
    let project = document.child("Project");
    let properties: HashMap<String, &str> = project
        .all("PropertyGroup")
        .flat_map(|group| &group.children)
        .map(|property| (property.name.to_ascii_lowercase(), property.text.as_str()))
        .collect();
    let items = project.all("ItemGroup").flat_map(|group| &group.children);
    items
        .filter(|item| kinds.contains(&item.name.as_str()))
        .flat_map(|item| {
            let field = |name: &str| {
                let attribute = item.attribute(name);
                let text = if attribute.is_empty() {
                    &item.child(name).text
                } else {
                    attribute
                };
                expand(text, &properties)
            };
            let include = field("Include");
            let update = include.is_empty();
            let names = if update { field("Update") } else { include };
            let overridden = field("VersionOverride");
            let version = if overridden.is_empty() {
                field("Version")
            } else {
                overridden
            };
            let private = field("PrivateAssets").to_ascii_lowercase().contains("all")
                || item.name == "GlobalPackageReference";
            // An item may name several packages.
            names
                .split(';')
                .map(str::trim)
                .filter(|name| !name.is_empty())
                .map(|name| Reference {
                    name: name.to_owned(),
                    version: version.clone(),
                    private,
                    update,
                    line: item.line,
                })
                .collect::<Vec<_>>()
        })
        .collect()
}

/// Puts `$(Name)` in, once: a value that refers to others again is left as it is.
fn expand(text: &str, properties: &HashMap<String, &str>) -> String {
    let mut expanded = String::new();
    let mut rest = text.trim();
    while let Some((before, after)) = rest.split_once("$(").filter(|_| expanded.len() <= LONGEST_VALUE) {
        let Some((name, after)) = after.split_once(')') else {
            break;
        };
        expanded.push_str(before);
        match properties.get(&name.to_ascii_lowercase()) {
            Some(value) => expanded.push_str(cut(value, LONGEST_VALUE)),
            None => expanded.push_str(&format!("$({name})")),
        }
        rest = after;
    }
    expanded.push_str(rest);
    cut(&expanded, LONGEST_VALUE).to_owned()
}

impl Reference {
    /// The package. A plain version is the least that is allowed, and what NuGet takes.
    pub(crate) fn package(&self, found_by: &str) -> Package {
        let exact = exact_version(&self.version);
        let open = exact.is_empty() || exact.contains(['*', ',', '[', '(', '$']);
        let mut package = nuget(found_by, &self.name, if open { "" } else { exact });
        if open {
            with_managed_requirement(&mut package, exact);
        }
        package.scope = Some(if self.private {
            Scope::Development
        } else {
            Scope::Runtime
        });
        package
    }
}
