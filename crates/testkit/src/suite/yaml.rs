//! Suite files as a tree of values that know their lines.

use serde_saphyr::granit_parser::{Event, Parser, ScalarStyle};
use std::collections::HashMap;
use std::fmt;

/// Deepest nesting of a file.
const DEEPEST: usize = 64;

/// Most values of a file, those that aliases repeat counted again.
const MOST_VALUES: usize = 1_000_000;

/// A value, and the line that it starts on.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// What it is.
    pub value: Value,
    /// Its line, from 1; the line of the placeholder when a case gave the value.
    pub line: usize,
}

/// What a file holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Nothing.
    Null,
    /// A truth value.
    Bool(bool),
    /// A number, also written as `0x1f`, `0o17` or `017`.
    Integer(i64),
    /// A text, or a number with a fraction as it is written.
    Text(String),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping in the file's order.
    Map(Vec<(String, Node)>),
}

/// What is wrong with a suite, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The file as it was named.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}: {}", self.file, self.line, self.message)
    }
}

impl std::error::Error for Mistake {}

impl Node {
    /// The entries of a map.
    #[must_use]
    pub fn map(&self) -> Option<&[(String, Self)]> {
        match &self.value {
            Value::Map(entries) => Some(entries),
            _ => None,
        }
    }

    /// The items of a list.
    #[must_use]
    pub fn list(&self) -> Option<&[Self]> {
        match &self.value {
            Value::List(items) => Some(items),
            _ => None,
        }
    }

    /// A text; numbers and truth values as the text that they are written with.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        match &self.value {
            Value::Text(text) => Some(text.clone()),
            Value::Integer(number) => Some(number.to_string()),
            Value::Bool(value) => Some(value.to_string()),
            _ => None,
        }
    }

    /// Whether there is nothing.
    #[must_use]
    pub fn is_null(&self) -> bool {
        self.value == Value::Null
    }

    /// What it is, for messages.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self.value {
            Value::Null => "nothing",
            Value::Bool(_) => "a truth value",
            Value::Integer(_) => "a number",
            Value::Text(_) => "a text",
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
        }
    }
}

impl fmt::Display for Node {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            Value::Null => formatter.write_str("null"),
            Value::List(items) => {
                formatter.write_str("[")?;
                for (index, item) in items.iter().enumerate() {
                    write!(formatter, "{}{item}", if index == 0 { "" } else { ", " })?;
                }
                formatter.write_str("]")
            }
            Value::Map(entries) => {
                formatter.write_str("{")?;
                for (index, (key, item)) in entries.iter().enumerate() {
                    write!(formatter, "{}{key}: {item}", if index == 0 { "" } else { ", " })?;
                }
                formatter.write_str("}")
            }
            _ => formatter.write_str(&self.text().unwrap_or_default()),
        }
    }
}

/// Reads the one document of a suite file.
///
/// # Errors
/// When the text is not YAML, has several documents, repeats a key, or is nested too deeply.
pub fn read(file: &str, text: &str) -> Result<Node, Mistake> {
    let quoted = quote_placeholders(text);
    let mut reader = Reader {
        file,
        open: Vec::new(),
        done: None,
        anchors: HashMap::new(),
        values: 0,
    };
    for event in Parser::new_from_str(&quoted) {
        match event {
            Ok((event, span)) => reader.event(event, span.start.line().max(1))?,
            Err(error) => {
                return Err(reader.mistake(error.marker().line().max(1), error.to_string()));
            }
        }
    }
    reader
        .done
        .ok_or_else(|| mistake(file, 1, "there is no document in the file"))
}

/// A mistake at a line.
pub(super) fn mistake(file: &str, line: usize, message: impl Into<String>) -> Mistake {
    Mistake {
        file: file.to_owned(),
        line,
        message: message.into(),
    }
}

/// Puts quotes around placeholders (`%{ item.key }`) that stand alone as a value: YAML allows no plain text that begins
/// with `%`, but suites in the wild are written so. Texts over several lines stay as they are.
fn quote_placeholders(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 64);
    // How far the lines of a block text must be indented more than.
    let mut block: Option<usize> = None;
    for line in text.split_inclusive('\n') {
        let content = line.trim_end();
        let indent = content.len() - content.trim_start().len();
        if block.is_some_and(|parent| content.is_empty() || indent > parent) {
            quoted.push_str(line);
            continue;
        }
        block = begins_block(content).then_some(indent);
        quote_line(line, &mut quoted);
    }
    quoted
}

