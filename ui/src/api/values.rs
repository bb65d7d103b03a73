//! The scalars and enums of the API, with their words on the screen.

use super::json::{FromJson, JsonNode};
use super::schema;
use serde::{Serialize, Serializer};
use std::fmt;
use ui_derive::FromJson;
use uuid::Uuid;

cynic::impl_scalar!(Uuid, schema::UUID);

/// The variables of an operation on one object.
#[derive(cynic::QueryVariables, Debug)]
pub struct ById {
    pub id: Uuid,
}

/// An instant: milliseconds since 1970 in UTC. RFC 3339 on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Hash)]
pub struct Moment(pub i64);

cynic::impl_scalar!(Moment, schema::DateTime);

impl Moment {
    /// Returns the milliseconds from `earlier` to this; negative when `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> i64 {
        self.0 - earlier.0
    }

    /// Parses RFC 3339 with any offset and any number of decimals; truncates to milliseconds.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let number = |range: std::ops::Range<usize>| text.get(range)?.parse::<i64>().ok();
        let bytes = text.as_bytes();
        if bytes.len() < 20
            || bytes[4] != b'-'
            || bytes[7] != b'-'
            || bytes[13] != b':'
            || bytes[16] != b':'
        {
            return None;
        }
        let days = days_from_civil(number(0..4)?, number(5..7)?, number(8..10)?);
        let seconds = number(11..13)? * 3600 + number(14..16)? * 60 + number(17..19)?;
        let mut rest = &text[19..];
        let mut millis = 0;
        if let Some(fraction) = rest.strip_prefix('.') {
            let end = fraction.find(|c: char| !c.is_ascii_digit())?;
            let digits: String = fraction[..end]
                .chars()
                .chain("000".chars())
                .take(3)
                .collect();
            millis = digits.parse::<i64>().ok()?;
            rest = &fraction[end..];
        }
        let offset = match rest.as_bytes() {
            [b'Z' | b'z'] => 0,
            [sign @ (b'+' | b'-'), ..] if rest.len() == 6 => {
                let minutes =
                    rest[1..3].parse::<i64>().ok()? * 60 + rest[4..6].parse::<i64>().ok()?;
                if *sign == b'+' { minutes } else { -minutes }
            }
            _ => return None,
        };
        Some(Self(
            (days * 86_400 + seconds - offset * 60) * 1000 + millis,
        ))
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, millis) = (self.0.div_euclid(86_400_000), self.0.rem_euclid(86_400_000));
        let (year, month, day) = civil_from_days(days);
        let (hours, minutes, seconds) =
            (millis / 3_600_000, millis / 60_000 % 60, millis / 1000 % 60);
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{hours:02}:{minutes:02}:{seconds:02}.{:03}Z",
            millis % 1000
        )
    }
}

impl FromJson for Moment {
    fn from_json(json: &JsonNode<'_>) -> Self {
        json.parse_text("an RFC 3339 timestamp", Self::parse)
            .unwrap_or_default()
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Returns the days since 1970-01-01 in the Gregorian calendar (Howard Hinnant, "chrono-compatible
/// low-level date algorithms").
const fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// Converts days since 1970-01-01 to year, month and day (the same source).
const fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    (year_of_era + era * 400 + (month <= 2) as i64, month, day)
}

/// The status of a service; explained in `domain::Status`.
#[derive(cynic::Enum, FromJson, Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    Up,
    Degraded,
    Down,
    Maintenance,
    Unknown,
}

impl Status {
    /// Every status, worst first, which is the order in which lists show them.
    pub const WORST_FIRST: [Self; 5] = [
        Self::Down,
        Self::Degraded,
        Self::Unknown,
        Self::Maintenance,
        Self::Up,
    ];

    /// Converts to the domain type that server and browser share.
    #[must_use]
    pub const fn to_domain(self) -> domain::Status {
        match self {
            Self::Up => domain::Status::Up,
            Self::Degraded => domain::Status::Degraded,
            Self::Down => domain::Status::Down,
            Self::Maintenance => domain::Status::Maintenance,
            Self::Unknown => domain::Status::Unknown,
        }
    }

