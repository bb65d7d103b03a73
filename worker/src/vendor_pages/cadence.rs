//! When a page is asked: never twice within a minute, never before its server wishes, later and later while it fails, and
//! never all pages at once. Pure; time is an argument, and chance is a hash of the page and the time.

use chrono::{DateTime, TimeDelta, Utc};
use domain::slot::lies_ahead;
use domain::vendor_page::{INTERVAL, STALE_AFTER, UNKNOWN_AFTER};
use entity::vendor_page;
use std::time::Duration;
use uuid::Uuid;

/// The longest wait of our own while a page fails: with its share of chance it stays below the stale limit.
const LONGEST_WAIT: TimeDelta = TimeDelta::seconds(240);
/// A server that wishes to be left alone for longer is asked again after this all the same.
const LONGEST_REST: TimeDelta = TimeDelta::hours(24);
/// So many slow answers in a row are how the page is.
const SLOW_AFTER: i32 = 3;
/// What is added by chance, as a part of the wait.
const JITTER: i32 = 10;

/// What of a page's row decides when it is asked.
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
    /// Whether the page may be asked at `now`.
    pub(crate) fn allow(&self, now: DateTime<Utc>) -> bool {
        // Times that lie far ahead were set by a clock that was ahead.
        let asked = self
            .attempted_at
            .is_none_or(|at| now - at >= INTERVAL || lies_ahead(at, now));
        let rested = self
            .not_before
            .is_none_or(|at| now >= at || at - now > LONGEST_REST);
        asked && rested
    }

    /// When the page is due next, after what these times tell of: when it may and should be asked, or before that when
    /// what it said becomes stale or worthless.
    pub(crate) fn next(&self, page: Uuid, now: DateTime<Utc>) -> DateTime<Utc> {
        let asked = self
            .attempted_at
            .filter(|at| !lies_ahead(*at, now))
            .unwrap_or(now - INTERVAL);
        let wait = wait(self.failures);
        let mut next = asked + wait + jitter(page, asked, wait);
        if let Some(not_before) = self.not_before.filter(|at| *at - now <= LONGEST_REST) {
            next = next.max(not_before + jitter(page, asked, INTERVAL));
        }
        let turns = self
            .fetched_at
            .map(|at| [at + STALE_AFTER, at + UNKNOWN_AFTER]);
        let turn = turns
            .into_iter()
            .flatten()
            .find(|turn| *turn > now)
            .filter(|_| self.failures > 0);
        turn.map_or(next, |turn| next.min(turn))
            .max(now + TimeDelta::seconds(1))
    }
}

/// Until when a server is left alone that failed for the `failures`th time in a row and wishes `rest`; `limited` when it
/// said that it is asked too often.
pub(crate) fn not_before(
    now: DateTime<Utc>,
    rest: Option<Duration>,
    limited: bool,
    failures: i32,
) -> Option<DateTime<Utc>> {
    let wished = rest.map(|rest| {
        TimeDelta::from_std(rest)
            .unwrap_or(LONGEST_REST)
            .min(LONGEST_REST)
    });
    let own = limited.then(|| wait(failures.saturating_add(1)));
    wished
        .max(own)
        .filter(|rest| *rest > INTERVAL)
        .map(|rest| now + rest)
}

/// When a page that was asked at `asked` may be asked again whose last `slow` answers took long: half as often as others,
/// because each occupies its place for as long as many.
pub(crate) fn slowed(page: Uuid, asked: DateTime<Utc>, slow: i32) -> DateTime<Utc> {
    let wait = INTERVAL * 2;
    if slow < SLOW_AFTER {
        asked
    } else {
        asked + wait + jitter(page, asked, wait)
    }
}

/// From one attempt to the next after so many failures in a row.
fn wait(failures: i32) -> TimeDelta {
    let doublings = u32::try_from(failures.clamp(1, 10) - 1).unwrap_or_default();
    (INTERVAL * 2_i32.pow(doublings)).min(LONGEST_WAIT)
}

/// A share of `wait` that differs from page to page and from time to time.
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
    fn a_page_is_asked_once_a_minute_and_not_before_its_server_wishes() {
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
            .map(|failures| wait(failures).num_seconds())
            .collect();
        assert_eq!(waits, [60, 60, 120, 240, 240, 240, 240]);
        assert!(LONGEST_WAIT + LONGEST_WAIT / JITTER < STALE_AFTER);
    }

    #[test]
    fn a_page_that_fails_is_looked_at_when_it_becomes_stale_and_when_it_is_lost() {
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
    fn a_wish_to_be_left_alone_is_obeyed_within_a_day() {
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
        fn one_poll_that_fails_leaves_no_time_uncovered(id: u128, answered in 0i64..10, answered_later in 0i64..10) {
            let id = Uuid::from_u128(id);
            let good = at(answered);
            let fails = times(0, answered, 0).next(id, good);
            let failed = Times { attempted_at: Some(fails), fetched_at: Some(good), not_before: None, failures: 1 };
            let asked = failed.next(id, fails + TimeDelta::seconds(10));
            let next = asked + TimeDelta::seconds(answered_later);
            prop_assert!(next - good <= domain::slot::horizon(crate::check::SPEAKS_FOR), "{}", next - good);
        }

        #[test]
        fn who_is_slow_is_asked_half_as_often_and_leaves_no_time_uncovered(id: u128, slow in 0i32..100) {
            let id = Uuid::from_u128(id);
            let wait = slowed(id, at(0), slow) - at(0);
            let in_a_row = slow >= SLOW_AFTER;
            prop_assert_eq!(wait >= TimeDelta::seconds(120), in_a_row);
            prop_assert!(wait + TimeDelta::seconds(10) <= domain::slot::horizon(crate::check::SPEAKS_FOR));
        }

        #[test]
        fn whatever_happened_a_page_is_due_later_and_within_a_day(
            id: u128, attempted in -90_000i64..90_000, fetched in -90_000i64..90_000, rest in proptest::option::of(-90_000i64..900_000), failures in -1i32..1000,
        ) {
            let times = Times { not_before: rest.map(at), ..times(attempted, fetched, failures) };
            let next = times.next(Uuid::from_u128(id), at(0));
            prop_assert!(next > at(0) && next < at(86_400 + 300), "{next}");
        }

        #[test]
        fn a_page_that_is_due_as_planned_may_be_asked(id: u128, attempted in 0i64..60, failures in 0i32..9) {
            let times = times(attempted, attempted, failures);
            let next = times.next(Uuid::from_u128(id), at(attempted));
            prop_assert!(times.allow(next) || next >= at(attempted) + STALE_AFTER);
        }
    }
}
