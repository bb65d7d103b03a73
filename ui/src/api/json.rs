//! Reads the data out of an answer.
//!
//! `serde` compiles a visitor for each type that is read, a kilobyte or more, which every browser would have to load.
//! Answers come from one server and are read by types that the compiler has compared with its schema: here a type says
//! its members' names, and everything else is code that all of them share.

use super::Moment;
use crate::browser;
use std::{borrow::Cow, fmt};
use uuid::Uuid;

/// What is wrong with an answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unreadable(String);

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Reads what stands under `name` in the object `text`; `None` when nothing does.
///
/// # Errors
/// When that is not what `T` expects.
pub(crate) fn member<T: Read>(text: &str, name: &str) -> Result<Option<T>, Unreadable> {
    let mut json = Json::new(text);
    let start = json.begin();
    let value = json.find(start, name).then(|| T::read(&mut json));
    json.wrong.map_or(Ok(value), Err)
}

/// The text of what stands under `name` in the object `text`; `None` when nothing does.
pub(crate) fn text_of<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let mut json = Json::new(text);
    let start = json.begin();
    if !json.find(start, name) {
        return None;
    }
    json.peek();
    let from = json.at;
    json.skip();
    if json.wrong.is_some() {
        None
    } else {
        text.get(from..json.at)
    }
}

/// What can be read out of an answer.
pub trait Read {
    /// The value that comes next. Where there is none, `json` keeps what is wrong and this is anything: with a result for
    /// each member, most of the code would give back what was read before one that is wrong.
    fn read(json: &mut Json<'_>) -> Self;
}

/// Makes objects of the API readable by their members' names, which differ from the fields' at most in how words are put
/// together (`responseTimeMs`), or else are told: `kind = "type"`.
macro_rules! objects {
    ($($object:ident { $($field:ident $(= $name:literal)?),* $(,)? })*) => {$(
        impl $crate::api::json::Read for $object {
            fn read(json: &mut $crate::api::json::Json<'_>) -> Self {
                let start = json.begin();
                let object = Self { $($field: json.member(start, [$($name,)? stringify!($field)][0])),* };
                json.end();
                object
            }
        }
    )*};
}

/// Makes enums of the API readable by the names of their variants.
macro_rules! enums {
    ($($of:ident { $($variant:ident),* $(,)? })*) => {$(
        impl $crate::api::json::Read for $of {
            fn read(json: &mut $crate::api::json::Json<'_>) -> Self {
                [$(Self::$variant),*][json.one_of(&[$(stringify!($variant)),*])]
            }
        }
    )*};
}

pub(crate) use {enums, objects};

/// Whether a name of ours is one of the API's: `vendor_page` and `VendorPage` are `vendorPage` and `VENDOR_PAGE`.
fn same(ours: &str, theirs: &str) -> bool {
    fn letters(name: &str) -> impl Iterator<Item = u8> {
        name.bytes()
            .filter(|byte| *byte != b'_')
            .map(|byte| byte.to_ascii_lowercase())
    }
    letters(ours).eq(letters(theirs))
}

/// A text, how far it was read, and what was wrong first; the rest of a text that is wrong is not read.
pub struct Json<'a> {
    text: &'a str,
    at: usize,
    wrong: Option<Unreadable>,
}

impl<'a> Json<'a> {
    const fn new(text: &'a str) -> Self {
        Self {
            text,
            at: 0,
            wrong: None,
        }
    }

    /// What is left to read.
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// The next byte that is no space; 0 at the end.
    #[inline(never)]
    fn peek(&mut self) -> u8 {
        let rest = self.rest().trim_start_matches([' ', '\n', '\r', '\t']);
        self.at = self.text.len() - rest.len();
        rest.bytes().next().unwrap_or_default()
    }

    /// Whether `byte` comes next; goes past it.
    #[inline(never)]
    fn passes(&mut self, byte: u8) -> bool {
        let there = self.peek() == byte;
        self.at += usize::from(there);
        there
    }

