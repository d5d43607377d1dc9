//! One tree for JSON, TOML and YAML, and one for XML: with lines, within caps, and with what was read before an error.
//!
//! Lock files come from strangers, so an entry may have any type anywhere. Readers walk these trees with accessors that
//! give nothing for what is absent or of another type, and say per entry what they miss.

use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_saphyr::granit_parser;
use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::fmt;
use toml::de::{DeTable, DeValue};

/// Most values that a document may have; a lock file of a hundred thousand packages has about a million. A value takes some
/// 150 bytes of memory.
const MOST_VALUES: usize = 1_500_000;

/// The same for TOML, whose parser takes more memory for each; entries of inline tables count twice.
const MOST_TOML_VALUES: usize = 1_000_000;

/// Deepest nesting of a YAML or XML document; JSON and TOML have their libraries' own limits of 128 and 80.
const DEEPEST: usize = 128;

/// A value and the line (from 1) of its key, or of itself in a list; 0 when unknown.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Node<'a> {
    pub(crate) value: Value<'a>,
    pub(crate) line: u32,
}

/// What a document holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Value<'a> {
    #[default]
    Null,
    Bool(bool),
    /// Text, and numbers as they are written (YAML, TOML) or in their shortest form (JSON).
    Text(Cow<'a, str>),
    List(Vec<Node<'a>>),
    Map(Vec<(Cow<'a, str>, Node<'a>)>),
}

static NOTHING: Node<'static> = Node {
    value: Value::Null,
    line: 0,
};

impl<'a> Node<'a> {
    /// The value under a key; null when there is none or this is no map. Walks the map: not for maps of packages.
    pub(crate) fn get(&self, key: &str) -> &Node<'a> {
        match &self.value {
            Value::Map(entries) => entries
                .iter()
                .find(|(have, _)| have == key)
                .map_or(&NOTHING, |(_, node)| node),
            _ => &NOTHING,
        }
    }

    /// True unless absent or null.
    pub(crate) fn exists(&self) -> bool {
        self.value != Value::Null
    }

    /// Text or number; `None` for all else.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Text or number; empty for all else.
    pub(crate) fn str(&self) -> &str {
        self.text().unwrap_or_default()
    }

    /// True for the boolean `true` only.
    pub(crate) fn is_true(&self) -> bool {
        self.value == Value::Bool(true)
    }

    /// Entries of a map in the document's order (TOML: sorted); none for all else.
    pub(crate) fn entries(&self) -> &[(Cow<'a, str>, Node<'a>)] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    /// Items of a list; none for all else.
    pub(crate) fn items(&self) -> &[Node<'a>] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }

    /// Texts of a list, or the text itself.
    pub(crate) fn texts(&self) -> Vec<&str> {
        match &self.value {
            Value::Text(text) => vec![text],
            Value::List(items) => items.iter().filter_map(Node::text).collect(),
            _ => Vec::new(),
        }
    }

    /// What it is, for messages.
    pub(crate) fn kind(&self) -> &'static str {
        match &self.value {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Text(_) => "text",
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
        }
    }
}

/// What was read, and what ended the reading.
pub(crate) struct Parsed<T> {
    pub(crate) document: T,
    /// `None` when all was read.
    pub(crate) error: Option<String>,
}

/// Text of a file: UTF-8, or UTF-16 with its mark. Bytes that are not UTF-8 become single private-use characters.
pub(crate) fn decode(bytes: &[u8]) -> Cow<'_, str> {
    let units = |two: fn([u8; 2]) -> u16| {
        let units = bytes
            .get(2..)
            .unwrap_or_default()
            .chunks_exact(2)
            .map(|pair| two([pair[0], pair[1]]));
        char::decode_utf16(units)
            .map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER))
            .collect::<String>()
    };
    match bytes {
        [0xff, 0xfe, ..] => Cow::Owned(units(u16::from_le_bytes)),
        [0xfe, 0xff, ..] => Cow::Owned(units(u16::from_be_bytes)),
        [0xef, 0xbb, 0xbf, rest @ ..] => model::path::from_bytes(rest),
        _ => model::path::from_bytes(bytes),
    }
}

/// Counts lines up to ever growing offsets.
struct Lines<'a> {
    text: &'a [u8],
    offset: Cell<usize>,
    line: Cell<u32>,
}

