//! What the files of Gradle share: its artifacts, and what its configurations are for.

use crate::identity::{maven, with_requirement};
use model::Package;

/// An artifact as build scripts and catalogues ask for it; dynamic versions and those left to others stay open.
pub(crate) fn artifact(found_by: &str, group: &str, artifact: &str, version: &str) -> Package {
    let open =
        version.starts_with(['[', '(', ']']) || version.contains('+') || version.starts_with("latest.");
    let mut package = maven(found_by, group, artifact, if open { "" } else { version });
    if open {
        with_requirement(&mut package, version);
    } else if version.is_empty() {
        with_requirement(&mut package, "managed elsewhere");
    }
    package
}

/// Gradle's own configurations for tests and for what runs while compiling.
pub(crate) fn serves_development(configuration: &str) -> bool {
    let name = configuration.trim();
    name.starts_with("test")
        || name.contains("Test")
        || name.ends_with("nnotationProcessor")
        || matches!(
            name,
            "developmentOnly"
                | "checkstyle"
                | "pmd"
                | "jacocoAgent"
                | "jacocoAnt"
                | "spotbugs"
                | "ktlint"
                | "detekt"
        )
}
