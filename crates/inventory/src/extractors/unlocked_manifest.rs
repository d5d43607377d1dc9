//! Manifests of projects that have no lock file: what they pin themselves, and that the rest is not known.

use crate::documents::Node;
use crate::identity::{
    cargo, composer, from_git, from_path, from_url, gem, npm, npm_resolved, pub_dev, split_npm,
    with_requirement,
};
use crate::lock_file::{Listing, LockFile, Reading};
use crate::python_requirements::{each_asked, is_requirements};
use crate::{Found, Kind, Note, gradle};
use model::{Meta, Package, Problem, Relation, Scope, path};
use std::collections::{BTreeMap, HashSet};

/// The member.
pub(super) static UNLOCKED_MANIFEST: LockFile = LockFile {
    meta: &META,
    kind: Kind::Source,
    wants: |path, name| {
        TOOLS
            .iter()
            .any(|tool| tool.is_manifest(name) || (tool.is_lock)(path, name))
    },
    read,
    combine,
};

static META: Meta = Meta {
    name: "unlocked-manifest",
    title: "Manifests without a lock file: the versions they pin, and a problem for the rest",
    finds: &[
        "package.json, pyproject.toml, Pipfile, Cargo.toml, Gemfile, gems.rb, composer.json, build.gradle, build.gradle.kts, \
         pubspec.yaml",
        "pom.xml, mix.exs, Podfile, Package.swift, build.sbt (only whether they ask for packages)",
        "the names of their lock files, in the same folder and those above it",
    ],
    needs: &[],
    references: &[
        "https://docs.npmjs.com/cli/v11/configuring-npm/package-json#dependencies",
        "https://packaging.python.org/en/latest/specifications/pyproject-toml/",
        "https://doc.rust-lang.org/cargo/reference/specifying-dependencies.html",
        "https://docs.gradle.org/current/userguide/declaring_dependencies.html",
    ],
};

/// A tool that locks what its manifests ask for.
struct Tool {
    manifests: &'static [&'static str],
    is_lock: fn(path: &str, name: &str) -> bool,
    read: fn(&mut Reading<'_>, &mut Asked),
    /// How a lock file is made.
    advice: &'static str,
}

impl Tool {
    fn is_manifest(&self, name: &str) -> bool {
        self.manifests.contains(&name)
    }
}

static TOOLS: [Tool; 12] = [
    Tool {
        manifests: &["package.json"],
        is_lock: |_, name| {
            matches!(
                name,
                "package-lock.json"
                    | "npm-shrinkwrap.json"
                    | "yarn.lock"
                    | "pnpm-lock.yaml"
                    | "bun.lock"
                    | "bun.lockb"
                    | "deno.lock"
            )
        },
        read: read_package_json,
        advice: "`npm install --package-lock-only` makes one, as do yarn, pnpm and bun",
    },
    Tool {
        manifests: &["pyproject.toml", "Pipfile"],
        is_lock: |path, name| {
            matches!(name, "uv.lock" | "poetry.lock" | "pdm.lock" | "Pipfile.lock")
                || (name.starts_with("pylock.") && name.ends_with(".toml"))
                || is_requirements(path, name)
        },
        read: read_python,
        advice: "`uv lock`, `poetry lock`, `pdm lock` or `pip freeze > requirements.txt` makes one",
    },
    Tool {
        manifests: &["Cargo.toml"],
        is_lock: |_, name| name == "Cargo.lock",
        read: read_cargo,
        advice: "`cargo generate-lockfile` makes one",
    },
    Tool {
        manifests: &["Gemfile", "gems.rb"],
        is_lock: |_, name| matches!(name, "Gemfile.lock" | "gems.locked"),
        read: read_gemfile,
        advice: "`bundle lock` makes one",
    },
    Tool {
        manifests: &["composer.json"],
        is_lock: |_, name| name == "composer.lock",
        read: read_composer,
        advice: "`composer update --no-install` makes one",
    },
    Tool {
        manifests: &["build.gradle", "build.gradle.kts"],
        is_lock: |_, name| name.ends_with(".lockfile") || name == "verification-metadata.xml",
        read: read_gradle,
        advice: "dependency locking and `gradle dependencies --write-locks` make one",
    },
    Tool {
        manifests: &["pom.xml"],
        // Maven has none; documents that its plugins write tell what was resolved.
        is_lock: |_, name| {
            matches!(name, "bom.json" | "bom.xml" | "maven_install.json") || name.ends_with(".cdx.json")
        },
        read: |reading, asked| asked.count(reading, |line| line.starts_with("<dependency>")),
        advice: "the plugin cyclonedx-maven-plugin writes a `bom.json`, which serves as one, and built archives tell the rest",
    },
    Tool {
        manifests: &["pubspec.yaml"],
        is_lock: |_, name| name == "pubspec.lock",
        read: read_pubspec,
        advice: "`dart pub get` makes one",
    },
    Tool {
        manifests: &["mix.exs"],
        is_lock: |_, name| name == "mix.lock",
        read: |reading, asked| asked.count(reading, |line| line.starts_with("{:") && line.contains('"')),
        advice: "`mix deps.get` makes one",
    },
    Tool {
        manifests: &["Podfile"],
        is_lock: |_, name| name == "Podfile.lock",
        read: |reading, asked| asked.count(reading, |line| line.starts_with("pod ")),
        advice: "`pod install` makes one",
    },
    Tool {
        manifests: &["Package.swift"],
        is_lock: |_, name| name == "Package.resolved",
        read: |reading, asked| {
            asked.count(reading, |line| {
                line.starts_with(".package(") && line.contains("://")
            });
        },
        advice: "`swift package resolve` makes one",
    },
    Tool {
        manifests: &["build.sbt"],
        is_lock: |_, name| name.ends_with(".sbt.lock"),
        read: |reading, asked| {
            asked.count(reading, |line| {
                line.contains("\" % \"") || line.contains("\" %% \"")
            });
        },
        advice: "the plugin sbt-dependency-lock makes one",
    },
];

