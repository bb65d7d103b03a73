//! What a limit remembers of each key: one number, in bounded memory. Knows nothing of time or quotas; `governor` does.

use governor::nanos::Nanos;
use governor::state::StateStore;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

/// When each key would have used up nothing, in `governor`'s terms: the later, the more was asked of late.
pub(super) struct Memory<K> {
    capacity: usize,
    used: Mutex<HashMap<K, Nanos>>,
}

impl<K: Eq + Hash> Memory<K> {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            capacity,
            used: Mutex::default(),
        }
    }
}

impl<K: Clone + Eq + Hash> StateStore for Memory<K> {
    type Key = K;

    fn measure_and_replace<T, F, E>(&self, key: &K, judge: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let (answer, now) = judge(used.get(key).copied())?;
        if used.insert(key.clone(), now).is_none() && used.len() > self.capacity {
            forget_some(&mut used);
        }
        Ok(answer)
    }
}

/// Forgets the quarter that asked least: those for whom it makes the least difference, and never somebody who is being
/// refused while others have hardly asked. A quarter, so that looking for them is seldom.
fn forget_some<K: Eq + Hash>(used: &mut HashMap<K, Nanos>) {
    let surplus = used.len() / 4 + 1;
    let mut times: Vec<Nanos> = used.values().copied().collect();
    let (before, limit, _) = times.select_nth_unstable(surplus - 1);
    let limit = *limit;
    // Of those that are equal to the limit only so many as belong to the quarter.
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
    fn it_never_holds_more_than_its_capacity_and_keeps_those_who_asked_most() {
        for same in [false, true] {
            let memory = Memory::new(100);
            for key in 0..10_000_u64 {
                let time = if same { 5 } else { key % 1_000 };
                let known = memory
                    .measure_and_replace(&key, |known| Ok::<_, ()>((known, Nanos::from(time))));
                assert_eq!(known, Ok(None));
                assert!(
                    (75..=100).contains(&memory.used.lock().unwrap().len()) || key < 100,
                    "{key}"
                );
            }
        }
        let memory = Memory::new(100);
        for key in 0..=100_u64 {
            memory
                .measure_and_replace(&key, |_| Ok::<_, ()>(((), Nanos::from(key))))
                .unwrap();
        }
        let used = memory.used.lock().unwrap();
        assert_eq!(used.len(), 75);
        assert!(
            (26..=100).all(|key| used.contains_key(&key)),
            "the last quarter and all between are kept"
        );
    }

    #[test]
    fn who_is_refused_is_not_written_down() {
        let memory = Memory::new(10);
        assert_eq!(
            memory.measure_and_replace(&1, |_| Err::<((), _), _>("no")),
            Err("no")
        );
        assert!(memory.used.lock().unwrap().is_empty());
    }
}
