//! A run: acts the tests out one after the other, waits for their alerts and judges.

use super::description::Test;
use super::detector::Detector;
use super::drive::{Acted, Stage, remove_user};
use super::matching::{Alert, Expectation, Fit};
use std::fmt;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// Rows of other rules that are named when the right alert is missing.
const MOST_NAMED: usize = 3;

/// How a test went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The alert came.
    Pass,
    /// It did not come, or differs.
    Fail,
    /// The test could not be acted out.
    Error,
    /// It needs what is not here.
    Skip,
    /// It was acted out without a detector.
    Done,
}

impl fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Pass => "PASS",
            Self::Fail => "FAIL",
            Self::Error => "ERROR",
            Self::Skip => "SKIPPED",
            Self::Done => "DONE",
        })
    }
}

/// A test and how it went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The test's name.
    pub name: String,
    /// Its file.
    pub file: String,
    /// Its line there.
    pub line: usize,
    /// What was expected.
    pub expected: String,
    /// What came of it.
    pub got: String,
    /// How it went.
    pub verdict: Verdict,
    /// What is worth knowing.
    pub notes: Vec<String>,
}

/// All rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// In the order of the files.
    pub rows: Vec<Row>,
    /// Why the run ended before its last test.
    pub stopped: Option<String>,
}

impl Report {
    /// Whether a test failed or could not be acted out.
    #[must_use]
    pub fn failed(&self) -> bool {
        self.rows
            .iter()
            .any(|row| matches!(row.verdict, Verdict::Fail | Verdict::Error))
    }
}

struct Waiting {
    mark: String,
    acted: Acted,
    deadline: Instant,
}

/// Acts all tests out. With a detector, each has `timeout` from its end on for its alert to come; the wait does not hold
/// up the tests after it. `progress` is told of each test before it starts. When the detector ends or the run is
/// interrupted, the report tells so and has the tests until then.
pub fn all(
    tests: &[Test],
    stage: &Stage,
    mut detector: Option<&mut Detector>,
    timeout: Duration,
    mut progress: impl FnMut(usize, &Test),
) -> Report {
    let mut waiting = Vec::new();
    let mut report = Report::default();
    for (index, test) in tests.iter().enumerate() {
        report.stopped = stopped(stage, detector.as_deref_mut());
        if report.stopped.is_some() {
            break;
        }
        progress(index, test);
        // Letters and digits only, of the same length for all: no mark is the beginning of another.
        let mark = format!("{:08x}{index:08x}", stage.number);
        let mut acted = Acted::default();
        if detector.is_some() && test.rule.is_empty() {
            acted.failure = Some("the test names no `rule` to expect".to_owned());
        } else {
            acted = stage.act(test, &mark);
        }
        waiting.push(Waiting {
            mark,
            acted,
            deadline: Instant::now() + timeout,
        });
    }
    let mut users = Vec::new();
    for (test, mut waiting) in tests.iter().zip(waiting) {
        users.append(&mut waiting.acted.users);
        let alerts = match &detector {
            Some(detector) if waiting.acted.skipped.is_none() && waiting.acted.failure.is_none() => detector
                .wait_for(&waiting.mark, waiting.deadline, &stage.interrupted, |alerts| {
                    alerts.iter().any(|alert| alert.fits(test) == Fit::Exact)
                }),
            _ => Vec::new(),
        };
        report
            .rows
            .push(judge(test, waiting.acted, detector.is_some(), &alerts));
    }
    for user in users {
        if let (Err(problem), Some(row)) = (remove_user(&user), report.rows.last_mut()) {
            row.notes.push(problem);
        }
    }
    if report.stopped.is_none() {
        report.stopped = stopped(stage, detector);
    }
    report
}

/// Why the run cannot go on.
fn stopped(stage: &Stage, detector: Option<&mut Detector>) -> Option<String> {
    if stage.interrupted.load(Ordering::Relaxed) {
        return Some("interrupted".to_owned());
    }
    detector.and_then(Detector::ended)
}

fn judge(test: &Test, acted: Acted, detected: bool, alerts: &[Alert]) -> Row {
    let (verdict, got) = if let Some(reason) = acted.skipped {
        (Verdict::Skip, reason)
    } else if let Some(reason) = acted.failure {
        (Verdict::Error, reason)
    } else if detected {
        compare(test, alerts)
    } else {
        let results: Vec<String> = acted
            .results
            .iter()
            .map(|(step, result)| format!("{step}={result}"))
            .collect();
        (Verdict::Done, results.join(" "))
    };
    let mut notes = acted.notes;
    if !test.values.is_empty() && matches!(verdict, Verdict::Fail | Verdict::Error) {
        let values: Vec<String> = test
            .values
            .iter()
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        notes.insert(0, format!("case: {}", values.join(", ")));
    }
    Row {
        name: test.name.clone(),
        file: test.file.clone(),
        line: test.line,
        expected: Expectation(test).to_string(),
        got,
        verdict,
        notes,
    }
}

fn compare(test: &Test, alerts: &[Alert]) -> (Verdict, String) {
    let mut nearest: Option<Vec<String>> = None;
    let mut others: Vec<&str> = Vec::new();
    for alert in alerts {
        match alert.fits(test) {
            Fit::Exact => {
                return (Verdict::Pass, format!("{} [{}]", alert.rule, alert.priority));
            }
            Fit::Differs(differs) => {
                if nearest.as_ref().is_none_or(|have| differs.len() < have.len()) {
                    nearest = Some(differs);
                }
            }
            Fit::OtherRule => {
                if !others.contains(&alert.rule.as_str()) {
                    others.push(&alert.rule);
                }
            }
        }
    }
    let got = match nearest {
        Some(differs) => format!("the rule's alert, but {}", differs.join(", ")),
        None if others.is_empty() => "no alert".to_owned(),
        None => {
            let named: Vec<&str> = others.iter().take(MOST_NAMED).copied().collect();
            let more = others.len().saturating_sub(MOST_NAMED);
            let tail = if more > 0 {
                format!(" and {more} more")
            } else {
                String::new()
            };
            format!("only alerts of {}{tail}", named.join(", "))
        }
    };
    (Verdict::Fail, got)
}
