//! How long a reading of a vendor page stays valid.

use chrono::{DateTime, Duration, Utc};

/// Minimum time between two fetches of one page, and how long one reading counts.
pub const INTERVAL: Duration = Duration::seconds(60);

/// Age from which a reading is stale: it still counts, and its age is shown.
pub const STALE_AFTER: Duration = Duration::minutes(5);

/// Age from which a reading counts no more and the status is unknown.
pub const UNKNOWN_AFTER: Duration = Duration::minutes(15);

/// Validity of a reading by its age.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// Up to date.
    Fresh,
    /// Old, but used because there is no newer one.
    Stale,
    /// Too old to use, or there is none.
    Lost,
}

/// Returns how fresh a reading made at `read_at` is at `now`.
#[must_use]
pub fn freshness(read_at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Freshness {
    match read_at.map(|read_at| now - read_at) {
        Some(age) if age < STALE_AFTER => Freshness::Fresh,
        Some(age) if age < UNKNOWN_AFTER => Freshness::Stale,
        _ => Freshness::Lost,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reading_is_stale_after_five_minutes_and_worth_nothing_after_fifteen() {
        let now = DateTime::UNIX_EPOCH + Duration::days(20_000);
        let aged = |seconds| freshness(Some(now - Duration::seconds(seconds)), now);
        assert_eq!([aged(-3), aged(0), aged(299)], [Freshness::Fresh; 3]);
        assert_eq!([aged(300), aged(899)], [Freshness::Stale; 2]);
        assert_eq!([aged(900), freshness(None, now)], [Freshness::Lost; 2]);
    }
}
