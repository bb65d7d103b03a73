//! The closed vocabularies that every part of PulseCheck shares.

use serde::{Deserialize, Serialize};

/// What is known about a service at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Status {
    /// Answers as expected, fast enough.
    Up,
    /// Answers as expected, but slower than its threshold, or its vendor says so.
    Degraded,
    /// Does not answer as expected.
    Down,
    /// The vendor is at work on it, as announced.
    Maintenance,
    /// Not known: never checked, not checked lately, or PulseCheck could not look.
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

    /// How much attention it asks for: 0 for up, 4 for down. Sorting by it puts the worst last.
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

    /// Whether it says that something is wrong with the service itself.
    #[must_use]
    pub const fn is_failure(self) -> bool {
        matches!(self, Self::Degraded | Self::Down)
    }

    /// The word for people, in lower case.
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

/// The worst that an incident has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum IncidentType {
    /// The service was down at some time of the incident.
    Downtime,
    /// It was never worse than degraded.
    Degraded,
}

impl IncidentType {
    /// The type that a failing status opens; `None` for statuses that are no failure.
    #[must_use]
    pub const fn of(status: Status) -> Option<Self> {
        match status {
            Status::Down => Some(Self::Downtime),
            Status::Degraded => Some(Self::Degraded),
            Status::Up | Status::Maintenance | Status::Unknown => None,
        }
    }
}
