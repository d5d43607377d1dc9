//! Any bytes as a rule file: taken or refused, and what is taken can be asked about any event.
#![no_main]

use detect::{Evaluator, LoadOptions, Loader, results_to_json};
use libfuzzer_sys::fuzz_target;
use model::event::{Argument, EventType, EventView, Field, FieldKind, Value};
use std::sync::Arc;

/// An event that has every field.
struct Full(EventType);

impl EventView for Full {
    fn event_type(&self) -> EventType {
        self.0
    }

    fn value(&self, field: Field, _: &Argument) -> Value<'_> {
        let value = match field.info().kind {
            FieldKind::Bool => Value::Bool(true),
            FieldKind::Int => Value::Int(-3),
            FieldKind::Uint | FieldKind::Duration | FieldKind::Time | FieldKind::Port => Value::Uint(7),
            FieldKind::Text | FieldKind::Path => Value::text(b"/etc/\xffa b -x=1\0c"),
            FieldKind::Bytes => Value::Bytes(b"\0\x01bytes"[..].into()),
            FieldKind::Address | FieldKind::Network => Value::Addresses([None, Some([127, 0, 0, 1].into())]),
        };
        if field.info().list {
            return Value::List(vec![value.clone(), value]);
        }
        value
    }

    fn time(&self) -> u64 {
        0
    }

    fn source(&self) -> &'static str {
        "syscall"
    }
}

fuzz_target!(|data: &[u8]| {
    let mut loader = Loader::new(LoadOptions { all_matches: true, ..LoadOptions::default() }).expect("options");
    let result = loader.add("file", data);
    for finding in result.errors.iter().chain(&result.warnings) {
        let _ = (finding.to_text(), finding.to_line());
    }
    let _ = results_to_json(&[result]);
    let rules = Arc::new(loader.finish());
    for rule in rules.rules() {
        let _ = rules.expanded(rule).pretty();
    }
    let mut evaluator = Evaluator::new(Arc::clone(&rules));
    for kind in ["open", "execve", "connect", "pluginevent"] {
        let event = Full(EventType::named(kind).expect("known"));
        let mut fired = Vec::new();
        evaluator.evaluate(&event, |id| fired.push(id));
        for id in fired {
            let _ = rules.to_alert(id, &event, "host");
        }
    }
});
