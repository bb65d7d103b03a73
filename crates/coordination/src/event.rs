//! Events that processes publish to each other.

use crate::status_cache::CurrentStatus;
use chrono::{DateTime, Utc};
use domain::Status;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Something that happened. Published after it is committed to the database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A check was recorded.
    StatusChecked {
        /// The workspace of the service.
        workspace_id: Uuid,
        /// The service.
        service_id: Uuid,
        /// The check's slot.
        slot: DateTime<Utc>,
        /// The confirmed status before; `None` at the first check.
        previous: Option<Status>,
        /// The status now.
        current: CurrentStatus,
        /// Whether the confirmed status changed.
        changed: bool,
    },
    /// An incident was opened, changed or resolved, or its timeline got another entry.
    IncidentChanged {
        /// The workspace of the service.
        workspace_id: Uuid,
        /// The service.
        service_id: Uuid,
        /// The incident.
        incident_id: Uuid,
    },
    /// A service's definition was changed, or the service was deleted.
    ServiceChanged {
        /// The workspace of the service.
        workspace_id: Uuid,
        /// The service.
        service_id: Uuid,
        /// What was changed.
        change: ServiceChange,
    },
}

/// A change of a service's definition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names say it")]
pub enum ServiceChange {
    Created,
    Updated,
    Paused,
    Resumed,
    Deleted,
}

impl Event {
    /// Returns the workspace of the event; only its members may see it.
    #[must_use]
    pub const fn workspace_id(&self) -> Uuid {
        match self {
            Self::StatusChecked { workspace_id, .. }
            | Self::IncidentChanged { workspace_id, .. }
            | Self::ServiceChanged { workspace_id, .. } => *workspace_id,
        }
    }

    /// Returns the service that the event is about.
    #[must_use]
    pub const fn service_id(&self) -> Uuid {
        match self {
            Self::StatusChecked { service_id, .. }
            | Self::IncidentChanged { service_id, .. }
            | Self::ServiceChanged { service_id, .. } => *service_id,
        }
    }
}
