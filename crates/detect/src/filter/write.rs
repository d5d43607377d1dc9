//! Writes conditions: on one line as they would be read again, and over several lines for people.

use super::{CallArgument, Check, Expression, Operand, Right};
use std::fmt::{self, Display, Formatter, Write};

/// A text as it is read again: bare where it may stand so.
pub(crate) struct Quoted<'a>(pub(crate) &'a str);

impl Display for Quoted<'_> {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        let bare = |byte: u8| {
            !byte.is_ascii_whitespace()
                && !byte.is_ascii_control()
                && !matches!(byte, b'(' | b')' | b'"' | b'\'' | b'=' | b',' | b'\\')
        };
        let word = matches!(self.0, "anyof" | "allof" | "oneof");
        if !self.0.is_empty() && !word && self.0.bytes().all(bare) {
            return out.write_str(self.0);
        }
        quoted(out, self.0)
    }
}

fn quoted(out: &mut Formatter<'_>, text: &str) -> fmt::Result {
    out.write_char('"')?;
    for character in text.chars() {
        match character {
            '"' => out.write_str("\\\"")?,
            '\\' => out.write_str("\\\\")?,
            '\n' => out.write_str("\\n")?,
            '\r' => out.write_str("\\r")?,
            '\t' => out.write_str("\\t")?,
            '\u{8}' => out.write_str("\\b")?,
            '\u{c}' => out.write_str("\\f")?,
            other => out.write_char(other)?,
        }
    }
    out.write_char('"')
}

fn bracketed(out: &mut Formatter<'_>, argument: Option<&String>) -> fmt::Result {
    let Some(argument) = argument else {
        return Ok(());
    };
    let bare = argument
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'[' | b']' | b'"' | b'\'' | b'\\'));
    out.write_char('[')?;
    if bare {
        out.write_str(argument)?;
    } else {
        quoted(out, argument)?;
    }
    out.write_char(']')
}

impl Display for Operand {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field { name, argument, .. } => {
                out.write_str(name)?;
                bracketed(out, argument.as_ref())
            }
            Self::Call {
                transformer,
                arguments,
                index,
                ..
            } => {
                out.write_str(transformer.text())?;
                write_arguments(out, arguments)?;
                bracketed(out, index.as_ref())
            }
        }
    }
}

fn write_arguments(out: &mut Formatter<'_>, arguments: &[CallArgument]) -> fmt::Result {
    out.write_char('(')?;
    for (index, argument) in arguments.iter().enumerate() {
        if index > 0 {
            out.write_str(", ")?;
        }
        match argument {
            CallArgument::Operand(operand) => operand.fmt(out)?,
            CallArgument::Text(text) => quoted(out, text)?,
            CallArgument::Number(number) => out.write_str(number)?,
            CallArgument::List(list) => write_arguments(out, list)?,
        }
    }
    out.write_char(')')
}

impl Display for Check {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}", self.left, self.operator.text())?;
        if let Some(modifier) = self.modifier {
            write!(out, " {}", modifier.text())?;
        }
        match &self.right {
            Right::None => Ok(()),
            Right::Text(text) => write!(out, " {}", Quoted(text)),
            Right::List(items) => {
                out.write_str(" (")?;
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        out.write_str(", ")?;
                    }
                    Quoted(item).fmt(out)?;
                }
                out.write_char(')')
            }
            Right::Operand(operand @ Operand::Field { .. }) => write!(out, " val({operand})"),
            Right::Operand(operand) => write!(out, " {operand}"),
            Right::Name(name) => write!(out, " {name}"),
        }
    }
}

impl Display for Expression {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        let join = |out: &mut Formatter<'_>, parts: &[Self], word: &str| {
            for (index, part) in parts.iter().enumerate() {
                if index > 0 {
                    out.write_str(word)?;
                }
                if matches!((part, self), (Self::Or(_), Self::And(_))) {
                    write!(out, "({part})")?;
                } else {
                    part.fmt(out)?;
                }
            }
            Ok(())
        };
        match self {
            Self::And(parts) => join(out, parts, " and "),
            Self::Or(parts) => join(out, parts, " or "),
            Self::Not(inner) => match &**inner {
                Self::And(_) | Self::Or(_) => write!(out, "not ({inner})"),
                _ => write!(out, "not {inner}"),
            },
            Self::Macro { name, .. } => out.write_str(name),
            Self::Check(check) => check.fmt(out),
        }
    }
}

/// Lines that a condition may take when it is written for people.
const MOST_LINES: usize = 10_000;

impl Expression {
    /// The condition over several lines, each part on its own, deeper parts indented by two blanks. What would take more than
    /// 10,000 lines is cut, and says so.
    #[must_use]
    pub fn pretty(&self) -> String {
        let mut lines = Vec::new();
        let (parts, word): (&[Self], &str) = match self {
            Self::And(parts) => (parts, "and "),
            Self::Or(parts) => (parts, "or "),
            other => (std::slice::from_ref(other), ""),
        };
        for (index, part) in parts.iter().enumerate() {
            part.lines(&mut lines, 0, if index == 0 { "" } else { word });
        }
        if lines.len() > MOST_LINES {
            lines.truncate(MOST_LINES);
            lines.push(format!("... more than {MOST_LINES} lines"));
        }
        lines.join("\n") + "\n"
    }

    fn lines(&self, lines: &mut Vec<String>, indent: usize, before: &str) {
        if lines.len() > MOST_LINES {
            return;
        }
        let pad = " ".repeat(indent.min(120));
        let (parts, word, negated) = match self {
            Self::And(parts) => (parts, "and ", ""),
            Self::Or(parts) => (parts, "or ", ""),
            Self::Not(inner) => match &**inner {
                Self::And(parts) => (parts, "and ", "not "),
                Self::Or(parts) => (parts, "or ", "not "),
                _ => {
                    lines.push(format!("{pad}{before}{self}"));
                    return;
                }
            },
            Self::Macro { .. } | Self::Check(_) => {
                lines.push(format!("{pad}{before}{self}"));
                return;
            }
        };
        lines.push(format!("{pad}{before}{negated}("));
        for (index, part) in parts.iter().enumerate() {
            part.lines(lines, indent + 2, if index == 0 { "" } else { word });
        }
        lines.push(format!("{pad})"));
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse;

    #[test]
    fn conditions_for_people_have_a_line_for_each_part() {
        let condition = parse("a and (b or not (c and d.e=1)) and not f").unwrap();
        assert_eq!(
            condition.pretty(),
            "a\nand (\n  b\n  or not (\n    c\n    and d.e = 1\n  )\n)\nand not f\n"
        );
        let first = parse("(a or b) and c").unwrap();
        assert_eq!(first.pretty(), "(\n  a\n  or b\n)\nand c\n");
        assert_eq!(parse("not (a or b)").unwrap().pretty(), "not (\n  a\n  or b\n)\n");
        assert_eq!(parse("a").unwrap().pretty(), "a\n");
    }
}