impl<'a> Lines<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            text: text.as_bytes(),
            offset: Cell::new(0),
            line: Cell::new(1),
        }
    }

    /// Line of an offset; for an offset before the last one asked, the last line.
    fn at(&self, offset: usize) -> u32 {
        if let Some(passed) = self.text.get(self.offset.get()..offset) {
            let breaks = memchr::memchr_iter(b'\n', passed).count();
            self.line.set(
                self.line
                    .get()
                    .saturating_add(u32::try_from(breaks).unwrap_or(u32::MAX)),
            );
            self.offset.set(offset);
        }
        self.line.get()
    }

    /// Line of a part of the text; for text from elsewhere (it was unescaped) the last line.
    fn of(&self, part: &str) -> u32 {
        let start = (part.as_ptr() as usize).wrapping_sub(self.text.as_ptr() as usize);
        if start <= self.text.len() {
            self.at(start)
        } else {
            self.line.get()
        }
    }
}

/// Which values a JSON reader has no use for: gets the number of keys above and the key. They are checked, not kept.
pub(crate) type Skip = fn(depth: usize, key: &str) -> bool;

/// Reads JSON.
pub(crate) fn json(text: &str, skip: Skip) -> Parsed<Node<'_>> {
    let state = JsonState {
        lines: Lines::new(text),
        values: Cell::new(0),
        partial: RefCell::new(None),
        skip,
    };
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let seed = JsonSeed {
        state: &state,
        depth: 0,
    };
    match seed.deserialize(&mut deserializer) {
        Ok(document) => Parsed {
            document,
            error: deserializer
                .end()
                .err()
                .map(|error| format!("not valid JSON: {error}")),
        },
        Err(error) => Parsed {
            document: state.partial.take().unwrap_or_default(),
            error: Some(format!("not valid JSON: {error}")),
        },
    }
}

/// Reads JSON with comments and trailing commas.
pub(crate) fn strip_json_comments(text: &str) -> String {
    let mut bytes = text.as_bytes().to_vec();
    let mut index = 0;
    // Position of a comma that nothing but space and comments followed so far.
    let mut comma = None;
    while let Some(&byte) = bytes.get(index) {
        match (byte, bytes.get(index + 1)) {
            (b'"', _) => {
                comma = None;
                index += 1;
                while let Some(&inner) = bytes.get(index) {
                    match inner {
                        b'\\' => index += 1,
                        b'"' => break,
                        _ => {}
                    }
                    index += 1;
                }
            }
            (b'/', Some(b'/')) => {
                while let Some(inner) = bytes.get_mut(index).filter(|inner| **inner != b'\n') {
                    *inner = b' ';
                    index += 1;
                }
                continue;
            }
            (b'/', Some(b'*')) => {
                let end = memchr::memmem::find(&bytes[index + 2..], b"*/")
                    .map_or(bytes.len(), |at| index + 2 + at + 2);
                for inner in &mut bytes[index..end] {
                    if *inner != b'\n' {
                        *inner = b' ';
                    }
                }
                index = end;
                continue;
            }
            (b',', _) => comma = Some(index),
            (b'}' | b']', _) => {
                if let Some(at) = comma.take() {
                    bytes[at] = b' ';
                }
            }
            (b' ' | b'\t' | b'\r' | b'\n', _) => {}
            _ => comma = None,
        }
        index += 1;
    }
    // Whole comments were blanked byte by byte, so what is left is the UTF-8 it was.
    String::from_utf8(bytes).unwrap_or_default()
}

struct JsonState<'a> {
    lines: Lines<'a>,
    values: Cell<usize>,
    /// What was read of the value in which reading failed.
    partial: RefCell<Option<Node<'a>>>,
    skip: Skip,
}

struct JsonSeed<'s, 'a> {
    state: &'s JsonState<'a>,
    depth: usize,
}

impl<'s, 'a> JsonSeed<'s, 'a> {
    fn deeper(&self, by: usize) -> JsonSeed<'s, 'a> {
        JsonSeed {
            state: self.state,
            depth: self.depth + by,
        }
    }

    fn leaf(&self, value: Value<'a>) -> Node<'a> {
        Node {
            value,
            line: self.state.lines.line.get(),
        }
    }
}

impl<'a> DeserializeSeed<'a> for JsonSeed<'_, 'a> {
    type Value = Node<'a>;

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<Node<'a>, D::Error> {
        let values = self.state.values.get() + 1;
        if values > MOST_VALUES {
            return Err(serde::de::Error::custom(format_args!(
                "more than {MOST_VALUES} values, which is the most that is read"
            )));
        }
        self.state.values.set(values);
        deserializer.deserialize_any(self)
    }
}

