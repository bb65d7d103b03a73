//! API tokens: lists, creates and revokes them. Requests with a token are authenticated by `auth`.

use super::workspace::missing_workspace;
use super::{Error, Result, UseCases, now};
use crate::auth::{Viewer, api_token as secrets};
use chrono::Duration;
use domain::is_hidden;
use domain::service::FieldError;
use entity::column::Role;
use entity::{api_token, user, workspace};
use sea_orm::sea_query::LockType;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, ExprTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, Set,
};
use uuid::Uuid;

/// Maximum length of a name, in characters.
const MAX_NAME: usize = 100;

/// Maximum lifetime, in days.
const MAX_DAYS: i32 = 3650;

/// A token to create.
#[derive(Debug, Clone)]
pub struct TokenDraft {
    pub name: String,
    pub read_only: bool,
    /// `None` for a token that does not expire.
    pub expires_in_days: Option<i32>,
}

impl UseCases {
    /// Lists the viewer's own tokens with their workspaces, newest first. A token lists only those of
    /// its own workspace.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn tokens(
        &self,
        viewer: &Viewer,
    ) -> Result<Vec<(api_token::Model, workspace::Model)>> {
        let mut query = api_token::Entity::find()
            .filter(api_token::Column::UserId.eq(viewer.user_id))
            .find_also_related(workspace::Entity)
            .order_by_desc(api_token::Column::CreatedAt)
            .order_by_desc(api_token::Column::Id);
        if viewer.token.is_some() {
            query = query.filter(api_token::Column::WorkspaceId.eq(viewer.workspace_id));
        }
        let rows = query.all(&self.db).await?;
        rows.into_iter()
            .map(|(token, workspace)| Ok((token, workspace.ok_or_else(missing_workspace)?)))
            .collect()
    }

    /// Creates a token for the viewer's workspace. The token itself is returned once and not stored.
    /// Requires a session: a token made by a token would outlive its expiry and revocation.
    ///
    /// # Errors
    /// Returns [`Error::Forbidden`] without a session, [`Error::BadInput`] with every invalid field, or
    /// [`Error::Conflict`] if the viewer has the maximum number of tokens.
    pub async fn create_token(
        &self,
        viewer: &Viewer,
        draft: TokenDraft,
    ) -> Result<(String, api_token::Model, workspace::Model)> {
        if viewer.session.is_none() {
            let message =
                "a token cannot create tokens: sign in with a browser and create it there";
            return Err(Error::Forbidden(message.into()));
        }
        let (name, days) = validate(&draft)?;
        let (token, token_hash) = secrets::generate();

        let transaction = self.begin().await?;
        let owner = user::Entity::find_by_id(viewer.user_id)
            .lock(LockType::NoKeyUpdate)
            .one(&transaction)
            .await?;
        owner.ok_or(Error::Unauthenticated)?;
        let workspace = workspace::Entity::find_by_id(viewer.workspace_id)
            .one(&transaction)
            .await?
            .ok_or(Error::Unauthenticated)?;
        let own = api_token::Entity::find().filter(api_token::Column::UserId.eq(viewer.user_id));
        let max = self.quotas.max_tokens;
        if own.count(&transaction).await? >= u64::from(max) {
            let message =
                format!("you have {max} tokens, the maximum on this server: revoke one first");
            return Err(Error::Conflict(message));
        }
        let now = now();
        let row = api_token::ActiveModel {
            id: Set(Uuid::now_v7()),
            workspace_id: Set(viewer.workspace_id),
            user_id: Set(viewer.user_id),
            name: Set(name),
            token_hash: Set(token_hash),
            read_only: Set(draft.read_only),
            created_at: Set(now),
            last_used_at: Set(None),
            expires_at: Set(days.map(|days| now + Duration::days(days.into()))),
        };
        let row = row.insert(&transaction).await?;
        transaction.commit().await?;
        Ok((token, row, workspace))
    }

    /// Revokes one of the viewer's own tokens, or, as an owner, anybody's token for the workspace.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn revoke_token(&self, viewer: &Viewer, id: Uuid) -> Result<Uuid> {
        let of_workspace = || api_token::Column::WorkspaceId.eq(viewer.workspace_id);
        let own = || api_token::Column::UserId.eq(viewer.user_id);
        let revocable = match (viewer.token, viewer.role) {
            (None, Role::Owner) => own().or(of_workspace()),
            (None, _) => own(),
            (Some(_), Role::Owner) => of_workspace(),
            (Some(_), _) => own().and(of_workspace()),
        };
        let revoked = api_token::Entity::delete_many()
            .filter(api_token::Column::Id.eq(id))
            .filter(revocable)
            .exec(&self.db)
            .await?;
        if revoked.rows_affected == 0 {
            Err(Error::NotFound("token"))
        } else {
            Ok(id)
        }
    }
}

fn validate(draft: &TokenDraft) -> Result<(String, Option<i32>)> {
    let name = draft.name.split_whitespace().collect::<Vec<_>>().join(" ");
    let length = name.chars().count();
    let mut errors = Vec::new();
    if name.is_empty() {
        errors.push(FieldError::new(
            "name",
            "must not be empty: name the program that will use the token",
        ));
    } else if length > MAX_NAME {
        errors.push(FieldError::new(
            "name",
            format!("must have at most {MAX_NAME} characters, got {length}"),
        ));
    } else if name.chars().any(is_hidden) {
        errors.push(FieldError::new(
            "name",
            "must not contain characters that cannot be seen",
        ));
    }
    if let Some(days) = draft
        .expires_in_days
        .filter(|days| !(1..=MAX_DAYS).contains(days))
    {
        errors.push(FieldError::new(
            "expiresInDays",
            format!("must be between 1 and {MAX_DAYS} days, got {days}"),
        ));
    }
    if errors.is_empty() {
        Ok((name, draft.expires_in_days))
    } else {
        Err(Error::BadInput(errors))
    }
}
