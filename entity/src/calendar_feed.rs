//! A workspace's calendar feed: one secret address at a time.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

/// A row.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "calendar_feeds")]
pub struct Model {
    /// The workspace whose services it covers.
    #[sea_orm(primary_key, auto_increment = false)]
    pub workspace_id: Uuid,
    /// SHA-256 of the secret in its address.
    pub secret_hash: Vec<u8>,
    /// When the address was made.
    pub created_at: DateTime<Utc>,
    /// When it was last read, to the hour.
    pub last_read_at: Option<DateTime<Utc>>,
}

/// Relations to other tables.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The workspace whose calendar it is.
    #[sea_orm(
        belongs_to = "super::workspace::Entity",
        from = "Column::WorkspaceId",
        to = "super::workspace::Column::Id"
    )]
    Workspace,
}

impl Related<super::workspace::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Workspace.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
