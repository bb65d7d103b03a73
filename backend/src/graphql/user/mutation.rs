//! Mutations of API tokens.

use super::api_token::CreatedApiToken;
use super::input::CreateApiTokenInput;
use crate::auth::Auth;
use crate::graphql::request_context::request_context;
use crate::graphql::scalar::Id;
use async_graphql::{Context, Object, Result};
use std::sync::Arc;

#[derive(Default)]
pub(crate) struct UserMutation;

#[Object]
impl UserMutation {
    /// Creates an API token for a program, which is valid in this workspace only. API tokens
    /// themselves get FORBIDDEN.
    async fn create_api_token(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The token to create.")] input: CreateApiTokenInput,
    ) -> Result<CreatedApiToken> {
        let context = request_context(ctx);
        let viewer = context.viewer()?;
        let (token, row, workspace) = context
            .use_cases
            .create_token(&viewer, input.into())
            .await?;
        Ok(CreatedApiToken {
            token,
            api_token: (row, workspace).into(),
        })
    }

    /// Revokes an API token, and returns its id.
    async fn revoke_api_token(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The token's id.")] id: Id,
    ) -> Result<Id> {
        let context = request_context(ctx);
        let revoked = context
            .use_cases
            .revoke_token(&context.viewer()?, id.0)
            .await?;
        // Ends the token's cached authentication and its WebSockets.
        if let Some(auth) = ctx.data_opt::<Arc<Auth>>() {
            auth.on_token_revoked(revoked);
        }
        Ok(revoked.into())
    }
}
