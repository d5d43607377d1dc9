//! Identity of the operating system, from os-release and the older or more special files beside it.

use crate::intake::{Intake, excerpt};
use crate::lines::Lines;
use crate::{Extracted, Extractor, File, Found, Kind};
use model::{Content, Entry, EntryKind, Fact, Meta, OsRelease, path};
use serde::Deserialize;

/// The member.
pub(super) static OS_RELEASE: OsReleaseFiles = OsReleaseFiles;

pub(super) struct OsReleaseFiles;

static META: Meta = Meta {
    name: "os-release",
    title: "Operating system, with release, derivation, repository, Ubuntu Pro services and Red Hat content sets",
    finds: &[
        "etc/os-release, usr/lib/os-release",
        "etc/*-release, etc/*_version and their like",
        "etc/lsb-release",
        "etc/apk/repositories",
        "var/lib/ubuntu-advantage/status.json",
        "root/buildinfo/content_manifests/*.json, root/buildinfo/Dockerfile-*",
    ],
    needs: &[],
    references: &["https://www.freedesktop.org/software/systemd/man/latest/os-release.html"],
};

/// Largest file that is read, in bytes.
const LIMIT: u64 = 4 << 20;
/// Most lines of a release file.
const LINES: usize = 1000;

/// What a path is to this extractor.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Role {
    /// `KEY=value` lines of os-release.
    OsRelease,
    /// One line, `Fedora release 39 (Thirty Nine)`, or only a version.
    ReleaseFile,
    /// `12.5` or `trixie/sid`.
    DebianVersion,
    /// `DISTRIB_…` lines.
    LsbRelease,
    /// Addresses of Alpine's repositories.
    ApkRepositories,
    /// Which services of Ubuntu Pro are enabled.
    UbuntuPro,
    /// The repositories that a Red Hat image was built from.
    ContentManifest,
    /// The Dockerfile of a Red Hat image.
    RedHatDockerfile,
}

fn role(path: &str) -> Option<Role> {
    let (folder, name) = path::split(path);
    let role = match (folder, name) {
        ("etc" | "usr/lib", "os-release") => Role::OsRelease,
        ("etc", "debian_version") => Role::DebianVersion,
        ("etc", "lsb-release" | "openwrt_release") => Role::LsbRelease,
        ("etc", name) if RELEASE_FILES.contains(&name) => Role::ReleaseFile,
        ("etc/apk", "repositories") => Role::ApkRepositories,
        ("etc/apk/repositories.d", name) if name.ends_with(".list") => Role::ApkRepositories,
        ("var/lib/ubuntu-advantage", "status.json") => Role::UbuntuPro,
        ("root/buildinfo/content_manifests" | "usr/share/buildinfo", name) if name.ends_with(".json") => {
            Role::ContentManifest
        }
        ("root/buildinfo", name) if name.starts_with("Dockerfile-") => Role::RedHatDockerfile,
        _ => return None,
    };
    Some(role)
}

/// Files in `etc` with one line that names the release.
const RELEASE_FILES: &[&str] = &[
    "SuSE-release",
    "alinux-release",
    "almalinux-release",
    "alpine-release",
    "anolis-release",
    "arch-release",
    "azurelinux-release",
    "centos-release",
    "euleros-release",
    "fedora-release",
    "gentoo-release",
    "kylin-release",
    "mageia-release",
    "mariner-release",
    "openEuler-release",
    "opencloudos-release",
    "oracle-release",
    "photon-release",
    "redhat-release",
    "rocky-release",
    "slackware-version",
    "system-release",
    "tencentos-release",
];

