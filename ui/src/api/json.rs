//! Reads the data out of an answer.
//!
//! `serde_json` reads anything and says exactly where it is wrong, at the price of some kilobytes for each type that is
//! read, which every browser would have to load. Answers come from one server and are read by types that the compiler
//! has compared with its schema: this reads just what those types ask for, by code that they share.

use serde::{
    Deserialize,
    de::{self, DeserializeSeed, MapAccess, SeqAccess, Visitor},
    forward_to_deserialize_any,
};
use std::{borrow::Cow, fmt};

/// What is wrong with an answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unreadable(String);

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unreadable {}

impl de::Error for Unreadable {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

/// Reads what stands under `name` in the object `text`; `None` when nothing does.
///
/// # Errors
/// When that is not what `T` expects.
pub(crate) fn member<'de, T: Deserialize<'de>>(text: &'de str, name: &str) -> Result<Option<T>, Unreadable> {
    let mut json = Json { text, at: 0 };
    if json.find(name)? { T::deserialize(&mut json).map(Some) } else { Ok(None) }
}

/// A text, and how far it was read.
struct Json<'de> {
    text: &'de str,
    at: usize,
}

impl<'de> Json<'de> {
    /// The next byte that is no space; 0 at the end.
    #[inline(never)]
    fn peek(&mut self) -> u8 {
        let rest = &self.text.as_bytes()[self.at..];
        self.at += rest.iter().take_while(|byte| matches!(byte, b' ' | b'\n' | b'\r' | b'\t')).count();
        self.text.as_bytes().get(self.at).copied().unwrap_or_default()
    }

    /// Whether `byte` comes next; goes past it.
    #[inline(never)]
    fn passes(&mut self, byte: u8) -> bool {
        let there = self.peek() == byte;
        self.at += usize::from(there);
        there
    }

    #[inline(never)]
    fn wrong<T>(&self, expected: &str) -> Result<T, Unreadable> {
        Err(Unreadable(format!("{expected} expected at byte {}", self.at)))
    }

    #[inline(never)]
    fn pass(&mut self, byte: u8) -> Result<(), Unreadable> {
        if self.passes(byte) { Ok(()) } else { self.wrong(char::from(byte).encode_utf8(&mut [0; 4])) }
    }

    /// Whether something comes before `end`, in a list or an object; `first` tells whether something has come before.
    #[inline(never)]
    fn more(&mut self, first: &mut bool, end: u8) -> Result<bool, Unreadable> {
        if self.passes(end) {
            return Ok(false);
        }
        if !std::mem::take(first) {
            self.pass(b',')?;
        }
        Ok(true)
    }

    /// Goes to what stands under `name` in the object that comes next.
    fn find(&mut self, name: &str) -> Result<bool, Unreadable> {
        self.pass(b'{')?;
        let mut first = true;
        while self.more(&mut first, b'}')? {
            let found = self.string()? == name;
            self.pass(b':')?;
            if found {
                return Ok(true);
            }
            self.skip()?;
        }
        Ok(false)
    }

    #[inline(never)]
    fn string(&mut self) -> Result<Cow<'de, str>, Unreadable> {
        self.pass(b'"')?;
        let mut whole = Cow::Borrowed("");
        loop {
            let rest = &self.text[self.at..];
            let Some(length) = rest.bytes().position(|byte| matches!(byte, b'"' | b'\\')) else {
                return self.wrong("the end of a text");
            };
            let ends = rest.as_bytes()[length] == b'"';
            self.at += length + 1;
            whole += &rest[..length];
            if ends {
                return Ok(whole);
            }
            let escaped = self.escaped()?;
            whole.to_mut().push(escaped);
        }
    }

    /// What stands behind a backslash.
    fn escaped(&mut self) -> Result<char, Unreadable> {
        let byte = self.text.as_bytes().get(self.at).copied().unwrap_or_default();
        self.at += 1;
        Ok(match byte {
            b'"' | b'\\' | b'/' => char::from(byte),
            b'n' => '\n',
            b't' => '\t',
            b'r' => '\r',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'u' => {
                let mut code = self.hex()?;
                // Two of them make a character beyond the first 65,536.
                if (0xD800..0xDC00).contains(&code) && self.text[self.at..].starts_with("\\u") {
                    self.at += 2;
                    code = 0x1_0000 + ((code & 0x3FF) << 10) + (self.hex()? & 0x3FF);
                }
                char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
            }
            _ => return self.wrong("an escape"),
        })
    }

    fn hex(&mut self) -> Result<u32, Unreadable> {
        let digits = self.text.get(self.at..self.at + 4).and_then(|digits| u32::from_str_radix(digits, 16).ok());
        self.at += 4;
        digits.map_or_else(|| self.wrong("four hexadecimal digits"), Ok)
    }

    /// A number, or a word such as `true`, as it stands there.
    #[inline(never)]
    fn word(&mut self) -> &'de str {
        self.peek();
        let rest = &self.text[self.at..];
        let length =
            rest.bytes().take_while(|byte| matches!(byte, b'a'..=b'z' | b'E' | b'0'..=b'9' | b'+' | b'-' | b'.'));
        let length = length.count();
        self.at += length;
        &rest[..length]
    }

    /// Goes past whatever comes next.
    #[inline(never)]
    fn skip(&mut self) -> Result<(), Unreadable> {
        let mut depth = 0_usize;
        loop {
            match self.peek() {
                b'"' => drop(self.string()?),
                b'{' | b'[' => {
                    depth += 1;
                    self.at += 1;
                }
                b'}' | b']' if depth > 0 => {
                    depth -= 1;
                    self.at += 1;
                }
                b',' | b':' if depth > 0 => self.at += 1,
                _ if self.word().is_empty() => return self.wrong("a value"),
                _ => {}
            }
            if depth == 0 {
                return Ok(());
            }
        }
    }
}

