//! Puts lists into conditions. Falco does it in the text, before the condition is read, so we do it there too.

use super::items::{List, quoted};
use crate::filter::LARGEST_CONDITION;
use crate::yaml::Traced;
use std::collections::{HashMap, HashSet};

/// The lists, each with the text that it stands for.
#[derive(Debug, Default)]
pub(crate) struct Lists {
    index: HashMap<String, usize>,
    /// The text of each list in the order in which lists were first defined; nothing when it would be too long.
    texts: Vec<Option<String>>,
    used: HashSet<String>,
}

/// What ends a name of a list.
fn is_delimiter(byte: u8) -> bool {
    is_blank(byte) || matches!(byte, b'(' | b')' | b',' | b'=')
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// The name of a list that stands for too much.
#[derive(Debug)]
pub(crate) struct TooLong {
    pub(crate) list: String,
    pub(crate) at: usize,
}

impl Lists {
    pub(crate) fn new(lists: &[List]) -> Self {
        let by_name: HashMap<&str, &List> = lists.iter().map(|list| (list.name.as_str(), list)).collect();
        let mut all = Self::default();
        for (number, list) in lists.iter().enumerate() {
            all.index.insert(list.name.clone(), number);
        }
        // An item that names an earlier list stands for its items, as they are written.
        let plain: Vec<Vec<String>> = lists
            .iter()
            .map(|list| {
                let mut items = Vec::with_capacity(list.items.len());
                for item in &list.items {
                    match by_name.get(item.as_str()) {
                        Some(named) if named.index < list.sees && named.name != list.name => {
                            all.used.insert(named.name.clone());
                            items.extend(named.items.iter().map(|item| quoted(item)));
                        }
                        _ => items.push(quoted(item)),
                    }
                }
                items
            })
            .collect();
        // Lists are put in one after the other, so what one brings in may name lists that come after it, but not others.
        all.texts = vec![None; lists.len()];
        for (number, items) in plain.iter().enumerate().rev() {
            let text = items.join(", ");
            all.texts[number] = if text.len() > LARGEST_CONDITION {
                None
            } else {
                let mut used = HashSet::new();
                let text = all
                    .put(&Traced::from_text(text), number + 1, &mut used)
                    .ok()
                    .map(|traced| traced.text);
                all.used.extend(used);
                text
            };
        }
        all
    }

    /// The text with lists put in.
    pub(crate) fn substitute(&mut self, condition: &Traced) -> Result<Traced, TooLong> {
        let mut used = HashSet::new();
        let text = self.put(condition, 0, &mut used);
        self.used.extend(used);
        text
    }

    /// Whether a list was put in anywhere.
    pub(crate) fn is_used(&self, name: &str) -> bool {
        self.used.contains(name)
    }

    fn put(&self, condition: &Traced, first: usize, used: &mut HashSet<String>) -> Result<Traced, TooLong> {
        let bytes = condition.text.as_bytes();
        let mut out = Traced::default();
        let mut at = 0;
        while at < bytes.len() {
            let start = at;
            while bytes.get(at).is_some_and(|byte| is_delimiter(*byte)) {
                at += 1;
            }
            out.push_range(condition, start, at);
            let word_start = at;
            while bytes.get(at).is_some_and(|byte| !is_delimiter(*byte)) {
                at += 1;
            }
            let word = &condition.text[word_start..at];
            let number = self.index.get(word).copied().filter(|number| *number >= first);
            let Some(number) = number else {
                out.push_range(condition, word_start, at);
                continue;
            };
            used.insert(word.to_owned());
            let too_long = || TooLong {
                list: word.to_owned(),
                at: word_start,
            };
            let text = self.texts[number].as_deref().ok_or_else(too_long)?;
            if out.text.len() + text.len() > LARGEST_CONDITION {
                return Err(too_long());
            }
            // Blanks around the name go, and with an empty list a comma on one side.
            out.trim_end(is_blank);
            while bytes.get(at).is_some_and(|byte| is_blank(*byte)) {
                at += 1;
            }
            if text.is_empty() {
                if out.text.ends_with(',') {
                    out.trim_last();
                } else if bytes.get(at) == Some(&b',') {
                    at += 1;
                }
            }
            let lead = if out.text.is_empty() { "" } else { " " };
            out.push_substitute(&format!("{lead}{text} "), condition, word_start);
        }
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::{Place, Position, Source};
    use std::sync::Arc;

    fn lists(lists: &[(&str, &[&str])]) -> Lists {
        let source = Arc::new(Source {
            name: String::new(),
            text: String::new(),
        });
        let lists: Vec<List> = lists
            .iter()
            .enumerate()
            .map(|(index, (name, items))| List {
                name: (*name).to_owned(),
                items: items.iter().map(|item| (*item).to_owned()).collect(),
                index,
                sees: index,
                place: Place {
                    source: Arc::clone(&source),
                    position: Position::default(),
                },
            })
            .collect();
        Lists::new(&lists)
    }

    #[test]
    fn lists_are_put_in_as_text() {
        let mut lists = lists(&[
            ("shells", &["sh", "bash"]),
            ("empty", &[]),
            ("odd", &["a b", "c=d", "\"e f\""]),
            ("both", &["shells", "x"]),
            ("early", &["late", "y"]),
            ("late", &["z"]),
        ]);
        let cases = [
            ("proc.name in (shells)", "proc.name in ( sh, bash )"),
            ("proc.name in (shells, c)", "proc.name in ( sh, bash , c)"),
            ("proc.name in (a, empty, c)", "proc.name in (a  , c)"),
            ("proc.name in (empty)", "proc.name in (  )"),
            ("proc.name in (empty, c)", "proc.name in (   c)"),
            ("proc.name in (odd)", "proc.name in ( \"a b\", \"c=d\", \"e f\" )"),
            ("proc.name in (both)", "proc.name in ( sh, bash, x )"),
            // An item that names a later list is put in with it.
            ("proc.name in (early)", "proc.name in ( z , y )"),
            (
                "proc.name in (shellsx, xshells)",
                "proc.name in (shellsx, xshells)",
            ),
            ("fd.name=shells", "fd.name= sh, bash "),
            ("x contains \"a shells b\"", "x contains \"a sh, bash b\""),
            ("shells", "sh, bash "),
            ("my-shells or shells.x", "my-shells or shells.x"),
        ];
        for (text, expected) in cases {
            let got = lists.substitute(&Traced::from_text(text.to_owned())).unwrap();
            assert_eq!(got.text, expected, "{text}");
        }
        assert!(lists.is_used("late") && lists.is_used("empty"));
    }

    #[test]
    fn lists_that_grow_without_end_are_errors() {
        let names: Vec<String> = (0..60).map(|number| format!("l{number}")).collect();
        let items: Vec<Vec<&str>> = (0..60)
            .map(|number| match names.get(number + 1) {
                Some(next) => vec![next.as_str(); 10],
                None => vec!["x"],
            })
            .collect();
        let all: Vec<(&str, &[&str])> = names
            .iter()
            .zip(&items)
            .map(|(name, items)| (name.as_str(), items.as_slice()))
            .collect();
        let mut lists = lists(&all);
        let condition = Traced::from_text("proc.name in (l0)".to_owned());
        assert_eq!(lists.substitute(&condition).unwrap_err().list, "l0");
        let condition = Traced::from_text("proc.name in (l59)".to_owned());
        assert!(lists.substitute(&condition).is_ok());
    }
}
