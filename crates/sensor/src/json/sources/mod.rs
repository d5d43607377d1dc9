//! The registry of sources of JSON events, in alphabetical order.

use super::{Json, JsonEvent};
use jiff::Timestamp;
use model::Meta;
use model::event::{Argument, Field, Value};
use std::fmt;

mod aws_cloudtrail;
mod github_webhook;
mod json_events;
mod k8s_audit;
mod okta_log;

/// A member of the family.
pub trait Source: Sync {
    /// Description.
    fn meta(&self) -> &'static Meta;

    /// The name that rules use (`source: k8s_audit`).
    fn name(&self) -> &'static str;

    /// The name of the plugin that reads such events in Falco.
    fn plugin(&self) -> &'static str;

    /// When an event happened, in nanoseconds since the Unix epoch, if it tells.
    fn time(&self, event: &Json) -> Option<u64>;

    /// The value of one of the source's own fields.
    fn value<'a>(&self, event: &'a JsonEvent, field: Field, argument: &Argument) -> Value<'a>;

    /// The event in a few words.
    fn summary<'a>(&self, event: &'a JsonEvent) -> Value<'a>;

    /// What the event lacks, if it lacks what makes it one of this source: then it has none of the source's own fields.
    fn lacks(&self, event: &Json) -> Option<&'static str> {
        let _ = event;
        None
    }

    /// If the event is a failure that is counted per user: the user and kind of failure.
    fn failure(&self, event: &Json) -> Option<Box<str>> {
        let _ = event;
        None
    }
}

impl fmt::Debug for dyn Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// Every source of JSON events.
pub static ALL: &[&dyn Source] = &[
    &aws_cloudtrail::AWS_CLOUDTRAIL,
    &github_webhook::GITHUB_WEBHOOK,
    &json_events::JSON_EVENTS,
    &k8s_audit::K8S_AUDIT,
    &okta_log::OKTA_LOG,
];

/// The source that rules know by this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static dyn Source> {
    ALL.iter().copied().find(|source| source.name() == name)
}

/// What lies below a chain of keys, as text.
fn text_at<'a>(event: &'a JsonEvent, keys: &[&str]) -> Value<'a> {
    event.json().at(keys).map_or(Value::Absent, super::event::text)
}

/// A list of texts; none is no value.
fn texts<'a>(values: impl Iterator<Item = &'a Json>) -> Value<'a> {
    let list: Vec<Value<'a>> = values.map(super::event::text).collect();
    if list.is_empty() {
        Value::Absent
    } else {
        Value::List(list)
    }
}

/// The moment that an RFC 3339 text names, if it lies after 1970.
fn moment(json: Option<&Json>) -> Option<u64> {
    let time: Timestamp = json?.as_str()?.parse().ok()?;
    u64::try_from(time.as_nanosecond()).ok()
}

/// Words with blanks between, those that are there.
fn words<'a>(parts: &[Option<&Json>]) -> Value<'a> {
    let words: Vec<_> = parts
        .iter()
        .flatten()
        .map(|part| part.text())
        .filter(|text| !text.is_empty())
        .collect();
    Value::owned_text(words.join(" "))
}
