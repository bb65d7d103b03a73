//! Coordination in a Redis server (6.2 or later): a sorted set of due times, a hash of cached
//! statuses, a hash of workers and two pub/sub topics. Every command and script touches one key.

mod clock;
mod commands;
mod connection;
mod events;
mod queue;
mod statuses;
mod subscription;
mod value;
mod workers;

use crate::claim::{Claim, Claimed};
use crate::error::Result;
use crate::event::Event;
use crate::fan_out::{Events, FanOut};
use crate::lease::whole_milliseconds;
use crate::status_cache::CachedStatus;
use crate::worker::{Worker, WorkerPresence};
use chrono::{DateTime, Utc};
use commands::Commands;
use events::Publisher;
use queue::Queue;
use statuses::StatusCache;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use subscription::Subscription;
use uuid::Uuid;
use workers::WorkerRegistry;

/// The events that a process receives.
#[derive(Debug, Clone, Copy)]
pub(crate) enum EventFilter {
    All,
    /// Only [`Event::ServiceChanged`].
    ServiceChanges,
}

/// The Redis backend; clones share its two connections.
#[derive(Clone)]
pub struct Redis {
    shared: Arc<Shared>,
}

struct Shared {
    commands: Commands,
    queue: Queue,
    statuses: StatusCache,
    publisher: Publisher,
    workers: WorkerRegistry,
    events: FanOut,
    _subscription: Subscription,
}

impl Redis {
    pub(crate) async fn connect(url: &str, prefix: &str, filter: EventFilter) -> Result<Self> {
        let config = connection::parse_url(url)?;
        let commands = Commands::connect(&config).await?;
        let publisher = Publisher::new(commands.clone(), prefix);
        let topic = match filter {
            EventFilter::All => publisher.all_topic(),
            EventFilter::ServiceChanges => publisher.changes_topic(),
        };
        let events = FanOut::new();
        let shared = Shared {
            queue: Queue::new(commands.clone(), prefix),
            statuses: StatusCache::new(commands.clone(), prefix),
            workers: WorkerRegistry::new(commands.clone(), prefix),
            _subscription: Subscription::start(&config, topic, events.clone()).await?,
            publisher,
            events,
            commands,
        };
        Ok(Self {
            shared: Arc::new(shared),
        })
    }

    pub(crate) async fn ping(&self) -> Result<()> {
        self.shared.commands.ping().await
    }

    pub(crate) async fn now(&self) -> Result<DateTime<Utc>> {
        value::instant("TIME", self.shared.commands.time_ms().await?)
    }

    pub(crate) async fn schedule(&self, dues: &[(Uuid, DateTime<Utc>)]) -> Result<()> {
        self.shared.queue.schedule(dues).await
    }

    pub(crate) async fn ensure(&self, dues: &[(Uuid, DateTime<Utc>)]) -> Result<()> {
        self.shared.queue.ensure(dues).await
    }

    pub(crate) async fn remove(&self, services: &[Uuid]) -> Result<()> {
        self.shared.queue.remove(services).await
    }

    pub(crate) async fn claim(&self, limit: usize, lease: Duration) -> Result<Claimed> {
        self.shared
            .queue
            .claim(limit, whole_milliseconds(lease))
            .await
    }

    pub(crate) async fn complete(&self, claims: &[(Claim, DateTime<Utc>)]) -> Result<usize> {
        self.shared.queue.complete(claims).await
    }

    pub(crate) async fn extend(
        &self,
        claim: &Claim,
        lease: Duration,
    ) -> Result<Option<DateTime<Utc>>> {
        self.shared
            .queue
            .extend(claim, whole_milliseconds(lease))
            .await
    }

    pub(crate) async fn mark_built(&self) -> Result<()> {
        self.shared.queue.mark_built().await
    }

    pub(crate) async fn queue_len(&self) -> Result<usize> {
        self.shared.queue.len().await
    }

    pub(crate) async fn due_changed(&self) {
        self.shared.queue.changed().await;
    }

    pub(crate) async fn cache_statuses(&self, statuses: &[CachedStatus]) -> Result<()> {
        self.shared.statuses.insert(statuses).await
    }

    pub(crate) async fn cached_statuses(
        &self,
        services: &[Uuid],
    ) -> Result<Vec<Option<CachedStatus>>> {
        self.shared.statuses.get(services).await
    }

    pub(crate) async fn evict_statuses(&self, services: &[Uuid]) -> Result<()> {
        self.shared.statuses.evict(services).await
    }

    pub(crate) async fn publish(&self, events: &[Event]) -> Result<()> {
        self.shared.publisher.publish(events).await
    }

    pub(crate) fn subscribe(&self) -> Events {
        self.shared.events.subscribe()
    }

    pub(crate) fn subscribe_to(&self, workspace: Uuid) -> Events {
        self.shared.events.subscribe_to(workspace)
    }

    pub(crate) async fn register_worker(&self, worker: &Worker, ttl: Duration) -> Result<()> {
        self.shared
            .workers
            .register(worker, whole_milliseconds(ttl))
            .await
    }

    pub(crate) async fn deregister_worker(&self, worker: Uuid) -> Result<()> {
        self.shared.workers.deregister(worker).await
    }

    pub(crate) async fn workers(&self) -> Result<Vec<WorkerPresence>> {
        self.shared.workers.list().await
    }
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The client is left out because it knows the password.
        f.debug_struct("Redis")
            .field("topic", &self.shared.publisher.all_topic())
            .finish_non_exhaustive()
    }
}
