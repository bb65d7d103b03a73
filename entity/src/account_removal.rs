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

/// None: what belongs together is joined where it is read.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
