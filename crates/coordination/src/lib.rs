//! What the processes of PulseCheck share besides the database: the due queue, a cache of
//! statuses, events, and the registry of running workers.
//!
//! Everything here is a copy and may vanish at any moment. The database is the source of truth:
//! an empty queue is rebuilt, a status that is not cached is read from the database, and missed
//! events are made up for by a refetch. Knows nothing of the database, of probes or of GraphQL.

mod claim;
mod due_queue;
mod error;
mod event;
mod fan_out;
mod lease;
mod memory;
mod redis;
mod status_cache;
mod worker;

pub use claim::{Claim, Claimed};
pub use error::{CoordinationError, WriteRefusal};
pub use event::{Event, ServiceChange};
pub use fan_out::{Events, Missed};
pub use memory::Memory;
pub use redis::Redis;
pub use status_cache::{CachedStatus, CurrentStatus};
pub use worker::{Worker, WorkerPresence};

use chrono::{DateTime, Utc};
use error::Result;
use futures::future::BoxFuture;
use redis::EventFilter;
use std::time::Duration;
use uuid::Uuid;

/// Default prefix of all keys and topics in Redis.
pub const DEFAULT_PREFIX: &str = "pulsecheck:";

/// Coordinates processes. Clones share it; with Redis several processes do.
///
/// A method that fails does so within about two seconds, and at once while Redis is known to be
/// away. A failure costs freshness only: nothing has to be undone. Redis is used again within
/// about a second of its return.
///
/// All instants are whole milliseconds; finer ones are cut off.
#[derive(Debug, Clone)]
pub enum Coordination {
    /// Within this process only.
    Memory(Memory),
    /// In a Redis server, for any number of processes.
    Redis(Redis),
}

/// Calls a method of the backend in use. Memory never fails and never waits.
macro_rules! dispatch {
    ($coordination:expr, $method:ident($($argument:expr),*)) => {
        match $coordination {
            Coordination::Memory(memory) => {
                let answer = memory.$method($($argument),*);
                Ok(answer)
            }
            Coordination::Redis(redis) => redis.$method($($argument),*).await,
        }
    };
}

impl Coordination {
    /// Creates an empty one within this process.
    #[must_use]
    pub fn memory() -> Self {
        Self::Memory(Memory::new())
    }

    /// Connects to the Redis server at `url`, such as `rediss://user:password@host:6379/0`.
    ///
    /// # Errors
    /// Fails when `url` is invalid, or no Redis answers there within a few seconds. No error ever
    /// contains the password.
    pub async fn connect(url: &str) -> Result<Self> {
        Self::connect_with_prefix(url, DEFAULT_PREFIX).await
    }

    /// Like [`Coordination::connect`], with keys and topics that begin with `prefix`, so that
    /// several installations can use one Redis.
    ///
    /// # Errors
    /// As [`Coordination::connect`].
    pub async fn connect_with_prefix(url: &str, prefix: &str) -> Result<Self> {
        Self::connect_with_filter(url, prefix, EventFilter::All).await
    }

    /// Like [`Coordination::connect`], but receives no events except [`Event::ServiceChanged`], so
    /// that a worker does not pay for the checks of all other workers.
    ///
    /// # Errors
    /// As [`Coordination::connect`].
    pub async fn connect_for_changes(url: &str) -> Result<Self> {
        Self::connect_with_filter(url, DEFAULT_PREFIX, EventFilter::ServiceChanges).await
    }

    fn connect_with_filter<'a>(
        url: &'a str,
        prefix: &'a str,
        filter: EventFilter,
    ) -> BoxFuture<'a, Result<Self>> {
        Box::pin(async move { Redis::connect(url, prefix, filter).await.map(Self::Redis) })
    }

    /// Checks that the backend answers.
    ///
    /// # Errors
    /// Fails when it does not.
    pub async fn ping(&self) -> Result<()> {
        dispatch!(self, ping())
    }

    /// Returns the time by which due times are judged: that of Redis, because the clocks of
    /// workers may differ.
    ///
    /// # Errors
    /// Fails when Redis cannot be reached.
    pub async fn now(&self) -> Result<DateTime<Utc>> {
        dispatch!(self, now())
    }
}

/// The due queue: every service at most once, with its next due time. A claimed service stays in
/// the queue, due at the end of its lease. Vendor pages are queued the same way, by their own ids.
impl Coordination {
    /// Sets due times, whether the services are queued or not. The last one given for a service
    /// counts. Voids an outstanding claim of the service.
    ///
    /// # Errors
    /// Fails when Redis cannot be reached or refuses.
    pub async fn schedule(&self, dues: &[(Uuid, DateTime<Utc>)]) -> Result<()> {
        dispatch!(self, schedule(dues))
    }

    /// Adds the services that are not queued and leaves the others as they are.
    ///
    /// # Errors
    /// Fails when Redis cannot be reached or refuses.
    pub async fn ensure(&self, dues: &[(Uuid, DateTime<Utc>)]) -> Result<()> {
        dispatch!(self, ensure(dues))
    }

    /// Removes services from the queue. Voids outstanding claims of them.
    ///
    /// # Errors
    /// Fails when Redis cannot be reached or refuses.
    pub async fn remove(&self, services: &[Uuid]) -> Result<()> {
        dispatch!(self, remove(services))
    }

