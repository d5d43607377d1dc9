//! Output formats of rules, and alerts made of them.

use crate::filter::parse_operand_prefix;
use crate::names::Names;
use crate::operand::{CompileError, Operand, up_to_nul};
use model::event::{Argument, EventView, Field, FieldValue, Value};
use std::borrow::Cow;
use std::fmt::Write;
use std::net::IpAddr;

/// Widest that a field may be asked to be.
const WIDEST: usize = 4096;

/// Longest output in bytes; what is beyond is cut.
const LONGEST: usize = 64 << 10;

/// The fields that current Falco appends to every output of a rule over system calls, where the rule does not name them.
pub(crate) const SUGGESTED: &[&str] = &[
    "container.id",
    "container.name",
    "container.image.repository",
    "container.image.tag",
    "k8s.pod.name",
    "k8s.ns.name",
];

/// An output format, ready.
#[derive(Debug, Clone, Default)]
pub(crate) struct Output {
    parts: Vec<Part>,
}

#[derive(Debug, Clone)]
enum Part {
    Text(String),
    Field {
        /// As the rule writes it.
        name: String,
        operand: Operand,
        width: Option<usize>,
    },
}

impl Output {
    /// Reads a format.
    pub(crate) fn compile(format: &str) -> Result<Self, CompileError> {
        let mut output = Self::default();
        // A leading star, which lets an output through when fields are missing, is implied.
        let start = usize::from(format.starts_with('*'));
        let mut at = start;
        while let Some(rest) = format.get(at..).filter(|rest| !rest.is_empty()) {
            let Some(percent) = rest.find('%') else {
                output.text(rest);
                break;
            };
            output.text(&rest[..percent]);
            at += percent + 1;
            let token = &rest[percent + 1..];
            if let Some(after) = token.strip_prefix("container.info") {
                at += token.len() - after.len();
                continue;
            }
            let digits = token.bytes().take_while(u8::is_ascii_digit).count();
            let width = match &token[..digits] {
                "" => None,
                number => match number.parse::<usize>() {
                    Ok(width) if width <= WIDEST => Some(width),
                    _ => {
                        return Err(CompileError::other(
                            at,
                            format!("a field can be at most {WIDEST} wide"),
                        ));
                    }
                },
            };
            let (operand, length) = longest_operand(&token[digits..]).map_err(|mut error| {
                error.at += at + digits;
                error
            })?;
            output.parts.push(Part::Field {
                name: token[digits..digits + length].to_owned(),
                operand,
                width,
            });
            at += digits + length;
        }
        Ok(output)
    }

    fn text(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        match self.parts.last_mut() {
            Some(Part::Text(have)) => have.push_str(text),
            _ => self.parts.push(Part::Text(text.to_owned())),
        }
    }

    /// Adds the other's parts after a blank.
    pub(crate) fn append(&mut self, other: &Self) {
        self.text(" ");
        for part in &other.parts {
            match part {
                Part::Text(text) => self.text(text),
                field @ Part::Field { .. } => self.parts.push(field.clone()),
            }
        }
    }

    /// Adds ` key=%field` for fields that are not there yet.
    pub(crate) fn append_suggested(&mut self) {
        for name in SUGGESTED {
            let Some(field) = Field::named(name) else {
                continue;
            };
            let suggested = Operand::Field(field, Argument::None);
            let there = self
                .parts
                .iter()
                .any(|part| matches!(part, Part::Field { operand, .. } if *operand == suggested));
            if there {
                continue;
            }
            self.text(&format!(" {}=", name.replace('.', "_")));
            self.parts.push(Part::Field {
                name: (*name).to_owned(),
                operand: suggested,
                width: None,
            });
        }
    }

    /// Every field that it asks for.
    pub(crate) fn visit_fields(&self, visit: &mut impl FnMut(Field, &Argument)) {
        for part in &self.parts {
            if let Part::Field { operand, .. } = part {
                operand.visit_fields(visit);
            }
        }
    }

