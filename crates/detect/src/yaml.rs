//! Rule files as a tree of values that know where they stand in the file.

use serde_saphyr::granit_parser::{Event, Marker, Parser, ScalarStyle};
use std::collections::HashMap;
use std::sync::Arc;

/// Most values that a file may have, aliases counted as what they stand for.
const MOST_VALUES: usize = 1_000_000;

/// Most bytes of text that aliases may repeat.
const MOST_REPEATED: usize = 64 << 20;

/// Deepest nesting of a file; rules need six levels.
const DEEPEST: usize = 64;

/// A place in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Position {
    /// The line, from 0.
    pub line: usize,
    /// The column in characters, from 0.
    pub column: usize,
    /// Bytes before it.
    pub offset: usize,
}

/// A rule file that was read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Source {
    /// The name as it was given, for messages.
    pub(crate) name: String,
    /// The content.
    pub(crate) text: String,
}

impl Source {
    /// The position of a byte.
    fn position(&self, offset: usize) -> Position {
        let before = self.text.get(..offset).unwrap_or(&self.text);
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Position {
            line: memchr::memchr_iter(b'\n', before.as_bytes()).count(),
            column: before[start..].chars().count(),
            offset: before.len(),
        }
    }
}

/// A place in a file, and which file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) source: Arc<Source>,
    pub(crate) position: Position,
}

/// A value and where it starts.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    pub(crate) value: Value,
    pub(crate) place: Place,
}

/// What a file holds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Null,
    Scalar(Scalar),
    List(Vec<Node>),
    Map(Vec<(Node, Node)>),
}

/// A text or number, and enough to find its characters in the file again.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Scalar {
    pub(crate) text: Arc<str>,
    /// Bytes of the file that it was written in.
    span: (usize, usize),
    /// Whether its characters other than blanks stand in the file as they are, in this order.
    verbatim: bool,
    /// Whether it is in quotes.
    quoted: bool,
    plain: bool,
}

