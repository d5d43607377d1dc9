//! What the records say of a flaw in sentences, for reports that show it.

use crate::records::Details;
use crate::{Database, DatabaseError};
use model::Finding;
use std::collections::HashMap;

/// Longest description, in bytes; `explain` has the whole text. Records of some feeds have pages of examples.
const LONGEST: usize = 4_000;

impl Database {
    /// Fills in the descriptions of findings that have none: the text of the record that decided, else of another record of
    /// the flaw. Withdrawn records are not asked.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn describe(&self, findings: &mut [Finding]) -> Result<(), DatabaseError> {
        let mut known: HashMap<String, String> = HashMap::new();
        for finding in findings
            .iter_mut()
            .filter(|finding| finding.description.is_empty())
        {
            let record = finding.evidence("record").unwrap_or(&finding.rule).to_owned();
            if let Some(text) = known.get(&record) {
                finding.description.clone_from(text);
                continue;
            }
            let names = [&record, &finding.rule].into_iter().chain(&finding.aliases);
            let mut text = String::new();
            for name in names {
                text = self.text_of(name)?;
                if !text.is_empty() {
                    break;
                }
            }
            finding.description.clone_from(&text);
            known.insert(record, text);
        }
        Ok(())
    }

    /// Text of the record of this id, else of the first one that names it and has any.
    fn text_of(&self, name: &str) -> Result<String, DatabaseError> {
        let mut other = String::new();
        for number in self.numbers(name)? {
            let Some(header) = self.header(number)?.filter(|header| header.withdrawn.is_empty()) else {
                continue;
            };
            let own = header.id.eq_ignore_ascii_case(name);
            if !own && !other.is_empty() {
                continue;
            }
            let text = self
                .details(number)?
                .map(|Details { details, .. }| limited(&details));
            match text.filter(|text| !text.is_empty()) {
                Some(text) if own => return Ok(text),
                Some(text) => other = text,
                None => {}
            }
        }
        Ok(other)
    }
}

fn limited(text: &str) -> String {
    let text = text.trim();
    if text.len() <= LONGEST {
        return text.to_owned();
    }
    format!("{} …", text[..text.floor_char_boundary(LONGEST)].trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_end_at_a_character() {
        assert_eq!(limited(" a \n"), "a");
        let long = limited(&"é".repeat(LONGEST));
        assert_eq!(long.len(), LONGEST + " …".len());
    }
}
