//! Signing in and out, as far as it is asked for by GraphQL: how it is possible here, where the viewer is signed in, and
//! leaving. The exchange with providers is HTTP, see the server.

use super::scalar::{Id, Time};
use super::scope::{Scope, scope};
use crate::auth::{Auth, browser};
use crate::use_cases::{Error as OpsError, Result as OpsResult};
use async_graphql::{Context, Object, Result, SimpleObject};
use sea_orm::DbErr;
use std::sync::Arc;

/// How people sign in here.
#[derive(SimpleObject, Debug, Default)]
pub(crate) struct SignInOptions {
    /// The providers that the operator has set up, in the order in which to show them.
    providers: Vec<SignInProvider>,
    /// Whether the one-time links work that PulseCheck prints when it starts.
    local: bool,
}

/// A provider to sign in by.
#[derive(SimpleObject, Debug)]
pub(crate) struct SignInProvider {
    /// `google`, `github` or `oidc`.
    id: String,
    /// What people call it.
    name: String,
    /// Where a browser begins, as a path on this server. With `?return=` and a path of the dashboard it comes back there.
    url: String,
}

/// A browser in which you are signed in.
#[derive(SimpleObject, Debug)]
pub(crate) struct Session {
    /// Unchanging.
    id: Id,
    /// Which browser it is, as far as it says, such as `Firefox on Linux`.
    browser: String,
    /// The network address that it signed in from.
    address: Option<String>,
    /// When you signed in.
    created_at: Time,
    /// Roughly when it was last used.
    last_used_at: Time,
    /// When it ends unless it is used before.
    expires_at: Time,
    /// Whether it is the one that asks.
    current: bool,
}

/// A way in which you have signed in.
#[derive(SimpleObject, Debug)]
pub(crate) struct Identity {
    /// `google`, `github`, `oidc`, or `local` for one-time links.
    provider: String,
    /// What people call it.
    name: String,
    /// The e-mail that it gave.
    email: String,
    /// Whether it vouches for that e-mail.
    email_verified: bool,
    /// When you last signed in by it.
    last_used_at: Time,
}

/// The viewer's sessions.
pub(super) async fn sessions(scope: &Scope) -> OpsResult<Vec<Session>> {
    let viewer = scope.viewer()?;
    let rows = scope.ops.sessions(&viewer).await?;
    let session = |row: entity::session::Model| Session {
        id: row.id.into(),
        browser: browser::name(row.user_agent.as_deref()),
        address: row.address,
        created_at: row.created_at.into(),
        last_used_at: row.last_used_at.into(),
        expires_at: row.expires_at.into(),
        current: viewer.session == Some(row.id),
    };
    Ok(rows.into_iter().map(session).collect())
}

/// The viewer's identities.
pub(super) async fn identities(ctx: &Context<'_>) -> OpsResult<Vec<Identity>> {
    let scope = scope(ctx);
    let rows = scope.ops.identities(&scope.viewer()?).await?;
    let configured = auth(ctx).map(Auth::providers);
    let identity = |row: entity::identity::Model| Identity {
        name: configured.map_or_else(
            || row.provider.clone(),
            |providers| providers.name_of(&row.provider),
        ),
        provider: row.provider,
        email: row.email,
        email_verified: row.email_verified,
        last_used_at: row.last_used_at.into(),
    };
    Ok(rows.into_iter().map(identity).collect())
}

/// Absent where nobody signs in.
fn auth<'a>(ctx: &Context<'a>) -> Option<&'a Auth> {
    ctx.data_opt::<Arc<Auth>>().map(Arc::as_ref)
}

#[derive(Default)]
pub(crate) struct AccountQuery;

#[Object]
impl AccountQuery {
    /// How people sign in here. Answered without signing in.
    async fn sign_in_options(&self, ctx: &Context<'_>) -> SignInOptions {
        let Some(auth) = auth(ctx) else {
            return SignInOptions::default();
        };
        let providers = auth.providers().all().map(|provider| SignInProvider {
            id: provider.id().to_owned(),
            name: provider.name().to_owned(),
            url: provider.path(),
        });
        SignInOptions {
            providers: providers.collect(),
            local: auth.local_links(),
        }
    }
}

#[derive(Default)]
pub(crate) struct AccountMutation;

#[Object]
impl AccountMutation {
    /// Signs a browser out, and returns the id of its session. Refused with FORBIDDEN to API tokens.
    async fn end_session(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The session's id.")] id: Id,
    ) -> Result<Id> {
        let scope = scope(ctx);
        let ended = scope.ops.end_session(&scope.viewer()?, id.0).await?;
        if let Some(auth) = auth(ctx) {
            auth.on_session_ended(ended);
        }
        Ok(ended.into())
    }

    /// Signs you out everywhere but here, and returns how many sessions that ended. Refused with FORBIDDEN to API tokens.
    async fn end_other_sessions(&self, ctx: &Context<'_>) -> Result<i32> {
        let scope = scope(ctx);
        let ended = scope.ops.end_other_sessions(&scope.viewer()?).await?;
        for session in &ended {
            if let Some(auth) = auth(ctx) {
                auth.on_session_ended(*session);
            }
        }
        Ok(i32::try_from(ended.len()).unwrap_or(i32::MAX))
    }

    /// Deletes your account and the workspaces that have no other owner for good, and returns its id. You are signed out
    /// everywhere by that. Refused with FORBIDDEN to API tokens.
    async fn delete_account(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Your e-mail, as `me` gives it: shows that you mean it.")] email: String,
    ) -> Result<Id> {
        let scope = scope(ctx);
        let (ops, viewer) = (scope.ops.clone(), scope.viewer()?);
        let auth = ctx.data_opt::<Arc<Auth>>().cloned();
        // On its own, because whoever asks may go away, and what is deleted must stop working all the same.
        let leaving = tokio::spawn(async move {
            let deleted = ops.delete_account(&viewer, &email).await?;
            if let Some(auth) = auth {
                auth.on_account_deleted(deleted.user);
                for workspace in deleted.workspaces {
                    auth.on_workspace_deleted(workspace);
                }
            }
            ops.remove_account(deleted.user).await;
            OpsResult::Ok(deleted.user)
        });
        let deleted = leaving
            .await
            .map_err(|error| OpsError::from(DbErr::Custom(error.to_string())))??;
        Ok(deleted.into())
    }
}
