//! Instants as vendors write them. One without a zone is no instant, and what cannot be read is none: nobody guesses.

use super::json::Json;
use chrono::{DateTime, NaiveDateTime, SubsecRound, Utc};

/// An instant from RFC 3339 text with a zone, to the millisecond.
pub(crate) fn instant(value: &Json<'_>) -> Option<DateTime<Utc>> {
    value.text().and_then(rfc3339)
}

/// An instant from seconds since 1970, as a number or as text.
pub(crate) fn seconds(value: &Json<'_>) -> Option<DateTime<Utc>> {
    sensible(DateTime::from_timestamp(value.integer()?, 0)?)
}

/// An instant from text without a zone, of a vendor of whom it is known that it means UTC; a zone that is there counts.
pub(crate) fn in_utc(value: &Json<'_>) -> Option<DateTime<Utc>> {
    let text = value.text()?.trim();
    rfc3339(text).or_else(|| {
        ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f"]
            .iter()
            .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())
            .and_then(|time| sensible(time.and_utc()))
    })
}

/// An instant from the text of a feed: RFC 2822, or RFC 3339.
pub(crate) fn of_feed(text: &str) -> Option<DateTime<Utc>> {
    let text = text.trim();
    // Some write the name of a zone that RFC 2822 does not know.
    let text = text
        .strip_suffix(" Z")
        .or_else(|| text.strip_suffix(" UTC"))
        .map_or(text.to_owned(), |t| format!("{t} GMT"));
    DateTime::parse_from_rfc2822(&text)
        .ok()
        .and_then(|time| sensible(time.to_utc()))
        .or_else(|| rfc3339(&text))
}

fn rfc3339(text: &str) -> Option<DateTime<Utc>> {
    sensible(DateTime::parse_from_rfc3339(text.trim()).ok()?.to_utc())
}

/// Within the years that databases and calendars can hold.
fn sensible(time: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let time = time.trunc_subsecs(3);
    (0..=253_402_300_799)
        .contains(&time.timestamp())
        .then_some(time)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn text(text: &str) -> Json<'_> {
        Json::Text(text.into())
    }

    fn at(text: &str) -> Option<DateTime<Utc>> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn zones_count_and_are_never_supposed() {
        let noon = at("2026-04-21T12:00:00Z");
        assert_eq!(instant(&text("2026-04-21T14:00:00.000+02:00")), noon);
        assert_eq!(instant(&text("2026-04-21T12:00:00")), None);
        assert_eq!(instant(&text("2026-04-21")), None);
        assert_eq!(instant(&text("yesterday")), None);
        assert_eq!(instant(&Json::Integer(1_776_772_800)), None);
        assert_eq!(in_utc(&text("2026-04-21T12:00:00")), noon);
        assert_eq!(in_utc(&text("2026-04-21 12:00:00")), noon);
        assert_eq!(in_utc(&text("2026-04-21T14:00:00+02:00")), noon);
        assert_eq!(seconds(&text("1776772800")), noon);
        assert_eq!(seconds(&Json::Integer(i64::MAX)), None);
        assert_eq!(of_feed("Tue, 21 Apr 2026 14:00:00 +0200"), noon);
        assert_eq!(of_feed("Tue, 21 Apr 2026 12:00:00 Z"), noon);
        assert_eq!(of_feed("21 Apr 2026"), None);
    }

    #[test]
    fn years_that_no_database_holds_are_none() {
        assert_eq!(instant(&text("0000-01-01T00:00:00Z")), None);
        assert_eq!(instant(&text("+262142-01-01T00:00:00Z")), None);
        assert_eq!(
            instant(&text("2026-04-21T12:00:00.123456Z")),
            at("2026-04-21T12:00:00.123Z")
        );
    }
}
