//! Events that arrive as JSON: audit logs of Kubernetes, AWS CloudTrail, GitHub, Okta, and any other.
//!
//! [`Intake`] turns documents into [`JsonEvent`]s, which answer the fields of their source; [`files`] reads documents from
//! files, folders and growing files. What a webhook receives goes to [`Intake::take`] as it is.

mod event;
pub mod files;
pub mod sources;
mod value;

pub use event::JsonEvent;
pub use value::Json;

use crate::json::event::Origin;
use crate::json::sources::Source;
use model::Problem;
use serde_json::value::RawValue;
use std::collections::HashMap;
use std::sync::Arc;

/// Longest event, in bytes.
pub const MAX_EVENT_BYTES: usize = 16 * 1024 * 1024;

/// Most users whose failed second factors are remembered.
const MAX_USERS: usize = 10_000;
/// Most failures that are remembered of one user.
const MAX_FAILURES: usize = 200;
/// How long failures are remembered, in nanoseconds: 23.5 hours, as Falco's plugin does.
const FAILURE_LIFE: u64 = 84_600 * 1_000_000_000;

/// What the events of one source have in common and no event tells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// The host that reads the events (`evt.hostname`).
    pub hostname: String,
    /// The cluster whose events these are (`ka.cluster.name`).
    pub cluster: Option<String>,
    /// The organisation whose events these are (`okta.org`).
    pub organization: Option<String>,
}

/// Turns JSON documents of one source into events, numbered in order.
pub struct Intake {
    source: &'static dyn Source,
    origin: Arc<Origin>,
    number: u64,
    first: Option<u64>,
    failures: HashMap<Box<str>, Vec<u64>>,
    fieldless: Fieldless,
}

/// Events that have none of the fields of their source, since they lack what makes them one of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Fieldless {
    /// How many.
    pub count: u64,
    /// What the first of them lacked.
    pub lacked: Option<&'static str>,
}

impl Intake {
    /// For the source of this member.
    #[must_use]
    pub fn new(source: &'static dyn Source, surroundings: Surroundings) -> Self {
        Self {
            source,
            origin: Arc::new(Origin { source, surroundings }),
            number: 0,
            first: None,
            failures: HashMap::new(),
            fieldless: Fieldless::default(),
        }
    }

    /// The events so far that have none of the fields of their source. Rules over these cannot match them.
    #[must_use]
    pub fn fieldless(&self) -> Fieldless {
        self.fieldless
    }

    /// The events of a document: one event, a list of events, or an object around such a list (`EventList` of Kubernetes,
    /// `Records` of CloudTrail). `received` is the time for events that tell none, in nanoseconds since the Unix epoch.
    /// What is no event gives a problem in its place.
    pub fn take(&mut self, document: &str, received: u64) -> Vec<Result<JsonEvent, Problem>> {
        let parts = match split(document) {
            Ok(parts) => parts,
            Err(error) => return vec![Err(self.no_json(&error))],
        };
        parts.into_iter().map(|part| self.event(part, received)).collect()
    }

    fn event(&mut self, text: &str, received: u64) -> Result<JsonEvent, Problem> {
        if text.len() > MAX_EVENT_BYTES {
            return Err(Problem::general(format!(
                "{} event is longer than {} MiB and was left out",
                self.source.name(),
                MAX_EVENT_BYTES >> 20
            )));
        }
        let json: Json = serde_json::from_str(text).map_err(|error| self.no_json(&error))?;
        if !matches!(json, Json::Object(_)) {
            return Err(Problem::general(format!(
                "{} event is no JSON object and was left out",
                self.source.name()
            )));
        }
        let time = self.source.time(&json).unwrap_or(received);
        self.number += 1;
        let first = *self.first.get_or_insert(time);
        let failures = self.failures_of(&json, time);
        if let Some(lacked) = self.source.lacks(&json) {
            self.fieldless.count += 1;
            self.fieldless.lacked.get_or_insert(lacked);
        }
        Ok(JsonEvent::new(
            Arc::clone(&self.origin),
            json,
            time,
            self.number,
            time.saturating_sub(first),
            failures,
        ))
    }

    fn no_json(&self, error: &serde_json::Error) -> Problem {
        Problem::general(format!("{} event is no JSON: {error}", self.source.name()))
    }

    /// When the user of an event failed before (this one among them), if the event is such a failure.
    fn failures_of(&mut self, json: &Json, time: u64) -> Vec<u64> {
        let Some(key) = self.source.failure(json) else {
            return Vec::new();
        };
        if self.failures.len() >= MAX_USERS && !self.failures.contains_key(&*key) {
            let oldest = time.saturating_sub(FAILURE_LIFE);
            self.failures
                .retain(|_, times| times.last().is_some_and(|last| *last > oldest));
            if self.failures.len() >= MAX_USERS {
                let longest_ago = self
                    .failures
                    .iter()
                    .min_by_key(|(_, times)| times.last().copied())
                    .map(|(key, _)| key.clone());
                if let Some(key) = longest_ago {
                    self.failures.remove(&key);
                }
            }
        }
        let times = self.failures.entry(key).or_default();
        times.retain(|then| *then > time.saturating_sub(FAILURE_LIFE));
        if !times.contains(&time) {
            times.push(time);
        }
        if times.len() > MAX_FAILURES {
            times.remove(0);
        }
        times.clone()
    }
}

/// Keys under which lists of events are wrapped.
#[derive(serde::Deserialize)]
struct Wrapper<'a> {
    #[serde(borrow, default)]
    kind: Option<&'a RawValue>,
    #[serde(borrow, default)]
    items: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "Records")]
    records: Option<&'a RawValue>,
}

