//! Uptime of a window and of a day.

use chrono::{Duration, NaiveDate};
use domain::Status;
use domain::uptime::Tally;

/// Time by status, and out of how much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UptimeTally {
    /// The time that is covered by checks.
    pub tally: Tally,
    /// All time of the window.
    pub length: Duration,
}

impl UptimeTally {
    /// Uptime in percent of the covered time; `None` when nothing is covered.
    #[must_use]
    pub fn percent(&self) -> Option<f64> {
        self.tally.percent()
    }

    /// Degraded time in percent of the covered time; `None` when nothing is covered.
    #[must_use]
    pub fn degraded_percent(&self) -> Option<f64> {
        self.tally.degraded_percent()
    }

    /// Covered time in percent of all time.
    #[must_use]
    pub fn coverage_percent(&self) -> f64 {
        self.tally.coverage_percent(self.length)
    }
}

/// The uptime of a calendar day in UTC; today's up to now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DailyUptime {
    pub date: NaiveDate,
    pub uptime: UptimeTally,
}

impl DailyUptime {
    /// The worst status of the day; unknown when nothing is covered.
    #[must_use]
    pub const fn status(&self) -> Status {
        self.uptime.tally.worst()
    }
}
