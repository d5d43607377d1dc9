//! Installed Ruby gems: the gemspec that RubyGems writes for each of them.

use crate::{Extracted, Extractor, File, Kind, assignments, license, reading};
use model::{Entry, EntryKind, Location, Meta, Package, Purl};

/// The member.
pub(super) static RUBY_GEMSPEC: RubyGemspec = RubyGemspec;

pub(super) struct RubyGemspec;

static META: Meta = Meta {
    name: "ruby-gemspec",
    title: "Installed Ruby gems, also the default gems of Ruby itself",
    finds: &["specifications/*.gemspec and specifications/default/*.gemspec, under any prefix"],
    needs: &[],
    references: &["https://guides.rubygems.org/specification-reference/"],
};

/// Largest gemspec that is read, in bytes.
const LIMIT: u64 = 4 << 20;

impl Extractor for RubyGemspec {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn kind(&self) -> Kind {
        Kind::Installed
    }

    fn wants(&self, entry: &Entry<'_>) -> bool {
        entry.kind == EntryKind::File
            && entry.path.ends_with(".gemspec")
            && (entry.path.starts_with("specifications/") || entry.path.contains("/specifications/"))
    }

    fn extract(&self, file: &mut File<'_>, out: &mut Extracted) {
        let location = file.entry.path;
        let Some(text) = reading::text(file.content, location, LIMIT, "the gemspec", out) else {
            return;
        };
        let spec = Spec::parse(&text);
        if let Some(what) = reading::missing(&spec.name, &spec.version) {
            return out.problem(
                location,
                format!("the gemspec's {what} is missing or is no plain text"),
            );
        }
        let platform = if spec.platform == "ruby" {
            ""
        } else {
            spec.platform.as_str()
        };
        let purl = Purl::new("gem", "", &spec.name, &spec.version).with_qualifier("platform", platform);
        let mut package = Package::new(META.name, purl, "RubyGems", &*spec.name, &*spec.version);
        package.licenses = spec
            .licenses
            .iter()
            .flat_map(|text| license::expressions(text))
            .collect();
        package.locations.push(Location::file(location));
        package.add_fact("platform", platform);
        if location.contains("specifications/default/") {
            package.add_fact("default-gem", "true");
        }
        out.packages.push(package);
    }
}

#[derive(Debug, Default, PartialEq)]
struct Spec {
    name: String,
    version: String,
    platform: String,
    licenses: Vec<String>,
}

impl Spec {
    /// Reads the `# stub: name version platform …` line that RubyGems itself trusts, and the assignments. Nothing is
    /// evaluated: an interpolated text counts as unknown.
    fn parse(text: &str) -> Self {
        let mut spec = Self::default();
        let stub = text
            .lines()
            .take(10)
            .find_map(|line| line.strip_prefix("# stub: "));
        if let Some(mut words) = stub.map(str::split_whitespace) {
            spec.name = words.next().unwrap_or_default().to_owned();
            spec.version = words.next().unwrap_or_default().to_owned();
            spec.platform = words.next().unwrap_or_default().to_owned();
        }
        // Only what is assigned to the specification counts, not a local variable `name`.
        let value = |key: &str| {
            let dotted = format!(".{key}");
            assignments::value_of(text, |left| {
                left.ends_with(&dotted) && !left.contains(char::is_whitespace)
            })
            .map(|value| assignments::texts(value, '#'))
            .unwrap_or_default()
        };
        for (slot, key) in [
            (&mut spec.name, "name"),
            (&mut spec.version, "version"),
            (&mut spec.platform, "platform"),
        ] {
            if slot.is_empty() {
                *slot = value(key).into_iter().next().unwrap_or_default();
            }
        }
        spec.licenses = value("licenses");
        if spec.licenses.is_empty() {
            spec.licenses = value("license");
        }
        spec
    }
}

#[cfg(test)]
mod tests {
    use super::Spec;

    #[test]
    fn reads_assignments_without_a_stub() {
        let spec = Spec::parse(
            "Gem::Specification.new do |s|\n  s.name = %q{rake}\n  s.version = Gem::Version.new(\"0.8.7\")\n  \
             s.licenses = [\"MIT\".freeze,\n    'Ruby']\n  s.required_ruby_version = \">= 2\"\nend\n",
        );
        assert_eq!((spec.name.as_str(), spec.version.as_str()), ("rake", "0.8.7"));
        assert_eq!(spec.licenses, ["MIT", "Ruby"]);
    }

    #[test]
    fn evaluates_nothing() {
        let spec = Spec::parse("s.name = \"a-#{b}\"\ns.version = Thing::VERSION\n");
        assert_eq!(spec, Spec::default());
    }
}
