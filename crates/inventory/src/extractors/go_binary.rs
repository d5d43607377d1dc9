//! The build information that Go's linker leaves in every program: toolchain, main module and modules linked into it.

use crate::object_file::{self, Bytes, Fields, Format, ObjectFile};
use crate::program_reader::ProgramReader;
use crate::{Extracted, File};
use model::{Location, Meta, Package, Purl, Relation};
use std::collections::HashSet;

/// The member.
pub(super) static GO_BINARY: ProgramReader = ProgramReader {
    meta: &META,
    accepts: object_file::has_magic,
    read,
};

static META: Meta = Meta {
    name: "go-binary",
    title: "Go programs: their modules, replaced ones among them, and the standard library",
    finds: &[
        "executable ELF, PE and Mach-O files with Go build information",
        "programs packed with UPX, and Go programs without build information: reported as problems",
    ],
    needs: &[],
    references: &[
        "https://pkg.go.dev/debug/buildinfo",
        "https://pkg.go.dev/runtime/debug#BuildInfo",
    ],
};

/// What the build information begins with.
const MAGIC: &[u8] = b"\xff Go buildinf:";
/// Largest list of modules that is read, in bytes; the largest programs have some 200 KiB.
const MODULES_LIMIT: u64 = 16 << 20;
/// Longest version that is read, in bytes.
const VERSION_LIMIT: u64 = 1024;
/// How far into a data segment the magic is looked for when no section says where it is, in bytes. The linker puts it first.
const SEARCH_LIMIT: u64 = 64 << 20;
/// Modules that are listed of one program.
const PACKAGE_LIMIT: usize = 100_000;

fn read(file: &mut File<'_>, out: &mut Extracted) -> Result<(), String> {
    let location = file.entry.path;
    let mut bytes = Bytes::open(file.content)?;
    // Damaged headers are the binary classifier's to report; it reads all programs.
    let objects = object_file::parse(&mut bytes).unwrap_or_default();
    for object in &objects {
        if let Some(build) = build_information(&mut bytes, object)? {
            let before = std::mem::take(&mut out.packages);
            let known: HashSet<String> = before.iter().map(|package| package.purl.to_string()).collect();
            build.packages(location, out);
            // The parts of a fat file are built from the same modules.
            out.packages
                .retain(|package| !known.contains(&package.purl.to_string()));
            out.packages.splice(..0, before);
        } else if is_packed(&mut bytes, object)? {
            out.problem(
                location,
                "the program is packed with UPX, so that its modules and version cannot be seen; scan the unpacked program",
            );
        } else if is_go(&mut bytes, object)? {
            out.problem(
                location,
                "the program was built by Go but has no build information, so that its modules cannot be listed",
            );
        }
    }
    Ok(())
}

/// True when the build information names the main module's version, directly or as a linker flag.
pub(super) fn has_main_version(bytes: &mut Bytes<'_>, objects: &[ObjectFile]) -> bool {
    objects.iter().any(|object| {
        let Ok(Some(build)) = build_information(bytes, object) else {
            return false;
        };
        let mut out = Extracted::default();
        build.packages("", &mut out);
        out.packages.iter().any(|package| {
            package.relation == Some(Relation::Root)
                && package.version.starts_with('v')
                && !package.version.starts_with("v0.0.0-")
        })
    })
}

/// UPX leaves its mark near the start of what it packed, and no section headers (ELF) or sections of its own names (PE).
fn is_packed(bytes: &mut Bytes<'_>, object: &ObjectFile) -> Result<bool, String> {
    let suspicious = match object.format {
        Format::Elf => object.sections.is_empty(),
        Format::Pe => object.section("UPX0").is_some() || object.section("UPX1").is_some(),
        Format::MachO => object.sections.is_empty(),
    };
    if !suspicious {
        return Ok(false);
    }
    let head = bytes.at(0, 4096)?;
    Ok(memchr::memmem::find(&head, b"UPX!").is_some())
}