/// How release files begin, what that means, and what the distribution derives from. The first that fits counts.
const RELEASE_NAMES: &[(&str, &str, &[&str])] = &[
    ("red hat enterprise linux", "rhel", &["fedora"]),
    ("centos", "centos", &["rhel", "fedora"]),
    ("rocky linux", "rocky", &["rhel", "centos", "fedora"]),
    ("almalinux", "almalinux", &["rhel", "centos", "fedora"]),
    ("oracle linux", "ol", &["fedora"]),
    ("enterprise linux enterprise linux", "ol", &["fedora"]),
    ("scientific linux", "scientific", &["rhel", "centos", "fedora"]),
    ("cloudlinux", "cloudlinux", &["rhel", "centos", "fedora"]),
    ("virtuozzo", "virtuozzo", &["rhel", "centos", "fedora"]),
    ("eurolinux", "eurolinux", &["rhel", "centos", "fedora"]),
    ("fedora", "fedora", &[]),
    ("amazon linux", "amzn", &["centos", "rhel", "fedora"]),
    ("vmware photon", "photon", &[]),
    ("cbl-mariner", "mariner", &[]),
    ("microsoft azure linux", "azurelinux", &[]),
    ("azure linux", "azurelinux", &[]),
    ("openeuler", "openeuler", &[]),
    ("euleros", "euleros", &[]),
    ("anolis os", "anolis", &["rhel", "fedora", "centos"]),
    (
        "alibaba cloud linux",
        "alinux",
        &["rhel", "fedora", "centos", "anolis"],
    ),
    ("aliyun linux", "alinux", &["rhel", "fedora", "centos"]),
    ("tencentos", "tencentos", &["rhel", "fedora", "centos"]),
    ("opencloudos", "opencloudos", &[]),
    ("kylin", "kylin", &["fedora"]),
    ("mageia", "mageia", &[]),
    ("suse linux enterprise server", "sles", &["suse"]),
    ("suse linux enterprise desktop", "sled", &["suse"]),
    ("opensuse", "opensuse", &["suse"]),
    ("gentoo", "gentoo", &[]),
    ("slackware", "slackware", &[]),
];

/// Kinds of the notes that become facts of the operating system. `repository` is Alpine's and may be `edge`.
const REPOSITORY: &str = "repository";
const ESM: &str = "esm";
const CONTENT_SETS: &str = "content-sets";
const IMAGE_NVR: &str = "image-nvr";
const IMAGE_ARCHITECTURE: &str = "image-architecture";
/// The release with its minor parts, where the best file tells only the major one.
const FULL_VERSION: &str = "full-version";

impl Extractor for OsReleaseFiles {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn kind(&self) -> Kind {
        Kind::Installed
    }

    fn wants(&self, entry: &Entry<'_>) -> bool {
        entry.kind == EntryKind::File && role(entry.path).is_some()
    }

    fn extract(&self, file: &mut File<'_>, out: &mut Extracted) {
        let path = file.entry.path;
        let mut os = None;
        let mut intake = Intake::new(path, out);
        let result = match role(path) {
            Some(Role::OsRelease) => assignments(file.content).map(|values| {
                os = from_os_release(&values);
                if os.is_none() && !values.is_empty() {
                    intake.problem("the os-release file has no ID");
                }
            }),
            Some(Role::LsbRelease) => assignments(file.content).map(|values| os = from_lsb_release(&values)),
            Some(Role::DebianVersion) => {
                first_lines(file.content).map(|lines| os = from_debian_version(&lines))
            }
            Some(Role::ReleaseFile) => {
                first_lines(file.content).map(|lines| os = from_release_file(path::file_name(path), &lines))
            }
            Some(Role::ApkRepositories) => first_lines(file.content).map(|lines| {
                if let Some(release) = newest_repository(&lines) {
                    intake.note(REPOSITORY, "", release);
                }
            }),
            Some(Role::UbuntuPro) => ubuntu_pro(file.content, &mut intake),
            Some(Role::ContentManifest) => content_manifest(file.content, &mut intake),
            Some(Role::RedHatDockerfile) => {
                first_lines(file.content).map(|lines| dockerfile(path, &lines, &mut intake))
            }
            None => Ok(()),
        };
        if let Err(error) = result {
            intake.problem(error);
        }
        out.os = os;
    }

