//! PHP's serialized values, as PEAR's registry holds them.

/// A value; what no caller looks at is [`Value::Other`].
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    /// A string, lossily decoded.
    Text(String),
    /// An array: keys as text, in order.
    Array(Vec<(String, Value)>),
    /// Null, boolean or number.
    Other,
}

impl Value {
    /// An array's value by key.
    pub(crate) fn get(&self, key: &str) -> Option<&Value> {
        match self {
            Self::Array(entries) => entries
                .iter()
                .find(|(have, _)| have == key)
                .map(|(_, value)| value),
            _ => None,
        }
    }

    /// The text, empty when it is none.
    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Text(text) => text,
            _ => "",
        }
    }
}

const MAX_DEPTH: usize = 64;

/// Reads a serialized value; objects are refused.
///
/// # Errors
/// What the bytes are not, for messages.
pub(crate) fn unserialize(bytes: &[u8]) -> Result<Value, &'static str> {
    Reader { rest: bytes }.value(0)
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn until(&mut self, end: u8) -> Result<&'a [u8], &'static str> {
        let at = memchr::memchr(end, self.rest).ok_or("the serialized value ends too early")?;
        let (before, rest) = self.rest.split_at(at);
        self.rest = &rest[1..];
        Ok(before)
    }

    fn number(&mut self, end: u8) -> Result<usize, &'static str> {
        std::str::from_utf8(self.until(end)?)
            .ok()
            .and_then(|digits| digits.parse().ok())
            .ok_or("a length is no number")
    }

    fn eat(&mut self, token: &[u8]) -> Result<(), &'static str> {
        self.rest = self
            .rest
            .strip_prefix(token)
            .ok_or("the serialized value is broken")?;
        Ok(())
    }

    fn value(&mut self, depth: usize) -> Result<Value, &'static str> {
        if depth == MAX_DEPTH {
            return Err("the serialized value is nested too deep");
        }
        match self.rest {
            [b'N', b';', ..] => self.eat(b"N;").map(|()| Value::Other),
            [b'b' | b'i' | b'd', b':', ..] => self.until(b';').map(|_| Value::Other),
            [b's', b':', ..] => {
                self.eat(b"s:")?;
                let length = self.number(b':')?;
                self.eat(b"\"")?;
                let text = self.rest.get(..length).ok_or("a text is longer than the value")?;
                self.rest = &self.rest[length..];
                self.eat(b"\";")?;
                Ok(Value::Text(String::from_utf8_lossy(text).into_owned()))
            }
            [b'a', b':', ..] => {
                self.eat(b"a:")?;
                let count = self.number(b':')?;
                self.eat(b"{")?;
                let mut entries = Vec::new();
                for _ in 0..count {
                    let key = if self.rest.starts_with(b"i:") {
                        let digits = self.until(b';')?;
                        String::from_utf8_lossy(&digits[2..]).into_owned()
                    } else {
                        self.value(depth + 1)?.text().to_owned()
                    };
                    entries.push((key, self.value(depth + 1)?));
                }
                self.eat(b"}")?;
                Ok(Value::Array(entries))
            }
            _ => Err("the serialized value has an unknown type"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_arrays() {
        let value =
            unserialize(b"a:3:{s:4:\"name\";s:4:\"PE\"R\";i:0;b:1;s:1:\"v\";a:1:{s:1:\"r\";N;}}").unwrap();
        assert_eq!(value.get("name").map(Value::text), Some("PE\"R"));
        assert_eq!(
            value.get("v").and_then(|value| value.get("r")),
            Some(&Value::Other)
        );
    }

    #[test]
    fn hostile_values_are_errors() {
        for bytes in [
            b"".as_slice(),
            b"s:99999999999:\"a\";",
            b"a:99999999999:{}",
            b"O:1:\"A\":0:{}",
            b"s:1:\"ab\";",
            "a:1:{i:0;".repeat(100_000).as_bytes(),
        ] {
            assert!(unserialize(bytes).is_err());
        }
    }

    proptest! {
        #[test]
        fn never_panics(text in "[abis:0-9{};\"N]{0,60}") {
            let _ = unserialize(text.as_bytes());
        }
    }
}
