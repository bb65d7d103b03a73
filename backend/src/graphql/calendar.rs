//! The calendar feed of vendors' maintenance: its secret address. The feed itself is not GraphQL, see the server.

use super::scalar::Time;
use super::scope::scope;
use crate::use_cases::Error;
use async_graphql::{Context, Object, Result, SimpleObject};
use entity::calendar_feed;

/// A calendar that other programs read under a secret address: the vendors' maintenance, upcoming and in progress, of the
/// components that you follow.
#[derive(SimpleObject, Debug)]
pub(crate) struct CalendarFeed {
    /// When the address was made.
    created_at: Time,
    /// When it was last read, to the hour; null when it never was.
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

/// An address that was just made.
#[derive(SimpleObject, Debug)]
pub(crate) struct CreatedCalendarFeed {
    /// The address, shown this once. Whoever knows it can read the calendar.
    url: String,
    /// What is kept of it.
    feed: CalendarFeed,
}

#[derive(Default)]
pub(crate) struct CalendarQuery;

#[Object]
impl CalendarQuery {
    /// Your calendar feed; null when there is none.
    async fn calendar_feed(&self, ctx: &Context<'_>) -> Result<Option<CalendarFeed>> {
        let scope = scope(ctx);
        Ok(scope
            .ops
            .calendar_feed(&scope.viewer()?)
            .await?
            .map(CalendarFeed::from))
    }
}

#[derive(Default)]
pub(crate) struct CalendarMutation;

#[Object]
impl CalendarMutation {
    /// Makes a new secret address for your calendar; the one before it stops working. Refused with FORBIDDEN to tokens.
    async fn create_calendar_feed(&self, ctx: &Context<'_>) -> Result<CreatedCalendarFeed> {
        let scope = scope(ctx);
        let (path, row) = scope
            .ops
            .create_calendar_feed(&scope.viewer()?, scope.now)
            .await?;
        let url = scope
            .ops
            .public_url
            .join(&path)
            .map_err(|error| Error::Upstream(error.to_string()))?;
        Ok(CreatedCalendarFeed {
            url: url.into(),
            feed: row.into(),
        })
    }

    /// Makes the address of your calendar worthless. False when there was none.
    async fn revoke_calendar_feed(&self, ctx: &Context<'_>) -> Result<bool> {
        let scope = scope(ctx);
        Ok(scope.ops.revoke_calendar_feed(&scope.viewer()?).await?)
    }
}
