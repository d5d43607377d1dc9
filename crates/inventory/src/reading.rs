//! From a file's bytes to text and JSON, the same way in every member, with a problem for what cannot be had.

use crate::Extracted;
use crate::documents::decode;
use model::Content;
use serde_json::Value;
use std::io::Read;

/// The whole content as text, at most `limit` bytes. `what` names it in problems (`the pom.properties`). Bytes that are no
/// text become replacement characters: old metadata is often Latin-1, and names and versions are ASCII all the same.
pub(crate) fn text(
    content: &mut dyn Content,
    path: &str,
    limit: u64,
    what: &str,
    out: &mut Extracted,
) -> Option<String> {
    match content.bytes(limit) {
        Ok(bytes) => Some(decode(&bytes).into_owned()),
        Err(error) => {
            out.problem(path, format!("{what} was not read: {error}"));
            None
        }
    }
}

/// The whole content as JSON, at most `limit` bytes. The parser's own cap on nesting applies.
pub(crate) fn json(
    content: &mut dyn Content,
    path: &str,
    limit: u64,
    what: &str,
    out: &mut Extracted,
) -> Option<Value> {
    let text = text(content, path, limit, what, out)?;
    match serde_json::from_str(&text) {
        Ok(value) => Some(value),
        Err(error) => {
            out.problem(path, format!("{what} is not valid JSON: {error}"));
            None
        }
    }
}

/// At most the first `length` bytes as text.
pub(crate) fn beginning(
    content: &mut dyn Content,
    path: &str,
    length: u64,
    what: &str,
    out: &mut Extracted,
) -> Option<String> {
    let mut bytes = Vec::new();
    let result = content
        .reader()
        .map_err(|error| error.to_string())
        .and_then(|reader| {
            reader
                .take(length)
                .read_to_end(&mut bytes)
                .map_err(|error| error.to_string())
        });
    match result {
        Ok(_) => Some(decode(&bytes).into_owned()),
        Err(error) => {
            out.problem(path, format!("{what} was not read: {error}"));
            None
        }
    }
}

/// A text member of a JSON object, trimmed; empty when it is missing or no text.
pub(crate) fn field<'a>(object: &'a Value, key: &str) -> &'a str {
    object.get(key).and_then(Value::as_str).unwrap_or_default().trim()
}

/// Which of the two that every package has is missing, for a problem's message.
pub(crate) fn missing(name: &str, version: &str) -> Option<&'static str> {
    if name.is_empty() {
        Some("name")
    } else if version.is_empty() {
        Some("version")
    } else {
        None
    }
}

/// The texts of a JSON list, or the one text that stands for a list of one.
pub(crate) fn texts(value: Option<&Value>) -> Vec<&str> {
    match value {
        Some(Value::String(text)) => vec![text.as_str()],
        Some(Value::Array(values)) => values.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::MemoryContent;

    #[test]
    fn deep_json_is_a_problem() {
        let mut out = Extracted::default();
        let deep = "[".repeat(100_000);
        assert!(
            json(
                &mut MemoryContent(deep.into_bytes()),
                "x.json",
                1 << 20,
                "the file",
                &mut out
            )
            .is_none()
        );
        assert!(
            out.problems[0].message.contains("recursion limit"),
            "{:?}",
            out.problems
        );
    }

    #[test]
    fn large_files_are_a_problem() {
        let mut out = Extracted::default();
        assert!(text(&mut MemoryContent(vec![b'a'; 11]), "x", 10, "the file", &mut out).is_none());
        assert_eq!(out.problems.len(), 1);
        let start = beginning(&mut MemoryContent(vec![b'a'; 11]), "x", 4, "the file", &mut out);
        assert_eq!(start.as_deref(), Some("aaaa"));
    }
}
