//! An event for tests: what each field holds is written down.

use model::event::{Argument, EventType, EventView, Field, Value};
use std::collections::HashMap;
use std::net::IpAddr;

/// An event whose fields are given by name, as rules write them.
#[derive(Debug, Clone)]
pub(crate) struct TestEvent {
    kind: EventType,
    source: &'static str,
    values: HashMap<(Field, Argument), Value<'static>>,
}

impl TestEvent {
    pub(crate) fn new(kind: &str) -> Self {
        Self {
            kind: EventType::named(kind).unwrap(),
            source: "syscall",
            values: HashMap::new(),
        }
    }

    pub(crate) fn source(mut self, source: &'static str) -> Self {
        self.source = source;
        self
    }

    pub(crate) fn with(mut self, name: &str, value: Value<'static>) -> Self {
        let (name, argument) = match name.split_once('[') {
            Some((name, argument)) => (name, Some(argument.trim_end_matches(']'))),
            None => (name, None),
        };
        let (field, dotted) = Field::with_dotted_argument(name).unwrap();
        let argument = match dotted.or(argument) {
            None => Argument::None,
            Some(text) => match text.parse() {
                Ok(number) => Argument::Index(number),
                Err(_) => Argument::Key(text.into()),
            },
        };
        self.values.insert((field, argument), value);
        self
    }

    pub(crate) fn text(self, name: &str, text: &str) -> Self {
        self.with(name, Value::owned_text(text))
    }

    pub(crate) fn number(self, name: &str, number: i64) -> Self {
        self.with(name, Value::Int(number))
    }

    pub(crate) fn truth(self, name: &str, truth: bool) -> Self {
        self.with(name, Value::Bool(truth))
    }

    pub(crate) fn address(self, name: &str, address: &str) -> Self {
        let address: IpAddr = address.parse().unwrap();
        self.with(name, Value::Address(address))
    }

    pub(crate) fn list(self, name: &str, texts: &[&str]) -> Self {
        let list = texts.iter().map(|text| Value::owned_text(*text)).collect();
        self.with(name, Value::List(list))
    }
}

impl EventView for TestEvent {
    fn event_type(&self) -> EventType {
        self.kind
    }

    fn value(&self, field: Field, argument: &Argument) -> Value<'_> {
        if field == Field::EvtType {
            return Value::text(self.kind.name().as_bytes());
        }
        self.values
            .get(&(field, argument.clone()))
            .cloned()
            .unwrap_or_default()
    }

    fn time(&self) -> u64 {
        1_700_000_000_000_000_000
    }

    fn source(&self) -> &'static str {
        self.source
    }
}
