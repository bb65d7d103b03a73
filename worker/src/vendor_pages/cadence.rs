//! Decides when a page is fetched: at most once a minute, not before its server allows it, with backoff
//! while it fails, and with jitter. Pure: time is an argument, and the jitter is a hash of the page
//! and the time.

use chrono::{DateTime, TimeDelta, Utc};
use domain::slot::is_in_future;
use domain::vendor_page::{INTERVAL, STALE_AFTER, UNKNOWN_AFTER};
use entity::vendor_page;
use std::time::Duration;
use uuid::Uuid;

/// Maximum backoff while a page fails. With jitter it stays below the age at which a reading is stale.
const MAX_BACKOFF: TimeDelta = TimeDelta::seconds(240);
/// Maximum `Retry-After` that is respected.
const MAX_RETRY_AFTER: TimeDelta = TimeDelta::hours(24);
/// A page is slow after so many slow responses in a row.
const SLOW_AFTER: i32 = 3;
/// The jitter is up to this fraction (one in so many) of the wait.
const JITTER: i32 = 10;

/// The times of a page that decide when it is fetched.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Times {
    pub(crate) attempted_at: Option<DateTime<Utc>>,
    pub(crate) fetched_at: Option<DateTime<Utc>>,
    pub(crate) not_before: Option<DateTime<Utc>>,
    pub(crate) failures: i32,
}

impl From<&vendor_page::Model> for Times {
    fn from(row: &vendor_page::Model) -> Self {
        let (attempted_at, fetched_at) = (row.attempted_at, row.fetched_at);
        Self {
            attempted_at,
            fetched_at,
            not_before: row.not_before,
            failures: row.failures,
        }
    }
}

impl Times {
    /// Whether the page may be fetched at `now`.
    pub(crate) fn allow(&self, now: DateTime<Utc>) -> bool {
        // Times far in the future were set by a clock that was wrong.
        let interval_passed = self
            .attempted_at
            .is_none_or(|at| now - at >= INTERVAL || is_in_future(at, now));
        let retry_allowed = self
            .not_before
            .is_none_or(|at| now >= at || at - now > MAX_RETRY_AFTER);
        interval_passed && retry_allowed
    }

    /// Returns when the page is due next: when it may and should be fetched, or earlier if its reading
    /// becomes stale or invalid before.
    pub(crate) fn next(&self, page: Uuid, now: DateTime<Utc>) -> DateTime<Utc> {
        let attempted = self
            .attempted_at
            .filter(|at| !is_in_future(*at, now))
            .unwrap_or(now - INTERVAL);
        let wait = backoff(self.failures);
        let mut next = attempted + wait + jitter(page, attempted, wait);
        if let Some(not_before) = self.not_before.filter(|at| *at - now <= MAX_RETRY_AFTER) {
            next = next.max(not_before + jitter(page, attempted, INTERVAL));
        }
        let freshness_changes_at = self
            .fetched_at
            .map(|at| [at + STALE_AFTER, at + UNKNOWN_AFTER])
            .into_iter()
            .flatten()
            .find(|at| *at > now)
            .filter(|_| self.failures > 0);
        freshness_changes_at
            .map_or(next, |at| next.min(at))
            .max(now + TimeDelta::seconds(1))
    }
}

/// Returns until when a server is not requested after its `failures`th consecutive failure.
/// `retry_after` is what it asked for; `is_limited` if it limits requests.
pub(crate) fn not_before(
    now: DateTime<Utc>,
    retry_after: Option<Duration>,
    is_limited: bool,
    failures: i32,
) -> Option<DateTime<Utc>> {
    let requested = retry_after.map(|wait| {
        TimeDelta::from_std(wait)
            .unwrap_or(MAX_RETRY_AFTER)
            .min(MAX_RETRY_AFTER)
    });
    let own = is_limited.then(|| backoff(failures.saturating_add(1)));
    requested
        .max(own)
        .filter(|wait| *wait > INTERVAL)
        .map(|wait| now + wait)
}

/// Returns when a page that was fetched at `attempted` may be fetched again if its last `slow` responses
/// were slow: half as often as others, because each fetch occupies its permit for long.
pub(crate) fn slow_next(page: Uuid, attempted: DateTime<Utc>, slow: i32) -> DateTime<Utc> {
    let wait = INTERVAL * 2;
    if slow < SLOW_AFTER {
        attempted
    } else {
        attempted + wait + jitter(page, attempted, wait)
    }
}

/// Returns the time between two attempts after so many consecutive failures.
fn backoff(failures: i32) -> TimeDelta {
    let doublings = u32::try_from(failures.clamp(1, 10) - 1).unwrap_or_default();
    (INTERVAL * 2_i32.pow(doublings)).min(MAX_BACKOFF)
}

