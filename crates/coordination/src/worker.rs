//! Registered workers.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A worker process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Worker {
    /// New at each start of the process.
    pub id: Uuid,
    /// The machine or container that it runs on.
    pub host: String,
    /// The version of its program.
    pub version: String,
    /// When it started, by [`Coordination::now`](crate::Coordination::now).
    pub started_at: DateTime<Utc>,
}

/// A worker whose registration has not expired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkerPresence {
    /// The worker.
    pub worker: Worker,
    /// When it last registered, by [`Coordination::now`](crate::Coordination::now).
    pub last_seen_at: DateTime<Utc>,
}

/// Sorts workers by their start.
pub(crate) fn sort_by_start(workers: &mut [WorkerPresence]) {
    workers.sort_unstable_by_key(|present| (present.worker.started_at, present.worker.id));
}
