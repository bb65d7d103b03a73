//! Mutations that end sessions and delete the account.

use super::object::find_auth;
use crate::auth::Auth;
use crate::graphql::request_context::request_context;
use crate::graphql::scalar::Id;
use crate::use_cases::{Error as UseCaseError, Result as UseCaseResult};
use async_graphql::{Context, Object, Result};
use sea_orm::DbErr;
use std::sync::Arc;

#[derive(Default)]
pub(crate) struct AccountMutation;

#[Object]
impl AccountMutation {
    /// Signs a browser out, and returns the id of its session. API tokens get FORBIDDEN.
    async fn end_session(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The session's id.")] id: Id,
    ) -> Result<Id> {
        let context = request_context(ctx);
        let ended = context
            .use_cases
            .end_session(&context.viewer()?, id.0)
            .await?;
        if let Some(auth) = find_auth(ctx) {
            auth.on_session_ended(ended);
        }
        Ok(ended.into())
    }

    /// Signs you out in every other browser, and returns the number of sessions that ended. API
    /// tokens get FORBIDDEN.
    async fn end_other_sessions(&self, ctx: &Context<'_>) -> Result<i32> {
        let context = request_context(ctx);
        let ended = context
            .use_cases
            .end_other_sessions(&context.viewer()?)
            .await?;
        for session in &ended {
            if let Some(auth) = find_auth(ctx) {
                auth.on_session_ended(*session);
            }
        }
        Ok(i32::try_from(ended.len()).unwrap_or(i32::MAX))
    }

    /// Deletes your account and the workspaces without another owner permanently, signs you out
    /// everywhere, and returns the account's id. API tokens get FORBIDDEN.
    async fn delete_account(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Your e-mail address as `me` returns it, to confirm the deletion.")] email: String,
    ) -> Result<Id> {
        let context = request_context(ctx);
        let (use_cases, viewer) = (context.use_cases.clone(), context.viewer()?);
        let auth = ctx.data_opt::<Arc<Auth>>().cloned();
        // A task of its own: a client that disconnects must not leave a half-deleted account.
        let deletion = tokio::spawn(async move {
            let deleted = use_cases.delete_account(&viewer, &email).await?;
            if let Some(auth) = auth {
                auth.on_account_deleted(deleted.user);
                for workspace in deleted.workspaces {
                    auth.on_workspace_deleted(workspace);
                }
            }
            use_cases.remove_account(deleted.user).await;
            UseCaseResult::Ok(deleted.user)
        });
        let deleted = deletion
            .await
            .map_err(|error| UseCaseError::from(DbErr::Custom(error.to_string())))??;
        Ok(deleted.into())
    }
}
