//! The viewer's account: sessions, identities, and deletion.

pub mod export;
mod removal;

use super::{Error, Ops, Result, now};
use crate::auth::{Viewer, session as sessions};
use entity::{account_removal, api_token, calendar_feed, identity, service, session, user};
use sea_orm::sea_query::LockType;
use sea_orm::{
    ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect, Set,
};
use uuid::Uuid;

const SESSION: &str = "session";

impl Ops {
    /// Lists the viewer's sessions, the most recently used first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sessions(&self, viewer: &Viewer) -> Result<Vec<session::Model>> {
        Ok(sessions::of_user(&self.db, viewer.user_id, now()).await?)
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
    /// afterwards, see [`Ops::remove_account`].
    ///
    /// # Errors
    /// [`Error::Forbidden`] for API tokens, or under the field `email` unless that is the account's.
    pub async fn delete_account(&self, viewer: &Viewer, email: &str) -> Result<Uuid> {
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
        calendar_feed::Entity::delete_many()
            .filter(calendar_feed::Column::UserId.eq(id))
            .exec(&transaction)
            .await?;
        // Stops the checks at once; removing the data takes longer.
        let paused = service::ActiveModel {
            paused: Set(true),
            updated_at: Set(now()),
            ..Default::default()
        };
        let own = service::Entity::update_many()
            .set(paused)
            .filter(service::Column::UserId.eq(id));
        own.exec(&transaction).await?;
        transaction.commit().await?;
        tracing::info!(user = %id, "deleting an account at its owner's request");
        Ok(id)
    }
}

/// Returns the viewer's session. API tokens have none: a token must not be able to lock its owner
/// out.
fn require_session(viewer: &Viewer) -> Result<Uuid> {
    let message = "a token cannot do this: sign in with a browser and do it there";
    viewer
        .session
        .ok_or_else(|| Error::Forbidden(message.into()))
}
