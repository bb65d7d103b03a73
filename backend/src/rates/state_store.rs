//! Bounded in-memory state of a rate limit: one number per key. Times and quotas are `governor`'s.

use governor::nanos::Nanos;
use governor::state::StateStore;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

/// GCRA's theoretical arrival time of each key; the later, the more of its quota is used.
pub(super) struct BoundedStateStore<K> {
    capacity: usize,
    arrival_times: Mutex<HashMap<K, Nanos>>,
}

impl<K: Eq + Hash> BoundedStateStore<K> {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            capacity,
            arrival_times: Mutex::default(),
        }
    }
}

impl<K: Clone + Eq + Hash> StateStore for BoundedStateStore<K> {
    type Key = K;

    fn measure_and_replace<T, F, E>(&self, key: &K, judge: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let mut used = self
            .arrival_times
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let (answer, now) = judge(used.get(key).copied())?;
        if used.insert(key.clone(), now).is_none() && used.len() > self.capacity {
            evict_quarter(&mut used);
        }
        Ok(answer)
    }
}

/// Evicts the quarter of the keys that used least of their quota: they lose least by it, and a key
/// that is being refused stays. A quarter, so that eviction is rare.
fn evict_quarter<K: Eq + Hash>(used: &mut HashMap<K, Nanos>) {
    let surplus = used.len() / 4 + 1;
    let mut times: Vec<Nanos> = used.values().copied().collect();
    let (before, limit, _) = times.select_nth_unstable(surplus - 1);
    let limit = *limit;
    // Evict only as many of the keys at the limit as belong to the quarter.
    let mut equal = surplus - before.iter().filter(|time| **time < limit).count();
    used.retain(|_, time| {
        if *time == limit && equal > 0 {
            equal -= 1;
            return false;
        }
        *time >= limit
    });
    used.shrink_to_fit();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_never_exceeds_its_capacity_and_keeps_the_keys_that_used_most() {
        for same in [false, true] {
            let store = BoundedStateStore::new(100);
            for key in 0..10_000_u64 {
                let time = if same { 5 } else { key % 1_000 };
                let known = store
                    .measure_and_replace(&key, |known| Ok::<_, ()>((known, Nanos::from(time))));
                assert_eq!(known, Ok(None));
                assert!(
                    (75..=100).contains(&store.arrival_times.lock().unwrap().len()) || key < 100,
                    "{key}"
                );
            }
        }
        let store = BoundedStateStore::new(100);
        for key in 0..=100_u64 {
            store
                .measure_and_replace(&key, |_| Ok::<_, ()>(((), Nanos::from(key))))
                .unwrap();
        }
        let used = store.arrival_times.lock().unwrap();
        assert_eq!(used.len(), 75);
        assert!(
            (26..=100).all(|key| used.contains_key(&key)),
            "the last quarter and all between are kept"
        );
    }

    #[test]
    fn a_refused_key_is_not_stored() {
        let store = BoundedStateStore::new(10);
        assert_eq!(
            store.measure_and_replace(&1, |_| Err::<((), _), _>("no")),
            Err("no")
        );
        assert!(store.arrival_times.lock().unwrap().is_empty());
    }
}
