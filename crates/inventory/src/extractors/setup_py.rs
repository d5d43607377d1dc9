//! `setup.py` of setuptools, read as text: its lists of requirements, as far as they are written out.

use crate::Kind;
use crate::lock_file::{Listing, LockFile, Reading, alone};
use crate::python_requirements::Requirement;
use model::{Meta, Relation, Scope};

/// The member.
pub(super) static SETUP_PY: LockFile = LockFile {
    meta: &META,
    kind: Kind::Declared,
    wants: |_, name| name == "setup.py",
    read,
    combine: alone,
};

static META: Meta = Meta {
    name: "setup-py",
    title: "Python packages that a setup.py asks for, where the lists are written out",
    finds: &["setup.py"],
    needs: &[],
    references: &["https://setuptools.pypa.io/en/latest/references/keywords.html"],
};

/// The keywords that hold requirements, and what they are for.
const LISTS: [(&str, Scope); 4] = [
    ("install_requires", Scope::Runtime),
    ("extras_require", Scope::Optional),
    ("setup_requires", Scope::Development),
    ("tests_require", Scope::Development),
];

fn read(reading: &mut Reading<'_>) {
    let mut packages = Listing::default();
    let tokens = Tokens::new(reading.text);
    let mut open: Option<(Scope, usize)> = None;
    let mut words = ["", ""];
    let mut line = 1;
    // A key of a dictionary names a set of extras, no package.
    let mut pending: Option<(&str, u32)> = None;
    for (number, token) in tokens {
        line = number.max(line);
        match token {
            Token::Text(text) if open.is_some() => {
                pending = Some((text, number));
                continue;
            }
            Token::Mark(':') if open.is_some() => pending = None,
            Token::Mark('[' | '(' | '{') => match &mut open {
                Some((_, depth)) => *depth += 1,
                // `name = [` and `name=[`: the sign stands last, the name before it.
                None if words[1] == "=" => {
                    let list = LISTS.iter().find(|(name, _)| *name == words[0]);
                    open = list.map(|(_, scope)| (*scope, 1));
                }
                None => {}
            },
            _ => {}
        }
        if let (Some((scope, _)), Some((text, number))) = (open, pending.take()) {
            take(reading, &mut packages, text, number, scope);
        }
        if let (Token::Mark(']' | ')' | '}'), Some((_, depth))) = (&token, &mut open) {
            *depth -= 1;
            if *depth == 0 {
                open = None;
            }
        }
        words = [
            words[1],
            match token {
                Token::Word(word) => word,
                Token::Mark('=') => "=",
                _ => "",
            },
        ];
    }
    reading.list(packages);
}

fn take(reading: &mut Reading<'_>, packages: &mut Listing, text: &str, line: u32, scope: Scope) {
    match Requirement::parse(text) {
        Some(requirement) => {
            let mut package = reading.at(requirement.package(reading.found_by), line);
            package.relation = Some(Relation::Direct);
            package.scope = Some(scope);
            packages.push(package);
        }
        None => reading.bad_entry(line, format!("`{text}` is no requirement")),
    }
}

/// A piece of Python's text, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Token<'a> {
    Word(&'a str),
    /// What stands between quotes, as it is written.
    Text(&'a str),
    Mark(char),
}

/// Cuts Python's text into pieces, without comments.
struct Tokens<'a> {
    rest: &'a str,
    line: u32,
}

impl<'a> Tokens<'a> {
    fn new(text: &'a str) -> Self {
        Self { rest: text, line: 1 }
    }

    /// The first `length` bytes, which end at a character.
    fn cut(&mut self, length: usize) -> &'a str {
        let (part, rest) = self.rest.split_at_checked(length).unwrap_or((self.rest, ""));
        self.rest = rest;
        let breaks = memchr::memchr_iter(b'\n', part.as_bytes()).count();
        self.line = self
            .line
            .saturating_add(u32::try_from(breaks).unwrap_or(u32::MAX));
        part
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = (u32, Token<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let first = self.rest.chars().next()?;
            let line = self.line;
            if first == '#' {
                let end = self.rest.find('\n').unwrap_or(self.rest.len());
                self.cut(end);
            } else if first.is_whitespace() {
                self.cut(first.len_utf8());
            } else if first == '"' || first == '\'' {
                let triple: String = [first; 3].iter().collect();
                let quotes = if self.rest.starts_with(&triple) {
                    &*triple
                } else {
                    &triple[..1]
                };
                self.cut(quotes.len());
                let end = end_of_text(self.rest, quotes);
                let text = self.cut(end);
                self.cut(quotes.len());
                return Some((line, Token::Text(text)));
            } else if first.is_alphanumeric() || first == '_' {
                let other = |character: char| !(character.is_alphanumeric() || character == '_');
                let end = self.rest.find(other).unwrap_or(self.rest.len());
                return Some((line, Token::Word(self.cut(end))));
            } else {
                self.cut(first.len_utf8());
                return Some((line, Token::Mark(first)));
            }
        }
    }
}

/// Where a text ends: at its quotes, unless a backslash stands before them; a text in single quotes also at the line's end.
fn end_of_text(text: &str, quotes: &str) -> usize {
    let mut escaped = false;
    for (at, character) in text.char_indices() {
        if escaped {
            escaped = false;
        } else if character == '\\' {
            escaped = true;
        } else if text[at..].starts_with(quotes) || (character == '\n' && quotes.len() == 1) {
            return at;
        }
    }
    text.len()
}