/// Kind of the note of a lock file: which tool's (its first manifest), in which folder.
const LOCK: &str = "lock";
/// Kind of the note of a manifest that asks for packages.
const MANIFEST: &str = "manifest";

/// Folders that tools keep lock files in, below the project's.
const FOLDERS_OF_LOCKS: [&str; 3] = ["dependency-locks", "gradle", "requirements"];

/// What a manifest asks for.
#[derive(Default)]
struct Asked {
    packages: Listing,
    any: bool,
}

impl Asked {
    fn push(&mut self, reading: &Reading<'_>, mut package: Package, scope: Scope, line: u32) {
        self.any = true;
        package.relation = Some(Relation::Direct);
        package.scope = Some(scope);
        self.packages.push(reading.at(package, line));
    }

    /// For manifests that are programs and say little by themselves.
    fn count(&mut self, reading: &Reading<'_>, asks: fn(&str) -> bool) {
        self.any |= reading.lines().any(|(_, line)| asks(line.trim_start()));
    }
}

fn read(reading: &mut Reading<'_>) {
    let name = reading.file_name();
    for tool in &TOOLS {
        let key = tool.manifests.first().copied().unwrap_or_default();
        if (tool.is_lock)(reading.path, name) {
            let mut folder = path::parent(reading.path);
            while FOLDERS_OF_LOCKS.contains(&path::file_name(folder)) {
                folder = path::parent(folder);
            }
            note(reading, LOCK, key, folder);
        } else if tool.is_manifest(name) {
            let mut asked = Asked::default();
            (tool.read)(reading, &mut asked);
            if asked.any {
                note(reading, MANIFEST, key, "");
                reading.list(asked.packages);
            }
        }
    }
}

fn note(reading: &mut Reading<'_>, kind: &str, key: &str, value: &str) {
    reading.out.notes.push(Note {
        kind: kind.to_owned(),
        key: key.to_owned(),
        value: value.to_owned(),
    });
}

