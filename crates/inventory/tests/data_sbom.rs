//! The CycloneDX project's own documents: valid ones are read without problems and wholly, invalid ones never panic.
#![allow(clippy::disallowed_methods, reason = "reads the test data")]

use artifact::archives;
use inventory::sbom;
use model::MemoryContent;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;

#[test]
fn documents_of_the_cyclonedx_project() {
    let Some(data) = testkit::family::test_data() else {
        return;
    };
    let mut valid = 0;
    let mut failures = Vec::new();
    for version in fs::read_dir(data.join("sbom/cyclonedx")).unwrap() {
        for file in fs::read_dir(version.unwrap().path()).unwrap() {
            let path = file.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            let bytes = fs::read(&path).unwrap();
            let found = sbom::read(
                &name,
                &mut MemoryContent(bytes.as_slice()),
                &archives::Limited::default(),
            );
            if !name.starts_with("valid") {
                continue;
            }
            let found = found.unwrap();
            valid += 1;
            if !found.problems.is_empty() {
                failures.push(format!("{name}: {:?}", found.problems));
            }
            let document: Value = serde_json::from_slice(&bytes).unwrap();
            let mut expected = BTreeSet::new();
            for place in [&document["metadata"]["component"], &document["components"]] {
                collect(place, &mut expected);
            }
            let listed: BTreeSet<(String, String)> = found
                .packages
                .iter()
                .map(|package| {
                    (
                        package.purl.name().to_lowercase(),
                        package.purl.version().to_owned(),
                    )
                })
                .collect();
            if listed != expected {
                failures.push(format!("{name}: listed {listed:?}, expected {expected:?}"));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(valid > 150, "only {valid} valid documents were found");
}

/// Name and version of what are packages, at any depth: those of the package URL where there is one.
fn collect(place: &Value, found: &mut BTreeSet<(String, String)>) {
    match place {
        Value::Array(list) => list.iter().for_each(|item| collect(item, found)),
        Value::Object(component) => {
            let text = |key: &str| component.get(key).and_then(Value::as_str).unwrap_or_default();
            if !matches!(
                text("type"),
                "operating-system" | "file" | "cryptographic-asset" | "data"
            ) {
                let path = text("purl").split(['?', '#']).next().unwrap_or_default();
                let last = path.rsplit('/').next().unwrap_or_default();
                let (name, version) = match last.split_once('@') {
                    Some((name, version)) => (name, version),
                    None if last.is_empty() => (text("name"), text("version")),
                    None => (last, text("version")),
                };
                found.insert((name.to_lowercase(), version.to_owned()));
            }
            if let Some(inner) = component.get("components") {
                collect(inner, found);
            }
        }
        _ => {}
    }
}
