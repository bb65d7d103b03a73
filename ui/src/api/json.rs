//! Reads the JSON of responses into the types of the API.
//!
//! A reader does not fail. Where a value is not what it expects, it reports that and returns an
//! empty value, and [`read`] discards the result. With a `Result` for each field, most of the code
//! of a reader would drop the fields that are already read, and the dashboard has many readers.

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};
use std::{borrow::Cow, cell::OnceCell, fmt};
use uuid::Uuid;

/// A type that can be read from JSON. Derive it with [`ui_derive::FromJson`].
pub trait FromJson: Sized {
    /// Reads `json`. Reports a value that is not of this type, and returns any value then.
    fn from_json(json: &JsonNode<'_>) -> Self;
}

/// Why JSON could not be read, as a phrase: `service.name: expected text, got null`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct JsonError(String);

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// JSON that borrows its text from the response: parsing takes a quarter of the time that
/// `serde_json::Value` takes.
#[derive(Debug, PartialEq)]
pub enum JsonValue<'a> {
    Null,
    Boolean(bool),
    Integer(i64),
    Number(f64),
    Text(Cow<'a, str>),
    List(Vec<JsonValue<'a>>),
    /// The fields in their order.
    Object(Vec<(Cow<'a, str>, JsonValue<'a>)>),
}

impl<'a> JsonValue<'a> {
    pub(crate) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the field `name` if this is an object that has it.
    pub(crate) fn get(&self, name: &str) -> Option<&Self> {
        let Self::Object(fields) = self else {
            return None;
        };
        let field = fields.iter().find(|(field, _)| field == name);
        field.map(|(_, value)| value)
    }

    /// Removes and returns the field `name`.
    pub(crate) fn take(&mut self, name: &str) -> Option<Self> {
        let Self::Object(fields) = self else {
            return None;
        };
        let index = fields.iter().position(|(field, _)| field == name)?;
        Some(fields.swap_remove(index).1)
    }
}

impl<'de> Deserialize<'de> for JsonValue<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JsonVisitor)
    }
}

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = JsonValue<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(JsonValue::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(JsonValue::Boolean(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(JsonValue::Integer(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(i64::try_from(value).map_or(JsonValue::Number(value as f64), JsonValue::Integer))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        Ok(JsonValue::Number(value))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(JsonValue::Text(Cow::Borrowed(text)))
    }

    /// Text with escape sequences cannot be borrowed.
    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(JsonValue::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(JsonValue::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut fields = Vec::new();
        while let Some((name, value)) = entries.next_entry::<JsonValue<'de>, _>()? {
            // A name in JSON is always text.
            if let JsonValue::Text(name) = name {
                fields.push((name, value));
            }
        }
        Ok(JsonValue::Object(fields))
    }
}

/// Parses text as JSON.
pub(crate) fn parse(text: &str) -> Result<JsonValue<'_>, JsonError> {
    serde_json::from_str(text).map_err(|error| JsonError(error.to_string()))
}

/// Reads a `T` from parsed JSON.
pub(crate) fn read<T: FromJson>(value: &JsonValue<'_>) -> Result<T, JsonError> {
    let error = OnceCell::new();
    let result = T::from_json(&JsonNode {
        value: Some(value),
        position: None,
        error: &error,
    });
    match error.into_inner() {
        None => Ok(result),
        Some(error) => Err(error),
    }
}

/// A value in a response, with its path.
pub struct JsonNode<'a> {
    /// `None` if the response does not have it.
    value: Option<&'a JsonValue<'a>>,
    /// The parent and the place in it; `None` for the root.
    position: Option<(&'a JsonNode<'a>, Key)>,
    /// The first error of the response.
    error: &'a OnceCell<JsonError>,
}

#[derive(Clone, Copy)]
enum Key {
    Field(&'static str),
    Item(usize),
}

impl JsonNode<'_> {
    /// Reads the field `name` of an object. An absent field is read like null.
    pub fn read<T: FromJson>(&self, name: &'static str) -> T {
        T::from_json(&self.field(name))
    }

    fn field(&self, name: &'static str) -> JsonNode<'_> {
        let value = match self.value {
            Some(object @ JsonValue::Object(_)) => object.get(name),
            _ => {
                self.report("an object");
                None
            }
        };
        self.child(value, Key::Field(name))
    }

    /// Returns the index in `names` of the text that this is.
    #[must_use]
    pub fn read_variant(&self, names: &[&str]) -> usize {
        let text = self.text();
        let index = names.iter().position(|name| *name == text);
        index.unwrap_or_else(|| {
            self.report(&format!("one of {}", names.join(", ")));
            0
        })
    }

    fn text(&self) -> &str {
        if let Some(JsonValue::Text(text)) = self.value {
            return text;
        }
        self.report("text");
        ""
    }

    fn items(&self) -> &[JsonValue<'_>] {
        if let Some(JsonValue::List(items)) = self.value {
            return items;
        }
        self.report("a list");
        &[]
    }

    fn child<'a>(&'a self, value: Option<&'a JsonValue<'a>>, key: Key) -> JsonNode<'a> {
        JsonNode {
            value,
            position: Some((self, key)),
            error: self.error,
        }
    }

    /// Reads text that `parse` accepts.
    pub(super) fn parse_text<T>(&self, expected: &str, parse: fn(&str) -> Option<T>) -> Option<T> {
        let parsed = parse(self.text());
        if parsed.is_none() {
            self.report(expected);
        }
        parsed
    }

    /// Reports that this is not what was `expected`. Only the first report of a response counts.
    #[cold]
    fn report(&self, expected: &str) {
        self.error.get_or_init(|| {
            let mut path = self.path();
            if !path.is_empty() {
                path.push_str(": ");
            }
            JsonError(format!("{path}expected {expected}, got {}", self.found()))
        });
    }

    fn path(&self) -> String {
        let Some((parent, key)) = self.position else {
            return String::new();
        };
        let path = parent.path();
        match key {
            Key::Field(name) if path.is_empty() => name.to_owned(),
            Key::Field(name) => format!("{path}.{name}"),
            Key::Item(index) => format!("{path}[{index}]"),
        }
    }

    fn found(&self) -> String {
        match self.value {
            None => "nothing".to_owned(),
            Some(JsonValue::Null) => "null".to_owned(),
            Some(JsonValue::Boolean(value)) => value.to_string(),
            Some(JsonValue::Integer(number)) => number.to_string(),
            Some(JsonValue::Number(number)) => number.to_string(),
            Some(JsonValue::Text(text)) => {
                let start: String = text.chars().take(40).collect();
                format!("\"{start}\"")
            }
            Some(JsonValue::List(_)) => "a list".to_owned(),
            Some(JsonValue::Object(_)) => "an object".to_owned(),
        }
    }
}

