//! A parsed JSON value that keeps the order of keys, and how fields look into it.

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};
use std::borrow::Cow;
use std::fmt;

/// A JSON value. Parsing stops at a depth of 128.
#[derive(Debug, Clone, PartialEq)]
pub enum Json {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A whole number that is not negative.
    Uint(u64),
    /// A negative whole number.
    Int(i64),
    /// Any other number.
    Float(f64),
    /// A string.
    Text(Box<str>),
    /// A list.
    Array(Vec<Json>),
    /// An object, in the order of the document; where a key is repeated, its first value counts.
    Object(Vec<(Box<str>, Json)>),
}

impl Json {
    /// The member with this key; of a list, the item with this number.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Object(members) => members
                .iter()
                .find(|(name, _)| &**name == key)
                .map(|(_, value)| value),
            Self::Array(items) => items.get(key.parse::<usize>().ok()?),
            _ => None,
        }
    }

    /// What lies below a chain of keys.
    #[must_use]
    pub fn at(&self, keys: &[&str]) -> Option<&Self> {
        keys.iter().try_fold(self, |value, key| value.get(key))
    }

    /// What a JSON pointer (RFC 6901) names; its first `/` may be left out.
    #[must_use]
    pub fn pointer(&self, pointer: &str) -> Option<&Self> {
        pointer
            .strip_prefix('/')
            .unwrap_or(pointer)
            .split('/')
            .try_fold(self, |value, key| {
                if key.contains('~') {
                    value.get(&key.replace("~1", "/").replace("~0", "~"))
                } else {
                    value.get(key)
                }
            })
    }

    /// The text of a string.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The items of a list.
    #[must_use]
    pub fn as_array(&self) -> Option<&[Self]> {
        match self {
            Self::Array(items) => Some(items),
            _ => None,
        }
    }

    /// A number as one that is not negative; fractions are cut off, which JSON writers often add to whole numbers.
    #[must_use]
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "`as` saturates, which is what is wanted"
    )]
    pub fn as_u64(&self) -> Option<u64> {
        match self {
            Self::Uint(number) => Some(*number),
            Self::Float(number) if *number >= 0.0 => Some(*number as u64),
            _ => None,
        }
    }

    /// A string as it is, anything else as JSON without blanks.
    #[must_use]
    pub fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Text(text) => Cow::Borrowed(text),
            Self::Bool(true) => Cow::Borrowed("true"),
            Self::Bool(false) => Cow::Borrowed("false"),
            Self::Null => Cow::Borrowed("null"),
            // The tree has only strings as keys and no numbers that JSON lacks.
            other => Cow::Owned(serde_json::to_string(other).unwrap_or_default()),
        }
    }

    /// As JSON, indented by two blanks.
    #[must_use]
    pub fn indented(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// All values below a chain of keys, where every list on the way is followed into each item, or only into the one with
    /// the number given. `None` for an item that has no such value; nothing at all when the chain breaks outside of a list.
    #[must_use]
    pub fn all<'a>(&'a self, keys: &[&str], index: Option<usize>) -> Option<Vec<Option<&'a Self>>> {
        let mut value = self;
        for (done, key) in keys.iter().enumerate() {
            if let Self::Array(items) = value {
                match index {
                    Some(index) => value = items.get(index)?,
                    None => {
                        let rest = keys.get(done..).unwrap_or_default();
                        return Some(
                            items
                                .iter()
                                .flat_map(|item| item.all(rest, None).unwrap_or_else(|| vec![None]))
                                .collect(),
                        );
                    }
                }
            }
            value = value.get(key)?;
        }
        Some(vec![Some(value)])
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;

        impl<'de> Visitor<'de> for Any {
            type Value = Json;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a JSON value")
            }

            fn visit_unit<E>(self) -> Result<Json, E> {
                Ok(Json::Null)
            }

            fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
                Ok(Json::Bool(value))
            }

            fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
                Ok(Json::Uint(value))
            }

            fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
                Ok(Json::Int(value))
            }

            fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
                Ok(Json::Float(value))
            }

            fn visit_str<E>(self, value: &str) -> Result<Json, E> {
                Ok(Json::Text(value.into()))
            }

            fn visit_string<E>(self, value: String) -> Result<Json, E> {
                Ok(Json::Text(value.into()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
                let mut list = Vec::new();
                while let Some(item) = items.next_element()? {
                    list.push(item);
                }
                Ok(Json::Array(list))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Json, A::Error> {
                let mut members = Vec::new();
                while let Some(entry) = entries.next_entry()? {
                    members.push(entry);
                }
                Ok(Json::Object(members))
            }
        }

        deserializer.deserialize_any(Any)
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Uint(value) => serializer.serialize_u64(*value),
            Self::Int(value) => serializer.serialize_i64(*value),
            Self::Float(value) => serializer.serialize_f64(*value),
            Self::Text(value) => serializer.serialize_str(value),
            Self::Array(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                for item in items {
                    list.serialize_element(item)?;
                }
                list.end()
            }
            Self::Object(members) => {
                let mut map = serializer.serialize_map(Some(members.len()))?;
                for (key, value) in members {
                    map.serialize_entry(key, value)?;
                }
                map.end()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Json {
        serde_json::from_str(text).expect("JSON")
    }

    #[test]
    fn order_and_numbers_are_kept() {
        let text = r#"{"b":1,"a":[-1,2.5,true,null,"x\n"],"c":{}}"#;
        assert_eq!(parsed(text).text(), text);
    }

    #[test]
    fn pointers() {
        let json = parsed(r#"{"a":{"b/c":[{"d~":1},"e"]},"":{"x":2}}"#);
        for (pointer, expected) in [
            ("/a/b~1c/0/d~0", Some("1")),
            ("a/b~1c/1", Some("e")),
            ("/a/b~1c/2", None),
            ("/a/b~1c/-1", None),
            ("/a/b~1c/x", None),
            ("//x", Some("2")),
            ("/a", Some(r#"{"b/c":[{"d~":1},"e"]}"#)),
            ("/a/b~1c/1/deeper", None),
        ] {
            assert_eq!(
                json.pointer(pointer).map(Json::text).as_deref(),
                expected,
                "{pointer}"
            );
        }
    }

    #[test]
    fn lists_are_followed() {
        let json = parsed(r#"{"s":{"c":[{"i":"a","p":[1,2]},{"x":1},{"i":null,"p":[3]}]}}"#);
        let texts = |keys: &[&str], index| {
            json.all(keys, index).map(|values| {
                values
                    .into_iter()
                    .map(|value| value.map_or("-".to_owned(), |value| value.text().into_owned()))
                    .collect::<Vec<_>>()
            })
        };
        assert_eq!(
            texts(&["s", "c", "i"], None),
            Some(vec!["a".to_owned(), "-".to_owned(), "null".to_owned()])
        );
        assert_eq!(texts(&["s", "c", "i"], Some(0)), Some(vec!["a".to_owned()]));
        assert_eq!(texts(&["s", "c", "i"], Some(1)), None);
        assert_eq!(texts(&["s", "c", "i"], Some(9)), None);
        assert_eq!(texts(&["s", "x", "i"], None), None);
        // The last value may itself be a list.
        assert_eq!(texts(&["s", "c", "p"], Some(2)), Some(vec!["[3]".to_owned()]));
    }

    #[test]
    fn depth_is_limited() {
        assert!(serde_json::from_str::<Json>(&("[".repeat(127) + &"]".repeat(127))).is_ok());
        assert!(serde_json::from_str::<Json>(&("[".repeat(100_000) + &"]".repeat(100_000))).is_err());
    }
}
