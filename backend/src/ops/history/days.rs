//! One uptime a calendar day.

use super::uptime::Uptime;
use chrono::NaiveDate;
use domain::Status;

/// The most days that may be asked for.
pub const MAX_DAYS: u32 = 366;

/// A day of UTC; today up to now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UptimeDay {
    /// Which.
    pub date: NaiveDate,
    /// What it was like.
    pub uptime: Uptime,
}

impl UptimeDay {
    /// The worst that happened on it; unknown when nothing is covered.
    #[must_use]
    pub const fn status(&self) -> Status {
        self.uptime.tally.worst()
    }
}