impl FromJson for String {
    fn from_json(json: &JsonNode<'_>) -> Self {
        json.text().to_owned()
    }
}

impl FromJson for bool {
    fn from_json(json: &JsonNode<'_>) -> Self {
        if let Some(JsonValue::Boolean(value)) = json.value {
            return *value;
        }
        json.report("true or false");
        false
    }
}

impl FromJson for i32 {
    fn from_json(json: &JsonNode<'_>) -> Self {
        if let Some(JsonValue::Integer(number)) = json.value
            && let Ok(number) = Self::try_from(*number)
        {
            return number;
        }
        json.report("an integer of 32 bits");
        0
    }
}

impl FromJson for f64 {
    fn from_json(json: &JsonNode<'_>) -> Self {
        match json.value {
            Some(JsonValue::Number(number)) => *number,
            Some(JsonValue::Integer(number)) => *number as Self,
            _ => {
                json.report("a number");
                0.0
            }
        }
    }
}

impl FromJson for Uuid {
    fn from_json(json: &JsonNode<'_>) -> Self {
        json.parse_text("a UUID", |text| Self::parse_str(text).ok())
            .unwrap_or_default()
    }
}

/// Null and an absent field are `None`.
impl<T: FromJson> FromJson for Option<T> {
    fn from_json(json: &JsonNode<'_>) -> Self {
        match json.value {
            None | Some(JsonValue::Null) => None,
            Some(_) => Some(T::from_json(json)),
        }
    }
}