impl<'a> Visitor<'a> for JsonSeed<'_, 'a> {
    type Value = Node<'a>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Node<'a>, E> {
        Ok(self.leaf(Value::Null))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node<'a>, E> {
        Ok(self.leaf(Value::Bool(value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node<'a>, E> {
        Ok(self.leaf(Value::Text(value.to_string().into())))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node<'a>, E> {
        Ok(self.leaf(Value::Text(value.to_string().into())))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node<'a>, E> {
        Ok(self.leaf(Value::Text(value.to_string().into())))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node<'a>, E> {
        Ok(self.leaf(Value::Text(value.to_owned().into())))
    }

    fn visit_borrowed_str<E>(self, value: &'a str) -> Result<Node<'a>, E> {
        self.state.lines.of(value);
        Ok(self.leaf(Value::Text(value.into())))
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut access: A) -> Result<Node<'a>, A::Error> {
        let line = self.state.lines.line.get();
        let mut items = Vec::new();
        let outcome = loop {
            match access.next_element_seed(self.deeper(1)) {
                Ok(Some(item)) => items.push(item),
                Ok(None) => break None,
                Err(error) => {
                    items.extend(self.state.partial.take());
                    break Some(error);
                }
            }
        };
        // There may be very many small lists and maps.
        items.shrink_to_fit();
        let node = Node {
            value: Value::List(items),
            line,
        };
        self.give(node, outcome)
    }

    fn visit_map<A: MapAccess<'a>>(self, mut access: A) -> Result<Node<'a>, A::Error> {
        // An item of a list stands where its first key does; the braces themselves are not seen.
        let mut start = self.state.lines.line.get();
        let mut entries = Vec::new();
        let outcome = loop {
            let key = match access.next_key_seed(KeySeed) {
                Ok(Some(key)) => key,
                Ok(None) => break None,
                Err(error) => break Some(error),
            };
            let line = match &key {
                Cow::Borrowed(key) => self.state.lines.of(key),
                Cow::Owned(_) => self.state.lines.line.get(),
            };
            if entries.is_empty() {
                start = line;
            }
            if (self.state.skip)(self.depth, &key) {
                match access.next_value::<IgnoredAny>() {
                    Ok(_) => continue,
                    Err(error) => break Some(error),
                }
            }
            match access.next_value_seed(self.deeper(1)) {
                Ok(mut node) => {
                    node.line = line;
                    entries.push((key, node));
                }
                Err(error) => {
                    if let Some(mut node) = self.state.partial.take() {
                        node.line = line;
                        entries.push((key, node));
                    }
                    break Some(error);
                }
            }
        };
        entries.shrink_to_fit();
        let node = Node {
            value: Value::Map(entries),
            line: start,
        };
        self.give(node, outcome)
    }
}

impl<'a> JsonSeed<'_, 'a> {
    fn give<E>(&self, node: Node<'a>, error: Option<E>) -> Result<Node<'a>, E> {
        match error {
            None => Ok(node),
            Some(error) => {
                *self.state.partial.borrow_mut() = Some(node);
                Err(error)
            }
        }
    }
}

/// A map's key, borrowed where the text has no escapes.
struct KeySeed;

impl<'a> DeserializeSeed<'a> for KeySeed {
    type Value = Cow<'a, str>;

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<Cow<'a, str>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'a> Visitor<'a> for KeySeed {
    type Value = Cow<'a, str>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a key")
    }

    fn visit_str<E>(self, value: &str) -> Result<Cow<'a, str>, E> {
        Ok(Cow::Owned(value.to_owned()))
    }

    fn visit_borrowed_str<E>(self, value: &'a str) -> Result<Cow<'a, str>, E> {
        Ok(Cow::Borrowed(value))
    }
}

/// The beginning of a TOML text that surely has no more values than are read: all of it, or whole tables. The parser has
/// no such cap of its own.
fn toml_within_cap(text: &str) -> &str {
    // Each value follows one of these, or is the only one of its list.
    let marks = memchr::memchr3_iter(b'=', b',', b'[', text.as_bytes());
    match marks.into_iter().nth(MOST_TOML_VALUES) {
        None => text,
        Some(at) => text
            .get(..at)
            .and_then(|text| Some(&text[..text.rfind("\n[")? + 1]))
            .unwrap_or_default(),
    }
}

/// Reads TOML.
pub(crate) fn toml(text: &str) -> Parsed<Node<'_>> {
    let whole = text;
    let text = toml_within_cap(whole);
    let (table, errors) = DeTable::parse_recoverable(text);
    // Tables come sorted by key, so lines are counted once and looked up.
    let breaks: Vec<usize> = memchr::memchr_iter(b'\n', text.as_bytes()).collect();
    let line = |offset: usize| u32::try_from(breaks.partition_point(|at| *at < offset) + 1).unwrap_or(0);
    let cut = (text.len() < whole.len()).then(|| {
        format!(
            "more than {MOST_TOML_VALUES} values, which is the most that is read; what follows line {} was not",
            line(text.len())
        )
    });
    let invalid = errors.first().map(|error| {
        let place = error
            .span()
            .map(|span| format!(" at line {}", line(span.start)))
            .unwrap_or_default();
        format!("not valid TOML: {}{place}", error.message())
    });
    Parsed {
        document: Node {
            value: toml_table(table.into_inner(), &line),
            line: 1,
        },
        error: cut.or(invalid),
    }
}

fn toml_table<'a>(table: DeTable<'a>, line: &dyn Fn(usize) -> u32) -> Value<'a> {
    let entries = table.into_iter().map(|(key, value)| {
        let at = line(key.span().start);
        let node = Node {
            value: toml_value(value.into_inner(), line),
            line: at,
        };
        (key.into_inner(), node)
    });
    Value::Map(entries.collect())
}

