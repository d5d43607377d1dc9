//! Any events that are JSON objects.

use super::{Source, moment};
use crate::json::{Json, JsonEvent};
use model::Meta;
use model::event::{Argument, Field, Value};

/// The member.
pub(super) static JSON_EVENTS: JsonEvents = JsonEvents;

pub(super) struct JsonEvents;

static META: Meta = Meta {
    name: "json-events",
    title: "Any JSON objects, for rules with `source: json`",
    finds: &[
        "`json.value[/pointer]`, `json.obj` and `json.rawtime`, also as `jevt.*`",
        "the time of an event is its `time`, `timestamp` or `@timestamp` when that is RFC 3339, otherwise when it was read",
    ],
    needs: &[],
    references: &["https://www.rfc-editor.org/rfc/rfc6901"],
};

/// Longest summary in bytes.
const MAX_SUMMARY: usize = 256;

impl Source for JsonEvents {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn name(&self) -> &'static str {
        "json"
    }

    fn plugin(&self) -> &'static str {
        "json"
    }

    fn time(&self, event: &Json) -> Option<u64> {
        ["time", "timestamp", "@timestamp"]
            .iter()
            .find_map(|key| moment(event.get(key)))
    }

    fn value<'a>(&self, _event: &'a JsonEvent, _field: Field, _argument: &Argument) -> Value<'a> {
        Value::Absent
    }

    fn summary<'a>(&self, event: &'a JsonEvent) -> Value<'a> {
        let mut text = event.json().text().into_owned();
        let mut end = MAX_SUMMARY.min(text.len());
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        Value::owned_text(text)
    }
}