impl<T: FromJson> FromJson for Vec<T> {
    fn from_json(json: &JsonNode<'_>) -> Self {
        let items = json.items().iter().enumerate();
        items
            .map(|(index, item)| T::from_json(&json.child(Some(item), Key::Item(index))))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{Moment, Status};

    #[derive(Debug, PartialEq, ui_derive::FromJson)]
    struct Page {
        rows: Vec<Row>,
        #[cynic(rename = "total")]
        count: i32,
        next_page: Option<NextPage>,
    }

    #[derive(Debug, PartialEq, ui_derive::FromJson)]
    struct Row {
        id: Uuid,
        status: Status,
        checked_at: Option<Moment>,
        percents: Vec<Option<f64>>,
    }

    #[derive(Debug, PartialEq, ui_derive::FromJson)]
    struct NextPage {
        name: String,
        last: bool,
    }

    const ID: &str = "0198c0de-0000-7000-8000-000000000001";

    fn page(text: &str) -> Result<Page, String> {
        let text = text.replace("ID", ID);
        let value = parse(&text).map_err(|error| error.to_string())?;
        read(&value).map_err(|error| error.to_string())
    }

    fn error(text: &str) -> String {
        page(text).expect_err(text)
    }

    #[test]
    fn nested_lists_and_objects_are_read() {
        let text = r#"{
            "rows": [{
                "id": "ID", "status": "DOWN", "checkedAt": "1970-01-01T00:00:01Z",
                "percents": [99.5, null, 100], "unknown": {"field": [1]}
            }],
            "total": 1,
            "nextPage": {"name": "a \"b\" \u00e9", "last": true}
        }"#;
        let row = Row {
            id: ID.parse().expect("a UUID"),
            status: Status::Down,
            checked_at: Some(Moment(1000)),
            percents: vec![Some(99.5), None, Some(100.0)],
        };
        let expected = Page {
            rows: vec![row],
            count: 1,
            next_page: Some(NextPage {
                name: "a \"b\" é".to_owned(),
                last: true,
            }),
        };
        assert_eq!(page(text), Ok(expected));
    }

    #[test]
    fn null_and_absent_are_none() {
        let empty = Page {
            rows: Vec::new(),
            count: 0,
            next_page: None,
        };
        let null = r#"{"rows": [], "total": 0, "nextPage": null}"#;
        assert_eq!(page(null).as_ref(), Ok(&empty));
        assert_eq!(page(r#"{"rows": [], "total": 0}"#), Ok(empty));
    }

    #[test]
    fn an_error_names_the_path_and_what_was_found() {
        for (text, expected) in [
            ("[]", "expected an object, got a list"),
            ("null", "expected an object, got null"),
            (r#"{"total": 0}"#, "rows: expected a list, got nothing"),
            (r#"{"rows": null}"#, "rows: expected a list, got null"),
            (r#"{"rows": [3]}"#, "rows[0]: expected an object, got 3"),
            (
                r#"{"rows": [], "total": 2.5}"#,
                "total: expected an integer of 32 bits, got 2.5",
            ),
            (
                r#"{"rows": [], "total": 2147483648}"#,
                "total: expected an integer of 32 bits, got 2147483648",
            ),
            (
                r#"{"rows": [], "total": 0, "nextPage": {"name": false}}"#,
                "nextPage.name: expected text, got false",
            ),
            (
                r#"{"rows": [], "total": 0, "nextPage": {"name": "", "last": "yes"}}"#,
                r#"nextPage.last: expected true or false, got "yes""#,
            ),
            (
                r#"{"rows": [{"id": "7"}]}"#,
                r#"rows[0].id: expected a UUID, got "7""#,
            ),
            (
                r#"{"rows": [{"id": {}}]}"#,
                "rows[0].id: expected text, got an object",
            ),
            (
                r#"{"rows": [{"id": "ID", "status": "UP", "checkedAt": "now"}]}"#,
                r#"rows[0].checkedAt: expected an RFC 3339 timestamp, got "now""#,
            ),
            (
                r#"{"rows": [{"id": "ID", "status": "UP", "percents": [1, 2, "3"]}]}"#,
                r#"rows[0].percents[2]: expected a number, got "3""#,
            ),
        ] {
            assert_eq!(error(text), expected, "{text}");
        }
    }

    #[test]
    fn an_unknown_value_of_an_enum_is_an_error() {
        assert_eq!(
            error(r#"{"rows": [{"id": "ID", "status": "ASLEEP"}]}"#),
            "rows[0].status: expected one of UP, DEGRADED, DOWN, MAINTENANCE, UNKNOWN, got \"ASLEEP\""
        );
    }

    #[test]
    fn only_the_start_of_a_long_text_is_repeated() {
        let long = format!(r#"{{"rows": "{}"}}"#, "ä".repeat(1000));
        let expected = format!("rows: expected a list, got \"{}\"", "ä".repeat(40));
        assert_eq!(error(&long), expected);
    }

    #[test]
    fn text_that_is_not_json_is_an_error() {
        assert_eq!(error("<html>"), "expected value at line 1 column 1");
    }
}
