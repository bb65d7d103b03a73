//! The query for the calendar feed.

use super::object::CalendarFeed;
use crate::graphql::request_context::request_context;
use async_graphql::{Context, Object, Result};

#[derive(Default)]
pub(crate) struct CalendarQuery;

#[Object]
impl CalendarQuery {
    /// Your calendar feed; null if there is none.
    async fn calendar_feed(&self, ctx: &Context<'_>) -> Result<Option<CalendarFeed>> {
        let context = request_context(ctx);
        Ok(context
            .use_cases
            .calendar_feed(&context.viewer()?)
            .await?
            .map(CalendarFeed::from))
    }
}
