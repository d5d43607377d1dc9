//! Reads conditions. Brackets are kept on a stack of our own, so deep nesting costs no call stack.

use super::{CallArgument, Check, Expression, Modifier, Operand, Operator, Right, Transformer};

/// Deepest nesting of brackets and transformers.
pub const DEEPEST: usize = 1000;

/// Deepest nesting of transformers, which are few in any real condition.
const DEEPEST_CALL: usize = 32;

/// Longest condition in bytes, lists already put in.
pub const LARGEST_CONDITION: usize = 32 << 20;

/// Most parts of one condition.
const MOST_PARTS: usize = 1_000_000;

/// Why a condition cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct FilterError {
    /// What is wrong.
    pub message: String,
    /// Bytes before it in the condition.
    pub at: usize,
}

/// Reads a condition.
///
/// # Errors
/// When it does not follow the grammar, or is nested too deeply or too long.
pub fn parse(text: &str) -> Result<Expression, FilterError> {
    if text.len() > LARGEST_CONDITION {
        return Err(FilterError {
            message: format!("the condition is longer than {LARGEST_CONDITION} bytes"),
            at: 0,
        });
    }
    Parser {
        text,
        bytes: text.as_bytes(),
        at: 0,
    }
    .condition()
}

/// Reads a field or transformer at the start of a text, as output formats have them, and how many bytes it takes.
#[must_use]
pub fn parse_operand_prefix(text: &str) -> Option<(Operand, usize)> {
    let mut parser = Parser {
        text,
        bytes: text.as_bytes(),
        at: 0,
    };
    let operand = parser.operand(0).ok()??;
    Some((operand, parser.at))
}

/// An open bracket, or the whole condition.
#[derive(Default)]
struct Level {
    opened_at: usize,
    /// Whether the bracket itself is negated.
    negated: bool,
    alternatives: Vec<Expression>,
    conjuncts: Vec<Expression>,
}

impl Level {
    fn alternative(&mut self) {
        let conjuncts = std::mem::take(&mut self.conjuncts);
        self.alternatives.push(Expression::all(conjuncts));
    }

    fn close(mut self) -> Expression {
        self.alternative();
        let whole = Expression::any(self.alternatives);
        if self.negated { whole.negated() } else { whole }
    }
}

struct Parser<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c | 0x08)
}