/// Drops what a lock file tells better, and says of the rest that it is not all.
fn combine(found: &mut Vec<Found>) {
    let mut locked: HashSet<(String, String)> = HashSet::new();
    for note in found.iter().flat_map(|file| &file.extracted.notes) {
        if note.kind == LOCK {
            locked.insert((note.key.clone(), note.value.clone()));
        }
    }
    let mut unlocked: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (index, file) in found.iter_mut().enumerate() {
        let notes = std::mem::take(&mut file.extracted.notes);
        let Some(manifest) = notes.into_iter().find(|note| note.kind == MANIFEST) else {
            // The lock's own extractor tells what is wrong with a lock file.
            file.extracted = crate::Extracted::default();
            continue;
        };
        let folders = std::iter::successors(Some(path::parent(&file.path)), |folder| {
            (!folder.is_empty()).then(|| path::parent(folder))
        });
        let key = manifest.key;
        if folders
            .into_iter()
            .any(|folder| locked.contains(&(key.clone(), folder.to_owned())))
        {
            file.extracted = crate::Extracted::default();
        } else {
            unlocked.entry(key).or_default().push(index);
        }
    }
    for (key, files) in unlocked {
        let advice = TOOLS
            .iter()
            .find(|tool| tool.manifests.first() == Some(&key.as_str()))
            .map_or("", |tool| tool.advice);
        let problem = {
            let mut paths = files
                .iter()
                .filter_map(|index| found.get(*index))
                .map(|file| file.path.as_str());
            let first = paths.next().unwrap_or_default();
            let others = match files.len() {
                1 => String::new(),
                count => {
                    let named: Vec<String> = paths.take(2).map(|path| format!("`{path}`")).collect();
                    let more = match count - 1 - named.len() {
                        0 => String::new(),
                        more => format!(" and {more} more"),
                    };
                    format!(" (nor for {}{more})", named.join(", "))
                }
            };
            let message = format!(
                "no lock file was found for it{others}: only what it pins is known, not what that needs in turn; {advice}"
            );
            Problem::file(first, message)
        };
        if let Some(file) = files.first().and_then(|index| found.get_mut(*index)) {
            file.extracted.problems.push(problem);
        }
    }
    found.retain(|file| !file.extracted.is_empty());
}

/// True for a version written out, as all of the tools here compare it: `1.2.3`, `4.0.0-rc.1`.
fn is_version(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_digit())
        && text
            .chars()
            .all(|character| character.is_ascii_alphanumeric() || matches!(character, '.' | '-' | '+' | '_'))
        && !text.split(['.', '-']).any(|part| matches!(part, "x" | "X"))
}

/// The version of a request that allows one only: written out with as many numbers as the tool wants, maybe after `=`.
fn pinned(text: &str, numbers: usize) -> Option<&str> {
    let version = text.trim_start_matches(['=', ' ']).trim_start_matches('v');
    (is_version(version) && version.split(['-', '+']).next()?.split('.').count() >= numbers)
        .then_some(version)
}

/// Gives a package of a registry that has no version what was asked for.
fn open(package: &mut Package, request: &str) {
    let of_registry = !package.ecosystem.is_empty();
    if package.version.is_empty() && of_registry {
        with_requirement(package, if request.is_empty() { "*" } else { request });
    }
}

fn read_package_json(reading: &mut Reading<'_>, asked: &mut Asked) {
    let document = reading.json();
    for (key, scope) in [
        ("dependencies", Scope::Runtime),
        ("optionalDependencies", Scope::Optional),
        ("devDependencies", Scope::Development),
    ] {
        for (name, value) in document.get(key).entries() {
            let request = value.str().trim();
            if ["workspace:", "file:", "link:", "portal:"]
                .iter()
                .any(|prefix| request.starts_with(prefix))
            {
                continue;
            }
            let (name, request) = request.strip_prefix("npm:").map_or((&**name, request), |other| {
                split_npm(other).unwrap_or((other, ""))
            });
            let version = pinned(request, 3).unwrap_or_default();
            let mut package = npm(reading.found_by, name, version);
            // `owner/repository` is a repository of GitHub.
            if request.contains('/') && !request.contains(':') {
                let (repository, commit) = request.split_once('#').unwrap_or((request, ""));
                from_git(&mut package, &format!("https://github.com/{repository}"), commit);
            } else if request.contains(':') {
                npm_resolved(&mut package, request);
            }
            open(&mut package, request);
            asked.push(reading, package, scope, value.line);
        }
    }
}

fn read_python(reading: &mut Reading<'_>, asked: &mut Asked) {
    let document = reading.toml();
    let is_pipfile = reading.file_name() == "Pipfile";
    let reading = &*reading;
    each_asked(&document, |request| {
        let requirement = &request.requirement;
        if requirement.name == "python" {
            return;
        }
        let mut package = requirement.package(reading.found_by);
        // Poetry means by a bare version that one alone.
        if let Some(version) = pinned(requirement.specifier, 1).filter(|_| !is_pipfile)
            && package.version.is_empty()
            && requirement.address.is_empty()
        {
            package.facts.retain(|fact| fact.key != "requirement");
            package.purl = model::Purl::new("pypi", "", requirement.name, version);
            version.clone_into(&mut package.version);
        }
        asked.push(reading, package, request.scope, request.line);
    });
}

