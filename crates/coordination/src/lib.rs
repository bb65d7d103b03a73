//! What the processes of PulseCheck share besides the database: the due queue, the latest statuses, events, and who is
//! at work.
//!
//! All of it is a copy or a convenience. The database is the truth, and everything here may vanish at any moment: an
//! empty queue is rebuilt, a missing latest status is read from the database, a missed event is made up for by a
//! refetch. Knows nothing of the database, of probes or of GraphQL.

mod claim;
mod due;
mod error;
mod event;
mod latest;
mod memory;
mod redis;
mod worker;

pub use claim::{Claim, Claimed};
pub use error::LiveError;
pub use event::{Event, Events, Missed, ServiceChange};
pub use latest::{CurrentStatus, Latest};
pub use memory::Memory;
pub use redis::Redis;
pub use worker::{Present, Worker};

use chrono::{DateTime, Utc};
use redis::Hearing;
use std::time::Duration;
use uuid::Uuid;

/// What every key and channel in Redis begins with, unless told otherwise.
pub const DEFAULT_PREFIX: &str = "pulsecheck:";

type Result<T> = std::result::Result<T, LiveError>;

/// The live state. Clones share it. In Redis several processes share it too; in memory one process does.
///
/// An error means that the live state cannot be reached for the moment, within some two seconds: nothing is lost by it
/// but freshness, and nothing needs to be undone. Redis is used again within about a second of its return.
///
/// All instants are whole milliseconds; finer ones are cut off.
#[derive(Debug, Clone)]
pub enum Live {
    /// In this process alone.
    Memory(Memory),
    /// In a Redis server, for any number of processes.
    Redis(Redis),
}

/// Calls a method of either; memory's cannot fail and does not wait.
macro_rules! either {
    ($live:expr, $method:ident($($argument:expr),*)) => {
        match $live {
            Live::Memory(memory) => {
                let answer = memory.$method($($argument),*);
                Ok(answer)
            }
            Live::Redis(redis) => redis.$method($($argument),*).await,
        }
    };
}

impl Live {
    /// A new, empty live state in this process.
    #[must_use]
    pub fn memory() -> Self {
        Self::Memory(Memory::new())
    }

    /// Connects to the Redis server at `url`, as in `rediss://user:password@host:6379/0`.
    ///
    /// # Errors
    /// When `url` is not such an address, or no Redis answers there within a few seconds. No error ever shows the
    /// password.
    pub async fn connect(url: &str) -> Result<Self> {
        Self::connect_with_prefix(url, DEFAULT_PREFIX).await
    }

    /// As [`Live::connect`], with keys and channels that begin with `prefix`, so that several installations can use
    /// one Redis.
    ///
    /// # Errors
    /// As [`Live::connect`].
    pub async fn connect_with_prefix(url: &str, prefix: &str) -> Result<Self> {
        Self::connect_hearing(url, prefix, Hearing::Everything).await
    }

    /// As [`Live::connect`], but of all events only [`Event::ServiceChanged`] is heard: a worker among many need not pay
    /// for being told of every check of the others.
    ///
    /// # Errors
    /// As [`Live::connect`].
    pub async fn connect_for_changes(url: &str) -> Result<Self> {
        Self::connect_hearing(url, DEFAULT_PREFIX, Hearing::Changes).await
    }

    async fn connect_hearing(url: &str, prefix: &str, hearing: Hearing) -> Result<Self> {
        // Boxed: the client's own set-up is large, and this is done once.
        Box::pin(Redis::connect(url, prefix, hearing))
            .await
            .map(Self::Redis)
    }

    /// Whether the live state answers.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self) -> Result<()> {
        either!(self, ping())
    }

    /// The time by which dues are judged: Redis's own, so that the clocks of workers may differ.
    ///
    /// # Errors
    /// When the live state cannot be reached.
    pub async fn now(&self) -> Result<DateTime<Utc>> {
        either!(self, now())
    }
}

/// The due queue: each service at most once, with the time when it is due next. A claimed service stays in the queue,
/// due at the end of its lease. Vendor pages that services follow are queued in the same way, by their own ids.
impl Live {
    /// Sets when services are due, whether they are queued or not. Of a service given twice the last counts. A claim
    /// that is out for one of them is void.
    ///
    /// # Errors
    /// When the live state cannot be reached.
    pub async fn schedule(&self, dues: &[(Uuid, DateTime<Utc>)]) -> Result<()> {
        either!(self, schedule(dues))
    }

    /// Adds the services that are not queued and leaves the others as they are.
    ///
    /// # Errors
    /// When the live state cannot be reached.
    pub async fn ensure(&self, dues: &[(Uuid, DateTime<Utc>)]) -> Result<()> {
        either!(self, ensure(dues))
    }

    /// Takes services out of the queue. A claim that is out for one of them is void.
    ///
    /// # Errors
    /// When the live state cannot be reached.
    pub async fn remove(&self, services: &[Uuid]) -> Result<()> {
        either!(self, remove(services))
    }

    /// Claims up to `limit` due services, those due longest first. Nobody else gets them until `lease` is over.
    /// A `limit` of 0 only looks.
    ///
    /// # Errors
    /// When the live state cannot be reached. Services may have been claimed even so; they come back with their lease.
    pub async fn claim(&self, limit: usize, lease: Duration) -> Result<Claimed> {
        either!(self, claim(limit, lease))
    }

