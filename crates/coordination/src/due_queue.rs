//! The due queue in memory, as plain data: time is an argument, in milliseconds. The Lua scripts
//! in `redis/` do the same to a sorted set.

use std::collections::{BTreeSet, HashMap};
use uuid::Uuid;

/// Holds each service at most once, ordered by (due time, id).
#[derive(Debug, Default)]
pub(crate) struct DueQueue {
    times: HashMap<Uuid, i64>,
    order: BTreeSet<(i64, Uuid)>,
}

impl DueQueue {
    pub(crate) fn len(&self) -> usize {
        self.times.len()
    }

    /// Returns the earliest due time or end of a lease.
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

    /// Claims up to `limit` services that are due at `now`: each is next due at `lease_until`.
    /// Returns their previous due times.
    pub(crate) fn claim(&mut self, limit: usize, now: i64, lease_until: i64) -> Vec<(Uuid, i64)> {
        let due: Vec<_> = self
            .order
            .iter()
            .take_while(|(due, _)| *due <= now)
            .take(limit)
            .map(|(due, id)| (*id, *due))
            .collect();
        for (service, _) in &due {
            self.set(*service, lease_until);
        }
        due
    }

    /// Sets the next due time of `service` if its present one is `lease_until`.
    pub(crate) fn replace(&mut self, service: Uuid, lease_until: i64, next: i64) -> bool {
        let valid = self.times.get(&service) == Some(&lease_until);
        if valid {
            self.set(service, next);
        }
        valid
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Debug, Clone)]
    enum Step {
        Set(u8, i64),
        Add(u8, i64),
        Remove(u8),
        Claim {
            limit: usize,
            lease: i64,
        },
        Replace(u8, i64, i64),
        /// Replaces with the actual due time as the lease.
        Complete(u8, i64),
        Wait(i64),
    }

    fn step() -> impl Strategy<Value = Step> {
        let (id, time) = (|| 0u8..8, || 0i64..60);
        prop_oneof![
            (id(), time()).prop_map(|(id, due)| Step::Set(id, due)),
            (id(), time()).prop_map(|(id, due)| Step::Add(id, due)),
            id().prop_map(Step::Remove),
            (0usize..5, 1i64..20).prop_map(|(limit, lease)| Step::Claim { limit, lease }),
            (id(), time(), time()).prop_map(|(id, lease, next)| Step::Replace(id, lease, next)),
            (id(), time()).prop_map(|(id, next)| Step::Complete(id, next)),
            (0i64..10).prop_map(Step::Wait),
        ]
    }

    proptest! {
        /// The model is a plain list that is sorted at each claim.
        #[test]
        fn queue_behaves_like_a_sorted_list(steps in prop::collection::vec(step(), 1..200)) {
            let (mut queue, mut list, mut now) = (DueQueue::default(), Vec::<(i64, Uuid)>::new(), 0);
            let service = |id: u8| Uuid::from_u128(id.into());
            for step in steps {
                match step {
                    Step::Set(id, due) => {
                        queue.set(service(id), due);
                        list.retain(|(_, known)| *known != service(id));
                        list.push((due, service(id)));
                    }
                    Step::Add(id, due) => {
                        queue.add(service(id), due);
                        if list.iter().all(|(_, known)| *known != service(id)) {
                            list.push((due, service(id)));
                        }
                    }
                    Step::Remove(id) => {
                        queue.remove(service(id));
                        list.retain(|(_, known)| *known != service(id));
                    }
                    Step::Claim { limit, lease } => {
                        list.sort();
                        let mut expected = Vec::new();
                        for entry in list.iter_mut().filter(|(due, _)| *due <= now).take(limit) {
                            expected.push((entry.1, entry.0));
                            entry.0 = now + lease;
                        }
                        prop_assert_eq!(queue.claim(limit, now, now + lease), expected);
                    }
                    Step::Replace(id, lease_until, next) => {
                        let entry = list.iter_mut().find(|entry| **entry == (lease_until, service(id)));
                        prop_assert_eq!(queue.replace(service(id), lease_until, next), entry.is_some());
                        if let Some(entry) = entry {
                            entry.0 = next;
                        }
                    }
                    Step::Complete(id, next) => {
                        if let Some(entry) = list.iter_mut().find(|(_, known)| *known == service(id)) {
                            prop_assert!(queue.replace(service(id), entry.0, next));
                            entry.0 = next;
                        }
                    }
                    Step::Wait(time) => now += time,
                }
                prop_assert_eq!(queue.len(), list.len());
                prop_assert_eq!(queue.next(), list.iter().map(|(due, _)| *due).min());
                prop_assert_eq!(queue.order.len(), queue.times.len());
            }
        }
    }
}
