//! Objects of the calendar feed.

use crate::graphql::scalar::Time;
use async_graphql::SimpleObject;
use entity::calendar_feed;

/// A calendar under a secret address, with upcoming and ongoing maintenance of the components that
/// you follow.
#[derive(SimpleObject, Debug)]
pub(crate) struct CalendarFeed {
    /// When the address was created.
    created_at: Time,
    /// When it was last read, to the hour; null if never.
    last_read_at: Option<Time>,
}

impl From<calendar_feed::Model> for CalendarFeed {
    fn from(row: calendar_feed::Model) -> Self {
        Self {
            created_at: row.created_at.into(),
            last_read_at: row.last_read_at.map(Time),
        }
    }
}

/// A calendar feed that was just created.
#[derive(SimpleObject, Debug)]
pub(crate) struct CreatedCalendarFeed {
    /// The address, shown only this once. Everybody who knows it can read the calendar.
    pub(super) url: String,
    /// The stored part of it.
    pub(super) feed: CalendarFeed,
}
