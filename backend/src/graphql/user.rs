//! The viewer: profile, API tokens, and what this server allows.

use super::account::{self, Identity, Session};
use super::scalar::{Id, Time};
use super::scope::scope;
use super::workspace::{Membership, Workspace};
use crate::auth::Auth;
use crate::use_cases::token::NewToken;
use async_graphql::{ComplexObject, Context, InputObject, Object, Result, SimpleObject};
use entity::{api_token, workspace};
use std::sync::Arc;

/// A person who signs in.
#[derive(SimpleObject, Debug)]
#[graphql(complex)]
pub(crate) struct User {
    /// Unchanging.
    id: Id,
    /// As the sign-in provider gave it.
    email: String,
    /// What they are called.
    name: String,
    /// The address of a picture.
    avatar_url: Option<String>,
}

#[ComplexObject]
impl User {
    /// Whether you run this installation, and may ask for `system`.
    async fn operator(&self, ctx: &Context<'_>) -> Result<bool> {
        let scope = scope(ctx);
        Ok(scope.ops.is_operator(&scope.viewer()?).await?)
    }

    /// The workspaces that you are a member of, your personal one first. A token sees only its own.
    #[graphql(complexity = "super::limits::page(20, child_complexity)")]
    async fn workspaces(&self, ctx: &Context<'_>) -> Result<Vec<Membership>> {
        let scope = scope(ctx);
        let memberships = scope.ops.workspaces(&scope.viewer()?).await?;
        Ok(memberships.into_iter().map(Membership::from).collect())
    }

    /// The tokens that programs use on your behalf, newest first.
    #[graphql(complexity = "super::limits::page(20, child_complexity)")]
    async fn api_tokens(&self, ctx: &Context<'_>) -> Result<Vec<ApiToken>> {
        let scope = scope(ctx);
        Ok(scope
            .ops
            .tokens(&scope.viewer()?)
            .await?
            .into_iter()
            .map(ApiToken::from)
            .collect())
    }

    /// The browsers in which you are signed in, the one used last first.
    #[graphql(complexity = "super::limits::page(20, child_complexity)")]
    async fn sessions(&self, ctx: &Context<'_>) -> Result<Vec<Session>> {
        Ok(account::sessions(scope(ctx)).await?)
    }

    /// The ways in which you have signed in, the one used last first.
    #[graphql(complexity = "super::limits::page(3, child_complexity)")]
    async fn identities(&self, ctx: &Context<'_>) -> Result<Vec<Identity>> {
        Ok(account::identities(ctx).await?)
    }
}

/// A token that a program uses on your behalf. The token itself was shown when it was made, and is kept nowhere.
#[derive(SimpleObject, Debug)]
pub(crate) struct ApiToken {
    /// Unchanging.
    id: Id,
    /// What you called it.
    name: String,
    /// The only workspace that it opens.
    workspace: Workspace,
    /// Whether it may only read.
    read_only: bool,
    /// When it was made.
    created_at: Time,
    /// Roughly when it was last used; null when it never was.
    last_used_at: Option<Time>,
    /// When it stops working; null when it does not.
    expires_at: Option<Time>,
}

impl From<(api_token::Model, workspace::Model)> for ApiToken {
    fn from((row, workspace): (api_token::Model, workspace::Model)) -> Self {
        Self {
            id: row.id.into(),
            name: row.name,
            workspace: workspace.into(),
            read_only: row.read_only,
            created_at: row.created_at.into(),
            last_used_at: row.last_used_at.map(Time),
            expires_at: row.expires_at.map(Time),
        }
    }
}

/// A token that was just made.
#[derive(SimpleObject, Debug)]
pub(crate) struct CreatedApiToken {
    /// The token, shown this once. Send it as `Authorization: Bearer pck_...`.
    token: String,
    /// What is kept of it.
    api_token: ApiToken,
}

/// The token that you want.
#[derive(InputObject, Debug)]
pub(crate) struct CreateApiTokenInput {
    /// What to call it, up to 100 characters.
    name: String,
    /// Whether it may only read.
    #[graphql(default_with = "Some(false)")]
    read_only: Option<bool>,
    /// How long it works, 1 to 3650 days; for ever by default.
    expires_in_days: Option<i32>,
}

/// What this server allows.
#[derive(SimpleObject, Debug)]
pub(crate) struct Limits {
    /// The shortest interval between two checks of a service, in seconds.
    min_interval_seconds: i32,
    /// How many services one workspace may have.
    max_services: u32,
}

#[derive(Default)]
pub(crate) struct UserQuery;

#[Object]
impl UserQuery {
    /// You; null without a valid session or token. Everything but this and `signInOptions` answers UNAUTHENTICATED then.
    async fn me(&self, ctx: &Context<'_>) -> Result<Option<User>> {
        let scope = scope(ctx);
        let Some(viewer) = scope.visitor() else {
            return Ok(None);
        };
        let user = scope.ops.user(&viewer).await?;
        Ok(user.map(|user| User {
            id: user.id.into(),
            email: user.email,
            name: user.name,
            avatar_url: user.avatar_url,
        }))
    }

    /// What this server allows.
    async fn limits(&self, ctx: &Context<'_>) -> Result<Limits> {
        let scope = scope(ctx);
        scope.viewer()?;
        let limits = scope.ops.limits;
        Ok(Limits {
            min_interval_seconds: limits.min_interval_seconds,
            max_services: limits.max_services,
        })
    }
}

#[derive(Default)]
pub(crate) struct UserMutation;

#[Object]
impl UserMutation {
    /// Makes a token for a program, which opens this workspace only. Refused with FORBIDDEN to tokens themselves.
    async fn create_api_token(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The token that you want.")] input: CreateApiTokenInput,
    ) -> Result<CreatedApiToken> {
        let scope = scope(ctx);
        let new = NewToken {
            name: input.name,
            read_only: input.read_only.unwrap_or(false),
            expires_in_days: input.expires_in_days,
        };
        let (token, row, workspace) = scope.ops.create_token(&scope.viewer()?, new).await?;
        Ok(CreatedApiToken {
            token,
            api_token: (row, workspace).into(),
        })
    }

    /// Makes a token worthless, and returns its id.
    async fn revoke_api_token(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The token's id.")] id: Id,
    ) -> Result<Id> {
        let scope = scope(ctx);
        let revoked = scope.ops.revoke_token(&scope.viewer()?, id.0).await?;
        // The server remembers for some seconds whom a token stands for, and knows who is connected by it.
        if let Some(auth) = ctx.data_opt::<Arc<Auth>>() {
            auth.on_token_revoked(revoked);
        }
        Ok(revoked.into())
    }
}
