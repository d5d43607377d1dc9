//! Assignments of plain texts in files that are programs (gemspecs, rockspecs): read, never evaluated.

/// How far a value may reach over line ends, in bytes.
const MAX_VALUE: usize = 16 << 10;

/// What stands right of the first `left = …` at the beginning of a line whose left side `matches`: up to the end of the line,
/// or, when it opens a bracket, up to the one that closes it.
pub(crate) fn value_of(text: &str, matches: impl Fn(&str) -> bool) -> Option<&str> {
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        if let Some((left, right)) = line.split_once('=')
            && !right.starts_with(['=', '~', '>'])
            && matches(left.trim())
        {
            let at = start + line.len() - right.len();
            return Some(value_at(text.get(at..)?));
        }
        start += line.len();
    }
    None
}

/// The value at the text's beginning.
fn value_at(text: &str) -> &str {
    let mut open = 0_usize;
    let mut quote = None;
    for (at, character) in text.char_indices().take_while(|(at, _)| *at < MAX_VALUE) {
        match (quote, character) {
            (Some(end), character) if character == end => quote = None,
            (Some(_), '\n') => return &text[..at],
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(character),
            (None, '[' | '(' | '{') => open += 1,
            (None, ']' | ')' | '}') => open = open.saturating_sub(1),
            (None, '\n') if open == 0 => return &text[..at],
            (None, _) => {}
        }
    }
    &text[..text.floor_char_boundary(MAX_VALUE)]
}

/// The texts in a value: `"…"`, `'…'` and Ruby's `%q{…}`. One that holds `interpolation` followed by `{` inside double quotes
/// is left out, for what it says is not known without running the program.
pub(crate) fn texts(value: &str, interpolation: char) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = value;
    while let Some(at) = rest.find(['"', '\'', '%', '-', '#']) {
        let after = &rest[at..];
        // A comment ends what is of interest on its line.
        if after.starts_with("--") || after.starts_with('#') {
            match after.find('\n') {
                Some(end) => rest = &after[end..],
                None => break,
            }
            continue;
        }
        let close = match after.as_bytes() {
            [b'"', ..] => Some((1, '"')),
            [b'\'', ..] => Some((1, '\'')),
            [b'%', b'q' | b'Q', b'{', ..] => Some((3, '}')),
            [b'%', b'q' | b'Q', b'(', ..] => Some((3, ')')),
            [b'%', b'q' | b'Q', b'[', ..] => Some((3, ']')),
            _ => None,
        };
        let Some((skip, close)) = close else {
            rest = &after[1..];
            continue;
        };
        let body = &after[skip..];
        let Some(end) = body.find(close) else {
            break;
        };
        let text = &body[..end];
        let interpolated = close != '\'' && text.contains(&format!("{interpolation}{{"));
        if !interpolated && !text.contains('\\') {
            found.push(text.to_owned());
        }
        rest = &body[end + close.len_utf8()..];
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{texts, value_of};

    #[test]
    fn finds_values() {
        let text = "a == 1\n  s.x = [\"1\",\n \"2\"].freeze\ns.y = 'z' # \"no\"\nx=\"w\"\n";
        let value = |name: &str| value_of(text, |left| left == name).map(|value| texts(value, '#'));
        assert_eq!(value("s.x").unwrap(), ["1", "2"]);
        assert_eq!(value("s.y").unwrap(), ["z"]);
        assert_eq!(value("x").unwrap(), ["w"]);
        assert_eq!(value("a"), None);
    }

    #[test]
    fn survives_what_never_closes() {
        assert!(texts("\"open", '#').is_empty());
        let open = format!("x = [{}", "é\n".repeat(20_000));
        assert!(value_of(&open, |left| left == "x").unwrap().len() <= 16 << 10);
        assert_eq!(texts("%q{a} + %w[b] - 'c'", '#'), ["a", "c"]);
    }
}
