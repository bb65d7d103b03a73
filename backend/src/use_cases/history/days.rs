//! One uptime a calendar day.

use super::story::{Day, Story, day};
use super::uptime::Uptime;
use chrono::{DateTime, NaiveDate, Utc};
use domain::Status;
use std::sync::Arc;

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

/// The last days of one service, made one by one: a list of a thousand services would hold tens of thousands.
#[derive(Debug, Clone)]
pub struct UptimeDays {
    pub(super) story: Arc<Story>,
    /// How many.
    pub(super) days: u32,
    /// The moment up to which today, the last of them, is told.
    pub(super) now: DateTime<Utc>,
}

impl UptimeDays {
    /// All of them, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = UptimeDay> {
        let first = day(self.now) + 1 - Day::from(self.days);
        (0..self.days).map(move |place| self.story.day(first + Day::from(place), self.now))
    }
}
