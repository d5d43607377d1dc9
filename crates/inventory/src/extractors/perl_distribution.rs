//! Installed Perl distributions, as CPAN clients record them.

use crate::{Extracted, Extractor, File, Found, Kind, license, reading};
use model::{Entry, EntryKind, Location, Meta, Package, Purl, path};
use std::collections::{BTreeMap, BTreeSet};

/// The member.
pub(super) static PERL_DISTRIBUTION: PerlDistribution = PerlDistribution;

pub(super) struct PerlDistribution;

static META: Meta = Meta {
    name: "perl-distribution",
    title: "Perl distributions that a CPAN client installed",
    finds: &[
        ".meta/*/install.json and .meta/*/MYMETA.json, under any prefix",
        "perllocal.pod, for what is not recorded there",
    ],
    needs: &[],
    references: &[
        "https://metacpan.org/pod/CPAN::Meta::Spec",
        "https://metacpan.org/pod/perllocal",
        "https://github.com/package-url/purl-spec/blob/main/types/cpan-definition.json",
    ],
};

/// Largest record that is read, in bytes.
const LIMIT: u64 = 16 << 20;

impl Extractor for PerlDistribution {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn kind(&self) -> Kind {
        Kind::Installed
    }

    fn wants(&self, entry: &Entry<'_>) -> bool {
        let (folder, name) = path::split(entry.path);
        entry.kind == EntryKind::File
            && match name {
                "install.json" | "MYMETA.json" => path::file_name(path::parent(folder)) == ".meta",
                "perllocal.pod" => true,
                _ => false,
            }
    }

    fn extract(&self, file: &mut File<'_>, out: &mut Extracted) {
        let location = file.entry.path;
        if location.ends_with(".pod") {
            if let Some(text) = reading::text(file.content, location, LIMIT, "perllocal.pod", out) {
                log(&text, location, out);
            }
            return;
        }
        let Some(json) = reading::json(file.content, location, LIMIT, "the CPAN client's record", out) else {
            return;
        };
        let is_installation = location.ends_with("install.json");
        let version = reading::field(&json, "version");
        // `dist` is `Try-Tiny-0.31`; the metadata's own name has no version.
        let name = if is_installation {
            let dist = reading::field(&json, "dist");
            dist.rsplit_once('-').map_or(dist, |(name, _)| name)
        } else {
            reading::field(&json, "name")
        };
        if let Some(what) = reading::missing(name, version) {
            return out.problem(location, format!("the CPAN client's record has no {what}"));
        }
        // `pathname` is `E/ET/ETHER/Try-Tiny-0.31.tar.gz`: the third part is the author.
        let author = reading::field(&json, "pathname")
            .split('/')
            .nth(2)
            .unwrap_or_default();
        let mut package = distribution(name, version, author);
        let licenses: Vec<&str> = reading::texts(json.get("license"))
            .into_iter()
            .map(spdx)
            .collect();
        package.licenses = license::any_of(&licenses);
        package.locations.push(Location::file(location));
        out.packages.push(package);
    }

    /// A distribution's two records become one package, and the log only adds what has none.
    fn combine(&self, found: &mut Vec<Found>) {
        let mut licenses: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut recorded: BTreeSet<String> = BTreeSet::new();
        let mut installed: BTreeSet<String> = BTreeSet::new();
        for file in found.iter() {
            let folder = path::parent(&file.path);
            for package in &file.extracted.packages {
                if file.path.ends_with(".pod") {
                    continue;
                }
                recorded.insert(package.name.clone());
                if file.path.ends_with("/MYMETA.json") {
                    licenses.insert(folder.to_owned(), package.licenses.clone());
                } else {
                    installed.insert(folder.to_owned());
                }
            }
        }
        for file in found.iter_mut() {
            let folder = path::parent(&file.path).to_owned();
            let packages = &mut file.extracted.packages;
            if file.path.ends_with(".pod") {
                packages.retain(|package| !recorded.contains(&package.name));
            } else if file.path.ends_with("/MYMETA.json") {
                packages.retain(|_| !installed.contains(&folder));
            } else if let Some(licenses) = licenses.get(&folder) {
                packages
                    .iter_mut()
                    .for_each(|package| package.licenses.clone_from(licenses));
            }
        }
        found.retain(|file| !file.extracted.is_empty());
    }
}

fn distribution(name: &str, version: &str, author: &str) -> Package {
    let purl = Purl::new("cpan", &author.to_ascii_uppercase(), name, version);
    Package::new(META.name, purl, "", name, version)
}

/// Reads perllocal.pod, to which every `make install` adds an entry; the last one of a module counts.
fn log(text: &str, location: &str, out: &mut Extracted) {
    let mut modules: BTreeMap<&str, (&str, u32)> = BTreeMap::new();
    let mut module = "";
    for (number, line) in (1_u32..).zip(text.lines()) {
        if line.starts_with("=head2") {
            module = line
                .split_once("L<")
                .and_then(|(_, rest)| rest.split(['|', '>']).next())
                .unwrap_or_default();
        } else if let Some((_, rest)) = line.split_once("C<VERSION:")
            && !module.is_empty()
        {
            let version = rest.split('>').next().unwrap_or_default().trim();
            modules.insert(module, (version, number));
        }
    }
    for (module, (version, line)) in modules {
        if version.is_empty() {
            out.problem(location, format!("perllocal.pod gives no version of `{module}`"));
            continue;
        }
        let mut package = distribution(&module.replace("::", "-"), version, "");
        package.locations.push(Location::line(location, line));
        out.packages.push(package);
    }
}

/// SPDX expressions of the licence names of CPAN's metadata.
fn spdx(name: &str) -> &str {
    match name {
        "perl_5" => "Artistic-1.0-Perl OR GPL-1.0-or-later",
        "apache_1_1" => "Apache-1.1",
        "apache_2_0" => "Apache-2.0",
        "artistic_1" => "Artistic-1.0",
        "artistic_2" => "Artistic-2.0",
        "agpl_3" => "AGPL-3.0-only",
        "bsd" => "BSD-3-Clause",
        "freebsd" => "BSD-2-Clause",
        "gpl_1" => "GPL-1.0-only",
        "gpl_2" => "GPL-2.0-only",
        "gpl_3" => "GPL-3.0-only",
        "lgpl_2_1" => "LGPL-2.1-only",
        "lgpl_3_0" => "LGPL-3.0-only",
        "mit" => "MIT",
        "mozilla_1_1" => "MPL-1.1",
        "mozilla_2_0" => "MPL-2.0",
        "openssl" => "OpenSSL",
        "zlib" => "Zlib",
        "unknown" => "",
        other => other,
    }
}
