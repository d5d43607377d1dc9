//! The reader that `pdm.lock` and `poetry.lock` share: the same list of packages, which differ in what tells their source,
//! their scope and what they want.

use crate::dependency_graph::{ByName, DependencyGraph, Id};
use crate::documents::Node;
use crate::identity::{normal_python_name, pypi};
use crate::lock_file::Reading;
use crate::python_requirements::read_pyproject;
use model::{Package, Scope};

/// What one tool writes in its own way.
pub(crate) struct PythonLock {
    /// The tool's name, for messages.
    pub(crate) tool: &'static str,
    /// Key of the condition on the environment.
    pub(crate) marker: &'static str,
    /// Sets a package's source and scope from its entry.
    pub(crate) describe: fn(&mut Package, &Node<'_>),
    /// Names of the packages that an entry's `dependencies` want.
    pub(crate) wanted: for<'n> fn(&'n Node<'_>) -> Vec<(&'n str, Scope)>,
}

impl PythonLock {
    /// Reads the lock file, or the `pyproject.toml` beside it.
    pub(crate) fn read(&self, reading: &mut Reading<'_>) {
        if reading.file_name() == "pyproject.toml" {
            return read_pyproject(reading);
        }
        let document = reading.toml();
        if !document.get("package").exists() && !document.get("metadata").exists() {
            return reading.problem(format!(
                "not a {} lock file: it has neither `package` nor `metadata`",
                self.tool
            ));
        }
        let mut graph = DependencyGraph::scoped();
        let mut ids: ByName<String, Id> = ByName::default();
        let mut wants = Vec::new();
        for entry in document.get("package").items() {
            let Some((name, version)) = reading.name_and_version(entry) else {
                continue;
            };
            let mut package = pypi(reading.found_by, name, version);
            (self.describe)(&mut package, entry);
            package.add_fact("marker", entry.get(self.marker).str());
            let id = graph.add(reading.at(package, entry.line));
            ids.add(normal_python_name(name), id);
            wants.push((id, entry.get("dependencies")));
        }
        for (from, dependencies) in wants {
            for (name, scope) in (self.wanted)(dependencies) {
                for &to in ids.all(&normal_python_name(name)) {
                    graph.want(from, to, scope);
                }
            }
        }
        let requests = ids.iter().map(|(name, id)| (name.as_str(), *id));
        reading.suspend(graph, requests);
    }
}
