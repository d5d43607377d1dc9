//! What the alert formats share: times, fields as JSON, and text that a terminal does not obey.

use crate::alerts::AlertOptions;
use crate::json_text::write_json_line;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use model::event::{Alert, FieldValue};
use model::path::printable;
use serde::{Serialize, Serializer};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// The version that outputs name as that of the product.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A time in UTC by a `strftime` format.
pub(crate) fn time(nanoseconds: u64, format: &str) -> String {
    Timestamp::from_nanosecond(i128::from(nanoseconds))
        .unwrap_or(Timestamp::UNIX_EPOCH)
        .strftime(format)
        .to_string()
}

/// `2026-01-02T03:04:05.000000006Z`
pub(crate) fn rfc3339(nanoseconds: u64) -> String {
    time(nanoseconds, "%Y-%m-%dT%H:%M:%S.%9fZ")
}

/// The zone of the host, UTC where it has none.
fn zone() -> &'static TimeZone {
    static ZONE: OnceLock<TimeZone> = OnceLock::new();
    ZONE.get_or_init(TimeZone::system)
}

/// A time in UTC or in the zone of the host by a `strftime` format.
pub(crate) fn clock(nanoseconds: u64, format: &str, local_time: bool) -> String {
    if !local_time {
        return time(nanoseconds, format);
    }
    Timestamp::from_nanosecond(i128::from(nanoseconds))
        .unwrap_or(Timestamp::UNIX_EPOCH)
        .to_zoned(zone().clone())
        .strftime(format)
        .to_string()
}

/// Falco's line: time, priority, message.
pub(crate) fn falco_line(alert: &Alert, options: &AlertOptions) -> String {
    let moment = if options.iso_8601 {
        time(alert.time, "%Y-%m-%dT%H:%M:%S.%9f+0000")
    } else {
        clock(alert.time, "%H:%M:%S.%9f", options.local_time)
    };
    format!("{moment}: {} {}", alert.priority, printable(&alert.output))
}

/// A field's value as JSON: numbers and truth values keep their type, lists are arrays.
pub(crate) struct JsonValue<'a>(pub(crate) &'a FieldValue);

impl Serialize for JsonValue<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            FieldValue::Absent => serializer.serialize_none(),
            FieldValue::Bool(value) => serializer.serialize_bool(*value),
            FieldValue::Int(value) => serializer.serialize_i64(*value),
            FieldValue::Uint(value) => serializer.serialize_u64(*value),
            FieldValue::List(values) => serializer.collect_seq(values.iter().map(JsonValue)),
            FieldValue::Text(value) => serializer.serialize_str(value),
        }
    }
}

/// The fields by name; the first mention of a name counts.
pub(crate) fn fields(alert: &Alert) -> BTreeMap<&str, JsonValue<'_>> {
    let mut fields = BTreeMap::new();
    for (name, value) in &alert.fields {
        fields.entry(name.as_str()).or_insert(JsonValue(value));
    }
    fields
}

/// A field's value as text, if it has one that says something.
pub(crate) fn text<'a>(alert: &'a Alert, name: &str) -> Option<Cow<'a, str>> {
    let (_, value) = alert.fields.iter().find(|(field, _)| field == name)?;
    value.rendered().filter(|text| !text.is_empty() && text != "<NA>")
}

/// A field's value as a number that is not negative.
pub(crate) fn number(alert: &Alert, name: &str) -> Option<u64> {
    let (_, value) = alert.fields.iter().find(|(field, _)| field == name)?;
    match value {
        FieldValue::Uint(value) => Some(*value),
        FieldValue::Int(value) => u64::try_from(*value).ok(),
        FieldValue::Text(value) => value.parse().ok(),
        FieldValue::Absent | FieldValue::Bool(_) | FieldValue::List(_) => None,
    }
}

/// The id of the container that an alert is about; `None` on the host.
pub(crate) fn container_id(alert: &Alert) -> Option<Cow<'_, str>> {
    text(alert, "container.id").filter(|id| id != "host")
}

/// Appends a value as one line of JSON.
pub(crate) fn push_json_line(value: &impl Serialize, out: &mut Vec<u8>) {
    let before = out.len();
    // A vector takes everything, and the structures of the formats have only text as keys.
    if write_json_line(value, out).is_err() {
        out.truncate(before);
    }
}
