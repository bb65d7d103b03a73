//! JSON of strangers as a tree that is read tolerantly: what is absent, null or of another kind reads as nothing.
//!
//! Borrows the text it was read from, and is bounded: a few bytes of JSON can ask for many times their size in
//! memory. Knows no vendor.

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;

/// The most values in one answer. The largest page known has some 8,000.
const MAX_VALUES: usize = 400_000;

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Json<'a> {
    Null,
    Bool(bool),
    Integer(i64),
    /// Any other number: nothing that is read from a vendor page is one.
    Number,
    Text(Cow<'a, str>),
    List(Vec<Json<'a>>),
    Object(Vec<(Cow<'a, str>, Json<'a>)>),
}

static NOTHING: Json<'static> = Json::Null;

impl<'a> Json<'a> {
    /// Reads `text`.
    ///
    /// # Errors
    /// When it is no JSON, or holds more values than a vendor page could.
    pub(crate) fn read(text: &'a str) -> Result<Self, serde_json::Error> {
        let left = Cell::new(MAX_VALUES);
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let value = Value(&left).deserialize(&mut deserializer)?;
        deserializer.end()?;
        Ok(value)
    }

    /// The value under `key`: null if this is no object or has none. The last one counts if there are several.
    pub(crate) fn at(&self, key: &str) -> &Self {
        self.entries()
            .iter()
            .rfind(|(name, _)| name == key)
            .map_or(&NOTHING, |(_, value)| value)
    }

    /// The first of these keys that holds more than null.
    pub(crate) fn any(&self, keys: &[&str]) -> &Self {
        keys.iter()
            .map(|key| self.at(key))
            .find(|value| **value != Json::Null)
            .unwrap_or(&NOTHING)
    }

    /// Whether this is an object with `key`, whatever it holds.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.entries().iter().any(|(name, _)| name == key)
    }

    pub(crate) fn entries(&self) -> &[(Cow<'a, str>, Self)] {
        if let Json::Object(entries) = self {
            entries
        } else {
            &[]
        }
    }

    /// The elements, none if this is no list.
    pub(crate) fn items(&self) -> &[Self] {
        self.list().unwrap_or_default()
    }

    pub(crate) fn list(&self) -> Option<&[Self]> {
        if let Json::List(items) = self {
            Some(items)
        } else {
            None
        }
    }

    pub(crate) fn is_object(&self) -> bool {
        matches!(self, Json::Object(_))
    }

    pub(crate) fn is_true(&self) -> bool {
        *self == Json::Bool(true)
    }

    pub(crate) fn text(&self) -> Option<&str> {
        if let Json::Text(text) = self {
            Some(text)
        } else {
            None
        }
    }

    /// A whole number, also if it was written as text.
    pub(crate) fn integer(&self) -> Option<i64> {
        match self {
            Json::Integer(number) => Some(*number),
            Json::Text(text) => text.trim().parse().ok(),
            _ => None,
        }
    }

    /// A vendor's own word: text, or a code that is a number. Empty if there is none.
    pub(crate) fn word(&self) -> Cow<'_, str> {
        match self {
            Json::Text(text) => Cow::Borrowed(text.trim()),
            Json::Integer(number) => Cow::Owned(number.to_string()),
            _ => Cow::Borrowed(""),
        }
    }
}

/// Reads one value, as long as there are `.0` left.
#[derive(Clone, Copy)]
struct Value<'n>(&'n Cell<usize>);

impl Value<'_> {
    fn count<E: Error>(self) -> Result<(), E> {
        let left = self
            .0
            .get()
            .checked_sub(1)
            .ok_or_else(|| E::custom("more values than any vendor page has"))?;
        self.0.set(left);
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Value<'_> {
    type Value = Json<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json<'de>, D::Error> {
        self.count()?;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Value<'_> {
    type Value = Json<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Json<'de>, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json<'de>, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json<'de>, E> {
        Ok(Json::Integer(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json<'de>, E> {
        Ok(i64::try_from(value).map_or(Json::Number, Json::Integer))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Json<'de>, E> {
        Ok(Json::Number)
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Json<'de>, E> {
        Ok(Json::Text(Cow::Borrowed(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json<'de>, E> {
        Ok(Json::Text(Cow::Owned(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json<'de>, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            list.push(item);
        }
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Json<'de>, A::Error> {
        let mut object = Vec::new();
        while let Some(key) = entries.next_key_seed(Key)? {
            object.push((key, entries.next_value_seed(self)?));
        }
        Ok(Json::Object(object))
    }
}

/// Reads an object's key without copying it where that is possible.
struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Cow<'de, str>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Key {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Borrowed(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(value.to_owned()))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_reads_as_nothing() {
        let json = Json::read(
            r#"{"a": {"b": [1, "2", null]}, "a\u0062": 1, "n": null, "twice": 1, "twice": 2}"#,
        )
        .unwrap();
        assert_eq!(
            json.at("a")
                .at("b")
                .items()
                .iter()
                .filter_map(Json::integer)
                .collect::<Vec<_>>(),
            [1, 2]
        );
        assert_eq!(json.at("a").at("x").at("y").text(), None);
        assert_eq!(json.at("a").at("b").at("c"), &Json::Null);
        assert_eq!(json.any(&["x", "n", "ab"]).integer(), Some(1));
        assert_eq!(json.at("twice").integer(), Some(2));
        assert!(json.has("n") && !json.has("m"));
    }

    #[test]
    fn more_values_than_a_page_has_are_refused_before_they_fill_the_memory() {
        let many = format!("[{}0]", "0,".repeat(MAX_VALUES));
        assert!(
            Json::read(&many)
                .unwrap_err()
                .to_string()
                .contains("more values than")
        );
        let deep = "[".repeat(100_000);
        assert!(Json::read(&deep).is_err());
    }

    #[test]
    fn anything_behind_the_value_is_an_error() {
        assert!(Json::read("{} <html>").is_err());
        assert!(Json::read("").is_err());
    }
}
