//! WordPress itself, its plugins and themes.

use crate::{Extracted, Extractor, File, Kind, assignments, license, reading};
use model::{Entry, EntryKind, Location, Meta, Package, Purl};

/// The member.
pub(super) static WORDPRESS_PLUGIN: WordpressPlugin = WordpressPlugin;

pub(super) struct WordpressPlugin;

static META: Meta = Meta {
    name: "wordpress-plugin",
    title: "WordPress with its plugins and themes",
    finds: &[
        "wp-content/plugins/<slug>/*.php, wp-content/plugins/*.php and wp-content/mu-plugins/*.php with a plugin header",
        "wp-content/themes/<slug>/style.css with a theme header",
        "wp-includes/version.php",
    ],
    needs: &[],
    references: &[
        "https://developer.wordpress.org/plugins/plugin-basics/header-requirements/",
        "https://developer.wordpress.org/themes/classic-themes/basics/main-stylesheet-style-css/",
    ],
};

/// WordPress itself reads headers from the first 8 KiB.
const HEADER: u64 = 8 << 10;

/// What a file is.
enum Part<'a> {
    Core,
    /// A plugin's slug.
    Plugin(&'a str),
    /// A theme's slug.
    Theme(&'a str),
}

fn part(file: &str) -> Option<Part<'_>> {
    if file.ends_with("/wp-includes/version.php") || file == "wp-includes/version.php" {
        return Some(Part::Core);
    }
    let (_, rest) = file.split_once("wp-content/")?;
    let mut parts = rest.split('/');
    match (parts.next()?, parts.next()?, parts.next(), parts.next()) {
        ("plugins" | "mu-plugins", name, None, None) => name.strip_suffix(".php").map(Part::Plugin),
        ("plugins" | "mu-plugins", slug, Some(name), None) if name.ends_with(".php") => {
            Some(Part::Plugin(slug))
        }
        ("themes", slug, Some("style.css"), None) => Some(Part::Theme(slug)),
        _ => None,
    }
}

impl Extractor for WordpressPlugin {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn kind(&self) -> Kind {
        Kind::Installed
    }

    fn wants(&self, entry: &Entry<'_>) -> bool {
        entry.kind == EntryKind::File && part(entry.path).is_some()
    }

    fn extract(&self, file: &mut File<'_>, out: &mut Extracted) {
        let location = file.entry.path;
        let Some(part) = part(location) else {
            return;
        };
        let Some(text) = reading::beginning(file.content, location, HEADER, "the WordPress file", out) else {
            return;
        };
        let (namespace, slug, title) = match part {
            Part::Core => return core(&text, location, out),
            Part::Plugin(slug) => ("wordpress-plugin", slug, header(&text, "Plugin Name")),
            Part::Theme(slug) => ("wordpress-theme", slug, header(&text, "Theme Name")),
        };
        // Most PHP files of a plugin have no header.
        if title.is_empty() {
            return;
        }
        let version = header(&text, "Version");
        if version.is_empty() {
            out.problem(location, format!("the header of `{title}` has no version"));
        }
        let purl = Purl::new("generic", namespace, slug, version);
        let mut package = Package::new(META.name, purl, "", slug, version);
        package.licenses = license::named_or_linked(header(&text, "License"), header(&text, "License URI"));
        package.locations.push(Location::file(location));
        package.add_fact("title", title);
        package.add_fact("kind", namespace);
        package.add_fact("author", header(&text, "Author"));
        out.packages.push(package);
    }
}

fn core(text: &str, location: &str, out: &mut Extracted) {
    let version = assignments::value_of(text, |left| left == "$wp_version")
        .and_then(|value| assignments::texts(value, '#').into_iter().next());
    let Some(version) = version else {
        return out.problem(
            location,
            "the version of WordPress is missing or is no plain text",
        );
    };
    let mut package = Package::new(
        META.name,
        Purl::new("generic", "", "wordpress", &version),
        "",
        "wordpress",
        version,
    );
    package.locations.push(Location::file(location));
    out.packages.push(package);
}

/// A field of the header comment: ` * Plugin Name: Akismet`.
fn header<'a>(text: &'a str, name: &str) -> &'a str {
    text.lines()
        .find_map(|line| {
            let line = line.trim_start().trim_start_matches("<?php");
            let line = line.trim_start_matches([' ', '\t', '/', '*', '#', '@']);
            let start = line.get(..name.len())?;
            let value = line.get(name.len()..)?.strip_prefix(':')?;
            start.eq_ignore_ascii_case(name).then_some(value)
        })
        .map(|value| value.trim().trim_end_matches("*/").trim_end_matches("?>").trim())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::header;

    #[test]
    fn reads_headers() {
        for (text, expected) in [
            ("<?php\n/*\n * Plugin Name: A b\n */", "A b"),
            ("<?php /* Plugin name: A */", "A"),
            ("# plugin name:X", "X"),
            ("Plugin Names: A", ""),
            ("é\nx", ""),
        ] {
            assert_eq!(header(text, "Plugin Name"), expected, "{text}");
        }
    }
}
