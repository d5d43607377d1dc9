//! Installed Erlang and Elixir applications: those of OTP, of releases and of Hex packages.

use crate::erlang::{self, Term};
use crate::{Extracted, Extractor, File, Kind, license, reading};
use model::{Entry, EntryKind, Location, Meta, Package, Purl, path};

/// The member.
pub(super) static ERLANG_APPLICATION: ErlangApplication = ErlangApplication;

pub(super) struct ErlangApplication;

static META: Meta = Meta {
    name: "erlang-application",
    title: "Erlang and Elixir applications, those of OTP told apart from Hex packages",
    finds: &["ebin/*.app, under any prefix"],
    needs: &[],
    references: &[
        "https://www.erlang.org/doc/apps/kernel/app.html",
        "https://github.com/package-url/purl-spec/blob/main/types/otp-definition.json",
    ],
};

/// Largest application file that is read, in bytes.
const LIMIT: u64 = 4 << 20;

/// The applications of Erlang/OTP and of Elixir itself, which no Hex package provides.
const OTP: [&str; 44] = [
    "asn1",
    "common_test",
    "compiler",
    "crypto",
    "debugger",
    "dialyzer",
    "diameter",
    "edoc",
    "eex",
    "eldap",
    "elixir",
    "erl_docgen",
    "erl_interface",
    "erts",
    "et",
    "eunit",
    "ex_unit",
    "ftp",
    "hipe",
    "iex",
    "inets",
    "jinterface",
    "kernel",
    "logger",
    "megaco",
    "mix",
    "mnesia",
    "observer",
    "odbc",
    "os_mon",
    "parsetools",
    "public_key",
    "reltool",
    "runtime_tools",
    "sasl",
    "snmp",
    "ssh",
    "ssl",
    "stdlib",
    "syntax_tools",
    "tftp",
    "tools",
    "wx",
    "xmerl",
];

impl Extractor for ErlangApplication {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn kind(&self) -> Kind {
        Kind::Installed
    }

    fn wants(&self, entry: &Entry<'_>) -> bool {
        let (folder, name) = path::split(entry.path);
        entry.kind == EntryKind::File && name.ends_with(".app") && path::file_name(folder) == "ebin"
    }

    fn extract(&self, file: &mut File<'_>, out: &mut Extracted) {
        let location = file.entry.path;
        let Some(text) = reading::text(file.content, location, LIMIT, "the application file", out) else {
            return;
        };
        let term = match erlang::parse(&text) {
            Ok(term) => term,
            Err(message) => {
                return out.problem(location, format!("the application file was not read: {message}"));
            }
        };
        let (name, settings) = match &term {
            Term::Tuple(parts) => match parts.as_slice() {
                [Term::Atom(kind), name, settings] if kind == "application" => {
                    (name.text().unwrap_or_default(), settings)
                }
                _ => return out.problem(location, "the application file describes no application"),
            },
            _ => return out.problem(location, "the application file describes no application"),
        };
        let version = settings.value("vsn").and_then(Term::text).unwrap_or_default();
        if let Some(what) = reading::missing(name, version) {
            return out.problem(location, format!("the application file has no {what}"));
        }
        let (kind, ecosystem) = if OTP.contains(&name) {
            ("otp", "")
        } else {
            ("hex", "Hex")
        };
        let mut package = Package::new(
            META.name,
            Purl::new(kind, "", name, version),
            ecosystem,
            name,
            version,
        );
        if let Some(Term::List(licenses)) = settings.value("licenses") {
            let licenses: Vec<&str> = licenses.iter().filter_map(Term::text).collect();
            package.licenses = license::any_of(&licenses);
        }
        package.locations.push(Location::file(location));
        out.packages.push(package);
    }
}
