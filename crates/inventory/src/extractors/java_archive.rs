//! Java archives and the archives inside them, with what they were shaded from.

use crate::headers::{Continuation, Headers};
use crate::maven::{self, Coordinates, FileName};
use crate::{Extracted, Extractor, File, Kind, license, reading};
use model::{
    Archives, Content, Entry, EntryKind, Location, Meta, Package, Purl, ZipMember, ZipVisitor, path,
};
use sha1::{Digest, Sha1};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

/// The member.
pub(super) static JAVA_ARCHIVE: JavaArchive = JavaArchive;

pub(super) struct JavaArchive;

static META: Meta = Meta {
    name: "java-archive",
    title: "Java archives, nested and shaded ones too, by pom, manifest or file name, with their SHA-1",
    finds: &[
        "*.jar, *.war, *.ear, *.par, *.sar, *.nar, *.kar, *.rar, *.hpi, *.jpi, *.lpkg",
        "META-INF/maven/**/pom.properties and pom.xml, META-INF/MANIFEST.MF in them",
        "their place in the repositories and caches of Maven, Gradle, Ivy and Coursier, for those without a pom",
    ],
    needs: &[],
    references: &[
        "https://docs.oracle.com/en/java/javase/21/docs/specs/jar/jar.html",
        "https://maven.apache.org/shared/maven-archiver/",
        "https://docs.spring.io/spring-boot/specification/executable-jar/nested-jars.html",
    ],
};

/// How deep archives inside archives are opened; the outermost has depth 1.
const MAX_DEPTH: usize = 16;
/// Largest manifest, pom.properties or pom.xml that is read, in bytes.
const MAX_METADATA: u64 = 8 << 20;
/// Most unusable poms of one archive that are told of one by one.
const MAX_PROBLEMS: usize = 50;
/// Largest number of poms that one archive may hold.
const MAX_POMS: usize = 10_000;

fn is_java_archive(name: &str) -> bool {
    const EXTENSIONS: [&str; 11] = [
        "ear", "hpi", "jar", "jpi", "kar", "lpkg", "nar", "par", "rar", "sar", "war",
    ];
    name.rsplit_once('.').is_some_and(|(_, extension)| {
        EXTENSIONS
            .iter()
            .any(|known| extension.eq_ignore_ascii_case(known))
    })
}

impl Extractor for JavaArchive {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn kind(&self) -> Kind {
        Kind::Installed
    }

    fn wants(&self, entry: &Entry<'_>) -> bool {
        entry.kind == EntryKind::File && entry.size > 0 && is_java_archive(entry.file_name())
    }

    fn accepts(&self, entry: &Entry<'_>, head: &[u8]) -> bool {
        // Spring Boot can put a shell script before the archive. Other programs use some of the endings for other formats;
        // a jar, war or ear that is no zip is broken, and `extract` says so.
        let certain = ["jar", "war", "ear"]
            .iter()
            .any(|ending| entry.path.ends_with(ending));
        certain || head.starts_with(b"PK") || head.starts_with(b"#!")
    }

    fn extract(&self, file: &mut File<'_>, out: &mut Extracted) {
        read(file.content, file.entry.path, 1, file.archives, out);
    }
}

/// Reads one archive; what is inside comes out after it.
fn read(content: &mut dyn Content, path: &str, depth: usize, archives: &dyn Archives, out: &mut Extracted) {
    let sha1 = match sha1_of(content) {
        Ok(sha1) => sha1,
        Err(error) => return out.problem(path, format!("the archive was not read: {error}")),
    };
    let name = FileName::parse(path::file_name(path));
    let mut archive = Archive {
        path,
        depth,
        archives,
        out,
        telling: maven::telling_folders(&name.artifact),
        folders: BTreeSet::new(),
        manifest: Headers::default(),
        poms: BTreeMap::new(),
        is_over: false,
        nested: Vec::new(),
    };
    let result = archives.zip(content, &mut archive);
    let Archive {
        folders,
        manifest,
        poms,
        nested,
        ..
    } = archive;
    if let Err(message) = result {
        out.problem(path, format!("the archive was not read to its end: {message}"));
        // Nothing is known of what is no archive at all.
        if manifest.is_empty() && poms.is_empty() && nested.is_empty() && folders.is_empty() {
            return;
        }
    }
    identify(path, &name, &sha1, &manifest, poms, &folders, out);
    out.packages.extend(nested);
}