/// The events of a document as texts. Lists are opened, wrappers are opened, also those in lists.
fn split(document: &str) -> Result<Vec<&str>, serde_json::Error> {
    let mut events = Vec::new();
    let mut stream = serde_json::Deserializer::from_str(document).into_iter::<&RawValue>();
    for value in &mut stream {
        open(value?.get(), 0, &mut events)?;
    }
    Ok(events)
}

/// How many lists and wrappers may lie in each other.
const MAX_WRAPPING: usize = 4;

fn open<'a>(text: &'a str, depth: usize, events: &mut Vec<&'a str>) -> Result<(), serde_json::Error> {
    let inner = match text.as_bytes().first() {
        _ if depth >= MAX_WRAPPING => None,
        Some(b'[') => Some(text),
        // Most events are no wrapper, which one look at their keys tells. Objects whose keys are of other types are none.
        Some(b'{') => serde_json::from_str::<Wrapper<'_>>(text)
            .ok()
            .and_then(|wrapper| {
                let is_list = wrapper
                    .kind
                    .is_some_and(|kind| kind.get().trim_matches('"').ends_with("List"));
                if is_list { wrapper.items } else { wrapper.records }
            })
            .map(RawValue::get)
            .filter(|inner| inner.starts_with('[')),
        _ => None,
    };
    match inner {
        Some(list) => {
            for item in serde_json::from_str::<Vec<&RawValue>>(list)? {
                open(item.get(), depth + 1, events)?;
            }
        }
        None => events.push(text),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_opened() {
        for (document, expected) in [
            (r#"{"a":1}"#, vec![r#"{"a":1}"#]),
            (" {\"a\":1}\n{\"b\":2} ", vec![r#"{"a":1}"#, r#"{"b":2}"#]),
            (r#"[{"a":1},{"b":2}]"#, vec![r#"{"a":1}"#, r#"{"b":2}"#]),
            (
                r#"{"kind":"EventList","items":[{"a":1},{"kind":"Event"}]}"#,
                vec![r#"{"a":1}"#, r#"{"kind":"Event"}"#],
            ),
            (r#"{"Records":[{"a":1}]}"#, vec![r#"{"a":1}"#]),
            (r#"[{"Records":[{"a":1}]}]"#, vec![r#"{"a":1}"#]),
            (r#"{"Records":"none"}"#, vec![r#"{"Records":"none"}"#]),
            (
                r#"{"kind":"Event","items":[1]}"#,
                vec![r#"{"kind":"Event","items":[1]}"#],
            ),
            (r#"{"kind":"EventList","items":[]}"#, vec![]),
            (r#"{"kind":7}"#, vec![r#"{"kind":7}"#]),
            ("7", vec!["7"]),
            ("", vec![]),
        ] {
            assert_eq!(split(document).expect("JSON"), expected, "{document}");
        }
        for document in ["{", "[1,", "nothing", "{\"a\":1}}", "\"unended"] {
            assert!(split(document).is_err(), "{document}");
        }
    }

    #[test]
    fn wrapping_is_not_followed_for_ever() {
        let document = "[".repeat(100) + &"]".repeat(100);
        assert_eq!(split(&document).expect("JSON").len(), 1);
    }

    fn intake(name: &str) -> Intake {
        Intake::new(sources::find(name).expect("source"), Surroundings::default())
    }

    #[test]
    fn what_is_no_event_is_a_problem() {
        let mut intake = intake("k8s_audit");
        let taken = intake.take(r#"[{"auditID":"1"}, 7, {"auditID":"2"}]"#, 5);
        assert_eq!(taken.len(), 3);
        assert!(taken[0].is_ok() && taken[2].is_ok());
        assert_eq!(
            taken[1].as_ref().expect_err("a number").to_string(),
            "k8s_audit event is no JSON object and was left out"
        );
        let taken = intake.take("{\"auditID\":", 5);
        assert!(
            taken[0]
                .as_ref()
                .expect_err("cut")
                .message
                .starts_with("k8s_audit event is no JSON: EOF")
        );
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(1000), "]".repeat(1000));
        assert!(intake.take(&deep, 5)[0].is_err());
    }

    #[test]
    fn events_without_fields_are_counted() {
        let mut intake = intake("k8s_audit");
        assert_eq!(intake.fieldless(), Fieldless::default());
        let taken = intake.take(r#"[{"auditID":"1"}, {"verb":"get"}, {"kind":"Pod"}]"#, 5);
        assert!(taken.iter().all(Result::is_ok));
        let expected = Fieldless {
            count: 2,
            lacked: Some("auditID"),
        };
        assert_eq!(intake.fieldless(), expected);
        let mut other = self::intake("okta");
        other.take(r#"{"verb":"get"}"#, 5);
        assert_eq!(other.fieldless().count, 0);
    }

    #[test]
    fn memory_of_failures_is_bounded() {
        let mut intake = intake("okta");
        let second = 1_000_000_000_u64;
        let event = |user: u64| {
            format!(r#"{{"eventType":"user.mfa.okta_verify.deny_push","actor":{{"id":"{user}"}}}}"#)
        };
        for user in 0..MAX_USERS as u64 + 50 {
            intake.take(&event(user), (user + 1) * second);
        }
        assert_eq!(intake.failures.len(), MAX_USERS);
        let newest = MAX_USERS as u64 + 49;
        for moment in 0..500 {
            intake.take(&event(newest), (newest + 1 + moment) * second);
        }
        assert!(intake.failures.values().all(|times| times.len() <= MAX_FAILURES));
    }
}
