//! Results as a table for people and as JSON for programs.

use super::run::{Report, Row, Verdict};
use serde_json::{Value, json};

/// Characters of the widest cell.
const WIDEST: usize = 100;

/// The table, with a line that counts.
#[must_use]
pub fn text(report: &Report) -> String {
    let mut rows = vec![[
        "CASE".to_owned(),
        "EXPECTED".to_owned(),
        "GOT".to_owned(),
        "RESULT".to_owned(),
    ]];
    rows.extend(report.rows.iter().map(|row| {
        [
            printable(&row.name),
            cut(&printable(&row.expected)),
            cut(&printable(&row.got)),
            row.verdict.to_string(),
        ]
    }));
    let mut widths = [0; 4];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    for (row, source) in rows
        .iter()
        .zip(std::iter::once(None).chain(report.rows.iter().map(Some)))
    {
        let line: Vec<String> = row
            .iter()
            .zip(widths)
            .map(|(cell, width)| {
                let padding = width - cell.chars().count();
                format!("{cell}{}", " ".repeat(padding))
            })
            .collect();
        text.push_str(line.join("  ").trim_end());
        text.push('\n');
        for note in source.map(|row: &Row| row.notes.as_slice()).unwrap_or_default() {
            text.push_str(&format!("    note: {}\n", printable(note)));
        }
    }
    text.push_str(&summary(report));
    text.push('\n');
    text
}

/// The line that counts.
#[must_use]
pub fn summary(report: &Report) -> String {
    let count = |verdict: Verdict| report.rows.iter().filter(|row| row.verdict == verdict).count();
    let mut line = format!(
        "{} cases: {} passed, {} failed, {} errors, {} skipped",
        report.rows.len(),
        count(Verdict::Pass),
        count(Verdict::Fail),
        count(Verdict::Error),
        count(Verdict::Skip)
    );
    let driven = count(Verdict::Done);
    if driven > 0 {
        line.push_str(&format!(", {driven} acted out without a detector"));
    }
    line
}

/// The results as one object.
#[must_use]
pub fn json(report: &Report) -> Value {
    let rows: Vec<Value> = report
        .rows
        .iter()
        .map(|row| {
            json!({
                "case": row.name,
                "file": row.file,
                "line": row.line,
                "expected": row.expected,
                "got": row.got,
                "result": row.verdict.to_string(),
                "notes": row.notes,
            })
        })
        .collect();
    json!({ "cases": rows, "summary": summary(report), "stopped": report.stopped })
}

/// The beginning of a long text; JSON has all of it.
fn cut(text: &str) -> String {
    if text.chars().count() <= WIDEST {
        return text.to_owned();
    }
    let mut cut: String = text.chars().take(WIDEST - 1).collect();
    cut.push('\u{2026}');
    cut
}

/// Names and values come from files and detectors: no control characters.
fn printable(text: &str) -> String {
    text.chars()
        .map(|character| {
            if character.is_control() {
                '\u{fffd}'
            } else {
                character
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        let row = |name: &str, verdict, got: &str, notes: &[&str]| Row {
            name: name.to_owned(),
            file: "a.yaml".to_owned(),
            line: 3,
            expected: "Rule [warning]".to_owned(),
            got: got.to_owned(),
            verdict,
            notes: notes.iter().map(|note| (*note).to_owned()).collect(),
        };
        Report {
            rows: vec![
                row("one", Verdict::Pass, "Rule [Warning]", &[]),
                row("longer\u{1b}[31m", Verdict::Fail, "no alert", &["step `a`: no"]),
                row("three", Verdict::Skip, "containers need root", &[]),
            ],
            stopped: None,
        }
    }

    #[test]
    fn the_table_is_aligned_and_clean() {
        assert_eq!(
            text(&report()),
            "CASE         EXPECTED        GOT                   RESULT\n\
             one          Rule [warning]  Rule [Warning]        PASS\n\
             longer\u{fffd}[31m  Rule [warning]  no alert              FAIL\n    \
             note: step `a`: no\n\
             three        Rule [warning]  containers need root  SKIPPED\n\
             3 cases: 1 passed, 1 failed, 0 errors, 1 skipped\n"
        );
    }

    #[test]
    fn json_has_every_row() {
        let value = json(&report());
        assert_eq!(value["cases"].as_array().unwrap().len(), 3);
        assert_eq!(value["cases"][1]["result"], "FAIL");
    }
}