fn sha1_of(content: &mut dyn Content) -> Result<String, String> {
    let mut reader = content.reader().map_err(|error| error.to_string())?;
    let mut hasher = Sha1::new();
    let mut buffer = vec![0; 64 << 10];
    loop {
        let length = reader.read(&mut buffer).map_err(|error| error.to_string())?;
        match buffer.get(..length) {
            None | Some([]) => break,
            Some(bytes) => hasher.update(bytes),
        }
    }
    Ok(hasher
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect())
}

/// One archive while its members go by.
struct Archive<'a> {
    path: &'a str,
    depth: usize,
    archives: &'a dyn Archives,
    out: &'a mut Extracted,
    /// Folders whose presence tells the group of an archive of this name.
    telling: Vec<&'static str>,
    /// Those of them that are there.
    folders: BTreeSet<&'static str>,
    manifest: Headers,
    /// By the folder they lie in.
    poms: BTreeMap<String, Embedded>,
    /// True once the archive turned out to hold more poms than are read.
    is_over: bool,
    /// Packages of nested archives.
    nested: Vec<Package>,
}

/// A pom in an archive.
#[derive(Clone, Debug, Default)]
struct Embedded {
    coordinates: Coordinates,
    licenses: Vec<String>,
    from_properties: bool,
}

fn is_pom(name: &str) -> bool {
    name.starts_with("META-INF/maven/") && matches!(path::file_name(name), "pom.properties" | "pom.xml")
}

impl ZipVisitor for Archive<'_> {
    fn wants(&mut self, member: &ZipMember<'_>) -> bool {
        let folders = &mut self.folders;
        self.telling.retain(|folder| {
            let is_there = member.name.starts_with(folder);
            if is_there {
                folders.insert(folder);
            }
            !is_there
        });
        let wanted = is_pom(member.name) || member.name == "META-INF/MANIFEST.MF";
        wanted || (member.size > 0 && is_java_archive(path::file_name(member.name)))
    }

    fn file(&mut self, member: &ZipMember<'_>, content: &mut dyn Content) {
        let location = format!("{}!/{}", self.path, member.name);
        if member.name == "META-INF/MANIFEST.MF" {
            if let Some(text) = reading::text(content, &location, MAX_METADATA, "the manifest", self.out) {
                self.manifest = Headers::parse(&text, Continuation::Glued);
            }
        } else if is_pom(member.name) {
            self.pom(member.name, &location, content);
        } else if self.depth == MAX_DEPTH {
            self.out.problem(
                &location,
                format!("the archive was not opened: archives are nested deeper than {MAX_DEPTH}"),
            );
        } else {
            let mut inner = Extracted::default();
            read(content, &location, self.depth + 1, self.archives, &mut inner);
            self.nested.append(&mut inner.packages);
            self.out.problems.append(&mut inner.problems);
        }
    }
}

impl Archive<'_> {
    fn pom(&mut self, name: &str, location: &str, content: &mut dyn Content) {
        let (folder, file) = path::split(name);
        if self.poms.len() >= MAX_POMS && !self.poms.contains_key(folder) {
            if !self.is_over {
                self.is_over = true;
                self.out.problem(
                    location,
                    format!(
                        "this pom and those after it were not read: the archive holds more than {MAX_POMS}"
                    ),
                );
            }
            return;
        }
        if file == "pom.properties" {
            let Some(text) = reading::text(content, location, MAX_METADATA, "the pom.properties", self.out)
            else {
                return;
            };
            let coordinates = maven::properties(&text);
            let embedded = self.poms.entry(folder.to_owned()).or_default();
            if coordinates.is_complete() || embedded.coordinates == Coordinates::default() {
                embedded.coordinates = coordinates;
                embedded.from_properties = true;
            }
            return;
        }
        let Some(text) = reading::text(content, location, MAX_METADATA, "the pom.xml", self.out) else {
            return;
        };
        match maven::pom(&text) {
            Ok(pom) => {
                let embedded = self.poms.entry(folder.to_owned()).or_default();
                embedded.licenses = pom.licenses;
                if !embedded.coordinates.is_complete() {
                    embedded.coordinates = pom.coordinates;
                    embedded.from_properties = false;
                }
            }
            Err(message) => self
                .out
                .problem(location, format!("the pom.xml was not read: {message}")),
        }
    }
}

