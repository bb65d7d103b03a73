//! The viewer's account: sessions, identities, and deletion.

pub mod export;
mod removal;

use super::{Error, Result, UseCases, now};
use crate::auth::{Viewer, session as sessions};
use entity::column::Role;
use entity::{
    account_removal, api_token, calendar_feed, identity, membership, service, session, user,
    workspace,
};
use sea_orm::sea_query::LockType;
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
    QuerySelect, QueryTrait, Set,
};
use std::collections::HashSet;
use uuid::Uuid;

/// An account that nobody can sign in to any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeletedAccount {
    /// Its user.
    pub user: Uuid,
    /// The workspaces that are deleted with it.
    pub workspaces: Vec<Uuid>,
}

const SESSION: &str = "session";

impl UseCases {
    /// Lists the viewer's sessions, the most recently used first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sessions(&self, viewer: &Viewer) -> Result<Vec<session::Model>> {
        Ok(sessions::list_for_user(&self.db, viewer.user_id, now()).await?)
    }

    /// Lists the viewer's identities at sign-in providers, the most recently used first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn identities(&self, viewer: &Viewer) -> Result<Vec<identity::Model>> {
        let own = identity::Entity::find().filter(identity::Column::UserId.eq(viewer.user_id));
        Ok(own
            .order_by_desc(identity::Column::LastUsedAt)
            .all(&self.db)
            .await?)
    }

    /// Ends one of the viewer's sessions.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for API tokens, [`Error::NotFound`].
    pub async fn end_session(&self, viewer: &Viewer, id: Uuid) -> Result<Uuid> {
        require_session(viewer)?;
        match sessions::end(&self.db, viewer.user_id, id).await? {
            true => Ok(id),
            false => Err(Error::NotFound(SESSION)),
        }
    }

    /// Ends all of the viewer's sessions but the current one, and returns their ids.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for API tokens.
    pub async fn end_other_sessions(&self, viewer: &Viewer) -> Result<Vec<Uuid>> {
        let own = require_session(viewer)?;
        Ok(sessions::end_others(&self.db, viewer.user_id, own).await?)
    }

    /// Deletes the viewer's account: signing in is impossible when this returns. Its data is removed
    /// afterwards, see [`UseCases::remove_account`].
    ///
    /// Workspaces without another owner are deleted with it: their other members lose access at
    /// once.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for API tokens, or under the field `email` unless that is the account's.
    pub async fn delete_account(&self, viewer: &Viewer, email: &str) -> Result<DeletedAccount> {
        require_session(viewer)?;
        let id = viewer.user_id;
        let transaction = self.begin().await?;
        let owner = user::Entity::find_by_id(id)
            .lock(LockType::NoKeyUpdate)
            .one(&transaction)
            .await?;
        let owner = owner.ok_or(Error::Unauthenticated)?;
        if email.trim() != owner.email {
            return Err(Error::field(
                "email",
                format!(
                    "must be the account's address: type {} to delete it",
                    owner.email
                ),
            ));
        }
        let removal = account_removal::Model {
            user_id: id,
            requested_at: now(),
        };
        account_removal::Entity::insert(removal.into_active_model())
            .on_conflict_do_nothing_on([account_removal::Column::UserId])
            .exec_without_returning(&transaction)
            .await?;
        identity::Entity::delete_many()
            .filter(identity::Column::UserId.eq(id))
            .exec(&transaction)
            .await?;
        session::Entity::delete_many()
            .filter(session::Column::UserId.eq(id))
            .exec(&transaction)
            .await?;
        api_token::Entity::delete_many()
            .filter(api_token::Column::UserId.eq(id))
            .exec(&transaction)
            .await?;
        let workspaces = workspaces_to_delete(&transaction, id).await?;
        let deleted = || workspaces.iter().copied();
        // The user's memberships in deleted workspaces stay: they tell the removal which those are.
        let left = Condition::all()
            .add(membership::Column::UserId.eq(id))
            .add(membership::Column::WorkspaceId.is_not_in(deleted()));
        let taken_away = Condition::all()
            .add(membership::Column::UserId.ne(id))
            .add(membership::Column::WorkspaceId.is_in(deleted()));
        membership::Entity::delete_many()
            .filter(Condition::any().add(left).add(taken_away))
            .exec(&transaction)
            .await?;
        calendar_feed::Entity::delete_many()
            .filter(calendar_feed::Column::WorkspaceId.is_in(deleted()))
            .exec(&transaction)
            .await?;
        // Stops the checks at once; removing the data takes longer.
        let paused = service::ActiveModel {
            paused: Set(true),
            updated_at: Set(now()),
            ..Default::default()
        };
        let services = service::Entity::update_many()
            .set(paused)
            .filter(service::Column::WorkspaceId.is_in(deleted()));
        services.exec(&transaction).await?;
        transaction.commit().await?;
        tracing::info!(user = %id, "deleting an account at its owner's request");
        Ok(DeletedAccount {
            user: id,
            workspaces,
        })
    }
}

/// Locks the workspaces of a user and returns those that have no other owner. Locked, so that two
/// owners who leave at once do not each rely on the other.
async fn workspaces_to_delete(db: &impl ConnectionTrait, user: Uuid) -> Result<Vec<Uuid>> {
    let own = membership::Entity::find()
        .select_only()
        .column(membership::Column::WorkspaceId)
        .filter(membership::Column::UserId.eq(user));
    let workspaces = workspace::Entity::find()
        .filter(workspace::Column::Id.in_subquery(own.into_query()))
        .order_by_asc(workspace::Column::Id)
        .lock(LockType::Update)
        .all(db)
        .await?;
    let workspaces: Vec<Uuid> = workspaces.iter().map(|workspace| workspace.id).collect();
    let others: HashSet<Uuid> = membership::Entity::find()
        .select_only()
        .column(membership::Column::WorkspaceId)
        .filter(membership::Column::WorkspaceId.is_in(workspaces.iter().copied()))
        .filter(membership::Column::UserId.ne(user))
        .filter(membership::Column::Role.eq(Role::Owner))
        .into_tuple()
        .all(db)
        .await?
        .into_iter()
        .collect();
    Ok(workspaces
        .into_iter()
        .filter(|id| !others.contains(id))
        .collect())
}

/// Returns the viewer's session. API tokens have none: a token must not be able to lock its owner
/// out.
fn require_session(viewer: &Viewer) -> Result<Uuid> {
    let message = "a token cannot do this: sign in with a browser and do it there";
    viewer
        .session
        .ok_or_else(|| Error::Forbidden(message.into()))
}
