//! Who somebody is to a sign-in provider: (provider, subject) is the key, the e-mail is not.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

/// A row.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "identities")]
pub struct Model {
    /// `local`, `github`, `google` or `oidc`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub provider: String,
    /// The provider's own unchanging id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub subject: String,
    /// Whom it signs in.
    pub user_id: Uuid,
    /// As this provider gave it last.
    pub email: String,
    /// Whether this provider vouches for it.
    pub email_verified: bool,
    /// First sign-in by it.
    pub created_at: DateTime<Utc>,
    /// Last sign-in by it.
    pub last_used_at: DateTime<Utc>,
}

/// Relations to other tables.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The user that it belongs to.
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
