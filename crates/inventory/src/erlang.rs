//! Erlang terms in text form, as `.app` files hold them: read, never evaluated.

/// A term; what no caller looks at is [`Term::Other`].
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Term {
    /// An atom, quoted or not.
    Atom(String),
    /// A text: `"…"` or `<<"…">>`.
    Text(String),
    /// A list.
    List(Vec<Term>),
    /// A tuple.
    Tuple(Vec<Term>),
    /// A number.
    Other,
}

impl Term {
    /// The text of an atom, string or binary.
    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Atom(text) | Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The value of `{key, value}` in a list of pairs.
    pub(crate) fn value(&self, key: &str) -> Option<&Term> {
        let Self::List(pairs) = self else {
            return None;
        };
        pairs.iter().find_map(|pair| match pair {
            Self::Tuple(parts) => match parts.as_slice() {
                [Self::Atom(name), value] if name == key => Some(value),
                _ => None,
            },
            _ => None,
        })
    }
}

/// Deepest nesting that is read.
const MAX_DEPTH: usize = 64;

/// Reads the first term of a text.
///
/// # Errors
/// What the text is not, for messages.
pub(crate) fn parse(text: &str) -> Result<Term, &'static str> {
    Reader { rest: text }.term(0)
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    /// Skips white space and `%` comments.
    fn skip(&mut self) {
        loop {
            self.rest = self.rest.trim_start();
            if !self.rest.starts_with('%') {
                return;
            }
            self.rest = self.rest.split_once('\n').map_or("", |(_, rest)| rest);
        }
    }

    fn eat(&mut self, token: &str) -> bool {
        self.skip();
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn term(&mut self, depth: usize) -> Result<Term, &'static str> {
        if depth == MAX_DEPTH {
            return Err("terms are nested too deep");
        }
        self.skip();
        match self.rest.chars().next() {
            None => Err("the text ends inside a term"),
            Some('{') => self.sequence("{", "}", depth).map(Term::Tuple),
            Some('[') => self.sequence("[", "]", depth).map(Term::List),
            Some('"') => {
                let mut text = self.quoted('"')?;
                // Adjacent strings are one.
                loop {
                    self.skip();
                    if !self.rest.starts_with('"') {
                        return Ok(Term::Text(text));
                    }
                    text.push_str(&self.quoted('"')?);
                }
            }
            Some('\'') => self.quoted('\'').map(Term::Atom),
            Some('<') if self.eat("<<") => {
                self.skip();
                let text = if self.rest.starts_with('"') {
                    self.quoted('"')?
                } else {
                    String::new()
                };
                let end = self.rest.find(">>").ok_or("a binary does not end")?;
                self.rest = &self.rest[end + 2..];
                Ok(Term::Text(text))
            }
            Some(first) if first.is_ascii_lowercase() => {
                let word = self.word();
                Ok(Term::Atom(word.to_owned()))
            }
            Some(first) if first.is_ascii_digit() || first == '-' => {
                self.rest = &self.rest[1..];
                self.word();
                Ok(Term::Other)
            }
            Some('#') if self.eat("#{") => self.map(depth),
            Some('$') => {
                let mut letters = self.rest.chars().skip(1);
                let escaped = letters.next() == Some('\\');
                let end = self.rest.char_indices().nth(if escaped { 3 } else { 2 });
                self.rest = end.map_or("", |(at, _)| self.rest.get(at..).unwrap_or_default());
                Ok(Term::Other)
            }
            Some(_) => Err("something else than plain terms"),
        }
    }

    fn word(&mut self) -> &'a str {
        let belongs = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '@' | '#' | '.');
        let end = self
            .rest
            .find(|letter| !belongs(letter))
            .unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        word.trim_end_matches('.')
    }

    fn sequence(&mut self, open: &str, close: &str, depth: usize) -> Result<Vec<Term>, &'static str> {
        self.eat(open);
        let mut terms = Vec::new();
        if self.eat(close) {
            return Ok(terms);
        }
        loop {
            terms.push(self.term(depth + 1)?);
            if self.eat(close) {
                return Ok(terms);
            }
            if !self.eat(",") && !self.eat("|") {
                return Err("a list or tuple lacks a comma or its end");
            }
        }
    }

    /// The rest of a map, which no caller looks into.
    fn map(&mut self, depth: usize) -> Result<Term, &'static str> {
        if self.eat("}") {
            return Ok(Term::Other);
        }
        loop {
            self.term(depth + 1)?;
            if !self.eat("=>") {
                return Err("a map lacks an arrow");
            }
            self.term(depth + 1)?;
            if self.eat("}") {
                return Ok(Term::Other);
            }
            if !self.eat(",") {
                return Err("a map lacks a comma or its end");
            }
        }
    }

    fn quoted(&mut self, quote: char) -> Result<String, &'static str> {
        let mut text = String::new();
        let mut letters = self.rest.char_indices().skip(1);
        while let Some((at, letter)) = letters.next() {
            match letter {
                '\\' => text.extend(letters.next().map(|(_, letter)| letter)),
                letter if letter == quote => {
                    self.rest = &self.rest[at + letter.len_utf8()..];
                    return Ok(text);
                }
                letter => text.push(letter),
            }
        }
        Err("a quoted text does not end")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_applications() {
        let term = parse(
            "%% coding\n{application, 'Elixir.x', [{vsn, \"1.2\" \"-a\"}, % c\n {licenses, [<<\"MIT\">>]}, \
             {n, -1.5e3}, {e, []}, {t, {}}, {b, <<1,2>>}, {m, #{a => $b, \"c\" => #{}}}, {z, $\\n}]}.",
        )
        .unwrap();
        let Term::Tuple(parts) = term else { panic!() };
        assert_eq!(parts[1].text(), Some("Elixir.x"));
        assert_eq!(parts[2].value("vsn").and_then(Term::text), Some("1.2-a"));
        assert_eq!(
            parts[2].value("licenses"),
            Some(&Term::List(vec![Term::Text("MIT".to_owned())]))
        );
        assert_eq!(parts[2].value("n"), Some(&Term::Other));
    }

    #[test]
    fn broken_terms_are_errors() {
        for text in [
            "",
            "{a",
            "{a b}",
            "\"x",
            "[1,",
            "X",
            "<<\"a\"",
            &"[".repeat(100_000),
        ] {
            assert!(parse(text).is_err(), "{text:.20}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(text in "[\\[\\]{}<>,#$='\"%\\\\a1é .-]{0,60}") {
            let _ = parse(&text);
        }
    }
}
