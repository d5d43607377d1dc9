//! EPSS scores: how likely a flaw is to be exploited within 30 days.

use super::{Feed, Item, Sink, file_name, shown};
use model::{Meta, Problem};

/// The member.
pub(super) static EPSS_FEED: EpssFeed = EpssFeed;

pub(super) struct EpssFeed;

static META: Meta = Meta {
    name: "epss-feed",
    title: "EPSS scores, the probability that a flaw is exploited within 30 days",
    finds: &[
        "epss_scores-current.csv",
        "epss_scores-*.csv",
        "the same with .gz",
    ],
    needs: &[],
    references: &["https://www.first.org/epss/data_stats"],
};

impl Feed for EpssFeed {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn wants(&self, path: &str) -> bool {
        let name = file_name(path);
        name.starts_with("epss_scores-") && name.ends_with(".csv")
    }

    fn read(&self, path: &str, bytes: &[u8], sink: &mut dyn Sink) {
        let mut columns: Option<[usize; 3]> = None;
        for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            // The first line names the model and its date: `#model_version:v2025.03.14,score_date:…`.
            if line.is_empty() || line.starts_with(b"#") {
                continue;
            }
            let text = String::from_utf8_lossy(line);
            let Some([cve, probability, percentile]) = columns else {
                let find = |name: &str| text.split(',').position(|column| column.trim() == name);
                match (find("cve"), find("epss"), find("percentile")) {
                    (Some(cve), Some(epss), Some(percentile)) => {
                        columns = Some([cve, epss, percentile]);
                        continue;
                    }
                    _ => {
                        return sink.problem(Problem::file(
                            path,
                            "the columns `cve,epss,percentile` are not in the first line",
                        ));
                    }
                }
            };
            let field = |column: usize| text.split(',').nth(column).unwrap_or_default().trim();
            let number = |column: usize| {
                field(column)
                    .parse::<f64>()
                    .ok()
                    .filter(|value| (0.0..=1.0).contains(value))
            };
            match (field(cve), number(probability), number(percentile)) {
                (cve, Some(probability), Some(percentile)) if cve.starts_with("CVE-") => {
                    sink.item(Item::Score(cve.to_owned(), probability, percentile));
                }
                _ => sink.problem(Problem::file(
                    path,
                    format!(
                        "line {}: `{}` is not a CVE with two numbers from 0 to 1",
                        index + 1,
                        shown(&text)
                    ),
                )),
            }
        }
    }
}