impl Node {
    /// The value under a key.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        self.entries()
            .iter()
            .find(|(have, _)| have.text() == Some(key))
            .map(|(_, value)| value)
    }

    /// The entries of a map, none for all else.
    pub(crate) fn entries(&self) -> &[(Self, Self)] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The items of a list.
    pub(crate) fn items(&self) -> Option<&[Self]> {
        match &self.value {
            Value::List(items) => Some(items),
            _ => None,
        }
    }

    /// A text or number, as it is written.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar(scalar) => Some(&scalar.text),
            _ => None,
        }
    }

    /// A truth value, in any of the ways that YAML 1.1 writes it.
    pub(crate) fn boolean(&self) -> Option<bool> {
        match &self.value {
            Value::Scalar(scalar) if scalar.plain || scalar.text.len() < 6 => {
                match scalar.text.to_ascii_lowercase().as_str() {
                    "true" | "yes" | "on" | "y" => Some(true),
                    "false" | "no" | "off" | "n" => Some(false),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// What it is, for messages.
    pub(crate) fn kind(&self) -> &'static str {
        match &self.value {
            Value::Null => "nothing",
            Value::Scalar(_) => "text",
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
        }
    }

    /// The text with its places.
    pub(crate) fn traced(&self) -> Option<Traced> {
        let Value::Scalar(scalar) = &self.value else {
            return None;
        };
        Some(Traced {
            text: scalar.text.to_string(),
            pieces: vec![Piece {
                start: 0,
                origin: Arc::new(Origin {
                    source: Arc::clone(&self.place.source),
                    scalar: scalar.clone(),
                }),
                at: 0,
                moves: true,
            }],
        })
    }
}

#[derive(Debug, PartialEq)]
struct Origin {
    source: Arc<Source>,
    scalar: Scalar,
}

/// From `start` on, text comes from `origin` at `at`, and moves on with it or all stands for what is there.
#[derive(Debug, Clone, PartialEq)]
struct Piece {
    start: usize,
    origin: Arc<Origin>,
    at: usize,
    moves: bool,
}

/// A text put together from scalars of files, each byte of which can be found there.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Traced {
    pub(crate) text: String,
    pieces: Vec<Piece>,
}

impl Traced {
    /// A text of no file.
    pub(crate) fn from_text(text: String) -> Self {
        Self {
            text,
            pieces: Vec::new(),
        }
    }

    /// Takes bytes off the end.
    pub(crate) fn trim_end(&mut self, take: impl Fn(u8) -> bool) {
        while self.text.as_bytes().last().is_some_and(|byte| take(*byte)) {
            self.text.pop();
        }
    }

    /// Takes the last character off.
    pub(crate) fn trim_last(&mut self) {
        self.text.pop();
    }

    /// Adds another text after a blank.
    pub(crate) fn append(&mut self, other: &Self) {
        self.text.push(' ');
        self.push_range(other, 0, other.text.len());
    }

    /// Adds a part of another text.
    pub(crate) fn push_range(&mut self, other: &Self, start: usize, end: usize) {
        let base = self.text.len();
        self.text.push_str(&other.text[start..end]);
        let first = other.pieces.partition_point(|piece| piece.start <= start);
        for piece in &other.pieces[first.saturating_sub(1)..] {
            if piece.start >= end && piece.start > start {
                break;
            }
            let skipped = start.saturating_sub(piece.start);
            self.forget_from(base + piece.start.saturating_sub(start));
            self.pieces.push(Piece {
                start: base + piece.start.saturating_sub(start),
                origin: Arc::clone(&piece.origin),
                at: if piece.moves { piece.at + skipped } else { piece.at },
                moves: piece.moves,
            });
        }
    }

    /// Adds a text that stands for what is at `at` of another.
    pub(crate) fn push_substitute(&mut self, text: &str, other: &Self, at: usize) {
        if let Some((origin, at)) = other.origin(at) {
            self.forget_from(self.text.len());
            self.pieces.push(Piece {
                start: self.text.len(),
                origin: Arc::clone(origin),
                at,
                moves: false,
            });
        }
        self.text.push_str(text);
    }

    /// Forgets pieces of text that was taken off again.
    fn forget_from(&mut self, start: usize) {
        while self.pieces.last().is_some_and(|last| last.start >= start) {
            self.pieces.pop();
        }
    }

    /// Adds a text that stands for something at a place.
    pub(crate) fn push_placed(&mut self, text: &str, place: &Place) {
        let at = place.position.offset;
        let scalar = Scalar {
            text: Arc::from(""),
            span: (at, at),
            verbatim: false,
            quoted: false,
            plain: true,
        };
        let source = Arc::clone(&place.source);
        self.pieces.push(Piece {
            start: self.text.len(),
            origin: Arc::new(Origin { source, scalar }),
            at: 0,
            moves: false,
        });
        self.text.push_str(text);
    }

    fn origin(&self, offset: usize) -> Option<(&Arc<Origin>, usize)> {
        let index = self.pieces.partition_point(|piece| piece.start <= offset);
        let piece = self.pieces.get(index.checked_sub(1)?)?;
        let moved = if piece.moves { offset - piece.start } else { 0 };
        Some((&piece.origin, piece.at + moved))
    }

    /// Where a byte of the text stands in its file.
    pub(crate) fn place(&self, offset: usize) -> Option<Place> {
        let (origin, at) = self.origin(offset)?;
        let scalar = &origin.scalar;
        let source = &origin.source;
        let (start, end) = scalar.span;
        let found = if scalar.verbatim {
            let raw = source.text.get(start..end).unwrap_or_default();
            let header = usize::from(scalar.quoted);
            let body = raw.get(header..).unwrap_or_default();
            let before = scalar
                .text
                .get(..at)
                .unwrap_or(&scalar.text)
                .chars()
                .filter(|character| !character.is_whitespace())
                .count();
            let offset = body
                .char_indices()
                .filter(|(_, character)| !character.is_whitespace())
                .nth(before)
                .map_or(body.len(), |(offset, _)| offset);
            start + header + offset
        } else {
            start
        };
        Some(Place {
            source: Arc::clone(source),
            position: source.position(found),
        })
    }
}

/// Why a file could not be read.
#[derive(Debug)]
pub(crate) struct YamlError {
    pub(crate) message: String,
    pub(crate) place: Place,
}

/// Reads the documents of a file.
pub(crate) fn read(source: &Arc<Source>) -> Result<Vec<Node>, YamlError> {
    let mut reader = Reader {
        source,
        documents: Vec::new(),
        open: Vec::new(),
        anchors: HashMap::new(),
        values: 0,
        repeated: 0,
    };
    for event in Parser::new_from_str(&source.text) {
        match event {
            Ok((event, span)) => reader.event(event, &span.start, &span.end)?,
            Err(error) => {
                return Err(YamlError {
                    message: error.to_string(),
                    place: reader.place(error.marker()),
                });
            }
        }
    }
    Ok(reader.documents)
}

struct Open {
    node: Node,
    anchor: usize,
    key: Option<Node>,
}

struct Reader<'a> {
    source: &'a Arc<Source>,
    documents: Vec<Node>,
    open: Vec<Open>,
    anchors: HashMap<usize, Node>,
    values: usize,
    repeated: usize,
}