    /// Claims up to `limit` due services, the longest overdue first. Nobody else gets them until
    /// `lease` ends. A `limit` of 0 only looks.
    ///
    /// # Errors
    /// Fails when Redis cannot be reached or refuses. Services may have been claimed if only the
    /// answer was lost; they become due again at the end of the lease. A claim that Redis runs
    /// after the caller has given up claims nothing.
    pub async fn claim(&self, limit: usize, lease: Duration) -> Result<Claimed> {
        dispatch!(self, claim(limit, lease))
    }

    /// Ends claims and sets the next due time of each service. A void claim (the service was
    /// rescheduled or removed, or the lease ended and another worker claimed it) changes nothing.
    ///
    /// Returns how many were not void.
    ///
    /// # Errors
    /// Fails when Redis cannot be reached or refuses; the claims then end with their leases.
    pub async fn complete(&self, claims: &[(Claim, DateTime<Utc>)]) -> Result<usize> {
        dispatch!(self, complete(claims))
    }

    /// Gives claims back: each service gets the due time that it had.
    ///
    /// # Errors
    /// As [`Coordination::complete`].
    pub async fn release(&self, claims: &[Claim]) -> Result<usize> {
        let claims: Vec<_> = claims.iter().map(|claim| (*claim, claim.due)).collect();
        self.complete(&claims).await
    }

    /// Extends a claim to `lease` from now. Returns `false` and changes nothing when it is void.
    ///
    /// # Errors
    /// Fails when Redis cannot be reached or refuses; the present lease then holds.
    pub async fn extend(&self, claim: &mut Claim, lease: Duration) -> Result<bool> {
        let extended: Option<DateTime<Utc>> = dispatch!(self, extend(claim, lease))?;
        if let Some(lease_until) = extended {
            claim.lease_until = lease_until;
        }
        Ok(extended.is_some())
    }

    /// Marks the queue as complete: [`Claimed::built`] is true until Redis loses the queue.
    ///
    /// # Errors
    /// Fails when Redis cannot be reached or refuses.
    pub async fn mark_built(&self) -> Result<()> {
        dispatch!(self, mark_built())
    }

    /// Counts the queued services, including claimed ones.
    ///
    /// # Errors
    /// Fails when Redis cannot be reached.
    pub async fn queue_len(&self) -> Result<usize> {
        dispatch!(self, queue_len())
    }

    /// Waits until this process schedules something, so that its scheduler need not sleep until
    /// the next due time that it knew of. Schedules made by other processes are not noticed: poll,
    /// or listen to [`Event::ServiceChanged`], in addition. Supports one waiter; a change that
    /// nobody waited for ends the next wait at once.
    pub async fn due_changed(&self) {
        match self {
            Self::Memory(memory) => memory.due_changed().await,
            Self::Redis(redis) => redis.due_changed().await,
        }
    }
}

/// The status cache: the current status of each service, for fast reads.
impl Coordination {
    /// Caches statuses. One with a later slot is never replaced by one with an earlier slot.
    ///
    /// # Errors
    /// Fails when Redis cannot be reached or refuses.
    pub async fn cache_statuses(&self, statuses: &[CachedStatus]) -> Result<()> {
        dispatch!(self, cache_statuses(statuses))
    }

    /// Returns the cached status of each of `services`, in their order; `None` for a miss.
    ///
    /// # Errors
    /// Fails when Redis cannot be reached.
    pub async fn cached_statuses(&self, services: &[Uuid]) -> Result<Vec<Option<CachedStatus>>> {
        dispatch!(self, cached_statuses(services))
    }

    /// Evicts services from the cache.
    ///
    /// # Errors
    /// Fails when Redis cannot be reached.
    pub async fn evict_statuses(&self, services: &[Uuid]) -> Result<()> {
        dispatch!(self, evict_statuses(services))
    }
}

/// Events between all processes.
impl Coordination {
    /// Publishes events to every subscriber, in this process too. Those of one call arrive in
    /// their order.
    ///
    /// # Errors
    /// Fails when Redis cannot be reached; subscribers may have received them even so.
    pub async fn publish(&self, events: &[Event]) -> Result<()> {
        dispatch!(self, publish(events))
    }

    /// Subscribes to all events that this process receives, or [`Missed`] in place of lost ones.
    /// Cheap: Redis sees one subscription per process.
    #[must_use]
    pub fn subscribe(&self) -> Events {
        match self {
            Self::Memory(memory) => memory.subscribe(),
            Self::Redis(redis) => redis.subscribe(),
        }
    }

    /// Like [`Coordination::subscribe`], but only to the events of one workspace. The events of others
    /// do not wake this receiver.
    #[must_use]
    pub fn subscribe_to(&self, workspace_id: Uuid) -> Events {
        match self {
            Self::Memory(memory) => memory.subscribe_to(workspace_id),
            Self::Redis(redis) => redis.subscribe_to(workspace_id),
        }
    }
}

/// The registry of running workers.
impl Coordination {
    /// Registers a worker, or renews its registration, for `ttl` from now.
    ///
    /// # Errors
    /// Fails when Redis cannot be reached or refuses.
    pub async fn register_worker(&self, worker: &Worker, ttl: Duration) -> Result<()> {
        dispatch!(self, register_worker(worker, ttl))
    }

    /// Removes a worker from the registry.
    ///
    /// # Errors
    /// Fails when Redis cannot be reached; the registration then ends with its TTL.
    pub async fn deregister_worker(&self, worker: Uuid) -> Result<()> {
        dispatch!(self, deregister_worker(worker))
    }

    /// Returns the registered workers in the order of their start.
    ///
    /// # Errors
    /// Fails when Redis cannot be reached.
    pub async fn workers(&self) -> Result<Vec<WorkerPresence>> {
        dispatch!(self, workers())
    }
}
