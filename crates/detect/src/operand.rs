//! What conditions and outputs ask of an event: fields with their arguments checked, and transformers of them.

use crate::filter::{self, Transformer};
use crate::nearest;
use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use model::event::{
    Argument, ArgumentRule, EVENT_TYPES, EventType, EventView, FIELDS, Field, FieldKind, Value,
};
use std::borrow::Cow;

/// What is wrong with a condition or an output, beyond its grammar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CompileError {
    pub(crate) kind: ErrorKind,
    pub(crate) message: String,
    /// Bytes before it in the text.
    pub(crate) at: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ErrorKind {
    /// A field that is not known, or an argument that no event has.
    UnknownField,
    /// An event type that is not known.
    UnknownEventType,
    Other,
}

impl CompileError {
    pub(crate) fn other(at: usize, message: impl Into<String>) -> Self {
        Self {
            kind: ErrorKind::Other,
            message: message.into(),
            at,
        }
    }
}

/// What an operand holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Type {
    pub(crate) kind: FieldKind,
    pub(crate) list: bool,
}

/// A field or transformer, ready to be asked.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Operand {
    Field(Field, Argument),
    Call(Box<Call>),
}

/// A transformer with its arguments.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Call {
    transformer: Transformer,
    arguments: Vec<Given>,
    index: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Given {
    Operand(Operand),
    Text(Box<[u8]>),
    List(Vec<Self>),
}

impl Operand {
    /// Checks names, arguments and types.
    pub(crate) fn compile(operand: &filter::Operand) -> Result<(Self, Type), CompileError> {
        match operand {
            filter::Operand::Field { name, argument, at } => {
                let (field, argument) = field(name, argument.as_deref(), *at)?;
                let info = field.info();
                let kind = Type {
                    kind: info.kind,
                    list: info.list,
                };
                Ok((Self::Field(field, argument), kind))
            }
            filter::Operand::Call {
                transformer,
                arguments,
                index,
                at,
            } => {
                let mut given = Vec::with_capacity(arguments.len());
                let mut types = Vec::with_capacity(arguments.len());
                for argument in arguments {
                    let (value, kind) = compile_argument(argument)?;
                    given.push(value);
                    types.push(kind);
                }
                let kind = call_type(*transformer, &types, index.as_deref())
                    .map_err(|message| CompileError::other(*at, message))?;
                let call = Call {
                    transformer: *transformer,
                    arguments: given,
                    index: index.clone(),
                };
                Ok((Self::Call(Box::new(call)), kind))
            }
        }
    }

    /// Its value in an event.
    pub(crate) fn value<'e>(&self, event: &'e dyn EventView) -> Value<'e> {
        match self {
            Self::Field(field, argument) => event.value(*field, argument),
            Self::Call(call) => call.value(event),
        }
    }

    /// Every field that it asks for.
    pub(crate) fn visit_fields(&self, visit: &mut impl FnMut(Field, &Argument)) {
        match self {
            Self::Field(field, argument) => visit(*field, argument),
            Self::Call(call) => {
                for argument in &call.arguments {
                    argument.visit_fields(visit);
                }
            }
        }
    }

    /// Its value when the event type alone says it: `evt.type` and the like.
    pub(crate) fn value_of_type(&self, kind: EventType) -> Option<Value<'static>> {
        let Self::Field(field, argument) = self else {
            return None;
        };
        let info = kind.info();
        match field {
            Field::EvtType => Some(Value::text(info.name.as_bytes())),
            Field::EvtDir => Some(Value::text(b"<")),
            Field::SyscallType if info.is_syscall => Some(Value::text(info.name.as_bytes())),
            Field::SyscallType => Some(Value::Absent),
            Field::EvtTypeIs => match argument {
                Argument::Key(name) => Some(Value::Uint(u64::from(**name == *info.name))),
                _ => None,
            },
            _ => None,
        }
    }
}