fn is_bare(byte: u8) -> bool {
    !is_blank(byte) && !matches!(byte, b'(' | b')' | b'"' | b'\'' | b'=' | b',')
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

impl Parser<'_> {
    fn error<T>(&self, message: impl Into<String>) -> Result<T, FilterError> {
        Err(FilterError {
            message: message.into(),
            at: self.at,
        })
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn rest(&self) -> &[u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    fn skip_blanks(&mut self) {
        while self.peek().is_some_and(is_blank) {
            self.at += 1;
        }
    }

    fn take_while(&mut self, accept: impl Fn(u8) -> bool) -> &str {
        let start = self.at;
        while self.peek().is_some_and(&accept) {
            self.at += 1;
        }
        // Only ASCII ends a run, so both ends are at characters.
        self.text.get(start..self.at).unwrap_or_default()
    }

    /// Takes a word that is followed by a blank or an opening bracket.
    fn keyword(&mut self, word: &str) -> bool {
        let follows = self.rest().get(word.len()).copied();
        if self.rest().starts_with(word.as_bytes())
            && follows.is_some_and(|byte| is_blank(byte) || byte == b'(')
        {
            self.at += word.len();
            return true;
        }
        false
    }

    fn condition(&mut self) -> Result<Expression, FilterError> {
        let mut levels = vec![Level::default()];
        let mut parts = 0_usize;
        loop {
            // Here something that can be true is expected.
            self.skip_blanks();
            let mut negated = false;
            while self.keyword("not") {
                negated = !negated;
                self.skip_blanks();
            }
            if self.peek() == Some(b'(') {
                if levels.len() > DEEPEST {
                    return self.error(format!("brackets are nested deeper than {DEEPEST}"));
                }
                levels.push(Level {
                    opened_at: self.at,
                    negated,
                    ..Level::default()
                });
                self.at += 1;
                continue;
            }
            parts += 1;
            if parts > MOST_PARTS {
                return self.error(format!("the condition has more than {MOST_PARTS} comparisons"));
            }
            let mut operand = self.check()?;
            if negated {
                operand = operand.negated();
            }
            if let Some(level) = levels.last_mut() {
                level.conjuncts.push(operand);
            }

            // Here brackets may close, and then `and`, `or` or the end is expected.
            loop {
                self.skip_blanks();
                if self.peek() != Some(b')') {
                    break;
                }
                if levels.len() < 2 {
                    return self.error("a closing bracket `)` without an opening one");
                }
                self.at += 1;
                let inner = levels.pop().map(Level::close);
                if let (Some(inner), Some(outer)) = (inner, levels.last_mut()) {
                    outer.conjuncts.push(inner);
                }
            }
            if self.keyword("and") {
                continue;
            }
            if self.keyword("or") {
                if let Some(level) = levels.last_mut() {
                    level.alternative();
                }
                continue;
            }
            if self.at < self.bytes.len() {
                let found = self.found();
                return self.error(match found.as_str() {
                    "and" | "or" => format!("the condition ends after `{found}`: a comparison is expected"),
                    "AND" | "OR" => format!("expected `and` or `or` in small letters, found `{found}`"),
                    _ if found.starts_with('=') => format!(
                        "expected `and` or `or`, found `{found}`: a text with `=` in it stands in quotes"
                    ),
                    _ => format!("expected `and` or `or`, found `{found}`"),
                });
            }
            break;
        }
        match (levels.pop(), levels.is_empty()) {
            (Some(level), true) => Ok(level.close()),
            (Some(level), false) => Err(FilterError {
                message: "an opening bracket `(` without a closing one".to_owned(),
                at: level.opened_at,
            }),
            (None, _) => self.error("the condition is empty"),
        }
    }

    /// What stands here, for messages.
    fn found(&self) -> String {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let word: String = rest
            .chars()
            .take_while(|character| !character.is_whitespace())
            .take(30)
            .collect();
        if word.is_empty() {
            "the end".to_owned()
        } else {
            word
        }
    }

    fn check(&mut self) -> Result<Expression, FilterError> {
        let start = self.at;
        if let Some(left) = self.operand(0)? {
            return self.comparison(left).map(Expression::Check);
        }
        let name = self.take_while(is_word).to_owned();
        if !name.starts_with(|first: char| first.is_ascii_alphabetic()) {
            self.at = start;
            return self.error(if start >= self.bytes.len() {
                "the condition ends where a field or macro is expected".to_owned()
            } else {
                format!("expected a field or macro, found `{}`", self.found())
            });
        }
        if matches!(name.as_str(), "and" | "or" | "not") {
            self.at = start;
            return self.error(format!("expected a field or macro, found `{name}`"));
        }
        if self.peek().is_some_and(|byte| !is_blank(byte) && byte != b')') {
            return self.error(format!(
                "`{name}` is neither a field, which has a dot in its name, nor a macro alone"
            ));
        }
        Ok(Expression::Macro { name, at: start })
    }

    /// A field or transformer, or nothing taken.
    fn operand(&mut self, depth: usize) -> Result<Option<Operand>, FilterError> {
        let start = self.at;
        let word = self.take_while(is_word).to_owned();
        if self.peek() == Some(b'(') {
            let transformer = Transformer::ALL
                .iter()
                .find(|transformer| transformer.text() == word);
            if let Some(transformer) = transformer {
                return self.call(*transformer, start, depth).map(Some);
            }
            self.at = start;
            return Ok(None);
        }
        let mut dots = 0;
        let mut end = self.at;
        while !word.is_empty() && self.peek() == Some(b'.') {
            self.at += 1;
            if self.take_while(is_word).is_empty() {
                break;
            }
            dots += 1;
            end = self.at;
        }
        self.at = end;
        if dots == 0 {
            self.at = start;
            return Ok(None);
        }
        let name = self.text.get(start..end).unwrap_or_default().to_owned();
        let argument = self.bracketed()?;
        Ok(Some(Operand::Field {
            name,
            argument,
            at: start,
        }))
    }

    /// What stands in square brackets.
    fn bracketed(&mut self) -> Result<Option<String>, FilterError> {
        if self.peek() != Some(b'[') {
            return Ok(None);
        }
        self.at += 1;
        let argument = match self.peek() {
            Some(b'"' | b'\'') => self.quoted()?,
            _ => self
                .take_while(|byte| !is_blank(byte) && !matches!(byte, b'[' | b']' | b'"' | b'\''))
                .to_owned(),
        };
        if argument.is_empty() {
            return self.error("nothing stands in the square brackets");
        }
        if self.peek() != Some(b']') {
            return self.error("a square bracket `[` is not closed");
        }
        self.at += 1;
        Ok(Some(argument))
    }

    fn call(&mut self, transformer: Transformer, start: usize, depth: usize) -> Result<Operand, FilterError> {
        if depth >= DEEPEST_CALL {
            return self.error(format!("transformers are nested deeper than {DEEPEST_CALL}"));
        }
        let arguments = self.arguments(depth)?;
        let index = self.bracketed()?;
        Ok(Operand::Call {
            transformer,
            arguments,
            index,
            at: start,
        })
    }

    /// Arguments in round brackets.
    fn arguments(&mut self, depth: usize) -> Result<Vec<CallArgument>, FilterError> {
        // The opening bracket.
        self.at += 1;
        let mut arguments = Vec::new();
        loop {
            self.skip_blanks();
            let argument = match self.peek() {
                Some(b'"' | b'\'') => CallArgument::Text(self.quoted()?),
                Some(b'(') => {
                    if depth >= DEEPEST_CALL {
                        return self.error(format!("arguments are nested deeper than {DEEPEST_CALL}"));
                    }
                    CallArgument::List(self.arguments(depth + 1)?)
                }
                Some(byte) if byte.is_ascii_digit() || byte == b'-' => CallArgument::Number(self.number()?),
                _ => match self.operand(depth + 1)? {
                    Some(operand) => CallArgument::Operand(operand),
                    None => {
                        return self.error(format!(
                            "expected a field, a transformer, a text in quotes or a number, found `{}`",
                            self.found()
                        ));
                    }
                },
            };
            arguments.push(argument);
            self.skip_blanks();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b')') => {
                    self.at += 1;
                    return Ok(arguments);
                }
                _ => return self.error(format!("expected `,` or `)`, found `{}`", self.found())),
            }
        }
    }

    fn comparison(&mut self, left: Operand) -> Result<Check, FilterError> {
        self.skip_blanks();
        let operator_at = self.at;
        let Some(operator) = self.operator() else {
            return self.error(format!("expected an operator, found `{}`", self.found()));
        };
        self.skip_blanks();
        let mut right_at = self.at;
        let mut modifier = None;
        let right = match operator {
            Operator::Exists => Right::None,
            Operator::Less | Operator::LessOrEqual | Operator::Greater | Operator::GreaterOrEqual => {
                match self.right_operand()? {
                    Some(operand) => Right::Operand(operand),
                    None => Right::Text(self.number()?),
                }
            }
            Operator::In | Operator::Intersects | Operator::PathMatch => match self.peek() {
                Some(b'(') => Right::List(self.list()?),
                _ => match self.right_operand()? {
                    Some(operand) => Right::Operand(operand),
                    None => self.list_name()?,
                },
            },
            _ => {
                modifier = Modifier::ALL
                    .iter()
                    .find(|modifier| self.keyword(modifier.text()))
                    .copied();
                if modifier.is_some() {
                    self.skip_blanks();
                    right_at = self.at;
                    match self.peek() {
                        Some(b'(') => Right::List(self.list()?),
                        _ => self.list_name()?,
                    }
                } else {
                    match self.right_operand()? {
                        Some(operand) => Right::Operand(operand),
                        None => Right::Text(self.string()?),
                    }
                }
            }
        };
        Ok(Check {
            left,
            operator,
            modifier,
            right,
            operator_at,
            right_at,
        })
    }

    fn operator(&mut self) -> Option<Operator> {
        for (sign, operator) in [
            ("<=", Operator::LessOrEqual),
            (">=", Operator::GreaterOrEqual),
            ("!=", Operator::NotEqual),
            ("==", Operator::Equal),
            ("<", Operator::Less),
            (">", Operator::Greater),
            ("=", Operator::Equal),
        ] {
            if self.rest().starts_with(sign.as_bytes()) {
                self.at += sign.len();
                return Some(operator);
            }
        }
        let start = self.at;
        let word = self.take_while(is_word);
        let found = Operator::ALL
            .iter()
            .find(|operator| operator.text() == word)
            .copied();
        let ends = self
            .peek()
            .is_none_or(|byte| is_blank(byte) || matches!(byte, b'(' | b')' | b'"' | b'\''));
        if found.is_none() || !ends {
            self.at = start;
            return None;
        }
        found
    }

    /// `val(FIELD)` or a transformer.
    fn right_operand(&mut self) -> Result<Option<Operand>, FilterError> {
        let start = self.at;
        let word = self.take_while(is_word).to_owned();
        if self.peek() != Some(b'(') {
            self.at = start;
            return Ok(None);
        }
        if word == "val" {
            self.at += 1;
            self.skip_blanks();
            let Some(operand) = self.operand(0)? else {
                return self.error(format!("expected a field, found `{}`", self.found()));
            };
            self.skip_blanks();
            if self.peek() != Some(b')') {
                return self.error("`val(` is not closed");
            }
            self.at += 1;
            return Ok(Some(operand));
        }
        self.at = start;
        match self.operand(0)? {
            Some(operand) => Ok(Some(operand)),
            None => {
                let known = Transformer::ALL.iter().map(|known| known.text());
                let near = crate::nearest(&word, known)
                    .map(|near| format!("; did you mean `{near}`?"))
                    .unwrap_or_default();
                self.error(format!("no transformer is called `{word}`{near}"))
            }
        }
    }

    fn list_name(&mut self) -> Result<Right, FilterError> {
        let name = self.take_while(is_word).to_owned();
        if name.is_empty() {
            return self.error(format!("expected a list in brackets, found `{}`", self.found()));
        }
        Ok(Right::Name(name))
    }

    fn list(&mut self) -> Result<Vec<String>, FilterError> {
        let opened_at = self.at;
        self.at += 1;
        let mut items = Vec::new();
        self.skip_blanks();
        if self.peek() == Some(b')') {
            self.at += 1;
            return Ok(items);
        }
        loop {
            self.skip_blanks();
            items.push(self.string()?);
            self.skip_blanks();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b')') => {
                    self.at += 1;
                    return Ok(items);
                }
                None => {
                    return Err(FilterError {
                        message: "the bracket `(` of a list is not closed".to_owned(),
                        at: opened_at,
                    });
                }
                Some(_) => {
                    return self.error(format!("expected `,` or `)`, found `{}`", self.found()));
                }
            }
        }
    }

    /// A number: decimal with sign, point and exponent, or hexadecimal.
    fn number(&mut self) -> Result<String, FilterError> {
        let start = self.at;
        let number = self
            .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
            .to_owned();
        if !number.starts_with(|first: char| first.is_ascii_digit() || first == '-' || first == '+') {
            self.at = start;
            return self.error(format!("expected a number, found `{}`", self.found()));
        }
        Ok(number)
    }

    fn string(&mut self) -> Result<String, FilterError> {
        if matches!(self.peek(), Some(b'"' | b'\'')) {
            return self.quoted();
        }
        let bare = self.take_while(is_bare).to_owned();
        if bare.is_empty() {
            return self.error(format!("expected a text or number, found `{}`", self.found()));
        }
        Ok(bare)
    }

    fn quoted(&mut self) -> Result<String, FilterError> {
        let opened_at = self.at;
        let quote = self.peek().unwrap_or(b'"');
        self.at += 1;
        let mut value = String::new();
        loop {
            let part = self.take_while(|byte| byte != quote && byte != b'\\');
            value.push_str(part);
            match self.peek() {
                None => {
                    return Err(FilterError {
                        message: "a text in quotes is not closed".to_owned(),
                        at: opened_at,
                    });
                }
                Some(b'\\') => {
                    let escaped = match self.bytes.get(self.at + 1) {
                        Some(b'b') => '\u{8}',
                        Some(b'f') => '\u{c}',
                        Some(b'n') => '\n',
                        Some(b'r') => '\r',
                        Some(b't') => '\t',
                        Some(b'\\') => '\\',
                        Some(b'"') => '"',
                        Some(b'\'') => '\'',
                        // Before any other character a backslash stands for itself.
                        _ => {
                            value.push('\\');
                            self.at += 1;
                            continue;
                        }
                    };
                    value.push(escaped);
                    self.at += 2;
                }
                Some(_) => {
                    self.at += 1;
                    return Ok(value);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> String {
        parse(text)
            .unwrap_or_else(|error| panic!("{text}: {error} at {}", error.at))
            .to_string()
    }

    #[test]
    fn conditions_follow_the_grammar() {
        let cases = [
            ("evt.type=open", "evt.type = open"),
            ("evt.type = open and not a", "evt.type = open and not a"),
            ("a and b or c and d", "a and b or c and d"),
            ("a and (b or c) and d", "a and (b or c) and d"),
            ("((a))", "a"),
            ("(a and b) and c", "a and b and c"),
            ("not (a or b)", "not (a or b)"),
            ("not(a or b)", "not (a or b)"),
            ("not not a", "a"),
            ("not (not a)", "a"),
            ("not not not (a)", "not a"),
            ("a and(b)", "a and b"),
            ("(a)or(b)", "a or b"),
            ("evt.dir=<", "evt.dir = <"),
            ("fd.num>=0", "fd.num >= 0"),
            ("evt.rawres > -1", "evt.rawres > -1"),
            ("proc.tty!=0", "proc.tty != 0"),
            ("fd.name==x", "fd.name = x"),
            (
                "proc.name in (a, 'b c', \"d\\\"\")",
                "proc.name in (a, \"b c\", \"d\\\"\")",
            ),
            ("proc.name in ()", "proc.name in ()"),
            ("proc.aname[2]=x", "proc.aname[2] = x"),
            ("jevt.value[/a/0/b] exists", "jevt.value[/a/0/b] exists"),
            (
                "jevt.value[\"/a b\"] exists and x",
                "jevt.value[\"/a b\"] exists and x",
            ),
            ("evt.arg.flags contains O_TRUNC", "evt.arg.flags contains O_TRUNC"),
            ("tolower(proc.name) = x", "tolower(proc.name) = x"),
            ("proc.name = val(proc.pname)", "proc.name = val(proc.pname)"),
            ("proc.name in val( proc.aname )", "proc.name in val(proc.aname)"),
            (
                "concat(fd.rip, \":\", fd.rport) in (\"8.8.8.8:53\")",
                "concat(fd.rip, \":\", fd.rport) in (8.8.8.8:53)",
            ),
            (
                "join(\",\", (proc.name, 'x', 1)) = a",
                "join(\",\", (proc.name, \"x\", 1)) = a",
            ),
            (
                "getopt(proc.args, \"ho:\")[o] startswith /tmp",
                "getopt(proc.args, \"ho:\")[o] startswith /tmp",
            ),
            (
                "proc.cmdline contains anyof (a, b)",
                "proc.cmdline contains anyof (a, b)",
            ),
            ("proc.cmdline contains  anyof", "proc.cmdline contains \"anyof\""),
            ("a\n  and\n  b\n", "a and b"),
            ("fd.sip = 1.2.3.4", "fd.sip = 1.2.3.4"),
            ("evt.num=0", "evt.num = 0"),
            ("proc.args contains \"\\ \"", "proc.args contains \"\\\\ \""),
        ];
        for (text, expected) in cases {
            assert_eq!(written(text), expected, "{text}");
        }
    }

    #[test]
    fn errors_say_where() {
        let cases = [
            ("", 0, "ends where a field or macro"),
            ("   ", 3, "ends where a field or macro"),
            ("evt.type", 8, "expected an operator"),
            ("evt.type=open and", 14, "ends after `and`"),
            ("evt.type=open and ", 18, "ends where"),
            ("evt.type=open proc.name=x", 14, "expected `and` or `or`"),
            ("(a and b", 0, "without a closing"),
            ("a and b)", 7, "without an opening"),
            ("a AND b", 2, "expected `and` or `or` in small letters"),
            ("proc.env contains A=b", 19, "stands in quotes"),
            ("proc.name = 'abc", 12, "not closed"),
            ("proc.name in (a, b", 13, "not closed"),
            ("proc.name in (a b)", 16, "expected `,` or `)`"),
            ("proc.name in (a,)", 16, "expected a text"),
            ("proc.name foo x", 10, "expected an operator"),
            ("fd.num > abc", 9, "expected a number"),
            ("proc.aname[] = x", 11, "nothing stands"),
            ("proc.aname[2 = x", 12, "not closed"),
            ("proc.name = tolowe(proc.pname)", 12, "did you mean `tolower`?"),
            ("proc.name = ", 12, "expected a text"),
            ("and", 0, "found `and`"),
            ("or a", 0, "found `or`"),
            ("name=x", 4, "neither a field"),
        ];
        for (text, at, message) in cases {
            let error = parse(text).unwrap_err();
            assert!(error.message.contains(message), "{text}: {error}");
            assert_eq!(error.at, at, "{text}: {error}");
        }
    }

    #[test]
    fn deep_and_long_conditions_end() {
        let open = "(".repeat(100_000);
        assert!(parse(&open).unwrap_err().message.contains("deeper"));
        let deep = format!("{}a{}", "(".repeat(900), ")".repeat(900));
        assert_eq!(written(&deep), "a");
        let calls = format!("{}proc.name", "tolower(".repeat(10_000));
        assert!(parse(&calls).unwrap_err().message.contains("deeper"));
        let lists = format!("join({}", "(".repeat(10_000));
        assert!(parse(&lists).unwrap_err().message.contains("deeper"));
        let negated = format!("{}a", "not ".repeat(1_000_001));
        assert_eq!(written(&negated), "not a");
        let long = vec!["proc.name = x"; 500_000].join(" or ");
        assert!(parse(&long).is_ok());
        let many = vec!["a"; 1_000_001].join(" or ");
        assert!(parse(&many).unwrap_err().message.contains("comparisons"));
    }

    #[test]
    fn nesting_of_negated_brackets_is_bounded_too() {
        let deep = format!("{}a{}", "not (b and ".repeat(2_000), ")".repeat(2_000));
        assert!(parse(&deep).unwrap_err().message.contains("deeper"));
    }
}