fn is_go(bytes: &mut Bytes<'_>, object: &ObjectFile) -> Result<bool, String> {
    const SECTIONS: [&str; 4] = [
        ".gopclntab",
        "__gopclntab",
        ".data.rel.ro.gopclntab",
        ".note.go.buildid",
    ];
    if SECTIONS.iter().any(|name| object.section(name).is_some()) {
        return Ok(true);
    }
    // The build identity is the first thing of the code: the only trace in PE files and where section headers were removed.
    let code = match object.format {
        Format::Pe => object.section(".text").map(|text| text.offset),
        Format::Elf if object.sections.is_empty() => Some(0),
        _ => None,
    };
    let Some(code) = code else {
        return Ok(false);
    };
    let start = bytes.at(code, 8192)?;
    Ok(memchr::memmem::find(&start, b"Go build ID: \"").is_some())
}

/// What the linker wrote.
#[derive(Debug, PartialEq, Eq)]
struct Build {
    /// `go1.21.5`, with experiments and the like behind it.
    toolchain: String,
    /// Lines of `key<TAB>values`.
    modules: String,
}

fn build_information(bytes: &mut Bytes<'_>, object: &ObjectFile) -> Result<Option<Build>, String> {
    let named = [".go.buildinfo", "__go_buildinfo"]
        .iter()
        .find_map(|name| object.section(name))
        .map(|section| (section.offset, section.size));
    let places: Vec<(u64, u64)> = if let Some(place) = named {
        vec![place]
    } else if object.format == Format::Pe {
        object
            .section(".data")
            .map(|data| (data.offset, data.size))
            .into_iter()
            .collect()
    } else if object.sections.is_empty() {
        object
            .segments
            .iter()
            .filter(|segment| segment.writable)
            .map(|segment| (segment.offset, segment.size))
            .collect()
    } else {
        Vec::new()
    };
    for (offset, size) in places {
        if let Some(at) = find_magic(bytes, offset, size.min(SEARCH_LIMIT))? {
            return decode(bytes, object, at).map(Some);
        }
    }
    Ok(None)
}

/// Finds the magic within a part of the file, block by block.
fn find_magic(bytes: &mut Bytes<'_>, offset: u64, size: u64) -> Result<Option<u64>, String> {
    const BLOCK: u64 = 1 << 20;
    let finder = memchr::memmem::Finder::new(MAGIC);
    let mut done = 0;
    while done < size {
        let block = bytes.at(offset + done, (size - done).min(BLOCK + MAGIC.len() as u64))?;
        if let Some(at) = finder.find(&block) {
            return Ok(Some(offset + done + at as u64));
        }
        done += BLOCK;
    }
    Ok(None)
}

fn decode(bytes: &mut Bytes<'_>, object: &ObjectFile, at: u64) -> Result<Build, String> {
    const DAMAGED: &str = "the Go build information is damaged";
    let header = bytes.at(at, 32)?;
    let (Some(&width), Some(&flags)) = (header.get(14), header.get(15)) else {
        return Err(DAMAGED.to_owned());
    };
    let (toolchain, modules) = if flags & 2 != 0 {
        let (toolchain, next) = inline_text(bytes, at + 32, VERSION_LIMIT)?.ok_or(DAMAGED)?;
        let (modules, _) = inline_text(bytes, next, MODULES_LIMIT)?.ok_or(DAMAGED)?;
        (toolchain, modules)
    } else {
        // Before Go 1.18: the addresses of two string headers, each of address and length.
        let wide = match width {
            4 => false,
            8 => true,
            _ => return Err(DAMAGED.to_owned()),
        };
        let fields = Fields {
            bytes: &header,
            little_endian: flags & 1 == 0,
        };
        let mut text = |place: usize, limit: u64| -> Result<Vec<u8>, String> {
            let header = fields.word(place, wide).unwrap_or(0);
            if header == 0 {
                return Ok(Vec::new());
            }
            let (offset, left) = object.locate(header).ok_or(DAMAGED)?;
            let words = bytes.at(offset, left.min(16))?;
            let words = Fields {
                bytes: &words,
                little_endian: fields.little_endian,
            };
            let step = if wide { 8 } else { 4 };
            let (Some(address), Some(length)) = (words.word(0, wide), words.word(step, wide)) else {
                return Err(DAMAGED.to_owned());
            };
            if length == 0 {
                return Ok(Vec::new());
            }
            let (offset, left) = object.locate(address).ok_or(DAMAGED)?;
            if length > left.min(limit) {
                return Err(DAMAGED.to_owned());
            }
            bytes.at(offset, length)
        };
        let step = if wide { 8 } else { 4 };
        (text(16, VERSION_LIMIT)?, text(16 + step, MODULES_LIMIT)?)
    };
    // The list stands between two marks of 16 bytes, for finding it in a running process.
    let modules = match modules.len().checked_sub(17).and_then(|end| modules.get(end)) {
        Some(b'\n') if modules.len() >= 33 => modules.get(16..modules.len() - 16).unwrap_or_default(),
        _ => &[],
    };
    Ok(Build {
        toolchain: String::from_utf8_lossy(&toolchain).into_owned(),
        modules: String::from_utf8_lossy(modules).into_owned(),
    })
}

