//! Alerts for the API v2 of Alertmanager.

use super::{AlertFormat, AlertOptions};
use crate::alert_text::{container_id, push_json_line, rfc3339, text};
use model::Meta;
use model::event::{Alert, Priority};
use model::path::printable;
use serde::Serialize;
use std::collections::BTreeMap;

/// The member.
pub(super) static ALERTMANAGER_V2: AlertmanagerV2 = AlertmanagerV2;

pub(super) struct AlertmanagerV2;

static META: Meta = Meta {
    name: "alertmanager-v2",
    title: "An array of alerts for the API v2 of Alertmanager; `alertmanager` for short",
    finds: &[
        "labels say which rule fired where (alertname, priority, severity, source, hostname, container_id, container_name, image, namespace, pod), so that repetitions are one alert",
        "annotations say what happened: summary, description, tags and every field of the output",
    ],
    needs: &[],
    references: &["https://prometheus.io/docs/alerting/latest/alerts_api/"],
};

#[derive(Serialize)]
struct Item<'a> {
    labels: BTreeMap<&'a str, String>,
    annotations: BTreeMap<String, String>,
    #[serde(rename = "startsAt")]
    starts_at: String,
}

/// Labels and the fields that they hold.
const FIELD_LABELS: [(&str, &str); 4] = [
    ("container_name", "container.name"),
    ("image", "container.image.repository"),
    ("namespace", "k8s.ns.name"),
    ("pod", "k8s.pod.name"),
];

impl AlertFormat for AlertmanagerV2 {
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
        let items: Vec<Item<'_>> = alerts.iter().map(|alert| item(alert)).collect();
        push_json_line(&items, out);
    }
}

fn item(alert: &Alert) -> Item<'_> {
    let mut labels = BTreeMap::from([
        ("alertname", printable(&alert.rule).into_owned()),
        ("priority", alert.priority.name().to_ascii_lowercase()),
        ("severity", severity(alert.priority).to_owned()),
        ("source", alert.source.clone()),
        ("hostname", printable(&alert.hostname).into_owned()),
    ]);
    if let Some(id) = container_id(alert) {
        labels.insert("container_id", printable(&id).into_owned());
        for (label, field) in FIELD_LABELS {
            if let Some(value) = text(alert, field) {
                labels.insert(label, printable(&value).into_owned());
            }
        }
    }
    labels.retain(|_, value| !value.is_empty());

    let mut annotations = BTreeMap::new();
    for (name, value) in &alert.fields {
        if let Some(value) = value.rendered() {
            annotations
                .entry(label_name(name))
                .or_insert_with(|| printable(&value).into_owned());
        }
    }
    annotations.insert("summary".to_owned(), printable(&alert.rule).into_owned());
    annotations.insert("description".to_owned(), printable(&alert.output).into_owned());
    if !alert.tags.is_empty() {
        annotations.insert("tags".to_owned(), printable(&alert.tags.join(",")).into_owned());
    }
    Item {
        labels,
        annotations,
        starts_at: rfc3339(alert.time),
    }
}

/// The three levels that routes for Prometheus alerts usually know.
fn severity(priority: Priority) -> &'static str {
    match priority {
        Priority::Emergency | Priority::Alert | Priority::Critical => "critical",
        Priority::Error | Priority::Warning => "warning",
        Priority::Notice | Priority::Informational | Priority::Debug => "info",
    }
}

/// A name of `[a-zA-Z_][a-zA-Z0-9_]*`, which is all that Alertmanager takes.
fn label_name(field: &str) -> String {
    let mut name: String = field
        .chars()
        .map(|character| {
            if character.is_ascii_alphanumeric() {
                character
            } else {
                '_'
            }
        })
        .collect();
    if !name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_') {
        name.insert(0, '_');
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_labels() {
        for (field, expected) in [
            ("proc.name", "proc_name"),
            ("ka.uri.param[command]", "ka_uri_param_command_"),
            ("3d", "_3d"),
            ("", "_"),
            ("é", "_"),
        ] {
            assert_eq!(label_name(field), expected);
        }
    }
}