    /// The names of its fields as they are written, in order, each once.
    pub(crate) fn field_names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for part in &self.parts {
            if let Part::Field { name, .. } = part
                && !names.contains(&name.as_str())
            {
                names.push(name);
            }
        }
        names
    }

    /// The text, and each field with its value.
    pub(crate) fn render(&self, event: &dyn EventView, names: &Names) -> (String, Vec<(String, FieldValue)>) {
        let mut text = String::new();
        let mut fields: Vec<(String, FieldValue)> = Vec::new();
        for part in &self.parts {
            match part {
                Part::Text(literal) => text.push_str(literal),
                Part::Field { name, operand, width } => {
                    let value = field_value(operand, event, names);
                    let shown = shown(&value);
                    match width {
                        Some(width) => {
                            let cut: String = shown.chars().take(*width).collect();
                            let _ = write!(text, "{cut:<width$}");
                        }
                        None => text.push_str(&shown),
                    }
                    if !fields.iter().any(|(have, _)| have == name) {
                        fields.push((name.clone(), value));
                    }
                }
            }
        }
        text.retain(|character| !character.is_control());
        if text.len() > LONGEST {
            let end = (0..=LONGEST)
                .rev()
                .find(|end| text.is_char_boundary(*end))
                .unwrap_or(0);
            text.truncate(end);
        }
        (text, fields)
    }
}

/// The longest start of a text that is a field or transformer: `%fd.name.` ends before the last dot.
fn longest_operand(token: &str) -> Result<(Operand, usize), CompileError> {
    let missing = |what: &str| {
        Err(CompileError::other(
            0,
            format!("expected a field after `%`, found {what}"),
        ))
    };
    let Some((operand, length)) = parse_operand_prefix(token) else {
        // An open bracket after a field that takes none is text.
        let end = token
            .find(|character: char| !character.is_ascii_alphanumeric() && !matches!(character, '.' | '_'))
            .unwrap_or(token.len());
        let word = &token[..end];
        if let Some((operand, length)) = parse_operand_prefix(word) {
            return shorten(word, &operand, length);
        }
        return match word {
            "" => missing("none"),
            word => missing(&format!("`{word}`")),
        };
    };
    match Operand::compile(&operand) {
        Ok((operand, _)) => Ok((operand, length)),
        Err(error) => {
            let bracket = token[..length].find('[').unwrap_or(length);
            let word = &token[..bracket];
            match parse_operand_prefix(word) {
                Some((operand, length)) => shorten(word, &operand, length).map_err(|_| error),
                None => Err(error),
            }
        }
    }
}

/// Takes words off the end until what is left is known.
fn shorten(
    word: &str,
    operand: &crate::filter::Operand,
    length: usize,
) -> Result<(Operand, usize), CompileError> {
    let first = match Operand::compile(operand) {
        Ok((operand, _)) => return Ok((operand, length)),
        Err(error) => error,
    };
    let mut end = length;
    while let Some(dot) = word[..end].rfind('.') {
        end = dot;
        if let Some((operand, length)) = parse_operand_prefix(&word[..end])
            && length == end
            && let Ok((operand, _)) = Operand::compile(&operand)
        {
            return Ok((operand, length));
        }
    }
    Err(first)
}

/// The value of a field as alerts keep it. The names of addresses come from the names in rules.
fn field_value(operand: &Operand, event: &dyn EventView, names: &Names) -> FieldValue {
    let of_name = match operand {
        Operand::Field(Field::FdCipName, _) => Some(Field::FdCip),
        Operand::Field(Field::FdSipName, _) => Some(Field::FdSip),
        Operand::Field(Field::FdLipName, _) => Some(Field::FdLip),
        Operand::Field(Field::FdRipName, _) => Some(Field::FdRip),
        _ => None,
    };
    if let Some(field) = of_name {
        let Value::Address(address) = event.value(field, &Argument::None) else {
            return FieldValue::Absent;
        };
        return names
            .name_of(address.to_canonical())
            .map_or(FieldValue::Absent, FieldValue::Text);
    }
    owned(&operand.value(event))
}

/// A value as alerts keep it: texts end at their first NUL, without control characters, invalid UTF-8 replaced.
pub(crate) fn owned(value: &Value<'_>) -> FieldValue {
    match value {
        Value::Absent => FieldValue::Absent,
        Value::Bool(truth) => FieldValue::Bool(*truth),
        Value::Int(number) => FieldValue::Int(*number),
        Value::Uint(number) => FieldValue::Uint(*number),
        // Lists of lists do not occur.
        Value::List(list) => FieldValue::List(
            list.iter()
                .filter(|one| !matches!(one, Value::List(_)))
                .map(owned)
                .collect(),
        ),
        other => FieldValue::Text(text(other)),
    }
}

fn text(value: &Value<'_>) -> String {
    let clean = |bytes: &[u8]| -> String {
        String::from_utf8_lossy(bytes)
            .chars()
            .filter(|character| !character.is_control())
            .collect()
    };
    let pair = |ends: Vec<String>| ends.join("->");
    match value {
        Value::Text(bytes) => clean(up_to_nul(bytes)),
        Value::Bytes(bytes) => clean(bytes),
        Value::Address(address) => address.to_string(),
        Value::Addresses(ends) => pair(ends.iter().flatten().map(IpAddr::to_string).collect()),
        Value::Ports(ends) => pair(ends.iter().flatten().map(u16::to_string).collect()),
        Value::Absent | Value::Bool(_) | Value::Int(_) | Value::Uint(_) | Value::List(_) => {
            shown(&owned(value))
        }
    }
}