    /// Leaves one identity, that of the best file, with what the others tell more.
    fn combine(&self, found: &mut Vec<Found>) {
        let mut identities = Vec::new();
        let mut notes = Vec::new();
        for (index, file) in found.iter_mut().enumerate() {
            if let Some(os) = file.extracted.os.take() {
                identities.push((rank(&file.path), index, os));
            }
            notes.append(&mut file.extracted.notes);
        }
        identities.sort_by_key(|(rank, index, _)| (*rank, *index));
        let mut identities = identities.into_iter();
        if let Some((_, index, mut best)) = identities.next() {
            for (_, _, other) in identities {
                enrich(&mut best, &other);
            }
            add_notes(&mut best, &notes);
            if let Some(file) = found.get_mut(index) {
                file.extracted.os = Some(best);
            }
        }
        found.retain(|file| !file.extracted.is_empty());
    }
}

/// Which file is believed first.
fn rank(path: &str) -> u8 {
    match role(path) {
        Some(Role::OsRelease) if path.starts_with("etc/") => 0,
        Some(Role::OsRelease) => 1,
        // Derivatives keep the file of what they derive from beside their own.
        Some(Role::ReleaseFile) => match path::file_name(path) {
            "redhat-release" => 4,
            "system-release" => 3,
            _ => 2,
        },
        Some(Role::DebianVersion) => 5,
        _ => 6,
    }
}

/// Adds to the best identity what a lesser file of the same system tells.
fn enrich(best: &mut OsRelease, other: &OsRelease) {
    if other.id != best.id {
        if other.id == "debian"
            && let Some(version) = other.fact(FULL_VERSION)
        {
            add_fact(best, "debian-version", version);
        }
        return;
    }
    if best.version.is_empty() {
        best.version.clone_from(&other.version);
    }
    if best.codename.is_empty() {
        best.codename.clone_from(&other.codename);
    }
    let full = other.fact(FULL_VERSION).unwrap_or(&other.version);
    let longer = full
        .strip_prefix(best.version.as_str())
        .is_some_and(|rest| rest.starts_with('.'));
    if longer || (best.version.is_empty() && !full.is_empty()) {
        add_fact(best, FULL_VERSION, full);
    }
    for fact in &other.facts {
        add_fact(best, &fact.key, &fact.value);
    }
}

fn add_notes(os: &mut OsRelease, notes: &[crate::Note]) {
    let values = |kind: &str| {
        let mut values: Vec<&str> = notes
            .iter()
            .filter(|note| note.kind == kind)
            .map(|note| note.value.as_str())
            .collect();
        values.sort_unstable();
        values.dedup();
        values
    };
    let repository = values(REPOSITORY)
        .into_iter()
        .max_by_key(|release| release_order(release));
    let own: String = os.version.splitn(3, '.').take(2).collect::<Vec<_>>().join(".");
    match repository {
        Some(release) if release != own => add_fact(os, REPOSITORY, release),
        // Snapshots of Alpine's development branch are versioned like this.
        None if os.id == "alpine" && os.version.contains("_alpha") => add_fact(os, REPOSITORY, "edge"),
        _ => {}
    }
    for kind in [ESM, CONTENT_SETS, IMAGE_NVR, IMAGE_ARCHITECTURE] {
        add_fact(os, kind, &values(kind).join(","));
    }
}

/// Adds a fact unless it is empty or the key is there already.
fn add_fact(os: &mut OsRelease, key: &str, value: &str) {
    if !value.is_empty() && os.fact(key).is_none() {
        os.facts.push(Fact::new(key, value));
    }
}