    #[inline(never)]
    fn wrong(&mut self, expected: &str) {
        let at = std::mem::replace(&mut self.at, self.text.len());
        self.wrong
            .get_or_insert_with(|| Unreadable(format!("{expected} expected at byte {at}")));
    }

    /// Stands in for what was `expected`.
    #[inline(never)]
    fn instead<T: Default>(&mut self, expected: &str) -> T {
        self.wrong(expected);
        T::default()
    }

    #[inline(never)]
    fn pass(&mut self, byte: u8) {
        if !self.passes(byte) {
            self.wrong(char::from(byte).encode_utf8(&mut [0; 4]));
        }
    }

    /// Goes into an object, and says where its members begin.
    #[inline(never)]
    pub(crate) fn begin(&mut self) -> usize {
        self.pass(b'{');
        self.at
    }

    /// Reads what stands under `name` in the object whose members begin at `start`.
    pub(crate) fn member<T: Read>(&mut self, start: usize, name: &str) -> T {
        self.seek(start, name);
        T::read(self)
    }

    /// As [`Json::member`], where it may be absent or null.
    pub(crate) fn maybe<T: Read>(&mut self, start: usize, name: &str) -> Option<T> {
        if self.find(start, name) {
            Option::read(self)
        } else {
            None
        }
    }

    #[inline(never)]
    fn seek(&mut self, start: usize, name: &str) {
        if !self.find(start, name) {
            self.wrong(name);
        }
    }

    /// Goes to what stands under `name` in an object. Members come as they were asked for, so it looks from here on, and
    /// only then from the `start`.
    #[inline(never)]
    fn find(&mut self, start: usize, name: &str) -> bool {
        let mut again = false;
        while self.wrong.is_none() {
            if self.passes(b'}') {
                self.at = start;
                if std::mem::replace(&mut again, true) {
                    return false;
                }
                continue;
            }
            self.passes(b',');
            let found = same(name, &self.string());
            self.pass(b':');
            if found {
                return self.wrong.is_none();
            }
            self.skip();
        }
        false
    }

    /// Goes out of an object.
    #[inline(never)]
    pub(crate) fn end(&mut self) {
        while self.wrong.is_none() && !self.passes(b'}') {
            self.passes(b',');
            self.string();
            self.pass(b':');
            self.skip();
        }
    }

    /// Whether a list goes on; `first` tells whether nothing has come before.
    #[inline(never)]
    fn more(&mut self, first: bool) -> bool {
        if self.passes(b']') {
            return false;
        }
        if !first {
            self.pass(b',');
        }
        self.wrong.is_none()
    }

    #[inline(never)]
    fn string(&mut self) -> Cow<'a, str> {
        self.pass(b'"');
        let mut whole = Cow::Borrowed("");
        loop {
            let rest = self.rest();
            let Some(length) = rest.bytes().position(|byte| matches!(byte, b'"' | b'\\')) else {
                self.wrong("the end of a text");
                return whole;
            };
            let ends = rest.as_bytes()[length] == b'"';
            self.at += length + 1;
            whole += &rest[..length];
            if ends {
                return whole;
            }
            let escaped = self.escaped();
            whole.to_mut().push(escaped);
        }
    }

    /// What stands behind a backslash.
    fn escaped(&mut self) -> char {
        let byte = self
            .text
            .as_bytes()
            .get(self.at)
            .copied()
            .unwrap_or_default();
        self.at += 1;
        match byte {
            b'"' | b'\\' | b'/' => char::from(byte),
            b'n' => '\n',
            b't' => '\t',
            b'r' => '\r',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'u' => {
                let mut code = self.hex();
                // Two of them make a character beyond the first 65,536.
                if (0xD800..0xDC00).contains(&code) && self.rest().starts_with("\\u") {
                    self.at += 2;
                    code = 0x1_0000 + ((code & 0x3FF) << 10) + (self.hex() & 0x3FF);
                }
                char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
            }
            _ => {
                self.wrong("an escape");
                char::REPLACEMENT_CHARACTER
            }
        }
    }

    fn hex(&mut self) -> u32 {
        let digits = self
            .text
            .get(self.at..self.at + 4)
            .and_then(|digits| u32::from_str_radix(digits, 16).ok());
        self.at += 4;
        digits.unwrap_or_else(|| self.instead("four hexadecimal digits"))
    }

    /// A number, or a word such as `true`, as it stands there.
    #[inline(never)]
    fn word(&mut self) -> &'a str {
        self.peek();
        let rest = self.rest();
        let length = rest.bytes().take_while(
            |byte| matches!(byte, b'a'..=b'z' | b'E' | b'0'..=b'9' | b'+' | b'-' | b'.'),
        );
        let length = length.count();
        self.at += length;
        &rest[..length]
    }

    /// The place of an enum's value among the `names` of its variants.
    #[inline(never)]
    pub(crate) fn one_of(&mut self, names: &[&str]) -> usize {
        let word = self.string();
        names
            .iter()
            .position(|name| same(name, &word))
            .unwrap_or_else(|| self.instead("a known word"))
    }

    /// Goes past whatever comes next.
    #[inline(never)]
    fn skip(&mut self) {
        let mut depth = 0_usize;
        loop {
            match self.peek() {
                b'"' => drop(self.string()),
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
                return;
            }
        }
    }
}

