//! For how long what a vendor page said holds.

use chrono::{DateTime, Duration, Utc};

/// The shortest time between two fetches of one page, and how long one of them speaks for.
pub const INTERVAL: Duration = Duration::seconds(60);

/// From then on a page that cannot be read is stale: what it said stands, and it is said how old that is.
pub const STALE_AFTER: Duration = Duration::minutes(5);

/// From then on nothing is known of a page that cannot be read.
pub const UNKNOWN_AFTER: Duration = Duration::minutes(15);

/// What a reading of a page is worth by its age.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It holds.
    Fresh,
    /// It holds for want of a better one.
    Stale,
    /// It is too old to say anything, or there is none.
    Lost,
}

/// What a reading made at `read_at` is worth at `now`.
#[must_use]
pub fn standing(read_at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Standing {
    match read_at.map(|read_at| now - read_at) {
        Some(age) if age < STALE_AFTER => Standing::Fresh,
        Some(age) if age < UNKNOWN_AFTER => Standing::Stale,
        _ => Standing::Lost,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reading_is_stale_after_five_minutes_and_worth_nothing_after_fifteen() {
        let now = DateTime::UNIX_EPOCH + Duration::days(20_000);
        let aged = |seconds| standing(Some(now - Duration::seconds(seconds)), now);
        assert_eq!([aged(-3), aged(0), aged(299)], [Standing::Fresh; 3]);
        assert_eq!([aged(300), aged(899)], [Standing::Stale; 2]);
        assert_eq!([aged(900), standing(None, now)], [Standing::Lost; 2]);
    }
}