/// Whether the lines after this one are a text, as after `key: |` and `key: >-`.
fn begins_block(line: &str) -> bool {
    let line = line.split(" #").next().unwrap_or(line).trim_end();
    let marker =
        line.trim_end_matches(|letter: char| letter == '-' || letter == '+' || letter.is_ascii_digit());
    marker
        .strip_suffix(['|', '>'])
        .is_some_and(|before| before.ends_with(": ") || before.ends_with("- "))
}

/// Whether a value can begin behind this part of a line.
fn begins_value(part: &str, before: char, last: char, brackets: usize) -> bool {
    match before {
        ':' => last.is_whitespace(),
        '[' | ',' => brackets > 0,
        '-' => last.is_whitespace() && part.chars().all(|letter| letter == '-' || letter.is_whitespace()),
        _ => false,
    }
}

fn quote_line(line: &str, quoted: &mut String) {
    let mut quote = None;
    let mut last = ' ';
    let mut before = ':';
    let mut brackets = 0_usize;
    let mut rest = line;
    while let Some(letter) = rest.chars().next() {
        if quote.is_none()
            && rest.starts_with("%{")
            && begins_value(&line[..line.len() - rest.len()], before, last, brackets)
            && let Some(end) = rest.find('}').map(|end| end + 1)
            && let Some(after) = rest.get(end..)
            && after
                .trim_start()
                .chars()
                .next()
                .is_none_or(|next| "#,]}".contains(next))
        {
            quoted.push('"');
            quoted.push_str(&rest[..end]);
            quoted.push('"');
            (last, before, rest) = ('"', '"', after);
            continue;
        }
        match (quote, letter) {
            (None, '#') if last.is_whitespace() => {
                quoted.push_str(rest);
                return;
            }
            // In the middle of a plain text these are letters like others.
            (None, '"' | '\'') if matches!(before, ':' | '-' | '[' | ',' | '{') => quote = Some(letter),
            (None, '[' | '{') => brackets += 1,
            (None, ']' | '}') => brackets = brackets.saturating_sub(1),
            (Some(open), _) if open == letter && !(open == '"' && last == '\\') => quote = None,
            _ => {}
        }
        if !letter.is_whitespace() {
            before = letter;
        }
        // A backslash that is escaped itself escapes nothing.
        last = if last == '\\' && letter == '\\' {
            ' '
        } else {
            letter
        };
        quoted.push(letter);
        rest = &rest[letter.len_utf8()..];
    }
}

struct Open {
    node: Node,
    anchor: usize,
    key: Option<String>,
}

struct Reader<'a> {
    file: &'a str,
    open: Vec<Open>,
    done: Option<Node>,
    anchors: HashMap<usize, Node>,
    values: usize,
}

