//! Scores of CVSS vectors.

use model::Rating;

/// Base score (0.0 to 10.0) of a rating that is a CVSS vector or a plain number; `None` for vendors' words and for what is
/// no valid vector.
pub(crate) fn score(rating: &Rating) -> Option<f64> {
    if !rating.kind.starts_with("cvss-") {
        return None;
    }
    let text = rating.value.trim();
    if let Ok(number) = text.parse::<f64>() {
        return (0.0..=10.0).contains(&number).then_some(number);
    }
    // Version 2 vectors are also written in parentheses.
    let text = text
        .trim_start_matches('(')
        .trim_end_matches(')')
        .trim_end_matches('/');
    // The parser takes vectors with base metrics missing; such a one has no score.
    let required: &[&str] = match rating.kind.as_str() {
        "cvss-v4" => &["AV", "AC", "AT", "PR", "UI", "VC", "VI", "VA", "SC", "SI", "SA"],
        "cvss-v3" => &["AV", "AC", "PR", "UI", "S", "C", "I", "A"],
        _ => &["AV", "AC", "Au", "C", "I", "A"],
    };
    let has = |metric: &&str| {
        text.split('/')
            .any(|part| part.split_once(':').is_some_and(|(name, _)| name == *metric))
    };
    if !required.iter().all(has) {
        return None;
    }
    text.parse::<cvss::Cvss>().ok().map(|vector| vector.score())
}

/// Order in which versions of CVSS are preferred: v4, v3, v2.
pub(crate) fn preference(rating: &Rating) -> u8 {
    match rating.kind.as_str() {
        "cvss-v4" => 0,
        "cvss-v3" => 1,
        "cvss-v2" => 2,
        _ => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::score;
    use model::Rating;

    #[test]
    fn published_scores_come_out() {
        // Vectors with the score that FIRST's examples or NVD publish for them.
        for (kind, vector, expected) in [
            (
                "cvss-v3",
                "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H",
                Some(10.0),
            ), // CVE-2021-44228
            (
                "cvss-v3",
                "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N",
                Some(7.5),
            ), // CVE-2014-0160
            (
                "cvss-v3",
                "CVSS:3.0/AV:N/AC:L/PR:L/UI:N/S:C/C:L/I:L/A:N",
                Some(6.4),
            ), // CVE-2013-0375
            (
                "cvss-v3",
                "CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:N/A:N",
                Some(3.1),
            ), // CVE-2014-3566
            ("cvss-v2", "AV:N/AC:L/Au:N/C:N/I:N/A:C", Some(7.8)), // CVE-2002-0392
            ("cvss-v2", "(AV:N/AC:L/Au:N/C:C/I:C/A:C)", Some(10.0)), // CVE-2003-0818
            ("cvss-v2", "AV:L/AC:H/Au:N/C:C/I:C/A:C", Some(6.2)), // CVE-2003-0062
            (
                "cvss-v4",
                "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N",
                Some(9.3),
            ),
            (
                "cvss-v4",
                "CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N",
                Some(9.2),
            ),
            ("cvss-v3", "9.8", Some(9.8)),
            ("cvss-v3", "11", None),
            ("cvss-v3", "CVSS:3.1/AV:N", None),
            ("word", "7.5", None),
            ("cvss-v4", "nonsense", None),
        ] {
            let rating = Rating {
                kind: kind.to_owned(),
                value: vector.to_owned(),
                source: String::new(),
            };
            assert_eq!(score(&rating), expected, "{vector}");
        }
    }
}
