//! The live state of one process.

use crate::due::DueQueue;
use crate::event::FanOut;
use crate::{Claim, Claimed, Event, Events, Latest, Present, Worker, worker};
use chrono::{DateTime, SubsecRound, Utc};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::sync::Notify;
use uuid::Uuid;

/// The live state in memory; clones share it.
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
    latest: HashMap<Uuid, Latest>,
    /// Each until it is listed no more.
    workers: HashMap<Uuid, (Present, DateTime<Utc>)>,
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

    #[allow(clippy::unused_self, reason = "the queue's own time")]
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
        // Read under the lock, so that time never runs backwards from one claim to the next.
        let now = self.now();
        let lease_until = now + crate::lease(lease);
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
        let until = self.now() + crate::lease(lease);
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

    pub(crate) fn put_latest(&self, latest: &[Latest]) {
        let mut state = self.state();
        for new in latest {
            let known = state.latest.get(&new.service_id);
            if known
                .is_none_or(|known| known.slot.timestamp_millis() <= new.slot.timestamp_millis())
            {
                state.latest.insert(new.service_id, new.clone());
            }
        }
    }

    pub(crate) fn latest(&self, services: &[Uuid]) -> Vec<Option<Latest>> {
        let state = self.state();
        services
            .iter()
            .map(|service| state.latest.get(service).cloned())
            .collect()
    }

    pub(crate) fn forget(&self, services: &[Uuid]) {
        let mut state = self.state();
        for service in services {
            state.latest.remove(service);
        }
    }

    pub(crate) fn publish(&self, events: &[Event]) {
        if self.shared.events.anybody_listens() {
            self.shared.events.send(events.iter().cloned());
        }
    }

    pub(crate) fn subscribe(&self) -> Events {
        self.shared.events.subscribe()
    }

    pub(crate) fn subscribe_to(&self, workspace: Uuid) -> Events {
        self.shared.events.subscribe_to(workspace)
    }

    pub(crate) fn announce(&self, worker: &Worker, lasting: Duration) {
        let mut state = self.state();
        let heard_at = self.now();
        state.workers.retain(|_, (_, ends)| *ends > heard_at);
        let ends = heard_at + crate::lease(lasting);
        state.workers.insert(
            worker.id,
            (
                Present {
                    worker: worker.clone(),
                    heard_at,
                },
                ends,
            ),
        );
    }

    pub(crate) fn depart(&self, worker: Uuid) {
        self.state().workers.remove(&worker);
    }

    pub(crate) fn workers(&self) -> Vec<Present> {
        let now = self.now();
        let state = self.state();
        let present = state
            .workers
            .values()
            .filter(|(_, ends)| *ends > now)
            .map(|(present, _)| present.clone());
        let mut workers: Vec<_> = present.collect();
        worker::sort(&mut workers);
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
    DateTime::from_timestamp_millis(ms).expect("it was made from an instant")
}
