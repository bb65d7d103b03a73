//! Looks up which workspace a request is about, and the role of its user there.

use entity::column::Role;
use entity::membership;
use sea_orm::{ConnectionTrait, DbErr, EntityTrait};
use uuid::Uuid;

/// Returns the role of `user` in `workspace`, or `None` unless they are a member.
///
/// # Errors
/// When the database fails.
pub(super) async fn find_role(
    db: &impl ConnectionTrait,
    workspace: Uuid,
    user: Uuid,
) -> Result<Option<Role>, DbErr> {
    let membership = membership::Entity::find_by_id((workspace, user))
        .one(db)
        .await?;
    Ok(membership.map(|membership| membership.role))
}

/// Returns the id of the workspace that a user gets with their account: the user's own id.
pub(super) const fn personal(user: Uuid) -> Uuid {
    user
}
