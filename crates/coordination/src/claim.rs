//! Claims of due services.

use chrono::{DateTime, Utc};
use uuid::Uuid;

/// The right to check one service, or to poll one vendor page, until the lease ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Claim {
    /// The service or the vendor page.
    pub service_id: Uuid,
    /// When it was due.
    pub due: DateTime<Utc>,
    /// When others may claim it. Distinguishes this claim from all others of the same service.
    pub lease_until: DateTime<Utc>,
}

/// The result of [`Coordination::claim`](crate::Coordination::claim).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    /// The claimed services, the longest overdue first.
    pub claims: Vec<Claim>,
    /// The time of the claim by the queue's own clock.
    pub now: DateTime<Utc>,
    /// When the next service is due or the next lease ends; not after `now` when the limit cut
    /// the claim short. `None` when nothing is queued.
    pub next_due: Option<DateTime<Utc>>,
    /// Whether the queue is complete. If not (it is new, or Redis lost it), rebuild it from the
    /// database with [`Coordination::ensure`](crate::Coordination::ensure), then call
    /// [`Coordination::mark_built`](crate::Coordination::mark_built).
    pub built: bool,
}
