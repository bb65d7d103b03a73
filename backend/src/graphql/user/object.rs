//! The `User` and `Limits` objects.

use super::api_token::ApiToken;
use crate::graphql::account::{self, Identity, Session};
use crate::graphql::limits::page;
use crate::graphql::request_context::request_context;
use crate::graphql::scalar::Id;
use crate::graphql::workspace::Membership;
use async_graphql::{ComplexObject, Context, Result, SimpleObject};
use entity::user;

/// A person with an account.
#[derive(SimpleObject, Debug)]
#[graphql(complex)]
pub(crate) struct User {
    /// Unique id; it never changes.
    id: Id,
    /// E-mail address that the sign-in provider gave.
    email: String,
    /// Name.
    name: String,
    /// URL of a picture.
    avatar_url: Option<String>,
}

#[ComplexObject]
impl User {
    /// Whether you operate this installation and may query `system`.
    async fn operator(&self, ctx: &Context<'_>) -> Result<bool> {
        let context = request_context(ctx);
        Ok(context.use_cases.is_operator(&context.viewer()?).await?)
    }

    /// Workspaces that you are a member of, your personal one first. A token sees only its own.
    #[graphql(complexity = "page(20, child_complexity)")]
    async fn workspaces(&self, ctx: &Context<'_>) -> Result<Vec<Membership>> {
        let context = request_context(ctx);
        let memberships = context.use_cases.workspaces(&context.viewer()?).await?;
        Ok(memberships.into_iter().map(Membership::from).collect())
    }

    /// API tokens that programs use on your behalf, newest first.
    #[graphql(complexity = "page(20, child_complexity)")]
    async fn api_tokens(&self, ctx: &Context<'_>) -> Result<Vec<ApiToken>> {
        let context = request_context(ctx);
        Ok(context
            .use_cases
            .tokens(&context.viewer()?)
            .await?
            .into_iter()
            .map(ApiToken::from)
            .collect())
    }

    /// Browsers in which you are signed in, most recently used first.
    #[graphql(complexity = "page(20, child_complexity)")]
    async fn sessions(&self, ctx: &Context<'_>) -> Result<Vec<Session>> {
        Ok(account::load_sessions(request_context(ctx)).await?)
    }

    /// Sign-in providers that you have used, most recently used first.
    #[graphql(complexity = "page(3, child_complexity)")]
    async fn identities(&self, ctx: &Context<'_>) -> Result<Vec<Identity>> {
        Ok(account::load_identities(ctx).await?)
    }
}

impl From<user::Model> for User {
    fn from(row: user::Model) -> Self {
        Self {
            id: row.id.into(),
            email: row.email,
            name: row.name,
            avatar_url: row.avatar_url,
        }
    }
}

/// Limits of this installation.
#[derive(SimpleObject, Debug)]
#[graphql(name = "Limits")]
pub(crate) struct InstallationLimits {
    /// Shortest allowed interval between two checks, in seconds.
    pub(super) min_interval_seconds: i32,
    /// Maximum number of services in a workspace.
    pub(super) max_services: u32,
}
