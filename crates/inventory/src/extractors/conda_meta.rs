//! conda's records of what is installed in an environment.

use crate::{Extracted, Extractor, File, Kind, license, reading};
use model::{Entry, EntryKind, Location, Meta, Package, Purl, Relation, path};

/// The member.
pub(super) static CONDA_META: CondaMeta = CondaMeta;

pub(super) struct CondaMeta;

static META: Meta = Meta {
    name: "conda-meta",
    title: "Packages of conda, mamba, micromamba and pixi environments",
    finds: &["conda-meta/*.json, under any prefix"],
    needs: &[],
    references: &[
        "https://docs.conda.io/projects/conda-build/en/stable/resources/package-spec.html",
        "https://github.com/package-url/purl-spec/blob/main/types/conda-definition.json",
    ],
};

/// Largest record that is read, in bytes; the file list of a large package has a few MiB.
const LIMIT: u64 = 64 << 20;

impl Extractor for CondaMeta {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn kind(&self) -> Kind {
        Kind::Installed
    }

    fn wants(&self, entry: &Entry<'_>) -> bool {
        let (folder, name) = path::split(entry.path);
        entry.kind == EntryKind::File && name.ends_with(".json") && path::file_name(folder) == "conda-meta"
    }

    fn extract(&self, file: &mut File<'_>, out: &mut Extracted) {
        let location = file.entry.path;
        let Some(json) = reading::json(file.content, location, LIMIT, "conda's record", out) else {
            return;
        };
        let text = |key| reading::field(&json, key);
        let (name, version) = (text("name"), text("version"));
        if let Some(what) = reading::missing(name, version) {
            return out.problem(location, format!("conda's record has no {what}"));
        }
        let build = match text("build") {
            "" => text("build_string"),
            build => build,
        };
        let file_name = text("fn");
        let kind = ["tar.bz2", "conda"]
            .into_iter()
            .find(|kind| file_name.ends_with(&format!(".{kind}")))
            .unwrap_or_default();
        let channel = channel(text("channel"), text("subdir"));
        let purl = Purl::new("conda", "", name, version)
            .with_qualifier("build", build)
            .with_qualifier("channel", channel)
            .with_qualifier("subdir", text("subdir"))
            .with_qualifier("type", kind);
        let mut package = Package::new(META.name, purl, "", name, version);
        package.licenses = license::expressions(text("license"));
        package.locations.push(Location::file(location));
        let requested = json.get("requested_specs").and_then(serde_json::Value::as_array);
        if !text("requested_spec").is_empty() || requested.is_some_and(|specs| !specs.is_empty()) {
            package.relation = Some(Relation::Direct);
        }
        for key in ["md5", "sha256"] {
            package.add_fact(key, text(key));
        }
        out.packages.push(package);
    }
}

/// The channel's name: `conda-forge` of `https://conda.anaconda.org/conda-forge/linux-64`, `main` of `…/pkgs/main`.
fn channel<'a>(url: &'a str, subdir: &str) -> &'a str {
    let url = url.trim_end_matches('/');
    let url = match url.rsplit_once('/') {
        Some((channel, last)) if last == subdir => channel,
        _ => url,
    };
    url.rsplit('/').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::channel;

    #[test]
    fn channels_are_named() {
        for (url, expected) in [
            ("https://conda.anaconda.org/conda-forge/linux-64", "conda-forge"),
            ("https://repo.anaconda.com/pkgs/main/linux-64/", "main"),
            ("conda-forge", "conda-forge"),
            ("pkgs/main", "main"),
            ("", ""),
        ] {
            assert_eq!(channel(url, "linux-64"), expected, "{url}");
        }
    }
}
