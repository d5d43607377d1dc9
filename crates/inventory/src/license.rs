//! Licence texts of package managers as SPDX expressions.

/// SPDX expressions for a package manager's licence field. What the SPDX list does not know becomes `LicenseRef-…`, so that
/// nothing is lost and the result is always a valid expression. Empty input gives nothing.
#[must_use]
pub fn expressions(text: &str) -> Vec<String> {
    let text = text.trim();
    if text.is_empty() {
        return Vec::new();
    }
    if let Some(canonical) = canonical(text) {
        return vec![canonical];
    }
    vec![reference(text)]
}

/// The canonical form of a valid or nearly valid SPDX expression.
fn canonical(text: &str) -> Option<String> {
    let mode = spdx::ParseMode {
        allow_slash_as_or_operator: true,
        allow_imprecise_license_names: true,
        ..spdx::ParseMode::LAX
    };
    let corrected = spdx::Expression::canonicalize(text).ok().flatten();
    let text = corrected.as_deref().unwrap_or(text);
    spdx::Expression::parse_mode(text, mode)
        .ok()
        .map(|expression| expression.to_string())
}

/// `LicenseRef-` and the text with all other characters than letters, digits, `.` and `-` as `-`.
fn reference(text: &str) -> String {
    let mut name = String::from("LicenseRef-");
    for character in text.chars().take(100) {
        let keep = character.is_ascii_alphanumeric() || character == '.' || character == '-';
        if keep {
            name.push(character);
        } else if !name.ends_with('-') {
            name.push('-');
        }
    }
    name.trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::expressions;

    #[test]
    fn normalises() {
        for (text, expected) in [
            ("", &[] as &[&str]),
            ("MIT", &["MIT"]),
            ("Apache 2.0", &["Apache-2.0"]),
            ("MIT/Apache-2.0", &["MIT OR Apache-2.0"]),
            ("GPL-2.0-only AND MIT", &["GPL-2.0-only AND MIT"]),
            ("See LICENSE <file>", &["LicenseRef-See-LICENSE-file"]),
        ] {
            assert_eq!(expressions(text), expected, "{text}");
        }
    }
}
