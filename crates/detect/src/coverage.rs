//! Which techniques of ATT&CK for Containers a set of rules looks for, by the rules' tags.

use crate::attack::{self, TACTICS, Technique};
use model::path::printable;
use std::collections::BTreeMap;

/// How a technique is covered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// A rule names it.
    Covered,
    /// No rule names it, but one names a part (sub-technique) of it.
    InPart,
    /// No rule names it or a part of it.
    NotCovered,
}

impl State {
    /// The sign for it in the matrix.
    #[must_use]
    pub fn sign(self) -> &'static str {
        match self {
            Self::Covered => "●",
            Self::InPart => "◐",
            Self::NotCovered => "○",
        }
    }

    /// The word for it: `covered`, `in part` or `not covered`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Covered => "covered",
            Self::InPart => "in part",
            Self::NotCovered => "not covered",
        }
    }
}

/// A technique and the rules that look for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Covered {
    /// The technique.
    pub technique: &'static Technique,
    /// How it is covered.
    pub state: State,
    /// Names of the rules that name it, sorted.
    pub rules: Vec<String>,
}

/// What a set of rules covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coverage {
    /// Every technique of the matrix, by identity.
    pub techniques: Vec<Covered>,
    /// Techniques that rules name and the matrix does not have, with the rules' names.
    pub outside: BTreeMap<String, Vec<String>>,
    /// Rules that name no technique, sorted.
    pub without: Vec<String>,
    /// How many rules were looked at.
    pub rules: usize,
}

impl Coverage {
    /// Counts the rules, given as name and tags.
    pub fn of<'a, T: AsRef<str> + 'a>(rules: impl IntoIterator<Item = (&'a str, &'a [T])>) -> Self {
        let mut named: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        let mut without = Vec::new();
        let mut count = 0;
        for (name, tags) in rules {
            count += 1;
            let mut any = false;
            for tag in tags.iter().map(AsRef::as_ref) {
                if attack::is_technique_id(tag) {
                    any = true;
                    let names = named.entry(tag).or_default();
                    if !names.iter().any(|known| known == name) {
                        names.push(name.to_owned());
                    }
                }
            }
            if !any {
                without.push(name.to_owned());
            }
        }
        for names in named.values_mut() {
            names.sort_unstable();
        }
        without.sort_unstable();
        let techniques = attack::TECHNIQUES
            .iter()
            .map(|technique| {
                let rules = named.remove(technique.id).unwrap_or_default();
                (technique, rules)
            })
            .collect::<Vec<_>>();
        let techniques: Vec<Covered> = techniques
            .iter()
            .map(|(technique, rules)| Covered {
                technique,
                state: if !rules.is_empty() {
                    State::Covered
                } else if techniques
                    .iter()
                    .any(|(part, rules)| part.parent() == Some(technique.id) && !rules.is_empty())
                {
                    State::InPart
                } else {
                    State::NotCovered
                },
                rules: rules.clone(),
            })
            .collect();
        Self {
            techniques,
            outside: named
                .into_iter()
                .map(|(id, names)| (id.to_owned(), names))
                .collect(),
            without,
            rules: count,
        }
    }

    /// How many techniques are in this state.
    #[must_use]
    pub fn count(&self, state: State) -> usize {
        self.techniques
            .iter()
            .filter(|covered| covered.state == state)
            .count()
    }

    /// The techniques of a tactic (`TA0004`), by identity.
    pub fn of_tactic<'a>(&'a self, id: &'a str) -> impl Iterator<Item = &'a Covered> {
        self.techniques
            .iter()
            .filter(move |covered| covered.technique.tactics.contains(&id))
    }

