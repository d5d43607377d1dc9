//! Header fields: `Name: value` lines with continuations, as in Python's core metadata, R's DESCRIPTION and jar manifests.

/// How a line that begins with white space continues the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Continuation {
    /// As in mail headers: the lines stay lines.
    NewLine,
    /// As in jar manifests: one space is dropped and the rest is glued to the value.
    Glued,
}

/// The fields up to the first empty line, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Headers(Vec<(String, String)>);

/// More fields than any real file has; the rest is not kept.
const MAX_FIELDS: usize = 20_000;

impl Headers {
    /// Reads the fields up to the first empty line or the end. Lines that are neither a field nor a continuation are skipped.
    pub(crate) fn parse(text: &str, continuation: Continuation) -> Self {
        let mut fields: Vec<(String, String)> = Vec::new();
        for line in text.lines() {
            if line.is_empty() {
                break;
            }
            if line.starts_with([' ', '\t']) {
                if let Some((_, value)) = fields.last_mut() {
                    match continuation {
                        Continuation::NewLine => {
                            value.push('\n');
                            value.push_str(line.trim());
                        }
                        Continuation::Glued => value.push_str(&line[1..]),
                    }
                }
                continue;
            }
            if let Some((name, value)) = line.split_once(':') {
                if fields.len() == MAX_FIELDS {
                    break;
                }
                let value = match continuation {
                    Continuation::NewLine => value.trim(),
                    Continuation::Glued => value.strip_prefix(' ').unwrap_or(value),
                };
                fields.push((name.trim_end().to_owned(), value.to_owned()));
            }
        }
        Self(fields)
    }

    /// The first field of that name (case does not matter), trimmed; empty when there is none.
    pub(crate) fn get(&self, name: &str) -> &str {
        let field = self.0.iter().find(|(have, _)| have.eq_ignore_ascii_case(name));
        field.map_or("", |(_, value)| value.trim())
    }

    /// All fields of that name (case does not matter), trimmed.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter(move |(have, _)| have.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim())
    }

    /// True when there is no field at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_until_the_empty_line() {
        let headers = Headers::parse(
            "Name: a\r\nLicense: one\n  two\nClassifier: x\nclassifier: y\nrubbish\n\nVersion: 9\n",
            Continuation::NewLine,
        );
        assert_eq!(headers.get("name"), "a");
        assert_eq!(headers.get("License"), "one\ntwo");
        assert_eq!(headers.all("Classifier").collect::<Vec<_>>(), ["x", "y"]);
        assert_eq!(headers.get("Version"), "");
    }

    #[test]
    fn glues_manifest_lines() {
        let headers = Headers::parse("Bundle-Name: abc\n def\n  g\nX:y\n", Continuation::Glued);
        assert_eq!(headers.get("Bundle-Name"), "abcdef g");
        assert_eq!(headers.get("x"), "y");
        assert!(Headers::parse(" lost\n\n", Continuation::Glued).is_empty());
    }
}