fn toml_value<'a>(value: DeValue<'a>, line: &dyn Fn(usize) -> u32) -> Value<'a> {
    match value {
        DeValue::String(text) => Value::Text(text),
        DeValue::Integer(number) => Value::Text(number.to_string().into()),
        DeValue::Float(number) => Value::Text(number.to_string().into()),
        DeValue::Boolean(value) => Value::Bool(value),
        DeValue::Datetime(value) => Value::Text(value.to_string().into()),
        DeValue::Array(items) => {
            let items = items.into_iter().map(|item| {
                let at = line(item.span().start);
                Node {
                    value: toml_value(item.into_inner(), line),
                    line: at,
                }
            });
            Value::List(items.collect())
        }
        DeValue::Table(table) => toml_table(table, line),
    }
}

/// Reads the documents of a YAML stream. Plain scalars stay the text they are, but for null and booleans, since `1.10` is
/// a version and no number. Aliases are copied within the caps on values and depth.
pub(crate) fn yaml(text: &str) -> Parsed<Vec<Node<'_>>> {
    let mut loader = YamlLoader::default();
    let mut error = None;
    for event in granit_parser::Parser::new_from_str(text) {
        let outcome = match event {
            Ok((event, span)) => loader.event(event, u32::try_from(span.start.line()).unwrap_or(0)),
            Err(error) => Err(error.to_string()),
        };
        if let Err(what) = outcome {
            error = Some(format!("not valid YAML: {what}"));
            break;
        }
    }
    while !loader.open.is_empty() {
        loader.close();
    }
    Parsed {
        document: loader.documents,
        error,
    }
}

#[derive(Default)]
struct YamlLoader<'a> {
    documents: Vec<Node<'a>>,
    open: Vec<YamlOpen<'a>>,
    anchors: HashMap<usize, Node<'a>>,
    values: usize,
}

/// A collection that is being read, its anchor, and the key that waits for its value.
struct YamlOpen<'a> {
    node: Node<'a>,
    anchor: usize,
    key: Option<(Cow<'a, str>, u32)>,
}