/// The field that a name and an argument stand for.
fn field(name: &str, bracketed: Option<&str>, at: usize) -> Result<(Field, Argument), CompileError> {
    let Some((field, dotted)) = Field::with_dotted_argument(name) else {
        let near = nearest(name, FIELDS.iter().map(|(_, info)| info.name))
            .map(|near| format!("; did you mean `{near}`?"))
            .unwrap_or_default();
        return Err(CompileError {
            kind: ErrorKind::UnknownField,
            message: format!("no field is called `{name}`{near}"),
            at,
        });
    };
    if dotted.is_some() && bracketed.is_some() {
        return Err(CompileError::other(
            at,
            format!("`{name}` has an argument after a dot and one in brackets"),
        ));
    }
    let known = field.info().name;
    let given = dotted.or(bracketed);
    let number = || {
        given.unwrap_or_default().parse::<u64>().map_err(|_| {
            CompileError::other(
                at,
                format!(
                    "the argument of `{known}` must be a number, not `{}`",
                    given.unwrap_or_default()
                ),
            )
        })
    };
    let rule = field.info().argument;
    let argument = match (rule, given) {
        (ArgumentRule::None, Some(_)) => {
            return Err(CompileError::other(at, format!("`{known}` takes no argument")));
        }
        (ArgumentRule::RequiredIndex | ArgumentRule::RequiredKey | ArgumentRule::RequiredAny, None) => {
            return Err(CompileError::other(
                at,
                format!("`{known}` needs an argument, as in `{known}[...]`"),
            ));
        }
        (_, None) => Argument::None,
        (ArgumentRule::OptionalIndex | ArgumentRule::RequiredIndex, Some(_)) => Argument::Index(number()?),
        (ArgumentRule::OptionalKey | ArgumentRule::RequiredKey, Some(text)) => Argument::Key(text.into()),
        (ArgumentRule::OptionalAny | ArgumentRule::RequiredAny, Some(text)) => match text.parse::<u64>() {
            Ok(number) => Argument::Index(number),
            Err(_) => Argument::Key(text.into()),
        },
    };
    if let (Field::EvtArg | Field::EvtRawarg, Argument::Key(key)) = (field, &argument) {
        let names = || {
            EVENT_TYPES
                .iter()
                .flat_map(|info| info.parameters)
                .map(|parameter| parameter.name)
        };
        if !names().any(|name| name == &**key) && !matches!(&**key, "ID" | "nativeID") {
            let near = nearest(key, names())
                .map(|near| format!("; did you mean `{near}`?"))
                .unwrap_or_default();
            return Err(CompileError {
                kind: ErrorKind::UnknownField,
                message: format!("no event has a parameter called `{key}`{near}"),
                at,
            });
        }
    }
    if let (Field::EvtTypeIs, Argument::Key(key)) = (field, &argument) {
        event_type(key, at)?;
    }
    Ok((field, argument))
}

/// The event type with a name.
pub(crate) fn event_type(name: &str, at: usize) -> Result<EventType, CompileError> {
    EventType::named(name).ok_or_else(|| {
        let near = nearest(name, EventType::all().map(EventType::name))
            .map(|near| format!("; did you mean `{near}`?"))
            .unwrap_or_default();
        CompileError {
            kind: ErrorKind::UnknownEventType,
            message: format!("no event type is called `{name}`{near}"),
            at,
        }
    })
}

fn compile_argument(argument: &filter::CallArgument) -> Result<(Given, Type), CompileError> {
    let text = Type {
        kind: FieldKind::Text,
        list: false,
    };
    Ok(match argument {
        filter::CallArgument::Operand(operand) => {
            let (operand, kind) = Operand::compile(operand)?;
            (Given::Operand(operand), kind)
        }
        filter::CallArgument::Text(value) | filter::CallArgument::Number(value) => {
            (Given::Text(value.as_bytes().into()), text)
        }
        filter::CallArgument::List(list) => {
            let mut all = Vec::with_capacity(list.len());
            for one in list {
                all.push(compile_argument(one)?.0);
            }
            (Given::List(all), Type { list: true, ..text })
        }
    })
}

fn is_text(kind: FieldKind) -> bool {
    matches!(kind, FieldKind::Text | FieldKind::Path | FieldKind::Bytes)
}

