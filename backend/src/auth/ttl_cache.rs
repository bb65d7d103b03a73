//! What was learned a few seconds ago, in bounded memory: saves the database a look-up for each request.

use chrono::{DateTime, Duration, Utc};
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Values that are forgotten after a while.
#[derive(Debug)]
pub(super) struct Recent<K, V> {
    keep: Duration,
    capacity: usize,
    known: Mutex<Known<K, V>>,
}

#[derive(Debug)]
struct Known<K, V> {
    values: HashMap<K, (DateTime<Utc>, V)>,
    /// Of everything that was forgotten, by how many calls.
    forgotten: u64,
}

/// When a look-up began, in terms of what had been forgotten by then.
#[derive(Debug, Clone, Copy)]
pub(super) struct Since(u64);

impl<K: Eq + Hash, V: Clone> Recent<K, V> {
    pub(super) fn new(keep: Duration, capacity: usize) -> Self {
        Self {
            keep,
            capacity,
            known: Mutex::new(Known {
                values: HashMap::new(),
                forgotten: 0,
            }),
        }
    }

    pub(super) fn get(&self, key: &K, now: DateTime<Utc>) -> Option<V> {
        self.lock()
            .values
            .get(key)
            .filter(|(learned, _)| self.fresh(*learned, now))
            .map(|(_, value)| value.clone())
    }

    /// To be called before looking something up that is then [`put`](Self::put).
    pub(super) fn since(&self) -> Since {
        Since(self.lock().forgotten)
    }

    /// Remembers what was learned, unless anything was forgotten `since`: the look-up may have seen what is over by now.
    pub(super) fn put(&self, since: Since, key: K, value: V, now: DateTime<Utc>) {
        let mut known = self.lock();
        if known.forgotten != since.0 {
            return;
        }
        let values = &mut known.values;
        if values.len() >= self.capacity {
            values.retain(|_, (learned, _)| self.fresh(*learned, now));
            // Full of fresh ones: beginning again costs some look-ups, finding the oldest would cost each request.
            if values.len() >= self.capacity {
                values.clear();
            }
        }
        values.insert(key, (now, value));
    }

    pub(super) fn forget(&self, unwanted: impl Fn(&K, &V) -> bool) {
        let mut known = self.lock();
        known.forgotten += 1;
        known.values.retain(|key, (_, value)| !unwanted(key, value));
    }

    fn fresh(&self, learned: DateTime<Utc>, now: DateTime<Utc>) -> bool {
        // A clock that was set back must not keep anything alive.
        (learned..learned + self.keep).contains(&now)
    }

    fn lock(&self) -> MutexGuard<'_, Known<K, V>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_000 + seconds, 0).unwrap()
    }

    #[test]
    fn a_value_is_known_for_its_time_and_not_before_it_was_learned() {
        let recent = Recent::new(Duration::seconds(5), 10);
        recent.put(recent.since(), "a", 1, at(0));
        for (seconds, known) in [(0, Some(1)), (4, Some(1)), (5, None), (-1, None)] {
            assert_eq!(recent.get(&"a", at(seconds)), known, "{seconds}");
        }
    }

    #[test]
    fn it_never_holds_more_than_its_capacity() {
        let recent = Recent::new(Duration::seconds(5), 10);
        for key in 0..1_000 {
            recent.put(recent.since(), key, key, at(0));
            assert!(recent.lock().values.len() <= 10);
            assert_eq!(recent.get(&key, at(1)), Some(key));
        }
    }

    #[test]
    fn what_is_forgotten_is_gone_at_once() {
        let recent = Recent::new(Duration::seconds(5), 10);
        recent.put(recent.since(), "a", 1, at(0));
        recent.put(recent.since(), "b", 2, at(0));
        recent.forget(|_, value| *value == 1);
        assert_eq!(
            (recent.get(&"a", at(0)), recent.get(&"b", at(0))),
            (None, Some(2))
        );
    }

    #[test]
    fn what_was_looked_up_before_something_was_forgotten_is_not_remembered_after_it() {
        let recent = Recent::new(Duration::seconds(5), 10);
        let since = recent.since();
        recent.forget(|key, _| *key == "a");
        recent.put(since, "a", 1, at(0));
        assert_eq!(recent.get(&"a", at(0)), None);
        recent.put(recent.since(), "a", 2, at(0));
        assert_eq!(recent.get(&"a", at(0)), Some(2));
    }
}