/// Returns a fraction of `wait` that differs from page to page and from time to time.
fn jitter(page: Uuid, at: DateTime<Utc>, wait: TimeDelta) -> TimeDelta {
    let seed = page.as_u64_pair().1 ^ at.timestamp_millis().unsigned_abs();
    let mixed = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
    let most = (wait / JITTER).num_milliseconds().max(1).unsigned_abs();
    TimeDelta::milliseconds(i64::try_from(mixed % most).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_700_000_000 + seconds, 0).unwrap()
    }

    fn times(attempted: i64, fetched: i64, failures: i32) -> Times {
        Times {
            attempted_at: Some(at(attempted)),
            fetched_at: Some(at(fetched)),
            not_before: None,
            failures,
        }
    }

    #[test]
    fn a_page_is_fetched_once_a_minute_if_its_server_allows_it() {
        let asked = times(0, 0, 0);
        assert!(!asked.allow(at(0)) && !asked.allow(at(59)) && asked.allow(at(60)));
        let resting = Times {
            not_before: Some(at(600)),
            ..asked
        };
        assert!(!resting.allow(at(599)) && resting.allow(at(600)));
        assert!(
            Times {
                attempted_at: None,
                fetched_at: None,
                ..asked
            }
            .allow(at(0))
        );
        assert!(times(3 * 3600, 0, 0).allow(at(0)), "the clock was set back");
    }

    #[test]
    fn waits_double_and_stay_below_the_stale_limit() {
        let waits: Vec<_> = (0..7)
            .map(|failures| backoff(failures).num_seconds())
            .collect();
        assert_eq!(waits, [60, 60, 120, 240, 240, 240, 240]);
        assert!(MAX_BACKOFF + MAX_BACKOFF / JITTER < STALE_AFTER);
    }

    #[test]
    fn a_failing_page_is_due_when_its_freshness_changes() {
        let id = Uuid::from_u128(7);
        let next = |times: Times, now| (times.next(id, at(now)) - at(0)).num_seconds();
        assert_eq!(next(times(200, 0, 3), 200), 300);
        assert!(
            (440..=464).contains(&next(times(200, 0, 3), 300)),
            "after that as planned"
        );
        assert_eq!(
            next(
                Times {
                    not_before: Some(at(4000)),
                    ..times(800, 0, 4)
                },
                801
            ),
            900
        );
        assert!((4000..=4006).contains(&next(
            Times {
                not_before: Some(at(4000)),
                ..times(800, 0, 4)
            },
            900
        )));
        assert!(
            (60..=66).contains(&next(times(0, 0, 0), 1)),
            "what is read is asked again before it is stale"
        );
    }

    #[test]
    fn retry_after_is_respected_within_a_day() {
        let until = |rest: Option<u64>, limited, failures| {
            not_before(at(0), rest.map(Duration::from_secs), limited, failures)
                .map(|until| (until - at(0)).num_seconds())
        };
        assert_eq!(until(Some(600), true, 1), Some(600));
        assert_eq!(until(Some(5), true, 1), Some(120), "too often is too often");
        assert_eq!(until(None, true, 1), Some(120));
        assert_eq!(until(Some(5), false, 1), None);
        assert_eq!(until(Some(u64::from(u32::MAX)), true, 1), Some(86_400));
        assert_eq!(until(Some(u64::MAX), false, 1), Some(86_400));
        assert_eq!(until(None, false, 3), None);
    }

    proptest! {
        #[test]
        fn one_failed_poll_leaves_no_gap(id: u128, answered in 0i64..10, answered_later in 0i64..10) {
            let id = Uuid::from_u128(id);
            let good = at(answered);
            let fails = times(0, answered, 0).next(id, good);
            let failed = Times { attempted_at: Some(fails), fetched_at: Some(good), not_before: None, failures: 1 };
            let asked = failed.next(id, fails + TimeDelta::seconds(10));
            let next = asked + TimeDelta::seconds(answered_later);
            prop_assert!(next - good <= domain::slot::coverage_window(crate::check::VENDOR_READING_VALIDITY), "{}", next - good);
        }

        #[test]
        fn a_slow_page_is_fetched_half_as_often_without_gaps(id: u128, slow in 0i32..100) {
            let id = Uuid::from_u128(id);
            let wait = slow_next(id, at(0), slow) - at(0);
            let in_a_row = slow >= SLOW_AFTER;
            prop_assert_eq!(wait >= TimeDelta::seconds(120), in_a_row);
            prop_assert!(wait + TimeDelta::seconds(10) <= domain::slot::coverage_window(crate::check::VENDOR_READING_VALIDITY));
        }

        #[test]
        fn a_page_is_always_due_later_and_within_a_day(
            id: u128, attempted in -90_000i64..90_000, fetched in -90_000i64..90_000, rest in proptest::option::of(-90_000i64..900_000), failures in -1i32..1000,
        ) {
            let times = Times { not_before: rest.map(at), ..times(attempted, fetched, failures) };
            let next = times.next(Uuid::from_u128(id), at(0));
            prop_assert!(next > at(0) && next < at(86_400 + 300), "{next}");
        }

        #[test]
        fn a_page_that_is_due_may_be_fetched(id: u128, attempted in 0i64..60, failures in 0i32..9) {
            let times = times(attempted, attempted, failures);
            let next = times.next(Uuid::from_u128(id), at(attempted));
            prop_assert!(times.allow(next) || next >= at(attempted) + STALE_AFTER);
        }
    }
}
