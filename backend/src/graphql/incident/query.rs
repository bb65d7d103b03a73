//! Queries for incidents.

use super::connection::IncidentConnection;
use super::input::IncidentFilter;
use crate::graphql::limits::page;
use crate::graphql::node::Incident;
use crate::graphql::request_context::request_context;
use crate::graphql::scalar::Id;
use crate::use_cases::pagination::{Cursor, validate_page_size};
use async_graphql::{Context, Object, Result};

#[derive(Default)]
pub(crate) struct IncidentQuery;

#[Object]
impl IncidentQuery {
    /// Your incidents, newest first.
    #[graphql(complexity = "page(first.unwrap_or(50), child_complexity)")]
    async fn incidents(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which incidents to return; all by default.")] filter: Option<
            IncidentFilter,
        >,
        #[graphql(
            desc = "Number of incidents to return, 1 to 500.",
            default_with = "Some(50)"
        )]
        first: Option<i32>,
        #[graphql(desc = "Return incidents after this cursor.")] after: Option<String>,
    ) -> Result<IncidentConnection> {
        let context = request_context(ctx);
        let viewer = context.viewer()?;
        let filter = filter.unwrap_or_default().validate()?;
        let first = validate_page_size(first.unwrap_or(50))?;
        let after = after.as_deref().map(Cursor::decode).transpose()?;
        let page = context
            .use_cases
            .incidents(&viewer, &filter, first, after, context.now)
            .await?;
        Ok(IncidentConnection::filtered(page, filter))
    }

    /// One of your incidents; null if none has this id.
    async fn incident(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The incident's id.")] id: Id,
    ) -> Result<Option<Incident>> {
        let context = request_context(ctx);
        context.viewer()?;
        Ok(context
            .loaders
            .incident
            .load(id.0)
            .await?
            .map(Incident::from))
    }
}
