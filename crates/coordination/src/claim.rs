//! What a worker gets from the due queue.

use chrono::{DateTime, Utc};
use uuid::Uuid;

/// The right to check one service, or to poll one vendor page that services follow, until the lease is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Claim {
    /// The service or the page.
    pub service_id: Uuid,
    /// When it was due.
    pub due: DateTime<Utc>,
    /// When others may claim it. It also tells this claim from any other of the same service.
    pub lease_until: DateTime<Utc>,
}

/// The answer to one claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    /// The services claimed, due longest first.
    pub claims: Vec<Claim>,
    /// The queue's own time at the claim.
    pub now: DateTime<Utc>,
    /// When the next service is due, or the next lease ends; not after `now` when the limit cut the claim short.
    /// `None` when nothing is queued.
    pub next_due: Option<DateTime<Utc>>,
    /// Whether the queue holds every service that it should. If not (it is new, or Redis lost it), rebuild it from the
    /// database with [`Live::ensure`](crate::Live::ensure), then call [`Live::mark_built`](crate::Live::mark_built).
    pub built: bool,
}
