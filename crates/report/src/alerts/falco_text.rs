//! Falco's line of text.

use super::{AlertFormat, AlertOptions};
use crate::alert_text::falco_line;
use model::Meta;
use model::event::Alert;

/// The member.
pub(super) static FALCO_TEXT: FalcoText = FalcoText;

pub(super) struct FalcoText;

static META: Meta = Meta {
    name: "falco-text",
    title: "One line of text an alert, as Falco prints it; `text` for short",
    finds: &[
        "time (UTC unless local time is asked for), priority and the rule's output; control characters are shown as escapes",
    ],
    needs: &[],
    references: &["https://falco.org/docs/outputs/formatting/"],
};

impl AlertFormat for FalcoText {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn content_type(&self) -> &'static str {
        "text/plain; charset=utf-8"
    }

    fn extension(&self) -> &'static str {
        "txt"
    }

    fn joins(&self) -> bool {
        false
    }

    fn write(&self, alerts: &[&Alert], options: &AlertOptions, out: &mut Vec<u8>) {
        for alert in alerts {
            out.extend_from_slice(falco_line(alert, options).as_bytes());
            out.push(b'\n');
        }
    }
}
