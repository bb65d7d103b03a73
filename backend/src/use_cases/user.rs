//! The viewer's own profile.

use super::{Result, UseCases};
use crate::auth::Viewer;
use entity::user;
use sea_orm::EntityTrait;

impl UseCases {
    /// Returns the viewer's profile; `None` when the account is deleted.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn user(&self, viewer: &Viewer) -> Result<Option<user::Model>> {
        Ok(user::Entity::find_by_id(viewer.user_id)
            .one(&self.db)
            .await?)
    }
}
