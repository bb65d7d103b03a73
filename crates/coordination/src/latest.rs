//! The latest known status of a service.

use chrono::{DateTime, Utc};
use domain::Status;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What is known about a service now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CurrentStatus {
    /// The confirmed status.
    pub status: Status,
    /// Since when it holds.
    pub since: DateTime<Utc>,
    /// When the last check was made.
    pub checked_at: DateTime<Utc>,
    /// How long the last check took, when an answer came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_time_ms: Option<u32>,
    /// The HTTP status code of the last check, when one came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_code: Option<u16>,
    /// Why it is not up, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// [`CurrentStatus`] of one service, with the slot that it stems from: later slots win.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Latest {
    /// The service.
    pub service_id: Uuid,
    /// The slot of the check behind it, or of the change (a pause, say) that made it.
    pub slot: DateTime<Utc>,
    /// What is known.
    pub current: CurrentStatus,
}
