//! Java runtimes and development kits, by the release file at their root.

use crate::{Extracted, Extractor, File, Kind, reading};
use model::{Entry, EntryKind, Location, Meta, Package, Purl};

/// The member.
pub(super) static JVM_RELEASE: JvmRelease = JvmRelease;

pub(super) struct JvmRelease;

static META: Meta = Meta {
    name: "jvm-release",
    title: "Java runtimes and development kits, by vendor",
    finds: &["release with a line JAVA_VERSION, anywhere"],
    needs: &[],
    references: &["https://openjdk.org/jeps/223", "https://openjdk.org/jeps/322"],
};

/// Largest release file that is read, in bytes; real ones have a few hundred.
const LIMIT: u64 = 64 << 10;

impl Extractor for JvmRelease {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn kind(&self) -> Kind {
        Kind::Installed
    }

    fn wants(&self, entry: &Entry<'_>) -> bool {
        // A larger file of this common name is something else.
        entry.kind == EntryKind::File && entry.file_name() == "release" && entry.size <= LIMIT
    }

    fn extract(&self, file: &mut File<'_>, out: &mut Extracted) {
        let location = file.entry.path;
        let Some(text) = reading::text(file.content, location, LIMIT, "the release file", out) else {
            return;
        };
        let field = |key: &str| {
            text.lines()
                .find_map(|line| line.strip_prefix(key)?.trim_start().strip_prefix('='))
                .map(|value| value.trim().trim_matches('"'))
                .unwrap_or_default()
        };
        let java = field("JAVA_VERSION");
        if java.is_empty() {
            return;
        }
        // `17.0.5+8`, with the build, since Java 9; older kits only say `1.8.0_345`.
        let version = [field("JAVA_RUNTIME_VERSION"), field("SEMANTIC_VERSION")]
            .into_iter()
            .find(|version| version.starts_with(java))
            .unwrap_or(java);
        let vendor = field("IMPLEMENTOR");
        let name = if field("GRAALVM_VERSION").is_empty() {
            name(vendor)
        } else {
            "graalvm"
        };
        let mut package = Package::new(
            META.name,
            Purl::new("generic", "", name, version),
            "",
            name,
            version,
        );
        package.locations.push(Location::file(location));
        package.add_fact("vendor", vendor);
        package.add_fact("java-version", java);
        package.add_fact("image-type", field("IMAGE_TYPE"));
        package.add_fact("graalvm-version", field("GRAALVM_VERSION"));
        out.packages.push(package);
    }
}

/// What a vendor calls its builds of OpenJDK.
fn name(vendor: &str) -> &'static str {
    const VENDORS: [(&str, &str); 13] = [
        ("AdoptOpenJDK", "adoptopenjdk"),
        ("Alibaba", "dragonwell"),
        ("Amazon", "corretto"),
        ("Azul", "zulu"),
        ("BellSoft", "liberica"),
        ("Eclipse Adoptium", "temurin"),
        ("Eclipse Foundation", "temurin"),
        ("GraalVM", "graalvm"),
        ("IBM", "semeru"),
        ("JetBrains", "jetbrains-runtime"),
        ("Microsoft", "microsoft-openjdk"),
        ("SAP", "sapmachine"),
        ("Tencent", "kona"),
    ];
    VENDORS
        .iter()
        .find(|(start, _)| vendor.starts_with(start))
        .map_or("openjdk", |(_, name)| name)
}
