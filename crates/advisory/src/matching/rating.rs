//! How severe a flaw is, and who says so.

use crate::cvss;
use model::{Rating, Severity};

/// The rating that counts.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Chosen {
    /// Severity.
    pub severity: Severity,
    /// `ALSA-2023:0946, its word important`, `GHSA-…, cvss-v3`; empty if nobody rated.
    pub source: String,
    /// The best CVSS vector there is, and its score.
    pub cvss: Option<(String, f64)>,
}

/// Chooses among ratings, each with the id of its record, in order of trust: a vendor's own word first, then CVSS v4, v3
/// and v2.
pub(super) fn choose(ratings: &[(String, Rating)]) -> Chosen {
    let mut best: Option<(&str, &Rating, f64)> = None;
    for (record, rating) in ratings {
        let better = best.is_none_or(|(_, have, _)| cvss::preference(rating) < cvss::preference(have));
        if better && let Some(score) = cvss::score(rating) {
            best = Some((record, rating, score));
        }
    }
    let word = ratings.iter().find_map(|(record, rating)| {
        matches!(rating.kind.as_str(), "word" | "ubuntu")
            .then(|| Severity::from_word(&rating.value))
            .flatten()
            .filter(|severity| *severity != Severity::Unknown)
            .map(|severity| (severity, format!("{record}, its word {}", rating.value)))
    });
    let (severity, source) = word.unwrap_or_else(|| match best {
        Some((record, rating, score)) => (Severity::from_score(score), format!("{record}, {}", rating.kind)),
        None => (Severity::Unknown, String::new()),
    });
    Chosen {
        severity,
        source,
        cvss: best.map(|(_, rating, score)| (rating.value.clone(), score)),
    }
}

#[cfg(test)]
mod tests {
    use super::choose;
    use model::{Rating, Severity};

    fn rating(kind: &str, value: &str) -> (String, Rating) {
        let rating = Rating {
            kind: kind.to_owned(),
            value: value.to_owned(),
            source: String::new(),
        };
        ("X-1".to_owned(), rating)
    }

    #[test]
    fn words_win_over_newer_and_older_vectors() {
        let v3 = rating("cvss-v3", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H");
        let v4 = rating(
            "cvss-v4",
            "CVSS:4.0/AV:L/AC:H/AT:P/PR:H/UI:A/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N",
        );
        let word = rating("word", "MODERATE");
        let chosen = choose(&[v3.clone(), word.clone()]);
        assert_eq!(chosen.severity, Severity::Medium);
        assert_eq!(chosen.source, "X-1, its word MODERATE");
        assert_eq!(chosen.cvss.unwrap().1, 9.8);
        let chosen = choose(&[v3.clone(), v4.clone()]);
        assert_eq!(chosen.severity, Severity::Low);
        assert_eq!(chosen.source, "X-1, cvss-v4");
        // A word that says nothing does not hide a vector.
        assert_eq!(
            choose(&[rating("word", "untriaged"), v3]).severity,
            Severity::Critical
        );
        assert_eq!(choose(&[]).severity, Severity::Unknown);
        // A broken vector does not hide a good one.
        assert_eq!(
            choose(&[
                rating("cvss-v4", "CVSS:4.0/AV:X"),
                rating("cvss-v2", "AV:N/AC:L/Au:N/C:N/I:N/A:C")
            ])
            .source,
            "X-1, cvss-v2"
        );
    }
}
