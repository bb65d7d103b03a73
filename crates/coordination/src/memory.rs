//! Coordination within one process.

use crate::claim::{Claim, Claimed};
use crate::due_queue::DueQueue;
use crate::event::Event;
use crate::fan_out::{Events, FanOut};
use crate::lease::whole_milliseconds;
use crate::status_cache::CachedStatus;
use crate::worker::{Worker, WorkerPresence, sort_by_start};
use chrono::{DateTime, SubsecRound, Utc};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::sync::Notify;
use uuid::Uuid;

/// The memory backend; clones share it.
#[derive(Debug, Clone)]
pub struct Memory {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    /// Never held across an await.
    state: Mutex<State>,
    events: FanOut,
    due_changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    due: DueQueue,
    built: bool,
    statuses: HashMap<Uuid, CachedStatus>,
    /// Each with the end of its registration.
    workers: HashMap<Uuid, (WorkerPresence, DateTime<Utc>)>,
}

impl Memory {
    pub(crate) fn new() -> Self {
        let shared = Shared {
            state: Mutex::default(),
            events: FanOut::new(),
            due_changed: Notify::new(),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    #[allow(clippy::unused_self, reason = "memory always answers")]
    pub(crate) const fn ping(&self) {}

    #[allow(clippy::unused_self, reason = "the clock is that of the process")]
    pub(crate) fn now(&self) -> DateTime<Utc> {
        Utc::now().trunc_subsecs(3)
    }

    pub(crate) fn schedule(&self, dues: &[(Uuid, DateTime<Utc>)]) {
        let mut state = self.state();
        for (service, due) in dues {
            state.due.set(*service, due.timestamp_millis());
        }
        self.shared.due_changed.notify_one();
    }

    pub(crate) fn ensure(&self, dues: &[(Uuid, DateTime<Utc>)]) {
        let mut state = self.state();
        for (service, due) in dues {
            state.due.add(*service, due.timestamp_millis());
        }
        self.shared.due_changed.notify_one();
    }

    pub(crate) fn remove(&self, services: &[Uuid]) {
        let mut state = self.state();
        for service in services {
            state.due.remove(*service);
        }
    }

    pub(crate) fn claim(&self, limit: usize, lease: Duration) -> Claimed {
        let mut state = self.state();
        // Read under the lock, so that time never goes backwards from one claim to the next.
        let now = self.now();
        let lease_until = now + whole_milliseconds(lease);
        let claims = state.due.claim(
            limit,
            now.timestamp_millis(),
            lease_until.timestamp_millis(),
        );
        let claims = claims.into_iter().map(|(service_id, due)| Claim {
            service_id,
            due: instant(due),
            lease_until,
        });
        Claimed {
            claims: claims.collect(),
            now,
            next_due: state.due.next().map(instant),
            built: state.built,
        }
    }

    pub(crate) fn complete(&self, claims: &[(Claim, DateTime<Utc>)]) -> usize {
        let mut state = self.state();
        let mut replace = |claim: &Claim, next: &DateTime<Utc>| {
            state.due.replace(
                claim.service_id,
                claim.lease_until.timestamp_millis(),
                next.timestamp_millis(),
            )
        };
        claims
            .iter()
            .filter(|(claim, next)| replace(claim, next))
            .count()
    }

    pub(crate) fn extend(&self, claim: &Claim, lease: Duration) -> Option<DateTime<Utc>> {
        let mut state = self.state();
        let until = self.now() + whole_milliseconds(lease);
        let before = claim.lease_until.timestamp_millis();
        state
            .due
            .replace(claim.service_id, before, until.timestamp_millis())
            .then_some(until)
    }

    pub(crate) fn mark_built(&self) {
        self.state().built = true;
    }

    pub(crate) fn queue_len(&self) -> usize {
        self.state().due.len()
    }

    pub(crate) async fn due_changed(&self) {
        self.shared.due_changed.notified().await;
    }

    pub(crate) fn cache_statuses(&self, statuses: &[CachedStatus]) {
        let mut state = self.state();
        for new in statuses {
            let cached = state.statuses.get(&new.service_id);
            if cached
                .is_none_or(|cached| cached.slot.timestamp_millis() <= new.slot.timestamp_millis())
            {
                state.statuses.insert(new.service_id, new.clone());
            }
        }
    }

    pub(crate) fn cached_statuses(&self, services: &[Uuid]) -> Vec<Option<CachedStatus>> {
        let state = self.state();
        services
            .iter()
            .map(|service| state.statuses.get(service).cloned())
            .collect()
    }

    pub(crate) fn evict_statuses(&self, services: &[Uuid]) {
        let mut state = self.state();
        for service in services {
            state.statuses.remove(service);
        }
    }

    pub(crate) fn publish(&self, events: &[Event]) {
        if self.shared.events.has_subscribers() {
            self.shared.events.send(events.iter().cloned());
        }
    }

    pub(crate) fn subscribe(&self) -> Events {
        self.shared.events.subscribe()
    }

    pub(crate) fn subscribe_to(&self, workspace: Uuid) -> Events {
        self.shared.events.subscribe_to(workspace)
    }

    pub(crate) fn register_worker(&self, worker: &Worker, ttl: Duration) {
        let mut state = self.state();
        let now = self.now();
        state.workers.retain(|_, (_, ends)| *ends > now);
        let ends = now + whole_milliseconds(ttl);
        state.workers.insert(
            worker.id,
            (
                WorkerPresence {
                    worker: worker.clone(),
                    last_seen_at: now,
                },
                ends,
            ),
        );
    }

    pub(crate) fn deregister_worker(&self, worker: Uuid) {
        self.state().workers.remove(&worker);
    }

    pub(crate) fn workers(&self) -> Vec<WorkerPresence> {
        let now = self.now();
        let state = self.state();
        let present = state
            .workers
            .values()
            .filter(|(_, ends)| *ends > now)
            .map(|(present, _)| present.clone());
        let mut workers: Vec<_> = present.collect();
        sort_by_start(&mut workers);
        workers
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared
            .state
            .lock()
            .expect("nothing panics while it holds the lock")
    }
}

fn instant(ms: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(ms).expect("the milliseconds were taken from an instant")
}