/// The archive's own package first, then those shaded into it.
fn identify(
    path: &str,
    name: &FileName,
    sha1: &str,
    manifest: &Headers,
    poms: BTreeMap<String, Embedded>,
    folders: &BTreeSet<&'static str>,
    out: &mut Extracted,
) {
    let mut poms: Vec<(String, Embedded)> = poms.into_iter().collect();
    // A pom without a version of its own (`${revision}`) still tells group and artifact.
    let own = own_pom(name, manifest, &poms).map(|index| poms.remove(index).1);
    out.packages
        .push(own_package(path, name, sha1, manifest, own, folders));
    let mut seen = BTreeSet::new();
    let mut incomplete = 0_usize;
    for (folder, embedded) in poms {
        let coordinates = &embedded.coordinates;
        let file = if embedded.from_properties {
            "pom.properties"
        } else {
            "pom.xml"
        };
        if !coordinates.is_complete() {
            incomplete += 1;
            if incomplete > MAX_PROBLEMS {
                continue;
            }
            out.problem(
                &format!("{path}!/{folder}/{file}"),
                format!("the coordinates `{coordinates}` of a pom in the archive are incomplete"),
            );
            continue;
        }
        if !seen.insert(coordinates.to_string()) {
            continue;
        }
        let mut package = package(coordinates, "");
        package.licenses = embedded.licenses;
        package
            .locations
            .push(Location::file(format!("{path}!/{folder}/{file}")));
        package.add_fact(
            "identified-by",
            if embedded.from_properties {
                "pom-properties"
            } else {
                "pom-xml"
            },
        );
        package.add_fact("shaded", "true");
        out.packages.push(package);
    }
    if incomplete > MAX_PROBLEMS {
        let more = incomplete - MAX_PROBLEMS;
        out.problem(
            path,
            format!("the coordinates of {more} more poms in the archive are incomplete"),
        );
    }
}

/// Which of the poms in the archive is its own. The others are those of what was unpacked into it.
fn own_pom(name: &FileName, manifest: &Headers, poms: &[(String, Embedded)]) -> Option<usize> {
    let find = |test: &dyn Fn(&Coordinates) -> bool| poms.iter().position(|(_, pom)| test(&pom.coordinates));
    let title = manifest.get("Implementation-Title");
    let bundle = manifest
        .get("Bundle-SymbolicName")
        .split(';')
        .next()
        .unwrap_or_default();
    let in_manifest = |pom: &Coordinates| {
        title == pom.artifact
            || manifest.get("Extension-Name") == pom.artifact
            || (!bundle.is_empty()
                && (bundle == pom.artifact || bundle == format!("{}.{}", pom.group, pom.artifact)))
    };
    find(&|pom| name.is_exactly(pom))
        .or_else(|| find(&|pom| name.names(pom)))
        .or_else(|| find(&in_manifest))
        .or_else(|| {
            // The only pom of an archive that was renamed (`app.jar`), or whose version at least agrees.
            let [(_, only)] = poms else {
                return None;
            };
            let version = &only.coordinates.version;
            let agrees = if name.version.is_empty() {
                let stated = manifest.get("Implementation-Version");
                stated.is_empty() || stated == version
            } else {
                name.version == *version
            };
            agrees.then_some(0)
        })
}

fn own_package(
    path: &str,
    name: &FileName,
    sha1: &str,
    manifest: &Headers,
    pom: Option<Embedded>,
    folders: &BTreeSet<&'static str>,
) -> Package {
    let mut licenses = Vec::new();
    let mut evidence = "";
    let mut coordinates = Coordinates::default();
    if let Some(pom) = pom {
        evidence = if pom.from_properties {
            "pom-properties"
        } else {
            "pom-xml"
        };
        licenses = pom.licenses;
        coordinates = pom.coordinates;
    }
    if !coordinates.is_complete() {
        let rest = match maven::in_repository(path) {
            Some(coordinates) => (coordinates, "repository"),
            None => without_pom(name, manifest, folders),
        };
        let is_missing = |part: &str| part.is_empty() || part.contains("${") || part.starts_with('@');
        if evidence.is_empty() {
            evidence = rest.1;
        }
        for (slot, value) in [
            (&mut coordinates.group, rest.0.group),
            (&mut coordinates.artifact, rest.0.artifact),
            (&mut coordinates.version, rest.0.version),
        ] {
            if is_missing(slot) {
                *slot = value;
            }
        }
    }
    if licenses.is_empty() {
        licenses = bundle_licenses(manifest.get("Bundle-License"));
    }
    let mut package = package(&coordinates, sha1);
    package.licenses = licenses;
    package.locations.push(Location::file(path));
    package.add_fact("identified-by", evidence);
    package.add_fact("sha1", sha1);
    if coordinates.group.is_empty() {
        package.add_fact("group-unknown", "true");
    }
    package
}

