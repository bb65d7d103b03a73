//! An account that its owner has deleted and whose services are being removed, which may take a while.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

/// A row; it goes with the user, who is removed last.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "account_removals")]
pub struct Model {
    /// Whose account.
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: Uuid,
    /// When they asked for it.
    pub requested_at: DateTime<Utc>,
}

/// Relations to other tables.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The user whose account is deleted.
    #[sea_orm(
        belongs_to = "super::user::Entity",
        from = "Column::UserId",
        to = "super::user::Column::Id"
    )]
    User,
}

impl Related<super::user::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::User.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