/// A text behind its length as a variable-length number, and where the next one begins.
fn inline_text(bytes: &mut Bytes<'_>, at: u64, limit: u64) -> Result<Option<(Vec<u8>, u64)>, String> {
    let head = bytes.at(at, 10)?;
    let mut length = 0_u64;
    for (index, byte) in head.iter().enumerate() {
        length |= u64::from(byte & 0x7f)
            .checked_shl(7 * u32::try_from(index).unwrap_or(u32::MAX))
            .unwrap_or(0);
        if byte & 0x80 == 0 {
            let start = at + index as u64 + 1;
            if length > limit {
                return Ok(None);
            }
            let text = bytes.at(start, length)?;
            let whole = text.len() as u64 == length;
            return Ok(whole.then_some((text, start + length)));
        }
    }
    Ok(None)
}

/// A line `mod` or `dep`, with the `=>` line that may follow.
#[derive(Debug, Default)]
struct Module<'a> {
    path: &'a str,
    version: &'a str,
    replacement: Option<(&'a str, &'a str)>,
}

impl Build {
    fn packages(&self, location: &str, out: &mut Extracted) {
        let mut main: Option<Module<'_>> = None;
        let mut modules: Vec<Module<'_>> = Vec::new();
        let mut settings: Vec<(&str, String)> = Vec::new();
        let mut program = "";
        let mut after_main = false;
        for line in self.modules.lines() {
            let mut parts = line.split('\t');
            let (key, first, second) = (
                parts.next().unwrap_or_default(),
                parts.next().unwrap_or_default(),
                parts.next().unwrap_or_default(),
            );
            match key {
                "path" => program = first,
                "mod" | "dep" => {
                    let module = Module {
                        path: first,
                        version: second,
                        replacement: None,
                    };
                    after_main = key == "mod";
                    if after_main {
                        main = Some(module);
                    } else if modules.len() < PACKAGE_LIMIT {
                        modules.push(module);
                    }
                }
                "=>" => {
                    let last = if after_main {
                        main.as_mut()
                    } else {
                        modules.last_mut()
                    };
                    if let Some(module) = last {
                        module.replacement = Some((first, second));
                    }
                }
                "build" => {
                    if let Some((key, value)) = line.get(6..).and_then(|setting| setting.split_once('=')) {
                        settings.push((key, unquote(value)));
                    }
                }
                _ => {}
            }
        }
        let setting = |key: &str| {
            settings
                .iter()
                .find(|(have, _)| *have == key)
                .map_or("", |(_, value)| value.as_str())
        };

        let toolchain = Toolchain::parse(&self.toolchain);
        // The tools of the Go distribution itself have advisories of their own.
        let own_tool = program.starts_with("cmd/") && main.is_none();
        for name in ["stdlib", "toolchain"] {
            if name == "toolchain" && !own_tool {
                continue;
            }
            let purl = Purl::new("golang", "", name, &toolchain.version);
            let mut package = Package::new(META.name, purl, "Go", name, &*toolchain.version);
            package.locations.push(Location::file(location));
            package.licenses = vec!["BSD-3-Clause".to_owned()];
            package.add_fact("go-version", &*self.toolchain);
            package.add_fact("experiments", toolchain.experiments.join(","));
            out.packages.push(package);
        }

        let mut chain = Vec::new();
        if let Some(module) = &main {
            let (mut package, given) = module.package(location);
            // Builds from a checkout know no version of their own; projects pass it to the linker instead.
            if (given.is_empty() || given == "(devel)")
                && let Some(version) = linked_version(setting("-ldflags"))
            {
                package.purl = go_purl(&package.name, &version);
                package.version = version;
                package.add_fact("version-from", "-ldflags");
            }
            package.relation = Some(Relation::Root);
            for (key, fact) in [
                ("vcs", "vcs"),
                ("vcs.revision", "vcs-revision"),
                ("vcs.time", "vcs-time"),
                ("vcs.modified", "vcs-modified"),
                ("GOOS", "goos"),
                ("GOARCH", "goarch"),
                ("CGO_ENABLED", "cgo-enabled"),
                ("GOFIPS140", "gofips140"),
                ("-tags", "build-tags"),
            ] {
                package.add_fact(fact, setting(key));
            }
            if program != package.name {
                package.add_fact("main-package", program);
            }
            chain.push(format!("{}@{}", package.name, package.version));
            out.packages.push(package);
        }
        for module in &modules {
            let (mut package, _) = module.package(location);
            package.path.clone_from(&chain);
            out.packages.push(package);
        }
        if main.is_none() && modules.is_empty() && !own_tool {
            out.problem(
                location,
                "the Go program was built without modules, so that of its packages only the standard library is known",
            );
        }
    }
}

