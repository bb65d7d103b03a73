//! A bounded cache whose entries expire after a TTL: saves the database a lookup for each request.

use chrono::{DateTime, Duration, Utc};
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Caches values for `ttl`.
#[derive(Debug)]
pub(super) struct TtlCache<K, V> {
    ttl: Duration,
    capacity: usize,
    entries: Mutex<Entries<K, V>>,
}

#[derive(Debug)]
struct Entries<K, V> {
    values: HashMap<K, (DateTime<Utc>, V)>,
    /// Counts invalidations.
    generation: u64,
}

/// The cache's generation when a lookup began.
#[derive(Debug, Clone, Copy)]
pub(super) struct Generation(u64);

impl<K: Eq + Hash, V: Clone> TtlCache<K, V> {
    pub(super) fn new(ttl: Duration, capacity: usize) -> Self {
        Self {
            ttl,
            capacity,
            entries: Mutex::new(Entries {
                values: HashMap::new(),
                generation: 0,
            }),
        }
    }

    pub(super) fn get(&self, key: &K, now: DateTime<Utc>) -> Option<V> {
        self.lock()
            .values
            .get(key)
            .filter(|(inserted, _)| self.is_fresh(*inserted, now))
            .map(|(_, value)| value.clone())
    }

    /// Returns the generation to pass to [`insert`](Self::insert). Call it before the lookup.
    pub(super) fn generation(&self) -> Generation {
        Generation(self.lock().generation)
    }

    /// Inserts a value, unless anything was invalidated since `generation`: the lookup may have
    /// read what has ended by now.
    pub(super) fn insert(&self, generation: Generation, key: K, value: V, now: DateTime<Utc>) {
        let mut entries = self.lock();
        if entries.generation != generation.0 {
            return;
        }
        let values = &mut entries.values;
        if values.len() >= self.capacity {
            values.retain(|_, (inserted, _)| self.is_fresh(*inserted, now));
            // All entries are fresh: clearing costs some lookups, while finding the oldest one
            // would cost every request.
            if values.len() >= self.capacity {
                values.clear();
            }
        }
        values.insert(key, (now, value));
    }

    pub(super) fn invalidate(&self, matches: impl Fn(&K, &V) -> bool) {
        let mut entries = self.lock();
        entries.generation += 1;
        entries
            .values
            .retain(|key, (_, value)| !matches(key, value));
    }

    fn is_fresh(&self, inserted: DateTime<Utc>, now: DateTime<Utc>) -> bool {
        // A clock that was set back must not keep an entry alive.
        (inserted..inserted + self.ttl).contains(&now)
    }

    fn lock(&self) -> MutexGuard<'_, Entries<K, V>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_000 + seconds, 0).unwrap()
    }

    #[test]
    fn a_value_is_cached_for_its_ttl_and_not_before_its_insertion() {
        let cache = TtlCache::new(Duration::seconds(5), 10);
        cache.insert(cache.generation(), "a", 1, at(0));
        for (seconds, cached) in [(0, Some(1)), (4, Some(1)), (5, None), (-1, None)] {
            assert_eq!(cache.get(&"a", at(seconds)), cached, "{seconds}");
        }
    }

    #[test]
    fn it_never_holds_more_than_its_capacity() {
        let cache = TtlCache::new(Duration::seconds(5), 10);
        for key in 0..1_000 {
            cache.insert(cache.generation(), key, key, at(0));
            assert!(cache.lock().values.len() <= 10);
            assert_eq!(cache.get(&key, at(1)), Some(key));
        }
    }

    #[test]
    fn an_invalidated_value_is_gone_at_once() {
        let cache = TtlCache::new(Duration::seconds(5), 10);
        cache.insert(cache.generation(), "a", 1, at(0));
        cache.insert(cache.generation(), "b", 2, at(0));
        cache.invalidate(|_, value| *value == 1);
        assert_eq!(
            (cache.get(&"a", at(0)), cache.get(&"b", at(0))),
            (None, Some(2))
        );
    }

    #[test]
    fn a_lookup_from_before_an_invalidation_is_not_cached() {
        let cache = TtlCache::new(Duration::seconds(5), 10);
        let generation = cache.generation();
        cache.invalidate(|key, _| *key == "a");
        cache.insert(generation, "a", 1, at(0));
        assert_eq!(cache.get(&"a", at(0)), None);
        cache.insert(cache.generation(), "a", 2, at(0));
        assert_eq!(cache.get(&"a", at(0)), Some(2));
    }
}
