//! A signed-in browser: one family of refresh tokens.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

/// A row.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sessions")]
pub struct Model {
    /// The `sid` of its access tokens.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Whose.
    pub user_id: Uuid,
    /// SHA-256 of the refresh token that is good now.
    pub token_hash: Vec<u8>,
    /// SHA-256 of the one before: its return means theft, but for a few seconds' grace.
    pub previous_token_hash: Option<Vec<u8>>,
    /// When the token was last exchanged.
    pub rotated_at: DateTime<Utc>,
    /// Sign-in.
    pub created_at: DateTime<Utc>,
    /// Last exchange.
    pub last_used_at: DateTime<Utc>,
    /// When the refresh token ends.
    pub expires_at: DateTime<Utc>,
    /// The browser's own words.
    pub user_agent: Option<String>,
    /// From where.
    pub address: Option<String>,
}

/// Relations to other tables.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The user who is signed in.
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