    /// Returns the severity: 0 for up, 4 for down.
    #[must_use]
    pub const fn severity(self) -> u8 {
        self.to_domain().severity()
    }

    /// Returns the word on the screen, in lower case.
    #[must_use]
    pub const fn word(self) -> &'static str {
        self.to_domain().word()
    }

    /// Returns the word capitalised, for the start of a sentence.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Up => "Up",
            Self::Degraded => "Degraded",
            Self::Down => "Down",
            Self::Maintenance => "Maintenance",
            Self::Unknown => "Unknown",
        }
    }
}

/// What makes a service due; explained in `monitors::Schedule`.
#[derive(cynic::Enum, FromJson, Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[cynic(graphql_type = "MonitorSchedule")]
pub enum Schedule {
    #[default]
    Every,
    Awaited,
    Shared,
    Derived,
}

/// The worst severity that an incident has reached.
#[derive(cynic::Enum, FromJson, Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IncidentType {
    Downtime,
    Degraded,
}

impl IncidentType {
    /// Returns the status with which such an incident is displayed.
    #[must_use]
    pub const fn status(self) -> Status {
        match self {
            Self::Downtime => Status::Down,
            Self::Degraded => Status::Degraded,
        }
    }
}

#[derive(cynic::Enum, FromJson, Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IncidentState {
    Open,
    Resolved,
}

#[derive(cynic::Enum, FromJson, Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServiceChangeKind {
    Created,
    Updated,
    Paused,
    Resumed,
    Deleted,
}

/// A period that ends now; explained in `domain::Window`.
#[derive(cynic::Enum, FromJson, Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Window {
    #[default]
    Day,
    Week,
    Month,
    Quarter,
}

impl Window {
    /// Every window, shortest first.
    pub const ALL: [Self; 4] = [Self::Day, Self::Week, Self::Month, Self::Quarter];

    /// Returns the short name, as on a button.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Day => "24 h",
            Self::Week => "7 d",
            Self::Month => "30 d",
            Self::Quarter => "90 d",
        }
    }

    /// Returns the length in milliseconds.
    #[must_use]
    pub const fn millis(self) -> i64 {
        let days = match self {
            Self::Day => 1,
            Self::Week => 7,
            Self::Month => 30,
            Self::Quarter => 90,
        };
        days * 86_400_000
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_rfc_3339_is_parsed() {
        let at = Moment(1_763_820_190_123);
        for text in [
            "2025-11-22T14:03:10.123Z",
            "2025-11-22T14:03:10.123456Z",
            "2025-11-22T14:03:10.123+00:00",
            "2025-11-22T16:33:10.123+02:30",
            "2025-11-22T09:03:10.123-05:00",
        ] {
            assert_eq!(Moment::parse(text), Some(at), "{text}");
        }
        assert_eq!(
            Moment::parse("2025-11-22T14:03:10Z"),
            Some(Moment(1_763_820_190_000))
        );
        assert_eq!(
            Moment::parse("2024-02-29T00:00:00.5Z"),
            Some(Moment(1_709_164_800_500))
        );
    }

    #[test]
    fn other_text_is_rejected() {
        for text in [
            "",
            "yesterday",
            "2025-11-22",
            "2025-11-22T14:03:10",
            "2025-11-22T14:03:10.Q",
            "2025/11/22T14:03:10Z",
        ] {
            assert_eq!(Moment::parse(text), None, "{text}");
        }
    }

    #[test]
    fn formatting_and_parsing_round_trip() {
        for text in [
            "1970-01-01T00:00:00.000Z",
            "2000-02-29T23:59:59.999Z",
            "2026-12-31T12:00:00.001Z",
            "1969-12-31T23:59:59.999Z",
        ] {
            assert_eq!(Moment::parse(text).unwrap().to_string(), text);
        }
    }
}