impl<'a> YamlLoader<'a> {
    fn event(&mut self, event: granit_parser::Event<'a>, line: u32) -> Result<(), String> {
        use granit_parser::{Event, ScalarStyle};
        match event {
            Event::Scalar(text, style, anchor, _) => {
                let value = match &*text {
                    "" | "~" | "null" if style == ScalarStyle::Plain => Value::Null,
                    "true" | "false" if style == ScalarStyle::Plain && !self.waits_for_key() => {
                        Value::Bool(text == "true")
                    }
                    _ => Value::Text(text),
                };
                self.value(Node { value, line }, anchor, 1)
            }
            Event::SequenceStart(_, anchor, _) => self.start(Value::List(Vec::new()), anchor, line),
            Event::MappingStart(_, anchor, _) => self.start(Value::Map(Vec::new()), anchor, line),
            Event::SequenceEnd | Event::MappingEnd => {
                self.close();
                Ok(())
            }
            Event::Alias(anchor) => {
                let Some(node) = self.anchors.get(&anchor) else {
                    return Err(format!("the alias at line {line} stands for nothing"));
                };
                let (values, height) = measure(node);
                if height + self.open.len() > DEEPEST {
                    return Err(format!(
                        "nested deeper than {DEEPEST} by the alias at line {line}"
                    ));
                }
                if self.values + values > MOST_VALUES {
                    return Err(format!(
                        "more than {MOST_VALUES} values by the alias at line {line}"
                    ));
                }
                let mut copy = node.clone();
                copy.line = line;
                self.value(copy, 0, values)
            }
            _ => Ok(()),
        }
    }

    fn waits_for_key(&self) -> bool {
        self.open
            .last()
            .is_some_and(|open| matches!(open.node.value, Value::Map(_)) && open.key.is_none())
    }

    fn start(&mut self, value: Value<'a>, anchor: usize, line: u32) -> Result<(), String> {
        if self.open.len() >= DEEPEST {
            return Err(format!("nested deeper than {DEEPEST} at line {line}"));
        }
        self.open.push(YamlOpen {
            node: Node { value, line },
            anchor,
            key: None,
        });
        Ok(())
    }

    fn close(&mut self) {
        if let Some(mut open) = self.open.pop() {
            match &mut open.node.value {
                Value::List(items) => items.shrink_to_fit(),
                Value::Map(entries) => entries.shrink_to_fit(),
                _ => {}
            }
            // The cap on values was checked for its parts.
            let _ = self.value(open.node, open.anchor, 1);
        }
    }

    fn value(&mut self, node: Node<'a>, anchor: usize, values: usize) -> Result<(), String> {
        self.values += values;
        if anchor != 0 {
            let (copied, _) = measure(&node);
            self.values += copied;
            if self.values <= MOST_VALUES {
                self.anchors.insert(anchor, node.clone());
            }
        }
        match self.open.last_mut() {
            None => self.documents.push(node),
            Some(open) => match &mut open.node.value {
                Value::Map(entries) => match open.key.take() {
                    None => {
                        let line = node.line;
                        let key = match node.value {
                            Value::Text(text) => text,
                            Value::Bool(value) => Cow::Owned(value.to_string()),
                            // A collection as key names no package.
                            _ => Cow::Borrowed(""),
                        };
                        open.key = Some((key, line));
                    }
                    Some((key, line)) => entries.push((
                        key,
                        Node {
                            value: node.value,
                            line,
                        },
                    )),
                },
                Value::List(items) => items.push(node),
                _ => {}
            },
        }
        if self.values > MOST_VALUES {
            return Err(format!(
                "more than {MOST_VALUES} values, which is the most that is read"
            ));
        }
        Ok(())
    }
}

/// Number of values and levels of a tree that is at most [`DEEPEST`] deep.
fn measure(node: &Node<'_>) -> (usize, usize) {
    let mut values = 1;
    let mut height = 0;
    let mut add = |node: &Node<'_>| {
        let (inner, deep) = measure(node);
        values += inner;
        height = height.max(deep);
    };
    match &node.value {
        Value::List(items) => items.iter().for_each(&mut add),
        Value::Map(entries) => entries.iter().for_each(|(_, node)| add(node)),
        _ => {}
    }
    (values, height + 1)
}

/// An XML element.
#[derive(Debug, Default)]
pub(crate) struct Element {
    /// Name without its prefix.
    pub(crate) name: String,
    pub(crate) attributes: Vec<(String, String)>,
    /// Text directly inside, trimmed.
    pub(crate) text: String,
    pub(crate) children: Vec<Element>,
    /// Line of its start, from 1.
    pub(crate) line: u32,
}

static NO_ELEMENT: Element = Element {
    name: String::new(),
    attributes: Vec::new(),
    text: String::new(),
    children: Vec::new(),
    line: 0,
};

impl Element {
    /// The first child of a name; an empty element when there is none.
    pub(crate) fn child(&self, name: &str) -> &Element {
        self.children
            .iter()
            .find(|child| child.name == name)
            .unwrap_or(&NO_ELEMENT)
    }