/// A value in the text of an output.
pub(crate) fn shown(value: &FieldValue) -> String {
    value
        .rendered()
        .map_or_else(|| "<NA>".to_owned(), Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_event::TestEvent;

    fn event() -> TestEvent {
        TestEvent::new("open")
            .text("proc.name", "cat\u{1b}[31m")
            .with("fd.name", Value::owned_text(b"/etc/\xffx\0y".to_vec()))
            .number("proc.pid", 7)
            .truth("container.privileged", true)
            .text("proc.aname[2]", "bash")
            .text("evt.arg.flags", "O_RDONLY")
            .text("jevt.value[/a b]", "v")
            .list("fd.types", &["file", "pipe"])
            .address("fd.sip", "10.0.0.1")
    }

    fn rendered(format: &str) -> String {
        let output = Output::compile(format)
            .unwrap_or_else(|error| panic!("{format}: {} at {}", error.message, error.at));
        output.render(&event(), &Names::default()).0
    }

    #[test]
    fn formats_are_filled_in() {
        let cases = [
            ("plain", "plain"),
            ("*a %proc.pid", "a 7"),
            ("pid=%proc.pid.", "pid=7."),
            ("(%proc.pid)", "(7)"),
            ("name=%proc.name", "name=cat[31m"),
            ("file=%fd.name|", "file=/etc/\u{fffd}x|"),
            ("%proc.aname[2] %proc.cwd", "bash <NA>"),
            ("%evt.arg.flags,%evt.arg[9]", "O_RDONLY,<NA>"),
            ("%jevt.value[\"/a b\"]!", "v!"),
            ("%fd.types", "(file,pipe)"),
            ("%container.privileged", "true"),
            ("[%5proc.pid]", "[7    ]"),
            ("[%2proc.aname[2]]", "[ba]"),
            ("%toupper(proc.aname[2])", "BASH"),
            ("%container.info %proc.pid", " 7"),
            ("a%container.info", "a"),
            ("%proc.pid[x]", "7[x]"),
            ("%proc.pid.more.words", "7.more.words"),
            ("tab\there", "tabhere"),
        ];
        for (format, expected) in cases {
            assert_eq!(rendered(format), expected, "{format}");
        }
    }

    #[test]
    fn wrong_formats_are_errors() {
        let cases = [
            ("a %", 3, "found none"),
            ("a %x", 3, "found `x`"),
            ("a %proc.nam b", 3, "did you mean `proc.name`?"),
            ("%proc.aname[x]", 0, "<never>"),
            ("%evt.arg", 1, "needs an argument"),
            ("%99999proc.pid", 1, "wide"),
        ];
        for (format, at, message) in cases {
            match Output::compile(format) {
                Ok(_) => assert_eq!(message, "<never>", "{format}"),
                Err(error) => {
                    assert!(error.message.contains(message), "{format}: {}", error.message);
                    assert_eq!(error.at, at, "{format}");
                }
            }
        }
    }

    #[test]
    fn fields_keep_their_types_and_order() {
        let output = Output::compile("%proc.pid %container.privileged %proc.pid %proc.cwd").unwrap();
        let (_, fields) = output.render(&event(), &Names::default());
        assert_eq!(
            fields,
            [
                ("proc.pid".to_owned(), FieldValue::Int(7)),
                ("container.privileged".to_owned(), FieldValue::Bool(true)),
                ("proc.cwd".to_owned(), FieldValue::Absent),
            ]
        );
    }

    #[test]
    fn suggested_fields_come_last_and_once() {
        let mut output = Output::compile("x container_id=%container.id").unwrap();
        output.append_suggested();
        assert_eq!(
            output.render(&event(), &Names::default()).0,
            "x container_id=<NA> container_name=<NA> container_image_repository=<NA> container_image_tag=<NA> \
             k8s_pod_name=<NA> k8s_ns_name=<NA>"
        );
    }

    #[test]
    fn names_of_addresses_are_those_that_rules_look_up() {
        let names = Names::default();
        names.add("example.com");
        let output = Output::compile("%fd.sip.name %fd.cip.name").unwrap();
        assert_eq!(output.render(&event(), &names).0, "<NA> <NA>");
        names.set("example.com", &["10.0.0.1".parse().unwrap()]);
        assert_eq!(output.render(&event(), &names).0, "example.com <NA>");
    }
}
