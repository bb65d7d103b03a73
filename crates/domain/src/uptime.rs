//! Computes uptime by time, not by number of checks: the share of covered time in each status.

use crate::slot::coverage_window;
use crate::status::Status;
use chrono::{DateTime, Duration, Utc};

/// The part of a recorded check that uptime depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// The scheduled slot of the check.
    pub slot: DateTime<Utc>,
    /// The service's interval when it was made.
    pub interval: Duration,
    /// What it found.
    pub status: Status,
}

impl Sample {
    /// Returns until when the check covers its service, if the next check (or now) is at `next`.
    #[must_use]
    pub fn until(&self, next: DateTime<Utc>) -> DateTime<Utc> {
        if next - self.slot > coverage_window(self.interval) {
            self.slot + self.interval
        } else {
            next
        }
    }
}

/// Milliseconds in each known status. Unknown time is not counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(missing_docs, reason = "the fields are the statuses")]
pub struct Tally {
    pub up_ms: i64,
    pub degraded_ms: i64,
    pub down_ms: i64,
    pub maintenance_ms: i64,
}

impl Tally {
    /// Adds `ms` spent in `status`.
    pub fn add(&mut self, status: Status, ms: i64) {
        match status {
            Status::Up => self.up_ms += ms,
            Status::Degraded => self.degraded_ms += ms,
            Status::Down => self.down_ms += ms,
            Status::Maintenance => self.maintenance_ms += ms,
            Status::Unknown => {}
        }
    }

    /// Adds another tally.
    pub fn merge(&mut self, other: &Self) {
        self.up_ms += other.up_ms;
        self.degraded_ms += other.degraded_ms;
        self.down_ms += other.down_ms;
        self.maintenance_ms += other.maintenance_ms;
    }

    /// Returns the time covered by checks.
    #[must_use]
    pub const fn covered_ms(&self) -> i64 {
        self.up_ms + self.degraded_ms + self.down_ms + self.maintenance_ms
    }

    /// Returns the uptime in percent of the covered time; `None` if nothing is covered. Only down
    /// counts against it: a degraded service is available, and maintenance was announced.
    #[must_use]
    pub fn percent(&self) -> Option<f64> {
        percent_of(self.covered_ms() - self.down_ms, self.covered_ms())
    }

    /// Returns the degraded time in percent of the covered time.
    #[must_use]
    pub fn degraded_percent(&self) -> Option<f64> {
        percent_of(self.degraded_ms, self.covered_ms())
    }

    /// Returns the covered time in percent of `length`.
    #[must_use]
    pub fn coverage_percent(&self, length: Duration) -> f64 {
        percent_of(self.covered_ms(), length.num_milliseconds())
            .unwrap_or(0.0)
            .min(100.0)
    }

    /// Returns the worst status.
    #[must_use]
    pub const fn worst(&self) -> Status {
        if self.down_ms > 0 {
            Status::Down
        } else if self.degraded_ms > 0 {
            Status::Degraded
        } else if self.up_ms > 0 {
            Status::Up
        } else if self.maintenance_ms > 0 {
            Status::Maintenance
        } else {
            Status::Unknown
        }
    }
}

#[allow(
    clippy::cast_precision_loss,
    reason = "2^53 milliseconds are 285,000 years"
)]
fn percent_of(part: i64, whole: i64) -> Option<f64> {
    (whole > 0).then(|| part as f64 * 100.0 / whole as f64)
}

/// Sums the time between `from` and `to` by status.
///
/// `samples` are sorted by slot. Each covers the time to the next slot, or one interval if the next
/// is further away than [`coverage_window`]. Include the samples within a coverage window before
/// `from` and after `to`, because they affect the ends.
#[must_use]
pub fn tally(
    samples: impl IntoIterator<Item = Sample>,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Tally {
    let mut tally = Tally::default();
    let mut samples = samples.into_iter().peekable();
    while let Some(sample) = samples.next() {
        let end = sample.until(samples.peek().map_or(now, |next| next.slot));
        let (start, end) = (sample.slot.max(from), end.min(to).min(now));
        if start < end {
            tally.add(sample.status, (end - start).num_milliseconds());
        }
    }
    tally
}

#[cfg(test)]
mod tests {
    use super::*;
    use Status::{Degraded, Down, Unknown, Up};
    use proptest::prelude::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(second, 0).unwrap()
    }

    fn samples(story: &[(i64, Status)]) -> Vec<Sample> {
        let interval = Duration::seconds(30);
        story
            .iter()
            .map(|(second, status)| Sample {
                slot: at(*second),
                interval,
                status: *status,
            })
            .collect()
    }

    #[test]
    fn time_is_weighed_not_checks() {
        let story = samples(&[(0, Up), (30, Down), (31, Down), (60, Degraded), (90, Up)]);
        let tally = tally(story, at(0), at(120), at(120));
        assert_eq!(
            tally,
            Tally {
                up_ms: 60_000,
                degraded_ms: 30_000,
                down_ms: 30_000,
                maintenance_ms: 0
            }
        );
        assert_eq!(
            (tally.percent(), tally.degraded_percent()),
            (Some(75.0), Some(25.0))
        );
        assert_eq!(tally.worst(), Down);
    }

    #[test]
    fn a_stop_and_an_unknown_are_gaps_not_uptime() {
        let story = samples(&[(0, Up), (1000, Up), (1030, Unknown)]);
        let tally = tally(story, at(0), at(2000), at(2000));
        assert_eq!(
            tally,
            Tally {
                up_ms: 60_000,
                ..Tally::default()
            }
        );
        assert!((tally.coverage_percent(Duration::seconds(2000)) - 3.0).abs() < 1e-9);
    }

    #[test]
    fn nothing_covered_is_no_uptime_rather_than_zero() {
        let tally = tally([], at(0), at(100), at(100));
        assert_eq!((tally.percent(), tally.worst()), (None, Unknown));
    }

    proptest! {
        /// Cutting a stretch anywhere and adding the parts gives the whole, which is why hours can be rolled up.
        #[test]
        fn parts_add_up_to_the_whole(
            gaps in prop::collection::vec((1i64..200, 0usize..5), 1..80),
            cut in 0i64..4000,
            more in 0i64..4000,
        ) {
            let mut second = 0;
            let story: Vec<_> = gaps.iter().map(|(gap, status)| { second += gap; (second, Status::ALL[*status]) }).collect();
            let story = samples(&story);
            let now = at(second + 100);
            let (from, to) = (at(0), at(cut + more));
            let mut parts = tally(story.clone(), from, at(cut), now);
            parts.merge(&tally(story.clone(), at(cut), to, now));
            let whole = tally(story, from, to, now);
            prop_assert_eq!(parts, whole);
            prop_assert!(whole.covered_ms() <= (to - from).num_milliseconds());
        }
    }
}
