//! What history no longer changes, remembered: the days and hours of each service before the last check that is summed
//! up. Of months then only the last hours are read. Knows nothing of statements and windows.

use domain::uptime::Tally;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A calendar day in UTC, counted from 1970.
pub(super) type Day = i64;

/// How many days are remembered of all services together, at 16 bytes each.
const CAPACITY: usize = 4_000_000;

/// Of how many days a service's hours are remembered: those in which a month and a quarter begin, today's and the last.
const MAX_HOURS: usize = 4;

/// The memory of one process.
#[derive(Debug, Default)]
pub struct Past(Mutex<Memory>);

#[derive(Debug, Default)]
struct Memory {
    services: HashMap<i32, Arc<Settled>>,
    days: usize,
}

/// What is settled of one service.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Settled {
    /// The first day known.
    first: Day,
    /// The days from it on.
    days: Vec<Compact>,
    /// Hours of some days.
    hours: BTreeMap<Day, [Compact; 24]>,
    /// The last slot that was summed up, in epoch milliseconds.
    pub(super) folded: i64,
}

/// A [`Tally`] of at most a day.
type Compact = [u32; 4];

impl Settled {
    /// The day after the last one known.
    pub(super) fn end(&self) -> Day {
        self.first + i64::try_from(self.days.len()).unwrap_or(0)
    }

    /// The days known from `since` on, which is not before the first.
    pub(super) fn days_since(&self, since: Day) -> impl Iterator<Item = Tally> {
        let skipped = usize::try_from(since - self.first).unwrap_or(0);
        self.days.iter().skip(skipped).map(unpacked)
    }

    /// The hours of a day, if they are known.
    pub(super) fn hours(&self, day: Day) -> Option<[Tally; 24]> {
        self.hours.get(&day).map(|hours| hours.each_ref().map(unpacked))
    }

    /// Whether there is nothing more to learn when the last folded check is at `folded`: all days before are known, and the
    /// hours of these.
    pub(super) fn is_all(&self, folded: i64, mut hours: impl Iterator<Item = Day>) -> bool {
        self.folded == folded && hours.all(|day| self.hours.contains_key(&day))
    }

    /// Learns the days from `since` on up to the last settled one.
    pub(super) fn learn_days(&mut self, since: Day, days: &[Tally]) {
        let known = usize::try_from(self.end() - since).ok().filter(|_| self.first <= since);
        match known {
            Some(known) => self.days.extend(days.iter().skip(known).map(packed)),
            // From an earlier day on, or from a day that does not follow on what is known.
            None => (self.first, self.days) = (since, days.iter().map(packed).collect()),
        }
    }

    /// Learns the hours of a settled day.
    pub(super) fn learn_hours(&mut self, day: Day, hours: &[Tally; 24]) {
        while self.hours.len() >= MAX_HOURS && !self.hours.contains_key(&day) {
            self.hours.pop_first();
        }
        self.hours.insert(day, hours.each_ref().map(packed));
    }
}

impl Past {
    /// What is known of each of these services, from the day `since` on at least.
    pub(super) fn of(&self, services: &[i32], since: Day) -> HashMap<i32, Arc<Settled>> {
        let memory = self.lock();
        let known = services.iter().filter_map(|number| Some((*number, memory.services.get(number)?)));
        known.filter(|(_, settled)| settled.first <= since).map(|(number, settled)| (number, settled.clone())).collect()
    }

    /// A slot before which every check of these services is summed up; `None` when that is not remembered of each. What is
    /// summed up only grows.
    pub(super) fn folded(&self, services: &[i32]) -> Option<i64> {
        let memory = self.lock();
        let mut oldest = None::<i64>;
        for number in services {
            let folded = memory.services.get(number)?.folded;
            oldest = Some(oldest.map_or(folded, |oldest| oldest.min(folded)));
        }
        oldest
    }

    /// Remembers.
    pub(super) fn learn(&self, services: impl IntoIterator<Item = (i32, Arc<Settled>)>) {
        let mut memory = self.lock();
        for (number, settled) in services {
            memory.days += settled.days.len();
            if let Some(before) = memory.services.insert(number, settled) {
                memory.days -= before.days.len();
            }
        }
        // Beginning again costs one long read of what is still asked for; finding the oldest would cost every read.
        if memory.days > CAPACITY {
            *memory = Memory::default();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Memory> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn packed(tally: &Tally) -> Compact {
    let Tally { up_ms, degraded_ms, down_ms, maintenance_ms } = *tally;
    // A day has 86,400,000 milliseconds.
    [up_ms, degraded_ms, down_ms, maintenance_ms].map(|ms| u32::try_from(ms).unwrap_or(u32::MAX))
}

fn unpacked(compact: &Compact) -> Tally {
    let [up_ms, degraded_ms, down_ms, maintenance_ms] = compact.map(i64::from);
    Tally { up_ms, degraded_ms, down_ms, maintenance_ms }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn up(ms: i64) -> Tally {
        Tally { up_ms: ms, ..Tally::default() }
    }

    fn known(settled: &Settled, since: Day) -> Vec<i64> {
        settled.days_since(since).map(|tally| tally.up_ms).collect()
    }

    #[test]
    fn days_are_learned_once_and_in_a_row() {
        let mut settled = Settled::default();
        settled.learn_days(100, &[up(1), up(2)]);
        assert_eq!((settled.end(), known(&settled, 100)), (102, vec![1, 2]));
        settled.learn_days(101, &[up(2), up(3)]);
        assert_eq!((settled.end(), known(&settled, 101)), (103, vec![2, 3]));
        settled.learn_days(100, &[up(1)]);
        assert_eq!(known(&settled, 100), [1, 2, 3]);
        settled.learn_days(98, &[up(8), up(9), up(1), up(2), up(3)]);
        assert_eq!((settled.end(), known(&settled, 98)), (103, vec![8, 9, 1, 2, 3]));
        // Days that do not follow: nobody asked for a while.
        settled.learn_days(110, &[up(7)]);
        assert_eq!((settled.first, settled.end(), known(&settled, 110)), (110, 111, vec![7]));
    }

    #[test]
    fn memory_is_bounded() {
        let mut settled = Settled::default();
        for day in 0..100 {
            settled.learn_hours(day, &[up(day); 24]);
        }
        assert_eq!((settled.hours.len(), settled.hours(99)), (MAX_HOURS, Some([up(99); 24])));
        settled.learn_days(0, &vec![up(1); 366]);
        let past = Past::default();
        for number in 0..20_000 {
            past.learn([(number, settled.clone().into())]);
            past.learn([(number, settled.clone().into())]);
        }
        let memory = past.lock();
        assert!(memory.days <= CAPACITY);
        assert_eq!(memory.days, memory.services.len() * 366);
    }

    #[test]
    fn who_wants_more_than_is_known_gets_nothing() {
        let mut settled = Settled::default();
        settled.learn_days(100, &[up(1)]);
        let past = Past::default();
        past.learn([(1, settled.clone().into())]);
        assert_eq!(past.of(&[1, 2], 100), HashMap::from([(1, settled.into())]));
        assert_eq!(past.of(&[1, 2], 99), HashMap::new());
    }
}
