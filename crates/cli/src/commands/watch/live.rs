//! The live view of `hullward watch` on a terminal: detections scroll by, a panel below tells what goes on.
//!
//! Lines that scrolled by stay in the terminal's history; only the panel is redrawn.

use model::event::{Alert, Priority};
use model::path::printable;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::time::Duration;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// What the panel shows, counted by the caller.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Snapshot {
    /// Since the start.
    pub(crate) uptime: Duration,
    /// Events of the last second.
    pub(crate) events_per_second: f64,
    /// Events since the start.
    pub(crate) events: u64,
    /// Events lost since the start.
    pub(crate) lost: u64,
    /// Processes that are known and alive.
    pub(crate) processes: usize,
    /// Rules that are on.
    pub(crate) rules: usize,
    /// Event types with their share of the last second, most first.
    pub(crate) types: Vec<(String, f64)>,
    /// Containers seen: name, image, events of the last second, detections; busiest first.
    pub(crate) containers: Vec<(String, String, f64, u64)>,
    /// Detections by priority, as [`Priority::ALL`] orders them.
    pub(crate) detections: [u64; 8],
}

/// What a detection shows beside its alert.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Context {
    /// Names of the process's ancestors, the eldest first, then its own.
    pub(crate) tree: Vec<String>,
    /// Name and image of the container, if it is in one.
    pub(crate) container: Option<(String, String)>,
}

/// Draws on a terminal.
pub(crate) struct Live<W> {
    terminal: W,
    color: bool,
    local_time: bool,
    panel_lines: usize,
}

impl<W: Write> Live<W> {
    /// A view that has drawn nothing yet. Times are in UTC unless `local_time`.
    pub(crate) fn new(terminal: W, color: bool, local_time: bool) -> Self {
        Self {
            terminal,
            color,
            local_time,
            panel_lines: 0,
        }
    }

    /// Prints notes and new detections above the panel, and the panel anew. `columns` is the terminal's width.
    ///
    /// # Errors
    /// When the terminal cannot be written to.
    pub(crate) fn draw(
        &mut self,
        notes: &[String],
        detections: &[(Alert, Context)],
        snapshot: &Snapshot,
        columns: usize,
    ) -> io::Result<()> {
        let mut text = String::new();
        if self.panel_lines > 0 {
            let _ = write!(text, "\x1b[{}A\r\x1b[J", self.panel_lines);
        }
        for note in notes {
            text.push_str(note);
            text.push('\n');
        }
        for (alert, context) in detections {
            for line in self.detection(alert, context, columns) {
                text.push_str(&line);
                text.push('\n');
            }
        }
        let panel = self.panel(snapshot, columns);
        self.panel_lines = panel.len();
        for line in panel {
            text.push_str(&line);
            text.push('\n');
        }
        self.terminal.write_all(text.as_bytes())?;
        self.terminal.flush()
    }

