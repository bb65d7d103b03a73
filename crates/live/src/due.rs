//! The due queue in memory, as plain data: time is an argument, in milliseconds. The scripts beside `redis.rs` do the
//! same to a sorted set.

use std::collections::{BTreeSet, HashMap};
use uuid::Uuid;

/// Each service at most once, in the order of (due time, id).
#[derive(Debug, Default)]
pub(crate) struct DueQueue {
    times: HashMap<Uuid, i64>,
    order: BTreeSet<(i64, Uuid)>,
}

impl DueQueue {
    pub(crate) fn len(&self) -> usize {
        self.times.len()
    }

    /// The earliest due time or end of a lease.
    pub(crate) fn next(&self) -> Option<i64> {
        self.order.first().map(|(due, _)| *due)
    }

    pub(crate) fn set(&mut self, service: Uuid, due: i64) {
        if let Some(before) = self.times.insert(service, due) {
            self.order.remove(&(before, service));
        }
        self.order.insert((due, service));
    }

    pub(crate) fn add(&mut self, service: Uuid, due: i64) {
        if !self.times.contains_key(&service) {
            self.set(service, due);
        }
    }

    pub(crate) fn remove(&mut self, service: Uuid) {
        if let Some(due) = self.times.remove(&service) {
            self.order.remove(&(due, service));
        }
    }

    /// Takes up to `limit` services that are due at `now`, with their due times; each is due at `lease_until` then.
    pub(crate) fn claim(&mut self, limit: usize, now: i64, lease_until: i64) -> Vec<(Uuid, i64)> {
        let due: Vec<_> =
            self.order.iter().take_while(|(due, _)| *due <= now).take(limit).map(|(due, id)| (*id, *due)).collect();
        for (service, _) in &due {
            self.set(*service, lease_until);
        }
        due
    }

    /// Sets when `service` is due next if it still stands at `lease_until`.
    pub(crate) fn replace(&mut self, service: Uuid, lease_until: i64, next: i64) -> bool {
        let valid = self.times.get(&service) == Some(&lease_until);
        if valid {
            self.set(service, next);
        }
        valid
    }
}