impl Reader<'_> {
    fn mistake(&self, line: usize, message: impl Into<String>) -> Mistake {
        mistake(self.file, line, message)
    }

    fn event(&mut self, event: Event<'_>, line: usize) -> Result<(), Mistake> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let tagged_text = tag.is_some_and(|tag| tag.is_yaml_core_schema() && tag.suffix() == "str");
                let value = if style == ScalarStyle::Plain && !tagged_text {
                    plain(&text)
                } else {
                    Value::Text(text.into_owned())
                };
                self.add(Node { value, line }, anchor)
            }
            Event::SequenceStart(_, anchor, _) => self.begin(Value::List(Vec::new()), line, anchor),
            Event::MappingStart(_, anchor, _) => self.begin(Value::Map(Vec::new()), line, anchor),
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(mut open) => {
                    self.merge(&mut open.node)?;
                    self.add(open.node, open.anchor)
                }
                None => Ok(()),
            },
            Event::Alias(anchor) => match self.anchors.get(&anchor).cloned() {
                Some(node) => self.add(node, 0),
                None => Err(self.mistake(line, "an alias stands for something that is not complete yet")),
            },
            Event::DocumentStart(..) if self.done.is_some() => {
                Err(self.mistake(line, "a suite file has one document, here is another"))
            }
            _ => Ok(()),
        }
    }

    /// Takes over what a map has under `<<`: the entries of another map, or of several, that it has none of its own for.
    fn merge(&self, node: &mut Node) -> Result<(), Mistake> {
        let Value::Map(entries) = &mut node.value else {
            return Ok(());
        };
        let Some(at) = entries.iter().position(|(key, _)| key == "<<") else {
            return Ok(());
        };
        let (_, merged) = entries.remove(at);
        let maps = match merged.value {
            Value::List(items) => items,
            _ => vec![merged],
        };
        for map in maps {
            let line = map.line;
            let Value::Map(more) = map.value else {
                return Err(self.mistake(line, "`<<` takes over maps"));
            };
            for (key, value) in more {
                if !entries.iter().any(|(have, _)| *have == key) {
                    entries.push((key, value));
                }
            }
        }
        Ok(())
    }

    fn begin(&mut self, value: Value, line: usize, anchor: usize) -> Result<(), Mistake> {
        if self.open.len() == DEEPEST {
            return Err(self.mistake(line, format!("nested more than {DEEPEST} levels deep")));
        }
        self.open.push(Open {
            node: Node { value, line },
            anchor,
            key: None,
        });
        Ok(())
    }

    fn add(&mut self, node: Node, anchor: usize) -> Result<(), Mistake> {
        self.values += size(&node);
        if self.values > MOST_VALUES {
            return Err(self.mistake(node.line, format!("more than {MOST_VALUES} values")));
        }
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        let file = self.file;
        let Some(open) = self.open.last_mut() else {
            self.done = Some(node);
            return Ok(());
        };
        match &mut open.node.value {
            Value::List(items) => items.push(node),
            Value::Map(entries) => match open.key.take() {
                Some(key) if entries.iter().any(|(have, _)| *have == key) => {
                    return Err(mistake(file, node.line, format!("key `{key}` is given twice")));
                }
                Some(key) => entries.push((key, node)),
                None => match node.text() {
                    Some(key) => open.key = Some(key),
                    None => {
                        return Err(mistake(
                            file,
                            node.line,
                            format!("{} cannot be a key", node.kind()),
                        ));
                    }
                },
            },
            _ => {}
        }
        Ok(())
    }
}

fn size(node: &Node) -> usize {
    match &node.value {
        Value::List(items) => 1 + items.iter().map(size).sum::<usize>(),
        Value::Map(entries) => 1 + entries.iter().map(|(_, item)| size(item)).sum::<usize>(),
        _ => 1,
    }
}

/// A plain scalar as the generator of these suites reads it: YAML 1.2 with the octal numbers of YAML 1.1.
fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" => return Value::Bool(true),
        "false" | "False" | "FALSE" => return Value::Bool(false),
        _ => {}
    }
    integer(text).map_or_else(|| Value::Text(text.to_owned()), Value::Integer)
}

