//! Queries for the viewer and for limits.

use super::object::{Limits, User};
use crate::graphql::request_context::request_context;
use async_graphql::{Context, Object, Result};

#[derive(Default)]
pub(crate) struct UserQuery;

#[Object]
impl UserQuery {
    /// You; null without a valid session or token. Every other field but `signInOptions` fails with
    /// UNAUTHENTICATED then.
    async fn me(&self, ctx: &Context<'_>) -> Result<Option<User>> {
        let context = request_context(ctx);
        let Some(viewer) = context.optional_viewer() else {
            return Ok(None);
        };
        let user = context.use_cases.user(&viewer).await?;
        Ok(user.map(User::from))
    }

    /// Limits of this installation.
    async fn limits(&self, ctx: &Context<'_>) -> Result<Limits> {
        let context = request_context(ctx);
        context.viewer()?;
        let limits = context.use_cases.limits;
        Ok(Limits {
            min_interval_seconds: limits.min_interval_seconds,
            max_services: limits.max_services,
        })
    }
}
