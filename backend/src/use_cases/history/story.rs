//! What the checks of one service come to over a long time, up to the last one that was read: by day, and by hour on the
//! days in which windows begin. It goes on with each later check, as the sums of the worker do, so that a question asked
//! again reads only the checks made since. Knows nothing of statements.

use super::days::UptimeDay;
use super::uptime::Uptime;
use chrono::{DateTime, Duration, Utc};
use domain::rollup::{DAY, HOUR, ceil, floor, stretches};
use domain::slot::is_in_future;
use domain::uptime::{Sample, Tally, tally};
use entity::check::instant;
use std::collections::BTreeSet;

/// A calendar day in UTC, counted from 1970.
pub(super) type Day = i64;

/// A [`Tally`] of at most a day.
type Compact = [u32; 4];

/// Of how many days the hours are kept beyond those that are asked for.
const MAX_HOURS: usize = 4;

/// For how long checks are added before everything that may still change is read again: what was deleted or repaired in
/// the database then goes from here as well.
const LASTS: Duration = Duration::hours(1);

/// See the module.
#[derive(Debug, Clone)]
pub(super) struct Story {
    /// The first day known.
    first: Day,
    /// The days from it on, up to the last one with a check.
    days: Vec<Compact>,
    /// The hours of some days, in their order. They are few, and a map would make room for many.
    hours: Vec<(Day, [Compact; 24])>,
    /// The last check: all time before it is accounted for.
    last: Option<Sample>,
    /// The last slot that the worker had summed up, in epoch milliseconds; -1 for none.
    folded: i64,
    /// When all of it was read.
    read_at: DateTime<Utc>,
}

impl Story {
    /// One to be filled from the database, at `now`, with everything from the day `since` on. What is `known` and settled
    /// stays.
    pub(super) fn begin(known: Option<&Self>, since: Day, now: DateTime<Utc>) -> Self {
        let folded = known.map_or(-1, |known| known.folded);
        let (days, hours) = (Vec::new(), Vec::new());
        let mut story = Self {
            first: since,
            days,
            hours,
            last: None,
            folded,
            read_at: now,
        };
        if let Some(known) = known.filter(|known| known.first <= since) {
            // The first day that may still change in the database. The sums of earlier ones are whole.
            let settled = folded.div_euclid(DAY.num_milliseconds());
            story.first = known.first;
            story.days = known.days[..place(settled - known.first).min(known.days.len())].to_vec();
            let whole = known.hours.partition_point(|(day, _)| *day < settled);
            story.hours = known.hours[whole.saturating_sub(MAX_HOURS)..whole].to_vec();
        }
        story
    }

    /// Whether it tells of everything from the day `since` on and of the hours of the days `split`, once the checks after
    /// the last one are added.
    pub(super) fn goes_on(&self, since: Day, split: &BTreeSet<Day>, now: DateTime<Utc>) -> bool {
        self.first <= since
            && (now - self.read_at).abs() < LASTS
            // Later checks of a clock that was set back would not be later than this one.
            && !self.last.is_some_and(|last| is_in_future(last.slot, now))
            && split.iter().all(|day| self.hours_of(*day).is_some())
    }

    /// Where what is to be read of the days begins.
    pub(super) fn unread(&self) -> Day {
        self.first + Day::try_from(self.days.len()).unwrap_or(0)
    }

    /// The last slot that the worker had summed up when all was read, in epoch milliseconds; -1 for none.
    pub(super) const fn folded(&self) -> i64 {
        self.folded
    }

    /// The slot of the last check, in epoch milliseconds; -1 for none.
    pub(super) fn last(&self) -> i64 {
        self.last.map_or(-1, |last| last.slot.timestamp_millis())
    }

    /// How much it holds, in sums of 16 bytes.
    pub(super) const fn weight(&self) -> usize {
        // With what it takes beside them.
        16 + self.days.len() + 24 * self.hours.len()
    }

    /// What the worker has summed up of a day.
    pub(super) fn put_day(&mut self, start: DateTime<Utc>, tally: Tally) {
        if let Some(place) = self.place(day(start)) {
            self.days[place] = packed(tally);
        }
    }

    /// Makes room for the hours of a day; whether they are to be read, because they are not known.
    pub(super) fn put_hours(&mut self, day: Day) -> bool {
        let place = self.hours.binary_search_by_key(&day, |(day, _)| *day);
        if let Err(place) = place {
            self.hours.insert(place, (day, [Compact::default(); 24]));
        }
        place.is_err()
    }

