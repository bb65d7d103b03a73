//! Pages of long lists, by the place of their last row rather than by an offset, so that rows that come and go meanwhile
//! neither repeat nor hide others.

use super::{Error, Result};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// The longest page.
pub const MAX: u32 = 500;

/// Some rows in their order.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// Whether there are more behind them.
    pub more: bool,
}

impl<T> Default for Page<T> {
    fn default() -> Self {
        Self {
            rows: Vec::new(),
            more: false,
        }
    }
}

impl<T> Page<T> {
    /// Of rows that were read up to one more than `first`.
    #[must_use]
    pub fn of(mut rows: Vec<T>, first: u32) -> Self {
        let first = usize::try_from(first).unwrap_or(usize::MAX);
        let more = rows.len() > first;
        rows.truncate(first);
        Self { rows, more }
    }
}

/// How many rows were asked for.
///
/// # Errors
/// Under the field `first`, unless it is 1 to [`MAX`].
pub fn size(first: i32) -> Result<u32> {
    u32::try_from(first)
        .ok()
        .filter(|first| (1..=MAX).contains(first))
        .ok_or_else(|| Error::field("first", format!("is {first}, must be between 1 and {MAX}")))
}

/// The place of a row in a list that is ordered by time and id, newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Place {
    /// Its time, whole milliseconds.
    pub at: DateTime<Utc>,
    /// Tells apart what has the same time.
    pub id: Uuid,
}

impl Place {
    /// The opaque text that clients send back.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut bytes = self.at.timestamp_millis().to_be_bytes().to_vec();
        bytes.extend(self.id.as_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads what [`encode`](Self::encode) wrote.
    ///
    /// # Errors
    /// Under the field `after`, for anything else.
    pub fn decode(text: &str) -> Result<Self> {
        let bytes: [u8; 24] = decode(text)?;
        let (at, id) = bytes.split_at(8);
        let id = Uuid::from_slice(id).map_err(|_| foreign())?;
        Ok(Self {
            at: instant(at)?,
            id,
        })
    }
}

/// The opaque text for the place of a row in a list that is ordered by a unique time.
#[must_use]
pub fn encode_time(at: DateTime<Utc>) -> String {
    URL_SAFE_NO_PAD.encode(at.timestamp_millis().to_be_bytes())
}

/// Reads what [`encode_time`] wrote.
///
/// # Errors
/// Under the field `after`, for anything else.
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
        .ok_or_else(foreign)
}

/// Times before 1970 or after 9999 are in no list, and databases differ on them.
fn instant(bytes: &[u8]) -> Result<DateTime<Utc>> {
    const LAST: i64 = 253_402_300_799_999;
    let ms = bytes
        .try_into()
        .map(i64::from_be_bytes)
        .ok()
        .filter(|ms| (0..=LAST).contains(ms));
    ms.and_then(DateTime::from_timestamp_millis)
        .ok_or_else(foreign)
}

fn foreign() -> Error {
    Error::field(
        "after",
        "is not a cursor of this list: use an endCursor or cursor that it gave",
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_place_comes_back_as_it_was_and_nothing_else_is_one() {
        let place = Place {
            at: DateTime::from_timestamp_millis(1_700_000_000_123).unwrap(),
            id: Uuid::now_v7(),
        };
        assert_eq!(Place::decode(&place.encode()).unwrap(), place);
        assert_eq!(decode_time(&encode_time(place.at)).unwrap(), place.at);
        for wrong in [
            "",
            "x",
            "////",
            &"A".repeat(100),
            &encode_time(place.at),
            &URL_SAFE_NO_PAD.encode([255; 24]),
        ] {
            assert!(
                matches!(Place::decode(wrong), Err(Error::BadInput(_))),
                "{wrong}"
            );
        }
    }

    #[test]
    fn a_page_holds_one_to_five_hundred_rows() {
        assert!(
            [-1, 0, 501, i32::MIN, i32::MAX]
                .iter()
                .all(|first| size(*first).is_err())
        );
        assert_eq!((size(1).unwrap(), size(500).unwrap()), (1, 500));
    }
}
