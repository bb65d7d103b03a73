//! Percent-encoding of URLs.

use std::fmt::Write;

/// Encodes every byte that is not `plain`.
fn encode(text: &str, plain: fn(u8) -> bool) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if plain(byte) {
            encoded.push(char::from(byte));
        } else {
            write!(encoded, "%{byte:02X}").expect("writing to a string does not fail");
        }
    }
    encoded
}

/// Encodes a path for any part of a URL.
pub(crate) fn encode_path(path: &str) -> String {
    encode(path, |byte| {
        byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte)
    })
}

/// Encodes a query string. Only bytes that would end or break it are encoded, so that it stays
/// readable.
pub(super) fn encode_query(query: &str) -> String {
    encode(query, |byte| {
        byte.is_ascii_graphic() && !b"\"#<>%".contains(&byte)
    })
}

pub(super) fn decode(text: &str) -> String {
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let digits = match after {
            [high, low, ..] if *first == b'%' => digit(high).zip(digit(low)),
            _ => None,
        };
        let decoded = digits.and_then(|(high, low)| u8::try_from(high * 16 + low).ok());
        bytes.push(decoded.unwrap_or(*first));
        rest = if decoded.is_some() {
            &after[2..]
        } else {
            after
        };
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}