fn read_cargo(reading: &mut Reading<'_>, asked: &mut Asked) {
    let document = reading.toml();
    let targets = document.get("target").entries().iter().map(|(_, target)| target);
    for part in [&document, document.get("workspace")].into_iter().chain(targets) {
        for (key, scope) in [
            ("dependencies", Scope::Runtime),
            ("build-dependencies", Scope::Development),
            ("dev-dependencies", Scope::Development),
        ] {
            for (name, value) in part.get(key).entries() {
                let name = value.get("package").text().unwrap_or(name);
                let (git, folder) = (value.get("git").str(), value.get("path").str());
                // What the workspace settles stands in its own manifest.
                if value.get("workspace").is_true() || !folder.is_empty() {
                    continue;
                }
                let request = value.text().unwrap_or_else(|| value.get("version").str()).trim();
                let version = request
                    .starts_with('=')
                    .then(|| pinned(request, 3))
                    .flatten()
                    .unwrap_or_default();
                let mut package = cargo(reading.found_by, name, version);
                if !git.is_empty() {
                    from_git(&mut package, git, value.get("rev").str());
                }
                open(&mut package, request);
                let optional = value.get("optional").is_true() && scope == Scope::Runtime;
                let scope = if optional { Scope::Optional } else { scope };
                asked.push(reading, package, scope, value.line);
            }
        }
    }
}

fn read_composer(reading: &mut Reading<'_>, asked: &mut Asked) {
    let document = reading.json();
    for (key, scope) in [("require", Scope::Runtime), ("require-dev", Scope::Development)] {
        for (name, value) in document.get(key).entries() {
            // `php`, `ext-json` and the like are of the platform.
            if !name.contains('/') {
                continue;
            }
            let request = value.str().trim();
            let mut package = composer(reading.found_by, name, pinned(request, 2).unwrap_or_default());
            open(&mut package, request);
            asked.push(reading, package, scope, value.line);
        }
    }
}

/// Texts between quotes of either kind on one line.
fn quoted(line: &str) -> impl Iterator<Item = &str> {
    let mut rest = line;
    std::iter::from_fn(move || {
        let at = rest.find(['"', '\''])?;
        let quote = rest.get(at..=at)?;
        let (text, after) = rest.get(at + 1..)?.split_once(quote)?;
        rest = after;
        Some(text)
    })
}

/// What follows an option of Ruby, `key: …` or `:key => …`.
fn after_key<'l>(line: &'l str, key: &str) -> Option<&'l str> {
    [format!(" {key}:"), format!(":{key} =>")]
        .iter()
        .find_map(|written| Some(line.split_once(written.as_str())?.1))
}

/// The text of an option of Ruby.
fn option<'l>(line: &'l str, key: &str) -> Option<&'l str> {
    quoted(after_key(line, key)?).next()
}

/// The groups of a gem: `group: :test`, `:groups => [:development, :test]`.
fn group(line: &str) -> Option<&str> {
    after_key(line, "group").or_else(|| after_key(line, "groups"))
}

fn read_gemfile(reading: &mut Reading<'_>, asked: &mut Asked) {
    let serves_development = |text: &str| {
        [":development", ":test"].iter().any(|group| text.contains(group))
            && ![":production", ":default"]
                .iter()
                .any(|group| text.contains(group))
    };
    // For each open block, whether it is of a group for development.
    let mut blocks: Vec<bool> = Vec::new();
    for (number, line) in reading.lines() {
        let line = line.split(" #").next().unwrap_or(line).trim();
        if line == "end" {
            blocks.pop();
        } else if line.ends_with(" do") || line.starts_with("if ") || line.starts_with("unless ") {
            if blocks.len() < 1000 {
                blocks.push(line.starts_with("group ") && serves_development(line));
            }
        } else if let Some(rest) = line.strip_prefix("gem ").or_else(|| line.strip_prefix("gem(")) {
            let (plain, _) = rest.find([':', '{']).map_or((rest, ""), |at| rest.split_at(at));
            let mut texts = quoted(plain);
            let Some(name) = texts.next() else {
                continue;
            };
            let requests: Vec<&str> = texts.collect();
            let version = match requests.as_slice() {
                [one] => pinned(one, 1).unwrap_or_default(),
                _ => "",
            };
            let mut package = gem(reading.found_by, name, version);
            if let Some(folder) = option(rest, "path") {
                from_path(&mut package, folder);
            } else if let Some(url) = option(rest, "git") {
                from_git(&mut package, url, option(rest, "ref").unwrap_or_default());
            } else if let Some(repository) = option(rest, "github") {
                from_git(&mut package, &format!("https://github.com/{repository}"), "");
            }
            open(&mut package, &requests.join(", "));
            let development = blocks.contains(&true) || group(rest).is_some_and(serves_development);
            let scope = if development {
                Scope::Development
            } else {
                Scope::Runtime
            };
            asked.push(reading, package, scope, number);
        }
    }
}