impl Reader<'_> {
    fn place(&self, marker: &Marker) -> Place {
        Place {
            source: Arc::clone(self.source),
            position: Position {
                line: marker.line().saturating_sub(1),
                column: marker.col(),
                offset: marker.byte_offset().unwrap_or_default(),
            },
        }
    }

    fn error(&self, marker: &Marker, message: String) -> YamlError {
        YamlError {
            message,
            place: self.place(marker),
        }
    }

    fn event(&mut self, event: Event<'_>, start: &Marker, end: &Marker) -> Result<(), YamlError> {
        match event {
            Event::Scalar(text, style, anchor, _) => {
                let plain = style == ScalarStyle::Plain;
                let quoted = matches!(style, ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted);
                let verbatim = match style {
                    ScalarStyle::DoubleQuoted => {
                        let span = start.byte_offset().zip(end.byte_offset());
                        let raw = span.and_then(|(from, to)| self.source.text.get(from..to));
                        raw.is_some_and(|raw| !raw.contains('\\'))
                    }
                    ScalarStyle::SingleQuoted => !text.contains('\''),
                    _ => true,
                };
                let value = if plain && matches!(&*text, "" | "~" | "null") {
                    Value::Null
                } else {
                    Value::Scalar(Scalar {
                        text: Arc::from(&*text),
                        span: (
                            start.byte_offset().unwrap_or_default(),
                            end.byte_offset().unwrap_or_default(),
                        ),
                        verbatim: verbatim && start.byte_offset().is_some(),
                        quoted,
                        plain,
                    })
                };
                let node = Node {
                    value,
                    place: self.place(start),
                };
                self.count(1, start)?;
                self.add(node, anchor);
            }
            Event::SequenceStart(_, anchor, _) => {
                self.start(Value::List(Vec::new()), anchor, start)?;
            }
            Event::MappingStart(_, anchor, _) => {
                self.start(Value::Map(Vec::new()), anchor, start)?;
            }
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some(open) = self.open.pop() {
                    self.add(open.node, open.anchor);
                }
            }
            Event::Alias(anchor) => {
                let Some(node) = self.anchors.get(&anchor) else {
                    return Err(self.error(start, "an alias stands for nothing".to_owned()));
                };
                let (values, depth, bytes) = measure(node);
                if depth + self.open.len() > DEEPEST {
                    return Err(self.error(start, format!("nested deeper than {DEEPEST}")));
                }
                self.repeated = self.repeated.saturating_add(bytes);
                let node = node.clone();
                self.count(values, start)?;
                if self.repeated > MOST_REPEATED {
                    return Err(self.error(start, format!("aliases repeat more than {MOST_REPEATED} bytes")));
                }
                self.add(node, 0);
            }
            _ => {}
        }
        Ok(())
    }

    fn count(&mut self, values: usize, marker: &Marker) -> Result<(), YamlError> {
        self.values = self.values.saturating_add(values);
        if self.values > MOST_VALUES {
            return Err(self.error(marker, format!("more than {MOST_VALUES} values")));
        }
        Ok(())
    }

    fn start(&mut self, value: Value, anchor: usize, marker: &Marker) -> Result<(), YamlError> {
        if self.open.len() >= DEEPEST {
            return Err(self.error(marker, format!("nested deeper than {DEEPEST}")));
        }
        self.count(1, marker)?;
        let node = Node {
            value,
            place: self.place(marker),
        };
        self.open.push(Open {
            node,
            anchor,
            key: None,
        });
        Ok(())
    }

    fn add(&mut self, node: Node, anchor: usize) {
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        let Some(open) = self.open.last_mut() else {
            self.documents.push(node);
            return;
        };
        match &mut open.node.value {
            Value::List(items) => items.push(node),
            Value::Map(entries) => match open.key.take() {
                None => open.key = Some(node),
                Some(key) => entries.push((key, node)),
            },
            Value::Null | Value::Scalar(_) => {}
        }
    }
}