/// `KEY=value` lines with the shell's quotes undone.
fn assignments(content: &mut dyn Content) -> Result<Vec<(String, String)>, String> {
    let lines = first_lines(content)?;
    let values = lines.iter().filter_map(|line| {
        let (key, value) = line.trim().split_once('=')?;
        (!key.starts_with('#')).then(|| (key.trim().to_owned(), unquote(value.trim())))
    });
    Ok(values.collect())
}

/// The first lines of a small file, lossy where they are not UTF-8.
fn first_lines(content: &mut dyn Content) -> Result<Vec<String>, String> {
    let error = |error: &dyn std::fmt::Display| format!("the release file was not read: {error}");
    let mut reader = Lines::new(content).map_err(|cause| error(&cause))?;
    let mut lines = Vec::new();
    let mut size = 0;
    while let Some(line) = reader.next().map_err(|cause| error(&cause))? {
        size += line.len();
        if lines.len() == LINES || size as u64 > LIMIT {
            return Err(format!(
                "the release file has more than {LINES} lines or {LIMIT} bytes"
            ));
        }
        lines.push(String::from_utf8_lossy(line).into_owned());
    }
    Ok(lines)
}

/// A value of a shell-like assignment without its quotes and escapes.
fn unquote(value: &str) -> String {
    if let Some(inner) = value.strip_prefix('\'') {
        return inner.strip_suffix('\'').unwrap_or(inner).to_owned();
    }
    let inner = value.strip_prefix('"').unwrap_or(value);
    let mut text = String::new();
    let mut characters = inner.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => text.extend(characters.next()),
            '"' => break,
            other => text.push(other),
        }
    }
    text
}

fn from_os_release(values: &[(String, String)]) -> Option<OsRelease> {
    // Later assignments win, as in the shell.
    let get = |key: &str| {
        let found = values.iter().rev().find(|(have, _)| have == key);
        found.map_or("", |(_, value)| value.as_str())
    };
    let mut id = get("ID").to_ascii_lowercase();
    if id.is_empty() {
        return None;
    }
    let version = get("VERSION_ID");
    if id == "opensuse" {
        // Before 15 both lines had one name.
        let rolling = get("NAME").contains("Tumbleweed");
        id = if rolling {
            "opensuse-tumbleweed"
        } else {
            "opensuse-leap"
        }
        .to_owned();
    }
    let mut os = OsRelease {
        id,
        version: version.to_owned(),
        id_like: get("ID_LIKE")
            .split_ascii_whitespace()
            .map(str::to_ascii_lowercase)
            .collect(),
        pretty_name: get("PRETTY_NAME").to_owned(),
        codename: get("VERSION_CODENAME").to_owned(),
        facts: Vec::new(),
    };
    if os.pretty_name.is_empty() {
        get("NAME").clone_into(&mut os.pretty_name);
    }
    for (key, name) in [
        ("variant", "VARIANT_ID"),
        ("cpe", "CPE_NAME"),
        ("support-end", "SUPPORT_END"),
        ("build-id", "BUILD_ID"),
        ("ubuntu-codename", "UBUNTU_CODENAME"),
        ("debian-codename", "DEBIAN_CODENAME"),
        ("rhel-version", "RHEL_VERSION"),
        ("openshift-version", "OPENSHIFT_VERSION"),
    ] {
        add_fact(&mut os, key, get(name));
    }
    if get("NAME") == "CentOS Stream" {
        add_fact(&mut os, "variant", "stream");
    }
    Some(os)
}

fn from_lsb_release(values: &[(String, String)]) -> Option<OsRelease> {
    let get = |key: &str| {
        let found = values.iter().find(|(have, _)| have == key);
        found.map_or("", |(_, value)| value.as_str())
    };
    let id = get("DISTRIB_ID").to_ascii_lowercase().replace(' ', "-");
    (!id.is_empty()).then(|| OsRelease {
        id,
        version: get("DISTRIB_RELEASE").to_owned(),
        pretty_name: get("DISTRIB_DESCRIPTION").to_owned(),
        codename: get("DISTRIB_CODENAME").to_owned(),
        ..OsRelease::default()
    })
}