fn read_gradle(reading: &mut Reading<'_>, asked: &mut Asked) {
    for (number, line) in reading.lines() {
        let line = line.trim_start();
        let end = line
            .find(|character: char| !character.is_alphanumeric())
            .unwrap_or(line.len());
        let (configuration, rest) = line.split_at(end);
        // `implementation("group:artifact:version")` of either language; comments begin with no word.
        if configuration.is_empty() || !rest.starts_with([' ', '(', '\t']) {
            continue;
        }
        let by_keys = ["group:", "name:", "version:"].map(|key| {
            rest.split_once(key)
                .and_then(|(_, after)| quoted(after).next())
                .unwrap_or_default()
        });
        let (group, artifact, version) = match by_keys {
            [group, artifact, version] if !group.is_empty() && !artifact.is_empty() => {
                (group, artifact, version)
            }
            _ => {
                let Some(text) = quoted(rest).find(|text| text.contains(':')) else {
                    continue;
                };
                let mut parts = text.split('@').next().unwrap_or(text).split(':');
                let (Some(group), Some(artifact)) = (parts.next(), parts.next()) else {
                    continue;
                };
                (group, artifact, parts.next().unwrap_or_default())
            }
        };
        let is_name = |text: &str| {
            !text.is_empty()
                && text.chars().all(|character| {
                    character.is_ascii_alphanumeric() || matches!(character, '.' | '-' | '_')
                })
        };
        if !is_name(group) || !is_name(artifact) {
            continue;
        }
        // A variable leaves the version to another line.
        let version = if version.contains('$') { "" } else { version };
        let package = gradle::artifact(reading.found_by, group, artifact, version);
        let development = configuration == "classpath"
            || configuration.starts_with("kapt")
            || configuration.starts_with("ksp")
            || gradle::serves_development(configuration);
        let scope = if development {
            Scope::Development
        } else {
            Scope::Runtime
        };
        asked.push(reading, package, scope, number);
    }
}

fn read_pubspec(reading: &mut Reading<'_>, asked: &mut Asked) {
    let document = reading.yaml();
    for (key, scope) in [
        ("dependencies", Scope::Runtime),
        ("dev_dependencies", Scope::Development),
    ] {
        for (name, value) in document.get(key).entries() {
            // Packages of an SDK have no version of their own, folders are the project's.
            if value.get("sdk").exists() || value.get("path").exists() {
                continue;
            }
            let request = value.text().unwrap_or_else(|| value.get("version").str()).trim();
            let mut package = pub_dev(reading.found_by, name, pinned(request, 3).unwrap_or_default());
            let git: &Node<'_> = value.get("git");
            if git.exists() {
                let url = git.text().unwrap_or_else(|| git.get("url").str());
                from_git(&mut package, url, git.get("ref").str());
            } else if let Some(server) = value.get("hosted").get("url").text()
                && !server.contains("://pub.dev")
            {
                from_url(&mut package, server);
            }
            open(&mut package, request);
            asked.push(reading, package, scope, value.line);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_version_is_a_pin() {
        for (text, numbers, expected) in [
            ("1.2.3", 3, Some("1.2.3")),
            ("=1.2.3-rc.1", 3, Some("1.2.3-rc.1")),
            ("= v1.2.3", 3, Some("1.2.3")),
            ("v1.2.3", 3, Some("1.2.3")),
            ("1.2", 3, None),
            ("1.2", 1, Some("1.2")),
            ("^1.2.3", 3, None),
            ("1.2.x", 3, None),
            ("1.2.*", 3, None),
            ("1.2.3 || 2.0.0", 3, None),
            (">=1.2.3", 3, None),
            ("latest", 1, None),
            ("", 1, None),
        ] {
            assert_eq!(pinned(text, numbers), expected, "{text}");
        }
    }

    #[test]
    fn quotes() {
        let texts: Vec<&str> = quoted(r#"gem "a", '~> "1"', 'open"#).collect();
        assert_eq!(texts, ["a", "~> \"1\""]);
    }
}