    /// All children of a name.
    pub(crate) fn all<'e>(&'e self, name: &'e str) -> impl Iterator<Item = &'e Element> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// An attribute, also in other letter case (MSBuild does not mind); empty when there is none.
    pub(crate) fn attribute(&self, name: &str) -> &str {
        self.attributes
            .iter()
            .find(|(have, _)| have.eq_ignore_ascii_case(name))
            .map_or("", |(_, value)| value)
    }
}

/// Reads XML. Entities other than XML's own five are not expanded, DTDs are skipped. The result is a nameless element
/// that holds the document's.
pub(crate) fn xml(text: &str) -> Parsed<Element> {
    let lines = Lines::new(text);
    let mut reader = quick_xml::Reader::from_str(text);
    let mut open = vec![Element::default()];
    let mut elements = 0_usize;
    let mut error = None;
    loop {
        let offset = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
        match reader.read_event() {
            Ok(Event::Start(start)) => {
                elements += 1;
                open.push(element(&start, lines.at(offset)));
            }
            Ok(Event::Empty(start)) => {
                elements += 1;
                let element = element(&start, lines.at(offset));
                if let Some(parent) = open.last_mut() {
                    parent.children.push(element);
                }
            }
            Ok(Event::End(_)) => close(&mut open),
            Ok(Event::Text(part)) => add_text(&mut open, &part),
            Ok(Event::CData(part)) => add_text(&mut open, &part),
            Ok(Event::GeneralRef(reference)) => {
                let character = reference.resolve_char_ref().ok().flatten().map(String::from);
                let part = character
                    .or_else(|| quick_xml::escape::resolve_predefined_entity(&reference).map(str::to_owned));
                // An entity of a DTD stays as it is written: it is a name, and what it stands for is unknown.
                add_text(&mut open, &part.unwrap_or_else(|| format!("&{};", &*reference)));
            }
            Ok(Event::Eof) => break,
            Ok(_) => {}
            Err(what) => {
                let at = lines.at(usize::try_from(reader.error_position()).unwrap_or(0));
                error = Some(format!("not valid XML: {what} at line {at}"));
                break;
            }
        }
        if open.len() > DEEPEST || elements > MOST_VALUES / 4 {
            error = Some(format!(
                "XML nested deeper than {DEEPEST} or with more than {} elements",
                MOST_VALUES / 4
            ));
            break;
        }
    }
    if open.len() > 1 && error.is_none() {
        error = Some("not valid XML: it ends inside an element".to_owned());
    }
    while open.len() > 1 {
        close(&mut open);
    }
    Parsed {
        document: open.pop().unwrap_or_default(),
        error,
    }
}

fn element(start: &BytesStart<'_>, line: u32) -> Element {
    let local = |name: &str| name.rsplit(':').next().unwrap_or_default().to_owned();
    let mut raw = start.attributes();
    raw.with_checks(false);
    let attributes = raw.flatten().map(|attribute| {
        let value = attribute
            .normalized_value(XmlVersion::Implicit1_0)
            .map_or_else(|_| attribute.value.to_string(), Cow::into_owned);
        (local(attribute.key.0), value)
    });
    Element {
        name: local(start.name().0),
        attributes: attributes.collect(),
        line,
        ..Element::default()
    }
}

fn add_text(open: &mut [Element], part: &str) {
    if let Some(element) = open.last_mut() {
        element.text.push_str(part);
    }
}