fn from_debian_version(lines: &[String]) -> Option<OsRelease> {
    let text = lines.first()?.trim();
    let mut os = OsRelease {
        id: "debian".to_owned(),
        pretty_name: format!("Debian {text}"),
        ..OsRelease::default()
    };
    if text.starts_with(|first: char| first.is_ascii_digit()) {
        text.split('.').next()?.clone_into(&mut os.version);
    } else if text.starts_with(|first: char| first.is_ascii_alphabetic()) {
        // Testing and unstable: `trixie/sid`.
        text.split('/').next()?.clone_into(&mut os.codename);
    } else {
        return None;
    }
    add_fact(&mut os, FULL_VERSION, text);
    Some(os)
}

fn from_release_file(name: &str, lines: &[String]) -> Option<OsRelease> {
    let text = lines.first().map_or("", |line| line.trim());
    let identity = |id: &str, version: &str, pretty_name: String| OsRelease {
        id: id.to_owned(),
        version: version.to_owned(),
        pretty_name,
        ..OsRelease::default()
    };
    match name {
        "alpine-release" => {
            return (!text.is_empty()).then(|| identity("alpine", text, format!("Alpine Linux {text}")));
        }
        // Its content, if any, says nothing; Arch has no releases.
        "arch-release" => return Some(identity("arch", "", "Arch Linux".to_owned())),
        _ => {}
    }
    let lower = text.to_ascii_lowercase();
    let (_, id, id_like) = RELEASE_NAMES
        .iter()
        .find(|(begin, ..)| lower.starts_with(begin))?;
    let is_version = |word: &&str| word.starts_with(|first: char| first.is_ascii_digit());
    let version = text.split_ascii_whitespace().find(is_version).unwrap_or_default();
    let mut os = identity(id, version, text.to_owned());
    os.id_like = id_like.iter().map(|id| (*id).to_owned()).collect();
    if let Some((_, codename)) = text.split_once('(')
        && !text.contains("(Amazon Linux)")
    {
        codename.split(')').next()?.clone_into(&mut os.codename);
    }
    match *id {
        "centos" if lower.starts_with("centos stream") => add_fact(&mut os, "variant", "stream"),
        // Dated releases of one line: os-release says `2023` and `2.0`.
        "amzn" | "mariner" | "azurelinux" => {
            let keep = if *id != "amzn" {
                2
            } else if version.starts_with("2023.") {
                1
            } else {
                9
            };
            let short = version.split('.').take(keep).collect::<Vec<_>>().join(".");
            if short != version {
                add_fact(&mut os, FULL_VERSION, version);
                os.version = short;
            }
        }
        "sles" | "sled" => {
            os.codename.clear();
            let level = lines.iter().find_map(|line| {
                let (key, value) = line.split_once('=')?;
                (key.trim() == "PATCHLEVEL").then(|| value.trim())
            });
            if let Some(level) = level.filter(|level| !level.is_empty() && *level != "0") {
                os.version = format!("{version}.{level}");
            }
        }
        _ => {}
    }
    Some(os)
}

/// Order of Alpine releases: `edge` is above all.
fn release_order(release: &str) -> (u32, u32) {
    match release.split_once('.') {
        Some((major, minor)) => (major.parse().unwrap_or(0), minor.parse().unwrap_or(0)),
        None => (u32::MAX, 0),
    }
}

/// The newest release that Alpine's repositories name: `3.18` or `edge`.
fn newest_repository(lines: &[String]) -> Option<&str> {
    lines
        .iter()
        .map(|line| line.trim())
        // Tagged repositories (`@testing …`) give only what is asked of them by name.
        .filter(|line| !line.starts_with(['#', '@']))
        .flat_map(|line| line.split('/'))
        .filter_map(|part| {
            let release = part.strip_prefix('v').unwrap_or(part);
            let (major, minor) = release.split_once('.').unwrap_or(("", ""));
            let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            let numbered = part.starts_with('v') && number(major) && number(minor);
            (numbered || part == "edge").then_some(release)
        })
        .max_by_key(|release| release_order(release))
}