impl Module<'_> {
    /// The package, and the version that the line gives.
    fn package(&self, location: &str) -> (Package, &str) {
        // A replacement by a folder has no version and no name of its own.
        let is_folder = |path: &str, version: &str| {
            version.is_empty() || version == "(devel)" || path.starts_with(['.', '/'])
        };
        let (name, version, fact) = match self.replacement {
            Some((path, version)) if is_folder(path, version) => {
                (self.path, self.version, Some(("replaced-by", path.to_owned())))
            }
            Some((path, version)) => {
                let original = format!("{}@{}", self.path, self.version);
                (path, version, Some(("replaces", original)))
            }
            None => (self.path, self.version, None),
        };
        let mut package = Package::new(META.name, go_purl(name, version), "Go", name, version);
        package.locations.push(Location::file(location));
        if let Some((key, value)) = fact {
            package.add_fact(key, value);
        }
        (package, version)
    }
}

/// The purl of a module; `(devel)` is no version that another program could look up.
fn go_purl(path: &str, version: &str) -> Purl {
    let (namespace, name) = path.rsplit_once('/').unwrap_or(("", path));
    let version = if version == "(devel)" { "" } else { version };
    Purl::new("golang", namespace, name, version)
}

/// Go's version and what stands behind it.
#[derive(Debug, PartialEq, Eq)]
struct Toolchain {
    /// As the vulnerability database writes it: `1.21.5`, `1.22.0-rc.1`.
    version: String,
    /// What was switched on or patched in: `boringcrypto`.
    experiments: Vec<String>,
}

impl Toolchain {
    fn parse(text: &str) -> Self {
        // `go1.21.5`, `go1.21.5 X:boringcrypto,arenas`, `go1.22.9 (Red Hat 1.22.9-1.el9)`, `devel go1.23-f2d0b9c Tue …`
        let word = text
            .split_whitespace()
            .find_map(|word| word.strip_prefix("go"))
            .unwrap_or_default();
        let experiments = text
            .split_whitespace()
            .find_map(|word| word.strip_prefix("X:"))
            .map(|list| list.split(',').map(str::to_owned).collect())
            .unwrap_or_default();
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        let version = ["rc", "beta"]
            .iter()
            .find_map(|mark| {
                let (base, number) = word.split_once(mark)?;
                let plain = digits(number) && base.split('.').all(digits);
                let patch = if base.matches('.').count() == 1 { ".0" } else { "" };
                plain.then(|| format!("{base}{patch}-{mark}.{number}"))
            })
            .unwrap_or_else(|| word.to_owned());
        Self { version, experiments }
    }
}