impl<'de> de::Deserializer<'de> for &mut Json<'de> {
    type Error = Unreadable;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Unreadable> {
        self.wrong("a type that tells what it is")
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        self.pass(b'{')?;
        visitor.visit_map(Parts { json: self, first: true })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unreadable> {
        self.deserialize_map(visitor)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        self.pass(b'[')?;
        visitor.visit_seq(Parts { json: self, first: true })
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        visitor.visit_str(&self.string()?)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        visitor.visit_string(self.string()?.into_owned())
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        self.deserialize_str(visitor)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        match self.word() {
            "true" => visitor.visit_bool(true),
            "false" => visitor.visit_bool(false),
            _ => self.wrong("true or false"),
        }
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        match self.word().parse() {
            Ok(number) => visitor.visit_i64(number),
            Err(_) => self.wrong("a whole number"),
        }
    }

    fn deserialize_i32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        self.deserialize_i64(visitor)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        match self.word().parse() {
            Ok(number) => visitor.visit_f64(number),
            Err(_) => self.wrong("a number"),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        if self.peek() != b'n' {
            return visitor.visit_some(self);
        }
        if self.word() == "null" { visitor.visit_none() } else { self.wrong("null") }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Unreadable> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        self.skip()?;
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        i8 i16 i128 u8 u16 u32 u64 u128 f32 char bytes byte_buf unit unit_struct tuple tuple_struct enum
    }
}

/// What is left of a list or an object.
struct Parts<'a, 'de> {
    json: &'a mut Json<'de>,
    first: bool,
}

impl<'de> SeqAccess<'de> for Parts<'_, 'de> {
    type Error = Unreadable;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Unreadable> {
        if self.json.more(&mut self.first, b']')? { seed.deserialize(&mut *self.json).map(Some) } else { Ok(None) }
    }
}

impl<'de> MapAccess<'de> for Parts<'_, 'de> {
    type Error = Unreadable;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Unreadable> {
        if self.json.more(&mut self.first, b'}')? { seed.deserialize(&mut *self.json).map(Some) } else { Ok(None) }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Unreadable> {
        self.json.pass(b':')?;
        seed.deserialize(&mut *self.json)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Thing {
        name: String,
        count: i32,
        share: Option<f64>,
        on: bool,
        list: Vec<Thing>,
    }

    fn read<'de, T: Deserialize<'de>>(text: &'de str) -> Result<Option<T>, Unreadable> {
        member(text, "data")
    }

    #[test]
    fn the_same_is_read_as_by_serde_json() {
        for text in [
            r#"{"data":{"name":"a","count":-7,"share":1.5e3,"on":true,"list":[]}}"#,
            r#" { "x" : [1,{"data":2},"]"], "data" : { "count":0,"share":null,"list":[ {"name":"ü \" \\ \/ \n \u00e9 \ud83d\ude00",
                "count":2147483647,"on":false,"list":[],"share":99} ],"more":{"a":[[[],{}]]},"on":false,"name":"" } , "y" : null } "#,
        ] {
            let whole: serde_json::Value = serde_json::from_str(text).unwrap();
            let expected: Thing = serde_json::from_value(whole["data"].clone()).unwrap();
            assert_eq!(read::<Thing>(text), Ok(Some(expected)), "{text}");
        }
    }

    #[test]
    fn what_is_no_json_or_something_else_is_an_error_and_never_a_panic() {
        let good = r#"{"data":{"name":"a\u00e9","count":1,"share":2,"on":true,"list":[]},"x":"\ud83d"}"#;
        for end in (0..good.len()).filter(|end| good.is_char_boundary(*end)) {
            let _ = read::<Thing>(&good[..end]);
            let mut broken = good.as_bytes().to_vec();
            for byte in [b'"', b'{', b'\\', b'0', b','] {
                broken[end] = byte;
                let _ = read::<Thing>(std::str::from_utf8(&broken).unwrap());
            }
        }
        for text in [
            "",
            "<html>",
            "[]",
            r#"{"data":}"#,
            r#"{"data":{"count":"1"}}"#,
            r#"{"data":{"count":1.5}}"#,
            r#"{"data":{"on":tru}}"#,
            r#"{"data":{"name":"\x"}}"#,
            r#"{"data":{"name":"\u12"#,
            r#"{"data":{"count":99999999999}}"#,
            r#"{"data":{"name":"a","name":"b"}}"#,
            r#"{"data":{"list":[1 2]}}"#,
        ] {
            assert!(read::<Thing>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_absent_is_told_from_what_is_null() {
        assert_eq!(read::<Option<bool>>(r#"{"errors":[]}"#), Ok(None));
        assert_eq!(read::<Option<bool>>(r#"{"data":null}"#), Ok(Some(None)));
        let map: BTreeMap<String, Vec<i32>> = read(r#"{"data":{"a":[1,2],"b":[]}}"#).unwrap().unwrap();
        assert_eq!(map.into_iter().collect::<Vec<_>>(), [("a".into(), vec![1, 2]), ("b".into(), vec![])]);
    }
}