fn ubuntu_pro(content: &mut dyn Content, intake: &mut Intake<'_>) -> Result<(), String> {
    #[derive(Deserialize)]
    struct Status {
        #[serde(default)]
        services: Vec<Service>,
    }
    #[derive(Deserialize)]
    struct Service {
        #[serde(default)]
        name: String,
        #[serde(default)]
        status: String,
    }
    let bytes = content.bytes(LIMIT).map_err(|error| error.to_string())?;
    let status: Status = serde_json::from_slice(&bytes)
        .map_err(|error| format!("the status of Ubuntu Pro is no JSON of the known form: {error}"))?;
    for service in status.services {
        if service.status == "enabled" && service.name.starts_with("esm-") {
            intake.note(ESM, "", service.name);
        }
    }
    Ok(())
}

fn content_manifest(content: &mut dyn Content, intake: &mut Intake<'_>) -> Result<(), String> {
    #[derive(Deserialize)]
    struct Manifest {
        #[serde(default)]
        content_sets: Vec<String>,
    }
    let bytes = content.bytes(LIMIT).map_err(|error| error.to_string())?;
    let manifest: Manifest = serde_json::from_slice(&bytes)
        .map_err(|error| format!("the content manifest is no JSON of the known form: {error}"))?;
    for content_set in manifest.content_sets {
        intake.note(CONTENT_SETS, "", content_set);
    }
    Ok(())
}