    fn paint(&self, text: &str, style: &str) -> String {
        if self.color {
            format!("\x1b[{style}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }

    fn detection(&self, alert: &Alert, context: &Context, columns: usize) -> Vec<String> {
        let priority = format!("{:<13}", alert.priority.name().to_ascii_uppercase());
        let head = format!("{}  ", report::alerts::clock(alert.time, self.local_time));
        let rest = columns.saturating_sub(head.width() + priority.width());
        let mut lines = vec![format!(
            "{head}{}{}",
            self.paint(&priority, style(alert.priority)),
            self.paint(&cut(&printable(&alert.rule), rest), "1")
        )];
        let mut place = context
            .tree
            .iter()
            .map(|name| printable(name))
            .collect::<Vec<_>>()
            .join(" › ");
        if let Some((name, image)) = &context.container {
            let _ = write!(place, "  in {}", printable(name));
            if !image.is_empty() {
                let _ = write!(place, " ({})", printable(image));
            }
        }
        let indent = " ".repeat(head.width());
        for text in [printable(&alert.output).into_owned(), place] {
            if !text.is_empty() {
                lines.push(format!(
                    "{indent}{}",
                    self.paint(&cut(&text, columns.saturating_sub(indent.len())), "2")
                ));
            }
        }
        lines
    }

    fn panel(&self, snapshot: &Snapshot, columns: usize) -> Vec<String> {
        let seconds = snapshot.uptime.as_secs();
        let mut lines = vec![self.paint(&"─".repeat(columns), "2")];
        let lost = if snapshot.lost == 0 {
            "none lost".to_owned()
        } else {
            format!("{} lost", grouped(snapshot.lost))
        };
        lines.push(cut(
            &format!(
                "watching {:02}:{:02}:{:02}   {} events/s   {} events, {lost}   {} processes   {} rules",
                seconds / 3600,
                seconds / 60 % 60,
                seconds % 60,
                grouped(whole(snapshot.events_per_second)),
                grouped(snapshot.events),
                grouped(snapshot.processes as u64),
                snapshot.rules
            ),
            columns,
        ));
        let counts: Vec<String> = Priority::ALL
            .iter()
            .zip(snapshot.detections)
            .filter(|(_, count)| *count > 0)
            .map(|(priority, count)| format!("{} {}", grouped(count), priority.name().to_ascii_lowercase()))
            .collect();
        lines.push(cut(
            &format!(
                "detections: {}",
                if counts.is_empty() {
                    "none yet".to_owned()
                } else {
                    counts.join(", ")
                }
            ),
            columns,
        ));
        if !snapshot.types.is_empty() {
            let types: Vec<String> = snapshot
                .types
                .iter()
                .take(8)
                .map(|(name, rate)| format!("{name} {}", grouped(whole(*rate))))
                .collect();
            lines.push(cut(&format!("events/s: {}", types.join("  ")), columns));
        }
        for (name, image, rate, detections) in snapshot.containers.iter().take(5) {
            lines.push(cut(
                &format!(
                    "  {:<24} {:<32} {:>9} events/s {:>6} detections",
                    cut(&printable(name), 24),
                    cut(&printable(image), 32),
                    grouped(whole(*rate)),
                    grouped(*detections)
                ),
                columns,
            ));
        }
        lines
    }
}

fn style(priority: Priority) -> &'static str {
    match priority {
        Priority::Emergency | Priority::Alert | Priority::Critical => "31;1",
        Priority::Error => "31",
        Priority::Warning => "33",
        Priority::Notice => "36",
        Priority::Informational | Priority::Debug => "2",
    }
}

/// A rate as a whole number; rates are small enough for that.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "saturates"
)]
fn whole(rate: f64) -> u64 {
    rate.round() as u64
}

/// A number with its thousands apart.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// At most `columns` columns of a text, with an ellipsis where it was cut.
fn cut(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut width = 0;
    for character in text.chars() {
        let more = character.width().unwrap_or(0);
        if width + more + 1 > columns {
            break;
        }
        width += more;
        out.push(character);
    }
    if columns > 0 {
        out.push('…');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alert() -> Alert {
        Alert {
            time: 1_700_000_000_000_000_000,
            rule: "Read sensitive file untrusted".to_owned(),
            priority: Priority::Warning,
            source: "syscall".to_owned(),
            tags: Vec::new(),
            hostname: "node".to_owned(),
            output: "Sensitive file \u{1b}[31m opened | file=/etc/shadow".to_owned(),
            fields: Vec::new(),
        }
    }

    #[test]
    fn no_line_is_wider_than_the_terminal_and_nothing_escapes() {
        let context = Context {
            tree: vec!["systemd".to_owned(), "bash".to_owned(), "cat\u{7}".to_owned()],
            container: Some(("web".to_owned(), "registry.example/web:1".to_owned())),
        };
        let snapshot = Snapshot {
            events: 1_234_567,
            lost: 3,
            containers: vec![("web".to_owned(), "registry.example/web".to_owned(), 12.0, 1)],
            types: vec![("openat".to_owned(), 7.0)],
            detections: [0, 0, 0, 0, 1, 0, 0, 0],
            ..Snapshot::default()
        };
        for columns in [1, 20, 40, 80, 200] {
            let mut out = Vec::new();
            Live::new(&mut out, false, false)
                .draw(&[], &[(alert(), context.clone())], &snapshot, columns)
                .unwrap();
            let text = String::from_utf8(out).unwrap();
            assert!(!text.contains('\u{1b}') && !text.contains('\u{7}'), "{text:?}");
            if columns >= 40 {
                assert!(
                    text.lines().all(|line| line.width() <= columns),
                    "{columns}: {text}"
                );
            }
        }
    }

    #[test]
    fn the_panel_is_drawn_over_itself() {
        let mut out = Vec::new();
        let mut live = Live::new(&mut out, false, false);
        live.draw(&[], &[], &Snapshot::default(), 80).unwrap();
        let lines = live.panel_lines;
        live.draw(&["note: said".to_owned()], &[], &Snapshot::default(), 80)
            .unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(
            text.contains(&format!("\u{1b}[{lines}A\r\u{1b}[Jnote: said\n")),
            "{text:?}"
        );
    }

    #[test]
    fn numbers_are_grouped() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1_000), "1,000");
        assert_eq!(grouped(12_345_678), "12,345,678");
    }
}
