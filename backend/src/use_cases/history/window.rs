//! Uptime over a window that ends now: whole rollups, a part of the first hour, and the tail.

use super::tail::UnrolledChecks;
use crate::caches::UptimeAggregate;
use chrono::{DateTime, Utc};
use domain::Window;
use domain::rollup::{DAY, HOUR, ceil, floor};
use domain::uptime::{Sample, Tally, tally};

/// Returns when a window begins. A day and a week begin to the millisecond. A month and a quarter
/// begin at the full hour before: an hour is less than two thousandths of them, and checks that old
/// need not be kept any more.
#[must_use]
pub fn window_start(window: Window, now: DateTime<Utc>) -> DateTime<Utc> {
    if begins_on_the_hour(window) {
        floor(window.start(now), HOUR)
    } else {
        window.start(now)
    }
}

/// Returns whether a window begins at a full hour: its rollups are the same for an hour.
pub(super) const fn begins_on_the_hour(window: Window) -> bool {
    matches!(window, Window::Month | Window::Quarter)
}

/// What the rollups hold of one service's window.
#[derive(Debug, Default)]
pub(super) struct WindowRollups {
    /// The sum of the cached days.
    pub(super) cached: Option<UptimeAggregate>,
    /// The sum of the days that change no more.
    pub(super) settled_days: Tally,
    /// The sum of the other days.
    pub(super) recent_days: Tally,
    /// The sum of the whole hours before the first day, unless they are among what is cached.
    pub(super) hours: Tally,
    /// The hour in which the window begins.
    pub(super) first_hour: Tally,
    /// The checks of that hour, and those next to it.
    pub(super) first_hour_checks: Vec<Sample>,
}

impl WindowRollups {
    /// Returns the time by status from `from` to `now`, with the unrolled tail.
    pub(super) fn tally(
        &self,
        tail: &UnrolledChecks,
        from: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Tally {
        let mut tally = self.settled_sum();
        tally.merge(&self.recent_days);
        tally.merge(&tail.tally(from, now, now));
        let first_hour_end = ceil(from, HOUR);
        // The rollups end where the tail begins, be it within the first hour.
        let end = tail.start().map_or(from, |start| start.min(first_hour_end));
        if from < end {
            tally.merge(&self.tally_first_hour(from, end, first_hour_end, now));
        }
        tally
    }

    /// Returns the aggregate to be cached, if there is more than is cached already: what was rolled
    /// up last belongs to a day after the window's first one.
    pub(super) fn new_aggregate(
        &self,
        from: DateTime<Utc>,
        last_rolled_up: DateTime<Utc>,
    ) -> Option<UptimeAggregate> {
        let until = floor(last_rolled_up, DAY);
        let is_newer = match self.cached {
            Some(cached) => until > cached.until,
            None => until >= ceil(from, DAY),
        };
        is_newer.then(|| UptimeAggregate {
            until,
            tally: self.settled_sum(),
        })
    }

    fn settled_sum(&self) -> Tally {
        let mut sum = self.cached.map_or(self.hours, |cached| cached.tally);
        sum.merge(&self.settled_days);
        sum
    }

    /// Returns the part of the first hour from `from` to `end`.
    fn tally_first_hour(
        &self,
        from: DateTime<Utc>,
        end: DateTime<Utc>,
        hour_end: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Tally {
        let mut checks = self.first_hour_checks.clone();
        if checks.iter().any(|check| check.slot < hour_end) {
            checks.sort_unstable_by_key(|check| check.slot);
            return tally(checks, from, end, now);
        }
        // The checks are deleted: count each minute of the hour as the average one.
        let share = |ms: i64| ms * (hour_end - from).num_milliseconds() / HOUR.num_milliseconds();
        Tally {
            up_ms: share(self.first_hour.up_ms),
            degraded_ms: share(self.first_hour.degraded_ms),
            down_ms: share(self.first_hour.down_ms),
            maintenance_ms: share(self.first_hour.maintenance_ms),
        }
    }
}
