//! The query for the state of this installation.

use super::object::System;
use crate::graphql::limits::page;
use crate::graphql::request_context::request_context;
use async_graphql::{Context, Object, Result};

#[derive(Default)]
pub(crate) struct SystemQuery;

#[Object]
impl SystemQuery {
    /// State of this installation; null unless you operate it, see `User.operator`.
    #[graphql(complexity = "page(60, child_complexity)")]
    async fn system(&self, ctx: &Context<'_>) -> Result<Option<System>> {
        let context = request_context(ctx);
        Ok(context
            .use_cases
            .system(&context.viewer()?)
            .await?
            .map(System::from))
    }
}