fn call_type(transformer: Transformer, types: &[Type], index: Option<&str>) -> Result<Type, String> {
    let name = transformer.text();
    let count = types.len();
    let expected = |what: &str| Err(format!("`{name}` takes {what}, not {count} arguments"));
    if index.is_some() && transformer != Transformer::GetOpt {
        return Err(format!("`{name}` takes nothing in square brackets"));
    }
    match transformer {
        Transformer::Lower
        | Transformer::Upper
        | Transformer::Base64
        | Transformer::BaseName
        | Transformer::Length => {
            let [only] = types else {
                return expected("one argument");
            };
            if transformer == Transformer::Length {
                if !only.list && !is_text(only.kind) {
                    return Err("`len` takes a text, a buffer or a list".to_owned());
                }
                return Ok(Type {
                    kind: FieldKind::Uint,
                    list: false,
                });
            }
            if !is_text(only.kind) {
                return Err(format!("`{name}` takes a text or a buffer"));
            }
            Ok(*only)
        }
        Transformer::Join => {
            if count < 2 {
                return expected("a text to put between and one or more values");
            }
            Ok(Type {
                kind: FieldKind::Text,
                list: false,
            })
        }
        Transformer::Concat => {
            if count < 2 {
                return expected("two or more arguments");
            }
            Ok(Type {
                kind: FieldKind::Text,
                list: false,
            })
        }
        Transformer::GetOpt => {
            if count != 2 {
                return expected("the arguments of a program and the options that it has");
            }
            Ok(Type {
                kind: FieldKind::Text,
                list: true,
            })
        }
    }
}

impl Given {
    fn value<'e>(&self, event: &'e dyn EventView) -> Value<'e> {
        match self {
            Self::Operand(operand) => operand.value(event),
            Self::Text(text) => Value::owned_text(text.to_vec()),
            Self::List(list) => Value::List(list.iter().map(|one| one.value(event)).collect()),
        }
    }

    fn visit_fields(&self, visit: &mut impl FnMut(Field, &Argument)) {
        match self {
            Self::Operand(operand) => operand.visit_fields(visit),
            Self::Text(_) => {}
            Self::List(list) => {
                for one in list {
                    one.visit_fields(visit);
                }
            }
        }
    }
}

impl Call {
    fn value<'e>(&self, event: &'e dyn EventView) -> Value<'e> {
        let first = self
            .arguments
            .first()
            .map_or(Value::Absent, |argument| argument.value(event));
        match self.transformer {
            Transformer::Lower => each_text(first, |text| Some(text.to_ascii_lowercase())),
            Transformer::Upper => each_text(first, |text| Some(text.to_ascii_uppercase())),
            Transformer::Base64 => each_text(first, decode_base64),
            Transformer::BaseName => each_text(first, |text| {
                let start = memchr::memrchr(b'/', text).map_or(0, |slash| slash + 1);
                text.get(start..).map(<[u8]>::to_vec)
            }),
            Transformer::Length => length(&first),
            Transformer::Concat => {
                let mut whole = Vec::new();
                for argument in &self.arguments {
                    match joined(argument.value(event), b"") {
                        Some(text) => whole.extend_from_slice(&text),
                        None => return Value::Absent,
                    }
                }
                Value::owned_text(whole)
            }
            Transformer::Join => {
                let Some(between) = text_of(&first) else {
                    return Value::Absent;
                };
                let mut whole = Vec::new();
                for (index, argument) in self.arguments.iter().skip(1).enumerate() {
                    let Some(text) = joined(argument.value(event), &between) else {
                        return Value::Absent;
                    };
                    if index > 0 {
                        whole.extend_from_slice(&between);
                    }
                    whole.extend_from_slice(&text);
                }
                Value::owned_text(whole)
            }
            Transformer::GetOpt => {
                let options = self
                    .arguments
                    .get(1)
                    .map_or(Value::Absent, |argument| argument.value(event));
                match text_of(&options) {
                    Some(options) => get_options(&first, &options, self.index.as_deref()),
                    None => Value::Absent,
                }
            }
        }
    }
}