/// Coordinates from the manifest and the file name, and which of the two told the version or the group.
fn without_pom(
    name: &FileName,
    manifest: &Headers,
    folders: &BTreeSet<&'static str>,
) -> (Coordinates, &'static str) {
    let token = |text: &str| {
        !text.is_empty()
            && text.contains(|letter: char| letter.is_ascii_alphabetic())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
    };
    let mut evidence = "file-name";
    let mut version = name.version.clone();
    if version.is_empty() {
        let stated = [
            "Plugin-Version",
            "Implementation-Version",
            "Bundle-Version",
            "Specification-Version",
        ]
        .iter()
        .filter_map(|field| manifest.get(field).split_whitespace().next())
        .find(|version| version.starts_with(|first: char| first.is_ascii_digit()));
        if let Some(stated) = stated {
            evidence = "manifest";
            stated.clone_into(&mut version);
        }
    }
    let mut artifact = name.artifact.as_str();
    let (short, title) = (manifest.get("Short-Name"), manifest.get("Implementation-Title"));
    if !manifest.get("Group-Id").is_empty() && token(short) {
        artifact = short;
    } else if name.version.is_empty() && !version.is_empty() && token(title) && !title.contains('.') {
        // A renamed archive (`app.jar`) of a build that writes the artifact as the title.
        artifact = title;
    }
    let found = maven::group(artifact, &version, manifest, |folder| folders.contains(folder));
    let (group, artifact) = match found {
        Some(found) => {
            evidence = "manifest";
            found
        }
        None => (String::new(), artifact.to_owned()),
    };
    let coordinates = Coordinates {
        group,
        artifact,
        version,
    };
    (coordinates, evidence)
}

/// A package; one without a group has no Maven coordinates, so it is listed as generic with its hash.
fn package(coordinates: &Coordinates, sha1: &str) -> Package {
    let Coordinates {
        group,
        artifact,
        version,
    } = coordinates;
    if group.is_empty() {
        let purl =
            Purl::new("generic", "", artifact, version).with_qualifier("checksum", &format!("sha1:{sha1}"));
        return Package::new(META.name, purl, "", artifact.as_str(), version.as_str());
    }
    let purl = Purl::new("maven", group, artifact, version);
    Package::new(
        META.name,
        purl,
        "Maven",
        format!("{group}:{artifact}"),
        version.as_str(),
    )
}

/// `Bundle-License` lists names or addresses: `Apache-2.0;link="…",https://…`.
fn bundle_licenses(text: &str) -> Vec<String> {
    if text.is_empty() || text == "<<EXTERNAL>>" {
        return Vec::new();
    }
    let mut all = Vec::new();
    // `Apache License, Version 2.0` is one name, not two.
    let parts: Vec<&str> = if text.contains("://") && !text.contains("see:") {
        text.split(',').collect()
    } else {
        vec![text]
    };
    for part in parts {
        let mut fields = part.split(';').map(|field| field.trim().trim_matches('"'));
        let first = fields.next().unwrap_or_default();
        let link = fields
            .find_map(|field| {
                field
                    .strip_prefix("link=")
                    .or_else(|| field.strip_prefix("see: "))
            })
            .unwrap_or_default();
        let link = link.trim_matches('"');
        if first.contains("://") {
            all.extend(license::named_or_linked("", first));
        } else {
            all.extend(license::named_or_linked(first, link));
        }
    }
    license::any_of(&all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_bundle_licences() {
        for (text, expected) in [
            ("", &[] as &[&str]),
            (
                "BSD-3-Clause;link=https://asm.ow2.io/LICENSE.txt",
                &["BSD-3-Clause"],
            ),
            ("http://www.apache.org/licenses/LICENSE-2.0.txt", &["Apache-2.0"]),
            ("\"Apache-2.0\";link=\"https://x.org/a\"", &["Apache-2.0"]),
            (
                "Apache License, Version 2.0; see: http://www.apache.org/licenses/LICENSE-2.0.txt",
                &["Apache-2.0"],
            ),
            (
                "https://www.apache.org/licenses/LICENSE-2.0, https://www.eclipse.org/legal/epl-2.0",
                &["Apache-2.0 OR EPL-2.0"],
            ),
        ] {
            assert_eq!(bundle_licenses(text), expected, "{text}");
        }
    }

    #[test]
    fn endings_are_whole() {
        assert!(is_java_archive("a.jar") && is_java_archive("B.WAR"));
        assert!(!is_java_archive("jar") && !is_java_archive("a.jarx") && !is_java_archive("a.zip"));
    }
}
