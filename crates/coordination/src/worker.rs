//! Workers that say that they are at work.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A process that makes checks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Worker {
    /// Another one after each start.
    pub id: Uuid,
    /// The machine or container that it runs on.
    pub host: String,
    /// That of its program.
    pub version: String,
    /// When it began, by the time of the live state.
    pub started_at: DateTime<Utc>,
}

/// A worker that is at work, as far as anybody knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Present {
    /// Who.
    pub worker: Worker,
    /// When it said so last, by the time of the live state.
    pub heard_at: DateTime<Utc>,
}

/// In the order in which they began.
pub(crate) fn sort(workers: &mut [Present]) {
    workers.sort_unstable_by_key(|present| (present.worker.started_at, present.worker.id));
}