    /// The matrix, the rules of each technique, and what is not covered, as Markdown. Titles begin at the second level.
    #[must_use]
    pub fn markdown(&self) -> String {
        let mut text = format!(
            "{} rules cover {} of {} techniques of ATT&CK for Containers, {} more in part (● covered, ◐ a part of it, ○ not).\n\n",
            self.rules,
            self.count(State::Covered),
            self.techniques.len(),
            self.count(State::InPart),
        );
        text.push_str("## Matrix\n\n");
        let columns: Vec<Vec<&Covered>> = TACTICS
            .iter()
            .map(|tactic| self.of_tactic(tactic.id).collect())
            .collect();
        let titles = TACTICS.iter().map(|tactic| tactic.name.to_owned());
        row(&mut text, titles);
        row(&mut text, TACTICS.iter().map(|_| "---".to_owned()));
        let longest = columns.iter().map(Vec::len).max().unwrap_or_default();
        for line in 0..longest {
            let cells = columns.iter().map(|column| match column.get(line) {
                Some(covered) => format!("{} {}", covered.state.sign(), covered.technique.id),
                None => String::new(),
            });
            row(&mut text, cells);
        }
        text.push_str("\n## Techniques\n\n");
        row(
            &mut text,
            ["technique", "name", "tactics", "rules"].map(str::to_owned),
        );
        row(&mut text, ["---"; 4].map(str::to_owned));
        for covered in &self.techniques {
            let tactics: Vec<&str> = covered
                .technique
                .tactics
                .iter()
                .filter_map(|id| attack::tactic(id))
                .map(|tactic| tactic.name)
                .collect();
            let rules = match covered.state {
                State::Covered => list(&covered.rules),
                state => state.name().to_owned(),
            };
            let cells = [
                format!("[{}]({})", covered.technique.id, covered.technique.url()),
                covered.technique.name.to_owned(),
                tactics.join(", "),
                rules,
            ];
            row(&mut text, cells);
        }
        let missing: Vec<String> = self
            .techniques
            .iter()
            .filter(|covered| covered.state == State::NotCovered)
            .map(|covered| format!("{} {}", covered.technique.id, covered.technique.name))
            .collect();
        text.push_str("\n## Not covered\n\n");
        if missing.is_empty() {
            text.push_str("Nothing of the matrix.\n");
        }
        for technique in missing {
            text.push_str(&format!("- {technique}\n"));
        }
        if !self.outside.is_empty() {
            text.push_str("\n## Techniques outside of the matrix\n\n");
            row(&mut text, ["technique", "rules"].map(str::to_owned));
            row(&mut text, ["---"; 2].map(str::to_owned));
            for (id, rules) in &self.outside {
                row(&mut text, [id.clone(), list(rules)]);
            }
        }
        if !self.without.is_empty() {
            text.push_str("\n## Rules without a technique\n\n");
            for rule in &self.without {
                text.push_str(&format!("- {}\n", escaped(rule)));
            }
        }
        text
    }
}

fn row(text: &mut String, cells: impl IntoIterator<Item = String>) {
    text.push('|');
    for cell in cells {
        text.push_str(&format!(" {cell} |"));
    }
    text.push('\n');
}

fn list(rules: &[String]) -> String {
    let rules: Vec<String> = rules.iter().map(|rule| escaped(rule)).collect();
    rules.join("; ")
}

/// Names of rules come from files of others: nothing in them may act in Markdown or on a terminal.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in printable(text).chars() {
        if matches!(
            character,
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '&' | '|' | '#' | '!' | '~'
        ) {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_counted_by_their_tags() {
        let tags = |tags: &[&str]| -> Vec<String> { tags.iter().map(|&tag| tag.to_owned()).collect() };
        let escape = tags(&["container", "T1611", "T1059.004", "T1611"]);
        let token = tags(&["T1552.001"]);
        let plain = tags(&["container", "mitre_discovery"]);
        let coverage = Coverage::of([
            ("b", escape.as_slice()),
            ("a", escape.as_slice()),
            ("token", token.as_slice()),
            ("plain", plain.as_slice()),
        ]);
        let state = |id: &str| {
            let covered = coverage
                .techniques
                .iter()
                .find(|covered| covered.technique.id == id)
                .unwrap();
            (covered.state, covered.rules.join(" "))
        };
        assert_eq!(state("T1611"), (State::Covered, "a b".to_owned()));
        assert_eq!(state("T1552"), (State::InPart, String::new()));
        assert_eq!(state("T1552.001"), (State::Covered, "token".to_owned()));
        assert_eq!(state("T1552.007"), (State::NotCovered, String::new()));
        assert_eq!(coverage.outside["T1059.004"], ["a", "b"]);
        assert_eq!(coverage.without, ["plain"]);
        assert_eq!(coverage.rules, 4);
        assert_eq!(coverage.techniques.len(), attack::TECHNIQUES.len());
        assert_eq!(
            coverage.count(State::Covered)
                + coverage.count(State::InPart)
                + coverage.count(State::NotCovered),
            attack::TECHNIQUES.len()
        );
        assert!(
            coverage
                .of_tactic("TA0004")
                .any(|covered| covered.technique.id == "T1611")
        );
        assert!(
            coverage
                .of_tactic("TA0040")
                .all(|covered| covered.technique.id != "T1611")
        );
    }

    #[test]
    fn names_of_others_do_nothing_in_markdown() {
        let tags = ["T1611"];
        let name = "a|b\u{1b}[2J<script>`x`\n# y";
        let markdown = Coverage::of([(name, tags.as_slice())]).markdown();
        assert!(!markdown.contains('\u{1b}') && !markdown.contains("<script>"));
        assert!(!markdown.contains("a|b") && !markdown.contains("\n# y"));
    }
}
