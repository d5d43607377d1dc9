//! The registry of alert formats, in alphabetical order: what a detection becomes on its way out.

use model::Meta;
use model::event::Alert;

mod alertmanager_v2;
mod falco_json;
mod falco_text;
mod ocsf;
mod otlp_logs;
mod rfc5424;

/// What the caller decides about how alerts are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertOptions {
    /// Text begins with the whole date (`2026-01-02T03:04:05.000000006+0000`) instead of the time of the day.
    pub iso_8601: bool,
    /// The time of the day in text is that of the host's zone instead of UTC; whole dates stay in UTC.
    pub local_time: bool,
    /// The facility of syslog messages, 0 to 23; others count as 1 (user).
    pub syslog_facility: u8,
    /// The process id that syslog messages name; 0 for none.
    pub process: u32,
}

impl Default for AlertOptions {
    fn default() -> Self {
        Self {
            iso_8601: false,
            local_time: false,
            syslog_facility: 1,
            process: 0,
        }
    }
}

/// A member of the family.
pub trait AlertFormat: Sync {
    /// Description; its name is what `format = "…"` takes.
    fn meta(&self) -> &'static Meta;

    /// The media type of what is written.
    fn content_type(&self) -> &'static str;

    /// Usual file extension, without the dot.
    fn extension(&self) -> &'static str;

    /// Whether several alerts make one document. If not, each alert is one line, ended by a line break.
    fn joins(&self) -> bool;

    /// Appends alerts to `out`. Control characters never appear raw, save the line breaks between alerts.
    fn write(&self, alerts: &[&Alert], options: &AlertOptions, out: &mut Vec<u8>);
}

/// Every alert format.
pub static ALL: &[&dyn AlertFormat] = &[
    &alertmanager_v2::ALERTMANAGER_V2,
    &falco_json::FALCO_JSON,
    &falco_text::FALCO_TEXT,
    &ocsf::OCSF,
    &otlp_logs::OTLP_LOGS,
    &rfc5424::RFC5424,
];

/// Short names that users type.
const SHORT_NAMES: [(&str, &str); 5] = [
    ("alertmanager", "alertmanager-v2"),
    ("json", "falco-json"),
    ("otlp", "otlp-logs"),
    ("syslog", "rfc5424"),
    ("text", "falco-text"),
];

/// The time of the day of nanoseconds since the Unix epoch, `HH:MM:SS`, for people who watch: in UTC, or in the zone of the
/// host.
#[must_use]
pub fn clock(nanoseconds: u64, local_time: bool) -> String {
    crate::alert_text::clock(nanoseconds, "%H:%M:%S", local_time)
}

/// The alert format of a name or short name.
#[must_use]
pub fn find(name: &str) -> Option<&'static dyn AlertFormat> {
    let name = SHORT_NAMES
        .iter()
        .find(|(short, _)| *short == name)
        .map_or(name, |(_, long)| long);
    ALL.iter().copied().find(|format| format.meta().name == name)
}