    /// What the worker has summed up of an hour of one of those days.
    pub(super) fn put_hour(&mut self, start: DateTime<Utc>, tally: Tally) {
        if let Some(sum) = self.hour(start) {
            *sum = packed(tally);
        }
    }

    /// The last check that the worker has summed up.
    pub(super) fn put_folded(&mut self, last: Sample) {
        (self.folded, self.last) = (last.slot.timestamp_millis(), Some(last));
    }

    /// Adds the next check. One whose slot is not later than the last one's changes nothing.
    pub(super) fn push(&mut self, sample: Sample) {
        if let Some(last) = self.last {
            if sample.slot <= last.slot {
                return;
            }
            for (start, ms) in stretches(last.slot, last.until(sample.slot), HOUR) {
                let mut tally = Tally::default();
                tally.add(last.status, ms);
                let tally = packed(tally);
                if let Some(place) = self.place(day(start)) {
                    add(&mut self.days[place], tally);
                }
                if let Some(sum) = self.hour(start) {
                    add(sum, tally);
                }
            }
        }
        self.last = Some(sample);
    }

    fn hours_of(&self, day: Day) -> Option<&[Compact; 24]> {
        self.hours
            .iter()
            .find(|(known, _)| *known == day)
            .map(|(_, hours)| hours)
    }

    /// The sum of the hour that begins at or before `at`, on one of the days whose hours there are.
    fn hour(&mut self, at: DateTime<Utc>) -> Option<&mut Compact> {
        let (_, hours) = self.hours.iter_mut().find(|(known, _)| *known == day(at))?;
        Some(&mut hours[hour(at)])
    }

    /// Where a day stands; days up to it come into being. `None` for one before the first.
    fn place(&mut self, day: Day) -> Option<usize> {
        let place = usize::try_from(day - self.first).ok()?;
        if place >= self.days.len() {
            self.days.resize(place + 1, Compact::default());
        }
        Some(place)
    }

    /// The uptime from `from` on, a full hour on one of the days that were asked for.
    pub(super) fn uptime(&self, from: DateTime<Utc>, now: DateTime<Utc>) -> Uptime {
        let mut all = tally(self.last, from, now, now);
        let hours = self.hours_of(day(from)).filter(|_| floor(from, DAY) < from);
        let hours = hours.into_iter().flat_map(|hours| &hours[hour(from)..]);
        let days = self
            .days
            .iter()
            .skip(place(day(ceil(from, DAY)) - self.first));
        hours.chain(days).for_each(|sum| all.merge(&unpacked(*sum)));
        Uptime {
            tally: all,
            length: now - from,
        }
    }

    /// One day, as far as it has passed at `now`.
    pub(super) fn day(&self, number: Day, now: DateTime<Utc>) -> UptimeDay {
        let start = instant(ms(number));
        let sum = usize::try_from(number - self.first)
            .ok()
            .and_then(|place| self.days.get(place));
        let mut all = sum.map_or_else(Tally::default, |sum| unpacked(*sum));
        if self.last.is_some_and(|last| day(last.slot) <= number) {
            all.merge(&tally(self.last, start, start + DAY, now));
        }
        UptimeDay {
            date: start.date_naive(),
            uptime: Uptime {
                tally: all,
                length: DAY.min(now - start),
            },
        }
    }
}

pub(super) fn day(at: DateTime<Utc>) -> Day {
    at.timestamp_millis().div_euclid(DAY.num_milliseconds())
}

pub(super) fn ms(day: Day) -> i64 {
    day * DAY.num_milliseconds()
}

fn hour(at: DateTime<Utc>) -> usize {
    usize::try_from((at - floor(at, DAY)).num_hours()).unwrap_or(0)
}

/// So many days after the first; 0 for one before it.
fn place(days: Day) -> usize {
    usize::try_from(days).unwrap_or(0)
}

fn packed(tally: Tally) -> Compact {
    let Tally {
        up_ms,
        degraded_ms,
        down_ms,
        maintenance_ms,
    } = tally;
    // A day has 86,400,000 milliseconds.
    [up_ms, degraded_ms, down_ms, maintenance_ms].map(|ms| u32::try_from(ms).unwrap_or(u32::MAX))
}

fn unpacked(compact: Compact) -> Tally {
    let [up_ms, degraded_ms, down_ms, maintenance_ms] = compact.map(i64::from);
    Tally {
        up_ms,
        degraded_ms,
        down_ms,
        maintenance_ms,
    }
}

fn add(sum: &mut Compact, more: Compact) {
    sum.iter_mut()
        .zip(more)
        .for_each(|(sum, more)| *sum = sum.saturating_add(more));
}
