//! The cache that all others are made of: moka's, with time as an argument and protection against
//! storing a value that was invalidated while it was loaded.

use chrono::{DateTime, Duration, Utc};
use moka::policy::EvictionPolicy;
use moka::sync::Cache;
use std::hash::Hash;
use std::sync::{PoisonError, RwLock};

/// Caches values for a time to live, in bounded memory. The least recently used are evicted first.
pub(crate) struct TtlCache<K, V> {
    ttl: Duration,
    entries: Cache<K, CacheEntry<V>>,
    /// Number of invalidations so far. Held for reading while a value is stored and for writing
    /// while values are invalidated, so that neither happens in the middle of the other.
    generation: RwLock<u64>,
}

#[derive(Clone)]
struct CacheEntry<V> {
    value: V,
    weight: u32,
    loaded_at: DateTime<Utc>,
}

/// The generation in which a load began.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LoadTicket(u64);

impl<K, V> TtlCache<K, V>
where
    K: Eq + Hash + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// Returns an empty cache; `capacity` is the greatest sum of weights, 1 for each entry unless
    /// [`insert_many`](Self::insert_many) says otherwise.
    pub(crate) fn new(ttl: Duration, capacity: u64) -> Self {
        Self {
            ttl,
            entries: Cache::builder()
                .max_capacity(capacity)
                .weigher(|_, entry: &CacheEntry<V>| entry.weight)
                // `get` judges age by its argument; this frees memory.
                .time_to_live(ttl.to_std().unwrap_or_default())
                // The default policy may refuse a new entry, which then is loaded again and again.
                .eviction_policy(EvictionPolicy::lru())
                .build(),
            generation: RwLock::default(),
        }
    }

    pub(crate) fn get(&self, key: &K, now: DateTime<Utc>) -> Option<V> {
        self.entries
            .get(key)
            .filter(|entry| self.is_fresh(entry, now))
            .map(|entry| entry.value)
    }

    /// Call before loading a value that is then inserted.
    pub(crate) fn begin_load(&self) -> LoadTicket {
        LoadTicket(
            *self
                .generation
                .read()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }

    /// Stores a value, unless anything was invalidated since its load began: it may have been loaded
    /// before the change that the invalidation was about.
    pub(crate) fn insert(&self, ticket: LoadTicket, key: K, value: V, now: DateTime<Utc>) {
        self.insert_many(ticket, [(key, value, 1)], now);
    }

    /// As [`insert`](Self::insert), of entries with their weights.
    pub(crate) fn insert_many(
        &self,
        ticket: LoadTicket,
        entries: impl IntoIterator<Item = (K, V, u32)>,
        now: DateTime<Utc>,
    ) {
        let generation = self
            .generation
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        if *generation != ticket.0 {
            return;
        }
        for (key, value, weight) in entries {
            let entry = CacheEntry {
                value,
                weight,
                loaded_at: now,
            };
            self.entries.insert(key, entry);
        }
        // Evicts at once: by itself moka lets the weight exceed the capacity for a while.
        self.entries.run_pending_tasks();
    }

    /// Removes an entry that is about to be replaced. Unlike an invalidation it does not concern
    /// loads that have begun.
    pub(crate) fn remove(&self, key: &K) {
        self.entries.invalidate(key);
    }

    /// Removes the entries that `is_invalid` holds for.
    pub(crate) fn invalidate_if(&self, is_invalid: impl Fn(&K, &V) -> bool) {
        let mut generation = self
            .generation
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *generation += 1;
        for (key, entry) in &self.entries {
            if is_invalid(&key, &entry.value) {
                self.entries.invalidate(&*key);
            }
        }
    }

    /// Removes the oldest entries of `group` until they weigh at most `max_weight`.
    pub(crate) fn shrink_group(&self, max_weight: u64, is_in_group: impl Fn(&K) -> bool) {
        let mut group: Vec<_> = self
            .entries
            .iter()
            .filter(|(key, _)| is_in_group(key))
            .collect();
        let mut weight: u64 = group.iter().map(|(_, entry)| u64::from(entry.weight)).sum();
        group.sort_unstable_by_key(|(_, entry)| entry.loaded_at);
        for (key, entry) in group {
            if weight <= max_weight {
                break;
            }
            weight -= u64::from(entry.weight);
            self.entries.invalidate(&*key);
        }
    }

    fn is_fresh(&self, entry: &CacheEntry<V>, now: DateTime<Utc>) -> bool {
        // A clock that was set back must not keep anything alive.
        (entry.loaded_at..entry.loaded_at + self.ttl).contains(&now)
    }

    #[cfg(test)]
    pub(crate) fn weight(&self) -> u64 {
        self.entries.weighted_size()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_000 + seconds, 0).unwrap()
    }

    fn cache<K: Eq + Hash + Send + Sync + 'static>() -> TtlCache<K, i32> {
        TtlCache::new(Duration::seconds(5), 10)
    }

    #[test]
    fn a_value_is_cached_for_its_ttl_and_not_before_it_was_loaded() {
        let cache = cache();
        cache.insert(cache.begin_load(), "a", 1, at(0));
        for (seconds, expected) in [(0, Some(1)), (4, Some(1)), (5, None), (-1, None)] {
            assert_eq!(cache.get(&"a", at(seconds)), expected, "{seconds}");
        }
    }

    #[test]
    fn it_never_exceeds_its_capacity_and_keeps_the_newest() {
        let cache = cache();
        for key in 0..1_000 {
            cache.insert(cache.begin_load(), key, key, at(0));
            assert!(cache.weight() <= 10);
            assert_eq!(cache.get(&key, at(1)), Some(key));
        }
        for key in 0..100 {
            cache.insert_many(cache.begin_load(), [(key, key, 4)], at(0));
            assert!(cache.weight() <= 10);
        }
    }

    #[test]
    fn what_is_invalidated_is_gone_at_once() {
        let cache = cache();
        cache.insert(cache.begin_load(), "a", 1, at(0));
        cache.insert(cache.begin_load(), "b", 2, at(0));
        cache.invalidate_if(|_, value| *value == 1);
        assert_eq!(cache.get(&"a", at(0)), None);
        assert_eq!(cache.get(&"b", at(0)), Some(2));
    }

    #[test]
    fn a_value_loaded_before_an_invalidation_is_not_stored_after_it() {
        let cache = cache();
        let before = cache.begin_load();
        cache.invalidate_if(|key, _| *key == "a");
        cache.insert(before, "a", 1, at(0));
        assert_eq!(cache.get(&"a", at(0)), None);
        cache.insert(cache.begin_load(), "a", 2, at(0));
        assert_eq!(cache.get(&"a", at(0)), Some(2));
    }

    /// Threads that load and invalidate at the same time: what was read before the last
    /// invalidation is never left behind.
    #[test]
    fn no_invalidated_value_survives_threads_that_load_it() {
        use std::sync::atomic::{AtomicI32, Ordering};
        let cache = cache();
        let truth = AtomicI32::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..2_000 {
                        let ticket = cache.begin_load();
                        let loaded = truth.load(Ordering::SeqCst);
                        cache.insert(ticket, "a", loaded, at(0));
                    }
                });
            }
            scope.spawn(|| {
                for value in 1..=500 {
                    truth.store(value, Ordering::SeqCst);
                    cache.invalidate_if(|_, _| true);
                    let cached = cache.get(&"a", at(0));
                    assert!(cached.is_none_or(|cached| cached == value), "{cached:?}");
                }
            });
        });
    }

    #[test]
    fn a_group_loses_its_oldest_entries_first() {
        let cache = cache();
        for key in 0..6 {
            cache.insert(cache.begin_load(), key, key, at(key.into()));
        }
        cache.shrink_group(2, |key| key % 2 == 0);
        let left: Vec<_> = (0..6)
            .filter(|key| cache.get(key, at(4)).is_some())
            .collect();
        assert_eq!(left, [1, 2, 3, 4]);
    }
}
