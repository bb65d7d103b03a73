//! Aggregates checks into hourly and daily rollups.
//!
//! The time that a check covers is final once the next check exists. A [`Fold`] therefore takes
//! checks in slot order, in any number of batches, and accounts for all time up to the last one.
//! Readers add the time after it with [`crate::uptime::tally`].

use crate::histogram::LatencyHistogram;
use crate::status::Status;
use crate::uptime::{Sample, Tally};
use chrono::{DateTime, Duration, Utc};
use std::collections::BTreeMap;

/// Width of an hourly rollup.
pub const HOUR: Duration = Duration::hours(1);
/// Width of a daily rollup; days are UTC.
pub const DAY: Duration = Duration::days(1);

/// Rounds `at` down to a multiple of `width` since 1970.
#[must_use]
pub fn floor(at: DateTime<Utc>, width: Duration) -> DateTime<Utc> {
    at - Duration::milliseconds(
        at.timestamp_millis()
            .rem_euclid(width.num_milliseconds().max(1)),
    )
}

/// Rounds `at` up to a multiple of `width` since 1970.
#[must_use]
pub fn ceil(at: DateTime<Utc>, width: Duration) -> DateTime<Utc> {
    let floor = floor(at, width);
    if floor < at { floor + width } else { floor }
}

/// Splits `from..to` at each multiple of `width`. Returns start and milliseconds of each part.
pub fn stretches(
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    width: Duration,
) -> impl Iterator<Item = (DateTime<Utc>, i64)> {
    let mut start = from;
    std::iter::from_fn(move || {
        let end = to.min(floor(start, width) + width);
        let part = (start < end).then(|| (start, (end - start).num_milliseconds()));
        start = end;
        part
    })
}

/// Aggregate of some checks.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sum {
    /// Time by status.
    pub tally: Tally,
    /// Number of checks.
    pub checks: u32,
    /// Number of checks that found the service degraded or down.
    pub failed: u32,
    /// Longest response time, in milliseconds.
    pub max_response_time_ms: Option<u32>,
    /// Histogram of the response times.
    pub latency: LatencyHistogram,
}

impl Sum {
    /// Adds another aggregate.
    pub fn merge(&mut self, other: &Self) {
        self.tally.merge(&other.tally);
        self.checks = self.checks.saturating_add(other.checks);
        self.failed = self.failed.saturating_add(other.failed);
        self.max_response_time_ms = self.max_response_time_ms.max(other.max_response_time_ms);
        self.latency.merge(&other.latency);
    }

    /// Counts one check, without the time it covers.
    pub fn count(&mut self, status: Status, response_time_ms: Option<u32>) {
        self.checks = self.checks.saturating_add(1);
        self.failed = self.failed.saturating_add(u32::from(status.is_failure()));
        if let Some(ms) = response_time_ms {
            self.max_response_time_ms = self.max_response_time_ms.max(Some(ms));
            self.latency.record(ms);
        }
    }
}

/// Aggregates the checks of one service by hour.
#[derive(Debug, Clone, Default)]
pub struct Fold {
    last: Option<Sample>,
    hours: BTreeMap<DateTime<Utc>, Sum>,
}

impl Fold {
    /// Continues after `last`, the last check of an earlier fold, if there is one.
    #[must_use]
    pub fn after(last: Option<Sample>) -> Self {
        Self {
            last,
            hours: BTreeMap::new(),
        }
    }

    /// Adds the next check. Ignores it if its slot is not after the last one.
    pub fn push(&mut self, sample: Sample, response_time_ms: Option<u32>) {
        if let Some(last) = self.last {
            if sample.slot <= last.slot {
                return;
            }
            self.add_time(last.status, last.slot, last.until(sample.slot));
        }
        self.hour(sample.slot)
            .count(sample.status, response_time_ms);
        self.last = Some(sample);
    }

    /// Returns the last check. All time before its slot is accounted for.
    #[must_use]
    pub const fn last(&self) -> Option<Sample> {
        self.last
    }

    /// Returns the aggregates by start of the hour. An earlier fold may hold a part of the first.
    #[must_use]
    pub const fn hours(&self) -> &BTreeMap<DateTime<Utc>, Sum> {
        &self.hours
    }

    /// Returns the aggregates by start of the day.
    #[must_use]
    pub fn days(&self) -> BTreeMap<DateTime<Utc>, Sum> {
        let mut days: BTreeMap<_, Sum> = BTreeMap::new();
        for (hour, sum) in &self.hours {
            days.entry(floor(*hour, DAY)).or_default().merge(sum);
        }
        days
    }