/// Changes a text, or each text of a list.
fn each_text<'e>(value: Value<'e>, change: impl Fn(&[u8]) -> Option<Vec<u8>> + Copy) -> Value<'e> {
    match value {
        Value::Text(text) => change(&text).map_or(Value::Absent, Value::owned_text),
        Value::Bytes(bytes) => {
            change(&bytes).map_or(Value::Absent, |changed| Value::Bytes(Cow::Owned(changed)))
        }
        Value::List(list) => Value::List(
            list.into_iter()
                .map(|one| match one {
                    // Lists of lists do not occur.
                    Value::List(_) => Value::Absent,
                    other => each_text(other, change),
                })
                .filter(Value::is_present)
                .collect(),
        ),
        _ => Value::Absent,
    }
}

fn decode_base64(text: &[u8]) -> Option<Vec<u8>> {
    const LENIENT: GeneralPurpose = GeneralPurpose::new(
        &alphabet::STANDARD,
        GeneralPurposeConfig::new()
            .with_decode_padding_mode(DecodePaddingMode::Indifferent)
            .with_decode_allow_trailing_bits(true),
    );
    LENIENT.decode(text).ok()
}

fn length<'e>(value: &Value<'_>) -> Value<'e> {
    let length = match value {
        Value::Text(text) => up_to_nul(text).len(),
        Value::Bytes(bytes) => bytes.len(),
        Value::List(list) => list.len(),
        _ => return Value::Absent,
    };
    Value::Uint(length as u64)
}

/// The texts of a value with a text between.
fn joined(value: Value<'_>, between: &[u8]) -> Option<Vec<u8>> {
    let Value::List(list) = value else {
        return text_of(&value).map(Cow::into_owned);
    };
    let mut whole = Vec::new();
    for (index, one) in list.iter().enumerate() {
        if index > 0 {
            whole.extend_from_slice(between);
        }
        whole.extend_from_slice(&text_of(one)?);
    }
    Some(whole)
}

/// The options in a command line: the letters found, or with `wanted` the arguments of that option.
fn get_options<'e>(arguments: &Value<'_>, options: &[u8], wanted: Option<&str>) -> Value<'e> {
    let words: Vec<Cow<'_, [u8]>> = match arguments {
        Value::List(list) => list.iter().filter_map(text_of).collect(),
        other => match text_of(other) {
            Some(text) => text
                .split(u8::is_ascii_whitespace)
                .filter(|word| !word.is_empty())
                .map(|word| Cow::Owned(word.to_vec()))
                .collect(),
            None => return Value::Absent,
        },
    };
    let wanted = wanted.map(str::as_bytes);
    let mut found: Vec<Value<'e>> = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if **word == *b"--" {
            break;
        }
        let Some(letters) = word.strip_prefix(b"-").filter(|rest| !rest.is_empty()) else {
            continue;
        };
        if letters.starts_with(b"-") {
            continue;
        }
        for (index, letter) in letters.iter().enumerate() {
            let Some(at) = options
                .iter()
                .position(|option| option == letter && *letter != b':')
            else {
                continue;
            };
            let is_wanted = wanted.is_some_and(|wanted| wanted == [*letter]);
            if options.get(at + 1) != Some(&b':') {
                if wanted.is_none() {
                    found.push(Value::owned_text(vec![*letter]));
                } else if is_wanted {
                    found.push(Value::owned_text(Vec::new()));
                }
                continue;
            }
            // The argument is the rest of this word or else the next one.
            let rest = letters.get(index + 1..).unwrap_or_default();
            let argument = if rest.is_empty() {
                words.next().map(|word| word.to_vec()).unwrap_or_default()
            } else {
                rest.to_vec()
            };
            if wanted.is_none() {
                found.push(Value::owned_text(vec![*letter]));
            } else if is_wanted {
                found.push(Value::owned_text(argument));
            }
            break;
        }
    }
    if found.is_empty() {
        Value::Absent
    } else {
        Value::List(found)
    }
}

/// A text up to its first NUL.
pub(crate) fn up_to_nul(text: &[u8]) -> &[u8] {
    memchr::memchr(0, text).map_or(text, |nul| &text[..nul])
}

