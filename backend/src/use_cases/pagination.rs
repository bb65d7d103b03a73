//! Pages of long lists, with cursors instead of offsets: rows that are added or deleted meanwhile
//! neither repeat nor hide others.

use super::{Error, Result};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// Maximum number of rows of a page.
pub const MAX: u32 = 500;

/// A page of rows.
#[derive(Debug, Clone)]
pub struct RowPage<T> {
    pub rows: Vec<T>,
    /// Whether there are more rows after these.
    pub more: bool,
}

impl<T> Default for RowPage<T> {
    fn default() -> Self {
        Self {
            rows: Vec::new(),
            more: false,
        }
    }
}

impl<T> RowPage<T> {
    /// Makes a page of `first` rows from up to one row more, which shows whether there are more.
    #[must_use]
    pub fn of(mut rows: Vec<T>, first: u32) -> Self {
        let first = usize::try_from(first).unwrap_or(usize::MAX);
        let more = rows.len() > first;
        rows.truncate(first);
        Self { rows, more }
    }
}

/// Validates the requested number of rows.
///
/// # Errors
/// Returns [`Error::BadInput`] for the field `first`, unless it is 1 to [`MAX`].
pub fn validate_page_size(first: i32) -> Result<u32> {
    u32::try_from(first)
        .ok()
        .filter(|first| (1..=MAX).contains(first))
        .ok_or_else(|| Error::field("first", format!("must be between 1 and {MAX}, got {first}")))
}

/// The position of a row in a list that is ordered by time and id, newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Cursor {
    /// The time of the row, in whole milliseconds.
    pub at: DateTime<Utc>,
    /// Distinguishes rows of the same time.
    pub id: Uuid,
}

impl Cursor {
    /// Returns the opaque text that clients send back.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut bytes = self.at.timestamp_millis().to_be_bytes().to_vec();
        bytes.extend(self.id.as_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Decodes what [`encode`](Self::encode) returned.
    ///
    /// # Errors
    /// Returns [`Error::BadInput`] for the field `after`, if the text is anything else.
    pub fn decode(text: &str) -> Result<Self> {
        let bytes: [u8; 24] = decode(text)?;
        let (at, id) = bytes.split_at(8);
        let id = Uuid::from_slice(id).map_err(|_| invalid_cursor())?;
        Ok(Self {
            at: instant(at)?,
            id,
        })
    }
}

/// Returns the opaque cursor of a row in a list that is ordered by a unique time.
#[must_use]
pub fn encode_time(at: DateTime<Utc>) -> String {
    URL_SAFE_NO_PAD.encode(at.timestamp_millis().to_be_bytes())
}

/// Decodes what [`encode_time`] returned.
///
/// # Errors
/// Returns [`Error::BadInput`] for the field `after`, if the text is anything else.
pub fn decode_time(text: &str) -> Result<DateTime<Utc>> {
    instant(&decode::<8>(text)?)
}

fn decode<const N: usize>(text: &str) -> Result<[u8; N]> {
    let bytes = if text.len() > 64 {
        None
    } else {
        URL_SAFE_NO_PAD.decode(text).ok()
    };
    bytes
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or_else(invalid_cursor)
}

/// Rejects times before 1970 and after 9999: databases differ on them, and no list has any.
fn instant(bytes: &[u8]) -> Result<DateTime<Utc>> {
    const LAST: i64 = 253_402_300_799_999;
    let ms = bytes
        .try_into()
        .map(i64::from_be_bytes)
        .ok()
        .filter(|ms| (0..=LAST).contains(ms));
    ms.and_then(DateTime::from_timestamp_millis)
        .ok_or_else(invalid_cursor)
}

fn invalid_cursor() -> Error {
    Error::field(
        "after",
        "is not a cursor of this list: use an endCursor or cursor that it returned",
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_decoded_as_it_was_and_nothing_else_is() {
        let cursor = Cursor {
            at: DateTime::from_timestamp_millis(1_700_000_000_123).unwrap(),
            id: Uuid::now_v7(),
        };
        assert_eq!(Cursor::decode(&cursor.encode()).unwrap(), cursor);
        assert_eq!(decode_time(&encode_time(cursor.at)).unwrap(), cursor.at);
        for wrong in [
            "",
            "x",
            "////",
            &"A".repeat(100),
            &encode_time(cursor.at),
            &URL_SAFE_NO_PAD.encode([255; 24]),
        ] {
            assert!(
                matches!(Cursor::decode(wrong), Err(Error::BadInput(_))),
                "{wrong}"
            );
        }
    }

    #[test]
    fn a_page_holds_one_to_five_hundred_rows() {
        assert!(
            [-1, 0, 501, i32::MIN, i32::MAX]
                .iter()
                .all(|first| validate_page_size(*first).is_err())
        );
        assert_eq!(
            (
                validate_page_size(1).unwrap(),
                validate_page_size(500).unwrap()
            ),
            (1, 500)
        );
    }
}
