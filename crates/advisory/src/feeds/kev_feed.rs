//! CISA's catalogue of known exploited vulnerabilities.

use super::{Feed, Item, Sink, file_name, shown};
use model::{KnownExploited, Meta, Problem};
use serde::Deserialize;

/// The member.
pub(super) static KEV_FEED: KevFeed = KevFeed;

pub(super) struct KevFeed;

static META: Meta = Meta {
    name: "kev-feed",
    title: "CISA's catalogue of vulnerabilities that are known to be exploited",
    finds: &["known_exploited_vulnerabilities.json"],
    needs: &[],
    references: &["https://www.cisa.gov/known-exploited-vulnerabilities-catalog"],
};

#[derive(Deserialize)]
struct Catalogue {
    vulnerabilities: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    #[serde(rename = "cveID")]
    cve: String,
    date_added: String,
    #[serde(default)]
    due_date: String,
    #[serde(default)]
    known_ransomware_campaign_use: String,
}

impl Feed for KevFeed {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn wants(&self, path: &str) -> bool {
        file_name(path) == "known_exploited_vulnerabilities.json"
    }

    fn read(&self, path: &str, bytes: &[u8], sink: &mut dyn Sink) {
        let catalogue: Catalogue = match serde_json::from_slice(bytes) {
            Ok(catalogue) => catalogue,
            Err(error) => {
                return sink.problem(Problem::file(
                    path,
                    format!("the catalogue is no JSON of the expected form: {error}"),
                ));
            }
        };
        for (index, entry) in catalogue.vulnerabilities.into_iter().enumerate() {
            match serde_json::from_value::<Entry>(entry) {
                Ok(entry) if entry.cve.starts_with("CVE-") => sink.item(Item::KnownExploited(
                    entry.cve,
                    KnownExploited {
                        added: entry.date_added,
                        due: entry.due_date,
                        ransomware: entry.known_ransomware_campaign_use.eq_ignore_ascii_case("known"),
                    },
                )),
                Ok(entry) => sink.problem(Problem::file(
                    path,
                    format!("entry {}: `{}` is no CVE", index + 1, shown(&entry.cve)),
                )),
                Err(error) => sink.problem(Problem::file(
                    path,
                    format!("entry {} is not of the expected form: {error}", index + 1),
                )),
            }
        }
    }
}