/// A single value as text; nothing for none and for several.
pub(crate) fn text_of<'v>(value: &'v Value<'_>) -> Option<Cow<'v, [u8]>> {
    Some(match value {
        Value::Text(text) | Value::Bytes(text) => Cow::Borrowed(&**text),
        Value::Bool(truth) => Cow::Borrowed(if *truth { b"true" } else { b"false" }),
        Value::Int(number) => Cow::Owned(number.to_string().into_bytes()),
        Value::Uint(number) => Cow::Owned(number.to_string().into_bytes()),
        Value::Address(address) => Cow::Owned(address.to_string().into_bytes()),
        Value::Absent | Value::Addresses(_) | Value::Ports(_) | Value::List(_) => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_event::TestEvent;

    fn value(text: &str, event: &TestEvent) -> String {
        let (operand, length) = filter::parse_operand_prefix(text).unwrap();
        assert_eq!(length, text.len(), "{text}");
        let (operand, _) =
            Operand::compile(&operand).unwrap_or_else(|error| panic!("{text}: {}", error.message));
        match operand.value(event) {
            Value::List(list) => {
                let texts: Vec<String> = list
                    .iter()
                    .map(|one| String::from_utf8_lossy(&text_of(one).unwrap()).into_owned())
                    .collect();
                format!("({})", texts.join(","))
            }
            Value::Absent => "absent".to_owned(),
            other => String::from_utf8_lossy(&text_of(&other).unwrap()).into_owned(),
        }
    }

    #[test]
    fn transformers_change_values() {
        let event = TestEvent::new("execve")
            .text("proc.name", "Bash")
            .text("fd.name", "/etc/passwd")
            .text("proc.args", "-x -o /tmp/a -vf/b c -- -q")
            .text("evt.arg.data", "Y2FmZQ==")
            .list("fd.types", &["file", "Pipe"])
            .number("proc.pid", 12);
        let cases = [
            ("tolower(proc.name)", "bash"),
            ("toupper(proc.name)", "BASH"),
            ("b64(evt.arg.data)", "cafe"),
            ("b64(proc.args)", "absent"),
            ("basename(fd.name)", "passwd"),
            ("basename(proc.name)", "Bash"),
            ("len(proc.name)", "4"),
            ("len(fd.types)", "2"),
            ("len(proc.cwd)", "absent"),
            ("tolower(fd.types)", "(file,pipe)"),
            ("tolower(proc.cwd)", "absent"),
            ("concat(proc.name, \":\", proc.pid)", "Bash:12"),
            ("concat(proc.name, proc.cwd)", "absent"),
            ("join(\"->\", fd.types)", "file->Pipe"),
            ("join(\"-\", proc.name, (\"a\", \"b\"))", "Bash-a-b"),
            ("toupper(basename(fd.name))", "PASSWD"),
            ("getopt(proc.args, \"xo:vf:\")", "(x,o,v,f)"),
            ("getopt(proc.args, \"xo:vf:\")[o]", "(/tmp/a)"),
            ("getopt(proc.args, \"xo:vf:\")[f]", "(/b)"),
            ("getopt(proc.args, \"xo:vf:\")[v]", "()"),
            ("getopt(proc.args, \"xo:vf:q\")[q]", "absent"),
        ];
        for (text, expected) in cases {
            assert_eq!(value(text, &event), expected, "{text}");
        }
    }

    #[test]
    fn wrong_operands_are_errors() {
        let cases = [
            ("proc.nam", "did you mean `proc.name`?"),
            ("proc.name[1]", "takes no argument"),
            ("proc.aname[x]", "must be a number"),
            ("evt.arg", "needs an argument"),
            ("evt.arg.flgs", "did you mean `flags`?"),
            ("container.mount.dest", "needs an argument"),
            ("evt.type.is.opn", "did you mean `open`?"),
            ("tolower(proc.pid)", "takes a text"),
            ("tolower(proc.name, proc.name)", "takes one argument"),
            ("tolower(proc.name)[1]", "square brackets"),
            ("len(proc.pid)", "takes a text"),
            ("concat(proc.name)", "two or more"),
            ("getopt(proc.args)", "the options that it has"),
        ];
        for (text, expected) in cases {
            let (operand, _) = filter::parse_operand_prefix(text).unwrap();
            let error = Operand::compile(&operand).unwrap_err();
            assert!(error.message.contains(expected), "{text}: {}", error.message);
        }
    }
}