/// Values, depth and bytes of text of a node; nodes are never deeper than [`DEEPEST`].
fn measure(node: &Node) -> (usize, usize, usize) {
    let mut values = 1;
    let mut depth = 0;
    let mut bytes = 0;
    let mut add = |child: &Node| {
        let (more, deep, long) = measure(child);
        values += more;
        depth = depth.max(deep);
        bytes += long;
    };
    match &node.value {
        Value::Null => {}
        Value::Scalar(scalar) => return (1, 1, scalar.text.len()),
        Value::List(items) => items.iter().for_each(add),
        Value::Map(entries) => {
            for (key, value) in entries {
                add(key);
                add(value);
            }
        }
    }
    (values, depth + 1, bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Arc<Source> {
        Arc::new(Source {
            name: "test.yaml".to_owned(),
            text: text.to_owned(),
        })
    }

    fn place_of(yaml: &str, needle: &str) -> (usize, usize) {
        let documents = read(&source(yaml)).unwrap();
        let traced = documents[0].get("condition").unwrap().traced().unwrap();
        let offset = traced.text.find(needle).unwrap();
        let position = traced.place(offset).unwrap().position;
        (position.line, position.column)
    }

    #[test]
    fn every_style_of_scalar_knows_its_places() {
        let cases = [
            ("condition: a and needle\n", (0, 17)),
            ("condition: >\n  a and\n  b or needle\n", (2, 7)),
            ("condition: >-\n\n  a and\n\n  needle\n", (4, 2)),
            ("condition: |\n    a and\n    needle\n", (2, 4)),
            ("condition: a\n  and b\n  or needle\n", (2, 5)),
            ("condition: 'a and needle'\n", (0, 18)),
            ("condition: \"a and needle\"\n", (0, 18)),
            ("condition: \"a\\tand needle\"\n", (0, 11)),
        ];
        for (yaml, expected) in cases {
            assert_eq!(place_of(yaml, "needle"), expected, "{yaml:?}");
        }
    }

    #[test]
    fn texts_put_together_know_their_places() {
        let documents = read(&source("- a and b\n- or needle\n")).unwrap();
        let items = documents[0].items().unwrap();
        let mut text = items[0].traced().unwrap();
        text.append(&items[1].traced().unwrap());
        assert_eq!(text.text, "a and b or needle");
        let place = |text: &Traced, needle: &str| {
            let position = text.place(text.text.find(needle).unwrap()).unwrap().position;
            (position.line, position.column)
        };
        assert_eq!(place(&text, "needle"), (1, 5));
        let mut other = Traced::default();
        other.push_range(&text, 0, 6);
        other.push_substitute("x, y", &text, 6);
        other.push_range(&text, 7, text.text.len());
        assert_eq!(other.text, "a and x, y or needle");
        assert_eq!(place(&other, "y or"), (0, 8));
        assert_eq!(place(&other, "needle"), (1, 5));
    }

    #[test]
    fn bombs_are_errors() {
        let mut bomb = "a: &a [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for (name, before) in "bcdefghij".chars().zip("abcdefghi".chars()) {
            let items = vec![format!("*{before}"); 10].join(", ");
            bomb.push_str(&format!("{name}: &{name} [{items}]\n"));
        }
        assert!(read(&source(&bomb)).is_err());
        assert!(read(&source(&"[".repeat(100_000))).is_err());
        assert!(read(&source(&"- ".repeat(10_000))).is_err());
    }
}