    /// Ends claims: each service is due next at the time given. Claims that are void (the service was rescheduled or
    /// removed meanwhile, or the lease ran out and another worker has it) change nothing.
    ///
    /// Returns how many were not void.
    ///
    /// # Errors
    /// When the live state cannot be reached; then the claims end with their leases.
    pub async fn complete(&self, claims: &[(Claim, DateTime<Utc>)]) -> Result<usize> {
        either!(self, complete(claims))
    }

    /// Gives claims back undone: each service is due again when it was.
    ///
    /// # Errors
    /// As [`Live::complete`].
    pub async fn release(&self, claims: &[Claim]) -> Result<usize> {
        let claims: Vec<_> = claims.iter().map(|claim| (*claim, claim.due)).collect();
        self.complete(&claims).await
    }

    /// Makes a claim last for `lease` from now. `false` when it is void; it is unchanged then.
    ///
    /// # Errors
    /// When the live state cannot be reached; the lease that the claim had holds.
    pub async fn extend(&self, claim: &mut Claim, lease: Duration) -> Result<bool> {
        let extended: Option<DateTime<Utc>> = either!(self, extend(claim, lease))?;
        if let Some(lease_until) = extended {
            claim.lease_until = lease_until;
        }
        Ok(extended.is_some())
    }

    /// Says that the queue holds every service that it should; from then on [`Claimed::built`] is true, until Redis
    /// loses the queue.
    ///
    /// # Errors
    /// When the live state cannot be reached.
    pub async fn mark_built(&self) -> Result<()> {
        either!(self, mark_built())
    }

    /// How many services are queued, claimed ones included.
    ///
    /// # Errors
    /// When the live state cannot be reached.
    pub async fn queue_len(&self) -> Result<usize> {
        either!(self, queue_len())
    }

    /// Waits until this process schedules something, so that its scheduler need not sleep until the next due time that
    /// it knew of. What other processes schedule is not seen: poll, or listen to [`Event::ServiceChanged`], besides.
    /// One waiter per live state; a change that nobody waited for ends the next wait at once.
    pub async fn due_changed(&self) {
        match self {
            Self::Memory(memory) => memory.due_changed().await,
            Self::Redis(redis) => redis.due_changed().await,
        }
    }
}

/// The latest status of each service, for fast reads.
impl Live {
    /// Stores statuses, each unless that of a later slot is known already.
    ///
    /// # Errors
    /// When the live state cannot be reached.
    pub async fn put_latest(&self, latest: &[Latest]) -> Result<()> {
        either!(self, put_latest(latest))
    }

    /// The latest status of each of `services`, in their order; `None` where none is known.
    ///
    /// # Errors
    /// When the live state cannot be reached.
    pub async fn latest(&self, services: &[Uuid]) -> Result<Vec<Option<Latest>>> {
        either!(self, latest(services))
    }

    /// Drops what is known of services.
    ///
    /// # Errors
    /// When the live state cannot be reached.
    pub async fn forget(&self, services: &[Uuid]) -> Result<()> {
        either!(self, forget(services))
    }
}

/// Events between all processes that share the live state.
impl Live {
    /// Tells every subscriber, in this process too. Those of one call arrive in their order.
    ///
    /// # Errors
    /// When the live state cannot be reached; subscribers may have been told even so.
    pub async fn publish(&self, events: &[Event]) -> Result<()> {
        either!(self, publish(events))
    }

    /// Every event from now on that is heard here, or [`Missed`] for those that were lost on the way. Cheap: however many
    /// subscribe in one process, Redis sees one subscription.
    #[must_use]
    pub fn subscribe(&self) -> Events {
        match self {
            Self::Memory(memory) => memory.subscribe(),
            Self::Redis(redis) => redis.subscribe(),
        }
    }

    /// As [`Live::subscribe`], but only the events of one workspace. Those of others cost this receiver nothing.
    #[must_use]
    pub fn subscribe_to(&self, workspace_id: Uuid) -> Events {
        match self {
            Self::Memory(memory) => memory.subscribe_to(workspace_id),
            Self::Redis(redis) => redis.subscribe_to(workspace_id),
        }
    }
}

/// Which workers there are.
impl Live {
    /// Says that a worker is at work, and will have said so again before `lasting` is over; otherwise it is listed no more.
    ///
    /// # Errors
    /// When the live state cannot be reached.
    pub async fn announce(&self, worker: &Worker, lasting: Duration) -> Result<()> {
        either!(self, announce(worker, lasting))
    }

    /// Says that a worker ends.
    ///
    /// # Errors
    /// When the live state cannot be reached; then it is listed for as long as it said last.
    pub async fn depart(&self, worker: Uuid) -> Result<()> {
        either!(self, depart(worker))
    }

    /// The workers that are at work, in the order in which they began.
    ///
    /// # Errors
    /// When the live state cannot be reached.
    pub async fn workers(&self) -> Result<Vec<Present>> {
        either!(self, workers())
    }
}

/// A lease as the queue keeps it: whole milliseconds, at least one, so that a claim never ends as it begins.
fn lease(lease: Duration) -> chrono::TimeDelta {
    let ms = i64::try_from(lease.as_millis())
        .unwrap_or(i64::MAX)
        .clamp(1, 1000 * 60 * 60 * 24 * 365);
    chrono::TimeDelta::milliseconds(ms)
}
