//! Syslog messages by RFC 5424, with the fields as structured data.

use super::{AlertFormat, AlertOptions};
use crate::alert_text::time;
use model::Meta;
use model::event::Alert;
use model::path::printable;

/// The member.
pub(super) static RFC5424: Rfc5424 = Rfc5424;

pub(super) struct Rfc5424;

static META: Meta = Meta {
    name: "rfc5424",
    title: "Syslog messages by RFC 5424; `syslog` for short",
    finds: &[
        "severity from the priority; rule, source and tags in the element `alert@32473`, the output's fields in `fields@32473`; priority and output as the message",
    ],
    needs: &[],
    references: &["https://www.rfc-editor.org/rfc/rfc5424"],
};

/// Longest host name of the header.
const MAX_HOSTNAME: usize = 255;
/// Longest name of a parameter.
const MAX_NAME: usize = 32;
/// Longest value of a parameter, in bytes before escaping, so that one huge argument list does not push the rest out of a datagram.
const MAX_VALUE: usize = 1024;

impl AlertFormat for Rfc5424 {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn content_type(&self) -> &'static str {
        "text/plain; charset=utf-8"
    }

    fn extension(&self) -> &'static str {
        "log"
    }

    fn joins(&self) -> bool {
        false
    }

    fn write(&self, alerts: &[&Alert], options: &AlertOptions, out: &mut Vec<u8>) {
        for alert in alerts {
            out.extend_from_slice(message(alert, options).as_bytes());
            out.push(b'\n');
        }
    }
}

fn message(alert: &Alert, options: &AlertOptions) -> String {
    let facility = if options.syslog_facility < 24 {
        options.syslog_facility
    } else {
        1
    };
    let priority = u16::from(facility) * 8 + alert.priority as u16;
    let process = match options.process {
        0 => "-".to_owned(),
        process => process.to_string(),
    };
    let mut line = format!(
        // Fractions of a second have at most six digits.
        "<{priority}>1 {} {} hullward {process} alert [alert@32473",
        time(alert.time, "%Y-%m-%dT%H:%M:%S.%6fZ"),
        header_word(&alert.hostname, MAX_HOSTNAME),
    );
    push_parameter(&mut line, "rule", &alert.rule);
    push_parameter(&mut line, "priority", alert.priority.name());
    push_parameter(&mut line, "source", &alert.source);
    push_parameter(&mut line, "tags", &alert.tags.join(","));
    line.push(']');
    let mut open = false;
    for (name, value) in &alert.fields {
        if let Some(value) = value.rendered() {
            if !open {
                line.push_str("[fields@32473");
                open = true;
            }
            push_parameter(&mut line, name, &value);
        }
    }
    if open {
        line.push(']');
    }
    line.push(' ');
    line.push_str(alert.priority.name());
    line.push(' ');
    line.push_str(&printable(&alert.output));
    line
}

/// A word of the header: printable ASCII, `-` for none.
fn header_word(text: &str, longest: usize) -> String {
    let word: String = text
        .chars()
        .filter(char::is_ascii_graphic)
        .take(longest)
        .collect();
    if word.is_empty() { "-".to_owned() } else { word }
}

fn push_parameter(line: &mut String, name: &str, value: &str) {
    let name: String = name
        .chars()
        .map(|character| match character {
            // What a name must not have; brackets come from arguments of fields.
            '=' | ']' | '"' | '[' => '_',
            _ if character.is_ascii_graphic() => character,
            _ => '_',
        })
        .take(MAX_NAME)
        .collect();
    if name.is_empty() {
        return;
    }
    line.push(' ');
    line.push_str(&name);
    line.push_str("=\"");
    let mut end = value.len().min(MAX_VALUE);
    while !value.is_char_boundary(end) {
        end -= 1;
    }
    for character in printable(value.get(..end).unwrap_or_default()).chars() {
        if matches!(character, '"' | '\\' | ']') {
            line.push('\\');
        }
        line.push(character);
    }
    line.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_escaped_and_cut() {
        let mut line = String::new();
        push_parameter(&mut line, "a=b]\"[c", "x\"]\\\n\u{1b}é");
        assert_eq!(line, " a_b___c=\"x\\\"\\]\\\\\\\\x0a\\\\x1bé\"");
        let mut line = String::new();
        push_parameter(&mut line, &"n".repeat(40), &"é".repeat(1000));
        assert_eq!(line, format!(" {}=\"{}\"", "n".repeat(32), "é".repeat(512)));
        let mut line = String::new();
        push_parameter(&mut line, "", "value");
        assert_eq!(line, "");
    }

    #[test]
    fn words_of_the_header() {
        assert_eq!(header_word("", 255), "-");
        assert_eq!(header_word("a b\nc é", 255), "abc");
        assert_eq!(header_word(&"h".repeat(300), 255).len(), 255);
    }
}
