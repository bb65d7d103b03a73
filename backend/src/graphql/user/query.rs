//! Queries for the viewer and for limits.

use super::object::{InstallationLimits, User};
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
    async fn limits(&self, ctx: &Context<'_>) -> Result<InstallationLimits> {
        let context = request_context(ctx);
        context.viewer()?;
        let quotas = context.use_cases.quotas;
        Ok(InstallationLimits {
            min_interval_seconds: quotas.min_interval_seconds,
            max_services: quotas.max_services,
        })
    }
}