    fn add_time(&mut self, status: Status, from: DateTime<Utc>, to: DateTime<Utc>) {
        if status != Status::Unknown {
            stretches(from, to, HOUR)
                .for_each(|(start, ms)| self.hour(start).tally.add(status, ms));
        }
    }

    fn hour(&mut self, at: DateTime<Utc>) -> &mut Sum {
        self.hours.entry(floor(at, HOUR)).or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::uptime::tally;
    use proptest::prelude::*;

    prop_compose! {
        fn stories()(
            begin in 0i64..7_200_000,
            steps in prop::collection::vec((prop_oneof![Just(30_000i64), 1i64..90_000, 1i64..200_000_000], 0usize..5, prop::sample::select(vec![10i64, 30, 600, 86_400]), prop::option::of(0u32..5000)), 1..120),
        ) -> Vec<(Sample, Option<u32>)> {
            let mut ms = begin;
            steps.into_iter().map(|(step, status, interval, response)| {
                ms += step;
                let slot = DateTime::from_timestamp_millis(ms).unwrap();
                (Sample { slot, interval: Duration::seconds(interval), status: Status::ALL[status] }, response)
            }).collect()
        }
    }

    proptest! {
        /// Folding in two portions and reading the rest raw is the same as reading everything raw, in each hour.
        #[test]
        fn hours_and_the_rest_are_what_brute_force_finds(story in stories(), share in 0usize..=120, later in 0i64..400_000_000) {
            let samples: Vec<Sample> = story.iter().map(|(sample, _)| *sample).collect();
            let now = samples[samples.len() - 1].slot + Duration::milliseconds(later);
            let (first, second) = story.split_at(share.min(story.len()));
            let mut fold = Fold::after(None);
            first.iter().for_each(|(sample, response)| fold.push(*sample, *response));
            let mut hours = fold.hours().clone();
            let mut fold = Fold::after(fold.last());
            second.iter().take(share / 2).for_each(|(sample, response)| fold.push(*sample, *response));
            for (hour, sum) in fold.hours() {
                let begun_before = hours.keys().next_back().is_some_and(|last| last == hour);
                prop_assert!(begun_before || !hours.contains_key(hour));
                hours.entry(*hour).or_default().merge(sum);
            }
            let read = fold.last().map_or(DateTime::UNIX_EPOCH, |last| last.slot);
            let rest: Vec<Sample> = samples.iter().copied().filter(|sample| sample.slot >= read).collect();
            let mut hour = floor(samples[0].slot, HOUR);
            while hour < now {
                let mut found = hours.get(&hour).map(|sum| sum.tally).unwrap_or_default();
                found.merge(&tally(rest.iter().copied(), hour.max(read), hour + HOUR, now));
                prop_assert_eq!(found, tally(samples.iter().copied(), hour, hour + HOUR, now), "{}", hour);
                hour += HOUR;
            }
        }

        #[test]
        fn days_hold_what_their_hours_hold(story in stories()) {
            let mut fold = Fold::after(None);
            story.iter().for_each(|(sample, response)| fold.push(*sample, *response));
            let (mut from_hours, mut from_days) = (Sum::default(), Sum::default());
            fold.hours().values().for_each(|sum| from_hours.merge(sum));
            fold.days().values().for_each(|sum| from_days.merge(sum));
            prop_assert_eq!(&from_hours, &from_days);
            prop_assert_eq!(from_hours.checks as usize, story.len());
            prop_assert_eq!(from_hours.max_response_time_ms, story.iter().filter_map(|(_, ms)| *ms).max());
        }
    }

    #[test]
    fn a_check_that_was_taken_before_is_not_counted_twice() {
        let sample = Sample {
            slot: DateTime::UNIX_EPOCH,
            interval: Duration::seconds(30),
            status: Status::Up,
        };
        let mut fold = Fold::after(Some(sample));
        fold.push(sample, Some(1));
        assert!(fold.hours().is_empty());
    }

    #[test]
    fn time_is_cut_at_whole_multiples() {
        let at = |ms| DateTime::from_timestamp_millis(ms).unwrap();
        assert_eq!(
            (floor(at(3_600_001), HOUR), ceil(at(3_600_001), HOUR)),
            (at(3_600_000), at(7_200_000))
        );
        assert_eq!(
            (floor(at(3_600_000), HOUR), ceil(at(3_600_000), HOUR)),
            (at(3_600_000), at(3_600_000))
        );
        assert_eq!(floor(at(-1), DAY), at(-86_400_000));
    }
}
