//! A user's membership of a workspace, with their role in it.

use crate::column::Role;
use crate::{user, workspace};
use sea_orm::entity::prelude::*;
use sea_orm::{IntoActiveModel, Set};

/// A row. The user's API tokens for the workspace refer to it and end with it.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "memberships")]
pub struct Model {
    /// The workspace.
    #[sea_orm(primary_key, auto_increment = false)]
    pub workspace_id: Uuid,
    /// The member.
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: Uuid,
    /// What they may do in it.
    pub role: Role,
}

/// Relations to other tables.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The workspace.
    #[sea_orm(
        belongs_to = "super::workspace::Entity",
        from = "Column::WorkspaceId",
        to = "super::workspace::Column::Id"
    )]
    Workspace,
    /// The member.
    #[sea_orm(
        belongs_to = "super::user::Entity",
        from = "Column::UserId",
        to = "super::user::Column::Id"
    )]
    User,
}

impl Related<super::workspace::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Workspace.def()
    }
}

impl Related<super::user::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::User.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}

/// Creates the personal workspace of a user who has just been inserted, with them as its owner.
///
/// # Errors
/// When the database fails.
pub async fn create_personal_workspace(
    db: &impl ConnectionTrait,
    user: &user::Model,
) -> Result<(), DbErr> {
    let workspace = workspace::Model {
        id: user.id,
        name: user.name.clone(),
        personal: true,
        created_at: user.created_at,
    };
    workspace::Entity::insert(workspace.into_active_model())
        .exec_without_returning(db)
        .await?;
    let owner = ActiveModel {
        workspace_id: Set(user.id),
        user_id: Set(user.id),
        role: Set(Role::Owner),
    };
    Entity::insert(owner)
        .exec_without_returning(db)
        .await
        .map(drop)
}