/// Name, version and release of a Red Hat image: the name is a label, the rest stands at the end of the file's name
/// (`Dockerfile-ubi8-8.10-1018`).
fn dockerfile(path: &str, lines: &[String], intake: &mut Intake<'_>) {
    let label = |key: &str| {
        lines.iter().find_map(|line| {
            let (before, rest) = line.split_once(key)?;
            let whole = before.ends_with([' ', '\t', '"']) || before.is_empty();
            let value = rest.trim_start_matches('"').strip_prefix('=')?;
            let value = value.trim_start_matches('"');
            let end = value.find(['"', ' ', '\\']).unwrap_or(value.len());
            value.get(..end).filter(|value| whole && !value.is_empty())
        })
    };
    let mut parts = path.rsplitn(3, '-');
    let (release, version) = (parts.next(), parts.next());
    if let (Some(component), Some(release), Some(version)) = (label("com.redhat.component"), release, version)
        && component.len() <= 256
    {
        intake.note(
            IMAGE_NVR,
            "",
            format!("{}-{version}-{release}", excerpt(component)),
        );
        intake.note(IMAGE_ARCHITECTURE, "", label("architecture").unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `id version codename` of an identity.
    fn short(os: Option<OsRelease>) -> String {
        os.map_or_else(String::new, |os| {
            format!("{} {} {}", os.id, os.version, os.codename)
        })
    }

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn release_files() {
        for (name, text, expected) in [
            (
                "redhat-release",
                "Red Hat Enterprise Linux Server release 6.10 (Santiago)",
                "rhel 6.10 Santiago",
            ),
            (
                "redhat-release",
                "Red Hat Enterprise Linux release 10.0 (Coughlan)",
                "rhel 10.0 Coughlan",
            ),
            (
                "centos-release",
                "CentOS release 6.10 (Final)",
                "centos 6.10 Final",
            ),
            (
                "centos-release",
                "CentOS Linux release 7.9.2009 (Core)",
                "centos 7.9.2009 Core",
            ),
            ("centos-release", "CentOS Stream release 9", "centos 9 "),
            (
                "rocky-release",
                "Rocky Linux release 9.3 (Blue Onyx)",
                "rocky 9.3 Blue Onyx",
            ),
            (
                "almalinux-release",
                "AlmaLinux release 8.9 (Midnight Oncilla)",
                "almalinux 8.9 Midnight Oncilla",
            ),
            ("oracle-release", "Oracle Linux Server release 8.9", "ol 8.9 "),
            (
                "redhat-release",
                "Enterprise Linux Enterprise Linux Server release 5.2 (Carthage)",
                "ol 5.2 Carthage",
            ),
            (
                "fedora-release",
                "Fedora release 39 (Thirty Nine)",
                "fedora 39 Thirty Nine",
            ),
            (
                "system-release",
                "Amazon Linux AMI release 2018.03",
                "amzn 2018.03 ",
            ),
            ("system-release", "Amazon Linux release 2 (Karoo)", "amzn 2 Karoo"),
            (
                "system-release",
                "Amazon Linux release 2023.3.20240122 (Amazon Linux)",
                "amzn 2023 ",
            ),
            (
                "photon-release",
                "VMware Photon OS 4.0\nPHOTON_BUILD_NUMBER=1\n",
                "photon 4.0 ",
            ),
            ("mariner-release", "CBL-Mariner 2.0.20230126", "mariner 2.0 "),
            (
                "azurelinux-release",
                "Microsoft Azure Linux 3.0.20240727",
                "azurelinux 3.0 ",
            ),
            (
                "openEuler-release",
                "openEuler release 22.03 (LTS-SP1)",
                "openeuler 22.03 LTS-SP1",
            ),
            (
                "mageia-release",
                "Mageia release 9 (Official) for x86_64",
                "mageia 9 Official",
            ),
            (
                "gentoo-release",
                "Gentoo Base System release 2.14",
                "gentoo 2.14 ",
            ),
            (
                "SuSE-release",
                "SUSE Linux Enterprise Server 11 (x86_64)\nVERSION = 11\nPATCHLEVEL = 4\n",
                "sles 11.4 ",
            ),
            ("alpine-release", "3.18.9\n", "alpine 3.18.9 "),
            ("arch-release", "", "arch  "),
            ("slackware-version", "Slackware 15.0", "slackware 15.0 "),
            ("redhat-release", "", ""),
            ("redhat-release", "Somebody's Linux 1", ""),
        ] {
            assert_eq!(short(from_release_file(name, &lines(text))), expected, "{text}");
        }
    }

    #[test]
    fn debian_versions() {
        for (text, expected) in [
            ("12.5", "debian 12 "),
            ("trixie/sid", "debian  trixie"),
            ("6.0.10\n", "debian 6 "),
            ("", ""),
            ("\u{0}", ""),
        ] {
            assert_eq!(short(from_debian_version(&lines(text))), expected, "{text}");
        }
    }

    #[test]
    fn quotes() {
        for (text, expected) in [
            ("plain", "plain"),
            ("\"a b\"", "a b"),
            ("'a \"b'", "a \"b"),
            (r#""a \"b\" \$c""#, "a \"b\" $c"),
            ("\"open", "open"),
            ("'", ""),
            ("\"end\\", "end"),
        ] {
            assert_eq!(unquote(text), expected, "{text}");
        }
    }

    #[test]
    fn repositories() {
        for (text, expected) in [
            ("https://dl-cdn.alpinelinux.org/alpine/v3.18/main", Some("3.18")),
            (
                "# https://x/v3.20/main\n/media/cdrom\nhttps://x/v3.9/main\nhttps://x/v3.18/community",
                Some("3.18"),
            ),
            (
                "@edge https://x/alpine/edge/testing\nhttps://x/v3.18/main",
                Some("3.18"),
            ),
            ("https://x/alpine/edge/main\nhttps://x/v3.18/main", Some("edge")),
            ("https://apk.cgr.dev/chainguard", None),
            ("https://x/version3.1/main\nv.\n", None),
        ] {
            assert_eq!(newest_repository(&lines(text)), expected, "{text}");
        }
    }
}