/// A number in any of the usual notations.
pub(super) fn integer(text: &str) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (base, digits) = if let Some(digits) = digits.strip_prefix("0x") {
        (16, digits)
    } else if let Some(digits) = digits.strip_prefix("0o") {
        (8, digits)
    } else if let Some(digits) = digits.strip_prefix("0b") {
        (2, digits)
    } else if digits.len() > 1 && digits.starts_with('0') {
        (8, digits)
    } else {
        (10, digits)
    };
    if !digits.chars().all(|digit| digit.is_digit(base)) {
        return None;
    }
    let number = i64::from_str_radix(digits, base).ok()?;
    Some(if negative { -number } else { number })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Value {
        let node = read("a.yaml", &format!("key: {text}\n")).unwrap();
        node.map().unwrap()[0].1.value.clone()
    }

    #[test]
    fn placeholders_stand_for_values_where_yaml_has_none() {
        for (text, expected) in [
            ("a: %{ item.x }", "{a: %{ item.x }}"),
            ("a: %{ item.x } # why", "{a: %{ item.x }}"),
            (
                "a: [%{item.x}, 'it''s %{ item.y }', %{ item.z }]",
                "{a: [%{item.x}, it's %{ item.y }, %{ item.z }]}",
            ),
            ("a: {b: %{ item.x }, c: 1}", "{a: {b: %{ item.x }, c: 1}}"),
            (
                "- %{ item.x }\n- it's - %{ item.y }",
                "[%{ item.x }, it's - %{ item.y }]",
            ),
            (
                "a: |\n  x: %{ item.x }\n  tar -f - %{ item.y }\nb: %{ item.z }",
                "{a: x: %{ item.x }\ntar -f - %{ item.y }\n, b: %{ item.z }}",
            ),
            ("a: \"x: %{ item.x }\"", "{a: x: %{ item.x }}"),
            ("a: \"\\\"- %{ item.x }\"", "{a: \"- %{ item.x }}"),
        ] {
            match read("a.yaml", text) {
                Ok(node) => assert_eq!(node.to_string(), expected, "{text}"),
                Err(error) => panic!("{error}: {text}"),
            }
        }
    }

    #[test]
    fn maps_take_over_others() {
        let node = read(
            "a.yaml",
            "a: &a {x: 1, y: 2}\nb: &b {z: 3, x: 4}\nc: {<<: *a, y: 5}\nd: {<<: [*a, *b]}\n",
        )
        .unwrap();
        assert_eq!(
            node.to_string(),
            "{a: {x: 1, y: 2}, b: {z: 3, x: 4}, c: {y: 5, x: 1}, d: {x: 1, y: 2, z: 3}}"
        );
        let error = read("a.yaml", "a: 1\nc:\n  <<: text\n").unwrap_err();
        assert_eq!(error.to_string(), "a.yaml:3: `<<` takes over maps");
    }

    #[test]
    fn scalars_have_types() {
        for (text, expected) in [
            ("0644", Value::Integer(0o644)),
            ("0x1f", Value::Integer(31)),
            ("0o17", Value::Integer(15)),
            ("-100", Value::Integer(-100)),
            ("\"0644\"", Value::Text("0644".to_owned())),
            ("!!str 12", Value::Text("12".to_owned())),
            ("089", Value::Text("089".to_owned())),
            ("1.5", Value::Text("1.5".to_owned())),
            ("", Value::Null),
            ("~", Value::Null),
            ("true", Value::Bool(true)),
            ("yes", Value::Text("yes".to_owned())),
            ("O_RDONLY|O_CREAT", Value::Text("O_RDONLY|O_CREAT".to_owned())),
            ("{}", Value::Map(Vec::new())),
            ("%{ item.a }", Value::Text("%{ item.a }".to_owned())),
            ("%{item.a}  # why", Value::Text("%{item.a}".to_owned())),
            ("\"%{ item.a }\"", Value::Text("%{ item.a }".to_owned())),
        ] {
            assert_eq!(value(text), expected, "{text}");
        }
    }

    #[test]
    fn lines_are_known() {
        let node = read("a.yaml", "one: 1\ntwo:\n  - x\n  - y: z\n").unwrap();
        let two = &node.map().unwrap()[1].1;
        assert_eq!(two.list().unwrap()[1].line, 4);
    }

    #[test]
    fn aliases_repeat() {
        let node = read("a.yaml", "one: &a [1, 2]\ntwo: *a\n").unwrap();
        let entries = node.map().unwrap();
        assert_eq!(entries[0].1.value, entries[1].1.value);
    }

    #[test]
    fn mistakes_name_file_and_line() {
        for (text, expected) in [
            ("", "a.yaml:1: there is no document in the file"),
            ("a: 1\nb: 2\na: 3\n", "a.yaml:3: key `a` is given twice"),
            (
                "a: 1\n---\nb: 1\n",
                "a.yaml:2: a suite file has one document, here is another",
            ),
            ("? [1]\n: 2\n", "a.yaml:1: a list cannot be a key"),
        ] {
            assert_eq!(read("a.yaml", text).unwrap_err().to_string(), expected);
        }
        let error = read("a.yaml", "a: [1\nb: 2\n").unwrap_err();
        assert!(error.line >= 1 && error.file == "a.yaml", "{error}");
    }

    #[test]
    fn bombs_are_refused() {
        let deep = format!("{}{}", "- ".repeat(70), "x");
        assert!(read("a.yaml", &deep).unwrap_err().message.contains("levels deep"));
        let mut bomb = "a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n".to_owned();
        for level in 1..12 {
            let items = vec![format!("*a{}", level - 1); 10].join(", ");
            bomb.push_str(&format!("a{level}: &a{level} [{items}]\n"));
        }
        assert!(read("a.yaml", &bomb).unwrap_err().message.contains("values"));
    }
}