impl Read for String {
    fn read(json: &mut Json<'_>) -> Self {
        json.string().into_owned()
    }
}

impl Read for bool {
    fn read(json: &mut Json<'_>) -> Self {
        match json.word() {
            "true" => true,
            "false" => false,
            _ => json.instead("true or false"),
        }
    }
}

impl Read for i32 {
    fn read(json: &mut Json<'_>) -> Self {
        json.word()
            .parse()
            .unwrap_or_else(|_| json.instead("a whole number"))
    }
}

impl Read for f64 {
    fn read(json: &mut Json<'_>) -> Self {
        browser::number(json.word()).unwrap_or_else(|| json.instead("a number"))
    }
}

impl Read for Uuid {
    fn read(json: &mut Json<'_>) -> Self {
        json.string()
            .parse()
            .unwrap_or_else(|_| json.instead("an id"))
    }
}

impl Read for Moment {
    fn read(json: &mut Json<'_>) -> Self {
        Self::parse(&json.string()).unwrap_or_else(|| json.instead("an instant"))
    }
}

/// Anything, of which nothing is kept.
impl Read for () {
    fn read(json: &mut Json<'_>) -> Self {
        json.skip();
    }
}

impl<T: Read> Read for Option<T> {
    fn read(json: &mut Json<'_>) -> Self {
        if json.peek() != b'n' {
            return Some(T::read(json));
        }
        if json.word() == "null" {
            None
        } else {
            json.instead("null")
        }
    }
}

impl<T: Read> Read for Vec<T> {
    fn read(json: &mut Json<'_>) -> Self {
        let mut list = Self::new();
        json.pass(b'[');
        while json.more(list.is_empty()) {
            list.push(T::read(json));
        }
        list
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Thing {
        name: String,
        count: i32,
        share: Option<f64>,
        on: bool,
        list: Vec<Thing>,
    }

    objects! {
        Thing { name, count, share, on, list }
    }

    fn read<T: Read>(text: &str) -> Result<Option<T>, Unreadable> {
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
        let good =
            r#"{"data":{"name":"a\u00e9","count":1,"share":2,"on":true,"list":[]},"x":"\ud83d"}"#;
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
            r#"{"data":{"name":"a","count":1,"share":2,"on":true}}"#,
            r#"{"data":{"list":[1 2]}}"#,
        ] {
            assert!(read::<Thing>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_absent_is_told_from_what_is_null() {
        assert_eq!(read::<Option<bool>>(r#"{"errors":[]}"#), Ok(None));
        assert_eq!(read::<Option<bool>>(r#"{"data":null}"#), Ok(Some(None)));
    }
}