fn close(open: &mut Vec<Element>) {
    if open.len() > 1
        && let Some(mut element) = open.pop()
        && let Some(parent) = open.last_mut()
    {
        element.text = element.text.trim().to_owned();
        parent.children.push(element);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEEP: Skip = |_, _| false;

    #[test]
    fn json_has_lines_and_keeps_what_came_before_an_error() {
        let parsed = json(
            "{\n \"a\": 5.3,\n \"b\": [\n  \"x\"\n ],\n \"\\u0063\": {\"d\": 1},\n \"e",
            KEEP,
        );
        assert!(parsed.error.is_some_and(|error| error.contains("EOF")));
        let document = parsed.document;
        assert_eq!((document.get("a").str(), document.get("a").line), ("5.3", 2));
        assert_eq!(
            (
                document.get("b").items()[0].str(),
                document.get("b").items()[0].line
            ),
            ("x", 4)
        );
        assert_eq!(document.get("c").get("d").str(), "1");
        assert_eq!(document.entries().len(), 3);
    }

    #[test]
    fn json_skips_what_is_not_wanted() {
        let parsed = json("{\"a\":{\"big\":[1,2,3],\"b\":1},\"big\":2}", |depth, key| {
            depth == 1 && key == "big"
        });
        assert_eq!(parsed.error, None);
        assert_eq!(parsed.document.get("a").entries().len(), 1);
        assert_eq!(parsed.document.get("big").str(), "2");
    }

    #[test]
    fn nesting_without_end_is_an_error() {
        let deep = "[".repeat(100_000);
        assert!(json(&deep, KEEP).error.is_some());
        assert!(yaml(&deep).error.is_some());
        assert!(toml(&format!("a={deep}")).error.is_some());
        assert!(xml(&"<a>".repeat(100_000)).error.is_some());
        let aliases: String = (1..1000).map(|n| format!("- &a{n} [*a{}]\n", n - 1)).collect();
        assert!(
            yaml(&format!("- &a0 []\n{aliases}"))
                .error
                .is_some_and(|error| error.contains("deeper"))
        );
    }

    #[test]
    fn alias_bombs_end() {
        let mut bomb = String::from("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
        for n in 1..30 {
            let line = format!(
                "a{n}: &a{n} [*a{m},*a{m},*a{m},*a{m},*a{m},*a{m},*a{m},*a{m},*a{m},*a{m}]\n",
                m = n - 1
            );
            bomb.push_str(&line);
        }
        assert!(yaml(&bomb).error.is_some_and(|error| error.contains("more than")));
    }

    #[test]
    fn comments_and_trailing_commas_go() {
        let text = strip_json_comments("{ // one, }\n \"a\": [1, /* , */ 2, ], \"b//\": \"/*,]\", }");
        let parsed = json(&text, KEEP);
        assert_eq!(parsed.error, None);
        assert_eq!(parsed.document.get("a").items().len(), 2);
        assert_eq!(parsed.document.get("b//").str(), "/*,]");
        assert_eq!(parsed.document.get("b//").line, 2);
    }

    #[test]
    fn yaml_keeps_versions_as_written() {
        let parsed = yaml("a: 1.10\nb: &x {c: 'true', d: true}\ne: *x\nf: ~\n---\ng: [1, two]\n");
        assert_eq!(parsed.error, None);
        let first = &parsed.document[0];
        assert_eq!(first.get("a").str(), "1.10");
        assert_eq!(first.get("e").get("c").str(), "true");
        assert!(first.get("e").get("d").is_true() && !first.get("f").exists());
        assert_eq!(first.get("e").line, 3);
        assert_eq!(parsed.document[1].get("g").texts(), ["1", "two"]);
    }

    #[test]
    fn toml_recovers() {
        let parsed = toml("[[p]]\nname = \"a\"\n\n[[p]]\nname = = \n\n[[p]]\nname = \"c\"\n");
        assert!(parsed.error.is_some_and(|error| error.contains("line 5")));
        let names: Vec<&str> = parsed
            .document
            .get("p")
            .items()
            .iter()
            .map(|item| item.get("name").str())
            .collect();
        assert_eq!((names[0], names[2]), ("a", "c"));
    }

    #[test]
    fn xml_expands_nothing_but_its_own_entities() {
        let parsed = xml(
            "<!DOCTYPE x [<!ENTITY e \"boom\">]>\n<x:a B=\"1&amp;2\">\n <c>t&lt;&e;&#65;</c><d/>\n</x:a>",
        );
        assert_eq!(parsed.error, None);
        let element = parsed.document.child("a");
        assert_eq!(element.attribute("b"), "1&2");
        assert_eq!(
            (element.child("c").text.as_str(), element.child("c").line),
            ("t<&e;A", 3)
        );
        assert!(xml("<a><b>x</b>").error.is_some());
        assert_eq!(xml("<a><b>x</b>").document.child("a").child("b").text, "x");
    }

    #[test]
    fn decodes_utf16() {
        assert_eq!(decode(b"\xff\xfea\0b\0"), "ab");
        assert_eq!(decode(b"\xfe\xff\0a"), "a");
        assert_eq!(decode(b"\xef\xbb\xbfa"), "a");
    }
}