/// The version that `-ldflags` sets: the value of an `-X` for a variable called like a version.
fn linked_version(flags: &str) -> Option<String> {
    let mut best: Option<(u8, String)> = None;
    for part in flags.split(['\'', '"', ' ', '\t', '\n']) {
        let Some((variable, value)) = part.split_once('=') else {
            continue;
        };
        let variable = variable.rsplit(['.', '/']).next().unwrap_or_default();
        let value = value.trim();
        let bare = value.strip_prefix('v').unwrap_or(value);
        let plausible = bare.starts_with(|first: char| first.is_ascii_digit())
            && bare.contains('.')
            && bare.len() <= 64
            && bare
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b".-+_~".contains(&byte));
        if !plausible {
            continue;
        }
        let rank = match variable.to_ascii_lowercase().as_str() {
            "version" => 0,
            "gitversion" | "buildversion" | "appversion" | "releaseversion" | "currentversion" => 1,
            "tag" | "gittag" | "release" | "versionstring" => 2,
            _ => continue,
        };
        if best.as_ref().is_none_or(|(have, _)| rank < *have) {
            best = Some((rank, format!("v{bare}")));
        }
    }
    best.map(|(_, version)| version)
}

/// A setting's value: plain, in back quotes, or in double quotes with Go's escapes.
fn unquote(value: &str) -> String {
    if let Some(raw) = value.strip_prefix('`').and_then(|value| value.strip_suffix('`')) {
        return raw.to_owned();
    }
    let Some(quoted) = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')) else {
        return value.to_owned();
    };
    let mut plain = String::with_capacity(quoted.len());
    let mut escaped = false;
    for character in quoted.chars() {
        match (escaped, character) {
            (false, '\\') => escaped = true,
            (true, character) => {
                plain.push(match character {
                    'n' => '\n',
                    't' => '\t',
                    other => other,
                });
                escaped = false;
            }
            (false, character) => plain.push(character),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Extractor;
    use model::{Entry, EntryKind, MemoryContent};
    use proptest::prelude::*;
    use testkit::object::{Builder, Layout};

    const MODULES: &str = "path\texample.org/app/cmd/app\nmod\texample.org/app\t(devel)\t\n\
        dep\texample.org/one\tv1.2.3\th1:x=\ndep\texample.org/two\tv2.0.0\t\n=>\texample.org/fork\tv2.0.1\th1:y=\n\
        dep\texample.org/three\tv0.1.0\n=>\t./three\t(devel)\t\n\
        build\t-ldflags=\"-s -w -X 'main.version=1.4.2'\"\nbuild\tvcs.revision=0123abcd\nbuild\tGOOS=linux\n";

    fn extract(bytes: &[u8]) -> Extracted {
        let mut content = MemoryContent(bytes);
        let mut out = Extracted::default();
        let archives = artifact::archives::Limited::default();
        let entry = Entry {
            path: "usr/bin/app",
            kind: EntryKind::File,
            size: bytes.len() as u64,
            mode: 0o755,
            link: None,
        };
        GO_BINARY.extract(
            &mut File {
                entry,
                content: &mut content,
                archives: &archives,
            },
            &mut out,
        );
        out
    }

    fn framed(modules: &str) -> Vec<u8> {
        [&[b'<'; 16], modules.as_bytes(), &[b'>'; 16]].concat()
    }

    fn varint(mut value: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        while value >= 0x80 {
            bytes.push((value & 0x7f) as u8 | 0x80);
            value >>= 7;
        }
        bytes.push(value as u8);
        bytes
    }

    fn inline(toolchain: &str, modules: &[u8]) -> Vec<u8> {
        let mut bytes = [MAGIC, &[8, 2], &[0; 16]].concat();
        for text in [toolchain.as_bytes(), modules] {
            bytes.extend(varint(text.len()));
            bytes.extend(text);
        }
        bytes
    }

    /// The form before Go 1.18, as a section that begins at `address`.
    fn pointers(layout: Layout, address: u64, toolchain: &str, modules: &[u8]) -> Vec<u8> {
        let step: usize = if layout.wide() { 8 } else { 4 };
        let word = |value: u64| {
            let mut bytes = value.to_le_bytes()[..step].to_vec();
            if !layout.little() {
                bytes.reverse();
            }
            bytes
        };
        let flags = u8::from(!layout.little());
        let mut bytes = [MAGIC, &[step as u8, flags]].concat();
        let (headers, texts) = (address + 32, address + 64);
        bytes.extend(word(headers));
        bytes.extend(word(headers + 2 * step as u64));
        bytes.resize(32, 0);
        for value in [
            texts,
            toolchain.len() as u64,
            texts + toolchain.len() as u64,
            modules.len() as u64,
        ] {
            bytes.extend(word(value));
        }
        bytes.resize(64, 0);
        bytes.extend(toolchain.as_bytes());
        bytes.extend(modules);
        bytes
    }

    fn summary(out: &Extracted) -> Vec<String> {
        let packages = out
            .packages
            .iter()
            .map(|package| format!("{} {}", package.name, package.version));
        packages
            .chain(out.problems.iter().map(ToString::to_string))
            .collect()
    }

    fn section_name(layout: Layout) -> &'static str {
        match layout {
            Layout::Elf { .. } => ".go.buildinfo",
            Layout::Pe { .. } => ".data",
            Layout::MachO { .. } => "__go_buildinfo",
        }
    }

    const EXPECTED: [&str; 5] = [
        "stdlib 1.21.5",
        "example.org/app v1.4.2",
        "example.org/one v1.2.3",
        "example.org/fork v2.0.1",
        "example.org/three v0.1.0",
    ];

    #[test]
    fn both_forms_in_every_layout() {
        for layout in Layout::ALL {
            for data in [
                inline("go1.21.5", &framed(MODULES)),
                pointers(layout, 0x2000, "go1.21.5", &framed(MODULES)),
            ] {
                let image = Builder::new(layout)
                    .section(".text", 0x1000, b"code", true)
                    .section(section_name(layout), 0x2000, &data, false)
                    .build();
                assert_eq!(summary(&extract(&image)), EXPECTED, "{layout:?}");
            }
        }
    }

    #[test]
    fn without_section_headers_the_segments_are_searched() {
        let data = [vec![0; 4096], inline("go1.21.5", &framed(MODULES))].concat();
        let mut image = Builder::new(Layout::ALL[0])
            .section(".go.buildinfo", 0x2000, &data, false)
            .build();
        // e_shoff, e_shnum and e_shstrndx
        image[0x28..0x30].fill(0);
        image[0x3c..0x40].fill(0);
        assert_eq!(summary(&extract(&image)), EXPECTED);
    }

    #[test]
    fn facts_tell_replacements_and_revision() {
        let image = Builder::new(Layout::ALL[0])
            .section(
                ".go.buildinfo",
                0x2000,
                &inline("go1.22.1 X:boringcrypto", &framed(MODULES)),
                false,
            )
            .build();
        let out = extract(&image);
        let find = |name: &str| out.packages.iter().find(|package| package.name == name).unwrap();
        assert_eq!(find("stdlib").fact("experiments"), Some("boringcrypto"));
        assert_eq!(find("stdlib").version, "1.22.1");
        assert_eq!(
            find("example.org/fork").fact("replaces"),
            Some("example.org/two@v2.0.0")
        );
        assert_eq!(find("example.org/three").fact("replaced-by"), Some("./three"));
        assert_eq!(find("example.org/app").fact("vcs-revision"), Some("0123abcd"));
        assert_eq!(find("example.org/app").relation, Some(Relation::Root));
        assert_eq!(find("example.org/one").path, ["example.org/app@v1.4.2"]);
    }

    #[test]
    fn what_cannot_be_listed_is_said() {
        let elf = |name: &str, bytes: &[u8]| {
            Builder::new(Layout::ALL[0])
                .section(name, 0x2000, bytes, false)
                .build()
        };
        let mut packed = elf(".data", b"UPX!");
        packed[0x28..0x30].fill(0);
        packed[0x3c..0x40].fill(0);
        for (image, part) in [
            (packed, "packed with UPX"),
            (elf(".gopclntab", b"x"), "has no build information"),
            (
                elf(".go.buildinfo", &inline("go1.20", b"")),
                "built without modules",
            ),
            (
                elf(
                    ".go.buildinfo",
                    &[&inline("go1.20", b"")[..39], &[0xff; 10]].concat(),
                ),
                "damaged",
            ),
        ] {
            let problems = extract(&image).problems;
            assert!(
                problems.iter().any(|problem| problem.message.contains(part)),
                "{part}: {problems:?}"
            );
        }
        assert!(extract(&elf(".data", b"no Go")).is_empty());
    }

    #[test]
    fn tools_of_the_distribution_are_the_toolchain() {
        let image = Builder::new(Layout::ALL[0])
            .section(
                ".go.buildinfo",
                0x2000,
                &inline("go1.22.1", &framed("path\tcmd/go\nbuild\tGOOS=linux\n")),
                false,
            )
            .build();
        assert_eq!(summary(&extract(&image)), ["stdlib 1.22.1", "toolchain 1.22.1"]);
    }

    #[test]
    fn toolchain_versions() {
        for (text, version) in [
            ("go1.21.5", "1.21.5"),
            ("go1.20", "1.20"),
            ("go1.22rc1", "1.22.0-rc.1"),
            ("go1.9.2rc2", "1.9.2-rc.2"),
            ("go1.18beta2", "1.18.0-beta.2"),
            ("go1.22.9 (Red Hat 1.22.9-1.el9)", "1.22.9"),
            (
                "devel go1.23-f2d0b9c Tue Apr 2 10:00:00 2024 +0000",
                "1.23-f2d0b9c",
            ),
            ("devel +abc", ""),
        ] {
            assert_eq!(Toolchain::parse(text).version, version, "{text}");
        }
    }

    #[test]
    fn versions_given_to_the_linker() {
        for (flags, version) in [
            ("-X main.version=1.2.3", Some("v1.2.3")),
            (
                "-s -w -X \"example.org/app/internal/version.gitTag=v1.2.0\" -X 'example.org/app/version.Version=v1.2.3-rc.1'",
                Some("v1.2.3-rc.1"),
            ),
            (
                "-X k8s.io/component-base/version.gitVersion=v1.29.0 -X k8s.io/component-base/version.gitMajor=1",
                Some("v1.29.0"),
            ),
            ("-X main.goVersion=go1.21.0 -X main.commit=0123.4", None),
            ("-X main.version=dev", None),
            ("", None),
        ] {
            assert_eq!(linked_version(flags).as_deref(), version, "{flags}");
        }
    }

    proptest! {
        #[test]
        fn damaged_information_never_panics(
            layout in 0..Layout::ALL.len(),
            old in any::<bool>(),
            changes in proptest::collection::vec((0..400_usize, any::<u8>()), 1..8),
        ) {
            let layout = Layout::ALL[layout];
            let mut data = if old {
                pointers(layout, 0x2000, "go1.17", &framed(MODULES))
            } else {
                inline("go1.21.5", &framed(MODULES))
            };
            for (at, byte) in changes {
                if let Some(place) = data.get_mut(at) {
                    *place = byte;
                }
            }
            let _ = extract(&Builder::new(layout).section(section_name(layout), 0x2000, &data, false).build());
        }
    }
}
