//! One event that arrived as JSON, and the fields that all such events have.

use super::sources::Source;
use super::{Json, Surroundings};
use jiff::Timestamp;
use model::event::{Argument, EventType, EventView, Field, Value};
use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

/// What all events of one intake share.
#[derive(Debug)]
pub(super) struct Origin {
    pub(super) source: &'static dyn Source,
    pub(super) surroundings: Surroundings,
}

/// An event that arrived as JSON.
#[derive(Debug, Clone)]
pub struct JsonEvent {
    origin: Arc<Origin>,
    json: Json,
    time: u64,
    number: u64,
    /// Nanoseconds since the first event.
    since_first: u64,
    /// When the user failed to log in before, for sources that count such.
    failures: Vec<u64>,
}

impl JsonEvent {
    pub(super) fn new(
        origin: Arc<Origin>,
        json: Json,
        time: u64,
        number: u64,
        since_first: u64,
        failures: Vec<u64>,
    ) -> Self {
        Self {
            origin,
            json,
            time,
            number,
            since_first,
            failures,
        }
    }

    /// The event as it came.
    #[must_use]
    pub fn json(&self) -> &Json {
        &self.json
    }

    /// What no event tells.
    #[must_use]
    pub fn surroundings(&self) -> &Surroundings {
        &self.origin.surroundings
    }

    /// When the user failed to log in, this event among them, in nanoseconds since the Unix epoch.
    pub(super) fn failures(&self) -> &[u64] {
        &self.failures
    }

    fn formatted(&self, format: &str) -> Value<'_> {
        Value::owned_text(
            Timestamp::from_nanosecond(i128::from(self.time))
                .unwrap_or(Timestamp::UNIX_EPOCH)
                .strftime(format)
                .to_string(),
        )
    }
}

/// A string as it is, anything else as JSON.
pub(super) fn text(json: &Json) -> Value<'_> {
    Value::Text(match json.text() {
        Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
        Cow::Owned(text) => Cow::Owned(text.into_bytes()),
    })
}

const SECOND: u64 = 1_000_000_000;

impl EventView for JsonEvent {
    fn event_type(&self) -> EventType {
        static TYPE: OnceLock<EventType> = OnceLock::new();
        *TYPE.get_or_init(|| EventType::named("pluginevent").unwrap_or(EventType(u16::MAX)))
    }

    fn value(&self, field: Field, argument: &Argument) -> Value<'_> {
        match field {
            Field::JsonValue | Field::JevtValue => match argument {
                Argument::Key(pointer) if !pointer.is_empty() => {
                    self.json.pointer(pointer).map_or(Value::Absent, text)
                }
                Argument::Index(index) => self.json.get(&index.to_string()).map_or(Value::Absent, text),
                Argument::Key(_) | Argument::None => Value::Absent,
            },
            Field::JsonObj | Field::JevtObj => Value::owned_text(self.json.indented()),
            Field::JsonRawtime | Field::JevtRawtime => Value::owned_text(self.time.to_string()),
            Field::EvtNum => Value::Uint(self.number),
            // Audit logs tell times in UTC, and so do these.
            Field::EvtTime | Field::EvtOutputtime => self.formatted("%H:%M:%S.%9f"),
            Field::EvtTimeS => self.formatted("%H:%M:%S"),
            Field::EvtTimeIso8601 => self.formatted("%Y-%m-%dT%H:%M:%S.%9f+0000"),
            Field::EvtDatetime => self.formatted("%Y-%m-%d %H:%M:%S.%9f"),
            Field::EvtDatetimeS => self.formatted("%Y-%m-%d %H:%M:%S"),
            Field::EvtRawtime => Value::Uint(self.time),
            Field::EvtRawtimeS => Value::Uint(self.time / SECOND),
            Field::EvtRawtimeNs => Value::Uint(self.time % SECOND),
            Field::EvtReltime => Value::Uint(self.since_first),
            Field::EvtReltimeS => Value::Uint(self.since_first / SECOND),
            Field::EvtReltimeNs => Value::Uint(self.since_first % SECOND),
            Field::EvtPluginname => Value::text(self.origin.source.plugin().as_bytes()),
            Field::EvtPlugininfo => self.origin.source.summary(self),
            Field::EvtSource => Value::text(self.origin.source.name().as_bytes()),
            Field::EvtIsAsync => Value::Bool(false),
            Field::EvtHostname => Value::text(self.origin.surroundings.hostname.as_bytes()),
            Field::EvtType => Value::text(b"pluginevent"),
            other => self.origin.source.value(self, other, argument),
        }
    }

    fn time(&self) -> u64 {
        self.time
    }

    fn source(&self) -> &'static str {
        self.origin.source.name()
    }
}
