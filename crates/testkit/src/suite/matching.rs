//! Alerts of a detector, and whether one is what a test expects.

use super::description::Test;
use super::drive::MARK;
use serde_json::Value;
use std::fmt;

/// An alert, as Falco prints it in JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// The rule's name.
    pub rule: String,
    /// The priority as it is written.
    pub priority: String,
    /// The source of the event.
    pub source: String,
    /// The host's name.
    pub hostname: String,
    /// Output fields and their values as text.
    pub fields: Vec<(String, String)>,
}

/// How well an alert fits a test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fit {
    /// It is what the test expects.
    Exact,
    /// It is of the rule, but these differ.
    Differs(Vec<String>),
    /// It is of another rule.
    OtherRule,
}

impl Alert {
    /// Reads a line of JSON.
    ///
    /// # Errors
    /// When the line is no alert.
    pub fn read(line: &str) -> Result<Self, String> {
        let value: Value = serde_json::from_str(line).map_err(|error| error.to_string())?;
        let text = |key: &str| value.get(key).map(render).unwrap_or_default();
        let rule = text("rule");
        if rule.is_empty() {
            return Err("it has no `rule`".to_owned());
        }
        let fields = value
            .get("output_fields")
            .and_then(Value::as_object)
            .ok_or("it has no `output_fields`")?;
        Ok(Self {
            rule,
            priority: text("priority"),
            source: text("source"),
            hostname: text("hostname"),
            fields: fields
                .iter()
                .map(|(name, value)| (name.clone(), render(value)))
                .collect(),
        })
    }

    /// A field's value.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields
            .iter()
            .find(|(have, _)| have == name)
            .map(|(_, value)| value.as_str())
    }

    /// The mark of the test whose process raised it.
    #[must_use]
    pub fn mark(&self) -> Option<&str> {
        let env = self.field("proc.env")?;
        let (_, after) = env.split_once(MARK)?;
        let value = after.strip_prefix('=')?;
        let end = value
            .find(|character: char| !character.is_ascii_alphanumeric())
            .unwrap_or(value.len());
        Some(&value[..end])
    }

    /// Compares it with what a test expects.
    #[must_use]
    pub fn fits(&self, test: &Test) -> Fit {
        if self.rule != test.rule {
            return Fit::OtherRule;
        }
        let expected = &test.expected;
        let mut differs = Vec::new();
        let mut compare = |name: &str, wanted: Option<&str>, have: Option<&str>, any_case: bool| {
            let Some(wanted) = wanted else {
                return;
            };
            let same = match have {
                Some(have) if any_case => have.eq_ignore_ascii_case(wanted),
                have => have == Some(wanted),
            };
            if !same {
                differs.push(format!(
                    "{name}={} not {wanted}",
                    have.unwrap_or("(no such field)")
                ));
            }
        };
        compare("source", expected.source.as_deref(), Some(&self.source), false);
        compare(
            "hostname",
            expected.hostname.as_deref(),
            Some(&self.hostname),
            false,
        );
        compare(
            "priority",
            expected.priority.as_deref(),
            Some(&self.priority),
            true,
        );
        for (name, wanted) in &expected.fields {
            compare(name, Some(wanted), self.field(name), false);
        }
        if differs.is_empty() {
            Fit::Exact
        } else {
            Fit::Differs(differs)
        }
    }
}

/// A value as text: texts as they are, lists as outputs show them, all else as JSON writes it.
fn render(value: &Value) -> String {
    match value {
        Value::Array(values) => {
            let texts: Vec<String> = values.iter().map(render).collect();
            format!("({})", texts.join(","))
        }
        Value::String(text) => text.clone(),
        Value::Null => "<NA>".to_owned(),
        other => other.to_string(),
    }
}

/// What a test expects, on one line.
pub struct Expectation<'a>(pub &'a Test);

impl fmt::Display for Expectation<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let expected = &self.0.expected;
        if self.0.rule.is_empty() {
            return formatter.write_str("(no rule)");
        }
        formatter.write_str(&self.0.rule)?;
        if let Some(priority) = &expected.priority {
            write!(formatter, " [{priority}]")?;
        }
        for (name, value) in &expected.fields {
            write!(formatter, " {name}={value}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suite::description;

    const LINE: &str = r#"{"hostname":"h","output":"x","output_fields":{"evt.time":17,"fd.name":"/etc/shadow","fd.num":3,
        "proc.is_exe_writable":true,"fd.types":["file","pipe"],"user.name":null,"proc.env":"HULLWARD_SUITE_TEST=0a1b PATH=/bin"},
        "priority":"Warning","rule":"Read it","source":"syscall","tags":["a"],"time":"2026-01-01T00:00:00.000000000Z"}"#;

    fn test(expected: &str) -> Test {
        let text = format!(
            "tests:\n- name: t\n  runner: HostRunner\n  rule: Read it\n  expectedOutcome: {expected}\n"
        );
        description::read(&[("a.yaml".to_owned(), text)])
            .unwrap()
            .remove(0)
    }

    #[test]
    fn marks_are_found_in_the_environment() {
        let alert = Alert::read(LINE).unwrap();
        assert_eq!(alert.mark(), Some("0a1b"));
    }

    #[test]
    fn alerts_fit_by_what_is_declared() {
        let alert = Alert::read(LINE).unwrap();
        for expected in [
            "{}",
            "{source: syscall, priority: WARNING, hostname: h}",
            "{outputFields: {fd.name: /etc/shadow, fd.num: 3, proc.is_exe_writable: true, fd.types: '(file,pipe)', user.name: <NA>}}",
        ] {
            assert_eq!(alert.fits(&test(expected)), Fit::Exact, "{expected}");
        }
        for (expected, differs) in [
            ("{priority: notice}", "priority=Warning not notice"),
            (
                "{outputFields: {fd.name: /etc/passwd}}",
                "fd.name=/etc/shadow not /etc/passwd",
            ),
            (
                "{outputFields: {fd.sport: 80}}",
                "fd.sport=(no such field) not 80",
            ),
            ("{source: k8s_audit}", "source=syscall not k8s_audit"),
            ("{source: SYSCALL}", "source=syscall not SYSCALL"),
        ] {
            assert_eq!(
                alert.fits(&test(expected)),
                Fit::Differs(vec![differs.to_owned()])
            );
        }
        let mut other = test("{}");
        other.rule = "Read".to_owned();
        assert_eq!(alert.fits(&other), Fit::OtherRule);
    }

    #[test]
    fn lines_that_are_no_alerts_are_errors() {
        for line in [
            "",
            "hello",
            "{}",
            "{\"rule\":\"x\"}",
            "{\"rule\":\"x\",\"output_fields\":[]}",
        ] {
            assert!(Alert::read(line).is_err(), "{line}");
        }
    }
}
