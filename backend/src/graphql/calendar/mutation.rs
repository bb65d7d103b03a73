//! Mutations of the calendar feed.

use super::object::CreatedCalendarFeed;
use crate::graphql::request_context::request_context;
use crate::use_cases::Error;
use async_graphql::{Context, Object, Result};

#[derive(Default)]
pub(crate) struct CalendarMutation;

#[Object]
impl CalendarMutation {
    /// Creates a new secret address for your calendar; the previous one stops working. API tokens
    /// get FORBIDDEN.
    async fn create_calendar_feed(&self, ctx: &Context<'_>) -> Result<CreatedCalendarFeed> {
        let context = request_context(ctx);
        let (path, row) = context
            .use_cases
            .create_calendar_feed(&context.viewer()?, context.now)
            .await?;
        let url = context
            .use_cases
            .public_url
            .join(&path)
            .map_err(|error| Error::Upstream(error.to_string()))?;
        Ok(CreatedCalendarFeed {
            url: url.into(),
            feed: row.into(),
        })
    }

    /// Revokes the address of your calendar. Returns false if there was none.
    async fn revoke_calendar_feed(&self, ctx: &Context<'_>) -> Result<bool> {
        let context = request_context(ctx);
        Ok(context
            .use_cases
            .revoke_calendar_feed(&context.viewer()?)
            .await?)
    }
}
