//! Falco's line of JSON, which Falcosidekick and the tools around Falco take.

use super::{AlertFormat, AlertOptions};
use crate::alert_text::{JsonValue, falco_line, fields, push_json_line, rfc3339};
use model::Meta;
use model::event::{Alert, FieldValue};
use serde::Serialize;
use std::collections::BTreeMap;

/// The member.
pub(super) static FALCO_JSON: FalcoJson = FalcoJson;

pub(super) struct FalcoJson;

static META: Meta = Meta {
    name: "falco-json",
    title: "One JSON object a line, as Falco prints it; `json` for short",
    finds: &[
        "hostname, output, output_fields, priority, rule, source, tags and time; what the outputs of Falcosidekick expect",
    ],
    needs: &[],
    references: &[
        "https://falco.org/docs/outputs/formatting/",
        "https://github.com/falcosecurity/falcosidekick",
    ],
};

/// Keys in the order in which Falco prints them.
#[derive(Serialize)]
struct Line<'a> {
    hostname: &'a str,
    output: String,
    output_fields: BTreeMap<&'a str, JsonValue<'a>>,
    priority: &'a str,
    rule: &'a str,
    source: &'a str,
    tags: Vec<&'a str>,
    time: String,
}

impl AlertFormat for FalcoJson {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn content_type(&self) -> &'static str {
        "application/json"
    }

    fn extension(&self) -> &'static str {
        "json"
    }

    fn joins(&self) -> bool {
        false
    }

    fn write(&self, alerts: &[&Alert], options: &AlertOptions, out: &mut Vec<u8>) {
        for alert in alerts {
            let time = FieldValue::Uint(alert.time);
            let mut output_fields = fields(alert);
            // Falco puts the time before every output, which makes it one of the fields.
            let name = if options.iso_8601 {
                "evt.time.iso8601"
            } else {
                "evt.time"
            };
            output_fields.insert(name, JsonValue(&time));
            let mut tags: Vec<&str> = alert.tags.iter().map(String::as_str).collect();
            tags.sort_unstable();
            push_json_line(
                &Line {
                    hostname: &alert.hostname,
                    output: falco_line(alert, options),
                    output_fields,
                    priority: alert.priority.name(),
                    rule: &alert.rule,
                    source: &alert.source,
                    tags,
                    time: rfc3339(alert.time),
                },
                out,
            );
        }
    }
}
