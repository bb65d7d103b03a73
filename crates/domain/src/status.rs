//! Statuses of services and types of incidents.

use serde::{Deserialize, Serialize};

/// Status of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Status {
    /// Responds as expected and fast enough.
    Up,
    /// Responds slower than its threshold, or its vendor reports degradation.
    Degraded,
    /// Does not respond as expected.
    Down,
    /// In maintenance that the vendor announced.
    Maintenance,
    /// Never checked, not checked recently, or the check could not be performed.
    Unknown,
}

impl Status {
    /// Every status, best first.
    pub const ALL: [Self; 5] = [
        Self::Up,
        Self::Maintenance,
        Self::Unknown,
        Self::Degraded,
        Self::Down,
    ];

    /// Returns the severity for sorting, from 0 for up to 4 for down.
    #[must_use]
    pub const fn severity(self) -> u8 {
        match self {
            Self::Up => 0,
            Self::Maintenance => 1,
            Self::Unknown => 2,
            Self::Degraded => 3,
            Self::Down => 4,
        }
    }

    /// Returns whether the service itself has a problem.
    #[must_use]
    pub const fn is_failure(self) -> bool {
        matches!(self, Self::Degraded | Self::Down)
    }

    /// Returns the display name, in lower case.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Degraded => "degraded",
            Self::Down => "down",
            Self::Maintenance => "maintenance",
            Self::Unknown => "unknown",
        }
    }
}

/// Type of an incident: the worst status it reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum IncidentType {
    /// The service was down at some time of the incident.
    Downtime,
    /// It was never worse than degraded.
    Degraded,
}

impl IncidentType {
    /// Returns the type of incident that `status` opens; `None` if it is not a failure.
    #[must_use]
    pub const fn of(status: Status) -> Option<Self> {
        match status {
            Status::Down => Some(Self::Downtime),
            Status::Degraded => Some(Self::Degraded),
            Status::Up | Status::Maintenance | Status::Unknown => None,
        }
    }
}
