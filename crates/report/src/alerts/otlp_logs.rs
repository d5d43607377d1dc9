//! Log records of OpenTelemetry in the JSON encoding of OTLP.

use super::{AlertFormat, AlertOptions};
use crate::alert_text::{VERSION, push_json_line};
use model::Meta;
use model::event::{Alert, FieldValue, Priority};
use model::path::printable;
use serde::Serialize;
use std::collections::BTreeMap;

/// The member.
pub(super) static OTLP_LOGS: OtlpLogs = OtlpLogs;

pub(super) struct OtlpLogs;

static META: Meta = Meta {
    name: "otlp-logs",
    title: "An OTLP/HTTP logs request in JSON; `otlp` for short",
    finds: &[
        "one resource a host (service.name, host.name), one log record an alert: the output is the body, rule, source, tags and fields are attributes",
    ],
    needs: &[],
    references: &[
        "https://opentelemetry.io/docs/specs/otlp/",
        "https://opentelemetry.io/docs/specs/otel/logs/data-model/",
    ],
};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Request<'a> {
    resource_logs: Vec<ResourceLogs<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResourceLogs<'a> {
    resource: Resource<'a>,
    scope_logs: [ScopeLogs<'a>; 1],
}

#[derive(Serialize)]
struct Resource<'a> {
    attributes: Vec<Attribute<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ScopeLogs<'a> {
    scope: Scope,
    log_records: Vec<LogRecord<'a>>,
}

#[derive(Serialize)]
struct Scope {
    name: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LogRecord<'a> {
    /// 64-bit numbers are strings in the JSON encoding.
    time_unix_nano: String,
    observed_time_unix_nano: String,
    severity_number: u8,
    severity_text: &'static str,
    body: AnyValue,
    attributes: Vec<Attribute<'a>>,
    event_name: &'static str,
}

#[derive(Serialize)]
struct Attribute<'a> {
    key: &'a str,
    value: AnyValue,
}

#[derive(Serialize)]
enum AnyValue {
    #[serde(rename = "stringValue")]
    Text(String),
    #[serde(rename = "boolValue")]
    Bool(bool),
    #[serde(rename = "intValue")]
    Int(String),
    #[serde(rename = "arrayValue")]
    Array(Values),
}

#[derive(Serialize)]
struct Values {
    values: Vec<AnyValue>,
}

impl AlertFormat for OtlpLogs {
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
        true
    }

    fn write(&self, alerts: &[&Alert], _options: &AlertOptions, out: &mut Vec<u8>) {
        let mut hosts: BTreeMap<&str, Vec<LogRecord<'_>>> = BTreeMap::new();
        for alert in alerts {
            hosts.entry(&alert.hostname).or_default().push(record(alert));
        }
        let resource_logs = hosts
            .into_iter()
            .map(|(host, log_records)| ResourceLogs {
                resource: Resource {
                    attributes: vec![
                        string("service.name", "hullward"),
                        string("service.version", VERSION),
                        string("host.name", host),
                    ],
                },
                scope_logs: [ScopeLogs {
                    scope: Scope {
                        name: "hullward.watch",
                        version: VERSION,
                    },
                    log_records,
                }],
            })
            .collect();
        push_json_line(&Request { resource_logs }, out);
    }
}

/// A field's value as the protocol has it, if there is one.
fn any_value(value: &FieldValue) -> Option<AnyValue> {
    Some(match value {
        FieldValue::Absent => return None,
        FieldValue::Bool(value) => AnyValue::Bool(*value),
        FieldValue::Int(value) => AnyValue::Int(value.to_string()),
        // The protocol's integers are signed.
        FieldValue::Uint(value) => match i64::try_from(*value) {
            Ok(value) => AnyValue::Int(value.to_string()),
            Err(_) => AnyValue::Text(value.to_string()),
        },
        FieldValue::List(values) => AnyValue::Array(Values {
            values: values
                .iter()
                .filter(|value| !matches!(value, FieldValue::List(_)))
                .filter_map(any_value)
                .collect(),
        }),
        FieldValue::Text(value) => AnyValue::Text(value.clone()),
    })
}

fn record(alert: &Alert) -> LogRecord<'_> {
    let mut attributes = vec![
        string("security_rule.name", &alert.rule),
        string("hullward.source", &alert.source),
        Attribute {
            key: "hullward.tags",
            value: AnyValue::Array(Values {
                values: alert.tags.iter().map(|tag| AnyValue::Text(tag.clone())).collect(),
            }),
        },
    ];
    let mut seen: Vec<&str> = Vec::new();
    for (key, value) in &alert.fields {
        let Some(value) = any_value(value) else {
            continue;
        };
        // Keys of attributes are unique.
        if !seen.contains(&key.as_str()) {
            seen.push(key);
            attributes.push(Attribute { key, value });
        }
    }
    LogRecord {
        time_unix_nano: alert.time.to_string(),
        observed_time_unix_nano: alert.time.to_string(),
        severity_number: severity_number(alert.priority),
        severity_text: alert.priority.name(),
        body: AnyValue::Text(printable(&alert.output).into_owned()),
        attributes,
        event_name: "hullward.detection",
    }
}

fn string<'a>(key: &'a str, value: &str) -> Attribute<'a> {
    Attribute {
        key,
        value: AnyValue::Text(value.to_owned()),
    }
}

/// By the data model's table for syslog severities.
fn severity_number(priority: Priority) -> u8 {
    match priority {
        Priority::Emergency => 21,
        Priority::Alert => 19,
        Priority::Critical => 18,
        Priority::Error => 17,
        Priority::Warning => 13,
        Priority::Notice => 10,
        Priority::Informational => 9,
        Priority::Debug => 5,
    }
}
