//! What the status cache holds.

use chrono::{DateTime, Utc};
use domain::Status;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The current status of a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CurrentStatus {
    /// The confirmed status.
    pub status: Status,
    /// When the service entered it.
    pub since: DateTime<Utc>,
    /// When the last check was made.
    pub checked_at: DateTime<Utc>,
    /// Response time of the last check; `None` without a response.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_time_ms: Option<u32>,
    /// HTTP status code of the last check.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_code: Option<u16>,
    /// Why it is not up, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// A cache entry: the [`CurrentStatus`] of a service and the slot that it stems from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CachedStatus {
    /// The service.
    pub service_id: Uuid,
    /// Slot of the check, or of the change (such as a pause), that set the status. Later slots
    /// win.
    pub slot: DateTime<Utc>,
    /// The status.
    pub current: CurrentStatus,
}
