//! The registry of output formats, in alphabetical order.

use crate::Format;

mod cyclonedx_json;
mod gitlab_container_scanning;
mod html;
pub mod json;
mod junit;
mod markdown;
mod sarif;
mod spdx_json;
mod table;

/// Every output format.
pub static ALL: &[&dyn Format] = &[
    &cyclonedx_json::CYCLONEDX_JSON,
    &gitlab_container_scanning::GITLAB_CONTAINER_SCANNING,
    &html::HTML,
    &json::JSON,
    &junit::JUNIT,
    &markdown::MARKDOWN,
    &sarif::SARIF,
    &spdx_json::SPDX_JSON,
    &table::TABLE,
];

/// Short names that users of other scanners type.
const SHORT_NAMES: [(&str, &str); 5] = [
    ("cdx", "cyclonedx-json"),
    ("cyclonedx", "cyclonedx-json"),
    ("gitlab", "gitlab-container-scanning"),
    ("md", "markdown"),
    ("spdx", "spdx-json"),
];

/// The format of a name or short name.
#[must_use]
pub fn find(name: &str) -> Option<&'static dyn Format> {
    let name = SHORT_NAMES
        .iter()
        .find(|(short, _)| *short == name)
        .map_or(name, |(_, long)| long);
    ALL.iter().copied().find(|format| format.meta().name == name)
}

/// The names of all formats, as a list for people.
#[must_use]
pub fn names() -> String {
    let names: Vec<&str> = ALL.iter().map(|format| format.meta().name).collect();
    names.join(", ")
}

/// Says that a format of this name does not exist, and which do.
#[must_use]
pub fn unknown(name: &str) -> String {
    format!("`{name}` is no format: expected one of {}", names())
}
